"""Grading a class: examine many submissions at once, record them one after the other, write feedback.

Only nbgrader touches the gradebook. A submission always ends as graded, or with a remark that says why not; it never
stops the others.
"""

from __future__ import annotations

import contextlib
import logging
import re
import signal
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from nbgrader.api import Gradebook, MissingEntry

from vitrina.messages import _
from vitrina.values import plain_text
from vitrina_autograder.client import StoppedError
from vitrina_autograder.cluster import examine_on_cluster
from vitrina_autograder.course import Course, CourseError
from vitrina_autograder.examination import Paper, Rules, examine, fingerprint, has_result, keep_result, restored
from vitrina_autograder.examiner import ExaminerError, examiner_for
from vitrina_autograder.folders import no_notebook
from vitrina_autograder.intake import UnreadableError
from vitrina_autograder.job import jobs_folder, remove_tree, sweep_jobs
from vitrina_autograder.preload import absent_libraries, modules_of
from vitrina_autograder.preprocessors import Examination, adopt_notebooks
from vitrina_autograder.release import load_config, nbgrader_api
from vitrina_autograder.sandbox import sandbox_name
from vitrina_autograder.verdicts import Record, load_record, save_record
from vitrina_autograder.warm import warm_parent

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

#: What nbgrader takes for a pattern, or cannot match.
_UNUSABLE = re.compile(r"[*?\[\]\r\n\ud800-\udfff]")

#: The line of a stack trace that says what was wrong.
_ERROR_LINE = re.compile(r"^ *([\w.]*(?:Error|Exception)\b.*)", re.MULTILINE)
_REASON_LENGTH = 300

#: Called with a student and what was just done: "examined", "recorded" or "skipped".
Progress = Callable[[str, str], None]


@dataclass(frozen=True)
class Grading:
    """One run over a class.

    Attributes
    ----------
    course : Course
        The course.
    assignment : str
        nbgrader's name of the assignment.
    jobs : int
        How many submissions are examined at once.
    force : bool
        Whether to grade again what has not changed.
    progress : callable
        Told of every step.
    cluster : str
        Address of a Dask scheduler whose workers examine; without, this machine does.
    """

    course: Course
    assignment: str
    jobs: int = 2
    force: bool = False
    progress: Progress = lambda _student, _step: None
    cluster: str = ""

    def run(self, students: Sequence[str]) -> None:
        """Grade the given students.

        Raises
        ------
        CourseError
            When nothing was released, there is no sandbox, or the cluster is of no use.
        """
        if not self.course.released_notebooks(self.assignment):
            raise CourseError(f"{self.assignment} is not released: run `vitrina release {self.assignment}` first")
        jobs_folder()  # before there are threads that need it
        if not self.cluster:  # each spends seconds on importing TensorFlow: side by side, and beside all else
            _in_background(examiner_for, self.course.assignment_folder(self.assignment))
        sandbox_name()
        sweep_jobs()
        if not self.cluster:
            release = self.course.released_notebooks(self.assignment)[0]
            absent = absent_libraries(self.course.assignment_folder(self.assignment))
            _in_background(warm_parent, modules_of(release), absent)
        recorded = _recorded_students(self.course, self.assignment)
        papers = [paper for student in students for paper in self._due_papers(student, student in recorded)]
        left = Counter(paper.student for paper in papers)
        quarantined = set[str]()
        with contextlib.closing(self._examined(papers)) as examined:
            for paper, reason in examined:
                left[paper.student] -= 1
                if reason:
                    quarantined.add(paper.student)
                    self._note(paper.student, reason)
                elif not left[paper.student] and paper.student not in quarantined:
                    self._finish(paper.student)

    def _finish(self, student: str) -> None:
        self.progress(student, "examined")
        with _uninterrupted():
            self._record(student)
        self.progress(student, "recorded")

    def _papers(self, student: str) -> list[Paper]:
        released = self.course.released_notebooks(self.assignment)
        return [Paper(self.course, self.assignment, student, path.stem) for path in released]

    def _due_papers(self, student: str, recorded: bool) -> list[Paper]:
        """List what of a student's work is to be examined: nothing where nothing has changed."""
        try:
            due = self._has_changed(student, recorded)
        except UnreadableError as error:
            self._note(student, _("nothing of it was read: {reason}").format(reason=error))
            due = False
        except Exception:  # recording will meet the same, and remark it
            _log.exception("%s: cannot be looked through", student)
            due = True
        return [paper for paper in self._papers(student) if paper.submitted.exists()] if due else []

    def _has_changed(self, student: str, recorded: bool) -> bool:
        if _UNUSABLE.search(student):
            self._note(student, _("nbgrader cannot work with a name like this: rename the folder and grade again"))
            return False
        folder = self.course.submitted / student / self.assignment
        adopt_notebooks(self.course, self.assignment, folder)
        if not any(paper.submitted.exists() for paper in self._papers(student)):
            self._note(student, no_notebook(folder))
            return False
        record = load_record(self.course, self.assignment, student)
        if self.force or not recorded or record is None or not record.recorded:
            return True
        if record.fingerprints != self._fingerprints(student):
            return True
        self.progress(student, "skipped")
        return False

    def _fingerprints(self, student: str) -> dict[str, str]:
        return {paper.notebook: fingerprint(paper, restored(paper)) for paper in self._papers(student)}

    def _note(self, student: str, remark: str) -> None:
        """Remark why a submission is not graded at all."""
        save_record(self.course, Record(student, self.assignment, remarks=[remark], quarantine=remark))
        self.progress(student, "skipped")

    def _examined(self, papers: Sequence[Paper]) -> Generator[tuple[Paper, str]]:
        """Give each paper once its result waits for nbgrader, with the reason if it has to be quarantined."""
        rules = Examination(config=load_config(self.course)).rules
        if self.cluster:
            return examine_on_cluster(self.cluster, papers, rules, force=self.force)
        return self._examined_here(papers, rules)

    def _examined_here(self, papers: Sequence[Paper], rules: Rules) -> Generator[tuple[Paper, str]]:
        """Examine as many papers at once as there are jobs."""
        stop = threading.Event()
        with ThreadPoolExecutor(self.jobs) as pool:
            waiting = {pool.submit(self._examine, paper, rules, stop): paper for paper in papers}
            try:
                for future in as_completed(waiting):
                    future.result()
                    yield waiting[future], ""
            except BaseException:
                stop.set()
                pool.shutdown(cancel_futures=True)
                raise

    def _examine(self, paper: Paper, rules: Rules, stop: threading.Event) -> None:
        try:
            notebook = restored(paper)
            print_ = fingerprint(paper, notebook)
            if self.force or not has_result(paper, print_):
                keep_result(paper, print_, examine(paper, notebook, rules, stop=stop))
        except (CourseError, StoppedError):
            raise
        except ExaminerError as error:  # recording tries once more, and remarks what fails again
            _log.warning("%s: %s; this submission is examined once more", paper.student, error)
        except Exception:  # so it does here, but what happened is not known
            _log.exception("%s: examining failed", paper.student)

    def _record(self, student: str) -> None:
        """Let nbgrader record a submission whose result waits; what it cannot record is remarked, not raised."""
        api = nbgrader_api(self.course)
        outcome = api.autograde(self.assignment, student, force=True)
        if outcome["success"]:
            outcome = api.generate_feedback(self.assignment, student, force=True)
        self._note_outcome(student, outcome)
        remove_tree(self.course.build / "examined" / self.assignment / student)

    def _note_outcome(self, student: str, outcome: dict[str, Any]) -> None:
        record = load_record(self.course, self.assignment, student) or Record(student, self.assignment)
        record.recorded = bool(outcome["success"])
        if not record.recorded:
            log = str(outcome.get("log") or outcome.get("error") or "")
            errors = _ERROR_LINE.findall(log) or [line for line in log.splitlines() if line.strip()] or ["?"]
            reason = plain_text(errors[-1], _REASON_LENGTH)
            record.quarantine = _("nbgrader could not record this: {reason}").format(reason=reason)
            record.remarks.append(record.quarantine)
        save_record(self.course, record)


