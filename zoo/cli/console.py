"""Options and output that commands share."""

import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, NoReturn, TextIO

import typer
from rich.console import Console
from rich.markup import escape

from zoo.errors import StorageError, ZooError, printable

err = Console(stderr=True, markup=False, emoji=False, highlight=False)
"""Standard error. Text is printed as it is: names of files may look like markup."""

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]

Levels = Annotated[float | None, typer.Option(min=1, max=65535, help="Value of white in a file of patches: 1 or 255.")]

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Folder that holds tfds:NAME. By default TFDS_DATA_DIR or ~/tensorflow_datasets."),
]

Prior = Annotated[
    str | None,
    typer.Option(
        "--prior", metavar="CLASS=SHARE,...",
        help="Class frequencies to assume, such as walking=0.6,sitting=0.3; other classes share the rest.",
    ),
]  # fmt: skip
Threshold = Annotated[
    float | None,
    typer.Option(
        "--threshold", min=0, max=1, help='Probability below which the answer is "not sure"; 0 to always answer.'
    ),
]

CSV = "CSV files"
"""Panel of the options of commands that read CSV files."""

AxisX = Annotated[
    str | None,
    typer.Option("--x", help="Column of the x axis. Recognized by its name by default.", rich_help_panel=CSV),
]
AxisY = Annotated[str | None, typer.Option("--y", help="The same for the y axis.", rich_help_panel=CSV)]
AxisZ = Annotated[str | None, typer.Option("--z", help="The same for the z axis.", rich_help_panel=CSV)]
Channels = Annotated[
    str | None,
    typer.Option(
        "--channels", metavar="X,Y,Z,...",
        help="Columns of x, y, z of the acceleration, then of x, y, z of the rotation rate, instead of --x, --y, --z.",
        rich_help_panel=CSV,
    ),
]  # fmt: skip
RotationUnit = Annotated[
    str | None,
    typer.Option(
        "--rotation-unit", help="Unit of the rotation rate: rad/s or deg/s. rad/s by default.", rich_help_panel=CSV
    ),
]
Stamps = Annotated[str | None, typer.Option("--time", help="Column of time stamps.", rich_help_panel=CSV)]
Rate = Annotated[
    float | None,
    typer.Option(
        "--rate", min=0, max=100_000, help="Sampling rate in Hz, instead of time stamps.", rich_help_panel=CSV
    ),
]
Unit = Annotated[
    str | None,
    typer.Option(
        "--unit",
        help="Unit of the acceleration: m/s^2 or g. By default that of the app that wrote the file.",
        rich_help_panel=CSV,
    ),
]
Convention = Annotated[
    str | None, typer.Option("--convention", help="Sign convention of the axes: android or ios.", rich_help_panel=CSV)
]
TimeUnit = Annotated[
    str, typer.Option("--time-unit", help="Unit of the time stamps: auto, s, ms, us or ns.", rich_help_panel=CSV)
]


def prepare_output() -> None:
    """Makes standard output ready for any name, such as one of a file that is not UTF-8.

    Raises:
        SystemExit: If standard output is closed, so that no result could be printed.
    """
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
    if sys.stdout is None:
        sys.stdout = sys.stderr
        fail("standard output is closed: redirect it to a file or to /dev/null", 1)
    # What cannot be encoded is printed as JSON would.
    if type(sys.stdout) is io.TextIOWrapper:
        encoding, lines = sys.stdout.encoding, sys.stdout.line_buffering
        sys.stdout = _Output(sys.stdout.detach(), encoding, "backslashreplace", line_buffering=lines)
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(errors="backslashreplace")


class _Output(io.TextIOWrapper):
    """Standard output whose errors say so: those of the system name no file."""

    def write(self, text: str, /) -> int:
        with self._named():
            return super().write(text)

    def flush(self) -> None:
        with self._named():
            super().flush()

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            # Python would try again when it exits.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            raise StorageError(f"standard output: cannot be written ({error.strerror})") from error


def say(text: str, style: str = "") -> None:
    """Prints one line on standard error, which a terminal breaks between words if it has a style.

    Without a style it may hold a command, which is to be copied as one line.
    """
    err.print(printable(text), style=style or None, soft_wrap=not (style and err.is_terminal))


