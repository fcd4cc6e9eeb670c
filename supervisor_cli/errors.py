"""What can go wrong for the user, with the way out of it and the exit code."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of simuctl."""

    OK = 0
    FAILED = 1
    """the operation was refused or failed"""
    USAGE = 2
    """the words of the command are off"""
    UNREACHABLE = 3
    """engine, broker or launcher does not answer"""
    TIMEOUT = 4
    """what was waited for did not come"""
    INTERRUPTED = 130


class SimuError(Exception):
    """An error for people: what is wrong, how to mend it, and the exit code it ends with."""

    def __init__(self, text: str, *, hint: str = "", exit_code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(text)
        if hint:
            self.add_note(f"hint: {hint}")  # what a traceback shows
        self.hint = hint
        self.exit_code = exit_code


class NotUpError(SimuError):
    """An environment's broker or launcher is not there.

    Attributes:
        environment: its name; who can ask the engine finds out by whom it was brought up.
    """

    def __init__(self, text: str, *, environment: str, hint: str) -> None:
        super().__init__(text, hint=hint, exit_code=ExitCode.UNREACHABLE)
        self.environment = environment
