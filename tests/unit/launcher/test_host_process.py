"""The process of a container, signalled past the engine: real processes, invented cgroups."""

import asyncio
import errno
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from launcher import host_process
from launcher.host_process import HostProcess

CONTAINER = "7535bea3830031290d9a66188efa96fb8e4506f5e8bb7c9c578b4d66080bb290"
OTHER = "0" * 64


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "600"]) as sleeper:
        yield sleeper
        sleeper.kill()


def inspection(pid: int, status: str = "running", **host_config: Any) -> dict[str, Any]:
    return {
        "Id": CONTAINER,
        "State": {"Status": status, "Pid": pid},
        "HostConfig": {"RestartPolicy": {"Name": "no", "MaximumRetryCount": 0}, **host_config},
    }


def in_cgroup(proc: Path, pid: int, *lines: str) -> Path:
    (proc / str(pid)).mkdir()
    (proc / str(pid) / "cgroup").write_text("".join(f"{line}\n" for line in lines))
    return proc


def found(proc: Path, pid: int, *lines: str) -> HostProcess | None:
    return host_process.of_container(inspection(pid), proc=in_cgroup(proc, pid, *lines))


@pytest.mark.parametrize(
    "line",
    [
        f"1:cpu:/docker/{CONTAINER}",
        f"0::/system.slice/docker-{CONTAINER}.scope",
        f"0::/../{CONTAINER}",
    ],
    ids=["cgroupfs", "systemd", "namespace of its own"],
)
def test_it_is_killed_and_its_end_is_noticed(
    process: subprocess.Popen[bytes], tmp_path: Path, line: str
) -> None:
    async def end(victim: HostProcess) -> None:
        waiting = asyncio.create_task(victim.end())
        await asyncio.sleep(0)
        assert not waiting.done()
        assert victim.kill()
        assert await waiting

    victim = found(tmp_path, process.pid, line)
    assert victim is not None
    with closing(victim):
        asyncio.run(end(victim))
        assert process.wait() == -signal.SIGKILL
        assert not victim.kill(), "nobody is there any more"


def test_another_process_of_that_number_is_left_alone(
    process: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    assert found(tmp_path, process.pid, f"0::/docker/{OTHER}") is None
    assert process.poll() is None


def test_a_number_that_nobody_has_is_no_error(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    assert found(tmp_path, ended.pid, f"0::/docker/{CONTAINER}") is None


def test_one_that_has_ended_is_left_to_the_engine(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as zombie:
        os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
        assert found(tmp_path, zombie.pid, f"0::/docker/{CONTAINER}") is None


def test_where_the_kernel_tells_nothing_the_end_is_left_to_the_engine(
    process: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    assert host_process.of_container(inspection(process.pid), proc=tmp_path) is None


@pytest.mark.parametrize("status", ["paused", "created", "restarting", "exited", "dead"])
def test_what_does_not_run_is_left_to_the_engine(
    process: subprocess.Popen[bytes], tmp_path: Path, status: str
) -> None:
    proc = in_cgroup(tmp_path, process.pid, f"0::/docker/{CONTAINER}")
    assert host_process.of_container(inspection(process.pid, status), proc=proc) is None


@pytest.mark.parametrize("policy", ["always", "unless-stopped", "on-failure"])
def test_what_the_engine_would_start_again_is_left_to_the_engine(
    process: subprocess.Popen[bytes], tmp_path: Path, policy: str
) -> None:
    proc = in_cgroup(tmp_path, process.pid, f"0::/docker/{CONTAINER}")
    asked = inspection(process.pid, RestartPolicy={"Name": policy, "MaximumRetryCount": 0})
    assert host_process.of_container(asked, proc=proc) is None


@pytest.mark.parametrize("policy", [None, {}, {"Name": ""}, {"Name": "no"}])
def test_no_policy_is_said_in_several_ways(
    process: subprocess.Popen[bytes], tmp_path: Path, policy: Any
) -> None:
    proc = in_cgroup(tmp_path, process.pid, f"0::/docker/{CONTAINER}")
    victim = host_process.of_container(inspection(process.pid, RestartPolicy=policy), proc=proc)
    assert victim is not None
    victim.close()


def test_no_descriptor_is_kept_of_one_that_is_not_taken(
    process: subprocess.Popen[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[int] = []
    closed: list[int] = []

    def pidfd_open(pid: int) -> int:
        opened.append(really_open(pid))
        return opened[0]

    def close(descriptor: int) -> None:
        closed.append(descriptor)
        really_close(descriptor)

    really_open, really_close = os.pidfd_open, os.close
    monkeypatch.setattr(os, "pidfd_open", pidfd_open)
    monkeypatch.setattr(os, "close", close)
    assert found(tmp_path, process.pid, f"0::/docker/{OTHER}") is None
    assert len(opened) == 1
    assert opened == closed


def taken(proc: Path, pid: int) -> HostProcess:
    victim = found(proc, pid, f"0::/docker/{CONTAINER}")
    assert victim is not None
    return victim


def test_who_may_not_signal_it_leaves_it_to_the_engine(
    process: subprocess.Popen[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    with closing(taken(tmp_path, process.pid)) as victim:
        monkeypatch.setattr(signal, "pidfd_send_signal", refuse)
        assert not victim.kill()


def test_one_that_ends_of_itself_before_the_signal_was_not_killed(tmp_path: Path) -> None:
    with (
        subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process,
        closing(taken(tmp_path, process.pid)) as victim,
    ):
        process.communicate()
        assert not victim.kill()


def test_a_zombie_was_not_killed(tmp_path: Path) -> None:
    with (
        subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process,
        closing(taken(tmp_path, process.pid)) as victim,
    ):
        assert process.stdin is not None
        process.stdin.close()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not victim.kill()


def test_one_that_does_not_end_in_time_is_told_of(process: subprocess.Popen[bytes]) -> None:
    async def wait() -> None:
        with closing(HostProcess(os.pidfd_open(process.pid), dead_within_s=0.01)) as lasting:
            assert not await lasting.end()

    asyncio.run(wait())


def test_a_python_that_knows_no_pidfds_leaves_it_to_the_engine(
    process: subprocess.Popen[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_process, "_KNOWS_PIDFDS", False)
    assert found(tmp_path, process.pid, f"0::/docker/{CONTAINER}") is None
