"""The verdicts of a submission on disk: one JSON file a student and assignment, written by trusted code only.

The gradebook holds the scores; this file holds why: every case, every remark about the submission, and how it was run.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from vitrina.judging import Outcome, Verdict
from vitrina_autograder.course import Course

_LONGEST_NAME = 240
_SHORTENED = 50

State = Literal["graded", "partly graded", "quarantined"]


@dataclass
class Record:
    """What is known of one graded submission.

    Attributes
    ----------
    verdicts : dict
        The verdicts by exercise id.
    remarks : list of str
        What was unusual: cells put back, a kernel that died, a file that could not be read.
    alarms : list of str
        What only somebody who tampers with the grading does; it changed no score.
    sandbox : str
        How the student's code was shut in.
    seconds : float
        Wall time of the execution.
    fingerprints : dict
        What the verdicts were made from, by notebook: unchanged work is not graded again.
    quarantine : str
        Why nothing of it could be graded: a file that is no notebook, say. Empty for everything else.
    recorded : bool
        Whether `vitrina grade` has seen the scores in the gradebook and the feedback written, and need not come back.
    """

    student: str
    assignment: str
    verdicts: dict[str, Verdict] = field(default_factory=dict[str, Verdict])
    remarks: list[str] = field(default_factory=list[str])
    alarms: list[str] = field(default_factory=list[str])
    sandbox: str = ""
    seconds: float = 0.0
    fingerprints: dict[str, str] = field(default_factory=dict[str, str])
    quarantine: str = ""
    recorded: bool = False

    @property
    def state(self) -> State:
        """How it ended: a verdict with a note is one that the examiner could not reach."""
        if self.quarantine:
            return "quarantined"
        return "partly graded" if any(verdict.note for verdict in self.verdicts.values()) else "graded"


def verdict_to_data(verdict: Verdict) -> dict[str, Any]:
    """Make plain data of a verdict; the arrays of public cases stay out."""
    outcomes = [{**asdict(outcome), "expected": None, "received": None} for outcome in verdict.outcomes]
    return {**vars(verdict), "outcomes": outcomes}


def verdict_from_data(data: Mapping[str, Any]) -> Verdict:
    """Make a verdict of what `verdict_to_data` gave."""
    fields = dict(data)
    outcomes = [Outcome(**outcome) for outcome in fields.pop("outcomes")]
    return Verdict(**fields, outcomes=outcomes)


def text_with_verdicts(data: Mapping[str, Any]) -> str:
    """Make JSON of fields of plain data, of which `verdicts` holds verdicts by exercise."""
    verdicts = {key: verdict_to_data(verdict) for key, verdict in data["verdicts"].items()}
    return json.dumps({**data, "verdicts": verdicts})


def write_with_verdicts(path: Path, data: Mapping[str, Any]) -> None:
    """Write what `text_with_verdicts` makes; a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(text_with_verdicts(data), encoding="utf-8")
    draft.replace(path)


def read_with_verdicts(path: Path) -> dict[str, Any]:
    """Read what `write_with_verdicts` wrote."""
    data = json.loads(path.read_text(encoding="utf-8"))
    return {**data, "verdicts": {key: verdict_from_data(item) for key, item in data["verdicts"].items()}}


def record_path(course: Course, assignment: str, student: str) -> Path:
    """Where the record of a submission lies."""
    name = os.fsencode(student)
    if len(name) > _LONGEST_NAME:  # names of files end at 255 bytes
        student = f"{student[:_SHORTENED]}-{hashlib.sha256(name).hexdigest()[:16]}"
    return course.verdicts / assignment / f"{student}.json"


def save_record(course: Course, record: Record) -> None:
    """Write a record; a reader never sees half of it."""
    write_with_verdicts(record_path(course, record.assignment, record.student), vars(record))


def load_record(course: Course, assignment: str, student: str) -> Record | None:
    """Read a record, or `None` where the submission was never graded."""
    path = record_path(course, assignment, student)
    return Record(**read_with_verdicts(path)) if path.exists() else None
