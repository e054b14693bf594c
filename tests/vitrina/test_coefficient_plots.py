import numpy as np
import pytest

from vitrina.coefficient_plots import show_coefficients, show_inclusion
from vitrina.explain import compare_explainers, explainability_performances

WEIGHTS = np.array([5.0, 3, 2, 1, 1])


def judged(seed):
    generator = np.random.default_rng(seed)
    return explainability_performances(
        lambda inputs: inputs @ WEIGHTS,
        np.ones((2, 5)),
        [0, 0],
        {"good": WEIGHTS, "bad": generator.random(5)},
        background=np.zeros((1, 5)),
        performance=lambda _labels, outputs: outputs.mean(),
        seed=seed,
    )


def test_each_panel_has_a_line_from_either_end_and_the_band_of_random_orders():
    found = judged(0)
    figure = show_inclusion({"one": found, "two": found})
    assert [axis.get_title() for axis in figure.axes] == ["one", "two"]
    assert [text.get_text() for text in figure.legends[0].texts] == [
        "random orders",
        "good",
        "bad",
        "least relevant first",
    ]
    first, last, *_ = figure.axes[1].lines
    np.testing.assert_allclose(first.get_ydata(), np.cumsum([0, *WEIGHTS]) / 12)
    np.testing.assert_allclose(last.get_ydata(), found["good"].curves.last_retained)
    assert first.get_color() == last.get_color()
    (band,) = figure.axes[0].collections
    heights = np.percentile(found["good"].chance.first_retained, [5, 95], axis=0)
    assert band.get_paths()[0].vertices[:, 1].max() == pytest.approx(heights.max())
    assert len(show_inclusion({"one": found}, both_ends=False).axes[0].lines) == 2


def test_scores_are_dots_with_their_mean_the_best_on_top():
    runs = [judged(seed) for seed in range(5)]
    compared = compare_explainers({name: [run[name] for run in runs] for name in ("bad", "good")})
    figure = show_coefficients({"left": compared, "right": compared})
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["good", "bad"]
    for axis in figure.axes:
        assert axis.get_xlabel() == "contrast over 5 seeds"
        _, *drawn = axis.lines  # the first is 0
        for name, dots, mean in zip(("good", "bad"), drawn[::2], drawn[1::2], strict=True):
            scores = [run[name].score for run in runs]
            np.testing.assert_allclose(dots.get_xdata(), scores)
            np.testing.assert_allclose(mean.get_xdata(), np.mean(scores))
        (band,) = axis.patches
        assert band.get_x() == pytest.approx(np.percentile(compared.chance, 5))


def test_what_cannot_be_drawn_is_refused():
    runs = [judged(seed) for seed in range(5)]
    good, bad = (compare_explainers({name: [run[name] for run in runs]}) for name in ("good", "bad"))
    with pytest.raises(ValueError, match="same explainers"):
        show_coefficients({"left": good, "right": bad})
    with pytest.raises(ValueError, match="same explainers"):
        show_coefficients({})
    for nothing in ({}, {"one": {}}):
        with pytest.raises(ValueError, match="coefficient of one explainer at least"):
            show_inclusion(nothing)
