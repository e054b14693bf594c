"""From a learning platform's download to `build/submitted/STUDENT/ASSIGNMENT/`, under names or under pseudonyms."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from vitrina.messages import _
from vitrina_autograder.archive import Room, free_name, unpack
from vitrina_autograder.course import Course, CourseError
from vitrina_autograder.deadlines import read_deadlines
from vitrina_autograder.downloads import Handed, find_students
from vitrina_autograder.folders import TIMESTAMP
from vitrina_autograder.identities import (
    Identity,
    gives_away,
    keep_identities,
    pseudonyms,
    read_identities,
    student_id,
)
from vitrina_autograder.lateness import write_received

#: Gives the time at which a submission came in, of what was handed in; `None` where nobody knows.
Clock = Callable[[Handed], datetime | None]


@dataclass
class Collected:
    """What became of a download, by the names of the folders in `build/submitted`.

    Attributes
    ----------
    new, replaced, unchanged : list of str
        Students whose work is new, stands in place of earlier work (which was kept), or is the same as before.
    marked_late : list of str
        Students whom the platform marked late.
    untimed : list of str
        Students of whom nobody knows when the work came in.
    left_out : list of str
        What was not collected, and why, a sentence each.
    """

    new: list[str] = field(default_factory=list[str])
    replaced: list[str] = field(default_factory=list[str])
    unchanged: list[str] = field(default_factory=list[str])
    marked_late: list[str] = field(default_factory=list[str])
    untimed: list[str] = field(default_factory=list[str])
    left_out: list[str] = field(default_factory=list[str])


def collect(
    course: Course, assignment: str, source: Path, *, anonymous: bool = False, clock: Clock = lambda _handed: None
) -> Collected:
    """Put what students handed in where it is graded.

    Earlier work of a student is moved to `build/collected_before/`, never lost. A student's own `timestamp.txt` is
    not taken: it would be the student's word for when the work came in.

    Parameters
    ----------
    course : Course
        The course.
    assignment : str
        nbgrader's name of the assignment.
    source : Path
        A zip or a folder, as Moodle or Canvas give it for download; or a folder of `STUDENT.ipynb` or `STUDENT/...`.
    anonymous : bool
        Whether the folders get pseudonyms.
    clock : callable
        Says when each submission came in.

    Raises
    ------
    CourseError
        If there is nothing to collect, or this assignment was collected the other way, with or without names.
    """
    zone = read_deadlines(course).zone
    course.build.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=course.build, prefix=".collect-") as scratch:
        collection = _Collection(course, assignment, anonymous, zone, clock)
        return collection.run(source, Path(scratch))


@dataclass(frozen=True)
class _Collection:
    """One run of `collect`."""

    course: Course
    assignment: str
    anonymous: bool
    zone: ZoneInfo
    clock: Clock
    result: Collected = field(default_factory=Collected)

    def run(self, source: Path, scratch: Path) -> Collected:
        students, nobodys = find_students(self._opened(source, scratch / "download"))
        self.result.left_out += [_("{name}: nobody knows whose it is").format(name=name) for name in nobodys]
        identified = self._identified(students)
        if not identified:
            raise CourseError(
                f"{source} holds nothing to collect: it should be Moodle's or Canvas' download, or a folder of "
                "STUDENT.ipynb or STUDENT/NOTEBOOK.ipynb. " + " ".join(self.result.left_out)
            )
        names = self._folder_names([identity.id for identity, _handed in identified])
        known = read_identities(self.course)
        keep_identities(self.course, {names[identity.id]: identity for identity, _handed in identified})
        contents: dict[str, Identity] = {}
        for number, (identity, handed) in enumerate(identified):
            stage = scratch / f"student-{number}"
            self._stage(identity, handed, stage)
            name, content = names[identity.id], _content(stage)
            before = known.get(name)
            self._place(name, stage, same=before is not None and before.contents.get(self.assignment) == content)
            self._note_time(name, handed)
            contents[name] = replace(identity, contents={self.assignment: content})
        keep_identities(self.course, contents)
        return self.result

    def _opened(self, source: Path, scratch: Path) -> Path:
        if source.is_dir():
            return source
        if not source.is_file():
            raise CourseError(f"there is no {source}")
        scratch.mkdir()
        self.result.left_out += unpack(source, scratch, self.zone, Room())
        return scratch

    def _identified(self, students: Sequence[Handed]) -> list[tuple[Identity, Handed]]:
        """Give everybody an id; of two students with the same one neither is collected: one would hide the other."""
        count = Counter(_own_id(handed) for handed in students)
        identified: list[tuple[Identity, Handed]] = []
        for handed in students:
            own = _own_id(handed)
            if count[own] > 1:
                text = _("{name} ({number}): several students would be {id}: rename their folders and collect again")
                self.result.left_out.append(text.format(name=handed.name, number=handed.number or "-", id=own))
                continue
            folders = {self.assignment: handed.folder} if handed.folder else {}
            identified.append((Identity(own, handed.name, "", handed.number, folders), handed))
        return identified

    def _folder_names(self, students: Sequence[str]) -> dict[str, str]:
        """Name each student's folder, and refuse to have one student twice, with and without a name."""
        own = {student: student for student in students}
        hidden = pseudonyms(self.course, students)
        other = own if self.anonymous else hidden
        there = [name for name in other.values() if (self.course.submitted / name / self.assignment).is_dir()]
        if there and self.anonymous:
            raise CourseError(
                f"{self.assignment} was collected under the students' names before ({', '.join(there[:3])}): move "
                f"those folders out of {self.course.submitted}, or collect without --anonymous"
            )
        if there:
            raise CourseError(f"{self.assignment} was collected anonymously before: collect it with --anonymous again")
        return hidden if self.anonymous else own

    def _stage(self, identity: Identity, handed: Handed, stage: Path) -> None:
        """Copy a student's files into a folder of their own, and unpack a zip that the student packed."""
        stage.mkdir()
        for name, path in handed.files.items():
            if name.partition("/")[0] == TIMESTAMP:
                self.result.left_out.append(
                    _("{student}: a timestamp.txt of the student's own").format(student=identity.id)
                )
                continue
            target = stage / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        if not list(stage.glob("*.ipynb")):
            self._open_packed(identity, stage)
        if self.anonymous:
            self._hide_names(identity, stage)

    def _open_packed(self, identity: Identity, stage: Path) -> None:
        """Unpack zips that hold the notebooks, and bring notebooks to the top, where they are looked for."""
        for path in sorted(path for path in stage.rglob("*.zip") if path.is_file()):
            inner = free_name(stage / f"{path.stem}-unpacked")
            inner.mkdir()
            try:
                problems = unpack(path, inner, self.zone, Room(5000, 1 << 30))
            except CourseError as error:
                problems = [str(error)]
            self.result.left_out += [f"{identity.id}: {problem}" for problem in problems]
        for path in sorted(stage.rglob("*.ipynb")):
            if path.is_file() and not (stage / path.name).exists():
                path.rename(stage / path.name)
        for path in sorted(stage.rglob(TIMESTAMP)):
            if path.is_file():
                path.unlink()

    def _hide_names(self, identity: Identity, stage: Path) -> None:
        """Rename files whose names tell whose they are; a single notebook gets the name it was released under."""
        notebooks = sorted(stage.glob("*.ipynb"))
        released = [path.name for path in self.course.released_notebooks(self.assignment)]
        if len(notebooks) == 1 and len(released) == 1:
            notebooks[0].rename(stage / released[0])
        for number, path in enumerate(sorted(stage.rglob("*"), reverse=True), start=1):
            if gives_away(identity, path.name):
                path.rename(path.with_name(f"file-{number}{path.suffix}"))

    def _place(self, name: str, stage: Path, *, same: bool) -> None:
        folder = self.course.submitted / name / self.assignment
        if same and folder.is_dir():
            self.result.unchanged.append(name)
            return
        if folder.exists():
            self._keep_earlier(name, folder)
            self.result.replaced.append(name)
        else:
            self.result.new.append(name)
        folder.parent.mkdir(parents=True, exist_ok=True)
        stage.rename(folder)

    def _keep_earlier(self, name: str, folder: Path) -> None:
        stamp = f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%S-%f}"
        target = self.course.build / "collected_before" / name / self.assignment / stamp
        target.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(target)

    def _note_time(self, name: str, handed: Handed) -> None:
        folder = self.course.submitted / name / self.assignment
        moment = self.clock(handed)
        if moment is not None:
            write_received(folder, moment)
        elif not (folder / TIMESTAMP).exists():
            self.result.untimed.append(name)
        if handed.late:
            self.result.marked_late.append(name)


def _own_id(handed: Handed) -> str:
    """Give a student's own id; only Canvas' number stays the same all through a course."""
    if not handed.number:
        return handed.name
    return student_id(handed.name if handed.folder else f"{handed.name}-{handed.number}")


def _content(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            digest.update(str(path.relative_to(folder)).encode("utf-8", "surrogateescape") + b"\0")
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def newest_file(handed: Handed) -> datetime | None:
    """Tell the time that the download holds of a student's newest file; a `Clock` for who knows that it is right."""
    times = [path.stat().st_mtime for path in handed.files.values()]
    return datetime.fromtimestamp(max(times), UTC) if times else None
