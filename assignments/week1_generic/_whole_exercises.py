"""Part D: exercises on whole models, on judging explanations, and on an audit."""

import numpy as np

from vitrina.own_figure import FEATURES, own_explanations
from vitrina_autograder.exercise import DrawnQuiz, Exercise, PlantedBug, Question, Quiz
from vitrina_solutions import whole_model

from ._drawing_whole import (
    draw_area,
    draw_coefficient,
    draw_correlation,
    draw_inclusion,
    draw_mean_absolute,
    draw_permutation,
    draw_retained,
    draw_skill,
)
from ._lime_answers import (
    accuracy,
    area_of_first,
    contrast,
    correlate,
    correlate_ranks,
    covary,
    include,
    shuffle,
    shuffle_on_and_on,
    shuffle_rows,
    skill,
    skill_with,
)

DIRECTIONS = ("for", "against")


def _listed(labels):
    """Give the frequencies of the classes that occur, one after the other."""
    return np.unique(labels, return_counts=True)[1] / len(labels)


def _from_zero(curve):
    """Let what is retained begin with nothing."""
    return np.append(0, np.clip(curve / curve[-1], 0, 1)[1:])


def read_the_plot(name: str) -> list[Question]:
    """Ask about the summary plot of a name; the answers are read off its numbers."""
    own = own_explanations(name)
    size = np.abs(own.attributions)
    most, spread = size.mean(axis=0).argmax(), own.values**2
    bent = [abs(np.corrcoef(a, b)[0, 1]) if a.any() else 0 for a, b in zip(own.attributions.T, spread.T, strict=True)]
    bent[size.max(axis=0).argmax()] = 0  # acts on few, who all are at one end
    rises = np.corrcoef(own.values[:, most], own.attributions[:, most])[0, 1] > 0
    return [
        Question("matters most, on average", FEATURES, FEATURES[most]),
        Question("its high values speak", DIRECTIONS, "for" if rises else "against"),
        Question("does not matter at all", FEATURES, FEATURES[size.max(axis=0).argmin()]),
        Question("matters very much, but to few people", FEATURES, FEATURES[size.max(axis=0).argmax()]),
        Question("its low and its high values speak the same way", FEATURES, FEATURES[np.argmax(bent)]),
    ]


