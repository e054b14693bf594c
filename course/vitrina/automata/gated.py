"""LSTM and GRU networks beside the Elman network: the same methods, so that a machine is read from them alike.

They are built of Keras' layers, trained there, and read here in NumPy with Keras' weights and order of gates:
LSTM i, f, c, o (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000); GRU z, r, h with the reset
after the product (Cho et al. 2014, as in cuDNN; Keras' `reset_after=True`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from vitrina.automata.machines import DFA, States, Symbol, as_words
from vitrina.automata.networks import Acceptor, Floats, NoiseKind
from vitrina.automata.samples import training_words
from vitrina.automata.sequence_training import SequenceTrainer, Variable
from vitrina.automata.training import Recipe

Cell = Literal["lstm", "gru"]

#: What gated networks are trained with: they have no noise, and learn at a lower rate.
GATED_RECIPE = Recipe(units=8, noise=0.0, rate=0.02)


@dataclass(frozen=True, eq=False)
class GatedNetwork(Acceptor):
    """
    An LSTM or GRU network that says after each symbol whether the word so far belongs.

    Attributes
    ----------
    cell : {"lstm", "gru"}
        What its units are.
    alphabet : tuple
        The symbols.
    inputs : array, shape (symbols, gates * units)
        Keras' `kernel`; an LSTM has 4 gates and a GRU 3, the candidate among them.
    recurrent : array, shape (units, gates * units)
        Keras' `recurrent_kernel`.
    bias : array, shape (gates * units,) for an LSTM, (2, gates * units) for a GRU
        Keras' `bias`; a GRU has one for the inputs and one for the state.
    readout : array, shape (units,)
        For the logit of "belongs".
    offset : float
    """

    cell: Cell
    alphabet: tuple[Symbol, ...]
    inputs: Floats
    recurrent: Floats
    bias: Floats
    readout: Floats
    offset: float

    @property
    def units(self) -> int:
        """How many units say something; an LSTM's state is twice as long."""
        return len(self.readout)

    def states(
        self, words: npt.ArrayLike, *, noise: float = 0.0, kind: NoiseKind = "additive", seed: int = 0
    ) -> Floats:
        """
        Read words and return the hidden states.

        Parameters
        ----------
        words : array of ints, shape (count, length)
            Numbers of symbols.
        noise, kind, seed
            As in `ElmanNetwork.states`; noise is not defined here and must be 0.

        Returns
        -------
        array, shape (count, length + 1, units) for a GRU, (count, length + 1, 2 * units) for an LSTM
            h, and in an LSTM its cells c behind it. Before the first symbol all are 0.

        Raises
        ------
        ValueError
            If there is to be noise.
        """
        del seed  # it would draw the noise
        read = as_words(words, self.alphabet)
        size = self.units * (2 if self.cell == "lstm" else 1)
        hidden = np.zeros((len(read), read.shape[1] + 1, size))
        for time in range(read.shape[1]):
            hidden[:, time + 1] = self.step(hidden[:, time], read[:, time], noise, kind)
        return hidden

    def step(
        self,
        hidden: Floats,
        symbols: States,
        noise: float = 0.0,
        kind: NoiseKind = "additive",
        generator: np.random.Generator | None = None,
    ) -> Floats:
        """
        Read one more symbol: hidden states to hidden states.

        Raises
        ------
        ValueError
            If there is to be noise.
        """
        del kind, generator  # they are there for what any recurrent network offers
        if noise:
            raise ValueError("noise in the state is defined for Elman networks; a gated network is compared without")
        return self._lstm(hidden, symbols) if self.cell == "lstm" else self._gru(hidden, symbols)

    def _lstm(self, hidden: Floats, symbols: States) -> Floats:
        said, cells = hidden[:, : self.units], hidden[:, self.units :]
        parts = np.split(self.inputs[symbols] + said @ self.recurrent + self.bias, 4, axis=1)
        enter, keep, leave = (_sigmoid(parts[gate]) for gate in (0, 1, 3))
        cells = keep * cells + enter * np.tanh(parts[2])
        return np.concatenate([leave * np.tanh(cells), cells], axis=1)

    def _gru(self, hidden: Floats, symbols: States) -> Floats:
        given = np.split(self.inputs[symbols] + self.bias[0], 3, axis=1)
        known = np.split(hidden @ self.recurrent + self.bias[1], 3, axis=1)
        keep, reset = (_sigmoid(given[gate] + known[gate]) for gate in (0, 1))
        return keep * hidden + (1 - keep) * np.tanh(given[2] + reset * known[2])

    def logits(self, hidden: npt.ArrayLike) -> Floats:
        """Return the logit of "belongs" for hidden states: (..., units or 2 * units) to (...)."""
        return np.asarray(hidden)[..., : self.units] @ self.readout + self.offset


