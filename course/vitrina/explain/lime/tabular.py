"""LIME of rows of a table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from vitrina.explain.black_box import Scores, scoring
from vitrina.explain.lime.columns import Column, Numbers, Values, as_table, describe_columns
from vitrina.explain.lime.explanation import TabularExplanation
from vitrina.explain.lime.fit import Floats, Neighbourhood, Options, Selection, kernel_weights, local_fit, warn_of_few
from vitrina.explain.outputs import Output
from vitrina.explain.request import Target, as_targets, positive_int


def lime_tabular(
    model: Any,
    inputs: Any,
    target: Target,
    *,
    background: Any,
    categorical: Sequence[int | str] | None = None,
    names: Sequence[str] | None = None,
    discretise: bool = True,
    sample_around_instance: bool = False,
    samples: int = 5000,
    kernel_width: float | None = None,
    features: int | None = None,
    selection: Selection = "auto",
    ridge: float = 1.0,
    output: Output | None = None,
    seed: int = 0,
) -> TabularExplanation:
    """
    LIME (Ribeiro et al. 2016, arXiv 1602.04938): a linear model of what a model says around each row of a table.

    Rows are drawn from the background, column by column as if columns were independent, and scored by the model. They
    are compared with the instance: a category is equal or not; a number lies in the same quarter of the background or
    not (discretised), or is so many standard deviations away. A weighted ridge regression on these codes gives the
    coefficients. Draws and defaults follow the `lime` library.

    All instances share the draws, unless they are made around each: a whole table costs as many calls of the model as
    one row. The explanation of a row does not depend on the rows beside it.

    Parameters
    ----------
    model : keras.Model, estimator or callable
        As for `vitrina.explain.black_box.scoring`.
    inputs : array or pandas frame, shape (batch, columns)
        The rows to explain.
    target : int, or array of ints, shape (batch,) or (batch, k)
        The output to explain: one for all rows, one each, or k each.
    background : array or pandas frame, shape (rows, columns)
        What the columns look like, such as the training data.
    categorical
        Numbers or names of the columns that hold categories, beside those that do not hold numbers.
    names
        Of the columns, by default those of the frame.
    discretise
        Whether numbers are cut at the quartiles of the background.
    sample_around_instance
        Whether numbers are drawn around the instance instead of around the background's mean; only where they are not
        discretised.
    samples
        How many perturbations there are, the instance among them.
    kernel_width
        Of the kernel, sqrt(exp(-d^2 / width^2)) with the Euclidean distance d of the codes; by default
        0.75 sqrt(columns).
    features
        How many columns get a coefficient that is not 0; by default all.
    selection
        How they are chosen: "forward_selection" adds the one that raises R squared most, again and again;
        "highest_weights" takes the largest products of coefficient and code from a fit to all; "auto" is the first for
        up to 6 features.
    ridge
        Weight of the ridge; 0 for least squares.
    output
        "logit" or "probability", as for `scoring`.
    seed
        Draws the perturbations: the same seed, the same explanation.

    Returns
    -------
    TabularExplanation
        A coefficient is what the score gains when the row's quarter or category is as it is rather than another; of a
        number that is not discretised, what it gains per standard deviation.

    Raises
    ------
    ValueError
        If arguments do not fit the model or each other, or a row holds a category that the background lacks.

    Warns
    -----
    UserWarning
        If the kernel is so narrow that too few perturbations count. If no output is named and a Keras model ends in a
        softmax or sigmoid: its logits are explained.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(200, 2))
    >>> found = lime_tabular(lambda x: 3 * x[:, 0], rows[:1], 0, background=rows, discretise=False, ridge=0)
    >>> np.round(found.attributions / rows.std(axis=0), 6)
    array([[3., 0.]])
    """
    options = Options(features, selection, ridge).checked()
    known = as_table("background", background, names)
    asked = as_table("inputs", inputs, known.names)
    columns = describe_columns(known, categorical, discretise=discretise)
    if positive_int("samples", samples) < 2:
        raise ValueError("samples must be at least 2: the instance is one of them")
    if sample_around_instance and discretise:
        raise ValueError("numbers are drawn around the instance only where they are not cut up: give discretise=False")
    scores = scoring(model, output=output, like=known.frame if known.frame is not None else asked.frame)
    said = scores(asked.values).astype(np.float64)
    targets = as_targets(target, len(said), said.shape[1])
    around = _perturbed(scores, asked.values, columns, samples - 1, seed, each=sample_around_instance)
    width = 0.75 * math.sqrt(len(columns)) if kernel_width is None else kernel_width
    fit = local_fit(_neighbourhoods(asked.values, said, targets, columns, around, width), options)
    warn_of_few([fit])
    asked_for = fit.as_asked(several=targets.ndim == 2)
    prediction = np.take_along_axis(said, targets.reshape(len(said), -1), axis=1).reshape(targets.shape)
    conditions = tuple(
        tuple(column.condition(value) for column, value in zip(columns, row, strict=True)) for row in asked.values
    )
    return TabularExplanation(
        attributions=asked_for["coefficients"], prediction=prediction, conditions=conditions, **asked_for
    )


def _perturbed(
    scores: Scores, rows: Values, columns: Sequence[Column], count: int, seed: int, *, each: bool
) -> Iterator[tuple[Floats, Floats]]:
    """Yield perturbations of each row, as they are compared, with their scores: the same for all, or around each."""
    generator = np.random.default_rng(seed)
    drawn = [column.draw(count, generator) for column in columns]
    values, codes = np.empty((count, len(columns)), rows.dtype, "F"), np.empty((count, len(columns)), order="F")
    for number, (value, code) in enumerate(drawn):
        values[:, number], codes[:, number] = value, code
    shared = None if each else scores(values).astype(np.float64)
    for row in rows:
        if shared is not None:
            yield codes, shared
            continue
        moved, compared = values.copy(), codes.copy()
        for number, column in enumerate(columns):
            if isinstance(column, Numbers):
                moved[:, number] += row[number] - column.mean
                compared[:, number] += column.code(row[number : number + 1])
        yield compared, scores(moved).astype(np.float64)


def _neighbourhoods(
    rows: Values,
    said: Floats,
    targets: npt.NDArray[np.int32],
    columns: Sequence[Column],
    around: Iterator[tuple[Floats, Floats]],
    width: float,
) -> Iterator[Neighbourhood]:
    """Code perturbations by how they differ from each row."""
    own = np.stack([column.code(rows[:, number]) for number, column in enumerate(columns)], axis=1)
    numeric = np.array([isinstance(column, Numbers) for column in columns])
    for place, (codes, scores) in zip(range(len(rows)), around, strict=True):
        offsets = codes - own[place]
        offsets[:, ~numeric] = -(offsets[:, ~numeric] != 0).astype(np.float64)  # equal is 0, different is -1
        weights = kernel_weights(np.sqrt(np.einsum("dn,dn->n", offsets.T, offsets.T)), width)
        wanted = np.atleast_1d(targets[place])
        instance = np.where(numeric, own[place], 1.0)
        yield Neighbourhood(instance, said[place, wanted], offsets, scores[:, wanted], weights)
