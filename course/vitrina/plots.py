"""Pictures of attributions: red speaks for the target class, blue against it, white says nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

Images = npt.NDArray[np.floating[Any]]

_COLOURS = "seismic"  # white in the middle: a pixel without relevance looks like paper
_CELL = 1.25  # inches per picture
_MARGIN = 0.95  # inches on the left, for the names of the rows
_BAR = 0.9  # inches on the right, for the colour bar
_GAP = 0.16  # pictures high, between one block of images and the next


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
    pictures = _as_pictures(images, "images")
    methods = _as_methods(attributions, pictures.shape)
    if titles is not None and len(titles) != len(pictures):
        raise ValueError(f"{len(pictures)} images need as many titles, got {len(titles)}")
    across = max(1, min(columns, len(pictures)))
    rows = 2 + len(methods)  # image, methods, gap
    figure, axes = _grid(math.ceil(len(pictures) / across), rows, across, bar=common_scale)
    for index, picture in enumerate(pictures):
        top, column = index // across * rows, index % across
        title = "" if titles is None else str(titles[index])
        _draw_image(axes[top, column], picture, title, name="input" if column == 0 else "")
        for below, (name, maps) in enumerate(methods.items(), start=1):
            limit = _limit(maps if common_scale else maps[index])
            cell = axes[top + below, column]
            _draw_attribution(cell, maps[index], limit, name if column == 0 else "", note=not common_scale)
    if common_scale:
        _draw_bars(figure, axes, [_limit(maps) for maps in methods.values()])
    plt.close(figure)  # else a notebook shows the figure twice: as pyplot's and as the cell's value
    return figure


def _as_pictures(values: npt.ArrayLike, what: str) -> Images:
    """Return pictures of shape (n, height, width)."""
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
    methods = {name: _as_pictures(maps, f"attributions {name!r}") for name, maps in named.items()}
    for name, maps in methods.items():
        if maps.shape != shape:
            raise ValueError(f"attributions {name!r} have shape {maps.shape}, the images {shape}")
    return methods


def _limit(maps: Images) -> float:
    """Largest finite size, the end of a colour scale; 1 where everything is zero."""
    finite = np.abs(maps[np.isfinite(maps)])
    return float(finite.max()) if finite.any() else 1.0


def _grid(blocks: int, rows: int, across: int, *, bar: bool) -> tuple[Figure, npt.NDArray[Any]]:
    """Return a figure of empty square cells without frames; the last row of each block is a narrow gap."""
    heights = ([1.0] * (rows - 1) + [_GAP]) * blocks
    right = _BAR if bar else 0.1
    width, height = _MARGIN + across * _CELL + right, 0.35 + sum(heights) * (_CELL + 0.1)
    figure, axes = plt.subplots(
        len(heights),
        across,
        figsize=(width, height),
        squeeze=False,
        gridspec_kw={"height_ratios": heights, "wspace": 0.08, "hspace": 0.16},
    )
    figure.subplots_adjust(_MARGIN / width, 0.0, 1 - right / width, 1 - 0.35 / height)
    for cell in axes.flat:
        cell.set_axis_off()
    return figure, axes


def _draw_image(cell: Axes, picture: Images, title: str, name: str) -> None:
    cell.imshow(picture, cmap="gray_r")
    cell.set_title(title, fontsize=10)
    _name_row(cell, name)


def _draw_attribution(cell: Axes, maps: Images, limit: float, name: str, *, note: bool) -> None:
    cell.imshow(maps, cmap=_COLOURS, vmin=-limit, vmax=limit)
    cell.set_axis_on()
    cell.set(xticks=[], yticks=[])
    cell.spines[:].set(color="0.8", linewidth=0.6)
    if note:
        cell.set_xlabel(f"±{limit:.2g}", fontsize=7, color="0.4", labelpad=2)
    _name_row(cell, name)


def _name_row(cell: Axes, name: str) -> None:
    style: dict[str, Any] = {"ha": "right", "va": "center", "fontsize": 9, "wrap": True}
    cell.text(-0.08, 0.5, name, transform=cell.transAxes, **style)


def _draw_bars(figure: Figure, axes: npt.NDArray[Any], limits: Sequence[float]) -> None:
    """Draw the colour scale of each method beside its rows of the first block."""
    for row, limit in enumerate(limits, start=1):
        box = axes[row, -1].get_position()
        room = figure.add_axes((box.x1 + 0.012, box.y0, 0.012, box.height))
        bar = figure.colorbar(ScalarMappable(Normalize(-limit, limit), _COLOURS), cax=room)
        bar.set_ticks([-limit, 0, limit], labels=[f"−{limit:.2g}", "0", f"+{limit:.2g}"], fontsize=7)
