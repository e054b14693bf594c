"""One layer of a model, looked into: what it says, how the logits depend on it, what follows when it says other things.

Concepts, features and single units live in a layer. Everything here takes the layer by its name and means what the
layer gives after its own activation; of a layer used twice, the last time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from vitrina.explain.compiling import compiled, graph_function, in_chunks
from vitrina.explain.graph import Graph, Step, read_graph
from vitrina.explain.request import Target, request
from vitrina.models import Array


def layer_activations(model: keras.Model, inputs: npt.ArrayLike, layer: str) -> Array:
    """
    Return what a layer says to each sample.

    Parameters
    ----------
    model
        A built model with one input.
    inputs : array, shape (batch, ...)
        The samples.
    layer
        Its name.

    Returns
    -------
    array, shape (batch, ...)
        The layer's output, after its activation.

    Raises
    ------
    ValueError
        If the inputs do not fit the model, or there is no such layer.
    """
    asked = request(model, inputs, 0)

    def build() -> Callable[..., Any]:
        graph = read_graph(asked.model)
        value = last_value(graph, layer)

        def activations(values: Any) -> Any:
            return evaluate(graph, value, values)

        return graph_function(activations, _spec(asked.model))

    return in_chunks(compiled(asked.model, ("activations", layer), build), asked.inputs)


def logit_gradients(model: keras.Model, inputs: npt.ArrayLike, target: Target, layer: str) -> Array:
    """
    Return how the target's logit depends on what a layer says: its gradient there.

    Parameters
    ----------
    model
        A built classifier that returns logits (batch, classes).
    inputs : array, shape (batch, ...)
        The samples.
    target : int or array of ints, shape (batch,)
        The class, one for all samples or one each.
    layer
        Its name.

    Returns
    -------
    array, shape (batch, ...)
        As `layer_activations`.

    Raises
    ------
    ValueError
        If inputs or target do not fit the model, or there is no such layer.
    """
    asked = request(model, inputs, target)

    def build() -> Callable[..., Any]:
        graph = read_graph(asked.model)
        value = last_value(graph, layer)

        def gradients(values: Any, targets: Any) -> Any:
            return gradients_at(graph, value, values, targets, 1)[1][:, 0]

        return graph_function(gradients, _spec(asked.model), tf.TensorSpec((None, 1), tf.int32))

    if asked.targets.ndim != 1:
        raise ValueError(f"one class per sample is asked for here, got targets of shape {asked.targets.shape}")
    return in_chunks(compiled(asked.model, ("gradients", layer), build), asked.inputs, asked.columns)


def replaced_logits(model: keras.Model, inputs: npt.ArrayLike, layer: str, activations: npt.ArrayLike) -> Array:
    """
    Return what a model says when a layer is made to say something else.

    Parameters
    ----------
    model
        A built classifier that returns logits (batch, classes).
    inputs : array, shape (batch, ...)
        The samples, which still matter where a shortcut leads around the layer.
    layer
        Its name.
    activations : array, shape as `layer_activations` returns it
        What the layer is made to say.

    Returns
    -------
    array, shape (batch, classes)

    Raises
    ------
    ValueError
        If inputs or activations do not fit the model, or there is no such layer.
    """
    asked = request(model, inputs, 0)
    graph = read_graph(asked.model)
    value = last_value(graph, layer)
    said = np.asarray(activations, asked.inputs.dtype)
    if said.shape != (len(asked.inputs), *graph.shapes[value][1:]):
        raise ValueError(
            f"layer {layer!r} says {graph.shapes[value][1:]} to each of {len(asked.inputs)} samples, got activations "
            f"of shape {said.shape}"
        )

    def build() -> Callable[..., Any]:
        def replaced(samples: Any, replacement: Any) -> Any:
            values = [samples]
            for step in graph.steps:
                values.append(replacement if step.output == value else follow(step, values))
            return values[graph.output]

        return graph_function(replaced, _spec(asked.model), tf.TensorSpec(graph.shapes[value], said.dtype))

    return in_chunks(compiled(asked.model, ("replaced activations", layer), build), asked.inputs, said)


def last_value(graph: Graph, layer: str) -> int:
    """
    Find what a layer gives.

    Parameters
    ----------
    graph
        Of the model.
    layer
        The layer's name.

    Returns
    -------
    int
        The number of its value; of a layer used twice, the last.

    Raises
    ------
    ValueError
        If there is no such layer.
    """
    named = [step.output for step in graph.steps if step.name == layer]
    if not named:
        names = list(dict.fromkeys(step.name for step in graph.steps))
        raise ValueError(f"the model has no layer {layer!r} that computes: choose from {', '.join(names)}")
    return named[-1]


def before_activation(graph: Graph, value: int) -> int:
    """Return the number of a value before the activation that its layer carries, or the value itself."""
    step = next((step for step in graph.steps if step.output == value), None)
    carried = step is not None and not isinstance(step.operation, keras.Operation)
    return step.inputs[0] if step is not None and carried else value


def evaluate(graph: Graph, value: int, inputs: Any) -> Any:
    """Compute one value of a graph from a batch of samples."""
    values = [inputs]
    for step in graph.steps:
        if step.output <= value:
            values.append(follow(step, values))
    return values[value]


def gradients_at(graph: Graph, value: int, inputs: Any, targets: Any, count: int) -> tuple[Any, Any]:
    """
    Compute a value of a graph and how the logits depend on it.

    Parameters
    ----------
    graph
        Of the model.
    value
        Number of the value.
    inputs : tensor, shape (batch, ...)
        The samples.
    targets : tensor of int32, shape (batch, count)
        Classes.
    count
        How many for each sample.

    Returns
    -------
    tensor, shape (batch, ...)
        The value.
    tensor, shape (batch, count, ...)
        The gradients of the logits with respect to it.
    """
    values = [inputs]
    below = [step for step in graph.steps if step.output <= value]
    for step in below:
        values.append(follow(step, values))
    with tf.GradientTape(persistent=True) as tape:  # sees nothing below the layer: no pass goes back there
        tape.watch(values[value])
        for step in graph.steps[len(below) :]:
            values.append(follow(step, values))
        chosen = tf.gather(values[graph.output], targets, batch_dims=1)
        logits = [tf.reduce_sum(chosen[:, index]) for index in range(count)]
    none = tf.UnconnectedGradients.ZERO
    gradients = [tape.gradient(logit, values[value], unconnected_gradients=none) for logit in logits]
    return values[value], tf.stack(gradients, axis=1)


def follow(step: Step, values: Sequence[Any]) -> Any:
    """Compute one step of a graph from the values before it."""
    return step.call(*(values[index] for index in step.inputs))


def _spec(model: keras.Model) -> Any:
    return tf.TensorSpec(model.inputs[0].shape, model.inputs[0].dtype)
