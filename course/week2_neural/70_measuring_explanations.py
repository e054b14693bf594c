# %% [markdown]
# # Measuring explanations
#
# Three methods explain one answer, and the three pictures differ. Which one should you believe? The prettiest? This
# lesson builds instruments that measure explanations, and then does what one should do with every instrument: it
# measures the instruments.
#
# When you are done you will be able to
#
# - say what would make an explanation *good*, and which instrument asks for which part of it;
# - read a deletion curve, and hold it against chance;
# - show that the winner depends on what pixels are replaced by, and say why;
# - test whether a method looks at the model at all;
# - tell apart what a score allows you to conclude and what it does not.

# %%
from vitrina import quiet

with quiet():  # TensorFlow has much to say when it starts, and nothing that you need
    import keras

import matplotlib.pyplot as plt
import numpy as np

from vitrina.evaluation_plots import (
    show_comparison,
    show_curves,
    show_max_sensitivity,
    show_randomisation,
    show_roar,
    show_sensitivity_n,
)
from vitrina.explain import (
    abpc,
    aopc,
    deletion_curve,
    epsilon,
    gradient_x_input,
    lrp,
    max_sensitivity,
    parameter_randomisation,
    pixel_flipping,
    roar,
    saliency,
    sensitivity_n,
    z_box,
)
from vitrina.models import dense_network
from vitrina.plots import show_attributions
from vitrina.quick import quick, right, wrong
from vitrina.trained import mnist_network
from vitrina_datasets import mnist

# %% [markdown]
# ## What would make an explanation good?
#
# There is no answer sheet: nobody knows the *true* relevance of a pixel. But some things can be asked for.
#
# | we ask | the property | the instrument |
# | --- | --- | --- |
# | Does the model need what is called important? | faithfulness | deletion curves, sensitivity-n, ROAR |
# | Does the explanation depend on the model at all? | sanity | randomised weights |
# | Does it stay the same when the picture hardly changes? | robustness | max-sensitivity |
# | Does it look right to people? | plausibility | none of these |
#
# The last line is a warning. A picture can please everybody and have nothing to do with the model.
#
# Our model is the network of lesson 10, our candidates are saliency, Gradient × Input and LRP with the $z^B$ rule at
# the pixels. And we add a candidate that has never seen the model: the **brightness** of the pixel itself.

# %%
data = mnist.load()
network = mnist_network()
digits = data.holdout_images[:200]
decided = np.argmax(network(digits), axis=1)


def lrp_zb(model, inputs, target):
    """Layer-wise relevance propagation; a pixel is compared with the darkest and brightest that it could be."""
    return lrp(model, inputs, target, rules=[z_box(0, 1), epsilon(1e-6), epsilon(1e-6)])


def brightness(_model, inputs, _target):
    """Call ink relevant, whatever the model says."""
    return inputs


methods = {"saliency": saliency, "Gradient × Input": gradient_x_input, "LRP-zB": lrp_zb, "brightness": brightness}
maps = {name: method(network, digits, decided) for name, method in methods.items()}
show_attributions(digits[:6], {name.replace(" × ", " ×\n"): values[:6] for name, values in maps.items()})

# %% [markdown]
# ## Faithfulness by hand: one digit
#
# If a pixel is important, then taking it away must hurt. Take one digit. Turn the 30 pixels to paper that Gradient ×
# Input calls most relevant. For comparison, turn 30 pixels **of ink** to paper that are drawn by chance.

# %%
four = int(np.flatnonzero(decided == 4)[0])
digit, target = digits[four], decided[four]
by_relevance = np.argsort(-maps["Gradient × Input"][four])
by_chance = np.random.default_rng(0).permutation(np.flatnonzero(digit > 0.5))


def probability(image):
    """How sure the network is of the class."""
    return float(keras.ops.softmax(network(image[np.newaxis]))[0, target])


figure, panels = plt.subplots(1, 3, figsize=(7.5, 2.9), layout="constrained")
for panel, pixels, title in zip(
    panels, [[], by_chance[:30], by_relevance[:30]], ["as it is", "30 by chance", "30 most relevant"], strict=True
):
    changed = digit.copy()
    changed[pixels] = 0
    panel.imshow(changed.reshape(28, 28), cmap="gray_r", vmin=0, vmax=1)
    panel.set(title=f"{title}\nP({target}) = {probability(changed):.3f}", xticks=[], yticks=[])

