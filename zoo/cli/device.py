"""Commands for devices: export, stream, serve, bench."""

import io
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer
from rich.console import Console

from zoo.cli.console import (
    AxisX,
    AxisY,
    AxisZ,
    Channels,
    Convention,
    DataDir,
    Json,
    Levels,
    Prior,
    Rate,
    RotationUnit,
    Stamps,
    Threshold,
    TimeUnit,
    Unit,
    exported_file,
    load_tensorflow,
    quiet,
    say,
    show,
)
from zoo.cli.values import names
from zoo.errors import UsageError, ZooError
from zoo.files import temporary_folder
from zoo.jobs import Terminated

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from zoo.activity.columns import CsvColumns
    from zoo.exporting.parity import ParityError
    from zoo.runtime import Prediction, Stream
    from zoo.runtime.metadata import ActivityMetadata

app = typer.Typer()

ModelName = Annotated[str, typer.Argument(metavar="MODEL", help="A preset, a folder or a .keras file.")]
_FIRST = "activity_gru_phone"
"""The preset that the phone page starts with."""
_SINCE_1970 = 1e8
"""Seconds from which time stamps are taken to count from 1970."""

FileName = Annotated[str, typer.Argument(metavar="MODEL", help="A .tflite file, or a preset or folder with one.")]


