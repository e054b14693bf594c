"""From a model's graph to the stages that LRP goes through, and which rule each of them takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import keras
import numpy as np

from vitrina.explain.graph import Graph, Step, read_graph
from vitrina.explain.lrp.composites import Composite
from vitrina.explain.lrp.layers import WEIGHTED, folded, linear_maps
from vitrina.explain.lrp.recurrent import RECURRENT, Bidirectional, Recurrent, recurrent_stage
from vitrina.explain.lrp.rules import LRP_0, Rule, z_plus
from vitrina.explain.lrp.stages import GlobalMax, Linear, MaxPool, Moving, Passing, Summing

_layers = keras.layers
Stage = Linear | Passing | Moving | Summing | MaxPool | GlobalMax | Recurrent | Bidirectional
Rules = Rule | Composite | Sequence[Rule] | Mapping[str, Rule]
"""One rule for all layers, a composite, one rule per layer with weights, or rules by the names of layers."""

_NORMALISATION = _layers.BatchNormalization
_ONE_TO_ONE = (_layers.Rescaling, _layers.Normalization)
_MOVING = (
    *(_layers.Flatten, _layers.Reshape, _layers.Permute, _layers.RepeatVector, _layers.Concatenate),
    *(_layers.ZeroPadding1D, _layers.ZeroPadding2D, _layers.ZeroPadding3D),
    *(_layers.Cropping1D, _layers.Cropping2D, _layers.Cropping3D, _layers.UpSampling1D, _layers.UpSampling3D),
)
_MAX_POOLING = (_layers.MaxPooling1D, _layers.MaxPooling2D, _layers.MaxPooling3D)
_GLOBAL_MAX = (_layers.GlobalMaxPooling1D, _layers.GlobalMaxPooling2D, _layers.GlobalMaxPooling3D)
_SUMMING = (
    *(_layers.Add, _layers.Subtract, _layers.Average),
    *(_layers.AveragePooling1D, _layers.AveragePooling2D, _layers.AveragePooling3D),
    *(_layers.GlobalAveragePooling1D, _layers.GlobalAveragePooling2D, _layers.GlobalAveragePooling3D),
)
_MOVING_OPERATIONS = {"Concatenate", "Reshape", "Transpose", "Squeeze", "ExpandDims", "GetItem", "Flip", "Stack"}
_SUMMING_OPERATIONS = {"Add", "Subtract", "Mean", "Sum"}
_WITH_A_CONSTANT = {"Add", "Subtract", "Multiply", "Divide", "TrueDivide", "Negative"}
SUPPORTED = (
    "Dense, Conv1D/2D/3D, DepthwiseConv1D/2D, SeparableConv1D/2D, SimpleRNN, LSTM, GRU, Bidirectional, average and max "
    "pooling (also global), BatchNormalization, pointwise activations, Flatten, Reshape, Permute, RepeatVector, "
    "ZeroPadding, Cropping, UpSampling, Rescaling, Normalization, Add, Subtract, Average, Concatenate, Dropout and "
    "noise"
)
"""What an error about an unsupported layer says."""


class Plan(NamedTuple):
    """
    The stages of a model.

    Attributes
    ----------
    stages
        In the order in which values can be computed.
    shapes
        Shape of the value of each number.
    output
        Number of the model's output.
    layers
        For each layer with weights its name and the numbers of its stages.
    """

    stages: tuple[Stage, ...]
    shapes: tuple[tuple[int | None, ...], ...]
    output: int
    layers: tuple[tuple[str, tuple[int, ...]], ...]


def make_plan(model: keras.Model, *, keep_bias: bool) -> Plan:
    """
    Read a model as stages.

    Parameters
    ----------
    model
        A built model.
    keep_bias
        Whether biases take part in denominators.

    Returns
    -------
    Plan

    Raises
    ------
    ValueError
        If a layer is not supported, or none has weights.
    """
    graph = read_graph(model)
    stages: list[Stage] = []
    shapes = list(graph.shapes)
    for step in graph.steps:
        if type(step.operation) is _layers.Masking:  # before the operations that compute its mask
            raise _unsupported(step)
    for step in graph.steps:
        if not _fold(stages, step, graph):
            stages += _stages(step, shapes, keep_bias)
    layers: dict[int, tuple[str, list[int]]] = {}
    last = -1
    for index, stage in enumerate(stages):
        if isinstance(stage, Linear | Recurrent | Bidirectional):
            continues = isinstance(stage, Linear) and stage.follows
            last = last if continues else index
            layers.setdefault(last, (stage.step.name, []))[1].append(index)
    if not layers:
        raise ValueError(f"model {model.name!r} has no layer with weights: there is nothing to share out")
    named = tuple((name, tuple(indices)) for name, indices in layers.values())
    return Plan(tuple(stages), tuple(shapes), graph.output, named)


def choose_rules(plan: Plan, rules: Rules) -> list[Rule | None]:
    """
    Return the rule of each stage, None where a stage has no choice.

    Parameters
    ----------
    plan
        The stages.
    rules
        As `lrp` takes them.

    Returns
    -------
    list of Rule or None

    Raises
    ------
    ValueError
        If the rules do not fit the model.
    """
    chosen: list[Rule | None] = [None] * len(plan.stages)
    for (name, indices), rule in zip(plan.layers, _for_each_layer(plan, rules), strict=True):
        for index in indices:
            stage = plan.stages[index]
            # What a separable convolution has between its two steps is not bounded by the bounds of the pixels.
            chosen[index] = z_plus() if rule.kind == "z_box" and index != indices[0] else rule
            _check_rule(rule, name, stage, plan.shapes[stage.step.inputs[0]])
    return chosen


def _for_each_layer(plan: Plan, rules: Any) -> list[Rule]:
    names = [name for name, _ in plan.layers]
    if isinstance(rules, Rule):
        return [rules] * len(names)
    if isinstance(rules, Composite):
        return _by_composite(plan, rules)
    if isinstance(rules, Mapping):
        unknown = [name for name in rules if name not in names]
        if unknown:
            raise ValueError(f"rules name layers {unknown}, the model's layers with weights are {names}")
        rules = [rules.get(name, LRP_0) for name in names]
    if isinstance(rules, str) or not isinstance(rules, Sequence) or len(rules) != len(names):
        raise ValueError(f"rules must be one Rule, a Composite, or one Rule per layer with weights: {names}")
    if not all(isinstance(rule, Rule) for rule in rules):
        raise ValueError(f"every rule must be a Rule such as LRP_0 or epsilon(0.1), got {rules}")
    return list(rules)


def _by_composite(plan: Plan, composite: Composite) -> list[Rule]:
    """Choose by the kind of layer, and `first` for layers that see the model's input before any other weights."""
    sees_input = {0}
    for stage in plan.stages:
        weightless = not isinstance(stage, Linear | Recurrent | Bidirectional) or _is_normalisation(stage)
        if weightless and sees_input.intersection(stage.step.inputs):
            sees_input.add(stage.step.output)
    return [_of_composite(composite, plan.stages[indices[0]], sees_input) for _, indices in plan.layers]


