# %% [markdown]
# # Shapley values: who gets how much of what was made together?
#
# Three friends earn 120 euros on a market day. How much is due to each? The question is older than computers, it has
# **one** fair answer if you agree on four sentences, and it is the same question as "how much of this prediction is
# due to each feature?"
#
# When you are done you will be able to
#
# - work out the Shapley values of a small game on paper;
# - state the four axioms, and show with an experiment which of them another division breaks;
# - turn a model into a game, and say what a "missing" feature is: there are two answers to two questions;
# - estimate Shapley values by sampling, and put an honest error bar on them;
# - say what exact values cost, and read an interaction.

# %%
from vitrina import quiet

with quiet():  # TensorFlow has much to say when it starts, and nothing that you need
    from vitrina.explain import (
        interventional,
        observational,
        permutation_shapley,
        shapley_interactions,
        shapley_values,
    )

import time

import matplotlib.pyplot as plt
import numpy as np

from vitrina.quick import quick, right, wrong
from vitrina.tabular_plots import show_bars, show_interactions

# %% [markdown]
# ## A day at the market
#
# **Ana** bakes bread. **Bruno** makes cheese. **Carla** has a van, and nothing to sell. In earlier summers they have
# tried every combination, so they know what each group earns in a day:
#
# | who goes | nobody | Ana | Bruno | Carla | Ana, Bruno | Ana, Carla | Bruno, Carla | all three |
# | --- | --- | --- | --- | --- | --- | --- | --- | --- |
# | euros | 0 | 30 | 24 | 0 | 72 | 54 | 48 | **120** |
#
# Bread with cheese sells better than either alone, and a van brings goods to more people. Today all three went.
# *How are the 120 euros to be divided?*
#
# Such a table is called a **cooperative game**. The friends are its **players**, a group is a **coalition**, and what
# it earns is its **worth**, written $v(S)$ for the coalition $S$. In the computer it is a list of eight numbers: add
# 1 if Ana is there, 2 for Bruno, 4 for Carla, and you have the place in the list.

# %%
friends = ["Ana", "Bruno", "Carla"]
market = np.array([0, 30, 24, 72, 0, 54, 48, 120])
print(f"Ana and Carla (places 1 + 4 = 5) earn {market[1 + 4]} euros")

# %% [markdown]
# ### Three bad ideas
#
# - *Everybody gets 40.* But Carla could say nothing if she were given less, for alone she earns nothing.
# - *Everybody gets what is lost without them.* Without Ana 48 are left, so Ana costs 72. Without Bruno 54 are left:
#   66. Without Carla 72: 48. Together that makes 186 euros. There are 120.
# - *Whoever comes first is paid first.* Ana arrives and earns 30. Bruno joins, that makes 42 more. With Carla 48 more
#   come in. It adds up to 120! But Carla gains from coming last: had she come first, she would have got 0.
#
# ### One good idea
#
# The third idea is nearly right. What a player adds on arrival is called the **marginal contribution**, and along any
# order these add up to 120. What is unfair is only *the order*. So let every order count the same, and take the mean:
#
# | order of arrival | Ana adds | Bruno adds | Carla adds |
# | --- | --- | --- | --- |
# | Ana, Bruno, Carla | 30 | 42 | 48 |
# | Ana, Carla, Bruno | 30 | 66 | 24 |
# | Bruno, Ana, Carla | 48 | 24 | 48 |
# | Bruno, Carla, Ana | 72 | 24 | 24 |
# | Carla, Ana, Bruno | 54 | 66 | 0 |
# | Carla, Bruno, Ana | ? | ? | ? |
# | **mean** | | | |
#
# Fill in the last line and the means yourself, with the table of worths. Then look.

# %%
for friend, value in zip(friends, shapley_values(market), strict=True):
    print(f"{friend:5} {value:5.1f} euros")

