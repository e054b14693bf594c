# %% [markdown]
# # Explaining neural networks
#
# A network looks at 784 pixels and says "three". **Which pixels made it say so?** This week you write the methods that
# answer, from a gradient in five lines to layer-wise relevance propagation through a convolutional network. And then
# you ask them harder questions: are they really different answers, and which of them should anybody believe?
#
# | part | what you write | points |
# | --- | --- | --- |
# | **A. Gradients** | saliency, Gradient × Input, Integrated Gradients, SmoothGrad, DeepLIFT | 14 |
# | **B. Relevance** | LRP-0, ε, γ, zᴮ, a whole network; *is LRP equivalent to Gradient × Input?* | 20 |
# | **C. Images and memory** | LRP through pooling, convolutions, a whole CNN, the memory of an LSTM | 12 |
# | **D. Second opinions** | occlusion, Grad-CAM, deletion curves; *which explanation is the best?* | 14 |
#
# When you are done you will be able to
#
# - read an explanation from a gradient, and say what it measures and what it does not;
# - send relevance back through a network, layer by layer, with the rule that suits each layer;
# - test with an experiment whether two methods are one method with two names;
# - judge an explanation by numbers, and say what those numbers do not tell.

# %% [markdown]
# ## How it works
#
# 1. Fill each function where it says `YOUR CODE HERE`. Its docstring is the specification; few need over ten lines.
# 2. Run the `check` cell below it. You get an answer in a second or two: what passed, what was expected, and often
#    which mistake you made. Check as often as you like. **○ not answered yet** only means that you have not begun.
# 3. The check uses public cases. Grading asks the same questions about other numbers, drawn for you alone.
# 4. Figures come alive as you write. A figure that needs a missing function says so; *Run All* always reaches the end.
# 5. Later functions use earlier ones, and the hints tell you when. The parts are a good measure for a day each.
# 6. Submit this notebook. It is worth **60 points**: 54 by checks, 6 for two answers in your own words, read by a
#    person.
#
# Write with NumPy and TensorFlow. While your work is graded, neither the library `shap` nor the kit's own methods
# (`vitrina.explain`) are there: you are writing them.

# %% readonly="setup"
from vitrina import check, quiet, when_written

with quiet():  # TensorFlow has much to say when it starts, and nothing that you need
    import keras
    import tensorflow as tf

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display

from vitrina.models import dense_network, dense_parameters, load_network
from vitrina.plots import show_attributions
from vitrina_datasets import mnist

print("TensorFlow", tf.__version__, "and Keras", keras.__version__)

# %% [markdown]
# ## The digits and the networks
#
# The digits are 5,000 real MNIST *training* images: 4,000 trained the networks, 1,000 were held out. The split is our
# own and fixed, and MNIST's official test set is not touched, so **the accuracy below is not an "MNIST accuracy"** that
# you could compare with a paper.
#
# The first network is small enough to take apart: 784 pixels, two ReLU layers of 128 and 64 units, ten **logits**.
# There is no softmax at the end. A pixel is 0 for paper and 1 for ink. The second network is convolutional and sees
# better; you take it apart in part C.

# %% readonly="data"
data = mnist.load()
network = load_network("mnist_network.npz")
cnn = load_network("mnist_cnn.npz")

guesses = np.argmax(network(data.holdout_images), axis=1)
seen = np.argmax(cnn(data.holdout_images.reshape(-1, 28, 28, 1)), axis=1)
print(f"Hold-out accuracy: {np.mean(guesses == data.holdout_labels):.1%} of {len(guesses)} images")
print(f"Convolutional:     {np.mean(seen == data.holdout_labels):.1%}")

all_threes = data.holdout_images[(data.holdout_labels == 3) & (guesses == 3)]
threes = all_threes[:4]
pictures = threes.reshape(-1, 28, 28, 1)
show_attributions(threes, {}, titles=["a three"] * 4)

# %% [markdown]
# # Part A. Gradients: what would change the answer?
#
# ## A1. Warm-up: why not the softmax?
#
# The network's answer is a logit $z_k$ for each class, and the softmax makes probabilities of them:
# $p_k = e^{z_k} / \sum_j e^{z_j}$. Should we explain the probability or the logit? Find out what a probability reacts
# to:
#
# $$\frac{\partial p_c}{\partial z_k} = p_c\,(1 - p_c) \;\text{ for } k = c, \qquad -p_c\,p_k \;\text{ for every other
# class } k$$

# %% solution="softmax-gradient"
from vitrina_solutions.gradients import softmax_gradient

# %% check="softmax-gradient" points=1
check("softmax-gradient", softmax_gradient)

# %% readonly="certain"
with when_written():
    lead = np.array([0.0, 2.0, 5.0, 10.0, 20.0])
    reaction = softmax_gradient(np.stack([lead, 0 * lead, 0 * lead], axis=1), 0)
    print("lead of the first logit    its probability reacts to it by    to each other one by")
    for ahead, row in zip(lead, reaction, strict=True):
        print(f"{ahead:22.0f}{row[0]:36.1e}{row[1]:24.1e}")

# %% [markdown]
# Two reasons to explain the **logit**. The probability reacts to *all* classes, so a pixel may look important for
# "three" only because it hurts "eight". And where the network is certain, which is where we ask most often, the
# probability hardly reacts to anything: there is no gradient left to read.
#
# From here on "the answer" is the logit $f_c$ of the class $c$ that you want explained, the `target`: any class, also
# one that lost. "Why not an eight?" is a good question.

