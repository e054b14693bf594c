"""Whether attributions add up: their sum over a set of features beside what the model loses without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
import numpy.typing as npt

from vitrina.explain.outputs import as_attributions, one_class_each, outputs_of, replaced_outputs
from vitrina.explain.perturbing import Bounds, Perturbations, has_channels, ranks, replacements
from vitrina.explain.request import Target
from vitrina.models import Array


@dataclass(frozen=True)
class SensitivityN:
    """
    How well sums of attributions foretell what the logit loses.

    Attributes
    ----------
    sizes : array of ints, shape (sizes,)
        How many features were removed together.
    correlations : array, shape (batch, sizes)
        Pearson's correlation for each sample, NaN where the sums or the losses do not vary.
    """

    sizes: npt.NDArray[np.int32]
    correlations: Array


def sensitivity_n(
    model: keras.Model,
    inputs: npt.ArrayLike,
    target: Target,
    attributions: npt.ArrayLike,
    *,
    sizes: Sequence[int] | None = None,
    perturbations: Perturbations = ("zero",),
    subsets: int = 100,
    bounds: Bounds = (0.0, 1.0),
    channels: bool | None = None,
    seed: int = 0,
) -> dict[str, SensitivityN]:
    """
    Correlate the sum of the attributions of n random features with what the logit loses without them.

    Ancona et al. 2018, arXiv 1711.06104, section 4: a method has the property for a size n if the correlation is 1.
    The removed features get the values that the attributions are relative to: 0 for gradient x input and LRP, the
    baseline for integrated gradients.

    Parameters
    ----------
    model
        A built classifier that returns logits (batch, classes).
    inputs : array, shape (batch, ...)
        The samples that were explained, channels last.
    target : int or array of ints, shape (batch,)
        The class that was explained.
    attributions : array, shape of inputs
        Signed, and not made absolute or scaled sample by sample: the sums count.
    sizes
        Numbers of features, each below the number that there are; by default eight, from 1 to 80 %.
    perturbations
        What removed features become: names in `PERTURBATIONS`, or a mapping from names to values.
    subsets
        Sets drawn for each sample and size.
    bounds, channels
        As for `pixel_flipping`; a feature is a pixel with its channels.
    seed
        Draws the sets.

    Returns
    -------
    dict
        From the name of a perturbation to a `SensitivityN`.

    Raises
    ------
    ValueError
        If the arguments do not fit the model or each other.

    Warns
    -----
    UserWarning
        If the model ends in a softmax or sigmoid: the logits before it are explained.
    """
    asked = one_class_each(model, inputs, target)
    together = has_channels(asked.inputs, channels)
    relevance = as_attributions(attributions, asked.inputs)
    summed = relevance.sum(axis=-1, keepdims=True) if together else relevance
    chosen = _sizes(summed[0].size, sizes)
    if subsets < 3:
        raise ValueError(f"a correlation needs at least 3 subsets, got {subsets}")
    removed = replacements(asked.inputs, perturbations, bounds, seed)
    sums: list[Array] = []
    outputs: dict[str, list[Array]] = {name: [] for name in removed}
    for each in np.random.default_rng(seed).integers(2**32, size=subsets).tolist():
        order = ranks(relevance, "random", channels=together, seed=each)
        sums.append(_sums(summed, order, chosen))
        everywhere = np.broadcast_to(order, relevance.shape)
        for name, values in removed.items():
            outputs[name].append(replaced_outputs(asked, asked.inputs, values, everywhere, chosen, "logit"))
    before = outputs_of(asked, asked.inputs, "logit")[:, np.newaxis]
    return {
        name: SensitivityN(chosen, _correlations(np.stack(sums), before - np.stack(after), np.abs(before)))
        for name, after in outputs.items()
    }


def infidelity(
    model: keras.Model,
    inputs: npt.ArrayLike,
    target: Target,
    slopes: npt.ArrayLike,
    *,
    noise: Sequence[float] = (0.05, 0.1, 0.2),
    draws: int = 100,
    seed: int = 0,
) -> dict[str, npt.NDArray[np.float64]]:
    """
    Mean squared gap between what attributions foretell for a small change I of the input and what happens to the logit.

    The mean over I of (sum(I phi) - (f(x) - f(x - I)))^2 (Yeh et al. 2019, arXiv 1901.09392, definition 2.1), with
    Gaussian I. Lower is better.

    Parameters
    ----------
    model
        A built classifier that returns logits (batch, classes).
    inputs : array, shape (batch, ...)
        The samples that were explained.
    target : int or array of ints, shape (batch,)
        The class that was explained.
    slopes : array, shape of inputs
        Attributions phi per unit of the input, such as a signed gradient. Contributions, such as gradient x input, must
        first be divided by x minus the baseline.
    noise
        Standard deviations of I.
    draws
        Changes I of each sample.
    seed
        Draws them.

    Returns
    -------
    dict of arrays, shape (batch,)
        By noise, such as "noise 0.1": the ranking of methods may depend on it.

    Raises
    ------
    ValueError
        If the arguments do not fit the model or each other.

    Warns
    -----
    UserWarning
        If the model ends in a softmax or sigmoid: the logits before it are explained.
    """
    asked = one_class_each(model, inputs, target)
    phi = as_attributions(slopes, asked.inputs)
    if draws < 1 or not len(noise) or min(noise) <= 0:
        raise ValueError(f"at least one draw and noise above 0 are needed, got {draws} and {noise}")
    generator = np.random.default_rng(seed)
    before = outputs_of(asked, asked.inputs, "logit")
    gaps = {f"noise {width:g}": np.zeros(len(phi)) for width in noise}
    for _ in range(draws):
        direction = generator.standard_normal(phi.shape)
        for name, width in zip(gaps, noise, strict=True):
            # The change that the model sees is the one that counts: in float32 it is not exactly what was drawn.
            moved = (asked.inputs - width * direction).astype(asked.inputs.dtype)
            change = (asked.inputs.astype(np.float64) - moved).reshape(len(phi), -1)
            foretold = (change * phi.reshape(len(phi), -1)).sum(axis=1)
            gaps[name] += (foretold - (before - outputs_of(asked, moved, "logit"))) ** 2 / draws
    return gaps


def _sizes(features: int, sizes: Sequence[int] | None) -> npt.NDArray[np.int32]:
    if sizes is None:
        return np.unique(np.rint(np.geomspace(1, max(1, 0.8 * features), 8)).astype(np.int32))
    chosen = np.asarray(sizes)
    if (
        chosen.ndim != 1
        or not chosen.size
        or chosen.dtype.kind not in "iu"
        or not np.all((chosen > 0) & (chosen < features))
    ):
        raise ValueError(
            f"sizes must be whole numbers from 1 to {features - 1}, below the {features} features, got {sizes}"
        )
    return chosen.astype(np.int32)


def _sums(summed: Array, order: npt.NDArray[np.int32], sizes: npt.NDArray[np.int32]) -> Array:
    """Sum the attributions of the first n features of an order, for each size n; shape (batch, sizes)."""
    flat, places = summed.reshape(len(summed), -1), np.argsort(order.reshape(len(order), -1), axis=1)
    return np.cumsum(np.take_along_axis(flat, places, axis=1), axis=1)[:, sizes - 1]


def _correlations(sums: Array, losses: Array, scale: Array) -> Array:
    """Pearson's correlation along the first axis, NaN where either side varies by no more than rounding does."""
    a, b = (values - values.mean(axis=0) for values in (sums, losses.astype(np.float64)))
    varies = (a.std(axis=0) > 1e-12 * np.abs(sums).max(axis=0)) & (
        b.std(axis=0) > 4 * np.finfo(losses.dtype).eps * scale
    )
    norms = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    return np.divide((a * b).sum(axis=0), norms, out=np.full(norms.shape, np.nan), where=varies)
