"""What a configuration key is: its name and what it takes.

The keys themselves are declared in `cp_image.core.declared_keys`.
"""

import re
from enum import StrEnum
from typing import Final

from cp_image.api.value import Value

VALUE_MAX_LENGTH: Final = 500
"""OCPP 1.6 §6.7: a value is a CiString500Type."""


_HIDDEN: Final = "…"
"""Instead of a value that must not be read, not even in a log."""


class Key(StrEnum):
    """Names of the keys, as OCPP 1.6 §9 spells them."""

    # §9.1 Core
    ALLOW_OFFLINE_TX_FOR_UNKNOWN_ID = "AllowOfflineTxForUnknownId"
    AUTHORIZATION_CACHE_ENABLED = "AuthorizationCacheEnabled"
    AUTHORIZE_REMOTE_TX_REQUESTS = "AuthorizeRemoteTxRequests"
    BLINK_REPEAT = "BlinkRepeat"
    CLOCK_ALIGNED_DATA_INTERVAL = "ClockAlignedDataInterval"
    CONNECTION_TIME_OUT = "ConnectionTimeOut"
    CONNECTOR_PHASE_ROTATION = "ConnectorPhaseRotation"
    CONNECTOR_PHASE_ROTATION_MAX_LENGTH = "ConnectorPhaseRotationMaxLength"
    GET_CONFIGURATION_MAX_KEYS = "GetConfigurationMaxKeys"
    HEARTBEAT_INTERVAL = "HeartbeatInterval"
    LIGHT_INTENSITY = "LightIntensity"
    LOCAL_AUTHORIZE_OFFLINE = "LocalAuthorizeOffline"
    LOCAL_PRE_AUTHORIZE = "LocalPreAuthorize"
    MAX_ENERGY_ON_INVALID_ID = "MaxEnergyOnInvalidId"
    METER_VALUES_ALIGNED_DATA = "MeterValuesAlignedData"
    METER_VALUES_ALIGNED_DATA_MAX_LENGTH = "MeterValuesAlignedDataMaxLength"
    METER_VALUES_SAMPLED_DATA = "MeterValuesSampledData"
    METER_VALUES_SAMPLED_DATA_MAX_LENGTH = "MeterValuesSampledDataMaxLength"
    METER_VALUE_SAMPLE_INTERVAL = "MeterValueSampleInterval"
    MINIMUM_STATUS_DURATION = "MinimumStatusDuration"
    NUMBER_OF_CONNECTORS = "NumberOfConnectors"
    RESET_RETRIES = "ResetRetries"
    STOP_TRANSACTION_ON_EV_SIDE_DISCONNECT = "StopTransactionOnEVSideDisconnect"
    STOP_TRANSACTION_ON_INVALID_ID = "StopTransactionOnInvalidId"
    STOP_TXN_ALIGNED_DATA = "StopTxnAlignedData"
    STOP_TXN_ALIGNED_DATA_MAX_LENGTH = "StopTxnAlignedDataMaxLength"
    STOP_TXN_SAMPLED_DATA = "StopTxnSampledData"
    STOP_TXN_SAMPLED_DATA_MAX_LENGTH = "StopTxnSampledDataMaxLength"
    SUPPORTED_FEATURE_PROFILES = "SupportedFeatureProfiles"
    SUPPORTED_FEATURE_PROFILES_MAX_LENGTH = "SupportedFeatureProfilesMaxLength"
    TRANSACTION_MESSAGE_ATTEMPTS = "TransactionMessageAttempts"
    TRANSACTION_MESSAGE_RETRY_INTERVAL = "TransactionMessageRetryInterval"
    UNLOCK_CONNECTOR_ON_EV_SIDE_DISCONNECT = "UnlockConnectorOnEVSideDisconnect"
    WEB_SOCKET_PING_INTERVAL = "WebSocketPingInterval"
    # Firmware management
    SUPPORTED_FILE_TRANSFER_PROTOCOLS = "SupportedFileTransferProtocols"
    # §9.2 Local authorization list
    LOCAL_AUTH_LIST_ENABLED = "LocalAuthListEnabled"
    LOCAL_AUTH_LIST_MAX_LENGTH = "LocalAuthListMaxLength"
    SEND_LOCAL_LIST_MAX_LENGTH = "SendLocalListMaxLength"
    # §9.3 Reservation
    RESERVE_CONNECTOR_ZERO_SUPPORTED = "ReserveConnectorZeroSupported"
    # §9.4 Smart charging
    CHARGE_PROFILE_MAX_STACK_LEVEL = "ChargeProfileMaxStackLevel"
    CHARGING_SCHEDULE_ALLOWED_CHARGING_RATE_UNIT = "ChargingScheduleAllowedChargingRateUnit"
    CHARGING_SCHEDULE_MAX_PERIODS = "ChargingScheduleMaxPeriods"
    CONNECTOR_SWITCH_3_TO_1_PHASE_SUPPORTED = "ConnectorSwitch3to1PhaseSupported"
    MAX_CHARGING_PROFILES_INSTALLED = "MaxChargingProfilesInstalled"
    # Security Whitepaper, appendix
    ADDITIONAL_ROOT_CERTIFICATE_CHECK = "AdditionalRootCertificateCheck"
    AUTHORIZATION_KEY = "AuthorizationKey"
    CERT_SIGNING_REPEAT_TIMES = "CertSigningRepeatTimes"
    CERT_SIGNING_WAIT_MINIMUM = "CertSigningWaitMinimum"
    CERTIFICATE_SIGNED_MAX_CHAIN_SIZE = "CertificateSignedMaxChainSize"
    CERTIFICATE_STORE_MAX_LENGTH = "CertificateStoreMaxLength"
    CPO_NAME = "CpoName"
    DISABLE_SECURITY_EVENT_NOTIFICATIONS = "DisableSecurityEventNotifications"
    SECURITY_PROFILE = "SecurityProfile"
    # Plug and charge: Using ISO 15118 Plug & Charge with OCPP 1.6
    CENTRAL_CONTRACT_VALIDATION_ALLOWED = "CentralContractValidationAllowed"
    CONTRACT_VALIDATION_OFFLINE = "ContractValidationOffline"
    ISO15118_CERTIFICATE_MANAGEMENT_ENABLED = "ISO15118CertificateManagementEnabled"
    ISO15118_PNC_ENABLED = "ISO15118PnCEnabled"


