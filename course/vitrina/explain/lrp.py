"""Layer-wise relevance propagation: the target's logit is handed down, layer by layer, to those who brought it about.

Every rule is the same step with other numbers. A layer's inputs are cut into parts, each with its own weights; a unit k
divides its relevance R_k by the sum z_k of all parts (and the bias), and each input takes back its share::

    R_i = sum over parts p of  p_i * sum_k  w_ik R_k / (z_k + e sign(z_k)),     sign(0) = +1

Bach et al. 2015, doi 10.1371/journal.pone.0130140; rules as in Montavon et al. 2019, doi 10.1007/978-3-030-28954-6_10.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from vitrina.explain.compiling import compiled
from vitrina.explain.request import request
from vitrina.models import Array

_STABILISER = 1e-12
_SUPPORTED = "Dense, Activation, ReLU, LeakyReLU, ELU, Flatten (channels last) and Dropout"
_POINTWISE = (keras.layers.Activation, keras.layers.ReLU, keras.layers.LeakyReLU, keras.layers.ELU)
_MIXING = ("softmax", "log_softmax", "sparsemax", "glu")  # not pointwise: relevance cannot pass unchanged


@dataclass(frozen=True)
class Rule:
    """
    How one Dense layer shares relevance out; made by `epsilon`, `gamma` and `z_box`, or taken as `LRP_0`.

    Attributes
    ----------
    kind
        Which parts the inputs are cut into.
    epsilon
        Added to the denominator with its sign.
    gamma
        Extra weight of what agrees with the sign of the output.
    low, high
        Bounds of the inputs, one for all or one per input.
    """

    kind: Literal["epsilon", "gamma", "z_box"]
    epsilon: float = _STABILISER
    gamma: float = 0.0
    low: tuple[float, ...] = (0.0,)
    high: tuple[float, ...] = (1.0,)


LRP_0 = Rule("epsilon")
"""The basic rule: R_i = sum_k a_i w_ik / z_k R_k, where z includes the bias; the bias's own share is dropped."""


def epsilon(e: float = 1e-6) -> Rule:
    """
    LRP-epsilon: z + e sign(z) in the denominator, so weak and contradictory evidence fades.

    Parameters
    ----------
    e
        Above 0.

    Returns
    -------
    Rule

    Raises
    ------
    ValueError
        If `e` is not above 0.
    """
    if not e > 0:
        raise ValueError(f"epsilon must be above 0, got {e}; without epsilon the rule is LRP_0")
    return Rule("epsilon", epsilon=float(e))


def gamma(g: float = 0.25) -> Rule:
    """
    LRP-gamma, for inputs of any sign: what pushes an output in the direction of its sign counts 1 + g times.

    With x+ = max(x, 0) and x- = min(x, 0), outputs z >= 0 share by (W + g W+) x+ + (W + g W-) x- + b + g b+, outputs
    z < 0 by the mirror image (W + g W-) x+ + (W + g W+) x- + b + g b-. For x >= 0 and z >= 0 this is the rule of
    Montavon et al. 2019.

    Parameters
    ----------
    g
        At least 0; at 0 the rule is LRP_0.

    Returns
    -------
    Rule

    Raises
    ------
    ValueError
        If `g` is below 0.
    """
    if not g >= 0:
        raise ValueError(f"gamma must not be below 0, got {g}")
    return Rule("gamma", gamma=float(g))


def z_box(low: npt.ArrayLike, high: npt.ArrayLike) -> Rule:
    """
    z^B for the layer at the pixels: share by x W - low W+ - high W-, where the bias cancels.

    Montavon et al. 2017, doi 10.1016/j.patcog.2016.11.008, table 1.

    Parameters
    ----------
    low, high : float or array, shape of one sample
        The bounds of the inputs.

    Returns
    -------
    Rule

    Raises
    ------
    ValueError
        If a lower bound is above its upper bound.
    """
    if not np.all(np.asarray(low) <= np.asarray(high)):
        raise ValueError("z_box needs low <= high everywhere")
    lows, highs = (tuple(np.ravel(bound).astype(float).tolist()) for bound in (low, high))
    return Rule("z_box", low=lows, high=highs)


