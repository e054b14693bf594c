import builtins
import sys
from html.parser import HTMLParser

import pytest

from vitrina.quick import quick, right, wrong

RIGHT, WRONG = right("Exactly 0", "It is multiplied by `x_i`."), wrong("Its gradient", "That is saliency.")


class Lids(HTMLParser):
    """What stands in the summaries and what below them, and every tag."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.shown: list[str] = []
        self.below: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        assert not any(name.startswith("on") for name, _ in attrs)
        self.tags.append(tag)
        self._open.append(tag)
        if tag == "details":
            self.shown.append("")
            self.below.append("")

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if "details" in self._open:
            texts = self.shown if "summary" in self._open else self.below
            texts[-1] += data


def test_each_answer_says_why_when_it_is_opened():
    lids = Lids(quick("What of a black pixel?", WRONG, RIGHT)._repr_html_())
    assert lids.shown == ["Its gradient", "Exactly 0"]
    assert lids.below == ["✗ Not quite. That is saliency.", "✓ Right. It is multiplied by x_i."]
    assert {"script", "style", "input"}.isdisjoint(lids.tags)  # works where a page is cleaned, and by keyboard


def test_texts_are_escaped():
    nasty = "<script>alert('1')</script><b onclick=x> & `a < b` $x < y$"
    lids = Lids(quick(nasty, right(nasty, nasty), wrong(nasty, nasty))._repr_html_())
    assert set(lids.tags) == {"div", "b", "i", "details", "summary", "span", "code"}
    assert lids.shown == [nasty.replace("`", "")] * 2


def test_a_script_prints_the_question_and_below_it_the_answers(capsys, monkeypatch):
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    quick("What of a black pixel?", WRONG, RIGHT)
    said = capsys.readouterr().out
    question, _, answers = said.partition("\n\n")
    assert question.splitlines() == ["Quick question: What of a black pixel?", "  a) Its gradient", "  b) Exactly 0"]
    assert answers.splitlines() == ["  a: Not quite. That is saliency.", "  b: Right. It is multiplied by `x_i`."]


def test_a_notebook_prints_nothing(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "ipykernel", builtins)
    quick("What of a black pixel?", WRONG, RIGHT)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("Q", RIGHT), "one wrong"),
        (("Q", WRONG, WRONG), "one right"),
        (("Q",), "at least one"),
        ((" ", RIGHT, WRONG), "say something"),
        (("Q", RIGHT, wrong("a", "")), "say something"),
    ],
)
def test_a_question_that_teaches_nothing_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        quick(*arguments)
