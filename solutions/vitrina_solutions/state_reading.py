"""From a network's hidden states to a table: name them, count what led where, and let the majority decide."""

import numpy as np


def sign_names(hidden: np.ndarray) -> np.ndarray:
    """
    A name for each hidden state, by the signs of its units.

    The name is a number in binary: unit i, if it is above 0, counts 2^i. So (0.9, −0.8, 0.7) is called 1 + 4 = 5.

    Parameters
    ----------
    hidden : array, shape (..., units)
        States, along any number of axes.

    Returns
    -------
    array of int, shape (...)
        A number for each state, the same for the same signs.
    """
    worth = 2 ** np.arange(hidden.shape[-1])
    return (hidden > 0) @ worth


def rounded_names(hidden: np.ndarray) -> np.ndarray:
    """
    A name for each hidden state, by its units rounded to −1, 0 and 1.

    Signs cannot tell a unit that is a little above 0 from one that is saturated. Round to the nearest whole number, and
    write the name with three digits: unit i counts 3^i times 0, 1 or 2, for −1, 0 and 1. So (0.9, −0.1) is called
    2 + 1 · 3 = 5.

    Parameters
    ----------
    hidden : array, shape (..., units)
        States of tanh units, none of which is exactly 0.5 or −0.5.

    Returns
    -------
    array of int, shape (...)
        A number for each state.
    """
    digits = np.rint(hidden).astype(int) + 1
    return digits @ 3 ** np.arange(hidden.shape[-1])


def number_states(names: np.ndarray) -> np.ndarray:
    """
    Number the states 0, 1, 2, ..., so that they can be rows of a table.

    The state before the first symbol is 0, and a state of its own: no unit has said anything yet, so its name means
    nothing, even where another state has the same one. The other states are 1, 2, ... in the order in which they first
    come when the words are read one after the other, row by row.

    Parameters
    ----------
    names : array of int, shape (count, length + 1)
        The name of each word's state before the first symbol and after each.

    Returns
    -------
    array of int, shape (count, length + 1)
        The numbers of the states.
    """
    numbers = np.zeros(names.shape, dtype=int)
    known: dict[int, int] = {}
    for row, word in enumerate(names.tolist()):
        for column, name in enumerate(word[1:], start=1):
            numbers[row, column] = known.setdefault(name, len(known) + 1)
    return numbers


def count_moves(states: np.ndarray, words: np.ndarray, symbols: int) -> np.ndarray:
    """
    Count the moves: how often state s, when it read symbol x, was followed by state t.

    Parameters
    ----------
    states : array of int, shape (count, length + 1)
        Numbers of states before the first symbol and after each, one word a row.
    words : array of int, shape (count, length)
        The symbols: words[i, 0] leads from states[i, 0] to states[i, 1].
    symbols : int
        How many there are in the alphabet.

    Returns
    -------
    array of int, shape (largest number of a state + 1, symbols, largest number of a state + 1)
        moves[s, x, t].
    """
    count = states.max() + 1
    moves = np.zeros((count, symbols, count), dtype=int)
    np.add.at(moves, (states[:, :-1], words, states[:, 1:]), 1)
    return moves


def determinism(moves: np.ndarray) -> float:
    """
    Determinism: the share of all moves that went where most moves from their state by their symbol went.

    Parameters
    ----------
    moves : array of int, shape (states, symbols, states)
        How often each state was followed by each other one; at least one move was seen.

    Returns
    -------
    float
        1 if the same state and symbol always led to the same state.
    """
    usual = moves.max(axis=2)
    return float(usual.sum() / moves.sum())


def majority_table(moves: np.ndarray) -> np.ndarray:
    """
    The table of the majority: from each state, by each symbol, to where it went most often.

    A state that never read a symbol stays where it is. Of two that are equally frequent, the one with the lower number
    wins.

    Parameters
    ----------
    moves : array of int, shape (states, symbols, states)
        How often each state was followed by each other one.

    Returns
    -------
    array of int, shape (states, symbols)
        The transitions of an automaton.
    """
    table = moves.argmax(axis=2)
    never = moves.sum(axis=2) == 0
    return np.where(never, np.arange(len(moves))[:, None], table)


def majority_accepting(states: np.ndarray, said: np.ndarray) -> np.ndarray:
    """
    The accepting states: those in which the network said "belongs" more often than not.

    Parameters
    ----------
    states : array of int, shape (count, length + 1)
        Numbers of states; each number from 0 to the largest occurs.
    said : array of bool, shape (count, length + 1)
        What the network said there.

    Returns
    -------
    array of bool, shape (largest number of a state + 1,)
        True for more than half of the visits.
    """
    visits = np.bincount(states.ravel())
    accepted = np.bincount(states.ravel(), weights=said.ravel())
    return accepted > visits / 2


def reachable(transitions: np.ndarray) -> np.ndarray:
    """
    Which states of an automaton some word leads to.

    Parameters
    ----------
    transitions : array of int, shape (states, symbols)
        The next state; the start, state 0, is reached by the empty word.

    Returns
    -------
    array of bool, shape (states,)
        True for the states that can be reached.
    """
    found = np.arange(len(transitions)) == 0
    for _ in transitions:
        found[transitions[found]] = True
    return found
