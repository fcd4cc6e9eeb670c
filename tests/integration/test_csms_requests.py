"""Stories of a CSMS that asks: real containers obey over a real WebSocket."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from cp_image.api.payloads import CarInput, ChargePointState, ConnectorState
from launcher.api import CommandType
from tests.integration.fleet import WITHIN_S, Story


def tx_default(limit: float) -> dict[str, object]:
    return {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
        },
    }


async def test_the_csms_starts_limits_and_stops_a_session(tale: Story) -> None:
    await tale.add("CP-1", nb_phases=3)
    car = CarInput(
        cable=32.0, ready=True, consumption_l1=32.0, consumption_l2=32.0, consumption_l3=32.0
    )
    await tale.put("CP-1", car)
    start = {"connectorId": 1, "idTag": "TAG1"}
    answer = await tale.csms.call("CP-1", "RemoteStartTransaction", start)
    assert answer == {"status": "Accepted"}
    await tale.until_connector("CP-1", ConnectorState.CHARGING)
    (transaction,) = await tale.csms_sees(lambda csms: csms.transactions)

    for limit, drawn in ((10.0, 10.0), (0.0, 0.0), (24.0, 24.0)):
        answer = await tale.csms.call(
            "CP-1",
            "SetChargingProfile",
            {"connectorId": 1, "csChargingProfiles": tx_default(limit)},
        )
        assert answer == {"status": "Accepted"}
        await tale.until(
            lambda view, drawn=drawn: view.by_id["CP-1"].reported[1].consumption_l1 == drawn,  # type: ignore[misc]
            f"{drawn} A",
        )
    await tale.csms_sees(lambda csms: csms.connector_status("CP-1", 1) == "Charging")
    schedule = await tale.csms.call(
        "CP-1",
        "GetCompositeSchedule",
        {"connectorId": 1, "duration": 600, "chargingRateUnit": "A"},
    )
    assert schedule["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"] == 24.0

    answer = await tale.csms.call(
        "CP-1", "RemoteStopTransaction", {"transactionId": transaction.transaction_id}
    )
    assert answer == {"status": "Accepted"}
    await tale.csms_sees(lambda csms: csms.transactions[0].reason == "Remote")
    await tale.until_connector("CP-1", ConnectorState.FINISHING)


async def test_configuration_outlives_a_power_cut(tale: Story) -> None:
    await tale.add("CP-1", configuration={"HeartbeatInterval": "100"})
    change = {"key": "MeterValueSampleInterval", "value": "5"}
    assert await tale.csms.call("CP-1", "ChangeConfiguration", change) == {"status": "Accepted"}
    await tale.command(CommandType.KILL, "CP-1")
    await tale.command(CommandType.RESTART, "CP-1")
    await tale.until_state("CP-1", ChargePointState.ACCEPTED)
    answer = await tale.csms.call(
        "CP-1", "GetConfiguration", {"key": ["MeterValueSampleInterval", "NoSuchKey"]}
    )
    assert answer["configurationKey"] == [
        {"key": "MeterValueSampleInterval", "readonly": False, "value": "5"}
    ]
    assert answer["unknownKey"] == ["NoSuchKey"]


async def test_a_soft_reset_ends_the_transaction_and_boots_again(tale: Story) -> None:
    await tale.add("CP-1")
    await tale.charge("CP-1", "TAG1")
    await tale.csms_sees(lambda csms: csms.transactions)
    assert await tale.csms.call("CP-1", "Reset", {"type": "Soft"}) == {"status": "Accepted"}
    await tale.csms_sees(lambda csms: len(csms.calls("CP-1", "BootNotification")) == 2)
    assert tale.csms.transactions[0].reason == "SoftReset"
    assert tale.stage.container("CP-1").attrs["State"]["Running"]
    await tale.until_connector("CP-1", ConnectorState.FINISHING)


async def test_an_hour_in_a_minute(tale: Story) -> None:
    await tale.add(
        "CP-1",
        type="DC",
        clock_rate=600.0,
        configuration={
            "MeterValueSampleInterval": "60",
            "MeterValuesSampledData": "Energy.Active.Import.Register,SoC",
        },
    )
    await tale.put(
        "CP-1",
        CarInput(cable=200_000.0, ready=True, battery_wh=50_000.0, soc_pct=10.0),
    )
    answer = await tale.csms.call("CP-1", "RemoteStartTransaction", {"idTag": "TAG1"})
    assert answer == {"status": "Accepted"}
    # Full after less than an hour: some seconds of ours.
    await tale.until_connector("CP-1", ConnectorState.SUSPENDED_EV)
    reported = tale.simu.view.by_id["CP-1"].reported[1]
    assert reported.soc_pct == 100.0
    assert abs(reported.session_wh - 45_000.0) < 1.0
    await tale.csms_sees(lambda csms: len(csms.calls("CP-1", "MeterValues")) > 10)


FIRMWARE = b"firmware-version: 2.5.0\n" + b"x" * 100_000


@contextmanager
def file_server(host: str, uploads: dict[str, bytes]) -> Iterator[str]:
    """Serve a firmware file, and take what is put; yield the URL."""

    class Files(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(FIRMWARE)))
            self.end_headers()
            self.wfile.write(FIRMWARE)

        def do_PUT(self) -> None:
            length = int(self.headers["Content-Length"])
            uploads[self.path] = self.rfile.read(length)
            self.send_response(201)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer((host, 0), Files)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def test_new_firmware_shows_in_the_next_boot(tale: Story) -> None:
    await tale.add("CP-1", clock_rate=10.0)
    uploads: dict[str, bytes] = {}
    with file_server(tale.stage.gateway, uploads) as url:
        answer = await tale.csms.call(
            "CP-1",
            "UpdateFirmware",
            {"location": f"{url}/fw.bin", "retrieveDate": "2020-01-01T00:00:00Z"},
        )
        assert answer == {}
        await tale.csms_sees(lambda csms: len(csms.calls("CP-1", "BootNotification")) == 2)
        second = tale.csms.calls("CP-1", "BootNotification")[1]
        assert second.payload["firmwareVersion"] == "2.5.0"
        statuses = [
            call.payload["status"] for call in tale.csms.calls("CP-1", "FirmwareStatusNotification")
        ]
        assert statuses == ["Downloading", "Downloaded", "Installing", "Installed"]

        answer = await tale.csms.call("CP-1", "GetDiagnostics", {"location": f"{url}/in"})
        await tale.csms_sees(
            lambda csms: (
                [
                    call.payload["status"]
                    for call in csms.calls("CP-1", "DiagnosticsStatusNotification")
                ]
                == ["Uploading", "Uploaded"]
            )
        )
        (content,) = uploads.values()
        assert content.startswith(b"\x1f\x8b")
        assert list(uploads) == [f"/in/{answer['fileName']}"]


async def test_many_requests_at_once_are_each_answered(tale: Story) -> None:
    await tale.add("CP-1")
    for _ in range(5):
        answers = [
            await tale.csms.call("CP-1", "GetConfiguration", {}),
            await tale.csms.call("CP-1", "TriggerMessage", {"requestedMessage": "Heartbeat"}),
            await tale.csms.call("CP-1", "ClearCache", {}),
        ]
        assert [answer.get("status") for answer in answers[1:]] == ["Accepted", "Accepted"]
    await asyncio.wait_for(
        tale.csms_sees(lambda csms: len(csms.calls("CP-1", "Heartbeat")) == 5), WITHIN_S
    )
