"""Shapley values of a cooperative game: what a player adds, all coalitions, the two formulas, and the check of both."""

import itertools
import math

import numpy as np

from vitrina.games import Game


def marginal_contribution(game: "Game", player: int, coalition: list[int]) -> float:
    """
    Marginal contribution: how much a coalition's worth grows when one more player joins.

    v(S ∪ {i}) − v(S), where S is the coalition, i the player and v the game. (Shapley 1953, doi
    10.1515/9781400881970-018.)

    Parameters
    ----------
    game
        Gives the worth of a coalition: game([0, 2]) is that of players 0 and 2 together, game([]) that of nobody.
    player : int
        The player i, who is not in the coalition.
    coalition : list of int
        The players S who are there already; it may be empty.

    Returns
    -------
    float
        Negative where the player does harm.
    """
    before = game(coalition)
    return game([*coalition, player]) - before


def coalition_masks(players: int) -> np.ndarray:
    """
    All coalitions of n players, one a row, from the empty one to the grand coalition.

    Row r is the number r in binary: player i takes part in coalition r if the bit of value 2^i is set in r. So row 0
    is the empty coalition, row 1 is player 0 alone, row 2 is player 1 alone, row 3 both of them, and so on.

    Parameters
    ----------
    players : int
        The number n of players, at least 1.

    Returns
    -------
    array, shape (2^n, n)
        1 where the player takes part, else 0.
    """
    numbers = np.arange(2**players)
    return numbers[:, None] // 2 ** np.arange(players) % 2


def shapley_by_orders(game: "Game", players: int) -> np.ndarray:
    """
    Shapley values by orders: what each player adds on entering, averaged over all orders of entering.

    φ_i = 1/n! · Σ over all orders of v(those before i, and i) − v(those before i)

    (Shapley 1953, doi 10.1515/9781400881970-018, section 6.)

    Parameters
    ----------
    game
        Gives the worth of a coalition, a list of players: game([0, 2]), game([]).
    players : int
        The number n of players: they are 0, 1, ..., n − 1.

    Returns
    -------
    array, shape (n,)
        The Shapley value of each player.
    """
    total = np.zeros(players)
    orders = list(itertools.permutations(range(players)))
    for order in orders:
        for place, player in enumerate(order):
            total[player] += marginal_contribution(game, player, list(order[:place]))
    return total / len(orders)


def shapley_values(game: "Game", players: int) -> np.ndarray:
    """
    Shapley values by coalitions: each coalition counts once, weighted by how many orders pass through it.

    φ_i = Σ over all S without i of |S|! (n − |S| − 1)! / n! · (v(S ∪ {i}) − v(S))

    (Shapley 1953, doi 10.1515/9781400881970-018, equation 13 in today's notation.)

    Parameters
    ----------
    game
        Gives the worth of a coalition, a list of players: game([0, 2]), game([]).
    players : int
        The number n of players: they are 0, 1, ..., n − 1. Up to 8 here, which would be 40,320 orders.

    Returns
    -------
    array, shape (n,)
        The Shapley value of each player.
    """
    values = np.zeros(players)
    for mask in coalition_masks(players):
        coalition = [player for player in range(players) if mask[player]]
        size = len(coalition)
        for player in range(players):
            if not mask[player]:
                weight = math.factorial(size) * math.factorial(players - size - 1) / math.factorial(players)
                values[player] += weight * marginal_contribution(game, player, coalition)
    return values


def efficiency_error(values: np.ndarray, game: "Game") -> float:
    """
    Efficiency: how far the values are from sharing out exactly what the players gain together.

    The sum of the values − (v(N) − v(∅)), where N are all the players and ∅ is nobody. The worth of nobody need not be
    0: a model has something to say before it knows a single feature.

    Parameters
    ----------
    values : array, shape (n,)
        One value for each player.
    game
        Gives the worth of a coalition, a list of players: game([0, 2]), game([]).

    Returns
    -------
    float
        0 if the values are efficient; positive if more is shared out than was gained.
    """
    everybody = list(range(len(values)))
    return float(np.sum(values)) - (game(everybody) - game([]))
