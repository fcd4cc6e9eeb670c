"""What all parts of a station stand on."""

from collections.abc import Iterator, Mapping, Sequence
from random import Random

from cp_image.api.payloads import ChargePointType
from cp_image.api.value import Value
from cp_image.core.certificates import CertificateReader
from cp_image.core.configuration_keys import Configuration
from cp_image.core.connector import Connector
from cp_image.core.declared_keys import keys_of
from cp_image.core.firmware_image import with_installed_version
from cp_image.core.meter_reader import KEPT_EVERY_S, MeterReader
from cp_image.core.outbox import Outbox
from cp_image.core.records import removed_in_transaction, restored
from cp_image.core.request_queue import RequestQueue
from cp_image.core.reservations import Reservations
from cp_image.core.settings import StationSettings
from cp_image.core.station_clock import StationClock
from cp_image.core.status_board import RETELL_S, StatusBoard


class Ground(Value):
    """What all parts stand on.

    Attributes:
        stored: what the former life has left.
        random: the only source of chance.
        connectors: in the order of their ids, from 1.
        removed_connectors: those the charge point has no more, but whose transaction is open.
    """

    settings: StationSettings
    stored: Mapping[str, bytes]
    random: Random
    outbox: Outbox
    configuration: Configuration
    clock: StationClock
    queue: RequestQueue
    board: StatusBoard
    connectors: Sequence[Connector]
    removed_connectors: Sequence[Connector]
    meters: MeterReader
    reservations: Reservations
    certificates: CertificateReader


def lay_ground(
    settings: StationSettings,
    *,
    stored: Mapping[str, bytes],
    random: Random,
    message_ids: Iterator[str],
    certificates: CertificateReader,
) -> Ground:
    """Build what the parts of a station stand on.

    Raises:
        ConfigurationError: the settings name a configuration key that does not exist, or a value
            it does not take.
    """
    outbox = Outbox()
    settings = with_installed_version(settings, stored, outbox)
    configuration = Configuration(
        settings.configuration,
        nb_connectors=settings.nb_connectors,
        nb_phases=1 if settings.type is ChargePointType.DC else settings.nb_phases,
        stored=stored,
        outbox=outbox,
        declared=keys_of(settings.type),
    )
    clock = StationClock(stored, outbox, follows_csms=settings.follows_csms_clock)
    queue = RequestQueue(
        stored=stored,
        outbox=outbox,
        configuration=configuration,
        message_ids=message_ids,
        call_timeout_s=settings.call_timeout_s,
    )
    connectors = [
        restored(settings, connector_id, stored, outbox)
        for connector_id in range(1, settings.nb_connectors + 1)
    ]
    return Ground(
        settings=settings,
        stored=stored,
        random=random,
        outbox=outbox,
        configuration=configuration,
        clock=clock,
        queue=queue,
        board=StatusBoard(queue, clock, configuration, retell_s=settings.real_s(RETELL_S)),
        connectors=connectors,
        removed_connectors=removed_in_transaction(settings, stored, outbox),
        meters=MeterReader(
            configuration=configuration,
            queue=queue,
            clock=clock,
            outbox=outbox,
            stored=stored,
            kept_every_s=settings.real_s(KEPT_EVERY_S),
        ),
        reservations=Reservations(connectors=connectors, stored=stored, outbox=outbox),
        certificates=certificates,
    )
