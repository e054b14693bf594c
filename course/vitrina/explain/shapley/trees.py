"""Exact Shapley values of decision trees, forests and boosted trees, without a single call of the model."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from vitrina.explain.request import Target, as_targets
from vitrina.explain.shapley.tree_models import Trees, read_trees
from vitrina.models import Array

_VALUES = 1 << 22  # sums at once: memory stays bounded beside the attributions themselves


def tree_shap(model: Any, inputs: npt.ArrayLike, target: Target, *, background: npt.ArrayLike) -> Array:
    """
    Compute exact interventional Shapley values of a tree model (Lundberg et al. 2020, doi 10.1038/s42256-019-0138-9).

    The value of a coalition S is the mean over the background of f with the features of S from the input and all others
    from the reference. What f is:

    - of trees, forests and extra trees the mean of the trees: probabilities of classes, or a regression;
    - of boosted trees the raw score, which their trees add up to: log-odds of classes (with two classes those of class
      0 are minus those of class 1), or the regression before its link.

    The values of an input add up to f(input) - mean f(background). The cost grows with inputs *plus* references, as
    long as many of them fall alike into the boxes of the leaves, and never faster than with their product.

    Parameters
    ----------
    model
        A fitted DecisionTree, RandomForest, ExtraTrees, GradientBoosting or HistGradientBoosting (without categorical
        features), Classifier or Regressor, of scikit-learn.
    inputs : array or data frame, shape (n, features)
        What is explained. NaN is taken as the model takes it.
    target : int, or array of ints, shape (n,) or (n, k)
        The class, or the target of a regression: 0 where there is a single one.
    background : array or data frame, shape (references, features)
        What an absent feature is drawn from; a single baseline is a background of one.

    Returns
    -------
    array of float64, shape (n, features), or (n, k, features) if target is (n, k)

    Raises
    ------
    ValueError
        If the model is of another kind, or anything does not fit it.

    Notes
    -----
    The first call in a process takes some tenths of a second, as compiled code is loaded, and the first call on a
    machine several seconds, as it is compiled.
    """
    trees = read_trees(model)
    samples, references = (
        _as_the_model_takes(model, values, name, trees)
        for values, name in ((inputs, "inputs"), (background, "background"))
    )
    targets = as_targets(target, len(samples), trees.values.shape[1])
    asked, columns = np.unique(targets, return_inverse=True)
    chunk = max(1, _VALUES // (len(asked) * samples.shape[1]))
    parts = [
        _explained(trees, samples[start : start + chunk], references, asked) for start in range(0, len(samples), chunk)
    ]
    values, rows = np.concatenate(parts), np.arange(len(samples))
    columns = columns.reshape(targets.shape)
    return values[rows[:, np.newaxis], columns] if targets.ndim == 2 else values[rows, columns]


def _as_the_model_takes(model: Any, values: Any, name: str, trees: Trees) -> npt.NDArray[np.float64]:
    """Return a table of numbers that the model accepts."""
    try:
        table = np.asarray(values, float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be numbers: turn categories into columns first, as for the model") from None
    if table.ndim != 2 or not len(table) or table.shape[1] != model.n_features_in_:
        raise ValueError(
            f"{name} must have shape (n, {model.n_features_in_}) with one row at least, got {table.shape}; one sample "
            "is sample[np.newaxis]"
        )
    names = getattr(model, "feature_names_in_", None)
    if names is not None and hasattr(values, "columns") and list(values.columns) != list(names):
        raise ValueError(f"{name} must have the columns that the model was fitted on, in their order: {list(names)}")
    _check_missing(model, table, name)
    return table.astype(np.float32).astype(float) if trees.rounded else table


def _check_missing(model: Any, table: npt.NDArray[np.float64], name: str) -> None:
    """Leave it to the model whether it takes what is not finite."""
    with np.errstate(over="ignore"):
        odd = table[~np.isfinite(table.astype(np.float32)).all(axis=1)]
    if len(odd):
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="X does not have valid feature names")
                model.predict(odd)
        except ValueError as reason:
            raise ValueError(f"the model does not take these {name}: {str(reason).splitlines()[0]}") from None


def _explained(
    trees: Trees, samples: npt.NDArray[np.float64], references: npt.NDArray[np.float64], asked: npt.NDArray[Any]
) -> Array:
    from vitrina.explain.shapley.tree_kernel import add_trees, weights  # numba takes a while

    sums = np.zeros((len(samples), len(asked), samples.shape[1]))
    wanted = trees._replace(values=np.ascontiguousarray(trees.values[:, asked]))
    add_trees(wanted, np.ascontiguousarray(samples.T), np.ascontiguousarray(references.T), weights(), sums)
    return sums / len(references)
