"""Trained networks at hand: trained once on this machine, then read from the user's cache.

A file in the cache is named after everything that decides its weights, so a changed recipe never meets old weights.
"""

from __future__ import annotations

import hashlib
import itertools
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

import vitrina.models
from vitrina.models import dense_network, train_mnist_network
from vitrina_datasets import cache_arrays, cache_folder, mnist

if TYPE_CHECKING:
    import keras

_Model = TypeVar("_Model", bound="keras.Model")
_SIZES = (784, 128, 64, 10)


def mnist_network(*, seed: int = 0, bias: bool = True, cache: Path | None = None) -> keras.Sequential:
    """
    Return the course's MNIST network: 784-128-64-10, ReLU between the layers, logits at the end.

    Parameters
    ----------
    seed
        Draws the initial weights and the order of the images.
    bias
        Whether the units have biases; without, all of them stay 0.
    cache
        Folder of the cache, by default `vitrina_datasets.cache_folder()`.

    Returns
    -------
    keras.Sequential
        Trained by `vitrina.models.train_mnist_network` on the training part of `vitrina_datasets.mnist`.
    """

    def build() -> keras.Sequential:
        pairs = list(itertools.pairwise(_SIZES))
        return dense_network([np.zeros(p, np.float32) for p in pairs], [np.zeros(n, np.float32) for _, n in pairs])

    def train(model: keras.Model) -> None:
        digits = mnist.load()
        trained = train_mnist_network(digits.train_images, digits.train_labels, seed=seed, bias=bias)
        model.set_weights(trained.get_weights())

    recipe = f"{_hash_of(vitrina.models.__file__)} {_hash_of(mnist.__file__)} {seed} {bias}"
    return with_weights(build, train, name="mnist-network", recipe=recipe, cache=cache)


def with_weights(
    build: Callable[[], _Model],
    train: Callable[[_Model], object],
    *,
    name: str,
    recipe: str,
    cache: Path | None = None,
) -> _Model:
    """
    Build a model and give it trained weights: those that an earlier call left in the cache, or new ones.

    Parameters
    ----------
    build
        Makes the untrained model, built, of the same shapes every time.
    train
        Trains a model in place; only called where the cache has no weights.
    name
        Begins the name of the file.
    recipe
        Names everything that decides the weights: architecture, data, seed, epochs. Another recipe is another file.
    cache
        Folder of the cache, by default `vitrina_datasets.cache_folder()`. A folder that cannot be written and a damaged
        file only cost time.

    Returns
    -------
    keras.Model
        The trained model.
    """
    import keras

    model = build()
    shapes = [tuple(weight.shape) for weight in model.weights]
    identity = hashlib.sha256(f"{recipe} {shapes} {keras.__version__}".encode()).hexdigest()[:12]
    path = (cache or cache_folder()) / f"{name}-{identity}.npz"
    weights = _read(path, shapes)
    if weights is not None:
        model.set_weights(weights)
        return model
    train(model)
    cache_arrays(path, {str(index): weight for index, weight in enumerate(model.get_weights())})
    return model


def _hash_of(file: str | None) -> str:
    return hashlib.sha256(Path(str(file)).read_bytes()).hexdigest()


def _read(path: Path, shapes: list[tuple[int, ...]]) -> list[npt.NDArray[Any]] | None:
    """Return the weights in the order of the model, or None where there is no sound file."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            weights = [stored[str(index)] for index in range(len(stored.files))]
    except (OSError, ValueError, KeyError, EOFError, AttributeError, TypeError, zipfile.BadZipFile):
        return None
    return weights if [weight.shape for weight in weights] == shapes else None
