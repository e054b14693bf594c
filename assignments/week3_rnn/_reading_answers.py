"""Answers that students give in part C."""

import collections

import numpy as np


def names(hidden, *, digit=lambda unit: int(unit > 0), base=2, backwards=False):
    """Write names digit by digit, with one thing done differently."""
    units = hidden.shape[-1]
    rows = hidden.reshape(-1, units)[:, ::-1] if backwards else hidden.reshape(-1, units)
    found = [sum(digit(unit) * base**place for place, unit in enumerate(row.tolist())) for row in rows]
    return np.array(found).reshape(hidden.shape[:-1])


def sign_names_by_text(hidden):
    rows = hidden.reshape(-1, hidden.shape[-1])
    found = [int("".join("1" if unit > 0 else "0" for unit in row[::-1]), 2) for row in rows]
    return np.array(found).reshape(hidden.shape[:-1])


def nearest(unit):
    """Return 0, 1 or 2 for what is nearest to −1, 0 and 1."""
    return 0 if unit < -0.5 else 2 if unit > 0.5 else 1


def rounded_names(hidden, *, digit=nearest, base=3, backwards=False):
    return names(hidden, digit=digit, base=base, backwards=backwards)


def numbers(named, *, start_known=False, by_column=False, anew=False):
    """Number states in the order in which they come, with one thing done differently."""
    known, answer = {}, np.zeros(named.shape, int)
    if start_known:
        known[named[0, 0]] = 0
    places = [(row, column) for row in range(len(named)) for column in range(1, named.shape[1])]
    if by_column:
        places = sorted(places, key=lambda place: place[::-1])
    for row, column in places:
        if anew and column == 1:
            known = {}
        name = named[row, column]
        if name not in known:
            known[name] = len(known) if start_known else len(known) + 1
        answer[row, column] = known[name]
    return answer


def numbers_by_unique(named):
    """Let `np.unique` find where each name comes first."""
    later = named[:, 1:]
    _, first, which = np.unique(later, return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(first))
    answer = np.zeros(named.shape, int)
    answer[:, 1:] = 1 + order[which].reshape(later.shape) if later.size else answer[:, 1:]
    return answer


def numbers_sorted(named):
    """Number names by their size, as `np.unique` does by itself."""
    answer = np.zeros(named.shape, int)
    later = named[:, 1:]
    answer[:, 1:] = 1 + np.unique(later, return_inverse=True)[1].reshape(later.shape)
    return answer


def moves(states, words, symbols, *, skip=0, late=False, back=False):
    """Count move by move, with one thing done differently."""
    counts = np.zeros((states.max() + 1, symbols, states.max() + 1), int)
    for row, word in zip(states.tolist(), words.tolist(), strict=True):
        for time in range(skip, len(word) - late):
            one, two = row[time : time + 2]
            counts[(two, word[time], one) if back else (one, word[time + late], two)] += 1
    return counts


def moves_by_number(states, words, symbols):
    """Give each kind of move a number, and count numbers."""
    n = states.max() + 1
    kinds = (states[:, :-1] * symbols + words) * n + states[:, 1:]
    return np.bincount(kinds.ravel(), minlength=n * symbols * n).reshape(n, symbols, n)


def moves_once(states, words, symbols):
    counts = np.zeros((states.max() + 1, symbols, states.max() + 1), int)
    counts[states[:, :-1], words, states[:, 1:]] += 1
    return counts


def share_of_rows(counts):
    """Share of the states and symbols that always led to one state, among those that were seen."""
    seen = counts.sum(axis=2) > 0
    return np.mean((counts > 0).sum(axis=2)[seen] == 1)


def mean_of_rows(counts):
    """Average the share over states and symbols, each of which counts the same."""
    seen = counts.sum(axis=2) > 0
    return np.mean(counts.max(axis=2)[seen] / counts.sum(axis=2)[seen])


def majority(counts, *, best=np.argmax, unseen=lambda state: state):
    """Decide row by row, with one thing done differently."""
    return np.array(
        [[int(best(row)) if row.any() else unseen(state) for row in rows] for state, rows in enumerate(counts)]
    )


def last_of_equals(row):
    return len(row) - 1 - int(np.argmax(row[::-1]))


def rarest(row):
    """Return where it went least often, if it went there at all."""
    return int(np.argmin(np.where(row > 0, row, row.max() + 1)))


def verdicts(states, said, *, rule=lambda answers: np.mean(answers) > 0.5):
    """Decide state by state, with another rule."""
    return np.array([bool(rule(said[states == state])) for state in range(states.max() + 1)])


def verdicts_by_counting(states, said):
    votes = collections.Counter()
    for state, answer in zip(states.ravel().tolist(), said.ravel().tolist(), strict=True):
        votes[state] += 1 if answer else -1
    return [votes[state] > 0 for state in range(states.max() + 1)]


def without_start(states, said):
    """Leave out what was said before the first symbol."""
    return verdicts(np.append(states[:, 1:], states.max()), np.append(said[:, 1:], said[states == states.max()][0]))


def word_by_word(states, said):
    """Ask whether a state accepts in more than half of the words that it occurs in."""
    answer = []
    for state in range(states.max() + 1):
        rows = [row[path == state].mean() > 0.5 for path, row in zip(states, said, strict=True) if state in path]
        answer.append(np.mean(rows) > 0.5)
    return answer


def reach(transitions, *, symbols=slice(None), rounds=None):
    """Widen the set of known states, as long as it grows or for some rounds."""
    found, rounds = {0}, len(transitions) if rounds is None else rounds
    for _ in range(rounds):
        found |= {int(target) for state in found for target in transitions[state, symbols]}
    return np.isin(np.arange(len(transitions)), list(found))


def reach_in_depth(transitions):
    found = np.zeros(len(transitions), bool)

    def visit(state):
        if not found[state]:
            found[state] = True
            for target in transitions[state]:
                visit(target)

    visit(0)
    return found


def leads_to_start(transitions):
    """Say which states can reach the start: the arrows are followed backwards."""
    found = {0}
    for _ in transitions:
        found |= {state for state, row in enumerate(transitions.tolist()) if found & set(row)}
    return np.isin(np.arange(len(transitions)), list(found))


def has_arrow_into_it(transitions):
    return np.isin(np.arange(len(transitions)), np.append(transitions, 0))


def after_a_symbol(transitions):
    """Count only what at least one symbol leads to."""
    return np.isin(np.arange(len(transitions)), transitions[reach(transitions)])
