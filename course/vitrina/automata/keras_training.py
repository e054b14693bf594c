"""Training the Keras networks, by the same recipe as the NumPy trainer: in one compiled piece, or simply by `fit`.

The graph is traced once for a recipe: another language or another try puts new weights into the same variables (see
`vitrina.automata.sequence_training`). XLA would take longer to compile than it saves.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from vitrina.automata import accepting, training
from vitrina.automata.accepting import Trained
from vitrina.automata.elman import ElmanNetwork
from vitrina.automata.keras_networks import NoisyElmanCell, elman_model, model_parts, to_network
from vitrina.automata.machines import DFA
from vitrina.automata.samples import training_words
from vitrina.automata.sequence_training import TracedTraining
from vitrina.automata.training import Recipe

_UPDATES = 50
"""In one call of the graph."""


def train(automaton: DFA, recipe: Recipe | None = None, *, restarts: int = 1, seed: int) -> list[ElmanNetwork]:
    """
    Train networks on a language in Keras, as `vitrina.automata.training.train` does in NumPy.

    Parameters
    ----------
    automaton
        Labels the training words; the networks never see it.
    recipe
        How; by itself `Recipe()`.
    restarts
        How many networks, each with its own first weights, words and noise.
    seed
        The same networks again for the same seed.

    Returns
    -------
    list of ElmanNetwork

    Raises
    ------
    ValueError
        If there is nothing to train, or the recipe makes no sense.
    """
    how = recipe or Recipe()
    training.check_recipe(how, restarts)
    trainer = _trainer(len(automaton.alphabet), how)
    seeds = np.random.default_rng(seed).integers(2**31, size=restarts).tolist()
    return [to_network(trainer.train(automaton, each), automaton.alphabet) for each in seeds]


class _Trainer:
    """A model and the updates of its weights, used again for every network of a recipe."""

    def __init__(self, symbols: int, how: Recipe) -> None:
        self.how, self.symbols = how, symbols
        self.model = self._fresh(0)
        self.cell, self.readout = model_parts(self.model)
        self.training = TracedTraining(self.model.trainable_variables, optimiser(how), self._loss)

    def _fresh(self, seed: int) -> keras.Sequential:
        how = self.how
        return elman_model(self.symbols, how.units, kind=how.kind, l1=how.l1, seed=seed, length=how.length)

    def train(self, automaton: DFA, seed: int) -> keras.Sequential:
        """Train anew from the seed's first weights."""
        self.training.begin([variable.numpy() for variable in self._fresh(seed).trainable_variables])
        words = training_words(automaton, self.how.words, self.how.length, seed=seed)
        labels = tf.constant(automaton.outputs[automaton.run(words)[:, 1:]].T, tf.float32)
        numbers, dice = tf.constant(words.T, tf.int32), tf.constant(seed, tf.int32)
        for start in range(0, self.how.steps, _UPDATES):
            self.training.advance(min(_UPDATES, self.how.steps - start), numbers, labels, dice)
        return self.model

    def _loss(self, _: Any, words: Any, labels: Any, seed: Any) -> Any:
        step, how = tf.cast(self.training.optimiser.iterations, tf.int32), self.how
        self.cell.strength.assign(noise_at(how, tf.cast(step, tf.float32)))
        dice = tf.stack([seed, step])
        rows = tf.random.stateless_uniform([how.batch], dice, 0, how.words, tf.int32)
        drawn = tf.random.stateless_normal([how.length, how.batch, how.units], dice)
        noise = self.cell.strength * drawn
        states = hidden_over_time(self.cell, tf.gather(words, rows, axis=1), noise, tf.zeros_like(drawn[0]))
        logits = self.readout(states)[..., 0]
        errors = tf.nn.sigmoid_cross_entropy_with_logits(tf.gather(labels, rows, axis=1), logits)
        return tf.reduce_mean(errors) + sum(self.model.losses)


