"""Commands on the environment itself: up, down, doctor, images."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from launcher.api import Command, CommandType, LauncherState
from supervisor_cli import state
from supervisor_cli.commands.confirmation import confirm
from supervisor_cli.commands.options import AsJson, BrokerPort, examples
from supervisor_cli.context import Settings, run, settings
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.terminal import data_console, doing, print_json, say

_CLOSED_WITHIN_S: Final = 20.0


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.command(
        epilog=examples(
            "simuctl up",
            "simuctl -e ci-42 up --broker-port 0",
            "simuctl up --broker-user me --broker-password-file pw --broker-tls",
        )
    )(up)
    app.command(epilog=examples("simuctl down", "simuctl -e ci-42 down --yes"))(down)
    app.command(epilog=examples("simuctl doctor", "simuctl doctor --json"))(doctor)
    app.command(epilog=examples("simuctl images", "simuctl images --list"))(images)


def up(  # noqa: PLR0913 - an option each
    context: typer.Context,
    *,
    broker_host: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            show_default="as it is; at first 127.0.0.1",
            help="Address of the engine's machine the broker listens on.",
        ),
    ] = None,
    broker_port: BrokerPort = None,
    broker_user: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            show_default="as it is; at first anybody",
            help="Whom alone the broker lets in.",
        ),
    ] = "",
    broker_password_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Holds that user's password.")
    ] = None,
    broker_tls: Annotated[
        bool,
        typer.Option(
            "--broker-tls",
            show_default="as it is; at first without",
            help="Speak to the broker by TLS, with a certificate made for it.",
        ),
    ] = False,
    with_launcher: Annotated[
        bool,
        typer.Option(
            "--launcher/--no-launcher",
            help="Run the launcher as a container; without, run simu-launcher.",
        ),
    ] = True,
    dense: Annotated[
        bool | None,
        typer.Option(
            "--dense/--no-dense",
            show_default="as it is; at first not",
            help="Let the kernel merge the memory of charge points: a third of it, at a price "
            "(see the README).",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bring the environment up: images, network, broker, launcher. What runs is left alone."""
    from supervisor_cli import engine, launcher_tuning, page_sharing  # noqa: PLC0415 - 200 ms
    from supervisor_cli.bring_up import bring_up, broker_lock  # noqa: PLC0415
    from supervisor_cli.environment import as_it_is  # noqa: PLC0415

    name = settings(context).environment
    lock = broker_lock(broker_user, broker_password_file, tls=broker_tls)
    tuning = launcher_tuning.asked_for(os.environ)
    client = engine.connect()
    now = as_it_is(client, name)
    wanted = replace(
        now,
        broker_host=now.broker_host if broker_host is None else broker_host,
        broker_port=now.broker_port if broker_port is None else broker_port,
        broker_lock=lock,
        dense=now.dense if dense is None else dense,
        launcher=with_launcher,
        tuning={**now.tuning, **tuning},
    )
    with doing(f"bringing up environment {name}", steps=True) as report:
        broker = bring_up(client, wanted, report)
    if not with_launcher:
        say(f"hint: SIMU_ENVIRONMENT={name} SIMU_BROKER={broker} simu-launcher (see its --help)")
    missing = page_sharing.lack() if wanted.dense else None
    if missing is not None:
        say(f"warning: --dense saves nothing yet: {missing.text}\nhint: {missing.remedy}")
    if as_json:
        print_json({"environment": name, "broker": str(broker)})
    else:
        data_console().print(f"environment {name} is up, its broker listens on {broker}")


def down(
    context: typer.Context,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove the environment: its charge points with all they remember, launcher, broker."""
    from supervisor_cli import engine, environment  # noqa: PLC0415 - the engine's client: 200 ms

    wanted = settings(context)
    client = engine.connect()
    charge_points = environment.charge_point_ids(client, wanted.environment)
    if charge_points and not yes:
        going = f"{len(charge_points)} charge points go with all they remember."
        confirm(
            wanted,
            f"{going} Go on?",
            nobody=f"{going} Nobody is there to confirm it.",
            hint="--yes confirms it",
            declined="nothing was removed",
        )
    with doing(f"taking down environment {wanted.environment}", steps=True) as now:
        run(_end_launcher(wanted))
        removed = environment.down(client, wanted.environment, now)
    state.forget(wanted.environment)
    if as_json:
        print_json({"environment": wanted.environment, "removed": removed})
    elif removed:
        data_console().print(f"environment {wanted.environment} is gone")
    else:
        say(f"there is nothing of environment {wanted.environment} on the engine")


def doctor(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Look at engine, images, broker and launcher; say what is wrong and how to mend it."""
    from supervisor_cli import doctor as examination  # noqa: PLC0415 - the engine's client: 200 ms
    from supervisor_cli.doctor import Verdict  # noqa: PLC0415

    wanted = settings(context)
    with doing(f"looking at environment {wanted.environment}"):
        findings = run(examination.examine(wanted.environment, wanted.broker))
    if as_json:
        print_json([msgspec.to_builtins(each) for each in findings])
    else:
        data_console().print(examination.render(findings))
    bad = [each for each in findings if each.verdict is Verdict.BAD]
    if bad:
        raise SimuError(
            f"{len(bad)} of {len(findings)} pieces need mending: {bad[0].piece} first",
            hint=bad[0].remedy,
        )


def images(
    *,
    listing: Annotated[
        bool,
        typer.Option("--list", help="Build nothing: print what the images are called."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Build the container images that are missing or outdated.

    An image's tag is the digest of what it is built from: it can be kept under it, and is outdated
    when the tag is another.
    """
    from supervisor_cli import engine  # noqa: PLC0415 - the engine's client costs 200 ms
    from supervisor_cli import images as building  # noqa: PLC0415

    built: list[str] = []
    if not listing:
        with doing("building images", steps=True) as now:
            built = building.ensure_images(engine.connect(), now)
    if as_json:
        print_json(
            [
                {"name": it.name, "reference": it.reference(), "built": it.name in built}
                for it in building.SOURCES
            ]
        )
    elif listing:
        for source in building.SOURCES:
            data_console().print(source.reference(), soft_wrap=True)
    else:
        data_console().print(f"built {', '.join(built)}" if built else "all images are current")


async def _end_launcher(wanted: Settings) -> None:
    """End the launcher: one that is no container would start again what is taken away."""
    try:
        async with wanted.client() as simu:
            if simu.view.launcher is LauncherState.ALIVE:
                await simu.request(Command(type=CommandType.CLOSE), silence_s=_CLOSED_WITHIN_S)
                await simu.wait_for(
                    lambda view: view.launcher is not LauncherState.ALIVE,
                    timeout_s=_CLOSED_WITHIN_S,
                    what="the end of the launcher",
                )
    except SimuError as exc:
        # Without a broker there is no launcher that could hear of anything.
        if exc.exit_code is not ExitCode.UNREACHABLE:
            say(f"{exc}: it may start again what is taken away")
