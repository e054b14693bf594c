"""The papers' own way to train: a stream in which `$` opens each word, noise, L1, and a shock when learning stalls.

The network is never told where a word begins: it must learn that `$` puts everything back. Chunks of 25 symbols are
back-propagated through, the state goes on from chunk to chunk (truncated back-propagation through time), one chunk an
update. Oliva and Lago-Fernandez (2019), doi 10.1007/978-3-030-30487-4_25.

The numbers are those of the authors' later code (arXiv 2005.13971): ten places of the stream side by side, gradient
descent, first weights of 0.5 N(0, 1), and L1 of 0.1, which in a sum over ten chunks is not much. The first paper went
on from one place, ten times as long.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from vitrina.automata.discretising import by_sign
from vitrina.automata.elman import ElmanNetwork, Extraction
from vitrina.automata.keras_networks import elman_model, model_parts, shock, to_network
from vitrina.automata.keras_training import hidden_over_time
from vitrina.automata.machines import DFA, States
from vitrina.automata.networks import Floats, NoiseKind, RecurrentNetwork
from vitrina.automata.observing import observe
from vitrina.automata.samples import RESET, stream
from vitrina.automata.sequence_training import TracedTraining
from vitrina.automata.training import check_numbers

_UPDATES = 100
"""In one call of the graph; after each the loss is looked at."""
_UNLEARNT = 1.0
"""A mean loss of a chunk (of 25 log 2 = 17.3 where nothing is known) that is not only the noise's doing."""


@dataclass(frozen=True)
class StreamRecipe:
    """
    How to train on a stream.

    Attributes
    ----------
    units
        Hidden units.
    symbols, reset
        Of the stream, and how likely each of them is a `$`.
    places
        Of the stream that are read side by side.
    chunk
        Symbols that errors travel back through.
    updates
        At most.
    first
        Standard deviation of the first weights; the biases begin at 0.
    rate
        Of learning, by gradient descent.
    noise, kind, l1
        As in `vitrina.automata.keras_networks.elman_model`; the noise is there from the first update.
    shock
        Its strength; 0 for none.
    patience
        Updates without the loss getting a tenth smaller after which learning has stalled.
    clip, clip_by
        Largest size of each number of a gradient, or of its norm.
    learnt
        Mean loss of a chunk, at one place, below which nothing is left to learn.
    """

    units: int = 10
    symbols: int = 50_000
    reset: float = 0.1
    places: int = 10
    chunk: int = 25
    updates: int = 10_000
    first: float = 0.5
    rate: float = 0.01
    noise: float = 0.6
    kind: NoiseKind = "multiplicative"
    l1: float = 0.1
    shock: float = 0.5
    patience: int = 1_500
    clip: float = 5.0
    clip_by: Literal["value", "norm"] = "value"
    learnt: float = 0.001


@dataclass(frozen=True, eq=False)
class StreamTrained:
    """
    A network that was trained on a stream.

    Attributes
    ----------
    network : ElmanNetwork
        `$` is the last symbol of its alphabet: see `with_reset`.
    losses : array, shape (looks,)
        Smoothed cross-entropy of a chunk at one place, after every 100 updates.
    shocks : tuple of ints
        After how many updates each shock came.
    """

    network: ElmanNetwork
    losses: Floats
    shocks: tuple[int, ...]


def with_reset(automaton: DFA) -> DFA:
    """
    Return the automaton that reads streams: `$`, its last symbol, leads every state back to the start.

    Raises
    ------
    ValueError
        If `$` is a symbol of the language.
    """
    if RESET in automaton.alphabet:
        raise ValueError(f"{RESET} opens words, so it is no symbol of a language that is read in a stream")
    back = np.full((len(automaton), 1), automaton.start)
    table = np.hstack([automaton.transitions, back])
    return DFA((*automaton.alphabet, RESET), table, automaton.outputs, automaton.start)


def train_on_stream(automaton: DFA, recipe: StreamRecipe | None = None, *, seed: int) -> StreamTrained:
    """
    Train a network on a stream, as the papers do.

    Parameters
    ----------
    automaton
        Labels the stream; the network never sees it.
    recipe
        How; by itself `StreamRecipe()`.
    seed
        Draws stream, first weights, noise and shocks. The same network again for the same seed.

    Returns
    -------
    StreamTrained

    Raises
    ------
    ValueError
        If the recipe makes no sense, or the language cannot be read in a stream.
    """
    how = recipe or StreamRecipe()
    _check(how)
    machine = with_reset(automaton)
    piece = how.places * how.chunk
    text = stream(automaton, how.symbols - how.symbols % piece, reset=how.reset, seed=seed)
    words, labels = (
        values.reshape(how.places, -1, how.chunk).transpose(1, 2, 0)
        for values in (machine.encode(text.text), text.labels)
    )
    return _trainer(len(machine.alphabet), how).train(words, labels, machine.alphabet, seed)


