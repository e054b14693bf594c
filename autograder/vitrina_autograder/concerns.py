"""Things to look at: what an instructor should see first, in order of importance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from vitrina.messages import _
from vitrina_autograder.analysis import ClassAnalysis
from vitrina_autograder.similarity import Comparison

#: From what may be an attack or a loss to what is only worth knowing.
Kind = Literal["alarm", "quarantined", "similar", "unsafe", "not graded", "partly graded", "exercise", "unusual"]
KINDS: tuple[Kind, ...] = get_args(Kind)
#: A correlation over n students is below minus this over √n by chance once in twenty times.
_CHANCE = 1.64


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


def concerns(analysis: ClassAnalysis, comparison: Comparison) -> list[Concern]:
    """List what to look at, most important first; what is true of several students is said once."""
    together: dict[tuple[Kind, str], list[str]] = defaultdict(list)
    for kind, student, text in _of_members(analysis):
        together[kind, text].append(student)
    found = [Concern(kind, tuple(dict.fromkeys(students)), text) for (kind, text), students in together.items()]
    found += [*_similar(comparison), *_of_exercises(analysis)]
    return sorted(found, key=lambda concern: KINDS.index(concern.kind))


def _of_members(analysis: ClassAnalysis) -> Iterator[tuple[Kind, str, str]]:
    for member in analysis.members:
        record = member.record
        if record is None:
            if member.standing == "not graded":
                yield "not graded", member.student, _("not graded yet")
            continue
        for alarm in member.alarms:
            yield "alarm", member.student, alarm
        if member.unsafe:
            yield "unsafe", member.student, _("graded without a sandbox")
        kind: Kind = "quarantined" if record.quarantine else "unusual"
        if record.quarantine and not any(record.quarantine in remark for remark in member.remarks):
            yield kind, member.student, record.quarantine
        for remark in member.remarks:
            partly = any(remark.endswith(verdict.note) for verdict in record.verdicts.values() if verdict.note)
            yield "partly graded" if partly else kind, member.student, remark


def _similar(comparison: Comparison) -> Iterator[Concern]:
    text = _("unusually similar code: {share:.0%} of what is unusual in the shorter one is in the other")
    for pair in comparison.pairs:
        yield Concern("similar", (pair.first.student, pair.second.student), text.format(share=pair.score))


def _of_exercises(analysis: ClassAnalysis) -> Iterator[Concern]:
    for item in analysis.items:
        correlation = item.item_rest.value
        if correlation is not None and correlation < -_CHANCE / item.students**0.5:
            text = _("{title}: students who are better at the rest do worse here (r = {r:.2f}); is something wrong?")
            yield Concern("exercise", (), text.format(title=item.exercise.title, r=correlation))
