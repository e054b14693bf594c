# %% [markdown]
# # Few features, same performance: the explainability-performance coefficient
#
# SHAP, LIME, permutation importance: each of them hands you a list of features, the most important first. The lists
# differ. This lesson turns the question "which list is better?" into an experiment, and the experiment into one number.
# Then it asks what that number is worth.
#
# When you are done you will be able to
#
# - read an inclusion curve, and say what a good one looks like;
# - compute the explainability-performance coefficient of an explanation in three forms;
# - hold a score against chance, against the performance of the model, and against its own noise;
# - tell apart what hiding features shows and what training without them shows;
# - say which comparison of explainers you may believe, and which is luck.

# %%
from vitrina import quiet

with quiet():  # TensorFlow has much to say when it starts, and nothing that you need
    import keras  # noqa: F401

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from vitrina.coefficient_plots import show_coefficients, show_inclusion
from vitrina.explain import (
    DEFINITIONS,
    Retraining,
    compare_explainers,
    explainability_performance,
    explainability_performances,
    gradient_x_input,
    kernel_shap,
    lime_tabular,
    mean_absolute,
    permutation_importance,
    scoring,
)
from vitrina.models import dense_network
from vitrina.quick import quick, right, wrong
from vitrina_datasets import breast_cancer, iris, wine

# %% [markdown]
# ## The idea: tell the model less
#
# Suppose a nurse may tell a doctor only three of thirty measurements. If she picks well, the doctor is nearly as good
# as with all of them. If she picks badly, he has to guess. The same with a model: **a good explanation names the few
# features with which the model is nearly as good as before.**
#
# We begin with wine: 178 bottles from three grape varieties, 13 chemical measurements, half of the bottles to train on
# and half to test with. The model is a logistic regression.


# %%
def halves(table, seed):
    """Split a table in two and measure every column in standard deviations of the training half."""
    train, test = table.split(test=0.5, seed=seed)
    mean, spread = train.values.mean(axis=0), train.values.std(axis=0)
    return ((train.values - mean) / spread, train.targets), ((test.values - mean) / spread, test.targets)


(inputs, labels), test = halves(wine.load(), seed=0)
model = LogisticRegression(solver="newton-cholesky").fit(inputs, labels)  # quick on small tables
hidden = inputs.mean(axis=0, keepdims=True)  # what stands in place of a feature that is not told
importance = permutation_importance(model, inputs, labels, score="log loss", seed=0).mean
for column in np.argsort(-importance)[:3]:
    print(f"{wine.load().names[column]:30s} {importance[column]:.3f}")

# %% [markdown]
# That is one list. Now tell the model first nothing, then only the first feature of the list, then the first two, and
# so on; a feature that is not told gets its mean over the training data. Each time, measure how well the model does on
# bottles that it has not seen. This is the **inclusion curve** of the list.
#
# How well is "well"? Not by accuracy, which changes in jumps. We use **information skill**,
#
# $$\text{skill} = 1 - \frac{\mathrm{CE}}{\mathrm{CE}_0}$$
#
# where CE is the cross-entropy of the model's probabilities and $\mathrm{CE}_0$ that of somebody who only knows how
# frequent each variety is. 1 is a model that is right and sure, 0 one that knows no more than the frequencies. A model
# that is sure *and wrong* falls below 0.
#
# For comparison we follow the same list from its other end, the *least* important feature first, and a list drawn by
# lot.

# %%
lists = {"permutation importance": importance, "by lot": np.random.default_rng(1).random(len(importance))}
found = explainability_performances(model, *test, lists, background=hidden)
show_inclusion({"wine, logistic regression": found})

# %% [markdown]
# Grey is where nine in ten of 100 random orders run. The good list climbs at once, and its other end (dashed) stays low
# for long. Between the two lies an area: remember it.

# %%
quick(
    "The inclusion curve of a list climbs to 1 with the first of 13 features, and stays there. What do you know?",
    right(
        "The model can do with that feature alone",
        "Told only this one, it is as good as with all. That is what the curve measures, no more.",
    ),
    wrong(
        "The model uses no other feature",
        "It may use all of them, and say the same. Told another one alone, it might be as good.",
    ),
    wrong("The other 12 features are noise", "They may hold the same information once more, as measurements often do."),
)

