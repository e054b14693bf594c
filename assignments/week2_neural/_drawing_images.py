"""How the cases of the exercises on convolutional networks and on the memory of an LSTM are drawn."""

from itertools import pairwise

import numpy as np

from vitrina.values import Array, ModelSpec
from vitrina_autograder.exercise import Draw

from ._drawing import MARGIN, columns


def draw_max_pool(rng: np.random.Generator) -> list[Draw]:
    axioms = ("same shape", "conservation")
    ties = rng.integers(0, 3, (2, 4, 4, 2)).astype(float)
    ties[0, :2, :2, 0] = [[0, 1], [1, 0]]  # two winners: row by row the first one is on the right
    return [
        Draw("two images, two channels", (*pooled(rng, (2, 4, 4, 2), 2, signed=True), 2), axioms),
        Draw("windows of three, one image", (*pooled(rng, (1, 6, 6, 1), 3, signed=True), 3), axioms),
        Draw(
            "higher than wide, all below 0",
            (-pooled(rng, (2, 6, 4, 1), 2)[0], rng.normal(size=(2, 3, 2, 1)), 2),
            axioms,
        ),
        Draw("equal values in a window: the first one takes all", (ties, rng.normal(size=(2, 2, 2, 2)), 2), axioms),
    ]


def draw_average_pool(rng: np.random.Generator) -> list[Draw]:
    axioms = ("same shape", "conservation", "zero activation gets nothing")
    dark, relevance = pooled(rng, (2, 4, 4, 2), 2)
    dark[0, :2, :2] = 0
    return [
        Draw("two images, two channels", (*pooled(rng, (2, 4, 4, 2), 2), 2), axioms),
        Draw("windows of three, one image", (*pooled(rng, (1, 6, 6, 1), 3), 3), axioms),
        Draw("higher than wide", (*pooled(rng, (2, 6, 4, 1), 2), 2), axioms),
        Draw("a window in which everything is 0", (dark, relevance, 2), (axioms[0], axioms[2])),
    ]


