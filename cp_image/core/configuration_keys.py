"""The OCPP configuration keys as declared data, and their values on one station."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cp_image.core.messages import Measurand


class Key(StrEnum):
    """Names of the keys, as OCPP 1.6 §9 spells them."""

    CONNECTION_TIME_OUT = "ConnectionTimeOut"
    GET_CONFIGURATION_MAX_KEYS = "GetConfigurationMaxKeys"
    HEARTBEAT_INTERVAL = "HeartbeatInterval"
    METER_VALUE_SAMPLE_INTERVAL = "MeterValueSampleInterval"
    METER_VALUES_SAMPLED_DATA = "MeterValuesSampledData"
    NUMBER_OF_CONNECTORS = "NumberOfConnectors"
    STOP_TRANSACTION_ON_EV_SIDE_DISCONNECT = "StopTransactionOnEVSideDisconnect"
    STOP_TRANSACTION_ON_INVALID_ID = "StopTransactionOnInvalidId"
    SUPPORTED_FEATURE_PROFILES = "SupportedFeatureProfiles"
    TRANSACTION_MESSAGE_ATTEMPTS = "TransactionMessageAttempts"
    TRANSACTION_MESSAGE_RETRY_INTERVAL = "TransactionMessageRetryInterval"


class ValueType(StrEnum):
    """How the text of a value is read."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    LIST = "list"
    """values parted by commas"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationKey:
    """A key: what it is called, what it takes, and what it starts with.

    Attributes:
        default: as text; empty where the make of the station decides.
        read_only: to the CSMS; the maker of the station sets it all the same.
        minimum: of an integer; None is unlimited, likewise `maximum`.
        unit: of an integer; empty for a plain number.
        allowed: elements of a list; None takes any.
    """

    name: Key
    type: ValueType
    default: str
    read_only: bool = False
    minimum: int | None = None
    maximum: int | None = None
    unit: str = ""
    allowed: frozenset[str] | None = None

    def check(self, value: str) -> None:
        """Refuse what the key does not take.

        Raises:
            ConfigurationError: wrong type, beyond a limit, or an element that is not allowed.
        """
        if self.type is ValueType.BOOLEAN:
            if value.lower() not in {"true", "false"}:
                raise ConfigurationError(self.name, value, "is true or false")
        elif self.type is ValueType.INTEGER:
            self._check_integer(value)
        elif self.allowed is not None:
            wrong = [element for element in split_list(value) if element not in self.allowed]
            if wrong:
                rule = (
                    f"does not take {', '.join(wrong)}; it takes {', '.join(sorted(self.allowed))}"
                )
                raise ConfigurationError(self.name, value, rule)

    def _check_integer(self, value: str) -> None:
        digits = value.removeprefix("-")
        if not (digits.isascii() and digits.isdigit()):
            raise ConfigurationError(self.name, value, "is a whole number")
        number = int(value)
        if self.minimum is not None and number < self.minimum:
            raise ConfigurationError(self.name, value, f"is at least {self.minimum}")
        if self.maximum is not None and number > self.maximum:
            raise ConfigurationError(self.name, value, f"is at most {self.maximum}")


class ConfigurationError(ValueError):
    """A key that does not exist, or a value it does not take."""

    def __init__(self, name: str, value: str, rule: str) -> None:
        super().__init__(f"configuration key {name} cannot be '{value}': it {rule}")


def split_list(value: str) -> tuple[str, ...]:
    """Return the elements of a comma-separated value, without the empty ones."""
    return tuple(element.strip() for element in value.split(",") if element.strip())


_SECONDS_MAX: Final = 10_000_000

SAMPLED_MEASURANDS: Final = frozenset(
    {
        Measurand.ENERGY_ACTIVE_IMPORT_REGISTER,
        Measurand.POWER_ACTIVE_IMPORT,
        Measurand.POWER_OFFERED,
        Measurand.CURRENT_IMPORT,
        Measurand.CURRENT_OFFERED,
        Measurand.VOLTAGE,
    }
)
"""What `cp_image.core.sampling` can measure."""

KEYS: Final = (
    ConfigurationKey(
        name=Key.CONNECTION_TIME_OUT,
        type=ValueType.INTEGER,
        default="60",
        minimum=0,
        maximum=_SECONDS_MAX,
        unit="s",
    ),
    ConfigurationKey(
        name=Key.GET_CONFIGURATION_MAX_KEYS,
        type=ValueType.INTEGER,
        default="100",
        read_only=True,
        minimum=1,
    ),
    ConfigurationKey(
        name=Key.HEARTBEAT_INTERVAL,
        type=ValueType.INTEGER,
        default="300",
        minimum=0,
        maximum=_SECONDS_MAX,
        unit="s",
    ),
    ConfigurationKey(
        name=Key.METER_VALUE_SAMPLE_INTERVAL,
        type=ValueType.INTEGER,
        default="60",
        minimum=0,
        maximum=_SECONDS_MAX,
        unit="s",
    ),
    ConfigurationKey(
        name=Key.METER_VALUES_SAMPLED_DATA,
        type=ValueType.LIST,
        default="Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage",
        allowed=SAMPLED_MEASURANDS,
    ),
    ConfigurationKey(
        name=Key.NUMBER_OF_CONNECTORS,
        type=ValueType.INTEGER,
        default="",
        read_only=True,
        minimum=1,
    ),
    ConfigurationKey(
        name=Key.STOP_TRANSACTION_ON_EV_SIDE_DISCONNECT,
        type=ValueType.BOOLEAN,
        default="true",
        read_only=True,
    ),
    ConfigurationKey(
        name=Key.STOP_TRANSACTION_ON_INVALID_ID, type=ValueType.BOOLEAN, default="true"
    ),
    ConfigurationKey(
        name=Key.SUPPORTED_FEATURE_PROFILES, type=ValueType.LIST, default="Core", read_only=True
    ),
    ConfigurationKey(
        name=Key.TRANSACTION_MESSAGE_ATTEMPTS, type=ValueType.INTEGER, default="3", minimum=0
    ),
    ConfigurationKey(
        name=Key.TRANSACTION_MESSAGE_RETRY_INTERVAL,
        type=ValueType.INTEGER,
        default="60",
        minimum=0,
        maximum=_SECONDS_MAX,
        unit="s",
    ),
)


class Configuration:
    """The values of one station.

    Args:
        overrides: values that differ from the defaults.
        nb_connectors: what NumberOfConnectors says, whatever `overrides` holds.

    Raises:
        ConfigurationError: `overrides` names a key that does not exist or a value it refuses.
    """

    def __init__(self, overrides: Mapping[str, str], *, nb_connectors: int) -> None:
        self._keys = {key.name: key for key in KEYS}
        self._values = {key.name: key.default for key in KEYS}
        for name, value in overrides.items():
            self.set(name, value)
        self.set(Key.NUMBER_OF_CONNECTORS, str(nb_connectors))

    def set(self, name: str, value: str) -> None:
        """Give a key a value.

        Raises:
            ConfigurationError: there is no such key, or it refuses the value.
        """
        try:
            key = self._keys[Key(name)]
        except ValueError:
            raise ConfigurationError(name, value, "does not exist") from None
        key.check(value)
        self._values[key.name] = value

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
        return {name.value: value for name, value in sorted(self._values.items()) if value}
