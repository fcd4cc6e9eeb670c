"""The layers of the tree, kept by walking the imports of every module."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("cp_image", "launcher", "supervisor_cli")

# What a layer may import; the longest matching prefix rules, so a package stands for all below it.
ONLY: dict[str, set[str]] = {
    "cp_image.api": {
        "cp_image.api",
        "msgspec",
        "enum",
        "typing",
        "collections",
        "datetime",
        "re",
        "urllib",
    },
    "cp_image.core": {
        "bisect",
        "cp_image.api",
        "cp_image.core",
        "functools",
        "re",
        "msgspec",
        "enum",
        "typing",
        "types",
        "collections",
        "math",
        "heapq",
        "itertools",
        "datetime",
        "random.Random",  # the class; the module's own generator is everybody's
    },
}

IO = {"asyncio", "socket", "ssl", "threading", "subprocess", "selectors", "sqlite3", "websockets"}
CLOCK = {"time", "sched"}
TERMINAL = {"typer", "rich", "textual"}
MQTT = {"paho", "cp_image.mqtt_link"}

# What a layer never imports; every matching prefix counts.
NEVER: dict[str, set[str]] = {
    # Of the ocpp package the schemas are read; its code, and what it imports, is 4 MiB per process.
    # What dataclasses cost, `cp_image.api.value` says.
    "cp_image": {
        "launcher",
        "supervisor_cli",
        "dataclasses",
        "docker",
        "ocpp",
        "jsonschema",
        *TERMINAL,
    },
    "cp_image.dialects": {*IO, *CLOCK, *MQTT, "os", "logging", "random", "cp_image.shell"},
    "cp_image.mqtt_link": {"cp_image.core", "cp_image.dialects", "cp_image.shell"},
    "launcher": {"supervisor_cli", *TERMINAL},
    "launcher.api": {"docker", *IO, *CLOCK, *MQTT},
    "launcher.fleet": {"docker", *IO, *CLOCK, *MQTT},
    "launcher.fleet_file": {"docker", "os", "pathlib", *IO, *CLOCK, *MQTT},
    "launcher.reconcile": {"docker", *IO, *CLOCK, *MQTT},
    "launcher.docker_host": MQTT,
    "supervisor_cli.fleet_view": {"docker", *IO, *CLOCK, *MQTT},
    "supervisor_cli.setup_plan": {"docker", *IO, *CLOCK, *MQTT},
    "supervisor_cli.render": {"docker", *MQTT},
    "supervisor_cli.dashboard": {"docker", *MQTT},
}

# What a package may import of another one.
DOORS: dict[str, set[str]] = {
    "launcher": {"cp_image.api", "cp_image.mqtt_link"},
    "supervisor_cli": {
        "cp_image.api",
        "cp_image.mqtt_link",
        "launcher.api",
        "launcher.config",
        "launcher.fleet",
        "launcher.fleet_file",
    },
}

# The only modules that import a library.
IMPORTERS: dict[str, set[str]] = {
    "paho": {"cp_image.mqtt_link"},
    "docker": {
        "launcher.docker_connection",
        "launcher.docker_containers",
        "launcher.docker_ear",
        "launcher.docker_host",
        "launcher.docker_networks",
        "supervisor_cli.bring_up",
        "supervisor_cli.broker_lock",
        "supervisor_cli.charge_point_logs",
        "supervisor_cli.compose_project",
        "supervisor_cli.container_logs",
        "supervisor_cli.log_stream",
        "supervisor_cli.doctor",
        "supervisor_cli.engine",
        "supervisor_cli.environment",
        "supervisor_cli.images",
        "supervisor_cli.localhost_proxy",
        "supervisor_cli.networks",
        "supervisor_cli.pieces",
        "supervisor_cli.secret_volumes",
        "supervisor_cli.session_environment",
        "supervisor_cli.versions",
        "supervisor_cli.volume_files",
    },
    "testcontainers": {"supervisor_cli.session_environment"},
    "pytest": {"supervisor_cli.pytest_plugin"},
}

MUTABLE_CALLS = {"list", "dict", "set", "bytearray", "deque", "defaultdict", "Counter", "count"}
MUTABLE_NODES = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)


def is_below(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(source: str, module: str, *, is_package: bool = False) -> Iterator[str]:
    """Yield what a module imports, anywhere in it, as ``module.name``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = node.module or ""
            if node.level:
                up = node.level - (1 if is_package else 0)
                base = module.split(".")[: len(module.split(".")) - up]
                origin = ".".join([*base, origin] if origin else base)
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def breaches(module: str, imported: str) -> list[str]:
    """Return which rules an import breaks."""
    found = []
    layers = [layer for layer in ONLY if is_below(module, layer)]
    if layers:
        allowed = ONLY[max(layers, key=len)]
        if not any(is_below(imported, name) for name in allowed):
            found.append(f"{module} imports {imported}: it may import {sorted(allowed)} only")
    for layer, never in NEVER.items():
        if is_below(module, layer) and any(is_below(imported, name) for name in never):
            found.append(f"{module} imports {imported}: {layer} never does")
    package, other = module.partition(".")[0], imported.partition(".")[0]
    if package in DOORS and other in PACKAGES and other != package:
        doors = DOORS[package]
        if not any(is_below(imported, door) for door in doors):
            found.append(f"{module} imports {imported}: {package} uses {sorted(doors)} only")
    if other in IMPORTERS and module not in IMPORTERS[other]:
        found.append(f"{module} imports {imported}: only {sorted(IMPORTERS[other])} import {other}")
    return found


