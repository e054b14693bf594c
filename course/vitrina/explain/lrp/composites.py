"""Which rule where: composites with the names and defaults of zennit (Anders et al. 2021, arXiv 2106.13200)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy.typing as npt

from vitrina.explain.lrp.rules import Rule, alpha_beta, epsilon, flat, gamma, z_box, z_plus


@dataclass(frozen=True)
class Composite:
    """
    A rule for each kind of layer.

    Attributes
    ----------
    convolution
        For convolutions of any sort.
    dense
        For all other layers with weights: Dense, recurrent layers, a BatchNormalization that stands alone.
    first
        For the layers that see the model's input directly, in place of the two above. A recurrent layer at the input
        keeps the rule `dense`.
    """

    convolution: Rule
    dense: Rule
    first: Rule | None = None


EPSILON_PLUS = Composite(z_plus(), epsilon())
"""z+ for convolutions, epsilon elsewhere."""
EPSILON_PLUS_FLAT = Composite(z_plus(), epsilon(), flat())
"""EPSILON_PLUS with the flat rule at the input."""
EPSILON_ALPHA2_BETA1 = Composite(alpha_beta(2, 1), epsilon())
"""alpha-beta for convolutions, epsilon elsewhere."""
EPSILON_ALPHA2_BETA1_FLAT = Composite(alpha_beta(2, 1), epsilon(), flat())
"""EPSILON_ALPHA2_BETA1 with the flat rule at the input."""


def EPSILON_GAMMA_BOX(low: npt.ArrayLike, high: npt.ArrayLike) -> Composite:  # noqa: N802 (the name of the composite)
    """
    Gamma for convolutions, epsilon elsewhere, z^B at the pixels.

    Parameters
    ----------
    low, high : float or array, shape of one sample or (channels,)
        The bounds of the pixels.

    Returns
    -------
    Composite

    Raises
    ------
    ValueError
        If a lower bound is above its upper bound.
    """
    return Composite(gamma(), epsilon(), z_box(low, high))
