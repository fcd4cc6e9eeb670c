"""What a tag is worth, with and without the CSMS: list, cache and the rules for offline."""

from cp_image.api.payloads import ErrorCode
from cp_image.core.authorization_cache import AuthorizationCache
from cp_image.core.configuration_keys import Configuration, Key
from cp_image.core.connector import Connector
from cp_image.core.local_list import LocalList
from cp_image.core.messages import (
    AuthorizationStatus,
    Authorize,
    IdTagStatus,
    StatusNotification,
)
from cp_image.core.request_queue import RequestQueue
from cp_image.core.station_clock import StationClock

_ACCEPTED = AuthorizationStatus.ACCEPTED


class Authorizer:
    """Decides what can be decided here, and remembers what the CSMS says (OCPP 1.6 §3.5)."""

    def __init__(
        self,
        *,
        local_list: LocalList,
        cache: AuthorizationCache,
        configuration: Configuration,
        queue: RequestQueue,
        clock: StationClock,
    ) -> None:
        self._local_list = local_list
        self._cache = cache
        self._configuration = configuration
        self._queue = queue
        self._clock = clock

    @property
    def online(self) -> bool:
        """Whether the CSMS can be asked."""
        return self._queue.open

    def ask(self, id_tag: str) -> int:
        """Ask the CSMS about a tag; returns the number of the Authorize in the queue."""
        return self._queue.push(Authorize(id_tag=id_tag))

    def known(self, id_tag: str, now: float) -> IdTagStatus | None:
        """Return what is known of a tag here; None where nothing is."""
        # §3.5.3: the list goes before the cache, whatever it says.
        at = self._clock.at(now)
        return self._local_list.find(id_tag, at) or self._cache.find(id_tag, at)

    def verdict(self, id_tag: str, now: float) -> IdTagStatus | None:
        """Return what is decided without the CSMS; None where it has to be asked."""
        if not self.online:
            return self.without_csms(id_tag, now)
        # §9.1 LocalPreAuthorize: known tags start at once. What is known to be bad may have
        # become good meanwhile (§3.5.1): the CSMS is asked.
        known = self.known(id_tag, now)
        if known is None or known.status is not _ACCEPTED:
            return None
        return self._used(id_tag, known) if self._flag(Key.LOCAL_PRE_AUTHORIZE) else None

    def without_csms(self, id_tag: str, now: float) -> IdTagStatus | None:
        """Return what is decided of a tag the CSMS cannot be asked about; None where nothing is."""
        known = self.known(id_tag, now)
        if known is not None and known.status is not _ACCEPTED:
            return known  # §3.5.4: rejected, whatever AllowOfflineTxForUnknownId says
        if known is not None and self._flag(Key.LOCAL_AUTHORIZE_OFFLINE):
            return self._used(id_tag, known)
        # A CSMS that is there and does not answer is no reason to trust strangers.
        if not self.online and self._flag(Key.ALLOW_OFFLINE_TX_FOR_UNKNOWN_ID):
            return known or IdTagStatus(status=_ACCEPTED)
        return None

    def learn(
        self, id_tag: str, status: IdTagStatus, now: float, *, connector: Connector | None
    ) -> None:
        """Take over what the CSMS says of a tag.

        Args:
            id_tag: as it was presented.
            status: what the CSMS says.
            now: epoch seconds.
            connector: at which it was used; None where that is not known any more.
        """
        at = self._clock.at(now)
        listed = self._local_list.find(id_tag, at)
        if listed is None:
            self._cache.learn(id_tag, status, at)
            return
        # §3.5.3: what the list knows is not in the cache. A tag in use elsewhere is a good one.
        self._cache.forget(id_tag)
        good = status.status in {_ACCEPTED, AuthorizationStatus.CONCURRENT_TX}
        if connector is not None and good is not (listed.status is _ACCEPTED):
            self._tell_conflict(connector, at)

    def _tell_conflict(self, connector: Connector, at: float) -> None:
        # §3.5.3: the CSMS is told that it contradicts the list it has sent. It is no state the
        # connector is in: how it stands follows at once.
        for error_code in (ErrorCode.LOCAL_LIST_CONFLICT, connector.faults.error_code):
            self._queue.push(
                StatusNotification(
                    connector_id=connector.connector_id,
                    status=connector.state,
                    at=at,
                    error_code=error_code.value,
                )
            )

    def _used(self, id_tag: str, status: IdTagStatus) -> IdTagStatus:
        self._cache.touch(id_tag)
        return status

    def _flag(self, key: Key) -> bool:
        return self._configuration.boolean(key)
