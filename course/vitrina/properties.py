"""Axioms that an answer must satisfy, by name: they need no reference, so they ship with every release.

Each property takes the arguments of the call and the answer, and returns what is violated or `None`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from vitrina.messages import _
from vitrina.values import QUESTION, Array

if TYPE_CHECKING:
    from vitrina.automata import DFA

Property = Callable[[Mapping[str, Any], Array], str | None]

_TOLERANCE = 1e-4
_CHANCE = 5  # standard errors: by chance alone one estimate in two million is further off
_EXACT = 1e-9  # relative: no estimates of several players come so near to the true values
_ROUNDED = 0.03  # 2 for 1.96, or m for m - 1
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
    """Attributions add up to the explained output, or to its difference from that of a baseline or background.

    Without one it is the baseline 0 of a ReLU network without biases, whose output is 0.
    """
    model, target = arguments["model"], arguments["target"]
    totals = np.asarray(model(_inputs(arguments)))[:, target]
    name = _("the logit of the target")
    if "background" in arguments:
        totals = totals - np.mean(np.asarray(model(arguments["background"]))[:, target])
        name = _("the difference of the target's score from its mean over the background")
    if "baseline" in arguments:
        totals = totals - np.asarray(model(np.asarray(arguments["baseline"])[None]))[0, target]
        name = _("the difference of the target's logit from that of the baseline")
    return _sums(answer, totals, name)


def breaks_an_axiom(arguments: Mapping[str, Any], answer: Array) -> str | None:
    """A counter-example to an unfair rule: a game, or two, on which the rule breaks one of Shapley's axioms."""
    from vitrina.axioms import RULES, broken_axioms

    rule = str(arguments[QUESTION])
    try:
        if broken_axioms(RULES[rule], answer):
            return None
    except ValueError as error:
        return str(error)
    return _("on this game the rule `{rule}` is efficient, treats twins alike and gives null players nothing").format(
        rule=rule
    )


def are_intervals(arguments: Mapping[str, Any], answer: Array) -> str | None:
    """Intervals have a lower and an upper end, one row for each player."""
    players = int(arguments["players"])
    if answer.shape != (players, 2):
        message = _("expected an interval for each player, shape ({expected}), got {received}")
        return message.format(expected=f"{players}, 2", received=answer.shape)
    if np.any(answer[:, 0] > answer[:, 1]):
        return _("the lower end of an interval is above its upper end")
    return None


def estimates_shapley_values(arguments: Mapping[str, Any], answer: Array) -> str | None:
    """Intervals from random orders lie around the true values: their middles are off by chance alone."""
    values, errors, _widths = _shapley_by_sampling(arguments)
    if answer.shape != (len(values), 2):
        return are_intervals(arguments, answer)
    worst = np.max(np.abs(answer.mean(axis=1) - values) - _CHANCE * errors)
    if worst <= _TOLERANCE * max(1.0, float(np.max(np.abs(values)))):
        return None
    return _("the middle of an interval is further from the Shapley value than {chance} standard errors").format(
        chance=_CHANCE
    )


def has_the_right_width(arguments: Mapping[str, Any], answer: Array) -> str | None:
    """An interval of 95 % reaches 1.96 standard errors to either side; the standard error is itself an estimate."""
    values, errors, widths = _shapley_by_sampling(arguments)
    if answer.shape != (len(values), 2):
        return are_intervals(arguments, answer)
    reach = np.diff(answer.astype(float), axis=1)[:, 0] / 2
    slack = _TOLERANCE * max(1.0, float(np.max(np.abs(values))))
    if np.any(reach < 1.96 * errors * (1 - widths) - slack):
        return _("an interval is too narrow: much less than 1.96 standard errors to either side")
    if np.any(reach > 1.96 * errors * (1 + widths) + slack):
        return _("an interval is too wide: much more than 1.96 standard errors to either side")
    return None


def comes_from_draws(arguments: Mapping[str, Any], answer: Array) -> str | None:
    """Intervals from random orders are around estimates, which are never the true values of all players."""
    values, errors, _widths = _shapley_by_sampling(arguments)
    size = max(1.0, float(np.max(np.abs(values))))
    if not np.any(errors > _TOLERANCE * size) or answer.shape != (len(values), 2):
        return None
    if np.max(np.abs(answer.mean(axis=1) - values)) > _EXACT * size:
        return None
    return _("the middles of your intervals are the exact Shapley values: no orders were drawn")


