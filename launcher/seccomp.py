"""The system calls of a dense charge point. Pure.

Dense mode begins a process without address-space randomisation, which the engine's own profile
refuses. An engine tells its profile to nobody, so this is one of our own: a list of what a charge
point needs, and it has no more than ordinary programs without privileges do. What is not listed
fails as if the kernel did not know it.
"""

import json
from typing import Any, Final

_ALLOW: Final = "SCMP_ACT_ALLOW"
_REFUSE: Final = "SCMP_ACT_ERRNO"
_ENOSYS: Final = 38

_ADDR_NO_RANDOMIZE: Final = 0x0040000
_ASK_PERSONALITY: Final = 0xFFFFFFFF
_NEW_NAMESPACES: Final = 0x7E020000
"""clone(2): CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET."""

_FILES: Final = """
    access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat
    faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync
    fgetxattr flistxattr flock fstat fstatfs fsync ftruncate getcwd getdents getdents64 getxattr
    ioctl lchown lgetxattr link linkat listxattr llistxattr lseek lstat memfd_create mkdir mkdirat
    newfstatat open openat openat2 pipe pipe2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read
    readahead readlink readlinkat readv rename renameat renameat2 rmdir sendfile splice stat statfs
    statx symlink symlinkat sync sync_file_range syncfs tee truncate umask unlink unlinkat utime
    utimensat utimes write writev
"""
_MEMORY: Final = """
    brk get_mempolicy madvise membarrier mincore mlock mlock2 mmap mprotect mremap msync munlock
    munmap pkey_alloc pkey_free pkey_mprotect
"""
_PROCESSES: Final = """
    arch_prctl capget capset execve execveat exit exit_group fork futex futex_waitv
    get_robust_list get_thread_area getcpu getegid geteuid getgid getgroups getpgid getpgrp getpid
    getppid getpriority getresgid getresuid getrlimit getrusage getsid gettid getuid kill
    pidfd_open pidfd_send_signal prctl prlimit64 restart_syscall rseq sched_get_priority_max
    sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler
    sched_setaffinity sched_yield seccomp set_robust_list set_thread_area set_tid_address setfsgid
    setfsuid setgid setgroups setpgid setpriority setregid setresgid setresuid setreuid setrlimit
    setsid setuid sysinfo tgkill tkill uname vfork wait4 waitid
"""
_SIGNALS: Final = """
    alarm eventfd eventfd2 pause rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo
    rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sigaltstack signalfd signalfd4
"""
_TIME: Final = """
    clock_getres clock_gettime clock_nanosleep getitimer gettimeofday nanosleep setitimer time
    timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create
    timerfd_gettime timerfd_settime times
"""
_NETWORK: Final = """
    accept accept4 bind connect epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2
    epoll_wait getpeername getrandom getsockname getsockopt listen poll ppoll pselect6 recvfrom
    recvmmsg recvmsg select sendmmsg sendmsg sendto setsockopt shutdown socketpair
"""


def profile() -> str:
    """Return the profile as the engine takes it: JSON."""
    return json.dumps(
        {"defaultAction": _REFUSE, "defaultErrnoRet": _ENOSYS, "syscalls": list(_rules())},
        separators=(",", ":"),
    )


def _rules() -> tuple[dict[str, Any], ...]:
    lists = (_FILES, _MEMORY, _PROCESSES, _SIGNALS, _TIME, _NETWORK)
    return (
        {"names": [name for each in lists for name in each.split()], "action": _ALLOW},
        # Threads and processes, without namespaces of their own.
        _with("clone", 0, _NEW_NAMESPACES, operator="SCMP_CMP_MASKED_EQ", masked=0),
        # Its flags cannot be looked at: glibc takes clone(2) instead.
        {"names": ["clone3"], "action": _REFUSE, "errnoRet": _ENOSYS},
        _with("personality", 0, 0),
        _with("personality", 0, _ADDR_NO_RANDOMIZE),
        _with("personality", 0, _ASK_PERSONALITY),
        # AF_UNIX, AF_INET, AF_INET6, and AF_NETLINK, by which addresses are looked up.
        *(_with("socket", 0, family) for family in (1, 2, 10, 16)),
    )


def _with(
    name: str,
    index: int,
    value: int,
    *,
    operator: str = "SCMP_CMP_EQ",
    masked: int | None = None,
) -> dict[str, Any]:
    """Allow a system call whose argument `index` is a value, or is `masked` under it."""
    argument = {"index": index, "value": value, "op": operator}
    if masked is not None:
        argument["valueTwo"] = masked
    return {"names": [name], "action": _ALLOW, "args": [argument]}
