"""Everything `simuctl up` does, from nothing to a launcher that answers."""

import asyncio
from dataclasses import replace
from pathlib import Path

import docker

from cp_image.mqtt_link import BrokerAccessError, read_password
from supervisor_cli import environment, images, readiness, remote_engine, state
from supervisor_cli.broker_lock import BrokerLock
from supervisor_cli.environment import EnvironmentSettings
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.images import Report
from supervisor_cli.state import Broker


def bring_up(client: docker.DockerClient, settings: EnvironmentSettings, report: Report) -> Broker:
    """Build images, bring the environment up, and wait until its launcher answers.

    Where the broker listens, and how to get in, is written down for later commands. A broker that
    is locked stays locked where nothing is asked for: nobody is let in by an option left out.

    Returns:
        Where clients on this machine reach the broker.

    Raises:
        SimuError: an image cannot be built, the engine refuses, or something does not come up.
    """
    remote_engine.need_reachable_broker(settings.broker_host, settings.broker_port)
    lock = locked(settings.broker_lock, _kept(settings.name))
    settings = replace(settings, broker_lock=lock)
    images.ensure_images(client, report)
    running = environment.up(client, settings, report)
    host = remote_engine.broker_address(running.broker_host)
    broker = Broker(host=host, port=running.broker_port)
    if running.lock is not None and lock is not None:
        broker = Broker(
            host=host,
            port=running.broker_port,
            user=running.lock.user or "",
            password_file=lock.password_file,
            ca=str(running.lock.ca or ""),
        )
    state.save(settings.name, broker)
    if settings.launcher:
        report("waiting for the launcher")
        asyncio.run(readiness.launcher_answers(settings.name, broker))
    return broker


def broker_lock(user: str, password_file: Path | None, *, tls: bool) -> BrokerLock | None:
    """Return the lock that is asked for, or None where nothing is.

    Args:
        user: empty lets everybody in.
        password_file: holds the user's password.
        tls: whether the broker is spoken to by TLS.

    Raises:
        SimuError: one goes without the other, or the file cannot be read (exit code 2).
    """
    if bool(user) != (password_file is not None):
        raise SimuError(
            "--broker-user and --broker-password-file go together",
            hint="a broker lets everybody in, or asks for both",
            exit_code=ExitCode.USAGE,
        )
    if not user or password_file is None:
        return BrokerLock(tls=True) if tls else None
    if ":" in user or not user.isprintable():
        raise SimuError(
            f"--broker-user {user!r}: a name has printable characters, and no colon",
            exit_code=ExitCode.USAGE,
        )
    try:
        password = read_password(password_file, "--broker-password-file")
    except BrokerAccessError as exc:
        raise SimuError(str(exc), exit_code=ExitCode.USAGE) from exc
    return BrokerLock(
        user=user, password=password, password_file=str(password_file.resolve()), tls=tls
    )


def locked(asked: BrokerLock | None, kept: BrokerLock | None) -> BrokerLock | None:
    """Return the lock for a broker that has one already: what is not asked for stays."""
    if asked is None or kept is None:
        return asked or kept
    who = asked if asked.user is not None else kept
    return replace(who, tls=asked.tls or kept.tls)


def _kept(environment_name: str) -> BrokerLock | None:
    known = state.load(environment_name)
    if known is None:
        return None
    file = Path(known.password_file) if known.password_file else None
    return broker_lock(known.user, file, tls=bool(known.ca))
