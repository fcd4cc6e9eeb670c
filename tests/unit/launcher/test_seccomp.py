"""The profile of dense charge points: a list of what is allowed, and narrow where it opens."""

import json
from typing import Any

from launcher import seccomp

PROFILE: dict[str, Any] = json.loads(seccomp.profile())
ALLOWED = [rule for rule in PROFILE["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW"]
WITHOUT_CONDITION = {name for rule in ALLOWED if "args" not in rule for name in rule["names"]}


def test_what_is_not_listed_fails() -> None:
    assert PROFILE["defaultAction"] == "SCMP_ACT_ERRNO"


def test_nothing_that_reaches_beyond_the_container_is_listed() -> None:
    assert WITHOUT_CONDITION.isdisjoint(
        {
            *("acct", "add_key", "bpf", "chroot", "clock_settime", "clone", "clone3"),
            *("create_module", "delete_module", "finit_module", "init_module", "ioperm", "iopl"),
            *("io_uring_setup", "kcmp", "kexec_load", "keyctl", "lookup_dcookie", "mknod"),
            *(
                "mount",
                "mount_setattr",
                "move_mount",
                "move_pages",
                "name_to_handle_at",
                "nfsservctl",
            ),
            *("open_by_handle_at", "open_tree", "perf_event_open", "personality", "pidfd_getfd"),
            *(
                "pivot_root",
                "process_vm_readv",
                "process_vm_writev",
                "ptrace",
                "quotactl",
                "reboot",
            ),
            *("request_key", "setdomainname", "sethostname", "setns", "settimeofday", "socket"),
            *("swapon", "syslog", "umount2", "unshare", "userfaultfd", "vhangup"),
        }
    )


def test_the_personality_may_be_asked_for_and_lose_random_addresses() -> None:
    values = [rule["args"][0]["value"] for rule in ALLOWED if rule["names"] == ["personality"]]
    assert sorted(values) == [0, 0x40000, 0xFFFFFFFF]
    assert all(
        rule["args"][0]["op"] == "SCMP_CMP_EQ" for rule in ALLOWED if "personality" in rule["names"]
    )


def test_no_process_gets_namespaces_of_its_own() -> None:
    (clone,) = (rule for rule in ALLOWED if "clone" in rule["names"])
    (argument,) = clone["args"]
    for flag in (0x20000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000):
        assert argument["value"] & flag
    assert argument["value"] & 0x3D0F00 == 0  # what a thread is made with
    assert (argument["op"], argument["valueTwo"]) == ("SCMP_CMP_MASKED_EQ", 0)


def test_only_ordinary_sockets_are_opened() -> None:
    families = [rule["args"][0]["value"] for rule in ALLOWED if rule["names"] == ["socket"]]
    assert families == [1, 2, 10, 16]
