# %% [markdown]
# # SHAP on images: superpixels, gradients, and what breaks
#
# A photograph has 150,528 numbers. Nobody wants a value for each, and nobody could pay for them. This lesson explains
# a photograph by its **pieces**, and then compares all that the `shap` library has for images with what you know from
# Vitrina, on one digit, sum for sum. Some of it agrees to the last digit. Some of it does not run any more, and one
# part damages what runs after it.
#
# When you are done you will be able to
#
# - explain an image classifier by superpixels, with a budget that you choose;
# - say what Owen values are, and which coalitions they never ask about;
# - show what the choice of the baseline does to a map;
# - choose between partition, Deep and Gradient explainers, and check each by what its values add up to;
# - recognise three failures of the library on today's TensorFlow, and go on working after them.

# %%
from vitrina import quiet

with quiet():  # TensorFlow has much to say when it starts, and nothing that you need
    import keras
    import shap
    import tensorflow as tf
    from tensorflow.python.eager import execute

    tf.get_logger().setLevel("ERROR")  # it warns that the library compiles anew at each call

import time
import warnings

import matplotlib.pyplot as plt
import numpy as np
from skimage.segmentation import mark_boundaries

from vitrina.explain import (
    deeplift,
    integrated_gradients,
    owen_values,
    partition_shap,
    superpixel_hierarchy,
    superpixels,
)
from vitrina.explain.black_box import scoring
from vitrina.photo_plots import show_heatmaps
from vitrina.photographs import gallery
from vitrina.plots import show_attributions
from vitrina.quick import quick, right, wrong
from vitrina.trained import with_weights
from vitrina_datasets import mnist

# %% [markdown]
# ## The players: pieces of the picture
#
# We take the ImageNet classifier of week 2 and some of its photographs. (If your computer cannot fetch them, the next
# line says so, and the lesson goes on with handwritten digits.) Neighbouring pixels of like colour are joined into
# about forty **superpixels**. A superpixel is a player: it is there, or it is missing as a whole.

# %%
shown = gallery()
print(shown.note)
network, preprocess, names = shown.classifier.model, shown.classifier.preprocess, shown.names
logits_of = scoring(network)
chosen = {one.name: index for index, one in enumerate(shown.photographs)}
wanted = ["imagenet_15_99", "coffee", "imagenet_12_741"]
pictures = np.stack([shown.photographs[chosen.get(name, place)].picture for place, name in enumerate(wanted)])
inputs = preprocess(pictures)
winners = logits_of(inputs).argmax(axis=1)
titles = [names[winner] for winner in winners]
labels = superpixels(pictures, 40)
count = int(labels[0].max()) + 1
print(f"{titles[0]}: {count} superpixels, so 2^{count}, about {2.0**count:.0e} coalitions")

# %% [markdown]
# That is too many for exact Shapley values, and sampling would be noisy. But a superpixel does not play alone: pieces
# that lie side by side and look alike often belong together. So let the players form **groups within groups**: join
# the two neighbours that are most alike, again and again, until the whole picture is one group. (The computer knows
# colours, not birds. Look where its groups cut.)

# %%
tree = superpixel_hierarchy(labels[0], pictures[0])


def members(group):
    return [group] if isinstance(group, int) else members(group[0]) + members(group[1])


def level(group, depth):
    """The groups that are left after so many cuts in two."""
    if depth == 0 or isinstance(group, int):
        return [group]
    return level(group[0], depth - 1) + level(group[1], depth - 1)


figure, axes = plt.subplots(1, 4, figsize=(11, 3), layout="constrained")
axes[0].imshow(mark_boundaries(pictures[0].squeeze(), labels[0]))
axes[0].set_title(f"{count} superpixels", fontsize=10)
for axis, groups in zip(axes[1:], [level(tree, depth) for depth in (3, 2, 1)], strict=True):
    number = np.zeros(count, int)
    for index, group in enumerate(groups):
        number[members(group)] = index
    axis.imshow(mark_boundaries(pictures[0].squeeze(), number[labels[0]]))
    axis.set_title(f"{len(groups)} groups", fontsize=10)
