"""Answers that students give in parts C and D."""

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.metrics import log_loss, r2_score

from vitrina_solutions import whole_model


def bins_by_search(inputs, training, *, side="left"):
    quartiles = np.percentile(training, [25, 50, 75], axis=0)
    columns = [np.searchsorted(cuts, column, side=side) for cuts, column in zip(quartiles.T, inputs.T, strict=True)]
    return np.stack(columns, axis=1)


def bins_by_loop(inputs, training):
    answer = np.zeros(inputs.shape)
    for feature in range(inputs.shape[1]):
        cuts = [np.quantile(training[:, feature], share) for share in (0.25, 0.5, 0.75)]
        for row, value in enumerate(inputs[:, feature]):
            answer[row, feature] = sum(value > cut for cut in cuts)
    return answer


def equal_widths(inputs, training):
    low, high = training.min(axis=0), training.max(axis=0)
    return (inputs[:, None] > np.linspace(low, high, 5)[1:4]).sum(axis=1)


def masks_of(sample, neighbours, training, *, bins=bins_by_search):
    return bins(neighbours, training) == bins(sample[None], training)


def cover(image, segments, masks, fill):
    """One neighbour, and in it one superpixel after the other."""
    images = []
    for mask in masks:
        covered = image.copy()
        for number, stays in enumerate(mask):
            if not stays:
                covered[segments == number] = fill
        images.append(covered)
    return np.stack(images)


def cover_first_channel(image, segments, masks, fill):
    covered = cover(image, segments, masks, fill)
    covered[..., 1:] = image[..., 1:]
    return covered


def cover_on_and_on(image, segments, masks, fill):
    left = np.minimum.accumulate(masks, axis=0)
    return cover(image, segments, left, fill)


def ridge(masks, scores, weights, penalty):
    fitted = Ridge(alpha=penalty).fit(masks, scores, sample_weight=weights)
    return np.append(fitted.intercept_, fitted.coef_)


def ridge_without_penalty(masks, scores, weights, _penalty):
    root = np.sqrt(weights)
    return np.linalg.lstsq(np.column_stack([np.ones(len(masks)), masks]) * root[:, None], scores * root, rcond=None)[0]


def ridge_as_least_squares(masks, scores, weights, penalty):
    """Write the penalty as extra rows, from which the intercept is spared."""
    features = masks.shape[1]
    rows = np.column_stack([np.ones(len(masks)), masks]) * np.sqrt(weights)[:, None]
    extra = np.column_stack([np.zeros(features), np.sqrt(penalty) * np.eye(features)])
    goal = np.append(scores * np.sqrt(weights), np.zeros(features))
    return np.linalg.lstsq(np.vstack([rows, extra]), goal, rcond=None)[0]


def ridge_with_dear_intercept(masks, scores, weights, penalty):
    rows = np.column_stack([np.ones(len(masks)), masks])
    matrix = rows.T @ (weights[:, None] * rows) + penalty * np.eye(rows.shape[1])
    return np.linalg.solve(matrix, rows.T @ (weights * scores))


def ridge_without_intercept(masks, scores, weights, penalty):
    matrix = masks.T @ (weights[:, None] * masks) + penalty * np.eye(masks.shape[1])
    return np.append(0.0, np.linalg.solve(matrix, masks.T @ (weights * scores)))


def fidelity(scores, fitted, weights, *, mean=None):
    mean = np.average(scores, weights=weights) if mean is None else mean
    return 1 - np.sum(weights * (scores - fitted) ** 2) / np.sum(weights * (scores - mean) ** 2)


def fidelity_by_library(scores, fitted, weights):
    return r2_score(scores, fitted, sample_weight=weights)