@app.command(rich_help_panel="Devices")
def export(
    model: ModelName,
    to: Annotated[Path, typer.Option(help="Folder for the files. Must be empty.")] = Path("exported"),
    formats: Annotated[
        str | None,
        typer.Option(help="Comma-separated formats, such as float32,int8,c99. By default all but source code."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Data to compare and calibrate on, or tfds:NAME. Simulated by default.")
    ] = None,
    data_dir: DataDir = None,
    levels: Levels = None,
    personalize: Annotated[
        bool, typer.Option("--personalize", help="Also write a file that can be trained on the device.")
    ] = False,
    prior: Prior = None,
    threshold: Threshold = None,
    as_json: Json = False,
) -> None:
    """Export a model as .keras, SavedModel, TFLite or source code.

    Each file, or the .tflite file that comes with it, is run and compared with Keras before it is written. C code is
    not compared on a machine without a C compiler.
    """
    load_tensorflow()
    from zoo import api
    from zoo.report import results
    from zoo.runtime import priors

    refused: dict[str, ParityError] = {}
    with quiet("exporting") as step:
        chosen = names(formats)
        artifacts = api.export(
            model, to, [*(chosen or ["default"]), *(["personal"] if personalize else [])], data=data,
            data_dir=data_dir, levels=levels, refused=None if formats else refused,
            prior=None if prior is None else priors.parse(prior), threshold=threshold, on_progress=step,
        )  # fmt: skip
    for why in refused.values():
        say(f"left out: {why}", style="yellow")
    compared = {
        "compared_on": str(data) if data else "simulated data",
        "folder": str(to),
        "artifacts": [artifact.record for artifact in artifacts],
    }
    show(compared, as_json, results.exported)


@app.command(rich_help_panel="Devices")
def stream(
    model: FileName,
    csv: Annotated[
        str | None, typer.Option(help="CSV file with columns x, y, z and time, or - for standard input.")
    ] = None,
    simulate: Annotated[
        str | None, typer.Option(help="Comma-separated activities of a simulated person, instead of a CSV file.")
    ] = None,
    rate: Rate = None,
    x: AxisX = None,
    y: AxisY = None,
    z: AxisZ = None,
    channels: Channels = None,
    time: Stamps = None,
    unit: Unit = None,
    convention: Convention = None,
    rotation_unit: RotationUnit = None,
    time_unit: TimeUnit = "auto",
    every: Annotated[bool, typer.Option("--every", help="Print every prediction, not only changes.")] = False,
    seconds: Annotated[
        float, typer.Option(min=0, max=86_400, help="Duration of each simulated activity in seconds.")
    ] = 10.0,
    speed: Annotated[
        float, typer.Option(min=0, help="Speed of the simulation relative to real time. 0 for as fast as possible.")
    ] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the simulated person.")] = 1,
    threshold: Threshold = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON document per prediction.")] = False,
) -> None:
    """Recognize activities in a continuous signal, sample by sample."""
    from zoo.activity.columns import CsvColumns
    from zoo.runtime import Recognizer
    from zoo.runtime.metadata import CLASSES, INERTIAL

    if (csv is None) == (simulate is None):
        raise ZooError("pass one of --csv FILE, --csv - for standard input, or --simulate ACTIVITIES")
    with quiet():
        recognizer = Recognizer(exported_file(model))
    stream = recognizer.stream(threshold=threshold)
    gyroscope = recognizer.metadata.axes == INERTIAL
    if csv is not None:
        columns = CsvColumns(
            x, y, z, None if rate else time, rate, "=me", "=unknown", unit, convention, time_unit,
            gyroscope=gyroscope, rotation_unit=rotation_unit,
        )  # fmt: skip
        if channels is not None:
            columns = columns.with_channels(channels)
        _follow(stream, csv, columns, every or as_json, as_json)
        return
    from zoo.activity.simulate import walk_through
    from zoo.report.progress import StreamBoard

    activities = names(simulate)
    known = [name for name in recognizer.metadata.classes if name in CLASSES]
    unknown = [name for name in activities if name not in known]
    if unknown and not known:
        labels = ", ".join(recognizer.metadata.classes)
        raise ZooError(
            f"{model}: recognizes {labels}, none of which can be simulated; stream recordings with --csv FILE"
        )
    if unknown:
        raise ZooError(f"activity {unknown[0]!r}: expected {', '.join(known)}, which {model} knows")
    rows, truth = walk_through(activities, seconds, recognizer.metadata.rate, seed, gyroscope=gyroscope)
    if as_json:
        for moment in _moments(stream, rows, truth, speed):
            print(json.dumps({key: value for key, value in moment.items() if key != "window"}), flush=True)
        return
    console, right = Console(), []
    with StreamBoard(console).shown() as board:
        for moment in _moments(stream, rows, truth, speed):
            board.update(moment)
            right.append(moment["label"] == moment["truth"])
    console.print(
        f"{sum(right)} of {len(right)} moments right (simulated person; a change takes a moment to be recognized)",
        highlight=False, soft_wrap=not console.is_terminal,
    )  # fmt: skip


def _moments(
    stream: "Stream", rows: "NDArray[np.float32]", truth: Sequence[str], speed: float
) -> Iterator[dict[str, Any]]:
    """Streams a simulated signal and yields the prediction of every half second."""
    metadata = stream.metadata
    hop = max(1, round(metadata.rate / 2))
    for stop in range(hop, len(rows) + 1, hop):
        start = time.perf_counter()
        samples = [(i / metadata.rate, *rows[i].tolist()) for i in range(stop - hop, stop)]
        predictions = list(stream.feed(samples))
        milliseconds = 1e3 * (time.perf_counter() - start)
        if speed:
            time.sleep(max(0.0, hop / metadata.rate / speed - milliseconds / 1e3))
        if predictions:
            window = rows[max(0, stop - metadata.window) : stop]
            yield _document(predictions[-1], metadata.classes) | {
                "truth": truth[stop - 1], "milliseconds": milliseconds, "window": window,
            }  # fmt: skip


def _document(prediction: "Prediction", classes: Sequence[str]) -> dict[str, Any]:
    return {
        "time": prediction.time, "label": prediction.label, "probability": prediction.probability,
        "probabilities": dict(zip(classes, prediction.probabilities.tolist(), strict=True)),
    }  # fmt: skip


def _follow(stream: "Stream", csv: str, columns: "CsvColumns", every: bool, as_json: bool) -> None:
    """Prints predictions for lines of CSV as they arrive."""
    from zoo.activity.samples import read_samples

    def warn(line: str) -> None:
        say(line, style="yellow")

    warned = 0
    shown: str | None = ""
    for prediction in stream.feed(read_samples(_lines(csv), "standard input" if csv == "-" else csv, columns)):
        moment = _moment(prediction.time)
        for warning in stream.warnings[warned:]:
            warn(f"{moment.strip()}: {warning}")
        warned = len(stream.warnings)
        if every or prediction.label != shown:
            line = f"{moment}  {prediction.label or '?':<12} {prediction.probability:4.0%}"
            print(json.dumps(_document(prediction, stream.metadata.classes)) if as_json else line, flush=True)
            shown = prediction.label
    for reason, count in stream.skipped.items():
        warn(f"left out: {reason} ({count})")
    if shown == "":
        seconds = stream.metadata.window / stream.metadata.rate
        warn(f"no prediction: the signal is too short; the model reads windows of {seconds:g} s")


def _moment(seconds: float) -> str:
    """A time stamp: seconds, or the local time of day where they count from 1970."""
    if seconds < _SINCE_1970:
        return f"{seconds:9.2f} s"
    return f"{datetime.fromtimestamp(seconds).astimezone():%H:%M:%S.%f}"[:-4]


def _lines(csv: str) -> Iterator[str]:
    name = "standard input" if csv == "-" else csv
    if csv == "-" and isinstance(sys.stdin, io.TextIOWrapper):
        # In some locales, Python reads undecodable bytes as characters.
        sys.stdin.reconfigure(encoding="utf-8", errors="strict")
    try:
        with nullcontext(sys.stdin) if csv == "-" else Path(csv).open(encoding="utf-8-sig") as file:
            # Of a line without end, no more than this is held.
            yield from iter(lambda: file.readline(_LONGEST_LINE), "")
    except FileNotFoundError:
        raise ZooError(f"{csv}: no such file") from None
    except IsADirectoryError:
        raise ZooError(f"{csv}: is a folder, not a file") from None
    except UnicodeDecodeError as error:
        raise ZooError(f"{name}: not UTF-8 text ({error.reason} at byte {error.start})") from None


_LONGEST_LINE = 1 << 16
"""Letters of the longest line of a stream."""


@app.command(rich_help_panel="Devices")
def serve(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MODEL",
            help=".tflite files, or presets or folders with one, to choose from on the page. It starts with "
            "the first. By default all recognizers of the zoo.",
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on. By default all addresses, so that phones can reach it.")
    ] = "0.0.0.0",
    port: Annotated[
        int, typer.Option(min=1, max=65535, help="Port to listen on. If it is in use, the next free one.")
    ] = 8443,
    collect: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder for the recordings that phones send, one CSV file each."),
    ] = None,
    labels: Annotated[
        str | None, typer.Option(help="With --collect: comma-separated activities to choose from. Any by default.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the address, and each recording of --collect, as a JSON document.")
    ] = False,
) -> None:
    """Serve the phone page with one or more models to phones on the same network.

    Runs until Ctrl-C.
    """
    from zoo.serving import PageServer, certificate, page_files
    from zoo.serving.page import COLLECT
    from zoo.serving.server import require_host

    with quiet():
        recognizers = dict(_recognizer_of_page(model) for model in models or _recognizers())
    if labels is not None and collect is None:
        raise UsageError("--labels: requires --collect DIR")
    require_host(host)
    hosts, files = certificate.names_of(host), list(recognizers)
    pages = page_files(files)
    with ExitStack() as stack:
        phones = None
        if collect is not None:
            from zoo.cli.collecting import collector

            metadata = recognizers[files[0]]
            phones = stack.enter_context(
                collector(collect, names(labels), metadata.classes, metadata.axes, hosts, as_json)
            )
        context = certificate.tls_context(hosts, phones.certificate if phones else None)
        inbox = phones.inbox if phones else None
        server = stack.enter_context(PageServer(pages, host, port, context, inbox))
        document = {
            "url": f"https://{hosts[0]}:{server.port}/", "model": str(files[0]), "models": [*map(str, files)],
            "host": host,
        }  # fmt: skip
        if phones:
            document |= {"url": f"{document['url']}{COLLECT}#{phones.inbox.token}", "collect": str(collect)}
        try:
            if as_json:
                print(json.dumps(document))
            else:
                _show_address(document)
            sys.stdout.flush()
            with phones.shown() if phones else nullcontext():
                server.serve_forever()
        except KeyboardInterrupt as stop:
            say("stopped")
            if isinstance(stop, Terminated):
                raise typer.Exit(stop.status) from None


