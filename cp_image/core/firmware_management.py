"""The FirmwareManagement profile of OCPP 1.6: firmware updates and diagnostics of a station."""

import itertools
from collections.abc import Callable, Mapping, Sequence

from cp_image.core.configuration_keys import Configuration
from cp_image.core.connector import Connector
from cp_image.core.desk import Handler
from cp_image.core.diagnostics import Diagnostics
from cp_image.core.diagnostics_report import diagnostics_report
from cp_image.core.events import TransferEnded
from cp_image.core.firmware import FAREWELL_S, Firmware
from cp_image.core.outbox import Outbox
from cp_image.core.request_queue import RequestQueue
from cp_image.core.settings import StationSettings
from cp_image.core.station_clock import StationClock


class FirmwareManagement:
    """What is updated and uploaded.

    Args:
        reboot: called once, with the reason and `now`, when an update was installed.
    """

    def __init__(
        self,
        *,
        settings: StationSettings,
        stored: Mapping[str, bytes],
        connectors: Sequence[Connector],
        configuration: Configuration,
        queue: RequestQueue,
        clock: StationClock,
        outbox: Outbox,
        reboot: Callable[[str, float], None],
    ) -> None:
        self.transfer_numbers = transfer_numbers = itertools.count(1)
        self.diagnostics_report: Callable[[float], str] = lambda at: diagnostics_report(
            settings, connectors, configuration.readable(), at
        )
        self.firmware = Firmware(
            stored=stored,
            connectors=connectors,
            queue=queue,
            clock=clock,
            outbox=outbox,
            transfer_numbers=transfer_numbers,
            reboot=reboot,
            farewell_s=settings.real_s(FAREWELL_S),
        )
        self.diagnostics = Diagnostics(
            charge_point_id=settings.charge_point_id,
            report=self.diagnostics_report,
            stored=stored,
            queue=queue,
            clock=clock,
            outbox=outbox,
            transfer_numbers=transfer_numbers,
        )

    def handlers(self) -> Mapping[type, Handler]:
        """Return what answers the CSMS."""
        return {**self.firmware.handlers(), **self.diagnostics.handlers()}

    def power_up(self) -> None:
        """Go on where a former life has stopped."""
        self.firmware.power_up()
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
