"""Builds, releases and grades the notebooks of the course (instructors only)."""

import sys

# For a format that no notebook has, jsonschema's import compiles a grammar of IRIs: a third of a command's start.
sys.modules.setdefault("rfc3987_syntax", None)  # pyright: ignore[reportArgumentType]
