"""A port that is kept for somebody who is still to listen on it."""

import socket

import pytest

from supervisor_cli.held_port import held_port


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_it_is_for_who_listens_alone(host: str) -> None:
    with held_port(host) as port:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port))
        for _ in range(2):  # it may go and come again
            with (
                socket.create_server(("127.0.0.1", port)) as server,
                socket.create_connection(("127.0.0.1", port)),
            ):
                server.accept()[0].close()
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_each_holds_another() -> None:
    with held_port() as one, held_port() as other:
        assert one != other


def test_an_address_of_another_machine() -> None:
    with pytest.raises(OSError, match="assign"), held_port("192.0.2.1"):
        pass
