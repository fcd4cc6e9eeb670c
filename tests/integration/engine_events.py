"""What the engine has told of a container."""

import time

import docker


def of_container(engine: docker.DockerClient, container: str, since: float) -> list[str]:
    """Return what happened to a container since a time in epoch seconds: ``die``, ``kill``, ….

    Args:
        engine: the one that has it.
        container: name or id.
        since: the engine's clock, which is this machine's.
    """
    told = engine.events(
        decode=True,
        since=int(since),
        until=int(time.time()) + 1,
        filters={"type": "container", "container": container},
    )
    return [str(event["Action"]) for event in told]
