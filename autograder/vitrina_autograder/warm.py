"""The warm parent: a process that has imported what kernels need, and forks one for each submission in milliseconds.

In bubblewrap it runs in the same sandbox as a kernel that is started cold, and gives every kernel it forks namespaces
of its own; with Landlock it shuts in what it forks. It only ever imports (`inside.warm`): the first operation of
TensorFlow would make every forked child hang.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import os
import socket
import struct
import subprocess
import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from vitrina_autograder.cgroup import Group
from vitrina_autograder.job import Job, Limits
from vitrina_autograder.sandbox import forkable, kernel_order, sandbox_name, warm_command

_log = logging.getLogger(__name__)

_START_SECONDS = 180.0
_FORK_SECONDS = 60.0
_END_SECONDS = 5.0
_CREDENTIALS = struct.Struct("3i")  # process, user, group
_starting = threading.Lock()


class WarmError(Exception):
    """There is no warm parent to be had here; kernels have to start cold."""


class WarmKernel:
    """A forked kernel, with the part of `subprocess.Popen` that jupyter_client uses.

    Parameters
    ----------
    line : socket
        Hanging up ends the kernel with all it has started.
    pid : int
        The process that guards the kernel.
    """

    stdin = stdout = stderr = None

    def __init__(self, line: socket.socket, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._line = line

    def poll(self) -> int | None:
        """Get the kernel's exit status, or `None` while it runs."""
        return self._receive(socket.MSG_DONTWAIT)

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the kernel's end."""
        if self.returncode is None:
            self._line.settimeout(timeout)
        return self._receive(0)

    def send_signal(self, _signal: int) -> None:
        """End the kernel: whatever signal is meant, there is nobody behind the line to send it to."""
        self.kill()

    def kill(self) -> None:
        """End the kernel with all it has started."""
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_WR)

    terminate = kill

    def _receive(self, flags: int) -> int | None:
        if self.returncode is None:
            with contextlib.suppress(BlockingIOError, TimeoutError):
                self.returncode = self._status(flags)
                self._line.close()
        return self.returncode

    def _status(self, flags: int) -> int:
        try:
            return (self._line.recv(1, flags) or b"\1")[0]
        except ConnectionError:
            return 1


class WarmParent:
    """Handle of the warm parent.

    Parameters
    ----------
    modules : sequence of str
        What it imports.
    absent : sequence of str
        Libraries that are not there for the kernels that it forks.

    Raises
    ------
    WarmError
        When it does not get ready.
    """

    def __init__(self, modules: Sequence[str], absent: Sequence[str] = ()) -> None:
        self._sending = threading.Lock()
        self._lost = False
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                warm_command(theirs.fileno(), modules, absent),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        atexit.register(self.close)
        self._control.settimeout(_START_SECONDS)
        if not self._is_ready():
            self.close()
            raise WarmError(self._last_words())

    @property
    def alive(self) -> bool:
        """Whether it can still fork; kernels that it has forked go on without it."""
        return not self._lost and self._process.poll() is None

    def fork(
        self, job: Job, limits: Limits, wires: Path, arguments: Sequence[str], group: Group | None = None
    ) -> WarmKernel:
        """Fork a kernel.

        Parameters
        ----------
        job : Job
            The folders of the run.
        limits : Limits
            What it may use.
        wires : Path
            The folder of its sockets, from `Job.new_wires`.
        arguments : sequence of str
            Of `ipykernel_launcher`.
        group : Group, optional
            The control group it runs in, from `Job.new_group`.

        Raises
        ------
        WarmError
            When the parent was lost.
        """
        order = kernel_order(job, limits, wires, arguments)
        ours, theirs = socket.socketpair()
        ours.settimeout(_FORK_SECONDS)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        try:
            with theirs, self._sending:
                socket.send_fds(self._control, [json.dumps(order).encode()], [theirs.fileno()])
            kernel = WarmKernel(ours, _sender(ours))
            if group:
                group.add(kernel.pid)
            ours.send(b"!")
            ours.settimeout(None)
        except OSError as error:
            self._lost = True
            ours.close()
            raise WarmError(f"the warm parent forks no kernel: {error}") from error
        return kernel

    def close(self) -> None:
        """End it, and every kernel it has forked."""
        atexit.unregister(self.close)
        self._control.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)
        self._process.kill()
        self._process.wait()

    def _is_ready(self) -> bool:
        try:
            return self._control.recv(1) == b"!"
        except OSError:
            return False

    def _last_words(self) -> str:
        errors = self._process.stderr.read().decode(errors="replace").strip() if self._process.stderr else ""
        return errors.splitlines()[-1][-300:] if errors else "it ended without a word"


def _sender(line: socket.socket) -> int:
    """Receive a kernel's sign of life; the system tells whose it is."""
    data, ancillary, _flags, _address = line.recvmsg(1, socket.CMSG_SPACE(_CREDENTIALS.size))
    if not data or not ancillary:
        raise ConnectionError("it ended at once")
    return _CREDENTIALS.unpack(ancillary[0][2])[0]


def warm_parent(modules: Sequence[str], absent: Sequence[str] = ()) -> WarmParent | None:
    """Get the warm parent that has imported these modules; `None`, said once, where there can be none.

    Its kernels do not find the libraries named in `absent`, and it has imported none of them either.
    """
    wanted = tuple(module for module in modules if module.partition(".")[0] not in absent)
    with _starting:
        parent = _started(wanted, tuple(absent), sandbox_name(), os.getpid())
        if parent is not None and not parent.alive:
            forget_parents()
            parent = _started(wanted, tuple(absent), sandbox_name(), os.getpid())
        return parent


def forget_parents() -> None:
    """Have the next kernel start with a new warm parent; those that run go on."""
    _started.cache_clear()


@lru_cache(maxsize=1)
def _started(modules: tuple[str, ...], absent: tuple[str, ...], _sandbox: str, _process: int) -> WarmParent | None:
    try:
        if not forkable():
            raise WarmError("it needs a sandbox")
        return WarmParent(modules, absent)
    except (WarmError, OSError) as error:
        _log.warning("kernels start cold, which takes some seconds each: no warm parent here (%s)", error)
        return None
