"""The cells of week 3 that train a student's network: from a name to the right automaton, at the first run."""

import contextlib
import io
from pathlib import Path

import numpy as np
import pytest

from vitrina.automata.minimisation import equivalent
from vitrina.handed_in_judging import automaton_of
from vitrina.membership import checked_table
from vitrina.recurrent import ElmanCell
from vitrina_autograder.build import build_notebook
from vitrina_autograder.handed_in import HandedInNetwork, language_of, written_down

SOURCE = Path(__file__).parents[2] / "assignments" / "week3_rnn" / "reading_a_network_as_an_automaton.py"
USED = {f"readonly-{name}" for name in ("setup", "even-even", "two-networks", "own-words", "training", "own-training")}
NETWORK = HandedInNetwork(id="own-network", title="Network", formula="logit > 0", competences=["training"])

pytestmark = pytest.mark.slow


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the notebook's cells up to the automaton, solved, for a name and settings."""
    monkeypatch.chdir(tmp_path)
    parts = written_down(language_of("anybody"))
    np.savez("networks.npz", **{f"{way}_{part}": parts[part] for way in ("plain", "noisy") for part in parts})

    def run(name, **chosen):
        found, said = {}, io.StringIO()
        with contextlib.redirect_stdout(said):
            for cell in build_notebook(SOURCE).cells:
                if cell.id in USED | {"readonly-own-reading"} or cell.id.startswith("solution-"):
                    exec(cell.source, found)
                elif cell.source.startswith(("MY_NAME =", "settings =")):
                    exec(cell.source, found)
                    found |= {"MY_NAME": name}
                    found.get("settings", {}).update(chosen)
        return found, said.getvalue()

    return run


# The first is a language that four tries failed at with an earlier trainer; of the second one's networks some keep a
# state where a unit is near 0, and their signs name a wrong automaton.
@pytest.mark.parametrize("name", ["student 13", "fresh student 5"])
def test_a_hard_language_is_learnt_and_read_within_the_tries_of_one_cell(run, name):
    found, said = run(name, noise=0.5, price=0.3)
    assert "→ accepted" in said
    table = checked_table(found["my_automaton"]["transitions"], found["my_automaton"]["accepting"], 0)
    assert equivalent(language_of(name), automaton_of(table))
    cell = ElmanCell(**{part: found["my_network"][part] for part in "WUbvc"})
    assert [row.status for row in NETWORK.judge(name, cell, b"exam")] == ["passed"] * 4


def test_a_network_is_not_accepted_that_has_learnt_nothing(run):
    found, said = run("Ada Lovelace", noise=0.0, price=0.0, steps=1)
    assert said.count("mistakes on 400") == 6
    assert "→ accepted" not in said
    assert "None was accepted" in said
    assert found["my_network"]["W"].shape == (2, found["settings"]["units"])  # it can be handed in all the same
