"""Automata: which states are one, the smallest automaton, whether two of them are equivalent, and when they speak."""

import numpy as np

from vitrina_solutions.streams import run_automaton


def equivalent_states(transitions: np.ndarray, accepting: np.ndarray) -> np.ndarray:
    """
    Which states of an automaton no word can tell apart.

    A word tells two states apart if it leads one of them to acceptance and the other not. The empty word tells apart
    what accepts from what does not. Then, again and again: two states that some symbol leads to states which are told
    apart are told apart themselves, until nothing changes any more. (Moore 1956; Hopcroft and Ullman 1979, section
    3.4.)

    Parameters
    ----------
    transitions : array of int, shape (states, symbols)
        The next state.
    accepting : array of bool, shape (states,)
        Whether a word that ends in this state is accepted.

    Returns
    -------
    array of bool, shape (states, states)
        True at [s, t] if no word tells s and t apart; so every state is equivalent to itself.
    """
    differ = accepting[:, None] != accepting
    for _ in transitions:
        differ = differ | differ[transitions[:, None], transitions[None]].any(axis=2)
    return ~differ


def minimise(transitions: np.ndarray, accepting: np.ndarray) -> np.ndarray:
    """
    The smallest automaton that accepts the same words, as one table.

    Equivalent states become one; states that no word leads to are left out. The states of the new automaton are
    numbered in the order in which one meets them: the start first, then where a and b lead from it, then where they
    lead from state 1, and so on.

    Parameters
    ----------
    transitions : array of int, shape (states, symbols)
        The next state; the start is state 0.
    accepting : array of bool, shape (states,)
        Whether a word that ends in this state is accepted.

    Returns
    -------
    array of int, shape (new states, symbols + 1)
        A row for each state: where each symbol leads, and in the last column 1 if the state accepts, else 0.
    """
    same = equivalent_states(transitions, accepting)
    met = [0]
    for state in met:
        for target in transitions[state]:
            if not same[target, met].any():
                met.append(int(target))
    number = same[:, met].argmax(axis=1)
    return np.column_stack([number[transitions[met]], accepting[met]])


def meeting_pairs(transitions: np.ndarray, others: np.ndarray) -> np.ndarray:
    """
    The product of two automata: which pairs of states they are in after the same word.

    Both begin in their state 0 and read the same symbols.

    Parameters
    ----------
    transitions : array of int, shape (states, symbols)
        The first automaton.
    others : array of int, shape (other states, symbols)
        The second one, over the same symbols.

    Returns
    -------
    array of bool, shape (states, other states)
        True at [s, t] if some word leads the first automaton to s and the second one to t.
    """
    pairs = np.zeros((len(transitions), len(others)), dtype=bool)
    waiting = [(0, 0)]
    for first, second in waiting:
        if not pairs[first, second]:
            pairs[first, second] = True
            waiting.extend(zip(transitions[first], others[second], strict=True))
    return pairs


def counterexample(
    transitions: np.ndarray, accepting: np.ndarray, others: np.ndarray, accepting_too: np.ndarray
) -> list[int]:
    """
    A shortest word on which two automata disagree.

    Look at all words in the order of their length, the empty one first; but go on only from words that lead to a pair
    of states which no earlier word led to.

    Parameters
    ----------
    transitions : array of int, shape (states, symbols)
        The first automaton; the start is state 0.
    accepting : array of bool, shape (states,)
        Which of its states accept.
    others : array of int, shape (other states, symbols)
        The second automaton, which is not equivalent to the first; its start is state 0.
    accepting_too : array of bool, shape (other states,)
        Which of its states accept.

    Returns
    -------
    list of int
        The word, which one of them accepts and the other does not, and than which none is shorter. Where several words
        are equally short, each of them is right. Empty, `[]`, if they disagree on the empty word.
    """
    waiting, seen = [(0, 0, [])], {(0, 0)}
    for first, second, word in waiting:
        if accepting[first] != accepting_too[second]:
            return word
        for symbol in range(transitions.shape[1]):
            pair = int(transitions[first, symbol]), int(others[second, symbol])
            if pair not in seen:
                seen.add(pair)
                waiting.append((*pair, [*word, symbol]))
    raise ValueError("the automata are equivalent: no word tells them apart")


def agreement(
    transitions: np.ndarray, accepting: np.ndarray, others: np.ndarray, accepting_too: np.ndarray, length: int
) -> np.ndarray:
    """
    On what share of all words of each length two automata agree, without writing the words down.

    Keep for each pair of states the share of words that lead there. At length 0 all of them are at the pair of starts.
    One more symbol: each symbol takes an equal part of a pair's share on to the next pair.

    Parameters
    ----------
    transitions, accepting
        The first automaton, with shapes (states, symbols) and (states,).
    others, accepting_too
        The second one, over the same symbols.
    length : int
        Of the longest words, 0 or more.

    Returns
    -------
    array, shape (length + 1,)
        For words of length 0, 1, ..., length: the share that both accept or both reject, from 0 to 1.
    """
    same = accepting[:, None] == accepting_too
    shares = np.zeros(same.shape)
    shares[0, 0] = 1
    agreed = [shares[same].sum()]
    for _ in range(length):
        further = np.zeros_like(shares)
        for first, second in zip(transitions.T, others.T, strict=True):
            np.add.at(further, (first[:, None], second[None]), shares / transitions.shape[1])
        shares = further
        agreed.append(shares[same].sum())
    return np.array(agreed)


def run_mealy(transitions: np.ndarray, outputs: np.ndarray, word: np.ndarray) -> np.ndarray:
    """
    What a Mealy machine says while it reads a word.

    It begins in state 0. In state s it reads the symbol x, says outputs[s, x] and goes to transitions[s, x].

    Parameters
    ----------
    transitions : array of int, shape (states, symbols)
        The next state.
    outputs : array of int, shape (states, symbols)
        What is said on the way.
    word : array of int, shape (length,)
        Numbers of symbols.

    Returns
    -------
    array of int, shape (length,)
        One output for each symbol; nothing is said before the first.
    """
    states = run_automaton(transitions, word)
    return outputs[states[:-1], word]


def mealy_outputs(transitions: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """
    Make a Moore machine a Mealy machine: what a state says is said by the moves that lead to it.

    A Moore machine says outputs[s] whenever it is in state s. The Mealy machine has the same states and transitions,
    and says after each symbol the same as the Moore machine.

    Parameters
    ----------
    transitions : array of int, shape (states, symbols)
        The next state.
    outputs : array of int, shape (states,)
        What the Moore machine says in each state.

    Returns
    -------
    array of int, shape (states, symbols)
        What the Mealy machine says in each state by each symbol.
    """
    columns = [outputs[targets] for targets in transitions.T]
    return np.stack(columns, axis=1)
