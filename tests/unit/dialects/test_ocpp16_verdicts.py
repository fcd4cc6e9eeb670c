"""What the dialect says of a frame is what the `ocpp` package and jsonschema say of it."""

import json
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import ocpp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ocpp.v16 import enums

from cp_image.api.payloads import ConnectorState, ErrorCode, StopReason
from cp_image.core import csms_messages, messages, meter_values, security_messages
from cp_image.dialects.ocpp16 import frames, schema
from cp_image.dialects.ocpp16.actions import Action
from cp_image.dialects.ocpp16.validation import Direction, find_violation
from tests.support import ocpp_package
from tests.support.schema_payloads import ANYTHING, broken, random, spoiled

SCHEMAS = Path(ocpp.__file__).parent / "v16" / "schemas"
EACH = [(action, direction) for action in Action for direction in Direction]


def resolved(name: str) -> dict[str, Any]:
    """Return a schema without references."""
    whole = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8-sig"))

    def without(part: Any) -> Any:
        if isinstance(part, list):
            return [without(item) for item in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return without(whole["definitions"][part["$ref"].rpartition("/")[2]])
        return {key: without(item) for key, item in part.items() if key != "definitions"}

    found: dict[str, Any] = without(whole)
    return found


def assert_same(direction: Direction, action: Action, payload: object) -> None:
    assert find_violation(direction, action, payload) == ocpp_package.find_violation(
        direction, action, payload
    )


def test_the_actions_are_those_of_the_package() -> None:
    assert {each.name.lower(): each.value for each in Action} == {
        each.name: each.value for each in enums.Action
    }


def test_every_action_has_both_schemas_and_none_is_left_over() -> None:
    names = {f"{action}{direction.value}" for action, direction in EACH}
    assert names == {path.stem for path in SCHEMAS.glob("*.json")}


IGNORED = {"$schema", "$id", "id", "title", "definitions", "format", "additionalItems", "javaType"}
"""Keywords that judge nothing here: jsonschema looks at no format unasked, and `additionalItems`
does not count beside one schema for all items."""


def keywords(part: Mapping[str, Any]) -> Iterator[str]:
    if "$ref" in part:
        yield "$ref"  # draft 4: what stands beside it counts for nothing
        return
    yield from part
    for inner in (*part.get("properties", {}).values(), *part.get("definitions", {}).values()):
        yield from keywords(inner)
    if "items" in part:
        assert isinstance(part["items"], dict)
        yield from keywords(part["items"])


@pytest.mark.parametrize(("action", "direction"), EACH)
def test_no_schema_says_what_is_not_understood(action: Action, direction: Direction) -> None:
    whole = schema.read(f"{action}{direction.value}")
    understood = {*schema.Rule, "properties", "items", "$ref"}
    assert set(keywords(whole)) <= understood | IGNORED


@pytest.mark.parametrize(("action", "direction"), EACH)
def test_a_payload_with_one_thing_wrong(action: Action, direction: Direction) -> None:
    whole = resolved(f"{action}{direction.value}")
    judged = 0
    for case in spoiled(whole):
        assert_same(direction, action, case.payload)
        judged += 1
    assert judged


@pytest.mark.parametrize(("action", "direction"), EACH)
def test_any_payload(action: Action, direction: Direction) -> None:
    whole = resolved(f"{action}{direction.value}")

    @settings(max_examples=60, deadline=None)
    @given(payload=st.one_of(random(whole), broken(whole), ANYTHING))
    def judge(payload: object) -> None:
        assert_same(direction, action, payload)

    judge()


def test_many_things_wrong_at_once() -> None:
    entries = [{"idTag": "x" * 21, "idTagInfo": {"status": n, "more": 1}} for n in range(500)]
    for payload in (
        {"listVersion": "1", "updateType": "Some", "localAuthorizationList": entries},
        {"listVersion": 1, "updateType": "Full", "localAuthorizationList": entries, "x": 1},
    ):
        assert_same(Direction.REQUEST, Action.SEND_LOCAL_LIST, payload)


JSON_TEXT = ANYTHING.map(json.dumps) | st.text(max_size=40)
ELEMENTS: st.SearchStrategy[list[Any]] = st.lists(
    st.sampled_from([1, 2, 3, 4, 5, 2.0, True, "2", None, "id", "x" * 37, "", "Reset", {}, []])
    | ANYTHING,
    max_size=7,
)


@settings(deadline=None)
@given(text=ELEMENTS.map(json.dumps) | JSON_TEXT)
def test_any_frame(text: str) -> None:
    assert frames.decode(text) == ocpp_package.decode(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "\ufeff[]",
        "[NaN]",
        '[2,"NaN","Reset",{}]',
        '[2,"1","Reset",{"type":-Infinity}]',
        r'[2,"1","Reset",{"type":"\ud800"}]',
        r'[2,"1","Reset",{"type":"\ud83d\ude00"}]',
        '[3,"1",{},null]',
        '[3,"1",{},0]',
        '[4,"1",null,["x"]]',
        '[4,"1",null,["x"],{},1]',
        '[2.0,"1","Reset",{}]',
        '[2.0,"1"]',
        '[true,"1","Reset",{}]',
        '[[],"1"]',
        '[2,7,"Reset",{}]',
        '[2,"1",{},{}]',
        "[" * 100_000,
        "9" * 5_000,
    ],
)
def test_an_odd_frame(text: str) -> None:
    assert frames.decode(text) == ocpp_package.decode(text)


