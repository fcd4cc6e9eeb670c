"""What fleet files ask for."""

import time

import msgspec
import pytest

from cp_image.api.payloads import ChargePointType
from launcher.api import OnCrash, Specification
from launcher.fleet import read_specification
from launcher.fleet_file.around import Around
from launcher.fleet_file.reading import Reading, Source, read
from launcher.fleet_file.wanted import WantedChargePoint

HEAD = "defaults: {type: AC, central_system: 'ws://h'}\n"


def reading(text: str, around: Around | None = None, *, name: str = "f.yaml") -> Reading:
    source = Source(name=name, content=text.encode(), is_json=name.endswith(".json"))
    return read([source], around)


def wanted(text: str, around: Around | None = None) -> list[WantedChargePoint]:
    found = reading(text, around)
    assert [str(each) for each in found.faults] == []
    return list(found.charge_points)


def specifications(text: str) -> list[Specification]:
    return [each.specification for each in wanted(text)]


def only(text: str) -> Specification:
    (found,) = specifications(text)
    return found


def test_an_entry_is_a_charge_point() -> None:
    found = only("""
charge_points:
  - id: CP-1
    type: DC
    central_system: ws://localhost:9000/ocpp
    nb_connectors: 2
    on_crash: restart
    clock_start: 2026-01-31T12:00:00Z
""")
    raw = {
        "id": "CP-1",
        "type": "DC",
        "central_system": "ws://localhost:9000/ocpp",
        "nb_connectors": 2,
        "on_crash": "restart",
        "clock_start": "2026-01-31T12:00:00Z",
    }
    assert found == read_specification(msgspec.json.encode({**raw, "serial": "CP-1"}))
    assert found.on_crash is OnCrash.RESTART
    assert found.max_setpoint == 300_000.0


def test_a_serial_number_is_the_id_unless_given() -> None:
    long_id = "A-VERY-LONG-IDENTIFIER-00001"
    first, second, third = specifications(
        f"{HEAD}charge_points: [{{id: 'CP-{{n}}', count: 1}}, {{id: CP-2, serial: ''}}, "
        f"{{id: {long_id}}}]"
    )
    assert (first.serial, second.serial, third.serial) == ("CP-1", "", long_id[:25])


def test_the_nearer_word_wins() -> None:
    first, second, third = specifications("""
defaults:
  type: AC
  central_system: ws://h
  vendor: default
  model: default
  serial: default
  configuration: {A: default, B: default, C: default, D: default}
templates:
  base: {model: base, serial: base, configuration: {B: base, C: base}}
  derived: {extends: base, serial: derived, configuration: {C: derived}}
charge_points:
  - {id: CP-1}
  - {id: CP-2, template: derived}
  - {id: CP-3, template: derived, serial: own, configuration: {D: own}}
""")
    assert (first.vendor, first.model, first.serial) == ("default", "default", "default")
    assert (second.vendor, second.model, second.serial) == ("default", "base", "derived")
    assert second.configuration == {"A": "default", "B": "base", "C": "derived", "D": "default"}
    assert (third.model, third.serial) == ("base", "own")
    assert third.configuration["D"] == "own"


def test_a_template_may_come_before_what_it_extends_and_be_of_another_type() -> None:
    found = only("""
defaults: {type: AC, central_system: 'ws://h'}
templates:
  fast: {extends: quiet, type: DC}
  quiet: {configuration: {HeartbeatInterval: 900}}
charge_points: [{id: X, template: fast}]
""")
    assert (found.type, found.voltage) == (ChargePointType.DC, 400.0)
    assert found.configuration == {"HeartbeatInterval": "900"}


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("60", "60"),
        ("060", "060"),
        ("1.50", "1.50"),
        ("true", "true"),
        ("False", "false"),
        ("no", "no"),
        ("'60'", "60"),
        ("''", ""),
        ("[A, B.C, 3]", "A,B.C,3"),
        ("[]", ""),
    ],
)
def test_configuration_values_are_texts_for_ocpp(written: str, text: str) -> None:
    found = only(f"{HEAD}charge_points: [{{id: X, configuration: {{Key: {written}}}}}]")
    assert found.configuration == {"Key": text}


def test_a_number_is_taken_for_a_text_where_one_is_asked_for() -> None:
    found = only(f"{HEAD}charge_points: [{{id: 007, serial: 0042, seed: 1e3}}]")
    assert (found.id, found.serial, found.seed) == ("007", "0042", "1e3")


