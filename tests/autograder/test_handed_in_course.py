"""Automata and networks through a whole graded notebook: found in the sandbox without the methods, judged outside."""

import json

import nbformat
import pytest

from corpus.small_class import grade, hand_in
from corpus.toy_course import ASSIGNMENT, NOTEBOOK, write_course
from vitrina_autograder.course import Course
from vitrina_autograder.grade import feedback_pages, read_grades
from vitrina_autograder.handed_in import language_of, written_down
from vitrina_autograder.verdicts import load_record

pytestmark = pytest.mark.slow

_EXERCISES = """import numpy as np

from vitrina.values import CellSpec, LanguageSpec
from vitrina_autograder.exercise import Draw, Exercise, HandedInAutomaton, HandedInNetwork


def draw(rng):
    language = LanguageSpec(np.array([[1, 0], [0, 1]]), np.array([True, False]))
    return [Draw(f"{units} units", (cell(rng, units), language, "abba" * units)) for units in (1, 2, 3, 5)]


def cell(rng, units):
    return CellSpec(*(rng.normal(size=shape) for shape in ((2, units), (units, units), units, units)), 0.5)


def logit(cell, belongs, word):
    hidden = np.zeros(len(cell.b))
    for letter in word:
        hidden = np.tanh(cell.W["ab".index(letter)] + hidden @ cell.U + cell.b)
    return np.array([hidden @ cell.v + cell.c, belongs(word[:3])])


EXERCISES = [
    Exercise(id="logit", title="Logit", formula="h v + c", competences=["cell"], reference=logit, draw=draw),
    HandedInAutomaton(id="own-automaton", title="Automaton", formula="L(A) = L", competences=["automata"]),
    HandedInNetwork(id="own-network", title="Network", formula="logit > 0", competences=["training"]),
]
"""
_SCRIPT = '''# %%
from vitrina import check
import numpy as np
from vitrina.own_language import own_language

# %% solution="logit"
def logit(cell, belongs, word):
    """Read a word."""
    ### BEGIN SOLUTION
    hidden = np.zeros(len(cell.b))
    for letter in word:
        hidden = np.tanh(cell.W["ab".index(letter)] + hidden @ cell.U + cell.b)
    return np.array([hidden @ cell.v + cell.c, belongs(word[:3])])
    ### END SOLUTION

# %% check="logit" points=2
check("logit", logit)

# %% solution="automaton"
MY_NAME = "Ada Lovelace"
automaton = {"drawn for": MY_NAME, "transitions": ..., "accepting": ..., "start": 0}
### BEGIN SOLUTION
automaton |= {"transitions": [[0, 0]], "accepting": [True]}
### END SOLUTION

# %% check="own-automaton" points=10
check("own-automaton", automaton)

# %% solution="network"
network = {"drawn for": MY_NAME, "W": ..., "U": ..., "b": ..., "v": ..., "c": ...}
### BEGIN SOLUTION
network |= {"W": 0}
### END SOLUTION

# %% check="own-network" points=4
check("own-network", network)
'''
_LOGIT = "solution-logit"
_AUTOMATON, _NETWORK = "solution-automaton", "solution-network"

#: What a student may write: states are told apart by which endings belong after them (Myhill and Nerode).
_LEARN = """
MY_NAME = "Dora  Klein"
own = own_language(MY_NAME)
endings = ["", *"ab"] + [x + y + z for x in "ab" for y in ("", *"ab") for z in ("", *"ab")]
def state(word):
    return tuple(own.belongs(word + ending) for ending in endings)
known, rows, queue = {state(""): 0}, [], [""]
for word in queue:
    for letter in "ab":
        if state(word + letter) not in known:
            known[state(word + letter)] = len(known)
            queue.append(word + letter)
for word in queue:
    rows.append([known[state(word + letter)] for letter in "ab"])
automaton = {"drawn for": MY_NAME, "transitions": rows, "accepting": [own.belongs(word) for word in queue]}
"""
_PEEK = """
MY_NAME = "Ada"
try:
    from vitrina.automata import learn
    automaton = {"drawn for": MY_NAME, "transitions": [[0, 0]], "accepting": [True]}
except ImportError as error:
    print(error)
    automaton = None
"""