# %% [markdown]
# That is the idea, **pixel flipping**. One digit and one number of pixels prove little, so we take all 200 digits and
# every number of pixels, from none to all. The mean probability makes a **deletion curve**: the faster it falls, the
# better the method has found what the model needs. In the assignment you write this curve yourself; here we call the
# fast form.
#
# ## Faithfulness: many digits
#
# Let $x^{(k)}$ be the picture whose $k$ most relevant parts have been replaced, $k = 0, \dots, L$. The **area over the
# perturbation curve** is the mean drop over all points of the curve:
#
# $$\mathrm{AOPC} = \frac{1}{L + 1} \sum_{k=0}^{L} \Bigl( f_c\bigl(x^{(0)}\bigr) - f_c\bigl(x^{(k)}\bigr) \Bigr)$$
#
# No number means anything alone: grey is what five random orders give.

# %%
curves = {name: deletion_curve(network, digits, decided, values) for name, values in maps.items()}
chance = [pixel_flipping(network, digits, decided, digits, order="random", seed=seed) for seed in range(5)]
only_black = {name: {"black": by_name["black"]} for name, by_name in curves.items()}
show_curves(only_black, chance=chance)

# %%
for name, by_name in [*curves.items(), ("random order", chance[0])]:
    print(f"{name:17s} AOPC {aopc(by_name)['black'].mean():.2f}")

# %% [markdown]
# Gradient × Input needs a handful of pixels. Saliency is far behind, even behind `brightness`, which knows nothing of
# the model. So Gradient × Input is the best of the four, and saliency the worst?
#
# Not so fast. We made one choice almost without a word: pixels turn into *paper*. (The field calls the value 0 *black*,
# after pictures on a screen. Our digits are drawn like ink, so that black is paper here.)

# %%
quick(
    "A map says 0 for all paper and something random for all ink. What does its deletion curve to black look like?",
    wrong("Like that of a random order", "A random order wastes four steps in five on paper, which is black already."),
    right(
        "Much better than a random order",
        "It erases ink first, and only ink can be erased. Knowing where the ink is takes no knowledge of the model.",
    ),
    wrong("Like that of Gradient × Input", "That one also knows *which* ink the model needs: compare `brightness`."),
)

# %% [markdown]
# ## Why the winner flips
#
# What else could a pixel become? Its opposite (*invert*: ink to paper **and paper to ink**), or a random grey
# (*uniform*). Here are the first 60 pixels of each order on our digit.

# %%
generator = np.random.default_rng(0)
become = {"black": np.zeros(784), "invert": 1 - digit, "uniform": generator.uniform(0, 1, 784)}
figure, grid = plt.subplots(2, 3, figsize=(7.5, 5.4), layout="constrained")
for row, name in zip(grid, ["Gradient × Input", "LRP-zB"], strict=True):
    first = np.argsort(-maps[name][four])[:60]
    row[0].set_ylabel(name)
    for panel, (perturbation, values) in zip(row, become.items(), strict=True):
        changed = digit.copy()
        changed[first] = values[first]
        panel.imshow(changed.reshape(28, 28), cmap="gray_r", vmin=0, vmax=1)
        panel.set(title=f"{perturbation}: P({target}) = {probability(changed):.3f}", xticks=[], yticks=[])

# %% [markdown]
# Gradient × Input gives exactly 0 to paper, so its first pixels are ink. Under *black* that is all one could wish for:
# changing paper to paper does nothing. LRP-$z^B$ also says where paper matters: **ink here would have spoken against
# the class**. Turn that paper into ink, and the answer falls at once; but under *black* such pixels are wasted steps.
#
# All four, with all three perturbations:

# %%
show_curves(curves, chance=chance)

# %%
table = {name: aopc(by_name) for name, by_name in [*curves.items(), ("random order", chance[0])]}
show_comparison(table, title="AOPC: high is good, the best in a frame")

