"""The broker of an environment that does not let everybody in: its configuration and its files.

What is secret lies in a directory of this machine and on two volumes of the engine: one is the
broker's own, the other has by what launcher and charge points get in. Both are named by what they
hold, so that they are never changed: a new password is a new volume.
"""

import base64
import hashlib
import hmac
import os
import secrets as random_bytes
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import docker
from docker.errors import NotFound

from cp_image.api import secrets
from launcher.api import BROKER_CA_FILE, BROKER_PASSWORD_FILE
from supervisor_cli import volume_files
from supervisor_cli.certificates import When
from supervisor_cli.engine import LABEL_ENVIRONMENT, LABEL_ROLE
from supervisor_cli.errors import SimuError
from supervisor_cli.pki import Pki, default_directory, usual_names
from supervisor_cli.volume_files import Folder

AT: Final = "/etc/cp-simu-broker"
"""Where the broker's container has its own volume."""
BROKER_UID: Final = 10003
"""As whom the broker runs, where it has files of its own to read."""

_CONFIGURATION: Final = (
    Path(__file__).resolve().parent.parent / "compose" / "broker" / "mosquitto.conf"
)
_ANONYMOUS: Final = "allow_anonymous true"
_ITERATIONS: Final = 101  # mosquitto's own number; the file is its owner's alone
_SALT_BYTES: Final = 12
_HASH_BYTES: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerLock:
    """What the broker asks for.

    Attributes:
        user: None lets everybody in.
        password: None with no user.
        password_file: where it is on this machine; empty with no user.
        tls: whether the broker is spoken to by TLS.
        names: host names and addresses by which it is reached then.
    """

    user: str | None = None
    password: str | None = field(default=None, repr=False)
    password_file: str = ""
    tls: bool = False
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedLock:
    """A lock whose files are there.

    Attributes:
        user: None lets everybody in.
        broker_volume: the broker's own.
        access_volume: by what the others get in.
        ca: certificate of the broker's authority, on this machine; None without TLS.
    """

    user: str | None
    broker_volume: str
    access_volume: str
    ca: Path | None


def directory(environment: str) -> Path:
    """Return where the broker's files are on this machine."""
    return default_directory(environment).parent / "broker"


def fit(client: docker.DockerClient, environment: str, lock: BrokerLock, image: str) -> FittedLock:
    """Make the files and the volumes of a lock, as far as they are not there.

    Args:
        client: of the engine.
        environment: whose broker it is.
        lock: what it asks for.
        image: see `volume_files.write`.

    Raises:
        SimuError: a file cannot be read or written.
        docker.errors.APIError: the engine refuses.
    """
    here = directory(environment)
    own: dict[str, bytes] = {}
    access: dict[str, bytes] = {}
    if lock.user is not None and lock.password is not None:
        own["passwords"] = _password_file(here / "passwords", lock.user, lock.password)
        access[BROKER_PASSWORD_FILE] = lock.password.encode()
    pki = _pki(here / "pki", lock.names) if lock.tls else None
    if pki is not None:
        certificate, key = pki.csms
        own["certificate.pem"], own["key.pem"] = _read(certificate), _read(key)
        access[BROKER_CA_FILE] = _read(pki.root_ca)
    own["mosquitto.conf"] = configuration(lock).encode()
    # By the hash with its salt alone nobody can try passwords: the names are for all to see.
    digest = _digest({**own, **dict.fromkeys(access, b"")})
    volumes = {part: f"{environment}_{part}-{digest}" for part in ("broker", "broker-access")}
    folders = {
        "broker": Folder(files=own, uid=BROKER_UID, mode=0o700, file_mode=0o600),
        "broker-access": Folder(files=access, uid=secrets.OWNER_UID, mode=0o750, file_mode=0o640),
    }
    for part, name in volumes.items():
        _ensure(client, environment, name, folders[part], image)
    return FittedLock(
        user=lock.user,
        broker_volume=volumes["broker"],
        access_volume=volumes["broker-access"],
        ca=None if pki is None else pki.root_ca,
    )


def configuration(lock: BrokerLock) -> str:
    """Return mosquitto's configuration: that of the image, and the lock."""
    usual = _CONFIGURATION.read_text("utf-8")
    if _ANONYMOUS not in usual:
        raise SimuError(f"{_CONFIGURATION} has no line {_ANONYMOUS}: it cannot be locked")
    lines = []
    if lock.user is not None:
        lines += ["allow_anonymous false", f"password_file {AT}/passwords"]
    else:
        lines += [_ANONYMOUS]
    if lock.tls:
        lines += [
            f"certfile {AT}/certificate.pem",
            f"keyfile {AT}/key.pem",
            "tls_version tlsv1.2",
        ]
    return usual.replace(_ANONYMOUS, "\n".join(lines))


def password_line(user: str, password: str, salt: bytes) -> str:
    """Return a line of mosquitto's password file: PBKDF2 with SHA-512."""
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS, _HASH_BYTES)
    words = [base64.b64encode(part).decode() for part in (salt, digest)]
    return f"{user}:$7${_ITERATIONS}${words[0]}${words[1]}\n"


def names(*addresses: str) -> tuple[str, ...]:
    """Return by what names a broker is reached: by all of its own, and at these addresses."""
    real = [each for each in addresses if each not in {"0.0.0.0", "::"}]
    return tuple(dict.fromkeys((*usual_names(), "broker", *real)))


def _ensure(
    client: docker.DockerClient, environment: str, name: str, folder: Folder, image: str
) -> None:
    try:
        client.volumes.get(name)
    except NotFound:
        labels = {LABEL_ENVIRONMENT: environment, LABEL_ROLE: "broker-files"}
        try:
            volume_files.write(client, name, labels, folder, image)
        except BaseException:
            volume_files.remove(client, name)  # half of it would be taken for all of it
            raise


def _password_file(path: Path, user: str, password: str) -> bytes:
    """Return the password file; the one that is there where it says the same."""
    known = path.read_text("utf-8") if path.exists() else ""
    words = known.strip().split("$")
    if len(words) == 5:
        same = password_line(user, password, base64.b64decode(words[3]))
        if hmac.compare_digest(same, known):
            return known.encode()
    made = password_line(user, password, random_bytes.token_bytes(_SALT_BYTES))
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(made)
    except OSError as exc:
        raise SimuError(f"cannot write {path}: {exc.strerror}") from exc
    return made.encode()


def _pki(directory: Path, wanted: Iterable[str]) -> Pki:
    """Return the broker's PKI, with a certificate made out to all names."""
    pki = Pki(directory)
    if not pki.root_ca.exists():
        pki = Pki.create(directory)
    known = dict(pki.descriptions()).get(pki.csms[0])
    if known is None or known.when is not When.NOW or not set(wanted) <= set(known.names):
        pki.issue_csms(wanted)
    return pki


def _digest(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:12]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise SimuError(f"cannot read {path}: {exc.strerror}") from exc
