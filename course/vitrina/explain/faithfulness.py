"""Faithfulness: whether the model reacts to what the explanation calls important.

Pixels are replaced in the order of their relevance while the target's output is followed. If the most relevant go
first, the output of a faithful explanation falls soon; if the least relevant go first, it holds long. Which method wins
depends on what the pixels are replaced by, so every measure here takes several perturbations and returns one result for
each, by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import keras
import numpy as np
import numpy.typing as npt

from vitrina.explain.outputs import Output, as_attributions, one_class_each, replaced_outputs
from vitrina.explain.perturbing import Bounds, Order, Perturbations, has_channels, ranks, replacements, step_counts
from vitrina.explain.request import Request, Target
from vitrina.models import Array

PERTURBED_BY = ("black", "invert", "uniform")
"""The perturbations of a measure that is not told others: the winner differs between them."""


@dataclass(frozen=True)
class FlippingCurve:
    """
    How the output of each sample changes while its pixels are replaced.

    Attributes
    ----------
    shares : array, shape (steps + 1,)
        Share of the sample's pixels that are replaced, from 0 up.
    outputs : array, shape (batch, steps + 1)
        The target's output at each share.
    """

    shares: npt.NDArray[np.float64]
    outputs: Array

    @property
    def auc(self) -> Array:
        """Area under each sample's curve by the trapezoid rule, divided by the number of steps; shape (batch,)."""
        return np.trapezoid(self.outputs, axis=1) / (self.outputs.shape[1] - 1)


def pixel_flipping(
    model: keras.Model,
    inputs: npt.ArrayLike,
    target: Target,
    attributions: npt.ArrayLike,
    *,
    order: Order = "morf",
    perturbations: Perturbations = PERTURBED_BY,
    steps: int | None = None,
    until: float = 1.0,
    output: Output = "probability",
    bounds: Bounds = (0.0, 1.0),
    channels: bool | None = None,
    seed: int = 0,
) -> dict[str, FlippingCurve]:
    """
    Replace pixels in the order of their relevance and follow the target's output.

    Bach et al. 2015, doi 10.1371/journal.pone.0130140, "pixel-flipping"; Samek et al. 2017, arXiv 1509.06321.

    Parameters
    ----------
    model
        A built classifier that returns logits (batch, classes).
    inputs : array, shape (batch, ...)
        The samples that were explained, channels last.
    target : int or array of ints, shape (batch,)
        The class that was explained.
    attributions : array, shape of inputs
        Signed relevance; only the order of the pixels matters.
    order
        "morf" (most relevant first), "lerf" (least relevant first) or "random", which looks at no attribution. Equal
        relevance keeps the order of the pixels.
    perturbations
        What pixels become: names in `PERTURBATIONS`, or a mapping from names to values.
    steps
        How many times pixels are replaced, equally many each time (up to rounding); by default 50 at most.
    until
        Share of the pixels that are replaced at the end.
    output
        "probability" (softmax) or "logit".
    bounds
        Lowest and highest input value, for "black", "invert" and "uniform".
    channels
        Whether the last axis holds the channels of a pixel: their relevance is summed, and they are replaced together.
        By default so where a sample has more than one axis.
    seed
        Draws the random order and the noise.

    Returns
    -------
    dict
        From the name of a perturbation to its curve.

    Raises
    ------
    ValueError
        If the arguments do not fit the model or each other.

    Warns
    -----
    UserWarning
        If the model ends in a softmax or sigmoid: it is taken off, and back on for the probability.
    """
    return _curves(
        one_class_each(model, inputs, target),
        attributions,
        order=order,
        perturbations=perturbations,
        steps=steps,
        until=until,
        output=output,
        bounds=bounds,
        channels=channels,
        seed=seed,
    )


def deletion_curve(
    model: keras.Model,
    inputs: npt.ArrayLike,
    target: Target,
    attributions: npt.ArrayLike,
    *,
    perturbations: Perturbations = PERTURBED_BY,
    steps: int | None = None,
    bounds: Bounds = (0.0, 1.0),
    channels: bool | None = None,
    seed: int = 0,
) -> dict[str, FlippingCurve]:
    """
    Remove the most relevant pixels first, down to none: a low area is good (Petsiuk et al. 2018, arXiv 1806.07421).

    This is `pixel_flipping` of the probability, most relevant first, until nothing is left.

    Parameters
    ----------
    model, inputs, target, attributions, perturbations, steps, bounds, channels, seed
        As for `pixel_flipping`.

    Returns
    -------
    dict
        From the name of a perturbation to its curve, whose `auc` is the deletion score of each sample.

    Raises
    ------
    ValueError
        If the arguments do not fit the model or each other.
    """
    return _curves(
        one_class_each(model, inputs, target),
        attributions,
        perturbations=perturbations,
        steps=steps,
        bounds=bounds,
        channels=channels,
        seed=seed,
    )


