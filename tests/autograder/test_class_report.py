"""The report of a class: one set of figures, shown in the terminal, as a page and as tables."""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Sequence
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from rich.console import Console

from corpus.made_up_class import ASSIGNMENT, POINTS, made_up_report
from corpus.toy_course import ASSIGNMENT as TOY
from vitrina.judging import Outcome, Verdict
from vitrina_autograder.analysis import analyse, summarise
from vitrina_autograder.class_page import render_page, write_page
from vitrina_autograder.class_report import ClassReport, read_class
from vitrina_autograder.concerns import KINDS, concerns
from vitrina_autograder.course import Course, CourseError
from vitrina_autograder.exercise import Exercise, Outline, PlantedBug, Question, Quiz, outline
from vitrina_autograder.grade import Grade
from vitrina_autograder.members import Member, absent_member, make_member
from vitrina_autograder.report import show_report
from vitrina_autograder.similarity import Comparison, Pair, Part, Script
from vitrina_autograder.tables import write_tables
from vitrina_autograder.verdicts import Record, record_path, save_record


def function_exercise(key: str, *hints: str) -> Exercise:
    bugs = [PlantedBug(hint, lambda x: x) for hint in hints]
    return Exercise(
        id=key, title=f"The {key}", formula="y", competences=["A"], reference=len, draw=lambda _: [], bugs=bugs
    )


QUIZ = Quiz(
    id="quiz",
    title="Quiz",
    formula="",
    competences=["B"],
    questions=[Question(k, ["a", "b"], "a") for k in ("one", "two")],
)
EXERCISES: dict[str, Outline] = {
    "double": outline(function_exercise("double", "sign", "bias", "never made")),
    "square": outline(function_exercise("square", "sign")),
    "quiz": outline(QUIZ),
}
WORTH = {"double": 4.0, "square": 2.0, "quiz": 2.0}


def verdict(key: str, *outcomes: Outcome, note: str = "") -> Verdict:
    return Verdict(key, EXERCISES[key].title, WORTH[key], outcomes=outcomes, note=note)


def right(key: str) -> Verdict:
    return verdict(key, Outcome("case", "passed", 1.0))


def wrong(key: str, hint: str = "", cases: int = 2) -> Verdict:
    return verdict(key, *(Outcome(f"case {case}", "failed", 1.0, "differs", hint) for case in range(cases)))


def unanswered(key: str) -> Verdict:
    return verdict(key, Outcome("case", "unanswered", 1.0, reply="unanswered"))


def member(student: str, *verdicts: Verdict, score: float | None = None, **fields: object) -> Member:
    record = Record(student, "week1", {item.exercise: item for item in verdicts}, **fields)  # type: ignore[arg-type]
    points = {f"check-{item.exercise}": item.points for item in verdicts}
    total = sum(points.values()) if score is None else score
    return make_member(student, Grade(student, total, 8.0, points, 0), record, EXERCISES, [])


def report_of(members: Sequence[Member], folder: Path, pairs: Sequence[Pair] = ()) -> ClassReport:
    analysis = summarise("week1", EXERCISES, members, WORTH)
    comparison = Comparison(pairs)
    return ClassReport(Course(folder), analysis, comparison, concerns(analysis, comparison))


def page_of(report: ClassReport, folder: Path) -> str:
    return render_page(report, folder)


def terminal(report: ClassReport, width: int = 200) -> str:
    console = Console(width=width, file=io.StringIO())
    show_report(report, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines(keepends=True)))


QUARANTINED = member(
    "corrupt", unanswered("double"), unanswered("quiz"), quarantine="no notebook", remarks=["no notebook"]
)
BLANK = member("blank", unanswered("double"), unanswered("square"), unanswered("quiz"))


