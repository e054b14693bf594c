"""A drawn machine has all its states, arrows and labels, none on top of another."""

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.patches import Circle, FancyArrowPatch

from vitrina.automata import DFA, LANGUAGES, TOMITA, adder
from vitrina.automata_plots import draw_machine, group_tint

#: Six states that lead to the next and to the one after.
LOOPED = DFA(("a", "b"), [[(state + 1) % 6, (state + 2) % 6] for state in range(6)], [True] * 6)


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


@pytest.mark.parametrize(
    "machine",
    [adder(2).moore(first=0), adder(2), *(language.automaton for language in LANGUAGES.values()), LOOPED],
)
def test_no_label_covers_another(machine):
    figure = draw_machine(machine)
    labels = [text for text in figure.axes[0].texts if text.get_bbox_patch() is not None]
    boxes = [text.get_window_extent().padded(0.12 * text.get_fontsize() * figure.dpi / 72) for text in labels]
    assert len(boxes) >= len(machine) - 1
    assert not [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])]


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


def test_states_of_a_group_stand_together_in_one_colour():
    machine, groups = LANGUAGES["Tomita 3"].automaton, [0, 1, 0, -1, 1]
    figure = draw_machine(machine, groups=groups)
    drawn = [circle for circle in parts(figure, Circle) if circle.get_fill()]
    assert [tuple(circle.get_facecolor()[:3]) for circle in drawn] == [group_tint(group) for group in groups]
    places = np.array([circle.center for circle in drawn])
    angles = np.sort(np.angle(places @ [1, 1j]))
    neighbours = 2 * np.abs(places).max() * np.sin(np.pi / 5) * 1.2
    assert np.ptp(np.diff(angles)) < 1e-6
    assert np.linalg.norm(places[0] - places[2]) < neighbours
    assert np.linalg.norm(places[1] - places[4]) < neighbours
    assert group_tint(-1) == (1, 1, 1)
    assert len({group_tint(group) for group in range(8)}) == 8
    with pytest.raises(ValueError, match="5 states, but 2 groups"):
        draw_machine(machine, groups=[0, 1])


def test_no_arrow_runs_through_a_state_that_it_does_not_touch():
    """Also in larger machines, where an arrow to the state after the next one would run over the one between."""
    for count in (9, 13):
        step_two = DFA(("a", "b"), [[(s + 1) % count, (s + 2) % count] for s in range(count)], [True] * count)
        figure = draw_machine(step_two)
        places = states(figure)
        for arrow in parts(figure, FancyArrowPatch)[:-1]:
            near = np.linalg.norm(_along(arrow)[:, None] - places, axis=-1).min(axis=0)
            assert near.min() > 0.3  # both ends are at the rims


def _along(arrow):
    """Points of an arrow's curve."""
    (begin, bend, end), t = arrow._path_original.vertices[:3], np.linspace(0, 1, 50)[:, None]
    return (1 - t) ** 2 * begin + 2 * t * (1 - t) * bend + t**2 * end


def test_larger_machines_are_put_in_a_better_order():
    """A ring whose states are numbered at random is drawn as a ring: all arrows join neighbours."""
    order = np.random.default_rng(0).permutation(10)
    table = np.empty((10, 1), int)
    table[order, 0] = np.roll(order, -1)
    figure = draw_machine(DFA(("a",), table, [True] * 10, int(order[0])))
    ends = [np.array(arrow._path_original.vertices)[[0, -1]] for arrow in parts(figure, FancyArrowPatch)]
    lengths = [np.linalg.norm(begin - end) for begin, end in ends]
    assert np.mean(np.array(lengths) < 1.7) > 0.7
