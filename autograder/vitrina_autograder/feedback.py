"""The page that a student gets back: first the points and what to learn from them, then the notebook.

nbgrader's `generate_feedback` calls `FeedbackExporter` (see `nbgrader_config.py`). The page is one file and needs no
script to be read. It holds nothing that the student may not know: no case's inputs or expected values (the verdicts of
an exam have none; numbers that a student's own code took from a case into an error text are cut out), no output of
the cells that are not graded (a student's code could print a case there), no solution.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, cast

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from nbconvert.exporters import Exporter
from nbformat import NotebookNode
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from vitrina.judging import Outcome, Verdict
from vitrina.messages import _
from vitrina.panel import code_spans, html_panel
from vitrina.values import plain_text
from vitrina_autograder.course import Course, CourseError
from vitrina_autograder.examiner import ExaminerError, examiner_for
from vitrina_autograder.marks import graded_exercise
from vitrina_autograder.members import Result, competence_names, competence_share
from vitrina_autograder.one_look import STANDING
from vitrina_autograder.pages import as_written, is_heavy, markdown_html
from vitrina_autograder.standing import Standing
from vitrina_autograder.verdicts import Record, load_record

_ERROR_LENGTH = 300
#: A notebook of more text is shown as it was written: to set it would keep the whole class waiting.
_MOST_TEXT = 1 << 20
#: What nbgrader itself comments on an answer that is still as it was released.
_NO_RESPONSE = "No response."
#: What may be a value of a case: a decimal fraction, or a number of many digits.
_NUMBER = re.compile(r"\d*\.\d+(?:e[+-]?\d+)?|\d+\.\d*|\d+e[+-]?\d+|\d{5,}", re.IGNORECASE)


@dataclass(frozen=True)
class Line:
    """One graded cell in the summary: what it was, what it earned, and one sentence about it.

    Attributes
    ----------
    state : str
        "right", "partly", "wrong", "blank" or "waiting" (for the instructor).
    """

    anchor: str
    title: str
    state: str
    points: float
    max_points: float
    reason: str = ""
    hint: str = ""
    tested: Sequence[Outcome] = ()
    comment: Markup = field(default_factory=Markup)


class FeedbackExporter(Exporter):
    """Writes the page of one notebook."""

    file_extension = ".html"

    def from_notebook_node(self, nb: NotebookNode, resources: Any = None, **kw: Any) -> tuple[Any, Any]:
        """Run nbgrader's preprocessors, which read the grades, and write the page."""
        notebook, resources = super().from_notebook_node(nb, resources, **kw)
        names = resources["nbgrader"]
        course = Course.configured(self.config)
        standing = resources.pop(STANDING)
        page = feedback_page(course, names["assignment"], names["student"], names["notebook"], notebook, standing)
        resources["output_extension"] = self.file_extension
        return page, resources


def feedback_page(
    course: Course, assignment: str, student: str, name: str, notebook: NotebookNode, standing: Standing
) -> str:
    """Write the feedback on a graded notebook, whose cells hold points and comments (by nbgrader's `GetGrades`).

    Returns
    -------
    str
        One HTML file.
    """
    record = load_record(course, assignment, student) or Record(student, assignment)
    cut = _cutter(notebook)
    verdicts = {key: _for_student(verdict, cut) for key, verdict in record.verdicts.items()}
    lines = list(_lines(notebook, verdicts, standing))
    by_anchor = {line.anchor: line for line in lines}
    plain = sum(len(cell.source) for cell in notebook.cells) > _MOST_TEXT
    return _template().render(
        _=_,
        assignment=assignment,
        name=name,
        standing=standing,
        lines=lines,
        several=len(course.released_notebooks(assignment)) > 1,
        competences=_competences(course, assignment, verdicts),
        remarks=record.remarks,
        cells=[{"body": _body(cell, plain=plain)} | _cell(cell, verdicts, by_anchor, cut) for cell in notebook.cells],
        code_style=Markup(_formatter().get_style_defs(".code")),
    )


def _cutter(notebook: NotebookNode) -> Callable[[str], str]:
    """Cut out of a text the numbers that a student's code may have taken from a case: those the code does not hold."""
    own = set(_NUMBER.findall("\n".join(cell.source for cell in notebook.cells)))
    return lambda text: _NUMBER.sub(lambda number: number[0] if number[0] in own else "…", text)


def _for_student(verdict: Verdict, cut: Callable[[str], str]) -> Verdict:
    """Clean what a student's code itself said; what the examiner says of an answer shows no values."""
    outcomes = [
        outcome if outcome.reply == "answered" else replace(outcome, message=cut(outcome.message))
        for outcome in verdict.outcomes
    ]
    return replace(verdict, note=cut(verdict.note), outcomes=outcomes)