@pytest.mark.parametrize("width", [40, 60, 100])
def test_a_narrow_terminal_shows_all_points(tmp_path: Path, width: int):
    """A table that is too wide goes on below, and no number is cut."""
    many = {f"e{number}": Outline(f"e{number}", f"Exercise {number}", ["A"]) for number in range(30)}
    verdicts = {
        key: Verdict(key, key, 2.25, outcomes=[Outcome("case", "passed", 1.0), Outcome("edge", "failed", 1.25, "no")])
        for key in many
    }
    record = Record("ana", "week1", verdicts)
    ana = make_member("ana", Grade("ana", 30.0, 67.5, dict.fromkeys(many, 1.0), 0), record, many, [])
    analysis = summarise("week1", many, [ana], dict.fromkeys(many, 2.25))
    comparison = Comparison([])
    shown = terminal(ClassReport(Course(tmp_path), analysis, comparison, concerns(analysis, comparison)), width)
    points = shown.partition("Competences")[0]
    rows = [line.split() for line in points.splitlines() if line.strip().startswith("ana")]
    assert sum(row.count("1") for row in rows) == 30
    assert points.count("/2.25") == 30
    assert "30/67.5" in points
    assert "…" not in points
    assert max(map(len, shown.splitlines())) <= width


def test_who_is_unknown_is_counted_apart(tmp_path: Path):
    good = [member(f"s{number}", right("double"), right("square"), right("quiz")) for number in range(3)]
    absent = absent_member("gone", EXERCISES)
    report = report_of([*good, QUARANTINED, BLANK, absent], tmp_path)
    analysis = report.analysis
    assert analysis.standings == {"graded": 3, "blank": 1, "quarantined": 1, "absent": 1}
    assert [item.difficulty.value for item in analysis.items] == [1.0, 1.0, 1.0]
    assert analysis.shares == [1.0] * 3
    assert analysis.competences == {"A": 1.0, "B": 1.0}
    assert QUARANTINED.competences == {"A": None, "B": None}
    assert (QUARANTINED.score, BLANK.score) == (None, 0.0)
    students, _ = write_tables(report, tmp_path)
    rows = {row["student"]: row for row in table(students)}
    assert (rows["corrupt"]["total"], rows["corrupt"]["points: double"], rows["corrupt"]["state"]) == (
        "",
        "",
        "quarantined",
    )
    assert (rows["gone"]["total"], rows["gone"]["competence: A"]) == ("", "")
    assert rows["blank"]["total"] == "0.0"


def test_what_an_instructor_gives_a_quarantined_student_is_shown():
    assert replace(QUARANTINED, grade=Grade("corrupt", 3.0, 8.0, {}, 0)).score == 3.0


def test_each_mistake_counts_once_a_student_and_planted_ones_are_told_apart(tmp_path: Path):
    class_ = [
        member("a", wrong("double", "sign", 4), right("square")),
        member("b", wrong("double", "sign"), unanswered("square")),
        member("c", wrong("double", "a shape"), verdict("square", note="no answer reached the examiner")),
        member("d", wrong("double"), verdict("square", Outcome("case", "failed", 1.0, "stopped", reply="raised"))),
    ]
    double, square, _quiz = report_of(class_, tmp_path).analysis.items
    assert [(item.hint, item.students, item.planted) for item in double.mistakes] == [
        ("sign", 2, True),
        ("bias", 0, True),
        ("never made", 0, True),
        ("a shape", 1, False),
    ]
    assert (double.students, double.unexplained, double.stopped) == (4, 1, 0)
    assert (square.students, square.unanswered, square.unreached, square.stopped) == (3, 1, 1, 1)
    assert square.difficulty.value == pytest.approx(1 / 3)  # who was not reached is left out


def test_of_a_quiz_the_questions_are_counted(tmp_path: Path):
    missed = verdict("quiz", Outcome("one", "passed", 1.0), Outcome("two", "failed", 1.0, "not this one"))
    *_others, quiz = report_of([member("a", missed), member("b", right("quiz"))], tmp_path).analysis.items
    assert [(item.hint, item.students) for item in quiz.mistakes] == [("one", 0), ("two", 1)]
    assert quiz.unexplained == 0


def test_points_come_from_the_gradebook(tmp_path: Path):
    """Where an instructor gave other points than the examiner, they count everywhere, and it is said."""
    by_hand = member("a", wrong("double", "sign"), right("square"))
    corrected = make_member("a", Grade("a", 5.0, 8.0, {"check-double": 3.0}, 0), by_hand.record, EXERCISES, [])
    report = report_of([corrected], tmp_path)
    assert report.analysis.items[0].difficulty.value == 0.75
    assert corrected.competences["A"] == pytest.approx(5 / 6)
    students, _ = write_tables(report, tmp_path)
    assert table(students)[0]["points: double"] == "3.0"
    assert "points given by hand" in page_of(report, tmp_path)


