# %% [markdown]
# # Gradients and Gradient × Input
#
# A network looks at a digit and says "three". You ask: **why a three?** This lesson takes the oldest tool of deep
# learning, the gradient, and finds out which question it really answers.
#
# When you are done you will be able to
#
# - say what a gradient measures, and test one with two forward passes;
# - tell a *sensitivity* from a *contribution*, and read pictures of both;
# - explain the logit and not the probability, and say why;
# - predict when contributions add up to the answer, and what biases do to the sum;
# - ask "why a three **and not an eight**?";
# - name a case in which a gradient of zero does not mean "unimportant".

# %%
from vitrina import quiet

with quiet():  # TensorFlow has much to say when it starts, and nothing that you need
    import tensorflow as tf

import matplotlib.pyplot as plt
import numpy as np

from vitrina.explain import gradient_x_input, integrated_gradients, saliency
from vitrina.models import dense_network, dense_parameters
from vitrina.plots import show_attributions
from vitrina.quick import quick, right, wrong
from vitrina.trained import mnist_network
from vitrina_datasets import mnist

# %% [markdown]
# ## The network and its three
#
# 784 pixels, two ReLU layers, ten **logits**: one number for each digit, the largest wins. A pixel is 0 for paper and 1
# for ink. Training takes a few seconds the first time; then the weights are kept on your disk.
#
# Among the threes that were not trained on, we take those whose second-best answer is "eight", the most secure first.

# %%
data = mnist.load()
network = mnist_network()
logits = np.asarray(network(data.holdout_images))

order = np.argsort(-logits, axis=1)
candidates = np.flatnonzero((data.holdout_labels == 3) & (order[:, 0] == 3) & (order[:, 1] == 8))
candidates = candidates[np.argsort(-logits[candidates, 3])]
threes = data.holdout_images[candidates[:6]]
three = threes[:1]

figure, (picture, bars) = plt.subplots(1, 2, figsize=(8, 2.6), width_ratios=[1, 2.2])
picture.imshow(three.reshape(28, 28), cmap="gray_r")
picture.set_axis_off()
bars.bar(range(10), network(three)[0], color=["tab:red" if digit == 3 else "0.7" for digit in range(10)])
bars.axhline(0, color="black", linewidth=0.8)
bars.set(xticks=range(10), xlabel="digit", ylabel="logit", title="What the network answers")
figure.tight_layout()

# %% [markdown]
# ## A gradient answers "what if?"
#
# Take one pixel and change it a little. How much does the logit of "three" move? Try it: for four pixels of the picture
# we change the ink from 0 to 1 and watch, while all other pixels stay as they are.

# %%
slope_there = saliency(network, three, 3)[0]
ink = three[0] > 0.5
most, least = np.argmax(slope_there * ink), np.argmin(slope_there + ~ink)
watched = [most, least, np.argmax(slope_there * ~ink), 26 * 28 + 26]  # two of ink, one of paper, a corner
amounts = np.linspace(0, 1, 101, dtype=np.float32)

figure, (picture, curves) = plt.subplots(1, 2, figsize=(9, 3.2), width_ratios=[1, 1.8])
picture.imshow(three.reshape(28, 28), cmap="gray_r")
picture.set_axis_off()
for number, pixel in enumerate(watched):
    changed = np.repeat(three, len(amounts), axis=0)
    changed[:, pixel] = amounts
    (line,) = curves.plot(amounts, np.asarray(network(changed))[:, 3], label=f"pixel {'ABCD'[number]}")
    curves.plot(three[0, pixel], network(three)[0, 3], "o", color=line.get_color())
    row, column = divmod(pixel, 28)
    picture.text(column, row, "ABCD"[number], color="white", fontsize=9, ha="center", va="center", weight="bold",
                 bbox={"facecolor": line.get_color(), "edgecolor": "none", "pad": 1.5})  # fmt: skip
curves.set(xlabel="ink of the pixel (dot: as it is)", ylabel="logit of three")
curves.legend()
figure.tight_layout()

