"""DeepLIFT with the Rescale rule: what makes the target's logit differ from that of a reference.

The rule of each layer is in `rescale` and `rescale_recurrent`; here a model is run forward, its rules are chained
backward, and pairs of sample and reference are taken in chunks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from vitrina.explain.compiling import chunk_size, compiled, graph_function, slices
from vitrina.explain.graph import Graph, Step, read_graph
from vitrina.explain.request import Request, Target, background_values, baseline_values, request
from vitrina.explain.rescale import Pairs, Pullback, Side, affine, global_maximum, pointwise, product, window_maximum
from vitrina.explain.rescale_recurrent import RECURRENT, recurrent, run
from vitrina.models import Array

_layers = keras.layers
_AFFINE_LAYERS = (
    *(_layers.Dense, _layers.EinsumDense, _layers.Conv1D, _layers.Conv2D, _layers.Conv3D),
    *(_layers.Conv1DTranspose, _layers.Conv2DTranspose, _layers.Conv3DTranspose),
    *(_layers.DepthwiseConv1D, _layers.DepthwiseConv2D, _layers.SeparableConv1D, _layers.SeparableConv2D),
    *(_layers.BatchNormalization, _layers.Rescaling, _layers.Normalization),
    *(_layers.AveragePooling1D, _layers.AveragePooling2D, _layers.AveragePooling3D),
    *(_layers.GlobalAveragePooling1D, _layers.GlobalAveragePooling2D, _layers.GlobalAveragePooling3D),
    *(_layers.Add, _layers.Subtract, _layers.Average, _layers.Concatenate),
    *(_layers.Flatten, _layers.Reshape, _layers.Permute, _layers.RepeatVector),
    *(_layers.ZeroPadding1D, _layers.ZeroPadding2D, _layers.ZeroPadding3D),
    *(_layers.Cropping1D, _layers.Cropping2D, _layers.Cropping3D),
    *(_layers.UpSampling1D, _layers.UpSampling2D, _layers.UpSampling3D),
)
_AFFINE_OPERATIONS = {
    *("Add", "Subtract", "Negative", "Sum", "Mean", "Concatenate", "Reshape", "Transpose", "Squeeze", "ExpandDims"),
    *("GetItem", "Pad", "Flip"),
}
_WINDOWS = (_layers.MaxPooling1D, _layers.MaxPooling2D, _layers.MaxPooling3D)
_GLOBAL_MAXIMA = (_layers.GlobalMaxPooling1D, _layers.GlobalMaxPooling2D, _layers.GlobalMaxPooling3D)
_SUPPORTED = (
    "Dense, convolution (also depthwise, separable, transposed), average, maximum and global pooling, "
    "BatchNormalization, Rescaling, Normalization, Add, Subtract, Average, Multiply, Concatenate, Flatten, Reshape, "
    "Permute, RepeatVector, padding, cropping, upsampling, Dropout, pointwise activations, SimpleRNN, LSTM and GRU"
)
Rule = Callable[[Step, Side, Side, Pairs], Pullback]


def deeplift(
    model: keras.Model,
    inputs: npt.ArrayLike,
    target: Target,
    *,
    baseline: npt.ArrayLike = 0.0,
    background: npt.ArrayLike | None = None,
) -> Array:
    """
    DeepLIFT with the Rescale rule (Shrikumar et al. 2017, arXiv 1704.02685, section 3.5.1).

    Where a gradient asks how the logit would move, a multiplier divides what did change: (y - y0) / (x - x0) at each
    activation, between the sample and a reference. So a saturated unit still passes on what it owes to its inputs, and
    attributions add up to f_c(x) - f_c(x0). Over a background they are the mean over its references, as in DeepSHAP
    (Lundberg and Lee 2017, arXiv 1705.07874), and add up to f_c(x) less the mean of f_c over the background.

    Products of two changing values, as in the gates of LSTM and GRU, are split evenly, which keeps the sum exact.

    Parameters
    ----------
    model
        A built Sequential or functional classifier that returns logits (batch, classes).
    inputs : array, shape (batch, ...)
        The samples to explain.
    target : int or array of ints, shape (batch,) or (batch, k)
        The class to explain, one for all samples, one each or k each.
    baseline : number, or array of the shape of one sample or of inputs
        The reference, one for all samples or one each; not used where there is a background.
    background : array, shape (references, ...)
        References that each sample is compared with.

    Returns
    -------
    array, shape of inputs, with an axis k after the batch if target has one
        Signed, in the model's type.

    Raises
    ------
    ValueError
        If inputs, target or references do not fit the model, or a layer has no rule.

    Warns
    -----
    UserWarning
        If the model ends in a softmax or sigmoid: the logits before it are explained.

    Notes
    -----
    Activations use the gradient where |x - x0| is below 1e-10 (1e-6 in single precision): there the quotient is noise.
    """
    asked = request(model, inputs, target)
    references, each = _references(asked, baseline, background)
    forward = compiled(asked.model, "deeplift forward", lambda: _compile_forward(asked.model))
    key = ("deeplift", asked.columns.shape[1], each)
    backward = compiled(asked.model, key, lambda: _compile_backward(asked, forward, each))
    sums = asked.zeros()
    for some, others in _chunks(asked.inputs, len(references), each):
        there = forward(tf.constant(references[others]))
        for piece in some:
            here = forward(tf.constant(asked.inputs[piece]))
            sums[piece] += backward(here, there, tf.constant(asked.columns[piece])).numpy()
    return asked.as_asked(sums if each else sums / len(references))


def _references(asked: Request, baseline: npt.ArrayLike, background: npt.ArrayLike | None) -> tuple[Array, bool]:
    """Return the references, and whether they are one for each sample."""
    if background is not None:
        return background_values(asked.model, background), False
    values = baseline_values(baseline, asked.inputs)
    if np.ndim(baseline) < values.ndim:
        one = np.broadcast_to(np.asarray(baseline, values.dtype), values.shape[1:])
        return one[np.newaxis], False
    return values, True


def _chunks(inputs: Array, references: int, each: bool) -> list[tuple[list[slice], slice]]:
    """Cut samples x references into chunks of pairs, a list of slices of samples for each slice of references."""
    size = chunk_size(inputs)
    if each:
        return [([piece], piece) for piece in slices(len(inputs), size)]
    at_once = max(1, size // min(size, references))
    return [(slices(len(inputs), at_once), others) for others in slices(references, size)]


class _Pass(NamedTuple):
    """All values of a model's graph, by number, and what recurrent steps remember, by step."""

    values: list[Any]
    records: list[Any]


