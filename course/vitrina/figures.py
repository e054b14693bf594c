"""What pictures share: figures that a notebook shows once, as a cell's value and not by pyplot too; ruled cells."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure


def new_figure(size: tuple[float, float]) -> Figure:
    """Make an empty figure, its width and height in inches."""
    figure = plt.figure(figsize=size)
    plt.close(figure)  # else pyplot shows it too; it can still be drawn on
    return figure


def new_panels(rows: int, columns: int, size: tuple[float, float], **shared: Any) -> tuple[Figure, npt.NDArray[Any]]:
    """Make a figure with rows and columns of panels, which may share axes (`sharex`, `sharey`)."""
    figure, grid = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained", **shared)
    plt.close(figure)
    return figure, grid


def new_axes(size: tuple[float, float]) -> tuple[Figure, Axes]:
    """Make a figure with a single place to draw."""
    figure, grid = new_panels(1, 1, size)
    return figure, grid[0, 0]


def finished(axes: Axes, title: str) -> Figure:
    """Write the title and return the figure, which may be a reader's own: pyplot lets go of that one too."""
    axes.set_title(title)
    figure: Any = axes.figure
    plt.close(figure)
    return figure


def rule_cells(axes: Axes, shape: tuple[int, ...], **style: Any) -> None:
    """Draw lines between the cells of an image of rows and columns, and leave out the marks at its rim."""
    rows, columns = shape
    axes.set_xticks(np.arange(columns + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(rows + 1) - 0.5, minor=True)
    axes.grid(which="minor", **style)
    axes.tick_params(which="both", length=0)
