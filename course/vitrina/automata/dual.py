"""Networks that translate: the dual network, which keeps memory and processing apart, and a plain one beside it.

    h_t = tanh(W_xh x_t + W_hh h_{t-1} + b_h + noise)     memory
    c_t = tanh(W_xc x_t + W_hc m_t + b_c)                 processing
    y_t = softmax(W_cy c_t + b_y)

(Oliva and Lago-Fernandez 2020, arXiv 2005.13971.) Two readings of m_t are kept, as both give a Mealy machine:

- m_t = h_{t-1}, the memory *before* the symbol: the output function of a Mealy machine as textbooks define it. What the
  memory has to keep is the state of the Mealy machine and nothing else; in an adder, the carry.
- m_t = h_t, the memory *after* the symbol, as in the authors' published code (`rnn_xhcy.py`). What comes out is still
  decided by h_{t-1} and x_t, but whatever part of the old state the output needs must survive in h_t: 5 + 2 is 7 or 8,
  and the new carry, 0, does not tell. So an adder's memory has four states, (carry, last carry), which minimise to two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from vitrina.automata.elman import RecurrentLayer
from vitrina.automata.machines import MealyMachine, States, Symbol, as_words
from vitrina.automata.networks import Floats

Sees = Literal["before", "after"]


@dataclass(frozen=True, eq=False)
class _Transducer(RecurrentLayer):
    """What says one of several outputs for each symbol."""

    outputs: tuple[Any, ...]

    def spoken(self, words: npt.ArrayLike, **noise: Any) -> Floats:
        """
        Return the logits of the outputs for each symbol of words.

        Parameters
        ----------
        words : array of ints, shape (count, length)
            Numbers of symbols.
        noise
            As in `states`.

        Returns
        -------
        array, shape (count, length, outputs)
        """
        raise NotImplementedError

    def says(self, words: npt.ArrayLike, **noise: Any) -> States:
        """Return the number of the most likely output for each symbol: (count, length) to (count, length)."""
        return self.spoken(words, **noise).argmax(axis=-1)

    def transduce(self, word: Sequence[Symbol]) -> npt.NDArray[Any]:
        """
        Return the output for each symbol of one word, as `MealyMachine.transduce` does: (length,).

        Raises
        ------
        ValueError
            If a symbol is not in the alphabet.
        """
        numbers = {symbol: number for number, symbol in enumerate(self.alphabet)}
        strangers = [symbol for symbol in word if symbol not in numbers]
        if strangers:
            raise ValueError(f"{strangers[0]!r} is not in the alphabet of {len(numbers)} symbols")
        return np.array(self.outputs)[self.says([[numbers[symbol] for symbol in word]])[0]]

    def accuracy(self, machine: MealyMachine, words: npt.ArrayLike, **noise: Any) -> float:
        """Return the share of symbols for which network and machine say the same."""
        read = as_words(words, self.alphabet)
        right = machine.outputs[machine.run(read)[:, :-1], read]
        return float(np.mean(np.array(self.outputs)[self.says(read, **noise)] == right))


@dataclass(frozen=True, eq=False)
class ElmanTransducer(_Transducer):
    """
    An Elman network with several outputs: what it says follows from its state, as in a Moore machine.

    Attributes
    ----------
    alphabet, inputs, recurrent, bias
        Its memory: see `RecurrentLayer`.
    outputs : tuple
        What it can say.
    readout : array, shape (units, outputs)
    offset : array, shape (outputs,)
    """

    readout: Floats
    offset: Floats

    def logits(self, hidden: npt.ArrayLike) -> Floats:
        """Return the logits of the outputs for hidden states: (..., units) to (..., outputs)."""
        return np.asarray(hidden) @ self.readout + self.offset

    def spoken(self, words: npt.ArrayLike, **noise: Any) -> Floats:
        """Return the logits of the outputs for each symbol of words: (count, length) to (count, length, outputs)."""
        return self.logits(self.states(words, **noise)[:, 1:])


@dataclass(frozen=True, eq=False)
class DualNetwork(_Transducer):
    """
    A dual network: what it says follows from its memory and the symbol, as in a Mealy machine.

    Attributes
    ----------
    alphabet, inputs, recurrent, bias
        Its memory, W_xh, W_hh and b_h: see `RecurrentLayer`. Noise, where there is some, is in the memory alone.
    outputs : tuple
        What it can say.
    sees : {"before", "after"}
        Whether the processing sees the memory before or after the symbol.
    drive : array, shape (symbols, processing)
        W_xc, a row for each symbol.
    recall : array, shape (units, processing)
        W_hc.
    threshold : array, shape (processing,)
        b_c.
    readout : array, shape (processing, outputs)
        W_cy.
    offset : array, shape (outputs,)
        b_y.
    """

    sees: Sees
    drive: Floats
    recall: Floats
    threshold: Floats
    readout: Floats
    offset: Floats

    def processing(self, memory: npt.ArrayLike, symbols: npt.ArrayLike) -> Floats:
        """Return c for the memory that it sees and the symbols read: (..., units) and (...) to (..., processing)."""
        read = np.asarray(symbols, np.int64)
        return np.tanh(self.drive[read] + np.asarray(memory) @ self.recall + self.threshold)

    def logits(self, memory: npt.ArrayLike, symbols: npt.ArrayLike) -> Floats:
        """Return the logits of the outputs: (..., units) and (...) to (..., outputs)."""
        return self.processing(memory, symbols) @ self.readout + self.offset

    def spoken(self, words: npt.ArrayLike, **noise: Any) -> Floats:
        """Return the logits of the outputs for each symbol of words: (count, length) to (count, length, outputs)."""
        hidden = self.states(words, **noise)
        return self.logits(hidden[:, :-1] if self.sees == "before" else hidden[:, 1:], words)
