import keras
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from vitrina.explain import activation_maximisation
from vitrina.models import dense_network

SIDE = 5
LONG = {"steps": 1500, "rate": 0.05}


@pytest.fixture(scope="module")
def weights():
    return np.random.default_rng(0).standard_normal((SIDE * SIDE, 3))


@pytest.fixture(scope="module")
def linear(weights):
    return dense_network([weights], [np.array([1.0, 2, 3])])


@pytest.fixture(scope="module")
def network(make_network):
    return make_network((16, 12, 8, 3))


def neighbours(side):
    """The matrix L with x' L x = sum of squared differences of neighbours, place by place."""
    matrix = np.zeros((side * side, side * side))
    for row in range(side):
        for column in range(side):
            here = row * side + column
            for there in ([here + side] if row + 1 < side else []) + ([here + 1] if column + 1 < side else []):
                difference = np.zeros(side * side)
                difference[[here, there]] = 1, -1
                matrix += np.outer(difference, difference)
    return matrix


def test_with_an_l2_penalty_the_best_input_of_a_linear_model_is_w_over_2_l2(linear, weights):
    found = activation_maximisation(linear, [0, 1, 2, 1], l2=0.25, **LONG)
    best = weights[:, [0, 1, 2, 1]].T / 0.5
    np.testing.assert_allclose(found.images, best, atol=1e-6)
    reached = np.sum(best.T * weights[:, [0, 1, 2, 1]], axis=0) + np.array([1, 2, 3, 2])
    np.testing.assert_allclose(found.activations, reached, rtol=1e-6)


def test_with_smoothness_it_solves_the_linear_system(linear, weights):
    found = activation_maximisation(linear, 2, l2=0.3, total_variation=0.4, **LONG)
    best = np.linalg.solve(2 * 0.3 * np.eye(SIDE**2) + 2 * 0.4 * neighbours(SIDE), weights[:, 2])
    np.testing.assert_allclose(found.images[0], best, atol=1e-6)


def test_a_colour_is_smoothed_by_itself():
    weights = np.random.default_rng(1).standard_normal((3 * 3 * 2, 2))
    model = keras.Sequential([keras.Input((3, 3, 2), dtype="float64"), keras.layers.Flatten(dtype="float64")])
    model.add(keras.layers.Dense(2, dtype="float64"))
    model.set_weights([weights, np.zeros(2)])
    found = activation_maximisation(model, 1, l2=0.3, total_variation=0.4, **LONG)
    system = np.linalg.inv(0.6 * np.eye(9) + 0.8 * neighbours(3))
    for channel in range(2):
        best = system @ weights.reshape(9, 2, 2)[:, channel, 1]
        np.testing.assert_allclose(found.images[0, :, :, channel].ravel(), best, atol=1e-6)


def test_bounds_send_a_linear_model_into_the_corners(linear, weights):
    found = activation_maximisation(linear, 0, bounds=(-1, 2), **LONG)
    np.testing.assert_allclose(found.images[0], np.where(weights[:, 0] > 0, 2, -1))
    halfway = activation_maximisation(linear, 0, bounds=(-1, 2), steps=10)
    assert np.all((halfway.images >= -1) & (halfway.images <= 2))


