"""Commands on data: import, windows, describe, simulate."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoo.activity.studies import STUDIES, Study
from zoo.cli.console import (
    AxisX,
    AxisY,
    AxisZ,
    Channels,
    Convention,
    DataDir,
    Json,
    Rate,
    RotationUnit,
    Stamps,
    TimeUnit,
    Unit,
    data_file,
    err,
    load_tensorflow,
    say,
    show,
    warn,
)
from zoo.cli.values import names, whole
from zoo.errors import UsageError, ZooError, printable
from zoo.files import new_file

if TYPE_CHECKING:
    from zoo.activity.columns import CsvColumns
    from zoo.activity.making import Imported

data_app = typer.Typer(no_args_is_help=True, help="Import, cut, describe and simulate data.")
import_app = typer.Typer(no_args_is_help=True, help="Import recordings from CSV files and published studies.")
simulate_app = typer.Typer(no_args_is_help=True, help="Simulate data, which is marked as simulated.")
make_app = typer.Typer(no_args_is_help=True, help="Make data files from photographs or text.")
data_app.add_typer(import_app, name="import")
data_app.add_typer(make_app, name="make")
data_app.add_typer(simulate_app, name="simulate")

Out = Annotated[Path, typer.Option("--out", "-o", help="File to write.")]
OUT = Path("recordings.h5")
Source = Annotated[
    Path, typer.Argument(metavar="SOURCE", help="The published zip file, or a folder with its contents.")
]
Force = Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")]

_CLASSES_HELP = (
    "Comma-separated labels to use, in this order. By default all that are found. LABEL=CLASS renames a label of the "
    "files, as in walk=walking."
)


def _import_command(name: str, study: Study) -> None:
    """Adds the command that imports a study."""

    def imported(source: Path, out: Path, others: bool, force: bool, as_json: bool) -> None:
        from zoo.activity.making import import_study

        with _reading(out) as read:
            imported = import_study(name, source, out, others=others, force=force, on_progress=read)
        _imported(imported, as_json)

    def command(source: Source, out: Out = OUT, force: Force = False, as_json: Json = False) -> None:
        imported(source, out, False, force, as_json)

    def command_with_others(
        source: Source, out: Out = OUT, others: Annotated[bool, typer.Option("--others", help=study.others)] = False,
        force: Force = False, as_json: Json = False,
    ) -> None:  # fmt: skip
        imported(source, out, others, force, as_json)

    summary = f"Import the {study.title} study in its official layout.\n\n{study.citation}. {study.license}."
    add = import_app.command(study.command or name, help=summary)
    add(command_with_others if study.others else command)


for _name, _study in STUDIES.items():
    _import_command(_name, _study)


@import_app.command("csv")
def import_csv(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILES", help="CSV files, or folders to search.")
    ] = None,
    out: Out = OUT,
    layout: Annotated[
        str | None,
        typer.Option(help="How paths name people and activities, such as '{subject}/{activity}*.csv'."),
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option(help="A CSV table of files with the columns file, subject, activity.")
    ] = None,
    subject: Annotated[str | None, typer.Option(help="Column of the person, or =NAME for one person.")] = None,
    activity: Annotated[
        str | None, typer.Option(help="Column of the activity, or =LABEL for a single activity.")
    ] = None,
    study: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Name of the lab or protocol. People of different studies are different people."
        ),
    ] = None,
    x: AxisX = None,
    y: AxisY = None,
    z: AxisZ = None,
    channels: Channels = None,
    gyroscope: Annotated[
        bool,
        typer.Option("--gyroscope", help="Read the rotation rate as well. Its columns are recognized by their names."),
    ] = False,
    gravity: Annotated[
        str | None, typer.Option(metavar="X,Y,Z", help="Columns of gravity, if x, y and z do not include it.")
    ] = None,
    time: Stamps = None,
    rate: Rate = None,
    unit: Unit = None,
    convention: Convention = None,
    rotation_unit: RotationUnit = None,
    time_unit: TimeUnit = "auto",
    append: Annotated[bool, typer.Option("--append", help="Add to the file if it exists.")] = False,
    same_people: Annotated[
        bool,
        typer.Option("--same-people", help="With --append: an id that is already in the file is the same person."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show how the files would be read, and write nothing.")
    ] = False,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Import CSV files of the phone page, Sensor Logger, phyphox, Physics Toolbox and other apps."""
    from zoo.activity import making
    from zoo.activity.columns import CsvColumns
    from zoo.activity.sources import doubts
    from zoo.data import report

    columns = CsvColumns(
        x, y, z, None if rate else time, rate, subject, activity, unit, convention, time_unit,
        None if gravity is None else tuple(names(gravity)),
        gyroscope=gyroscope, rotation_unit=rotation_unit,
    )  # fmt: skip
    if channels is not None:
        columns = columns.with_channels(channels)
    if append and force:
        raise ZooError("--append adds to the file and --force replaces it: pass one of them")
    asked: dict[str, Any] = {"layout": layout, "manifest": manifest, "study": study, **vars(columns)}
    if dry_run:
        planned = making.plan_csv(files or [], **asked)
        _warn(doubts(planned))
        show(_dry_run(planned), as_json, report.dry_run)
        return
    with _reading(out) as read:
        imported = making.import_csv(
            files or [], out, append=append, same_people=same_people or None, force=force, on_progress=read, **asked
        )  # fmt: skip
    _warn(imported.doubts)
    _imported(imported, as_json)


