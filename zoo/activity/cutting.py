"""Cuts recordings into windows, split by person, and writes them in the course's layout."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.activity import recordings
from zoo.activity.checks import check_range, check_signal, spelled_twice
from zoo.activity.data import draw_people
from zoo.activity.recordings import Findings, Index, Recording, convention
from zoo.catalog import PRESETS_FOLDER, START, joined_names, read_config
from zoo.data import OF_WINDOWS, hdf5
from zoo.data.dataset import sort_names
from zoo.errors import ArgumentError, ZooError, option
from zoo.files import temporary_folder
from zoo.provenance import already_seen
from zoo.report.screen import warn
from zoo.runtime.metadata import INERTIAL, OTHER, Metadata

if TYPE_CHECKING:
    import pandas as pd


def cut_windows(
    paths: Iterable[Path], out: Path, windowing: "Windowing", people: "People", wanted: "Classes", *,
    channels: Sequence[str] | None, same_people: bool | None,
) -> tuple[list[str], list[str], Findings, list[str]]:  # fmt: skip
    """Writes a file of windows, as `zoo.cut_windows` says.

    Returns the people of the test set, those that the preset to start with was trained on, how much was left out or
    changed, and what may be wrong.
    """
    findings, doubts = Findings(), list[str]()
    with temporary_folder() as scratch:
        parts = [_read(path, scratch / f"{place}.h5", findings, doubts) for place, path in enumerate(paths)]
        index = recordings.join(*parts, same_people=same_people, axes=channels)
        index = _of_people(index, people, findings)
        labels = choose_classes(index.files, index.activities, *wanted)
        used = np.isin(index.activities, list(labels))
        test = people.test or choose_test_subjects(
            index.subjects[used], people.test_fraction, people.seed, index.activities[used]
        )
        findings.dropped += write_windows(index, out, windowing, test, labels, other=bool(wanted.other))
    known = Metadata.from_json(read_config(PRESETS_FOLDER / START)["metadata"], START)
    seen = already_seen(sort_names(index.subjects), index.provenance["source"], known)
    doubts += [*spelled_twice(labels.values(), index.subjects.tolist()), *_differing_labels(index, labels)]
    return test, seen, findings, [*dict.fromkeys(doubts)]


def _of_people(index: Index, people: "People", findings: Findings) -> Index:
    """The recordings of the people who are used, among whom those of the test set must be."""
    require_people(index, [*people.used, *people.left_out])
    kept = np.isin(index.subjects, np.array(people.used or index.subjects, np.str_))
    kept &= ~np.isin(index.subjects, np.array(people.left_out, np.str_))
    if not kept.any():
        everyone = joined_names(sort_names(index.subjects))
        cure = f"change {option('subjects')} or {option('not_subjects')}"
        raise ZooError(f"{index.files}: nobody of {everyone} is used: {cure}")
    if not kept.all():
        findings.dropped["recordings of people who are not used"] += int((~kept).sum())
    index = index.of(kept)
    require_people(index, people.test)
    return index


def require_people(index: Index, names: Sequence[str]) -> None:
    """Refuses names that are not those of people of the recordings."""
    everyone = sort_names(index.subjects)
    if unknown := [name for name in names if name not in everyone]:
        # But for case, and for the study before the id.
        alike = [
            person for person in everyone for name in unknown
            if name.casefold() in (person.casefold(), person.casefold().rpartition("/")[2])
        ]  # fmt: skip
        advice = f": did you mean {' or '.join(alike)}?" if alike else ""
        if any("," in name for name in everyone):
            advice = f"""{advice}: a name with commas stands in quotes, as in '"Doe, Jane",ann'"""
        raise ZooError(f"{index.files}: no subject {joined_names(unknown)}; found {joined_names(everyone)}{advice}")


def _differing_labels(index: Index, classes: Mapping[str, str]) -> list[str]:
    """A sentence about files each of which has a label that another one lacks: one may mean several of the other's."""
    files = index.parts or (index,)
    resolved = {name for label, meaning in classes.items() for name in (label, *meaning.split("+")) if "+" in meaning}
    held = [(part.path.name, set(part.activities.tolist()) & set(classes) - resolved) for part in files]
    lacks = {
        name: sorted(label for label in labels if any(label not in others and others - labels for _, others in held))
        for name, labels in held
    }
    differing = "; ".join(f"{', '.join(labels)} in {name}" for name, labels in lacks.items() if labels)
    advice = f"if one means several of the others, name it with {option('merge')}"
    return [f"labels that not every file has: {differing}; {advice}"] if differing else []