def warn(text: str) -> None:
    """Prints a warning of one line on standard error."""
    say(f"zoo: warning: {text}", style="yellow")


def fail(message: str, status: int) -> NoReturn:
    """Exits with one line on standard error.

    Args:
        message: Message to print.
        status: Exit status.
    """
    say(f"zoo: {' '.join(message.split())}", style="red")
    sys.exit(status)


def interrupted(stop: BaseException, how: str = "") -> NoReturn:
    """Exits after Ctrl-C or SIGTERM, with one line on standard error.

    Args:
        stop: The exception.
        how: What is left, and how to resume.
    """
    # Some versions of Typer raise `Abort` from it.
    fail(f"interrupted: {how}" if how else "interrupted", getattr(stop.__cause__ or stop, "status", 130))


@contextmanager
def quiet(doing: str = "") -> Iterator[Callable[[str], None]]:
    """Hides what the C++ code of TensorFlow and LiteRT prints regardless of log levels.

    Args:
        doing: What a terminal shows while the block runs.

    Yields:
        A function that shows the current step: in place of the last one on a terminal, as a line elsewhere.
    """
    with _redirected(os.open(os.devnull, os.O_WRONLY)) as original:
        console = original if _is_standard(sys.stderr) else err
        if not console.is_terminal:
            yield lambda step: console.print(f"{doing}: {step}", soft_wrap=True, markup=False, highlight=False)
        elif not doing:
            yield lambda step: None
        else:
            with console.status(escape(doing)) as status:
                yield lambda step: status.update(escape(f"{doing}: {step}"))


@contextmanager
def logged(path: Path) -> Iterator[Console]:
    """Redirects standard error to a file, and yields a console for the original one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _redirected(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)) as original:
        yield original


@contextmanager
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


def _is_standard(stream: TextIO) -> bool:
    """Whether what is written to a stream goes to the file descriptor of standard error."""
    try:
        return stream.fileno() == 2
    except OSError:
        return False


def load_tensorflow() -> None:
    """Imports TensorFlow and Keras, which takes seconds, without the messages that they print."""
    if "keras" not in sys.modules:
        with quiet("loading TensorFlow"):
            import_module("tensorflow")
            import_module("keras")


def data_file(data: Path, data_dir: Path | None) -> Path:
    """Returns the path of data: the file itself, or the folder of a build of TensorFlow Datasets.

    Args:
        data: A file, or `tfds:NAME`.
        data_dir: Folder of the builds.
    """
    if not str(data).startswith("tfds:"):
        if data_dir is not None:
            raise ZooError(f"--data-dir: requires --data tfds:NAME; {data} is a file")
        return data
    load_tensorflow()
    from zoo.data.loading import load_data

    with quiet():
        path = load_data(data, data_dir=data_dir).path
    assert path is not None
    return path


def exported_file(model: str, files: Sequence[str] = ("model.dynamic.tflite", "model.float32.tflite")) -> Path:
    """Returns a file of a model that can be streamed.

    Args:
        model: A file, a preset or a folder.
        files: Names of the files to look for in a preset or folder, in order of preference.

    Raises:
        ZooError: If there is none.
    """
    path, kinds = Path(model), {Path(name).suffix for name in files}
    if path.suffix in kinds:
        return path
    from zoo.catalog import find_folder

    if path.is_file():
        raise ZooError(f"{path}: expected a {' or '.join(sorted(kinds))} file, or a preset or folder with one")
    # What `zoo export` wrote may be without model.keras.
    folder = path if path.is_dir() else find_folder(model)
    for name in files:
        if (file := folder / name).is_file():
            return file
    raise ZooError(f"{folder}: holds none of {', '.join(files)}: write one with `zoo export`")


def show(document: Any, as_json: bool, report: Callable[[Any], str]) -> None:
    """Prints a result as JSON, or as Markdown rendered by `report`."""
    if as_json:
        print(json.dumps(document, ensure_ascii=False, allow_nan=False))
    else:
        from zoo.report import terminal

        terminal.show(report(document))
