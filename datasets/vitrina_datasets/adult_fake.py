"""People who do not exist, for `vitrina_datasets.adult.fake`: who they are, and what decides their income."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from vitrina_datasets.tables import Column

_Random = np.random.RandomState
_Numbers = npt.NDArray[np.float64]


def chance_of_a_high_income(
    age: _Numbers, education: _Numbers, hours: _Numbers, married: npt.NDArray[np.bool_], gain: _Numbers
) -> _Numbers:
    """
    Say how likely each made-up person is to earn more than 50,000 dollars: the rule of this world.

    Parameters
    ----------
    age, education, hours, married, gain : shape (rows,)
        Years, `education-num`, hours a week, whether somebody lives with a husband or wife, dollars of capital gain.

    Returns
    -------
    float64, shape (rows,)
        Probabilities: a logistic function of a sum, with a best age and no word about sex.
    """
    score = 0.45 * (education - 10) + 0.05 * (hours - 40) + 2.2 * married - ((age - 48) / 15) ** 2 + (gain > 5000) * 4
    return 1 / (1 + np.exp(2.6 - score))


def draw(columns: Sequence[Column], rows: int, random: _Random) -> tuple[_Numbers, npt.NDArray[np.int64]]:
    """
    Draw people and their classes.

    Parameters
    ----------
    columns
        Of the Adult table.
    rows
        How many people.
    random
        Source of chance.

    Returns
    -------
    values : float64, shape (rows, columns)
    targets : int64, shape (rows,)
    """
    categories = {column.name: column.categories for column in columns}
    male = random.rand(rows) < 0.67
    age = np.clip(np.rint(random.normal(39, 13, rows)), 17, 90)
    education = np.clip(np.rint(random.normal(10, 2.6, rows)), 1, 16)
    hours = np.clip(np.rint(random.normal(np.where(male, 43, 36), 11)), 1, 99)
    married = (random.rand(rows) < np.where(male, 0.62, 0.15)) & (age > 20)
    gain = np.where(random.rand(rows) < 0.08, np.rint(random.gamma(1.5, 5000, rows)), 0)
    household = _household(random, age, male, married)
    working = random.rand(rows) < 0.94
    decided: dict[str, Any] = {
        "age": age,
        "workclass": np.where(working, _some(random, categories["workclass"], rows, 6), "unknown"),
        "fnlwgt": np.rint(random.gamma(3.2, 59000, rows)) + 12000,
        "education": np.array(categories["education"])[education.astype(int) - 1],
        "education-num": education,
        "marital-status": np.where(married, "Married-civ-spouse", _single(random, age)),
        "occupation": np.where(working, _some(random, categories["occupation"], rows, 13), "unknown"),
        "relationship": household,
        "race": _some(random, categories["race"], rows, 5, mostly=0.85),
        "sex": np.where(male, "Male", "Female"),
        "capital-gain": np.minimum(gain, 99999),
        "capital-loss": np.where((random.rand(rows) < 0.05) & (gain == 0), random.randint(1200, 2600, rows), 0),
        "hours-per-week": hours,
        "native-country": _some(random, categories["native-country"], rows, 42, mostly=0.9),
    }
    numbers = [_positions(column, decided[column.name]) for column in columns]
    chance = chance_of_a_high_income(age, education, hours, married, gain)
    return np.column_stack(numbers).astype(float), (random.rand(rows) < chance).astype(np.int64)


def _some(random: _Random, names: Sequence[str], rows: int, many: int, mostly: float = 0.4) -> npt.NDArray[np.str_]:
    """Draw among the first names, the very first one most often."""
    others = random.randint(1, many, rows)
    return np.array(names)[np.where(random.rand(rows) < mostly, 0, others)]


def _household(
    random: _Random, age: _Numbers, male: npt.NDArray[np.bool_], married: npt.NDArray[np.bool_]
) -> npt.NDArray[Any]:
    """Name everybody's place in the household; that of the married tells their sex."""
    alone = np.where(age < 25, "Own-child", np.where(random.rand(len(age)) < 0.7, "Not-in-family", "Unmarried"))
    return np.where(married, np.where(male, "Husband", "Wife"), alone)


def _single(random: _Random, age: _Numbers) -> npt.NDArray[Any]:
    return np.where(age < 30, "Never-married", np.where(random.rand(len(age)) < 0.6, "Divorced", "Never-married"))


def _positions(column: Column, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Turn names of categories into their positions."""
    if not column.categories:
        return values
    order = np.argsort(column.categories)
    return order[np.searchsorted(np.array(column.categories)[order], values)]
