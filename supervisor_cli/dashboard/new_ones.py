"""The form of new charge points, and what it makes of the answers."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from cp_image.api import secrets
from cp_image.api.payloads import ChargePointType
from cp_image.api.secrets import SecurityProfile
from launcher.api import Specification
from launcher.fleet import EntryError, read_specification
from launcher.fleet_file.wanted import WantedChargePoint
from supervisor_cli import fleets
from supervisor_cli.dashboard.forms import Field, FormScreen, Values, number
from supervisor_cli.errors import SimuError
from supervisor_cli.pki_sources import from_pki
from supervisor_cli.selection import next_free_id

DEFAULT_CSMS: Final = "ws://localhost:9000/ocpp"
_MOST_AT_ONCE: Final = 5000
_PROFILES: Final = tuple(f"{each:d}" for each in SecurityProfile)


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What the form has to know.

    Attributes:
        known: ids that are taken.
        central_system: what stands there at first.
        environment: whose test PKI is used where a security profile needs one.
    """

    known: Collection[str]
    central_system: str
    environment: str


def add(around: Around) -> FormScreen[list[WantedChargePoint]]:
    """Ask for charge points to start."""
    kinds = tuple(str(each) for each in ChargePointType)
    free = next_free_id(around.known)
    usual_w = "AC 32 per connector, DC 300000"
    fields = [
        Field(name="id", label="id", value=free, note="many: CP-{n:04}"),
        Field(name="count", label="how many", value="1"),
        Field(name="central_system", label="CSMS URL", value=around.central_system),
        Field(name="type", label="type", value="AC", choices=kinds),
        Field(name="nb_connectors", label="connectors", value="1"),
        Field(name="nb_phases", label="phases", otherwise="AC 3, DC 1"),
        Field(name="voltage", label="voltage", otherwise="AC 230, DC 400", note="V"),
        Field(name="max_setpoint", label="at most", otherwise=usual_w, note="A, DC: W"),
        Field(
            name="max_setpoint_per_connector",
            label="per connector",
            otherwise="AC 32, DC 150000",
            note="A, DC: W",
        ),
        Field(name="vendor", label="vendor", otherwise="cp-simu"),
        Field(name="model", label="model", otherwise="Simulated CP"),
        Field(name="serial", label="serial number", otherwise="its id"),
        Field(name="profile", label="security", value="0", choices=_PROFILES, note="profile"),
        Field(name="password", label="password", note="profiles 1, 2", secret=True),
        Field(name="root_ca", label="root CA", otherwise="that of simuctl pki", note="a file"),
    ]
    return FormScreen("New charge points", fields, lambda values: read_add(values, around))


def read_add(values: Values, around: Around) -> list[WantedChargePoint]:
    """Return what is to be started.

    Raises:
        SimuError: a field is off, or a secret is needed and not there.
    """
    count = _whole(values, "count", "how many")
    if not 1 <= count <= _MOST_AT_ONCE:
        raise SimuError(f"how many: 1 to {_MOST_AT_ONCE}, not {count}")
    names = names_of(values["id"].strip(), count, around.known)
    fields: dict[str, object] = {
        name: values[name].strip()
        for name in ("type", "central_system", "vendor", "model")
        if values[name].strip()
    }
    is_dc = values["type"] == ChargePointType.DC
    fields["nb_connectors"] = _whole(values, "nb_connectors", "connectors")
    if values["nb_phases"].strip():
        fields["nb_phases"] = _whole(values, "nb_phases", "phases")
    elif not is_dc:
        fields["nb_phases"] = 3
    if is_dc and fields.get("nb_phases", 1) != 1:
        raise SimuError(f"phases: {fields['nb_phases']}, but a DC charge point has one")
    for name in ("voltage", "max_setpoint", "max_setpoint_per_connector"):
        amount = number(values, name, name.replace("_", " "))
        if amount is not None:
            fields[name] = amount
    profile = SecurityProfile(int(values["profile"]))
    fields |= {"security_profile": int(profile), "secrets": profile is not SecurityProfile.NONE}
    serial = values["serial"].strip()
    wanted = [
        _with_secrets(
            _specification({**fields, "id": name, "serial": serial or name[:25]}), values, around
        )
        for name in names
    ]
    fleets.FleetSecrets.of(wanted).check()
    return wanted


def names_of(pattern: str, count: int, known: Collection[str]) -> list[str]:
    """Return the ids that a pattern such as ``CP-{n:04}`` stands for; those not taken yet.

    Raises:
        SimuError: the pattern cannot be used, or one id is asked for more than once.
    """
    if "{" not in pattern:
        if count > 1:
            raise SimuError(f"{count} charge points need a pattern with {{n}}, such as CP-{{n:04}}")
        return [pattern]
    shape = _shape(pattern)
    names: list[str] = []
    position = 1
    while len(names) < count:
        name = shape(position)
        if name not in known:
            names.append(name)
        position += 1
    return names


def _shape(pattern: str) -> Callable[[int], str]:
    def shape(position: int) -> str:
        return pattern.format(n=position)

    try:
        if shape(1) != shape(2):
            return shape
    except (ValueError, KeyError, IndexError, AttributeError, TypeError) as exc:
        raise SimuError(f"id {pattern!r} is no pattern: {{n}} or {{n:04}} counts") from exc
    raise SimuError(f"id {pattern!r} is the same for all: {{n}} or {{n:04}} counts")


def _with_secrets(
    specification: Specification, values: Values, around: Around
) -> WantedChargePoint:
    profile = specification.security_profile
    password, root_ca = values["password"] or None, values["root_ca"].strip()
    if profile is SecurityProfile.NONE:
        if password or root_ca:
            raise SimuError("a password or a root CA is for a security profile of 1 to 3")
        return WantedChargePoint(specification=specification, folder="")
    given = {secrets.ROOT_CA: Path(root_ca).expanduser().absolute()} if root_ca else {}
    of_pki = from_pki(None, around.environment, profile, given)
    paths = {name: str(path) for name, path in (of_pki | given).items()}
    there = {*paths, *((secrets.AUTHORIZATION_KEY,) if password else ())}
    lacking = [name for name in secrets.needed(profile) if name not in there]
    if secrets.AUTHORIZATION_KEY in lacking:
        raise SimuError(f"security profile {profile:d} needs a password")
    if lacking:
        raise SimuError(f"security profile {profile:d} needs certificates: simuctl pki makes them")
    return WantedChargePoint(
        specification=specification,
        folder="",
        paths=paths,
        from_pki=frozenset(of_pki),
        password=password,
        origin="the form",
    )


def _whole(values: Values, name: str, label: str) -> int:
    text = values[name].strip()
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise SimuError(f"{label}: {text!r} is not a whole number")
    return int(text)


def _specification(fields: dict[str, object]) -> Specification:
    try:
        return read_specification(msgspec.json.encode(fields))
    except EntryError as exc:
        raise SimuError(str(exc)) from exc
