"""What `up` writes down for the commands after it."""

from pathlib import Path

import pytest

from supervisor_cli import state
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.state import Broker


@pytest.mark.parametrize(
    ("text", "host", "port", "again"),
    [
        ("localhost", "localhost", 1883, "localhost:1883"),
        ("10.0.0.1:2883", "10.0.0.1", 2883, "10.0.0.1:2883"),
        ("[::1]:2883", "::1", 2883, "[::1]:2883"),
        ("[::1]", "::1", 1883, "[::1]:1883"),
        ("::1", "::1", 1883, "[::1]:1883"),
    ],
)
def test_addresses(text: str, host: str, port: int, again: str) -> None:
    broker = Broker.parse(text)
    assert (broker.host, broker.port, str(broker)) == (host, port, again)


@pytest.mark.parametrize("text", ["host:", ":1883", "host:x", "host:0", "host:65536", "[]:1"])
def test_wrong_addresses(text: str) -> None:
    with pytest.raises(SimuError, match="is not HOST:PORT") as caught:
        Broker.parse(text)
    assert caught.value.exit_code is ExitCode.USAGE


def test_what_is_saved_is_loaded_until_it_is_forgotten() -> None:
    assert state.load("ci-1") is None
    state.save("ci-1", Broker(host="10.0.0.1", port=2883))
    state.save("ci-1", Broker(host="10.0.0.2", port=2884))
    assert state.load("ci-1") == Broker(host="10.0.0.2", port=2884)
    assert state.load("ci-2") is None
    assert [each.name for each in state.path("ci-1").parent.iterdir()] == ["ci-1.json"]
    state.forget("ci-1")
    state.forget("ci-1")
    assert state.load("ci-1") is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"port": 0}', b'{"host": ""}', b"\xff"])
def test_a_broken_file_is_as_good_as_none(content: bytes) -> None:
    state.save("ci-1", Broker(port=2883))
    state.path("ci-1").write_bytes(content)
    assert state.load("ci-1") is None
    assert state.resolve_broker("ci-1") == Broker()


def test_a_directory_that_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(blocked))
    assert state.load("ci-1") is None
    with pytest.raises(SimuError, match=r"cannot write .*ci-1\.json") as caught:
        state.save("ci-1", Broker())
    assert "XDG_STATE_HOME" in caught.value.hint


def test_without_the_variable_it_is_below_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert str(state.path("a")) == "/home/somebody/.local/state/cp-simu/a.json"
