"""LIME of images: superpixels are hidden."""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from vitrina.explain.black_box import Scores, rows_at_once, scoring
from vitrina.explain.compiling import slices
from vitrina.explain.lime.explanation import ImageExplanation
from vitrina.explain.lime.fit import Floats, Options, Selection, warn_of_few
from vitrina.explain.lime.hiding import Shown, cosine_distances, fit_shown, one_by_one
from vitrina.explain.masking import fill_like
from vitrina.explain.outputs import Output
from vitrina.explain.perturbing import PERTURBATIONS
from vitrina.explain.request import Target, as_targets, positive_int
from vitrina.explain.superpixels import Labels, Segmentation, as_images, superpixels
from vitrina.models import Array


def lime_image(
    model: Any,
    images: npt.ArrayLike,
    target: Target,
    *,
    segments: int | npt.ArrayLike = 50,
    segmentation: Segmentation = "slic",
    hide: str | npt.ArrayLike = "mean",
    samples: int = 1000,
    kernel_width: float = 0.25,
    features: int | None = None,
    selection: Selection = "auto",
    ridge: float = 1.0,
    output: Output | None = None,
    seed: int = 0,
) -> ImageExplanation:
    """
    LIME (Ribeiro et al. 2016, arXiv 1602.04938) of images: a linear model of which superpixels are seen.

    Each superpixel is hidden or not by the toss of a coin. A weighted ridge regression of the model's scores on what is
    seen gives a coefficient to each. Draws and defaults follow the `lime` library, save the superpixels, which there
    are made for large colour images and come out as a single one on a digit.

    Parameters
    ----------
    model : keras.Model, estimator or callable
        As for `vitrina.explain.black_box.scoring`.
    images : array, shape (batch, height, width, channels), (batch, height, width) or (batch, pixels)
        The images to explain, grey or colour, as the model takes them. Flat ones are taken as grey squares.
    target : int, or array of ints, shape (batch,) or (batch, k)
        The output to explain: one for all images, one each, or k each.
    segments
        How many superpixels to aim at, or label maps of one's own, (batch, height, width), or (height, width) for all.
    segmentation
        "slic" or "grid", as for `superpixels`.
    hide
        What a hidden superpixel shows: "mean" for its mean colour, "blur" for the blurred image, a number, one per
        channel, or an array that broadcasts to images.
    samples
        How many perturbations there are, the image itself among them.
    kernel_width
        Of the kernel, sqrt(exp(-d^2 / width^2)), with the cosine distance d = 1 - sqrt(share of superpixels that are
        seen).
    features
        How many superpixels get a coefficient that is not 0; by default all.
    selection, ridge, output, seed
        As for `lime_tabular`.

    Returns
    -------
    ImageExplanation
        Each pixel has the coefficient of its superpixel, in all channels: what the score gains by its being seen.

    Raises
    ------
    ValueError
        If arguments do not fit the model or each other.

    Warns
    -----
    UserWarning
        If the kernel is so narrow that too few perturbations count. If no output is named and a Keras model ends in a
        softmax or sigmoid: its logits are explained.
    """
    options = Options(features, selection, ridge).checked()
    if positive_int("samples", samples) < 2:
        raise ValueError("samples must be at least 2: the image itself is one of them")
    pictures = _as_pictures(images)
    if not len(pictures):
        raise ValueError("images hold no picture: there is nothing to explain")
    given = pictures.reshape(np.shape(images))
    labels = _labels(pictures, segments, segmentation)
    fills = _hidden(pictures, labels, hide, given.shape)
    scores = scoring(model, output=output)
    said = scores(given).astype(np.float64)
    targets = as_targets(target, len(given), said.shape[1])
    fits = []
    for number, wanted in enumerate(targets.reshape(len(given), -1)):
        parts = int(labels[number].max()) + 1
        shown = np.random.default_rng(seed).integers(0, 2, (samples - 1, parts), np.uint8).astype(bool)
        pair = pictures[number], fills[number]
        seen = _scores_seen(scores, *pair, labels[number], shown, given.shape[1:], wanted)
        fits.append(fit_shown(shown, said[number, wanted], seen, cosine_distances(shown), kernel_width, options))
    warn_of_few(fits)
    asked = one_by_one(fits, several=targets.ndim == 2)
    return ImageExplanation(
        attributions=_painted(asked["coefficients"], labels, pictures, given.shape),
        prediction=np.take_along_axis(said, targets.reshape(len(said), -1), axis=1).reshape(targets.shape),
        segments=labels,
        **asked,
    )


