"""Data: reading, describing, importing, cutting, making and simulating it."""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le, Lt

from zoo.api import door
from zoo.catalog import START
from zoo.errors import ArgumentError, ZooError, either, option, refuse, shown, unknown_name
from zoo.families import TASKS, task_named
from zoo.files import exclusive_folder, new_file
from zoo.recipe import Columns
from zoo.report import for_task, markdown, results
from zoo.report.screen import err, warn
from zoo.results import Document, FigureFormat, Result


@door.public
def load_data(
    source: door.Source | Sequence[Any],
    *,
    task: str | None = None,
    subjects: door.Array | Sequence[Any] | None = None,
    classes: Sequence[str] | None = None,
    rate: door.Rate | None = None,
    unit: str | None = None,
    words: Sequence[str] | None = None,
    levels: door.Levels | None = None,
    data_dir: door.FilePath | None = None,
) -> door.Data:
    """Checks and opens data for any of the zoo's tasks; files larger than memory stay on the disk.

    Args:
        source: An HDF5 file in one of the three layouts, recognized by its keys; `tfds:NAME`, a build of TensorFlow
            Datasets, or its folder; arrays `(x, y)`, or `((x, y), (x, y))` for training and test; patches `x`; a
            DataFrame of a sensor's rows, with columns of time, acceleration, person and activity, which is cut into
            windows, or one that `to_frame` made; or data that is already loaded, which is returned as it is.
        task: `activity`, `patches` or `text`; what other tasks read is refused. By default, the shape decides.
        subjects: Of arrays, the person of each window, or the photograph of each patch; of a pair, a pair.
        classes: Of arrays of windows, the names of the labels in their order; by default those in `y`. A name such as
            `up+down` is a set of the classes `up` and `down`.
        rate: Of arrays of windows, their sampling rate in Hz; of a sensor's rows, in place of a column of time.
        unit: Of arrays of windows, `m/s^2`, the default, or `g`, which is converted.
        words: Of arrays of text, the vocabulary in the order of the word numbers.
        levels: The value of white in patches: 1, or 255.
        data_dir: The folder of builds; TFDS_DATA_DIR or ~/tensorflow_datasets by default.

    Returns:
        `data.train`, `data.validation` and `data.test`, each with `arrays()`, `dataset(batch_size)`, `to_frame()` and
        `len()`; empty where the data has no such split. `data.task` is `activity`, `patches` or `text`.

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
    from zoo.data import loading

    facts = door.given(task=task, subjects=subjects, classes=classes, rate=rate, unit=unit, words=words, levels=levels)
    loaded: Any = loading.load_data(source, data_dir=None if data_dir is None else Path(data_dir), **facts)
    return loaded  # type: ignore[no-any-return]


def labels_of(labels: Any) -> Any:
    """Labels by their names, from a text such as `walk=walking,run`."""
    if not isinstance(labels, str):
        return labels
    from zoo.activity.cutting import parse_classes

    return parse_classes(labels)


@dataclass(frozen=True, repr=False, eq=False)
class Written(Result):
    """A data file that was written. Prints as its description, which is made where it is shown.

    Args:
        path: The file.
        extra: Entries of its description that only the function that wrote it knows.
        recordings: Number of recordings that were written, where it holds some.
        dropped: How much was left out, by reason.
        changed: How much of what was read was interpolated, sorted or split.
        files: How each file was read.
        test_subjects: People of the test set.

    Example:
        >>> written = make_patches(out=Path(getfixture("tmp_path")) / "data1.h5", count=100, size=8)
        >>> written.to_json()["patches"]
        100
    """

    path: Path
    extra: Mapping[str, Any] = field(default_factory=dict)
    recordings: int | None = None
    dropped: Mapping[str, int] = field(default_factory=dict)
    changed: Mapping[str, int] = field(default_factory=dict)
    files: Sequence[Mapping[str, Any]] = ()
    test_subjects: Sequence[str] = ()

    @property
    def data(self) -> door.Data:
        """The file, as `load_data` opens it."""
        return load_data(self.path)

    def to_json(self) -> dict[str, Any]:
        """Returns the description of the file."""
        return {**describe(self.path), **self.extra}

    def _repr_markdown_(self) -> str:
        return results.description(self.to_json())


@door.public
def describe(
    file: door.Source, *, figures: door.FilePath | None = None, figure_format: FigureFormat | None = None
) -> Document:
    """Shows what a data file contains, its balance, its problems and its leaks.

    Args:
        file: Any data file of the zoo, `tfds:NAME`, or what `load_data` returned.
        figures: Folder for figures of the minutes of each person and activity, and of two seconds of each activity.
        figure_format: Format of the figures: png, svg or pdf. png by default.

    Returns:
        `file`, `layout`, `sizes`, `attributes`, the contents, and `problems`, a list of sentences; `figures(folder)`
        draws.

    Raises:
        ZooError: If the file cannot be read or has none of the layouts.

    Example:
        >>> data = simulate("text", Path(getfixture("tmp_path")) / "data2.h5", sentences=200)
        >>> describe(data)["attributes"]["simulated"]
        True
    """
    door.require_file(file)
    from zoo.data import loading

    with door.drawing(figures, figure_format) as drawn:
        description, content = loading.describe(file)

        def draw(found: dict[str, Any]) -> Any:
            return for_task("activity", "figures").described(found, content)

        return drawn(Document(description, results.description, draw))


@door.public
def simulate(
    task: str,
    out: door.FilePath,
    *,
    seed: door.Seed = 0,
    subjects: Annotated[int, Ge(2), Le(100_000)] | None = None,
    seconds: door.Seconds | None = None,
    gyroscope: bool | None = None,
    count: Annotated[int, Ge(1), Le(10_000_000)] | None = None,
    size: Annotated[int, Ge(2), Le(256)] | None = None,
    pictures: Annotated[int, Ge(2), Le(10_000)] | None = None,
    sentences: Annotated[int, Ge(1), Le(10_000_000)] | None = None,
    force: bool = False,
) -> door.Data:
    """Simulates data, writes it to a file in the layout of its task, and opens it. The data is marked as simulated.

    Args:
        task: `activity`: windows of people with a phone in the pocket; `patches`: patches of pictures of overlapping
            disks ("dead leaves"); `text`: rows of four words from sentences of a small grammar.
        out: File to write.
        seed: Seed of the simulation.
        subjects: Activity: number of people, 12 by default.
        seconds: Activity: duration of each recording in seconds, 60 by default.
        gyroscope: Activity: whether to simulate a gyroscope as well.
        count: Patches: number of patches, 10240 by default.
        size: Patches: side of a patch in pixels, 16 by default.
        pictures: Patches: number of pictures, 12 by default; 2 or more, so that one can be held out.
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
        if (name := task_named(task)) in TASKS:
            raise ZooError(f"task {shown(task)}: it is called {name!r} since version 0.3.0")
        raise ZooError(f"task {shown(task)}: expected {either(TASKS)}")
    sizes = door.given(
        subjects=subjects, seconds=seconds, gyroscope=gyroscope, count=count, size=size, pictures=pictures,
        sentences=sentences,
    )  # fmt: skip
    write = import_module(f"zoo.{task}.simulate").write_simulated
    taken = inspect.signature(write).parameters
    refuse(f"does not apply to {task}", **{name: value for name, value in sizes.items() if name not in taken})
    with new_file(Path(out), force):
        write(Path(out), seed=seed, **sizes)
    return load_data(out)


