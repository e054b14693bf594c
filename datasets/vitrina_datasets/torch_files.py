"""PyTorch's legacy weight files, read without PyTorch and without running what a pickle may ask for.

A legacy `.pth` file is five pickles, one after the other (a magic number, a protocol version, facts about the machine,
the tensors, the keys of their storages), then each storage as its length (int64) and its raw values. The pickle of the
tensors names exactly three things that are not plain data: an ordered dictionary, a kind of storage and the function
that makes a tensor out of a storage. A storage and a tensor are replaced here by data; any other name is refused.
"""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_TYPES = {"FloatStorage": "<f4", "DoubleStorage": "<f8", "LongStorage": "<i8", "IntStorage": "<i4"}


class _Tensor(NamedTuple):
    """Where the values of a tensor lie: in which storage, from which value on, in which strides (in values)."""

    storage: tuple[str, str]
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Unpickler(pickle.Unpickler):
    """Reads plain data and the descriptions of tensors; whatever else a pickle names is an error."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        if (module_name, global_name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module_name, global_name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _describe
        if module_name == "torch" and global_name in _TYPES:
            return _TYPES[global_name]
        raise pickle.UnpicklingError(f"{module_name}.{global_name} has no place in a file of weights")

    def persistent_load(self, pid: Any, /) -> tuple[str, str]:
        kind, dtype, key = pid[:3]
        if kind != "storage":
            raise pickle.UnpicklingError(f"{kind!r} has no place in a file of weights")
        return str(key), str(dtype)


def _describe(storage: tuple[str, str], offset: int, shape: Any, strides: Any, *_: Any) -> _Tensor:
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


def read_legacy(content: bytes) -> dict[str, npt.NDArray[Any]]:
    """
    Read the tensors of a PyTorch file in the format that `torch.save` wrote before version 1.6.

    Parameters
    ----------
    content
        The bytes of the file.

    Returns
    -------
    dict
        Arrays by the names of the tensors, in the order of the file.

    Raises
    ------
    ValueError
        If the file has another format, is cut off or names anything but tensors.
    """
    file = io.BytesIO(content)
    try:
        if (_Unpickler(file).load(), _Unpickler(file).load()) != (_MAGIC, _PROTOCOL):
            raise ValueError("the file does not begin like a legacy PyTorch file")
        _Unpickler(file).load()
        tensors: dict[str, _Tensor] = _Unpickler(file).load()
        keys: list[str] = _Unpickler(file).load()
        storages = _read_storages(file, keys, dict(tensor.storage for tensor in tensors.values()))
        return {name: _view(tensor, storages[tensor.storage[0]]) for name, tensor in tensors.items()}
    except (pickle.UnpicklingError, AttributeError, KeyError, IndexError, TypeError, EOFError, ImportError) as error:
        raise ValueError(f"not a legacy PyTorch file of weights: {error}") from error


def _read_storages(file: io.BytesIO, keys: list[str], types: dict[str, str]) -> dict[str, npt.NDArray[Any]]:
    storages: dict[str, npt.NDArray[Any]] = {}
    for key in keys:
        dtype = np.dtype(types[key])
        size = int.from_bytes(file.read(8), "little") * dtype.itemsize
        values = file.read(size)
        if len(values) != size:
            raise EOFError("it is cut off")
        storages[key] = np.frombuffer(values, dtype)
    return storages


def _view(tensor: _Tensor, storage: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Copy a tensor out of its storage, after making sure that it lies within."""
    last = tensor.offset + sum((size - 1) * step for size, step in zip(tensor.shape, tensor.strides, strict=True))
    if min((tensor.offset, *tensor.shape, *tensor.strides)) < 0 or last >= len(storage):
        raise ValueError(f"a tensor of shape {tensor.shape} reaches beyond its storage of {len(storage)} values")
    steps = [step * storage.itemsize for step in tensor.strides]
    return np.lib.stride_tricks.as_strided(storage[tensor.offset :], tensor.shape, steps).copy()
