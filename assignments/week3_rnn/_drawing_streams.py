"""How the cases of part A are drawn."""

import numpy as np

from vitrina.values import Array
from vitrina_autograder.exercise import Draw
from vitrina_solutions.streams import in_tomita_3, label_stream, run_automaton

from ._drawing import Automaton, automaton, table, word


def draw_runs(rng: np.random.Generator) -> list[Draw]:
    """Draw tables and words."""
    return [
        Draw("five states, a word of nine symbols", (table(rng, 5), word(rng, 9))),
        Draw("two states", (np.array([[1, 0], [1, 0]]), word(rng, 12))),
        Draw("three states and three symbols", _by_all_symbols(rng)),
        Draw("a word of one symbol", (1 + table(rng, 4) % 3, word(rng, 1))),
        Draw("the empty word", (table(rng, 3), word(rng, 0)), edge=True),
    ]


def _by_all_symbols(rng: np.random.Generator) -> tuple[Array, Array]:
    """Draw a table and a word whose way is another one if the last symbol is taken for any other."""
    while True:
        transitions, read = table(rng, 3, 3), word(rng, 10, 3)
        taken = [run_automaton(transitions, np.where(read == 2, other, read)) for other in (0, 1)]
        if all(np.any(states != run_automaton(transitions, read)) for states in taken):
            return transitions, read


def draw_streams(rng: np.random.Generator) -> list[Draw]:
    """Draw automata and streams."""
    begun, begun_stream = _with_stream(rng, 5, 14, empty=False)
    whole, no_dollar = _without_dollar(rng)
    return [
        Draw("the empty word belongs", _flat(_with_stream(rng, 3, 24, empty=True))),
        Draw("the empty word does not belong", _flat(_with_stream(rng, 5, 30, empty=False))),
        Draw("three symbols, so $ has the number 3", _flat(_with_stream(rng, 3, 30, symbols=3))),
        Draw("the stream begins in the middle", (*begun, np.append(word(rng, 6), begun_stream))),
        Draw("no $ at all", (*whole, no_dollar)),
        Draw("nothing but $", (*begun, np.full(4, 2)), edge=True),
    ]


def _flat(drawn: tuple[Automaton, Array]) -> tuple[Array, ...]:
    return (*drawn[0], drawn[1])


def _with_stream(
    rng: np.random.Generator, states: int, length: int, *, symbols: int = 2, empty: bool | None = None
) -> tuple[Automaton, Array]:
    """Draw an automaton, and a stream with some $ whose labels are not all the same, nor all False at $.

    Some automata have no such stream, so each try has a new one.
    """
    while True:
        transitions, accepting = automaton(rng, states, symbols)
        if empty is not None:
            accepting[:2] = empty, not empty
        stream = np.where(rng.random(length) < 0.2, symbols, word(rng, length, symbols))
        stream[length // 2 : length // 2 + 2] = symbols  # the empty word, right between two others
        labels = label_stream(transitions, accepting, stream)
        if 2 < labels.sum() < length - 2 and np.sum(stream == symbols) > 3:
            return (transitions, accepting), stream


def _without_dollar(rng: np.random.Generator) -> tuple[Automaton, Array]:
    """Draw an automaton, and a word in which either symbol, taken for $, gives other labels."""
    while True:
        of, read = automaton(rng, 4), word(rng, 12)
        taken = [label_stream(*of, np.where(read == symbol, 2, read)) for symbol in (0, 1)]
        if all(np.any(labels != label_stream(*of, read)) for labels in taken):
            return of, read


def draw_tomita(rng: np.random.Generator) -> list[Draw]:
    """Draw words, half of which belong."""
    return [
        *(Draw(f"words of {length} symbols", (_balanced(rng, length),)) for length in (7, 11)),
        Draw("two words", (np.array([[0, 0, 1, 1, 0, 1, 1, 0, 0, 1], [0, 0, 0, 0, 1, 1, 0, 1, 1, 1]]),)),
        Draw("a mistake that comes late, or none", (_late(rng),)),
        Draw("words of one symbol", (np.array([[0], [1]]),), edge=True),
        Draw("the empty word, twice", (np.zeros((2, 0), int),), edge=True),
    ]


def _balanced(rng: np.random.Generator, length: int) -> Array:
    words = rng.integers(2, size=(400, length))
    inside = in_tomita_3(words)
    return rng.permutation(np.concatenate([words[inside][:6], words[~inside][:6]]))


def _late(rng: np.random.Generator) -> Array:
    """Draw words of many runs, of which half belong: the last runs alone decide, and all of them are long."""

    def one(last: tuple[int, int]) -> list[int]:
        harmless = [(2, 3), (4, 1), (1, 2), (3, 2), (2, 1)]
        runs = [harmless[place] for place in rng.permutation(len(harmless))]
        runs.append(last)
        return [symbol for run in runs for symbol, length in enumerate(run) for _ in range(length)]

    words = [one(last) for last in ((5, 5), (5, 6), (6, 5), (7, 5), (6, 6), (5, 7))]
    longest = max(map(len, words))
    return np.array([read + [0] * (longest - len(read)) for read in words])  # a run of a at the end does no harm


def draw_counts(rng: np.random.Generator) -> list[Draw]:
    """Draw automata, and how far to count."""
    return [
        Draw("three states, up to six symbols", (*automaton(rng, 3), 6)),
        Draw("five states, up to eight symbols", (*automaton(rng, 5), 8)),
        Draw("three symbols", (*automaton(rng, 3, 3), 5)),
        Draw("a and b lead to the same state", (np.array([[1, 1], [2, 2], [0, 0]]), np.array([False, True, True]), 5)),
        Draw("the empty word alone", (*automaton(rng, 4), 0), edge=True),
    ]
