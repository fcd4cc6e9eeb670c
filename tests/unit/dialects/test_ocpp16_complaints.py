"""Which frames of a CSMS are no valid OCPP messages, and which are only not obeyed."""

import pytest

from cp_image.core.messages import Heartbeat
from cp_image.dialects.ocpp16.dialect import Ocpp16


def complaint(frame: str) -> str:
    dialect = Ocpp16()
    dialect.encode("id-1", Heartbeat())
    return dialect.decode(frame).complaint


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ("nonsense", "not JSON"),
        ("{}", "not a JSON array"),
        ('[9,"x",{}]', "unknown message type 9"),
        ('[2,"x","Reset"]', "3 elements instead of 4"),
        ('[2,"x","Reset",{"type":"Cold"}]', "Reset refused: PropertyConstraintViolation, type is"),
        ('[2,"x","Reset",{}]', "Reset refused: FormationViolation, missing: type"),
        ('[2,"x","Reset",{"type":1}]', "TypeConstraintViolation"),
        ('[3,"id-1",{}]', "the answer to Heartbeat is invalid: missing: currentTime"),
        ('[3,"id-1",{},1]', "the answer to Heartbeat is invalid: 4 elements instead of 3"),
        ('[3,"nobody-asked",{},1]', "4 elements instead of 3"),
    ],
)
def test_no_valid_message(frame: str, words: str) -> None:
    assert words in complaint(frame)


@pytest.mark.parametrize(
    "frame",
    [
        '[2,"x","Reset",{"type":"Soft"}]',
        '[2,"x","MakeCoffee",{}]',
        '[2,"x","StartTransaction",{}]',
        '[3,"id-1",{"currentTime":"2026-01-31T12:00:00Z"}]',
        '[3,"nobody-asked",{}]',
        '[4,"id-1","InternalError","",{}]',
        '[4,"nobody-asked","InternalError","",{}]',
    ],
)
def test_a_valid_message_that_may_be_of_no_use(frame: str) -> None:
    assert complaint(frame) == ""
