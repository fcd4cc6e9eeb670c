"""The pytest plugin without an engine: what it costs, its options, its errors, its reports."""

import re
from pathlib import Path

import pytest

from launcher.api import ENVIRONMENT_PATTERN
from supervisor_cli.client import SimuClient
from supervisor_cli.pytest_plugin import _environment_name, _timeout_s
from tests.unit.supervisor_cli.world import World

pytest_plugins = ["pytester"]

IN_MEMORY = """
import pytest
from supervisor_cli.async_simu import AsyncSimu
from supervisor_cli.pytest_plugin import SimuEnvironment
from supervisor_cli.simu import Simu
from supervisor_cli.state import Broker
from tests.unit.supervisor_cli.world import World

@pytest.fixture(scope="session")
def simu_environment():
    return SimuEnvironment(name="cp-simu", broker=Broker(), timeout_s=5, kept={kept})

@pytest.fixture
def world(monkeypatch):
    world = World()
    for kind in (Simu, AsyncSimu):
        monkeypatch.setitem(kind.__init__.__kwdefaults__, "link_factory", world.link)
    return world
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    # Nobody is there: what is in this file needs no engine.
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    return pytester


_WITHOUT = ("-p", "no:asyncio", "-p", "no:cacheprovider", "-p", "no:timeout")


def run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return project.runpytest_subprocess(*_WITHOUT, *arguments)


def run_here(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run in this process, which has imported all of ours already: that takes no time."""
    project.syspathinsert(Path(__file__).parents[3])
    return project.runpytest_inprocess(*_WITHOUT, *arguments)


def test_a_project_that_does_not_use_it_pays_nothing(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import sys

        def test_nothing_of_ours_is_imported():
            ours = {name for name in sys.modules if name.startswith(("supervisor_cli", "cp_image"))}
            assert ours <= {"supervisor_cli", "supervisor_cli.pytest_plugin"}
            assert not {"docker", "testcontainers", "paho", "msgspec", "rich"} & set(sys.modules)
        """
    )
    run(project).assert_outcomes(passed=1)


def test_the_fixtures_and_options_are_listed(project: pytest.Pytester) -> None:
    told = run_here(project, "--fixtures")
    told.stdout.fnmatch_lines(["simu -- *", "*fleet of the test*", "simu_environment [[]session*"])
    told = run_here(project, "--help")
    told.stdout.fnmatch_lines(["*--simu-keep*", "*--simu-environment=NAME*", "*simu_timeout*"])
    told.stdout.fnmatch_lines(["*simu_charge_point_image*"])


def test_what_takes_long_is_seen_while_it_does(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import pytest

        @pytest.fixture
        def tell(request):
            from supervisor_cli.pytest_plugin import _Teller
            return _Teller(request.config)

        @pytest.fixture
        def slow(tell):
            tell("starting the broker")
            tell("building cp-simu/launcher")
            tell("building cp-simu/launcher: Step 1/20")

        def test_passes(slow):
            pass

        def test_fails(slow):
            assert False
        """
    )
    told = run(project)
    told.assert_outcomes(passed=1, failed=1)
    seen, _, kept = str(told.stdout).partition("= FAILURES =")
    assert seen.splitlines().count("building cp-simu/launcher") == 2  # in each test
    assert "starting" not in seen
    assert "Step" not in seen
    said = ["starting the broker", "building cp-simu/launcher"]
    assert "\n".join([*said, "building cp-simu/launcher: Step 1/20", ""]) in kept


def test_without_an_engine_the_error_says_so(project: pytest.Pytester) -> None:
    project.makepyfile("def test_it(simu): pass")
    told = run(project)
    told.assert_outcomes(errors=1)
    told.stdout.fnmatch_lines(["no Docker engine answers at tcp://127.0.0.1:9*", "hint: *"])
    told.stdout.no_fnmatch_line("*the following exception*")
    told.stdout.no_fnmatch_line("*Traceback*")
    told.stdout.no_fnmatch_line("*engine.py*")


def test_without_testcontainers_the_error_names_the_extra(project: pytest.Pytester) -> None:
    project.makepyfile("def test_it(simu): pass")
    project.makeconftest("import sys; sys.modules['testcontainers'] = None")
    told = run(project)
    told.assert_outcomes(errors=1)
    told.stdout.fnmatch_lines(["*pip install 'cp-simu?pytest?'*"])


@pytest.mark.parametrize("text", ["soon", "0", "-1", "inf", "nan"])
def test_a_timeout_is_a_number(pytester: pytest.Pytester, text: str) -> None:
    config = pytester.parseconfig("-o", f"simu_timeout={text}")
    with pytest.raises(pytest.UsageError, match=f"simu_timeout is '{text}': it is a number of sec"):
        _timeout_s(config)
    assert _timeout_s(pytester.parseconfig("-o", "simu_timeout=2.5")) == 2.5


@pytest.mark.parametrize(
    ("given", "begins"), [("ci-42", "ci-42-"), ("", "pytest-"), ("a" * 32, "a" * 16 + "-")]
)
def test_a_name_is_this_runs_and_this_workers(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, given: str, begins: str
) -> None:
    monkeypatch.setenv("SIMU_ENVIRONMENT", given)
    config = pytester.parseconfig()
    names = {_environment_name(config), _environment_name(config)}
    monkeypatch.setattr(config, "workerinput", {"workerid": "gw17"}, raising=False)
    names.add(_environment_name(config))
    assert len(names) == 3
    assert sum(name.endswith("-gw17") for name in names) == 1
    for name in names:
        assert name.startswith(begins)
        assert re.match(ENVIRONMENT_PATTERN, name)
    monkeypatch.setenv("SIMU_ENVIRONMENT", "CI_42")
    with pytest.raises(pytest.UsageError, match="SIMU_ENVIRONMENT 'CI_42' has more than a-z"):
        _environment_name(config)


