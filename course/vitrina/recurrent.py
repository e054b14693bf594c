"""A recurrent cell as its parameters, ready for functions of one's own: it computes nothing by itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ElmanCell:
    """
    The parameters of an Elman network that says after each symbol whether the word so far belongs to a language.

        z_t = W[x_t] + h_{t-1} U + b        h_t = tanh(z_t)        logit_t = h_t v + c

    Elman (1990), "Finding structure in time", doi 10.1207/s15516709cog1402_1. Before the first symbol all units are 0.

    Attributes
    ----------
    W : array, shape (symbols, units)
        A row for each symbol.
    U : array, shape (units, units)
        From the row's unit to the column's.
    b : array, shape (units,)
        The units' biases.
    v : array, shape (units,)
        Weights of the logit of "belongs"; (units, 1) is taken too.
    c : float
        Its offset.

    Raises
    ------
    ValueError
        If the shapes do not agree, there is no symbol or no unit, or a number is not finite.
    """

    W: Floats
    U: Floats
    b: Floats
    v: Floats
    c: float

    def __post_init__(self) -> None:
        arrays = {name: _numbers(name, value) for name, value in vars(self).items()}
        if arrays["v"].ndim == 2 and arrays["v"].shape[1] == 1:
            arrays["v"] = arrays["v"][:, 0]
        if arrays["c"].size == 1:
            arrays["c"] = arrays["c"].reshape(())
        _check_shapes(arrays)
        for name, array in arrays.items():
            object.__setattr__(self, name, float(array) if name == "c" else array)


def _numbers(name: str, value: object) -> Floats:
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} must hold numbers, not {array.dtype}")
    array = array.astype(float)  # a copy
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name} holds NaN or infinite numbers: has the training diverged?")
    return array


def _check_shapes(arrays: dict[str, Floats]) -> None:
    if arrays["W"].ndim != 2 or not arrays["W"].size:
        raise ValueError(f"W must have the shape (symbols, units), got {arrays['W'].shape}")
    units = arrays["W"].shape[1]
    wanted = {"U": (units, units), "b": (units,), "v": (units,), "c": ()}
    for name, shape in wanted.items():
        if arrays[name].shape != shape:
            raise ValueError(
                f"W has {units} columns, one for each unit, so {name} must have the shape {shape}, "
                f"got {arrays[name].shape}"
            )
