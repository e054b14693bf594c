"""Textbook functions, written into the notebook that asks for them.

A solution cell says `from vitrina_solutions.lrp import lrp_0`. The builder puts the function's source in the place of
that line, its body between solution marks, so nbgrader hands the student signature and docstring and no second copy of
a solution exists to drift. The student's computer has no `vitrina_solutions`, so a function may use only what the
notebook itself defines.
"""

import ast
import builtins
import contextlib
import importlib
import inspect
import io
import symtable
import textwrap
import tokenize
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from types import FunctionType

from IPython.core.inputtransformer2 import TransformerManager

from vitrina.cells import quiet
from vitrina_autograder.course import BuildError
from vitrina_autograder.roles import Place

SOLUTIONS = "vitrina_solutions"
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
REGIONS = ("SOLUTION", "HIDDEN TESTS", "MARK SCHEME")  # what nbgrader takes out of a release


@dataclass(frozen=True)
class InlinedCell:
    """A solution cell after inlining: its new source and the functions that were written into it."""

    source: str
    functions: tuple[FunctionType, ...] = ()


@dataclass(frozen=True)
class _Text:
    """A function's source lines: what the student sees, and what the student is to write."""

    head: list[str]
    body: list[str]
    indent: str

    def marked(self) -> str:
        """Return the source with marks around the body."""
        return "\n".join([*self.head, self.indent + BEGIN, *self.body, self.indent + END])


def plain_python(source: str) -> str:
    """Return a cell's source with its magics turned into calls, as IPython runs it."""
    return TransformerManager().transform_cell(source)


def defined_names(source: str) -> set[str]:
    """Return the names that a code cell defines or imports at top level (star imports not counted)."""
    symbols = symtable.symtable(plain_python(source), "cell", "exec").get_symbols()
    return {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}


def split_regions(source: str) -> tuple[list[str], list[str]]:
    """Return a cell's lines outside and inside the regions that nbgrader clears, marks left out.

    Raises
    ------
    ValueError
        If a region is not closed, not opened, or stands inside another.
    """
    outside: list[str] = []
    inside: list[str] = []
    region: str | None = None
    for line in source.split("\n"):
        opened = next((name for name in REGIONS if f"BEGIN {name}" in line), None)
        closed = next((name for name in REGIONS if f"END {name}" in line), None)
        if (opened and region) or (closed and closed != region):
            raise ValueError(f"the mark {line.strip()!r} has no partner")
        if opened or closed:
            region = opened
        else:
            (inside if region else outside).append(line)
    if region:
        raise ValueError(f"BEGIN {region} is never closed")
    return outside, inside


def inline_solutions(source: str, earlier: AbstractSet[str], place: Place) -> InlinedCell:
    """Write the textbook functions that a solution cell imports into that cell.

    Parameters
    ----------
    source : str
        The solution cell.
    earlier : set of str
        The names that the cells above define.
    place : Place
        The cell, for messages.

    Raises
    ------
    BuildError
        If an import cannot be inlined, or a function needs a name that the notebook does not define.
    """
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        raise place.error(f"a solution cell is plain Python without magics: {error}") from None
    imports = _textbook_imports(statements, place)
    lines: list[str] = source.split("\n")
    found: list[FunctionType] = []
    for node in reversed(imports):
        functions = _textbook_functions(node, place)
        texts = "\n\n\n".join(_text_of(function).marked() for function in functions)
        above, below = lines[: node.lineno - 1], lines[node.end_lineno :]
        lines = "\n\n\n".join(filter(None, (_trim(above), texts, _trim(below)))).split("\n")
        found = [*functions, *found]
    cell = InlinedCell("\n".join(lines), tuple(found))
    _refuse_missing_names(cell, earlier, place)
    return cell


def free_names(function: FunctionType) -> set[str]:
    """Return the names that a function takes from the notebook: neither its own nor Python's built-ins.

    A built-in name that the function's module redefines counts as taken from the notebook.
    """
    inner = {name for table in _scopes(_table(function)) for name in _read_globals(table)}
    names = inner | _outer_names(function)
    return {name for name in names - {function.__name__} if not _is_builtin(name, function)}


def signature_names(function: FunctionType) -> set[str]:
    """Return the free names that must exist when the `def` itself runs: annotations and defaults."""
    return {name for name in _outer_names(function) if not _is_builtin(name, function)}


def solution_lines(function: FunctionType) -> set[str]:
    """Return the lines of a function's body, stripped, without docstring, comments and blank lines.

    Raises
    ------
    BuildError
        If the function is none that an exercise can ask for (see `inline_solutions`).
    """
    text = _text_of(function)
    lines = without_comments("\n".join([*text.head, *text.body]))
    return {line.strip() for line in lines[len(text.head) :]} - {""}


def body_source(function: FunctionType) -> str:
    """Return the code of a function's body, without its docstring.

    Raises
    ------
    BuildError
        If the function is none that an exercise can ask for (see `inline_solutions`).
    """
    return textwrap.dedent("\n".join(_text_of(function).body))


