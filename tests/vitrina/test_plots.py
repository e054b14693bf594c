import numpy as np
import pytest
from matplotlib import pyplot as plt

from vitrina.plots import show_attributions

IMAGES = np.random.default_rng(0).random((3, 784))
MAPS = np.random.default_rng(1).standard_normal((3, 784))


def drawn(figure):
    """The images in a figure, colour bars left out, by name of the colour map."""
    found = figure.axes[0].images
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
    texts = [text.get_text() for text in figure.axes[0].texts if not text.get_text().startswith("±")]
    assert texts == ["7", "8", "9", *["input"] * 2, *["saliency"] * 2, *["LRP"] * 2]


def test_pictures_keep_their_form_and_lie_beside_and_below_each_other():
    figure = show_attributions(np.ones((3, 10, 20)), np.ones((3, 10, 20)), columns=2)
    figure.canvas.draw()
    greys, colours = ([image.get_window_extent() for image in group] for group in drawn(figure))
    for box in (*greys, *colours):
        assert box.width / box.height == pytest.approx(2, rel=1e-6)
    assert greys[0].x1 < greys[1].x0
    assert greys[0].y0 > colours[0].y1 > colours[0].y0 > greys[2].y1
    assert greys[2].x0 == greys[0].x0 == colours[0].x0


def test_everything_lies_on_the_sheet():
    methods = {"saliency": MAPS, "a method with a very long name indeed": MAPS}
    for common_scale in (False, True):
        figure = show_attributions(IMAGES, methods, titles=["one", "two", "three"], common_scale=common_scale)
        tight = figure.get_tightbbox()
        assert tight.x0 >= -0.05
        assert tight.y0 >= -0.05
        assert tight.x1 <= figure.get_size_inches()[0] + 0.05
        assert tight.y1 <= figure.get_size_inches()[1] + 0.05


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
