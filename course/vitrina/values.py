"""What may travel between a student's kernel and the examiner: plain data and arrays, never code.

A value becomes a JSON tree in which arrays are replaced by their number in a list, so that the same form serves the
socket (`vitrina.protocol`) and the file of public cases (`vitrina.practice`). A model travels as the name of a
builder in `vitrina.models` plus the builder's options (its weights among them), a cooperative game as its table.
"""

from __future__ import annotations

import copy
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from types import MappingProxyType
from typing import Any, ClassVar, Self, cast

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from vitrina.functions import FUNCTION_BUILDERS
from vitrina.games import TableGame
from vitrina.membership import TableLanguage
from vitrina.recurrent import ElmanCell

Array = NDArray[Any]

#: Names the only argument of a call that asks for an entry of a dictionary, by its key.
QUESTION = "question"
_NUMERIC_KINDS = "biuf"
_MAX_DEPTH = 20
#: Control characters but for tab and newline, which do things in a terminal, and those that turn a line's direction.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]")


class ValueFormatError(ValueError):
    """The bytes or the tree are not a value of ours."""


@dataclass(frozen=True)
class Spec:
    """Something that is more than a value, as data: its fields travel, and the other side builds it of them.

    A new kind is a frozen dataclass with a `mark` of its own and a `build`, entered in `SPECS`.
    """

    mark: ClassVar[str]
    """Stands before its fields in a tree."""

    @classmethod
    def read(cls, tree: object) -> Self:
        """Make one of the fields that arrived; whatever is wrong with them is a `ValueFormatError`."""
        if not isinstance(tree, Mapping):
            raise ValueFormatError(f"{cls.mark} stands before the fields of one, not before {type(tree).__name__}")
        try:
            spec = cls(**cast(Mapping[str, Any], tree))
            spec.check()
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueFormatError(str(error)) from error
        return spec

    def check(self) -> None:
        """Look whether it can be built; a `ValueError` or `TypeError` says why not."""
        self.build()

    def build(self) -> Any:
        """Build it."""
        raise NotImplementedError

    def ready(self, *, shared: bool) -> Any:
        """Give it to a call, which may change it unless it is to be `shared` with others."""
        del shared
        return self.build()


@dataclass(frozen=True)
class ModelSpec(Spec):
    """A model as data.

    Parameters
    ----------
    builder : str
        Name of a function in `vitrina.models.MODEL_BUILDERS` or `vitrina.functions.FUNCTION_BUILDERS`.
    options : mapping
        Keyword arguments of that function: plain data and arrays.
    """

    mark = "$model"
    builder: str
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def is_function(self) -> bool:
        """Whether it is a plain function, which nobody can change, rather than a network."""
        return self.builder in FUNCTION_BUILDERS

    def check(self) -> None:
        """Look at the types only: building a model takes long."""
        given: Mapping[str, object] = vars(self)  # whatever arrived
        if not (isinstance(given["builder"], str) and isinstance(given["options"], Mapping)):
            raise TypeError("a model is the name of a builder and its options")

    def build(self) -> Any:
        """Build the Keras model, or the function."""
        if self.is_function:
            return FUNCTION_BUILDERS[self.builder](**self.options)
        from vitrina.models import MODEL_BUILDERS

        return MODEL_BUILDERS[self.builder](**self.options)

    @cached_property
    def shared(self) -> Any:
        """The model, the same as long as this description lives: for whoever does not change it."""
        if self.is_function:
            return self.build()
        from vitrina.lending import lend_for_life

        return lend_for_life(self)

    def lent(self) -> Any:
        """Give the model to a call that may change it."""
        if self.is_function:
            return self.build()
        from vitrina.lending import lend

        return lend(self)

    def ready(self, *, shared: bool) -> Any:
        """Build it once where nobody changes it; else use it again only where an earlier call left it as it was."""
        return self.shared if shared else self.lent()


@dataclass(frozen=True)
class GameSpec(Spec):
    """A cooperative game as data.

    Parameters
    ----------
    worths : array, shape (2^n,)
        The worth of every coalition, in the order of `vitrina.games.TableGame`.
    """

    mark = "$game"
    worths: Array

    def build(self) -> TableGame:
        """Make it a game that can be asked."""
        return TableGame(self.worths)


@dataclass(frozen=True)
class CellSpec(Spec):
    """An Elman network as data.

    Parameters
    ----------
    W, U, b, v : arrays, shapes (symbols, units), (units, units), (units,), (units,)
        Its parameters, as `vitrina.recurrent.ElmanCell` names them.
    c : float
        The offset of its logit.
    """

    mark = "$cell"
    W: Array
    U: Array
    b: Array
    v: Array
    c: float

    def build(self) -> ElmanCell:
        """Make it a cell with these attributes."""
        return ElmanCell(self.W, self.U, self.b, self.v, self.c)


@dataclass(frozen=True)
class LanguageSpec(Spec):
    """A regular language as data: the table of an automaton that accepts it.

    Parameters
    ----------
    transitions : array of ints, shape (states, symbols)
        The next state.
    accepting : array of bools, shape (states,)
        Where a word that ends belongs to the language.
    start : int
        The state before the first symbol.
    """

    mark = "$language"
    transitions: Array
    accepting: Array
    start: int = 0

    def build(self) -> TableLanguage:
        """Make it a language that can be asked."""
        return TableLanguage(self.transitions, self.accepting, self.start)