# %% [markdown]
# ## A2. The gradient of one logit
#
# Most of part A is this gradient, used in different ways. So write it once:
#
# $$\frac{\partial f_c(x)}{\partial x_i}$$
#
# One backward pass gives the gradients of all samples of a batch: the logit of a sample depends on no other sample, so
# the gradient of the *sum* of their logits holds each one's own.

# %% solution="logit-gradient"
from vitrina_solutions.gradients import logit_gradient

# %% check="logit-gradient" points=2
check("logit-gradient", logit_gradient)

# %% [markdown]
# ## A3. Saliency
#
# Wiggle one pixel a little. How much does the logit move? A pixel that moves it a lot is *salient*.
#
# $$S_i(x) = \left|\frac{\partial f_c(x)}{\partial x_i}\right|$$

# %% solution="saliency"
from vitrina_solutions.gradients import saliency

# %% check="saliency" points=1
check("saliency", saliency)

# %% readonly="saliency-figure"
with when_written():
    display(show_attributions(threes, {"saliency": saliency(network, threes, 3)}))

# %% [markdown]
# Saliency is noisy, and it is strong on bare paper as well. It tells how the answer **would change**, not what it is
# **made of**.

# %% [markdown]
# ## A4. Gradient × Input
#
# If a salary rises by 10 euros per hour, how much of it comes from hours? You must also ask how many hours there were.
# A sensitivity becomes a contribution once it is multiplied by how much was there:
#
# $$R_i(x) = x_i \, \frac{\partial f_c(x)}{\partial x_i}$$
#
# Now signs matter. Positive speaks *for* the class, negative *against* it. Bare paper ($x_i = 0$) gets exactly nothing,
# whatever the network thinks of it.

# %% solution="gradient-x-input"
from vitrina_solutions.gradients import gradient_x_input

# %% check="gradient-x-input" points=1
check("gradient-x-input", gradient_x_input)

# %% readonly="gradient-x-input-figure"
with when_written():
    contrast = {
        "why a three?": gradient_x_input(network, threes, 3),
        "why an eight?": gradient_x_input(network, threes, 8),
    }
    display(show_attributions(threes, contrast))

# %% [markdown]
# ## A5. What is left unexplained?
#
# If contributions are what the answer is made of, they should **add up** to it. To what exactly? An explanation
# compares the sample with a **baseline** $x'$, here an empty sheet. It is **complete** if its sum is what the answer
# gained on the way:
#
# $$\sum_i R_i - \big(f_c(x) - f_c(x')\big)$$

# %% solution="completeness-error"
from vitrina_solutions.gradients import completeness_error

# %% check="completeness-error" points=1
check("completeness-error", completeness_error)

# %% readonly="completeness-figure"
with when_written():
    paper = np.zeros(784, np.float32)
    logit, logit_of_paper = np.asarray(network(threes))[:, 3], np.tile(network(paper[None])[:, 3], len(threes))
    missing = completeness_error(gradient_x_input(network, threes, 3), logit, logit_of_paper)
    print("the logit of 'three'       ", np.round(logit, 1))
    print("Gradient × Input misses by ", np.round(missing, 1))

# %% [markdown]
# On a ReLU network without biases Gradient × Input would be complete. This one has biases, and so part of each answer
# is explained by no pixel. The next method closes the gap.

# %% [markdown]
# ## A6. Integrated Gradients
#
# A gradient looks at one point. Walk instead: from the empty sheet $x'$ straight to the digit $x$, and collect the
# gradient on the way. Whatever the answer gained, it gained somewhere along this path, and so nothing is missed.
#
# $$R_i = (x_i - x'_i) \int_0^1 \frac{\partial f_c}{\partial x_i}\big(x' + t\,(x - x')\big)\,dt$$
#
# A computer takes $n$ steps and the middle of each.

# %% solution="integrated-gradients"
from vitrina_solutions.gradients import integrated_gradients

# %% check="integrated-gradients" points=3
check("integrated-gradients", integrated_gradients)

# %% readonly="integrated-gradients-figure"
with when_written():
    for n in (1, 4, 16):
        missing = completeness_error(integrated_gradients(network, threes, 3, paper, n), logit, logit_of_paper)
        print(f"{n:3} steps miss by", np.round(missing, 2))

# %% [markdown]
# ## A7. SmoothGrad
#
# The gradient of the convolutional network below jumps from pixel to pixel. Is that the network's opinion, or only its
# grain? Ask it about many noisy copies of the digit and average. What is grain cancels, what is opinion stays.
#
# $$\frac{1}{n} \sum_{s=1}^{n} \frac{\partial f_c}{\partial x_i}(x + e_s)$$
#
# The noise $e_s$ is handed in, so that the same call gives the same answer.

# %% solution="smooth-grad"
from vitrina_solutions.gradients import smooth_grad

# %% check="smooth-grad" points=2
check("smooth-grad", smooth_grad)

# %% readonly="smooth-grad-figure"
with when_written():
    noise = np.random.default_rng(1).normal(scale=0.4, size=(15, *pictures.shape)).astype(np.float32)
    smoother = {
        "gradient": logit_gradient(cnn, pictures, 3),
        "SmoothGrad\n15 copies": smooth_grad(cnn, pictures, 3, noise),
    }
    display(show_attributions(pictures, smoother))

# %% [markdown]
# ## A8. DeepLIFT: the multiplier of a ReLU
#
# A ReLU that is off has gradient 0, even if it was on for the reference and went off *because of* the input. A gradient
# sees only the last bit of the way. DeepLIFT compares the two ends: how much of a difference before the ReLU is left
# after it?
#
# $$m = \frac{\mathrm{relu}(z) - \mathrm{relu}(z^0)}{z - z^0}$$

