# %% [markdown]
# # Explaining any model
#
# A bank's model turns a loan down. You may not look inside: perhaps it is a network, perhaps a thousand trees, perhaps
# somebody else's service. You may only **ask it**: what do you say of *this* applicant, and of *that* one?
#
# That is enough. This week you write the two methods that the world uses most, SHAP and LIME, from their definition.
# And then you find out what they cannot tell you, which is worth at least as much.
#
# | part | what you write | points |
# | --- | --- | --- |
# | **A. Games** | marginal contributions, Shapley values in two ways, *counter-examples to unfair rules* | 13 |
# | **B. SHAP** | what a coalition of features is worth, sampling with error bars, KernelSHAP | 14 |
# | **C. LIME** | bins, masks, superpixels, a kernel, a weighted fit, and whether to believe it | 9 |
# | **D. The whole model** | importance, a summary plot, correlation, the coefficient, *an audit* | 20 |
#
# When you are done you will be able to
#
# - say what a Shapley value is, which promises it keeps, and show that other rules break them;
# - explain any model by asking it, exactly or with honest error bars;
# - build LIME, and measure whether its explanation fits the model it speaks about;
# - tell apart what the *data* know, what the *model* uses and what an *explanation* shows;
# - write down what an audit may conclude, and what it may not.

# %% [markdown]
# ## How it works
#
# 1. Fill each function where it says `YOUR CODE HERE`. Its docstring is the specification; few need over ten lines.
# 2. Run the `check` cell below it. You get an answer in a second or two: what passed, what was expected, and often
#    which mistake you made. Check as often as you like. **○ not answered yet** only means that you have not begun.
# 3. The check uses public cases. Grading asks the same questions about other numbers, drawn for you alone.
# 4. Figures come alive as you write. A figure that needs a missing function says so; *Run All* always reaches the end.
# 5. Later functions use earlier ones, and the hints tell you when. The parts are a good measure for a day each.
# 6. Submit this notebook. It is worth **56 points**: 52 by checks, 4 for a conclusion in your own words, read by a
#    person.
#
# Write with NumPy. While your work is graded, neither the libraries `shap` and `lime` nor the kit's own methods
# (`vitrina.explain`) are there: you are writing them.

# %% readonly="setup"
import itertools
import math
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display

from vitrina import check, when_written
from vitrina.functions import score_function
from vitrina.games import TableGame
from vitrina.own_figure import own_explanations
from vitrina.tabular_plots import show_bars, show_importance, show_summary

print("NumPy", np.__version__)

# %% [markdown]
# # Part A. Games: who is due what?
#
# Ana, Blas and Carla share a taxi home. Alone, Ana would pay 6 euros, Blas 12 and Carla 42. They live along one road,
# so a common ride costs as much as the longest way: 42. **Who saves how much? Who should pay how much?**
#
# A **game** answers one question: what is a group of players, a **coalition**, worth? Here it is what their ride costs.

# %% readonly="taxi"
FARES = [6, 12, 42]


def taxi(coalition):
    """Return what a ride costs that brings these players home."""
    return max([FARES[player] for player in coalition], default=0)


print("nobody:", taxi([]), "  Ana and Blas:", taxi([0, 1]), "  all three:", taxi([0, 1, 2]))

# %% [markdown]
# ## A1. What does a player add?
#
# Ana is in the taxi. Blas gets in: the ride becomes 6 euros dearer. That is his **marginal contribution** to this
# coalition, and it depends on who is there already. To an empty taxi he would add 12, and to Carla's nothing at all.
#
# $$v(S \cup \{i\}) - v(S)$$

# %% solution="marginal-contribution"
from vitrina_solutions.shapley import marginal_contribution

# %% check="marginal-contribution" points=1
check("marginal-contribution", marginal_contribution)

# %% [markdown]
# ## A2. All coalitions
#
# Three players form eight coalitions, from nobody to everybody; $n$ players form $2^n$. Write them down as rows of
# zeros and ones, in the order in which computers count: you will need such **masks** all week.

# %% solution="coalition-masks"
from vitrina_solutions.shapley import coalition_masks

# %% check="coalition-masks" points=1
check("coalition-masks", coalition_masks)

# %% readonly="taxi-table"
with when_written():
    print("Ana Blas Carla   the ride costs")
    for mask in coalition_masks(3):
        ride = [player for player in range(3) if mask[player]]
        print("{:3} {:4} {:5}".format(*mask) + f"{taxi(ride):12} €")

# %% [markdown]
# ## A3. Shapley values, order by order
#
# Whoever gets in first seems to cost the most. So no single order is fair.

# %% readonly="orders"
for order in itertools.permutations(["Ana", "Blas", "Carla"]):
    print(" → ".join(order))
print("Ten players have", math.factorial(10), "orders.")

# %% [markdown]
# Lloyd Shapley's idea (1953): let them get in
# in **every** order, and give each player the average of what he or she adds.
#
# $$\varphi_i = \frac{1}{n!} \sum_{\text{orders}} \Big( v(\text{those before } i, \text{ and } i) -
# v(\text{those before } i) \Big)$$

# %% solution="shapley-by-orders"
from vitrina_solutions.shapley import shapley_by_orders

# %% check="shapley-by-orders" points=2
check("shapley-by-orders", shapley_by_orders)

# %% readonly="taxi-shares"
with when_written():
    for name, pays in zip(["Ana", "Blas", "Carla"], shapley_by_orders(taxi, 3), strict=True):
        print(f"{name:6} pays {pays:5.2f} €")