def _as_pictures(images: npt.ArrayLike) -> Array:
    """Return images as floats (batch, height, width, channels)."""
    values = np.asarray(images)
    if values.ndim == 2 and math.isqrt(values.shape[1]) ** 2 == values.shape[1]:
        side = math.isqrt(values.shape[1])
        values = values.reshape(-1, side, side, 1)
    pictures = as_images(values)
    return pictures if pictures.dtype.kind == "f" else pictures.astype(np.float32)


def _labels(pictures: Array, segments: int | npt.ArrayLike, segmentation: Segmentation) -> Labels:
    """Cut images up, or check label maps: their numbers need not be without gaps."""
    if np.ndim(segments) == 0:
        return superpixels(pictures, cast("int", segments), method=segmentation)
    labels = np.asarray(segments)
    shape = pictures.shape[:3]
    if labels.dtype.kind not in "iu" or labels.shape not in (shape, shape[1:]):
        raise ValueError(
            f"segments must be a number, or label maps of ints, shape {shape} or {shape[1:]}; got shape {labels.shape} "
            f"of {labels.dtype}"
        )
    numbered = [np.unique(one, return_inverse=True)[1].reshape(shape[1:]) for one in np.broadcast_to(labels, shape)]
    return np.array(numbered, np.int32)


def _hidden(pictures: Array, labels: Labels, hide: str | npt.ArrayLike, shape: tuple[int, ...]) -> Array:
    """What is seen where superpixels are hidden."""
    if isinstance(hide, str):
        if hide == "mean":
            return np.stack([_means(*pair) for pair in zip(pictures, labels, strict=True)])
        if hide == "blur":
            blur = PERTURBATIONS["blur"](pictures, (0.0, 1.0), np.random.default_rng(0))
            return np.asarray(blur, pictures.dtype)
        raise ValueError(f"hide must be 'mean', 'blur', a number or an array, got {hide!r}")
    if np.shape(hide) == shape:
        hide = np.reshape(hide, pictures.shape)
    return fill_like(pictures, hide)


def _means(picture: Array, labels: Labels) -> Array:
    """Give each pixel the mean colour of its superpixel."""
    flat, places = picture.reshape(-1, picture.shape[-1]), labels.ravel()
    sums = np.stack([np.bincount(places, channel) for channel in flat.T], axis=1)
    return (sums / np.bincount(places)[:, np.newaxis])[labels].astype(picture.dtype)


def _scores_seen(
    scores: Scores,
    picture: Array,
    fill: Array,
    labels: Labels,
    shown: Shown,
    shape: tuple[int, ...],
    wanted: npt.NDArray[np.int32],
) -> Floats:
    """What the model says of an image whose superpixels are hidden: (perturbations, targets)."""
    said = np.empty((len(shown), len(wanted)))
    # As many as are scored at once: they are still in the processor's cache.
    for part in slices(len(shown), rows_at_once(picture.size)):
        visible = shown[part][:, labels][..., np.newaxis]
        said[part] = scores(np.where(visible, picture, fill).reshape(-1, *shape))[:, wanted]
    return said


def _painted(coefficients: tuple[Floats, ...], labels: Labels, pictures: Array, shape: tuple[int, ...]) -> Array:
    """Give each pixel the coefficient of its superpixel: the shape of the images, with targets after the batch."""
    maps = np.stack([found[..., one] for found, one in zip(coefficients, labels, strict=True)])
    maps = np.repeat(maps[..., np.newaxis], pictures.shape[-1], axis=-1)
    return maps.reshape(*maps.shape[:-3], *shape[1:])
