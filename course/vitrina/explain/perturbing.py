"""What a pixel becomes when it is flipped, and in which order pixels are.

The two choices that decide what a faithfulness curve shows. No replacement is neutral: black is an ordinary background
to a network that has seen digits, and noise is like nothing that it has seen. So measures take several at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from vitrina.models import Array

Order = Literal["morf", "lerf", "random"]
"""Most relevant first, least relevant first, or by chance."""

Perturbations = Sequence[str] | Mapping[str, npt.ArrayLike]
"""Names in `PERTURBATIONS`, or a mapping from a name of one's own to the replacing values."""

Bounds = tuple[float, float]
_STEPS = 50
_Replacement = Callable[[Array, Bounds, np.random.Generator], npt.ArrayLike]


def _blur(inputs: Array, _bounds: Bounds, _generator: np.random.Generator) -> Array:
    """Gaussian blur with a standard deviation of an eighth of the shorter side: no stroke survives it."""
    if inputs.ndim != 4:
        raise ValueError(f"'blur' needs images (batch, height, width, channels), got {inputs.shape}")
    width = min(inputs.shape[1:3]) / 8
    return gaussian_filter(inputs, (0, width, width, 0))


PERTURBATIONS: Mapping[str, _Replacement] = MappingProxyType(
    {
        "zero": lambda _inputs, _bounds, _generator: 0.0,
        "black": lambda _inputs, bounds, _generator: bounds[0],
        "invert": lambda inputs, bounds, _generator: bounds[0] + bounds[1] - inputs,
        "uniform": lambda inputs, bounds, generator: generator.uniform(*bounds, inputs.shape),
        "mean": lambda inputs, _bounds, _generator: inputs.mean(axis=_places(inputs), keepdims=True),
        "blur": _blur,
    }
)
"""Replacements by name: 0, the lower bound, low + high - x, noise between the bounds, the mean of the sample (by
channel), and the blurred image."""

_BOUNDED = {"black", "invert", "uniform"}


def replacements(inputs: Array, perturbations: Perturbations, bounds: Bounds, seed: int) -> dict[str, Array]:
    """
    Compute what each value becomes, for each perturbation.

    Parameters
    ----------
    inputs : array, shape (batch, ...)
        What is replaced.
    perturbations
        Names, or a mapping from names to values that broadcast to inputs.
    bounds
        Lowest and highest value of an input.
    seed
        Draws the noise.

    Returns
    -------
    dict of arrays, shape of inputs
        In the type of inputs.

    Raises
    ------
    ValueError
        If a name is unknown, a value does not fit, or inputs lie outside bounds that a perturbation needs.
    """
    if isinstance(perturbations, str):
        raise ValueError(f"perturbations are a list of names, as one alone misleads: [{perturbations!r}, ...]")
    if not len(perturbations):
        raise ValueError(f"at least one perturbation is needed, out of {', '.join(PERTURBATIONS)}")
    if isinstance(perturbations, Mapping):
        return {name: _fitting(name, values, inputs) for name, values in perturbations.items()}
    unknown = [name for name in perturbations if name not in PERTURBATIONS]
    if unknown:
        raise ValueError(f"unknown perturbation {unknown[0]!r}: choose from {', '.join(PERTURBATIONS)}")
    if _BOUNDED & set(perturbations):
        _check_bounds(inputs, bounds)
    return {
        name: _fitting(name, PERTURBATIONS[name](inputs, bounds, np.random.default_rng(seed)), inputs)
        for name in perturbations
    }


def ranks(attributions: npt.NDArray[np.float64], order: Order, *, channels: bool, seed: int) -> npt.NDArray[np.int32]:
    """
    Rank the pixels of each sample: 0 is flipped first.

    Parameters
    ----------
    attributions : array, shape (batch, ...)
        Signed relevance.
    order
        "morf", "lerf" or "random". Equal relevance keeps the order of the pixels, row by row.
    channels
        Whether the last axis are the channels of a pixel, which are summed and flipped together.
    seed
        Draws the random order.

    Returns
    -------
    array of int32, shape (batch, ..., 1) with channels and shape of attributions without

    Raises
    ------
    ValueError
        If the order is unknown.
    """
    relevance = attributions.sum(axis=-1, keepdims=True) if channels else attributions
    flat = relevance.reshape(len(relevance), -1)
    if order == "random":
        drawn = np.random.default_rng(seed).permuted(np.tile(np.arange(flat.shape[1]), (len(flat), 1)), axis=1)
        return drawn.reshape(relevance.shape).astype(np.int32)
    if order not in ("morf", "lerf"):
        raise ValueError(f"order must be 'morf', 'lerf' or 'random', got {order!r}")
    first_to_last = np.argsort(-flat if order == "morf" else flat, axis=1, kind="stable")
    ranked = np.empty(flat.shape, np.int32)
    np.put_along_axis(ranked, first_to_last, np.arange(flat.shape[1], dtype=np.int32)[np.newaxis], axis=1)
    return ranked.reshape(relevance.shape)


def step_counts(pixels: int, steps: int | None, until: float = 1.0) -> npt.NDArray[np.int32]:
    """
    Count how many pixels or features have had their turn at each point of a curve.

    Parameters
    ----------
    pixels
        How many there are.
    steps
        Points of the curve after the first; by default one for each pixel, but 50 at most.
    until
        Share of the pixels that have had their turn at the end.

    Returns
    -------
    array of int32, shape (steps + 1,)
        From 0 up.

    Raises
    ------
    ValueError
        If `until` is no share, or there are more steps than pixels.
    """
    if not 0 < until <= 1:
        raise ValueError(f"until is the share of pixels replaced at the end, above 0 and at most 1, got {until}")
    last = max(1, round(until * pixels))
    chosen = min(_STEPS, last) if steps is None else steps
    if not 1 <= chosen <= last:
        raise ValueError(f"steps must be from 1 to {last}, one for each pixel or feature at most, got {steps}")
    return np.rint(np.linspace(0, last, chosen + 1)).astype(np.int32)


def has_channels(inputs: Array, channels: bool | None) -> bool:
    """
    Decide whether the last axis of inputs holds channels: by default it does where a sample has several axes.

    Parameters
    ----------
    inputs : array, shape (batch, ...)
        The samples.
    channels
        What the caller says, `None` for the default.

    Returns
    -------
    bool
    """
    return inputs.ndim > 2 if channels is None else channels


def _places(inputs: Array) -> tuple[int, ...]:
    """Axes of a sample that are not its channels."""
    return tuple(range(1, max(2, inputs.ndim - 1)))


def _fitting(name: str, values: npt.ArrayLike, inputs: Array) -> Array:
    try:
        return np.broadcast_to(np.asarray(values, inputs.dtype), inputs.shape)
    except ValueError as error:
        raise ValueError(f"perturbation {name!r} must have values that fit {inputs.shape}") from error


def _check_bounds(inputs: Array, bounds: Bounds) -> None:
    low, high = bounds
    slack = 1e-6 * (high - low)
    if not low < high or inputs.min() < low - slack or inputs.max() > high + slack:
        raise ValueError(
            f"inputs reach from {inputs.min():.4g} to {inputs.max():.4g}, the bounds are {bounds}: "
            "give bounds=(lowest, highest) or other perturbations"
        )
