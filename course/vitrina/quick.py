"""Quick questions: a question in a lesson with a few answers, each of which says at once why it is right or wrong.

In a notebook every answer opens like a lid: no kernel, no script and no style sheet is needed, so it works by keyboard,
in light and dark themes and in a page that was saved. In a plain script the question is printed with its answers.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from string import ascii_lowercase
from textwrap import fill

from vitrina.messages import _
from vitrina.panel import code_spans

_RIGHT, _WRONG = "#1a9850", "#d73027"
_WIDTH = 100  # characters of a line in a terminal
_FRAME = "border-left: 4px solid #4575b4; padding: 4px 12px; margin: 4px 0; font-size: 14px; max-width: 52em"
_LID = "border: 1px solid rgba(128, 128, 128, 0.4); border-radius: 6px; padding: 5px 10px; margin: 5px 0"


@dataclass(frozen=True)
class Choice:
    """One answer to choose; made by `right` and `wrong`."""

    text: str
    why: str
    is_right: bool


def right(text: str, why: str) -> Choice:
    """
    Make an answer that is right.

    Parameters
    ----------
    text : str
        The answer.
    why : str
        Why it is right, in a sentence or two.
    """
    return Choice(text, why, is_right=True)


def wrong(text: str, why: str) -> Choice:
    """
    Make an answer that is wrong.

    Parameters
    ----------
    text : str
        The answer: one that somebody could believe.
    why : str
        Why it is wrong, and what the reader may have been thinking of.
    """
    return Choice(text, why, is_right=False)


@dataclass(frozen=True, repr=False)
class QuickQuestion:
    """A question and its answers; shown by a notebook when it is a cell's last value."""

    question: str
    choices: Sequence[Choice]

    def _repr_html_(self) -> str:
        lids = "".join(map(_lid, self.choices))
        title, advice = _("Quick question"), _("Open the answer that you would give.")
        return (
            f'<div role="group" aria-label="{escape(title)}" style="{_FRAME}">'
            f"<div><b>{escape(title)}:</b> {code_spans(self.question)}</div>"
            f'<div style="opacity: 0.75; margin: 2px 0 6px 0"><i>{escape(advice)}</i></div>{lids}</div>'
        )

    def __repr__(self) -> str:
        answers = list(zip(ascii_lowercase, self.choices, strict=False))
        return "\n".join(
            [
                fill(_("Quick question") + ": " + self.question, _WIDTH),
                *(_item(f"  {letter}) ", choice.text) for letter, choice in answers),
                "",
                *(_item(f"  {letter}: {_verdict(choice)} ", choice.why) for letter, choice in answers),
            ]
        )


def quick(question: str, *choices: Choice) -> QuickQuestion:
    """
    Ask a quick question.

    In the texts, backticks set code and dollars set formulas; everything else stands as it is written.

    Parameters
    ----------
    question : str
        The question.
    choices : Choice
        The answers in the order in which they are shown, made by `right` and `wrong`; at least one of each.

    Returns
    -------
    QuickQuestion
        What a notebook shows. In a script the question has been printed.

    Raises
    ------
    ValueError
        If a text is empty or no answer is right, or none wrong.

    Examples
    --------
    >>> quick(
    ...     "A pixel is 0. What does Gradient × Input give it?",
    ...     wrong("Its gradient", "That is what saliency shows, without its sign."),
    ...     right("Exactly 0", "The gradient is multiplied by the pixel, and the pixel is 0."),
    ... )
    """
    if {choice.is_right for choice in choices} != {True, False}:
        raise ValueError("a quick question needs at least one right(...) and one wrong(...) answer")
    if not all(text.strip() for text in (question, *(text for c in choices for text in (c.text, c.why)))):
        raise ValueError("question, answers and reasons of a quick question must say something")
    asked = QuickQuestion(question, choices)
    if "ipykernel" not in sys.modules:
        print(asked)
    return asked


def _lid(choice: Choice) -> str:
    colour, sign = (_RIGHT, "✓") if choice.is_right else (_WRONG, "✗")
    return (
        f'<details style="{_LID}"><summary style="cursor: pointer">{code_spans(choice.text)}</summary>'
        f'<div style="border-left: 3px solid {colour}; padding: 2px 10px; margin: 6px 0 4px 4px">'
        f'<span style="color: {colour}; font-weight: bold">{sign}</span> <b>{escape(_verdict(choice))}</b> '
        f"{code_spans(choice.why)}</div></details>"
    )


def _verdict(choice: Choice) -> str:
    return _("Right.") if choice.is_right else _("Not quite.")


def _item(mark: str, text: str) -> str:
    return fill(text, _WIDTH, initial_indent=mark, subsequent_indent=" " * 5)