# %% [markdown]
# Look at the shares. The first 6 euros of the road are used by all three, the next 6 by two of them, the last 30 by
# Carla alone: $6/3$, $6/3 + 6/2$ and $6/3 + 6/2 + 30$. Nobody told the formula; it found that out.

# %% [markdown]
# ## A4. Shapley values, coalition by coalition
#
# Ten players have millions of orders, but only 1,024 coalitions. Many orders meet the same coalition $S$ just before
# $i$ enters: the $|S|$ players before can stand in $|S|!$ orders, those after $i$ in $(n - |S| - 1)!$. So ask each
# coalition once, and weigh it:
#
# $$\varphi_i = \sum_{S \not\ni i} \frac{|S|!\,(n - |S| - 1)!}{n!} \big(v(S \cup \{i\}) - v(S)\big)$$

# %% solution="shapley-values"
from vitrina_solutions.shapley import shapley_values

# %% check="shapley-values" points=3
check("shapley-values", shapley_values)

# %% readonly="two-ways"
with when_written():
    print("by orders:    ", shapley_by_orders(taxi, 3))
    print("by coalitions:", shapley_values(taxi, 3))

# %% [markdown]
# ## A5. Is everything shared out?
#
# The shares should add up to what all of them gain together. That promise is called **efficiency**:
#
# $$\sum_i \varphi_i = v(N) - v(\emptyset)$$
#
# $N$ is everybody, $\emptyset$ is nobody. An empty taxi costs nothing, but a model has an opinion of somebody of whom
# it knows nothing, so $v(\emptyset)$ will not always be 0. Measure by how much some values miss it.

# %% solution="efficiency-error"
from vitrina_solutions.shapley import efficiency_error

# %% check="efficiency-error" points=1
check("efficiency-error", efficiency_error)

# %% [markdown]
# ## A6. Four promises, four rules that break them
#
# Shapley proved that his rule is the only one that keeps four promises, the **axioms**:
#
# - **efficiency**: the shares add up to $v(N) - v(\emptyset)$;
# - **symmetry**: two players who do the same for every coalition of the others get the same;
# - **null player**: who changes the worth of no coalition gets 0;
# - **additivity**: if two games are played one after the other, the shares of both together are the sums of the shares
#   of each: $\varphi(v + w) = \varphi(v) + \varphi(w)$.
#
# "Only one rule" is a strong word. Here are four other ones, each of them somebody's idea of fair:


# %% readonly="unfair-rules"
def equal_split(game, players):
    """Give everybody the same."""
    everybody = list(range(players))
    return np.full(players, (game(everybody) - game([])) / players)


def first_in_line(game, players):
    """Let the players enter once, in the order of their numbers."""
    line = range(players)
    return np.array([marginal_contribution(game, player, list(line[:player])) for player in line])


def banzhaf(game, players):
    """Average what a player adds over all coalitions of the others, each of which counts the same."""
    shares = np.zeros(players)
    for mask in coalition_masks(players):
        coalition = [player for player in range(players) if mask[player]]
        for player in range(players):
            if player not in coalition:
                shares[player] += marginal_contribution(game, player, coalition) / 2 ** (players - 1)
    return shares


def by_squares(game, players):
    """Share the gain out in proportion to the squares of the Shapley values."""
    squares = shapley_values(game, players) ** 2
    gain = game(list(range(players))) - game([])
    return gain * squares / squares.sum() if squares.sum() > 0 else squares


UNFAIR = {
    "equal split": equal_split,
    "first in line": first_in_line,
    "Banzhaf": banzhaf,
    "by squares": by_squares,
}
with when_written():
    print(f"{'':16}{'Ana':>8}{'Blas':>8}{'Carla':>8}{'together':>10}")
    for name, rule in {"Shapley": shapley_values, **UNFAIR}.items():
        shares = rule(taxi, 3)
        print(f"{name:16}" + "".join(f"{share:8.2f}" for share in shares) + f"{shares.sum():10.2f}")

# %% [markdown]
# Each of the four rules breaks **exactly one** of the axioms and keeps the other three. Which one, and on which game?
# You are the hunter: hand in a **counter-example** for each rule.
#
# A game of three players is written as its eight worths, in the order of your masks: nobody, {0}, {1}, {0, 1}, {2},
# {0, 2}, {1, 2}, everybody. With two players four worths are enough. Many games are right: small ones with zeros and
# ones are the easiest to think about. One of the rules keeps its promise on every single game. It only breaks when you
# look at *two games and their sum*: hand in the two tables as two rows, `[[...], [...]]`.
#
# `TableGame` makes a game of such a list, so that you can try before you check.

# %% readonly="try-a-game"
example = TableGame([0, 2, 2, 4])
print("players 0 and 1 together:", example([0, 1]))
with when_written():
    for name, rule in UNFAIR.items():
        print(f"{name:16}", rule(example, 2))

# %%
games = {
    "equal split": ...,  # a list of 4 or 8 worths
    "first in line": ...,
    "Banzhaf": ...,
    "by squares": ...,
}

# %% check="counter-examples" points=4
check("counter-examples", games)

# %% [markdown]
# And now give it its name. Replace each `...` by `"efficiency"`, `"symmetry"`, `"null player"` or `"additivity"`, the
# last one by `"yes"`, `"no"` or `"only with four players or more"`. Which are right you learn when the notebook is
# graded.

