"""Each picture holds the numbers of the network that it shows: a hand-made one, whose states are known."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle

from vitrina.automata import LANGUAGES, PARITY, balanced_words
from vitrina.automata.elman import ElmanNetwork, saturation
from vitrina.recurrent_parts import STATE_COLOURS
from vitrina.recurrent_plots import show_accuracy_by_length, show_activations, show_saturation, show_state_map

EVEN = PARITY.automaton


def last_is_a(size=10.0, offset=0.0):
    """Unit 0 is 1 after a and -1 after b, unit 1 is silent: it accepts what ends in a."""
    inputs = np.array([[size, 0.0], [-size, 0.0]])
    return ElmanNetwork(("a", "b"), inputs, np.zeros((2, 2)), np.zeros(2), np.array([1.0, 0.0]), offset)


@pytest.fixture(scope="module")
def words():
    return balanced_words(EVEN, 20, 30, seed=0)[0]


def test_saturation_has_a_row_for_each_name_with_its_share(words):
    decided, hesitant = last_is_a(), last_is_a(0.5)
    figure = show_saturation({"decided": decided, "both": [decided, hesitant], "silent": last_is_a(0.0)}, words)
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["decided", "both", "silent"]
    shares = [text.get_text() for text in axes.texts]
    assert shares == ["100%", "50%", "silent", "> 0.9"]
    heights = np.array([bar.get_height() for bar in axes.patches]).reshape(3, -1)
    assert np.flatnonzero(heights[0]).tolist() == [19]
    assert np.flatnonzero(heights[1]).tolist() == [9, 19]  # tanh 0.5 = 0.46
    np.testing.assert_allclose(heights[1, [9, 19]] ** 2 / heights[0, 19] ** 2, 0.5)
    assert not heights[2].any()


def test_dark_bars_are_those_above_the_limit(words):
    network = last_is_a(0.5)
    figure = show_saturation({"it": network}, words, limit=0.4)
    colours = {bar.get_facecolor() for bar in figure.axes[0].patches if bar.get_x() >= 0.4 - 1e-9}
    others = {bar.get_facecolor() for bar in figure.axes[0].patches if bar.get_x() < 0.4 - 1e-9}
    assert len(colours) == len(others) == 1
    assert colours != others
    assert figure.axes[0].texts[0].get_text() == f"{saturation(network.states(words)[:, 1:], limit=0.4):.0%}" == "100%"


def said(figure):
    return [text.get_text() for text in figure.axes[0].texts if text.get_text() in "✓✗"]


def test_a_strip_shows_what_the_units_do_and_where_the_network_is_wrong():
    network = last_is_a()
    figure = show_activations(network, "abb", automaton=EVEN, title="three symbols")
    (axes,) = figure.axes
    assert axes.get_title() == "three symbols"
    assert [label.get_text() for label in axes.get_xticklabels()] == list("abb")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["unit 0", "says", "state"]  # unit 1 is silent
    hidden = network.states([[0, 1, 1]])[0, 1:, :1]
    np.testing.assert_array_equal(axes.images[0].get_array(), hidden.T)
    assert axes.images[0].get_clim() == (-1, 1)
    assert said(figure) == ["✓", "✗", "✗"]
    framed = [box for box in axes.patches if box.get_edgecolor() == to_rgba("#cf4a3c")]
    assert [box.get_x() for box in framed] == [-0.5]  # after a single a
    states = [text.get_text() for text in axes.texts if text.get_text().isdigit()]
    assert states == ["1", "1", "1"]
    fills = [box.get_facecolor()[:3] for box in axes.patches if isinstance(box, Rectangle)][-3:]
    assert fills == [to_rgba(STATE_COLOURS[1])[:3]] * 3


def test_a_dollar_in_a_strip_starts_afresh():
    network = last_is_a()
    figure = show_activations(network, "ab$a$", automaton=EVEN)
    (axes,) = figure.axes
    drawn = np.asarray(axes.images[0].get_array())[0]
    np.testing.assert_allclose(drawn, [1, -1, 0, 1, 0], atol=1e-6)
    assert len(said(figure)) == 3  # at a fresh start it says nothing
    assert [text.get_text() for text in axes.texts if text.get_text().isdigit()] == ["1", "1", "0", "1", "0"]
    begins = show_activations(network, "$ab").axes[0].images[0].get_array()
    np.testing.assert_allclose(begins, [[0, 1, -1]], atol=1e-6)


def test_chosen_units_are_drawn_in_their_order():
    network = last_is_a()
    axes = show_activations(network, "ab", units=[1, 0]).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["unit 1", "unit 0", "says"]
    np.testing.assert_allclose(axes.images[0].get_array(), [[0, 0], [1, -1]], atol=1e-6)
    with pytest.raises(ValueError, match=r"units 0 to 1, got \[2\]"):
        show_activations(network, "ab", units=[2])


def test_noise_in_a_strip_is_drawn_by_its_seed():
    def drawn(**noise):
        return np.asarray(show_activations(last_is_a(0.5), "abab", **noise).axes[0].images[0].get_array())

    quiet, noisy = drawn(), drawn(noise=1.0, seed=1)
    np.testing.assert_array_equal(noisy, drawn(noise=1.0, seed=1))
    assert np.any(noisy != drawn(noise=1.0, seed=2))
    assert noisy[0, 0] == quiet[0, 0]  # the noise multiplies what was there before, and that was 0
    assert np.all(noisy[0, 1:] != quiet[0, 1:])
    assert np.any(drawn(noise=1.0, kind="additive", seed=1) != noisy)


@pytest.mark.parametrize("method", ["pca", "isomap"])
def test_a_map_has_each_state_in_its_colour_and_each_answer_in_its_sign(words, method):
    figure = show_state_map(last_is_a(), words, automaton=EVEN, method=method, names=["even", "odd"])
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["even", "odd"]
    groups = {(line.get_color(), line.get_marker()): len(line.get_xdata()) for line in axes.lines}
    states, letters = EVEN.run(words)[:, 1:], words
    expected = {
        (STATE_COLOURS[state], marker): int(np.sum((states == state) & (letters == letter)))
        for state in (0, 1)
        for letter, marker in ((0, "o"), (1, "x"))
    }
    assert groups == expected
    places = [np.unique(line.get_xdata().round(6)) for line in axes.lines]
    assert all(len(place) == 1 for place in places)  # the network only knows its last symbol
    assert len({place[0] for place in places}) == 2


def test_isomap_unrolls_what_principal_components_fold():
    """States along a spiral: along the data the ends are far apart, as the crow flies they are near."""

    class Spiral:
        alphabet = ("a",)

        def states(self, words, **_):
            angle = np.linspace(0, 5.8, np.shape(words)[1] + 1)
            return np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)[np.newaxis]

        def logits(self, hidden):
            return np.asarray(hidden)[..., 0]

    def ends(method):
        figure = show_state_map(Spiral(), np.zeros((1, 200), int), method=method)  # type: ignore[arg-type]
        points = np.concatenate([line.get_xydata() for line in figure.axes[0].lines])
        return np.ptp(points[:, 0]) / np.ptp(points[:, 1])

    assert ends("pca") < 1.5
    assert ends("isomap") > 3


def test_without_an_automaton_the_answers_give_the_colours(words):
    axes = show_state_map(last_is_a(), words).axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["rejected", "accepted"]
    assert {(line.get_color(), line.get_marker()) for line in axes.lines} == {
        (STATE_COLOURS[0], "x"),
        (STATE_COLOURS[1], "o"),
    }


def test_large_maps_show_a_sample(words):
    many = np.tile(words, (10, 1))
    shown = sum(len(line.get_xdata()) for line in show_state_map(last_is_a(), many).axes[0].lines)
    assert shown == 1500 < many.size


def test_accuracy_is_that_of_the_prefixes_of_each_length():
    """A network that accepts everything is right where the prefix is even."""
    always = last_is_a(0.0, offset=1.0)
    words = np.array([[0] * 40, [1] * 40])  # odd and even in turns; always even
    figure = show_accuracy_by_length({"always": [always, always]}, EVEN, words, trained_length=12, title="parity")
    (axes,) = figure.axes
    *thin, thick = axes.lines
    assert len(thin) == 2
    lengths, shares = thick.get_data()
    assert lengths[0] == 1
    assert shares[0] == 0.5  # a is wrong, b is right
    right = np.array([np.mean([length % 2 == 0, True]) for length in range(1, 41)])
    assert np.diff(lengths).min() > 0
    starts = np.round(2 * np.array(lengths)).astype(int)
    first = 1
    for middle, share in zip(starts, shares, strict=True):
        last = middle - first
        assert share == pytest.approx(right[first - 1 : last].mean())
        first = last + 1
    assert first == 41
    assert axes.get_xscale() == "log"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["always"]
    assert len(axes.patches) == 1


def test_the_thick_line_is_the_mean_of_the_thin_ones():
    always, never = last_is_a(0.0, offset=1.0), last_is_a(0.0, offset=-1.0)
    words = np.array([[0] * 40, [1] * 40])
    first, second, thick = show_accuracy_by_length({"both": [always, never]}, EVEN, words).axes[0].lines
    np.testing.assert_allclose(first.get_ydata() + second.get_ydata(), 1)
    np.testing.assert_allclose(thick.get_ydata(), 0.5)


def test_lines_of_equal_names_have_equal_colours_and_never_run_out():
    words = np.array([[0, 1] * 5])
    names = [f"network {number}" for number in range(10)]
    figure = show_accuracy_by_length(dict.fromkeys(names, last_is_a()), EVEN, words)
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == names


def test_pictures_go_where_they_are_put(words):
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(2, 2)
    network = last_is_a()
    drawn = [
        show_saturation({"it": network}, words, axes=panels[0, 0], title="one"),
        show_activations(network, "ab", axes=panels[0, 1], title="two"),
        show_state_map(network, words, axes=panels[1, 0], title="three"),
        show_accuracy_by_length({"it": network}, EVEN, words, axes=panels[1, 1], title="four"),
    ]
    assert all(each is figure for each in drawn)
    assert [panel.get_title() for panel in panels.flat] == ["one", "two", "three", "four"]
    assert not plt.get_fignums()


def test_what_cannot_be_drawn_is_refused(words):
    network = last_is_a()
    with pytest.raises(ValueError, match="each name needs one network"):
        show_saturation({}, words)
    with pytest.raises(ValueError, match="each name needs one network"):
        show_accuracy_by_length({"none": []}, EVEN, words)
    with pytest.raises(ValueError, match=r"\(count, length\)"):
        show_saturation({"it": network}, [0, 1])
    with pytest.raises(ValueError, match="'c' is not in the alphabet 'a', 'b'"):
        show_activations(network, "abc")
    with pytest.raises(ValueError, match="the word is empty"):
        show_activations(network, "")
    with pytest.raises(ValueError, match="'pca' or 'isomap', got 'tsne'"):
        show_state_map(network, words, method="tsne")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="2 states, but 1 names"):
        show_state_map(network, words, automaton=EVEN, names=["even"])


@pytest.mark.parametrize("language", ["Tomita 3", "Tomita 7"])
def test_states_of_any_automaton_find_a_colour(language):
    automaton = LANGUAGES[language].automaton
    words = balanced_words(automaton, 40, 12, seed=1)[0]
    axes = show_state_map(last_is_a(), words, automaton=automaton).axes[0]
    assert len({line.get_color() for line in axes.lines}) == len(automaton)
