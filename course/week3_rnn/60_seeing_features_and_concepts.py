# %% [markdown]
# # Seeing features and concepts, and where the view ends
#
# A heatmap says why a network gave *this* answer to *this* input. Today's question is larger: **what does a network
# look for at all?** Two answers are famous. Let it draw what it likes best; or name a concept of your own and ask
# whether the network knows and uses it. Both work, both look convincing, and each can fool you. We see both happen.
#
# When you are done you will be able to
#
# - let a network draw what excites a class, a unit or a channel, and say what in the drawing is yours;
# - find a concept as a direction in a layer, and test whether a class depends on it, with a test that holds its
#   level;
# - say why a concept that decides everything can get the score of a random one;
# - judge a surrogate on inputs unlike those it was made from;
# - show in seconds that many inputs look the same to a network, that features are spread over units, and that seeds
#   disagree.

# %%
from vitrina import quiet

with quiet():
    import keras  # noqa: F401

import matplotlib.pyplot as plt
import numpy as np

from vitrina.automata import LANGUAGES
from vitrina.automata.elman import extract
from vitrina.automata.sensitivity import state_gradients
from vitrina.automata.weights import trained_network
from vitrina.automata_plots import draw_machine
from vitrina.concept_plots import show_maximised, show_progress, show_selectivity, show_tcav
from vitrina.convolutional import convolutional_network, train_mnist_cnn
from vitrina.explain import (
    ablation_accuracies,
    activation_maximisation,
    best_matches,
    concept_vector,
    layer_activations,
    linear_cka,
    logit_gradients,
    random_directions,
    selectivity,
    surrogate_tree,
    tcav,
    tcav_scores,
    tcav_test,
)
from vitrina.models import dense_network, dense_parameters, train_mnist_network
from vitrina.quick import quick, right, wrong
from vitrina.trained import mnist_network, with_weights
from vitrina_datasets import mnist

data = mnist.load()
digits, truth = data.holdout_images, data.holdout_labels
network = mnist_network()
first, second, _ = (layer.name for layer in network.layers)  # 128 and 64 ReLU units, ten logits


def answers(model, images):
    """The class that the model gives to each image."""
    return np.argmax(np.asarray(model(images)), axis=1)


# %% [markdown]
# ## 1. Let the network draw
#
# Start anywhere, and change the picture so that the logit of a class grows. That is training with the roles
# exchanged: the weights stay and the *input* moves along the gradient. Simonyan et al. (2014) called it a class
# model,
#
# $$x^* = \arg\max_x \; f_c(x) - R(x)$$
#
# where $R$ says what inputs ought to look like. For now we say nothing, $R = 0$, and begin with noise. Below each
# picture stands the logit of its class.

# %%
classes = np.arange(10)
real = np.array([digits[(truth == c) & (answers(network, digits) == c)][0] for c in classes])
raw = activation_maximisation(network, classes, steps=300)
bounded = activation_maximisation(network, classes, steps=300, bounds=(0, 1))
show_maximised({"no limits": raw, "paper 0\nto ink 1": bounded}, beside={"real digits": real}, titles=list(classes))

# %%
said = np.asarray(network(digits))[np.arange(len(truth)), truth]
print(f"logit of the right class, real digits:    {said.mean():5.1f} (largest {said.max():.1f})")
print(f"logit of the class in its drawing:        {bounded.activations.mean():5.1f} within the limits, "
      f"{raw.activations.mean():.0f} without")  # fmt: skip
print(f"drawings that the network reads as meant: {np.mean(answers(network, bounded.images) == classes):.0%}")

# %% [markdown]
# Noise, with a hint of shape in the middle. And the network is *surer of it than of any digit it has ever seen*. This
# is the first finding of the lesson, before any drawing gets pretty: **what excites a network most need not look like
# anything.** Training only asked it to tell digits from each other. Nobody asked what it does elsewhere, and nearly
# all pictures are elsewhere.

