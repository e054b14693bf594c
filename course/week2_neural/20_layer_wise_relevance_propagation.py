# %% [markdown]
# # Layer-wise relevance propagation
#
# Stand at the mouth of a river and ask: **from which springs did this water come?** You walk upstream. Wherever two
# arms meet, you measure how much each one brings, and you split what you carry in that proportion. At the springs you
# are done. Layer-wise relevance propagation (LRP) explains a network in this way: the mouth is a logit, the springs are
# the pixels.
#
# When you are done you will be able to
#
# - hand a logit down through one unit by hand, and say what biases do to the sum;
# - say what each rule (0, ε, γ, z⁺, αβ, $z^B$, $w^2$, flat) is good for, and what it costs;
# - explain a convolutional network with a rule for each kind of layer: a *composite*;
# - draw up the budget of an explanation: which layer lost how much relevance, and why;
# - recognise the settings that make a map mean something else.

# %%
from vitrina import quiet

with quiet():  # TensorFlow has much to say when it starts, and nothing that you need
    import keras

import matplotlib.pyplot as plt
import numpy as np

from vitrina.explain import (
    EPSILON_ALPHA2_BETA1,
    EPSILON_GAMMA_BOX,
    EPSILON_PLUS,
    LRP_0,
    alpha_beta,
    epsilon,
    flat,
    gamma,
    lrp,
    w_square,
    z_box,
    z_plus,
)
from vitrina.models import dense_network
from vitrina.plots import show_attributions
from vitrina.quick import quick, right, wrong
from vitrina.trained import with_weights
from vitrina_datasets import mnist

# %% [markdown]
# ## One confluence
#
# A unit $k$ of a layer computes $z_k = \sum_i x_i w_{ik} + b_k$. Its arms are the products $x_i w_{ik}$. Say it
# received relevance $R_k$ from above. Each input takes the share that it brought:
#
# $$R_i = \sum_k \frac{x_i w_{ik}}{z_k}\, R_k$$
#
# This is **LRP-0**, the basic rule. At the top, the logit of the class that we explain gets its own value as relevance,
# and all other logits get 0. Here is one unit with three inputs, which is its own top:

# %%
x = np.array([[1.0, 2.0, 3.0]])
unit = dense_network([np.array([[3.0], [0.5], [-1.0]])], [np.zeros(1)])
print("contributions 3, 1 and -3: the unit computes", np.asarray(unit(x))[0, 0])
print("LRP-0 hands down", lrp(unit, x, 0)[0])
wet = dense_network([np.array([[3.0], [0.5], [-1.0]])], [np.array([1.0])])
print("the same unit with a bias of 1 computes", np.asarray(wet(x))[0, 0])
print("LRP-0 hands down", lrp(wet, x, 0)[0], "which adds up to", lrp(wet, x, 0).sum().round(6))

# %% [markdown]
# An arm can also take water away: the third input contributes −3, and its relevance is negative. It speaks *against*.
#
# The second unit has a bias. A bias is **rain**: water that came from no spring. It is in the river, so it is in the
# denominator; but nobody upstream may claim it, so its share ends here. Without rain, nothing is lost on the way, and
# the springs together carry what flows out at the mouth. That is **conservation**: $\sum_i R_i = \sum_k R_k$.

# %%
quick(
    "A unit with inputs $x = (1, 1)$, weights $(2, 2)$ and bias 4 received relevance 8. What do its inputs receive?",
    wrong("4 and 4", "That would give the rain's half away to the inputs. They brought 4 of the 8."),
    right("2 and 2", "$z = 8$, so each input has the share $2/8$ of 8. The bias's share, 4, ends here."),
    wrong("8/3 and 8/3", "Two inputs and the rain do not share by heads. They share by what each brought."),
)