# -- counts ------------------------------------------------------------------------------------


def test_a_count_fills_in_numbers_and_ids() -> None:
    found = specifications(f"""{HEAD}
charge_points:
  - {{id: 'CP-{{n:04}}', count: 3, first: 9, serial: 'S/{{n}}/{{id}}',
     authorization_user: '{{id}}'}}
""")
    assert [each.id for each in found] == ["CP-0009", "CP-0010", "CP-0011"]
    assert found[1].serial == "S/10/CP-0010"
    assert found[2].authorization_user == "CP-0011"


@pytest.mark.parametrize(("count", "ids"), [(0, []), (1, ["CP-1"]), (2, ["CP-1", "CP-2"])])
def test_small_counts(count: int, ids: list[str]) -> None:
    text = f"{HEAD}charge_points: [{{id: 'CP-{{n}}', count: {count}}}]"
    assert [each.id for each in specifications(text)] == ids


def test_a_count_of_one_needs_no_place_for_the_number() -> None:
    assert only(f"{HEAD}charge_points: [{{id: CP, count: 1}}]").id == "CP"


def test_braces_are_doubled() -> None:
    assert only(f"{HEAD}charge_points: [{{id: X, serial: '{{{{n}}}}'}}]").serial == "{n}"


def test_a_thousand_are_no_matter() -> None:
    text = f"{HEAD}charge_points: [{{id: 'CP-{{n:04}}', count: 1000}}]"
    before = time.process_time()
    assert len(wanted(text)) == 1000
    assert time.process_time() - before < 5


# -- YAML --------------------------------------------------------------------------------------


def test_anchors_and_merge_keys() -> None:
    first, second = specifications("""
x-common: &common
  type: AC
  central_system: ws://h
  vendor: common
x-more: &more {vendor: more, model: more}
charge_points:
  - {<<: *common, id: CP-1, model: own}
  - {<<: [*more, *common], id: CP-2}
""")
    assert (first.vendor, first.model) == ("common", "own")
    assert (second.vendor, second.model) == ("more", "more")


def test_yaml_is_1_2() -> None:
    found = only(f"{HEAD}charge_points: [{{id: no, serial: yes, seed: 0o17, pids: 0o20}}]")
    assert (found.id, found.serial, found.seed, found.pids) == ("no", "yes", "0o17", 16)


def test_a_byte_order_mark_and_windows_line_ends() -> None:
    text = f"\ufeff{HEAD}charge_points:\n- id: CP-1\n- id: CP-2\n".replace("\n", "\r\n")
    assert [each.id for each in specifications(text)] == ["CP-1", "CP-2"]


def test_an_empty_fleet() -> None:
    assert wanted("charge_points: []") == []


# -- JSON --------------------------------------------------------------------------------------

SET_UP = """{"charge_points":[
    {"id":"simu_cp_AC1","type":"AC","vendor":"Open OCPP AC","model":"Simulated CP",
     "serial":"S/{NABCD}1234","nb_phases":3,"nb_connectors":2,"max_setpoint":32,"voltage":230,
     "max_setpoint_per_connector":32,"central_system":"ws://127.0.0.1:18180/ocpp/"},
    {"id":"simu_cp_DC1","type":"DC","vendor":"Open OCPP DC","model":"Simulated CP",
     "serial":"\\u00e9\\ud83d\\ude00","nb_phases":3,"nb_connectors":1,"max_setpoint":3e5,
     "voltage":400.0,"max_setpoint_per_connector":300000,"central_system":"ws://h",
     "colour":"red"}]}"""


@pytest.mark.parametrize("name", ["set-up.json", "set-up"])
def test_a_set_up_file_of_open_ocpp_simu_loads(name: str) -> None:
    source = Source(name=name, content=SET_UP.encode(), is_json=name.endswith("json") or None)
    found = read([source])
    assert found.faults == []
    first, second = (each.specification for each in found.charge_points)
    assert first.serial == "S/{NABCD}1234"
    assert (second.serial, second.nb_phases, second.max_setpoint) == ("é😀", 1, 300_000.0)
    assert [str(each) for each in found.notes] == [
        f"{name}:8: charge_points[1].colour: there is no such key"
    ]


