"""From the files of a sensor to a file of windows: the calls behind the commands of `zoo data`.

`import_csv` and `import_study` write a file of recordings, and `cut_windows` cuts such files into windows.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from zoo.activity import recordings, sources, windows
from zoo.activity.columns import CsvColumns
from zoo.activity.csv import read_csv
from zoo.activity.studies import STUDIES
from zoo.activity.studies.reading import read_study
from zoo.catalog import as_names
from zoo.errors import ZooError
from zoo.files import exclusive, new_file, temporary_folder
from zoo.runtime.metadata import INERTIAL


class Imported(NamedTuple):
    """What an import wrote.

    Args:
        path: The file of recordings.
        recordings: Number of recordings that were written.
        dropped: How much was left out, by reason.
        files: How each CSV file was read: columns, unit, sign, rate.
        doubts: Sentences about files that are all said to be of one person or activity, though their names differ.
    """

    path: Path
    recordings: int
    dropped: dict[str, int]
    files: list[dict[str, Any]]
    doubts: list[str]


@dataclass(frozen=True)
class Windowed:
    """The windows that were cut.

    Args:
        path: The file of windows.
        test_subjects: People of the test set; none without one.
        dropped: How much was left out, by reason.
        doubts: What may be wrong with the labels, a sentence each.
    """

    path: Path
    test_subjects: list[str]
    dropped: dict[str, int]
    doubts: list[str] = field(default_factory=list)

    @cached_property
    def data(self) -> windows.ActivityData:
        """The file, as `load_data` opens it."""
        return windows.read(self.path)


def plan_csv(
    files: str | Path | Iterable[str | Path], *, layout: str | None = None, manifest: str | Path | None = None,
    study: str | None = None, **columns: Any,
) -> list[tuple[Path, CsvColumns]]:  # fmt: skip
    """Finds CSV files, and how each is read; arguments are those of `import_csv`."""
    if study is not None:
        _check_study(study)
    if unknown := set(columns) - set(CsvColumns.__dataclass_fields__):
        expected = ", ".join(CsvColumns.__dataclass_fields__)
        raise TypeError(f"import_csv has no argument {min(unknown)!r}; expected one of {expected}")
    return sources.find_sources(
        _paths(files), CsvColumns(**columns), layout, None if manifest is None else Path(manifest)
    )  # fmt: skip


_SEPARATORS = "/,;()"
"""Signs of a list of people, of an id, or of a source."""


def _check_study(name: str) -> None:
    if not name or name != name.strip() or not name.isprintable() or set(name) & set(_SEPARATORS):
        raise ZooError(f"study {name!r}: expected a name such as lab_a, without {' '.join(_SEPARATORS)}")


def _source_of(names: Sequence[str]) -> str:
    """Says where CSV files come from without their names, which may say who was recorded: exported files contain it.

    Example:
        >>> _source_of(["ann.csv", "ben.csv"])
        '2 CSV files #c3622fc7'
    """
    digest = hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()[:8]
    return f"{len(names)} CSV file{'s' if len(names) > 1 else ''} #{digest}"


def import_csv(
    files: str | Path | Iterable[str | Path],
    out: str | Path,
    *,
    layout: str | None = None,
    manifest: str | Path | None = None,
    study: str | None = None,
    append: bool = False,
    same_people: bool | None = None,
    force: bool = False,
    on_progress: Callable[[int], None] = lambda count: None,
    **columns: Any,
) -> Imported:
    r"""Imports CSV files of sensor apps into a file of recordings.

    Args:
        files: CSV files, and folders to search.
        out: The file to write.
        layout: How paths name people and activities, such as `{subject}/{activity}*.csv`.
        manifest: A table with the columns file, subject and activity, in place of `files`.
        study: Name of the lab, the semester or the protocol in which the files were recorded. People of different
            studies are different people; evaluation and cross-validation list studies, and can hold one out.
        append: Whether to add to the file.
        same_people: When adding: whether ids that are in the file already are the same people.
        force: Whether to replace a file of recordings.
        on_progress: Function that is called with the number of recordings that have been read.
        **columns: Names and units of columns, where the header of a file does not make them clear, as for
            `zoo.activity.csv.CsvColumns`: `subject="=ann"`, `activity`, `x`, `y`, `z`, `time`, `rate` in Hz, `unit`
            (`m/s^2` or `g`), `convention` (`android` or `ios`), `time_unit`, `gravity`, `gyroscope`, `rotation`,
            `rotation_unit`.

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
    out = Path(out)
    if append and force:
        raise ZooError("append adds to the file and force replaces it: pass one of them")
    if not append and not force and out.is_file():
        raise ZooError(f"{out}: exists already; --append adds to it, --force replaces it; or choose another name")
    begun: AbstractContextManager[None] = exclusive(out) if append else new_file(out, force)
    with begun:
        found = plan_csv(files, layout=layout, manifest=manifest, study=study, **columns)
        dropped, tables = Counter[str](), list[dict[str, Any]]()
        several = recordings.distinct(*(read_csv([file], each, dropped, tables) for file, each in found))
        several = _counted((replace(each, study=study or "") for each in several), on_progress)
        source = _source_of([file.name for file, _ in found])
        source = source if study is None else f"{study} ({source})"
        if append and out.exists():
            count = recordings.append(out, several, source=source, same_people=same_people)
        else:
            count = recordings.write(out, several, source=source)
    return Imported(out, count, dict(dropped), tables, sources.doubts(found))


