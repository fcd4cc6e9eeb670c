"""The OCPP 1.6 §9 configuration keys of this charge point, as declared data.

None of them is `reboot_required`: whoever obeys a key reads its live value, or is told of a new
one, and so a new value is in force at once.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

from cp_image.api.payloads import ChargePointType
from cp_image.api.secrets import LONGEST_KEY_BYTES, SHORTEST_KEY_BYTES
from cp_image.api.value import replace
from cp_image.core.configuration_key import ConfigurationKey, Key, ValueType
from cp_image.core.feature_profiles import FeatureProfile
from cp_image.core.meter_values import Measurand

SECONDS_MAX: Final = 10_000_000
"""The longest interval."""

NUMBER_MAX: Final = 2**31 - 1
"""The greatest number: what a CSMS can be expected to hold."""

SAMPLED_MEASURANDS: Final = frozenset(Measurand)
"""What `cp_image.core.sampling` can measure."""

_PHASE_ROTATION: Final = r"(0|[1-9]\d*)\.(NotApplicable|Unknown|RST|RTS|SRT|STR|TRS|TSR)"
"""OCPP 1.6 §9.1 ConnectorPhaseRotation, for example ``0.RST``."""


_boolean = partial(ConfigurationKey, type=ValueType.BOOLEAN)
_number = partial(ConfigurationKey, type=ValueType.INTEGER, minimum=0, maximum=NUMBER_MAX)
_count = partial(_number, read_only=True)
_seconds = partial(
    ConfigurationKey, type=ValueType.INTEGER, minimum=0, maximum=SECONDS_MAX, unit="s"
)
_elements = partial(ConfigurationKey, type=ValueType.LIST)
_text = partial(ConfigurationKey, type=ValueType.TEXT)
_measurands = partial(ConfigurationKey, type=ValueType.LIST, allowed=SAMPLED_MEASURANDS)

_CORE: Final = (
    _boolean(name=Key.ALLOW_OFFLINE_TX_FOR_UNKNOWN_ID, default="false"),
    _boolean(name=Key.AUTHORIZATION_CACHE_ENABLED, default="true"),
    _boolean(name=Key.AUTHORIZE_REMOTE_TX_REQUESTS, default="false"),
    _number(name=Key.BLINK_REPEAT, default="0"),
    _seconds(name=Key.CLOCK_ALIGNED_DATA_INTERVAL, default="0"),
    _seconds(name=Key.CONNECTION_TIME_OUT, default="60"),
    _elements(
        name=Key.CONNECTOR_PHASE_ROTATION,
        default="",
        pattern=_PHASE_ROTATION,
        by_connector=True,
        counted_by=Key.CONNECTOR_PHASE_ROTATION_MAX_LENGTH,
    ),
    _count(name=Key.CONNECTOR_PHASE_ROTATION_MAX_LENGTH, default=""),
    _count(name=Key.GET_CONFIGURATION_MAX_KEYS, default="100", minimum=1),
    _seconds(name=Key.HEARTBEAT_INTERVAL, default="300"),
    _number(name=Key.LIGHT_INTENSITY, default="100", maximum=100, unit="%"),
    _boolean(name=Key.LOCAL_AUTHORIZE_OFFLINE, default="true"),
    _boolean(name=Key.LOCAL_PRE_AUTHORIZE, default="false"),
    _number(name=Key.MAX_ENERGY_ON_INVALID_ID, default="0", unit="Wh"),
    _measurands(
        name=Key.METER_VALUES_ALIGNED_DATA,
        default="Energy.Active.Import.Register",
        counted_by=Key.METER_VALUES_ALIGNED_DATA_MAX_LENGTH,
    ),
    _count(name=Key.METER_VALUES_ALIGNED_DATA_MAX_LENGTH, default="20"),
    _measurands(
        name=Key.METER_VALUES_SAMPLED_DATA,
        default="Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage",
        counted_by=Key.METER_VALUES_SAMPLED_DATA_MAX_LENGTH,
    ),
    _count(name=Key.METER_VALUES_SAMPLED_DATA_MAX_LENGTH, default="20"),
    _seconds(name=Key.METER_VALUE_SAMPLE_INTERVAL, default="60"),
    _seconds(name=Key.MINIMUM_STATUS_DURATION, default="0"),
    _count(name=Key.NUMBER_OF_CONNECTORS, default="", minimum=1),
    _number(name=Key.RESET_RETRIES, default="3"),
    _boolean(name=Key.STOP_TRANSACTION_ON_EV_SIDE_DISCONNECT, default="true"),
    _boolean(name=Key.STOP_TRANSACTION_ON_INVALID_ID, default="true"),
    _measurands(
        name=Key.STOP_TXN_ALIGNED_DATA, default="", counted_by=Key.STOP_TXN_ALIGNED_DATA_MAX_LENGTH
    ),
    _count(name=Key.STOP_TXN_ALIGNED_DATA_MAX_LENGTH, default="20"),
    _measurands(
        name=Key.STOP_TXN_SAMPLED_DATA, default="", counted_by=Key.STOP_TXN_SAMPLED_DATA_MAX_LENGTH
    ),
    _count(name=Key.STOP_TXN_SAMPLED_DATA_MAX_LENGTH, default="20"),
    _elements(
        name=Key.SUPPORTED_FEATURE_PROFILES,
        default=",".join(FeatureProfile),
        read_only=True,
        allowed=frozenset(FeatureProfile),
        counted_by=Key.SUPPORTED_FEATURE_PROFILES_MAX_LENGTH,
    ),
    _count(name=Key.SUPPORTED_FEATURE_PROFILES_MAX_LENGTH, default=str(len(FeatureProfile))),
    _number(name=Key.TRANSACTION_MESSAGE_ATTEMPTS, default="3"),
    _seconds(name=Key.TRANSACTION_MESSAGE_RETRY_INTERVAL, default="60"),
    _boolean(name=Key.UNLOCK_CONNECTOR_ON_EV_SIDE_DISCONNECT, default="true"),
    _seconds(name=Key.WEB_SOCKET_PING_INTERVAL, default="60"),
)

_FIRMWARE_MANAGEMENT: Final = (
    _elements(
        name=Key.SUPPORTED_FILE_TRANSFER_PROTOCOLS,
        default="HTTP,HTTPS,FTP,FTPS",
        read_only=True,
        allowed=frozenset({"HTTP", "HTTPS", "FTP", "FTPS"}),
    ),
)

_LOCAL_AUTH_LIST_MANAGEMENT: Final = (
    _boolean(name=Key.LOCAL_AUTH_LIST_ENABLED, default="true"),
    _count(name=Key.LOCAL_AUTH_LIST_MAX_LENGTH, default="10000"),
    _count(name=Key.SEND_LOCAL_LIST_MAX_LENGTH, default="1000"),
)

_RESERVATION: Final = (
    _boolean(name=Key.RESERVE_CONNECTOR_ZERO_SUPPORTED, default="true", read_only=True),
)

_SMART_CHARGING: Final = (
    _count(name=Key.CHARGE_PROFILE_MAX_STACK_LEVEL, default="100"),
    _elements(
        name=Key.CHARGING_SCHEDULE_ALLOWED_CHARGING_RATE_UNIT,
        default="Current,Power",
        read_only=True,
        allowed=frozenset({"Current", "Power"}),
    ),
    _count(name=Key.CHARGING_SCHEDULE_MAX_PERIODS, default="1440"),
    # true: numberPhases of a charging profile takes phases away from a running session, too, and
    # gives them back. false: a session stays on the phases it has begun with; numberPhases counts
    # for the next one, and a limit in W is held by fewer amperes on all of them.
    _boolean(name=Key.CONNECTOR_SWITCH_3_TO_1_PHASE_SUPPORTED, default="true", read_only=True),
    _count(name=Key.MAX_CHARGING_PROFILES_INSTALLED, default="500"),
)

_SECURITY: Final = (
    _boolean(name=Key.ADDITIONAL_ROOT_CERTIFICATE_CHECK, default="false", read_only=True),
    _text(
        name=Key.AUTHORIZATION_KEY,
        default="",
        readable=False,
        # Security Whitepaper, ed. 3: the hexadecimal form of 16 to 20 bytes.
        minimum=2 * SHORTEST_KEY_BYTES,
        maximum=2 * LONGEST_KEY_BYTES,
        pattern=r"(?:[0-9A-Fa-f]{2})+",
    ),
    _number(name=Key.CERT_SIGNING_REPEAT_TIMES, default="3"),
    _seconds(name=Key.CERT_SIGNING_WAIT_MINIMUM, default="60"),
    _count(name=Key.CERTIFICATE_SIGNED_MAX_CHAIN_SIZE, default="10000", maximum=10_000),
    _count(name=Key.CERTIFICATE_STORE_MAX_LENGTH, default="20"),
    _text(name=Key.CPO_NAME, default="", maximum=64),
    _boolean(name=Key.DISABLE_SECURITY_EVENT_NOTIFICATIONS, default="false"),
    _number(name=Key.SECURITY_PROFILE, default="0", maximum=3),
)

# They are held and told, and change nothing: no car of this charge point identifies itself.
_PLUG_AND_CHARGE: Final = (
    _boolean(name=Key.CENTRAL_CONTRACT_VALIDATION_ALLOWED, default="false"),
    _boolean(name=Key.CONTRACT_VALIDATION_OFFLINE, default="false"),
    _boolean(name=Key.ISO15118_CERTIFICATE_MANAGEMENT_ENABLED, default="false"),
    _boolean(name=Key.ISO15118_PNC_ENABLED, default="false"),
)

KEYS: Final = (
    *_CORE,
    *_FIRMWARE_MANAGEMENT,
    *_LOCAL_AUTH_LIST_MANAGEMENT,
    *_RESERVATION,
    *_SMART_CHARGING,
    *_SECURITY,
    *_PLUG_AND_CHARGE,
)


def keys_of(type_: ChargePointType) -> Sequence[ConfigurationKey]:
    """Return the keys as a charge point for AC or DC takes them."""
    if type_ is ChargePointType.DC:
        return KEYS
    # Only with direct current does the car tell how full it is.
    return tuple(
        key if key.allowed is None else replace(key, allowed=key.allowed - {Measurand.SOC})
        for key in KEYS
    )
