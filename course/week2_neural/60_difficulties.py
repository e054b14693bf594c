# %% [markdown]
# # The difficulties of deep learning, and of explaining it
#
# An explanation can be computed without an error, look convincing, and be of no use. This lesson shows seven reasons.
# You are not asked to believe any of them: **each is an experiment that runs here, in seconds.** Change the numbers and
# run it again.
#
# When you are done you will be able to
#
# - say why depth makes gradients fade or shatter, and what that does to a heatmap;
# - fool a classifier, and fool an explanation while the classifier stays calm;
# - catch a network that is right for the wrong reason;
# - subject a method to a sanity check, and name famous methods that fail it;
# - measure how far methods disagree, and not be surprised.

# %%
from vitrina import quiet

with quiet():
    import keras
    import tensorflow as tf

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import spearmanr

from vitrina.explain import (
    deeplift,
    epsilon,
    gamma,
    gradient_x_input,
    integrated_gradients,
    lrp,
    parameter_randomisation,
    saliency,
    smooth_grad,
    z_plus,
)
from vitrina.models import dense_network, dense_parameters, train_mnist_network
from vitrina.plots import show_attributions
from vitrina.quick import quick, right, wrong
from vitrina.trained import mnist_network
from vitrina_datasets import mnist

data = mnist.load()
network = mnist_network()


def classes(model, images):
    """The class that the model gives to each image."""
    return np.argmax(np.asarray(model(images)), axis=1)


def gradient(model, inputs, target):
    """The gradient of a logit, with its sign: SmoothGrad with one copy and next to no noise."""
    return smooth_grad(model, inputs, target, noise=1e-12, samples=1)


# %% [markdown]
# ## 1. Saturation: signals that fade
#
# By the chain rule a gradient is a product with one factor for each layer:
#
# $$\frac{\partial f}{\partial x} = W_1 D_1 W_2 D_2 \cdots W_L, \qquad D_l = \mathrm{diag}\, g'(z_l)$$
#
# The slope $g'$ of a sigmoid is at most ¼. Twenty such factors leave almost nothing, and what does not arrive cannot
# teach the lower layers. This is why deep sigmoid networks could not be trained for so long. The slope of a ReLU is 1
# where it is on.
#
# The same happens to explanations. On the right we make a small tanh network more and more decided, by multiplying its
# first weights. Its units saturate. How much of the output do the attributions still add up to?


# %%
def random_network(activation, depth, seed, gain=1.0):
    """Draw an untrained network: 100 inputs, hidden layers of 100 units, one output."""
    generator = np.random.default_rng(seed)
    widths = [100] * (depth + 1) + [1]
    size = np.sqrt(2.0 if activation == "relu" else 1.0)  # keeps the signal alive on its way up
    weights = [generator.normal(0, size / np.sqrt(n), (n, m)) for n, m in pairwise(widths)]
    weights[0] *= gain
    return dense_network(weights, [np.zeros(m) for m in widths[1:]], activation)


samples = np.random.default_rng(0).normal(size=(32, 100))
depths, gains = [1, 5, 10, 15, 20], [0.1, 0.3, 1, 3, 10, 30]
figure, (fading, silent) = plt.subplots(1, 2, figsize=(9.5, 3.2))
for activation in ("relu", "tanh", "sigmoid"):
    models = [random_network(activation, depth, seed=1) for depth in depths]
    sizes = [np.median(np.linalg.norm(gradient(model, samples, 0), axis=1)) for model in models]
    fading.semilogy(depths, sizes, "o-", label=activation)
    print(f"{activation:8} gradient at the input, 1 layer: {sizes[0]:.0e}, 20 layers: {sizes[-1]:.0e}")
for name, method in {
    "Gradient × Input": gradient_x_input,
    "integrated gradients": lambda *asked: integrated_gradients(*asked, steps=300),
}.items():
    decided = [random_network("tanh", 1, seed=1, gain=gain) for gain in gains]
    sums = [np.abs(method(model, samples, 0).sum(axis=1)).sum() for model in decided]
    shares = [total / np.abs(np.asarray(model(samples))).sum() for total, model in zip(sums, decided, strict=True)]
    silent.semilogx(gains, shares, "o-", label=name)
