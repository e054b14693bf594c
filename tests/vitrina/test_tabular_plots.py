from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex

from vitrina import tabular_plots as plots
from vitrina.plots import AGAINST, FOR

SCORES = np.array([0.5, -2.0, 0.0, 1.0])
NAMES = ["age", "hours", "sex", "capital gain ($)"]
RANDOM = np.random.default_rng(0)


def rows(figure):
    """Labels of the rows from top to bottom, on one line each."""
    axis = figure.axes[0]
    assert axis.yaxis_inverted()
    return [label.get_text().replace("\n", " ") for label in axis.get_yticklabels()]


def bars(axis):
    return [(bar.get_x(), bar.get_width(), to_hex(bar.get_facecolor())) for bar in axis.patches]


def texts(axis):
    return [text.get_text() for text in axis.texts]


def test_bars_are_ordered_by_size_and_coloured_by_sign():
    figure = plots.show_bars(SCORES, NAMES, values=[30.0, 40, "female", 0.123456], title="one")
    assert rows(figure) == ["hours = 40", "capital gain ($) = 0.1235", "age = 30", "sex = female"]
    assert bars(figure.axes[0]) == [(0, -2, AGAINST), (0, 1, FOR), (0, 0.5, FOR), (0, 0, FOR)]
    assert texts(figure.axes[0]) == ["−2", "+1", "+0.5", "+0"]
    assert figure.get_suptitle() == "one"


def test_numbers_beside_tiny_bars_do_not_cover_names():
    figure = plots.show_bars([1e12, -3e-9, 5.0], ["a", "b", "c"])
    (axis,) = figure.axes
    figure.savefig(BytesIO())
    assert min(text.get_window_extent().x0 for text in axis.texts) >= axis.get_window_extent().x0


@pytest.mark.parametrize("features", [1, 3, 4, 5, 12])
def test_the_label_of_colours_does_not_cover_its_ends(features):
    figure = plots.show_summary(np.ones((2, features)), np.ones((2, features)))
    figure.savefig(BytesIO())
    bar = figure.axes[-1]
    low, high = (label.get_window_extent() for label in bar.get_yticklabels())
    name = bar.yaxis.label.get_window_extent()
    if features > 1:  # a single row has no room for anything
        assert low.y1 <= name.y0
        assert name.y1 <= high.y0


def test_what_is_left_over_is_added_up():
    scores = np.arange(30.0) - 10
    figure = plots.show_bars(scores, top=5)
    assert rows(figure) == [f"feature {index}" for index in (29, 28, 27, 26)] + ["26 others together"]
    assert sum(width for _, width, _ in bars(figure.axes[0])) == pytest.approx(scores.sum())
    assert rows(plots.show_bars(scores, top=30))[-1] == "feature 10"


def test_methods_have_panels_in_one_order():
    figure = plots.show_bars({"shap": SCORES, "ours": 10 * SCORES[::-1]}, NAMES)
    assert [axis.get_title() for axis in figure.axes] == ["shap", "ours"]
    assert rows(figure)[0] == "sex"  # the largest on average
    assert [width for _, width, _ in bars(figure.axes[0])] == [SCORES[NAMES.index(name)] for name in rows(figure)]
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim()
    apart = plots.show_bars({"shap": SCORES, "ours": 10 * SCORES[::-1]}, NAMES, common_scale=False)
    assert apart.axes[0].get_xlim() != apart.axes[1].get_xlim()


@pytest.mark.parametrize("top", [2, 12])
def test_a_waterfall_leads_from_the_base_to_the_output(top):
    axis = plots.show_waterfall(SCORES, NAMES, base=0.25, top=top).axes[0]
    place = 0.25
    for left, width, colour in bars(axis):
        assert left == pytest.approx(place)
        assert colour == (AGAINST if width < 0 else FOR)
        place = left + width
    assert place == pytest.approx(0.25 + SCORES.sum())
    assert texts(axis)[-2:] == ["base 0.25", "output −0.25"]
    low, high = axis.get_xlim()
    assert low < -1.75
    assert high > 0.25


def test_a_swarm_shows_every_instance_at_its_attribution():
    table = RANDOM.standard_normal((200, 3))
    scores = table * [1, -3, 0.1]
    figure = plots.show_summary(scores, table, list("abc"))
    assert rows(figure) == ["b", "a", "c"]
    for row, (points, feature) in enumerate(zip(figure.axes[0].collections, [1, 0, 2], strict=True)):
        x, y = points.get_offsets().T
        np.testing.assert_allclose(x, scores[:, feature])
        assert np.abs(y - row).max() <= 0.4 + 1e-9
        green = points.get_facecolors()[:, 1]  # grows from low to high
        assert green[table[:, feature].argmax()] > green[table[:, feature].argmin()]


def test_points_that_coincide_are_piled_up():
    figure = plots.show_summary(np.zeros((9, 1)), np.arange(9.0)[:, np.newaxis])
    heights = figure.axes[0].collections[0].get_offsets()[:, 1]
    assert len(np.unique(np.round(heights, 6))) == 9
    np.testing.assert_allclose(heights.mean(), 0, atol=1e-12)


