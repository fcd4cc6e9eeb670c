"""What is committed survives; what cannot be is told clearly."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from cp_image.core.effects import Persist
from cp_image.shell.store import Store, StoreError


def keep(key: str, value: bytes | None) -> Persist:
    return Persist(key=key, value=value)


def test_a_new_store_is_empty(tmp_path: Path) -> None:
    with Store(tmp_path / "new" / "directory") as store:
        assert store.load() == {}


def test_committed_values_are_there_after_opening_again(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.commit([keep("a", b"1"), keep("b", b"\x00\xff")])
        store.commit([keep("a", b"2"), keep("c", b"")])
        store.commit([keep("b", None), keep("never there", None)])
    with Store(tmp_path) as store:
        assert store.load() == {"a": b"2", "c": b""}


def test_a_commit_is_whole_or_absent(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.commit([keep("a", b"1")])
        broken = Persist(key="b", value=object())  # type: ignore[arg-type] # what SQLite refuses
        with pytest.raises(StoreError, match="cannot be written"):
            store.commit([keep("a", b"2"), broken])
        assert store.load() == {"a": b"1"}
        store.commit([keep("a", b"3")])
        assert store.load() == {"a": b"3"}


def test_a_second_process_is_kept_away(tmp_path: Path) -> None:
    with Store(tmp_path), pytest.raises(StoreError, match="another process uses it"):
        Store(tmp_path)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"not a database at all, but long enough" * 100)
    with pytest.raises(StoreError, match=r"state\.db cannot be opened: file is not a database"):
        Store(tmp_path)


def test_a_damaged_database(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.commit([keep(f"key {n}", b"x" * 500) for n in range(200)])
    path = tmp_path / "state.db"
    content = bytearray(path.read_bytes())
    content[4096 * 2 : 4096 * 6] = b"\xa5" * 4096 * 4
    path.write_bytes(content)
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(tmp_path)


def test_a_database_of_another_version(tmp_path: Path) -> None:
    with Store(tmp_path):
        pass
    connection = sqlite3.connect(tmp_path / "state.db")
    connection.execute("PRAGMA user_version = 7")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="layout 7"):
        Store(tmp_path)


def test_a_directory_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"state directory .*file cannot be made"):
        Store(tmp_path / "file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(tmp_path)


def test_durability_is_full(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        (mode,) = store._connection.execute("PRAGMA synchronous").fetchone()
        assert mode == 2


VICTIM = """
import pathlib, sys
from cp_image.core.effects import Persist
from cp_image.shell.store import Store
store = Store(pathlib.Path(sys.argv[1]))
number = 0
while True:
    number += 1
    value = str(number).encode()
    store.commit([Persist(key="first", value=value), Persist(key="second", value=value)])
    print(number, flush=True)
"""


def test_a_killed_process_loses_nothing_it_committed(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", VICTIM, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        for _ in range(20):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        told = [line for line in process.stdout.read().splitlines() if line]
    last_told = int(told[-1]) if told else 20
    with Store(tmp_path) as store:
        kept = store.load()
    assert int(kept["first"]) >= last_told
    assert kept["first"] == kept["second"]
