"""The panel under a `check(...)` cell: what passed, what was expected by which formula, and what may be wrong.

Colours are translucent and text inherits its colour, so that the panel reads well in light and dark themes; only
inline styles are used, which survive the cleaning that an instructor's page gets.
"""

from __future__ import annotations

import re
from dataclasses import replace
from html import escape

import numpy as np

from vitrina.judging import Outcome, Status, Verdict
from vitrina.messages import _
from vitrina.values import Array

_SIGNS: dict[Status, str] = {"passed": "✓", "failed": "✗", "unanswered": "○", "recorded": "●"}
_COLOURS: dict[Status, str] = {
    "passed": "#1a9850",
    "failed": "#d73027",
    "unanswered": "#8c8c8c",
    "recorded": "#4575b4",
}
_SHOWN_VALUES = 8
_NOTE = "margin: 4px 0 0 1.6em; white-space: pre-wrap"  # what a function printed has lines
_COMPARISONS = 2
_NUMBER = re.compile(r"\d+")


def html_panel(verdict: Verdict) -> str:
    """Render a verdict as HTML for a notebook."""
    rows = "".join(_html_row(outcome) for outcome in _shown(verdict))
    formula = f'<div style="margin: 4px 0 0 1.6em">{_formula(verdict)}</div>' if _failed(verdict) else ""
    note = f'<div style="{_NOTE}"><i>{escape(verdict.note)}</i></div>' if verdict.note else ""
    colour = _COLOURS[_overall(verdict)]
    return (
        f'<div style="border-left: 4px solid {colour}; padding: 4px 12px; margin: 4px 0; font-size: 14px">'
        f'<div><b>{escape(verdict.title)}</b>: <span style="color: {colour}; font-weight: bold">'
        f"{escape(_summary(verdict))}</span></div>{rows}{formula}{note}{_picture(verdict)}</div>"
    )


def _picture(verdict: Verdict) -> str:
    if not verdict.picture:
        return ""
    style = "display: block; margin: 6px 0 2px 1.6em; border-radius: 4px"
    return (
        f'<img src="data:image/png;base64,{escape(verdict.picture)}" alt="{_("what you handed in")}" style="{style}">'
    )


def text_panel(verdict: Verdict) -> str:
    """Render a verdict as plain text, for a terminal."""
    lines = [f"{verdict.title}: {_summary(verdict)}"]
    for outcome in _shown(verdict):
        lines.append(f"  {_SIGNS[outcome.status]} {outcome.title}{_after(outcome)}")
        lines += [f"      {line}" for line in (outcome.hint, *_comparison(outcome)) if line]
    if _failed(verdict) and verdict.formula:
        lines.append("  " + _("expected: {formula}").format(formula=verdict.formula))
    return "\n".join([*lines, verdict.note] if verdict.note else lines)


def _shown(verdict: Verdict) -> list[Outcome]:
    """Leave the cases out as long as nothing was answered, and say what recurs only once."""
    if verdict.unanswered:
        return []
    said: set[str] = set()
    alike: set[str] = set()
    comparisons = 0
    shown: list[Outcome] = []
    for outcome in verdict.outcomes:
        pattern = _NUMBER.sub("#", outcome.message)
        message = outcome.message
        if outcome.reply in ("raised", "unreadable") and pattern in alike:
            message = _("the same") if message in said else _("the same, with other numbers")
        brief = replace(outcome, message=message, hint="" if outcome.hint in said else outcome.hint)
        comparisons += outcome.received is not None
        if comparisons > _COMPARISONS:
            brief = replace(brief, expected=None, received=None)
        said |= {outcome.message, outcome.hint}
        alike.add(pattern)
        shown.append(brief)
    return shown


def _failed(verdict: Verdict) -> bool:
    return any(outcome.status == "failed" for outcome in verdict.outcomes)


def _overall(verdict: Verdict) -> Status:
    statuses = {outcome.status for outcome in verdict.outcomes}
    for status in ("failed", "unanswered", "recorded"):
        if status in statuses:
            return "failed" if statuses != {status} and status == "unanswered" else status
    return "passed" if statuses else "failed"


