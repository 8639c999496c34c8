"""The public functions: everything that a user can do, from Python or from the command line.

Names, files and settings are checked first, then the function imports what it needs: importing this module imports
neither NumPy nor Keras. The command line is made of these functions, see `zoo.cli`: their signatures are the only place
where an option is declared, and their docstrings are its help.
"""

import inspect
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from zoo import catalog, presets
from zoo.arguments import (
    TERMINAL,
    Bounds,
    Callbacks,
    Changes,
    Count,
    Files,
    Inputs,
    Labels,
    Levels,
    Named,
    Names,
    Rate,
    Reading,
    Refused,
    Rows,
    Seconds,
    Seed,
    Settings,
    Share,
    Shares,
    Size,
    Source,
    Tables,
    Workers,
    in_python,
    public,
)  # fmt: skip
from zoo.errors import COMMAND, ArgumentError, ZooError, refuse, unknown_name
from zoo.families import FAMILIES, TASKS, task_named, unknown_family
from zoo.files import CHECKPOINT, exclusive_folder, new_file, require_empty, temporary_folder
from zoo.recipe import Columns, Limits, Recipe
from zoo.report.document import Document, Records, Result, say, warn
from zoo.startup import import_keras

if TYPE_CHECKING:
    import pandas as pd

    from zoo.data.dataset import Data
    from zoo.exporting.artifacts import Artifact
    from zoo.exporting.parity import ParityError
    from zoo.task import Predictions, Task
    from zoo.training import TrainResult
else:
    # The command line reads annotations, of which these would import Keras.
    Data = Artifact = TrainResult = Predictions = Any


def _quietly(doing: str = "") -> AbstractContextManager[Any]:
    quiet: AbstractContextManager[Any] = TERMINAL.get("quiet", nullcontext)(doing)
    return quiet


def _load() -> None:
    """Imports TensorFlow and Keras, which takes seconds."""
    if "keras" not in sys.modules:
        with _quietly("loading TensorFlow"):
            try:
                # Who programs in Python may want what Keras has for pandas and scikit-learn.
                import_keras() if COMMAND in os.environ else import_module("keras")
            except (ImportError, ValueError) as error:
                backend = os.environ.get("KERAS_BACKEND")
                if backend in (None, "tensorflow"):
                    raise
                raise ZooError(f"KERAS_BACKEND is {backend}, which does not load ({error}): unset it") from error


def _require_default(file: str) -> None:
    if not _exists(file):
        raise ZooError(f"no data was given, and there is no {file}, the default, in {Path.cwd()}: pass --data FILE")


def _require_file(data: Any, model: Any = None) -> None:
    """Checks that a data file is there, or the one that a model reads by default."""
    if data is None and isinstance(model, str):
        family = presets.PRESETS[model].family if model in presets.PRESETS else model
        if family in FAMILIES:
            _require_default(TASKS[FAMILIES[family].task].file)
    if isinstance(data, str | os.PathLike) and not str(data).startswith("tfds:") and not _exists(data):
        raise ZooError(f"{data}: no such file")


def _read(task: "Task", data: Any, data_dir: Any, levels: float | None, default: bool = True) -> Any:
    """The data of a task; where none is named, the file that bears its usual name, or None."""
    if data is None and not default:
        refuse("applies with --data FILE alone", data_dir=data_dir, levels=levels)
        return None
    if task.name != "patches":
        refuse(f"does not apply to {task.name} models", levels=levels)
    if data is None:
        _require_default(task.data_file)
    return task.load_data(load_data(task.data_file if data is None else data, data_dir=data_dir, levels=levels or 1.0))


def _exists(path: Any) -> bool:
    try:
        return Path(path).exists()
    except OSError:
        # Such as a name that is too long.
        return False


def _require_model(model: Any) -> None:
    """Checks that a name is that of a model, without loading it."""
    if isinstance(model, str | Path):
        path = Path(model)
        if path.suffix not in (".keras", ".tflite"):
            catalog.find_folder(model)
        elif not path.exists():
            raise ZooError(f"{path}: no such file")


def _require_plan(model: Any, recipe: Any, settings: Mapping[str, Any]) -> None:
    """Checks that a name is that of a family or a preset, and the values of its recipe."""
    if isinstance(model, str | os.PathLike) and str(model) not in FAMILIES:
        if str(model) not in presets.PRESETS and _exists(model):
            raise ZooError(
                f"{model}: is a file or folder; expected a preset (see `zoo list`) or a family; to start from the "
                f"weights of a model, use `zoo finetune {model}`"
            )
        if str(model) not in presets.PRESETS and "_" not in str(model):
            raise unknown_family(str(model))
        presets.find(str(model))
    base, fields = (recipe, {}) if isinstance(recipe, Recipe) else (Recipe(), recipe or {})
    known = {name: each for name, each in {**fields, **settings}.items() if name in Recipe.model_fields}
    base.replace(**known).require_epochs()


def _names(names: Any) -> list[str]:
    """Names of a list, or of a text with commas."""
    if names is None:
        return []
    return [str(each).strip() for each in names] if isinstance(names, list | tuple) else catalog.split_names(str(names))


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


class Written(Result):
    """A data file that was written. Prints as its description, which is made where it is shown.

    Args:
        path: The file.
        extra: Entries of its description that only the function that wrote it knows.
        details: Attributes: what else is known of it.
    """

    def __init__(self, path: str | Path, extra: Mapping[str, Any] | None = None, **details: Any) -> None:
        self.path, self._extra = Path(path), dict(extra or {})
        vars(self).update(details)

    def __getattr__(self, name: str) -> Any:
        # A copy is asked before it has a path.
        raise AttributeError(f"{vars(self).get('path')}: nothing is known of {name}")

    @property
    def data(self) -> "Data":
        """The file, as `load_data` opens it."""
        return load_data(self.path)

    def to_json(self) -> dict[str, Any]:
        """Returns the description of the file."""
        return describe(self.path).to_json() | self._extra

    def _repr_markdown_(self) -> str:
        from zoo.report.results import description

        return description(self.to_json())


class Evaluation(Document):
    """Result of an evaluation or a cross-validation: a `dict` of JSON types that prints as tables.

    Args:
        content: Metrics by name.
        render: Function that renders them.
        draw: Function that draws figures of an evaluation into a folder.

    Example:
        >>> found = Evaluation({"macro_f1": 0.9}, str)
        >>> found["macro_f1"]
        0.9
    """

    def __init__(
        self, content: dict[str, Any], render: Callable[[Any], str],
        draw: "Callable[[Evaluation, Path], list[Path]] | None" = None, **details: Any,
    ) -> None:  # fmt: skip
        super().__init__(content, render, **details)
        self._draw = draw

    def to_frame(self) -> "pd.DataFrame":
        """Returns the scores as a DataFrame: a row for the model and for each baseline, a column per metric."""
        import pandas as pd

        rows = {"model": self, **self.get("baselines", {})}
        return pd.DataFrame.from_dict(
            {
                name: {key: value for key, value in row.items() if isinstance(value, float)}
                for name, row in rows.items()
            },
            orient="index",
        )

    def figures(self, folder: str | Path) -> list[Path]:
        """Draws the figures of an evaluation.

        Args:
            folder: Folder to write to. Created if missing.

        Returns:
            Paths of the figures.

        Raises:
            ZooError: If this is the result of a cross-validation, which draws its figures itself.
        """
        if self._draw is None:
            raise ZooError("figures: those of a cross-validation are in the folder that it was given as --out")
        Path(folder).mkdir(parents=True, exist_ok=True)
        return self._draw(self, Path(folder))


@public
def list_presets(family: Names | None = None) -> Records:
    """Lists the presets whose weights are installed, with their sizes and scores.

    Args:
        family: Name of a family, or a prefix such as `activity`, or several. All presets by default.

    Returns:
        Names of presets; prints as a table, and `to_json()` has a record for each.

    Raises:
        ZooError: If no family has that name or prefix.

    Example:
        >>> list_presets("activity_gru").to_json()[0]["license"]
        'MIT'
        >>> list(list_presets("sparse"))[:1]
        ['sparse_autoencoder_course']
    """
    from zoo.report import results

    rows, installed = results.presets(_names(family)), catalog.preset_names()
    return Records([row["preset"] for row in rows if row["preset"] in installed], results.preset_table, rows)