# %% [markdown]
# Each curve is a chain of straight pieces, since a ReLU network is piecewise linear. The gradient is **the slope of the
# piece at the dot**. It knows nothing of the next piece.
#
# For all pixels at once that is the vector of partial derivatives, $\partial f_c(x) / \partial x_i$, where $f_c$ is the
# logit of the class $c$ that we want explained. Its size is called **saliency**:
#
# $$S_i(x) = \left| \frac{\partial f_c(x)}{\partial x_i} \right|$$
#
# ### Trust, but test
#
# A slope can be measured without any calculus: go a little to the right, a little to the left, and divide.
#
# $$\frac{\partial f_c}{\partial x_i} \approx \frac{f_c(x + h\,e_i) - f_c(x - h\,e_i)}{2h}$$
#
# That costs two forward passes **per pixel**, 1,568 in all. Backpropagation costs one backward pass for all pixels
# together. So nobody uses differences to explain; but everybody should use them to *test*. How small must $h$ be?

# %%
weights, biases = zip(*dense_parameters(network), strict=True)  # float64
exact = dense_network(weights, biases)


def differences(model, image, target, h):
    """Measure the slope of a logit at every pixel of one image (1, pixels)."""
    steps = h * np.eye(image.shape[1], dtype=image.dtype)
    up, down = np.asarray(model(image + steps)), np.asarray(model(image - steps))
    return (up[:, target] - down[:, target]) / (2 * h)


sizes = 10.0 ** np.arange(-12, 0)
figure, axes = plt.subplots(figsize=(6, 3.2))
for model, kind in [(network, np.float32), (exact, np.float64)]:
    image = three.astype(kind)
    wanted = saliency(model, image, 3)[0]
    errors = [np.abs(np.abs(differences(model, image, 3, h)) - wanted).max() / wanted.max() for h in sizes]
    axes.loglog(sizes, errors, "o-", label=kind.__name__)
    print(f"{kind.__name__}: best h = {sizes[np.argmin(errors)]:.0e}, largest error {min(errors):.0e} of the maximum")
axes.set(xlabel="step h", ylabel="largest error / largest slope")
axes.legend()
figure.tight_layout()

# %% [markdown]
# Too large a step crosses into another linear piece. Too small a step drowns in rounding, for two nearly equal numbers
# are subtracted. In between the two agree: backpropagation computes what the definition says. *Keep this test.* When
# you write an explanation method yourself, it finds a wrong sign or a forgotten term in seconds, and in double
# precision it finds it for certain.

# %% [markdown]
# ## Sensitivity is not contribution
#
# Your electricity bill is *price × hours*, summed over your appliances:
#
# | | cost of one hour | hours used | cost |
# | --- | --- | --- | --- |
# | oven | 0.60 € | 2 | **1.20 €** |
# | fridge | 0.03 € | 720 | **21.60 €** |
#
# *What would change the bill most, per hour?* The oven. *What is the bill made of?* The fridge. Two good questions with
# two answers, and a gradient answers the first. For the second, multiply by how much was there:
#
# $$R_i(x) = x_i \, \frac{\partial f_c(x)}{\partial x_i}$$
#
# This is **Gradient × Input**. Here is the bill as a network of one layer:

# %%
bill = dense_network([np.array([[0.60], [0.03]])], [np.zeros(1)])
hours = np.array([[2.0, 720.0]])
print("the bill:        ", np.asarray(bill(hours))[0])
print("saliency:        ", saliency(bill, hours, 0)[0])
print("Gradient × Input:", gradient_x_input(bill, hours, 0)[0])

# %% [markdown]
# And both on our threes. Red speaks for "three", blue against it, white says nothing. Saliency has no sign, so it is
# all red.

# %%
show_attributions(
    threes,
    {
        "saliency": saliency(network, threes, 3),
        "Gradient ×\nInput": gradient_x_input(network, threes, 3),
    },
)

# %% [markdown]
# Saliency also lights up on bare paper: ink *there* would change the answer. Gradient × Input is silent on paper and
# takes sides on ink.

# %%
quick(
    "A pixel is bare paper, and its saliency is the largest in the picture. What does Gradient × Input give it?",
    wrong("The largest attribution of all", "The gradient is large, but it is multiplied by the pixel, which is 0."),
    right("Exactly 0", "0 times any gradient is 0. The pixel could change the answer; it has contributed nothing."),
    wrong("It depends on the sign of the gradient", "The sign does not matter when the other factor is 0."),
)

