"""How the cases of part C are drawn."""

import numpy as np

from vitrina.values import Array
from vitrina_autograder.exercise import Draw
from vitrina_solutions.streams import run_automaton

from ._drawing import automaton, ring, shuffled, table, with_strangers, word


def draw_signs(rng: np.random.Generator) -> list[Draw]:
    """Draw hidden states, some of whose units are exactly 0."""
    words = rng.uniform(-1, 1, (2, 5, 3))
    words[:, 0] = 0
    words[:, 1, 0] = 1e-6, -1e-6  # above 0 and below, however little
    one = rng.uniform(0.1, 1, (6, 1)) * np.array([[1], [-1], [1], [1], [-1], [-1]])
    return [
        Draw("four units", (rng.uniform(-1, 1, (8, 4)),)),
        Draw("two words, which begin where all units are 0", (words,)),
        Draw("seven units", (rng.uniform(-1, 1, (10, 7)),)),
        Draw("one unit", (one,)),
        Draw("one state", (rng.permutation([0.9, 0.4, -0.7, 0.8]),)),
    ]


def _clear(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Draw activations that keep away from where rounding turns over."""
    values = rng.choice([-1, 0, 1], shape) + rng.uniform(0.05, 0.45, shape) * rng.choice([-1, 1], shape)
    return np.where(np.abs(values) < 1, values, np.sign(values) * 0.95)


def draw_rounding(rng: np.random.Generator) -> list[Draw]:
    """Draw hidden states near and far from −1, 0 and 1."""
    words = _clear(rng, (2, 4, 3))
    words[:, 0] = 0
    return [
        Draw("four units", (_clear(rng, (8, 4)),)),
        Draw("two words, which begin where all units are 0", (words,)),
        Draw("six units", (_clear(rng, (12, 6)),)),
        Draw("one unit", (_clear(rng, (5, 1)),)),
        Draw("one state", (rng.permutation([0.9, 0.3, -0.7, 0.8]),)),
    ]


def draw_names(rng: np.random.Generator) -> list[Draw]:
    """Draw names of states; what the start is called, other states are called too."""
    few, many = rng.integers(4, 9, (3, 7)), rng.choice(1000, (4, 6), replace=False)
    few[:, 0], many[:, 0] = few[0, 3], 0
    few[0, 1] = 9
    return [
        Draw("three words, names that come again", (few,)),
        Draw("four words, hardly any name comes again", (many,)),
        Draw("names below 0", (np.concatenate([np.zeros((2, 1), int), rng.integers(-3, 1, (2, 8))], axis=1),)),
        Draw("one word", (rng.integers(5, size=(1, 9)),)),
        Draw("nothing was read", (np.full((3, 1), 7),), edge=True),
    ]


def _paths(rng: np.random.Generator, count: int, length: int, states: int, symbols: int = 2) -> tuple[Array, Array]:
    """Let an automaton that sometimes errs read words; every number of a state up to the largest occurs."""
    transitions = table(rng, states, symbols)
    while True:
        words = np.stack([word(rng, length, symbols) for _ in range(count)])
        paths = np.stack([run_automaton(transitions, read) for read in words])
        paths = np.where(rng.random(paths.shape) < 0.1, rng.integers(states, size=paths.shape), paths)
        paths[:, 0] = 0
        if len(np.unique(paths)) == states:
            return paths, words


def draw_moves(rng: np.random.Generator) -> list[Draw]:
    """Draw paths, and the words that were read on them."""
    return [
        Draw("three words, four states", (*_paths(rng, 3, 12, 4), 2)),
        Draw("ten words, five states", (*_paths(rng, 10, 9, 5), 2)),
        Draw("three symbols", (*_paths(rng, 4, 10, 3, 3), 3)),
        Draw("one word", (*_paths(rng, 1, 15, 3), 2)),
        Draw("a symbol that is never read", (np.array([[0, 1, 0, 1, 2]]), np.zeros((1, 4), int), 2)),
    ]


def _moves(rng: np.random.Generator, states: int, symbols: int, *, unseen: int = 0) -> Array:
    """Draw counts: from most states most moves lead to one other, which is neither the first nor the last seen."""
    moves = rng.integers(0, 4, (states, symbols, states)) * (rng.random((states, symbols, states)) < 0.6)
    usual = rng.integers(states, size=(states, symbols))
    np.put_along_axis(moves, usual[..., None], rng.integers(5, 40, (states, symbols, 1)), axis=2)
    for state in rng.choice(states, unseen, replace=False):
        moves[state, rng.integers(symbols)] = 0
    return moves


def draw_determinism(rng: np.random.Generator) -> list[Draw]:
    """Draw counts of moves."""
    sharp = _moves(rng, 3, 2)
    sharp = np.where(sharp == sharp.max(axis=2, keepdims=True), sharp, 0)
    return [
        Draw("four states", (_moves(rng, 4, 2),)),
        Draw("six states, some never read a symbol", (_moves(rng, 6, 2, unseen=3),)),
        Draw("three symbols", (_moves(rng, 3, 3),)),
        Draw("two states", (np.array([[[90, 10], [3, 5]], [[0, 4], [2, 1]]]) + rng.integers(3, size=(2, 2, 1)),)),
        Draw("always the same", (sharp,), edge=True),
    ]


def draw_majority(rng: np.random.Generator) -> list[Draw]:
    """Draw counts of moves, of which some were never seen and some are equally frequent."""
    even = np.array([[[3, 3, 0], [0, 7, 7]], [[0, 0, 2], [5, 1, 5]], [[1, 0, 1], [0, 0, 0]]])
    return [
        Draw("four states", (_moves(rng, 4, 2),)),
        Draw("six states, some never read a symbol", (_moves(rng, 6, 2, unseen=4),)),
        Draw("three symbols", (_moves(rng, 5, 3, unseen=1),)),
        Draw("equally frequent", (even * int(rng.integers(1, 9)),)),
    ]


def draw_accepting(rng: np.random.Generator) -> list[Draw]:
    """Draw paths and what was said on them: a state says nearly always the same."""
    return [
        Draw("four states", _said(rng, 8, 9, 4)),
        Draw("six states", _said(rng, 20, 12, 6)),
        Draw("one word", _said(rng, 1, 25, 3)),
        Draw("the start, which accepts, is only visited first", _said_first(rng)),
        Draw("as often as not", (np.array([[0, 0, 0, 1, 1, 2, 2, 2]]), np.array([[1, 0, 0, 1, 0, 1, 1, 0]]) == 1)),
        Draw("one word outvotes the others", _outvoted(rng)),
    ]


def _outvoted(rng: np.random.Generator) -> tuple[Array, Array]:
    """Draw words one of which is long in a state, and says the contrary of what the others say there."""
    paths = np.array([[0, 1, 1, 1, 1, 1], [0, 1, 2, 2, 2, 2], [0, 2, 1, 0, 0, 0], [0, 2, 0, 0, 0, 0]])
    longest, turned = np.array([3, 0, 1]), rng.random(3) < 0.5
    return paths, (np.arange(4)[:, None] == longest[paths]) ^ turned[paths]


def _said(rng: np.random.Generator, count: int, length: int, states: int) -> tuple[Array, Array]:
    paths, _ = _paths(rng, count, length, states)
    accepting = rng.permutation(np.arange(states) % 2 == 0)
    return paths, accepting[paths] ^ (rng.random(paths.shape) < 0.2)


def _said_first(rng: np.random.Generator) -> tuple[Array, Array]:
    """Draw paths as `number_states` makes them: no symbol leads back to state 0."""
    paths = np.concatenate(
        [np.zeros((6, 1), int), rng.permuted(np.tile([1, 1, 1, 2, 2, 3, 3], (6, 1)), axis=1)], axis=1
    )
    return paths, np.isin(paths, [0, 2])


def draw_reachable(rng: np.random.Generator) -> list[Draw]:
    """Draw tables with states that no word leads to, numbered in any order."""
    far, _ = ring(13)
    b_alone = np.stack([np.zeros(4, int), [1, 2, 3, 0]], axis=1)
    tables = {
        "two of six states are strangers": with_strangers(rng, automaton(rng, 4), 2)[0],
        "the last one is twelve steps away": np.concatenate([far, rng.integers(16, size=(3, 2))]),
        "only b leads on": np.concatenate([b_alone, rng.integers(6, size=(2, 2))]),
        "three symbols": with_strangers(rng, automaton(rng, 3, 3), 3)[0],
        "nothing leads to the start": np.array([[1, 1], [2, 1], [1, 2], [0, 3], [4, 0]]),
    }
    return [
        Draw(title, (shuffled(rng, (transitions, np.zeros(len(transitions), bool)))[0],))
        for title, transitions in tables.items()
    ]