# %% [markdown]
# ## When arms cancel: why there are other rules
#
# The first unit was nearly in balance: $3 + 1 - 3 = 1$. LRP-0 divides by this 1. Make the balance finer and the shares
# explode, though the unit says almost nothing. Every other rule is the same division with other numbers:
#
# | rule | what it divides by | so |
# | --- | --- | --- |
# | ε | $z_k + \varepsilon\,\mathrm{sign}(z_k)$ | weak and contradictory evidence fades; what fades is lost |
# | γ | $\sum_i x_i (w_{ik} + \gamma w^+_{ik})$, and likewise above | what agrees with the unit counts more |
# | z⁺ | only the positive $x_i w_{ik}$ | nothing negative is ever handed to anyone |
# | αβ | positive and negative part, each by itself | they receive $\alpha R_k$ and $-\beta R_k$, $\alpha - \beta = 1$ |
#
# ($w^+$ and $w^-$ are the positive and the negative part of a weight.) For three units whose arms are 4, 1 and an ever
# stronger −, this is what one unit of relevance becomes:

# %%
rules = {
    "LRP-0": LRP_0,
    "ε = 0.5": epsilon(0.5),
    "γ = 0.25": gamma(0.25),
    "z⁺": z_plus(),
    "α 2, β 1": alpha_beta(2, 1),
}
balances = [-1.0, -4.0, -4.9]
figure, panels = plt.subplots(1, len(balances), figsize=(10, 3.2))
for panel, against in zip(panels, balances, strict=True):
    arms = dense_network([np.array([[4.0], [1.0], [against]])], [np.zeros(1)])
    z = 5 + against
    shares = np.stack([lrp(arms, np.ones((1, 3)), 0, rules=rule)[0] / z for rule in rules.values()])
    for arm, (name, colour) in enumerate([("4", "tab:red"), ("1", "tab:orange"), (f"{against:g}", "tab:blue")]):
        panel.bar(np.arange(len(rules)) + 0.27 * (arm - 1), shares[:, arm], 0.27, color=colour, label=f"arm {name}")
    panel.axhline(0, color="black", linewidth=0.8)
    panel.set_xticks(range(len(rules)), list(rules), rotation=30, ha="right")
    panel.set_title(f"arms 4, 1, {against:g}:  z = {z:.1f}")
    panel.legend(fontsize=8)
panels[0].set_ylabel("share of one unit of relevance")
figure.tight_layout()

# %% [markdown]
# Mind the scales. On the right LRP-0 hands out 40 times what it got, of both signs. γ calms it a little, ε more (but
# look how much is lost), z⁺ and αβ do not care about the balance at all.
#
# ## A network and its digits
#
# Two convolutions with ReLU and pooling, two Dense layers, ten logits and no softmax. It trains in some seconds the
# first time; then its weights are kept on your disk.

# %%
data = mnist.load()
images, held_out = (part.reshape(-1, 28, 28, 1) for part in (data.train_images, data.holdout_images))


def build():
    """Return the untrained network."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(8, 5, activation="relu", name="conv_1"),
            keras.layers.MaxPooling2D(2, name="pool_1"),
            keras.layers.Conv2D(16, 5, activation="relu", name="conv_2"),
            keras.layers.AveragePooling2D(2, name="pool_2"),
            keras.layers.Flatten(name="flatten"),
            keras.layers.Dense(64, activation="relu", name="dense"),
            keras.layers.Dense(10, name="logits"),
        ]
    )


def train(model):
    """Train it for some seconds."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(3e-3), loss)
    model.fit(images, data.train_labels, batch_size=32, epochs=6, verbose=0)


keras.utils.set_random_seed(1)
network = with_weights(build, train, name="lesson-20-cnn", recipe="Adam 3e-3, batch 32, 6 epochs, seed 1")
logits = np.asarray(network(held_out))
guesses = logits.argmax(axis=1)
print(f"Hold-out accuracy: {np.mean(guesses == data.holdout_labels):.1%} of {len(guesses)} images")

chosen = [np.flatnonzero((guesses == digit) & (data.holdout_labels == digit))[0] for digit in (2, 3, 4, 5, 7, 9)]
digits, classes = held_out[chosen], guesses[chosen]

