"""PyTorch's own pickles, written here without PyTorch: modules of its names stand in while the file is made."""

import io
import pickle
import sys
from collections import OrderedDict
from types import ModuleType

import numpy as np
import pytest

from vitrina_datasets.torch_files import read_legacy

MAGIC = 0x1950A86A20F9469CFC6C


class FloatStorage(np.ndarray):
    """A flat array that a pickle names and does not hold."""


class LongStorage(np.ndarray):
    pass


class Rebuilt:
    """A tensor as PyTorch pickles it: a call of `_rebuild_tensor_v2`."""

    def __init__(self, storage, offset, shape, strides):
        self.arguments = (storage, offset, shape, strides, False, OrderedDict())

    def __reduce__(self):
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.arguments


class Pickler(pickle.Pickler):
    def persistent_id(self, obj):
        if isinstance(obj, (FloatStorage, LongStorage)):
            return ("storage", type(obj), str(id(obj)), "cpu", obj.size, None)
        return None


@pytest.fixture
def write(monkeypatch):
    """Write named tensors as `torch.save` did before version 1.6."""
    torch, utils = ModuleType("torch"), ModuleType("torch._utils")
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    for kind in (FloatStorage, LongStorage):
        monkeypatch.setattr(kind, "__module__", "torch")
        setattr(torch, kind.__name__, kind)

    def _rebuild_tensor_v2(*_):
        pytest.fail("the function of the file was called")

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2

    def write_(tensors, *, magic=MAGIC):
        file = io.BytesIO()
        for part in (magic, 1001, {"little_endian": True}):
            pickle.dump(part, file, 2)
        named = OrderedDict(tensors)
        named._metadata = OrderedDict(version=1)
        Pickler(file, 2).dump(named)
        storages = {
            str(id(tensor.arguments[0])): tensor.arguments[0]
            for tensor in tensors.values()
            if isinstance(tensor, Rebuilt)
        }
        pickle.dump(list(storages), file, 2)
        for storage in storages.values():
            file.write(storage.size.to_bytes(8, "little") + storage.tobytes())
        return file.getvalue()

    return write_


def storage(count, kind=FloatStorage, dtype="<f4"):
    return np.arange(count, dtype=dtype).view(kind)


def test_tensors_of_any_stride_that_share_a_storage(write):
    shared = storage(12)
    tensors = read_legacy(
        write(
            {
                "whole": Rebuilt(shared, 0, (3, 4), (4, 1)),
                "transposed": Rebuilt(shared, 0, (4, 3), (1, 4)),
                "part": Rebuilt(shared, 5, (2, 2), (4, 1)),
                "scalar": Rebuilt(storage(1, LongStorage, "<i8"), 0, (), ()),
                "last": Rebuilt(storage(2), 0, (2,), (1,)),
            }
        )
    )
    whole = np.arange(12, dtype=np.float32).reshape(3, 4)
    expected = {"whole": whole, "transposed": whole.T, "part": whole[1:, 1:3], "scalar": 0, "last": [0, 1]}
    assert list(tensors) == list(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(tensors[name], values)
    assert (tensors["whole"].dtype, tensors["scalar"].dtype) == (np.float32, np.int64)
    tensors["whole"][:] = 9  # a copy: the tensors do not share memory any more
    assert tensors["part"][0, 0] == 5


class Evil:
    def __reduce__(self):
        return print, ("executed",)


@pytest.mark.parametrize("named", [Evil(), len, np.float32(1)])
def test_whatever_else_a_pickle_names_is_refused_unexecuted(write, capsys, named):
    with pytest.raises(ValueError, match="has no place in a file of weights"):
        read_legacy(write({"weight": named}))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("place", [(0, (4, 4), (4, 1)), (6, (3, 4), (4, 1)), (-1, (2,), (1,)), (3, (2,), (-1,))])
def test_a_tensor_outside_its_storage_is_refused(write, place):
    with pytest.raises(ValueError, match="beyond its storage"):
        read_legacy(write({"weight": Rebuilt(storage(12), *place)}))


def test_other_files_are_refused(write):
    sound = write({"weight": Rebuilt(storage(12), 0, (3, 4), (4, 1))})
    other = write({"weight": Rebuilt(storage(12), 0, (3, 4), (4, 1))}, magic=1)
    for content in (b"", b"PK\x03\x04", other, sound[:-1], sound[:40], sound[:200]):
        with pytest.raises(ValueError, match="PyTorch file"):
            read_legacy(content)


def test_pytorch_itself_writes_such_files():
    torch = pytest.importorskip("torch", reason="PyTorch is a peer, not part of the environment")
    file = io.BytesIO()
    tensors = {"weight": torch.arange(6.0).reshape(2, 3).T, "count": torch.tensor(3)}
    torch.save(OrderedDict(tensors), file, _use_new_zipfile_serialization=False)
    for name, values in read_legacy(file.getvalue()).items():
        np.testing.assert_array_equal(values, tensors[name].numpy())
