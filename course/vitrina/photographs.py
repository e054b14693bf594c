"""A trained classifier and pictures to try it on: real photographs where they can be had, else handwritten digits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vitrina.messages import _
from vitrina.trained import with_weights
from vitrina_datasets import mnist
from vitrina_datasets.classifiers import Classifier, efficientnet_lite0
from vitrina_datasets.photographs import Photograph, class_names, imagenet_photographs, installed_photographs
from vitrina_datasets.wheels import DataUnavailableError

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Gallery:
    """
    A classifier and pictures.

    Attributes
    ----------
    classifier
        With its preprocessing.
    photographs
        What to show it, all of one size.
    names
        Of the classes, in the order of the logits.
    layers
        Names of two layers with feature maps, an early one and the last.
    note
        One sentence: what this is, and why it is not the photographs where they could not be had.
    """

    classifier: Classifier
    photographs: list[Photograph]
    names: tuple[str, ...]
    layers: tuple[str, str]
    note: str


def gallery(*, cache: Path | None = None) -> Gallery:
    """
    EfficientNet-Lite0 with 26 photographs, or where these cannot be fetched a small network with digits.

    Parameters
    ----------
    cache
        Folder of the cache, by default `vitrina_datasets.cache_folder()`.

    Returns
    -------
    Gallery
    """
    try:
        classifier, names = efficientnet_lite0(cache=cache), class_names(cache=cache)
        shown = imagenet_photographs(cache=cache) + installed_photographs()
    except DataUnavailableError as error:
        return _digits(str(error), cache)
    note = _("{name} and {count} photographs.").format(name=classifier.name, count=len(shown))
    return Gallery(classifier, shown, names, ("block10_expand_activation", "top_activation"), note)


def _digits(reason: str, cache: Path | None) -> Gallery:
    data = mnist.load(cache=cache)
    model = with_weights(_build, _train, name="digits-cnn", recipe="6-12 convolutions, 3 epochs", cache=cache)
    pictures = np.rint(data.holdout_images[:26].reshape(-1, 28, 28, 1) * 255).astype(np.uint8)
    shown = [
        Photograph(f"digit_{number}", picture, int(label))
        for number, (picture, label) in enumerate(zip(pictures, data.holdout_labels[:26], strict=True))
    ]
    note = _("No photographs today, a small network and handwritten digits instead, since {reason}.")
    classifier = Classifier("digits CNN", model, _to_unit)
    return Gallery(classifier, shown, tuple("0123456789"), ("early", "late"), note.format(reason=reason))


def _to_unit(pictures: npt.ArrayLike) -> npt.NDArray[np.float32]:
    return np.asarray(pictures, np.float32) / np.float32(255)


def _build() -> keras.Sequential:
    import keras

    convolutions = [
        keras.layers.Conv2D(6, 3, strides=2, activation="relu", name="early"),
        keras.layers.Conv2D(12, 3, activation="relu", name="late"),
    ]
    return keras.Sequential([keras.Input((28, 28, 1)), *convolutions, keras.layers.Flatten(), keras.layers.Dense(10)])


def _train(model: keras.Model) -> None:
    import keras

    data = mnist.load()
    generator = np.random.default_rng(0)
    model.set_weights([_drawn(generator, weight.shape) for weight in model.get_weights()])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    for _epoch in range(3):
        order = generator.permutation(len(data.train_images))
        images = data.train_images[order].reshape(-1, 28, 28, 1)
        model.fit(images, data.train_labels[order], batch_size=32, shuffle=False, verbose=0)  # pyright: ignore[reportArgumentType]


def _drawn(generator: np.random.Generator, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Draw by He's initialisation (He et al. 2015), biases 0: no global seed is touched."""
    return generator.normal(0, math.sqrt(2 / math.prod(shape[:-1])), shape) if len(shape) > 1 else np.zeros(shape)