# %% [markdown]
# ## From a curve to a number
#
# Let $P(k)$ be the performance with the first $k$ of $d$ features, and $P_0$ that of an answer without any feature.
# What $k$ features **retain** is
#
# $$r(k) = \frac{P(k) - P_0}{P(d) - P_0}, \qquad \text{cut off below 0 and above 1,}$$
#
# and the **sparsity** of telling only $k$ of them is $s(k) = 1 - k/d$. Oliva and Lago-Fernández (2026) ask an
# explanation to balance the two. What follows is a **working definition** after their abstract, and it can be read in
# three ways:
#
# | form | the number | from |
# | --- | --- | --- |
# | operating point | the best balance $\max_k \dfrac{2\, s(k)\, r(k)}{s(k) + r(k)}$, found at $k^*$ | 0 to 1 |
# | area | the area under $r$, over $k/d$ | 0 to 1 |
# | contrast | the area under $r$, minus the same with the least relevant first | −1 to 1 |
#
# In the assignment you write the curve and the contrast yourself; here we call the fast form.

# %%
upside_down = explainability_performance(model, *test, -importance, background=hidden)
for name, each in [*found.items(), ("permutation, upside down", upside_down)]:
    scores = "   ".join(f"{form} {each.under(form).score:5.2f}" for form in DEFINITIONS)
    print(f"{name:25s} {scores}   k* = {each.best_kept}")
chance = {form: found["by lot"].under(form).chance_scores for form in DEFINITIONS}
means = "   ".join(f"{form} {values.mean():5.2f}" for form, values in chance.items())
print(f"{'mean of 100 random orders':25s} {means.replace('-0.00', ' 0.00')}")

# %% [markdown]
# Look at the last line before you look at any other. **A random order has more than half of all that can be had** in
# the first two forms! Tell a model any six of thirteen measurements, and it does well. The contrast takes that out:
# what is there for every order is subtracted. A random order has 0 on average, and a list turned upside down has
# exactly minus the score.
#
# So a score never stands alone. `print` shows what belongs beside it: the scores of random orders, the **percentile**
# among them, and the performance of the model with all features.

# %%
print(found["permutation importance"])
print(found["by lot"])

# %%
quick(
    "An explainer reaches an area of 0.70. Is that good?",
    wrong("Yes, 1 is the most there is", "And 0 the least, but random orders do not have 0. What do they have here?"),
    right(
        "That cannot be said without the random orders",
        "On these data they have more than half on average. The percentile among them would tell.",
    ),
    wrong("No, a good explainer has nearly 1", "How high the area can be depends on how many features are needed."),
)

# %% [markdown]
# ## Several explainers, several models, three data sets
#
# Now in earnest. Five kinds of models: logistic regression, a small forest, and small networks with ReLU, tanh and
# sigmoid. scikit-learn finds the weights of so small a network in a blink, and `dense_network` makes the
# same network in Keras, which we need for gradients.

# %%
TABLES = {"iris": iris.load(), "wine": wine.load(), "breast cancer": breast_cancer.load()}
NETWORKS = {"ReLU": "relu", "tanh": "tanh", "sigmoid": "logistic"}  # our names, scikit-learn's names
keras_networks = {}


def train(kind, inputs, labels, seed):
    """Train a model of this kind."""
    if kind == "logistic":
        return LogisticRegression(solver="newton-cholesky").fit(inputs, labels)
    if kind == "forest":
        return RandomForestClassifier(10, max_depth=6, random_state=seed).fit(inputs, labels)
    options = {"solver": "lbfgs", "alpha": 1.0, "tol": 1e-2, "random_state": seed}
    small = MLPClassifier((16,), activation=NETWORKS[kind], **options).fit(inputs, labels)
    weights, biases = list(small.coefs_), list(small.intercepts_)
    if weights[1].shape[1] == 1:  # scikit-learn has one output for two classes; half a logit each way is the same
        weights[1], biases[1] = weights[1] * [[-0.5, 0.5]], biases[1] * [-0.5, 0.5]
    shape = (kind, *weights[0].shape, weights[1].shape[1])
    if shape not in keras_networks:  # one network for all seeds, with new weights: it is compiled only once
        keras_networks[shape] = dense_network(weights, biases, kind.lower())
    keras_networks[shape].set_weights([weights[0], biases[0], weights[1], biases[1]])
    return keras_networks[shape]


# %% [markdown]
# The explainers are those of this week, and Gradient × Input of the next for the networks. A local explanation says
# what mattered for *one* sample. To get one list for all, take the **mean size** of the attributions over some
# samples. We explain what the model *decides*, not what is true: an explanation of the true label would give the label
# away.
#
# Two more lists are controls. `half shuffled` is SHAP's list with half of the features dealt out anew: **we know that
# it is worse**. `by lot` has never seen the model. And all lists are made from the training half: the test half must
# not help to choose what it judges.


