"""What the container of a charge point looks like. Pure.

Names, labels and environment variables come from validated values alone; image, mount and rights
are fixed here and in the engine, so that nothing that arrives over MQTT can ask for others.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from launcher.api import Specification, topic_root
from launcher.fleet import EntryError, read_specification

ENVIRONMENT_LABEL: Final = "cp-simu.environment"
ROLE_LABEL: Final = "cp-simu.role"
ID_LABEL: Final = "cp-simu.charge-point-id"
SPECIFICATION_LABEL: Final = "cp-simu.specification"
FINGERPRINT_LABEL: Final = "cp-simu.fingerprint"
CHARGE_POINT_ROLE: Final = "charge-point"
STATE_DIRECTORY: Final = "/data"

_HOST_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?"
_HOST_NAME: Final = re.compile(rf"\A{_HOST_LABEL}(?:\.{_HOST_LABEL})*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all charge points of an environment share.

    Attributes:
        image: the one image that is started.
        broker: HOST:PORT as the charge points reach it.
        localhost_proxy: through which they reach this machine's loopback; None: they cannot.
        log_level: of the charge points.
    """

    environment: str
    image: str
    broker: str
    localhost_proxy: str | None
    log_level: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerRequest:
    """The container of a charge point, ready to be made.

    Attributes:
        name: of the container and of its volume.
        hostname: None where the charge point id is no host name.
        variables: environment variables.
        labels: of the container; `volume_labels` of the volume.
        fingerprint: changes when anything of the request does.
    """

    charge_point_id: str
    name: str
    image: str
    network: str
    hostname: str | None
    variables: Mapping[str, str]
    labels: Mapping[str, str]
    volume_labels: Mapping[str, str]
    fingerprint: str


def name(environment: str, charge_point_id: str) -> str:
    """Return the name of a charge point's container and of its volume."""
    return f"{environment}.{charge_point_id}"


def charge_point_labels(environment: str) -> Mapping[str, str]:
    """Return the labels all charge points of an environment share."""
    return {ENVIRONMENT_LABEL: environment, ROLE_LABEL: CHARGE_POINT_ROLE}


def request(
    specification: Specification, surroundings: Surroundings, *, csms_on_loopback: bool
) -> ContainerRequest:
    """Return the container for a specification.

    Args:
        specification: validated.
        surroundings: of the charge point.
        csms_on_loopback: whether the CSMS is on this machine's own loopback, which a container
            reaches through a proxy only.
    """
    own_name = name(surroundings.environment, specification.id)
    variables = _variables(specification, surroundings, own_name)
    if csms_on_loopback and surroundings.localhost_proxy is not None:
        variables["SIMU_CSMS_PROXY"] = surroundings.localhost_proxy
    labels = {
        **charge_point_labels(surroundings.environment),
        ID_LABEL: specification.id,
        SPECIFICATION_LABEL: msgspec.json.encode(specification).decode(),
    }
    fingerprint = _fingerprint([surroundings.image, variables, labels])
    return ContainerRequest(
        charge_point_id=specification.id,
        name=own_name,
        image=surroundings.image,
        network=surroundings.environment,
        hostname=_hostname(specification.id),
        variables=variables,
        labels={**labels, FINGERPRINT_LABEL: fingerprint},
        volume_labels=labels,
        fingerprint=fingerprint,
    )


def specification_of(labels: Mapping[str, str]) -> Specification | None:
    """Return the specification in the labels of a container or volume, if it can be read."""
    try:
        return read_specification(labels.get(SPECIFICATION_LABEL, "").encode())
    except EntryError:
        return None


def _variables(
    specification: Specification, surroundings: Surroundings, container: str
) -> dict[str, str]:
    variables = {
        "SIMU_ID": specification.id,
        "SIMU_CENTRAL_SYSTEM": specification.central_system,
        "SIMU_TYPE": specification.type.value,
        "SIMU_VENDOR": specification.vendor,
        "SIMU_MODEL": specification.model,
        "SIMU_SERIAL": specification.serial,
        "SIMU_NB_CONNECTORS": str(specification.nb_connectors),
        "SIMU_NB_PHASES": str(specification.nb_phases),
        "SIMU_VOLTAGE": repr(specification.voltage),
        "SIMU_MAX_SETPOINT": repr(specification.max_setpoint),
        "SIMU_MAX_SETPOINT_PER_CONNECTOR": repr(specification.max_setpoint_per_connector),
        "SIMU_BROKER": surroundings.broker,
        "SIMU_TOPIC_ROOT": topic_root(surroundings.environment),
        "SIMU_STATE_DIRECTORY": STATE_DIRECTORY,
        "SIMU_CONTAINER": container,
        "SIMU_LOG_LEVEL": surroundings.log_level,
        "SIMU_CLOCK_RATE": repr(specification.clock_rate),
        "SIMU_CONFIGURATION": msgspec.json.encode(specification.configuration).decode(),
    }
    if specification.clock_start is not None:
        variables["SIMU_CLOCK_START"] = specification.clock_start.isoformat()
    return variables


def _hostname(charge_point_id: str) -> str | None:
    return charge_point_id if _HOST_NAME.search(charge_point_id) else None


def _fingerprint(parts: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()[:16]
