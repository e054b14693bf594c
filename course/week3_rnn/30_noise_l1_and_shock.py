# %% [markdown]
# # How do the states of a network become discrete and few?
#
# Lesson 20 ended with clouds: a network had sorted its states by an automaton that it had never seen, but only roughly.
# You could read the automaton with a ruler and some courage. It would be better if the network itself drew the line.
# **Can you make it so, by nothing but the way you train it?**
#
# When you are done you will be able to
#
# - say where the noise of the papers enters, and why a network escapes from it into ±1;
# - compare it with noise that is simply added;
# - make states few with L1, see when L1 silences everything, and wake the network by a shock;
# - read the three pictures of this field: saturation, activation strips, a map of states;
# - say honestly what noise buys, and what you can have without it.

# %%
from dataclasses import replace
from functools import cache

import matplotlib.pyplot as plt
import numpy as np

from vitrina.automata import LANGUAGES, by_sign
from vitrina.automata.elman import shocked
from vitrina.automata.routes import read_automaton
from vitrina.automata.samples import training_words
from vitrina.automata.stability import active_units, long_accuracy, recovery
from vitrina.automata.training import train
from vitrina.automata.weights import TRAININGS
from vitrina.automata_plots import draw_machine
from vitrina.quick import quick, right, wrong
from vitrina.recurrent_plots import (
    show_accuracy_by_length,
    show_activations,
    show_saturation,
    show_state_map,
)

# %% [markdown]
# ## Noise with an idea
#
# While the network learns, and only then, each unit is disturbed. Not by a fixed amount: by a share of **its own last
# activation** (Oliva and Lago-Fernández, 2019). With fresh $n_t \sim N(0, I)$ for each step and word, and ⊙ for the
# product unit by unit,
#
# $$z_t = W x_t + U h_{t-1} + b + \nu \; n_t \odot h_{t-1}, \qquad h_t = \tanh(z_t).$$
#
# The other form that we compare adds noise of a fixed size, $z_t = \ldots + \sigma\, n_t$.
#
# What can a network do against it? Not much about $z$. But $h$ is what it works with, and the slope of tanh is
# $1 - h^2$. So what arrives of the noise has a size of about
#
# $$\text{multiplicative: } \nu\, |h_{t-1}|\, (1 - h_t^2), \qquad \text{additive: } \sigma\, (1 - h_t^2).$$
#
# Look where it is small. (For the picture the unit keeps its value: $h_t = h_{t-1} = h$.)

# %%
h = np.linspace(-1, 1, 401)
drawn = np.random.default_rng(0).standard_normal(4000)
inner = np.arctanh(h[2:-2:4])
figure, (curve, spread) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
z = np.linspace(-4, 4, 200)
curve.plot(z, np.tanh(z), color="black")
for middle, colour in ((0.4, "tab:orange"), (2.6, "tab:blue")):
    low, high = middle - 0.5, middle + 0.5
    curve.axvspan(low, high, color=colour, alpha=0.2, linewidth=0)
    curve.axhspan(np.tanh(low), np.tanh(high), color=colour, alpha=0.2, linewidth=0)
curve.set(xlabel="$z$", ylabel="$h$", title="the same noise on $z$, two fates")
for name, noise in {
    "multiplicative, ν = 1": drawn * np.tanh(inner)[:, None],
    "additive, σ = 0.5": 0.5 * drawn + 0 * inner[:, None],
}.items():
    spread.plot(np.tanh(inner), np.tanh(inner[:, None] + noise).std(axis=1), label=name)
spread.set(xlabel="activation $h$", ylabel="what arrives of the noise", title="where is it quiet?")
spread.set_xticks((-1, -0.5, 0, 0.5, 1))
spread.legend(fontsize=8)
figure.align_labels()