class ValueType(StrEnum):
    """How the text of a value is read."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    LIST = "list"
    """values parted by commas"""
    TEXT = "text"


class ConfigurationKey(Value):
    """A key: what it is called, what it takes, and what it starts with.

    Attributes:
        default: as text; empty where the make of the station decides.
        read_only: to the CSMS; the maker of the station sets it all the same.
        readable: whether GetConfiguration and MQTT may say its value.
        reboot_required: whether a new value is obeyed after a reboot only.
        minimum: of an integer, or of the characters of a text; None is unlimited, likewise
            `maximum`.
        unit: of an integer; empty for a plain number.
        allowed: elements of a list; None takes any.
        pattern: of a text, or of each element of a list; None takes any.
        counted_by: the key that says how many elements a list may have; None is unlimited.
        by_connector: whether each element of a list begins with the number of a connector and a
            dot.
    """

    name: Key
    type: ValueType
    default: str
    read_only: bool = False
    readable: bool = True
    reboot_required: bool = False
    minimum: int | None = None
    maximum: int | None = None
    unit: str = ""
    allowed: frozenset[str] | None = None
    pattern: str | None = None
    counted_by: Key | None = None
    by_connector: bool = False

    def canonical(self, value: str) -> str:
        """Return how a value that has passed `check` is held: numbers in their shortest form."""
        return str(int(value)) if self.type is ValueType.INTEGER else value

    def check(self, value: str) -> None:
        """Refuse what the key does not take, whatever the other keys say.

        Raises:
            ConfigurationError: wrong type, too long, beyond a limit, or an element that is not
                allowed.
        """
        if len(value) > VALUE_MAX_LENGTH:
            raise ConfigurationError(
                self.name,
                f"{value[:20]}…" if self.readable else _HIDDEN,
                f"has at most {VALUE_MAX_LENGTH} characters",
            )
        match self.type:
            case ValueType.BOOLEAN:
                if value.lower() not in {"true", "false"}:
                    raise ConfigurationError(self.name, value, "is true or false")
            case ValueType.INTEGER:
                self._check_integer(value)
            case ValueType.LIST:
                self._check_list(value)
            case ValueType.TEXT:
                self._check_text(value)

    def _check_text(self, value: str) -> None:
        shown = value if self.readable else _HIDDEN
        least, most = self.minimum or 0, self.maximum or VALUE_MAX_LENGTH
        if not least <= len(value) <= most:
            raise ConfigurationError(self.name, shown, f"has {least} to {most} characters")
        if self.pattern is not None and not re.fullmatch(self.pattern, value, re.ASCII):
            raise ConfigurationError(self.name, shown, f"matches {self.pattern}")

    def _check_integer(self, value: str) -> None:
        digits = value.removeprefix("-")
        if not (digits.isascii() and digits.isdigit()):
            raise ConfigurationError(self.name, value, "is a whole number")
        number = int(value)
        if self.minimum is not None and number < self.minimum:
            raise ConfigurationError(self.name, value, f"is at least {self.minimum}")
        if self.maximum is not None and number > self.maximum:
            raise ConfigurationError(self.name, value, f"is at most {self.maximum}")

    def _check_list(self, value: str) -> None:
        elements = split_list(value)
        if value.strip() and len(elements) <= value.count(","):
            raise ConfigurationError(self.name, value, "has an empty element")
        twice = next((e for number, e in enumerate(elements) if e in elements[:number]), None)
        if twice is not None:
            raise ConfigurationError(self.name, value, f"says {twice} twice")
        if self.allowed is not None:
            wrong = [element for element in elements if element not in self.allowed]
            if wrong:
                rule = (
                    f"does not take {', '.join(wrong)}; it takes {', '.join(sorted(self.allowed))}"
                )
                raise ConfigurationError(self.name, value, rule)
        if self.pattern is not None:
            wrong = [e for e in elements if not re.fullmatch(self.pattern, e, re.ASCII)]
            if wrong:
                rule = f"does not take {', '.join(wrong)}; an element matches {self.pattern}"
                raise ConfigurationError(self.name, value, rule)


class ConfigurationError(ValueError):
    """A key that does not exist, or a value it does not take."""

    def __init__(self, name: str, value: str, rule: str) -> None:
        super().__init__(f"configuration key {name} cannot be '{value}': it {rule}")


def split_list(value: str) -> tuple[str, ...]:
    """Return the elements of a comma-separated value, without the empty ones."""
    return tuple(element.strip() for element in value.split(",") if element.strip())
