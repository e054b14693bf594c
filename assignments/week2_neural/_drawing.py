"""How the cases of this week's exercises are drawn from a random generator.

Students may compute in float32 and may keep divisions finite in their own way (1e-12, 1e-9, `np.where`), so every
denominator is drawn away from 0 (`MARGIN`), but for the dead unit, whose contributions are all exactly 0.
"""

import numpy as np

from vitrina.values import Array, ModelSpec
from vitrina_autograder.exercise import Draw

MARGIN = 0.3  # a stabiliser of 1e-9 moves an answer by 3e-9, float32 by about 1e-6: far below the tolerance of 1e-4


def columns(
    rng: np.random.Generator, activations: Array, bias: Array, *, positive: bool = False, mean: float = 0.0
) -> Array:
    """Draw weights column by column until each unit's z keeps its distance from 0 (or lies above it) on every row."""
    columns: list[Array] = []
    while len(columns) < len(bias):
        column = rng.normal(mean, 1.5, activations.shape[1])
        z = activations @ column + bias[len(columns)]
        if np.min(z if positive else np.abs(z)) > MARGIN:
            columns.append(column)
    return np.stack(columns, axis=1)


def layer(rng: np.random.Generator, shape: tuple[int, int, int], *, bias: bool = True, positive: bool = False):
    """Draw a layer of shape (batch, n_in, n_out): activations with one unit off, weights, bias, relevance."""
    batch, n_in, n_out = shape
    activations = rng.uniform(0.2, 1.5, (batch, n_in))
    activations[np.arange(batch), rng.integers(n_in, size=batch)] = 0
    biases = rng.normal(size=n_out) if bias else np.zeros(n_out)
    weights = columns(rng, activations, biases, positive=positive)
    return activations, weights, biases, rng.normal(size=(batch, n_out))


def dead_unit(activations: Array, weights: Array, bias: Array, relevance: Array) -> tuple[Array, ...]:
    """Cut the first unit off: all its contributions, and its z, are exactly 0."""
    weights, bias = weights.copy(), bias.copy()
    weights[:, 0] = bias[0] = 0
    return activations, weights, bias, relevance


def network(rng: np.random.Generator, sizes: tuple[int, ...], inputs: Array, *, bias: bool = True) -> ModelSpec:
    """Draw a ReLU network whose units keep their distance from the kink on all the inputs; class 1 always loses."""
    weights: list[Array] = []
    biases: list[Array] = []
    z = inputs
    for n_out in sizes[1:]:
        entering = np.maximum(z, 0) if weights else inputs
        biases.append(rng.normal(scale=0.7, size=n_out) if bias else np.zeros(n_out))
        weights.append(live_columns(rng, entering, biases[-1]))
        z = entering @ weights[-1] + biases[-1]
    if bias:
        biases[-1][1] -= np.max(z[:, 1]) + 1
    return ModelSpec("dense_network", {"weights": weights, "biases": biases, "activation": "relu"})


def live_columns(rng: np.random.Generator, activations: Array, bias: Array) -> Array:
    """Draw weights that leave at least one unit on for every row, else the layer above has nothing to explain."""
    while True:
        weights = columns(rng, activations, bias)
        if np.all(np.any(activations @ weights + bias > 0, axis=1)):
            return weights


def pixels(rng: np.random.Generator, batch: int, features: int) -> Array:
    """Draw inputs of both signs with one pixel of each sample exactly 0."""
    inputs = rng.uniform(0.3, 1.5, (batch, features)) * rng.choice([-1.0, 1.0], (batch, features))
    inputs[np.arange(batch), rng.integers(features, size=batch)] = 0
    return inputs


