"""The kit's own methods pasted into a submission are noticed; a student's own work is not."""

from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from vitrina_autograder.copies import kit_copies, library_copies
from vitrina_autograder.sandbox import package_folder

KIT = package_folder("vitrina") / "explain" / "lrp" / "propagate.py"


@pytest.fixture
def release():
    return new_notebook(cells=[new_markdown_cell("# Exercise"), new_code_cell("def lrp_0(a, w, b, r): ...")])


def test_a_pasted_method_is_remarked_in_the_notebook(release):
    submission = new_notebook(cells=[new_code_cell(KIT.read_text())])
    assert any("explain/lrp/propagate.py" in remark for remark in kit_copies(submission, release, []))


def test_a_pasted_method_is_remarked_beside_the_notebook(release, tmp_path: Path):
    (tmp_path / "helper.py").write_text(KIT.read_text())
    assert kit_copies(release, release, tmp_path.iterdir())


def test_what_was_released_is_no_copy(release):
    release.cells.append(new_code_cell(KIT.read_text()))
    assert kit_copies(release, release, []) == []


def test_textbook_solutions_are_no_copies(release):
    solutions = package_folder("vitrina_solutions")
    cells = [new_code_cell((solutions / name).read_text()) for name in ("lrp.py", "gradients.py", "deeplift.py")]
    assert kit_copies(new_notebook(cells=cells), release, []) == []


@pytest.mark.parametrize("name", ["lime.py", "lime/lime_base.py", "vendor/lime-0.2.0.1-py3-none-any.whl", "Lime.zip"])
def test_a_withheld_library_that_is_handed_in_is_remarked(tmp_path: Path, name):
    (remark,) = library_copies(tmp_path, [tmp_path / name, tmp_path / "data.csv"], ["shap", "lime"])
    assert "copy of its own of `lime`" in remark


def test_files_of_a_students_own_are_no_library(tmp_path: Path):
    files = [tmp_path / name for name in ("limes.py", "my_shap_notes.txt", "sublime/lines.py")]
    assert library_copies(tmp_path, files, ["shap", "lime"]) == []
