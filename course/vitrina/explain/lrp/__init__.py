"""Layer-wise relevance propagation: the target's logit is handed down, layer by layer, to those who brought it about.

Every rule is the same step with other numbers. A layer's inputs are cut into parts, each with its own weights; a unit k
divides its relevance R_k by the sum z_k of all parts (and the bias), and each input takes back its share::

    R_i = sum over parts p of  p_i * sum_k  w_ik R_k / (z_k + e sign(z_k)),     sign(0) = +1

Bach et al. 2015, doi 10.1371/journal.pone.0130140; rules as in Montavon et al. 2019, doi 10.1007/978-3-030-28954-6_10.

`rules` and `composites` are what a user writes, `sharing` is the step above, `layers`, `stages` and `recurrent` say how
each kind of layer takes part, `propagate` goes through a model.
"""

from vitrina.explain.lrp.composites import (
    EPSILON_ALPHA2_BETA1,
    EPSILON_ALPHA2_BETA1_FLAT,
    EPSILON_GAMMA_BOX,
    EPSILON_PLUS,
    EPSILON_PLUS_FLAT,
    Composite,
)
from vitrina.explain.lrp.propagate import lrp
from vitrina.explain.lrp.rules import LRP_0, Rule, alpha_beta, epsilon, flat, gamma, w_square, z_box, z_plus

__all__ = [
    "EPSILON_ALPHA2_BETA1",
    "EPSILON_ALPHA2_BETA1_FLAT",
    "EPSILON_GAMMA_BOX",
    "EPSILON_PLUS",
    "EPSILON_PLUS_FLAT",
    "LRP_0",
    "Composite",
    "Rule",
    "alpha_beta",
    "epsilon",
    "flat",
    "gamma",
    "lrp",
    "w_square",
    "z_box",
    "z_plus",
]
