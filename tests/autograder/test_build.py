import json
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from vitrina_autograder.build import (
    build_assignment,
    build_notebook,
    build_script,
    notebook_bytes,
    write_changed,
)
from vitrina_autograder.course import BuildError, Course, CourseError

FUNCTION = '''
import numpy as np


def share(x, total):
    """Share a total among the entries of `x`, in proportion."""
    return total * x / np.sum(x)
'''
SCRIPT = """# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
# ---
# %% [markdown]
# # Shares

# %%
# %matplotlib inline
import numpy as np
def check(exercise, answer):
    assert np.allclose(answer(np.ones(4), 2.0), 0.5), exercise

# %% solution="share"
from vitrina_solutions.shares import share

# %% check="share" points=3
check("share", share)

# %% [markdown] answer="why" points=1
# Because they add up.

# %% readonly="shape"
print(share(np.ones(2), 1.0).shape)
"""


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Course]:
    package = tmp_path / "lib" / "vitrina_solutions"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "shares.py").write_text(FUNCTION)
    folder = tmp_path / "course" / "assignments" / "week2_neural"
    folder.mkdir(parents=True)
    (folder / "10_shares.py").write_text(SCRIPT)
    (folder / "exercises.py").write_text("raise RuntimeError")
    (folder / "_shared.py").write_text("raise RuntimeError")
    monkeypatch.syspath_prepend(tmp_path / "lib")
    real = {n: sys.modules.pop(n) for n in list(sys.modules) if n.partition(".")[0] == "vitrina_solutions"}
    yield Course(tmp_path / "course")
    for name in [n for n in sys.modules if n.partition(".")[0] == "vitrina_solutions"]:
        del sys.modules[name]
    sys.modules.update(real)


def script(course: Course, name: str = "10_shares.py") -> Path:
    return course.assignments / "week2_neural" / name


def edited(course: Course, old: str, new: str) -> Path:
    assert old in SCRIPT
    script(course).write_text(SCRIPT.replace(old, new))
    return script(course)


def test_a_script_becomes_a_notebook_of_nbgrader(course: Course):
    notebook = build_notebook(script(course))
    ids = [cell.id for cell in notebook.cells]
    assert ids == ["cell-1", "cell-2", "solution-share", "check-share", "answer-why", "readonly-shape"]
    assert notebook.metadata.kernelspec.name == "python3"
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert "### BEGIN SOLUTION" in notebook.cells[2].source
    assert notebook.cells[1].source.startswith("%matplotlib inline")
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"nbgrader", "tags", "deletable", "editable"}
        assert cell.get("outputs", []) == []


def test_the_kernel_and_the_functions_can_be_asked(course: Course):
    built = build_script(script(course), kernelspec="vitrina")
    assert built.notebook.metadata.kernelspec.name == "vitrina"
    assert [f.__name__ for f in built.functions] == ["share"]


def test_two_builds_are_byte_identical_and_the_header_does_not_matter(course: Course):
    first = notebook_bytes(build_notebook(script(course)))
    assert first == notebook_bytes(build_notebook(script(course)))
    script(course).write_text(SCRIPT[SCRIPT.index("# %% [markdown]") :])
    assert first == notebook_bytes(build_notebook(script(course)))


def test_the_built_notebook_runs_without_the_solutions(course: Course, monkeypatch: pytest.MonkeyPatch):
    notebook = build_notebook(script(course))
    namespace: dict[str, object] = {}
    with monkeypatch.context() as patch:  # undone before the fixture puts the real package back
        for name in [n for n in sys.modules if n.startswith("vitrina_solutions")]:
            patch.delitem(sys.modules, name)
        patch.setitem(sys.modules, "vitrina_solutions", None)  # an import of it raises
        with pytest.raises(ImportError):
            exec("import vitrina_solutions.shares")
        for cell in notebook.cells:
            if cell.cell_type == "code":
                exec(cell.source.replace("%matplotlib inline", ""), namespace)
    assert callable(namespace["share"])


