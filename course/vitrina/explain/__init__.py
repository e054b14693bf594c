"""Attribution methods for Keras models: batched, compiled, NumPy in and NumPy out.

Every method is called as `method(model, inputs, target, *, ...)` and returns attributions of the shape of `inputs`.
The target is a logit, never a probability.
"""

from vitrina.explain.completeness import completeness_error
from vitrina.explain.gradients import gradient_x_input, integrated_gradients, saliency, smooth_grad
from vitrina.explain.lrp import LRP_0, Rule, epsilon, gamma, lrp, z_box
from vitrina.explain.words import delete_words, word_occlusion, word_relevance

__all__ = [
    "LRP_0",
    "Rule",
    "completeness_error",
    "delete_words",
    "epsilon",
    "gamma",
    "gradient_x_input",
    "integrated_gradients",
    "lrp",
    "saliency",
    "smooth_grad",
    "word_occlusion",
    "word_relevance",
    "z_box",
]
