"""`check(...)`: the one line under every graded exercise, for practice and for grading."""

from __future__ import annotations

import os
import sys

from vitrina.grading import sit_exam
from vitrina.judging import Verdict
from vitrina.panel import text_panel
from vitrina.practice import practise
from vitrina.protocol import EXAMINER_VARIABLE


def check(exercise: str, answer: object) -> Verdict:
    """Check the answer to an exercise.

    On your own machine this runs the exercise's public cases and axioms and explains what is wrong. When your
    work is graded, the same line answers the examiner's questions, drawn for you.

    Parameters
    ----------
    exercise : str
        The exercise's id.
    answer : callable or mapping or array_like
        What you wrote: a function, the answers to a quiz, or a value.

    Returns
    -------
    Verdict
        Shown as a panel; as plain text it is the number of points earned.
    """
    address = os.environ.get(EXAMINER_VARIABLE)
    if address:
        return sit_exam(exercise, answer, address)
    verdict = practise(exercise, answer)
    if not _in_notebook():
        print(text_panel(verdict))
    return verdict


def _in_notebook() -> bool:
    return "ipykernel" in sys.modules
