"""From the Docker engine's JSON to the launcher's records. Pure."""

import logging
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from cp_image.api.charge_point_id import charge_point_id as own_id
from launcher import container, networks
from launcher.api import DEFAULT_ENVIRONMENT, Specification, topic_root
from launcher.container import Mark
from launcher.engine import (
    Change,
    ContainerChanged,
    ContainerDied,
    ContainerRecord,
    ContainerState,
    EngineEvent,
    MarkRecord,
    NetworksChanged,
    PostMortem,
    VolumeRecord,
)
from launcher.fleet import EntryError, read_specification

LOG: Final = logging.getLogger(__name__)

_EXITED: Final = re.compile(r"\AExited \((\d+)\)")
_INSTANT: Final = re.compile(r"(\.\d{1,6})\d*")
_OF_ENVIRONMENT: Final[Mapping[str, str]] = {
    "SIMU_ID": "id",
    "SIMU_TYPE": "type",
    "SIMU_VENDOR": "vendor",
    "SIMU_MODEL": "model",
    "SIMU_SERIAL": "serial",
    "SIMU_CENTRAL_SYSTEM": "central_system",
}
_NUMBERS_OF_ENVIRONMENT: Final[Mapping[str, str]] = {
    "SIMU_NB_CONNECTORS": "nb_connectors",
    "SIMU_NB_PHASES": "nb_phases",
    "SIMU_VOLTAGE": "voltage",
    "SIMU_MAX_SETPOINT": "max_setpoint",
    "SIMU_MAX_SETPOINT_PER_CONNECTOR": "max_setpoint_per_connector",
    "SIMU_CLOCK_RATE": "clock_rate",
    "SIMU_CONFIGURATION": "configuration",
}
"""These are JSON, too."""


def container_records(listing: Iterable[Mapping[str, Any]]) -> dict[str, ContainerRecord]:
    """Return the charge points in a listing of containers (`GET /containers/json`) by id."""
    records: dict[str, ContainerRecord] = {}
    for entry in listing:
        labels = entry["Labels"]
        charge_point_id = labels.get(container.ID_LABEL, "")
        own_name = container.name(labels.get(container.ENVIRONMENT_LABEL, ""), charge_point_id)
        names = [name.lstrip("/") for name in entry["Names"]]
        if own_name not in names:
            # Somebody copied our labels; only the name is unique on an engine.
            LOG.warning("container %s has the labels of %s: ignored", names, own_name)
            continue
        records[charge_point_id] = ContainerRecord(
            charge_point_id=charge_point_id,
            container_id=entry["Id"],
            name=own_name,
            state=ContainerState(entry["State"]),
            image_id=entry["ImageID"],
            specification=container.specification_of(labels),
            fingerprint=labels.get(container.FINGERPRINT_LABEL, ""),
            exit_code=_exit_code(entry.get("Status", "")),
            **_network(entry),
        )
    return records


def by_hand(inspection: Mapping[str, Any], environment: str) -> ContainerRecord | None:
    """Return a charge point that was started from our image without a launcher.

    Args:
        inspection: of its container (`GET /containers/ID/json`).
        environment: it must be of.

    Returns:
        None where its variables are no charge point's of this environment, or it has no broker.
    """
    words = (word.partition("=") for word in inspection["Config"]["Env"] or ())
    variables = {key: value for key, _, value in words}
    of_environment = topic_root(variables.get("SIMU_ENVIRONMENT") or DEFAULT_ENVIRONMENT)
    root = variables.get("SIMU_TOPIC_ROOT") or of_environment
    charge_point_id = own_id(variables.get("SIMU_ID", ""), inspection["Config"]["Hostname"])
    if root != topic_root(environment) or not variables.get("SIMU_BROKER"):
        return None
    if not container.is_charge_point_id(charge_point_id):
        return None
    state = inspection["State"]
    return ContainerRecord(
        charge_point_id=charge_point_id,
        container_id=inspection["Id"],
        name=inspection["Name"].lstrip("/"),
        state=ContainerState(state["Status"]),
        image_id=inspection["Image"],
        specification=_specification_of_variables({**variables, "SIMU_ID": charge_point_id}),
        exit_code=None if state["Running"] else int(state["ExitCode"]),
        by_hand=True,
        **_network(inspection),
    )


def _specification_of_variables(variables: Mapping[str, str]) -> Specification | None:
    entry: dict[str, Any] = {
        field: variables[name] for name, field in _OF_ENVIRONMENT.items() if variables.get(name)
    }
    try:
        for name, field in _NUMBERS_OF_ENVIRONMENT.items():
            if variables.get(name):
                entry[field] = msgspec.json.decode(variables[name])
        return read_specification(msgspec.json.encode({"type": "AC", **entry}))
    except (EntryError, msgspec.MsgspecError):
        return None


