"""The file of public cases: the same bytes every time, only data in it, and readable whatever state it is in."""

import io
import json
import os
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vitrina.judging import Case, Mistake
from vitrina.panel import html_panel, text_panel
from vitrina.practice import PRACTICE_FILE, PracticeExercise, practise, write_practice
from vitrina.values import ModelSpec, ValueFormatError

X = np.array([[1.0, -2.0]])
DOUBLE = PracticeExercise(
    "double",
    "Twice the input",
    3.0,
    "y = 2 x",
    [
        Case("one row", {"x": X}, 2 * X, mistakes=[Mistake("You squared.", X**2)], weight=2.0),
        Case("no row", {"x": np.zeros((0, 2))}, np.zeros((0, 2))),
        Case("axioms", {"inputs": X}, properties=["same shape"]),
    ],
)
QUIZ = PracticeExercise(
    "rules", "Which rule?", 1.0, "", [Case("pixels", {"question": "pixels"}, None, options=["zB", "epsilon"])]
)


@pytest.fixture
def release(tmp_path):
    write_practice(tmp_path / PRACTICE_FILE, [DOUBLE, QUIZ])
    return tmp_path


def test_the_file_is_the_same_bytes_every_time(tmp_path):
    for name in ("a.zip", "b.zip"):
        write_practice(tmp_path / name, [DOUBLE, QUIZ])
        os.utime(tmp_path / name, (0, 0))
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_the_file_holds_only_data(release):
    with zipfile.ZipFile(release / PRACTICE_FILE) as archive:
        names = archive.namelist()
        index = json.loads(archive.read("exercises.json"))
        assert names == ["exercises.json", *(f"{number}.npy" for number in range(index["arrays"]))]
        for name in names[1:]:
            np.load(io.BytesIO(archive.read(name)), allow_pickle=False)
        assert {item.date_time for item in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    (quiz,) = index["exercises"][1]["cases"]
    assert quiz["expected"] is None


def test_what_is_not_data_is_not_written(tmp_path):
    with pytest.raises(ValueFormatError):
        write_practice(tmp_path / "x.zip", [PracticeExercise("e", "E", 1, "", [Case("c", {"f": print})])])


def test_right_partial_and_wrong_answers(release):
    assert practise("double", lambda x: 2 * x, folder=release).points == 3.0
    wrong = practise("double", lambda x: x**2, folder=release)
    assert [outcome.status for outcome in wrong.outcomes] == ["failed", "passed", "passed"]
    assert wrong.points == 1.5
    assert wrong.outcomes[0].hint == "You squared."
    np.testing.assert_array_equal(wrong.outcomes[0].expected, 2 * X)
    assert wrong.formula == "y = 2 x"


def test_a_quiz_is_only_recorded(release):
    verdicts = [practise("rules", {"pixels": option}, folder=release) for option in ("zB", "epsilon")]
    assert verdicts[0] == verdicts[1]
    assert verdicts[0].outcomes[0].status == "recorded"
    assert practise("rules", {"pixels": ""}, folder=release).unanswered
    assert practise("rules", {"pixels": "other"}, folder=release).outcomes[0].status == "failed"


def test_the_first_print_is_shown_as_a_note(release):
    def f(x):
        print("  shape <b>", x.shape)
        return 2 * x

    assert practise("double", f, folder=release).note == "your function printed: shape <b> (1, 2)"
    assert practise("double", lambda x: 2 * x, folder=release).note == ""


def test_a_function_cannot_change_the_stored_cases(release):
    def f(x):
        x[:] = 0
        return x

    assert practise("double", f, folder=release).points < 3
    assert practise("double", lambda x: 2 * x, folder=release).points == 3.0


def test_a_model_travels_as_data(release):
    spec = ModelSpec("no such builder", {"weights": [X]})
    write_practice(release / PRACTICE_FILE, [PracticeExercise("m", "M", 1.0, "", [Case("c", {"model": spec})])])
    with zipfile.ZipFile(release / PRACTICE_FILE) as archive:
        assert b"no such builder" in archive.read("exercises.json")


def explained(verdict, text):
    (outcome,) = verdict.outcomes
    assert (verdict.points, outcome.status) == (0.0, "failed")
    assert text in outcome.message
    assert text.replace("`", "") in text_panel(verdict).replace("`", "")
    return html_panel(verdict)


def test_a_missing_file_is_explained(tmp_path, monkeypatch):
    explained(practise("double", abs, folder=tmp_path), f"`{PRACTICE_FILE}` is missing")
    explained(practise("double", abs, folder=tmp_path / "no folder"), "is missing")
    monkeypatch.chdir(tmp_path)
    explained(practise("double", abs), "is missing")


@pytest.mark.parametrize("name", ["dobule", "", "{file}", 3, abs, ["double"], None], ids=repr)
def test_an_unknown_exercise_names_those_there_are(release, name):
    explained(practise(name, abs, folder=release), "double, rules")


def test_the_current_folder_is_the_default(release, monkeypatch):
    monkeypatch.chdir(release)
    assert practise("double", lambda x: 2 * x).points == 3.0


@pytest.mark.parametrize(
    "index",
    [
        b"",
        b"[]",
        b"nonsense",
        b"{}",
        b'{"arrays": 1, "exercises": []}',
        b'{"arrays": 0, "exercises": 3}',
        b'{"arrays": "0", "exercises": []}',
        b'{"arrays": 0, "exercises": [{"id": "double"}]}',
        b'{"arrays": 0, "exercises": [{"id": "double", "cases": [{"mistakes": 3}]}]}',
        b'{"arrays": 0, "exercises": [{"id": "double", "cases": [], "title": {"$array": 0}}]}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_a_damaged_index_is_explained(tmp_path, index):
    with zipfile.ZipFile(tmp_path / PRACTICE_FILE, "w") as archive:
        archive.writestr("exercises.json", index)
    explained(practise("double", abs, folder=tmp_path), "is damaged")


def test_a_folder_or_text_in_its_place_is_explained(tmp_path):
    (tmp_path / PRACTICE_FILE).mkdir()
    explained(practise("double", abs, folder=tmp_path), "is damaged")
    (tmp_path / PRACTICE_FILE).rmdir()
    (tmp_path / PRACTICE_FILE).write_text("<html>404</html>")
    explained(practise("double", abs, folder=tmp_path), "is damaged")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(position=st.integers(0, 10_000), value=st.integers(0, 255), cut=st.booleans())
def test_damaged_bytes_never_raise(release, position, value, cut):
    path = release / "damaged"
    path.mkdir(exist_ok=True)
    data = bytearray((release / PRACTICE_FILE).read_bytes())
    position %= len(data)
    data[position] = value
    (path / PRACTICE_FILE).write_bytes(data[:position] if cut else data)
    verdict = practise("double", lambda x: 2 * x, folder=path)
    assert verdict.points in (0.0, 3.0)
    assert html_panel(verdict)


def test_an_edited_file_is_read_again(release):
    assert practise("double", lambda x: 2 * x, folder=release).points == 3.0
    triple = PracticeExercise("double", "Thrice", 5.0, "y = 3 x", [Case("one row", {"x": X}, 3 * X)])
    write_practice(release / PRACTICE_FILE, [triple])
    os.utime(release / PRACTICE_FILE, (0, 0))  # the clock of a file system is coarse
    assert practise("double", lambda x: 2 * x, folder=release).points == 0.0
    assert practise("double", lambda x: 3 * x, folder=release).points == 5.0