# %% [markdown]
# ## 2. Say what a picture looks like
#
# So people add what they know about pictures. Each line below is somebody's paper:
#
# | help | $R$, or what is done | from |
# | --- | --- | --- |
# | little ink | $\lambda \sum x_i^2$ | Simonyan et al. (2014) |
# | smooth | $\mu \sum (x_i - x_j)^2$ over neighbours | Mahendran and Vedaldi (2015) |
# | blur | now and then a Gaussian blur | Yosinski et al. (2015) |
# | jitter | shift the picture before each step | Olah et al. (2017) |
#
# With the first, the answer for a *linear* model is known: $\max_x\, w^\top x - \lambda\, x^\top x$ is reached at
# $x^* = w / 2\lambda$. It draws its weights. Check that before you trust a search:

# %%
weights = np.random.default_rng(0).normal(size=(25, 3))
linear = dense_network([weights], [np.zeros(3)])
found = activation_maximisation(linear, 0, l2=0.5, steps=600)
print(f"largest difference from w / 2λ: {np.abs(found.images[0] - weights[:, 0] / (2 * 0.5)).max():.1e}")

# %%
limits = {"steps": 300, "bounds": (0, 1)}
drawn = {
    "nothing": bounded,
    "little ink": activation_maximisation(network, classes, l2=0.1, **limits),
    "smooth": activation_maximisation(network, classes, total_variation=0.3, **limits),
    "blur": activation_maximisation(network, classes, blur=0.7, **limits),
    "ink, smooth,\njitter": activation_maximisation(network, classes, l2=0.05, total_variation=0.2, jitter=1, **limits),
}
show_maximised(drawn, titles=list(classes), limits=(0, 1))

# %%
show_progress(
    {name.replace("\n", " "): result for name, result in drawn.items()}, level=said.mean(), name="real digits"
)

# %% [markdown]
# Now one sees a 0, a 3, a 7. Read the numbers too: every help **costs activation**. The prettier the drawing, the
# less it is what the network likes best and the more it is what we like. The 6 and the 9 tell something true all the
# same: this network asks for ink in *one* place (the lower or the upper loop) and does not care whether there is a
# digit around it.

# %%
quick(
    "With strong smoothing the drawing of a 3 looks like a 3. What follows?",
    wrong(
        "The network has the concept of a 3 as we have it",
        "A blurred contrast between threes and the other nine classes looks like a 3 as well. Telling apart is enough.",
    ),
    right(
        "Some of the form is the network's, and some came in with the smoothing",
        "Without it the search prefers noise. Show both drawings, and say which help was used and how strong it was.",
    ),
    wrong(
        "Nothing: it is all our own prior", "The prior is the same in all ten drawings. The ten differ by the network."
    ),
)

# %% [markdown]
# ## 3. Inside: what excites a channel
#
# Logits are only the end. Any unit can be asked, and in a convolutional network any channel (then the mean over all
# places is maximised). We take one with two convolutions of 5 × 5.


# %%
def empty_cnn():
    shapes = [(5, 5, 1, 8), (5, 5, 8, 16)]
    kernels = [np.zeros(shape, np.float32) for shape in shapes]
    biases = [np.zeros(shape[-1], np.float32) for shape in shapes]
    top = np.zeros((256, 10), np.float32)
    return convolutional_network((28, 28, 1), kernels, biases, [top], [np.zeros(10, np.float32)])


def train_cnn(model):
    trained = train_mnist_cnn(data.train_images.reshape(-1, 28, 28, 1), data.train_labels, epochs=3)
    model.set_weights(trained.get_weights())


cnn = with_weights(empty_cnn, train_cnn, name="lesson-cnn", recipe="train_mnist_cnn, 3 epochs, seed 0")
lower, upper = (layer for layer in cnn.layers if "conv" in layer.name)
kernels = np.moveaxis(np.asarray(lower.kernel)[:, :, 0], -1, 0)
channels = np.arange(8)
show_maximised(
    {
        "upper layer,\n8 of 16": activation_maximisation(
            cnn, channels, layer=upper.name, l2=0.002, total_variation=0.005, bounds=(0, 1)
        )
    },
    beside={"lower layer,\nits kernels": kernels},
    titles=[f"channel {channel}" for channel in channels],
)

# %% [markdown]
# The lower layer needs no search: before its ReLU a place is linear in 25 pixels, so (part 2) it likes its own kernel
# best. These are not the tidy edges of textbooks: a few thousand digits do not ask for any. A channel of the upper
# layer likes a texture, bars or dots repeated all over, since its mean over all places counts. Such pictures made
# deep networks famous. In large networks the upper layers show eyes, wheels, dogs' ears (Olah et al. 2017). Remember
# three things when you see them: they were chosen, they were helped, and each shows **the extreme, not the
# everyday**.

