"""An assignment of several notebooks: what is said of each of them stays."""

import shutil

import nbformat
import pytest

from corpus.toy_course import ASSIGNMENT, NOTEBOOK
from vitrina.judging import Verdict
from vitrina_autograder.course import Course
from vitrina_autograder.examination import Examined, Paper, fingerprint, keep_result
from vitrina_autograder.preprocessors import Examination
from vitrina_autograder.release import load_config
from vitrina_autograder.verdicts import Record, load_record


@pytest.fixture
def course(toy: Course) -> Course:
    """A course whose assignment has two notebooks, both handed in by Ana."""
    release = toy.release / ASSIGNMENT
    shutil.copyfile(release / NOTEBOOK, release / "another.ipynb")
    shutil.copytree(release, toy.submitted / "ana" / ASSIGNMENT)
    return toy


def record_of(course: Course, name: str, **found) -> Record:
    """Let nbgrader's step record what was found in a notebook; give the record then."""
    paper = Paper(course, ASSIGNMENT, "ana", name)
    notebook = nbformat.read(paper.submitted, as_version=4)
    verdicts = {exercise: Verdict(exercise, exercise, 1.0) for exercise in ("double", "square", "quiz")}
    fields = {"remarks": [], "seconds": 1.5, **found}
    keep_result(paper, fingerprint(paper, notebook), Examined(notebook, verdicts, **fields))
    names = {"assignment": ASSIGNMENT, "student": "ana", "notebook": name}
    Examination(config=load_config(course)).preprocess(notebook, {"nbgrader": names})
    record = load_record(course, ASSIGNMENT, "ana")
    assert record is not None
    return record


def test_remarks_and_alarms_of_all_notebooks_stay_until_all_are_graded_again(course: Course):
    for turn in ("first", "second"):
        record_of(course, "another", remarks=["both", turn], alarms=["alarm"])
        record = record_of(course, "toy", remarks=["both", "more"])
        assert record.remarks == ["both", turn, "more"]
        assert record.alarms == ["alarm"]
        assert record.seconds == 3.0
        assert record.fingerprints.keys() == {"another", "toy"}


def test_one_notebook_that_cannot_be_read_does_not_quarantine_the_other(course: Course):
    assert record_of(course, "another", quarantine="no notebook").quarantine == "no notebook"
    record = record_of(course, "toy")
    assert record.quarantine == ""
    assert record.remarks == ["no notebook"]
    record_of(course, "another", quarantine="no notebook")
    assert record_of(course, "toy", quarantine="empty").quarantine == "no notebook"
    record_of(course, "another")
    assert record_of(course, "toy", quarantine="empty").remarks == ["empty"]
