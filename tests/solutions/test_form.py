"""What the notebook builder and the students need from every textbook function."""

import ast
import builtins
import inspect
import textwrap

import numpy as np
import pytest

import vitrina_solutions

MODULES = {"np", "tf", "keras", "itertools", "math", "partial"}
ALLOWED = {*MODULES, "dense_parameters", *vitrina_solutions.__all__, *dir(builtins)}
FUNCTIONS = [getattr(vitrina_solutions, name) for name in vitrina_solutions.__all__]


def parts(function):
    """The docstring and the statements after it."""
    definition = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    return definition, ast.get_docstring(definition), definition.body[1:]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_body_stands_alone(function):
    definition, _, body = parts(function)
    names = [node for statement in body for node in ast.walk(statement) if isinstance(node, ast.Name)]
    own = {name.id for name in names if isinstance(name.ctx, ast.Store)} | {arg.arg for arg in definition.args.args}
    assert len(body) >= 2
    assert {name.id for name in names} <= own | ALLOWED


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_docstring_asks_the_exercise_without_answering_it(function):
    definition, docstring, body = parts(function)
    for section in ("Parameters\n", "Returns\n", *(f"{arg.arg}" for arg in definition.args.args)):
        assert section in docstring
    for statement in body:
        for line in ast.unparse(statement).splitlines():
            assert line.strip() not in docstring


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_signature_works_in_a_notebook_that_imports_only_numpy(function):
    definition, _, _ = parts(function)
    definition.body = [ast.Pass()]
    cell = ast.fix_missing_locations(ast.Module([definition], []))
    exec(compile(cell, "cell", "exec"), {"np": np})
