"""Training with updates that are traced once, and networks that say something after each symbol: TensorFlow.

What costs time in small networks is not arithmetic but starting it, and tracing costs more than training one. So many
updates are one call of a graph, and another network puts its weights into the same variables. Gradients are
TensorFlow's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vitrina.automata.machines import States
from vitrina.automata.networks import Floats
from vitrina.automata.training import Recipe

_AT_ONCE = 50  # steps of one call


class TracedTraining:
    """
    Trains networks of one shape, one after the other.

    Parameters
    ----------
    variables : sequence of tf.Variable or keras.Variable
        What is trained.
    optimiser : keras.optimizers.Optimizer
        How; it belongs to the training from now on.
    loss : callable
        What an update makes smaller, `loss(number, *data)`: of the update's number in its call, and the call's data.

    Attributes
    ----------
    traces : int
        How often the graph was traced.
    """

    def __init__(self, variables: Sequence[Any], optimiser: Any, loss: Callable[..., Any]) -> None:
        import tensorflow as tf

        self.variables, self.optimiser, self.loss, self.traces = list(variables), optimiser, loss, 0
        self.optimiser.build(self.variables)
        self._beginning = [state.numpy() for state in optimiser.variables]
        self._graph: Any = tf.function(self._updates, reduce_retracing=True)

    def begin(self, weights: Sequence[npt.ArrayLike]) -> None:
        """Begin with a network's first weights, an array for each variable; the optimiser forgets the last one."""
        for variable, value in zip(self.variables, weights, strict=True):
            variable.assign(value)
        for state, value in zip(self.optimiser.variables, self._beginning, strict=True):
            state.assign(value)

    def advance(self, updates: int, *data: Any) -> None:
        """Do some updates, with tensors that the loss is given."""
        import tensorflow as tf

        self._graph(tf.constant(updates), *data)

    def _updates(self, updates: Any, *data: Any) -> None:
        import tensorflow as tf

        self.traces += 1  # Python runs this line only while the graph is traced

        def unfinished(done: Any) -> Any:
            return done < updates

        def again(done: Any) -> list[Any]:
            with tf.GradientTape() as tape:
                loss = self.loss(done, *data)
            self.optimiser.apply(tape.gradient(loss, self.variables), self.variables)
            return [done + 1]

        tf.while_loop(unfinished, again, [0])


@dataclass(frozen=True, eq=False)
class Variable:
    """
    A weight to be trained.

    Attributes
    ----------
    tensor : tf.Variable or keras.Variable
    l1 : float
        How much its size costs.
    """

    tensor: Any
    l1: float = 0.0


class SequenceTrainer:
    """
    Trains networks that say one of several outputs for each symbol, all of one shape, one after the other.

    Parameters
    ----------
    forward : callable
        Logits of the outputs, (batch, length, outputs), for one-hot or other features of the symbols, (batch, length,
        features), the noise's strength and a pair of numbers as its seed; it uses the variables.
    variables
        What is trained.
    clip
        Largest norm of a step's gradient.
    """

    def __init__(
        self, forward: Callable[[Any, Any, Any], Any], variables: Sequence[Variable], *, clip: float = 1.0
    ) -> None:
        import keras

        self._forward, self._variables = forward, list(variables)
        adam = keras.optimizers.Adam(global_clipnorm=clip)
        self._training = TracedTraining([variable.tensor for variable in variables], adam, self._loss)

    def _loss(self, step: Any, features: Any, targets: Any, schedule: Any, seed: Any) -> Any:
        import tensorflow as tf

        noise, rate = tf.unstack(schedule[step], 2)
        self._training.optimiser.learning_rate.assign(rate)
        logits = self._forward(features[step], noise, tf.stack([seed, step]))
        errors = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets[step], logits=logits)
        sizes = (each.l1 * tf.reduce_sum(tf.abs(each.tensor)) for each in self._variables if each.l1)
        return tf.reduce_mean(errors) + sum(sizes)

    def fit(
        self, first: Sequence[npt.ArrayLike], features: Floats, targets: States, recipe: Recipe, *, seed: int
    ) -> list[Floats]:
        """
        Train one network.

        Parameters
        ----------
        first
            Its first weights, an array for each variable.
        features : array, shape (words, length, features)
        targets : array of ints, shape (words, length)
            Numbers of the outputs.
        recipe
            Batch, steps, rate, noise and ramp are used.
        seed
            Draws batches and noise.

        Returns
        -------
        list of arrays
            The trained weights.
        """
        import tensorflow as tf

        self._training.begin([np.asarray(value, np.float32) for value in first])
        generator = np.random.default_rng(seed)
        schedule, given = _schedule(recipe), features.astype(np.float32)
        for begin in range(0, recipe.steps, _AT_ONCE):
            rows = schedule[begin : begin + _AT_ONCE]
            chosen = generator.integers(len(features), size=(len(rows), recipe.batch))
            batch = tf.constant(given[chosen]), tf.constant(targets[chosen]), tf.constant(rows)
            self._training.advance(len(rows), *batch, tf.constant(int(generator.integers(2**31)), tf.int32))
        return [np.asarray(variable.tensor, np.float64) for variable in self._variables]


def _schedule(recipe: Recipe) -> npt.NDArray[np.float32]:
    """The noise, which grows, and the rate of learning, which falls along a cosine, of each step: (steps, 2)."""
    step = np.arange(recipe.steps)
    noise = recipe.noise * np.minimum(1, step / max(1.0, recipe.ramp * recipe.steps))
    rate = recipe.rate * (0.05 + 0.95 * (1 + np.cos(np.pi * step / max(1, recipe.steps))) / 2)
    return np.column_stack([noise, rate]).astype(np.float32)