# %% solution="rescale-multiplier"
from vitrina_solutions.deeplift import rescale_multiplier

# %% check="rescale-multiplier" points=1
check("rescale-multiplier", rescale_multiplier)

# %% [markdown]
# ## A9. DeepLIFT through a network
#
# Now use multipliers where the chain rule uses gradients: from the target's logit down, times weights, times
# multiplier, times weights, down to the inputs. There, multiply by the difference from the baseline. Differences add
# up at every layer, so the explanation is complete, biases or not.

# %% solution="deeplift"
from vitrina_solutions.deeplift import deeplift

# %% check="deeplift" points=2
check("deeplift", deeplift)

# %% [markdown]
# Why all this trouble? Here is the smallest network that answers: $f(x) = 1 - \mathrm{relu}(1 - x)$, which rises to 1
# and stays there. At $x = 2$ the input has obviously done something: it brought the answer from 0 to 1.

# %% readonly="saturation"
saturated = dense_network([-np.eye(1), -np.eye(1)], [np.ones(1), np.ones(1)])
two, zero = np.array([[2.0]]), np.zeros(1)
with when_written():
    opinions = {
        "Gradient × Input": gradient_x_input(saturated, two, 0),
        "Integrated Gradients, 20 steps": integrated_gradients(saturated, two, 0, zero, 20),
        "DeepLIFT": deeplift(saturated, two, 0, zero),
    }
    for name, value in opinions.items():
        print(f"{name:32}{value[0, 0]:6.2f}")

# %% [markdown]
# This is **saturation**. A pixel that a gradient calls unimportant may have done its work already.

# %% [markdown]
# # Part B. Relevance: share the answer out
#
# ## B1. LRP-0: share by contribution
#
# Forget gradients. Think of relevance as **money that flows back** through the network. A unit $k$ of a layer received
# $R_k$ and owes it to the inputs that made its $z_k$. Each input $i$ contributed $a_i w_{ik}$, so it gets that share:
#
# $$z_k = \sum_i a_i w_{ik} + b_k \qquad\qquad R_i = \sum_k \frac{a_i w_{ik}}{z_k}\, R_k$$
#
# Two details decide whether your code survives real networks:
#
# - **The bias is part of $z_k$, but nobody's input.** Its share of the money disappears. Without biases nothing is
#   lost: $\sum_i R_i = \sum_k R_k$, which is **conservation**.
# - **A dead unit has $z_k = 0$.** Nudge the denominator by $10^{-12}$ in the direction of its sign, with sign(0) = +1.

# %% solution="lrp-0"
from vitrina_solutions.lrp import lrp_0

# %% check="lrp-0" points=3
check("lrp-0", lrp_0)

# %% [markdown]
# ## B2. LRP-ε: let weak evidence fade
#
# Where a unit's contributions almost cancel, $z_k$ is tiny and LRP-0 hands out enormous shares of both signs: loud
# numbers about nothing. The cure is a larger denominator. It absorbs part of the relevance, and most of it where the
# evidence was contradictory:
#
# $$R_i = \sum_k \frac{a_i w_{ik}}{z_k + \varepsilon \,\mathrm{sign}(z_k)}\, R_k, \qquad \mathrm{sign}(0) = +1$$
#
# A larger $\varepsilon$ buys a calmer picture. It is paid in relevance: what is absorbed explains nothing any more.

# %% solution="lrp-epsilon"
from vitrina_solutions.lrp import lrp_epsilon

# %% check="lrp-epsilon" points=2
check("lrp-epsilon", lrp_epsilon)

# %% [markdown]
# ## B3. LRP-γ: favour the evidence in favour
#
# Another cure: let positive weights count more, *before* shares are computed. Contradictory evidence is outvoted
# instead of absorbed, so without biases nothing is lost.
#
# $$w'_{ik} = w_{ik} + \gamma \max(w_{ik}, 0) \qquad b'_k = b_k + \gamma \max(b_k, 0)$$
#
# $$R_i = \sum_k \frac{a_i w'_{ik}}{\sum_{i'} a_{i'} w'_{i'k} + b'_k}\, R_k$$
#
# The rule is meant for activations that are not negative, as they are after a ReLU. With $\gamma = 0$ it is LRP-0;
# with a huge $\gamma$ only positive weights are left.

# %% solution="lrp-gamma"
from vitrina_solutions.lrp import lrp_gamma

# %% check="lrp-gamma" points=2
check("lrp-gamma", lrp_gamma)

# %% [markdown]
# Two cures, two prices. The last layer of the network hands the logit of "three" down to its 64 units: how much
# arrives, and how much of it argues *against* the class?

# %% readonly="two-cures"
with when_written():
    last_weights, last_bias = dense_parameters(network)[-1]
    last_hidden = np.asarray(network.layers[1](network.layers[0](threes)), dtype=float)
    logit = np.asarray(network(threes), dtype=float)[:, 3]
    owed = np.outer(logit, np.eye(10)[3])
    handed_down = {
        "LRP-0": lrp_0(last_hidden, last_weights, last_bias, owed),
        "LRP-ε,  ε = 1": lrp_epsilon(last_hidden, last_weights, last_bias, owed, 1.0),
        "LRP-ε,  ε = 10": lrp_epsilon(last_hidden, last_weights, last_bias, owed, 10.0),
        "LRP-γ,  γ = 0.25": lrp_gamma(last_hidden, last_weights, last_bias, owed, 0.25),
        "LRP-γ,  γ = 10": lrp_gamma(last_hidden, last_weights, last_bias, owed, 10.0),
    }
    print("rule              arrives / logit   against / logit")
    for name, shares in handed_down.items():
        arrives, against = shares.sum() / logit.sum(), np.minimum(shares, 0).sum() / logit.sum()
        print(f"{name:18}{arrives:15.2f}{against:18.2f}")

