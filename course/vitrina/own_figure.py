"""Explanations drawn for a name, so that every student reads a figure of their own.

The people and the model do not exist. How each of six features acts is drawn from the name: one acts strongly, one
hardly, one not at all, one on few people only, one by being far from the middle.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vitrina.own_language import plain_name

FEATURES = ("age", "income", "debts", "savings", "years employed", "credit cards")
_PEOPLE = 200
_FEW = 0.06


@dataclass(frozen=True)
class OwnExplanations:
    """What a summary plot shows.

    Attributes
    ----------
    features : tuple of str
        Their names.
    values : array, shape (people, features)
        What each person's features are.
    attributions : array, shape (people, features)
        What they contribute to the score, above 0 for the loan and below 0 against it.
    """

    features: tuple[str, ...]
    values: NDArray[np.float64]
    attributions: NDArray[np.float64]


def own_explanations(name: str) -> OwnExplanations:
    """Draw the explanations of a name; capitals and spaces around it do not matter."""
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(plain_name(name).encode("utf-8", "replace")).digest()))
    values = rng.normal(size=(_PEOPLE, len(FEATURES)))
    signs, places = rng.choice([-1.0, 1.0], 5), rng.permutation(len(FEATURES))
    strong, middle, weak, bent, rare = (values[:, place] for place in places[:5])
    attributions = np.zeros_like(values)
    attributions[:, places[:5]] = signs * np.stack(
        [strong, 0.4 * middle, 0.15 * weak, 0.45 * (bent**2 - 1), _of_few(rare)], axis=1
    )
    moving = places[:3]
    attributions[:, moving] += 0.03 * rng.normal(size=(_PEOPLE, 3))
    return OwnExplanations(FEATURES, values, attributions)


def _of_few(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Act on the few people with the highest values only, and on them more than anything else does."""
    few = int(_FEW * len(values))
    acts = np.zeros(len(values))
    acts[np.argsort(values)[-few:]] = np.linspace(4.0, 4.8, few)
    return acts