# %% [markdown]
# At ±1 both are quiet: tanh is flat there, and swallows what comes. **To be understood in the noise, a unit must
# shout.** Between, it is loud. And at 0 they differ: multiplied noise leaves a silent unit in peace, added noise does
# not. So the papers' noise knows three quiet places, −1, 0 and 1, and the added one two.
#
# This is an argument, not a proof: nothing says that training will find the quiet places. Let us look.
#
# ## The saturation figure
#
# We train four networks for each strength of the noise, on Tomita 6 (the number of `a` minus that of `b` is a multiple
# of 3). All else is equal. How large are the activations when the network works, *without* noise?


# %%
def four_runs(name, training, **changes):
    """Train four networks: whatever becomes of them, none is chosen."""
    return trained(name, replace(TRAININGS[training], **changes))


@cache
def trained(name, recipe):
    return train(LANGUAGES[name].automaton, recipe, restarts=4, seed=7)


counting = LANGUAGES["Tomita 6"].automaton
walks = training_words(counting, 200, 50, seed=5)
levels = {
    "no noise": four_runs("Tomita 6", "l1"),
    "ν = 0.3": four_runs("Tomita 6", "multiplicative", noise=0.3),
    "ν = 1": four_runs("Tomita 6", "multiplicative"),
    "additive, σ = 0.5": four_runs("Tomita 6", "additive"),
}
show_saturation(levels, walks, title="Tomita 6, four networks each")

# %% [markdown]
# Dark is what counts as saturated, and its share is on the right. (The heights are square roots, so that the rare is
# still seen.) Without noise the activations are anywhere. With more and more noise they move to the end.
#
# The same in the strips of one network each, reading the same words: a row for each unit, red is +1, blue −1.

# %%
plain, noisy = levels["no noise"][0], levels["ν = 1"][0]
word = "abbabaabbaa$bbaabab"
figure, panels = plt.subplots(1, 2, figsize=(12, 3.9), layout="constrained")
show_activations(plain, word, automaton=counting, title="trained without noise", axes=panels[0])
show_activations(noisy, word, automaton=counting, title="trained with noise", axes=panels[1])
figure

# %% [markdown]
# On the left many shades, on the right nearly two: you could write the state down as a row of signs. And as a map: the
# clouds of lesson 20 become spots.

# %%
figure, panels = plt.subplots(1, 3, figsize=(12.5, 3.7), layout="constrained")
show_state_map(plain, walks, automaton=counting, title="without noise", axes=panels[0])
show_state_map(noisy, walks, automaton=counting, title="with noise", axes=panels[1])
show_state_map(noisy, walks, automaton=counting, method="isomap", axes=panels[2])
panels[2].set_title("with noise, Isomap")
for name, network in {"without": plain, "with": noisy}.items():
    hidden = network.states(walks)[:, 1:]
    places = len(np.unique(hidden.reshape(-1, 12).round(1), axis=0))
    signs = len(np.unique(by_sign(hidden)))
    print(f"{name:8} noise: {places:4} different states to one decimal, {signs} by sign")
figure

# %% [markdown]
# Colours are the three states of the true automaton. There are more spots than states: **one state of the automaton may
# be several of the network**, such as "0, and the last letter was `a`" and "0, and it was `b`". Discrete is not
# minimal. To merge what cannot be told apart is the business of lesson 40. The right panel is the papers' map, Isomap:
# it keeps distances along the data where principal components keep large ones. Between spots without bridges it must
# guess: trust which points are together, not how far apart the spots are.

# %%
quick(
    "A colleague adds noise at test time, to make the states of a finished network discrete. What happens?",
    wrong("They move to ±1", "Weights decide where the states are, and the weights do not change any more."),
    right(
        "They become blurred, and the accuracy falls",
        "Noise makes states discrete by making the training look for quiet places. A finished network looks for "
        "nothing.",
    ),
    wrong("Nothing, tanh swallows it", "Where the network is saturated. This one is not, or she would not want it."),
)

