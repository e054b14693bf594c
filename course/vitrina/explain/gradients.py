"""Attributions read from the gradient: how the target's logit moves when an input value moves.

One compiled backward pass explains a whole batch: the gradient of the sum of all samples' logits holds, sample by
sample, the gradient of each one's own logit. Several targets share one forward pass.
"""

from __future__ import annotations

from typing import Any, Literal

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from vitrina.explain.backward import gradient_function, moments_function, path_function
from vitrina.explain.compiling import chunk_size, compiled, in_chunks, slices
from vitrina.explain.request import Request, Target, baseline_values, positive_int, request
from vitrina.models import Array

PathRule = Literal["middle", "left", "right", "trapezoid", "gausslegendre"]
SmoothForm = Literal["mean", "squared", "variance"]


def saliency(model: keras.Model, inputs: npt.ArrayLike, target: Target) -> Array:
    """
    Size of the gradient of the target's logit, |df_c / dx_i| (Simonyan et al. 2014, arXiv 1312.6034, section 3.1).

    Parameters
    ----------
    model
        A built classifier that returns logits (batch, classes).
    inputs : array, shape (batch, ...)
        The samples to explain.
    target : int or array of ints, shape (batch,) or (batch, k)
        The class to explain, one for all samples, one each or k each.

    Returns
    -------
    array, shape of inputs, with an axis k after the batch if target has one
        Not negative, in the model's type.

    Raises
    ------
    ValueError
        If inputs or target do not fit the model.

    Warns
    -----
    UserWarning
        If the model ends in a softmax or sigmoid: the logits before it are explained.
    """
    return np.abs(_gradient(request(model, inputs, target)))


def gradient_x_input(model: keras.Model, inputs: npt.ArrayLike, target: Target) -> Array:
    """
    Gradient x Input, x_i df_c / dx_i (Shrikumar et al. 2016, arXiv 1605.01713).

    On a ReLU network without biases the attributions of a sample add up to its logit f_c(x); in general they add up to
    the logit of the linear piece around x, without that piece's offset.

    Parameters
    ----------
    model
        A built classifier that returns logits (batch, classes).
    inputs : array, shape (batch, ...)
        The samples to explain.
    target : int or array of ints, shape (batch,) or (batch, k)
        The class to explain, one for all samples, one each or k each.

    Returns
    -------
    array, shape of inputs, with an axis k after the batch if target has one
        Signed, in the model's type.

    Raises
    ------
    ValueError
        If inputs or target do not fit the model.

    Warns
    -----
    UserWarning
        If the model ends in a softmax or sigmoid: the logits before it are explained.
    """
    asked = request(model, inputs, target)
    return _times(_gradient(asked), asked.inputs)


def integrated_gradients(
    model: keras.Model,
    inputs: npt.ArrayLike,
    target: Target,
    *,
    baseline: npt.ArrayLike = 0.0,
    steps: int = 32,
    rule: PathRule = "middle",
) -> Array:
    """
    Integrated gradients, (x_i - x'_i) times the mean of df_c / dx_i on the line from x' to x.

    The integral of Sundararajan et al. 2017 (arXiv 1703.01365, eq. 1) is a sum over `steps` points x' + a (x - x'),
    a from 0 to 1. With enough of them the attributions add up to f_c(x) - f_c(x'); `completeness_error` tells what is
    missing.

    Parameters
    ----------
    model
        A built classifier that returns logits (batch, classes).
    inputs : array, shape (batch, ...)
        The samples to explain.
    target : int or array of ints, shape (batch,) or (batch, k)
        The class to explain, one for all samples, one each or k each.
    baseline : number, or array of the shape of one sample or of inputs
        x', where the path begins: a sample that means "nothing is there".
    steps
        How many points of the path are looked at.
    rule
        Which points and weights: the middle, left or right end of each of n equal steps; the trapezoid's n points from
        end to end, half weight at both ends; or Gauss-Legendre nodes, which gain on smooth networks only.

    Returns
    -------
    array, shape of inputs, with an axis k after the batch if target has one
        Signed, in the model's type.

    Raises
    ------
    ValueError
        If inputs, target, baseline, steps or rule do not fit.

    Warns
    -----
    UserWarning
        If the model ends in a softmax or sigmoid: the logits before it are explained.
    """
    asked = request(model, inputs, target)
    start = baseline_values(baseline, asked.inputs)
    positions, weights = (array.astype(start.dtype) for array in _quadrature(rule, positive_int("steps", steps)))
    targets, differences = asked.columns, asked.inputs - start
    key = ("integrated gradients", targets.shape[1])
    function = compiled(asked.model, key, lambda: path_function(asked.model, targets.shape[1]))
    integrals = asked.zeros()
    for samples, points in _pieces(asked.inputs, steps):
        given = [tf.constant(array[samples]) for array in (start, differences, targets)]
        sums: Any = tf.zeros((len(given[0]), targets.shape[1], *start.shape[1:]), start.dtype)
        for piece in points:
            sums = function(*given, tf.constant(positions[piece]), tf.constant(weights[piece]), sums)
        integrals[samples] = sums.numpy()
    return _times(asked.as_asked(integrals), differences)