# %% [markdown]
# ## One rule for all layers
#
# Activations pass relevance on unchanged. Max pooling gives it to the winner of each window, average pooling shares it
# in proportion. Flatten only moves it. What remains to choose is the rule of the four layers with weights.

# %%
show_attributions(
    digits,
    {
        "LRP-0": lrp(network, digits, classes),
        "ε = 1": lrp(network, digits, classes, rules=epsilon(1.0)),
        "γ = 0.25": lrp(network, digits, classes, rules=gamma(0.25)),
        "z⁺": lrp(network, digits, classes, rules=z_plus()),
        "α 2, β 1": lrp(network, digits, classes, rules=alpha_beta(2, 1)),
    },
    titles=list(classes),
)

# %% [markdown]
# LRP-0 is busy: red and blue in the same stroke, where arms almost cancelled. A larger ε keeps the strongest. With γ
# the strokes speak with one voice. z⁺ is calm but finds the *whole* stroke relevant, whatever the class: it never asked
# what speaks against.
#
# So no rule is right everywhere. Think of what each layer is like:
#
# | where | what it is like | rule |
# | --- | --- | --- |
# | top, Dense | few units, classes still entangled: keep close to the function | LRP-0, ε |
# | middle, convolutions | many weights shared, much noise of both signs | γ, z⁺, αβ |
# | at the pixels | grey values, and no longer activations | $z^B$ between bounds $l$ and $h$, else $w^2$ or flat |
#
# The $z^B$ rule compares each pixel with the worst that it could have been, $x_i w_{ik} - l\,w^+_{ik} - h\,w^-_{ik}$.
# So an *empty* pixel can be evidence too.
#
# ## Composites: a rule for each kind of layer
#
# A **composite** is such a table as code. The field gave them names; Vitrina uses those of zennit.

# %%
by_name = {"conv_1": z_box(0, 1), "conv_2": gamma(0.25), "dense": epsilon(), "logits": epsilon()}
same = lrp(network, digits, classes, rules=EPSILON_GAMMA_BOX(0, 1)) - lrp(network, digits, classes, rules=by_name)
print(f"a composite is the same as rules by name: largest difference {np.abs(same).max():.0e}")

show_attributions(
    digits,
    {
        "LRP-0\neverywhere": lrp(network, digits, classes),
        "epsilon\nplus": lrp(network, digits, classes, rules=EPSILON_PLUS),
        "epsilon\nalpha2 beta1": lrp(network, digits, classes, rules=EPSILON_ALPHA2_BETA1),
        "epsilon\ngamma box": lrp(network, digits, classes, rules=EPSILON_GAMMA_BOX(0, 1)),
    },
    titles=list(classes),
)

# %% [markdown]
# In the last row bare paper takes part: red paper says "ink here would have made it another digit". Look at the gaps.
#
# And at the pixels only, with the layers above as in the last row: three rules that ask for less and less of the input.

# %%
above = {name: rule for name, rule in by_name.items() if name != "conv_1"}
show_attributions(
    digits,
    {
        name: lrp(network, digits, classes, rules=above | {"conv_1": rule})
        for name, rule in {"$z^B$ on [0, 1]": z_box(0, 1), "$w^2$": w_square(), "flat": flat()}.items()
    },
    titles=list(classes),
)

# %%
quick(
    "Your first layer sees photographs from which the mean colour was subtracted. Which rule fits it?",
    wrong("z⁺, since pixels are never negative", "After the subtraction they are. z⁺ is meant for what a ReLU gave."),
    right(
        "$z^B$ with the bounds after the subtraction",
        "The values are bounded, only the bounds moved: $l$ = 0 − mean, $h$ = 1 − mean, one for each channel.",
    ),
    wrong("$z^B$ with 0 and 1", "Those are the bounds of the raw pixels. The layer never sees these."),
)

