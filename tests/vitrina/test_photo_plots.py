import numpy as np
import pytest
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle

from vitrina.explain.attention_graphs import AttentionGraph, Deletion
from vitrina.photo_plots import show_attention_graph, show_heatmaps

PHOTOGRAPH = np.random.default_rng(0).integers(0, 200, (12, 12, 3), np.uint8)
WHOLE, LEFT, RIGHT, NOTHING = frozenset({0, 3}), frozenset({0}), frozenset({3}), frozenset[int]()


def diamond():
    """Two ways from a root of two patches to nothing, on a grid of 2 x 2."""
    edges = [
        Deletion(WHOLE, LEFT, 3),
        Deletion(WHOLE, RIGHT, 0),
        Deletion(LEFT, NOTHING, 0),
        Deletion(RIGHT, NOTHING, 3),
    ]
    nodes = {WHOLE: 0.9, LEFT: 0.5, RIGHT: 0.4, NOTHING: 0.1}
    return AttentionGraph((2, 2), 0, 0.95, (WHOLE,), (WHOLE,), nodes, tuple(edges), 1, 1)


def pictures(figure):
    """What is drawn, by (left, right, bottom, top)."""
    [axes] = figure.axes
    found = [artist for artist in axes.get_children() if isinstance(artist, AxesImage)]
    return [(tuple(np.round(image.get_extent(), 6)), np.asarray(image.get_array())) for image in found]


def nodes(figure):
    return [(extent, image) for extent, image in pictures(figure) if extent[1] - extent[0] > 0.5]


def test_every_node_once_with_its_bar_and_every_edge_with_its_patch():
    figure = show_attention_graph(diamond(), PHOTOGRAPH, name="espresso")
    [axes] = figure.axes
    crops = [image for extent, image in pictures(figure) if extent[1] - extent[0] < 0.5]
    assert (len(nodes(figure)), len(crops), len(axes.lines)) == (4, 4, 4)
    texts = [text.get_text() for text in axes.texts]
    assert texts[0] == "espresso: 95% for the whole photograph"
    assert sorted(texts[2:]) == ["10%", "40%", "50%", "90%"]
    bars = [box.get_width() for box in axes.patches if isinstance(box, Rectangle) and box.get_height() == 0.1]
    assert sorted(bars) == [0.1, 0.4, 0.5, 0.9, 1, 1, 1, 1]
    means = [PHOTOGRAPH[:6, :6].mean() / 255, PHOTOGRAPH[6:, 6:].mean() / 255]
    np.testing.assert_allclose(sorted(crop.mean() for crop in crops), sorted(2 * means))


def test_a_node_shows_its_patches_and_pales_the_others():
    _, shown = min(nodes(show_attention_graph(diamond(), PHOTOGRAPH)), key=lambda node: node[0][3])
    np.testing.assert_allclose(shown[:6, :6], PHOTOGRAPH[:6, :6] / 255)
    np.testing.assert_allclose(shown[6:, 6:], PHOTOGRAPH[6:, 6:] / 255)
    assert shown[:6, 6:].min() >= 0.85


def test_nodes_do_not_overlap():
    extents = [extent for extent, _ in nodes(show_attention_graph(diamond(), PHOTOGRAPH))]
    for number, (left, right, bottom, top) in enumerate(extents):
        for other_left, other_right, other_bottom, other_top in extents[:number]:
            assert right <= other_left or other_right <= left or bottom <= other_top or other_bottom <= top


def test_a_graph_of_nothing_but_its_root():
    graph = AttentionGraph((2, 2), 0, 0.5, (NOTHING,), (NOTHING,), {NOTHING: 0.5}, (), 1, 1)
    assert len(pictures(show_attention_graph(graph, PHOTOGRAPH[..., 0] / 255))) == 1


def test_heatmaps_are_red_for_and_blue_against():
    maps = np.zeros((2, 12, 12))
    maps[0, 0, 0], maps[0, 11, 11], maps[1] = 2.0, -2.0, np.nan
    figure = show_heatmaps(np.stack([PHOTOGRAPH] * 2), {"made up": maps}, titles=["a", "b"])
    assert [axes.get_title() for axes in figure.axes[:2]] == ["a", "b"]
    assert figure.axes[2].get_ylabel() == "made up"
    laid_over, blank = (np.asarray(axes.images[0].get_array()) for axes in figure.axes[2:])
    assert laid_over[0, 0, 0] > 2 * laid_over[0, 0, 2]
    assert laid_over[11, 11, 2] > 2 * laid_over[11, 11, 0]
    np.testing.assert_allclose(laid_over[5, 5], laid_over[5, 5, 0])
    np.testing.assert_allclose(blank[..., 0], blank[..., 2])
    assert min(laid_over.min(), blank.min()) >= 0


def test_heatmaps_of_one_photograph_stand_beside_it():
    figure = show_heatmaps(PHOTOGRAPH[np.newaxis], {"one\nmap": np.ones((1, 12, 12))}, titles=["goose"])
    assert [axes.get_title() for axes in figure.axes] == ["goose", "one map"]
    left, right = (axes.images[0].get_array().mean(axis=(0, 1)) for axes in figure.axes)
    np.testing.assert_allclose(left, PHOTOGRAPH.mean(axis=(0, 1)) / 255)
    assert right[0] > 2 * right[2]


@pytest.mark.parametrize(
    ("photographs", "maps", "titles", "message"),
    [
        (PHOTOGRAPH[None], np.zeros((1, 6, 12)), None, "have shape"),
        (PHOTOGRAPH[None], np.zeros((1, 12, 12)), ["a", "b"], "as many titles"),
        (PHOTOGRAPH[None, ..., :2], np.zeros((1, 12, 12)), None, "a photograph has shape"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(photographs, maps, titles, message):
    with pytest.raises(ValueError, match=message):
        show_heatmaps(photographs, {"made up": maps}, titles=titles)