# %% [markdown]
# ## L1: few units
#
# A network that uses twelve units for three states is hard to read. So the loss gets a price for each weight,
#
# $$L = \text{mean cross-entropy} + \lambda \Bigl( \sum |W| + \sum |U| + \sum |v| \Bigr),$$
#
# and what is not worth its price goes to 0. A unit without weights stands still. We count the **active** units, whose
# activation varies while the network reads, for a growing λ.

# %%
prices = (0.0, 1e-4, 1e-3, 3e-3)
few = {price: four_runs("Tomita 6", "multiplicative", l1=price) for price in prices}
figure, (left, middle) = plt.subplots(1, 2, figsize=(9, 3.1), layout="constrained")
for place, networks in enumerate(few.values()):
    counts = [active_units(network.states(walks)[:, 1:]) for network in networks]
    scores = [network.accuracy(counting, walks) for network in networks]
    spread = place + np.linspace(-0.15, 0.15, 4)
    left.plot(spread, counts, "o", color="#0072b2")
    middle.plot(spread, scores, "o", color="#d55e00")
for panel, name in ((left, "active units"), (middle, "accuracy")):
    panel.set_xticks(range(len(prices)), [f"{price:g}" for price in prices])
    panel.set(xlabel="price of a weight, λ", ylabel=name)
left.set_ylim(-0.5, 12.5)
middle.set_ylim(0.5, 1.03)
figure.align_labels()

# %% [markdown]
# Up to a point the network becomes smaller and stays right. Beyond it, it is cheaper to know nothing: **L1 has silenced
# everything**, and the network says the most frequent answer for ever. Where the point is depends on the language and
# on chance. And L1 alone makes states few, but not discrete: the cheapest weights are small ones, and small weights
# mean small activations. You will see that below.
#
# ## Shock
#
# A silent network does not wake up by itself: where all activations are near 0, so are the gradients of all weights,
# and the price holds them there. The papers' cure is rough. When learning has stopped, **add a random number to every
# weight**, and go on:
#
# $$W \leftarrow W + s\, N(0, 1), \quad \text{and the same for } U \text{ and } v.$$
#
# We take the four silent networks of the highest price, and go on training at the same price. First without a shock, to
# see whether patience helps. Then with: whoever makes mistakes is shocked, whoever makes none just goes on, three
# times.

# %%
dear = replace(TRAININGS["multiplicative"], l1=3e-3)
rounds = {"silent": few[3e-3]}
rounds["only patience"] = train(counting, dear, restarts=4, seed=8, first=few[3e-3])
networks = few[3e-3]
for number in range(3):
    right_ones = [network.accuracy(counting, walks) == 1 for network in networks]
    begin = [
        network if is_right else shocked(network, 1.0, seed=10 * number + row)
        for row, (network, is_right) in enumerate(zip(networks, right_ones, strict=True))
    ]
    networks = train(counting, dear, restarts=4, seed=8 + number, first=begin)
    rounds[f"shock {number + 1}"] = networks

print(f"{'':16}{'accuracy of the four networks':34}active units")
for name, networks in rounds.items():
    scores = "  ".join(f"{network.accuracy(counting, walks):.3f}" for network in networks)
    print(f"{name:16}{scores:34}{[active_units(n.states(walks)[:, 1:]) for n in networks]}")

# %% [markdown]
# Patience does nothing for a silent network. A shock wakes all of them; but to wake is not to learn, and some need
# another one. Those that have learnt go on paying for their weights, and become smaller still. So the price was not too
# high: **a small solution was there, and could not be reached from silence.** A shock is a restart that keeps the
# biases. Its strength is one more knob: with this recipe the papers' 0.5 wakes nobody, so we took 1.


# In the papers' own setting (a stream, 10 units, ν = 0.6, another scale of λ) a shock of 0.5 decides. These are 20 runs
# each, counted from the public logs of the authors; *perfect* is a run without a mistake on five test files.
#
# | perfect runs of 20 | nothing | noise | noise + L1 | noise + L1 + shock | active units at the end |
# | --- | --- | --- | --- | --- | --- |
# | Tomita 3 | 8 | 20 | 17 | 19 | 5.5 |
# | Tomita 5 | 15 | 20 | **0** | **20** | 4.7 |
# | Tomita 6 | 15 | 13 | **0** | **17** | 8.1 |
# | Tomita 7 | 4 | 19 | 20 | 18 | 5.2 |
#
# ### What a small network looks like
#
# Of all networks so far that make no mistake, take the one with the fewest active units, and let it read.