def _recognizers() -> list[str]:
    """The presets that the page can run, first the one to start with."""
    from zoo.catalog import preset_names
    from zoo.families import FAMILIES
    from zoo.presets import PRESETS

    found = [name for name in preset_names() if FAMILIES[PRESETS[name].family].task == "activity"]
    return sorted(found, key=lambda name: name != _FIRST)


def _recognizer_of_page(model: str) -> tuple[Path, "ActivityMetadata"]:
    """Checks the file of a model that the page runs, and returns it with its metadata."""
    from zoo.exporting.embedding import signature
    from zoo.runtime import Recognizer

    # 8-bit rounding differs between processors, and compared with the runtime a float file is hardly larger.
    file = exported_file(model, ("model.float32.tflite", "model.dynamic.tflite"))
    recognizer = Recognizer(file)
    needed = signature(recognizer.metadata)
    if needed not in recognizer.signatures:
        raise ZooError(
            f"{recognizer.path}: has no signature {needed!r}, which the page needs: export it with `zoo export`"
        )
    return file, recognizer.metadata


def _show_address(document: dict[str, Any]) -> None:
    """Prints the address and its QR code."""
    import segno

    from zoo.serving.certificate import ALL_INTERFACES, LOCAL

    console = Console(soft_wrap=True)
    others = f" and {more} more" if (more := len(document["models"]) - 1) else ""
    served = f"serving {document['model']}{others}"
    what = f"collecting into {document['collect']}" if "collect" in document else served
    console.print(f"{what} at {document['url']}", markup=False, highlight=False)
    where = "Open it in a browser on this machine; phones cannot reach this address. "
    if urlsplit(document["url"]).hostname not in LOCAL:
        segno.make(document["url"], error="m").terminal(sys.stdout, border=2, compact=True)
        where = "Open it on a phone that is on the same network. "
        if "collect" in document:
            where += "Only phones with this code can send recordings. "
        elif document["host"] in ALL_INTERFACES:
            where += "Everyone on this network can open it; --host 127.0.0.1 limits it to this machine. "
    console.print(
        f"{where}The certificate is self-signed, so the browser shows a warning once: accept it. Ctrl-C stops the "
        "server.",
        markup=False, highlight=False,
    )  # fmt: skip


