"""What the CSMS asks becomes the core's words, and the core's answers become frames."""

import json
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import pytest

from cp_image.core import csms_messages as asked
from cp_image.core.csms_messages import (
    AcceptanceStatus,
    ChargingProfile,
    ChargingProfileKind,
    ChargingProfilePurpose,
    ChargingRateUnit,
    ChargingSchedule,
    ChargingSchedulePeriod,
    CsmsAnswer,
    CsmsRequest,
)
from cp_image.core.events import CallAnswered, CsmsAsked
from cp_image.core.messages import (
    AuthorizationStatus,
    DataTransfer,
    DataTransferAnswer,
    DataTransferStatus,
    DiagnosticsStatus,
    DiagnosticsStatusNotification,
    EmptyAnswer,
    FirmwareStatus,
    FirmwareStatusNotification,
    IdTagStatus,
    StartTransaction,
)
from cp_image.dialects.dialect import Heard, Reply
from cp_image.dialects.ocpp16.dialect import Ocpp16
from tests.unit.dialects.schemas import check_call, check_call_error, check_call_result

NOON_TEXT = "2026-01-31T12:00:00.000Z"
NOON = 1_769_860_800.0


def ask(action: str, payload: dict[str, Any]) -> CsmsRequest:
    heard = Ocpp16().decode(json.dumps([2, "csms-1", action, payload]))
    assert isinstance(heard, Heard), heard
    assert isinstance(heard.event, CsmsAsked)
    assert heard.event.message_id == "csms-1"
    return heard.event.request


PROFILE_PAYLOAD = {
    "chargingProfileId": 7,
    "transactionId": 42,
    "stackLevel": 2,
    "chargingProfilePurpose": "TxProfile",
    "chargingProfileKind": "Recurring",
    "recurrencyKind": "Weekly",
    "validFrom": NOON_TEXT,
    "validTo": "2026-01-31T14:00:00+01:00",
    "chargingSchedule": {
        "duration": 3600,
        "startSchedule": NOON_TEXT,
        "chargingRateUnit": "W",
        "chargingSchedulePeriod": [
            {"startPeriod": 0, "limit": 11000, "numberPhases": 3},
            {"startPeriod": 600, "limit": 0.3},
        ],
        "minChargingRate": 8.1,
    },
}
PROFILE = ChargingProfile(
    charging_profile_id=7,
    transaction_id=42,
    stack_level=2,
    purpose=ChargingProfilePurpose.TX_PROFILE,
    kind=ChargingProfileKind.RECURRING,
    recurrency_kind=asked.RecurrencyKind.WEEKLY,
    valid_from=NOON,
    valid_to=NOON + 3600,
    schedule=ChargingSchedule(
        unit=ChargingRateUnit.W,
        duration_s=3600,
        start_at=NOON,
        periods=(
            ChargingSchedulePeriod(start_s=0, limit=11000.0, number_phases=3),
            ChargingSchedulePeriod(start_s=600, limit=0.3),
        ),
        min_charging_rate=8.1,
    ),
)
BARE_PROFILE_PAYLOAD = {
    "chargingProfileId": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "ChargePointMaxProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": {
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}],
    },
}
BARE_PROFILE = ChargingProfile(
    charging_profile_id=1,
    stack_level=0,
    purpose=ChargingProfilePurpose.CHARGE_POINT_MAX_PROFILE,
    kind=ChargingProfileKind.ABSOLUTE,
    schedule=ChargingSchedule(
        unit=ChargingRateUnit.A, periods=(ChargingSchedulePeriod(start_s=0, limit=16.0),)
    ),
)

