"""The audit log: who did what to whose grades, when, with which versions, from which files.

`build/audit.jsonl` holds one JSON object a line and only ever grows. Each line holds the hash of the line before it, so
that a line that was changed, moved or taken out later shows; write the last hash down elsewhere to notice a log that
was cut short. A line that a crash cut off stays as it is; the next one is chained to what is left of it. Of seeds the
log holds hashes only.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal, cast

from nbgrader.api import Gradebook, MissingEntry

from vitrina_autograder.course import Course
from vitrina_autograder.exercise import exam_seed
from vitrina_autograder.keeping import sole_writer, whoami
from vitrina_autograder.sandbox import package_folder
from vitrina_autograder.verdicts import Record, load_record

Event = Literal[
    "release", "grading began", "graded", "not graded", "grading ended", "by hand", "extension", "collected", "exported"
]
_PACKAGES = ("vitrina", "vitrina-autograder", "vitrina-solutions", "nbgrader", "numpy", "tensorflow", "keras")
_FIRST = "0" * 64
_TAIL = 1 << 16


@dataclass(frozen=True)
class Entry:
    """One line of the log.

    Attributes
    ----------
    number : int
        Counted from 1.
    data : dict
        What it says; empty where a crash cut the line off.
    trouble : str
        Why the line cannot be trusted; empty where it can.
    """

    number: int
    data: Mapping[str, Any]
    trouble: str = ""


def audit_path(course: Course) -> Path:
    """Where the log lies."""
    return course.build / "audit.jsonl"


def note_event(course: Course, event: Event, **details: Any) -> None:
    """Add a line to the log; it is on the disk when this returns.

    Parameters
    ----------
    course : Course
        The course.
    event : str
        What happened.
    **details
        Plain data: `assignment`, `student` and whatever else belongs to the event.
    """
    path = audit_path(course)
    with sole_writer(path), path.open("a+b") as file:
        last = _last_line(file)
        entry = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "who": whoami(),
            "event": event,
            **details,
            "previous": _hash(last.rstrip(b"\n")) if last else _FIRST,
        }
        line = json.dumps(entry, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        file.write(line if not last or last.endswith(b"\n") else b"\n" + line)
        file.flush()
        os.fsync(file.fileno())


def read_log(course: Course) -> Iterator[Entry]:
    """Read the log from its beginning and check the chain."""
    path = audit_path(course)
    if not path.exists():
        return
    expected = _FIRST
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            line = raw.rstrip(b"\n")
            yield _entry(number, line, expected)
            expected = _hash(line)


def last_hash(course: Course) -> str:
    """Give the hash of the last line, which stands for the whole log."""
    path = audit_path(course)
    if not path.exists():
        return _FIRST
    with path.open("rb") as file:
        return _hash(_last_line(file).rstrip(b"\n"))


def note_graded(course: Course, record: Record, files: Sequence[Path]) -> None:
    """Log the grading of one submission: the files it was made from, the seeds, the points."""
    note_event(
        course,
        "graded" if not record.quarantine else "not graded",
        assignment=record.assignment,
        student=record.student,
        state=record.state,
        reason=record.quarantine,
        points={key: verdict.points for key, verdict in record.verdicts.items()},
        submitted={path.name: hash_files([path]) for path in files if path.is_file()},
        release=hash_files(course.released_notebooks(record.assignment)),
        exercises=hash_files(sorted(course.assignment_folder(record.assignment).glob("*.py"))),
        reference=hash_files(sorted(package_folder("vitrina_solutions").glob("*.py"))),
        fingerprints=record.fingerprints,
        seeds={key: _hash(exam_seed(course.secret, record.student, key))[:16] for key in record.verdicts},
        sandbox=record.sandbox,
        seconds=record.seconds,
    )


def note_by_hand(course: Course, assignment: str) -> None:
    """Log points and comments that were given by hand since this was logged last, a line for each student."""
    logged = {
        entry.data["student"]: {"points": entry.data["points"], "comments": entry.data["comments"]}
        for entry in read_log(course)
        if entry.data.get("event") == "by hand" and entry.data.get("assignment") == assignment
    }
    for student, given in _given_by_hand(course, assignment).items():
        if given != logged.get(student, {"points": {}, "comments": {}}):
            note_event(course, "by hand", assignment=assignment, student=student, **given)


def _given_by_hand(course: Course, assignment: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Read points and comments given by hand, by student; of a comment its hash."""
    if not course.gradebook.exists():
        return {}
    with Gradebook(f"sqlite:///{course.gradebook}") as gradebook:
        try:
            submissions = gradebook.find_assignment(assignment).submissions
        except MissingEntry:
            return {}
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for submission in submissions:
            grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
            comments = [comment for notebook in submission.notebooks for comment in notebook.comments]
            found[submission.student.id] = {
                "points": {grade.name: grade.manual_score for grade in grades if grade.manual_score is not None},
                "comments": {
                    comment.name: _hash(comment.manual_comment.encode())[:16]
                    for comment in comments
                    if comment.manual_comment
                },
            }
        return found


def note_run(course: Course, assignment: str, students: Sequence[str]) -> None:
    """Log how a run over a class ended."""
    records = {student: load_record(course, assignment, student) for student in students}
    states = Counter(record.state for record in records.values() if record)
    lost = {student: record.quarantine for student, record in records.items() if record and record.quarantine}
    note_event(course, "grading ended", assignment=assignment, **{"states": dict(states), "quarantined": lost})


@lru_cache(maxsize=1)
def versions() -> Mapping[str, str]:
    """Give the versions of everything that a score depends on."""
    return {"python": platform.python_version(), **{name: _version(name) for name in _PACKAGES}}


def hash_files(paths: Sequence[Path]) -> str:
    """Hash files by name and content, shortened to 16 digits."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").digest()
        digest.update(os.fsencode(path.name) + b"\0" + content)
    return digest.hexdigest()[:16]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "-"


def _entry(number: int, line: bytes, expected: str) -> Entry:
    try:
        data = json.loads(line)
    except ValueError:
        return Entry(number, {}, "this line was cut off or overwritten")
    if not isinstance(data, dict):
        return Entry(number, {}, "this line is no entry")
    fields = cast(dict[str, Any], data)
    broken = fields.get("previous") != expected
    return Entry(number, fields, "what stands before this line was changed or taken out" if broken else "")


def _last_line(file: Any) -> bytes:
    """Read the last line, without reading the rest of a long log."""
    end = file.seek(0, os.SEEK_END)
    size = min(end, _TAIL)
    while True:
        file.seek(end - size)
        tail = cast(bytes, file.read(size))
        start = tail.rstrip(b"\n").rfind(b"\n") + 1
        if start or size == end:
            return tail[start:]
        size = min(end, 2 * size)


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
