import numpy as np
import pytest

from vitrina.concept_plots import show_maximised, show_progress, show_selectivity, show_tcav
from vitrina.explain import Maximised, Tcav


def found(count=3, steps=4):
    """Inputs of 2 x 2 pixels and activations that are easy to recognise."""
    history = np.arange((steps + 1) * count, dtype=float).reshape(steps + 1, count)
    return Maximised(np.random.default_rng(0).random((count, 4)), history[-1], history, np.zeros(count, np.int32))


def result_of(names=("one", "other")):
    scores = np.stack([np.full(4, 0.9), np.array([0.2, 0.4, 0.6, 0.8])])
    return Tcav(names, np.ones((2, 4, 3)), np.ones((2, 4)), scores, np.full(4, 0.5), np.array([0.01, 0.4]))


def written(figure):
    return [text.get_text() for axis in figure.axes for text in axis.texts]


def test_each_row_has_its_pictures_with_what_they_reach_below():
    beside = {"real": np.zeros((3, 4))}
    figure = show_maximised({"raw": found(), "smooth": found()}, titles=["a", "b", "c"], beside=beside)
    texts = written(figure)
    assert [text for text in texts if text in {"real", "raw", "smooth"}] == ["real", "raw", "smooth"]
    assert [text for text in texts if text in {"a", "b", "c"}] == ["a", "b", "c"]
    assert [text for text in texts if text.isdigit()] == ["12", "13", "14"] * 2
    pictures = figure.axes[0].images or [each for each in figure.axes[0].get_children() if hasattr(each, "get_array")]
    arrays = [each.get_array() for each in pictures if np.shape(each.get_array()) == (2, 2)]
    assert len(arrays) == 9
    np.testing.assert_allclose(arrays[3].ravel(), found().images[0])


def test_limits_are_those_of_all_pictures():
    figure = show_maximised({"raw": found()}, limits=(0, 1))
    scales = [each.get_clim() for each in figure.axes[0].get_children() if np.shape(getattr(each, "_A", 0)) == (2, 2)]
    assert scales == [(0, 1)] * 3


def test_more_pictures_than_columns_go_on_below():
    sizes = [show_maximised({"raw": found(6)}, columns=columns).get_size_inches() for columns in (6, 3)]
    assert sizes[1][0] < sizes[0][0]
    assert sizes[1][1] > sizes[0][1]


def test_progress_is_the_mean_with_the_range():
    figure = show_progress({"raw": found()}, level=5.0, name="real")
    line, level = figure.axes[0].lines
    np.testing.assert_allclose(line.get_ydata(), found().history.mean(axis=1))
    np.testing.assert_allclose(level.get_ydata(), 5)
    edges = figure.axes[0].collections[0].get_paths()[0].vertices[:, 1]
    assert (edges.min(), edges.max()) == (0, 14)
    assert [text.get_text() for text in figure.legends[0].texts] == ["raw", "real"]


def test_scores_are_dots_and_only_what_is_significant_is_filled():
    figure = show_tcav({"left": result_of(), "right": result_of()})
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["one", "other", "random examples"]
    for axis in figure.axes:
        _, dots, one, _, other, by_chance, random = axis.lines
        np.testing.assert_allclose(dots.get_xdata(), 0.9)
        assert [float(line.get_xdata()[0]) for line in (one, other, random)] == pytest.approx([0.9, 0.5, 0.5])
        assert [line.get_markerfacecolor() == "white" for line in (one, other, random)] == [False, True, True]
        assert len(by_chance.get_xdata()) == 4
    strict = show_tcav({"left": result_of()}, level=0.001).axes[0].lines[2]
    assert strict.get_markerfacecolor() == "white"


def test_units_and_random_directions_share_their_bins():
    figure = show_selectivity({"first": ([0.1, 0.9, np.nan], [0.5] * 4), "second": ([0.2], [0.3])}, chance=[0.05, 0.15])
    assert [axis.get_title() for axis in figure.axes] == ["first", "second"]
    lines = [float(line.get_xdata()[0]) for line in figure.axes[0].lines]
    assert lines == pytest.approx([0.5, 0.5, 0.1])
    assert "single units" in [text.get_text() for text in figure.legends[0].texts]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: show_maximised({}),
        lambda: show_maximised({"a": found(3), "b": found(4)}),
        lambda: show_maximised({"a": found(3)}, titles=["1"]),
        lambda: show_progress({}),
        lambda: show_tcav({}),
        lambda: show_tcav({"a": result_of(), "b": result_of(("x", "y"))}),
        lambda: show_selectivity({}),
    ],
)
def test_nothing_or_what_does_not_fit_is_refused(draw):
    with pytest.raises(ValueError, match=r"needed|there is no"):
        draw()
