"""What a locked broker is given, and that a lock is not lost by accident."""

import base64
from dataclasses import replace
from pathlib import Path

import pytest

from supervisor_cli import broker_lock, state
from supervisor_cli.bring_up import broker_lock as asked_lock
from supervisor_cli.bring_up import locked
from supervisor_cli.broker_lock import BrokerLock
from supervisor_cli.errors import ExitCode, SimuError
from supervisor_cli.state import Broker

KNOWN = (
    "me:$7$101$0zmvI6pbYMxLedx5$d+Oxb2l+6uL7bVob4xNaP6CflijAAEuIPz6BEIt82gFZp7Um3NhBLmraLPpxQPXI"
    "BM2+1sBRs01q5F9XhozsZw==\n"
)
WHO = BrokerLock(user="me", password="secret", password_file="/pw")


def test_the_configuration_of_a_lock() -> None:
    lines = broker_lock.configuration(BrokerLock(user="me", password="x", tls=True)).splitlines()
    assert "allow_anonymous false" in lines
    assert "password_file /etc/cp-simu-broker/passwords" in lines
    assert "keyfile /etc/cp-simu-broker/key.pem" in lines
    assert "allow_anonymous true" not in lines
    assert "persistence false" in lines  # what the image has, too
    lines = broker_lock.configuration(BrokerLock(tls=True)).splitlines()
    assert "allow_anonymous true" in lines
    assert not [line for line in lines if line.startswith("password_file")]


def test_a_line_of_mosquittos_password_file() -> None:
    # Made with: mosquitto_passwd -b FILE me secret
    user, line = KNOWN.split(":", 1)
    salt = base64.b64decode(line.split("$")[3])
    assert broker_lock.password_line(user, "secret", salt) == KNOWN
    assert broker_lock.password_line(user, "Secret", salt) != KNOWN


def test_by_what_names_a_broker_is_reached() -> None:
    names = broker_lock.names("0.0.0.0", "172.20.0.1")
    assert {"localhost", "127.0.0.1", "::1", "broker", "172.20.0.1"} <= set(names)
    assert "0.0.0.0" not in names


def test_what_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "pw"
    path.write_text("secret\n")
    assert asked_lock("", None, tls=False) is None
    assert asked_lock("", None, tls=True) == BrokerLock(tls=True)
    lock = asked_lock("me", path, tls=True)
    assert lock == BrokerLock(user="me", password="secret", password_file=str(path), tls=True)
    assert "secret" not in repr(lock)


@pytest.mark.parametrize(
    ("user", "file", "text"),
    [
        ("me", None, "go together"),
        ("", Path("/pw"), "go together"),
        ("a:b", Path("/pw"), "no colon"),
        ("me", Path("/no/such"), "--broker-password-file is /no/such: No such file"),
    ],
)
def test_what_is_refused(user: str, file: Path | None, text: str) -> None:
    with pytest.raises(SimuError, match=text) as caught:
        asked_lock(user, file, tls=False)
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize(
    ("asked", "kept", "result"),
    [
        (None, None, None),
        (None, WHO, WHO),
        (WHO, None, WHO),
        (BrokerLock(tls=True), WHO, replace(WHO, tls=True)),
        (WHO, BrokerLock(tls=True), replace(WHO, tls=True)),
        (WHO, BrokerLock(user="you", password="other"), WHO),
    ],
)
def test_a_lock_stays(
    asked: BrokerLock | None, kept: BrokerLock | None, result: BrokerLock | None
) -> None:
    assert locked(asked, kept) == result


def test_the_state_says_how_to_get_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pw").write_text("secret")
    written = Broker(port=2883, user="me", password_file=str(tmp_path / "pw"))
    state.save("ci-1", written)
    assert state.resolve_broker("ci-1").address().access.password == "secret"
    # Also where the same broker is named, and to no other.
    assert state.resolve_broker("ci-1", Broker(port=2883)) == written
    assert state.resolve_broker("ci-1", Broker(port=2884)) == Broker(port=2884)
    monkeypatch.setenv("SIMU_BROKER_USER", "other")
    assert state.resolve_broker("ci-1").user == "other"
    assert b"secret" not in state.path("ci-1").read_bytes()


def test_a_password_file_that_is_gone_is_named() -> None:
    with pytest.raises(SimuError, match="SIMU_BROKER_PASSWORD_FILE is /gone: No such file"):
        Broker(user="me", password_file="/gone").address()
