"""What is kept of a signed firmware update, and how far it is."""

from enum import StrEnum
from typing import Final

from cp_image.api.value import Value
from cp_image.core.attempts import Attempts
from cp_image.core.firmware_image import FirmwareImage
from cp_image.core.security_messages import SignedUpdateFirmware


class Phase(StrEnum):
    """How far an update is."""

    WAITING = "waiting"
    """for its date"""
    DOWNLOADING = "downloading"
    RETRYING = "retrying"
    VERIFIED = "verified"
    """waits for the date of its installation, then until no transaction runs"""
    INSTALLING = "installing"
    REBOOTING = "rebooting"


BEGUN: Final = frozenset({Phase.INSTALLING, Phase.REBOOTING})
"""Phases that cannot be taken back."""


class SignedUpdate(Value):
    """What is kept of an update.

    Attributes:
        due_at: station time of the next download, then of the installation.
        image: what was downloaded; None before.
    """

    request: SignedUpdateFirmware
    due_at: float
    attempts: Attempts
    phase: Phase = Phase.WAITING
    image: FirmwareImage | None = None
