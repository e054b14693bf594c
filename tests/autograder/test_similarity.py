"""Copies are found whatever was done to their looks; who solved the same exercise alike by himself is left alone."""

import ast
import random

import numpy as np
import pytest
import tensorflow as tf

from corpus.copyists import disguised, draw_answers
from corpus.week2_answers import ANSWERS
from vitrina.calling import ask
from vitrina.judging import examine
from vitrina.models import dense_parameters
from vitrina_autograder.code_tokens import code_tokens
from vitrina_autograder.course import Course
from vitrina_autograder.exercise import load_exercises
from vitrina_autograder.side_by_side import side_by_side
from vitrina_autograder.similarity import Part, Script, compare
from vitrina_autograder.student_code import compare_class, read_script

TEXTBOOK = [forms[0] for forms in ANSWERS.values()]


def script(student: str, sources: list[str]) -> Script:
    return Script(student, [Part(f"cell {number}", source) for number, source in enumerate(sources)])


def independent(count: int, seed: int = 0) -> list[list[str]]:
    return [draw_answers(1000 * seed + student) for student in range(count)]


def flagged(sources: list[list[str]]) -> dict[frozenset[str], float]:
    scripts = [script(str(number), own) for number, own in enumerate(sources)]
    pairs = compare(scripts, textbook=TEXTBOOK).pairs
    return {frozenset((pair.first.student, pair.second.student)): pair.score for pair in pairs}


@pytest.mark.parametrize("count", [2, 12, 40, 200])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_disguised_copy_is_found(count: int, seed: int):
    sources = independent(count, seed)
    found = flagged([*sources, disguised(sources[0], seed)])
    copy = frozenset(("0", str(count)))
    assert found.get(copy, 0) > 0.95
    assert max(found, key=found.__getitem__) == copy


def test_a_disguised_copy_shares_hardly_a_line():
    """The disguise is no straw man: compared by lines nothing is left of the original."""
    lines = [
        {line.strip() for source in sources for line in source.splitlines()}
        for sources in (draw_answers(1), disguised(draw_answers(1), 1))
    ]
    assert len(lines[0] & lines[1]) <= 2


def test_half_a_copy_is_found_in_a_class():
    sources = independent(40, 3)
    half = [*disguised(sources[0], 5)[:5], *sources[1][5:]]
    assert any("40" in pair for pair in flagged([*sources, half]))


@pytest.mark.parametrize("count", [2, 12])
@pytest.mark.parametrize("seed", range(4))
def test_independent_solutions_are_left_alone(count: int, seed: int):
    assert flagged(independent(count, seed)) == {}


def test_a_large_class_of_independent_solutions_is_nearly_left_alone():
    """Among 19,900 pairs who choose among few forms, chance makes some alike; an instructor can look at ten."""
    assert len(flagged(independent(200, 7))) <= 10


def test_textbook_and_alternative_forms_are_left_alone():
    """Two students of whom one writes as the textbook, the other in any other way, or both as the textbook."""
    for other in range(1, max(map(len, ANSWERS.values()))):
        alternative = [forms[min(other, len(forms) - 1)] for forms in ANSWERS.values()]
        assert flagged([TEXTBOOK, alternative]) == {}
    assert flagged([TEXTBOOK, TEXTBOOK]) == {}


def test_what_many_write_alike_is_not_unusual():
    """A class in which everyone hands in the same few lines says nothing about copying."""
    everyone = draw_answers(3)
    assert flagged([everyone] * 12) == {}


def test_a_single_function_alike_is_not_enough():
    one, other = independent(2, 9)
    assert flagged([one, [*other[:-1], one[-1]]]) == {}


def test_who_wrote_only_a_little_is_not_flagged_for_it():
    """Two students who wrote a single short function, the same one, which nobody else wrote so."""
    little = (
        "def relative_difference(a, b):\n    gap = np.abs(np.subtract(a, b)).max()\n    return gap / np.abs(b).max()\n"
    )
    assert flagged([*independent(12, 3), [little], [little]]) == {}


def test_what_was_given_does_not_count():
    given = draw_answers(4)
    scripts = [script("a", given), script("b", given)]
    assert compare(scripts).pairs
    assert compare(scripts, given=given).pairs == []


@pytest.mark.parametrize(
    "broken",
    [
        "def f(x) return x\n" * 30,
        "%matplotlib inline\n!ls\n?help",
        "'''never closed",
        "((((" * 500,
        "\x00\ud800 =",
        "",
        "\t",
    ],
)
def test_what_is_no_python_is_read_all_the_same(broken: str):
    sources = independent(3, 5)
    found = flagged([[broken, *own] for own in [*sources, disguised(sources[0], 1)]])
    assert list(found) == [frozenset(("0", "3"))]


def test_a_copy_whose_code_is_broken_is_found():
    sources = [[source.replace("):\n", ")\n", 1) for source in own] for own in independent(3, 5)]
    with pytest.raises(SyntaxError):
        ast.parse(sources[0][0])
    assert flagged([*sources, sources[0]]) == {frozenset(("0", "3")): 1.0}


