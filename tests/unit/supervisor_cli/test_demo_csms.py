"""The central system in the box, spoken to by a real WebSocket client on the loopback."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from supervisor_cli.csms_peer import CallFailedError, NotConnectedError
from supervisor_cli.csms_records import AuthorizationStatus, RegistrationStatus
from supervisor_cli.demo_csms import DemoCsms
from supervisor_cli.frame_line import Direction
from supervisor_cli.ocpp_frames import CallErrorCode, Result, check_result

WAIT_S = 60.0
AT = "2026-01-01T12:00:00.000Z"
BOOT = {"chargePointVendor": "v", "chargePointModel": "m"}
START = {"connectorId": 1, "idTag": "TAG1", "meterStart": 100, "timestamp": AT}


@asynccontextmanager
async def charge_point(csms: DemoCsms, charge_point_id: str = "CP-1") -> AsyncIterator["Client"]:
    url = f"{csms.url}/{charge_point_id}"
    async with connect(url, subprotocols=[Subprotocol("ocpp1.6")], close_timeout=1) as connection:
        yield Client(connection)


class Client:
    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self._unique_id = 0

    async def send(self, *parts: object) -> None:
        await self.connection.send(json.dumps(parts))

    async def receive(self) -> Any:
        async with asyncio.timeout(WAIT_S):
            return json.loads(await self.connection.recv())

    async def ask(self, action: str, payload: object) -> Any:
        self._unique_id += 1
        await self.send(2, f"id-{self._unique_id}", action, payload)
        answer = await self.receive()
        assert answer[1] == f"id-{self._unique_id}"
        return answer

    async def accepted(self, action: str, payload: Mapping[str, object]) -> dict[str, Any]:
        kind, unique_id, answer = await self.ask(action, payload)
        assert isinstance(answer, dict)
        assert kind == 3
        check_result(Result(unique_id=unique_id, payload=answer), action)
        return answer


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(4 * WAIT_S):
            await test()

    asyncio.run(limited())


def test_a_charge_point_boots_and_is_told_the_heartbeat_interval() -> None:
    async def test() -> None:
        async with DemoCsms(heartbeat_interval_s=17) as csms, charge_point(csms) as client:
            assert client.connection.subprotocol == "ocpp1.6"
            answer = await client.accepted("BootNotification", BOOT)
            assert (answer["status"], answer["interval"]) == ("Accepted", 17)
            assert csms.registration("CP-1") is RegistrationStatus.ACCEPTED
            assert csms.violations == []

    run(test)


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("Heartbeat", {}),
        ("Authorize", {"idTag": "TAG1"}),
        ("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"}),
        ("DataTransfer", {"vendorId": "v"}),
        (
            "MeterValues",
            {"connectorId": 1, "meterValue": [{"timestamp": AT, "sampledValue": [{"value": "1"}]}]},
        ),
        ("FirmwareStatusNotification", {"status": "Idle"}),
        ("DiagnosticsStatusNotification", {"status": "Idle"}),
        ("LogStatusNotification", {"status": "Idle"}),
        ("SecurityEventNotification", {"type": "StartupOfTheDevice", "timestamp": AT}),
        ("SignedFirmwareStatusNotification", {"status": "Idle"}),
        ("SignCertificate", {"csr": "x"}),
    ],
)
def test_every_action_of_a_charge_point_has_a_valid_answer(
    action: str, payload: dict[str, object]
) -> None:
    async def test() -> None:
        async with DemoCsms() as csms, charge_point(csms) as client:
            await client.accepted(action, payload)
            assert csms.violations == []

    run(test)


def test_transactions_are_remembered_with_their_numbers() -> None:
    async def test() -> None:
        async with DemoCsms() as csms, charge_point(csms) as client:
            first = (await client.accepted("StartTransaction", START))["transactionId"]
            later = {**START, "meterStart": 101}
            second = (await client.accepted("StartTransaction", later))["transactionId"]
            assert first != second
            stop = {"transactionId": first, "meterStop": 350, "timestamp": AT}
            await client.accepted("StopTransaction", {**stop, "reason": "EVDisconnected"})
            done, running = csms.transactions
            assert (done.transaction_id, done.energy_wh, done.reason) == (
                first,
                250,
                "EVDisconnected",
            )
            assert (done.charge_point_id, done.connector_id, done.id_tag) == ("CP-1", 1, "TAG1")
            assert running.running
            assert running.energy_wh is None

    run(test)


def test_a_stop_with_the_readings_of_a_night_is_taken() -> None:
    reading = {"timestamp": AT, "sampledValue": [{"value": "1"}] * 40}

    async def test() -> None:
        async with DemoCsms() as csms, charge_point(csms) as client:
            await client.accepted("BootNotification", BOOT)
            started = await client.accepted("StartTransaction", START)
            stop = {
                "transactionId": started["transactionId"],
                "meterStop": 200,
                "timestamp": AT,
                "transactionData": [reading] * 2000,
            }
            assert len(json.dumps(stop)) > 2**20
            await client.accepted("StopTransaction", stop)

    run(test)


def test_a_start_that_is_asked_again_is_the_same_transaction() -> None:
    async def test() -> None:
        async with DemoCsms() as csms, charge_point(csms) as client:
            first = await client.accepted("StartTransaction", START)
            assert await client.accepted("StartTransaction", START) == first
            assert len(csms.transactions) == 1

    run(test)


def test_a_stop_without_reason_is_local_and_a_second_one_changes_nothing() -> None:
    async def test() -> None:
        async with DemoCsms() as csms, charge_point(csms) as client:
            transaction_id = (await client.accepted("StartTransaction", START))["transactionId"]
            stop = {"transactionId": transaction_id, "meterStop": 350, "timestamp": AT}
            answer = await client.accepted("StopTransaction", {**stop, "idTag": "TAG1"})
            await client.accepted("StopTransaction", {**stop, "meterStop": 999})
            assert answer["idTagInfo"] == {"status": "Accepted"}
            assert (csms.transactions[0].reason, csms.transactions[0].meter_stop_wh) == (
                "Local",
                350,
            )

    run(test)


def test_a_stop_of_an_unknown_transaction_is_answered() -> None:
    async def test() -> None:
        async with DemoCsms() as csms, charge_point(csms) as client:
            stop = {"transactionId": 77, "meterStop": 350, "timestamp": AT}
            assert await client.accepted("StopTransaction", stop) == {}
            assert csms.transactions == ()

    run(test)


def test_tags_are_answered_as_set_whatever_their_case() -> None:
    async def test() -> None:
        async with DemoCsms() as csms, charge_point(csms) as client:
            csms.set_tag("Bad", AuthorizationStatus.BLOCKED, parent_id_tag="P")
            answer = await client.accepted("Authorize", {"idTag": "BAD"})
            assert answer["idTagInfo"] == {"status": "Blocked", "parentIdTag": "P"}
            answer = await client.accepted("StartTransaction", {**START, "idTag": "bad"})
            assert answer["idTagInfo"]["status"] == "Blocked"

    run(test)


@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        ("BootNotification", {"chargePointVendor": "v"}, "FormationViolation"),
        ("BootNotification", {**BOOT, "extra": 1}, "FormationViolation"),
        ("BootNotification", {**BOOT, "chargePointVendor": 1}, "TypeConstraintViolation"),
        ("BootNotification", {**BOOT, "iccid": "x" * 21}, "PropertyConstraintViolation"),
        ("StartTransaction", {**START, "meterStart": 1.5}, "TypeConstraintViolation"),
        ("StartTransaction", {**START, "timestamp": "noon"}, "PropertyConstraintViolation"),
        (
            "StartTransaction",
            {**START, "timestamp": "2026-13-01T12:00:00Z"},
            "PropertyConstraintViolation",
        ),
        (
            "StartTransaction",
            {**START, "timestamp": "2026-01-01T12:00:00"},
            "PropertyConstraintViolation",
        ),
        (
            "StatusNotification",
            {"connectorId": 1, "errorCode": "Oops", "status": "Available"},
            "PropertyConstraintViolation",
        ),
        (
            "MeterValues",
            {"connectorId": 1, "meterValue": [{"timestamp": AT, "sampledValue": [{}]}]},
            "FormationViolation",
        ),
        ("Reset", {"type": "Soft"}, "NotSupported"),
        ("Dance", {}, "NotImplemented"),
        ("../../etc/passwd", {}, "NotImplemented"),
        ("Heartbeat", [], "FormationViolation"),
    ],
)
def test_a_call_that_breaks_a_rule_is_recorded_and_answered_with_its_code(
    action: str, payload: object, code: str
) -> None:
    async def test() -> None:
        async with DemoCsms() as csms, charge_point(csms) as client:
            answer = await client.ask(action, payload)
            assert len(answer) == 5
            assert (answer[0], answer[2]) == (4, code)
            (violation,) = csms.violations
            assert (violation.charge_point_id, violation.code) == ("CP-1", code)
            assert csms.transactions == ()
            await client.accepted("Heartbeat", {})

    run(test)


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "garbage",
        "{}",
        "[]",
        "[2]",
        '[2.0,"a","Heartbeat",{}]',
        '[9,"a","Heartbeat",{}]',
        '[true,"a"]',
        '[2,"' + "x" * 37 + '","Heartbeat",{}]',
        '[2,5,"Heartbeat",{}]',
        '[3,"never-asked",{}]',
        '[4,"never-asked","GenericError","",{}]',
        '[4,"a","MadeUp","",{}]',
        '[4,"a","GenericError"]',
        '[2,"a","Heartbeat",{"x":NaN}]',
        "[" * 100_000,
        b"\x00\xff",
    ],
)
def test_garbage_is_recorded_and_never_closes_the_link(frame: str | bytes) -> None:
    async def test() -> None:
        async with DemoCsms() as csms, charge_point(csms) as client:
            await client.connection.send(frame)
            await client.accepted("Heartbeat", {})
            (violation,) = csms.violations
            assert violation.text
            assert csms.frames[0].violation == violation.text

    run(test)


def test_a_scripted_boot_is_answered_once_and_silence_is_kept_until_accepted() -> None:
    async def test() -> None:
        async with DemoCsms() as csms, charge_point(csms) as client:
            csms.script_boot("CP-1", RegistrationStatus.REJECTED, interval_s=3)
            answer = await client.accepted("BootNotification", BOOT)
            assert (answer["status"], answer["interval"]) == ("Rejected", 3)
            assert (await client.ask("Heartbeat", {}))[2] == "SecurityError"
            assert csms.violations[0].code is CallErrorCode.SECURITY_ERROR
            answer = await client.accepted("BootNotification", BOOT)
            assert answer["status"] == "Accepted"
            await client.accepted("Heartbeat", {})

    run(test)


def test_what_is_triggered_may_be_sent_while_pending() -> None:
    async def test() -> None:
        async with DemoCsms() as csms, charge_point(csms) as client:
            csms.script_boot("CP-1", RegistrationStatus.PENDING)
            await client.accepted("BootNotification", BOOT)
            async with asyncio.TaskGroup() as group:
                asked = group.create_task(
                    csms.call("CP-1", "TriggerMessage", {"requestedMessage": "Heartbeat"})
                )
                call = await client.receive()
                await client.send(3, call[1], {"status": "Accepted"})
            assert asked.result() == {"status": "Accepted"}
            await client.accepted("Heartbeat", {})
            assert csms.violations == []
            assert (await client.ask("Authorize", {"idTag": "T"}))[2] == "SecurityError"

    run(test)


def test_a_call_goes_out_and_its_answer_comes_back_while_others_are_answered() -> None:
    async def test() -> None:
        async with DemoCsms() as csms, charge_point(csms) as client:
            async with asyncio.TaskGroup() as group:
                asked = group.create_task(csms.call("CP-1", "ClearCache", {}))
                kind, unique_id, action, payload = await client.receive()
                assert (kind, action, payload) == (2, "ClearCache", {})
                await client.accepted("Heartbeat", {})
                await client.send(3, unique_id, {"status": "Accepted"})
            assert asked.result() == {"status": "Accepted"}
            assert csms.violations == []

    run(test)


def test_calls_to_one_charge_point_go_out_one_at_a_time() -> None:
    async def test() -> None:
        async with (
            DemoCsms() as csms,
            charge_point(csms) as client,
            asyncio.TaskGroup() as group,
        ):
            for _ in range(2):
                group.create_task(csms.call("CP-1", "ClearCache", {}))
            first = await client.receive()
            await client.accepted("Heartbeat", {})  # nothing else came in between
            await client.send(3, first[1], {"status": "Accepted"})
            second = await client.receive()
            await client.send(3, second[1], {"status": "Accepted"})

    run(test)


def test_a_callerror_becomes_an_exception() -> None:
    async def test() -> None:
        async with DemoCsms() as csms, charge_point(csms) as client:

            async def refuse() -> None:
                call = await client.receive()
                await client.send(4, call[1], "NotSupported", "no", {})

            async with asyncio.TaskGroup() as group:
                group.create_task(refuse())
                with pytest.raises(
                    CallFailedError, match="CP-1: Reset: NotSupported: no"
                ) as caught:
                    await csms.call("CP-1", "Reset", {"type": "Soft"})
            assert caught.value.error.code == "NotSupported"

    run(test)


def test_an_answer_that_breaks_its_schema_is_a_violation_and_still_an_answer() -> None:
    async def test() -> None:
        async with DemoCsms() as csms, charge_point(csms) as client:

            async def answer_badly() -> None:
                call = await client.receive()
                await client.send(3, call[1], {"status": "Perhaps"})

            async with asyncio.TaskGroup() as group:
                group.create_task(answer_badly())
                assert await csms.call("CP-1", "ClearCache", {}) == {"status": "Perhaps"}
            (violation,) = csms.violations
            assert "ClearCacheResponse: status" in violation.text

    run(test)


@pytest.mark.parametrize(("limit", "violations"), [(0.3, 0), (16.1, 0), (0.25, 1)])
def test_limits_have_one_decimal(limit: float, violations: int) -> None:
    async def test() -> None:
        async with DemoCsms() as csms, charge_point(csms) as client:
            schedule = {
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
            }

            async def answer() -> None:
                call = await client.receive()
                payload = {"status": "Accepted", "chargingSchedule": schedule}
                await client.send(3, call[1], payload)

            async with asyncio.TaskGroup() as group:
                group.create_task(answer())
                await csms.call("CP-1", "GetCompositeSchedule", {"connectorId": 1, "duration": 9})
            assert len(csms.violations) == violations

    run(test)


def test_a_call_to_nobody_names_who_is_there() -> None:
    async def test() -> None:
        async with DemoCsms() as csms, charge_point(csms, "CP-2") as client:
            await client.accepted("Heartbeat", {})
            with pytest.raises(NotConnectedError, match="CP-1 is not connected; connected: CP-2"):
                await csms.call("CP-1", "ClearCache", {})

    run(test)


def test_a_call_ends_when_the_charge_point_goes_away_or_keeps_silent() -> None:
    async def test() -> None:
        async with DemoCsms() as csms, charge_point(csms) as client:
            with pytest.raises(TimeoutError, match="CP-1 did not answer ClearCache"):
                await csms.call("CP-1", "ClearCache", {}, timeout_s=0.01)

            async def go_away() -> None:
                await client.receive()
                await client.receive()
                await client.connection.close()

            async with asyncio.TaskGroup() as group:
                group.create_task(go_away())
                with pytest.raises(NotConnectedError, match="CP-1 went away before it answered"):
                    await csms.call("CP-1", "ClearCache", {})
            await csms.wait_for(lambda c: not c.connected, WAIT_S)

    run(test)


def test_the_newer_connection_of_an_id_wins() -> None:
    async def test() -> None:
        async with DemoCsms() as csms, charge_point(csms) as old:
            await old.accepted("Heartbeat", {})
            async with charge_point(csms) as new:
                with pytest.raises(ConnectionClosed):
                    await old.receive()
                assert csms.connected == {"CP-1"}
                await new.accepted("Heartbeat", {})

    run(test)


def test_ids_are_percent_decoded_and_any_path_will_do() -> None:
    async def test() -> None:
        async with DemoCsms() as csms:
            base = csms.url.removesuffix("/ocpp")
            for path in ("/a/b/c/CP%201?x=y", "/CP%201"):
                async with connect(base + path, subprotocols=[Subprotocol("ocpp1.6")]) as one:
                    await Client(one).accepted("Heartbeat", {})
                    assert csms.connected == {"CP 1"}

    run(test)


@pytest.mark.parametrize(
    ("suffix", "subprotocol", "status"),
    [("/", "ocpp1.6", 404), ("/CP-1", "ocpp2.0.1", 400)],
)
def test_without_an_id_or_the_subprotocol_it_does_not_open(
    suffix: str, subprotocol: str, status: int
) -> None:
    async def test() -> None:
        async with DemoCsms() as csms:
            with pytest.raises(InvalidStatus) as caught:
                await connect(csms.url + suffix, subprotocols=[Subprotocol(subprotocol)])
            assert caught.value.response.status_code == status

    run(test)


def test_waiting_in_vain_shows_the_last_frames() -> None:
    async def test() -> None:
        async with DemoCsms() as csms, charge_point(csms) as client:
            await client.accepted("Heartbeat", {})
            with pytest.raises(TimeoutError, match="CP-1 → Heartbeat"):
                await csms.wait_for(lambda c: c.transactions, 0.01)

    run(test)


def test_frames_are_recorded_and_shown_on_a_line_each() -> None:
    async def test() -> None:
        lines: list[str] = []
        async with (
            DemoCsms(on_frame=lambda frame: lines.append(str(frame))) as csms,
            charge_point(csms) as client,
        ):
            await client.accepted("StartTransaction", {**START, "idTag": "T\u001b[1m"})
            values = [
                {"value": "16.0", "measurand": "Current.Import", "phase": "L1", "unit": "A"},
                {"value": "120"},
            ]
            meter_value = [{"timestamp": AT, "sampledValue": values}]
            payload = {"connectorId": 1, "transactionId": 1, "meterValue": meter_value}
            await client.accepted("MeterValues", payload)
            assert [frame.direction for frame in csms.frames] == 2 * [
                Direction.TO_CSMS,
                Direction.TO_CHARGE_POINT,
            ]
            assert [call.action for call in csms.calls("CP-1")] == [
                "StartTransaction",
                "MeterValues",
            ]
        assert "CP-1 → StartTransaction connectorId=1 idTag=T\\x1b[1m meterStart=100" in lines[0]
        assert "CP-1 ← StartTransaction answered transactionId=1 idTagInfo(status=Acc" in lines[1]
        assert lines[2].endswith(
            "CP-1 → MeterValues connectorId=1 transactionId=1 Current.Import/L1=16.0A "
            "Energy.Active.Import.Register=120Wh"
        )

    run(test)


def test_a_taken_port_is_an_os_error() -> None:
    async def test() -> None:
        async with DemoCsms() as csms:
            port = int(csms.url.split(":")[2].split("/")[0])
            with pytest.raises(OSError, match="address already in use"):
                await DemoCsms(port=port).__aenter__()

    run(test)


def test_what_came_before_a_close_is_heard_although_its_answers_cannot_leave() -> None:
    async def test() -> None:
        async with DemoCsms() as csms, charge_point(csms) as client:
            await client.accepted("BootNotification", BOOT)
            asking = asyncio.create_task(csms.call("CP-1", "ClearCache", {}))
            _, unique_id, *_ = await client.receive()
            # In one go, as a charge point does that takes another certificate.
            await client.send(2, "beat", "Heartbeat", {})
            await client.send(3, unique_id, {"status": "Accepted"})
            await client.connection.close()
            assert await asking == {"status": "Accepted"}

    run(test)