def _shapley_by_sampling(arguments: Mapping[str, Any]) -> tuple[Array, Array, Array]:
    """Return the true values, the true standard errors of estimates from so many orders, and how far these may be off.

    The standard error is an estimate too. Its own relative standard error follows from the fourth moment.
    """
    from vitrina.axioms import contributions_by_order

    contributions, draws = contributions_by_order(arguments["game"]), arguments["draws"]
    values, spread = contributions.mean(axis=0), contributions.std(axis=0)
    scaled = (contributions - values) / np.where(spread > 0, spread, 1)
    widths = _CHANCE * np.sqrt(np.maximum(np.mean(scaled**4, axis=0) - 1, 0) / (4 * draws)) + _ROUNDED
    return values, spread / np.sqrt(draws), widths


def tells_automata_apart(arguments: Mapping[str, Any], answer: Array) -> str | None:
    """A word that one automaton accepts and the other does not."""
    machine, other = _automata(arguments)
    symbols = len(machine.alphabet)
    if answer.ndim != 1 or np.any(answer != np.rint(answer)) or np.any((answer < 0) | (answer >= symbols)):
        return _("a word is a list of symbol numbers from 0 to {last}").format(last=symbols - 1)
    read = answer.astype(np.int64)
    ends = [bool(each.outputs[each.run(read)[-1]]) for each in (machine, other)]
    if ends[0] != ends[1]:
        return None
    return _("both automata accept your word") if ends[0] else _("both automata reject your word")


def is_shortest_difference(arguments: Mapping[str, Any], answer: Array) -> str | None:
    """No word that is shorter tells the automata apart."""
    from vitrina.automata import equivalent

    shortest = equivalent(*_automata(arguments)).counterexample
    if shortest is None or answer.size <= len(shortest):
        return None
    message = _("the length of your word is {yours}; a shorter one is enough")
    return message.format(yours=answer.size)


def _automata(arguments: Mapping[str, Any]) -> tuple[DFA, DFA]:
    """Return the two automata that are asked about."""
    from vitrina.automata import DFA

    symbols = tuple(range(np.asarray(arguments["transitions"]).shape[1]))
    return (
        DFA(symbols, arguments["transitions"], arguments["accepting"]),
        DFA(symbols, arguments["others"], arguments["accepting_too"]),
    )


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


PROPERTY_HINTS: Mapping[str, str] = {
    "the automata disagree on it": _(
        "Read your word with both automata: one must accept it and the other not. The states where it ends decide."
    ),
    "no shorter word tells them apart": _(
        "Look at all words of a length before any longer one: first in, first out. The empty word comes first."
    ),
    "the rule breaks an axiom on it": _(
        "Which axiom could this rule break? Try small worths, such as 0 and 1, and work its shares out by hand."
    ),
    "an interval for each player": _("One row for each player: the lower end, then the upper end."),
    "the intervals lie around the Shapley values": _(
        "Draw whole orders, each of the n! as likely as the others, and average what a player adds on entering."
    ),
    "the intervals come from drawn orders": _("Draw the orders at random, `draws` of them, and average over these."),
    "the intervals are as wide as they should be": _(
        "The standard error is s / √m: the standard deviation of the m contributions, divided by the root of m."
    ),
}
"""What may be wrong where an answer has many right forms and lacks a property."""

PROPERTIES: Mapping[str, Property] = {
    "same shape": same_shape,
    "non-negative": non_negative,
    "changes cancel": changes_cancel,
    "zero input gets nothing": zero_input_gets_nothing,
    "zero activation gets nothing": zero_activation_gets_nothing,
    "positivity": positivity,
    "conservation": conservation,
    "completeness": completeness,
    "the automata disagree on it": tells_automata_apart,
    "no shorter word tells them apart": is_shortest_difference,
    "the rule breaks an axiom on it": breaks_an_axiom,
    "an interval for each player": are_intervals,
    "the intervals lie around the Shapley values": estimates_shapley_values,
    "the intervals come from drawn orders": comes_from_draws,
    "the intervals are as wide as they should be": has_the_right_width,
}