def _lines(notebook: NotebookNode, verdicts: Mapping[str, Verdict], standing: Standing) -> Iterator[Line]:
    for cell in notebook.cells:
        marks = cell.metadata.get("nbgrader", {})
        if not (marks.get("grade") or marks.get("task")):
            continue
        exercise = graded_exercise(cell)
        verdict = verdicts.get(exercise or "")
        line = _verdict_line(marks, verdict) if verdict else _written_line(marks)
        if marks.grade_id in standing.waiting:
            line = replace(line, state="waiting", reason=_("waits for your instructor"))
        yield line


def _verdict_line(marks: NotebookNode, verdict: Verdict) -> Line:
    telling = sorted((o for o in verdict.outcomes if o.status == "failed"), key=lambda outcome: not outcome.hint)
    failed = next(iter(telling), None)
    line = Line(
        anchor=str(marks.grade_id),
        title=verdict.title,
        state=_state(float(marks.get("score") or 0), float(marks.points)),
        points=float(marks.get("score") or 0),
        max_points=float(marks.points),
        hint=failed.hint if failed else "",
        tested=() if verdict.unanswered else verdict.outcomes,
    )
    if verdict.unanswered:
        return replace(line, state="blank", reason=_("not answered"))
    if verdict.note:
        return replace(line, reason=verdict.note)
    return replace(line, reason=f"{failed.title}: {failed.message}") if failed else line


def _written_line(marks: NotebookNode) -> Line:
    points, most = float(marks.get("score") or 0), float(marks.points)
    blank = not points and marks.get("comment") == _NO_RESPONSE
    return Line(
        anchor=str(marks.grade_id),
        title=str(marks.grade_id).partition("-")[2].replace("-", " ").capitalize(),
        state="blank" if blank else _state(points, most),
        points=points,
        max_points=most,
        reason=_("not answered") if blank else "",
        comment=Markup() if blank else _comment(marks),
    )


def _state(points: float, most: float) -> str:
    return "right" if points >= most else "partly" if points > 0 else "wrong"


def _competences(course: Course, assignment: str, verdicts: Mapping[str, Verdict]) -> dict[str, float]:
    """Give the share of the points by competence; none where the exercises cannot be read just now."""
    try:
        exercises = examiner_for(course.assignment_folder(assignment)).outlines()
    except (CourseError, ExaminerError):  # the instructor's to mend, and students still get the rest
        return {}
    results = {key: Result(verdict.points, verdict) for key, verdict in verdicts.items()}
    shares = {name: competence_share(name, results, exercises) for name in competence_names(exercises)}
    return {name: share for name, share in shares.items() if share is not None}


def _cell(
    cell: NotebookNode, verdicts: Mapping[str, Verdict], lines: Mapping[str, Line], cut: Callable[[str], str]
) -> dict[str, Any]:
    """Gather what the template shows of one cell."""
    marks = cell.metadata.get("nbgrader", {})
    verdict = verdicts.get(graded_exercise(cell) or "")
    errors = [output for output in cell.get("outputs", []) if output.output_type == "error"]
    return {
        "kind": cell.cell_type,
        "line": lines.get(str(marks.get("grade_id", ""))),
        "yours": bool(marks.get("solution")),
        "comment": _comment(marks),
        "panel": Markup(html_panel(verdict)) if verdict else "",
        "errors": [cut(plain_text(f"{error.ename}: {error.evalue}", _ERROR_LENGTH)) for error in errors],
    }


def _comment(marks: Mapping[str, Any]) -> Markup:
    return Markup(markdown_html(str(marks["comment"]))) if marks.get("comment") else Markup()


def _body(cell: NotebookNode, *, plain: bool) -> Markup:
    if plain:
        return Markup(as_written(cell.source))
    if cell.cell_type == "markdown":
        return Markup(_cached_markdown(cell.source, json.dumps(cell.get("attachments", {}))))
    return Markup(_cached_code(cell.source))


@lru_cache(maxsize=256)
def _cached_markdown(source: str, attachments: str) -> str:
    return markdown_html(source, json.loads(attachments))


@lru_cache(maxsize=256)
def _cached_code(source: str) -> str:
    return as_written(source) if is_heavy(source) else cast(str, highlight(source, PythonLexer(), _formatter()))


@lru_cache(maxsize=1)
def _formatter() -> Any:
    return HtmlFormatter(nowrap=True)


@lru_cache(maxsize=1)
def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("vitrina_autograder"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    cast(dict[str, Any], environment.filters)["coded"] = _coded
    return environment.get_template("feedback.html.j2")


def _coded(text: str) -> Markup:
    return Markup(code_spans(text))
