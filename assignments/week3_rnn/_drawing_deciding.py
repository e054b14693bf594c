"""How the cases of part D are drawn."""

import numpy as np

from vitrina.values import Array
from vitrina_autograder.exercise import Draw
from vitrina_solutions.deciding import agreement, counterexample, meeting_pairs

from ._drawing import (
    Automaton,
    automaton,
    branching,
    doubled,
    needing_all_symbols,
    renumbered,
    ring,
    shuffled,
    table,
    with_strangers,
    word,
)

#: What the examiner looks at where any shortest word is right.
TELLS_APART = ("the automata disagree on it", "no shorter word tells them apart")


def _chain(length: int, onwards: Array | int = 0) -> Automaton:
    """Return an automaton whose states only a long word tells apart, of the symbol that leads onwards from each."""
    numbers = np.arange(length)
    transitions = np.zeros((length, 2), int)
    transitions[numbers, onwards] = np.minimum(numbers + 1, length - 1)
    return transitions, numbers == length - 1


def _joining() -> Automaton:
    """Return two ways that join from their ends backwards, at two states which lead to each other."""
    ahead = np.array([[1, 2], [3, 3], [4, 4], [5, 5], [6, 6], [7, 7], [8, 8], [9, 9], [9, 9], [10, 9], [9, 10]])
    return ahead, np.arange(11) >= 9


def every_symbol_counts(states: int) -> Automaton:
    """Return an automaton that counts all symbols up to its number of states, and starts again."""
    numbers = np.arange(states)
    return np.stack([(numbers + 1) % states] * 2, axis=1), numbers == states - 1


def draw_equivalent(rng: np.random.Generator) -> list[Draw]:
    """Draw automata in which some states do the same, and others nearly so."""
    return [
        Draw("states and their twins, which lead to each other's twins", doubled(rng, needing_all_symbols(rng, 4))),
        Draw("only long words tell these apart", _by_turns(_chain(9, _mixed(rng, 9)))),
        Draw("three symbols", doubled(rng, needing_all_symbols(rng, 4, 3))),
        Draw("two ways that join at their end", shuffled(rng, _joining())),
        Draw("counting to four, and a lost twin", _with_lost_twin(doubled(rng, every_symbol_counts(4)))),
        Draw("everything is accepted", (table(rng, 4), np.ones(4, bool)), edge=True),
    ]


def _by_turns(given: Automaton) -> Automaton:
    """Number states from below and above by turns: in whatever order pairs are gone through, it takes many rounds."""
    states = np.arange(len(given[1]))
    return renumbered(given, np.concatenate([states[::2], states[1::2][::-1]]))


def _with_lost_twin(given: Automaton) -> Automaton:
    """Add a twin of the start that nothing leads to."""
    transitions, accepting = given
    return np.concatenate([transitions, transitions[:1]]), np.append(accepting, accepting[0])


def _mixed(rng: np.random.Generator, length: int) -> Array:
    """Draw symbols, both of which occur among the first ones: no word of one symbol alone goes that way."""
    return np.append(rng.permutation([0, 1, int(rng.integers(2))]), rng.integers(2, size=length - 3))


def draw_minimise(rng: np.random.Generator) -> list[Draw]:
    """Draw automata that are too large."""
    return [
        Draw("states and their twins", doubled(rng, automaton(rng, 4))),
        Draw("two states that no word leads to", with_strangers(rng, branching(rng, 5), 2)),
        Draw("three symbols", doubled(rng, shuffled(rng, needing_all_symbols(rng, 4, 3)))),
        Draw("only long words tell these apart", doubled(rng, _chain(8, _mixed(rng, 8)))),
        Draw("both", with_strangers(rng, doubled(rng, automaton(rng, 5)), 3)),
        Draw("everything is accepted", (table(rng, 5), np.ones(5, bool)), edge=True),
    ]


def draw_pairs(rng: np.random.Generator) -> list[Draw]:
    """Draw pairs of automata."""
    three, _ = ring(3)
    return [
        Draw("four and three states", _partly_meeting(rng, 4, 3)),
        Draw("the same automaton twice", (three, three)),
        Draw("counting to two and to four", (every_symbol_counts(2)[0], every_symbol_counts(4)[0])),
        Draw("three symbols", _meeting_by_all(rng)),
        Draw("counting to five and to seven", (every_symbol_counts(5)[0], every_symbol_counts(7)[0])),
        Draw("a trap after one symbol", (np.array([[1, 1], [1, 1]]), _chain(4)[0])),
    ]


def _partly_meeting(rng: np.random.Generator, states: int, others: int) -> tuple[Array, Array]:
    """Draw two tables of which some states never come together."""
    while True:
        tables = table(rng, states), table(rng, others)
        if 1 < meeting_pairs(*tables).sum() < states * others:
            return tables