@public
def info(model: Named) -> Document:
    """Describes a preset, a folder or a file, with its scores.

    Args:
        model: A preset, a folder, or a .keras or .tflite file.

    Raises:
        ZooError: If there is no such model.

    Example:
        >>> info("activity_gru_course")["class"]
        'ActivityGRU'
    """
    from zoo.report import markdown, results

    name = str(model)
    if name.endswith(".tflite"):
        from zoo.runtime.metadata import extract

        return Document(extract(Path(name)).to_json(), markdown.document)
    if name.endswith(".keras"):
        _require_file(model)
        _load()
        from zoo.loading import load

        return Document(load(model).metadata.to_json(), markdown.document)
    folder = catalog.find_folder(name)
    document = catalog.read_config(folder)
    if name in presets.PRESETS and folder == catalog.PRESETS_FOLDER / name:
        if metrics := catalog.preset_metrics(name):
            return Document(document, partial(results.preset_overview, name, presets.PRESETS[name], metrics))
    elif {"metadata", "training", "data"} <= set(document):
        try:
            results.folder_overview(name, document)
        except Exception as error:
            # What a template makes of values of other kinds is anything from KeyError to jinja2.UndefinedError.
            where, why = folder / "config.json", f"{type(error).__name__}: {error}"
            raise ZooError(f"{where}: holds other values than `zoo train` writes ({why})") from error
        return Document(document, partial(results.folder_overview, name))
    return Document(document, markdown.document)


@public
def push(model: str | Path, address: str, *, private: bool = False) -> Document:
    """Publishes a model on a hub: its card, its files and the license. Needs `pip install 'pocket-zoo[hub]'`.

    Log in once with `hf auth login`. Afterward, the address works wherever the name of a preset does.

    Args:
        model: A preset, or a folder written by `zoo train`, `zoo finetune` or `Model.save_to_preset`.
        address: Where to publish it: `hf://owner/name`. The repository is created if there is none.
        private: Whether only its owner can see a repository that is created.

    Returns:
        `published`: the address with the commit.

    Raises:
        ZooError: If there is no such model, the package is missing, or the hub refuses.

    Example:
        >>> push("activity_gru_course", "hf://owner")
        Traceback (most recent call last):
        ...
        zoo.errors.ZooError: hf://owner: expected hf://owner/name, or hf://owner/name@revision
    """
    from zoo import hub
    from zoo.report import markdown

    return Document({"published": hub.push(catalog.find_folder(model), address, private=private)}, markdown.document)


@public
def load_data(
    source: Any,
    *,
    task: str | None = None,
    subjects: Any = None,
    classes: Any = None,
    rate: float | None = None,
    unit: str | None = None,
    words: Any = None,
    levels: Levels = 1.0,
    data_dir: str | Path | None = None,
) -> "Data":
    """Checks and opens data for any of the zoo's tasks; files larger than memory stay on the disk.

    Args:
        source: An HDF5 file in one of the three layouts, recognized by its keys; `tfds:NAME`, a build of TensorFlow
            Datasets, or its folder; arrays `(x, y)`, or `((x, y), (x, y))` for training and test; patches `x`; a
            DataFrame of a sensor's rows, with columns of time, acceleration, person and activity, which is cut into
            windows, or one that `to_frame` made; or data that is already loaded, which is returned as it is.
        task: `activity`, `patches` or `text`; what other tasks read is refused. By default, the shape decides.
        subjects: Of arrays, the person of each window, or the photograph of each patch; of a pair, a pair.
        classes: Of arrays of windows, the names of the labels in their order; by default those in `y`.
        rate: Of arrays of windows, their sampling rate in Hz.
        unit: Of arrays of windows, `m/s^2`, the default, or `g`, which is converted.
        words: Of arrays of text, the vocabulary in the order of the word numbers.
        levels: The value of white in patches: 1, or 255.
        data_dir: The folder of builds; TFDS_DATA_DIR or ~/tensorflow_datasets by default.

    Returns:
        `data.train`, `data.validation` and `data.test`, each with `arrays()`, `dataset(batch_size)` and `len()`; empty
        where the data has no such split. `data.task` is `activity`, `patches` or `text`.

    Raises:
        ZooError: If the data cannot be read or is not as it should be.

    Example:
        >>> path = Path(getfixture("tmp_path")) / "data2.h5"
        >>> data = simulate("text", path, sentences=200)
        >>> len(load_data(path).words)
        106
        >>> contexts, next_words = data.test.arrays()
        >>> contexts.shape[1:], contexts.dtype
        ((3,), dtype('int32'))
        >>> import numpy as np
        >>> x = np.random.default_rng(0).normal([0, 0, 9.8], 1, (4, 50, 3))
        >>> load_data((x, ["sit", "run", "run", "sit"]), rate=50, subjects=[1, 1, 2, 2])
        <activity data of arrays
          train: <4 rows of shape (50, 3), 2 people>>
    """
    from zoo.data import loading as files

    return files.load_data(
        source, task=task, subjects=subjects, classes=classes, rate=rate, unit=unit, words=words, levels=levels,
        data_dir=data_dir,
    )  # fmt: skip


@public
def simulate(
    task: str,
    path: str | Path,
    *,
    seed: Seed = 0,
    subjects: Annotated[int, Field(ge=2, le=100_000)] | None = None,
    seconds: Seconds | None = None,
    gyroscope: bool | None = None,
    count: Annotated[int, Field(ge=1, le=10_000_000)] | None = None,
    size: Annotated[int, Field(ge=1, le=1024)] | None = None,
    pictures: Annotated[int, Field(ge=1, le=10_000)] | None = None,
    sentences: Annotated[int, Field(ge=1, le=10_000_000)] | None = None,
    force: bool = False,
) -> "Data":
    """Simulates data, writes it to a file in the layout of its task, and opens it. The data is marked as simulated.

    Args:
        task: `activity`: windows of people with a phone in the pocket; `patches`: patches of pictures of overlapping
            disks ("dead leaves"); `text`: rows of four words from sentences of a small grammar.
        path: File to write.
        seed: Seed of the simulation.
        subjects: Activity: number of people, 12 by default.
        seconds: Activity: duration of each recording in seconds, 60 by default.
        gyroscope: Activity: whether to simulate a gyroscope as well.
        count: Patches: number of patches, 10240 by default.
        size: Patches: side of a patch in pixels, 16 by default.
        pictures: Patches: number of pictures, 12 by default.
        sentences: Text: number of sentences, 20000 by default.
        force: Whether to replace the file if it exists.

    Returns:
        The data, as `load_data` opens it.

    Raises:
        ZooError: If the task or a size is unknown or out of range, or the file exists.

    Example:
        >>> path = Path(getfixture("tmp_path")) / "data3.h5"
        >>> data = simulate("activity", path, subjects=3, seconds=10)
        >>> data.simulated, data.train.people(), data.test.people()
        (True, ['1', '2'], ['3'])
    """
    if task not in TASKS:
        if (known := task_named(task)) in TASKS:
            raise ZooError(f"task {task!r}: it is called {known!r} since version 0.3.0")
        *others, last = TASKS
        raise ZooError(f"task {task!r}: expected {', '.join(others)} or {last}")
    sizes = _given(
        subjects=subjects, seconds=seconds, gyroscope=gyroscope, count=count, size=size, pictures=pictures,
        sentences=sentences,
    )  # fmt: skip
    write = import_module(f"zoo.{task}.simulate").write_simulated
    own = inspect.signature(write).parameters
    refuse(f"does not apply to {task}", **{name: value for name, value in sizes.items() if name not in own})
    with new_file(Path(path), force):
        write(Path(path), seed=seed, **sizes)
    return load_data(path)


