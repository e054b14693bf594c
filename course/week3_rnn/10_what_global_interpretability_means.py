# %% [markdown]
# # What would it mean to understand a whole network?
#
# An inspector comes to the company. "Two weeks ago you showed me why this customer was refused. Thank you. But I am not
# here for one customer. **What does your network do?** For everybody, also for those who have not come yet." No heatmap
# answers that. What would?
#
# When you are done you will be able to
#
# - say what separates a local from a global explanation, and why a mean of local ones is not a global one;
# - name what makes the inside of a network hard to read, and show each reason by an experiment;
# - judge a global explanation by three questions: how faithful, how large, can it be *proved*?
# - say what a test on a million inputs proves, and what it does not;
# - explain why this week looks at recurrent networks and formal languages.

# %%
import math
import time
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeClassifier

from vitrina.automata import DFA, PARITY, equivalent
from vitrina.automata.elman import extract
from vitrina.automata.samples import training_words
from vitrina.automata.weights import trained_network
from vitrina.automata_plots import draw_machine
from vitrina.quick import quick, right, wrong
from vitrina.tabular_plots import show_bars

# %% [markdown]
# ## A network that we can know all about
#
# Six switches in a house, A to F, and a lamp. The electrician wired the lamp to three of them, as on a staircase: each
# of A, B and C toggles it, so it is on **if an odd number of A, B, C is on**. D, E and F do nothing. A small network
# has learnt it: six inputs (on is 1, off is −1), twelve tanh units, one answer.
#
# Six switches have 64 positions. So here, for once, we can ask *everything*.

# %%
switches = list("ABCDEF")
positions = np.array(list(product([-1.0, 1.0], repeat=6)))  # all there are
on = (positions[:, :3] > 0).sum(axis=1) % 2 == 1


def train(lamp, seed):
    """Train a network on all positions."""
    network = MLPClassifier(12, activation="tanh", solver="lbfgs", alpha=1e-3, random_state=seed)
    return network.fit(positions, lamp)


def units(network, inputs):
    """The twelve activations for each input."""
    return np.tanh(inputs @ network.coefs_[0] + network.intercepts_[0])


network = train(on, seed=0)
print(f"right on {np.sum(network.predict(positions) == on)} of {len(positions)} positions")

# %% [markdown]
# ## From local to global: a mean is not enough
#
# Week 1 gave each feature its share in one answer. To get a picture of the whole, people take the mean size of many
# such shares, or shuffle a column and see how much is lost (permutation importance). Let us do that for our network,
# and for a second one that has learnt a lamp with a different wiring.

# %%
other_lamp = ~on  # on where the first lamp is off
other = train(other_lamp, seed=0)
importance = {
    name: permutation_importance(model, positions, lamp, random_state=0).importances_mean
    for name, model, lamp in (("first lamp", network, on), ("second lamp", other, other_lamp))
}
agreed = np.sum(network.predict(positions) == other.predict(positions))
print(f"the two networks agree on {agreed} of {len(positions)} positions")
show_bars(importance, switches, title="Accuracy lost when a switch is shuffled")

# %% [markdown]
# The bars are right, and useful: A, B, C matter, D, E, F do not. And they are the same for two networks that **never
# give the same answer**. Importance says *what* a model uses, not *how*. It is a summary of the function, as the mean
# height of a mountain range is a summary of a map.
#
# A first list of what one may want to know of a whole network, and of what answers it:
#
# | question | answered by | where |
# | --- | --- | --- |
# | which inputs does it use? | global importance | week 1 |
# | how does the output follow one input? | dependence plots | week 1 |
# | what excites this unit or class most? | activation maximisation | lesson 60 |
# | does it use a concept that people have a word for? | concept vectors (TCAV) | lesson 60 |
# | **what does it do?** | a formula, a tree, prototypes, **a machine** | this week |
#
# The last question is the hardest. Let us first see why.

# %% [markdown]
# ## Why it is hard, 1: many networks are one function
#
# Why not simply read the weights? All is in there. Try this: give the twelve units new places in the layer, and turn
# the signs of some: $\tanh(-z) = -\tanh(z)$, so a minus on all weights into a unit and a minus on the weight out of it
# cancel.

