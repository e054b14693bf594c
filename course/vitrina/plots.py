"""Pictures of attributions: red speaks for the target class, blue against it, white says nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle

from vitrina.figures import new_figure

Images = npt.NDArray[np.floating[Any]]

FOR, AGAINST = "#cf4a3c", "#3c78b4"  # bars and signs: where a colour map would be too shrill or too pale
SIGNED = "seismic"  # white in the middle: a pixel without relevance looks like paper
_UNIT = 1.16  # inches per picture; what follows is in pictures
_ASIDE, _DOWN = 1.08, 1.18  # from one picture to the next
_MARGIN, _TITLE = 0.82, 0.3  # on the left for the names of the rows, above for the titles
_BAR = 0.8  # on the right, for the colour scale
_GAP = 0.16  # between one block of images and the next


def show_attributions(
    images: npt.ArrayLike,
    attributions: npt.ArrayLike | Mapping[str, npt.ArrayLike],
    *,
    titles: Sequence[object] | None = None,
    columns: int = 8,
    common_scale: bool = False,
) -> Figure:
    """
    Draw images in grey with their attributions below.

    Zero is white in every attribution, and the colours reach as far on both sides of it.

    Parameters
    ----------
    images : array, shape (n, pixels), (n, height, width) or (n, height, width, 1)
        Flat images are taken as squares: 784 pixels are 28 x 28.
    attributions : array of the shape of images, or mapping from the name of a method to such an array
        With a mapping each method gets a row of its own.
    titles : sequence of n
        Written above the images, such as their labels.
    columns
        Images side by side; more images continue below.
    common_scale
        Whether one colour means one value throughout a method. By default each attribution has its own scale, written
        below it.

    Returns
    -------
    Figure
        Shown by a notebook when it is a cell's last value; `display(figure)` shows it elsewhere.

    Raises
    ------
    ValueError
        If shapes do not fit each other.
    """
    pictures = as_pictures(images, "images")
    methods = _as_methods(attributions, pictures.shape)
    if titles is not None and len(titles) != len(pictures):
        raise ValueError(f"{len(pictures)} images need as many titles, got {len(titles)}")
    sheet = Sheet(len(pictures), max(1, min(columns, len(pictures))), 1 + len(methods), bar=common_scale)
    for index, picture in enumerate(pictures):
        sheet.draw(picture, index, 0, "gray_r")
        sheet.title(index, "" if titles is None else str(titles[index]))
        for row, maps in enumerate(methods.values(), start=1):
            limit = colour_limit(maps if common_scale else maps[index])
            note = "" if common_scale else f"±{limit:.2g}"
            sheet.draw(maps[index], index, row, SIGNED, (-limit, limit), frame=True, note=note)
    for row, name in enumerate(["input", *methods]):
        sheet.name_row(row, name)
    if common_scale:
        for row, maps in enumerate(methods.values(), start=1):
            sheet.draw_bar(row, colour_limit(maps))
    return sheet.figure


def as_pictures(values: npt.ArrayLike, what: str) -> Images:
    """Return pictures of shape (n, height, width); flat ones are taken as squares."""
    pictures = np.asarray(values, dtype=float)
    if pictures.ndim == 4 and pictures.shape[-1] == 1:
        return pictures[..., 0]
    if pictures.ndim == 2:
        side = math.isqrt(pictures.shape[1])
        if side * side == pictures.shape[1]:
            return pictures.reshape(-1, side, side)
    if pictures.ndim != 3 or not len(pictures):
        raise ValueError(
            f"{what} must have shape (n, side * side), (n, height, width) or (n, height, width, 1), "
            f"got {pictures.shape}"
        )
    return pictures


def _as_methods(attributions: npt.ArrayLike | Mapping[str, npt.ArrayLike], shape: tuple[int, ...]) -> dict[str, Images]:
    """Return the maps of each method in the shape of the pictures."""
    named: Mapping[str, npt.ArrayLike]
    named = attributions if isinstance(attributions, Mapping) else {"attribution": attributions}
    methods = {name: as_pictures(maps, f"attributions {name!r}") for name, maps in named.items()}
    for name, maps in methods.items():
        if maps.shape != shape:
            raise ValueError(f"attributions {name!r} have shape {maps.shape}, the images {shape}")
    return methods


def colour_limit(values: npt.NDArray[np.floating[Any]]) -> float:
    """
    Find the end of a colour scale: the largest finite size, 1 where everything is zero.

    Parameters
    ----------
    values : array, any shape
        What is coloured; it may hold NaN and infinities.

    Returns
    -------
    float
        Above 0.
    """
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max()) if finite.any() else 1.0


class Sheet:
    """
    A sheet of pictures, all on one Axes: an Axes for each would take most of the time.

    A unit is the height of a picture; the first picture is at (0, 0), and y runs downwards.

    Parameters
    ----------
    count, across, rows : int
        So many images, so many of them side by side; each has its rows of pictures below each other.
    bar : bool
        Whether there is a colour scale on the right.
    """

    def __init__(self, count: int, across: int, rows: int, *, bar: bool) -> None:
        self._across = across
        self._count = count
        self._block = rows * _DOWN + _GAP
        right = across * _ASIDE + (_BAR if bar else 0.1)
        bottom = math.ceil(count / across) * self._block
        self.figure = new_figure(((_MARGIN + right) * _UNIT, (_TITLE + bottom) * _UNIT))
        self._axes = self.figure.add_axes((0, 0, 1, 1), xlim=(-_MARGIN, right), ylim=(bottom, -_TITLE))
        self._axes.set_axis_off()

    def draw(
        self,
        picture: Images,
        index: int,
        row: int,
        colours: str,
        scale: tuple[float | None, float | None] = (None, None),
        *,
        frame: bool = False,
        note: str = "",
    ) -> None:
        """Draw one picture of an image, with a frame where white is part of it, and a note below."""
        x, y = self._corner(index, row)
        size = max(picture.shape)
        height, width = (side / size for side in picture.shape)
        left, top = x + (1 - width) / 2, y + (1 - height) / 2
        extent = (left, left + width, top + height, top)
        image = AxesImage(self._axes, cmap=colours, norm=Normalize(*scale), extent=extent, origin="upper")
        image.set_data(picture)
        self._axes.add_artist(image)
        if frame:
            self._axes.add_artist(Rectangle((left, top), width, height, fill=False, edgecolor="0.8", linewidth=0.6))
        self._write(x + 0.5, y + 1.03, note, ha="center", va="top", fontsize=7, color="0.4")

    def title(self, index: int, title: str) -> None:
        """Write the title of an image above it."""
        x, y = self._corner(index, 0)
        self._write(x + 0.5, y - 0.05, title, ha="center", va="bottom", fontsize=10)

    def name_row(self, row: int, name: str) -> None:
        """Write a name on the left of a row, in every block."""
        for index in range(0, self._count, self._across):
            x, y = self._corner(index, row)
            self._write(x - 0.08, y + 0.5, name, ha="right", va="center", fontsize=9, wrap=True)

    def draw_bar(self, row: int, limit: float) -> None:
        """Draw the colour scale of a row beside its first block."""
        x, y = self._corner(self._across - 1, row)
        room = self._axes.inset_axes((x + 1.12, y, 0.1, 1), transform=self._axes.transData)
        bar = self.figure.colorbar(ScalarMappable(Normalize(-limit, limit), SIGNED), cax=room)
        bar.set_ticks([-limit, 0, limit], labels=[f"−{limit:.2g}", "0", f"+{limit:.2g}"], fontsize=7)

    def _corner(self, index: int, row: int) -> tuple[float, float]:
        """Find the upper left corner of a picture."""
        return index % self._across * _ASIDE, index // self._across * self._block + row * _DOWN

    def _write(self, x: float, y: float, text: str, **style: Any) -> None:
        if text:
            self._axes.text(x, y, text, **style)
