"""Part B: exercises on layer-wise relevance propagation through Dense layers."""

import numpy as np
import tensorflow as tf

from vitrina_autograder.exercise import Exercise, PlantedBug, Question, Quiz
from vitrina_solutions import gradients, lrp

from ._answers import (
    FIRST_SAMPLE_ONLY,
    IN_PLACE,
    NO_STABILISER,
    four_steps,
    hand_down,
    in_float32,
    loops,
    lrp_0_bias_spread,
    lrp_0_in_place,
    minus,
    one_by_one,
    plus,
    propagate,
    right_zb,
    safe,
    zb,
    zb_without_bounds_in_z,
)
from ._drawing import draw_difference, draw_layer, draw_network, draw_pixels

SAME = ("equal", "different")

LRP_EXERCISES = [
    Exercise(
        id="lrp-0",
        title="LRP-0",
        formula="Rᵢ = Σₖ aᵢwᵢₖ / zₖ · Rₖ, zₖ = Σᵢ aᵢwᵢₖ + bₖ (stabilised where zₖ = 0)",
        competences=["relevance propagation", "batch computation", "numerical stability"],
        reference=lrp.lrp_0,
        draw=draw_layer(conserves=True),
        alternatives=[loops, four_steps, in_float32(lrp.lrp_0)],
        bugs=[
            PlantedBug(
                "The bias is missing from z. It gets no relevance of its own, but it is part of the denominator.",
                lambda a, w, _, r: hand_down(a, w, safe(a @ w), r),
            ),
            PlantedBug(
                "You handed out the bias's share as well. LRP-0 drops it: what the bias explains, no input explains.",
                lrp_0_bias_spread,
            ),
            PlantedBug(
                "Going down, the weights are used the other way round: from outputs to inputs. A square layer hides "
                "the missing transpose.",
                lambda a, w, b, r: a * ((r / safe(a @ w + b)) @ w),
            ),
            PlantedBug(
                "An input's contribution is activation times weight: one of the two is missing.",
                lambda a, w, b, r: (r / safe(a @ w + b)) @ w.T,
            ),
            PlantedBug(
                "These are contributions, not shares of them: what is each one divided by?",
                lambda a, w, _, r: a * (r @ w.T),
            ),
            PlantedBug(
                NO_STABILISER,
                lambda a, w, b, r: hand_down(a, w, a @ w + b + 1e-12 * np.sign(a @ w + b), r),
            ),
            PlantedBug(IN_PLACE, lrp_0_in_place),
        ],
    ),
    Exercise(
        id="lrp-epsilon",
        title="LRP-ε",
        formula="Rᵢ = Σₖ aᵢwᵢₖ / (zₖ + ε·sign(zₖ)) · Rₖ, zₖ = Σᵢ aᵢwᵢₖ + bₖ, sign(0) = +1",
        competences=["relevance propagation", "numerical stability"],
        reference=lrp.lrp_epsilon,
        draw=draw_layer((0.25,), (0.1,), (1.0,), (0.5,), (0.01,), (0.1,), conserves=False),
        alternatives=[loops, in_float32(lrp.lrp_epsilon)],
        bugs=[
            PlantedBug(
                "ε must push z away from 0 on both sides. Adding it to a negative z pulls it towards 0.",
                lambda a, w, b, r, e: hand_down(a, w, a @ w + b + e, r),
            ),
            PlantedBug(
                "The denominator keeps the sign of z: with |z| all evidence against the unit changes sides.",
                lambda a, w, b, r, e: hand_down(a, w, np.abs(a @ w + b) + e, r),
            ),
            PlantedBug("This is LRP-0: is ε used?", lambda a, w, b, r, _: lrp.lrp_0(a, w, b, r)),
            PlantedBug(
                "The bias is missing from z.",
                lambda a, w, _, r, e: hand_down(a, w, safe(a @ w, e), r),
            ),
            PlantedBug(
                NO_STABILISER,
                lambda a, w, b, r, e: hand_down(a, w, a @ w + b + e * np.sign(a @ w + b), r),
            ),
        ],
    ),
    Exercise(
        id="lrp-gamma",
        title="LRP-γ",
        formula="Rᵢ = Σₖ aᵢw′ᵢₖ / (Σᵢ aᵢw′ᵢₖ + b′ₖ) · Rₖ, w′ = w + γ·max(w, 0), b′ = b + γ·max(b, 0)",
        competences=["relevance propagation"],
        reference=lrp.lrp_gamma,
        # Units with z > 0: behind a ReLU only they carry relevance, and there all forms of the rule agree.
        draw=draw_layer((0.25,), (0.5,), (1.0,), (0.25,), (0.5,), (0.1,), conserves=True, positive=True),
        alternatives=[
            lambda a, w, b, r, gamma: loops(a, w, b, r, gamma=gamma),
            lambda a, w, b, r, gamma: lrp.lrp_0(a, np.where(w > 0, (1 + gamma) * w, w), b + gamma * plus(b), r),
            in_float32(lrp.lrp_gamma),
        ],
        bugs=[
            PlantedBug(
                "The denominator is still the old z: γ changes both, the contribution and the sum it is divided by.",
                lambda a, w, b, r, g: hand_down(a, w + g * plus(w), safe(a @ w + b), r),
            ),
            PlantedBug(
                "γ acts on the bias too: a positive bias grows like a positive weight.",
                lambda a, w, b, r, g: lrp.lrp_0(a, w + g * plus(w), b, r),
            ),
            PlantedBug(
                "γ is added to the weights that are there: w plus γ times its positive part.",
                lambda a, w, b, r, g: lrp.lrp_0(a, g * plus(w), g * plus(b), r),
            ),
            PlantedBug(
                "A positive weight becomes (1 + γ) times itself: w + γ·w, not γ·w.",
                lambda a, w, b, r, g: lrp.lrp_0(a, np.where(w > 0, g * w, w), np.where(b > 0, g * b, b), r),
            ),
            PlantedBug(
                "You made the negative weights count more. γ favours the positive ones.",
                lambda a, w, b, r, g: lrp.lrp_0(a, w + g * minus(w), b + g * minus(b), r),
            ),
            PlantedBug(
                "You scaled all weights alike, and a common factor cancels in the division: this is LRP-0 again.",
                lambda a, w, b, r, g: lrp.lrp_0(a, (1 + g) * w, (1 + g) * b, r),
            ),
        ],
    ),
    Exercise(
        id="lrp-zb",
        title="The zᴮ rule",
        formula="Rᵢ = Σₖ qᵢₖ / Σᵢ qᵢₖ · Rₖ, qᵢₖ = xᵢwᵢₖ − l·max(wᵢₖ, 0) − h·min(wᵢₖ, 0)",
        competences=["relevance propagation", "batch computation"],
        reference=lrp.lrp_zb,
        draw=draw_pixels,
        alternatives=[right_zb, in_float32(lrp.lrp_zb)],
        bugs=[
            PlantedBug(
                "The bounds are swapped: a positive weight is at its worst where the pixel is at its lowest.",
                lambda x, w, r, low, high: right_zb(x, w, r, high, low),
            ),
            PlantedBug(
                "The denominator must be the sum of the same three-part contributions, not the old z.",
                zb_without_bounds_in_z,
            ),
            PlantedBug(
                "Take the positive part of the weight, then multiply by the bound. The positive part of the product is "
                "something else as soon as the bound is negative.",
                lambda *a: zb(*a, l_part=lambda low, w: plus(low * w), h_part=lambda high, w: minus(high * w)),
            ),
            PlantedBug(
                "The upper bound is missing: for a negative weight the worst pixel is the brightest one.",
                lambda *a: zb(*a, l_part=lambda low, w: low * plus(w), h_part=lambda _, w: 0 * w),
            ),
            PlantedBug(
                "This is LRP-0: are the bounds used?",
                lambda x, w, r, *_: lrp.lrp_0(x, w, np.zeros(w.shape[1]), r),
            ),
        ],
    ),
    Exercise(
        id="lrp-network",
        title="LRP-0 through a network",
        formula="R⁽ᴸ⁾ = logit of the target (0 for the others), then LRP-0 from the last layer to the first",
        competences=["relevance propagation", "batch computation"],
        reference=lrp.lrp_network,
        draw=draw_network("same shape", "zero input gets nothing", complete=True),
        alternatives=[
            # The point of the notebook: on a ReLU network this *is* LRP-0.
            gradients.gradient_x_input,
            lambda model, inputs, target: propagate(model, inputs, target),
            one_by_one(lrp.lrp_network),
        ],
        bugs=[
            PlantedBug(
                "You start from all logits. Only the target has relevance at the start; the other outputs have 0.",
                lambda *a: propagate(*a, seed=lambda logits: logits),
            ),
            PlantedBug(
                "You start with a relevance of 1. Start with the target's logit.",
                lambda *a: propagate(*a, seed=lambda logits: np.eye(logits.shape[1])[a[2]] * np.ones_like(logits)),
            ),
            PlantedBug(
                "You start from the softmax. LRP explains the logit.",
                lambda *a: propagate(*a, top=lambda z: tf.nn.softmax(z).numpy()),
            ),
            PlantedBug(
                "The last layer has no ReLU: a negative logit must keep its sign, it says 'not this class'.",
                lambda *a: propagate(*a, top=plus),
            ),
            PlantedBug(
                "The ReLU is missing on the way up: hidden activations are never negative.",
                lambda *a: propagate(*a, hidden=lambda z: z),
            ),
            PlantedBug(
                "The biases are missing on the way down: hand each layer its own bias.",
                lambda *a: propagate(*a, biased=False),
            ),
            PlantedBug(FIRST_SAMPLE_ONLY, lambda *a: propagate(*a)[0]),
        ],
    ),
    Exercise(
        id="relative-difference",
        title="Relative difference",
        formula="d(a, b) = max |aᵢ − bᵢ| / max |bᵢ|",
        competences=["experiment"],
        reference=lrp.relative_difference,
        draw=draw_difference,
        alternatives=[
            lambda a, b: np.linalg.norm((a - b).ravel(), np.inf) / np.linalg.norm(b.ravel(), np.inf),
            lambda a, b: max(abs(x - y) for x, y in zip(a.flat, b.flat, strict=True)) / max(abs(y) for y in b.flat),
        ],
        bugs=[
            PlantedBug(
                "A large negative difference counts too: take its size.", lambda a, b: np.max(a - b) / np.max(b)
            ),
            PlantedBug(
                "Take the largest difference, not the mean one.", lambda a, b: np.mean(abs(a - b)) / np.max(abs(b))
            ),
            PlantedBug(
                "Divide by the largest size in the second array: it is what you compare with.",
                lambda a, b: np.max(abs(a - b)) / np.max(abs(a)),
            ),
            PlantedBug(
                "Take the two maxima first, then divide. Dividing place by place blows up where b is almost 0.",
                lambda a, b: np.max(abs(a - b) / abs(b)),
            ),
        ],
    ),
    Quiz(
        id="lrp-equivalence",
        title="Is LRP equivalent to Gradient × Input?",
        formula="equal: the relative difference is rounding error",
        competences=["experiment", "reading results"],
        questions=[
            Question("ReLU, LRP-0, no bias", SAME, "equal"),
            Question("ReLU, LRP-0, with bias", SAME, "equal"),
            Question("tanh, LRP-0", SAME, "different"),
            Question("ReLU, LRP-epsilon 0.1", SAME, "different"),
            Question("ReLU, LRP-gamma 0.25", SAME, "different"),
            Question("ReLU, LRP-0 against the softmax's gradient x input", SAME, "different"),
            Question("not measured: leaky ReLU, LRP-0, with bias", SAME, "equal"),
            Question("not measured: sigmoid, LRP-0, no bias", SAME, "different"),
            Question("with bias, does LRP-0 hand down the whole logit?", ("yes", "no"), "no"),
        ],
    ),
]