def smooth_grad(
    model: keras.Model,
    inputs: npt.ArrayLike,
    target: Target,
    *,
    noise: float,
    samples: int = 50,
    seed: int = 0,
    form: SmoothForm = "mean",
) -> Array:
    """
    SmoothGrad, the mean of the gradient df_c / dx_i over noisy copies of the sample (Smilkov et al. 2017, 1706.03825).

    The mean of the squares and the population variance of the same gradients are the other two forms that are in use
    (Hooker et al. 2019, arXiv 1806.10758; VarGrad of Adebayo et al. 2018, arXiv 1810.03307).

    Parameters
    ----------
    model
        A built classifier that returns logits (batch, classes).
    inputs : array, shape (batch, ...)
        The samples to explain.
    target : int or array of ints, shape (batch,) or (batch, k)
        The class to explain, one for all samples, one each or k each.
    noise
        Standard deviation of the normal noise, in the unit of the inputs. The authors take 10 to 20 % of the range of
        the values: 0.1 to 0.2 for pictures from 0 to 1.
    samples
        How many noisy copies.
    seed
        Draws the noise: the same `samples` patterns for each sample, so what is said of one does not depend on the
        others in the batch.
    form
        `"mean"` of the gradient, `"squared"` for the mean of its square, `"variance"` for its variance.

    Returns
    -------
    array, shape of inputs, with an axis k after the batch if target has one
        In the model's type; signed if `form` is `"mean"`.

    Raises
    ------
    ValueError
        If inputs, target, noise, samples or form do not fit.

    Warns
    -----
    UserWarning
        If the model ends in a softmax or sigmoid: the logits before it are explained.
    """
    asked = request(model, inputs, target)
    if form not in ("mean", "squared", "variance"):
        raise ValueError(f"form must be 'mean', 'squared' or 'variance', got {form!r}")
    patterns = _noise(asked.inputs, noise, positive_int("samples", samples), seed)
    targets, squares = asked.columns, form != "mean"
    key = ("smooth grad", targets.shape[1], squares)
    function = compiled(asked.model, key, lambda: moments_function(asked.model, targets.shape[1], squares))
    statistics = asked.zeros()
    for piece, points in _pieces(asked.inputs, samples):
        given = [tf.constant(array[piece]) for array in (asked.inputs, targets)]
        shape = (len(given[0]), targets.shape[1], *asked.inputs.shape[1:])
        moments = tf.zeros(shape, patterns.dtype), tf.zeros(shape if squares else (), patterns.dtype)
        for some in points:
            moments = function(*given, tf.constant(patterns[some]), tf.constant(some.start, patterns.dtype), *moments)
        statistics[piece] = _of_form(form, moments[0].numpy(), moments[1].numpy(), samples)
    return asked.as_asked(statistics)


def _gradient(asked: Request) -> Array:
    """Gradient of each sample's target logits with respect to that sample."""
    targets = asked.columns
    count = targets.shape[1]
    function = compiled(asked.model, ("gradient", count), lambda: gradient_function(asked.model, count))
    return asked.as_asked(in_chunks(function, asked.inputs, targets))


def _times(attributions: Array, values: Array) -> Array:
    """Multiply by values of the samples' shape, whether or not there is an axis of targets."""
    return attributions * (values if attributions.ndim == values.ndim else values[:, np.newaxis])


def _pieces(inputs: Array, count: int) -> list[tuple[slice, list[slice]]]:
    """Cut samples x points so that no more of them than one chunk are in memory at once."""
    chunk = chunk_size(inputs)
    at_once = max(1, chunk // max(1, len(inputs)))
    return [(samples, slices(count, at_once)) for samples in slices(len(inputs), chunk)]


def _quadrature(rule: PathRule, n: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Positions on the path from 0 to 1, and weights that add up to 1."""
    if rule == "gausslegendre":
        nodes, weights = np.polynomial.legendre.leggauss(n)
        return (nodes + 1) / 2, weights / 2
    if rule == "trapezoid":
        if n < 2:
            raise ValueError("the trapezoid needs at least 2 steps, one for each end of the path")
        weights = np.full(n, 1 / (n - 1))
        weights[[0, -1]] /= 2
        return np.linspace(0, 1, n), weights
    shifts = {"middle": 0.5, "left": 0.0, "right": 1.0}
    if rule not in shifts:
        raise ValueError(f"rule must be one of {[*shifts, 'trapezoid', 'gausslegendre']}, got {rule!r}")
    return (np.arange(n) + shifts[rule]) / n, np.full(n, 1 / n)


def _noise(inputs: Array, deviation: float, samples: int, seed: int) -> Array:
    if not 0 < deviation < np.inf:
        raise ValueError(f"noise must be a standard deviation above 0, got {deviation}")
    patterns = np.random.default_rng(seed).standard_normal((samples, *inputs.shape[1:]))
    return (deviation * patterns).astype(inputs.dtype)


def _of_form(form: SmoothForm, mean: Array, deviations: Array, samples: int) -> Array:
    """Make the statistic of the mean and the sum of the squared deviations from it."""
    if form == "mean":
        return mean
    return deviations / samples + (mean**2 if form == "squared" else 0)
