"""What LIME does alike to texts and images: parts are hidden, and the linear model sees which ones are shown."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from vitrina.explain.lime.fit import Floats, LocalFit, Neighbourhood, Options, kernel_weights, local_fit

Shown = npt.NDArray[np.bool_]
"""Which parts each perturbation shows: (perturbations, parts)."""


def cosine_distances(shown: Shown) -> Floats:
    """
    How far perturbations are from the whole, as the cosine distance of their codes, 1 - sqrt(share that is shown).

    Parameters
    ----------
    shown : array of bool, shape (perturbations, parts)

    Returns
    -------
    array, shape (perturbations,)
        From 0, where all is shown, to 1, where nothing is.
    """
    return 1 - np.sqrt(shown.mean(axis=1))


def fit_shown(
    shown: Shown, score: Floats, scores: Floats, distances: Floats, width: float, options: Options
) -> LocalFit:
    """
    Fit linear models of which parts are shown, for one instance.

    Parameters
    ----------
    shown : array of bool, shape (perturbations, parts)
    score : array, shape (targets,)
        What the model says of the whole.
    scores : array, shape (perturbations, targets)
        What it says of what is shown.
    distances : array, shape (perturbations,)
    width
        Of the kernel, in units of the distances.
    options
        Checked ones.

    Returns
    -------
    LocalFit
        Of one instance.
    """
    around = Neighbourhood(
        np.ones(shown.shape[1]), score, shown.astype(np.float64) - 1, scores, kernel_weights(distances, width)
    )
    return local_fit([around], options)


def one_by_one(fits: list[LocalFit], *, several: bool) -> dict[str, Any]:
    """
    Put the fits of instances with different parts together.

    Parameters
    ----------
    fits
        Of one instance each.
    several
        Whether there is an axis of targets; otherwise the only target loses its axis.

    Returns
    -------
    dict
        By the names of `LimeExplanation`: a tuple of arrays what differs in size, arrays over all instances the rest.
    """
    asked = [fit.as_asked(several=several) for fit in fits]
    together: dict[str, Any] = {}
    for name in LocalFit._fields:
        parts = [one[name] for one in asked]
        ragged = name in ("coefficients", "standard_errors")
        together[name] = tuple(part[0] for part in parts) if ragged else np.concatenate(parts)
    return together