# %% [markdown]
# ## The budget of an explanation
#
# Where did relevance get lost? A network cut at any layer is a network again: what enters the upper part is its input.
# So explain the upper part alone, for every cut, and add up what arrives there.
#
# The biases of our network are small. To see what biases can do, here is its twin for inverted pictures, in which paper
# is 1 and ink is 0. Only the first layer changes, $w' = -w$ and $b' = b + \sum w$, and every logit stays what it was.

# %%
cuts = ["logits", "dense", "pool_2", "conv_2", "pool_1", "conv_1"]
many, winners = held_out[:200], guesses[:200]
twin = build()
twin.set_weights(network.get_weights())
kernel, bias = network.layers[0].get_weights()
twin.layers[0].set_weights([-kernel, bias + kernel.sum(axis=(0, 1, 2))])
print(f"largest difference of the logits: {np.abs(twin(1 - held_out) - logits).max():.0e}")


def arriving(model, values, at, rules):
    """Share of the logits that arrives at what enters a layer, over all images."""
    index = [layer.name for layer in model.layers].index(at)
    for layer in model.layers[:index]:
        values = np.asarray(layer(values))
    upper = keras.Sequential([keras.Input(values.shape[1:]), *model.layers[index:]])
    names = {layer.name for layer in upper.layers}
    relevance = lrp(upper, values, winners, rules={name: rule for name, rule in rules.items() if name in names})
    return relevance.sum() / logits[np.arange(200), winners].sum()


def everywhere(rule):
    """One rule for the four layers with weights."""
    return dict.fromkeys(by_name, rule)


budgets = {
    "LRP-0": everywhere(LRP_0),
    "ε = 1": everywhere(epsilon(1.0)),
    "z⁺": everywhere(z_plus()),
    "epsilon-gamma-box": by_name,
}
figure, panels = plt.subplots(1, 2, figsize=(11, 3.6), sharey=True)
for panel, model, values, title in zip(
    panels, [network, twin], [many, 1 - many], ["ink is 1", "paper is 1, the same logits"], strict=True
):
    print(title)
    for (name, rules_of), marker in zip(budgets.items(), "os^v", strict=True):
        shares = [1.0, *(arriving(model, values, cut, rules_of) for cut in cuts)]
        panel.plot(range(len(shares)), shares, marker=marker, label=name, alpha=0.8)
        print(f"  {name:18}", *(f"{share:6.2f}" for share in shares))
    panel.axhline(1, color="black", linewidth=0.8)
    panel.set_xticks(
        range(len(cuts) + 1), ["start", *(f"into\n{cut}" for cut in cuts[:-1]), "at the\npixels"], fontsize=8
    )
    panel.set_title(title)
panels[0].set_ylabel("share of the logit that arrives")
panels[0].legend(fontsize=8)
figure.tight_layout()

# %% [markdown]
# Read it from left to right, from the mouth up to the springs. Pooling and ReLU lose nothing: curves are flat there.
# Every drop or *rise* happens at a layer with weights, and there are just three causes:
#
# - a **bias** kept its share (or, where it is negative, made the others' shares larger: curves can rise above 1);
# - **ε** absorbed some, most where evidence was contradictory;
# - a **dead end**: a unit with relevance and nothing positive to hand it to (z⁺, αβ).
#
# So "LRP conserves relevance" is true of rules, not of networks. Do not check that the sum is the logit; check that
# what is missing is what biases, ε and dead ends took. The right panel is a warning: *the same decisions*, and yet
# LRP-0 accounts for something else, because much of what the pixels said is now said by biases. In $z^B$ the bias
# cancels, so the composite does not care.
#
# With biases left out of all denominators (almost) everything arrives, whatever they are. But then the shares are no
# longer those of what the network really computed:

# %%
ignored = lrp(network, many, winners, bias="ignore").sum() / logits[np.arange(200), winners].sum()
print(f"LRP-0 with bias='ignore': {ignored:.3f} of the logits arrives at the pixels")

