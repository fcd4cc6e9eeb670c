"""The charge point's process: the environment is read here, and nowhere else."""

import os
import sys

from cp_image import dense, late_modules


def main() -> None:
    """Run the charge point that the environment describes, and exit."""
    warnings = dense.settle(os.environ)
    late_modules.put_off()
    # Only now: what is imported from here on finds the modules put off.
    from cp_image.process import run  # noqa: PLC0415

    sys.exit(run(sys.argv[1:], os.environ, warnings))


if __name__ == "__main__":
    main()