@public
def make_patches(
    photographs: Files | None = None,
    out: str | Path = "data1.h5",
    *,
    count: Annotated[int, Field(ge=1, le=10_000_000)] = 10240,
    size: Annotated[int, Field(ge=1, le=1024)] = 16,
    seed: Seed = 443,
    force: bool = False,
) -> Written:
    """Cuts patches from photographs, the same number from each. Flat patches are left out.

    Args:
        photographs: Pictures, or folders of pictures, whose other files are left out and listed. Those of scikit-learn
            and scikit-image by default.
        out: File to write.
        count: Number of patches.
        size: Side of a patch in pixels.
        seed: Seed of the positions of the patches.
        force: Whether to replace the file if it exists.

    Returns:
        `path`, and `data`, which opens the file as `load_data` does.

    Raises:
        ZooError: If a photograph cannot be read or is too small, or `out` exists.

    Example:
        >>> made = make_patches(out=Path(getfixture("tmp_path")) / "data1.h5", count=100, size=8)
        >>> made.data.train.inputs.shape
        (100, 3, 8, 8)
    """
    from zoo.patches.data import Photographs, shipped_photographs, write_patches

    with new_file(Path(out), force):
        chosen = Photographs(_paths(photographs), size) if photographs else shipped_photographs()
        flat = write_patches(Path(out), chosen, count, size, seed)
    found: dict[str, Any] = {"flat_patches_refused": flat}
    then = f"zoo train --model sparse_autoencoder --data {_quoted(out)}"
    if not (isinstance(chosen, Photographs) and chosen.skipped):
        return Written(out, found, next=then)
    left = f"files that were left out, {len(chosen.skipped)}: {chosen.listing()}"
    return Written(out, found | {"skipped": dict(chosen.skipped)}, warnings=[left], next=then)


def _quoted(path: str | Path) -> str:
    """A path as a word of a command."""
    return shlex.quote(str(path))


def _paths(files: Files) -> list[Path]:
    return [Path(files)] if isinstance(files, str | Path) else [Path(file) for file in files]


@public
def make_text(
    text: Files,
    out: str | Path = "data2.h5",
    *,
    vocabulary: str | int | Path = 250,
    validation_rows: Rows | None = None,
    test_rows: Rows | None = None,
    force: bool = False,
) -> Written:
    r"""Makes rows of four words from any text, split by their position in it.

    Args:
        text: Files of UTF-8 text with a sentence per line. The lines of a page, and paragraphs, become sentences.
        out: File to write.
        vocabulary: Number of words, or a file with the words.
        validation_rows: Rows of the text for validation, START:STOP. By default the tenth before the test rows.
        test_rows: Rows of the text for the test, START:STOP. By default the last tenth.
        force: Whether to replace the file if it exists.

    Returns:
        `path`, and `data`, which opens the file as `load_data` does.

    Raises:
        ZooError: If the text cannot be read or is too short, or `out` exists.

    Example:
        >>> folder = Path(getfixture("tmp_path"))
        >>> _ = (folder / "text.txt").write_text("we know what to do .\n" * 60)
        >>> len(make_text(folder / "text.txt", folder / "data2.h5", vocabulary=6).data.words)
        6
    """
    from zoo.text import data as rows

    validation, test = _rows("validation_rows", validation_rows), _rows("test_rows", test_rows)
    number = _whole(vocabulary)
    words = Path(str(vocabulary)) if number is None else number
    with new_file(Path(out), force):
        made = rows.write_trigrams(Path(out), _paths(text), words, validation, test)
    extra = {
        "text_rows": made.rows, "rows_left_out": made.left_out, "test_overlaps_training": dict(made.overlap),
        "notes": list(made.notes),
    }  # fmt: skip
    return Written(out, extra, next=f"zoo train --model trigram_lm --data {_quoted(out)}")


def _rows(name: str, rows: Any) -> tuple[int, int] | None:
    if rows is None or isinstance(rows, tuple):
        return rows
    first, _, last = str(rows).partition(":")
    start, stop = _whole(first), _whole(last)
    if start is None or stop is None:
        raise ArgumentError(name, f" is {rows!r}; expected START:STOP, such as 9000:10000")
    return start, stop


def _whole(value: str | int | Path) -> int | None:
    """A whole number, also one in a text of up to 18 digits; None for a name or a file."""
    if isinstance(value, int):
        return value
    return int(str(value)) if not isinstance(value, Path) and re.fullmatch("[0-9]{1,18}", str(value)) else None


@public
def import_csv(
    files: Tables | None = None,
    out: str | Path = "recordings.h5",
    *,
    layout: str | None = None,
    manifest: str | Path | None = None,
    subject: str | None = None,
    activity: str | None = None,
    study: str | None = None,
    x: str | None = None,
    y: str | None = None,
    z: str | None = None,
    channels: str | None = None,
    gyroscope: bool = False,
    gravity: Names | None = None,
    rotation: Names | None = None,
    time: str | None = None,
    rate: Rate | None = None,
    unit: str | None = None,
    convention: str | None = None,
    rotation_unit: str | None = None,
    time_unit: str = "auto",
    append: bool = False,
    same_people: bool | None = None,
    dry_run: bool = False,
    force: bool = False,
    on_progress: Callable[[int], None] = lambda count: None,
) -> Result:
    r"""Imports CSV files of the phone page, Sensor Logger, phyphox, Physics Toolbox and other apps.

    Args:
        files: CSV files, which may be packed as .gz or .zip, or folders to search; in Python also DataFrames.
        out: File of recordings to write.
        layout: How paths name people and activities, such as '{subject}/{activity}*.csv'.
        manifest: A CSV table of files with the columns file, subject, activity, in place of `files`.
        subject: Column of the person, or =NAME for one person.
        activity: Column of the activity, or =LABEL for a single activity.
        study: Name of the lab or protocol. People of different studies are different people.
        x: Column of the x axis. Recognized by its name by default.
        y: The same for the y axis.
        z: The same for the z axis.
        channels: Columns of x, y, z of the acceleration, then of x, y, z of the rotation rate, separated by commas,
            instead of `x`, `y` and `z`.
        gyroscope: Whether to read the rotation rate as well. Its columns are recognized by their names.
        gravity: Columns of gravity along x, y and z, if the acceleration does not include it.
        rotation: Columns of the rotation rate about x, y and z.
        time: Column of time stamps.
        rate: Sampling rate in Hz, instead of time stamps.
        unit: Unit of the acceleration: m/s^2 or g. By default that of the app that wrote the file.
        convention: Sign convention of the axes: android or ios.
        rotation_unit: Unit of the rotation rate: rad/s or deg/s. rad/s by default.
        time_unit: Unit of the time stamps: auto, s, ms, us or ns.
        append: Whether to add to the file if it exists.
        same_people: When adding: whether an id that is already in the file is the same person.
        dry_run: Whether to show how the files would be read, and write nothing.
        force: Whether to replace the file if it exists.
        on_progress: Function that is called with the number of recordings that have been read.

    Returns:
        `path`, `recordings` (their number), `dropped` (how much was left out, by reason), `changed` (the same of what
        was read but interpolated, sorted or split), `files` (how each was read) and `warnings`.

    Raises:
        ZooError: If a file cannot be read, or its values are not plausible; or `out` exists.

    Example:
        >>> folder = Path(getfixture("tmp_path")) / "ann"
        >>> folder.mkdir()
        >>> rows = "".join(f"{number / 50:.2f},0.1,0.2,9.8\n" for number in range(200))
        >>> _ = (folder / "sitting.csv").write_text("time,x,y,z\n" + rows)
        >>> imported = import_csv(folder, folder / "recordings.h5", layout="{subject}/{activity}*.csv")
        >>> imported.recordings, imported.files[0]["rate_hz"]
        (1, [50.0])
    """
    if append and force:
        raise ArgumentError("append", " adds to the file and force replaces it: pass one of them")
    from zoo.activity import importing, sources
    from zoo.activity.columns import columns_of
    from zoo.report import results

    columns = columns_of(
        Columns(x=x, y=y, z=z, channels=channels, time=time, unit=unit, convention=convention,
                rotation_unit=rotation_unit, time_unit=time_unit), rate,
        subject=subject, activity=activity, gyroscope=gyroscope, study=study,
        gravity=tuple(_names(gravity)) if gravity else None, rotation=tuple(_names(rotation)) if rotation else None,
    )  # fmt: skip
    found, doubts = sources.find_sources(() if files is None else files, columns, layout, manifest)
    if dry_run:
        document, notes = importing.dry_run(found)
        failure = "some files would be refused, see the problems" if document["problems"] else ""
        return Document(document, results.dry_run, warnings=[*doubts, *notes], failure=failure)
    made = importing.import_csv(
        found, Path(out), append=append, same_people=same_people or None, force=force, on_progress=on_progress
    )  # fmt: skip
    return _imported(made, doubts)


def _imported(made: Any, doubts: Sequence[str] = ()) -> Written:
    from zoo.activity.recordings import told_apart
    from zoo.report import results

    counts = told_apart(made.dropped)
    extra = {"written": made.recordings, **counts}
    extra |= {"read": results.files_read(made.files)} if made.files else {}
    return Written(
        made.path,
        extra,
        recordings=made.recordings,
        **counts,
        files=made.files,
        warnings=[*doubts, *made.doubts],
        next=f"zoo data windows {_quoted(made.path)}",
    )


