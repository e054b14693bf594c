# %% [markdown]
# # What explaining means
#
# A program looks at cells under a microscope and says "malignant". The patient asks: **why?** The doctor asks: can I
# trust it? The hospital asks: what does it look at, in all patients together? Each of them wants an explanation, and
# each wants another one. This lesson sorts the questions, and takes the first tools, which work for any model.
#
# When you are done you will be able to
#
# - tell feature *selection*, *explanation* and *interpretation* apart, and global from local questions;
# - show that what correlates with the label is not what a model uses, in both directions;
# - measure a permutation importance, read its spread, and say how it misleads when features go together;
# - read partial dependence and ICE curves, and say when the mean hides the story;
# - imitate a model by a small tree, and judge the imitation before you believe it.

# %%
from vitrina import quiet

with quiet():  # TensorFlow has much to say when it starts, and nothing that you need
    import tensorflow as tf  # noqa: F401

import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from vitrina.dependence_plots import show_dependence
from vitrina.explain import (
    correlation_ranking,
    individual_conditional_expectation,
    mean_absolute,
    mutual_information_ranking,
    partial_dependence,
    permutation_importance,
    surrogate_tree,
    tree_shap,
)
from vitrina.quick import quick, right, wrong
from vitrina.tabular_plots import show_importance, show_waterfall
from vitrina_datasets import breast_cancer

# %% [markdown]
# ## Who asks, and for what?
#
# | who | asks | kind of question |
# | --- | --- | --- |
# | patient | Why do you say that **of me**? | local: one decision |
# | doctor | Does it see what I see? When must I not trust it? | local, and its limits |
# | hospital, authority | What does it look at, and is that allowed? | global: the model as a whole |
# | developer | Why is it wrong there? Did it learn a trick? | both |
# | researcher | What do cells tell about cancer? | about **the world**, not about the model |
#
# The last row is the trap. All others ask about *a model*; the researcher asks about *nature*. A model can be right for
# odd reasons, and an explanation of it shows the odd reasons. So keep three things apart:
#
# - **Selection**: which features are worth measuring? Asked of the *data*, before there is a model.
# - **Explanation**: what did this model do with its features? Asked of a *model* that is already there, from outside.
# - **Interpretation**: the model is simple enough to be read, such as a tree of three questions. Nothing needs to be
#   explained afterwards.
#
# (Some authors use the last two words the other way round. Say what you mean.)
#
# ## A model to ask
#
# Our table: 569 women with a lump in the breast, 30 numbers about the nuclei of cells from it, and whether the lump was
# malignant. Radius, texture, perimeter and so on come as the mean over the nuclei, as its standard error, and as the
# "worst", the mean of the three largest. Mind the classes: in this table **0 is malignant and 1 is benign**.

# %%
data = breast_cancer.load()
train, test = data.split(test=0.4, seed=0)
names = data.names
forest = RandomForestClassifier(50, random_state=0).fit(train.values, train.targets)
print(data)
right_about = forest.score(test.values, test.targets)
print(f"the forest is right about {right_about:.1%} of {len(test)} women whom it has not seen")

# %% [markdown]
# The *random forest* is a vote of 50 decision trees. Nobody can read 50 trees with dozens of questions each, so for us
# it is a **black box**: something that turns inputs into scores. The methods of this lesson need no more than that.
#
# ## Selection: what the data say
#
# The simplest measure of how much a feature tells about the label is the **correlation**: how well a straight line
# fits. **Mutual information** asks the same for relations of any form: how many nats (bits in units of the natural
# logarithm) one learns about the label from the feature.
#
# $$\rho_i = \frac{\mathrm{cov}(x_i, y)}{\sigma(x_i)\,\sigma(y)} \qquad
# I(x_i; y) = \mathbb{E} \log \frac{p(x_i, y)}{p(x_i)\, p(y)}$$

# %%
correlation = correlation_ranking(train.values, train.targets)
information = mutual_information_ranking(train.values, train.targets)
show_importance({"|correlation|": correlation, "mutual information": information}, names, top=15)