# %%
broken = {
    "equal split": ...,
    "first in line": ...,
    "Banzhaf": ...,
    "by squares": ...,
    "a rule keeps all four on every game: can it differ from Shapley's?": ...,
}

# %% check="which-axiom" points=1
check("which-axiom", broken)

# %% [markdown]
# # Part B. SHAP: features are players
#
# ## The loans
#
# 1,000 people asked a bank in southern Germany for a loan, between 1973 and 1975. 700 of them paid it back. Six columns
# are used here: the state of the checking **account** (0 none, 1 overdrawn, 2 up to 200 DM, 3 more), the **duration**
# of the loan in months, its **amount** in DM, **savings** (0 none or unknown, up to 4 for over 1,000 DM), for how long
# a person has been **employed** (0 not at all, up to 4 for seven years), and **age**.
#
# (The labels are those that Ulrike Grömping put right in 2019. In the table that hundreds of papers use, the names of
# several categories are turned round. Explanations of their models are faithful, and wrong in every word.)
#
# The model is a small network that was trained on 700 of the loans. It returns the probability that a loan is *bad* and
# that it is *good*. From now on it is a black box: `loans(inputs)` is all that you may do with it.

# %% readonly="loans"
with np.load("credit.npz") as file:
    credit = dict(file)
names = credit["names"].tolist()
train, test = credit["train_inputs"], credit["test_inputs"]
labels = credit["test_labels"]
GOOD = 1
loans = score_function(
    [credit["weights_0"], credit["weights_1"]], [credit["bias_0"], credit["bias_1"]], probabilities=True
)
background = train[np.random.default_rng(0).choice(len(train), 30, replace=False)]
applicant = test[3]

says_good = loans(test)[:, GOOD]
print(f"right in {np.mean((says_good > 0.5) == labels):.0%} of {len(test)} loans that it has not seen,", end=" ")
print(f"where “always good” is right in {np.mean(labels == GOOD):.0%}")
print("one applicant:", dict(zip(names, applicant.astype(int).tolist(), strict=True)))
print(f"probability that the loan is good: {loans(applicant[None])[0, GOOD]:.2f}")

# %% [markdown]
# ## B1. What is a coalition of features worth?
#
# Features do not join a model one by one: it wants all six. So what does it say if it knows only the account and the
# age? Take these two from the applicant, and let the others be **anybody's**: fill them in from people of a
# **background**, ask the model about each, and average what it says.
#
# $$v(S) = \frac{1}{|B|} \sum_{b \in B} f_c(x_S,\; b_{\text{rest}})$$
#
# Mind the order: *ask, then average*. An average person has 1.4 children. Nobody has met one, and the model has not
# either.

# %% solution="coalition-value"
from vitrina_solutions.shapley_models import coalition_value

# %% check="coalition-value" points=2
check("coalition-value", coalition_value)

# %% readonly="some-coalitions"
with when_written():
    for known in ([], [0], [5], [0, 5], [0, 1, 2, 3, 4, 5]):
        who = ", ".join(names[feature] for feature in known) or "nothing"
        print(f"{coalition_value(loans, applicant, GOOD, background, known):.3f}  if it knows {who}")

# %% [markdown]
# ## B2. Shapley values of features
#
# You have a game, and you have Shapley's rule for games. Put them together, once for each sample.
#
# A function with some of its arguments filled in is a function again: `partial(f, 1, 2)(3)` calls `f(1, 2, 3)`.

# %% solution="shapley-of-features"
from vitrina_solutions.shapley_models import shapley_of_features

# %% check="shapley-of-features" points=2
check("shapley-of-features", shapley_of_features)

# %% readonly="one-applicant"
with when_written():
    exact = shapley_of_features(loans, applicant[None], GOOD, background)[0]
    base = loans(background)[:, GOOD].mean()
    display(show_bars(exact, names, values=applicant, title="why this applicant?"))
    reached = base + exact.sum()
    print(f"{base:.3f} for anybody {exact.sum():+.3f} = {reached:.3f}; the model says", end=" ")
    print(f"{loans(applicant[None])[0, GOOD]:.3f}")

# %% [markdown]
# Efficiency at work: the bars lead from what the model says of *anybody* to what it says of *this* person. "Anybody" is
# the background. Change it, and you ask another question: compared with whom?

# %% [markdown]
# ## B3. A model whose answer you know
#
# For a linear model $f(x) = w \cdot x + b$ no coalition need be asked at all. Whatever is known already, feature $i$
# adds the same:
#
# $$\varphi_i(x) = w_i \, (x_i - \bar{b}_i), \qquad \bar{b}_i = \text{mean of feature } i \text{ over the background}$$

# %% solution="linear-shapley"
from vitrina_solutions.shapley_models import linear_shapley

# %% check="linear-shapley" points=1
check("linear-shapley", linear_shapley)

# %% readonly="linear-or-not"
with when_written():
    slope = np.array([0.09, -0.006, 0.0, 0.03, 0.04, 0.001])

    def straight(inputs):
        """Return the score of a linear model."""
        return (inputs @ slope)[:, None]

    print("by coalitions:", shapley_of_features(straight, applicant[None], 0, background)[0].round(4))
    print("by formula:   ", linear_shapley(slope, applicant[None], background)[0].round(4))