# %%
generator = np.random.default_rng(0)
order, signs = generator.permutation(12), generator.choice([-1.0, 1.0], 12)
into, out = network.coefs_[0], network.coefs_[1][:, 0]
bias, offset = network.intercepts_[0], network.intercepts_[1][0]
new_into, new_bias, new_out = (into * signs)[:, order], (bias * signs)[order], (out * signs)[order]

anywhere = generator.uniform(-1, 1, (1000, 6))  # not only the 64 positions
answers = np.tanh(anywhere @ into + bias) @ out + offset
new_answers = np.tanh(anywhere @ new_into + new_bias) @ new_out + offset
figure, panels = plt.subplots(1, 3, figsize=(10, 2.9), width_ratios=[6, 6, 5], layout="constrained")
titles = ("weights", "other weights")
for panel, weights, title in zip(panels[:2], (into, new_into), titles, strict=True):
    image = panel.imshow(weights, cmap="RdBu_r", vmin=-4, vmax=4, aspect="auto")
    panel.set(xlabel="unit", title=title, xticks=range(0, 12, 3))
    panel.set_yticks(range(6), switches)
figure.colorbar(image, ax=panels[1])
panels[2].plot(answers, new_answers, ".", markersize=3)
panels[2].set(xlabel="logit of one", ylabel="logit of the other", title="one function")
distance = np.linalg.norm(new_into - into) / np.linalg.norm(into)
miss = np.abs(new_answers - answers).max()
print(f"weights apart by {distance:.0%} of their size, answers by {miss:.0e}")

# %% [markdown]
# For layers of $n_1, n_2, \ldots$ tanh units there are
#
# $$\prod_l n_l! \; 2^{n_l}$$
#
# such copies of every network. With one hidden layer, and no unit that is superfluous, there are no others that compute
# the same everywhere (Sussmann 1992).

# %%
for sizes in ([12], [64], [128, 128]):
    digits = sum(math.lgamma(n + 1) + n * math.log(2) for n in sizes) / math.log(10)
    print(f"layers {sizes!s:10} 10^{digits:.0f} networks for one function")

# %% [markdown]
# So "unit 5" is not a thing in the world. It is a name given by a random number. Any statement about the function must
# be one that all those copies share.
#
# ## Why it is hard, 2: seeds disagree
#
# One could say: these are copies, I can undo that by sorting. But train ten times, with nothing changed but the seed.

# %%
networks = [train(on, seed) for seed in range(10)]
everywhere = np.random.default_rng(1).uniform(-1, 1, (5000, 6))
perfect = sum(model.score(positions, on) == 1 for model in networks)
print(f"right on all 64 positions: {perfect} of 10")


def matched(one, two):
    """How similar units of two networks are, paired as well as can be."""
    similar = np.abs(np.corrcoef(units(one, positions).T, units(two, positions).T)[:12, 12:])
    return similar[linear_sum_assignment(-similar)]


pairs = [(one, two) for one in range(10) for two in range(one)]
alike = np.concatenate([matched(networks[one], networks[two]) for one, two in pairs])
said = [model.predict(everywhere) for model in networks]
agree = np.array([np.mean(said[one] == said[two]) for one, two in pairs])
figure, (left, middle) = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
left.hist(alike, np.linspace(0, 1, 21), color="tab:blue", edgecolor="white")
left.set(xlabel="|correlation| of a unit with its best partner", ylabel="pairs of units")
left.set_title("same behaviour, other units")
middle.hist(agree, np.linspace(0.5, 1, 21), color="tab:red", edgecolor="white")
middle.set(xlabel="share of answers that agree", ylabel="pairs of networks")
middle.set_title("dimmers in the place of switches")
print(f"units with a twin (above 0.95): {np.mean(alike > 0.95):.0%}")
print(f"two networks agree on {agree.mean():.0%} of the dimmer positions")

# %% [markdown]
# Left: even with the best pairing, some units have a twin in the other network and most have not. Right: put dimmers
# in the place of the switches, and the networks disagree about many positions in between. Nobody ever told them
# about those. **"The same behaviour" always means: on what was asked.** An explanation holds for a set of inputs, and
# should name it.
#
# ## Why it is hard, 3: no unit means anything alone
#
# Perhaps one unit is "the lamp unit"? We ask each unit alone: how well does the best threshold on its activation
# predict the lamp? Then we take units out, by fixing each at its mean.


