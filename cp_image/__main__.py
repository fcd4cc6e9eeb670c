"""The charge point's process: the environment is read here, and nowhere else."""

import os
import sys

from cp_image import late_modules


def main() -> None:
    """Run the charge point that the environment describes, and exit."""
    late_modules.put_off()
    # Only now: what is imported from here on finds the modules put off.
    from cp_image.process import run  # noqa: PLC0415

    sys.exit(run(sys.argv[1:], os.environ))


if __name__ == "__main__":
    main()
