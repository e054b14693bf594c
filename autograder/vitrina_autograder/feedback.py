"""The feedback page of a submission: nbgrader's, made without doing again for every page what is the same for all."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from jinja2 import Environment
from jinja2.bccache import Bucket, BytecodeCache
from nbconvert.exporters import HTMLExporter
from nbconvert.exporters.templateexporter import TemplateExporter
from nbconvert.filters import Highlight2HTML
from nbformat import NotebookNode

from vitrina.messages import _

_PICTURE = _("figure of the cell above")


class _CompiledTemplates(BytecodeCache):
    """Keeps compiled templates in memory: nbgrader makes a new environment for every page."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill a bucket with what was compiled before."""
        code = self._code.get(bucket.key)
        if code is not None:
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was just compiled."""
        self._code[bucket.key] = bucket.bytecode_to_string()


_templates = _CompiledTemplates()


@lru_cache(maxsize=1024)
def _coloured(source: str, language: str | None) -> str:
    """Colour a cell's code; most cells are the same in all submissions."""
    return Highlight2HTML(pygments_lexer="ipython3")(source, language)


def _highlight(source: str, language: str | None = None, metadata: object = None) -> str:
    """Be nbconvert's filter `highlight_code`."""
    del metadata
    return _coloured(source, language)


class FeedbackExporter(HTMLExporter):
    """Exports a graded notebook as a page.

    nbconvert's own exporter compiles its templates and colours the released code for every page, and then reads the
    whole page again to give pictures a text: together most of the time that a page takes.
    """

    def _create_environment(self) -> Environment:
        environment = super()._create_environment()
        environment.bytecode_cache = _templates
        return environment

    def from_notebook_node(
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """Make the page."""
        self.register_filter("highlight_code", _highlight)
        resources = self._init_resources(resources)
        page, resources = TemplateExporter.from_notebook_node(self, nb, resources, **kw)
        return page.replace('<img src="data:', f'<img alt="{_PICTURE}" src="data:'), resources
