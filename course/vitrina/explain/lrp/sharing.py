"""The one step that all rules of LRP share: divide the relevance of the outputs, hand it back along the weights.

Relevance has an axis of targets after the batch, (batch, targets, ...); what a layer saw and gave has none. So one
forward pass serves all targets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from vitrina.explain.lrp.rules import Kind

_relu = tf.nn.relu


class Seen(NamedTuple):
    """
    What one linear layer z = op(x, W) + b saw and gave.

    Attributes
    ----------
    op
        Linear in x and in W.
    x, W, b
        Inputs, weights and bias; b is None where there is none, or where it shall leave every denominator.
    product
        op(x, W).
    z
        The output, with the layer's bias whatever b is.
    nonnegative
        Whether no input can be below 0, as after a ReLU.
    positive_only
        Whether relevance can only be where z > 0, as below a ReLU.
    """

    op: Callable[[Any, Any], Any]
    x: Any
    W: Any
    b: Any
    product: Any
    z: Any
    nonnegative: bool
    positive_only: bool


class Term(NamedTuple):
    """
    A share of relevance that is handed down along some parts of the inputs.

    Attributes
    ----------
    relevance
        What is shared out.
    z
        The sum of the parts and the bias, the denominator.
    sign
        +1 or -1 where z is known to have no other sign wherever there is relevance, else 0.
    parts
        Pairs (inputs, weights).
    """

    relevance: Any
    z: Any
    sign: int
    parts: Sequence[tuple[Any, Any]]


def share(kind: Kind, seen: Seen, numbers: dict[str, Any], relevance: Any) -> Any:
    """
    Hand relevance of a linear layer's outputs down to its inputs.

    Parameters
    ----------
    kind
        The rule.
    seen
        The layer.
    numbers
        Tensors with the names of the rule's attributes.
    relevance : tensor, shape (batch, targets, outputs...)
        Of the outputs.

    Returns
    -------
    tensor, shape (batch, targets, inputs...)
    """
    total: Any = None
    for term in TERMS[kind](seen, numbers, relevance):
        divided = divide(term.relevance, term.z, numbers["epsilon"], term.sign)
        for inputs, handed in _handed_down(seen, term.parts, divided):
            part = inputs[:, tf.newaxis] * handed
            total = part if total is None else total + part
    return total


def divide(relevance: Any, z: Any, stabiliser: Any, sign: int = 0) -> Any:
    """
    Divide relevance (batch, targets, ...) by z (batch, ...), kept away from 0 by the stabiliser.

    Parameters
    ----------
    relevance, z
        Numerator and denominator.
    stabiliser
        Above 0; added with the sign of z, sign(0) = +1.
    sign
        +1 or -1 where z can have no other sign wherever there is relevance: the other sign is then cut off.

    Returns
    -------
    tensor, shape of relevance
    """
    stabiliser = tf.cast(stabiliser, z.dtype)
    if sign > 0:
        denominator = _relu(z) + stabiliser
    elif sign < 0:
        denominator = -(_relu(-z) + stabiliser)
    else:
        denominator = z + tf.where(z >= 0, stabiliser, -stabiliser)
    return relevance / denominator[:, tf.newaxis]


def transposed(call: Callable[..., Any], inputs: Sequence[Any], outputs: Any, *, linear: bool = True) -> list[Any]:
    """
    Apply the transpose of a map: the gradient of its output, weighted by `outputs`, with respect to its inputs.

    Parameters
    ----------
    call
        The map.
    inputs : tensors, shape (batch, ...)
        Where it is differentiated.
    outputs : tensor, shape (batch, targets, ...)
        Values at the outputs of the map.
    linear
        Whether only the shapes of the inputs matter.

    Returns
    -------
    list of tensors, shape (batch, targets, ...)
        Values at each of its inputs.
    """
    targets = outputs.shape[1]
    # Copies: where one value is taken twice, each place has a share of its own.
    inputs = [tf.identity(values) if targets == 1 else _for_each_target(values, targets, linear) for values in inputs]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        result = call(*inputs)  # of a linear map, not computed: its gradient does not ask for it
    merged = tf.reshape(outputs, tf.concat([[-1], tf.shape(outputs)[2:]], 0))
    gradients = tape.gradient(
        result,
        list(inputs),
        output_gradients=tf.ensure_shape(merged, result.shape),
        unconnected_gradients=tf.UnconnectedGradients.ZERO,  # x + x by an operator: one of the two has it all
    )
    return [_with_targets(gradient, targets) for gradient in gradients]


def _for_each_target(values: Any, targets: int, linear: bool) -> Any:
    if not linear:
        return tf.repeat(values, targets, axis=0)
    shape = tf.shape(values)
    zeros = tf.zeros(tf.concat([[shape[0] * targets], shape[1:]], 0), values.dtype)
    return tf.ensure_shape(zeros, [None, *values.shape[1:]])


def _with_targets(values: Any, targets: int) -> Any:
    shape = tf.concat([[-1, targets], tf.shape(values)[1:]], 0)
    return tf.ensure_shape(tf.reshape(values, shape), [None, targets, *values.shape[1:]])


def _handed_down(seen: Seen, parts: Sequence[tuple[Any, Any]], divided: Any) -> list[tuple[Any, Any]]:
    """Return the inputs of each part and what is handed to them along its weights."""

    def along(weights: Any) -> Any:
        def op(x: Any) -> Any:
            return seen.op(x, weights)

        return transposed(op, [seen.x], divided)[0]

    return [(inputs, along(weights)) for inputs, weights in parts]


def _plus(values: Any) -> Any:
    return _relu(values)


def _minus(values: Any) -> Any:
    return -_relu(-values)


def _add(z: Any, bias: Any) -> Any:
    return z if bias is None else z + bias


def _epsilon(seen: Seen, numbers: dict[str, Any], relevance: Any) -> list[Term]:
    del numbers
    sign = 1 if seen.positive_only and seen.b is not None else 0
    return [Term(relevance, _add(seen.product, seen.b), sign, [(seen.x, seen.W)])]


def _for_and_against(seen: Seen, upper: Any, lower: Any) -> list[tuple[Any, Any]]:
    """Cut the inputs by sign: x+ has the weights `upper`, x- has the weights `lower`."""
    if seen.nonnegative:
        return [(seen.x, upper)]
    return [(_plus(seen.x), upper), (_minus(seen.x), lower)]


def _sum(seen: Seen, parts: Sequence[tuple[Any, Any]], bias: Any) -> Any:
    z = seen.op(*parts[0])
    for part in parts[1:]:
        z = z + seen.op(*part)
    return _add(z, bias)


def _z_plus(seen: Seen, numbers: dict[str, Any], relevance: Any) -> list[Term]:
    del numbers
    parts = _for_and_against(seen, _plus(seen.W), _minus(seen.W))
    return [Term(relevance, _sum(seen, parts, None if seen.b is None else _plus(seen.b)), 1, parts)]


def _alpha_beta(seen: Seen, numbers: dict[str, Any], relevance: Any) -> list[Term]:
    against = _for_and_against(seen, _minus(seen.W), _plus(seen.W))
    z_minus = _sum(seen, against, None if seen.b is None else _minus(seen.b))
    (term,) = _z_plus(seen, numbers, numbers["alpha"] * relevance)
    return [term, Term(-numbers["beta"] * relevance, z_minus, -1, against)]


def _gamma(seen: Seen, numbers: dict[str, Any], relevance: Any) -> list[Term]:
    g, z = numbers["gamma"], _add(seen.product, seen.b)
    (term,) = _z_plus(seen, numbers, relevance)
    rise, fall = seen.W + g * _plus(seen.W), seen.W + g * _minus(seen.W)
    risen, above = z + g * term.z, _for_and_against(seen, rise, fall)
    if seen.positive_only and seen.b is not None:
        return [Term(relevance, risen, 1, above)]
    up = (seen.z >= 0)[:, tf.newaxis]
    nothing = tf.zeros_like(relevance)
    fallen = z + g * (z - term.z)
    return [
        Term(tf.where(up, relevance, nothing), risen, 0, above),
        Term(tf.where(up, nothing, relevance), fallen, 0, _for_and_against(seen, fall, rise)),
    ]


def _z_box(seen: Seen, numbers: dict[str, Any], relevance: Any) -> list[Term]:
    # x W - l W+ - h W- with W = W+ + W- is (x - h) W + (h - l) W+: two parts, and the bounds are those of all samples
    one_sample = tf.zeros_like(seen.x[:1])
    low, high = one_sample + numbers["low"], one_sample + numbers["high"]
    z = seen.product - seen.op(low, _plus(seen.W)) - seen.op(high, _minus(seen.W))
    return [Term(relevance, z, 0, [(seen.x - high, seen.W), (high - low, _plus(seen.W))])]


def _w_square(seen: Seen, numbers: dict[str, Any], relevance: Any) -> list[Term]:
    del numbers
    squares, one = seen.W**2, tf.ones_like(seen.x[:1])
    return [Term(relevance, _sum(seen, [(one, squares)], None if seen.b is None else seen.b**2), 1, [(one, squares)])]


def _flat(seen: Seen, numbers: dict[str, Any], relevance: Any) -> list[Term]:
    del numbers
    part = (tf.ones_like(seen.x[:1]), tf.ones_like(seen.W))
    return [Term(relevance, seen.op(*part), 1, [part])]


TERMS: dict[Kind, Callable[[Seen, dict[str, Any], Any], list[Term]]] = {
    "epsilon": _epsilon,
    "gamma": _gamma,
    "alpha_beta": _alpha_beta,
    "z_plus": _z_plus,
    "z_box": _z_box,
    "w_square": _w_square,
    "flat": _flat,
}
"""How each rule cuts a layer's inputs into parts."""
MULTIPLICATIVE: frozenset[Kind] = frozenset({"epsilon", "gamma", "alpha_beta", "z_plus"})
"""Rules by which an input that is 0 receives nothing."""
