"""Control groups: what a kernel with all it starts may use of memory and processes, counted together by the system.

An address space says little about memory (TensorFlow maps gigabytes that it never touches), so this is the limit that
counts, where the system lets us have it: with version 2 as root or in a part of the tree that was delegated to us
(`systemd-run --user --scope`), with version 1 as root. Every kernel has a group of its own below one of the grader's,
which lies below the group that the grader was started in: its limits hold as well.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_PREFIX = "vitrina-"
_CONTROLLERS = ("memory", "pids")
_finding = threading.Lock()
_REMOVAL_SECONDS = 5.0
_PAUSE_SECONDS = 0.01
#: Files of a group by version: the limit of memory, that of memory and swap, and where killed processes are counted.
_MEMORY = {1: "memory.limit_in_bytes", 2: "memory.max"}
_SWAP = {1: "memory.memsw.limit_in_bytes", 2: "memory.swap.max"}
_KILLS = {1: "memory.oom_control", 2: "memory.events"}


@dataclass(frozen=True)
class Group:
    """The group of one kernel: one folder with version 2, one for each controller with version 1.

    Attributes
    ----------
    version : int
        Of control groups: 1 or 2.
    folders : tuple of Path
        The folder of the memory controller comes first.
    """

    version: int
    folders: tuple[Path, ...]

    def limit(self, memory_bytes: int, processes: int) -> None:
        """Set the limits of everything in the group together; there is no swap beyond them."""
        memory = self.folders[0]
        (memory / _MEMORY[self.version]).write_text(str(memory_bytes))
        with contextlib.suppress(OSError):  # a system that counts no swap
            (memory / _SWAP[self.version]).write_text(str(memory_bytes if self.version == 1 else 0))
        if self.version == 2:
            with contextlib.suppress(OSError):  # before Linux 4.19 only the largest process is killed
                (memory / "memory.oom.group").write_text("1")
        with contextlib.suppress(OSError):  # no controller of processes: each user's are still limited
            (self.folders[-1] / "pids.max").write_text(str(processes))

    def add(self, process: int) -> None:
        """Put a process into the group; what it starts from now on is in it too."""
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(process))

    def entering(self, command: Sequence[str]) -> list[str]:
        """Give a command that puts itself into the group before it becomes the given one."""
        enter = [f"echo 0 > {shlex.quote(str(folder / 'cgroup.procs'))}" for folder in self.folders]
        return ["/bin/sh", "-c", " && ".join([*enter, 'exec "$@"']), "sh", *command]

    @property
    def processes(self) -> list[int]:
        """The processes in the group, as far as they can be seen from here."""
        return _processes(self.folders[0])

    @property
    def memory_kills(self) -> int:
        """How many processes the system killed because the group used more memory than it may."""
        with contextlib.suppress(OSError):
            for line in (self.folders[0] / _KILLS[self.version]).read_text().splitlines():
                name, _space, count = line.partition(" ")
                if name == "oom_kill":
                    return int(count)
        return 0

    def remove(self) -> None:
        """Kill whatever is left in the group, and remove it."""
        for folder in self.folders:
            _remove(folder)


@dataclass(frozen=True)
class Groups:
    """Where this grader makes groups.

    Attributes
    ----------
    version : int
        Of control groups: 1 or 2.
    folders : tuple of Path
        The grader's own groups, which hold no process themselves.
    """

    version: int
    folders: tuple[Path, ...]

    def new(self, name: str, memory_bytes: int, processes: int) -> Group:
        """Make a group with its limits."""
        group = Group(self.version, tuple(folder / name for folder in self.folders))
        for folder in group.folders:
            folder.mkdir()
        group.limit(memory_bytes, processes)
        return group

    def remove(self, name: str = "") -> None:
        """Remove the groups whose names start so; without a name all of them, and the grader's own."""
        for folder in self.folders:
            for path in [path for path in _subgroups(folder) if path.name.startswith(name)] if name else [folder]:
                _remove(path)

    def sweep(self) -> None:
        """Remove the groups beside ours in which no process is, and whose graders are gone."""
        for path in (path for folder in self.folders for path in folder.parent.glob(f"{_PREFIX}*")):
            if not Path("/proc", path.name.removeprefix(_PREFIX)).exists():
                for each in (*_subgroups(path), path):
                    with contextlib.suppress(OSError):
                        each.rmdir()


def control_groups() -> Groups | None:
    """Get the grader's groups; `None` where the system lets us have none."""
    with _finding:
        return _control_groups(os.getpid())


@lru_cache(maxsize=1)
def _control_groups(process: int) -> Groups | None:
    groups = find_groups(f"{_PREFIX}{process}")
    if groups is None:
        return None
    atexit.register(lambda: groups.remove() if os.getpid() == process else None)
    return groups if _works(groups) else None


