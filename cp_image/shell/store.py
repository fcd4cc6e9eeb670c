"""What survives a power cut: keys and values in an SQLite database."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Final, Self

from cp_image.core.effects import Persist

_LAYOUT: Final = 1
_LOCK_S: Final = 2.0


class StoreError(Exception):
    """The database cannot be read or written; the text names it, the cause and the way out."""


class Store:
    """A table of keys and values, each commit on the disk before it returns.

    WAL with `synchronous=FULL` costs one fsync per commit, and a commit is whole or absent after
    a power cut. The exclusive lock keeps a second process away from the same state.

    Args:
        directory: where the database is, or is made.
        name: of the database, for a directory may hold several.

    Raises:
        StoreError: the directory cannot be written, or holds something else.
    """

    def __init__(self, directory: Path, name: str = "state") -> None:
        self._path = directory / f"{name}.db"
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise StoreError(f"state directory {directory} cannot be made: {exc.strerror}") from exc
        try:
            self._connection = sqlite3.connect(self._path, timeout=_LOCK_S, isolation_level=None)
        except sqlite3.Error as exc:
            raise self._error("opened", exc) from exc
        try:
            self._prepare()
        except sqlite3.Error as exc:
            self._connection.close()
            raise self._error("opened", exc) from exc
        except StoreError:
            self._connection.close()
            raise

    def load(self) -> dict[str, bytes]:
        """Return everything that is kept.

        Raises:
            StoreError: it cannot be read.
        """
        try:
            rows = self._connection.execute("SELECT key, value FROM state").fetchall()
        except sqlite3.Error as exc:
            raise self._error("read", exc) from exc
        return dict(rows)

    def commit(self, changes: Iterable[Persist]) -> None:
        """Keep all changes or none; on return they are on the disk.

        Raises:
            StoreError: nothing is kept.
        """
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                for change in changes:
                    self._change(change)
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as exc:
            raise self._error("written", exc) from exc

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def _change(self, change: Persist) -> None:
        if change.value is None:
            self._connection.execute("DELETE FROM state WHERE key = ?", (change.key,))
        else:
            self._connection.execute(
                "INSERT INTO state (key, value) VALUES (?, ?) "
                "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (change.key, change.value),
            )

    def _prepare(self) -> None:
        execute = self._connection.execute
        execute("PRAGMA locking_mode = EXCLUSIVE")
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = FULL")
        execute("BEGIN EXCLUSIVE")
        with closing(execute("PRAGMA quick_check(1)")) as found:
            (verdict,) = found.fetchone()
        if verdict != "ok":
            raise StoreError(self._text("opened", f"it is damaged: {verdict}"))
        with closing(execute("PRAGMA user_version")) as found:
            (layout,) = found.fetchone()
        if layout not in {0, _LAYOUT}:
            raise StoreError(
                self._text("opened", f"it has layout {layout}, this version knows {_LAYOUT}")
            )
        execute(
            "CREATE TABLE IF NOT EXISTS state "
            "(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID"
        )
        execute(f"PRAGMA user_version = {_LAYOUT}")
        execute("COMMIT")

    def _error(self, what: str, exc: sqlite3.Error) -> StoreError:
        reason = str(exc)
        if "locked" in reason:
            reason = "another process uses it"
        return StoreError(self._text(what, reason))

    def _text(self, what: str, reason: str) -> str:
        return (
            f"state database {self._path} cannot be {what}: {reason} "
            "(removing it makes the charge point forget its past)"
        )
