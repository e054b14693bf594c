"""Times LIME beside the `lime` library, for `explainers.py`: lime THREADS ROUNDS BATCH to JSON.

Rows of the library are for one instance, as it explains one at a time; its explainer has learnt the table beforehand.
The floor is the model's work alone: one forward pass for each perturbation.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from functools import cache
from itertools import count, cycle
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from explainers_ours import images, network, units
from lime.lime_image import LimeImageExplainer
from lime.lime_tabular import LimeTabularExplainer
from sklearn.datasets import load_breast_cancer
from timing import Row, measure

from vitrina.explain import lime_image, lime_tabular, scoring, superpixels
from vitrina.explain.superpixels import Labels
from vitrina.models import Array

ROWS = 5000  # perturbations of a table
SAMPLES = 1000  # perturbations of an image
TABLE = 100  # instances that are explained together
ALONE = 20  # instances that are explained one after the other
SEGMENTS = 50
FEW = 50  # perturbations for the library on model.predict, which takes seconds

Predict = Callable[[Array], Array]


@cache
def table() -> tuple[Array, keras.Sequential]:
    """The breast cancer table, standardised, and a small network that has learnt it."""
    data: Any = load_breast_cancer()
    values = ((data.data - data.data.mean(axis=0)) / data.data.std(axis=0)).astype(np.float32)
    keras.utils.set_random_seed(0)
    hidden = [keras.layers.Dense(width, activation="relu") for width in (64, 64)]
    model = keras.Sequential([keras.Input((values.shape[1],)), *hidden, keras.layers.Dense(2, activation="softmax")])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy())
    model.fit(values, data.target, epochs=10, verbose=0)  # pyright: ignore[reportArgumentType]
    return values, model


def tabular_rows() -> list[Row]:
    """A table of 30 columns, 10 features asked for, as the library does by itself."""
    values, model = table()
    fast = scoring(model, output="probability")
    explainer: Any = LimeTabularExplainer(values, random_state=0)

    def theirs(predict: Predict) -> object:
        return explainer.explain_instance(values[0], predict, num_features=10, num_samples=ROWS)

    def ours(rows: Array, seed: int = 0) -> object:
        return lime_tabular(
            model, rows, 1, background=values, samples=ROWS, features=10, output="probability", seed=seed
        )

    turns, seeds = cycle(range(len(values))), count(1)

    def next_row(seed: int = 0) -> object:
        turn = next(turns)
        return ours(values[turn : turn + 1], seed)

    def row_by_row() -> None:
        for _ in range(ALONE):
            next_row()

    drawn = np.resize(values, (ROWS, values.shape[1]))
    floor, compiled, predict = "table: forward passes", "lime, table, compiled f", "lime, table, model.predict"
    # With a new seed each time draws and scores are new, and only what was learnt of the table is not, as with `lime`.
    timed: list[tuple[str, Callable[[], object], int]] = [
        ("first row", lambda: next_row(next(seeds)), 1),
        ("another row", next_row, 1),
        (f"each of {ALONE} rows, one by one", row_by_row, ALONE),
        (f"each of {TABLE} rows", lambda: ours(values[:TABLE]), TABLE),
    ]
    return [
        Row(floor, lambda: fast(drawn), unit=floor),
        Row(compiled, lambda: theirs(fast), peer=True, unit=floor),
        Row(predict, lambda: theirs(_predicting(model)), peer=True, unit=floor),
        *(Row(f"LIME of a table, {name}", call, slower=(compiled, 5), share=share) for name, call, share in timed),
        *(
            Row(f"LIME of a table, {name}, predict", call, slower=(predict, 100), share=share)
            for name, call, share in timed
        ),
    ]


def image_rows() -> list[Row]:
    """A digit, with the same superpixels for both."""
    model, picture = network(), images(1)
    labels = superpixels(picture, SEGMENTS)
    fast = scoring(model)

    def theirs(predict: Predict, samples: int, batch: int) -> object:
        def on_grey(pictures: Array) -> Array:
            return predict(pictures[..., :1])

        def given(_: Array) -> Labels:
            return labels[0]

        explainer: Any = LimeImageExplainer(random_state=0)
        return explainer.explain_instance(
            picture[0, ..., 0].astype(float),
            on_grey,
            labels=(3,),
            top_labels=None,
            num_samples=samples,
            batch_size=batch,
            segmentation_fn=given,
        )

    def ours() -> object:
        return lime_image(model, picture, 3, segments=labels, samples=SAMPLES)

    many = images(SAMPLES)
    floor = "image: forward passes"
    return [
        Row(floor, lambda: fast(many), unit=floor),
        Row("lime, image, compiled f, batches of 10", lambda: theirs(fast, SAMPLES, 10), peer=True, unit=floor),
        Row("lime, image, compiled f, batches of 250", lambda: theirs(fast, SAMPLES, 250), peer=True, unit=floor),
        Row(
            "lime, image, model.predict",
            lambda: theirs(_predicting(model), FEW, 10),
            peer=True,
            unit=floor,
            share=FEW / SAMPLES,
        ),
        Row("LIME of an image", ours, slower=("lime, image, compiled f, batches of 10", 5)),
        Row("LIME of an image, large batches", ours, slower=("lime, image, compiled f, batches of 250", 5)),
        Row("LIME of an image, predict", ours, slower=("lime, image, model.predict", 100)),
    ]


def _predicting(model: keras.Model) -> Predict:
    def predict(inputs: Array) -> Array:
        return model.predict(inputs, verbose=0)  # pyright: ignore[reportArgumentType]

    return predict


def main() -> None:
    """Measure all."""
    threads, rounds, batch = map(int, sys.argv[2:])
    warnings.simplefilter("ignore")
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    print(json.dumps(measure([*units(batch), *tabular_rows(), *image_rows()], rounds, "lime")))


if __name__ == "__main__":
    main()
