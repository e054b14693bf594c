"""How the cases of part D are drawn."""

import numpy as np

from vitrina.values import Array, ModelSpec
from vitrina_autograder.exercise import Draw
from vitrina_solutions.whole_model import information_skill

from ._drawing import labelled, model, orders


def draw_permutation(rng: np.random.Generator) -> list[Draw]:
    """Draw models, samples and orders in which to deal the values out."""
    ignored = int(rng.integers(3))
    one, three, four = model(rng, 1, 2), model(rng, 3, ignored=ignored), model(rng, 4)
    return [
        Draw("four features, three orders", (four, *labelled(rng, four, 40, 4), orders(rng, 3, 40))),
        Draw("a single order", (four, *labelled(rng, four, 25, 4), orders(rng, 1, 25))),
        Draw(f"the model ignores feature {ignored}", (three, *labelled(rng, three, 30, 3), orders(rng, 4, 30))),
        Draw("one feature", (one, *labelled(rng, one, 50, 1), orders(rng, 2, 50))),
        Draw("a model that is always wrong", (four, *_mistaken(rng, four), orders(rng, 2, 30))),
    ]


def _mistaken(rng: np.random.Generator, spec: ModelSpec) -> tuple[Array, Array]:
    """Draw inputs, and the labels that the model holds for least likely: what is dealt out anew does it good."""
    inputs = rng.normal(size=(30, 4))
    return inputs, spec.shared(inputs).argmin(axis=1)


def draw_mean_absolute(rng: np.random.Generator) -> list[Draw]:
    """Draw attributions."""
    cancelling = np.array([[2.0, 0.1], [-2.0, 0.2]]) * rng.uniform(0.5, 2)
    unused = rng.normal(size=(6, 4))
    unused[:, 2] = 0
    return [
        Draw("seven samples, three features", (rng.normal(size=(7, 3)),)),
        Draw("for and against cancel", (cancelling,)),
        Draw("a feature without any influence", (unused,)),
        Draw("a single sample", (rng.normal(size=(1, 5)),)),
    ]


def draw_correlation(rng: np.random.Generator) -> list[Draw]:
    """Draw data, with features that go with the label, against it, or never change."""
    labels = rng.permutation(np.arange(30) % 3 == 0).astype(int)
    against = rng.normal(size=(30, 2)) - 1.5 * labels[:, None]
    constant = rng.normal(size=(30, 3)) + labels[:, None]
    constant[:, 1] = 4.0
    return [
        Draw("three features that go with the label", (rng.normal(size=(30, 3)) + labels[:, None] * [2, 1, 0], labels)),
        Draw("features that go against the label", (against, labels)),
        Draw("a feature that never changes", (constant, labels)),
        Draw("features of different sizes", (rng.normal(size=(20, 3)) * [100, 1, 0.01] + [1e3, 0, 1], labels[:20])),
        Draw("one feature, two samples", (rng.normal(size=(2, 1)), np.array([0, 1]))),
    ]


