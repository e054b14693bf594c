"""Trees, forests and boosted trees of scikit-learn as plain arrays of nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

_NONE = -1


class Trees(NamedTuple):
    """
    The nodes of all trees of a model, one after another; its score is a constant plus the leaves an input reaches.

    Attributes
    ----------
    parents : array of int64, shape (nodes,)
        -1 at a root.
    is_left : array of bool, shape (nodes,)
        Whether a node is its parent's left child.
    is_leaf : array of bool, shape (nodes,)
    features : array of int64, shape (nodes,)
        Which feature decides at an inner node.
    thresholds : array of float64, shape (nodes,)
        Left is x <= threshold.
    missing_left : array of bool, shape (nodes,)
        Whether NaN goes left.
    values : array of float64, shape (nodes, outputs)
        What a leaf adds to the score.
    rounded : bool
        Whether inputs are rounded to float32 before they are compared, as in scikit-learn's own trees.
    """

    parents: npt.NDArray[np.int64]
    is_left: npt.NDArray[np.bool_]
    is_leaf: npt.NDArray[np.bool_]
    features: npt.NDArray[np.int64]
    thresholds: npt.NDArray[np.float64]
    missing_left: npt.NDArray[np.bool_]
    values: npt.NDArray[np.float64]
    rounded: bool


def read_trees(model: Any) -> Trees:
    """
    Read a fitted model of scikit-learn.

    Parameters
    ----------
    model
        A decision tree, random forest, extra trees, gradient boosting or histogram gradient boosting.

    Returns
    -------
    Trees
        With an output for each class or regression target. Two classes of a boosted model have opposite values.

    Raises
    ------
    ValueError
        If the model is none of these, is not fitted, has several targets that are classes, or asks in a tree whether a
        category is among some.
    """
    from sklearn import ensemble, tree
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    forests = (
        *(ensemble.RandomForestClassifier, ensemble.RandomForestRegressor),
        *(ensemble.ExtraTreesClassifier, ensemble.ExtraTreesRegressor),
    )
    boosted = (ensemble.GradientBoostingClassifier, ensemble.GradientBoostingRegressor)
    by_histogram = (ensemble.HistGradientBoostingClassifier, ensemble.HistGradientBoostingRegressor)
    single = (tree.DecisionTreeClassifier, tree.DecisionTreeRegressor)
    if not isinstance(model, (*forests, *boosted, *by_histogram, *single)):
        raise ValueError(
            f"tree_shap explains decision trees, random forests, extra trees and gradient boosting of scikit-learn, "
            f"not a {_name(model)}; kernel_shap and permutation_shapley explain any model. Of a pipeline, explain the "
            "last step on inputs that went through the steps before it"
        )
    try:
        check_is_fitted(model)
    except NotFittedError:
        raise ValueError(f"the {_name(model)} is not fitted yet: call its fit first") from None
    if isinstance(model, by_histogram):
        return _of_histograms(model)
    if isinstance(model, boosted):
        return _of_boosting(model)
    trees: Sequence[Any] = [model] if isinstance(model, single) else list(model.estimators_)
    return _of_forest(trees)


def _name(model: Any) -> str:
    return model.__name__ if isinstance(model, type) else type(model).__name__


def _of_forest(estimators: Sequence[Any]) -> Trees:
    """Read trees whose mean is the score: probabilities of the classes, or the targets of a regression."""
    from sklearn.base import is_classifier

    first = estimators[0]
    if is_classifier(first) and first.n_outputs_ > 1:
        raise ValueError("a classifier of several targets at once has no single score: fit one for each target")
    values = [tree.tree_.value[:, 0] if is_classifier(first) else tree.tree_.value[:, :, 0] for tree in estimators]
    return _joined([tree.tree_ for tree in estimators], [each / len(estimators) for each in values])


def _of_boosting(model: Any) -> Trees:
    """Read trees whose sum, times the learning rate, is the raw score."""
    from sklearn.dummy import DummyClassifier, DummyRegressor

    if not (isinstance(model.init_, (DummyClassifier, DummyRegressor)) or model.init_ == "zero"):
        raise ValueError(
            f"the {_name(model)} begins with a {_name(model.init_)}, which is no tree; leave `init` out or explain the "
            "whole by kernel_shap"
        )
    rounds, columns = model.estimators_.shape
    trees = [tree.tree_ for tree in model.estimators_.ravel()]
    shares = _of_classes(np.tile(np.eye(columns), (rounds, 1)), model)
    values = [
        model.learning_rate * tree.value[:, 0] * share[np.newaxis] for tree, share in zip(trees, shares, strict=True)
    ]
    return _joined(trees, values)


def _of_classes(shares: npt.NDArray[np.float64], model: Any) -> npt.NDArray[np.float64]:
    """Give two classes the opposite scores that one column stands for."""
    return shares * [-1.0, 1.0] if shares.shape[1] == 1 and hasattr(model, "classes_") else shares


def _joined(trees: Sequence[Any], values: Sequence[npt.NDArray[np.float64]]) -> Trees:
    """Put trees of scikit-learn's own kind one after another."""
    parents, is_left = _parents([(tree.children_left, tree.children_right) for tree in trees])
    left = np.concatenate([tree.children_left for tree in trees])
    return Trees(
        parents,
        is_left,
        left == _NONE,
        np.concatenate([tree.feature for tree in trees]).astype(np.int64),
        np.concatenate([tree.threshold for tree in trees]),
        np.concatenate([tree.missing_go_to_left for tree in trees]).astype(bool),
        np.concatenate(values),
        rounded=True,
    )


def _of_histograms(model: Any) -> Trees:
    """Read trees of histogram gradient boosting, whose leaves hold the learning rate already."""
    rounds = model._predictors
    nodes = [predictor.nodes for each in rounds for predictor in each]
    joined = np.concatenate(nodes)
    if joined["is_categorical"].any() or model._preprocessor is not None:
        raise ValueError(
            f"this {_name(model)} asks in its trees whether a category is among some, which tree_shap cannot explain: "
            "fit it on one-hot columns, or use kernel_shap"
        )
    pairs = [(np.where(each["is_leaf"], _NONE, each["left"].astype(int)), each["right"].astype(int)) for each in nodes]
    parents, is_left = _parents(pairs)
    shares = _of_classes(np.tile(np.eye(len(rounds[0])), (len(rounds), 1)), model)
    return Trees(
        parents,
        is_left,
        joined["is_leaf"].astype(bool),
        joined["feature_idx"].astype(np.int64),
        joined["num_threshold"].astype(float),
        joined["missing_go_to_left"].astype(bool),
        np.concatenate([each["value"][:, np.newaxis] * share for each, share in zip(nodes, shares, strict=True)]),
        rounded=False,
    )


def _parents(children: Sequence[tuple[Any, Any]]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Find the parent of each node, and whether the node is on its left; the left child of a leaf is -1."""
    sizes = [len(left) for left, _ in children]
    parents, is_left = np.full(sum(sizes), _NONE, np.int64), np.zeros(sum(sizes), bool)
    starts = np.cumsum([0, *sizes[:-1]])
    for start, (left, right) in zip(starts, children, strict=True):
        inner = np.flatnonzero(left != _NONE)
        parents[start + left[inner]] = parents[start + right[inner]] = start + inner
        is_left[start + left[inner]] = True
    return parents, is_left
