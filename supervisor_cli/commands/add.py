"""The command add."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

import msgspec
import typer

from cp_image.api.central_system import without_password
from cp_image.api.payloads import ChargePointType
from launcher.api import Networking, OnCrash, Progress, Specification
from launcher.fleet import EntryError, read_specification, usual_serial
from supervisor_cli.acceptance import accepted
from supervisor_cli.commands.container_options import (
    CpusOption,
    LogOption,
    MemoryOption,
    NetworkingOption,
    OnCrashOption,
    PidsOption,
)
from supervisor_cli.commands.fleet_options import (
    CentralSystemOption,
    CountOption,
    FilesOption,
    FirstOption,
    PatternOption,
)
from supervisor_cli.commands.options import AsJson, NoWait, Timeout, examples
from supervisor_cli.commands.security import (
    AnyHostNameOption,
    ClientCertOption,
    ClientKeyOption,
    InsecureTlsOption,
    ManufacturerCaOption,
    PasswordFileOption,
    PasswordOption,
    PkiOption,
    ProfileOption,
    RootCaOption,
    UserOption,
    paths_of,
    security_options,
)
from supervisor_cli.context import Settings, run, settings
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.outcomes import Told, from_answer, tell
from supervisor_cli.secret_files import SecretSources
from supervisor_cli.selection import free_ids, numbered_ids
from supervisor_cli.stages import stages
from supervisor_cli.terminal import say


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command(
        epilog=examples(
            "simuctl add -u ws://localhost:9000/ocpp",
            "simuctl add CP-7 CP-8 -u ws://localhost:9000/ocpp --phases 3 -n 2",
            "simuctl add FAST-1 -u wss://csms.example.com/ocpp --type DC",
            "simuctl add SOAK-1 --config MeterValueSampleInterval=60 --clock-rate 60",
            "simuctl add --count 50 --id 'CP-{n:04}' -u ws://localhost:9000/ocpp",
            "simuctl add -f fleet.yaml",
            "simuctl add TOUGH-1 --on-crash restart --memory 96 --cpus 0.5",
            "simuctl add SAFE-1 -u wss://localhost:9000/ocpp --security-profile 2 "
            "--password-file pw --root-ca root_ca.pem",
            "simuctl add SAFE-2 -u wss://localhost:9000/ocpp --security-profile 3 --pki ./pki",
        )
    )(add)


def add(  # noqa: PLR0913 - the options of a charge point
    context: typer.Context,
    ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID", show_default="the next free of CP-0001, …", help="Charge point ids."
        ),
    ] = None,
    *,
    central_system: CentralSystemOption = None,
    files: FilesOption = None,
    count: CountOption = None,
    pattern: PatternOption = None,
    first: FirstOption = None,
    kind: Annotated[
        ChargePointType, typer.Option("--type", "-t", case_sensitive=False, help="AC or DC.")
    ] = ChargePointType.AC,
    nb_connectors: Annotated[
        int, typer.Option("--connectors", "-n", metavar="N", help="How many connectors.")
    ] = 1,
    nb_phases: Annotated[
        int | None,
        typer.Option("--phases", metavar="N", show_default="1", help="1 to 3; DC has one."),
    ] = None,
    voltage: Annotated[
        float | None,
        typer.Option(
            "--voltage",
            metavar="V",
            show_default="AC 230, DC 400",
            help="Phase to neutral for AC.",
        ),
    ] = None,
    max_setpoint: Annotated[
        float | None,
        typer.Option(
            "--max-setpoint",
            metavar="LIMIT",
            show_default="AC 32 per connector, DC 300000",
            help="Of the whole charge point: A per phase for AC, W for DC.",
        ),
    ] = None,
    max_setpoint_per_connector: Annotated[
        float | None,
        typer.Option(
            "--max-setpoint-per-connector",
            metavar="LIMIT",
            show_default="--max-setpoint if given, else AC 32, DC 150000",
            help="Of each connector: A per phase for AC, W for DC.",
        ),
    ] = None,
    vendor: Annotated[str, typer.Option(metavar="TEXT", help="Vendor it reports.")] = "cp-simu",
    model: Annotated[str, typer.Option(metavar="TEXT", help="Model it reports.")] = "Simulated CP",
    serial: Annotated[
        str | None,
        typer.Option(metavar="TEXT", show_default="its id", help="Serial number it reports."),
    ] = None,
    configuration: Annotated[
        list[str] | None,
        typer.Option(
            "--config", metavar="KEY=VALUE", help="An OCPP configuration key; may be repeated."
        ),
    ] = None,
    clock_rate: Annotated[
        float, typer.Option(metavar="RATE", help="60 runs its clock an hour in a minute.")
    ] = 1.0,
    clock_start: Annotated[
        str | None,
        typer.Option(
            metavar="INSTANT",
            show_default="now",
            help="What its clock shows at first, as in 2026-01-31T12:00:00Z.",
        ),
    ] = None,
    on_crash: OnCrashOption = OnCrash.REPORT,
    networking: NetworkingOption = Networking.BRIDGE,
    memory_mb: MemoryOption = None,
    cpus: CpusOption = None,
    pids: PidsOption = None,
    log_mb: LogOption = None,
    security_profile: ProfileOption = 0,
    password: PasswordOption = None,
    password_file: PasswordFileOption = None,
    authorization_user: UserOption = None,
    root_ca: RootCaOption = None,
    client_cert: ClientCertOption = None,
    client_key: ClientKeyOption = None,
    manufacturer_ca: ManufacturerCaOption = None,
    pki: PkiOption = None,
    insecure_tls: InsecureTlsOption = False,
    any_host_name: AnyHostNameOption = False,
    no_wait: NoWait = False,
    timeout: Timeout = 60.0,
    as_json: AsJson = False,
) -> None:
    """Start charge points, and wait until the CSMS has accepted them."""
    secret_paths = paths_of(password_file, root_ca, client_cert, client_key, manufacturer_ca)
    wait_s = None if no_wait else timeout
    if files:
        from supervisor_cli.commands.add_files import add_files  # noqa: PLC0415 - YAML costs 50 ms

        add_files(
            context, files, central_system, secret_paths, pki=pki, wait_s=wait_s, as_json=as_json
        )
        return
    if central_system is None:
        raise SimuError(
            "Missing option '--central-system' / '-u'",
            hint="simuctl add --help; -f FILE takes charge points from a file",
            exit_code=ExitCode.USAGE,
        )
    named = numbered_ids(ids or [], count=count, pattern=pattern, first=first)
    if kind is ChargePointType.DC and nb_phases not in {None, 1}:
        raise SimuError(
            f"--phases {nb_phases}: a DC charge point has one phase",
            hint="leave --phases out",
            exit_code=ExitCode.USAGE,
        )
    security = security_options(
        profile=security_profile,
        password=password,
        user=authorization_user,
        insecure_tls=insecure_tls,
        any_host_name=any_host_name,
        paths=secret_paths,
        pki=pki,
        environment=settings(context).environment,
    )
    given = {
        "type": kind,
        "vendor": vendor,
        "model": model,
        "nb_phases": nb_phases,
        "nb_connectors": nb_connectors,
        "max_setpoint": max_setpoint,
        "voltage": voltage,
        "max_setpoint_per_connector": max_setpoint_per_connector,
        "central_system": central_system,
        "configuration": dict(_key_and_value(word) for word in configuration or ()),
        "clock_rate": clock_rate,
        "clock_start": clock_start,
        "on_crash": on_crash,
        "networking": networking,
        "memory_mb": memory_mb,
        "cpus": cpus,
        "pids": pids,
        "log_mb": log_mb,
        **security.fields(),
    }

    def specify(charge_point_id: str) -> Specification:
        own_serial = usual_serial(charge_point_id) if serial is None else serial
        said = {key: value for key, value in given.items() if value is not None}
        return specification({"id": charge_point_id, "serial": own_serial, **said})

    wanted = _Wanted(
        ids=named,
        free=0 if named or count == 0 else count or 1,
        specify=specify,
        sources=security.sources,
        wait_s=wait_s,
    )
    if without_password(central_system) != central_system:
        say(
            "warning: the password in the URL is no secret, for labels and MQTT messages have it\n"
            "hint: --security-profile 1 --password-file keeps one"
        )
    tell(run(_add(settings(context), wanted)), as_json=as_json)


def specification(entry: Mapping[str, object]) -> Specification:
    """Return a specification, checked, with the limits usual for its type.

    Raises:
        SimuError: a field is out of its range, or the URL is no WebSocket URL (exit code 2).
    """
    try:
        return read_specification(msgspec.json.encode(entry))
    except EntryError as exc:
        raise SimuError(
            str(exc), hint="simuctl add --help names the options", exit_code=ExitCode.USAGE
        ) from exc


def _key_and_value(word: str) -> tuple[str, str]:
    key, separator, value = word.partition("=")
    if not key or not separator:
        raise SimuError(
            f"--config {word!r} is not KEY=VALUE",
            hint="for example --config HeartbeatInterval=60",
            exit_code=ExitCode.USAGE,
        )
    return key, value


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """Charge points to start.

    Attributes:
        free: how many more, with the next free ids.
    """

    ids: list[str]
    free: int
    specify: Callable[[str], Specification]
    sources: SecretSources
    wait_s: float | None


async def _add(common: Settings, wanted: _Wanted) -> list[Told]:
    for each in wanted.ids:  # what is wrong with the words is said before anything is reached
        wanted.specify(each)
        wanted.sources.read(each)
    async with common.client() as simu:
        ids = [*wanted.ids, *free_ids(simu.view.by_id, wanted.free)]
        if not ids:
            return []
        with stages() as shown:
            shown.show("starting", 0, len(ids))
            specifications = [wanted.specify(each) for each in ids]

            def heard(progress: Progress) -> None:
                shown.show("starting", progress.done, progress.total)

            if wanted.sources.is_empty:
                answer = await simu.start(specifications, heard)
            else:
                from supervisor_cli import secret_delivery  # noqa: PLC0415 - only some need it

                answer = await secret_delivery.start(
                    simu, specifications, heard, common.secret_store, wanted.sources
                )
            outcomes = from_answer(answer, done="started", about=simu)
            return await accepted(simu, outcomes, wanted.wait_s, say, shown.show)
