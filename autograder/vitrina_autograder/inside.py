"""Runs inside the sandbox, before a student's code: takes the job's files in, gives up root, sets the limits.

Two ways lead to a kernel. *Cold*: this program becomes the kernel's command. *Warm*: this program imports what every
kernel needs once, never runs an operation of it (after one, TensorFlow hangs in every forked child), and then forks a
kernel for each order into namespaces of its own, where the other jobs cannot be seen.

It is run as a file, and knows the standard library only: none of the grader's own packages can be seen in here.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import resource
import select
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

Order = dict[str, Any]

_ORDER_BYTES = 1 << 16
_PRIVATE = ("/tmp", "/home/student", "/dev/shm", "/dev/pts")
_FIRST_FREE_FD = 3

# from <linux/mount.h>, <linux/sched.h>, <linux/prctl.h>
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
_PLAIN = _MS_NOSUID | _MS_NODEV
_CLONE_NEWNS, _CLONE_NEWUTS, _CLONE_NEWIPC = 0x20000, 0x4000000, 0x8000000
_CLONE_NEWPID, _CLONE_NEWNET = 0x20000000, 0x40000000
_OWN_NAMESPACES = _CLONE_NEWNS | _CLONE_NEWUTS | _CLONE_NEWIPC | _CLONE_NEWPID | _CLONE_NEWNET
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 1, 4, 38, 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def main(how: str, text: str, *rest: str) -> None:
    """Become a command (`cold`; `open` without any walls), or fork kernels on order (`warm`)."""
    order = json.loads(text)
    if how in ("cold", "open"):
        (enter if how == "cold" else take_files)(order)
        os.execv(rest[0], rest)
    os.umask(0o022)
    serve(socket.socket(fileno=order["control"]), order["modules"])


# ---- entering a job


def enter(order: Order) -> None:
    """Become the job's user, within its limits, in its folder; the first to go where the machine is out of memory."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    for name, value in order["limits"].items():
        _limit(getattr(resource, f"RLIMIT_{name}"), value)
    give_up_root(order["owner"])
    take_files(order)


def take_files(order: Order) -> None:
    """Go to the job's folder with a copy of its files in it."""
    with contextlib.suppress(shutil.Error, OSError):  # a disk that its files fill already
        shutil.copytree(order["given"], order["work"], dirs_exist_ok=True, copy_function=shutil.copyfile)
    os.chdir(order["work"])


def _limit(number: int, value: int) -> None:
    hardest = resource.getrlimit(number)[1]
    value = value if hardest == resource.RLIM_INFINITY else min(value, hardest)
    resource.setrlimit(number, (value, value))


def give_up_root(owner: int) -> None:
    """Become the job's user where there is one, and lose every privilege for good."""
    _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    if owner:
        os.setgroups([])
        os.setresgid(owner, owner, owner)
        os.setresuid(owner, owner, owner)
    _call("capset", (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0), (ctypes.c_uint32 * 6)())
    _call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


# ---- the warm parent


def serve(control: socket.socket, modules: Sequence[str]) -> None:
    """Import, say so, and fork a kernel for every order until the grader hangs up."""
    for module in modules:
        with contextlib.suppress(ImportError):  # a course without it has kernels without it
            importlib.import_module(module)
    gc.collect()
    gc.freeze()  # else every kernel's collector would go through all that was imported, and copy its memory
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are reaped by themselves
    control.send(b"!")
    while True:
        message, descriptors, _flags, _peer = socket.recv_fds(control, _ORDER_BYTES, 1)
        if not message:
            return
        line = socket.socket(fileno=descriptors[0])
        if os.fork() == 0:
            control.close()
            _finally_exit(_guard, json.loads(message), line)
        line.close()


def _finally_exit(action: Callable[..., int | None], *arguments: Any) -> NoReturn:
    """Do something in a forked process and end it there, whatever happens."""
    status = 1
    with contextlib.suppress(BaseException):
        status = action(*arguments) or 0
    os._exit(status)


