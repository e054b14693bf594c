"""What plots of recurrent networks share: words and networks checked, a network followed, states put in a plane."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from vitrina.automata import DFA, Symbol
from vitrina.automata.networks import Floats, RecurrentNetwork
from vitrina.automata.samples import RESET
from vitrina.messages import _

#: From a name to a network, or to several that differ in their seed.
Networks = Mapping[str, RecurrentNetwork | Sequence[RecurrentNetwork]]

#: Okabe and Ito's colours, told apart by all kinds of eyes: one for each state of an automaton.
STATE_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#999999", "#f0e442")
_NEIGHBOURS = 10  # of Isomap


def named_networks(networks: Networks) -> dict[str, list[RecurrentNetwork]]:
    """Make a list of each name's networks."""
    named = {name: list(group) if isinstance(group, Sequence) else [group] for name, group in networks.items()}
    if not named or not all(named.values()):
        raise ValueError("there is nothing to draw: each name needs one network at least")
    return named


def checked_words(words: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return words, if there are any; networks see to their symbols."""
    read = np.asarray(words)
    if read.ndim != 2 or not read.size:
        raise ValueError(f"words have the shape (count, length), with one symbol at least, got {read.shape}")
    return read


def follow(
    network: RecurrentNetwork, word: list[Symbol], automaton: DFA | None, **noise: Any
) -> tuple[Floats, list[Symbol], npt.NDArray[np.int64]]:
    """Read a word and return the hidden states (length, units), the symbols, and the automaton's states (length,)."""
    numbers = {symbol: number for number, symbol in enumerate(network.alphabet)}
    strangers = [symbol for symbol in word if symbol not in numbers and symbol != RESET]
    if strangers or not word:
        raise ValueError(
            f"{strangers[0]!r} is not in the alphabet {', '.join(map(repr, network.alphabet))}"
            if strangers
            else "the word is empty: there is nothing to draw"
        )
    opens = [RESET not in numbers and symbol == RESET for symbol in word]
    first = [place for place, opened in enumerate(opens) if opened]
    hidden: list[Floats] = []
    states: list[npt.NDArray[np.int64]] = []
    for begin, end in zip([-1, *first], [*first, len(word)], strict=True):
        read = np.array([[numbers[symbol] for symbol in word[begin + 1 : end]]], np.int64)
        skip = 1 if begin < 0 else 0  # before the first symbol there is no cell; a `$` has one
        hidden.append(network.states(read, **noise)[0, skip:])
        states.append(np.zeros(len(hidden[-1]), np.int64) if automaton is None else automaton.run(read)[0, skip:])
    return np.concatenate(hidden), word, np.concatenate(states)


def state_names(automaton: DFA | None, names: Sequence[object] | None) -> list[str]:
    """Return what an automaton's states are called; without one, what the two answers are."""
    if automaton is None:
        return [_("rejected"), _("accepted")]
    called = [str(name) for name in (range(len(automaton)) if names is None else names)]
    if len(called) != len(automaton):
        raise ValueError(f"the automaton has {len(automaton)} states, but {len(called)} names are given")
    return called


def flattened(hidden: Floats, method: str) -> Floats:
    """Put states in a plane: (count, units) to (count, 2)."""
    if method not in ("pca", "isomap"):
        raise ValueError(f"the method is 'pca' or 'isomap', got {method!r}")
    different, place = np.unique(hidden.round(3), axis=0, return_inverse=True)
    if method == "pca" or len(different) < 4:
        from sklearn.decomposition import PCA

        padded = np.pad(hidden, ((0, 0), (0, max(0, 2 - hidden.shape[1]))))
        return np.asarray(PCA(2).fit_transform(padded)) if len(padded) > 1 else padded[:, :2]
    from sklearn.manifold import Isomap

    with warnings.catch_warnings():  # discrete states are islands; scikit-learn builds the bridges and says so
        warnings.simplefilter("ignore")
        flat = Isomap(n_neighbors=min(_NEIGHBOURS, len(different) - 1), n_components=2).fit_transform(different)
    return np.asarray(flat)[place.reshape(-1)]


def group_starts(length: int) -> npt.NDArray[np.int64]:
    """Where groups of prefixes begin, from 0, each about a quarter longer than the one before."""
    powers = np.arange(np.ceil(np.log(length + 1) / np.log(1.25)))
    starts = np.unique(np.floor(1.25**powers).astype(np.int64)) - 1
    return starts[starts < length]
