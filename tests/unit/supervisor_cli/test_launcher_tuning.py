"""What `simuctl up` hands on to the launcher."""

import pytest

from launcher.config import VARIABLES
from supervisor_cli import launcher_tuning, pieces
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.pieces import EnvironmentSettings, Running


def test_what_the_shell_says_reaches_the_launcher() -> None:
    shell = {
        "SIMU_SIDE_BY_SIDE": "8",
        "SIMU_MOST_CRASHES": " ",
        "SIMU_ENVIRONMENT": "x",
        "HOME": "/",
    }
    tuning = launcher_tuning.asked_for(shell)
    assert tuning == {"SIMU_SIDE_BY_SIDE": "8"}
    settings = EnvironmentSettings(name="x", tuning=tuning)
    running = Running(broker_host="127.0.0.1", broker_port=1, localhost_proxy="http://x:1")
    made = pieces.launcher(settings, running, 0)
    assert made.environment["SIMU_SIDE_BY_SIDE"] == "8"
    told = [f"{name}={value}" for name, value in made.environment.items()]
    assert launcher_tuning.as_it_has(told) == tuning


@pytest.mark.parametrize("name", launcher_tuning.HANDED_ON)
def test_what_it_would_not_take_is_refused(name: str) -> None:
    with pytest.raises(SimuError, match=f"{name} is 'many'") as refused:
        launcher_tuning.asked_for({name: "many"})
    assert refused.value.exit_code is ExitCode.USAGE


def test_all_that_is_handed_on_is_read_by_the_launcher() -> None:
    assert {*launcher_tuning.HANDED_ON} <= {*VARIABLES}
