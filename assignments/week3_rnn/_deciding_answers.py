"""Answers that students give in part D."""

import itertools

import numpy as np

from ._stream_answers import walk


def refine(transitions, accepting, *, rounds=None):
    """Split groups of states until nothing changes, or for some rounds; return the numbers of their groups."""
    group = accepting.astype(int)
    for _ in range(len(accepting) if rounds is None else rounds):
        rows = [(group[state], *group[transitions[state]]) for state in range(len(group))]
        known = {row: number for number, row in enumerate(dict.fromkeys(rows))}
        group = np.array([known[row] for row in rows])
    return group


def same(group):
    return group[:, None] == group


def by_refining(transitions, accepting, *, rounds=None):
    return same(refine(transitions, accepting, rounds=rounds))


def by_sweeps(transitions, accepting, *, rounds, turned=False):
    """Look at each pair some times, from the first to the last or from the last to the first."""
    alike = same(accepting)
    pairs = list(np.ndindex(alike.shape))
    for one, two in (pairs[::-1] if turned else pairs) * rounds:
        alike[one, two] &= all(alike[ends] for ends in zip(transitions[one], transitions[two], strict=True))
    return alike


def by_all_words(transitions, accepting):
    """Try every word that is shorter than there are states."""
    states = range(len(transitions))
    alike = np.ones((len(transitions),) * 2, bool)
    for length in range(len(transitions)):
        for word in itertools.product(range(transitions.shape[1]), repeat=length):
            ends = []
            for state in states:
                for symbol in word:
                    state = transitions[state, symbol]
                ends.append(accepting[state])
            alike &= same(np.array(ends))
    return alike


def merge_rows(transitions, accepting, *, rounds=None):
    """Merge states whose rows are equal, name them anew, and again: what the published code does."""
    group = np.arange(len(accepting))
    for _ in range(len(accepting) if rounds is None else rounds):
        rows = [(accepting[state], *group[transitions[state]]) for state in range(len(group))]
        known = {row: number for number, row in enumerate(dict.fromkeys(rows))}
        group = np.array([known[row] for row in rows])
    return group


def by_transitions_alone(transitions, _accepting):
    """Begin with all states in one group: nothing ever splits it."""
    return np.ones((len(transitions),) * 2, bool)


def lost_states_apart(transitions, accepting):
    """Call states that no word leads to equivalent to nothing but themselves."""
    reached = {0}
    for _ in transitions:
        reached |= {int(target) for state in reached for target in transitions[state]}
    found = np.isin(np.arange(len(transitions)), list(reached))
    return by_refining(transitions, accepting) & (found[:, None] & found | np.eye(len(found), dtype=bool))


def by_all_symbols(transitions, accepting):
    """Tell states apart only where every symbol does."""
    differ = accepting[:, None] != accepting
    for _ in transitions:
        differ = differ | differ[transitions[:, None], transitions[None]].all(axis=2)
    return ~differ


def smallest(transitions, accepting, *, groups=refine, strangers=False, depth=False, first=None):
    """Merge groups of states and number them, with one thing done differently."""
    group = groups(transitions, accepting)
    met, waiting = [], [0]
    while waiting:
        state = waiting.pop(-1 if depth else 0)
        if group[state] not in group[met]:
            met.append(state)
            waiting += transitions[state][:: -1 if depth else 1].tolist()
    if strangers:
        met += [
            state
            for state in range(len(group))
            if state == np.flatnonzero(group == group[state])[0] and group[state] not in group[met]
        ]
    if first is not None:
        met = sorted(met, key=first)
    number = {int(group[state]): new for new, state in enumerate(met)}
    rows = [[number[int(group[target])] for target in transitions[state]] + [int(accepting[state])] for state in met]
    return np.array(rows)


def not_renumbered(transitions, accepting):
    """Keep one row of each group, with the old numbers in it."""
    group = refine(transitions, accepting)
    met = np.unique(group, return_index=True)[1]
    return np.column_stack([transitions[met], accepting[met]])


def pairs(transitions, others, *, rounds=None, apart=False, start=True):
    """Widen the set of pairs, with one thing done differently."""
    found = {(0, 0)}
    symbols = range(transitions.shape[1])
    read = list(itertools.product(symbols, symbols)) if apart else [(symbol, symbol) for symbol in symbols]
    for _ in range(transitions.size * others.size if rounds is None else rounds):
        wider = found | {(int(transitions[one, x]), int(others[two, y])) for one, two in found for x, y in read}
        if wider == found:
            break
        found = wider
    if not start:
        found = {(int(transitions[one, x]), int(others[two, y])) for one, two in found for x, y in read}
    table = np.zeros((len(transitions), len(others)), bool)
    for one, two in found:
        table[one, two] = True
    return table


