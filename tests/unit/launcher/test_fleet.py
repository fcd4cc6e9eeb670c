import contextlib
import string
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_image.api import central_system
from cp_image.api.payloads import ChargePointType
from launcher.api import ErrorCode, Specification
from launcher.fleet import (
    EntryError,
    dump,
    only_names,
    read_id,
    read_specification,
    specification,
)

ENTRY: dict[str, Any] = {"id": "CP-1", "type": "AC", "central_system": "ws://localhost:9000"}

IDS = st.text(
    alphabet=string.ascii_letters + string.digits + "_.-", min_size=1, max_size=48
).filter(lambda text: text.strip("."))
PRINTABLE = st.characters(exclude_categories=("C", "Z"))
SPECIFICATIONS = st.builds(
    Specification,
    id=IDS,
    type=st.just(ChargePointType.AC),
    vendor=st.text(PRINTABLE, min_size=1, max_size=20),
    model=st.text(PRINTABLE, min_size=1, max_size=20),
    serial=st.text(PRINTABLE, max_size=25),
    nb_phases=st.integers(1, 3),
    nb_connectors=st.integers(1, 100),
    max_setpoint=st.floats(0, 1e9),
    voltage=st.floats(1, 10_000),
    max_setpoint_per_connector=st.floats(0, 1e9),
    central_system=st.sampled_from(["ws://h", "wss://h:1/ocpp", "ws://u:p@[::1]:9000/a/b/"]),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def entry(**fields: object) -> bytes:
    return msgspec.json.encode({**ENTRY, **fields})


def specification_or_error(content: bytes) -> Specification | EntryError:
    try:
        return read_specification(content)
    except EntryError as exc:
        return exc


@given(SPECIFICATIONS)
def test_a_specification_survives_its_json(specification: Specification) -> None:
    assert read_specification(msgspec.json.encode(specification)) == specification


@given(st.dictionaries(st.sampled_from(Specification.__struct_fields__), JSON) | JSON)
def test_an_entry_gives_a_valid_specification_or_an_error_with_a_text(raw: object) -> None:
    content = msgspec.json.encode(raw)
    specification = specification_or_error(content)
    if isinstance(specification, EntryError):
        assert str(specification).isprintable()
        assert specification.code is ErrorCode.MALFORMED
    else:
        assert msgspec.convert(msgspec.to_builtins(specification), Specification) == specification
        assert central_system.fault(specification.central_system) == ""


@given(st.binary(max_size=64))
def test_bytes_never_raise_anything_else(content: bytes) -> None:
    for read in (read_specification, read_id, only_names):
        with contextlib.suppress(EntryError):
            read(content)


def test_integers_are_taken_for_floats() -> None:
    specification = read_specification(entry(max_setpoint=16, voltage=400))
    assert (specification.max_setpoint, specification.voltage) == (16.0, 400.0)


def test_dc_has_one_phase_whatever_is_asked() -> None:
    assert read_specification(entry(type="DC", nb_phases=3)).nb_phases == 1
    assert read_specification(entry(type="AC", nb_phases=3)).nb_phases == 3


def test_limits_that_are_left_out_are_those_usual_for_the_type() -> None:
    def limits(kind: str, **given: object) -> tuple[float, float, float]:
        it = specification(id="CP-1", type=kind, central_system="ws://csms", **given)
        return it.max_setpoint, it.max_setpoint_per_connector, it.voltage

    assert limits("AC") == (32.0, 32.0, 230.0)
    assert limits("DC") == (300_000.0, 150_000.0, 400.0)
    assert limits("AC", nb_connectors=2) == (64.0, 32.0, 230.0)
    assert limits("AC", nb_connectors=2, max_setpoint=16) == (16.0, 16.0, 230.0)
    assert limits("DC", max_setpoint_per_connector=350_000) == (350_000.0, 350_000.0, 400.0)


def test_no_limit_and_no_voltage_is_usual_for_both_types() -> None:
    usual = {each.name for each in msgspec.structs.fields(Specification) if not each.required}
    assert not usual & {"max_setpoint", "max_setpoint_per_connector", "voltage"}
    with pytest.raises(TypeError, match="max_setpoint"):
        Specification(id="CP-1", type="DC", central_system="ws://csms")  # type: ignore[call-arg, arg-type]


def test_unknown_fields_are_ignored() -> None:
    assert read_specification(entry(colour="red")).id == "CP-1"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"nb_phases": 7}, "charge point CP-1: nb_phases is 7: expected `int` <= 3"),
        ({"nb_phases": 0}, "charge point CP-1: nb_phases is 0: expected `int` >= 1"),
        ({"nb_phases": "3"}, 'charge point CP-1: nb_phases is "3": expected `int`, got `str`'),
        ({"nb_connectors": True}, "nb_connectors is true: expected `int`, got `bool`"),
        ({"nb_connectors": 101}, "nb_connectors is 101: expected `int` <= 100"),
        ({"max_setpoint": -1}, "max_setpoint is -1: expected `float` >= 0.0"),
        ({"max_setpoint": None}, "max_setpoint is null: expected `float`, got `null`"),
        ({"voltage": 0}, "voltage is 0: expected `float` > 0.0"),
        ({"type": "MC"}, "type is \"MC\": invalid enum value 'MC'"),
        ({"vendor": ""}, 'vendor is "": expected `str` of length >= 1'),
        ({"serial": "x" * 26}, "expected `str` of length <= 25"),
        ({"model": "a\u0000b"}, "only printable characters are allowed"),
        ({"model": "a\u001b[1m"}, "only printable characters are allowed"),
        ({"central_system": "http://h"}, "it must begin with ws:// or wss://"),
    ],
)
def test_a_bad_field_is_named_with_value_and_rule(fields: dict[str, object], text: str) -> None:
    with pytest.raises(EntryError) as caught:
        read_specification(entry(**fields))
    assert text in str(caught.value)
    assert caught.value.charge_point_id == "CP-1"


