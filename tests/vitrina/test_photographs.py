import numpy as np
import pytest

import vitrina.photographs
from vitrina.photographs import gallery
from vitrina_datasets.classifiers import small_classifier
from vitrina_datasets.photographs import made_up_photographs
from vitrina_datasets.wheels import DataUnavailableError


def test_photographs_where_they_can_be_had(monkeypatch):
    monkeypatch.setattr(vitrina.photographs, "efficientnet_lite0", lambda **_: small_classifier())
    monkeypatch.setattr(vitrina.photographs, "class_names", lambda **_: tuple("abcdefghij"))
    monkeypatch.setattr(vitrina.photographs, "imagenet_photographs", lambda **_: made_up_photographs(3))
    monkeypatch.setattr(vitrina.photographs, "installed_photographs", lambda: made_up_photographs(2, seed=1))
    shown = gallery()
    assert shown.note == "small classifier and 5 photographs."
    assert (len(shown.photographs), len(shown.names), shown.layers[1]) == (5, 10, "top_activation")


def test_digits_where_they_cannot(monkeypatch):
    def refuse(**_):
        raise DataUnavailableError("the network is down")

    monkeypatch.setattr(vitrina.photographs, "efficientnet_lite0", refuse)
    shown = gallery()
    assert shown.note.endswith("digits instead, since the network is down.")
    pictures = np.stack([one.picture for one in shown.photographs])
    logits = np.asarray(shown.classifier.model(shown.classifier.preprocess(pictures)))
    right = np.mean(logits.argmax(axis=1) == [one.label for one in shown.photographs])
    assert right > 0.8
    for name in shown.layers:
        assert len(shown.classifier.model.get_layer(name).output.shape) == 4


@pytest.mark.slow
def test_named_layers_are_in_the_real_classifier():
    shown = gallery()
    for name in shown.layers:
        assert len(shown.classifier.model.get_layer(name).output.shape) == 4
