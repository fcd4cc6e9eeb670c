"""What the container of a charge point looks like. Pure.

Names, labels and environment variables come from validated values alone; image, mount and rights
are fixed here and in the engine, so that nothing that arrives over MQTT can ask for others.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import msgspec

from cp_image.api.payloads import CHARGE_POINT_ID_PATTERN
from cp_image.api.secrets import DIRECTORY as SECRETS_DIRECTORY
from cp_image.api.secrets import SecurityProfile, TlsVerification
from launcher import seccomp
from launcher.api import (
    BROKER_ACCESS_AT,
    BROKER_CA_FILE,
    BROKER_PASSWORD_FILE,
    Networking,
    Specification,
    secrets_labels,
    secrets_volume,
    topic_root,
)
from launcher.fleet import EntryError, read_specification

ENVIRONMENT_LABEL: Final = "cp-simu.environment"
ROLE_LABEL: Final = "cp-simu.role"
ID_LABEL: Final = "cp-simu.charge-point-id"
SPECIFICATION_LABEL: Final = "cp-simu.specification"
FINGERPRINT_LABEL: Final = "cp-simu.fingerprint"
ADDRESS_LABEL: Final = "cp-simu.address"
CHARGE_POINT_ROLE: Final = "charge-point"
MARK_ROLE: Final = "mark"
MARK_LABEL: Final = "cp-simu.mark"
HOST_NETWORK: Final = "host"
STATE_DIRECTORY: Final = "/data"
SECRETS_AT: Final = f"{STATE_DIRECTORY}/{SECRETS_DIRECTORY}"

_HOST_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?"
_HOST_NAME: Final = re.compile(rf"\A{_HOST_LABEL}(?:\.{_HOST_LABEL})*\Z")


class Mark(StrEnum):
    """What was asked for where a container's and a volume's labels cannot say it.

    Labels never change, so each of these is an empty volume beside the charge point's own: made
    and taken away at one stroke, and there whatever becomes of launcher, broker and engine.
    """

    OFF = "off"
    """it is to have no process"""
    CUT = "cut"
    """it is to have no network"""
    GONE = "gone"
    """it is being removed"""
    CHANGED = "changed"
    """its specification is another than that of its volume"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all charge points of an environment share.

    Attributes:
        image: the one image that is started.
        broker: HOST:PORT as the charge points reach it.
        localhost_proxy: through which they reach this machine's loopback; None: they cannot.
        log_level: of the charge points.
        host_broker: HOST:PORT as they reach it from the engine's own network.
        largest_bridge: how many charge points a network takes.
        broker_access_volume: has the files by which they get into the broker; None: they need none.
        broker_user: as whom; empty is anonymous.
        broker_tls: whether they speak to it by TLS.
        dense: whether the kernel may merge their memory.
    """

    environment: str
    image: str
    broker: str
    host_broker: str
    largest_bridge: int
    localhost_proxy: str | None
    log_level: str
    broker_access_volume: str | None = None
    broker_user: str = ""
    broker_tls: bool = False
    dense: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerRequest:
    """The container of a charge point, ready to be made.

    Attributes:
        name: of the container and of its volume.
        network: the engine's; `HOST_NETWORK` is its own.
        hostname: None where the charge point id is no host name, or the name is the host's.
        variables: environment variables.
        labels: of the container; `volume_labels` of the volume.
        fingerprint: changes when anything of the request does.
        secrets_volume: has its secrets; None: it has none. `secrets_labels` are that volume's.
        broker_access_volume: see `Surroundings`.
        seccomp: profile, JSON; None is the engine's own.
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
    memory_mb: int
    cpus: float
    pids: int
    log_mb: int
    secrets_volume: str | None = None
    secrets_labels: Mapping[str, str] = field(default_factory=dict)
    broker_access_volume: str | None = None
    seccomp: str | None = None


def is_charge_point_id(text: str) -> bool:
    """Return whether a text can be a charge point's id."""
    return re.search(CHARGE_POINT_ID_PATTERN, text) is not None


def name(environment: str, charge_point_id: str) -> str:
    """Return the name of a charge point's container and of its volume."""
    return f"{environment}.{charge_point_id}"


def mark_name(environment: str, charge_point_id: str, mark: Mark) -> str:
    """Return the name of a mark's volume; no charge point's volume can be called so."""
    return f"{environment}_{mark}.{charge_point_id}"


def mark_labels(
    environment: str, charge_point_id: str, mark: Mark, specification: Specification | None
) -> dict[str, str]:
    """Return the labels of a mark's volume."""
    labels = {
        ENVIRONMENT_LABEL: environment,
        ROLE_LABEL: MARK_ROLE,
        ID_LABEL: charge_point_id,
        MARK_LABEL: mark.value,
    }
    if specification is not None:
        labels[SPECIFICATION_LABEL] = msgspec.json.encode(specification).decode()
    return labels


