"""Attribution methods for Keras models: batched, compiled, NumPy in and NumPy out.

Every method is called as `method(model, inputs, target, *, ...)` and returns attributions of the shape of `inputs`.
The target is a logit, never a probability.
"""

from vitrina.explain.attention_graphs import AttentionGraph, structured_attention_graph
from vitrina.explain.cam import grad_cam
from vitrina.explain.gradients import gradient_x_input, saliency
from vitrina.explain.lrp import LRP_0, Rule, epsilon, gamma, lrp, z_box
from vitrina.explain.occlusion import occlusion

__all__ = [
    "LRP_0",
    "AttentionGraph",
    "Rule",
    "epsilon",
    "gamma",
    "grad_cam",
    "gradient_x_input",
    "lrp",
    "occlusion",
    "saliency",
    "structured_attention_graph",
    "z_box",
]
