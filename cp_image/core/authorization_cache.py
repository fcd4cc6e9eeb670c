"""The authorization cache: what the CSMS last said of each tag (OCPP 1.6 §3.5.1)."""

from collections.abc import Mapping
from typing import Final

from cp_image.api.value import Value
from cp_image.core.configuration_keys import Configuration, Key
from cp_image.core.id_tag import folded
from cp_image.core.messages import AuthorizationStatus, IdTagStatus
from cp_image.core.outbox import Outbox
from cp_image.core.tag_standing import standing

CACHE_LIMIT: Final = 1000
"""Tags the cache holds unless told otherwise."""

_PREFIX: Final = "authorization-cache/"


class CachedTag(Value):
    """``authorization-cache/TAG``; `turn` grows with each use: the least is the oldest."""

    status: IdTagStatus
    turn: int


class AuthorizationCache:
    """Remembers the newest verdict on each tag, good or bad, through a power cut.

    Args:
        limit: how many tags it holds at most.
    """

    def __init__(
        self,
        *,
        stored: Mapping[str, bytes],
        configuration: Configuration,
        outbox: Outbox,
        limit: int = CACHE_LIMIT,
    ) -> None:
        self._configuration = configuration
        self._outbox = outbox
        self._limit = limit
        self._tags: dict[str, CachedTag] = {}  # the least recently used first
        self._turn = 0
        self._restore(stored)

    def __len__(self) -> int:
        return len(self._tags)

    @property
    def enabled(self) -> bool:
        """Whether it is looked into and filled (§9.1 AuthorizationCacheEnabled)."""
        return self._configuration.boolean(Key.AUTHORIZATION_CACHE_ENABLED)

    def find(self, id_tag: str, at: float) -> IdTagStatus | None:
        """Return what is known of a tag at an instant of station time; None where nothing is."""
        cached = self._tags.get(folded(id_tag))
        return standing(cached.status, at) if cached is not None and self.enabled else None

    def touch(self, id_tag: str) -> None:
        """A tag was authorized by the cache: it is the last to be pushed out."""
        cached = self._tags.get(folded(id_tag))
        if cached is not None and cached.turn != self._turn:
            self._put(id_tag, cached.status)

    def learn(self, id_tag: str, status: IdTagStatus, at: float) -> None:
        """Take over what the CSMS says of a tag."""
        if not self.enabled or self._limit <= 0:
            return
        cached = self._tags.get(folded(id_tag))
        if cached is None:
            self._make_room(at)
        elif cached.turn == self._turn and cached.status == status:
            return
        self._put(id_tag, status)

    def forget(self, id_tag: str) -> None:
        """Drop a tag, if it is there."""
        if self._tags.pop(folded(id_tag), None) is not None:
            self._outbox.forget(_key(id_tag))

    def clear(self) -> None:
        """Drop everything (OCPP 1.6 §5.4 ClearCache)."""
        for id_tag in tuple(self._tags):
            self.forget(id_tag)

    def _put(self, id_tag: str, status: IdTagStatus) -> None:
        self._turn += 1
        cached = CachedTag(status=status, turn=self._turn)
        self._tags.pop(folded(id_tag), None)
        self._tags[folded(id_tag)] = cached
        self._outbox.keep(_key(id_tag), cached)

    def _make_room(self, at: float) -> None:
        # §3.5.1: what is not valid goes first, then the oldest.
        if len(self._tags) < self._limit:
            return
        for id_tag, cached in tuple(self._tags.items()):
            if standing(cached.status, at).status is not AuthorizationStatus.ACCEPTED:
                self.forget(id_tag)
        while len(self._tags) >= self._limit:
            self.forget(next(iter(self._tags)))

    def _restore(self, stored: Mapping[str, bytes]) -> None:
        found: dict[str, CachedTag] = {}
        for key in stored:
            if key.startswith(_PREFIX):
                cached = self._outbox.recall(stored, key, CachedTag)
                if cached is not None:
                    found[key.removeprefix(_PREFIX)] = cached
        self._tags = dict(sorted(found.items(), key=lambda item: item[1].turn))
        self._turn = max((cached.turn for cached in found.values()), default=0)


def _key(id_tag: str) -> str:
    return f"{_PREFIX}{folded(id_tag)}"
