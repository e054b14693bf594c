"""Wine: thirteen chemical analyses of 178 Italian wines of three grape varieties.

Source
    `sklearn.datasets.load_wine`, installed with scikit-learn; a hash of its values is checked. No network is needed.
Original
    Forina et al. (1986, Multivariate data analysis as a discriminating method of the origin of wines, Vitis 25); given
    to the UCI repository by Aeberhard in 1991 (doi 10.24432/C5PC7J).
Licence
    scikit-learn is BSD-3-Clause; the UCI repository gives the table under CC BY 4.0.
Collection
    Wines of Piedmont, analysed in a laboratory. The original study had about twice as many analyses; the names of those
    left out are lost at UCI.
Contents
    178 rows, 13 numbers, 3 classes of 59, 71 and 48. Nothing is missing. The file is sorted by class.
Known problems
    - scikit-learn says `class_0` to `class_2`; the names of the wines are those of the original study.
    - No unit is documented, so none is given here; alcohol is surely in per cent of the volume.
    - Vintages differ between the varieties, so that age and grape are mixed up.
    - It is easy: a linear model errs on a few wines at most, and many pairs of columns are enough. So several quite
      different explanations can be right.
    - A proline of 278 to 1,680 beside a hue of 0.5 to 1.7: without scaling, a distance or a gradient sees only proline.
"""

from __future__ import annotations

from vitrina_datasets.datasheets import Datasheet
from vitrina_datasets.tables import Column, Table, from_scikit_learn, made_up

__all__ = ["COLUMNS", "DATASHEET", "TARGET_NAMES", "fake", "load"]

SHA256 = "3a28849ef2366c4b9d4e382b3fa5624a66f693c04d7fdcf43c529bbb0bb338d7"
TARGET_NAMES = ("Barolo", "Grignolino", "Barbera")
COLUMNS = (
    Column("alcohol", "alcohol"),
    Column("malic acid", "malic acid, which makes young wine taste sharp"),
    Column("ash", "what is left when the wine is burnt"),
    Column("alcalinity of ash", "how alkaline the ash is"),
    Column("magnesium", "magnesium"),
    Column("total phenols", "all phenols: colour, taste, mouth feel"),
    Column("flavanoids", "the phenols called flavonoids"),
    Column("nonflavanoid phenols", "the other phenols"),
    Column("proanthocyanins", "tannins of grape seeds and skins"),
    Column("color intensity", "how much light the wine swallows"),
    Column("hue", "from blueish to brownish red"),
    Column("OD280/OD315", "ultraviolet light swallowed at 280 against 315 nm, a measure of proteins"),
    Column("proline", "proline, the most frequent amino acid of wine"),
)
DATASHEET = Datasheet.read(__doc__, COLUMNS)


def load() -> Table:
    """
    Load the wines that scikit-learn brings along.

    Returns
    -------
    Table
        178 rows, 13 columns, 3 classes; new arrays at every call.

    Raises
    ------
    ModuleNotFoundError
        If scikit-learn is not installed.
    ValueError
        If the installed scikit-learn has other values.
    """
    return from_scikit_learn("load_wine", COLUMNS, TARGET_NAMES, SHA256)


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
    return made_up("fake wine", COLUMNS, TARGET_NAMES, rows, seed)
