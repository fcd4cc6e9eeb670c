"""The answer to most requests."""

from enum import StrEnum


class AcceptanceStatus(StrEnum):
    """The two words most requests are answered with."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