@public
def import_study(
    study: str,
    source: str | Path,
    out: str | Path = "recordings.h5",
    *,
    others: bool = False,
    force: bool = False,
    on_progress: Callable[[int], None] = lambda count: None,
) -> Written:
    """Imports a published study in its official layout.

    Args:
        study: Name of the study: `motionsense`, `wisdm`, `geotec` or `oxford`.
        source: The published zip file, or a folder with its contents.
        out: File of recordings to write.
        others: Whether to import activities besides those of the recognizers, if the study has any.
        force: Whether to replace the file if it exists.
        on_progress: Function that is called with the number of recordings that have been read.

    Returns:
        `path`, `recordings` (their number), `dropped` (how much was left out, by reason) and `changed` (the same of
        what was read but interpolated or split).

    Raises:
        ZooError: If the study is unknown, or its archive is not in its layout; or `out` exists.

    Example:
        >>> import_study("motionsens", "A_DeviceMotion_data.zip", "recordings.h5")
        Traceback (most recent call last):
        ...
        zoo.errors.ZooError: unknown study 'motionsens': did you mean motionsense?
    """
    from zoo.activity.studies import STUDIES

    if study not in STUDIES:
        raise unknown_name("study", study, list(STUDIES))
    from zoo.activity import importing

    return _imported(
        importing.import_study(study, Path(source), Path(out), others=others, force=force, on_progress=on_progress)
    )


@public
def cut_windows(
    recordings: Files,
    out: str | Path = "data3.h5",
    *,
    window: Annotated[int, Field(ge=2, le=100_000)] = 150,
    hop: Count = 75,
    rate: Rate = 50.0,
    trim: Annotated[float, Field(ge=0)] = 1.0,
    test_subjects: Names | None = None,
    test_fraction: Share = 0.2,
    seed: Seed = 0,
    classes: Labels | None = None,
    merge: Labels | None = None,
    other: Names | None = None,
    channels: Names | None = None,
    same_people: bool | None = None,
    force: bool = False,
) -> Written:
    """Cuts recordings into windows, split by person.

    Args:
        recordings: Files of recordings, or folders of CSV files such as those of `zoo serve --collect`. Several are
            joined.
        out: File to write.
        window: Number of rows of a window.
        hop: Number of rows between the starts of two windows.
        rate: Rate in Hz to which all recordings are resampled.
        trim: Seconds to leave out at both ends of a recording.
        test_subjects: People of the test set. A name with commas stands in quotes, as in '"Doe, Jane",ann', or, in
            Python, in a list.
        test_fraction: Share of all people that goes into the test set if none are named; 0 for no test set.
        seed: Seed of the random choice of these people.
        classes: Labels to use, in this order. By default all that are found. LABEL=CLASS renames a label of the files,
            as in walk=walking, in Python `{"walk": "walking"}`.
        merge: Labels that mean one of several classes, as in stairs=upstairs+downstairs, in Python
            `{"stairs": ("upstairs", "downstairs")}`.
        other: Labels of movements that are none of the classes. They become the last class, `other`, for which a stream
            shows "something else".
        channels: Channels to keep: x,y,z without the gyroscope. All by default.
        same_people: Several files: whether equal ids in different files are the same person.
        force: Whether to replace the file if it exists.

    Returns:
        `path`, `test_subjects`, `dropped`, `changed`, `warnings`, and `data`, which opens the file as `load_data` does.

    Raises:
        ZooError: If recordings, labels or people are not as asked for; or `out` exists.

    Example:
        >>> from zoo.activity import simulate as gait
        >>> from zoo.activity import recordings
        >>> folder = Path(getfixture("tmp_path"))
        >>> people = gait.simulate(3, seed=0, seconds=10)
        >>> _ = recordings.write_recordings(folder / "recordings.h5", people, source="nobody", simulated=True)
        >>> data = cut_windows(folder / "recordings.h5", folder / "data3.h5", test_subjects="3").data
        >>> data.train.people(), data.test.people()
        (['1', '2'], ['3'])
    """
    from zoo.activity import cutting
    from zoo.activity.recordings import told_apart

    with new_file(Path(out), force):
        test_people, dropped, warnings = cutting.cut_windows(
            _paths(recordings), Path(out), cutting.Windowing(window, hop, rate, trim),
            cutting.TestPeople(_names(test_subjects), test_fraction, seed),
            cutting.Classes(_labels(classes), _labels(merge), _names(other)),
            channels=_names(channels) or None, same_people=same_people,
        )  # fmt: skip
    if not test_people:
        warnings.append(
            "no test set: measure by cross-validation over people, if there are several, or on another file"
        )
    counts = told_apart(dropped)
    # What the presets read.
    start = "finetune activity_gru_phone" if (window, rate) == (150, 50) else "train --model activity_gru"
    then = f"zoo {start} --data {_quoted(out)}"
    return Written(out, counts, test_subjects=test_people, **counts, warnings=warnings, next=then)


def _labels(labels: Any) -> Any:
    """Labels by their names, from a text such as `walk=walking,run`."""
    if not isinstance(labels, str):
        return labels
    from zoo.activity.cutting import parse_classes

    return parse_classes(labels)


@public
def build(name: str, source: str | Path, to: str | Path | None = None) -> Document:
    """Builds a data set of TensorFlow Datasets, for `tfds.load` and for data="tfds:NAME".

    Needs `pip install 'pocket-zoo[datasets]'`.

    Args:
        name: Name: `zoo_activity`, `zoo_patches` or `zoo_text`, with or without `/course`.
        source: The file or folder to build from, or a folder that contains it.
        to: Folder of the builds. TFDS_DATA_DIR or ~/tensorflow_datasets by default.

    Raises:
        ZooError: If the name is unknown, or the source is not what it is built from.

    Example:
        >>> build("zoo_activity/course", "no such file")
        Traceback (most recent call last):
        ...
        zoo.errors.ZooError: no such file: no such file
    """
    _require_file(source)
    _load()
    from rich.console import Console

    from zoo.data import tfds
    from zoo.report import markdown
    from zoo.report.progress import counting

    with counting(Console(stderr=True)) as report:
        made = tfds.build(name, Path(source), None if to is None else Path(to), report=report)
    where = "" if to is None else f" --data-dir {_quoted(to)}"
    return Document(made, markdown.document, next=f"zoo train PRESET --data tfds:{made['name']}{where}")


@public
def describe(file: Source, *, data_dir: str | Path | None = None) -> Document:
    """Shows what a data file contains, its balance, its problems and its leaks.

    Args:
        file: Any data file of the zoo, `tfds:NAME`, or what `load_data` returned.
        data_dir: Folder that holds tfds:NAME. By default TFDS_DATA_DIR or ~/tensorflow_datasets.

    Returns:
        `file`, `layout`, `sizes`, `attributes`, the contents, and `problems`, a list of sentences.

    Raises:
        ZooError: If the file cannot be read or has none of the layouts.

    Example:
        >>> data = simulate("text", Path(getfixture("tmp_path")) / "data2.h5", sentences=200)
        >>> describe(data)["attributes"]["simulated"]
        True
    """
    _require_file(file)
    if data_dir is not None and not str(file).startswith("tfds:"):
        raise ArgumentError("data_dir", f": requires tfds:NAME; {file} is a file")
    from zoo.data import loading as files
    from zoo.report import results

    return Document(files.describe(file, None if data_dir is None else Path(data_dir)), results.description)


