"""Times Shapley values, ours and shap's, for `explainers.py`: GROUP THREADS ROUNDS BATCH to JSON."""

from __future__ import annotations

import json
import logging
import sys
import warnings
from functools import cache
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from timing import Row, measure

from vitrina.explain import interventional, kernel_shap, scoring, shapley_values
from vitrina.explain.black_box import rows_at_once
from vitrina.models import Array

FEATURES, MANY = 12, 16
BACKGROUND = 50
COALITIONS = 2048
INSTANCES = 10


@cache
def network(features: int) -> keras.Sequential:
    """Two hidden layers, as a small model of a table has them; what it has learnt does not change what it costs."""
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(64, activation="relu"), keras.layers.Dense(64, activation="relu")]
    return keras.Sequential([keras.Input((features,)), *layers, keras.layers.Dense(3)])


@cache
def table(features: int, rows: int) -> Array:
    """Normal numbers."""
    return np.random.default_rng(rows).standard_normal((rows, features)).astype(np.float32)


def floor(name: str, features: int, coalitions: int, instances: int) -> Row:
    """The forward passes alone: coalitions x background x instances, on tensors that lie ready."""
    model, count = network(features), coalitions * BACKGROUND * instances

    def half(values: Any) -> Any:
        return model(values, training=False)

    forward: Any = tf.function(half, input_signature=[tf.TensorSpec((None, features))])
    room = rows_at_once(features)
    full, rest = (tf.constant(table(features, rows)) for rows in (room, count % room))

    def passes() -> None:
        for _ in range(count // room):
            forward(full).numpy()
        forward(rest).numpy()

    return Row(name, passes)


def rows() -> list[Row]:
    """KernelSHAP against its floor and against shap, exact values against theirs."""
    import shap

    model, background = network(FEATURES), table(FEATURES, BACKGROUND)
    one, few, many = (table(FEATURES, count) for count in (1, INSTANCES, 10 * INSTANCES))
    scores = scoring(model)

    def predict(samples: Any) -> Any:
        return model.predict(samples, verbose=0)  # pyright: ignore[reportArgumentType]

    slow: Any = shap.KernelExplainer(predict, background)
    fast: Any = shap.KernelExplainer(scores, background)
    floors = ["forward passes of KernelSHAP", f"forward passes of {MANY} features"]
    peers = ["shap.KernelExplainer, model.predict", "shap.KernelExplainer, same function"]

    def theirs(explainer: Any, inputs: Array) -> object:
        return explainer.shap_values(inputs, nsamples=COALITIONS, l1_reg=False, silent=True)

    def ours(inputs: Array) -> object:
        targets = np.tile(np.arange(3), (len(inputs), 1))  # all outputs, as shap
        return kernel_shap(model, inputs, targets, background=background, coalitions=COALITIONS)

    def exact() -> object:
        return shapley_values(interventional(network(MANY), table(MANY, 1), 0, background=table(MANY, BACKGROUND)))

    return [
        floor(floors[0], FEATURES, COALITIONS + 2, INSTANCES),
        Row("KernelSHAP", lambda: ours(few), within=(floors[0], 1.5), unit=floors[0]),
        Row(peers[0], lambda: theirs(slow, one), share=1 / INSTANCES, peer=True, unit=floors[0]),
        Row("KernelSHAP, against predict", lambda: ours(few), slower=(peers[0], 100), unit=floors[0]),
        Row(peers[1], lambda: theirs(fast, few), peer=True, unit=floors[0]),
        Row("KernelSHAP, against the same function", lambda: ours(few), slower=(peers[1], 2), unit=floors[0]),
        Row("KernelSHAP, 10 times as many", lambda: ours(many), within=("KernelSHAP", 11), unit=floors[0]),
        floor(floors[1], MANY, 1 << MANY, 1),
        Row(f"exact Shapley values, {MANY} features", exact, within=(floors[1], 1.5), unit=floors[1]),
    ]


def main() -> None:
    """Measure the group."""
    group, threads, rounds, _ = sys.argv[1], *map(int, sys.argv[2:])
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    print(json.dumps(measure(rows(), rounds, group)))


if __name__ == "__main__":
    main()
