"""Why an MQTT broker cannot be reached, in a few words for people."""

import os
import socket
import ssl


def why_unreachable(exc: Exception) -> str:
    """Return why a connection could not be made."""
    if isinstance(exc, socket.gaierror):
        return "name not known"
    if isinstance(exc, TimeoutError):
        return "no answer"
    if isinstance(exc, ssl.SSLCertVerificationError):
        return f"its certificate is not good: {exc.verify_message}"
    if isinstance(exc, ssl.SSLError):  # its errno is not the operating system's
        return f"no TLS: {exc.reason or exc}".lower().replace("_", " ")
    if isinstance(exc, OSError) and exc.errno is not None:
        return os.strerror(exc.errno).lower()
    return str(exc)
