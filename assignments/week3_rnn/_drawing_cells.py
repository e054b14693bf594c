"""How the cases of part B, and of the network's ones in part E, are drawn."""

import numpy as np

from vitrina.automata import DFA
from vitrina.recurrent import ElmanCell
from vitrina.values import Array, CellSpec
from vitrina_autograder.exercise import Draw
from vitrina_autograder.handed_in import written_down
from vitrina_solutions.recurrent import read_automaton, read_words

from ._drawing import Automaton, automaton, needing_all_symbols, word

_CLEAR = 1e-5  # of a unit and of a logit: float32 finds the same sign
_DISTURBED = 0.2  # share of the states that noise gives another name


def cell(rng: np.random.Generator, units: int, symbols: int = 2) -> CellSpec:
    """Draw a cell whose units are neither idle nor all saturated."""
    return CellSpec(
        rng.normal(scale=0.8, size=(symbols, units)),
        rng.normal(scale=0.9 / np.sqrt(units), size=(units, units)),
        rng.normal(scale=0.4, size=units),
        rng.normal(size=units),
        float(rng.normal(scale=0.5)),
    )


def _states(rng: np.random.Generator, count: int, units: int) -> Array:
    return rng.uniform(0.2, 0.9, (count, units)) * rng.choice([-1, 1], (count, units))


def draw_steps(rng: np.random.Generator) -> list[Draw]:
    """Draw cells, states, symbols and noise."""
    cases = [("three words, four units", 3, 4, 2, 0.6), ("one word, two units", 1, 2, 2, 1.0)]
    cases += [("three symbols", 5, 3, 3, 0.8), ("used, not trained: ν is 0", 4, 3, 2, 0.0)]
    return [
        Draw(
            title,
            (
                cell(rng, units, symbols),
                _states(rng, count, units),
                word(rng, count, symbols),
                nu,
                rng.normal(size=(count, units)),
            ),
        )
        for title, count, units, symbols, nu in cases
    ]


def draw_readings(rng: np.random.Generator) -> list[Draw]:
    """Draw cells, words and noise."""
    cases = [("three words of five symbols", 3, 5, 4, 0.5), ("one word", 1, 6, 3, 1.0)]
    cases += [("words of one symbol", 4, 1, 3, 0.7), ("used, not trained: ν is 0", 3, 7, 5, 0.0)]
    drawn = [
        Draw(
            title,
            (cell(rng, units), rng.integers(2, size=(count, length)), nu, rng.normal(size=(count, length, units))),
        )
        for title, count, length, units, nu in cases
    ]
    empty = (cell(rng, 3), np.zeros((2, 0), int), 0.5, np.zeros((2, 0, 3)))
    return [*drawn, Draw("the empty word, twice", empty, edge=True)]


def draw_losses(rng: np.random.Generator) -> list[Draw]:
    """Draw cells, logits and labels; the price is as large as the errors."""
    labels = rng.random((4, 6)) < 0.5
    sure = np.where(rng.random((2, 5)) < 0.5, -1, 1) * rng.uniform(710, 900, (2, 5))
    return [
        Draw("four words of six symbols", (cell(rng, 4), rng.normal(scale=2, size=(4, 6)), labels * 1, 0.4)),
        Draw("weights cost nothing", (cell(rng, 3), rng.normal(scale=2, size=(3, 4)), labels[:3, :4] * 1, 0.0)),
        Draw("one word, dear weights", (cell(rng, 5, 3), rng.normal(size=(1, 4)), labels[:1, :4] * 1, 2.0)),
        Draw("very sure, and sometimes wrong", (cell(rng, 3), sure, (rng.random((2, 5)) < 0.5) * 1, 0.1)),
    ]


def draw_steps_back(rng: np.random.Generator) -> list[Draw]:
    """Draw one step back in the middle of words, at their end, and where units are saturated."""
    cases = [("three words, four units", 3, 4, 0.6), ("without noise", 3, 4, 0.0), ("one word", 1, 3, 1.0)]
    drawn = [
        Draw(
            title,
            (
                cell(rng, units),
                rng.normal(size=(count, units)),
                rng.normal(size=(count, units)),
                _states(rng, count, units),
                nu,
                rng.normal(size=(count, units)),
            ),
        )
        for title, count, units, nu in cases
    ]
    (spec, direct, following, hidden, nu, noise) = drawn[0].arguments
    end = (spec, direct, np.zeros_like(following), hidden, nu, noise)
    later = (spec, np.zeros_like(direct), following, hidden, nu, noise)
    return [*drawn, Draw("at the end of the words", end), Draw("only the last output counts", later)]


def draw_prices(rng: np.random.Generator) -> list[Draw]:
    """Draw weights, some of which are 0, and gradients, some of which are large."""
    weights = rng.normal(size=(4, 4)) * (rng.random((4, 4)) < 0.7)
    gradient = rng.normal(scale=2, size=(4, 4))
    weights[0], gradient[0] = [-0.5, 0.5, 0.0, 0.0], [1.1, -1.1, 0.2, -0.2]  # two come back from beyond the limit
    return [
        Draw("a matrix of 4 × 4", (weights, gradient, 0.3, 1.0)),
        Draw("the price makes it too large", (weights, rng.uniform(0.4, 1.2, (4, 4)), 0.5, 1.0)),
        Draw("no price", (rng.normal(size=(2, 5)), rng.normal(scale=4, size=(2, 5)), 0.0, 5.0)),
        Draw("nothing is too large", (rng.normal(size=6), rng.normal(size=6), 0.2, 50.0)),
        Draw("far too large", (rng.normal(size=(3, 2)), rng.normal(scale=60, size=(3, 2)), 0.1, 5.0)),
    ]


