"""The class's page in a real browser: its own script works, and nothing that a student wrote runs or breaks it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import unescape
from pathlib import Path

import pytest

from corpus.browser import MARK, SCRIPT, needs_browser, opened, was_there
from corpus.copyists import draw_answers
from corpus.made_up_class import made_up_report
from vitrina.judging import Outcome, Verdict
from vitrina_autograder.analysis import summarise
from vitrina_autograder.class_page import write_page
from vitrina_autograder.class_report import ClassReport
from vitrina_autograder.concerns import concerns
from vitrina_autograder.course import Course
from vitrina_autograder.exercise import Outline, load_exercises, outline
from vitrina_autograder.grade import Grade
from vitrina_autograder.members import Member, make_member
from vitrina_autograder.similarity import Part, Script, compare
from vitrina_autograder.verdicts import Record

ATTACKS = (
    f"<script>{SCRIPT}</script>",
    f'<img src=x onerror="{SCRIPT}">',
    f'"><svg onload="{SCRIPT}"></svg>',
    f"' onmouseover='{SCRIPT}' x='",
    f"</title></style></script><script>{SCRIPT}</script>",
    f'</code></pre><iframe srcdoc="<script>parent.{SCRIPT}</script>"></iframe>',
    f"{{{{ '{SCRIPT}' }}}}<!--",
    f"javascript:{SCRIPT}",
    f"`<script>{SCRIPT}</script>`",
)
EXERCISES: Mapping[str, Outline] = {"double": Outline("double", "Double", ["A"])}


def attacker(number: int, text: str) -> Member:
    outcomes = [Outcome(text, "failed", 1.0, text, reply="raised"), Outcome(text, "failed", 1.0, text, text)]
    verdict = Verdict("double", "Double", 3.0, outcomes=outcomes)
    name = f"{number}{text}"
    record = Record(name, "week1", {"double": verdict}, remarks=[text], sandbox=text, seconds=1.0)
    record.alarms = [text]
    page = Path("feedback") / text.replace("/", "%") / "a.html"
    return make_member(name, Grade(name, 0.0, 3.0, {}, 0), record, EXERCISES, [page])


@pytest.fixture
def hostile_page(tmp_path: Path) -> Path:
    """A page of a class in which everyone tries to run a script from every text of theirs."""
    members = [attacker(number, text) for number, text in enumerate(ATTACKS)]
    analysis = summarise("week1", EXERCISES, members, {"double": 3.0})
    code = [f"# {text}\n'''{text}'''\n{source}" for text, source in zip(ATTACKS, draw_answers(1), strict=False)]
    scripts = [Script(member.student, [Part(f"{ATTACKS[0]}.py", source) for source in code]) for member in members[:2]]
    comparison = compare(scripts)
    assert comparison.pairs
    report = ClassReport(Course(tmp_path), analysis, comparison, concerns(analysis, comparison))
    return write_page(report, tmp_path)


@pytest.fixture(scope="module")
def class_page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("class")
    exercises = load_exercises(request.config.rootpath / "assignments" / "week2_neural")
    outlines = {key: outline(exercise) for key, exercise in exercises.items()}
    return write_page(made_up_report(12, outlines, folder), folder)


def test_everything_students_wrote_is_text(hostile_page: Path):
    html = hostile_page.read_text(encoding="utf-8")
    assert html.count("<script") == 1
    assert not re.search(r"<(img|iframe|svg onload)|\son\w+=[\"']?document", html)
    assert "&lt;script&gt;" in html
    assert 'href="javascript' not in html


class TestInABrowser:
    pytestmark = needs_browser

    def test_no_script_of_a_student_runs(self, hostile_page: Path, tmp_path: Path):
        assert not was_there(hostile_page, tmp_path / "profile")

    def test_even_a_script_that_got_into_the_page_would_not_run(self, hostile_page: Path, tmp_path: Path):
        """The policy is a second wall, and the browser is no liar: without the policy the same script runs."""
        html = hostile_page.read_text(encoding="utf-8").replace("</main>", f"<script>{SCRIPT}</script></main>")
        policy = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
        assert len(policy.findall(html)) == 1
        for text, runs in ((html, False), (policy.sub("", html), True)):
            page = tmp_path / "injected.html"
            page.write_text(text, encoding="utf-8")
            assert was_there(page, tmp_path / "profile") is runs

    def test_the_pages_own_script_runs_under_its_policy(self, class_page: Path, tmp_path: Path):
        assert re.search(r'<html[^>]*class="js"', opened(class_page, tmp_path / "profile"))

    def test_sorting_filtering_and_opening(self, class_page: Path, tmp_path: Path):
        """Driven by a script of the test's, for which the policy is taken off."""
        driver = """
        const buttons = document.querySelectorAll("#class thead button");
        const totals = () => [...document.querySelectorAll("#class > tbody")].map((body) => key(body, 1));
        buttons[1].click(); const falling = totals();
        buttons[1].click(); const rising = totals();
        document.querySelector("#class .more").click();
        find.value = "abad"; filter();
        const said = { falling, rising, opened: document.querySelectorAll("#class .open").length,
          shown: [...document.querySelectorAll("#class > tbody:not([hidden])")].map((body) => key(body, 0)) };
        document.body.dataset.said = JSON.stringify(said);
        """
        html = re.sub(r"<meta http-equiv[^>]*>", "", class_page.read_text(encoding="utf-8"))
        page = tmp_path / "driven.html"
        page.write_text(html.replace("</body>", f"<script>{driver}</script></body>"), encoding="utf-8")
        found = re.search(r'<body[^>]*data-said="([^"]*)"', opened(page, tmp_path / "profile"))
        assert found
        said = json.loads(unescape(found[1]))
        assert said["falling"] == sorted(said["falling"], reverse=True) == said["rising"][::-1]
        assert len(set(said["falling"])) > 3
        assert said["opened"] == 1
        assert said["shown"] == ["abad-ana-1"]


def test_the_mark_is_in_every_attack():
    assert all(MARK in text for text in ATTACKS)
