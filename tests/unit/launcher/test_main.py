import gc

import pytest

from launcher.__main__ import main
from launcher.config import VARIABLES


def test_help_names_every_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["simu-launcher", "--help"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0
    out = capsys.readouterr().out
    assert all(name in out for name in VARIABLES)
    assert "exit codes" in out


# docker-py does not close a socket that could not be connected.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize(
    ("name", "value", "exit_code", "text"),
    [
        ("SIMU_ENVIRONMENT", "No Label", 2, "simu-launcher: SIMU_ENVIRONMENT is 'No Label'"),
        ("DOCKER_HOST", "unix:///nowhere/docker.sock", 3, "the Docker engine does not answer"),
    ],
)
def test_what_is_wrong_is_one_line_and_an_exit_code(
    name: str,
    value: str,
    exit_code: int,
    text: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.argv", ["simu-launcher"])
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv(name, value)
    assert main() == exit_code
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1
    assert text in errors[0]
    gc.collect()
