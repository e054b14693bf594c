import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from vitrina.explain import ablation_accuracies, layer_activations, random_directions, selectivity
from vitrina.models import dense_network


@given(seed=st.integers(0, 1000), ties=st.booleans())
def test_selectivity_is_the_best_classs_auc(seed, ties):
    generator = np.random.default_rng(seed)
    labels = np.arange(30) % 3
    values = generator.standard_normal((30, 4))
    values = np.maximum(np.rint(2 * values), 0) if ties else values
    areas = [[roc_auc_score(labels == each, column) for each in range(3)] for column in values.T]
    np.testing.assert_allclose(selectivity(values, labels), np.abs(2 * np.array(areas) - 1).max(axis=1))


def test_selectivity_is_one_where_a_class_stands_apart_and_nothing_where_all_is_equal():
    labels = np.array([0, 0, 1, 1, 2, 2])
    values = np.stack([[5, 6, 1, 1, 2, 2], [1, 1, 1, 1, 1, 1], [-9, -8, 1, 2, 3, 3]], axis=1)
    np.testing.assert_allclose(selectivity(values, labels), [1, 0, 1])
    np.testing.assert_allclose(selectivity(np.exp(values), labels), selectivity(values, labels))


def test_random_directions_are_mixtures_of_length_one():
    activations = np.random.default_rng(0).standard_normal((5, 7))
    said = random_directions(activations, 11, seed=3)
    directions = np.linalg.lstsq(activations, said, rcond=None)[0]
    assert said.shape == (5, 11)
    np.testing.assert_allclose(said, random_directions(activations, 11, seed=3))
    seen = random_directions(np.eye(7), 11, seed=3)  # the directions themselves
    np.testing.assert_allclose(np.linalg.norm(seen, axis=0), 1)
    np.testing.assert_allclose(activations @ seen, said)
    assert np.all(np.linalg.norm(directions, axis=0) <= 1 + 1e-9)


def test_cutting_a_unit_takes_what_only_it_knew():
    """Two units, each of which speaks for one of two classes; a third is idle."""
    model = dense_network([np.eye(3), np.array([[1.0, 0], [0, 1], [0, 0]])], [np.zeros(3), np.array([0.0, 0.1])])
    inputs = np.array([[1.0, 0, 5], [2, 0, 1], [0, 1, 3], [0, 2, 0], [0, 0.05, 1]])
    labels = [0, 0, 1, 1, 1]
    name = model.layers[0].name
    accuracies = ablation_accuracies(model, inputs, labels, [[0, 1], [], [2], [0]], layer=name)
    left = layer_activations(model, inputs, name)
    left[:, 0] = left[:, 0].mean()
    alone = np.mean((left[:, 0] < left[:, 1] + 0.1) == labels)
    np.testing.assert_allclose(accuracies, [0.6, 1, 1, alone])
    assert alone < 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: selectivity(np.zeros((3, 2)), [0, 1]), "shapes"),
        (lambda: selectivity(np.zeros((3, 2)), [1, 1, 1]), "two classes"),
        (lambda: random_directions(np.zeros(3), 2), "shape"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_unit_that_is_not_there_cannot_be_cut(make_network):
    model = make_network((4, 3))
    with pytest.raises(ValueError, match="units 0 to 2"):
        ablation_accuracies(model, np.zeros((2, 4)), [0, 1], [[3]], layer=model.layers[0].name)
