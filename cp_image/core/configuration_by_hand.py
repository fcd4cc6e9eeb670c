"""Configuration keys changed by somebody at the charge point: the rules are those of the CSMS."""

from typing import Final

from cp_image.core.configuration_keys import Configuration, ConfigurationError, Key
from cp_image.core.errors import NotAllowedError
from cp_image.core.events import ConfigurationWanted

_CREDENTIALS: Final = frozenset({Key.AUTHORIZATION_KEY, Key.SECURITY_PROFILE})


def configure(configuration: Configuration, wanted: ConfigurationWanted, now: float) -> None:
    """Give a key another value, as ChangeConfiguration would (OCPP 1.6 §5.3).

    Raises:
        NotAllowedError: there is no such key, it is read-only, it refuses the value, or it is
            about how the charge point proves itself.
    """
    key = configuration.find(wanted.key)
    if key is None:
        raise NotAllowedError(f"there is no configuration key {wanted.key}")
    if key.read_only:
        raise NotAllowedError(f"configuration key {key.name} is read-only")
    if key.name in _CREDENTIALS:
        # Whitepaper A05: a wrong one locks the charge point out, so the CSMS changes it, which
        # is there to fall back with; and a key does not belong on MQTT.
        raise NotAllowedError(
            f"configuration key {key.name} is changed by the CSMS, or by adding the charge point"
        )
    try:
        configuration.check(key, wanted.value)
    except ConfigurationError as exc:
        raise NotAllowedError(str(exc)) from exc
    configuration.change(key.name, wanted.value, now)
