"""The launcher's settings, read from environment variables."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from cp_image.api.value import replace
from cp_image.mqtt_link import ACCESS_VARIABLES, BrokerAccessError, BrokerAddress, read_access
from launcher.api import DEFAULT_ENVIRONMENT, ENVIRONMENT_PATTERN, topic_root
from launcher.container import Surroundings
from launcher.crashes import MOST_CRASHES
from launcher.networks import LARGEST_BRIDGE

SIDE_BY_SIDE: Final = 4
_MOST_SIDE_BY_SIDE: Final = 64

VARIABLES: Final[Mapping[str, str]] = {
    "SIMU_ENVIRONMENT": f"name of the environment, a DNS label [{DEFAULT_ENVIRONMENT}]",
    "SIMU_BROKER": "MQTT broker as the launcher reaches it, HOST:PORT [127.0.0.1:1883]",
    "SIMU_CHARGE_POINT_BROKER": "MQTT broker as the charge points reach it [broker:1883]",
    "SIMU_CHARGE_POINT_IMAGE": "image of the charge points [cp-simu/charge-point]",
    "SIMU_LOCALHOST_PROXY": "URL of the HTTP CONNECT proxy through which charge points reach "
    "this machine's own loopback [none]",
    "SIMU_LARGEST_BRIDGE": "charge points per network; the next one gets another "
    f"[{LARGEST_BRIDGE}]",
    "SIMU_SIDE_BY_SIDE": f"charge points that are started at a time [{SIDE_BY_SIDE}]",
    "SIMU_MOST_CRASHES": "crashes in a row after which a charge point that is to be started again "
    f"is given up [{MOST_CRASHES}]",
    "SIMU_HEARD_WITHIN": "seconds after its start within which a charge point must be heard [60]",
    **ACCESS_VARIABLES,
    "SIMU_BROKER_ACCESS_VOLUME": "volume that has the files of these for the charge points [none]",
    "SIMU_DENSE": "1 lets charge points share memory, without address-space randomisation [no]",
    "SIMU_LOG_LEVEL": "debug, info, warning or error [info]",
}
"""Every variable the launcher reads, with what it means and its default."""

_LOG_LEVELS: Final = ("debug", "info", "warning", "error")
_VOLUME: Final = re.compile(r"\A[a-zA-Z0-9][\w.-]{1,127}\Z", re.ASCII)
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
        largest_bridge: how many charge points a network takes.
        side_by_side: how many charge points are started at a time.
        most_crashes: after how many in a row a charge point is given up.
        heard_within_s: how long a charge point may take to say something after its start.
        log_level: of the launcher and of the charge points.
        broker_access_volume: has by what charge points get into the broker; None: nothing.
        dense: whether the kernel may merge the memory of charge points.
    """

    environment: str
    broker: BrokerAddress
    charge_point_broker: BrokerAddress
    charge_point_image: str
    localhost_proxy: str | None
    largest_bridge: int
    side_by_side: int
    most_crashes: int
    heard_within_s: float
    log_level: str
    broker_access_volume: str | None = None
    dense: bool = False

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
            host_broker=str(self.broker),
            largest_bridge=self.largest_bridge,
            localhost_proxy=self.localhost_proxy,
            log_level=self.log_level,
            broker_access_volume=self.broker_access_volume,
            broker_user=self.broker.access.user or "",
            broker_tls=self.broker.access.tls is not None,
            dense=self.dense,
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
    try:
        access = read_access(variables)
    except BrokerAccessError as exc:
        raise ConfigError(str(exc)) from exc
    volume = value("SIMU_BROKER_ACCESS_VOLUME", "")
    if volume and _VOLUME.search(volume) is None:
        raise ConfigError(
            f"SIMU_BROKER_ACCESS_VOLUME is {volume!r}: it must be the name of a volume"
        )
    broker = _address("SIMU_BROKER", value("SIMU_BROKER", "127.0.0.1:1883"))
    return LauncherConfig(
        environment=environment,
        broker=replace(broker, access=access),
        broker_access_volume=volume or None,
        charge_point_broker=_address(
            "SIMU_CHARGE_POINT_BROKER", value("SIMU_CHARGE_POINT_BROKER", "broker:1883")
        ),
        charge_point_image=image,
        localhost_proxy=_proxy(value("SIMU_LOCALHOST_PROXY", "")),
        largest_bridge=_whole("SIMU_LARGEST_BRIDGE", value, LARGEST_BRIDGE, most=LARGEST_BRIDGE),
        side_by_side=_whole("SIMU_SIDE_BY_SIDE", value, SIDE_BY_SIDE, most=_MOST_SIDE_BY_SIDE),
        most_crashes=_whole("SIMU_MOST_CRASHES", value, MOST_CRASHES, most=1000),
        heard_within_s=_whole("SIMU_HEARD_WITHIN", value, 60, most=86_400),
        log_level=level,
        dense=_switch("SIMU_DENSE", value("SIMU_DENSE", "0")),
    )


def _switch(name: str, text: str) -> bool:
    if text not in {"0", "1"}:
        raise ConfigError(f"{name} is {text!r}: it must be 0 or 1")
    return text == "1"


def _whole(name: str, value: Callable[[str, str], str], usual: int, *, most: int) -> int:
    text = value(name, str(usual))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
        raise ConfigError(f"{name} is {text!r}: it must be a whole number of 1 to {most}")
    return int(text)


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
