"""TLS that says by an alert why it hangs up: asyncio would close the connection without a word."""

import ssl


class _AlertingObject(ssl.SSLObject):
    """One connection."""

    def do_handshake(self) -> None:
        """See `ssl.SSLObject`."""
        context = self.context
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as exc:
            if not isinstance(context, AlertingContext) or context.verdict is not None:
                raise
            if "ALERT" in (exc.reason or ""):
                raise  # it is the other end that has said so
            # As if the other end had to say more: what is to be sent is sent then, and that is
            # the alert. The other end hangs up on it.
            context.verdict = exc
            raise ssl.SSLWantReadError from exc


class AlertingContext(ssl.SSLContext):
    """The settings of one connection.

    Attributes:
        verdict: why the handshake has failed on this side; None where it has not.
    """

    sslobject_class = _AlertingObject
    verdict: ssl.SSLError | None = None