# %% [markdown]
# ## Explain the logit, not the probability
#
# The softmax turns logits into probabilities, $p_c = e^{f_c} / \sum_k e^{f_k}$. Its gradient mixes **all ten**
# questions:
#
# $$\frac{\partial p_c}{\partial x_i} = p_c \left( \frac{\partial f_c}{\partial x_i}
# - \sum_k p_k \frac{\partial f_k}{\partial x_i} \right)$$
#
# If the network is sure, $p_c \approx 1$, then the bracket is $\nabla f_c - \nabla f_c \approx 0$: the surer the
# network is, the less there is to see. So with this formula we explain the probability of the winner on many digits,
# and look how much attribution there is in all.

# %%
digits = data.holdout_images[:200]
winners = np.argmax(logits[:200], axis=1)
each_class = gradient_x_input(network, digits, np.tile(np.arange(10), (200, 1)))  # (200, 10 classes, 784 pixels)
p = np.asarray(tf.nn.softmax(logits[:200]), dtype=float)
of_logit = each_class[np.arange(200), winners]
of_probability = p.max(axis=1)[:, None] * (of_logit - np.einsum("nk,nki->ni", p, each_class))

figure, panels = plt.subplots(1, 2, figsize=(9, 3), sharex=True)
for panel, maps, name in zip(panels, [of_logit, of_probability], ["its logit", "its probability"], strict=True):
    panel.semilogy(-np.log10(1 - p.max(axis=1)), np.abs(maps).sum(axis=1), ".", color="tab:red", alpha=0.6)
    panel.set(title=f"Explaining {name}", ylabel="total size of the map", ylim=(1e-4, 1e3))
    panel.set_xticks(range(6), ["0", ".9", ".99", ".999", ".9999", ".99999"])
    panel.set_xlabel("probability of the winner")
figure.tight_layout()

sure = np.argsort(-p.max(axis=1))[:20]
shrunk = np.abs(of_probability[sure]).sum() / np.abs(of_logit[sure]).sum()
print(f"Of the 20 surest digits, the maps of the probability are {1 / shrunk:,.0f} times smaller.")

# %% [markdown]
# On the right the map fades away exactly where there is most to explain. And where it does not fade, a pixel may look
# important for "three" only because it hurts "eight". If *that* is your question, ask it openly: see below. Vitrina's
# methods therefore explain logits; if a model ends in a softmax they take it off, and say so.

# %%
quick(
    "A colleague's maps are almost white for every digit that the network is sure of. What do you check first?",
    wrong("Whether the network was trained long enough", "It is sure; a sure network is what causes this."),
    right(
        "Whether the gradient was taken after the softmax",
        "There the factor $p_c (1 - p_c)$ fades as the network gets sure. The logit has no such factor.",
    ),
    wrong(
        "Whether the colour scale is too wide",
        "A good thought, and worth a look, but a common scale would not single out the digits that are sure.",
    ),
)

# %% [markdown]
# ## Do the contributions add up?
#
# The bill did: 1.20 + 21.60 = 22.80. A network of ReLU layers **without biases** does as well. If all pixels get twice
# as much ink, then every unit doubles, and so does the logit: $f(tx) = t f(x)$ for $t \ge 0$. Differentiate both sides
# by $t$ at $t = 1$ (Euler did, for all functions of this kind):
#
# $$\sum_i x_i \frac{\partial f_c(x)}{\partial x_i} = f_c(x)$$
#
# The contributions add up to the logit. This is **completeness**. With biases the network is straight only within a
# piece, $f_c(x) = \sum_i x_i\, \partial f_c / \partial x_i + \beta_c(x)$, and the offset $\beta_c(x)$ is what the
# biases of the active units bring in. No pixel gets it.
#
# Here is a second network, trained the same way, whose biases stay 0. On the left, both logits of one three as its ink
# appears; on the right, what the sum misses on 200 digits.

# %%
without_bias = mnist_network(bias=False)
amounts = np.linspace(0, 0.3, 61, dtype=np.float32)[:, None]

figure, panels = plt.subplots(1, 2, figsize=(9, 3.4))
for model, name, colour in [(without_bias, "no biases", "tab:blue"), (network, "with biases", "tab:orange")]:
    panels[0].plot(amounts, np.asarray(model(amounts * three))[:, 3], color=colour, label=name)
    answers, sums = np.asarray(model(digits)), gradient_x_input(model, digits, winners).sum(axis=1)
    winning = answers[np.arange(200), winners]
    panels[1].plot(winning, winning - sums, ".", color=colour, alpha=0.6)
    print(
        f"{name}: at most {np.abs(winning - sums).max():.1g} is missing, the median logit is {np.median(winning):.1f}"
    )
