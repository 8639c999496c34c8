"""The command line: parse, call, print. Each command's work is a function of the layer below."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from zoo.errors import ZooError

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown",
    help="Small recurrent, autoencoding and language models, from an HDF5 file to a phone.",
)  # fmt: skip
data_app = typer.Typer(no_args_is_help=True, help="Make, convert and describe data files.")
import_app = typer.Typer(no_args_is_help=True, help="Turn what people have into recordings.")
simulate_app = typer.Typer(no_args_is_help=True, help="Make simulated stand-ins, labelled as such.")
app.add_typer(data_app, name="data")
data_app.add_typer(import_app, name="import")
data_app.add_typer(simulate_app, name="simulate")

err = Console(stderr=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
DataFile = Annotated[Path, typer.Option("--data", help="A file in the layout of data3.h5.")]
ModelName = Annotated[str, typer.Argument(metavar="MODEL", help="A preset, a folder, a .keras or a .tflite file.")]
PlanName = Annotated[str | None, typer.Argument(metavar="[PRESET]", help="A preset; see `zoo list`.")]


class Family(StrEnum):
    """Families on the command line."""

    activity_rnn = "activity_rnn"
    activity_lstm = "activity_lstm"
    activity_gru = "activity_gru"


def main() -> None:
    """Runs the command line: errors are one line and status 1, Ctrl-C is status 130."""
    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    try:
        status = app(standalone_mode=False)
    except ZooError as error:
        if debug:
            raise
        _fail(str(error), 1)
    except (KeyboardInterrupt, typer.Abort):
        _fail("interrupted", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except typer.Exit as end:
        sys.exit(end.exit_code)
    except Exception as error:
        # Typer's own usage errors know how to show themselves; anything else is a defect.
        if hasattr(error, "show"):
            error.show()
            sys.exit(2)
        if debug:
            raise
        _fail(f"unexpected {type(error).__name__}: {error} (add --debug for the traceback)", 70)
    sys.exit(status or 0)


def _fail(message: str, status: int) -> None:
    err.print(f"zoo: {' '.join(message.split())}", style="red", markup=False, highlight=False, soft_wrap=True)
    sys.exit(status)


@contextmanager
def _quiet() -> Iterator[None]:
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


def _load_tensorflow() -> None:
    with _quiet():
        import_module("tensorflow")


def _print(document: Any, as_json: bool, show: Any) -> None:
    """Prints a result: as JSON, or as `show` shows it on a console."""
    if as_json:
        print(json.dumps(document, ensure_ascii=False, allow_nan=False))
    else:
        show(Console(soft_wrap=not sys.stdout.isatty()), document)


# Presets ---------------------------------------------------------------------------------------------------------


@app.command("list")
def list_presets(as_json: Json = False) -> None:
    """List the presets with their size and measured score."""
    _load_tensorflow()
    from zoo.models.saving import preset_names
    from zoo.presets import PRESETS
    from zoo.report import tables
    from zoo.tasks import loading

    rows = []
    for name, preset in PRESETS.items():
        metrics = loading.preset_metrics(name) if name in preset_names() else {}
        rows.append({
            "preset": name, "family": preset.family, "description": preset.description,
            "parameters": metrics.get("training", {}).get("parameters"),
            "macro_f1": metrics.get("test", {}).get("macro_f1"),
        })  # fmt: skip
    _print(rows, as_json, tables.presets)


@app.command()
def info(model: ModelName, as_json: Json = False) -> None:
    """Show what a preset, a folder or a file says of itself."""
    from zoo.report import tables
    from zoo.runtime import Interpreter

    if model.endswith(".tflite"):
        with _quiet():
            document = Interpreter(model).metadata.to_json()
    else:
        _load_tensorflow()
        from zoo.tasks import loading

        document = loading.load(model).config
    _print(document, as_json, tables.document)


# Training --------------------------------------------------------------------------------------------------------


@app.command()
def train(
    preset: PlanName = None,
    data: DataFile = Path("data3.h5"),
    out: Annotated[Path, typer.Option(help="Folder for the trained model; must be empty.")] = Path("model"),
    model: Annotated[Family | None, typer.Option(help="A family, in place of a preset.")] = None,
    units: Annotated[int | None, typer.Option(help="Numbers in the state of each layer.")] = None,
    layers: Annotated[int | None, typer.Option(help="Recurrent layers.")] = None,
    frame: Annotated[int | None, typer.Option(help="Rows read in one step.")] = None,
    dropout: Annotated[float | None, typer.Option(help="Share dropped after each layer.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the data, at most.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Windows a step.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Of the optimizer.")] = None,
    optimizer: Annotated[str | None, typer.Option(help="sgd, adam or adamw.")] = None,
    patience: Annotated[int | None, typer.Option(help="Epochs without improvement before stopping.")] = None,
    validation: Annotated[float | None, typer.Option(help="Share of people set aside; 0 for none.")] = None,
    seed: Annotated[int | None, typer.Option(help="Decides weights, split, order and augmentation.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on after a kill, to the same result.")] = False,
    deterministic: Annotated[bool, typer.Option("--deterministic", help="Repeat bit by bit.")] = False,
    tensorboard: Annotated[Path | None, typer.Option(help="Folder for TensorBoard's logs.")] = None,
    as_json: Json = False,
) -> None:
    """Train a recognizer on windows of activities.

    With a preset, its recipe; with `--model`, one's own arguments. Options change either.
    """
    _load_tensorflow()
    from zoo.report import tables
    from zoo.tasks import activity, planning
    from zoo.training import set_deterministic

    arguments = {"units": units, "layers": layers, "frame": frame, "dropout": dropout}
    recipe = {
        "epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate, "optimizer": optimizer,
        "patience": patience, "validation": validation, "seed": seed,
    }  # fmt: skip
    plan = planning.plan(preset, model, _given(arguments), _given(recipe))
    if deterministic:
        set_deterministic(plan.recipe.seed)
    try:
        summary = activity.train(plan, data, out, resume=resume, tensorboard=tensorboard, console=err)
    except KeyboardInterrupt:
        raise ZooError(f"interrupted; go on with the same command and --resume (checkpoint in {out})") from None
    _print(summary, as_json, tables.training)
    err.print(f"model in {out}; next: zoo evaluate {out} --data {data}", highlight=False, markup=False)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


@app.command()
def crossval(
    preset: PlanName = None,
    data: DataFile = Path("data3.h5"),
    model: Annotated[Family | None, typer.Option(help="A family, in place of a preset.")] = None,
    groups: Annotated[int, typer.Option(help="Groups that the people are divided into.")] = 5,
    seeds: Annotated[int, typer.Option(help="Repetitions with other seeds.")] = 1,
    epochs: Annotated[int | None, typer.Option(help="Passes over the data.")] = None,
    out: Annotated[Path | None, typer.Option(help="File for the result, as JSON.")] = None,
    as_json: Json = False,
) -> None:
    """Cross-validate over groups of people; the test part is not touched."""
    from zoo.files import write_json

    _load_tensorflow()
    from zoo.report import tables
    from zoo.tasks import activity, planning

    plan = planning.plan(preset, model, {}, _given({"epochs": epochs}))
    result = activity.crossval(plan, data, groups=groups, seeds=seeds, console=err)
    if out is not None:
        write_json(out, result)
    _print(result, as_json, tables.crossval)


# Evaluation ------------------------------------------------------------------------------------------------------


@app.command()
def evaluate(
    model: ModelName,
    data: DataFile = Path("data3.h5"),
    split: Annotated[str, typer.Option(help="test, train or validation.")] = "test",
    baselines: Annotated[bool, typer.Option(help="Fit and measure baselines beside it.")] = True,
    robustness: Annotated[bool, typer.Option("--robustness", help="Disturb the windows as well.")] = False,
    figures: Annotated[Path | None, typer.Option(help="Folder for figures.")] = None,
    as_json: Json = False,
) -> None:
    """Measure a model on people it never saw, beside baselines."""
    _load_tensorflow()
    from zoo.report import tables
    from zoo.tasks import activity, loading

    with _quiet():
        loaded = loading.load(model)
    report = activity.evaluate(loaded, data, split=split, baselines=baselines, robustness=robustness)
    if figures is not None:
        from zoo.report import figures as drawing

        drawing.evaluation(report, loading.history(loaded), figures)
    _print(report, as_json, tables.evaluation)


@app.command()
def predict(
    model: ModelName,
    data: Annotated[Path | None, typer.Option(help="A file in the layout of data3.h5: its test windows.")] = None,
    csv: Annotated[Path | None, typer.Option(help="A CSV file with columns x, y, z and time.")] = None,
    rate: Annotated[float | None, typer.Option(help="Hz of the CSV file, where it has no times.")] = None,
    unit: Annotated[str, typer.Option(help="m/s^2 or g.")] = "m/s^2",
    convention: Annotated[str, typer.Option(help="android or ios: the sign of the axes.")] = "android",
    hop: Annotated[int | None, typer.Option(help="Rows between windows; half a window by default.")] = None,
    as_json: Json = False,
) -> None:
    """Label, probability and time of each window."""
    _load_tensorflow()
    from zoo.report import tables
    from zoo.tasks import activity, loading

    if (data is None) == (csv is None):
        raise ZooError("name one of --data FILE and --csv FILE")
    with _quiet():
        loaded = loading.load(model)
    if csv is not None:
        from zoo.data.recordings import CsvColumns

        columns = CsvColumns(
            time=None if rate else "time",
            rate=rate,
            subject="=me",
            activity="=?",
            unit=unit,
            convention=convention,
        )
        rows = activity.predict_csv(loaded, csv, columns, hop)
    else:
        assert data is not None
        rows = activity.predict_file(loaded, data)
    _print(rows, as_json, tables.predictions)


@app.command()
def export(
    model: ModelName,
    to: Annotated[Path, typer.Option(help="Folder for the files; must be empty.")] = Path("exported"),
    formats: Annotated[str, typer.Option(help="Comma-separated.")] = "keras,saved_model,float32,dynamic",
    data: Annotated[Path | None, typer.Option(help="Real windows to compare on; simulated ones without.")] = None,
    as_json: Json = False,
) -> None:
    """Write a model as .keras, SavedModel and TFLite; each is run and compared before it gets its name."""
    _load_tensorflow()
    from zoo.report import tables
    from zoo.tasks import activity, exporting, loading

    with _quiet():
        loaded = loading.load(model)
    windows = activity.golden_windows(loaded, data)
    with _quiet():
        records = exporting.export(loaded, to, windows, [name.strip() for name in formats.split(",")])
    compared = {"windows": str(data) if data else "simulated", "folder": str(to), "artefacts": records}
    _print(compared, as_json, tables.artefacts)


@app.command()
def stream(
    model: Annotated[Path, typer.Argument(help="A .tflite file.")],
    simulate: Annotated[str, typer.Option(help="Activities of a simulated person, comma-separated.")] = "walking",
    seconds: Annotated[float, typer.Option(help="Of each activity.")] = 10.0,
    speed: Annotated[float, typer.Option(help="Times real time; 0 for no waiting.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Of the simulated person.")] = 1,
) -> None:
    """Show an exported file recognizing a simulated person, live."""
    from zoo.data.activity import CLASSES
    from zoo.data.gait import walk_through
    from zoo.report.live import show

    activities = [name.strip() for name in simulate.split(",")]
    strangers = [name for name in activities if name not in CLASSES]
    if strangers:
        raise ZooError(f"activity {strangers[0]!r}: expected {', '.join(CLASSES)}")
    from zoo.runtime import Interpreter

    with _quiet():
        interpreter = Interpreter(model)
    rows, truth = walk_through(activities, seconds, interpreter.metadata.rate, seed)
    show(interpreter, rows, truth, speed, Console())


# Data ------------------------------------------------------------------------------------------------------------

Out = Annotated[Path, typer.Option("--out", "-o", help="The file to write.")]


@import_app.command("motionsense")
def import_motionsense(
    source: Annotated[Path, typer.Argument(help="A_DeviceMotion_data.zip, or its folder.")],
    out: Out = Path("recordings.h5"),
    as_json: Json = False,
) -> None:
    """Import MotionSense in its official layout."""
    from zoo.data import recordings

    dropped = recordings.Dropped()
    count = recordings.write(
        out, recordings.read_motionsense(source, dropped), source="MotionSense (Malekzadeh et al., 2019)"
    )
    _imported(out, count, dropped.reasons, as_json)


@import_app.command("csv")
def import_csv(
    files: Annotated[list[Path], typer.Argument(help="CSV files with a line of column names.")],
    out: Out = Path("recordings.h5"),
    x: Annotated[str, typer.Option(help="Column of the x axis.")] = "x",
    y: Annotated[str, typer.Option(help="Column of the y axis.")] = "y",
    z: Annotated[str, typer.Option(help="Column of the z axis.")] = "z",
    time: Annotated[str, typer.Option(help="Column of time stamps.")] = "time",
    rate: Annotated[float | None, typer.Option(help="Hz, where there are no time stamps.")] = None,
    subject: Annotated[str, typer.Option(help="Column of the person, or =NAME for one person.")] = "subject",
    activity: Annotated[str, typer.Option(help="Column of the activity, or =LABEL for one.")] = "activity",
    unit: Annotated[str, typer.Option(help="m/s^2 or g.")] = "m/s^2",
    convention: Annotated[str, typer.Option(help="android or ios: the sign of the axes.")] = "android",
    time_unit: Annotated[str, typer.Option(help="auto, s, ms, us or ns.")] = "auto",
    as_json: Json = False,
) -> None:
    """Import anyone's CSV files."""
    from zoo.data import recordings

    columns = recordings.CsvColumns(
        x, y, z, None if rate else time, rate, subject, activity, unit, convention, time_unit
    )
    dropped = recordings.Dropped()
    names = ", ".join(file.name for file in files)
    count = recordings.write(out, recordings.read_csv(files, columns, dropped), source=f"CSV: {names}")
    _imported(out, count, dropped.reasons, as_json)


