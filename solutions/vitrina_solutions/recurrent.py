"""The noisy recurrent cell: forwards, its loss, backwards, and what its training leaves behind."""

import numpy as np

from vitrina.recurrent import ElmanCell
from vitrina_solutions.deciding import minimise
from vitrina_solutions.state_reading import (
    count_moves,
    majority_accepting,
    majority_table,
    number_states,
    sign_names,
)


def noisy_step(cell: "ElmanCell", hidden: np.ndarray, symbols: np.ndarray, nu: float, drawn: np.ndarray) -> np.ndarray:
    """
    One step of the Elman cell with multiplicative noise, for many words at once.

    z = W[x] + h U + b + ν · n ⊙ h, and the new h is tanh(z). W[x] is the row of W that belongs to the symbol; ⊙ takes
    element by element, so each unit's noise is as large as its own last activation. While the network is used, ν is 0.
    (Oliva and Lago-Fernández 2019, doi 10.1007/978-3-030-30487-4_25.)

    Parameters
    ----------
    cell
        Has `cell.W`, shape (symbols, units), `cell.U`, shape (units, units), and `cell.b`, shape (units,).
    hidden : array, shape (count, units)
        The state h before the step, one word a row.
    symbols : array of int, shape (count,)
        The symbol that each word brings.
    nu : float
        The strength ν of the noise.
    drawn : array, shape (count, units)
        The noise n, drawn from a normal distribution of mean 0 and standard deviation 1.

    Returns
    -------
    array, shape (count, units)
        The new state, between −1 and 1.
    """
    drive = cell.W[symbols] + hidden @ cell.U + cell.b
    return np.tanh(drive + nu * drawn * hidden)


def read_words(cell: "ElmanCell", words: np.ndarray, nu: float, drawn: np.ndarray) -> np.ndarray:
    """
    Read whole words, and keep all states on the way.

    Before the first symbol all units are 0. Each symbol is one step, with noise of its own.

    Parameters
    ----------
    cell
        As in `noisy_step`.
    words : array of int, shape (count, length)
        One word a row, all of one length.
    nu : float
        The strength of the noise, 0 while the network is used.
    drawn : array, shape (count, length, units)
        The noise of each word and step.

    Returns
    -------
    array, shape (count, length + 1, units)
        The states: before the first symbol, and after each.
    """
    states = [np.zeros((len(words), len(cell.b)))]
    for time in range(words.shape[1]):
        states.append(noisy_step(cell, states[-1], words[:, time], nu, drawn[:, time]))
    return np.stack(states, axis=1)


def loss_with_l1(cell: "ElmanCell", logits: np.ndarray, labels: np.ndarray, strength: float) -> float:
    """
    The loss: cross-entropy, summed over all words and steps, and a price for every weight.

    Σ ln(1 + exp(−z)) over the labels 1, + Σ ln(1 + exp(z)) over the labels 0, + λ · (Σ|W| + Σ|U| + Σ|v|)

    z are the logits. The biases b and c cost nothing: they are no connections.

    Parameters
    ----------
    cell
        Has weights `cell.W`, `cell.U` and `cell.v`, and biases `cell.b` and `cell.c`.
    logits : array, shape (count, length)
        What the network says after each symbol: above 0 for "belongs".
    labels : array, shape (count, length)
        1 where the word so far belongs, else 0.
    strength : float
        The price λ.

    Returns
    -------
    float
        Finite also where logits are in the hundreds: `np.logaddexp(0, z)` is ln(1 + exp(z)), without overflow.
    """
    errors = np.logaddexp(0, np.where(labels == 1, -logits, logits))
    price = np.abs(cell.W).sum() + np.abs(cell.U).sum() + np.abs(cell.v).sum()
    return float(errors.sum() + strength * price)


def step_back(
    cell: "ElmanCell", direct: np.ndarray, following: np.ndarray, hidden: np.ndarray, nu: float, drawn: np.ndarray
) -> np.ndarray:
    """
    One step of back-propagation through time: from ∂L/∂z one step later to ∂L/∂z now.

    The state h acts on the loss directly, through what the network says now, and through the next z, in which it stands
    twice: (h U), and ν · n ⊙ h. So

    ∂L/∂h = direct + following Uᵀ + ν · n ⊙ following, and ∂L/∂z = ∂L/∂h ⊙ (1 − h²).

    Parameters
    ----------
    cell
        Has `cell.U`, shape (units, units), from the row's unit to the column's.
    direct : array, shape (count, units)
        ∂L/∂h through the output at this step.
    following : array, shape (count, units)
        ∂L/∂z of the next step; zeros at the end of the words.
    hidden : array, shape (count, units)
        The state h = tanh(z) of this step.
    nu : float
        The strength ν of the noise.
    drawn : array, shape (count, units)
        The noise n of the next step, by which h was multiplied.

    Returns
    -------
    array, shape (count, units)
        ∂L/∂z of this step.
    """
    reaching = direct + following @ cell.U.T + nu * drawn * following
    return reaching * (1 - hidden**2)


