"""What a Keras model computes, written out as a list of steps.

Methods that hand something back from layer to layer (LRP, DeepLIFT) need to know which value each layer took and gave.
`read_graph` numbers the values of a model and lists its steps in the order in which they can be computed::

    Dense(8, "relu") -> Dropout -> Dense(3)        value 0  the input
                                                   step     dense        0 -> 1
                                                   step     dense, relu  1 -> 2
                                                   step     dense_1      2 -> 3

An activation that a layer carries is a step of its own, what does nothing at inference (Dropout) is no step, models
inside the model are opened, and a layer that is used twice is two steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import keras

_layers = keras.layers
_FUSING = (
    *(_layers.Dense, _layers.EinsumDense, _layers.Conv1D, _layers.Conv2D, _layers.Conv3D),
    *(_layers.Conv1DTranspose, _layers.Conv2DTranspose, _layers.Conv3DTranspose),
    *(_layers.DepthwiseConv1D, _layers.DepthwiseConv2D, _layers.SeparableConv1D, _layers.SeparableConv2D),
)
"""Layers whose attribute `activation` is what they apply last."""
_INERT = (
    *(_layers.InputLayer, _layers.Identity, _layers.Dropout, _layers.AlphaDropout, _layers.ActivityRegularization),
    *(_layers.SpatialDropout1D, _layers.SpatialDropout2D, _layers.SpatialDropout3D),
    *(_layers.GaussianDropout, _layers.GaussianNoise),
    *(_layers.RandomFlip, _layers.RandomRotation, _layers.RandomTranslation, _layers.RandomZoom),
    *(_layers.RandomContrast, _layers.RandomBrightness),
)
_POINTWISE_LAYERS = (_layers.ReLU, _layers.LeakyReLU, _layers.PReLU, _layers.ELU)
_POINTWISE_OPERATIONS = {
    *("Relu", "Relu6", "LeakyRelu", "Elu", "Selu", "Celu", "Gelu", "Silu", "Mish", "HardSilu"),
    *("Tanh", "HardTanh", "Sigmoid", "HardSigmoid", "LogSigmoid", "Softplus", "Softsign"),
}
MIXING = frozenset({"softmax", "log_softmax", "sparsemax", "sparse_plus", "glu"})
"""Activations where each value depends on others."""


class Step(NamedTuple):
    """
    One layer, one operation or one activation of a model.

    Attributes
    ----------
    name
        The layer's name; an activation that a layer carries has the name of that layer.
    operation
        The Keras layer or operation; of an activation that a layer carries, the function.
    call
        Computes the step from tensors, one for each of `inputs`, as at inference. A layer that carries an activation
        is computed without it: the activation is the next step.
    inputs
        Numbers of the values that the step takes, in order; one number twice for `x + x`.
    output
        Number of the value that the step gives.
    """

    name: str
    operation: Any
    call: Callable[..., Any]
    inputs: tuple[int, ...]
    output: int

    @property
    def pointwise(self) -> bool:
        """Whether the step is an activation that acts on each value by itself."""
        function = self.operation
        if isinstance(function, _layers.Activation):
            function = function.activation
        if isinstance(function, keras.Operation):
            return isinstance(function, _POINTWISE_LAYERS) or type(function).__name__ in _POINTWISE_OPERATIONS
        return getattr(function, "__name__", "") not in MIXING


class Graph(NamedTuple):
    """
    A model as steps from values to values.

    Attributes
    ----------
    inputs
        Numbers of the model's inputs, from 0.
    steps
        In an order in which they can be computed.
    output
        Number of the model's output.
    shapes
        Shape of the value of each number, the batch and what else may vary as None.
    """

    inputs: tuple[int, ...]
    steps: tuple[Step, ...]
    output: int
    shapes: tuple[tuple[int | None, ...], ...]

    def values(self, *inputs: Any) -> list[Any]:
        """
        Compute every value of the graph.

        Parameters
        ----------
        inputs
            One tensor for each input of the model.

        Returns
        -------
        list of tensors
            The value of each number.
        """
        values = list(inputs)
        for step in self.steps:
            values.append(step.call(*(values[index] for index in step.inputs)))
        return values


def read_graph(model: keras.Model) -> Graph:
    """
    Read a built model as a list of steps.

    Parameters
    ----------
    model
        A built Sequential or functional model with one output; it may have branches, shared layers and models inside.

    Returns
    -------
    Graph
        It shares the layers' weights and does not hold the model itself.

    Raises
    ------
    ValueError
        If the model is not built, is a class with a `call` of its own, has several outputs, or a layer inside gives
        several values.
    """
    function = _function_of(model)
    if len(function.outputs) != 1:
        raise ValueError(
            f"model {model.name!r} has {len(function.outputs)} outputs: make a model of the one to explain"
        )
    reader = _Reader([tuple(tensor.shape) for tensor in function.inputs])
    inputs = tuple(range(len(function.inputs)))
    (output,) = reader.read(function, inputs)
    return Graph(inputs, tuple(reader.steps), output, tuple(reader.shapes))


def _function_of(model: Any) -> Any:
    """Return the part of a model that holds its graph of calls."""
    function = getattr(model, "_functional", None) if isinstance(model, keras.Sequential) else model
    if function is None:
        raise ValueError(f"model {model.name!r} is not built: give it a keras.Input first, or call it once")
    if not hasattr(function, "_nodes_by_depth"):
        raise ValueError(
            f"model {model.name!r} ({type(model).__name__}) computes by Python code of its own, where its layers "
            "cannot be followed: build it as a Sequential or functional model"
        )
    return function


class _Reader:
    """Collects steps and numbers their values."""

    def __init__(self, shapes: list[tuple[int | None, ...]]) -> None:
        self.steps: list[Step] = []
        self.shapes = shapes

    def read(self, function: Any, inputs: Sequence[int]) -> list[int]:
        """Add the steps of a model that is called on numbered values, return the numbers of its outputs."""
        numbers = {id(tensor): number for tensor, number in zip(function.inputs, inputs, strict=True)}
        for node in _calls(function):
            taken = [numbers[id(tensor)] for tensor in node.input_tensors]
            given = self._read_call(node, taken)
            numbers |= {id(tensor): number for tensor, number in zip(node.outputs, given, strict=True)}
        return [numbers[id(tensor)] for tensor in function.outputs]

    def _read_call(self, node: Any, inputs: Sequence[int]) -> list[int]:
        operation = node.operation
        if isinstance(operation, keras.Model):
            return self.read(_function_of(operation), inputs)
        if isinstance(operation, _INERT) or _is_linear(operation):
            return list(inputs)
        if len(node.outputs) != 1:
            raise ValueError(f"layer {operation.name!r} gives {len(node.outputs)} values, only one can be followed")
        self.shapes += [tuple(node.outputs[0].shape)]
        if not isinstance(operation, _FUSING) or operation.activation is keras.activations.linear:
            return [self._add(operation.name, operation, _as_called(node, operation), inputs)]
        before = self._add(operation.name, operation, _as_called(node, _without_activation(operation)), inputs)
        self.shapes += [self.shapes[before]]
        return [self._add(operation.name, operation.activation, operation.activation, (before,))]

    def _add(self, name: str, operation: Any, call: Callable[..., Any], inputs: Sequence[int]) -> int:
        self.steps.append(Step(name, operation, call, tuple(inputs), len(self.shapes) - 1))
        return len(self.shapes) - 1


def _calls(function: Any) -> Iterator[Any]:
    """Yield the calls of a model's layers, each after those whose values it takes."""
    for depth in sorted(function._nodes_by_depth, reverse=True):
        yield from (node for node in function._nodes_by_depth[depth] if not node.is_input)


def _is_linear(operation: Any) -> bool:
    return isinstance(operation, _layers.Activation) and operation.activation is keras.activations.linear


def _as_called(node: Any, operation: Any) -> Callable[..., Any]:
    """Return a function that repeats one call of a layer on other tensors, with the constants it was called with."""
    arguments, names = node.arguments, [id(tensor) for tensor in node.input_tensors]
    inference = {"training": False} if getattr(operation, "_call_has_training_arg", False) else {}

    def call(*values: Any) -> Any:
        positional, named = arguments.fill_in(dict(zip(names, values, strict=True)))
        return operation(*positional, **named | inference)

    return call


def _without_activation(layer: Any) -> Any:
    """Return a twin of a layer that shares all its weights and applies no activation."""
    twin = object.__new__(type(layer))
    # Past Keras' own __setattr__: the twin must not register the weights a second time.
    vars(twin).update(vars(layer) | {"activation": keras.activations.linear})
    return twin