@public
def train(
    model: Named,
    data: Source | None = None,
    recipe: Changes = None,
    *,
    data_dir: str | Path | None = None,
    levels: Levels | None = None,
    out: str | Path | None = None,
    units: Size | None = None,
    num_layers: Size | None = None,
    frame: Size | None = None,
    dropout: Annotated[float, Field(ge=0, lt=1)] | None = None,
    hidden_units: Size | None = None,
    settings: Settings = None,
    resume: bool = False,
    deterministic: bool = False,
    tensorboard: str | Path | None = None,
    callbacks: Callbacks = (),
    verbose: bool = True,
) -> "TrainResult":
    """Trains a new model on your data.

    A preset provides its architecture and its recipe, not its weights: `finetune` starts from those.

    Holds out people (or photographs) for validation, fits the input statistics, trains as the recipe says (with
    `patience`, it restores the best weights), and calibrates the probabilities. With three people or fewer, the model
    is trained on all of them: additional training runs, each of which leaves one person out (with a single person, the
    last windows of each activity), show what to expect of new people and determine the threshold; no temperature is
    fitted.

    Args:
        model: A preset (see `zoo list`), or a family: activity_rnn, activity_lstm, activity_gru, activity_cnn,
            sparse_autoencoder or trigram_lm. In Python also a model, whose weights are trained further.
        data: Data file, `tfds:NAME`, or what `load_data` returned. By default data1.h5 (patches), data2.h5 (text) or
            data3.h5 (activity), whichever the model reads.
        recipe: Recipe to train with, or the fields that differ from that of the preset or the family, such as
            `{"epochs": 30}`.
        data_dir: Folder that holds tfds:NAME. By default TFDS_DATA_DIR or ~/tensorflow_datasets.
        levels: Value of white in a file of patches: 1 or 255.
        out: Folder for the model, its configuration and its history; must be empty. In Python, nothing is written by
            default.
        units: Number of units of each recurrent layer.
        num_layers: Number of recurrent layers.
        frame: Number of rows that are read in one step.
        dropout: Dropout rate after each layer.
        hidden_units: Number of hidden units of an autoencoder or a language model.
        settings: Arguments of the model and fields of the recipe, by name, that replace those of the preset or the
            family.
        resume: Whether to resume an interrupted run from the checkpoint in `out`. The result is the same as without the
            interruption.
        deterministic: Whether to make runs reproducible bit by bit, at some cost in speed.
        tensorboard: Folder for logs of TensorBoard.
        callbacks: Additional Keras callbacks.
        verbose: Whether to show the progress on standard error.

    Returns:
        The trained `model`, its `history` (one record per epoch) and a `summary`.

    Raises:
        ZooError: If the model, data, recipe or folder is invalid.

    Example:
        >>> data = simulate("activity", Path(getfixture("tmp_path")) / "data3.h5", subjects=3, seconds=12)
        >>> result = train("activity_gru", data, Recipe(epochs=1, validation=0.0), units=8, verbose=False)
        >>> result.model.classes == data.classes
        True
    """
    _require_folder(out, resume)
    own = _given(units=units, num_layers=num_layers, frame=frame, dropout=dropout, hidden_units=hidden_units)
    refuse("is in settings, too", **{name: value for name, value in own.items() if name in (settings or {})})
    own |= settings or {}
    _require_plan(model, recipe, own)
    _require_file(data, model)
    _load()
    from zoo import distributing
    from zoo.training import Training

    plan = Training.of(model, own, recipe)
    task = plan.task
    checked_data = _read(task, data, data_dir, levels)
    training = replace(
        plan, out=None if out is None else Path(out), resume=resume, deterministic=deterministic,
        tensorboard=None if tensorboard is None else Path(tensorboard), callbacks=callbacks,
    )  # fmt: skip
    if training.out is not None and distributing.is_chief():
        with exclusive_folder(training.out):
            training.check_folder()
    if verbose and isinstance(model, str) and model in presets.PRESETS and task.name != "text":
        say(f"{model}: its architecture and recipe with new weights; `zoo finetune {model}` starts from its weights")
    with _progress(plan.recipe, verbose, out) as report:
        result = replace(training, report=report).run(checked_data, None if isinstance(model, str | Path) else model)
    return _trained(result, out, checked_data, task.data_file if data is None else data, data_dir, levels)


def _trained(
    result: "TrainResult", out: Any, data: Any, named: Any, data_dir: Any, levels: float | None
) -> "TrainResult":  # fmt: skip
    """The result with the command that comes next: without a test set there is nothing to evaluate on.

    Patches have no test set; photographs that were held out are evaluated, or else all.
    """
    if out is not None and isinstance(named, str | Path):
        able = len(data.test) or data.task == "patches"
        where = "" if data_dir is None else f" --data-dir {_quoted(data_dir)}"
        where += "" if levels is None else f" --levels {levels:g}"
        then = f"zoo {'evaluate' if able else 'export'} {_quoted(out)} --data {_quoted(named)}{where}"
        return replace(result, written=f"model in {out}", next=then)
    return result


@contextmanager
def _progress(recipe: Recipe, verbose: bool, out: str | Path | None) -> "Iterator[Callable[..., None] | None]":
    """What shows the progress of a training on standard error, or None; notes on an interruption how to resume."""
    from rich.console import Console

    from zoo.report.progress import TrainingBoard

    board = TrainingBoard(Console(stderr=True), recipe.epochs) if verbose else None
    try:
        with nullcontext() if board is None else board.shown():
            yield None if board is None else board.on_epoch_end
    except KeyboardInterrupt as stop:
        kept = out is not None and (Path(out) / CHECKPOINT).is_file()
        how = "go on with the same command and --resume"
        stop.add_note(in_python(f"the checkpoint is in {out}; {how}") if kept else "nothing was written")
        raise


def _require_folder(out: Any, resume: bool) -> None:
    if out is None:
        if resume:
            raise ArgumentError("resume", ": requires --out, the folder of the interrupted training")
    # Of several hosts, another one may have made the folder; a checkpoint is what `Training` asks about.
    elif not resume and "TF_CONFIG" not in os.environ and not (Path(out) / CHECKPOINT).is_file():
        require_empty(Path(out))


@public
def finetune(
    preset: Named,
    data: Source | None = None,
    *,
    recipe: Changes = None,
    freeze: Names = (),
    data_dir: str | Path | None = None,
    levels: Levels | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    callbacks: Callbacks = (),
    verbose: bool = True,
) -> "TrainResult":
    """Trains the weights of a preset further on your data, with any labels.

    Where labels differ, the last layer of a recognizer is new, except for the weights of labels that the preset already
    has. It is fitted first, on the features of all other layers; then all weights are trained at a low rate, and
    averaged with those from which they started (`start_share`): half and half with two people; with fourteen, the
    starting weights have a share of one eighth. The statistics of the input remain those of the preset. The model is
    named after the folder and the preset, such as `mine_from_activity_gru_phone`.

    Args:
        preset: A preset, a folder or a .keras file; in Python also a model.
        data: Data file, `tfds:NAME`, or what `load_data` returned, at the preset's rate and window. By default
            data1.h5 (patches), data2.h5 (text) or data3.h5 (activity), whichever the model reads.
        recipe: Recipe to train with, or the fields that differ from the default, such as `{"epochs": 5}`: with 0, only
            the last layer is fitted, which takes seconds. The default is `FINETUNE` with the augmentation and label
            smoothing of the preset's recipe.
        freeze: Layers whose weights stay as they are.
        data_dir: Folder that holds tfds:NAME. By default TFDS_DATA_DIR or ~/tensorflow_datasets.
        levels: Value of white in a file of patches: 1 or 255.
        out: Folder for the model, its configuration and its history; must be empty. In Python, nothing is written by
            default.
        resume: Whether to resume an interrupted run from the checkpoint in `out`. The result is the same as without the
            interruption.
        callbacks: Additional Keras callbacks.
        verbose: Whether to show the progress on standard error.

    Returns:
        The same as `train`.

    Raises:
        ZooError: If the data does not fit the preset (the message names the command that converts it), or if the recipe
            has no epochs and the model is not a recognizer.

    Example:
        >>> data = simulate("activity", Path(getfixture("tmp_path")) / "data3.h5", subjects=3, seconds=8)
        >>> recipe = Recipe(epochs=1, validation=0.0)
        >>> result = finetune("activity_gru_course", data, recipe=recipe, verbose=False)
        >>> result.model.classes == data.classes
        True
    """
    _require_folder(out, resume)
    _require_model(preset)
    _require_file(data, preset)
    if recipe is not None and not isinstance(recipe, Recipe):
        Recipe(**recipe)
    _load()
    from zoo.activity import finetuning
    from zoo.loading import load
    from zoo.training import Training

    loaded = load(preset)
    checked_data = _read(loaded.task, data, data_dir, levels)
    activity = loaded.task.name == "activity"
    folder = "finetuned" if out is None else re.sub(r"[^a-zA-Z0-9._-]", "_", Path(out).absolute().name[:100])
    model = finetuning.with_labels(loaded, checked_data) if activity else loaded.keras_model
    # A file keeps the layers that its own training froze; those of a model in Python are frozen on purpose.
    thawed = {"frozen": ()} if isinstance(preset, str | os.PathLike) else {}
    model = model.copy(name=f"{folder}_from_{loaded.keras_model.name}"[:200], **thawed)
    frozen = _names(freeze)
    unknown = sorted(set(frozen) - {layer.name for layer in model.layers})
    if unknown:
        raise unknown_name("layer", unknown[0], [layer.name for layer in model.layers if layer.weights])
    if not isinstance(recipe, Recipe):
        recipe = finetuning.recipe_for(loaded, checked_data, recipe)
    if not activity:
        recipe.require_epochs()
    plan = replace(
        Training.of(model), recipe=recipe, out=None if out is None else Path(out), resume=resume, callbacks=callbacks
    )
    if verbose and (doubt := finetuning.familiar(loaded, checked_data)):
        warn(doubt)

    def begin(prepared: Any, model: Any) -> None:
        if activity:
            finetuning.fit_head(model, prepared.train)

    with finetuning.frozen_layers(model, frozen), _progress(recipe, verbose, out) as report:
        result = replace(plan, report=report).run(checked_data, model, begin=begin)
    return _trained(result, out, checked_data, loaded.task.data_file if data is None else data, data_dir, levels)


