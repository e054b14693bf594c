"""Shapley values of linear models, in closed form."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from vitrina.explain.compiling import slices
from vitrina.explain.request import Target, as_logits, as_targets
from vitrina.explain.shapley.coalitions import Members, Values
from vitrina.explain.shapley.exact import shapley_values
from vitrina.explain.shapley.model_game import samples_and_background
from vitrina.explain.shapley.players import Groups, player_of_each_value
from vitrina.explain.shapley.value_functions import covariance_of, slopes

_AT_ONCE = 1024


def linear_shap(
    model: Any,
    inputs: Any,
    target: Target,
    *,
    background: Any,
    correlated: bool = False,
    groups: Groups | None = None,
) -> Values:
    """
    Shapley values of a linear model, exactly: w_i (x_i - mean of the background).

    Lundberg and Lee 2017, arXiv 1705.07874, corollary 1. That is the interventional game, whatever depends on what. The
    observational one, E(f(X) | X_S = x_S) with linear dependence, is linear in x too; its coefficients take a sum over
    all coalitions, once for all samples (Aas et al. 2021, arXiv 1903.10464, appendix B).

    Parameters
    ----------
    model : estimator or keras.Model
        An estimator with `coef_`, or a Keras model of one Dense layer without activation. The linear score is
        explained: of a logistic regression the log-odds (of more than two classes: `decision_function`), never the
        probability.
    inputs : array or pandas frame, shape (batch, features)
        The samples to explain.
    target : int, or array of ints, shape (batch,) or (batch, k)
        The output to explain: one for all samples, one each, or k each. 0 where the model has a single one.
    background : array or pandas frame, shape (rows, features)
        Whose mean is no news; with `correlated` its covariance counts as well.
    correlated
        Whether to explain the observational game, for 20 players at most.
    groups
        Features that are one player, as for `interventional`.

    Returns
    -------
    array of float64, shape of inputs, or (batch, groups)
        With k targets each, an axis of them after the batch.

    Raises
    ------
    ValueError
        If the model is not linear, or the arguments do not fit each other.

    Warns
    -----
    UserWarning
        If a Keras model ends in a softmax or sigmoid: its logits are explained.
    """
    weights = _weights(model)
    samples, others, frame = samples_and_background(inputs, background)
    if samples.ndim != 2 or samples.shape[1] != len(weights) or samples.dtype.kind not in "fiub":
        raise ValueError(
            f"inputs and background must be numbers of shape (n, {len(weights)}), as the model has {len(weights)} "
            f"weights, got shape {samples.shape} of {samples.dtype}"
        )
    if not (np.all(np.isfinite(samples)) and np.all(np.isfinite(others))):
        raise ValueError("inputs and background must be finite, but hold NaN or inf")
    targets = as_targets(target, len(samples), weights.shape[1])
    labels, _ = player_of_each_value(groups, samples.shape[1:], None if frame is None else list(frame.columns))
    effects = _correlated(weights, others, labels) if correlated else _independent(weights, labels)
    deviations = samples - others.astype(np.float64).mean(axis=0)
    return np.einsum("b...fp,bf->b...p", effects[targets], deviations)


def _independent(weights: Values, labels: Any) -> Values:
    """What a unit of each feature gives to each player: (outputs, features, players)."""
    return np.where(labels[:, np.newaxis] == np.arange(labels.max() + 1), weights.T[..., np.newaxis], 0.0)


def _correlated(weights: Values, background: Any, labels: Any) -> Values:
    """
    The same where known features foretell the others.

    Knowing S moves the expected output by c_S (x - mean). A game may be worth a vector: its Shapley values are the
    coefficients of the explained ones.
    """
    covariance = covariance_of(background)

    def coefficients(members: Members) -> Values:
        parts = [told_by(members[part][:, labels]) for part in slices(len(members), _AT_ONCE)]
        return np.concatenate(parts).swapaxes(1, 2)

    def told_by(known: Members) -> Values:
        return known[..., np.newaxis] * weights + slopes(covariance, known).swapaxes(1, 2) @ weights

    return shapley_values(coefficients, int(labels.max()) + 1)


def _weights(model: Any) -> Values:
    """Return the weights of a linear model: (features, outputs)."""
    if isinstance(model, keras.Model):
        return _dense_weights(model)
    if not hasattr(model, "coef_"):
        raise ValueError(
            f"a {type(model).__name__} is not a linear model: it needs coef_, or to be a Keras model of one Dense layer"
        )
    coefficients = model.coef_.toarray() if hasattr(model.coef_, "toarray") else model.coef_
    weights = np.atleast_2d(np.asarray(coefficients, np.float64)).T
    classes = len(getattr(model, "classes_", ()))
    if classes > 2 and hasattr(model, "support_vectors_"):
        raise ValueError(
            f"the coefficients of a {type(model).__name__} with {classes} classes belong to pairs of classes, not to "
            "its scores: take a LinearSVC or LogisticRegression, or explain its decision_function by kernel_shap"
        )
    # The log-odds of two classes have one weight vector: it is that of the second.
    return (
        np.concatenate([-weights, weights], axis=1) if hasattr(model, "classes_") and weights.shape[1] == 1 else weights
    )


def _dense_weights(model: keras.Model) -> Values:
    layers: list[Any] = [layer for layer in as_logits(model).layers if not isinstance(layer, keras.layers.InputLayer)]
    single = len(layers) == 1 and isinstance(layers[0], keras.layers.Dense)
    if not single or layers[0].activation is not keras.activations.linear:
        raise ValueError(f"model {model.name!r} is not linear: it must be one Dense layer without an activation")
    return np.asarray(layers[0].kernel, np.float64)