def _sigmoid(drive: Floats) -> Floats:
    return (1 + np.tanh(drive / 2)) / 2  # never overflows


def train_gated(automaton: DFA, cell: Cell, recipe: Recipe = GATED_RECIPE, *, seed: int) -> GatedNetwork:
    """
    Train an LSTM or GRU network on a language.

    Parameters
    ----------
    automaton
        Labels the training words; the network never sees it.
    cell : {"lstm", "gru"}
        What its units are.
    recipe
        How: units, length, words, batch, steps, rate, L1 (of all kernels) and clip are used. There is no noise.
    seed
        The same network again for the same seed.

    Returns
    -------
    GatedNetwork

    Raises
    ------
    ValueError
        If there is no such cell, or the recipe asks for noise.
    """
    if cell not in ("lstm", "gru"):
        raise ValueError(f"the cell is 'lstm' or 'gru', got {cell!r}")
    if recipe.noise:
        raise ValueError("noise in the state is defined for Elman networks: give a recipe with noise=0")
    words = training_words(automaton, recipe.words, recipe.length, seed=seed)
    labels = automaton.outputs[automaton.run(words)[:, 1:]].astype(np.int64)
    symbols = len(automaton.alphabet)
    first = _first_weights(cell, symbols, recipe.units, np.random.default_rng(seed))
    weights = _trainer(cell, symbols, recipe).fit(first, np.eye(symbols)[words], labels, recipe, seed=seed)
    inputs, recurrent, bias, readout, offset = weights
    return GatedNetwork(
        cell, automaton.alphabet, inputs, recurrent, bias, readout[:, 1] - readout[:, 0], float(offset[1] - offset[0])
    )


def _first_weights(cell: Cell, symbols: int, units: int, generator: np.random.Generator) -> list[Floats]:
    """Draw weights; recurrent ones are orthogonal gate by gate, and an LSTM at first keeps what it has."""
    gates = 4 if cell == "lstm" else 3
    square = [np.linalg.qr(generator.standard_normal((units, units)))[0] for _ in range(gates)]
    bias = np.zeros((2, gates * units)) if cell == "gru" else np.repeat([0.0, 1.0, 0.0, 0.0], units)
    inputs = generator.standard_normal((symbols, gates * units)) * np.sqrt(1 / symbols)
    readout = generator.standard_normal((units, 2)) * np.sqrt(1 / units)
    return [inputs, np.concatenate(square, axis=1), bias, readout, np.zeros(2)]


@lru_cache(maxsize=4)
def _trainer(cell: Cell, symbols: int, recipe: Recipe) -> SequenceTrainer:
    """The trainer of all networks of a recipe: its step is traced once."""
    import keras

    layer = gated_layer(cell, recipe.units)
    readout = keras.layers.Dense(2)
    layer.build((None, recipe.length, symbols))
    readout.build((None, recipe.length, recipe.units))

    def forward(given: Any, strength: Any, seed: Any) -> Any:
        del strength, seed
        return readout(layer(given))

    kernels = ("kernel", "recurrent_kernel")
    tensors = [*layer.weights, *readout.weights]
    return SequenceTrainer(forward, [Variable(t, recipe.l1 * (t.name in kernels)) for t in tensors], clip=recipe.clip)


def gated_layer(cell: Cell, units: int) -> Any:
    """Return the Keras layer that a `GatedNetwork` reads: its weights are `inputs`, `recurrent` and `bias`."""
    import keras

    kind = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[cell]
    return kind(units, return_sequences=True, unroll=True)