for axis in axes:
    axis.set_axis_off()

# %% [markdown]
# ### Owen values
#
# Begin with the whole picture. It falls into two groups, $L$ and $R$: a game of two players, which lesson 20 solves
# by two orders. Then take $L$ apart in the same way, **once with all of $R$ present and once with all of it
# missing**, and take the mean; and so on, down to the superpixels. For a group with the halves $L$ and $R$, beside a
# context $C$ of others:
#
# $$\phi_L = \tfrac12 \bigl( v(C \cup L) - v(C) \bigr) + \tfrac12 \bigl( v(C \cup L \cup R) - v(C \cup R) \bigr)$$
#
# These are **Owen values** (Guillermo Owen, 1977). They keep efficiency, dummy and additivity. Symmetry holds among
# members of a group, and among groups. What is gone: no coalition with *half* of another group is ever asked for. An
# example with three parties in a parliament. Two of three votes make a majority, and the first two have a contract to
# vote together:

# %%
majority = lambda coalitions: (coalitions.sum(axis=1) >= 2).astype(float)  # noqa: E731
for name, groups in {"each for itself": (0, 1, 2), "two with a contract": ((0, 1), 2)}.items():
    print(f"{name:20}", owen_values(majority, groups).attributions.round(2))

# %%
quick(
    "Why does the third party get nothing once the other two have a contract?",
    wrong("It was punished for not signing", "Nobody punishes. Count what it adds to the coalitions that occur."),
    right(
        "It now only ever joins nobody, or a majority that is complete without it",
        "A coalition with just one of the other two is not asked for any more, and that was where it mattered.",
    ),
    wrong("The values are wrong, symmetry is broken", "The parties are not symmetric any more: two are in a group."),
)

# %% [markdown]
# ## Three photographs
#
# With a **budget** of 80 coalitions for each photograph, the algorithm goes first to the groups that have most to
# hand out, and takes those apart. What it cannot afford to take apart is shared out equally within the group. A
# missing superpixel is painted in the mean colour of the picture. Every call says what was added up:

# %%
start = time.perf_counter()
found = partition_shap(network, inputs, winners, groups=labels, coalitions=80)
seconds = time.perf_counter() - start


def by_superpixel(result, index=0):
    """The value of each pixel's superpixel."""
    return result.players[index][labels[index]]


for index, title in enumerate(titles):
    total = found.attributions[index].sum()
    print(f"{title:22} base {found.base[index]:5.2f} + attributions {total:5.2f} = {found.base[index] + total:5.2f}, "
          f"logit {logits_of(inputs)[index, winners[index]]:5.2f}, residual {found.residual[index]:.0e}")  # fmt: skip
maps = np.stack([by_superpixel(found, index) for index in range(3)])
show_heatmaps(pictures, {"partition\nSHAP": maps}, titles=titles)

# %% [markdown]
# Red speaks for the class that the network chose, blue against it. Unlike Grad-CAM's, this map has a unit: logits.
# And it adds up: the red less the blue is what lifts the logit from the base value, a picture of one colour, to what
# it is.
#
# ### What a budget buys
#
# Exact Owen values of the first photograph would take many coalitions. Do we need them?

# %%
budgets = {budget: partition_shap(network, inputs[:1], winners[:1], groups=labels[:1], coalitions=budget)
           for budget in (10, 40, 160)}  # fmt: skip
by_budget = {f"{budget} coalitions": by_superpixel(result)[None] for budget, result in budgets.items()}
print(f"exact values would take {budgets[10].needed[0]:,} coalitions")
for budget, result in budgets.items():
    print(f"{budget:4} coalitions: correlation with those of 160 "
          f"{np.corrcoef(result.players[0], budgets[160].players[0])[0, 1]:.2f}")  # fmt: skip