REFUSED = {
    "duplicate id": ('readonly="shape"', 'solution="share"', "cell 3 already is solution 'share'"),
    "unknown key": ('readonly="shape"', 'locked="shape"', "unknown key locked"),
    "missing name": ("import numpy as np", "import numpy", "share uses np"),
    "import in a plain cell": ("import numpy as np", "from vitrina_solutions.shares import share", "only solution"),
    "hidden import": ("# %matplotlib inline", '__import__("vitrina_solutions")', "only solution cells"),
    "import under a cell magic": (
        "# %matplotlib inline\nimport numpy as np",
        "# %%time\n# from vitrina_solutions.shares import share",
        "",
    ),
    "told in prose": ("# # Shares", "# See vitrina_solutions.", "not there for students"),
    "empty solution cell": ("from vitrina_solutions.shares import share", "share = 1", "imports its function"),
    "solution outside": ("import numpy as np", "### BEGIN SOLUTION\n### END SOLUTION", "only solution and answer"),
    "open mark": ("# Because", "# BEGIN MARK SCHEME", "never closed"),
    "syntax": ("import numpy as np", "import numpy as", "invalid syntax"),
    "split cell": ("    assert", "# %% not a cell\n    assert", "expected an indented block"),
    "broken header": ("#   jupytext:", "#   kernelspec: {name: x}\n#   jupytext:", "cannot be read"),
}


@pytest.mark.parametrize(("old", "new", "message"), REFUSED.values(), ids=REFUSED)
def test_a_broken_script_is_refused_by_name(course: Course, old: str, new: str, message: str):
    with pytest.raises(BuildError, match=f"^10_shares.py.*{message}"):
        build_notebook(edited(course, old, new))


def test_a_solution_may_be_marked_by_hand(course: Course):
    hand = "### BEGIN SOLUTION\nshare = 1\n### END SOLUTION"
    notebook = build_notebook(edited(course, "from vitrina_solutions.shares import share", hand))
    assert notebook.cells[2].source == hand


def test_an_assignment_is_written_to_the_source_folder(course: Course):
    written = build_assignment(course, "week2_neural")
    assert written == [course.source / "week2" / "10_shares.ipynb"] == build_assignment(course, "week2")
    nbformat.validate(nbformat.read(written[0], as_version=4))
    assert sorted(p.name for p in (course.source / "week2").iterdir()) == ["10_shares.ipynb"]


def test_a_file_is_written_only_when_its_bytes_change(course: Course):
    (path,) = build_assignment(course, "week2")
    path.chmod(0o444)
    before = path.stat().st_mtime_ns, path.stat().st_ino
    build_assignment(course, "week2")
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before
    assert write_changed(path.parent / "a.txt", b"1")
    assert not write_changed(path.parent / "a.txt", b"1")


def test_a_notebook_without_a_script_is_removed(course: Course):
    (path,) = build_assignment(course, "week2")
    script(course).rename(script(course, "20_shares.py"))
    (extra := path.parent / "data.csv").write_text("1")
    (new,) = build_assignment(course, "week2")
    assert (path.exists(), new.name, extra.exists()) == (False, "20_shares.ipynb", True)


def test_a_failing_build_changes_nothing(course: Course):
    (path,) = build_assignment(course, "week2")
    before = path.read_bytes()
    script(course).write_text(SCRIPT.replace("# # Shares", "# # New"))
    script(course, "20_bad.py").write_text('# %% check="a"\nx')
    with pytest.raises(BuildError, match=r"20_bad.py, cell 1"):
        build_assignment(course, "week2")
    assert path.read_bytes() == before


def test_extra_files_come_after_the_notebooks(course: Course):
    seen: list[tuple[str, list[str]]] = []
    build_assignment(course, "week2", lambda folder: seen.append((folder.name, sorted(map(str.lower, names(folder))))))
    assert seen == [("week2", ["10_shares.ipynb"])]


def names(folder: Path) -> list[str]:
    return [p.name for p in folder.iterdir()]


def test_one_exercise_is_checked_by_one_notebook(course: Course):
    script(course, "20_again.py").write_text('# %% check="share" points=1\ncheck("share", 1)\n')
    with pytest.raises(BuildError, match=r"10_shares.py and 20_again.py both hold check-share"):
        build_assignment(course, "week2")


def test_a_folder_without_scripts_and_a_script_without_cells_are_named(course: Course):
    script(course, "helper.py").write_text("x = 1\n")
    with pytest.raises(BuildError, match=r"helper.py holds no '# %%' cell"):
        build_assignment(course, "week2")
    for path in script(course).parent.glob("[!_e]*.py"):
        path.unlink()
    with pytest.raises(BuildError, match="holds no percent script"):
        build_assignment(course, "week2")
    with pytest.raises(CourseError, match="Known ones: week2"):
        build_assignment(course, "week3")


def test_ids_survive_the_file(course: Course):
    (path,) = build_assignment(course, "week2")
    cells = json.loads(path.read_text())["cells"]
    assert [c["metadata"].get("nbgrader", {}).get("grade_id", c["id"]) for c in cells] == [c["id"] for c in cells]
