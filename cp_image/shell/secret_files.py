"""Reads the files of `cp_image.api.secrets`, and keeps the keys that are made here."""

import contextlib
import os
from pathlib import Path
from typing import ClassVar, Final

from cp_image.api import secrets
from cp_image.api.value import Value, field
from cp_image.core.certificates import split_pem

_KEYS: Final = "keys"
"""Directory of the keys that were made here, by number: beside the given ones, which may be on a
volume that only whoever starts the charge point writes to."""


class GivenSecrets(Value):
    """What the files hold.

    Attributes:
        authorization_key: None without one.
        root_ca: PEM; empty without, likewise `client_cert` and `manufacturer_ca`.
        problems: by file, why it is of no use; a file that is not there is no problem.
    """

    authorization_key: bytes | None = None
    root_ca: str = ""
    client_cert: str = ""
    manufacturer_ca: str = ""
    problems: dict[str, str] = field(default_factory=dict)

    UNSEEN: ClassVar = frozenset({"authorization_key"})


class SecretFiles:
    """The directory of the secrets.

    Args:
        directory: where they are; it need not exist.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def given(self) -> GivenSecrets:
        """Return what the files hold; a file that is of no use is a problem, not an error."""
        problems: dict[str, str] = {}
        return GivenSecrets(
            authorization_key=self._authorization_key(problems),
            root_ca=self._certificates(secrets.ROOT_CA, problems),
            client_cert=self._certificates(secrets.CLIENT_CERT, problems),
            manufacturer_ca=self._certificates(secrets.MANUFACTURER_CA, problems),
            problems=problems,
        )

    @property
    def client_key(self) -> Path:
        """Where the key is that belongs to the given certificate."""
        return self.directory / secrets.CLIENT_KEY

    @property
    def client_cert(self) -> Path:
        """Where the given certificate is."""
        return self.directory / secrets.CLIENT_CERT

    def made_key(self, number: int) -> Path:
        """Return where a key is that was made here."""
        return self.directory.parent / _KEYS / f"{number}.pem"

    def chain_of(self, number: int, chain: str) -> Path:
        """Write the certificate chain of a key that was made here; return where it is.

        Raises:
            OSError: it cannot be written.
        """
        path = self.made_key(number).with_suffix(".cert.pem")
        if not path.exists() or path.read_text("utf-8") != chain:
            self._write(path, chain.encode())
        return path

    def keep_key(self, number: int, private_key: bytes) -> None:
        """Keep a key that was made here; on return it is on the disk.

        Raises:
            OSError: it cannot be written.
        """
        self._write(self.made_key(number), private_key)

    def forget_key(self, number: int) -> None:
        """Remove a key that was made here, and its chain."""
        for path in (self.made_key(number), self.made_key(number).with_suffix(".cert.pem")):
            path.unlink(missing_ok=True)

    def _write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(mode=secrets.DIRECTORY_MODE, parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        with contextlib.suppress(FileNotFoundError):
            new.unlink()
        number = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, secrets.FILE_MODE)
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(number)
        new.replace(path)

    def _authorization_key(self, problems: dict[str, str]) -> bytes | None:
        content = self._read(secrets.AUTHORIZATION_KEY, problems)
        if content is None:
            return None
        try:
            return secrets.authorization_key(content)
        except ValueError as exc:
            problems[secrets.AUTHORIZATION_KEY] = str(exc)
            return None

    def _certificates(self, name: str, problems: dict[str, str]) -> str:
        content = self._read(name, problems)
        if content is None:
            return ""
        text = content.decode("utf-8", errors="replace")
        begun = text.count("-----BEGIN CERTIFICATE-----")
        if len(split_pem(text)) != begun or not begun:
            problems[name] = (
                "a certificate in it is not whole" if begun else "it has no PEM certificate"
            )
            return ""
        return text

    def _read(self, name: str, problems: dict[str, str]) -> bytes | None:
        path = self.directory / name
        try:
            with path.open("rb") as file:
                content = file.read(secrets.LONGEST_FILE_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as exc:
            problems[name] = (exc.strerror or str(exc)).lower()
            return None
        if len(content) > secrets.LONGEST_FILE_BYTES:
            problems[name] = f"it has more than {secrets.LONGEST_FILE_BYTES} bytes"
            return None
        return content
