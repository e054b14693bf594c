"""Local explanations of an Elman network, word by word: which of its symbols made the network say what it says.

The methods of week 2 at the speed of NumPy, with the share of the biases in view, and the truth to compare them with.
A symbol enters as one-hot vector, so that what its one entry receives is the symbol's relevance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vitrina.automata.elman import ElmanNetwork, Floats
from vitrina.automata.machines import DFA, States, as_words


def gradient_x_input(network: ElmanNetwork, words: npt.ArrayLike) -> Floats:
    """
    Explain the last logit by Gradient x Input.

    Going back one step multiplies by U and by the slope of tanh, 1 - h^2, which is 0 where a unit is saturated.

    Parameters
    ----------
    network
        Explained is the logit of "belongs".
    words : array of ints, shape (count, length)
        Numbers of symbols.

    Returns
    -------
    array, shape (count, length)
        For each symbol the derivative of the logit by its entry, which is 1.
    """
    read = as_words(words, network.alphabet)
    hidden = network.states(read)
    found = np.zeros(read.shape)
    arriving = np.broadcast_to(network.readout, hidden[:, 0].shape)
    for time in reversed(range(read.shape[1])):
        slopes = arriving * (1 - hidden[:, time + 1] ** 2)
        found[:, time] = np.sum(slopes * network.inputs[read[:, time]], axis=1)
        arriving = slopes @ network.recurrent.T
    return found


@dataclass(frozen=True, eq=False)
class Budget:
    """
    Where the logit went under LRP: symbols + biases + stabiliser add up to it, word by word.

    Attributes
    ----------
    symbols : array, shape (count, length)
        The explanation.
    biases : array, shape (count, length + 1)
        What the biases kept when each symbol was read, and at last the offset of the readout.
    stabiliser : array, shape (count, length + 1)
        What epsilon kept at each step, and at last in the readout.
    """

    symbols: Floats
    biases: Floats
    stabiliser: Floats


def lrp_budget(network: ElmanNetwork, words: npt.ArrayLike, *, epsilon: float = 1e-3) -> Budget:
    """
    Explain the last logit by LRP-epsilon, and keep account of what does not arrive at the symbols.

    A unit's relevance is shared out in proportion to the parts of z_t = W x_t + U h_{t-1} + b, over z + epsilon
    sign(z); tanh passes relevance through (Arras et al. 2017, doi 10.18653/v1/W17-5221, equation 2, no share of the
    bias is given to anybody). The state before the first symbol is 0 and receives nothing.

    Parameters
    ----------
    network
        Explained is the logit of "belongs".
    words : array of ints, shape (count, length)
        Numbers of symbols.
    epsilon
        At least 0; at 0 the rule is LRP-0, and a unit whose z is exactly 0 cannot be explained.

    Returns
    -------
    Budget

    Raises
    ------
    ValueError
        If epsilon is below 0 or not finite.
    """
    if not 0 <= epsilon < np.inf:
        raise ValueError(f"epsilon must be 0 or more and finite, got {epsilon}")
    read = as_words(words, network.alphabet)
    hidden = network.states(read)
    biases, stabiliser = np.zeros((2, len(read), read.shape[1] + 1))
    symbols = np.zeros(read.shape)
    logits = network.logits(hidden[:, -1])
    divided = logits / _stabilised(logits, epsilon)
    arriving = divided[:, np.newaxis] * network.readout * hidden[:, -1]
    biases[:, -1] = divided * network.offset
    stabiliser[:, -1] = logits - divided * logits
    for time in reversed(range(read.shape[1])):
        drives = network.inputs[read[:, time]] + hidden[:, time] @ network.recurrent + network.bias
        divided = arriving / _stabilised(drives, epsilon)
        symbols[:, time] = np.sum(divided * network.inputs[read[:, time]], axis=1)
        biases[:, time] = divided @ network.bias
        stabiliser[:, time] = np.sum(arriving - divided * drives, axis=1)
        arriving = hidden[:, time] * (divided @ network.recurrent.T)
    return Budget(symbols, biases, stabiliser)


def lrp(network: ElmanNetwork, words: npt.ArrayLike, *, epsilon: float = 1e-3) -> Floats:
    """
    Explain the last logit by LRP-epsilon.

    Parameters
    ----------
    network, words, epsilon
        As in `lrp_budget`.

    Returns
    -------
    array, shape (count, length)
        The relevance of each symbol. Biases and epsilon keep their shares, so that it need not add up to the logit.
    """
    return lrp_budget(network, words, epsilon=epsilon).symbols


def _stabilised(values: Floats, epsilon: float) -> Floats:
    """Move values away from 0 by epsilon; 0 counts as positive."""
    return values + np.where(values >= 0, epsilon, -epsilon)


def replacement(network: ElmanNetwork, words: npt.ArrayLike) -> Floats:
    """
    Explain the last logit by putting other symbols in a symbol's place and reading the word again.

    Parameters
    ----------
    network
        Explained is the logit of "belongs".
    words : array of ints, shape (count, length)
        Numbers of symbols.

    Returns
    -------
    array, shape (count, length)
        By how much the logit is higher with the symbol than, on average, with another in its place.

    Raises
    ------
    ValueError
        If the alphabet has one symbol only.
    """
    read = as_words(words, network.alphabet)
    changed = _replaced(read, len(network.alphabet))
    *many, length = changed.shape
    others = network.logits(network.states(changed.reshape(np.prod(many), length))[:, -1]).reshape(many)
    return network.logits(network.states(read)[:, -1])[:, np.newaxis] - others.mean(axis=0)


def decisive(automaton: DFA, words: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """
    Say which symbols of a word decide whether it belongs: those in whose place another symbol would change that.

    Parameters
    ----------
    automaton
        Judges.
    words : array of ints, shape (count, length)
        Numbers of symbols.

    Returns
    -------
    array of bools, shape (count, length)

    Raises
    ------
    ValueError
        If the alphabet has one symbol only.
    """
    read = as_words(words, automaton.alphabet)
    changed = automaton.outputs[automaton.run(_replaced(read, len(automaton.alphabet)))[..., -1]]
    return np.any(changed != automaton.outputs[automaton.run(read)[:, -1]][:, np.newaxis], axis=0)


def _replaced(words: States, symbols: int) -> States:
    """Put each other symbol into each place: (symbols - 1, count, places, length)."""
    if symbols < 2:
        raise ValueError("an alphabet of one symbol has no other to put in its place")
    length = words.shape[1]
    changed = np.tile(words[:, np.newaxis], (symbols - 1, 1, length, 1)).reshape(
        symbols - 1, len(words), length, length
    )
    places = np.arange(length)
    shifts = np.arange(1, symbols)[:, np.newaxis, np.newaxis]
    changed[:, :, places, places] = (words + shifts) % symbols
    return changed
