from io import BytesIO

import numpy as np
import pytest

from vitrina.dependence_plots import show_dependence, show_joint_dependence
from vitrina.explain.dependence import ConditionalExpectations, PartialDependence

GRID = np.linspace(0, 1, 4)
CURVES = np.array([[0.0, 1, 2, 3], [4, 4, 4, 4]])
ICE = ConditionalExpectations(GRID, CURVES, np.array([-5.0, 0.5]))
TEXT = ConditionalExpectations(np.array(["a", "b"], object), CURVES[:, :2], np.array(["b", "a"], object))
PAIR = PartialDependence(
    (GRID, np.array(["a", "b"], object)), np.arange(8.0).reshape(4, 2), (np.array([0.1, 0.9]), np.array(["b", "c"]))
)


def drawn(axis, label):
    (line,) = [line for line in axis.lines if line.get_label() == label]
    return line


def test_single_curves_and_their_mean():
    axis = show_dependence({"age": ICE}, ylabel="p").axes[0]
    np.testing.assert_allclose(drawn(axis, "mean").get_xydata(), np.column_stack([GRID, [2, 2.5, 3, 3.5]]))
    thin = [line.get_ydata() for line in axis.lines if line.get_linewidth() < 1]
    np.testing.assert_allclose(thin, CURVES)
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("age", "p")


def test_only_observed_values_inside_the_grid_are_marked():
    (rug,) = [line for line in show_dependence({"age": ICE}).axes[0].lines if line.get_marker() == "|"]
    assert list(rug.get_xdata()) == [0.5]


def test_categories_are_named_points():
    axis = show_dependence({"work": TEXT}).axes[0]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["a", "b"]
    assert drawn(axis, "mean").get_marker() == "o"


def test_a_partial_dependence_has_a_mean_alone_and_no_legend():
    figure = show_dependence({"age": PartialDependence((GRID,), CURVES[0], (GRID,))})
    np.testing.assert_allclose(drawn(figure.axes[0], "mean").get_ydata(), CURVES[0])
    assert figure.legends == []


@pytest.mark.parametrize(("count", "grid"), [(1, (1, 1)), (3, (1, 3)), (4, (2, 2)), (7, (3, 3))])
def test_panels_fill_rows_evenly(count, grid):
    figure = show_dependence({str(index): ICE for index in range(count)})
    assert figure.axes[0].get_gridspec().get_geometry() == grid
    assert sum(axis.axison for axis in figure.axes) == count


def test_many_curves_are_thinned_out_evenly():
    many = ConditionalExpectations(GRID, np.arange(1000.0)[:, np.newaxis] + GRID, np.zeros(1000))
    axis = show_dependence({"age": many}).axes[0]
    starts = [line.get_ydata()[0] for line in axis.lines if line.get_linewidth() < 1]
    assert 100 <= len(starts) <= 150
    assert min(starts) < 10
    assert max(starts) > 980


def test_a_joint_dependence_is_a_map_with_the_observed_pairs():
    figure = show_joint_dependence(PAIR, ("age", "work ($)"), label="p", title="both")
    axis = figure.axes[0]
    np.testing.assert_allclose(axis.collections[0].get_array().ravel(), PAIR.values.T.ravel())
    x, y = axis.lines[0].get_data()
    np.testing.assert_allclose(x, [0.1, 0.9])
    np.testing.assert_array_equal(y, [1, np.nan])
    assert (axis.get_xlabel(), axis.get_ylabel(), axis.get_title()) == ("age", "work ($)", "both")
    figure.savefig(BytesIO())


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="nothing to draw"):
        show_dependence({})
    with pytest.raises(ValueError, match="show_joint_dependence"):
        show_dependence({"both": PAIR})
    with pytest.raises(ValueError, match="two features"):
        show_joint_dependence(PartialDependence((GRID,), GRID, (GRID,)), ("a", "b"))


def test_a_feature_that_never_changes_is_a_point():
    constant = ConditionalExpectations(GRID[:1], CURVES[:, :1], np.zeros(3))
    assert drawn(show_dependence({"age": constant}).axes[0], "mean").get_marker() == "o"
