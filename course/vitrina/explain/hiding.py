"""Models that see only some features: the others are masked, or a new model is trained without them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from vitrina.explain.black_box import Scores, scoring
from vitrina.explain.compiling import slices
from vitrina.explain.masking import Masks
from vitrina.explain.performance import Numbers

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
        Called as `fit(inputs, labels, seed)`; returns a model trained from scratch, whose outputs are taken before the
        next call. It may build the model once and only draw new weights.
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
        background : array or frame, shape (m, ...) or that of a sample
            What is seen in place of hidden features.
        raw
            Whether a Keras model's outputs are taken as they are, not as probabilities.

        Raises
        ------
        ValueError
            If they do not fit each other.
        """
        self.inputs = as_samples(inputs)
        self.classes = getattr(model, "classes_", None)
        self._background = as_background(background, self.inputs)
        self._scores = _scores(model, inputs, raw=raw)

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
        self.inputs, self._train = as_samples(inputs), as_samples(factory.inputs)
        self._baseline = as_background(background, self.inputs)
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
        return _scores(model, test, raw=self._raw)(test).astype(np.float64)


def as_samples(inputs: Any) -> npt.NDArray[Any]:
    """
    Return samples as an array, also those of a pandas frame.

    Parameters
    ----------
    inputs : array or frame, shape (n, ...)
        At least one sample.

    Returns
    -------
    array, shape (n, ...)

    Raises
    ------
    ValueError
        If there is no sample, or no axis of features.
    """
    values = np.asarray(inputs)
    if values.ndim < 2 or not values.size:
        raise ValueError(f"inputs must be samples with features, (n, ...), one at least, got shape {values.shape}")
    return values


def as_background(background: Any, inputs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """
    Return what stands in place of hidden features, with an axis of rows.

    Parameters
    ----------
    background : array or frame, shape (m, ...) or that of a sample
    inputs : array, shape (n, ...)
        The samples that it belongs to.

    Returns
    -------
    array, shape (m, ...)
        In the type of inputs where both are floats.

    Raises
    ------
    ValueError
        If it is empty or does not fit the samples.
    """
    values = np.asarray(background)
    rows = values[np.newaxis] if values.shape == inputs.shape[1:] else values
    if rows.shape[1:] != inputs.shape[1:] or not len(rows):
        raise ValueError(
            f"background must have the shape of a sample, {inputs.shape[1:]}, or of several, at least one, got "
            f"{values.shape}"
        )
    return rows.astype(inputs.dtype) if rows.dtype.kind == inputs.dtype.kind == "f" else rows


def _scores(model: Any, inputs: Any, *, raw: bool) -> Scores:
    probability = isinstance(model, keras.Model) and not raw
    return scoring(
        model,
        output="probability" if probability else None,
        like=inputs if hasattr(inputs, "columns") else None,
    )