# %% [markdown]
# This mean is the **Shapley value** (Lloyd Shapley, 1953). Carla sells nothing, and still gets 24 euros: that is what
# a van is worth *to people who have something to sell*.
#
# Many orders say the same. Whether Ana came before Bruno or after him does not matter to Carla if both are there. So
# collect the orders by *who was there already*. A coalition $S$ of $|S|$ players stands before player $i$ in
# $|S|!\,(n - |S| - 1)!$ of the $n!$ orders, and that is all there is to the famous formula:
#
# $$\phi_i = \sum_{S \not\ni i} \frac{|S|!\,(n - |S| - 1)!}{n!}\, \bigl( v(S \cup \{i\}) - v(S) \bigr)$$
#
# For three players, whoever is added to nobody counts 1/3, to one other 1/6 (there are two of them), to both 1/3.

# %%
quick(
    "One more friend, Dario, only keeps the others company: with him every coalition earns what it earns without him. "
    "What are the four Shapley values?",
    wrong("30 euros each", "That is the division into equal parts. In no order does Dario add anything."),
    right(
        "51, 45, 24 and 0",
        "Dario adds 0 in each order. And what the others add does not depend on whether he is there already.",
    ),
    wrong("A little less for everybody, and a little for Dario", "Which order would he get it in? He adds 0 in all."),
)

# %% [markdown]
# ## Four sentences, one answer
#
# Why this division, and none of a hundred others? Because of what you would ask of any division:
#
# - **Efficiency**: all is divided. $\sum_i \phi_i = v(\text{all}) - v(\text{nobody})$.
# - **Symmetry**: who contributes the same gets the same. If swapping two players changes no worth, their values are
#   equal.
# - **Dummy**: who changes nothing gets nothing.
# - **Additivity**: two days are paid like one and the other. The values of the game $v + w$ are the values of $v$
#   plus those of $w$.
#
# Shapley proved that **exactly one** division satisfies all four. Drop any one of them, and there is another.
#
# A proof is one thing; let us also try. Here are three divisions beside Shapley's, and a fourth that repairs the sum
# of the second idea with a common factor.


# %%
def equal_parts(worth):
    players = len(worth).bit_length() - 1
    return np.full(players, (worth[-1] - worth[0]) / players)


def leave_one_out(worth):
    players = len(worth).bit_length() - 1
    return np.array([worth[-1] - worth[len(worth) - 1 - 2**player] for player in range(players)])


def first_come(worth):
    return np.diff(worth[2 ** np.arange(len(worth).bit_length()) - 1])


def scaled_leave_one_out(worth):
    parts = leave_one_out(worth)
    return parts * (worth[-1] - worth[0]) / parts.sum()


divisions = {
    "Shapley": shapley_values,
    "equal parts": equal_parts,
    "leave one out": leave_one_out,
    "first come": first_come,
    "leave one out, scaled": scaled_leave_one_out,
}

figure, axes = plt.subplots(figsize=(8, 2.8), layout="constrained")
for row, divide in enumerate(divisions.values()):
    parts = divide(market)
    starts = np.cumsum(parts) - parts
    for start, part, colour in zip(starts, parts, ["#4575b4", "#fdae61", "#91bfdb"], strict=True):
        axes.barh(row, part, left=start, color=colour, edgecolor="white")
        axes.text(start + part / 2, row, f"{part:.0f}", ha="center", va="center")
axes.axvline(120, color="black", linewidth=1)
axes.set(yticks=range(len(divisions)), yticklabels=divisions, xlabel="euros (line: what there is)")
figure.legend(handles=axes.patches[:3], labels=friends, loc="outside upper right", ncols=3)
axes.invert_yaxis()

# %% [markdown]
# Now a laboratory for divisions. We draw 300 games of four players by chance: sixteen worths each, that grow with the
# group. For two of the axioms the game must have a special player, so we make one: a dummy by copying the worths
# without player 0, and twins by giving player 1 what player 0 has. Then we look how badly a division breaks each
# sentence, at worst.

