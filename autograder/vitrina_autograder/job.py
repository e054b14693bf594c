"""The folders and the limits of one submission's run, and the user it runs as."""

from __future__ import annotations

import atexit
import contextlib
import itertools
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from vitrina_autograder.cgroup import Group, Groups, control_groups, remove_groups
from vitrina_autograder.folders import is_aside

_PREFIX = "vitrina-"
_FIRST_UID = 200_000
_UIDS = 1 << 24
_UIDS_OF_A_PROCESS = 1 << 8
_numbers = itertools.count()
_MAX_FILE_BYTES = 100 << 20
_REMOVALS = 5
_PAUSE_SECONDS = 0.2
_GROUPS = "groups"
#: Processes of ours that stand guard over a kernel, in its group.
_GUARDS = 8


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    Attributes
    ----------
    cpu_seconds : int
        CPU time of the whole kernel.
    memory_bytes : int
        Address space of each process; TensorFlow maps 3 GB before it does anything.
    resident_bytes : int
        Memory really used, by all processes and files together, where there are control groups.
    file_bytes : int
        Size of any one file.
    disk_bytes : int
        All files of the working folder together, and again those of `/tmp`, of the home folder and of shared memory.
    processes : int
        Processes and threads, besides those that the kernel's user has already.
    absent : tuple of str
        Libraries that are not there, though they are installed.
    """

    cpu_seconds: int = 900
    memory_bytes: int = 12 << 30
    resident_bytes: int = 4 << 30
    file_bytes: int = 256 << 20
    disk_bytes: int = 512 << 20
    processes: int = 512
    absent: tuple[str, ...] = ()

    def rlimits(self) -> dict[str, int]:
        """Give the limits that hold for each process, by the names of `resource.RLIMIT_...`."""
        return {
            "CPU": self.cpu_seconds,
            "AS": self.memory_bytes,
            "FSIZE": self.file_bytes,
            "NPROC": self.processes + (0 if is_root() else _own_threads()),
            "CORE": 0,
        }


@dataclass(frozen=True)
class Job:
    """The folders of one submission's run, below a root that only the grader can write to.

    Attributes
    ----------
    root : Path
        A short path, as the names of sockets are limited.
    number : int
        Tells the jobs of one process apart.
    """

    root: Path
    number: int = 0

    @property
    def given(self) -> Path:
        """The files that a student's code gets; in the sandbox they cannot be changed, only copies in `work`."""
        return self.root / "given"

    @property
    def work(self) -> Path:
        """The student's working folder: in the sandbox a disk of its own, of limited size."""
        return self.root / "work"

    @property
    def home(self) -> Path:
        """The home folder, where the sandbox cannot lay an empty disk over everybody's."""
        return self.root / "home"

    @property
    def temporary(self) -> Path:
        """The folder for temporary files, where the sandbox cannot lay an empty disk over everybody's."""
        return self.root / "tmp"

    @property
    def writable(self) -> tuple[Path, ...]:
        """The folders that a student's code may write to, besides those of its sockets."""
        return (self.work, self.home, self.temporary)

    @property
    def examiner_address(self) -> Path:
        """Where the examiner listens."""
        return self.root / "exam" / "examiner"

    @property
    def owner(self) -> int:
        """The unprivileged user the kernel runs as, another one for every job; 0 where there is no root to give up."""
        if not is_root():
            return 0
        first, count = _free_uids()
        return first + (os.getpid() * _UIDS_OF_A_PROCESS + self.number) % count

    def new_wires(self) -> Path:
        """Make a folder for the sockets of one kernel: nothing that an earlier kernel left can be in the way."""
        folder = Path(tempfile.mkdtemp(prefix="k", dir=self.root))
        self.hand_over(folder)
        return folder

    def empty_writable(self) -> None:
        """Remove what an earlier kernel wrote, where the disk was not its own."""
        for folder in self.writable:
            remove_tree(folder)
            folder.mkdir()
        self.hand_over(*self.writable)

    def new_group(self, limits: Limits) -> Group | None:
        """Make a control group for one kernel, where there are control groups."""
        groups = _groups()
        if groups is None:
            return None
        name = f"{self.root.name}.{next(_numbers)}"
        return groups.new(name, limits.resident_bytes, limits.processes + _GUARDS)

    def order(self, limits: Limits) -> dict[str, Any]:
        """Say to `inside` where a student's code starts, as whom, and within what limits."""
        return {
            "given": str(self.given),
            "work": str(self.work),
            "owner": self.owner,
            "limits": limits.rlimits(),
            "disk": limits.disk_bytes,
            "jobs": str(jobs_folder()),
        }

    def hand_over(self, *paths: Path) -> None:
        """Give files and folders to the user the kernel runs as, before it runs."""
        if self.owner:
            for path in paths:
                os.chown(path, self.owner, self.owner, follow_symlinks=False)


