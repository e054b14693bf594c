import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lime.lime_image import LimeImageExplainer
from scipy.ndimage import gaussian_filter

from vitrina.explain import lime_image, superpixels
from vitrina.explain.lime import image as module

SHAPES = [(12, 9), (12, 9, 1), (12, 9, 3)]


class Recorded:
    def __init__(self, function):
        self.function, self.asked = function, []

    def __call__(self, images):
        self.asked.append(np.array(images))
        return self.function(images)


def quarters(height=12, width=9):
    """Four superpixels with numbers that are not in a row."""
    labels = np.full((height, width), 7)
    labels[:5, :4], labels[:5, 4:], labels[5:, :4] = 2, 3, 11
    return labels


def curved(images):
    """Two scores that no linear model gets right."""
    flat = images.reshape(len(images), -1).astype(float)
    return np.stack([np.tanh(flat[:, ::2].sum(axis=1) / 9), np.sin(flat).sum(axis=1)], axis=1)


@given(st.sampled_from(SHAPES), st.floats(-2, 2), st.integers(0, 2**32 - 1))
@settings(max_examples=15)
def test_a_linear_model_gives_each_superpixel_its_share(shape, hide, seed):
    generator = np.random.default_rng(seed)
    images, weights = generator.normal(size=(2, *shape)), generator.normal(size=shape)
    model = lambda x: (x * weights).reshape(len(x), -1).sum(axis=1)  # noqa: E731
    found = lime_image(model, images, 0, segments=quarters(), hide=hide, ridge=0, samples=100, seed=seed % 9)
    assert found.attributions.shape == images.shape
    lost = (images - hide) * weights
    lost = lost.sum(axis=3) if lost.ndim == 4 else lost
    for number in range(2):
        for place, label in enumerate((2, 3, 7, 11)):
            share = lost[number][quarters() == label].sum()
            assert found.coefficients[number][place] == pytest.approx(share, abs=1e-8)
            np.testing.assert_allclose(found.attributions[number][quarters() == label], share, atol=1e-8)
    np.testing.assert_allclose(found.fidelity, 1, atol=1e-9)
    np.testing.assert_allclose(found.local_prediction, model(images), atol=1e-8)


@pytest.mark.parametrize(("hide", "hide_color"), [("mean", None), (0.25, 0.25)])
@pytest.mark.parametrize("features", [None, 2, 7])
def test_on_the_same_masks_the_library_finds_the_same(hide, hide_color, features, monkeypatch):
    image = np.random.default_rng(0).random((12, 9, 3))
    labels = superpixels(image[np.newaxis], 12)[0]
    asked = Recorded(curved)
    theirs = LimeImageExplainer(random_state=0).explain_instance(
        image,
        asked,
        labels=(1,),
        top_labels=None,
        hide_color=hide_color,
        num_samples=200,
        num_features=features or 999,
        segmentation_fn=lambda _: labels,
    )
    masks = np.random.RandomState(0)
    masks.randint(0, high=1000)  # the library draws a seed for its segmentation first
    parts = labels.max() + 1
    shown = masks.randint(0, 2, 200 * parts).reshape(200, parts)[1:].astype(bool)

    class Drawn:
        def integers(self, *_):
            return shown.astype(np.uint8)

    monkeypatch.setattr(module.np.random, "default_rng", lambda _: Drawn())
    ours = Recorded(curved)
    found = lime_image(ours, image[np.newaxis], 1, segments=labels, hide=hide, samples=200, features=features)
    np.testing.assert_allclose(np.concatenate(ours.asked), np.concatenate(asked.asked), atol=1e-12)
    other = dict(theirs.local_exp[1])
    np.testing.assert_allclose(found.coefficients[0], [other.get(i, 0) for i in range(parts)], atol=1e-9)
    mine = found.intercept[0], found.fidelity[0], found.local_prediction[0]
    np.testing.assert_allclose(mine, (theirs.intercept[1], theirs.score, theirs.local_pred[0]), atol=1e-9)


def test_the_leading_superpixels_are_those_of_the_library():
    image = np.random.default_rng(1).random((28, 28, 3))
    labels = superpixels(image[np.newaxis], 25, method="grid")[0]
    weights = np.random.default_rng(2).normal(size=image.shape)
    model = lambda x: np.tanh((x * weights).reshape(len(x), -1).sum(axis=1, keepdims=True) / 20)  # noqa: E731
    found = lime_image(model, image[np.newaxis], 0, segments=labels).coefficients[0]
    theirs = LimeImageExplainer(random_state=3).explain_instance(
        image, model, labels=(0,), top_labels=None, segmentation_fn=lambda _: labels
    )
    other = np.array([value for _, value in sorted(theirs.local_exp[0])])
    assert np.corrcoef(found, other)[0, 1] > 0.95
    assert len(set(np.argsort(-np.abs(found))[:5]) & set(np.argsort(-np.abs(other))[:5])) >= 4


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 1), (28, 28, 3), (784,)])
def test_digits_in_every_shape_have_an_explanation(shape):
    images = np.zeros((1, 28, 28))
    images[0, 5:23, 12:16] = 1
    given = np.broadcast_to(images[..., np.newaxis], (1, 28, 28, 3)) if shape[-1] == 3 else images.reshape(1, *shape)
    ink = lambda x: x.reshape(len(x), -1).mean(axis=1)  # noqa: E731
    found = lime_image(ink, given, 0, hide=0.0)
    assert found.attributions.shape == given.shape
    assert found.segments.shape == (1, 28, 28)
    assert found.segments.max() > 20
    per_pixel = found.attributions.reshape(1, 28, 28, -1)
    stroke = images[0] > 0
    assert per_pixel[0][stroke].mean() > 5 * abs(per_pixel[0][~stroke].mean())


