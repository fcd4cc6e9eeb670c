"""A charge point, pure: events in, effects out, time passed in."""

from collections.abc import Iterator, Mapping
from random import Random

from cp_image.api.payloads import (
    ChargePointState,
    ChargePointType,
    ConnectorState,
    ConnectorStatus,
)
from cp_image.core import events, messages
from cp_image.core.authorization import Authorizer
from cp_image.core.authorization_cache import AuthorizationCache
from cp_image.core.availability import Availability
from cp_image.core.configuration_keys import Configuration
from cp_image.core.configuration_requests import ConfigurationRequests
from cp_image.core.connector import Connector
from cp_image.core.core_profile import CoreProfile
from cp_image.core.csms_relation import CsmsRelation
from cp_image.core.data_transfer import DataTransfers
from cp_image.core.desk import Desk
from cp_image.core.effects import Effect, LogLevel, PublishConnector
from cp_image.core.errors import NotNowError, UnknownConnectorError
from cp_image.core.events import Event
from cp_image.core.firmware_image import with_installed_version
from cp_image.core.firmware_management import FirmwareManagement
from cp_image.core.injected_faults import InjectedFaults
from cp_image.core.link_pings import LinkPings
from cp_image.core.local_list import LocalList
from cp_image.core.meter_reader import MeterReader
from cp_image.core.outbox import Outbox
from cp_image.core.records import restored
from cp_image.core.refusals import Refusals
from cp_image.core.refused_transactions import RefusedTransactions
from cp_image.core.remote_trigger import RemoteTrigger
from cp_image.core.request_queue import Entry, PassingEntry, RequestQueue
from cp_image.core.reservation_profile import ReservationProfile
from cp_image.core.reservations import Reservations
from cp_image.core.reset import Resets
from cp_image.core.sessions import Sessions
from cp_image.core.settings import StationSettings
from cp_image.core.smart_charging import SmartCharging
from cp_image.core.station_clock import StationClock
from cp_image.core.status_board import StatusBoard
from cp_image.core.tag_reader import TagReader