# %%
candidates = [network for group in (*few.values(), *rounds.values()) for network in group]
perfect = [network for network in candidates if network.accuracy(counting, walks) == 1]
small = min(perfect, key=lambda network: active_units(network.states(walks)[:, 1:]))
moving = np.flatnonzero(small.states(walks)[:, 1:].std(axis=(0, 1)) > 0.1)
print(f"active units: {moving.tolist()}")
show_activations(small, word, automaton=counting, units=moving, title="discrete and few")

# %% [markdown]
# Compare the columns above equal numbers in the last row. You can nearly read the three states off with the naked eye.
# (The other units stand still, at any value: L1 takes away a unit's weights and leaves its bias.)

# %%
quick(
    "Your network answers 'no' to everything, with all activations near 0. The training has 10,000 steps behind it. "
    "What do you do first?",
    wrong("Train for 10,000 more", "You saw it: without a shock nothing moves."),
    right(
        "Lower the price λ, or shock it and go on",
        "Either the price is too high for any solution to be worth it, or a solution is there and the network cannot "
        "get to it from silence. A shock helps in the second case only.",
    ),
    wrong("More noise, so that something happens", "Noise that is multiplied by an activation of 0 is 0."),
)

# %% [markdown]
# ## What does noise buy? An honest account
#
# It is tempting to say: without noise there is no automaton to be read. **That is false.** Let us do it for two
# languages and four ways of training, four runs each, none of them chosen. For each network we ask
#
# 1. can the automaton be read by the signs of the units, and proved equal to the true one?
# 2. the same, if each state is **snapped** to ±1 after each letter: *are* the states discrete?
# 3. how right is it when noise disturbs it at test time?
# 4. is it back where it would have been, some time after a **kick** to its state?
# 5. how right is it on 1,000 letters, 80 times as many as it was trained on?

# %%
kinds = {
    "plain": "nothing",
    "l1": "L1",
    "additive": "L1 + additive",
    "multiplicative": "L1 + multiplicative",
}
measured = {name: [] for name in kinds}
for language in ("Tomita 6", "Tomita 7"):
    truth = LANGUAGES[language].automaton
    words = training_words(truth, 200, 50, seed=5)
    for kind in kinds:
        for network in four_runs(language, kind):
            routes = [
                read_automaton(network, words, empty=True, route=route, truth=truth)
                for route in ("sign", "snap")
            ]  # fmt: skip
            measured[kind].append([
                *(bool(reading.verdict) for reading in routes),
                network.accuracy(truth, words, noise=0.5, kind="additive", seed=1),
                recovery(network, words, 0.5, seed=1),
                long_accuracy(network, truth, [1000], seed=1)[1000],
            ])  # fmt: skip

print(f"{'':22}{'by sign':>10}{'snapped':>10}{'1,000 letters':>15}{'in noise':>10}{'kick':>8}")
for kind, rows in measured.items():
    signs, snapped, noise, kick, long = np.array(rows, float).T
    counts = [f"{(passed == 1).sum()} of 8" for passed in (signs, snapped, long)]
    means = f"{noise.mean():10.3f}{kick.mean():8.3f}"
    print(f"{kinds[kind]:22}{counts[0]:>10}{counts[1]:>10}{counts[2]:>15}{means}")