def test_nobody_and_one_alone():
    assert compare([]).pairs == []
    assert compare([script("a", draw_answers(1))]).pairs == []
    assert compare([script("a", []), script("b", [])]).pairs == []


def test_the_order_of_students_decides_nothing():
    sources = independent(12, 2)
    sources.append(disguised(sources[0], 1))
    names = {id(own): str(number) for number, own in enumerate(sources)}
    shuffled = random.Random(1).sample(sources, len(sources))
    pairs = compare([script(names[id(own)], own) for own in shuffled], textbook=TEXTBOOK).pairs
    assert [{pair.first.student, pair.second.student} for pair in pairs] == [{"0", "12"}]


def kinds(source: str) -> list[str]:
    return [token.kind for token in code_tokens(source)]


def test_looks_make_no_difference_to_the_tokens():
    plain = "def f(x):\n    return np.abs(x + 1)\n"
    dressed = 'def g(value):  # mine\n  "Doc."\n\n  return np.abs(\n      value + 1e-3);\n'
    assert kinds(plain) == kinds(dressed)
    assert kinds(plain) != kinds(plain.replace("abs", "exp"))
    assert kinds(plain) != kinds(plain.replace("+", "-"))


def test_side_by_side_marks_what_is_alike_and_keeps_every_character():
    sources = independent(6, 2)
    scripts = [script(str(number), own) for number, own in enumerate([*sources, disguised(sources[0], 1)])]
    comparison = compare(scripts, textbook=TEXTBOOK)
    (pair,) = comparison.pairs
    left, right = side_by_side(pair, comparison)
    for own, parts in ((pair.first, left), (pair.second, right)):
        assert ["".join(piece.text for piece in part.pieces) for part in parts] == [part.source for part in own.parts]
    matches = [{piece.match for part in side for piece in part.pieces} - {0} for side in (left, right)]
    assert matches[0] == matches[1] != set()
    marked = sum(len(piece.text) for part in left for piece in part.pieces if piece.match and not piece.common)
    assert marked > sum(len(part.source) for part in pair.first.parts) / 3


def test_side_by_side_leaves_different_code_unmarked():
    sources = independent(2, 4)
    scripts = [script("a", sources[0]), script("b", sources[0]), script("c", ["print('mine', 1 + 2)\n" * 30])]
    comparison = compare(scripts)
    pair = comparison.pairs[0]
    other = type(pair)(pair.first, scripts[2], 0.0, 0.0)
    assert all(piece.match == 0 for side in side_by_side(other, comparison) for part in side for piece in part.pieces)


def test_a_students_code_is_cells_of_their_own_and_files(toy: Course, solved_text: str):
    from corpus.toy_course import ASSIGNMENT, NOTEBOOK

    folder = toy.submitted / "ana" / ASSIGNMENT
    folder.mkdir(parents=True)
    (folder / NOTEBOOK).write_text(solved_text, encoding="utf-8")
    (folder / "helper.py").write_text("def helper():\n    return 1\n")
    (folder / "link.py").symlink_to("/etc/passwd")
    (folder / "huge.py").write_text("x = 1\n" * 100_000)
    given = ['check("double", double)', 'check("square", square)', 'check("quiz", answers)']
    parts = {part.name: part.source for part in read_script(toy, ASSIGNMENT, "ana", given, []).parts}
    assert "return x + x" in "".join(parts.values())
    assert "check(" not in "".join(parts.values())
    assert parts["helper.py"].startswith("def helper")
    assert "link.py" not in parts
    assert sum(map(len, parts.values())) <= 200_000


def test_a_class_that_cannot_be_read_is_compared_all_the_same(toy: Course):
    from corpus.toy_course import ASSIGNMENT, NOTEBOOK

    for student, data in {"a": b"", "b": b"{}", "c": b"\xff\xfe"}.items():
        (toy.submitted / student / ASSIGNMENT).mkdir(parents=True)
        (toy.submitted / student / ASSIGNMENT / NOTEBOOK).write_bytes(data)
    assert compare_class(toy, ASSIGNMENT, ["a", "b", "c", "nobody"]).pairs == []


@pytest.mark.slow
@pytest.mark.parametrize("exercise", list(ANSWERS))
def test_the_answers_are_right(exercise: str, request: pytest.FixtureRequest):
    """What the tests above take for right solutions earns full marks, in its personal and in its disguised forms."""
    declared = load_exercises(request.config.rootpath / "assignments" / "week2_neural")[exercise]
    place = list(ANSWERS).index(exercise)
    for source in [*ANSWERS[exercise], draw_answers(5)[place]]:
        world = {"np": np, "tf": tf, "dense_parameters": dense_parameters}
        for used in ("logit-gradient", "lrp-0"):
            exec(ANSWERS[used][0], world)
        exec(source, world)
        answer = world[exercise.replace("-", "_")]
        outcomes = examine(
            declared.public_cases(), lambda case, answer=answer: ask(answer, case.arguments).reply, reveal=True
        )
        assert [outcome.message for outcome in outcomes if outcome.status != "passed"] == [], source