def test_a_fleet_file_may_be_json() -> None:
    text = '{"defaults":{"type":"AC","central_system":"ws://h"},"charge_points":[{"id":"C-{n}","count":2}]}'
    found = reading(text, name="f.json")
    assert [each.id for each in found.charge_points] == ["C-1", "C-2"]
    wrong = reading(text.replace("count", "cuont"), name="f.json")
    assert "f.json:1: charge_points[0].cuont: there is no such key (did you mean count?)" in [
        str(each) for each in wrong.faults
    ]


# -- secrets -----------------------------------------------------------------------------------


def test_secrets_are_named_and_not_told() -> None:
    (found,) = wanted("""
charge_points:
  - id: CP-1
    type: AC
    central_system: wss://h
    security_profile: 3
    password: open sesame
    root_ca: ca/{id}.pem
    client_cert: c.pem
    client_key: c.key
""")
    assert found.paths == {
        "root_ca.pem": "ca/CP-1.pem",
        "client_cert.pem": "c.pem",
        "client_key.pem": "c.key",
    }
    assert found.password == "open sesame"
    assert found.specification.secrets
    assert "sesame" not in repr(found)


@pytest.mark.parametrize(
    ("profile", "more", "names"),
    [
        (0, "password: x", {}),
        (1, "password: x", {}),
        (2, "password: x", {"root_ca.pem": "p/root_ca.pem"}),
        (
            3,
            "root_ca: own.pem",
            {
                "root_ca.pem": "own.pem",
                "client_cert.pem": "p/charge_points/CP-1.pem",
                "client_key.pem": "p/charge_points/CP-1.key",
            },
        ),
    ],
)
def test_a_pki_gives_what_the_profile_needs(profile: int, more: str, names: dict[str, str]) -> None:
    (found,) = wanted(f"""
defaults: {{pki: p, type: AC, central_system: 'wss://h'}}
charge_points: [{{id: CP-1, security_profile: {profile}, {more}}}]
""")
    signer = {} if profile == 0 else {"manufacturer_ca.pem": "p/root_ca.pem"}
    assert found.paths == {**signer, **names}
    assert found.from_pki == {key for key, path in found.paths.items() if path.startswith("p/")}


def test_a_nearer_password_takes_the_place_of_a_file_and_the_other_way_round() -> None:
    first, second = wanted(f"""{HEAD}
templates:
  filed: {{password_file: pw, security_profile: 1}}
  plain: {{password: a word, security_profile: 1}}
charge_points:
  - {{id: CP-1, template: filed, password: own}}
  - {{id: CP-2, template: plain, password_file: 'own/{{id}}'}}
""")
    assert (first.password, first.paths) == ("own", {})
    assert (second.password, second.paths) == (None, {"authorization_key": "own/CP-2"})


def test_what_is_supplied_goes_to_those_that_need_it_and_name_none() -> None:
    around = Around(supplied={"authorization_key": "/pw/{id}", "root_ca.pem": "/ca"})
    first, second, third = wanted(
        """
defaults: {type: AC, central_system: 'wss://h'}
charge_points:
  - {id: CP-0}
  - {id: CP-2, security_profile: 2}
  - {id: CP-3, security_profile: 2, root_ca: own, secrets: true}
""",
        around,
    )
    assert (first.paths, first.specification.secrets) == ({}, False)
    assert second.paths == {"authorization_key": "/pw/CP-2", "root_ca.pem": "/ca"}
    assert second.specification.secrets
    assert third.paths == {"authorization_key": "/pw/CP-3", "root_ca.pem": "own"}


def test_who_says_that_it_has_secrets_may_lack_them() -> None:
    (found,) = wanted("""
charge_points:
  - {id: X, type: AC, central_system: 'wss://h', security_profile: 2, secrets: true}
""")
    assert found.missing == ("authorization_key", "root_ca.pem")


def test_what_holds_over_and_under_the_file() -> None:
    text = "charge_points: [{id: A, type: AC, central_system: 'ws://a'}, {id: B, type: AC}]"
    found = wanted(text, Around(under={"central_system": "ws://under"}))
    assert [each.specification.central_system for each in found] == ["ws://a", "ws://under"]
    found = wanted(text, Around(over={"central_system": "ws://over"}))
    assert {each.specification.central_system for each in found} == {"ws://over"}
