import numpy as np
import pytest
from scipy.stats import ttest_ind
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_info, threadpool_limits

from vitrina.automata import PARITY
from vitrina.automata.elman import ElmanNetwork
from vitrina.automata.sensitivity import state_gradients
from vitrina.explain import concept_vector, concepts, layer_activations, logit_gradients, tcav, tcav_scores, tcav_test
from vitrina.models import dense_network

UNITS = 12


def examples(seed, count, shift=0.0):
    """Normal activations, those of a concept shifted along the first unit."""
    values = np.random.default_rng(seed).standard_normal((count, UNITS))
    values[:, 0] += shift
    return values


@pytest.fixture
def mixed():
    """Gradients of many directions, so that scores take many values."""
    return np.random.default_rng(9).standard_normal((200, UNITS)) + np.linspace(0.3, 1, UNITS)


def test_the_vector_is_the_normal_of_the_boundary():
    one, other = examples(0, 90, shift=3), examples(1, 90)
    means = concept_vector(one, other, classifier="means", seed=4)
    logistic = concept_vector(one, other, seed=4)
    for found in (means, logistic):
        assert np.linalg.norm(found.direction) == pytest.approx(1)
        assert found.direction[0] > 0.8
        assert found.accuracy > 0.85


def test_it_is_the_classifier_of_the_library():
    """Scikit-learn's on the same examples, scaled by one number: the same direction and the same decisions."""
    one, other = np.exp(examples(0, 60, shift=1.5)), np.exp(examples(1, 60))  # lopsided: the offset matters
    found = concept_vector(one, other, seed=4)
    generator = np.random.default_rng(4)
    first, second = (values[generator.permutation(60)] for values in (one, other))
    train = np.concatenate([first[:40], second[:40]])
    scale = train.std(axis=0).max()
    model = LogisticRegression().fit((train - train.mean(axis=0)) / scale, np.repeat([1, 0], 40))
    np.testing.assert_allclose(found.direction, model.coef_[0] / np.linalg.norm(model.coef_), atol=1e-6)
    test = (np.concatenate([first[40:], second[40:]]) - train.mean(axis=0)) / scale
    assert found.accuracy == pytest.approx(model.score(test, np.repeat([1, 0], 20)))


@pytest.mark.parametrize("classifier", ["logistic", "means"])
def test_turned_round_it_points_the_other_way(classifier):
    one, other = examples(0, 900, shift=1), examples(1, 900)
    there = concept_vector(one, other, classifier=classifier)
    back = concept_vector(other, one, classifier=classifier)
    assert there.direction @ back.direction < -0.95
    assert there.accuracy == pytest.approx(back.accuracy, abs=0.05)


def test_held_out_accuracy_of_nothing_is_guessing():
    found = [concept_vector(examples(seed, 60), examples(seed + 500, 60)).accuracy for seed in range(30)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.05)


def test_scores_by_hand():
    gradients = np.array([[1.0, 0], [1, 1], [-1, 2], [0, 0]])
    np.testing.assert_allclose(tcav_scores(gradients, [[1, 0], [0, 1], [-1, 0]]), [0.5, 0.5, 0.25])
    assert tcav_scores(gradients, [1.0, 0]) == 0.5


def test_of_a_linear_model_the_score_is_one_or_zero():
    """All samples have one gradient, w: the score is whether w . v > 0."""
    weights = np.stack([np.eye(UNITS)[0], -np.eye(UNITS)[0]], axis=1)
    model = dense_network([np.eye(UNITS), weights], [np.full(UNITS, 50.0), np.zeros(2)])  # no ReLU is ever off
    layer = model.layers[0].name
    for target, score in [(0, 1.0), (1, 0.0)]:
        found = tcav(
            model,
            examples(5, 20),
            target,
            concepts={"planted": examples(2, 400, shift=2)},
            random=examples(3, 1200),
            layer=layer,
        )
        np.testing.assert_array_equal(found.scores, score)
        assert set(np.unique(found.random_scores)) <= {0.0, 1.0}
        assert found.significant().all()


