"""By what the programs get into an MQTT broker that does not let everybody in."""

from __future__ import annotations  # no annotation loads `ssl`: see `late_modules`

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Final

from cp_image.api.value import Value

USER_VARIABLE: Final = "SIMU_BROKER_USER"
PASSWORD_FILE_VARIABLE: Final = "SIMU_BROKER_PASSWORD_FILE"  # noqa: S105 - where it is
CA_VARIABLE: Final = "SIMU_BROKER_CA"
LONGEST_PASSWORD_BYTES: Final = 1024

VARIABLES: Final[Mapping[str, str]] = {
    USER_VARIABLE: "user at the MQTT broker [none: anonymous]",
    PASSWORD_FILE_VARIABLE: "file that holds the password of that user [none]",
    CA_VARIABLE: "file, PEM, of whom the broker's certificate must come from; the broker is "
    "spoken to by TLS then [none: no TLS]",
}
"""Every variable that is read here, with what it means and its default."""


class BrokerAccessError(ValueError):
    """A variable cannot be used; the text names it, and never says a password."""


class BrokerAccess(Value):
    """By what a program gets into the broker; without anything it is anonymous.

    Attributes:
        user: None is anonymous.
        password: None without one.
        tls: None speaks without TLS.
    """

    user: str | None = None
    password: str | None = None
    tls: ssl.SSLContext | None = None

    UNSEEN: ClassVar = frozenset({"password"})


ANONYMOUS: Final = BrokerAccess()


def read(variables: Mapping[str, str]) -> BrokerAccess:
    """Return what environment variables ask for; an empty one counts as unset.

    Raises:
        BrokerAccessError: a file cannot be read, or one goes without another.
    """
    user, file, ca = (
        variables.get(name, "").strip()
        for name in (USER_VARIABLE, PASSWORD_FILE_VARIABLE, CA_VARIABLE)
    )
    if file and not user:
        raise BrokerAccessError(f"{PASSWORD_FILE_VARIABLE} is set: {USER_VARIABLE} must be, too")
    return BrokerAccess(
        user=user or None,
        password=read_password(Path(file), PASSWORD_FILE_VARIABLE) if file else None,
        tls=read_tls(Path(ca), CA_VARIABLE) if ca else None,
    )


def read_password(path: Path, name: str) -> str:
    """Return the password in a file; one newline at its end is not part of it.

    Args:
        path: of the file.
        name: of the variable or option that names it.

    Raises:
        BrokerAccessError: it cannot be read, or is no password.
    """
    try:
        password = path.read_text("utf-8").removesuffix("\n").removesuffix("\r")
    except OSError as exc:
        raise BrokerAccessError(f"{name} is {path}: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise BrokerAccessError(f"{name} is {path}: a password is UTF-8") from exc
    if not 1 <= len(password.encode()) <= LONGEST_PASSWORD_BYTES or "\n" in password:
        raise BrokerAccessError(
            f"{name} is {path}: a password is one line of 1 to {LONGEST_PASSWORD_BYTES} bytes"
        )
    return password


def read_tls(path: Path, name: str) -> ssl.SSLContext:
    """Return what a broker's certificate is verified with; see `read_password`.

    Raises:
        BrokerAccessError: the file cannot be read, or holds no certificate.
    """
    try:
        context = ssl.create_default_context(cafile=str(path))
    except ssl.SSLError as exc:
        raise BrokerAccessError(f"{name} is {path}: it holds no certificate in PEM") from exc
    except OSError as exc:
        raise BrokerAccessError(f"{name} is {path}: {exc.strerror}") from exc
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