# %% [markdown]
# One network, the same maps, and the winner has changed. Was it luck? Another network, trained from other weights on
# another order of the images:

# %%
other = mnist_network(seed=1)
answers = np.argmax(other(digits), axis=1)
again = {
    name: aopc(deletion_curve(other, digits, answers, method(other, digits, answers)))
    for name, method in methods.items()
}
for perturbation in ("black", "invert", "uniform"):
    best = [max(scores, key=lambda name: scores[name][perturbation].mean()) for scores in (table, again)]
    print(f"{perturbation:8s} first network: {best[0]}; second network: {best[1]}")

# %% [markdown]
# No perturbation is neutral. *Black* asks "what does this **ink** contribute?", *invert* and *uniform* also ask "what
# does the **absence** of ink contribute?" Gradient × Input cannot answer the second question, and does not try. So a
# score is an answer only together with its question, and a table with one perturbation is half a table.
#
# ### There and back
#
# Some of the fall has nothing to do with the order: any noise hurts. So replace the **least** relevant first as well.
# The area between the two curves (ABPC) takes out what hurts every order alike; a random order gets 0.

# %%
between = {
    name: abpc(
        pixel_flipping(network, digits, decided, values, order="lerf"),
        pixel_flipping(network, digits, decided, values, order="morf"),
    )
    for name, values in maps.items()
}
between["random order"] = abpc(chance[1], chance[0])
show_comparison(between, title="ABPC: high is good")

# %% [markdown]
# ## Do the attributions add up?
#
# A curve uses only the *order* of the pixels. If attributions are contributions, their *amounts* should count too: what
# the logit loses without a set of pixels should be the sum of their attributions. **Sensitivity-n** draws sets of $n$
# pixels and correlates the two over the sets:
#
# $$\mathrm{corr}_S \Bigl( \sum_{i \in S} R_i(x),\; f_c(x) - f_c(x_{\setminus S}) \Bigr), \qquad |S| = n$$
#
# A linear model with Gradient × Input gets 1 for every $n$.

# %%
few = slice(0, 50)
correlations = {
    name: sensitivity_n(network, digits[few], decided[few], values[few], perturbations=["black", "invert"], subsets=50)
    for name, values in maps.items()
}
show_sensitivity_n(correlations)

# %% [markdown]
# Here too a method is at home where its question is asked. Gradient × Input is relative to *black*, and nearly exact
# for small sets; LRP-$z^B$ foretells what *inverting* does. With large sets the network leaves the linear piece of the
# picture, and even the best method foretells less.

# %% [markdown]
# ## Does the method look at the model at all?
#
# **Destroy the model and explain again.** Shuffle the weights of the last layer, then of the one below, until nothing
# that was learnt is left. An explanation of the *model* must change. If it does not, it is a drawing of the *picture*.
#
# Before you run this, make a bet: in which rows will the picture stay?

# %%
randomised = {name: parameter_randomisation(network, digits[few], decided[few], m) for name, m in methods.items()}
stages = ["trained", "1 layer lost", "2 lost", "3 lost"]
show_attributions(
    np.repeat(digits[four][np.newaxis], 4, axis=0),
    {name.replace(" × ", " ×\n"): result.maps[:, four] for name, result in randomised.items()},
    titles=stages,
)

# %%
show_randomisation(randomised)

# %%
paper = np.mean(digits == 0)
kept = randomised["Gradient × Input"].similarities
print(f"{paper:.0%} of the pixels are paper, for which Gradient × Input is 0 with any weights")
print(f"rank correlation with its signs: {kept['rank correlation'][:, -1].mean():.2f} when all is lost")
print(f"rank correlation of the sizes:   {kept['rank correlation of sizes'][:, -1].mean():.2f} when all is lost")

# %% [markdown]
# `brightness` is unmasked: 1 at every stage. The other rows change, as they should.
#
# But look at the right panel. If only the **sizes** are compared, Gradient × Input seems to survive the loss of
# everything. That is not the method's fault. Four pixels in five are paper and get 0 before and after, and a rank
# correlation is impressed by so many equal ranks. The left panel, with signs, shows that the rest is nothing alike. The
# measure of similarity is an instrument as well, and it can be fooled.

