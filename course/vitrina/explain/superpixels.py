"""Superpixels: images cut into pieces that are hidden or shown as a whole."""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from vitrina.explain.request import positive_int

Labels = npt.NDArray[np.int32]
"""For each pixel the number of its superpixel, from 0 up within an image."""

Segmentation = Literal["slic", "grid"]

_WHITE = 100.0  # lightness of white in CIELAB, where black is 0


def superpixels(
    images: npt.ArrayLike, segments: int = 50, *, method: Segmentation = "slic", compactness: float = 30.0
) -> Labels:
    """
    Cut images into superpixels.

    SLIC (Achanta et al. 2012, doi 10.1109/TPAMI.2012.120; scikit-image's) clusters the pixels of an image by colour and
    place, so that a piece tends to keep to one side of an edge. A grid does not look at the image: its pieces are
    rectangles as near to squares as can be, the same in all images.

    Parameters
    ----------
    images : array, shape (batch, height, width), (batch, height, width, 1) or (batch, height, width, channels)
        Grey or colour, in any range: SLIC stretches each image to its own lowest and highest value.
    segments
        How many superpixels to aim at. SLIC joins pieces that are small or torn apart, and so often returns fewer; a
        grid has a whole number of rows and columns. What was got is `labels.max(axis=(1, 2)) + 1`.
    method
        "slic" or "grid".
    compactness
        For SLIC, how much place counts against colour, where black and white are 100 apart (three channels are taken
        for red, green and blue, and compared in CIELAB). With a large one the pieces are nearly squares, with a small
        one they follow every edge, and thin ones are lost.

    Returns
    -------
    array of int32, shape (batch, height, width)
        In each image numbers from 0 up, without gaps, row by row in the order of their first pixels.

    Raises
    ------
    ValueError
        If images have another shape or hold something that is not finite, there are fewer pixels than segments, the
        method is unknown or the compactness not above 0.

    Examples
    --------
    >>> superpixels(np.zeros((1, 4, 6)), 6, method="grid")[0]
    array([[0, 0, 1, 1, 2, 2],
           [0, 0, 1, 1, 2, 2],
           [3, 3, 4, 4, 5, 5],
           [3, 3, 4, 4, 5, 5]], dtype=int32)
    """
    pictures = as_images(images)
    height, width = pictures.shape[1:3]
    if positive_int("segments", segments) > height * width:
        raise ValueError(f"an image of {height} x {width} pixels has no {segments} superpixels: ask for fewer")
    if method not in get_args(Segmentation):
        raise ValueError(f"method must be one of {', '.join(get_args(Segmentation))}, got {method!r}")
    if not (np.isfinite(compactness) and compactness > 0):
        raise ValueError(f"compactness must be a number above 0, got {compactness}")
    if method == "grid":
        return np.repeat(_grid(height, width, segments)[np.newaxis], len(pictures), axis=0)
    labels = [_slic(picture, segments, compactness) for picture in pictures]
    return np.stack(labels) if labels else np.zeros(pictures.shape[:3], np.int32)


def as_images(images: npt.ArrayLike) -> npt.NDArray[Any]:
    """
    Check images, and give grey ones a channel.

    Parameters
    ----------
    images : array, shape (batch, height, width) or (batch, height, width, channels)

    Returns
    -------
    array, shape (batch, height, width, channels)

    Raises
    ------
    ValueError
        If they have another shape, seem to be one image without a batch axis, or hold something else than finite
        numbers.
    """
    values = np.asarray(images)
    if values.dtype.kind not in "fiub":
        raise ValueError(f"images must be numbers, got an array of {values.dtype}")
    if values.ndim not in (3, 4) or 0 in values.shape[1:] or (values.ndim == 3 and values.shape[-1] in (1, 3)):
        raise ValueError(
            "images must have shape (batch, height, width) or (batch, height, width, channels), got "
            f"{values.shape}; one image needs a batch axis: images[np.newaxis]"
        )
    if not np.all(np.isfinite(values)):
        raise ValueError("images must be finite, they hold NaN or inf")
    return values if values.ndim == 4 else values[..., np.newaxis]


def _grid(height: int, width: int, segments: int) -> Labels:
    """Cut into rectangles whose sides differ little, in number as near to what is asked as that allows."""
    rows = min(height, max(1, round(math.sqrt(segments * height / width))))
    columns = min(width, max(1, round(segments / rows)))
    down, across = np.arange(height) * rows // height, np.arange(width) * columns // width
    return (down[:, np.newaxis] * columns + across).astype(np.int32)


def _slic(picture: npt.NDArray[Any], segments: int, compactness: float) -> Labels:
    from skimage.segmentation import slic

    values = picture.astype(np.float64)
    colour = values.shape[-1] == 3
    return slic(
        values,
        segments,
        # Only red, green and blue go to CIELAB, where white is 100; other channels are left between 0 and 1.
        compactness=compactness if colour else compactness / _WHITE,
        convert2lab=colour,
        channel_axis=-1,
        start_label=0,  # scikit-image numbers connected pieces row by row
    ).astype(np.int32)