# %%
places = np.arange(16)  # the coalitions of four players
without_first = places & ~1
swapped = (places & ~3) | (places & 1) << 1 | (places & 2) >> 1  # players 0 and 1 change places


def worst_violations(divide, games=300):
    """How far a division misses each axiom, at worst over random games."""
    drawn = np.random.default_rng(0).uniform(1, 10, (2, games, 16)).cumsum(axis=2)
    drawn -= drawn[:, :, :1]  # nobody earns nothing
    worst = dict.fromkeys(["efficiency", "symmetry", "dummy", "additivity"], 0.0)
    for one, other in zip(*drawn, strict=True):
        parts, twins = divide(one), divide((one + one[swapped]) / 2)
        misses = {
            "efficiency": parts.sum() - one[-1],
            "symmetry": twins[0] - twins[1],
            "dummy": divide(one[without_first])[0],
            "additivity": np.abs(divide(one + other) - parts - divide(other)).max(),
        }
        worst = {axiom: max(worst[axiom], abs(miss)) for axiom, miss in misses.items()}
    return worst


broken = {name: worst_violations(divide) for name, divide in divisions.items()}
print(f"{'':22}", *(f"{axiom:>11}" for axiom in broken["Shapley"]))
for name, worst in broken.items():
    print(f"{name:22}", *(f"{'holds' if miss < 1e-9 else f'off by {miss:.0f}':>11}" for miss in worst.values()))

# %% [markdown]
# Each of the others breaks exactly one sentence, and so **each sentence is needed**: without it, the division in that
# line would do as well.
#
# Three hundred games in which an axiom holds prove nothing. One game in which it fails proves that it does not hold.
# Such a *counter-example* is what you hunt for in the assignment.

# %%
quick(
    "An explanation method gives a feature a value that the model does not look at. Which axiom is broken?",
    wrong("Efficiency", "The sum may still be right: then something was taken from the others."),
    right("Dummy", "Changing the feature changes no output, so in every coalition it adds 0."),
    wrong("Symmetry", "That is about two features that do the same. This one does nothing."),
)

# %% [markdown]
# ## From friends to features
#
# A model has made a prediction. The features are the players, the prediction is what they made together. The worth of
# a coalition of features is **what the model says if only these are known**. But a model wants numbers for all its
# inputs: what does it mean not to know one?
#
# Take a sample $x$ and a **background**, some ordinary samples $z$. There are two ways:
#
# - **interventional**: set the known features to their values in $x$, take the others from the background:
#   $v(S) = \mathbb{E}_z \bigl[ f(x_S, z_{\bar S}) \bigr]$;
# - **observational**: look only at those ordinary samples that *have* the known values:
#   $v(S) = \mathbb{E}_z \bigl[ f(z) \mid z_S = x_S \bigr]$.
#
# If features are independent, the two are the same. They never are.

# %% [markdown]
# ### One model, two questions, two answers
#
# A controller decides how strongly to heat: half a kilowatt for each degree that is missing to 20 in the **kitchen**.
# (On warmer mornings the number is negative: it cools.) A second thermometer hangs in the **hall**. The controller has
# its reading too, and does not use it. But the door is open, and the two nearly always show the same.


# %%
def heating(readings):
    """Kilowatts, from readings (n, 2) of kitchen and hall."""
    return 0.5 * (20 - readings[:, 0])


generator = np.random.default_rng(0)
kitchen = generator.normal(18, 2, 500)
mornings = np.stack([kitchen, kitchen + generator.normal(0, 0.6, 500)], axis=1)
cold = np.array([[14.0, 14.2]])
rooms = ["kitchen", "hall"]

answers = {
    "interventional": shapley_values(interventional(heating, cold, 0, background=mornings))[0],
    "observational": shapley_values(observational(heating, cold, 0, background=mornings))[0],
}
print(f"heating this morning {heating(cold)[0]:.2f} kW, on the mean morning {heating(mornings).mean():.2f} kW")
for name, values in answers.items():
    print(f"{name:15} kitchen {values[0]:+.2f} kW, hall {values[1]:+.2f} kW")