@door.public
def make_patches(
    photographs: door.Paths | None = None,
    out: door.FilePath = "data1.h5",
    *,
    count: Annotated[int, Ge(1), Le(10_000_000)] = 10240,
    size: Annotated[int, Ge(2), Le(1024)] = 16,
    seed: door.Seed = 443,
    force: bool = False,
) -> Written:
    """Cuts patches from photographs, the same number from each. Flat patches are left out.

    Args:
        photographs: Pictures, or folders of pictures; those that cannot be read, and other files, are left out and
            listed. HEIC needs `pip install 'pocket-zoo[heic]'`. Those of scikit-learn and scikit-image by default.
        out: File to write.
        count: Number of patches.
        size: Side of a patch in pixels.
        seed: Seed of the positions of the patches.
        force: Whether to replace the file if it exists.

    Returns:
        `path`, and `data`, which opens the file as `load_data` does.

    Raises:
        ZooError: If no photograph can be read, one holds nothing but flat patches, or `out` exists.

    Example:
        >>> made = make_patches(out=Path(getfixture("tmp_path")) / "data1.h5", count=100, size=8)
        >>> made.data.train.inputs.shape
        (100, 3, 8, 8)
    """
    from zoo.patches.data import find_pictures, listing, shipped_photographs, write_patches

    paths = [Path(path) for path in door.several(photographs or ())]
    with new_file(Path(out), force):
        files, skipped = find_pictures(paths, size)
        flat = write_patches(Path(out), files or shipped_photographs(), count, size, seed)
    extra = {"flat_patches_refused": flat, **({"skipped": skipped} if skipped else {})}
    warnings = [f"files that were left out, {len(skipped)}: {listing(skipped)}"] if skipped else []
    then = f"zoo train --model sparse_autoencoder --data {door.quoted(out)}"
    return Written(Path(out), extra, warnings=warnings, next=then)