def _meeting_by_all(rng: np.random.Generator) -> tuple[Array, Array]:
    """Draw two tables of three symbols, some of whose states meet by the last symbol only."""
    while True:
        tables = automaton(rng, 3, 3)[0], ring_of_three_symbols()
        if np.any(meeting_pairs(*tables) & ~meeting_pairs(*(each[:, :2] for each in tables))):
            return tables


def ring_of_three_symbols() -> Array:
    """Return a table that counts a forwards and b backwards, and returns with c."""
    return np.array([[1, 3, 0], [2, 0, 0], [3, 1, 0], [0, 2, 0]])


def _spoilt(rng: np.random.Generator, given: Automaton) -> Automaton:
    """Let one more state accept, or one less; no word of three symbols is a right answer, so bbb never is."""
    transitions, accepting = given
    while True:
        changed = accepting ^ (np.arange(len(accepting)) == rng.integers(1, len(accepting)))
        if len(counterexample(*given, transitions, changed)) != 3:
            return shuffled(rng, (transitions, changed))


def draw_counterexample(rng: np.random.Generator) -> list[Draw]:
    """Draw pairs of automata that are not equivalent."""
    first, onwards = automaton(rng, 5), _mixed(rng, 6)
    small, large = every_symbol_counts(2), _miscounting(rng)
    cases = [
        Draw("an automaton and one that was spoilt", (*first, *_spoilt(rng, first))),
        Draw("only one word of four symbols tells them", (*_chain(5, onwards[:5]), *_chain(6, onwards))),
        Draw("they disagree on the empty word", (*first, first[0], ~first[1])),
        Draw("three symbols", _differ_by_the_last(rng)),
        Draw("they agree until the small one has been round three times", (*small, *large)),
        Draw("the other way round", (*large, *small)),
    ]
    return [Draw(case.title, case.arguments, TELLS_APART, edge="empty" in case.title) for case in cases]


def _miscounting(rng: np.random.Generator) -> Automaton:
    """Return an automaton that tells odd from even up to seven symbols, and goes wrong there."""
    transitions, _ = every_symbol_counts(8)
    return shuffled(rng, (transitions, np.arange(8) % 2 == np.arange(8) // 7 ^ 1))


def _differ_by_the_last(rng: np.random.Generator) -> tuple[Array, ...]:
    """Draw two automata of three symbols, in all of whose shortest counter-examples the last symbol occurs."""
    while True:
        first = automaton(rng, 4, 3)
        other = _spoilt(rng, first)
        length = len(counterexample(*first, *other))
        if np.all(agreement(first[0][:, :2], first[1], other[0][:, :2], other[1], length) == 1):
            return (*first, *other)


def draw_agreement(rng: np.random.Generator) -> list[Draw]:
    """Draw pairs of automata, and how far to look."""
    first = automaton(rng, 4)
    return [
        Draw("four and three states", (*first, *automaton(rng, 3), 6)),
        Draw("an automaton and one that was spoilt", (*first, *_spoilt(rng, first), 8)),
        Draw("three symbols", (*automaton(rng, 3, 3), *automaton(rng, 4, 3), 5)),
        Draw("a trap against a ring", (np.array([[0, 1], [1, 1]]), np.array([True, False]), *ring(3), 7)),
        Draw("equivalent", (*doubled(rng, first), *first, 5), edge=True),
    ]


def adder(base: int) -> tuple[Array, Array]:
    """Return the Mealy machine that adds digit by digit; symbol p · base + q stands for the digits p and q."""
    sums = np.arange(base)[:, None] + np.arange(base)
    with_carry = np.stack([sums.ravel(), sums.ravel() + 1])
    return with_carry // base, with_carry % base


def draw_mealy(rng: np.random.Generator) -> list[Draw]:
    """Draw Mealy machines and words."""
    transitions = table(rng, 4)
    said = rng.integers(1, 6, (4, 2))
    return [
        Draw("adding in base 2", (*adder(2), np.append(word(rng, 7, 4), 0))),
        Draw("adding in base 10", (*adder(10), np.append(word(rng, 6, 100), 0))),
        Draw("four states", (transitions, said, word(rng, 10))),
        Draw("a word of one symbol", (transitions, said, word(rng, 1))),
        Draw("the empty word", (transitions, said, word(rng, 0)), edge=True),
    ]


def draw_conversion(rng: np.random.Generator) -> list[Draw]:
    """Draw Moore machines."""
    return [
        Draw("four states", (table(rng, 4), rng.permutation(4) + 1)),
        Draw("three symbols", (table(rng, 5, 3), rng.permutation(9)[:5])),
        Draw("as many symbols as states", (table(rng, 3, 3), rng.permutation(3))),
        Draw("two states", (np.array([[1, 0], [0, 1]]), rng.permutation([0, 1]))),
    ]
