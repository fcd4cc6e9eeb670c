"""The rule for the URL of a CSMS."""

import pytest

from cp_image.api.central_system import fault, without_password


@pytest.mark.parametrize(
    "url",
    [
        "ws://localhost:9000",
        "wss://user:pw@csms.example.com/ocpp/1.6/",
        "ws://[::1]:9000/ocpp",
        "WS://host",
        "ws://host.",
        "ws://csms_1:9000",
        f"ws://{'a' * 63}.b/x",
    ],
)
def test_a_csms(url: str) -> None:
    assert fault(url) == ""


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://host", "must begin"),
        ("ws:host", "must begin"),
        ("host:9000", "must begin"),
        ("", "must begin"),
        ("ws://", "must name a host"),
        ("ws://:9000", "must name a host"),
        ("ws://@host", "must name a host"),
        ("ws://us@er@host:1/p", "must name a host"),
        ("ws://a..b:9000/ocpp", "must name a host"),
        (f"ws://{'a' * 64}/ocpp", "must name a host"),
        ("ws://host:/p", "must name a host"),
        ("ws://host:x", "must name a host"),
        ("ws://[::1", "must name a host"),
        ("ws://[::1%lo]:9/p", "must name a host"),
        ("ws://host:0", "its port must be"),
        ("ws://host:99999", "its port must be"),
        ("ws://host/a b", "no blanks"),
        ("ws://host/\n", "no blanks"),
        ("ws://host/" + "x" * 600, "at most 512"),
        ("ws://host/a?x=1", "no query"),
        ("ws://host/#a", "no query"),
    ],
)
def test_what_is_none(url: str, why: str) -> None:
    assert why in fault(url)


def test_the_reason_shows_no_password() -> None:
    assert "secret" not in fault("ws://me:secret@host:0")


def test_a_password_is_starred_out() -> None:
    assert without_password("ws://me:secret@h:1/x") == "ws://me:***@h:1/x"
    assert without_password("ws://me@h:1/x") == "ws://me@h:1/x"
    assert without_password("ws://[::1]:9/x") == "ws://[::1]:9/x"
    assert without_password("ws://[::1") == "ws://[::1"
