"""Black boxes: a Keras model, a scikit-learn estimator or a plain function, as one fast function of a batch.

Methods that only ask a model for its scores need to know nothing else about it. They ask often, so a Keras model is
compiled and called in chunks: `model.predict`, which prepares a whole data pipeline for each call, costs a hundred
times as much on small batches.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import ref

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from vitrina.explain.compiling import compiled, graph_function, in_chunks
from vitrina.explain.outputs import Output
from vitrina.explain.request import as_logits, before_squashing, squashing
from vitrina.models import Array

Scores = Callable[[Any], Array]
"""Samples (n, ...) to scores (n, outputs)."""

_CHUNK = 16384  # rows of a table in one call: starting a call costs as much as computing some thousand of them
_CHUNK_VALUES = 1 << 18  # input values in one call: what the layers make of them must fit too
_FEWEST = 16


def scoring(model: Any, *, output: Output | None = None, like: Any = None) -> Scores:
    """
    Return one fast function of a batch for a Keras model, a scikit-learn estimator or a plain function.

    What the scores are, unless `output` says otherwise:

    - of a Keras model its logits: a softmax or sigmoid at its end is left out, which is said by a warning;
    - of a classifier its `predict_proba`, the probabilities;
    - of another estimator its `predict`;
    - of a function what it returns.

    Parameters
    ----------
    model : keras.Model, estimator or callable
        A Keras model must be built, with one input and an output (batch, outputs). A function takes samples and returns
        (n,) or (n, outputs); it decides itself what it takes, be it a list of texts.
    output
        "probability" for the softmax (of a Keras model with one logit: the sigmoid) or `predict_proba`; "logit" for a
        Keras model's logits or a classifier's log-odds log(p / (1 - p)), each class against all others. A function is
        always scored as it is.
    like : pandas frame, optional
        Samples that come as an array get the column names and types of this frame before an estimator or a function
        sees them. An estimator that was fitted on a frame needs it only where columns are not numbers.

    Returns
    -------
    callable
        Takes an array (n, ...), a pandas frame or a list, and returns an array (n, outputs) of finite floats: in the
        type of a Keras model, otherwise as the model computes them. The same samples always give the same scores.

    Raises
    ------
    ValueError
        If the model cannot be scored so. The function raises it for samples that do not fit, for none at all, and where
        the model returns something else than a finite number for each sample and output.

    Warns
    -----
    UserWarning
        If no output is named and a Keras model ends in a softmax or sigmoid: its logits are the scores.

    Examples
    --------
    >>> scores = scoring(lambda inputs: inputs.sum(axis=1))
    >>> scores([[1.0, 2.0], [3.0, 4.0]])
    array([[3.],
           [7.]])
    """
    if output not in (None, "logit", "probability"):
        raise ValueError(f"output must be 'logit', 'probability' or None, got {output!r}")
    if isinstance(model, keras.Model):
        says = _of_keras(model, output)
    elif hasattr(model, "predict"):
        says = _with_names(_of_estimator(model, output), _names(model) if like is None else like)
    elif not callable(model):
        raise ValueError(
            f"a model is a Keras model, an estimator with predict or a function of samples, got a {_kind(model)}"
        )
    elif output is not None:
        raise ValueError(f"a function is scored as it is: let it return the {output} itself and leave output out")
    else:
        says = _on_copies(_with_names(model, like))

    def scores(inputs: Any) -> Array:
        samples = _as_samples(inputs)
        return _as_scores(says(samples), samples)

    return scores


def score_function(model: keras.Model, output: Output | None) -> Any:
    """
    Return the compiled function behind the scores of a Keras model.

    Parameters
    ----------
    model, output
        As `scoring` took them.

    Returns
    -------
    concrete function
        The same one until the model's layers or their activations change.
    """
    return _function(*_part(model, output or "logit"))  # of a logit that no one asked for, `scoring` has warned


def rows_at_once(values: int) -> int:
    """
    How many samples a model is asked for in one call, so that memory stays bounded.

    Parameters
    ----------
    values
        Of a sample.

    Returns
    -------
    int
    """
    return min(_CHUNK, max(_FEWEST, _CHUNK_VALUES // max(1, values)))


def value_type(model: Any) -> str | None:
    """
    Name the type of the values that a model takes.

    Parameters
    ----------
    model
        As for `scoring`.

    Returns
    -------
    str or None
        None if only the model knows.
    """
    takes = isinstance(model, keras.Model) and getattr(model, "inputs", None)
    return str(takes[0].dtype) if takes else None


def _kind(model: Any) -> str:
    return model.__name__ if isinstance(model, type) else type(model).__name__


def _as_samples(inputs: Any) -> Any:
    """Return a frame as it is and all else as an array; texts stay Python's strings."""
    texts = isinstance(inputs, (list, tuple)) and all(isinstance(one, str) for one in inputs)
    samples: Any = inputs if hasattr(inputs, "columns") else np.asarray(inputs, dtype=object if texts else None)
    if samples.ndim == 0 or (samples.ndim == 1 and samples.dtype.kind in "fiub"):
        raise ValueError(
            f"inputs need a batch axis, (n, ...), got shape {samples.shape}; one sample is inputs[np.newaxis]"
        )
    if not len(samples):
        raise ValueError("inputs hold no sample: there is nothing to score")
    return samples