def _summary(verdict: Verdict) -> str:
    if verdict.unanswered:
        return _("not answered yet (worth {points:g})").format(points=verdict.max_points)
    text = _("{points:g} of {max_points:g} points").format(points=verdict.points, max_points=verdict.max_points)
    recorded = any(outcome.status == "recorded" for outcome in verdict.outcomes)
    return text + _(", provisional") if recorded else text


def _after(outcome: Outcome) -> str:
    """Give what is said after a title, which may end with a mark of its own: a question does."""
    if not outcome.message:
        return ""
    return f" {outcome.message}" if outcome.title.endswith(("?", ":")) else f": {outcome.message}"


def _formula(verdict: Verdict) -> str:
    if not verdict.formula:
        return ""
    return _("expected: {formula}").format(formula=f"<code>{escape(verdict.formula)}</code>")


def _html_row(outcome: Outcome) -> str:
    colour = _COLOURS[outcome.status]
    hint = f'<div style="margin-left: 1.6em">→ {code_spans(outcome.hint)}</div>' if outcome.hint else ""
    return (
        f'<div><span style="color: {colour}; font-weight: bold">{_SIGNS[outcome.status]}</span> '
        f"{escape(outcome.title)}{code_spans(_after(outcome))}{hint}{_html_comparison(outcome)}</div>"
    )


def code_spans(text: str) -> str:
    """Escape a text, and set what stands between backticks as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts))


def _comparison(outcome: Outcome) -> list[str]:
    excerpts = _excerpts(outcome)
    if excerpts is None:
        return []
    where, expected, received = excerpts
    return [
        _("expected {where}: {values}").format(where=where, values=_numbers(expected)),
        _("yours    {where}: {values}").format(where=where, values=_numbers(received)),
    ]


def _numbers(values: Array) -> str:
    return "  ".join(f"{value:.3g}" for value in values)


def _excerpts(outcome: Outcome) -> tuple[str, Array, Array] | None:
    """Cut the stretch of the last axis around the largest difference out of both arrays."""
    if outcome.expected is None or outcome.received is None or not outcome.expected.size:
        return None
    if outcome.expected.shape != outcome.received.shape:
        return None
    expected = np.atleast_1d(outcome.expected).astype(float)
    received = np.atleast_1d(outcome.received).astype(float)
    with np.errstate(all="ignore"):
        difference = np.nan_to_num(np.abs(expected - received), nan=np.inf)
    *row, column = np.unravel_index(int(np.argmax(difference)), expected.shape)
    start = int(max(0, min(column - _SHOWN_VALUES // 2, expected.shape[-1] - _SHOWN_VALUES)))
    window = (*row, slice(start, start + _SHOWN_VALUES))
    stop = min(start + _SHOWN_VALUES, expected.shape[-1])
    where = "[" + ", ".join([*(str(int(index)) for index in row), f"{start}:{stop}"]) + "]"
    return where, expected[window] + 0.0, received[window] + 0.0  # + 0.0 makes -0 a 0


def _html_comparison(outcome: Outcome) -> str:
    excerpts = _excerpts(outcome)
    if excerpts is None:
        return ""
    where, expected, received = excerpts
    scale = float(np.max(np.abs(expected))) or 1.0
    rows = (_("expected"), expected), (_("yours"), received)
    cells = "".join(
        f'<tr><td style="text-align: left">{name} {where}</td>{_coloured(values, scale)}</tr>' for name, values in rows
    )
    return f'<table style="margin: 2px 0 4px 1.6em; font-size: 12px">{cells}</table>'


def _coloured(values: Array, scale: float) -> str:
    """Table cells as a heat strip: red for positive, blue for negative."""
    return "".join(
        f'<td style="background-color: {_heat(float(value), scale)}; text-align: right">{value:.3g}</td>'
        for value in values
    )


def _heat(value: float, scale: float) -> str:
    if not np.isfinite(value):
        return "rgba(140, 140, 140, 0.5)"
    strength = min(1.0, abs(value) / scale) * 0.6
    return f"rgba({'215, 48, 39' if value > 0 else '69, 117, 180'}, {strength:.2f})"
