"""Drives a `Station` in virtual time against a `ScriptedCsms`, and watches its invariants."""

import itertools
from collections import deque
from collections.abc import Iterator, Mapping
from random import Random
from typing import TypeVar

from cp_image.api import payloads
from cp_image.api.payloads import CarInput, ChargePointType, ConnectorState, ConnectorStatus
from cp_image.api.value import replace
from cp_image.core.certificates import CertificateReader
from cp_image.core.csms_messages import CsmsAnswer, CsmsRequest
from cp_image.core.effects import (
    Effect,
    Log,
    Persist,
    PublishConnector,
    PublishEvent,
    PublishStation,
    Reboot,
    RefuseCall,
    SendAnswer,
    SendCall,
)
from cp_image.core.events import (
    CallAnswered,
    CallFailed,
    CarChanged,
    CsmsAsked,
    CsmsConnected,
    CsmsDisconnected,
    Event,
    FaultChanged,
    Stopped,
    TagPresented,
)
from cp_image.core.link_faults import LinkFault
from cp_image.core.messages import Answer, Request, StatusNotification
from cp_image.core.settings import StationSettings
from cp_image.core.station import Station
from tests.support.outgoing_frames import frame_of
from tests.support.scripted_csms import Refusal, ScriptedCsms

R = TypeVar("R", bound=Request)

EPOCH = 1_700_000_000.0
ANSWER_WITHIN_S = 30.0


def make_settings(**changes: object) -> StationSettings:
    """Return the settings of an AC charge point: 3 phases, 2 connectors of 32 A, 64 A together."""
    settings = StationSettings(
        charge_point_id="CP-0001",
        type=ChargePointType.AC,
        vendor="cp-simu",
        model="Simulated CP",
        serial="S1",
        nb_connectors=2,
        nb_phases=3,
        voltage_v=230.0,
        max_setpoint=64.0,
        max_setpoint_per_connector=32.0,
    )
    return replace(settings, **changes)


class NoChance(Random):
    """Leaves nothing to chance: what varies is as little as it may be."""

    def random(self) -> float:
        """Return the least."""
        return 0.0


