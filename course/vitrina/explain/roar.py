"""ROAR: remove what an explanation calls important from all data, retrain, and see how much worse the new model is.

Pixel flipping shows a model inputs like none that it has learnt from. Retraining takes that away: the new model has
seen replaced pixels. But it is a new model, so ROAR judges how informative the pixels are in these data, not what the
explained model does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import numpy.typing as npt

from vitrina.explain.outputs import as_attributions, decisions, one_class_each
from vitrina.explain.perturbing import has_channels, ranks
from vitrina.explain.request import Request
from vitrina.explain.robustness import Method
from vitrina.models import Array

LabelledData = tuple[npt.ArrayLike, npt.ArrayLike]
"""Inputs (n, ...) and labels (n,)."""

Retrain = Callable[[Array, npt.NDArray[np.int64], int], keras.Model]
"""Trains a new model of the same kind from scratch, on inputs and labels, with a seed."""

RANDOM = "random"
"""Name of the baseline that is always beside: pixels removed by chance."""


@dataclass(frozen=True)
class Roar:
    """
    Accuracy of models that were retrained without the most important pixels.

    Attributes
    ----------
    shares : array, shape (shares,)
        Share of the pixels removed, 0 first.
    accuracies : dict of arrays, shape (repeats, shares)
        On the test data with the same share removed, by method; "random" is among them.
    """

    shares: npt.NDArray[np.float64]
    accuracies: dict[str, npt.NDArray[np.float64]]


def roar(
    model: keras.Model,
    train: LabelledData,
    test: LabelledData,
    methods: Mapping[str, Method],
    *,
    retrain: Retrain,
    shares: Sequence[float] = (0.1, 0.3, 0.5, 0.7, 0.9),
    repeats: int = 3,
    channels: bool | None = None,
    seed: int = 0,
) -> Roar:
    """
    Remove and retrain (Hooker et al. 2019, arXiv 1806.10758).

    Each image of both sets is explained for the class that the model decides for; its most relevant pixels become the
    mean of the training inputs (by channel; of flat inputs, by feature); a new model is trained on what is left.

    Parameters
    ----------
    model
        The classifier that is explained; it is not trained further.
    train, test
        Inputs (n, ...) and labels (n,).
    methods
        From a name to `method(model, inputs, target)`.
    retrain
        Called as `retrain(inputs, labels, seed)`; returns a model trained from scratch, whose accuracy is taken before
        the next call. It may build the model once and only draw new weights.
    shares
        Of the pixels removed, above 0 and at most 1; 0 is added.
    repeats
        Retrainings of each method and share, with other seeds.
    channels
        As for `pixel_flipping`.
    seed
        Draws the random pixels; the trainings get the seeds that follow it.

    Returns
    -------
    Roar

    Raises
    ------
    ValueError
        If the arguments do not fit the model or each other.
    """
    if RANDOM in methods:
        raise ValueError(f"the method {RANDOM!r} is added by roar itself: give yours another name")
    amounts = np.asarray(shares, float)
    if amounts.ndim != 1 or not np.all((amounts > 0) & (amounts <= 1)) or repeats < 1:
        raise ValueError(f"shares must be above 0 and at most 1, and repeats at least 1; got {shares} and {repeats}")
    removal = _Removal(model, train, test, has_channels(np.asarray(train[0]), channels))
    seeds = range(seed, seed + repeats)

    def accuracy(rank_sets: tuple[_Ranks, _Ranks], share: float, each: int) -> float:
        return removal.accuracy(retrain, rank_sets, share, each)

    whole = [accuracy(removal.by_chance(seed), 0.0, each) for each in seeds]
    accuracies = {
        name: np.array([[accuracy(ranked, share, each) for share in amounts] for each in seeds])
        for name, ranked in ((name, removal.by(method)) for name, method in methods.items())
    }
    accuracies[RANDOM] = np.array(
        [[accuracy(removal.by_chance(each), share, each) for share in amounts] for each in seeds]
    )
    start = np.array(whole)[:, np.newaxis]
    return Roar(np.array([0, *amounts]), {name: np.hstack([start, rows]) for name, rows in accuracies.items()})


_Ranks = npt.NDArray[np.int32]


class _Removal:
    """Training and test data from which pixels are taken away, both in the same way."""

    def __init__(self, model: keras.Model, train: LabelledData, test: LabelledData, channels: bool) -> None:
        self._channels = channels
        self._sets = [_explained(model, "train", *train), _explained(model, "test", *test)]
        self._labels = [np.asarray(labels, np.int64) for _, labels in (train, test)]
        inputs = self._sets[0].inputs
        self._mean = inputs.mean(axis=tuple(range(inputs.ndim - 1)), dtype=np.float64).astype(inputs.dtype)

    def by(self, method: Method) -> tuple[_Ranks, _Ranks]:
        """Rank the pixels of both sets by relevance."""
        first, second = (
            ranks(
                as_attributions(method(asked.model, asked.inputs, asked.targets), asked.inputs),
                "morf",
                channels=self._channels,
                seed=0,
            )
            for asked in self._sets
        )
        return first, second

    def by_chance(self, seed: int) -> tuple[_Ranks, _Ranks]:
        """Rank the pixels of both sets at random."""
        first, second = (
            ranks(np.zeros(asked.inputs.shape), "random", channels=self._channels, seed=each)
            for asked, each in zip(self._sets, np.random.SeedSequence(seed).generate_state(2).tolist(), strict=True)
        )
        return first, second

    def accuracy(self, retrain: Retrain, ranked: tuple[_Ranks, _Ranks], share: float, seed: int) -> float:
        """Train on what is left of the training data, and test on what is left of the test data."""
        train, test = (
            np.where(order < round(share * order[0].size), self._mean, asked.inputs)
            for order, asked in zip(ranked, self._sets, strict=True)
        )
        model = retrain(train, self._labels[0], seed)
        return float(np.mean(decisions(model, test) == self._labels[1]))


def _explained(model: keras.Model, name: str, inputs: npt.ArrayLike, labels: npt.ArrayLike) -> Request:
    """Ask for the class that the model decides for: an explanation of the label would give the label away."""
    if np.shape(labels) != np.shape(inputs)[:1]:
        raise ValueError(f"{name} needs one label per input, got {np.shape(inputs)} and {np.shape(labels)}")
    values = one_class_each(model, inputs, 0).inputs
    return one_class_each(model, values, decisions(model, values) * (model.output_shape[1] > 1))