# %%
def explain(kind, model, inputs, labels, seed):
    """Make a list of relevances with every explainer."""
    generator = np.random.default_rng(seed)
    few = inputs[:25]
    decided = np.argmax(scoring(model, output="probability")(few), axis=1)
    asked = {"output": "probability", "seed": seed}
    shap = kernel_shap(model, few, decided, background=inputs[:20], coalitions=256, **asked)
    lime = lime_tabular(model, few, decided, background=inputs, samples=500, **asked)
    shuffled = permutation_importance(model, inputs, labels, score="log loss", repeats=3, seed=seed)
    relevances = {
        "permutation": shuffled.mean,
        "SHAP": mean_absolute(shap.attributions),
        "LIME": mean_absolute(lime.attributions),
    }
    if kind in NETWORKS:
        relevances["Gradient × Input"] = mean_absolute(gradient_x_input(model, few, decided))
    half = relevances["SHAP"].copy()
    places = generator.choice(len(half), (len(half) + 1) // 2, replace=False)
    half[places] = half[generator.permutation(places)]
    return relevances | {"half shuffled": half, "by lot": generator.random(len(half))}


def experiment(table, kind, seed):
    """Split, train, explain, and judge the explanations on the other half (150 rows of it at most)."""
    (inputs, labels), (unseen, truth) = halves(table, seed)
    model = train(kind, inputs, labels, seed)
    relevances = explain(kind, model, inputs, labels, seed)
    mean = inputs.mean(axis=0, keepdims=True)
    return explainability_performances(model, unseen[:150], truth[:150], relevances, background=mean, seed=seed)


one = {name: experiment(table, "ReLU", seed=0) for name, table in TABLES.items()}
shown = ("permutation", "LIME", "by lot")
show_inclusion({name: {each: found[each] for each in shown} for name, found in one.items()})

# %% [markdown]
# On iris the three lists happen to be the same: with four features, even the lot draws the best order now and then. On
# breast cancer both explainers begin well, and differ in what they put last.
#
# One seed, one split, one network. May we rank the explainers now? Try it:

# %%
try:
    compare_explainers({name: [found] for name, found in one["wine"].items()})
except ValueError as refusal:
    print(refusal)

# %% [markdown]
# So we repeat everything with five seeds. A seed decides the split, the first weights of the network, and what
# explainers draw.

# %%
SEEDS = range(5)
KINDS = ["logistic", "forest", *NETWORKS]
results = {
    (name, kind): [experiment(table, kind, seed) for seed in SEEDS] for name, table in TABLES.items() for kind in KINDS
}


def compared(name, kind, form="contrast"):
    """Compare the explainers of one kind of model on one data set."""
    runs = results[name, kind]
    return compare_explainers({each: [run[each] for run in runs] for each in runs[0]}, definition=form)


show_coefficients({name: compared(name, "ReLU") for name in TABLES})

# %%
print(compared("wine", "ReLU"))

# %% [markdown]
# Each dot is a seed, each bar a mean; grey holds nine random orders in ten. `compare_explainers` says which differences
# are **larger than noise**: it compares seed by seed (*paired*: both explainers meet the same split and the same
# network), and since it tests many pairs, it asks more of each (Holm's method).
#
# The four explainers stand close together, and well above a list by lot on wine and breast cancer. On iris, with four
# features, a random order is often nearly right: its grey band is wide, and there are only 24 orders in all.
#
# ### Which models?

# %%
print(f"{'':15s}{'':10s}{'skill':>6s}   contrast of")
for name, kind in results:
    table = compared(name, kind)
    means = dict(zip(table.names, table.means, strict=True))
    row = "  ".join(f"{each} {means[each]:5.2f}" for each in ("permutation", "SHAP", "LIME", "by lot"))
    print(f"{name:15s}{kind:10s}{table.full.mean():6.2f}   {row}")

# %% [markdown]
# Look at breast cancer. Of the five models the **forest** has the highest coefficients there, with each explainer, and
# the **lowest** skill: its ten trees are soon sure, and sometimes wrong. A few features retain what the forest can do,
# but there is less to retain! *The coefficient judges the explanation of a model, not the model.* That is why the skill
# stands beside it, and why coefficients of different models must not be compared as if they were marks.

# %%
quick(
    "Model A is explained with a coefficient of 0.6, model B with 0.3, by the same explainer. Which one do you take?",
    wrong("A: it is better explained", "A may lean on two features because it has learnt nothing else."),
    wrong("B: it uses more features, so it knows more", "More features are no merit, and no proof of skill."),
    right(
        "Neither yet: first look at what each of them can do",
        "The coefficient is a share of the model's own performance. A poor model may have little to share.",
    ),
)

# %% [markdown]
# ## What AUC hides
#
# Skill is not the only measure of performance. The AUC, the area under the ROC curve, asks only whether a sick person
# gets a higher score than a healthy one. Watch what it does to random orders on breast cancer:

# %%
(inputs, labels), (unseen, truth) = halves(TABLES["breast cancer"], seed=0)
model = train("logistic", inputs, labels, 0)
relevances = {"LIME": explain("logistic", model, inputs, labels, 0)["LIME"]}
measured = {
    measure: explainability_performances(
        model, unseen, truth, relevances, background=inputs.mean(axis=0, keepdims=True), performance=measure
    )
    for measure in ("skill", "accuracy", "auc")
}
for measure, judged in measured.items():
    area, contrast = judged["LIME"].under("area"), judged["LIME"]
    print(
        f"{measure:9s} area {area.score:.2f}, random orders {area.chance_scores.mean():.2f}; contrast "
        f"{contrast.score:.2f}, random orders 0 ± {contrast.chance_scores.std():.2f}"
    )
show_inclusion(measured)

# %% [markdown]
# The thirty measurements of a cell say much the same: any few of them put most patients in the right *order*. So under
# AUC nearly every list looks perfect, and little room is left between a good list and a random one. What a model loses
# with hidden features is *certainty*: probabilities move towards one half. AUC cannot see that, skill can. **The area
# under AUC curves says "all explainers are excellent", and hides that it says so of random lists too.**
#
# ## Hide, or train anew?
#
# One objection is left. A patient with two measurements and twenty-eight means does not exist, and no model has learnt
# from such patients. Does performance fall because information is missing, or because the input is strange? We can let
# the model get used to it: train a **new** model for each set of features. `Retraining` takes the place of the model.


# %%
def fit(inputs, labels, _seed):
    """Train a logistic regression from scratch."""
    return LogisticRegression(solver="newton-cholesky").fit(inputs, labels)


protocols = {"hide": [], "train anew": []}
for seed in SEEDS:
    (inputs, labels), test = halves(TABLES["wine"], seed)
    mean = inputs.mean(axis=0, keepdims=True)
    model = fit(inputs, labels, seed)
    lists = explain("logistic", model, inputs, labels, seed)
    relevances = {name: lists[name] for name in ("permutation", "SHAP", "LIME", "by lot")}
    for protocol, asked in [("hide", model), ("train anew", Retraining(fit, inputs, labels))]:
        protocols[protocol].append(
            explainability_performances(asked, *test, relevances, background=mean, steps=4, orders=6, seed=seed)
        )
for protocol, runs in protocols.items():
    table = compare_explainers({each: [run[each] for run in runs] for each in runs[0]})
    means = dict(zip(table.names, table.means, strict=True))
    floor = np.mean([run["SHAP"].under("area").chance_scores.mean() for run in runs])
    row = "  ".join(f"{each} {mean:5.2f}" for each, mean in means.items())
    print(f"{protocol:11s} {row}   area of random orders {floor:.2f}")
show_inclusion({name: {each: runs[0][each] for each in shown} for name, runs in protocols.items()})

# %% [markdown]
# New models do better with few features: they make the best of what they are told. So all orders come closer together.
# And the question has changed. *Hide* asks what **this model** does with the features. *Train anew* asks what **these
# data** hold in the features, for any model of the kind. If one feature repeats another, a new model happily takes the
# copy; the old one leans on what it has learnt. For explaining a model, hide; for choosing features, train anew.

# %%
quick(
    "Feature B is an exact copy of A. The model uses A alone. An explainer calls B the most important. Who notices?",
    right("Hiding: told only B, this model knows nothing", "The model does not read B, and its performance shows it."),
    wrong("Training anew", "The new model learns from B what the old one learnt from A, and is as good."),
    wrong("Neither of the two", "Compare what the given model and a new one do when they are told B alone."),
)

# %% [markdown]
# ## Which form can be relied on?
#
# We measured the explainers; now we measure the three forms. A form is of use if it (1) puts real explainers above
# random orders, (2) notices that half of a list was shuffled, and (3) gives about the same score for the next seed. We
# have 3 data sets × 5 models × 5 seeds, and know the truth about the controls.

# %%
REAL = ("permutation", "SHAP", "LIME", "Gradient × Input")
print(f"{'':17s}{'better than':>15s}{'notices the':>15s}{'spread over':>15s}{'random':>15s}")
print(f"{'form':17s}{'random orders':>15s}{'shuffled half':>15s}{'seeds':>15s}{'orders have':>15s}")
stability = {}
for form in DEFINITIONS:
    percentiles, notices, spreads, floors = [], [], [], []
    for (name, _), runs in results.items():
        judged = [{each: found.under(form) for each, found in run.items()} for run in runs]
        percentiles += [run[each].percentile for run in judged for each in REAL if each in run]
        if name != "iris":  # with four features the shuffled half is often the same list
            notices += [run["SHAP"].score > run["half shuffled"].score for run in judged]
        luck = np.mean([run["SHAP"].chance_scores.std() for run in judged])
        spreads.append(np.std([run["SHAP"].score for run in judged], ddof=1) / luck)
        floors.append(np.mean([run["SHAP"].chance_scores.mean() for run in judged]))
    stability[form] = [np.mean(percentiles), np.mean(notices), np.mean(spreads), np.mean(floors)]
    of_orders, of_shuffled, spread, floor = stability[form]
    print(f"{form:17s}{of_orders:14.0f}%{of_shuffled:15.0%}{spread:15.2f}{abs(floor):15.2f}")

# %% [markdown]
# The first column is the mean percentile of the real explainers, the third the standard deviation over seeds in units
# of the luck of random orders, in which the forms differ little. **The contrast separates best**: it sees two ends of
# a list where the others see one, and what every order has alike is gone from it. The operating point looks at a single
# $k$, often the same one for a good and a damaged list. Use it to report $k^*$, and use the contrast to compare.
#
# ## What may be concluded?
#
# | you found | you may say | you may not say |
# | --- | --- | --- |
# | contrast 0.4, percentile 99 | the list says what this model needs, far better than chance | it is the truth |
# | SHAP 0.35, LIME 0.33, five seeds | they do equally well here | SHAP is better |
# | a difference larger than noise | on these data and this kind of model, one list is better | it is so elsewhere |
# | $k^* = 4$ of 13 | four features retain most of the performance | the others do not matter |
# | a contrast near 0 | the list is no better than chance: is there a bug? | the model uses nothing |
# | a higher score for model A than for B | few features retain what A can do | A is better |
# | a high score after training anew | these data hold much in few features | the explained model uses them |
#
# ## What goes wrong in practice
#
# - **A score without its chance.** Print the percentile. An area of 0.8 may be what a random order has.
# - **One seed.** The order of good explainers changes from seed to seed. Five is the least, and close ones stay ties.
# - **Explaining the label.** For local explanations, explain what the model decides. Explanations of the true class
#   carry the class with them.
# - **Choosing and judging on the same rows.** Explain on the training half, judge on the other.
# - **A model without skill.** If the model knows nothing, nothing can be retained. The function refuses.
# - **Strange inputs.** The mean of a category, or of two clusters, is a value that nobody has. Hide behind several rows
#   of data instead (`background=inputs[:50]`).
# - **Copies.** If two features say the same, each can do without the other. Their order is luck, and the score with it.
#   Put them in one group (`groups=`), as you do with the pixels of a superpixel and the columns of one category.
# - **Seeds share data.** Our five splits overlap, so "larger than noise" is said of these 178 bottles. New bottles may
#   vary more.
#
# ## What you have learnt
#
# - A good explanation names few features that retain the performance; an inclusion curve shows it for every number.
# - The coefficient makes one number of it. Of three readings the contrast compares explainers best.
# - A score needs company: chance, the skill of the model, several seeds.
# - Hiding asks about the model, training anew about the data.
#
# ### References
#
# - Oliva and Lago-Fernández (2026). A human-centered validation of the explainability-performance coefficient. arXiv
#   2607.29614. *The coefficient; the forms above are a working definition after its abstract.*
# - Petsiuk, Das and Saenko (2018). RISE: randomized input sampling for explanation of black-box models. arXiv
#   1806.07421. *Insertion curves and their area.*
# - Schulz et al. (2020). Restricting the flow: information bottlenecks for attribution. arXiv 2001.00396. *The area
#   between the curves from both ends.*
# - Hooker et al. (2019). A benchmark for interpretability methods in deep neural networks. arXiv 1806.10758. *Removing
#   and retraining.*
# - DeYoung et al. (2020). ERASER: a benchmark to evaluate rationalized NLP models. arXiv 1911.03429. *Sufficiency and
#   comprehensiveness of what an explanation selects.*
# - Nadeau and Bengio (2003). Inference for the generalization error. doi 10.1023/A:1024068626366. *Why overlapping
#   splits look more certain than they are.*
