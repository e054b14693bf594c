"""Small networks: Dense layers built from arrays, taken apart into arrays, trained on MNIST; networks kept in a file.

An explanation can be checked by hand only where the network is known to the last weight. Here a network *is* its
arrays: `dense_network` turns them into a Keras model and `describe_dense_network` turns the model back, so the same
few arrays serve a test, a file and the grading protocol.

TensorFlow takes seconds to import; it is loaded by the functions that need it, not by this module.
"""

from __future__ import annotations

import itertools
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypedDict, cast

import numpy as np
import numpy.typing as npt

from vitrina.convolutional import convolutional_network, describe_convolutional_network

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[np.floating[Any]]
"""An array of float32 or float64."""


class DenseDescription(TypedDict):
    """The arguments of `dense_network`."""

    weights: list[Array]
    biases: list[Array]
    activation: str


def dense_network(weights: Sequence[Array], biases: Sequence[Array], activation: str = "relu") -> keras.Sequential:
    """
    Build a network of Dense layers with the given parameters.

    Parameters
    ----------
    weights : sequence of arrays, shapes (n_in, n_out)
        One matrix per layer from the input up, all float32 or all float64; the layers compute in that type.
    biases : sequence of arrays, shapes (n_out,)
        One vector per layer.
    activation
        Keras name of the activation of every layer but the last, which is linear: the network returns logits.

    Returns
    -------
    keras.Sequential
        Maps (batch, n_in of the first layer) to logits (batch, n_out of the last).

    Raises
    ------
    ValueError
        If there is no layer, shapes do not fit, types are mixed or the activation is unknown.
    """
    import keras

    from vitrina.direct import Sequential

    dtype = _check_parameters(weights, biases)
    hidden = _activation_function(activation)
    functions = [hidden] * (len(weights) - 1) + [keras.activations.linear]
    layers = [
        keras.layers.Dense(len(bias), activation=function, kernel_initializer="zeros", dtype=dtype)
        for bias, function in zip(biases, functions, strict=True)
    ]
    model = Sequential([keras.Input((weights[0].shape[0],), dtype=dtype), *layers])
    for layer, matrix, bias in zip(layers, weights, biases, strict=True):
        layer.set_weights([matrix, bias])
    return model


def dense_parameters(model: keras.Model) -> list[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
    """
    Read the weights and bias of each Dense layer, from the input up.

    Parameters
    ----------
    model
        A built chain of Dense layers; Input, Flatten and Dropout layers have no parameters and are passed over.

    Returns
    -------
    list of (weights, bias)
        Shapes (n_in, n_out) and (n_out,), float64. The bias of a layer without one is zero.

    Raises
    ------
    ValueError
        If the model is not built or has a layer of another kind.
    """
    return [
        (weights.astype(np.float64), bias.astype(np.float64))
        for weights, bias in map(_layer_parameters, _dense_layers(model))
    ]


def describe_dense_network(model: keras.Model) -> DenseDescription:
    """
    Take a network apart: `dense_network(**describe_dense_network(model))` computes the same logits.

    Parameters
    ----------
    model
        A chain of Dense layers with one activation for all hidden layers and a linear last layer.

    Returns
    -------
    dict
        The arguments `weights`, `biases` and `activation` of `dense_network`, in the type of the model.

    Raises
    ------
    ValueError
        If `dense_network` could not build this model.
    """
    layers = _dense_layers(model)
    names = [_activation_name(layer) for layer in layers]
    if names[-1] != "linear":
        raise ValueError(f"the last layer {layers[-1].name!r} must be linear (logits), it has {names[-1]!r}")
    if len(set(names[:-1])) > 1:
        raise ValueError(f"the hidden layers must share one activation, they have {names[:-1]}")
    parameters = [_layer_parameters(layer) for layer in layers]
    return DenseDescription(
        weights=[weights for weights, _ in parameters],
        biases=[bias for _, bias in parameters],
        activation=names[0],
    )


MODEL_BUILDERS: Mapping[str, Callable[..., keras.Sequential]] = MappingProxyType(
    {"dense_network": dense_network, "convolutional_network": convolutional_network}
)
"""The functions that may rebuild a network that travelled as a name, its arrays and its options."""


def network_parameters(options: Mapping[str, Any]) -> list[Array]:
    """List the arrays among the options of a builder as `model.get_weights()` gives them."""
    convolutions = zip(options.get("kernels", ()), options.get("kernel_biases", ()), strict=True)
    layers = [*convolutions, *zip(options["weights"], options["biases"], strict=True)]
    return [array for layer in layers for array in layer]


def train_mnist_network(
    images: npt.NDArray[Any], labels: npt.NDArray[Any], *, seed: int = 0, epochs: int = 10, bias: bool = True
) -> keras.Sequential:
    """
    Train a ReLU network 784-128-64-10 on digits, the same weights for the same seed.

    Initial weights and the order of the images come from NumPy, and training stays on the processor, where its sums
    are taken in a fixed order. So two runs on one machine agree, and no global seed of the session is touched.

    Parameters
    ----------
    images : array, shape (n, 784)
        Pixels in [0, 1].
    labels : array, shape (n,)
        Digits 0 to 9.
    seed
        Draws the initial weights and the order of the images.
    epochs
        Passes over the images.
    bias
        Whether biases are learnt too; else they stay 0.

    Returns
    -------
    keras.Sequential
        Returns logits (batch, 10).

    Raises
    ------
    ValueError
        If images and labels do not have these shapes.
    """
    import keras

    if images.ndim != 2 or images.shape[1] != 784 or labels.shape != images.shape[:1]:
        raise ValueError(f"expected images (n, 784) and labels (n,), got {images.shape} and {labels.shape}")
    generator = np.random.default_rng(seed)
    with keras.device("cpu:0"):
        model = _random_relu_network(generator, [784, 128, 64, 10])
        for layer in model.layers:
            layer.bias.trainable = bias
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        # Without decay the weights of the always black border stay what was drawn: noise in every explanation.
        model.compile(keras.optimizers.AdamW(1e-3, weight_decay=1.0), loss=loss, metrics=["accuracy"])
        for _ in range(epochs):
            order = generator.permutation(len(images))
            model.fit(images[order], labels[order], batch_size=32, shuffle=False, verbose=0)  # pyright: ignore[reportArgumentType]
    return model


def save_network(model: keras.Model, path: Path | str) -> None:
    """
    Write a network to one `.npz` file without pickled objects; equal networks give equal bytes.

    Parameters
    ----------
    model
        A network as `dense_network` or `convolutional_network` builds it.
    path
        The file to write.

    Raises
    ------
    ValueError
        If neither could build this model.
    """
    images = len(getattr(model, "input_shape", ())) == 4
    description: Mapping[str, Any] = describe_convolutional_network(model) if images else describe_dense_network(model)
    arrays = {"builder": np.array("convolutional_network" if images else "dense_network")}
    for name, value in description.items():
        if isinstance(value, list) and value and isinstance(value[0], np.ndarray):
            arrays |= {f"{name}_{index}": array for index, array in enumerate(cast(list[Array], value))}
        else:
            arrays[name] = np.array(value)
    with Path(path).open("wb") as file:  # np.savez given a name would append a suffix of its own
        np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]