def test_jitter_looks_for_what_pleases_from_every_place(linear, weights):
    """By every shift alike: the best input for the mean of the shifted weights."""
    found = activation_maximisation(linear, 1, l2=0.5, jitter=1, steps=4000, rate=0.02)
    square = weights[:, 1].reshape(SIDE, SIDE)
    shifts = [np.roll(square, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    np.testing.assert_allclose(found.images[0].reshape(SIDE, SIDE), np.mean(shifts, axis=0), atol=0.12)
    assert found.history[-1, 0] == pytest.approx(float(weights[:, 1] @ found.images[0] + 2))


def test_blur_is_gaussian_and_comes_every_fourth_step():
    blind = dense_network([np.zeros((81, 2))], [np.zeros(2)])  # nothing to climb: only the blur acts
    point = np.zeros((1, 81))
    point[0, 9 * 4 + 2] = 1
    for steps, times in [(3, 0), (4, 1), (7, 1), (8, 2)]:
        found = activation_maximisation(blind, 0, blur=0.8, start=point, steps=steps)
        expected = point.reshape(9, 9)
        for _ in range(times):
            expected = gaussian_filter(expected, 0.8, mode="nearest")
        np.testing.assert_allclose(found.images.reshape(9, 9), expected, atol=1e-12)


def test_diversity_keeps_inputs_of_one_target_apart_and_only_those(network):
    options = {"bounds": (0, 1), "steps": 300, "l2": 0.05}
    starts = np.full((4, 16), 0.5) + np.random.default_rng(0).normal(0, 1e-3, (4, 16))
    targets = [0, 0, 0, 1]
    together = activation_maximisation(network, targets, start=starts, **options)
    apart = activation_maximisation(network, targets, start=starts, diversity=3.0, **options)
    likeness = [np.corrcoef(found.images[:3])[np.triu_indices(3, 1)].mean() for found in (together, apart)]
    assert likeness[0] > 0.99
    assert likeness[1] < 0.5
    np.testing.assert_allclose(apart.images[3], together.images[3])


def test_diversity_lets_different_targets_be_alike(weights):
    alike = dense_network([np.repeat(weights[:, :1], 2, axis=1)], [np.zeros(2)])
    with_it, without = (
        activation_maximisation(alike, [0, 1], start=0.1, l2=0.2, diversity=diversity) for diversity in (3.0, 0.0)
    )
    np.testing.assert_array_equal(with_it.images, without.images)


def test_diversity_takes_opposites_for_different():
    blind = dense_network([np.zeros((4, 2))], [np.zeros(2)])  # nothing to climb: only diversity acts
    starts = np.array([[1.0, -1, 0, 0], [-1, 0, 1, 0]])  # a cosine of -1/2
    np.testing.assert_array_equal(activation_maximisation(blind, 0, start=starts, count=2, diversity=1).images, starts)


def test_a_start_out_of_bounds_is_brought_within(linear, weights):
    found = activation_maximisation(linear, 0, start=9.0, bounds=(-1, 2), steps=3)
    assert found.history[0, 0] == pytest.approx(2 * weights[:, 0].sum() + 1)


def test_by_itself_it_begins_with_noise_within_the_bounds(linear):
    def begun(**options):
        return activation_maximisation(linear, 0, count=200, steps=1, rate=1e-9, **options).images

    within = begun(bounds=(-3, 5))
    assert within.min() == pytest.approx(-3, abs=0.05)
    assert within.max() == pytest.approx(5, abs=0.05)
    assert within.mean() == pytest.approx(1, abs=0.1)
    assert begun().std() == pytest.approx(0.1, abs=0.01)


def test_the_seed_draws_the_shifts_too(network):
    def found(seed, jitter):
        return activation_maximisation(network, 0, start=0.3, steps=20, jitter=jitter, seed=seed).images

    assert not np.allclose(found(7, 1), found(8, 1))
    np.testing.assert_array_equal(found(7, 0), found(8, 0))


def test_the_search_is_the_gradient_ascent_of_the_textbook(network):
    """Adam with a falling rate, written out; gradients by central differences."""
    start = np.random.default_rng(3).standard_normal(16)
    found = activation_maximisation(network, 2, start=start, steps=5, rate=0.1, l2=0.2)

    def gain(point):
        return float(np.asarray(network(point[np.newaxis]))[0, 2]) - 0.2 * np.sum(point**2)

    point, mean, square = start.copy(), np.zeros(16), np.zeros(16)
    for step in range(5):
        slope = np.array([(gain(point + e) - gain(point - e)) / 2e-5 for e in 1e-5 * np.eye(16)])
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
        rate = 0.1 * 0.5 * (1 + np.cos(np.pi * step / 5))
        unbiased = mean / (1 - 0.9 ** (step + 1)), square / (1 - 0.999 ** (step + 1))
        point = point + rate * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8)
    np.testing.assert_allclose(found.images[0], point, atol=1e-6)


def test_history_leads_from_the_start_to_what_is_reached(network):
    found = activation_maximisation(network, [0, 1], start=0.3, steps=50)
    assert found.history.shape == (51, 2)
    begin = np.asarray(network(np.full((1, 16), 0.3)))[0, :2]
    np.testing.assert_allclose(found.history[0], begin)
    np.testing.assert_allclose(found.history[-1], found.activations)
    np.testing.assert_allclose(np.asarray(network(found.images))[[0, 1], [0, 1]], found.activations)
    assert np.all(found.activations > begin)


def test_a_unit_is_excited_before_its_relu_so_that_one_that_is_off_can_wake():
    weights = [np.array([[1.0], [2]]), np.ones((1, 2))]
    model = dense_network(weights, [np.array([-50.0]), np.zeros(2)])
    first = model.layers[0].name
    found = activation_maximisation(model, 0, layer=first, l2=0.5, **LONG)
    np.testing.assert_allclose(found.images[0], [1, 2], atol=1e-6)
    assert found.activations[0] == pytest.approx(5 - 50)


def test_a_channel_is_excited_by_its_mean_over_all_places():
    drawn = keras.initializers.GlorotUniform(seed=0)
    convolution = keras.layers.Conv2D(2, 3, activation="relu", kernel_initializer=drawn, name="first", dtype="float64")
    model = keras.Sequential([keras.Input((5, 5, 1), dtype="float64"), convolution])
    model.add(keras.layers.Flatten(dtype="float64"))
    model.add(keras.layers.Dense(2, dtype="float64"))
    found = activation_maximisation(model, 1, layer="first", l2=0.01, **LONG)
    kernel = np.asarray(convolution.kernel)[:, :, 0, 1]
    best = np.zeros((5, 5))
    for row in range(3):
        for column in range(3):
            best[row : row + 3, column : column + 3] += kernel / 9 / 0.02
    np.testing.assert_allclose(found.images[0, :, :, 0], best, atol=1e-5)


def test_same_seed_same_images_and_the_first_of_many_are_those_of_few(network):
    one = activation_maximisation(network, 0, count=3, jitter=1, seed=7, steps=20, bounds=(0, 1))
    again = activation_maximisation(network, 0, count=3, jitter=1, seed=7, steps=20, bounds=(0, 1))
    fewer = activation_maximisation(network, 0, count=1, jitter=1, seed=7, steps=20, bounds=(0, 1))
    other = activation_maximisation(network, 0, count=3, jitter=1, seed=8, steps=20, bounds=(0, 1))
    np.testing.assert_array_equal(one.images, again.images)
    np.testing.assert_allclose(one.images[:1], fewer.images)
    assert not np.allclose(one.images, other.images)


def test_of_a_probability_the_logit_is_maximised(weights):
    model = keras.Sequential([keras.Input((25,), dtype="float64")])
    model.add(keras.layers.Dense(3, activation="softmax", dtype="float64"))
    model.set_weights([weights, np.zeros(3)])
    with pytest.warns(UserWarning, match="softmax"):
        found = activation_maximisation(model, 0, l2=0.5, **LONG)
    np.testing.assert_allclose(found.images[0], weights[:, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": 3}, "target"),
        ({"target": [0, 1], "count": 3}, "target"),
        ({"steps": 0}, "steps"),
        ({"rate": 0}, "rate"),
        ({"l2": -1}, "l2"),
        ({"jitter": 0.5}, "jitter"),
        ({"bounds": (1, 0)}, "bounds"),
        ({"start": np.zeros(7)}, "baseline|start"),
        ({"layer": "nowhere"}, "no layer 'nowhere'"),
    ],
)
def test_what_does_not_fit_is_refused(network, options, message):
    with pytest.raises(ValueError, match=message):
        activation_maximisation(network, **({"target": 0} | options))


@pytest.mark.parametrize("option", [{"blur": 1.0}, {"jitter": 1}, {"total_variation": 1.0}])
def test_smoothness_needs_a_picture(make_network, option):
    with pytest.raises(ValueError, match="pictures"):
        activation_maximisation(make_network((6, 8, 5, 3)), 0, **option)


def test_inputs_of_any_size_are_refused():
    model = keras.Sequential([keras.Input((None, None, 1)), keras.layers.GlobalAveragePooling2D()])
    model.add(keras.layers.Dense(2))
    with pytest.raises(ValueError, match="one size"):
        activation_maximisation(model, 0)