def shuffle(model, inputs, labels, orders, *, measure=None, fresh=True, shuffled=None):
    """Permutation importance, with one thing done differently."""
    measure = measure or (lambda scores: np.mean(scores.argmax(axis=1) == labels))
    base, falls = measure(model(inputs)), np.zeros((len(orders), inputs.shape[1]))
    for row, order in enumerate(orders):
        work = inputs.copy()
        for feature in range(inputs.shape[1]):
            work = inputs.copy() if fresh else work
            work[:, feature] = inputs[order, feature] if shuffled is None else shuffled(inputs, feature)
            falls[row, feature] = base - measure(model(work))
    return falls.mean(axis=0)


def shuffle_on_and_on(model, inputs, labels, orders):
    """Write into one copy, from order to order and from feature to feature."""
    right, work = np.mean(model(inputs).argmax(axis=1) == labels), inputs.copy()
    falls = np.zeros((inputs.shape[1], len(orders)))
    for feature in range(inputs.shape[1]):
        for row, order in enumerate(orders):
            work[:, feature] = inputs[order, feature]
            falls[feature, row] = right - np.mean(model(work).argmax(axis=1) == labels)
    return falls.mean(axis=1)


def shuffle_rows(model, inputs, labels, orders):
    right = model(inputs).argmax(axis=1) == labels
    fall = np.mean([right.mean() - np.mean(model(inputs[o]).argmax(axis=1) == labels) for o in orders])
    return np.full(inputs.shape[1], fall)


def correlate(inputs, labels):
    """Feature by feature with `np.corrcoef`."""
    return np.array([abs(np.corrcoef(column, labels)[0, 1]) if np.ptp(column) > 0 else 0.0 for column in inputs.T])


def ranks(values):
    return np.argsort(np.argsort(values, kind="stable"), kind="stable")


def correlate_ranks(inputs, labels):
    return correlate(np.stack([ranks(column) for column in inputs.T], axis=1).astype(float), ranks(labels))


def covary(inputs, labels):
    return np.abs((labels - labels.mean()) @ (inputs - inputs.mean(axis=0))) / len(labels)


def skill(labels, probabilities):
    """By the cross-entropy of a library."""
    classes = np.arange(probabilities.shape[1])
    frequency = np.bincount(labels, minlength=len(classes)) / len(labels)
    known = np.tile(frequency, (len(labels), 1))
    return 1 - log_loss(labels, probabilities, labels=classes) / log_loss(labels, known, labels=classes)


def skill_with(labels, probabilities, *, base=None, log=np.log, pick=None):
    """Skill, with one thing done differently."""
    frequency = np.bincount(labels, minlength=probabilities.shape[1]) / len(labels)
    base = -np.mean(np.log(frequency[labels])) if base is None else base
    picked = pick(probabilities) if pick else probabilities[np.arange(len(labels)), labels]
    return 1 + np.mean(log(picked)) / base


def include(model, inputs, labels, order, reference, *, measure=skill, only=False, hidden=None, backwards=False):
    """Inclusion curve by masks, with one thing done differently."""
    curve = []
    for count in range(len(order) + 1):
        told = order[max(0, count - 1) : count] if only else order[:count]
        known = np.isin(np.arange(inputs.shape[1]), order[::-1][:count] if backwards else told)
        curve.append(measure(labels, model(np.where(known, inputs, reference if hidden is None else hidden))))
    return np.array(curve)


def accuracy(labels, probabilities):
    return np.mean(probabilities.argmax(axis=1) == labels)


def contrast(
    model, inputs, labels, relevance, reference, *, rank=lambda r: np.argsort(-r), keep=whole_model.retained, area=None
):
    """The coefficient, with one thing done differently."""
    area = area or (lambda curve: np.trapezoid(curve, dx=1 / (len(curve) - 1)))
    ranking = rank(np.asarray(relevance))
    first = include(model, inputs, labels, ranking, reference)
    last = include(model, inputs, labels, ranking[::-1], reference)
    return area(keep(first)) - area(keep(last))


def area_of_first(model, inputs, labels, relevance, reference):
    curve = whole_model.retained(include(model, inputs, labels, np.argsort(-relevance), reference))
    return np.trapezoid(curve, dx=1 / (len(curve) - 1))