# %% [markdown]
# ## B4. Too many to count: sampling
#
# Thirty features have a billion coalitions. But an average over all orders can be estimated like every average: from
# some of them. And like every estimate it deserves an **error bar**. From $m$ orders, whose contributions have the
# standard deviation $s$ (with $m - 1$ in the denominator):
#
# $$\text{standard error} = \frac{s}{\sqrt{m}}$$
#
# The orders are handed in, so that the same call gives the same answer.

# %% solution="sampled-shapley"
from vitrina_solutions.shapley_models import sampled_shapley

# %% check="sampled-shapley" points=2
check("sampled-shapley", sampled_shapley)

# %% readonly="error-bars"
with when_written():
    game = partial(coalition_value, loans, applicant, GOOD, background)
    rng = np.random.default_rng(0)
    figure, panel = plt.subplots(figsize=(7, 3))
    for shift, draws in ((-0.2, 10), (0, 40), (0.2, 160)):
        middle, error = sampled_shapley(game, np.stack([rng.permutation(6) for _ in range(draws)]))
        panel.errorbar(np.arange(6) + shift, middle, 1.96 * error, fmt=".", capsize=2, label=f"{draws} orders")
    panel.hlines(exact, np.arange(6) - 0.35, np.arange(6) + 0.35, color="black", linewidth=1, label="exact")
    panel.axhline(0, color="0.8", zorder=-1)
    panel.set_xticks(range(6), names)
    panel.set_ylabel("Shapley value")
    panel.legend(fontsize=8)
    plt.show()

# %% [markdown]
# Four times as many orders, half the error. That is the price of every digit, for every sampling method.

# %% [markdown]
# ## B5. A confidence interval of your own
#
# Now draw the orders yourself, with a seed. Many random answers are right, so the check does not compare yours with one
# of them. It asks whether your intervals lie where they should and are as wide as they should be.

# %% solution="shapley-interval"
from vitrina_solutions.shapley_models import shapley_interval

# %% check="shapley-interval" points=2
check("shapley-interval", shapley_interval)

# %% [markdown]
# What does "95 %" promise? Not that *this* interval is right. It says how often the *recipe* is right. Try it: 200
# times, on the taxi ride.

# %% readonly="coverage"
with when_written():
    truth = shapley_values(taxi, 3)
    for draws in (5, 50):
        ends = np.stack([shapley_interval(taxi, 3, draws, seed) for seed in range(200)])
        hit = np.mean((ends[..., 0] <= truth) & (truth <= ends[..., 1]), axis=0)
        print(f"{draws:3} orders: Ana {hit[0]:.0%}, Blas {hit[1]:.0%}, Carla {hit[2]:.0%} of the intervals are right")

# %% [markdown]
# With five orders the promise is broken: the central limit theorem has not arrived yet. An interval from few draws
# looks precise and is not.

# %% [markdown]
# ## B6. KernelSHAP: the weights
#
# There is another way to the same values, and it is the one in the library. Fit an *additive* game, in which every
# player brings a fixed amount, to the worths of the coalitions, by weighted least squares. If the weights are these,
# the amounts are the Shapley values:
#
# $$\text{weight}(S) = \frac{n - 1}{\binom{n}{s}\, s\, (n - s)}, \qquad s = |S|$$
#
# Very small and very large coalitions say the most about a single player. The empty and the grand one would weigh
# infinitely much: they become conditions instead.

# %% solution="kernel-shap-weights"
from vitrina_solutions.shapley_models import kernel_shap_weights

# %% check="kernel-shap-weights" points=2
check("kernel-shap-weights", kernel_shap_weights)

# %% [markdown]
# ## B7. KernelSHAP: the fit
#
# $$\min_\varphi \sum_S \text{weight}(S) \Big(v(S) - v(\emptyset) - \sum_{i \in S} \varphi_i\Big)^2
# \quad\text{with}\quad \sum_i \varphi_i = v(N) - v(\emptyset)$$
#
# The condition takes the last player's freedom: $\varphi_n = v(N) - v(\emptyset) - \sum_{i<n} \varphi_i$. Put that in,
# and an ordinary weighted fit for the others is left (`np.linalg.lstsq`, rows times the *root* of their weight).

# %% solution="kernel-shap-fit"
from vitrina_solutions.shapley_models import kernel_shap_fit

# %% check="kernel-shap-fit" points=3
check("kernel-shap-fit", kernel_shap_fit)

# %% readonly="kernel-shap"
with when_written():
    masks = coalition_masks(6)[1:-1]
    worths = np.array([game([i for i in range(6) if mask[i]]) for mask in masks])
    weights = kernel_shap_weights(masks)
    ends = game([]), game([0, 1, 2, 3, 4, 5])
    some = np.random.default_rng(1).choice(len(masks), 24, replace=False, p=weights / weights.sum())
    answers = {
        "exact": exact,
        "KernelSHAP,\nall 62": kernel_shap_fit(masks, worths, weights, *ends),
        "KernelSHAP,\n24 of them": kernel_shap_fit(masks[some], worths[some], np.ones(24), *ends),
    }
    print(f"{'':14}" + "".join(f"{name:>10}" for name in names) + f"{'together':>10}")
    for name, values in answers.items():
        line = "".join(f"{value:10.3f}" for value in values)
        print(f"{name.splitlines()[-1]:14}{line}{values.sum():10.3f}")

# %% [markdown]
# All coalitions give the Shapley values themselves; 24 of them come close, and the sum is right in any case, because it
# was a condition. A right sum is no sign of right values.
#
# (The 24 were *drawn* by their weights, so each of them counts as one in the fit.)