def pooled(
    rng: np.random.Generator, shape: tuple[int, int, int, int], size: int, *, signed: bool = False
) -> tuple[Array, Array]:
    """Draw activations, no two of them equal, and the relevance of their windows."""
    values = rng.permutation(np.arange(1.0, 1 + np.prod(shape))).reshape(shape) / np.prod(shape)
    batch, height, width, channels = shape
    activations = values - 0.4 if signed else values
    return activations, rng.normal(size=(batch, height // size, width // size, channels))


def windows(images: Array, high: int, wide: int) -> Array:
    """Cut images into the windows of a convolution, each a row."""
    cut = np.lib.stride_tricks.sliding_window_view(images, (high, wide), axis=(1, 2))
    return np.moveaxis(cut, 3, -1).reshape(-1, high * wide * images.shape[3])


def draw_convolution(rng: np.random.Generator) -> list[Draw]:
    """Draw convolutions whose outputs are all above 0: behind a ReLU only they carry relevance."""

    def at(image: tuple[int, int, int, int], kernel: tuple[int, int], channels: int, bias: bool = True):
        activations = rng.uniform(0.2, 1.5, image)
        activations[:, 1, 1] = 0
        biases = rng.normal(size=channels) if bias else np.zeros(channels)
        rows = windows(activations, *kernel)
        weights = columns(rng, rows, biases, positive=True, mean=0.4)
        places = (image[0], image[1] - kernel[0] + 1, image[2] - kernel[1] + 1, channels)
        return activations, weights.reshape(*kernel, image[3], channels), biases, rng.normal(size=places)

    off = ("same shape", "zero activation gets nothing")
    return [
        Draw("two images, no bias", (*at((2, 4, 4, 1), (2, 2), 2, bias=False), 0.25), (*off, "conservation")),
        Draw("several channels, with a bias", (*at((1, 4, 4, 2), (2, 2), 3), 0.5), off),
        Draw("neither image nor kernel is square", (*at((1, 5, 4, 2), (3, 2), 2), 1.0), off),
        Draw("γ = 0 is LRP-0", (*at((2, 4, 4, 1), (3, 3), 2), 0.0), off),
    ]


def draw_convolution_at_pixels(rng: np.random.Generator) -> list[Draw]:
    def at(image: tuple[int, int, int, int], kernel: tuple[int, int], channels: int, low: float, high: float):
        span = high - low
        pixels = rng.uniform(low + 0.2 * span, high - 0.2 * span, image)
        places = (image[0], image[1] - kernel[0] + 1, image[2] - kernel[1] + 1, channels)
        return pixels, rng.normal(size=(*kernel, image[3], channels)), rng.normal(size=places), low, high

    axioms = ("same shape", "conservation")
    pixels, kernel, relevance, low, high = at((2, 4, 4, 1), (2, 2), 2, 0.0, 1.0)
    pixels[:, ::2] = 0
    return [
        Draw(
            "black pixels, no negative relevance", (pixels, kernel, abs(relevance), low, high), (*axioms, "positivity")
        ),
        Draw("three channels", at((1, 4, 4, 3), (2, 2), 2, 0.0, 1.0), axioms),
        Draw("bounds that are not symmetric", at((2, 4, 4, 1), (3, 3), 2, -0.5, 2.0), axioms),
        Draw("neither image nor kernel is square", at((1, 5, 4, 2), (3, 2), 2, -1.0, 1.0), axioms),
    ]


def draw_cnn(rng: np.random.Generator) -> list[Draw]:
    deep, images = cnn(rng, (8, 8, 1), [(3, 3, 1, 2), (2, 2, 2, 3)], (3, 4, 3))
    flat, wide = cnn(rng, (7, 5, 2), [(2, 2, 2, 3)], (18, 3), bias=False)
    same = ("same shape",)
    return [
        Draw("three images, class 0", (deep, images, 0, 0.1, 0.25), same),
        Draw("the same images, another class, other ε and γ", (deep, images, 2, 0.5, 1.0), same),
        Draw(
            "one convolution, one Dense layer, no biases, ε almost 0",
            (flat, wide, 1, 1e-6, 0.25),
            (*same, "completeness"),
        ),
        Draw("a batch of one, a large γ", (deep, images[1:2], 1, 0.02, 5.0), same),
    ]


def cnn(
    rng: np.random.Generator,
    image_shape: tuple[int, int, int],
    kernel_shapes: list[tuple[int, int, int, int]],
    sizes: tuple[int, ...],
    *,
    bias: bool = True,
) -> tuple[ModelSpec, Array]:
    """Draw a convolutional network and three images that excite it, so that there is something to explain."""
    while True:
        kernels = [rng.normal(scale=1.2, loc=0.2, size=shape) for shape in kernel_shapes]
        matrices = [rng.normal(scale=1.2, size=shape) for shape in pairwise(sizes)]
        kernel_biases, biases = (
            [rng.normal(scale=0.3, size=array.shape[-1]) * bias for array in arrays] for arrays in (kernels, matrices)
        )
        images = rng.uniform(0, 1, (3, *image_shape))
        images[:, :2] = 0
        hidden = feed(images, kernels, kernel_biases, matrices, biases)
        if all(np.all(np.sum(values > MARGIN, axis=-1) >= 2) for values in hidden[:-1]) and near_nothing(hidden):
            options = {"kernels": kernels, "kernel_biases": kernel_biases, "weights": matrices, "biases": biases}
            return ModelSpec(
                "convolutional_network", {"image_shape": list(image_shape), **options, "pooling": "max"}
            ), images


def near_nothing(hidden: list[Array]) -> bool:
    """Whether all logits, and what enters each ReLU of a Dense layer, keep their distance from 0."""
    return all(np.min(np.abs(values[values != 0])) > MARGIN / 3 for values in hidden)


def feed(images: Array, kernels: list[Array], kernel_biases: list[Array], matrices: list[Array], biases: list[Array]):
    """Return what enters each Dense layer of a network, flat, and its logits."""
    values = images
    for kernel, bias in zip(kernels, kernel_biases, strict=True):
        high, wide, _, channels = kernel.shape
        batch, rows, across = len(values), values.shape[1] - high + 1, values.shape[2] - wide + 1
        z = (windows(values, high, wide) @ kernel.reshape(-1, channels) + bias).reshape(batch, rows, across, channels)
        z = np.maximum(z, 0)[:, : rows // 2 * 2, : across // 2 * 2]
        values = z.reshape(batch, rows // 2, 2, across // 2, 2, channels).max(axis=(2, 4))
    hidden = [values.reshape(len(values), -1)]
    for matrix, bias in zip(matrices[:-1], biases[:-1], strict=True):
        hidden.append(np.maximum(hidden[-1] @ matrix + bias, 0))
    return [*hidden, hidden[-1] @ matrices[-1] + biases[-1]]


def draw_memory(rng: np.random.Generator) -> list[Draw]:
    def at(batch: int, units: int, epsilon: float, *, dead: bool = False):
        while True:
            gates = rng.uniform(0.1, 0.9, (2, batch, units))
            memory, candidate = rng.normal(scale=1.5, size=(batch, units)), rng.uniform(-1, 1, (batch, units))
            if dead:
                memory[:, 0] = candidate[:, 0] = 0
            total = gates[0] * memory + gates[1] * candidate
            if np.min(np.abs(total[:, dead:])) > 0.1:
                return gates[0], memory, gates[1], candidate, rng.normal(size=(batch, units)), epsilon

    return [
        Draw("three samples, four units", at(3, 4, 0.01)),
        Draw("a larger ε", at(2, 5, 0.5)),
        Draw("a batch of one", at(1, 6, 0.1)),
        Draw("an empty memory in the first unit: c = 0", at(2, 4, 0.1, dead=True)),
    ]
