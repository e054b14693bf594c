"""Concept activation vectors: whether a concept has a direction in a layer, and whether a class depends on it.

TCAV (Kim et al. 2018, arXiv 1711.11279) needs examples of a concept, counter-examples, and samples of a class:

1. A linear classifier tells the layer's activations of both kinds apart. Its normal is the **concept activation
   vector** (section 3.2). Against the examples of another concept it is a **relative** one (section 3.6).
2. The **directional derivative** along it, the gradient of the class's logit times the vector, says for a sample
   whether more of the concept means more of the class (section 3.3).
3. The **TCAV score** is the share of the samples where it does (section 3.4).
4. **Any two sets of examples have such a vector**, random ones too. So vectors from many counter-sets are compared with
   vectors of random examples against random examples (section 3.5).

Step 4 needs care. The paper trains many vectors from the *same* concept examples. Their scores agree with each other
because they share those examples, not because the concept matters, so a t-test takes one draw for many: at a level of
5 % it called nearly half of the random concepts significant (the tests measure it). Here each vector has concept
examples of its own, unless that procedure is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import keras
import numpy as np
import numpy.typing as npt

from vitrina.explain.concept_vectors import FEWEST, Classifier, Floats, flat, learn_vector
from vitrina.explain.layers import layer_activations, logit_gradients
from vitrina.explain.request import Target, positive_int
from vitrina.explain.significance import holm, welch
from vitrina.threads import one_thread

Examples = Literal["fresh", "same"]

_GROUPS = 3  # of random examples for a run: the concept's counter-set, and a random set with its own


@dataclass(frozen=True, eq=False)
class Tcav:
    """
    How a class depends on concepts.

    Attributes
    ----------
    names : tuple of str
        The concepts.
    directions : array, shape (concepts, runs, units)
        The vectors.
    accuracies : array, shape (concepts, runs)
        Of their classifiers, on held-out examples.
    scores : array, shape (concepts, runs)
        Share of the samples with a positive directional derivative.
    random_scores : array, shape (runs,)
        The same of vectors of random examples against random examples.
    p_values : array, shape (concepts,)
        How surprising the difference to the random scores would be if the concept were a random one: Welch's t-test,
        corrected for the number of concepts by Holm's method.
    """

    names: tuple[str, ...]
    directions: Floats
    accuracies: Floats
    scores: Floats
    random_scores: Floats
    p_values: Floats

    @property
    def agreement(self) -> Floats:
        """Mean cosine of two vectors of one concept, from -1 to 1; shape (concepts,)."""
        runs = self.directions.shape[1]
        lengths = np.sum(self.directions.sum(axis=1) ** 2, axis=1)
        return (lengths - runs) / (runs * (runs - 1))

    def significant(self, *, level: float = 0.05) -> npt.NDArray[np.bool_]:
        """Return which concepts' scores differ from random ones by more than chance; shape (concepts,)."""
        return self.p_values < level

    def __str__(self) -> str:
        width = max(map(len, (*self.names, "random")))
        rows = [
            f"{name:{width}s}  score {scores.mean():.2f} ± {scores.std(ddof=1):.2f}   p {p:.1e}   "
            f"classifier {accuracy:.2f}   {'significant' if found else 'like a random concept'}"
            for name, scores, p, accuracy, found in zip(
                self.names, self.scores, self.p_values, self.accuracies.mean(axis=1), self.significant(), strict=True
            )
        ]
        by_chance = f"{'random':{width}s}  score {self.random_scores.mean():.2f} ± {self.random_scores.std(ddof=1):.2f}"
        return "\n".join([*rows, f"{by_chance}   {len(self.random_scores)} vectors each"])


def tcav_scores(gradients: npt.ArrayLike, directions: npt.ArrayLike) -> Floats:
    """
    Return the share of samples in which more of a concept means more of the class (Kim et al. 2018, eq. 2).

    Parameters
    ----------
    gradients : array, shape (samples, ...)
        Of the class's logit with respect to the layer.
    directions : array, shape (..., units)
        Concept activation vectors of the same layer.

    Returns
    -------
    array, shape (...)
        From 0 to 1. Samples that do not depend on the direction at all do not count as positive.
    """
    slopes = flat(gradients, "the gradients")
    return np.mean(np.asarray(directions) @ slopes.T > 0, axis=-1)


