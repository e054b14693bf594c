import pytest

from vitrina_datasets.catalogue import NAMES, datasheets
from vitrina_datasets.datasheets import Datasheet
from vitrina_datasets.tables import Column

TEXT = """Toys: a hundred of them.

Source
    A shop. It has
    a door.
Known problems
    Two of them.
    - The first is long and
      goes on.
    - The second is not.
"""
COLUMNS = [
    Column("price", "what it costs", "euros"),
    Column("kind|sort", "which", categories=("<1", "a, b"), ordered=True),
]


def test_a_sheet_is_read_out_of_a_docstring():
    sheet = Datasheet.read(TEXT, COLUMNS)
    assert sheet.title == "Toys: a hundred of them"
    assert [heading for heading, _ in sheet.sections] == ["Source", "Known problems"]
    assert sheet["Source"] == "A shop. It has\na door."
    with pytest.raises(KeyError, match="no section 'Licence', only Source, Known problems"):
        sheet["Licence"]


def test_a_notebook_shows_it_as_a_page():
    page = Datasheet.read(TEXT, COLUMNS)._repr_markdown_()
    assert page.startswith("#### Toys: a hundred of them\n\n**Source.** A shop. It has a door.\n\n")
    assert "Two of them.\n\n- The first is long and goes on.\n- The second is not." in page
    assert "| `price` | what it costs, in euros |" in page
    assert r"| which (2 categories, from less to more: \<1; a, b) |" in page


def test_of_many_categories_the_first_are_named():
    many = Column("many", "which", categories=tuple(f"c{number}" for number in range(40)))
    text = str(Datasheet.read(TEXT, [many]))
    assert "which (40 categories: c0; c1; " in text
    assert "; c15; and 24 more)" in text


def test_print_shows_it_as_text():
    text = str(Datasheet.read(TEXT, COLUMNS))
    assert text.splitlines()[1] == "=" * len("Toys: a hundred of them")
    assert "\nSource\n    A shop. It has\n    a door.\n" in text
    assert "    price: what it costs, in euros" in text


def test_without_docstrings_there_is_an_empty_sheet():
    assert Datasheet.read(None).sections == ()  # python -OO


@pytest.mark.parametrize("name", NAMES)
def test_every_data_set_says_where_it_is_from_and_what_is_wrong_with_it(name):
    sheet = datasheets()[name]
    text = str(sheet)
    assert sheet.title.endswith(tuple("abcdefghijklmnopqrstuvwxyz."))
    for word in ("Source", "Licence"):
        assert word in text
    assert "Known problems" in text or "Known limits" in text


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "adult", "german_credit"])
def test_every_table_has_a_whole_sheet(name):
    sheet = datasheets()[name]
    headings = [heading for heading, _ in sheet.sections]
    for heading in ("Source", "Original", "Licence", "Collection", "Contents", "Known problems"):
        assert heading in headings
    assert len(sheet["Known problems"].split("\n- ")) >= 5
    assert all(column.meaning for column in sheet.columns)
