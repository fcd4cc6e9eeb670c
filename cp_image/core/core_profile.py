"""What the CSMS does to transactions and locks: OCPP 1.6 §5.4, §5.11, §5.12, §5.18."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from cp_image.api.payloads import StopReason
from cp_image.core.configuration_keys import Configuration, Key
from cp_image.core.connector import Connector
from cp_image.core.csms_messages import (
    AcceptanceStatus,
    ChargingProfile,
    ClearCache,
    ClearCacheAnswer,
    RemoteStartTransaction,
    RemoteStartTransactionAnswer,
    RemoteStopTransaction,
    RemoteStopTransactionAnswer,
    UnlockConnector,
    UnlockConnectorAnswer,
    UnlockStatus,
)
from cp_image.core.desk import Handler, Reply
from cp_image.core.effects import LogLevel
from cp_image.core.outbox import Outbox
from cp_image.core.sessions import Sessions
from cp_image.core.tag_reader import TagReader


class TxProfiles(Protocol):
    """What is used of smart charging."""

    def accepts_tx_profile(self, connector: Connector, profile: ChargingProfile) -> bool:
        """Return whether the profile may come with a remote start."""

    def assign_tx_profile(self, connector: Connector, profile: ChargingProfile, now: float) -> None:
        """Give the profile to the transaction that has just started, or is about to."""


class CoreProfile:
    """Remote start and stop, unlocking, and the cache.

    Args:
        tx_profiles: where a profile that comes with a remote start goes; None ignores it, as §5.11
            wants it of a charge point without smart charging.
        open_for_remote: whether transactions may be started and stopped by the CSMS now.
        clear_cache: empties the authorization cache.
    """

    def __init__(
        self,
        *,
        connectors: Sequence[Connector],
        sessions: Sessions,
        tags: TagReader,
        tx_profiles: TxProfiles | None,
        configuration: Configuration,
        open_for_remote: Callable[[], bool],
        clear_cache: Callable[[], None],
        outbox: Outbox,
    ) -> None:
        self._connectors = connectors
        self._sessions = sessions
        self._tags = tags
        self._tx_profiles = tx_profiles
        self._configuration = configuration
        self._open_for_remote = open_for_remote
        self._clear_cache = clear_cache
        self._outbox = outbox

    def handlers(self) -> Mapping[type[Any], Handler]:
        """Return what it answers."""
        return {
            ClearCache: self._clear,
            RemoteStartTransaction: self._start,
            RemoteStopTransaction: self._stop,
            UnlockConnector: self._unlock,
        }

    def _clear(self, _request: ClearCache, _now: float) -> Reply:
        # §5.4: without a cache in use there is nothing that could be executed.
        if not self._configuration.boolean(Key.AUTHORIZATION_CACHE_ENABLED):
            return Reply(answer=ClearCacheAnswer(status=AcceptanceStatus.REJECTED))
        return Reply(
            answer=ClearCacheAnswer(status=AcceptanceStatus.ACCEPTED),
            then=lambda _now: self._clear_cache(),
        )

    def _start(self, request: RemoteStartTransaction, now: float) -> Reply:
        connector = self._choose(request, now)
        if connector is None:
            return Reply(answer=RemoteStartTransactionAnswer(status=AcceptanceStatus.REJECTED))

        def start(now: float) -> None:
            self._tags.start_remotely(connector, request.id_tag, now)
            if request.charging_profile is not None and self._tx_profiles is not None:
                self._tx_profiles.assign_tx_profile(connector, request.charging_profile, now)

        return Reply(
            answer=RemoteStartTransactionAnswer(status=AcceptanceStatus.ACCEPTED), then=start
        )

    def _choose(self, request: RemoteStartTransaction, now: float) -> Connector | None:
        if not self._open_for_remote():
            self._refuse(request, "not now")  # §4.2: not while Pending
            return None
        wanted = [
            connector
            for connector in self._connectors
            if request.connector_id in {None, connector.connector_id}
        ]
        taking = [c for c in wanted if self._tags.takes_remotely(c, request.id_tag, now)]
        profile, tx_profiles = request.charging_profile, self._tx_profiles
        if profile is not None and tx_profiles is not None:
            # §5.11: only a TxProfile may come along
            taking = [c for c in taking if tx_profiles.accepts_tx_profile(c, profile)]
        if not taking:
            self._refuse(request, "no connector takes it")
            return None
        return min(taking, key=lambda c: self._tags.preference(c, request.id_tag, now))

    def _refuse(self, request: RemoteStartTransaction, why: str) -> None:
        self._outbox.log(
            LogLevel.WARNING, f"RemoteStartTransaction of tag {request.id_tag} is rejected: {why}"
        )

    def _stop(self, request: RemoteStopTransaction, _now: float) -> Reply:
        connector = next(
            (
                c
                for c in self._connectors
                if c.transaction and c.transaction.transaction_id == request.transaction_id
            ),
            None,
        )
        if connector is None or not self._open_for_remote():
            return Reply(answer=RemoteStopTransactionAnswer(status=AcceptanceStatus.REJECTED))
        return Reply(
            answer=RemoteStopTransactionAnswer(status=AcceptanceStatus.ACCEPTED),
            then=lambda now: self._sessions.stop(connector, StopReason.REMOTE, now),
        )

    def _unlock(self, request: UnlockConnector, _now: float) -> Reply:
        if not 1 <= request.connector_id <= len(self._connectors):
            return Reply(answer=UnlockConnectorAnswer(status=UnlockStatus.NOT_SUPPORTED))
        connector = self._connectors[request.connector_id - 1]

        def unlock(now: float) -> None:
            # §5.18: a transaction is finished first.
            if connector.transaction is not None:
                self._sessions.stop(connector, StopReason.UNLOCK_COMMAND, now)
            self._sessions.unlock(connector, now)

        return Reply(answer=UnlockConnectorAnswer(status=UnlockStatus.UNLOCKED), then=unlock)
