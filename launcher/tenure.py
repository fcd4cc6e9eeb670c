"""Who serves the environment: one launcher at a time, settled among launchers over MQTT. Pure.

A lock that is written down somewhere outlives a launcher that was killed; so nothing is written
down. A newcomer asks on ``launcher/claim`` whether somebody serves, and whoever does answers at
once; only a launcher that lives can.
"""

from enum import Enum, auto

import msgspec

from launcher.api import Claim
from launcher.fleet import NOT_JSON


class Heard(Enum):
    """What a message among launchers means to this one."""

    NOTHING = auto()
    ASKED = auto()
    """somebody wants to know whether this one serves: it says so"""
    LOST = auto()
    """somebody else serves, or will"""


class Tenure:
    """Where one launcher stands.

    Args:
        claim: its own; `serves` is ignored.
    """

    def __init__(self, claim: Claim) -> None:
        self._own = claim
        self.serves = False
        """Whether nobody has objected in time."""

    def statement(self) -> bytes:
        """Return what this launcher says: a question, or that it serves."""
        return msgspec.json.encode(msgspec.structs.replace(self._own, serves=self.serves))

    def hear(self, payload: bytes) -> tuple[Heard, Claim | None]:
        """Return what a message means, and whose it is.

        Of two that serve, after a network was torn apart, or that ask at the same time, the one
        that has been there for longer remains.
        """
        try:
            other = msgspec.json.decode(payload, type=Claim)
        except NOT_JSON:
            return Heard.NOTHING, None
        if other.launcher == self._own.launcher:
            return Heard.NOTHING, None
        is_older = (other.since, other.launcher) < (self._own.since, self._own.launcher)
        if self.serves != other.serves:
            return (Heard.ASKED if self.serves else Heard.LOST), other
        return (Heard.LOST if is_older else Heard.ASKED), other