def test_a_data_frame_brings_its_names_and_what_is_no_number_is_grey():
    frame = pd.DataFrame({"age": [1.0, np.nan, 3.0], "sex": ["f", "m", "f"], "constant": [5, 5, 5]})
    figure = plots.show_summary(np.array([[3.0, 2, 1]] * 3), frame)
    assert rows(figure) == ["age", "sex", "constant"]
    age, sex, constant = (points.get_facecolors() for points in figure.axes[0].collections)
    grey = (0.65, 0.65, 0.65, 1)
    assert [tuple(colour) == grey for colour in age] == [False, True, False]
    assert all(tuple(colour) == grey for colour in sex)
    assert len({tuple(colour) for colour in constant}) == 1
    assert tuple(constant[0]) != grey


def test_importance_has_its_spread_and_an_order():
    repeats = np.array([[1.0, 3.0], [5.0, 5.0], [0.0, 0.0]])
    figure = plots.show_importance({"permutation": repeats, "mean |SHAP|": [1, 2, 3]}, list("abc"))
    assert rows(figure) == ["b", "a", "c"]
    assert [width for _, width, _ in bars(figure.axes[0])] == [5, 2, 0]
    assert [width for _, width, _ in bars(figure.axes[1])] == [2, 1, 3]
    (spread,) = figure.axes[0].collections
    np.testing.assert_allclose([np.ptp(line[:, 0]) / 2 for line in spread.get_segments()], [0, 1, 0])


def test_what_is_not_shown_is_said():
    assert "10 more are not shown" in texts(plots.show_importance(np.arange(30.0)).axes[0])
    figure = plots.show_summary(RANDOM.standard_normal((5, 30)), RANDOM.standard_normal((5, 30)), top=10)
    assert "20 more are not shown" in texts(figure.axes[0])


def test_interactions_leave_out_the_diagonal():
    figure = plots.show_interactions(np.array([[100.0, -2], [-2, 100]]), ["a", "b"], title="pairs")
    (image,) = figure.axes[0].images
    assert image.get_clim() == (-2, 2)
    np.testing.assert_array_equal(np.ma.getmaskarray(image.get_array()), np.eye(2, dtype=bool))
    assert texts(figure.axes[0]) == ["−2", "−2"]
    assert texts(plots.show_interactions(np.ones((30, 30))).axes[0]) == []


def test_numbers_of_interactions_stand_out_from_their_cells():
    """One of white and black has a contrast of 4.5 (WCAG 2) with any colour; blues are darker than reds of a size."""
    axis = plots.show_interactions(np.linspace(-1, 1, 100).reshape(10, 10)).axes[0]
    assert len(axis.texts) == 90
    for text in axis.texts:
        column, row = (int(place) for place in text.get_position())
        cell = np.array(axis.images[0].to_rgba(axis.images[0].get_array()[row, column])[:3])
        linear = np.where(cell <= 0.04045, cell / 12.92, ((cell + 0.055) / 1.055) ** 2.4)
        light = linear @ [0.2126, 0.7152, 0.0722]
        contrast = 1.05 / (light + 0.05) if text.get_color() == "white" else (light + 0.05) / 0.05
        assert contrast > 4.5


def test_long_names_stay_readable_and_keep_their_values():
    long = "what the household's member who answered the questionnaire said about the work of the person"
    figure = plots.show_bars([1.0, 2.0], [long, "x" * 200], values=["never married at all, and not to be", 7])
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert max(len(line) for label in labels for line in label.split("\n")) <= 30
    assert "… =" in labels[1].replace("\n", " ")
    assert "xxx… = 7" in labels[0].replace("\n", " ")
    assert labels[0].endswith("= 7")
    figure.savefig(BytesIO())
    assert figure.get_tightbbox().x0 >= -0.05


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plots.show_bars(SCORES, NAMES),
        lambda: plots.show_waterfall([1.0], base=0),
        lambda: plots.show_summary([[1.0]], [[1.0]]),
        lambda: plots.show_importance([1.0]),
        lambda: plots.show_interactions([[1.0]]),
    ],
)
def test_figures_are_left_to_the_caller(draw):
    before = plt.get_fignums()
    draw().savefig(BytesIO())
    assert plt.get_fignums() == before


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: plots.show_bars(np.ones((3, 4))), "one instance and one target"),
        (lambda: plots.show_bars({}), "nothing to draw"),
        (lambda: plots.show_bars({"a": [1, 2], "b": [1]}), "'b'"),
        (lambda: plots.show_bars([1, np.nan]), "NaN"),
        (lambda: plots.show_bars([1, 2], ["a"]), "2 features need as many names, got 1"),
        (lambda: plots.show_bars([1, 2], values=[1, 2, 3]), "as many values, got 3"),
        (lambda: plots.show_waterfall([], base=0), "one instance"),
        (lambda: plots.show_summary(np.ones((3, 2, 4)), np.ones((3, 4))), r"\(3, 2, 4\) and \(3, 4\)"),
        (lambda: plots.show_summary(np.ones((3, 2)), np.ones((3, 2)), ["a"]), "names"),
        (lambda: plots.show_importance([]), "must have shape"),
        (lambda: plots.show_importance({}), "nothing to draw"),
        (lambda: plots.show_importance({"a": [1, 2], "b": [1]}), "'b'"),
        (lambda: plots.show_interactions([1, 2]), "features, features"),
        (lambda: plots.show_interactions([[0, np.inf], [1, 0]]), "infinite"),
    ],
)
def test_what_does_not_fit_is_refused(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()