def hidden_over_time(cell: NoisyElmanCell, words: Any, noise: Any, first: Any) -> Any:
    """
    Run a cell along words with given noise; what can be done for all times at once is.

    Parameters
    ----------
    cell
        Of the network.
    words : int tensor, shape (length, batch)
        Numbers of symbols.
    noise : tensor, shape (length, batch, units)
        Normal, of the strength that is wanted.
    first : tensor, shape (batch, units)
        States before the first symbol.

    Returns
    -------
    tensor, shape (length, batch, units)
        States after each symbol.
    """
    drives = tf.unstack(cell.drive(tf.one_hot(words, cell.inputs.shape[0], dtype=noise.dtype)))
    hidden, states = first, []
    for drive, disturbance in zip(drives, tf.unstack(noise), strict=True):
        hidden = cell.step(drive, hidden, disturbance)
        states.append(hidden)
    return tf.stack(states)


_trainer = lru_cache(maxsize=8)(_Trainer)


def optimiser(recipe: Recipe) -> keras.optimizers.Optimizer:
    """Return the recipe's optimiser: Adam, the rate along half a cosine, gradients shortened to the largest norm."""
    rate: Any = keras.optimizers.schedules.CosineDecay(recipe.rate, max(recipe.steps, 1), alpha=0.05)
    return keras.optimizers.Adam(rate, epsilon=1e-8, global_clipnorm=recipe.clip)


def noise_at(recipe: Recipe, step: Any) -> Any:
    """Return the strength of the noise at a step: it grows evenly and then stays."""
    return recipe.noise * tf.minimum(1.0, step / max(1.0, recipe.ramp * recipe.steps))


def train_until_accepted(automaton: DFA, recipe: Recipe | None = None, *, rounds: int = 16, seed: int) -> Trained:
    """
    Train networks in Keras, one after the other, until one passes its acceptance test.

    Parameters
    ----------
    automaton, recipe, seed
        As in `vitrina.automata.accepting.train_until_accepted`, whose test this is.
    rounds
        Networks at most.

    Returns
    -------
    Trained

    Raises
    ------
    ValueError
        If there is nothing to train, or the recipe makes no sense.
    """
    return accepting.train_until_accepted(automaton, recipe, restarts=1, rounds=rounds, seed=seed, by=train)


class NoiseRamp(keras.callbacks.Callback):
    """
    Lets the noise of a model of `elman_model` grow while `fit` trains it, evenly and then no more.

    Parameters
    ----------
    noise
        Its final strength.
    updates
        Batches until then.

    Raises
    ------
    ValueError
        If noise is negative.
    """

    def __init__(self, noise: float, updates: float) -> None:
        super().__init__()
        if not noise >= 0:
            raise ValueError(f"noise must not be negative, got {noise}")
        self.noise, self.updates, self.done = noise, updates, 0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Set the strength for the next update."""
        model: Any = self.model
        cell = model_parts(model)[0]
        cell.strength.assign(self.noise * min(1.0, self.done / max(1.0, self.updates)))
        self.done += 1


def fit(automaton: DFA, recipe: Recipe | None = None, *, seed: int) -> keras.Sequential:
    """
    Train one network by Keras' own `fit`: the plain way to read, several times slower than `train`.

    Parameters
    ----------
    automaton
        Labels the training words; the network never sees it.
    recipe
        How; by itself `Recipe()`.
    seed
        Draws words, first weights, noise and batches.

    Returns
    -------
    keras.Sequential
        As `elman_model` builds it: `to_network` gives its automaton to be read.

    Raises
    ------
    ValueError
        If there is nothing to train, or the recipe makes no sense.
    """
    how = recipe or Recipe()
    training.check_recipe(how, 1)
    words = training_words(automaton, how.words, how.length, seed=seed)
    labels = automaton.outputs[automaton.run(words)[:, 1:]].astype(np.float32)
    batches = tf.data.Dataset.from_tensor_slices((words, labels)).shuffle(how.words, seed=seed).repeat()
    model: Any = elman_model(len(automaton.alphabet), how.units, kind=how.kind, l1=how.l1, seed=seed, length=how.length)
    model.compile(optimiser(how), keras.losses.BinaryCrossentropy(from_logits=True), jit_compile=False)
    ramp = NoiseRamp(how.noise, how.ramp * how.steps)
    model.fit(batches.batch(how.batch), steps_per_epoch=how.steps, callbacks=[ramp], shuffle=False, verbose=0)
    return model
