"""Commands for a device: export, stream, serve, bench."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from zoo.cli.console import (
    AxisX,
    AxisY,
    AxisZ,
    Convention,
    DataDir,
    Json,
    Levels,
    Rate,
    Stamps,
    TimeUnit,
    Unit,
    err,
    exported_file,
    load_tensorflow,
    quiet,
    show,
)
from zoo.errors import ZooError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from zoo.data.importers import CsvColumns
    from zoo.runtime import Answer, Recognizer

app = typer.Typer()

ModelName = Annotated[str, typer.Argument(metavar="MODEL", help="A preset, a folder, a .keras or a .tflite file.")]
FileName = Annotated[str, typer.Argument(metavar="MODEL", help="A .tflite file, or a preset that has one.")]


@app.command()
def export(
    model: ModelName,
    to: Annotated[Path, typer.Option(help="Folder for the files; must be empty.")] = Path("exported"),
    formats: Annotated[str | None, typer.Option(help="Comma-separated; all by default.")] = None,
    data: Annotated[Path | None, typer.Option(help="Real data to compare on, or tfds:NAME; simulated without.")] = None,
    data_dir: DataDir = None,
    levels: Levels = None,
    personalize: Annotated[bool, typer.Option("--personalize", help="Also a file that learns on the device.")] = False,
    as_json: Json = False,
) -> None:
    """Write a model as .keras, SavedModel and TFLite; each is run and compared before it gets its name."""
    load_tensorflow()
    from zoo import api
    from zoo.report import results

    refused: dict[str, str] = {}
    with quiet():
        chosen = [name.strip() for name in formats.split(",")] if formats else []
        found = api.export(
            model, to, [*(chosen or ["default"]), *(["personal"] if personalize else [])], data=data,
            data_dir=data_dir, levels=levels, refused=None if formats else refused,
        )  # fmt: skip
    for why in refused.values():
        err.print(f"left out: {why}", style="yellow", highlight=False, markup=False)
    compared = {
        "compared_on": str(data) if data else "simulated data",
        "folder": str(to),
        "artifacts": [artifact.record for artifact in found],
    }
    show(compared, as_json, results.exported)


@app.command()
def stream(
    model: FileName,
    csv: Annotated[
        str | None, typer.Option(help="Samples with columns x, y, z and time: a file, or - for standard input.")
    ] = None,
    simulate: Annotated[
        str | None, typer.Option(help="Activities of a simulated person, comma-separated, in place of samples.")
    ] = None,
    rate: Rate = None,
    x: AxisX = "x",
    y: AxisY = "y",
    z: AxisZ = "z",
    time: Stamps = "time",
    unit: Unit = "m/s^2",
    convention: Convention = "android",
    time_unit: TimeUnit = "auto",
    every: Annotated[bool, typer.Option("--every", help="Print every answer, not only changes.")] = False,
    seconds: Annotated[float, typer.Option(help="Of each simulated activity.")] = 10.0,
    speed: Annotated[float, typer.Option(min=0, help="Times real time, simulated; 0 for no waiting.")] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Of the simulated person.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON document for each answer.")] = False,
) -> None:
    """Follow a signal sample by sample, and say what the person is doing."""
    from zoo.data.importers import CsvColumns
    from zoo.runtime import Recognizer

    if (csv is None) == (simulate is None):
        raise ZooError("name one of --csv FILE, --csv - for standard input, and --simulate ACTIVITIES")
    with quiet():
        recognizer = Recognizer(exported_file(model))
    if csv is not None:
        columns = CsvColumns(x, y, z, None if rate else time, rate, "=me", "=unknown", unit, convention, time_unit)
        _follow(recognizer, csv, columns, every or as_json, as_json)
        return
    from zoo.data.gait import walk_through
    from zoo.metadata import CLASSES
    from zoo.report.live import StreamBoard

    activities = [name.strip() for name in (simulate or "").split(",")]
    strangers = [name for name in activities if name not in CLASSES]
    if strangers:
        raise ZooError(f"activity {strangers[0]!r}: expected {', '.join(CLASSES)}")
    rows, truth = walk_through(activities, seconds, recognizer.metadata.rate, seed)
    console, right = Console(), []
    with StreamBoard(console).shown() as board:
        for moment in _moments(recognizer, rows, truth, speed):
            board.update(moment)
            right.append(moment["label"] == moment["truth"])
    print(f"{sum(right)} of {len(right)} moments right (simulated person; a change takes a moment to be recognized)")


def _moments(
    recognizer: "Recognizer", rows: "NDArray[np.float32]", truth: Sequence[str], speed: float
) -> Iterator[dict[str, Any]]:
    """Streams a simulated signal through a file, and yields what it recognizes every half second."""
    metadata, stream = recognizer.metadata, recognizer.stream()
    hop = max(1, round(metadata.rate / 2))
    for stop in range(hop, len(rows) + 1, hop):
        start = time.perf_counter()
        samples = [(i / metadata.rate, *rows[i].tolist()) for i in range(stop - hop, stop)]
        answers = list(stream.feed(samples))
        milliseconds = 1e3 * (time.perf_counter() - start)
        if speed:
            time.sleep(max(0.0, hop / metadata.rate / speed - milliseconds / 1e3))
        if answers:
            window = rows[max(0, stop - metadata.window) : stop]
            yield _answer(answers[-1], metadata.classes) | {
                "truth": truth[stop - 1], "milliseconds": milliseconds, "window": window,
            }  # fmt: skip


def _answer(answer: "Answer", classes: Sequence[str]) -> dict[str, Any]:
    probabilities = dict(zip(classes, answer.probabilities.tolist(), strict=True))
    return {
        "time": answer.time, "label": answer.label, "probability": answer.probability, "probabilities": probabilities,
    }  # fmt: skip


def _follow(recognizer: "Recognizer", csv: str, columns: "CsvColumns", every: bool, as_json: bool) -> None:
    """Prints what is recognized in lines of CSV while they come."""
    from zoo.data.samples import read_samples

    def warn(line: str) -> None:
        err.print(line, style="yellow", highlight=False, markup=False)

    stream, shown, warned = recognizer.stream(), "", 0
    for answer in stream.feed(read_samples(_lines(csv), "standard input" if csv == "-" else csv, columns)):
        for warning in stream.warnings[warned:]:
            warn(f"{answer.time:.2f} s: {warning}")
        warned = len(stream.warnings)
        if every or answer.label != shown:
            line = f"{answer.time:9.2f} s  {answer.label or '?':<12} {answer.probability:4.0%}"
            print(json.dumps(_answer(answer, stream.metadata.classes)) if as_json else line, flush=True)
            shown = answer.label or ""
    for reason, count in stream.skipped.items():
        warn(f"left out: {count} {reason}")


def _lines(csv: str) -> Iterator[str]:
    if csv == "-":
        yield from sys.stdin
        return
    try:
        with Path(csv).open(encoding="utf-8-sig") as file:
            yield from file
    except (FileNotFoundError, IsADirectoryError):
        raise ZooError(f"{csv}: no such file") from None
    except UnicodeDecodeError as error:
        raise ZooError(f"{csv}: not UTF-8 text ({error.reason} at byte {error.start})") from None


@app.command()
def serve(
    model: FileName = "activity_gru_pocket",
    host: Annotated[str, typer.Option(help="Address to listen on; every one of this machine by default.")] = "0.0.0.0",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The next free one where it is taken.")] = 8443,
    as_json: Annotated[bool, typer.Option("--json", help="Print the address as a JSON document.")] = False,
) -> None:
    """Serve the page that recognizes activities to phones in the same network, until Ctrl-C."""
    from zoo.report.address import address
    from zoo.runtime import Recognizer
    from zoo.serving import PageServer, certificate, page_files

    with quiet():
        # Rounding in 8 bits differs from one processor to another; beside the runtime a float file is hardly larger.
        recognizer = Recognizer(exported_file(model, ("float32", "dynamic")))
    if "step" not in recognizer.signatures:
        raise ZooError(f"{recognizer.path}: has no signature `step`, which the page runs: export it with `zoo export`")
    names = certificate.names_of(host)
    with PageServer(page_files(recognizer.path), host, port, certificate.tls_context(names)) as server:
        found = {"url": f"https://{names[0]}:{server.port}/", "model": str(recognizer.path)}
        show(found, as_json, address)
        sys.stdout.flush()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            err.print("stopped")


@app.command()
def bench(
    models: Annotated[list[str], typer.Argument(metavar="MODEL...", help="Files, or presets: all their files.")],
    keras: Annotated[bool, typer.Option("--keras", help="Also what Keras's own export of each preset gives.")] = False,
    as_json: Json = False,
) -> None:
    """Measure what exported recognizers cost on this machine: bytes, milliseconds, memory, arithmetic."""
    from zoo.catalog import find_folder
    from zoo.report import results
    from zoo.tasks.bench import bench as measure

    rows = []
    for model in models:
        folder = None if model.endswith(".tflite") else find_folder(model)
        files = [Path(model)] if folder is None else sorted(folder.glob("*.tflite"))
        if not files:
            raise ZooError(f"{folder}: holds no .tflite file: write one with `zoo export {model}`")
        with quiet():
            rows += [measure(file) for file in files]
        if keras and folder is not None:
            load_tensorflow()
            from zoo.tasks import loading
            from zoo.tasks.bench import keras_default

            with quiet():
                rows.append({"file": f"{folder}: Keras's own export"} | keras_default(loading.load(model).keras_model))
    show(rows, as_json, results.costs)
