"""What a grading depends on besides the course and the submission: Python, the packages, and our own source.

Two machines with the same environment give the same scores, remarks and words; `differences` says why they might not.
"""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

from vitrina_autograder.sandbox import package_folder

#: What a submission may import, and what grades it; what these require counts as well.
_ROOTS = ("vitrina[course]", "vitrina-solutions", "vitrina-autograder")
_SOURCES = ("vitrina", "vitrina_datasets", "vitrina_solutions", "vitrina_autograder")
_MISSING = "missing"
_DIGITS = 12


def environment() -> dict[str, str]:
    """Describe this machine's environment: versions by name, digests of our own packages' files.

    Raises
    ------
    CourseError
        When one of our own packages is not installed.
    """
    system = {"Python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}"}
    sources = {f"source of {name}": _digest(package_folder(name)) for name in _SOURCES}
    return {**system, **dict(sorted(_packages())), **sources}


def differences(ours: Mapping[str, str], theirs: Mapping[str, str]) -> list[str]:
    """Say in a phrase each what another environment has otherwise."""
    names = dict.fromkeys([*ours, *theirs])
    pairs = ((name, ours.get(name, _MISSING), theirs.get(name, _MISSING)) for name in names)
    return [f"{name} is {other}, here {own}" for name, own, other in pairs if own != other]


def _packages() -> Iterator[tuple[str, str]]:
    """Find every package that ours require, directly or not, with its version."""
    waiting, seen = [Requirement(root) for root in _ROOTS], set[str]()
    while waiting:
        wanted = waiting.pop()
        mark = str(wanted)
        if mark not in seen:
            seen.add(mark)
            version, needed = _installed(wanted)
            waiting += needed
            yield wanted.name.lower().replace("_", "-"), version


def _installed(wanted: Requirement) -> tuple[str, list[Requirement]]:
    try:
        found = distribution(wanted.name)
    except PackageNotFoundError:
        return _MISSING, []
    requirements = [Requirement(text) for text in found.requires or []]
    return found.version, [needed for needed in requirements if _applies(needed, wanted.extras)]


def _applies(requirement: Requirement, extras: Iterable[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))


def _digest(package: Path) -> str:
    """Digest names and contents of a package's files."""
    digest = hashlib.sha256()
    for path in sorted(path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        digest.update(os.fsencode(path.relative_to(package)) + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:_DIGITS]
