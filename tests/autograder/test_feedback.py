"""The page a student gets back: everything to learn from, nothing that is hidden, nothing that runs."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from typing import Any

import pytest
from nbgrader.api import Gradebook

from corpus.toy_course import ASSIGNMENT, CASE_VALUE, DOUBLE, NOTEBOOK, QUIZ, SOLUTION_LINE, SQUARE, WHY
from vitrina_autograder.course import Course
from vitrina_autograder.grade import Grading, feedback_pages
from vitrina_autograder.release import nbgrader_api

pytestmark = pytest.mark.slow

SCRIPT = "<script>document.title='owned'</script><img src=x onerror=alert(1)>"
#: A student whose code keeps what the examiner asks, and shows it wherever it can.
SPY = f"""seen = []
def double(x):
    seen.append(x)
    raise ValueError(f"I saw {{x.tolist()}} and {{x[0] * 2}}, shapes (3,) (4,), in 1234 of 10.5 {SCRIPT}")
"""
#: Stands for what was released.
BLANK = "blank"
ANSWERS: dict[str, dict[str, str]] = {
    "ana": {},
    "bea": {DOUBLE: "def double(x):\n    return x ** 2", QUIZ: 'answers = {"one": "yes", "two": "yes"}', WHY: SCRIPT},
    "dora": {SQUARE: "def square(x):\n    raise NotImplementedError", WHY: BLANK},
    "spy": {DOUBLE: SPY},
}


@pytest.fixture(scope="module")
def pages(toy_course: Course, solved_text: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The pages of a class, graded once."""
    root = tmp_path_factory.mktemp("feedback") / "course"
    shutil.copytree(toy_course.root, root)
    course = Course(root)
    released = json.loads((course.release / ASSIGNMENT / NOTEBOOK).read_text(encoding="utf-8"))
    blank = {cell["id"]: cell["source"] for cell in released["cells"]}
    for student, answers in ANSWERS.items():
        notebook = json.loads(solved_text)
        for cell in notebook["cells"]:
            answer = answers.get(cell["id"], cell["source"])
            cell["source"] = blank[cell["id"]] if answer == BLANK else answer
        if student == "spy":
            show = {"id": "show", "cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
            notebook["cells"] += [
                {**show, "source": "print(seen)\nseen[0]"},
                {**show, "id": "stop", "source": "raise KeyError(str(seen))"},
            ]
        folder = course.submitted / student / ASSIGNMENT
        folder.mkdir(parents=True)
        (folder / NOTEBOOK).write_text(json.dumps(notebook), encoding="utf-8")
    Grading(course, ASSIGNMENT).run(sorted(ANSWERS))
    with Gradebook(f"sqlite:///{course.gradebook}") as gradebook:
        comment = gradebook.find_comment(WHY, NOTEBOOK.removesuffix(".ipynb"), ASSIGNMENT, "bea")
        comment.manual_comment = f"**Good**, but {SCRIPT}"
        gradebook.db.commit()
    assert nbgrader_api(course).generate_feedback(ASSIGNMENT, "bea", force=True)["success"]
    return {student: next(feedback_pages(course, ASSIGNMENT, student)).read_text("utf-8") for student in ANSWERS}


class Reader(HTMLParser):
    """The text, the links, the anchors and what runs, as a browser reads a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.links, self.anchors, self.running = "", [], [], []
        self._skipped = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        values = dict(attrs)
        self._skipped += tag in ("script", "style")
        self.links += [values["href"]] if tag == "a" else []
        self.anchors += [values["id"]] if "id" in values else []
        self.running += [name for name in values if name.startswith("on")]
        self.running += [str(values.get("src"))] if tag in ("script", "iframe", "link") else []

    def handle_endtag(self, tag: str) -> None:
        self._skipped -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        self.text += "" if self._skipped else f"{data} "


def said(page: str) -> str:
    return " ".join(Reader(page).text.split())


def summary(page: str) -> str:
    return said(page.split("<h2>Your notebook")[0])


def test_first_comes_what_a_student_needs(pages: dict[str, str]):
    top = summary(pages["bea"])
    assert "3.75 of 9 points" in top
    assert "◐ Double three numbers: differs from the definition" in top
    assert "→ That is the square." in top
    assert "◐ Quiz two: not this one 1 / 2" in top
    assert "✓ Square 2 / 2" in top
    assert re.search(r"arithmetic 55 % theory 50 %", top)
    assert "Provisional: your instructor has still to look at 1 of your answers." in top
    assert "… Why waits for your instructor Good , but" in top
    assert "7 of 9 points" in summary(pages["ana"])


def test_what_is_blank_says_so(pages: dict[str, str]):
    top = summary(pages["dora"])
    assert "○ Square not answered 0 / 2" in top
    assert "○ Why not answered 0 / 2" in top
    assert "No response" not in top
    assert "Provisional" not in top


def test_every_line_leads_to_its_cell(pages: dict[str, str]):
    for page in pages.values():
        reader = Reader(page)
        inner = [link.removeprefix("#") for link in reader.links if link.startswith("#")]
        assert len(set(inner)) == 5
        assert set(inner) <= set(reader.anchors)
        assert len(reader.anchors) == len(set(reader.anchors))


def test_no_case_and_no_solution_is_shown(pages: dict[str, str]):
    for page in pages.values():
        assert CASE_VALUE not in page
        assert str(2 * int(CASE_VALUE)) not in page
        assert SOLUTION_LINE not in page
        assert "Because it is so" not in page


def test_a_spy_learns_nothing_and_the_honest_part_stays(pages: dict[str, str]):
    page = said(pages["spy"])
    assert re.search(r"I saw \[…, -?…, -?…\] and …, shapes \(3,\) \(4,\), in 1234 of 10\.5", page)
    assert not re.search(r"\d{5}|\d\.\d{3}", page)
    assert "KeyError" in page


def test_code_in_a_sentence_is_set_as_code(pages: dict[str, str]):
    assert re.search(r'class="reason">[^`]*<code>raise ValueError', pages["spy"], re.DOTALL)


def test_nothing_of_a_students_or_an_instructors_runs(pages: dict[str, str]):
    for page in pages.values():
        reader = Reader(page)
        assert [source for source in reader.running if source != "None" and "mathjax" not in source] == []
        assert page.count("<script") == 2
    assert "document.title" in said(pages["spy"])


def test_without_any_script_the_page_is_whole(pages: dict[str, str]):
    for page in pages.values():
        bare = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
        assert said(bare) == said(page)
        assert not re.search(r"url\(|@import|<link|<img[^>]+src=.(?!data:)", bare)
