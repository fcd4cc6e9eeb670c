"""The charge point's process: the environment is read here, and nowhere else."""

import os
import signal
import sys
from types import FrameType

from cp_image import dense, late_modules


def main() -> None:
    """Run the charge point that the environment describes, and exit."""
    # A container's first process ignores a signal without a handler, and then is killed for it; the
    # charge point's own comes when it has something to put in order.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    warnings = dense.settle(os.environ)
    late_modules.put_off()
    # Only now: what is imported from here on finds the modules put off.
    from cp_image.process import run  # noqa: PLC0415

    sys.exit(run(sys.argv[1:], os.environ, warnings))


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    main()
