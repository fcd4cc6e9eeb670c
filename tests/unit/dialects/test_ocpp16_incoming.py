"""Frames of the CSMS: answers reach the core, requests are refused rightly, garbage is survived."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cp_image.core import messages
from cp_image.core.csms_messages import SetChargingProfile
from cp_image.core.events import CallAnswered, CallFailed, CsmsAsked
from cp_image.core.messages import AuthorizationStatus, IdTagStatus, RegistrationStatus
from cp_image.dialects.dialect import Heard, Ignored, Reply
from cp_image.dialects.ocpp16.dialect import Ocpp16
from tests.unit.dialects.schemas import check_call_error
from tests.unit.dialects.test_ocpp16_outgoing import REQUESTS

NOON = 1_769_860_800.0


def after(action: str) -> Ocpp16:
    """Return a dialect that awaits the answer with the id ``id-1`` to an action."""
    dialect = Ocpp16()
    dialect.encode("id-1", REQUESTS[action][0])
    return dialect


def answer(action: str, payload: Any) -> CallAnswered | CallFailed:
    heard = after(action).decode(json.dumps([3, "id-1", payload]))
    assert isinstance(heard, Heard)
    assert isinstance(heard.event, CallAnswered | CallFailed)
    assert heard.event.message_id == "id-1"
    return heard.event


ANSWERS: list[tuple[str, dict[str, Any], messages.Answer]] = [
    (
        "BootNotification",
        {"status": "Accepted", "currentTime": "2026-01-31T12:00:00Z", "interval": 300},
        messages.BootAnswer(status=RegistrationStatus.ACCEPTED, csms_at=NOON, interval_s=300),
    ),
    (
        "Heartbeat",
        {"currentTime": "2026-01-31T12:00:00Z"},
        messages.HeartbeatAnswer(csms_at=NOON),
    ),
    ("StatusNotification", {}, messages.EmptyAnswer()),
    ("MeterValues", {}, messages.EmptyAnswer()),
    (
        "Authorize",
        {"idTagInfo": {"status": "Blocked", "parentIdTag": "P"}},
        messages.AuthorizeAnswer(
            id_tag_status=IdTagStatus(status=AuthorizationStatus.BLOCKED, parent_id_tag="P")
        ),
    ),
    (
        "StartTransaction",
        {
            "transactionId": 7,
            "idTagInfo": {"status": "Accepted", "expiryDate": "2026-01-31T13:00:00+01:00"},
        },
        messages.StartTransactionAnswer(
            transaction_id=7,
            id_tag_status=IdTagStatus(status=AuthorizationStatus.ACCEPTED, expires_at=NOON),
        ),
    ),
    (
        "Authorize",
        {"idTagInfo": {"status": "Accepted", "expiryDate": "9999-12-31T23:59:59Z"}},
        messages.AuthorizeAnswer(
            id_tag_status=IdTagStatus(
                status=AuthorizationStatus.ACCEPTED, expires_at=253_402_300_799.0
            )
        ),
    ),
    ("StopTransaction", {}, messages.StopTransactionAnswer()),
    (
        "StopTransaction",
        {"idTagInfo": {"status": "Accepted"}},
        messages.StopTransactionAnswer(
            id_tag_status=IdTagStatus(status=AuthorizationStatus.ACCEPTED)
        ),
    ),
]


@pytest.mark.parametrize(("action", "payload", "expected"), ANSWERS)
def test_answers(action: str, payload: dict[str, Any], expected: messages.Answer) -> None:
    assert answer(action, payload) == CallAnswered(message_id="id-1", answer=expected)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-01-31T12:00:00Z", 0),
        ("2026-01-31T12:00:00z", 0),
        ("2026-01-31T12:00:00.5Z", 0.5),
        ("2026-01-31T12:00:00.1234567Z", 0.123456),
        ("2026-01-31T12:00:00", 0),
        ("2026-01-31 12:00:00+00:00", 0),
        ("2026-01-31T14:30:00+02:30", 0),
        ("2026-01-31T04:00:00.250-08:00", 0.25),
    ],
)
def test_times_are_read_tolerantly(text: str, seconds: float) -> None:
    event = answer("Heartbeat", {"currentTime": text})
    assert isinstance(event, CallAnswered)
    assert isinstance(event.answer, messages.HeartbeatAnswer)
    assert event.answer.csms_at == pytest.approx(NOON + seconds, abs=1e-5)


@pytest.mark.parametrize(
    ("action", "payload", "code", "words"),
    [
        ("Heartbeat", {}, "FormationViolation", "missing: currentTime"),
        ("Heartbeat", [], "FormationViolation", "not an object"),
        ("Heartbeat", {"currentTime": "noon"}, "PropertyConstraintViolation", "'noon'"),
        (
            "Heartbeat",
            {"currentTime": "9999-12-31T23:59:59Z"},
            "PropertyConstraintViolation",
            "1970 to 2999",
        ),
        ("Heartbeat", {"currentTime": 1}, "TypeConstraintViolation", "currentTime"),
        ("StatusNotification", {"x": 1}, "FormationViolation", "x"),
        (
            "Authorize",
            {"idTagInfo": {"status": "Fine"}},
            "PropertyConstraintViolation",
            "idTagInfo.status",
        ),
        (
            "StartTransaction",
            {"idTagInfo": {"status": "Accepted"}, "transactionId": 2**63},
            "PropertyConstraintViolation",
            "transactionId",
        ),
        (
            "StartTransaction",
            {"idTagInfo": {"status": "Accepted"}, "transactionId": "seven"},
            "TypeConstraintViolation",
            "transactionId",
        ),
    ],
)
def test_invalid_answers_fail_clearly(action: str, payload: Any, code: str, words: str) -> None:
    event = answer(action, payload)
    assert isinstance(event, CallFailed)
    assert event.error_code == code
    assert words in event.description
    assert action in event.description


def test_call_error() -> None:
    heard = after("Heartbeat").decode('[4,"id-1","InternalError","out of order",{}]')
    assert heard == Heard(
        event=CallFailed(message_id="id-1", error_code="InternalError", description="out of order")
    )


@pytest.mark.parametrize(
    "frame", ['[4,"id-1","InternalError",""]', '[4,"id-1",null,null,null]', '[4,"id-1",[],{},{}]']
)
def test_sloppy_call_errors_still_fail_the_call(frame: str) -> None:
    heard = after("Heartbeat").decode(frame)
    assert isinstance(heard, Heard)
    assert isinstance(heard.event, CallFailed)
    assert heard.event.error_code


@pytest.mark.parametrize("frame", ['[3,"id-1"]', '[3,"id-1",{},{}]', '[4,"id-1"]'])
def test_an_answer_of_wrong_arity_fails_its_call(frame: str) -> None:
    dialect = after("Heartbeat")
    heard = dialect.decode(frame)
    assert isinstance(heard, Heard)
    assert isinstance(heard.event, CallFailed)
    assert "elements instead of" in heard.event.description
    assert dialect.open_calls == 0


def test_an_answer_counts_once() -> None:
    dialect = after("StatusNotification")
    assert dialect.open_calls == 1
    assert isinstance(dialect.decode('[3,"id-1",{}]'), Heard)
    assert dialect.open_calls == 0
    assert isinstance(dialect.decode('[3,"id-1",{}]'), Ignored)


def test_an_answer_from_an_earlier_connection_is_to_nothing() -> None:
    dialect = after("StatusNotification")
    dialect.connection_lost()
    assert isinstance(dialect.decode('[3,"id-1",{}]'), Ignored)


def test_calls_that_are_never_answered_do_not_pile_up() -> None:
    dialect = Ocpp16()
    for number in range(1000):
        dialect.encode(f"id-{number}", messages.Heartbeat())
    assert dialect.open_calls < 100
    assert isinstance(dialect.decode('[3,"id-999",{"currentTime":"2026-01-31T12:00:00Z"}]'), Heard)


PROFILE = {
    "chargingProfileId": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": {
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 21.4}],
    },
}


def profile_with_limit(limit: Any) -> dict[str, Any]:
    period = {"startPeriod": 0, "limit": limit}
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [period]}
    return {
        "connectorId": 1,
        "csChargingProfiles": PROFILE | {"chargingSchedule": schedule},
    }


@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        ("MakeCoffee", {}, "NotImplemented"),
        ("../v201/schemas/ResetRequest", {}, "NotImplemented"),
        ("reset", {"type": "Soft"}, "NotImplemented"),
        ("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"}, "NotSupported"),
        ("GetLog", {"logType": "X"}, "FormationViolation"),
        ("GetInstalledCertificateIds", {"certificateType": "X"}, "PropertyConstraintViolation"),
        ("Reset", {}, "FormationViolation"),
        ("Reset", {"type": "Soft", "force": True}, "FormationViolation"),
        ("Reset", "Soft", "FormationViolation"),
        ("Reset", None, "FormationViolation"),
        ("Reset", ["Soft"], "FormationViolation"),
        ("Reset", {"type": 1}, "TypeConstraintViolation"),
        ("Reset", {"type": None}, "TypeConstraintViolation"),
        ("Reset", {"type": "Warm"}, "PropertyConstraintViolation"),
        ("RemoteStartTransaction", {"idTag": "T" * 21}, "PropertyConstraintViolation"),
        ("RemoteStartTransaction", {"idTag": 1, "x": 1}, "FormationViolation"),
        ("ChangeConfiguration", {"key": "k", "value": "v" * 2**20}, "PropertyConstraintViolation"),
        ("SetChargingProfile", profile_with_limit(4.11), "PropertyConstraintViolation"),
        ("SetChargingProfile", profile_with_limit(1e300), "PropertyConstraintViolation"),
        ("SetChargingProfile", profile_with_limit("16"), "TypeConstraintViolation"),
    ],
)
def test_requests_are_answered_rightly(action: str, payload: Any, code: str) -> None:
    reply = Ocpp16().decode(json.dumps([2, "csms-1", action, payload]))
    assert isinstance(reply, Reply)
    message_id, actual, description = check_call_error(reply.frame)
    assert (message_id, actual) == ("csms-1", code)
    assert description
    assert len(reply.note) < 500


@pytest.mark.parametrize("limit", [0, 6, 21.4, 0.3, 22000.0])
def test_limits_of_one_decimal_are_heard(limit: float) -> None:
    frame = json.dumps([2, "csms-1", "SetChargingProfile", profile_with_limit(limit)])
    heard = Ocpp16().decode(frame)
    assert isinstance(heard, Heard)
    assert isinstance(heard.event, CsmsAsked)
    assert isinstance(heard.event.request, SetChargingProfile)
    assert heard.event.request.charging_profile.schedule.periods[0].limit == limit


@pytest.mark.parametrize(
    "frame",
    [
        '[2,"csms-1"]',
        '[2,"csms-1","Reset"]',
        '[2,"csms-1","Reset",{},{}]',
        '[2,"csms-1",7,{}]',
        '[2,"csms-1",null,{"type":"Soft"}]',
    ],
)
def test_a_broken_call_with_an_id_gets_a_call_error(frame: str) -> None:
    reply = Ocpp16().decode(frame)
    assert isinstance(reply, Reply)
    assert check_call_error(reply.frame)[:2] == ("csms-1", "FormationViolation")


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "hello",
        "{}",
        "[]",
        "null",
        "2",
        '"x"',
        "[2",
        "[2]",
        '[2,7,"Reset",{}]',
        '[2,null,"Reset",{}]',
        '[2,"","Reset",{}]',
        '[2,"' + "x" * 37 + '","Reset",{}]',
        '[5,"id-1",{}]',
        '["2","id-1","Reset",{}]',
        '[true,"id-1",{}]',
        '[null,"id-1",{}]',
        '[3,"id-2",{}]',
        '[4,"id-2","InternalError","",{}]',
        '[2,"id-1","Reset",{"type":NaN}]',
        '[2,"id-1","Reset",{"type":-Infinity}]',
        '[2,"id-1","Reset",{"type":' + "[" * 100_000 + "]" * 100_000 + "}]",
        '[2,"id-1","Reset",{"type":' + "1" * 10_000 + "}]",
        '[3,"id-1",{"currentTime":"\\ud800"}]',
        '[2,"\\udfff","Reset",{}]',
        '"' + "x" * 2**20 + '"',
        "\x00",
        "\ufeff[]",
    ],
)
def test_garbage_is_ignored_with_a_reason(frame: str) -> None:
    ignored = after("Heartbeat").decode(frame)
    assert isinstance(ignored, Ignored)
    assert 0 < len(ignored.reason) < 300


def nested(depth: int) -> str:
    return '{"type":' * depth + "1" + "}" * depth


@pytest.mark.parametrize("depth", [2, 50, 200, 400, 600, 800, 900, 950, 990, 2000])
def test_nesting_is_survived_at_every_depth(depth: int) -> None:
    result = Ocpp16().decode(f'[2,"csms-1","Reset",{nested(depth)}]')
    if isinstance(result, Reply):
        check_call_error(result.frame)
    else:
        assert isinstance(result, Ignored)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)
ACTIONS = st.sampled_from(
    ["Reset", "SetChargingProfile", "SendLocalList", "GetLog", "BootNotification", "Nonsense"]
)
FRAMES = (
    st.lists(JSON, max_size=6)
    | st.tuples(st.just(2), st.text(max_size=40), ACTIONS | JSON, JSON)
    | st.tuples(st.just(3), st.just("id-1"), JSON)
    | st.tuples(st.just(4), st.just("id-1"), JSON, JSON, JSON)
)


@given(FRAMES.map(json.dumps) | st.text())
@example('[3,"id-1",{"idTagInfo":{"status":"Accepted","expiryDate":"0001-01-01T00:00+23:59"}}]')
def test_no_frame_raises(frame: str) -> None:
    result = after("Authorize").decode(frame)
    match result:
        case Reply():
            check_call_error(result.frame)
        case Heard():
            assert result.event.message_id == "id-1"
        case Ignored():
            assert result.reason
