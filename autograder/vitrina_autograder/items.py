"""Item analysis of each exercise: its figures, and which mistake how many students made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vitrina.judging import Verdict
from vitrina_autograder.exercise import AnyExercise, Quiz
from vitrina_autograder.members import Member
from vitrina_autograder.psychometrics import (
    Floats,
    Statistic,
    difficulty,
    discrimination_index,
    item_rest_correlation,
)


@dataclass(frozen=True)
class MistakeCount:
    """How many students made a mistake: one planted in the exercise, or another that was recognised."""

    hint: str
    students: int
    planted: bool


@dataclass(frozen=True)
class Item:
    """Item analysis of one exercise.

    Attributes
    ----------
    exercise : Exercise or Quiz
        What was asked.
    max_points : float
        What it is worth.
    students : int
        How many students' answers were examined, unanswered ones included.
    unanswered : int
        Of these, how many had not begun: they earn 0 and count as such.
    unreached : int
        How many answers the examiner could not reach: these are left out.
    stopped : int
        How many functions stopped with an error, ran out of time or gave nothing readable.
    unexplained : int
        How many students lost points in a way that no hint explains.
    difficulty, item_rest, discrimination : Statistic
        See `vitrina_autograder.psychometrics`.
    mistakes : sequence of MistakeCount
        Planted ones as declared, then others by frequency; for a quiz the questions.
    """

    exercise: AnyExercise
    max_points: float
    students: int
    unanswered: int
    unreached: int
    stopped: int
    unexplained: int
    difficulty: Statistic
    item_rest: Statistic
    discrimination: Statistic
    mistakes: Sequence[MistakeCount]


def share_matrix(members: Sequence[Member], exercises: Sequence[AnyExercise]) -> Floats:
    """Make the array of shares of points, shape (students, exercises); NaN where the answer was not examined."""
    rows = [[_share(member, exercise) for exercise in exercises] for member in members]
    return np.array(rows, dtype=float).reshape(len(members), len(exercises))


def _share(member: Member, exercise: AnyExercise) -> float:
    result = member.results.get(exercise.id)
    return result.share if result and result.examined else float("nan")


def analyse_items(members: Sequence[Member], exercises: Sequence[AnyExercise], points: Floats) -> list[Item]:
    """Analyse each exercise.

    Parameters
    ----------
    members : sequence of Member
        Those who count.
    exercises : sequence of exercises
        What was asked.
    points : array, shape (exercises,)
        What each is worth.
    """
    shares = share_matrix(members, exercises)
    figures = zip(
        difficulty(shares), item_rest_correlation(shares, points), discrimination_index(shares, points), strict=True
    )
    return [
        _item(members, exercise, float(most), *three)
        for exercise, most, three in zip(exercises, points, figures, strict=True)
    ]


def _item(
    members: Sequence[Member], exercise: AnyExercise, points: float, p: Statistic, r: Statistic, d: Statistic
) -> Item:
    results = [member.results[exercise.id] for member in members if exercise.id in member.results]
    verdicts = [result.verdict for result in results if result.examined]
    return Item(
        exercise=exercise,
        max_points=points,
        students=len(verdicts),
        unanswered=sum(verdict.unanswered for verdict in verdicts),
        unreached=len(members) - len(verdicts),
        stopped=sum(any(outcome.reply not in ("answered", "unanswered") for outcome in v.outcomes) for v in verdicts),
        unexplained=0 if isinstance(exercise, Quiz) else sum(map(_is_unexplained, verdicts)),
        difficulty=p,
        item_rest=r,
        discrimination=d,
        mistakes=_mistakes(exercise, verdicts),
    )


def _is_unexplained(verdict: Verdict) -> bool:
    failed = [outcome for outcome in verdict.outcomes if outcome.status == "failed" and outcome.reply == "answered"]
    return bool(failed) and not any(outcome.hint for outcome in verdict.outcomes)


def _mistakes(exercise: AnyExercise, verdicts: Sequence[Verdict]) -> list[MistakeCount]:
    """Count each mistake once a student, however many cases show it."""
    if isinstance(exercise, Quiz):
        missed = Counter(title for verdict in verdicts for title in _failed_titles(verdict))
        return [MistakeCount(question.key, missed[question.key], planted=True) for question in exercise.questions]
    found = Counter(hint for verdict in verdicts for hint in {outcome.hint for outcome in verdict.outcomes} - {""})
    planted = list(dict.fromkeys(bug.hint for bug in exercise.bugs))
    others = sorted((-count, hint) for hint, count in found.items() if hint not in planted)
    return [
        *(MistakeCount(hint, found[hint], planted=True) for hint in planted),
        *(MistakeCount(hint, -count, planted=False) for count, hint in others),
    ]


def _failed_titles(verdict: Verdict) -> set[str]:
    return {outcome.title for outcome in verdict.outcomes if outcome.status == "failed"}
