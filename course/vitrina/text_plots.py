"""Texts coloured by relevance: red speaks for the target class, blue against it, white says nothing.

Colour is not the only sign: what speaks for has a solid line under it, what speaks against a dashed one, and each word
of the HTML form shows its number when pointed at. Both forms bring their own paper, so a dark theme changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from IPython.display import HTML
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import FancyBboxPatch
from matplotlib.textpath import text_to_path

from vitrina.figures import new_figure
from vitrina.messages import _
from vitrina.plots import colour_limit

Relevance = Sequence[npt.ArrayLike] | npt.NDArray[Any]

_FOR, _AGAINST = (0xF4, 0x77, 0x5F), (0x6A, 0xA5, 0xE0)  # as far as the colours go: black is read well on both
_LINE_FOR, _LINE_AGAINST = "#a50f15", "#08519c"
_LINED = 0.2  # share of the scale from which a word is underlined
_PAPER = "background: #fff; color: #111; color-scheme: light; padding: 8px 12px; border-radius: 6px; line-height: 1.9"
_WORD = "color: #111; padding: 1px 3px; border-radius: 3px; white-space: pre"
_NAME = "display: inline-block; width: 11em; color: #444; font-size: 85%; vertical-align: top"
_TEXT = "display: inline-block; width: calc(100% - 11.5em)"

_INCHES, _FONT = 9.0, FontProperties(size=10)
_POINTS = 72
_ROW, _SPACE, _LEFT, _RIGHT = 19.0, 7.0, 110.0, 44.0  # in points: height, between words, for names, for scales


class _Line(NamedTuple):
    """One text explained by one method."""

    name: str
    words: Sequence[str]
    values: npt.NDArray[np.float64]
    limit: float

    def shares(self) -> Iterator[tuple[str, float, float]]:
        """Yield each word with its relevance, also as a share of the scale."""
        for word, value in zip(self.words, self.values, strict=True):
            yield word, float(value), float(value) / self.limit


def words_as_html(
    words: Sequence[Sequence[str]],
    relevance: Relevance | Mapping[str, Relevance],
    *,
    titles: Sequence[object] | None = None,
    common_scale: bool = False,
) -> HTML:
    """
    Colour the words of texts by their relevance, for a notebook.

    Parameters
    ----------
    words : sequence of sequences of str
        The words of each text.
    relevance : sequence of arrays, or mapping from the name of a method to one
        One number per word. Rows may be longer than their text where padding has nothing but 0. With a mapping each
        method gets a line of its own below the title of the text.
    titles : sequence of one per text, optional
        Written above the texts, such as what the network says.
    common_scale : bool
        Whether one colour means one value throughout a method. By default each line has its own scale, written behind
        it.

    Returns
    -------
    IPython.display.HTML
        Shown by a notebook when it is a cell's last value. All words are escaped.

    Raises
    ------
    ValueError
        If numbers of texts, words, values or titles do not fit each other.
    """
    blocks = "".join(
        f'<div style="margin: 0 0 8px 0"><b>{escape(title)}</b>{"".join(map(_line_as_html, lines))}</div>'
        for title, lines in _blocks(words, relevance, titles, common_scale=common_scale)
    )
    return HTML(f'<div style="{_PAPER}">{blocks}{_legend_as_html()}</div>')


def show_words(
    words: Sequence[Sequence[str]],
    relevance: Relevance | Mapping[str, Relevance],
    *,
    titles: Sequence[object] | None = None,
    common_scale: bool = False,
) -> Figure:
    """
    Draw the words of texts coloured by their relevance, for paper.

    Parameters
    ----------
    words, relevance, titles, common_scale
        As in `words_as_html`.

    Returns
    -------
    Figure
        As high as the texts need.

    Raises
    ------
    ValueError
        If numbers of texts, words, values or titles do not fit each other.
    """
    blocks = _blocks(words, relevance, titles, common_scale=common_scale)
    figure = new_figure((_INCHES, 1))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    y = _ROW
    for title, lines in blocks:
        if title:
            axes.text(4, y, title, weight="bold", fontsize=10, va="center", parse_math=False)
            y += _ROW
        for line in lines:
            y = _draw_line(axes, line, y)
        y += 0.5 * _ROW
    _draw_legend(axes, y)
    height = y + _ROW
    axes.set(xlim=(0, _INCHES * _POINTS), ylim=(height, 0))
    figure.set_size_inches(_INCHES, height / _POINTS)
    return figure


def _blocks(
    words: Sequence[Sequence[str]],
    relevance: Relevance | Mapping[str, Relevance],
    titles: Sequence[object] | None,
    *,
    common_scale: bool,
) -> list[tuple[str, list[_Line]]]:
    """Return the title and the lines of each text."""
    if isinstance(words, str) or any(isinstance(text, str) for text in words):
        raise ValueError("words must be a list of words for each text; vitrina.text.tokenise makes one of a text")
    if titles is not None and len(titles) != len(words):
        raise ValueError(f"{len(words)} texts need as many titles, got {len(titles)}")
    methods: Mapping[str, Relevance] = relevance if isinstance(relevance, Mapping) else {"": relevance}
    fitted = {name: _fitted(words, rows, name) for name, rows in methods.items()}
    blocks: list[tuple[str, list[_Line]]] = []
    for index, text in enumerate(words):
        lines = [
            _Line(name, text, rows[index], colour_limit(np.concatenate(rows) if common_scale else rows[index]))
            for name, rows in fitted.items()
        ]
        blocks.append(("" if titles is None else str(titles[index]), lines))
    return blocks


def _fitted(words: Sequence[Sequence[str]], rows: Relevance, name: str) -> list[npt.NDArray[np.float64]]:
    """Return the values of each text's words, without its padding."""
    if len(rows) != len(words):
        raise ValueError(f"relevance {name!r} has {len(rows)} rows for {len(words)} texts")
    fitted: list[npt.NDArray[np.float64]] = []
    for index, (text, row) in enumerate(zip(words, rows, strict=True)):
        values = np.asarray(row, float)
        if values.ndim != 1 or len(values) < len(text) or np.any(values[len(text) :]):
            raise ValueError(
                f"relevance {name!r} of text {index} must be one number per word, {len(text)}, and 0 for padding; "
                f"got shape {values.shape}"
            )
        fitted.append(values[: len(text)])
    return fitted