def lrp(
    model: keras.Model,
    inputs: npt.ArrayLike,
    target: int | npt.ArrayLike,
    *,
    rules: Rule | Sequence[Rule] = LRP_0,
) -> Array:
    """
    Layer-wise relevance propagation through a chain of Dense layers.

    Relevance starts as the target's logit, z of the last Dense layer (an activation after it is left out), passes
    activations unchanged and each Dense layer by its rule. A bias takes part in the denominator; its share is dropped.

    Parameters
    ----------
    model
        A built `keras.Sequential` of Dense layers with any pointwise activation, Flatten and Dropout.
    inputs : array, shape (batch, ...)
        The samples to explain.
    target : int or array of ints, shape (batch,)
        The class to explain, one for all samples or one each.
    rules
        One rule for all Dense layers, or one rule per Dense layer from the input up.

    Returns
    -------
    array, shape of inputs
        Relevance of each input value, in the model's type. It adds up to the logit only where no bias, no epsilon and
        no dead unit takes a share.

    Raises
    ------
    ValueError
        If a layer is not supported, or inputs, target or rules do not fit the model.
    """
    stages = _stages(model)
    _, values, targets = request(model, inputs, target)
    chosen = _one_per_layer(rules, stages)
    kinds = tuple(rule.kind for rule in chosen)
    function = compiled(model, ("lrp", kinds), lambda: _compile_lrp(model.inputs[0], stages, kinds))
    settings = [_settings(rule, values.dtype) for rule in chosen]
    return function(tf.constant(values), tf.constant(targets), settings).numpy()


class _Stage(NamedTuple):
    """A Dense layer and what is applied between the Dense layer below and this one."""

    functions: list[Callable[..., Any]]
    dense: Any


def _stages(model: keras.Model) -> list[_Stage]:
    """Read a Sequential model as stages; what comes after the last Dense layer is left out."""
    if not isinstance(model, keras.Sequential) or not model.built:
        raise ValueError(f"lrp explains a built keras.Sequential model, {model.name!r} is not one")
    stages: list[_Stage] = []
    pending: list[tuple[str, Callable[..., Any]]] = []
    flat = len(model.input_shape) == 2
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dense):
            _check_dense(layer, pending, flat)
            stages.append(_Stage([function for _, function in pending], layer))
            pending = [(layer.name, layer.activation)]
        elif not isinstance(layer, keras.layers.Dropout):
            flat = flat or isinstance(layer, keras.layers.Flatten)
            pending.append((layer.name, _unparametrised(layer)))
    if not stages:
        raise ValueError(f"model {model.name!r} has no Dense layer")
    return stages


def _unparametrised(layer: Any) -> Callable[..., Any]:
    """Return the function of a layer that only reshapes or acts on each value."""
    if isinstance(layer, keras.layers.Activation):
        return layer.activation
    flatten = isinstance(layer, keras.layers.Flatten) and layer.data_format == "channels_last"
    if not flatten and not isinstance(layer, (*_POINTWISE, keras.layers.Softmax)):
        kind = type(layer).__name__
        raise ValueError(f"layer {layer.name!r} ({kind}) is not supported; lrp knows {_SUPPORTED}")
    return layer


def _check_dense(layer: Any, below: list[tuple[str, Callable[..., Any]]], flat: bool) -> None:
    """Refuse what would make the relevance below this Dense layer meaningless."""
    if not flat:
        raise ValueError(f"layer {layer.name!r} sees more than one axis of features: put a Flatten before it")
    for name, function in below:
        if isinstance(function, keras.layers.Softmax) or getattr(function, "__name__", "") in _MIXING:
            raise ValueError(f"layer {name!r} mixes units inside the network; lrp needs pointwise activations")


def _one_per_layer(rules: Rule | Sequence[Rule], stages: list[_Stage]) -> list[Rule]:
    """Return one rule per Dense layer, with bounds that fit it."""
    chosen = [rules] * len(stages) if isinstance(rules, Rule) else list(rules)
    if len(chosen) != len(stages) or not all(isinstance(rule, Rule) for rule in chosen):  # pyright: ignore[reportUnnecessaryIsInstance]
        names = [stage.dense.name for stage in stages]
        raise ValueError(f"rules must be one Rule, or one per Dense layer from the input up: {names}")
    for rule, stage in zip(chosen, stages, strict=True):
        features = int(stage.dense.kernel.shape[0])
        if not {len(rule.low), len(rule.high)} <= {1, features}:
            raise ValueError(f"z_box at layer {stage.dense.name!r} needs one bound or {features} bounds")
    return chosen