show_heatmaps(pictures[:1], by_budget, titles=titles[:1])

# %% [markdown]
# Ten coalitions find the part that matters most, forty find others. More only sharpens the map. Coarse is not wrong,
# as long as you say how coarse. *Adding up exactly is no sign of quality*: all three do.
#
# ## What is it compared with?
#
# A missing superpixel must look like something. Four ways to paint it: the mean colour of the picture, black, a
# blurred copy of what was there, or the mean colour of the superpixels around it, as one would paint over a stain.

# %%
backgrounds = {"black": float(inputs.min()), "blurred": "blur", "neighbours": "neighbours"}
by_background = {"mean colour": found} | {
    name: partition_shap(network, inputs[:1], winners[:1], groups=labels[:1], background=background, coalitions=80)
    for name, background in backgrounds.items()
}
for name, result in by_background.items():
    shared = result.attributions[0].sum()
    print(f"{name:12} base value {result.base[0]:5.2f}, so there are {shared:5.2f} logits to share out")
agreement = np.corrcoef([result.players[0] for result in by_background.values()])
print("correlations of the maps:", *(f"{value:.2f}" for value in agreement[np.triu_indices(4, 1)]))
show_heatmaps(
    pictures[:1], {name: by_superpixel(result)[None] for name, result in by_background.items()}, titles=titles[:1]
)

# %% [markdown]
# Same picture, same network, same players, four maps. Each answers its own question: *rather than a grey picture*,
# *rather than a blurred one*. Where they agree you may believe them; where only one of them shows something, it may
# be the paint.

# %%
quick(
    "With a black baseline, the black beak of a bird gets almost no attribution. Does the network ignore the beak?",
    wrong("Yes, its attribution is near zero", "What would change if a black beak were painted black?"),
    right(
        "That cannot be told from this map",
        "Missing and present look the same there. Take another baseline and look again.",
    ),
    wrong("No, beaks always matter", "Perhaps. But neither this map nor your knowledge of birds shows it."),
)

# %% [markdown]
# ## The library and Vitrina on one digit
#
# Now to what `shap` offers for networks. We need a Keras network with convolutions that is quick to ask, so here is a
# small one for handwritten digits. Twenty training images are the background, for everybody.

# %%
data = mnist.load()
digits = data.holdout_images.reshape(-1, 28, 28, 1)
references = data.train_images[:20].reshape(-1, 28, 28, 1)


def build(activation=keras.layers.ReLU, pooling=lambda: keras.layers.AveragePooling2D(2)):
    stack = [keras.layers.Conv2D(8, 3), activation(), keras.layers.MaxPooling2D(2), keras.layers.Conv2D(16, 3)]
    stack += [activation(), pooling(), keras.layers.Flatten(), keras.layers.Dense(10)]
    return keras.Sequential([keras.Input((28, 28, 1)), *stack])


def train(model):
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    images = data.train_images.reshape(-1, 28, 28, 1)
    model.fit(images, data.train_labels, batch_size=32, epochs=5, verbose=0)


keras.utils.set_random_seed(0)
cnn = with_weights(build, train, name="lesson-60-cnn", recipe="Adam, batch 32, 5 epochs, seed 0")
said = scoring(cnn)
print(f"right on {(said(digits).argmax(axis=1) == data.holdout_labels).mean():.0%}")
five = int(np.flatnonzero((data.holdout_labels == 5) & (said(digits).argmax(axis=1) == 5))[0])
digit, ordinary = digits[[five]], float(said(references)[:, 5].mean())
logit = float(said(digit)[0, 5])
print(f"logit of five: {logit:.2f}; its mean over the background: {ordinary:.2f}; difference {logit - ordinary:.2f}")