def _colour(share: float) -> str:
    """Blend white into the colour of a sign; what is not a number stays grey."""
    if not np.isfinite(share):
        return "#cccccc"
    end = _FOR if share > 0 else _AGAINST
    return "#" + "".join(f"{round(255 + (channel - 255) * min(abs(share), 1)):02x}" for channel in end)


def _line_as_html(line: _Line) -> str:
    spans = " ".join(_word_as_html(word, value, share) for word, value, share in line.shares())
    scale = f'<span style="color: #666; font-size: 80%">&nbsp; ±{line.limit:.2g}</span>'
    if not line.name:
        return f"<div>{spans}{scale}</div>"
    return f'<div><span style="{_NAME}">{escape(line.name)}</span><span style="{_TEXT}">{spans}{scale}</span></div>'


def _word_as_html(word: str, value: float, share: float) -> str:
    under = ""
    if abs(share) >= _LINED:
        under = f"; border-bottom: 2px {'solid ' + _LINE_FOR if share > 0 else 'dashed ' + _LINE_AGAINST}"
    return f'<span title="{value:+.3g}" style="{_WORD}; background: {_colour(share)}{under}">{escape(word)}</span>'


def _legend_as_html() -> str:
    for_it, against, nothing = _legend()
    parts = " ".join(_word_as_html(name, share, share) for name, share in (against, nothing, for_it))
    return f'<div style="font-size: 80%">{parts}</div>'


def _legend() -> tuple[tuple[str, float], tuple[str, float], tuple[str, float]]:
    return (_("speaks for the class"), 1.0), (_("speaks against the class"), -1.0), (_("says nothing"), 0.0)


def _draw_line(axes: Any, line: _Line, y: float) -> float:
    """Draw a line that breaks where the figure ends, return where the next one begins."""
    left = _LEFT if line.name else 8.0
    right = _INCHES * _POINTS - _RIGHT
    axes.text(4, y, line.name, fontsize=8.5, color="0.3", va="center", parse_math=False)
    axes.text(right + 6, y, f"±{line.limit:.2g}", fontsize=7.5, color="0.4", va="center")
    x = left
    for word, _value, share in line.shares():
        width = text_to_path.get_text_width_height_descent(word, _FONT, ismath=False)[0]
        if x + width > right and x > left:
            x, y = left, y + _ROW
        _draw_word(axes, word, share, (x, y, width))
        x += width + _SPACE
    return y + _ROW


def _draw_word(axes: Any, word: str, share: float, place: tuple[float, float, float]) -> None:
    x, y, width = place
    style = "round,pad=0,rounding_size=3"
    box = FancyBboxPatch((x - 2.5, y - 7), width + 5, 14, boxstyle=style, facecolor=_colour(share), linewidth=0)
    axes.add_patch(box)
    axes.text(x, y + 3.5, word, fontproperties=_FONT, va="baseline", color="#111111", parse_math=False)
    if abs(share) >= _LINED:
        line, colour = ("-", _LINE_FOR) if share > 0 else ((0, (2.5, 1.5)), _LINE_AGAINST)
        axes.plot([x - 1, x + width + 1], [y + 8, y + 8], linestyle=line, color=colour, linewidth=1.2)


def _draw_legend(axes: Any, y: float) -> None:
    for_it, against, nothing = _legend()
    x = 8.0
    for name, share in (against, nothing, for_it):
        width = text_to_path.get_text_width_height_descent(name, _FONT, ismath=False)[0]
        _draw_word(axes, name, share, (x, y, width))
        x += width + 2 * _SPACE
