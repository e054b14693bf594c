"""Automata are shown from tables alone."""

import sys

import pytest

from vitrina.membership import checked_table
from vitrina.table_plots import as_text, show_table


def test_as_text_says_where_symbols_lead_and_what_accepts():
    lines = as_text(checked_table([[1, 0], [0, 1]], [True, False]), "even a").splitlines()
    assert lines == ["even a", "state    a   b", "*   0    1   0", "    1    0   1"]


def test_a_table_is_printed_where_automata_cannot_be_imported(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "vitrina.automata", None)
    monkeypatch.delitem(sys.modules, "vitrina.automata_plots", raising=False)
    show_table([[1, 0], [0, 1]], [True, False])
    assert "*   0    1   0" in capsys.readouterr().out


def test_it_is_drawn_where_they_can(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    show_table([[1, 0, 0], [0, 1, 1]], [True, False], title="even")
    assert shown[0].axes[0].get_title() == "even"


def test_what_is_no_table_is_refused():
    with pytest.raises(ValueError, match="0 to 1"):
        show_table([[2, 0], [0, 1]], [True, False])