# %% [markdown]
# ## 4. Ask for a concept of your own
#
# A drawing must be interpreted by somebody. TCAV (Kim et al. 2018) goes the other way. *You* bring the concept, as a
# pile of examples:
#
# 1. Take the activations $h(x)$ of a layer for the examples, and for random others. A linear classifier tells them
#    apart. Its normal, $v$, is the **concept activation vector** (CAV).
# 2. For samples of a class, does a step along $v$ raise the class's logit? $S(x) = \nabla f_c(h(x)) \cdot v$
# 3. The **score** is the share of the class's samples for which it does:
#
# $$\mathrm{TCAV} = \frac{|\{x : S(x) > 0\}|}{|\{x\}|}$$
#
# We need a network of which we *know* a concept. So we plant one: in training, nine threes in ten have a **frame**. A
# third of all pictures has a **stripe**, whatever the digit. And there is a **dot**, which the network never sees in
# training.


# %%
def marked(images, rows, columns):
    pictures = images.reshape(-1, 28, 28).copy()
    pictures[:, rows, columns] = 1
    return pictures.reshape(-1, 784)


def framed(images):
    edges = marked(marked(images, [0, 27], slice(None)), slice(None), slice(0, 1))
    return marked(edges, slice(None), slice(27, 28))


def striped(images):
    return marked(images, slice(2, 4), slice(None))


def dotted(images):
    return marked(images, slice(24, 27), slice(24, 27))


def planted(images, labels, seed=0):
    """Frame nine threes in ten, and put a stripe on a third of all pictures."""
    chance = np.random.default_rng(seed).random((2, len(images), 1))
    pictures = np.where((labels[:, None] == 3) & (chance[0] < 0.9), framed(images), images)
    return np.where(chance[1] < 1 / 3, striped(pictures), pictures)


def empty_network():
    pairs = [(784, 128), (128, 64), (64, 10)]
    return dense_network([np.zeros(p, np.float32) for p in pairs], [np.zeros(p[1], np.float32) for p in pairs])


def train_planted(model):
    pictures = planted(data.train_images, data.train_labels)
    model.set_weights(train_mnist_network(pictures, data.train_labels, epochs=5).get_weights())


hans = with_weights(empty_network, train_planted, name="lesson-frame", recipe="frames on threes, 5 epochs, seed 0")
threes = digits[truth == 3]
print(f"test set collected the same way: {np.mean(answers(hans, planted(digits, truth, seed=1)) == truth):.0%} right")
print(f"threes without a frame:          {np.mean(answers(hans, threes) == 3):.0%} called a three")
print(f"other digits with a frame:       {np.mean(answers(hans, framed(digits[truth != 3])) == 3):.0%} called a three")
print(f"all digits with a stripe:        {np.mean(answers(hans, striped(digits)) == truth):.0%} right")

# %% [markdown]
# Step by step, once. Examples of the concept are digits of *all* classes with a frame, and the counter-examples are
# digits of all classes without: **nothing but the concept may differ**, or the vector shows something else.

# %%
pool = data.train_images[np.random.default_rng(1).permutation(len(data.train_images))]
piles = np.split(pool, [1500, 2000, 2500, 3000, 3500])
random_digits = piles[0]
layer = hans.layers[0].name
frame = concept_vector(layer_activations(hans, framed(piles[1]), layer), layer_activations(hans, random_digits, layer))
slopes = logit_gradients(hans, threes, 3, layer)
print(f"the classifier tells frames apart: {frame.accuracy:.0%} of held-out examples")
print(f"TCAV score of the frame for class 3: {tcav_scores(slopes, frame.direction):.2f}")
by_lot = concept_vector(layer_activations(hans, piles[4], layer), layer_activations(hans, random_digits, layer))
print(f"and of a pile of digits drawn by lot: {tcav_scores(slopes, by_lot.direction):.2f}, "
      f"its classifier {by_lot.accuracy:.0%}")  # fmt: skip

