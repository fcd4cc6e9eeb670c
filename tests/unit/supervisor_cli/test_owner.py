"""Whose an environment is, and whether that process lives."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from supervisor_cli.owner import Owner


def test_this_process_lives() -> None:
    owner = Owner.this_process()
    assert Owner.parse(str(owner)) == owner
    assert owner.pid == os.getpid()
    assert not owner.is_gone()


def test_a_process_that_has_ended_is_gone_also_before_it_is_reaped() -> None:
    told = "from supervisor_cli.owner import Owner; print(Owner.this_process(), flush=True)"
    with subprocess.Popen(
        [sys.executable, "-c", f"{told}; input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        owner = Owner.parse(process.stdout.readline().strip())
        assert not owner.is_gone()
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert owner.is_gone()
    assert owner.is_gone()


def test_another_process_with_its_pid_is_another() -> None:
    assert replace(Owner.this_process(), started=1).is_gone()


def test_after_a_reboot_nothing_of_before_lives() -> None:
    assert replace(Owner.this_process(), boot="another").is_gone()


def test_what_lives_in_another_container_is_left_alone_for_a_day() -> None:
    elsewhere = replace(Owner.this_process(), pids="1", pid=1)
    assert not elsewhere.is_gone()
    assert replace(elsewhere, at=elsewhere.at - 86_401).is_gone()


@pytest.mark.parametrize("text", ["", "a/b/c", "a/b/1/2/x", "a/b/1/2/3/4"])
def test_what_is_no_owner_is_gone(text: str) -> None:
    assert Owner.parse(text).is_gone()
