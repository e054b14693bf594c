"""Grades for Moodle and Canvas: quoted, harmless, and nobody dropped without a word."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from corpus.toy_course import ASSIGNMENT, POINTS
from vitrina_autograder.course import CONFIG_NAME, Course, CourseError
from vitrina_autograder.deadlines import FILE_NAME
from vitrina_autograder.export import Export, export_grades, write_export
from vitrina_autograder.identities import Identity, keep_identities
from vitrina_autograder.rosters import read_roster
from vitrina_autograder.verdicts import Record, save_record

#: Folder, own name, e-mail address, platform's number, and the points of the written answer (None: still to grade).
CLASS = [
    ("bilo-1", Identity("ana-garcia", "Ana García", "ana@uni.es", "101"), 2.0),
    ("fuma-2", Identity("bea-ruiz", '=HYPERLINK("evil","Bea, Ruiz")', "", "102"), 1.5),
    ("carl", Identity("carl"), None),
    ("+dora", Identity("+dora"), 0.0),
]
WORKSHEET = """Identifier,Full name,Email address,Status,Grade,Maximum grade,Grade can be changed,Feedback comments
Participant 101,Ana García,ana@uni.es,"Submitted, for grading",,9.00,Yes,
Participant 7,Carl,carl@uni.es,No submission,,9.00,Yes,
Participant 102,"Ruiz, Bea",bea@uni.es,Submitted,,9.00,Yes,
"""
EN_ESPAÑOL = "Identificador;Nombre completo;Calificación;Calificación máxima\nParticipante 101;Ana García;;10,00\n"
EXPORT = """First name,Last name,ID number,Email address,Assignment: Toy (Real)
Ana,García,,ana@uni.es,-
Zoe,Zas,,zoe@uni.es,-
"""
CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section,Week 9: Toy (555),Week 90 (556),Final Score
,,,,,Manual Posting,,
    Points Possible,,,,,9,1,(read only)
"García, Ana",101,u1,ana,A,,,
"Ruiz, Bea",102,u2,bea,A,,,
"Zas, Zoe",103,u3,zoe,B,,,
"""


@pytest.fixture
def course(toy: Course) -> Course:
    """Four students whose points stand in the gradebook."""
    with Gradebook(f"sqlite:///{toy.gradebook}") as gradebook:
        for folder, _identity, written in CLASS:
            gradebook.update_or_create_student(folder)
            submission = gradebook.update_or_create_submission(ASSIGNMENT, folder)
            for grade in submission.notebooks[0].grades:
                grade.auto_score = POINTS[grade.name] if grade.name.startswith("check-") else None
                grade.needs_manual_grade = grade.auto_score is None and written is None
                if grade.auto_score is None:
                    grade.manual_score = written
            gradebook.db.commit()
    keep_identities(toy, {folder: identity for folder, identity, _written in CLASS if identity.name})
    return toy


def roster(course: Course, text: str, encoding: str = "utf-8") -> Path:
    path = course.root / "roster.csv"
    path.write_bytes(text.encode(encoding))
    return path


def table(course: Course, export: Export, platform: str = "moodle") -> list[list[str]]:
    """The table as another program reads it from the file."""
    path = course.root / "grades.csv"
    write_export(course, ASSIGNMENT, platform, path, export)
    return list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8"), newline="")))


def test_moodle_without_a_roster(course: Course):
    export = export_grades(course, ASSIGNMENT, "moodle")
    assert table(course, export) == [
        ["Full name", "Username", "Email address", "week9", "week9 (feedback)"],
        ["", "'+dora", "", "7", "7 of 9 points"],
        ["Ana García", "", "ana@uni.es", "9", "9 of 9 points"],
        ['\'=HYPERLINK("evil","Bea, Ruiz")', "", "", "8.5", "8.5 of 9 points"],
    ]
    assert list(export.remarks()) == ["students who still have answers to grade by hand (1): carl"]


def test_who_waits_is_exported_only_on_demand(course: Course):
    partial = export_grades(course, ASSIGNMENT, "moodle", partial=True)
    assert [row[1] for row in partial.table][1:3] == ["'+dora", ""]
    assert "carl" in partial.exported
    assert partial.waiting == ["carl"]


def test_a_submission_that_could_not_be_graded_is_no_zero(course: Course):
    save_record(course, Record("+dora", ASSIGNMENT, quarantine="no notebook"))
    export = export_grades(course, ASSIGNMENT, "moodle")
    assert export.ungraded == ["+dora"]
    assert "+dora" not in export.exported
    assert "could not be graded (1): +dora" in "\n".join(export.remarks())


def test_moodles_worksheet_comes_back_filled_in(course: Course):
    export = export_grades(course, ASSIGNMENT, "moodle", roster=roster(course, WORKSHEET), partial=True)
    header, *rows = table(course, export)
    assert ",".join(header) == WORKSHEET.splitlines()[0]
    assert rows == [
        ["Participant 101", "Ana García", "ana@uni.es", "Submitted, for grading", "9", "9.00", "Yes", "9 of 9 points"],
        ["Participant 7", "Carl", "carl@uni.es", "No submission", "7", "9.00", "Yes", "7 of 9 points"],
        ["Participant 102", "Ruiz, Bea", "bea@uni.es", "Submitted", "8.5", "9.00", "Yes", "8.5 of 9 points"],
    ]
    assert export.unknown == ["+dora"]
    assert export.missing == []


