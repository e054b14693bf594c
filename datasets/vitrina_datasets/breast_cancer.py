"""Breast cancer (Wisconsin, diagnostic): cell nuclei under the microscope, malignant or benign.

Source
    `sklearn.datasets.load_breast_cancer`, installed with scikit-learn; a hash of its values is checked. No network is
    needed.
Original
    Street, Wolberg and Mangasarian (1993, Nuclear feature extraction for breast tumor diagnosis, doi
    10.1117/12.148698); at UCI since 1995 (doi 10.24432/C5DW2B).
Licence
    scikit-learn is BSD-3-Clause; the UCI repository gives the table under CC BY 4.0.
Collection
    A fine needle takes cells out of a lump in the breast; a drop under the microscope makes one picture. A person
    draws rough outlines of the nuclei, which a program fits, and measures ten properties of each nucleus. The diagnosis
    comes from surgery or from years of watching.
Contents
    569 pictures, one a patient, 30 numbers: of each property its mean over the nuclei, its standard error, and the
    "worst", which is the mean of the three largest. 212 malignant (class 0), 357 benign (class 1). Nothing is missing.
Known problems
    - **Class 1 is benign.** Who takes 1 for "has cancer" reads every explanation with the wrong sign.
    - Lengths and areas are counted in pixels; the size of a pixel is not given with the data.
    - Radius, perimeter and area are one fact told three times (correlations of 0.99 and more): the credit that an
      explanation gives to one of them is a matter of chance.
    - One hospital, one technique, one team of observers, around 1990. Nothing is known here about the women's age or
      origin.
    - A person chose picture and nuclei; whether that person knew the diagnosis is not recorded.
    - Scores near 97 % say little about the clinic: a missed cancer and a false alarm do not cost the same.
"""

from __future__ import annotations

from vitrina_datasets.datasheets import Datasheet
from vitrina_datasets.tables import Column, Table, from_scikit_learn, made_up

__all__ = ["COLUMNS", "DATASHEET", "TARGET_NAMES", "fake", "load"]

SHA256 = "25e2eb7b7a8745b1bde5ba18bc4969983d2e2f403291ecd5bde4a29ef30c3859"
TARGET_NAMES = ("malignant", "benign")
_PROPERTIES = {
    "radius": ("distance from the centre to the outline", "pixels"),
    "texture": ("standard deviation of the grey values inside", ""),
    "perimeter": ("length of the outline", "pixels"),
    "area": ("area inside the outline", "square pixels"),
    "smoothness": ("local variation of the radius", ""),
    "compactness": ("perimeter² / area, less 1", ""),
    "concavity": ("depth of the dents of the outline", ""),
    "concave points": ("share of the outline that lies in dents", ""),
    "symmetry": ("difference between the two halves", ""),
    "fractal dimension": ("roughness of the outline, as a coastline's", ""),
}
_STATISTICS = {
    "mean {}": "{}: mean over the nuclei",
    "{} error": "{}: standard error over the nuclei",
    "worst {}": "{}: mean of the three largest nuclei",
}
COLUMNS = tuple(
    Column(name.format(of), meaning.format(about), unit)
    for name, meaning in _STATISTICS.items()
    for of, (about, unit) in _PROPERTIES.items()
)
DATASHEET = Datasheet.read(__doc__, COLUMNS)


def load() -> Table:
    """
    Load the table that scikit-learn brings along.

    Returns
    -------
    Table
        569 rows, 30 columns, 2 classes, of which 1 is *benign*; new arrays at every call.

    Raises
    ------
    ModuleNotFoundError
        If scikit-learn is not installed.
    ValueError
        If the installed scikit-learn has other values.
    """
    return from_scikit_learn("load_breast_cancer", COLUMNS, TARGET_NAMES, SHA256)


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
    return made_up("fake breast cancer", COLUMNS, TARGET_NAMES, rows, seed)
