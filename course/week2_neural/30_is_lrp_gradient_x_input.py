# %% [markdown]
# # Is LRP Gradient × Input?
#
# Two witnesses tell the same story, word for word. Either it is true, or they have talked to each other. Lessons 10 and
# 20 gave you two witnesses, with different authors and different reasons: one differentiates, the other shares out.
# **Are they independent?**
#
# When you are done you will be able to
#
# - prove in four lines when LRP-0 and Gradient × Input are one method, and name the property that does it;
# - test such a claim by an experiment that changes one thing at a time;
# - say where the equality breaks: activations, rules, biases, gates;
# - explain why biases leave the equality alone but not the conservation;
# - judge what "both methods agree" is worth as evidence.

# %%
from functools import cache
from itertools import pairwise

from vitrina import quiet

with quiet():  # TensorFlow has much to say when it starts, and nothing that you need
    import keras

import matplotlib.pyplot as plt
import numpy as np

from vitrina.explain import LRP_0, alpha_beta, epsilon, gamma, gradient_x_input, lrp, z_plus
from vitrina.models import dense_network
from vitrina.plots import show_attributions
from vitrina.quick import quick, right, wrong
from vitrina.trained import mnist_network
from vitrina_datasets import mnist

# %% [markdown]
# ## The two stories
#
# The course's MNIST network, with biases, as in lesson 10. To measure how far apart two maps are, we divide the length
# of their difference by the length of the second one: 0 is equal, 1 is as far apart as a map from nothing at all.


# %%
def apart(maps, others):
    """How far apart two sets of maps are, from 0 for equal ones."""
    return np.linalg.norm(maps - others) / np.linalg.norm(others)


data = mnist.load()
network = mnist_network()
guesses = np.asarray(network(data.holdout_images)).argmax(axis=1)
known = np.flatnonzero(guesses == data.holdout_labels)[:6]
digits, classes = data.holdout_images[known], guesses[known]
stories = {"Gradient ×\nInput": gradient_x_input(network, digits, classes), "LRP-0": lrp(network, digits, classes)}
first, second = stories.values()
print(f"apart by {apart(second, first):.0e}, in single precision")
show_attributions(digits, stories, titles=list(classes))

# %% [markdown]
# ## Predict first
#
# The network has ReLUs. Before you read on, decide what you believe.

# %%
quick(
    "Which change would make the two maps differ?",
    wrong("Larger biases", "A good guess, and most people's. Wait for the experiment."),
    right("tanh in the place of ReLU", "tanh bends. You will see below why that is what counts."),
    wrong(
        "Leaky ReLU in the place of ReLU",
        "It has a kink as well, but it does not bend: both halves are lines through 0.",
    ),
    wrong("Twice as many layers", "If one layer keeps the two equal, any number of them does."),
)

# %% [markdown]
# ## The proof
#
# A layer computes $z_k = \sum_i a_i w_{ik} + b_k$ and passes on $g(z_k)$. Write
# $\delta_k = \partial f_c / \partial g(z_k)$ for the gradient that arrives from above. Going down one layer,
#
# $$\text{Gradient × Input:} \quad a_i \sum_k w_{ik}\; g'(z_k)\; \delta_k
# \qquad\qquad
# \text{LRP-0:} \quad a_i \sum_k w_{ik}\; \frac{R_k}{z_k}$$
#
# 1. At the top they agree: the logit $f_c$ has relevance $f_c$, which is $f_c \cdot \partial f_c / \partial f_c$.
# 2. Suppose that they agree above: $R_k = g(z_k)\, \delta_k$.
# 3. Then LRP-0 hands down $a_i \sum_k w_{ik}\, \dfrac{g(z_k)}{z_k}\, \delta_k$.
# 4. So they agree below if $\dfrac{g(z)}{z} = g'(z)$, and that holds down to the pixels.
#
# The slope from the origin must be the slope of the curve. A ReLU does it: both are 1 where it is on and 0 where it is
# off. Functions with $g(tz) = t\,g(z)$ for $t > 0$ (*positively homogeneous*) do it, and no others. Ancona et al.
# (2018) put it like this: LRP is backpropagation with $g(z)/z$ in the place of $g'(z)$.