# %% [markdown]
# ## B4. The $z^B$ rule: also bare paper speaks
#
# At the pixels, one thing is known that no hidden layer knows: a pixel lies between $l$ and $h$ (`low` and `high`). So
# compare it with **the worst it could have been**: at $l$ for a positive weight, at $h$ for a negative one.
#
# $$q_{ik} = x_i w_{ik} - l\, w^+_{ik} - h\, w^-_{ik} \qquad\qquad R_i = \sum_k \frac{q_{ik}}{\sum_{i'} q_{i'k}}\, R_k$$
#
# with $w^+ = \max(w, 0)$ and $w^- = \min(w, 0)$. No $q_{ik}$ is ever negative, so positive relevance stays positive.
# The bias has cancelled. And a pixel that is 0 can get relevance at last: *"there is no ink here"* is evidence too.
# Ask anyone who tells a three from an eight.

# %% solution="lrp-zb"
from vitrina_solutions.lrp import lrp_zb

# %% check="lrp-zb" points=2
check("lrp-zb", lrp_zb)

# %% [markdown]
# ## B5. Through the whole network
#
# You have the rule for one layer. A network is layers on layers:
#
# 1. **Up**: compute the activations and remember what entered each layer. A ReLU follows every layer but the last.
# 2. **Start**: the target's output holds its own logit as relevance, every other output holds 0.
# 3. **Down**: hand the relevance to the layer below with *your* `lrp_0`, until it reaches the pixels. A ReLU passes
#    relevance on unchanged.
#
# `dense_parameters(model)` gives `[(weights, bias), ...]` from the input up. The shapes will tell you when a step is
# missing: trust them.

# %% solution="lrp-network"
from vitrina_solutions.lrp import lrp_network

# %% check="lrp-network" points=4
check("lrp-network", lrp_network)

# %% [markdown]
# Rules may differ from layer to layer, and in practice they do. Below, your `lrp_network` explains the upper two
# layers; only the layer at the pixels changes its rule. **One network, one decision, four pictures.**
#
# Compare the paper around the digit in the last row with the rows above. What is blue there was sent down blue: LRP-0,
# in the layers above, hands out negative relevance too.

# %% readonly="four-rules"
with when_written():
    pixel_weights, pixel_bias = dense_parameters(network)[0]
    upper_weights, upper_biases = zip(*dense_parameters(network)[1:], strict=True)
    first_hidden = np.asarray(network.layers[0](threes), dtype=float)
    received = lrp_network(dense_network(upper_weights, upper_biases), first_hidden, 3)
    rules = {
        "LRP-0": lrp_0(threes, pixel_weights, pixel_bias, received),
        "LRP-ε\nε = 1": lrp_epsilon(threes, pixel_weights, pixel_bias, received, 1.0),
        "LRP-γ\nγ = 5": lrp_gamma(threes, pixel_weights, pixel_bias, received, 5.0),
        "$z^B$": lrp_zb(threes, pixel_weights, received, 0.0, 1.0),
    }
    display(show_attributions(threes, rules))

# %% [markdown]
# ## B6. Are these two pictures the same?
#
# Put Gradient × Input beside LRP-0. One differentiates, the other shares out. They were published by different
# people, for different reasons. Look closely.

# %% readonly="side-by-side"
with when_written():
    both = {"Gradient × Input": gradient_x_input(network, threes, 3), "LRP-0": lrp_network(network, threes, 3)}
    display(show_attributions(threes, both))

# %% [markdown]
# An eye is not a measurement. This is one:
#
# $$d(a, b) = \frac{\max_i |a_i - b_i|}{\max_i |b_i|}$$
#
# 0 means equal; 1 means that they differ by as much as the largest attribution. Rounding and the stabiliser alone leave
# $10^{-11}$ or less in double precision, and about $10^{-6}$ in single precision, which our MNIST network uses.

# %% solution="relative-difference"
from vitrina_solutions.lrp import relative_difference

# %% check="relative-difference" points=1
check("relative-difference", relative_difference)

# %% readonly="measure-mnist"
with when_written():
    d = relative_difference(lrp_network(network, threes, 3), gradient_x_input(network, threes, 3))
    print(f"LRP-0 against Gradient × Input on the digits: d = {d:.1e}")

# %% [markdown]
# ## B7. Is LRP equivalent to Gradient × Input?
#
# One network proves nothing. So here is an experiment: small networks in double precision, one thing changed at a
# time. The upper layer is always explained by LRP-0, the layer at the inputs by the rule that the line names. The
# second column asks another question: what part of the logit arrives at the inputs?
#
# **Predict first, then run.** Which lines will say 0?

# %% readonly="experiment"
rng = np.random.default_rng(4)
SAMPLES = rng.uniform(0, 1, (8, 12))
MATRICES = rng.normal(size=(12, 16)), rng.normal(size=(16, 4))
NO_BIAS, BIAS = (np.zeros(16), np.zeros(4)), (rng.normal(size=16), rng.normal(size=4))

relu, relu_bias = dense_network(MATRICES, NO_BIAS), dense_network(MATRICES, BIAS)
tanh = dense_network(MATRICES, NO_BIAS, activation="tanh")
relu_softmax = keras.Sequential([relu, keras.layers.Softmax(dtype="float64")])