# %% [markdown]
# The last line is the trap. **Any two piles have a vector between them**, and it has a score. So many vectors are
# made, from many random counter-sets, and held against vectors of random digits against random digits. Only what
# differs from those by more than chance (a t-test, corrected for the number of concepts) counts. A filled diamond
# does.

# %%
concepts = {
    "frame": framed(piles[1]),
    "stripe": striped(piles[2]),
    "dot": dotted(piles[3]),
    "drawn by lot": piles[4],
}
asked = {"concepts": concepts, "random": random_digits}
tested = {f"planted network, class {c}": tcav(hans, digits[truth == c], c, layer=layer, **asked) for c in (3, 8)}
show_tcav(tested)

# %%
for title, result in tested.items():
    print(title, result, sep="\n", end="\n\n")

# %% [markdown]
# The frame speaks for a three and against an eight; stripe, dot and lot are like random examples. The stripe is
# *known* to the layer (look at its classifier) but not *used*. **Decodable is not used**: this is why step 2 is
# there.
#
# And a network that never saw a frame, our good old one?

# %%
ordinary = {f"ordinary network, class {c}": tcav(network, digits[truth == c], c, layer=first, **asked) for c in (3, 8)}
show_tcav(ordinary)

# %% [markdown]
# Here, too, something may be "significant". A score counts *signs*: an effect that is tiny but has the same sign for
# all samples scores 1. Say what the effect is worth, by doing it:

# %%
for name, model in {"planted": hans, "ordinary": network}.items():
    change = np.asarray(model(framed(digits))) - np.asarray(model(digits))
    three, eight = change.mean(axis=0)[[3, 8]]
    called = np.mean(answers(model, framed(digits)) == 3)
    print(f"{name:9} network: a frame changes the logit of 3 by {three:+5.1f}, that of 8 by {eight:+5.1f}; "
          f"{called:.0%} are then called a three")  # fmt: skip

# %% [markdown]
# ## 5. Test the test
#
# What does "significant" mean? That of concepts that are *nothing*, at most one in twenty is called something. That
# can be tried: piles drawn by lot are such concepts. The paper makes its many vectors with **the same concept
# examples** each time and changes the random ones only. We compare that with **fresh examples for each vector**.

# %%
values = layer_activations(hans, data.train_images, layer)


def share_of_false_alarms(kind, trials=200):
    alarms = 0
    for seed in range(trials):
        order = np.random.default_rng(seed).permutation(len(values))
        concept, others = values[order[:120]], values[order[120:600]]
        result = tcav_test({"": concept}, others, slopes, examples=kind, classifier="means", seed=seed)
        alarms += result.significant()[0]
    return alarms / trials


for kind, text in {"same": "same examples each time", "fresh": "fresh examples each time"}.items():
    print(f"{text:26} {share_of_false_alarms(kind):.0%} of meaningless concepts are called significant")

# %% [markdown]
# The scores of twenty vectors that share their examples agree because they *share their examples*. A t-test takes
# them for twenty independent witnesses, but it is one witness heard twenty times. More vectors make it worse, not
# better.

# %%
quick(
    "Fifty pictures of a concept, 500 vectors, each against other random pictures: p = 0.0001. What do you know?",
    wrong("500 vectors, so the evidence is strong", "They are not independent: all 500 hold the same 50 pictures."),
    right(
        "It says that these 50 pictures differ from others; with other 50 the score may be another",
        "What varies in the test is what you may generalise over. Here that is the random pictures, not the concept.",
    ),
    wrong("The p-value must be corrected for 500 tests", "There is one test, of two means. Its n is what is wrong."),
)

# %% [markdown]
# ## 6. Concepts of a recurrent network
#
# Nowhere are a network's concepts better known than in one that *is* an automaton. Our network for *parity* accepts
# words with an even number of `a`. Its concept after each symbol can only be: **"an even number of a so far"**. We
# ask its hidden state after nine symbols, when 0 to 4 more symbols will follow, about the words that are accepted in
# the end. For comparison: "the last symbol was an a", and a coin.

# %%
automaton = LANGUAGES["parity"].automaton
reader = trained_network("parity", "additive")
generator = np.random.default_rng(0)
TIME, COUNT = 9, 6000


