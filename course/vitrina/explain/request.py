"""What is to be explained: a model that returns logits, samples that fit it, the classes in question.

Every method begins here, so every method accepts, converts and refuses the same things in the same words.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from vitrina.explain.compiling import compiled, graph_function
from vitrina.models import Array

Target = int | npt.ArrayLike
"""The class to explain: one int for all samples, ints (batch,) for one each, ints (batch, k) for several each."""

_LOGITS: WeakKeyDictionary[keras.Model, tuple[Any, keras.Model]] = WeakKeyDictionary()
_SQUASHING = {"softmax", "sigmoid"}


class Request(NamedTuple):
    """
    A checked request for an explanation.

    Attributes
    ----------
    model
        Returns logits (batch, classes).
    inputs : array, shape (batch, ...)
        In the model's type.
    targets : array of int32, shape (batch,) or (batch, k)
        The classes to explain; with a second axis, attributions have it too, after the batch.
    """

    model: keras.Model
    inputs: Array
    targets: npt.NDArray[np.int32]

    @property
    def columns(self) -> npt.NDArray[np.int32]:
        """Targets as (batch, k), where one each is k = 1."""
        return self.targets if self.targets.ndim == 2 else self.targets[:, np.newaxis]

    def zeros(self) -> Array:
        """Attributions (batch, k, ...) to be filled."""
        return np.zeros((*self.columns.shape, *self.inputs.shape[1:]), self.inputs.dtype)

    def as_asked(self, attributions: Array) -> Array:
        """Return attributions (batch, k, ...) without the axis of targets, unless it was asked for."""
        return attributions if self.targets.ndim == 2 else attributions[:, 0]


def request(model: keras.Model, inputs: npt.ArrayLike, target: Target) -> Request:
    """
    Check model, inputs and target classes against each other.

    Integer inputs are converted to the model's type, value by value: they are not scaled. From a model that ends in a
    softmax or sigmoid the logits before it are explained, which is said by a warning.

    Parameters
    ----------
    model
        A built model with one input and an output (batch, classes).
    inputs : array, shape (batch, ...)
        Finite numbers in the shape that the model takes.
    target : int, or array of ints, shape (batch,) or (batch, k)
        One class for all samples, one class each, or k classes each.

    Returns
    -------
    Request

    Raises
    ------
    ValueError
        If the model is not built, has several inputs, no output (batch, classes) or weights that are not finite, or if
        inputs or target do not fit it.

    Warns
    -----
    UserWarning
        If the model ends in a softmax or sigmoid, which is left out.
    """
    tensors = getattr(model, "inputs", None) or ()
    if len(tensors) != 1 or not isinstance(model.output_shape, tuple) or len(model.output_shape) != 2:
        raise ValueError(f"model {model.name!r} must be built, with one input and an output (batch, classes)")
    if "float" not in str(tensors[0].dtype):
        raise ValueError(
            f"model {model.name!r} takes {tensors[0].dtype} inputs: there is no gradient to them; explain the part of "
            "the model after its Embedding, on the embedded words"
        )
    values = _as_numbers(inputs, tuple(tensors[0].shape)[1:]).astype(tensors[0].dtype, copy=False)
    targets = as_targets(target, len(values), int(model.output_shape[1]))
    _check_weights(model)
    return Request(as_logits(model), values, targets)


def baseline_values(baseline: npt.ArrayLike, inputs: Array) -> Array:
    """
    Give each sample its baseline.

    Parameters
    ----------
    baseline : number, or array of the shape of one sample or of inputs
        The samples that stand for "nothing is there".
    inputs : array, shape (batch, ...)
        Checked ones.

    Returns
    -------
    array, shape of inputs
        In their type; it may be a view that must not be written to.

    Raises
    ------
    ValueError
        If the baseline has another shape or is not finite.
    """
    values = np.asarray(baseline)
    shapes = ((), inputs.shape[1:], inputs.shape)
    if values.dtype.kind not in "fiub" or values.shape not in shapes or not np.all(np.isfinite(values)):
        raise ValueError(
            f"baseline must be a finite number or an array of shape {inputs.shape[1:]}, one for all samples, or "
            f"{inputs.shape}, one each; got shape {values.shape} of {values.dtype}"
        )
    return np.broadcast_to(values.astype(inputs.dtype), inputs.shape)


def background_values(model: keras.Model, background: npt.ArrayLike) -> Array:
    """
    Check references that all samples are compared with.

    Parameters
    ----------
    model
        A checked one.
    background : array, shape (references, ...)

    Returns
    -------
    array, shape (references, ...)
        In the model's type.

    Raises
    ------
    ValueError
        If there is none, or they do not fit the model.
    """
    try:
        values = request(model, background, 0).inputs
    except ValueError as error:
        raise ValueError(f"background: {error}") from None
    if not len(values):
        raise ValueError("the background is empty: give at least one reference")
    return values


def positive_int(name: str, value: int) -> int:
    """
    Check a number of steps, samples or the like.

    Parameters
    ----------
    name
        What the argument is called.
    value
        Its value.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If it is not an int of at least 1.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValueError(f"{name} must be an int of at least 1, got {value!r}")
    return int(value)


