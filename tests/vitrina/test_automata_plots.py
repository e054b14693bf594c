"""A drawn machine has all its states, arrows and labels, none on top of another."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.patches import Circle, FancyArrowPatch

from vitrina.automata import DFA, LANGUAGES, TOMITA, adder
from vitrina.automata_plots import draw_machine


def parts(figure, kind):
    return [patch for patch in figure.axes[0].patches if isinstance(patch, kind)]


def texts(figure):
    return sorted(text.get_text() for text in figure.axes[0].texts)


def states(figure):
    """Where the states are; an accepting one has a second rim."""
    return np.unique([np.round(circle.center, 6) for circle in parts(figure, Circle)], axis=0)


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_all_is_there(language):
    machine = language.automaton
    figure = draw_machine(machine, title=language.name)
    pairs = {(state, int(to)) for state, row in enumerate(machine.transitions) for to in row}
    assert len(states(figure)) == len(machine)
    assert len(parts(figure, Circle)) == len(machine) + machine.outputs.sum()
    assert len(parts(figure, FancyArrowPatch)) == len(pairs) + 1  # and the start's
    assert figure.axes[0].get_title() == language.name
    labels = [text for text in texts(figure) if not text.isdigit()]
    assert sorted(", ".join(labels).split(", ")) == ["a"] * len(machine) + ["b"] * len(machine)


def test_states_stand_apart_from_each_other():
    for count in range(2, 13):
        ring = DFA(("a",), [[(state + 1) % count] for state in range(count)], [True] * count)
        places = states(draw_machine(ring))
        distances = np.linalg.norm(places[:, None] - places, axis=-1)[~np.eye(count, dtype=bool)]
        assert distances.min() > 1.5


def test_partners_are_neighbours():
    """The four states of Tomita 5 make a square whose diagonals have no arrow."""
    figure = draw_machine(TOMITA[5].automaton)
    drawn = {text.get_text(): np.array(text.get_position()) for text in figure.axes[0].texts}
    assert np.allclose(drawn["0"], -drawn["3"])


def test_what_machines_say_is_written():
    assert "0+0 / 0\n0+1 / 1\n1+0 / 1" in texts(draw_machine(adder(2)))
    assert any("..." in text for text in texts(draw_machine(adder(10))))
    assert "0\n7" in texts(draw_machine(adder(2).moore(first=7)))
    assert "even" in texts(draw_machine(LANGUAGES["parity"].automaton, names=["even", "odd"]))


def test_it_can_be_drawn_where_it_is_wanted_and_no_figure_stays_open():
    figure, axes = plt.subplots(1, 2)
    assert draw_machine(TOMITA[1].automaton, axes=axes[1]) is figure
    assert not axes[0].patches
    assert plt.get_fignums() == []


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="41 states are too many"):
        draw_machine(DFA(("a",), [[0]] * 41, [True] * 41))
    with pytest.raises(ValueError, match="2 states, but 1 names"):
        draw_machine(LANGUAGES["parity"].automaton, names=["even"])
