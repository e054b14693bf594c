"""Activation maximisation: find the inputs that excite a class, a unit or a channel most.

Gradient ascent in input space (Simonyan et al. 2014, arXiv 1312.6034, section 2; before that Erhan et al. 2009).
Without help it ends in noise that no eye can read, so each author adds what inputs ought to look like. The helps, all
off by default, are

- `l2`: small values, l2 * sum x^2 (Simonyan et al. 2014, eq. 1);
- `total_variation`: smooth pictures, total_variation * sum of squared differences of neighbours (Mahendran and Vedaldi
  2015, arXiv 1412.0035, section 3, with beta = 2);
- `blur`: a Gaussian blur every fourth step (Yosinski et al. 2015, arXiv 1506.06579, section 3);
- `jitter`: a random shift of the picture before each step (Olah et al. 2017, doi 10.23915/distill.00007);
- `bounds`: values are clipped to what is allowed;
- `start`: where to begin, say at a mean of real samples: another start shows another facet (Nguyen et al. 2016,
  arXiv 1602.03616);
- `diversity`: several pictures of one target are kept apart (Olah et al. 2017; theirs compares Gram matrices of a
  layer, ours the pictures themselves).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from scipy.ndimage import gaussian_filter1d

from vitrina.explain.compiling import compiled, graph_function
from vitrina.explain.graph import read_graph
from vitrina.explain.layers import before_activation, evaluate, last_value
from vitrina.explain.request import as_targets, baseline_values, positive_int, request
from vitrina.models import Array

_BLUR_EVERY = 4  # steps: the gradient has to win against the blur in between
_MEAN, _SQUARE, _TINY = 0.9, 0.999, 1e-8  # of Adam (Kingma and Ba 2015)
_NOISE = 0.1  # size of the noise to start from where no bounds say what is large


@dataclass(frozen=True, eq=False)
class Maximised:
    """
    Inputs that excite their targets.

    Attributes
    ----------
    images : array, shape (count, ...)
        The inputs found.
    activations : array, shape (count,)
        What they reach.
    history : array, shape (steps + 1, count)
        What was reached before each step, as the model saw it (with jitter, the shifted picture), and in the end.
    targets : array of ints, shape (count,)
        Class, unit or channel of each.
    """

    images: Array
    activations: Array
    history: Array
    targets: npt.NDArray[np.int32]


def activation_maximisation(
    model: keras.Model,
    target: npt.ArrayLike,
    *,
    layer: str | None = None,
    steps: int = 200,
    rate: float = 0.05,
    l2: float = 0.0,
    total_variation: float = 0.0,
    blur: float = 0.0,
    jitter: int = 0,
    diversity: float = 0.0,
    start: npt.ArrayLike | None = None,
    bounds: tuple[float, float] | None = None,
    seed: int = 0,
    count: int = 1,
) -> Maximised:
    """
    Search for inputs that excite a class, a unit or a channel as much as possible.

    What is maximised, for all inputs x at once, by Adam with a rate that falls to 0 along a cosine, is::

        a(x) - l2 * sum x^2 - total_variation * sum (differences of neighbours)^2 - diversity * sum of positive cosines

    with a(x) the logit of a class; or, in a layer, what the unit says before its activation (so that a ReLU that is off
    has a gradient), for a channel its mean over all places. The cosines are those of each pair of inputs with the same
    target, after the mean of each is taken away: unlike pairs cost nothing.

    Parameters
    ----------
    model
        A built model with one input. Inputs (height, width) or (height, width, channels) are pictures; flat ones are
        taken as squares: 784 values are 28 x 28.
    target : int, or array of ints, shape (count,)
        Class, unit or channel; one for all inputs or one each.
    layer
        Name of the layer of the unit or channel; by itself the target is a class.
    steps
        Of the ascent.
    rate
        How far a value moves in one step, about, at first.
    l2, total_variation, diversity
        Strengths of the penalties, at least 0.
    blur
        Standard deviation in pixels of a Gaussian blur after every fourth step.
    jitter
        The picture is shifted by up to so many pixels before each step, around the border.
    start : number, or array of the shape of one input or (count, ...)
        Where to begin; by itself noise, uniform within the bounds or of standard deviation 0.1 around 0.
    bounds : pair of floats
        Lowest and highest value that is allowed.
    seed
        Draws noise and shifts. The first inputs of many are those that fewer would give, without diversity.
    count
        How many inputs; with one target each it may be left out.

    Returns
    -------
    Maximised

    Raises
    ------
    ValueError
        If the arguments do not fit the model or each other, or the search ends in values that are not finite.

    Warns
    -----
    UserWarning
        If the model ends in a softmax or sigmoid: the logits before it are maximised.
    """
    amounts = {"l2": l2, "total_variation": total_variation, "blur": blur, "jitter": jitter, "diversity": diversity}
    _check(positive_int("steps", steps), rate, amounts, bounds)
    number = max(positive_int("count", count), np.asarray(target).size if np.ndim(target) else 1)
    tensors = getattr(model, "inputs", None) or ()
    shape = tuple(tensors[0].shape)[1:] if len(tensors) == 1 else ()
    if None in shape:
        raise ValueError(f"model {model.name!r} takes inputs of any size {shape}: build it for one size")
    asked = request(model, np.zeros((1, *shape)), 0)
    begin = _starts(asked.inputs, number, start, bounds, seed)
    picture = _picture(shape, spatial=bool(total_variation or blur or jitter))
    graph = read_graph(asked.model)
    value = graph.output if layer is None else before_activation(graph, last_value(graph, layer))
    targets = as_targets(target, number, int(graph.shapes[value][-1] or 0))
    function = compiled(asked.model, ("maximise", value), _Search(asked.model, value, picture).compile)
    strengths = np.array([rate, l2, total_variation, diversity], begin.dtype)
    limits = np.array(bounds or (-np.inf, np.inf), begin.dtype)
    blurs = [_blur_matrix(side, blur, begin.dtype) for side in picture[:2]]
    every = _BLUR_EVERY if blur else steps + 1
    found = function(begin, targets, strengths, limits, *blurs, every, jitter, seed % 2**31, steps)
    images, history = (tensor.numpy() for tensor in found)
    if not np.all(np.isfinite(images)):
        raise ValueError("the search left all bounds and ended in NaN: take a smaller rate or smaller penalties")
    return Maximised(images, history[-1], history, targets)


def _check(steps: int, rate: float, amounts: dict[str, float], bounds: tuple[float, float] | None) -> None:
    wrong = [name for name, value in amounts.items() if not 0 <= value < math.inf]
    if wrong or not 0 < rate < math.inf:
        raise ValueError(f"{', '.join(wrong) or 'rate'} must not be negative, and rate above 0, in {steps} steps")
    if amounts["jitter"] != int(amounts["jitter"]):
        raise ValueError(f"jitter is a whole number of pixels, got {amounts['jitter']}")
    if bounds is not None and not bounds[0] < bounds[1]:
        raise ValueError(f"bounds are the lowest and the highest value, got {bounds}")


def _starts(
    like: Array, count: int, start: npt.ArrayLike | None, bounds: tuple[float, float] | None, seed: int
) -> Array:
    """Return where each search begins, (count, ...) in the type of the model."""
    shape = (count, *like.shape[1:])
    generator = np.random.default_rng(seed)
    if start is not None:
        values = np.array(baseline_values(start, np.zeros(shape, like.dtype)))
    elif bounds is None:
        values = _NOISE * generator.standard_normal(shape)
    else:
        values = generator.uniform(*bounds, shape)
    return np.clip(values, *(bounds or (None, None))).astype(like.dtype)


def _picture(shape: tuple[int, ...], *, spatial: bool) -> tuple[int, int, int]:
    """Read the shape of an input as (height, width, channels)."""
    sides, values = list(shape), math.prod(shape)
    side = math.isqrt(values)
    if len(sides) == 1 and side * side == values:
        return side, side, 1
    if len(sides) in (2, 3):
        return sides[0], sides[1], values // (sides[0] * sides[1])
    if spatial:
        raise ValueError(f"blur, jitter and total_variation need pictures, but inputs have shape {shape}")
    return 1, 1, math.prod(shape)


def _blur_matrix(side: int, sigma: float, dtype: Any) -> Array:
    """Return the blur along an axis as a matrix: columns are the blurred unit vectors."""
    unit = np.eye(side)
    return (gaussian_filter1d(unit, sigma, axis=0, mode="nearest") if sigma else unit).astype(dtype)


class _Search:
    """The search for inputs of a model that excite the last axis of one of its values, as functions of tensors."""

    def __init__(self, model: keras.Model, value: int, picture: tuple[int, int, int]) -> None:
        self.graph, self.value, self.picture = read_graph(model), value, picture
        self.shape, self.dtype = tuple(model.inputs[0].shape), model.inputs[0].dtype

    def compile(self) -> Callable[..., Any]:
        """Compile `run` for any number of inputs."""
        images, targets = tf.TensorSpec(self.shape, self.dtype), tf.TensorSpec((None,), tf.int32)
        numbers, integer = tf.TensorSpec((None,), self.dtype), tf.TensorSpec((), tf.int32)
        blurs = [tf.TensorSpec((side, side), self.dtype) for side in self.picture[:2]]
        return graph_function(self.run, images, targets, numbers, numbers, *blurs, *[integer] * 4)

    def run(
        self,
        images: Any,
        targets: Any,
        strengths: Any,
        limits: Any,
        blur_rows: Any,
        blur_columns: Any,
        every: Any,
        jitter: Any,
        seed: Any,
        steps: Any,
    ) -> tuple[Any, Any]:
        """Search in some steps, with a blur every so many of them; return the inputs found, and what was reached."""
        first, second = tf.zeros_like(images), tf.zeros_like(images)
        history = tf.TensorArray(self.dtype, size=steps + 1, element_shape=(None,))
        for step in tf.range(steps):
            shift = tf.random.stateless_uniform((2,), tf.stack([seed, step]), -jitter, jitter + 1, tf.int32)
            slope, reached = self.gradient(images, targets, strengths, shift)
            history = history.write(step, reached)
            first, second = _MEAN * first + (1 - _MEAN) * slope, _SQUARE * second + (1 - _SQUARE) * slope**2
            images = images + _adam(first, second, step, steps, strengths[0])
            if (step + 1) % every == 0:
                images = self.blurred(images, blur_rows, blur_columns)
            images = tf.ensure_shape(tf.clip_by_value(images, limits[0], limits[1]), self.shape)
        history = history.write(steps, self.excited(images, targets))
        return images, history.stack()

    def gradient(self, images: Any, targets: Any, strengths: Any, shift: Any) -> tuple[Any, Any]:
        """Return the slope of what is maximised, and how far shifted inputs excite their targets."""
        with tf.GradientTape() as tape:
            tape.watch(images)
            seen = tf.reshape(tf.roll(self.pictures(images), shift, (1, 2)), tf.shape(images))
            reached = self.excited(tf.ensure_shape(seen, self.shape), targets)
            gain = tf.reduce_sum(reached) - _penalty(self.pictures(images), targets, strengths)
        return tape.gradient(gain, images), reached

    def excited(self, images: Any, targets: Any) -> Any:
        """Return what the targets say, the mean over all places."""
        said = evaluate(self.graph, self.value, images)
        return tf.gather(tf.reduce_mean(said, axis=list(range(1, len(said.shape) - 1))), targets, batch_dims=1)

    def blurred(self, images: Any, rows: Any, columns: Any) -> Any:
        """Blur inputs along both axes."""
        return tf.reshape(tf.einsum("ij,bjkc,lk->bilc", rows, self.pictures(images), columns), tf.shape(images))

    def pictures(self, images: Any) -> Any:
        """Return inputs as (batch, height, width, channels)."""
        return tf.reshape(images, (-1, *self.picture))


def _adam(first: Any, second: Any, step: Any, steps: Any, rate: Any) -> Any:
    """Return a step of Adam, its rate falling along a cosine."""
    taken, total = tf.cast(step, first.dtype), tf.cast(steps, first.dtype)
    falling = rate * 0.5 * (1 + tf.cos(math.pi * taken / total))
    mean, square = first / (1 - _MEAN ** (taken + 1)), second / (1 - _SQUARE ** (taken + 1))
    return falling * mean / (tf.sqrt(square) + _TINY)


def _penalty(pictures: Any, targets: Any, strengths: Any) -> Any:
    _, l2, total_variation, diversity = tf.unstack(strengths, 4)
    down, right = pictures[:, 1:] - pictures[:, :-1], pictures[:, :, 1:] - pictures[:, :, :-1]
    smooth = tf.reduce_sum(down**2) + tf.reduce_sum(right**2)
    return l2 * tf.reduce_sum(pictures**2) + total_variation * smooth + diversity * _cosines(pictures, targets)


def _cosines(pictures: Any, targets: Any) -> Any:
    """Sum the positive cosines of all pairs with one target: opposites would only be negatives of each other."""
    flat = tf.reshape(pictures, (tf.shape(pictures)[0], -1))
    unit = tf.math.l2_normalize(flat - tf.reduce_mean(flat, axis=1, keepdims=True), axis=1)
    same = tf.cast(targets[:, tf.newaxis] == targets[tf.newaxis], unit.dtype)
    pairs = same - tf.eye(tf.shape(unit)[0], dtype=unit.dtype)
    return tf.reduce_sum(pairs * tf.nn.relu(tf.matmul(unit, unit, transpose_b=True))) / 2