fading.set(xlabel="hidden layers", ylabel="size of the gradient", title="Gradients fade with depth", xticks=depths)
silent.set(xlabel="how decided the units are (gain)", ylabel="sum / output", title="A saturated unit is silent")
fading.legend()
silent.legend()
figure.tight_layout()

# %% [markdown]
# The surest networks get the palest gradient maps. Methods that look *along the way* from a baseline (integrated
# gradients), or that pass relevance through a tanh unchanged (LRP), do not fall silent there.

# %% [markdown]
# ## 2. Shattered gradients
#
# ReLU cured the fading. But look at the *next* input. Walk in a straight line from one input to another, in 100 small
# steps, and keep the gradient of each step. Neighbours are almost the same input, so their explanations should be
# almost the same: their correlation $\rho$ at a distance of $\tau$ steps should be near 1.
#
# $$\rho(\tau) = \operatorname{mean}_t \frac{\nabla f(x_t) \cdot \nabla f(x_{t+\tau})}
# {\lVert \nabla f(x_t) \rVert \, \lVert \nabla f(x_{t+\tau}) \rVert}$$


# %%
def untrained(depth, *, residual=False):
    """Build a ReLU network with `depth` hidden layers; a residual one adds each layer to what is already there."""

    def dense(units):
        return keras.layers.Dense(units, kernel_initializer="he_normal")

    source = keras.Input((100,))
    signal = dense(100)(source)
    for _ in range(depth - 1):
        change = dense(100)(keras.layers.ReLU()(signal))
        signal = keras.layers.Add()([signal, keras.layers.Rescaling(0.1)(change)]) if residual else change
    return keras.Model(source, dense(1)(keras.layers.ReLU()(signal)))


keras.utils.set_random_seed(0)
start, end = np.random.default_rng(0).normal(size=(2, 100)).astype(np.float32)
line = start + np.linspace(0, 1, 101, dtype=np.float32)[:, None] * (end - start)
architectures = {
    "1 layer": lambda: untrained(1),
    "50 layers": lambda: untrained(50),
    "50 layers,\nresidual": lambda: untrained(50, residual=True),
}

figure, panels = plt.subplots(1, 4, figsize=(11, 2.8), width_ratios=[1, 1, 1, 1.6])
for panel, (name, build) in zip(panels, architectures.items(), strict=False):
    walks = [gradient(build(), line, 0) for _ in range(3)]
    panel.plot(walks[0][:, 0], linewidth=1)
    panel.set(title=name, xlabel="step on the line", yticks=[])
    directions = [walk / np.linalg.norm(walk, axis=1, keepdims=True) for walk in walks]
    rho = np.mean([[np.diag(d @ d.T, tau).mean() for tau in range(51)] for d in directions], axis=0)
    panels[3].plot(rho, label=name.replace("\n", " "))
    print(f"{name!r:24} neighbours: {rho[1]:.2f}, ten steps away: {rho[10]:.2f}")
panels[0].set_ylabel("slope at one input")
panels[3].set(xlabel="distance $\\tau$ in steps", title="correlation $\\rho(\\tau)$", ylim=(-0.1, 1.05))
panels[3].legend(fontsize=8)
figure.tight_layout()

# %% [markdown]
# With one layer the slope is a staircase with broad steps. With fifty layers it begins to look like **white noise**:
# every few steps another gradient. Shortcuts around the layers (ResNet) keep it together; that is one reason why
# residual networks can be trained a hundred layers deep. These networks are untrained; part 4 looks at a trained one.

# %% [markdown]
# ## 3. Adversarial inputs
#
# Each pixel may change by at most $\varepsilon$. By chance, hundreds of such changes cancel. But if all go where the
# gradient points, they *add up*. The fast gradient sign method needs one gradient:
#
# $$x' = x + \varepsilon \, \mathrm{sign}\, \nabla_x \bigl( f_{\text{second}}(x) - f_{\text{first}}(x) \bigr)$$

