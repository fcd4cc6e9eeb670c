"""Builds the parts of a station, and introduces them to each other."""

from collections.abc import Mapping
from typing import Any

from cp_image.api.value import Value
from cp_image.core.authorization import Authorizer
from cp_image.core.authorization_cache import AuthorizationCache
from cp_image.core.availability import Availability
from cp_image.core.configuration_key import Key
from cp_image.core.configuration_requests import ConfigurationRequests
from cp_image.core.core_profile import CoreProfile
from cp_image.core.csms_relation import CsmsRelation
from cp_image.core.data_transfer import DataTransfers
from cp_image.core.desk import Handler
from cp_image.core.feature_profiles import FeatureProfile, supported
from cp_image.core.firmware_management import FirmwareManagement
from cp_image.core.ground import Ground
from cp_image.core.injected_faults import InjectedFaults
from cp_image.core.link_pings import LinkPings
from cp_image.core.local_list import LocalList
from cp_image.core.refusals import Refusals
from cp_image.core.refused_transactions import RefusedTransactions
from cp_image.core.remote_trigger import RemoteTrigger
from cp_image.core.reservation_profile import ReservationProfile
from cp_image.core.reset import PATIENCE_S, Resets
from cp_image.core.security import Security
from cp_image.core.sessions import Sessions
from cp_image.core.smart_charging import SmartCharging
from cp_image.core.tag_reader import TagReader
from cp_image.core.transactions import Transactions


class Parts(Value):
    """What a station directs; each part knows the others it needs."""

    transactions: Transactions
    sessions: Sessions
    local_list: LocalList
    cache: AuthorizationCache
    tags: TagReader
    refused_transactions: RefusedTransactions
    reservations: ReservationProfile
    csms: CsmsRelation
    pings: LinkPings
    data_transfers: DataTransfers
    resets: Resets
    firmware: FirmwareManagement
    smart_charging: SmartCharging
    availability: Availability
    faults: InjectedFaults
    security: Security

    @property
    def open_for_remote(self) -> bool:
        """Whether the CSMS may start and stop transactions now."""
        return self.csms.accepted and not self.resets.under_way


def assemble(ground: Ground) -> Parts:
    """Build the parts of a station."""
    connectors, stored, outbox = ground.connectors, ground.stored, ground.outbox
    configuration, queue, clock = ground.configuration, ground.queue, ground.clock
    transactions = Transactions(
        connectors=connectors,
        queue=queue,
        reservations=ground.reservations,
        meters=ground.meters,
        clock=clock,
        outbox=outbox,
    )
    sessions = Sessions(
        connectors=connectors,
        configuration=configuration,
        board=ground.board,
        reservations=ground.reservations,
        transactions=transactions,
        clock=clock,
        outbox=outbox,
    )
    local_list = LocalList(stored=stored, configuration=configuration, outbox=outbox)
    cache = AuthorizationCache(stored=stored, configuration=configuration, outbox=outbox)
    refusals = Refusals(clock=clock, outbox=outbox)
    resets = Resets(
        connectors=connectors,
        sessions=sessions,
        queue=queue,
        outbox=outbox,
        patience_s=ground.settings.real_s(PATIENCE_S),
    )
    firmware = FirmwareManagement(
        settings=ground.settings,
        stored=stored,
        connectors=connectors,
        configuration=configuration,
        queue=queue,
        clock=clock,
        outbox=outbox,
        reboot=resets.soft,
    )
    return Parts(
        transactions=transactions,
        sessions=sessions,
        local_list=local_list,
        cache=cache,
        tags=TagReader(
            connectors=connectors,
            sessions=sessions,
            authorizer=Authorizer(
                local_list=local_list,
                cache=cache,
                configuration=configuration,
                queue=queue,
                clock=clock,
            ),
            reservations=ground.reservations,
            refusals=refusals,
            configuration=configuration,
            outbox=outbox,
        ),
        refused_transactions=RefusedTransactions(
            connectors=connectors,
            sessions=sessions,
            transactions=transactions,
            configuration=configuration,
            refusals=refusals,
        ),
        reservations=ReservationProfile(
            reservations=ground.reservations,
            connectors=connectors,
            sessions=sessions,
            configuration=configuration,
            clock=clock,
            outbox=outbox,
        ),
        csms=CsmsRelation(
            settings=ground.settings,
            configuration=configuration,
            queue=queue,
            board=ground.board,
            clock=clock,
            random=ground.random,
            outbox=outbox,
        ),
        pings=LinkPings(configuration, outbox),
        data_transfers=DataTransfers(
            charge_point_id=ground.settings.charge_point_id, queue=queue, outbox=outbox
        ),
        resets=resets,
        firmware=firmware,
        security=Security(ground, firmware=firmware, reboot=resets.soft),
        smart_charging=SmartCharging(
            connectors=connectors,
            max_setpoint=ground.settings.max_setpoint,
            stored=stored,
            configuration=configuration,
            clock=clock,
            outbox=outbox,
        ),
        availability=Availability(
            connectors=connectors, sessions=sessions, stored=stored, outbox=outbox
        ),
        faults=InjectedFaults(
            connectors=connectors, sessions=sessions, stored=stored, outbox=outbox
        ),
    )


def all_handlers(ground: Ground, parts: Parts) -> Mapping[type[Any], Handler]:
    """Return what answers the CSMS: a feature profile adds its handlers here.

    Only what SupportedFeatureProfiles names has any (OCPP 1.6 §9.1).
    """
    profiles = ground.configuration.elements(Key.SUPPORTED_FEATURE_PROFILES)
    core_profile = CoreProfile(
        connectors=ground.connectors,
        sessions=parts.sessions,
        tags=parts.tags,
        tx_profiles=parts.smart_charging if FeatureProfile.SMART_CHARGING in profiles else None,
        configuration=ground.configuration,
        open_for_remote=lambda: parts.open_for_remote,
        clear_cache=parts.cache.clear,
        outbox=ground.outbox,
    )
    remote_trigger = RemoteTrigger(
        connectors=ground.connectors,
        csms=parts.csms,
        board=ground.board,
        meters=ground.meters,
        queue=ground.queue,
        firmware_status=parts.firmware.firmware.status_now,
        diagnostics_status=parts.firmware.diagnostics.status_now,
        has_firmware_management=FeatureProfile.FIRMWARE_MANAGEMENT in profiles,
    )
    handlers = {
        **ConfigurationRequests(ground.configuration, ground.outbox).handlers(),
        **parts.availability.handlers(),
        **parts.resets.handlers(),
        **core_profile.handlers(),
        **remote_trigger.handlers(),
        **parts.data_transfers.handlers(),
        **parts.local_list.handlers(),
        **parts.reservations.handlers(),
        **parts.smart_charging.handlers(),
        **parts.firmware.handlers(),
    }
    return supported({**handlers, **parts.security.handlers(handlers)}, profiles)