@contextmanager
def _reading(out: Path) -> Iterator[Callable[[int], None]]:
    """Yields a function that shows on a terminal how many recordings have been read."""
    from zoo.report.progress import RowBoard

    if not err.is_terminal:
        yield lambda count: None
        return
    with RowBoard(err, "recording", 1).shown() as board:
        yield lambda count: board.rows(printable(out.name), count)


def _warn(lines: Iterable[str]) -> None:
    for line in lines:
        warn(line)


def _dry_run(sources: "list[tuple[Path, CsvColumns]]") -> dict[str, Any]:
    """How each file would be read, and what is wrong with those that would be refused."""
    from collections import Counter

    from zoo.activity.csv import read_csv
    from zoo.report import markdown

    dropped, tables, count = Counter[str](), list[dict[str, Any]](), 0
    problems: dict[str, list[Path]] = {}
    for path, columns in sources:
        try:
            count += sum(1 for _ in read_csv([path], columns, dropped, tables))
        except ZooError as error:
            problems.setdefault(str(error).removeprefix(f"{path}: "), []).append(path)
    # Files of one app share their problem.
    told = [
        f"{first} and {markdown.count(len(others), 'other file')}: {why}" if others else f"{first}: {why}"
        for why, (first, *others) in problems.items()
    ]
    return {"files": tables, "recordings": count, "dropped": dict(dropped), "problems": told}


def _imported(imported: "Imported", as_json: bool) -> None:
    from zoo.data import report
    from zoo.data.loading import describe

    facts = {"written": imported.recordings, "dropped": imported.dropped}
    read = {"read": report.summary(imported.files)} if imported.files else {}
    show(describe(imported.path) | facts | read, as_json, report.description)


