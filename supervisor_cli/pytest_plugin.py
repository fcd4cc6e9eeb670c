"""Simulated charge points in the tests of a CSMS: the fixtures `simu` and `async_simu`.

def test_a_session(simu, csms_url):
    cp = simu.add(central_system=csms_url)
    cp.connector(1).plug()
    cp.connector(1).tag("ABC")
    cp.connector(1).wait_for("Charging")
    cp.frames.wait_for("StartTransaction", idTag="ABC")

pytest finds it by itself where cp-simu is installed. Nothing but pytest is imported before a test
asks for a fixture.
"""

from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import pytest

if TYPE_CHECKING:
    from types import ModuleType

    from _pytest.capture import CaptureManager

    from supervisor_cli.async_simu import AsyncSimu
    from supervisor_cli.simu import Simu
    from supervisor_cli.state import Broker

_IMAGE_OPTIONS: Final = {
    "simu_charge_point_image": "cp-simu/charge-point",
    "simu_launcher_image": "cp-simu/launcher",
    "simu_broker_image": "cp-simu/broker",
    "simu_localhost_proxy_image": "cp-simu/localhost-proxy",
}
_SIMU: Final = pytest.StashKey["Simu"]()
_FAILED: Final = pytest.StashKey[bool]()
_TOLD: Final = pytest.StashKey[list[tuple[str, str]]]()
_KEPT: Final = pytest.StashKey[list[str]]()
_WORKER_KEPT: Final = "simu_kept"
_SLOW: Final = ("building", "pulling", "making", "removing environment")


@dataclass(frozen=True, slots=True, kw_only=True)
class SimuEnvironment:
    """The environment of a test session: what a client of one's own needs.

    Attributes:
        name: for `Simu`, and for `simuctl -e NAME` meanwhile.
        broker: where its broker is.
        timeout_s: how long tests wait where they say nothing else.
        kept: whether charge points of failed tests stay for a look.
    """

    name: str
    broker: "Broker"
    timeout_s: float
    kept: bool


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and the settings of an ini file."""
    group = parser.getgroup("cp-simu", "simulated charge points")
    group.addoption(
        "--simu-keep",
        action="store_true",
        help="leave the environment, and the charge points of failed tests, for a look",
    )
    group.addoption(
        "--simu-environment",
        metavar="NAME",
        help="use the environment that `simuctl -e NAME up` has started; it is left as it is",
    )
    parser.addini("simu_timeout", "seconds that tests wait for charge points", default="30")
    for option, image in _IMAGE_OPTIONS.items():
        parser.addini(option, f"instead of the {image} that is built", default="")


@pytest.fixture(scope="session")
def simu_environment(request: pytest.FixtureRequest) -> "Iterator[SimuEnvironment]":
    """The environment that the charge points of this session live in, a worker's own by xdist.

    Its name begins with ``SIMU_ENVIRONMENT``, where that is set. Override the fixture to use one
    that is up anyway.
    """
    config = request.config
    timeout_s = _timeout_s(config)
    given, kept = config.getoption("--simu-environment"), config.getoption("--simu-keep")
    if given:
        from supervisor_cli import given_environment  # noqa: PLC0415 - only where it is used

        with _said_plainly():
            broker = given_environment.broker_of(given)
        yield SimuEnvironment(name=given, broker=broker, timeout_s=timeout_s, kept=kept)
        return
    session = _session_environments()
    wanted = session.SessionSettings(
        name=_environment_name(config),
        images={
            image: config.getini(option)
            for option, image in _IMAGE_OPTIONS.items()
            if config.getini(option)
        },
        kept=kept,
    )
    with ExitStack() as stack:
        with _said_plainly():
            broker = stack.enter_context(session.session_environment(wanted, _Teller(config)))
        if kept:
            _note_kept(config, wanted.name)
        yield SimuEnvironment(name=wanted.name, broker=broker, timeout_s=timeout_s, kept=kept)


@pytest.fixture
def simu(request: pytest.FixtureRequest, simu_environment: SimuEnvironment) -> "Iterator[Simu]":
    """A fleet of the test's own: what it adds is removed after it."""
    from supervisor_cli.simu import Simu  # noqa: PLC0415 - only where it is used

    with Simu(
        environment=simu_environment.name,
        broker=simu_environment.broker,
        timeout_s=simu_environment.timeout_s,
    ) as fleet:
        request.node.stash[_SIMU] = fleet
        try:
            yield fleet
        finally:
            del request.node.stash[_SIMU]
            if not (simu_environment.kept and request.node.stash.get(_FAILED, False)):
                fleet.remove()


