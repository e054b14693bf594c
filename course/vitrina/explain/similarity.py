"""How alike two explanations of the same samples are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from scipy.stats import rankdata

from vitrina.models import Array


def rank_correlation(attributions: Array, others: Array) -> Array:
    """
    Spearman's rank correlation of each sample's attributions: 1 for the same order, 0 for nothing in common.

    Parameters
    ----------
    attributions, others : arrays, shape (batch, ...)
        Equal attributions share the mean of their ranks.

    Returns
    -------
    array, shape (batch,)
        From -1 to 1. Attributions that are all equal order nothing: 0 with any others.
    """
    a, b = (_centred_ranks(values) for values in (attributions, others))
    norms = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return np.divide((a * b).sum(axis=1), norms, out=np.zeros(len(norms)), where=norms > 0)


def size_rank_correlation(attributions: Array, others: Array) -> Array:
    """
    Spearman's rank correlation of absolute attributions: whether the same values matter, whatever they speak for.

    Parameters
    ----------
    attributions, others : arrays, shape (batch, ...)
        Signed or not.

    Returns
    -------
    array, shape (batch,)
    """
    return rank_correlation(np.abs(attributions), np.abs(others))


def structural_similarity(attributions: Array, others: Array) -> npt.NDArray[np.float32]:
    """
    SSIM of two maps drawn in grey: channels summed, zero half-way, the largest value black or white.

    Wang et al. 2004, doi 10.1109/TIP.2003.819861. It is made for pictures, which have no negative values: of signed
    maps it would call a map and its opposite alike.

    Parameters
    ----------
    attributions, others : arrays, shape (batch, height, width, channels)
        A window is 11 pixels wide, or as wide as the map if that is less.

    Returns
    -------
    array, shape (batch,)
        1 for maps that differ by a factor only.
    """
    a, b = (_in_grey(values) for values in (attributions, others))
    return tf.image.ssim(a, b, max_val=1.0, filter_size=min(11, *a.shape[1:3])).numpy()


SIMILARITIES: Mapping[str, Callable[[Array, Array], Array]] = MappingProxyType(
    {
        "rank correlation": rank_correlation,
        "rank correlation of sizes": size_rank_correlation,
        "SSIM": structural_similarity,
    }
)


def similarities(attributions: Array, others: Array) -> dict[str, Array]:
    """
    Compare in every way that the shape allows: SSIM only where samples are images (height, width, channels).

    Parameters
    ----------
    attributions, others : arrays, shape (batch, ...)
        Two explanations of the same samples.

    Returns
    -------
    dict of arrays, shape (batch,)
        By the names in `SIMILARITIES`.
    """
    names = [name for name in SIMILARITIES if name != "SSIM" or attributions.ndim == 4]
    return {name: SIMILARITIES[name](attributions, others) for name in names}


def _centred_ranks(values: Array) -> Array:
    ranked = rankdata(values.reshape(len(values), -1), axis=1)
    return ranked - ranked.mean(axis=1, keepdims=True)


def _in_grey(values: Array) -> npt.NDArray[np.float32]:
    maps = values.sum(axis=-1, keepdims=True)
    largest = np.abs(maps).max(axis=(1, 2, 3), keepdims=True)
    return (0.5 + 0.5 * maps / np.where(largest > 0, largest, 1)).astype(np.float32)
