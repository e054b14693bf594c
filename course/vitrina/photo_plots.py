"""Pictures of explanations of photographs: heatmaps laid over them, and attention graphs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle

from vitrina.figures import new_figure, new_panels
from vitrina.messages import _
from vitrina.plots import colour_limit

if TYPE_CHECKING:
    from vitrina.explain import AttentionGraph

_Image = npt.NDArray[np.floating[Any]]

_Node = frozenset[int]

_PHOTO = 1.75  # inches per photograph with heatmaps
_NODE = 0.95  # inches per node of a graph; what follows is in nodes
_APART, _LEVEL = 1.28, 2.0  # from one node to the next, from one level to the next
_CROP = 0.34  # side of the picture of a deleted patch
_BAR, _WORDS = 0.1, 0.34  # below a node: height of the bar, and of everything
_HIDDEN = 0.85  # white in hidden patches
_SUFFICIENT, _LESS = "#2166ac", "#b2182b"


def show_heatmaps(
    photographs: npt.ArrayLike,
    maps: Mapping[str, npt.ArrayLike],
    *,
    titles: Sequence[str] | None = None,
) -> Figure:
    """
    Draw photographs, and below each (or beside a single one) its heatmaps, laid over it in grey.

    Red speaks for the target class, blue against it; where a map is near zero the photograph shows through. Each map
    has its own scale.

    Parameters
    ----------
    photographs : array, shape (n, height, width) or (n, height, width, 3)
        Grey or red, green and blue; from 0 to 255 where integers, from 0 to 1 else.
    maps
        From the name of a method to its maps, each of shape (n, height, width).
    titles : sequence of n
        Written above the photographs.

    Returns
    -------
    Figure
        Shown by a notebook when it is a cell's last value.

    Raises
    ------
    ValueError
        If shapes do not fit each other.
    """
    images = [_as_image(photograph) for photograph in np.asarray(photographs)]
    names = [""] * len(images) if titles is None else list(titles)
    if not images or len(names) != len(images):
        raise ValueError(f"{len(images)} photographs need as many titles, and at least one, got {len(names)}")
    rows = {name: np.asarray(values, float) for name, values in maps.items()}
    for name, values in rows.items():
        if values.shape != (len(images), *images[0].shape[:2]):
            raise ValueError(f"maps {name!r} have shape {values.shape}, photographs {len(images)} x {images[0].shape}")
    if len(images) == 1:
        return _side_by_side(images[0], names[0], {name: values[0] for name, values in rows.items()})
    size = (_PHOTO * len(images) + 0.6, _PHOTO * (1 + len(rows)) + 0.3)
    figure, axes = new_panels(1 + len(rows), len(images), size)
    for column, (image, title) in enumerate(zip(images, names, strict=True)):
        axes[0, column].imshow(image)
        axes[0, column].set_title(title, fontsize=9)
        for panel, values in zip(axes[1:, column], rows.values(), strict=True):
            panel.imshow(_laid_over(values[column], image))
    for row, name in enumerate(["", *rows]):
        axes[row, 0].set_ylabel(name, fontsize=10)
    return _bare(figure)


def _side_by_side(image: _Image, title: str, maps: Mapping[str, _Image]) -> Figure:
    """Draw one photograph and its heatmaps from left to right."""
    size = (1.3 * _PHOTO * (1 + len(maps)), 1.3 * _PHOTO + 0.5)
    figure, axes = new_panels(1, 1 + len(maps), size)
    pictures = [image, *(_laid_over(values, image) for values in maps.values())]
    for panel, picture, name in zip(axes[0], pictures, [title, *maps], strict=True):
        panel.imshow(picture)
        panel.set_title(name.replace("\n", " "), fontsize=10)
    return _bare(figure)


def _bare(figure: Figure) -> Figure:
    """Take away frames and ticks."""
    for panel in figure.axes:
        panel.set(xticks=[], yticks=[])
        panel.spines[:].set_visible(False)
    return figure


def show_attention_graph(graph: AttentionGraph, photograph: npt.ArrayLike, *, name: str = "") -> Figure:
    """
    Draw a structured attention graph.

    On top the minimal sufficient explanations, each by what is left of the photograph. A line leads to what remains
    without one more patch, and shows that patch. The bar below a node is the probability of the class.

    Parameters
    ----------
    graph
        As `vitrina.explain.structured_attention_graph` makes it.
    photograph : array, shape (height, width) or (height, width, 3)
        The image that is explained, from 0 to 255 where integers, from 0 to 1 else.
    name
        Of the class.

    Returns
    -------
    Figure
        Shown by a notebook when it is a cell's last value.
    """
    image = _as_image(np.asarray(photograph))
    places = _layout(graph)
    right = max(x for x, _ in places.values()) + 1
    bottom = max(y for _, y in places.values()) + 1 + _WORDS
    figure = new_figure(((right + 0.3) * _NODE, (bottom + 0.75) * _NODE))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(-0.15, right + 0.15), ylim=(bottom + 0.1, -0.65))
    axes.set_axis_off()
    whole = _("{name}: {share} for the whole photograph").format(name=name, share=f"{graph.probability:.0%}")
    axes.text(right / 2, -0.5, whole.removeprefix(": "), ha="center", va="center", fontsize=11)
    axes.text(right / 2, -0.24, _("framed in red: the patch that is deleted"), ha="center", va="center", fontsize=8)
    for edge in graph.edges:
        _draw_edge(axes, places[edge.parent], places[edge.child], _patch(image, graph.grid, edge.patch))
    for node, place in places.items():
        enough = node in graph.roots
        _draw_node(axes, place, _visible(image, graph.grid, node), graph.nodes[node], enough=enough)
    return figure


def _as_image(photograph: npt.NDArray[Any]) -> _Image:
    """Return red, green and blue between 0 and 1."""
    image = photograph / 255 if photograph.dtype.kind in "iu" else photograph.astype(float)
    if image.ndim == 3 and image.shape[-1] == 1:
        image = image[..., 0]
    if image.ndim == 2:
        image = np.repeat(image[..., np.newaxis], 3, axis=-1)
    if image.ndim != 3 or image.shape[-1] != 3:
        raise ValueError(f"a photograph has shape (height, width) or (height, width, 3), got {photograph.shape}")
    return np.clip(image, 0, 1)


def _laid_over(values: _Image, image: _Image) -> _Image:
    """Mix red and blue into a pale grey photograph, the more of them the larger the value."""
    share = np.nan_to_num(values / colour_limit(values))[..., np.newaxis]
    grey = 0.35 + 0.65 * np.repeat(image.mean(axis=-1, keepdims=True), 3, axis=-1)
    colour = np.where(share > 0, [0.80, 0.05, 0.10], [0.10, 0.25, 0.75])
    strength = 0.85 * np.abs(share) ** 0.8
    return grey * (1 - strength) + colour * strength


def _layout(graph: AttentionGraph) -> dict[_Node, tuple[float, float]]:
    """Place each node (upper left corner): below the node that leads to it first, and above the middle of its own."""
    level = dict.fromkeys(graph.nodes, 0)
    below: dict[_Node, list[_Node]] = {node: [] for node in graph.nodes}
    placed = set(graph.roots)
    for edge in sorted(graph.edges, key=lambda edge: -len(edge.parent)):
        level[edge.child] = max(level[edge.child], level[edge.parent] + 1)
        if edge.child not in placed:
            placed.add(edge.child)
            below[edge.parent].append(edge.child)
    columns: dict[_Node, float] = {}
    leaves = 0

    def place(node: _Node) -> float:
        nonlocal leaves
        columns[node] = float(leaves) if not below[node] else float(np.mean([place(child) for child in below[node]]))
        leaves += not below[node]
        return columns[node]

    for root in graph.roots:
        place(root)
    return {node: (columns[node] * _APART, level[node] * _LEVEL) for node in graph.nodes}


def _cells(shape: tuple[int, ...], grid: tuple[int, int]) -> npt.NDArray[np.int_]:
    rows, columns = (np.arange(size) * parts // size for size, parts in zip(shape[:2], grid, strict=True))
    return rows[:, np.newaxis] * grid[1] + columns


def _visible(image: _Image, grid: tuple[int, int], node: _Node) -> _Image:
    """Blank out all patches but those of a node."""
    shown = np.isin(_cells(image.shape, grid), list(node))[..., np.newaxis]
    faint = _HIDDEN + (1 - _HIDDEN) * image.mean(axis=-1, keepdims=True)
    return np.where(shown, image, faint)


def _patch(image: _Image, grid: tuple[int, int], patch: int) -> _Image:
    rows, columns = np.nonzero(_cells(image.shape, grid) == patch)
    return image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def _draw_node(axes: Axes, place: tuple[float, float], picture: _Image, probability: float, *, enough: bool) -> None:
    x, y = place
    colour = _SUFFICIENT if enough else _LESS
    _draw_picture(axes, picture, (x, y, 1, 1), colour if enough else "0.6", 2.0 if enough else 0.8)
    axes.add_patch(Rectangle((x, y + 1.05), 1, _BAR, facecolor="0.9", zorder=3))
    axes.add_patch(Rectangle((x, y + 1.05), probability, _BAR, facecolor=colour, zorder=3))
    axes.text(x + 0.5, y + 1.05 + _BAR, f"{probability:.0%}", ha="center", va="top", fontsize=8, color=colour)


def _draw_edge(axes: Axes, parent: tuple[float, float], child: tuple[float, float], patch: _Image) -> None:
    """Draw a line from below a node to the top of another, with the deleted patch on it nearer to the child."""
    (x0, y0), (x1, y1) = (parent[0] + 0.5, parent[1] + 1 + _WORDS), (child[0] + 0.5, child[1])
    axes.plot([x0, x1], [y0, y1], color="0.65", linewidth=1, zorder=1)
    x, y = x0 + 0.62 * (x1 - x0), y0 + 0.62 * (y1 - y0)
    half = _CROP / 2
    _draw_picture(axes, patch, (x - half, y - half, _CROP, _CROP), _LESS, 1.2)


def _draw_picture(
    axes: Axes, picture: _Image, box: tuple[float, float, float, float], colour: str, width: float
) -> None:
    x, y, across, down = box
    image = AxesImage(axes, extent=(x, x + across, y + down, y), origin="upper", interpolation="bilinear")
    image.set_data(picture)
    image.set_zorder(2)
    axes.add_artist(image)
    axes.add_patch(Rectangle((x, y), across, down, fill=False, edgecolor=colour, linewidth=width, zorder=3))