@pytest.mark.parametrize("missing", ["type", "central_system"])
def test_a_missing_field_is_named(missing: str) -> None:
    raw = {name: value for name, value in ENTRY.items() if name != missing}
    with pytest.raises(EntryError, match=f"CP-1: object missing required field `{missing}`"):
        read_specification(msgspec.json.encode(raw))


@pytest.mark.parametrize(
    "charge_point_id",
    ["", "a b", "a/b", "a+", "#", "a\n", "ä", "x" * 49, "$(reboot)", None, 5, ["a"], {"a": 1}],
)
def test_an_unusable_id_is_refused(charge_point_id: object) -> None:
    for read in (read_specification, read_id):
        with pytest.raises(EntryError, match="an id is 1 to 48 characters") as caught:
            read(entry(id=charge_point_id))
        assert caught.value.charge_point_id == ""


@pytest.mark.parametrize("content", [b"", b"3", b"[]", b"null", b'"CP-1"', b"{", b'{"id":"\xff"}'])
def test_what_is_no_object_is_refused(content: bytes) -> None:
    with pytest.raises(EntryError, match="an entry is"):
        read_id(content)


def test_an_entry_without_id_says_the_rule() -> None:
    with pytest.raises(EntryError, match="an entry has no id: an id is"):
        read_id(b"{}")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'{"id":"a"}', True),
        (b'{"id":"a","colour":"red"}', True),
        (b'{"id":"a","type":"AC"}', False),
        (b'{"id":"a","central_system":null}', False),
    ],
)
def test_an_entry_that_only_names_a_charge_point(raw: bytes, *, expected: bool) -> None:
    assert only_names(raw) is expected


def test_a_set_up_file_has_open_ocpp_simus_key_order() -> None:
    content = dump([read_specification(entry())])
    assert content.endswith(b"\n")
    assert list(msgspec.json.decode(content)["charge_points"][0]) == [
        "id",
        "type",
        "vendor",
        "model",
        "serial",
        "nb_phases",
        "nb_connectors",
        "max_setpoint",
        "voltage",
        "max_setpoint_per_connector",
        "central_system",
    ]
