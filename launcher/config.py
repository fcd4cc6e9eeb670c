"""The launcher's settings, read from environment variables."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from cp_image.mqtt_link import BrokerAddress
from launcher.api import DEFAULT_ENVIRONMENT, ENVIRONMENT_PATTERN, topic_root
from launcher.container import Surroundings

VARIABLES: Final[Mapping[str, str]] = {
    "SIMU_ENVIRONMENT": f"name of the environment, a DNS label [{DEFAULT_ENVIRONMENT}]",
    "SIMU_BROKER": "MQTT broker as the launcher reaches it, HOST:PORT [127.0.0.1:1883]",
    "SIMU_CHARGE_POINT_BROKER": "MQTT broker as the charge points reach it [broker:1883]",
    "SIMU_CHARGE_POINT_IMAGE": "image of the charge points [cp-simu/charge-point]",
    "SIMU_LOCALHOST_PROXY": "URL of the HTTP CONNECT proxy through which charge points reach "
    "this machine's own loopback [none]",
    "SIMU_LOG_LEVEL": "debug, info, warning or error [info]",
}
"""Every variable the launcher reads, with what it means and its default."""

_LOG_LEVELS: Final = ("debug", "info", "warning", "error")
_IMAGE: Final = re.compile(r"\A[a-z0-9][\w./:@-]{0,254}\Z", re.ASCII)


class ConfigError(ValueError):
    """A variable cannot be used; the text names it, its value and the rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LauncherConfig:
    """What the launcher works with.

    Attributes:
        environment: names network, containers, volumes and the topic root.
        broker: as the launcher reaches it.
        charge_point_broker: as the charge points reach it.
        charge_point_image: the one image the launcher starts.
        localhost_proxy: None: charge points cannot reach this machine's loopback.
        log_level: of the launcher and of the charge points.
    """

    environment: str
    broker: BrokerAddress
    charge_point_broker: BrokerAddress
    charge_point_image: str
    localhost_proxy: str | None
    log_level: str

    @property
    def root(self) -> str:
        """The topic root of the environment."""
        return topic_root(self.environment)

    @property
    def surroundings(self) -> Surroundings:
        """What all charge points of the environment share."""
        return Surroundings(
            environment=self.environment,
            image=self.charge_point_image,
            broker=str(self.charge_point_broker),
            localhost_proxy=self.localhost_proxy,
            log_level=self.log_level,
        )


def from_environment(variables: Mapping[str, str]) -> LauncherConfig:
    """Read the settings; an empty variable counts as unset.

    Raises:
        ConfigError: for the first variable that cannot be used.
    """

    def value(name: str, default: str) -> str:
        return variables.get(name, "").strip() or default

    environment = value("SIMU_ENVIRONMENT", DEFAULT_ENVIRONMENT)
    if re.search(ENVIRONMENT_PATTERN, environment) is None:
        raise ConfigError(
            f"SIMU_ENVIRONMENT is {environment!r}: it must be a DNS label, 1 to 32 characters of "
            "a-z, 0-9 and '-', not beginning or ending with '-'"
        )
    image = value("SIMU_CHARGE_POINT_IMAGE", "cp-simu/charge-point")
    if _IMAGE.search(image) is None:
        raise ConfigError(f"SIMU_CHARGE_POINT_IMAGE is {image!r}: it must be the name of an image")
    level = value("SIMU_LOG_LEVEL", "info").lower()
    if level not in _LOG_LEVELS:
        raise ConfigError(f"SIMU_LOG_LEVEL is {level!r}: it must be one of {list(_LOG_LEVELS)}")
    return LauncherConfig(
        environment=environment,
        broker=_address("SIMU_BROKER", value("SIMU_BROKER", "127.0.0.1:1883")),
        charge_point_broker=_address(
            "SIMU_CHARGE_POINT_BROKER", value("SIMU_CHARGE_POINT_BROKER", "broker:1883")
        ),
        charge_point_image=image,
        localhost_proxy=_proxy(value("SIMU_LOCALHOST_PROXY", "")),
        log_level=level,
    )


def _address(name: str, text: str) -> BrokerAddress:
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        raise ConfigError(f"{name} is {text!r}: it must be HOST:PORT ({exc})") from exc
    if not host or port == 0 or parts.netloc != text or "@" in text or not text.isprintable():
        raise ConfigError(f"{name} is {text!r}: it must be HOST:PORT with a port of 1 to 65535")
    return BrokerAddress(host=host, port=1883 if port is None else port)


def _proxy(text: str) -> str | None:
    if not text:
        return None
    try:
        parts = urlsplit(text)
        complete = parts.scheme == "http" and bool(parts.hostname) and bool(parts.port)
    except ValueError:
        complete = False
    if not complete or not text.isprintable():
        raise ConfigError(f"SIMU_LOCALHOST_PROXY is {text!r}: it must be http://HOST:PORT")
    return text
