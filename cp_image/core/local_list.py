"""The local authorization list, which only the CSMS changes (OCPP 1.6 §3.5.2, §5.10, §5.15)."""

from collections.abc import Mapping
from typing import Any, Final

from cp_image.api.value import Value
from cp_image.core.configuration_keys import Configuration, Key
from cp_image.core.csms_messages import (
    GetLocalListVersion,
    GetLocalListVersionAnswer,
    SendLocalList,
    SendLocalListAnswer,
    UpdateStatus,
)
from cp_image.core.desk import Handler, Reply
from cp_image.core.effects import LogLevel
from cp_image.core.feature_profiles import FeatureProfile
from cp_image.core.id_tag import folded
from cp_image.core.messages import IdTagStatus
from cp_image.core.outbox import Outbox
from cp_image.core.tag_standing import standing

_KEY: Final = "local-list"
_NOT_SUPPORTED: Final = -1


class LocalListRecord(Value):
    """``local-list``: list and version in one record, so that neither is ever without the other.

    Attributes:
        version: 0 where the list is empty.
        tags: by their folded form.
    """

    version: int
    tags: dict[str, IdTagStatus]


_EMPTY: Final = LocalListRecord(version=0, tags={})


class LocalList:
    """Knows tags by heart, and answers SendLocalList and GetLocalListVersion."""

    def __init__(
        self, *, stored: Mapping[str, bytes], configuration: Configuration, outbox: Outbox
    ) -> None:
        self._configuration = configuration
        self._outbox = outbox
        self._list = outbox.recall(stored, _KEY, LocalListRecord) or _EMPTY

    def handlers(self) -> Mapping[type[Any], Handler]:
        """Return what it answers the CSMS."""
        return {SendLocalList: self._sent, GetLocalListVersion: self._version_asked}

    @property
    def enabled(self) -> bool:
        """Whether the charge point has a list at all (§9.2 LocalAuthListEnabled)."""
        profiles = self._configuration.elements(Key.SUPPORTED_FEATURE_PROFILES)
        listed = FeatureProfile.LOCAL_AUTH_LIST_MANAGEMENT in profiles
        return listed and self._configuration.boolean(Key.LOCAL_AUTH_LIST_ENABLED)

    @property
    def version(self) -> int:
        """What the CSMS calls the list; 0 where it is empty (§5.10)."""
        return self._list.version

    def find(self, id_tag: str, at: float) -> IdTagStatus | None:
        """Return what the list says of a tag at an instant of station time.

        Returns:
            Accepted, or why not; None where the list is not used or does not know the tag.
        """
        status = self._list.tags.get(folded(id_tag)) if self.enabled else None
        return None if status is None else standing(status, at)

    def _version_asked(self, _: GetLocalListVersion, _now: float) -> Reply:
        version = self.version if self.enabled else _NOT_SUPPORTED
        return Reply(answer=GetLocalListVersionAnswer(version=version))

    def _sent(self, request: SendLocalList, _now: float) -> Reply:
        update = self._updated(request)
        if isinstance(update, UpdateStatus):
            return Reply(answer=SendLocalListAnswer(status=update))
        answer = SendLocalListAnswer(status=UpdateStatus.ACCEPTED)
        return Reply(answer=answer, then=lambda _: self._replace(update))

    def _replace(self, update: LocalListRecord) -> None:
        self._list = update
        self._outbox.keep(_KEY, update)

    def _updated(self, request: SendLocalList) -> LocalListRecord | UpdateStatus:
        """Return the list after a request, or why it stays as it is."""
        if not self.enabled:
            return UpdateStatus.NOT_SUPPORTED
        # §7.48: a differential update must be newer than the list; a full one may be anything.
        if not request.full and request.version <= self.version:
            return UpdateStatus.VERSION_MISMATCH
        why = self._fault(request)
        if why:
            return self._failed(why)
        tags = {} if request.full else dict(self._list.tags)
        for entry in request.entries:
            if entry.id_tag_status is None:
                tags.pop(folded(entry.id_tag), None)
            else:
                tags[folded(entry.id_tag)] = entry.id_tag_status
        most = self._configuration.integer(Key.LOCAL_AUTH_LIST_MAX_LENGTH)
        if len(tags) > most:
            return self._failed(f"{len(tags)} tags, LocalAuthListMaxLength is {most}")
        return LocalListRecord(version=request.version if tags else 0, tags=tags)

    def _fault(self, request: SendLocalList) -> str:
        """Return what is wrong with the request itself; empty where nothing is."""
        most = self._configuration.integer(Key.SEND_LOCAL_LIST_MAX_LENGTH)
        if len(request.entries) > most:
            return f"{len(request.entries)} entries, SendLocalListMaxLength is {most}"
        if len({folded(entry.id_tag) for entry in request.entries}) < len(request.entries):
            return "a tag stands in it twice"  # §6.47: all tags must be unique
        if request.full and any(entry.id_tag_status is None for entry in request.entries):
            return "a full list says the status of each tag"  # §7.1
        if request.entries and request.version <= 0:
            return f"version {request.version} is no list's: 0 is empty, -1 not supported"
        return ""

    def _failed(self, why: str) -> UpdateStatus:
        self._outbox.log(LogLevel.WARNING, f"SendLocalList is refused: {why}")
        return UpdateStatus.FAILED
