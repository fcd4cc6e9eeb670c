import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from launcher.api import Command, CommandType, ErrorCode
from launcher.commands import CommandError, Order, read_command, read_orders
from launcher.fleet import EntryError

FULL = {"id": "CP-1", "type": "AC", "central_system": "ws://localhost:9000"}


def command(type_: str, *entries: object) -> Command:
    return read_command(msgspec.json.encode({"type": type_, "charge_points": entries}))


def outcome(order: Order | EntryError) -> tuple[str, ErrorCode | None]:
    code = order.code if isinstance(order, EntryError) else None
    return order.charge_point_id, code


@pytest.mark.parametrize(
    ("payload", "request_id", "type_", "text"),
    [
        (b"", None, None, "cannot be read"),
        (b"{", None, None, "cannot be read"),
        (b"\xff\xfe", None, None, "cannot be read"),
        (b'{"type":"close","request_id":"\xff"}', None, None, "cannot be read"),
        (b"[1]", None, None, "got `array`"),
        (b"{}", None, None, "missing required field `type`"),
        (b'{"request_id":"r1"}', "r1", None, "missing required field `type`"),
        (
            b'{"type":"sleep","request_id":"r1"}',
            "r1",
            None,
            "known: start, kill, stop, restart, remove",
        ),
        (b'{"type":5,"request_id":"r1"}', "r1", None, "got `int`"),
        (b'{"type":"start","request_id":7}', None, CommandType.START, "got `int`"),
        (b'{"type":"start","request_id":""}', None, CommandType.START, "length >= 1"),
        (b'{"type":["start"],"request_id":"r1"}', "r1", None, "got `array`"),
        (b'{"type":"kill","request_id":"r1","charge_points":{}}', "r1", CommandType.KILL, "array"),
        (b'{"type":"start","request_id":"r1"}', "r1", CommandType.START, "missing or empty"),
        (b'{"type":"kill","charge_points":[]}', None, CommandType.KILL, "missing or empty"),
        (b"[" * 100_000, None, None, "cannot be read"),
    ],
)
def test_an_unreadable_command_is_refused_with_what_can_be_read(
    payload: bytes, request_id: str | None, type_: CommandType | None, text: str
) -> None:
    with pytest.raises(CommandError) as caught:
        read_command(payload)
    assert (caught.value.request_id, caught.value.type) == (request_id, type_)
    assert text in str(caught.value)


@given(st.binary(max_size=200))
def test_bytes_raise_nothing_else(payload: bytes) -> None:
    with contextlib.suppress(CommandError):
        read_command(payload)


def test_close_needs_no_entries() -> None:
    assert read_command(b'{"type":"close"}').type is CommandType.CLOSE


@pytest.mark.parametrize("type_", ["kill", "remove", "restart"])
def test_an_id_is_enough_but_for_start(type_: str) -> None:
    assert read_orders(command(type_, {"id": "CP-1"})) == [
        Order(type=CommandType(type_), charge_point_id="CP-1")
    ]
    (refused,) = read_orders(command("start", {"id": "CP-1"}))
    assert outcome(refused) == ("CP-1", ErrorCode.MALFORMED)


def test_restart_may_carry_a_full_entry_but_not_half_of_one() -> None:
    (full,) = read_orders(command("restart", FULL))
    assert isinstance(full, Order)
    assert full.specification is not None
    (half,) = read_orders(command("restart", {"id": "CP-1", "vendor": "x"}))
    assert outcome(half) == ("CP-1", ErrorCode.MALFORMED)


def test_kill_does_not_look_at_the_rest_of_an_entry() -> None:
    assert read_orders(command("kill", {"id": "CP-1", "type": 5})) == [
        Order(type=CommandType.KILL, charge_point_id="CP-1")
    ]


def test_a_bad_entry_does_not_stop_the_others_and_a_second_one_of_an_id_is_refused() -> None:
    orders = read_orders(
        command("start", {**FULL, "type": 5}, FULL, 3, {**FULL, "id": "CP-2"}, FULL, {"id": "a b"})
    )
    assert [outcome(order) for order in orders] == [
        ("CP-1", ErrorCode.MALFORMED),
        ("CP-1", None),
        ("", ErrorCode.MALFORMED),
        ("CP-2", None),
        ("CP-1", ErrorCode.DUPLICATE),
        ("", ErrorCode.MALFORMED),
    ]
