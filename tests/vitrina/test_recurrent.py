"""A cell holds its parameters, whatever form they came in, and says which of them does not fit."""

import numpy as np
import pytest

from vitrina.recurrent import ElmanCell

W, U, B, V = np.ones((2, 3)), np.eye(3), np.zeros(3), np.arange(3.0)


def test_a_cell_is_its_parameters():
    cell = ElmanCell(W, U, B, V, 0.5)
    for name, array in (("W", W), ("U", U), ("b", B), ("v", V)):
        np.testing.assert_array_equal(getattr(cell, name), array)
        assert getattr(cell, name).dtype == float
    assert cell.c == 0.5
    assert not callable(cell)


def test_weights_are_taken_as_keras_shapes_them():
    cell = ElmanCell(W.astype("f4"), U.astype("f4"), B.astype("f4"), V.reshape(3, 1), np.array([0.5], "f4"))
    assert cell.v.shape == (3,)
    assert type(cell.c) is float


def test_a_caller_cannot_change_the_parameters_behind_it():
    given = W.copy()
    cell = ElmanCell(given, U, B, V, 0)
    given[:] = 7
    np.testing.assert_array_equal(cell.W, W)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"W": np.ones(3)}, r"W must have the shape \(symbols, units\), got \(3,\)"),
        ({"W": np.ones((2, 0))}, "W must have the shape"),
        ({"W": W.T}, r"W has 2 columns, one for each unit, so U must have the shape \(2, 2\), got \(3, 3\)"),
        ({"U": W}, "so U must have"),
        ({"b": np.zeros((1, 3))}, "so b must have"),
        ({"v": np.zeros((3, 2))}, "so v must have"),
        ({"v": np.zeros((1, 3))}, "so v must have"),
        ({"c": np.zeros(3)}, "so c must have"),
        ({"c": np.zeros(0)}, "so c must have"),
        ({"c": None}, "c must hold numbers"),
        ({"b": ["a", "b", "c"]}, "b must hold numbers"),
        ({"b": np.array([0, 1j, 0])}, "b must hold numbers"),
        ({"U": np.full((3, 3), np.nan)}, "U holds NaN or infinite numbers"),
        ({"c": np.inf}, "c holds NaN or infinite numbers"),
    ],
)
def test_what_does_not_fit_is_named(changed, said):
    with pytest.raises(ValueError, match=said):
        ElmanCell(**({"W": W, "U": U, "b": B, "v": V, "c": 0.0} | changed))