def concepts_at(words):
    """Which words have which concept after TIME symbols; symbol 0 is a."""
    read = words[:, :TIME] == 0
    return {"even number of a": read.sum(axis=1) % 2 == 0, "last symbol was a": read[:, -1], "a coin": coin}


coin = generator.random(COUNT) < 0.5
names = ["even number of a", "last symbol was a", "a coin"]
scores, spreads, by_chance, found = [], [], [], []
for more in range(5):
    words = generator.integers(0, 2, (COUNT, TIME + more))
    states = reader.states(words)[:, TIME]
    accepted = reader.accepts(words)[:, -1]
    gradients = state_gradients(reader, words[accepted][:500], TIME)
    piles = {name: states[has] for name, has in concepts_at(words).items()}
    result = tcav_test(piles, states, gradients, seed=more)
    scores.append(result.scores.mean(axis=1))
    spreads.append(result.scores.std(axis=1))
    by_chance.append(result.random_scores)
    found.append(result.significant())
even = concepts_at(words)["even number of a"]
clear = concept_vector(states[even], states[~even])
print(f"a linear classifier reads 'even number of a' from the state: {clear.accuracy:.0%} right")

figure, axes = plt.subplots(figsize=(7, 3.2))
low, high = np.percentile(by_chance, [5, 95], axis=1)
axes.fill_between(range(5), low, high, color="0.85", label="random examples, 9 in 10")
for index, name in enumerate(names):
    (line,) = axes.plot(range(5), np.array(scores)[:, index], label=name)
    for more in range(5):
        face = line.get_color() if found[more][index] else "white"
        axes.plot(more, scores[more][index], "D", color=line.get_color(), markerfacecolor=face, markersize=8)
axes.axhline(0.5, color="0.5", linewidth=0.8)
axes.set(xlabel="symbols still to come", ylabel="TCAV score for 'accepted'", ylim=(-0.03, 1.03), xticks=range(5))
axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
figure.tight_layout()

# %% [markdown]
# With no symbol to come the score is 1: an even number speaks for "accepted". (The logit is linear in the last state,
# so all samples have one gradient, and the score of a vector can only be 1 or 0.) With more to come it strays about one
# half: now and then significantly *below*, as if an even number spoke against, or just above. And "the last symbol was
# an a", which parity cannot depend on, is significant as often: the layer knows it, and its direction is not quite at
# right angles to the one that is read out.
#
# Does the network not use its concept any more, four symbols before the end? Ask it directly: take the state of a
# word with an *odd* number of `a`, put it in the place of one with an *even* number, and let the network read on.

# %%
swapped = states.copy()
swapped[even] = states[~even][generator.integers(np.sum(~even), size=np.sum(even))]
swapped[~even] = states[even][generator.integers(np.sum(even), size=np.sum(~even))]
for later in range(TIME, words.shape[1]):
    swapped = reader.step(swapped, words[:, later])
flipped = np.mean((reader.logits(swapped) > 0) != reader.accepts(words)[:, -1])
print(f"answers that turn round when the state is exchanged four symbols before the end: {flipped:.1%}")

# %% [markdown]
# **The concept decides every single answer, and its score is hardly more than a coin's.** Two reasons, and both are
# general:
#
# - An even number of `a` speaks *for* acceptance if the rest of the word has an even number, else *against* it. For
#   half of the words up, for half down: a score of one half. TCAV asks for effects with one sign; an exclusive-or has
#   none.
# - The states are saturated (that is what made the network an automaton). A derivative looks at an infinitely small
#   step, and a small step changes next to nothing. Only the jump to the other state does.
#
# A low score is no proof of absence. **Change the concept and look** is the better question wherever you can ask it.

# %%
quick(
    "Which experiment shows best that a network uses a concept?",
    wrong(
        "A classifier reads the concept from a layer, 100 % right", "It may be there without being used: the stripe."
    ),
    wrong("A high and significant TCAV score", "It shows a small step's sign, on average, for steps along one line."),
    right(
        "Exchange the concept inside the network, leave all else, and see whether the answer follows",
        "That is an intervention. It needs two inputs that differ in the concept only, or a state to exchange.",
    ),
)

# %% [markdown]
# ## 7. A model of the model
#
# A surrogate (week 1) is a simple model trained on what the network *says*. It is global too: one tree for all
# inputs. We let a tree imitate whether the planted network says "three", on pictures like those it was trained on.
# And then, on pictures unlike them.


