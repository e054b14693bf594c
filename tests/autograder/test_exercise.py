"""An exercise draws its cases from a seed: the same for a regrade, others for another student."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrina.judging import Case
from vitrina.practice import write_practice
from vitrina_autograder.course import CourseError
from vitrina_autograder.exercise import (
    PUBLIC_SEED,
    Draw,
    Exercise,
    PlantedBug,
    Question,
    Quiz,
    exam_seed,
    load_exercises,
    load_materials,
    practice_exercise,
)

NAMES = st.text(max_size=8).filter(lambda name: "\0" not in name)


def draw(generator):
    return [
        Draw(f"{size} rows", (generator.standard_normal((size, 2)), 3), properties=["same shape"], weight=size)
        for size in (1, 4)
    ]


def reference(inputs, factor):
    return factor * inputs


def mutating(inputs, factor):
    inputs *= factor
    return inputs


def failing(inputs, factor):
    raise ValueError(inputs, factor)


TIMES = Exercise(
    id="times",
    title="Times",
    formula="y = k x",
    competences=["algebra"],
    reference=reference,
    draw=draw,
    tolerance=1e-6,
    bugs=[
        PlantedBug("added", lambda inputs, factor: inputs + factor),
        PlantedBug("raises", failing),
        PlantedBug("ragged", lambda inputs, factor: [[1], [2, factor], inputs]),
        PlantedBug("nothing", lambda inputs, factor: None),  # noqa: ARG005
        PlantedBug("divides", lambda inputs, factor: inputs / (factor - factor)),
    ],
)
QUIZ = Quiz(
    id="rules",
    title="Rules",
    formula="",
    competences=[],
    questions=[Question("a", ["x", "y"], "x"), Question("b", ["x", "y"], "y")],
)


def same(left: list[Case], right: list[Case]) -> bool:
    return all(np.array_equal(a.arguments["inputs"], b.arguments["inputs"]) for a, b in zip(left, right, strict=True))


@given(st.binary(min_size=1), NAMES, NAMES)
def test_a_regrade_repeats_its_cases(secret, student, exercise):
    seed = exam_seed(secret, student, exercise)
    assert seed == exam_seed(bytes(secret), str(student), str(exercise))
    assert len(seed) == 32
    assert same(TIMES.cases(seed), TIMES.cases(seed))


@given(
    st.tuples(st.binary(min_size=1, max_size=64), NAMES, NAMES),
    st.tuples(st.binary(min_size=1, max_size=64), NAMES, NAMES),
)
def test_another_student_exercise_or_secret_has_other_cases(left, right):
    if (left[0].rstrip(b"\0"), *left[1:]) == (right[0].rstrip(b"\0"), *right[1:]):
        return  # HMAC pads keys with zeros
    assert exam_seed(*left) != exam_seed(*right)
    assert not same(TIMES.cases(exam_seed(*left)), TIMES.cases(exam_seed(*right)))


def test_names_are_not_run_together():
    assert exam_seed(b"k", "ana", "bx") != exam_seed(b"k", "anab", "x")
    assert exam_seed(b"k", "\ud800", "x") != exam_seed(b"k", "?", "x")


def test_a_seed_is_the_same_in_every_process():
    assert exam_seed(b"secret", "ana", "times").hex().startswith("fad6dcba")
    np.testing.assert_allclose(TIMES.cases(b"seed")[0].arguments["inputs"].sum(), 0.7105186)


def test_public_cases_are_not_those_of_a_student():
    assert same(TIMES.public_cases(), TIMES.cases(PUBLIC_SEED + b"times"))
    assert not same(TIMES.public_cases(), TIMES.cases(exam_seed(b"secret", "ana", "times")))


def test_a_case_has_the_answer_of_the_reference_and_of_the_mistakes():
    case = TIMES.cases(b"seed")[1]
    assert list(case.arguments) == ["inputs", "factor"]
    np.testing.assert_array_equal(case.expected, 3 * case.arguments["inputs"])
    assert (case.title, case.weight, case.tolerance, case.properties) == ("4 rows", 4, 1e-6, ["same shape"])
    assert [mistake.hint for mistake in case.mistakes] == ["added", "divides"]
    np.testing.assert_array_equal(case.mistakes[0].answer, case.arguments["inputs"] + 3)


def test_neither_the_reference_nor_a_bug_can_change_the_question():
    clean = TIMES.cases(b"seed")[0].arguments["inputs"]
    bad = Exercise(
        id="m", title="", formula="", competences=[], reference=mutating, draw=draw, bugs=[PlantedBug("m", mutating)]
    )
    np.testing.assert_array_equal(bad.cases(b"seed")[0].arguments["inputs"], clean)


def test_a_draw_must_have_every_argument():
    short = Exercise(
        id="s", title="", formula="", competences=[], reference=reference, draw=lambda _g: [Draw("one", (1,))]
    )
    with pytest.raises(ValueError, match="shorter"):
        short.cases(b"")


def test_the_public_questions_of_a_quiz_have_no_answers(tmp_path):
    assert [case.expected for case in QUIZ.cases(b"any")] == ["x", "y"]
    assert [case.expected for case in QUIZ.public_cases()] == [None, None]
    other = Quiz(**{**vars(QUIZ), "questions": [Question("a", ["x", "y"], "y"), Question("b", ["x", "y"], "x")]})
    write_practice(tmp_path / "one", [practice_exercise(QUIZ, 2.0)])
    write_practice(tmp_path / "two", [practice_exercise(other, 2.0)])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_the_release_gets_only_the_public_part():
    public = practice_exercise(TIMES, 4.0)
    assert (public.id, public.title, public.points, public.formula) == ("times", "Times", 4.0, "y = k x")
    assert same(list(public.cases), TIMES.public_cases())


DECLARATION = """
from vitrina_autograder.exercise import Question, Quiz
def quiz(name):
    return Quiz(id=name, title="", formula="", competences=[], questions=[Question("q", ["a"], "a")])
"""


def test_exercises_are_loaded_by_their_ids(tmp_path):
    (tmp_path / "exercises.py").write_text(DECLARATION + "EXERCISES = [quiz('a'), quiz('b')]\nMATERIALS = {'f': print}")
    assert list(load_exercises(tmp_path)) == ["a", "b"]
    assert load_materials(tmp_path) == {"f": print}
    (tmp_path / "exercises.py").write_text(DECLARATION + "EXERCISES = [quiz('c')]  # edited")
    assert list(load_exercises(tmp_path)) == ["c"]
    assert load_materials(tmp_path) == {}


@pytest.mark.parametrize("declared", ["", "EXERCISES = []", "EXERCISES = [quiz('a'), quiz('a')]"])
def test_a_bad_declaration_says_what_to_do(tmp_path, declared):
    (tmp_path / "exercises.py").write_text(DECLARATION + declared)
    with pytest.raises(CourseError, match="EXERCISES"):
        load_exercises(tmp_path)


def test_a_missing_declaration_says_what_to_do(tmp_path):
    with pytest.raises(CourseError, match=r"exercises\.py is missing"):
        load_exercises(tmp_path)