def first_layer_by(rule, explained, *options):
    """Explain class 0: the upper layer by LRP-0, the layer at the inputs by another rule."""
    (first, first_bias), (second, second_bias) = dense_parameters(explained)
    between = np.asarray(explained.layers[0](SAMPLES))
    received = lrp_network(dense_network([second], [second_bias]), between, 0)
    return rule(SAMPLES, first, first_bias, received, *options)


def measure(name, explained, explanation, differentiated=None):
    """Return one line: the difference from Gradient × Input, and the part of the logit that arrives."""
    other = gradient_x_input(differentiated or explained, SAMPLES, 0)
    arrived = explanation.sum(axis=1) / np.asarray(explained(SAMPLES))[:, 0]
    arrives = "all of it" if np.allclose(arrived, 1) else f"{arrived.min():.2f} to {arrived.max():.2f} of it"
    return f"{name:52}{relative_difference(explanation, other):10.1e}   {arrives}"


with when_written():
    whole = lrp_network(relu, SAMPLES, 0)
    lines = [
        measure("ReLU, LRP-0, no bias", relu, whole),
        measure("ReLU, LRP-0, with bias", relu_bias, lrp_network(relu_bias, SAMPLES, 0)),
        measure("tanh, LRP-0", tanh, first_layer_by(lrp_0, tanh)),
        measure("ReLU, LRP-epsilon 0.1", relu, first_layer_by(lrp_epsilon, relu, 0.1)),
        measure("ReLU, LRP-gamma 0.25", relu, first_layer_by(lrp_gamma, relu, 0.25)),
        measure("ReLU, LRP-0 against the softmax's gradient x input", relu, whole, relu_softmax),
    ]
    print(f"{'':52}difference   how much of the logit arrives", *lines, sep="\n")

# %% [markdown]
# ## B8. What do you conclude?
#
# Replace each `...` by `"equal"` or `"different"`, the last one by `"yes"` or `"no"`. Two lines were **not** measured;
# there you need the reason, not the table.
#
# The check tells whether your answers can be read. Which are right you learn when the notebook is graded.

# %%
answers = {
    "ReLU, LRP-0, no bias": ...,
    "ReLU, LRP-0, with bias": ...,
    "tanh, LRP-0": ...,
    "ReLU, LRP-epsilon 0.1": ...,
    "ReLU, LRP-gamma 0.25": ...,
    "ReLU, LRP-0 against the softmax's gradient x input": ...,
    "not measured: leaky ReLU, LRP-0, with bias": ...,
    "not measured: sigmoid, LRP-0, no bias": ...,
    "with bias, does LRP-0 hand down the whole logit?": ...,
}

# %% check="lrp-equivalence" points=3
check("lrp-equivalence", answers)

# %% [markdown]
# ## B9. In your own words
#
# In at most 200 words, for a colleague who has not taken this course (one point each):
#
# 1. **Why** do LRP-0 and Gradient × Input agree on a ReLU network? Name the property of the activation that does it.
# 2. **When** does it break? Give one reason that lies in the network and one that lies in the rule or in the question.
# 3. **So what?** A paper shows LRP-0 heatmaps of a ReLU network as independent evidence that its Gradient × Input
#    heatmaps are right. What do you tell its authors, and what would you choose instead?

# %% [markdown] answer="why-equivalent" points=3
# In a layer both methods multiply $a_i w_{ik}$ by a factor that comes from above. Suppose that above they already
# agree: $R_k = g(z_k)\,\partial f/\partial a_k$. Then LRP-0's factor is $R_k / z_k = \frac{g(z_k)}{z_k}\,\partial
# f/\partial a_k$, and the chain rule's is $g'(z_k)\,\partial f/\partial a_k$. For a ReLU, $g(z)/z = g'(z)$: 1 where
# it is on and 0 where it is off. So they agree below too, and layer by layer down to the pixels. At the top they
# agree because both start from the logit. The bias changes nothing, since both methods use the same $z_k$; but its
# share is dropped, so the sum is no longer the logit.
#
# It breaks where $g(z)/z \neq g'(z)$ (tanh, sigmoid), where the rule changes the share (ε not small, γ, zᴮ), where the
# bias is left out of $z_k$ or shared out, and where the gradient is taken of the softmax.
#
# The two heatmaps are one computation done twice. Their agreement is no evidence of anything but correct code. For a
# second opinion take a method that can disagree (ε, γ or zᴮ rules, occlusion, Shapley values), and measure
# faithfulness.
#
# ### BEGIN MARK SCHEME
# **1 point, why**: names $g(z)/z = g'(z)$, positive homogeneity, or "locally linear through the origin", and uses it
# (half a point for "because ReLU is piecewise linear" without saying what follows).
#
# **1 point, when**: one reason of each kind, half a point each. Network: tanh, sigmoid, ELU, softplus, gates. Rule or
# question: ε not small, γ, zᴮ, bias left out of the denominator or redistributed, softmax instead of logit. "With a
# bias they differ" is wrong and gets nothing here: conservation fails, equality does not.
#
# **1 point, so what**: the two maps are not independent (half), and a choice that could have disagreed, with a reason
# (half).
# ### END MARK SCHEME

# %% [markdown]
# # Part C. Images and memory: a rule for every layer
#
# ## A network that sees
#
# Pixels have neighbours, and a convolutional network knows it. This one has two convolutions of 5 × 5 with 8 and 16
# channels, a ReLU and a max pooling after each, and ten logits on top. It takes images of shape (28, 28, 1).

