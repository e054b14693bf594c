"""What students do to code: independent ones write it their own way, copyists change how it looks."""

from __future__ import annotations

import ast
import builtins
import random
import textwrap
from collections.abc import Sequence

from corpus.week2_answers import ANSWERS

_LIBRARIES = {"np", "tf", "dense_parameters", "logit_gradient", "lrp_0"}
_PRODUCTS = {"np.dot": "np.dot({}, {})", "np.matmul": "np.matmul({}, {})", "method": "({}).dot({})"}
_POSITIVE_PARTS = {
    "np.clip": "np.clip({0}, 0, None)",
    "np.where": "np.where({0} > 0, {0}, 0)",
    "mask": "({0}) * (({0}) > 0)",
}


def draw_answers(seed: int) -> list[str]:
    """Choose a form of each exercise and write it in a style of one's own: no copy, though some forms are popular."""
    rng = random.Random(seed)
    style = _Style(rng)
    chosen = [rng.choices(forms, weights=[2] + [1] * (len(forms) - 1))[0] for forms in ANSWERS.values()]
    return [ast.unparse(ast.fix_missing_locations(style.visit(ast.parse(form)))) for form in chosen]


class _Style(ast.NodeTransformer):
    """A student's habits, which change what the code does step by step, but not its results."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.product = rng.choice(["@", "@", *_PRODUCTS])
        self.positive_part = rng.choice(["np.maximum", *_POSITIVE_PARTS])
        self.names_result = rng.random() < 0.4
        self.steps = rng.choice([0.0, 0.1, 0.25, 0.4])
        self.doubts = rng.choice([0.0, 0.0, 0.1])
        self.count = 0

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.MatMult) and self.product != "@":
            return _expression(_PRODUCTS[self.product], node.left, node.right)
        if isinstance(node.op, (ast.Mult, ast.Add)) and self.rng.random() < 0.3:
            node.left, node.right = node.right, node.left
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if ast.unparse(node.func) == "np.maximum" and self.positive_part != "np.maximum":
            return _expression(_POSITIVE_PARTS[self.positive_part], node.args[0])
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.body = self._written_out(node.body)
        return node

    def _written_out(self, statements: Sequence[ast.stmt]) -> list[ast.stmt]:
        written: list[ast.stmt] = []
        for statement in statements:
            if isinstance(statement, (ast.For, ast.With, ast.While)):
                statement.body = self._written_out(statement.body)
            if isinstance(statement, (ast.Assign, ast.Return)) and statement.value is not None:
                written += self._taken_apart(statement.value)
                if isinstance(statement, ast.Return) and self.names_result:
                    written.append(_assignment("result", statement.value))
                    statement = ast.parse("return result").body[0]
            written.append(statement)
            if isinstance(statement, ast.Assign) and self.rng.random() < self.doubts:
                written.append(ast.parse(f"assert {ast.unparse(statement.targets[0])} is not None").body[0])
        return written

    def _taken_apart(self, value: ast.expr) -> list[ast.stmt]:
        """Give names to parts of an expression."""
        parts: list[ast.stmt] = []
        if any(isinstance(node, (ast.GeneratorExp, ast.ListComp, ast.Lambda)) for node in ast.walk(value)):
            return parts
        for node in ast.walk(value):
            part = getattr(node, "left", None)
            if isinstance(part, (ast.BinOp, ast.Call)) and self.rng.random() < self.steps:
                self.count += 1
                parts.insert(0, _assignment(f"part{self.count}", part))
                node.left = ast.Name(f"part{self.count}", ast.Load())  # type: ignore[attr-defined]
        return parts


def _expression(pattern: str, *parts: ast.expr) -> ast.expr:
    return ast.parse(pattern.format(*map(ast.unparse, parts)), mode="eval").body


def _assignment(name: str, value: ast.expr) -> ast.stmt:
    return ast.parse(f"{name} = {ast.unparse(value)}").body[0]


def disguised(sources: Sequence[str], seed: int) -> list[str]:
    """Rename, renumber, reformat, comment and reorder: all that a copyist does without understanding the code."""
    rng = random.Random(seed)
    copies = [_dressed_up(ast.unparse(_Renamer(rng).visit(ast.parse(source))), rng) for source in sources]
    rng.shuffle(copies)
    return copies


class _Renamer(ast.NodeTransformer):
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.names: dict[str, str] = {}

    def _new(self, name: str) -> str:
        if name in _LIBRARIES or hasattr(builtins, name):
            return name
        return self.names.setdefault(name, f"{name[0]}{self.rng.randrange(10_000)}")

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._new(node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg = self._new(node.arg)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant(node.value * 3) if isinstance(node.value, float) else node


def _dressed_up(source: str, rng: random.Random) -> str:
    """Put comments, a docstring and empty lines in, break lines, and indent by two."""
    first, *lines = source.splitlines()
    shown: list[str] = []
    for line in lines:
        indent = line[: len(line) - len(line.lstrip())]
        shown += [f"{indent}# now the next step", ""] if rng.random() < 0.4 else []
        shown.append(line.replace("(", "(\n" + indent + "        ", 1) if rng.random() < 0.3 else line)
    body = textwrap.indent('"""My own work."""\n', "    ") + "\n".join(shown)
    return f"{first}  # mine\n{body}\n".replace("    ", "  ")
