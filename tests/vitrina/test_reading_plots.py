"""Pictures of reading: each named state, each move and each curve is there, in its place and colour."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import FancyArrowPatch

from vitrina.automata import TOMITA, observe
from vitrina.automata_plots import group_tint
from vitrina.reading_plots import (
    show_moves,
    show_recovery,
    show_transitions,
    state_letters,
)

TOO_LATE = TOMITA[4].automaton


def watched(automaton=TOO_LATE, *, strays=0, units=5):
    """Activations, names and counts of a network that is an automaton: a corner for each state."""
    generator = np.random.default_rng(0)
    words = generator.integers(2, size=(60, 30))
    states = automaton.run(words)
    if strays:
        states[:strays, -1] = 0
    corners = generator.choice([-1.0, 1.0], size=(len(automaton), units))
    hidden = corners[states] * (1 - 0.05 * generator.random((*states.shape, units)))
    return hidden, states, observe(states, words, automaton.outputs[states], automaton.alphabet)


def arrows(axes):
    return [patch for patch in axes.patches if isinstance(patch, FancyArrowPatch)]


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_a_map_for_each_symbol_with_each_move():
    hidden, states, seen = watched()
    figure = show_moves(hidden, seen, states, title="moves")
    assert [axes.get_title() for axes in figure.axes] == ["reads a", "reads b"]
    for symbol, axes in enumerate(figure.axes):
        stays = TOO_LATE.transitions[:, symbol] == np.arange(4)
        assert len(arrows(axes)) == np.sum(~stays)
        assert texts(axes).count("↻") == stays.sum()
        assert sorted(set(texts(axes)) - {"↻"}) == ["A", "B", "C", "ε"]
    assert figure.get_suptitle() == "moves"
    assert not plt.get_fignums()


def test_what_is_not_deterministic_is_dashed():
    _, _, clean = watched()
    hidden, states, seen = watched(strays=25)
    assert seen.determinism < clean.determinism == 1
    dashed = [arrow for axes in show_moves(hidden, seen, states).axes for arrow in arrows(axes)]
    usual = [arrow for arrow in dashed if arrow.get_linestyle() in ("-", "solid")]
    assert 0 < len(usual) < len(dashed)


def test_discs_have_their_names_places_and_groups():
    hidden, states, seen = watched()
    figure = show_moves(hidden, seen, states, names="wxyz", groups=[2, 0, 0, -1])
    discs = [line for line in figure.axes[0].lines if line.get_marker() == "o" and line.get_color() != "none"]
    assert [to_rgb(line.get_color()) for line in discs] == [group_tint(2), group_tint(0), group_tint(0), (1, 1, 1)]
    places = np.array([line.get_xydata()[0] for line in discs])
    centres = np.array([hidden[states == state].mean(axis=0) for state in range(4)])
    apart = np.linalg.norm(centres[:, None] - centres, axis=-1)
    drawn = np.linalg.norm(places[:, None] - places, axis=-1)
    assert np.all(drawn <= apart + 1e-9)  # a projection
    assert drawn.max() > 0.5 * apart.max()
    assert [text for text in texts(figure.axes[0]) if text in "wxyz"] == list("wxyz")
    rims = [line for line in figure.axes[0].lines if line.get_color() == "none"]
    assert len(rims) == 3  # three accept


def test_one_unit_can_be_drawn():
    hidden, states, seen = watched(units=1)
    assert len(show_moves(hidden, seen, states).axes) == 2


def test_the_table_of_transitions_has_shares_and_counts():
    _, _, seen = watched(strays=10)
    figure = show_transitions(seen, title="table")
    for symbol, axes in enumerate(figure.axes[:2]):
        shown = np.asarray(axes.images[0].get_array())
        counts = seen.moves[:, symbol]
        assert np.allclose(shown, counts / counts.sum(axis=1, keepdims=True))
        assert [text for text in texts(axes) if text != "·"] == [f"{n:,}" for n in counts.sum(axis=1)]
        assert texts(axes).count("·") == np.sum((shown > 0) & (shown < 1))
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["ε", "A", "B", "C"]


def test_recovery_draws_what_was_measured_and_what_was_foretold():
    measured = {"parity": [1.0, 0.8, 0.8], "Tomita 1": [1.0, 0.9, 1.0]}
    figure = show_recovery(measured, {"parity": [np.nan, 0.8, 0.8]}, title="push")
    lines = figure.axes[0].lines
    assert [list(line.get_ydata()) for line in lines if line.get_marker() == "o"] == list(measured.values())
    (dashed,) = [line for line in lines if line.get_linestyle() == "--" and len(line.get_xdata())]
    assert dashed.get_color() == lines[0].get_color()
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == ["parity", "Tomita 1", "by the automaton"]
    axes = plt.subplots()[1]
    assert show_recovery(measured, axes=axes) is axes.figure
    assert not plt.get_fignums()


def test_the_legend_of_a_recovery_hides_no_curve():
    figure = show_recovery({"zigzag": [1.0, 0.2] * 10, "level": [0.9] * 20})
    figure.draw_without_rendering()
    axes = figure.axes[0]
    assert axes.get_legend().get_window_extent().x0 >= axes.get_window_extent().x1


def test_panels_that_share_an_axis_show_all():
    figure, panels = plt.subplots(1, 2, sharey=True)
    show_recovery({"high": [1.0, 0.95]}, axes=panels[0])
    show_recovery({"low": [1.0, 0.2]}, axes=panels[1])
    assert panels[0].get_ylim()[0] < 0.2 < 1 < panels[0].get_ylim()[1]
    plt.close(figure)


def test_letters():
    assert state_letters(3) == ["ε", "A", "B"]
    assert state_letters(30)[25:] == ["Y", "Z", "A1", "B1", "C1"]
    assert len(set(state_letters(200))) == 200


def test_what_does_not_fit_is_refused():
    hidden, states, seen = watched()
    with pytest.raises(ValueError, match="4 states, but 2 names"):
        show_moves(hidden, seen, states, names="ab")
    with pytest.raises(ValueError, match="4 states, but 1 groups"):
        show_moves(hidden, seen, states, groups=[0])
    with pytest.raises(ValueError, match="must agree"):
        show_moves(hidden[:, 1:], seen, states)
    with pytest.raises(ValueError, match="4 states, but 2 names"):
        show_transitions(seen, names="ab")
    with pytest.raises(ValueError, match="nothing to draw"):
        show_recovery({})
    with pytest.raises(ValueError, match="predicted but not measured"):
        show_recovery({"one": [1.0]}, {"other": [1.0]})
