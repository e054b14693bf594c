"""Small convolutional networks: built from arrays, taken apart into arrays, trained on MNIST.

One architecture, the smallest that has all a classifier of images is made of: convolutions with ReLU, each followed by
pooling, then Dense layers down to the logits. As in `vitrina.models`, a network *is* its arrays.

TensorFlow takes seconds to import; it is loaded by the functions that need it, not by this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[np.floating[Any]]
POOLINGS = ("max", "average")
_POOL = 2  # side of a pooling window, and the step from one to the next


class ConvolutionalDescription(TypedDict):
    """The arguments of `convolutional_network`."""

    image_shape: list[int]
    kernels: list[Array]
    kernel_biases: list[Array]
    weights: list[Array]
    biases: list[Array]
    pooling: str


def convolutional_network(
    image_shape: Sequence[int],
    kernels: Sequence[Array],
    kernel_biases: Sequence[Array],
    weights: Sequence[Array],
    biases: Sequence[Array],
    pooling: str = "max",
) -> keras.Sequential:
    """
    Build a convolutional network with the given parameters.

    Each convolution (no padding, stride 1) is followed by a ReLU and by pooling of 2 x 2 windows; then come Flatten and
    Dense layers, all but the last with a ReLU.

    Parameters
    ----------
    image_shape : sequence of three ints
        Height, width and channels of an image.
    kernels : sequence of arrays, shapes (height, width, channels_in, channels_out)
        One kernel per convolution from the input up; all parameters are float32 or all float64.
    kernel_biases : sequence of arrays, shapes (channels_out,)
        One vector per convolution.
    weights : sequence of arrays, shapes (n_in, n_out)
        One matrix per Dense layer, at least one.
    biases : sequence of arrays, shapes (n_out,)
        One vector per Dense layer.
    pooling : {"max", "average"}
        How a window becomes one value.

    Returns
    -------
    keras.Sequential
        Maps images (batch, height, width, channels) to logits (batch, n_out of the last layer).

    Raises
    ------
    ValueError
        If shapes do not fit, types are mixed or the pooling is unknown.
    """
    import keras

    from vitrina.direct import Sequential

    parameters = [*zip(kernels, kernel_biases, strict=True), *zip(weights, biases, strict=True)]
    dtype = _check(tuple(image_shape), len(kernels), parameters, pooling)
    pool = keras.layers.MaxPooling2D if pooling == "max" else keras.layers.AveragePooling2D
    layers: list[Any] = []
    for kernel in kernels:
        size, filters = kernel.shape[:2], kernel.shape[3]
        layers.append(keras.layers.Conv2D(filters, size, activation="relu", kernel_initializer="zeros", dtype=dtype))
        layers.append(pool(_POOL, dtype=dtype))
    layers.append(keras.layers.Flatten(dtype=dtype))
    for index, bias in enumerate(biases, start=1):
        function = "relu" if index < len(biases) else "linear"
        layers.append(keras.layers.Dense(len(bias), activation=function, kernel_initializer="zeros", dtype=dtype))
    model = Sequential([keras.Input(tuple(image_shape), dtype=dtype), *layers])
    parametrised = [layer for layer in layers if layer.weights]
    for layer, arrays in zip(parametrised, parameters, strict=True):
        layer.set_weights(list(arrays))
    return model


def describe_convolutional_network(model: keras.Model) -> ConvolutionalDescription:
    """
    Take a network apart: `convolutional_network(**describe_convolutional_network(model))` computes the same logits.

    Parameters
    ----------
    model
        A network as `convolutional_network` builds it.

    Returns
    -------
    dict
        The arguments of `convolutional_network`, in the type of the model.

    Raises
    ------
    ValueError
        If `convolutional_network` could not build this model.
    """
    import keras

    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    averages = any(isinstance(layer, keras.layers.AveragePooling2D) for layer in model.layers)
    pairs = [[np.asarray(weight) for weight in layer.get_weights()] for layer in [*convolutions, *dense]]
    if not dense or len(model.input_shape) != 4 or any(len(pair) != 2 for pair in pairs):
        raise ValueError(f"model {model.name!r} is no network as convolutional_network builds it")
    count = len(convolutions)
    description = ConvolutionalDescription(
        image_shape=[int(side) for side in model.input_shape[1:]],
        kernels=[kernel for kernel, _ in pairs[:count]],
        kernel_biases=[bias for _, bias in pairs[:count]],
        weights=[matrix for matrix, _ in pairs[count:]],
        biases=[bias for _, bias in pairs[count:]],
        pooling="average" if averages else "max",
    )
    try:
        rebuilt = _layout(convolutional_network(**description))
    except ValueError:  # the parameters do not fit layers of this kind
        rebuilt = []
    if _layout(model) != rebuilt:
        raise ValueError(f"model {model.name!r} has layers or options that convolutional_network does not build")
    return description


def train_mnist_cnn(
    images: npt.NDArray[Any], labels: npt.NDArray[Any], *, seed: int = 0, epochs: int = 6
) -> keras.Sequential:
    """
    Train a convolutional network on digits, the same weights for the same seed.

    Two convolutions of 5 x 5 with 8 and 16 channels, each with ReLU and max pooling, then ten logits. What is random
    comes from NumPy, and training stays on the processor, as in `vitrina.models.train_mnist_network`.

    Parameters
    ----------
    images : array, shape (n, 28, 28, 1)
        Pixels in [0, 1].
    labels : array, shape (n,)
        Digits 0 to 9.
    seed
        Draws the initial weights and the order of the images.
    epochs
        Passes over the images.

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

    if images.shape[1:] != (28, 28, 1) or labels.shape != images.shape[:1]:
        raise ValueError(f"expected images (n, 28, 28, 1) and labels (n,), got {images.shape} and {labels.shape}")
    generator = np.random.default_rng(seed)
    with keras.device("cpu:0"):
        model = _random_network(generator)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.AdamW(2e-3, weight_decay=0.1), loss=loss)
        for _ in range(epochs):
            order = generator.permutation(len(images))
            model.fit(images[order], labels[order], batch_size=32, shuffle=False, verbose=0)  # pyright: ignore[reportArgumentType]
    return model


