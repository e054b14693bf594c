"""Every graded exercise proves itself: right answers earn everything, typical mistakes lose points and are named."""

from dataclasses import fields
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from vitrina.calling import ask
from vitrina.handed_in_practice import practise_kind
from vitrina.judging import Case, Outcome, Verdict, examine
from vitrina.properties import PROPERTIES
from vitrina.values import Spec, decode, encode
from vitrina_autograder.exercise import (
    DrawnQuiz,
    Exercise,
    HandedIn,
    Hunt,
    Quiz,
    exam_seed,
    load_exercises,
    practice_exercise,
)

ASSIGNMENTS = Path(__file__).parents[2] / "assignments"
SEEDS = ("public", "ada", "blaise")
POINTS = 3.0

FOLDERS = sorted(path.parent for path in ASSIGNMENTS.glob("*/exercises.py"))
DECLARED = [exercise for folder in FOLDERS for exercise in load_exercises(folder).values()]
FUNCTIONS = [exercise for exercise in DECLARED if isinstance(exercise, Exercise)]
QUIZZES = [exercise for exercise in DECLARED if isinstance(exercise, Quiz | DrawnQuiz)]
HUNTS = [exercise for exercise in DECLARED if isinstance(exercise, Hunt)]
HANDED_IN = [exercise for exercise in DECLARED if isinstance(exercise, HandedIn)]
NAMES = ("Ada Lovelace", "Blaise Pascal", "Χρήστος", " ada  LOVELACE ", "x" * 300, "🙂")


def named(exercises):
    return [pytest.param(exercise, id=exercise.id) for exercise in exercises]


def each(attribute):
    return [
        pytest.param(exercise, item, id=f"{exercise.id}-{number}")
        for exercise in FUNCTIONS
        for number, item in enumerate(getattr(exercise, attribute))
    ]


@cache
def cases_of(exercise_id, seed):
    exercise = next(item for item in DECLARED if item.id == exercise_id)
    return exercise.public_cases() if seed == "public" else exercise.cases(exam_seed(b"secret", seed, exercise_id))


def judged(exercise, answer, seed="public"):
    """Sit the exercise as practice and grading do."""

    def reply(case):
        return ask(answer, case.arguments).reply

    with np.errstate(all="ignore"):
        if seed == "public" and isinstance(exercise, HandedIn):
            outcomes = practise_kind(exercise.kind, exercise.named, reply)[0]
        elif seed != "public" and not isinstance(exercise, Exercise):
            outcomes = exercise.examine(exam_seed(b"secret", seed, exercise.id), reply)
        else:
            outcomes = examine(cases_of(exercise.id, seed), reply, reveal=seed == "public")
    return Verdict(exercise.id, exercise.title, POINTS, exercise.formula, outcomes)


def failures(verdict: Verdict) -> list[Outcome]:
    return [outcome for outcome in verdict.outcomes if outcome.status != "passed"]


def not_written_yet(*_arguments):
    raise NotImplementedError


@pytest.mark.parametrize("folder", [pytest.param(folder, id=folder.name) for folder in FOLDERS])
def test_an_assignment_has_at_least_sixteen_exercises(folder):
    assert len(load_exercises(folder)) >= 16


@pytest.mark.parametrize("exercise", named(FUNCTIONS))
def test_an_exercise_brings_its_proof(exercise):
    assert len(exercise.bugs) >= 3
    assert len(exercise.alternatives) >= 1
    assert exercise.by_properties or len({bug.hint for bug in exercise.bugs}) == len(exercise.bugs)
    assert exercise.formula
    assert exercise.competences


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("exercise", named(FUNCTIONS))
def test_cases_are_well_formed(exercise, seed):
    cases: list[Case] = cases_of(exercise.id, seed)
    assert 4 <= len(cases) <= 6
    assert len({case.title for case in cases}) == len(cases)
    for case in cases:
        assert case.properties if exercise.by_properties else np.all(np.isfinite(case.expected))
        assert set(case.properties) <= set(PROPERTIES)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("exercise", named(FUNCTIONS))
def test_the_reference_earns_everything(exercise, seed):
    verdict = judged(exercise, exercise.reference, seed)
    assert verdict.points == POINTS, failures(verdict)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("exercise", "alternative"), each("alternatives"))
