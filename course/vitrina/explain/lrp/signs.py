"""What is known about signs before anything is computed: what must be 0 need not be computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from vitrina.explain.graph import Step
from vitrina.explain.lrp.plan import Plan, Stage
from vitrina.explain.lrp.rules import Rule
from vitrina.explain.lrp.sharing import MULTIPLICATIVE
from vitrina.explain.lrp.stages import GlobalMax, Linear, MaxPool, Moving, Passing, Summing

_layers = keras.layers
_RELU = (keras.activations.relu, keras.activations.relu6)
_NOT_NEGATIVE = (*_RELU, keras.activations.sigmoid, keras.activations.hard_sigmoid, keras.activations.softplus)


def signs(plan: Plan, chosen: Sequence[Rule | None], *, nonnegative: bool) -> tuple[set[int], set[int]]:
    """
    Find what is known about signs before anything is computed.

    Parameters
    ----------
    plan
        The stages.
    chosen
        The rule of each stage.
    nonnegative
        Whether the model's inputs cannot be below 0.

    Returns
    -------
    nonnegative : set of int
        Numbers of values that cannot be below 0, as after a ReLU.
    positive_only : set of int
        Numbers of values that receive relevance only where they are above 0, as before a ReLU.
    """
    return _not_negative(plan, {0} if nonnegative else set()), _positive_only(plan, chosen)


def _not_negative(plan: Plan, found: set[int]) -> set[int]:
    for stage in plan.stages:
        inherits = isinstance(stage, Moving | MaxPool | GlobalMax) or (isinstance(stage, Summing) and _adds(stage.step))
        if (inherits and found.issuperset(stage.step.inputs)) or _is_one_of(stage, _NOT_NEGATIVE):
            found.add(stage.step.output)
    return found


def _adds(step: Step) -> bool:
    return type(step.operation).__name__ not in ("Subtract", "UpSampling2D")  # smooth interpolation may overshoot


def _positive_only(plan: Plan, chosen: Sequence[Rule | None]) -> set[int]:
    """Go down: below a ReLU, relevance is 0 where the ReLU is off, if a value of 0 receives none from above."""
    numbers = range(len(plan.shapes))
    silent, positive = set(numbers), set(numbers) - {plan.output}  # until a taker says otherwise
    for stage, rule in reversed(list(zip(plan.stages, chosen, strict=True))):
        taken, given = set(stage.step.inputs), stage.step.output
        if isinstance(stage, Linear):
            quiet, above = rule is not None and rule.kind in MULTIPLICATIVE, False
        elif isinstance(stage, Passing):
            relu = _is_one_of(stage, _RELU)
            quiet = above = relu and given in silent
        elif isinstance(stage, Moving | MaxPool | GlobalMax):
            quiet, above = given in silent, given in positive
        else:
            quiet, above = True, False
        silent -= set() if quiet else taken
        positive -= set() if above else taken
    return positive


def _is_one_of(stage: Stage, functions: tuple[Any, ...]) -> bool:
    """Tell whether a stage is one of some activations, in whatever way it was written."""
    operation = stage.step.operation
    if isinstance(operation, _layers.ReLU):
        return not operation.negative_slope and operation.threshold >= 0 and keras.activations.relu in functions
    if isinstance(operation, keras.Operation) and not isinstance(operation, keras.Layer):
        names = {function.__name__.replace("_", "") for function in functions}
        return isinstance(stage, Passing) and type(operation).__name__.lower() in names
    function = operation.activation if isinstance(operation, _layers.Activation) else operation
    return any(function is known for known in functions)