def insertion_curve(
    model: keras.Model,
    inputs: npt.ArrayLike,
    target: Target,
    attributions: npt.ArrayLike,
    *,
    perturbations: Perturbations = PERTURBED_BY,
    steps: int | None = None,
    bounds: Bounds = (0.0, 1.0),
    channels: bool | None = None,
    seed: int = 0,
) -> dict[str, FlippingCurve]:
    """
    Begin with every pixel replaced and put the most relevant back first: a high area is good (Petsiuk et al. 2018).

    Parameters
    ----------
    model, inputs, target, attributions, perturbations, steps, bounds, channels, seed
        As for `pixel_flipping`.

    Returns
    -------
    dict
        From the name of a perturbation to its curve, whose `shares` are those of the pixels that are back, and whose
        `auc` is the insertion score of each sample.

    Raises
    ------
    ValueError
        If the arguments do not fit the model or each other.
    """
    return _curves(
        one_class_each(model, inputs, target),
        attributions,
        insert=True,
        perturbations=perturbations,
        steps=steps,
        bounds=bounds,
        channels=channels,
        seed=seed,
    )


def aopc(curves: Mapping[str, FlippingCurve]) -> dict[str, Array]:
    """
    Area over the perturbation curve: the mean of f(x_0) - f(x_k) over all L + 1 points, k = 0 among them.

    Samek et al. 2017, arXiv 1509.06321, equation 12, one value per sample. Most relevant first, higher is better. It
    depends on how far pixels were replaced: compare only curves of equal `shares`.

    Parameters
    ----------
    curves
        From `pixel_flipping`.

    Returns
    -------
    dict of arrays, shape (batch,)
        By perturbation.
    """
    return {name: (curve.outputs[:, :1] - curve.outputs).mean(axis=1) for name, curve in curves.items()}


def abpc(lerf: Mapping[str, FlippingCurve], morf: Mapping[str, FlippingCurve]) -> dict[str, Array]:
    """
    Area between the perturbation curves, least relevant first minus most relevant first.

    What a perturbation does to every order alike cancels, so a random order is 0 in expectation. Higher is better.
    (The region between the two curves in Schulz et al. 2020, arXiv 2001.00396, without their rescaling.)

    Parameters
    ----------
    lerf, morf
        From `pixel_flipping` with these orders and otherwise the same arguments.

    Returns
    -------
    dict of arrays, shape (batch,)
        By perturbation.

    Raises
    ------
    ValueError
        If the two do not belong together.
    """
    if lerf.keys() != morf.keys() or any(
        not np.array_equal(lerf[name].shares, morf[name].shares) or lerf[name].outputs.shape != morf[name].outputs.shape
        for name in morf
    ):
        raise ValueError("lerf and morf must be curves of the same samples, steps and perturbations")
    return {name: lerf[name].auc - morf[name].auc for name in morf}


def _curves(
    asked: Request,
    attributions: npt.ArrayLike,
    *,
    perturbations: Perturbations,
    steps: int | None,
    bounds: Bounds,
    channels: bool | None,
    seed: int,
    order: Order = "morf",
    until: float = 1.0,
    output: Output = "probability",
    insert: bool = False,
) -> dict[str, FlippingCurve]:
    inputs = asked.inputs
    ranked = ranks(as_attributions(attributions, inputs), order, channels=has_channels(inputs, channels), seed=seed)
    pixels = ranked[0].size
    counts = step_counts(pixels, steps, until)
    everywhere = np.broadcast_to(ranked, inputs.shape)
    curves: dict[str, FlippingCurve] = {}
    for name, replacing in replacements(inputs, perturbations, bounds, seed).items():
        start, end = (replacing, inputs) if insert else (inputs, replacing)
        curves[name] = FlippingCurve(counts / pixels, replaced_outputs(asked, start, end, everywhere, counts, output))
    return curves
