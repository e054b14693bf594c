"""What an instructor's page shows of a student's work is harmless: no script of a student's runs there.

nbgrader renders outputs and Markdown as they are. Through its configuration we put cleaning filters in their place
(`markdown2html`, `clean_html`) and clean the outputs of a graded notebook before they are stored.
"""

from __future__ import annotations

import re
from html import escape, unescape
from typing import Any

import bleach
from bleach.css_sanitizer import CSSSanitizer
from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from traitlets import Bool

from vitrina_autograder.marks import graded_exercise

_TAGS = """
a abbr b blockquote br caption code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i img kbd li mark ol p pre q s
small span strong sub summary sup table tbody td tfoot th thead tr u ul
"""
_STYLES = """
background-color border border-left border-collapse color font-family font-size font-style font-weight margin
margin-left padding text-align text-decoration vertical-align white-space width
"""
_CSS = CSSSanitizer(allowed_css_properties=_STYLES.split())
#: Never shown, not even as text; where the end is missing it takes the rest with it, as in a browser.
_UNSEEN = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_EMBEDDED_IMAGE = re.compile(r"data:image/(png|jpeg|gif);base64,[A-Za-z0-9+/=\s]*\Z")
#: MathJax commands that make links, load code or change the page.
_MATH_COMMANDS = re.compile(r"\\(href|style|class|cssId|unicode|require|url)(?![A-Za-z])")
_CODED_CHARACTER = re.compile(r"&#?\w+;")
#: What a browser leaves out of an address.
_IGNORED = re.compile(r"[\x00-\x20\x7f-\xa0]")
_SHOWN_TYPES = frozenset({"text/plain", "image/png", "image/jpeg"})
#: Beyond this, cleaning and rendering would take minutes: the text is shown as it was written.
_MAX_TEXT = 200_000
_MAX_MARKS = 3000
_MARKS = re.compile(r"[<\[]|\\[\[(]|\\begin|\$")
#: Over a longer run of blanks the patterns of those who render text and code go again and again.
_MAX_BLANKS = 300
_BLANKS = re.compile(r"\s+")


def _allowed(tag: str, name: str, value: str) -> bool:
    if name in ("style", "title", "align"):
        return True
    if tag == "a" and name == "href":
        return not _IGNORED.sub("", unescape(value)).lower().startswith("data:")
    if tag == "img" and name == "src":
        return bool(_EMBEDDED_IMAGE.match(value))
    return (tag, name) in {("img", "alt"), ("img", "width"), ("img", "height"), ("td", "colspan"), ("td", "rowspan")}


def clean_html(html: str) -> str:
    """Keep the harmless part of HTML: no script, no event handler, no form, no frame, nothing loaded from elsewhere."""
    if is_heavy(html):
        return as_written(html)
    kept = bleach.clean(
        _UNSEEN.sub("", html),
        tags=_TAGS.split(),
        attributes=_allowed,
        protocols={"http", "https", "mailto", "data"},
        css_sanitizer=_CSS,
        strip=True,
    )
    return _MATH_COMMANDS.sub(r"\\text{\1}", _CODED_CHARACTER.sub(_decoded, kept))


def is_heavy(text: str) -> bool:
    """Whether to render a text would take too long."""
    return (
        len(text) > _MAX_TEXT
        or sum(1 for _mark in _MARKS.finditer(text)) > _MAX_MARKS
        or any(len(run) > _MAX_BLANKS for run in _BLANKS.findall(text))
    )


def as_written(text: str) -> str:
    """Show a text as it was written, instead of rendering it."""
    return f"<pre>{escape(text[:_MAX_TEXT])}</pre>"


def _decoded(code: re.Match[str]) -> str:
    """Decode what may hide the name of a MathJax command: a letter or a backslash written as `&#92;`."""
    character = unescape(code[0])
    return character if character == "\\" or (character.isascii() and character.isalpha()) else code[0]


@pass_context
def clean_markdown(context: Context, source: str) -> str:
    """Render Markdown as nbconvert does, and keep the harmless part."""
    cell = context.get("cell") or {}
    return markdown_html(source, cell.get("attachments", {}))


def markdown_html(source: str, attachments: dict[str, dict[str, str]] | None = None) -> str:
    """Make harmless HTML of Markdown that anybody wrote; `attachments` are a cell's pictures."""
    if is_heavy(source):
        return as_written(source)
    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True, attachments=attachments or {})
    try:
        return clean_html(MarkdownWithMath(renderer=renderer).render(source))
    except RecursionError:  # lists in lists in lists
        return as_written(source)


class CleanOutputs(Preprocessor):
    """Stores only outputs that are harmless to show: text, pictures and cleaned HTML."""

    enabled = Bool(True, help="nbconvert's own are off unless somebody says otherwise.").tag(config=True)

    def preprocess_cell(self, cell: NotebookNode, resources: Any, index: int) -> tuple[NotebookNode, Any]:
        """Clean the outputs of one cell."""
        del index
        if graded_exercise(cell) is not None:  # the verdict, which is ours
            return cell, resources
        for output in cell.get("outputs", []):
            if output.output_type in ("display_data", "execute_result"):
                output.data = _clean_bundle(output.data)
                output.metadata = NotebookNode()
        return cell, resources


def _clean_bundle(data: dict[str, Any]) -> NotebookNode:
    kept = {kind: value for kind, value in data.items() if kind in _SHOWN_TYPES and isinstance(value, str)}
    html = data.get("text/html")
    if isinstance(html, str):
        kept["text/html"] = clean_html(html)
    return NotebookNode(kept or {"text/plain": ""})
