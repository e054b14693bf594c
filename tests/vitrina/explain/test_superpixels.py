import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from vitrina.explain import superpixels
from vitrina_datasets import photographs


def two_halves(height=40, width=60, channels=3, edge=23):
    """Left of the edge one colour, right of it another."""
    picture = np.zeros((1, height, width, channels))
    picture[:, :, edge:] = np.linspace(0.5, 1, channels)
    return picture


def counts(labels):
    return labels.max(axis=(1, 2)) + 1


@settings(max_examples=300)
@given(
    st.tuples(st.integers(1, 3), st.integers(1, 30), st.integers(4, 30)),
    st.sampled_from([(), (1,), (3,), (2,)]),
    st.sampled_from(["slic", "grid"]),
    st.floats(0, 1),
    st.integers(0, 2**32 - 1),
)
def test_labels_are_numbers_without_gaps_for_images_of_any_size(shape, channels, method, share, seed):
    pixels = shape[1] * shape[2]
    images = np.random.default_rng(seed).integers(0, 256, (*shape, *channels)).astype(np.uint8)
    labels = superpixels(images, max(1, int(share * pixels)), method=method)
    assert labels.shape == shape
    assert labels.dtype == np.int32
    for one in labels:
        first = np.unique(one, return_index=True)
        np.testing.assert_array_equal(first[0], np.arange(len(first[0])))
        assert np.all(np.diff(first[1]) > 0)


@given(st.integers(1, 20), st.integers(4, 20), st.data())
def test_a_grid_has_about_as_many_pieces_as_asked(height, width, data):
    asked = data.draw(st.integers(1, height * width))
    labels = superpixels(np.zeros((2, height, width)), asked, method="grid")
    got = counts(labels)
    assert got[0] == got[1]
    assert asked / 2 <= got[0] <= asked * 2
    sizes = np.bincount(labels[0].ravel())
    assert sizes.max() <= 4 * sizes.min()  # a side of 1 beside a side of 2, in both directions
    for box in ndimage.find_objects(labels[0] + 1):
        assert len(np.unique(labels[0][box])) == 1  # rectangles


@pytest.mark.parametrize("asked", [4, 49, 784])
def test_a_grid_of_square_numbers_is_exact(asked):
    labels = superpixels(np.zeros((1, 28, 28)), asked, method="grid")
    assert set(np.bincount(labels.ravel())) == {784 // asked}


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_slic_keeps_to_an_edge_that_a_grid_crosses(channels):
    picture = two_halves(channels=channels)
    left = np.broadcast_to(np.arange(60) < 23, (40, 60))
    for method, keeps in [("slic", True), ("grid", False)]:
        labels = superpixels(picture, 24, method=method)[0]
        share = np.bincount(labels.ravel(), left.ravel()) / np.bincount(labels.ravel())
        assert np.all((share == 0) | (share == 1)) == keeps, method


def test_pieces_of_slic_hang_together():
    images = np.stack([one.picture for one in photographs.installed_photographs()[:2]])
    for labels in superpixels(images, 60):
        pieces = sum(ndimage.label(labels == number)[1] for number in range(labels.max() + 1))
        assert pieces == labels.max() + 1
        assert 30 <= pieces <= 80


def stroke(shift=0):
    """A slanted stroke on a dark ground, in the size of a digit."""
    row, column = np.mgrid[:28, :28]
    return np.clip(2.5 - np.abs(column - row * 0.5 - 7 - shift), 0, 1) * ((row > 4) & (row < 24))


def test_small_grey_images_are_cut_up_too():
    # where quickshift with LIME's settings returns one piece or two
    from skimage.color import gray2rgb
    from skimage.segmentation import quickshift

    images = np.stack([stroke(), stroke(4)])
    assert quickshift(gray2rgb(images[0]), kernel_size=4, max_dist=200, ratio=0.2, rng=0).max() <= 1
    labels = superpixels(images, 50)
    assert np.all((counts(labels) >= 30) & (counts(labels) <= 70))
    assert not np.array_equal(*labels)
    for image, one in zip(images, labels, strict=True):  # most of what there is to see lies between pieces
        mean = ndimage.mean(image, one, np.arange(one.max() + 1))
        assert np.var(image - mean[one]) < 0.25 * np.var(image)


def test_the_range_of_values_and_a_channel_axis_change_nothing():
    image = stroke()[np.newaxis]
    labels = superpixels(image)
    np.testing.assert_array_equal(superpixels(image[..., np.newaxis]), labels)
    np.testing.assert_array_equal(superpixels(image * 2 - 1), labels)
    np.testing.assert_array_equal(superpixels(image * 255), labels)
    np.testing.assert_array_equal(superpixels(image.astype(np.float32)), labels)


def test_a_large_compactness_makes_squares():
    image = stroke()[np.newaxis]
    boundary = [np.sum(np.diff(superpixels(image, 49, compactness=c)[0]) != 0) for c in (5.0, 1e4)]
    assert boundary[1] == 6 * 28
    assert boundary[0] != boundary[1]


@pytest.mark.parametrize("method", ["slic", "grid"])
def test_odd_images_have_superpixels_too(method):
    constant = superpixels(np.full((1, 28, 28), 7), 16, method=method)
    assert counts(constant)[0] == 16
    np.testing.assert_array_equal(superpixels(np.ones((2, 1, 5)), 1, method=method), np.zeros((2, 1, 5)))
    assert superpixels(np.ones((0, 28, 28)), method=method).shape == (0, 28, 28)


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (np.zeros((28, 28)), {}, "one image needs a batch axis"),
        (np.zeros((28, 28, 1)), {}, "one image needs a batch axis"),
        (np.zeros((224, 224, 3)), {}, "one image needs a batch axis"),
        (np.zeros((5, 784)), {}, "shape \\(batch, height, width\\)"),
        (np.zeros((1, 0, 8)), {}, "shape \\(batch, height, width\\)"),
        (np.full((1, 8, 8), np.nan), {}, "finite"),
        (np.full((1, 8, 8), "black"), {}, "numbers"),
        (np.zeros((1, 8, 8)), {"segments": 65}, "no 65 superpixels"),
        (np.zeros((1, 8, 8)), {"segments": 0}, "segments must be an int of at least 1"),
        (np.zeros((1, 8, 8)), {"segments": 2.5}, "segments must be an int"),
        (np.zeros((1, 8, 8)), {"segments": 4, "method": "quickshift"}, "method must be one of slic, grid"),
        (np.zeros((1, 8, 8)), {"segments": 4, "compactness": 0}, "compactness must be a number above 0"),
    ],
)
def test_what_does_not_fit_is_refused(images, options, message):
    with pytest.raises(ValueError, match=message):
        superpixels(images, **options)
