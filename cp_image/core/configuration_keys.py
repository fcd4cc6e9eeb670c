"""The OCPP configuration keys of one station, with their values."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from cp_image.core.configuration_key import (
    ConfigurationError,
    ConfigurationKey,
    Key,
    ValueType,
    split_list,
)
from cp_image.core.declared_keys import KEYS, SAMPLED_MEASURANDS, SECONDS_MAX
from cp_image.core.effects import LogLevel, PublishConfiguration
from cp_image.core.outbox import Outbox

__all__ = [
    "KEYS",
    "SAMPLED_MEASURANDS",
    "SECONDS_MAX",
    "Configuration",
    "ConfigurationError",
    "ConfigurationKey",
    "Key",
    "ValueType",
    "split_list",
]

_RECORD: Final = "configuration/"
"""Followed by the name of the key: a value the CSMS has changed."""


class Configuration:
    """The values of one station; whoever reads one reads the live value.

    Args:
        overrides: values that differ from the defaults.
        nb_connectors: what NumberOfConnectors says, whatever `overrides` holds.
        nb_phases: how many phases a connector has.
        stored: what was kept of an earlier life: it goes before `overrides`.
        outbox: where changes are kept; None keeps nothing.
        declared: the keys there are.

    Raises:
        ConfigurationError: `overrides` names a key that does not exist or a value it refuses.
    """

    def __init__(
        self,
        overrides: Mapping[str, str],
        *,
        nb_connectors: int,
        nb_phases: int = 3,
        stored: Mapping[str, bytes] | None = None,
        outbox: Outbox | None = None,
        declared: Iterable[ConfigurationKey] = KEYS,
    ) -> None:
        self._nb_connectors = nb_connectors
        self._outbox = outbox
        self._observers: dict[Key, list[Callable[[float], None]]] = {}
        self._keys = {key.name: key for key in declared}
        self._names = {key.name.lower(): key for key in self._keys.values()}
        self._values = {key.name: key.default for key in self._keys.values()}
        self._values[Key.NUMBER_OF_CONNECTORS] = str(nb_connectors)
        self._values[Key.CONNECTOR_PHASE_ROTATION_MAX_LENGTH] = str(nb_connectors + 1)
        rotation = "RST" if nb_phases == 3 else "NotApplicable"
        self._values[Key.CONNECTOR_PHASE_ROTATION] = ",".join(
            f"{number}.{rotation}" for number in range(nb_connectors + 1)
        )
        limits = {key.counted_by for key in self._keys.values()}
        # What says how long a list may be comes before the list.
        for name, value in sorted(overrides.items(), key=lambda item: item[0] not in limits):
            self.set(name, value)
        self._values[Key.NUMBER_OF_CONNECTORS] = str(nb_connectors)
        self._restore(stored or {})

    def keys(self) -> Sequence[ConfigurationKey]:
        """Return all keys, sorted by name."""
        return sorted(self._keys.values(), key=lambda key: key.name)

    def find(self, name: str) -> ConfigurationKey | None:
        """Return the key of a name, in whatever case (OCPP 1.6 §6.6); None where there is none."""
        return self._names.get(name.lower())

    def check(self, key: ConfigurationKey, value: str) -> None:
        """Refuse what a key does not take.

        Raises:
            ConfigurationError: the key refuses the value.
        """
        key.check(value)
        if key.counted_by is not None:
            limit = self.integer(key.counted_by)
            if len(split_list(value)) > limit:
                rule = f"has at most {limit} elements, says {key.counted_by}"
                raise ConfigurationError(key.name, value, rule)
        if key.by_connector:
            self._check_connectors(key, value)

    def _check_connectors(self, key: ConfigurationKey, value: str) -> None:
        told: set[int] = set()
        for element in split_list(value):
            connector_id = int(element.partition(".")[0])
            if connector_id > self._nb_connectors:
                raise ConfigurationError(key.name, value, f"has no connector {connector_id}")
            if connector_id in told:
                raise ConfigurationError(key.name, value, f"says connector {connector_id} twice")
            told.add(connector_id)

    def set(self, name: str, value: str) -> None:
        """Give a key a value as the maker of the station does: it is neither kept nor told.

        Raises:
            ConfigurationError: there is no such key, or it refuses the value.
        """
        key = self.find(name)
        if key is None:
            raise ConfigurationError(name, value, "does not exist")
        self.check(key, value)
        self._values[key.name] = key.canonical(value)

    def change(self, name: Key, value: str, now: float) -> None:
        """Give a key another value, keep it through a power cut, and tell who observes it.

        Raises:
            ConfigurationError: the key refuses the value.
        """
        before = self._values[name]
        self.set(name, value)
        held = self._values[name]
        if held == before:
            return
        if self._outbox is not None:
            self._outbox.keep(f"{_RECORD}{name}", held)
            self._outbox.put(PublishConfiguration())
        for tell in self._observers.get(name, ()):
            tell(now)

    def on_change(self, name: Key, tell: Callable[[float], None]) -> None:
        """Call `tell` with `now` each time the key has got another value."""
        self._observers.setdefault(name, []).append(tell)

    def text(self, name: Key) -> str:
        """Return the value of a key as it stands."""
        return self._values[name]

    def integer(self, name: Key) -> int:
        """Return the value of an integer key."""
        return int(self._values[name])

    def boolean(self, name: Key) -> bool:
        """Return the value of a boolean key."""
        return self._values[name].lower() == "true"

    def elements(self, name: Key) -> tuple[str, ...]:
        """Return the elements of a list key."""
        return split_list(self._values[name])

    def readable(self) -> dict[str, str]:
        """Return what may be read: the keys that hold something, sorted by name."""
        return {
            name.value: value
            for name, value in sorted(self._values.items())
            if value and self._keys[name].readable
        }

    def _restore(self, stored: Mapping[str, bytes]) -> None:
        outbox = self._outbox
        if outbox is None:
            return
        for record in sorted(stored):
            if not record.startswith(_RECORD):
                continue
            value = outbox.recall(stored, record, str)
            if value is None:
                continue
            try:
                self.set(record.removeprefix(_RECORD), value)
            except ConfigurationError as exc:
                outbox.log(LogLevel.ERROR, f"stored record {record} is dropped: {exc}")
                outbox.forget(record)
