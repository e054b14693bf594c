"""Answers to part D that need more than a line: other right ways, and the frame of wrong ones."""

import numpy as np
import tensorflow as tf

from ._gradient_answers import softmax


def cover(model, images, target, size, value, *, score=np.asarray, fresh=True, channels=slice(None)):
    """Occlusion with one thing done differently."""
    before, answer, damaged = score(model(images))[:, target], np.empty_like(images), images.copy()
    for row in range(0, images.shape[1], size):
        for column in range(0, images.shape[2], size):
            damaged = images.copy() if fresh else damaged
            window = (slice(None), slice(row, row + size), slice(column, column + size))
            damaged[(*window, channels)] = value
            answer[window] = (before - score(model(damaged))[:, target]).reshape(-1, 1, 1, 1)
    return answer


def cover_all_at_once(model, images, target, size, value):
    """Ask about all windows in one batch."""
    rows, columns = images.shape[1] // size, images.shape[2] // size
    masks = np.kron(np.eye(rows * columns).reshape(-1, rows, columns), np.ones((size, size)))[:, None, ..., None]
    covered = np.where(masks == 1, value, images)
    logits = model(covered.reshape(-1, *images.shape[1:])).numpy()[:, target].reshape(len(masks), -1)
    falls = model(images).numpy()[:, target] - logits
    return (falls[..., None, None, None] * masks * np.ones(images.shape[3])).sum(axis=0)


def weigh(feature_maps, gradients):
    """Grad-CAM, sample by sample and map by map."""
    pictures = []
    for maps, gradient in zip(feature_maps, gradients, strict=True):
        picture = np.zeros(maps.shape[:2])
        for k in range(maps.shape[2]):
            picture = picture + gradient[:, :, k].mean() * maps[:, :, k]
        pictures.append(np.where(picture > 0, picture, 0))
    return np.array(pictures)


def curve(
    model,
    inputs,
    target,
    attributions,
    replacement,
    per_step,
    steps,
    *,
    rank=np.negative,
    score=softmax,
    keep=True,
    backwards=False,
):
    """A deletion curve, all its points in one batch, with one thing done differently."""
    order = np.argsort(rank(attributions), axis=1, kind="stable")
    if backwards:
        order = np.argsort(attributions, axis=1, kind="stable")[:, ::-1]
    place = np.argsort(order, axis=1)
    ends = per_step * np.arange(steps + 1)[:, None, None]
    gone = place < ends if keep else (place < ends) & (place >= ends - per_step)
    damaged = np.where(gone, replacement, inputs)
    scores = score(model(damaged.reshape(-1, inputs.shape[1])).numpy())[:, target]
    return scores.reshape(steps + 1, -1).T


def curve_by_loop(model, inputs, target, attributions, replacement, per_step, steps):
    """Sample by sample, step by step, with Python's own sort."""
    rows = []
    for x, r, new in zip(inputs, attributions, replacement, strict=True):
        ranked, row, points = sorted(range(len(x)), key=lambda i: -r[i]), x.copy(), []
        for step in range(steps + 1):
            points.append(row.copy())
            for i in ranked[step * per_step : (step + 1) * per_step]:
                row[i] = new[i]
        rows.append(tf.nn.softmax(model(np.array(points))).numpy()[:, target])
    return np.array(rows)