def test_a_spanish_worksheet_with_another_maximum(course: Course):
    export = export_grades(course, ASSIGNMENT, "moodle", roster=roster(course, EN_ESPAÑOL, "cp1252"))
    assert table(course, export)[1] == ["Participante 101", "Ana García", "9", "10,00"]
    remarks = "\n".join(export.remarks())
    assert "maximum grade is 10.00, ours is 9" in remarks
    assert "no column for feedback" in remarks


def test_moodles_grade_export_is_a_roster_too(course: Course):
    export = export_grades(course, ASSIGNMENT, "moodle", roster=roster(course, EXPORT, "utf-8-sig"), column="Toy")
    assert table(course, export) == [
        ["First name", "Last name", "ID number", "Email address", "Toy", "Toy (feedback)"],
        ["Ana", "García", "", "ana@uni.es", "9", "9 of 9 points"],
    ]
    assert export.missing == ["Zoe Zas"]


def test_canvas_gradebook(course: Course):
    export = export_grades(course, ASSIGNMENT, "canvas", roster=roster(course, CANVAS))
    assert table(course, export, "canvas") == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Week 9: Toy (555)"],
        ["    Points Possible", "", "", "", "", "9"],
        ["García, Ana", "101", "u1", "ana", "A", "9"],
        ["Ruiz, Bea", "102", "u2", "bea", "A", "8.5"],
    ]
    assert (export.missing, export.unknown) == (["Zas, Zoe"], ["+dora"])


def test_canvas_without_a_roster(course: Course):
    export = export_grades(course, ASSIGNMENT, "canvas", column="Week 9 (555)")
    assert table(course, export, "canvas")[:4] == [
        ["Student", "ID", "SIS Login ID", "Section", "Week 9 (555)"],
        ["    Points Possible", "", "", "", "9"],
        ["'+dora", "", "'+dora", "", "7"],
        ["Ana García", "101", "", "", "9"],
    ]


def test_an_assignment_that_canvas_calls_otherwise_has_to_be_named(course: Course):
    other = roster(course, CANVAS.replace("Week 9", "Gradients"))
    with pytest.raises(CourseError, match=r"--column.*Gradients: Toy \(555\)"):
        export_grades(course, ASSIGNMENT, "canvas", roster=other)
    export = export_grades(course, ASSIGNMENT, "canvas", roster=other, column="Gradients: Toy (555)")
    assert export.table[0][-1] == "Gradients: Toy (555)"


def test_two_rows_for_one_student_and_two_students_for_one_row(course: Course):
    twice = WORKSHEET + "Participant 101,Ana García,other@uni.es,,,9.00,Yes,\n"
    export = export_grades(course, ASSIGNMENT, "moodle", roster=roster(course, twice))
    assert "Ana García" in export.unknown
    keep_identities(course, {"+dora": Identity("d", "Ana García", number="101")})
    export = export_grades(course, ASSIGNMENT, "moodle", roster=roster(course, WORKSHEET))
    assert export.unknown.count("Ana García") == 2


def test_lateness_is_taken_off_and_said(course: Course):
    (course.assignments / FILE_NAME).write_text('[due]\nweek9 = "2026-12-01 12:00"\n')
    folder = course.submitted / "bilo-1" / ASSIGNMENT
    folder.mkdir(parents=True)
    (folder / "timestamp.txt").write_text("2026-12-01 20:00 UTC")
    export = export_grades(course, ASSIGNMENT, "moodle")
    assert ["Ana García", "", "ana@uni.es", "8.1", "8.1 of 9 points; 1 day late: −10 % (0.9 points)"] in export.table


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "\x00\x01"])
def test_a_roster_that_is_none_says_what_is_expected(course: Course, text: str):
    with pytest.raises(CourseError, match="no class list"):
        read_roster(roster(course, text))
    with pytest.raises(CourseError, match="cannot be read"):
        read_roster(course.root / "nowhere.csv")


def test_an_assignment_never_graded(course: Course):
    with pytest.raises(CourseError, match="release and grade it first"):
        export_grades(course, "week1", "moodle")


@pytest.mark.slow
def test_plain_nbgrader_exports_the_same(course: Course):
    command = [
        str(Path(sys.executable).parent / "nbgrader"),
        "export",
        "--exporter=vitrina_autograder.export.MoodleExport",
        f"--assignment=['{ASSIGNMENT}']",
        "--to=out.csv",
    ]
    assert (course.root / CONFIG_NAME).is_file()
    run = subprocess.run(command, cwd=course.root, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "students who still have answers to grade by hand (1): carl" in run.stderr
    written = (course.root / "out.csv").read_bytes()
    table(course, export_grades(course, ASSIGNMENT, "moodle"))
    assert written == (course.root / "grades.csv").read_bytes()