# %%
quick(
    "LRP-0 explains a logit of 8, and the map adds up to 11. No ε was used. What happened?",
    wrong("A bug: relevance cannot grow", "It can. Shares may be larger than 1 when a bias is negative."),
    right(
        "Negative biases made $z$ smaller than what the inputs brought",
        "The inputs' shares then add up to more than 1, and the biases' shares, which are dropped, are negative.",
    ),
    wrong("Max pooling counted some pixels twice", "The winner of a window takes what the window has, once."),
)

# %% [markdown]
# ## Why this digit, and why not another?
#
# One forward pass serves all classes. Here is one digit explained for its own class and for its strongest rivals.

# %%
one = digits[[1]]
rivals = np.argsort(-np.asarray(network(one))[0])[:5]
each = lrp(network, one, rivals[np.newaxis], rules=EPSILON_GAMMA_BOX(0, 1))  # (1, 5 classes, 28, 28, 1)
show_attributions(
    np.repeat(one, 5, axis=0),
    {"epsilon\ngamma box": each[0]},
    titles=[f"why {rival}?\nlogit {np.asarray(network(one))[0, rival]:.1f}" for rival in rivals],
)

# %% [markdown]
# A logit below 0 has negative relevance to hand down: there, blue is what the class *lacks*... times a minus. Compare
# maps of classes only with their logits beside them.
#
# ## What goes wrong in practice
#
# - **Explaining the softmax.** The probability mixes all classes. Vitrina takes a softmax off and says so; other
#   libraries do not.
# - **Bounds that are not the bounds.** $z^B$ with $[0, 1]$ on data that were scaled otherwise hands out shares of a sum
#   that means nothing. The last figure was told that pixels lie between −1 and 1. It looks just as convincing: nothing
#   in a picture warns you.
# - **z⁺ at the pixels of centred data**, or γ where inputs have both signs: use the generalised rules (Vitrina's are).
# - **Batch normalisation.** It must be folded into the layer before it, or treated as a layer of its own. Passing
#   relevance through it unchanged is a different method, and an older zennit folded it wrongly.
# - **Comparing sums.** Rules lose different amounts; scale before you compare maps, and say that you did.
# - **Choosing the rule by the prettiest picture.** A map can be beautiful and false. Lesson 70 measures.

# %%
show_attributions(
    digits,
    {
        "box [0, 1]": lrp(network, digits, classes, rules=EPSILON_GAMMA_BOX(0, 1)),
        "box [−1, 1]": lrp(network, digits, classes, rules=EPSILON_GAMMA_BOX(-1, 1)),
    },
    titles=list(classes),
)

# %% [markdown]
# ## What you have learnt
#
# - LRP hands a logit down layer by layer, each input taking the share that it brought. Rules change what counts as
#   bringing.
# - ε loses, γ favours, z⁺ forgets what speaks against, αβ weighs both sides, $z^B$ needs bounds. A composite puts each
#   where it belongs.
# - Conservation is a budget: what is missing must be accounted for by biases, ε and dead ends.
#
# In the assignment you write the rules yourself. Lesson 30 asks an awkward question about the first of them.
#
# ### References
#
# - Bach et al. (2015). On pixel-wise explanations for non-linear classifier decisions by layer-wise relevance
#   propagation. doi 10.1371/journal.pone.0130140. *LRP, ε and αβ, conservation.*
# - Montavon et al. (2017). Explaining nonlinear classification decisions with deep Taylor decomposition.
#   doi 10.1016/j.patcog.2016.11.008. *z⁺, $z^B$, $w^2$.*
# - Montavon et al. (2019). Layer-wise relevance propagation: an overview. doi 10.1007/978-3-030-28954-6_10. *γ, and
#   which rule where.*
# - Lapuschkin et al. (2019). Unmasking Clever Hans predictors and assessing what machines really learn.
#   doi 10.1038/s41467-019-08987-4. *The flat rule, composites at work.*
# - Anders et al. (2021). Software for dataset-wide XAI: from local explanations to global insights with Zennit,
#   CoRelAy, and ViRelAy. arXiv 2106.13200. *Composites by name.*
