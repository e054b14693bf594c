import re
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

from vitrina.text_plots import show_words, words_as_html

WORDS = [["not", "<b>", "&", "$x$"], ["fine"]]
VALUES = np.array([[-2.0, 0.1, 0.0, 1.0], [0.5, 0.0, 0.0, 0.0]])


class Spans(HTMLParser):
    """Collects the words with a number that a reader sees, their style and their number."""

    def __init__(self, html):
        super().__init__()
        self.words, self.open, self.depth, self.tags = [], None, 0, set()
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.depth += 1
        self.tags.add(tag)
        self.open = dict(attrs) if "title" in dict(attrs) else None

    def handle_endtag(self, _tag):
        self.depth -= 1
        self.open = None

    def handle_data(self, data):
        if self.open:
            style = dict(part.split(": ", 1) for part in self.open["style"].split("; "))
            self.words.append((data, self.open["title"], style))


def read(html):
    spans = Spans(html.data)
    assert spans.depth == 0  # every tag is closed
    assert spans.tags == {"div", "span", "b"} or spans.tags == {"div", "span"}
    return spans.words[:-3]  # the legend follows


def luminance(colour):
    parts = np.array(to_rgb(colour))
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ (0.2126, 0.7152, 0.0722)


def test_words_are_escaped_and_carry_their_numbers():
    words = read(words_as_html(WORDS, VALUES))
    assert [word for word, *_ in words] == ["not", "<b>", "&", "$x$", "fine"]
    assert [number for _, number, _ in words] == ["-2", "+0.1", "+0", "+1", "+0.5"]


def test_red_speaks_for_blue_against_and_white_says_nothing():
    backgrounds = [to_rgb(style["background"]) for *_, style in read(words_as_html(WORDS, VALUES))]
    against, little, nothing, half, alone = backgrounds
    assert against[2] > against[0]
    assert nothing == (1, 1, 1)
    for red in (little, half, alone):
        assert red[0] > red[2]
    assert little[2] > half[2] > alone[2]  # 0.05, 0.5 and all of the scale of its text
    common = read(words_as_html(WORDS, VALUES, common_scale=True))[-1]
    assert to_rgb(common[2]["background"])[2] > half[2]  # 0.25 of the scale of all


def test_colours_are_not_the_only_sign_and_are_read_well():
    for _, number, style in read(words_as_html([["w"] * 20], [np.linspace(-1, 1, 20)])):
        line = style.get("border-bottom", "")
        assert ("solid" in line, "dashed" in line) == (float(number) >= 0.2, float(number) <= -0.2)
        contrast = (luminance(style["background"]) + 0.05) / (luminance(style["color"]) + 0.05)
        assert contrast > 4.5  # WCAG 2.1, level AA


def test_methods_have_names_and_texts_have_titles():
    html = words_as_html(WORDS, {"LRP": VALUES, "<i>": 2 * VALUES}, titles=["a < b", 2]).data
    text = re.sub(r"<[^>]*>", " ", html)
    assert text.index("a &lt; b") < text.index("LRP") < text.index("&lt;i&gt;") < text.index(" 2 ")
    assert "±4" in text
    assert "±2" in text


def test_the_figure_holds_every_word_once_per_method_on_its_sheet():
    many = [["word", "another"] * 30, ["x"]]
    figure = show_words(many, {"LRP": [np.ones(60), np.ones(1)], "GxI": [-np.ones(60), np.zeros(1)]}, titles="ab")
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert [texts.count(word) for word in ("word", "another", "x", "LRP", "GxI", "a", "b")] == [60, 60, 2, 2, 2, 1, 1]
    tight = figure.get_tightbbox()
    assert tight.x0 >= -0.02
    assert tight.y0 >= -0.02
    assert tight.x1 <= figure.get_size_inches()[0] + 0.02
    assert tight.y1 <= figure.get_size_inches()[1] + 0.02
    boxes = [text.get_window_extent() for text in figure.axes[0].texts if text.get_text() in ("word", "another")]
    for left, right in pairwise(boxes):
        assert right.x0 > left.x1 or abs(right.y0 - left.y0) > 10  # beside each other or on another line


def test_the_figure_colours_as_the_page_does_and_draws_formulas_as_they_are_written():
    figure = show_words(WORDS, VALUES)
    figure.canvas.draw()
    colours = [patch.get_facecolor()[:3] for patch in figure.axes[0].patches[:5]]
    expected = [to_rgb(style["background"]) for *_, style in read(words_as_html(WORDS, VALUES))]
    np.testing.assert_allclose(colours, expected, atol=1e-6)
    assert not any(text.get_parse_math() for text in figure.axes[0].texts if text.get_text() == "$x$")
    assert figure.number not in plt.get_fignums()


def test_all_zero_and_missing_values_are_drawn():
    words = read(words_as_html([["a", "b"], ["c", "d"]], [[0, 0], [np.nan, 1]]))
    assert [style["background"] for *_, style in words][:3] == ["#ffffff", "#ffffff", "#cccccc"]
    assert show_words([["c", "d"]], [[np.nan, 1]]).axes


@pytest.mark.parametrize("draw", [show_words, words_as_html])
@pytest.mark.parametrize(
    ("words", "values", "titles", "message"),
    [
        ("not good", VALUES, None, "list of words for each text"),
        (["not good", "fine"], VALUES, None, "list of words for each text"),
        (WORDS, VALUES[:1], None, "1 rows for 2 texts"),
        (WORDS, {"LRP": VALUES[:, :3]}, None, "'LRP' of text 0 must be one number per word, 4"),
        (WORDS, np.ones((2, 4)), None, "text 1 must be one number per word, 1, and 0 for padding"),
        (WORDS, np.ones((2, 4, 3)), None, "one number per word"),
        (WORDS, VALUES, ["one"], "as many titles"),
    ],
)
def test_what_does_not_fit_is_refused(draw, words, values, titles, message):
    with pytest.raises(ValueError, match=message):
        draw(words, values, titles=titles)
