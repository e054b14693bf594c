"""What may have gone wrong: which typical mistake gives the answers that were received."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from vitrina.messages import _
from vitrina.values import Array

if TYPE_CHECKING:
    from vitrina.judging import Case, Reply

_PERCENT = 100
_ROUNDED = 1e-3  # so near 1 a factor is rounding, such as that of half floats


def diagnose(case: Case, answer: Array, doubted: Collection[str] = ()) -> str:
    """Name the mistake behind a wrong answer: one of the exercise's own, else a wrong sign or a constant factor.

    Parameters
    ----------
    case : Case
        The question, with a right answer that is an array.
    answer : array
        What was received.
    doubted : collection of str
        Hints that are not to be given.
    """
    hint = next((hint for hint in _fitting(case, answer) if hint not in doubted), "")
    factor = "" if hint else _factor_hint(case, answer)
    return hint or (factor if factor not in doubted else "")


def doubted_hints(cases: Sequence[Case], replies: Sequence[Reply]) -> set[str]:
    """
    Find the typical mistakes that explain one answer and not another one.

    On a small case different mistakes give the same answer. One that gives another answer than the received one on some
    other case is not the one that was made; where it gives the right answer, it says nothing. Nor is an answer that is
    a multiple of the right one by chance a sign of anything, if another wrong one is none. That everything has the
    opposite sign is said only where it has in all cases: a single number has it by chance.

    Parameters
    ----------
    cases : sequence of Case
        The questions.
    replies : sequence of Reply
        What came back for the first of them, or for all.
    """
    with np.errstate(all="ignore"):  # the student's numbers may be of any size
        answered = [
            (case, reply.value)
            for case, reply in zip(cases, replies, strict=False)
            if isinstance(case.expected, np.ndarray) and isinstance(reply.value, np.ndarray)
        ]
        wrong = [(case, answer) for case, answer in answered if not _is_right(case, answer)]
        if not wrong:
            return set()
        fitting = [set(_fitting(case, answer)) for case, answer in answered]
        doubted = {
            hint
            for hint in set().union(*fitting)
            if any(_speaks_against(hint, case, fit) for (case, _), fit in zip(answered, fitting, strict=True))
        }
        factors = [
            _factor_hint(case, answer) for case, answer in wrong if np.count_nonzero(np.asarray(case.expected)) > 1
        ]
        if not all(factors):
            doubted |= set(factors)
        turned = [_is_turned(case, answer) for case, answer in answered if np.any(case.expected)]
        return doubted if all(turned) else doubted | {_turned()}


def _is_right(case: Case, answer: Array) -> bool:
    return _same(answer, np.asarray(case.expected), case.tolerance)


def _speaks_against(hint: str, case: Case, fitting: Collection[str]) -> bool:
    """Whether all mistakes of this hint lead to a wrong answer on a case, and none of them to the received one."""
    mistaken = [mistake.answer for mistake in case.mistakes if mistake.hint == hint]
    return bool(mistaken) and hint not in fitting and not any(_is_right(case, other) for other in mistaken)


def _fitting(case: Case, answer: Array) -> Iterator[str]:
    """Give the hints for the mistakes that lead to an answer, or at least to its shape if that is wrong."""
    expected, tolerance = np.asarray(case.expected), max(case.tolerance, 1e-6)
    for mistake in case.mistakes:
        if _same(answer, mistake.answer, tolerance):
            yield mistake.hint
    if answer.shape != expected.shape:  # a wrong shape is a mistake of its own, whatever the numbers are
        for mistake in case.mistakes:
            if mistake.answer.shape == answer.shape:
                yield mistake.hint


def _same(answer: Array, other: Array, tolerance: float) -> bool:
    """Whether two answers agree, also in where they are not finite."""
    if answer.shape != other.shape:
        return False
    finite = np.isfinite(other)
    same_places = np.array_equal(np.isfinite(answer), finite)
    return same_places and relative_difference(answer[finite], other[finite]) <= tolerance


def relative_difference(answer: Array, expected: Array) -> float:
    """Give the largest absolute difference over the largest absolute expected value."""
    if not expected.size:
        return 0.0
    scale = float(np.max(np.abs(expected))) or 1.0
    return float(np.max(np.abs(answer.astype(float) - expected.astype(float)))) / scale


def shape_hint(answer: Array, expected: Array) -> str:
    """Say what may have become of an axis."""
    if expected.ndim == 0:
        return _("A single number is expected: its shape is ().")
    if answer.ndim == 0:
        return _("A single value came back: return all of them, not only the last or their sum.")
    if expected.ndim == answer.ndim + 1:
        return _(
            "An axis is missing: has an index or a sum taken it away? A batch axis stays, even when there is only one "
            "input."
        )
    if expected.ndim >= 2 and answer.shape == expected.T.shape:
        return _("The axes are swapped.")
    if answer.ndim > expected.ndim and answer.size == expected.size:
        return _("The numbers are as many, but an axis of length 1 is too much: take it away, as by `x[:, 0]`.")
    return ""


def _turned() -> str:
    return _("Everything has the opposite sign.")


def _is_turned(case: Case, answer: Array) -> bool:
    return _same(answer, -np.asarray(case.expected, float), max(case.tolerance, 1e-6))


def _factor_hint(case: Case, received: Array) -> str:
    """Name the constant that an answer is too large or too small by, if there is one."""
    right, tolerance = np.asarray(case.expected), case.tolerance
    if received.shape != right.shape or not np.all(np.isfinite(received)):
        return ""
    answer, expected = received.astype(float).ravel(), right.astype(float).ravel()
    energy = float(expected @ expected)
    factor = float(answer @ expected) / energy if energy else 0.0
    if not np.isfinite(factor) or relative_difference(answer, cast(Array, factor * expected)) > tolerance * abs(factor):
        return ""
    if factor == 0 or abs(factor - 1) < _ROUNDED:
        return ""
    if abs(factor + 1) < tolerance:
        return _turned()
    if abs(factor - _PERCENT) < tolerance:
        return _("Everything is 100 times the expected value: are these percent? A share lies between 0 and 1.")
    if np.count_nonzero(expected) < 2:  # one number is always some multiple of another
        return ""
    return _(
        "Everything is {factor:.4g} times the expected value: a normalisation that the formula does not have?"
    ).format(factor=factor)
