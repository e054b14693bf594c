"""The sandbox where bubblewrap cannot be had: Landlock and seccomp, which need neither root nor namespaces.

What holds as in bubblewrap: no network, no file but those that a kernel is shown, nothing to write but the job's own
folders, limits, an end that nothing survives, no word to any process but the examiner. What is weaker: `WEAKER`.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from vitrina.protocol import EXAMINER_VARIABLE
from vitrina_autograder.inside import landlock, seccomp
from vitrina_autograder.job import Job, Limits, is_root, jobs_folder
from vitrina_autograder.shown import (
    HIDDEN,
    KIT,
    ROOT_LINKS,
    SYSTEM,
    WITHHELD,
    WITHHELD_PARTS,
    absent_paths,
    environment_folders,
    font_lists,
    package_folder,
    shared_variables,
)
from vitrina_autograder.starting import INSIDE, start_command
from vitrina_datasets import cache_folder

WEAKER = (
    "it can find out which files there are and how large they are (not read them), the disk space of a job is watched "
    "once a second instead of being a disk of its own, and nothing can be shared in /tmp and /dev/shm"
)

_FILES_OF_PROC = (
    "self", "cpuinfo", "meminfo", "stat", "uptime", "loadavg", "version", "filesystems", "sys/kernel/osrelease",
    "sys/kernel/random", "sys/kernel/cap_last_cap", "sys/kernel/pid_max", "sys/vm/overcommit_memory",
    "sys/vm/max_map_count",
)  # fmt: skip
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_KIT_FOLDER = "kit"
_FONT_FOLDER = "matplotlib"
_CLEAN = ("/usr/bin/env", "-i")


def missing() -> str:
    """Say what this machine lacks for it; nothing where it lacks nothing."""
    version = landlock.version()
    if not version:
        return "this system has no Landlock (Linux 5.13 or newer, and not switched off)"
    if not is_root() and version < landlock.SAFE_FOR_OWNERS:
        return "Landlock is too old for a grader that is not root: Linux 6.2 or newer is needed"
    return "" if seccomp.supported() else "the system calls of this kind of processor are not known"


def cold_command(command: Sequence[str], job: Job, limits: Limits, wires: Path | None) -> list[str]:
    """Wrap a command; for the parameters see `sandbox.sandboxed`."""
    return [*_CLEAN, *_set(variables(job, limits)), *start_command("cold", order(job, limits, wires)), *command]


def warm_command(order: Mapping[str, Any], absent: Sequence[str]) -> list[str]:
    """Give the command of a warm parent; it stays outside and runs nothing of a student's, what it forks is shut in."""
    home = {"HOME": str(jobs_folder()), "PYTHONPATH": str(_kit(absent))}
    return [*_CLEAN, *_set({**shared_variables(), **home}), *start_command("warm", order)]


def order(job: Job, limits: Limits, wires: Path | None) -> dict[str, Any]:
    """Say to `inside` where and how a student's code starts."""
    return {
        **job.order(limits),
        "apart": False,
        "may_search": is_root() and not _open_to_all(),
        "rules": list(_rules(job, limits, wires)),
        "examiner": str(job.examiner_address),
    }


def variables(job: Job, limits: Limits) -> dict[str, str]:
    """Make the environment of a kernel, whose folders are empty but for matplotlib's list of fonts."""
    job.empty_writable()
    fonts = job.home / _FONT_FOLDER
    fonts.mkdir()
    job.hand_over(fonts, *(Path(shutil.copy(path, fonts)) for path in font_lists()))
    return {
        **shared_variables(),
        "HOME": str(job.home),
        "TMPDIR": str(job.temporary),
        "MPLCONFIGDIR": str(fonts),
        "PYTHONPATH": str(_kit(limits.absent)),
        EXAMINER_VARIABLE: str(job.examiner_address),
    }


def _set(values: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in values.items()]


def _rules(job: Job, limits: Limits, wires: Path | None) -> Iterator[landlock.Rule]:
    ours = [package_folder(name) for name in (*HIDDEN, *KIT)]
    withheld = [path.resolve() for path in (*ours, *absent_paths(limits.absent).values())]
    seen = set[Path]()
    for path in _readable():
        yield from _without(withheld, path, seen)
    for path in (_kit(limits.absent), cache_folder(), job.given, *(Path("/proc", name) for name in _FILES_OF_PROC)):
        yield str(path), "read"
    for path in _DEVICES:
        yield path, "devices"
    for path in job.writable:
        yield str(path), "write"
    if wires:
        yield str(wires), "sockets"


def _readable() -> list[Path]:
    return list(map(Path, (*SYSTEM, *ROOT_LINKS, *environment_folders())))


def _without(withheld: Sequence[Path], path: Path, seen: set[Path]) -> Iterator[landlock.Rule]:
    """Allow all below a path but our own packages and absent libraries; that they are there can be seen.

    Links are followed first: a rule holds for what they lead to, and `lib64` leads to `lib`.
    """
    path = path.resolve()
    if path in seen or path in withheld:
        return
    seen.add(path)
    if not any(folder.is_relative_to(path) for folder in withheld):
        yield str(path), "read"
        return
    yield str(path), "list"
    for inner in path.iterdir():
        yield from _without(withheld, inner, seen)


def _kit(absent: Sequence[str]) -> Path:
    return _copy_of_kit(os.getpid(), tuple(absent))


@lru_cache(maxsize=4)
def _copy_of_kit(_process: int, absent: tuple[str, ...]) -> Path:
    """Copy the student kit, with a clear word in place of the methods that students write, and of absent libraries."""
    folder = Path(tempfile.mkdtemp(prefix=_KIT_FOLDER, dir=jobs_folder()))
    for name in KIT:
        shutil.copytree(package_folder(name), folder / name, ignore=shutil.ignore_patterns(*WITHHELD_PARTS))
        for part in WITHHELD_PARTS:
            if (package_folder(name) / part).is_dir():
                shutil.copytree(WITHHELD, folder / name / part)
    for name in absent_paths(absent):
        shutil.copytree(WITHHELD, folder / name)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


@lru_cache(maxsize=1)
def _open_to_all() -> bool:
    """Whether a user without any rights could come to all that a kernel has to read."""
    shown = (*map(Path, environment_folders()), cache_folder(), INSIDE)
    ways = {folder for path in shown for folder in (path, *path.parents, *path.resolve().parents)}
    return all(stat.S_IMODE(folder.stat().st_mode) & 0o005 == 0o005 for folder in ways if folder.exists())
