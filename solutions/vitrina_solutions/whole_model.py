"""Explaining a whole model rather than one answer, and a number for how much an explanation is worth."""

import numpy as np

from vitrina.functions import ScoreFunction


def permutation_importance(
    model: "ScoreFunction", inputs: np.ndarray, labels: np.ndarray, orders: np.ndarray
) -> np.ndarray:
    """
    Permutation importance: how much accuracy is lost when one feature's values are dealt out anew.

    For each feature and each order: the feature's column becomes inputs[order, feature], all other columns stay. The
    importance is the accuracy on the untouched inputs − the mean accuracy over the orders. (Breiman 2001, doi
    10.1023/A:1010933404324, section 10; Fisher, Rudin and Dominici 2019, arXiv 1801.01489.)

    Parameters
    ----------
    model
        Returns scores, shape (batch, classes), for an array of shape (batch, features). It decides for the class with
        the highest score.
    inputs : array, shape (batch, features)
        Samples whose labels are known, best such as the model has not seen.
    labels : array of int, shape (batch,)
        The right class of each sample.
    orders : array of int, shape (repeats, batch)
        Permutations of the samples: orders[0] = [2, 0, 1] gives sample 0 the value of sample 2.

    Returns
    -------
    array, shape (features,)
        Near 0 for a feature that the model does not use; it may come out below 0.
    """
    accuracy = np.mean(np.argmax(model(inputs), axis=1) == labels)
    importance = np.zeros(inputs.shape[1])
    for feature in range(inputs.shape[1]):
        for order in orders:
            shuffled = inputs.copy()
            shuffled[:, feature] = inputs[order, feature]
            importance[feature] += accuracy - np.mean(np.argmax(model(shuffled), axis=1) == labels)
    return importance / len(orders)


def mean_absolute(attributions: np.ndarray) -> np.ndarray:
    """
    Global importance from local explanations: the mean size of each feature's attributions.

    (1 / batch) · Σ over samples of |φ_i(x)|. (Lundberg et al. 2020, doi 10.1038/s42256-019-0138-9, section 2.)

    Parameters
    ----------
    attributions : array, shape (batch, features)
        One explanation a row.

    Returns
    -------
    array, shape (features,)
        Never negative: importance has no direction.
    """
    sizes = np.abs(attributions)
    return sizes.mean(axis=0)


def correlation_with_label(inputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """
    What feature selection often goes by: the size of each feature's correlation with the label. No model takes part.

    |Pearson's correlation| of the feature's column with the labels; 0 for a feature that is constant.

    Parameters
    ----------
    inputs : array, shape (batch, features)
        The data.
    labels : array, shape (batch,)
        0 or 1; both occur.

    Returns
    -------
    array, shape (features,)
        From 0 to 1.
    """
    centred = inputs - inputs.mean(axis=0)
    label = labels - labels.mean()
    scale = np.sqrt(np.sum(centred**2, axis=0) * np.sum(label**2))
    together = np.abs(label @ centred)
    varies = np.ptp(inputs, axis=0) > 0
    return np.where(varies, together / np.where(varies, scale, 1), 0)


def information_skill(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """
    Information skill: what part of the uncertainty about the label a model takes away.

    1 − CE / CE_0. CE is the model's cross-entropy, the mean of −ln(probability of the right class). CE_0 is the same
    for somebody who always answers how frequent each class is among these labels.

    Parameters
    ----------
    labels : array of int, shape (batch,)
        The right classes; at least two different ones.
    probabilities : array, shape (batch, classes)
        What the model says: above 0, each row adds up to 1.

    Returns
    -------
    float
        1 for a model that is always right and sure, 0 for one that knows no more than the frequencies, negative for
        one that is worse than that.
    """
    right = probabilities[np.arange(len(labels)), labels]
    frequency = np.bincount(labels) / len(labels)
    return float(1 - np.mean(np.log(right)) / np.mean(np.log(frequency[labels])))


def inclusion_curve(
    model: "ScoreFunction", inputs: np.ndarray, labels: np.ndarray, order: np.ndarray, reference: np.ndarray
) -> np.ndarray:
    """
    Inclusion curve: how well the model does if it is told only the first k features of a ranking, k = 0 ... d.

    At step k, the first k features of the order are as they are in the inputs; every other feature has its reference
    value in all samples. The curve is the information skill at each step.

    Parameters
    ----------
    model
        Returns probabilities, shape (batch, classes), for an array of shape (batch, features).
    inputs : array, shape (batch, features)
        Samples that the model has not been trained on.
    labels : array of int, shape (batch,)
        The right class of each sample.
    order : array of int, shape (d,)
        A ranking of the features: the first one comes in first.
    reference : array, shape (d,)
        What a feature is worth that the model is not told, for example its mean in the training data.

    Returns
    -------
    array, shape (d + 1,)
        The skill with 0, 1, ..., d features.
    """
    told = np.tile(reference, (len(inputs), 1)).astype(float)
    curve = [information_skill(labels, model(told))]
    for feature in order:
        told[:, feature] = inputs[:, feature]
        curve.append(information_skill(labels, model(told)))
    return np.array(curve)


def retained(curve: np.ndarray) -> np.ndarray:
    """
    Retained performance: the share of the full model's skill that the first k features keep.

    r(k) = P(k) / P(d), cut off below 0 and above 1. P(d) is the skill with all d features. The skill of knowing nothing
    but the frequencies is 0, so r(k) = 0 says "nothing kept" and r(k) = 1 "all of it".

    Parameters
    ----------
    curve : array, shape (d + 1,)
        The skill with 0, 1, ..., d features; the last one is above 0.

    Returns
    -------
    array, shape (d + 1,)
        From 0 to 1.
    """
    share = curve / curve[-1]
    return np.clip(share, 0, 1)


def area_under(curve: np.ndarray) -> float:
    """
    The area under a curve over the share of features that are told, by the trapezium rule.

    The curve's d + 1 points lie at k/d = 0, 1/d, ..., 1, so a curve that is 1 everywhere has the area 1.

    Parameters
    ----------
    curve : array, shape (d + 1,)
        The values for k = 0, 1, ..., d features; d is at least 1.

    Returns
    -------
    float
        The area.
    """
    middles = (curve[1:] + curve[:-1]) / 2
    return float(middles.mean())


def explainability_performance(
    model: "ScoreFunction", inputs: np.ndarray, labels: np.ndarray, relevance: np.ndarray, reference: np.ndarray
) -> float:
    """
    Explainability-performance coefficient, contrast form: how far a ranking puts what matters first.

    The area under r(k), the retained performance, with the most relevant features first − the same with the least
    relevant first. The second order is the first one backwards. (A working definition after Oliva and Lago-Fernández
    2026, arXiv 2607.29614.)

    Parameters
    ----------
    model
        Returns probabilities, shape (batch, classes), for an array of shape (batch, features).
    inputs : array, shape (batch, d)
        Samples that the model has not been trained on.
    labels : array of int, shape (batch,)
        The right class of each sample.
    relevance : array, shape (d,)
        How much each feature matters according to an explanation; no two are equal.
    reference : array, shape (d,)
        What a feature is worth that the model is not told.

    Returns
    -------
    float
        From −1 to 1: about 0 for rankings at random, and with the other sign for a ranking turned round.
    """
    best_first = np.argsort(-relevance)
    best = inclusion_curve(model, inputs, labels, best_first, reference)
    worst = inclusion_curve(model, inputs, labels, best_first[::-1], reference)
    return area_under(retained(best)) - area_under(retained(worst))
