"""seccomp: system calls that no student's code needs, and that lead out of a sandbox or into the depths of the kernel.

A call that is forbidden fails as if the right to it, or the call itself, were missing; it kills nobody. Filters are
short programs of the kernel's (classic BPF), which look at a call's number and arguments, and never at what an argument
points to.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import socket
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .system import system_call

# from <linux/filter.h>, <linux/seccomp.h>, <linux/audit.h>
_LOAD, _AND, _JUMP, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x05, 0x15, 0x35, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # where they lie in what a filter sees
_ALLOW, _FAIL, _ASK = 0x7FFF0000, 0x00050000, 0x7FC00000
_SET_MODE_FILTER, _NEW_LISTENER = 1, 8
_X32 = 0x40000000
_FIRST_COMMON = 424  # system calls with this number or a higher one have the same number everywhere

#: Architecture, and the number of `seccomp` itself.
_MACHINES = {"x86_64": (0xC000003E, 317), "aarch64": (0xC00000B7, 277)}

_NAMESPACES = 0x7E020000  # CLONE_NEW...: mounts, control groups, host name, IPC, users, processes, network
_TERMINAL_INPUT = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX

#: Numbers for x86-64 and for aarch64, which has no -1.
_MOUNTS = """mount 165 40, umount2 166 39, pivot_root 155 41, chroot 161 51, open_tree 428, move_mount 429, fsopen 430,
    fsconfig 431, fsmount 432, fspick 433, mount_setattr 442, open_tree_attr 467, unshare 272 97, setns 308 268"""
_OTHERS_MEMORY = """ptrace 101 117, process_vm_readv 310 270, process_vm_writev 311 271, process_madvise 440,
    kcmp 312 272, pidfd_getfd 438, move_pages 279 239, migrate_pages 256 238"""
_DEPTHS = """kexec_load 246 104, kexec_file_load 320 294, bpf 321 280, perf_event_open 298 241, userfaultfd 323 282,
    io_uring_setup 425, io_uring_enter 426, io_uring_register 427, add_key 248 217, request_key 249 218,
    keyctl 250 219, init_module 175 105, finit_module 313 273, delete_module 176 106, reboot 169 142,
    swapon 167 224, swapoff 168 225, acct 163 89, quotactl 179 60, quotactl_fd 443, open_by_handle_at 304 265,
    name_to_handle_at 303 264, syslog 103 116, settimeofday 164 170, clock_settime 227 112, clock_adjtime 305 266,
    adjtimex 159 171, iopl 172 -1, ioperm 173 -1, uselib 134 -1, fanotify_init 300 262, sethostname 170 161,
    setdomainname 171 162, vhangup 153 58, lookup_dcookie 212 18, nfsservctl 180 42"""
_OUTLIVING = """shmget 29 194, shmat 30 196, shmctl 31 195, msgget 68 186, semget 64 190, mq_open 240 180,
    mq_unlink 241 181"""
_UNKNOWN = "clone3 435, memfd_create 319 279, memfd_secret 447"
#: Without namespaces: descriptors on their way to nobody, and names of files that change.
_UNSEEN = "sendmsg 46 211, sendmmsg 307 269, inotify_add_watch 254 27"
#: What Landlock lets the owner of files do to them. To do nothing is what makes copies of files work.
_PRETENDED = """chmod 90 -1, fchmod 91 52, fchmodat 268 53, fchmodat2 452, chown 92 -1, fchown 93 55, lchown 94 -1,
    fchownat 260 54, utime 132 -1, utimes 235 -1, utimensat 280 88, futimesat 261 -1, file_setattr 469"""
_UNSUPPORTED = """setxattr 188 5, lsetxattr 189 6, fsetxattr 190 7, setxattrat 463, removexattr 197 14,
    lremovexattr 198 15, fremovexattr 199 16, removexattrat 466"""
#: Of other threads and processes; ZeroMQ takes it for certain that it may set that of its own threads as it is.
_SCHEDULING = "sched_setscheduler 144 119, sched_setparam 142 118, sched_setattr 314 274, sched_setaffinity 203 122"
_SIGNALS = "kill 62 129, tkill 200 130, rt_sigqueueinfo 129 138"
_THREAD_SIGNALS = "tgkill 234 131, rt_tgsigqueueinfo 297 240"


@dataclass(frozen=True)
class Check:
    """A call passes if a part of an argument is one of the values, or if it is none of them.

    Attributes
    ----------
    argument : int
        Which one, from 0.
    values : sequence of int
        What is looked for in it.
    among : bool
        Whether it has to be one of them.
    mask : int
        The bits that are looked at.
    """

    argument: int
    values: Sequence[int]
    among: bool = True
    mask: int = 0xFFFFFFFF


@dataclass(frozen=True)
class Rule:
    """System calls that fail with an error unless they pass all tests; without tests they always do.

    Attributes
    ----------
    calls : str
        Names with their numbers, of x86-64 and aarch64 or of both.
    error : int
        Number of the error; 0 pretends success.
    tests : tuple of Check
        What lets a call pass.
    """

    calls: str
    error: int = errno.EPERM
    tests: tuple[Check, ...] = ()


_SOCKETS = "socket 41 198, socketpair 53 199"
#: Families that a network namespace divides, as it does not with those of virtual machines, say.
_FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, 16)  # 16: AF_NETLINK, which lists interfaces
_CONNECTED = Check(1, [socket.SOCK_STREAM, socket.SOCK_SEQPACKET], mask=0xF)
ALWAYS = (
    *(Rule(calls) for calls in (_MOUNTS, _OTHERS_MEMORY, _DEPTHS, _OUTLIVING)),
    Rule(_UNKNOWN, errno.ENOSYS),
    Rule("clone 56 220", tests=(Check(0, [0], mask=_NAMESPACES),)),
    Rule("ioctl 16 29", tests=(Check(1, _TERMINAL_INPUT, among=False),)),
    Rule(_SOCKETS, errno.EOPNOTSUPP, (Check(0, _FAMILIES),)),
)
#: Where there are no namespaces: a socket of datagrams reaches any address without `connect`.
UNDIVIDED = (
    Rule(_UNSEEN),
    Rule(_SOCKETS, errno.EOPNOTSUPP, (Check(0, [socket.AF_UNIX]), _CONNECTED)),
    Rule("prlimit64 302 261", tests=(Check(0, [0]),)),
    Rule("setpriority 141 140, ioprio_set 251 30", tests=(Check(1, [0]),)),
    Rule(_SCHEDULING, 0, (Check(0, [0]),)),
)
#: Where the kernel's user is the grader's.
SAME_USER = (Rule(_PRETENDED, 0), Rule(_UNSUPPORTED, errno.EOPNOTSUPP))


def own_signals_only(process: int) -> tuple[Rule, ...]:
    """Give rules that let a process signal itself alone (and 0, its process group)."""
    return (
        Rule(_SIGNALS, tests=(Check(0, [process, 0]),)),
        Rule(_THREAD_SIGNALS, tests=(Check(0, [process]),)),
        Rule("pidfd_send_signal 424"),
    )


def supported() -> bool:
    """Whether the system calls of this machine are known."""
    return platform.machine() in _MACHINES


def forbid(rules: Sequence[Rule]) -> None:
    """Have calls fail, for this thread and all it will start, for good; of rules for one call the last counts.

    Raises
    ------
    OSError
        When the system has no such filters.
    """
    _install(assemble(rules, platform.machine()))


def ask_about_connecting() -> int:
    """Have every `connect` wait for an answer, and give the descriptor that the questions come from."""
    machine = platform.machine()
    number = _numbers("connect 42 203", machine)[0]
    body = [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ASK)]
    return _install(_program(body, machine), _NEW_LISTENER)


def assemble(rules: Sequence[Rule], machine: str) -> bytes:
    """Make the filter's program."""
    by_number = {number: rule for rule in rules for number in _numbers(rule.calls, machine) if number >= 0}
    return _program([step for number, rule in by_number.items() for step in _steps(number, rule)], machine)


