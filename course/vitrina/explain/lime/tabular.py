"""LIME of rows of a table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from vitrina.explain.black_box import Scores, scoring
from vitrina.explain.lime.columns import Categorical, Column, Numbers, describe_columns, draw_rows
from vitrina.explain.lime.explanation import TabularExplanation
from vitrina.explain.lime.fit import Floats, Neighbourhood, Options, Selection, kernel_weights, local_fit, warn_of_few
from vitrina.explain.lime.table import Values, as_table
from vitrina.explain.outputs import Output
from vitrina.explain.remembering import remembered_scores
from vitrina.explain.request import Target, as_targets, positive_int


def lime_tabular(
    model: Any,
    inputs: Any,
    target: Target,
    *,
    background: Any,
    categorical: Categorical | None = None,
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
    one row. So do rows explained one by one with the same background and seed: what a Keras model said of the draws is
    remembered until one of its weights or layers changes. The explanation of a row does not depend on other rows.

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
        Numbers or names of the columns that hold categories, beside those that do not hold numbers. As a mapping it
        has the names of categories that are numbers, such as `{2: ("red", "green")}` for 0 and 1 in column 2.
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
    if np.ndim(inputs) == 2 and np.shape(inputs)[1] != len(known.names):
        raise ValueError(
            f"inputs must have the columns of the background, {len(known.names)}, got shape {np.shape(inputs)}"
        )
    asked = as_table("inputs", inputs, known.names)
    if known.frame is not None and asked.frame is not None and list(known.frame.columns) != list(asked.frame.columns):
        raise ValueError("the columns of inputs must be those of the background, in the same order")
    columns = describe_columns(known, categorical, discretise=discretise)
    own = np.array([column.code(values) for column, values in zip(columns, asked.values.T, strict=True)]).T
    if positive_int("samples", samples) < 2:
        raise ValueError("samples must be at least 2: the instance is one of them")
    if sample_around_instance and discretise:
        raise ValueError("numbers are drawn around the instance only where they are not cut up: give discretise=False")
    scores = scoring(model, output=output, like=known.frame if known.frame is not None else asked.frame)
    said = scores(asked.values).astype(np.float64)
    targets = as_targets(target, len(said), said.shape[1])
    values, codes = draw_rows(columns, samples - 1, seed)
    if sample_around_instance:
        around = _around_each(scores, asked.values, columns, values, codes)
    else:
        shared = remembered_scores(scores, model, output, (columns, samples, seed), values)
        around = repeat((codes, shared.astype(np.float64)), len(said))
    width = 0.75 * math.sqrt(len(columns)) if kernel_width is None else kernel_width
    fit = local_fit(_neighbourhoods(own, said, targets, columns, around, width), options)
    warn_of_few([fit])
    asked_for = fit.as_asked(several=targets.ndim == 2)
    prediction = np.take_along_axis(said, targets.reshape(len(said), -1), axis=1).reshape(targets.shape)
    conditions = tuple(
        tuple(column.condition(value) for column, value in zip(columns, row, strict=True)) for row in asked.values
    )
    return TabularExplanation(
        attributions=asked_for["coefficients"], prediction=prediction, conditions=conditions, **asked_for
    )


def _around_each(
    scores: Scores, rows: Values, columns: tuple[Column, ...], values: Values, codes: Floats
) -> Iterator[tuple[Floats, Floats]]:
    """Yield perturbations around each row, as they are compared, with their scores."""
    for row in rows:
        moved, compared = values.copy(), codes.copy()
        for number, column in enumerate(columns):
            if isinstance(column, Numbers):
                moved[:, number] += row[number] - column.mean
                compared[:, number] += column.code(row[number : number + 1])
        yield compared, scores(moved).astype(np.float64)


def _neighbourhoods(
    own: Floats,
    said: Floats,
    targets: npt.NDArray[np.int32],
    columns: Sequence[Column],
    around: Iterable[tuple[Floats, Floats]],
    width: float,
) -> Iterator[Neighbourhood]:
    """Code perturbations by how they differ from each row."""
    numeric = np.array([isinstance(column, Numbers) for column in columns])
    for place, (codes, scores) in enumerate(around):
        differs = codes != own[place].astype(codes.dtype)
        offsets = -differs.view(np.int8)  # equal is 0, different is -1; in bytes they stay in a processor's cache
        if numeric.any():
            offsets = offsets.astype(np.float64)
            offsets[:, numeric] = codes[:, numeric] - own[place, numeric]
            squares: Values = np.einsum("dn,dn->n", offsets.T, offsets.T)
        else:
            squares = differs.sum(axis=1, dtype=np.min_scalar_type(len(columns)))
        weights = kernel_weights(np.sqrt(squares, dtype=np.float64), width)
        wanted = np.atleast_1d(targets[place])
        instance = np.where(numeric, own[place], 1.0)
        yield Neighbourhood(instance, said[place, wanted], offsets, scores[:, wanted], weights)
