"""Single units: whether they stand for something, and whether a network needs them."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from vitrina.explain.layers import layer_activations, replaced_logits
from vitrina.explain.request import as_targets

Floats = npt.NDArray[np.float64]


def selectivity(values: npt.ArrayLike, labels: npt.ArrayLike) -> Floats:
    """
    Measure how well a single number tells one class from all others.

    For each class it is |2 AUC - 1|, where AUC is the probability that a sample of the class has the larger value; then
    the best class counts. It asks for order only, so it is fair to numbers on any scale, such as a unit and a mixture
    of units.

    Parameters
    ----------
    values : array, shape (samples, k)
        k numbers for each sample: units, or directions.
    labels : array of ints, shape (samples,)
        Classes.

    Returns
    -------
    array, shape (k,)
        From 0 (tells nothing) to 1 (one class lies entirely above, or below, all others).

    Raises
    ------
    ValueError
        If values and labels do not fit, or there is only one class.
    """
    numbers, classes = np.asarray(values, float), np.asarray(labels)
    if numbers.ndim != 2 or classes.shape != numbers.shape[:1] or not np.all(np.isfinite(numbers)):
        raise ValueError(
            f"finite values (samples, k) need labels (samples,), got shapes {numbers.shape} and {classes.shape}"
        )
    known = np.unique(classes)
    if len(known) < 2:
        raise ValueError("samples of two classes at least are needed to be told apart")
    ranks = rankdata(numbers, axis=0)
    inside = np.stack([classes == each for each in known])
    counts = inside.sum(axis=1, keepdims=True)
    wins = inside.astype(float) @ ranks - counts * (counts + 1) / 2  # Mann and Whitney: how often a member is above
    return np.max(np.abs(2 * wins / (counts * (len(numbers) - counts)) - 1), axis=0)


def random_directions(activations: npt.ArrayLike, count: int, *, seed: int = 0) -> Floats:
    """
    Read a layer along random directions instead of along its units (Szegedy et al. 2014, arXiv 1312.6199, section 3).

    Parameters
    ----------
    activations : array, shape (samples, units)
        Of a layer.
    count
        How many directions.
    seed
        Draws them.

    Returns
    -------
    array, shape (samples, count)
        What a unit in this direction would say: the activations' components along random vectors of length 1.

    Raises
    ------
    ValueError
        If the activations have another shape.
    """
    values = np.asarray(activations, float)
    if values.ndim != 2 or not values.size:
        raise ValueError(f"activations must have the shape (samples, units), got {values.shape}")
    drawn = np.random.default_rng(seed).standard_normal((values.shape[1], count))
    return values @ (drawn / np.linalg.norm(drawn, axis=0))


def ablation_accuracies(
    model: keras.Model,
    inputs: npt.ArrayLike,
    labels: npt.ArrayLike,
    groups: Sequence[Sequence[int]],
    *,
    layer: str,
) -> Floats:
    """
    Measure the accuracy that is left when units are cut out of a layer (Morcos et al. 2018, arXiv 1803.06959).

    Parameters
    ----------
    model
        A built classifier that returns logits (batch, classes).
    inputs : array, shape (batch, ...)
        Samples.
    labels : array of ints, shape (batch,)
        Their classes.
    groups : sequence of sequences of ints
        The units, or channels, to cut out together: their outputs are set to their mean over the samples.
    layer
        Name of the layer.

    Returns
    -------
    array, shape (groups,)

    Raises
    ------
    ValueError
        If the arguments do not fit the model.
    """
    activations = layer_activations(model, inputs, layer)
    classes = as_targets(labels, len(activations), int(model.output_shape[-1]))
    units = activations.shape[-1]
    middle = activations.mean(axis=tuple(range(activations.ndim - 1)))
    accuracies = np.empty(len(groups))
    for number, group in enumerate(groups):
        chosen = list(group)
        if any(not 0 <= unit < units for unit in chosen):
            raise ValueError(f"layer {layer!r} has the units 0 to {units - 1}, got {chosen}")
        left = activations.copy()
        left[..., chosen] = middle[chosen]
        accuracies[number] = np.mean(replaced_logits(model, inputs, layer, left).argmax(axis=1) == classes)
    return accuracies