def as_logits(model: keras.Model) -> keras.Model:
    """
    Return the part of a classifier that ends in logits, with the same weights.

    Parameters
    ----------
    model
        A built model with one output.

    Returns
    -------
    keras.Model
        The model itself where it does not end in a softmax or sigmoid.

    Warns
    -----
    UserWarning
        If it does, which is then left out.
    """
    squashed = squashing(model)
    if squashed is None:
        return model
    message = f"model {model.name!r} ends in a {squashed}: the logits before it are explained, not the probability"
    warnings.warn(message, stacklevel=4)
    return before_squashing(model)


def before_squashing(model: keras.Model) -> keras.Model:
    """
    Return the part of a model that comes before its last softmax or sigmoid, with the same weights.

    Parameters
    ----------
    model
        A built model for which `squashing` names one.

    Returns
    -------
    keras.Model
    """
    last = model.layers[-1]
    known = _LOGITS.get(model)
    if known is None or known[0] is not last:
        known = _LOGITS[model] = (last, _without_squashing(model, last))
    return known[1]


def squashing(model: keras.Model) -> str | None:
    """
    Name the softmax or sigmoid that a model ends in.

    Parameters
    ----------
    model
        A built model with one output.

    Returns
    -------
    str or None
    """
    layer = model.layers[-1]
    if isinstance(layer, keras.layers.Softmax):
        return "softmax"
    name = getattr(getattr(layer, "activation", None), "__name__", None)
    return name if name in _SQUASHING else None


def _without_squashing(model: keras.Model, last: Any) -> keras.Model:
    alone = isinstance(last, (keras.layers.Softmax, keras.layers.Activation))
    linear = [] if alone else [_linear_twin(last)]
    if isinstance(model, keras.Sequential):  # its layers may be shared, and then have several inputs
        source = keras.Input(batch_shape=tuple(model.inputs[0].shape), dtype=model.inputs[0].dtype)
        return keras.Sequential([source, *model.layers[:-1], *linear])
    return keras.Model(model.inputs, last.input if alone else linear[0](last.input))


def _linear_twin(last: Any) -> Any:
    twin: Any = type(last).from_config(last.get_config() | {"activation": "linear", "name": f"{last.name}_logits"})
    twin._kernel, twin.bias = last._kernel, last.bias  # the same variables: what is learnt later is seen
    twin.built = True
    return twin


def _check_weights(model: keras.Model) -> None:
    """Refuse weights that are not finite: behind a ReLU they would look like an attribution of 0."""
    if not model.weights:
        return
    if compiled(model, "finite", lambda: _compile_finite(model))():
        return
    names = [weight.path for weight in model.weights if not np.all(np.isfinite(weight.numpy()))]
    raise ValueError(f"model {model.name!r} has weights that are not finite (NaN or inf): {', '.join(names)}")


def _compile_finite(model: keras.Model) -> Any:
    weights = [weight.value for weight in model.weights if "float" in str(weight.dtype)]

    def finite() -> Any:
        return tf.reduce_all(tf.stack([tf.reduce_all(tf.math.is_finite(weight)) for weight in weights]))

    return graph_function(finite)


def _as_numbers(inputs: npt.ArrayLike, features: tuple[int | None, ...]) -> npt.NDArray[Any]:
    """Return inputs as an array of finite numbers, shape (batch, *features)."""
    values = np.asarray(inputs)
    if values.dtype.kind not in "fiub":
        raise ValueError(f"inputs must be numbers, got an array of {values.dtype}")
    fits = values.ndim == len(features) + 1 and all(
        wanted in (None, size) for size, wanted in zip(values.shape[1:], features, strict=True)
    )
    if not fits:
        hint = "; one sample needs a batch axis: inputs[np.newaxis]" if values.ndim == len(features) else ""
        wanted = ", ".join(["batch", *map(str, features)])
        raise ValueError(f"inputs must have shape ({wanted}), got {values.shape}{hint}")
    if not np.all(np.isfinite(values)):
        sample = int(np.argmin(np.isfinite(values).reshape(len(values), -1).all(axis=1)))
        raise ValueError(f"inputs must be finite, sample {sample} holds NaN or inf")
    return values


def as_targets(target: Target, batch: int, classes: int) -> npt.NDArray[np.int32]:
    """
    Check target classes.

    Parameters
    ----------
    target : int, or array of ints, shape (batch,) or (batch, k)
        One class for all samples, one class each, or k classes each.
    batch
        Number of samples.
    classes
        Number of classes.

    Returns
    -------
    array of int32, shape (batch,) or (batch, k)

    Raises
    ------
    ValueError
        If they are not ints, of another shape, or not classes of the model.
    """
    targets = np.asarray(target)
    if targets.dtype.kind not in "iu" or not (targets.shape in ((), (batch,)) or _several(targets, batch)):
        raise ValueError(
            f"target must be an int or an array of {batch} ints, one per sample, or ({batch}, k) ints for k classes "
            f"each; got shape {targets.shape} of {targets.dtype}"
        )
    if np.any((targets < 0) | (targets >= classes)):
        raise ValueError(f"target must be a class from 0 to {classes - 1}, got {target}")
    return np.broadcast_to(targets, targets.shape or (batch,)).astype(np.int32)


def _several(targets: npt.NDArray[Any], batch: int) -> bool:
    return targets.ndim == 2 and len(targets) == batch and targets.shape[1] > 0
