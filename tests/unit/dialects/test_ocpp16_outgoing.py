"""Requests of the core become frames that the OCPP 1.6 schemas allow."""

import json
import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_image.api.payloads import ConnectorState, StopReason
from cp_image.core import messages
from cp_image.core.meter_values import (
    Location,
    Measurand,
    MeterValue,
    Phase,
    ReadingContext,
    SampledValue,
    Unit,
)
from cp_image.dialects.ocpp16.conversions import to_epoch, to_number, to_timestamp
from cp_image.dialects.ocpp16.dialect import Ocpp16
from tests.unit.dialects.schemas import check_call

AT = 1_769_860_800.25
RFC3339 = re.compile(r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")


def sampled(value: float, **fields: Any) -> SampledValue:
    words = {
        "measurand": Measurand.ENERGY_ACTIVE_IMPORT_REGISTER,
        "context": ReadingContext.SAMPLE_PERIODIC,
        "unit": Unit.WH,
    } | fields
    return SampledValue(value=value, **words)


REQUESTS: dict[str, tuple[messages.Request, dict[str, Any]]] = {
    "BootNotification": (
        messages.BootNotification(
            vendor="Open OCPP AC", model="Simulated CP", serial="S/N1", firmware_version="1.0.0"
        ),
        {
            "chargePointVendor": "Open OCPP AC",
            "chargePointModel": "Simulated CP",
            "chargePointSerialNumber": "S/N1",
            "firmwareVersion": "1.0.0",
        },
    ),
    "Heartbeat": (messages.Heartbeat(), {}),
    "StatusNotification": (
        messages.StatusNotification(connector_id=0, status=ConnectorState.AVAILABLE, at=AT),
        {
            "connectorId": 0,
            "errorCode": "NoError",
            "status": "Available",
            "timestamp": "2026-01-31T12:00:00.250Z",
        },
    ),
    "Authorize": (messages.Authorize(id_tag="TAG1"), {"idTag": "TAG1"}),
    "StartTransaction": (
        messages.StartTransaction(connector_id=1, id_tag="TAG1", meter_start_wh=12, at=AT),
        {
            "connectorId": 1,
            "idTag": "TAG1",
            "meterStart": 12,
            "timestamp": "2026-01-31T12:00:00.250Z",
        },
    ),
    "MeterValues": (
        messages.MeterValues(
            connector_id=1,
            transaction_id=7,
            meter_values=[
                MeterValue(
                    at=AT,
                    sampled_values=[
                        sampled(0.1 + 0.2),
                        sampled(
                            16.000000000000004,
                            measurand=Measurand.CURRENT_IMPORT,
                            unit=Unit.A,
                            phase=Phase.L1,
                        ),
                        sampled(
                            50,
                            measurand=Measurand.SOC,
                            unit=Unit.PERCENT,
                            location=Location.EV,
                        ),
                    ],
                )
            ],
        ),
        {
            "connectorId": 1,
            "transactionId": 7,
            "meterValue": [
                {
                    "timestamp": "2026-01-31T12:00:00.250Z",
                    "sampledValue": [
                        {
                            "value": "0.3",
                            "context": "Sample.Periodic",
                            "format": "Raw",
                            "measurand": "Energy.Active.Import.Register",
                            "location": "Outlet",
                            "unit": "Wh",
                        },
                        {
                            "value": "16",
                            "context": "Sample.Periodic",
                            "format": "Raw",
                            "measurand": "Current.Import",
                            "phase": "L1",
                            "location": "Outlet",
                            "unit": "A",
                        },
                        {
                            "value": "50",
                            "context": "Sample.Periodic",
                            "format": "Raw",
                            "measurand": "SoC",
                            "location": "EV",
                            "unit": "Percent",
                        },
                    ],
                }
            ],
        },
    ),
    "StopTransaction": (
        messages.StopTransaction(
            transaction_id=7, meter_stop_wh=1200, at=AT, reason=StopReason.EV_DISCONNECTED
        ),
        {
            "transactionId": 7,
            "meterStop": 1200,
            "timestamp": "2026-01-31T12:00:00.250Z",
            "reason": "EVDisconnected",
        },
    ),
}


@pytest.mark.parametrize("action", REQUESTS)
def test_frame_of_each_request(action: str) -> None:
    request, payload = REQUESTS[action]
    frame = Ocpp16().encode("id-1", request)
    assert json.loads(frame) == [2, "id-1", action, payload]
    check_call(frame)
    assert ": " not in frame.replace("Open OCPP", "")


def test_stop_with_tag_and_data() -> None:
    frame = Ocpp16().encode(
        "id-1",
        messages.StopTransaction(
            transaction_id=7,
            meter_stop_wh=1200,
            at=AT,
            reason=StopReason.LOCAL,
            id_tag="TAG1",
            transaction_data=(
                MeterValue(
                    at=AT,
                    sampled_values=(sampled(1200.0, context=ReadingContext.TRANSACTION_END),),
                ),
            ),
        ),
    )
    payload = check_call(frame)
    assert payload["idTag"] == "TAG1"
    assert payload["transactionData"][0]["sampledValue"][0]["value"] == "1200"


def test_boot_without_serial_leaves_the_field_out() -> None:
    boot = messages.BootNotification(vendor="V", model="M", serial="", firmware_version="1")
    assert "chargePointSerialNumber" not in check_call(Ocpp16().encode("id-1", boot))


def test_meter_values_outside_a_transaction_have_no_transaction_id() -> None:
    request = messages.MeterValues(
        connector_id=1,
        transaction_id=None,
        meter_values=[MeterValue(at=AT, sampled_values=[sampled(1)])],
    )
    assert "transactionId" not in check_call(Ocpp16().encode("id-1", request))


@pytest.mark.parametrize("measurand", list(Measurand))
def test_every_measurand_is_allowed(measurand: Measurand) -> None:
    check_call(Ocpp16().encode("id-1", meter_values([sampled(1, measurand=measurand)])))


@pytest.mark.parametrize("unit", [*Unit, None])
def test_every_unit_is_allowed(unit: Unit | None) -> None:
    check_call(Ocpp16().encode("id-1", meter_values([sampled(1, unit=unit)])))


@pytest.mark.parametrize("phase", list(Phase))
def test_every_phase_is_allowed(phase: Phase) -> None:
    check_call(Ocpp16().encode("id-1", meter_values([sampled(1, phase=phase)])))


@pytest.mark.parametrize("context", list(ReadingContext))
def test_every_context_is_allowed(context: ReadingContext) -> None:
    check_call(Ocpp16().encode("id-1", meter_values([sampled(1, context=context)])))


@pytest.mark.parametrize("status", list(ConnectorState))
def test_every_status_is_allowed(status: ConnectorState) -> None:
    request = messages.StatusNotification(connector_id=1, status=status, at=AT)
    assert check_call(Ocpp16().encode("id-1", request))["status"] == status.value


@pytest.mark.parametrize("reason", list(StopReason))
def test_every_stop_reason_is_allowed(reason: StopReason) -> None:
    request = messages.StopTransaction(transaction_id=1, meter_stop_wh=1, at=AT, reason=reason)
    assert check_call(Ocpp16().encode("id-1", request))["reason"] == reason.value


@given(st.floats(min_value=0, max_value=4e9))
def test_timestamps_are_rfc3339_and_true_to_the_millisecond(at: float) -> None:
    text = to_timestamp(at)
    assert RFC3339.match(text)
    assert abs(to_epoch("timestamp", text) - at) <= 0.000501


@given(st.floats(min_value=-1e9, max_value=1e9), st.sampled_from([0, 1, 2, 3]))
def test_numbers_are_plain_decimals(value: float, decimals: int) -> None:
    text = to_number(value, decimals)
    assert re.fullmatch(r"-?\d+(\.\d+)?", text)
    assert not text.startswith("-0") or float(text) != 0
    assert "." not in text or not text.endswith("0")
    assert float(text) == pytest.approx(value, abs=0.51 * 10**-decimals)


def test_a_whole_ten_keeps_its_zero() -> None:
    assert to_number(10, 0) == "10"
    assert to_number(100.0, 3) == "100"


def meter_values(sampled_values: Sequence[SampledValue]) -> messages.MeterValues:
    return messages.MeterValues(
        connector_id=1,
        transaction_id=7,
        meter_values=[MeterValue(at=AT, sampled_values=sampled_values)],
    )
