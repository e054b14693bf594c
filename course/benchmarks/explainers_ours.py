"""Times the methods of `vitrina.explain`, and shap, for `explainers.py`: GROUP THREADS ROUNDS BATCH to JSON."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from published_graphs import published_search
from timing import Row, measure

import vitrina.explain as methods
from vitrina.models import Array
from vitrina_datasets import mnist

CLASSES = 10
STEPS = 16
REFERENCES = 20
ALONE = 20  # images that a loop takes one by one
SEARCHED = 3  # images that are searched one mask after the other


@cache
def network() -> keras.Sequential:
    """Two convolutions, two kinds of pooling, two Dense layers; what it has learnt does not change what it costs."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    return keras.Sequential(
        [
            *(keras.Input((28, 28, 1)), layers.Conv2D(8, 3, activation="relu"), layers.MaxPooling2D(2)),
            *(layers.Conv2D(16, 3, activation="relu"), layers.AveragePooling2D(2), layers.Flatten()),
            *(layers.Dense(64, activation="relu"), layers.Dense(CLASSES)),
        ]
    )


@cache
def classifier() -> keras.Sequential:
    """Train a copy of the network: a search takes as long as what the network has learnt makes it."""
    model = keras.models.clone_model(network())
    digits = mnist.load()
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(digits.train_images.reshape(-1, 28, 28, 1), digits.train_labels, epochs=3, verbose=0)  # pyright: ignore[reportArgumentType]
    return model


@cache
def images(batch: int) -> Array:
    """MNIST images in [0, 1], as many as asked for."""
    return np.resize(mnist.load().train_images, (batch, 28, 28, 1))