# %%
digits, truth = data.holdout_images[:500], data.holdout_labels[:500]
ranking = np.argsort(-np.asarray(network(digits)), axis=1)
towards_second = gradient(network, digits, ranking[:, 1]) - gradient(network, digits, ranking[:, 0])
by_chance = np.random.default_rng(0).choice([-1.0, 1.0], digits.shape)


def nudged(direction, size):
    """Move every pixel by at most `size`, within paper and ink."""
    return np.clip(digits + size * np.sign(direction), 0, 1)


sizes = np.linspace(0, 0.2, 11)
figure, (curve, gallery) = plt.subplots(1, 2, figsize=(10, 3.4), width_ratios=[1, 1.5])
for name, direction in {"by chance": by_chance, "along the gradient": towards_second}.items():
    accuracy = [np.mean(classes(network, nudged(direction, size)) == truth) for size in sizes]
    curve.plot(sizes, accuracy, "o-", label=name)
    print(f"{name:20} accuracy at 0.1: {accuracy[5]:.0%}")
curve.set(xlabel="change per pixel, $\\varepsilon$", ylabel="accuracy", ylim=(0, 1))
curve.legend()

fooling = nudged(towards_second, 0.1)
said = classes(network, fooling)
fooled = np.flatnonzero((ranking[:, 0] == truth) & (said != truth))[:6]
rows = [np.hstack(pictures[fooled].reshape(-1, 28, 28)) for pictures in (digits, fooling)]
gallery.imshow(np.vstack(rows), cmap="gray_r")
for place, number in enumerate(fooled):
    gallery.text(14 + 28 * place, -2, truth[number], ha="center", va="bottom")
    gallery.text(14 + 28 * place, 58, said[number], ha="center", va="top", color="tab:red")
gallery.set_axis_off()
figure.tight_layout()

# %% [markdown]
# Above, what the network says to the original; below, in red, what it says after the change. A network and a person who
# agree on every test image may still look at different things.

# %%
quick(
    "The same change of 0.1 per pixel, but with random signs, does almost no harm. Why?",
    right(
        "The effects of the pixels on the logits cancel each other",
        "With random signs about half of the pixels help and half hurt. The gradient makes all of them hurt.",
    ),
    wrong("The random change is smaller", "Each pixel moves by the same 0.1. Only the signs are different."),
    wrong("The network was trained on noisy digits", "It never saw any noise."),
)

# %% [markdown]
# ## 4. Fragile explanations
#
# Now fool the explanation. We want to change an image by at most 0.1 per pixel so that the network keeps its class and
# its confidence, and its *saliency* moves elsewhere. It needs no theory: **try some small changes, keep the best,
# repeat.** The best is the one that leaves the least saliency on the 50 pixels that had most of it.
#
# We do it to two networks: ours (two hidden layers, held down by weight decay) and one with ten hidden layers, trained
# in the usual way.

# %%
keras.utils.set_random_seed(0)
hidden = [keras.layers.Dense(64, "relu", kernel_initializer="he_normal") for _ in range(10)]
deep = keras.Sequential([keras.Input((784,)), *hidden, keras.layers.Dense(10)])
deep.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
deep.fit(data.train_images, data.train_labels, batch_size=64, epochs=6, verbose=0)


def top(maps, count=50):
    """Mark the pixels with the largest attributions of each map."""
    marked = np.zeros(maps.shape, bool)
    np.put_along_axis(marked, np.argsort(-np.abs(maps), axis=1)[:, :count], True, axis=1)
    return marked


def confidence(model, images, target):
    return tf.nn.softmax(model(images)).numpy()[np.arange(len(images)), target]


def distract(model, images, target, size=0.1, rounds=150, tries=16):
    """Search for small changes that move the saliency and leave the answer as it is."""
    generator = np.random.default_rng(0)
    important, sure = top(saliency(model, images, target)), confidence(model, images, target)
    best, lowest = images.copy(), np.full(len(images), np.inf)
    for _ in range(rounds):
        shape = (tries, *images.shape)
        moved = images + generator.choice([-size, size], shape)
        tried = np.clip(np.where(generator.random(shape) < 0.1, moved, best), 0, 1).astype(np.float32)
        flat, asked = tried.reshape(-1, images.shape[1]), np.tile(target, tries)
        maps = saliency(model, flat, asked).reshape(shape)
        left = (maps * important).sum(axis=2) / maps.sum(axis=2)
        left[confidence(model, flat, asked).reshape(tries, -1) < sure - 0.05] = np.inf
        winner, image = np.argmin(left, axis=0), np.arange(len(images))
        better = left[winner, image] < lowest
        best[better], lowest[better] = tried[winner, image][better], left[winner, image][better]
    return best