def without_comments(source: str) -> list[str]:
    """Return the lines of some code, each without its comment; lines that are no Python stay as they are."""
    lines = source.split("\n")
    with contextlib.suppress(tokenize.TokenError, SyntaxError):
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                row, column = token.start
                lines[row - 1] = lines[row - 1][:column]
    return lines


def _textbook_imports(statements: Sequence[ast.stmt], place: Place) -> list[ast.ImportFrom]:
    imports = [node for node in statements if isinstance(node, ast.ImportFrom) and _is_textbook(node.module)]
    for node in (inner for statement in statements for inner in ast.walk(statement)):
        if isinstance(node, ast.Import) and any(_is_textbook(alias.name) for alias in node.names):
            raise place.error(f"import the function itself: from {SOLUTIONS}.MODULE import NAME")
        if isinstance(node, ast.ImportFrom) and _is_textbook(node.module) and node not in imports:
            raise place.error(f"an import from {SOLUTIONS} stands at the cell's top level, not inside a block")
    for node in imports:
        if any(alias.name == "*" or alias.asname for alias in node.names):
            raise place.error(f"from {node.module} import NAME, without * and as")
        rows = range(node.lineno, (node.end_lineno or node.lineno) + 1)
        if any(other is not node and other.lineno in rows for other in statements):
            raise place.error(f"the import from {node.module} needs a line of its own")
    return imports


def _is_textbook(module: str | None) -> bool:
    return (module or "").partition(".")[0] == SOLUTIONS


def _textbook_functions(node: ast.ImportFrom, place: Place) -> list[FunctionType]:
    assert node.module is not None
    try:
        with quiet():
            module = importlib.import_module(node.module)
        return [_textbook_function(getattr(module, alias.name, None), alias.name) for alias in node.names]
    except ImportError as error:
        raise place.error(f"cannot import {node.module}: {error}") from error
    except BuildError as error:
        raise place.error(f"{node.module}: {error}") from None


def _textbook_function(value: object, name: str) -> FunctionType:
    if not isinstance(value, FunctionType) or value.__qualname__ != name or not _is_textbook(value.__module__):
        raise BuildError(f"{name} is not a function that {SOLUTIONS} defines")
    _text_of(value)
    return value


def _text_of(function: FunctionType) -> _Text:
    name, source = function.__name__, _source(function)
    node = ast.parse(source).body[0]
    if not isinstance(node, ast.FunctionDef) or node.decorator_list:
        raise BuildError(f"{name} must be a plain def without decorators")
    if ast.get_docstring(node) is None:
        raise BuildError(f"{name} has no docstring: it is what the student works from")
    docstring, *body = node.body
    if not body:
        raise BuildError(f"{name} has a docstring and no body")
    end = docstring.end_lineno or docstring.lineno
    if body[0].lineno <= end:
        raise BuildError(f"the body of {name} must begin on a line below its docstring")
    if any(mark in source for mark in ("BEGIN SOLUTION", "END SOLUTION")):
        raise BuildError(f"{name} holds a solution mark of its own; the builder sets them")
    lines = source.split("\n")
    return _Text(lines[:end], _trim(lines[end:]).split("\n"), " " * body[0].col_offset)


def _source(function: FunctionType) -> str:
    return textwrap.dedent(inspect.getsource(function)).rstrip()


def _trim(lines: list[str]) -> str:
    """Join lines without the blank ones at both ends, indentation kept."""
    return "\n".join(lines).lstrip("\n").rstrip()


def _table(function: FunctionType) -> symtable.SymbolTable:
    return symtable.symtable(_source(function), function.__name__, "exec")


def _scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _scopes(child)


def _read_globals(table: symtable.SymbolTable) -> set[str]:
    return {s.get_name() for s in table.get_symbols() if s.is_global() and s.is_referenced()}


def _outer_names(function: FunctionType) -> set[str]:
    symbols = _table(function).get_symbols()
    return {s.get_name() for s in symbols if s.is_referenced() and not s.is_assigned()}


def _is_builtin(name: str, function: FunctionType) -> bool:
    return name.startswith("__") or (hasattr(builtins, name) and name not in function.__globals__)


def _refuse_missing_names(cell: InlinedCell, earlier: AbstractSet[str], place: Place) -> None:
    """Walk the cell in the order it runs: a signature needs its names at once, a body when it is called."""
    functions = {function.__name__: function for function in cell.functions}
    sofar, whole = set(earlier), earlier | defined_names(cell.source)
    for statement in ast.parse(cell.source).body:
        name = statement.name if isinstance(statement, ast.FunctionDef) else ""
        if function := functions.get(name):
            missing = (signature_names(function) - sofar) | (free_names(function) - whole)
            if missing:
                raise place.error(
                    f"{name} uses {', '.join(sorted(missing))}, which the notebook has not defined at this point: "
                    "import it or write it out for the student in a cell above"
                )
        sofar |= defined_names(ast.get_source_segment(cell.source, statement) or "")