@pytest.fixture
def async_simu(request: pytest.FixtureRequest, simu_environment: SimuEnvironment) -> "AsyncSimu":
    """The same for a test with an event loop: `async with async_simu as simu: await simu.add(…)`.

    What is added is removed when it is left.
    """
    from supervisor_cli.async_fleet_of_test import AsyncFleetOfTest  # noqa: PLC0415 - as above

    return AsyncFleetOfTest(
        environment=simu_environment.name,
        broker=simu_environment.broker,
        timeout_s=simu_environment.timeout_s,
        kept=simu_environment.kept,
        tell=lambda told: request.node.stash.__setitem__(_TOLD, told),
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to a failure what is known of the test's charge points, while they are there."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
        fleet = item.stash.get(_SIMU, None)
        if fleet is not None:
            from supervisor_cli import post_mortem  # noqa: PLC0415 - only where it is used

            report.sections += post_mortem.told(fleet)
        told: list[tuple[str, str]] = item.stash.get(_TOLD, [])
        report.sections += told
    return report


def pytest_terminal_summary(terminalreporter: "pytest.TerminalReporter") -> None:
    """Say which environments are kept, and how to look at them."""
    for name in terminalreporter.config.stash.get(_KEPT, []):
        terminalreporter.write_line(
            f"environment {name} is kept: simuctl -e {name} ls; simuctl -e {name} down"
        )


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: "_Node") -> None:
    """Take over from a worker of xdist which environments are kept."""
    for name in getattr(node, "workeroutput", {}).get(_WORKER_KEPT, []):
        node.config.stash.setdefault(_KEPT, []).append(name)


class _Node(Protocol):
    """What is used of `xdist.workermanage.WorkerController`."""

    config: pytest.Config


class _Teller:
    """Tells what takes long where a person sees it; the rest where a failed set-up shows it."""

    def __init__(self, config: pytest.Config) -> None:
        self._reporter: pytest.TerminalReporter | None = config.pluginmanager.get_plugin(
            "terminalreporter"
        )
        self._capture: CaptureManager | None = config.pluginmanager.get_plugin("capturemanager")

    def __call__(self, text: str) -> None:
        print(text)  # noqa: T201 - pytest keeps it with the set-up of the fixture
        if self._reporter is not None and text.startswith(_SLOW) and ": " not in text:
            # While a fixture is set up, all that is written is kept for later, a report, too.
            seen = self._capture.global_and_fixture_disabled() if self._capture else nullcontext()
            with seen:
                self._reporter.ensure_newline()
                self._reporter.write_line(text)


@contextmanager
def _said_plainly() -> Iterator[None]:
    """Let an error be no more than its words: what helps is in them, not in our lines."""
    from supervisor_cli.errors import SimuError  # noqa: PLC0415 - only where it is used

    try:
        yield
    except SimuError as exc:
        words = "\n".join([str(exc), *getattr(exc, "__notes__", ())])
        raise pytest.fail.Exception(words, pytrace=False) from None


def _note_kept(config: pytest.Config, name: str) -> None:
    config.stash.setdefault(_KEPT, []).append(name)
    output: dict[str, object] | None = getattr(config, "workeroutput", None)
    if output is not None:
        output[_WORKER_KEPT] = [name]


def _session_environments() -> "ModuleType":
    try:
        from supervisor_cli import session_environment  # noqa: PLC0415 - only where it is used
    except ModuleNotFoundError as exc:
        if not (exc.name or "").startswith("testcontainers"):
            raise
        raise pytest.UsageError(
            "the fixtures of cp-simu need testcontainers: pip install 'cp-simu[pytest]'"
        ) from exc
    return session_environment


def _timeout_s(config: pytest.Config) -> float:
    text = str(config.getini("simu_timeout"))
    try:
        timeout_s = float(text)
    except ValueError:
        timeout_s = 0.0
    if not 0 < timeout_s < float("inf"):
        raise pytest.UsageError(f"simu_timeout is {text!r}: it is a number of seconds above 0")
    return timeout_s


def _environment_name(config: pytest.Config) -> str:
    """Return a name of this run's, and of this worker's where xdist has several."""
    import os  # noqa: PLC0415 - only where it is used
    import re  # noqa: PLC0415
    import secrets  # noqa: PLC0415

    from launcher.api import ENVIRONMENT_PATTERN  # noqa: PLC0415

    parts = [(os.environ.get("SIMU_ENVIRONMENT") or "pytest")[:16].strip("-"), secrets.token_hex(3)]
    worker = str(getattr(config, "workerinput", {}).get("workerid", ""))
    name = "-".join([*parts, worker] if worker else parts)
    if not re.match(ENVIRONMENT_PATTERN, name):
        raise pytest.UsageError(f"SIMU_ENVIRONMENT {parts[0]!r} has more than a-z, 0-9 and -")
    return name