def units(batch: int) -> list[Row]:
    """The unit and its forward half, as bare compiled functions on tensors."""
    model, values = network(), tf.constant(images(batch))
    specification = [tf.TensorSpec((None, 28, 28, 1))]

    def both(inputs: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            logits = model(inputs, training=False)[:, 0]
        return tape.gradient(logits, inputs)

    def half(inputs: Any) -> Any:
        return model(inputs, training=False)

    whole: Any = tf.function(both, input_signature=specification)
    forward: Any = tf.function(half, input_signature=specification)

    def unit() -> object:
        return whole(values).numpy()

    def forward_alone() -> object:
        return forward(values).numpy()

    return [Row("U", unit), Row("f", forward_alone)]


def gradient_rows(batch: int) -> list[Row]:
    """Everything that is read from gradients."""
    model, inputs = network(), images(batch)
    target, every = np.zeros(batch, int), np.tile(np.arange(CLASSES), (batch, 1))
    alone = min(ALONE, batch)

    def one_by_one(explain: Callable[[Array], object]) -> Callable[[], None]:
        def call() -> None:
            for index in range(alone):
                explain(inputs[index : index + 1])

        return call

    def taped(image: Array) -> object:
        values: Any = tf.constant(image)
        with tf.GradientTape() as tape:
            tape.watch(values)
            logit = model(values, training=False)[:, 0]
        return (values * tape.gradient(logit, values)).numpy()

    share = alone / batch
    loop = "loop over images, eager tape"
    fast = "gradient x input, against the loop"
    explain = methods.gradient_x_input
    return [
        *units(batch),
        Row("saliency", lambda: methods.saliency(model, inputs, target), 1.1, 1.1),
        Row("gradient x input", lambda: explain(model, inputs, target), 1.1, 1.1),
        Row(loop, one_by_one(taped), share=share, peer=True),
        Row(fast, lambda: explain(model, inputs, target), slower=(loop, 100)),
        Row("gradient x input, image by image", one_by_one(lambda image: explain(model, image, 0)), share=share),
        Row(f"gradient x input, {CLASSES} classes", lambda: explain(model, inputs, every), 1.15, 1.15 * CLASSES),
        Row(
            f"integrated gradients, {STEPS} steps",
            lambda: methods.integrated_gradients(model, inputs, target, steps=STEPS),
            *(1.05 * STEPS, 1.05 * STEPS),
        ),
        Row(
            f"SmoothGrad, {STEPS} samples",
            lambda: methods.smooth_grad(model, inputs, target, samples=STEPS, noise=0.15),
            *(1.05 * STEPS, 1.05 * STEPS),
        ),
    ]


def lrp_rows(batch: int) -> list[Row]:
    """Layer-wise relevance propagation by rule."""
    model, inputs = network(), images(batch)
    every = np.tile(np.arange(CLASSES), (batch, 1))
    known: Any = methods
    if not hasattr(methods, "z_plus"):
        return units(batch)

    def row(name: str, rules: Any, limit: float) -> Row:
        return Row(f"LRP, {name}", lambda: known.lrp(model, inputs, 0, rules=rules), limit, limit)

    return [
        *units(batch),
        row("0", known.LRP_0, 1.4),
        row("epsilon", known.epsilon(1e-6), 1.4),
        row("z+", known.z_plus(), 1.8),
        row("gamma", known.gamma(0.25), 1.8),
        row("alpha 2 beta 1", known.alpha_beta(2.0, 1.0), 2.7),
        row("composite epsilon-gamma-box", known.EPSILON_GAMMA_BOX(0.0, 1.0), 2.5),
        Row(
            f"LRP, epsilon, {CLASSES} classes",
            lambda: known.lrp(model, inputs, every, rules=known.epsilon(1e-6)),
            *(1.15, 1.15 * CLASSES),
        ),
    ]


def asked_eagerly(model: keras.Model, label: int) -> Callable[[Array], float]:
    """Ask for the probability of one class of one image, as a program does that calls its network plainly."""

    def ask(image: Array) -> float:
        logits: Any = model(image[np.newaxis], training=False)
        return float(tf.nn.softmax(logits[0])[label])

    return ask


def asked_compiled(model: keras.Model, label: int) -> Callable[[Array], float]:
    """Ask the same as fast as one image at a time can be asked."""
    function: Any = compiled_probability(model)
    return lambda image: float(function(image, label))


@cache
def compiled_probability(model: keras.Model) -> Any:
    """Compile the probability of a class of one image, once."""

    def ask(image: Any, label: Any) -> Any:
        return tf.nn.softmax(model(image[tf.newaxis], training=False)[0])[label]

    return tf.function(ask, input_signature=[tf.TensorSpec((28, 28, 1)), tf.TensorSpec((), tf.int32)])


def search_rows(batch: int) -> list[Row]:
    """What looks at a map of features or tries changed inputs."""
    model, inputs = network(), images(batch)
    known: Any = methods
    layer = next(layer.name for layer in reversed(model.layers) if isinstance(layer, keras.layers.Conv2D))
    rows = units(batch)
    if hasattr(methods, "grad_cam"):
        rows.append(Row("Grad-CAM", lambda: known.grad_cam(model, inputs, 0, layer=layer), 1, 1))
    if hasattr(methods, "occlusion"):
        patches = (28 // 4) ** 2
        rows.append(
            Row(f"occlusion, {patches} patches", lambda: known.occlusion(model, inputs, 0, window=4), 1.1 * patches)
        )
    if hasattr(methods, "structured_attention_graph"):
        trained, labels = classifier(), np.resize(mnist.load().train_labels, batch)

        def most_calls(count: int) -> int:
            graphs = known.structured_attention_graph(trained, inputs[:count], labels[:count])
            return max(graph.calls for graph in graphs)

        def published(ask: Callable[[keras.Model, int], Callable[[Array], float]]) -> None:
            for image, label in zip(inputs[:SEARCHED], labels[:SEARCHED], strict=True):
                published_search(ask(trained, int(label)), image)

        loop = f"the published search, {SEARCHED} images"
        rows += [
            Row("structured attention graphs, 10 images", partial(most_calls, 10), at_most=100),
            Row(f"{loop}, compiled", partial(published, asked_compiled), peer=True),
            Row(loop, partial(published, asked_eagerly), peer=True),
            Row(f"ours, {SEARCHED} images, against it", partial(most_calls, SEARCHED), slower=(loop, 20)),
        ]
    return rows


def deeplift_rows(batch: int) -> list[Row]:
    """DeepLIFT beside shap.DeepExplainer on the same references."""
    import shap

    model, inputs = network(), images(batch)
    few, background = inputs[:REFERENCES], inputs[-REFERENCES:]
    every = np.tile(np.arange(CLASSES), (len(few), 1))
    peer: Any = shap.DeepExplainer(model, background)
    pairs = f"{len(few)} images x {REFERENCES} references"
    theirs = [f"shap.DeepExplainer, {pairs}", f"shap.DeepExplainer, {pairs}, {CLASSES} classes"]

    def top(count: int | None) -> object:
        return peer.shap_values(few, check_additivity=False, ranked_outputs=count)

    return [
        *units(batch),
        Row("DeepLIFT, 1 reference", lambda: methods.deeplift(model, inputs, 0), 2.5, 2.5),
        Row(theirs[0], lambda: top(1), peer=True),
        Row(
            f"DeepLIFT, {pairs}",
            lambda: methods.deeplift(model, few, 0, background=background),
            slower=(theirs[0], 1.5),
        ),
        Row(theirs[1], lambda: top(None), peer=True),
        Row(
            f"DeepLIFT, {pairs}, {CLASSES} classes",
            lambda: methods.deeplift(model, few, every, background=background),
            slower=(theirs[1], 1.5),
        ),
    ]


MAKERS = {"gradients": gradient_rows, "lrp": lrp_rows, "search": search_rows, "deeplift": deeplift_rows}


def main() -> None:
    """Measure one group."""
    group, threads, rounds, batch = sys.argv[1], *map(int, sys.argv[2:])
    warnings.simplefilter("ignore")
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    print(json.dumps(measure(MAKERS[group](batch), rounds, group)))


if __name__ == "__main__":
    main()
