# %% [markdown]
# # What a classifier sees: Grad-CAM, occlusion, attention graphs
#
# You show a photograph to a network that was trained on 1.2 million others. It says "goose". **Where did it look?**
# Three methods answer: from inside the network, from outside with a small card, and with a list of "this would have
# been enough". You will see where they agree, and what each of them makes you believe that is not so.
#
# When you are done you will be able to
#
# - explain a real image classifier with Grad-CAM and with occlusion, and read both maps;
# - say how fine a Grad-CAM map really is;
# - choose the window and the fill value of occlusion, and know what the choice does to the map;
# - say what a *minimal sufficient explanation* is, and why one picture may have several;
# - read a structured attention graph and answer questions of the kind "what if this part were gone?".

# %%
from vitrina import quiet

with quiet():  # TensorFlow has much to say when it starts, and nothing that you need
    import tensorflow as tf

import numpy as np
from scipy.ndimage import gaussian_filter

from vitrina.explain import grad_cam, occlusion, structured_attention_graph
from vitrina.photo_plots import show_attention_graph, show_heatmaps
from vitrina.photographs import gallery
from vitrina.quick import quick, right, wrong

# %% [markdown]
# ## The classifier and its pictures
#
# EfficientNet-Lite0 is a small ImageNet classifier for phones: 4.7 million weights, 1,000 classes, photographs of
# 224 × 224 pixels. The first time, its weights are fetched (17 MB) and kept on your disk. If your computer cannot fetch
# them, the next line says so, and the lesson goes on with handwritten digits: the ideas are the same, the pictures
# are not as nice.

# %%
shown = gallery()
print(shown.note)
network, preprocess, names = shown.classifier.model, shown.classifier.preprocess, shown.names
pictures = np.stack([one.picture for one in shown.photographs])  # uint8, 0 to 255
inputs = preprocess(pictures)  # what the network takes
side = pictures.shape[1]

logits = np.asarray(network(inputs))
winners = logits.argmax(axis=1)
labelled = [index for index, one in enumerate(shown.photographs) if one.label is not None]
named_right = sum(winners[index] == shown.photographs[index].label for index in labelled)
print(f"named rightly: {named_right} of {len(labelled)} pictures that have a label")

chosen = {one.name: index for index, one in enumerate(shown.photographs)}
wanted = ["imagenet_15_99", "imagenet_00_243", "coffee", "imagenet_12_741"]
few = [chosen.get(name, position) for position, name in enumerate(wanted)]
titles = [
    f"{names[winners[index]]}: {p:.0%}" for index, p in zip(few, np.max(tf.nn.softmax(logits[few]), 1), strict=True)
]
show_heatmaps(pictures[few], {}, titles=titles)

# %% [markdown]
# ## Grad-CAM: ask the last feature map
#
# A convolutional network ends with a coarse picture in very many colours. In ours it has 7 × 7 places, and at each of
# them 1,280 detectors say how strongly they fire. Their mean over the places decides. So two questions remain: *which
# detectors speak for "goose"*, and *where do these fire*?
#
# - How much detector $k$ matters is the mean of the gradient over its map $A_k$ with $Z$ places:
#   $w_k = \frac{1}{Z} \sum_{u} \partial f_c / \partial A_{k,u}$.
# - Where they fire is in the maps themselves.
#
# Together, keeping only what speaks *for* the class:
#
# $$L_u = \max\Bigl(0,\; \sum_k w_k A_{k,u}\Bigr)$$
#
# The map is then enlarged to the size of the photograph. One forward pass, and a backward pass through the last layers
# only.

# %%
cam = grad_cam(network, inputs[few], winners[few])
show_heatmaps(pictures[few], {"Grad-CAM": cam}, titles=titles)

# %% [markdown]
# ### How fine is it really?
#
# The soft glow looks as if it followed the shape of things. It does not: it is the enlarging that is smooth. Below is
# the same map without smoothing, and the map of an earlier layer, which has more places but detectors that know less.

# %%
early, last = shown.layers
places = network.get_layer(last).output.shape[1]
coarse = tf.image.resize(cam[..., None], (places, places), method="area")
blocks = tf.image.resize(coarse, (side, side), method="nearest").numpy()[..., 0]
earlier = grad_cam(network, inputs[few], winners[few], layer=early)
print(f"the last feature map has {places} x {places} places, so one of them covers "
      f"{side / places:.0f} x {side / places:.0f} pixels")  # fmt: skip
show_heatmaps(pictures[few], {"as drawn": cam, "as computed": blocks, "an earlier\nlayer": earlier}, titles=titles)

# %% [markdown]
# At a layer where the weighted detectors speak against the class everywhere, the ReLU leaves an empty map. Empty does
# not mean that the network saw nothing.
#
# And a detector does not see only its own square. Its *receptive field*, the part of the photograph that can change it,
# is larger, often the whole picture. "It fired here" is not the same as "it looked here".

