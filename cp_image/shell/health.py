"""What the image's health check reads: how the charge point stands with the CSMS, in a file.

A shell reads it without starting Python, for what a check costs, each charge point costs.
"""

import logging
from pathlib import Path
from typing import Final

from cp_image.api.payloads import ChargePointState

LOG: Final = logging.getLogger(__name__)

FILE_NAME: Final = "status"


class HealthFile:
    """The file in the state directory; healthy is who is Accepted."""

    def __init__(self, state_directory: Path) -> None:
        self._path = state_directory / FILE_NAME
        self._failed = False

    def write(self, state: ChargePointState) -> None:
        """Write the state down; the charge point goes on where it cannot."""
        try:
            self._path.write_text(f"{state}\n")
        except OSError as exc:
            if not self._failed:
                LOG.warning("the health check is told nothing: %s: %s", self._path, exc.strerror)
            self._failed = True