class VirtualStation:
    """A station, its CSMS, its disk and its clock.

    Attributes:
        now: virtual epoch seconds.
        stored: what `Persist` has left so far.
        certificates: reads certificates; None refuses all.
        random: its only source of chance; None leaves nothing to it.
        effects: everything the station has wanted, with its time.
        frames: everything it has said, each allowed by the OCPP schema.
    """

    def __init__(
        self,
        settings: StationSettings | None = None,
        *,
        csms: ScriptedCsms | None = None,
        stored: Mapping[str, bytes] | None = None,
        now: float = EPOCH,
        message_ids: Iterator[str] | None = None,
        certificates: CertificateReader | None = None,
        random: Random | None = None,
    ) -> None:
        self.certificates = certificates
        self.random = random or NoChance()
        self.settings = settings or make_settings()
        self.csms = csms or ScriptedCsms()
        self.stored = dict(stored or {})
        self.now = now
        self.effects: list[tuple[float, Effect]] = []
        self.frames: list[str] = []
        self.linked = False
        self._message_ids = message_ids or (f"m{number}" for number in itertools.count())
        self._seen_ids: set[str] = set()
        self._in_flight: tuple[str, float] | None = None
        self._calls: deque[SendCall] = deque()
        self._answering = False
        self._registers_wh: dict[int, float] = {}
        self._power_up()

    # -- what happens to it -------------------------------------------------------------------

    def handle(self, event: Event) -> list[Effect]:
        """Let something happen, and the CSMS answer; returns the first effects of it."""
        effects = self.station.handle(event, self.now)
        self._carry_out(effects)
        return effects

    def ask(self, request: CsmsRequest) -> CsmsAnswer | None:
        """Let the CSMS ask; returns the answer, None where it is refused as not supported."""
        message_id = next(self._message_ids)
        effects = self.handle(CsmsAsked(message_id=message_id, request=request))
        replies = [e for e in effects if isinstance(e, (SendAnswer, RefuseCall))]
        assert [reply.message_id for reply in replies] == [message_id], "one answer to one request"
        return replies[0].answer if isinstance(replies[0], SendAnswer) else None

    def connect(self, *, root: str = "") -> None:
        """Open the WebSocket, on the word of a root certificate."""
        self.linked = True
        self.handle(CsmsConnected(root=root))

    def disconnect(
        self, reason: str = "connection lost", *, fault: LinkFault | None = None
    ) -> None:
        """Break the WebSocket, or let it not come about."""
        self.linked = False
        self._in_flight = None
        self.handle(CsmsDisconnected(reason=reason, fault=fault))

    def plug(self, connector_id: int = 1, *, cable: float = 32.0, draws: float = 16.0) -> None:
        """Plug a car in that draws on all phases."""
        self.car(
            connector_id,
            CarInput(cable=cable, consumption_l1=draws, consumption_l2=draws, consumption_l3=draws),
        )

    def unplug(self, connector_id: int = 1) -> None:
        """Pull the cable."""
        self.car(connector_id, CarInput(cable=0.0))

    def car(self, connector_id: int, change: CarInput) -> None:
        """Change the car."""
        self.handle(CarChanged(connector_id=connector_id, car=change))

    def tag(self, id_tag: str = "TAG1", connector_id: int = 1) -> None:
        """Hold a tag to the reader."""
        self.handle(TagPresented(connector_id=connector_id, id_tag=id_tag))

    def fault(
        self,
        connector_id: int = 1,
        error_code: payloads.ErrorCode | None = None,
        *,
        faulted: bool = True,
    ) -> None:
        """Set or clear an injected fault."""
        self.handle(FaultChanged(connector_id=connector_id, faulted=faulted, error_code=error_code))

    def stop(self) -> None:
        """End in order."""
        self.handle(Stopped())

    def answer_late(self, message_id: str, answer: Answer) -> None:
        """Let the CSMS answer a request it was silent about."""
        if self._in_flight is not None and self._in_flight[0] == message_id:
            self._in_flight = None
        self.handle(CallAnswered(message_id=message_id, answer=answer))

    def run(self, seconds: float, *, ticks_max: int | None = None) -> None:
        """Let time pass, with every deadline in its order.

        Args:
            seconds: how much of it.
            ticks_max: after so many deadlines the next one is met at the end, late; None is never.
        """
        end = self.now + seconds
        for ticks in itertools.count():
            deadline = self.station.next_deadline()
            if deadline is None or deadline > end:
                break
            if ticks == ticks_max:
                deadline = end
            self.now = max(self.now, deadline)
            effects = self.station.tick(self.now)
            again = self.station.next_deadline()
            assert again is None or again > self.now, f"deadline {again} is over at {self.now}"
            self._carry_out(effects)
        self.now = end

    def power_cut(self, *, dark_s: float = 0.0) -> "VirtualStation":
        """Return the station that comes up from the disk after a power cut."""
        return type(self)(
            self.settings,
            csms=self.csms,
            stored=self.stored,
            now=self.now + dark_s,
            message_ids=self._message_ids,
            certificates=self.certificates,
            random=self.random,
        )

    # -- what came of it ----------------------------------------------------------------------

    def heard(self, kind: type[R]) -> list[R]:
        """Return the requests of a kind the CSMS has heard."""
        return [request for _, request in self.csms.heard if isinstance(request, kind)]

    def heard_at(self, kind: type[Request]) -> list[float]:
        """Return when the CSMS has heard a kind, relative to the epoch of the tests."""
        return [at - EPOCH for at, request in self.csms.heard if isinstance(request, kind)]

    def reported(self, connector_id: int = 1) -> list[ConnectorState]:
        """Return the statuses of a connector the CSMS has heard."""
        return [r.status for r in self.heard(StatusNotification) if r.connector_id == connector_id]

    def connector(self, connector_id: int = 1) -> ConnectorStatus:
        """Return what was last published of a connector."""
        return self.connector_history(connector_id)[-1]

    def connector_history(self, connector_id: int = 1) -> list[ConnectorStatus]:
        """Return everything that was published of a connector."""
        return [
            effect.status
            for effect in self.wanted(PublishConnector)
            if effect.connector_id == connector_id
        ]

    def station_history(self) -> list[PublishStation]:
        """Return everything that was published of the charge point."""
        return self.wanted(PublishStation)

    def events(self) -> list[payloads.Event]:
        """Return the events that were published."""
        return [effect.event for effect in self.wanted(PublishEvent)]

    def logs(self) -> list[str]:
        """Return what was logged."""
        return [effect.text for effect in self.wanted(Log)]

    def wanted(self, kind: "type[E]") -> "list[E]":
        """Return the effects of a kind."""
        return [effect for _, effect in self.effects if isinstance(effect, kind)]

    # -- the world around it ------------------------------------------------------------------

    def _power_up(self) -> None:
        self.linked = False
        self._in_flight = None
        self._calls.clear()
        self.station = self._make_station()
        self._carry_out(self.station.power_up(self.now))

    def _make_station(self) -> Station:
        return Station(
            self.settings,
            stored=self.stored,
            random=self.random,
            message_ids=self._message_ids,
            certificates=self.certificates,
        )

    def _carry_out(self, effects: list[Effect]) -> None:
        self.effects.extend((self.now, effect) for effect in effects)
        for effect in effects:
            if (frame := frame_of(effect)) is not None:
                self.frames.append(frame)
            if isinstance(effect, Persist):
                self._persist(effect)
        for effect in effects:
            if isinstance(effect, PublishConnector):
                self._watch_register(effect)
        for effect in effects:
            if isinstance(effect, SendCall):
                self._send(effect)
        self._answer()
        if any(isinstance(effect, Reboot) for effect in effects):
            self._power_up()  # the test connects it again

    def _persist(self, effect: Persist) -> None:
        if effect.value is None:
            self.stored.pop(effect.key, None)
        else:
            self.stored[effect.key] = effect.value

    def _watch_register(self, effect: PublishConnector) -> None:
        before = self._registers_wh.get(effect.connector_id, 0.0)
        assert effect.status.register_wh >= before, "the register fell"
        self._registers_wh[effect.connector_id] = effect.status.register_wh

    def _send(self, call: SendCall) -> None:
        assert self.linked, f"{call.request} is sent without a link"
        assert 0 < len(call.message_id) <= 36
        assert call.message_id not in self._seen_ids, f"{call.message_id} is used twice"
        self._seen_ids.add(call.message_id)
        if self._in_flight is not None:
            message_id, since = self._in_flight
            assert self.now - since >= ANSWER_WITHIN_S, f"{call} while {message_id} is in flight"
        self._in_flight = (call.message_id, self.now)
        self._calls.append(call)

    def _answer(self) -> None:
        if self._answering:
            return  # the loop below is at it
        self._answering = True
        try:
            while self._calls:
                self._hear(self._calls.popleft())
        finally:
            self._answering = False

    def _hear(self, call: SendCall) -> None:
        answer = self.csms.hear(call.request, self.now)
        if answer is None:
            return
        self._in_flight = None
        if isinstance(answer, Refusal):
            self.handle(
                CallFailed(
                    message_id=call.message_id, error_code=answer.error_code, description="no"
                )
            )
        else:
            self.handle(CallAnswered(message_id=call.message_id, answer=answer))


E = TypeVar("E", bound=Effect)