@data_app.command()
def windows(
    recordings_files: Annotated[
        list[Path],
        typer.Argument(
            metavar="RECORDINGS",
            help="Files written by `zoo data import`, or folders of `zoo serve --collect`. Several are joined.",
        ),
    ],
    out: Out = Path("data3.h5"),
    window: Annotated[int, typer.Option(min=1, max=100_000, help="Number of rows of a window.")] = 150,
    hop: Annotated[int, typer.Option(min=1, help="Number of rows between the starts of two windows.")] = 75,
    rate: Annotated[
        float, typer.Option(min=0, max=100_000, help="Rate in Hz to which all recordings are resampled.")
    ] = 50.0,
    trim: Annotated[float, typer.Option(min=0, help="Seconds to leave out at both ends of a recording.")] = 1.0,
    test_subjects: Annotated[str | None, typer.Option(help="Comma-separated people for the test set.")] = None,
    test_fraction: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Share of all people that goes into the test set if none are named; 0 for no test set."
        ),
    ] = 0.2,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random choice of these people.")] = 0,
    classes: Annotated[str | None, typer.Option(help=_CLASSES_HELP)] = None,
    merge: Annotated[
        str | None,
        typer.Option(help="Labels that mean one of several classes, as in stairs=upstairs+downstairs."),
    ] = None,
    channels: Annotated[
        str | None, typer.Option(help="Channels to keep: x,y,z without the gyroscope. All by default.")
    ] = None,
    same_people: Annotated[
        bool | None,
        typer.Option(
            "--same-people/--different-people",
            rich_help_panel="Several files",
            help="Whether equal ids in different files are the same person.",
        ),
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Cut recordings into windows, split by person."""
    from zoo.activity.making import cut_windows
    from zoo.activity.windows import parse_classes
    from zoo.data import report
    from zoo.data.loading import describe

    with err.status("cutting windows"):
        made = cut_windows(
            recordings_files, out, window=window, hop=hop, rate=rate, trim=trim,
            test_subjects=names(test_subjects), test_fraction=test_fraction, seed=seed,
            classes=parse_classes(classes) if classes else None, merge=parse_classes(merge) if merge else None,
            channels=names(channels) or None, same_people=same_people, force=force,
        )  # fmt: skip
    show(describe(out) | {"dropped": made.dropped}, as_json, report.description)
    for doubt in made.doubts:
        warn(doubt)
    if not made.test_subjects:
        line = "no test set: measure by cross-validation over people, if there are several, or on another file"
        warn(line)


@data_app.command("build")
def build_dataset(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="Name, such as zoo_activity/motionsense_150_75 or zoo_text/course."),
    ],
    source: Annotated[
        Path, typer.Option("--from", help="The file or folder to build from, or a folder that contains it.")
    ],
    to: Annotated[
        Path | None, typer.Option(help="Folder of the builds. TFDS_DATA_DIR or ~/tensorflow_datasets by default.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Build a data set of TensorFlow Datasets, for `tfds.load` and for --data tfds:NAME."""
    load_tensorflow()
    from zoo.data import tfds
    from zoo.report import markdown
    from zoo.report.progress import RowBoard

    with RowBoard(err).shown() as board:
        made = tfds.build(name, source, to, report=board.rows)
    show(made, as_json, markdown.document)
    where = "" if to is None else f" --data-dir {to}"
    then = f"next: zoo train PRESET --data tfds:{made['name']}{where}"
    say(then)


@data_app.command("describe")
def describe_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Any data file of the zoo, or tfds:NAME.")],
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Show what a data file contains, its balance, its problems and its leaks."""
    from zoo.data import report
    from zoo.data.loading import describe

    show(describe(data_file(file, data_dir)), as_json, report.description)


@simulate_app.command("activity")
def simulate_activity(
    out: Out = Path("data3.h5"),
    subjects: Annotated[int, typer.Option(min=2, max=100_000, help="Number of people, 2 or more.")] = 12,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the simulation.")] = 0,
    seconds: Annotated[float, typer.Option(min=0, max=86_400, help="Duration of each recording in seconds.")] = 60.0,
    gyroscope: Annotated[bool, typer.Option("--gyroscope", help="Simulate a gyroscope as well.")] = False,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Simulate people with a phone in the pocket. The windows are synthetic."""
    from zoo.activity import simulate
    from zoo.data import report
    from zoo.data.loading import describe

    with new_file(out, force):
        simulate.write_simulated(out, subjects, seed, seconds, gyroscope)
    show(describe(out), as_json, report.description)


@make_app.command("patches")
def make_patches(
    photographs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PHOTOGRAPHS",
            help="Pictures or folders of pictures. Those of scikit-learn and scikit-image by default.",
        ),
    ] = None,
    out: Out = Path("data1.h5"),
    count: Annotated[int, typer.Option(min=1, max=10_000_000, help="Number of patches.")] = 10240,
    size: Annotated[int, typer.Option(min=1, max=1024, help="Side of a patch in pixels.")] = 16,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the positions of the patches.")] = 443,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Cut patches from photographs, the same number from each. Flat patches are left out."""
    from zoo.data import report
    from zoo.data.loading import describe
    from zoo.patches.data import Photographs, shipped_photographs, write_patches

    with new_file(out, force):
        chosen = Photographs(photographs) if photographs else shipped_photographs()
        flat = write_patches(out, chosen, count, size, seed)
    show(describe(out) | {"flat_patches_refused": flat}, as_json, report.description)