def _unit(rng: np.random.Generator, count: int, low: float, high: float) -> Array:
    return rng.uniform(low, high, count) * rng.choice([-1, 1], count)


def draw_saturation(rng: np.random.Generator) -> list[Draw]:
    """Draw states of saturated, of wavering and of silent units."""

    def states(count: int, kinds: str) -> Array:
        spans = {"s": (0.85, 1.0), "w": (0.0, 1.0), "0": (0.0, 0.04), "r": (0.0, 0.04), "n": (0.85, 1.0)}
        columns = [_unit(rng, count, *spans[kind]) for kind in kinds]
        for kind, column in zip(kinds, columns, strict=True):
            if kind == "r":
                column[-1] = 0.95  # rarely speaks
            if kind == "n":
                column[:] = -np.abs(column)  # never above 0
        return np.stack(columns, axis=1)

    return [
        Draw("two of four units are silent", (states(40, "s0w0"), 0.9, 0.1)),
        Draw("one unit speaks once", (states(30, "sr0"), 0.9, 0.1)),
        Draw("all take part", (states(25, "nww"), 0.8, 0.1)),
        Draw("another idea of silence", (states(30, "sw00"), 0.95, 0.02)),
        Draw("one state, exactly at the limits too", (np.array([[0.95, -0.9, 0.3, 0.01, -0.2, 0.1, 0.9]]), 0.9, 0.1)),
    ]


def draw_kicks(rng: np.random.Generator) -> list[Draw]:
    """Draw undisturbed and kicked ways: some come back at once, some after a while, some never."""

    def ways(count: int, length: int) -> tuple[Array, Array]:
        states = rng.integers(5, size=(count, length + 1))
        kicked = states.copy()
        for row, last in enumerate(rng.permutation(np.arange(count)) % (length + 2)):
            kicked[row, :last] = states[row, :last] + rng.integers(0, 2, last) * 3
            if last:
                kicked[row, last - 1] = states[row, last - 1] + 1
        return states, kicked

    met_by_chance = np.array([[1, 2, 3, 1, 2, 3, 1, 2, 1, 3]]), np.array([[2, 2, 1, 1, 2, 3, 1, 2, 3, 3]])
    return [
        Draw("eight words of six symbols", ways(8, 6)),
        Draw("five words of ten symbols", ways(5, 10)),
        Draw("equal by chance, and apart again", met_by_chance),
        Draw("three words of three symbols", ways(3, 3)),
        Draw("never back", (np.zeros((2, 5), int), np.ones((2, 5), int) + rng.integers(2, size=(2, 5)))),
        Draw("no kick", (np.zeros((2, 4), int),) * 2, edge=True),
    ]


def draw_relevance(rng: np.random.Generator) -> list[Draw]:
    """Draw cells and words."""
    return [
        Draw("five symbols, four units", (cell(rng, 4), word(rng, 5))),
        Draw("nine symbols, three units", (cell(rng, 3), word(rng, 9))),
        Draw("three kinds of symbols", (cell(rng, 4, 3), word(rng, 6, 3))),
        Draw("one symbol", (cell(rng, 3), word(rng, 1))),
    ]


def draw_whole_readings(rng: np.random.Generator) -> list[Draw]:
    """Draw networks that are automata, and small ones at random; what the start would say by itself is wrong."""
    cases = [("a network that is an automaton of four states", 4), ("one that is an automaton of five states", 5)]
    drawn = [
        Draw(title, (_written_down(automaton(rng, states)), rng.integers(2, size=(40, 25)), bool(rng.integers(2))))
        for title, states in cases
    ]
    three = _written_down(needing_all_symbols(rng, 4, 3))
    drawn.append(Draw("three symbols", (three, rng.integers(3, size=(40, 25)), bool(rng.integers(2)))))
    for title, units, empty in (("three units at random", 3, True), ("four units at random", 4, False)):
        drawn.append(Draw(title, (*_lively(rng, units, empty), empty)))
    return drawn


def _written_down(given: Automaton) -> CellSpec:
    return CellSpec(**written_down(DFA(tuple(range(given[0].shape[1])), *given)))


def _lively(rng: np.random.Generator, units: int, empty: bool) -> tuple[CellSpec, Array]:
    """Draw a cell that says both, in several states, and words of which it speaks clearly.

    Noise would disturb it. Its start has another state's name, and by itself would not say what `empty` says. Some of
    the words alone, or their beginnings, give another automaton.
    """
    while True:
        spec = cell(rng, units)
        if (spec.c > 0) == empty:
            continue
        steep = CellSpec(2 * spec.W, 2 * spec.U, spec.b, spec.v, 0.3 * spec.c)
        words = rng.integers(2, size=(30, 20))
        built, noise = steep.build(), rng.normal(size=(30, 20, units))
        quiet, shaken = (read_words(built, words, nu, noise)[:, 1:] for nu in (0.0, 0.5))
        clear = min(np.min(np.abs(quiet)), np.min(np.abs(quiet @ built.v + built.c))) > _CLEAR
        disturbed = np.mean(np.any((quiet > 0) != (shaken > 0), axis=2)) > _DISTURBED
        named_like_start = np.any(np.all(quiet < 0, axis=2))
        if clear and disturbed and named_like_start and _needs_all(built, words, empty):
            return steep, words


def _needs_all(built: ElmanCell, words: Array, empty: bool) -> bool:
    whole = read_automaton(built, words, empty)
    parts = words[: len(words) // 2], words[::2], words[:, : words.shape[1] // 2]
    return len(whole) > 4 and not any(np.array_equal(read_automaton(built, part, empty), whole) for part in parts)
