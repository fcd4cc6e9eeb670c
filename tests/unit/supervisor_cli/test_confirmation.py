"""Asking before something is destroyed."""

import pytest
import typer
from typer.testing import CliRunner, Result

from supervisor_cli.commands.confirmation import confirm_removal
from supervisor_cli.context import Seams, Settings
from supervisor_cli.errors import ExitCode, SimuError


def asked(answer: str, *, somebody: bool) -> Result:
    app = typer.Typer()

    @app.command()
    def remove() -> None:
        wanted = Settings(environment="e", seams=Seams(interactive=lambda: somebody))
        confirm_removal(wanted, "CP-1", hint="--yes", declined="nothing was removed")
        typer.echo("gone")

    return CliRunner().invoke(app, input=answer)


def test_yes_goes_on() -> None:
    result = asked("y\n", somebody=True)
    assert result.exit_code == 0
    assert "Remove CP-1 with all that is stored? [y/N]" in result.stderr
    assert result.stdout.endswith("gone\n")


@pytest.mark.parametrize("answer", ["n\n", "\n"])
def test_no_is_told_and_is_no_interruption(answer: str) -> None:
    error = asked(answer, somebody=True).exception
    assert isinstance(error, SimuError)
    assert (str(error), error.exit_code) == ("nothing was removed", ExitCode.FAILED)


def test_without_anybody_nothing_goes() -> None:
    result = asked("y\n", somebody=False)
    error = result.exception
    assert isinstance(error, SimuError)
    assert str(error) == "nobody is there to confirm the removal of CP-1"
    assert (error.hint, error.exit_code) == ("--yes", ExitCode.USAGE)
    assert result.output == ""
