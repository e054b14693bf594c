"""Occlusion: what the target's logit loses when a window of the input is covered."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from vitrina.explain.masking import Masks, fill_like, masked_outputs, places_of
from vitrina.explain.request import Target, request
from vitrina.models import Array


def occlusion(
    model: keras.Model,
    inputs: npt.ArrayLike,
    target: Target,
    *,
    window: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    fill: npt.ArrayLike = 0.0,
) -> Array:
    """
    Occlusion, f_c(x) - f_c(x with a window covered) (Zeiler and Fergus 2014, arXiv 1311.2901, section 4.2).

    A window covers all channels at once. Where windows overlap, a place gets the mean over the windows that cover it.
    The costs are one forward pass per window.

    Parameters
    ----------
    model
        A built classifier that returns logits (batch, classes), channels last.
    inputs : array, shape (batch, ..., channels) or (batch, features)
        The samples to explain.
    target : int, or array of ints, shape (batch,) or (batch, k)
        The class to explain: one for all samples, one each, or k each, which share the forward passes.
    window
        Size of the window: one for all axes, or one per axis, such as (height, width).
    stride
        From one window to the next, at most the window's size; by default that size, so that windows tile the sample.
        The last windows are cut off where the sample ends.
    fill
        What covers: a number, one per channel, or an array that broadcasts to inputs, such as the blurred samples.
        With 0 a photograph that was scaled to -1 to 1 is covered in grey.

    Returns
    -------
    array, shape of inputs; with k targets each, an axis of them after the batch
        In the model's type, the same number in all channels of a place.

    Raises
    ------
    ValueError
        If inputs, target, window, stride or fill do not fit.

    Warns
    -----
    UserWarning
        If the model ends in a softmax or sigmoid: the logits before it are explained.
    """
    asked = request(model, inputs, target)
    covers = _covers(places_of(asked.inputs), window, stride)
    count = math.prod(map(len, covers))

    def hidden(numbers: slice) -> Masks:
        return _masks(covers, np.arange(numbers.start, numbers.stop))

    # One mask more than there are windows hides nothing: f(x) comes out of the same calls.
    logits = masked_outputs(asked, fill_like(asked.inputs, fill), hidden, count + 1)
    drops = logits[..., count:] - logits[..., :count]
    maps = _spread(drops.reshape(*drops.shape[:2], *map(len, covers)), covers)
    if asked.inputs.ndim > 2:
        maps = np.repeat(maps[..., np.newaxis], asked.inputs.shape[-1], axis=-1)
    return maps if asked.targets.ndim == 2 else maps[:, 0]


def _covers(places: tuple[int, ...], window: int | Sequence[int], stride: int | Sequence[int] | None) -> list[Masks]:
    """For each axis, which places each window covers: (windows, size)."""
    windows = _per_axis("window", window, places)
    strides = windows if stride is None else _per_axis("stride", stride, places)
    for size, width, step in zip(places, windows, strides, strict=True):
        if not 1 <= step <= width <= size:
            raise ValueError(
                f"occlusion needs 1 <= stride <= window <= size on each axis, got stride {step} and window {width} on "
                f"an axis of size {size}: places between windows would have no attribution"
            )
    return [_cover(*axis) for axis in zip(places, windows, strides, strict=True)]


def _per_axis(name: str, given: int | Sequence[int], places: tuple[int, ...]) -> list[int]:
    sizes = np.broadcast_to(given, len(places)) if np.ndim(given) == 0 else np.asarray(given)
    if sizes.shape != (len(places),) or sizes.dtype.kind not in "iu":
        raise ValueError(f"{name} must be an int, or {len(places)} ints for axes of size {places}, got {given!r}")
    return [int(size) for size in sizes]


def _cover(size: int, width: int, step: int) -> Masks:
    """As many windows as are needed to reach the end."""
    starts = step * np.arange(1 + math.ceil((size - width) / step))[:, np.newaxis]
    place = np.arange(size)
    return (starts <= place) & (place < starts + width)


def _masks(covers: list[Masks], numbers: npt.NDArray[np.int_]) -> Masks:
    """Masks of numbered windows, the last axis fastest; the number after the last window hides nothing."""
    lengths = [len(cover) for cover in covers]
    shown = numbers == math.prod(lengths)
    masks = ~shown
    for cover, chosen in zip(covers, np.unravel_index(np.where(shown, 0, numbers), lengths), strict=True):
        along = np.expand_dims(cover[chosen], tuple(range(1, masks.ndim)))
        masks = masks[..., np.newaxis] & along
    return masks


def _spread(drops: npt.NDArray[Any], covers: list[Masks]) -> npt.NDArray[Any]:
    """Give each place the mean over the windows that cover it; the mean of a box is taken axis by axis."""
    for axis, cover in enumerate(covers, start=2):
        shares = (cover / cover.sum(axis=0)).astype(drops.dtype)
        drops = np.moveaxis(np.tensordot(drops, shares, (axis, 0)), -1, axis)
    return drops
