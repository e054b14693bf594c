"""How `inside` is started: by its folder, as it cannot see the package that it belongs to."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vitrina_autograder import inside

INSIDE = Path(inside.__path__[0])
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); from inside.main import main; del sys.path[0]; main(*sys.argv[2:])"
)


def start_command(how: str, order: Mapping[str, Any], *, folder: Path = INSIDE) -> list[str]:
    """Give the command that starts `inside`, lying in `folder`; see there for `how` and `order`."""
    flags = ("-P", "-s") if how == "warm" else ("-I", "-S")
    return [sys.executable, *flags, "-c", _START, str(folder.parent), how, json.dumps(order)]