@contextmanager
def make_job(*folders: Path) -> Generator[Job]:
    """Make the folders of one run, with the other files of a submission in them; nothing of them stays.

    Parameters
    ----------
    *folders : Path
        What `plain_files` finds in them is copied; a later folder wins.
    """
    job = Job(new_folder(), next(_numbers) % _UIDS_OF_A_PROCESS)
    try:
        for folder in (job.given, *job.writable, job.examiner_address.parent):
            folder.mkdir()
        for folder in folders:
            _copy_files(folder, job.given)
        job.hand_over(*job.writable, job.given, *job.given.rglob("*"))
        yield job
    finally:
        if groups := _groups():
            groups.remove(f"{job.root.name}.")
        remove_tree(job.root)


def remove_tree(folder: Path) -> None:
    """Remove a folder, however deep a student's code nested what is in it; links are not followed.

    Python's own `shutil.rmtree` recurses and gives up on a thousand folders in each other.
    """
    for _attempt in range(_REMOVALS):  # what was just killed may still be writing
        subprocess.run(["rm", "-rf", "--", str(folder)], stderr=subprocess.DEVNULL, check=False)
        if not folder.exists():
            return
        time.sleep(_PAUSE_SECONDS)


def new_folder() -> Path:
    """Make a folder among those of this process; others may pass through, but not look around."""
    folder = Path(tempfile.mkdtemp(dir=jobs_folder()))
    folder.chmod(0o711)
    return folder


def jobs_folder() -> Path:
    """Give the folder that holds everything of this process's, and tells by its name which process that is."""
    return _jobs_folder(os.getpid())


@lru_cache(maxsize=1)
def _jobs_folder(process: int) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{process}-"))
    folder.chmod(0o711)
    atexit.register(remove_tree, folder)
    return folder


def _groups() -> Groups | None:
    """Get our control groups, and note where they are for whoever sweeps up after us if we are killed."""
    groups = control_groups()
    note = jobs_folder() / _GROUPS
    if groups and not note.exists():
        note.write_text("\n".join(map(str, groups.folders)))
    return groups


def sweep_jobs() -> None:
    """Remove the folders and control groups of runs whose grader was killed before it could."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        process = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if process.isdigit() and not Path("/proc", process).exists() and folder.stat().st_uid == os.geteuid():
            note = folder / _GROUPS
            remove_groups([Path(line) for line in note.read_text().splitlines()] if note.is_file() else [])
            remove_tree(folder)
    if groups := _groups():
        groups.sweep()


def plain_files(folder: Path) -> Iterator[Path]:
    """Find the files of a submission that its code gets: no notebooks, links, devices, nothing huge or set aside."""
    for place, _folders, names in os.walk(folder, followlinks=False):
        for path in (Path(place) / name for name in names):
            plain = path.is_file() and not path.is_symlink() and path.stat().st_size <= _MAX_FILE_BYTES
            if plain and path.suffix != ".ipynb" and not is_aside(path.name):
                yield path


def _copy_files(source: Path, target: Path) -> None:
    for path in plain_files(source):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


@lru_cache(maxsize=1)
def _free_uids() -> tuple[int, int]:
    """First and number of the user ids to give to kernels; a container may map only few."""
    lines = Path("/proc/self/uid_map").read_text().splitlines()
    end = max(int(inside) + int(count) for inside, _outside, count in (line.split() for line in lines))
    return (_FIRST_UID, _UIDS) if end > _FIRST_UID + _UIDS else (end // 2, end // 4)


def _own_threads() -> int:
    """Count the threads of this user: a kernel that is no user of its own is counted together with them."""
    user = os.geteuid()
    count = 0
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it may be gone by now
            if process.stat().st_uid == user:
                count += len(list((process / "task").iterdir()))
    return count


def is_root() -> bool:
    """Whether the grader runs as root, and so can give every kernel a user of its own."""
    return os.geteuid() == 0
