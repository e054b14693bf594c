"""Answers that students give in part A: other right ways, and wrong ones that need more than a line."""

import itertools
import re

import numpy as np

from vitrina_solutions.streams import in_tomita_3


def walk(transitions, word, *, step=lambda table, state, symbol: table[state, symbol]):
    """Go on from state to state, with another way to take a step."""
    steps = itertools.accumulate(word.tolist(), lambda state, symbol: step(transitions, int(state), symbol), initial=0)
    return np.array(list(steps))


def walk_recursively(transitions, word):
    if not len(word):
        return [0]
    before = walk_recursively(transitions, word[:-1])
    return [*before, transitions[before[-1], word[-1]]]


def labels_word_by_word(transitions, accepting, stream, *, dollar=None):
    """Cut the stream before each $, and read what follows it."""
    dollar, labels = transitions.shape[1] if dollar is None else dollar, []
    for part in np.split(stream, np.flatnonzero(stream == dollar)):
        states = walk(transitions, part[part != dollar])
        labels += accepting[states[len(states) - len(part) :]].tolist()
    return np.array(labels)


def labels(transitions, accepting, stream, *, at_dollar="start", early=False):
    """Label a stream, with one thing done differently at $, or too early."""
    state, answer = 0, []
    for symbol in stream.tolist():
        if early:
            answer.append(accepting[state])
        before = state
        if symbol < transitions.shape[1]:
            state = transitions[state, symbol]
        elif at_dollar != "stay":
            state = 0
        if not early:
            late = at_dollar == "late" and symbol == transitions.shape[1]
            answer.append(accepting[before if late else state])
    answer = np.array(answer)
    return answer & (stream < transitions.shape[1]) if at_dollar == "no" else answer


def labels_of_whole_words(transitions, accepting, stream):
    """Give all symbols of a word the label of its end."""
    right = labels(transitions, accepting, stream)
    opens = np.flatnonzero(stream == transitions.shape[1])
    parts = np.split(right, opens)
    return np.concatenate([np.full(len(part), part[-1] if len(part) else False) for part in parts])


def tomita_3_by_pattern(words):
    """Search for an odd run of a before an odd run of b, with a regular expression."""
    return matching(words, r"(?<!a)a(aa)*b(bb)*(?!b)")


def matching(words, pattern):
    """Say which words do not match a pattern."""
    texts = ["".join("ab"[symbol] for symbol in word) for word in words.tolist()]
    return np.array([not re.search(pattern, text) for text in texts], dtype=bool)


def tomita_3_by_automaton(words):
    table = np.array([[1, 0], [0, 2], [4, 3], [1, 2], [4, 4]])
    return np.array([walk(table, word)[-1] in (0, 1, 3) for word in words], dtype=bool)


def tomita_3_at_any_distance(words):
    return matching(words, r"(?<!a)a(aa)*(b.*a)?b(bb)*(?!b)|(?<!a)a(aa)*b.*ab(bb)*(?!b)")


def tomita_3_turned(words):
    """Take an odd run of b before an odd run of a."""
    return in_tomita_3(1 - words)


def count_by_listing(transitions, accepting, length):
    """Write all words down."""
    symbols = range(transitions.shape[1])
    return [
        sum(
            bool(accepting[walk(transitions, np.array(word, int))[-1]]) for word in itertools.product(symbols, repeat=n)
        )
        for n in range(length + 1)
    ]


def count_by_matrix(transitions, accepting, length):
    """Multiply by the matrix that says how many symbols lead from state to state."""
    arrows = (transitions[:, :, None] == np.arange(len(transitions))).sum(axis=1)
    return np.array([np.linalg.matrix_power(arrows, n)[0] @ accepting for n in range(length + 1)])


def count_from(transitions, accepting, length, *, begin=None, adding=None):
    """Count words state by state, with one thing done differently."""
    words = np.eye(len(transitions), dtype=int)[0] if begin is None else begin(len(transitions))
    counts = [words @ accepting]
    for _ in range(length):
        further = np.zeros_like(words)
        for symbol in range(transitions.shape[1]):
            if adding == "lost":
                further[transitions[:, symbol]] += words
            else:
                np.add.at(further, transitions[:, symbol], words)
        words = further
        counts.append(words @ accepting)
    return np.array(counts)


def powers(transitions, length):
    """How many words of each length there are."""
    return transitions.shape[1] ** np.arange(length + 1)
