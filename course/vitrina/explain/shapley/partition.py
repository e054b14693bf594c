"""Partition SHAP: Owen values of superpixels, or of any hierarchy of features, of a model of any kind."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vitrina.explain.black_box import scoring
from vitrina.explain.masking import places_of
from vitrina.explain.outputs import Output
from vitrina.explain.perturbing import replacements
from vitrina.explain.request import Target, as_targets
from vitrina.explain.shapley.coalitions import Values
from vitrina.explain.shapley.hierarchies import (
    Hierarchy,
    as_labels,
    grid_hierarchy,
    mean_colours,
    superpixel_hierarchy,
    touching,
)
from vitrina.explain.shapley.owen import OwenValues, owen_values
from vitrina.explain.shapley.players import Groups, player_of_each_value
from vitrina.explain.shapley.value_functions import interventional

_NAMED = ("mean", "blur", "neighbours")


@dataclass(frozen=True)
class PartitionShap:
    """
    Owen values of the players of each sample, and what they add up to.

    With k targets each, every shape has an axis of k after the batch.

    Attributes
    ----------
    attributions : array of float64, shape of the inputs
        What a player contributes, in equal shares for the values of the input that belong to it.
    players : list of arrays, shape (players,)
        What each player contributes; one array for each sample, with k targets of shape (k, players).
    base : array, shape (batch,)
        The target's mean output over the background.
    residual : array, shape (batch,)
        The target's output for the sample, less `base` and the sum of the attributions: nothing but rounding, whatever
        the budget.
    undivided : array, shape (batch,)
        How much was handed out in equal shares within groups that the budget did not take apart: 0 where the
        attributions are exact.
    evaluated : array of ints, shape (batch,)
        Coalitions asked for; each takes as many forward passes as the background has rows.
    needed : array of ints, shape (batch,)
        Coalitions that exact attributions take.
    """

    attributions: Values
    players: list[Values]
    base: Values
    residual: Values
    undivided: Values
    evaluated: npt.NDArray[np.int_]
    needed: npt.NDArray[np.int_]


def partition_shap(
    model: Any,
    inputs: Any,
    target: Target,
    *,
    groups: Groups | None = None,
    hierarchy: Hierarchy | None = None,
    background: str | npt.ArrayLike = "mean",
    coalitions: int | None = 500,
    output: Output | None = None,
) -> PartitionShap:
    """
    Owen values of superpixels or features over a hierarchy (`owen_values`, which names the sources).

    The value of a coalition is interventional: the mean score over the background, with the coalition's values of the
    input set to those of the sample. The attributions add up to the score less the base exactly, whatever the budget.

    Parameters
    ----------
    model
        Anything that `scoring` takes.
    inputs : array, shape (batch, ..., channels) or (batch, features), or pandas frame
        The samples to explain; the channels of a place belong to one player.
    target : int, or array of ints, shape (batch,) or (batch, k)
        The output to explain: one for all samples, one each, or k each, which share the coalitions.
    groups : optional
        The player that each place belongs to: ints from 0 up without gaps, shape (*places), or (batch, *places) for
        maps of their own, such as `superpixels(inputs)`; or for each player its columns, as for `interventional`. By
        default each pixel, or each feature of a table, is a player.
    hierarchy : optional
        Of the players, the same for all samples: nested tuples of their numbers or a linkage matrix. By default
        `superpixel_hierarchy` of each image and its superpixels, or of single pixels the halves, quarters and so on of
        the image; groups of a table's features have one level, which makes them Shapley values.
    background
        What stands in for the values of missing players. "mean" is the mean colour of the image, "blur" the blurred
        image (Gaussian, an eighth of the shorter side), "neighbours" the mean colour of the superpixels that touch a
        superpixel; or a number; or an array (references, ...) of samples, over which scores are averaged: a single
        baseline is a background of one.
    coalitions
        How many to ask for at most, for each sample; None for as many as exact values take.
    output
        "logit" or "probability", as for `scoring`.

    Returns
    -------
    PartitionShap

    Raises
    ------
    ValueError
        If an argument does not fit the model or the others, or exact values would take more than a million coalitions.

    Warns
    -----
    UserWarning
        If no output is named and a Keras model ends in a softmax or sigmoid: its logits are explained.
    """
    samples = _as_samples(inputs)
    scores = scoring(model, output=output, like=inputs if hasattr(inputs, "columns") else None)
    targets = as_targets(target, len(samples), scores(samples[:1]).shape[1] if len(samples) else np.iinfo(int).max)
    maps = _as_maps(groups, samples, getattr(inputs, "columns", None))
    backgrounds = _backgrounds(background, samples, maps)
    found: list[OwenValues] = []
    for sample, column, others, numbers in zip(samples, targets, backgrounds, maps, strict=True):
        tree = _default_hierarchy(numbers, sample, grouped=groups is not None) if hierarchy is None else hierarchy
        game = interventional(scores, sample[np.newaxis], column[np.newaxis], background=others, groups=numbers)
        found.append(owen_values(game, tree, coalitions=coalitions))
    return _result(found, maps, samples.shape, targets.shape[1:])


def _as_samples(inputs: Any) -> npt.NDArray[np.floating[Any]]:
    values = np.asarray(inputs)
    if values.dtype.kind not in "fiub" or values.ndim < 2 or 0 in values.shape[1:]:
        raise ValueError(
            "inputs must be numbers of shape (batch, features) or (batch, ..., channels), got shape "
            f"{values.shape} of {values.dtype}; one sample needs a batch axis: inputs[np.newaxis]"
        )
    if not np.all(np.isfinite(values)):
        raise ValueError("inputs must be finite, they hold NaN or inf")
    return values if values.dtype.kind == "f" else values.astype(np.float64)


def _as_maps(groups: Groups | None, samples: npt.NDArray[Any], columns: Any) -> npt.NDArray[np.int_]:
    """Return the player of each place of each sample, shape (batch, *places)."""
    places = places_of(samples)
    if groups is None:
        maps = np.arange(math.prod(places)).reshape(places)
    elif isinstance(groups, np.ndarray) or samples.ndim > 2:
        maps = np.asarray(groups)
        if maps.shape not in (places, (len(samples), *places)):
            raise ValueError(
                f"groups must have shape {places}, one player for each place, or {(len(samples), *places)} with a map "
                f"for each sample; got {maps.shape}"
            )
    else:
        maps = player_of_each_value(groups, places, None if columns is None else list(columns))[0]
    return np.broadcast_to(maps, (len(samples), *places))


def _default_hierarchy(labels: npt.NDArray[np.int_], sample: npt.NDArray[Any], *, grouped: bool) -> Hierarchy:
    if labels.ndim == 2 and grouped:
        return superpixel_hierarchy(labels, sample)
    if labels.ndim == 2:
        return grid_hierarchy(*labels.shape)
    if grouped and labels.ndim == 1:
        return tuple(range(as_labels(labels)[1]))
    raise ValueError(
        "name the groups of the features: hierarchy=((0, 1), (2, 3)), or a linkage matrix such as SciPy's linkage of "
        "the columns; by default only images have a hierarchy"
    )


def _backgrounds(
    background: str | npt.ArrayLike, samples: npt.NDArray[Any], maps: npt.NDArray[np.int_]
) -> Sequence[npt.NDArray[Any]]:
    """Return what stands in for missing values of each sample, shape (rows, ...)."""
    if not isinstance(background, str):
        return [_as_references(background, samples)] * len(samples)
    if background not in _NAMED:
        raise ValueError(f"background must be one of {', '.join(_NAMED)}, a number or an array, got {background!r}")
    if samples.ndim != 4:
        raise ValueError(
            f"background {background!r} is made of an image (batch, height, width, channels): give samples, such as "
            "background=training_data[:50]"
        )
    if background == "neighbours":
        return [_from_neighbours(*pair)[np.newaxis] for pair in zip(samples, maps, strict=True)]
    return list(replacements(samples, [background], (0.0, 1.0), seed=0)[background][:, np.newaxis])


def _as_references(background: npt.ArrayLike, samples: npt.NDArray[Any]) -> npt.NDArray[Any]:
    values, shape = np.asarray(background), samples.shape[1:]
    if values.dtype.kind not in "fiub" or values.shape not in ((), (len(values) if values.ndim else 0, *shape)):
        raise ValueError(
            f"background must be a number or samples of shape (references, {', '.join(map(str, shape))}), got shape "
            f"{values.shape} of {values.dtype}"
        )
    if not values.size:
        raise ValueError("the background is empty: give at least one reference")
    if not np.all(np.isfinite(values)):
        raise ValueError("the background must be finite, it holds NaN or inf")
    return np.broadcast_to(values.astype(samples.dtype), (values.shape or (1,))[:1] + shape)


def _from_neighbours(image: npt.NDArray[Any], labels: npt.NDArray[np.int_]) -> npt.NDArray[Any]:
    """Paint each superpixel in the mean colour of those that touch it; a single one in its own."""
    numbers, count = as_labels(labels)
    colours = mean_colours(numbers, image)
    touch = np.zeros((count, count))
    touch[touching(numbers)] = 1
    touch += touch.T if count > 1 else 1
    return ((touch @ colours) / touch.sum(axis=1, keepdims=True))[numbers].astype(image.dtype)


def _result(
    found: list[OwenValues], labels: npt.NDArray[np.int_], shape: tuple[int, ...], several: tuple[int, ...]
) -> PartitionShap:
    players = [one.attributions[0] for one in found]

    def gathered(name: str) -> Values:
        return np.array([getattr(one, name) for one in found], float).reshape(len(found), *several)

    attributions = np.zeros((len(found), *several, *shape[1:]))
    for row, values, numbers in zip(attributions, players, labels, strict=True):
        sizes = np.bincount(numbers.ravel()) * (math.prod(shape[1:]) // numbers.size)
        shares = (values / sizes)[..., numbers]
        row[...] = shares if len(shape) == 2 else shares[..., np.newaxis]
    return PartitionShap(
        attributions,
        players,
        gathered("base"),
        gathered("residual"),
        gathered("undivided"),
        np.array([one.evaluated for one in found], int),
        np.array([one.needed for one in found], int),
    )
