# %% [markdown]
# # SHAP in practice: the library on a simple case
#
# The Python library `shap` made Shapley values famous. It is one line to call and four plots to show, and it takes
# several decisions for you without saying so. On a case so small that everything can be checked, this lesson looks at
# what those decisions are. On the next, larger case, you will know what to ask.
#
# When you are done you will be able to
#
# - choose an explainer of the `shap` library, and check what it returns;
# - say what the base value is, and read force, waterfall, beeswarm and bar plots;
# - choose between probability and logit, and choose a background, on purpose;
# - find three silent traps: 100 rows, ten features, and `model.predict`;
# - explain why two correct tools give different numbers.

# %%
from vitrina import quiet

with quiet():  # TensorFlow has much to say when it starts, and nothing that you need
    import keras
    import shap

import time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LinearRegression

from vitrina.explain import interventional, kernel_shap, linear_shap, permutation_shapley, shapley_values
from vitrina.explain.black_box import scoring
from vitrina.quick import quick, right, wrong
from vitrina.tabular_plots import show_bars, show_waterfall
from vitrina_datasets import iris, wine

# %% [markdown]
# ## First a model that needs no explainer
#
# 150 irises of three species, four measurements each. Before any network, predict the *width of a petal* from the
# other three measurements with a straight line, $f(x) = w_0 + \sum_i w_i x_i$. Here the Shapley values of lesson 20
# are known without any game:
#
# $$\phi_i(x) = w_i \, (x_i - \bar x_i), \qquad \text{base value} = f(\bar x),$$
#
# where $\bar x$ is the mean of the background. Each feature is paid for how far it is from the ordinary, at the price
# $w_i$. **Any tool that does not give this on a linear model is wrong, or answers another question.** So it is the
# first test of every tool.

# %%
flowers = iris.load()
training, test = flowers.split(seed=0)
others, petal_width = training.values[:, :3], training.values[:, 3]
line = LinearRegression().fit(others, petal_width)
flower = test.values[:1, :3]

by_library = shap.LinearExplainer(line, others)
tools = {
    "closed form (ours)": linear_shap(line, flower, 0, background=others)[0],
    "all coalitions (ours)": shapley_values(interventional(line, flower, 0, background=others))[0],
    "shap.LinearExplainer": by_library.shap_values(flower)[0],
    "shap.KernelExplainer": shap.KernelExplainer(line.predict, others[:100]).shap_values(flower, silent=True)[0],
}
for name, values in tools.items():
    print(f"{name:22}", *(f"{value:+.4f}" for value in values))

# %% [markdown]
# Ours agree, and the library's two differ from them and from each other. Has the library a bug? No. KernelExplainer
# got the first 100 rows only, since with more it grumbles that it will be slow. And LinearExplainer got all rows and
# took 100 of them, drawn by chance, **without a word**. The mean of 100 flowers is not the mean of all. That is the
# whole difference, and it can be checked to the last digit:

# %%
used = {"shap.LinearExplainer": by_library.masker.data, "shap.KernelExplainer": others[:100]}
for name, rows in used.items():
    there = linear_shap(line, flower, 0, background=rows)[0]
    print(f"{name}: {len(others)} rows given, {len(rows)} used; with these the closed form differs by "
          f"{np.abs(there - tools[name]).max():.0e}")  # fmt: skip

# %% [markdown]
# ## A small network for the species
#
# Four measurements in, three **logits** out, one for each species: setosa, versicolor, virginica.