def _works(groups: Groups) -> bool:
    try:
        trial = groups.new("trial", 1 << 30, 64)
        done = subprocess.run(trial.entering(["true"]), capture_output=True, check=False)
        trial.remove()
    except OSError:
        return False
    return done.returncode == 0


def find_groups(
    name: str, own: Path = Path("/proc/self/cgroup"), mounts: Path = Path("/proc/self/mountinfo")
) -> Groups | None:
    """Make groups of this name where the system lets us.

    Parameters
    ----------
    name : str
        Of the new groups.
    own : Path
        Tells which groups this process is in.
    mounts : Path
        Tells where control groups are mounted.
    """
    trees = _trees(own, mounts)
    for parent in _delegated(trees[""]) if "" in trees else ():
        with contextlib.suppress(OSError):
            return Groups(2, (_new_parent(parent / name, _CONTROLLERS),))
    parents = dict.fromkeys(trees[each] for each in _CONTROLLERS if each in trees)  # both may be one
    if "memory" in trees and all(os.access(parent, os.W_OK) for parent in parents):
        with contextlib.suppress(OSError):
            return Groups(1, tuple(_new_parent(parent / name) for parent in parents))
    return None


def remove_groups(folders: Sequence[Path]) -> None:
    """Remove groups that a killed grader left; any other folder is left alone."""
    for folder in folders:
        if folder.name.startswith(_PREFIX) and (folder / "cgroup.procs").is_file():
            _remove(folder)


def _trees(own: Path, mounts: Path) -> dict[str, Path]:
    """Find this process's group in each hierarchy, by controller; that of version 2 has an empty name."""
    found: dict[str, Path] = {}
    mounted = _mounts(mounts) if own.exists() and mounts.exists() else {}
    for line in own.read_text().splitlines() if mounted else ():
        _number, names, path = line.split(":", 2)
        for name in set(names.split(",")).intersection(mounted):
            place, root = mounted[name]
            found[name] = place / Path(path).relative_to(root) if Path(path).is_relative_to(root) else place
    return found


def _mounts(mounts: Path) -> dict[str, tuple[Path, str]]:
    """Find where each controller is mounted, and which group is seen there."""
    found: dict[str, tuple[Path, str]] = {}
    for line in mounts.read_text().splitlines():
        fields, _dash, rest = line.partition(" - ")
        kind, _source, options = rest.split(" ", 2)
        root, place = fields.split()[3:5]
        names = {"cgroup": options.split(","), "cgroup2": [""]}.get(kind, [])
        found.update(dict.fromkeys(names, (Path(place), root)))
    return found


def _delegated(own: Path) -> Iterator[Path]:
    """Find the groups, from our own upwards, whose subgroups have limits of memory, and that we may put processes into.

    A group that holds processes can have no such subgroups (but the root of all), so that our own will mostly not do.
    """
    for folder in (own, *own.parents):
        control = folder / "cgroup.subtree_control"
        if not control.exists():
            return
        if os.access(folder, os.W_OK) and os.access(folder / "cgroup.procs", os.W_OK):
            with contextlib.suppress(OSError):
                if not _is_on("memory", control):
                    control.write_text("+memory")
                yield folder


def _is_on(controller: str, control: Path) -> bool:
    return controller in control.read_text().replace("+", " ").split()


def _new_parent(folder: Path, controllers: Sequence[str] = ()) -> Path:
    """Make a group that is only there for its subgroups."""
    folder.mkdir(exist_ok=True)
    for controller in controllers:
        try:
            (folder / "cgroup.subtree_control").write_text(f"+{controller}")
        except OSError:
            if controller == "memory":
                _remove(folder)
                raise
    return folder


def _remove(folder: Path) -> None:
    end = time.monotonic() + _REMOVAL_SECONDS
    while folder.exists() and time.monotonic() < end:
        _kill(folder)
        with contextlib.suppress(OSError):  # what was killed takes a moment to end
            for inner in _subgroups(folder):  # made by whoever was in it, if he could
                _remove(inner)
            folder.rmdir()
            return
        time.sleep(_PAUSE_SECONDS)


def _subgroups(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []


def _kill(folder: Path) -> None:
    with contextlib.suppress(OSError):
        (folder / "cgroup.kill").write_text("1")  # all at once, where the system can
    for process in _processes(folder):
        with contextlib.suppress(OSError):
            os.kill(process, signal.SIGKILL)


def _processes(folder: Path) -> list[int]:
    with contextlib.suppress(OSError):
        found = map(int, (folder / "cgroup.procs").read_text().split())
        return [process for process in found if process]  # 0 is one that cannot be seen from here
    return []
