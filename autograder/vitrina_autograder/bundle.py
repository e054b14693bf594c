"""What another machine needs to examine a submission, as bytes.

The bundle of an assignment holds its exercises and its release, and is the same for a whole class. The bundle of a task
holds one submission and the seeds of its exam. Neither holds the course's secret, nor anything of another student.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, cast

import nbformat
from nbformat import NotebookNode

from vitrina_autograder.course import Course
from vitrina_autograder.examination import Paper, Rules, seeds_for
from vitrina_autograder.job import Limits, plain_files
from vitrina_autograder.run import Patience

_SLIP = "task.json"
_FILES = "files"


@dataclass(frozen=True)
class Task:
    """One paper to examine.

    Attributes
    ----------
    paper : Paper
        Whose work.
    notebook : NotebookNode
        The work, from `restored`.
    fingerprint : str
        Of that work, from `fingerprint`.
    """

    paper: Paper
    notebook: NotebookNode
    fingerprint: str


@dataclass(frozen=True)
class VisitingPaper(Paper):
    """A paper on another machine: its submission lies in a folder of its own, its course is part of one."""

    folder: Path

    @property
    def submitted(self) -> Path:
        """The file as it was handed in; it did not come along, the files beside it did."""
        return self.folder / f"{self.notebook}.ipynb"


@dataclass(frozen=True)
class UnpackedTask:
    """What `pack_task` was given, as far as it is needed to examine it."""

    task: Task
    rules: Rules
    seeds: Mapping[str, bytes]


def pack_assignment(course: Course, assignment: str) -> bytes:
    """Pack the exercises of an assignment and its release; equal files give equal bytes."""
    folders = course.assignment_folder(assignment), course.release / assignment
    paths = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    kept = [path for path in paths if "__pycache__" not in path.parts]
    return _pack({str(path.relative_to(course.root)): path.read_bytes() for path in kept})


def pack_task(task: Task, rules: Rules) -> bytes:
    """Pack one submission with the seeds of its exam.

    Raises
    ------
    OSError
        When a file beside the notebook cannot be read.
    """
    paper, folder = task.paper, task.paper.submitted.parent
    slip = {
        "paper": [paper.assignment, paper.student, paper.notebook],
        "notebook": task.notebook,
        "fingerprint": task.fingerprint,
        "seeds": {exercise: seed.hex() for exercise, seed in seeds_for(paper, task.notebook).items()},
        "rules": asdict(rules),
    }
    files = {f"{_FILES}/{path.relative_to(folder)}": path.read_bytes() for path in plain_files(folder)}
    return _pack({_SLIP: json.dumps(slip).encode(), **files})


def unpack_task(data: bytes, folder: Path, course: Course) -> UnpackedTask:
    """Unpack one submission into an empty folder.

    Parameters
    ----------
    data : bytes
        From `pack_task`.
    folder : Path
        Where the submission is to lie.
    course : Course
        What `pack_assignment` packed, unpacked.
    """
    unpack(data, folder)
    files = folder / _FILES
    files.mkdir(exist_ok=True)
    slip: dict[str, Any] = json.loads((folder / _SLIP).read_bytes())
    notebook = cast(NotebookNode, nbformat.from_dict(slip["notebook"]))
    seeds = {exercise: bytes.fromhex(seed) for exercise, seed in slip["seeds"].items()}
    limits = Limits(**slip["rules"]["limits"] | {"absent": tuple(slip["rules"]["limits"]["absent"])})
    rules = Rules(limits, Patience(**slip["rules"]["patience"]))
    assignment, student, name = slip["paper"]
    paper = VisitingPaper(course, assignment, student, name, files)
    return UnpackedTask(Task(paper, notebook, slip["fingerprint"]), rules, seeds)


def _pack(files: Mapping[str, bytes]) -> bytes:
    """Pack files by name, without anything that differs from machine to machine or from day to day."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return target.getvalue()


def unpack(data: bytes, folder: Path) -> None:
    """Unpack a bundle into a folder."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            path = folder / member.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(cast(IO[bytes], archive.extractfile(member)).read())
