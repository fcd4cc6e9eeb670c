"""What the options of the root command settle for every command below it."""

import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from launcher.api import ENVIRONMENT_PATTERN
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.state import Broker, resolve_broker, resolve_environment

if TYPE_CHECKING:
    from supervisor_cli.client import SimuClient
    from supervisor_cli.mirror import LinkFactory
    from supervisor_cli.secret_volumes import SecretStore

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seams:
    """What a test puts in place of the network; None is the real thing."""

    link_factory: "LinkFactory | None" = None
    secret_store: "Callable[[str], SecretStore] | None" = None
    interactive: Callable[[], bool] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The environment a command works on.

    Attributes:
        given_broker: from the option; None where it was not used.
    """

    environment: str
    given_broker: Broker | None = None
    seams: Seams = Seams()

    @property
    def broker(self) -> Broker:
        """Where the broker is: the option, ``SIMU_BROKER``, what `up` wrote, the default."""
        return resolve_broker(self.environment, self.given_broker)

    def client(self, keepalive_s: int = 60) -> "SimuClient":
        """Return a client of the environment, not yet connected.

        Args:
            keepalive_s: how often the broker has to say something; one that says nothing is
                found out after twice that time.
        """
        from supervisor_cli.client import SimuClient  # noqa: PLC0415 - MQTT costs 100 ms

        link_factory = self.seams.link_factory
        if link_factory is None:
            from cp_image.mqtt_link import MqttLink  # noqa: PLC0415

            link_factory = partial(MqttLink, keepalive_s=keepalive_s)
        return SimuClient(
            broker=self.broker, environment=self.environment, link_factory=link_factory
        )

    def secret_store(self) -> "SecretStore":
        """Return where the secrets of the environment's charge points are kept.

        Raises:
            SimuError: no engine answers.
        """
        from supervisor_cli.secret_volumes import SecretVolumes  # noqa: PLC0415 - 200 ms

        return (self.seams.secret_store or SecretVolumes)(self.environment)

    def is_interactive(self) -> bool:
        """Whether somebody can answer a question."""
        if self.seams.interactive is not None:
            return self.seams.interactive()
        return typer.get_text_stream("stdin").isatty()


def build_settings(environment: str | None, broker: str | None, seams: Seams) -> Settings:
    """Return the settings that the options of the root command ask for.

    Raises:
        SimuError: the name or the address is off (exit code 2).
    """
    name = resolve_environment(environment)
    if not re.match(ENVIRONMENT_PATTERN, name):
        raise SimuError(
            f"environment {name!r} is not 1 to 32 of a-z, 0-9 and -, with - inside only",
            hint="for example --environment ci-42",
            exit_code=ExitCode.USAGE,
        )
    return Settings(
        environment=name,
        given_broker=None if not broker else Broker.parse(broker),
        seams=seams,
    )


def settings(context: typer.Context) -> Settings:
    """Return what the root command has settled."""
    found = context.find_object(Settings)
    if found is None:
        raise TypeError("a command runs below the root command, which makes the settings")
    return found


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run what a command does on the network."""
    try:
        import asyncio  # noqa: PLC0415 - costs 50 ms that --help need not pay

        return asyncio.run(work)
    finally:
        work.close()  # which it may never have begun: Ctrl-C comes at any moment
