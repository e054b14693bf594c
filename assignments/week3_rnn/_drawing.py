"""How the cases of this week's exercises are drawn: automata in common."""

import numpy as np

from vitrina.values import Array
from vitrina_solutions.deciding import equivalent_states
from vitrina_solutions.state_reading import reachable

Automaton = tuple[Array, Array]


def table(rng: np.random.Generator, states: int, symbols: int = 2) -> Array:
    """Draw transitions by which every state can be reached."""
    while True:
        transitions = rng.integers(states, size=(states, symbols))
        if reachable(transitions).all():
            return transitions


def acceptance(rng: np.random.Generator, states: int) -> Array:
    """Draw which states accept: some do, and some do not."""
    while True:
        accepting = rng.random(states) < 0.5
        if 0 < accepting.sum() < states:
            return accepting


def automaton(rng: np.random.Generator, states: int, symbols: int = 2) -> Automaton:
    """Draw an automaton that is as small as can be."""
    while True:
        transitions, accepting = table(rng, states, symbols), acceptance(rng, states)
        if equivalent_states(transitions, accepting).sum() == states:
            return transitions, accepting


def needing_all_symbols(rng: np.random.Generator, states: int, symbols: int = 2) -> Automaton:
    """Draw a minimal automaton of four states or more, which neither one symbol nor all but the last tell apart."""
    few = [[symbol] for symbol in range(symbols)] + [list(range(symbols - 1))]
    while True:
        transitions, accepting = automaton(rng, states, symbols)
        if all(equivalent_states(transitions[:, some], accepting).sum() > states for some in few):
            return transitions, accepting


def doubled(rng: np.random.Generator, small: Automaton) -> Automaton:
    """Give each state a twin: every arrow leads to one of two, so that many twins lead to each other's twins."""
    transitions, accepting = small
    both = np.concatenate([transitions, transitions])
    tries = [both + len(small[1]) * rng.integers(2, size=both.shape) for _ in range(20)]
    most = max(tries, key=lambda twins: int(reachable(twins).sum()))
    return shuffled(rng, (most, np.concatenate([accepting, accepting])))


def shuffled(rng: np.random.Generator, given: Automaton) -> Automaton:
    """Number the states anew; the start stays 0."""
    return renumbered(given, np.concatenate([[0], 1 + rng.permutation(len(given[1]) - 1)]))


def renumbered(given: Automaton, order: Array) -> Automaton:
    """Number the states anew, by their old numbers in the new order."""
    transitions, accepting = given
    return np.argsort(order)[transitions[order]], accepting[order]


def branching(rng: np.random.Generator, states: int) -> Automaton:
    """Draw an automaton whose states one meets in another order if one follows a as far as it goes."""
    while True:
        transitions, accepting = automaton(rng, states)
        first, second = transitions[0].tolist()
        if len({0, first, second, int(transitions[first, 0])}) == 4:
            return transitions, accepting


def with_strangers(rng: np.random.Generator, given: Automaton, count: int) -> Automaton:
    """Add states that no word leads to, though they lead somewhere."""
    transitions, accepting = given
    states, symbols = transitions.shape
    extra = rng.integers(states + count, size=(count, symbols))
    return np.concatenate([transitions, extra]), np.concatenate([accepting, rng.random(count) < 0.5])


def word(rng: np.random.Generator, length: int, symbols: int = 2) -> Array:
    """Draw a word."""
    return rng.integers(symbols, size=length)


def ring(states: int) -> Automaton:
    """Return an automaton that counts a up to its number of states, and starts again: b is not counted."""
    numbers = np.arange(states)
    return np.stack([(numbers + 1) % states, numbers], axis=1), numbers == states - 1