def import_study(
    name: str, source: str | Path, out: str | Path, *, others: bool = False, force: bool = False,
    on_progress: Callable[[int], None] = lambda count: None,
) -> Imported:  # fmt: skip
    """Imports a published study in its official layout into a file of recordings.

    Args:
        name: A key of `zoo.activity.studies.STUDIES`: motionsense, wisdm, geotec, oxford, ...
        source: The zip file as it is published, or a folder with its contents.
        out: The file to write.
        others: Whether to import activities besides those of the recognizers, if the study has any.
        force: Whether to replace a file of recordings.
        on_progress: Function that is called with the number of recordings that have been read.

    Raises:
        ZooError: If the study is unknown, or its archive is not in its layout; or `out` exists.

    Example:
        >>> import_study("motionsens", "A_DeviceMotion_data.zip", "recordings.h5")
        Traceback (most recent call last):
        ...
        zoo.errors.ZooError: unknown study 'motionsens'; expected motionsense, wisdm, geotec, oxford
    """
    if name not in STUDIES:
        raise ZooError(f"unknown study {name!r}; expected {', '.join(STUDIES)}")
    out, dropped = Path(out), Counter[str]()
    with new_file(out, force):
        read = read_study(name, Path(source), dropped, others=others)
        count = recordings.write(out, _counted(read, on_progress), source=STUDIES[name].source)
    return Imported(out, count, dict(dropped), [], [])


def cut_windows(
    files: str | Path | Iterable[str | Path],
    out: str | Path,
    *,
    window: int = 150,
    hop: int = 75,
    rate: float = 50.0,
    trim: float = 1.0,
    test_subjects: str | Sequence[str] | None = None,
    test_fraction: float = 0.2,
    seed: int = 0,
    classes: str | Sequence[str] | Mapping[str, str] | None = None,
    merge: Mapping[str, str | Sequence[str]] | None = None,
    channels: Sequence[str] | None = None,
    same_people: bool | None = None,
    force: bool = False,
) -> Windowed:
    """Cuts recordings into windows, split by person.

    Args:
        files: Files of recordings, and folders of CSV files with columns for the person and the activity, such as those
            of `zoo serve --collect`; several are joined.
        out: The file to write.
        window: Rows per window.
        hop: Rows between the starts of windows.
        rate: Hz that all recordings are resampled to.
        trim: Seconds left out at both ends of a recording.
        test_subjects: People of the test set.
        test_fraction: Share of all people that goes into the test set if none are named; 0 for no test set.
        seed: Seed of the random choice of these people.
        classes: Labels to use, in this order; or the class of each label, such as `{"walk": "walking"}`. All that are
            found by default.
        merge: Labels that mean one of several classes, such as `{"stairs": ("upstairs", "downstairs")}`.
        channels: Channels to keep, such as `("x", "y", "z")`; all by default.
        same_people: Of several files: whether equal ids are the same person.
        force: Whether to replace a file of windows.

    Returns:
        `path`, `test_subjects` and `dropped`, and `data`, which opens the file as `load_data` does.

    Raises:
        ZooError: If recordings, labels or people are not as asked for; or `out` exists.

    Example:
        >>> from zoo.activity import simulate
        >>> random, folder = np.random.default_rng(0), Path(getfixture("tmp_path"))
        >>> people = [simulate.Walker.draw(name, random) for name in ("ann", "ben", "cleo")]
        >>> made = (who.record(label, 10, 50.0, random) for who in people for label in ("walking", "sitting"))
        >>> _ = recordings.write(folder / "recordings.h5", made, source="nobody", simulated=True)
        >>> data = cut_windows(folder / "recordings.h5", folder / "data3.h5", test_subjects=["cleo"]).data
        >>> data.classes, data.train.people(), data.test.people()
        (('sitting', 'walking'), ['ann', 'ben'], ['cleo'])
    """
    out = Path(out)
    with new_file(out, force), temporary_folder() as scratch:
        left_out = Counter[str]()
        parts = [_read(path, scratch / f"{place}.h5", left_out) for place, path in enumerate(_paths(files))]
        index = recordings.join(*parts, same_people=same_people, axes=channels)
        wanted = [classes] if isinstance(classes, str) else classes
        labels = windows.choose_classes(index.files, index.activities, wanted, merge)
        used = np.isin(index.activities, list(labels))
        chosen = as_names(test_subjects or ())
        if not chosen:
            chosen = windows.choose_test_subjects(index.subjects[used], test_fraction, seed, index.activities[used])
        dropped = windows.write_windows(index, out, windows.Windowing(window, hop, rate, trim), chosen, labels)
    return Windowed(out, chosen, dict(left_out + dropped), _differing_labels(index, labels))