# %% [markdown]
# Neither measure knows that a forest exists. That has two consequences, and both can be shown.
#
# ### A feature can matter to the model without correlating
#
# A made-up table: the label is 1 if *exactly one* of two numbers is positive. Each number alone says nothing at all.
# (For every row there is one with all signs turned round and the same label, so correlations are exactly 0.)

# %%
generator = np.random.default_rng(0)
half = generator.standard_normal((500, 3))
pairs = generator.permutation(np.vstack([half, -half]))
exactly_one = ((pairs[:, 0] > 0) ^ (pairs[:, 1] > 0)).astype(int)
crossed = RandomForestClassifier(50, random_state=0).fit(pairs[:500], exactly_one[:500])
used = permutation_importance(crossed, pairs[500:], exactly_one[500:])
print("               first  second  noise")
for name, measured in [
    ("|correlation|", correlation_ranking(pairs, exactly_one)),
    ("information", mutual_information_ranking(pairs, exactly_one)),
    ("for the forest", used.mean),
]:
    print(f"{name:14} ", "  ".join(f"{abs(value):5.2f}" for value in measured))

# %% [markdown]
# Whoever selects features one by one throws both away, and then no model can find the label. (The last line is a
# permutation importance; we come to it in a moment.)
#
# ### A feature can correlate without mattering to the model
#
# Three models of the breast table: the forest, a logistic regression, and a small tree, which asks each woman at most
# three questions.
# Each dot below is a feature: to the right its correlation with the label, upwards what the model loses without it.

# %%
line = make_pipeline(StandardScaler(), LogisticRegression(C=0.1)).fit(train.values, train.targets)
small = DecisionTreeClassifier(max_depth=3, random_state=0).fit(train.values, train.targets)
models = {"random forest": forest, "logistic regression": line, "tree of three questions": small}
losses = {
    name: permutation_importance(model, test.values, test.targets, score="log loss", repeats=3)
    for name, model in models.items()
}

figure, panels = plt.subplots(1, 3, figsize=(10, 3.2), sharex=True)
for panel, (name, result) in zip(panels, losses.items(), strict=True):
    panel.plot(correlation, result.mean, "o", color="#55606b", alpha=0.7)
    panel.axhline(0, color="black", linewidth=0.8)
    panel.set(xlabel="|correlation| with the label")
    panel.set_title(name, fontsize=10)
    print(
        f"{name}: {models[name].score(test.values, test.targets):.1%} right, "
        f"{np.sum(np.abs(result.mean) < 1e-12)} of 30 features unused"
    )
panels[0].set_ylabel("what the model loses")
figure.tight_layout()

# %% [markdown]
# (Each panel has a scale of its own.) All three get most women right, and they use different features for it. The small
# tree never looks at most of the columns, however well these correlate. So "feature $i$ is important" is no full
# sentence. Important **for which model**, and measured how?

# %%
quick(
    "A bank drops the column 'nationality'. It still correlates with the label. What follows?",
    wrong(
        "The model uses nationality after all",
        "It does not see the column. It may use others that stand in, but this does not show it.",
    ),
    right(
        "Only something about the data; what the model uses must be asked of the model",
        "Correlation belongs to the table. Lesson 40 asks a model, and finds stand-ins.",
    ),
    wrong(
        "The correlation must be a coincidence",
        "It can be large and real: income, address or profession may go together with nationality.",
    ),
)

# %% [markdown]
# ## Permutation importance: break a feature and see what it costs
#
# To see whether a machine needs a wheel, take the wheel out. For a feature "out" means: **shuffle its column**, so that
# every woman gets the value of another. The column keeps its distribution, and loses all connection with the label.
#
# $$I_i = s(f; X, y) - \mathbb{E}_\pi\, s(f; X^{\pi(i)}, y)$$
#
# where $s$ is a score of the model (more is better) and $X^{\pi(i)}$ is the table with column $i$ in the random order
# $\pi$. One shuffling is chance, so take several and look at the spread. Use data that the model was **not** trained
# on.

# %%
importance = permutation_importance(forest, test.values, test.targets, score="log loss")
show_importance({"loss of log-likelihood, forest": importance.losses}, names, top=12)