def mutable_state(source: str, *, final_tables: bool = False) -> list[str]:
    """Return the names at module and class level that hold something that can be changed.

    With `final_tables` a container that is declared Final counts as the table it is.
    """
    found = []
    tree = ast.parse(source)
    bodies = [tree.body, *(n.body for n in ast.walk(tree) if isinstance(n, ast.ClassDef))]
    for node in (statement for body in bodies for statement in body):
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and is_mutable(node.value):
            if final_tables and isinstance(node, ast.AnnAssign) and is_final(node.annotation):
                continue
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found += [ast.unparse(target) for target in targets]
    return found


def is_final(annotation: ast.expr) -> bool:
    return ast.unparse(annotation).startswith("Final")


def is_mutable(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Call):
        name = ast.unparse(value.func).rsplit(".", 1)[-1]
        return name in MUTABLE_CALLS
    return isinstance(value, MUTABLE_NODES)


MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def test_the_tree_is_found() -> None:
    names = {module_name(path) for path in MODULES}
    assert {"cp_image.core.station", "launcher.api", "supervisor_cli.errors"} <= names


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_a_module_keeps_its_layer(path: Path) -> None:
    module = module_name(path)
    found = imports(path.read_text("utf-8"), module, is_package=path.name == "__init__.py")
    assert [breach for name in found for breach in breaches(module, name)] == []


@pytest.mark.parametrize(
    "path", [path for path in MODULES if is_below(module_name(path), "cp_image")], ids=module_name
)
def test_the_charge_point_has_no_module_level_mutable_state(path: Path) -> None:
    in_core = is_below(module_name(path), "cp_image.core")
    names = mutable_state(path.read_text("utf-8"), final_tables=not in_core)
    assert [name for name in names if name != "__all__"] == []


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_only_the_entry_points_read_the_environment_of_a_charge_point(path: Path) -> None:
    module = module_name(path)
    if is_below(module, "cp_image") and module != "cp_image.__main__":
        tree = ast.parse(path.read_text("utf-8"))
        read = [ast.unparse(n) for n in ast.walk(tree) if isinstance(n, ast.Attribute)]
        assert not {"os.environ", "os.getenv"} & set(read)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("cp_image.core.station", "import asyncio"),
        ("cp_image.core.station", "import random"),
        ("cp_image.core.station", "from random import choice"),
        ("cp_image.core.station", "def f():\n    import time"),
        ("cp_image.core.station", "from cp_image.shell import clock"),
        ("cp_image.core.station", "from ..shell.clock import Clock"),
        ("cp_image.api.topics", "import asyncio"),
        ("cp_image.dialects.ocpp16.codec", "import websockets"),
        ("cp_image.dialects.ocpp16.codec", "from ocpp.v16 import call"),
        ("cp_image.shell.runner", "from launcher.api import Specification"),
        ("cp_image.shell.runner", "import paho.mqtt.client"),
        ("launcher.daemon", "from supervisor_cli import errors"),
        ("launcher.daemon", "from cp_image.core.station import Station"),
        ("launcher.daemon", "import docker"),
        ("launcher.reconcile", "import time"),
        ("launcher.docker_host", "from cp_image.mqtt_link import MqttLink"),
        ("supervisor_cli.client", "from launcher.reconcile import plan"),
        ("supervisor_cli.client", "from cp_image import core"),
        ("supervisor_cli.app", "import docker"),
        ("supervisor_cli.fleet_view", "import asyncio"),
        ("supervisor_cli.render", "from paho.mqtt import client"),
    ],
)
def test_a_breach_is_seen(module: str, source: str) -> None:
    assert [breach for name in imports(source, module) for breach in breaches(module, name)]


@pytest.mark.parametrize(
    "source",
    [
        "CACHE = {}",
        "CACHE: dict[str, int] = dict()",
        "class A:\n    seen = []",
        "import itertools\nIDS = itertools.count()",
    ],
)
def test_mutable_state_is_seen(source: str) -> None:
    assert mutable_state(source)
    assert mutable_state(source, final_tables=True)
    assert mutable_state("TABLE: Final = {}")
    assert mutable_state("TABLE: Final = {}", final_tables=True) == []
    assert mutable_state("LIMITS = MappingProxyType({1: 2})\nNAMES = ('a', 'b')") == []