# %%
def best_threshold(values, truth):
    """The accuracy of the best rule 'above c' or 'not above c'."""
    above = values > np.sort(values)[:, None]
    right = np.mean(above == truth, axis=1)
    return max(right.max(), (1 - right).max())


hidden = units(network, positions)
alone = [best_threshold(hidden[:, unit], on) for unit in range(12)]


def without(silenced):
    """Accuracy with some units fixed at their mean."""
    changed = hidden.copy()
    changed[:, silenced] = hidden[:, silenced].mean(axis=0)
    return np.mean((changed @ out + offset > 0) == on)


removed = [without([unit]) for unit in range(12)]
draws = [np.random.default_rng(seed).permutation(12) for seed in range(200)]
fewer = [np.mean([without(draw[:count]) for draw in draws]) for count in range(13)]
figure, (bars, curve) = plt.subplots(1, 2, figsize=(9, 3), width_ratios=[7, 5], layout="tight")
bars.bar(np.arange(12) - 0.2, alone, 0.4, color="tab:blue", label="this unit alone")
bars.bar(np.arange(12) + 0.2, removed, 0.4, color="tab:orange", label="all others")
bars.axhline(0.5, color="0.4", linewidth=0.8, linestyle="--")
bars.set(xlabel="unit", ylabel="accuracy", xticks=range(12), ylim=(0, 1.3))
bars.legend(ncols=2, loc="upper right", fontsize=8)
curve.plot(range(13), fewer, "o-", color="tab:orange")
curve.axhline(0.5, color="0.4", linewidth=0.8, linestyle="--")
curve.set(xlabel="units taken out at random", ylabel="accuracy (mean of 200 draws)", ylim=(0, 1.05))
print(f"the best unit alone: {max(alone):.0%};  with any one unit taken out: {min(removed):.0%}")

# %% [markdown]
# A unit alone is right three times in four at best, and **no unit is needed**. What the network knows is *between* the
# units: a **distributed code**. It is good engineering, as it survives the loss of a part, and it is why a tour of
# single units ("this one likes B") finds much and explains little.

# %%
quick(
    "A colleague finds that unit 7 is highly active whenever the lamp is on, in her network. She calls it the lamp "
    "unit. What would convince you?",
    wrong(
        "A higher correlation",
        "Correlation shows what the unit goes with. The network may never read it: its outgoing weight may be 0.",
    ),
    right(
        "Taking the unit out destroys the answer, and training with other seeds finds such a unit again",
        "The first shows that the network uses it, the second that it belongs to the task and not to the dice.",
    ),
    wrong("That the other eleven units correlate less", "They may carry the same information together, as here."),
)

# %% [markdown]
# ## What a global explanation can be
#
# If the parts say little, take the whole and put **something readable** in its place that does the same: a
# *surrogate*. It can be of many kinds:
#
# - a **formula**: a weighted sum, a line of algebra;
# - a **tree** of yes-no questions;
# - **prototypes**: "it says what it says for the most similar of these examples";
# - a **machine**: states, and rules of how to go from one to the next.
#
# Three questions judge each of them.
#
# 1. **How faithful?** The *fidelity* of a surrogate $g$ to the network $f$, on inputs as they come in $D$, is
#
#    $$\mathrm{fidelity}(g) = P_{x \sim D} \bigl( g(x) = f(x) \bigr).$$
#
#    Note that the truth does not occur: a faithful explanation of a bad network is bad as well.
# 2. **How large?** A tree with 10,000 leaves has high fidelity, and explains as much as the weights do.
# 3. **Can it be proved equal?** Or only tested?
#
# Now let all four compete on our lamp. The tree may ask as many questions as it likes. The prototypes are drawn at
# random (mean of 50 draws). The machine reads the switches one after the other; it has two states, "even so far" and
# "odd so far", and an arrow for each state and position of a switch.

# %%
target = network.predict(positions)
sum_of_weights = LogisticRegression().fit(positions, target).score(positions, target)
leaves = [2, 4, 8, 12, 16, 24, 32]
trees = [DecisionTreeClassifier(max_leaf_nodes=count, random_state=0) for count in leaves]
by_trees = [tree.fit(positions, target).score(positions, target) for tree in trees]


def by_prototypes(count):
    """Mean fidelity of the nearest of some examples."""
    scores = []
    for seed in range(50):
        kept = np.random.default_rng(seed).permutation(64)[:count]
        nearest = KNeighborsClassifier(1).fit(positions[kept], target[kept])
        scores.append(nearest.score(positions, target))
    return np.mean(scores)


