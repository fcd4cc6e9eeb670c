"""Passwords of charge points as people write them: on the command line, in files."""

from pathlib import Path
from typing import Final

import msgspec

from cp_image.api import secrets
from cp_image.api.payloads import ChargePointId
from supervisor_cli.csms_door import ANYBODY, Login
from supervisor_cli.errors import ExitCode, SimuError

__all__ = ["ANYBODY", "everybodys", "read"]


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    password: str
    user: str | None = None


_FILE: Final = msgspec.json.Decoder(dict[str, str | _Entry])


def everybodys(password: str) -> Login:
    """Return the login of a password that stands on the command line.

    Raises:
        SimuError: it is no password (exit code 2); the text does not tell it.
    """
    return _login(password, None, "--password")


def read(path: Path) -> dict[str, Login]:
    """Return the logins in a file, by charge point id or `ANYBODY`.

    Raises:
        SimuError: it cannot be read, or says no such thing (exit code 2).
    """
    try:
        found = _FILE.decode(path.read_bytes())
        for charge_point_id in found.keys() - {ANYBODY}:
            msgspec.convert(charge_point_id, ChargePointId)
    except OSError as exc:
        raise SimuError(f"cannot read {path}: {exc.strerror}") from exc
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise SimuError(
            f"{path} is no file of passwords: {exc}",
            hint='for example {"CP-1":"a password","*":"every other one\'s"}',
            exit_code=ExitCode.USAGE,
        ) from exc
    return {
        charge_point_id: _login(given, None, f"{path}: {charge_point_id}")
        if isinstance(given, str)
        else _login(given.password, given.user, f"{path}: {charge_point_id}")
        for charge_point_id, given in found.items()
    }


def _login(password: str, user: str | None, where: str) -> Login:
    try:
        return Login(password=secrets.authorization_key(password.encode()), user=user)
    except ValueError as exc:
        raise SimuError(f"{where}: {exc}", exit_code=ExitCode.USAGE) from exc
