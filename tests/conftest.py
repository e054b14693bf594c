"""Small networks that several tests share, and the one way in which attributions are compared."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

sys.path.append(str(Path(__file__).parent))  # the corpus: `from corpus import ...`
settings.register_profile("busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy machine")

GRID = [(sizes, bias) for sizes in [(4, 3), (5, 6, 3), (6, 8, 5, 3)] for bias in (False, True)]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Let each test, and what is made for it, begin with the same random numbers: Keras draws weights by Python's."""
    random.seed(0)


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


@pytest.fixture
def torch_peer(tmp_path: Path) -> Callable[..., Any]:
    """
    Attributions of captum or zennit: `torch_peer("captum.DeepLift", model, inputs, targets, baselines=array)`.

    The model is a Keras Sequential; targets are one int for each sample. torch does not share an environment with
    TensorFlow's pins, so the library runs in the Python that VITRINA_PEERS names, with torch, captum and zennit.
    """
    python = os.environ.get("VITRINA_PEERS")
    if not python:
        pytest.skip("VITRINA_PEERS does not name a Python with torch, captum and zennit")

    def run(method: str, model: Any, inputs: Any, targets: Any, /, **options: Any) -> Any:
        layers, arrays = describe_layers(model)
        given = {key: value for key, value in options.items() if isinstance(value, np.ndarray)}
        spec = {"method": method, "layers": layers, "options": options | dict.fromkeys(given, "array")}
        arrays |= given | {"inputs": np.asarray(inputs, float), "targets": np.asarray(targets, np.int64)}
        np.savez(tmp_path / "request.npz", spec=json.dumps(spec), **arrays)
        script = Path(__file__).parent / "vitrina" / "explain" / "torch_peer.py"
        command = [python, script, tmp_path / "request.npz", tmp_path / "answer.npz"]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        with np.load(tmp_path / "answer.npz") as answer:
            np.testing.assert_allclose(answer["logits"], model(inputs), rtol=1e-9, atol=1e-9)  # the same network
            return answer["attributions"]

    return run


def describe_layers(model: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A Sequential as plain data: a dict per layer and per fused activation, and the arrays that they name."""
    layers: list[dict[str, Any]] = []
    arrays: dict[str, Any] = {}
    for index, layer in enumerate(model.layers):
        kind, config = type(layer).__name__, layer.get_config()
        names = [f"{index}_{number}" for number in range(len(layer.weights))]
        arrays |= dict(zip(names, layer.get_weights(), strict=True))
        settings = {key: config[key] for key in ("padding", "strides", "pool_size", "epsilon") if key in config}
        roles = {"kernel": names[0], "bias": names[1]} if len(names) == 2 else {"weights": names}
        activation = config.get("activation", "linear")
        layers += [{"kind": kind, **settings, **roles}] if kind not in ("Activation", "ReLU") else []
        layers += (
            [{"kind": "relu" if kind == "ReLU" else activation}] if kind == "ReLU" or activation != "linear" else []
        )
    return layers, arrays
