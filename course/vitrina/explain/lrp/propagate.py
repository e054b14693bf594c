"""LRP through a whole model: up once, down once, each layer by its rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from vitrina.explain.compiling import chunk_size, compiled, graph_function, in_chunks
from vitrina.explain.lrp.plan import Plan, Rules, choose_rules, make_plan
from vitrina.explain.lrp.rules import LRP_0, Rule
from vitrina.explain.lrp.sharing import Relevance
from vitrina.explain.lrp.signs import signs
from vitrina.explain.lrp.stages import Setting
from vitrina.explain.request import Target, request
from vitrina.models import Array

#: So many targets are explained before a chunk holds fewer samples: what they have in common is not computed again.
_ROOM = 8
_NUMBERS = ("epsilon", "gamma", "alpha", "beta", "low", "high")


def lrp(
    model: keras.Model,
    inputs: npt.ArrayLike,
    target: Target,
    *,
    rules: Rules = LRP_0,
    bias: Literal["keep", "ignore"] = "keep",
) -> Array:
    """
    Layer-wise relevance propagation.

    Relevance starts as the target's logit. Each layer with weights hands it down by its rule; activations and
    one-to-one layers (Rescaling) pass it unchanged; sums and average pooling share it out in proportion; max pooling
    gives it to the winner; layers that move values (Flatten, padding, Concatenate) move it back; recurrent layers give
    it to the signal of each gate (Arras et al. 2017). A BatchNormalization is folded into the layer before it, and is
    a layer with weights of its own where there is none.

    Bach et al. 2015, doi 10.1371/journal.pone.0130140; Montavon et al. 2019, doi 10.1007/978-3-030-28954-6_10.

    Parameters
    ----------
    model
        A built Sequential or functional model of supported layers that returns logits.
    inputs : array, shape (batch, ...)
        The samples to explain.
    target : int, or array of ints, shape (batch,) or (batch, k)
        The class to explain, one for all samples, one each, or k each.
    rules
        One rule for all layers with weights; a composite; one rule per layer with weights, from the input up; or a
        mapping from names of layers, where those not named share by LRP_0.
    bias
        `"keep"`: a bias takes part in the denominators, and its own share is dropped. `"ignore"`: biases are left out
        of every denominator, so that relevance is conserved, but no longer in proportion to what the network computed.

    Returns
    -------
    array, shape of inputs, or (batch, k, ...) for k classes each
        Relevance of each input value, in the model's type. It adds up to the logit only where no bias, no epsilon and
        no dead unit takes a share.

    Raises
    ------
    ValueError
        If a layer is not supported, or inputs, target or rules do not fit the model.

    Warns
    -----
    UserWarning
        If the model ends in a softmax or sigmoid: the logits before it are explained.
    """
    if bias not in ("keep", "ignore"):
        raise ValueError(f"bias must be 'keep' or 'ignore', got {bias!r}")
    asked = request(model, inputs, target)
    explained, values = asked.model, asked.inputs
    plan = _plan_of(explained, bias == "keep")
    chosen = choose_rules(plan, rules)
    each = asked.columns
    numbers = [_numbers(rule, plan, index, values.dtype) for index, rule in enumerate(chosen)]
    kinds = tuple((rule.kind, len(rule.low), len(rule.high)) if rule else None for rule in chosen)
    nonnegative = bool(np.all(values >= 0))
    key = ("lrp", kinds, bias, each.shape[1], nonnegative)

    def build() -> Callable[..., Any]:
        source = tf.TensorSpec(explained.inputs[0].shape, values.dtype)
        known = signs(plan, chosen, nonnegative=nonnegative)
        return _compile_lrp(source, plan, _settings(plan, chosen, known, bias == "keep"), numbers, each.shape[1])

    function = compiled(explained, key, build)
    chunk = max(1, round(chunk_size(values) * min(1.0, _ROOM / each.shape[1])))
    return asked.as_asked(in_chunks(lambda *arrays: function(*arrays, numbers), values, each, chunk=chunk))


def _plan_of(model: keras.Model, keep_bias: bool) -> Plan:
    """Make the plan of a model once: reading a deep one takes longer than explaining a sample."""

    def build() -> Callable[[], Plan]:
        plan = make_plan(model, keep_bias=keep_bias)
        return lambda: plan

    return compiled(model, ("lrp plan", keep_bias), build)()


def _numbers(rule: Rule | None, plan: Plan, index: int, dtype: np.dtype[Any]) -> dict[str, Any]:
    """Numbers of a rule as tensors: another gamma then needs no new compilation."""
    if rule is None:
        return {}
    features = plan.shapes[plan.stages[index].step.inputs[0]][1:]
    numbers = {name: getattr(rule, name) for name in _NUMBERS}
    for name in ("low", "high"):
        bounds = np.asarray(numbers[name])
        numbers[name] = (
            bounds if bounds.size in (1, features[-1]) else bounds.reshape([int(size or 0) for size in features])
        )
    return {name: tf.constant(number, dtype) for name, number in numbers.items()}


def _settings(
    plan: Plan, chosen: Sequence[Rule | None], known: tuple[set[int], set[int]], keep_bias: bool
) -> list[Setting]:
    """Say for each stage what its rule is and what is known about the signs around it."""
    nonnegative, positive_only = known
    return [
        Setting(rule and rule.kind, {}, keep_bias, nonnegative.issuperset(step.inputs), step.output in positive_only)
        for rule, step in zip(chosen, (stage.step for stage in plan.stages), strict=True)
    ]


def _compile_lrp(
    source: tf.TensorSpec, plan: Plan, settings: list[Setting], numbers: list[dict[str, Any]], targets: int
) -> Callable[..., Any]:
    def relevance_of(inputs: Any, targets: Any, numbers: Any) -> Any:
        values, memories = _up(plan, inputs)
        relevance = _seed(values[plan.output], targets)
        numbered = [setting._replace(numbers=each) for setting, each in zip(settings, numbers, strict=True)]
        return _down(plan, relevance, memories, numbered)

    rules = [{name: tf.TensorSpec(number.shape, number.dtype) for name, number in each.items()} for each in numbers]
    signature = [source, tf.TensorSpec((None, targets), tf.int32), rules]
    return graph_function(tf.autograph.experimental.do_not_convert(relevance_of), *signature)


def _up(plan: Plan, inputs: Any) -> tuple[dict[int, Any], list[Any]]:
    """Compute every value, and what each stage needs on the way down."""
    values, memories = {0: inputs}, list[Any]()
    for stage in plan.stages:
        values[stage.step.output], memory = stage.up([values[number] for number in stage.step.inputs])
        memories.append(memory)
    return values, memories


def _seed(logits: Any, targets: Any) -> Any:
    """Return the logits themselves as relevance (batch, targets, classes), each target alone."""
    return tf.one_hot(targets, logits.shape[1], dtype=logits.dtype) * logits[:, tf.newaxis]


def _down(plan: Plan, relevance: Any, memories: list[Any], settings: list[Setting]) -> Any:
    """Hand relevance down from stage to stage; a value that several stages took receives the sum."""
    received: dict[int, Relevance] = {plan.output: Relevance(relevance)}
    for stage, memory, setting in reversed(list(zip(plan.stages, memories, settings, strict=True))):
        parts = stage.down(memory, received.pop(stage.step.output), setting)
        for number, part in zip(stage.step.inputs, parts, strict=True):
            known = received.get(number)
            received[number] = part if known is None else Relevance(known.whole() + part.whole())
    return received[0].whole()