def _read(path: Path, imported: Path, findings: Findings, doubts: list[str]) -> Index:
    if not path.is_dir():
        return recordings.read_recordings(path)
    from zoo.activity.columns import CsvColumns
    from zoo.activity.importing import import_csv
    from zoo.activity.sources import find_sources
    from zoo.activity.tables import Table, lines_of

    sources, notes = find_sources(path, CsvColumns())
    try:
        # Channels that some files lack are left out.
        gyroscope = all(
            set(INERTIAL) <= set(Table(str(file), lines_of(file)).names)
            for file, _ in sources if isinstance(file, Path)
        )  # fmt: skip
        made = import_csv([(file, columns.replace(gyroscope=gyroscope)) for file, columns in sources], imported)
    except ZooError as error:
        raise ZooError(f"{error}; run `zoo data import csv` first, which has these options, and cut its file") from None
    findings.add(made.findings)
    doubts += [*notes, *made.doubts]
    index = recordings.read_recordings(imported)
    return replace(index, path=path, parts=(index,))


class People(NamedTuple):
    """Whose recordings are used, by default everybody's, without those of people who are left out; and who is in the
    test set: people, or a share of all that a seed draws.
    """

    used: Sequence[str]
    left_out: Sequence[str]
    test: list[str]
    test_fraction: float
    seed: int


class Classes(NamedTuple):
    """Which labels become which classes, as `choose_classes` says."""

    classes: Sequence[str] | Mapping[str, str] | None
    merge: Mapping[str, str | Sequence[str]] | None
    other: Sequence[str]