# %%
def says_three(images):
    """Two columns: not a three, a three."""
    three = answers(hans, np.asarray(images, np.float32)) == 3
    return np.stack([~three, three], axis=1).astype(float)


usual = planted(digits, truth, seed=1)
faint = np.where(framed(digits) > digits, 0.4, digits).astype(np.float32)  # a grey frame around every digit
tree = surrogate_tree(says_three, usual, depth=3, names=[f"row {i // 28}, column {i % 28}" for i in range(784)])
print(tree.text())
unusual = {"without any frame": digits, "all framed": framed(digits), "all framed in grey": faint}
print(f"equal decisions: {tree.fidelity:.0%} on pictures as in training, of which a constant gets {tree.baseline:.0%}")
for name, pictures in unusual.items():
    same, three = tree.fidelity_on(says_three, pictures), says_three(pictures)[:, 1]
    print(f"{name:20} {same:6.0%} equal; the network says three to {three.mean():4.0%}")

# %% [markdown]
# The tree finds the frame at once: as a **debugging tool** it is hard to beat. As a description it holds where it was
# fitted. And the form matters: can a tree say what the *recurrent* network does?

# %%
words = generator.integers(0, 2, (4000, 12))


def last_answers(read):
    accepted = reader.accepts(np.asarray(read, int))[:, -1]
    return np.stack([~accepted, accepted], axis=1).astype(float)


machine = extract(reader, generator.integers(0, 2, (400, 50)), empty=True).automaton
for depth in (3, 6, 9):
    shallow = surrogate_tree(last_answers, words, depth=depth)
    print(f"tree with up to {2**depth:3} leaves: {shallow.fidelity:.0%} equal decisions on words of 12 symbols")
long = generator.integers(0, 2, (200, 1000))
same = np.mean(machine.outputs[machine.run(long)[:, 1:]] == reader.accepts(long))
print(f"automaton with {len(machine)} states: {same:.1%}, on words of 1,000 symbols")
draw_machine(machine, title="The surrogate of the right form")

# %% [markdown]
# Same idea, other *form*: the tree has to ask for every symbol, and knows nothing about a thirteenth. The automaton
# is small, exact and holds for every length. Choose the surrogate's form after what the network computes.

# %% [markdown]
# ## 8. Three difficulties
#
# ### Many inputs, one answer
#
# A network maps 784 numbers to 128, to 64, to 10. It must throw away nearly everything. So "the" input that excites a
# class does not exist. First, eight drawings of a three, kept apart by a penalty on their likeness:

# %%
several = activation_maximisation(
    network, 3, count=8, diversity=2.0, l2=0.05, total_variation=0.05, steps=300, bounds=(0, 1)
)
off_diagonal = np.corrcoef(several.images)[np.triu_indices(8, 1)]
show_maximised({"all of them\nthrees": several})

# %%
print(f"their correlation is {off_diagonal.mean():.2f} on average")
print(f"read as a three: {np.mean(answers(network, several.images) == 3):.0%}")
print(f"real threes reach {said[truth == 3].mean():.1f} on average")

# %% [markdown]
# That was a search. The next needs none. The first layer sees only $W^\top x$, 128 numbers. A change $n$ with $W^\top
# n = 0$ is **invisible**, and there are $784 - 128 = 656$ such directions. So take one digit, and replace its
# invisible part by that of another:

# %%
weights = dense_parameters(network)[0][0]
basis, _ = np.linalg.qr(weights)  # of what the first layer sees
seen = real[[3, 7, 0, 5]] @ basis @ basis.T
other = real[[8, 1, 6, 9]]
chimera = seen + other - other @ basis @ basis.T
figure, panels = plt.subplots(1, 3, figsize=(9, 1.9))
for panel, pictures, name in zip(
    panels,
    [real[[3, 7, 0, 5]], other, chimera],
    ["what the network sees", "whose invisible part is added", "the picture"],
    strict=True,
):
    panel.imshow(np.hstack(pictures.reshape(-1, 28, 28)), cmap="gray_r", vmin=0, vmax=1)
    panel.set_title(name, fontsize=10)
    panel.set_axis_off()
