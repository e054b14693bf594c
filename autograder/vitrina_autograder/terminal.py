"""What the commands share: one console, and errors that an instructor can put right shown as sentences."""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from vitrina.values import plain_text
from vitrina_autograder.course import CourseError

Assignment = Annotated[str, typer.Argument(help="The assignment, for example `week2`.")]
console = Console()
_LONGEST = 1 << 16
_STOPPED = 128 + signal.SIGINT


@contextmanager
def friendly() -> Generator[None]:
    """Show what an instructor has to put right as a sentence, not as a stack trace."""
    try:
        yield
    except CourseError as error:
        console.print(f"[red]✗[/] {escape(harmless(str(error)))}", highlight=False)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        console.print("[yellow]stopped[/]: nothing that was done is lost; the same command goes on from here")
        raise typer.Exit(_STOPPED) from None


def note(text: str) -> None:
    """Print a line as it is: nothing in it is markup."""
    console.print(escape(harmless(text)), highlight=False)


def harmless(text: str) -> str:
    """Take out of a text, in which students may have named things, what a terminal would obey."""
    return plain_text(text, _LONGEST)
