"""Training until a network passes a test of its own, without a look at any automaton that might be read from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from vitrina.automata.elman import ElmanNetwork
from vitrina.automata.machines import DFA
from vitrina.automata.networks import RecurrentNetwork
from vitrina.automata.samples import training_words
from vitrina.automata.training import Recipe, train


@dataclass(frozen=True, eq=False)
class Trained:
    """
    A network and how it was come by.

    Attributes
    ----------
    network : ElmanNetwork
        The first that was accepted, else the one with the fewest mistakes.
    accepted : bool
        Whether it made no mistake on the words of its acceptance test.
    tries : int
        How many networks were looked at, in the order of their training.
    """

    network: ElmanNetwork
    accepted: bool
    tries: int


def share_of_mistakes(network: RecurrentNetwork, automaton: DFA, length: int, *, seed: int) -> float:
    """
    Put a network to its acceptance test: 400 fresh words, longer than those it was trained on.

    Parameters
    ----------
    network
        Trained.
    automaton
        Labels the words.
    length
        Of the words.
    seed
        Draws them.

    Returns
    -------
    float
        Share of their prefixes on which the network is wrong; it is accepted if that is 0.
    """
    return 1 - network.accuracy(automaton, training_words(automaton, 400, length, seed=seed))


class Trainer(Protocol):
    """What trains several networks, as `train` does."""

    def __call__(self, automaton: DFA, recipe: Recipe, /, *, restarts: int, seed: int) -> list[ElmanNetwork]:
        """Train so many."""
        ...


def train_until_accepted(
    automaton: DFA,
    recipe: Recipe | None = None,
    *,
    restarts: int = 4,
    rounds: int = 4,
    seed: int,
    by: Trainer = train,
) -> Trained:
    """
    Train networks until one passes its acceptance test: no mistake on 400 fresh words, three times as long.

    Parameters
    ----------
    automaton
        Labels the words of training and test; neither network nor test ever see its states.
    recipe
        How to train; by itself `Recipe()`.
    restarts, rounds
        Networks trained at once, and how often at most.
    seed
        The same network again for the same seed.
    by
        What trains: `train`, or that of `vitrina.automata.keras_training`.

    Returns
    -------
    Trained

    Raises
    ------
    ValueError
        If there is nothing to train, or the recipe makes no sense.
    """
    how = recipe or Recipe()
    seeds = np.random.default_rng(seed).integers(2**31, size=(max(rounds, 1), 2)).tolist()
    best, fewest, tries = None, np.inf, 0
    for training_seed, test_seed in seeds:
        for network in by(automaton, how, restarts=restarts, seed=training_seed):
            tries += 1
            mistakes = share_of_mistakes(network, automaton, 3 * how.length, seed=test_seed)
            if not mistakes:
                return Trained(network, True, tries)
            if best is None or mistakes < fewest:
                best, fewest = network, mistakes
    assert best is not None
    return Trained(best, False, tries)
