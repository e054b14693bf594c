"""What attributions add up to, and what is missing there."""

from __future__ import annotations

from functools import partial

import keras
import numpy as np
import numpy.typing as npt

from vitrina.explain.compiling import in_chunks
from vitrina.explain.request import Target, background_values, baseline_values, request
from vitrina.models import Array


def completeness_error(
    model: keras.Model,
    inputs: npt.ArrayLike,
    target: Target,
    attributions: npt.ArrayLike,
    *,
    baseline: npt.ArrayLike | None = 0.0,
    background: npt.ArrayLike | None = None,
) -> Array:
    """
    Sum of a sample's attributions, less what they should add up to: f_c(x) - f_c(x').

    Completeness (Sundararajan et al. 2017, arXiv 1703.01365, proposition 1) holds for integrated gradients up to the
    error of the sum that stands for the integral, and for DeepLIFT exactly. With `baseline=None` the error is that of
    conservation in layer-wise relevance propagation (Bach et al. 2015, doi 10.1371/journal.pone.0130140, eq. 2), where
    attributions should add up to f_c(x).

    Parameters
    ----------
    model
        A built classifier that returns logits (batch, classes).
    inputs : array, shape (batch, ...)
        The samples that were explained.
    target : int or array of ints, shape (batch,) or (batch, k)
        The classes that were explained.
    attributions : array, shape of inputs, with an axis k after the batch if target has one
        As a method of this package returns them.
    baseline : None, number, or array of the shape of one sample or of inputs
        x', the same as in the explanation.
    background : array, shape (references, ...)
        Several baselines for all samples, as in DeepLIFT: the mean of their logits takes the place of f_c(x').

    Returns
    -------
    array, shape of target
        0 where nothing is missing.

    Raises
    ------
    ValueError
        If inputs, target, attributions or baseline do not fit each other.

    Warns
    -----
    UserWarning
        If the model ends in a softmax or sigmoid: the logits before it are meant.
    """
    asked = request(model, inputs, target)
    parts = np.asarray(attributions)
    wanted = (*asked.targets.shape, *asked.inputs.shape[1:])
    if parts.shape != wanted:
        raise ValueError(f"attributions of these inputs and target have shape {wanted}, got {parts.shape}")
    expected = _logits(asked.model, asked.inputs)
    if background is not None:
        expected = expected - _logits(asked.model, background_values(asked.model, background)).mean(axis=0)
    elif baseline is not None:
        expected = expected - _logits(asked.model, baseline_values(baseline, asked.inputs))
    totals = parts.sum(axis=tuple(range(asked.targets.ndim, parts.ndim)), dtype=expected.dtype)
    return totals - np.take_along_axis(expected, asked.columns, axis=1).reshape(asked.targets.shape)


def _logits(model: keras.Model, values: Array) -> npt.NDArray[np.float64]:
    """Logits in double precision: what is missing is a small difference of large numbers."""
    return in_chunks(partial(model, training=False), values).astype(float)
