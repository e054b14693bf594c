"""Words and streams to train and test on: labelled at every prefix, balanced, and just beside the language."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vitrina.automata.machines import DFA, States

#: Opens each word of a stream.
RESET = "$"
_MOST_TRIES = 50


@dataclass(frozen=True, eq=False)
class Stream:
    """
    One long text in which words follow each other, each opened by `$`.

    Attributes
    ----------
    text : str
        The symbols.
    labels : array of bools, shape (symbols,)
        Whether what has been read since the last `$` belongs to the language; at a `$`, whether the empty word does.
    """

    text: str
    labels: npt.NDArray[np.bool_]


def stream(
    automaton: DFA, symbols: int, *, reset: float = 0.1, weights: npt.ArrayLike | None = None, seed: int
) -> Stream:
    """
    Draw a stream as Oliva and Lago-Fernandez (2019, doi 10.1007/978-3-030-30487-4_25) train on.

    Parameters
    ----------
    automaton
        Of the language; its symbols are single characters other than `$`.
    symbols
        How many, with the `$` that opens the first word.
    reset
        Probability of a `$` at each place: words have a mean length of 1 / reset - 1.
    weights : array, shape (alphabet,), optional
        How often each symbol comes, relative to the others; alike by itself.
    seed
        The same stream again for the same seed.

    Returns
    -------
    Stream

    Raises
    ------
    ValueError
        If there is no symbol, reset is not a probability, or `$` is a symbol of the language.
    """
    check_stream(symbols, reset)
    letters = [str(symbol) for symbol in automaton.alphabet]
    if RESET in letters or any(len(letter) != 1 for letter in letters):
        raise ValueError(f"a stream is made of single characters other than {RESET}, got {letters}")
    shares = np.ones(len(letters)) if weights is None else np.asarray(weights, float)
    generator = np.random.default_rng(seed)
    drawn = generator.choice(len(letters), size=symbols, p=shares / shares.sum())
    opens = generator.random(symbols) < reset
    opens[0] = True
    state, states = automaton.start, np.empty(symbols, np.int64)
    for place, (symbol, opened) in enumerate(zip(drawn.tolist(), opens.tolist(), strict=True)):
        states[place] = state = automaton.start if opened else int(automaton.transitions[state, symbol])
    text = "".join(RESET if opened else letters[symbol] for symbol, opened in zip(drawn, opens, strict=True))
    return Stream(text, automaton.outputs[states])


def check_stream(symbols: int, reset: float) -> None:
    """Raise ValueError unless a stream has symbols, and its `$` come with a probability above 0."""
    if symbols < 1:
        raise ValueError(f"a stream has at least one symbol, got {symbols}")
    if not 0 < reset <= 1:
        raise ValueError(f"reset must be a probability above 0, got {reset}")


def word_counts(automaton: DFA, length: int, *, accepted: bool = True) -> npt.NDArray[np.float64]:
    """
    Count the words that lead from each state to acceptance (or not), by their length.

    Parameters
    ----------
    automaton
        Of the language.
    length
        Of the longest words.
    accepted
        Whether to count the words that are accepted, or the others.

    Returns
    -------
    array, shape (length + 1, states)
        Exact up to 2^53, then rounded.
    """
    counts = np.empty((length + 1, len(automaton)))
    counts[0] = automaton.outputs == accepted
    for more in range(length):
        counts[more + 1] = counts[more][automaton.transitions].sum(axis=1)
    return counts


def draw_words(automaton: DFA, count: int, length: int, *, accepted: bool = True, seed: int) -> States:
    """
    Draw words of one length, each accepted (or each rejected) word as likely as any other.

    A symbol is drawn in proportion to how many ways of going on it leaves, so that nothing is drawn in vain even where
    one word in millions belongs.

    Parameters
    ----------
    automaton
        Of the language.
    count
        How many words; they may repeat.
    length
        Of each.
    accepted
        Whether they belong to the language, or do not.
    seed
        The same words again for the same seed.

    Returns
    -------
    array of ints, shape (count, length)
        Numbers of symbols.

    Raises
    ------
    ValueError
        If there is no such word of this length.
    """
    ways = word_counts(automaton, length, accepted=accepted)
    if not ways[length, automaton.start]:
        raise ValueError(f"no word of length {length} is {'accepted' if accepted else 'rejected'}")
    generator = np.random.default_rng(seed)
    states, words = np.full(count, automaton.start), np.empty((count, length), np.int64)
    for time in range(length):
        left = ways[length - time - 1][automaton.transitions[states]].cumsum(axis=1)
        words[:, time] = (generator.random((count, 1)) * left[:, -1:] >= left).sum(axis=1)
        states = automaton.transitions[states, words[:, time]]
    return words


def balanced_words(automaton: DFA, count: int, length: int, *, seed: int) -> tuple[States, npt.NDArray[np.bool_]]:
    """
    Draw words of one length, half of which belong to the language.

    Parameters
    ----------
    automaton
        Of the language.
    count
        How many; of an odd number the odd one does not belong.
    length
        Of each.
    seed
        The same words again for the same seed.

    Returns
    -------
    words : array of ints, shape (count, length)
    labels : array of bools, shape (count,)

    Raises
    ------
    ValueError
        If all words of this length belong, or none does.
    """
    inside = draw_words(automaton, count // 2, length, seed=seed)
    outside = draw_words(automaton, count - count // 2, length, accepted=False, seed=seed + 1)
    labels = np.arange(count) < count // 2
    order = np.random.default_rng(seed).permutation(count)
    return np.concatenate([inside, outside])[order], labels[order]


def near_misses(automaton: DFA, count: int, length: int, *, seed: int) -> tuple[States, States]:
    """
    Draw pairs of words that differ in one symbol, the first in the language and the second not.

    Parameters
    ----------
    automaton
        Of the language.
    count
        How many pairs.
    length
        Of each word.
    seed
        The same pairs again for the same seed.

    Returns
    -------
    inside, outside : array of ints, shape (count, length)

    Raises
    ------
    ValueError
        If no word of this length has such a neighbour.
    """
    symbols = len(automaton.alphabet)
    generator = np.random.default_rng(seed)
    inside, outside = (np.empty((0, length), np.int64) for _ in range(2))
    tries = _MOST_TRIES if length and symbols > 1 else 0
    while len(inside) < count:
        if not (tries or len(inside)):
            raise ValueError(f"no word of length {length} leaves the language by changing one symbol")
        words = draw_words(automaton, 4 * count, length, seed=int(generator.integers(2**31)))
        changed, places = words.copy(), (np.arange(len(words)), generator.integers(length, size=len(words)))
        changed[places] = (changed[places] + generator.integers(1, symbols, size=len(words))) % symbols
        missed = ~automaton.outputs[automaton.run(changed)[:, -1]]
        inside, outside = np.concatenate([inside, words[missed]]), np.concatenate([outside, changed[missed]])
        tries = max(0, tries - 1)
    return inside[:count], outside[:count]


def training_words(automaton: DFA, count: int, length: int, *, seed: int) -> States:
    """
    Draw words that show a network what there is: half of them any words, half staying near the language.

    A drawn word is mostly outside a language with a trap, and tells little after its first mistake. So half of the
    words avoid mistakes, and half of these get one somewhere.

    Parameters
    ----------
    automaton
        Of the language.
    count, length
        How many words, and of how many symbols.
    seed
        The same words again for the same seed.

    Returns
    -------
    array of ints, shape (count, length)
    """
    generator = np.random.default_rng(seed)
    shares = generator.dirichlet(np.full(len(automaton.alphabet), 1.5), size=count - count // 2)
    anything = (generator.random((len(shares), length, 1)) > shares.cumsum(axis=1)[:, np.newaxis, :-1]).sum(axis=2)
    slips = np.where(np.arange(count // 2) % 2, generator.integers(length, size=count // 2), length)
    return np.concatenate([anything, _walks(automaton, length, slips, generator)])


def staying_words(automaton: DFA, count: int, length: int, *, seed: int) -> States:
    """
    Draw words that stay where the language can still be reached, which is where a network can go wrong.

    Outside, in the trap of a language, every network soon says no for ever. Each word has its own preference for some
    symbols, so that long runs of one symbol are among them.

    Parameters
    ----------
    automaton
        Of the language.
    count, length
        How many words, and of how many symbols: they may be thousands.
    seed
        The same words again for the same seed.

    Returns
    -------
    array of ints, shape (count, length)
    """
    generator = np.random.default_rng(seed)
    never = np.full(count, length)
    shares = generator.dirichlet(np.full(len(automaton.alphabet), 1.0), size=count)
    return _walks(automaton, length, never, generator, shares)


def _walks(
    automaton: DFA,
    length: int,
    slips: States,
    generator: np.random.Generator,
    shares: npt.NDArray[np.float64] | float = 1.0,
) -> States:
    """Words that never enter a trap but by one free symbol at the time of their slip, if that comes."""
    hopeless = _hopeless(automaton)
    count = len(slips)
    states, words = np.full(count, automaton.start), np.empty((count, length), np.int64)
    for time in range(length):
        free = (slips == time) | hopeless[states]
        good = ~hopeless[automaton.transitions[states]] | free[:, np.newaxis]
        # The largest of u ** (1 / share) is each symbol's with the probability of its share among the good ones.
        drawn = generator.random(good.shape) ** (1 / np.maximum(shares, 1e-3))
        words[:, time] = np.where(good, drawn, -1).argmax(axis=1)
        states = automaton.transitions[states, words[:, time]]
    return words


def _hopeless(automaton: DFA) -> npt.NDArray[np.bool_]:
    """States from which nothing is accepted any more."""
    hope = automaton.outputs.copy()
    for _ in range(len(automaton)):
        hope |= hope[automaton.transitions].any(axis=1)
    return ~hope
