"""Models that see only some features: the others are masked, or a new model is trained without them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from vitrina.explain.black_box import Scores, scoring, value_type
from vitrina.explain.compiling import slices
from vitrina.explain.masking import Masks
from vitrina.explain.performance import Numbers
from vitrina.explain.shapley.model_game import samples_and_background

_VALUES = 1 << 22  # values of masked samples that are held at once

Fit = Callable[[Any, Any, int], Any]
"""Trains a new model from scratch, on inputs and labels, with a seed, and returns it."""


@dataclass(frozen=True)
class Retraining:
    """
    A factory of models in the place of a model: for each set of features a new one is trained that sees no others.

    It asks how informative features are in the data, not what a given model does with them. All models see samples of
    one shape: a feature that is not there has one value, the background, in all of them.

    Attributes
    ----------
    fit
        Called as `fit(inputs, labels, seed)` with arrays; returns a model trained from scratch, whose outputs are taken
        before the next call. It may build the model once and only draw new weights.
    inputs, labels : arrays, shapes (samples, ...) and (samples,)
        What is trained on.
    """

    fit: Fit
    inputs: Any
    labels: Any


class Masked:
    """The outputs of one model, the hidden features being those of the background."""

    def __init__(self, model: Any, inputs: Any, background: Any, *, raw: bool) -> None:
        """
        Prepare a model.

        Parameters
        ----------
        model
            What `scoring` takes.
        inputs : array or frame, shape (n, ...)
            The samples.
        background : array or frame, shape (m, ...)
            What is seen in place of hidden features.
        raw
            Whether a Keras model's outputs are taken as they are, not as probabilities.

        Raises
        ------
        ValueError
            If they do not fit each other.
        """
        samples, rows, self.frame = samples_and_background(inputs, background)
        kind = value_type(model) or samples.dtype
        self.inputs, self._background = samples.astype(kind, copy=False), rows.astype(kind, copy=False)
        self.classes = getattr(model, "classes_", None)
        self._scores = _scores(model, self.frame, raw=raw)

    def __call__(self, visible: Masks) -> Numbers:
        """
        Return what the model says under each mask.

        Parameters
        ----------
        visible : array of bool, shape (masks, 1 or n, ...)
            Which features are seen, broadcasting to the samples.

        Returns
        -------
        array, shape (masks, n, outputs)
            The mean over the background.
        """
        room = max(1, _VALUES // max(1, self.inputs[:1].size * len(self._background)))
        parts: list[Numbers] = []
        for samples in slices(len(self.inputs), room):
            seen = visible if visible.shape[1] == 1 else visible[:, samples]
            each = slices(len(visible), max(1, room // len(self.inputs[samples])))
            parts.append(np.concatenate([self._mean(seen[masks], self.inputs[samples]) for masks in each]))
        return np.concatenate(parts, axis=1)

    def _mean(self, visible: Masks, inputs: npt.NDArray[Any]) -> Numbers:
        total: Any = 0.0
        for rows in slices(len(self._background), max(1, _VALUES // max(1, inputs.size * len(visible)))):
            mixed = np.where(visible[:, :, np.newaxis], inputs[:, np.newaxis], self._background[rows])
            said = self._scores(mixed.reshape(-1, *inputs.shape[1:]))
            total = total + said.reshape(*mixed.shape[:3], -1).sum(axis=2, dtype=np.float64)
        return total / len(self._background)


class Retrained:
    """The outputs of models that were trained on the visible features alone."""

    def __init__(self, factory: Retraining, inputs: Any, background: Any, *, raw: bool, seed: int) -> None:
        """
        Prepare the data.

        Parameters
        ----------
        factory
            Trains the models.
        inputs, background, raw
            As for `Masked`, with a background of one row.
        seed
            Handed to every training.

        Raises
        ------
        ValueError
            If they do not fit each other.
        """
        self.inputs, self._baseline, self.frame = samples_and_background(inputs, background)
        self._train = np.asarray(factory.inputs)
        if len(self._baseline) > 1:
            raise ValueError(
                f"retraining puts one value in place of a feature that is not there: give a background of one row, "
                f"such as the mean, not {len(self._baseline)}"
            )
        if self._train.shape[1:] != self.inputs.shape[1:] or len(self._train) != len(factory.labels):
            raise ValueError(
                f"training needs samples like inputs, (samples, *{self.inputs.shape[1:]}), and a label for each, got "
                f"{self._train.shape} and {len(factory.labels)} labels"
            )
        self._factory, self._raw, self._seed = factory, raw, seed
        self.classes: Any = None

    def __call__(self, visible: Masks) -> Numbers:
        """Return what a model trained for each mask says, as `Masked` does; the masks are the same for all samples."""
        if visible.shape[1] != 1:
            raise ValueError(
                "retraining needs one ranking for all samples: which features are hidden would else tell the new model "
                "what the old one decided (see roar); take the mean size of the attributions"
            )
        return np.stack([self._trained(mask[0]) for mask in visible])

    def _trained(self, visible: Masks) -> Numbers:
        train, test = (np.where(visible, samples, self._baseline) for samples in (self._train, self.inputs))
        model = self._factory.fit(train, self._factory.labels, self._seed)
        self.classes = getattr(model, "classes_", None)
        return _scores(model, None, raw=self._raw)(test).astype(np.float64)


def _scores(model: Any, frame: Any, *, raw: bool) -> Scores:
    probability = isinstance(model, keras.Model) and not raw
    return scoring(model, output="probability" if probability else None, like=frame)
