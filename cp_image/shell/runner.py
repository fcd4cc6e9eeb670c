"""Runs one station: gives it events and the time, carries its effects out, ends in order."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from cp_image.api.payloads import ChargePointState
from cp_image.core.effects import (
    CancelTransfer,
    Disconnect,
    Download,
    Effect,
    ForgetKey,
    GenerateKeyAndCsr,
    Log,
    LogLevel,
    Persist,
    PublishConfiguration,
    PublishConnector,
    PublishEvent,
    PublishStation,
    Reboot,
    RefuseCall,
    SendAnswer,
    SendCall,
    SetCredentials,
    SetPingInterval,
    SetSilence,
    Upload,
)
from cp_image.core.errors import NotNowError
from cp_image.core.events import Event, Stopped
from cp_image.shell import control
from cp_image.shell.clock import Clock
from cp_image.shell.control import Control
from cp_image.shell.csms import CsmsLink
from cp_image.shell.key_tasks import KeyTasks
from cp_image.shell.store import Store
from cp_image.shell.transfer_tasks import TransferTasks

LOG: Final = logging.getLogger(__name__)
STATION_LOG: Final = logging.getLogger("station")

_LAST_ANSWERS_S: Final = 2.0
"""Together with the farewells this stays well below the 10 s an engine waits before it kills."""
_FAREWELL_S: Final = 4.0
_SHORTEST_WAIT_S: Final = 0.001

_LEVELS: Final = {
    LogLevel.DEBUG: logging.DEBUG,
    LogLevel.INFO: logging.INFO,
    LogLevel.WARNING: logging.WARNING,
    LogLevel.ERROR: logging.ERROR,
}


class Station(Protocol):
    """What is used of the core's `Station`."""

    def power_up(self, now: float) -> list[Effect]:
        """Begin."""

    def handle(self, event: Event, now: float) -> list[Effect]:
        """Take an event; raises `InputError` where an input is refused."""

    def tick(self, now: float) -> list[Effect]:
        """Do what is due."""

    def next_deadline(self) -> float | None:
        """Return when something is due."""

    def ocpp_config(self) -> dict[str, str]:
        """Return the configuration keys that may be read."""