# %%
functions = ["relu", "leaky_relu", "elu", "tanh", "softplus", "sigmoid"]
z = np.linspace(-4, 4, 400)
figure, panels = plt.subplots(2, 3, figsize=(9, 4.6), sharex=True, sharey=True)
for panel, name in zip(panels.flat, functions, strict=True):
    values = np.asarray(getattr(keras.activations, name)(z))
    panel.axhline(0, color="0.8", linewidth=0.8)
    panel.plot(z, np.gradient(values, z), color="tab:blue", linewidth=3, alpha=0.5, label="$g'(z)$")
    panel.plot(z, np.where(np.abs(z) > 0.02, values / z, np.nan), "--", color="tab:red", label="$g(z)/z$")
    panel.set(title=name, ylim=(-1, 1.6))
panels[0, 0].legend(fontsize=8)
for panel in panels[1]:
    panel.set_xlabel("$z$")
figure.tight_layout()

# %% [markdown]
# Where the dashed line lies on the other, the methods are one. ELU and tanh agree near 0 and part where they bend.
# softplus and sigmoid are worst near 0: there $g(0) \neq 0$, and $g(z)/z$ has a pole.
#
# ## The experiment
#
# One network proves nothing, and a proof deserves a test. Small networks in double precision, 20 inputs, layers of 16
# and 12 units, 5 outputs, **five draws** of the weights each; one thing changed at a time. `apart` is what separates
# LRP from Gradient × Input; `arrives` is the part of the logits that arrives at the inputs (median over samples).

# %%
SIZES = [20, 16, 12, 5]
SEEDS = range(5)


@cache
def draw(seed, activation="relu", bias=0.0):
    """Draw a network and 30 samples for it."""
    generator = np.random.default_rng(seed)
    shapes = list(pairwise(SIZES))
    weights = [generator.normal(size=shape) / np.sqrt(shape[0]) for shape in shapes]
    biases = [bias * generator.normal(size=n) for _, n in shapes]
    return dense_network(weights, biases, activation), generator.normal(size=(30, SIZES[0]))


def measure(rules=LRP_0, bias_rule="keep", **options):
    """Return for each draw how far apart the methods are, and what part of the logits arrives."""
    results = []
    for seed in SEEDS:
        model, samples = draw(seed, **options)
        relevance = lrp(model, samples, 0, rules=rules, bias=bias_rule)
        arrives = relevance.sum(axis=1) / np.asarray(model(samples))[:, 0]
        results.append((apart(relevance, gradient_x_input(model, samples, 0)), np.median(arrives)))
    return np.array(results).T


def line(name, **options):
    """Print one line of the table."""
    distance, arrives = measure(**options)
    print(f"{name:36} {distance.min():8.0e} to {distance.max():7.0e}   {arrives.min():6.2f} to {arrives.max():5.2f}")


print(f"{'':36} {'apart':>13} {'arrives':>21}")
for function in functions:
    line(f"{function}, no biases", activation=function)
line("relu, biases", bias=1.0)
line("leaky_relu, biases", bias=1.0, activation="leaky_relu")
line("relu, biases, left out of z", bias=1.0, bias_rule="ignore")
for name, rule in {
    "relu, ε = 1e-6": epsilon(1e-6),
    "relu, ε = 0.1": epsilon(0.1),
    "relu, γ = 0.25": gamma(0.25),
    "relu, z⁺": z_plus(),
    "relu, α 2 β 1": alpha_beta(2, 1),
}.items():
    line(name + ", no biases", rules=rule)