# %% [markdown]
# # Part C. LIME: a simple model nearby
#
# LIME has another idea. No model is simple everywhere, but near one applicant it may be. So make **neighbours**, ask
# the model about them, and fit a linear model that cares most about the nearest. Its coefficients are the explanation.
#
# ## C1. Bins
#
# "The amount is 4,870 DM" is a hard thing to vary. "The amount is in the upper quarter" is easy: a neighbour is either
# there or not. So cut each feature at the quartiles of the training data.

# %% solution="quartile-bins"
from vitrina_solutions.lime import quartile_bins

# %% check="quartile-bins" points=2
check("quartile-bins", quartile_bins)

# %% [markdown]
# ## C2. What a neighbour still has in common
#
# LIME's linear model never sees amounts or ages. It sees, for each feature, whether the neighbour is *in the same bin
# as the applicant*.

# %% solution="lime-masks"
from vitrina_solutions.lime import lime_masks

# %% check="lime-masks" points=1
check("lime-masks", lime_masks)

# %% [markdown]
# ## C3. Neighbours of an image
#
# For an image, a feature that can be on or off is a **superpixel**: a patch of pixels that belong together. Off means:
# painted over.

# %% solution="switch-off"
from vitrina_solutions.lime import switch_off

# %% check="switch-off" points=1
check("switch-off", switch_off)

# %% [markdown]
# ## C4. Near counts more
#
# The more a neighbour has in common with the applicant, the more it counts. With $d$ the Euclidean distance of its mask
# from the mask of all ones, and a width that says how far "near" reaches:
#
# $$\text{weight} = \sqrt{\exp\!\big(-d^2 / \text{width}^2\big)}$$

# %% solution="lime-weights"
from vitrina_solutions.lime import lime_weights

# %% check="lime-weights" points=1
check("lime-weights", lime_weights)

# %% [markdown]
# ## C5. The fit
#
# Weighted least squares again, with an intercept $a$, and with a small **penalty** on large coefficients that keeps the
# answer calm where neighbours are few (ridge regression):
#
# $$\min_{a,\,b} \sum_{\text{neighbours}} \text{weight} \cdot \big(\text{score} - a - \text{mask} \cdot b\big)^2
# + \text{penalty} \cdot \sum_i b_i^2$$
#
# The intercept is free. Reduce masks and scores by their *weighted* means, and it drops out of the problem.

# %% solution="lime-fit"
from vitrina_solutions.lime import lime_fit

# %% check="lime-fit" points=3
check("lime-fit", lime_fit)

# %% [markdown]
# ## C6. Should you believe it?
#
# A linear model was fitted. Does it fit? Always ask: a bad fit gives coefficients as readily as a good one.
#
# $$R^2 = 1 - \frac{\sum \text{weight} \cdot (\text{score} - \text{fitted})^2}
# {\sum \text{weight} \cdot (\text{score} - \text{weighted mean})^2}$$

# %% solution="local-fidelity"
from vitrina_solutions.lime import local_fidelity

# %% check="local-fidelity" points=1
check("local-fidelity", local_fidelity)


# %% readonly="lime"
def neighbours_of(sample, count, seed):
    """Draw neighbours: of each feature, the sample's own value or that of somebody in the training data."""
    rng = np.random.default_rng(seed)
    other = np.stack([rng.choice(column, count) for column in train.T], axis=1)
    return np.where(rng.random(other.shape) < 0.5, sample, other)


def lime_explanation(sample, width, count=1000, seed=0):
    """Return LIME's coefficients and their local fidelity."""
    near = neighbours_of(sample, count, seed)
    common = lime_masks(sample, near, train)
    scores, weights = loans(near)[:, GOOD], lime_weights(common, width)
    fit = lime_fit(common, scores, weights, 1.0)
    return fit[1:], local_fidelity(scores, fit[0] + common @ fit[1:], weights)


with when_written():
    print("one applicant, three widths" + "".join(f"{name:>10}" for name in names) + f"{'fidelity':>10}")
    for width in (0.3, 1.0, 10.0):
        coefficients, fidelity = lime_explanation(applicant, width)
        print(f"width {width:21.1f}" + "".join(f"{c:10.3f}" for c in coefficients) + f"{fidelity:10.2f}")
    seeds = np.stack([lime_explanation(applicant, 1.0, 100, seed)[0] for seed in range(20)])
    print("100 neighbours, 20 seeds: ±" + "".join(f"{s:10.3f}" for s in seeds.std(axis=0)))

# %% [markdown]
# Read the fidelity first. This linear model, which may only say "same bin or not", catches a part of what the black
# box does, and that part is what its coefficients speak about. Then the width: where the kernel is so narrow that
# hardly any neighbour counts, the penalty shrinks all coefficients towards 0. Then the seed: from 100 neighbours, some
# coefficients vary as much as they are large. Width, seed and fidelity belong beside every explanation of this kind.
#
# And an image, small enough to see everything: a traffic light. Its model looks at how red the upper lamp is and how
# green the lower one. LIME is told nothing of lamps. It covers superpixels and asks.

# %% readonly="traffic-light"
lamp = np.zeros((15, 7, 3)) + 0.25
lamp[1:5, 2:5] = [0.9, 0.1, 0.1]
lamp[6:10, 2:5] = [0.3, 0.3, 0.1]
lamp[11:14, 2:5] = [0.1, 0.35, 0.1]
rows, columns = np.indices((15, 7))
patches = rows // 5 * 3 + np.digitize(columns, [2, 5])


