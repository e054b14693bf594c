"""Rankings of features without any model: what they tell about the label, each alone.

They choose features *before* a model is trained, and know nothing of what a model does with them. An explanation asks
a model.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def correlation_ranking(inputs: Any, labels: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """
    Rank features by how strongly they go together with the label in a straight line.

    Of two classes or a regression it is the size of Pearson's correlation, of more classes the correlation ratio eta
    (the root of the share of the feature's variance that lies between the classes), which is the same for two.

    Parameters
    ----------
    inputs : array or data frame of numbers, shape (n, features)
    labels : array, shape (n,)
        Names or whole numbers are classes, fractions are targets of a regression.

    Returns
    -------
    array, shape (features,)
        From 0, no linear relation (and a constant feature), to 1. `np.argsort(-ranking)` has the first on top.

    Raises
    ------
    ValueError
        If inputs are no table of finite numbers, or labels do not fit them.
    """
    table, truth = _checked(inputs, labels)
    if _is_regression(truth):
        predicted = np.column_stack([truth])
    else:
        classes, numbers = np.unique(truth, return_inverse=True)
        predicted = np.eye(len(classes))[numbers]
    centred = table - table.mean(axis=0)
    spread = np.square(centred).sum(axis=0)
    basis = _orthonormal(predicted - predicted.mean(axis=0))
    explained = np.square(basis.T @ centred).sum(axis=0)
    known = spread > 1e-24 * np.maximum(1, np.square(table).sum(axis=0))
    return np.sqrt(np.divide(explained, spread, out=np.zeros_like(spread), where=known).clip(0, 1))


def mutual_information_ranking(
    inputs: Any, labels: npt.ArrayLike, *, neighbours: int = 3, seed: int = 0
) -> npt.NDArray[np.float64]:
    """
    Rank features by how much they tell about the label, in whatever form (Kraskov et al. 2004; Ross 2014).

    Estimated by scikit-learn's `mutual_info_classif` or `mutual_info_regression`.

    Parameters
    ----------
    inputs, labels
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

    table, truth = _checked(inputs, labels)
    if not 1 <= neighbours < len(table):
        raise ValueError(f"neighbours must be from 1 to {len(table) - 1}, fewer than samples, got {neighbours}")
    estimate = mutual_info_regression if _is_regression(truth) else mutual_info_classif
    return estimate(table, truth, n_neighbors=neighbours, random_state=seed)


def _checked(inputs: Any, labels: npt.ArrayLike) -> tuple[npt.NDArray[np.float64], npt.NDArray[Any]]:
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
    if _is_regression(truth) and not np.isfinite(truth).all():
        raise ValueError("labels must be finite")
    return table, truth


def _is_regression(labels: npt.NDArray[Any]) -> bool:
    return labels.dtype.kind == "f" and not np.array_equal(labels, np.round(labels))


def _orthonormal(columns: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return directions that span the same."""
    directions, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    return directions[:, sizes > 1e-12 * max(1.0, sizes.max(initial=0.0))]