show_bars(answers, rooms, values=cold[0], title="Why so much heating this morning? (kW)")

# %% [markdown]
# Both add up to the same difference, and both are right:
#
# - *Which inputs does the controller use?* Take the hall thermometer off the wall and nothing changes. The
#   interventional value is 0, as the dummy axiom demands. Ask so when you debug a model or have to say what it
#   *does*.
# - *What does each reading tell about the heating?* If somebody phones you and says "14 degrees in the hall", you
#   know at once that the heating is on. So the hall is **no dummy** in that game. Ask so when you study the world
#   with a model; but never say that the model "looks at" the hall.
#
# Libraries differ in which one they compute, and seldom say so loudly. Vitrina's default is interventional, and so
# are `shap`'s KernelExplainer and TreeExplainer with a background.
#
# The interventional answer has a price. To leave features "as they are in the background" it mixes two mornings into
# one, and asks the model about mornings that never were:

# %%
mixed = mornings.copy()
mixed[:, 0] = cold[0, 0]
figure, axes = plt.subplots(figsize=(5, 3.4), layout="constrained")
axes.plot(*mornings.T, ".", color="0.7", label="real mornings")
axes.plot(*mixed[::5].T, ".", color="tab:red", label="asked: kitchen of today,\nhall of another day")
axes.plot(*cold[0], "*", color="black", markersize=12, label="today")
axes.set(xlabel="kitchen (°C)", ylabel="hall (°C)")
axes.legend(fontsize=8)
usual = np.abs(mornings[:, 0] - mornings[:, 1]).max()
never = (np.abs(mixed[:, 0] - mixed[:, 1]) > usual).mean()
print(f"{never:.0%} of the mixed mornings have rooms further apart than any real morning")

# %% [markdown]
# Our controller is well behaved out there. A network that was trained on real mornings may say anything.

# %%
quick(
    "A bank's model does not have the column *nationality*. Somebody computes observational Shapley values with that "
    "column added, and finds a large value for it. What follows?",
    wrong("The model uses nationality secretly", "It cannot: the column is not among its inputs."),
    wrong("Nothing, the computation is wrong", "It is right, for its question: what the column tells about the score."),
    right(
        "The model's other inputs tell much about nationality, or share causes with it",
        "That may be a reason to worry about fairness. It is no statement about what the model computes with.",
    ),
)

# %% [markdown]
# ## The price, and how to pay less
#
# A game of $n$ players has $2^n$ coalitions, and the model must be asked about each, once for every sample of the
# background. Here is a network that tells three wines apart by 13 measurements, what their exact values cost, and what
# those of more features would.

# %%
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from vitrina_datasets import wine

cellar = wine.load()
training, test = cellar.split(seed=0)
sommelier = make_pipeline(StandardScaler(), MLPClassifier(16, max_iter=300, tol=1e-3, random_state=0))
sommelier.fit(training.values, training.targets)
bottle, grape = test.values[:1], int(sommelier.predict(test.values[:1])[0])
background = training.values[::10]
print(f"right on {sommelier.score(test.values, test.targets):.0%} of {len(test)} bottles")

game = interventional(sommelier, bottle, grape, background=background)
start = time.perf_counter()
exact = shapley_values(game)[0]
seconds = time.perf_counter() - start
print(f"exact values of 13 features: {2**13:,} coalitions x {len(background)} samples, {seconds:.2f} s")
for players in (20, 30, 784):
    hours = np.log10(seconds / 3600) + (players - 13) * np.log10(2)  # a logarithm: the number itself is too large
    taken = f"{10**hours:.2g}" if hours < 3 else f"10^{hours:.0f}"
    print(f"{players:4} features would take about {taken} hours")

