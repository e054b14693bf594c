"""The Elman network of the course, in NumPy: what it computes, with noise in its state, and what it has in mind.

    z_t = W x_t + U h_{t-1} + b + noise        h_t = tanh(z_t)        logit_t = v h_t + c

The noise is there while it learns. The papers multiply, z_t + nu n_t h_{t-1} (Oliva and Lago-Fernandez 2019,
doi 10.1007/978-3-030-30487-4_25); adding it, z_t + sigma n_t, is the other form that the course compares.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from vitrina.automata.machines import DFA, States, Symbol
from vitrina.automata.minimisation import minimise
from vitrina.automata.observing import Observation, by_sign, observe

Floats = npt.NDArray[np.float64]
NoiseKind = Literal["additive", "multiplicative"]


@dataclass(frozen=True, eq=False)
class ElmanNetwork:
    """
    A recurrent network that says after each symbol whether the word so far belongs.

    Attributes
    ----------
    alphabet : tuple
        The symbols.
    inputs : array, shape (symbols, units)
        W, a row for each symbol.
    recurrent : array, shape (units, units)
        U, from the row's unit to the column's.
    bias : array, shape (units,)
    readout : array, shape (units,)
        v, for the logit of "belongs".
    offset : float
        c.
    """

    alphabet: tuple[Symbol, ...]
    inputs: Floats
    recurrent: Floats
    bias: Floats
    readout: Floats
    offset: float

    def states(
        self, words: npt.ArrayLike, *, noise: float = 0.0, kind: NoiseKind = "additive", seed: int = 0
    ) -> Floats:
        """
        Read words and return the hidden states.

        Parameters
        ----------
        words : array of ints, shape (count, length)
            Numbers of symbols.
        noise
            Its standard deviation (additive), or that of the factor of the unit's last activation (multiplicative).
        kind : {"additive", "multiplicative"}
            Which noise.
        seed
            Draws the noise.

        Returns
        -------
        array, shape (count, length + 1, units)
            Before the first symbol all units are 0.
        """
        read = np.asarray(words, np.int64)
        generator = np.random.default_rng(seed)
        hidden = np.zeros((len(read), read.shape[1] + 1, len(self.bias)))
        for time in range(read.shape[1]):
            hidden[:, time + 1] = self.step(hidden[:, time], read[:, time], noise, kind, generator)
        return hidden

    def step(
        self,
        hidden: Floats,
        symbols: States,
        noise: float = 0.0,
        kind: NoiseKind = "additive",
        generator: np.random.Generator | None = None,
    ) -> Floats:
        """Read one more symbol: (count, units) to (count, units)."""
        drive = self.inputs[symbols] + hidden @ self.recurrent + self.bias
        if noise:
            drawn = noise * (generator or np.random.default_rng()).standard_normal(hidden.shape)
            drive = drive + (drawn if kind == "additive" else drawn * hidden)
        return np.tanh(drive)

    def logits(self, hidden: npt.ArrayLike) -> Floats:
        """Return the logit of "belongs" for hidden states: (..., units) to (...)."""
        return np.asarray(hidden) @ self.readout + self.offset

    def accepts(self, words: npt.ArrayLike, **noise: Any) -> npt.NDArray[np.bool_]:
        """
        Say after each symbol whether the word so far belongs.

        Parameters
        ----------
        words : array of ints, shape (count, length)
            Numbers of symbols.
        noise
            As in `states`.

        Returns
        -------
        array of bools, shape (count, length)
        """
        return self.logits(self.states(words, **noise)[:, 1:]) > 0

    def accuracy(self, automaton: DFA, words: npt.ArrayLike, **noise: Any) -> float:
        """Return the share of prefixes (the empty one left out) on which network and automaton agree."""
        read = np.asarray(words, np.int64)
        return float(np.mean(self.accepts(read, **noise) == automaton.outputs[automaton.run(read)[:, 1:]]))


def saturation(hidden: npt.ArrayLike, *, limit: float = 0.9, silent: float = 0.1) -> float:
    """
    Return the share of activations that are near -1 or 1.

    Parameters
    ----------
    hidden : array, shape (..., units)
        Activations of tanh units.
    limit
        From where on an activation counts as saturated.
    silent
        A unit that nowhere exceeds this is left out.

    Returns
    -------
    float
        From 0 to 1; NaN if all units are silent.
    """
    sizes = np.abs(np.asarray(hidden)).reshape(-1, np.shape(hidden)[-1])
    speaks = sizes.max(axis=0) > silent
    return float(np.mean(sizes[:, speaks] > limit)) if speaks.any() else float("nan")


@dataclass(frozen=True, eq=False)
class Extraction:
    """
    An automaton that was read from a network.

    Attributes
    ----------
    observation : Observation
        Which of the named states led where.
    automaton : DFA
        The majority's, minimised.
    states : int
        How many different states the network was seen in, and the start.
    """

    observation: Observation
    automaton: DFA
    states: int


def extract(
    network: ElmanNetwork,
    words: npt.ArrayLike,
    *,
    empty: bool,
    name_states: Callable[[Floats], States] = by_sign,
) -> Extraction:
    """
    Read an automaton from a network: name its hidden states, count transitions, take the majority, minimise.

    Parameters
    ----------
    network
        Trained.
    words : array of ints, shape (count, length)
        What it reads while it is watched; 400 words of 50 symbols see every transition of the course's languages.
    empty
        Whether the empty word belongs: the network says nothing before the first symbol.
    name_states : callable
        Names hidden states (..., units) by whole numbers from 0: `by_sign`, `by_rounding` or a `by_clusters`.

    Returns
    -------
    Extraction

    Raises
    ------
    ValueError
        If the network's states are not finite, or a state never read some symbol.
    """
    read = np.asarray(words, np.int64)
    hidden = network.states(read)
    named = np.zeros(hidden.shape[:2], np.int64)  # the start is a state of its own
    named[:, 1:] = 1 + name_states(hidden[:, 1:])
    said = np.column_stack([np.full(len(read), empty), network.logits(hidden[:, 1:]) > 0])
    observation = observe(named, read, said, network.alphabet)
    return Extraction(observation, minimise(observation.automaton(missing="stay")), len(observation.said))