@public
def cross_validate(
    model: Named,
    data: Source = "data3.h5",
    *,
    groups: str | int = "5",
    seeds: Annotated[int, Field(ge=1, le=1000)] = 1,
    recipe: Changes = None,
    settings: Settings = None,
    baselines: Names = (),
    everyone: bool = False,
    data_dir: str | Path | None = None,
    out: str | Path | None = None,
    workers: Workers = 1,
    verbose: bool = True,
) -> Evaluation:
    """Cross-validates a recognizer over groups of people: how well a recipe does on people it was not trained on.

    After an interruption, the same command resumes.

    Args:
        model: A preset (see `zoo list`), or a family: activity_rnn, activity_lstm, activity_gru or activity_cnn.
        data: A file in the layout of data3.h5 with subject ids, `tfds:NAME`, or what `load_data` returned.
        groups: Number of groups of people, each held out once; or loso to hold out one person at a time, study for one
            study at a time.
        seeds: Number of seeds with which all folds are trained.
        recipe: Recipe to train with, or the fields that differ from that of the preset or the family.
        settings: Arguments of the model and fields of the recipe, by name, that replace those of the preset or the
            family.
        baselines: Baselines on the same folds: random_forest, nearest_neighbor, minirocket; or none.
        everyone: Whether to include the people of the test set, who are left out by default.
        data_dir: Folder that holds tfds:NAME. By default TFDS_DATA_DIR or ~/tensorflow_datasets.
        out: Folder for the results, report.md and figures. The same call resumes there. A temporary folder by default
            in Python.
        workers: Number of folds to train in parallel, each in its own process; 0 trains in this process.
        verbose: Whether to show the progress on standard error.

    Returns:
        A `dict` of metrics that prints as tables.

    Raises:
        ZooError: If subjects are unknown or too few, or if all folds fail.

    Example:
        >>> data = simulate("activity", Path(getfixture("tmp_path")) / "data3.h5", subjects=4, seconds=8)
        >>> recipe = Recipe(epochs=1, validation=0.0)
        >>> found = cross_validate("activity_cnn", data, groups=2, recipe=recipe, workers=0, verbose=False)
        >>> found["groups"]
        2
    """
    _require_plan(model, recipe, settings or {})
    _require_file(data)
    _load()
    from zoo import crossval
    from zoo.activity import report
    from zoo.training import Training

    plan = Training.of(model, settings, recipe)
    path = _path_of(data, data_dir, "cross-validation")
    wanted = [name for name in _names(baselines) if name != "none"]
    number = _whole(groups)
    protocol = crossval.Protocol(groups if number is None else number, seeds, tuple(wanted), everyone)
    folder = None if out is None else Path(out)
    with ExitStack() as stack:
        update: Callable[[Any], None] = lambda records: None  # noqa: E731
        if verbose:
            from rich.console import Console

            from zoo.report.progress import FoldBoard

            board = FoldBoard(Console(stderr=True), workers)
            stack.enter_context(board.shown())
            update = board.update
        try:
            result = crossval.cross_validate(
                plan, path, folder, protocol, workers=workers, on_progress=update, command=_command()
            )
        except KeyboardInterrupt as stop:
            if folder is not None:
                stop.add_note(f"the folds so far are in {out}; resume with the same command")
            raise
    failed = next((note for note in result["notes"] if "folds failed" in note), None)
    failure = f"{out}: {failed}; the same command tries them again" if failed and out is not None else failed or ""
    written = "" if folder is None else f"report in {report.write_cross_validation(result, folder)}"
    return Evaluation(result, report.cross_validation, written=written, failure=failure)


def _command() -> str:
    """The command line of this process, if it is one of the zoo."""
    return shlex.join(["zoo", *sys.argv[1:]]) if Path(sys.argv[0]).name in ("zoo", "__main__.py") else ""


def _path_of(data: Any, data_dir: Any, what: str) -> Path:
    """The file of data that processes read again."""
    if isinstance(data, str | Path) and not str(data).startswith("tfds:"):
        if data_dir is not None:
            raise ArgumentError("data_dir", f": requires data tfds:NAME; {data} is a file")
        return Path(data)
    path: Path | None = load_data(data, data_dir=data_dir).path
    if path is None:
        raise ZooError(f"{what} reads its data again in each process: write the arrays to a file first")
    return path


@public
def evaluate(
    model: Named,
    data: Source | None = None,
    *,
    split: str = "test",
    baselines: bool = True,
    robustness: bool | None = None,
    prior: Shares | None = None,
    data_dir: str | Path | None = None,
    levels: Levels | None = None,
    figures: str | Path | None = None,
    streaming: str | Path | None = None,
    subjects: Names | None = None,
    merge: Labels | None = None,
) -> Evaluation:
    """Evaluates a model and baselines on test data.

    Args:
        model: A preset, a folder, or a .keras or .tflite file; in Python also a model.
        data: Data file, `tfds:NAME`, or what `load_data` returned. By default data1.h5 (patches), data2.h5 (text) or
            data3.h5 (activity), whichever the model reads.
        split: Split to evaluate on: test, train or validation. The latter two need the data that the model was trained
            on. For recognizers also all windows of a file, which leaves none to fit baselines on.
        baselines: Whether to fit and evaluate baselines as well.
        robustness: Whether to evaluate on disturbed windows as well. Recognizers only.
        prior: Class frequencies to assume instead of those of the training data, such as walking=0.6,sitting=0.3, in
            Python `{"walking": 0.6}`; other classes share the rest. Recognizers only.
        data_dir: Folder that holds tfds:NAME. By default TFDS_DATA_DIR or ~/tensorflow_datasets.
        levels: Value of white in a file of patches: 1 or 255.
        figures: Folder for figures.
        streaming: File of recordings for continuous recognition by an exported file, instead of `data`. Figures are
            then timelines: what each person did above, what was shown below.
        subjects: With `streaming`: subjects. By default all that were not in training.
        merge: With `streaming`: labels that mean one of several classes, such as stairs=up+down.

    Returns:
        A `dict` of metrics that prints as tables; its method `figures(folder)` draws figures.

    Raises:
        ZooError: If the data does not fit the model.

    Example:
        >>> data = simulate("activity", Path(getfixture("tmp_path")) / "data3.h5", subjects=3, seconds=12)
        >>> evaluate("activity_gru_course", data, baselines=False)["windows"] == len(data.test)
        True
    """
    if streaming is not None:
        refuse(
            "does not apply with --streaming FILE", data=data, data_dir=data_dir, robustness=robustness, prior=prior,
            split=None if split == "test" else split, baselines=None if baselines else False, levels=levels,
        )  # fmt: skip
        return _drawn(lambda: _evaluate_recordings(model, Path(streaming), subjects, merge), figures)
    refuse("applies with --streaming FILE alone", subjects=subjects, merge=merge)
    _require_model(model)
    _require_file(data, model)
    _load()
    from zoo.loading import load

    loaded = load(model)
    task = loaded.task
    options = _for_recognizers(loaded, robustness=robustness, prior=_shares(prior))

    def measured() -> Evaluation:
        checked_data = _read(task, data, data_dir, levels)
        report = task.evaluate(loaded, checked_data, split=split, baselines=baselines, **options)

        def draw(found: Evaluation, folder: Path) -> list[Path]:
            pictures = task.pictures(loaded, checked_data, split)
            files: list[Path] = task.figures.evaluation(found, loaded.history, pictures, folder)
            return files

        details = {}
        if figures is not None:
            details["written"] = f"figures in {figures}"
        if isinstance(model, str | Path) and str(model) not in presets.PRESETS:
            details["next"] = f"zoo export {_quoted(model)}"
        return Evaluation(report, task.report.evaluation, draw, **details)

    return _drawn(measured, figures)