def _as_scores(returned: Any, samples: Any) -> Array:
    """Return what a model says as (n, outputs), if it is that."""
    if returned is None:
        raise ValueError("the model returned nothing: is the `return` missing?")
    try:
        values = np.asarray(returned)
    except ValueError:  # a list of arrays of several lengths
        values = np.asarray(None)
    count = len(samples)
    if values.shape == (count,):
        values = values[:, np.newaxis]
    if values.shape != (count, *values.shape[1:2]) or not values.size or values.dtype.kind not in "fiub":
        raise ValueError(
            f"the model must return one row of numbers per sample, ({count},) or ({count}, outputs), got shape "
            f"{values.shape} of {values.dtype}"
        )
    if not np.all(np.isfinite(values)):
        sample = int(np.argmin(np.isfinite(values).all(axis=1)))
        raise ValueError(f"the model's score of sample {sample} is NaN or infinite: is a value missing or too large?")
    return values if values.dtype.kind == "f" else values.astype(np.float64)


def _of_estimator(model: Any, output: Output | None) -> Callable[[Any], Any]:
    if isinstance(model, type):
        raise ValueError(f"the model is the class {_kind(model)}: give a fitted one, {_kind(model)}(...).fit(...)")
    if hasattr(model, "predict_proba"):
        return _log_odds(model) if output == "logit" else model.predict_proba
    if output is None and not hasattr(model, "classes_"):
        return model.predict
    raise ValueError(
        f"a {_kind(model)} has no predict_proba: calibrate it (CalibratedClassifierCV), or give a function that "
        "returns numbers, such as model.decision_function"
    )


def _log_odds(model: Any) -> Callable[[Any], Any]:
    def log_odds(samples: Any) -> Any:
        probabilities = np.asarray(model.predict_proba(samples))
        if probabilities.ndim != 2:
            return probabilities
        # The others' sum, not 1 - p, which loses the digits of a p near 1.
        others = probabilities @ (1 - np.eye(probabilities.shape[1]))
        if np.any(probabilities <= 0) or np.any(others <= 0):
            raise ValueError(
                f"the {_kind(model)} is certain of some sample, so its log-odds are infinite: use output='probability'"
            )
        return np.log(probabilities) - np.log(others)

    return log_odds


def _names(model: Any) -> Any:
    """Return an empty frame with the columns that an estimator was fitted on, if those had names."""
    names = getattr(model, "feature_names_in_", None)
    if names is None:
        return None
    import pandas as pd

    return pd.DataFrame(columns=names)


