"""How much a kernel has written to the grader's disk: all its files, or (with bubblewrap) those beside its sockets.

Counted are the files in its folders, and those that it has removed and still holds open or mapped. It can be more for
the moment between two looks, and never lasts.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import psutil

_BLOCK = 512
#: Of so many looks at the free space one is followed by counting.
_COUNTED = 8
#: What a file costs that holds nothing.
_INODE_BYTES = 4096
_MAPPED_AND_REMOVED = re.compile(rb"([0-9a-f]+)-([0-9a-f]+) \S+ \S+ ([0-9a-f]+):([0-9a-f]+) (\d+) .*\(deleted\)$")
_REMOVED = b"(deleted)"


class FreeSpace:
    """What is free on a disk: while it does not shrink nobody fills it, and nobody needs to count (milliseconds).

    Others may make room meanwhile, so that now and then it pays to count anyway.

    Parameters
    ----------
    folder : Path
        On that disk.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._most = _free_bytes(folder)
        self._looks = 0

    def may_have_shrunk(self, size: int) -> bool:
        """Say whether somebody may have written `size` bytes to the disk since the beginning."""
        free = _free_bytes(self._folder)
        self._most = max(self._most, free)
        self._looks += 1
        return self._looks % _COUNTED == 0 or self._most - free > size // 2


def used_bytes(folders: Sequence[Path], processes: Iterable[int]) -> int:
    """Count what lies in folders, and what processes still use of removed files on the same disk.

    Parameters
    ----------
    folders : sequence of Path
        Which nobody else writes to.
    processes : iterable of int
        Their ids.
    """
    lying = sum(map(_size, folders))
    disk = folders[0].stat().st_dev
    removed: dict[int, int] = {}
    for process in processes:
        for inode, size in (*_open_and_removed(process, disk), *_mapped_and_removed(process, disk)):
            removed[inode] = max(size, removed.get(inode, 0))
    return lying + sum(removed.values())


def processes_below(process: int) -> list[int]:
    """List a process and all below it."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return [process, *(each.pid for each in psutil.Process(process).children(recursive=True))]
    return []


def _free_bytes(folder: Path) -> int:
    disk = os.statvfs(folder)
    return disk.f_bfree * disk.f_frsize + disk.f_ffree * _INODE_BYTES


def _size(folder: Path) -> int:
    """Count the bytes below a folder without following links, however deep it is."""
    total = 0
    for _folder, _names, files, handle in os.fwalk(folder, onerror=None):
        total += _INODE_BYTES
        for name in files:
            with contextlib.suppress(OSError):
                status = os.stat(name, dir_fd=handle, follow_symlinks=False)
                total += status.st_blocks * _BLOCK + _INODE_BYTES
    return total


def _open_and_removed(process: int, disk: int) -> Iterator[tuple[int, int]]:
    with contextlib.suppress(OSError):
        for path in Path(f"/proc/{process}/fd").iterdir():
            with contextlib.suppress(OSError):
                status = path.stat()
                if status.st_dev == disk and not status.st_nlink and stat.S_ISREG(status.st_mode):
                    yield status.st_ino, status.st_blocks * _BLOCK


def _mapped_and_removed(process: int, disk: int) -> Iterator[tuple[int, int]]:
    with contextlib.suppress(OSError):
        content = Path(f"/proc/{process}/maps").read_bytes()  # thousands of lines, mostly without such a file
        for line in content.splitlines() if _REMOVED in content else ():
            if found := _MAPPED_AND_REMOVED.match(line):
                start, end, major, minor = (int(number, 16) for number in found.groups()[:4])
                if os.makedev(major, minor) == disk:
                    yield int(found[5]), end - start
