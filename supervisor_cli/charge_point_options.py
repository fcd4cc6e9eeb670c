"""What can be said of a charge point that is added from Python, and its specification."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, TypedDict

import msgspec

from cp_image.api import secrets
from cp_image.api.payloads import ChargePointType
from cp_image.api.secrets import SecurityProfile, TlsVerification
from launcher.api import Networking, OnCrash, Specification
from launcher.fleet import EntryError, read_specification, usual_serial
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.secret_files import Password, SecretSources

_FILES: Final = {
    "password_file": secrets.AUTHORIZATION_KEY,
    "root_ca": secrets.ROOT_CA,
    "client_cert": secrets.CLIENT_CERT,
    "client_key": secrets.CLIENT_KEY,
    "manufacturer_ca": secrets.MANUFACTURER_CA,
}


class Options(TypedDict, total=False):
    """A charge point's options; `launcher.api.Specification` says what each means.

    What is left out is usual for the type: 32 A and 230 V for AC, 150 kW and 400 V for DC.
    """

    type: ChargePointType | Literal["AC", "DC"]
    vendor: str
    model: str
    serial: str
    nb_phases: int
    nb_connectors: int
    max_setpoint: float
    voltage: float
    max_setpoint_per_connector: float
    frequency: float
    seed: str
    configuration: Mapping[str, str]
    clock_rate: float
    clock_start: datetime | str
    on_crash: OnCrash | Literal["report", "restart"]
    networking: Networking | Literal["bridge", "host"]
    memory_mb: int
    cpus: float
    pids: int
    log_mb: int
    security_profile: SecurityProfile | Literal[0, 1, 2, 3]
    authorization_user: str
    tls_verification: TlsVerification | Literal["full", "no-host-name", "none"]


class Secrets(TypedDict, total=False):
    """What a charge point proves itself by; in a path ``{id}`` stands for its id."""

    password: str
    password_file: Path | str
    root_ca: Path | str
    client_cert: Path | str
    client_key: Path | str
    manufacturer_ca: Path | str


class ChargePointOptions(Options, Secrets, total=False):
    """All of them."""


def specification(
    charge_point_id: str, central_system: str, options: Mapping[str, Any]
) -> Specification:
    """Return the specification of a charge point, checked; its serial number is its id at first.

    Raises:
        SimuError: a field is off, or there is none of the name (exit code 2).
    """
    known = Options.__annotations__.keys() | Secrets.__annotations__.keys()
    strange = sorted(options.keys() - known)
    if strange:
        raise SimuError(
            f"a charge point has no option {', '.join(strange)}",
            hint=f"there are {', '.join(sorted(known))}",
            exit_code=ExitCode.USAGE,
        )
    entry = {
        "type": ChargePointType.AC,
        "serial": usual_serial(charge_point_id),
        **{name: value for name, value in options.items() if name in Options.__annotations__},
        "id": charge_point_id,
        "central_system": central_system,
        "secrets": bool(options.keys() & Secrets.__annotations__.keys()),
    }
    try:
        return read_specification(msgspec.json.encode(entry))
    except (EntryError, TypeError) as exc:  # TypeError: a value that is in no JSON
        raise SimuError(str(exc), exit_code=ExitCode.USAGE) from exc


def secret_sources(options: Mapping[str, Any]) -> SecretSources:
    """Return where the secrets of a charge point are."""
    paths = {_FILES[name]: Path(options[name]) for name in _FILES if name in options}
    password = Password(options["password"]) if "password" in options else None
    return SecretSources(password=password, paths=paths)
