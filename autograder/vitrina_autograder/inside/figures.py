"""Figures that are drawn once: IPython has each drawn twice, the first time only to find where its edges are.

They are found afterwards too, if what lies around a figure is drawn with it. What is seen is the same.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import math
from base64 import b64encode
from typing import Any

_AROUND = 1  # inches
_SURE = 0.1  # pixels, so that no rounding takes one away


def draw_figures_once() -> None:
    """Have IPython draw the figures that it shows as PNG once, in this process and those forked from it."""
    tools: Any = importlib.import_module("IPython.core.pylabtools")
    drawn_twice = tools.print_figure

    def print_figure(
        fig: Any, fmt: str = "png", bbox_inches: str = "tight", base64: bool = False, **options: Any
    ) -> Any:
        picture = None
        if (fmt, bbox_inches, options) == ("png", "tight", {}):
            with contextlib.suppress(Exception):  # it will be raised again
                picture = drawn_once(fig)
        if picture is None:
            return drawn_twice(fig, fmt, bbox_inches, base64, **options)
        return b64encode(picture).decode() if base64 else picture

    tools.print_figure = print_figure


def drawn_once(figure: Any) -> bytes | None:
    """Draw a figure as IPython shows it, as PNG; nothing where that takes two drawings."""
    if not figure.axes or figure.get_layout_engine():
        return None
    before = figure.canvas
    canvas = importlib.import_module("matplotlib.backends.backend_agg").FigureCanvasAgg(figure)
    try:
        drawing = _with_surroundings(figure, canvas)
        edges = figure.get_tightbbox(canvas.get_renderer())
    finally:
        figure.set_canvas(before)
    margin = importlib.import_module("matplotlib").rcParams["savefig.pad_inches"]
    left, bottom, right, top = (figure.dpi * (edge + _AROUND) for edge in edges.padded(margin).extents)
    width, height = drawing.size
    if left < 0 or bottom < 0 or right > width or top > height:
        return None
    seen = drawing.crop((round(left), height - round(top), round(right), height - round(bottom)))
    png = io.BytesIO()
    seen.save(png, "png", dpi=(figure.dpi, figure.dpi), compress_level=1)  # half the time, a tenth more bytes
    return png.getvalue()


def _with_surroundings(figure: Any, canvas: Any) -> Any:
    """Draw a figure with what lies around it: labels often do."""
    width, height = (math.ceil(figure.dpi * (side + 2 * _AROUND)) for side in figure.get_size_inches())
    box = importlib.import_module("matplotlib.transforms").Bbox.from_bounds
    pixels = io.BytesIO()
    canvas.print_figure(
        pixels,
        format="rgba",
        dpi=figure.dpi,
        facecolor=figure.get_facecolor(),
        edgecolor=figure.get_edgecolor(),
        bbox_inches=box(-_AROUND, -_AROUND, (width + _SURE) / figure.dpi, (height + _SURE) / figure.dpi),
    )
    return importlib.import_module("PIL.Image").frombuffer("RGBA", (width, height), pixels.getvalue())
