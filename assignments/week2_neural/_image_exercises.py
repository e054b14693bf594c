"""Part C: exercises on LRP through a convolutional network and through the memory of an LSTM."""

import numpy as np
import tensorflow as tf

from vitrina_autograder.exercise import Exercise, PlantedBug
from vitrina_solutions import lrp, lrp_convolution

from ._answers import FIRST_SAMPLE_ONLY, NO_STABILISER, in_float32, right_zb, safe
from ._drawing_images import (
    draw_average_pool,
    draw_cnn,
    draw_convolution,
    draw_convolution_at_pixels,
    draw_max_pool,
    draw_memory,
)
from ._image_answers import (
    average_by_tape,
    column_winner,
    composite,
    composite_at_once,
    conv_at_once,
    conv_by_tape,
    conv_zb,
    counted,
    first_winner,
    last_winner,
    place_by_place,
    pool,
    remember,
    remember_as_layer,
    spread_evenly,
    zb_at_once,
)

OVERLAP = "Windows overlap: add up what a pixel gets from each of them, do not overwrite it."

IMAGE_EXERCISES = [
    Exercise(
        id="lrp-max-pool",
        title="LRP through max pooling",
        formula="Rᵢ = R for the largest activation of the window (the first of equal ones), else 0",
        competences=["relevance propagation", "image networks"],
        reference=lrp_convolution.lrp_max_pool,
        draw=draw_max_pool,
        alternatives=[lambda *a: pool(*a, first_winner), in_float32(lrp_convolution.lrp_max_pool)],
        bugs=[
            PlantedBug(
                "Two equal values both won, so the window handed out its relevance twice. Only the first one wins.",
                lambda *a: pool(*a, lambda v: (v == v.max(axis=-1, keepdims=True)).astype(float)),
            ),
            PlantedBug(
                "Of equal values the first one wins, row by row from the top left: np.argmax of the window counts so.",
                lambda *a: pool(*a, last_winner),
            ),
            PlantedBug(
                "Of equal values the first one wins, row by row: you went down the columns.",
                lambda *a: pool(*a, column_winner),
            ),
            PlantedBug(
                "You spread the relevance evenly. The maximum depends on its winner alone: the winner takes all.",
                spread_evenly,
            ),
            PlantedBug(
                "Relevance is handed down as it is: do not multiply it by the activation.",
                lambda a, r, size: a * pool(a, r, size, first_winner),
            ),
            PlantedBug(
                "Each channel is pooled by itself: every channel has a winner in every window.",
                lambda a, r, size: pool(a, r, size, first_winner) * (a == a.max(axis=3, keepdims=True)),
            ),
        ],
    ),
    Exercise(
        id="lrp-average-pool",
        title="LRP through average pooling",
        formula="Rᵢ = aᵢ / Σⱼ aⱼ · R within the window",
        competences=["relevance propagation", "image networks"],
        reference=lrp_convolution.lrp_average_pool,
        draw=draw_average_pool,
        alternatives=[
            average_by_tape,
            lambda *a: pool(*a, lambda v: v / np.maximum(v.sum(axis=-1, keepdims=True), 1e-9)),
            in_float32(lrp_convolution.lrp_average_pool),
        ],
        bugs=[
            PlantedBug(
                "You spread the relevance evenly. LRP shares by contribution: a bright pixel made more of the average.",
                spread_evenly,
            ),
            PlantedBug(
                "A window in which everything is 0 has nothing to share by. Your division needs a stabiliser.",
                lambda *a: pool(*a, lambda v: v / v.sum(axis=-1, keepdims=True)),
            ),
            PlantedBug(
                "Divide by the window's sum, not by its average: the shares must add up to 1.",
                lambda *a: pool(*a, lambda v: v / (v.mean(axis=-1, keepdims=True) + 1e-12)),
            ),
            PlantedBug(
                "This is max pooling's rule. In an average everybody has a share.",
                lambda *a: pool(*a, first_winner),
            ),
            PlantedBug(
                "Each channel is pooled by itself: the sum runs over the window, not over the channels.",
                lambda a, r, size: pool(
                    a / (a.sum(axis=3, keepdims=True) + 1e-12),
                    r,
                    size,
                    lambda v: v / (v.sum(-1, keepdims=True) + 1e-12),
                ),
            ),
        ],
    ),
    Exercise(
        id="lrp-conv",
        title="LRP-γ through a convolution",
        formula="at each place the LRP-γ of a Dense layer; a pixel adds up what its windows give it",
        competences=["relevance propagation", "image networks"],
        reference=lrp_convolution.lrp_conv,
        draw=draw_convolution,
        alternatives=[
            conv_at_once,
            conv_by_tape,
            lambda a, k, b, r, g: place_by_place(a, k, r, lambda x, w, rel: lrp.lrp_gamma(x, w, b, rel, g)),
        ],
        bugs=[
            PlantedBug(
                OVERLAP,
                lambda a, k, b, r, g: place_by_place(
                    a, k, r, lambda x, w, rel: lrp.lrp_gamma(x, w, b, rel, g), add=False
                ),
            ),
            PlantedBug(
                "Do not divide by the number of windows that a pixel lies in: relevance adds up, it is not averaged.",
                lambda a, k, b, r, g: lrp_convolution.lrp_conv(a, k, b, r, g) / counted(a, k, r),
            ),
            PlantedBug(
                "Is γ used? This is LRP-0.",
                lambda a, k, b, r, g: conv_at_once(a, k, b, r, 0.0),
            ),
            PlantedBug(
                "γ acts on the bias too: a positive bias grows like a positive weight.",
                lambda *a: conv_at_once(*a, raised_bias=False),
            ),
            PlantedBug(
                "The bias is missing from z.",
                lambda a, k, b, r, g: conv_at_once(a, k, 0 * b, r, g),
            ),
            PlantedBug(
                "Going down, the kernel is turned by 180 degrees. Keras slides it as it is, no way needs it turned.",
                lambda *a: conv_at_once(*a, turned=True),
            ),
            PlantedBug(
                "Window and kernel are flattened in different orders: both are (row, column, channel).",
                lambda a, k, b, r, g: place_by_place(
                    a, k, r, lambda x, w, rel: lrp.lrp_gamma(x, w, b, rel, g), order=(2, 0, 1, 3)
                ),
            ),
        ],
    ),
    Exercise(
        id="lrp-conv-zb",
        title="The zᴮ rule through a convolution",
        formula="at each place the zᴮ rule of a Dense layer; a pixel adds up what its windows give it",
        competences=["relevance propagation", "image networks"],
        reference=lrp_convolution.lrp_conv_zb,
        draw=draw_convolution_at_pixels,
        alternatives=[zb_at_once, lambda *a: conv_zb(*a, rule=right_zb)],
        bugs=[
            PlantedBug(OVERLAP, lambda *a: conv_zb(*a, add=False)),
            PlantedBug(
                "The bounds are swapped: a positive weight is at its worst where the pixel is at its lowest.",
                lambda x, k, r, low, high: conv_zb(x, k, r, high, low),
            ),
            PlantedBug(
                "This is LRP-0: are the bounds used?",
                lambda x, k, r, *_: conv_at_once(x, k, np.zeros(k.shape[3]), r, 0.0),
            ),
            PlantedBug(
                "The bounds are `low` and `high`, whatever the pixels are scaled to: not always 0 and 1.",
                lambda x, k, r, *_: conv_zb(x, k, r, 0.0, 1.0),
            ),
            PlantedBug(
                "Do not divide by the number of windows that a pixel lies in: relevance adds up, it is not averaged.",
                lambda x, k, r, low, high: conv_zb(x, k, r, low, high) / counted(x, k, r),
            ),
        ],
    ),
    Exercise(
        id="lrp-cnn",
        title="A composite for a convolutional network",
        formula="R = logit of the target; ε on Dense, the winner at max pooling, γ on convolutions, zᴮ at the pixels",
        competences=["relevance propagation", "image networks", "batch computation"],
        reference=lrp_convolution.lrp_cnn,
        draw=draw_cnn,
        alternatives=[composite, composite_at_once],
        bugs=[
            PlantedBug(
                "The first convolution sees the pixels: its rule is z^B, with the bounds 0 and 1.",
                lambda *a: composite(*a, first=lrp_convolution.lrp_conv),
            ),
            PlantedBug(
                "Only the first convolution sees pixels. The others have γ.",
                lambda *a: composite(*a, conv=lambda x, k, b, r, g: lrp_convolution.lrp_conv_zb(x, k, r, 0.0, 1.0)),
            ),
            PlantedBug(
                "The convolutions have LRP-γ. Is γ used?",
                lambda *a: composite(*a, conv=lambda x, k, b, r, g: conv_at_once(x, k, b, r, 0.0)),
            ),
            PlantedBug(
                "The Dense layers have LRP-ε. Is ε used?",
                lambda *a: composite(*a, dense=lambda x, w, b, r, e: lrp.lrp_0(x, w, b, r)),
            ),
            PlantedBug(
                "Max pooling gives all to the winner; you spread the relevance evenly.",
                lambda *a: composite(*a, pooling=spread_evenly),
            ),
            PlantedBug(
                "You start from all logits. Only the target has relevance at the start; the other outputs have 0.",
                lambda *a: composite(*a, seed=lambda logits, target: logits),
            ),
            PlantedBug(
                "You start with a relevance of 1. Start with the target's logit.",
                lambda *a: composite(
                    *a, seed=lambda logits, target: np.tile(np.eye(logits.shape[1])[target], (len(logits), 1))
                ),
            ),
            PlantedBug(
                "You start from the softmax. LRP explains the logit.",
                lambda *a: composite(
                    *a,
                    seed=lambda logits, target: np.eye(logits.shape[1])[target] * tf.nn.softmax(logits).numpy(),
                ),
            ),
            PlantedBug(FIRST_SAMPLE_ONLY, lambda *a: composite(*a)[0]),
        ],
    ),
    Exercise(
        id="lrp-lstm-memory",
        title="LRP through an LSTM's memory",
        formula="R_m = f·m / (c + ε·sign(c)) · R, R_g = i·g / (c + ε·sign(c)) · R, c = f·m + i·g, sign(0) = +1",
        competences=["relevance propagation", "recurrent networks", "numerical stability"],
        reference=lrp_convolution.lrp_lstm_memory,
        draw=draw_memory,
        alternatives=[remember, remember_as_layer, in_float32(lrp_convolution.lrp_lstm_memory)],
        bugs=[
            PlantedBug(
                "You shared by the signals alone. How much of each passes is decided by its gate: f · m and i · g.",
                lambda f, m, i, g, r, e: np.stack([m, g]) / safe(m + g, e) * r,
            ),
            PlantedBug(
                "ε must push c away from 0 on both sides. Adding it to a negative c pulls it towards 0.",
                lambda *a: remember(*a, stabilise=lambda c, e: c + e),
            ),
            PlantedBug(
                NO_STABILISER,
                lambda *a: remember(*a, stabilise=lambda c, e: c + e * np.sign(c)),
            ),
            PlantedBug("Is ε used?", lambda *a: remember(*a, stabilise=lambda c, _: safe(c))),
            PlantedBug(
                "The gate took half of its product's share. The signal takes all: a gate only lets through.",
                lambda *a: remember(*a) / 2,
            ),
            PlantedBug("The order is: first the old memory, then the candidate.", lambda *a: remember(*a)[::-1]),
            PlantedBug(
                "Two shares are asked for: the old memory's and the candidate's, one after the other.",
                lambda *a: remember(*a)[0],
            ),
            PlantedBug(
                "The denominator keeps the sign of c: with |c| all evidence against the unit changes sides.",
                lambda *a: remember(*a, stabilise=lambda c, e: np.abs(c) + e),
            ),
        ],
    ),
]
