"""What students may install holds no solution; what instructors install holds what it needs."""

import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from vitrina_autograder.inline import solution_lines

ROOT = Path(__file__).parents[2]


def build(project: Path, target: Path) -> list[Path]:
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(target), str(project)]
    subprocess.run(command, check=True, capture_output=True)
    return sorted(target.iterdir())


def members(archive: Path) -> dict[str, str]:
    """Text of every file in a wheel or sdist, by name."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return {name: wheel.read(name).decode("utf-8", "replace") for name in wheel.namelist()}
    with tarfile.open(archive) as sdist:
        files = {item.name: sdist.extractfile(item) for item in sdist.getmembers() if item.isfile()}
        return {name: file.read().decode("utf-8", "replace") for name, file in files.items() if file}


@pytest.fixture(scope="module")
def student_archives(tmp_path_factory) -> list[Path]:
    return build(ROOT, tmp_path_factory.mktemp("student"))


def textbook_functions():
    import vitrina_solutions

    return [getattr(vitrina_solutions, name) for name in vitrina_solutions.__all__]


def leaks(texts: dict[str, str]) -> list[str]:
    """Files of the instructors' part, and files that hold a whole solution."""
    names = [name for name in texts if "solutions" in name or "autograder" in name or "assignments" in name]
    bodies = {function.__name__: solution_lines(function) for function in textbook_functions()}
    copies = [
        f"{name}: {function}"
        for name, text in texts.items()
        for function, lines in bodies.items()
        if lines <= {line.strip() for line in text.splitlines()}
    ]
    return names + copies


def test_wheel_and_sdist_of_the_kit_hold_no_solution(student_archives):
    assert len(student_archives) == 2
    for archive in student_archives:
        texts = members(archive)
        assert any(name.endswith("vitrina/check.py") for name in texts)
        assert any(name.endswith("vitrina_datasets/mnist.py") for name in texts)
        assert leaks(texts) == []


def test_a_solution_in_the_kit_would_be_found():
    source = (ROOT / "solutions" / "vitrina_solutions" / "lrp.py").read_text()
    assert leaks({"vitrina/helpers.py": source})
    assert leaks({"vitrina_solutions/lrp.py": ""})


@pytest.mark.parametrize("project", ["solutions", "autograder"])
def test_instructor_projects_build(project, tmp_path):
    wheel = next(path for path in build(ROOT / project, tmp_path) if path.suffix == ".whl")
    names = members(wheel)
    assert any(name.startswith(f"vitrina_{project}/") for name in names)
    assert (project == "autograder") == any(name.endswith("templates/class_page.html.j2") for name in names)
    assert not any(name.startswith(("vitrina/", "vitrina_datasets/")) for name in names)


def test_the_kit_does_not_import_the_instructors_part():
    sources = [*(ROOT / "course" / "vitrina").rglob("*.py"), *(ROOT / "datasets").rglob("*.py")]
    guilty = [path for path in sources if "vitrina_solutions" in (text := path.read_text()) or "_autograder" in text]
    assert guilty == []


def test_every_dependency_is_pinned():
    pins = {line.split("==")[0].lower() for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line}
    for project in (ROOT, ROOT / "solutions", ROOT / "autograder"):
        settings = tomllib.loads((project / "pyproject.toml").read_text())["project"]
        extras = settings.get("optional-dependencies", {}).values()
        for requirement in [*settings["dependencies"], *(item for extra in extras for item in extra)]:
            name = requirement.split(";")[0].split("[")[0].split("=")[0].split(">")[0].split("<")[0].strip().lower()
            assert name in pins or name.startswith("vitrina"), f"{name} is not pinned"