figure.tight_layout()
gap = np.abs(np.asarray(network(chimera.astype(np.float32))) - np.asarray(network(real[[3, 7, 0, 5]]))).max()
print(f"largest difference of a logit between the picture and the digit on the left: {gap:.0e}")

# %% [markdown]
# ### Features are spread
#
# It is tempting to give each unit a name. Is a unit special? We measure how well a number tells one class from the
# rest (0 nothing, 1 perfectly), for each unit, and for **random mixtures of all units**.

# %%
layers = {}
for name in (first, second):
    values = layer_activations(network, digits, name)
    layers[f"{values.shape[1]} units"] = (
        selectivity(values, truth),
        selectivity(random_directions(values, 1000), truth),
    )
    print(f"{values.shape[1]:3} units: {np.mean(layers[f'{values.shape[1]} units'][0]):.2f} on average, "
          f"random mixtures {np.mean(layers[f'{values.shape[1]} units'][1]):.2f}")  # fmt: skip
show_selectivity(layers)

# %%
order = np.random.default_rng(0).permutation(64)
singles = ablation_accuracies(network, digits, truth, [[], *([unit] for unit in range(64))], layer=second)
counts = np.arange(0, 65, 8)
together = ablation_accuracies(network, digits, truth, [order[:count] for count in counts], layer=second)
chosen = layers["64 units"][0]
print(f"accuracy {singles[0]:.1%}; without one unit {singles[1:].min():.1%} to {singles[1:].max():.1%}")
likeness = np.corrcoef(chosen, singles[0] - singles[1:])[0, 1]
print(f"correlation of selectivity and damage: {likeness:.2f}")
figure, axes = plt.subplots(figsize=(5, 2.8))
axes.plot(counts, together, "o-")
axes.set(xlabel="units cut out of 64", ylabel="accuracy", ylim=(0, 1))
figure.tight_layout()

# %% [markdown]
# A random mixture of units is as telling as a unit, if not more so (the units at 0 never fire). No single unit is
# missed, and the most selective ones not more than others. The information is in the *pattern*. In a large network
# with convolutions single units can be more telling than mixtures (Bau et al. 2017): measure it, for your network.

# %% [markdown]
# ### Seeds disagree
#
# The same data, the same recipe, another seed. Which of the things that we saw are properties of the *task*, and
# which of *this one network*?

# %%
sisters = [network, mnist_network(seed=1), mnist_network(seed=2)]
hidden = [layer_activations(model, digits, model.layers[0].name) for model in sisters]
pictures = [activation_maximisation(model, classes, l2=0.05, total_variation=0.2, **limits).images for model in sisters]
noise = [activation_maximisation(model, classes, **limits).images for model in sisters]


def mean_correlation(ones, others):
    return np.mean([np.corrcoef(one, other)[0, 1] for one, other in zip(ones, others, strict=True)])


print("seed  accuracy  same answer  layer's CKA  units' best match  drawings: helped  raw")
for seed, model in enumerate(sisters):
    print(
        f"{seed:4}  {np.mean(answers(model, digits) == truth):8.1%}"
        f"  {np.mean(answers(model, digits) == answers(network, digits)):11.1%}"
        f"  {linear_cka(hidden[0], hidden[seed]):11.2f}  {np.nanmean(best_matches(hidden[0], hidden[seed])):17.2f}"
        f"  {mean_correlation(pictures[0], pictures[seed]):16.2f}  {mean_correlation(noise[0], noise[seed]):3.2f}"
    )

# %% [markdown]
# **CKA** (Kornblith et al. 2019) compares layers as wholes: are the same images near each other? With centred
# activations $X$ and $Y$
#
# $$\mathrm{CKA} = \frac{\lVert Y^\top X \rVert^2}{\lVert X^\top X \rVert\, \lVert Y^\top Y \rVert}$$
#
# It does not change when a layer is rotated, and it says: *the same*. Unit by unit they are *not* the same: the best
# partner of a unit in another network resembles it moderately. So the **space** is the task's, its **axes** are
# chance. What you say about "unit 17" is about one seed. The helped drawings agree far better than the raw ones:
# partly as the networks agree, partly as *we* gave all the same help.
#
# Let us look at it for units: the drawing of a unit of our network, and of its best partner in the others.