def test_the_model_form_is_the_test_on_its_activations_and_gradients(make_network):
    model = make_network((UNITS, 8, 5, 3))
    layer = model.layers[1].name
    inputs, concept, random = examples(0, 10), examples(1, 60, shift=2), examples(2, 200)
    options = {"runs": 5, "seed": 3, "classifier": "means"}
    one = tcav(model, inputs, 1, concepts={"a": concept}, random=random, layer=layer, **options)
    other = tcav_test(
        {"a": layer_activations(model, concept, layer)},
        layer_activations(model, random, layer),
        logit_gradients(model, inputs, 1, layer),
        **options,
    )
    np.testing.assert_array_equal(one.scores, other.scores)
    np.testing.assert_array_equal(one.p_values, other.p_values)


@pytest.mark.parametrize("classifier", ["logistic", "means"])
def test_a_planted_concept_is_found_and_its_opposite_too(mixed, classifier):
    mixed[:, 0] = 4
    planted = {"planted": examples(0, 300, shift=3), "opposite": examples(1, 300, shift=-3)}
    found = tcav_test(planted, examples(2, 900), mixed, runs=10, classifier=classifier)
    assert found.significant().all()
    assert found.scores[0].mean() > 0.95
    assert found.scores[1].mean() < 0.05
    assert np.all(found.accuracies.mean(axis=1) > 0.8)
    assert found.directions.shape == (2, 10, UNITS)
    assert "planted" in str(found)
    assert "significant" in str(found)


@pytest.mark.slow
def test_a_random_concept_is_called_significant_about_as_often_as_the_level_says(mixed):
    def share(kind, gradients, concepts=1):
        found = [
            tcav_test(
                {str(each): examples((seed, each), 120) for each in range(concepts)},
                examples((seed, 77), 360),
                gradients,
                examples=kind,
                classifier="means",
                seed=seed,
            )
            .significant()
            .any()
            for seed in range(300)
        ]
        return np.mean(found)

    constant = np.tile(mixed[:1], (5, 1))
    for gradients in (mixed, constant):
        assert 0.02 <= share("fresh", gradients) <= 0.085  # 0.05 +- 2.8 standard errors
        assert share("same", gradients) > 0.25  # as published: one draw of examples is taken for many
    assert share("fresh", mixed, concepts=4) <= 0.085  # Holm: any of four


def test_p_values_are_welchs_corrected_for_several_concepts(mixed):
    """Holm's step-down written out: the smallest counts for all, the next for one less, none falls below the last."""
    concepts = {
        name: examples(seed, 400, shift) for seed, (name, shift) in enumerate({"no": 0, "a": 0.2, "b": 1}.items())
    }
    found = tcav_test(concepts, examples(8, 1200), mixed, runs=8, seed=2)
    single = [ttest_ind(each, found.random_scores, equal_var=False).pvalue for each in found.scores]
    corrected, least = {}, 0.0
    for left, index in zip((3, 2, 1), np.argsort(single), strict=True):
        corrected[index] = least = max(least, min(1, left * single[index]))
    np.testing.assert_allclose(found.p_values, [corrected[index] for index in range(3)])
    assert not np.allclose(found.p_values, single)


def test_vectors_of_one_concept_agree_and_random_ones_do_not(mixed):
    found = tcav_test(
        {"planted": examples(0, 300, shift=5), "random": examples(1, 300)}, examples(2, 900), mixed, runs=10
    )
    for row, directions in enumerate(found.directions):
        cosines = (directions @ directions.T)[np.triu_indices(10, 1)]
        assert found.agreement[row] == pytest.approx(cosines.mean())
    assert found.agreement[0] > 0.5
    assert abs(found.agreement[1]) < 0.15


def test_against_another_concept_the_vector_is_relative(mixed):
    """What two concepts share drops out; what tells them apart stays."""
    one, other = examples(0, 400, shift=3), examples(1, 1200)
    one[:, 1] += 3
    other[:, 1] += 3
    found = tcav_test({"one": one}, other, mixed, runs=20, classifier="means")
    direction = found.directions[0].mean(axis=0)
    assert direction[0] > 0.8
    assert abs(direction[1]) < 0.1