def says_stop(images):
    """Return one score: red light above, less green light below."""
    return (images[:, :5, :, 0].mean(axis=(1, 2)) - images[:, 10:, :, 1].mean(axis=(1, 2)))[:, None]


with when_written():
    shown = (np.random.default_rng(0).random((400, 9)) < 0.5).astype(int)
    answers = says_stop(switch_off(lamp, patches, shown, 0.0))[:, 0]
    found = lime_fit(shown, answers, lime_weights(shown, 1.5), 0.01)[1:]
    figure, panels = plt.subplots(1, 3, figsize=(6.5, 3.4), layout="constrained")
    panels[0].imshow(lamp)
    panels[1].imshow(switch_off(lamp, patches, shown[:1], 0.0)[0])
    panels[2].imshow(found[patches], cmap="coolwarm", vmin=-abs(found).max(), vmax=abs(found).max())
    for panel, title in zip(panels, ("the image", "a neighbour", "LIME:\nred for “stop”"), strict=True):
        panel.set(title=title, xticks=[], yticks=[])
    plt.show()

# %% [markdown]
# # Part D. The whole model, and what an explanation is worth
#
# ## D1. Permutation importance
#
# The auditor's question is not about one applicant: what does the model *use*? Deal one column out anew among all
# people, as one shuffles cards. Whatever the model knew from it is gone, and all else is as it was. How much accuracy
# is lost?

# %% solution="permutation-importance"
from vitrina_solutions.whole_model import permutation_importance

# %% check="permutation-importance" points=2
check("permutation-importance", permutation_importance)

# %% [markdown]
# ## D2. From local to global
#
# Or explain many people one by one, and average. But what? Contributions for and against would cancel; a feature that
# decides in both directions matters twice. So average their **sizes**.

# %% solution="mean-absolute"
from vitrina_solutions.whole_model import mean_absolute

# %% check="mean-absolute" points=1
check("mean-absolute", mean_absolute)

# %% readonly="global"
with when_written():
    rng = np.random.default_rng(0)
    lost = permutation_importance(loans, test, labels, np.stack([rng.permutation(len(test)) for _ in range(10)]))
    people = test[:40]
    explained = shapley_of_features(loans, people, GOOD, background)
    display(show_importance({"accuracy lost": lost, "mean |SHAP|": mean_absolute(explained)}, names))
    display(show_summary(explained, people, names, xlabel="for the loan →"))

# %% [markdown]
# ## D3. Reading a summary plot
#
# The figure above is a **summary plot**: a row for each feature, a dot for each person. Left of the line the feature
# spoke against the loan, right of it for the loan. The colour is the feature's value, low or high. It holds much more
# than a bar: in which direction, for how many, and whether the two ends agree.
#
# Write your name. You get a plot of your own, of people and a model that do not exist; then read it.

# %%
MY_NAME = ""  # your name, between the quotes

# %% readonly="own-plot"
if MY_NAME:
    own = own_explanations(MY_NAME)
    display(show_summary(own.attributions, own.values, own.features, xlabel="for the loan →"))
else:
    print("Write your name in the cell above, and run both cells.")

# %% [markdown]
# Replace each `...` by the name of a feature, as it stands in the plot; the second one by `"for"` or `"against"`.

# %%
reading = {
    "drawn for": MY_NAME,
    "matters most, on average": ...,
    "its high values speak": ...,  # "for" or "against": those of the feature that matters most
    "does not matter at all": ...,
    "matters very much, but to few people": ...,
    "its low and its high values speak the same way": ...,
}

# %% check="summary-plot" points=3
check("summary-plot", reading)

# %% [markdown]
# ## D4. What the data know
#
# Before there were explanations there was **feature selection**: keep what correlates with the label. It is quick, and
# it needs no model. That is its strength, and what it cannot do.

# %% solution="correlation-with-label"
from vitrina_solutions.whole_model import correlation_with_label

# %% check="correlation-with-label" points=1
check("correlation-with-label", correlation_with_label)

# %% [markdown]
# Two experiments. In the first, a seventh column is a noisy **copy** of the account, which the model does not look at.
# In the second, a model answers whether **two coins** show different sides. **Predict first, then run.**

# %% readonly="selection-or-explanation"
with when_written():
    rng = np.random.default_rng(2)
    deals = np.stack([rng.permutation(len(test)) for _ in range(10)])
    copied = np.column_stack([test, test[:, 0] + 0.3 * rng.normal(size=len(test))])
    correlation = correlation_with_label(copied, labels)
    importance = permutation_importance(lambda inputs: loans(inputs[:, :6]), copied, labels, deals)
    print(f"{'the loans':12}{'|correlation|':>15}{'accuracy lost':>15}")
    for row, name in enumerate([*names, "copy"]):
        print(f"{name:12}{correlation[row]:15.2f}{importance[row]:15.3f}")

    coins = np.tile([[0, 0], [0, 1], [1, 0], [1, 1]], (75, 1)).astype(float)
    differ = (coins[:, 0] != coins[:, 1]).astype(int)

    def compares(inputs):
        """Return how sure it is that the coins show the same side, and different ones."""
        unequal = np.abs(inputs[:, 0] - inputs[:, 1])
        return np.stack([1 - unequal, unequal], axis=1)

    correlation = correlation_with_label(coins, differ)
    importance = permutation_importance(compares, coins, differ, deals)
    print(f"\n{'two coins':12}{'|correlation|':>15}{'accuracy lost':>15}")
    for row in range(2):
        print(f"coin {row + 1:<7}{correlation[row]:15.2f}{importance[row]:15.3f}")

