"""Answers that students give in parts A and B: other right ways, and wrong ones that need more than a line."""

import itertools
import math
from functools import partial

import numpy as np

FIRST_SAMPLE_ONLY = "Explain every sample of the batch, not only the first, and keep the batch axis."
BY_PLACE = "What a player adds belongs to the player: add it up by the player's number, not by the place in the order."


def bits(players):
    """All coalitions by `itertools`: player 0 changes fastest."""
    return [row[::-1] for row in itertools.product([0, 1], repeat=players)]


def bits_as_text(players):
    return np.array([[int(digit) for digit in format(row, f"0{players}b")[::-1]] for row in range(2**players)])


def every_order(players):
    return list(itertools.permutations(range(players)))


def by_orders(game, players, *, added=lambda after, before: after - before):
    """Average over all orders, one running worth an order."""
    total = np.zeros(players)
    for order in every_order(players):
        for place, player in enumerate(order):
            total[player] += added(game(order[: place + 1]), game(order[:place]))
    return total / math.factorial(players)


def by_dividends(game, players):
    """Share out what each coalition adds beyond its parts, in equal parts among its members (Harsanyi 1963)."""
    dividends, values = {}, np.zeros(players)
    for size in range(1, players + 1):
        for coalition in itertools.combinations(range(players), size):
            parts = itertools.chain.from_iterable(itertools.combinations(coalition, n) for n in range(1, size))
            dividends[coalition] = game(coalition) - game(()) - sum(dividends[part] for part in parts)
            values[list(coalition)] += dividends[coalition] / size
    return values


def shapley_weight(size, players):
    """How often a coalition of this size is there when a certain player enters."""
    return 1 / (players * math.comb(players - 1, size))


def by_coalitions(game, players, *, weight=shapley_weight, empty=True, added=lambda after, before: after - before):
    """Sum over the coalitions of the others, with one thing done differently."""
    values = np.zeros(players)
    for player in range(players):
        others = [other for other in range(players) if other != player]
        for size in range(0 if empty else 1, players):
            for coalition in itertools.combinations(others, size):
                values[player] += weight(size, players) * added(game([*coalition, player]), game(coalition))
    return values


def banzhaf(game, players):
    return by_coalitions(game, players, weight=lambda _size, n: 2.0 ** (1 - n))


def one_order(game, players):
    return np.array([game(range(player + 1)) - game(range(player)) for player in range(players)])


def worth_by_loop(model, sample, target, background, coalition):
    """One row of the background after the other."""
    total = 0.0
    for row in background:
        mixed = row.copy()
        for feature in coalition:
            mixed[feature] = sample[feature]
        total += model(mixed[None])[0, target]
    return total / len(background)


def worth_of_mean(model, sample, target, background, coalition):
    """The classic: an average customer, whom nobody has ever met."""
    mixed = background.mean(axis=0)
    mixed[coalition] = sample[coalition]
    return model(mixed[None])[0, target]


def worth_turned_round(model, sample, target, background, coalition):
    others = [feature for feature in range(len(sample)) if feature not in coalition]
    return worth_by_loop(model, sample, target, background, others)


def of_features(model, inputs, target, background, *, worth=worth_by_loop, shapley=by_coalitions):
    """Explain sample by sample, with another value function or another way to the values."""
    games = [partial(worth, model, sample, target, background) for sample in inputs]
    return np.stack([shapley(lambda s, game=game: game(list(s)), inputs.shape[1]) for game in games])


def of_features_at_once(model, inputs, target, background):
    """All coalitions of a sample in one call of the model, and the weights as a matrix."""
    n = inputs.shape[1]
    masks = np.array(bits(n))
    size = masks.sum(axis=1)
    factorial = np.array([math.factorial(k) for k in range(n + 1)])
    joining = factorial[np.maximum(size - 1, 0)] * factorial[n - size] / factorial[n]
    leaving = factorial[size] * factorial[np.maximum(n - size - 1, 0)] / factorial[n]
    matrix = np.where(masks == 1, joining[:, None], -leaving[:, None]).T
    rows = []
    for sample in inputs:
        mixed = np.where(masks[:, None, :] == 1, sample, background[None])
        scores = model(mixed.reshape(-1, n))[:, target].reshape(len(masks), -1)
        rows.append(matrix @ scores.mean(axis=1))
    return np.stack(rows)


