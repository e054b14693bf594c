"""Axioms that an answer must satisfy, by name: they need no reference, so they ship with every release.

Each property takes the arguments of the call and the answer, and returns what is violated or `None`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from vitrina.messages import _
from vitrina.values import Array

Property = Callable[[Mapping[str, Any], Array], str | None]

_TOLERANCE = 1e-4
_INPUTS = ("inputs", "images", "pixels", "activations")


def same_shape(arguments: Mapping[str, Any], answer: Array) -> str | None:
    """Attributions have the shape of the inputs."""
    inputs = _inputs(arguments)
    if answer.shape == inputs.shape:
        return None
    return _("attributions have the shape of the inputs, {inputs}; yours have {answer}").format(
        inputs=inputs.shape, answer=answer.shape
    )


def _inputs(arguments: Mapping[str, Any]) -> Array:
    """Return what is explained, by whatever name the function has for it."""
    return np.asarray(next(arguments[name] for name in _INPUTS if name in arguments))


def non_negative(_arguments: Mapping[str, Any], answer: Array) -> str | None:
    """Some explanations have no sign: the size of a gradient, a map behind a ReLU, an error."""
    return _("there are negative values; by its formula this is never negative") if np.any(answer < 0) else None


def changes_cancel(_arguments: Mapping[str, Any], answer: Array) -> str | None:
    """Probabilities add up to one whatever happens, so the derivatives of one of them add up to zero in each row."""
    sums = np.abs(answer.sum(axis=-1))
    if np.all(sums <= _TOLERANCE * np.max(np.abs(answer), initial=0)):
        return None
    return _("each row must add up to 0: moving all logits alike changes no probability")


def zero_input_gets_nothing(arguments: Mapping[str, Any], answer: Array) -> str | None:
    """An input that is exactly zero gets no attribution."""
    inputs = np.asarray(arguments["inputs"])
    if answer.shape == inputs.shape and not np.any(answer[inputs == 0]):
        return None
    return _("an input that is exactly 0 must get the attribution 0")


def zero_activation_gets_nothing(arguments: Mapping[str, Any], answer: Array) -> str | None:
    """A unit that is off contributes nothing to the layer above and gets no relevance from it."""
    activations = np.asarray(arguments["activations"])
    if answer.shape == activations.shape and not np.any(answer[activations == 0]):
        return None
    return _("an activation that is exactly 0 must get the relevance 0")


def positivity(arguments: Mapping[str, Any], answer: Array) -> str | None:
    """The z^B rule makes no negative relevance of relevance that is nowhere negative (Montavon et al. 2017)."""
    if np.any(np.asarray(arguments["relevance"]) < 0) or not np.any(
        answer < -_TOLERANCE * np.max(np.abs(answer), initial=0)
    ):
        return None
    return _("no relevance that came in is negative, so none may go out: every share of this rule is at least 0")


def conservation(arguments: Mapping[str, Any], answer: Array) -> str | None:
    """Without biases a layer hands down all the relevance it receives (Bach et al. 2015, eq. 2)."""
    relevance = np.asarray(arguments["relevance"])
    return _sums(answer, relevance.reshape(len(relevance), -1).sum(axis=1), _("the relevance that came in"))


def completeness(arguments: Mapping[str, Any], answer: Array) -> str | None:
    """Attributions add up to the explained output, or to its difference from that of a baseline that was given.

    Without one it is the baseline 0 of a ReLU network without biases, whose output is 0.
    """
    model, target = arguments["model"], arguments["target"]
    totals = np.asarray(model(_inputs(arguments)))[:, target]
    name = _("the logit of the target")
    if "baseline" in arguments:
        totals = totals - np.asarray(model(np.asarray(arguments["baseline"])[None]))[0, target]
        name = _("the difference of the target's logit from that of the baseline")
    return _sums(answer, totals, name)


def _sums(answer: Array, totals: Array, name: str) -> str | None:
    if answer.ndim < 2 or len(answer) != len(totals) or not np.all(np.isfinite(answer)):
        return _("finite attributions for each input are expected, along the first axis")
    sums = answer.reshape(len(answer), -1).sum(axis=1)
    worst = int(np.argmax(np.abs(sums - totals)))
    if abs(sums[worst] - totals[worst]) <= _TOLERANCE * max(1.0, float(np.max(np.abs(totals)))):
        return None
    return _("the attributions add up to {sum:.4g}, but {name} is {total:.4g}").format(
        sum=sums[worst], name=name, total=totals[worst]
    )


PROPERTIES: Mapping[str, Property] = {
    "same shape": same_shape,
    "non-negative": non_negative,
    "changes cancel": changes_cancel,
    "zero input gets nothing": zero_input_gets_nothing,
    "zero activation gets nothing": zero_activation_gets_nothing,
    "positivity": positivity,
    "conservation": conservation,
    "completeness": completeness,
}
