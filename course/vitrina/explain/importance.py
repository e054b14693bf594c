"""How important features are for a model as a whole: by what shuffling them costs, by the size of attributions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np
import numpy.typing as npt

from vitrina.explain.black_box import scoring
from vitrina.explain.outputs import Output
from vitrina.explain.performance import accuracy, class_columns, r_squared
from vitrina.explain.request import positive_int, squashing
from vitrina.models import Array

Score = Literal["accuracy", "log loss", "r2"] | Callable[[npt.NDArray[Any], Array], float]
"""How good scores are, larger is better: a name, or `score(labels, scores)` with scores (n, outputs)."""


@dataclass(frozen=True)
class PermutationImportance:
    """
    What a score loses when a feature is shuffled.

    Attributes
    ----------
    losses : array, shape (features, repeats)
        Score of the data as they are minus the score after one shuffling.
    score : float
        Of the data as they are.
    """

    losses: npt.NDArray[np.float64]
    score: float

    @property
    def mean(self) -> npt.NDArray[np.float64]:
        """Mean over the repeats, shape (features,)."""
        return self.losses.mean(axis=1)

    @property
    def spread(self) -> npt.NDArray[np.float64]:
        """Standard deviation over the repeats, shape (features,): how much one shuffling differs from the next."""
        return self.losses.std(axis=1)


def permutation_importance(
    model: Any,
    inputs: Any,
    labels: npt.ArrayLike,
    *,
    score: Score | None = None,
    repeats: int = 10,
    groups: Sequence[Sequence[int]] | None = None,
    output: Output | None = None,
    seed: int = 0,
) -> PermutationImportance:
    """
    Shuffle each feature and see how much worse the model gets (Breiman 2001; Fisher et al. 2019, arXiv 1801.01489).

    Take data that were not trained on. If two features tell the same, shuffling one of them costs little, for the other
    is still there: shuffle them together, as a group.

    Parameters
    ----------
    model : keras.Model, estimator or callable
        As for `vitrina.explain.black_box.scoring`.
    inputs : array or data frame, shape (n, features)
        At least two samples.
    labels : array, shape (n,)
        Class numbers from 0, the names that a classifier's `classes_` knows, or the targets of a regression.
    score
        "accuracy" or "log loss" (minus the mean negative logarithm of the label's probability), "r2" for a regression,
        or a function `score(labels, scores)` of all labels and the scores (n, outputs), of which more is better. By
        default "r2" for a regression and "accuracy" for a classifier; a Keras model with one output is a classifier
        if it ends in a sigmoid.
    repeats
        Shufflings of each feature. All features are shuffled in the same orders.
    groups : sequence of sequences of columns, optional
        Columns that are shuffled together; the result has a row for each group. By default each column is one.
    output
        As for `scoring`. "log loss" takes probabilities unless told otherwise.
    seed
        Of the orders.

    Returns
    -------
    PermutationImportance

    Raises
    ------
    ValueError
        If inputs, labels, groups or score do not fit.
    """
    table, frame = _table(inputs)
    columns = _columns(groups, table.shape[1])
    positive_int("repeats", repeats)
    wanted = "probability" if score == "log loss" and output is None and not _is_function(model) else output
    scores = scoring(model, output=wanted, like=frame)
    truth = _as_numbers(np.asarray(labels), model, len(table))
    whole = scores(table)
    measure = _measure(score, model, whole.shape[1], 0.5 if wanted == "probability" else 0.0)
    base = float(measure(truth, whole))
    generator = np.random.default_rng(seed)
    orders = [generator.permutation(len(table)) for _ in range(repeats)]
    losses = [
        [base - float(measure(truth, scores(_shuffled(table, group, order)))) for order in orders] for group in columns
    ]
    return PermutationImportance(np.array(losses), base)


def mean_absolute(attributions: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """
    Summarise local attributions as one importance per feature: the mean of their sizes, such as mean |SHAP|.

    Parameters
    ----------
    attributions : array, shape (n, features), or (n, k, features) for k targets

    Returns
    -------
    array, shape (features,) or (k, features)

    Raises
    ------
    ValueError
        If there is no sample, or no axis of features.
    """
    values = np.asarray(attributions, float)
    if values.ndim < 2 or not values.size:
        raise ValueError(f"attributions must have shape (n, features) with one sample at least, got {values.shape}")
    return np.abs(values).mean(axis=0)


def _table(inputs: Any) -> tuple[npt.NDArray[Any], Any]:
    """Return values as an array, and the frame that they come from, if it is one."""
    frame = inputs if hasattr(inputs, "columns") else None
    table: npt.NDArray[Any] = np.asarray(inputs)
    if table.ndim != 2 or len(table) < 2:
        raise ValueError(f"inputs must be a table (n, features) with two rows at least, got shape {table.shape}")
    return table, frame


def _columns(groups: Sequence[Sequence[int]] | None, count: int) -> list[list[int]]:
    """Return the columns of each group."""
    if groups is None:
        return [[column] for column in range(count)]
    columns = [[] if np.ndim(group) != 1 else list(group) for group in groups]
    if not columns or any(not group or not set(group) <= set(range(count)) for group in columns):
        raise ValueError(f"groups must be lists of columns from 0 to {count - 1}, none of them empty")
    return columns


def _shuffled(table: npt.NDArray[Any], group: list[int], order: npt.NDArray[np.intp]) -> npt.NDArray[Any]:
    changed = table.copy()
    changed[:, group] = table[order][:, group]
    return changed


def _is_function(model: Any) -> bool:
    return callable(model) and not hasattr(model, "predict")


def _as_numbers(labels: npt.NDArray[Any], model: Any, count: int) -> npt.NDArray[Any]:
    """Return one number per sample: of a class its place among the model's."""
    if labels.shape != (count,):
        raise ValueError(f"labels must be one per sample, shape ({count},), got {labels.shape}")
    names = getattr(model, "classes_", None)
    if names is None:
        if labels.dtype.kind not in "iufb":
            raise ValueError("labels must be class numbers or targets of a regression, as the model has no `classes_`")
        if not np.all(np.isfinite(labels)):
            raise ValueError("labels must be finite, they hold NaN or inf")
        return labels
    return class_columns(labels, names)


def _measure(score: Score | None, model: Any, outputs: int, threshold: float) -> Callable[[Any, Array], Any]:
    """Return the function of labels and scores that says how good they are."""
    from sklearn import metrics

    if callable(score):
        return score
    single = outputs == 1
    sure = single and isinstance(model, keras.Model) and squashing(model) is not None
    name = score or ("r2" if single and not sure else "accuracy")
    if name == "r2" and not single:
        raise ValueError(f"r2 is for a model with one output, this one has {outputs}: give a score of your own")
    if name != "r2" and single and not isinstance(model, keras.Model):
        raise ValueError(f"{name} needs a column of scores for each class: give a score of your own")
    measures: dict[str, Callable[[Any, Array], Any]] = {
        "accuracy": lambda truth, scores: accuracy(truth, _by_class(scores, threshold)),
        "log loss": lambda truth, scores: (
            -metrics.log_loss(truth, scores[:, 0] if single else scores, labels=range(max(2, outputs)))
        ),
        "r2": lambda truth, scores: r_squared(truth, np.asarray(scores, float)),
    }
    if name not in measures:
        raise ValueError(f"score must be 'accuracy', 'log loss', 'r2' or a function, got {name!r}")
    return measures[name]


def _by_class(scores: Array, threshold: float) -> npt.NDArray[np.float64]:
    """Return a column for each class: of a single one, class 1 wins where its score is above the threshold."""
    columns = np.asarray(scores, float)
    return columns if columns.shape[1] > 1 else np.column_stack([np.full(len(columns), threshold), columns])
