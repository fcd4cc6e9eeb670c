"""An answer to StartTransaction that breaks the rules takes no transaction with it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_image.core import messages
from cp_image.core.events import CallAnswered, CallFailed
from cp_image.core.messages import AuthorizationStatus, IdTagStatus, StartTransactionAnswer
from cp_image.dialects.dialect import Heard
from cp_image.dialects.ocpp16.dialect import Ocpp16

START = messages.StartTransaction(connector_id=1, id_tag="TAG1", meter_start_wh=0, at=0.0)
ACCEPTED = IdTagStatus(status=AuthorizationStatus.ACCEPTED)
INVALID = IdTagStatus(status=AuthorizationStatus.INVALID)
GOOD = {"transactionId": 7, "idTagInfo": {"status": "Accepted"}}


def heard(payload: Any) -> Heard:
    dialect = Ocpp16()
    dialect.encode("id-1", START)
    found = dialect.decode(json.dumps([3, "id-1", payload]))
    assert isinstance(found, Heard)
    return found


@pytest.mark.parametrize(
    ("changes", "transaction_id", "status"),
    [
        ({"vendorField": 1}, 7, ACCEPTED),
        ({"idTagInfo": {"status": "Accepted", "vendorField": 1}}, 7, ACCEPTED),
        ({"idTagInfo": {"status": "Accepted", "expiryDate": "tomorrow"}}, 7, ACCEPTED),
        ({"idTagInfo": {"status": "Accepted", "parentIdTag": "P" * 21}}, 7, ACCEPTED),
        ({"idTagInfo": {"status": "Accepted", "parentIdTag": 5}}, 7, ACCEPTED),
        (
            {"idTagInfo": {"status": "Blocked", "parentIdTag": "P", "x": 1}},
            7,
            IdTagStatus(status=AuthorizationStatus.BLOCKED, parent_id_tag="P"),
        ),
        ({"transactionId": "7"}, 7, ACCEPTED),
        ({"transactionId": " -7 "}, -7, ACCEPTED),
        ({"idTagInfo": {"status": "accepted"}}, 7, INVALID),
        ({"idTagInfo": {"status": ["Accepted"]}}, 7, INVALID),
        ({"idTagInfo": {}}, 7, INVALID),
        ({"idTagInfo": None}, 7, INVALID),
        ({"idTagInfo": "Accepted"}, 7, INVALID),
    ],
)
def test_what_can_be_read_is_obeyed_and_complained_about(
    changes: dict[str, Any], transaction_id: int, status: IdTagStatus
) -> None:
    found = heard(GOOD | changes)
    answer = StartTransactionAnswer(transaction_id=transaction_id, id_tag_status=status)
    assert found.event == CallAnswered(message_id="id-1", answer=answer)
    assert "the answer to StartTransaction is invalid: " in found.complaint


def test_a_good_answer_is_nothing_to_complain_about() -> None:
    assert heard(GOOD).complaint == ""


@pytest.mark.parametrize(
    "payload",
    [
        {},
        [],
        None,
        "7",
        {"idTagInfo": {"status": "Accepted"}},
        GOOD | {"transactionId": None},
        GOOD | {"transactionId": True},
        GOOD | {"transactionId": 7.5},
        GOOD | {"transactionId": "seven"},
        GOOD | {"transactionId": "\u0667"},
        GOOD | {"transactionId": ""},
        GOOD | {"transactionId": "9" * 5000},
        GOOD | {"transactionId": 2**63},
        GOOD | {"transactionId": 1e300},
        GOOD | {"transactionId": [7]},
    ],
)
def test_without_an_id_it_has_failed(payload: Any) -> None:
    assert isinstance(heard(payload).event, CallFailed)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(transaction_id=JSON, id_tag_info=JSON)
def test_nothing_breaks_it(transaction_id: Any, id_tag_info: Any) -> None:
    event = heard({"transactionId": transaction_id, "idTagInfo": id_tag_info}).event
    assert isinstance(event, CallAnswered | CallFailed)


def test_other_answers_are_not_salvaged() -> None:
    dialect = Ocpp16()
    dialect.encode("id-1", messages.Authorize(id_tag="TAG1"))
    payload = {"idTagInfo": {"status": "Accepted"}, "vendorField": 1}
    found = dialect.decode(json.dumps([3, "id-1", payload]))
    assert isinstance(found, Heard)
    assert isinstance(found.event, CallFailed)