# %% [markdown]
# ### The first way in which it misleads: twins
#
# Radius, perimeter and area of a nucleus are one fact told three times. If you shuffle the radius, the forest still
# reads the size off the perimeter. Each of the twins looks dispensable, because the others are there. So shuffle
# **all of them together**, and compare.

# %%
facts = ("radius", "perimeter", "area")
sizes = [names.index(f"{kind} {fact}") for kind in ("mean", "worst") for fact in facts]
together = permutation_importance(
    forest,
    test.values,
    test.targets,
    score="log loss",
    groups=[sizes],
)
alone = importance.mean[sizes]
print("correlations of worst radius with")
for column in sizes:
    twin = np.corrcoef(train.column("worst radius"), train.values[:, column])[0, 1]
    print(f"  {names[column]:16} {twin:.2f}")
print(f"shuffled one by one, the six cost   {alone.sum():.3f} in all")
print(f"shuffled together, they cost        {together.mean[0]:.3f}")
print(f"the most important single feature   {importance.mean.max():.3f}")

# %% [markdown]
# Together they cost more than all six alone added up, and several times as much as any single feature of the
# table. The plot above shows size as one thing among many. It is what the forest lives on.
#
# ### The second way: patients who cannot exist
#
# Shuffling pairs the radius of one woman with the area of another. Here are the women as they are, and as the model is
# asked about them.

# %%
radius, area = names.index("worst radius"), names.index("worst area")
shuffled = test.values.copy()
shuffled[:, radius] = generator.permutation(shuffled[:, radius])

figure, panels = plt.subplots(1, 2, figsize=(8, 3.2), sharex=True, sharey=True)
for panel, rows, name in [
    (panels[0], test.values, "as they are"),
    (panels[1], shuffled, "worst radius shuffled"),
]:
    panel.plot(rows[:, radius], rows[:, area], ".", color="#55606b", alpha=0.6)
    panel.set(xlabel="worst radius")
    panel.set_title(name, fontsize=10)
panels[0].set_ylabel("worst area")
figure.tight_layout()

# %% [markdown]
# No nucleus has the radius of a small one and the area of a large one. The model was never trained there, and what it
# says there is anybody's guess; yet the importance is made of it. This is not a detail of one method: whatever replaces
# single features meets it, SHAP included.

# %%
quick(
    "Two columns are exact copies, and a forest uses both. One is shuffled. What do you see?",
    right(
        "Less than if there were only one",
        "Part of the trees look at the other copy, which is intact. Shuffle both to see it all.",
    ),
    wrong("Exactly nothing", "That would need a model that looks at the other copy only."),
    wrong("Twice as much", "Breaking one of two supports costs less than breaking the only one."),
)

# %% [markdown]
# ## How does the answer change? Partial dependence and ICE
#
# Importance says *how much*, not *which way*. So take one woman, move one feature through its values, leave everything
# else as it is, and draw what the model says: an **individual conditional expectation** (ICE) curve. The mean of the
# curves of all women is the **partial dependence**:
#
# $$\mathrm{PD}_i(v) = \frac{1}{n} \sum_{k=1}^{n} f(x^{(k)} \text{ with } x_i = v)$$
#
# Our target is "malignant", class 0.

# %%
curves_of = {
    name: individual_conditional_expectation(forest, test.values, 0, feature=names.index(name))
    for name in ("worst radius", "worst concave points", "mean fractal dimension")
}
show_dependence(curves_of, ylabel="probability of malignant")

# %% [markdown]
# Thin lines are women, the thick one is their mean, strokes at the bottom are values that occur. Large nuclei speak for
# "malignant"; fractal dimension does next to nothing. All women respond in about the same way, only from other heights.
#
# That is not always so. In the made-up table the mean of the curves is flat, and none of the curves is:

# %%
curves = individual_conditional_expectation(crossed, pairs[500:620], 1, feature=0)
flat = partial_dependence(crossed, pairs[500:620], 1, features=0).values
show_dependence({"first number": curves}, ylabel="probability of exactly one")

