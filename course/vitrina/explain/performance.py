"""How well a model does: accuracy, AUC, information skill and R squared, each of many answers at once.

Each takes what is true and what the model says, and more is better. Axes before the samples are alternatives, such as
what the model says when other features are hidden: one call measures them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

Numbers = npt.NDArray[np.float64]
Performance = Callable[[npt.NDArray[Any], Numbers], Any]
"""Takes labels (n,) and what the model says (n, outputs), returns one number: more is better."""

_SMALLEST = 1e-12  # what a model calls impossible and happens all the same costs 28 nats, not infinitely many


def accuracy(labels: npt.NDArray[Any], outputs: Numbers) -> Numbers:
    """
    Share of the samples whose highest output is that of their class; the first of equal ones counts.

    Parameters
    ----------
    labels : array of int, shape (n,)
        Which column is right.
    outputs : array, shape (..., n, classes)
        Probabilities, logits or other scores.

    Returns
    -------
    array, shape (...)
    """
    return np.mean(np.argmax(outputs, axis=-1) == labels, axis=-1)


def auc(labels: npt.NDArray[Any], outputs: Numbers) -> Numbers:
    """
    Area under the ROC curve: how often a sample of a class gets a higher output for it than a sample of another class.

    Of several classes the mean over each against the rest, unweighted. Equal outputs count half, so that constant ones
    have 0.5. It looks at the order of the samples only: see `skill` for how sure the model is.

    Parameters
    ----------
    labels : array of int, shape (n,)
        Which column is right.
    outputs : array, shape (..., n, classes)
        Probabilities, logits or other scores.

    Returns
    -------
    array, shape (...)

    Raises
    ------
    ValueError
        If the labels are all the same.
    """
    present = np.unique(labels)
    _at_least_two(present)
    columns = present[1:] if len(present) == 2 == outputs.shape[-1] else present  # of two classes both say the same
    is_class = labels[:, np.newaxis] == columns
    many, rest = is_class.sum(axis=0), (~is_class).sum(axis=0)
    ranks = np.asarray(rankdata(outputs[..., columns], axis=-2))
    wins = np.where(is_class, ranks, 0).sum(axis=-2) - many * (many + 1) / 2
    return np.mean(wins / (many * rest), axis=-1)


def skill(labels: npt.NDArray[Any], outputs: Numbers) -> Numbers:
    """
    Information skill 1 - CE / CE0: which share of what there is to know about the class the model knows.

    CE is the cross-entropy of its probabilities, CE0 that of always answering how frequent the classes are. A perfect
    and certain model has 1, one that knows nothing else than the frequencies 0; who is sure and wrong falls below.

    Parameters
    ----------
    labels : array of int, shape (n,)
        Which column is right.
    outputs : array, shape (..., n, classes)
        Probabilities.

    Returns
    -------
    array, shape (...)

    Raises
    ------
    ValueError
        If the outputs are no probabilities or the labels are all the same.
    """
    sums = outputs.sum(axis=-1)
    if np.any(outputs < -1e-6) or np.any(np.abs(sums - 1) > 1e-3):
        raise ValueError("skill needs probabilities that add up to 1: add a softmax, or measure 'auc' or 'accuracy'")
    present, counts = np.unique(labels, return_counts=True)
    _at_least_two(present)
    shares = counts / len(labels)
    right = np.take_along_axis(outputs, np.broadcast_to(labels[:, np.newaxis], (*outputs.shape[:-1], 1)), axis=-1)
    return 1 + np.log(np.maximum(right, _SMALLEST)).mean(axis=(-2, -1)) / -np.sum(shares * np.log(shares))


def r_squared(labels: npt.NDArray[Any], outputs: Numbers) -> Numbers:
    """
    Share of the variance of the labels that a regression explains: 1 - (squared errors) / (those of the mean).

    Parameters
    ----------
    labels : array, shape (n,)
        The true values.
    outputs : array, shape (..., n, 1)
        The predicted ones.

    Returns
    -------
    array, shape (...)

    Raises
    ------
    ValueError
        If there is more than one output, or the labels are all the same.
    """
    if outputs.shape[-1] != 1:
        raise ValueError(f"r2 needs a regression with one output, got {outputs.shape[-1]}")
    spread = np.mean((labels - labels.mean()) ** 2)
    if not spread > 0:
        raise ValueError("the labels are all the same: there is nothing to predict")
    return 1 - np.mean((outputs[..., 0] - labels) ** 2, axis=-1) / spread


class Measure:
    """A measure of performance together with the labels that outputs are held against."""

    def __init__(self, performance: str | Performance, labels: npt.ArrayLike, classes: Any = None) -> None:
        """
        Check labels against the measure.

        Parameters
        ----------
        performance
            A name in `PERFORMANCES`, or a function of labels and outputs, which gets both as they are.
        labels : array, shape (n,)
            What is true.
        classes : sequence, optional
            What a classifier calls its columns, as scikit-learn's `classes_`; without it labels count columns from 0.

        Raises
        ------
        ValueError
            If the name is unknown, or the labels do not fit.
        """
        self._function = _function(performance)
        self._classifies = self._function in (accuracy, auc, skill)
        self._named = isinstance(performance, str)
        values = np.asarray(labels)
        if self._function is r_squared and not (values.dtype.kind in "fiub" and np.all(np.isfinite(values))):
            raise ValueError("labels of a regression must be finite numbers")
        self._labels = _columns(values, classes) if self._classifies else values

    def __call__(self, outputs: Numbers) -> Numbers:
        """Measure several answers, outputs of shape (answers, n, outputs), at once; returns shape (answers,)."""
        if self._labels.shape != outputs.shape[1:2]:
            raise ValueError(f"labels must be one per sample, ({outputs.shape[1]},), got shape {self._labels.shape}")
        if not self._named:
            return np.array([float(self._function(self._labels, answer)) for answer in outputs])
        return self._function(self._labels, self._by_class(outputs) if self._classifies else outputs)

    def without_features(self, columns: int) -> float | None:
        """
        Measure the best answer of who knows only the labels: how frequent the classes are, or the mean.

        Parameters
        ----------
        columns
            How many outputs the model has.

        Returns
        -------
        float or None
            None for a function of one's own, of which the best answer is not known.
        """
        if not self._named:
            return None
        if self._classifies:
            answer = np.bincount(self._labels, minlength=max(2, columns)) / len(self._labels)
        else:
            answer = self._labels.mean(keepdims=True)
        return float(self._function(self._labels, np.tile(answer, (len(self._labels), 1))))

    def _by_class(self, outputs: Numbers) -> Numbers:
        """Give a model with one output, the probability of class 1, a column for class 0 too."""
        if outputs.shape[-1] == 1:
            if np.any((outputs < 0) | (outputs > 1)):
                raise ValueError("a single output must be the probability of class 1, from 0 to 1")
            outputs = np.concatenate([1 - outputs, outputs], axis=-1)
        if self._labels.max() >= outputs.shape[-1]:
            raise ValueError(f"the model has {outputs.shape[-1]} classes, but there is a label {self._labels.max()}")
        return outputs


PERFORMANCES: Mapping[str, Callable[[npt.NDArray[Any], Numbers], Numbers]] = MappingProxyType(
    {"accuracy": accuracy, "auc": auc, "skill": skill, "r2": r_squared}
)
"""The measures of performance by name."""


def _function(performance: str | Performance) -> Performance:
    if callable(performance):
        return performance
    if performance not in PERFORMANCES:
        raise ValueError(f"unknown performance {performance!r}: choose from {', '.join(PERFORMANCES)}, or a function")
    return PERFORMANCES[performance]


def _columns(labels: npt.NDArray[Any], classes: Any) -> npt.NDArray[np.int64]:
    """Return the number of each label's column."""
    if labels.ndim != 1 or not len(labels):
        raise ValueError(f"labels must be one class per sample, (n,), got shape {labels.shape}")
    if classes is not None:
        return class_columns(labels, classes)
    if labels.dtype.kind not in "fiub" or np.any(labels < 0) or np.any(labels != np.rint(labels)):
        raise ValueError("labels must be whole numbers that count the model's columns from 0")
    return labels.astype(np.int64)


def class_columns(labels: npt.NDArray[Any], classes: Any) -> npt.NDArray[np.int64]:
    """Return the place of each label (n,) among the classes that a model names."""
    known = {name: column for column, name in enumerate(np.asarray(classes).tolist())}
    strange = sorted(set(labels.tolist()) - set(known), key=str)
    if strange:
        raise ValueError(f"labels must be among the model's classes {list(known)}, got {strange}")
    return np.array([known[name] for name in labels.tolist()])


def _at_least_two(present: npt.NDArray[Any]) -> None:
    if len(present) < 2:
        raise ValueError("the labels are all of one class: there is nothing to tell apart")
