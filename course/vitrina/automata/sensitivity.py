"""How what a recurrent network says in the end depends on what it had in mind on the way."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vitrina.automata.elman import ElmanNetwork, Floats
from vitrina.automata.machines import as_words


def state_gradients(network: ElmanNetwork, words: npt.ArrayLike, time: int) -> Floats:
    """
    Compute the gradient of the last logit with respect to an earlier hidden state, by back-propagation through time.

    From one state to the one before it is handed back by the chain rule::

        d logit / d h_(t-1) = U' ((1 - h_t^2) * d logit / d h_t),        d logit / d h_T = v

    so a saturated unit (h_t near -1 or 1) hands almost nothing back, and one long in between almost nothing arrives.

    Parameters
    ----------
    network
        Trained or not.
    words : array of ints, shape (count, length)
        Numbers of symbols.
    time
        Which state: after so many symbols, from 0 (before the first) to length.

    Returns
    -------
    array, shape (count, units)

    Raises
    ------
    ValueError
        If the words have no such time.
    """
    read = as_words(words, network.alphabet)
    if read.ndim != 2 or not 0 <= time <= read.shape[1]:
        raise ValueError(f"words (count, length) have states 0 to length, got shape {read.shape} and time {time}")
    hidden = network.states(read)
    gradients = np.tile(network.readout, (len(read), 1))
    for later in range(read.shape[1], time, -1):
        gradients = ((1 - hidden[:, later] ** 2) * gradients) @ network.recurrent.T
    return gradients
