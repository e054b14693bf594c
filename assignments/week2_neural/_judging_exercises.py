"""Part D: exercises on occlusion, Grad-CAM, and on judging explanations."""

import numpy as np
import tensorflow as tf

from vitrina_autograder.exercise import Exercise, PlantedBug, Question, Quiz
from vitrina_solutions import second_opinions

from ._answers import FIRST_SAMPLE_ONLY, in_float32
from ._drawing_judging import draw_aopc, draw_cam, draw_curve, draw_occlusion
from ._judging_answers import cover, cover_all_at_once, curve, curve_by_loop, weigh

METHODS = ("random order", "saliency", "gradient x input", "LRP with z^B")

JUDGING_EXERCISES = [
    Exercise(
        id="occlusion",
        title="Occlusion",
        formula="for each window: f_c(x) − f_c(x with the window covered), f_c: the logit of the target",
        competences=["experiment", "image networks", "batch computation"],
        reference=second_opinions.occlusion,
        draw=draw_occlusion,
        alternatives=[cover, cover_all_at_once],
        bugs=[
            PlantedBug(
                "The sign is turned: a window that speaks for the class makes the logit fall when it is covered.",
                lambda *a: -cover(*a),
            ),
            PlantedBug(
                "Compare logits, not probabilities.",
                lambda *a: cover(*a, score=lambda z: tf.nn.softmax(z).numpy()),
            ),
            PlantedBug(
                "You covered one window after the other and left them covered. Start from the whole image each time.",
                lambda *a: cover(*a, fresh=False),
            ),
            PlantedBug(
                "Cover the window in all channels.",
                lambda *a: cover(*a, channels=slice(0, 1)),
            ),
            PlantedBug(
                "Covered pixels are set to `fill`, which is not always 0.",
                lambda model, x, c, size, _: cover(model, x, c, size, 0.0),
            ),
            PlantedBug(
                "This is the logit of the covered image. How far did it fall?",
                lambda model, x, c, size, value: (
                    np.asarray(model(x))[:, c][:, None, None, None] - cover(model, x, c, size, value)
                ),
            ),
            PlantedBug(FIRST_SAMPLE_ONLY, lambda *a: cover(*a)[0]),
        ],
    ),
    Exercise(
        id="grad-cam",
        title="Grad-CAM",
        formula="max(Σₖ αₖ Aₖ, 0), αₖ = mean over all places of ∂f_c/∂Aₖ",
        competences=["gradients", "image networks"],
        reference=second_opinions.grad_cam,
        draw=draw_cam,
        alternatives=[
            weigh,
            lambda maps, g: np.clip(np.einsum("bhwk,bk->bhw", maps, g.mean(axis=(1, 2))), 0, None),
            in_float32(second_opinions.grad_cam),
        ],
        bugs=[
            PlantedBug(
                "The ReLU is missing: Grad-CAM shows what speaks for the class.",
                lambda maps, g: (g.mean(axis=(1, 2), keepdims=True) * maps).sum(axis=3),
            ),
            PlantedBug(
                "The ReLU comes after the sum, so that maps can speak against each other.",
                lambda maps, g: np.maximum(g.mean(axis=(1, 2), keepdims=True) * maps, 0).sum(axis=3),
            ),
            PlantedBug(
                "One weight for each map: average the gradients over all places before you multiply.",
                lambda maps, g: np.maximum((g * maps).sum(axis=3), 0),
            ),
            PlantedBug(
                "The weight is the mean over places, not their sum.",
                lambda maps, g: np.maximum((g.sum(axis=(1, 2), keepdims=True) * maps).sum(axis=3), 0),
            ),
            PlantedBug(
                "The maps are added up, not averaged.",
                lambda maps, g: np.maximum((g.mean(axis=(1, 2), keepdims=True) * maps).mean(axis=3), 0),
            ),
            PlantedBug(
                "A map that speaks against the class has a negative weight. Keep it: no ReLU on the gradients.",
                lambda maps, g: (np.maximum(g, 0).mean(axis=(1, 2), keepdims=True) * maps).sum(axis=3),
            ),
            PlantedBug(
                "Each sample has its own weights: average over places, not over the batch.",
                lambda maps, g: np.maximum((g.mean(axis=(0, 1, 2), keepdims=True) * maps).sum(axis=3), 0),
            ),
        ],
    ),
    Exercise(
        id="deletion-curve",
        title="A deletion curve",
        formula="softmax probability of the target without its k · per_step most relevant features, k = 0 … L",
        competences=["experiment", "batch computation"],
        reference=second_opinions.deletion_curve,
        draw=draw_curve,
        alternatives=[curve, curve_by_loop],
        bugs=[
            PlantedBug(
                "You replaced the least relevant features first.",
                lambda *a: curve(*a, rank=lambda r: r),
            ),
            PlantedBug(
                "Rank with the sign: a large negative attribution speaks against the class and goes last.",
                lambda *a: curve(*a, rank=lambda r: -np.abs(r)),
            ),
            PlantedBug(
                "Each sample has its own ranking.",
                lambda *a: curve(*a, rank=lambda r: np.tile(-r.mean(axis=0), (len(r), 1))),
            ),
            PlantedBug(
                "The curve is the softmax probability, not the logit.",
                lambda *a: curve(*a, score=lambda z: z),
            ),
            PlantedBug(
                "What is replaced stays replaced: step k has the features of all steps before it too.",
                lambda *a: curve(*a, keep=False),
            ),
            PlantedBug(
                "The curve begins with the whole sample: L steps make L + 1 points.",
                lambda *a: curve(*a)[:, 1:],
            ),
            PlantedBug(
                "Replaced features take the value of `replacement`: it is not always 0.",
                lambda model, x, c, r, new, *rest: curve(model, x, c, r, 0 * new, *rest),
            ),
            PlantedBug(
                "Among equal attributions the first comes first: sort stably, in one go, the negated attributions.",
                lambda *a: curve(*a, backwards=True),
            ),
        ],
    ),
    Exercise(
        id="aopc",
        title="Area over the perturbation curve",
        formula="mean over samples and over all L + 1 points of p₀ − pₖ",
        competences=["experiment"],
        reference=second_opinions.aopc,
        draw=draw_aopc,
        alternatives=[
            lambda p: np.mean(p[:, 0]) - np.mean(p),
            lambda p: sum(row[0] - value for row in p for value in row) / p.size,
            in_float32(second_opinions.aopc),
        ],
        bugs=[
            PlantedBug(
                "Step 0 counts as well, though nothing has fallen yet: divide by L + 1.",
                lambda p: np.mean(p[:, :1] - p[:, 1:]),
            ),
            PlantedBug("This is the area under the curve. How far has it fallen?", np.mean),
            PlantedBug(
                "This is the trapezoid rule. AOPC is the plain mean of all points.",
                lambda p: np.mean(np.trapezoid(p[:, :1] - p, axis=1) / (p.shape[1] - 1)),
            ),
            PlantedBug(
                "Falls are differences of probabilities, not shares of the first one.",
                lambda p: np.mean(1 - p / p[:, :1]),
            ),
            PlantedBug(
                "Compare each point with step 0, not with the step before.", lambda p: np.mean(-np.diff(p, axis=1))
            ),
            PlantedBug(
                "Where a curve rises above its start, that counts against it.", lambda p: np.mean(np.abs(p[:, :1] - p))
            ),
        ],
    ),
    Quiz(
        id="judging",
        title="Which explanation is the best?",
        formula="AOPC: the faster the probability falls, the better",
        competences=["experiment", "reading results"],
        questions=[
            Question("paper: the steepest curve", METHODS, "gradient x input"),
            Question("noise: the steepest curve", METHODS, "LRP with z^B"),
            Question("paper: is gradient x input ahead of saliency?", ("yes", "no"), "yes"),
            Question("does one method win under both replacements?", ("yes", "no"), "no"),
            Question(
                "not measured: LRP-0 against gradient x input", ("the same curve", "another curve"), "the same curve"
            ),
            Question(
                "is the steepest curve also the picture that convinces people most?",
                ("yes", "no", "the curve cannot tell"),
                "the curve cannot tell",
            ),
            Question(
                "weights are drawn anew and the picture stays: what does it show?",
                ("the network", "the image"),
                "the image",
            ),
        ],
    ),
]