for panel in panels:
    panel.axhline(0, color="black", linewidth=0.8)
panels[0].set(xlabel="share of the ink, $t$", ylabel="logit of three at $t\\,x$", title="A three appears")
panels[0].legend()
panels[1].set(xlabel="logit of the winner", ylabel="logit − sum", title="What the sum misses")
figure.tight_layout()

# %% [markdown]
# Without biases the logit is a ray from the origin, and nothing is missing but rounding. With biases the line bends and
# does not begin at 0: an **empty** picture has logits too, and no pixel to explain them by. Our biases are small, since
# the training held them down; in other networks much more can be missing.
#
# So a sum that comes out wrong is not always a bug. But you must *know* why it does.

# %% [markdown]
# ## Why a three and not an eight?
#
# People rarely ask "why?". They ask "why this **and not that**?" The contribution to the *difference* of two logits
# answers it, and since derivatives of differences are differences of derivatives, it costs nothing new:
#
# $$R_i^{3 \text{ not } 8}(x) = x_i \frac{\partial (f_3 - f_8)}{\partial x_i} = R_i^3(x) - R_i^8(x)$$

# %%
for_three, for_eight = (gradient_x_input(network, threes, digit) for digit in (3, 8))
contrast = for_three - for_eight
show_attributions(
    threes,
    {"why\na three?": for_three, "why\nan eight?": for_eight, "why a three\nand not an\neight?": contrast},
)

# %% [markdown]
# What both digits share drops out; what tells them apart stays. Is it true, though? A claim about causes can be tested:
# take away the 15 pixels of ink that speak most for "three and not eight", and compare with 15 pixels of ink by chance.


# %%
def without(images, scores, count):
    """Turn the pixels with the highest scores into paper."""
    cleaned = images.copy()
    np.put_along_axis(cleaned, np.argsort(-scores, axis=1)[:, :count], 0, axis=1)
    return cleaned


def margin(images):
    """How far "three" is ahead of "eight"."""
    answers = np.asarray(network(images))
    return answers[:, 3] - answers[:, 8]


by_chance = np.random.default_rng(0).random((20, *threes.shape)) * (threes > 0)
chance = np.mean([margin(threes) - margin(without(threes, scores, 15)) for scores in by_chance])
chosen = np.mean(margin(threes) - margin(without(threes, contrast, 15)))
print(f"'three' is ahead of 'eight' by {margin(threes).mean():.1f} on average")
print(f"without 15 pixels of ink by chance it loses {chance:.1f}, without the 15 chosen ones {chosen:.1f}")

# %% [markdown]
# Lesson 70 makes a measuring instrument out of this little experiment.

# %% [markdown]
# ## Where a gradient is silent: saturation
#
# A dose of 0.4 of a medicine heals. So does 1.0, and more heals no better: the effect is *saturated*. At dose 1.0 the
# slope is 0. Was the medicine useless?

# %%
heals = dense_network(
    [np.array([[-2.5]]), np.array([[-1.0]])], [np.array([1.0]), np.array([1.0])]
)  # 1 - relu(1 - 2.5 x)
dose = np.linspace(0, 1, 201)[:, None]
full, nothing = dose[-1:], dose[:1]
slopes = gradient_x_input(heals, dose[1:], 0)[:, 0] / dose[1:, 0]

figure, panels = plt.subplots(1, 2, figsize=(9, 2.8), sharex=True)
panels[0].plot(dose, heals(dose), color="tab:red")
panels[0].plot(1, heals(full)[0, 0], "o", color="tab:red")
panels[0].set(xlabel="dose $x$", ylabel="effect $f(x)$", title="The slope at the dot is 0 ...")
panels[1].fill_between(dose[1:, 0], slopes, color="tab:red", alpha=0.3, step="mid")
panels[1].plot(dose[1:, 0], slopes, color="tab:red")
panels[1].set(xlabel="dose", ylabel="slope $f'$", title="... but the area below the slopes is the effect")
figure.tight_layout()

