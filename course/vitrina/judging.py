"""Judging an answer: one code for practice on the student's machine and for scoring by the examiner.

A `Case` is one question put to the student's function. A `Reply` is what came back. `judge` compares the two and
explains: which formula was expected, and which typical mistake gives exactly the answer that was received.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np

from vitrina.diagnosing import diagnose, doubted_hints, relative_difference, shape_hint
from vitrina.messages import _
from vitrina.properties import PROPERTIES, PROPERTY_HINTS
from vitrina.stumbles import hint_for
from vitrina.values import Array, realise

Status = Literal["passed", "failed", "unanswered", "recorded"]
ReplyStatus = Literal["answered", "unanswered", "raised", "timed out", "unreadable"]
REPLY_STATUSES = get_args(ReplyStatus)


@dataclass(frozen=True)
class Mistake:
    """A typical mistake on one case: the answer it leads to and the hint that helps."""

    hint: str
    answer: Array


@dataclass(frozen=True)
class Case:
    """One question.

    Attributes
    ----------
    title : str
        What is special about it, for the student: "two inputs, three classes".
    arguments : mapping
        Argument names and values of the call, in order.
    expected : array or str or None
        The right answer; `None` where properties alone decide or where it may not leave the examiner.
    tolerance : float
        Largest allowed difference, relative to the largest absolute expected value.
    properties : sequence of str
        Names in `vitrina.properties.PROPERTIES` that the answer must have.
    options : sequence of str
        The allowed answers of a multiple-choice question; empty for a computation.
    weight : float
        Share of the exercise's points.
    edge : bool
        Whether the right answer is trivial; it then earns points only beside a case that is not.
    by_itself : bool
        Whether it may be answered though another one is not, as a multiple-choice question always may.
    """

    title: str
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    expected: Array | str | None = None
    tolerance: float = 1e-4
    properties: Sequence[str] = ()
    mistakes: Sequence[Mistake] = ()
    options: Sequence[str] = ()
    weight: float = 1.0
    edge: bool = False
    by_itself: bool = False


@dataclass(frozen=True)
class Reply:
    """What the student's function gave for one case."""

    status: ReplyStatus
    value: Array | str | None = None
    error: str = ""
    mutated: Sequence[str] = ()


@dataclass(frozen=True)
class Outcome:
    """The judgement of one case, for the panel.

    Attributes
    ----------
    reply : str
        How the function replied: "answered", or what went wrong before there was an answer.
    expected, received : array or None
        Right answer and received one, for public cases only.
    share : float
        What a failed case earns of its weight all the same, from 0 to 1.
    """

    title: str
    status: Status
    weight: float
    message: str = ""
    hint: str = ""
    edge: bool = False
    reply: ReplyStatus = "answered"
    expected: Array | None = None
    received: Array | None = None
    share: float = 0.0

    @property
    def earned(self) -> float:
        """How much of the weight it earns."""
        return self.weight * (1.0 if self.status in ("passed", "recorded") else self.share)


@dataclass(frozen=True)
class Verdict:
    """The judgement of one exercise.

    Attributes
    ----------
    note : str
        What else is to be said of it.
    picture : str
        What was handed in as a picture, a PNG file in base 64; only in practice.
    drawn_for : str
        The name that was handed in, where something is drawn for a name.
    """

    exercise: str
    title: str
    max_points: float
    formula: str = ""
    outcomes: Sequence[Outcome] = ()
    note: str = ""
    picture: str = ""
    drawn_for: str = ""

    @property
    def points(self) -> float:
        """Points earned: the share of earned weight, never more than `max_points`."""
        total = math.fsum(outcome.weight for outcome in self.outcomes)
        earning = [outcome for outcome in self.outcomes if outcome.earned]
        earned = 0.0 if all(outcome.edge for outcome in earning) else math.fsum(o.earned for o in earning)
        # divided first: what is earned in full is a share of exactly 1
        return float(min(self.max_points, round(self.max_points * (earned / total), 2))) if total else 0.0

    @property
    def unanswered(self) -> bool:
        """Whether the student has not begun: no case got an answer."""
        return bool(self.outcomes) and all(outcome.status == "unanswered" for outcome in self.outcomes)

    def __repr__(self) -> str:
        """Give the points as plain text, which nbgrader's *Validate* button reads as the score."""
        return str(self.points)

    def _repr_html_(self) -> str:
        from vitrina.panel import html_panel

        return html_panel(self)


@dataclass(frozen=True)
class _Finding:
    """Why an answer is wrong."""

    message: str
    hint: str = ""


def examine(cases: Sequence[Case], ask: Callable[[Case], Reply], *, reveal: bool) -> list[Outcome]:
    """Put the cases one after the other and judge the replies.

    After a case without an answer the rest is not tried: a function that is not written yet, or that never ends,
    would only cost its time again. The questions of a quiz stand each for itself.

    Parameters
    ----------
    cases : sequence of Case
        The questions.
    ask : callable
        Gets the reply to one case.
    reveal : bool
        Whether outcomes may show right answers: only for cases that are public anyway.
    """
    replies: list[Reply] = []
    for case in cases:
        replies.append(ask(case))
        if replies[-1].status in ("unanswered", "timed out") and not (case.options or case.by_itself):
            break
    doubted = doubted_hints(cases, replies)
    outcomes = [judge(case, reply, reveal=reveal, doubted=doubted) for case, reply in zip(cases, replies, strict=False)]
    return outcomes + [_not_tried(case, outcomes[-1]) for case in cases[len(outcomes) :]]


