"""How a program gets into the broker, as its variables say."""

import ssl
from pathlib import Path

import pytest

from cp_image import config
from cp_image.broker_access import ANONYMOUS, BrokerAccessError, read
from supervisor_cli.pki import Pki


def test_nothing_is_anonymous() -> None:
    assert read({"SIMU_BROKER_USER": "", "SIMU_BROKER_CA": " "}) == ANONYMOUS


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_password_is_the_line_of_its_file(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "pw"
    path.write_bytes(f"p\u00e4ss:wort {ending}".encode())
    access = read({"SIMU_BROKER_USER": "me", "SIMU_BROKER_PASSWORD_FILE": str(path)})
    assert (access.user, access.password) == ("me", "p\u00e4ss:wort ")
    assert "wort" not in repr(access)


def test_tls_verifies(tmp_path: Path) -> None:
    root = Pki.create(tmp_path).root_ca
    access = read({"SIMU_BROKER_CA": str(root)})
    assert access.tls is not None
    assert access.tls.verify_mode is ssl.CERT_REQUIRED
    assert access.tls.check_hostname


@pytest.mark.parametrize(
    ("content", "variables", "text"),
    [
        (b"x", {"SIMU_BROKER_PASSWORD_FILE": "{file}"}, "SIMU_BROKER_USER must be, too"),
        (b"", {"SIMU_BROKER_USER": "u", "SIMU_BROKER_PASSWORD_FILE": "{file}"}, "one line of 1"),
        (b"a\nb", {"SIMU_BROKER_USER": "u", "SIMU_BROKER_PASSWORD_FILE": "{file}"}, "one line"),
        (b"\xff", {"SIMU_BROKER_USER": "u", "SIMU_BROKER_PASSWORD_FILE": "{file}"}, "UTF-8"),
        (b"", {"SIMU_BROKER_USER": "u", "SIMU_BROKER_PASSWORD_FILE": "/none"}, "No such file"),
        (b"-----BEGIN", {"SIMU_BROKER_CA": "{file}"}, "holds no certificate"),
        (b"", {"SIMU_BROKER_CA": "/none"}, "No such file"),
    ],
)
def test_what_cannot_be_used(
    tmp_path: Path, content: bytes, variables: dict[str, str], text: str
) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(BrokerAccessError, match=text):
        read({name: value.format(file=file) for name, value in variables.items()})


def test_a_charge_point_has_it_for_its_broker(tmp_path: Path) -> None:
    path = tmp_path / "pw"
    path.write_text("secret\n")
    given = {
        "SIMU_ID": "CP-1",
        "SIMU_CENTRAL_SYSTEM": "ws://csms/ocpp",
        "SIMU_BROKER": "broker",
        "SIMU_BROKER_USER": "me",
        "SIMU_BROKER_PASSWORD_FILE": str(path),
    }
    broker = config.read(given, "host").broker
    assert broker is not None
    assert (broker.access.user, broker.access.password) == ("me", "secret")
    with pytest.raises(config.ConfigError, match="SIMU_BROKER_CA is /none: No such file"):
        config.read({**given, "SIMU_BROKER_CA": "/none"}, "host")
