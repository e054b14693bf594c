"""How the cases of the exercises on gradients are drawn.

Networks with tanh have no kink that a path or a noisy copy could meet; those with ReLU are drawn until every unit keeps
its distance from it, so that float32 answers fall on the same side.
"""

from itertools import pairwise

import numpy as np

from vitrina.values import Array, ModelSpec
from vitrina_autograder.exercise import Draw

from ._drawing import pixels

MARGIN = 0.05


def draw_logits(rng: np.random.Generator) -> list[Draw]:
    axiom = ("changes cancel",)
    near_1000 = 1000 + rng.uniform(-1, 1, (2, 4))
    return [
        Draw("four samples, three classes", (rng.normal(scale=1.5, size=(4, 3)), 0), axiom),
        Draw("another class of five", (rng.normal(scale=1.5, size=(3, 5)), 3), axiom),
        Draw("a batch of one", (rng.normal(scale=1.5, size=(1, 4)), 2), axiom),
        Draw("logits near 1000: exp overflows", (near_1000, 1), axiom),
    ]


def smooth_network(rng: np.random.Generator, *sizes: int) -> ModelSpec:
    """Draw a network with tanh between its layers, steep enough to saturate here and there."""
    weights = [rng.normal(scale=1.2, size=shape) for shape in pairwise(sizes)]
    biases = [rng.normal(scale=0.5, size=size) for size in sizes[1:]]
    return ModelSpec("dense_network", {"weights": weights, "biases": biases, "activation": "tanh"})


def draw_paths(rng: np.random.Generator) -> list[Draw]:
    model, inputs, other = smooth_network(rng, 5, 6, 3), pixels(rng, 3, 5), pixels(rng, 1, 7)
    linear, same = smooth_network(rng, 7, 3), ("same shape",)
    return [
        Draw("three samples, four steps from zero", (model, inputs, 0, np.zeros(5), 4), same),
        Draw("from a baseline that is not zero, another class", (model, inputs, 2, rng.normal(size=5), 3), same),
        Draw("a single step: the middle of the way", (model, inputs[:2], 1, rng.normal(size=5), 1), same),
        Draw("a batch of one, a linear model", (linear, other, 1, rng.normal(size=7), 2), (*same, "completeness")),
    ]


def draw_noise(rng: np.random.Generator) -> list[Draw]:
    model, inputs, same = smooth_network(rng, 5, 6, 3), pixels(rng, 3, 5), ("same shape",)
    return [
        Draw("three samples, four draws", (model, inputs, 0, rng.normal(scale=0.8, size=(4, 3, 5))), same),
        Draw("another class", (model, inputs, 2, rng.normal(scale=0.5, size=(3, 3, 5))), same),
        Draw("a batch of one", (model, inputs[1:2], 1, rng.normal(scale=0.8, size=(5, 1, 5))), same),
        Draw("a single draw", (model, inputs, 1, rng.normal(scale=0.8, size=(1, 3, 5))), same),
    ]


def draw_errors(rng: np.random.Generator) -> list[Draw]:
    """Draw explanations that miss by some way on either side; whole numbers where the error must be exactly 0."""
    complete = rng.integers(-5, 6, (3, 4)).astype(float)
    start = rng.integers(-5, 6, 3).astype(float)
    return [
        Draw("four samples", (rng.normal(size=(4, 6)), rng.normal(size=4), rng.normal(size=4))),
        Draw("explanations of images", (rng.normal(size=(3, 4, 5, 2)), rng.normal(size=3), rng.normal(size=3))),
        Draw("a batch of one", (rng.normal(size=(1, 3)), rng.normal(size=1), rng.normal(size=1) + 2)),
        Draw("complete explanations", (complete, start + complete.sum(axis=1), start), edge=True),
    ]


def draw_relus(rng: np.random.Generator) -> list[Draw]:
    """Draw what enters a ReLU, twice: any two values are either equal or well apart."""

    def pair(*shape: int) -> tuple[Array, Array]:
        z = apart(rng, shape)
        return z, z + apart(rng, shape)

    z, z_reference = pair(3, 6)
    z[:, 1], z[:, 2] = 0.7, -0.7
    z_reference[:, 1:3] = z[:, 1:3]
    below = -np.abs(apart(rng, (2, 5)))
    sign = ("non-negative",)
    return [
        Draw("three samples", pair(3, 8), sign),
        Draw("some units do not differ from their reference", (z, z_reference), sign),
        Draw("all off in the reference", (apart(rng, (2, 5)), below), sign),
        Draw("a batch of one", pair(1, 9), sign),
    ]


def apart(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Draw values of both signs away from 0."""
    return rng.uniform(0.3, 1.5, shape) * rng.choice([-1.0, 1.0], shape)


def draw_references(rng: np.random.Generator) -> list[Draw]:
    inputs, reference = pixels(rng, 3, 5), rng.normal(size=5)
    wide = pixels(rng, 1, 6)
    model = relu_network(rng, (5, 6, 3), inputs, reference)
    plain = relu_network(rng, (6, 6, 5, 3), wide, np.zeros(6), bias=False)
    axioms = ("same shape", "completeness")
    return [
        Draw("three samples, class 0", (model, inputs, 0, reference), axioms),
        Draw("the same samples, another class", (model, inputs, 1, reference), axioms),
        Draw("a batch of one, two hidden layers, no biases, baseline 0", (plain, wide, 2, np.zeros(6)), axioms),
        Draw("the baseline itself: no difference", (model, reference[None], 2, reference), axioms, edge=True),
    ]


def relu_network(
    rng: np.random.Generator, sizes: tuple[int, ...], inputs: Array, reference: Array, *, bias: bool = True
) -> ModelSpec:
    """Draw a ReLU network in which every unit is away from its kink and from what it was for the reference."""
    while True:
        weights = [rng.normal(scale=1.2, size=shape) for shape in pairwise(sizes)]
        biases = [rng.normal(scale=0.7, size=size) * bias for size in sizes[1:]]
        if tells_apart(weights, biases, inputs, reference[None]):
            return ModelSpec("dense_network", {"weights": weights, "biases": biases, "activation": "relu"})


def tells_apart(weights: list[Array], biases: list[Array], inputs: Array, reference: Array) -> bool:
    """Whether units are where float32 finds them too, and every layer lets a difference through."""
    nothing = not np.any(reference) and not any(np.any(bias) for bias in biases)  # its units are exactly at the kink
    for matrix, bias in zip(weights[:-1], biases[:-1], strict=True):
        z, z_reference = inputs @ matrix + bias, reference @ matrix + bias
        near = [np.abs(z), np.abs(z - z_reference), *([] if nothing else [np.abs(z_reference)])]
        inputs, reference = np.maximum(z, 0), np.maximum(z_reference, 0)
        moved = np.any(np.abs(inputs - reference) > MARGIN, axis=1)
        if min(np.min(values) for values in near) < MARGIN or not np.all(moved):
            return False
    return True
