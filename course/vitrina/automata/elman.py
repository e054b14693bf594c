"""The Elman network of the course, in NumPy: what it computes, with noise in its state, and what it has in mind.

    z_t = W x_t + U h_{t-1} + b + noise        h_t = tanh(z_t)        logit_t = v h_t + c

The noise is there while it learns. The papers multiply, z_t + nu n_t h_{t-1} (Oliva and Lago-Fernandez 2019,
doi 10.1007/978-3-030-30487-4_25); adding it, z_t + sigma n_t, is the other form that the course compares.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from vitrina.automata.discretising import by_sign
from vitrina.automata.machines import DFA, States, Symbol, as_words
from vitrina.automata.minimisation import minimise
from vitrina.automata.networks import SILENT, Acceptor, Floats, NoiseKind, RecurrentNetwork
from vitrina.automata.observing import Observation, named_with_start, observe


@dataclass(frozen=True, eq=False)
class RecurrentLayer:
    """
    Units that remember: what the next state is, whatever is read out of it.

    Attributes
    ----------
    alphabet : tuple
        The symbols.
    inputs : array, shape (symbols, units)
        W, a row for each symbol.
    recurrent : array, shape (units, units)
        U, from the row's unit to the column's.
    bias : array, shape (units,)
    """

    alphabet: tuple[Symbol, ...]
    inputs: Floats
    recurrent: Floats
    bias: Floats

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
        read = as_words(words, self.alphabet)
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


@dataclass(frozen=True, eq=False)
class ElmanNetwork(Acceptor, RecurrentLayer):
    """
    A recurrent network that says after each symbol whether the word so far belongs.

    Attributes
    ----------
    alphabet, inputs, recurrent, bias
        As in `RecurrentLayer`.
    readout : array, shape (units,)
        v, for the logit of "belongs".
    offset : float
        c.
    """

    readout: Floats
    offset: float

    def logits(self, hidden: npt.ArrayLike) -> Floats:
        """Return the logit of "belongs" for hidden states: (..., units) to (...)."""
        return np.asarray(hidden) @ self.readout + self.offset


def shocked(network: ElmanNetwork, strength: float = 0.5, *, seed: int) -> ElmanNetwork:
    """
    Return a copy of a network with a shock: all weights moved by N(0, strength), biases left as they are.

    It wakes units that L1 has silenced when learning has stopped (Oliva and Lago-Fernandez 2019,
    doi 10.1007/978-3-030-30487-4_25; their strength is 0.5); `train(..., first=...)` goes on from there.

    Parameters
    ----------
    network
        It is not changed.
    strength
        Standard deviation of what is added.
    seed
        The same shock again for the same seed.

    Raises
    ------
    ValueError
        If the strength is negative.
    """
    weights = {name: np.asarray(getattr(network, name)) for name in ("inputs", "recurrent", "readout")}
    moves = shock_moves([values.shape for values in weights.values()], strength, seed=seed)
    return replace(network, **{name: weights[name] + move for name, move in zip(weights, moves, strict=True)})


def shock_moves(shapes: Sequence[tuple[int, ...]], strength: float, *, seed: int) -> list[Floats]:
    """Draw what a shock adds to weights of some shapes: W, U and V, in this order."""
    if not strength >= 0:
        raise ValueError(f"the strength of a shock must not be negative, got {strength}")
    generator = np.random.default_rng(seed)
    return [strength * generator.standard_normal(shape) for shape in shapes]


def saturation(hidden: npt.ArrayLike, *, limit: float = 0.9, silent: float = SILENT) -> float:
    """
    Return the share of activations that are near -1 or 1.

    A unit that stands still near -1 or 1 counts, though it tells nothing; `vitrina.automata.stability.active_units`
    counts only what varies.

    Parameters
    ----------
    hidden : array, shape (..., units)
        Activations of tanh units.
    limit
        From where on an activation counts as saturated.
    silent
        A unit that nowhere exceeds this in size is left out.

    Returns
    -------
    float
        From 0 to 1; NaN if all units are silent.
    """
    sizes = audible_sizes(hidden, silent)
    return float(np.mean(sizes > limit)) if sizes.size else float("nan")


def audible_sizes(hidden: npt.ArrayLike, silent: float = SILENT) -> Floats:
    """Return the sizes of activations (..., units), without the silent units: (states, units that are left)."""
    sizes = np.abs(np.asarray(hidden)).reshape(-1, np.shape(hidden)[-1])
    return sizes[:, sizes.max(axis=0) > silent]


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

    @classmethod
    def of(cls, observation: Observation) -> Extraction:
        """Take the majority's automaton of what was observed; what never happened changes no state."""
        return cls(observation, minimise(observation.automaton(missing="stay")), len(observation.said))


def extract(
    network: RecurrentNetwork,
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
    read = as_words(words, network.alphabet)
    return Extraction.of(watch(network, read, network.states(read), empty=empty, name_states=name_states))


def watch(
    network: RecurrentNetwork, words: States, hidden: Floats, *, empty: bool, name_states: Callable[[Floats], States]
) -> Observation:
    """Count the transitions of a network that was in the states `hidden` when it read `words`, as `extract` does."""
    said = np.column_stack([np.full(len(words), empty), network.logits(hidden[:, 1:]) > 0])
    return observe(named_with_start(hidden, name_states), words, said, network.alphabet)
