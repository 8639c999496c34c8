"""Devices: exporting models, running their files, and what they need."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge, Le

from zoo import catalog
from zoo.api import door
from zoo.errors import ArgumentError, ZooError, either, option, refuse
from zoo.files import require_empty, temporary_folder
from zoo.recipe import Columns
from zoo.report import markdown, results
from zoo.results import Artifact, Document, Records


@door.public
def export(
    model: door.Model,
    to: door.FilePath,
    formats: door.Names | None = None,
    *,
    data: door.Source | None = None,
    personalize: bool = False,
    prior: door.Shares | None = None,
    threshold: door.Share | None = None,
    refused: dict[str, ZooError] | None = None,
    on_progress: Callable[[str], None] | None = None,
) -> Sequence[Artifact]:
    """Exports a model as .keras, SavedModel, TFLite, ONNX or source code.

    Each file, or the .tflite file that comes with it, is run and compared with Keras before it is written. C code is
    not compared on a machine without a C compiler. ONNX needs `pip install 'pocket-zoo[onnx]'`.

    Args:
        model: A preset, a folder or a .keras file; in Python also a model.
        to: Folder for the files. Must be empty.
        formats: Formats, such as float32, int8, saved_model, onnx or c99. By default all of the family but ONNX and
            source code; one that differs too much from Keras, or that TFLite has no operations for, is then left out,
            with a warning.
        data: Data to compare artifacts on (its test split) and to calibrate integers on (its training split): a file,
            `tfds:NAME`, or what `load_data` returned. Simulated by default.
        personalize: Whether to write a file that can be trained on the device as well.
        prior: Class frequencies that the probabilities of the files assume, such as walking=0.6,sitting=0.3, in Python
            `{"walking": 0.6}`; other classes share the rest. Recognizers only.
        threshold: Probability below which the answer is "not sure"; 0 to always answer. That of the model by default.
            Recognizers only.
        refused: Dictionary that receives each format that differs too much from Keras, with the error. Without it, the
            error of a format that was asked for is raised when all others are written.
        on_progress: Function that is called with each step, such as a conversion, as it begins.

    Returns:
        An `Artifact` per file, with its `file`, `format`, `bytes` and `largest_error`.

    Raises:
        ZooError: If the model, a format, the data or the folder is invalid.
        ParityError: If a format differs too much from Keras; all others are written.

    Example:
        >>> artifacts = export("trigram_lm_course", Path(getfixture("tmp_path")) / "exported", "keras")
        >>> artifacts[0].format, artifacts[0].largest_error
        ('keras', 0.0)
    """
    door.require_model(model)
    door.require_file(data)
    require_empty(Path(to))
    from zoo.exporting.formats import EXTRAS, FORMATS, Converter

    names = door.names_of(formats) or ["default"]
    for name in EXTRAS.keys() & names:
        if lacking := [package for package in EXTRAS[name] if find_spec(package) is None]:
            raise ZooError(f"the format {name} needs {', '.join(lacking)}: pip install 'pocket-zoo[{name}]'")
    with Converter() as converter:
        # It imports TensorFlow while this process does.
        if {"default", *FORMATS}.intersection(names):
            converter.start()
        loaded = door.load(model)
        from zoo.exporting import artifacts

        changes = door.for_recognizers(loaded, prior=prior, threshold=threshold)
        loaded = replace(loaded, model=artifacts.as_in_files(loaded.keras_model, **changes))
        task = loaded.task
        checked_data = door.read(task, data, default=False)
        left_out: Any = {} if refused is None and not formats else refused
        records = artifacts.export(
            loaded, task.exportable(loaded, checked_data), Path(to), [*names, *(["personal"] if personalize else [])],
            left_out, on_progress or door.silent, converter,
        )  # fmt: skip
    compared_on = str(data) if data is not None else "simulated data"
    document = {"compared_on": compared_on, "folder": str(to), "artifacts": records}
    made = [Artifact(Path(to) / row["file"], row["format"], row["bytes"], row["largest_error"], row) for row in records]
    warnings = [f"left out: {why}" for why in (left_out or {}).values()]
    render = partial(results.exported, scores=task.report.FILE_SCORES)
    used = "serve" if task.name == "activity" else "bench"
    return Records(
        made, render, document, warnings=warnings, written=f"{markdown.count(len(made), 'artifact')} in {to}",
        next=f"zoo {used} {door.quoted(to)}" if any(Path(to).glob("*.tflite")) else "",
    )  # fmt: skip


@door.public
def stream(
    model: door.FilePath,
    csv: door.Table | door.FilePath | None = None,
    *,
    simulate: door.Names | None = None,
    rate: door.Rate | None = None,
    columns: Columns | Mapping[str, Any] | None = None,
    every: bool = False,
    seconds: door.Seconds | None = None,
    speed: door.Amount | None = None,
    seed: door.Seed | None = None,
    threshold: door.Share | None = None,
) -> Iterable[dict[str, Any]]:
    """Recognizes activities in a continuous signal, sample by sample.

    Args:
        model: A .tflite file, or a preset or folder with one.
        csv: CSV file with columns x, y, z and time, or - for standard input; in Python also a DataFrame.
        simulate: Activities of a simulated person, instead of a CSV file.
        rate: Sampling rate in Hz, instead of time stamps.
        columns: How the CSV file is read.
        every: Whether to print every prediction of a CSV file, not only changes. In Python and with `--json`, all are
            given.
        seconds: Duration of each simulated activity in seconds, 10 by default.
        speed: Speed of the simulation relative to real time, 1 by default. 0 for as fast as possible.
        seed: Seed of the simulated person, 1 by default.
        threshold: Probability below which the answer is "not sure"; 0 to always answer.

    Returns:
        An iterable of predictions, as they are made: `time`, `label`, `probability`, `probabilities`; of a simulated
        person also `truth` and `milliseconds`.

    Raises:
        ZooError: If the file cannot be read, or an activity is unknown.

    Example:
        >>> moments = stream("activity_gru_pocket", simulate="walking", seconds=4, speed=0)
        >>> {moment["truth"] for moment in moments}
        {'walking'}
    """
    if (csv is None) == (not simulate):
        ways = option("csv", "FILE"), f"{option('csv', '-')} for standard input", option("simulate", "ACTIVITIES")
        raise ZooError(f"pass one of {either(ways)}")
    person = door.given(seconds=seconds, speed=speed, seed=seed)
    if csv is None:
        refuse(f"applies with {option('csv', 'FILE')} alone", rate=rate, columns=columns, every=every or None)
    else:
        refuse(f"applies with {option('simulate', 'ACTIVITIES')} alone", **person)
    file = catalog.exported_file(model)
    from zoo.activity import following
    from zoo.activity.columns import columns_of

    with door.quiet():
        if csv is None:
            return following.Simulated(file, str(model), door.names_of(simulate), threshold=threshold, **person)
        rows: Any = csv if isinstance(csv, door.Table) else str(csv)
        return following.Followed(file, rows, columns_of(columns, rate), every, threshold)


@door.public
def serve(
    models: door.Paths = (),
    *,
    host: str = "0.0.0.0",
    port: Annotated[int, Ge(1), Le(65535)] = 8443,
    collect: door.FilePath | None = None,
    labels: door.Names | None = None,
    cert: door.FilePath | None = None,
    on_event: Callable[[dict[str, Any]], None] | None = None,
) -> None:
    """Serves the phone page with one or more models to phones on the same network, until Ctrl-C.

    Args:
        models: .tflite files, or presets or folders with one, to choose from on the page. It starts with the first. By
            default all recognizers of the zoo.
        host: Address to listen on. By default all addresses, so that phones can reach it.
        port: Port to listen on. If it is in use, the next free one.
        collect: Folder for the recordings that phones send, one CSV file each.
        labels: With `collect`: activities to choose from. Any by default.
        cert: PEM file of a private key and its certificate, for a name by which phones reach this machine. Where they
            trust it, the browser shows no warning. By default a certificate is made, which no phone knows.
        on_event: Function that is called with the address, and with each recording of `collect`, in place of what is
            printed.

    Raises:
        ZooError: If a model is not one that the page can run, or the address or the certificate cannot be used.

    Example:
        >>> serve("activity_gru_phone", host="no such address")
        Traceback (most recent call last):
        ...
        zoo.errors.ZooError: ...
    """
    if labels and collect is None:
        raise ArgumentError("labels", f": requires {option('collect', 'DIR')}")
    from zoo.serving import session

    with door.quiet():
        recognizers = session.recognizers(door.several(models))
    folder, key = (None if path is None else Path(path) for path in (collect, cert))
    session.serve(recognizers, host, port, folder, door.names_of(labels), key, on_event)


@door.public
def bench(models: door.Paths, *, on_progress: Callable[[str], None] | None = None) -> Records:
    """Measures size, latency and memory of exported files on this machine.

    A model that has not been exported is exported to a temporary folder first.

    Args:
        models: Presets, .tflite or .keras files, or folders that contain such files.
        on_progress: Function that is called with the name of each file.

    Returns:
        A record per file.

    Raises:
        ZooError: If there is no such model.

    Example:
        >>> [Path(row["file"]).name for row in bench("activity_gru_tiny")][:1]
        ['model.dynamic.tflite']
    """
    from zoo import benchmarking

    rows = []
    for model in door.several(models):
        catalog.refuse_ambiguous(model)
        path = Path(model)
        saved = [path] if path.suffix == ".keras" else sorted(path.glob("*.keras"))
        with temporary_folder() as scratch:
            if not saved or any(path.glob("*.tflite")):
                files = {str(file): file for file in benchmarking.files_of(model)}
            else:
                files = {
                    f"{file} as {artifact.format}": artifact.file
                    for number, file in enumerate(saved)
                    for artifact in export(file, scratch / str(number), on_progress=on_progress)
                    if artifact.file.suffix == ".tflite"
                }
            for name, file in files.items():
                (on_progress or door.silent)(name)
                rows.append(benchmarking.bench(file) | {"file": name})
    return Records(rows, results.costs)


@door.public
def doctor(*, self_test: bool = True, on_progress: Callable[[str], None] | None = None) -> Document:
    """Checks the installation.

    Shows versions and what each command lacks; loads TensorFlow, converts a tiny model and compares it with Keras, in
    some six seconds. Exits with status 1 if something essential is broken. Include the output in bug reports.

    Args:
        self_test: Whether to load TensorFlow, and to convert and run a tiny model.
        on_progress: Function that is called with the steps of the self-test as it begins.

    Returns:
        Versions and problems; `sound` is whether everything essential works.

    Example:
        >>> "sound" in doctor(self_test=False)
        True
    """
    from zoo.installation import examine

    state = examine((on_progress or door.silent) if self_test else None)
    return Document(state, results.doctor, failure="" if state["sound"] else "something essential is broken, see above")
