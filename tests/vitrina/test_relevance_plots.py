"""Pictures of relevance: each word, each symbol and each explanation is there, on a scale of its row."""

import numpy as np
import pytest

from vitrina.relevance_plots import show_relevance_strips


def test_strips_have_a_scale_of_each_row_and_their_letters():
    words = np.array([[0, 1, 1], [1, 1, 0], [0, 0, 0]])
    maps = {"truth": [[True, False, False]] * 3, "method": [[-4.0, 2.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.1]]}
    figure = show_relevance_strips(words, "ab", maps, title="strips")
    assert [axes.get_title() for axes in figure.axes] == ["truth", "method"]
    assert np.array_equal(figure.axes[1].images[0].get_array(), [[1, 0.5, 0], [0, 0, 0], [0, 0, 1]])
    assert [text.get_text() for text in figure.axes[1].texts] == list("abbbbaaaa")


def test_long_strips_have_no_letters_and_still_fit():
    words = np.zeros((3, 60), int)
    figure = show_relevance_strips(words, "ab", {"one": words, "other": words})
    assert not figure.axes[0].texts
    assert figure.get_size_inches()[0] < 11


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="nothing to draw"):
        show_relevance_strips(np.zeros((0, 3), int), "ab", {"one": np.zeros((0, 3))})
    with pytest.raises(ValueError, match="nothing to draw"):
        show_relevance_strips(np.zeros((1, 3), int), "ab", {})
    with pytest.raises(ValueError, match=r"'one' has the shape \(1, 2\)"):
        show_relevance_strips(np.zeros((1, 3), int), "ab", {"one": np.zeros((1, 2))})
