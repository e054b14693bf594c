"""A global surrogate: a small tree that imitates a model, with a measure of how well it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from vitrina.explain.black_box import scoring
from vitrina.explain.outputs import Output
from vitrina.explain.request import as_targets


@dataclass(frozen=True)
class SurrogateTree:
    """
    A decision tree that was trained on what another model says.

    Attributes
    ----------
    tree
        Of scikit-learn, a regression of the score or a classifier of the decisions.
    fidelity : float
        On samples that the tree was not trained on: R^2 of the score, or the share of equal decisions.
    baseline : float
        Fidelity of the best constant: 0 for a score, or the share of the most frequent decision.
    names : list of str
        Of the features.
    """

    tree: Any
    fidelity: float
    baseline: float
    names: list[str]

    def fidelity_on(self, model: Any, inputs: Any, target: int | None = None, *, output: Output | None = None) -> float:
        """
        Measure how well the tree imitates the model on other samples, such as ones unlike those it was trained on.

        Parameters
        ----------
        model, target, output
            As given to `surrogate_tree`.
        inputs : array or data frame, shape (n, features)
            At least ten samples.

        Returns
        -------
        float
            As `fidelity`.
        """
        said = _said(model, inputs, target, output)
        return _fidelity(self.tree.predict(_numbers(inputs)), said, target is None)

    def text(self, digits: int = 3) -> str:
        """
        Write the tree as indented rules.

        Parameters
        ----------
        digits
            After the point.

        Returns
        -------
        str
        """
        from sklearn.tree import export_text

        return export_text(self.tree, feature_names=self.names, decimals=digits)

    def draw(self, *, classes: Sequence[str] | None = None) -> Figure:
        """
        Draw the tree.

        Parameters
        ----------
        classes
            Names of the decisions.

        Returns
        -------
        Figure
            Shown by a notebook when it is a cell's last value.
        """
        from sklearn.tree import plot_tree

        width = 2.0 * min(self.tree.get_n_leaves(), 12) + 1.5
        figure, axis = plt.subplots(figsize=(width, 1.35 * self.tree.get_depth() + 1.2), layout="constrained")
        style: dict[str, Any] = {"filled": True, "rounded": True, "impurity": False, "proportion": True}
        if hasattr(self.tree, "classes_"):
            given = None if classes is None else list(classes)
            names = [str(each) if given is None else given[int(each)] for each in self.tree.classes_]
            style["class_names"] = names
        plot_tree(self.tree, feature_names=self.names, ax=axis, fontsize=8, precision=3, **style)
        for text in axis.texts:
            text.set_parse_math(False)
        plt.close(figure)  # not sooner, as `new_axes` does: plot_tree measures its texts on pyplot's canvas
        return figure


def surrogate_tree(
    model: Any,
    inputs: Any,
    target: int | None = None,
    *,
    depth: int = 3,
    held_out: float = 0.3,
    names: Sequence[str] | None = None,
    output: Output | None = None,
    seed: int = 0,
) -> SurrogateTree:
    """
    Train a small decision tree to imitate a model (Craven and Shavlik 1996).

    The tree never sees a label: it explains the model as far as it is faithful to it, so look at its fidelity first.

    Parameters
    ----------
    model : keras.Model, estimator or callable
        As for `vitrina.explain.black_box.scoring`.
    inputs : array or data frame, shape (n, features)
        Samples like those that the model is used on; at least ten. They have to be numbers.
    target
        The output whose score is imitated. None imitates decisions: the largest output, or the sign of a Keras model's
        single logit.
    depth
        Most questions on the way to an answer.
    held_out
        Share of the samples that fidelity is measured on.
    names
        Of the features; those of a data frame are taken if none are given.
    output
        As for `scoring`.
    seed
        Chooses the samples that are held out, and breaks ties between questions that are equally good.

    Returns
    -------
    SurrogateTree

    Raises
    ------
    ValueError
        If inputs are no table of numbers, or the arguments do not fit.
    """
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    table = _numbers(inputs)
    if depth < 1 or not 0 < held_out < 1:
        raise ValueError(f"depth must be at least 1 and held_out between 0 and 1, got {depth} and {held_out}")
    known = _names(inputs, names, table.shape[1])
    said = _said(model, inputs, target, output)
    order = np.random.default_rng(seed).permutation(len(table))
    cut = min(len(table) - 2, max(2, round(held_out * len(table))))
    test, train = order[:cut], order[cut:]
    kind = DecisionTreeClassifier if target is None else DecisionTreeRegressor
    tree = kind(max_depth=depth, random_state=seed).fit(table[train], said[train])
    constant = float(np.mean(said[test] == _most_frequent(said[train]))) if target is None else 0.0
    return SurrogateTree(tree, _fidelity(tree.predict(table[test]), said[test], target is None), constant, known)


def _numbers(inputs: Any) -> npt.NDArray[np.float64]:
    try:
        table: npt.NDArray[np.float64] = np.asarray(inputs, float)
    except (TypeError, ValueError):
        raise ValueError("a surrogate tree asks for numbers: turn categories into columns first") from None
    if table.ndim != 2 or len(table) < 10:
        raise ValueError(f"inputs must be a table (n, features) with ten rows at least, got shape {table.shape}")
    return table


def _names(inputs: Any, names: Sequence[str] | None, count: int) -> list[str]:
    columns: Sequence[object] = getattr(inputs, "columns", [f"feature {index}" for index in range(count)])
    known = [str(name) for name in (columns if names is None else names)]
    if len(known) != count:
        raise ValueError(f"{count} features need as many names, got {len(known)}")
    return known


def _said(model: Any, inputs: Any, target: int | None, output: Output | None) -> npt.NDArray[Any]:
    """Return what is imitated: a score or a decision for each sample."""
    scores = scoring(model, output=output)(inputs)
    if target is not None:
        return scores[:, as_targets(target, len(scores), scores.shape[1])[0]]
    if scores.shape[1] > 1:
        return scores.argmax(axis=1)
    if isinstance(model, keras.Model):
        return (scores[:, 0] > (0.5 if output == "probability" else 0)).astype(np.int64)
    raise ValueError("a model with one output decides nothing: give target=0 to imitate its score")


def _most_frequent(decisions: npt.NDArray[Any]) -> int:
    values, counts = np.unique(decisions, return_counts=True)
    return int(values[counts.argmax()])


def _fidelity(imitated: npt.NDArray[Any], said: npt.NDArray[Any], decisions: bool) -> float:
    from sklearn.metrics import r2_score

    return float(np.mean(imitated == said)) if decisions else float(r2_score(said, imitated))