def extract_after_reset(
    network: RecurrentNetwork, read: npt.ArrayLike, *, name_states: Callable[[Floats], States] = by_sign
) -> Extraction:
    """
    Read an automaton from a network of streams; it starts where the first `$` leads.

    Parameters
    ----------
    network
        Trained on streams.
    read : array of ints, shape (1, symbols)
        Numbers of a stream's symbols, of which the first is `$`.
    name_states
        As in `vitrina.automata.elman.extract`.

    Returns
    -------
    Extraction
    """
    words = np.asarray(read, np.int64)
    hidden = network.states(words)[:, 1:]
    observation = observe(name_states(hidden), words[:, 1:], network.logits(hidden) > 0, network.alphabet)
    return Extraction.of(observation)


class _Trainer:
    """A model and the updates of its weights, used again for every run of a recipe."""

    def __init__(self, symbols: int, how: StreamRecipe) -> None:
        self.how, self.symbols = how, symbols
        self.model = self._fresh(0)
        self.cell, self.readout = model_parts(self.model)
        self.state, self.smoothed = tf.Variable(tf.zeros((how.places, how.units))), tf.Variable(tf.zeros(()))
        clip: dict[str, Any] = {"clipvalue" if how.clip_by == "value" else "global_clipnorm": how.clip}
        descent = keras.optimizers.SGD(how.rate, **clip)
        self.training = TracedTraining(self.model.trainable_variables, descent, self._loss)

    def _fresh(self, seed: int) -> keras.Sequential:
        how = self.how
        return elman_model(self.symbols, how.units, noise=how.noise, kind=how.kind, l1=how.l1, seed=seed)

    def train(self, words: Any, labels: Any, alphabet: tuple[Any, ...], seed: int) -> StreamTrained:
        """Train anew from the seed's first weights."""
        how, seeds = self.how, np.random.default_rng(seed)
        self._begin(seed)
        data = tf.constant(words, tf.int32), tf.constant(labels, tf.float32), tf.constant(seed, tf.int32)
        losses, shocks, best, since = [], [], np.inf, 0
        for done in range(_UPDATES, how.updates + 1, _UPDATES):
            self.training.advance(_UPDATES, *data)
            losses.append(float(self.smoothed.numpy()))
            if losses[-1] < how.learnt:
                break
            if losses[-1] < 0.9 * best:
                best, since = losses[-1], done
            elif how.shock and done - since >= how.patience and losses[-1] > _UNLEARNT:
                shock(self.model, how.shock, seed=int(seeds.integers(2**31)))
                shocks.append(done)
                best, since = np.inf, done
        return StreamTrained(to_network(self.model, alphabet), np.array(losses), tuple(shocks))

    def _begin(self, seed: int) -> None:
        fresh = self._fresh(seed)
        for variable in fresh.trainable_variables:
            variable.assign(tf.zeros_like(variable))
        shock(fresh, self.how.first, seed=seed)
        self.training.begin([variable.numpy() for variable in fresh.trainable_variables])
        self.state.assign(tf.zeros_like(self.state))
        self.smoothed.assign(self.how.chunk * np.log(2))

    def _loss(self, _: Any, words: Any, labels: Any, seed: Any) -> Any:
        step, how = tf.cast(self.training.optimiser.iterations, tf.int32), self.how
        chunk = step % tf.shape(words)[0]
        drawn = tf.random.stateless_normal([how.chunk, how.places, how.units], tf.stack([seed, step]))
        said = hidden_over_time(self.cell, words[chunk], self.cell.strength * drawn, self.state)
        errors = tf.nn.sigmoid_cross_entropy_with_logits(labels[chunk], self.readout(said)[..., 0])
        missed = tf.reduce_sum(errors)
        self.state.assign(said[-1])
        self.smoothed.assign(0.99 * self.smoothed + 0.01 * missed / how.places)
        return missed + sum(self.model.losses)


_trainer = lru_cache(maxsize=8)(_Trainer)


def _check(how: StreamRecipe) -> None:
    check_numbers(how, counts=("units", "places", "chunk", "updates", "patience"), amounts=("noise", "l1", "shock"))
    least = how.places * how.chunk
    if how.symbols < least:
        raise ValueError(f"{how.places} chunks of {how.chunk} symbols need a stream of {least}, got {how.symbols}")
    if how.clip_by not in ("value", "norm"):
        raise ValueError(f"a gradient is clipped by 'value' or 'norm', got {how.clip_by!r}")