def dry_run(files: Iterable[str | Path], **asked: Any) -> tuple[dict[str, Any], list[str]]:
    """How `import_csv` would read each file, with what is wrong with those that it would refuse; and doubts."""
    found = plan_csv(files, **asked)
    dropped, tables, count = Counter[str](), list[dict[str, Any]](), 0
    problems: dict[str, list[Path]] = {}
    for path, columns in found:
        try:
            count += sum(1 for _ in read_csv([path], columns, dropped, tables))
        except ZooError as error:
            problems.setdefault(str(error).removeprefix(f"{path}: "), []).append(path)
    # Files of one app share their problem.
    told = [
        f"{first} and {len(others)} other file{'s' * (len(others) > 1)}: {why}" if others else f"{first}: {why}"
        for why, (first, *others) in problems.items()
    ]
    document = {"files": tables, "recordings": count, "dropped": dict(dropped), "problems": told}
    return document, sources.doubts(found)


def _differing_labels(index: recordings.Index, classes: Mapping[str, str]) -> list[str]:
    """A sentence about files each of which has a label that another one lacks: one may mean several of the other's."""
    files = index.parts if isinstance(index, recordings.Joined) else (index,)
    resolved = {name for label, meaning in classes.items() for name in (label, *meaning.split("+")) if "+" in meaning}
    own = [(part.path.name, set(part.activities.tolist()) & set(classes) - resolved) for part in files]
    lacks = {
        name: sorted(label for label in labels if any(label not in others and others - labels for _, others in own))
        for name, labels in own
    }
    said = "; ".join(f"{', '.join(labels)} in {name}" for name, labels in lacks.items() if labels)
    advice = "if one means several of the others, name it with --merge"
    return [f"labels that not every file has: {said}; {advice}"] if said else []


def _read(path: Path, imported: Path, left_out: Counter[str]) -> recordings.Index:
    """Opens a file of recordings. CSV files of a folder are imported to a file for it first."""
    if not path.is_dir():
        return recordings.read(path)
    # Channels that some files lack are left out.
    gyroscope = all(set(INERTIAL) <= set(sources.header(file)) for file, _ in plan_csv(path))
    left_out.update(import_csv(path, imported, gyroscope=gyroscope).dropped)
    return recordings.read(imported).of(path)


def _counted(
    several: Iterable[recordings.Recording], on_progress: Callable[[int], None]
) -> Iterator[recordings.Recording]:
    for count, recording in enumerate(several, 1):
        on_progress(count)
        yield recording


def _paths(files: str | Path | Iterable[str | Path]) -> list[Path]:
    return [Path(files)] if isinstance(files, str | Path) else [Path(file) for file in files]