SPECS: Mapping[str, type[Spec]] = MappingProxyType(
    {spec.mark: spec for spec in (ModelSpec, GameSpec, CellSpec, LanguageSpec)}
)
"""What may travel besides plain data and arrays, by its mark."""


def realise(arguments: Mapping[str, Any], *, shared: bool = False) -> dict[str, Any]:
    """Build what stands among the arguments as a `Spec`, and copy arrays and lists, for a call that may change them.

    With `shared`, models are built only once, which takes most of the time: for calls of code of our own. Otherwise a
    model is used again only where an earlier call left it as it was.
    """
    return {name: _realised(value, shared) for name, value in arguments.items()}


def _realised(value: object, shared: bool) -> Any:
    if isinstance(value, Spec):
        return value.ready(shared=shared)
    return copy.deepcopy(value) if isinstance(value, np.ndarray | list) else value


def pack_array(array: Array) -> bytes:
    """Write an array as `.npy` bytes; object arrays are refused with a `ValueFormatError`."""
    if array.dtype.kind not in _NUMERIC_KINDS:
        raise ValueFormatError(f"an array of {array.dtype} cannot be sent, only numbers")
    buffer = io.BytesIO()
    npy.write_array(buffer, np.ascontiguousarray(array).reshape(array.shape), allow_pickle=False)
    return buffer.getvalue()


def unpack_array(data: bytes) -> Array:
    """Read `.npy` bytes; a header that promises more or other than the bytes hold is a `ValueFormatError`."""
    buffer = io.BytesIO(data)
    try:
        version = npy.read_magic(buffer)
        if version != (1, 0):
            raise ValueFormatError(f"unexpected .npy version {version}")
        shape, fortran, dtype = npy.read_array_header_1_0(buffer)
    except ValueFormatError:
        raise
    except Exception as error:
        raise ValueFormatError(f"not an array in .npy form: {error}") from error
    return _array_from(data[buffer.tell() :], shape, fortran, dtype)


def _array_from(body: bytes, shape: tuple[int, ...], fortran: bool, dtype: np.dtype[Any]) -> Array:
    """Make an array of exactly the bytes it claims to have: a lying header reserves no memory."""
    lengths = [length for length in shape if type(length) is int and length >= 0]  # a header may say `True`
    size = dtype.itemsize * math.prod(lengths)
    if dtype.kind not in _NUMERIC_KINDS or size != len(body) or len(lengths) != len(shape):
        raise ValueFormatError(f"array of {dtype} and shape {shape} does not match its {len(body)} bytes")
    try:
        return np.frombuffer(body, dtype).reshape(shape, order="F" if fortran else "C").copy()
    except ValueError as error:  # more axes, or a longer empty one, than NumPy knows
        raise ValueFormatError(f"an array cannot have this shape: {error}") from error


def plain_text(text: object, length: int) -> str:
    """Cut a text that others wrote to a length, and make it one that every file, page and terminal can hold."""
    return whole_text(_CONTROLS.sub("�", str(text)[:length]))


def whole_text(text: str) -> str:
    """Replace half characters, which no file can hold."""
    return text.encode(errors="replace").decode()


def encode(value: object, arrays: list[Array]) -> Any:
    """Turn a value into a JSON tree, appending its arrays to `arrays`.

    Raises
    ------
    ValueFormatError
        For anything that is not plain data, an array of numbers or a `Spec`.
    """
    if isinstance(value, np.ndarray):
        arrays.append(cast(Array, value))
        return {"$array": len(arrays) - 1}
    if isinstance(value, Spec):
        return {value.mark: encode({part.name: getattr(value, part.name) for part in fields(value)}, arrays)}
    if isinstance(value, Mapping):
        return {_key(key): encode(item, arrays) for key, item in cast(Mapping[Any, Any], value).items()}
    if isinstance(value, list | tuple):
        return [encode(item, arrays) for item in cast(Sequence[Any], value)]
    plain = value.item() if isinstance(value, np.generic) else value
    if plain is None or isinstance(plain, bool | int | float | str):
        return plain
    raise ValueFormatError(f"a {type(value).__name__} cannot be sent")


def decode(tree: Any, arrays: Sequence[Array], _depth: int = 0) -> Any:
    """Turn a JSON tree and its arrays back into the value; a malformed tree is a `ValueFormatError`."""
    if _depth > _MAX_DEPTH:
        raise ValueFormatError("nested too deeply")
    if isinstance(tree, list):
        return [decode(item, arrays, _depth + 1) for item in cast(list[Any], tree)]
    if not isinstance(tree, dict):
        return tree
    branch = cast(dict[str, Any], tree)
    if "$array" in branch:
        return _numbered(branch["$array"], arrays)
    for mark in branch.keys() & SPECS.keys():
        return SPECS[mark].read(decode(branch[mark], arrays, _depth + 1))
    return {_key(key): decode(item, arrays, _depth + 1) for key, item in branch.items()}


def _key(key: object) -> str:
    """Give a key of a mapping; those that begin with `$` are ours."""
    name = str(key)
    if name.startswith("$"):
        raise ValueFormatError(f"the key {name[:50]!r} is not for data")
    return name


def _numbered(number: object, arrays: Sequence[Array]) -> Array:
    if not isinstance(number, int) or not 0 <= number < len(arrays):
        raise ValueFormatError(f"there is no array {number!r}")
    return arrays[number]
