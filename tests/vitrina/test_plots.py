import numpy as np
import pytest
from matplotlib import pyplot as plt

from vitrina.plots import show_attributions

IMAGES = np.random.default_rng(0).random((3, 784))
MAPS = np.random.default_rng(1).standard_normal((3, 784))


def drawn(figure):
    """The images in a figure, colour bars left out, by name of the colour map."""
    found = [image for axes in figure.axes for image in axes.images if image.get_array().shape != (256, 1)]
    return (
        [image for image in found if image.get_cmap().name == "gray_r"],
        [image for image in found if image.get_cmap().name == "seismic"],
    )


@pytest.mark.parametrize("shape", [(3, 784), (3, 28, 28), (3, 28, 28, 1)])
def test_each_image_has_its_attribution(shape):
    greys, colours = drawn(show_attributions(IMAGES.reshape(shape), MAPS.reshape(shape)))
    for grey, colour, image, maps in zip(greys, colours, IMAGES, MAPS, strict=True):
        np.testing.assert_array_equal(grey.get_array(), image.reshape(28, 28))
        np.testing.assert_array_equal(colour.get_array(), maps.reshape(28, 28))


def test_zero_is_white_on_either_scale():
    each = drawn(show_attributions(IMAGES, MAPS))[1]
    common = drawn(show_attributions(IMAGES, MAPS, common_scale=True))[1]
    for image, maps in zip(each, MAPS, strict=True):
        assert image.get_clim() == (-np.abs(maps).max(), np.abs(maps).max())
        np.testing.assert_allclose(image.get_cmap()(image.norm(0.0)), [1, 1, 1, 1], atol=0.02)
    assert {image.get_clim() for image in common} == {(-np.abs(MAPS).max(), np.abs(MAPS).max())}


def test_methods_get_rows_and_names_and_images_get_titles():
    figure = show_attributions(IMAGES, {"saliency": abs(MAPS), "LRP": MAPS}, titles=[7, 8, 9], columns=2)
    assert [len(group) for group in drawn(figure)] == [3, 6]
    assert [title for axes in figure.axes if (title := axes.get_title())] == ["7", "8", "9"]
    names = [text.get_text() for axes in figure.axes for text in axes.texts if text.get_text()]
    assert names == ["input", "saliency", "LRP"] * 2


def test_empty_relevance_and_missing_values_are_drawn():
    maps = np.stack([np.zeros(784), np.full(784, np.nan), MAPS[0]])
    colours = drawn(show_attributions(IMAGES, maps))[1]
    assert [image.get_clim() for image in colours[:2]] == [(-1, 1), (-1, 1)]


def test_no_figure_stays_open_and_inputs_stay_as_they_are():
    images, maps, before = IMAGES.copy(), MAPS.copy(), plt.get_fignums()
    show_attributions(images, maps).canvas.draw()
    assert plt.get_fignums() == before
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(maps, MAPS)


@pytest.mark.parametrize(
    ("images", "maps", "titles", "message"),
    [
        (IMAGES, MAPS[:2], None, "'attribution' have shape"),
        (IMAGES, {"LRP": MAPS[:2]}, None, "'LRP' have shape"),
        (IMAGES[0], MAPS[0], None, "images must have shape"),
        (np.ones((2, 783)), np.ones((2, 783)), None, "images must have shape"),
        (np.ones((0, 28, 28)), np.ones((0, 28, 28)), None, "images must have shape"),
        (IMAGES, MAPS, ["7"], "as many titles"),
    ],
)
def test_what_does_not_fit_is_refused(images, maps, titles, message):
    with pytest.raises(ValueError, match=message):
        show_attributions(images, maps, titles=titles)
