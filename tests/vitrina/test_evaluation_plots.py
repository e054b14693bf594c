import numpy as np
import pytest

from vitrina import evaluation_plots as plots
from vitrina.explain import FlippingCurve, MaxSensitivity, Randomisation, Roar, SensitivityN

SHARES = np.linspace(0, 1, 4)


def curves(level):
    outputs = level - np.outer(np.ones(2), SHARES) * [[1.0], [0.5]]
    return {name: FlippingCurve(SHARES, outputs + shift) for name, shift in [("black", 0), ("invert", 1)]}


def lines(axis):
    return {line.get_label(): line.get_ydata() for line in axis.lines}


def legend(figure):
    return [text.get_text() for text in figure.legends[0].texts]


def test_each_perturbation_has_a_panel_with_the_mean_curve_of_each_method_and_the_band_of_chance():
    chance = [curves(5.0), curves(6.0)]
    figure = plots.show_curves({"one": curves(1.0), "two": curves(2.0)}, chance=chance)
    assert [axis.get_title() for axis in figure.axes] == ["black", "invert"]
    assert legend(figure) == ["random order", "one", "two"]
    for axis, name in zip(figure.axes, ["black", "invert"], strict=True):
        np.testing.assert_allclose(lines(axis)["two"], curves(2.0)[name].outputs.mean(axis=0))
        np.testing.assert_allclose(lines(axis)["random order"], curves(5.5)[name].outputs.mean(axis=0))
        (band,) = axis.collections
        corners = band.get_paths()[0].vertices
        assert corners[:, 1].max() == pytest.approx(curves(6.0)[name].outputs.mean(axis=0).max())
        assert corners[:, 1].min() == pytest.approx(curves(5.0)[name].outputs.mean(axis=0).min())


@pytest.mark.parametrize(("low_is_good", "best"), [(False, [1, 0]), (True, [0, 1])])
def test_the_best_of_each_perturbation_is_in_a_frame(low_is_good, best):
    scores = {"a": {"black": [0.1, 0.3], "invert": 0.9}, "b": {"black": [0.5, np.nan], "invert": 0.05}}
    figure = plots.show_comparison(scores, title="AOPC", low_is_good=low_is_good)
    axis = figure.axes[0]
    assert [text.get_text() for text in axis.texts] == ["0.20", "0.90", "0.50", "0.05"]
    frames = [(round(frame.get_x() + 0.46), round(frame.get_y() + 0.44)) for frame in axis.patches]
    assert frames == list(enumerate(best))
    assert [text.get_text() for text in axis.get_yticklabels()] == ["a", "b"]
    assert axis.get_title() == "AOPC"


@pytest.mark.parametrize("mode", ["cascading", "independent"])
def test_similarities_are_drawn_from_the_trained_model_down(mode):
    values = np.array([[1.0, 0.5, 0.0], [1.0, 0.7, 0.2]])
    result = Randomisation(["top", "bottom"], mode, {"rank correlation": values, "SSIM": values}, np.zeros((3, 2, 4)))
    figure = plots.show_randomisation({"one": result, "two": result})
    assert [axis.get_title() for axis in figure.axes] == ["rank correlation", "SSIM"]
    for axis in figure.axes:
        assert [tick.get_text() for tick in axis.get_xticklabels()] == ["trained", "top", "bottom"]
        np.testing.assert_allclose(axis.containers[1].lines[0].get_ydata(), [1, 0.6, 0.1])
        assert axis.get_xlabel() == f"randomised {'down to ' if mode == 'cascading' else ''}layer"
    other = Randomisation(["top"], mode, {"SSIM": values[:, :2]}, np.zeros((2, 2, 4)))
    with pytest.raises(ValueError, match="same model and mode"):
        plots.show_randomisation({"one": result, "other": other})


def test_retrained_accuracy_has_its_range_and_chance_is_grey():
    rows = np.array([[0.9, 0.5], [0.8, 0.3]])
    figure = plots.show_roar(Roar(np.array([0, 0.5]), {"one": rows, "random": rows + 0.1}))
    axis = figure.axes[0]
    np.testing.assert_allclose(lines(axis)["one"], [0.85, 0.4])
    assert axis.collections[0].get_paths()[0].vertices[:, 1].min() == pytest.approx(0.3)
    assert [line.get_color() for line in axis.lines].index("0.6") == 1
    assert legend(figure) == ["one", "random"]


def test_sensitivities():
    result = SensitivityN(np.array([1, 10]), np.array([[1.0, 0.5], [0.8, np.nan]]))
    figure = plots.show_sensitivity_n({"one": {"zero": result}})
    np.testing.assert_allclose(lines(figure.axes[0])["one"], [0.9, 0.5])
    assert figure.axes[0].get_xscale() == "log"
    moved = MaxSensitivity(np.array([0.1, 0.2]), np.array([[1.0, 2], [3, 4], [50, 60]]))
    figure = plots.show_max_sensitivity({"one": moved})
    np.testing.assert_allclose(lines(figure.axes[0])["one"], [3, 4])


@pytest.mark.parametrize("draw", [plots.show_curves, plots.show_comparison, plots.show_sensitivity_n])
@pytest.mark.parametrize("methods", [{}, {"one": {}}, {"one": curves(1.0), "two": {"black": curves(1.0)["black"]}}])
def test_methods_measured_with_other_perturbations_are_not_drawn_together(draw, methods):
    with pytest.raises(ValueError, match="same perturbations"):
        draw(methods)