def _of_composite(composite: Composite, stage: Stage, sees_input: set[int]) -> Rule:
    linear = isinstance(stage, Linear) and not _is_normalisation(stage)
    if composite.first is not None and linear and stage.step.inputs[0] in sees_input:
        return composite.first
    return composite.convolution if isinstance(stage, Linear) and stage.map.convolution else composite.dense


def _is_normalisation(stage: Stage) -> bool:
    return type(stage.step.operation) is _NORMALISATION


def _check_rule(rule: Rule, name: str, stage: Stage, shape: tuple[int | None, ...]) -> None:
    if not isinstance(stage, Linear):
        if rule.kind != "epsilon":
            kind = type(stage.step.operation).__name__
            raise ValueError(
                f"layer {name!r} ({kind}) shares by LRP_0 or epsilon, not by {rule.kind}: give the rules by the names "
                "of layers, or a composite"
            )
        return
    if rule.kind == "z_box" and not {len(rule.low), len(rule.high)} <= _sizes(shape):
        sizes = " or ".join(map(str, sorted(_sizes(shape))))
        raise ValueError(f"z_box at layer {name!r} needs {sizes} bounds, got {len(rule.low)} and {len(rule.high)}")


def _sizes(shape: tuple[int | None, ...]) -> set[int]:
    """Return how many bounds fit inputs of a shape: one, one per channel, one per value."""
    features = [size or 0 for size in shape[1:]]
    return {1, features[-1], int(np.prod(features))} - {0}


