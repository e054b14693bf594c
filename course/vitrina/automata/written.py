"""An Elman network that is an automaton, written down instead of trained."""

from __future__ import annotations

import numpy as np

from vitrina.automata.elman import ElmanNetwork
from vitrina.automata.machines import DFA


def network_of(automaton: DFA, gain: float = 12.0) -> ElmanNetwork:
    """
    Write down a network that says after each symbol whether an automaton accepts.

    Minsky (1967), "Computation: finite and infinite machines", chapter 3, shows that every automaton is a network. In
    this one each unit stands for a state and the symbol that was read there: that of the last move is 1, all others are
    -1. A last unit is 0 at the start and 1 ever after, so that a unit knows whether the machine still is in its start.

    Parameters
    ----------
    automaton : DFA
    gain
        How steep its units are: with 12, activations differ from -1 and 1 by less than 1e-9.

    Returns
    -------
    ElmanNetwork
        With states x symbols + 1 units.
    """
    states, symbols = automaton.transitions.shape
    units = states * symbols
    inputs = np.full((symbols, units + 1), -8.0)
    recurrent, bias = np.zeros((units + 1, units + 1)), np.ones(units + 1)
    arrives = automaton.transitions.reshape(-1)
    for unit in range(units):
        state, symbol = divmod(unit, symbols)
        inputs[symbol, unit] = 0
        came = arrives == state
        # The sum over units that arrive in this state is 2 - their number if it is the current one, else -their number.
        recurrent[:-1, unit] = came
        bias[unit] = 1 if state == automaton.start else -1
        recurrent[-1, unit] = came.sum() - 1 - bias[unit]
    inputs[:, -1] = 0
    accepted = automaton.outputs[arrives]
    readout = np.append(np.where(accepted, 1.0, 0.0), 0.0)
    return ElmanNetwork(
        automaton.alphabet, gain * inputs, gain * recurrent, gain * bias, readout, float(accepted.sum() - 1)
    )