figure, panels = plt.subplots(1, 3, figsize=(11, 2.9), sharey=True, layout="constrained")
titles = ("accuracy in noise", "back after a kick", "accuracy, 1,000 letters")
colours = ("0.5", "0.5", "C0", "C1")
for panel, column, title in zip(panels, (2, 3, 4), titles, strict=True):
    for row, (rows, colour) in enumerate(zip(measured.values(), colours, strict=True)):
        values, places = np.array(rows)[:, column], row + np.linspace(-0.25, 0.25, 8)
        panel.plot(values, places, "o", color=colour, alpha=0.7, clip_on=False)
        panel.plot([values.mean()] * 2, [row - 0.38, row + 0.38], color=colour, linewidth=2.5)
    panel.set(title=title, xlim=(0, 1) if column == 3 else (0.5, 1))
panels[0].set_yticks(range(4), kinds.values())
panels[0].invert_yaxis()
figure.align_labels()

# %% [markdown]
# In the table, how many of eight runs passed (for 1,000 letters: without any mistake in 20 words), or the mean. In the
# figure a dot is a run, four of Tomita 6 above four of Tomita 7, and a bar the mean.
#
# - **By sign**, then minimised: works nearly as well without any noise. The clouds lie on the right sides of the planes
#   often enough, and majority votes and minimisation do the rest. Never write "noise makes extraction possible".
# - **Snapped**: hardly ever without noise, nearly always with it. There the states *are* corners: the machine is not an
#   approximation to the network, it is what the network does.
# - **Length**: what is pulled back to its corner does not grow. Without noise some runs last for 1,000 letters and some
#   do not, and you cannot tell which from words of 12.
# - **Noise and kicks**: a disturbed state is back before the next letter comes, or is not. L1 without noise does worse
#   than nothing at all: it makes activations small, and small ones are easily lost.
# - **Additive or multiplicative?** With multiplied noise a unit may rest near 0, its third quiet place. A snap to ±1 is
#   wrong for it, and a run with such a unit can fail that test though it passes when rounded to −1, 0 and 1. Else there
#   is little between the two noises. Both grow slowly from 0, and need to.
#
# Noise is no cure for a network that has not learnt the language. Those that count are the hard ones: in a trial about
# one in ten single runs on parity failed, with noise as without. Restart, and accept by a test on longer words; that is
# what `train_until_accepted` does.
#
# A larger trial, all eight languages with twenty runs each, says the same: by sign 152 of 160 without noise or L1, 156
# with L1, 155 with additive and 156 with multiplicative noise; snapped 51 (mostly in the easy languages), 63, 150 and
# 149. Restarted until accepted, all 320 with noise were the true automaton. `make bench-automata` repeats it on your
# machine.

# %%
phases = LANGUAGES["Tomita 7"].automaton
show_accuracy_by_length(
    {kinds[kind]: four_runs("Tomita 7", kind) for kind in ("plain", "multiplicative")},
    phases,
    training_words(phases, 50, 1000, seed=11),
    trained_length=12,
    title="Tomita 7: single runs are thin lines",
)

# %% [markdown]
# One more fact to think about. Take the runs without noise, and the automata that were read from them by sign. The
# network, which makes small errors that add up, against its own automaton, which makes none:

# %%
long_words = training_words(phases, 20, 1000, seed=12)
words = training_words(phases, 200, 50, seed=5)
truth = phases.outputs[phases.run(long_words)[:, 1:]]
for network in four_runs("Tomita 7", "plain"):
    found = read_automaton(network, words, empty=True)
    its_own = found.automaton.outputs[found.automaton.run(long_words)[:, 1:]]
    print(f"1,000 letters: network {network.accuracy(phases, long_words):.4f}, "
          f"its automaton {np.mean(its_own == truth):.4f}")  # fmt: skip

# %% [markdown]
# Where a network drifts and its automaton is right, **an explanation is better than the network that it explains.** Is
# it still a faithful one? (The other way round happens too: one wrong majority, and the automaton errs for ever.)

# %%
quick(
    "Two networks have the same automaton by sign, both proved equal to the true one. Only the one that was trained "
    "with noise passes the test of snapping. What holds for that one only?",
    wrong("Its automaton is right for all words", "That was proved for both automata."),
    right(
        "It survives having its states replaced by the corners of the cube",
        "Then the network with its states rounded is the automaton. The other one only resembles it on short words.",
    ),
    wrong("It has learnt the language", "Perhaps both have, on the words that were tested."),
)