def draw_network(*properties: str, complete: bool):
    """Return the drawing of the exercises on `(model, inputs, target)`; `complete` asks for the sum of a sample."""

    def draw(rng: np.random.Generator) -> list[Draw]:
        inputs, wide = pixels(rng, 4, 6), pixels(rng, 1, 9)
        model, plain = network(rng, (6, 5, 3), inputs), network(rng, (9, 6, 5, 4), wide, bias=False)
        total = (*properties, "completeness") if complete else properties
        return [
            Draw("four samples, class 0", (model, inputs, 0), properties),
            Draw("the same samples, another class: its logits are negative", (model, inputs, 1), properties),
            Draw("a batch of one, two hidden layers, no biases", (plain, wide, 3), total),
            Draw("the input is all zeros, the network has biases", (model, np.zeros((2, 6)), 0), properties, edge=True),
        ]

    return draw


def draw_layer(*extra: tuple[float, ...], conserves: bool, positive: bool = False):
    """Return the drawing of the exercises on one layer; `extra` holds the values of the rule's last argument."""

    def draw(rng: np.random.Generator) -> list[Draw]:
        shape, off = ("same shape",), ("same shape", "zero activation gets nothing")
        last = [*extra, *[extra[-1]] * 5] if extra else [()] * 6
        no_bias = layer(rng, (3, 6, 4), bias=False, positive=positive)
        dead = dead_unit(*layer(rng, (2, 5, 3), positive=positive))
        return [
            Draw("three samples, no bias", (*no_bias, *last[0]), (*off, "conservation") if conserves else off),
            Draw("with a bias", (*layer(rng, (2, 6, 4), positive=positive), *last[1]), off),
            Draw("a batch of one", (*layer(rng, (1, 7, 3), positive=positive), *last[2]), off),
            Draw("as many outputs as inputs", (*layer(rng, (2, 5, 5), positive=positive), *last[3]), off),
            Draw("a dead unit: all its contributions are 0", (*dead, *last[4]), shape),
            Draw("more units", (*layer(rng, (2, 24, 16), positive=positive), *last[5]), off),
        ]

    return draw


def draw_pixels(rng: np.random.Generator) -> list[Draw]:
    """Draw layers at the pixels: bounds on both sides of 0, black pixels, positive relevance, an unused unit."""

    def at(batch: int, n_in: int, n_out: int, low: float, high: float) -> tuple[Array, Array, Array, float, float]:
        inputs = rng.uniform(low + 0.2 * (high - low), high - 0.2 * (high - low), (batch, n_in))
        return inputs, rng.normal(size=(n_in, n_out)), rng.normal(size=(batch, n_out)), low, high

    axioms = ("same shape", "conservation")
    grey, weights, relevance, low, high = at(3, 6, 4, 0.0, 1.0)
    digit = grey.copy()
    digit[:, ::2] = 0
    unused = weights.copy()
    unused[:, 0] = 0
    return [
        Draw("grey pixels between 0 and 1", (grey, weights, relevance, low, high), axioms),
        Draw("pixels between -1 and 1", at(2, 6, 4, -1.0, 1.0), axioms),
        Draw("bounds that are not symmetric, square weights", at(2, 5, 5, -0.5, 2.0), axioms),
        Draw(
            "black pixels, no negative relevance",
            (digit, weights, abs(relevance), 0.0, 1.0),
            (*axioms, "positivity"),
        ),
        Draw("a unit whose weights are all 0", (grey, unused, relevance, low, high), axioms[:1]),
        Draw("a batch of one", at(1, 12, 3, -1.0, 1.0), axioms),
    ]


def draw_difference(rng: np.random.Generator) -> list[Draw]:
    def pair(*shape: int) -> tuple[Array, Array]:
        others = rng.normal(size=shape)
        return others + rng.normal(scale=0.2, size=shape), others

    one, other = pair(3, 8)
    one[1, 2], other[1, 2] = -9.0, -4.0  # the largest difference is negative, and so is the largest of the others
    return [
        Draw("two explanations of five samples", pair(5, 6)),
        Draw("the largest values are negative", (one, other)),
        Draw("equal explanations", (other, other.copy()), edge=True),
        Draw("a batch of one", pair(1, 4)),
    ]
