"""Iris, wine and breast cancer: what scikit-learn brings along, under our names."""

import sys

import numpy as np
import pytest
from sklearn import datasets

from vitrina_datasets import breast_cancer, iris, wine

MODULES = {iris: [50, 50, 50], wine: [59, 71, 48], breast_cancer: [212, 357]}  # with the sizes of their classes

each = pytest.mark.parametrize("module", MODULES, ids=["iris", "wine", "breast cancer"])


def loader_of(module):
    return "load_" + module.__name__.split(".")[-1]


@each
def test_values_and_classes_are_scikit_learns(module):
    table, theirs = module.load(), getattr(datasets, loader_of(module))()
    np.testing.assert_array_equal(table.values, theirs["data"])
    np.testing.assert_array_equal(table.targets, theirs["target"])
    assert np.bincount(table.targets).tolist() == MODULES[module]
    simple = [name.replace(" (cm)", "").replace("_", " ").split(" of diluted")[0] for name in theirs["feature_names"]]
    assert [name.lower() for name in table.names] == simple
    table.values[:] = 0
    assert module.load().values.any()


def test_class_names_that_scikit_learn_knows_are_kept():
    for module in (iris, breast_cancer):
        assert tuple(getattr(datasets, loader_of(module))()["target_names"]) == module.TARGET_NAMES


@each
def test_other_values_are_refused(module, monkeypatch):
    values, targets = getattr(datasets, loader_of(module))(return_X_y=True)
    values[3, 1] += 0.1
    monkeypatch.setattr(datasets, loader_of(module), lambda **_: (values, targets))
    with pytest.raises(ValueError, match=r"another .* than the data sheet describes .*constraints\.txt"):
        module.load()


def test_without_scikit_learn_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ModuleNotFoundError, match="pip install scikit-learn"):
        iris.load()


@each
def test_the_fake_twin_has_the_same_form(module):
    real, fake = module.load(), module.fake(rows=40, seed=2)
    assert fake.columns == real.columns
    assert fake.target_names == real.target_names
    assert (fake.values.dtype, fake.targets.dtype) == (real.values.dtype, real.targets.dtype)
    assert len(fake) == 40
    assert set(fake.targets) == set(real.targets)
    assert fake.values.min() >= 0
    np.testing.assert_array_equal(fake.values, module.fake(rows=40, seed=2).values)
    assert np.any(fake.values != module.fake(rows=40, seed=3).values)