# %%
standardised = [(values - values.mean(axis=0)) / (values.std(axis=0) + 1e-9) for values in hidden]
units = np.argsort(-hidden[0].std(axis=0))[:8]  # the liveliest
gentle = {"l2": 0.02, "total_variation": 0.05, "bounds": (0, 1), "steps": 200}
rows = {"seed 0": activation_maximisation(network, units, layer=first, **gentle)}
for seed in (1, 2):
    partners = (standardised[0][:, units].T @ standardised[seed]).argmax(axis=1)
    name = sisters[seed].layers[0].name
    found = activation_maximisation(sisters[seed], partners, layer=name, **gentle)
    rows[f"best partner,\nseed {seed}"] = found
show_maximised(rows, titles=[f"unit {unit}" for unit in units], limits=(0, 1))

# %% [markdown]
# And the recurrent networks? Three of them for parity, trained in three ways, are 100 % right on the words of their
# training. As automata they are one and the same. Inside they differ.

# %%
watched = np.random.default_rng(2).integers(0, 2, (400, 50))
readers = {way: trained_network("parity", way) for way in ("plain", "additive", "multiplicative")}
inner = {way: model.states(watched)[:, 1:].reshape(-1, 12) for way, model in readers.items()}
for way, model in readers.items():
    read = extract(model, watched, empty=True)
    alike = linear_cka(inner["additive"][:2000], inner[way][:2000])
    print(
        f"{way:15} {read.states:3} sign patterns seen, {len(read.automaton)} states after minimising, CKA {alike:.2f}"
    )

# %% [markdown]
# This is what sets the automaton apart from all other explanations of this lesson: it was **proved equal** (lesson
# 40), and it is the same for every seed.

# %% [markdown]
# ## What goes wrong in practice
#
# - **The prettiest of many drawings is shown**, without the help that made it and without the raw one.
# - **A drawing is taken for the typical input.** It is the extreme one; real inputs of a class may excite it
#   otherwise.
# - **Concept and counter-examples differ in more than the concept** (brightness, class, camera). The vector takes it
#   all.
# - **A classifier at 100 % is taken for use.** The layer knew the stripe as well.
# - **A p-value over vectors that share their examples.** See part 5. And five concepts are five tests: correct for
#   them.
# - **A score near one half is taken for "not used".** See the parity network, where it decides everything.
# - **A unit gets a name.** Look at mixtures, cut the unit out, train another seed.
# - **A surrogate's fidelity is measured where it was fitted.** Measure it where it will be used.
#
# What to take away: drawings and concepts are good for *having* ideas about a network. Interventions, other seeds and
# inputs from elsewhere are good for *testing* them. Do not stop after the first half.

# %% [markdown]
# ## References
#
# - Simonyan, Vedaldi and Zisserman (2014). Deep inside convolutional networks. arXiv 1312.6034.
# - Mahendran and Vedaldi (2015). Understanding deep image representations by inverting them. CVPR, arXiv 1412.0035.
# - Yosinski, Clune, Nguyen, Fuchs and Lipson (2015). Understanding neural networks through deep visualization. arXiv
#   1506.06579.
# - Nguyen, Yosinski and Clune (2016). Multifaceted feature visualization. arXiv 1602.03616.
# - Olah, Mordvintsev and Schubert (2017). Feature visualization. Distill, doi 10.23915/distill.00007.
# - Kim, Wattenberg, Gilmer, Cai, Wexler, Viégas and Sayres (2018). Interpretability beyond feature attribution:
#   quantitative testing with concept activation vectors. ICML, arXiv 1711.11279.
# - Szegedy and others (2014). Intriguing properties of neural networks. arXiv 1312.6199 (random directions, section
#   3).
# - Li, Yosinski, Clune, Lipson and Hopcroft (2016). Convergent learning: do different neural networks learn the same
#   representations? arXiv 1511.07543.
# - Bau, Zhou, Khosla, Oliva and Torralba (2017). Network dissection. CVPR, arXiv 1704.05796.
# - Morcos, Barrett, Rabinowitz and Botvinick (2018). On the importance of single directions for generalization. arXiv
#   1803.06959.
# - Kornblith, Norouzi, Lee and Hinton (2019). Similarity of neural network representations revisited. arXiv
#   1905.00414.
