"""Pictures of what a recurrent network has in mind: how decided its units are, strips of activations, maps of states.

All take any network with `states(words)`, `logits(hidden)` and `accepts(words)`; words are numbers of symbols, as an
automaton's `encode` and the functions of `vitrina.automata.samples` give them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from vitrina.automata import DFA, Symbol
from vitrina.automata.elman import audible_sizes, saturation
from vitrina.automata.networks import SILENT, Floats, NoiseKind, RecurrentNetwork
from vitrina.automata.samples import RESET
from vitrina.figures import finished, new_axes
from vitrina.messages import _
from vitrina.recurrent_parts import (
    STATE_COLOURS,
    Networks,
    checked_words,
    flattened,
    follow,
    group_starts,
    named_networks,
    state_names,
)

_SIGNED = "RdBu_r"  # red is +1, blue -1, white 0, as in pictures of attributions
_DECIDED, _UNDECIDED = "#2b5c8a", "#b3c8dc"
_ACCEPTING, _REJECTING, _MISTAKE = "#dcebdc", "#eceff2", "#cf4a3c"  # the first two as in drawn machines
_BINS = 20
_CELL = 0.27  # inches: a symbol of a strip
_MOST_POINTS = 1500  # of a map: Isomap's time grows with their square


def show_saturation(
    networks: Networks, words: npt.ArrayLike, *, limit: float = 0.9, title: str = "", axes: Axes | None = None
) -> Figure:
    """
    Draw how large the activations are: a row for each name, dark from the limit on.

    Units that are silent on all words are left out, as in `vitrina.automata.elman.saturation`.

    Parameters
    ----------
    networks
        From a name, such as a level of noise or a step of the training, to a network or several; theirs are pooled.
    words : array of ints, shape (count, length)
        What they read.
    limit
        From where on an activation counts as saturated; its share is written on the right.
    title
        Written above.
    axes
        Where to draw; by itself a figure of its own.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there is no network, or no word.
    """
    named, read = named_networks(networks), checked_words(words)
    axes = axes or new_axes((6.4, 1.0 + 0.42 * len(named)))[1]
    edges = np.linspace(0, 1, _BINS + 1)
    for row, group in enumerate(named.values()):
        sizes, shares = zip(*(_activations(network, read, limit) for network in group), strict=True)
        pooled = np.concatenate(sizes)
        counts = np.histogram(pooled, edges)[0] / max(1, len(pooled))
        dark = edges[:-1] >= limit - 1e-9
        heights = 0.85 * np.sqrt(counts)  # so that what is rare is still seen
        axes.bar(
            edges[:-1], heights, 1 / _BINS, row - heights + 0.42, align="edge",
            color=np.where(dark, _DECIDED, _UNDECIDED), edgecolor="white", linewidth=0.4,
        )  # fmt: skip
        share = float(np.nanmean(shares)) if np.isfinite(shares).any() else float("nan")
        text = _("silent") if np.isnan(share) else f"{share:.0%}"
        axes.text(1.02, row + 0.35, text, va="bottom", color=_DECIDED)
    axes.set(xlim=(0, 1), ylim=(len(named) - 0.5, -0.55), xlabel=_("size of an activation, |h|"))
    axes.set_yticks(np.arange(len(named)) + 0.2, list(named))
    axes.tick_params(axis="y", length=0)
    axes.spines[["left", "right", "top"]].set_visible(False)
    axes.text(1.02, -0.5, f"> {limit:g}", va="bottom", color=_DECIDED, fontsize=8)
    return finished(axes, title)


def show_activations(
    network: RecurrentNetwork,
    word: Sequence[Symbol],
    *,
    automaton: DFA | None = None,
    noise: float = 0.0,
    kind: NoiseKind = "multiplicative",
    seed: int = 0,
    silent: float = SILENT,
    units: Sequence[int] | None = None,
    title: str = "",
    axes: Axes | None = None,
) -> Figure:
    """
    Draw activation strips: a row for each unit, a cell for each symbol that was read, coloured by sign and size.

    Below stand what the network says (a red frame where the automaton disagrees) and the automaton's state.

    Parameters
    ----------
    network
        Trained.
    word : str or sequence of symbols
        What it reads. A `$` that is no symbol of the network stands for a fresh start.
    automaton
        Of the language; adds its states, and shows mistakes.
    noise, kind, seed
        Noise while it reads, as in `ElmanNetwork.states`.
    silent
        A unit that nowhere exceeds this in size is left out.
    units : sequence of ints, optional
        Which units to draw, in this order, instead of all that are not silent.
    title
        Written above.
    axes
        Where to draw; by itself a figure of its own.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If the word is empty, or it or `units` holds something that the network does not know.
    """
    hidden, symbols, states = follow(network, list(word), automaton, noise=noise, kind=kind, seed=seed)
    speaks = np.flatnonzero(np.abs(hidden).max(axis=0) > silent) if units is None else np.array(units, np.int64)
    if np.any((speaks < 0) | (speaks >= hidden.shape[1])):
        raise ValueError(f"the network has the units 0 to {hidden.shape[1] - 1}, got {speaks.tolist()}")
    count, length = len(speaks), len(symbols)
    below = 1 if automaton is None else 2
    axes = axes or new_axes((1.3 + _CELL * length, 0.7 + _CELL * (count + below)))[1]
    axes.imshow(
        hidden[:, speaks].T, cmap=_SIGNED, vmin=-1, vmax=1, aspect="auto", extent=(-0.5, length - 0.5, count, 0)
    )
    for place in range(length):
        axes.axvline(place - 0.5, color="white", linewidth=0.8)
    for row in range(count + 1):
        axes.axhline(row, color="white", linewidth=0.8)
    said = network.logits(hidden) > 0
    read = np.array([symbol != RESET or RESET in network.alphabet for symbol in symbols])
    _write_answers(axes, count + 0.2, said, read, None if automaton is None else automaton.outputs[states])
    rows, names = [*(np.arange(count) + 0.5), count + 0.7], [*(_("unit {n}").format(n=n) for n in speaks), _("says")]
    if automaton is not None:
        _write_states(axes, count + 1.3, states)
        rows, names = [*rows, count + 1.8], [*names, _("state")]
    axes.set(xlim=(-0.5, length - 0.5), ylim=(count + 0.3 + 1.1 * below, 0))
    axes.set_yticks(rows, names, fontsize=8)
    axes.set_xticks(range(length), [str(symbol) for symbol in symbols])
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return finished(axes, title)


def show_state_map(
    network: RecurrentNetwork,
    words: npt.ArrayLike,
    *,
    automaton: DFA | None = None,
    method: Literal["pca", "isomap"] = "pca",
    noise: float = 0.0,
    kind: NoiseKind = "multiplicative",
    seed: int = 0,
    names: Sequence[object] | None = None,
    title: str = "",
    axes: Axes | None = None,
) -> Figure:
    """
    Draw hidden states as points of a plane, coloured by what the automaton, which the network never saw, is in.

    Circles are states in which the network accepts, crosses such in which it rejects. Without an automaton, colours say
    the same as the signs.

    Parameters
    ----------
    network
        Trained.
    words : array of ints, shape (count, length)
        What it reads; of many visited states 1,500 are drawn.
    automaton
        Of the language.
    method : {"pca", "isomap"}
        Principal components keep large distances, Isomap (Tenenbaum et al. 2000) keeps distances along the data.
    noise, kind
        Noise while it reads, as in `ElmanNetwork.states`.
    seed
        Draws the noise, and the states that are shown.
    names : sequence, one per state of the automaton
        What its states are called; by itself their numbers.
    title
        Written above.
    axes
        Where to draw; by itself a figure of its own.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there is no word, no such method, or not one name for each state.
    """
    read = checked_words(words)
    hidden = network.states(read, noise=noise, kind=kind, seed=seed)[:, 1:]
    hidden = hidden.reshape(-1, hidden.shape[-1])
    said = network.logits(hidden) > 0
    states = said.astype(np.int64) if automaton is None else automaton.run(read)[:, 1:].reshape(-1)
    called = state_names(automaton, names)
    chosen = np.random.default_rng(seed).permutation(len(hidden))[:_MOST_POINTS]
    points, said, states = flattened(hidden[chosen], method), said[chosen], states[chosen]
    axes = axes or new_axes((4.4, 3.6))[1]
    for state in np.unique(states).tolist():
        colour, label = STATE_COLOURS[state % len(STATE_COLOURS)], called[state]
        for accepts, marker in ((True, "o"), (False, "x")):
            here = points[(states == state) & (said == accepts)]
            if len(here):
                axes.plot(*here.T, marker, color=colour, alpha=0.6, markersize=5, label=label)
                label = "_" + label
    axes.set(xticks=[], yticks=[], xlabel=f"{method.upper() if method == 'pca' else 'Isomap'} 1")
    axes.set_ylabel(axes.get_xlabel().replace("1", "2"))
    axes.margins(0.08)
    axes.legend(title=_("says") if automaton is None else _("state"), fontsize=8, title_fontsize=8, loc="best")
    return finished(axes, title)


def show_accuracy_by_length(
    networks: Networks,
    automaton: DFA,
    words: npt.ArrayLike,
    *,
    trained_length: int | None = None,
    title: str = "",
    axes: Axes | None = None,
) -> Figure:
    """
    Draw on how many prefixes networks are right, by the length of the prefix.

    Parameters
    ----------
    networks
        From a name to a network or several: a thin line for each, a thick one for their mean.
    automaton
        Of the language.
    words : array of ints, shape (count, length)
        Long words; prefixes are gathered in groups of similar length, each a quarter longer than the last.
    trained_length
        How long the words of the training were: shaded.
    title
        Written above.
    axes
        Where to draw; by itself a figure of its own.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there is no network, or no word.
    """
    named, read = named_networks(networks), checked_words(words)
    truth = automaton.outputs[automaton.run(read)[:, 1:]]
    starts = group_starts(read.shape[1])
    sizes = np.diff([*starts, read.shape[1]])
    middles = starts + (sizes + 1) / 2
    lowest = 0.95  # no drop fills the picture that is small
    axes = axes or new_axes((5.2, 3.2))[1]
    if trained_length:
        axes.axvspan(1, trained_length, color="0.93", linewidth=0)
    for number, (name, group) in enumerate(named.items()):
        colour = STATE_COLOURS[number % len(STATE_COLOURS)]
        right = np.array([(network.accepts(read) == truth).mean(axis=0) for network in group])
        shares = np.add.reduceat(right, starts, axis=1) / sizes
        lowest = min(lowest, float(shares.min()) - 0.01)
        axes.plot(middles, shares.T, color=colour, linewidth=0.7, alpha=0.45)
        axes.plot(middles, shares.mean(axis=0), color=colour, linewidth=2.2, label=name)
    axes.set(
        xscale="log", xlabel=_("length of the prefix"), ylabel=_("accuracy"), ylim=(lowest, 1 + 0.02 * (1 - lowest))
    )
    axes.legend(fontsize=8, loc="lower left")
    return finished(axes, title)


def _activations(network: RecurrentNetwork, words: npt.NDArray[np.int64], limit: float) -> tuple[Floats, float]:
    """Sizes of the activations of units that are not silent: flat, and the share above a limit."""
    hidden = network.states(words)[:, 1:]
    return audible_sizes(hidden).reshape(-1), saturation(hidden, limit=limit)


def _write_answers(
    axes: Axes,
    top: float,
    said: npt.NDArray[np.bool_],
    read: npt.NDArray[np.bool_],
    truth: npt.NDArray[np.bool_] | None,
) -> None:
    """Say under each symbol what the network says; it says nothing before the first one."""
    missed = np.zeros(len(said), bool) if truth is None else truth != said
    for place in np.flatnonzero(read).tolist():
        box = Rectangle((place - 0.5, top), 1, 1, clip_on=False, linewidth=1.6 if missed[place] else 0.8)
        box.set(facecolor=_ACCEPTING if said[place] else _REJECTING, zorder=3 if missed[place] else 2)
        box.set_edgecolor(_MISTAKE if missed[place] else "white")
        axes.add_patch(box)
        sign = "✓" if said[place] else "✗"
        axes.text(place, top + 0.53, sign, ha="center", va="center", fontsize=8, zorder=4, color="0.2")


def _write_states(axes: Axes, top: float, states: npt.NDArray[np.int64]) -> None:
    for place, state in enumerate(states.tolist()):
        colour = STATE_COLOURS[state % len(STATE_COLOURS)]
        axes.add_patch(Rectangle((place - 0.5, top), 1, 1, facecolor=colour, edgecolor="white", alpha=0.75))
        axes.text(place, top + 0.53, str(state), ha="center", va="center", fontsize=8)
