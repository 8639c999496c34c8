"""What all commands share: where they print, and how they keep quiet."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from zoo.errors import ZooError

err = Console(stderr=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]

Levels = Annotated[float | None, typer.Option(help="What white is in a file of patches: 1, or 255.")]

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Where --data tfds:NAME is; TFDS_DATA_DIR or ~/tensorflow_datasets.")
]

# How a CSV file is read, for the commands that take one.
AxisX = Annotated[str | None, typer.Option("--x", help="Column of the x axis; recognized by its name by default.")]
AxisY = Annotated[str | None, typer.Option("--y", help="Column of the y axis.")]
AxisZ = Annotated[str | None, typer.Option("--z", help="Column of the z axis.")]
Stamps = Annotated[str | None, typer.Option("--time", help="Column of time stamps.")]
Rate = Annotated[float | None, typer.Option("--rate", help="Hz, in place of time stamps.")]
Unit = Annotated[str | None, typer.Option("--unit", help="m/s^2 or g; as the app writes it by default.")]
Convention = Annotated[str | None, typer.Option("--convention", help="android or ios: the sign of the axes.")]
TimeUnit = Annotated[str, typer.Option("--time-unit", help="auto, s, ms, us or ns.")]


def fail(message: str, status: int, at_once: bool = False) -> NoReturn:
    """Ends the program with one line on standard error.

    Args:
        message: The line.
        status: What the program ends with.
        at_once: Whether to leave out what libraries do in the end, such as waiting for workers who are gone.
    """
    err.print(f"zoo: {' '.join(message.split())}", style="red", markup=False, highlight=False, soft_wrap=True)
    if at_once:
        sys.stdout.flush()
        os._exit(status)
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


@contextmanager
def logged(path: Path) -> Iterator[Console]:
    """Sends what libraries print on standard error to a file, and gives a console on the real one."""
    sys.stderr.flush()
    path.parent.mkdir(parents=True, exist_ok=True)
    saved, log = os.dup(2), os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.dup2(log, 2)
        with os.fdopen(os.dup(saved), "w") as stream:
            yield Console(file=stream)
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(log)


def load_tensorflow() -> None:
    """Imports TensorFlow without its greetings."""
    with quiet():
        import_module("tensorflow")


def data_file(data: Path, data_dir: Path | None) -> Path:
    """The path of the data that a user names: the file itself, or the folder of a build of TensorFlow Datasets.

    Args:
        data: A file, or `tfds:` and the name of a build.
        data_dir: Where builds are.
    """
    if not str(data).startswith("tfds:"):
        if data_dir is not None:
            raise ZooError(f"--data-dir: goes with --data tfds:NAME; {data} is a file")
        return data
    load_tensorflow()
    from zoo.data.loading import load_data

    with quiet():
        path = load_data(data, data_dir=data_dir).path
    assert path is not None
    return path


def exported_file(model: str, arithmetic: tuple[str, ...] = ("dynamic", "float32")) -> Path:
    """The `.tflite` file that a user means: the file itself, or one of a preset or folder that streams.

    Args:
        model: A file, a preset or a folder.
        arithmetic: Which of its files; the first that is there, by default the smaller one.

    Raises:
        ZooError: If there is none.
    """
    if model.endswith(".tflite"):
        return Path(model)
    from zoo.catalog import find_folder

    folder = find_folder(model)
    for name in arithmetic:
        if (file := folder / f"model.{name}.tflite").is_file():
            return file
    raise ZooError(f"{folder}: holds no .tflite file: write one with `zoo export {model}`")


def show(document: Any, as_json: bool, report: Callable[[Any], str]) -> None:
    """Prints a result: as JSON, or as the Markdown that `report` makes of it."""
    if as_json:
        print(json.dumps(document, ensure_ascii=False, allow_nan=False))
    else:
        from zoo.report import terminal

        terminal.show(report(document))
