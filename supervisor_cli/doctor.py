"""Looks at every piece of an environment and says what is wrong and how to mend it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import docker
from rich.table import Table

from launcher.api import ContainerCondition, LauncherState
from supervisor_cli import compose_project, engine, environment, images, page_sharing
from supervisor_cli.client import SimuClient
from supervisor_cli.environment import Role
from supervisor_cli.errors import NotUpError, SimuError
from supervisor_cli.fleet_view import FleetView
from supervisor_cli.localhost_proxy import last_words
from supervisor_cli.state import Broker

_MOST_NAMED: Final = 5
_USUAL_WAY_UP: Final = "simuctl up"
_REMEDIES: Final = {
    ContainerCondition.FROZEN: "simuctl thaw",
    ContainerCondition.CUT: "simuctl mend",
}


class Verdict(StrEnum):
    """How a piece is."""

    GOOD = "good"
    ODD = "odd"
    """works, but not as it should"""
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found of one piece; `remedy` is empty where nothing need be done."""

    piece: str
    verdict: Verdict
    text: str
    remedy: str = ""


async def examine(environment_name: str, broker: Broker) -> list[Finding]:
    """Return what was found: engine, images, containers, broker, launcher, charge points."""
    findings: list[Finding] = []
    way_up = _USUAL_WAY_UP
    try:
        client = engine.connect()
    except SimuError as exc:
        findings.append(_bad("engine", str(exc), exc.hint))
    else:
        findings.append(_good("engine", _engine_text(client)))
        findings += _images(client)
        way_up = compose_project.way_up_of(client, environment_name) or way_up
        findings += _containers(client, environment_name, way_up)
        if _is_dense(client, environment_name):
            findings.append(dense_mode(page_sharing.lack()))
        client.close()
    try:
        async with SimuClient(broker=broker, environment=environment_name) as simu:
            findings.append(_good("broker answers", f"at {broker}"))
            findings += _launcher(simu.view, way_up)
            findings += charge_points(simu.view)
    except NotUpError as exc:
        hint = exc.hint if way_up == _USUAL_WAY_UP else way_up
        findings.append(_bad("broker answers", str(exc), hint))
    except SimuError as exc:
        findings.append(_bad("broker answers", str(exc), exc.hint))
    return findings


def render(findings: list[Finding]) -> Table:
    """Return the table of what was found."""
    marks = {
        Verdict.GOOD: "[green]✓[/]",
        Verdict.ODD: "[yellow]![/]",
        Verdict.BAD: "[red]✗[/]",
    }
    table = Table(box=None, show_header=False, pad_edge=False)
    for finding in findings:
        remedy = f"→ {finding.remedy}" if finding.remedy else ""
        table.add_row(marks[finding.verdict], finding.piece, finding.text, remedy)
    return table


def _engine_text(client: docker.DockerClient) -> str:
    version = client.version()
    return f"Docker {version['Version']} at {engine.address()}"


def _images(client: docker.DockerClient) -> list[Finding]:
    found = []
    for source in images.SOURCES:
        piece = f"image {source.name}"
        if images.is_current(client, source):
            found.append(_good(piece, "built from the files of this installation"))
        elif client.images.list(source.name):
            found.append(_odd(piece, "older than the files of this installation", "simuctl images"))
        else:
            found.append(_bad(piece, "not built", "simuctl images"))
    return found


def _containers(client: docker.DockerClient, environment_name: str, way_up: str) -> list[Finding]:
    found = []
    for role in (Role.BROKER, Role.LOCALHOST_PROXY, Role.LAUNCHER):
        piece = f"container {environment.container_name(environment_name, role)}"
        container = environment.find(client, environment_name, role)
        if container is None:
            found.append(_bad(piece, "not there", way_up))
        elif container.status != "running":
            exit_code = container.attrs["State"]["ExitCode"]
            text = f"{container.status}, exit code {exit_code}: {last_words(container)}"
            found.append(_bad(piece, text, f"docker logs {container.name}; {way_up}"))
        else:
            found.append(_good(piece, "running"))
    return found


def _is_dense(client: docker.DockerClient, environment_name: str) -> bool:
    container = environment.find(client, environment_name, Role.LAUNCHER)
    return container is not None and "SIMU_DENSE=1" in container.attrs["Config"]["Env"]


def dense_mode(lack: page_sharing.Lack | None) -> Finding:
    """Return what is to be said of an environment whose charge points are to share memory."""
    if lack is None:
        return _good("dense mode", "the kernel merges memory")
    return _odd("dense mode", lack.text, lack.remedy)


def _launcher(fleet: FleetView, way_up: str) -> list[Finding]:
    if fleet.launcher is LauncherState.ALIVE:
        return [_good("launcher answers", "Alive")]
    text = "never heard of" if fleet.launcher is None else str(fleet.launcher)
    return [_bad("launcher answers", text, way_up)]


def charge_points(fleet: FleetView) -> list[Finding]:
    """Return what is to be said of the charge points and their containers."""
    dead = [each.charge_point_id for each in fleet.charge_points if not each.alive]
    alive = len(fleet.charge_points) - len(dead)
    found = [_good("charge points", f"{alive} alive")]
    if dead:
        text = f"{alive} alive, {len(dead)} dead: {_some(dead)}"
        found = [_odd("charge points", text, "simuctl restart")]
    for condition, remedy in _REMEDIES.items():
        named = [it.charge_point_id for it in fleet.charge_points if it.unreachable is condition]
        if named:
            found.append(_odd(f"containers {condition}", _some(named), remedy))
    silent = [
        it.charge_point_id for it in fleet.charge_points if it.container and it.container.unheard
    ]
    if silent:
        found.append(_bad("never heard", _some(silent), "docker logs says why"))
    return found


def _some(charge_point_ids: list[str]) -> str:
    more = ", …" if len(charge_point_ids) > _MOST_NAMED else ""
    return ", ".join(charge_point_ids[:_MOST_NAMED]) + more


def _good(piece: str, text: str) -> Finding:
    return Finding(piece=piece, verdict=Verdict.GOOD, text=text)


def _odd(piece: str, text: str, remedy: str) -> Finding:
    return Finding(piece=piece, verdict=Verdict.ODD, text=text, remedy=remedy)


def _bad(piece: str, text: str, remedy: str) -> Finding:
    return Finding(piece=piece, verdict=Verdict.BAD, text=text, remedy=remedy)