def tcav_test(
    concepts: Mapping[str, npt.ArrayLike],
    random: npt.ArrayLike,
    gradients: npt.ArrayLike,
    *,
    runs: int = 20,
    examples: Examples = "fresh",
    classifier: Classifier = "logistic",
    seed: int = 0,
) -> Tcav:
    """
    Test whether a class depends on concepts, from activations and gradients of any layer of any network.

    Parameters
    ----------
    concepts : mapping from name to array, shape (n, ...)
        Activations for examples of each concept.
    random : array, shape (m, ...)
        Activations for random examples. For relative vectors these are the examples of another concept: the question
        then is whether the class tells the two concepts apart.
    gradients : array, shape (samples, ...)
        Of the class's logit with respect to the layer, at samples of the class.
    runs
        How many vectors of each concept, and how many random ones. Each has examples of its own: they are drawn without
        replacement, 3 * runs groups from the random ones, so that all scores are independent.
    examples : {"fresh", "same"}
        Whether each run has concept examples of its own, or all runs share them, as in the paper.
    classifier
        As for `concept_vector`.
    seed
        Draws the groups.

    Returns
    -------
    Tcav

    Raises
    ------
    ValueError
        If there are too few examples for so many runs, or arrays do not fit each other.
    """
    if not concepts or positive_int("runs", runs) < 2:
        raise ValueError(f"one concept and two runs at least are needed, got {len(concepts)} and {runs}")
    if examples not in ("fresh", "same"):
        raise ValueError(f"examples must be 'fresh' or 'same', got {examples!r}")
    pool, slopes = flat(random, "the random examples"), flat(gradients, "the gradients")
    known = {name: flat(values, f"concept {name!r}") for name, values in concepts.items()}
    if any(values.shape[1] != slopes.shape[1] for values in (pool, *known.values())):
        raise ValueError("activations and gradients must be those of one layer: their numbers of units differ")
    size = _group_size(known, len(pool), runs, examples)
    generator = np.random.default_rng(seed)
    groups = _groups(pool, _GROUPS * runs, size, generator)
    counters, sides = groups[:runs], (groups[runs : 2 * runs], groups[2 * runs :])
    learnt = {
        name: _learn_all(_examples(values, runs, size, examples, generator), counters, classifier)
        for name, values in known.items()
    }
    by_chance, _ = _learn_all(*sides, classifier)
    scores = np.stack([tcav_scores(slopes, directions) for directions, _ in learnt.values()])
    random_scores = tcav_scores(slopes, by_chance)
    return Tcav(
        names=tuple(learnt),
        directions=np.stack([directions for directions, _ in learnt.values()]),
        accuracies=np.stack([accuracies for _, accuracies in learnt.values()]),
        scores=scores,
        random_scores=random_scores,
        p_values=holm([welch(each, random_scores) for each in scores]),
    )


def tcav(
    model: keras.Model,
    inputs: npt.ArrayLike,
    target: Target,
    *,
    concepts: Mapping[str, npt.ArrayLike],
    random: npt.ArrayLike,
    layer: str,
    runs: int = 20,
    examples: Examples = "fresh",
    classifier: Classifier = "logistic",
    seed: int = 0,
) -> Tcav:
    """
    Test with concept activation vectors whether a class of a Keras model depends on concepts.

    Parameters
    ----------
    model
        A built classifier that returns logits (batch, classes).
    inputs : array, shape (batch, ...)
        Samples of the class.
    target : int or array of ints, shape (batch,)
        The class.
    concepts : mapping from name to array, shape (n, ...)
        Inputs that are examples of each concept. They and the random ones should differ in the concept only.
    random : array, shape (m, ...)
        Inputs that are random examples.
    layer
        Name of the layer in whose activations a concept is a direction.
    runs, examples, classifier, seed
        As for `tcav_test`.

    Returns
    -------
    Tcav

    Raises
    ------
    ValueError
        If the arguments do not fit the model, or there are too few examples for so many runs.
    """
    return tcav_test(
        {name: layer_activations(model, values, layer) for name, values in concepts.items()},
        layer_activations(model, random, layer),
        logit_gradients(model, inputs, target, layer),
        runs=runs,
        examples=examples,
        classifier=classifier,
        seed=seed,
    )


def _group_size(concepts: Mapping[str, Floats], pool: int, runs: int, examples: Examples) -> int:
    """Return how many examples of each kind a vector is learnt from and tested with."""
    share = runs if examples == "fresh" else 1
    fewest = min(map(len, concepts.values()))
    size = min(fewest // share, pool // (_GROUPS * runs))
    if size < FEWEST:
        raise ValueError(
            f"{runs} runs need {FEWEST * share} examples of each concept and {FEWEST * _GROUPS * runs} random ones "
            f"at least, got {fewest} and {pool}: give more examples, or take fewer runs"
        )
    return size


def _groups(values: Floats, count: int, size: int, generator: np.random.Generator) -> Floats:
    """Draw groups without a common member: (count, size, units)."""
    return values[generator.permutation(len(values))[: count * size]].reshape(count, size, -1)


def _examples(values: Floats, runs: int, size: int, examples: Examples, generator: np.random.Generator) -> Floats:
    if examples == "fresh":
        return _groups(values, runs, size, generator)
    return np.repeat(_groups(values, 1, size, generator), runs, axis=0)


def _learn_all(one: Floats, other: Floats, classifier: Classifier) -> tuple[Floats, Floats]:
    with one_thread():
        vectors = [learn_vector(*pair, classifier) for pair in zip(one, other, strict=True)]
    return np.stack([each.direction for each in vectors]), np.array([each.accuracy for each in vectors])