@door.public
def make_text(
    text: door.Paths,
    out: door.FilePath = "data2.h5",
    *,
    vocabulary: int | door.FilePath = 250,
    validation_rows: door.Rows | None = None,
    test_rows: door.Rows | None = None,
    force: bool = False,
) -> Written:
    r"""Makes rows of four words from any text, split by their position in it.

    Args:
        text: Files of UTF-8 text with spaces between words, and a sentence per line. The lines of a page, and
            paragraphs, become sentences.
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
    words = vocabulary if isinstance(vocabulary, int) else Path(vocabulary)
    files = door.paths_of("text", text)
    with new_file(Path(out), force):
        made = rows.write_trigrams(Path(out), files, words, validation, test)
    extra = {
        "text_rows": made.rows, "rows_left_out": made.left_out, "test_overlaps_training": dict(made.overlap),
        "notes": list(made.notes),
    }  # fmt: skip
    return Written(Path(out), extra, next=f"zoo train --model trigram_lm --data {door.quoted(out)}")


def _rows(name: str, rows: door.Rows | None) -> tuple[int, int] | None:
    if not isinstance(rows, str):
        return rows
    if (match := re.fullmatch("([0-9]{1,18}):([0-9]{1,18})", rows)) is None:
        raise ArgumentError(name, value=rows, expected="START:STOP, such as 9000:10000")
    return int(match[1]), int(match[2])


@door.public
def import_csv(
    files: door.Table | door.FilePath | Iterable[door.Table | door.FilePath] | None = None,
    out: door.FilePath = "recordings.h5",
    *,
    layout: str | None = None,
    manifest: door.FilePath | None = None,
    subject: str | None = None,
    activity: str | None = None,
    study: str | None = None,
    columns: Columns | Mapping[str, Any] | None = None,
    gyroscope: bool = False,
    gravity: door.Names | None = None,
    rotation: door.Names | None = None,
    rate: door.Rate | None = None,
    encoding: str = "",
    annotations: Literal["start", "end"] = "start",
    append: bool = False,
    same_people: bool = False,
    skip_unreadable: bool = False,
    dry_run: bool = False,
    force: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> Result:
    r"""Imports CSV files of the phone page, Sensor Logger, phyphox, Physics Toolbox and other apps.

    Args:
        files: CSV files, which may be packed as .gz or .zip, or folders to search; in Python also DataFrames.
        out: File of recordings to write.
        layout: How paths name people and activities, such as '{subject}/{activity}*.csv'.
        manifest: A CSV table of files with the columns file, subject, activity, in place of `files`. A column unit
            says m/s^2 or g of each, if it is not empty.
        subject: Column of the person, or =NAME for one person.
        activity: Column of the activity, or =LABEL for a single activity.
        study: Name of the lab or protocol. People of different studies are different people.
        columns: How the files are read, such as `{"x": "ax", "y": "ay", "z": "az", "unit": "g"}`.
        gyroscope: Whether to read the rotation rate as well. Its columns are recognized by their names.
        gravity: Columns of gravity along x, y and z, if the acceleration does not include it.
        rotation: Columns of the rotation rate about x, y and z.
        rate: Sampling rate in Hz, instead of time stamps.
        encoding: Encoding of files that are neither UTF-8 nor UTF-16, such as cp1251 or gbk. Needed where names of
            people or activities have other than English letters.
        annotations: Whether a note in an app's Annotation.csv or Tags.csv stands at the start of what it names, or at
            its end. Notes are read where no column and no option names the activity, and so are labels of Audacity
            (walk.txt next to walk.csv) or ELAN (walk.eaf).
        append: Whether to add to the file if it exists.
        same_people: When adding: whether an id that is already in the file is the same person; else it is refused.
        skip_unreadable: Whether to leave out files that cannot be read, which are counted and named, and import the
            others. By default nothing is written if there is one.
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
        raise ArgumentError("append", f" adds to the file and {option('force')} replaces it: pass one of them")
    from zoo.activity import importing, sources
    from zoo.activity.columns import columns_of

    described = columns_of(
        columns, rate, subject=subject, activity=activity, gyroscope=gyroscope, study=study, encoding=encoding,
        annotations=annotations, gravity=tuple(door.names_of(gravity)) or None,
        rotation=tuple(door.names_of(rotation)) or None,
    )  # fmt: skip
    listed = () if files is None else door.several(files)
    recordings, doubts = sources.find_sources(listed, described, layout, None if manifest is None else Path(manifest))
    made = importing.import_csv(
        recordings, None if dry_run else Path(out), append=append, same_people=same_people, force=force,
        skip_unreadable=skip_unreadable, on_progress=on_progress or door.silent,
    )  # fmt: skip
    if not dry_run:
        return _imported(made, doubts)
    counts, problems = made.findings.to_json(), made.problems
    document = {"files": made.findings.files, "recordings": made.recordings, **counts, "problems": problems}
    failure = "some files would be refused, see the problems" if problems else ""
    return Document(document, results.dry_run, warnings=[*doubts, *made.doubts], failure=failure)


