"""Data sheets: what everybody who uses a data set should have read, after Gebru et al. 2021 (arXiv 1803.09010).

The sheet of a data set is the docstring of its module, so that it is read in the source, by `help()` and, as a page,
in a notebook; nothing stands twice.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass

from vitrina_datasets.tables import Column

__all__ = ["Datasheet"]

_LISTED = 16  # so many categories at most are named


@dataclass(frozen=True)
class Datasheet:
    """
    A data sheet; a notebook shows it as a page, `print` as text.

    Attributes
    ----------
    title
        One line.
    sections
        Headings with their texts: source, licence, known problems and whatever else is worth saying.
    columns
        What a table's columns hold.
    """

    title: str
    sections: tuple[tuple[str, str], ...]
    columns: tuple[Column, ...] = ()

    @classmethod
    def read(cls, text: str | None, columns: Sequence[Column] = ()) -> Datasheet:
        """
        Read a sheet out of a module's docstring.

        Parameters
        ----------
        text
            A title, then headings at the margin, each with indented text under it.
        columns
            What a table's columns hold.

        Returns
        -------
        Datasheet
        """
        title, _, rest = inspect.cleandoc(text or "").partition("\n")
        blocks = re.split(r"^(?=\S)", rest, flags=re.MULTILINE)
        parts = [block.strip("\n").partition("\n") for block in blocks if block.strip()]
        sections = tuple((heading.strip(), inspect.cleandoc(body)) for heading, _, body in parts)
        return cls(title.rstrip("."), sections, tuple(columns))

    def __getitem__(self, heading: str) -> str:
        """Text under a heading."""
        found = dict(self.sections)
        if heading not in found:
            raise KeyError(f"the data sheet has no section {heading!r}, only {', '.join(found)}")
        return found[heading]

    def __str__(self) -> str:
        parts = [f"{heading}\n{_indented(text)}" for heading, text in self.sections]
        if self.columns:
            parts.append("Columns\n" + "\n".join(f"    {column.name}: {_described(column)}" for column in self.columns))
        return "\n\n".join([f"{self.title}\n{'=' * len(self.title)}", *parts])

    def _repr_markdown_(self) -> str:
        parts = [f"**{heading}.**{_unwrapped(text)}" for heading, text in self.sections]
        if self.columns:
            rows = [f"| `{column.name}` | {_cell(_described(column))} |" for column in self.columns]
            parts.append("\n".join(["| column | what it holds |", "| :-- | :-- |", *rows]))
        return "\n\n".join([f"#### {self.title}", *parts])


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def _unwrapped(text: str) -> str:
    """Join the lines of a paragraph, as Markdown wants it; what begins with a dash stays an item of its own."""
    joined = re.sub(r"\n(?!- )\s*", " ", text)
    return f"\n\n{joined}" if joined.startswith("- ") else " " + joined.replace("\n- ", "\n\n- ", 1)


def _described(column: Column) -> str:
    """Say what a column holds, in which unit and out of which categories."""
    unit = f", in {column.unit}" if column.unit else ""
    order = ", from less to more" if column.ordered else ""
    if not column.categories:
        return f"{column.meaning}{unit}"
    first, more = column.categories[:_LISTED], len(column.categories) - _LISTED
    rest = f"; and {more} more" if more > 0 else ""
    return f"{column.meaning}{unit} ({len(column.categories)} categories{order}: {'; '.join(first)}{rest})"


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("<", r"\<").replace("$", r"\$")
