"""The rule for the URL of a CSMS, said once for all who take one."""

import re
from typing import Final
from urllib.parse import urlsplit, urlunsplit

MAX_CHARACTERS: Final = 512
_SHOWN_CHARACTERS: Final = 80
_HOST: Final = re.compile(
    r"(?:\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\[\].]{1,63}(?:\.[^\s/?#@:\[\].]{1,63})*\.?)(?::(?P<port>\d{1,5}))?",
    re.ASCII,
)
_LOOPBACK: Final = re.compile(
    r"localhost|.+\.localhost|127(?:\.[0-9]+){3}|::1|0\.0\.0\.0", re.IGNORECASE
)
"""RFC 6761 §6.3; 0.0.0.0 as a destination is this machine, too."""


def fault(url: str) -> str:
    """Return why `url` cannot be a CSMS, or an empty text where it can.

    It is ``ws://`` or ``wss://``, a host with labels of at most 63 characters, and perhaps user,
    port and path; the charge point id is appended (OCPP-J 1.6 §3.1.1).
    """
    shown = without_password(url)
    shown = shown if len(shown) <= _SHOWN_CHARACTERS else f"{shown[:_SHOWN_CHARACTERS]}…"
    says = f"central_system is {shown!r}"
    scheme, separator, rest = url.partition("://")
    if len(url) > MAX_CHARACTERS:
        return f"{says}: it has at most {MAX_CHARACTERS} characters"
    if not url.isprintable() or " " in url:
        return f"{says}: a URL has no blanks and no control characters"
    if scheme.lower() not in {"ws", "wss"} or not separator:
        return f"{says}: it must begin with ws:// or wss://"
    if "?" in url or "#" in url:
        return f"{says}: no query and no fragment, for the charge point id is appended"
    user, at, host = rest.partition("/")[0].rpartition("@")
    found = _HOST.fullmatch(host)
    if found is None or (at and not user) or "@" in user or len(host) > 253:
        return f"{says}: it must name a host, as in ws://csms.example.com:9000/ocpp"
    if found["port"] is not None and not 1 <= int(found["port"]) <= 65535:
        return f"{says}: its port must be 1 to 65535"
    return ""


def is_on_loopback(url: str) -> bool:
    """Return whether a valid URL names this machine's own loopback, as far as words tell."""
    return _LOOPBACK.fullmatch(urlsplit(url).hostname or "") is not None


def without_password(url: str) -> str:
    """Return a URL as it may be shown: a password in it is starred out."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    if parts.password is None:
        return url
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username}:***@{host}"))