# %% [markdown]
# Replace each `...` by one of the answers behind the question. What was **not** measured needs a reason.

# %%
verdicts = {
    "correlation: does it rank the copy far below the account?": ...,  # "yes" or "no"
    "permutation importance: does the model use the copy?": ...,  # "yes" or "no"
    "can a feature matter to a model and correlate with nothing?": ...,  # "yes" or "no"
    "the model is trained anew: which of the two may change?": ...,  # "correlation" or "permutation importance"
    "not measured: mean |SHAP| of the copy": ...,  # "0", "above 0" or "it depends on the background"
}

# %% check="selection-or-explanation" points=2
check("selection-or-explanation", verdicts)

# %% [markdown]
# ## D5. How much does a model know?
#
# Now the other side: is an explanation *worth* anything? If it is right about what matters, then a model that is told
# only its first few features should still do well. To say how well, accuracy is too coarse. Count information:
#
# $$\text{skill} = 1 - \frac{\text{CE}}{\text{CE}_0}$$
#
# CE is the cross-entropy of the model, CE₀ that of somebody who only knows how frequent the classes are. 1 is
# omniscience, 0 is knowing nothing, and who is sure and wrong falls below.

# %% solution="information-skill"
from vitrina_solutions.whole_model import information_skill

# %% check="information-skill" points=1
check("information-skill", information_skill)

# %% [markdown]
# ## D6. An inclusion curve
#
# Tell the model the first feature of a ranking, then the second one too, and so on. What it has not been told yet has a
# **reference** value, here the mean of the training data. The curve begins with nothing and ends with everything.

# %% solution="inclusion-curve"
from vitrina_solutions.whole_model import inclusion_curve

# %% check="inclusion-curve" points=2
check("inclusion-curve", inclusion_curve)

# %% [markdown]
# ## D7. What is retained
#
# Models differ in how much they know. To compare explanations across models, ask what share of it the first $k$
# features retain: $r(k) = P(k) / P(d)$, cut off below 0 and above 1.

# %% solution="retained"
from vitrina_solutions.whole_model import retained

# %% check="retained" points=1
check("retained", retained)

# %% [markdown]
# ## D8. The area
#
# And one number for a curve: the area under it, over the share $k/d$ of the features, by the trapezium rule.

# %% solution="area-under"
from vitrina_solutions.whole_model import area_under

# %% check="area-under" points=1
check("area-under", area_under)

# %% [markdown]
# ## D9. The explainability-performance coefficient
#
# A good explanation needs **few features** to keep **much performance**. The coefficient balances the two. It has
# several forms; this one tells good lists from bad ones best: the area under $r(k)$ with the most relevant features
# first, minus the same with the *least* relevant first.
#
# $$\int_0^1 \big(r_{\text{most relevant first}} - r_{\text{least relevant first}}\big)\, d\tfrac{k}{d}$$
#
# A random ranking gets 0 on average, a ranking turned round gets the same with the other sign.

# %% solution="explainability-performance"
from vitrina_solutions.whole_model import explainability_performance

# %% check="explainability-performance" points=2
check("explainability-performance", explainability_performance)

# %% readonly="contest"
with when_written():
    typical = train.mean(axis=0)
    rng = np.random.default_rng(0)
    contestants = {
        "mean |SHAP|": mean_absolute(explained),
        "accuracy lost": lost,
        "|correlation|": correlation_with_label(train, credit["train_labels"]),
    }
    chance = [explainability_performance(loans, test, labels, rng.permutation(6) * 1.0, typical) for _ in range(100)]
    figure, panel = plt.subplots(figsize=(6.5, 3.2))
    print(f"the model's skill with all features: {information_skill(labels, loans(test)):.2f}")
    for name, relevance in contestants.items():
        curve = retained(inclusion_curve(loans, test, labels, np.argsort(-relevance), typical))
        score = explainability_performance(loans, test, labels, relevance, typical)
        ahead = np.mean(np.array(chance) < score)
        print(f"{name:16}{score:+.2f}, ahead of {ahead:.0%} of random rankings")
        panel.plot(np.arange(7) / 6, curve, marker=".", label=name)
    print(f"{'random rankings':16}{np.mean(chance):+.2f} ± {np.std(chance):.2f}")
    panel.set(xlabel="share of the features that are told", ylabel="share of the skill retained")
    panel.legend(fontsize=8)
    plt.show()

# %% [markdown]
# Three rankings, nearly one score. Differences as small as these are noise: other people, another training, and the
# order may change. Far ahead of chance is all that one run can say.

# %% [markdown]
# ## D10. The audit
#
# The bank wants to keep the model, and has hired you. Here is what else you measured: what happens to people up to 25
# years of age, and to all others.

# %% readonly="groups"
with when_written():
    young, yes = test[:, 5] <= 25, loans(test)[:, GOOD] > 0.5
    print(f"{'':10}{'people':>8}{'approved':>10}{'paid back':>11}{'approved, of those who paid back':>34}")
    for name, group in {"up to 25": young, "older": ~young}.items():
        fair = np.mean(yes[group & (labels == GOOD)])
        print(f"{name:10}{group.sum():8}{np.mean(yes[group]):10.0%}{np.mean(labels[group]):11.0%}{fair:34.0%}")
    print("\nmean SHAP values" + "".join(f"{name:>10}" for name in names))
    for name, group in {"up to 25": young, "older": ~young}.items():
        mean = shapley_of_features(loans, test[group][:50], GOOD, background).mean(axis=0)
        print(f"{name:16}" + "".join(f"{value:10.3f}" for value in mean))

