import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType

import pytest

from vitrina_autograder.course import BuildError
from vitrina_autograder.inline import (
    defined_names,
    free_names,
    inline_solutions,
    signature_names,
    solution_lines,
    split_regions,
)
from vitrina_autograder.roles import Place

LRP = '''
import functools
import math as m
import numpy as np
from numpy import dot

LIMIT = 3


def lrp_0(x, w: np.ndarray, *, scale=2.0):
    """Relevance.

    # not a comment
    """
    # the textbook way
    z = x @ w  # forward

    text = "# kept"
    return [np.sum(scale * z * v) for v in range(int(z))], text


def twice(x):
    """Two."""
    def inner(y, _all=m.pi):
        global LIMIT
        return lambda: abs(y) + m.e + LIMIT
    return inner(lrp_0(x, x)), undefined


def recursive(n: int) -> int:
    """Faculty."""
    return n * recursive(n - 1) if n else 1


def abs(x):
    """Shadow of the built-in."""
    return x


def uses_abs(x):
    """Shadowed."""
    return abs(x)


def only_docstring():
    """Nothing."""


def no_docstring():
    return 1


def one_line(): "Doc."; return 1


def marked():
    """Doc."""
    ### BEGIN SOLUTION
    return 1
    ### END SOLUTION


@functools.cache
def cached():
    """Doc."""
    return 1


async def waiting():
    """Doc."""
    return 1


class Thing:
    """A class."""

    def method(self):
        """Doc."""
        return 1


method = Thing.method
alias = lrp_0
'''
HERE = Place("10_lrp.py", 4)


def forget() -> dict[str, object]:
    names = [n for n in sys.modules if n.partition(".")[0] == "vitrina_solutions"]
    return {name: sys.modules.pop(name) for name in names}


@pytest.fixture(autouse=True)
def solutions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    package = tmp_path / "vitrina_solutions"
    package.mkdir()
    (package / "__init__.py").write_text("from vitrina_solutions.lrp import lrp_0\n")
    (package / "lrp.py").write_text(LRP)
    monkeypatch.syspath_prepend(tmp_path)
    real = forget()
    yield
    forget()
    sys.modules.update(real)  # type: ignore[arg-type]


def function(name: str) -> FunctionType:
    return getattr(importlib.import_module("vitrina_solutions.lrp"), name)


def inline(source: str, earlier: set[str] | None = None) -> str:
    return inline_solutions(source, {"np"} if earlier is None else earlier, HERE).source


def test_the_import_becomes_signature_docstring_and_marked_body():
    assert (
        inline("from vitrina_solutions.lrp import lrp_0")
        == '''def lrp_0(x, w: np.ndarray, *, scale=2.0):
    """Relevance.

    # not a comment
    """
    ### BEGIN SOLUTION
    # the textbook way
    z = x @ w  # forward

    text = "# kept"
    return [np.sum(scale * z * v) for v in range(int(z))], text
    ### END SOLUTION'''
    )


def test_other_lines_of_the_cell_stay():
    text = inline("import numpy as np\nfrom vitrina_solutions.lrp import lrp_0\nz = 1  # mine\n", set())
    assert text.startswith("import numpy as np\n\n\ndef lrp_0(")
    assert text.endswith("### END SOLUTION\n\n\nz = 1  # mine")
    assert "vitrina_solutions" not in text


def test_several_functions_and_several_imports_keep_their_order():
    source = "from vitrina_solutions.lrp import (\n    recursive,\n    lrp_0,\n)\nfrom vitrina_solutions import lrp_0\n"
    cell = inline_solutions(source, {"np"}, HERE)
    assert [f.__name__ for f in cell.functions] == ["recursive", "lrp_0", "lrp_0"]
    assert cell.source.index("def recursive") < cell.source.index("def lrp_0")
    assert cell.source.count("### BEGIN SOLUTION") == 3


def test_a_cell_without_textbook_imports_is_untouched():
    source = "\nx = 1\n\nfrom vitrina_solutionsx import y\n"
    assert inline(source) == source


