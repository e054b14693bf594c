"""The rules of LRP as data: which parts the inputs of a layer are cut into, and with which numbers.

x+ = max(x, 0) and x- = min(x, 0), the same for weights W and bias b. Where libraries differ, the definitions here are
those that generalise to inputs of any sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

STABILISER = 1e-12
"""Added to a denominator with its sign by every rule that has no epsilon of its own."""

Kind = Literal["epsilon", "gamma", "alpha_beta", "z_plus", "z_box", "w_square", "flat"]


@dataclass(frozen=True)
class Rule:
    """
    How one layer shares relevance out; made by the functions below, or taken as `LRP_0`.

    Attributes
    ----------
    kind
        Which parts the inputs are cut into.
    epsilon
        Added to the denominator with its sign.
    gamma
        Extra weight of what agrees with the sign of the output.
    alpha, beta
        Weight of what speaks for an output, and against it.
    low, high
        Bounds of the inputs: one for all, one per channel or one per input.
    """

    kind: Kind
    epsilon: float = STABILISER
    gamma: float = 0.0
    alpha: float = 1.0
    beta: float = 0.0
    low: tuple[float, ...] = (0.0,)
    high: tuple[float, ...] = (1.0,)


LRP_0 = Rule("epsilon")
"""The basic rule: R_i = sum_k x_i w_ik / z_k R_k, where z includes the bias; the bias's own share is dropped."""


def epsilon(e: float = 1e-6) -> Rule:
    """
    LRP-epsilon: z + e sign(z) in the denominator, so weak and contradictory evidence fades.

    Bach et al. 2015, doi 10.1371/journal.pone.0130140, equation 58.

    Parameters
    ----------
    e
        Above 0.

    Returns
    -------
    Rule

    Raises
    ------
    ValueError
        If `e` is not above 0.
    """
    if not 0 < e < np.inf:
        raise ValueError(f"epsilon must be above 0 and finite, got {e}; without epsilon the rule is LRP_0")
    return Rule("epsilon", epsilon=float(e))


def gamma(g: float = 0.25) -> Rule:
    """
    LRP-gamma, for inputs of any sign: what pushes an output in the direction of its sign counts 1 + g times.

    Outputs z >= 0 share by (W + g W+) x+ + (W + g W-) x- + b + g b+, outputs z < 0 by the mirror image
    (W + g W-) x+ + (W + g W+) x- + b + g b-. For x >= 0 and z >= 0 this is the rule of Montavon et al. 2019, doi
    10.1007/978-3-030-28954-6_10, table 10.1.

    Parameters
    ----------
    g
        At least 0; at 0 the rule is LRP_0.

    Returns
    -------
    Rule

    Raises
    ------
    ValueError
        If `g` is below 0.
    """
    if not 0 <= g < np.inf:
        raise ValueError(f"gamma must not be below 0 and must be finite, got {g}")
    return Rule("gamma", gamma=float(g))


def alpha_beta(alpha: float = 2.0, beta: float = 1.0) -> Rule:
    """
    LRP-alpha-beta: what speaks for an output receives alpha R, what speaks against it receives -beta R.

    The shares are those of z+ = W+ x+ + W- x- + b+ and z- = W- x+ + W+ x- + b-. Bach et al. 2015, doi
    10.1371/journal.pone.0130140, equation 60.

    Parameters
    ----------
    alpha, beta
        alpha - beta = 1, beta at least 0.

    Returns
    -------
    Rule

    Raises
    ------
    ValueError
        If alpha - beta is not 1, or beta is below 0.
    """
    if not (np.isclose(alpha - beta, 1) and 0 <= beta < np.inf):
        raise ValueError(f"alpha_beta needs alpha - beta = 1 and beta not below 0, got {alpha} and {beta}")
    return Rule("alpha_beta", alpha=float(alpha), beta=float(beta)) if beta else z_plus()


def z_plus() -> Rule:
    """
    z+: only what speaks for an output receives relevance, in proportion to z+ = W+ x+ + W- x- + b+.

    The same as alpha_beta(1, 0). Montavon et al. 2017, doi 10.1016/j.patcog.2016.11.008, for x >= 0.

    Returns
    -------
    Rule
    """
    return Rule("z_plus")


def z_box(low: npt.ArrayLike, high: npt.ArrayLike) -> Rule:
    """
    z^B for the layer at the pixels: share by x W - low W+ - high W-, where the bias cancels.

    Montavon et al. 2017, doi 10.1016/j.patcog.2016.11.008, table 1.

    Parameters
    ----------
    low, high : float or array, shape of one sample or (channels,)
        The bounds of what the layer takes: after a Rescaling layer, the bounds of the rescaled pixels.

    Returns
    -------
    Rule

    Raises
    ------
    ValueError
        If a lower bound is above its upper bound.
    """
    if not np.all(np.asarray(low) <= np.asarray(high)):
        raise ValueError("z_box needs low <= high everywhere")
    lows, highs = (tuple(np.ravel(bound).astype(float).tolist()) for bound in (low, high))
    return Rule("z_box", low=lows, high=highs)


def w_square() -> Rule:
    """
    w^2 for a first layer whose inputs have no bounds: share by the squared weights, whatever the inputs are.

    The squared bias takes part in the denominator. Montavon et al. 2017, doi 10.1016/j.patcog.2016.11.008, table 1.

    Returns
    -------
    Rule
    """
    return Rule("w_square")


def flat() -> Rule:
    """
    Flat: share equally among the inputs that an output can see, which smooths the picture.

    The bias takes no part. Lapuschkin et al. 2019, doi 10.1038/s41467-019-08987-4.

    Returns
    -------
    Rule
    """
    return Rule("flat")
