"""What is saved as a fleet file is what is loaded from it; what is expanded has ids of its own."""

from datetime import UTC, datetime

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from cp_image.api.payloads import ChargePointType
from cp_image.api.secrets import SecurityProfile, TlsVerification
from launcher.api import Networking, OnCrash, Specification
from launcher.fleet import dump, specification
from launcher.fleet_file.reading import Source, read
from launcher.fleet_file.writing import write
from tests.unit.launcher.test_fleet import IDS, PRINTABLE

TEXTS = st.text(PRINTABLE | st.sampled_from("{}:#'\" -"), max_size=20).filter(str.isprintable)
URLS = st.sampled_from(["wss://h", "wss://h:1/ocpp", "wss://u:p@[::1]:9000/a/b/", "WSS://h/{id}"])
VALUES = st.text(max_size=20) | st.sampled_from(
    [
        "",
        "60",
        "060",
        "true",
        "True",
        "null",
        "~",
        "1.5",
        "0x1f",
        "yes",
        ".inf",
        "- a",
        "<<",
        "a: b",
    ]
)
SPECIFICATIONS = st.builds(
    Specification,
    id=IDS,
    type=st.just(ChargePointType.AC),
    vendor=TEXTS.filter(bool),
    model=TEXTS.filter(bool),
    serial=TEXTS,
    nb_phases=st.integers(1, 3),
    nb_connectors=st.integers(1, 100),
    max_setpoint=st.floats(0, 1e9),
    voltage=st.floats(1, 10_000),
    max_setpoint_per_connector=st.floats(0, 1e9),
    central_system=URLS,
    seed=TEXTS,
    configuration=st.dictionaries(st.text(min_size=1, max_size=20), VALUES, max_size=3),
    clock_rate=st.floats(0.001, 10_000),
    clock_start=st.none() | st.datetimes(datetime(1990, 1, 1), timezones=st.just(UTC)),
    on_crash=st.sampled_from(OnCrash),
    networking=st.sampled_from(Networking),
    memory_mb=st.integers(32, 65_536),
    security_profile=st.sampled_from(SecurityProfile),
    authorization_user=TEXTS.filter(lambda text: ":" not in text),
    tls_verification=st.sampled_from(TlsVerification),
    secrets=st.just(True),
)
FLEETS = st.lists(SPECIFICATIONS, max_size=4, unique_by=lambda each: each.id)


def loaded(content: bytes, *, is_json: bool) -> list[Specification]:
    found = read([Source(name="saved", content=content, is_json=is_json)])
    assert [str(each) for each in found.faults] == []
    return [each.specification for each in found.charge_points]


@settings(deadline=None)
@given(FLEETS)
def test_a_fleet_survives_its_fleet_file(fleet: list[Specification]) -> None:
    assert loaded(write(fleet, title="a title\nof two").encode(), is_json=False) == fleet


@settings(deadline=None)
@given(FLEETS)
def test_a_fleet_survives_its_set_up_file(fleet: list[Specification]) -> None:
    assert loaded(dump(fleet), is_json=True) == fleet


@settings(deadline=None)
@given(SPECIFICATIONS, st.lists(IDS, min_size=2, max_size=4, unique=True))
def test_what_all_have_alike_is_said_once(one: Specification, ids: list[str]) -> None:
    fleet = [msgspec.structs.replace(one, id=each) for each in ids]
    text = write(fleet)
    assert text.count("voltage:") == 1
    assert loaded(text.encode(), is_json=False) == fleet


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 12), st.integers(0, 40), st.sampled_from(["A", "B{n}", "C-{n:03}"])
        ),
        max_size=4,
    )
)
def test_ids_are_unique_or_refused(entries: list[tuple[int, int, str]]) -> None:
    lines = [f"- {{id: '{id_}', count: {count}, first: {first}}}" for count, first, id_ in entries]
    text = "\n".join(["defaults: {type: AC, central_system: 'ws://h'}", "charge_points:", *lines])
    if not lines:
        text += " []"
    found = read([Source(name="f.yaml", content=text.encode())])
    ids = [each.id for each in found.charge_points]
    assert len(set(ids)) == len(ids)
    if not found.faults:
        assert len(ids) == sum(count for count, _, _ in entries)


def test_no_secret_is_in_it_and_it_says_so() -> None:
    fleet = [specification(id="X", type=ChargePointType.AC, central_system="wss://h", secrets=True)]
    assert "are not in this file" in write(fleet)
    plain = [msgspec.structs.replace(fleet[0], secrets=False)]
    assert "are not in this file" not in write(plain)


def test_it_reads_well() -> None:
    fleet = [
        specification(
            id=id_,
            type=ChargePointType.AC,
            serial=f"S {id_}",
            central_system="ws://localhost:9000/ocpp",
            configuration={"HeartbeatInterval": "60", "MeterValuesSampledData": "A.B,C"},
        )
        for id_ in ("CP-1", "CP-2")
    ]
    assert (
        write(fleet, title="The fleet")
        == """\
# The fleet
defaults:
  type: AC
  vendor: cp-simu
  model: Simulated CP
  nb_phases: 1
  nb_connectors: 1
  max_setpoint: 32.0
  voltage: 230.0
  max_setpoint_per_connector: 32.0
  central_system: ws://localhost:9000/ocpp
  configuration:
    HeartbeatInterval: 60
    MeterValuesSampledData: "A.B,C"
charge_points:
  - id: CP-1
    serial: S CP-1
  - id: CP-2
    serial: S CP-2
"""
    )
    assert write([]) == "charge_points: []\n"