# %% [markdown]
# The universe is about $10^{14}$ hours old. So for a photograph of a digit, exact values are not slow, but
# impossible.
#
# The way out is in the definition: a **mean** over all orders can be estimated by the mean over **some** orders drawn
# by chance. It is an opinion poll among the orders, and like a good poll it comes with an error bar: if the
# contributions of a player over $m$ orders have the standard deviation $s$, then the standard error of their mean is
#
# $$\mathrm{SE} = \frac{s}{\sqrt{m}}.$$
#
# Four times as many orders, half the error. (Vitrina walks each order from its end as well, and takes the pair for
# one answer of the poll. What a player gains from coming late in one order it loses in the other, so pairs vary
# less.)
#
# We estimate the bottle's thirteen values with more and more pairs of orders, with forty seeds each, and compare with
# the exact ones.

# %%
sizes = [2, 4, 8, 16, 32, 64]
missed, expected = [], []
for pairs in sizes:
    polls = [permutation_shapley(game, pairs=pairs, seed=seed) for seed in range(40)]
    misses = np.array([poll.attributions[0] - exact for poll in polls])
    errors = np.array([poll.standard_errors[0] for poll in polls])
    missed.append(np.sqrt((misses**2).mean()))
    expected.append(np.sqrt((errors**2).mean()))
    inside = (np.abs(misses) < 2 * errors).mean()
    print(f"{pairs:3} pairs ({polls[0].evaluated:5} coalitions): off by {missed[-1]:.4f}, "
          f"standard error {expected[-1]:.4f}, exact value within two of them: {inside:.0%}")  # fmt: skip

figure, (rate, bars) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained", width_ratios=[1, 1.3])
rate.loglog(sizes, missed, "o-", label="how far off it was")
rate.loglog(sizes, expected, "s--", label="how far off it said it might be")
rate.loglog(sizes, missed[0] * np.sqrt(sizes[0] / np.array(sizes)), ":", color="black", label="$1/\\sqrt{m}$")
rate.set(xlabel="pairs of orders, $m$", ylabel="error of a value", xticks=sizes, xticklabels=sizes)
rate.set_yticks(rough := [0.002, 0.005, 0.01], labels=rough)
rate.minorticks_off()
rate.legend(fontsize=8)
poll = permutation_shapley(game, pairs=8, seed=1)
order = np.argsort(-np.abs(exact))[:8]
bars.errorbar(poll.attributions[0][order], range(8), xerr=2 * poll.standard_errors[0][order], fmt="o", capsize=3,
              label="8 pairs, ± 2 SE")  # fmt: skip
bars.plot(exact[order], range(8), "x", color="black", label="exact")
bars.set(yticks=range(8), yticklabels=[cellar.names[index] for index in order])
bars.axvline(0, color="0.7", linewidth=0.8)
bars.legend(fontsize=8)
bars.invert_yaxis()

# %% [markdown]
# The error falls as $1/\sqrt{m}$, and the estimate knows how far off it may be. With two pairs it does not know well:
# a spread measured on two numbers is itself a guess, so the bars cover the truth less often than the 95 % that two
# standard errors promise. Everything adds up all the same, whatever the number of orders. **A sum that comes out
# right says nothing about the single values.**
#
# If two features lie closer together than their error bars are long, their order is not known. Say so, or draw more
# orders.

# %%
quick(
    "You estimate Shapley values with 100 orders, and the error bars are ± 0.2. You need ± 0.02. How many orders?",
    wrong("1,000", "That shrinks the error by √10, to about 0.06."),
    right("10,000", "A tenth of the error takes a hundred times the orders: SE = s/√m."),
    wrong("It cannot be done by sampling", "It can, it only becomes expensive. Better samplers help: see KernelSHAP."),
)