def test_a_class_of_nobody_and_a_class_of_one(tmp_path: Path):
    for members in ([], [BLANK], [QUARANTINED], [member("a", right("double"))]):
        report = report_of(members, tmp_path)
        assert "week1" in page_of(report, tmp_path)
        assert terminal(report)
        for path in write_tables(report, tmp_path):
            assert path.read_text().count("\n") >= 1


def test_nothing_that_cannot_be_said_shows_as_nan(tmp_path: Path):
    report = report_of([member(f"s{number}", right("double"), right("square")) for number in range(12)], tmp_path)
    page = page_of(report, tmp_path)
    assert "everybody earned the same" in page
    texts = [page, terminal(report), *(path.read_text() for path in write_tables(report, tmp_path))]
    assert not any(re.search(r"\bnan\b|\binf\b|None", text) for text in texts)


def alarmed(student: str) -> Member:
    record = Record(student, "week1", {"double": right("double")})
    record.alarms = ["tried to open a network connection"]  # type: ignore[attr-defined]
    return make_member(student, None, record, EXERCISES, [])


def test_things_to_look_at_come_in_order_and_say_once_what_many_share(tmp_path: Path):
    remarked = [member(f"r{number}", right("double"), remarks=["was changed"]) for number in range(5)]
    note = verdict("double", note="the examiner was lost")
    unsafe = member("u", right("double"), sandbox="none (no bubblewrap)")
    members = [
        *remarked,
        member("p", note),
        unsafe,
        make_member("n", None, None, EXERCISES, []),
        QUARANTINED,
        alarmed("m"),
    ]
    pair = Pair(Script("r0", [Part("cell 1", "x = 1")]), Script("r1", [Part("cell 1", "y = 2")]), 0.9, 40.0)
    found = report_of(members, tmp_path, [pair]).concerns
    assert [item.kind for item in found] == sorted((item.kind for item in found), key=KINDS.index)
    assert {item.kind: item.students for item in found} == {
        "alarm": ("m",),
        "quarantined": ("corrupt",),
        "similar": ("r0", "r1"),
        "unsafe": ("u",),
        "not graded": ("n",),
        "partly graded": ("p",),
        "unusual": ("r0", "r1", "r2", "r3", "r4"),
    }
    assert [item.serious for item in found] == [True] * 5 + [False] * 2


def test_who_answers_for_the_same_name_is_told_without_saying_it(tmp_path: Path):
    names = {"a": "Ada Lovelace", "b": " ada  LOVELACE", "c": "Blaise", "d": "", "e": ""}
    class_ = [member(student, replace(right("quiz"), drawn_for=name)) for student, name in names.items()]
    (concern,) = [item for item in report_of(class_, tmp_path).concerns if item.kind == "same name"]
    assert concern.students == ("a", "b")
    assert concern.serious
    assert "Quiz" in concern.text
    assert "ada" not in concern.text.casefold()


def test_an_exercise_that_the_better_students_get_wrong_is_named(tmp_path: Path):
    class_ = [
        member(
            f"s{n:02}", right("double") if n < 15 else wrong("double"), wrong("square") if n < 15 else right("square")
        )
        for n in range(30)
    ]
    (concern,) = [
        item for item in report_of(class_, tmp_path).concerns if item.students == () and "double" in item.text
    ]
    assert concern.kind == "exercise"


@pytest.fixture(scope="module")
def week2(request: pytest.FixtureRequest) -> dict[str, Outline]:
    from vitrina_autograder.exercise import load_exercises

    exercises = load_exercises(request.config.rootpath / "assignments" / "week2_neural")
    assert set(POINTS) == set(exercises)
    return {key: outline(exercise) for key, exercise in exercises.items()}