@app.command(rich_help_panel="Devices")
def bench(
    models: Annotated[
        list[str],
        typer.Argument(metavar="MODEL", help="Presets, .tflite or .keras files, or folders that contain such files."),
    ],
    as_json: Json = False,
) -> None:
    """Measure size, latency and memory of exported files on this machine.

    A model that has not been exported is exported to a temporary folder first.
    """
    from zoo import benchmarking as benchmark
    from zoo.report import results

    rows = []
    for model in models:
        with quiet("benchmark") as step, temporary_folder() as scratch:
            files = _tflite_files(model, scratch, step)
            for name, file in files.items():
                step(name)
                rows.append(benchmark.bench(file) | {"file": name})
    show(rows, as_json, results.costs)


def _tflite_files(model: str, scratch: Path, on_progress: Callable[[str], None]) -> dict[str, Path]:
    """Returns the `.tflite` files of a model by the names to show, exported to a folder if there are none yet."""
    from zoo import benchmarking as benchmark

    path = Path(model)
    saved = [path] if path.suffix == ".keras" else sorted(path.glob("*.keras"))
    if not saved or any(path.glob("*.tflite")):
        return {str(file): file for file in benchmark.files_of(model)}
    load_tensorflow()
    from zoo import api

    found = {}
    for number, file in enumerate(saved):
        for artifact in api.export(file, scratch / str(number), refused={}, on_progress=on_progress):
            if artifact.file.suffix == ".tflite":
                found[f"{file} as {artifact.format}"] = artifact.file
    return found