# %%
quick(
    "A method keeps a similarity of 0.9 when all weights are shuffled. What follows?",
    right(
        "Its pictures come mostly from the input and the architecture, not from what was learnt",
        "What was learnt is gone, and the picture is still there. Check the similarity itself, as above, to be sure.",
    ),
    wrong(
        "It is robust, which is good", "Robust against changes of the *input* is good. Here the model is another one."
    ),
    wrong("It is unfaithful for every purpose", "It may find edges well. It just does not explain *this model*."),
)

# %% [markdown]
# ## Does it stay when the picture hardly changes?
#
# **Max-sensitivity**: change every pixel by at most $r$, at random, and keep the largest change of the explanation,
#
# $$\max_{\lVert d \rVert_\infty \le r} \frac{\lVert R(x + d) - R(x) \rVert}{\lVert R(x) \rVert}$$
#
# Low is robust.

# %%
moved = {name: max_sensitivity(network, digits[few], decided[few], method) for name, method in methods.items()}
show_max_sensitivity(moved)

# %% [markdown]
# Nobody gets 0 here. But it is easily had: a method that returns **the same map for every picture** gets 0 at every
# radius. **Robustness alone proves nothing**; it counts among methods that are faithful.

# %% [markdown]
# ## Remove and retrain (ROAR)
#
# One objection is left. A digit with holes is like nothing that the network has seen. Does the answer fall because an
# important pixel is gone, or because holes are strange?
#
# ROAR lets the network get used to holes: remove the most relevant pixels from **all** pictures, those for training and
# those for testing, train a **new** network on what is left, and see how much worse it is. The random order is always
# beside it. To be quick we take a small network and a part of the data.

# %%
train, test = (data.train_images[:1500], data.train_labels[:1500]), (data.holdout_images, data.holdout_labels)
sizes = [(784, 32), (32, 10)]
small = dense_network([np.zeros(size, np.float32) for size in sizes], [np.zeros(n, np.float32) for _, n in sizes])
small.compile(keras.optimizers.SGD(0.1), keras.losses.SparseCategoricalCrossentropy(from_logits=True))


def retrain(inputs, labels, seed):
    """Train the small network from new weights. Plain SGD remembers nothing of the training before."""
    generator = np.random.default_rng(seed)
    shapes = [array.shape for array in small.get_weights()]
    small.set_weights([generator.normal(0, (2 / shape[0]) ** 0.5, shape) * (len(shape) == 2) for shape in shapes])
    for _ in range(6):
        order = generator.permutation(len(inputs))
        small.fit(inputs[order], labels[order], batch_size=25, shuffle=False, verbose=0)
    return small


judged = {name: methods[name] for name in ("saliency", "Gradient × Input", "brightness")}
result = roar(network, train, test, judged, retrain=retrain, shares=[0.05, 0.1, 0.2, 0.4], repeats=2)
show_roar(result)


# %%
def holes(method, model, inputs, share):
    """Mark the share of the pixels of each picture that are most relevant for what the model decides."""
    order = np.argsort(-method(model, inputs, np.argmax(model(inputs), axis=1)), axis=1)
    marks = np.zeros(inputs.shape, bool)
    np.put_along_axis(marks, order[:, : round(share * inputs.shape[1])], True, axis=1)
    return marks


mean = train[0].mean(axis=0)
for name, method in judged.items():
    damaged = np.where(holes(method, network, test[0], 0.1), mean, test[0])
    old = np.mean(np.argmax(network(damaged), axis=1) == test[1])
    new = result.accuracies[name][:, 2].mean()
    print(f"{name:17s} a tenth removed: the old network is right in {old:.0%}, a retrained one in {new:.0%}")

# %% [markdown]
# Gradient × Input found what the old network needs, as before. The new networks hardly notice, and no method is far
# from the random order. How can that be? Look at what a new network gets to see. We train one on **the holes alone**: 1
# where a pixel was removed, 0 elsewhere, and not a single grey value.