# %% [markdown]
# - `DeepExplainer` walks backwards through the network as DeepLIFT does (week 2), once for every reference: compared
#   with ours, `deeplift(..., background=...)`.
# - `GradientExplainer` averages integrated gradients over the background, with points **drawn by chance**: compared
#   with ours, `integrated_gradients`, against one empty picture and with evenly spaced points.
# - `PartitionExplainer` with `maskers.Image` halves the picture down to pixels: compared with ours, `partition_shap`
#   without superpixels, which does the same. Missing pixels are 0 here, that is paper. The library decides for all
#   ten classes together which group to take apart next, so we ask ours for ten classes as well.


# %%
def timed(explain):
    start = time.perf_counter()
    return np.asarray(explain(), float).reshape(28, 28), time.perf_counter() - start


with warnings.catch_warnings(), quiet():
    warnings.simplefilter("ignore")  # it says on every call that TensorFlow is newer than 2.4
    deep = shap.DeepExplainer(cnn, references)
    deep.shap_values(digit)  # the first calls compile: not counted
    gradient = shap.GradientExplainer(cnn, references)
    halves = shap.PartitionExplainer(said, shap.maskers.Image(0.0, (28, 28, 1)))
    halves(digit, max_evals=10, silent=True)
    empty, every = np.zeros_like(digit), np.arange(10)[np.newaxis]
    asked = {
        "shap Deep": (lambda: deep.shap_values(digit)[..., 5], ordinary),
        "DeepLIFT": (lambda: deeplift(cnn, digit, 5, background=references), ordinary),
        "shap Gradient": (lambda: gradient.shap_values(digit, nsamples=200, rseed=0)[..., 5], ordinary),
        "shap Gradient,\nother seed": (
            lambda: gradient.shap_values(digit, nsamples=200, rseed=1)[..., 5],
            ordinary,
        ),
        "integrated\ngradients": (lambda: integrated_gradients(cnn, digit, 5), float(said(empty)[0, 5])),
        "shap Partition": (lambda: halves(digit, max_evals=500, silent=True).values[..., 5], float(said(empty)[0, 5])),
        "partition": (
            lambda: partition_shap(cnn, digit, every, background=0.0, coalitions=500).attributions[0, 5],
            float(said(empty)[0, 5]),
        ),
    }
    deeplift(cnn, digit, 5, background=references)
    integrated_gradients(cnn, digit, 5)
    answers = {name: timed(explain) for name, (explain, _base) in asked.items()}

print(f"{'':26} {'base':>7} {'sum':>7} {'missing of the sum':>20}   time")
for name, (values, seconds) in answers.items():
    base = asked[name][1]
    print(f"{' '.join(name.split()):26} {base:7.2f} {values.sum():7.2f} {logit - base - values.sum():20.6f} "
          f"{1000 * seconds:6.0f} ms")  # fmt: skip
show_attributions(
    np.repeat(digit, len(answers), axis=0)[..., 0],
    np.stack([values for values, _seconds in answers.values()]),
    titles=[name.replace(" ", "\n", 1) if "\n" not in name else name for name in answers],
)

# %% [markdown]
# Read the table line by line.
#
# - **Deep and DeepLIFT are one method**, and agree to rounding. Nothing is missing of the sum.
# - **Gradient is an estimate.** Two seeds give two maps, and a part of the sum is missing. More samples help slowly,
#   with $1/\sqrt{n}$, as in lesson 20. The library does not report what is missing; the column is ours.
# - **Integrated gradients and the partitions start from an empty picture**, so they divide another difference.
#   Compare their bases before you compare their maps.
# - **The two partitions are the same numbers** if they have the same baseline, the same halves and the same budget.
#   Blocks are groups that the budget did not take apart.

# %%
largest = np.abs(answers["shap Deep"][0]).max()
off = {
    "Deep and DeepLIFT": ("shap Deep", "DeepLIFT"),
    "two seeds of Gradient": ("shap Gradient", "shap Gradient,\nother seed"),
    "the two partitions": ("shap Partition", "partition"),
}
for name, (one, other) in off.items():
    difference = np.abs(answers[one][0] - answers[other][0]).max()
    print(f"{name:22} largest difference {difference:.1e}, as a share of the largest value: {difference / largest:.1%}")