@door.public
def import_study(
    study: str,
    source: door.FilePath,
    out: door.FilePath = "recordings.h5",
    *,
    others: bool = False,
    force: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> Written:
    """Imports a published study in its official layout.

    Args:
        study: Name of the study: `motionsense`, `wisdm`, `geotec`, `oxford`, `selfback` or `dsads`.
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
    from zoo.activity import studies

    if study not in studies.STUDIES:
        raise unknown_name("study", study, list(studies.STUDIES))
    return _imported(
        studies.import_study(
            study, Path(source), Path(out), others=others, force=force, on_progress=on_progress or door.silent
        )
    )


def _imported(made: Any, doubts: Sequence[str] = ()) -> Written:
    counts, warnings = made.findings.to_json(), [*doubts, *made.doubts]
    then = f"zoo data windows {door.quoted(made.path)}"
    extra = {"written": made.recordings, **counts}
    extra |= {"read": results.files_read(made.findings.files)} if made.findings.files else {}
    return Written(made.path, extra, made.recordings, files=made.findings.files, **counts, warnings=warnings, next=then)


@door.public
def label(
    recordings: door.Paths,
    out: door.FilePath | None = None,
    *,
    layout: str | None = None,
    subject: str | None = None,
    model: door.FilePath = "activity_gru_phone",
    folder: door.FilePath = "labeled",
    columns: Columns | Mapping[str, Any] | None = None,
    gravity: door.Names | None = None,
    rate: door.Rate | None = None,
    encoding: str = "",
    annotations: Literal["start", "end"] = "start",
    tracks: door.Names | None = None,
    port: Annotated[int, Ge(1), Le(65535)] = 8765,
    force: bool = False,
    on_event: Callable[[dict[str, Any]], None] | None = None,
) -> None:
    """Labels recordings on a page, with proposals of a model, until Ctrl-C.

    The page is served to this computer alone. Every answer is kept in `folder` as it is given; the same call continues,
    and replaces what it saved as `out`.

    Args:
        recordings: CSV files, folders or .zip files, as apps write them. Notes and labels in them are proposed.
        out: File of recordings to write at the end, and when the page is asked to save.
        layout: How paths name the person and, if it is to be proposed, the activity, such as `{subject}_*.csv`.
        subject: The person who carried the phone. By default a column or the layout says so, or the page asks once.
        model: A preset, a folder or a .keras file, which proposes labels and learns from answers.
        folder: Folder of the answers, which `zoo data windows` reads as well.
        columns: How the files are read, such as `{"x": "ax", "y": "ay", "z": "az", "unit": "g"}`.
        gravity: Columns of gravity along x, y and z, if the acceleration does not include it.
        rate: Sampling rate in Hz, instead of time stamps.
        encoding: Encoding of files that are neither UTF-8 nor UTF-16.
        annotations: Whether notes stand at the start of what they name, or at its end.
        tracks: Programs for which the answers are also written at the end, next to them: audacity (a label track, .txt)
            or elan (.eaf).
        port: Port to listen on. If it is in use, the next free one.
        force: Whether to replace `out` if it exists.
        on_event: Function that is called with the address, and with what was saved, in place of what is printed.

    Raises:
        ZooError: If a file cannot be read, `out` exists and is not its own, or another run uses the folder.

    Example:
        >>> label("no such file.csv")
        Traceback (most recent call last):
        ...
        zoo.errors.ZooError: no such file.csv: no such file or folder
    """
    files = door.several(recordings)
    door.require_model(model)
    from zoo.activity.annotations import TRACKS
    from zoo.activity.columns import columns_of
    from zoo.labeling import session

    programs = tuple(door.names_of(tracks))
    if unknown := next((name for name in programs if name not in TRACKS), None):
        raise unknown_name("program of tracks", unknown, [*TRACKS])
    described = columns_of(
        columns, rate, encoding=encoding, annotations=annotations, gravity=tuple(door.names_of(gravity)) or None,
        subject=None if subject is None else f"={subject}",
    )  # fmt: skip
    written = None if out is None else Path(out)
    with exclusive_folder(Path(folder), "is open already: see the address in the other terminal"):
        labeled, doubts = session.open_session(files, described, Path(folder), written, force=force, layout=layout)
        for doubt in doubts:
            warn(doubt)
        session.serve(labeled, model, port, tracks=programs, on_event=on_event)


@door.public
def cut_windows(
    recordings: door.Paths,
    out: door.FilePath = "data3.h5",
    *,
    window: Annotated[int, Ge(2), Le(100_000)] = 150,
    hop: door.Count = 75,
    rate: door.Rate = 50.0,
    trim: door.Seconds = 1.0,
    subjects: door.People | None = None,
    not_subjects: door.People | None = None,
    test_subjects: door.People | None = None,
    test_fraction: Annotated[float, Ge(0), Lt(1)] = 0.2,
    seed: door.Seed = 0,
    classes: door.Labels | None = None,
    merge: door.Labels | None = None,
    other: door.Names | None = None,
    channels: door.Names | None = None,
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
        subjects: People whose recordings are used, for training and test. Everybody's by default.
        not_subjects: People whose recordings are left out.
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

    files = door.paths_of("recordings", recordings)
    with new_file(Path(out), force):
        test_people, seen, read, warnings = cutting.cut_windows(
            files, Path(out), cutting.Windowing(window, hop, rate, trim),
            cutting.People(
                door.names_of(subjects), door.names_of(not_subjects), door.names_of(test_subjects), test_fraction, seed
            ),
            cutting.Classes(labels_of(classes), labels_of(merge), door.names_of(other)),
            channels=door.names_of(channels) or None, same_people=same_people,
        )  # fmt: skip
    if not test_people:
        warnings.append(
            "no test set: measure by cross-validation over people, if there are several, or on another file"
        )
    counts: dict[str, Any] = read.to_json()
    # What the preset reads. Of people that it was trained on, scores would be too good.
    start = f"finetune {START}" if (window, rate) == (150, 50) and not seen else "train --model activity_gru"
    then = f"zoo {start} --data {door.quoted(out)}"
    return Written(Path(out), counts, **counts, test_subjects=test_people, warnings=warnings, next=then)


@door.public
def build(name: str, source: door.FilePath, to: door.FilePath | None = None) -> Document:
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
    door.require_file(source)
    door.load_keras()
    from zoo.data import tfds
    from zoo.report.progress import counting

    with counting(err) as report:
        made = tfds.build(name, Path(source), None if to is None else Path(to), report=report)
    where = "" if to is None else f" --data-dir {door.quoted(to)}"
    return Document(made, markdown.document, next=f"zoo train PRESET --data tfds:{made['name']}{where}")
