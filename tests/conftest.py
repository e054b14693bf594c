"""Small networks that several tests share, and the one way in which attributions are compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy machine")

GRID = [(sizes, bias) for sizes in [(4, 3), (5, 6, 3), (6, 8, 5, 3)] for bias in (False, True)]


def draw_parameters(sizes: Sequence[int], bias: bool, seed: int, dtype: str = "float64") -> tuple[list[Any], list[Any]]:
    """Normal weights and biases of a chain of Dense layers."""
    generator = np.random.default_rng(seed)
    weights = [generator.standard_normal(shape).astype(dtype) for shape in pairwise(sizes)]
    return weights, [(generator.standard_normal(n) * bias).astype(dtype) for n in sizes[1:]]


@cache
def build_network(
    sizes: tuple[int, ...], bias: bool = True, activation: str = "relu", seed: int = 0, dtype: str = "float64"
) -> Any:
    from vitrina.models import dense_network

    return dense_network(*draw_parameters(sizes, bias, seed, dtype), activation)


def compare(actual: Any, expected: Any, tolerance: float = 1e-10) -> None:
    """Assert equality up to a share of the largest expected value."""
    actual, expected = np.asarray(actual, float), np.asarray(expected, float)
    assert actual.shape == expected.shape
    assert np.isfinite(actual).all()
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * max(np.abs(expected).max(), 1e-300))


@pytest.fixture(scope="session")
def make_network() -> Callable[..., Any]:
    """Networks by sizes, bias, activation, seed and dtype; equal arguments give the same model."""
    return build_network


@pytest.fixture(scope="session")
def make_parameters() -> Callable[..., Any]:
    return draw_parameters


@pytest.fixture(scope="session")
def assert_close() -> Callable[..., None]:
    return compare


@pytest.fixture(scope="session", params=GRID, ids=lambda case: f"{'-'.join(map(str, case[0]))}{'+b' * case[1]}")
def relu_network(request: pytest.FixtureRequest) -> Any:
    """A ReLU network in float64: one, two and three layers, with and without bias."""
    return build_network(*request.param)


@pytest.fixture
def samples() -> Callable[[Any], Any]:
    """Three random samples of either sign for a network."""
    return lambda model: np.random.default_rng(5).standard_normal((3, *model.input_shape[1:]))
