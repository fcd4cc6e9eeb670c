"""The FirmwareManagement profile of OCPP 1.6: firmware updates and diagnostics of a station."""

import itertools
from collections.abc import Mapping, Sequence

from cp_image.core.configuration_keys import Configuration
from cp_image.core.connector import Connector
from cp_image.core.connector_states import StateEvent
from cp_image.core.desk import Handler
from cp_image.core.diagnostics import Diagnostics
from cp_image.core.diagnostics_report import diagnostics_report
from cp_image.core.events import TransferEnded
from cp_image.core.firmware import Firmware
from cp_image.core.outbox import Outbox
from cp_image.core.request_queue import RequestQueue
from cp_image.core.sessions import Sessions
from cp_image.core.settings import StationSettings
from cp_image.core.station_clock import StationClock


class FirmwareManagement:
    """What is updated and uploaded, and what that means for the connectors."""

    def __init__(
        self,
        *,
        settings: StationSettings,
        stored: Mapping[str, bytes],
        connectors: Sequence[Connector],
        sessions: Sessions,
        configuration: Configuration,
        queue: RequestQueue,
        clock: StationClock,
        outbox: Outbox,
    ) -> None:
        self._connectors = connectors
        self._sessions = sessions
        transfer_numbers = itertools.count(1)
        self.firmware = Firmware(
            stored=stored,
            connectors=connectors,
            queue=queue,
            clock=clock,
            outbox=outbox,
            transfer_numbers=transfer_numbers,
            hold=self._hold,
        )
        self.diagnostics = Diagnostics(
            charge_point_id=settings.charge_point_id,
            report=lambda at: diagnostics_report(
                settings, connectors, configuration.readable(), at
            ),
            stored=stored,
            queue=queue,
            clock=clock,
            outbox=outbox,
            transfer_numbers=transfer_numbers,
        )

    def handlers(self) -> Mapping[type, Handler]:
        """Return what answers the CSMS."""
        return {**self.firmware.handlers(), **self.diagnostics.handlers()}

    def power_up(self, now: float) -> None:
        """Go on where a former life has stopped."""
        self.firmware.power_up(now)
        self.diagnostics.power_up()

    def transfer_ended(self, event: TransferEnded, now: float) -> None:
        """A transfer is over."""
        self.firmware.transfer_ended(event, now)
        self.diagnostics.transfer_ended(event, now)

    def concluded(self, number: int) -> None:
        """The CSMS has answered the status notification with this number, or never will."""
        self.firmware.reports.concluded(number)
        self.diagnostics.reports.concluded(number)

    def link_broken(self, number: int) -> None:
        """The status notification with this number was lost with the link."""
        self.firmware.reports.link_broken(number)
        self.diagnostics.reports.link_broken(number)

    def settle(self, now: float) -> None:
        """Do what is due or has become possible; call it after every event."""
        self.firmware.settle(now)
        self.diagnostics.tick(now)

    def next_deadline(self) -> float | None:
        """Return when `settle` has something to do; None when only an event changes that."""
        deadlines = (self.firmware.next_deadline(), self.diagnostics.next_deadline())
        return min((at for at in deadlines if at is not None), default=None)

    def _hold(self, held: bool, now: float) -> None:  # noqa: FBT001 - says what becomes of them
        for connector in self._connectors:
            if connector.held is held or (held and connector.transaction is not None):
                continue
            connector.held = held
            if held:
                connector.authorization = None
                connector.checking = None
            if not connector.faults:
                event = StateEvent.DISABLE if held else connector.resting
                self._sessions.move(connector, event, now)
