# %% [markdown]
# # Gradient × Input and layer-wise relevance propagation
#
# A network looks at 784 pixels and says "three". **Which pixels made it say so?** In this notebook you write eight
# small functions that answer, and then you ask them a harder question: are they really different answers?
#
# When you are done you will be able to
#
# - read an explanation from a gradient, and say what it measures and what it does not;
# - send relevance back through a network, layer by layer, with five different rules;
# - test with an experiment whether two methods are one method with two names.

# %% [markdown]
# ## How it works
#
# 1. Fill each function where it says `YOUR CODE HERE`. Its docstring is the specification.
# 2. Run the `check` cell below it. You get an answer in a second or two: what passed, what was expected, and often
#    which mistake you made. Check as often as you like. **○ not answered yet** only means that you have not begun.
# 3. The check uses public cases. Grading asks the same questions about other numbers, drawn for you alone.
# 4. Figures come alive as you write. A figure that needs a missing function says so; *Run All* always reaches the end.
# 5. Submit this notebook. It is worth **25 points**: 22 by checks, 3 for an answer in your own words, read by a person.
#
# Write with NumPy and TensorFlow. The kit's own methods (`vitrina.explain`) are not there while your work is graded.

# %% readonly="setup"
from vitrina import check, quiet, when_written

with quiet():  # TensorFlow has much to say when it starts, and nothing that you need
    import keras
    import tensorflow as tf

import numpy as np
from IPython.display import display

from vitrina.models import dense_network, dense_parameters, load_network
from vitrina.plots import show_attributions
from vitrina_datasets import mnist

print("TensorFlow", tf.__version__, "and Keras", keras.__version__)

# %% [markdown]
# ## The digits and the network
#
# The digits are 5,000 real MNIST *training* images: 4,000 trained the network, 1,000 were held out. The split is our
# own and fixed, and MNIST's official test set is not touched, so **the accuracy below is not an "MNIST accuracy"** that
# you could compare with a paper.
#
# The network is small enough to take apart: 784 pixels, two ReLU layers of 128 and 64 units, ten **logits**. There is
# no softmax at the end. A pixel is 0 for paper and 1 for ink.

# %% readonly="data"
data = mnist.load()
network = load_network("mnist_network.npz")

guesses = np.argmax(network(data.holdout_images), axis=1)
print(f"Hold-out accuracy: {np.mean(guesses == data.holdout_labels):.1%} of {len(guesses)} images")

threes = data.holdout_images[(data.holdout_labels == 3) & (guesses == 3)][:6]
show_attributions(threes, {}, titles=["a three"] * 6)

# %% [markdown]
# ## 1. Saliency
#
# Wiggle one pixel a little. How much does the answer move? A pixel that moves it a lot is *salient*.
#
# "The answer" is the **logit** $f_c$ of the class $c$ that you want explained. Not the softmax probability: the softmax
# ties all classes together, so a pixel may look important for "three" only because it hurts "eight".
#
# $$S_i(x) = \left|\frac{\partial f_c(x)}{\partial x_i}\right|$$
#
# `target` is $c$, any class, also one that lost. "Why not an eight?" is a good question.

# %% solution="saliency"
from vitrina_solutions.gradients import saliency

# %% check="saliency" points=2
check("saliency", saliency)

# %% readonly="saliency-figure"
with when_written():
    display(show_attributions(threes, {"saliency": saliency(network, threes, 3)}))

# %% [markdown]
# Saliency is noisy, and it is strong on bare paper as well. It tells how the answer **would change**, not what it is
# **made of**.

# %% [markdown]
# ## 2. Gradient × Input
#
# If a salary rises by 10 euros per hour, how much of it comes from hours? You must also ask how many hours there were.
# A sensitivity becomes a contribution once it is multiplied by how much was there:
#
# $$R_i(x) = x_i \, \frac{\partial f_c(x)}{\partial x_i}$$
#
# Now signs matter. Positive speaks *for* the class, negative *against* it. Bare paper ($x_i = 0$) gets exactly nothing,
# whatever the network thinks of it.
#
# On a ReLU network without biases the contributions add up to the logit. This is **completeness**.

# %% solution="gradient-x-input"
from vitrina_solutions.gradients import gradient_x_input

# %% check="gradient-x-input" points=2
check("gradient-x-input", gradient_x_input)

# %% readonly="gradient-x-input-figure"
with when_written():
    contrast = {
        "why a three?": gradient_x_input(network, threes, 3),
        "why an eight?": gradient_x_input(network, threes, 8),
    }
    display(show_attributions(threes, contrast))

# %% [markdown]
# ## 3. LRP-0: share by contribution
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
# ## 4. LRP-ε: let weak evidence fade
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
# ## 5. LRP-γ: favour the evidence in favour
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
# ## 6. The $z^B$ rule: also bare paper speaks
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

# %% check="lrp-zb" points=3
check("lrp-zb", lrp_zb)

# %% [markdown]
# ## 7. Through the whole network
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
# ## 8. Are these two pictures the same?
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
# ## 9. Is LRP equivalent to Gradient × Input?
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
# ### What do you conclude?
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
# ## 10. In your own words
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
# ## What you have learnt
#
# - Saliency says what would **change** the answer; Gradient × Input says, to first order, what it is **made of**.
# - LRP shares relevance out, layer by layer. The rule is a choice, and each choice has a price: LRP-0 is loud, ε loses
#   relevance, γ tones down the evidence against, $z^B$ needs bounds.
# - A sum that comes out right is one test of an explanation, not a proof of it. Equal pictures can fail that test
#   together.
# - Before you believe that two methods confirm each other, find out whether they *could* have disagreed.
#
# ### References
#
# - Simonyan, Vedaldi and Zisserman (2014). Deep inside convolutional networks. arXiv 1312.6034. *Saliency.*
# - Bach et al. (2015). On pixel-wise explanations for non-linear classifier decisions by layer-wise relevance
#   propagation. doi 10.1371/journal.pone.0130140. *LRP and conservation.*
# - Shrikumar et al. (2016). Not just a black box. arXiv 1605.01713; and Kindermans et al. (2016). Investigating the
#   influence of noise and distractors on the interpretation of neural networks. arXiv 1611.07270. *On ReLU networks LRP
#   reduces to Gradient × Input.*
# - Montavon et al. (2017). Explaining nonlinear classification decisions with deep Taylor decomposition.
#   doi 10.1016/j.patcog.2016.11.008. *The $z^B$ rule.*
# - Ancona et al. (2018). Towards better understanding of gradient-based attribution methods for deep neural networks.
#   arXiv 1711.06104. *Why: $g(z)/z$ in the place of $g'(z)$.*
# - Montavon et al. (2019). Layer-wise relevance propagation: an overview. doi 10.1007/978-3-030-28954-6_10.