def draw_skill(rng: np.random.Generator) -> list[Draw]:
    """Draw labels and probabilities, from good to worse than nothing."""
    labels = rng.permutation(np.arange(24) % 4 == 0).astype(int)
    three = rng.permutation(np.arange(15) % 3)
    good = 0.1 + 0.8 * np.eye(2)[labels]
    return [
        Draw("two classes, one of them rare", (labels, _rows(rng, 24, 2))),
        Draw("three classes", (three, _rows(rng, 15, 3))),
        Draw("a good model", (labels, good / good.sum(axis=1, keepdims=True))),
        Draw("sure of the wrong class", (three, _normal(0.02 + np.eye(3)[(three + 1) % 3]))),
        Draw("a class that does not occur", (three // 2 * 2, _rows(rng, 15, 3))),
        Draw("knows only how frequent the classes are", (labels, np.tile([0.75, 0.25], (24, 1))), edge=True),
    ]


def _rows(rng: np.random.Generator, batch: int, classes: int) -> Array:
    return _normal(rng.uniform(0.05, 1, (batch, classes)))


def _normal(rows: Array) -> Array:
    return rows / rows.sum(axis=1, keepdims=True)


def draw_inclusion(rng: np.random.Generator) -> list[Draw]:
    """Draw a model that returns probabilities, samples, a ranking and a reference."""
    five, one = model(rng, 5, 2, sure=True), model(rng, 1, 2, sure=True)
    data = labelled(rng, five, 30, 5)
    three = model(rng, 4, 3, sure=True)
    return [
        Draw("five features", (five, *data, rng.permutation(5), np.zeros(5))),
        Draw("the same in another order", (five, *data, rng.permutation(5), np.zeros(5))),
        Draw("a reference other than 0", (three, *labelled(rng, three, 20, 4), rng.permutation(4), rng.normal(size=4))),
        Draw("one feature", (one, *labelled(rng, one, 12, 1), np.array([0]), np.array([0.5]))),
    ]


def draw_retained(rng: np.random.Generator) -> list[Draw]:
    """Draw curves of skill."""
    rising = np.cumsum(rng.uniform(0.02, 0.2, 8)) - 0.1
    return [
        Draw("seven features", (rising,)),
        Draw("worse than nothing on the way", (np.array([0.0, -rng.uniform(0.1, 1), 0.2, 0.5, 0.6]),)),
        Draw("better on the way than with all features", (np.array([0.0, 0.3, 0.7 + 0.2 * rng.random(), 0.5]),)),
        Draw("something from the start, and down again", (np.array([0.1, 0.5, 0.2, 0.4, 0.6]) + rng.uniform(0, 0.3),)),
        Draw("one feature", (np.array([-0.1, rng.uniform(0.2, 0.9)]),)),
    ]


def draw_area(rng: np.random.Generator) -> list[Draw]:
    """Draw curves."""
    rising = np.cumsum(rng.uniform(0.02, 0.2, 8)) - 0.1
    return [
        Draw("seven features", (rising,)),
        Draw("a curve that jumps at the first feature", (np.array([0.0, *np.full(4, rng.uniform(0.5, 1))]),)),
        Draw("a curve that goes down too", (rng.uniform(0, 1, 11),)),
        Draw("one feature", (rng.uniform(0.1, 1, 2),)),
    ]


def draw_coefficient(rng: np.random.Generator) -> list[Draw]:
    """Draw a model that knows something, samples and how relevant an explanation calls each feature."""
    five, four = _skilled(rng, 5), _skilled(rng, 4)
    relevance = rng.permutation([0.1, 0.3, 0.4, 0.8, 0.9])
    signed = rng.permutation([-3.0, -1.0, 0.5, 2.0])
    return [
        Draw("five features", (*five, relevance, np.zeros(5))),
        Draw("the ranking turned round", (*five, -relevance, np.zeros(5))),
        Draw("relevance of both signs", (*four, signed, four[1].mean(axis=0))),
        Draw("another reference", (*_skilled(rng, 3, ignored=1), np.array([0.5, 0.1, 0.9]), np.full(3, 0.4))),
        Draw("one feature: both orders are the same", (*_skilled(rng, 1), np.ones(1), np.zeros(1)), edge=True),
    ]


def _skilled(rng: np.random.Generator, features: int, *, ignored: int | None = None) -> tuple[ModelSpec, Array, Array]:
    """Draw a model, and labels as it expects them, until its skill is far from 0, by which the coefficient divides.

    There are models that never get there, so each try has a new one.
    """
    while True:
        drawn = model(rng, features, 2, ignored=ignored, sure=True)
        inputs = rng.normal(size=(40, features))
        said = drawn.shared(inputs)
        labels = (rng.random(40) < said[:, 1]).astype(int)
        if 5 < labels.sum() < 35 and information_skill(labels, said) > 0.2:
            return drawn, inputs, labels
