"""Models lent to calls: building one takes as long as many calls of it, and so each is used again.

For the same parameters a call gets the same model as the last one, if that left it as it was. For other parameters of
the same shapes a model is filled anew, but only one that nobody holds: whoever keeps a model keeps its parameters.
"""

from __future__ import annotations

import hashlib
import json
import sys
import threading
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from vitrina.models import network_parameters
from vitrina.values import Array, encode, pack_array

if TYPE_CHECKING:
    from vitrina.values import ModelSpec

_MOST_LENT = 64


class _Loan:
    """A model, and how it was when it was built or filled.

    Parameters
    ----------
    spec : ModelSpec
        Its description.
    form : str
        What models have in common that can be filled with each other's parameters.
    key : bytes
        What only models have in common that are equal; nothing for one that is not to be given to anybody else.
    """

    def __init__(self, spec: ModelSpec, form: str, key: bytes) -> None:
        self.form, self.key = form, key
        self.model = spec.build()
        self._layers = _layers(self.model)
        self._parameters = self.model.get_weights()
        self._holders = _holders(self.model)

    def fill(self, spec: ModelSpec, key: bytes) -> bool:
        """Make another model of it, unless somebody holds it or a part of it, or has changed more than parameters."""
        fit = _holders(self.model) <= self._holders and _layers(self.model) == self._layers
        if fit:
            self.key = key
            self._parameters = network_parameters(spec.options)
            self.model.set_weights(self._parameters)
        return fit

    @property
    def untouched(self) -> bool:
        """Whether it still computes what it did."""
        same_parameters = map(np.array_equal, self.model.get_weights(), self._parameters)
        return _layers(self.model) == self._layers and all(same_parameters)


_loans: list[_Loan] = []
_choosing = threading.Lock()


def lend(spec: ModelSpec) -> Any:
    """Give a model to a call that may change it."""
    arrays: list[Array] = []
    form = _form(spec, arrays)
    key = hashlib.sha256(b"".join([form.encode(), *map(pack_array, arrays)])).digest()
    with _choosing:
        for loan in _loans:
            if loan.key == key and loan.untouched:
                return loan.model
        return _new(spec, form, key)


def lend_for_life(spec: ModelSpec) -> Any:
    """Give a model to calls that do not change it, until nobody holds it any more."""
    with _choosing:
        return _new(spec, _form(spec, []), b"")


def _form(spec: ModelSpec, arrays: list[Array]) -> str:
    """Describe a model without its numbers, which are added to `arrays`."""
    tree = encode(dict(spec.options), arrays)
    return json.dumps([spec.builder, tree, [[array.shape, str(array.dtype)] for array in arrays]])


def _new(spec: ModelSpec, form: str, key: bytes) -> Any:
    """Fill a model, or build one."""
    for loan in _loans:
        if loan.form == form and loan.fill(spec, key):
            return loan.model
    del _loans[: 1 - _MOST_LENT]
    _loans.append(_Loan(spec, form, key))
    return _loans[-1].model


def _layers(model: Any) -> list[tuple[Any, ...]]:
    """List what a model computes with, but for the parameters."""
    return [(layer, getattr(layer, "activation", None)) for layer in model.layers]


def _holders(model: Any) -> int:
    """Count the references to a model and to its parts."""
    return weakref.getweakrefcount(model) + sum(map(sys.getrefcount, [model, *model.layers, *model.weights]))