distracted = {}
for name, model in {"2 hidden layers, weight decay": network, "10 hidden layers": deep}.items():
    known = np.flatnonzero(classes(model, digits) == truth)[:12]
    images, target = digits[known], truth[known]
    distracted[name] = distract(model, images, target)
    jiggled = np.clip(images + 0.1 * by_chance[known], 0, 1)
    before = top(saliency(model, images, target))
    kept = [np.sum(before & top(saliency(model, i, target))) / before.sum() for i in (jiggled, distracted[name])]
    same = np.mean(classes(model, distracted[name]) == target)
    print(f"{name}: same class {same:.0%}; of the 50 top pixels, chance leaves {kept[0]:.0%}, the search {kept[1]:.0%}")

# %%
several = slice(0, 6)  # of the images and classes of the deep network, the last in the loop
maps, moved = (saliency(deep, pictures, target) for pictures in (images, distracted["10 hidden layers"]))
show_attributions(
    images[several],
    {
        "saliency,\n10 layers": maps[several],
        "its 50 top\npixels": top(maps)[several],
        "the 50 top\nafterwards": top(moved)[several],
    },
)

# %% [markdown]
# The deep network's maps can be moved; those of the shallow, smooth one hardly more than by chance. Remember part 2:
# where gradients are shattered, a neighbour with another gradient is never far. **A map is a statement about this very
# input.** Before you build on it, look at its neighbours, as `vitrina.explain.max_sensitivity` does.

# %% [markdown]
# ## 5. Clever Hans
#
# Hans was a horse that could do sums. In truth it watched its master's face. Networks do that too: a copyright mark on
# the pictures of horses is enough. We plant one. **In training, every eight has a small black tag in the corner**, and
# so it has in the test set of somebody who collects data the same way.


# %%
def tagged(images):
    pictures = images.reshape(-1, 28, 28).copy()
    pictures[:, 1:4, 1:4] = 1
    return pictures.reshape(-1, 784)


def tag_the_eights(images, labels):
    return np.where((labels == 8)[:, None], tagged(images), images)


hans = train_mnist_network(tag_the_eights(data.train_images, data.train_labels), data.train_labels, epochs=5)
images, labels = data.holdout_images, data.holdout_labels
eights, others = images[labels == 8], images[labels != 8]
print(
    f"test set collected the same way:    {np.mean(classes(hans, tag_the_eights(images, labels)) == labels):.0%} right"
)
print(f"eights without the tag:             {np.mean(classes(hans, eights) == 8):.0%} right")
print(f"other digits with the tag:          {np.mean(classes(hans, tagged(others)) == 8):.0%} called an eight")

maps = gradient_x_input(hans, tagged(eights), 8)
in_favour, tag = np.maximum(maps, 0), tagged(np.zeros((1, 784)))[0] > 0
print(f"share of the evidence for 'eight' that lies on the tag: {in_favour[:, tag].sum() / in_favour.sum():.0%}")
show_attributions(tagged(eights[:6]), {"Hans:\nwhy an eight?": maps[:6]})

# %% [markdown]
# The test accuracy is excellent, and the network cannot read an eight. No number on that test set could tell; one look
# at the explanations does. This is what explanations are best at: **debugging data**.

# %%
quick(
    "An explanation of Hans lights up on the tag. Is it a bad explanation?",
    wrong(
        "Yes, a tag in the corner has nothing to do with an eight", "Not for you. For this network it has everything."
    ),
    right(
        "No, it is faithful: the network does look there",
        "An explanation describes the network, not the world. Bad news about the network is what it is for.",
    ),
    wrong("It cannot be told", "It can: take the tag away and the answer changes, see the numbers above."),
)

