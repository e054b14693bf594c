"""The search against all sets of patches, which a small grid allows to try one by one."""

from functools import cache, partial
from itertools import combinations

import keras
import numpy as np
import pytest

from vitrina.explain import structured_attention_graph
from vitrina.explain.patch_search import most_diverse, without

SIDE = 12


@cache
def network(seed):
    """A small CNN; sharpened, so that single patches matter."""
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    stack = [layers.Conv2D(6, 3, activation="relu"), layers.Conv2D(6, 3, strides=2, activation="relu")]
    model = keras.Sequential([keras.Input((SIDE, SIDE, 2)), *stack, layers.Flatten(), layers.Dense(3)])
    kernel, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([4 * kernel, bias])
    return model


def images(count=4, seed=0):
    return np.random.default_rng(seed).standard_normal((count, SIDE, SIDE, 2)).astype(np.float32)


def probabilities(model, image, target, grid, sets, fill=0.0):
    """Textbook: cover all patches but those of each set, softmax."""
    rows, columns = grid
    masked = []
    for chosen in sets:
        one = np.full_like(image, fill)
        for patch in chosen:
            row, column = divmod(patch, columns)
            box = (
                slice(-(-row * SIDE // rows), -(-(row + 1) * SIDE // rows)),
                slice(-(-column * SIDE // columns), -(-(column + 1) * SIDE // columns)),
            )
            one[box] = image[box]
        masked.append(one)
    logits = np.asarray(model(np.array(masked)), np.float64)
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (shares / shares.sum(axis=1, keepdims=True))[:, target]


def all_sets(count):
    return [frozenset(chosen) for size in range(count + 1) for chosen in combinations(range(count), size)]


def sufficient_sets(model, image, target, grid, share=0.9, fill=0.0):
    sets = all_sets(grid[0] * grid[1])
    kept = probabilities(model, image, target, grid, sets, fill)
    return {chosen for chosen, p in zip(sets, kept, strict=True) if p >= share * kept[-1]}


def minimal_sets(sufficient):
    return {chosen for chosen in sufficient if not any(other < chosen for other in sufficient)}


EVERYTHING = {"beam": 10_000, "branches": 100, "explanations": 10_000, "patience": 100, "calls": 10_000}
explain = partial(structured_attention_graph, grid=3)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("share", "fill"), [(0.9, 0.0), (0.7, 0.5)])
def test_without_limits_all_minimal_sets_are_found(seed, share, fill):
    model, pictures = network(seed), images()
    targets = np.asarray(model(pictures)).argmax(axis=1)
    graphs = explain(model, pictures, targets, share=share, fill=fill, roots=1, **EVERYTHING)
    for graph, image, target in zip(graphs, pictures, targets, strict=True):
        expected = minimal_sets(sufficient_sets(model, image, target, (3, 3), share, fill))
        assert set(graph.explanations) == expected
        assert len(graph.explanations) == len(expected)


@pytest.mark.parametrize("misled", [False, True])
def test_no_patch_can_be_spared_and_sizes_are_near_the_smallest(misled):
    gaps = []
    for seed in range(3):
        model, pictures = network(seed), images(3, seed)
        targets = np.asarray(model(pictures)).argmax(axis=1)
        order = np.random.default_rng(seed).random((3, SIDE, SIDE))
        options = {"order": order, "beam": 1, "branches": 1} if misled else {}
        graphs = structured_attention_graph(model, pictures, targets, grid=(3, 4), **options)
        for graph, image, target in zip(graphs, pictures, targets, strict=True):
            sufficient = sufficient_sets(model, image, target, (3, 4))
            assert graph.explanations
            for chosen in graph.explanations:
                assert chosen in sufficient
                assert not any(chosen - {patch} in sufficient for patch in chosen)
            assert not any(a < b for a in graph.explanations for b in graph.explanations)
            gaps.append(len(graph.explanations[0]) - min(map(len, sufficient)))
    assert min(gaps) >= 0
    assert misled or np.mean(gaps) < 1  # a beam of 3 nearly always finds one of the smallest


def test_graph_holds_true_probabilities_and_each_edge_deletes_its_patch():
    model, pictures = network(1), images(2, seed=4)
    for graph, image in zip(explain(model, pictures, 1, floor=0.2, depth=3), pictures, strict=True):
        nodes = list(graph.nodes)
        expected = probabilities(model, image, 1, (3, 3), [*nodes, range(9)])
        np.testing.assert_allclose([*graph.nodes.values(), graph.probability], expected, rtol=1e-4)
        assert set(graph.roots) <= set(graph.explanations) & set(nodes)
        parents = [edge.parent for edge in graph.edges]
        for edge in graph.edges:
            assert edge.child == edge.parent - {edge.patch} != edge.parent
            assert graph.nodes[edge.child] > 0
        assert {edge.child for edge in graph.edges} | set(graph.roots) == set(nodes)
        assert max(map(parents.count, parents)) <= 3
        inner = [parent for parent in parents if parent not in graph.roots]
        assert all(graph.nodes[parent] > 0.2 * graph.probability for parent in inner)
        assert (graph.grid, graph.target) == ((3, 3), 1)


def additive(weights, bias=-2.0, size=2):
    """A model whose log odds add up over patches, each of `size` x `size` bright pixels."""
    grid = np.asarray(weights, float)
    kernel = np.zeros((*(size * np.array(grid.shape)), 2))
    kernel[..., 1] = np.kron(grid, np.ones((size, size))) / size**2
    model = keras.Sequential([keras.Input((*kernel.shape[:2], 1)), keras.layers.Flatten(), keras.layers.Dense(2)])
    model.set_weights([kernel.reshape(-1, 2), np.array([0.0, bias])])
    return model, np.ones((1, *kernel.shape[:2], 1))


def test_two_reasons_of_which_each_suffices():
    # any two of the four patches give log odds 4, one alone gives -2
    model, image = additive([[6, 0, 6], [6, 0, 6]], bias=-8.0)
    [graph] = structured_attention_graph(model, image, 1, grid=(2, 3), overlap=0)
    assert {frozenset(pair) for pair in combinations([0, 2, 3, 5], 2)} >= set(graph.explanations)
    assert len(graph.roots) == 2
    assert not graph.roots[0] & graph.roots[1]
    assert graph.probability == pytest.approx(1 / (1 + np.exp(-16)), rel=1e-5)


def test_a_set_reached_in_two_ways_is_one_node():
    model, image = additive([[3, 3, 3]])
    [graph] = structured_attention_graph(model, image, 1, grid=(1, 3), share=1.0, floor=0.01, children=3, depth=2)
    assert graph.roots == (frozenset({0, 1, 2}),)
    assert set(graph.nodes) == {frozenset(s) for size in (1, 2, 3) for s in combinations(range(3), size)}
    assert len(graph.edges) == 3 + 6


def test_a_picture_that_says_nothing_is_explained_by_nothing():
    model, image = additive([[0.0, 0.0], [0.0, 0.0]])
    [graph] = structured_attention_graph(model, image, 0, grid=2)
    assert graph.explanations == graph.roots == (frozenset(),)
    assert list(graph.nodes) == [frozenset()]
    assert graph.edges == ()


def test_order_can_be_any_attribution_and_leads_the_search():
    model, image = additive([[4, 0, 4], [0, 0, 4], [0, 0, 0]])
    kwargs = {"grid": 3, "branches": 1, "beam": 1, "explanations": 1, "roots": 1}
    order = np.zeros((1, 6, 6))
    order[0, :2, 4:], order[0, 2:4, 4:], order[0, :2, :2] = 3, 2, 1
    [led] = structured_attention_graph(model, image, 1, order=order, **kwargs)
    assert led.explanations == (frozenset({2, 5}),)
    [other] = structured_attention_graph(model, image, 1, order=order[:, ::-1, ::-1, np.newaxis], **kwargs)
    assert other.explanations != led.explanations
    assert led.calls < structured_attention_graph(model, image, 1, **kwargs)[0].calls + 1


def test_no_set_is_asked_about_twice_and_calls_are_reported():
    import tensorflow as tf

    seen = []

    @keras.saving.register_keras_serializable()
    class Watching(keras.layers.Layer):
        def call(self, values):
            tf.py_function(lambda v: seen.append(np.asarray(v)), [values], [])
            return values

    stack = network(2).layers
    model = keras.Sequential([keras.Input((SIDE, SIDE, 2)), Watching(), *stack])
    seen.clear()
    told = []
    [graph] = explain(
        model,
        images(1, 3),
        int(np.asarray(network(2)(images(1, 3))).argmax()),
        progress=lambda calls, found: told.append((calls, found)),
    )
    assert graph.calls == len(seen) == len(told)
    masked = np.concatenate(seen)
    assert graph.images == len(masked) == len(np.unique(masked, axis=0))
    assert [calls for calls, _ in told] == list(range(1, graph.calls + 1))
    assert told[-1][1] == len(graph.explanations)


def test_one_logit_and_a_softmax_model():
    layers = keras.layers
    keras.utils.set_random_seed(3)
    head = layers.Dense(1)
    model = keras.Sequential([keras.Input((SIDE, SIDE, 2)), layers.Flatten(), head])
    [graph] = explain(model, images(1), 0)
    logit = float(np.asarray(model(images(1)))[0, 0])
    assert graph.probability == pytest.approx(1 / (1 + np.exp(-logit)), rel=1e-4)
    logits = network(0)
    softmax = keras.Sequential([keras.Input((SIDE, SIDE, 2)), *logits.layers, layers.Softmax()])
    with pytest.warns(UserWarning, match="softmax"):
        [same] = explain(softmax, images(1), 2)
    [expected] = explain(logits, images(1), 2)
    assert (same.explanations, same.roots) == (expected.explanations, expected.roots)


def test_most_diverse_is_the_largest_choice():
    generator = np.random.default_rng(0)
    for _ in range(30):
        sets = [int(one) for one in np.unique(generator.integers(1, 2**8, 9))]
        for overlap in (0, 1, 2):
            fits = lambda choice, k=overlap: all((a & b).bit_count() <= k for a, b in combinations(choice, 2))  # noqa: E731
            sizes = [size for size in range(1, len(sets) + 1) for choice in combinations(sets, size) if fits(choice)]
            best = most_diverse(sets, overlap)
            assert fits(best)
            assert len(best) == max(sizes)


def test_sets_that_hold_a_known_one_are_left_out():
    assert without([0b011], [0b001, 0b011, 0b111, 0b110]) == [0b001, 0b110]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"grid": 13}, "13 x 13 patches does not fit"),
        ({"grid": (0, 3)}, "0 x 3 patches"),
        ({"share": 0.0}, "above 0 and at most 1"),
        ({"floor": 1.5}, "above 0 and at most 1"),
        ({"beam": 0}, "at least 1"),
        ({"depth": -1}, "at least 0"),
        ({"order": np.zeros((1, 3, 3))}, "order must be finite and of shape"),
        ({"fill": [1, 2, 3]}, "broadcasts"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        structured_attention_graph(network(0), images(1), 0, **options)


def test_other_inputs_are_refused(make_network):
    with pytest.raises(ValueError, match="need images"):
        structured_attention_graph(make_network((4, 3)), np.ones((1, 4)), 0)
    with pytest.raises(ValueError, match="one class per image"):
        explain(network(0), images(1), [[0, 1]])
    assert explain(network(0), images(0), 0) == []