machine = DFA(("off", "on"), [[0, 1], [1, 0]], [False, True])
by_machine = machine.outputs[machine.run((positions[:, :3] > 0).astype(int))[:, -1]]

figure, axes = plt.subplots(figsize=(6, 3.4), layout="constrained")
axes.plot(leaves, by_trees, "o-", label="tree: leaves")
kept = [2, 4, 8, 16, 32, 48, 64]
axes.plot(kept, [by_prototypes(count) for count in kept], "s-", color="C2", label="prototypes")
axes.plot(7, sum_of_weights, "D", color="tab:red", label="weighted sum: numbers")
axes.plot(4, np.mean(by_machine == target), "*k", markersize=14, label="machine: arrows")
axes.set(xscale="log", xlabel="size", ylabel="fidelity", ylim=(0.4, 1.05))
axes.set_xticks(sizes := [2, 4, 8, 16, 32, 64], sizes)
axes.minorticks_off()
axes.legend(fontsize=8, loc="lower right")
draw_machine(machine, title="the lamp", names=["even", "odd"])

# %% [markdown]
# The weighted sum is as good as a coin: the effect of A turns round with B. A tree needs a leaf for each combination of
# A, B and C, which is 8; this one, greedy as it was grown, asks about switches that do nothing and takes 32. The
# prototypes learn one position at a time. The machine is exact, and small. With ten switches on the staircase the best
# tree has $2^{10}$ leaves, and the machine still two states.
#
# This is not because machines are better. For "lamp on if A or D" the tree would have won. **The truth is short in some
# languages and long in others. To explain is, above all, to find the language in which it is short.**

# %%
quick(
    "A tree with 12 leaves explains a network with a fidelity of 0.95. The network is right for 0.90 of the customers. "
    "For how many is the tree right?",
    wrong("For 0.95", "That is how often it says what the network says."),
    wrong("For 0.95 × 0.90", "That would need both errors to be independent, and two errors can even cancel."),
    right(
        "Somewhere between 0.85 and 0.95: fidelity and accuracy are two things",
        "Where the tree differs from the network (0.05), it may be wrong where the network was right, or right where "
        "it was wrong.",
    ),
)

# %% [markdown]
# ## Tested is not proved
#
# With six switches we tried all 64 positions. That *is* a proof: there are no others. With forty switches there are
# $10^{12}$. Here is a network for forty switches, and we have the right explanation: an odd number of A, B, C. Test it
# on a million random positions:


# %%
secret = np.random.default_rng(2).choice([False, True], 37)


def large_network(on_or_off):
    """The lamp of A, B, C; but one unit knows one combination of the others, and reverses it."""
    lamp = on_or_off[:, :3].sum(axis=1) % 2 == 1
    matches = (2.0 * on_or_off[:, 3:] - 1) @ (2.0 * secret - 1)  # 37 at the secret, else at most 35
    return lamp ^ (matches > 36)


tested, missed = 0, 0
drawing = np.random.default_rng(3)
for _ in range(10):
    drawn = drawing.random((100_000, 40)) < 0.5
    missed += np.sum(large_network(drawn) != (drawn[:, :3].sum(axis=1) % 2 == 1))
    tested += len(drawn)
print(f"{missed} of {tested:,} answers differ from the explanation")
door = np.concatenate([[True, False, False], secret])[None]
print("explanation: lamp on;  network at the secret:", "on" if large_network(door)[0] else "off")

# %% [markdown]
# A back door. One wrong answer in $10^{11}$, and no test that draws at random will ever see it. What does a clean test
# of $n$ inputs prove? If the explanation were wrong on a share $p$ of the inputs, the chance to see nothing is
# $(1-p)^n$, and this is below 5 % as soon as $p > 3/n$. So: *with 95 % confidence, wrong on less than $3/n$ of inputs
# like those drawn*. It is the **rule of three**, and it is all. It says nothing about one input, nothing about inputs
# of another kind, and nothing about somebody who *looks* for the exception.

# %%
quick(
    "An explanation of a network has agreed with it on 3,000 random words of at most 20 letters. What do you know "
    "about words of 1,000 letters?",
    wrong("The explanation is wrong on less than 1 in 1,000 of them", "That holds for words like the tested ones."),
    right("Nothing", "None was drawn. This is why lessons 30 and 40 ask what happens on long words."),
    wrong("It is as good on them, if the network generalises", "That is what you would like to find out."),
)