# %%
keras.utils.set_random_seed(1)
network = keras.Sequential(
    [
        keras.Input((4,)),
        keras.layers.Normalization(mean=training.values.mean(0), variance=training.values.var(0)),
        keras.layers.Dense(16, activation="tanh"),
        keras.layers.Dense(3),
    ]
)
network.compile(keras.optimizers.Adam(0.02), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
network.fit(training.values, training.targets, epochs=25, batch_size=16, verbose=0)

logits_of = scoring(network)  # one fast function: samples in, logits out
species = flowers.target_names
decided = logits_of(test.values).argmax(axis=1)
print(f"right on {(decided == test.targets).mean():.0%} of {len(test)} flowers that were not trained on")

# %% [markdown]
# We ask about one flower: the virginica that was closest to being called a versicolor. The background is 60 flowers
# of the training part, twenty of each species, the same for every tool.

# %%
background = np.concatenate([training.values[training.targets == kind][:20] for kind in range(3)])
scores = logits_of(test.values)
virginicas = np.flatnonzero(decided == 2)
chosen = virginicas[np.argmin(scores[virginicas, 2] - scores[virginicas, 1])]
flower = test.values[[chosen]]
probability_of = scoring(network, output="probability")
print(dict(zip(flowers.names, flower[0].tolist(), strict=True)))
for name, logit, p in zip(species, scores[chosen], probability_of(flower)[0], strict=True):
    print(f"{name:11} logit {logit:+.2f}, probability {p:.2f}")

# %% [markdown]
# ## Which explainer?
#
# The library has many. What they need from the model decides which you can use:
#
# | explainer | model | values |
# | --- | --- | --- |
# | `LinearExplainer` | linear | exact |
# | `TreeExplainer` | trees, forests, boosting | exact |
# | `explainers.Exact` | any, up to about 15 features | exact, all coalitions |
# | `KernelExplainer` | any | a weighted fit to sampled coalitions; exact if it can afford all of them |
# | `PermutationExplainer` | any | sampled orders |
# | `PartitionExplainer` | any, features in a hierarchy | Owen values: whole groups at a time |
# | `DeepExplainer`, `GradientExplainer` | networks | approximations that use gradients: lesson 60 |
#
# `shap.Explainer(...)` chooses one of them for you. Four features have 16 coalitions, so we can have exact values,
# and judge the others by them. Vitrina's four answers stand beside the library's three.


# %%
def timed(explain):
    start = time.perf_counter()
    values = np.asarray(explain(), float).reshape(4, -1)[:, -1]  # of the last species, virginica
    return values, time.perf_counter() - start


everything = shap.maskers.Independent(background, max_samples=len(background))
with quiet():  # compiles itself at its first call, which takes seconds
    library = shap.explainers.Exact(logits_of, everything)
    library(flower, silent=True)
game = interventional(network, flower, 2, background=background)
asked = {
    "shap Exact": lambda: library(flower, silent=True).values,
    "shap Kernel": lambda: shap.KernelExplainer(logits_of, background).shap_values(flower, silent=True),
    "shap Permutation": lambda: (
        shap.PermutationExplainer(logits_of, everything, seed=0)(flower, max_evals=90, silent=True).values
    ),
    "ours, all coalitions": lambda: shapley_values(game),
    "ours, KernelSHAP": lambda: kernel_shap(network, flower, 2, background=background).attributions,
    "ours, orders": lambda: permutation_shapley(game, pairs=15).attributions,
}
found = {name: timed(explain) for name, explain in asked.items()}
exact = found["ours, all coalitions"][0]
print(f"{'':21}", *(f"{name:>13}" for name in flowers.names), "   largest difference   time")
for name, (values, seconds) in found.items():
    print(f"{name:21}", *(f"{value:+13.3f}" for value in values),
          f"{np.abs(values - exact).max():17.0e} {1000 * seconds:10.0f} ms")  # fmt: skip

# %% [markdown]
# Everything that counts all coalitions agrees to the last digits of the network's arithmetic. What samples orders is
# a little off, in the library and with us: that is noise, not an error. Only, the library does not tell you how much;
# `permutation_shapley` has `standard_errors`.

# %% [markdown]
# ## The base value
#
# Shapley values divide a *difference*. Between what and what? The end is the output for this flower. The beginning,
# the **base value** (`base_values`, `expected_value`), is what the model says when it knows nothing: its mean output
# over the background. A waterfall plot shows the way from one to the other.

# %%
show_waterfall(
    exact,
    flowers.names,
    base=float(logits_of(background)[:, 2].mean()),
    values=flower[0],
    title=f"logit of {species[2]}",
)

# %%
print(f"compared with the average of these {len(background)} flowers, "
      f"its {flowers.names[exact.argmax()]} speaks most for {species[2]}")  # fmt: skip

# %% [markdown]
# The base is not "50 %", nor the share of virginicas. It belongs to *your background*. And the flower is compared
# with that, as the printed line says. A sentence without its first half is not an explanation.
#
# ### Four plots, and what they do not say
#
# The library draws explanations in four ways. `shap.plots.waterfall` is the plot above. A **force** plot is the same
# plot squeezed into a line: red pushes to the right, blue to the left, the end is the output. It reads well for four
# features and badly for thirty.

# %%
drawn = library(test.values, silent=True)[:, :, 2]
drawn.feature_names = list(flowers.names)
place = int(chosen)
forced = shap.plots.force(
    drawn.base_values[place], drawn.values[place], flower[0], feature_names=list(flowers.names),
    matplotlib=True, show=False, figsize=(13, 3), contribution_threshold=0.1,
)  # fmt: skip
plt.close(forced)  # or it is drawn twice
plt.ion()  # this plot of the library switches drawing off, and later figures would not show
forced

# %% [markdown]
# For many flowers at once there are two. A **beeswarm** plot has a row for each feature and a dot for each flower.
# The dot's *place* is the attribution, its *colour* the value of the feature. So look for both together: blue on the
# left and red on the right means "the more, the more virginica". A **bar** plot only keeps the mean size of the
# attributions. Its bars have no direction, and they are means over *these* flowers.

# %%
figure, (swarm, bars) = plt.subplots(1, 2, figsize=(12, 3.4), width_ratios=[1.5, 1])
plt.sca(swarm)
shap.plots.beeswarm(drawn, show=False, plot_size=None)
plt.sca(bars)
shap.plots.bar(drawn, show=False, ax=bars)
figure.tight_layout()

# %%
quick(
    "In a beeswarm plot, a feature has red dots on both sides of zero, mixed with blue ones. What does it say?",
    wrong("The feature is not important", "Dots far from zero are large attributions, on whichever side."),
    right(
        "Its effect depends on the other features, or goes up and down with its value",
        "Equal values have different attributions: an interaction. Or the middle differs from both ends.",
    ),
    wrong("The explainer is noisy", "It could be. But exact values look like that too wherever there is interaction."),
)

# %% [markdown]
# ## Logit or probability?
#
# `shap` explains whatever the function returns. Give it a function that returns probabilities, as most tutorials do,
# and it explains those. Is that not what people want to know? Here are three flowers: ours, and the two virginicas of
# which the network is surest.

# %%
surest = virginicas[np.argsort(-scores[virginicas, 2])[:2]]
three = np.concatenate([flower, test.values[surest]])
sizes = {}
for output in ("logit", "probability"):
    values = shapley_values(interventional(network, three, 2, background=background, output=output))
    sizes[output] = values
    print(output)
    for name, row in zip(["ours", "surest", "second surest"], values, strict=True):
        print(f"   {name:14}", *(f"{value:+6.2f}" for value in row), f"   sum {row.sum():+.2f}")

# %% [markdown]
# The two sure flowers differ in their logits, feature by feature. Their probabilities are both as good as 1, so
# attributions of the probability share out the same small cake: what lies between the base and 1. A feature that
# would have been enough *twice* gets no more than one that was just enough.
#
# - **Logits** (or log-odds) show what the network adds up. Their unit means little to a judge or a patient.
# - **Probabilities** are a unit that people know. But they saturate, and interactions appear that are nothing but the
#   bend of the softmax.
#
# Neither is wrong. Never compare one with the other, and write below the figure which one it is.

# %% [markdown]
# ## The background changes the answer
#
# "Why is this flower a virginica?" is an unfinished question: *rather than what?* The background finishes it.

# %%
backgrounds = {
    "60 flowers": background,
    "setosas only": training.values[training.targets == 0],
    "versicolors only": training.values[training.targets == 1],
    "all zeros": np.zeros((1, 4)),
}
by_background = {
    name: shapley_values(interventional(network, flower, 2, background=rows))[0] for name, rows in backgrounds.items()
}
for name, rows in backgrounds.items():
    print(f"{name:17} base value {logits_of(rows)[:, 2].mean():+.2f}")
show_bars(by_background, flowers.names, values=flower[0], title="logit of virginica, compared with ...")

# %% [markdown]
# One flower, one network, exact values, four answers. *Rather than a setosa* is another question than *rather than a
# versicolor*, and the last is a question about a flower of no size, which no botanist has seen. It is `shap`'s most
# asked question: "my values changed when I took another background, which are right?" All of them. Choose the
# background whose comparison you want to make, keep it, report it.

# %%
quick(
    "A client asks: why was my loan refused, when others got theirs? Which background answers that?",
    wrong("All applicants of the last year", "Among them are the refused. The client asks about those who got a loan."),
    right(
        "Applicants whose loan was granted",
        "Then every attribution says: compared with those who got one, this speaks against you.",
    ),
    wrong("All features zero", "Nobody is aged 0 with no income: the client is compared with nobody."),
)

# %% [markdown]
# ## Three silent traps
#
# ### Trap 1: one hundred rows
#
# You have met it above: `shap.LinearExplainer` used 100 rows of 114. It is not alone. Nearly every explainer that is
# given a table wraps it into a masker, which keeps 100 rows at most: the tree, exact, permutation and partition
# explainers do, KernelExplainer does not. Pass the masker yourself,
# `shap.maskers.Independent(rows, max_samples=len(rows))`, as we did for the exact values, and your background is the
# one that you report.
#
# ### Trap 2: ten features
#
# KernelExplainer fits a line to the worths of coalitions. By default it first throws away all but ten features
# (`l1_reg="num_features(10)"`), and **the attributions of the rest are exactly 0**. Nothing warns you. The four of
# our iris do not notice; the wines of lesson 20 have 13.

# %%
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

barrels, bottles = wine.load().split(seed=0)
sommelier = make_pipeline(StandardScaler(), MLPClassifier(16, max_iter=300, tol=1e-3, random_state=0))
sommelier.fit(barrels.values, barrels.targets)
few, several = barrels.values[::6], bottles.values[:8]
grapes = sommelier.predict(several)
exact_wine = shapley_values(interventional(sommelier, several, grapes, background=few))

fits = {}
for name, options in {"shap, by default": {}, "shap, l1_reg=False": {"l1_reg": False}}.items():
    np.random.seed(0)  # KernelExplainer draws from NumPy's global generator
    explainer = shap.KernelExplainer(sommelier.predict_proba, few)
    values = explainer.shap_values(several, nsamples=1000, silent=True, **options)
    fits[name] = values[np.arange(8), :, grapes]
ours = kernel_shap(sommelier, several, grapes, background=few, coalitions=1000, seed=0)
fits["ours"] = ours.attributions
for name, values in fits.items():
    print(f"{name:19} zeros in a bottle: {(np.abs(values) < 1e-12).sum(axis=1).mean():.0f} of 13, "
          f"error {np.sqrt(((values - exact_wine) ** 2).mean()):.4f}")  # fmt: skip
first = {name: values[0] for name, values in {"exact": exact_wine, **fits}.items()}
show_bars(first, barrels.names, top=13)

# %% [markdown]
# With 30 features two thirds would be zeroed. Say `l1_reg=False`, always. (If you want few features, cut them off
# yourself, afterwards, where everybody can see it.) Note also that it draws from NumPy's *global* generator: to
# repeat it, you must set a seed that changes everything else too. Ours take `seed=` per call.
#
# ### Trap 3: `model.predict`
#
# Most tutorials pass `model.predict` to the library. That function is made for one large pass over a data set: it
# builds a data pipeline at each call. An explainer calls it again and again with little.


# %%
def seconds_with(function):
    explainer = shap.KernelExplainer(function, background[::4])
    start = time.perf_counter()
    explainer.shap_values(test.values[:8], silent=True, l1_reg=False)
    return time.perf_counter() - start


slow = seconds_with(lambda rows: network.predict(rows, verbose=0))
fast = min(seconds_with(logits_of) for _ in range(3))
print(f"KernelExplainer on eight flowers: model.predict takes {slow / fast:.0f} times as long as a compiled function")

# %% [markdown]
# The same library, the same network, the same numbers. If an explainer is slow, look at what it calls before you look
# for another explainer. `vitrina.explain.black_box.scoring(network)` makes such a compiled function; by hand it is
# `tf.function(network)`, called on large batches.

# %%
quick(
    "Two colleagues explain the same prediction of the same network with `shap`. Their values differ in sign. Which of "
    "these can NOT be the reason?",
    wrong("They chose different backgrounds", "It can: rather than *what*? See the setosas and the versicolors."),
    wrong("One explained the logit, the other the probability", "It can: in one of them all classes play a part."),
    wrong("One of them had 40 features and left `l1_reg` alone", "It can make values 0, and move the others."),
    right(
        "Both counted all coalitions, each in an order of their own",
        "Exact values do not depend on the order in which coalitions are asked for.",
    ),
)

# %% [markdown]
# ## What goes wrong in practice
#
# - **"SHAP says ..."** There is no such thing. A model, an output, a background, an explainer with its settings say.
# - **The background is whatever came first.** `X_train[:100]` of a sorted table is one class. Choose and report it.
# - **Values of one class read as those of another.** Results have the shape (samples, features, outputs). Until
#   version 0.45 they were a list with an array for each output; old tutorials fail, or worse, take the wrong axis.
# - **Rounding mistaken for trouble, and trouble for rounding.** Compare the sum with output − base. With all
#   coalitions it agrees to about seven digits in single precision. If the third digit is off, find out why.
# - **Importance read off one flower.** A waterfall is about one sample. A bar plot is about these samples.
# - **Correlated features.** Petal length and width go together; interventional values ask about flowers with a long
#   and narrow petal that do not exist. Lesson 20 has both answers.
# - **Trust in a picture.** Everything in this lesson draws a beautiful plot, the wrong ones too.
#
# ## What you have learnt
#
# - On a linear model all tools must give $w_i (x_i - \bar x_i)$. Begin there.
# - Base value, background and output belong to an explanation as the unit belongs to a number.
# - Where everything is counted, tools agree to rounding. Where they differ, it is the background, the output,
#   sampling or a default, and it can be found out which.
#
# Lesson 40 takes these tools to a model about people.
#
# ### References
#
# - Lundberg and Lee (2017). A unified approach to interpreting model predictions. arXiv 1705.07874. *SHAP,
#   KernelSHAP.*
# - Covert and Lee (2021). Improving KernelSHAP: practical Shapley value estimation via linear regression.
#   arXiv 2012.01536. *Where its noise comes from.*
# - Merrick and Taly (2020). The explanation game: explaining machine learning models using Shapley values.
#   arXiv 1909.08128. *Rather than what: the background as part of the question.*
# - Kumar, Venkatasubramanian, Scheidegger and Friedler (2020). Problems with Shapley-value-based explanations as
#   feature importance measures. arXiv 2002.11097. *A critical view.*
# - Fisher (1936). The use of multiple measurements in taxonomic problems. doi 10.1111/j.1469-1809.1936.tb02137.x.
#   *The irises.*