def _random_network(generator: np.random.Generator) -> keras.Sequential:
    """Draw a float32 network for digits by He's initialisation (He et al. 2015): variance 2 / n_in."""

    def drawn(*shape: int) -> Array:
        return (generator.standard_normal(shape) * np.sqrt(2 / np.prod(shape[:-1]))).astype(np.float32)

    kernels, weights = [drawn(5, 5, 1, 8), drawn(5, 5, 8, 16)], [drawn(4 * 4 * 16, 10)]
    zeros = [np.zeros(parameter.shape[-1], np.float32) for parameter in (*kernels, *weights)]
    return convolutional_network((28, 28, 1), kernels, zeros[:2], weights, zeros[2:])


def _check(
    image_shape: tuple[int, ...], convolutions: int, parameters: Sequence[tuple[Array, Array]], pooling: str
) -> str:
    """Return the common type of the parameters, once everything is known to fit."""
    if pooling not in POOLINGS:
        raise ValueError(f"unknown pooling {pooling!r}: choose one of {', '.join(POOLINGS)}")
    if len(image_shape) != 3 or len(parameters) == convolutions:
        raise ValueError(f"an image_shape of three numbers and a Dense layer are needed, got {image_shape}")
    shape = image_shape
    for index, (array, bias) in enumerate(parameters):
        if index == convolutions:
            shape = (int(np.prod(shape)),)
        ndim = 4 if index < convolutions else 2
        if np.ndim(array) != ndim or array.shape[-2] != shape[-1] or bias.shape != array.shape[-1:]:
            raise ValueError(f"layer {index}: weights {array.shape} and bias {bias.shape} do not fit inputs {shape}")
        sides = [(side - array.shape[axis] + 1) // _POOL for axis, side in enumerate(shape[:-1])]
        if any(side < 1 for side in sides):
            raise ValueError(f"layer {index}: inputs {shape} are too small for a kernel {array.shape} and pooling")
        shape = (*sides, array.shape[-1])
    types = {str(array.dtype) for pair in parameters for array in pair}
    if types not in ({"float32"}, {"float64"}):
        raise ValueError(f"parameters must be all float32 or all float64, got {', '.join(sorted(types))}")
    return types.pop()


def _layout(model: keras.Model) -> list[Any]:
    """Everything that decides what a network computes, but for its parameters and names."""
    options = ("activation", "strides", "padding", "dilation_rate", "groups", "pool_size", "data_format", "use_bias")
    layers = [(type(layer).__name__, layer.get_config(), layer.output.shape) for layer in model.layers]
    return [(kind, [config.get(option) for option in options], shape) for kind, config, shape in layers]