# %% [markdown]
# Read the table by groups.
#
# - **Activations.** ReLU and leaky ReLU: apart by rounding only, in every draw. All others: not equal, as predicted.
# - **Biases.** ReLU with biases: *still equal*. But look at the last columns: what arrives is no longer the logit.
# - **Rules.** Every rule but LRP-0 leaves Gradient × Input. That is what the rules are for.
#
# ## Why biases keep the equality and break the conservation
#
# Look at the proof again: the bias is inside $z_k$, and both methods use the same $z_k$. Nothing in the four lines
# asked for $b_k = 0$. Conservation did: the shares of a unit's inputs add up to
# $\sum_i a_i w_{ik} / z_k = 1 - b_k / z_k$.
#
# You can have conservation back by leaving the biases out of all denominators. Then the equality goes: the shares
# belong to a network that nobody ran. **With biases you can have one or the other.**

# %%
figure, panels = plt.subplots(1, 3, figsize=(10, 3.4))
for panel, (name, size, bias_rule) in zip(
    panels,
    [("no biases", 0.0, "keep"), ("biases kept in $z$", 1.0, "keep"), ("biases left out of $z$", 1.0, "ignore")],
    strict=True,
):
    model, samples = draw(0, bias=size)
    relevance, product = lrp(model, samples, 0, bias=bias_rule), gradient_x_input(model, samples, 0)
    answers = np.asarray(model(samples))[:, 0]
    panel.plot(answers, answers, color="0.7", label="conservation")
    panel.plot(answers, relevance.sum(axis=1), "o", color="tab:red", label="LRP-0")
    panel.plot(answers, product.sum(axis=1), "x", color="black", label="Gradient × Input")
    panel.set(title=f"{name}\napart by {apart(relevance, product):.0e}", xlabel="logit")
panels[0].set_ylabel("sum of the attributions")
panels[0].legend(fontsize=8)
figure.tight_layout()

# %% [markdown]
# Left: both methods, and both sums are the logit. Middle: the crosses still sit in the circles, but off the line.
# Right: the circles are back on the line, and the crosses have left them.

# %%
quick(
    "A paper writes: 'Our network has biases, so LRP-0 and Gradient × Input differ.' What do you answer?",
    wrong(
        "True, the bias takes a share in LRP only", "The share is dropped; what the inputs get is the same as before."
    ),
    right(
        "They are equal all the same; it is the sum that is not the logit",
        "Both use the same $z_k$, so each input gets the same. Only conservation needs biases of 0.",
    ),
    wrong("It depends on how large the biases are", "Equality holds for any size. What is missing from the sum grows."),
)

# %% [markdown]
# ## From one method to another, by a knob
#
# ε and γ start at LRP-0, which is Gradient × Input, and lead away from it. Turn the knobs and watch both columns of the
# table. The bands are the five draws.

# %%
figure, panels = plt.subplots(1, 2, figsize=(9, 3.4), sharey=True)
for panel, (name, make, values) in zip(
    panels,
    [("ε", epsilon, np.logspace(-4, 1, 11)), ("γ", gamma, np.logspace(-3, 2, 11))],
    strict=True,
):
    results = np.array([measure(rules=make(value)) for value in values])  # (values, 2, draws)
    for column, (label, colour) in enumerate([("apart", "tab:red"), ("arrives", "tab:blue")]):
        panel.fill_between(
            values, results[:, column].min(axis=1), results[:, column].max(axis=1), color=colour, alpha=0.25
        )
        panel.plot(values, np.median(results[:, column], axis=1), "o-", color=colour, label=label)
    panel.set(xscale="log", xlabel=name, ylim=(-0.05, 1.15))
panels[0].legend()
figure.tight_layout()

# %% [markdown]
# ε pays in relevance: as the methods part, less and less arrives. At the end the map is empty, which is what `apart` of
# 1 says. γ pays nothing: everything arrives, but it becomes another explanation.
#
# ## Other layers
#
# The proof only needs that a layer is linear in its inputs, or picks one of them. So convolution, average pooling, max
# pooling (winner takes all), batch normalisation (folded) and residual sums all keep the equality. Products do not: an
# LSTM multiplies a gate with a signal; the gradient gives something to both, LRP gives all to the signal.