def pairs_recursively(transitions, others):
    table = np.zeros((len(transitions), len(others)), bool)

    def visit(one, two):
        if not table[one, two]:
            table[one, two] = True
            for first, second in zip(transitions[one], others[two], strict=True):
                visit(first, second)

    visit(0, 0)
    return table


def shortest_by_listing(transitions, accepting, others, accepting_too, *, least=0, most=8):
    """Try all words in the order of their length; b comes before a."""
    for length in range(least, most + 1):
        for word in itertools.product(range(transitions.shape[1])[::-1], repeat=length):
            read = np.array(word, int)
            if accepting[walk(transitions, read)[-1]] != accepting_too[walk(others, read)[-1]]:
                return list(word)
    return []


def first_in_breadth(transitions, accepting, others, accepting_too, *, seen_by):
    """Look at words in the order of their length, but remember something less than pairs of states."""
    waiting, seen = [(0, 0, [])], {seen_by(0, 0)}
    for one, two, word in waiting:
        if accepting[one] != accepting_too[two]:
            return word
        for symbol in range(transitions.shape[1]):
            pair = int(transitions[one, symbol]), int(others[two, symbol])
            if seen_by(*pair) not in seen:
                seen.add(seen_by(*pair))
                waiting.append((*pair, [*word, symbol]))
    return []


def first_in_depth(transitions, accepting, others, accepting_too):
    """Follow the last symbol as far as it goes, and return the first word found: it need not be short."""
    waiting, seen = [(0, 0, [])], {(0, 0)}
    longest = []
    while waiting:
        one, two, word = waiting.pop()
        if accepting[one] != accepting_too[two]:
            longest = max(longest, word, key=len)
        for symbol in range(transitions.shape[1]):
            pair = int(transitions[one, symbol]), int(others[two, symbol])
            if pair not in seen:
                seen.add(pair)
                waiting.append((*pair, [*word, symbol]))
    return longest


def where_tables_differ(transitions, _accepting, others, _accepting_too):
    """Take the first symbol by which the tables lead to other numbers."""
    rows = min(len(transitions), len(others))
    return np.argwhere(transitions[:rows] != others[:rows])[:1, 1] if rows else []


def agree(transitions, accepting, others, accepting_too, length, *, same=None, adding=None, begin=None, parts=None):
    """Follow shares of words, with one thing done differently."""
    alike = accepting[:, None] == accepting_too if same is None else same(accepting[:, None], accepting_too)
    shares = np.zeros((len(transitions), len(others)))
    shares[0, 0] = 1
    shares = shares if begin is None else begin(shares)
    found = [shares[alike].sum()]
    for _ in range(length):
        further = np.zeros_like(shares)
        for one, two in itertools.product(range(len(transitions)), range(len(others))):
            for x in range(transitions.shape[1]):
                place = transitions[one, x], others[two, x]
                part = shares[one, two] / (parts or transitions.shape[1])
                further[place] = part if adding == "lost" and part else further[place] + part
        shares = further
        found.append(shares[alike].sum())
    return np.array(found)


def agree_by_listing(transitions, accepting, others, accepting_too, length):
    """Write all words down."""
    shares = []
    for n in range(length + 1):
        words = [np.array(word, int) for word in itertools.product(range(transitions.shape[1]), repeat=n)]
        ends = [(walk(transitions, word)[-1], walk(others, word)[-1]) for word in words]
        shares.append(np.mean([accepting[one] == accepting_too[two] for one, two in ends]))
    return shares


def agree_by_chance(transitions, accepting, others, accepting_too, length):
    """Multiply shares as if the two automata read different words."""
    alone = [_accepted(transitions, accepting, length), _accepted(others, accepting_too, length)]
    return alone[0] * alone[1] + (1 - alone[0]) * (1 - alone[1])


def _accepted(transitions, accepting, length):
    everything = (np.zeros((1, transitions.shape[1]), int), np.ones(1, bool))
    return agree(transitions, accepting, *everything, length)


def speak(transitions, outputs, word, *, late=False, swapped=False):
    """Speak symbol by symbol, with one thing done differently."""
    state, said = 0, []
    for symbol in word.tolist():
        before, state = state, transitions[state, symbol]
        place = (state if late else before), symbol
        said.append(outputs[place[::-1] if swapped else place])
    return np.array(said, int)


def speak_from_start(_transitions, outputs, word):
    return outputs[0, word]


def convert(transitions, outputs):
    """State by state and symbol by symbol."""
    rows = []
    for row in transitions:
        rows.append([outputs[target] for target in row])
    return rows


def convert_one_step_late(transitions, outputs):
    """Say on the way what the state that is left says."""
    return np.tile(outputs[:, None], (1, transitions.shape[1]))


def convert_two_steps(transitions, outputs):
    return outputs[transitions[transitions, np.arange(transitions.shape[1])]]
