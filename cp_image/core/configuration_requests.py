"""What the CSMS asks of the configuration: OCPP 1.6 §5.3 ChangeConfiguration, §5.8."""

from collections.abc import Mapping
from typing import Any

from cp_image.core.configuration_keys import (
    Configuration,
    ConfigurationError,
    ConfigurationKey,
    Key,
)
from cp_image.core.csms_messages import (
    ChangeConfiguration,
    ChangeConfigurationAnswer,
    ConfigurationStatus,
    GetConfiguration,
    GetConfigurationAnswer,
    KeyValue,
)
from cp_image.core.desk import Handler, Reply
from cp_image.core.effects import LogLevel
from cp_image.core.outbox import Outbox


class ConfigurationRequests:
    """Lets the CSMS read and change the configuration."""

    def __init__(self, configuration: Configuration, outbox: Outbox) -> None:
        self._configuration = configuration
        self._outbox = outbox

    def handlers(self) -> Mapping[type[Any], Handler]:
        """Return what it answers."""
        return {ChangeConfiguration: self._change, GetConfiguration: self._get}

    def _change(self, request: ChangeConfiguration, _now: float) -> Reply:
        key = self._configuration.find(request.key)
        if key is None:
            return _reply(ConfigurationStatus.NOT_SUPPORTED)
        if key.read_only:
            return _reply(ConfigurationStatus.REJECTED)
        try:
            self._configuration.check(key, request.value)
        except ConfigurationError as exc:
            self._outbox.log(LogLevel.WARNING, f"ChangeConfiguration is rejected: {exc}")
            return _reply(ConfigurationStatus.REJECTED)
        status = (
            ConfigurationStatus.REBOOT_REQUIRED
            if key.reboot_required
            else ConfigurationStatus.ACCEPTED
        )
        return Reply(
            answer=ChangeConfigurationAnswer(status=status),
            then=lambda now: self._configuration.change(key.name, request.value, now),
        )

    def _get(self, request: GetConfiguration, _now: float) -> Reply:
        # §5.8: without keys all are asked for.
        if not request.keys:
            known = self._configuration.keys()
            return Reply(answer=GetConfigurationAnswer(keys=[self._value(key) for key in known]))
        # §9.1 GetConfigurationMaxKeys: a CSMS that asks for more gets the first ones.
        limit = self._configuration.integer(Key.GET_CONFIGURATION_MAX_KEYS)
        if len(request.keys) > limit:
            self._outbox.log(
                LogLevel.WARNING,
                f"GetConfiguration asks for {len(request.keys)} keys: "
                f"{Key.GET_CONFIGURATION_MAX_KEYS} is {limit}, the rest is left out",
            )
        asked = {name: self._configuration.find(name) for name in request.keys[:limit]}
        return Reply(
            answer=GetConfigurationAnswer(
                keys=[self._value(key) for key in asked.values() if key is not None],
                unknown_keys=[name for name, key in asked.items() if key is None],
            )
        )

    def _value(self, key: ConfigurationKey) -> KeyValue:
        value = self._configuration.text(key.name) if key.readable else ""
        return KeyValue(key=key.name.value, read_only=key.read_only, value=value or None)


def _reply(status: ConfigurationStatus) -> Reply:
    return Reply(answer=ChangeConfigurationAnswer(status=status))
