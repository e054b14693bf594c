"""In a real browser: what a student wrote runs in no page that an instructor opens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from nbconvert.exporters import HTMLExporter
from nbgrader.server_extensions.formgrader import handlers

from corpus.browser import MARK, SCRIPT, needs_browser, was_there
from corpus.toy_course import ASSIGNMENT, DOUBLE, NOTEBOOK, WHY
from vitrina_autograder.course import CONFIG_NAME, Course
from vitrina_autograder.grade import Grading
from vitrina_autograder.release import load_config

pytestmark = needs_browser


def attack(notebook: dict[str, Any]) -> dict[str, Any]:
    """Put the script wherever a student can put text."""
    image = f'<img src=x onerror="{SCRIPT}">'
    for cell in notebook["cells"]:
        if cell["id"] == WHY:
            cell["source"] = f'Because {image} <script>{SCRIPT}</script> <svg onload="{SCRIPT}"></svg> of this.'
        if cell["id"] == DOUBLE:
            cell["source"] = f"def double(x):\n    raise ValueError('''{image}<script>{SCRIPT}</script>''')"
    outputs = f"""
from IPython.display import HTML, SVG, Javascript, Markdown, display
display(HTML('''<script>{SCRIPT}</script>{image}<b>shown</b>'''), Javascript('''{SCRIPT}'''))
display(Markdown('''{image}<script>{SCRIPT}</script>'''))
display({{"image/svg+xml": '''<svg xmlns="http://www.w3.org/2000/svg" onload="{SCRIPT}"/>'''}}, raw=True)
print('''<script>{SCRIPT}</script>''')
"""
    cell = {"cell_type": "code", "id": "own", "metadata": {}, "outputs": [], "execution_count": None, "source": outputs}
    raw = {"cell_type": "raw", "id": "raw", "metadata": {"raw_mimetype": "text/html"}, "source": image}
    notebook["cells"] += [cell, raw]
    return notebook


@pytest.fixture
def graded(toy: Course, solved: dict[str, Any]) -> Course:
    folder = toy.submitted / "mallory" / ASSIGNMENT
    folder.mkdir(parents=True)
    (folder / NOTEBOOK).write_text(json.dumps(attack(solved)), encoding="utf-8")
    Grading(toy, ASSIGNMENT).run(["mallory"])
    return toy


def formgrader_page(course: Course) -> str:
    """Render the submission as formgrader does."""
    config = load_config(course)
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    path = course.autograded / "mallory" / ASSIGNMENT / NOTEBOOK
    names = ("assignment_id", "notebook_id", "submission_id", "base_url", "student", "last_name", "first_name")
    resources = {**dict.fromkeys(names, ""), "index": 0, "total": 1, "notebook_path": str(path)}
    return HTMLExporter(config=config).from_filename(str(path), resources=resources)[0]


def test_a_students_script_runs_in_no_page(graded: Course, tmp_path: Path):
    feedback = graded.feedback / "mallory" / ASSIGNMENT / NOTEBOOK.replace(".ipynb", ".html")
    formgrader = tmp_path / "formgrader.html"
    formgrader.write_text(formgrader_page(graded), encoding="utf-8")
    assert "<b>shown</b>" in formgrader.read_text(encoding="utf-8")
    assert MARK in feedback.read_text(encoding="utf-8")  # in the student's own source; outputs are not shown there
    for page in (feedback, formgrader):
        assert not was_there(page, tmp_path / "profile"), page


def test_without_our_filters_it_would_run(graded: Course, tmp_path: Path):
    """The browser is no liar: with nbgrader's own filters the same submission marks the page."""
    config = (graded.root / CONFIG_NAME).read_text()
    (graded.root / CONFIG_NAME).write_text(
        config + "\nc.HTMLExporter.filters = {}\nc.HTMLExporter.sanitize_html = False\n"
    )
    page = tmp_path / "formgrader.html"
    page.write_text(formgrader_page(graded), encoding="utf-8")
    assert was_there(page, tmp_path / "profile")
