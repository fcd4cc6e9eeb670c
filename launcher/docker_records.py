"""From the Docker engine's JSON to the launcher's records. Pure."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any, Final

from launcher import container
from launcher.engine import (
    ContainerDied,
    ContainerRecord,
    ContainerState,
    PostMortem,
    VolumeRecord,
)

LOG: Final = logging.getLogger(__name__)


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
        )
    return records


def volume_records(listing: Mapping[str, Any]) -> dict[str, VolumeRecord]:
    """Return the charge points in a listing of volumes (`GET /volumes`) by id."""
    records: dict[str, VolumeRecord] = {}
    for entry in listing["Volumes"] or ():
        labels = entry["Labels"] or {}
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


def death(event: Mapping[str, Any]) -> ContainerDied:
    """Return what a `die` event of a charge point's container says."""
    attributes = event["Actor"]["Attributes"]
    return ContainerDied(
        charge_point_id=attributes[container.ID_LABEL],
        container_id=event["Actor"]["ID"],
        exit_code=int(attributes["exitCode"]),
    )


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
    )
