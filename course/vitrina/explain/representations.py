"""Whether two networks represent the same samples alike: compared as wholes, and unit by unit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def linear_cka(one: npt.ArrayLike, other: npt.ArrayLike, *, unbiased: bool = True) -> float:
    """
    Linear centred kernel alignment of two representations (Kornblith et al. 2019, arXiv 1905.00414, section 3).

    With centred activations X and Y of the same samples::

        CKA = |Y' X|^2 / (|X' X| |Y' Y|)          (Frobenius norms)

    It asks which samples are near each other in both, so it does not change when either is rotated, mirrored, shifted
    or scaled as a whole. Few samples and many units make it large by itself: of random numbers it tends to 1. The
    unbiased estimate of the same quantity (Song et al. 2012; Nguyen et al. 2021, arXiv 2010.15327) is near 0 there.

    Parameters
    ----------
    one, other : arrays, shape (samples, ...)
        Activations of two layers, of one network or two, on the same samples.
    unbiased
        Whether to correct for the number of samples; needs four of them at least.

    Returns
    -------
    float
        1 for equal up to the above; at most 1, and at least 0 unless unbiased.

    Raises
    ------
    ValueError
        If the samples are not as many, too few, not finite or all represented alike.
    """
    first, second = _pair(one, other, fewest=4 if unbiased else 2)
    if unbiased:
        kernels = [values @ values.T for values in (first, second)]
        cross, own, others = (_unbiased(*pair) for pair in ((kernels * 2)[:2], [kernels[0]] * 2, [kernels[1]] * 2))
    else:
        cross, own, others = (_biased(*pair) for pair in ((first, second), (first, first), (second, second)))
    if not (own > 0 and others > 0):
        raise ValueError("all samples are represented alike: there is nothing to compare")
    return float(cross / np.sqrt(own * others))


def best_matches(one: npt.ArrayLike, other: npt.ArrayLike) -> Floats:
    """
    Find for each unit of a layer the unit of another network that resembles it most (Li et al. 2016, arXiv 1511.07543).

    Parameters
    ----------
    one : array, shape (samples, units)
        Activations of a layer.
    other : array, shape (samples, other units)
        Those of another layer or network on the same samples.

    Returns
    -------
    array, shape (units,)
        The largest correlation with a unit of the other. A unit that never changes has none: NaN.

    Raises
    ------
    ValueError
        If the samples are not as many, too few or not finite.
    """
    first, second = _pair(one, other, fewest=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        unit = [values / np.linalg.norm(values, axis=0) for values in (first, second)]
    matches: Floats = np.max(np.nan_to_num(unit[0].T @ unit[1], nan=-np.inf), axis=1)
    return np.where(np.isfinite(matches), matches, np.nan)


def _pair(one: npt.ArrayLike, other: npt.ArrayLike, fewest: int) -> tuple[Floats, Floats]:
    """Return both as centred (samples, units)."""
    first, second = (np.asarray(values, float) for values in (one, other))
    if first.ndim < 2 or second.ndim < 2 or len(first) != len(second):
        raise ValueError(f"activations of the same samples are compared, got shapes {first.shape} and {second.shape}")
    if len(first) < fewest:
        raise ValueError(f"{fewest} samples at least are needed, got {len(first)}")
    if not (np.all(np.isfinite(first)) and np.all(np.isfinite(second))):
        raise ValueError("activations must be finite numbers")
    flat = (values.reshape(len(values), -1) for values in (first, second))
    first, second = (values - values.mean(axis=0) for values in flat)
    return first, second


def _biased(one: Floats, other: Floats) -> float:
    """Return |Y' X|^2, through the smaller of the two tables that hold it."""
    if max(one.shape[1], other.shape[1]) <= len(one):
        return float(np.sum((other.T @ one) ** 2))
    return float(np.sum((one @ one.T) * (other @ other.T)))


def _unbiased(one: Floats, other: Floats) -> float:
    """
    Estimate the same without bias from kernels (samples, samples), which lose their diagonals.

    Up to a factor of the number of samples, which cancels in the similarity.
    """
    count = len(one)
    first, second = (kernel - np.diag(np.diag(kernel)) for kernel in (one, other))
    sums = first.sum(axis=0), second.sum(axis=0)
    whole = np.sum(first * second) + sums[0].sum() * sums[1].sum() / ((count - 1) * (count - 2))
    return float(whole - 2 * sums[0] @ sums[1] / (count - 2))