def _guard(order: Order, line: socket.socket) -> int:
    """Keep a kernel in namespaces of its own; end all of it when the grader hangs up, and tell how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    silence = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(_FIRST_FREE_FD):
        os.dup2(silence, descriptor)
    line.send(b"!")  # the grader learns our process id from this, and may put us into a control group
    if not line.recv(1):
        return 0
    _call("unshare", _OWN_NAMESPACES)
    first = os.fork()
    if first == 0:
        _finally_exit(_first_process, order, line)
    ended = os.pidfd_open(first)
    select.select([line, ended], [], [])  # the grader says nothing more: there is news only when it hangs up
    with contextlib.suppress(ProcessLookupError):
        os.kill(first, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(first, 0)[1])
    with contextlib.suppress(OSError):
        line.send(bytes([status % 256]))
    return 0


def _first_process(order: Order, line: socket.socket) -> int:
    """Be process 1: hide everything but the job, start the kernel; whatever it leaves behind ends with us."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    line.close()
    _close_in(order)
    kernel = os.fork()
    if kernel == 0:
        _finally_exit(_kernel, order)
    while True:
        process, status = os.wait()
        if process == kernel:
            return os.waitstatus_to_exitcode(status) % 256


def _close_in(order: Order) -> None:
    """Lay empty file systems over what jobs share, and only this job's folders on top."""
    _mount(None, "/", None, _MS_REC | _MS_PRIVATE)
    shown = {folder: os.open(folder, os.O_PATH) for folder in order["shown"]}
    covered = {place: os.open(place, os.O_PATH) for place in _mounts_below(_PRIVATE, but=order["jobs"])}
    modes = {folder: folder.stat().st_mode for place in covered for folder in Path(place).parents}
    for place in (*_PRIVATE, order["jobs"]):
        _empty(place, order)
    _mount("proc", "/proc", "proc", _PLAIN)
    if not order["owner"]:  # as an ordinary user we have a user namespace, and nobody below needs another
        Path("/proc/sys/user/max_user_namespaces").write_text("0")
    for place, descriptor in (*covered.items(), *shown.items()):
        _show_again(Path(place), descriptor, modes)
    for folder in set(shown).difference(order["writable"]):
        _mount(None, folder, None, _MS_REMOUNT | _MS_BIND | _MS_RDONLY | _PLAIN)
    _empty(order["work"], order)
    _mount(None, order["jobs"], None, _MS_REMOUNT | _MS_BIND | _MS_RDONLY | _PLAIN)


def _mounts_below(places: Sequence[str], *, but: str) -> list[str]:
    """List what the sandbox shows below these places, as where the project lies in `/tmp`; outer before inner."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    points = [line.split()[4].encode().decode("unicode_escape") for line in lines]
    below = [point for point in points if any(Path(place) in Path(point).parents for place in places)]
    return [point for point in below if not Path(point).is_relative_to(but)]


def _show_again(place: Path, descriptor: int, modes: Mapping[Path, int]) -> None:
    """Mount what was covered where it was, as it was: a mount of a read-only mount is read-only."""
    for folder in reversed(place.parents):
        if not folder.exists():
            folder.mkdir()
            folder.chmod(modes.get(folder, 0o755))
    source = f"/proc/self/fd/{descriptor}"
    if not place.exists():
        (Path.mkdir if Path(source).is_dir() else Path.touch)(place)
    _mount(source, str(place), None, _MS_BIND)
    os.close(descriptor)


def _empty(place: str, order: Order) -> None:
    Path(place).mkdir(parents=True, exist_ok=True)
    _mount("tmpfs", place, "tmpfs", _PLAIN, f"size={order['disk']},mode=1777")


def _kernel(order: Order) -> None:
    os.closerange(_FIRST_FREE_FD, os.sysconf("SC_OPEN_MAX"))
    os.setsid()
    os.environ.clear()
    os.environ.update(order["variables"])
    enter(order)
    _fresh_random_numbers()
    sys.argv = ["ipykernel_launcher", *order["arguments"]]
    kernel = importlib.import_module("ipykernel.kernelapp")
    kernel.launch_new_instance(argv=order["arguments"])


def _fresh_random_numbers() -> None:
    """Without this all kernels would draw the same: NumPy seeds itself when it is imported."""
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()


# ---- system calls


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    texts = [text if text is None else text.encode() for text in (source, target, kind)]
    _call("mount", *texts, ctypes.c_ulong(flags), options if options is None else options.encode())


def _call(name: str, *arguments: Any) -> None:
    if getattr(_libc, name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