# %%
quick(
    "A GradientExplainer's map misses 0.3 of a difference of 9 logits. Which check tells whether that is a bug?",
    wrong("Compare it with the map of DeepExplainer", "They are different methods: their maps differ anyway."),
    right(
        "Take four times as many samples: the typical miss must halve",
        "Noise shrinks as 1/√n. A bug does not get smaller.",
    ),
    wrong("None, 0.3 of 9 is within rounding", "Rounding in single precision is a ten-millionth, not a thirtieth."),
)

# %% [markdown]
# ## What does not work any more
#
# `DeepExplainer` was written for TensorFlow 1. It replaces the gradients of single operations by rules of its own,
# deep inside TensorFlow. For operations that it has no rule for, three things can happen. We change one layer of our
# network, keep its weights where they fit, and try. Ours goes first; you will see why.


# %%
unspoilt = execute.record_gradient


def repaired():
    """Undo what a DeepExplainer that failed has left behind in TensorFlow."""
    execute.record_gradient = unspoilt


def attempt(model, check=True):
    """What the library answers, or why it does not."""
    with warnings.catch_warnings(), quiet():
        warnings.simplefilter("ignore")
        try:
            values = shap.DeepExplainer(model, references).shap_values(digit, check_additivity=check)
        except Exception as error:
            return f"{type(error).__name__}: {str(error).strip().splitlines()[-1].strip()[:90]}"
        return f"answers, and misses {difference_of(model) - values[..., 5].sum():+.4f}"


def difference_of(model):
    scores = scoring(model)
    return float(scores(digit)[0, 5] - scores(references)[:, 5].mean())


variants = {
    "ReLU, average pool": {},
    "LeakyReLU": {"activation": keras.layers.LeakyReLU},
    "GELU": {"activation": lambda: keras.layers.Activation("gelu")},
    "global max pool": {"pooling": keras.layers.GlobalMaxPooling2D},
    "SiLU": {"activation": lambda: keras.layers.Activation("silu")},
}
models = {name: build(**changes) for name, changes in variants.items()}
for model in models.values():
    if model.count_params() == cnn.count_params():
        model.set_weights(cnn.get_weights())
for name, model in models.items():
    ours = deeplift(model, digit, 5, background=references)
    print(f"{name}: {difference_of(model):+.4f} to share out")
    print(f"   DeepLIFT   misses {difference_of(model) - ours.sum():+.1e}")
    print(f"   shap Deep  {attempt(model)}")
    repaired()

# %% [markdown]
# **One: it stops.** "Gradient registry has no entry" means: no rule for this operation. The same happens for a
# default LSTM or GRU, layer normalisation, attention and separable convolutions. An error is the good case.
#
# **Two: its own check stops it.** For SiLU every single operation has a rule, but their combination is wrong; the
# values do not add up, and the library notices. Many a forum answer now advises `check_additivity=False`. Look what
# that does:

# %%
print("SiLU with check_additivity=False:", attempt(models["SiLU"], check=False))
print(f"... of {difference_of(models['SiLU']):+.4f}")

# %% [markdown]
# You get values, and they are wrong. The check was the only one who knew. **Never switch it off.** If it complains
# about the last digits only, say how much is missing, as we did.
#
# **Three: it breaks what comes after.** This is the treacherous one. To use its own rules the library replaces a
# function inside TensorFlow, and puts it back at the end, but not if there was an error. From then on *every*
# gradient that TensorFlow compiles anew may fail, also where `shap` plays no part. You cannot even train another
# network:


# %%
def harmless():
    """The slope of a ReLU at 1, in a function that TensorFlow compiles."""

    @tf.function
    def slope(value):
        with tf.GradientTape() as tape:
            tape.watch(value)
            result = tf.nn.relu(value)
        return tape.gradient(result, value)

    return float(slope(tf.constant([1.0]))[0])


