"""What a charge point is, and how it reaches others, as its environment says."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cp_image.api import central_system
from cp_image.api.charge_point_id import HOST_NAME, charge_point_id
from cp_image.api.payloads import ChargePointType
from cp_image.api.secrets import SecurityProfile, TlsVerification
from cp_image.api.topics import DEFAULT_ROOT, root_of
from cp_image.api.value import Value, replace
from cp_image.core.effects import LogLevel
from cp_image.core.identity import KeyKind
from cp_image.core.script_settings import ScriptSettings
from cp_image.log_lines import LogFormat
from cp_image.mqtt_link import BrokerAccessError, BrokerAddress, read_access
from cp_image.script_variables import ScriptMode, read_script
from cp_image.variable import PREFIX, VariableError
from cp_image.variables import VARIABLES


class Config(Value):
    """What a charge point is and where its peers are.

    Attributes:
        max_setpoint: limit of the whole charge point; A per phase for AC, W for DC.
        max_setpoint_per_connector: limit of each connector; A per phase for AC, W for DC.
        broker: None runs without MQTT.
        environment: settles the topic root, unless that is given; None is none.
        csms_proxy: HTTP proxy through which the CSMS is reached; None goes straight.
        container: name of the container; empty for a bare process.
        seed: of everything random.
        clock_rate: how many times as fast as real time the charge point's clock runs.
        clock_start: epoch seconds its clock shows when it first starts; None is now.
        configuration: OCPP configuration keys that differ from their defaults.
        security_profile: the least, see `cp_image.api.secrets` for what it takes.
        authorization_user: of HTTP Basic authentication; None is the charge point id.
        tls_verification: what is asked of the certificate of the CSMS.
        key_kind: of the private keys the charge point makes.
        localhost_proxy: is the `csms_proxy` of a CSMS on the machine's own loopback; None is none.
        script: by which the charge point charges on its own; None where others drive it.
    """

    id: str
    central_system: str
    type: ChargePointType
    vendor: str
    model: str
    serial: str
    nb_connectors: int
    nb_phases: int
    voltage: float
    frequency: float
    max_setpoint: float
    max_setpoint_per_connector: float
    broker: BrokerAddress | None
    environment: str | None
    topic_root: str
    state_directory: Path
    csms_proxy: str | None
    container: str
    seed: str
    clock_rate: float
    clock_start: float | None
    configuration: Mapping[str, str]
    security_profile: SecurityProfile
    authorization_user: str | None
    tls_verification: TlsVerification
    key_kind: KeyKind
    localhost_proxy: str | None
    script: ScriptSettings | None
    log_level: LogLevel
    log_format: LogFormat


class ConfigError(Exception):
    """The environment is wrong; `problems` has a line for each wrong variable."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def read(environ: Mapping[str, str], host_name: str) -> Config:
    """Return the configuration that an environment asks for.

    Raises:
        ConfigError: a variable is missing or wrong; all of them are named.
    """
    environ = _of_host(environ, host_name)
    is_dc = environ.get(f"{PREFIX}TYPE") == ChargePointType.DC
    kind = ChargePointType.DC if is_dc else None
    values: dict[str, Any] = {}
    problems: list[str] = []
    for variable in VARIABLES:
        try:
            values[variable.field] = variable.value(environ, variable.default_of(kind))
        except VariableError as exc:
            problems.append(str(exc))
    if not environ.get(f"{PREFIX}CENTRAL_SYSTEM"):
        problems.insert(0, _missing("central_system"))
    try:
        access = read_access(environ)
        if values.get("broker") is not None:
            values["broker"] = replace(values["broker"], access=access)
    except BrokerAccessError as exc:
        problems.append(str(exc))
    if values.get("topic_root") is None:
        environment = values.get("environment")
        values["topic_root"] = root_of(environment) if environment else DEFAULT_ROOT
    script = read_script(environ, kind, problems)
    problems += _unlike(values)
    if problems:
        raise ConfigError(problems)
    if is_dc:
        values["nb_phases"] = 1
    values["script"] = script if _is_scripted(values) else None
    if values["csms_proxy"] is None and central_system.is_on_loopback(values["central_system"]):
        values["csms_proxy"] = values["localhost_proxy"]
    return Config(**values)


def _of_host(environ: Mapping[str, str], host_name: str) -> Mapping[str, str]:
    """Return an environment with the host name where it is to be."""
    id_, directory = environ.get(f"{PREFIX}ID", ""), environ.get(f"{PREFIX}STATE_DIRECTORY", "")
    return {
        **environ,
        f"{PREFIX}ID": charge_point_id(id_, host_name),
        f"{PREFIX}STATE_DIRECTORY": directory.replace(HOST_NAME, host_name),
    }


def _is_scripted(values: Mapping[str, Any]) -> bool:
    if values["script"] is ScriptMode.AUTO:
        return values["broker"] is None
    return values["script"] is ScriptMode.ON


def _unlike(values: Mapping[str, Any]) -> list[str]:
    """Return what does not go together."""
    profile, url = values.get("security_profile"), values.get("central_system")
    if profile is None or url is None or profile < SecurityProfile.TLS:
        return []
    if url.lower().startswith("wss:"):
        return []
    return [
        f"{PREFIX}SECURITY_PROFILE={profile.value} goes with a wss:// URL: "
        f"{PREFIX}CENTRAL_SYSTEM={central_system.without_password(url)!r} has no TLS"
    ]


def _missing(field: str) -> str:
    variable = next(each for each in VARIABLES if each.field == field)
    return f"{variable.name} is not set: {variable.rule}"
