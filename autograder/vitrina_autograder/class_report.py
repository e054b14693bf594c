"""What is reported of a class, whatever the form: in the terminal, as a page, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vitrina_autograder.analysis import ClassAnalysis, analyse
from vitrina_autograder.concerns import Concern, concerns
from vitrina_autograder.course import Course, CourseError
from vitrina_autograder.similarity import Comparison
from vitrina_autograder.student_code import compare_class


@dataclass(frozen=True)
class ClassReport:
    """The figures of a class, its unusually similar code and what to look at."""

    course: Course
    analysis: ClassAnalysis
    comparison: Comparison
    concerns: Sequence[Concern]


def read_class(course: Course, assignment: str) -> ClassReport:
    """Read and compute what is reported of everyone.

    Raises
    ------
    CourseError
        When the assignment was never released.
    """
    analysis = analyse(course, assignment)
    comparison = compare_class(course, assignment, [member.student for member in analysis.counted])
    return ClassReport(course, analysis, comparison, concerns(analysis, comparison))


def write_file(path: Path, content: bytes) -> None:
    """Write a file of the report; a reader never sees half of it.

    Raises
    ------
    CourseError
        When it cannot be written there.
    """
    draft = path.with_name(f".{path.name}.draft")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(content)
        draft.replace(path)
    except OSError as error:
        raise CourseError(f"{path} cannot be written: {error.strerror}; choose another folder with `--to`") from error


def reports_folder(course: Course) -> Path:
    """Where pages and tables are written unless another place is asked for."""
    return course.build / "reports"
