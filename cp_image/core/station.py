"""A charge point, pure: events in, effects out, time passed in."""

from collections.abc import Iterator, Mapping
from random import Random

from cp_image.api.payloads import ChargePointState, ConnectorState, ConnectorStatus
from cp_image.core import events, orderly_end
from cp_image.core.answers import Answers
from cp_image.core.assembly import all_handlers, assemble
from cp_image.core.certificates import CertificateReader, NoCertificates
from cp_image.core.connector import Connector
from cp_image.core.desk import Desk
from cp_image.core.effects import Effect, LogLevel, PublishConnector
from cp_image.core.events import Event
from cp_image.core.ground import lay_ground
from cp_image.core.inputs import Inputs
from cp_image.core.settings import StationSettings


class Station:
    """One charge point.

    Args:
        settings: its make.
        stored: what the `Persist` effects of its former life have left.
        random: its only source of chance.
        message_ids: unique ids of at most 36 characters for the requests it sends.
        certificates: reads certificates; None refuses all.

    Raises:
        ConfigurationError: the settings name a configuration key that does not exist, or a value
            it does not take.
    """

    def __init__(
        self,
        settings: StationSettings,
        *,
        stored: Mapping[str, bytes],
        random: Random,
        message_ids: Iterator[str],
        certificates: CertificateReader | None = None,
    ) -> None:
        self._ground = ground = lay_ground(
            settings,
            stored=stored,
            random=random,
            message_ids=message_ids,
            certificates=certificates or NoCertificates(),
        )
        self._connectors = ground.connectors
        self._outbox = ground.outbox
        self._parts = parts = assemble(ground)
        self._answers = Answers(ground, parts)
        self._inputs = Inputs(ground, parts)
        self._desk = Desk(all_handlers(ground, parts), ground.outbox)
        self._published: dict[int, ConnectorStatus] = {}
        self._rebooting = False
        self._ended = False

    def power_up(self, now: float) -> list[Effect]:
        """Come to life; the first call of all.

        Args:
            now: epoch seconds, as everywhere.

        Returns:
            The initial statuses, and what becomes of a transaction a power cut has left open.
        """
        self._advance(now)
        self._parts.csms.publish(ChargePointState.DISCONNECTED)
        self._parts.pings.tell(now)
        why = orderly_end.reason_of_the_gap(self._ground.stored, self._outbox)
        for connector in self._ground.removed_connectors:
            self._parts.transactions.close_interrupted(connector, why)
        for connector in self._connectors:
            self._parts.sessions.power_up(connector, now, why=why)
        self._parts.firmware.power_up()
        self._parts.security.power_up(now)
        return self._concluded(now)

    def handle(self, event: Event, now: float) -> list[Effect]:
        """Take in what has happened.

        Returns:
            What is to be done, in order.

        Raises:
            InputError: the event is refused; nothing has changed.
        """
        if self._ended:
            return []
        self._advance(now)
        match event:
            case events.CsmsConnected():
                if self._parts.csms.linked:
                    self._disconnected("replaced by a new connection", now)
                self._parts.csms.connected(now)
                self._parts.security.connected(event, now)
            case events.CsmsDisconnected():
                self._parts.security.disconnected(event, now, was_linked=self._parts.csms.linked)
                self._disconnected(event.reason, now)
            case events.CallAnswered():
                self._answers.answered(event, now)
            case events.CallFailed():
                self._answers.refused(event, now)
            case events.CsmsAsked():
                self._asked(event, now)
            case events.DataTransferWanted():
                self._parts.data_transfers.want(event)
            case events.Stopped():
                return self._end(now)
            case _:
                self._inputs.take(event, now)
        return self._concluded(now)

    def tick(self, now: float) -> list[Effect]:
        """Do what is due; too early or too late a call does no harm.

        Returns:
            What is to be done, in order.
        """
        if self._ended:
            return []
        self._advance(now)
        self._answers.expire(now)
        self._parts.csms.tick(now)
        self._ground.board.tick(now)
        self._parts.tags.expire(now)
        self._parts.reservations.tick(now)
        sampled = self._ground.meters.read_due(self._connectors, now)
        charging = {c.connector_id for c in sampled if c.state is ConnectorState.CHARGING}
        return self._concluded(now, fresh=charging)

    def next_deadline(self) -> float | None:
        """Return when to call `tick`, epoch seconds; None: not before another event."""
        if self._ended or self._rebooting:
            return None
        deadlines = (
            self._ground.queue.next_deadline(),
            self._parts.csms.next_deadline(),
            self._ground.board.next_deadline(),
            self._parts.resets.next_deadline(),
            self._parts.tags.next_deadline(),
            self._parts.refused_transactions.next_deadline(),
            self._parts.reservations.next_deadline(),
            self._parts.firmware.next_deadline(),
            self._parts.security.next_deadline(),
            self._ground.meters.next_deadline(self._connectors),
            *(connector.battery_steps_at for connector in self._connectors),
            self._parts.smart_charging.next_deadline(),
        )
        return min((at for at in deadlines if at is not None), default=None)

    def ocpp_config(self) -> dict[str, str]:
        """Return the readable configuration keys that hold something, sorted by name."""
        return self._ground.configuration.readable()

    # -- events -------------------------------------------------------------------------------

    def _asked(self, event: events.CsmsAsked, now: float) -> None:
        if self._parts.csms.rejected:
            # OCPP 1.6 §4.2: the charge point says nothing until the interval has gone by.
            name = type(event.request).__name__
            self._outbox.log(LogLevel.WARNING, f"{name} is not answered: the CSMS has rejected us")
            return
        self._desk.asked(event, now)

    def _disconnected(self, reason: str, now: float) -> None:
        for lost in self._parts.csms.disconnected(reason):
            self._answers.link_broken(lost, now)

    def _end(self, now: float) -> list[Effect]:
        self._ended = True
        orderly_end.note(self._outbox)
        for connector in self._connectors:
            self._ground.meters.keep(connector, now)
        self._parts.csms.publish(ChargePointState.DEAD, "closed")
        return self._outbox.take()

    # -- around every event -------------------------------------------------------------------

    def _advance(self, now: float) -> None:
        # A tick that comes late: the energy follows the limits as they changed meanwhile.
        while (changed_at := self._parts.smart_charging.change_until(now)) is not None:
            self._count(changed_at)
            self._parts.sessions.settle(changed_at, self._parts.smart_charging.apply(changed_at))
        self._count(now)

    def _count(self, now: float) -> None:
        for connector in self._connectors:
            connector.advance(now)

    def _concluded(
        self, now: float, fresh: frozenset[int] | set[int] = frozenset()
    ) -> list[Effect]:
        self._parts.firmware.settle(now)
        self._parts.security.settle(now)
        self._parts.availability.settle(now)
        self._parts.reservations.settle(now)
        self._parts.sessions.settle(now, self._parts.smart_charging.apply(now))
        self._ground.meters.plan(self._connectors, now)
        for connector in self._connectors:
            self._publish(connector, now, fresh=connector.connector_id in fresh)
        self._show_station(now)
        self._reboot_when_due(now)
        if not self._rebooting:
            self._ground.queue.flush(now)
        return self._outbox.take()

    def _reboot_when_due(self, now: float) -> None:
        if self._parts.resets.settle(now) and not self._rebooting:
            # Answers are still heard, but nothing new is said.
            self._rebooting = True
            self._parts.security.rebooting(now)
            for connector in self._connectors:
                self._ground.meters.keep(connector, now)

    def _publish(self, connector: Connector, now: float, *, fresh: bool) -> None:
        silent = connector.status()
        # The register alone is no news: it moves all the time.
        if fresh or silent != self._published.get(connector.connector_id):
            self._published[connector.connector_id] = silent
            status = connector.metered(silent, now)
            self._outbox.put(PublishConnector(connector_id=connector.connector_id, status=status))
            self._ground.meters.keep(connector, now)

    def _show_station(self, now: float) -> None:
        faults = self._parts.faults.of_station
        state = ConnectorState.FAULTED if faults else self._parts.availability.state
        self._ground.board.show(0, state, faults.error_code, now)