# %%
quick(
    "A Grad-CAM map of a 7 × 7 feature map has its edge exactly along the edge of a bird. What do you conclude?",
    wrong("The network has learnt the outline of the bird", "With 7 places across, no map can follow an outline."),
    right(
        "It is a coincidence: the map is coarse and was smoothed",
        "A place is 32 pixels wide. Whatever is finer comes from the enlarging, or from your eye.",
    ),
    wrong("The ReLU has cut the map at the edge", "The ReLU acts on 7 × 7 values, before the enlarging."),
)

# %% [markdown]
# ## Occlusion: hide it and see
#
# Put a small grey card on the photograph, and look how much the logit falls. Move the card, repeat. For a card $W$:
#
# $$R_W = f_c(x) - f_c(x \text{ with } W \text{ covered})$$
#
# and a pixel gets the mean over the cards that cover it. No gradient, no look inside: occlusion works for any model. It
# costs one forward pass for each place of the card. And you must choose a card.


# %%
def probability(samples, target):
    return np.asarray(tf.nn.softmax(network(samples)))[:, target]


one = few[0]
picture, sample, target = pictures[[one]], inputs[[one]], winners[one]
steps = side // 14
cards = {f"card of\n{side // share} pixels": side // share for share in (14, 7, 3)}
by_size = {
    name: occlusion(network, sample, target, window=card, stride=max(steps, card // 4))[..., 0]
    for name, card in cards.items()
}
show_heatmaps(picture, by_size, titles=titles[:1])

# %% [markdown]
# A small card hides too little: a network that knows geese by neck *and* legs *and* feathers can do without any one of
# them, and a small change may even help. A large card hides everything at once, and cannot say where. Blue means that
# the logit *rose* when something was hidden.
#
# ### Nothing is not nothing
#
# What should the card look like? Grey, black, a blurred copy of what it hides? Each is a picture that the network never
# saw in training, and it answers to the card as well as to what is missing.

# %%
blurred = gaussian_filter(sample, (0, side / 16, side / 16, 0))
fills = {"grey": (sample.min() + sample.max()) / 2, "black": sample.min(), "blurred": blurred}
by_fill = {
    f"{name} card": occlusion(network, sample, target, window=side // 7, stride=steps, fill=fill)[..., 0]
    for name, fill in fills.items()
}
agreement = np.corrcoef([values.ravel() for values in by_fill.values()])
for first, second in [(0, 1), (0, 2), (1, 2)]:
    pair = list(fills)[first], list(fills)[second]
    print(f"{pair[0]:>7} and {pair[1]:<7}: correlation {agreement[first, second]:.2f}")
show_heatmaps(picture, by_fill, titles=titles[:1])

# %%
quick(
    "With a black card a shadow seems unimportant, with a white card it seems important. Which map is right?",
    wrong("The one with the black card", "Black on a shadow hardly changes the picture: it cannot show the effect."),
    wrong("The one with the white card", "It also measures what a white square does to the network."),
    right(
        "Each is, for its own question",
        "Occlusion compares with the picture *that has this card on it*. Name the card, and try several.",
    ),
)

# %% [markdown]
# ### Which map tells the truth?
#
# Test them. Cut the picture into 7 × 7 patches, hide the ten patches that a map holds for the most important, and see
# what is left of the probability. Ten patches by chance are the measure to beat.


# %%
def by_patch(values):
    """Mean of a map in each of 7 x 7 patches."""
    part = side // 7
    return values.reshape(7, part, 7, part).mean(axis=(1, 3)).ravel()


def hide(image, patches):
    """Cover patches in grey."""
    covered = np.zeros(49, bool)
    covered[patches] = True
    mask = np.kron(covered.reshape(7, 7), np.ones((side // 7, side // 7), bool))
    return np.where(mask[..., None], fills["grey"], image).astype(np.float32)


generator = np.random.default_rng(0)
grey_map = by_fill["grey card"]
versions = {
    "hottest ten by Grad-CAM": [np.argsort(-by_patch(cam[0]))[:10]],
    "hottest ten by occlusion": [np.argsort(-by_patch(grey_map[0]))[:10]],
    "ten by chance": [generator.permutation(49)[:10] for _ in range(20)],
}
print(f"whole picture: {probability(sample, target)[0]:.0%}")
for name, hidden in versions.items():
    left = probability(np.stack([hide(sample[0], patches) for patches in hidden]), target)
    print(f"without the {name:<25}: {left.mean():.0%}")

# %% [markdown]
# ## Structured attention graphs: what would have been enough?
#
# A heatmap is *one* answer. But ask a friend how she knew the goose: "by its neck; well, the legs would have done too."
# There can be several reasons, and each may be enough by itself.
#
# Hide **everything** and uncover patch by patch. A set of patches $S$ is **sufficient** if the network is nearly as
# sure with these patches alone as with the whole photograph,
#
# $$p_c(x_S) \ge 0.9 \; p_c(x),$$
#
# and **minimal** if no patch of it can be spared. With 49 patches there are $2^{49}$ sets: too many to try. So the
# method searches: begin with nothing, add the most promising patches, keep the best few sets (a *beam*), and once a set
# suffices, take away what can be spared. Then look among the patches that are left for another reason.

# %%
second = chosen.get("imagenet_16_251", 4)
third = chosen.get("chelsea", 5)
several = [second, third]
graphs = structured_attention_graph(network, inputs[several], winners[several], explanations=3, roots=2)
graph = graphs[0]
print(f"{graph.calls} calls of the network with {graph.images} masked pictures in all")
for number, patches in enumerate(graph.explanations, start=1):
    print(f"explanation {number}: {len(patches)} of 49 patches")
show_attention_graph(graph, pictures[second], name=names[winners[second]])

# %% [markdown]
# Read it from above. Framed in blue are explanations: with these few patches alone, the network is as sure of its class
# as with the whole photograph, or nearly. It may even be surer: what is hidden cannot speak for another class. A line
# leads to what is left when one more patch is deleted (the small picture in red), and the bar shows the probability of
# the class. Each node answers a question that a heatmap cannot answer: **what if this patch were gone, and that one
# too?** Where two lines meet, two ways lead to the same picture.

# %%
show_attention_graph(graphs[1], pictures[third], name=names[winners[third]])

# %% [markdown]
# Compare with the heatmap: how much of what it marks does an explanation need?

# %%
maps = grad_cam(network, inputs[several], winners[several])
for index, values, found in zip(several, maps, graphs, strict=True):
    marked = (by_patch(values) > 0.25 * by_patch(values).max()).sum()
    sizes = [len(patches) for patches in found.explanations]
    print(f"{names[winners[index]]}: Grad-CAM marks {marked} of 49 patches, "
          f"explanations have {min(sizes)} to {max(sizes)}")  # fmt: skip

# %%
quick(
    "A photograph has two minimal sufficient explanations that share no patch. You hide the first. What may happen?",
    wrong("The network must change its answer", "The second explanation is still there, and is enough by itself."),
    right(
        "The network may well keep its answer",
        "That is what sufficient means for the other one. Sufficient is not the same as necessary.",
    ),
    wrong(
        "One of the two is wrong",
        "Both were tested, patch by patch. Networks, like people, may have more than one reason.",
    ),
)

# %% [markdown]
# ## What goes wrong in practice
#
# - **Grad-CAM is coarse.** Quote the size of its feature map. Never read outlines into it.
# - **Grad-CAM drops what speaks against.** The ReLU hides it; look at the map without it once (`relu=False`).
# - **Each map has its own scale.** A picture without any goose also has a hottest place. Look at the probability first.
# - **Whose class?** Explaining "goose" in a picture that the network calls "crane" is possible, and sometimes what you
#   want. Say which class it is.
# - **Occlusion: window and fill decide.** Report both, try several. Small windows miss what is there twice.
# - **Sufficient sets are odd pictures.** Three patches on grey look like nothing in the training data. That the network
#   is sure of them says something about the network; that *you* would not be is a warning.
# - **Minimal is not smallest.** No patch can be spared, but another set may do with fewer.
# - **Seeing a pattern where there is one picture.** Explanations of one photograph are an anecdote. Look at many.
#
# ## What you have learnt
#
# - Grad-CAM weights the last feature maps by their mean gradient: fast, coarse, from inside.
# - Occlusion measures from outside; it needs no gradient, many passes, and a choice of card.
# - A structured attention graph shows several explanations that suffice, and what each patch is worth to them.
#
# Lesson 70 turns "hide it and see" into measures that compare explanations on many pictures.
#
# ### References
#
# - Selvaraju et al. (2017). Grad-CAM: visual explanations from deep networks. arXiv 1610.02391. *Grad-CAM.*
# - Zeiler and Fergus (2014). Visualizing and understanding convolutional networks. arXiv 1311.2901. *Occlusion.*
# - Shitole, Li, Kahng, Tadepalli and Fern (2021). One explanation is not enough: structured attention graphs for image
#   classification. arXiv 2011.06733. *Attention graphs, and a study with people.*
# - Tan and Le (2019). EfficientNet. arXiv 1905.11946. *The family of our network.*
# - Adebayo et al. (2018). Sanity checks for saliency maps. arXiv 1810.03292. *Which maps depend on what was learnt.*