def parameters(name: str) -> str:
    part = {key: value if key == "c" else value.tolist() for key, value in written_down(language_of(name)).items()}
    return f"network = {{'drawn for': {name!r}, **{json.dumps(part)}}}"


ANSWERS = {
    "right": {_AUTOMATON: _LEARN, _NETWORK: parameters("Dora Klein")},
    "blank": {},
    "friend": {_AUTOMATON: _LEARN + "automaton['drawn for'] = 'Eve'", _NETWORK: parameters("Ada")},
    "broken": {
        _AUTOMATON: "automaton = {'drawn for': 'Ada', 'transitions': [[1, 0], [0]], 'accepting': [True]}",
        _NETWORK: "network = {'drawn for': 'Ada', 'W': np.full((2, 3), np.nan), 'U': 1, 'b': 2, 'v': 3, 'c': 4}",
    },
    "huge": {
        _AUTOMATON: "automaton = {'drawn for': 'Ada', 'transitions': np.zeros((10**7, 2), int), 'accepting': [True]}",
        _NETWORK: "x = []\nx.append(x)\nnetwork = {'drawn for': 'Ada', 'W': x, 'U': x, 'b': x, 'v': x, 'c': x}",
    },
    "peek": {_AUTOMATON: _PEEK, _NETWORK: "network = lambda key: 1 / 0"},
}


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Course:
    course = write_course(tmp_path_factory.mktemp("course"), exercises=_EXERCISES, script=_SCRIPT)
    released = json.loads((course.release / ASSIGNMENT / NOTEBOOK).read_text(encoding="utf-8"))
    solved = {_LOGIT: _EXERCISES[_EXERCISES.index("def logit") : _EXERCISES.index("EXERCISES =")]}
    for student, answers in ANSWERS.items():
        hand_in(course, student, released, solved | answers)
    grade(course)
    return course


def verdicts(course, student):
    record = load_record(course, ASSIGNMENT, student)
    assert record is not None
    assert record.state == "graded"
    assert record.alarms == []
    return record.verdicts


@pytest.mark.parametrize(
    ("student", "points"), [("right", 16), ("blank", 2), ("friend", None), ("broken", 2), ("huge", 2), ("peek", 2)]
)
def test_everybody_earns_what_is_theirs(course, student, points):
    found = verdicts(course, student)
    assert found["logit"].points == 2  # cells and languages arrive in the sandbox
    total = read_grades(course, ASSIGNMENT)[student].score
    assert total == sum(verdict.points for verdict in found.values())
    if points is not None:
        assert total == points
    else:
        assert found["own-automaton"].points < 5
        assert found["own-network"].points == 4  # it is Ada's, and says so


@pytest.mark.parametrize(
    ("student", "automaton", "network"),
    [
        ("friend", "automaton ", ""),
        ("broken", "`transitions` is no array of numbers", "`W`|W holds NaN"),
        ("huge", "far more than expected|states are too many|no array", "`W` is no array of numbers"),
        ("peek", "not answered yet", "ZeroDivisionError"),
    ],
)
def test_reasons_are_given(course, student, automaton, network):
    found = verdicts(course, student)
    for verdict, said in ((found["own-automaton"], automaton), (found["own-network"], network)):
        messages = " ".join(outcome.message for outcome in verdict.outcomes)
        assert any(part in messages for part in said.split("|")), messages
        assert "Traceback" not in messages


def test_the_methods_are_not_there_while_work_is_graded(course):
    submitted = course.build / "autograded" / "peek" / ASSIGNMENT / NOTEBOOK
    text = json.dumps(nbformat.read(submitted, as_version=4))
    assert "not there while your work is graded" in text


def test_feedback_shows_a_counter_example_and_no_automaton(course):
    (path,) = feedback_pages(course, ASSIGNMENT, "friend")
    page = path.read_text(encoding="utf-8")
    assert "your automaton" in page
    eve = language_of("Eve")
    assert str(eve.transitions.tolist()) not in page
    assert "data:image/png" not in page