def test_no_example_serves_two_vectors():
    """Examples that are one-hot: a difference of means shows which it was made of."""
    count, runs = 60, 5
    concept, pool = (
        np.hstack([np.eye(count), np.zeros((count, 90))]),
        np.hstack([np.zeros((90, count)), np.eye(90)]),
    )

    def tested(gradients, **changes):
        return tcav_test({"a": concept}, pool, np.atleast_2d(gradients), runs=runs, classifier="means", **changes)

    used = np.abs(tested(np.ones(150)).directions[0]) > 0
    assert used.sum(axis=0).max() == 1
    # A random vector is seen by its scores alone: 1 for the gradient along, or against, an example it was made of.
    by_chance = [tested(one).random_scores + tested(-one).random_scores for one in np.eye(150)[count:]]
    assert np.sum(by_chance) == 2 * runs * 4
    assert (np.sum(by_chance, axis=1) + used[:, count:].sum(axis=0)).max() == 1
    same = tested(np.ones(150), examples="same").directions[0]
    assert (np.abs(same[:, :count]) > 0).all(axis=0).sum() == 4  # six examples, four of them to learn from


def test_same_seed_same_result(mixed):
    def run(seed):
        return tcav_test({"a": examples(0, 100)}, examples(1, 300), mixed, runs=8, seed=seed).scores

    np.testing.assert_array_equal(run(1), run(1))
    assert not np.array_equal(run(1), run(2))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"concepts": {}}, "one concept"),
        ({"concepts": {"a": examples(0, 20)}}, "need 120 examples of each concept and 360 random"),
        ({"random": examples(0, 100)}, "random ones"),
        ({"runs": 1}, "two runs"),
        ({"examples": "old"}, "'fresh' or 'same'"),
        ({"classifier": "oracle"}, "'logistic' or 'means'"),
        ({"random": np.ones((900, 3))}, "one layer"),
        ({"concepts": {"a": examples(0, 200) * np.nan}}, "finite"),
        ({"gradients": np.ones(UNITS)}, "gradients"),
        ({"concepts": {"a": np.ones((200, UNITS))}, "random": np.ones((900, UNITS))}, "alike"),
    ],
)
def test_what_does_not_fit_is_refused(mixed, change, message):
    options = {"concepts": {"a": examples(0, 200)}, "random": examples(1, 900), "gradients": mixed} | change
    with pytest.raises(ValueError, match=message):
        tcav_test(**options)


def test_too_few_examples_for_a_vector_are_refused():
    with pytest.raises(ValueError, match="6 examples"):
        concept_vector(examples(0, 5), examples(1, 50))
    with pytest.raises(ValueError, match="one layer"):
        concept_vector(examples(0, 50), np.ones((50, 3)))


@pytest.fixture(scope="module")
def recurrent():
    generator = np.random.default_rng(0)
    return ElmanNetwork(
        PARITY.automaton.alphabet,
        generator.normal(0, 1, (2, UNITS)),
        generator.normal(0, 0.5, (UNITS, UNITS)),
        generator.normal(0, 0.5, UNITS),
        generator.normal(0, 1, UNITS),
        0.3,
    )


@pytest.mark.parametrize("time", [0, 2, 5])
def test_gradients_through_time_are_difference_quotients(recurrent, time):
    words = np.random.default_rng(1).integers(0, 2, (4, 5))
    hidden = recurrent.states(words)[:, time]

    def last_logit(state):
        for later in range(time, 5):
            state = recurrent.step(state, words[:, later])
        return recurrent.logits(state)

    gradients = state_gradients(recurrent, words, time)
    for unit in range(UNITS):
        step = 1e-6 * np.eye(UNITS)[unit]
        slopes = (last_logit(hidden + step) - last_logit(hidden - step)) / 2e-6
        np.testing.assert_allclose(gradients[:, unit], slopes, atol=1e-7)


def test_at_the_last_state_a_recurrent_network_is_linear(recurrent):
    words = np.random.default_rng(1).integers(0, 2, (4, 5))
    np.testing.assert_allclose(state_gradients(recurrent, words, 5), np.tile(recurrent.readout, (4, 1)))
    with pytest.raises(ValueError, match="states 0 to length"):
        state_gradients(recurrent, words, 6)


def test_vectors_are_learnt_on_one_thread(monkeypatch):
    """Hundreds of fits of a few numbers: more threads wait for each other several times longer than they compute."""
    threads = set()
    learn = concepts.learn_vector

    def watched(*arguments):
        threads.update(library["num_threads"] for library in threadpool_info())
        return learn(*arguments)

    monkeypatch.setattr(concepts, "learn_vector", watched)
    with threadpool_limits(2):
        tcav_test({"shifted": examples(0, 90, shift=3)}, examples(1, 400), np.ones((5, UNITS)), runs=3)
    assert threads == {1}
