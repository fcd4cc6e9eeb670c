"""A command line of `simuctl`: runs it, and turns what went wrong into words."""

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Final

from typer import Abort
from typer.exceptions import TyperException

from supervisor_cli.app import app
from supervisor_cli.context import Seams
from supervisor_cli.errors import ExitCode, NotUpError, SimuError
from supervisor_cli.terminal import complain, say_interrupted

DEBUG_VARIABLE: Final = "SIMU_DEBUG"


def run(words: Sequence[str], seams: Seams | None = None) -> int:
    """Run simuctl and return its exit code; every error becomes `error:` and `hint:` on stderr."""
    try:
        return _invoke(words, seams or Seams())
    except BrokenPipeError:
        _silence_stdout()
        return ExitCode.FAILED
    except SystemExit as exc:  # how Typer and Rich end when the reader of stdout has left
        return exc.code if isinstance(exc.code, int) else ExitCode.FAILED


def _invoke(words: Sequence[str], seams: Seams) -> int:
    try:
        code = app(list(words), prog_name="simuctl", standalone_mode=False, obj=seams)
        sys.stdout.flush()  # here, so that a full disk is told too
    except SimuError as exc:
        complain(str(exc), _hint(exc))
        return exc.exit_code
    except TyperException as exc:
        message = exc.format_message()
        if message:  # a group without a command has shown its help, and has nothing to add
            complain(message, _usage_hint(exc))
        return exc.exit_code
    except (KeyboardInterrupt, Abort):
        code = ExitCode.INTERRUPTED
    except BrokenPipeError:
        raise
    except OSError as exc:
        complain(f"{exc.filename or 'input or output'}: {exc.strerror or exc}")
        return ExitCode.FAILED
    except Exception as exc:  # noqa: BLE001 - the last line of defence, and it is reported
        if os.environ.get(DEBUG_VARIABLE):
            traceback.print_exc()
        complain(
            f"this should not have happened: {type(exc).__name__}: {exc}",
            f"set {DEBUG_VARIABLE}=1 for the details, and report them",
        )
        return ExitCode.FAILED
    if code == ExitCode.INTERRUPTED:  # Typer makes this of a KeyboardInterrupt, too
        say_interrupted()
    return code if isinstance(code, int) else ExitCode.OK


def _hint(error: SimuError) -> str:
    """Return what helps: whoever has brought an environment up brings it up again."""
    # Compose writes down nowhere where the broker is: only then has the engine been asked for it.
    if not isinstance(error, NotUpError) or "docker" not in sys.modules:
        return error.hint
    from supervisor_cli import compose_project  # noqa: PLC0415 - 200 ms

    command = compose_project.way_up(error.environment)
    return error.hint if command is None else f"{command} starts it"


def _usage_hint(error: TyperException) -> str:
    context = getattr(error, "ctx", None)
    return f"{context.command_path} --help" if context is not None else "simuctl --help"


def _silence_stdout() -> None:
    """Let the interpreter's last flush go nowhere: the reader has left, which is its right."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
