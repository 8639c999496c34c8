"""What all commands share: where they print, and how they keep quiet."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

err = Console(stderr=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]


def fail(message: str, status: int) -> NoReturn:
    """Ends the program with one line on standard error."""
    err.print(f"zoo: {' '.join(message.split())}", style="red", markup=False, highlight=False, soft_wrap=True)
    sys.exit(status)


@contextmanager
def quiet() -> Iterator[None]:
    """Hides what TensorFlow and LiteRT print from C++, which no log level reaches."""
    sys.stderr.flush()
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


def load_tensorflow() -> None:
    """Imports TensorFlow without its greetings."""
    with quiet():
        import_module("tensorflow")


def show(document: Any, as_json: bool, shown: Callable[[Console, Any], None]) -> None:
    """Prints a result: as JSON, or as `shown` shows it on a console."""
    if as_json:
        print(json.dumps(document, ensure_ascii=False, allow_nan=False))
    else:
        shown(Console(soft_wrap=not sys.stdout.isatty()), document)
