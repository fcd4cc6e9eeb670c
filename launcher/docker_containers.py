"""Single calls about charge points to the Docker engine."""

import contextlib
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any, Final

import docker
from docker.errors import APIError, ImageNotFound, NotFound
from docker.types import LogConfig, Mount

from launcher import container, docker_records
from launcher.api import BROKER_ACCESS_AT
from launcher.container import ContainerRequest, Mark
from launcher.engine import (
    ContainerRecord,
    Ending,
    EngineError,
    Found,
    Marks,
    Observation,
    PostMortem,
    VolumeRecord,
)

STOP_S: Final = 10
_KILLED_WITHIN_S: Final = 60
SIGKILLED: Final = 137
_LOG_LINES: Final = 20
_LISTED_AT_A_LOOK: Final = 10
"""A look at one charge point costs the engine about as much as these in a list of all."""
_TMPFS: Final = {"/tmp": "size=8m,mode=1777,noexec,nosuid,nodev"}  # noqa: S108 - in the container
_LOG_FILES: Final = "2"


def containers(client: docker.APIClient, labels: list[str]) -> dict[str, ContainerRecord]:
    """Return the charge points' containers with these labels, by charge point id."""
    listing = client.containers(all=True, filters={"label": labels})
    return docker_records.container_records(listing)


def volumes(
    client: docker.APIClient, labels: list[str]
) -> tuple[dict[str, VolumeRecord], dict[str, Marks]]:
    """Return the volumes and the marks with these labels, by charge point id."""
    listing = client.volumes(filters={"label": labels})
    marks: dict[str, Marks] = {**docker_records.marks(listing)}
    return docker_records.volume_records(listing), marks


def observe(client: docker.APIClient, environment: str, image: str) -> Observation:
    """Return all charge points of an environment, labelled ones and those started by hand."""
    of_environment = f"{container.ENVIRONMENT_LABEL}={environment}"
    labels = [f"{key}={value}" for key, value in container.charge_point_labels(environment).items()]
    found = containers(client, labels)
    for each in _by_hand(client, environment, image):
        found.setdefault(each.charge_point_id, each)
    kept, marks = volumes(client, [of_environment])
    for charge_point_id, record in found.items():
        if needs_a_closer_look(record, marks.get(charge_point_id, {})):
            found[charge_point_id] = look_closer(client, record)
    return Observation(containers=found, volumes=kept, marks=marks)


def find(client: docker.APIClient, environment: str, charge_point_id: str) -> Found:
    """Return what there is of a labelled charge point."""
    labels = [
        f"{container.ENVIRONMENT_LABEL}={environment}",
        f"{container.ID_LABEL}={charge_point_id}",
    ]
    role = f"{container.ROLE_LABEL}={container.CHARGE_POINT_ROLE}"
    found = containers(client, [*labels, role])
    kept, marks = volumes(client, labels)
    return Found(
        container=found.get(charge_point_id),
        volume=kept.get(charge_point_id),
        marks=marks.get(charge_point_id, {}),
    )


def find_some(
    client: docker.APIClient, environment: str, charge_point_ids: Collection[str], *, of: int
) -> dict[str, Found]:
    """Return what there is of some labelled charge points.

    Args:
        client: of the engine.
        environment: its name.
        charge_point_ids: theirs.
        of: how many the environment has, as far as is known: few are looked at one by one, which
            is less than a list of all.
    """
    if len(charge_point_ids) == 1 or len(charge_point_ids) * _LISTED_AT_A_LOOK < of:
        return {each: find(client, environment, each) for each in charge_point_ids}
    of_environment = container.charge_point_labels(environment)
    found = containers(client, [f"{key}={value}" for key, value in of_environment.items()])
    kept, marks = volumes(client, [f"{container.ENVIRONMENT_LABEL}={environment}"])
    return {
        each: Found(container=found.get(each), volume=kept.get(each), marks=marks.get(each, {}))
        for each in charge_point_ids
    }


def needs_a_closer_look(record: ContainerRecord, marks: Marks) -> bool:
    """Whether more must be known than a listing says: what ended it, or since when it runs."""
    return (Mark.OFF in marks) == record.alive


def look_closer(client: docker.APIClient, record: ContainerRecord) -> ContainerRecord:
    """Return a record with what only an inspection tells."""
    try:
        state = client.inspect_container(record.container_id)["State"]
    except NotFound:
        return record
    return replace(
        record,
        out_of_memory=bool(state["OOMKilled"]),
        started_at=docker_records.epoch(state["StartedAt"]),
    )


def _by_hand(client: docker.APIClient, environment: str, image: str) -> Iterable[ContainerRecord]:
    """Yield charge points that no launcher has made.

    Those that run, by their image; those that bear the environment's label, dead or alive.
    """
    of_environment = {"label": f"{container.ENVIRONMENT_LABEL}={environment}"}
    listing = [
        *client.containers(filters={"ancestor": image}),
        *client.containers(all=True, filters=of_environment),
    ]
    for entry in {each["Id"]: each for each in listing}.values():
        if container.ROLE_LABEL in (entry["Labels"] or {}):
            continue
        with contextlib.suppress(NotFound):
            record = docker_records.by_hand(client.inspect_container(entry["Id"]), environment)
            if record is not None:
                yield record