def _compile_forward(model: keras.Model) -> Callable[..., Any]:
    graph = read_graph(model)
    for step in graph.steps:
        _rule(step)  # refuses what has none

    def forward(values: Any) -> _Pass:
        passed = _Pass([values], [])
        for step in graph.steps:
            taken = [passed.values[number] for number in step.inputs]
            recurs = isinstance(step.operation, RECURRENT)
            output, record = run(step.operation, *taken) if recurs else (step.call(*taken), {})
            passed.values.append(output)
            passed.records.append(record)
        return passed

    return graph_function(forward, tf.TensorSpec(model.inputs[0].shape, model.inputs[0].dtype))


def _compile_backward(asked: Request, forward: Any, each: bool) -> Callable[..., Any]:
    """Contributions of samples, summed over references: (samples, k, ...)."""
    graph, count, pairs = read_graph(asked.model), asked.columns.shape[1], Pairs(each)
    classes = asked.model.output_shape[1]
    passed = forward.get_concrete_function().structured_outputs
    specification = tf.nest.map_structure(_like, passed)

    def backward(here: _Pass, there: _Pass, targets: Any) -> Any:
        x, x0 = pairs.meet(here.values[0], there.values[0])
        difference = x - x0
        owners = tf.repeat(targets, tf.shape(difference)[1], axis=0)
        pullbacks = _pullbacks(graph, here, there, pairs)

        def contributions(column: int) -> Any:
            start = tf.one_hot(owners[:, column], classes, dtype=difference.dtype)
            multipliers = tf.reshape(_chain(graph, pullbacks, start), tf.shape(difference))
            return tf.reduce_sum(multipliers * difference, axis=1)

        return tf.stack([contributions(column) for column in range(count)], axis=1)

    return graph_function(backward, specification, specification, tf.TensorSpec((None, count), tf.int32))


def _like(tensor: Any) -> Any:
    return tf.TensorSpec(tensor.shape, tensor.dtype)


def _pullbacks(graph: Graph, here: _Pass, there: _Pass, pairs: Pairs) -> list[Pullback]:
    """Prepare each step for these samples and references, once for all targets."""

    def side(passed: _Pass, number: int, step: Step) -> Side:
        taken = tuple(passed.values[index] for index in step.inputs)
        return Side(taken, passed.values[step.output], passed.records[number])

    return [
        _rule(step)(step, side(here, number, step), side(there, number, step), pairs)
        for number, step in enumerate(graph.steps)
    ]


def _chain(graph: Graph, pullbacks: list[Pullback], start: Any) -> Any:
    """Hand multipliers from the output down to the input; where ways meet they add up."""
    found: dict[int, Any] = {graph.output: start}
    for step, pull in zip(reversed(graph.steps), reversed(pullbacks), strict=True):
        if step.output in found:
            for number, given in zip(step.inputs, pull(found.pop(step.output)), strict=True):
                found[number] = found[number] + given if number in found else given
    return found[0]


def _rule(step: Step) -> Rule:
    """Find the rule of a step, or say that there is none."""
    operation, kind = step.operation, type(step.operation).__name__
    if isinstance(operation, _AFFINE_LAYERS) or kind in _AFFINE_OPERATIONS:
        return affine
    if step.pointwise:
        return pointwise
    if isinstance(operation, _layers.Multiply) or kind == "Multiply":
        return product if len(step.inputs) > 1 else affine  # by a constant
    if isinstance(operation, _WINDOWS):
        return window_maximum
    if isinstance(operation, _GLOBAL_MAXIMA) and operation.data_format == "channels_last":
        return global_maximum
    if isinstance(operation, RECURRENT) and len(step.inputs) == 1 and not operation.stateful:
        return recurrent
    raise ValueError(f"layer {step.name!r} ({kind}) has no DeepLIFT rule; there are rules for {_SUPPORTED}")