def contributions(game, orders, *, added=lambda after, before: after - before, by_place=False):
    answer = np.zeros(orders.shape)
    for row, order in enumerate(orders):
        for place, player in enumerate(order):
            answer[row, place if by_place else player] = added(game(order[: place + 1]), game(order[:place]))
    return answer


def sampled(game, orders, *, spread=None, **how):
    """Estimate and standard error, with one thing done differently."""
    found = contributions(game, orders, **how)
    spread = spread or (lambda c: c.std(axis=0, ddof=1) / math.sqrt(len(c)))
    return np.stack([found.mean(axis=0), spread(found)])


def sampled_with_running_sums(game, orders):
    """Welford's algorithm: one order after the other, nothing kept."""
    mean, squares = np.zeros(orders.shape[1]), np.zeros(orders.shape[1])
    for count, order in enumerate(orders.tolist(), start=1):
        new = contributions(game, np.array([order]))[0]
        step = new - mean
        mean = mean + step / count
        squares = squares + step * (new - mean)
    return np.stack([mean, np.sqrt(squares / (len(orders) - 1) / len(orders))])


def orders_as_places(game, orders):
    """Read row by row at which place a player comes, not who comes at a place."""
    return sampled(game, np.argsort(orders, axis=1))


def interval(game, players, draws, seed, *, reach=1.96, draw=None, spread=None):
    """Draw orders by sorting random numbers, with one thing done differently."""
    rng = np.random.default_rng(seed)
    orders = np.argsort(rng.random((draws, players)), axis=1) if draw is None else draw(rng, draws, players)
    estimate, error = sampled(game, orders.tolist() and orders, spread=spread)
    return np.stack([estimate - reach * error, estimate + reach * error], axis=1)


def interval_without_draws(game, players, draws, _seed):
    """Go through all orders, and say how far an estimate would be off."""
    every = np.array(every_order(players))
    value, error = sampled(game, every, spread=lambda c: c.std(axis=0) / np.sqrt(draws))
    return np.stack([value - 1.96 * error, value + 1.96 * error], axis=1)


def interval_by_coin_flips(game, players, draws, seed):
    """Toss a coin for each of the others: that is Banzhaf's average, not Shapley's."""
    rng = np.random.default_rng(seed)
    ends = []
    for player in range(players):
        found = []
        for _ in range(draws):
            coalition = [other for other in range(players) if other != player and rng.random() < 0.5]
            found.append(game([*coalition, player]) - game(coalition))
        middle, reach = np.mean(found), 1.96 * np.std(found) / np.sqrt(draws)
        ends.append([middle - reach, middle + reach])
    return np.array(ends)


def kernel_weights(masks, *, ends=0.0, shape=lambda n, s: (n - 1) / (math.comb(n, s) * s * (n - s))):
    n = masks.shape[1]
    return np.array([shape(n, s) if 0 < s < n else ends for s in masks.sum(axis=1).tolist()])


def kernel_weights_at_once(masks):
    n = masks.shape[1]
    by_size = np.zeros(n + 1)
    for s in range(1, n):
        by_size[s] = (n - 1) / (math.comb(n, s) * s * (n - s))
    return by_size[masks.sum(axis=1)]


def fit_by_multiplier(masks, worths, weights, empty, full):
    """Solve the normal equations with a Lagrange multiplier for the condition."""
    n = masks.shape[1]
    system = np.ones((n + 1, n + 1))
    system[:n, :n] = 2 * masks.T @ (weights[:, None] * masks)
    system[n, n] = 0
    right = np.append(2 * masks.T @ (weights * (worths - empty)), full - empty)
    return np.linalg.lstsq(system, right, rcond=None)[0][:n]


def fit_by_heavy_ends(masks, worths, weights, empty, full):
    """Weigh the grand coalition very much, as some libraries do."""
    rows = np.vstack([masks, np.ones(masks.shape[1])])
    root = np.sqrt(np.append(weights, 1e10))
    goal = np.append(worths - empty, full - empty)
    return np.linalg.lstsq(rows * root[:, None], goal * root, rcond=None)[0]


def fit_without_condition(masks, worths, weights, empty, _full):
    root = np.sqrt(weights)
    return np.linalg.lstsq(masks * root[:, None], (worths - empty) * root, rcond=None)[0]


def fit_and_spread_the_rest(masks, worths, weights, empty, full):
    values = fit_without_condition(masks, worths, weights, empty, full)
    return values + (full - empty - values.sum()) / len(values)