at_the_end = gradient_x_input(heals, full, 0)[0, 0]
along_the_way = integrated_gradients(heals, full, 0, baseline=nothing, steps=50)[0, 0]
print(f"effect {heals(full)[0, 0] - heals(nothing)[0, 0]:.2f}, Gradient × Input {at_the_end:.2f}, "
      f"integrated gradients {along_the_way:.2f}")  # fmt: skip

# %% [markdown]
# A gradient sees only where you stand. The cure is to look at the slopes **along the whole way** from "nothing" ($x'$,
# the *baseline*) to $x$, and to add them up. That is the idea of **integrated gradients**:
#
# $$R_i(x) = (x_i - x'_i) \int_0^1 \frac{\partial f_c}{\partial x_i}\bigl(x' + \alpha (x - x')\bigr)\, d\alpha$$
#
# By the fundamental theorem of calculus the attributions add up to $f_c(x) - f_c(x')$, with or without biases. On the
# digits:

# %%
along = integrated_gradients(network, digits, winners, steps=100)
rise = np.asarray(network(digits) - network(np.zeros((1, 784), np.float32)))[np.arange(200), winners]
print(f"integrated gradients: what is missing is at most {np.abs(along.sum(axis=1) - rise).max():.1g}")

# %%
quick(
    "Without biases: how do integrated gradients from an empty picture differ from Gradient × Input?",
    right(
        "Not at all",
        "On the way from 0 to $x$ all units scale with the ink, so none switches: the slope is the same all the way.",
    ),
    wrong("They are smoother", "Averaging smooths only what differs along the way. Here nothing does: see the ray."),
    wrong("They add up to the logit, Gradient × Input does not", "Without biases both do."),
)

# %% [markdown]
# ## What goes wrong in practice
#
# - **Zero is a decision.** Gradient × Input takes 0 for "nothing there". Feed pictures in which paper is 1, or from
#   which the mean was subtracted, and the very same decisions get other explanations. The figure below shows it: a
#   twin of our network for inverted pictures, with the same logits.
# - **The wrong class.** Explaining the largest logit where you meant class $c$, or the probability where you meant the
#   logit.
# - **The sum over the batch.** A gradient of *all* logits of a sample is the sum of ten explanations.
# - **Each picture has its own colours.** Two equally red maps may differ by a factor of ten: read the scale below them.
# - **Absolute values** turn evidence *against* into evidence *for*. **Sums over colour channels** can cancel it.
# - **The slope of one piece.** A ReLU network has very many pieces, and the next one may slope the other way. Lesson 60
#   shows how badly that can end.

# %%
first, *others = dense_parameters(network)
inverted = dense_network(
    [-first[0], *(w for w, _ in others)], [first[1] + first[0].sum(axis=0), *(b for _, b in others)]
)
difference = np.abs(np.asarray(inverted(1.0 - threes)) - np.asarray(network(threes))).max()
print(f"largest difference of the logits: {difference:.0e}")
show_attributions(
    threes,
    {
        "ink is 1": gradient_x_input(network, threes, 3),
        "paper is 1": gradient_x_input(inverted, 1.0 - threes, 3),
    },
)

# %% [markdown]
# ## What you have learnt
#
# - A gradient is the slope of the linear piece on which the input lies. It says what **would change** the answer.
# - Gradient × Input says, to first order, what the answer **is made of**; without biases the parts add up to the logit.
# - Explain logits. For a contrast, explain the difference of two logits.
# - Finite differences test any gradient. Sums test any claim of completeness. Taking pixels away tests a claim about
#   causes.
#
# In the assignment you write both methods yourself. Lesson 20 shares the logit out in another way, layer by layer.
#
# ### References
#
# - Simonyan, Vedaldi and Zisserman (2014). Deep inside convolutional networks. arXiv 1312.6034. *Saliency.*
# - Shrikumar et al. (2016). Not just a black box. arXiv 1605.01713. *Gradient × Input.*
# - Sundararajan, Taly and Yan (2017). Axiomatic attribution for deep networks. arXiv 1703.01365. *Integrated gradients,
#   completeness.*
# - Ancona et al. (2018). Towards better understanding of gradient-based attribution methods for deep neural networks.
#   arXiv 1711.06104. *What each method computes.*
# - Miller (2019). Explanation in artificial intelligence: insights from the social sciences. arXiv 1706.07269. *People
#   ask for contrasts.*
