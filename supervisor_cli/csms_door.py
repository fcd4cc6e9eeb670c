"""Who may connect to the central system in the box, and as whom (Security Whitepaper §2)."""

import base64
import binascii
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

ANYBODY: Final = "*"
"""Stands for every charge point id that is not named itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """By what a charge point proves who it is; `user` None is its id, as the whitepaper has it."""

    password: bytes
    user: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A charge point was not let in, or not given a certificate.

    Attributes:
        charge_point_id: what it says it is; empty where it did not come that far.
        peer: the address it connects from; empty where its id says enough.
    """

    charge_point_id: str
    text: str
    peer: str = ""
    at_utc: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __str__(self) -> str:
        who = self.charge_point_id or self.peer or "?"
        return f"{self.at_utc.astimezone():%H:%M:%S} {who}: {self.text}"


class Door:
    """Lets charge points in, or turns them away with an HTTP status that says why.

    Args:
        passwords: by charge point id; see `ANYBODY`. None asks for none.
        require_client_certificate: the common name of its certificate must be its id.
        on_refusal: called for each that is turned away.
    """

    def __init__(
        self,
        passwords: Mapping[str, bytes | Login] | None,
        *,
        require_client_certificate: bool,
        on_refusal: Callable[[Refusal], None],
    ) -> None:
        self._logins: dict[str, Login] | None = None
        if passwords is not None:
            self._logins = {each: _login(given) for each, given in passwords.items()}
        self._require_client_certificate = require_client_certificate
        self._on_refusal = on_refusal

    def set_password(self, charge_point_id: str, password: bytes | Login) -> None:
        """Ask for another password from now on."""
        self._logins = {**(self._logins or {}), charge_point_id: _login(password)}

    def __call__(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer the upgrade request of a charge point: None lets it in."""
        charge_point_id = charge_point_id_of(request)
        if not charge_point_id:
            return connection.respond(
                HTTPStatus.NOT_FOUND, "no charge point id: connect to /ANYTHING/CHARGE_POINT_ID\n"
            )
        if self._require_client_certificate:
            fault = _certificate_fault(connection, charge_point_id)
            if fault:
                return self._refuse(connection, HTTPStatus.FORBIDDEN, charge_point_id, fault)
        if self._logins is not None:
            fault = self._login_fault(charge_point_id, request.headers.get_all("Authorization"))
            if fault:
                response = self._refuse(connection, HTTPStatus.UNAUTHORIZED, charge_point_id, fault)
                response.headers["WWW-Authenticate"] = 'Basic realm="cp-simu", charset="UTF-8"'
                return response
        return None

    def _refuse(
        self, connection: ServerConnection, status: HTTPStatus, charge_point_id: str, fault: str
    ) -> Response:
        self._on_refusal(Refusal(charge_point_id=charge_point_id, text=fault))
        return connection.respond(status, f"{fault}\n")

    def _login_fault(self, charge_point_id: str, headers: list[str]) -> str:
        """Return why a login is not good, without saying what would be; empty where it is."""
        logins = self._logins or {}
        login = logins.get(charge_point_id) or logins.get(ANYBODY)
        if len(headers) != 1:
            return "no password: HTTP Basic authentication is asked for"
        scheme, _, encoded = headers[0].partition(" ")
        if scheme.lower() != "basic":
            return f"authentication {scheme!r}: HTTP Basic is asked for"
        try:
            # The password is raw bytes, and may be none of any character set.
            user, separator, password = base64.b64decode(encoded, validate=True).partition(b":")
        except (binascii.Error, ValueError):
            return "HTTP Basic authentication that is not base64"
        if not separator:
            return "HTTP Basic authentication without a colon between user and password"
        if login is None:
            return "this charge point has no password here"
        wanted = charge_point_id if login.user is None else login.user
        if not hmac.compare_digest(user, wanted.encode()):
            return f"user {user.decode(errors='replace')!r} is not the one of this charge point"
        if not hmac.compare_digest(password, login.password):
            return "wrong password"
        return ""


def _login(given: bytes | Login) -> Login:
    return given if isinstance(given, Login) else Login(password=given)


def charge_point_id_of(request: Request | None) -> str:
    """Return the id a charge point connects with: the last part of the URL's path."""
    path = urlsplit(request.path).path if request is not None else ""
    return unquote(path.rpartition("/")[2])


def _certificate_fault(connection: ServerConnection, charge_point_id: str) -> str:
    certificate: Mapping[str, Any] = connection.transport.get_extra_info("peercert") or {}
    names = [
        value
        for part in certificate.get("subject", ())
        for key, value in part
        if key == "commonName"
    ]
    if not names:
        return "no certificate with a common name: a client certificate is asked for"
    if names != [charge_point_id]:
        return f"the client certificate is for {', '.join(names)}, not for {charge_point_id}"
    return ""
