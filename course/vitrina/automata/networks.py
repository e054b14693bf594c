"""What any network that reads a word symbol by symbol offers, whatever its cell."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from vitrina.automata.machines import DFA, States, Symbol

Floats = npt.NDArray[np.float64]
NoiseKind = Literal["additive", "multiplicative"]
#: A unit that nowhere exceeds this in size is silent.
SILENT = 0.1


class RecurrentNetwork(Protocol):
    """
    A recurrent network that says after each symbol whether the word so far belongs.

    `ElmanNetwork` explains its methods; others have them alike.
    """

    @property
    def alphabet(self) -> tuple[Symbol, ...]:
        """The symbols; a word holds their numbers."""
        ...

    def states(
        self, words: npt.ArrayLike, *, noise: float = 0.0, kind: NoiseKind = "additive", seed: int = 0
    ) -> Floats:
        """Hidden states before the first symbol and after each: (count, length) to (count, length + 1, units)."""
        ...

    def step(
        self,
        hidden: Floats,
        symbols: States,
        noise: float = 0.0,
        kind: NoiseKind = "additive",
        generator: np.random.Generator | None = None,
    ) -> Floats:
        """Hidden states after one more symbol: (count, units) to (count, units)."""
        ...

    def logits(self, hidden: npt.ArrayLike) -> Floats:
        """Logit of "belongs" for hidden states: (..., units) to (...)."""
        ...

    def accepts(self, words: npt.ArrayLike, **noise: Any) -> npt.NDArray[np.bool_]:
        """Whether each prefix belongs: (count, length) to (count, length)."""
        ...

    def accuracy(self, automaton: DFA, words: npt.ArrayLike, **noise: Any) -> float:
        """Share of prefixes on which network and automaton agree."""
        ...


class Acceptor:
    """What a network with `states` and `logits` says: whether a word belongs."""

    def accepts(self: RecurrentNetwork, words: npt.ArrayLike, **noise: Any) -> npt.NDArray[np.bool_]:
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

    def accuracy(self: RecurrentNetwork, automaton: DFA, words: npt.ArrayLike, **noise: Any) -> float:
        """Return the share of prefixes (the empty one left out) on which network and automaton agree."""
        return float(np.mean(self.accepts(words, **noise) == automaton.outputs[automaton.run(words)[:, 1:]]))