class Runner:
    """Owns a station and its links.

    Args:
        make_station: makes the core of what is stored; nobody else calls it.
        store: where `Persist` goes.
        clock: tells the station the time.
        make_csms: makes the link to the CSMS, of what it calls with each event.
        make_control: makes the link to MQTT, of what takes its inputs and commands.
        make_transfers: makes what transfers files, of what it calls with each event.
        make_keys: makes what keeps credentials and keys, likewise.
        on_state: hears how the charge point stands with the CSMS.
    """

    def __init__(
        self,
        *,
        make_station: Callable[[], Station],
        store: Store,
        clock: Clock,
        make_csms: Callable[[Callable[[Event], None]], CsmsLink],
        make_control: Callable[[control.Station], Control],
        make_transfers: Callable[[Callable[[Event], None]], TransferTasks],
        make_keys: Callable[[Callable[[Event], None]], KeyTasks],
        on_state: Callable[[ChargePointState], None],
    ) -> None:
        self._make_station = make_station
        self._station = make_station()
        self._store = store
        self._clock = clock
        self._csms = make_csms(self._hear)
        self._control = make_control(self)
        self._transfers = make_transfers(self._hear)
        self._keys = make_keys(self._hear)
        self._on_state = on_state
        self._stopping = asyncio.Event()
        self._stop_reason = ""
        self._deadline_moved = asyncio.Event()
        self._reboot_wanted = asyncio.Event()
        self._reboot_reason = ""

    def take(self, event: Event) -> None:
        """Give the station an input and carry out what follows.

        Raises:
            InputError: the station refuses the input, or reboots; nothing has changed.
            StoreError: what must survive could not be stored.
        """
        if self._reboot_wanted.is_set():
            # The station that reads it would not live to do anything about it.
            raise NotNowError(f"the charge point is rebooting: {self._reboot_reason}")
        self._hear(event)

    def ocpp_config(self) -> dict[str, str]:
        """Return the configuration keys that may be read."""
        return self._station.ocpp_config()

    def stop(self, reason: str = "closed by command") -> None:
        """End `run` in order."""
        if not self._stopping.is_set():
            LOG.info("stopping: %s", reason)
            self._stop_reason = reason
            self._stopping.set()

    async def run(self) -> None:
        """Run the station until it is stopped.

        Raises:
            ExceptionGroup: a part failed; everything else has been cancelled.
        """
        async with asyncio.TaskGroup() as group:
            links = (
                group.create_task(self._control.run(), name="control"),
                group.create_task(self._csms.run(), name="csms"),
            )
            self._transfers.open(group)
            self._keys.open(group)
            self._control.start()
            self._carry_out(self._station.power_up(self._clock.now()))
            timer = group.create_task(self._keep_time(), name="timer")
            reboots = group.create_task(self._keep_rebooting(), name="reboots")
            await self._stopping.wait()
            reboots.cancel()
            await asyncio.wait([reboots])
            await self._end()
            for task in (timer, *links):
                task.cancel()

    async def _end(self) -> None:
        self._transfers.cancel_all()
        # The station must live to hear the last answers: one it missed would be asked for again.
        await self._csms.settle(_LAST_ANSWERS_S)
        self._hear(Stopped())
        try:
            async with asyncio.timeout(_FAREWELL_S):
                await self._csms.close("the charge point stops")
                await self._control.close(self._stop_reason)
        except TimeoutError:
            LOG.warning("CSMS or broker did not take the farewell within %g s", _FAREWELL_S)

    async def _keep_time(self) -> None:
        """Tick at every deadline: the only timer of the station."""
        while True:
            self._deadline_moved.clear()
            deadline = self._station.next_deadline()
            wait_s = None
            if deadline is not None:
                wait_s = self._clock.real_s(deadline - self._clock.now())
                wait_s = max(_SHORTEST_WAIT_S, wait_s)
            try:
                async with asyncio.timeout(wait_s):
                    await self._deadline_moved.wait()
            except TimeoutError:
                self._carry_out(self._station.tick(self._clock.now()))

    async def _keep_rebooting(self) -> None:
        while True:
            await self._reboot_wanted.wait()
            LOG.info("rebooting: %s", self._reboot_reason)
            # As at the end: what the station has said goes out, and it hears the answers.
            await self._csms.settle(_LAST_ANSWERS_S)
            async with self._csms.held(self._reboot_reason):
                self._transfers.cancel_all()
                self._station = self._make_station()
                self._reboot_wanted.clear()
                self._carry_out(self._station.power_up(self._clock.now()))

    def _hear(self, event: Event) -> None:
        self._carry_out(self._station.handle(event, self._clock.now()))

    def _carry_out(self, effects: Iterable[Effect]) -> None:
        """Store first: what is on the wire was on the disk before."""
        effects = tuple(effects)
        changes = [effect for effect in effects if isinstance(effect, Persist)]
        if changes:
            self._store.commit(changes)
        for effect in effects:
            self._carry_out_one(effect)
        self._deadline_moved.set()

    def _carry_out_one(self, effect: Effect) -> None:
        match effect:
            case Persist():
                return
            case (
                SendCall()
                | SendAnswer()
                | RefuseCall()
                | SetPingInterval()
                | SetSilence()
                | Disconnect()
            ):
                self._to_csms(effect)
            case PublishStation() | PublishConnector() | PublishConfiguration() | PublishEvent():
                self._to_control(effect)
            case Download() | Upload():
                self._transfers.start(effect)
            case CancelTransfer(number=number):
                self._transfers.cancel(number)
            case SetCredentials() | GenerateKeyAndCsr() | ForgetKey():
                self._keys.carry_out(effect)
            case Reboot(reason=reason):
                self._reboot_reason = reason
                self._reboot_wanted.set()
            case Log(level=level, text=text):
                STATION_LOG.log(_LEVELS[level], "%s", text)

    def _to_csms(
        self,
        effect: SendCall | SendAnswer | RefuseCall | SetPingInterval | SetSilence | Disconnect,
    ) -> None:
        match effect:
            case SendCall(message_id=message_id, request=request):
                self._csms.send_call(message_id, request)
            case SendAnswer(message_id=message_id, answer=answer):
                self._csms.send_answer(message_id, answer)
            case RefuseCall(message_id=message_id):
                self._csms.refuse_call(message_id)
            case SetSilence(silent=silent):
                self._csms.set_silence(silent=silent)
            case SetPingInterval(interval_s=interval_s):
                self._csms.set_ping_interval(interval_s)
            case Disconnect(reason=reason):
                self._csms.disconnect(reason)

    def _to_control(
        self, effect: PublishStation | PublishConnector | PublishConfiguration | PublishEvent
    ) -> None:
        match effect:
            case PublishStation(status=state, reason=reason):
                self._control.publish_station(state, reason)
                self._on_state(state)
            case PublishConnector(connector_id=connector_id, status=status):
                self._control.publish_connector(connector_id, status)
            case PublishConfiguration():
                self._control.publish_ocpp_config()
            case PublishEvent(event=event):
                self._control.publish_event(event)
