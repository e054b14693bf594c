"""The heart of LIME: a weighted ridge regression around each instance."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from vitrina.explain.compiling import slices
from vitrina.explain.request import positive_int

Floats = npt.NDArray[np.float64]
Selection = Literal["auto", "forward_selection", "highest_weights"]

_FORWARD_UP_TO = 6  # features: the library's 'auto' thinks forward selection too dear for more
_SELECTING_RIDGE = 0.01  # of the library's 'highest_weights'
_ALONE = 2**18  # multiplications: OpenBLAS shares out products that take more
_FEWEST = 32  # rows of a piece, below which pieces cost more than they save
_DEPENDENT = 1e-10  # share of a feature's variance that others leave, below which it adds nothing


class Neighbourhood(NamedTuple):
    """
    An instance and perturbations of it, as the linear model sees them.

    Attributes
    ----------
    instance : array, shape (features,)
        Codes of the instance.
    score : array, shape (targets,)
        What the model says of it.
    offsets : array of any numbers, shape (perturbations, features)
        Codes of the perturbations, less those of the instance.
    scores : array, shape (perturbations, targets)
        What the model says of them.
    weights : array, shape (perturbations,)
        How much each counts, where the instance counts 1.
    """

    instance: Floats
    score: Floats
    offsets: npt.NDArray[Any]
    scores: Floats
    weights: Floats


class LocalFit(NamedTuple):
    """
    Linear models, one per instance and target.

    Attributes
    ----------
    coefficients : array, shape (instances, targets, features)
        0 for features that were not selected.
    standard_errors : array, shape (instances, targets, features)
        Of the coefficients.
    intercept : array, shape (instances, targets)
    fidelity : array, shape (instances, targets)
        Weighted R squared; 1 where the scores do not differ, and nothing is left to explain; NaN where nothing but the
        instance counts.
    local_prediction : array, shape (instances, targets)
        What the linear model says of the instance itself.
    effective_samples : array, shape (instances,)
        Kish's number, (sum of w)^2 / sum of w^2: how many perturbations of equal weight would be worth as much.
    """

    coefficients: Floats
    standard_errors: Floats
    intercept: Floats
    fidelity: Floats
    local_prediction: Floats
    effective_samples: Floats

    def as_asked(self, *, several: bool) -> dict[str, Floats]:
        """Return the arrays by name, without the axis of targets unless several were asked for."""
        return {
            name: array[:, 0] if array.ndim > 1 and not several else array for name, array in self._asdict().items()
        }


class Options(NamedTuple):
    """How a linear model is fitted: `features` of them (`None` for all), chosen by `selection`, and the ridge."""

    features: int | None
    selection: Selection
    ridge: float

    def checked(self) -> Options:
        """Return the options if they make sense, otherwise raise a ValueError."""
        if self.features is not None:
            positive_int("features", self.features)
        if self.selection not in get_args(Selection):
            raise ValueError(f"selection must be one of {', '.join(get_args(Selection))}, got {self.selection!r}")
        if not (np.isfinite(self.ridge) and self.ridge >= 0):
            raise ValueError(f"ridge must be a number of at least 0, got {self.ridge}")
        return self


def kernel_weights(distances: npt.ArrayLike, width: float) -> Floats:
    """
    How much a perturbation counts, sqrt(exp(-d^2 / width^2)).

    Ribeiro et al. 2016, arXiv 1602.04938, section 3.4; the square root is the `lime` library's.

    Parameters
    ----------
    distances : array
        Distances d from the instance.
    width
        Of the kernel, in units of the distances: at d = 1.18 widths a perturbation counts half.

    Returns
    -------
    array, shape of distances
        From 1 at the instance down to 0.

    Raises
    ------
    ValueError
        If the width is not above 0.
    """
    if not width > 0:
        raise ValueError(f"kernel_width must be above 0, got {width}")
    return np.exp(-0.5 * (np.asarray(distances, np.float64) / width) ** 2)


def local_fit(neighbourhoods: Iterable[Neighbourhood], options: Options) -> LocalFit:
    """
    Fit linear models to what a model says of perturbations, by weighted ridge regression with a free intercept.

    Minimises sum of w (score - intercept - codes coefficients)^2 + ridge |coefficients|^2, the instance among the
    summands.

    Parameters
    ----------
    neighbourhoods
        At least one, all with as many features and targets.
    options
        Checked ones.

    Returns
    -------
    LocalFit
    """
    each = [(n.instance, n.score, *_moments(n)) for n in neighbourhoods]
    instance, score, means, products, effective, constant, count = (
        np.stack(parts) for parts in zip(*each, strict=True)
    )
    features = instance.shape[1]
    kept = min(options.features or features, features)
    gram, moments = products[:, :features, :features], products[:, features:, :features]
    chosen = _select(gram, moments, instance, kept, options.selection)
    coefficients, spread = _solve(gram, moments, chosen, options.ridge)
    whole = np.diagonal(products, axis1=1, axis2=2)[:, features:]
    left = whole - (coefficients * (2 * moments - coefficients @ gram)).sum(axis=2)
    left = np.maximum(left, 0.0)  # what rounding makes of a perfect fit may lie below
    noise = left / np.maximum(1, count - kept - 1)[:, np.newaxis]
    here = score + means[:, features:] - (coefficients * means[:, np.newaxis, :features]).sum(axis=2)
    return LocalFit(
        coefficients=coefficients,
        standard_errors=np.sqrt(noise[..., np.newaxis] * spread),
        intercept=here - (coefficients * instance[:, np.newaxis]).sum(axis=2),
        fidelity=np.where(constant, 1.0, 1 - np.divide(left, whole, out=np.full(left.shape, np.nan), where=whole > 0)),
        local_prediction=here,
        effective_samples=effective,
    )


def _moments(around: Neighbourhood) -> tuple[Floats, Floats, float, npt.NDArray[np.bool_], int]:
    """
    Weighted means and centred products of offsets and scores, both counted from the instance.

    Counted from there, little is lost to rounding: what weighs most is near 0.
    """
    scores = around.scores - around.score
    constant = np.logical_not(scores.any(axis=0))
    products = _products(around.offsets, scores, np.sqrt(around.weights))
    total = products[0, 0] + 1  # the instance, whose offsets are 0, weighs 1
    means = products[0, 1:] / total
    effective = total**2 / (1 + around.weights @ around.weights)
    return means, products[1:, 1:] - total * np.outer(means, means), effective, constant, len(around.weights) + 1


def _products(offsets: npt.NDArray[Any], scores: Floats, roots: Floats) -> Floats:
    """
    Return table.T @ table of table = roots * (1, offsets, scores), of a small one in pieces.

    BLAS computes the products of a piece on one thread. Right after a model was asked its threads still turn, and BLAS
    would wait for a processor: up to a hundred times as long as such a product takes. A piece also stays in the
    processor's cache, and so does not need the memory that the whole table would.
    """
    draws, features = offsets.shape
    columns = 1 + features + scores.shape[1]
    rows = _ALONE // columns**2
    pieces = slices(draws, rows if rows >= _FEWEST else draws)
    table = np.empty((len(roots[pieces[0]]), columns), order="F")
    products = np.zeros((columns, columns))
    for piece in pieces:
        root = roots[piece, np.newaxis]
        part = table[: len(root)]
        part[:, :1] = root
        np.multiply(offsets[piece], root, out=part[:, 1 : 1 + features])
        np.multiply(scores[piece], root, out=part[:, 1 + features :])
        products += part.T @ part
    return products


def warn_of_few(fits: Sequence[LocalFit]) -> None:
    """
    Warn where so few perturbations count that they cannot determine the coefficients; to be called by public functions.

    Parameters
    ----------
    fits
        All that the function returns.

    Warns
    -----
    UserWarning
        At the place that called the public function.
    """
    for fit in fits:
        found = np.count_nonzero(fit.coefficients, axis=2).max(axis=1, initial=0)
        wanted = 1 + np.maximum(found, np.any(fit.fidelity != 1, axis=1))  # all are 0 where nothing else counts
        few = fit.effective_samples < wanted
        if few.any():
            warnings.warn(
                f"the kernel is so narrow that only about {fit.effective_samples[few][0]:.1f} perturbations count for "
                f"{wanted[few][0]} coefficients: take a larger kernel_width, more samples or fewer features",
                stacklevel=3,
            )
            return


def _select(
    gram: Floats, moments: Floats, instance: Floats, count: int, selection: Selection
) -> npt.NDArray[np.int_] | None:
    """Return the numbers of the features to keep, shape (instances, targets, count), or None for all."""
    if count == gram.shape[-1]:
        return None
    if selection == "forward_selection" or (selection == "auto" and count <= _FORWARD_UP_TO):
        return _forward(gram, moments, count)
    coefficients = moments @ _inverse(gram, _SELECTING_RIDGE)
    return np.argsort(-np.abs(coefficients * instance[:, np.newaxis]), axis=2, kind="stable")[..., :count]


def _forward(gram: Floats, moments: Floats, count: int) -> npt.NDArray[np.int_]:
    """
    Add the feature that raises R squared most, again and again.

    After each choice what the chosen feature explains is taken out of the other features and of the scores, so that
    the next one is judged by what it adds: no regression is fitted twice.
    """
    moments = moments.copy()
    gram = np.repeat(gram[:, np.newaxis], moments.shape[1], axis=1)
    whole = np.diagonal(gram, axis1=2, axis2=3).copy()
    chosen = np.zeros((*moments.shape[:2], count), int)
    taken = np.zeros(moments.shape, bool)
    for step in range(count):
        own = np.diagonal(gram, axis1=2, axis2=3)
        adds = own > _DEPENDENT * whole
        gain = np.where(adds, moments**2 / np.where(adds, own, 1.0), 0.0)
        best = np.argmax(np.where(taken, -1.0, gain), axis=2)[..., np.newaxis]
        np.put_along_axis(taken, best, values=True, axis=2)
        chosen[..., step] = best[..., 0]
        along = np.take_along_axis(gram, best[..., np.newaxis], axis=3)[..., 0]
        own = np.take_along_axis(np.where(adds, own, np.inf), best, axis=2)
        moments -= along * np.take_along_axis(moments, best, axis=2) / own
        gram -= along[..., np.newaxis] * along[..., np.newaxis, :] / own[..., np.newaxis]
    return chosen


def _solve(gram: Floats, moments: Floats, chosen: npt.NDArray[np.int_] | None, ridge: float) -> tuple[Floats, Floats]:
    """Return coefficients (instances, targets, features), and their variances for noise of variance 1."""
    if chosen is None:
        inverse = _inverse(gram, ridge)
        spread = _spread(inverse, gram)
        return moments @ inverse, np.repeat(spread[:, np.newaxis], moments.shape[1], axis=1)
    rows = np.arange(len(gram))[:, np.newaxis, np.newaxis, np.newaxis]
    part = gram[rows, chosen[..., np.newaxis], chosen[..., np.newaxis, :]]
    inverse = _inverse(part, ridge)
    few = (inverse @ np.take_along_axis(moments, chosen, axis=2)[..., np.newaxis])[..., 0]
    return _put(few, chosen, moments.shape), _put(_spread(inverse, part), chosen, moments.shape)


def _spread(inverse: Floats, gram: Floats) -> Floats:
    """Return the diagonals of inverse gram inverse, all symmetric."""
    return ((inverse @ gram) * inverse).sum(axis=-1)


def _inverse(gram: Floats, ridge: float) -> Floats:
    """Invert gram + ridge; without a ridge features may depend on each other, and the shortest solution is taken."""
    if ridge == 0:
        return np.asarray(np.linalg.pinv(gram, rcond=1e-12, hermitian=True), np.float64)
    return np.asarray(np.linalg.inv(gram + ridge * np.eye(gram.shape[-1])), np.float64)


def _put(values: Floats, chosen: npt.NDArray[np.int_], shape: tuple[int, ...]) -> Floats:
    """Spread the values of chosen features over all, with 0 elsewhere."""
    spread = np.zeros(shape)
    np.put_along_axis(spread, chosen, values, axis=2)
    return spread
