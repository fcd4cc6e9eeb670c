"""What of a frame may be shown: in the log and to those who trace it."""

import re
from typing import Any, Final

import msgspec

_KEY: Final = "authorizationkey"
"""Whitepaper: an AuthorizationKey can never be read; OCPP 1.6 §7.29: keys ignore case."""
_STARS: Final = "***"
_URL_PASSWORD: Final = re.compile(r"(:(?:\\?/){2}[^\s:/@?#]*):[^\s/?#]*@")
_NO_JSON: Final = (msgspec.DecodeError, UnicodeEncodeError, RecursionError)


def message_of(frame: str) -> Any:
    """Return a frame as a field of a JSON payload, its secrets starred out.

    It is the frame itself, to the letter, unless it has a secret; a text where it is no JSON.
    """
    try:
        message = msgspec.json.decode(frame)
    except _NO_JSON:
        return _shown_text(frame)
    if not isinstance(message, list):
        return _shown_text(frame)
    return _without_secrets(message) if _may_have_secrets(frame) else msgspec.Raw(frame.encode())


def shown(frame: str) -> str:
    """Return a frame as a text, its secrets starred out."""
    if not _may_have_secrets(frame):
        return frame
    message = message_of(frame)
    if isinstance(message, str):
        return message
    return msgspec.json.encode(message).decode()


def _may_have_secrets(frame: str) -> bool:
    # A letter can be written as \u0041, too.
    return "@" in frame or "\\u" in frame or _KEY in frame.lower()


def _without_secrets(value: Any) -> Any:
    match value:
        case dict():
            starred = {_KEY}
            name = value.get("key")
            if isinstance(name, str) and name.casefold() == _KEY:
                starred.add("value")  # OCPP 1.6 §6.21: a KeyValue
            return {
                key: _STARS if key.casefold() in starred else _without_secrets(each)
                for key, each in value.items()
            }
        case list():
            return [_without_secrets(each) for each in value]
        case str():
            return _shown_text(value)
    return value


def _shown_text(text: str) -> str:
    """Return a text without passwords; one that talks about the key may tell it, too."""
    lowered = text.lower()
    if _KEY in lowered and lowered != _KEY:
        return f"{_STARS} (it speaks of an AuthorizationKey)"
    return _URL_PASSWORD.sub(rf"\1:{_STARS}@", text)
