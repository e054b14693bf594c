"""Partition SHAP of Keras models, estimators and functions: additive, against the game's own values and shap's."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import linkage
from scipy.ndimage import gaussian_filter

from vitrina.explain import grid_hierarchy, owen_values, partition_shap, superpixel_hierarchy, superpixels


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    layers = keras.layers
    stack = [layers.Conv2D(3, 3, activation="relu"), layers.Flatten(), layers.Dense(4, bias_initializer="normal")]
    return keras.Sequential([keras.Input((8, 10, 2)), *stack])


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(1).random((3, 8, 10, 2)).astype(np.float32)


@pytest.fixture(scope="module")
def labels(images):
    return superpixels(images, 8)


def explained(found):
    """What the attributions add up to, with the base and what is missing."""
    return (
        found.base
        + found.residual
        + found.attributions.sum(axis=tuple(range(found.base.ndim, found.attributions.ndim)))
    )


def textbook(model, image, target, labels, fills, tree):
    """One coalition and one reference at a time, pixel by pixel."""

    def worth(coalitions):
        scores = []
        for coalition in coalitions:
            said = []
            for fill in fills:
                shown = fill.copy()
                for row, column in np.ndindex(*labels.shape):
                    if coalition[labels[row, column]]:
                        shown[row, column] = image[row, column]
                said.append(float(np.asarray(model(shown[np.newaxis]))[0, target]))
            scores.append(np.mean(said))
        return np.array(scores)

    players = owen_values(worth, tree).attributions
    values = np.zeros(image.shape)
    for row, column in np.ndindex(*labels.shape):
        player = labels[row, column]
        values[row, column] = players[player] / ((labels == player).sum() * image.shape[-1])
    return values


def test_fast_form_is_the_textbook_form(model, images, assert_close):
    labels = superpixels(images, 4)
    fills = np.random.default_rng(2).random((2, *images.shape[1:])).astype(np.float32)
    found = partition_shap(model, images, [3, 0, 2], groups=labels, background=fills, coalitions=None)
    assert found.attributions.shape == images.shape
    for attributions, image, target, numbers in zip(found.attributions, images, [3, 0, 2], labels, strict=True):
        tree = superpixel_hierarchy(numbers, image)
        assert_close(attributions, textbook(model, image, target, numbers, fills, tree), 1e-5)


@given(
    st.integers(1, 300),
    st.sampled_from(["mean", "blur", "neighbours", 0.0, 0.7]),
    st.booleans(),
    st.sampled_from([0, [1, 2, 3], [[0, 3], [1, 1], [2, 0]]]),
)
@settings(max_examples=25)
def test_attributions_add_up_whatever_the_budget_and_the_background(
    model, images, labels, budget, background, labelled, target
):
    found = partition_shap(
        model,
        images,
        target,
        groups=labels if labelled else None,
        background=background,
        coalitions=budget + 1,
    )
    several = np.ndim(target) == 2
    scores = np.asarray(model(images))
    wanted = np.take_along_axis(scores, np.broadcast_to(np.array(target).reshape(-1, 1 + several), (3, 1 + several)), 1)
    assert found.attributions.shape == (3, *(2,) * several, 8, 10, 2)
    np.testing.assert_allclose(explained(found), wanted if several else wanted[:, 0], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found.residual, 0, atol=1e-10)
    assert np.all(found.evaluated <= max(2, budget + 1))
    assert np.all(found.undivided[found.evaluated == found.needed] == 0)


def test_on_a_linear_model_each_player_has_its_own_share(make_network, assert_close):
    linear = make_network((5, 3), bias=True, seed=7)
    x, background = np.random.default_rng(0).standard_normal((2, 5)), np.random.default_rng(1).standard_normal((6, 5))
    found = partition_shap(linear, x, 1, hierarchy=((0, (1, 2)), (3, 4)), background=background)
    assert_close(found.attributions, linear.get_weights()[0][:, 1] * (x - background.mean(axis=0)))
    assert_close(found.base, np.asarray(linear(background))[:, 1].mean().repeat(2))
    shared = partition_shap(linear, x, 1, groups=[0, 1, 1, 0, 2], background=background)
    parts = linear.get_weights()[0][:, 1] * (x - background.mean(axis=0))
    assert_close(np.stack(shared.players)[:, 1], parts[:, 1] + parts[:, 2])
    assert_close(shared.attributions[:, 1], shared.attributions[:, 2])


def test_a_flat_hierarchy_gives_shapleys_values_of_the_features(assert_close):
    product = lambda inputs: inputs.prod(axis=1)  # noqa: E731
    found = partition_shap(product, [[2.0, 3.0, 5.0]], 0, hierarchy=(0, 1, 2), background=0.0)
    assert_close(found.attributions, [[10, 10, 10]])
    # From 1, not 0: Shapley's values of 2 * 3 * 5 against 1 by the mean over six orders, written out.
    orders = [[1, 4, 24], [1, 20, 8], [3, 2, 24], [15, 2, 12], [5, 20, 4], [15, 10, 4]]
    found = partition_shap(product, [[2.0, 3.0, 5.0]], 0, hierarchy=(0, 1, 2), background=1.0)
    assert_close(found.attributions, [np.mean(orders, axis=0)])


def test_groups_change_the_answer_where_features_interact(assert_close):
    # x0 x2 and x1 alone; in groups (0, 1) and 2, the interaction is shared between the groups.
    model = lambda inputs: (inputs.sum(axis=1) >= 2).astype(float)  # noqa: E731
    found = partition_shap(model, np.ones((1, 3)), 0, hierarchy=((0, 1), 2), background=0.0)
    assert_close(found.attributions, [[0.5, 0.5, 0]])
    assert_close(
        partition_shap(model, np.ones((1, 3)), 0, hierarchy=(0, 1, 2), background=0.0).attributions, [[1 / 3] * 3]
    )


@pytest.mark.slow  # the library compiles itself at its first call
def test_shaps_explainer_with_the_same_clustering_agrees(images, assert_close):
    shap = pytest.importorskip("shap")
    small, baseline = images[:2, :4, :4], 0.3
    keras.utils.set_random_seed(1)
    stack = [keras.layers.Conv2D(3, 2, activation="tanh"), keras.layers.Flatten(), keras.layers.Dense(3)]
    network = keras.Sequential([keras.Input((4, 4, 2)), *stack])
    players = np.arange(16)
    tree = linkage(np.random.default_rng(0).random((16, 2)), "average")

    class Pixels(shap.maskers.Masker):
        shape, clustering = (1, 32), tree

        def __call__(self, mask, sample):
            present = mask[players].reshape(4, 4, 1)
            return (np.where(present, sample.reshape(4, 4, 2), np.float32(baseline)).reshape(1, 32),)

        def mask_shapes(self, _sample):
            return [(16,)]

    Pixels.shape = (1, 16)
    peer = shap.PartitionExplainer(lambda flat: np.asarray(network(flat.reshape(-1, 4, 4, 2))), Pixels())
    for image in small:
        ours = partition_shap(network, image[None], [[0, 1, 2]], hierarchy=tree, background=baseline, coalitions=None)
        peer._curr_base_value = None
        row = peer.explain_row(image.reshape(32), max_evals=10**6, main_effects=False, error_bounds=False, outputs=None,
                               silent=True, batch_size=64)  # fmt: skip
        assert_close(ours.players[0].T, row["values"], 1e-5)


def test_backgrounds_by_name(assert_close):
    strips = np.array([[0, 0, 1, 2, 2, 2]] * 4)
    image = np.array([1.0, 5.0, 2.0])[strips][..., np.newaxis]
    seen = lambda x: x[:, 0, [0, 2, 3], 0]  # noqa: E731  the colour of each strip

    def base(labels, background):
        return partition_shap(seen, image[np.newaxis], [[0, 1, 2]], groups=labels, background=background).base[0]

    assert_close(base(strips, "mean"), [image.mean()] * 3)
    assert_close(base(strips, "neighbours"), [5, 1.5, 5])
    assert_close(base(0 * strips, "neighbours"), [image.mean()] * 3)
    assert_close(base(strips, "blur"), gaussian_filter(image[..., 0], 0.5)[0, [0, 2, 3]])
    assert_close(base(strips, 0.25), [0.25] * 3)


def test_by_default_an_image_is_halved_and_its_pixels_are_players(model, images, assert_close):
    found = partition_shap(model, images[:1], 0, background=0.0, coalitions=200)
    named = partition_shap(
        model, images[:1], 0, groups=np.arange(80).reshape(8, 10), hierarchy=grid_hierarchy(8, 10), background=0.0,
        coalitions=200,
    )  # fmt: skip
    assert_close(found.attributions, named.attributions)
    assert found.undivided[0] > 0


def test_anything_that_scores_can_be_explained(images):
    from sklearn.linear_model import LogisticRegression

    generator = np.random.default_rng(0)
    table, tree = generator.standard_normal((60, 4)), ((0, 1), (2, 3))
    forest = LogisticRegression().fit(table, table[:, 0] * table[:, 2] > 0)
    found = partition_shap(forest, table[:2], 1, hierarchy=tree, background=table[:20])
    np.testing.assert_allclose(explained(found), forest.predict_proba(table[:2])[:, 1])
    logit = partition_shap(forest, table[:2], 1, hierarchy=tree, background=table[:20], output="logit")
    np.testing.assert_allclose(explained(logit), forest.decision_function(table[:2]))
    integers = partition_shap(lambda x: x.sum(axis=(1, 2, 3)), (images * 255).astype(np.uint8), 0, background=0)
    np.testing.assert_allclose(explained(integers), (images * 255).astype(np.uint8).sum(axis=(1, 2, 3)))


def test_frames_have_names_and_columns_can_be_players(assert_close):
    pandas = pytest.importorskip("pandas")
    generator = np.random.default_rng(0)
    table = pandas.DataFrame(generator.standard_normal((20, 3)), columns=["age", "hours", "pay"])
    model = lambda frame: frame["age"] * frame["pay"] + frame["hours"]  # noqa: E731
    both = partition_shap(model, table[:2], 0, groups={"work": ["hours", "pay"], "age": ["age"]}, background=table)
    plain = partition_shap(
        lambda x: x[:, 0] * x[:, 2] + x[:, 1], table[:2].to_numpy(), 0, groups=[1, 0, 0], background=table.to_numpy()
    )
    assert_close(both.attributions, plain.attributions)
    assert_close(explained(both), model(table[:2]))


def test_series_have_players_too(assert_close):
    series = np.random.default_rng(0).standard_normal((2, 6, 3))
    found = partition_shap(
        lambda x: x[:, :3].sum(axis=(1, 2)), series, 0, groups=[0, 0, 0, 1, 1, 1], hierarchy=(0, 1), background=0.0
    )
    assert_close(np.stack(found.players)[:, 0], series[:, :3].sum(axis=(1, 2)))


def test_no_sample_no_values_and_one_of_each(model, images):
    assert partition_shap(model, images[:0], 0).attributions.shape == (0, 8, 10, 2)
    one = partition_shap(lambda x: 3 * x[:, 0], [[2.0]], 0, hierarchy=0, background=[[1.0]])
    np.testing.assert_allclose(one.attributions, [[3]])
    assert one.evaluated[0] == one.needed[0] == 2


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"groups": np.zeros((8, 9), int)}, "groups must have shape"),
        ({"groups": np.zeros((8, 10))}, "ints"),
        ({"groups": np.full((8, 10), 2)}, "without a gap"),
        ({"groups": np.arange(80).reshape(8, 10) // 40, "hierarchy": (0, 1, 2)}, "2 players, not 3"),
        ({"hierarchy": (0, 0)}, "each player"),
        ({"background": "grey"}, "mean, blur, neighbours"),
        ({"background": np.zeros((0, 8, 10, 2))}, "empty"),
        ({"background": np.zeros((8, 10, 2))}, "references, 8, 10, 2"),
        ({"background": np.nan}, "finite"),
        ({"background": ["a"]}, "background must be"),
        ({"coalitions": 1}, "at least 2"),
        ({"coalitions": 0}, "at least 1"),
        ({"output": "margin"}, "output must be"),
        ({"target": 4}, "class from 0 to 3"),
        ({"target": [0, 1]}, "target must be"),
        ({"target": 0.5}, "target must be"),
        ({"inputs": np.zeros((8, 10, 2))}, "the model takes"),
        ({"inputs": np.zeros(8)}, "batch axis"),
        ({"inputs": np.full((1, 8, 10, 2), np.nan)}, "finite"),
        ({"inputs": np.array([["a"]])}, "numbers"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_does_not_fit_is_refused(model, images, given, words):
    asked = {"inputs": images, "target": 0, "groups": None} | given
    with pytest.raises(ValueError, match=words):
        partition_shap(model, asked.pop("inputs"), asked.pop("target"), **asked)


def test_tables_name_their_groups():
    with pytest.raises(ValueError, match="name the groups"):
        partition_shap(lambda x: x[:, 0], np.ones((1, 3)), 0, background=0.0)
    with pytest.raises(ValueError, match="made of an image"):
        partition_shap(lambda x: x[:, 0], np.ones((1, 3)), 0, hierarchy=(0, 1, 2))


def test_a_softmax_is_left_out_aloud(images):
    keras.utils.set_random_seed(0)
    network = keras.Sequential([keras.Input((8, 10, 2)), keras.layers.Flatten(), keras.layers.Dense(3, "softmax")])
    with pytest.warns(UserWarning, match="logits") as said:
        logits = partition_shap(network, images[:2], 0, coalitions=10)
    assert len(said) == 1
    with pytest.warns(UserWarning, match="logits"):
        differences = partition_shap(network, images[:1], [[0, 1]], coalitions=10)
    ratio = np.exp(explained(differences)[0] - explained(logits)[0])  # softmax, backwards
    np.testing.assert_allclose(ratio[1], network(images[:1])[0, 1] / network(images[:1])[0, 0], rtol=1e-5)
    sure = partition_shap(network, images[:1], 0, coalitions=10, output="probability")
    np.testing.assert_allclose(explained(sure), np.asarray(network(images[:1]))[:, 0], rtol=1e-6)
