"""Part A: exercises on gradients, from the softmax to DeepLIFT."""

import numpy as np
import tensorflow as tf

from vitrina_autograder.exercise import Exercise, PlantedBug
from vitrina_solutions import gradients
from vitrina_solutions.deeplift import deeplift, rescale_multiplier

from ._answers import (
    FIRST_SAMPLE_ONLY,
    IN_PLACE,
    chain_rule,
    gradient,
    gradient_in_place,
    in_float32,
    jacobian,
    one_by_one,
    plus,
    slope,
)
from ._drawing import draw_network
from ._drawing_gradients import draw_errors, draw_logits, draw_noise, draw_paths, draw_references, draw_relus
from ._gradient_answers import (
    all_at_once,
    batch_of_noise,
    difference_by_difference,
    multipliers,
    path,
    rescale_by_loop,
    softmax,
    softmax_jacobian,
    softmax_tape,
    total,
)

SOFTMAX = (
    "This is the gradient of the softmax's probability. Explain the logit: the softmax mixes in all other classes."
)
ALL_LOGITS = (
    "You differentiated all logits at once, and TensorFlow added their gradients up. Choose the target's logit before "
    "you differentiate."
)
WINNER = "You explain the class that wins. Explain the class `target`, also where it loses."

GRADIENT_EXERCISES = [
    Exercise(
        id="softmax-gradient",
        title="What a softmax's gradient tells",
        formula="∂p_c/∂z_k = p_c (1 − p_c) for k = c, −p_c p_k for k ≠ c",
        competences=["gradients", "numerical stability"],
        reference=gradients.softmax_gradient,
        draw=draw_logits,
        alternatives=[softmax_jacobian, softmax_tape, in_float32(gradients.softmax_gradient)],
        bugs=[
            PlantedBug(
                "This is the gradient of log p_c. The probability itself needs one more factor: p_c.",
                lambda z, c: np.eye(z.shape[1])[c] - softmax(z),
            ),
            PlantedBug(
                "When another logit rises, the probability of the target falls: for k ≠ c there is a minus.",
                lambda z, c: softmax(z)[:, [c]] * np.abs(np.eye(z.shape[1])[c] - softmax(z)),
            ),
            PlantedBug(
                "Where is the reaction to the other logits? They are not 0: the softmax ties all classes together.",
                lambda z, c: softmax(z)[:, [c]] * (1 - softmax(z)) * np.eye(z.shape[1])[c],
            ),
            PlantedBug(
                "Each sample is a row: its probabilities add up to 1 along the classes, not along the batch.",
                lambda z, c: softmax(z.T).T[:, [c]] * (np.eye(z.shape[1])[c] - softmax(z.T).T),
            ),
            PlantedBug(
                "exp of a large logit overflows. Subtract the largest logit of each row first: p stays the same.",
                lambda z, c: (
                    (p := np.exp(z) / np.exp(z).sum(axis=1, keepdims=True))[:, [c]] * (np.eye(z.shape[1])[c] - p)
                ),
            ),
            PlantedBug(
                "You explain the class that wins. The target is `target`, also where it loses.",
                lambda z, _: (p := softmax(z)).max(axis=1, keepdims=True) * (np.eye(z.shape[1])[p.argmax(axis=1)] - p),
            ),
        ],
    ),
    Exercise(
        id="logit-gradient",
        title="The gradient of one logit",
        formula="∂f_c(x)/∂xᵢ, f_c: the logit of the target",
        competences=["gradients", "batch computation"],
        reference=gradients.logit_gradient,
        draw=draw_network("same shape", complete=False),
        alternatives=[chain_rule, jacobian, one_by_one(slope), in_float32(gradients.logit_gradient)],
        bugs=[
            PlantedBug(SOFTMAX, lambda model, x, c: gradient(lambda z: tf.nn.softmax(z)[:, c], model, x)),
            PlantedBug(ALL_LOGITS, lambda model, x, _: gradient(lambda z: z, model, x)),
            PlantedBug(WINNER, lambda model, x, _: gradient(lambda z: tf.reduce_max(z, axis=1), model, x)),
            PlantedBug(
                "Keep the sign: the size alone comes in the next exercise.",
                lambda model, x, c: np.abs(slope(model, x, c)),
            ),
            PlantedBug(
                "This is the gradient of the batch's mean logit: it is divided by the number of samples.",
                lambda model, x, c: gradient(lambda z: tf.reduce_mean(z[:, c]), model, x),
            ),
            PlantedBug(FIRST_SAMPLE_ONLY, lambda model, x, c: slope(model, x, c)[0]),
        ],
    ),
    Exercise(
        id="saliency",
        title="Saliency",
        formula="Sᵢ = |∂f_c(x)/∂xᵢ|, f_c: the logit of the target",
        competences=["gradients", "batch computation"],
        reference=gradients.saliency,
        draw=draw_network("same shape", "non-negative", complete=False),
        alternatives=[
            lambda model, inputs, target: np.abs(chain_rule(model, inputs, target)),
            lambda model, inputs, target: np.abs(jacobian(model, inputs, target)),
            in_float32(gradients.saliency),
        ],
        bugs=[
            PlantedBug(SOFTMAX, lambda model, x, c: np.abs(gradient(lambda z: tf.nn.softmax(z)[:, c], model, x))),
            PlantedBug(
                "Saliency asks how strongly the logit reacts, not in which direction: it is never negative.",
                slope,
            ),
            PlantedBug(ALL_LOGITS, lambda model, x, _: np.abs(gradient(lambda z: z, model, x))),
            PlantedBug(WINNER, lambda model, x, _: np.abs(gradient(lambda z: tf.reduce_max(z, axis=1), model, x))),
            PlantedBug(FIRST_SAMPLE_ONLY, lambda model, x, c: np.abs(slope(model, x, c))[0]),
        ],
    ),
    Exercise(
        id="gradient-x-input",
        title="Gradient × Input",
        formula="Rᵢ = xᵢ · ∂f_c(x)/∂xᵢ, f_c: the logit of the target",
        competences=["gradients", "batch computation"],
        reference=gradients.gradient_x_input,
        draw=draw_network("same shape", "zero input gets nothing", complete=True),
        alternatives=[
            lambda model, inputs, target: inputs * chain_rule(model, inputs, target),
            one_by_one(lambda model, row, target: row * slope(model, row, target)),
            in_float32(gradients.gradient_x_input),
        ],
        bugs=[
            PlantedBug("This is the gradient alone: how much of each input is there?", slope),
            PlantedBug(
                "Keep the signs: a pixel that speaks against the class gets a negative attribution.",
                lambda model, x, c: np.abs(x * slope(model, x, c)),
            ),
            PlantedBug(
                "You multiplied the saliency by the input. Multiply the gradient itself, with its sign.",
                lambda model, x, c: x * np.abs(slope(model, x, c)),
            ),
            PlantedBug(
                "This comes from the softmax's probability. Take the gradient of the logit.",
                lambda model, x, c: x * gradient(lambda z: tf.nn.softmax(z)[:, c], model, x),
            ),
            PlantedBug(
                "This explains the sum of all logits. Choose the target's logit before you differentiate.",
                lambda model, x, _: x * gradient(lambda z: z, model, x),
            ),
            PlantedBug(FIRST_SAMPLE_ONLY, lambda model, x, c: (x * slope(model, x, c))[0]),
            PlantedBug(IN_PLACE, gradient_in_place),
        ],
    ),
    Exercise(
        id="completeness-error",
        title="Completeness error",
        formula="Σᵢ Rᵢ − (f_c(x) − f_c(x′)) for each sample",
        competences=["experiment", "batch computation"],
        reference=gradients.completeness_error,
        draw=draw_errors,
        alternatives=[
            lambda r, score, start: np.array([row.sum() - s + b for row, s, b in zip(r, score, start, strict=True)]),
            lambda r, score, start: start - score + np.sum(r, axis=tuple(range(1, r.ndim))),
            in_float32(gradients.completeness_error),
        ],
        bugs=[
            PlantedBug(
                "Keep the sign: it tells whether the explanation hands out too much or too little.",
                lambda r, score, start: np.abs(total(r) - (score - start)),
            ),
            PlantedBug(
                "The sign is turned: above 0 means that the attributions add up to too much.",
                lambda r, score, start: score - start - total(r),
            ),
            PlantedBug(
                "The baseline has a score too. Attributions explain the way from it to the sample.",
                lambda r, score, _: total(r) - score,
            ),
            PlantedBug(
                "Attributions for and against the class cancel: add them up with their signs.",
                lambda r, score, start: total(np.abs(r)) - (score - start),
            ),
            PlantedBug(
                "Add up all of a sample's attributions: an image has more than one axis of them.",
                lambda r, score, start: r.sum(axis=-1) - (score - start).reshape(-1, *[1] * (r.ndim - 2)),
            ),
            PlantedBug(
                "Each sample has an error of its own. Do not average over the batch.",
                lambda r, score, start: np.mean(total(r) - (score - start)),
            ),
        ],
    ),
    Exercise(
        id="integrated-gradients",
        title="Integrated Gradients",
        formula="Rᵢ = (xᵢ − x′ᵢ) · 1/n Σₛ ∂f_c/∂xᵢ at x′ + (s + ½)/n · (x − x′), s = 0 … n − 1",
        competences=["gradients", "batch computation"],
        reference=gradients.integrated_gradients,
        draw=draw_paths,
        alternatives=[
            all_at_once,
            one_by_one(gradients.integrated_gradients),
            in_float32(gradients.integrated_gradients),
        ],
        bugs=[
            PlantedBug(
                "Each piece of the way is looked at in its middle: s + ½, not s.",
                lambda *a: path(*a, places=lambda n: np.arange(n) / n),
            ),
            PlantedBug(
                "Each piece of the way is looked at in its middle: s + ½, not s + 1.",
                lambda *a: path(*a, places=lambda n: (np.arange(n) + 1) / n),
            ),
            PlantedBug(
                "np.linspace(0, 1, n) takes both ends of the way; the middles of n pieces are (s + ½)/n.",
                lambda *a: path(*a, places=lambda n: np.linspace(0, 1, n)),
            ),
            PlantedBug(
                "This is the gradient's mean alone. How long is the way in each direction?",
                lambda *a: path(*a, length=lambda x, base: np.ones_like(x)),
            ),
            PlantedBug(
                "Multiply by the way, x − x′. Multiplying by x is right only for a baseline of 0.",
                lambda *a: path(*a, length=lambda x, base: x),
            ),
            PlantedBug(
                "The way starts at the baseline, not at 0.",
                lambda model, x, c, base, n: path(model, x, c, 0 * base, n),
            ),
            PlantedBug(
                "You added the gradients up. Their mean is needed: divide by n.",
                lambda *a: a[4] * path(*a),
            ),
            PlantedBug(
                "This looks at the end of the way only: it is Gradient × Input, with the way for the input.",
                lambda model, x, c, base, _: (x - base) * slope(model, x, c),
            ),
        ],
    ),
    Exercise(
        id="smooth-grad",
        title="SmoothGrad",
        formula="1/n Σₛ ∂f_c/∂xᵢ at x + eₛ, eₛ: the noise that is handed in",
        competences=["gradients", "batch computation"],
        reference=gradients.smooth_grad,
        draw=draw_noise,
        alternatives=[batch_of_noise, in_float32(gradients.smooth_grad)],
        bugs=[
            PlantedBug(
                "You averaged the noise and took one gradient. Take a gradient for each noisy copy, then average.",
                lambda model, x, c, noise: slope(model, x + noise.mean(axis=0), c),
            ),
            PlantedBug(
                "Keep the signs: here the gradients themselves are averaged.", lambda *a: batch_of_noise(*a, of=np.abs)
            ),
            PlantedBug(
                "You averaged squares. That is SmoothGrad², a variant; the gradients themselves are asked.",
                lambda *a: batch_of_noise(*a, of=np.square),
            ),
            PlantedBug("Noise is added to the sample. Is it used?", lambda model, x, c, noise: slope(model, x, c)),
            PlantedBug(
                "SmoothGrad is a gradient: it is not multiplied by the input.", lambda *a: a[1] * batch_of_noise(*a)
            ),
            PlantedBug(
                "Divide by the number of draws: a mean does not grow with it.",
                lambda *a: len(a[3]) * batch_of_noise(*a),
            ),
            PlantedBug(
                "The first axis of `noise` counts the draws, the second one the samples. Average over the draws.",
                lambda model, x, c, noise: batch_of_noise(model, x, c, noise[:1]),
            ),
        ],
    ),
    Exercise(
        id="rescale-multiplier",
        title="DeepLIFT's multiplier of a ReLU",
        formula="m = (relu(z) − relu(z⁰)) / (z − z⁰); where they are equal: 1 for z > 0, else 0",
        competences=["gradients", "numerical stability"],
        reference=rescale_multiplier,
        draw=draw_relus,
        alternatives=[rescale_by_loop, in_float32(rescale_multiplier)],
        bugs=[
            PlantedBug(
                "This is the gradient at z. DeepLIFT compares with the reference: how much of the difference is left?",
                lambda z, _: (z > 0).astype(float),
            ),
            PlantedBug(
                "Where z = z⁰ you divide 0 by 0. Take the gradient of the ReLU there.",
                lambda z, z0: (plus(z) - plus(z0)) / (z - z0),
            ),
            PlantedBug(
                "Where z = z⁰ the multiplier is the gradient: 1 only if the unit is on.",
                lambda z, z0: np.where(z == z0, 1, (plus(z) - plus(z0)) / np.where(z == z0, 1, z - z0)),
            ),
            PlantedBug(
                "Where z = z⁰ the multiplier is the gradient: 0 only if the unit is off.",
                lambda z, z0: (plus(z) - plus(z0)) / np.where(z == z0, 1, z - z0),
            ),
            PlantedBug(
                "Apply the ReLU to both, then subtract. The ReLU of a difference is something else.",
                lambda z, z0: np.where(z == z0, z > 0, plus(z - z0) / np.where(z == z0, 1, z - z0)),
            ),
        ],
    ),
    Exercise(
        id="deeplift",
        title="DeepLIFT through a network",
        formula="Rᵢ = mᵢ (xᵢ − x⁰ᵢ), m: weights and rescale multipliers from the logit down to the inputs",
        competences=["gradients", "batch computation"],
        reference=deeplift,
        draw=draw_references,
        alternatives=[difference_by_difference, one_by_one(deeplift), in_float32(deeplift)],
        bugs=[
            PlantedBug(
                "This is the gradient times the difference. In the place of each ReLU's gradient goes its multiplier.",
                lambda model, x, c, ref: slope(model, x, c) * (x - ref),
            ),
            PlantedBug(
                "At the inputs multiply by the difference from the baseline, not by the inputs.",
                lambda *a: multipliers(*a) * a[1],
            ),
            PlantedBug("These are the multipliers. How far is each input from the baseline?", multipliers),
            PlantedBug(
                "The baseline passes the network as well, biases included: it is not 0 in the hidden layers.",
                lambda *a: multipliers(*a, forget="bias") * (a[1] - a[3]),
            ),
            PlantedBug(
                "You compared with a baseline of 0 on the way down. Use `baseline`.",
                lambda model, x, c, ref: multipliers(model, x, c, 0 * ref) * (x - ref),
            ),
            PlantedBug(
                "Start with the weights of the last layer that lead to the target, not to all classes.",
                lambda *a: multipliers(*a, forget="target") * (a[1] - a[3]),
            ),
        ],
    ),
]
