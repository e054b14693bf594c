"""Rankings of features without any model: what they tell about the label, each alone.

They choose features *before* a model is trained, and know nothing of what a model does with them. An explanation asks
a model.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_MOST_CLASSES = 20  # more different whole numbers are an amount, not names
_ROUNDED = 1e-14  # share of a column's size that may be nothing but rounding


def correlation_ranking(inputs: Any, labels: npt.ArrayLike, *, classes: bool | None = None) -> npt.NDArray[np.float64]:
    """
    Rank features by how strongly they go together with the label in a straight line.

    Of two classes or a regression it is the size of Pearson's correlation, of more classes the correlation ratio eta
    (the root of the share of the feature's variance that lies between the classes), which is the same for two.

    Parameters
    ----------
    inputs : array or data frame of numbers, shape (n, features)
    labels : array, shape (n,)
    classes
        Whether labels are classes, or the numbers of a regression. By default numbers are classes if they are whole and
        there are not more than 20 different ones.

    Returns
    -------
    array, shape (features,)
        From 0, no linear relation (and a constant feature), to 1. `np.argsort(-ranking)` has the first on top.

    Raises
    ------
    ValueError
        If inputs are no table of finite numbers, or labels do not fit them.
    """
    table, truth, regression = _checked(inputs, labels, classes)
    if regression:
        predicted = np.column_stack([truth])
    else:
        names, numbers = np.unique(truth, return_inverse=True)
        predicted = np.eye(len(names))[numbers]
    centred = table - table.mean(axis=0)
    spread = np.square(centred).sum(axis=0)
    basis = _orthonormal(predicted - predicted.mean(axis=0))
    explained = np.square(basis.T @ centred).sum(axis=0)
    known = spread > _ROUNDED**2 * np.square(table).sum(axis=0)
    return np.sqrt(np.divide(explained, spread, out=np.zeros_like(spread), where=known).clip(0, 1))


def mutual_information_ranking(
    inputs: Any, labels: npt.ArrayLike, *, classes: bool | None = None, neighbours: int = 3, seed: int = 0
) -> npt.NDArray[np.float64]:
    """
    Rank features by how much they tell about the label, in whatever form (Kraskov et al. 2004; Ross 2014).

    Estimated by scikit-learn's `mutual_info_classif` or `mutual_info_regression`.

    Parameters
    ----------
    inputs, labels, classes
        As for `correlation_ranking`.
    neighbours
        Of each sample, by which densities are estimated: more are smoother.
    seed
        Of the little noise that keeps equal values apart.

    Returns
    -------
    array, shape (features,)
        In nats: 0 means that nothing was found.

    Raises
    ------
    ValueError
        If inputs are no table of finite numbers, or labels or neighbours do not fit them.
    """
    from sklearn.feature_selection import mutual_info_classif, mutual_info_regression

    table, truth, regression = _checked(inputs, labels, classes)
    if not 1 <= neighbours < len(table):
        raise ValueError(f"neighbours must be from 1 to {len(table) - 1}, fewer than samples, got {neighbours}")
    estimate = mutual_info_regression if regression else mutual_info_classif
    return estimate(table, truth, n_neighbors=neighbours, random_state=seed)


def _checked(
    inputs: Any, labels: npt.ArrayLike, classes: bool | None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[Any], bool]:
    """Return table and labels, and whether these are the numbers of a regression."""
    try:
        table: npt.NDArray[np.float64] = np.asarray(inputs, float)
    except (TypeError, ValueError):
        raise ValueError("inputs must be numbers: turn categories into columns first") from None
    truth: npt.NDArray[Any] = np.asarray(labels)
    if table.ndim != 2 or len(table) < 2 or not np.isfinite(table).all():
        raise ValueError(
            f"inputs must be a table (n, features) of finite numbers, two rows at least; got {table.shape}"
        )
    if truth.shape != (len(table),):
        raise ValueError(f"labels must be one per sample, shape ({len(table)},), got {truth.shape}")
    regression = not (_looks_like_classes(truth) if classes is None else classes)
    if regression and (truth.dtype.kind not in "iufb" or not np.isfinite(truth).all()):
        raise ValueError("labels of a regression must be finite numbers")
    return _near_one(table), _near_one(truth.astype(float)) if regression else truth, regression


def _near_one(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Change the units of columns by powers of 2, which loses nothing: squares neither overflow nor vanish."""
    exponents = np.frexp(np.abs(values).max(axis=0))[1]
    return np.ldexp(values, -exponents)


def _looks_like_classes(labels: npt.NDArray[Any]) -> bool:
    if labels.dtype.kind not in "iuf":
        return True
    return bool(np.array_equal(labels, np.round(labels))) and len(np.unique(labels)) <= _MOST_CLASSES


def _orthonormal(columns: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return directions that span the same."""
    directions, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    return directions[:, sizes > max(_ROUNDED * np.sqrt(len(columns)), 1e-12 * sizes.max(initial=0.0))]