print("slope of a ReLU before:         ", harmless())
attempt(models["LeakyReLU"])
try:
    print("slope of a ReLU after a failure:", harmless())
except Exception as error:
    print("slope of a ReLU after a failure:", str(error).strip().splitlines()[-1].strip())
repaired()
print("slope of a ReLU after repair:   ", harmless())

# %% [markdown]
# In a notebook this looks as if *your* code had broken over lunch. Restart the kernel, or undo the replacement as
# `repaired` does.
#
# And a small one: `maskers.Image("blur(5,5)", ...)`, the baseline of most tutorials, wants the package `opencv`, and
# fails without it. A blurred baseline takes one line of SciPy, or `background="blur"` here.

# %%
quick(
    "DeepExplainer says that its values miss the output by 0.00002 of 9 logits. What do you do?",
    wrong("Switch the check off and never think of it again", "Then it will not tell you when they are off by 5."),
    right(
        "Note how much is missing, here nothing but rounding, and keep the check for other inputs",
        "A millionth is rounding in single precision. Only the amount tells rounding from a missing rule.",
    ),
    wrong("Throw the explanation away", "It is as exact as the network's own arithmetic."),
)

# %% [markdown]
# ## Which one, then?
#
# | | needs | cost | adds up | says nothing about |
# | --- | --- | --- | --- | --- |
# | partition | scores, so any model | the passes you allow | exactly | what is smaller than a piece |
# | DeepLIFT / Deep | a rule for every layer | a pass or two per reference | exactly | pictures between the two |
# | integrated gradients | gradients | a pass per step | nearly: check | pixels that equal the baseline |
# | `shap` Gradient | gradients | a pass per sample | on average | its own noise |
#
# ## What goes wrong in practice
#
# - **Superpixels decide what can be seen.** A piece that holds half a beak and half the sky has one value. Look at
#   the pieces first; try another number of them.
# - **Small pieces look strong.** Values *per pixel* are large where a piece is small. We drew values per piece.
# - **The baseline was the library's.** "Values" without their base value cannot be compared with anything.
# - **Grouped is not equal.** Owen values depend on the hierarchy. Another one gives other values, all of them adding
#   up.
# - **One seed of a random method.** Show two. If you cannot tell which differences are noise, neither can your
#   reader.
# - **`check_additivity=False`.** See above.
# - **A map convinces.** It may be wrong, it may be about the paint. Lesson 70 of week 2 tests maps against the model.
#
# ## What you have learnt
#
# - Pieces are players; a hierarchy of them makes Shapley's idea affordable: Owen values, with a budget.
# - Everything adds up by construction, or it is an estimate and you can say by how much it does not.
# - `shap`'s Partition and Deep explainers agree with ours where they run. Know the three ways in which Deep does not.
#
# ### References
#
# - Owen (1977). Values of games with a priori unions. doi 10.1007/978-3-642-45494-3_7. *Groups that move as one.*
# - Winter (1989). A value for cooperative games with levels structure of cooperation. doi 10.1007/BF01268863. *Groups
#   within groups.*
# - Lundberg and Lee (2017). A unified approach to interpreting model predictions. arXiv 1705.07874. *SHAP; Deep
#   SHAP.*
# - Shrikumar, Greenside and Kundaje (2017). Learning important features through propagating activation differences.
#   arXiv 1704.02685. *DeepLIFT.*
# - Erion, Janizek, Sturmfels, Lundberg and Lee (2021). Improving performance of deep learning models with axiomatic
#   attribution priors and expected gradients. arXiv 1906.10670. *What GradientExplainer estimates.*
# - Sturmfels, Lundberg and Lee (2020). Visualizing the impact of feature attribution baselines.
#   doi 10.23915/distill.00022. *Baselines, with pictures to play with.*
# - Achanta et al. (2012). SLIC superpixels compared to state-of-the-art superpixel methods. doi
#   10.1109/TPAMI.2012.120. *Superpixels.*
