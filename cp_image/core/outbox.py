"""Collects the effects of one call of the station, in order."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from cp_image.core.effects import Effect, Log, LogLevel, Persist

T = TypeVar("T")


class Outbox:
    """Where the parts of a station put what they want done."""

    __slots__ = ("_effects",)

    def __init__(self) -> None:
        self._effects: list[Effect] = []

    def put(self, effect: Effect) -> None:
        """Add an effect."""
        self._effects.append(effect)

    def log(self, level: LogLevel, text: str) -> None:
        """Say something to the container's log."""
        self.put(Log(level=level, text=text))

    def keep(self, key: str, record: object) -> None:
        """Persist the JSON of a record."""
        self.put(Persist(key=key, value=msgspec.json.encode(record)))

    def forget(self, key: str) -> None:
        """Persist nothing under a key any more."""
        self.put(Persist(key=key, value=None))

    def take(self) -> list[Effect]:
        """Return what was put, and begin anew."""
        effects, self._effects = self._effects, []
        return effects

    def recall(self, stored: Mapping[str, bytes], key: str, kind: type[T]) -> T | None:
        """Read a record back.

        Returns:
            None where there is none. One that cannot be read is reported and forgotten: a charge
            point that never starts again would be worse.
        """
        value = stored.get(key)
        if value is None:
            return None
        try:
            return msgspec.json.decode(value, type=kind)
        except msgspec.MsgspecError as exc:
            self.log(LogLevel.ERROR, f"stored record {key} cannot be read and is dropped: {exc}")
            self.forget(key)
            return None