# %% [markdown]
# ## The promise of this week
#
# There is a corner of deep learning in which we can do better. A **recurrent network** reads words, symbol by symbol,
# of any length: infinitely many inputs, no table could hold them. Train it on a **regular language**, and what it has
# learnt may be the same as a **finite automaton**: a machine with a few states. And about machines things can be
# *proved*. Whether two of them give the same answer **for all of the infinitely many words** is decided in
# milliseconds, by an algorithm from 1971.
#
# This is a network which has learnt the staircase for any number of switches: it reads `a` for on and `b` for off. It
# has twelve tanh units, like the one above. Watch.

# %%
recurrent = trained_network("parity")
words = training_words(PARITY.automaton, 400, 50, seed=1)
begin = time.perf_counter()
found = extract(recurrent, words, empty=True)
verdict = bool(equivalent(found.automaton, PARITY.automaton))
seconds = time.perf_counter() - begin
print(f"read a machine from the network: {found.states} states, minimised {len(found.automaton)}")
print(f"the same as the true one, for all words: {verdict}  (in {seconds:.1f} s)")
draw_machine(found.automaton, title="read from the network")

# %% [markdown]
# How `extract` and `equivalent` do it is what you will learn, and write, this week. Be clear about what has been proved
# here, and what has not:
#
# - **Proved:** the machine in the picture accepts exactly the words with an even number of `a`. All of them.
# - **Not proved:** that the network always does what its machine does. Its states are twelve real numbers, not one of
#   two names. In lesson 30 we train it so that they *become* names, and lesson 50 tries hard to break it.
#
# | lesson | question |
# | --- | --- |
# | 20 | what are these languages, these machines and these networks? |
# | 30 | how do the states of a network become discrete and few? |
# | 40 | how is the machine read, made minimal and proved equal? |
# | 50 | what do local explanations say about a network that *is* a machine? |
# | 60 | what else is there, for networks that are none? |
#
# ## What goes wrong in practice
#
# - **A mean of heatmaps is called a global explanation.** Effects with changing signs cancel, and sizes without signs
#   do not say how.
# - **Units are named.** "The sentiment neuron" of one seed. Take it out, and train again, before you name it.
# - **Fidelity without its distribution.** 99 % on which inputs? Off them it may be anything: think of the dimmers.
# - **Fidelity without size.** A surrogate that nobody can read is a second black box.
# - **"We tested it thoroughly."** On $n$ inputs of a kind: wrong on less than $3/n$ of that kind. A proof says more,
#   and a proof needs a finite thing to be about.
# - **The wrong language.** If your tree needs 500 leaves, the fault may be with trees.
#
# ## What to take away
#
# - Local explanations say why *here*. Global ones say what a network does *everywhere*, or everywhere in a set of
#   inputs that they name.
# - The inside is hard to read: one function has astronomically many networks, seeds find different units, and what is
#   known lies between units.
# - A global explanation is judged by fidelity, size, and whether it can be proved equal.
# - For recurrent networks and regular languages, it can.
#
# ### References
#
# - Doshi-Velez and Kim (2017). Towards a rigorous science of interpretable machine learning. arXiv 1702.08608. *What
#   one may want, and how to judge it.*
# - Sussmann (1992). Uniqueness of the weights for minimal feedforward nets with a given input-output map.
#   doi 10.1016/S0893-6080(05)80037-1. *Permutations and signs, and nothing else.*
# - Li, Yosinski, Clune, Lipson and Hopcroft (2016). Convergent learning: do different neural networks learn the same
#   representations? arXiv 1511.07543. *Matching units across seeds.*
# - Morcos, Barrett, Rabinowitz and Botvinick (2018). On the importance of single directions for generalization.
#   arXiv 1803.06959. *Taking units out.*
# - D'Amour et al. (2020). Underspecification presents challenges for credibility in modern machine learning.
#   arXiv 2011.03395. *Equal on the test, different outside.*
# - Craven and Shavlik (1996). Extracting tree-structured representations of trained networks. NIPS 8. *A tree as a
#   surrogate, and fidelity.*
# - Hopcroft and Karp (1971). A linear algorithm for testing equivalence of finite automata. Cornell University, TR
#   71-114. *The proof.*
