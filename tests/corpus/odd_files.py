"""Files that were handed in as a notebook and are none, or only just are one."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

Notebook = dict[str, Any]

#: Files without a notebook in them, and what the student is told.
UNREADABLE: dict[str, tuple[bytes, str]] = {
    "zero bytes": (b"", "empty"),
    "blank": (b" \n\n\t", "empty"),
    "nulls": (bytes(4096), "JSON"),
    "corrupt": (b'{"cells": [{"cell_type": "co', "JSON"),
    "page": (b"<!DOCTYPE html><html><body>Sign in to download</body></html>", "JSON"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "JSON"),
    "zip": (b"PK\x03\x04" + bytes(range(256)), "JSON"),
    "half a character": (b'{"cells": "\xc3', "JSON"),
    "utf-16 mark alone": (b"\xff\xfe", "JSON"),
    "list": (b"[]", "no cells"),
    "number": (b"3", "no cells"),
    "null": (b"null", "no cells"),
    "string": (b'"cells"', "no cells"),
    "no cells": (b"{}", "no cells"),
    "cells of a wrong type": (b'{"cells": 3}', "no cells"),
    "worksheets of a wrong type": (b'{"worksheets": {"cells": []}}', "no cells"),
    "deep": (b'{"cells":' + b"[" * 200_000, "JSON"),
    "huge number": (b'{"cells": ' + b"9" * 5000 + b"}", "JSON"),
}


def _text(notebook: Notebook, **options: Any) -> str:
    return json.dumps(notebook, **options)


def _version_3(notebook: Notebook) -> bytes:
    cells = copy.deepcopy(notebook["cells"])
    for cell in cells:
        cell.pop("id")
        if cell["cell_type"] == "code":
            cell |= {"input": cell.pop("source"), "language": "python", "prompt_number": 1}
    tree = {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [{"cells": cells}]}
    return _text(tree).encode()


def _lines(notebook: Notebook) -> bytes:
    cells = [{**cell, "source": cell["source"].splitlines(keepends=True)} for cell in notebook["cells"]]
    return _text({**notebook, "cells": cells}, indent=1).encode()


def _noise(notebook: Notebook) -> bytes:
    strays: list[Any] = [None, 3, "text", [], {}, {"cell_type": "heading"}, {"cell_type": ["code"]}]
    strays += [{"cell_type": "code"}, {"cell_type": "raw", "source": 3}, {"cell_type": "markdown", "source": [1, None]}]
    strays += [{"cell_type": "code", "source": "1", "metadata": wrong} for wrong in (3, [], None, {"nbgrader": "x"})]
    strays += [{"cell_type": "code", "source": "2", "metadata": {"nbgrader": {"grade_id": ["a"]}}, "id": {"a": 1}}]
    return _text({**notebook, "cells": [*strays, *notebook["cells"]], "metadata": [], "nbformat": "4"}).encode()


def _stray_text(text: str) -> Callable[[Notebook], bytes]:
    def write(notebook: Notebook) -> bytes:
        cell = {"cell_type": "code", "id": "stray", "metadata": {}, "source": f"# {text}", "outputs": []}
        return _text({**notebook, "cells": [cell, *notebook["cells"]]}).encode()

    return write


def _latin(notebook: Notebook) -> bytes:
    cell = {"cell_type": "code", "metadata": {}, "source": "# corazón"}
    tree = {**notebook, "cells": [cell, *notebook["cells"]]}
    return _text(tree, ensure_ascii=False).encode("latin-1")


def _huge_ids(notebook: Notebook) -> bytes:
    cells = [{**cell, "id": cell["id"] * 10_000} for cell in notebook["cells"]]
    return _text({**notebook, "cells": cells}).encode()


#: Ways to save a notebook so that all of it can still be read.
READABLE: dict[str, Callable[[Notebook], bytes]] = {
    "utf-8": lambda notebook: _text(notebook, ensure_ascii=False).encode(),
    "utf-8 with a byte order mark": lambda notebook: _text(notebook).encode("utf-8-sig"),
    "utf-16": lambda notebook: _text(notebook).encode("utf-16"),
    "utf-16-be": lambda notebook: _text(notebook).encode("utf-16-be"),
    "utf-32": lambda notebook: _text(notebook).encode("utf-32"),
    "latin-1": _latin,
    "windows line ends": lambda notebook: _text(notebook, indent=1).replace("\n", "\r\n").encode(),
    "lists of lines": _lines,
    "version 3": _version_3,
    "noise around it": _noise,
    "lone surrogate": _stray_text("\ud800"),
    "escaped nulls": _stray_text("\0"),
    "huge ids": _huge_ids,
    "no metadata": lambda notebook: _text({"cells": notebook["cells"]}).encode(),
    "nbformat 99": lambda notebook: _text({**notebook, "nbformat": 99}).encode(),
    "NaN": lambda notebook: _text({**notebook, "metadata": {"a": float("nan")}}).encode(),
}