# %% [markdown]
# ## What two do together
#
# Bread with cheese sells better than bread and cheese. How much of the 120 euros is due to *pairs*? The
# **interaction** of two players is what they add together beyond what each adds alone, again averaged over who else
# is there:
#
# $$I_{ij} = \sum_{S \not\ni i,j} \frac{|S|!\,(n - |S| - 2)!}{(n - 1)!}\,
# \bigl( v(S \cup \{i,j\}) - v(S \cup \{i\}) - v(S \cup \{j\}) + v(S) \bigr)$$
#
# A table of interactions splits each Shapley value further. Half of each interaction stands in the row of either
# player, what is left of its value stands on the diagonal, and **each row adds up to the Shapley value**. (Where no
# three act together, as here, what is left is what the player earns alone.)

# %%
table = shapley_interactions(market)
print(f"{'':7}", *(f"{friend:>7}" for friend in friends), "     row adds up to")
for friend, row in zip(friends, table, strict=True):
    print(f"{friend:7}", *(f"{value:7.1f}" for value in row), f"{row.sum():14.1f}")
show_interactions(table, friends, title="Euros from pairs, half of each in a cell")

# %% [markdown]
# Carla's 24 euros come from her company alone, half of what she makes possible with each of the others; her own entry
# is 0. A bar chart of three Shapley values could not tell you that. Here are two models that no Shapley value can
# tell apart, at this sample:

# %%
sample, nothing = np.ones((1, 2)), np.zeros((1, 2))
models = {
    "half of x1 + half of x2": lambda x: 0.5 * x[:, 0] + 0.5 * x[:, 1],
    "x1 times x2": lambda x: x[:, 0] * x[:, 1],
}
for name, model in models.items():
    little_game = interventional(model, sample, 0, background=nothing)
    values, pairs = shapley_values(little_game)[0], shapley_interactions(little_game)[0]
    print(f"{name:24} values {values}, interaction {2 * pairs[0, 1]:.1f}")

# %% [markdown]
# ## What goes wrong in practice
#
# - **"SHAP says this causes that."** It says what a *model* does with its inputs, or what they tell about its output.
#   The world is not in it.
# - **Nobody says which game.** Interventional or observational, against which background, explaining a probability or
#   a logit: four choices, four answers. Write them below the figure.
# - **A feature that the model cannot see gets credit.** Then the game was observational, or there is a bug. Dummy is
#   the axiom to test first.
# - **Impossible samples.** Interventional values ask the model about mixtures that never occur. Group features that
#   belong together into one player, or at least look at a few mixtures.
# - **No error bars.** Sampled values without a standard error look exact. Run again with another seed: what changes
#   is noise.
# - **"The values add up, so they are right."** They add up by construction, after a single order already.
# - **Small value, unimportant?** Two features may do the same, and share. Or act only together. Look at interactions.
#
# ## What you have learnt
#
# - A Shapley value is a mean marginal contribution over all orders, and the only division with efficiency, symmetry,
#   dummy and additivity.
# - A model becomes a game by saying what an unknown feature is. Interventional: what does the model use?
#   Observational: what does a feature tell?
# - Exact values cost $2^n$ coalitions. Sampling costs as many as you can pay for, and its error shrinks as
#   $1/\sqrt{m}$.
#
# In lesson 30 you meet the library that made these values famous.
#
# ### References
#
# - Shapley (1953). A value for n-person games. doi 10.1515/9781400881970-018. *The axioms and the proof, in eleven
#   pages.*
# - Štrumbelj and Kononenko (2014). Explaining prediction models and individual predictions with feature
#   contributions. doi 10.1007/s10115-013-0679-x. *Features as players, and sampling.*
# - Lundberg and Lee (2017). A unified approach to interpreting model predictions. arXiv 1705.07874. *SHAP.*
# - Janzing, Minorics and Blöbaum (2020). Feature relevance quantification in explainable AI: a causal problem.
#   arXiv 1910.13413. *Why interventional.*
# - Chen, Janizek, Lundberg and Lee (2020). True to the model or true to the data? arXiv 2006.16234. *Two questions.*
# - Grabisch and Roubens (1999). An axiomatic approach to the concept of interaction among players in cooperative
#   games. doi 10.1007/s001820050125. *Interactions.*
