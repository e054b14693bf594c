import numpy as np
import pytest

from vitrina.explain import gradient_x_input, smooth_grad
from vitrina.models import dense_network


def gradients(model, points, target):
    return gradient_x_input(model, points, target) / points


def test_forms_are_the_statistics_of_the_definition(make_network, samples, assert_close):
    model = make_network((5, 6, 3), activation="tanh")
    inputs = samples(model)
    noise = 0.3 * np.random.default_rng(8).standard_normal((20, 5))
    each = np.stack([gradients(model, inputs + pattern, 1) for pattern in noise])
    for form, expected in [("mean", each.mean(0)), ("squared", (each**2).mean(0)), ("variance", each.var(0))]:
        assert_close(smooth_grad(model, inputs, 1, noise=0.3, samples=20, seed=8, form=form), expected)


def test_a_kink_is_smoothed_as_its_closed_form_says():
    # f = relu(x): the gradient under normal noise is 1 with probability Phi(x / sigma); Phi(0.5) = 0.6915
    model = dense_network([np.array([[1.0]]), np.array([[1.0]])], [np.zeros(1), np.zeros(1)])
    mean, squared, variance = (
        smooth_grad(model, [[0.1]], 0, noise=0.2, samples=20_000, form=form).item()
        for form in ("mean", "squared", "variance")
    )
    assert abs(mean - 0.6915) < 0.015
    assert abs(squared - mean) < 1e-9  # a slope of 0 or 1 is its own square
    assert abs(variance - mean * (1 - mean)) < 1e-9


@pytest.mark.parametrize("form", ["mean", "squared", "variance"])
def test_chunks_batch_and_company_change_nothing(make_network, monkeypatch, form):
    from vitrina.explain import compiling

    model = make_network((5, 6, 3), activation="tanh")
    inputs = np.random.default_rng(0).standard_normal((7, 5))
    targets = np.arange(14).reshape(7, 2) % 3
    options = {"noise": 0.5, "samples": 11, "seed": 3, "form": form}
    whole = smooth_grad(model, inputs, targets, **options)
    assert whole.shape == (7, 2, 5)
    for values in (15, 200):
        monkeypatch.setattr(compiling, "CHUNK_VALUES", values)
        np.testing.assert_allclose(smooth_grad(model, inputs, targets, **options), whole, rtol=1e-9)
    np.testing.assert_allclose(smooth_grad(model, inputs[2:3], targets[2:3, 1], **options), whole[2:3, 1], rtol=1e-9)
    assert smooth_grad(model, inputs[:0], 0, **options).shape == (0, 5)


def test_the_variance_of_a_steep_line_is_zero_and_not_rounding_noise():
    model = dense_network([np.array([[1e4], [3e3]], np.float32)], [np.zeros(1, np.float32)])
    variance = smooth_grad(model, [[1.0, 2.0]], 0, noise=0.1, samples=50, form="variance")
    np.testing.assert_array_equal(variance, [[0.0, 0.0]])


def test_the_seed_decides(make_network, samples):
    model = make_network((5, 6, 3), activation="tanh")
    inputs = samples(model)
    first, again, other = (smooth_grad(model, inputs, 0, noise=0.2, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"noise": 0}, "noise must be a standard deviation above 0, got 0"),
        ({"noise": np.nan}, "noise must be"),
        ({"noise": 0.1, "samples": 0}, "samples must be an int of at least 1"),
        ({"noise": 0.1, "form": "median"}, "form must be 'mean', 'squared' or 'variance', got 'median'"),
    ],
)
def test_options_that_do_not_fit_are_refused(make_network, samples, options, message):
    model = make_network((5, 6, 3))
    with pytest.raises(ValueError, match=message):
        smooth_grad(model, samples(model), 0, **options)
