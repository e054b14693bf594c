"""Part B: exercises on the noisy cell, its loss and its gradient."""

import numpy as np

from vitrina_autograder.exercise import Exercise, PlantedBug
from vitrina_solutions import recurrent

from ._cell_answers import (
    back,
    back_by_differences,
    clip_by_norm,
    entropy,
    loss,
    price,
    priced,
    read,
    read_word_by_word,
    saturated,
    step,
    step_with_one_hot,
)
from ._drawing_cells import (
    draw_losses,
    draw_prices,
    draw_readings,
    draw_saturation,
    draw_steps,
    draw_steps_back,
)

CELL_EXERCISES = [
    Exercise(
        id="noisy-step",
        title="One noisy step",
        formula="tanh(W[x] + h U + b + ν · n ⊙ h)",
        competences=["recurrent networks"],
        reference=recurrent.noisy_step,
        draw=draw_steps,
        alternatives=[step, step_with_one_hot],
        bugs=[
            PlantedBug(
                "The noise multiplies the unit's last activation: ν · n ⊙ h. Yours is added whatever h is.",
                lambda *a: step(*a, where="added"),
            ),
            PlantedBug("U goes from the row's unit to the column's: h U, not h Uᵀ.", lambda *a: step(*a, turned=True)),
            PlantedBug(
                "The noise multiplies h, not all that enters the unit.", lambda *a: step(*a, where="on the drive")
            ),
            PlantedBug("The noise enters the unit: it stands inside tanh.", lambda *a: step(*a, where="after")),
            PlantedBug(
                "ν is 0 while the network is used: then there is no noise.", lambda *a: step(*a, where="always")
            ),
            PlantedBug(
                "The noise stands beside h U, and does not go through U: ν · n ⊙ h.",
                lambda *a: step(*a, where="before U"),
            ),
            PlantedBug("The noise is missing.", lambda *a: step(*a, where="nowhere")),
            PlantedBug("The bias b is missing.", lambda *a: step(*a, bias=False)),
            PlantedBug("This is z. The new state is tanh(z).", lambda *a: step(*a, squash=lambda z: z)),
        ],
    ),
    Exercise(
        id="read-words",
        title="Read whole words",
        formula="h₀ = 0, h_t = noisy_step(h_{t−1}, x_t), with noise of its own",
        competences=["recurrent networks"],
        reference=recurrent.read_words,
        draw=draw_readings,
        alternatives=[read, read_word_by_word],
        bugs=[
            PlantedBug("The state before the first symbol belongs to the answer.", lambda *a: read(*a)[:, 1:]),
            PlantedBug("Each step has noise of its own: drawn[:, time].", lambda *a: read(*a, fresh=False)),
            PlantedBug("Each step goes on from the state before it.", lambda *a: read(*a, carried=False)),
            PlantedBug(
                "All states are the last one: `h += ...` changes the array that is kept already. Make a new one.",
                lambda *a: np.repeat(read(*a)[:, -1:], a[1].shape[1] + 1, axis=1),
            ),
            PlantedBug("Before the first symbol all units are 0.", lambda *a: read(*a, start=1.0)),
            PlantedBug("The first axis counts words, the second one steps.", lambda *a: np.swapaxes(read(*a), 0, 1)),
            PlantedBug("All states are asked for, not only the last.", lambda *a: read(*a)[:, -1]),
        ],
    ),
    Exercise(
        id="loss-with-l1",
        title="The loss",
        formula="Σ cross-entropy + λ (Σ|W| + Σ|U| + Σ|v|)",
        competences=["recurrent networks", "regularisation"],
        reference=recurrent.loss_with_l1,
        draw=draw_losses,
        alternatives=[loss],
        bugs=[
            PlantedBug("Biases cost nothing: b and c are no connections.", lambda *a: loss(*a, biases=True)),
            PlantedBug("L1 takes sizes, not squares.", lambda *a: loss(*a, of=np.square)),
            PlantedBug(
                "L1 takes sizes, |w|: else a weight below 0 would be a gain.", lambda *a: loss(*a, of=np.asarray)
            ),
            PlantedBug("The readout v has weights too.", lambda *a: loss(*a, readout=False)),
            PlantedBug("The price of the weights is missing.", lambda c, z, y, _: entropy(z, y)),
            PlantedBug(
                "Sum over words and steps, do not average.",
                lambda c, z, y, s: entropy(z, y) / z.size + s * price(c),
            ),
            PlantedBug(
                "Sum over words too, do not average.",
                lambda c, z, y, s: entropy(z, y) / len(z) + s * price(c),
            ),
            PlantedBug(
                "Label 1 costs ln(1 + exp(−z)), label 0 costs ln(1 + exp(z)): yours are swapped.",
                lambda c, z, y, s: entropy(-z, y) + s * price(c),
            ),
            PlantedBug(
                "exp overflows where logits are large: `np.logaddexp(0, z)` is ln(1 + exp(z)) without that.",
                lambda c, z, y, s: np.log(1 + np.exp(np.clip(np.where(y == 1, -z, z), -700, 700))).sum() + s * price(c),
            ),
        ],
    ),
    Exercise(
        id="step-back",
        title="One step back in time",
        formula="∂L/∂z = (direct + following Uᵀ + ν · n ⊙ following) ⊙ (1 − h²)",
        competences=["recurrent networks", "gradients"],
        reference=recurrent.step_back,
        draw=draw_steps_back,
        alternatives=[back, back_by_differences],
        bugs=[
            PlantedBug("Backwards through U goes Uᵀ.", lambda *a: back(*a, turned=False)),
            PlantedBug("The slope of tanh is 1 − h², not 1 − h.", lambda *a: back(*a, slope=lambda h: 1 - h)),
            PlantedBug("The slope of tanh is missing: this is ∂L/∂h.", lambda *a: back(*a, slope=np.ones_like)),
            PlantedBug(
                "`hidden` is tanh(z) already: the slope is 1 − h².",
                lambda *a: back(*a, slope=lambda h: 1 - np.tanh(h) ** 2),
            ),
            PlantedBug("h stands in the next z twice: also in ν · n ⊙ h.", lambda *a: back(*a, noise="lost")),
            PlantedBug(
                "The derivative of ν · n ⊙ h by h is ν · n: h itself is gone.", lambda *a: back(*a, noise="times h")
            ),
            PlantedBug(
                "What the loss gets directly is part of ∂L/∂h.", lambda c, d, f, h, nu, n: back(c, 0 * d, f, h, nu, n)
            ),
        ],
    ),
    Exercise(
        id="priced-gradient",
        title="The gradient, priced and clipped",
        formula="clip(gradient + λ sign(w), −limit, limit)",
        competences=["regularisation", "gradients"],
        reference=recurrent.priced_gradient,
        draw=draw_prices,
        alternatives=[
            priced,
            lambda w, g, s, m: np.where(abs(z := g + s * ((w > 0) * 1.0 - (w < 0))) > m, m * np.sign(z), z),
        ],
        bugs=[
            PlantedBug(
                "Clip by value: each number for itself. You shorten the whole gradient to a norm.", clip_by_norm
            ),
            PlantedBug(
                "What is too large before the price may be small enough with it: add first, then clip.",
                lambda w, g, s, m: np.where(np.abs(g) > m, m * np.sign(g), priced(w, g, s, m)),
            ),
            PlantedBug("First the price, then the limit: nothing may exceed it.", lambda *a: priced(*a, first=True)),
            PlantedBug(
                "L1 draws weights towards 0: its gradient has the weight's sign.", lambda *a: priced(*a, sign=-1)
            ),
            PlantedBug("Clip on both sides: not below −limit either.", lambda *a: priced(*a, low=False)),
            PlantedBug(
                "The slope of |w| is the sign of w, whatever its size (w itself belongs to L2).",
                lambda w, g, s, m: np.clip(g + s * w, -m, m),
            ),
            PlantedBug("The price is missing.", lambda w, g, s, m: np.clip(g, -m, m)),
        ],
    ),
    Exercise(
        id="saturation",
        title="Saturation",
        formula="share of |h| > limit, among units with max |h| > silent",
        competences=["recurrent networks", "measuring"],
        reference=recurrent.saturation,
        draw=draw_saturation,
        alternatives=[
            saturated,
            lambda h, limit, silent: np.mean(np.abs(h[:, (h > silent).any(0) | (h < -silent).any(0)]) > limit),
        ],
        bugs=[
            PlantedBug(
                "Silent units are left out: they are no part of the memory.",
                lambda *a: saturated(*a, active=lambda _: True),
            ),
            PlantedBug(
                "A unit near −1 is saturated as well.",
                lambda h, limit, silent: saturated(h, limit, silent, near=lambda unit: unit > limit),
            ),
            PlantedBug(
                "A unit takes part if it exceeds `silent` once; it need not do so on average.",
                lambda h, limit, silent: saturated(h, limit, silent, active=lambda u: np.mean(np.abs(u)) > silent),
            ),
            PlantedBug(
                "Leave out units, not single activations: a unit that speaks is sometimes near 0.",
                lambda h, limit, silent: np.mean(np.abs(h[np.abs(h) > silent]) > limit),
            ),
            PlantedBug(
                "This is the mean size of the activations. Which share exceeds the limit?",
                lambda h, limit, silent: saturated(h, limit, silent, near=np.abs),
            ),
            PlantedBug(
                "Near is what is larger than the limit: equal is not enough.",
                lambda h, limit, silent: saturated(h, limit, silent, near=lambda unit: np.abs(unit) >= limit),
            ),
            PlantedBug(
                "To take part a unit must exceed `silent`: equal is not enough.",
                lambda h, limit, silent: saturated(h, limit, silent, active=lambda u: np.any(np.abs(u) >= silent)),
            ),
            PlantedBug(
                "A unit that only ever is negative takes part too: sizes.",
                lambda h, limit, silent: saturated(h, limit, silent, active=lambda u: u.max() > silent),
            ),
        ],
    ),
]