REFUSED = {
    "import vitrina_solutions": "import the function itself",
    "import vitrina_solutions.lrp as t": "import the function itself",
    "import os, vitrina_solutions.lrp": "import the function itself",
    "from vitrina_solutions.lrp import *": "without \\* and as",
    "from vitrina_solutions.lrp import lrp_0 as f": "without \\* and as",
    "if True:\n    from vitrina_solutions.lrp import lrp_0": "top level",
    "def f():\n    import vitrina_solutions": "import the function itself",
    "from vitrina_solutions.lrp import lrp_0; y = 2": "line of its own",
    "y = 2; from vitrina_solutions.lrp import lrp_0": "line of its own",
    "from vitrina_solutions.nowhere import lrp_0": "cannot import",
    "from vitrina_solutions.lrp import missing": "missing is not a function",
    "from vitrina_solutions.lrp import LIMIT": "LIMIT is not a function",
    "from vitrina_solutions.lrp import Thing": "Thing is not a function",
    "from vitrina_solutions.lrp import method": "method is not a function",
    "from vitrina_solutions.lrp import alias": "alias is not a function",
    "from vitrina_solutions.lrp import dot": "dot is not a function",
    "from vitrina_solutions import lrp": "lrp is not a function",
    "from vitrina_solutions.lrp import only_docstring": "docstring and no body",
    "from vitrina_solutions.lrp import no_docstring": "no docstring",
    "from vitrina_solutions.lrp import one_line": "below its docstring",
    "from vitrina_solutions.lrp import marked": "mark of its own",
    "from vitrina_solutions.lrp import cached": "cached is not a function",
    "from vitrina_solutions.lrp import waiting": "plain def",
    "%time\nfrom vitrina_solutions.lrp import lrp_0": "without magics",
}


@pytest.mark.parametrize(("source", "message"), REFUSED.items())
def test_what_cannot_be_inlined_is_refused_with_file_and_cell(source: str, message: str):
    with pytest.raises(BuildError, match=f"10_lrp.py, cell 4: .*{message}"):
        inline(source)


def test_a_decorator_that_leaves_a_function_is_refused_too(tmp_path: Path):
    text = 'def same(f):\n    """Doc."""\n    return f\n\n\n@same\ndef f():\n    """Doc."""\n    return 1\n'
    (tmp_path / "vitrina_solutions" / "deco.py").write_text(text)
    with pytest.raises(BuildError, match="without decorators"):
        inline("from vitrina_solutions.deco import f")


def test_free_names_are_what_the_notebook_has_to_define():
    assert free_names(function("lrp_0")) == {"np"}
    assert signature_names(function("lrp_0")) == {"np"}
    assert free_names(function("twice")) == {"m", "lrp_0", "LIMIT", "undefined", "abs"}
    assert signature_names(function("twice")) == set()
    assert free_names(function("recursive")) == set()


def test_a_shadowed_builtin_is_not_taken_for_the_builtin():
    assert free_names(function("uses_abs")) == {"abs"}


def test_missing_names_are_named():
    with pytest.raises(BuildError, match=r"twice uses LIMIT, abs, undefined, which"):
        inline("from vitrina_solutions.lrp import twice", {"m", "lrp_0"})


def test_a_body_may_use_what_the_same_cell_defines_later_a_signature_may_not():
    below = "from vitrina_solutions.lrp import uses_abs\nabs = max"
    assert "def uses_abs" in inline(below, set())
    with pytest.raises(BuildError, match="lrp_0 uses np"):
        inline("from vitrina_solutions.lrp import lrp_0\nimport numpy as np", set())


def test_names_of_a_cell():
    source = (
        "%matplotlib inline\nimport a.b, c as d\nfrom e import f\ng, *h = 1, 2\nfor i in g: pass\ndef j(k): l = 1\n"
    )
    assert defined_names(source) == {"a", "d", "f", "g", "h", "i", "j"}


def test_solution_lines_hold_neither_docstring_nor_comments():
    assert solution_lines(function("lrp_0")) == {
        "z = x @ w",
        'text = "# kept"',
        "return [np.sum(scale * z * v) for v in range(int(z))], text",
    }


def test_regions_are_told_from_the_rest():
    source = "a\n### BEGIN SOLUTION\nb\n### END SOLUTION\nc\n=== BEGIN MARK SCHEME ===\nd\n=== END MARK SCHEME ==="
    assert split_regions(source) == (["a", "c"], ["b", "d"])


@pytest.mark.parametrize(
    "source",
    [
        "# BEGIN SOLUTION\nb",
        "b\n# END SOLUTION",
        "# BEGIN SOLUTION\n# BEGIN SOLUTION\n# END SOLUTION",
        "# BEGIN SOLUTION\n# END HIDDEN TESTS",
    ],
)
def test_marks_without_a_partner_are_refused(source: str):
    with pytest.raises(ValueError, match=r"partner|never closed"):
        split_regions(source)