def test_hidden_superpixels_show_what_was_asked():
    images = np.random.default_rng(0).random((1, 12, 9, 3)).astype(np.float32)
    labels = quarters()

    def hidden(hide):
        asked = Recorded(curved)
        lime_image(asked, images, 0, segments=labels, hide=hide, samples=60)
        all_hidden = [one for one in np.concatenate(asked.asked) if not np.any(one == images[0])]
        assert all_hidden
        return all_hidden[0]

    mean = hidden("mean")
    for label in (2, 3, 7, 11):
        np.testing.assert_allclose(
            mean[labels == label],
            np.tile(images[0][labels == label].mean(axis=0), ((labels == label).sum(), 1)),
            rtol=1e-5,
        )
    np.testing.assert_allclose(hidden("blur"), gaussian_filter(images, (0, 9 / 8, 9 / 8, 0))[0], atol=1e-6)
    np.testing.assert_allclose(hidden([0.1, 0.2, 0.3]), np.broadcast_to(np.float32([0.1, 0.2, 0.3]), (12, 9, 3)))
    np.testing.assert_allclose(hidden(images[:, ::-1]), images[0, ::-1])


def test_integers_are_shown_as_they_are():
    images = np.random.default_rng(0).integers(0, 256, (1, 12, 9, 3)).astype(np.uint8)
    asked = Recorded(curved)
    whole = lime_image(asked, images, 0, segments=quarters(), hide="mean", samples=40)
    assert np.concatenate(asked.asked).max() > 1
    floats = lime_image(curved, images.astype(float), 0, segments=quarters(), samples=40)
    np.testing.assert_allclose(whole.attributions, floats.attributions, atol=1e-4)


@pytest.mark.parametrize("count", [1, 7, 49, 50])
def test_chunks_change_nothing(count, monkeypatch):
    images = np.random.default_rng(0).random((2, 12, 9, 3))
    whole = lime_image(curved, images, [1, 0], segments=12, samples=50)
    monkeypatch.setattr(module, "rows_at_once", lambda _: count)
    chunked = lime_image(curved, images, [1, 0], segments=12, samples=50)
    np.testing.assert_allclose(chunked.attributions, whole.attributions, atol=1e-12)


def test_the_seed_belongs_to_the_call_and_images_to_themselves():
    images = np.random.default_rng(0).random((3, 12, 9, 1))
    options = {"segments": 12, "samples": 50}
    both = lime_image(curved, images, [0, 1, 1], **options, seed=3)
    alone = lime_image(curved, images[1:2], 1, **options, seed=3)
    np.testing.assert_allclose(both.attributions[1:2], alone.attributions, atol=1e-12)
    assert not np.allclose(lime_image(curved, images[1:2], 1, **options, seed=4).attributions, alone.attributions)
    several = lime_image(curved, images, [[0, 1]] * 3, **options, seed=3)
    assert several.attributions.shape == (3, 2, 12, 9, 1)
    assert several.coefficients[1].shape == (2, several.segments[1].max() + 1)
    np.testing.assert_allclose(several.attributions[1, 1], alone.attributions[0], atol=1e-12)


def test_one_forward_pass_per_sample():
    asked = Recorded(curved)
    lime_image(asked, np.random.default_rng(0).random((2, 12, 9, 1)), 0, segments=12, samples=50)
    assert sum(map(len, asked.asked)) == 2 * 50


IMAGES = np.zeros((1, 12, 9, 3))


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (IMAGES[0], {}, "one image needs a batch axis"),
        (np.zeros((2, 12)), {}, "images must have shape"),
        (np.full((1, 12, 9), "x"), {}, "images must be numbers"),
        (np.full((1, 12, 9), np.nan), {}, "finite"),
        (IMAGES, {"segments": 200}, "no 200 superpixels"),
        (IMAGES, {"segments": 0}, "segments must be an int"),
        (IMAGES, {"segments": np.zeros((9, 12), int)}, r"label maps of ints, shape \(1, 12, 9\) or \(12, 9\)"),
        (IMAGES, {"segments": np.zeros((12, 9))}, "label maps of ints"),
        (IMAGES, {"segmentation": "quickshift"}, "method must be one of slic, grid"),
        (IMAGES, {"hide": "black"}, "hide must be 'mean', 'blur', a number or an array"),
        (IMAGES, {"hide": np.zeros(2)}, "broadcasts"),
        (IMAGES, {"hide": np.inf}, "finite"),
        (IMAGES, {"samples": 1}, "samples must be at least 2"),
        (IMAGES, {"target": 2}, "target must be a class from 0 to 1"),
        (IMAGES, {"selection": "best"}, "selection must be one of"),
        (IMAGES[:0], {}, "no picture"),
    ],
)
def test_what_does_not_fit_is_refused(images, options, message):
    arguments = {"target": 0, "segments": 4} | options
    with pytest.raises(ValueError, match=message):
        lime_image(curved, images, **arguments)
