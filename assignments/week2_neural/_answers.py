"""Answers that students give to this week's exercises: other right ways, and wrong ones that need more than a line."""

import numpy as np
import tensorflow as tf

from vitrina.models import dense_parameters
from vitrina.values import Array

FIRST_SAMPLE_ONLY = "Explain every sample of the batch, not only the first, and keep the batch axis."
IN_PLACE = "The numbers are right, but you wrote into an array that belongs to the caller."
NO_STABILISER = "A dead unit has z = 0. Your division needs a stabiliser there, with sign(0) = +1 (np.sign(0) is 0)."


def gradient(pick, model, inputs):
    """Gradient of what `pick` takes of the logits."""
    x = tf.convert_to_tensor(inputs)
    with tf.GradientTape() as tape:
        tape.watch(x)
        picked = pick(model(x))
    return tape.gradient(picked, x).numpy()


def slope(model, inputs, target):
    return gradient(lambda logits: logits[:, target], model, inputs)


def jacobian(model, inputs, target):
    x = tf.convert_to_tensor(inputs)
    with tf.GradientTape() as tape:
        tape.watch(x)
        logits = model(x)
    return tape.batch_jacobian(logits, x).numpy()[:, target]


def chain_rule(model, inputs, target):
    """Backpropagate by hand, in NumPy."""
    layers, activations = dense_parameters(model), [inputs]
    for weights, bias in layers[:-1]:
        activations.append(np.maximum(activations[-1] @ weights + bias, 0))
    slope = np.tile(layers[-1][0][:, target], (len(inputs), 1))
    for (weights, _), leaving in zip(layers[-2::-1], activations[:0:-1], strict=True):
        slope = (slope * (leaving > 0)) @ weights.T
    return slope


def one_by_one(function):
    """Explain each sample alone."""
    return lambda model, inputs, *rest: np.concatenate([function(model, row[None], *rest) for row in inputs])


def in_float32(function):
    def compute(*arguments):
        return function(*(a.astype(np.float32) if isinstance(a, np.ndarray) else a for a in arguments))

    return compute


def safe(z: Array, size: float = 1e-12) -> Array:
    return z + size * np.where(z < 0, -1, 1)


def hand_down(activations: Array, weights: Array, z: Array, relevance: Array) -> Array:
    return np.einsum("bi,io,bo->bi", activations, weights, relevance / z)


def loops(activations, weights, bias, relevance, epsilon=1e-12, gamma=0.0):
    """Write all three rules as their formula reads, one contribution at a time."""
    answer = np.zeros_like(activations)
    boosted, shift = weights + gamma * np.maximum(weights, 0), bias + gamma * np.maximum(bias, 0)
    for sample, unit in np.ndindex(*relevance.shape):
        contributions = activations[sample] * boosted[:, unit]
        z = contributions.sum() + shift[unit]
        answer[sample] += contributions / (z + (epsilon if z >= 0 else -epsilon)) * relevance[sample, unit]
    return answer


def four_steps(activations, weights, bias, relevance):
    """LRP-0 by automatic differentiation (Montavon et al. 2019, section 10.3)."""
    a = tf.convert_to_tensor(activations)
    with tf.GradientTape() as tape:
        tape.watch(a)
        z = tf.matmul(a, weights) + bias
        s = tf.stop_gradient(relevance / (z + tf.cast(tf.where(z >= 0, 1e-9, -1e-9), z.dtype)))
        total = tf.reduce_sum(z * s)
    return activations * tape.gradient(total, a).numpy()


def lrp_0_in_place(activations, weights, bias, relevance):
    relevance /= safe(activations @ weights + bias)
    return activations * (relevance @ weights.T)


def lrp_0_bias_spread(activations, weights, bias, relevance):
    z = safe(activations @ weights + bias)
    spread = (bias / z * relevance).sum(axis=1, keepdims=True) / len(weights)
    return hand_down(activations, weights, z, relevance) + spread


def gradient_in_place(model, inputs, target):
    inputs *= slope(model, inputs, target)
    return inputs


def propagate(model, inputs, target, *, seed=None, hidden=lambda z: np.maximum(z, 0), top=lambda z: z, biased=True):
    """LRP-0 through a network with one thing done differently."""
    layers, activations = dense_parameters(model), [inputs]
    for weights, bias in layers:
        activations.append(hidden(activations[-1] @ weights + bias))
    logits = top(activations[-2] @ layers[-1][0] + layers[-1][1])
    relevance = seed(logits) if seed else np.eye(logits.shape[1])[target] * logits
    for (weights, bias), entering in zip(layers[::-1], activations[-2::-1], strict=True):
        relevance = hand_down(entering, weights, safe(entering @ weights + bias * biased), relevance)
    return relevance


def zb(inputs, weights, relevance, low, high, *, l_part, h_part):
    """z^B with other ideas of what a pixel at its bounds contributes."""
    q = inputs[:, :, None] * weights - l_part(low, weights) - h_part(high, weights)
    return (q / safe(q.sum(axis=1, keepdims=True)) * relevance[:, None]).sum(axis=2)


def plus(values: Array) -> Array:
    return np.maximum(values, 0)


def minus(values: Array) -> Array:
    return np.minimum(values, 0)


def right_zb(inputs, weights, relevance, low, high):
    parts = {"l_part": lambda low, w: low * plus(w), "h_part": lambda high, w: high * minus(w)}
    return zb(inputs, weights, relevance, low, high, **parts)


def zb_without_bounds_in_z(inputs, weights, relevance, low, high):
    q = inputs[:, :, None] * weights - low * plus(weights) - high * minus(weights)
    return (q / safe(inputs @ weights)[:, None] * relevance[:, None]).sum(axis=2)
