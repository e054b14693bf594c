"""Attribution methods for Keras models: batched, compiled, NumPy in and NumPy out.

Every method is called as `method(model, inputs, target, *, ...)` and returns attributions of the shape of `inputs`.
The target is a logit, never a probability.
"""

from vitrina.explain.gradients import gradient_x_input, saliency
from vitrina.explain.lrp import (
    EPSILON_ALPHA2_BETA1,
    EPSILON_ALPHA2_BETA1_FLAT,
    EPSILON_GAMMA_BOX,
    EPSILON_PLUS,
    EPSILON_PLUS_FLAT,
    LRP_0,
    Composite,
    Rule,
    alpha_beta,
    epsilon,
    flat,
    gamma,
    lrp,
    w_square,
    z_box,
    z_plus,
)

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
    "gradient_x_input",
    "lrp",
    "saliency",
    "w_square",
    "z_box",
    "z_plus",
]