def _fold(stages: list[Stage], step: Step, graph: Graph) -> bool:
    """Fold a BatchNormalization into the stage before it, where only it takes that stage's output."""
    if type(step.operation) is not _NORMALISATION:
        return False
    (number,) = step.inputs
    takers = sum(other.inputs.count(number) for other in graph.steps)
    for index, stage in enumerate(stages):
        if stage.step.output == number and isinstance(stage, Linear) and takers == 1 and not _is_normalisation(stage):
            _check_axis(step, graph.shapes[number])
            both = folded(stage.map, step.operation)
            stages[index] = stage._replace(step=stage.step._replace(output=step.output), map=both)
            return True
    return False


def _stages(step: Step, shapes: list[tuple[int | None, ...]], keep_bias: bool) -> list[Stage]:
    layer, kind = step.operation, type(step.operation)
    if getattr(layer, "data_format", None) == "channels_first":
        raise ValueError(f"layer {step.name!r} has its channels first: lrp explains models with channels last")
    if kind in WEIGHTED:
        if kind is _NORMALISATION:
            _check_axis(step, shapes[step.inputs[0]])
        return _linear_stages(step, shapes)
    if kind in RECURRENT:
        return [recurrent_stage(step, keep_bias)]
    stage = _weightless(step)
    if stage is None:
        raise _unsupported(step)
    return [stage]


def _unsupported(step: Step) -> ValueError:
    operation = step.operation
    named = type(operation) if isinstance(operation, keras.Operation) else operation
    kind = getattr(named, "__name__", str(named))
    return ValueError(f"layer {step.name!r} ({kind}) is not supported; lrp knows {SUPPORTED}")


def _linear_stages(step: Step, shapes: list[tuple[int | None, ...]]) -> list[Stage]:
    maps = linear_maps(step.operation)
    between = list(range(len(shapes), len(shapes) + len(maps) - 1))
    shapes += [shapes[step.output]] * len(between)
    numbers = [step.inputs[0], *between, step.output]
    steps = [step._replace(inputs=(taken,), output=given) for taken, given in pairwise(numbers)]
    return [
        Linear(part, linear, follows=index > 0) for index, (part, linear) in enumerate(zip(steps, maps, strict=True))
    ]


def _weightless(step: Step) -> Stage | None:
    layer: Any = step.operation
    kind, name = type(layer), type(layer).__name__
    is_operation = isinstance(layer, keras.Operation) and not isinstance(layer, keras.Layer)
    if step.pointwise or kind in _ONE_TO_ONE:
        return Passing(step)
    if isinstance(layer, _layers.UpSampling2D):
        return Moving(step) if layer.interpolation == "nearest" else Summing(step)
    if kind in _MOVING:
        return Moving(step)
    if kind in _MAX_POOLING:
        return MaxPool(step)
    if kind in _GLOBAL_MAX:
        return GlobalMax(step)
    if kind in _SUMMING:
        return Summing(step)
    if is_operation and name in _WITH_A_CONSTANT and len(step.inputs) == 1:
        return Passing(step)
    if is_operation and name in _SUMMING_OPERATIONS:
        return Summing(step)
    return Moving(step) if is_operation and name in _MOVING_OPERATIONS else None


def _check_axis(step: Step, shape: tuple[int | None, ...]) -> None:
    if step.operation.axis not in (-1, len(shape) - 1):
        raise ValueError(f"layer {step.name!r} (BatchNormalization) must normalise over the last axis")