# %%
single = np.median(np.ptp(curves.curves, axis=1))
print(f"the mean moves by {np.ptp(flat):.2f}, a single curve by {single:.2f} (median)")

# %% [markdown]
# Half of the curves rise and half fall, depending on the second number. Such an **interaction** is invisible in a
# mean. Never draw a partial dependence without its ICE curves.

# %%
quick(
    "A partial dependence is flat. Which conclusion is safe?",
    wrong(
        "The model does not use the feature",
        "See the curves above: the model uses it for every single case, in opposite directions.",
    ),
    wrong(
        "The feature does not correlate with the label",
        "The curve is about the model, not about the data. Neither follows from the other.",
    ),
    right(
        "Over these samples, its effects add up to nothing",
        "And that is all. ICE curves show whether there are none, or whether they cancel.",
    ),
)

# %% [markdown]
# ## Imitate it: a surrogate tree
#
# If a model cannot be read, train one that can be read **on the model's answers**, not on the labels. The copy is
# called a *surrogate*. It explains the original as far as it is faithful, so the first thing to look at is its
# **fidelity**: on samples that it was not trained on, how often do both say the same? (The depth is the largest number
# of questions in a row.)

# %%
for depth in (1, 2, 3, 4):
    copies = [
        surrogate_tree(forest, data.values, depth=depth, names=names, seed=seed)
        for seed in range(5)  # other samples are held out
    ]
    fidelity = [copy.fidelity for copy in copies]
    print(f"depth {depth}: same answer in {np.mean(fidelity):.1%} ({min(fidelity):.1%} at worst)")
always_the_same = np.mean([copy.baseline for copy in copies])
print(f"always the forest's most frequent answer: {always_the_same:.1%}")

# %%
surrogate_tree(forest, data.values, depth=2, names=names).draw(classes=data.target_names)

# %% [markdown]
# Read it with care. It is *a* simple story that gives much the same answers; another random split of the data may give
# another tree wherever twins can stand in for each other:

# %%
first = [copy.tree.tree_.feature[0] for copy in copies]
print("first question of five surrogates:", "; ".join(names[feature] for feature in first))

# %% [markdown]
# ### Or do not explain at all
#
# And then there is the honest question: does it have to be a black box? Here are five splits of the table, and for each
# the share of unseen women that the models get right.

# %%
print("split   forest   line   tree of three questions")
for seed in range(5):
    seen, unseen = data.split(test=0.4, seed=seed)
    fitted = [model.fit(seen.values, seen.targets) for model in (
        RandomForestClassifier(50, random_state=0),
        make_pipeline(StandardScaler(), LogisticRegression(C=0.1)),
        DecisionTreeClassifier(max_depth=3, random_state=0),
    )]  # fmt: skip
    print(
        f"{seed}      ",
        "   ".join(f"{model.score(unseen.values, unseen.targets):.1%}" for model in fitted),
    )

# %% [markdown]
# The line beats the forest here, and it can be read: thirty weights, one for each feature. Where that is so, and much
# is at stake, use the model that can be read. No explanation is as faithful as the model itself.
#
# ## From the whole to one: local explanations
#
# Everything so far was global. The patient's question was local. Here are both for the forest, as **Shapley values**:
# of each woman they share out, among the features, how far the model's answer is from its mean answer. Lesson 20
# derives them; for now look at the difference of the two pictures: first the mean of their sizes over all women, then
# one woman.

# %%
values = tree_shap(forest, test.values, 0, background=train.values)
show_importance({"mean |SHAP| over all women": mean_absolute(values)}, names, top=8)

# %%
scores = forest.predict_proba(test.values)[:, 0]
base = forest.predict_proba(train.values)[:, 0].mean()
most_important = np.argmax(mean_absolute(values))
odd = np.argmin(np.where(scores > 0.5, values[:, most_important], np.inf))  # in spite of it
show_waterfall(
    values[odd],
    names,
    base=base,
    values=test.values[odd],
    top=9,
    title=f"one woman: malignant with {scores[odd]:.0%}",
)

