"""Everything `simuctl up` does, from nothing to a launcher that answers."""

import asyncio

import docker

from supervisor_cli import environment, images, readiness, state
from supervisor_cli.environment import EnvironmentSettings
from supervisor_cli.images import Report
from supervisor_cli.state import Broker


def bring_up(client: docker.DockerClient, settings: EnvironmentSettings, report: Report) -> Broker:
    """Build images, bring the environment up, and wait until its launcher answers.

    Where the broker listens is written down for later commands.

    Returns:
        Where clients on this machine reach the broker.

    Raises:
        SimuError: an image cannot be built, the engine refuses, or something does not come up.
    """
    images.ensure_images(client, report)
    running = environment.up(client, settings, report)
    everywhere = running.broker_host == "0.0.0.0"
    broker = Broker(
        host="127.0.0.1" if everywhere else running.broker_host, port=running.broker_port
    )
    state.save(settings.name, broker)
    if settings.launcher:
        report("waiting for the launcher")
        asyncio.run(readiness.launcher_answers(settings.name, broker))
    return broker
