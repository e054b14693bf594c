"""The one step that all rules of LRP share: divide the relevance of the outputs, hand it back along the weights.

Relevance has an axis of targets after the batch, (batch, targets, ...); what a layer saw and gave has none. So one
forward pass serves all targets, and what needs no target is multiplied and divided once for all of them.
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


class Relevance(NamedTuple):
    """
    Relevance as a product that is not multiplied out: what layers above hand down, times what was there to take it.

    Attributes
    ----------
    handed : tensor, shape (batch, targets, ...)
        What differs from target to target.
    taking : tensor, shape (batch, ...)
        What does not, such as the inputs of the layer above; None for 1.
    """

    handed: Any
    taking: Any = None

    def whole(self) -> Any:
        """Multiply out: relevance of shape (batch, targets, ...)."""
        return self.handed if self.taking is None else self.taking[:, tf.newaxis] * self.handed


class Term(NamedTuple):
    """
    A share of relevance that is handed down along some parts of the inputs.

    Attributes
    ----------
    z
        The sum of the parts and the bias, the denominator.
    sign
        +1 or -1 where z is known to have no other sign wherever there is relevance, else 0.
    parts
        Pairs (inputs, weights).
    weight
        How much of the outputs' relevance is shared out: a number, or a tensor of the outputs' shape.
    """

    z: Any
    sign: int
    parts: Sequence[tuple[Any, Any]]
    weight: Any = 1


def share(kind: Kind, seen: Seen, numbers: dict[str, Any], relevance: Relevance) -> Relevance:
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
    relevance
        Of the outputs.

    Returns
    -------
    Relevance
        Of the inputs.
    """
    shares = [
        Relevance(handed, inputs)
        for term in TERMS[kind](seen, numbers)
        for inputs, handed in _handed_down(seen, term, divide(relevance, term.z, numbers["epsilon"], term))
    ]
    return shares[0] if len(shares) == 1 else Relevance(tf.add_n([part.whole() for part in shares]))


def divide(relevance: Relevance, z: Any, stabiliser: Any, term: Term | None = None) -> Any:
    """
    Divide relevance by z (batch, ...), kept away from 0 by the stabiliser.

    Parameters
    ----------
    relevance, z
        Numerator and denominator.
    stabiliser
        Above 0; added with the sign of z, sign(0) = +1.
    term
        Where z is that of a term: its sign, beyond which z is cut off, and its weight.

    Returns
    -------
    tensor, shape (batch, targets, ...)
    """
    sign, weight = (term.sign, term.weight) if term else (0, 1)
    stabiliser = tf.cast(stabiliser, z.dtype)
    if sign > 0:
        denominator = _relu(z) + stabiliser
    elif sign < 0:
        denominator = -(_relu(-z) + stabiliser)
    else:
        denominator = z + tf.where(z >= 0, stabiliser, -stabiliser)
    per_unit = (weight if relevance.taking is None else weight * relevance.taking) / denominator
    return relevance.handed * per_unit[:, tf.newaxis]


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
    place = tf.raw_ops.Empty(shape=tf.concat([[shape[0] * targets], shape[1:]], 0), dtype=values.dtype)  # never read
    return tf.ensure_shape(place, [None, *values.shape[1:]])


def _with_targets(values: Any, targets: int) -> Any:
    shape = tf.concat([[-1, targets], tf.shape(values)[1:]], 0)
    return tf.ensure_shape(tf.reshape(values, shape), [None, targets, *values.shape[1:]])


def _handed_down(seen: Seen, term: Term, divided: Any) -> list[tuple[Any, Any]]:
    """Return the inputs of each part and what is handed to them along its weights."""

    def along(weights: Any) -> Any:
        def op(x: Any) -> Any:
            return seen.op(x, weights)

        return transposed(op, [seen.x], divided)[0]

    return [(inputs, along(weights)) for inputs, weights in term.parts]


def _plus(values: Any) -> Any:
    return _relu(values)


def _minus(values: Any) -> Any:
    return -_relu(-values)


def _add(z: Any, bias: Any) -> Any:
    return z if bias is None else z + bias


def _epsilon(seen: Seen, numbers: dict[str, Any]) -> list[Term]:
    del numbers
    sign = 1 if seen.positive_only and seen.b is not None else 0
    return [Term(_add(seen.product, seen.b), sign, [(seen.x, seen.W)])]


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


def _z_plus(seen: Seen, numbers: dict[str, Any]) -> list[Term]:
    del numbers
    parts = _for_and_against(seen, _plus(seen.W), _minus(seen.W))
    return [Term(_sum(seen, parts, None if seen.b is None else _plus(seen.b)), 1, parts)]


def _alpha_beta(seen: Seen, numbers: dict[str, Any]) -> list[Term]:
    (term,) = _z_plus(seen, numbers)
    against = _for_and_against(seen, _minus(seen.W), _plus(seen.W))
    # Not as z - z+: where little speaks against, the difference would be rounding.
    z_minus = _sum(seen, against, None if seen.b is None else _minus(seen.b))
    return [term._replace(weight=numbers["alpha"]), Term(z_minus, -1, against, -numbers["beta"])]


def _gamma(seen: Seen, numbers: dict[str, Any]) -> list[Term]:
    g, z = numbers["gamma"], _add(seen.product, seen.b)
    (term,) = _z_plus(seen, numbers)
    rise, fall = seen.W + g * _plus(seen.W), seen.W + g * _minus(seen.W)
    risen, above = z + g * term.z, _for_and_against(seen, rise, fall)
    if seen.positive_only and seen.b is not None:
        return [Term(risen, 1, above)]
    fallen, below = z + g * (z - term.z), _for_and_against(seen, fall, rise)
    up = tf.cast(seen.z >= 0, z.dtype)
    return [Term(risen, 0, above, up), Term(fallen, 0, below, 1 - up)]


def _z_box(seen: Seen, numbers: dict[str, Any]) -> list[Term]:
    # x W - l W+ - h W- with W = W+ + W- is (x - h) W + (h - l) W+: two parts, and the bounds are those of all samples
    one_sample = tf.zeros_like(seen.x[:1])
    low, high = one_sample + numbers["low"], one_sample + numbers["high"]
    z = seen.product - seen.op(low, _plus(seen.W)) - seen.op(high, _minus(seen.W))
    return [Term(z, 0, [(seen.x - high, seen.W), (high - low, _plus(seen.W))])]


def _w_square(seen: Seen, numbers: dict[str, Any]) -> list[Term]:
    del numbers
    squares, one = seen.W**2, tf.ones_like(seen.x[:1])
    return [Term(_sum(seen, [(one, squares)], None if seen.b is None else seen.b**2), 1, [(one, squares)])]


def _flat(seen: Seen, numbers: dict[str, Any]) -> list[Term]:
    del numbers
    part = (tf.ones_like(seen.x[:1]), tf.ones_like(seen.W))
    return [Term(seen.op(*part), 1, [part])]


TERMS: dict[Kind, Callable[[Seen, dict[str, Any]], list[Term]]] = {
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
