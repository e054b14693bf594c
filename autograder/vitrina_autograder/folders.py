"""The folder that a student handed in: what in it is a notebook, what may lie beside it, what is set aside.

nbgrader copies what lies beside a notebook, follows links on the way, and returns it with the feedback.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import count
from pathlib import Path

from nbgrader.utils import parse_utc

from vitrina.messages import _
from vitrina.values import plain_text
from vitrina_autograder.intake import MAX_FILE_BYTES, UnreadableError

TIMESTAMP = "timestamp.txt"
#: How a file's name ends that was set aside.
_ASIDE = ".left-out"
#: What may lie beside a notebook.
_MAX_BYTES = 100 << 20
_MAX_FILES = 2000
_MAX_DEPTH = 20
_MAX_NAMED = 10
_MAX_REASON = 300


def set_aside(folder: Path, released: Path) -> None:
    """Rename what nbgrader would follow out of a submission's folder or stumble over, so that it ignores it.

    These are links, devices, a folder where the release has a file, what is too large, too much or nested too deeply,
    and a `timestamp.txt` without a time in it. Of a notebook the reading says what it is; a folder with a notebook
    in it stays, under another name.

    Raises
    ------
    UnreadableError
        When the folder itself is a link.
    """
    refuse_links(folder)
    for path in (folder / name for name in (TIMESTAMP, *(file.name for file in released.iterdir()))):
        if path.is_dir() and not path.is_symlink():
            _out_of_the_way(path)
    kept = 0
    for place, folders, names in os.walk(folder):
        deep = len(Path(place).relative_to(folder).parts) >= _MAX_DEPTH
        for path in (Path(place, name) for name in sorted(folders)):
            if path.is_symlink():
                _put_aside(path)
            elif deep:
                _move_out(path, folder)
        if deep:
            folders.clear()
        for path in (Path(place, name) for name in sorted(names) if not is_aside(name)):
            keep = _is_notebook(path, released) or (_may_stay(path, folder) and kept < _MAX_FILES)
            kept += keep
            if not keep:
                _put_aside(path)


def notebooks_in(folder: Path) -> list[Path]:
    """Find the notebooks of a submission: those of the folder itself first, then those of folders in it."""
    found: list[Path] = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [path for name in sorted(names) if (path := Path(place, name)).suffix == ".ipynb"]
    return [path for path in found if path.is_file() and not path.is_symlink() and not path.name.startswith(".")]


def no_notebook(folder: Path) -> str:
    """Say that there is no notebook in a submission, and what there is instead, or where."""
    if folder.exists() and not folder.is_dir():
        return _("`{name}` is a file; it has to be a folder with the notebook in it").format(name=folder.name)
    if not folder.exists() and any(folder.parent.glob("*.ipynb")):
        return _("the notebook lies beside the folder `{name}`, not in it: move it there").format(name=folder.name)
    names = sorted(name for _place, _folders, names in os.walk(folder) for name in names)
    text = _("no notebook was handed in, only {names}") if names else _("no notebook was handed in")
    return plain_text(text.format(names=", ".join(f"`{name}`" for name in names[:_MAX_NAMED])), _MAX_REASON)


def refuse_links(folder: Path) -> None:
    """Refuse a submission's folder that leads elsewhere: to that of another student, say.

    Raises
    ------
    UnreadableError
        When it, or the student's folder that it is in, is a link.
    """
    if folder.is_symlink() or folder.parent.is_symlink():
        raise UnreadableError(_("the folder that was handed in is a link to another one"))


def _is_notebook(path: Path, released: Path) -> bool:
    """Whether a file is left to the reading of notebooks; nbgrader passes over those it does not know."""
    if path.suffix != ".ipynb":
        return False
    return (released / path.name).exists() or path.is_symlink() or path.stat().st_size <= MAX_FILE_BYTES


def _may_stay(path: Path, folder: Path) -> bool:
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _MAX_BYTES:
        return False
    return path != folder / TIMESTAMP or _is_time(path)


def is_aside(name: str) -> bool:
    """Whether a file's name says that it was set aside."""
    return name.startswith(".") and name.endswith(_ASIDE)


def _out_of_the_way(folder: Path) -> None:
    """Rename a folder that stands where a file belongs, as `week1.ipynb/week1.ipynb` does."""
    if not notebooks_in(folder):
        _put_aside(folder)
        return
    folder.rename(_free_place(folder.parent, (f"{folder.name} (folder{number or ''})" for number in count())))


def _put_aside(path: Path) -> None:
    path.rename(_place_aside(path.parent, path.name))


def _move_out(path: Path, folder: Path) -> None:
    """Move a folder out of a submission, as whoever walks through it would fall into its depth; a note stays."""
    cellar = folder.with_name(f".{folder.name}{_ASIDE}")
    cellar.mkdir(exist_ok=True)
    path.rename(_place_aside(cellar, path.name))
    _place_aside(folder, path.name).touch()


def _place_aside(folder: Path, name: str) -> Path:
    """Find a free place for a file that is set aside; the names of files are limited to 255 bytes."""
    short = os.fsencode(name)[:150].decode(errors="replace")
    names = (f".{short}{number or ''}{_ASIDE}" for number in count())
    return _free_place(folder, names)


def _free_place(folder: Path, names: Iterable[str]) -> Path:
    """Return the first place in a folder where nothing is, not even a link to nowhere."""
    return next(path for name in names if not os.path.lexists(path := folder / name))


def left_out(folder: Path) -> list[str]:
    """Say what was set aside."""
    paths = [Path(place, name) for place, folders, files in os.walk(folder) for name in [*folders, *files]]
    names = [path.name.removeprefix(".").removesuffix(_ASIDE) for path in sorted(paths) if is_aside(path.name)]
    said = [_("`{name}` cannot be used and was left out").format(name=name) for name in names[:_MAX_NAMED]]
    more = len(names) - len(said)
    return [*said, _("{count} more files were left out").format(count=more)] if more else said


def _is_time(path: Path) -> bool:
    try:
        parse_utc(path.read_text(encoding="utf-8").strip() or "2000-01-01")  # an empty file is no time to nbgrader
    except (ValueError, OverflowError):
        return False
    return True
