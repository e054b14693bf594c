"""Attribution methods for Keras models: batched, compiled, NumPy in and NumPy out.

Every method is called as `method(model, inputs, target, *, ...)` and returns attributions of the shape of `inputs`.
The target is a logit, never a probability.
"""

from vitrina.explain.additivity import SensitivityN, infidelity, sensitivity_n
from vitrina.explain.attention_graphs import AttentionGraph, structured_attention_graph
from vitrina.explain.cam import grad_cam
from vitrina.explain.completeness import completeness_error
from vitrina.explain.deeplift import deeplift
from vitrina.explain.faithfulness import FlippingCurve, abpc, aopc, deletion_curve, insertion_curve, pixel_flipping
from vitrina.explain.gradients import gradient_x_input, integrated_gradients, saliency, smooth_grad
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
from vitrina.explain.occlusion import occlusion
from vitrina.explain.perturbing import PERTURBATIONS
from vitrina.explain.randomisation import Randomisation, parameter_randomisation
from vitrina.explain.roar import Roar, roar
from vitrina.explain.robustness import MaxSensitivity, Stability, max_sensitivity, noise_stability
from vitrina.explain.similarity import SIMILARITIES
from vitrina.explain.words import delete_words, word_occlusion, word_relevance

__all__ = [
    "EPSILON_ALPHA2_BETA1",
    "EPSILON_ALPHA2_BETA1_FLAT",
    "EPSILON_GAMMA_BOX",
    "EPSILON_PLUS",
    "EPSILON_PLUS_FLAT",
    "LRP_0",
    "PERTURBATIONS",
    "SIMILARITIES",
    "AttentionGraph",
    "Composite",
    "FlippingCurve",
    "MaxSensitivity",
    "Randomisation",
    "Roar",
    "Rule",
    "SensitivityN",
    "Stability",
    "abpc",
    "alpha_beta",
    "aopc",
    "completeness_error",
    "deeplift",
    "delete_words",
    "deletion_curve",
    "epsilon",
    "flat",
    "gamma",
    "grad_cam",
    "gradient_x_input",
    "infidelity",
    "insertion_curve",
    "integrated_gradients",
    "lrp",
    "max_sensitivity",
    "noise_stability",
    "occlusion",
    "parameter_randomisation",
    "pixel_flipping",
    "roar",
    "saliency",
    "sensitivity_n",
    "smooth_grad",
    "structured_attention_graph",
    "w_square",
    "word_occlusion",
    "word_relevance",
    "z_box",
    "z_plus",
]