_Step = tuple[int, int, int, int]  # operation, steps to skip if true, if not, value


def _program(body: Sequence[_Step], machine: str) -> bytes:
    architecture = _MACHINES[machine][0]
    deny = (_RETURN, 0, 0, _FAIL | errno.ENOSYS)
    head: list[_Step] = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, architecture), deny, (_LOAD, 0, 0, _NUMBER)]
    if machine == "x86_64":
        head += [(_AT_LEAST, 0, 1, _X32), deny]
    return b"".join(struct.pack("HBBI", *step) for step in [*head, *body, (_RETURN, 0, 0, _ALLOW)])


def _steps(number: int, rule: Rule) -> Iterator[_Step]:
    fail = (_RETURN, 0, 0, _FAIL | rule.error)
    tests = [step for test in rule.tests for step in _test_steps(test, fail)]
    last = [(_RETURN, 0, 0, _ALLOW)] if tests else [fail]
    yield (_EQUAL, 0, len(tests) + len(last), number)
    yield from tests
    yield from last


def _test_steps(test: Check, fail: _Step) -> Iterator[_Step]:
    yield (_LOAD, 0, 0, _ARGUMENTS + 8 * test.argument)  # the lower half, on machines of this byte order
    yield (_AND, 0, 0, test.mask)
    count = len(test.values)
    for place, value in enumerate(test.values):
        yield (_EQUAL, count - place, 0, value)
    if not test.among:
        yield (_JUMP, 0, 0, 1)
    yield fail


def _numbers(calls: str, machine: str) -> list[int]:
    column = list(_MACHINES).index(machine)
    rows = [[int(word) for word in each.split()[1:]] for each in calls.split(",")]
    return [row[column] if len(row) > 1 else row[0] for row in rows]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def _install(program: bytes, flags: int = 0) -> int:
    number = _MACHINES[platform.machine()][1]
    return system_call(number, _SET_MODE_FILTER, flags, ctypes.byref(_Program(len(program) // 8, program)))