# %% [markdown]
# Write the **conclusion** of your audit, for the board of the bank, in at most 250 words (one point each):
#
# 1. **What the model does.** What does it go by, and which of your measurements agree on it? Give numbers.
# 2. **How sure you are.** What limits these findings? Name two things, and what each could change.
# 3. **The young.** Fewer of the young are approved. Does the model treat them unfairly? Say what the numbers show, and
#    what they cannot show.
# 4. **What you recommend**, and what may *not* be concluded: what would the bank claim wrongly if it told an applicant
#    "raise your savings, and you will pay back more reliably: the model says so"?

# %% [markdown] answer="audit" points=4
# **What it does.** The model goes by the checking account and the duration of the loan first, then by the amount.
# Permutation importance (about six, six and five points of accuracy), mean |SHAP| and the correlation put account and
# duration on top; age and savings or employment hardly matter. It is right in 75 % of the unseen loans, where "always
# good" reaches 70 %: it knows something, its skill is only 0.17.
#
# **How sure.** 300 test loans: accuracy has a standard error of about 2.5 points, so differences between the lower
# features are noise. The values depend on the background of 30 people and on features being mixed that never occur
# together (a long loan of a small amount): duration and amount are correlated, so credit may be split between them
# arbitrarily. One training only. The data are fifty years old, and hold only loans that were granted; bad ones were
# drawn too often, so the probabilities are too gloomy.
#
# **The young.** 68 % of them are approved, 79 % of the others, but fewer of them paid back in this sample (51 % against
# 74 %). Of those who did pay back about as many are approved in both groups. Age itself contributes next to
# nothing (−0.002 on average), and all six features together only a little to the difference. That is neither proof nor
# disproof of fairness: proxies carry age, 57 people give wide margins, and which measure of fairness counts is not for
# the model to decide.
#
# **Recommendation.** Not for automatic decisions; test on today's loans, retrain, watch the groups. SHAP explains what
# the model says, not what causes repayment: raising savings changes the model's answer, not the person.
#
# ### BEGIN MARK SCHEME
# **1 point, what it does**: account and duration (amount third) lead; at least two measurements are named as agreeing,
# with numbers (half a point without numbers, or from one measurement only).
#
# **1 point, how sure**: two limits with their consequence, half a point each: sampling error of 300 loans, one training
# run, choice of background, unlikely mixtures or correlated features, selection (granted loans only), age of the data,
# over-represented bad loans.
#
# **1 point, the young**: says that approval differs *and* that repayment in the sample differs too, or that those who
# paid back are approved about equally often (half); says what cannot be seen: proxies, few people, fairness has several
# definitions that cannot all hold, past decisions in the labels (half). "Age has a small SHAP value, so it is fair"
# gets nothing here.
#
# **1 point, recommendation and limits**: a recommendation that follows from the findings (half); the claim confuses
# what the *model* would say with what would *happen*: explanations are not causes (half).
# ### END MARK SCHEME

# %% [markdown]
# ## What you have learnt
#
# - A Shapley value is what a player adds on average over all orders. It is the only rule that keeps efficiency,
#   symmetry, null player and additivity; you have seen four others fail.
# - A model becomes a game by a **value function**. Ask first, average then. The background says compared with whom.
# - Where coalitions are too many, sample, and show the error. KernelSHAP is the same average as a weighted fit.
# - LIME fits a simple model nearby. Its width, its neighbours and its seed are part of the answer: report fidelity.
# - Correlation asks the data, permutation importance and SHAP ask the model. A copy and two coins tell them apart.
# - A coefficient compares explanations, and only beside chance and the skill of the model.
# - An explanation says what a model says, and why. It does not say what is true, what is fair or what would happen.
#
# ### References
#
# - Shapley (1953). A value for n-person games. doi 10.1515/9781400881970-018.
# - Banzhaf (1965). Weighted voting doesn't work: a mathematical analysis. Rutgers Law Review 19.
# - Breiman (2001). Random forests. doi 10.1023/A:1010933404324. *Permutation importance.*
# - Castro, Gómez and Tejada (2009). Polynomial calculation of the Shapley value based on sampling.
#   doi 10.1016/j.cor.2008.04.004.
# - Ribeiro, Singh and Guestrin (2016). "Why should I trust you?" arXiv 1602.04938. *LIME.*
# - Lundberg and Lee (2017). A unified approach to interpreting model predictions. arXiv 1705.07874. *SHAP, KernelSHAP.*
# - Fisher, Rudin and Dominici (2019). All models are wrong, but many are useful. arXiv 1801.01489.
# - Grömping (2019). South German credit data: correcting a widely used data set. Report 4/2019, Beuth University
#   Berlin.
# - Janzing, Minorics and Blöbaum (2020). Feature relevance quantification in explainable AI: a causal problem. arXiv
#   1910.13413. *Why "interventional".*
# - Covert and Lee (2021). Improving KernelSHAP: practical Shapley value estimation via linear regression. arXiv
#   2012.01536.
# - Oliva and Lago-Fernández (2026). A human-centered validation of the explainability-performance coefficient. arXiv
#   2607.29614.
