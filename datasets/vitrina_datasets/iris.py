"""Iris: four measurements of 150 flowers of three species.

Source
    `sklearn.datasets.load_iris`, installed with scikit-learn; a hash of its values is checked. No network is needed.
Original
    Measured by Edgar Anderson (1935, The irises of the Gaspe Peninsula), published by Ronald Fisher (1936, The use of
    multiple measurements in taxonomic problems, doi 10.1111/j.1469-1809.1936.tb02137.x).
Licence
    scikit-learn is BSD-3-Clause; the UCI repository, where the table is best known, gives it under CC BY 4.0.
Collection
    Fifty flowers of each species, whole millimetres written as centimetres. Setosa and versicolor grew together and
    were measured by one person; virginica comes from another place.
Contents
    150 rows, 4 numbers, 3 classes of 50. Nothing is missing. The file is sorted by species.
Known problems
    - Species and place are mixed up for virginica: what tells it apart may be the place.
    - One flower of virginica stands in the table twice (5.8, 2.7, 5.1, 1.9), so that a split may put it on both sides.
    - Two rows of UCI's copy differ from Fisher's paper; scikit-learn has the paper's values.
    - Petal length and width say nearly the same (correlation 0.96): an explanation may give the credit to either.
    - Fisher's paper stood in the Annals of Eugenics, and his views belong to its history.
    - 150 flowers: an accuracy on 38 of them has a standard error of several points.
"""

from __future__ import annotations

from vitrina_datasets.datasheets import Datasheet
from vitrina_datasets.tables import Column, Table, from_scikit_learn, made_up

__all__ = ["COLUMNS", "DATASHEET", "TARGET_NAMES", "fake", "load"]

SHA256 = "aa06b8008ceba42efc654be0f83fdafc786239c9e8f13146044d078f5aab8f23"
TARGET_NAMES = ("setosa", "versicolor", "virginica")
COLUMNS = (
    Column("sepal length", "length of a sepal, one of the three outer leaves of the flower", "cm"),
    Column("sepal width", "width of the sepal", "cm"),
    Column("petal length", "length of a petal, one of the three inner leaves", "cm"),
    Column("petal width", "width of the petal", "cm"),
)
DATASHEET = Datasheet.read(__doc__, COLUMNS)


def load() -> Table:
    """
    Load the flowers that scikit-learn brings along.

    Returns
    -------
    Table
        150 rows, 4 columns, 3 classes; new arrays at every call.

    Raises
    ------
    ModuleNotFoundError
        If scikit-learn is not installed.
    ValueError
        If the installed scikit-learn has other values.
    """
    return from_scikit_learn("load_iris", COLUMNS, TARGET_NAMES, SHA256)


def fake(*, rows: int = 60, seed: int = 0) -> Table:
    """
    Make up a table with the same columns and classes, for tests.

    Parameters
    ----------
    rows
        How many.
    seed
        Draws them.

    Returns
    -------
    Table
    """
    return made_up("fake iris", COLUMNS, TARGET_NAMES, rows, seed)