WHOLE_EXERCISES = [
    Exercise(
        id="permutation-importance",
        title="Permutation importance",
        formula="accuracy − mean over the orders of the accuracy with inputs[order, j] in column j",
        competences=["global explanation", "experiment"],
        reference=whole_model.permutation_importance,
        draw=draw_permutation,
        alternatives=[shuffle, lambda f, x, y, o: np.mean([shuffle(f, x, y, o[[r]]) for r in range(len(o))], axis=0)],
        bugs=[
            PlantedBug("The sign is turned: important is what the accuracy falls without.", lambda *a: -shuffle(*a)),
            PlantedBug(
                "An importance may be below 0, where the model does better without: keep the sign.",
                lambda *a: np.maximum(shuffle(*a), 0),
            ),
            PlantedBug("Put a column back before you shuffle the next one.", lambda *a: shuffle(*a, fresh=False)),
            PlantedBug("Start each feature from a new copy: yours leaves the last one shuffled.", shuffle_on_and_on),
            PlantedBug("Average over all orders, not only the first.", lambda f, x, y, o: shuffle(f, x, y, o[:1])),
            PlantedBug("Shuffle one column, not whole rows: the other features stay with their sample.", shuffle_rows),
            PlantedBug(
                "A column is dealt out anew, not set to its mean.",
                lambda *a: shuffle(*a, shuffled=lambda x, j: x[:, j].mean()),
            ),
            PlantedBug(
                "This is the accuracy that is left. How much is lost?",
                lambda f, x, y, o: np.mean(f(x).argmax(axis=1) == y) - shuffle(f, x, y, o),
            ),
        ],
    ),
    Exercise(
        id="mean-absolute",
        title="From local to global",
        formula="mean over the samples of |φ_i(x)|",
        competences=["global explanation"],
        reference=whole_model.mean_absolute,
        draw=draw_mean_absolute,
        alternatives=[lambda phi: np.linalg.norm(phi, 1, axis=0) / len(phi), lambda phi: sum(map(abs, phi)) / len(phi)],
        bugs=[
            PlantedBug("Take sizes first: else for and against cancel.", lambda phi: np.abs(phi.mean(axis=0))),
            PlantedBug("The sizes are averaged, not their squares.", lambda phi: np.sqrt(np.mean(phi**2, axis=0))),
            PlantedBug("One number for each feature: average over the samples.", lambda phi: np.abs(phi).mean(axis=1)),
            PlantedBug("This is the sum over the samples. Average.", lambda phi: np.abs(phi).sum(axis=0)),
            PlantedBug("Take sizes: importance has no direction.", lambda phi: phi.mean(axis=0)),
        ],
    ),
    DrawnQuiz(
        id="summary-plot",
        title="Reading a summary plot",
        formula="left and right: against and for; colour: the feature's value; one dot, one person",
        competences=["reading results", "global explanation"],
        named="drawn for",
        ask=read_the_plot,
    ),
    Exercise(
        id="correlation-with-label",
        title="Correlation with the label",
        formula="|Pearson's correlation| of each feature with the label, 0 for a constant feature",
        competences=["global explanation"],
        reference=whole_model.correlation_with_label,
        draw=draw_correlation,
        alternatives=[
            correlate,
            lambda x, y: covary(x, y) / np.where(np.ptp(x, axis=0) > 0, x.std(axis=0) * y.std(), np.inf),
        ],
        bugs=[
            PlantedBug(
                "Going against the label is knowing about it too: take the size.",
                lambda x, y: correlate(x, y) * np.sign((y - y.mean()) @ (x - x.mean(axis=0))),
            ),
            PlantedBug("This is the covariance, which grows with the feature's unit.", covary),
            PlantedBug("These are correlations of ranks (Spearman's).", correlate_ranks),
            PlantedBug("This is the square of the correlation.", lambda x, y: correlate(x, y) ** 2),
            PlantedBug(
                "A constant feature has no spread to divide by: it gets 0, not NaN.",
                lambda x, y: np.divide(covary(x, y), np.array([np.ptp(c) and c.std() for c in x.T]) * y.std()),
            ),
        ],
    ),
    Exercise(
        id="information-skill",
        title="Information skill",
        formula="1 − CE / CE₀, CE₀ with the frequencies of these labels",
        competences=["experiment"],
        reference=whole_model.information_skill,
        draw=draw_skill,
        alternatives=[skill, lambda y, p: skill_with(y, p, log=lambda v: np.log2(v) * np.log(2))],
        bugs=[
            PlantedBug(
                "CE₀ answers with the frequencies of the labels, not with equal chances.",
                lambda y, p: skill_with(y, p, base=np.log(p.shape[1])),
            ),
            PlantedBug(
                "Classes are numbers, and one of them may not occur: np.bincount counts it as 0, np.unique not at all.",
                lambda y, p: (
                    1 - np.mean(np.log(p[np.arange(len(y)), y])) / np.mean(np.log(_listed(y)[y % len(set(y))]))
                ),
            ),
            PlantedBug("This is the share of the uncertainty that is left.", lambda y, p: 1 - skill(y, p)),
            PlantedBug(
                "This is the cross-entropy. Compare it with that of the frequencies.",
                lambda y, p: -np.mean(np.log(p[np.arange(len(y)), y])),
            ),
            PlantedBug(
                "Take the probability of the right class, not the highest one.",
                lambda y, p: skill_with(y, p, pick=lambda rows: rows.max(axis=1)),
            ),
            PlantedBug(
                "Each sample has one right class: p[np.arange(batch), labels]. p[:, labels] pairs all with all.",
                lambda y, p: skill_with(y, p[:, y], pick=lambda rows: rows),
            ),
            PlantedBug("This is the accuracy, which does not see how sure the model is.", accuracy),
        ],
    ),
    Exercise(
        id="inclusion-curve",
        title="An inclusion curve",
        formula="skill of the model that is told the first k features, k = 0 … d; the others at their reference",
        competences=["experiment", "batch computation"],
        reference=whole_model.inclusion_curve,
        draw=draw_inclusion,
        alternatives=[include],
        bugs=[
            PlantedBug(
                "This is deletion: you begin with all features and hide the first k.",
                lambda f, x, y, o, r: include(f, x, y, o[::-1], r)[::-1],
            ),
            PlantedBug(
                "What is told stays told: at step k the features before the k-th are known too.",
                lambda *a: include(*a, only=True),
            ),
            PlantedBug("The order is taken from its end.", lambda *a: include(*a, backwards=True)),
            PlantedBug(
                "d features make d + 1 points: from nothing told to everything told.", lambda *a: include(*a)[1:]
            ),
            PlantedBug(
                "What is not told has its `reference` value, which is not always 0.",
                lambda *a: include(*a, hidden=0.0),
            ),
            PlantedBug(
                "The curve is the information skill, not the accuracy.", lambda *a: include(*a, measure=accuracy)
            ),
            PlantedBug(
                "The reference is the given one, not the mean of these samples.",
                lambda f, x, y, o, r: include(f, x, y, o, r, hidden=x.mean(axis=0)),
            ),
        ],
    ),
    Exercise(
        id="retained",
        title="What is retained",
        formula="r(k) = P(k) / P(d), between 0 and 1",
        competences=["coefficient"],
        reference=whole_model.retained,
        draw=draw_retained,
        alternatives=[
            lambda p: np.minimum(1, np.maximum(0, p / p[-1])),
            lambda p: [max(0, min(1, v / p[-1])) for v in p],
        ],
        bugs=[
            PlantedBug(
                "Below 0 is cut off: nothing less than nothing can be retained.", lambda p: np.minimum(p / p[-1], 1)
            ),
            PlantedBug("The curve may go down again.", lambda p: np.maximum.accumulate(np.clip(p / p[-1], 0, 1))),
            PlantedBug("Nothing is told at the start, but it may retain something.", _from_zero),
            PlantedBug("Above 1 is cut off: more than all cannot be retained.", lambda p: np.maximum(p / p[-1], 0)),
            PlantedBug(
                "Divide by the skill with all features, not by the largest.", lambda p: np.clip(p / p.max(), 0, 1)
            ),
            PlantedBug(
                "Nothing retained is the skill 0, not that of the first point.",
                lambda p: np.clip((p - p[0]) / (p[-1] - p[0]), 0, 1),
            ),
        ],
    ),
    Exercise(
        id="area-under",
        title="The area under a curve",
        formula="∫ over k/d from 0 to 1, trapezium rule",
        competences=["coefficient"],
        reference=whole_model.area_under,
        draw=draw_area,
        alternatives=[
            lambda c: np.trapezoid(c, np.linspace(0, 1, len(c))),
            lambda c: (c.sum() - (c[0] + c[-1]) / 2) / (len(c) - 1),
        ],
        bugs=[
            PlantedBug(
                "The axis is the share k/d, from 0 to 1, not the number of features.", lambda c: np.trapezoid(c)
            ),
            PlantedBug("This is the mean of the points. The two ends count half.", np.mean),
            PlantedBug("These are rectangles: the value on the left of each step.", lambda c: np.mean(c[:-1])),
            PlantedBug("These are rectangles: the value on the right of each step.", lambda c: np.mean(c[1:])),
            PlantedBug("d + 1 points make d steps: divide by d.", lambda c: np.trapezoid(c) / len(c)),
        ],
    ),
    Exercise(
        id="explainability-performance",
        title="Explainability-performance coefficient",
        formula="area under r(k) with the most relevant first − the same with the least relevant first",
        competences=["coefficient", "experiment"],
        reference=whole_model.explainability_performance,
        draw=draw_coefficient,
        alternatives=[contrast, lambda f, x, y, r, m: contrast(f, x, y, r, m, rank=lambda v: np.argsort(v)[::-1])],
        bugs=[
            PlantedBug("The sign is turned: most relevant first − least relevant first.", lambda *a: -contrast(*a)),
            PlantedBug("This is the first area alone. How much lower is the other one?", area_of_first),
            PlantedBug(
                "Rank with the sign: what is least relevant comes last, also below 0.",
                lambda *a: contrast(*a, rank=lambda r: np.argsort(-np.abs(r))),
            ),
            PlantedBug(
                "Keep the sign: a ranking turned round has a coefficient below 0.", lambda *a: abs(contrast(*a))
            ),
            PlantedBug(
                "Compare what is retained, r(k), not the skill itself.", lambda *a: contrast(*a, keep=lambda c: c)
            ),
            PlantedBug(
                "The axis is the share k/d, from 0 to 1, not the number of features.",
                lambda *a: contrast(*a, area=np.trapezoid),
            ),
            PlantedBug(
                "`relevance` says how much each feature matters; the curve needs their numbers in order: argsort.",
                lambda *a: contrast(*a, rank=lambda r: np.argsort(np.argsort(-r))),
            ),
        ],
    ),
    Quiz(
        id="selection-or-explanation",
        title="Selection or explanation?",
        formula="a correlation asks the data, an explanation asks the model",
        competences=["global explanation", "reading results"],
        questions=[
            Question("correlation: does it rank the copy far below the account?", ("yes", "no"), "no"),
            Question("permutation importance: does the model use the copy?", ("yes", "no"), "no"),
            Question("can a feature matter to a model and correlate with nothing?", ("yes", "no"), "yes"),
            Question(
                "the model is trained anew: which of the two may change?",
                ("correlation", "permutation importance"),
                "permutation importance",
            ),
            Question("not measured: mean |SHAP| of the copy", ("0", "above 0", "it depends on the background"), "0"),
        ],
    ),
]