# %% readonly="cnn"
for layer in cnn.layers:
    print(f"{type(layer).__name__:14}{layer.output.shape}")

# %% [markdown]
# ## C1. Max pooling: the winner takes all
#
# A window of four activations becomes one, the largest. Who should get its relevance? The other three could have been
# anything smaller, and nothing would have changed. So the winner takes all.

# %% solution="lrp-max-pool"
from vitrina_solutions.lrp_convolution import lrp_max_pool

# %% check="lrp-max-pool" points=2
check("lrp-max-pool", lrp_max_pool)

# %% [markdown]
# ## C2. Average pooling: everybody has a share
#
# An average is a Dense layer whose weights are all the same. You know its rule: in proportion to the contribution. The
# common factor cancels, and each activation takes its share of the window's sum.

# %% solution="lrp-average-pool"
from vitrina_solutions.lrp_convolution import lrp_average_pool

# %% check="lrp-average-pool" points=1
check("lrp-average-pool", lrp_average_pool)

# %% [markdown]
# ## C3. A convolution is a Dense layer, many times
#
# At each place a convolution looks at a window: the window's values are the inputs, the kernel holds the weights, the
# channels are the outputs. **It is the same Dense layer everywhere.** So you already have its rule; what is new is only
# that windows overlap. A pixel lies in several of them and collects what each gives it.

# %% solution="lrp-conv"
from vitrina_solutions.lrp_convolution import lrp_conv

# %% check="lrp-conv" points=3
check("lrp-conv", lrp_conv)

# %% [markdown]
# ## C4. And at the pixels
#
# The lowest convolution sees pixels, and pixels have bounds. Same windows, other rule.

# %% solution="lrp-conv-zb"
from vitrina_solutions.lrp_convolution import lrp_conv_zb

# %% check="lrp-conv-zb" points=1
check("lrp-conv-zb", lrp_conv_zb)

# %% [markdown]
# ## C5. The composite
#
# Practice has settled on a different rule for each height of the network. At the top, contradictory evidence is
# absorbed (ε). In the convolutions, evidence in favour leads (γ). At the pixels, bounds are known ($z^B$). Such a
# recipe is called a **composite**. All its parts are yours already: walk down the layers and pick.

# %% solution="lrp-cnn"
from vitrina_solutions.lrp_convolution import lrp_cnn

# %% check="lrp-cnn" points=4
check("lrp-cnn", lrp_cnn)

# %% readonly="lrp-cnn-figure"
with when_written():
    composite = {
        "why a three?": lrp_cnn(cnn, pictures, 3, 0.1, 1.0),
        "why an eight?": lrp_cnn(cnn, pictures, 8, 0.1, 1.0),
        "Gradient × Input\nfor the three": gradient_x_input(cnn, pictures, 3),
    }
    display(show_attributions(pictures, composite))
    for name, relevance in composite.items():
        on_paper = np.abs(relevance[pictures == 0]).sum() / np.abs(relevance).sum()
        print(f"{name.splitlines()[0]:20}{on_paper:4.0%} of the relevance lies on bare paper")

# %% [markdown]
# A good part of the relevance lies where there is no ink: **missing** ink is evidence too. Find the open left side of
# the first three, where an eight would be closed. Gradient × Input can never say this, as it gives bare paper nothing.

# %% [markdown]
# ## C6. Memory: the signal takes all
#
# A recurrent network multiplies. In an LSTM the new memory is $c = f \cdot m + i \cdot g$: the old memory $m$ as far as
# the forget gate $f$ lets it through, plus the candidate $g$ as far as the input gate $i$ does. LRP knows how to share
# a *sum*. For a *product* a choice is needed, and the usual one is: **the signal takes all**. A gate decides how much
# passes; what passes is the signal.

# %% solution="lrp-lstm-memory"
from vitrina_solutions.lrp_convolution import lrp_lstm_memory

# %% check="lrp-lstm-memory" points=1
check("lrp-lstm-memory", lrp_lstm_memory)

# %% [markdown]
# A memory of one unit reads six words. The last one makes it forget almost everything. Which words is the memory at the
# end made of? Send its value back through time, step by step, with your function.

# %% readonly="memory"
WORDS = ["the", "plot", "is", "dull", ",", "brilliant"]
FORGET, ADMIT = np.array([0.9, 0.9, 0.9, 0.9, 0.9, 0.2]), np.array([0.1, 0.4, 0.1, 0.9, 0.1, 0.9])
CANDIDATE = np.array([0.1, 0.3, 0.1, -0.9, 0.0, 0.8])
with when_written():
    memories = [0.0]
    for f, i, g in zip(FORGET, ADMIT, CANDIDATE, strict=True):
        memories.append(f * memories[-1] + i * g)
    left, shares = np.array([[memories[-1]]]), []
    for f, m, i, g in zip(FORGET[::-1], memories[-2::-1], ADMIT[::-1], CANDIDATE[::-1], strict=True):
        left, share = lrp_lstm_memory(*(np.array([[value]]) for value in (f, m, i, g)), left, 1e-6)
        shares.append(share[0, 0])
    for word, share in zip(WORDS, shares[::-1], strict=True):
        print(f"{word:12}{share:+.3f}   " + ("+" if share > 0 else "-") * round(40 * abs(share)))
    print(f"{'together':12}{sum(shares):+.3f}   the memory at the end: {memories[-1]:+.3f}")

