"""Structured attention graphs: which few patches of an image suffice for a class, and what else would (SAG).

A heatmap gives one answer to "where did the network look?". Often there are several: each of some small sets of patches
is enough by itself, and neither needs the other. Such a set is a *minimal sufficient explanation*: the image with only
these patches left keeps 90 % of the whole image's probability, and with any one of them gone it does not.

Shitole, Li, Kahng, Tadepalli and Fern 2021, *One Explanation is Not Enough*, arXiv 2011.06733. Here all candidates of a
step share one call of the model, and no set of patches is asked about twice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from vitrina.explain.masking import fill_like
from vitrina.explain.patch_search import (
    Limits,
    Progress,
    Scores,
    deletions,
    most_diverse,
    order_by_loss,
    search_diverse,
)
from vitrina.explain.request import Request, Target, request

Patches = frozenset[int]
"""Numbers of patches that are visible, row by row from the upper left."""


@dataclass(frozen=True)
class Deletion:
    """An edge: `child` is `parent` without `patch`."""

    parent: Patches
    child: Patches
    patch: int


@dataclass(frozen=True)
class AttentionGraph:
    """
    The minimal sufficient explanations of one image and what happens when their patches are deleted.

    Attributes
    ----------
    grid
        Rows and columns of patches.
    target
        The class that is explained.
    probability
        Of the target, for the whole image.
    explanations
        All minimal sufficient sets that were found, in the order of their size.
    roots
        Those that are shown: as many as differ enough from each other.
    nodes
        Probability of the target for each set of patches in the graph. A set that is reached in several ways is one
        node.
    edges
        From each node to the sets with one patch less.
    calls, images
        Calls of the model, and masked images in them.
    """

    grid: tuple[int, int]
    target: int
    probability: float
    explanations: tuple[Patches, ...]
    roots: tuple[Patches, ...]
    nodes: dict[Patches, float]
    edges: tuple[Deletion, ...]
    calls: int
    images: int


def structured_attention_graph(
    model: keras.Model,
    inputs: npt.ArrayLike,
    target: Target,
    *,
    grid: int | tuple[int, int] = 7,
    share: float = 0.9,
    fill: npt.ArrayLike = 0.0,
    order: npt.ArrayLike | None = None,
    beam: int = 3,
    branches: int = 15,
    explanations: int = 5,
    patience: int = 3,
    calls: int = 90,
    roots: int = 3,
    overlap: int = 1,
    children: int = 3,
    depth: int = 2,
    floor: float = 0.4,
    progress: Progress | None = None,
) -> list[AttentionGraph]:
    """
    Search each image for several minimal sufficient explanations and draw up their graph (Shitole et al. 2021).

    The search adds one patch at a time to a beam of the best sets that do not suffice yet. A set that suffices is
    shrunk until no single patch can be spared. (A smaller set may exist elsewhere, unless `beam` and `branches` are
    large enough for all sets.) Then it begins again among the patches that the best explanation so far leaves, if these
    suffice at all: an addition to the paper's search, whose explanations tend to resemble each other.

    Parameters
    ----------
    model
        A built classifier that returns logits (batch, classes), channels last.
    inputs : array, shape (batch, height, width, channels)
        The images to explain, one graph each.
    target : int, or array of ints, shape (batch,)
        The class to explain, one for all images or one each.
    grid
        Rows and columns of patches, one number if equal.
    share
        A set suffices when it keeps this share of the whole image's probability.
    fill
        What hidden patches show: a number, one per channel, or an array that broadcasts to inputs.
    order : array, shape (batch, height, width) or shape of inputs
        An attribution: patches with more of it are tried first. By default what the log probability loses when a patch
        is covered, one more call of the model.
    beam
        Sets that are kept from step to step.
    branches
        Patches that are tried next to each of them.
    explanations
        A search ends when it has found so many,
    patience
        or after so many steps in a row without a new one,
    calls
        or after so many calls of the model; but never without an explanation.
    roots
        Searches, and roots of the graph, at most.
    overlap
        Patches that two roots may have in common.
    children
        Deletions that are followed from each node, from the one that costs most to the one that costs least.
    depth
        Patches that are deleted one after the other.
    floor
        Nodes below this share of the whole image's probability have no children.
    progress
        Called with (calls, explanations found) after each call of the model.

    Returns
    -------
    list of AttentionGraph, one per image

    Raises
    ------
    ValueError
        If model, inputs, target or options do not fit each other.

    Warns
    -----
    UserWarning
        If the model ends in a softmax or sigmoid: it is put on again to get probabilities.
    """
    asked = request(model, inputs, target)
    limits = Limits(beam, branches, explanations, patience, calls)
    shape = _Shape(roots, overlap, children, depth, floor)
    _check(asked, share, limits, shape)
    cells, size = _cells(asked, grid)
    fills = fill_like(asked.inputs, fill)
    sums = None if order is None else _sums(np.asarray(order), asked.inputs.shape, cells)
    graphs: list[AttentionGraph] = []
    for index in range(len(asked.inputs)):
        one = slice(index, index + 1)
        sample = Request(asked.model, asked.inputs[one], asked.targets[one])
        scores = Scores(sample, fills[one], cells, share, progress)
        ranked = order_by_loss(scores) if sums is None else np.argsort(-sums[index], kind="stable").tolist()
        found = search_diverse(scores, ranked, limits, roots)
        graphs.append(_graph(scores, found, shape, size, int(asked.targets[index])))
    return graphs


@dataclass(frozen=True)
class _Shape:
    """What of the explanations is drawn; see `structured_attention_graph`."""

    roots: int
    overlap: int
    children: int
    depth: int
    floor: float


def _graph(scores: Scores, found: list[int], shape: _Shape, grid: tuple[int, int], target: int) -> AttentionGraph:
    roots = most_diverse(found, shape.overlap)[: shape.roots]
    nodes, edges = _follow_deletions(scores, roots, shape)
    return AttentionGraph(
        grid=grid,
        target=target,
        probability=math.exp(scores.whole),
        explanations=tuple(map(_patches, found)),
        roots=tuple(map(_patches, roots)),
        nodes={_patches(node): math.exp(scores.one(node)) for node in nodes},
        edges=tuple(Deletion(_patches(p), _patches(c), (p ^ c).bit_length() - 1) for p, c in edges),
        calls=scores.calls,
        images=scores.images,
    )


def _follow_deletions(scores: Scores, roots: list[int], shape: _Shape) -> tuple[list[int], list[tuple[int, int]]]:
    """Delete patches from the roots down, all nodes of a level in one call: nodes, and edges (parent, child)."""
    nodes, edges, level = list(roots), list[tuple[int, int]](), list(roots)
    lowest = scores.whole + math.log(shape.floor)
    for _ in range(shape.depth):
        scores.of([smaller for node in level for smaller in deletions(node)])
        new: dict[int, None] = {}
        for node in level:
            followed = _spread(sorted(deletions(node), key=scores.one), shape.children)
            edges += [(node, child) for child in followed]
            new |= dict.fromkeys(child for child in followed if child not in nodes)
        nodes += new
        level = [child for child in new if scores.one(child) > lowest]
    return nodes, edges


def _spread(sets: list[int], count: int) -> list[int]:
    """Pick so many sets evenly, first and last among them."""
    places = np.linspace(0, len(sets) - 1, min(count, len(sets))).round().astype(int)
    return [sets[place] for place in places]


def _patches(chosen: int) -> Patches:
    return frozenset(patch for patch in range(chosen.bit_length()) if chosen >> patch & 1)


def _cells(asked: Request, grid: int | tuple[int, int]) -> tuple[npt.NDArray[np.int_], tuple[int, int]]:
    """For each pixel (height, width) the number of its patch; rows and columns of patches."""
    rows, columns = (grid, grid) if isinstance(grid, int) else grid
    if asked.inputs.ndim != 4:
        raise ValueError(f"attention graphs need images (batch, height, width, channels), got {asked.inputs.shape}")
    height, width = asked.inputs.shape[1:3]
    if not (1 <= rows <= height and 1 <= columns <= width):
        raise ValueError(f"a grid of {rows} x {columns} patches does not fit images of {height} x {width} pixels")
    cells = np.arange(height)[:, np.newaxis] * rows // height * columns + np.arange(width) * columns // width
    return cells, (rows, columns)


def _check(asked: Request, share: float, limits: Limits, shape: _Shape) -> None:
    if asked.targets.ndim != 1:
        raise ValueError(f"a graph explains one class per image, got targets of shape {asked.targets.shape}")
    if not (0 < share <= 1 and 0 < shape.floor <= 1):
        raise ValueError(f"share and floor must be above 0 and at most 1, got {share} and {shape.floor}")
    if min(limits.beam, limits.branches, limits.explanations, limits.patience, limits.calls, shape.roots) < 1:
        raise ValueError("beam, branches, explanations, patience, calls and roots must be at least 1")
    if min(shape.overlap, shape.children, shape.depth) < 0:
        raise ValueError("overlap, children and depth must be at least 0")


def _sums(order: npt.NDArray[Any], shape: tuple[int, ...], cells: npt.NDArray[np.int_]) -> npt.NDArray[np.float64]:
    """Sum an attribution over channels and patches: (batch, patches)."""
    if order.shape not in (shape, shape[:-1]) or not np.all(np.isfinite(order)):
        raise ValueError(f"order must be finite and of shape {shape} or {shape[:-1]}, got {order.shape}")
    flat = (order.sum(-1) if order.shape == shape else order).reshape(len(order), -1)
    return np.stack([np.bincount(cells.ravel(), one).astype(float) for one in flat])
