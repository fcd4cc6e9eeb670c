"""The firmware file: what is remembered of it, and which version it holds.

A simulated charge point runs no firmware, so any file will do. Its version is, in this order:

1. what stands on its first line, where that reads ``firmware-version: 2.0.1``;
2. the first dotted number in its name: ``cp-simu-2.0.1.bin`` and ``fw_v2.0.1-rc2.tar.gz`` hold
   ``2.0.1``;
3. its name without the last suffix: ``nightly.bin`` holds ``nightly``;
4. the first 12 digits of its SHA-256, where it has no name.

An image is broken, and its installation fails, where the file is empty or the version on its
first line is empty or longer than the 50 characters of `BootNotification.firmwareVersion`.
"""

from collections.abc import Mapping
from itertools import groupby
from typing import Final

from cp_image.api.value import Value, replace
from cp_image.core.outbox import Outbox
from cp_image.core.settings import StationSettings

VERSION_KEY: Final = "firmware-version"
"""Under which the version is kept that was installed last."""

MAX_VERSION: Final = 50
_SAID: Final = "firmware-version:"
_DOTTED: Final = frozenset("0123456789.")


class FirmwareImage(Value):
    """A file that was downloaded; its bytes are not kept.

    Attributes:
        file_name: the last part of its location; may be empty.
        first_line: as far as it is text, without its end.
    """

    file_name: str
    size_bytes: int
    sha256: str
    first_line: str

    @property
    def version(self) -> str | None:
        """The version it holds; None where the image is broken."""
        if self.size_bytes == 0:
            return None
        line = self.first_line.strip()
        if line.lower().startswith(_SAID):
            version = line[len(_SAID) :].strip()
            return version if 1 <= len(version) <= MAX_VERSION else None
        return (_dotted_number(self._stem) or self._stem or self.sha256[:12])[:MAX_VERSION]

    @property
    def _stem(self) -> str:
        stem, _, suffix = self.file_name.rpartition(".")
        # A name that ends in a number has no suffix: firmware-2.0.1
        return stem if stem and not suffix.isdigit() else self.file_name


def _dotted_number(name: str) -> str:
    """Return the first run of numbers with dots between them; empty where there is none."""
    runs = ("".join(run) for dotted, run in groupby(name, _DOTTED.__contains__) if dotted)
    return next((run.strip(".") for run in runs if "." in run.strip(".")), "")


def with_installed_version(
    settings: StationSettings, stored: Mapping[str, bytes], outbox: Outbox
) -> StationSettings:
    """Return the make of a station with the firmware that was installed last."""
    version = outbox.recall(stored, VERSION_KEY, str)
    return settings if version is None else replace(settings, firmware_version=version)