# %%
for name, method in judged.items():
    marks = [holes(method, network, inputs, 0.1).astype(np.float32) for inputs, _ in (train, test)]
    read = np.mean(np.argmax(retrain(marks[0], train[1], 0)(marks[1]), axis=1) == test[1])
    print(f"{name:17s} digits that can be read from the holes: {read:.0%} (by chance 10%)")

# %% [markdown]
# The holes have the shape of the digit, and they were cut where the *decision* said. What ROAR takes away as ink, it
# gives back as holes. So ROAR answers another question than we thought: how much is left for a **new** network to learn
# from, holes included? It says little about what the *old* network used.

# %%
quick(
    "The pixels that a method calls most relevant are removed, and a retrained network is as good as before. Why?",
    wrong(
        "The explained network did not use those pixels",
        "Only flipping *its* pixels tells. Here another network was trained.",
    ),
    right(
        "The rest of the picture, or the shape of the holes, is enough for a new network",
        "Pixels are redundant, and holes carry information. ROAR measures what can still be learnt.",
    ),
    wrong("The method is no better than chance", "The random order may do as little: its damage is repaired as well."),
)

# %% [markdown]
# ## What may be concluded?
#
# | you found | you may say | you may not say |
# | --- | --- | --- |
# | best AOPC under *black* | its order finds the ink that this network needs | it is the best explanation |
# | best under every perturbation | it is faithful in all the ways that you tried | it is right for another network |
# | worse than a random order | look for a bug, such as a wrong sign | the network does not use the input |
# | the picture survives random weights | it is no explanation of what was learnt | the picture is useless |
# | small max-sensitivity | small changes do not turn it over | it is faithful |
# | accuracy falls after ROAR | those pixels are hard to replace in these data | the explained network used them |
#
# ## What goes wrong in practice
#
# - **One perturbation, one winner.** Always show several, and say which question each one asks.
# - **No random baseline.** An AOPC of 0.68 sounds good; under *invert* a random order has about as much.
# - **Ties.** A map full of zeros leaves the order to the computer: here the upper left corner comes first. The bumps in
#   the curves of Gradient × Input under *uniform* are rows of paper, filled from the top.
# - **The wrong sign or absolute values.** A curve that lies *above* the random one is usually a bug of yours, and a
#   gift: without a measurement you would have shown the picture.
# - **Probability or logit, how many steps, how far.** AOPC over the first fifth of the pixels and over all of them are
#   two different numbers. Compare only what was measured alike.
# - **Strange pictures.** Networks are unreliable far from what they have learnt, and so are curves there.
# - **Winning by a hair.** Retrain the network with other seeds: differences between close methods often change sign.
#
# ## What you have learnt
#
# - Faithfulness is measured by taking away what is called important, and is held against chance.
# - The score depends on the replacement, because each replacement asks another question.
# - An explanation of a model must change when the model is destroyed; and the measure of "change" can be fooled too.
# - Robustness, retraining and plausibility each tell you something else. No single number says "good explanation".
#
# In the assignment you write a deletion curve and its area yourself.
#
# ### References
#
# - Bach et al. (2015). On pixel-wise explanations by layer-wise relevance propagation. doi
#   10.1371/journal.pone.0130140. *Pixel flipping.*
# - Samek et al. (2017). Evaluating the visualization of what a deep neural network has learned. arXiv 1509.06321.
#   *AOPC.*
# - Petsiuk, Das and Saenko (2018). RISE. arXiv 1806.07421. *Deletion and insertion.*
# - Ancona et al. (2018). Towards better understanding of gradient-based attribution methods for deep neural networks.
#   arXiv 1711.06104. *Sensitivity-n.*
# - Adebayo et al. (2018). Sanity checks for saliency maps. arXiv 1810.03292. *Randomised weights.*
# - Yeh et al. (2019). On the (in)fidelity and sensitivity of explanations. arXiv 1901.09392. *Max-sensitivity.*
# - Hooker et al. (2019). A benchmark for interpretability methods in deep neural networks. arXiv 1806.10758. *ROAR.*
# - Rong et al. (2022). A consistent and efficient evaluation strategy for attribution methods. arXiv 2202.00449. *What
#   holes give away.*