def _settings(rule: Rule, dtype: np.dtype[Any]) -> dict[str, Any]:
    """Numbers of a rule as tensors: another gamma then needs no new compilation."""
    numbers = {"epsilon": rule.epsilon, "gamma": rule.gamma, "low": rule.low, "high": rule.high}
    return {name: tf.constant(number, dtype) for name, number in numbers.items()}


def _compile_lrp(source: Any, stages: list[_Stage], kinds: tuple[str, ...]) -> Callable[..., Any]:
    scalar, bound = tf.TensorSpec((), source.dtype), tf.TensorSpec((None,), source.dtype)
    settings_spec = [{"epsilon": scalar, "gamma": scalar, "low": bound, "high": bound} for _ in kinds]
    signature = [tf.TensorSpec(source.shape, source.dtype), tf.TensorSpec((None,), tf.int32), settings_spec]

    def relevance_of(values: Any, targets: Any, settings: Any) -> Any:
        passes = _forward(stages, values)
        relevance = passes[-1].z * tf.one_hot(targets, tf.shape(passes[-1].z)[1], dtype=values.dtype)
        for layer, kind, numbers in reversed(list(zip(passes, kinds, settings, strict=True))):
            relevance = _RULES[kind](layer, numbers, relevance)
        return tf.reshape(relevance, tf.shape(values))

    return tf.function(relevance_of, input_signature=signature)


class _Pass(NamedTuple):
    """What one Dense layer saw and gave: z = activations @ weights + bias."""

    activations: Any
    weights: Any
    bias: Any
    z: Any


def _forward(stages: list[_Stage], values: Any) -> list[_Pass]:
    passes: list[_Pass] = []
    for functions, dense in stages:
        for function in functions:
            values = function(values)
        weights = tf.convert_to_tensor(dense.kernel)
        bias = tf.convert_to_tensor(dense.bias) if dense.use_bias else tf.zeros_like(weights[0])
        z = values @ weights + bias
        passes.append(_Pass(values, weights, bias, z))
        values = z
    return passes


def _share(parts: list[tuple[Any, Any]], bias: Any, stabiliser: Any, relevance: Any) -> Any:
    """Divide relevance over the parts, pairs (inputs, weights), whose sum with the bias is the denominator."""
    z = sum(inputs @ weights for inputs, weights in parts) + bias
    s = relevance / (z + tf.where(z >= 0, stabiliser, -stabiliser))
    return sum(inputs * tf.matmul(s, weights, transpose_b=True) for inputs, weights in parts)


def _epsilon_rule(layer: _Pass, numbers: dict[str, Any], relevance: Any) -> Any:
    return _share([(layer.activations, layer.weights)], layer.bias, numbers["epsilon"], relevance)


def _gamma_rule(layer: _Pass, numbers: dict[str, Any], relevance: Any) -> Any:
    x, W, b, g = layer.activations, layer.weights, layer.bias, numbers["gamma"]
    up, down = W + g * tf.nn.relu(W), W - g * tf.nn.relu(-W)  # weights with their positive, negative part raised
    x_plus, x_minus = tf.nn.relu(x), -tf.nn.relu(-x)
    nothing = tf.zeros_like(relevance)
    risen = tf.where(layer.z >= 0, relevance, nothing)
    fallen = tf.where(layer.z >= 0, nothing, relevance)
    above = [(x_plus, up), (x_minus, down)], b + g * tf.nn.relu(b)
    below = [(x_plus, down), (x_minus, up)], b - g * tf.nn.relu(-b)
    return _share(*above, numbers["epsilon"], risen) + _share(*below, numbers["epsilon"], fallen)


def _z_box_rule(layer: _Pass, numbers: dict[str, Any], relevance: Any) -> Any:
    W = layer.weights
    low, high = (numbers[name] + tf.zeros((1, tf.shape(W)[0]), W.dtype) for name in ("low", "high"))
    parts = [(layer.activations, W), (-low, tf.nn.relu(W)), (-high, -tf.nn.relu(-W))]
    return _share(parts, tf.zeros_like(layer.bias), numbers["epsilon"], relevance)


_RULES: dict[str, Callable[..., Any]] = {
    "epsilon": _epsilon_rule,
    "gamma": _gamma_rule,
    "z_box": _z_box_rule,
}
