"""Where the broker of an environment is, and how to get in: what `up` wrote down.

Of a password, it is written down in which file it is.

The file is ``$XDG_STATE_HOME/cp-simu/ENVIRONMENT.json`` (``~/.local/state`` without the variable).
"""

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Self

import msgspec

from launcher.api import DEFAULT_ENVIRONMENT
from supervisor_cli.errors import ExitCode, SimuError

if TYPE_CHECKING:
    from cp_image.mqtt_link import BrokerAddress

ENVIRONMENT_VARIABLE: Final = "SIMU_ENVIRONMENT"
BROKER_VARIABLE: Final = "SIMU_BROKER"
ACCESS_VARIABLES: Final = ("SIMU_BROKER_USER", "SIMU_BROKER_PASSWORD_FILE", "SIMU_BROKER_CA")
DEFAULT_PORT: Final = 1883


class Broker(msgspec.Struct, frozen=True, kw_only=True):
    """Where an MQTT broker listens, and by what one gets in.

    Attributes:
        user: empty is anonymous.
        password_file: where the password is; empty without one.
        ca: file of whom the broker's certificate must come from; empty is no TLS.
    """

    host: Annotated[str, msgspec.Meta(min_length=1)] = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = DEFAULT_PORT
    user: str = ""
    password_file: str = ""
    ca: str = ""

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def address(self) -> "BrokerAddress":
        """Return what a link connects to.

        Raises:
            SimuError: a file cannot be used (exit code 2).
        """
        from cp_image import mqtt_link  # noqa: PLC0415 - MQTT costs 100 ms

        variables = dict(
            zip(ACCESS_VARIABLES, (self.user, self.password_file, self.ca), strict=True)
        )
        try:
            access = mqtt_link.read_access(variables)
        except ValueError as exc:
            raise SimuError(
                f"cannot use broker {self}: {exc}",
                hint="simuctl up writes down how to get in",
                exit_code=ExitCode.USAGE,
            ) from exc
        return mqtt_link.BrokerAddress(host=self.host, port=self.port, access=access)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``HOST``, ``HOST:PORT`` or ``[IPV6]:PORT``.

        Raises:
            SimuError: it is none of these (exit code 2).
        """
        host, port = text, str(DEFAULT_PORT)
        if text.startswith("["):
            host, _, rest = text[1:].partition("]")
            port = rest.removeprefix(":") or port
        elif text.count(":") == 1:
            host, _, port = text.partition(":")
        try:
            return msgspec.convert({"host": host, "port": int(port)}, cls)
        except ValueError as exc:
            raise SimuError(
                f"broker {text!r} is not HOST:PORT with a port of 1 to 65535",
                hint="for example 127.0.0.1:1883",
                exit_code=ExitCode.USAGE,
            ) from exc


def resolve_environment(given: str | None) -> str:
    """Return the environment's name: as given, else ``SIMU_ENVIRONMENT``, else the default."""
    return given or os.environ.get(ENVIRONMENT_VARIABLE) or DEFAULT_ENVIRONMENT


def resolve_broker(environment: str, given: Broker | None = None) -> Broker:
    """Return the broker, and how to get in: as variables say, else as `up` wrote for that broker.

    The broker is as given, else ``SIMU_BROKER``, else what `up` wrote, else where the engine says
    that the environment's broker listens, else the default.

    Raises:
        SimuError: the environment variable is no address (exit code 2).
    """
    named = os.environ.get(BROKER_VARIABLE)
    broker = given or (Broker.parse(named) if named else None)
    written = load(environment)
    if written is None and broker is None:
        # Only now: the engine's client costs 200 ms.
        from supervisor_cli.published_broker import published_broker  # noqa: PLC0415

        written = published_broker(environment)
    written = written or Broker()
    if broker is None or (broker.host, broker.port) == (written.host, written.port):
        broker = written
    access = {
        field: os.environ[variable]
        for field, variable in zip(("user", "password_file", "ca"), ACCESS_VARIABLES, strict=True)
        if os.environ.get(variable)
    }
    return msgspec.structs.replace(broker, **access)


def path(environment: str) -> Path:
    """Return the state file of an environment."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "cp-simu" / f"{environment}.json"


def load(environment: str) -> Broker | None:
    """Return the broker `up` wrote down; None without a file, or with a broken one."""
    try:
        return msgspec.json.decode(path(environment).read_bytes(), type=Broker)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None  # the default is tried, and its error says what to do


def save(environment: str, broker: Broker) -> None:
    """Write down where the broker of an environment listens; readers see all of it or nothing.

    Raises:
        SimuError: the file cannot be written.
    """
    target = path(environment)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as draft:
            draft.write(msgspec.json.encode(broker))
        Path(draft.name).replace(target)
    except OSError as exc:
        raise SimuError(
            f"cannot write {target}: {exc.strerror}",
            hint="set XDG_STATE_HOME to a directory that can be written",
        ) from exc


def forget(environment: str) -> None:
    """Remove what was written down about an environment, if anything.

    Raises:
        SimuError: the file cannot be removed.
    """
    target = path(environment)
    try:
        target.unlink(missing_ok=True)
    except OSError as exc:
        raise SimuError(f"cannot remove {target}: {exc.strerror}") from exc
