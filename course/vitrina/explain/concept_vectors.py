"""Concept activation vectors: the direction in a layer from counter-examples to the examples of a concept.

The normal of a linear classifier that tells the layer's activations of both kinds apart (Kim et al. 2018,
arXiv 1711.11279, section 3.2). Any two sets of examples have one: see `vitrina.explain.concepts` for what it is worth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Classifier = Literal["logistic", "means"]

FEWEST = 6  # examples of a kind for a vector: four to learn from, two to test with
_HELD_OUT = 1 / 3  # of the examples


@dataclass(frozen=True, eq=False)
class ConceptVector:
    """
    A concept as a direction.

    Attributes
    ----------
    direction : array, shape (units,)
        Of length 1, from the counter-examples to the concept.
    accuracy : float
        Share of the held-out examples that the classifier gets right, half of them of each kind: 0.5 is guessing, and
        then the direction means nothing.
    """

    direction: Floats
    accuracy: float


def concept_vector(
    concept: npt.ArrayLike, others: npt.ArrayLike, *, classifier: Classifier = "logistic", seed: int = 0
) -> ConceptVector:
    """
    Learn a concept activation vector.

    Parameters
    ----------
    concept : array, shape (n, ...)
        Activations of a layer for examples of the concept, at least six.
    others : array, shape (m, ...)
        The same for counter-examples: random ones, or those of another concept for a relative vector. Of the larger
        set so many are drawn that both are of one size.
    classifier : {"logistic", "means"}
        A logistic regression with an L2 penalty, or the difference of the two means (the pattern of Pahde et al. 2022,
        arXiv 2202.03482): quicker, and it does not bend away from what units share.
    seed
        Draws what is held out.

    Returns
    -------
    ConceptVector

    Raises
    ------
    ValueError
        If there are too few examples, shapes differ, values are not finite, or nothing tells the two kinds apart.
    """
    one, other = flat(concept, "the concept"), flat(others, "the counter-examples")
    if one.shape[1] != other.shape[1]:
        raise ValueError(f"examples must be activations of one layer, got {one.shape[1]} and {other.shape[1]} units")
    size = min(len(one), len(other))
    if size < FEWEST:
        raise ValueError(f"a concept needs {FEWEST} examples of each kind at least, got {size}")
    generator = np.random.default_rng(seed)
    drawn = [generator.permutation(len(examples))[:size] for examples in (one, other)]
    return learn_vector(one[drawn[0]], other[drawn[1]], classifier)


def flat(values: npt.ArrayLike, what: str) -> Floats:
    """Return one row per sample."""
    rows = np.asarray(values, float)
    if rows.ndim < 2 or not rows.size:
        raise ValueError(f"{what} must be an array (samples, ...) that is not empty, got shape {rows.shape}")
    if not np.all(np.isfinite(rows)):
        raise ValueError(f"{what} must be finite numbers")
    return rows.reshape(len(rows), -1)


def learn_vector(one: Floats, other: Floats, classifier: Classifier) -> ConceptVector:
    """Learn from the first two thirds of both groups, test with the rest."""
    kept = len(one) - max(1, round(_HELD_OUT * len(one)))
    normal, offset = _boundary(one[:kept], other[:kept], classifier)
    length = float(np.linalg.norm(normal))
    if not 0 < length < np.inf:
        raise ValueError("nothing in this layer tells the concept from the counter-examples: all activations are alike")
    right = np.concatenate([one[kept:] @ normal > offset, other[kept:] @ normal <= offset])
    return ConceptVector(normal / length, float(right.mean()))


def _boundary(one: Floats, other: Floats, classifier: Classifier) -> tuple[Floats, float]:
    """Return normal and offset of the plane between two groups: `x @ normal > offset` on the first one's side."""
    if classifier == "means":
        normal = one.mean(axis=0) - other.mean(axis=0)
        return normal, float(normal @ (one.mean(axis=0) + other.mean(axis=0)) / 2)
    if classifier != "logistic":
        raise ValueError(f"classifier must be 'logistic' or 'means', got {classifier!r}")
    from sklearn.linear_model import LogisticRegression

    both = np.concatenate([one, other])
    middle, scale = both.mean(axis=0), float(both.std(axis=0).max())
    if not scale > 0:
        return np.zeros(both.shape[1]), 0.0
    model = LogisticRegression().fit((both - middle) / scale, np.arange(len(both)) < len(one))
    normal: Floats = model.coef_[0]
    return normal, float(middle @ normal - scale * model.intercept_[0])