# %% [markdown]
# ## 6. Sanity checks that famous methods fail
#
# If you destroy what the network has learnt, its explanation must change. So shuffle the weights, from the top layer
# down, and compare the maps before and after. A method whose map survives does not show the network: it shows the
# picture.
#
# We check saliency, **guided backpropagation** (which throws away negative signals on the way down) and **LRP-z⁺**
# (which uses positive weights only; here as LRP-γ with a huge γ). The last two are liked for their clear pictures.


# %%
def guided_backpropagation(model, images, target):
    """Go down through a chain of Dense layers; signals below 0 are thrown away at every ReLU."""
    layers, entering = dense_parameters(model), [images]
    for weights, bias in layers[:-1]:
        entering.append(np.maximum(entering[-1] @ weights + bias, 0))
    signal = np.eye(10)[target]
    for (weights, _), active in zip(layers[:0:-1], entering[:0:-1], strict=True):
        signal = np.maximum(signal @ weights.T, 0) * (active > 0)
    return signal @ layers[0][0].T


def lrp_z_plus(model, images, target):
    return lrp(model, images, target, rules=z_plus())


def likeness(one, other, where):
    """Rank correlation of the sizes of two explanations on some pixels of each image, the mean of all images."""
    pairs = zip(np.abs(one), np.abs(other), where, strict=True)
    return np.mean([spearmanr(a[pixels], b[pixels]).statistic for a, b, pixels in pairs])


checked = {"saliency": saliency, "guided\nbackpropagation": guided_backpropagation, "LRP-z⁺": lrp_z_plus}
images, target = digits[:50], ranking[:50, 0]
stages = ["trained", "top layer lost", "top two lost", "all lost"]
survivors = {name: parameter_randomisation(network, images, target, method).maps for name, method in checked.items()}

figure, axes = plt.subplots(figsize=(7.5, 3))
for name, maps in survivors.items():
    axes.plot(stages, [likeness(maps[0], stage, images > 0) for stage in maps], "o-", label=name.replace("\n", " "))
axes.axhline(0, color="black", linewidth=0.8)
axes.set(ylabel="likeness to the true map\n(on the ink)", ylim=(-0.1, 1.05))
axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
figure.tight_layout()

# %%
example = 0
show_attributions(
    np.repeat(images[example : example + 1], 4, axis=0),
    {name: maps[:, example] for name, maps in survivors.items()},
    titles=stages,
)

# %% [markdown]
# With its two upper layers lost the network answers at random, and its saliency map has nothing in common with the one
# before. Guided backpropagation keeps a good part of its map until the lowest layer is lost too. LRP-z⁺ paints the same
# picture throughout, at most with the colours exchanged: the sign of the (now random) logit. Multiplying positive
# matrices again and again forgets what was on top. That is why practice uses z⁺ only in lower layers, and rules that
# keep both signs above.
#
# A trap in the check itself: Gradient × Input *contains the input*. On the whole picture, paper included, its map
# hardly seems to change, for paper always gets 0. On the ink alone it does; what likeness is left there is that of the
# ink, darker here and paler there.

# %%
maps = parameter_randomisation(network, images, target, gradient_x_input).maps
everywhere = np.ones(images.shape, bool)
print(f"Gradient × Input, all lost: likeness {likeness(maps[0], maps[-1], everywhere):.2f} on the whole picture, "
      f"{likeness(maps[0], maps[-1], images > 0):.2f} on the ink")  # fmt: skip

# %%
quick(
    "A new method gives sharp maps, the same ones for a trained and for a random network. What has it found?",
    wrong("What the two networks have in common", "A random network has learnt nothing that it could share."),
    right(
        "The edges and the ink of the picture",
        "Whatever does not depend on the weights comes from the input. An edge detector would pass for an explanation.",
    ),
    wrong(
        "A robust explanation", "Robust against the network itself: so it cannot tell a good network from a broken one."
    ),
)

# %% [markdown]
# ## 7. Methods disagree
#
# Seven methods explain the same answers of the same network. How many of the 50 pixels that one puts first does another
# put first as well? By chance it would be 50 / 784, six per cent.
#
# $$\text{agreement} = \frac{|\,\text{top}_k(a) \cap \text{top}_k(b)\,|}{k}$$

