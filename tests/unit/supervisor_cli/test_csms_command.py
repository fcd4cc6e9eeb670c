"""`simuctl csms` with a security profile: its options, and the process itself over TLS."""

import asyncio
import base64
import os
import signal
import ssl
import sys
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from supervisor_cli import passwords
from supervisor_cli.csms_door import Login
from supervisor_cli.errors import SimuError
from supervisor_cli.pki import Pki
from tests.unit.supervisor_cli.conftest import Simuctl

WAIT_S = 60.0


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["--security-profile", "4"], 2, "--security-profile"),
        (["--security-profile", "1"], 2, "needs --password or --passwords"),
        (["--security-profile", "3", "--password", "x"], 2, "profile 3 has no passwords"),
        (["--password", "x"], 2, "profile 0 has no passwords"),
        (["--security-profile", "1", "--password", "x", "--tls", "1.2"], 2, "has no TLS"),
        (["--security-profile", "2", "--password", "x"], 1, "holds no PKI"),
        (["--security-profile", "3"], 1, "holds no PKI"),
        (["--security-profile", "1", "--password", "hex:zz"], 2, "hexadecimal"),
        (["--security-profile", "1", "--passwords", "/nowhere"], 1, "cannot read /nowhere"),
    ],
)
def test_what_is_refused(simuctl: Simuctl, words: list[str], code: int, text: str) -> None:
    said = simuctl("csms", *words)
    assert said.code == code
    assert text in said.err
    assert "zz" not in said.err


def test_a_file_of_passwords(tmp_path: Path) -> None:
    path = tmp_path / "passwords.json"
    path.write_text('{"CP-1":"hex:00ff","CP-2":{"user":"u","password":"p"},"*":"all"}')
    assert passwords.read(path) == {
        "CP-1": Login(password=b"\x00\xff"),
        "CP-2": Login(password=b"p", user="u"),
        "*": Login(password=b"all"),
    }


@pytest.mark.parametrize("text", ["[]", '{"CP 1":"x"}', '{"CP-1":7}', '{"CP-1":""}', "\x00"])
def test_a_file_that_is_none_of_passwords(tmp_path: Path, text: str) -> None:
    path = tmp_path / "passwords.json"
    path.write_text(text)
    with pytest.raises(SimuError, match=str(path)):
        passwords.read(path)


async def test_the_command_serves_profile_2(tmp_path: Path) -> None:
    pki = Pki.create(tmp_path / "pki")
    pki.issue_csms(["localhost", "127.0.0.1"])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "supervisor_cli", "csms", "--port", "0"),
        *("--security-profile", "2", "--pki", str(pki.directory), "--password", "secret"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(WAIT_S):
            line = (await process.stderr.readline()).decode()
            url = line.removeprefix("listening on ").split(";")[0]
            assert url.startswith("wss://127.0.0.1:"), line
            await _connect(url, pki, b"secret")
            with pytest.raises(InvalidStatus):
                await _connect(url, pki, b"wrong")
            line = (await process.stderr.readline()).decode()
            assert line.startswith("refused ")
            assert line.endswith("CP-1: wrong password\n")
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _connect(url: str, pki: Pki, password: bytes) -> None:
    login = base64.b64encode(b"CP-1:" + password).decode()
    async with connect(
        f"{url}/CP-1",
        subprotocols=[Subprotocol("ocpp1.6")],
        additional_headers={"Authorization": f"Basic {login}"},
        ssl=ssl.create_default_context(cafile=str(pki.root_ca)),
        proxy=None,
    ):
        pass