@simulate_app.command("patches")
def simulate_patches(
    out: Out = Path("data1.h5"),
    count: Annotated[int, typer.Option(min=1, max=10_000_000, help="Number of patches.")] = 10240,
    size: Annotated[int, typer.Option(min=1, max=1024, help="Side of a patch in pixels.")] = 16,
    pictures: Annotated[int, typer.Option(min=1, max=10_000, help="Number of pictures.")] = 12,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the simulation.")] = 0,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Simulate pictures of overlapping disks (dead leaves), and cut patches from them. They are synthetic."""
    from zoo.data import report
    from zoo.data.loading import describe
    from zoo.patches import simulate as dead_leaves

    with new_file(out, force):
        dead_leaves.write_simulated(out, count, size, pictures, seed)
    show(describe(out), as_json, report.description)


@make_app.command("text")
def make_text(
    text: Annotated[list[Path], typer.Option(help="UTF-8 text with a sentence per line. Repeatable.")],
    vocabulary: Annotated[str, typer.Option(help="Number of words, or a file with the words.")] = "250",
    out: Out = Path("data2.h5"),
    validation_rows: Annotated[
        str | None,
        typer.Option(
            metavar="START:STOP", help="Rows of the text for validation. By default the tenth before the test rows."
        ),
    ] = None,
    test_rows: Annotated[
        str | None, typer.Option(metavar="START:STOP", help="Rows of the text for the test. By default the last tenth.")
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Make rows of four words from any text, split by their position in it."""
    from zoo.data import report
    from zoo.data.loading import describe
    from zoo.text import data as trigrams

    with new_file(out, force):
        count = whole(vocabulary)
        words = Path(vocabulary) if count is None else count
        made = trigrams.write_trigrams(
            out, text, words, _stretch("--validation-rows", validation_rows), _stretch("--test-rows", test_rows)
        )
    details = {
        "text_rows": made.rows, "rows_left_out": made.left_out, "test_overlaps_training": dict(made.overlap),
        "notes": list(made.notes),
    }  # fmt: skip
    show(describe(out) | details, as_json, report.description)


def _stretch(option: str, value: str | None) -> tuple[int, int] | None:
    if value is None:
        return None
    start, stop = ([*map(whole, value.split(":")), None, None])[:2] if value.count(":") == 1 else (None, None)
    if start is None or stop is None or min(start, stop) < 0:
        raise UsageError(f"{option} {value}: expected START:STOP, such as 9000:10000")
    return start, stop


@simulate_app.command("text")
def simulate_text(
    out: Out = Path("data2.h5"),
    sentences: Annotated[int, typer.Option(min=1, max=10_000_000, help="Number of sentences.")] = 20000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the simulation.")] = 0,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Simulate sentences of a small grammar, and make rows of four words from them. They are synthetic."""
    from zoo.data import report
    from zoo.data.loading import describe
    from zoo.text.simulate import write_simulated

    with new_file(out, force):
        write_simulated(out, sentences, seed)
    show(describe(out), as_json, report.description)