@dataclass(frozen=True)
class Windowing:
    """Cuts recordings into windows of `window` rows, `hop` rows apart, all resampled to `rate` Hz.
    At both ends `trim` seconds, in which the phone is put away and taken out, are left out, if the importer has not.
    """

    window: int = 150
    hop: int = 75
    rate: float = 50.0
    trim: float = 1.0

    @property
    def needed(self) -> float:
        """Seconds of the shortest recording that has a window."""
        return self.window / self.rate + 2 * self.trim

    def windows(self, recording: Recording) -> NDArray[np.float32]:
        """All windows of one recording, `(count, window, channels)`; none where it is too short.

        Example:
            >>> rows = np.zeros((400, 3), np.float32)
            >>> Windowing(trim=1).windows(Recording("a", "1", "sitting", 50.0, rows)).shape
            (3, 150, 3)
        """
        return self.cut(self.rows(recording))

    def rows(self, recording: Recording) -> NDArray[np.float32]:
        """The rows of a recording at the rate, without its ends, `(rows, channels)`."""
        rows, edge = recording.resampled(self.rate), 0 if recording.trimmed else round(self.trim * self.rate)
        return rows[edge : len(rows) - edge]

    def cut(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """All windows of rows at the rate, `(count, window, channels)`."""
        starts = np.arange(0, len(rows) - self.window + 1, self.hop)
        return np.asarray(rows[starts[:, None] + np.arange(self.window)])


def choose_test_subjects(
    subjects: Iterable[str], fraction: float, seed: int, activities: Iterable[str] | None = None
) -> list[str]:
    """Draws a share of all people, in [0, 1), for the test set; if possible so that training keeps all activities."""
    everyone = list(subjects)
    people = sort_names(everyone)
    if fraction == 0:
        return []
    if len(people) < 2:
        cure = f"record another person, or pass {option('test_fraction', '0')} for no test"
        raise ZooError(f"only subject {', '.join(people)} is in the recordings, and a test needs somebody else: {cure}")
    labels = [""] * len(everyone) if activities is None else list(activities)
    return draw_people(np.random.default_rng(seed), everyone, labels, fraction)[0]


def choose_classes(
    path: str | Path, activities: Iterable[str], classes: Sequence[str] | Mapping[str, str] | None = None,
    merge: Mapping[str, str | Sequence[str]] | None = None, other: Sequence[str] = (),
) -> dict[str, str]:  # fmt: skip
    """The class of each label that is used, in the order of the classes; or the classes that it may mean, as `a+b`.
    By default, all labels are classes, sorted. Those in `other` become the last class, `other`.
    """
    labels = sorted({str(label) for label in activities})
    sets = {label: name if isinstance(name, str) else "+".join(name) for label, name in (merge or {}).items()}
    if classes is None:
        classes = [label for label in labels if label not in sets and label not in other]
        if len(labels) == 1:
            cure = f"import others, or pass {option('classes', labels[0])} to cut windows all the same"
            raise ZooError(f"{path}: all recordings are of {labels[0]!r}; a recognizer needs two activities: {cure}")
    chosen = dict(classes) if isinstance(classes, Mapping) else {label: label for label in classes}
    named = [*chosen.values(), *sets.values()]
    # Commas separate names in files, and a message is one line.
    fit = all(name.strip() and name.isprintable() and "," not in name for name in named)
    if not fit or not 0 < len(chosen) == len(classes):
        raise ZooError(f"classes {','.join([*classes, *sets])}: expected different names, and for merge a+b")
    if twice := [label for label in other if label in chosen or label in sets]:
        raise ZooError(f"other: {twice[0]} is a class already; expected labels that are not in classes or merge")
    if other and chosen.get(OTHER) == OTHER:
        cure = f"list this one as well, or call it otherwise with {option('classes', OTHER)}=NAME"
        raise ZooError(f"other: its class is called {OTHER}, as is a label of the recordings: {cure}")
    chosen |= sets | dict.fromkeys(other, OTHER)
    # Recognizers have it as their last output.
    chosen = dict(sorted(chosen.items(), key=lambda pair: bool(other) and pair[1] == OTHER))
    names = {name for label, name in chosen.items() if not _is_set(label, name)}
    for label in chosen:
        members = chosen[label].split("+")
        if _is_set(label, chosen[label]) and (not names.issuperset(members) or len(set(members)) < len(members)):
            raise ZooError(f"{label}={chosen[label]}: expected different classes of {', '.join(sorted(names))}")
    if unknown := [label for label in chosen if label not in labels]:
        swapped = [f"{chosen[label]}={label}" for label in unknown if chosen[label] in labels]
        advice = f": the label of the files comes first: {','.join(swapped)}" if swapped else ""
        raise ZooError(f"{path}: no recording of {', '.join(unknown)}; found {', '.join(labels)}{advice}")
    return chosen


def _is_set(label: str, name: str) -> bool:
    """Whether a label means one of several classes: `a+b` does, if that is not simply what the label is called."""
    return "+" in name and name != label


def parse_classes(text: str) -> dict[str, str]:
    """Reads `LABEL`, `LABEL=CLASS` or `LABEL=CLASS+CLASS`, comma-separated."""
    classes: dict[str, str] = {}
    for item in text.split(","):
        label, equals, name = (part.strip() for part in item.partition("="))
        if not label or (equals and not name) or label in classes:
            raise ZooError(f"{option('classes', text)}: expected different labels, each as LABEL or LABEL=CLASS")
        classes[label] = "+".join(part.strip() for part in name.split("+")) or label
    return classes


def cut_frame(
    frame: "pd.DataFrame", rate: float | None = None, unit: str | None = None
) -> dict[str, NDArray[Any]]:  # fmt: skip
    """Cuts the rows of a DataFrame into windows, which stay in memory: the columns `input`, `target`, `subject`.
    Rows have a `rate` where they have no time stamps; their `unit` is found out where it is not given.
    """
    from zoo.activity.checks import TableError
    from zoo.activity.columns import columns_of, recognized
    from zoo.activity.importing import read_csv

    if rate and (time := recognized("time", [*map(str, (*frame.index.names, *frame.columns))])):
        raise ArgumentError("rate", f": the DataFrame has time stamps in {time!r}; leave out one of them")
    windowing, columns, findings = Windowing(), columns_of({"unit": unit}, rate), Findings()
    try:
        pieces = [(recording, windowing.windows(recording)) for recording in read_csv(frame, columns, findings)]
    except TableError as error:
        # `zoo.load_data` has a unit, but no names of columns.
        cure = "import it with `zoo.import_csv`, which takes names and units"
        cure = f"pass {option(*error.remedy)}" if "unit" in error.remedy else cure
        raise TableError(error.problem, cure) from None
    people = {recording.subject for recording, _ in pieces}
    short = people - {recording.subject for recording, windows in pieces if len(windows)}
    if short:
        who, cure = ", ".join(sort_names(short)), "record longer, or leave these rows out"
        raise ZooError(f"DataFrame: no recording of {who} lasts {windowing.needed:g} s, a window and two ends: {cure}")
    for line in findings.sentences("DataFrame"):
        warn(line)
    numbers = [len(windows) for _, windows in pieces]
    return {
        "input": np.concatenate([windows for _, windows in pieces]),
        "target": np.repeat([recording.activity for recording, _ in pieces], numbers),
        "subject": np.repeat([recording.subject for recording, _ in pieces], numbers),
    }


def write_windows(
    index: Index, path: Path, windowing: Windowing, test_subjects: Sequence[str],
    classes: Sequence[str] | Mapping[str, str] | None = None, *, other: bool = False,
) -> Counter[str]:  # fmt: skip
    """Writes windows in the course's layout, those of `test_subjects` as the test set; returns what was left out.
    `classes` are as for `choose_classes`; with `other`, the last of them stands for all other movements.
    """
    chosen = choose_classes(index.files, index.activities, classes)
    sets = list(dict.fromkeys(name for label, name in chosen.items() if _is_set(label, name)))
    names = [name for name in dict.fromkeys(chosen.values()) if name not in sets]
    targets = {name: np.isin(names, name.split("+") if name in sets else name).astype(np.float32) for name in
               chosen.values()}  # fmt: skip
    dropped = Counter[str]()
    # The course's files have numbers as ids; of `007`, the zeros would be lost.
    numbered = all(name.isdecimal() and str(int(name)) == name and int(name) < 2**31 for name in index.subjects)
    kept = [name for name in OF_WINDOWS if any(index.column(name))]
    counts = {split: np.zeros(len(names)) for split in (("train", "test") if len(test_subjects) else ("train",))}
    with hdf5.create(path, "activity", inputs=index.paths) as file:
        for number, recording in enumerate(index):
            if recording.activity not in chosen:
                dropped[f"recordings of {recording.activity}"] += 1
                continue
            # A file of another program may hold anything: what windows are refused for is refused here by name.
            check_range(index.where(number), recording.rows)
            check_signal(index.where(number), recording.rows, recording.rate)
            windows = windowing.windows(recording)
            if not len(windows):
                dropped["recordings shorter than one window"] += 1
                continue
            split = "test" if recording.subject in test_subjects else "train"
            subject = np.int32(recording.subject) if numbered else recording.subject
            owner = {"subject": subject} | {name: getattr(recording, name) for name in kept}
            labels = np.tile(targets[chosen[recording.activity]], (len(windows), 1))
            repeated = {name: np.repeat(value, len(windows)) for name, value in owner.items()}
            hdf5.add_rows(file, "activity", {"input": windows, "target": labels, **repeated}, split)
            # A class is not known from sets that contain it.
            counts[split] += labels.sum(axis=0) if split == "test" or labels[0].sum() == 1 else 0
        _require_windows(path, counts, names, index, windowing, test_subjects, chosen)
        facts = {"classes": ",".join(names), "rate_hz": windowing.rate, "hop": windowing.hop, "other": other}
        facts |= {"label_sets": ",".join(sets)} if sets else {}
        file.attrs.update({**convention(index.axes), **facts, **index.provenance})
    return dropped


def _require_windows(
    path: Path, counts: Mapping[str, NDArray[Any]], names: Sequence[str], index: Index, windowing: Windowing,
    test_subjects: Sequence[str], classes: Mapping[str, str],
) -> None:  # fmt: skip
    """Refuses a part without windows, and training without windows of a class; says why there is none."""
    is_test = np.isin(index.subjects, np.array(test_subjects, np.str_))
    if is_test.all():
        raise ZooError(f"{path}: the train part would have no window: choose other test subjects")
    labels = np.array([classes.get(label, "") for label in index.activities.tolist()])
    empty = [name for name, count in zip(names, counts["train"], strict=True) if not count]
    if absent := [name for name in empty if is_test[labels == name].all()]:
        people = sort_names(index.subjects[np.isin(labels, absent)])
        cure = f"choose other {option('test_subjects')}, or leave it out with {option('classes')}"
        raise ZooError(f"{path}: {', '.join(absent)} was recorded only by {', '.join(people)}, of the test set: {cure}")
    short, what = np.isin(labels, empty) & ~is_test, ", ".join(empty)
    if not empty and "test" in counts and not counts["test"].sum():
        short, what = is_test & (labels != ""), f"the test people {', '.join(sort_names(test_subjects))}"
        if not short.any():
            raise ZooError(f"{path}: the test set would have no window: choose other test subjects")
    if short.any():
        longest = f"no recording of {what} is long enough: the longest lasts {index.seconds[short].max():.1f} s"
        needed = f"a window takes {windowing.needed:.1f} s, with {option('trim', f'{windowing.trim:g}')} s at both ends"
        raise ZooError(f"{path}: {longest}, and {needed}: record longer, or set {option('window')} or {option('trim')}")
