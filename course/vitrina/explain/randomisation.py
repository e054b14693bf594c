"""Sanity check by randomisation: an explanation of a model must change when what the model has learnt is destroyed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np
import numpy.typing as npt

from vitrina.explain.outputs import as_attributions, one_class_each
from vitrina.explain.request import Target
from vitrina.explain.robustness import Method
from vitrina.explain.similarity import similarities
from vitrina.models import Array


@dataclass(frozen=True)
class Randomisation:
    """
    How much of an explanation survives the loss of the model's weights.

    Attributes
    ----------
    layers : list of str
        Names of the layers with weights, from the output down.
    mode
        "cascading": each stage has lost its layer and all above it; "independent": its layer alone.
    similarities : dict of arrays, shape (batch, 1 + layers)
        Similarity to the explanation of the trained model, by the names in `SIMILARITIES`. The first column compares
        that explanation with itself: it is 1.
    maps : array, shape (1 + layers, batch, ...)
        The explanations themselves, that of the trained model first.
    """

    layers: list[str]
    mode: Literal["cascading", "independent"]
    similarities: dict[str, Array]
    maps: Array


def parameter_randomisation(
    model: keras.Model,
    inputs: npt.ArrayLike,
    target: Target,
    method: Method,
    *,
    mode: Literal["cascading", "independent"] = "cascading",
    seed: int = 0,
) -> Randomisation:
    """
    Explain the same samples while the layers lose what they have learnt (Adebayo et al. 2018, arXiv 1810.03292).

    The weights of a layer are lost by shuffling the entries of each of its arrays. So their sizes stay those of the
    trained layer, whatever its initialiser was. The model itself is not touched: a copy is.

    Parameters
    ----------
    model
        A built classifier that returns logits (batch, classes).
    inputs : array, shape (batch, ...)
        The samples to explain.
    target : int or array of ints, shape (batch,)
        The class to explain.
    method
        Called as `method(model, inputs, target)`, once for each stage.
    mode
        "cascading" from the output down, or "independent": one layer at a time, the others as trained.
    seed
        Shuffles the weights.

    Returns
    -------
    Randomisation
        High similarity at the end means that the method shows the input rather than the model.

    Raises
    ------
    ValueError
        If the arguments do not fit the model, the model has no weights or cannot be copied, or the method returns
        another shape.
    """
    if mode not in ("cascading", "independent"):
        raise ValueError(f"mode must be 'cascading' or 'independent', got {mode!r}")
    asked = one_class_each(model, inputs, target)
    broken = _copy(asked.model)
    names: list[str] = []
    maps: list[Array] = []

    def explain() -> None:
        maps.append(as_attributions(method(broken, asked.inputs, asked.targets), asked.inputs))

    explain()
    generator = np.random.default_rng(seed)
    for layer in reversed(list(_with_weights(broken))):
        trained = layer.get_weights()
        layer.set_weights([generator.permutation(array.ravel()).reshape(array.shape) for array in trained])
        names.append(layer.name)
        explain()
        if mode == "independent":
            layer.set_weights(trained)
    if not names:
        raise ValueError(f"model {model.name!r} has no layer with weights: there is nothing to randomise")
    stages = [similarities(maps[0], each) for each in maps]
    alike = {name: np.stack([stage[name] for stage in stages], axis=1) for name in stages[0]}
    return Randomisation(names, mode, alike, np.stack(maps))


def _copy(model: keras.Model) -> Any:
    """Return a copy of a model with weights of its own."""
    try:
        copy: Any = keras.models.clone_model(model)
        copy.set_weights(model.get_weights())
    except (TypeError, NotImplementedError, ValueError) as error:
        raise ValueError(
            f"model {model.name!r} cannot be copied by keras.models.clone_model, and is not altered in place: {error}"
        ) from error
    return copy


def _with_weights(model: Any) -> Iterator[Any]:
    """Walk over the layers that have weights of their own, from the input up, into models within the model."""
    for layer in model.layers:
        if getattr(layer, "layers", None):
            yield from _with_weights(layer)
        elif layer.weights:
            yield layer
