"""What a student reads: safe in HTML, complete as text, and a score that nbgrader's Validate button understands."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.formatters import DisplayFormatter
from nbformat.v4 import new_code_cell, new_output
from nbgrader.utils import determine_grade

from vitrina.judging import Outcome, Verdict
from vitrina.panel import html_panel, text_panel

STATUSES = st.sampled_from(["passed", "failed", "unanswered", "recorded"])
TAGS = {"div", "span", "b", "i", "code", "table", "tbody", "tr", "td"}


class Reader(HTMLParser):
    """Collects the tags and attributes of a page, and its text as a browser shows it."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.text, self.open = set(), set(), "", 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _value in attrs}
        self.open += 1

    def handle_endtag(self, _tag):
        self.open -= 1

    def handle_data(self, data):
        self.text += data


def verdict(*outcomes, points=3.0, note="", formula="R = a < b"):
    return Verdict("id", "Twice the <input>", points, formula, outcomes, note)


PASSED, FAILED = Outcome("first", "passed", 1.0), Outcome("second", "failed", 2.0, "no", "Try `x + y`.")
UNANSWERED, RECORDED = Outcome("third", "unanswered", 1.0, "not answered yet"), Outcome("fourth", "recorded", 1.0)


def test_a_title_with_a_mark_of_its_own_gets_no_second_one():
    outcomes = [Outcome(title, "recorded", 1.0, "recorded") for title in ("which?", "what it buys:", "a case")]
    for text in (text_panel(verdict(*outcomes)), Reader(html_panel(verdict(*outcomes))).text):
        assert "which? recorded" in text
        assert "what it buys: recorded" in text
        assert "a case: recorded" in text


def test_an_error_that_recurs_with_other_numbers_is_told_once():
    sizes = ("size 2 is not 3", "size 4 is not 3", "size 2 is not 3", "another")
    text = text_panel(verdict(*(Outcome("case", "failed", 1.0, size, reply="raised") for size in sizes)))
    assert [line.split(": ")[1] for line in text.splitlines() if "case" in line] == [
        "size 2 is not 3",
        "the same, with other numbers",
        "the same",
        "another",
    ]


def test_what_a_function_printed_keeps_its_lines():
    assert "white-space: pre-wrap" in html_panel(verdict(PASSED, note="one\ntwo"))


MARKUP = st.sampled_from(
    ["<script>alert(1)</script>", "<img src=x onerror=f()>", "'\"><b>", "&lt;", "`<i>`", "`", "</div>"]
)
TEXTS = st.lists(MARKUP | st.text(max_size=5), max_size=4).map("".join)


@given(title=TEXTS, message=TEXTS, hint=TEXTS, note=TEXTS, status=STATUSES)
def test_nothing_of_a_students_is_markup(title, message, hint, note, status):
    outcome = Outcome(title, status, 1.0, message, hint)
    page = Reader(html_panel(Verdict(title, title, 1.0, message, [PASSED, outcome], note)))
    assert page.tags <= TAGS
    assert page.attributes <= {"style"}
    assert page.open == 0


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "shape <unknown>", "a & b", "ValueError: '<U3'"])
def test_what_a_student_wrote_is_shown_as_it_is(text):
    panel = html_panel(verdict(PASSED, Outcome("case", "failed", 1.0, text, text), note=text))
    assert Reader(panel).text.count(text) == 3
    assert text in text_panel(verdict(Outcome("case", "failed", 1.0, text), note=text))


def test_code_is_set_between_backticks():
    assert "<code>x + y</code>" in html_panel(verdict(FAILED))


def test_a_panel_tells_the_points_the_cases_and_the_formula():
    for text in (Reader(html_panel(verdict(PASSED, FAILED))).text, text_panel(verdict(PASSED, FAILED))):
        for part in ("Twice the <input>", "1 of 3 points", "✓ first", "✗ second: no", "x + y", "expected: R = a < b"):
            assert part in text
    assert "expected:" not in text_panel(verdict(PASSED)) + html_panel(verdict(PASSED))
    assert "expected:" not in text_panel(verdict(FAILED, formula="")) + html_panel(verdict(FAILED, formula=""))


def test_what_is_not_answered_says_so_and_no_more():
    for text in (Reader(html_panel(verdict(UNANSWERED))).text, text_panel(verdict(UNANSWERED))):
        assert "not answered yet (worth 3)" in text
        assert "third" not in text
        assert "expected" not in text
    assert "third" in text_panel(verdict(PASSED, UNANSWERED))


def test_recorded_points_are_provisional():
    assert "3 of 3 points, provisional" in text_panel(verdict(PASSED, RECORDED))
    assert "provisional" not in text_panel(verdict(PASSED, FAILED))


