"""Answers that students give in part B, and to the exercises of part E that are about the network."""

import numpy as np

from ._deciding_answers import smallest
from ._reading_answers import majority, moves, names, numbers, verdicts


def step(cell, hidden, symbols, nu, drawn, *, where="before", turned=False, bias=True, squash=np.tanh):
    """Take one step, with one thing done differently."""
    drive = cell.W[symbols] + hidden @ (cell.U.T if turned else cell.U) + bias * cell.b
    if where == "added":
        return squash(drive + nu * drawn)
    if where == "on the drive":
        return squash(drive * (1 + nu * drawn))
    if where == "after":
        return squash(drive) + nu * drawn * hidden
    if where == "before U":
        return squash(drive + (nu * drawn * hidden) @ cell.U)
    if where == "nowhere":
        return squash(drive)
    if where == "always":
        return squash(drive + (nu or 1) * drawn * hidden)
    return squash(drive + nu * drawn * hidden)


def step_with_one_hot(cell, hidden, symbols, nu, drawn):
    """Write the symbols as rows of a unit matrix, and the noise as weights of a unit to itself."""
    one_hot = np.eye(len(cell.W))[symbols]
    rows = [h @ (cell.U + nu * np.diag(n)) for h, n in zip(hidden, drawn, strict=True)]
    return np.tanh(one_hot @ cell.W + np.stack(rows) + cell.b)


def read(cell, words, nu, drawn, *, start=0.0, fresh=True, carried=True):
    """Read words into an array that is ready, with one thing done differently."""
    states = np.zeros((len(words), words.shape[1] + 1, len(cell.b)))
    states[:, 0] = start
    for time in range(words.shape[1]):
        noise = drawn[:, time if fresh else 0]
        before = states[:, time] if carried else states[:, 0]
        states[:, time + 1] = step(cell, before, words[:, time], nu, noise)
    return states


def read_word_by_word(cell, words, nu, drawn):
    return np.concatenate([read(cell, one[None], nu, noise[None]) for one, noise in zip(words, drawn, strict=True)])


def entropy(logits, labels):
    """Sum of cross-entropies, in another stable form."""
    return np.sum(np.maximum(logits, 0) - logits * labels + np.log1p(np.exp(-np.abs(logits))))


def price(cell, *, biases=False, of=np.abs, readout=True):
    arrays = [cell.W, cell.U] + [cell.v] * readout + [cell.b, np.array(cell.c)] * biases
    return sum(of(array).sum() for array in arrays)


def loss(cell, logits, labels, strength, *, errors=entropy, **of_price):
    return errors(logits, labels) + strength * price(cell, **of_price)


def back(cell, direct, following, hidden, nu, drawn, *, turned=True, slope=lambda h: 1 - h**2, noise="kept"):
    """Take one step back, with one thing done differently."""
    reaching = direct + following @ (cell.U.T if turned else cell.U)
    if noise != "lost":
        reaching = reaching + nu * drawn * following * (hidden if noise == "times h" else 1)
    return reaching * slope(hidden)


def back_by_differences(cell, direct, following, hidden, nu, drawn):
    """Move each unit's drive a little, and see how the loss would move."""
    drive, width, answer = np.arctanh(hidden), 1e-5, np.zeros_like(hidden)

    def value(moved):
        h = np.tanh(moved)
        return np.sum(direct * h + following * (h @ cell.U + nu * drawn * h), axis=1)

    for unit in range(hidden.shape[1]):
        shift = width * (np.arange(hidden.shape[1]) == unit)
        answer[:, unit] = (value(drive + shift) - value(drive - shift)) / (2 * width)
    return answer


def priced(weights, gradient, strength, limit, *, sign=1, first=False, low=True):
    """Clip number by number, with one thing done differently."""
    tax = sign * strength * np.sign(weights)
    clipped = np.minimum(gradient + (0 if first else tax), limit)
    clipped = np.maximum(clipped, -limit) if low else clipped
    return clipped + (tax if first else 0)


def clip_by_norm(weights, gradient, strength, limit):
    whole = gradient + strength * np.sign(weights)
    return whole * min(1, limit / np.linalg.norm(whole))


def saturated(hidden, limit, silent, *, active=None, near=None):
    """Share of saturated activations unit by unit, with another idea of activity or nearness."""
    active = active or (lambda unit: np.any(np.abs(unit) > silent))
    near = near or (lambda unit: np.abs(unit) > limit)
    units = [near(unit) for unit in hidden.T if active(unit)]
    return np.mean(units) if units else 0.0


def comes_back_for(columns, states, kicked):
    """Look for the first column from which on both are equal for some columns, or to the end."""
    equal = (states == kicked).tolist()
    return [next((i for i in range(len(row)) if all(row[i : i + columns])), len(row)) for row in equal]


def comes_back(states, kicked, *, good=True):
    """Look for the last difference row by row, or for the first agreement."""
    answer = []
    for one, other in zip(states.tolist(), kicked.tolist(), strict=True):
        apart = [place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
        together = [place for place in range(len(one)) if place not in apart]
        answer.append((apart[-1] + 1 if apart else 0) if good else (together[0] if together else len(one)))
    return answer


def comes_back_by_counting(states, kicked):
    """Count from the end how long the rows are equal."""
    equal = (states == kicked)[:, ::-1]
    return states.shape[1] - np.cumprod(equal, axis=1).sum(axis=1)


def relevance(cell, word, *, from_all=False, gradient_only=False, turned=True, slope=True):
    """Go back through a word, with one thing done differently."""
    states = read(cell, word[None], 0.0, np.zeros((1, len(word), len(cell.b))))[0]
    following, found = np.zeros(len(cell.b)), []
    for time in range(len(word), 0, -1):
        reaching = following @ (cell.U.T if turned else cell.U)
        if from_all or time == len(word):
            reaching = reaching + cell.v
        following = reaching * (1 - states[time] ** 2 if slope else 1)
        found.insert(0, following.sum() if gradient_only else following @ cell.W[word[time - 1]])
    return np.array(found)


def relevance_by_differences(cell, word):
    """Turn each input up and down a little."""

    def logit(amounts):
        h = np.zeros(len(cell.b))
        for amount, symbol in zip(amounts, word, strict=True):
            h = np.tanh(amount * cell.W[symbol] + h @ cell.U + cell.b)
        return h @ cell.v

    eye = 1e-5 * np.eye(len(word))
    return np.array([(logit(1 + row) - logit(1 - row)) / 2e-5 for row in eye])


def occluded(cell, word):
    """Leave each symbol's input out: that is occlusion, and no gradient."""

    def logit(amounts):
        h = np.zeros(len(cell.b))
        for amount, symbol in zip(amounts, word, strict=True):
            h = np.tanh(amount * cell.W[symbol] + h @ cell.U + cell.b)
        return h @ cell.v

    whole = logit(np.ones(len(word)))
    return np.array([whole - logit(1 - row) for row in np.eye(len(word))])


def read_off(cell, words, empty, *, empty_counts=True, nu=0.0, offset=True, small=True, turned=False, symbols=None):
    """Read an automaton move by move, with one thing done differently."""
    noise = np.random.default_rng(0).normal(size=(*words.shape, len(cell.b)))
    hidden = read(cell, words, nu, noise)
    said = hidden @ cell.v + (cell.c if offset else 0) > 0
    said = ~said if turned else said
    if empty_counts:
        said[:, 0] = empty
    states = numbers(names(hidden))
    table, accepting = majority(moves(states, words, symbols or len(cell.W))), verdicts(states, said)
    return smallest(table, accepting) if small else np.column_stack([table, accepting])