def test_another_right_solution_earns_everything(exercise, alternative, seed):
    verdict = judged(exercise, alternative, seed)
    assert verdict.points == POINTS, failures(verdict)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("exercise", "bug"), each("bugs"))
def test_a_planted_bug_loses_points_and_is_named(exercise, bug, seed):
    verdict = judged(exercise, bug.function, seed)
    failed = failures(verdict)
    assert verdict.points < POINTS
    assert all(outcome.message for outcome in failed)
    if not any(unrecognisable(exercise, bug.function, seed)):
        assert bug.hint in [outcome.hint for outcome in failed]


def unrecognisable(exercise, function, seed):
    """Say case by case whether a bug leaves no answer of its own: it raises, changes its inputs or gives NaN."""
    with np.errstate(all="ignore"):
        for case in cases_of(exercise.id, seed):
            reply = ask(function, case.arguments).reply
            yield reply.status != "answered" or bool(reply.mutated) or not np.all(np.isfinite(reply.value))


@pytest.mark.parametrize("exercise", named(FUNCTIONS))
def test_a_function_that_is_not_written_is_unanswered(exercise):
    verdict = judged(exercise, not_written_yet)
    assert verdict.points == 0
    assert verdict.unanswered


@pytest.mark.parametrize("exercise", named(FUNCTIONS))
def test_two_students_get_different_cases_and_a_regrade_the_same(exercise):
    def drawn(student):
        cases = exercise.cases(exam_seed(b"secret", student, exercise.id))
        return np.concatenate([asked_and_expected(case) for case in cases])

    np.testing.assert_array_equal(drawn("ada"), drawn("ada"))
    assert not np.array_equal(drawn("ada"), drawn("blaise"))


def asked_and_expected(case):
    return np.ravel(case.expected) if case.expected is not None else numbers_in(list(case.arguments.values()))


def numbers_in(value):
    """Find all numbers in what is asked, inside what is more than a value too."""
    if isinstance(value, Spec):
        return numbers_in(fields_of(value))
    if isinstance(value, dict):
        return numbers_in(list(value.values()))
    return np.concatenate([np.zeros(0), *map(numbers_in, value)]) if isinstance(value, list) else np.ravel(value)


@pytest.mark.parametrize("exercise", named(DECLARED))
def test_arguments_travel(exercise):
    for case in exercise.public_cases():
        arrays: list[np.ndarray] = []
        returned = decode(encode(case.arguments, arrays), arrays)
        assert_same(returned, dict(case.arguments))


def assert_same(returned, sent):
    if isinstance(sent, Spec):
        assert type(returned) is type(sent)
        assert_same(fields_of(returned), fields_of(sent))
    elif isinstance(sent, dict):
        assert list(returned) == list(sent)
        for name, value in sent.items():
            assert_same(returned[name], value)
    elif isinstance(sent, list):
        assert len(returned) == len(sent)
        for one, other in zip(returned, sent, strict=True):
            assert_same(one, other)
    else:
        np.testing.assert_array_equal(returned, sent)
        assert np.asarray(returned).dtype == np.asarray(sent).dtype


def fields_of(spec):
    return {field.name: getattr(spec, field.name) for field in fields(spec)}


@pytest.mark.parametrize("quiz", named(QUIZZES))
def test_right_choices_earn_everything(quiz):
    assert judged(quiz, quiz.solution, "ada").points == POINTS


@pytest.mark.parametrize("quiz", named(QUIZZES))
def test_the_same_choice_everywhere_does_not(quiz):
    for option in {option for question in quiz.questions for option in question.options}:
        answers = {**quiz.solution, **{question.key: option for question in quiz.questions}}
        assert judged(quiz, answers, "ada").points < POINTS


@pytest.mark.parametrize("quiz", named(quiz for quiz in QUIZZES if isinstance(quiz, DrawnQuiz)))
def test_every_name_has_a_figure_of_its_own_and_clear_answers(quiz):
    for name in NAMES:
        right = {question.key: question.right for question in quiz.ask(name)}
        assert judged(quiz, {quiz.named: name, **right}, "ada").points == POINTS
        assert len({question.key for question in quiz.ask(name)}) == len(quiz.questions)
    assert quiz.ask(NAMES[0]) == quiz.ask(NAMES[3])
    others = [quiz.ask(f"student {number}") for number in range(40)]
    assert len({tuple(question.right for question in asked) for asked in others}) > 35


