"""Namespaces for a kernel that a warm parent forks: mounts, processes, network and the rest of its own.

The parent runs in bubblewrap already, and sees what every kernel may see. Laid over that are empty file systems where
jobs share a place, and only this job's folders on top.
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import system
from .guard import finally_exit

_PRIVATE = ("/tmp", "/home/student", "/dev/shm", "/dev/pts")
#: In each of them: an empty file takes memory too.
_MOST_FILES = 50_000

# from <linux/mount.h> and <linux/sched.h>
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
_PLAIN = _MS_NOSUID | _MS_NODEV
_CLONE_NEWNS, _CLONE_NEWUTS, _CLONE_NEWIPC = 0x20000, 0x4000000, 0x8000000
_CLONE_NEWPID, _CLONE_NEWNET = 0x20000000, 0x40000000
_OWN = _CLONE_NEWNS | _CLONE_NEWUTS | _CLONE_NEWIPC | _CLONE_NEWPID | _CLONE_NEWNET


def leave() -> None:
    """Enter new namespaces; the next child is process 1 there."""
    system.call("unshare", _OWN)


def first_process(order: Mapping[str, Any], kernel: Callable[[], None]) -> int:
    """Be process 1: hide everything but the job, start the kernel; whatever it leaves behind ends with us."""
    system.call("prctl", system.PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    system.call("prctl", system.PR_SET_DUMPABLE, 0, 0, 0, 0)
    _close_in(order)
    started = os.fork()
    if started == 0:
        finally_exit(kernel)
    while True:
        process, status = os.wait()
        if process == started:
            return os.waitstatus_to_exitcode(status) % 256


def _close_in(order: Mapping[str, Any]) -> None:
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
    """List what the sandbox shows below these places, as where the project lies in `/tmp`, without what lies in it."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    points = [line.split()[4].encode().decode("unicode_escape") for line in lines]
    below = {point for point in points if _lies_below(point, places) and not Path(point).is_relative_to(but)}
    return sorted(point for point in below if not _lies_below(point, below))


def _lies_below(point: str, places: Iterable[str]) -> bool:
    return any(Path(place) in Path(point).parents for place in places)


def _show_again(place: Path, descriptor: int, modes: Mapping[Path, int]) -> None:
    """Mount what was covered where it was, as it was: a mount of a read-only mount is read-only."""
    for folder in reversed(place.parents):
        if not folder.exists():
            folder.mkdir()
            folder.chmod(modes.get(folder, 0o755))
    source = f"/proc/self/fd/{descriptor}"
    if not place.exists():
        (Path.mkdir if Path(source).is_dir() else Path.touch)(place)
    _mount(source, str(place), None, _MS_BIND | _MS_REC)
    os.close(descriptor)


def _empty(place: str, order: Mapping[str, Any]) -> None:
    Path(place).mkdir(parents=True, exist_ok=True)
    _mount("tmpfs", place, "tmpfs", _PLAIN, f"size={order['disk']},nr_inodes={_MOST_FILES},mode=1777")


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    texts = [text if text is None else text.encode() for text in (source, target, kind)]
    system.call("mount", *texts, ctypes.c_ulong(flags), options if options is None else options.encode())