# %%
L = keras.layers
keras.config.set_floatx("float64")
keras.config.set_dtype_policy("float64")
keras.utils.set_random_seed(0)
image = keras.Input((12, 12, 2))
convolved = L.Conv2D(4, 3, padding="same", activation="relu", bias_initializer="random_normal")(image)
block = L.BatchNormalization(gamma_initializer="random_normal", beta_initializer="random_normal")(
    L.Conv2D(4, 3, padding="same")(convolved)
)
pooled = L.AveragePooling2D(2)(L.MaxPooling2D(2)(L.ReLU()(L.Add()([convolved, block]))))
residual = keras.Model(image, L.Dense(3)(L.Flatten()(pooled)))
gated = keras.Sequential([keras.Input((8, 4)), L.LSTM(6), L.Dense(3)])
plain = keras.Sequential([keras.Input((8, 4)), L.SimpleRNN(6, activation="relu"), L.Dense(3)])
generator = np.random.default_rng(0)
for name, model in {"residual CNN with batch norm": residual, "ReLU RNN": plain, "LSTM": gated}.items():
    samples = generator.normal(size=(20, *model.input_shape[1:]))
    distance = apart(lrp(model, samples, 0), gradient_x_input(model, samples, 0))
    print(f"{name:30} apart by {distance:.0e}")
keras.config.set_floatx("float32")
keras.config.set_dtype_policy("float32")

# %%
quick(
    "On a ReLU CNN, LRP-0 maps and Gradient × Input maps agree. What is that evidence of?",
    wrong("That the explanation is right", "Two names for one computation cannot confirm each other."),
    right("That both were implemented correctly", "Use it as a test of code. It tests nothing else."),
    wrong(
        "That the network is robust", "It holds for every ReLU network, also one with random weights: we used those."
    ),
)

# %% [markdown]
# ## What goes wrong in practice
#
# - **Counting one method twice.** A comparison of "five methods" may hold LRP-0, ε with a tiny ε, Gradient × Input and
#   DeepLIFT with a baseline of 0: on a ReLU network without biases, these are one.
# - **Asking different questions.** Gradient of the *probability* against LRP of the *logit*: they differ, and it says
#   nothing about the methods.
# - **Single precision.** LRP-0 divides by sums that may be almost 0. In the first figure the maps are apart by
#   rounding; leave the biases out, and in an unlucky unit rounding can grow large. Test equalities in double precision.
# - **Trusting a proof more than its premises.** "LRP equals Gradient × Input" is quoted for tanh networks and for γ.
#   You have seen the lines of the table.
#
# ## What you have learnt
#
# - LRP-0 is Gradient × Input wherever $g(z)/z = g'(z)$: on ReLU networks it adds nothing to a gradient.
# - Biases keep the equality and break the conservation. Leaving them out of $z$ does the reverse.
# - What makes LRP a method of its own are the other rules, and layers where signals meet gates.
# - Before you let two methods confirm each other, ask whether they could have disagreed.
#
# The assignment asks you to argue this in your own words.
#
# ### References
#
# - Shrikumar et al. (2016). Not just a black box. arXiv 1605.01713. *On ReLU networks LRP reduces to Gradient × Input.*
# - Kindermans et al. (2016). Investigating the influence of noise and distractors on the interpretation of neural
#   networks. arXiv 1611.07270. *The same, seen from another side.*
# - Ancona et al. (2018). Towards better understanding of gradient-based attribution methods for deep neural networks.
#   arXiv 1711.06104. *$g(z)/z$ in the place of $g'(z)$.*
# - Montavon et al. (2019). Layer-wise relevance propagation: an overview. doi 10.1007/978-3-030-28954-6_10. *The other
#   rules.*
# - Arras et al. (2017). Explaining recurrent neural network predictions in sentiment analysis.
#   doi 10.18653/v1/W17-5221. *Gates and signals.*
