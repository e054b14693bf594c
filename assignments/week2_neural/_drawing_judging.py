"""How the cases of the exercises on occlusion, Grad-CAM and deletion curves are drawn."""

import numpy as np

from vitrina.values import ModelSpec
from vitrina_autograder.exercise import Draw

from ._drawing import pixels
from ._drawing_gradients import smooth_network
from ._drawing_images import cnn


def draw_occlusion(rng: np.random.Generator) -> list[Draw]:
    model, images = cnn(rng, (6, 6, 1), [(3, 3, 1, 3)], (12, 3))
    colour, wide = cnn(rng, (4, 6, 2), [(3, 3, 2, 3)], (6, 3))
    same = ("same shape",)
    return [
        Draw("three images, windows of three", (model, images, 0, 3, 0.0), same),
        Draw("another class, grey windows", (model, images[:2], 2, 3, 0.5), same),
        Draw("a batch of one, small windows", (model, images[1:2], 1, 2, 0.0), same),
        Draw("two channels, wider than high", (colour, wide, 1, 2, 1.0), same),
    ]


def draw_cam(rng: np.random.Generator) -> list[Draw]:
    def maps(*shape: int, shift: float = 0.3):
        gradients = rng.normal(size=shape) + shift
        if shape[3] > 1:  # whatever is drawn, one map speaks against the class and one for it
            gradients[..., 0], gradients[..., 1] = -abs(gradients[..., 0]), abs(gradients[..., 1])
        return np.maximum(rng.normal(size=shape), 0), gradients

    nothing, against = maps(1, 4, 4, 3)
    sign = ("non-negative",)
    return [
        Draw("two samples, three maps", maps(2, 4, 4, 3), sign),
        Draw("wider than high", maps(2, 3, 5, 4), sign),
        Draw("a batch of one, a single map", maps(1, 4, 4, 1, shift=1.0), sign),
        Draw("every map speaks against the class", (nothing, -abs(against)), sign, edge=True),
    ]


def draw_curve(rng: np.random.Generator) -> list[Draw]:
    model, inputs = wide_awake(rng, 12), pixels(rng, 3, 12)
    ranks = distinct(rng, 3, 12)
    equal = np.round(ranks)
    equal[:, ::3] = equal[:, 1::3]
    noise, zeros = rng.uniform(-1, 1, (3, 12)), np.zeros((3, 12))
    return [
        Draw("three samples, features become 0", (model, inputs, 0, ranks, zeros, 2, 4)),
        Draw("replaced by noise, another class", (model, inputs, 2, ranks, noise, 3, 4)),
        Draw("equal attributions: the first comes first", (model, inputs, 1, equal, noise, 1, 6)),
        Draw("a batch of one, inverted", (model, inputs[1:2], 1, ranks[1:2], 1 - inputs[1:2], 4, 2)),
    ]


def wide_awake(rng: np.random.Generator, features: int) -> ModelSpec:
    """Draw a network whose probabilities are neither 0 nor 1."""
    spec = smooth_network(rng, features, 5, 3)
    return ModelSpec("dense_network", {**spec.options, "weights": [0.6 * matrix for matrix in spec.options["weights"]]})


def distinct(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Draw attributions of both signs whose sizes all differ."""
    sizes = rng.permuted(np.tile(np.arange(1.0, 1 + shape[-1]), (*shape[:-1], 1)), axis=-1)
    return (sizes - 0.3) * rng.choice([-1.0, 1.0], shape)


def draw_aopc(rng: np.random.Generator) -> list[Draw]:
    def falling(samples: int, points: int) -> np.ndarray:
        return np.sort(rng.uniform(0.05, 0.95, (samples, points)), axis=1)[:, ::-1].copy()

    rising = rng.uniform(0.05, 0.95, (3, 5))
    rising[:, 0] = 0.4
    return [
        Draw("four curves", (falling(4, 6),)),
        Draw("curves that rise again", (rising,)),
        Draw("a single curve", (falling(1, 9),)),
        Draw("curves that stay where they are", (np.full((3, 4), 0.7),), edge=True),
    ]