@pytest.mark.parametrize(
    ("outcomes", "colour"),
    [
        ([PASSED], "#1a9850"),
        ([PASSED, FAILED], "#d73027"),
        ([PASSED, UNANSWERED], "#d73027"),
        ([UNANSWERED], "#8c8c8c"),
        ([PASSED, RECORDED], "#4575b4"),
        ([RECORDED, FAILED], "#d73027"),
        ([], "#d73027"),
    ],
)
def test_the_edge_tells_the_whole(outcomes, colour):
    assert html_panel(verdict(*outcomes)).startswith(f'<div style="border-left: 4px solid {colour};')


@given(st.lists(st.builds(Outcome, TEXTS, STATUSES, st.just(1.0), TEXTS, TEXTS), max_size=4), TEXTS)
def test_the_text_panel_is_text(outcomes, note):
    text = text_panel(verdict(*outcomes, note=note))
    assert type(text) is str
    assert text.startswith("Twice the <input>: ")
    assert text.endswith(note)


def compared(expected, received):
    outcome = Outcome("case", "failed", 1.0, "differs", expected=np.asarray(expected), received=np.asarray(received))
    return html_panel(verdict(outcome)), text_panel(verdict(outcome))


def test_the_excerpt_holds_the_largest_difference():
    expected = np.zeros((3, 40))
    received = expected.copy()
    received[1, 27], received[2, 3] = 7.25, 1
    html, text = compared(expected, received)
    assert re.search(r"yours    \[1, (\d+):(\d+)\]: .*7.25", text)
    first, last = map(int, re.search(r"expected \[1, (\d+):(\d+)\]", text).groups())
    assert first <= 27 < last == first + 8
    assert "7.25" in html
    assert "rgba(215, 48, 39, 0.60)" in html


def test_negative_and_broken_values_have_their_own_colours():
    html, _text = compared([1.0, 1.0, 1.0], [1.0, -0.5, np.nan])
    assert "rgba(69, 117, 180, 0.30)" in html
    assert "rgba(140, 140, 140, 0.5)" in html


@pytest.mark.parametrize(
    ("expected", "received"),
    [
        (np.array([True, False]), np.array([False, False])),
        (np.array(1.0), np.array(2.0)),
        (np.array([1, 2], "u1"), np.array([2, 1], "u1")),
        (np.array([1.0]), np.array([np.inf])),
        (np.array([1e308]), np.array([-1e308])),
        (np.zeros((2, 2, 2)), np.ones((2, 2, 2))),
    ],
)
@pytest.mark.filterwarnings("error")
def test_every_kind_of_number_can_be_compared(expected, received):
    html, text = compared(expected, received)
    assert "<table" in html
    assert "yours" in text


def test_the_largest_difference_of_small_integers_does_not_wrap_around():
    _html, text = compared(np.full(20, 5, "u1"), np.array([4] * 10 + [250] + [5] * 9, "u1"))
    assert "250" in text


def test_arrays_of_other_shapes_or_sizes_are_not_laid_side_by_side():
    for expected, received in ((np.zeros(2), np.ones(3)), (np.zeros((0, 2)), np.zeros((0, 2)))):
        assert "<table" not in compared(expected, received)[0]


def graded(result, points):
    """A graded cell as the kernel leaves it when its last line gives `result`."""
    data, _metadata = DisplayFormatter().format(result)
    assert "text/html" in data
    marks = {"grade": True, "locked": True, "solution": False, "points": points, "grade_id": "x"}
    return new_code_cell("check(...)", metadata={"nbgrader": marks}, outputs=[new_output("execute_result", data)])


@pytest.mark.parametrize(
    ("outcomes", "earned"),
    [([PASSED], 3.0), ([PASSED, FAILED], 1.0), ([FAILED], 0.0), ([UNANSWERED], 0.0), ([], 0.0), ([RECORDED], 3.0)],
)
def test_nbgrader_reads_the_points(outcomes, earned):
    result = verdict(*outcomes)
    assert determine_grade(graded(result, 3)) == (earned, 3.0)
    assert float(repr(result)) == earned


@pytest.mark.parametrize("points", [0.005, 0.335, 1 / 3, 2.675, 3, 1000])
def test_nbgrader_never_reads_more_than_the_maximum(points):
    earned, maximum = determine_grade(graded(verdict(PASSED, points=points), points))
    assert earned <= maximum


@given(picture=TEXTS.filter(bool))
def test_a_picture_is_an_image_whatever_it_says(picture):
    page = Reader(html_panel(Verdict("id", "t", 1.0, outcomes=[PASSED], picture=picture)))
    assert page.tags <= TAGS | {"img"}
    assert page.attributes <= {"style", "src", "alt"}
    assert "<img" not in html_panel(verdict(PASSED))