def _imported(out: Path, count: int, dropped: dict[str, int], as_json: bool) -> None:
    from zoo.data.describe import describe
    from zoo.report import tables

    _print(describe(out) | {"written": count, "dropped": dict(dropped)}, as_json, tables.document)


@data_app.command()
def windows(
    recordings_file: Annotated[Path, typer.Argument(metavar="RECORDINGS", help="What `zoo data import` wrote.")],
    out: Out = Path("data3.h5"),
    window: Annotated[int, typer.Option(help="Rows a window.")] = 150,
    hop: Annotated[int, typer.Option(help="Rows between the starts of windows.")] = 75,
    rate: Annotated[float, typer.Option(help="Hz that all recordings are resampled to.")] = 50.0,
    trim: Annotated[float, typer.Option(help="Seconds left out at both ends of a recording.")] = 1.0,
    test_subjects: Annotated[str | None, typer.Option(help="Comma-separated people for the test part.")] = None,
    test_fraction: Annotated[float, typer.Option(help="Share of the people, where none are named.")] = 0.2,
    seed: Annotated[int, typer.Option(help="Decides who, where none are named.")] = 0,
    classes: Annotated[str | None, typer.Option(help="Comma-separated labels; the six by default.")] = None,
    as_json: Json = False,
) -> None:
    """Cut recordings into windows, split by person."""
    from zoo.data import activity, recordings
    from zoo.report import tables

    index = recordings.read(recordings_file)
    chosen = (
        [name.strip() for name in test_subjects.split(",")]
        if test_subjects
        else activity.choose_test_subjects(index.subjects, test_fraction, seed)
    )
    labels = tuple(classes.split(",")) if classes else activity.CLASSES
    dropped = activity.write_windows(index, out, activity.Cut(window, hop, rate, trim), chosen, labels)
    from zoo.data.describe import describe

    _print(describe(out) | {"dropped": dict(dropped.reasons)}, as_json, tables.document)


@data_app.command("describe")
def describe_file(
    file: Annotated[Path, typer.Argument(help="Any data file of the zoo.")], as_json: Json = False
) -> None:
    """Show what is inside a data file, its balance, its problems and its leaks."""
    from zoo.data.describe import describe
    from zoo.report import tables

    _print(describe(file), as_json, tables.document)


@simulate_app.command("activity")
def simulate_activity(
    out: Out = Path("data3.h5"),
    subjects: Annotated[int, typer.Option(help="People to make up, 2 or more.")] = 12,
    seed: Annotated[int, typer.Option(help="Decides everything.")] = 0,
    seconds: Annotated[float, typer.Option(help="Of each recording.")] = 60.0,
    as_json: Json = False,
) -> None:
    """Simulate people with a phone in the pocket. Nobody made these windows."""
    from zoo.data import gait
    from zoo.data.describe import describe
    from zoo.report import tables

    gait.write_simulated(out, subjects, seed, seconds)
    _print(describe(out), as_json, tables.document)


if __name__ == "__main__":
    main()
