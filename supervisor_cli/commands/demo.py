"""The command demo."""

import os
import shutil
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlsplit

import typer

from supervisor_cli import state
from supervisor_cli.commands.options import AsJson, BrokerPort, examples
from supervisor_cli.context import run, settings
from supervisor_cli.terminal import data_console, doing, print_json, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from supervisor_cli.demo import Driven
    from supervisor_cli.images import Report
    from supervisor_cli.state import Broker

_CSMS_PORT: Final = 9000


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command(epilog=examples("simuctl demo", "simuctl demo --json | jq '.[].energy_wh'"))(demo)


def demo(
    context: typer.Context,
    *,
    broker_port: BrokerPort = None,
    csms_port: Annotated[
        int, typer.Option(metavar="PORT", min=1, max=65535, help="Of the demo CSMS.")
    ] = _CSMS_PORT,
    as_json: AsJson = False,
) -> None:
    """From nothing to charging cars: bring all up, drive a session on each connector, tell."""
    from supervisor_cli import demo as script  # noqa: PLC0415 - MQTT costs 100 ms
    from supervisor_cli import engine, environment  # noqa: PLC0415 - the engine's client: 200 ms
    from supervisor_cli.bring_up import bring_up  # noqa: PLC0415

    name = settings(context).environment
    client = engine.connect()
    wanted = environment.as_it_is(client, name)
    if broker_port is not None:
        wanted = replace(wanted, broker_port=broker_port)
    with doing(f"bringing up environment {name}", steps=True) as now:
        broker = bring_up(client, wanted, now)
        now("starting the demo CSMS")
        central_system = environment.start_csms(client, name, csms_port)
        results = run(_drive(name, broker, central_system, now))
    if as_json:
        print_json(script.rows(results))
        return
    data_console().print(script.render(results))
    simuctl = "simuctl" if shutil.which("simuctl") else os.path.relpath(sys.argv[0])
    if name != state.resolve_environment(None):
        simuctl += f" -e {name}"
    say("")
    say(f"The charge points go on running, and talk to the demo CSMS at {central_system}.")
    say(f"  look on:  {simuctl} watch      {simuctl} ls      {simuctl} show DEMO-AC3")
    say(f"  stop it:  {simuctl} down")


async def _drive(
    name: str, broker: "Broker", central_system: str, report: "Report"
) -> "Sequence[Driven]":
    from supervisor_cli import demo as script  # noqa: PLC0415 - MQTT costs 100 ms
    from supervisor_cli.readiness import port_answers  # noqa: PLC0415

    port = urlsplit(central_system).port
    if port is not None:
        await port_answers("127.0.0.1", port, "the demo CSMS")
    async with script.DemoClient(broker=broker, environment=name) as simu:
        await script.bring_to_accepted(simu, script.fleet(central_system), report)
        return await script.drive(simu, script.SESSIONS, report)
