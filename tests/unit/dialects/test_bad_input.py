"""Bad input: whatever a CSMS asks in whatever wrong way earns the right CALLERROR."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_image.core.events import CsmsAsked
from cp_image.dialects.dialect import Heard, Ignored, Reply
from cp_image.dialects.ocpp16.dialect import Ocpp16
from tests.support.schema_payloads import (
    FROM_CSMS,
    Spoiled,
    broken,
    full,
    random,
    schema_of,
    spoiled,
)
from tests.unit.dialects.schemas import check_call_error

SPOILED = [(action, wrong) for action in FROM_CSMS for wrong in spoiled(schema_of(action))]


def call(action: str, payload: Any) -> str:
    return json.dumps([2, "csms-1", action, payload])


@pytest.mark.parametrize("action", FROM_CSMS)
def test_every_request_with_every_field_is_heard(action: str) -> None:
    heard = Ocpp16().decode(call(action, full(schema_of(action))))
    assert isinstance(heard, Heard)
    assert isinstance(heard.event, CsmsAsked)
    assert type(heard.event.request).__name__ == action


@pytest.mark.parametrize(
    ("action", "wrong"), SPOILED, ids=[f"{action} {wrong.what}" for action, wrong in SPOILED]
)
def test_each_way_to_spoil_a_request(action: str, wrong: Spoiled) -> None:
    reply = Ocpp16().decode(call(action, wrong.payload))
    assert isinstance(reply, Reply)
    message_id, code, description = check_call_error(reply.frame)
    assert (message_id, code) == ("csms-1", wrong.code), description
    assert description
    assert len(reply.frame) < 1000
    assert len(reply.note) < 500


@pytest.mark.parametrize("action", FROM_CSMS)
def test_structure_is_named_before_types_and_types_before_values(action: str) -> None:
    schema = schema_of(action)
    by_code = {wrong.code: wrong for wrong in spoiled(schema) if isinstance(wrong.payload, dict)}
    extra = {"nonsense": 1}
    for wrong in by_code.values():
        reply = Ocpp16().decode(call(action, wrong.payload | extra))
        assert isinstance(reply, Reply)
        assert check_call_error(reply.frame)[1] == "FormationViolation"


PAYLOADS = st.sampled_from(FROM_CSMS).flatmap(
    lambda action: st.tuples(st.just(action), random(schema_of(action)) | broken(schema_of(action)))
)


@given(PAYLOADS)
def test_every_readable_call_is_heard_or_refused(asked: tuple[str, Any]) -> None:
    action, payload = asked
    match Ocpp16().decode(call(action, payload)):
        case Heard(event=CsmsAsked(message_id=message_id, request=request)):
            assert message_id == "csms-1"
            assert type(request).__name__ == action
        case Reply(frame=frame):
            assert check_call_error(frame)[0] == "csms-1"
        case Ignored(reason=reason):
            # Only what is not JSON at all: half a character.
            assert reason.startswith("not JSON")
        case other:
            raise AssertionError(other)
