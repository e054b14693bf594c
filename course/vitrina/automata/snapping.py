"""What becomes of a network when its states are set to corners of the cube: an automaton, whatever it was before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vitrina.automata.machines import DFA
from vitrina.automata.networks import SILENT, Floats, RecurrentNetwork


@dataclass(frozen=True, eq=False)
class Snapped:
    """
    The automaton that a network becomes when each state is snapped to a corner.

    Attributes
    ----------
    automaton : DFA
        Exact: its states are the corners that can be reached, not minimised.
    finished : bool
        False if there were more corners than were to be looked at; moves to the others then stay where they are.
    """

    automaton: DFA
    finished: bool


def snap(hidden: npt.ArrayLike, speaks: npt.ArrayLike = True) -> Floats:
    """
    Set activations to -1 or 1, whichever is nearer.

    Parameters
    ----------
    hidden : array, shape (..., units)
    speaks : array of bools, shape (units,)
        Units left out are set to 0: a silent unit has no corner.

    Returns
    -------
    array, shape (..., units)
    """
    return np.where(np.asarray(speaks), np.where(np.asarray(hidden) > 0, 1.0, -1.0), 0.0)


def snapped_automaton(
    network: RecurrentNetwork, words: npt.ArrayLike, *, empty: bool, silent: float = SILENT, most: int = 5000
) -> Snapped:
    """
    Snap a network's state to a corner after every symbol, and follow it everywhere.

    Snapped, a network is an automaton whatever it has learnt, and a search through the corners finds all of it. Whether
    it still is the automaton of the *language* says whether the network's states are as discrete as they look.

    Parameters
    ----------
    network, words, empty
        As of `read_automaton`; the words only show which units are silent.
    silent
        Units that nowhere exceed this are set to 0.
    most
        Corners to look at, at most.

    Returns
    -------
    Snapped

    Raises
    ------
    ValueError
        If the network's states are not finite.
    """
    sizes = np.abs(network.states(words))
    if not np.all(np.isfinite(sizes)):
        raise ValueError("some activations are NaN or infinite: has the training diverged?")
    speaks = sizes.max(axis=(0, 1)) > silent
    symbols = len(network.alphabet)
    corners, numbers, rows = [np.zeros(len(speaks))], {b"start": 0}, list[list[int]]()
    finished = True
    while len(rows) < len(corners):
        fresh = np.array(corners[len(rows) :])
        asked = np.tile(np.arange(symbols), len(fresh))
        following = snap(network.step(np.repeat(fresh, symbols, axis=0), asked), speaks)
        targets = list[int]()
        for place, corner in enumerate(following):
            known = numbers.get(corner.tobytes())
            if known is None and len(corners) < most:
                known = numbers[corner.tobytes()] = len(corners)
                corners.append(corner)
            finished = finished and known is not None
            targets.append(len(rows) + place // symbols if known is None else known)
        rows += [targets[place : place + symbols] for place in range(0, len(targets), symbols)]
    accepting = network.logits(np.array(corners)) > 0
    accepting[0] = empty
    return Snapped(DFA(network.alphabet, np.array(rows), accepting), finished)
