"""Robustness: whether an explanation stays the same when the input hardly changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import numpy.typing as npt

from vitrina.explain.outputs import as_attributions, decisions, one_class_each
from vitrina.explain.request import Request, Target
from vitrina.explain.similarity import similarities
from vitrina.models import Array

Method = Callable[[keras.Model, Array, npt.NDArray[np.int32]], npt.ArrayLike]
"""Explains: takes a model, inputs and targets, returns attributions of the shape of inputs."""


@dataclass(frozen=True)
class MaxSensitivity:
    """
    How far an explanation can be moved by a small change of the input.

    Attributes
    ----------
    radii : array, shape (radii,)
        The largest change of an input value.
    values : array, shape (batch, radii)
        The largest change of the explanation that was found, relative to its own size.
    """

    radii: npt.NDArray[np.float64]
    values: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Stability:
    """
    How like itself an explanation stays when noise is added to the input.

    Attributes
    ----------
    noise : array, shape (levels,)
        Standard deviation of the noise.
    similarities : dict of arrays, shape (batch, levels)
        Mean over the draws, by the names in `SIMILARITIES`.
    kept : array, shape (batch, levels)
        Share of the draws in which the model still decides as before: only there is a changed explanation a fault of
        the method.
    """

    noise: npt.NDArray[np.float64]
    similarities: dict[str, Array]
    kept: npt.NDArray[np.float64]


def max_sensitivity(
    model: keras.Model,
    inputs: npt.ArrayLike,
    target: Target,
    method: Method,
    *,
    radii: Sequence[float] = (0.02, 0.05, 0.1),
    draws: int = 10,
    seed: int = 0,
) -> MaxSensitivity:
    """
    Search for the small change of the input that moves the explanation most.

    The maximum over changes d with |d_i| <= r of |phi(x + d) - phi(x)| / |phi(x)|, estimated by uniform draws (Yeh et
    al. 2019, arXiv 1901.09392, definition 3.1, divided by the size of the explanation so that methods compare). It is
    a lower bound: more draws find more.

    Parameters
    ----------
    model
        A built classifier that returns logits (batch, classes).
    inputs : array, shape (batch, ...)
        The samples to explain.
    target : int or array of ints, shape (batch,)
        The class to explain.
    method
        Called as `method(model, inputs, target)`, once for the inputs and once for each draw and radius.
    radii
        Largest changes r of an input value.
    draws
        Changes tried for each sample and radius.
    seed
        Draws them.

    Returns
    -------
    MaxSensitivity
        Infinite where only the changed input gets an explanation that is not 0 everywhere.

    Raises
    ------
    ValueError
        If the arguments do not fit the model or each other, or the method returns another shape.
    """
    asked = one_class_each(model, inputs, target)
    widths = _widths("radii", radii, draws)
    explained = _explain(method, asked, asked.inputs)
    generator = np.random.default_rng(seed)
    size = _norms(explained)
    values = np.zeros((len(explained), len(widths)))
    for _ in range(draws):
        change = generator.uniform(-1, 1, asked.inputs.shape)
        for column, radius in enumerate(widths):
            moved = _norms(_explain(method, asked, asked.inputs + radius * change) - explained)
            relative = np.divide(moved, size, out=np.where(moved > 0, np.inf, 0.0), where=size > 0)
            values[:, column] = np.maximum(values[:, column], relative)
    return MaxSensitivity(widths, values)


def noise_stability(
    model: keras.Model,
    inputs: npt.ArrayLike,
    target: Target,
    method: Method,
    *,
    noise: Sequence[float] = (0.02, 0.05, 0.1, 0.2),
    draws: int = 5,
    seed: int = 0,
) -> Stability:
    """
    Add Gaussian noise to the inputs and compare the explanations before and after.

    Parameters
    ----------
    model
        A built classifier that returns logits (batch, classes).
    inputs : array, shape (batch, ...)
        The samples to explain.
    target : int or array of ints, shape (batch,)
        The class to explain, before and after.
    method
        Called as `method(model, inputs, target)`, once for the inputs and once for each draw and level.
    noise
        Standard deviations.
    draws
        Noisy copies of each sample at each level.
    seed
        Draws the noise.

    Returns
    -------
    Stability

    Raises
    ------
    ValueError
        If the arguments do not fit the model or each other, or the method returns another shape.
    """
    asked = one_class_each(model, inputs, target)
    widths = _widths("noise", noise, draws)
    explained = _explain(method, asked, asked.inputs)
    decided = decisions(asked.model, asked.inputs)
    generator = np.random.default_rng(seed)
    likeness: dict[str, Array] = {}
    kept = np.zeros((len(explained), len(widths)))
    for _ in range(draws):
        direction = generator.standard_normal(asked.inputs.shape)
        for column, width in enumerate(widths):
            noisy = (asked.inputs + width * direction).astype(asked.inputs.dtype)
            kept[:, column] += (decisions(asked.model, noisy) == decided) / draws
            for name, values in similarities(explained, _explain(method, asked, noisy)).items():
                likeness.setdefault(name, np.zeros(kept.shape))[:, column] += values / draws
    return Stability(widths, likeness, kept)


def _explain(method: Method, asked: Request, inputs: Array) -> npt.NDArray[np.float64]:
    return as_attributions(method(asked.model, inputs.astype(asked.inputs.dtype), asked.targets), asked.inputs)


def _widths(name: str, widths: Sequence[float], draws: int) -> npt.NDArray[np.float64]:
    values = np.asarray(widths, float)
    if values.ndim != 1 or not values.size or not np.all(values > 0) or draws < 1:
        raise ValueError(f"{name} must be a list of numbers above 0, with at least 1 draw; got {widths} and {draws}")
    return values


def _norms(explained: Array) -> Array:
    return np.linalg.norm(explained.reshape(len(explained), -1), axis=1)