def _in_background(start: Callable[..., object], *what: object) -> None:
    """Start something early; whoever needs it meets the same error, and says it."""

    def quietly() -> None:
        with contextlib.suppress(Exception):
            start(*what)

    threading.Thread(target=quietly, daemon=True).start()


@contextlib.contextmanager
def _uninterrupted() -> Generator[None]:
    """Let Ctrl-C wait until the block is done: nbgrader would take it for a fault of the submission."""
    pressed: list[int] = []
    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, lambda number, _frame: pressed.append(number)) if main else None
    try:
        yield
    finally:
        if main:
            signal.signal(signal.SIGINT, before)
    if pressed:
        raise KeyboardInterrupt


def _recorded_students(course: Course, assignment: str) -> set[str]:
    """Read who has a place in the gradebook for an assignment."""
    with Gradebook(f"sqlite:///{course.gradebook}") as gradebook:
        return {str(submission.student_id) for submission in gradebook.assignment_submissions(assignment)}


def submitted_students(course: Course, assignment: str) -> list[str]:
    """List who handed something in for an assignment, or has a folder for it, or work that lies in no such folder."""
    placed = {path.parent.name for path in course.submitted.glob(f"*/{assignment}")}
    astray = {path.parent.name for path in course.submitted.glob("*/*.ipynb")}
    return sorted(placed | astray)


@dataclass(frozen=True)
class Grade:
    """One student's grade: points of every graded cell by nbgrader's id, and what is left to do by hand."""

    student: str
    score: float
    max_score: float
    points: dict[str, float]
    by_hand: int
    penalty: float = 0.0

    @property
    def total(self) -> float:
        """Points after the late penalty."""
        return round(self.score - self.penalty, 2)


def read_grades(course: Course, assignment: str) -> dict[str, Grade]:
    """Read the grades of an assignment from nbgrader's gradebook."""
    with Gradebook(f"sqlite:///{course.gradebook}") as gradebook:
        try:
            submissions = gradebook.find_assignment(assignment).submissions
        except MissingEntry as error:
            raise CourseError(f"the gradebook knows no {assignment}: release it first") from error
        return {submission.student.id: _grade(submission) for submission in submissions}


def enrolled_students(course: Course) -> list[str]:
    """List everyone whom the gradebook knows, whether or not they handed anything in."""
    with Gradebook(f"sqlite:///{course.gradebook}") as gradebook:
        return sorted(str(student.id) for student in gradebook.students)


def _grade(submission: Any) -> Grade:
    grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
    return Grade(
        student=submission.student.id,
        score=float(submission.score),
        max_score=float(submission.max_score),
        points={grade.name: float(grade.score or 0) for grade in grades},
        by_hand=sum(bool(grade.needs_manual_grade) for grade in grades),
        penalty=float(submission.late_submission_penalty or 0),
    )


def feedback_pages(course: Course, assignment: str, student: str) -> Iterator[Path]:
    """Find the feedback pages of a submission, among which a student's own files may lie."""
    pages = (course.feedback / student / assignment / path.name for path in course.released_notebooks(assignment))
    yield from (page for path in pages if (page := path.with_suffix(".html")).exists())
