"""Asking before something is destroyed."""

import typer

from supervisor_cli.context import Settings
from supervisor_cli.errors import ExitCode, SimuError


def confirm(wanted: Settings, question: str, *, nobody: str, hint: str, declined: str) -> None:
    """Return where somebody says yes.

    Args:
        wanted: knows whether somebody is there.
        question: what is asked.
        nobody: the error where nobody is there to be asked.
        hint: how to do without being asked.
        declined: the error where the answer is no.

    Raises:
        SimuError: nobody is there (exit code 2), or the answer is no.
    """
    if not wanted.is_interactive():
        raise SimuError(nobody, hint=hint, exit_code=ExitCode.USAGE)
    if not typer.confirm(question, err=True):
        raise SimuError(declined)


def confirm_removal(wanted: Settings, what: str, *, hint: str, declined: str) -> None:
    """Return where somebody says that charge points may go with all they remember.

    Raises:
        SimuError: nobody is there (exit code 2), or the answer is no.
    """
    confirm(
        wanted,
        f"Remove {what} with all that is stored?",
        nobody=f"nobody is there to confirm the removal of {what}",
        hint=hint,
        declined=declined,
    )
