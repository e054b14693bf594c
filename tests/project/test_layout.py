"""What README and Makefile promise exists."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
VITRINA = Path(sys.executable).parent / "vitrina"


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def test_folders_of_the_readme_exist():
    rows = re.findall(r"^\| `([\w/*]+)` \|", readme(), flags=re.MULTILINE)
    assert len(rows) >= 8
    for row in rows:
        assert row == "build/" or list(ROOT.glob(row.rstrip("/"))), f"{row} does not exist"


def test_make_targets_of_the_readme_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"^make (\w+)|`make (\w+)`", readme(), flags=re.MULTILINE)):
        assert re.search(rf"^{''.join(target)}:", makefile, flags=re.MULTILINE)


def test_commands_of_the_readme_exist():
    shown = subprocess.run([VITRINA, "--help"], capture_output=True, text=True, check=True).stdout
    for command in set(re.findall(r"vitrina (\w+)", readme())) - {"doctor"} | {"doctor", "build", "demo"}:
        assert command in shown


def test_no_top_level_folder_is_a_package():
    assert [path for path in ROOT.glob("*/__init__.py") if path.parent.name != ".venv"] == []


def test_no_generated_files_in_git():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in tracked if name.endswith((".ipynb", ".npz", ".zip", ".png", ".db"))] == []