def _drawn(measured: Callable[[], Evaluation], figures: str | Path | None) -> Evaluation:
    """An evaluation and its figures; a folder that cannot be written to is refused before the work."""
    with nullcontext() if figures is None else exclusive_folder(Path(figures)):
        evaluation = measured()
        if figures is not None:
            evaluation.figures(figures)
    return evaluation


def _evaluate_recordings(model: Named, file: Path, subjects: Names | None, merge: Labels | None) -> Evaluation:
    """Evaluates continuous recognition by an exported file."""
    from zoo.activity import figures, report, streaming
    from zoo.runtime import Recognizer

    recognizer = Recognizer(catalog.exported_file(model))
    found = streaming.evaluate(recognizer, file, subjects=_names(subjects) or None, merge=_labels(merge))
    return Evaluation(found, report.streaming, figures.streaming)


def _for_recognizers(loaded: Any, **options: Any) -> dict[str, Any]:
    """Returns the options that were passed, which only recognizers have."""
    if loaded.task.name != "activity":
        refuse(f"does not apply to {loaded.name}", **options)
    return _given(**options)


def _shares(prior: Any) -> Any:
    if not isinstance(prior, str):
        return prior
    from zoo.runtime import priors

    return priors.parse(prior)


@public
def predict(
    model: Named,
    x: Inputs | None = None,
    *,
    data: Source | None = None,
    csv: str | Path | None = None,
    rate: Rate | None = None,
    columns: Reading = None,
    hop: Count | None = None,
    threshold: Share | None = None,
    top: Count | None = None,
    generate: Count | None = None,
    temperature: Annotated[float, Field(gt=0)] | None = None,
    seed: Seed | None = None,
    neighbors: str | None = None,
    data_dir: str | Path | None = None,
    levels: Levels | None = None,
    out: str | Path | None = None,
) -> "Predictions | Result":
    """Predicts activities, next words, or codes of patches.

    Args:
        model: A preset, a folder, or a .keras or .tflite file; in Python also a model.
        x: Text for a language model. In Python also word ids `(N, context)`; for a recognizer, windows `(N, window,
            channels)` in m/s^2, a DataFrame, or the path of a CSV file; for an autoencoder, patches `(N, 3, S, S)` in
            [0, 1].
        data: Data file, or `tfds:NAME`. Predicts its test windows, five random test rows of a text, or all patches.
        csv: CSV file with columns x, y, z and time.
        rate: Sampling rate in Hz, of windows or of a CSV file without time stamps.
        columns: How a CSV file is read.
        hop: Rows between the starts of windows of a CSV file. Half a window by default.
        threshold: Probability below which the answer is "not sure"; 0 to always answer.
        top: Number of words to show. 10 by default.
        generate: Number of words to generate after the text.
        temperature: With `generate`: lower values prefer probable words. 1 by default.
        seed: Seed of `generate` and of the choice of rows of `data`. 0 by default.
        neighbors: Show words similar to this one.
        data_dir: Folder that holds tfds:NAME. By default TFDS_DATA_DIR or ~/tensorflow_datasets.
        levels: Value of white in a file of patches: 1 or 255.
        out: File (.npz) for codes and reconstructions of patches.

    Returns:
        `labels`, `probabilities` and `times`; for an autoencoder, `codes` and `reconstructions`.

    Raises:
        ZooError: If the input does not fit the model.

    Example:
        >>> predict("trigram_lm_course", "in the right").labels.shape
        (1,)
    """
    _require_model(model)
    _require_file(data)
    _load()
    from zoo.loading import load

    loaded = load(model)
    task = loaded.task
    options = {
        "csv": csv, "rate": rate, "columns": columns, "hop": hop, "threshold": threshold, "top": top,
        "generate": generate, "temperature": temperature, "seed": seed, "neighbors": neighbors, "out": out,
    }  # fmt: skip
    known = {name: options.pop(name) for name in task.options}
    refuse(f"does not apply to {loaded.name}", **options)
    inputs = x
    if isinstance(x, list) and x and all(isinstance(word, str) for word in x):
        if len(x) > 1 and any(len(word.split()) > 1 for word in x):
            raise ZooError(f"input: {len(x)} texts; expected one, or the words of one: predict one after another")
        inputs = " ".join(x)
    return task.answer(loaded, inputs, _read(task, data, data_dir, levels, default=False), **known)


@public
def export(
    model: Named,
    to: str | Path,
    formats: Names | None = None,
    *,
    data: Source | None = None,
    data_dir: str | Path | None = None,
    levels: Levels | None = None,
    personalize: bool = False,
    prior: Shares | None = None,
    threshold: Share | None = None,
    refused: Refused | None = None,
    on_progress: Callable[[str], None] = lambda step: None,
) -> "Sequence[Artifact]":
    """Exports a model as .keras, SavedModel, TFLite or source code.

    Each file, or the .tflite file that comes with it, is run and compared with Keras before it is written. C code is
    not compared on a machine without a C compiler.

    Args:
        model: A preset, a folder or a .keras file; in Python also a model.
        to: Folder for the files. Must be empty.
        formats: Formats, such as float32, int8, saved_model or c99. By default all of the family but source code; one
            that differs too much from Keras is then left out, with a warning.
        data: Data to compare artifacts on (its test split) and to calibrate integers on (its training split): a file,
            `tfds:NAME`, or what `load_data` returned. Simulated by default.
        data_dir: Folder that holds tfds:NAME. By default TFDS_DATA_DIR or ~/tensorflow_datasets.
        levels: Value of white in a file of patches: 1 or 255.
        personalize: Whether to write a file that can be trained on the device as well.
        prior: Class frequencies that the probabilities of the files assume, such as walking=0.6,sitting=0.3, in Python
            `{"walking": 0.6}`; other classes share the rest. Recognizers only.
        threshold: Probability below which the answer is "not sure"; 0 to always answer. That of the model by default.
            Recognizers only.
        refused: Dictionary that receives each format that differs too much from Keras, with the error; all other
            formats are still written. Without it, the error of a format that was asked for is raised.
        on_progress: Function that is called with each step, such as a conversion, as it begins.

    Returns:
        An `Artifact` per file, with its `file`, `format`, `bytes` and `largest_error`.

    Raises:
        ZooError: If the model, a format, the data or the folder is invalid.
        ParityError: If a format differs too much from Keras.

    Example:
        >>> artifacts = export("trigram_lm_course", Path(getfixture("tmp_path")) / "exported", "keras")
        >>> artifacts[0].format, artifacts[0].largest_error
        ('keras', 0.0)
    """
    _require_model(model)
    _require_file(data)
    require_empty(Path(to))
    from zoo.exporting.formats import FORMATS, Converter

    names = _names(formats) or ["default"]
    with Converter() as converter:
        # It imports TensorFlow while this process does.
        if {"default", *FORMATS}.intersection(names):
            converter.start()
        _load()
        from zoo.exporting import artifacts
        from zoo.exporting.artifacts import Artifact
        from zoo.loading import load
        from zoo.report import markdown, results

        loaded = load(model)
        if changes := _for_recognizers(loaded, prior=_shares(prior), threshold=threshold):
            loaded = replace(loaded, model=loaded.keras_model.copy(**changes))
        if loaded.keras_model.dtype_policy.name != "float32":
            # Files compute in float32, whatever the model was trained in.
            loaded = replace(loaded, model=loaded.keras_model.copy(dtype="float32"))
        task = loaded.task
        checked_data = _read(task, data, data_dir, levels, default=False)
        left_out: dict[str, ParityError] | None = refused
        if refused is None and not formats:
            left_out = {}
        records = artifacts.export(
            loaded, task.exportable(loaded, checked_data), Path(to), [*names, *(["personal"] if personalize else [])],
            left_out, on_progress, converter,
        )  # fmt: skip
    document = {
        "compared_on": str(data) if data is not None else "simulated data", "folder": str(to), "artifacts": records,
    }  # fmt: skip
    made = [Artifact(Path(to) / row["file"], row["format"], row["bytes"], row["largest_error"], row) for row in records]
    warnings = [f"left out: {why}" for why in (left_out or {}).values()]
    render = partial(results.exported, scores=task.report.FILE_SCORES)
    used = "serve" if task.name == "activity" else "bench"
    return Records(
        made, render, document, warnings=warnings, written=f"{markdown.count(len(made), 'artifact')} in {to}",
        next=f"zoo {used} {_quoted(to)}",
    )  # fmt: skip


