"""Python code as the kinds of its tokens, so that what a copyist changes first makes no difference.

Names, numbers and strings are folded into one kind each; comments, docstrings, layout and redundant ends of statements
are dropped. Names after a dot stay: `np.einsum` is the library's word, not the student's. The lexer is Pygments', which
reads anything, also code that Python would not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pygments.lexers.python import PythonLexer
from pygments.token import Comment, Keyword, Name, Number, String

_LEXER = PythonLexer(stripnl=False, ensurenl=False)
_NAME, _NUMBER, _STRING = "name", "number", "string"
_LAYOUT = ";"


@dataclass(frozen=True, slots=True)
class CodeToken:
    """A token: its kind, and where it stands in the text (as a slice)."""

    kind: str
    start: int
    end: int


def code_tokens(source: str) -> list[CodeToken]:
    """Read the tokens of a text that is more or less Python."""
    tokens: list[CodeToken] = []
    for kind, start, end in _drop_lone_strings(_significant(source)):
        if kind == _STRING and tokens and tokens[-1].kind == _STRING:
            tokens[-1] = CodeToken(_STRING, tokens[-1].start, end)
        elif kind != "\n":
            tokens.append(CodeToken(kind, start, end))
    return tokens


def docstrings(source: str) -> list[str]:
    """Find the docstrings of a text, with their quotes."""
    return [text for _start, kind, text in _LEXER.get_tokens_unprocessed(source) if kind in String.Doc]


def _significant(source: str) -> Iterator[tuple[str, int, int]]:
    after_dot = False
    for start, kind, text in _LEXER.get_tokens_unprocessed(source):
        folded = _fold(kind, text, after_dot)
        if folded:
            yield folded, start, start + len(text)
            after_dot = folded == "."


def _fold(kind: Any, text: str, after_dot: bool) -> str:
    """Give the kind under which a token counts; empty where it does not."""
    if not text.strip():
        return "\n" if "\n" in text else ""
    if kind in Comment or kind in String.Doc or text == _LAYOUT:
        return ""
    if kind in String:
        return _STRING
    if kind in Number or kind in Keyword.Constant:
        return _NUMBER
    if kind in Name:
        return text if after_dot else _NAME
    return text


def _drop_lone_strings(tokens: Iterator[tuple[str, int, int]]) -> Iterator[tuple[str, int, int]]:
    """Drop strings that are lines of their own: docstrings in single quotes, code that was put out of use."""
    line: list[tuple[str, int, int]] = []
    for token in tokens:
        if token[0] != "\n":
            line.append(token)
            continue
        if any(kind != _STRING for kind, *_place in line):
            yield from line
        yield token
        line = []
    yield from line
