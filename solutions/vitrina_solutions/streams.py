"""Regular languages: what an automaton does with a word, the stream that a network reads, and how many words there are.

An automaton is a table of transitions, a row for each state and a column for each symbol, and a truth value for each
state: whether it accepts. The start is state 0. Words are arrays of symbol numbers: a is 0, b is 1.
"""

import itertools

import numpy as np


def run_automaton(transitions: np.ndarray, word: np.ndarray) -> np.ndarray:
    """
    The states that an automaton passes through while it reads a word.

    It begins in state 0. In state s it reads the symbol x and goes to transitions[s, x].

    Parameters
    ----------
    transitions : array of int, shape (states, symbols)
        The next state: a row for the state that it is in, a column for the symbol that it reads.
    word : array of int, shape (length,)
        Numbers of symbols, from 0; the word may be empty.

    Returns
    -------
    array of int, shape (length + 1,)
        The start, and the state after each symbol.
    """
    states = [0]
    for symbol in word:
        states.append(transitions[states[-1], symbol])
    return np.array(states)


def label_stream(transitions: np.ndarray, accepting: np.ndarray, stream: np.ndarray) -> np.ndarray:
    """
    The labels of a stream: after each symbol, whether what has been read since the last $ belongs to the language.

    The symbol $ opens a word: it takes the automaton back to its start. It has a label too: whether the empty word
    belongs. (Oliva and Lago-Fernández 2019, doi 10.1007/978-3-030-30487-4_25.)

    Parameters
    ----------
    transitions : array of int, shape (states, symbols)
        The automaton of the language; its start is state 0. It knows nothing of $.
    accepting : array of bool, shape (states,)
        Whether a word that ends in this state belongs.
    stream : array of int, shape (length,)
        Numbers of symbols, from 0; $ has the number after the last one: `transitions.shape[1]`, which is 2 for a and b.

    Returns
    -------
    array of bool, shape (length,)
        A label for each symbol of the stream.
    """
    state, states = 0, []
    for symbol in stream:
        state = 0 if symbol == transitions.shape[1] else transitions[state, symbol]
        states.append(state)
    return accepting[states]


def in_tomita_3(words: np.ndarray) -> np.ndarray:
    """
    Which words belong to Tomita's third language, by its definition and without an automaton.

    A run is a stretch of equal symbols that is as long as can be. A word belongs unless some run of a (0) of odd length
    is followed at once by a run of b (1) of odd length. (Tomita 1982.)

    Parameters
    ----------
    words : array of int, shape (count, length)
        One word a row, of symbols 0 (a) and 1 (b).

    Returns
    -------
    array of bool, shape (count,)
        True for the words that belong; the empty word does.
    """
    answers = []
    for word in words.tolist():
        runs = [(symbol, len(list(run))) for symbol, run in itertools.groupby(word)]
        pairs = itertools.pairwise(runs)
        answers.append(not any(symbol == 0 and ours % 2 and theirs % 2 for (symbol, ours), (_, theirs) in pairs))
    return np.array(answers, dtype=bool)


def count_words(transitions: np.ndarray, accepting: np.ndarray, length: int) -> np.ndarray:
    """
    How many words of each length an automaton accepts, without writing the words down.

    Keep for each state the number of words that lead there. At length 0 one word leads to the start and none to any
    other state. One more symbol takes each of the words of a state on, once for every symbol.

    Parameters
    ----------
    transitions : array of int, shape (states, symbols)
        The next state; the start is state 0.
    accepting : array of bool, shape (states,)
        Whether a word that ends in this state belongs.
    length : int
        Of the longest words that are counted, 0 or more.

    Returns
    -------
    array of int, shape (length + 1,)
        How many words of length 0, 1, ..., length are accepted.
    """
    words = np.zeros(len(transitions), dtype=int)
    words[0] = 1
    accepted = [words[accepting].sum()]
    for _ in range(length):
        further = np.zeros_like(words)
        np.add.at(further, transitions, words[:, None])
        words = further
        accepted.append(words[accepting].sum())
    return np.array(accepted)
