"""How the station stands with its CSMS: link, registration, heartbeats."""

from random import Random

from cp_image.api.payloads import ChargePointState
from cp_image.core.boot import Registration
from cp_image.core.configuration_keys import SECONDS_MAX, Configuration, Key
from cp_image.core.effects import PublishStation, SetSilence
from cp_image.core.messages import (
    BootAnswer,
    BootNotification,
    Heartbeat,
    HeartbeatAnswer,
    RegistrationStatus,
)
from cp_image.core.outbox import Outbox
from cp_image.core.request_queue import PassingEntry, RequestQueue
from cp_image.core.settings import StationSettings
from cp_image.core.station_clock import StationClock
from cp_image.core.status_board import StatusBoard


class CsmsRelation:
    """Boots once, says Heartbeat, and publishes how it stands."""

    def __init__(
        self,
        *,
        settings: StationSettings,
        configuration: Configuration,
        queue: RequestQueue,
        board: StatusBoard,
        clock: StationClock,
        random: Random,
        outbox: Outbox,
    ) -> None:
        self._settings = settings
        self._configuration = configuration
        self._queue = queue
        self._board = board
        self._clock = clock
        self._outbox = outbox
        self._registration = Registration(settings.real_s, random)
        self._linked = False
        self._heartbeat_at: float | None = None
        self._heartbeat_waits = False
        self._published: PublishStation | None = None
        self._silent: bool | None = None
        configuration.on_change(Key.HEARTBEAT_INTERVAL, self._interval_changed)

    @property
    def accepted(self) -> bool:
        """Whether the CSMS has accepted the charge point."""
        return self._registration.accepted

    @property
    def rejected(self) -> bool:
        """Whether the CSMS has rejected the charge point, which therefore says nothing."""
        return self._registration.status is RegistrationStatus.REJECTED

    @property
    def linked(self) -> bool:
        """Whether the WebSocket is open."""
        return self._linked

    def publish(self, status: ChargePointState, reason: str = "") -> None:
        """Publish how it stands, if that is news."""
        if status is not ChargePointState.DEAD:
            # What is not verified is said as long as it is so.
            reason = "; ".join(filter(None, (reason, self._settings.security.warning)))
        news = PublishStation(status=status, reason=reason)
        if news != self._published:
            self._published = news
            self._outbox.put(news)

    def connected(self, now: float) -> None:
        """The WebSocket is open."""
        self._linked = True
        self._tell_silence()
        self._queue.connect()
        if self._registration.accepted:
            # OCPP 1.6 §4.2: a mere reconnect sends no BootNotification.
            self.publish(ChargePointState.ACCEPTED)
            self._board.report_changed(now)
            self._plan_heartbeat(now)
            return
        pending = self._registration.status is RegistrationStatus.PENDING
        self.publish(
            ChargePointState.PENDING if pending else ChargePointState.REJECTED,
            "connected, BootNotification not accepted yet",
        )
        self._registration.connected(now)
        self._ask(now)

    def disconnected(self, reason: str) -> list[PassingEntry]:
        """The WebSocket is closed or could not be opened; returns the requests that are lost."""
        self._linked = False
        self._heartbeat_at = None
        self._heartbeat_waits = False
        self.publish(ChargePointState.DISCONNECTED, reason)
        self._board.link_broken()
        return self._queue.disconnect()

    def boot_answered(self, answer: BootAnswer, now: float) -> None:
        """The CSMS has answered the BootNotification."""
        self._clock.set(answer.csms_at, now)
        was_accepted = self._registration.accepted
        wait_s = self._registration.answered(answer, now)
        self._queue.register(accepted=self._registration.accepted)
        self._tell_silence()
        if self._registration.accepted:
            if answer.interval_s > 0:
                interval_s = str(min(answer.interval_s, SECONDS_MAX))
                self._configuration.change(Key.HEARTBEAT_INTERVAL, interval_s, now)
            self.publish(ChargePointState.ACCEPTED)
            if not was_accepted:
                self._board.report_all()
            self._plan_heartbeat(now)
            return
        self._heartbeat_at = None
        if self.rejected:
            self._queue.drop_triggered()
        pending = answer.status is RegistrationStatus.PENDING
        self.publish(
            ChargePointState.PENDING if pending else ChargePointState.REJECTED,
            f"BootNotification answered {answer.status}, again in {wait_s:.0f} s",
        )

    def boot_failed(self, now: float) -> None:
        """The CSMS did not answer the BootNotification, or with an error."""
        if self._registration.accepted:
            return  # it was a triggered one
        wait_s = self._registration.failed(now)
        pending = self._registration.status is RegistrationStatus.PENDING
        self.publish(
            ChargePointState.PENDING if pending else ChargePointState.REJECTED,
            f"BootNotification not answered, again in {wait_s:.0f} s",
        )

    def heartbeat_answered(self, answer: HeartbeatAnswer, now: float) -> None:
        """The CSMS has said what time it is."""
        self._heartbeat_waits = False
        self._clock.set(answer.csms_at, now)

    def heartbeat_failed(self) -> None:
        """The CSMS did not answer a Heartbeat: the next one comes in its own time."""
        self._heartbeat_waits = False

    def boot_now(self) -> None:
        """Send a BootNotification, whatever the interval: the CSMS wants it (OCPP 1.6 §5.17)."""
        if self._registration.accepted or self._registration.retry_at is not None:
            self._boot()

    def heartbeat_now(self) -> None:
        """Send a Heartbeat: the CSMS wants it (OCPP 1.6 §5.17)."""
        self._queue.push(Heartbeat(), triggered=True)

    def tick(self, now: float) -> None:
        """Do what is due."""
        if self._linked:
            self._ask(now)
        if self._heartbeat_at is not None and now >= self._heartbeat_at:
            self._plan_heartbeat(now)
            if not self._heartbeat_waits:
                self._heartbeat_waits = True
                self._queue.push(Heartbeat())

    def next_deadline(self) -> float | None:
        """Return when `tick` has something to do; None when it has not."""
        return self._heartbeat_at or (self._registration.retry_at if self._linked else None)

    def _tell_silence(self) -> None:
        # OCPP 1.6 §4.2: what cannot even be read is no more answered than anything else.
        if self._silent is not self.rejected:
            self._silent = self.rejected
            self._outbox.put(SetSilence(silent=self.rejected))

    def _ask(self, now: float) -> None:
        if self._registration.due(now):
            self._boot()

    def _boot(self) -> None:
        self._registration.asked()
        self._queue.push(
            BootNotification(
                vendor=self._settings.vendor,
                model=self._settings.model,
                serial=self._settings.serial,
                firmware_version=self._settings.firmware_version,
            )
        )

    def _interval_changed(self, now: float) -> None:
        if self._linked and self._registration.accepted:
            self._plan_heartbeat(now)

    def _plan_heartbeat(self, now: float) -> None:
        interval_s = self._configuration.integer(Key.HEARTBEAT_INTERVAL)
        self._heartbeat_at = now + interval_s if interval_s > 0 else None
