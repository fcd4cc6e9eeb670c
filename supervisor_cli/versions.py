"""Which versions of what are at work."""

import platform
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import requests
from docker.errors import DockerException

from supervisor_cli import engine, images
from supervisor_cli.engine import LABEL_ENVIRONMENT, LABEL_ROLE
from supervisor_cli.errors import SimuError
from supervisor_cli.pieces import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """What is at work.

    Attributes:
        engine: version of the engine; empty where none answers.
        why_no_engine: for people; empty where one answers.
        images: those of this installation -> whether the engine has them.
        launcher: the image the environment's launcher runs on; empty where it is no container.
        launcher_is_current: whether that is the launcher of this installation.
    """

    simuctl: str
    python: str
    engine: str
    why_no_engine: str
    images: dict[str, bool]
    launcher: str
    launcher_is_current: bool

    def builtins(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "simuctl": self.simuctl,
            "python": self.python,
            "engine": self.engine or None,
            "images": [
                {"image": image, "present": present} for image, present in self.images.items()
            ],
            "launcher": self.launcher or None,
            "launcher_is_current": self.launcher_is_current if self.launcher else None,
        }

    def lines(self) -> list[tuple[str, str]]:
        """Return it for people: the thing, and its version."""
        told = [("simuctl", self.simuctl), ("python", self.python)]
        told.append(("engine", self.engine or f"does not answer: {self.why_no_engine}"))
        launcher = self.launcher or "no container"
        if self.launcher and not self.launcher_is_current:
            launcher += " (outdated: simuctl up replaces it)"
        told.append(("launcher", launcher))
        for image, present in self.images.items():
            told.append(("image", image if present else f"{image} (not built yet)"))
        return told


def look_up(environment: str) -> Versions:
    """Return what is at work; without an engine what can be said all the same."""
    version, why, present, launcher = "", "", dict.fromkeys(_references(), False), ""
    try:
        client = engine.connect()
        version = str(client.version()["Version"])
        present = {
            source.reference(): images.is_current(client, source) for source in images.SOURCES
        }
        labels = [f"{LABEL_ENVIRONMENT}={environment}", f"{LABEL_ROLE}={Role.LAUNCHER}"]
        found = client.containers.list(filters={"label": labels}, ignore_removed=True)
        launcher = str(found[0].attrs["Config"]["Image"]) if found else ""
    except (SimuError, DockerException, requests.RequestException) as exc:
        why = str(exc)
    return Versions(
        simuctl=metadata.version("cp-simu"),
        python=platform.python_version(),
        engine=version,
        why_no_engine=why,
        images=present,
        launcher=launcher,
        launcher_is_current=launcher == images.reference(images.LAUNCHER),
    )


def _references() -> list[str]:
    return [source.reference() for source in images.SOURCES]