def _on_copies(says: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Let a function that standardises its samples in place do so: they are the caller's, and asked for again."""

    def score(samples: Any) -> Any:
        return says(samples.copy())

    return score


def _with_names(says: Callable[[Any], Any], like: Any) -> Callable[[Any], Any]:
    if like is None:
        return says

    def named(samples: Any) -> Any:
        return says(samples if hasattr(samples, "columns") else _as_frame(samples, like))

    return named


def _as_frame(samples: npt.NDArray[Any], like: Any) -> Any:
    import pandas as pd

    if samples.ndim != 2 or samples.shape[1] != len(like.columns):
        raise ValueError(f"inputs must have {len(like.columns)} columns, as the model's own, got shape {samples.shape}")
    frame = pd.DataFrame(samples, columns=like.columns)
    if samples.dtype != object:
        return frame
    if not len(like):
        return frame.infer_objects()
    # Whole numbers may become fractions when an explainer changes them: every number is a float.
    number, truth = pd.api.types.is_numeric_dtype, pd.api.types.is_bool_dtype
    return frame.astype(
        {name: float if number(kind) and not truth(kind) else kind for name, kind in like.dtypes.items()}
    )


def _of_keras(model: keras.Model, output: Output | None) -> Callable[[Any], Any]:
    tensors = getattr(model, "inputs", None) or ()
    if len(tensors) != 1 or not isinstance(model.output_shape, tuple) or len(model.output_shape) != 2:
        raise ValueError(f"model {model.name!r} must be built, with one input and an output (batch, outputs)")
    part, squash = _part(model, output)
    shape, dtype = tuple(tensors[0].shape), str(tensors[0].dtype)

    def scores(samples: Any) -> Array:
        values = _as_model_takes(np.asarray(samples), shape, dtype)
        return in_chunks(_function(part, squash), values, chunk=rows_at_once(values[:1].size))

    return scores


def _part(model: keras.Model, output: Output | None) -> tuple[keras.Model, str | None]:
    """Return the model up to where the output asked for is, and the function that still has to be applied to it."""
    squashed = squashing(model)
    if output == "probability":
        return model, None if squashed else "sigmoid" if model.output_shape[1] == 1 else "softmax"
    if output is None:
        return as_logits(model), None
    return before_squashing(model) if squashed else model, None


def _function(part: keras.Model, squash: str | None) -> Any:
    return compiled(part, ("scores", squash), lambda: _compile(part, squash))


def _compile(model: keras.Model, squash: str | None) -> Any:
    reference = ref(model)

    def says(values: Any) -> Any:
        outputs = reference()(values, training=False)  # pyright: ignore[reportOptionalCall]
        return outputs if squash is None else getattr(tf.nn, squash)(outputs)

    # The concrete function: one signature only, so that no call need look for the one that fits.
    return graph_function(says, tf.TensorSpec(model.inputs[0].shape, model.inputs[0].dtype)).get_concrete_function()


def _as_model_takes(values: npt.NDArray[Any], shape: tuple[int | None, ...], dtype: str) -> npt.NDArray[Any]:
    """Return samples in the shape and type of a Keras model's input."""
    fits = values.ndim == len(shape) and all(
        size is None or size == has for size, has in zip(shape[1:], values.shape[1:], strict=True)
    )
    if not fits:
        wanted = ", ".join(["n", *map(str, shape[1:])])
        raise ValueError(f"inputs must have the shape ({wanted}) that the model takes, got {values.shape}")
    if dtype == "string":
        return values.astype(object)
    try:
        numbers = values.astype(np.float64) if values.dtype == object else values
    except (TypeError, ValueError):
        numbers = values.astype(str)
    if numbers.dtype.kind not in "fiub":
        raise ValueError(
            f"a Keras model takes numbers, got inputs of {values.dtype}: turn categories into columns first"
        )
    # A sum is finite only if all is, and quicker; that of large values may overflow, so it is not the last word.
    if not np.isfinite(numbers.sum()) and not np.all(np.isfinite(numbers)):
        sample = int(np.argmin(np.isfinite(numbers).reshape(len(numbers), -1).all(axis=1)))
        raise ValueError(f"inputs must be finite, sample {sample} holds NaN or inf")
    return numbers.astype(dtype, copy=False)
