"""A class of any size as the grader would have recorded it, without running anything."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from corpus.copyists import disguised, draw_answers
from corpus.week2_answers import ANSWERS
from vitrina.judging import Outcome, Verdict
from vitrina_autograder.analysis import summarise
from vitrina_autograder.class_report import ClassReport
from vitrina_autograder.concerns import concerns
from vitrina_autograder.course import Course
from vitrina_autograder.exercise import Outline
from vitrina_autograder.grade import Grade
from vitrina_autograder.marks import check_id
from vitrina_autograder.members import Member, absent_member, make_member
from vitrina_autograder.similarity import Part, Script, compare
from vitrina_autograder.verdicts import Record

ASSIGNMENT = "week2"
POINTS = {"softmax-gradient": 1.0, "logit-gradient": 2.0, "saliency": 1.0, "gradient-x-input": 1.0}
POINTS |= {"completeness-error": 1.0, "integrated-gradients": 3.0, "smooth-grad": 2.0, "rescale-multiplier": 1.0}
POINTS |= {"deeplift": 2.0, "lrp-0": 3.0, "lrp-epsilon": 2.0, "lrp-gamma": 2.0, "lrp-zb": 2.0, "lrp-network": 4.0}
POINTS |= {"relative-difference": 1.0, "lrp-equivalence": 3.0, "lrp-max-pool": 2.0, "lrp-average-pool": 1.0}
POINTS |= {"lrp-conv": 3.0, "lrp-conv-zb": 1.0, "lrp-cnn": 4.0, "lrp-lstm-memory": 1.0, "occlusion": 2.0}
POINTS |= {"grad-cam": 2.0, "deletion-curve": 3.0, "aopc": 1.0, "judging": 3.0}
_WRITTEN = 6.0
_CASES = ("two samples, three classes", "a batch of one", "one hidden layer", "the input is all zeros")
_FIRST = (
    "Ana Bruno Carla Diego Elena Fabio Gala Hugo Inés Juan Lola Mario Nadia Óscar Pilar Quique Rosa Saúl Teresa Úrsula"
)
_LAST = "Abad Blanco Castro Díaz Esteban Ferrer García Herrero Ibáñez Jiménez López Martín Núñez Ortega Peña Ríos Sanz"


def made_up_report(size: int, exercises: Mapping[str, Outline], folder: Path, seed: int = 1) -> ClassReport:
    """Make the report of a class: abilities and difficulties are drawn, mistakes are those that are planted.

    One in fifty is absent, quarantined or blank; one copied from another and disguised it.
    """
    rng = random.Random(seed)
    course = Course(folder)
    members = [_member(rng, exercises, index, size, course) for index in range(size)]
    analysis = summarise(ASSIGNMENT, exercises, members, POINTS)
    names = [member.student for member in analysis.counted]
    sources = [draw_answers(seed * 10_000 + index) for index in range(len(names) - 1)]
    sources.append(disguised(sources[0], seed))
    scripts = [_script(name, own) for name, own in zip(names, sources, strict=True)]
    comparison = compare(scripts, textbook=[forms[0] for forms in ANSWERS.values()])
    return ClassReport(course, analysis, comparison, concerns(analysis, comparison))


def _script(student: str, sources: Sequence[str]) -> Script:
    return Script(student, [Part(f"cell {3 * number + 7}", source) for number, source in enumerate(sources)])


def student_name(index: int) -> str:
    first, last = _FIRST.split(), _LAST.split()
    return f"{last[index % len(last)]}-{first[(index * 7) % len(first)]}-{index + 1}".lower()


def _member(rng: random.Random, exercises: Mapping[str, Outline], index: int, size: int, course: Course) -> Member:
    student = student_name(index)
    if size >= 50 and index % 50 == 17:
        return absent_member(student, exercises)
    ability = rng.gauss(0.6, 1.1)
    blank, lost = (size >= 50 and index % 50 == 23), (size >= 50 and index % 50 == 31)
    verdicts = {
        key: _verdict(rng, exercise, ability - place / 5 + 0.5, blank or lost)
        for place, (key, exercise) in enumerate(exercises.items())
    }
    record = Record(student, ASSIGNMENT, verdicts, sandbox="bubblewrap", seconds=round(rng.uniform(4, 19), 1))
    if lost:
        record.quarantine = "it is not a notebook (JSON): Expecting value: line 1 column 1 (char 0)"
        record.remarks.append(f"the submitted file could not be read: {record.quarantine}")
    elif rng.random() < 0.07:
        record.remarks.append(
            rng.choice(["`check-lrp-0` was changed and has been restored", "cell 12 cost the kernel: the kernel died"])
        )
    grade = _grade(rng, record, ability)
    page = course.feedback / student / ASSIGNMENT / "explaining_neural_networks.html"
    return make_member(student, grade, record, exercises, [page])


def _verdict(rng: random.Random, exercise: Outline, ability: float, blank: bool) -> Verdict:
    titles = exercise.questions or _CASES
    if blank or rng.random() < 0.03:
        outcomes = [Outcome(title, "unanswered", 1.0, "not answered yet", reply="unanswered") for title in titles]
    elif exercise.questions:
        outcomes = [_choice(title, rng.gauss(0, 1) < ability) for title in titles]
    else:
        outcomes = _answered(rng, exercise.hints, rng.gauss(0, 1) < ability)
    return Verdict(exercise.id, exercise.title, POINTS[exercise.id], outcomes=outcomes)


def _choice(title: str, right: bool) -> Outcome:
    return Outcome(title, "passed", 1.0) if right else Outcome(title, "failed", 1.0, "not this one")


def _answered(rng: random.Random, hints: Sequence[str], right: bool) -> list[Outcome]:
    if right:
        return [Outcome(title, "passed", 1.0) for title in _CASES]
    if rng.random() < 0.15:
        message = "your function stopped with ValueError: operands could not be broadcast together (line 4)"
        return [Outcome(title, "failed", 1.0, message, reply="raised") for title in _CASES]
    hint = hints[min(int(rng.expovariate(0.7)), len(hints) - 1)] if rng.random() < 0.8 else ""
    message = "differs from the definition: the largest difference is 0.83 of the largest value"
    passed = rng.choice([0, 0, 1, 2])
    return [
        Outcome(title, "passed" if place < passed else "failed", 1.0, message, hint)
        for place, title in enumerate(_CASES)
    ]


def _grade(rng: random.Random, record: Record, ability: float) -> Grade:
    points = {check_id(key): verdict.points for key, verdict in record.verdicts.items()}
    points["answer-why"] = max(0.0, min(_WRITTEN, round(2 * (ability + rng.gauss(1, 0.5))) / 2))
    return Grade(record.student, sum(points.values()), sum(POINTS.values()) + _WRITTEN, points, by_hand=0)
