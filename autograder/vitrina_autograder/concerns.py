"""Things to look at: what an instructor should see first, in order of importance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from vitrina.messages import _
from vitrina.own_language import plain_name
from vitrina_autograder.analysis import ClassAnalysis
from vitrina_autograder.members import Member
from vitrina_autograder.similarity import Comparison

#: From what may be an attack or a loss to what is only worth knowing.
Kind = Literal[
    "alarm",
    "quarantined",
    "similar",
    "same name",
    "unsafe",
    "not graded",
    "partly graded",
    "exercise",
    "unusual",
    "stopped",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
#: A correlation over n students is below minus this over √n by chance once in twenty times.
_CHANCE = 1.64
_SERIOUS: tuple[Kind, ...] = ("alarm", "quarantined", "similar", "same name", "unsafe", "not graded")


@dataclass(frozen=True)
class Concern:
    """One thing to look at.

    Attributes
    ----------
    kind : str
        Of what kind; `KINDS` has them in order of importance.
    students : tuple of str
        Whom it is about; nobody where it is about an exercise.
    text : str
        What was found.
    """

    kind: Kind
    students: tuple[str, ...]
    text: str

    @property
    def serious(self) -> bool:
        """Whether an instructor has to act."""
        return self.kind in _SERIOUS


def concerns(analysis: ClassAnalysis, comparison: Comparison) -> list[Concern]:
    """List what to look at, most important first; what is true of several students is said once."""
    together: dict[tuple[Kind, str], list[str]] = defaultdict(list)
    for kind, student, text in _of_members(analysis):
        together[kind, text].append(student)
    found = [Concern(kind, tuple(dict.fromkeys(students)), text) for (kind, text), students in together.items()]
    found += [*_similar(comparison), *_of_one_name(analysis), *_of_exercises(analysis)]
    return sorted(found, key=lambda concern: KINDS.index(concern.kind))


def _of_members(analysis: ClassAnalysis) -> Iterator[tuple[Kind, str, str]]:
    for member in analysis.members:
        for kind, text in _of_member(member):
            yield kind, member.student, text


def _of_member(member: Member) -> Iterator[tuple[Kind, str]]:
    if member.standing == "not graded":
        yield "not graded", _("not graded yet")
    if member.unsafe:
        yield "unsafe", _("graded without a sandbox")
    quarantine = member.record.quarantine if member.record else ""
    remarks = member.record.remarks if member.record else []
    if quarantine and not any(quarantine in remark for remark in remarks):
        yield "quarantined", quarantine
    yield from _each("alarm", member.alarms)
    yield from _each("quarantined" if quarantine else "unusual", remarks)
    yield from _each("partly graded", member.unreached)
    yield from _each("stopped", member.stopped)


def _each(kind: Kind, texts: Sequence[str]) -> Iterator[tuple[Kind, str]]:
    return ((kind, text) for text in texts)


def _similar(comparison: Comparison) -> Iterator[Concern]:
    text = _("unusually similar code: {share:.0%} of what is unusual in the shorter one is in the other")
    for pair in comparison.pairs:
        yield Concern("similar", (pair.first.student, pair.second.student), text.format(share=pair.score))


def _of_one_name(analysis: ClassAnalysis) -> Iterator[Concern]:
    """Find who answered what was drawn for the same name; the name itself stays unsaid, as ids may be pseudonyms."""
    together: dict[tuple[str, str], list[str]] = defaultdict(list)
    for member in analysis.members:
        for result in member.results.values():
            if name := plain_name(result.verdict.drawn_for):
                together[result.verdict.title, name].append(member.student)
    for (title, _name), students in together.items():
        if len(students) > 1:
            text = _("{title}: handed in for one and the same name, so that one answer is right for all of them")
            yield Concern("same name", tuple(students), text.format(title=title))


def _of_exercises(analysis: ClassAnalysis) -> Iterator[Concern]:
    for item in analysis.items:
        correlation = item.item_rest.value
        if correlation is not None and correlation < -_CHANCE / item.students**0.5:
            text = _("{title}: students who are better at the rest do worse here (r = {r:.2f}); is something wrong?")
            yield Concern("exercise", (), text.format(title=item.exercise.title, r=correlation))
