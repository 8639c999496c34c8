"""What a command says beside its result, on standard error: lines with marks, progress, and quiet for libraries."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from zoo.errors import COMMAND, printable

err = Console(stderr=True, markup=False, emoji=False, highlight=False)
"""Standard error. Text is printed as it is: names of files may look like markup."""


MARKS = {"ok": ("✓", "green"), "note": ("·", "cyan"), "warning": ("!", "yellow"), "broken": ("✗", "red")}
"""Marks of messages on a terminal, with their colors, by the kind of message."""


def marked(text: str | Text, kind: str, console: Console) -> Table:
    """A message after the mark of its kind, broken between words."""
    mark, color = MARKS[kind]
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    plain = "x" if kind == "broken" else "-"
    grid.add_row(Text(plain if console.options.ascii_only and not mark.isascii() else mark, f"bold {color}"), text)
    return grid


def say(text: str, kind: str = "") -> None:
    """Prints one line on standard error. On a terminal, one of a kind has a mark; others may hold commands to copy."""
    text = printable(text)
    if kind and err.is_terminal:
        err.print(marked(Text(text), kind, err))
    else:
        err.print(text, soft_wrap=True)


def warn(text: str) -> None:
    """Prints a warning of one line on standard error."""
    say(text if err.is_terminal else f"zoo: warning: {text}", "warning")


def finish(written: str, then: str) -> None:
    """Prints on standard error where things are, and the command that comes next."""
    if not err.is_terminal:
        say("; ".join(part for part in (written, then and f"next: {then}") if part))
        return
    err.print()
    if written:
        say(written, "ok")
    if then:
        # A command is not broken: it is to be copied.
        err.print(Text.assemble("  next: ", (printable(then), "bold")), soft_wrap=True)


@contextlib.contextmanager
def quiet(doing: str = "") -> Iterator[Callable[[str], None]]:
    """Hides what the C++ code of TensorFlow and LiteRT prints regardless of log levels; a terminal shows `doing`.

    It yields a function that shows the current step: in place of the last one on a terminal, as a line elsewhere.
    """
    with _redirected(os.open(os.devnull, os.O_WRONLY)) as original:
        # In a notebook, for one, what Python writes goes elsewhere.
        console = original if sys.stderr is sys.__stderr__ else err
        if not console.is_terminal:
            yield lambda step: console.print(f"{doing}: {step}", soft_wrap=True, markup=False, highlight=False)
        elif not doing:
            yield lambda step: None
        else:
            with console.status(escape(doing)) as status:
                yield lambda step: status.update(escape(f"{doing}: {step}"))


@contextlib.contextmanager
def logged(path: Path) -> Iterator[Console]:
    """Redirects standard error of a command to a file, and yields a console for the original one."""
    if COMMAND not in os.environ:
        yield Console(stderr=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with _redirected(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)) as original:
        yield original


@contextlib.contextmanager
def _redirected(target: int) -> Iterator[Console]:
    """Redirects standard error to a file descriptor, closed at the end, and yields a console for the original one."""
    sys.stderr.flush()
    saved = os.dup(2)
    try:
        os.dup2(target, 2)
        with os.fdopen(os.dup(saved), "w") as stream:
            yield Console(file=stream)
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(target)