@pytest.mark.parametrize("size", [12, 400])
def test_page_tables_and_terminal_for_small_and_large_classes(size: int, week2: dict[str, Outline], tmp_path: Path):
    start = time.process_time()
    report = made_up_report(size, week2, tmp_path)
    page = write_page(report, tmp_path / "reports")
    students, exercises = write_tables(report, tmp_path / "reports")
    seconds = time.process_time() - start
    assert seconds < 60, f"{seconds:.1f} s"
    assert page.stat().st_size < (12_000 + 600 * size) * len(week2)
    html = page.read_text(encoding="utf-8")
    assert html.count("<tbody id=") == size == len(table(students))
    assert {row["measure"] for row in table(exercises)} >= {"difficulty", "discrimination_index", "planted_mistake"}
    said = terminal(report)
    assert max(map(len, said.partition("Feedback pages")[0].splitlines())) <= 100
    assert len(said.splitlines()) < 5 * size + 200
    copied, copy = report.analysis.counted[0].student, report.analysis.counted[-1].student
    assert any({pair.first.student, pair.second.student} == {copied, copy} for pair in report.comparison.pairs)


def test_the_page_loads_nothing(week2: dict[str, Outline], tmp_path: Path):
    html = page_of(made_up_report(12, week2, tmp_path), tmp_path)
    assert not re.search(r"\b(src|srcset|data)=|<link|<iframe|<object|@import|url\(", html)
    assert not re.search(r"https?://", html)
    assert "default-src 'none'" in html


def test_links_to_feedback_pages_are_relative_and_right(tmp_path: Path):
    odd = "ana & bé #1? 100%"
    feedback = tmp_path / "build" / "feedback" / odd / "week1" / "toy.html"
    report = report_of([replace(member(odd, right("double")), feedback=[feedback])], tmp_path)
    html = page_of(report, tmp_path / "build" / "reports")
    (address,) = re.findall(r'<a href="(\.\.[^"]*)">', html)
    from urllib.parse import unquote

    assert (tmp_path / "build" / "reports" / unquote(unescape(address))).resolve() == feedback


HOSTILE = ['=HYPERLINK("http://x","y")', "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", " =1+1", "\t=1", "＝1"]


def test_a_table_holds_no_formula_and_comes_back_as_it_was(tmp_path: Path):
    members = [member(name, right("double"), remarks=[name, 'two\nlines, "quoted"']) for name in HOSTILE]
    students, _ = write_tables(report_of(members, tmp_path), tmp_path)
    rows = list(csv.reader(io.StringIO(students.read_text(encoding="utf-8"), newline="")))
    assert len(rows) == len(HOSTILE) + 1
    assert {len(row) for row in rows} == {len(rows[0])}
    for row, name in zip(rows[1:], HOSTILE, strict=True):
        assert row[0] == f"'{name}"
        assert 'two\nlines, "quoted"' in row[-1]
        assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in row)


def test_tables_for_excel_begin_with_the_mark(tmp_path: Path):
    report = report_of([member("Núñez", right("double"))], tmp_path)
    assert all(not path.read_bytes().startswith(b"\xef\xbb\xbf") for path in write_tables(report, tmp_path))
    assert all(path.read_bytes().startswith(b"\xef\xbb\xbf") for path in write_tables(report, tmp_path, mark=True))


def test_what_cannot_be_written_is_said(tmp_path: Path):
    (tmp_path / "file").write_text("")
    report = report_of([BLANK], tmp_path)
    with pytest.raises(CourseError, match="cannot be written"):
        write_page(report, tmp_path / "file")
    with pytest.raises(CourseError, match="cannot be written"):
        write_tables(report, tmp_path / "file")


def test_from_the_gradebook_to_the_report(toy: Course):
    """A class of which nothing is graded yet, with a damaged record: everyone is there, nobody is zero."""
    for student in ("ana", "bea"):
        (toy.submitted / student / TOY).mkdir(parents=True)
    save_record(toy, Record("ana", TOY))
    record_path(toy, TOY, "ana").write_text("{")
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{toy.gradebook}") as gradebook:
        gradebook.add_student("carl")
    report = read_class(toy, TOY)
    assert {item.student: item.standing for item in report.analysis.members} == {
        "ana": "not graded",
        "bea": "not graded",
        "carl": "absent",
    }
    assert [item.max_points for item in report.analysis.items] == [3.0, 2.0, 2.0]
    assert [item.kind for item in report.concerns] == ["not graded"]
    assert "not graded" in terminal(report)
    assert analyse(toy, TOY).shares == []


def test_the_made_up_class_is_the_assignments(week2: dict[str, Outline]):
    assert ASSIGNMENT == "week2"
    assert list(POINTS) == list(week2)
