"""Where there are no namespaces: a process that stands guard over a kernel and ends all that it started.

Every process that loses its parent becomes the guard's child, so that none gets away. The guard also answers the one
question that no rule on files can: whom a kernel may connect to. Whatever it tries, it reaches the examiner or nobody.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import signal
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from . import system

_PAUSE_MILLISECONDS = 1000
_CONNECT_SECONDS = 5.0
# from <linux/seccomp.h>
_RECEIVE, _ANSWER, _GIVE_DESCRIPTOR = 0xC0502100, 0xC0182101, 0x40182103
_QUESTION = struct.Struct("QIIiIQ6Q")
_AT_NUMBER = 1
_FAMILY_BYTES = 2  # in front of a Unix socket's path, which ends with a zero


def finally_exit(action: Callable[..., int | None], *arguments: Any) -> NoReturn:
    """Do something in a forked process and end it there, whatever happens."""
    status = 1
    with contextlib.suppress(BaseException):
        status = action(*arguments) or 0
    os._exit(status)


def guard_command(examiner: str, start: Callable[[socket.socket], None]) -> NoReturn:
    """Run a kernel's command under guard, and end as it does; if this process is killed, the kernel ends too."""
    system.call("prctl", system.PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    front = os.getpid()
    guard = os.fork()
    if guard == 0:
        os.setsid()  # else whoever kills this process's group would kill the guard before it could do its work
        finally_exit(guard_kernel, os.pidfd_open(front), examiner, start)
    os._exit(os.waitstatus_to_exitcode(os.waitpid(guard, 0)[1]) % 256)


def guard_kernel(hangs_up: int, examiner: str, start: Callable[[socket.socket], None]) -> int:
    """Run a kernel until it ends, or there is news from the descriptor `hangs_up`; then end all it started.

    Parameters
    ----------
    hangs_up : int
        Becomes readable when the grader gives the kernel up.
    examiner : str
        The address that the kernel may connect to.
    start : callable
        Becomes the kernel, in a process of its own; has to send the descriptor of its questions by the given socket.

    Returns
    -------
    int
        The kernel's exit status.
    """
    system.call("prctl", system.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    ours, theirs = socket.socketpair()
    kernel = os.fork()
    if kernel == 0:
        system.call("prctl", system.PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        os.setsid()
        finally_exit(start, theirs)
    theirs.close()
    with ours:
        _message, questions, _flags, _peer = socket.recv_fds(ours, 1, 1)
    status = _watch(kernel, hangs_up, questions, examiner)
    end_all()
    return status


def _watch(kernel: int, hangs_up: int, questions: list[int], examiner: str) -> int:
    ended = os.pidfd_open(kernel)
    poll = select.poll()
    for descriptor in (hangs_up, ended, *questions):
        poll.register(descriptor, select.POLLIN)
    while True:
        events = dict(poll.poll(_PAUSE_MILLISECONDS))
        for descriptor in set(events).intersection(questions):
            if events[descriptor] & select.POLLIN:
                _answer(descriptor, examiner)
            else:
                poll.unregister(descriptor)
        if hangs_up in events and ended not in events:
            os.kill(kernel, signal.SIGKILL)
            return os.waitstatus_to_exitcode(os.waitpid(kernel, 0)[1])
        if (status := _reap(kernel)) is not None:
            return status


def _reap(kernel: int) -> int | None:
    """Take leave of the processes that ended; give the kernel's status if it is among them."""
    with contextlib.suppress(ChildProcessError):
        while True:
            process, status = os.waitpid(-1, os.WNOHANG)
            if process in (0, kernel):
                return os.waitstatus_to_exitcode(status) if process else None
    return None


def _answer(questions: int, examiner: str) -> None:
    """Answer one `connect`: put a connection with the examiner in the place of the socket that it was called with.

    The address may change while we look at it, its length may not: whoever gives another one than the examiner's, as
    IPython's debugger does, and whoever looks for a name server, does not mean the examiner, and reaches nobody.
    """
    question = bytearray(_QUESTION.size)
    with contextlib.suppress(OSError):  # whoever asked is gone
        fcntl.ioctl(questions, _RECEIVE, question)
        number, _process, _flags, _call, _architecture, _instruction, *arguments = _QUESTION.unpack(question)
        descriptor, _address, length = arguments[:3]
        error = 0
        try:
            if length != _FAMILY_BYTES + len(os.fsencode(examiner)) + 1:
                raise ConnectionRefusedError
            with _connection(examiner) as connection:
                place = struct.pack("QIIII", number, _AT_NUMBER, connection.fileno(), descriptor, os.O_CLOEXEC)
                fcntl.ioctl(questions, _GIVE_DESCRIPTOR, place)
        except OSError:
            error = -errno.ECONNREFUSED
        fcntl.ioctl(questions, _ANSWER, struct.pack("QqiI", number, 0, error, 0))


def _connection(address: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(_CONNECT_SECONDS)
        connection.connect(address)
        connection.settimeout(None)
    except OSError:
        connection.close()
        raise
    return connection


def end_all() -> None:
    """Kill everything below this process: first all are stopped, so that none can start another meanwhile."""
    stopped: dict[int, int] = {}
    while new := {process: _handle(process) for process in _below() if process not in stopped}:
        still = set(_below())  # a number that was given to another process meanwhile is not among them
        for process, handle in new.items():
            if process in still:
                _signal(handle, signal.SIGSTOP)
        stopped |= new
    for handle in stopped.values():
        _signal(handle, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


def _handle(process: int) -> int:
    try:
        return os.pidfd_open(process)
    except OSError:
        return -1


def _signal(handle: int, number: signal.Signals) -> None:
    with contextlib.suppress(OSError):
        signal.pidfd_send_signal(handle, number)


def _below() -> list[int]:
    """List the processes below this one."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(path.read_text(errors="replace").rpartition(")")[2].split()[1])
            parents.setdefault(parent, []).append(int(path.parent.name))
    below = list(parents.get(os.getpid(), []))
    for process in below:  # it grows meanwhile
        below += parents.get(process, [])
    return below