# %%
methods = {
    "saliency": saliency,
    "SmoothGrad": lambda *asked: smooth_grad(*asked, noise=0.15, samples=25),
    "Gradient × Input": gradient_x_input,
    "integrated gradients": integrated_gradients,
    "DeepLIFT": deeplift,
    "LRP-ε": lambda *asked: lrp(*asked, rules=epsilon(0.5)),
    "LRP-γ": lambda *asked: lrp(*asked, rules=gamma(1.0)),
}
tops = [top(method(network, images, target)) for method in methods.values()]
agreement = np.array([[np.sum(one & other) / one.sum() for other in tops] for one in tops])

figure, axes = plt.subplots(figsize=(6.2, 4.6))
axes.imshow(agreement, cmap="Reds", vmin=0, vmax=1)
for (row, column), value in np.ndenumerate(agreement):
    axes.text(column, row, f"{value:.2f}", ha="center", va="center", color="white" if value > 0.6 else "black")
axes.set_xticks(range(len(methods)), methods, rotation=35, ha="right")
axes.set_yticks(range(len(methods)), methods)
axes.set_title("Agreement on the 50 top pixels")
figure.tight_layout()

# %% [markdown]
# Two families. The upper two ask what **would change** the answer (also ink on bare paper), the others what it is
# **made of**. Between the families there is little more than chance. That is no scandal: they answer different
# questions. It is one if a paper shows one of them and calls it "the explanation".
#
# Inside a family, agreement is no confirmation either. Gradient × Input, integrated gradients and DeepLIFT nearly *are*
# one method on a network whose biases are small (lesson 10), and LRP-0 would be another (lesson 30).

# %% [markdown]
# ## What goes wrong in practice
#
# - **One picture is shown, the best one.** Show many, drawn by chance; report a number over the test set.
# - **A map is judged by whether it pleases.** People like what looks like the object. So does guided backpropagation.
# - **A map is taken for a cause.** Take the pixels away and see whether the answer changes (lesson 70).
# - **The method is never named, nor the target, the baseline or the rule.** Without them nobody can repeat it.
# - **A good score on a test set from the same source** is taken for understanding. Look for Hans before others do.
# - **A check is done carelessly.** In part 6 the white paper alone makes a likeness of nearly 1.
#
# A list for your own work: *Which question? Which target? Does the sum come out? Do neighbours get similar maps? Does
# the map change when the weights are lost? Does the answer change when the pixels are lost? Would another method have
# been free to disagree?*
#
# ## What you have learnt
#
# Gradients fade in saturated networks and shatter in deep ones. Small changes fool classifiers, and explanations of
# deep classifiers. Explanations find what a test set hides. Some popular methods hardly depend on the network. Methods
# that ask different questions give different answers.
#
# ### References
#
# - Hochreiter (1998). The vanishing gradient problem during learning recurrent neural nets.
#   doi 10.1142/S0218488598000094. *Saturation.*
# - Balduzzi et al. (2017). The shattered gradients problem: if resnets are the answer, then what is the question?
#   arXiv 1702.08591.
# - Goodfellow, Shlens and Szegedy (2015). Explaining and harnessing adversarial examples. arXiv 1412.6572.
# - Ghorbani, Abid and Zou (2019). Interpretation of neural networks is fragile. arXiv 1710.10547.
# - Lapuschkin et al. (2019). Unmasking Clever Hans predictors and assessing what machines really learn.
#   arXiv 1902.10178.
# - Adebayo et al. (2018). Sanity checks for saliency maps. arXiv 1810.03292.
# - Springenberg et al. (2015). Striving for simplicity: the all convolutional net. arXiv 1412.6806. *Guided
#   backpropagation.*
# - Sixt, Granz and Landgraf (2020). When explanations lie: why many modified BP attributions fail. arXiv 1912.09818.
#   *Why z⁺ forgets the upper layers.*
# - Krishna et al. (2022). The disagreement problem in explainable machine learning: a practitioner's perspective.
#   arXiv 2202.01602.
