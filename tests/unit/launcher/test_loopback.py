import asyncio
import socket
from typing import Any

import pytest

from launcher.loopback import is_on_loopback


def ask(url: str, monkeypatch: pytest.MonkeyPatch, *addresses: str) -> bool:
    async def resolve(self: object, host: str, *args: object, **kwargs: object) -> list[Any]:
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(0, 0, 0, "", (address, 0)) for address in addresses]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", resolve)
    return asyncio.run(is_on_loopback(url))


@pytest.mark.parametrize(
    "url",
    [
        "ws://localhost:9000",
        "ws://LOCALHOST",
        "ws://csms.localhost/ocpp",
        "ws://127.0.0.1:9000",
        "ws://127.1.2.3",
        "ws://[::1]:9000",
        "ws://[::ffff:127.0.0.1]",
        "ws://0.0.0.0:9000",
        "wss://user:pw@localhost/ocpp",
    ],
)
def test_these_are_always_this_machine(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(url, monkeypatch)


@pytest.mark.parametrize("url", ["ws://192.0.2.1", "ws://[2001:db8::1]", "ws://unknown.example"])
def test_these_are_not(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not ask(url, monkeypatch)


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        (["127.0.1.1"], True),
        (["127.0.1.1", "::1"], True),
        (["127.0.0.1", "192.0.2.1"], False),
        (["fe80::1%eth0"], False),
        (["192.0.2.1"], False),
    ],
)
def test_a_name_counts_if_all_its_addresses_do(
    addresses: list[str], monkeypatch: pytest.MonkeyPatch, *, expected: bool
) -> None:
    assert ask("ws://myhost:9000", monkeypatch, *addresses) is expected
