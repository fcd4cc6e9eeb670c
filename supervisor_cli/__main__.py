"""The console script `simuctl`. Loading takes a while: Ctrl-C is no error from then on."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supervisor_cli.context import Seams

_INTERRUPTED = 130


def main() -> None:
    """Run simuctl on the words of the command line and exit."""
    try:
        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # before a command has begun, or after its end
        sys.stderr.write("\ninterrupted\n" if sys.stderr.isatty() else "interrupted\n")
        code = _INTERRUPTED
    sys.exit(code)


def run(words: Sequence[str], seams: "Seams | None" = None) -> int:
    """Run simuctl and return its exit code; every error becomes `error:` and `hint:` on stderr."""
    from supervisor_cli import command_line  # noqa: PLC0415 - loads all commands

    return command_line.run(words, seams)


if __name__ == "__main__":
    main()
