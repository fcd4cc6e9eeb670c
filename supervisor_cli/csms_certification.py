"""How the central system in the box gives charge points the certificates they ask for."""

import contextlib
from collections.abc import Callable, Sequence
from typing import Final

from supervisor_cli.csms_door import Refusal
from supervisor_cli.csms_peer import CallFailedError, NotConnectedError, Peer

Issuer = Callable[[str, Sequence[str]], str]
"""Takes a certificate signing request, PEM, and the common names it may be for; returns the
certificate, PEM. Raises ValueError where it must not be issued."""

_ANSWER_S: Final = 30.0


class Certification:
    """Issues what SignCertificate asks for, and sends it (Security Whitepaper §A02, §A03).

    Args:
        issuer: None issues nothing.
        on_refusal: called with what was not issued, and why.
    """

    def __init__(self, issuer: Issuer | None, on_refusal: Callable[[Refusal], None]) -> None:
        self._issuer = issuer
        self._on_refusal = on_refusal

    def issue(self, charge_point_id: str, request: str, names: Sequence[str]) -> str | None:
        """Return the certificate for a signing request, or None where it is rejected."""
        if self._issuer is None:
            self._reject(charge_point_id, "this central system has no PKI")
            return None
        try:
            return self._issuer(request, names)
        except ValueError as exc:
            self._reject(charge_point_id, str(exc))
            return None

    async def deliver(self, peer: Peer, chain: str) -> None:
        """Send a certificate to the charge point that asked for it."""
        # The frames show how it ended, or do not; the charge point may ask again.
        with contextlib.suppress(CallFailedError, NotConnectedError, TimeoutError):
            await peer.ask("CertificateSigned", {"certificateChain": chain}, _ANSWER_S)

    def _reject(self, charge_point_id: str, why: str) -> None:
        text = f"SignCertificate is rejected: {why}"
        self._on_refusal(Refusal(charge_point_id=charge_point_id, text=text))
