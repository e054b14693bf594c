"""Whether differences are larger than chance, also when several were looked at."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import ttest_ind


def holm(p_values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """
    Correct p-values for their number (Holm 1979).

    The smallest is multiplied by how many there are, the next by one less, and so on; none falls below one that was
    smaller, and none exceeds 1.

    Parameters
    ----------
    p_values : array, shape (tests,)

    Returns
    -------
    array, shape (tests,)
    """
    single = np.asarray(p_values, float)
    order = np.argsort(single)
    corrected = np.empty(len(single))
    corrected[order] = np.minimum(np.maximum.accumulate(single[order] * np.arange(len(single), 0, -1)), 1)
    return corrected


def welch(one: npt.ArrayLike, other: npt.ArrayLike) -> float:
    """
    Return the two-sided p-value of a difference of means without equal variances (Welch 1947).

    Parameters
    ----------
    one, other : arrays, shape (n,)
        Independent values, at least two each.

    Returns
    -------
    float
        Where neither varies, 1 for equal means and 0 otherwise.
    """
    first, second = np.asarray(one, float), np.asarray(other, float)
    if np.ptp(first) < 1e-12 and np.ptp(second) < 1e-12:
        return float(abs(first[0] - second[0]) < 1e-12)
    with warnings.catch_warnings():  # values that hardly vary: said by scipy, harmless here
        warnings.simplefilter("ignore", RuntimeWarning)
        test: Any = ttest_ind(first, second, equal_var=False)
    return float(test.pvalue)