class Station:
    """One charge point.

    Args:
        settings: its make.
        stored: what the `Persist` effects of its former life have left.
        random: its only source of chance.
        message_ids: unique ids of at most 36 characters for the requests it sends.

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
    ) -> None:
        self._random = random
        self._outbox = outbox = Outbox()
        self._settings = settings = with_installed_version(settings, stored, outbox)
        self._configuration = configuration = Configuration(
            settings.configuration,
            nb_connectors=settings.nb_connectors,
            nb_phases=1 if settings.type is ChargePointType.DC else settings.nb_phases,
            stored=stored,
            outbox=outbox,
        )
        self._clock = clock = StationClock(stored, outbox, follows_csms=settings.follows_csms_clock)
        self._queue = queue = RequestQueue(
            stored=stored,
            outbox=outbox,
            configuration=configuration,
            message_ids=message_ids,
            call_timeout_s=settings.call_timeout_s,
        )
        self._board = board = StatusBoard(queue, clock, configuration)
        self._connectors = connectors = [
            restored(settings, connector_id, stored, outbox)
            for connector_id in range(1, settings.nb_connectors + 1)
        ]
        self._meters = MeterReader(
            configuration=configuration, queue=queue, clock=clock, outbox=outbox, stored=stored
        )
        reservations = Reservations(connectors=connectors, stored=stored, outbox=outbox)
        self._sessions = Sessions(
            connectors=connectors,
            configuration=configuration,
            queue=queue,
            board=board,
            reservations=reservations,
            meters=self._meters,
            clock=clock,
            outbox=outbox,
        )
        self._local_list = LocalList(stored=stored, configuration=configuration, outbox=outbox)
        self._cache = AuthorizationCache(stored=stored, configuration=configuration, outbox=outbox)
        self._authorizer = Authorizer(
            local_list=self._local_list,
            cache=self._cache,
            configuration=configuration,
            queue=queue,
            clock=clock,
        )
        refusals = Refusals(clock=clock, outbox=outbox)
        self._refused_transactions = RefusedTransactions(
            connectors=connectors,
            sessions=self._sessions,
            configuration=configuration,
            refusals=refusals,
        )
        self._tags = TagReader(
            connectors=connectors,
            sessions=self._sessions,
            authorizer=self._authorizer,
            reservations=reservations,
            refusals=refusals,
            configuration=configuration,
            outbox=outbox,
        )
        self._reservations = ReservationProfile(
            reservations=reservations,
            connectors=connectors,
            sessions=self._sessions,
            configuration=configuration,
            clock=clock,
            outbox=outbox,
        )
        self._csms = CsmsRelation(
            settings=settings,
            configuration=configuration,
            queue=queue,
            board=board,
            clock=clock,
            outbox=outbox,
        )
        self._pings = LinkPings(configuration, outbox)
        self._data_transfers = DataTransfers(
            charge_point_id=settings.charge_point_id, queue=queue, outbox=outbox
        )
        self._resets = Resets(
            connectors=connectors, sessions=self._sessions, queue=queue, outbox=outbox
        )
        self._firmware = FirmwareManagement(
            settings=settings,
            stored=stored,
            connectors=connectors,
            configuration=configuration,
            queue=queue,
            clock=clock,
            outbox=outbox,
            reboot=self._resets.soft,
        )
        self._smart_charging = SmartCharging(
            connectors=connectors,
            max_setpoint=settings.max_setpoint,
            stored=stored,
            configuration=configuration,
            clock=clock,
            outbox=outbox,
        )
        self._availability = Availability(
            connectors=connectors, sessions=self._sessions, stored=stored, outbox=outbox
        )
        core_profile = CoreProfile(
            connectors=connectors,
            sessions=self._sessions,
            tags=self._tags,
            tx_profiles=self._smart_charging,
            configuration=configuration,
            open_for_remote=self._open_for_remote,
            clear_cache=self._cache.clear,
            outbox=outbox,
        )
        remote_trigger = RemoteTrigger(
            connectors=connectors,
            csms=self._csms,
            board=board,
            meters=self._meters,
            queue=queue,
            firmware_status=self._firmware.firmware.status_now,
            diagnostics_status=self._firmware.diagnostics.status_now,
        )
        # A feature profile adds its handlers here.
        self._desk = Desk(
            {
                **ConfigurationRequests(configuration, outbox).handlers(),
                **self._availability.handlers(),
                **self._resets.handlers(),
                **core_profile.handlers(),
                **remote_trigger.handlers(),
                **self._data_transfers.handlers(),
                **self._local_list.handlers(),
                **self._reservations.handlers(),
                **self._smart_charging.handlers(),
                **self._firmware.handlers(),
            },
            outbox,
        )
        self._faults = InjectedFaults(
            connectors=connectors, sessions=self._sessions, stored=stored, outbox=outbox
        )
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
        self._csms.publish(ChargePointState.DISCONNECTED)
        self._pings.tell(now)
        for connector in self._connectors:
            self._sessions.power_up(connector, now)
        self._firmware.power_up()
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
                if self._csms.linked:
                    self._disconnected("replaced by a new connection", now)
                self._csms.connected(now)
            case events.CsmsDisconnected():
                self._disconnected(event.reason, now)
            case events.CallAnswered():
                self._answered(event, now)
            case events.CallFailed():
                why = f"{event.error_code} {event.description}".strip()
                self._failed(self._queue.failed(event.message_id, why, now), now)
            case events.CsmsAsked():
                self._asked(event, now)
            case events.DataTransferWanted():
                self._data_transfers.want(event)
            case events.Stopped():
                return self._end(now)
            case _:
                self._input(event, now)
        return self._concluded(now)

    def tick(self, now: float) -> list[Effect]:
        """Do what is due; too early or too late a call does no harm.

        Returns:
            What is to be done, in order.
        """
        if self._ended:
            return []
        self._advance(now)
        self._failed(self._queue.expire(now), now)
        self._csms.tick(now)
        self._board.tick(now)
        self._tags.expire(now)
        self._reservations.tick(now)
        sampled = self._meters.read_due(self._connectors, now)
        charging = {c.connector_id for c in sampled if c.state is ConnectorState.CHARGING}
        return self._concluded(now, fresh=charging)

    def next_deadline(self) -> float | None:
        """Return when to call `tick`, epoch seconds; None: not before another event."""
        if self._ended or self._rebooting:
            return None
        deadlines = (
            self._queue.next_deadline(),
            self._csms.next_deadline(),
            self._board.next_deadline(),
            self._resets.next_deadline(),
            self._tags.next_deadline(),
            self._refused_transactions.next_deadline(),
            self._reservations.next_deadline(),
            self._firmware.next_deadline(),
            self._meters.next_deadline(self._connectors),
            *(connector.battery_steps_at for connector in self._connectors),
            self._smart_charging.next_deadline(),
        )
        return min((at for at in deadlines if at is not None), default=None)

    def ocpp_config(self) -> dict[str, str]:
        """Return the readable configuration keys that hold something, sorted by name."""
        return self._configuration.readable()

    # -- events -------------------------------------------------------------------------------

    def _asked(self, event: events.CsmsAsked, now: float) -> None:
        if self._csms.rejected:
            # OCPP 1.6 §4.2: the charge point says nothing until the interval has gone by.
            name = type(event.request).__name__
            self._outbox.log(LogLevel.WARNING, f"{name} is not answered: the CSMS has rejected us")
            return
        self._desk.asked(event, now)

    def _open_for_remote(self) -> bool:
        return self._csms.accepted and not self._resets.under_way

    def _disconnected(self, reason: str, now: float) -> None:
        for lost in self._csms.disconnected(reason):
            match lost.request:
                case messages.Authorize(id_tag=id_tag):
                    self._tags.failed(lost.number, id_tag, now)
                case messages.DataTransfer() as request:
                    self._data_transfers.failed(lost.number, request, now)
                case _:
                    self._firmware.link_broken(lost.number)

    def _input(
        self,
        event: events.CarChanged | events.TagPresented | events.FaultChanged | events.TransferEnded,
        now: float,
    ) -> None:
        if isinstance(event, events.TransferEnded):
            self._firmware.transfer_ended(event, now)
            return
        if isinstance(event, events.FaultChanged) and event.connector_id == 0:
            self._faults.change_all(event.error_code, now, faulted=event.faulted)
            return
        connector = self._connector(event.connector_id)
        if isinstance(event, events.TagPresented) and self._resets.under_way:
            raise NotNowError("the charge point is resetting: it takes no tag before that")
        match event:
            case events.CarChanged():
                self._sessions.change_car(connector, event.car, now)
            case events.TagPresented():
                self._tags.present(connector, event.id_tag, now)
            case events.FaultChanged():
                self._faults.change(connector, event.error_code, now, faulted=event.faulted)

    def _answered(self, event: events.CallAnswered, now: float) -> None:
        entry = self._queue.answered(event.message_id)
        if entry is None:
            self._outbox.log(
                LogLevel.DEBUG, f"answer {event.message_id} is ignored: nobody waits for it"
            )
            return
        match entry.request, event.answer:
            case messages.BootNotification(), messages.BootAnswer() as answer:
                self._csms.boot_answered(answer, now)
            case messages.Heartbeat(), messages.HeartbeatAnswer() as answer:
                self._csms.heartbeat_answered(answer, now)
            case messages.StatusNotification() as request, messages.EmptyAnswer():
                self._board.heard(request)
            case (
                (messages.Authorize(), messages.AuthorizeAnswer())
                | (messages.StartTransaction(), messages.StartTransactionAnswer())
                | (messages.StopTransaction(), messages.StopTransactionAnswer())
            ):
                self._heard_of_tag(entry, event.answer, now)
            case messages.DataTransfer() as request, messages.DataTransferAnswer() as answer:
                self._data_transfers.answered(entry.number, request, answer, now)
            case (
                messages.MeterValues()
                | messages.FirmwareStatusNotification()
                | messages.DiagnosticsStatusNotification(),
                messages.EmptyAnswer(),
            ):
                self._firmware.concluded(entry.number)  # nothing depends on the others
            case request, answer:
                self._outbox.log(
                    LogLevel.ERROR,
                    f"{type(request).__name__} is answered with {type(answer).__name__}: ignored",
                )

    def _heard_of_tag(self, entry: Entry, answer: messages.Answer, now: float) -> None:
        match entry.request, answer:
            case messages.Authorize(id_tag=id_tag), messages.AuthorizeAnswer() as heard:
                self._tags.answered(entry.number, id_tag, heard.id_tag_status, now)
            case messages.StartTransaction() as request, messages.StartTransactionAnswer() as heard:
                self._tags.started(request, heard.id_tag_status, now)
                self._sessions.started(entry.number, request, heard, now)
                status = heard.id_tag_status.status
                self._refused_transactions.judge(request.connector_id, entry.number, status, now)
            case messages.StopTransaction(id_tag=id_tag), messages.StopTransactionAnswer() as heard:
                self._tags.stopped(id_tag, heard.id_tag_status, now)

    def _failed(self, lost: PassingEntry | None, now: float) -> None:
        match lost and lost.request:
            case messages.BootNotification():
                self._csms.boot_failed(now)
            case messages.Heartbeat():
                self._csms.heartbeat_failed()
            case messages.Authorize(id_tag=id_tag) if lost is not None:
                self._tags.failed(lost.number, id_tag, now)
            case messages.DataTransfer() as request if lost is not None:
                self._data_transfers.failed(lost.number, request, now)
            case _ if lost is not None:
                self._firmware.concluded(lost.number)

    def _end(self, now: float) -> list[Effect]:
        self._ended = True
        for connector in self._connectors:
            self._meters.keep(connector, now)
        self._csms.publish(ChargePointState.DEAD, "closed")
        return self._outbox.take()

    # -- around every event -------------------------------------------------------------------

    def _advance(self, now: float) -> None:
        # A tick that comes late: the energy follows the limits as they changed meanwhile.
        while (changed_at := self._smart_charging.change_until(now)) is not None:
            self._count(changed_at)
            self._sessions.settle(changed_at, self._smart_charging.apply(changed_at))
        self._count(now)

    def _count(self, now: float) -> None:
        for connector in self._connectors:
            connector.advance(now)

    def _concluded(
        self, now: float, fresh: frozenset[int] | set[int] = frozenset()
    ) -> list[Effect]:
        self._firmware.settle(now)
        self._availability.settle(now)
        self._reservations.settle(now)
        self._sessions.settle(now, self._smart_charging.apply(now))
        self._meters.plan(self._connectors, now)
        for connector in self._connectors:
            self._publish(connector, now, fresh=connector.connector_id in fresh)
        self._show_station(now)
        self._reboot_when_due(now)
        if not self._rebooting:
            self._queue.flush(now)
        return self._outbox.take()

    def _reboot_when_due(self, now: float) -> None:
        if self._resets.settle(now) and not self._rebooting:
            # Answers are still heard, but nothing new is said.
            self._rebooting = True
            for connector in self._connectors:
                self._meters.keep(connector, now)

    def _publish(self, connector: Connector, now: float, *, fresh: bool) -> None:
        silent = connector.status()
        # The register alone is no news: it moves all the time.
        if fresh or silent != self._published.get(connector.connector_id):
            self._published[connector.connector_id] = silent
            status = connector.metered(silent, now)
            self._outbox.put(PublishConnector(connector_id=connector.connector_id, status=status))
            self._meters.keep(connector, now)

    # -- connectors ---------------------------------------------------------------------------

    def _connector(self, connector_id: int) -> Connector:
        if not 1 <= connector_id <= len(self._connectors):
            raise UnknownConnectorError(
                self._settings.charge_point_id, connector_id, len(self._connectors)
            )
        return self._connectors[connector_id - 1]

    def _show_station(self, now: float) -> None:
        faults = self._faults.of_station
        state = ConnectorState.FAULTED if faults else self._availability.state
        self._board.show(0, state, faults.error_code, now)