def create(client: docker.APIClient, request: ContainerRequest) -> str:
    """Make a container, not yet started, and its volumes where they are missing; return its id.

    Raises:
        EngineError: there is no such image.
    """
    host_config = client.create_host_config(
        mounts=_mounts(request),
        network_mode=request.network,
        # The launcher starts again what crashed, and knows what was killed on purpose.
        restart_policy={"Name": "no"},
        read_only=True,
        tmpfs=_TMPFS,
        cap_drop=["ALL"],
        security_opt=_security(request),
        mem_limit=request.memory_mb * 2**20,
        # No swap: a charge point that outgrows its memory is to be seen, not to crawl.
        memswap_limit=request.memory_mb * 2**20,
        nano_cpus=round(request.cpus * 1e9),
        pids_limit=request.pids,
        log_config=LogConfig(
            type="local", config={"max-size": f"{request.log_mb}m", "max-file": _LOG_FILES}
        ),
    )
    try:
        made = client.create_container(
            request.image,
            name=request.name,
            hostname=request.hostname,
            environment=dict(request.variables),
            labels=dict(request.labels),
            host_config=host_config,
            stop_timeout=STOP_S,
            # The image has one for those who run it by hand; here the launcher itself watches.
            healthcheck={"test": ["NONE"]},
            # The proxies of ~/.docker/config.json are the launcher's, not the charge point's.
            use_config_proxy=False,
        )
    except ImageNotFound as exc:
        raise EngineError(no_image(request.image)) from exc
    return str(made["Id"])


def no_image(image: str) -> str:
    """Return the text of a missing image."""
    return f"image {image} does not exist on the engine"


def _security(request: ContainerRequest) -> list[str]:
    profile = [] if request.seccomp is None else [f"seccomp={request.seccomp}"]
    return ["no-new-privileges", *profile]


def _mounts(request: ContainerRequest) -> list[Mount]:
    # A volume that somebody has taken away meanwhile is made with its labels by the engine.
    own = dict(request.volume_labels)
    mounts = [Mount(container.STATE_DIRECTORY, request.name, type="volume", labels=own)]
    if request.secrets_volume is not None:
        mounts.append(
            Mount(
                container.SECRETS_AT,
                request.secrets_volume,
                type="volume",
                read_only=True,
                labels=dict(request.secrets_labels),
            )
        )
    if request.broker_access_volume is not None:
        mounts.append(
            Mount(BROKER_ACCESS_AT, request.broker_access_volume, type="volume", read_only=True)
        )
    return mounts


def kill(client: docker.APIClient, container_id: str) -> Ending:
    """SIGKILL by the engine, and wait until the process is gone."""
    asked_for = True
    try:
        client.kill(container_id, signal="SIGKILL")
    except APIError as exc:
        if "is not running" not in str(exc.explanation):  # it was quicker
            raise
        asked_for = False
    return Ending(exit_code=_wait(client, container_id), asked_for=asked_for)


def wait_for_end(client: docker.APIClient, container_id: str) -> Ending:
    """Wait until the engine has taken note of the end of a process that was signalled."""
    try:
        exit_code = _wait(client, container_id)
    except NotFound:  # one that was to be removed at its end
        exit_code = SIGKILLED
    return Ending(exit_code=exit_code, asked_for=exit_code == SIGKILLED)


def stop(client: docker.APIClient, container_id: str) -> Ending:
    """SIGTERM, SIGKILL where that does not help in time, and wait for the end."""
    client.stop(container_id, timeout=STOP_S)
    return Ending(exit_code=_wait(client, container_id))


def _wait(client: docker.APIClient, container_id: str) -> int:
    end = client.wait(container_id, timeout=_KILLED_WITHIN_S, condition="not-running")
    return int(end["StatusCode"])


def pause(client: docker.APIClient, container_id: str) -> None:
    """Halt every process."""
    try:
        client.pause(container_id)
    except APIError as exc:
        if "already paused" not in str(exc.explanation):
            raise


def unpause(client: docker.APIClient, container_id: str) -> None:
    """Let halted processes go on."""
    try:
        client.unpause(container_id)
    except APIError as exc:
        if "is not paused" not in str(exc.explanation):
            raise


def remove(client: docker.APIClient, container_id: str) -> None:
    """Remove a container, killing it where it runs; its anonymous volumes go with it."""
    with contextlib.suppress(NotFound):
        client.remove_container(container_id, force=True, v=True)


def post_mortem(client: docker.APIClient, container_id: str) -> PostMortem | None:
    """Return how a container ended, or None where it is gone."""
    try:
        inspection: Any = client.inspect_container(container_id)
        log = client.logs(container_id, tail=_LOG_LINES)
    except NotFound:
        return None
    return docker_records.post_mortem(inspection, log)
