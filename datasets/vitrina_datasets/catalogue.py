"""The data sheets of all data sets of the course in one place."""

from __future__ import annotations

from importlib import import_module

from vitrina_datasets.datasheets import Datasheet

__all__ = ["NAMES", "datasheets"]

NAMES = (
    "iris",
    "wine",
    "breast_cancer",
    "adult",
    "german_credit",
    "mnist",
    "movie_reviews",
    "photographs",
    "classifiers",
)
"""Modules of `vitrina_datasets` that bring data."""


def datasheets() -> dict[str, Datasheet]:
    """
    Collect the data sheets; no data is loaded.

    Returns
    -------
    dict
        Sheets by the names of the modules. In a notebook, `datasheets()["adult"]` is shown as a page.
    """
    return {name: import_module(f"vitrina_datasets.{name}").DATASHEET for name in NAMES}