WORDS: list[tuple[type[Enum], type[Enum]]] = [
    (ConnectorState, enums.ChargePointStatus),
    (ErrorCode, enums.ChargePointErrorCode),
    (StopReason, enums.Reason),
    (meter_values.ReadingContext, enums.ReadingContext),
    (meter_values.Measurand, enums.Measurand),
    (meter_values.Phase, enums.Phase),
    (meter_values.Location, enums.Location),
    (meter_values.Unit, enums.UnitOfMeasure),
    (messages.AuthorizationStatus, enums.AuthorizationStatus),
    (messages.RegistrationStatus, enums.RegistrationStatus),
    (messages.DataTransferStatus, enums.DataTransferStatus),
    (messages.DiagnosticsStatus, enums.DiagnosticsStatus),
    (messages.FirmwareStatus, enums.FirmwareStatus),
    (csms_messages.AvailabilityStatus, enums.AvailabilityStatus),
    (csms_messages.ConfigurationStatus, enums.ConfigurationStatus),
    (csms_messages.UnlockStatus, enums.UnlockStatus),
    (csms_messages.UpdateStatus, enums.UpdateStatus),
    (csms_messages.TriggerMessageStatus, enums.TriggerMessageStatus),
    (csms_messages.ReservationStatus, enums.ReservationStatus),
    (csms_messages.ChargingRateUnit, enums.ChargingRateUnitType),
    (csms_messages.ChargingProfileStatus, enums.ChargingProfileStatus),
    (csms_messages.ClearChargingProfileStatus, enums.ClearChargingProfileStatus),
    (csms_messages.AcceptanceStatus, enums.ClearCacheStatus),
    (csms_messages.AcceptanceStatus, enums.RemoteStartStopStatus),
    (csms_messages.AcceptanceStatus, enums.ResetStatus),
    (csms_messages.AcceptanceStatus, enums.CancelReservationStatus),
    (csms_messages.AcceptanceStatus, enums.GetCompositeScheduleStatus),
    (security_messages.HashAlgorithm, enums.HashAlgorithm),
    (security_messages.CertificateSignedStatus, enums.CertificateSignedStatus),
    (security_messages.InstallCertificateStatus, enums.CertificateStatus),
    (security_messages.DeleteCertificateStatus, enums.DeleteCertificateStatus),
    (security_messages.InstalledCertificatesStatus, enums.GetInstalledCertificateStatus),
    (security_messages.GetLogStatus, enums.LogStatus),
    (security_messages.SignedUpdateFirmwareStatus, enums.UpdateFirmwareStatus),
    (security_messages.ExtendedTriggerStatus, enums.TriggerMessageStatus),
    (security_messages.LogStatus, enums.UploadLogStatus),
    (security_messages.SignedFirmwareStatus, enums.FirmwareStatus),
]
"""The core's words beside the package's: the dialect says them as they stand."""


@pytest.mark.parametrize(("ours", "theirs"), WORDS)
def test_the_core_speaks_the_words_of_the_package(ours: type[Enum], theirs: type[Enum]) -> None:
    assert {word.value for word in ours} <= {word.value for word in theirs}
