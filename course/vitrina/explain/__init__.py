"""Attribution methods for Keras models: batched, compiled, NumPy in and NumPy out.

Every method is called as `method(model, inputs, target, *, ...)` and returns attributions of the shape of `inputs`.
The target is a logit, never a probability.
"""

from vitrina.explain.additivity import SensitivityN, infidelity, sensitivity_n
from vitrina.explain.faithfulness import FlippingCurve, abpc, aopc, deletion_curve, insertion_curve, pixel_flipping
from vitrina.explain.gradients import gradient_x_input, saliency
from vitrina.explain.lrp import LRP_0, Rule, epsilon, gamma, lrp, z_box
from vitrina.explain.perturbing import PERTURBATIONS

__all__ = [
    "LRP_0",
    "PERTURBATIONS",
    "FlippingCurve",
    "Rule",
    "SensitivityN",
    "abpc",
    "aopc",
    "deletion_curve",
    "epsilon",
    "gamma",
    "gradient_x_input",
    "infidelity",
    "insertion_curve",
    "lrp",
    "pixel_flipping",
    "saliency",
    "sensitivity_n",
    "z_box",
]
