"""`check(...)`: the one line under every graded exercise, for practice and for grading."""

from __future__ import annotations

import os
import sys
from typing import Any

from vitrina.grading import sit_exam
from vitrina.judging import Outcome, Verdict
from vitrina.messages import _
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


def explain_missing_names() -> None:
    """Say what to do, instead of showing a stack trace, where a `check(...)` cell names what is not defined yet."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None and EXAMINER_VARIABLE not in os.environ:
        shell.set_custom_exc((NameError,), _explain_missing_name)


def _explain_missing_name(shell: Any, kind: type, error: NameError, trace: Any, tb_offset: Any = None) -> list[str]:
    cell = str(shell.user_ns.get("In", [""])[-1]).strip()
    if not cell.startswith("check("):
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
        return []
    message = _("`{name}` is not defined: run the cell that defines it, and compare the names").format(name=error.name)
    display = sys.modules["IPython.display"].display
    display(Verdict(cell, cell, 0.0, outcomes=[Outcome(_("cannot check"), "failed", 1.0, message)]))
    return []