def _not_tried(case: Case, last: Outcome) -> Outcome:
    message = _("not tried") if last.status == "failed" else last.message
    return replace(_outcome(case, last.status, message), reply=last.reply)


def judge(case: Case, reply: Reply, *, reveal: bool, doubted: Collection[str] = ()) -> Outcome:
    """Judge one reply.

    Parameters
    ----------
    case : Case
        The question with its right answer.
    reply : Reply
        What the student's function gave; nothing in it is trusted.
    reveal : bool
        Whether the outcome may show the right answer: only for cases that are public anyway.
    doubted : collection of str
        Hints that other replies speak against: they are not given.
    """
    if reply.status == "unanswered" and case.options and reply.error:
        return _outcome(case, "failed", reply.error)
    if reply.status == "unanswered":
        return replace(_outcome(case, "unanswered", _("not answered yet")), reply=reply.status)
    if case.options:
        return _judge_choice(case, reply)
    with np.errstate(all="ignore"):  # the student's numbers may be of any size
        finding = _judge_reply(case, reply, doubted, reveal=reveal)
    if finding is None:
        return _outcome(case, "passed")
    outcome = replace(_outcome(case, "failed", finding.message), hint=finding.hint, reply=reply.status)
    if reveal and not reply.mutated and isinstance(case.expected, np.ndarray) and isinstance(reply.value, np.ndarray):
        return replace(outcome, expected=case.expected, received=reply.value)
    return outcome


def _outcome(case: Case, status: Status, message: str = "") -> Outcome:
    return Outcome(case.title, status, case.weight, message, edge=case.edge)


def _judge_choice(case: Case, reply: Reply) -> Outcome:
    if reply.status == "raised":
        return replace(_outcome(case, "failed", reply.error), reply=reply.status)
    if not isinstance(reply.value, str) or reply.value not in case.options:
        message = _("answer with one of: {options}").format(options=", ".join(map(repr, case.options)))
        return _outcome(case, "failed", message)
    if case.expected is None:
        return _outcome(case, "recorded", _("recorded; it is judged when your work is graded"))
    return _outcome(case, "passed") if reply.value == case.expected else _outcome(case, "failed", _("not this one"))


def _judge_reply(case: Case, reply: Reply, doubted: Collection[str], *, reveal: bool) -> _Finding | None:
    if reply.status != "answered":
        return _Finding(reply.error, hint_for(reply.error) if reply.status == "raised" else "")
    if not isinstance(reply.value, np.ndarray):
        return _Finding(_("the answer is text; an array of numbers is expected"))
    if reply.mutated:
        names = ", ".join(reply.mutated)
        return _Finding(
            _("your function changes its input `{names}`").format(names=names),
            _(
                "Work on a copy: `x += y`, `x[i] = y` and `x.append(y)` change what the caller holds; `x = x + y` does "
                "not."
            ),
        )
    return _judge_array(case, reply.value, doubted, reveal=reveal)


def _judge_array(case: Case, answer: Array, doubted: Collection[str], *, reveal: bool) -> _Finding | None:
    if case.expected is not None:
        expected = np.asarray(case.expected)
        finding = _compare(answer, expected, case.tolerance)
        if finding is not None:
            return _Finding(finding.message, diagnose(case, answer, doubted) or finding.hint)
    broken = _broken(answer)
    if broken is not None:
        return broken
    arguments = realise(case.arguments, shared=True) if case.properties else {}
    for name in case.properties:
        message = PROPERTIES[name](arguments, answer)
        if message is not None:  # it may hold sums of what was asked or expected
            said = message if reveal else _("this does not hold: {name}").format(name=name)
            return _Finding(said, PROPERTY_HINTS.get(name, ""))
    return None


def _compare(answer: Array, expected: Array, tolerance: float) -> _Finding | None:
    if answer.shape != expected.shape:
        return _Finding(
            _("expected the shape {expected}, got {received}").format(expected=expected.shape, received=answer.shape),
            shape_hint(answer, expected),
        )
    broken = _broken(answer)
    if broken is not None:
        return broken
    difference = relative_difference(answer, expected)
    return None if difference <= tolerance else _Finding(_told(answer, expected, tolerance, difference))


def _told(answer: Array, expected: Array, tolerance: float, difference: float) -> str:
    """Say how far an answer is off: truth values and whole numbers are right or wrong."""
    if expected.dtype.kind in "biu" and expected.size > 1:
        wrong = int(np.count_nonzero(np.abs(answer.astype(float) - expected) > tolerance))
        message = _("differs from the definition: {wrong} of {size} values are wrong")
        return message.format(wrong=wrong, size=expected.size)
    message = _("differs from the definition: the largest difference is {difference:.3g} of the largest value")
    if expected.size == 1:
        message = _("differs from the definition: it is off by {difference:.3g} of the right value")
    return message.format(difference=difference)


def _broken(answer: Array) -> _Finding | None:
    broken = int(np.size(answer) - np.count_nonzero(np.isfinite(answer)))
    if not broken:
        return None
    return _Finding(
        _("{broken} of {size} values are NaN or infinite").format(broken=broken, size=answer.size),
        _(
            "Somewhere you divide by zero, take the logarithm of 0, average nothing or put NaN in. Print the parts of "
            "your formula, and find the first one that is not a number."
        ),
    )
