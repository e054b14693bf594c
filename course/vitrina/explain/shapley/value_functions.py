"""Value functions: what a model says when only some features are known, in two senses of "known".

Shapley values explain a game. A model becomes one only when somebody decides what v(S) is, the worth of knowing the
features S of a sample x. There are two answers, and they answer different questions:

- **Interventional**: set the features S to those of x and let the others come from the background, whatever x is:
  v(S) = E f(x_S, X_rest). It says what *the model* does with a feature. A feature that the model does not read gets 0.
  Where features depend on each other, the model is asked about mixtures that never occur.
- **Observational**: v(S) = E(f(X) | X_S = x_S), what one expects of the model after seeing the features S. It says what
  a feature *tells*. A feature that the model does not read gets a share if it goes together with one that it does
  read. The conditional distribution has to be estimated, and the values are as good as that estimate.

Which one is right depends on the question (Janzing et al. 2020, arXiv 1910.13413; Chen et al. 2020, arXiv 2006.16234).
The first is the default everywhere in this package.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from vitrina.explain.outputs import Output
from vitrina.explain.request import Target
from vitrina.explain.shapley.coalitions import Members, Values
from vitrina.explain.shapley.model_game import Completed, Completion, ModelGame, ModelRequest, Table
from vitrina.explain.shapley.players import Groups

Conditional = Literal["gaussian", "neighbours"]


def interventional(
    model: Any,
    inputs: Any,
    target: Target,
    *,
    background: Any,
    groups: Groups | None = None,
    output: Output | None = None,
) -> ModelGame:
    """
    The game in which unknown features come from the background: v(S) = mean over b of f(x_S, b_rest).

    Lundberg and Lee 2017, arXiv 1705.07874, equation 11; called interventional by Janzing et al. 2020, arXiv
    1910.13413. A background of one row is a single baseline. The cost is one forward pass per coalition,
    sample and row.

    Parameters
    ----------
    model : keras.Model, estimator or callable
        As for `vitrina.explain.black_box.scoring`. A function is given frames if inputs are one, otherwise arrays.
    inputs : array or pandas frame, shape (batch, ...)
        The samples to explain.
    target : int, or array of ints, shape (batch,) or (batch, k)
        The output to explain: one for all samples, one each, or k each, which share the forward passes. 0 where the
        model has a single one.
    background : array or pandas frame, shape (rows, ...)
        Where unknown features come from.
    groups : optional
        Features that are one player: an array of numbers from 0 in the shape of a sample (superpixels; channels may be
        left out), or for each player its columns, by number or by name, such as the columns of a one-hot category. By
        default each feature is a player.
    output
        "logit" or "probability"; by default what the model says by itself.

    Returns
    -------
    ModelGame
        A function of coalitions (m, players), booleans, with values (m, batch), or (m, batch, k) for k targets each. It
        knows its `players`.

    Raises
    ------
    ValueError
        If model, inputs, target, background or groups do not fit each other.

    Warns
    -----
    UserWarning
        If no output is named and a Keras model ends in a softmax or sigmoid: its logits are explained.
    """
    asked = ModelRequest(model, inputs, target, background, groups, output)
    return ModelGame(asked, _mixed)


def observational(
    model: Any,
    inputs: Any,
    target: Target,
    *,
    background: Any,
    conditional: Conditional = "gaussian",
    width: float = 0.1,
    groups: Groups | None = None,
    output: Output | None = None,
) -> ModelGame:
    """
    The game in which unknown features are what goes together with the known ones: v(S) = E(f(X) | X_S = x_S).

    The conditional distribution is estimated from the background (Aas, Jullum and Løland 2021, arXiv 1903.10464):

    - "gaussian" (their section 3.1) takes dependence to be linear: each row b becomes x_S and b_rest + A (x_S - b_S),
      with the regression A of the other features on S. Where they draw the residuals from a normal distribution, those
      of the background stand here, so nothing is random. Linear dependence and a few rows more than features suffice.
    - "neighbours" (their section 3.3) mixes x with the rows as `interventional` does, but those near x in the features
      S weigh more: exp(-D^2 / (2 width^2)), with D^2 the squared Mahalanobis distance over |S|. It follows dependence
      of any form, and the values that it mixes exist, also of categories; it needs many rows, for few are near in many
      features. All rows are kept, where they drop the lightest.

    Parameters
    ----------
    model, inputs, target, groups, output
        As for `interventional`; the features must be numbers.
    background : array or pandas frame, shape (rows, ...)
        A sample of the data, at least two rows; what depends on what is learnt from it.
    conditional
        "gaussian" or "neighbours".
    width
        Of the neighbours' kernel; 0.1 is the authors' choice. A very large one makes all rows equal, as in
        `interventional`.

    Returns
    -------
    ModelGame

    Raises
    ------
    ValueError
        If the arguments do not fit each other, features are not numbers or the background has a single row.

    Warns
    -----
    UserWarning
        If no output is named and a Keras model ends in a softmax or sigmoid: its logits are explained.
    """
    asked = ModelRequest(model, inputs, target, background, groups, output)
    if conditional not in ("gaussian", "neighbours"):
        raise ValueError(f"conditional must be 'gaussian' or 'neighbours', got {conditional!r}")
    if not width > 0:
        raise ValueError(f"width must be above 0, got {width}")
    if asked.background.dtype.kind not in "fiub":
        raise ValueError("observational needs features that are numbers: turn categories into columns, and group them")
    if not (np.all(np.isfinite(asked.background)) and np.all(np.isfinite(asked.samples))):
        raise ValueError("observational learns what goes together, so inputs and background must not hold NaN or inf")
    if conditional == "gaussian":
        return ModelGame(asked, _regressed(asked.background))
    return ModelGame(asked, _neighbours(asked.background, width))


def _mixed(known: Members) -> Completed:
    """Unknown values are those of the rows, each row as likely as the other."""

    def rows(samples: Table, background: Table) -> Table:
        # Rows of the background lie one after the other: long stretches are mixed faster than many short ones.
        mixed = _choose(known, samples, background.reshape(-1), len(background))
        return mixed.reshape(len(known), len(samples), *background.shape)

    return Completed(rows)


def _choose(known: Members, these: Table, those: Table, times: int) -> Table:
    """
    Return these (samples, values) where known (coalitions, values), else those, repeated to its length.

    Numbers are turned into each other by the bits in which they differ, which takes half the time of `np.where`.
    """
    bits = {4: np.uint32, 8: np.uint64}.get(these.dtype.itemsize)
    if bits is None or these.dtype.kind not in "fiu":
        return np.where(np.tile(known, times)[:, np.newaxis], np.tile(these, times), those)
    differ = np.tile(these.view(bits), times) ^ those.view(bits)
    chosen = np.tile(np.where(known, ~bits(0), bits(0)), times)[:, np.newaxis] & differ
    chosen ^= those.view(bits)
    return chosen.view(these.dtype)


def _neighbours(background: Table, width: float) -> Completion:
    """The same rows, weighted by how near they are in the known values."""
    covariance = covariance_of(background)

    def complete(known: Members) -> Completed:
        metric, sizes = inverses(covariance, known), np.maximum(known.sum(axis=1), 1)

        def weights(samples: Table) -> Values:
            gaps = samples[:, np.newaxis].astype(np.float64) - background  # (samples, rows, values)
            squared = (
                np.einsum("nbi,cij,nbj->cnb", gaps, metric, gaps, optimize=True) / sizes[:, np.newaxis, np.newaxis]
            )
            # The nearest row has weight 1 before they are made to sum to 1: they cannot all vanish.
            near = np.exp((squared.min(axis=2, keepdims=True) - squared) / (2 * width**2))
            return near / near.sum(axis=2, keepdims=True)

        return Completed(_mixed(known).rows, weights)

    return complete


def _regressed(background: Table) -> Completion:
    """Unknown values are what a regression on the known ones foretells, plus the residuals of the rows."""
    covariance = covariance_of(background)

    def complete(known: Members) -> Completed:
        slope = slopes(covariance, known).transpose(0, 2, 1)[:, np.newaxis]  # (coalitions, 1, known, unknown)

        def rows(samples: Table, background: Table) -> Table:
            seen = samples[:, np.newaxis].astype(np.float64)
            foretold = background + (seen - background) @ slope
            return np.where(known[:, np.newaxis, np.newaxis], seen, foretold)

        return Completed(rows)

    return complete


def covariance_of(background: Table) -> Values:
    """
    Return the covariance of the features of a background.

    Parameters
    ----------
    background : array, shape (rows, values)
        At least two rows.

    Returns
    -------
    array, shape (values, values)

    Raises
    ------
    ValueError
        If there is a single row.
    """
    if len(background) < 2:
        raise ValueError("what depends on what is learnt from the background: give at least two rows")
    return np.atleast_2d(np.cov(background.astype(np.float64), rowvar=False))


def inverses(covariance: Values, known: Members) -> Values:
    """
    Invert the covariance of the known features of each coalition.

    Parameters
    ----------
    covariance : array, shape (values, values)
    known : array of bool, shape (m, values)

    Returns
    -------
    array, shape (m, values, values)
        0 where a feature is not known. Constant features and those that others determine count once (pseudoinverse).
    """
    # Correlations, so that features in large units do not make those in small ones look like none.
    spread = np.sqrt(np.diag(covariance))
    scale = np.outer(spread, spread)
    scale[scale == 0] = 1
    inside = known[:, :, np.newaxis] & known[:, np.newaxis]
    return np.linalg.pinv(np.where(inside, covariance / scale, 0.0), rcond=1e-10, hermitian=True) / scale


def slopes(covariance: Values, known: Members) -> Values:
    """
    Regress the unknown features of each coalition on the known ones.

    Parameters
    ----------
    covariance : array, shape (values, values)
    known : array of bool, shape (m, values)

    Returns
    -------
    array, shape (m, values, values)
        Row i, column j: what one unit of the known feature j adds to the unknown feature i; 0 elsewhere.
    """
    return np.where(known[:, :, np.newaxis], 0.0, covariance @ inverses(covariance, known))