@public
def tune(
    target: str,
    data: Source | None = None,
    *,
    strategy: Literal["random", "hyperband", "bayesian", "grid"] = "bayesian",
    trials: Annotated[int, Field(ge=1, le=1_000_000)] = 50,
    epochs: Count = 40,
    objective: str | None = None,
    space: str | None = None,
    settings: Settings = None,
    limits: Bounds = None,
    groups: Annotated[int, Field(ge=1, le=1000)] = 1,
    seed: Seed | None = None,
    data_dir: str | Path | None = None,
    levels: Levels | None = None,
    best: Annotated[int, Field(ge=1, le=1000)] = 3,
    seeds: Annotated[int, Field(ge=1, le=1000)] = 3,
    out: str | Path | None = None,
    save_preset: str | Path | None = None,
    workers: Workers = 0,
    verbose: bool = True,
) -> Document:
    """Searches hyperparameters, trains the best again with other seeds, and measures the chosen one on test data.

    After an interruption, the same command resumes.

    Args:
        target: A preset or a family; or activity, to search over the kind of cell as well.
        data: Data file: data1.h5 (patches), data2.h5 (text) or data3.h5 (activity); `tfds:NAME`; or what `load_data`
            returned.
        strategy: Strategy: random, hyperband, bayesian or grid.
        trials: Maximum number of scored trials.
        epochs: Maximum number of epochs per trial.
        objective: Objective, such as macro_f1, cross_entropy or cost.
        space: Search space of the family, such as course.
        settings: Arguments of the model and fields of the recipe that are fixed.
        limits: Limits of size and latency, such as `Limits(bytes=30_000)`.
        groups: Number of groups of people, each held out once in every trial. 1 for a single split.
        seed: Seed of the split and of the search. Seeds of trials count up from it.
        data_dir: Folder that holds tfds:NAME. By default TFDS_DATA_DIR or ~/tensorflow_datasets.
        levels: Value of white in a file of patches: 1 or 255.
        best: Number of best trials to train again at the end.
        seeds: Number of seeds with which each of the best trials is trained.
        out: Folder of the search. The same call resumes there. In Python a temporary one by default.
        save_preset: Folder for the chosen model.
        workers: Number of processes that run trials; 0 runs them in this process.
        verbose: Whether to show the progress on standard error.

    Returns:
        `chosen`, `finals`, `training`, `test`, and the paths of the `report` and of the chosen `model`.

    Raises:
        ZooError: If keras-tuner is missing, the target or the data is not valid, or no trial has a score.

    Example:
        >>> data = simulate("patches", Path(getfixture("tmp_path")) / "data1.h5", count=300, size=8, pictures=4)
        >>> found = tune("sparse_autoencoder", data, strategy="random", trials=1, epochs=1, best=1, seeds=1,
        ...              limits=Limits(parameters=50_000), settings={"pixels": 64}, verbose=False)
        >>> found["chosen"]
        0
    """
    _require_search(target)
    _require_file(data)
    _load()
    from rich.console import Console

    from zoo.search import report
    from zoo.search.run import search
    from zoo.search.spaces import Study

    bounds = limits if isinstance(limits, Limits) else Limits(**(limits or {}))
    study = Study(
        target, Path(), strategy, trials, epochs, space, objective, bounds, dict(settings or {}), groups, seed,
        levels,
    )  # fmt: skip
    study = replace(study, data=_path_of(study.task.data_file if data is None else data, data_dir, "a search"))
    try:
        result = search(
            study, None if out is None else Path(out), processes=workers, best=best, seeds=seeds,
            preset=None if save_preset is None else Path(save_preset),
            logged=TERMINAL.get("logged", lambda file: nullcontext(Console(stderr=True))) if verbose else None,
        )  # fmt: skip
    except KeyboardInterrupt as stop:
        if out is not None:
            stop.add_note(f"the search is in {out}; resume it with the same command")
        raise
    return Document(result, report.result, next=f"zoo export {_quoted(result['model'])}")


def _require_search(target: str) -> None:
    """Refuses to search without the libraries of searches, and a target that nobody knows."""
    if find_spec("keras_tuner") is None or find_spec("tensorboard") is None:
        raise ZooError("searches need keras-tuner and tensorboard: pip install 'pocket-zoo[tuning]'")
    if target not in (*FAMILIES, *presets.PRESETS, "activity"):
        raise unknown_name("preset or family", target, [*presets.PRESETS, *FAMILIES, "activity"])


@public
def stream(
    model: str | Path,
    csv: str | Path | None = None,
    *,
    simulate: Names | None = None,
    rate: Rate | None = None,
    columns: Reading = None,
    every: bool = False,
    seconds: Seconds | None = None,
    speed: Annotated[float, Field(ge=0)] | None = None,
    seed: Seed | None = None,
    threshold: Share | None = None,
) -> "Iterable[dict[str, Any]]":
    """Recognizes activities in a continuous signal, sample by sample.

    Args:
        model: A .tflite file, or a preset or folder with one.
        csv: CSV file with columns x, y, z and time, or - for standard input.
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
        raise ZooError("pass one of --csv FILE, --csv - for standard input, or --simulate ACTIVITIES")
    person = _given(seconds=seconds, speed=speed, seed=seed)
    if csv is None:
        refuse("applies with --csv FILE alone", rate=rate, columns=columns, every=every or None)
    else:
        refuse("applies with --simulate ACTIVITIES alone", **person)
    file = catalog.exported_file(model)
    from zoo.activity import streaming
    from zoo.activity.columns import columns_of

    with _quietly():
        if csv is None:
            return streaming.Simulated(file, str(model), _names(simulate), threshold=threshold, **person)
        return streaming.Followed(file, str(csv), columns_of(columns, rate), every, threshold)


@public
def serve(
    models: Names = (),
    *,
    host: str = "0.0.0.0",
    port: Annotated[int, Field(ge=1, le=65535)] = 8443,
    collect: str | Path | None = None,
    labels: Names | None = None,
    cert: str | Path | None = None,
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
        raise ArgumentError("labels", ": requires --collect DIR")
    from zoo.serving import session

    with _quietly():
        recognizers = session.recognizers(_names(models))
    folder, own = (None if path is None else Path(path) for path in (collect, cert))
    session.serve(recognizers, host, port, folder, _names(labels), own, on_event)


@public
def bench(models: Names, *, on_progress: Callable[[str], None] = lambda step: None) -> Records:
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
    from zoo.report import results

    rows = []
    for model in _names(models):
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
                on_progress(name)
                rows.append(benchmarking.bench(file) | {"file": name})
    return Records(rows, results.costs)


@public
def doctor(
    *, self_test: bool = True, full: bool = False, on_progress: Callable[[str], None] = lambda step: None
) -> Document:  # fmt: skip
    """Checks the installation.

    Shows versions and what each command lacks; loads TensorFlow, converts a tiny model and compares it with Keras, in
    some six seconds. Exits with status 1 if something essential is broken. Include the output in bug reports.

    Args:
        self_test: Whether to load TensorFlow, and to convert and run a tiny model.
        full: Whether to train, export and run another one on simulated people as well.
        on_progress: Function that is called with each step of the self-test, as it begins.

    Returns:
        Versions and problems; `sound` is whether everything essential works.

    Example:
        >>> "sound" in doctor(self_test=False)
        True
    """
    from zoo.installation import FULL, STEPS, examine
    from zoo.report.results import doctor as report

    if full and not self_test:
        raise ArgumentError("full", " is a self-test; pass one of full and self_test=False")
    found = examine(on_progress if self_test else None, FULL if full else STEPS)
    return Document(found, report, failure="" if found["sound"] else "something essential is broken, see above")