REQUESTS: list[tuple[str, dict[str, Any], CsmsRequest]] = [
    ("CancelReservation", {"reservationId": -7}, asked.CancelReservation(reservation_id=-7)),
    (
        "ChangeAvailability",
        {"connectorId": 0, "type": "Inoperative"},
        asked.ChangeAvailability(connector_id=0, operative=False),
    ),
    (
        "ChangeAvailability",
        {"connectorId": 1, "type": "Operative"},
        asked.ChangeAvailability(connector_id=1, operative=True),
    ),
    (
        "ChangeConfiguration",
        {"key": "HeartbeatInterval", "value": "60"},
        asked.ChangeConfiguration(key="HeartbeatInterval", value="60"),
    ),
    ("ClearCache", {}, asked.ClearCache()),
    ("ClearChargingProfile", {}, asked.ClearChargingProfile()),
    (
        "ClearChargingProfile",
        {
            "id": 7,
            "connectorId": 0,
            "chargingProfilePurpose": "TxDefaultProfile",
            "stackLevel": 0,
        },
        asked.ClearChargingProfile(
            charging_profile_id=7,
            connector_id=0,
            purpose=ChargingProfilePurpose.TX_DEFAULT_PROFILE,
            stack_level=0,
        ),
    ),
    ("DataTransfer", {"vendorId": "V"}, DataTransfer(vendor_id="V")),
    (
        "DataTransfer",
        {"vendorId": "V", "messageId": "M", "data": "D" * 2**20},
        DataTransfer(vendor_id="V", message_id="M", data="D" * 2**20),
    ),
    (
        "GetCompositeSchedule",
        {"connectorId": 0, "duration": 2**31 - 1},
        asked.GetCompositeSchedule(connector_id=0, duration_s=2**31 - 1),
    ),
    (
        "GetCompositeSchedule",
        {"connectorId": 1, "duration": 60, "chargingRateUnit": "W"},
        asked.GetCompositeSchedule(connector_id=1, duration_s=60, unit=ChargingRateUnit.W),
    ),
    ("GetConfiguration", {}, asked.GetConfiguration()),
    ("GetConfiguration", {"key": []}, asked.GetConfiguration()),
    (
        "GetConfiguration",
        {"key": ["B", "A", "B", "b", "C"]},
        asked.GetConfiguration(keys=("B", "A", "C")),
    ),
    ("GetDiagnostics", {"location": "ftp://h/d"}, asked.GetDiagnostics(location="ftp://h/d")),
    (
        "GetDiagnostics",
        {
            "location": "https://user:secret@[::1]:8443/d?x=1",
            "retries": 0,
            "retryInterval": 60,
            "startTime": NOON_TEXT,
            "stopTime": "2026-01-31T12:00:01Z",
        },
        asked.GetDiagnostics(
            location="https://user:secret@[::1]:8443/d?x=1",
            retries=0,
            retry_interval_s=60,
            start_at=NOON,
            stop_at=NOON + 1,
        ),
    ),
    ("GetLocalListVersion", {}, asked.GetLocalListVersion()),
    ("RemoteStartTransaction", {"idTag": "T"}, asked.RemoteStartTransaction(id_tag="T")),
    (
        "RemoteStartTransaction",
        {"idTag": "T" * 20, "connectorId": 0, "chargingProfile": PROFILE_PAYLOAD},
        asked.RemoteStartTransaction(id_tag="T" * 20, connector_id=0, charging_profile=PROFILE),
    ),
    (
        "RemoteStopTransaction",
        {"transactionId": 42},
        asked.RemoteStopTransaction(transaction_id=42),
    ),
    (
        "ReserveNow",
        {"connectorId": 0, "expiryDate": NOON_TEXT, "idTag": "T", "reservationId": 7},
        asked.ReserveNow(reservation_id=7, connector_id=0, expires_at=NOON, id_tag="T"),
    ),
    (
        "ReserveNow",
        {
            "connectorId": 1,
            "expiryDate": NOON_TEXT,
            "idTag": "T",
            "parentIdTag": "P",
            "reservationId": 7,
        },
        asked.ReserveNow(
            reservation_id=7, connector_id=1, expires_at=NOON, id_tag="T", parent_id_tag="P"
        ),
    ),
    ("Reset", {"type": "Soft"}, asked.Reset(hard=False)),
    ("Reset", {"type": "Hard"}, asked.Reset(hard=True)),
    (
        "SendLocalList",
        {"listVersion": 1, "updateType": "Full"},
        asked.SendLocalList(version=1, full=True),
    ),
    (
        "SendLocalList",
        {
            "listVersion": 2,
            "updateType": "Differential",
            "localAuthorizationList": [
                {"idTag": "GONE"},
                {
                    "idTag": "T",
                    "idTagInfo": {
                        "status": "ConcurrentTx",
                        "expiryDate": NOON_TEXT,
                        "parentIdTag": "P",
                    },
                },
            ],
        },
        asked.SendLocalList(
            version=2,
            full=False,
            entries=(
                asked.LocalListEntry(id_tag="GONE", id_tag_status=None),
                asked.LocalListEntry(
                    id_tag="T",
                    id_tag_status=IdTagStatus(
                        status=AuthorizationStatus.CONCURRENT_TX,
                        expires_at=NOON,
                        parent_id_tag="P",
                    ),
                ),
            ),
        ),
    ),
    (
        "SetChargingProfile",
        {"connectorId": 1, "csChargingProfiles": PROFILE_PAYLOAD},
        asked.SetChargingProfile(connector_id=1, charging_profile=PROFILE),
    ),
    (
        "SetChargingProfile",
        {"connectorId": 0, "csChargingProfiles": BARE_PROFILE_PAYLOAD},
        asked.SetChargingProfile(connector_id=0, charging_profile=BARE_PROFILE),
    ),
    (
        "TriggerMessage",
        {"requestedMessage": "MeterValues", "connectorId": 1},
        asked.TriggerMessage(requested=asked.MessageTrigger.METER_VALUES, connector_id=1),
    ),
    ("UnlockConnector", {"connectorId": 1}, asked.UnlockConnector(connector_id=1)),
    (
        "UpdateFirmware",
        {"location": "http://h/f", "retrieveDate": NOON_TEXT},
        asked.UpdateFirmware(location="http://h/f", retrieve_at=NOON),
    ),
    (
        "UpdateFirmware",
        {"location": "http://h/f", "retrieveDate": NOON_TEXT, "retries": 3, "retryInterval": 0},
        asked.UpdateFirmware(
            location="http://h/f", retrieve_at=NOON, retries=3, retry_interval_s=0
        ),
    ),
]


