"""Answers to part A that need more than a line: other right ways, and the frame of wrong ones."""

import numpy as np
import tensorflow as tf

from vitrina.models import dense_parameters
from vitrina_solutions.deeplift import rescale_multiplier

from ._answers import plus, slope


def softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def total(attributions):
    return attributions.reshape(len(attributions), -1).sum(axis=1)


def softmax_jacobian(logits, target):
    """Write the whole matrix diag(p) - p pᵀ of each sample and take its row."""
    return np.array([(np.diag(p) - np.outer(p, p))[target] for p in softmax(logits)])


def softmax_tape(logits, target):
    z = tf.Variable(logits)
    with tf.GradientTape() as tape:
        probability = tf.nn.softmax(z)[:, target]
    return tape.gradient(probability, z).numpy()


def path(model, inputs, target, baseline, steps, *, places=lambda n: (np.arange(n) + 0.5) / n, length=np.subtract):
    """Integrated Gradients with one thing done differently."""
    slopes = [slope(model, baseline + place * (inputs - baseline), target) for place in places(steps)]
    return length(inputs, baseline) * np.mean(slopes, axis=0)


def all_at_once(model, inputs, target, baseline, steps):
    """Put all steps of all samples into one batch."""
    places = (np.arange(steps) + 0.5)[:, None, None] / steps
    points = baseline + places * (inputs - baseline)
    slopes = slope(model, points.reshape(-1, inputs.shape[1]), target)
    return (inputs - baseline) * slopes.reshape(points.shape).mean(axis=0)


def batch_of_noise(model, inputs, target, noise, *, of=lambda values: values):
    """Put all noisy copies into one batch."""
    copies = (inputs + noise).reshape(-1, inputs.shape[1])
    return of(slope(model, copies, target)).reshape(noise.shape).mean(axis=0)


def rescale_by_loop(z, z_reference):
    answer = np.empty(z.shape)
    for place in np.ndindex(*z.shape):
        a, b = z[place], z_reference[place]
        answer[place] = (max(a, 0) - max(b, 0)) / (a - b) if abs(a - b) >= 1e-10 else float(a > 0)
    return answer


def multipliers(model, inputs, target, reference, *, forget=""):
    """DeepLIFT's multipliers at the inputs, with one thing forgotten."""
    layers, relus = dense_parameters(model), []
    here, there = inputs, np.tile(reference, (len(inputs), 1))
    for weights, bias in layers[:-1]:
        z, z_reference = here @ weights + bias, there @ weights + bias * (forget != "bias")
        relus.append(rescale_multiplier(z, z_reference))
        here, there = plus(z), plus(z_reference)
    top = layers[-1][0]
    factor = np.tile(top.sum(axis=1) if forget == "target" else top[:, target], (len(inputs), 1))
    for (weights, _), relu in zip(layers[-2::-1], relus[::-1], strict=True):
        factor = (factor * relu) @ weights.T
    return factor


def difference_by_difference(model, inputs, target, reference):
    """Build one matrix from each sample to its logit, from the bottom up."""
    *hidden, (top, _) = dense_parameters(model)
    rows = []
    for row in inputs:
        here, there, whole = row, reference, np.eye(len(row))
        for weights, bias in hidden:
            z, z_reference = here @ weights + bias, there @ weights + bias
            whole = whole @ weights * rescale_multiplier(z, z_reference)
            here, there = plus(z), plus(z_reference)
        rows.append(whole @ top[:, target] * (row - reference))
    return np.array(rows)