def charge_point_labels(environment: str) -> Mapping[str, str]:
    """Return the labels all charge points of an environment share."""
    return {ENVIRONMENT_LABEL: environment, ROLE_LABEL: CHARGE_POINT_ROLE}


def request(
    specification: Specification,
    surroundings: Surroundings,
    *,
    csms_on_loopback: bool,
    network: str = "",
) -> ContainerRequest:
    """Return the container for a specification.

    Args:
        specification: validated.
        surroundings: of the charge point.
        csms_on_loopback: whether the CSMS is on this machine's own loopback, which a container
            reaches through a proxy only.
        network: which of the environment's it joins; empty is the first.
    """
    on_host = specification.networking is Networking.HOST
    own_name = name(surroundings.environment, specification.id)
    variables = _variables(specification, surroundings, own_name)
    if csms_on_loopback and not on_host and surroundings.localhost_proxy is not None:
        variables["SIMU_CSMS_PROXY"] = surroundings.localhost_proxy
    if surroundings.dense:
        variables["SIMU_DENSE"] = "1"
    labels = {
        **charge_point_labels(surroundings.environment),
        ID_LABEL: specification.id,
        SPECIFICATION_LABEL: msgspec.json.encode(specification).decode(),
    }
    network = HOST_NETWORK if on_host else network or surroundings.environment
    parts = [surroundings.image, variables, labels, network]
    if surroundings.broker_access_volume is not None:
        parts.append(surroundings.broker_access_volume)
    fingerprint = _fingerprint(parts)
    return ContainerRequest(
        charge_point_id=specification.id,
        name=own_name,
        image=surroundings.image,
        network=network,
        hostname=None if on_host else _hostname(specification.id),
        variables=variables,
        labels={**labels, FINGERPRINT_LABEL: fingerprint},
        volume_labels=labels,
        fingerprint=fingerprint,
        memory_mb=specification.memory_mb,
        cpus=specification.cpus,
        pids=specification.pids,
        log_mb=specification.log_mb,
        secrets_volume=secrets_volume(surroundings.environment, specification.id)
        if specification.secrets
        else None,
        secrets_labels=secrets_labels(surroundings.environment, specification.id),
        broker_access_volume=surroundings.broker_access_volume,
        seccomp=seccomp.profile() if surroundings.dense else None,
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
        "SIMU_FREQUENCY": repr(specification.frequency),
        "SIMU_SEED": specification.seed,
        "SIMU_MAX_SETPOINT": repr(specification.max_setpoint),
        "SIMU_MAX_SETPOINT_PER_CONNECTOR": repr(specification.max_setpoint_per_connector),
        "SIMU_BROKER": surroundings.host_broker
        if specification.networking is Networking.HOST
        else surroundings.broker,
        "SIMU_TOPIC_ROOT": topic_root(surroundings.environment),
        "SIMU_STATE_DIRECTORY": STATE_DIRECTORY,
        "SIMU_CONTAINER": container,
        "SIMU_LOG_LEVEL": surroundings.log_level,
        "SIMU_CLOCK_RATE": repr(specification.clock_rate),
        "SIMU_CONFIGURATION": msgspec.json.encode(specification.configuration).decode(),
    }
    if specification.clock_start is not None:
        variables["SIMU_CLOCK_START"] = specification.clock_start.isoformat()
    return variables | _security_variables(specification) | _broker_variables(surroundings)


def _security_variables(specification: Specification) -> dict[str, str]:
    """Return what differs from the charge point's own defaults."""
    variables = {}
    if specification.security_profile is not SecurityProfile.NONE:
        variables["SIMU_SECURITY_PROFILE"] = str(specification.security_profile.value)
    if specification.authorization_user:
        variables["SIMU_AUTHORIZATION_USER"] = specification.authorization_user
    if specification.tls_verification is not TlsVerification.FULL:
        variables["SIMU_TLS_VERIFICATION"] = specification.tls_verification.value
    return variables


def _broker_variables(surroundings: Surroundings) -> dict[str, str]:
    """Return how to get into the broker; secret is only what is in the files."""
    variables = {}
    if surroundings.broker_user:
        variables["SIMU_BROKER_USER"] = surroundings.broker_user
        variables["SIMU_BROKER_PASSWORD_FILE"] = f"{BROKER_ACCESS_AT}/{BROKER_PASSWORD_FILE}"
    if surroundings.broker_tls:
        variables["SIMU_BROKER_CA"] = f"{BROKER_ACCESS_AT}/{BROKER_CA_FILE}"
    return variables


def _hostname(charge_point_id: str) -> str | None:
    return charge_point_id if _HOST_NAME.search(charge_point_id) else None


def _fingerprint(parts: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()[:16]
