"""No secret of a frame is shown, and what is none is shown to the letter."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_image.shell.frame_secrets import message_of, shown

SECRET = "geheim-0123456789"


@pytest.mark.parametrize(
    "frame",
    [
        [2, "1", "ChangeConfiguration", {"key": "AuthorizationKey", "value": SECRET}],
        [2, "1", "ChangeConfiguration", {"value": SECRET, "key": "authorizationKEY"}],
        [3, "1", {"configurationKey": [{"key": "AuthorizationKey", "value": SECRET}]}],
        [2, "1", "DataTransfer", {"data": json.dumps({"AuthorizationKey": SECRET})}],
        [2, "1", "DataTransfer", {"data": {"AuthorizationKey": {"is": SECRET}}}],
        [4, "1", "GenericError", f"AuthorizationKey {SECRET} is too long", {}],
        [2, "1", "GetDiagnostics", {"location": f"ftp://me:{SECRET}@host/up"}],
        [2, "1", "UpdateFirmware", {"location": f"https://:{SECRET}@host/fw.bin"}],
        [2, "1", "UpdateFirmware", {"location": f"ftp://me:{SECRET}@{SECRET}@host/fw.bin"}],
        [2, "1", "DataTransfer", {"data": f"fetch ftp://me:{SECRET}@host/up at once"}],
    ],
)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_secret_is_starred_out(frame: list[Any], *, ascii_only: bool) -> None:
    text = json.dumps(frame, ensure_ascii=ascii_only)
    for written in (text, text.replace("/", "\\/"), text.replace("@", "\\u0040")):
        assert SECRET not in shown(written)
        message = msgspec.json.encode(message_of(written)).decode()
        assert SECRET not in message
        assert "***" in message
        assert json.loads(message)[:2] == frame[:2]


def test_a_key_written_in_escapes_is_found() -> None:
    text = f'[2,"1","ChangeConfiguration",{{"key":"\\u0041uthorizationKey","value":"{SECRET}"}}]'
    assert SECRET not in shown(text)


@pytest.mark.parametrize(
    "text",
    [
        f'[2,"1","ChangeConfiguration",{{"key":"AuthorizationKey","value":"{SECRET}"',
        f'{{"key":"AuthorizationKey","value":"{SECRET}"}}',
        f'[2,"1","GetDiagnostics",{{"location":"ftp:\\/\\/me:{SECRET}@host/up"',
        f'[2,NaN,"ftp://me:{SECRET}@host/"]',
    ],
)
def test_nor_is_it_shown_of_what_is_no_frame(text: str) -> None:
    message = message_of(text)
    assert isinstance(message, str)
    assert SECRET not in message
    assert SECRET not in shown(text)


@pytest.mark.parametrize(
    "text",
    [
        '[2, "1", "GetConfiguration", {"key": ["AuthorizationKey", "HeartbeatInterval"]}]',
        '[2,"1","MeterValues",{"value":1.50,"big":123456789012345678901234567890}]',
        '[3,"1",{"url":"ws://user@host/","mail":"a@b:c@d"}]',
    ],
)
def test_what_is_no_secret_is_shown_to_the_letter(text: str) -> None:
    if "@" not in text and "uthorizationKey" not in text:
        assert msgspec.json.encode(message_of(text)).decode() == text
    assert json.loads(shown(text)) == json.loads(text)


@given(st.text())
def test_whatever_the_text_it_can_be_told(text: str) -> None:
    message = message_of(text)
    json.loads(msgspec.json.encode(message))
    assert isinstance(shown(text), str)


def test_nested_without_end() -> None:
    assert isinstance(message_of("[" * 100_000), str)