@pytest.mark.parametrize(("action", "payload", "request_"), REQUESTS)
def test_requests(action: str, payload: dict[str, Any], request_: CsmsRequest) -> None:
    assert ask(action, payload) == request_


@pytest.mark.parametrize("trigger", list(asked.MessageTrigger))
def test_every_trigger(trigger: asked.MessageTrigger) -> None:
    request = ask("TriggerMessage", {"requestedMessage": trigger.value})
    assert request == asked.TriggerMessage(requested=trigger)


STATUSES: list[tuple[Callable[..., CsmsAnswer], type[StrEnum]]] = [
    (asked.CancelReservationAnswer, AcceptanceStatus),
    (asked.ChangeAvailabilityAnswer, asked.AvailabilityStatus),
    (asked.ChangeConfigurationAnswer, asked.ConfigurationStatus),
    (asked.ClearCacheAnswer, AcceptanceStatus),
    (asked.ClearChargingProfileAnswer, asked.ClearChargingProfileStatus),
    (DataTransferAnswer, DataTransferStatus),
    (asked.RemoteStartTransactionAnswer, AcceptanceStatus),
    (asked.RemoteStopTransactionAnswer, AcceptanceStatus),
    (asked.ReserveNowAnswer, asked.ReservationStatus),
    (asked.ResetAnswer, AcceptanceStatus),
    (asked.SendLocalListAnswer, asked.UpdateStatus),
    (asked.SetChargingProfileAnswer, asked.ChargingProfileStatus),
    (asked.TriggerMessageAnswer, asked.TriggerMessageStatus),
    (asked.UnlockConnectorAnswer, asked.UnlockStatus),
]

SCHEDULE = ChargingSchedule(
    unit=ChargingRateUnit.A,
    duration_s=3600,
    start_at=NOON,
    periods=(
        ChargingSchedulePeriod(start_s=0, limit=0.1 + 0.2, number_phases=1),
        ChargingSchedulePeriod(start_s=60, limit=31.88405797),
        ChargingSchedulePeriod(start_s=120, limit=16),
    ),
    min_charging_rate=6.04,
)

ANSWERS: list[tuple[CsmsAnswer, dict[str, Any]]] = [
    (asked.GetConfigurationAnswer(), {}),
    (
        asked.GetConfigurationAnswer(
            keys=(
                asked.KeyValue(key="A", read_only=True, value="1"),
                asked.KeyValue(key="B", read_only=False, value=None),
            ),
            unknown_keys=("C",),
        ),
        {
            "configurationKey": [
                {"key": "A", "readonly": True, "value": "1"},
                {"key": "B", "readonly": False},
            ],
            "unknownKey": ["C"],
        },
    ),
    (
        asked.GetCompositeScheduleAnswer(status=AcceptanceStatus.REJECTED),
        {"status": "Rejected"},
    ),
    (
        asked.GetCompositeScheduleAnswer(
            status=AcceptanceStatus.ACCEPTED, connector_id=0, start_at=NOON, schedule=SCHEDULE
        ),
        {
            "status": "Accepted",
            "connectorId": 0,
            "scheduleStart": NOON_TEXT,
            "chargingSchedule": {
                "chargingRateUnit": "A",
                "duration": 3600,
                "startSchedule": NOON_TEXT,
                "chargingSchedulePeriod": [
                    {"startPeriod": 0, "limit": 0.3, "numberPhases": 1},
                    {"startPeriod": 60, "limit": 31.9},
                    {"startPeriod": 120, "limit": 16},
                ],
                "minChargingRate": 6.0,
            },
        },
    ),
    (asked.GetDiagnosticsAnswer(), {}),
    (asked.GetDiagnosticsAnswer(file_name="d.txt"), {"fileName": "d.txt"}),
    (asked.GetLocalListVersionAnswer(version=-1), {"listVersion": -1}),
    (asked.UpdateFirmwareAnswer(), {}),
    (
        DataTransferAnswer(status=DataTransferStatus.ACCEPTED, data="D"),
        {"status": "Accepted", "data": "D"},
    ),
    *(
        (kind(status=status), {"status": status.value})
        for kind, statuses in STATUSES
        for status in statuses
    ),
]


