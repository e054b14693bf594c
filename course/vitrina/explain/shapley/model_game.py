"""The game of a model: what it says of a sample when only the features of a coalition are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vitrina.explain.black_box import rows_at_once, scoring, value_type
from vitrina.explain.compiling import slices
from vitrina.explain.outputs import Output
from vitrina.explain.request import Target, as_targets
from vitrina.explain.shapley.coalitions import Members, Values
from vitrina.explain.shapley.players import Groups, player_of_each_value

Table = npt.NDArray[Any]
"""Samples with their values in one row each, (n, values)."""

_TOGETHER = 16  # coalitions in one call, where there is room: its rows fill the room whatever the number of samples


class Completed(NamedTuple):
    """
    How samples are completed of which some values are known.

    Attributes
    ----------
    rows
        Completes samples (n, values) with rows of the background (r, values): (coalitions, n, r, values).
    weights
        Of each row of the background for each sample, (coalitions, n, rows), adding up to 1; None where all weigh the
        same.
    """

    rows: Callable[[Table, Table], Table]
    weights: Callable[[Table], Values] | None = None


Completion = Callable[[Members], Completed]
"""From the known values (coalitions, values) to how the others are filled."""


class ModelGame:
    """
    A game of several samples at once: coalitions of features in, mean outputs of the model out.

    Attributes
    ----------
    players : int
        Features, or groups of them.
    attribution_shape : tuple of int
        Of one sample: its own, or (players,) where they are groups.
    """

    def __init__(self, request: ModelRequest, completion: Completion) -> None:
        self.players = int(request.labels.max()) + 1
        self.attribution_shape = request.attribution_shape
        self._request = request
        self._completion = completion

    def __call__(self, members: Members) -> Values:
        """
        Return what coalitions are worth.

        Parameters
        ----------
        members : array of bool, shape (m, players)

        Returns
        -------
        array of float64, shape (m, batch) or (m, batch, k)
            k of them where a sample has k targets.
        """
        members = np.asarray(members, bool)
        if members.ndim != 2 or members.shape[1] != self.players:
            raise ValueError(f"coalitions must be booleans of shape (m, {self.players}), got shape {members.shape}")
        asked, count = self._request, len(self._request.background)
        targets = asked.targets if asked.targets.ndim == 2 else asked.targets[:, np.newaxis]
        values = np.empty((len(members), *targets.shape))
        if not values.size:
            return values if asked.targets.ndim == 2 else values[..., 0]
        samples_at_once = min(len(targets), max(1, asked.room // (count * min(len(members), _TOGETHER))))
        coalitions_at_once = max(1, asked.room // (count * samples_at_once))
        for part in slices(len(members), coalitions_at_once):
            completed = self._completion(members[part][:, asked.labels])
            for some in slices(len(targets), samples_at_once):
                mean = self._mean_scores(asked.samples[some], completed)
                values[part, some] = np.take_along_axis(mean, targets[np.newaxis, some], axis=2)
        return values if asked.targets.ndim == 2 else values[..., 0]

    def _mean_scores(self, samples: Table, completed: Completed) -> Values:
        """Average what the model says of the completed samples: (coalitions, samples, outputs)."""
        asked, total = self._request, 0.0
        count = len(asked.background)
        weights = np.full((1, 1, count), 1 / count) if completed.weights is None else completed.weights(samples)
        for part in slices(count, asked.room):
            rows = completed.rows(samples, asked.background[part])
            said = asked.scores(rows.reshape(-1, *asked.sample_shape))
            said = said.reshape(*rows.shape[:3], asked.outputs).astype(np.float64)
            total = total + (weights[:, :, np.newaxis, part] @ said)[:, :, 0]
        return np.asarray(total)


class ModelRequest:
    """
    A checked request for the game of a model.

    Attributes
    ----------
    samples, background : arrays, shape (batch, values) and (rows, values)
    targets : array of int32, shape (batch,) or (batch, k)
    labels : array of ints, shape (values,)
        The player of each value.
    attribution_shape : tuple of int
        Of one sample.
    scores
        The model.
    outputs : int
        How many it has.
    room : int
        Rows that are in memory at once.
    """

    def __init__(
        self,
        model: Any,
        inputs: Any,
        target: Target,
        background: Any,
        groups: Groups | None,
        output: Output | None,
    ) -> None:
        samples, others, frame = samples_and_background(inputs, background)
        columns = None if frame is None else list(frame.columns)
        self.sample_shape = samples.shape[1:]
        self.labels, self.attribution_shape = player_of_each_value(groups, self.sample_shape, columns)
        takes_frames = hasattr(inputs, "columns") or hasattr(model, "predict")  # a function takes what inputs are
        self.scores = scoring(model, output=output, like=frame if takes_frames else None)
        # Both are scored as they are, so that what does not fit the model is refused before it is mixed.
        self.outputs = self.scores(others).shape[1]
        if len(samples):
            self.scores(samples)
        self.targets = as_targets(target, len(samples), self.outputs)
        kind = value_type(model) or samples.dtype
        self.samples, self.background = (
            table.astype(kind, copy=False).reshape(len(table), self.labels.size) for table in (samples, others)
        )
        self.room = rows_at_once(self.labels.size)


def samples_and_background(inputs: Any, background: Any) -> tuple[npt.NDArray[Any], npt.NDArray[Any], Any]:
    """
    Check samples and background against each other.

    Parameters
    ----------
    inputs, background : arrays or pandas frames, shape (batch, ...) and (rows, ...)

    Returns
    -------
    samples, background : arrays of one type
        Numbers of any kind become the wider one; texts and numbers keep their own among Python's objects.
    frame
        The one that was given, if any, for the names and types of its columns.

    Raises
    ------
    ValueError
        If they do not fit each other, or the background is empty.
    """
    frame = next((given for given in (background, inputs) if hasattr(given, "columns")), None)
    columns = None if frame is None else list(frame.columns)
    tables = [_as_samples(*given, columns) for given in (("inputs", inputs), ("background", background))]
    samples, others = tables
    if not len(others):
        raise ValueError("the background is empty: give at least one row")
    if samples.shape[1:] != others.shape[1:]:
        raise ValueError(
            f"inputs and background must hold samples of one shape, got {samples.shape[1:]} and {others.shape[1:]}"
        )
    numbers = all(table.dtype.kind in "fiub" for table in tables)
    kind = np.result_type(*tables) if numbers else np.dtype(object)
    return samples.astype(kind, copy=False), others.astype(kind, copy=False), frame


def _as_samples(name: str, given: Any, columns: list[Any] | None) -> npt.NDArray[Any]:
    if hasattr(given, "columns") and list(given.columns) != columns:
        raise ValueError(f"inputs and background have other columns: {list(given.columns)} and {columns}")
    samples = np.asarray(given)
    if samples.ndim < 2:
        hint = ""
        if samples.ndim == 1:
            hint = f"; one sample is {name}[np.newaxis], one row of a frame frame.iloc[[0]]"
        raise ValueError(f"{name} must have a batch axis and features, (n, ...), got shape {samples.shape}{hint}")
    if 0 in samples.shape[1:]:
        raise ValueError(f"{name} must have features, got shape {samples.shape}")
    return samples
