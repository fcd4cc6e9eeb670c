"""How often a transfer is tried: `retries` and `retryInterval` of OCPP 1.6 §6.21 and §6.57.

A location to which nothing can be transferred is not tried again: see `TransferEnded.hopeless`.
"""

from typing import Final

from cp_image.api.value import Value

_OWN_RETRIES: Final = 2
_OWN_INTERVAL_S: Final = 60.0
"""Where the CSMS leaves them to the charge point."""

_SHORTEST_INTERVAL_S: Final = 1.0
"""A CSMS that asks for a thousand retries at once gets them one by one."""


class Attempts(Value):
    """The attempts that are left after the present one."""

    left: int
    interval_s: float

    def one_less(self) -> "Attempts":
        """Return what is left when one of them has begun."""
        return Attempts(left=self.left - 1, interval_s=self.interval_s)


def attempts(retries: int | None, retry_interval_s: int | None) -> Attempts:
    """Return the attempts a request asks for: the first one and `retries` more."""
    interval_s = _OWN_INTERVAL_S if retry_interval_s is None else float(retry_interval_s)
    return Attempts(
        left=max(0, _OWN_RETRIES if retries is None else retries),
        interval_s=max(_SHORTEST_INTERVAL_S, interval_s),
    )