@pytest.mark.parametrize("quiz", named(quiz for quiz in QUIZZES if isinstance(quiz, DrawnQuiz)))
@pytest.mark.parametrize("name", ["", "   ", None, ..., 7, ["Ada"], object()])
def test_answers_about_nobodys_figure_earn_nothing(quiz, name):
    verdict = judged(quiz, {**quiz.solution, quiz.named: name}, "ada")
    assert verdict.points == 0
    assert not verdict.unanswered
    assert all(quiz.named in outcome.message for outcome in verdict.outcomes)


@pytest.mark.parametrize("quiz", named(quiz for quiz in QUIZZES if isinstance(quiz, DrawnQuiz)))
def test_answers_about_a_friends_figure_lose_points(quiz):
    answers = {**quiz.solution, quiz.named: "somebody else"}
    assert judged(quiz, answers, "ada").points < POINTS


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("blank", [{}, ...])
@pytest.mark.parametrize("exercise", named([*QUIZZES, *HUNTS, *HANDED_IN]))
def test_a_dictionary_without_answers_is_unanswered(exercise, blank, seed):
    answers = dict.fromkeys(exercise.solution, blank) if blank is ... else blank
    verdict = judged(exercise, answers, seed)
    assert verdict.unanswered
    assert verdict.points == 0


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("hunt", named(HUNTS))
def test_whatever_has_the_property_is_right(hunt, seed):
    assert len(hunt.bugs) >= 3
    assert hunt.alternatives
    for answers in (hunt.solution, *hunt.alternatives):
        verdict = judged(hunt, answers, seed)
        assert verdict.points == POINTS, failures(verdict)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("hunt", named(HUNTS))
def test_what_has_it_not_loses_points_and_a_reason_is_given(hunt, seed):
    for answers in hunt.bugs:
        verdict = judged(hunt, answers, seed)
        assert verdict.points < POINTS
        assert all(outcome.message and outcome.hint for outcome in failures(verdict))


@pytest.mark.parametrize("hunt", named(HUNTS))
def test_one_find_counts_without_the_others(hunt):
    for key in hunt.solution:
        verdict = judged(hunt, {key: hunt.solution[key]}, "ada")
        assert verdict.points == pytest.approx(POINTS / len(hunt.finds), abs=0.01)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("exercise", named(HANDED_IN))
def test_what_is_right_for_a_name_earns_everything(exercise, seed):
    answers = [exercise.solution, *exercise.alternatives, *(exercise.answer_for(name) for name in NAMES)]
    for answer in answers:
        verdict = judged(exercise, answer, seed)
        assert verdict.points == POINTS, failures(verdict)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("exercise", named(HANDED_IN))
def test_what_is_wrong_loses_points_and_a_reason_is_given(exercise, seed):
    assert len(exercise.bugs) >= 3
    for answer in exercise.bugs:
        verdict = judged(exercise, answer, seed)
        assert verdict.points < POINTS
        assert any(outcome.message and outcome.hint for outcome in failures(verdict))


@pytest.mark.parametrize("quiz", named(QUIZZES))
def test_a_release_tells_no_right_choice(quiz):
    for case, question in zip(practice_exercise(quiz, POINTS).cases, quiz.questions, strict=True):
        assert case.expected is None
        assert question.right in question.options
        assert len(set(question.options)) == len(question.options)


@pytest.mark.parametrize("exercise", named(FUNCTIONS))
@pytest.mark.parametrize(
    "lazy", [lambda first, *_rest: np.zeros_like(first), lambda *_all: 0.0, lambda *_all: np.ones(3)]
)
def test_a_constant_earns_nothing(exercise, lazy):
    def answer(*arguments):
        arrays = [item for item in arguments if isinstance(item, np.ndarray)]
        return lazy(*arrays)

    assert judged(exercise, answer, "ada").points == 0