def load_network(path: Path | str) -> keras.Sequential:
    """
    Read a network that `save_network` wrote.

    Parameters
    ----------
    path
        The file to read.

    Returns
    -------
    keras.Sequential
        The network, built by `dense_network` or `convolutional_network`.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If the file does not hold such a network.
    """
    try:
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            builder = MODEL_BUILDERS[str(arrays["builder"])]
            return builder(**_options(arrays))
    except (ValueError, KeyError, EOFError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not a network written by save_network") from error


def _options(arrays: Any) -> dict[str, Any]:
    """Gather a builder's options from a file's arrays: `weights_0`, `weights_1` are the list `weights`."""
    options: dict[str, Any] = {}
    for name in arrays.files:
        numbered = re.fullmatch(r"(\w+)_(\d+)", name)
        if numbered:
            options.setdefault(numbered[1], []).append(arrays[name])
        elif name != "builder":
            options[name] = arrays[name].tolist()
    return options


def _check_parameters(weights: Sequence[Array], biases: Sequence[Array]) -> str:
    """Return the common type of the parameters of a chain of layers, once their shapes are known to fit."""
    if not len(weights) or len(weights) != len(biases):
        raise ValueError(f"one bias per weight matrix and at least one layer, got {len(weights)} and {len(biases)}")
    width: int | None = None
    for index, (matrix, bias) in enumerate(zip(weights, biases, strict=True)):
        shape, length = np.shape(matrix), np.shape(bias)
        if len(shape) != 2 or 0 in shape or length != shape[1:] or width not in (None, shape[0]):
            below = "n_in" if width is None else str(width)
            raise ValueError(f"layer {index}: weights {shape} and bias {length} do not fit ({below}, n_out), (n_out,)")
        width = shape[1]
    types = {str(np.asarray(array).dtype) for array in (*weights, *biases)}
    if types not in ({"float32"}, {"float64"}):
        raise ValueError(f"parameters must be all float32 or all float64, got {', '.join(sorted(types))}")
    return types.pop()


def _activation_function(name: str) -> Callable[..., Any]:
    import keras

    try:
        return keras.activations.get(str(name))
    except ValueError as error:
        raise ValueError(f"unknown activation {name!r}: give a Keras name such as 'relu' or 'tanh'") from error


def _activation_name(layer: Any) -> str:
    import keras

    name = keras.activations.serialize(layer.activation)
    if not isinstance(name, str):
        raise ValueError(f"layer {layer.name!r} has an activation without a Keras name")
    return name


def _dense_layers(model: keras.Model) -> list[Any]:
    """Return the Dense layers of a chain of them, from the input up."""
    import keras

    inert = (keras.layers.InputLayer, keras.layers.Flatten, keras.layers.Dropout)
    layers = [layer for layer in model.layers if not isinstance(layer, inert)]
    for layer in layers:
        if not isinstance(layer, keras.layers.Dense):
            raise ValueError(f"layer {layer.name!r} is a {type(layer).__name__}, only Dense is supported")
    if not layers or not model.built:
        raise ValueError(f"model {model.name!r} has no Dense layer that is built: give it an Input first")
    return layers


def _layer_parameters(layer: Any) -> tuple[Array, Array]:
    """Return weights and bias of a Dense layer in the type of the layer."""
    weights = np.asarray(layer.kernel)
    return weights, np.asarray(layer.bias) if layer.use_bias else np.zeros(weights.shape[1], weights.dtype)


def _random_relu_network(generator: np.random.Generator, sizes: Sequence[int]) -> keras.Sequential:
    """Draw a float32 ReLU network by He's initialisation (He et al. 2015): variance 2 / n_in."""
    weights = [
        (generator.standard_normal((n_in, n_out)) * np.sqrt(2 / n_in)).astype(np.float32)
        for n_in, n_out in itertools.pairwise(sizes)
    ]
    return dense_network(weights, [np.zeros(n_out, np.float32) for n_out in sizes[1:]])