# %% [markdown]
# # Part D. Second opinions, and who is right
#
# ## D1. Occlusion
#
# No gradient, no relevance, no look inside: cover a part of the image and ask again. If the logit falls, the part spoke
# for the class. Anybody understands this explanation at once. Its price is one call of the network for each window.

# %% solution="occlusion"
from vitrina_solutions.second_opinions import occlusion

# %% check="occlusion" points=2
check("occlusion", occlusion)

# %% [markdown]
# ## D2. Grad-CAM
#
# The last convolution has 16 feature maps, each of which has found something somewhere. Grad-CAM weighs each map by how
# much the class wants it: the mean of the gradient over the map. Then it keeps what speaks for the class.
#
# $$\alpha_k = \frac{1}{hw} \sum_{\text{places}} \frac{\partial f_c}{\partial A_k} \qquad\qquad
# \text{map} = \max\Big(\sum_k \alpha_k A_k,\; 0\Big)$$

# %% solution="grad-cam"
from vitrina_solutions.second_opinions import grad_cam

# %% check="grad-cam" points=2
check("grad-cam", grad_cam)


# %% readonly="second-opinions"
def last_convolution(images, target):
    """Return what the last convolution gives, and the gradient of the target's logit with respect to it."""
    maps = cnn.layers[2](cnn.layers[1](cnn.layers[0](images)))
    with tf.GradientTape() as tape:
        tape.watch(maps)
        values = maps
        for layer in cnn.layers[3:]:
            values = layer(values)
        logit = values[:, target]
    return maps.numpy(), tape.gradient(logit, maps).numpy()


with when_written():
    coarse = grad_cam(*last_convolution(pictures, 3))
    second = {
        "LRP\ncomposite": lrp_cnn(cnn, pictures, 3, 0.1, 1.0),
        "occlusion\n4 × 4": occlusion(cnn, pictures, 3, 4, 0.0),
        "Grad-CAM": tf.image.resize(coarse[..., None], (28, 28)).numpy(),
    }
    display(show_attributions(pictures, second))

# %% [markdown]
# Three careful methods, one network, one decision, and three pictures that do not agree in detail. Whom do you believe?

# %% [markdown]
# ## D3. Put it to the test: a deletion curve
#
# If an explanation is right about what matters, then taking away what it calls important must hurt. So take away the
# most relevant pixels first, a few at a time, and watch the probability of the class. **The faster it falls, the better
# the explanation knew the network.** Here the softmax is at its place: we measure the decision, we do not explain it.
#
# What does a pixel become when it is "taken away"? That is a choice too, `replacement`. It will matter.

# %% solution="deletion-curve"
from vitrina_solutions.second_opinions import deletion_curve

# %% check="deletion-curve" points=3
check("deletion-curve", deletion_curve)

# %% [markdown]
# ## D4. One number
#
# Curves are for looking, numbers for comparing. The **AOPC**, the area over the perturbation curve, is the mean fall
# over all points of a curve:
#
# $$\mathrm{AOPC} = \Big\langle \frac{1}{L + 1} \sum_{k=0}^{L} \big(p_0 - p_k\big) \Big\rangle_{\text{samples}}$$

# %% solution="aopc"
from vitrina_solutions.second_opinions import aopc

# %% check="aopc" points=1
check("aopc", aopc)

# %% [markdown]
# ## D5. A contest
#
# Sixty threes, the network of Dense layers, four explanations, 200 pixels taken away in ten steps. Twice: once a pixel
# becomes **paper**, once it becomes **noise**. *LRP with $z^B$* is LRP-0 above and $z^B$ at the pixels, as in part B.
#
# **Predict first, then run.** Who wins?

# %% readonly="contest"
with when_written():
    judged = all_threes[:60]
    entering = np.asarray(network.layers[0](judged), dtype=float)
    handed = lrp_network(dense_network(upper_weights, upper_biases), entering, 3)
    contestants = {
        "random order": np.random.default_rng(0).random(judged.shape),
        "saliency": saliency(network, judged, 3),
        "gradient x input": gradient_x_input(network, judged, 3),
        "LRP with z^B": lrp_zb(judged, pixel_weights, handed, 0.0, 1.0),
    }
    replacements = {
        "paper": np.zeros_like(judged),
        "noise": np.random.default_rng(1).random(judged.shape, np.float32),
    }
    figure, panels = plt.subplots(1, 2, figsize=(9, 3), sharey=True)
    print(f"AOPC{'':16}" + "".join(f"{place:>10}" for place in replacements))
    scores = {name: [] for name in contestants}
    for panel, (place, values) in zip(panels, replacements.items(), strict=True):
        for name, relevance in contestants.items():
            curves = deletion_curve(network, judged, 3, relevance, values, 20, 10)
            panel.plot(20 * np.arange(11), curves.mean(axis=0), label=name)
            scores[name].append(aopc(curves))
        panel.set(title=f"pixels become {place}", xlabel="pixels replaced", ylim=(0, 1.03))
    panels[0].set_ylabel("probability of 'three'")
    panels[1].legend(fontsize=8)
    for name, row in scores.items():
        print(f"{name:20}" + "".join(f"{score:10.2f}" for score in row))
    plt.show()

# %% [markdown]
# ## D6. What do you conclude?
#
# Replace each `...`. The first two by the name of a method as it stands in the table, the others by one of the answers
# behind the question. What was **not** measured needs a reason, not the table.

