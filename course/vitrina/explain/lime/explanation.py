"""What LIME returns: the local linear models, and how far they can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vitrina.explain.lime.fit import Floats
from vitrina.models import Array


@dataclass(frozen=True)
class LimeExplanation:
    """
    Local linear models around some instances; with k targets each, arrays have an axis of them after the batch.

    Attributes
    ----------
    attributions : array, shape of the instances; of texts a tuple, one array (words,) each
        The coefficient of each feature, in units of the score; 0 for those that were not selected.
    coefficients : of tables an array (batch, columns), else a tuple, one array (features,) each
        The same by interpretable feature: a column, a word, a superpixel.
    standard_errors : as the coefficients
        How far a coefficient may be off because perturbations were drawn at random, if the linear model is right.
    intercept : array, shape (batch,)
        Of the linear models.
    fidelity : array, shape (batch,)
        Weighted R squared of the linear model on the perturbations: near 1 it says what the model says; with a low one,
        the coefficients describe something else; NaN where the kernel is so narrow that none of them counts.
    local_prediction : array, shape (batch,)
        What the linear model says of the instance.
    prediction : array, shape (batch,)
        What the model says of it.
    effective_samples : array, shape (batch,)
        How many perturbations count, once those that the kernel gives little weight count little (Kish's number).
    """

    attributions: Array | tuple[Array, ...]
    coefficients: Floats | tuple[Floats, ...]
    standard_errors: Floats | tuple[Floats, ...]
    intercept: Floats
    fidelity: Floats
    local_prediction: Floats
    prediction: Floats
    effective_samples: Floats


@dataclass(frozen=True)
class TabularExplanation(LimeExplanation):
    """
    LIME of rows of a table.

    Attributes
    ----------
    conditions : tuple of tuples of str
        For each row and column what its coefficient is about: "1.6 < petal length <= 4.35", "colour = red", or the name
        of a column that is not discretised.
    """

    attributions: Array
    conditions: tuple[tuple[str, ...], ...]

    def as_list(self, row: int = 0) -> list[tuple[str, float]]:
        """
        List the conditions of a row with their coefficients, the largest first.

        Parameters
        ----------
        row
            Which one; the explanation must have one target each.

        Returns
        -------
        list of (str, float)
        """
        return _ranked(self.conditions[row], self.attributions[row])


@dataclass(frozen=True)
class TextExplanation(LimeExplanation):
    """
    LIME of texts.

    Attributes
    ----------
    words : tuple of tuples of str
        All words of each text in their order: those of `attributions`.
    features : tuple of tuples of str
        The words that `coefficients` belong to: each once, unless occurrences were hidden one by one.
    """

    attributions: tuple[Array, ...]
    words: tuple[tuple[str, ...], ...]
    features: tuple[tuple[str, ...], ...]

    def as_list(self, text: int = 0) -> list[tuple[str, float]]:
        """
        List the words of a text with their coefficients, the largest first.

        Parameters
        ----------
        text
            Which one; the explanation must have one target each.

        Returns
        -------
        list of (str, float)
        """
        return _ranked(self.features[text], self.coefficients[text])


@dataclass(frozen=True)
class ImageExplanation(LimeExplanation):
    """
    LIME of images.

    Attributes
    ----------
    segments : array of int32, shape (batch, height, width)
        The superpixels that were hidden; `coefficients[image][number]` belongs to superpixel `number`.
    """

    attributions: Array
    segments: npt.NDArray[np.int32]


def _ranked(names: Sequence[str], coefficients: Floats) -> list[tuple[str, float]]:
    if coefficients.ndim != 1:
        raise ValueError(f"explained for {len(coefficients)} targets: a list has room for one, ask for one")
    order: list[int] = np.argsort(-np.abs(coefficients), kind="stable").tolist()
    return [(names[index], float(coefficients[index])) for index in order if coefficients[index]]