# %% [markdown]
# ## Train it yourself
#
# ```python
# from vitrina.automata.accepting import train_until_accepted
# from vitrina.automata.training import train
#
# automaton = LANGUAGES["Tomita 7"].automaton
# recipe = Recipe(units=12, noise=1.0, kind="multiplicative", l1=1e-4)
# networks = train(automaton, recipe, restarts=4, seed=0)    # four single runs, in a few seconds
# trained = train_until_accepted(automaton, recipe, seed=0)  # the first that passes a test
# ```
#
# The same network in Keras, whose cell is the place to read how the noise enters (`NoisyElmanCell`):
#
# ```python
# from vitrina.automata.keras_networks import to_network
# from vitrina.automata.keras_training import fit
#
# model = fit(automaton, recipe, seed=0)           # Keras' own fit: slower, and plain to read
# network = to_network(model, automaton.alphabet)  # all pictures above take it
# ```
#
# The noise grows from 0 over the first half of the training (`ramp=0.5`). In a trial with full noise from the
# beginning, on longer words, 4 of 15 runs learnt a language that counts. `trained_network("Tomita 7")` gives an
# accepted network from the cache. And this is the automaton of the small network above, read by sign:

# %%
reading = read_automaton(small, walks, empty=True, route="sign", truth=counting)
print(reading)
draw_machine(reading.automaton, title="read from the small network")

# %% [markdown]
# ## What goes wrong in practice
#
# - **Noise added where it should be multiplied.** $\nu\, n \odot h_{t-1}$ is a share of the unit's own last activation:
#   not of $z$, not of the input. Copies of the method often get this wrong.
# - **One noise for the whole batch.** It must be fresh for each unit, step and word, else the network learns it.
# - **Noise left on at test time.** Then you measure robustness, and call it accuracy.
# - **λ from one paper, loss from another.** A loss that sums over 25 steps bears a λ 25 times as large as one that
#   takes the mean. Compare settings only with their loss.
# - **Success on chosen seeds.** Show single runs. "Restarted until accepted" is a fair method if you say so.
# - **Saturation taken for understanding.** A network that has learnt nothing can be perfectly saturated.
# - **Rounding units that hover near 0.** A sign there is a coin. Leave silent units out, or use clusters (lesson 40).
#
# ## What to take away
#
# - Noise in training makes the middle of tanh uncomfortable: units go to ±1, or with multiplied noise stay at 0.
#   **Noise makes states discrete, L1 makes them few**, and a shock wakes a network which L1 has put to sleep.
# - Without noise the automaton can often be read. With it, the network *is* one: it survives snapping, noise, kicks and
#   length.
# - Discrete is not minimal: one state of the automaton can be several spots. Lesson 40 merges them, and proves the
#   result.
#
# ### References
#
# - Oliva and Lago-Fernández (2019). Interpretability of recurrent neural networks trained on regular languages.
#   doi 10.1007/978-3-030-20518-8_2. *Noise and regularisation.*
# - Oliva and Lago-Fernández (2019). On the interpretation of recurrent neural networks as finite state machines.
#   doi 10.1007/978-3-030-30487-4_25. *Noise, L1 and shock; the public runs counted above.*
# - Oliva and Lago-Fernández (2021). Stability of internal states in recurrent neural networks trained on regular
#   languages. arXiv 2006.10828. *Saturation, kicks, long words.*
# - Zeng, Goodman and Smyth (1993). Learning finite state machines with self-clustering recurrent networks.
#   doi 10.1162/neco.1993.5.6.976. *The wish for discrete states is older.*
# - Tenenbaum, de Silva and Langford (2000). A global geometric framework for nonlinear dimensionality reduction.
#   doi 10.1126/science.290.5500.2319. *Isomap.*