# %%
verdicts = {
    "paper: the steepest curve": ...,
    "noise: the steepest curve": ...,
    "paper: is gradient x input ahead of saliency?": ...,  # "yes" or "no"
    "does one method win under both replacements?": ...,  # "yes" or "no"
    "not measured: LRP-0 against gradient x input": ...,  # "the same curve" or "another curve"
    "is the steepest curve also the picture that convinces people most?": ...,  # "yes", "no" or "the curve cannot tell"
    "weights are drawn anew and the picture stays: what does it show?": ...,  # "the network" or "the image"
}

# %% check="judging" points=3
check("judging", verdicts)

# %% [markdown]
# ## D7. In your own words
#
# A colleague has written a new explanation method. In her paper it beats all others by AOPC, with pixels set to black.
# May she call it "the most faithful explanation"? Answer her in at most 200 words (one point each):
#
# 1. **Why** can the winner change with the replacement? Explain it by what happened in D5.
# 2. **What else** should she measure or show before she claims it? Name two things, and what each would rule out.
# 3. **What does it not say?** What would the claim not tell a user of the network even if it were true?

# %% [markdown] answer="most-faithful" points=3
# Setting pixels to black removes ink. Gradient × Input gives bare paper exactly 0, so its ranking begins with inked
# pixels, the only ones that black can change: it is made for this test. A ranking by $z^B$ also holds empty pixels, and
# "replacing" those by black does nothing, so its curve looks flat. Noise writes into empty pixels: now those that had
# to stay empty matter, which Gradient × Input cannot rank. The replacement also makes images that the network has never
# seen, so part of each fall is surprise and not evidence.
#
# She should use several replacements (black, noise, inverted, inpainted) and report all of them; compare with simple
# baselines such as random order and ink itself; repeat with other seeds and networks; check by parameter randomisation
# that the map depends on the network; measure completeness or insertion curves as well.
#
# Faithful means: true to this network. It says nothing about whether the network is right, whether it uses the features
# that a person would accept, or whether people understand the map.
#
# ### BEGIN MARK SCHEME
# **1 point, why**: Gradient × Input ranks only inked pixels and black changes only inked pixels (half a point for "it
# depends on the baseline" without the mechanism); noise changes empty pixels, which $z^B$ ranks. Unseen images
# alone: half.
#
# **1 point, what else**: two of: several replacements, a random or intensity baseline, other seeds or networks,
# parameter randomisation, insertion or another measure; each with what it would rule out (half a point each).
#
# **1 point, what it does not say**: faithful to the network is neither right about the world nor plausible to people; a
# biased network is explained faithfully as a biased one.
# ### END MARK SCHEME

# %% [markdown]
# ## What you have learnt
#
# - Saliency says what would **change** the answer; Gradient × Input says, to first order, what it is **made of**.
#   Integrated Gradients and DeepLIFT look at the whole way from a baseline, and so they see past saturation.
# - LRP shares relevance out, layer by layer. The rule is a choice, and each choice has a price: LRP-0 is loud, ε loses
#   relevance, γ tones down the evidence against, $z^B$ needs bounds. A composite picks a rule for each layer.
# - A convolution is a Dense layer at every place; at pooling the winner takes all; at a product the signal does.
# - A sum that comes out right is one test of an explanation, not a proof of it. Equal pictures can fail that test
#   together.
# - Before you believe that two methods confirm each other, find out whether they *could* have disagreed. And before you
#   believe a contest, ask who wrote its rules.
#
# ### References
#
# - Simonyan, Vedaldi and Zisserman (2014). Deep inside convolutional networks. arXiv 1312.6034. *Saliency.*
# - Zeiler and Fergus (2014). Visualizing and understanding convolutional networks. doi 10.1007/978-3-319-10590-1_53.
#   *Occlusion.*
# - Bach et al. (2015). On pixel-wise explanations for non-linear classifier decisions by layer-wise relevance
#   propagation. doi 10.1371/journal.pone.0130140. *LRP and conservation.*
# - Shrikumar et al. (2016). Not just a black box. arXiv 1605.01713; and Kindermans et al. (2016). Investigating the
#   influence of noise and distractors on the interpretation of neural networks. arXiv 1611.07270. *On ReLU networks LRP
#   reduces to Gradient × Input.*
# - Montavon et al. (2017). Explaining nonlinear classification decisions with deep Taylor decomposition.
#   doi 10.1016/j.patcog.2016.11.008. *The $z^B$ rule.*
# - Samek et al. (2017). Evaluating the visualization of what a deep neural network has learned.
#   doi 10.1109/TNNLS.2016.2599820. *Deletion curves and AOPC.*
# - Sundararajan, Taly and Yan (2017). Axiomatic attribution for deep networks. arXiv 1703.01365. *Integrated
#   Gradients.*
# - Shrikumar, Greenside and Kundaje (2017). Learning important features through propagating activation differences.
#   arXiv 1704.02685. *DeepLIFT.*
# - Smilkov et al. (2017). SmoothGrad: removing noise by adding noise. arXiv 1706.03825.
# - Selvaraju et al. (2017). Grad-CAM: visual explanations from deep networks. arXiv 1610.02391.
# - Arras et al. (2017). Explaining recurrent neural network predictions in sentiment analysis.
#   doi 10.18653/v1/W17-5221. *The signal takes all.*
# - Ancona et al. (2018). Towards better understanding of gradient-based attribution methods for deep neural networks.
#   arXiv 1711.06104. *Why: $g(z)/z$ in the place of $g'(z)$.*
# - Adebayo et al. (2018). Sanity checks for saliency maps. arXiv 1810.03292. *Does the picture depend on the network?*
# - Montavon et al. (2019). Layer-wise relevance propagation: an overview. doi 10.1007/978-3-030-28954-6_10.
