"""Nothing of a student's runs in an instructor's page, and what is harmless stays readable."""

import base64
import re
import time
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from traitlets.config import Config

from vitrina.judging import Outcome, Verdict
from vitrina.panel import html_panel
from vitrina_autograder.pages import CleanOutputs, clean_html, clean_markdown, is_heavy

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()
ALLOWED_SCHEMES = ("http://", "https://", "mailto:")


class Page(HTMLParser):
    """The tags, attributes and text of a page as a browser reads them."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.text = [], [], ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data):
        self.text += data


def address(value):
    """An address as a browser reads it: without the white space and control characters in it."""
    return "".join(character for character in value if character > " ").lower()


def dangers(html):
    """What could run or load something in a page."""
    page = Page(html)
    bad = {"script", "style", "iframe", "frame", "object", "embed", "form", "input", "button", "svg", "math", "base"}
    bad |= {"meta", "link", "video", "audio", "source", "template", "textarea", "select", "noscript"}
    found = [tag for tag in page.tags if tag in bad]
    for tag, name, value in page.attributes:
        link = address(value)
        if name.startswith("on") or name in {
            "id",
            "name",
            "srcset",
            "action",
            "formaction",
            "xlink:href",
            "background",
        }:
            found.append(f"{tag} {name}")
        if name == "src" and not link.startswith("data:image/"):
            found.append(f"{tag} src {value}")
        if name == "src" and "svg" in link:
            found.append("svg image")
        if name == "href" and re.match(r"[a-z][a-z0-9+.-]*:", link) and not link.startswith(ALLOWED_SCHEMES):
            found.append(f"{tag} href {value}")
        if name == "style" and ("position" in link or "image" in link or "background:" in link or "@import" in link):
            found.append(f"{tag} style {value}")
    return found


def markdown(source, **cell):
    return clean_markdown({"cell": cell}, source)


HOSTILE = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<script>alert(1)",
    "<img src=x onerror=alert(1)>",
    "<img src=http://evil/pixel.png>",
    "<img src='//evil/pixel.png'>",
    "<img src=data:image/svg+xml;base64,AAAA>",
    "<img src='data:image/png;base64,AAAA' onload=alert(1)>",
    "<img srcset='http://evil/x 1x' src='data:image/png;base64,AA#\" onerror=\"x'>",
    "<b onmouseover=alert(1)>b</b>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href='java\nscript:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "<a href='&#x6A&#x61vascript:alert(1)'>x</a>",
    "<a href='\x01javascript:alert(1)'>x</a>",
    "<a href=' data:text/html,<script>1</script>'>x</a>",
    "<a href='da\tta:text/html,x'>x</a>",
    "<a href='&#100;ata:text/html,x'>x</a>",
    "<a href='DATA&#58;text/html,x'>x</a>",
    "<a href='data&colon;text/html,x'>x</a>",
    "<a href=vbscript:x>x</a>",
    "<a href=file:///etc/passwd>x</a>",
    "<iframe src=http://evil></iframe>",
    "<iframe srcdoc='<script>1</script>'>",
    "<form action=http://evil><input name=a><button formaction=javascript:1>b</button></form>",
    "<svg onload=alert(1)><script>alert(1)</script><a xlink:href=javascript:1>x</a></svg>",
    "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>",
    "<style>body{background:url(http://evil)}</style>",
    "<style>@import 'http://evil'",
    "<p style='background: url(http://evil/x)'>x</p>",
    "<p style='background-image: url(http://evil/x); position: fixed; top: 0'>x</p>",
    "<p style='list-style: url(http://evil/x); cursor: url(x); content: url(x)'>x</p>",
    "<object data=x></object><embed src=x><base href=//evil><meta http-equiv=refresh content=0>",
    "<link rel=stylesheet href=//evil/x.css>",
    "<video src=//evil poster=//evil><source src=x onerror=alert(1)></video>",
    "<div id=cell name=x class=c>x</div>",
    "<table background=//evil/x><td background=//evil/x>x</td></table>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<p title='\"><script>alert(1)</script>'>x</p>",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<template><script>alert(1)</script></template>",
    "<textarea><img src=x onerror=alert(1)></textarea>",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_html_is_made_harmless(hostile):
    for html in (hostile, f"<p>before</p>{hostile}", f"<table><tr><td>{hostile}</td></tr></table>"):
        assert dangers(clean_html(html)) == []
    assert dangers(markdown(hostile)) == []
    assert dangers(markdown(f"text {hostile} *text*")) == []


def test_the_list_of_hostile_html_is_hostile():
    harmless = [hostile for hostile in HOSTILE if not dangers(hostile)]
    assert len(harmless) <= 8, harmless  # those that only fool a cleaner, not a parser


PIECES = st.sampled_from(
    ["<", ">", "script", "</", "a href=", "img src=", "javascript:", "data:", "'", '"', "onload=x ", "style="]
)


@given(st.lists(PIECES | st.text(max_size=2) | st.sampled_from(HOSTILE), max_size=8).map("".join))
def test_no_mixture_gets_through(html):
    cleaned = clean_html(html)
    assert dangers(cleaned) == []
    assert dangers(clean_html(cleaned)) == []


@pytest.mark.parametrize(
    "source",
    [
        r"\href{javascript:alert(1)}{x}",
        r"\hr<!-- -->ef{javascript:alert(1)}{x}",
        r"\hr<x>ef{javascript:alert(1)}{x}",
        r"&#92;href{javascript:alert(1)}{x}",
        r"&#x5c;&#104;ref{javascript:alert(1)}{x}",
        r"&bsol;href{javascript:alert(1)}{x}",
        r"&#0000000000000092;href{javascript:alert(1)}{x}",
        r"\style{x}{y} \cssId{x}{y} \class{x}{y} \require{html} \unicode{x}",
    ],
)
def test_formulas_cannot_make_links(source):
    for html in (f"<p>${source}$</p>", f"${source}$"):
        text = Page(clean_html(html)).text
        assert r"\text{" in text
        for command in ("href", "style", "cssId", "class", "require", "unicode"):
            assert "\\" + command not in text
    assert "\\href" not in Page(markdown(f"${source}$")).text


@pytest.mark.parametrize(
    "formula",
    ["$a<b$", "$$x > y & z$$", r"$\frac{1}{2} < \hreflike$", r"$$\begin{aligned} a &< b \\ c &> d \end{aligned}$$"],
)
def test_formulas_survive(formula):
    assert formula in Page(markdown(f"We know {formula} here.")).text


def test_markdown_keeps_what_is_harmless():
    html = markdown(
        "# Title\n\n*em* **strong** `a<b`\n\n- item\n\n1. one\n\n> quote\n\n[link](https://x.org/a?b=1&c=2)\n\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nif x < 3: y()\n```\n"
    )
    page = Page(html)
    for tag in ("h1", "em", "strong", "code", "ul", "li", "ol", "blockquote", "a", "table", "th", "td", "pre"):
        assert tag in page.tags
    assert ("a", "href", "https://x.org/a?b=1&c=2") in page.attributes
    assert "a<b" in page.text
    assert "if x < 3: y()" in page.text


def test_an_attached_picture_is_shown():
    html = markdown("![plot](attachment:plot.png)", attachments={"plot.png": {"image/png": PNG}})
    assert ("img", "src", f"data:image/png;base64,{PNG}") in Page(html).attributes
    hostile = markdown("![x](attachment:x)", attachments={"x": {"image/svg+xml": PNG}})
    assert dangers(hostile) == []
    assert (
        dangers(markdown("![x](attachment:x)", attachments={"x": {"image/png": '"><script>alert(1)</script>'}})) == []
    )


def test_markdown_without_a_cell_is_rendered():
    assert "<em>x</em>" in clean_markdown({}, "*x*")


def test_a_data_frame_keeps_its_table_and_not_its_style_sheet():
    html = (
        '<div>\n<style scoped>\n .dataframe tbody tr th { vertical-align: top; }\n</style>\n<table border="1" '
        'class="dataframe"><thead><tr><th></th><th>a</th></tr></thead>'
        '<tbody><tr><td colspan="2">1</td></tr></tbody></table>'
    )
    page = Page(clean_html(html))
    assert page.tags == ["div", "table", "thead", "tr", "th", "th", "tbody", "tr", "td"]
    assert page.text.strip() == "a1"
    assert ("td", "colspan", "2") in page.attributes


def panel():
    outcome = Outcome(
        "two <rows>",
        "failed",
        1.0,
        "differs: `x`",
        "Everything has the opposite sign.",
        expected=np.array([1.0, -2.0, np.pi]),
        received=np.array([-1.0, 2.0, np.nan]),
    )
    return html_panel(
        Verdict("id", "Twice", 3.0, "y = 2 x < 3", [outcome, Outcome("b", "passed", 1.0)], "note & <more>")
    )


def styles(html):
    return [
        {part.replace(" ", "") for part in value.split(";") if part.strip()}
        for _tag, name, value in Page(html).attributes
        if name == "style"
    ]


def test_our_own_panel_survives_with_text_and_colours():
    cleaned = clean_html(panel())
    assert Page(cleaned).text == Page(panel()).text
    assert [tag for tag in Page(cleaned).tags if tag != "tbody"] == Page(panel()).tags
    assert styles(cleaned) == styles(panel())
    assert "rgba(215,48,39,0.38)" in str(styles(cleaned))
    assert clean_html(cleaned) == cleaned


def cleaned_outputs(*outputs):
    cell = new_code_cell("x", outputs=list(outputs))
    CleanOutputs().preprocess(new_notebook(cells=[cell]), {})
    return cell.outputs


def test_only_harmless_kinds_of_output_are_stored():
    data = {
        "text/plain": "p",
        "text/html": "<b onclick=x>b</b><script>alert(1)</script>",
        "image/png": PNG,
        "image/jpeg": PNG,
        "image/svg+xml": "<svg onload=alert(1)>",
        "application/javascript": "alert(1)",
        "text/latex": r"$\href{javascript:x}{y}$",
        "text/markdown": "[x](javascript:x)",
        "application/json": {"a": 1},
        "application/vnd.jupyter.widget-view+json": {"model_id": "x"},
        "application/vnd.plotly.v1+json": {},
        "application/pdf": "x",
    }
    for kind in ("display_data", "execute_result"):
        (output,) = cleaned_outputs(new_output(kind, data, metadata={"image/png": {"width": '1" onload="x'}}))
        assert set(output.data) == {"text/plain", "text/html", "image/png", "image/jpeg"}
        assert output.data["text/html"] == "<b>b</b>"
        assert output.metadata == {}


def test_an_output_of_nothing_harmless_is_empty():
    (output,) = cleaned_outputs(new_output("display_data", {"application/javascript": "alert(1)"}))
    assert output.data == {"text/plain": ""}
    (output,) = cleaned_outputs(new_output("display_data", {"image/png": ["a"]}))
    assert output.data == {"text/plain": ""}


@pytest.mark.parametrize("heavy", ["<div>" * 25_000, "x" * (5 << 20), "<b>a</b>" * 4000])
def test_what_would_take_minutes_to_clean_is_shown_as_text(heavy):
    start = time.thread_time()
    shown = clean_html(heavy)
    assert shown.startswith("<pre>")
    assert "<b>" not in shown
    assert "<div>" not in shown
    assert len(shown) < 1 << 20
    assert time.thread_time() - start < 30


@pytest.mark.parametrize("heavy", ["\\[" * 20_000, "\\begin{a}" * 16_000, "[" * 50_000, "<div>" * 16_000])
def test_markdown_that_would_take_minutes_is_shown_as_text(heavy):
    start = time.thread_time()
    assert "<div>" not in clean_markdown({}, heavy)
    assert time.thread_time() - start < 30


@pytest.mark.parametrize("blanks", [" " * 190_000, " \n" * 90_000, "\t \r\n" * 40_000])
def test_long_blanks_are_shown_as_they_were_written(blanks):
    assert is_heavy(blanks)
    assert clean_markdown({}, f"a{blanks}b") == f"<pre>a{blanks}b</pre>"
    assert not is_heavy(f"a{' ' * 200}b{' ' * 200}c")


def test_lists_nested_beyond_every_stack_are_shown_as_they_were_written():
    deep = "<b onclick=alert(1)>a</b>\n\n" + "".join("  " * depth + "- - \n" for depth in range(140))
    assert not is_heavy(deep)
    assert clean_markdown({}, deep).startswith("<pre>&lt;b onclick")


def test_streams_and_errors_are_left():
    error = new_output("error", ename="E", evalue="<b>", traceback=["<b>"])
    outputs = cleaned_outputs(new_output("stream", text="<b>"), error)
    assert outputs[0].text == "<b>"
    assert outputs[1].traceback == ["<b>"]


@pytest.mark.parametrize("piece", ["<script", "<style>", "</script ", "<a href=", "&#92", "&amp", "<!--"])
def test_cleaning_takes_no_longer_than_the_page(piece):
    start = time.thread_time()
    clean_html(piece * (40_000 // len(piece)))
    assert time.thread_time() - start < 30  # not quadratic: that would be minutes


def test_a_whole_page_as_nbgrader_makes_it_is_harmless():
    """Through nbconvert's own template, with the filters as `nbgrader_config.py` sets them."""
    marker = "<script>alert(4711)</script><img src=x onerror=alert(4711)>"
    hostile = {
        "text/html": marker,
        "text/plain": marker,
        "image/png": f'"{marker}',
        "application/javascript": "alert(4711)",
    }
    error = new_output("error", ename=marker, evalue=marker, traceback=[marker])
    notebook = new_notebook(
        cells=[
            new_markdown_cell(marker),
            new_raw_cell(marker),
            new_code_cell(f"x = '{marker}'", outputs=[new_output("display_data", hostile), error]),
            new_code_cell("y", outputs=[new_output("display_data", {"image/png": f'"{marker}'})]),
            new_code_cell("z", outputs=[new_output("stream", text=marker)]),
        ]
    )
    CleanOutputs().preprocess(notebook, {})
    filters = {"clean_html": clean_html, "markdown2html": clean_markdown}
    for template in ("classic", "lab"):
        exporter = HTMLExporter(
            config=Config(HTMLExporter={"filters": filters, "sanitize_html": True}), template_name=template
        )
        page, _resources = exporter.from_notebook_node(notebook)
        assert "<script>alert(4711)" not in page
        assert not any("4711" in value for _tag, name, value in Page(page).attributes if name.startswith("on"))