def test_what_a_test_adds_is_gone_before_the_next(project: pytest.Pytester) -> None:
    project.makeconftest(IN_MEMORY.format(kept=False))
    project.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("number", [1, 2])
        def test_it(world, simu, number):
            assert simu.add(central_system="ws://localhost:9000").id == "CP-0001"

        def test_it_fails(world, request):
            simu = request.getfixturevalue("simu")
            simu.add(central_system="ws://localhost:9000", id="LOST")
            request.config.world = world
            assert False

        def test_it_was_removed_also_after_a_failure(request):
            assert request.config.world.containers == set()
        """
    )
    run_here(project).assert_outcomes(passed=3, failed=1)


def test_a_failure_tells_of_the_charge_points(project: pytest.Pytester) -> None:
    project.makeconftest(IN_MEMORY.format(kept=False))
    project.makepyfile(
        """
        def test_it(world, simu):
            world.charge_point("OF-SOMEBODY-ELSE")
            simu.add(central_system="ws://localhost:9000/ocpp", id="CP-LOST")
            assert False

        def test_none_was_added(world, simu):
            assert False
        """
    )
    told = run_here(project)
    told.assert_outcomes(failed=2)
    told.stdout.fnmatch_lines(
        [
            "*- charge points -*",
            "CP-LOST*Accepted*ws://localhost:9000*",
            "*- OCPP frames of CP-LOST -*",
            "  no frames",
            "*- log of CP-LOST -*",
            "no Docker engine answers at tcp://127.0.0.1:9*",
        ]
    )
    assert str(told.stdout).count("- charge points -") == 1
    told.stdout.no_fnmatch_line("OF-SOMEBODY-ELSE*Accepted*")


def test_the_same_within_an_event_loop(project: pytest.Pytester) -> None:
    project.makeconftest(IN_MEMORY.format(kept=False))
    project.makepyfile(
        """
        import asyncio

        WORLDS = []

        async def charge(fleet, *, fail):
            async with fleet as simu:
                assert (await simu.add(central_system="ws://localhost:9000")).status == "Accepted"
                assert not fail

        def test_passes(world, async_simu):
            WORLDS.append(world)
            asyncio.run(charge(async_simu, fail=False))

        def test_fails(world, async_simu):
            WORLDS.append(world)
            asyncio.run(charge(async_simu, fail=True))

        def test_nothing_is_left():
            assert [world.containers for world in WORLDS] == [set(), set()]
        """
    )
    told = run_here(project)
    told.assert_outcomes(passed=2, failed=1)
    told.stdout.fnmatch_lines(["*- charge points -*", "CP-0001*", "*- log of CP-0001 -*"])


def test_what_cannot_be_told_does_not_hide_the_failure(project: pytest.Pytester) -> None:
    project.makeconftest(IN_MEMORY.format(kept=False))
    project.makepyfile(
        """
        from supervisor_cli import post_mortem

        def test_it(world, simu, monkeypatch):
            monkeypatch.setattr(post_mortem, "_sections", lambda fleet: 1 / 0)
            assert "this" == "that"
        """
    )
    told = run_here(project)
    told.assert_outcomes(failed=1)
    told.stdout.fnmatch_lines(["*assert 'this' == 'that'", "cannot be told: ZeroDivisionError*"])


def test_kept_charge_points_are_those_of_failures(project: pytest.Pytester) -> None:
    project.makeconftest(IN_MEMORY.format(kept=True))
    project.makepyfile(
        """
        WORLDS = []

        def test_passes(world, simu):
            WORLDS.append(world)
            simu.add(central_system="ws://localhost:9000", id="GOOD")

        def test_fails(world, simu):
            WORLDS.append(world)
            simu.add(central_system="ws://localhost:9000", id="BAD")
            assert False

        def test_what_is_left():
            assert [world.containers for world in WORLDS] == [set(), {"BAD"}]
        """
    )
    run_here(project).assert_outcomes(passed=2, failed=1)


def test_an_environment_that_is_up_can_be_used(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIMU_BROKER", "127.0.0.1:7")
    monkeypatch.setitem(SimuClient.__init__.__kwdefaults__ or {}, "link_factory", World().link)
    project.makepyfile(
        """
        def test_it(simu_environment):
            assert simu_environment.name == "cp-simu"
            assert str(simu_environment.broker) == "127.0.0.1:7"
        """
    )
    run_here(project, "--simu-environment", "cp-simu").assert_outcomes(passed=1)


def test_an_environment_that_is_not_up_is_said_to_be_so(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIMU_BROKER", "127.0.0.1:9")
    project.makepyfile(
        """
        def test_it(simu):
            pass

        def test_within_an_event_loop(async_simu):
            pass
        """
    )
    told = run_here(project, "--simu-environment", "mine")
    told.assert_outcomes(errors=2)
    told.stdout.fnmatch_lines(
        [
            "*ERROR at setup of test_it*",
            "environment mine is not up: broker 127.0.0.1:9: connection refused",
            "hint: simuctl -e mine up",
            "*ERROR at setup of test_within_an_event_loop*",
            "environment mine is not up: broker 127.0.0.1:9: connection refused",
        ],
        consecutive=True,
    )