@pytest.mark.parametrize(("answer", "payload"), ANSWERS)
def test_answers(answer: CsmsAnswer, payload: dict[str, Any]) -> None:
    frame = Ocpp16().encode_answer("csms-1", answer)
    action = type(answer).__name__.removesuffix("Answer")
    assert check_call_result(frame, action) == ("csms-1", payload)
    assert ": " not in frame
    assert "null" not in frame


def test_a_refusal() -> None:
    frame = Ocpp16().encode_refusal("csms-1")
    assert check_call_error(frame)[:2] == ("csms-1", "NotSupported")


@pytest.mark.parametrize(
    ("action", "payload", "code", "words"),
    [
        (
            "SetChargingProfile",
            {
                "connectorId": 1,
                "csChargingProfiles": BARE_PROFILE_PAYLOAD
                | {"chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": []}},
            },
            "OccurenceConstraintViolation",
            "csChargingProfiles.chargingSchedule.chargingSchedulePeriod",
        ),
        (
            "RemoteStartTransaction",
            {"idTag": "T", "chargingProfile": BARE_PROFILE_PAYLOAD | {"validTo": "later"}},
            "PropertyConstraintViolation",
            "chargingProfile.validTo is no timestamp: 'later'",
        ),
        (
            "SetChargingProfile",
            {"connectorId": -1, "csChargingProfiles": BARE_PROFILE_PAYLOAD},
            "PropertyConstraintViolation",
            "connectorId is not between 0 and",
        ),
        (
            "RemoteStartTransaction",
            {"idTag": ""},
            "PropertyConstraintViolation",
            "idTag is empty",
        ),
        (
            "RemoteStopTransaction",
            {"transactionId": 2**63},
            "PropertyConstraintViolation",
            "transactionId does not fit 64 bits",
        ),
        (
            "UpdateFirmware",
            {"location": "http://h/f", "retrieveDate": "2026-02-30T00:00:00Z"},
            "PropertyConstraintViolation",
            "retrieveDate is no timestamp",
        ),
        (
            "GetDiagnostics",
            {"location": "somewhere"},
            "PropertyConstraintViolation",
            "location is no URI: 'somewhere'",
        ),
    ],
)
def test_what_the_schemas_do_not_check(
    action: str, payload: dict[str, Any], code: str, words: str
) -> None:
    reply = Ocpp16().decode(json.dumps([2, "csms-1", action, payload]))
    assert isinstance(reply, Reply)
    _, actual, description = check_call_error(reply.frame)
    assert actual == code
    assert words in description


@pytest.mark.parametrize("status", list(DiagnosticsStatus))
def test_every_diagnostics_status_is_told(status: DiagnosticsStatus) -> None:
    told_and_heard(DiagnosticsStatusNotification(status=status), {"status": status.value})


@pytest.mark.parametrize("status", list(FirmwareStatus))
def test_every_firmware_status_is_told(status: FirmwareStatus) -> None:
    told_and_heard(FirmwareStatusNotification(status=status), {"status": status.value})


def told_and_heard(
    request: DiagnosticsStatusNotification | FirmwareStatusNotification, payload: dict[str, Any]
) -> None:
    dialect = Ocpp16()
    assert check_call(dialect.encode("id-1", request)) == payload
    heard = dialect.decode('[3,"id-1",{}]')
    assert heard == Heard(event=CallAnswered(message_id="id-1", answer=EmptyAnswer()))


@pytest.mark.parametrize("status", list(DataTransferStatus))
def test_data_transfer_of_the_charge_point(status: DataTransferStatus) -> None:
    dialect = Ocpp16()
    frame = dialect.encode("id-1", DataTransfer(vendor_id="V", message_id="M", data="D"))
    assert check_call(frame) == {"vendorId": "V", "messageId": "M", "data": "D"}
    heard = dialect.decode(json.dumps([3, "id-1", {"status": status.value, "data": "!"}]))
    answer = DataTransferAnswer(status=status, data="!")
    assert heard == Heard(event=CallAnswered(message_id="id-1", answer=answer))


def test_a_data_transfer_leaves_out_what_it_has_not() -> None:
    assert check_call(Ocpp16().encode("id-1", DataTransfer(vendor_id="V"))) == {"vendorId": "V"}


def test_a_transaction_that_ends_a_reservation_names_it() -> None:
    start = StartTransaction(
        connector_id=1, id_tag="T", meter_start_wh=0, at=NOON, reservation_id=0
    )
    assert check_call(Ocpp16().encode("id-1", start))["reservationId"] == 0