def priced_gradient(weights: np.ndarray, gradient: np.ndarray, strength: float, limit: float) -> np.ndarray:
    """
    What the optimiser is given for a matrix of weights: the gradient with the price of L1, clipped by value.

    |w| grows by 1 with w above 0 and falls by 1 with w below 0; at 0 take 0. What comes out, number by number, is never
    above the limit and never below −limit, the price included.

    Parameters
    ----------
    weights : array
        The weights.
    gradient : array, the weights' shape
        The gradient of the cross-entropy by them.
    strength : float
        The price λ of L1.
    limit : float
        The largest size of a number, above 0.

    Returns
    -------
    array, the weights' shape
    """
    whole = gradient + strength * np.sign(weights)
    return np.clip(whole, -limit, limit)


def saturation(hidden: np.ndarray, limit: float, silent: float) -> float:
    """
    Saturation: the share of activations that are near −1 or 1, among the units that take part.

    A unit takes part if the size of its activation exceeds `silent` at least once. L1 silences units: they stay near 0
    whatever is read, are no part of the memory, and are left out.

    Parameters
    ----------
    hidden : array, shape (count, units)
        States, one a row; at least one unit takes part.
    limit : float
        Near −1 or 1 is what is larger than this in size.
    silent : float
        What a unit must exceed once.

    Returns
    -------
    float
        From 0 to 1.
    """
    sizes = np.abs(hidden)
    active = sizes.max(axis=0) > silent
    return float(np.mean(sizes[:, active] > limit))


def read_automaton(cell: "ElmanCell", words: np.ndarray, empty: bool) -> np.ndarray:
    """
    Read the smallest automaton from a network: the whole way from states to a table.

    Let the network read the words without noise. Name its states by sign and number them; count the moves, and let the
    majority decide where each state leads and whether it accepts. The network says "belongs" where the logit, h v + c,
    is above 0; of the start it says nothing, since it has read nothing. Then minimise.

    Parameters
    ----------
    cell
        A trained network, with the readout `cell.v`, shape (units,), and `cell.c`, a number.
    words : array of int, shape (count, length)
        What it reads while it is watched.
    empty : bool
        Whether the empty word belongs: what the start says.

    Returns
    -------
    array of int, shape (states, symbols + 1)
        The table, as `minimise` gives it.
    """
    hidden = read_words(cell, words, 0.0, np.zeros((*words.shape, len(cell.b))))
    said = hidden @ cell.v + cell.c > 0
    said[:, 0] = empty
    states = number_states(sign_names(hidden))
    moves = count_moves(states, words, len(cell.W))
    return minimise(majority_table(moves), majority_accepting(states, said))


def recovery_time(states: np.ndarray, kicked: np.ndarray) -> np.ndarray:
    """
    How long words take to come back after a kick: until the kicked state has the same name again, for good.

    Parameters
    ----------
    states : array of int, shape (count, length + 1)
        The names of the states on the undisturbed way, one word a row; the kick comes at column 0.
    kicked : array of int, shape (count, length + 1)
        The names on the way after the kick, while the same symbols are read.

    Returns
    -------
    array of int, shape (count,)
        The first column from which on the two rows are equal to the end: 0 if the kick changed no name, length + 1 if
        the rows differ to the end.
    """
    differ = states != kicked
    columns = np.arange(1, states.shape[1] + 1)
    return (differ * columns).max(axis=1)


def relevance_of_symbols(cell: "ElmanCell", word: np.ndarray) -> np.ndarray:
    """
    Gradient × Input of a word, for the logit at its end.

    Written with one input for each symbol of the alphabet, of which the one that is read is 1 and the others 0, only
    the symbols that were read get relevance: ∂logit/∂z_t · W[x_t] at each step t. At the last step ∂logit/∂h is v; then
    go back, without noise.

    Parameters
    ----------
    cell
        Has `cell.W`, `cell.U`, `cell.b` and the readout `cell.v`, shape (units,).
    word : array of int, shape (length,)
        At least one symbol.

    Returns
    -------
    array, shape (length,)
        A number for each symbol of the word.
    """
    quiet = np.zeros((1, len(word), len(cell.b)))
    states = read_words(cell, word[None], 0.0, quiet)
    direct, following, relevance = cell.v[None], np.zeros((1, len(cell.b))), []
    for time in range(len(word), 0, -1):
        following = step_back(cell, direct, following, states[:, time], 0.0, quiet[:, 0])
        relevance.append(following[0] @ cell.W[word[time - 1]])
        direct = np.zeros_like(direct)
    return np.array(relevance[::-1])
