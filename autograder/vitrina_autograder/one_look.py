"""nbgrader's preprocessors of a notebook, with one look at the gradebook where they would look for every cell.

Of their own accord they send the database some five hundred statements a submission, and write it to the disk after
every cell. Here what they ask cell by cell is read at once, and written once.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, cast

from nbformat import NotebookNode
from nbgrader import preprocessors as nbgraders
from nbgrader.api import BaseCell, Comment, Grade, Gradebook, GradeCell, TaskCell
from nbgrader.preprocessors import NbGraderPreprocessor
from sqlalchemy.orm import load_only

from vitrina_autograder.course import Course
from vitrina_autograder.deadlines import read_deadlines
from vitrina_autograder.lateness import CarryDeadlines, SettleLateness
from vitrina_autograder.standing import standing_of

#: Where a submission's standing travels from the gradebook to its page, in the exporter's resources.
STANDING = "vitrina_standing"


class OneLook:
    """Answers like a `Gradebook` what is asked about the cells of one notebook.

    Parameters
    ----------
    gradebook : Gradebook
        Is asked itself about cells that are not there, and so says what is wrong.
    names : mapping
        nbgrader's names of the `assignment`, the `notebook` and the `student`.
    """

    def __init__(self, gradebook: Gradebook, names: Mapping[str, str]) -> None:
        self._gradebook: Any = gradebook
        self._names = names
        self.db = _LateCommits()

    def find_source_cell(self, name: str, notebook: str, assignment: str) -> Any:
        """Find a cell of the release."""
        return self._sources.get(name) or self._gradebook.find_source_cell(name, notebook, assignment)

    def find_graded_cell(self, name: str, notebook: str, assignment: str) -> Any:
        """Find a graded cell of the release."""
        return self._graded.get(name) or self._gradebook.find_graded_cell(name, notebook, assignment)

    def find_grade(self, name: str, notebook: str, assignment: str, student: str) -> Any:
        """Find the grade of a cell."""
        return self._grades.get(name) or self._gradebook.find_grade(name, notebook, assignment, student)

    def find_comment(self, name: str, notebook: str, assignment: str, student: str) -> Any:
        """Find the comment on a cell."""
        return self._comments.get(name) or self._gradebook.find_comment(name, notebook, assignment, student)

    @cached_property
    def _sources(self) -> dict[str, Any]:
        return {cell.name: cell for cell in self._released.source_cells}

    @cached_property
    def _graded(self) -> dict[str, Any]:
        kinds: Any = (TaskCell, GradeCell)
        cells = [self._gradebook.db.query(kind).filter(kind.notebook_id == self._released.id) for kind in kinds]
        return {cell.name: cell for some in cells for cell in some}

    @cached_property
    def _grades(self) -> dict[str, Any]:
        shown: Any = (Grade.auto_score, Grade.manual_score, Grade.needs_manual_grade, Grade.score, Grade.max_score)
        return self._of_cells(Grade, load_only(*shown))

    @cached_property
    def _comments(self) -> dict[str, Any]:
        shown: Any = (Comment.auto_comment, Comment.manual_comment, Comment.comment)
        return self._of_cells(Comment, load_only(*shown))

    @cached_property
    def _released(self) -> Any:
        return self._gradebook.find_notebook(self._names["notebook"], self._names["assignment"])

    @cached_property
    def _handed_in(self) -> Any:
        names = (self._names["notebook"], self._names["assignment"], self._names["student"])
        return self._gradebook.find_submission_notebook(*names)

    def _of_cells(self, kind: Any, shown: Any) -> dict[str, Any]:
        """Read what the student has of a kind; a cell comes before a task of its name, as with nbgrader."""
        rows = self._gradebook.db.query(BaseCell.name, kind).join(kind.cell)
        rows = rows.filter(kind.notebook_id == self._handed_in.id)
        return dict(map(tuple, rows.order_by(BaseCell.type.desc()).options(shown)))


class _LateCommits:
    """Stands for the session: nothing is written before the last cell."""

    def commit(self) -> None:
        """Leave it to the end."""


class LookOnce(NbGraderPreprocessor):
    """Comes after nbgrader's own among a class's bases, and so runs while that has the gradebook open."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Go through the cells with one look at the gradebook."""
        gradebook: Any = cast(Any, self).gradebook
        self.gradebook = OneLook(gradebook, resources["nbgrader"])
        try:
            nb, resources = super().preprocess(nb, resources)
        finally:
            self.gradebook = gradebook
        gradebook.db.commit()
        return nb, resources


class KeepStanding(NbGraderPreprocessor):
    """Keeps for the page that is written next where the submission stands by the gradebook that is open."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Leave the notebook as it is."""
        names, gradebook = resources["nbgrader"], cast(Any, self).gradebook
        deadlines = read_deadlines(Course.configured(self.config))
        submission = gradebook.find_submission(names["assignment"], names["student"])
        resources[STANDING] = standing_of(deadlines, submission)
        return super().preprocess(nb, resources)


# nbgrader's classes name a parameter of `preprocess_cell` otherwise than nbconvert's does


class OverwriteCells(nbgraders.OverwriteCells, LookOnce):  # pyright: ignore[reportIncompatibleMethodOverride]
    """nbgrader's, with one look."""


class SaveAutoGrades(nbgraders.SaveAutoGrades, LookOnce):  # pyright: ignore[reportIncompatibleMethodOverride]
    """nbgrader's, with one look."""


class AssignLatePenalties(nbgraders.AssignLatePenalties, CarryDeadlines):  # pyright: ignore[reportIncompatibleMethodOverride]
    """nbgrader's, after the due time was carried into the gradebook."""


class GetGrades(nbgraders.GetGrades, SettleLateness, KeepStanding, LookOnce):  # pyright: ignore[reportIncompatibleMethodOverride]
    """nbgrader's with one look, after lateness was settled."""