# %%
share = values[odd, most_important]
print(f"most important over all women: {names[most_important]}; here it counts {share:+.3f}")
print(f"the steps add up to {values[odd].sum():.4f}")
print(f"from base to output {scores[odd] - base:.4f}")

# %% [markdown]
# The feature that counts most over all women speaks *against* the answer here, and others outvote it. A global
# explanation is no answer to "why me?", and a local one is no proof about the model.
#
# ## What goes wrong in practice
#
# - **The wrong question.** "Important" without "for which model, by which measure, on which data" means nothing.
# - **From model to world.** An explanation shows what the model uses. That the feature *causes* anything is another
#   claim and needs another kind of study.
# - **Twins.** Features that go together hide each other. Look at correlations first; shuffle groups.
# - **Training data.** A model that has learnt its data by heart "needs" features that help nobody. The cell below shows
#   it with a column of pure noise.
# - **Means that cancel.** Partial dependence without ICE curves.
# - **Off the map.** Curves and shuffles ask about inputs that do not exist. Look at the strokes at the bottom.
# - **An unfaithful surrogate**, or one whose fidelity was measured on its own training data.
# - **Class 0 and class 1.** Many a wrong sign comes from here. Say which class you explain.

# %%
noisy = generator.standard_normal((300, 5))
guesses = generator.integers(0, 2, 300)  # labels that nothing can predict
by_heart = RandomForestClassifier(50, random_state=0).fit(noisy[:150], guesses[:150])
for rows, name in [(slice(150), "training data"), (slice(150, None), "new data")]:
    result = permutation_importance(by_heart, noisy[rows], guesses[rows], repeats=5)
    largest = result.mean.max()
    print(f"{name}: {result.score:.0%} right, largest importance of a noise column {largest:.2f}")

# %%
quick(
    "A feature has a large permutation importance on *new* data. What can you say about it?",
    wrong(
        "It causes the label",
        "The forest may use the shadow of a cause. Shuffling the model's input moves no cause.",
    ),
    right(
        "This model relies on it, given everything else it sees",
        "That is what was measured: the loss of this model when this column is broken.",
    ),
    wrong(
        "Any good model needs it",
        "Another may read the same from a twin: the three models above used other features.",
    ),
)

# %% [markdown]
# ## What you have learnt
#
# - Selection asks the data, explanation asks a model, interpretation reads a model that is simple by itself.
# - Permutation importance breaks a column and measures the loss; columns that go together must be broken together.
# - ICE curves show what a change of one feature does to each case, partial dependence their mean.
# - A surrogate is worth its fidelity. A readable model is worth a try before all that.
# - Global and local answers differ, and so do the people who ask for them.
#
# In the assignment you write permutation importance yourself. Lesson 20 turns to a question with a surprisingly precise
# answer: how to share out *one* prediction fairly.
#
# ### References
#
# - Breiman (2001). Random forests. Machine Learning 45, 5-32. *Permutation importance.*
# - Fisher, Rudin and Dominici (2019). All models are wrong, but many are useful. arXiv 1801.01489. *Importance for one
#   model and for all good ones.*
# - Friedman (2001). Greedy function approximation: a gradient boosting machine. Annals of Statistics 29, 1189-1232.
#   *Partial dependence.*
# - Goldstein, Kapelner, Bleich and Pitkin (2015). Peeking inside the black box. arXiv 1309.6392. *ICE.*
# - Hooker, Mentch and Zhou (2021). Unrestricted permutation forces extrapolation. arXiv 1905.03151. *Patients who
#   cannot exist.*
# - Craven and Shavlik (1996). Extracting tree-structured representations of trained networks. NIPS 8. *Surrogate
#   trees.*
# - Rudin (2019). Stop explaining black box machine learning models for high stakes decisions and use interpretable
#   models instead. arXiv 1811.10154.
# - Lipton (2018). The mythos of model interpretability. arXiv 1606.03490. *What people mean by the word.*
# - Street, Wolberg and Mangasarian (1993). Nuclear feature extraction for breast tumor diagnosis. doi
#   10.1117/12.148698. *The data.*