def _network(entry: Mapping[str, Any]) -> dict[str, Any]:
    network = entry.get("HostConfig", {}).get("NetworkMode", "")
    joined = entry.get("NetworkSettings", {}).get("Networks")
    if joined is None:
        return {"network": network}
    own: Mapping[str, Any] = joined.get(network) or next(iter(joined.values()), {})
    return {"network": network, "connected": bool(joined), "address": own.get("IPAddress", "")}


def _exit_code(status: str) -> int | None:
    exited = _EXITED.search(status)
    return int(exited[1]) if exited else None


def volume_records(listing: Mapping[str, Any]) -> dict[str, VolumeRecord]:
    """Return the charge points in a listing of volumes (`GET /volumes`) by id."""
    records: dict[str, VolumeRecord] = {}
    for entry in listing["Volumes"] or ():
        labels = entry["Labels"] or {}
        if labels.get(container.ROLE_LABEL, "") != container.CHARGE_POINT_ROLE:
            continue
        charge_point_id = labels.get(container.ID_LABEL, "")
        own_name = container.name(labels.get(container.ENVIRONMENT_LABEL, ""), charge_point_id)
        if entry["Name"] != own_name:
            LOG.warning("volume %s has the labels of %s: ignored", entry["Name"], own_name)
            continue
        records[charge_point_id] = VolumeRecord(
            charge_point_id=charge_point_id,
            name=own_name,
            specification=container.specification_of(labels),
        )
    return records


def marks(listing: Mapping[str, Any]) -> dict[str, dict[Mark, MarkRecord]]:
    """Return the marks in a listing of volumes (`GET /volumes`) by charge point id."""
    known = {mark.value: mark for mark in Mark}
    records: dict[str, dict[Mark, MarkRecord]] = {}
    for entry in listing["Volumes"] or ():
        labels = entry["Labels"] or {}
        mark = known.get(labels.get(container.MARK_LABEL, ""))
        charge_point_id = labels.get(container.ID_LABEL, "")
        if mark is None or entry["Name"] != container.mark_name(
            labels.get(container.ENVIRONMENT_LABEL, ""), charge_point_id, mark
        ):
            continue
        records.setdefault(charge_point_id, {})[mark] = MarkRecord(
            mark=mark,
            specification=container.specification_of(labels),
            made_at=epoch(entry["CreatedAt"]),
            address=labels.get(container.ADDRESS_LABEL, ""),
        )
    return records


def epoch(instant: str) -> float:
    """Return the epoch seconds of an instant of the engine's, which counts nanoseconds."""
    # Python reads at most microseconds.
    return datetime.fromisoformat(_INSTANT.sub(r"\1", instant)).astimezone(UTC).timestamp()


def event(
    raw: Mapping[str, Any], environment: str, image: str, by_hand: Mapping[str, str]
) -> EngineEvent | None:
    """Return what an event of a container or a network says; None where it is nothing to us.

    Args:
        raw: as the engine tells it (`GET /events`).
        environment: it must be of.
        image: of charge points, for those that are started by hand.
        by_hand: charge point ids by the ids of containers that were started by hand.
    """
    attributes, container_id = raw["Actor"]["Attributes"], raw["Actor"]["ID"]
    if raw["Type"] == "network":
        return _event_of_network(attributes.get("name", ""), environment)
    ours = container.charge_point_labels(environment)
    if all(attributes.get(label) == value for label, value in ours.items()):
        charge_point_id = attributes.get(container.ID_LABEL, "")
    elif container_id in by_hand:
        charge_point_id = by_hand[container_id]
    elif (
        raw["Action"] == Change.START
        and attributes.get("image") == image
        and container.ROLE_LABEL not in attributes
    ):
        charge_point_id = ""  # the next look at the engine will tell
    elif raw["Action"] == Change.START and _is_neighbour(attributes, environment):
        return NetworksChanged(what=f"container {attributes.get('name', '')} has started")
    else:
        return None
    if raw["Action"] == "die":
        return ContainerDied(
            charge_point_id=charge_point_id,
            container_id=container_id,
            exit_code=int(attributes["exitCode"]),
        )
    return ContainerChanged(
        charge_point_id=charge_point_id, container_id=container_id, change=Change(raw["Action"])
    )


def _event_of_network(network: str, environment: str) -> NetworksChanged | None:
    if not networks.is_of(environment, network):
        return None
    return NetworksChanged(what=f"network {network} is gone")


def _is_neighbour(attributes: Mapping[str, str], environment: str) -> bool:
    """Whether a container is of the environment, and no charge point: it may serve all networks."""
    return attributes.get(container.ENVIRONMENT_LABEL) == environment


def post_mortem(inspection: Mapping[str, Any], log: bytes) -> PostMortem:
    """Return how a container ended.

    Args:
        inspection: of the container (`GET /containers/ID/json`).
        log: the end of what it printed.
    """
    state = inspection["State"]
    return PostMortem(
        exit_code=int(state["ExitCode"]),
        out_of_memory=bool(state["OOMKilled"]),
        last_log=tuple(log.decode(errors="replace").splitlines()),
        runs_again=bool(state["Running"]),
        finished_at=epoch(state["FinishedAt"]),
    )
