"""Recordings: what a phone recorded, before it is cut into windows.

A recording is one uninterrupted stretch of sensor rows of one person doing one activity, in one convention: total
acceleration in m/s^2, gravity included, x y z, Android's sign (at rest and face up, z is +9.81); and, where a gyroscope
was recorded, rotation rate in rad/s about the same axes.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import chain, compress, islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.activity.checks import GAP_STEPS, Copies, Faults, check_convention, is_within
from zoo.data import LAYOUTS, hdf5
from zoo.data.dataset import sort_names
from zoo.errors import COMMAND, ZooError, option, printable, shown
from zoo.files import exclusive
from zoo.runtime.metadata import AXES, CONVENTION, INERTIAL, ROTATION_UNIT, UNIT

SCHEMA = LAYOUTS["recordings"]


def convention(axes: Sequence[str]) -> dict[str, str]:
    """The attributes of a file that say what its channels are."""
    unit = UNIT if tuple(axes) == AXES else f"{UNIT},{ROTATION_UNIT}"
    return {"unit": unit, "axes": ",".join(axes), "convention": CONVENTION}


@dataclass(frozen=True)
class Recording:
    """One uninterrupted stretch of one person doing one activity, at `rate` Hz.
    `acceleration` is `(rows, 3)` float32 in m/s^2, gravity included, Android's sign; `rotation` is None or `(rows, 3)`
    in rad/s. `name` is the source; `start` are seconds from its start, `trimmed` those left out at both ends; `decided`
    says who labeled it, if that is known.
    """

    name: str
    subject: str
    activity: str
    rate: float
    acceleration: NDArray[np.float32]
    start: float = 0.0
    study: str = ""
    position: str = ""
    device: str = ""
    orientation: str = ""
    trimmed: float = 0.0
    decided: str = ""
    rotation: NDArray[np.float32] | None = None

    @property
    def axes(self) -> tuple[str, ...]:
        """The names of the channels."""
        return AXES if self.rotation is None else INERTIAL

    @property
    def rows(self) -> NDArray[np.float32]:
        """All channels, `(rows, 3)` or `(rows, 6)`."""
        return self.acceleration if self.rotation is None else np.hstack([self.acceleration, self.rotation])

    @property
    def seconds(self) -> float:
        """The duration."""
        return len(self.acceleration) / self.rate

    def resampled(self, rate: float) -> NDArray[np.float32]:
        """All channels at another rate, low-pass filtered below half of the lower one (a polyphase FIR filter)."""
        ratio = Fraction(rate / self.rate).limit_denominator(1000)
        if not 0 < ratio * len(self.acceleration) <= _MOST_ROWS:
            raise ZooError(f"{self.name}: cannot be read at {rate:g} Hz; it has {self.rate:g}: expected 0.1 to 100000")
        if ratio == 1:
            return self.rows
        # Its import takes as long as everything else that an import of recordings needs.
        from scipy.signal import resample_poly

        rows = resample_poly(self.rows.astype(np.float64), ratio.numerator, ratio.denominator, axis=0, padtype="line")
        return np.asarray(rows, np.float32)


_MOST_ROWS = 100_000_000
"""More rows of a recording than memory holds."""


@dataclass
class Findings:
    """What reading finds: how much is left out or changed, by reason, what a broken sensor has left, what repeats, and
    how each file is read.
    """

    dropped: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    faults: Faults = field(default_factory=Faults)
    copies: Copies = field(default_factory=Copies)
    files: list[dict[str, Any]] = field(default_factory=list)
    contradictions: list[str] = field(default_factory=list)

    def add(self, other: "Findings") -> None:
        """Adds other counts, without those that are 0."""
        self.dropped.update(+other.dropped)
        self.changed.update(+other.changed)

    def doubts(self) -> list[str]:
        """A sentence for each kind of fault, and one for all files that contradict what is given."""
        more = len(self.contradictions) - 1
        again = [f"{one}{f' So in {more} more files.' * (more > 0)}" for one in self.contradictions[:1]]
        return [*again, *self.faults.sentences(self.copies.repeated)]

    def sentences(self, where: str) -> list[str]:
        """A line for each reason, where no description of a file has them, and the doubts."""
        lines = [f"{where}: left out: {reason} ({count})" for reason, count in self.dropped.items()]
        return [*lines, *(f"{where}: {reason} ({count})" for reason, count in self.changed.items()), *self.doubts()]

    def to_json(self) -> dict[str, dict[str, int]]:
        """Returns the counts by reason, without those that are 0."""
        return {"dropped": dict(+self.dropped), "changed": dict(+self.changed)}


GAPS, RESTARTS = "gaps at which a recording was split", "restarts of the clock at which a recording was split"
NOT_RISING = "rows whose time stamp does not rise"
LOST_STEPS = 5.5
"""The same where rows are there without their values: up to four lost samples in a row are interpolated."""
_DRIFT = 1.0
"""Seconds by which a rounding of the rate may shift the end of a stretch: as much as is trimmed by default."""
_PART = 1 << 18
"""Rows that are put on the grid at once: a recording of a day and its copies would fill the memory."""
_NOT_FINITE = "rows with a value that is not finite, or that no sensor measures"


def restarts_of(times: NDArray[np.float64]) -> NDArray[np.int64]:
    """The rows at which a clock has restarted: where it jumps back, and not by a few late rows."""
    dated = np.flatnonzero(np.isfinite(times))
    steps = np.diff(times[dated])
    if not (steps < 0).any() or not len(forward := steps[steps > 0]):
        return dated[:0]
    return dated[1:][steps < -LOST_STEPS * float(np.median(forward, overwrite_input=True))]


def stretches(
    name: str, subject: str, activity: str, times: NDArray[np.float64], rows: NDArray[np.float64],
    rate: float | None, findings: Findings,
) -> Iterator[Recording]:  # fmt: skip
    """Splits rows of a person and an activity where they are not continuous, and puts each part on an even grid.
    `times` are seconds, `rows` are `(rows, 3)` in m/s^2, or `(rows, 6)` with rad/s; those with a `rate` are even.
    """
    # A clock that restarts is another trial, which starts where the last one ended.
    restarts = restarts_of(times)
    findings.changed[RESTARTS] += len(restarts)
    end = 0.0
    for start, stop in pairwise([0, *restarts.tolist(), len(times)]):
        before = end
        for hertz, even, begin in _trial(times[start:stop], rows[start:stop], rate, findings):
            rotation = even[:, 3:] if even.shape[1] > 3 else None
            end = before + begin + len(even) / hertz
            yield Recording(name, subject, activity, hertz, even[:, :3], before + begin, rotation=rotation)


def _trial(
    times: NDArray[np.float64], rows: NDArray[np.float64], rate: float | None, findings: Findings
) -> Iterator[tuple[float, NDArray[np.float32], float]]:
    """The rate, the rows and the start of each part of a trial between two gaps."""
    dated = np.isfinite(times)
    later = dated.copy()
    later[1:] &= times[1:] > np.maximum.accumulate(np.where(dated, times, -np.inf))[:-1]
    findings.dropped[NOT_RISING] += int((dated & ~later).sum())
    findings.dropped[_NOT_FINITE] += int((~dated).sum())
    if not later.all():
        times, rows = times[later], rows[later]
    if len(times) < 2:
        findings.dropped["rows left alone"] += len(times)
        return
    step = 1 / rate if rate else float(np.median(np.diff(times)))
    first, there = times[0], is_within(rows)
    if not there.all():
        kept = np.ones(len(times), bool)
        for axis in there.T:
            # Before the first and after the last value there is nothing to interpolate from; over a gap, too little.
            ends = np.concatenate([[-1], np.flatnonzero(axis), [len(axis)]])
            moments = np.concatenate([[-np.inf], times[axis], [np.inf]])
            for hole in np.flatnonzero((np.diff(ends) > 1) & (np.diff(moments) > LOST_STEPS * step)):
                kept[ends[hole] + 1 : ends[hole + 1]] = False
        findings.dropped[_NOT_FINITE] += int((~kept).sum())
        times, rows, there = times[kept], rows[kept], there[kept]
    gaps = np.flatnonzero(np.diff(times) > GAP_STEPS * step) + 1
    findings.changed[GAPS] += len(gaps)
    for start, stop in pairwise([0, *gaps.tolist(), len(times)]):
        whole = np.flatnonzero(there[start:stop].all(axis=1))
        # A hole in one axis may begin within a gap in another one.
        here = slice(start + whole[0], start + whole[-1] + 1) if len(whole) else slice(start, start)
        moment, values, measured = times[here], rows[here], there[here]
        findings.dropped[_NOT_FINITE] += stop - start - len(moment)
        if len(moment) < 2:
            findings.dropped["rows alone between two gaps"] += len(moment)
            continue
        findings.changed["rows with lost values, interpolated"] += len(moment) - len(whole)
        hertz, count, length = rate, len(moment), moment[-1] - moment[0]
        if hertz is None:
            # Stamps jitter by some milliseconds; the mean rate of a stretch does not. Rates that differ by a rounding
            # of the clock are one; where that would shift the end, as in an hour, rows are taken in its steps.
            step = length / (count - 1)
            hertz = float(f"{1 / step:.3g}")
            if abs(length - (count - 1) / hertz) > _DRIFT:
                step, count = 1 / hertz, round(length * hertz) + 1
        even = np.empty((count, values.shape[1]), np.float32)
        for axis in range(values.shape[1]):
            stamps, numbers = moment, values[:, axis].copy()
            if not (present := measured[:, axis]).all():
                stamps, numbers = moment[present], numbers[present]
            for begin in range(0, count, _PART):
                part = slice(begin, min(begin + _PART, count))
                grid = moment[part] if rate else moment[0] + step * np.arange(part.start, part.stop)
                even[part, axis] = np.interp(grid, stamps, numbers)
        yield hertz, even, float(moment[0] - first)


CIRCUMSTANCES = ("study", "position", "device", "orientation", "trimmed", "decided")
"""What is known of the recordings of a study: optional keys of a file, and attributes of `Recording`."""
_NO_ROWS = np.zeros((0, 3), np.float32)


@dataclass(frozen=True)
class Index:
    """The contents of a file of recordings, or of several, the `parts`, one after another.
    `recordings` are without their rows, of which each has as many as `lengths` says, from `starts` on in its file.
    """

    path: Path
    recordings: Sequence[Recording]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    provenance: Mapping[str, Any]
    axes: tuple[str, ...] = AXES
    parts: "tuple[Index, ...]" = ()

    def column(self, name: str) -> NDArray[Any]:
        """An attribute of each recording, such as `rate`."""
        return np.array([getattr(recording, name) for recording in self.recordings])

    @property
    def subjects(self) -> NDArray[np.str_]:
        """The person of each recording."""
        return self.column("subject")

    @property
    def activities(self) -> NDArray[np.str_]:
        """The activity of each recording."""
        return self.column("activity")

    def selected(self, axes: Sequence[str]) -> "Index":
        """The same recordings with all their channels, or with the first three."""
        if tuple(axes) not in (AXES, INERTIAL):
            text = ",".join(axes)
            raise ZooError(f"{option('channels', text)}: expected {','.join(AXES)} or {','.join(INERTIAL)}")
        if len(axes) > len(self.axes):
            cure = f"import it with {option('gyroscope')}, or choose {option('channels', 'x,y,z')}"
            raise ZooError(f"{self.path}: holds {','.join(self.axes)} and no rotation rate: {cure}")
        return replace(self, axes=tuple(axes), parts=tuple(part.selected(axes) for part in self.parts))

    def of(self, chosen: NDArray[np.bool_]) -> "Index":
        """Some of the recordings, by a flag for each."""
        ends = np.cumsum([len(part) for part in self.parts])[:-1].astype(int)
        return replace(
            self, recordings=[*compress(self.recordings, chosen)], starts=self.starts[chosen],
            lengths=self.lengths[chosen],
            parts=tuple(part.of(flags) for part, flags in zip(self.parts, np.split(chosen, ends), strict=False)),
        )  # fmt: skip

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that are read."""
        return tuple(part.path for part in self.parts) or (self.path,)

    @property
    def files(self) -> str:
        """The names of the files, for messages."""
        return ", ".join(map(str, self.paths)) if len(self.parts) > 1 else str(self.path)

    def where(self, number: int) -> str:
        """Names a recording and its file, for messages."""
        for part in self.parts:
            if number < len(part):
                return part.where(number)
            number -= len(part)
        return f"{self.path}: recording {self.recordings[number].name}"

    @property
    def seconds(self) -> NDArray[np.float64]:
        """The duration of each."""
        return np.asarray(self.lengths / self.column("rate"))

    def __len__(self) -> int:
        return len(self.recordings)

    def __iter__(self) -> Iterator[Recording]:
        if self.parts:
            pairs = zip(distinct(*self.parts, files=self.paths), self.recordings, strict=True)
            yield from (replace(recording, subject=named.subject) for recording, named in pairs)
            return
        rows = hdf5.open_column(self.path, "acceleration")
        turns = None if self.axes == AXES else hdf5.open_column(self.path, "rotation")
        for recording, start, length in zip(self.recordings, self.starts.tolist(), self.lengths.tolist(), strict=True):
            part = slice(start, start + length)
            yield replace(recording, acceleration=rows[part], rotation=None if turns is None else turns[part])


def join(*parts: Index, same_people: bool | None = None, axes: Sequence[str] | None = None) -> Index:
    """Joins files of recordings. Different studies have different people: `wisdm/1602` is 1602 of the study wisdm.
    `same_people` says whether equal ids are one person; False puts the name of the file before each id.
    """
    if axes is not None:
        parts = tuple(part.selected(axes) for part in parts)
    # Ids are those of a study: without its name, 1602 of one study would be 1602 of another.
    several = len({study for part in parts for study in part.column("study").tolist()}) > 1
    if len(parts) == 1 and not several:
        return parts[0]
    if len({part.axes for part in parts}) > 1:
        held = "; ".join(f"{part.path} holds {','.join(part.axes)}" for part in parts)
        raise ZooError(f"{held}: choose what all of them hold with {option('channels', 'x,y,z')}")
    names = [part.path.stem for part in parts]
    names = names if len(set(names)) == len(names) else [str(part.path) for part in parts]
    groups = [[_in_study(recording, several) for recording in part.recordings] for part in parts]
    counts = Counter(subject for group in groups for subject in {recording.subject for recording in group})
    both = sort_names(subject for subject, count in counts.items() if count > 1)
    if both and same_people is None:
        different = option("different_people") if COMMAND in os.environ else "same_people=False"
        files, people = ", ".join(str(part.path) for part in parts), f"{names[0]}/{both[0]}, {names[1]}/{both[0]}"
        cure = f"pass {option('same_people')} if that is one person, or {different} for {people}, ..."
        raise ZooError(f"{files}: subject {', '.join(both)} is in more than one file: {cure}")
    if both and not same_people:
        groups = [
            [replace(recording, subject=f"{name}/{recording.subject}") for recording in group]
            for name, group in zip(names, groups, strict=True)
        ]
    return Index(
        parts[0].path, [*chain.from_iterable(groups)], np.concatenate([part.starts for part in parts]),
        np.concatenate([part.lengths for part in parts]),
        provenance={
            "simulated": any(part.provenance["simulated"] for part in parts),
            "source": hdf5.shortened("; ".join(dict.fromkeys(str(part.provenance["source"]) for part in parts))),
        },
        axes=parts[0].axes, parts=parts,
    )  # fmt: skip


def _in_study(recording: Recording, several: bool) -> Recording:
    """A recording whose person, where there are several studies, is called after the study as well."""
    study, subject = recording.study, recording.subject
    if not several or not study or subject.startswith(f"{study}/"):
        return recording
    return replace(recording, subject=f"{study}/{subject}")


def distinct(*groups: Iterable[Recording], files: Sequence[Path] = ()) -> Iterator[Recording]:
    """The recordings of all groups; refuses one with rows of another, as people in training and test would share."""
    copies = Copies()
    for number, group in enumerate(groups):
        for recording in group:
            if copy := copies.find(number, recording.name, recording.acceleration):
                other, theirs = copy
                mine = recording.name
                if files:
                    mine, theirs = f"{files[number]}: recording {mine}", f"{theirs} of {files[other]}"
                raise ZooError(f"{mine}: has the same rows as {theirs}: import each recording once")
            yield recording


def append_recordings(
    path: Path, recordings: Iterable[Recording], *, source: str | Callable[[], str], same_people: bool = False
) -> None:
    """Adds recordings, all of one study or of none, to a file, which is replaced as a whole or not at all.
    If the studies differ, their names are put before the ids of people.
    """
    with exclusive(path):
        before, rest = read_recordings(path), iter(recordings)
        origin, first = before.provenance, list(islice(rest, 1))
        several = len({*before.column("study").tolist(), *(recording.study for recording in first)}) > 1
        people = {_in_study(recording, several).subject for recording in before.recordings}

        def added() -> Iterator[Recording]:
            for recording in (_in_study(added, several) for added in chain(first, rest)):
                if recording.subject in people and not same_people:
                    cure = f"pass {option('same_people')} if both are one, or rename it by {option('subject')} =NAME"
                    raise ZooError(f"{recording.name}: subject {recording.subject} is in {path} already: {cure}")
                yield recording

        write_recordings(
            path, distinct((_in_study(old, several) for old in before), added()), simulated=origin["simulated"],
            source=lambda: f"{origin['source']}; {source if isinstance(source, str) else source()}",
        )  # fmt: skip


LONGEST_NAME = 200
"""Letters of the longest name of a person or an activity."""
_LONGEST_SOURCE = 250
"""Letters of the source of a recording, a path, that are kept, from the right: at most a thousand bytes."""


def misnamed(name: str, *, is_label: bool) -> str:
    """What is wrong with the name of a person or, with `is_label`, an activity; empty for a name."""
    if not name.strip():
        return "is empty: fill it in, or leave it out"
    if len(name) <= LONGEST_NAME and name.isprintable() and not (is_label and "," in name):
        return ""
    without = "commas and control characters" if is_label else "control characters"
    return f"{shown(name)}; expected a name of at most {LONGEST_NAME} letters, without {without}"


def write_recordings(
    path: Path, recordings: Iterable[Recording], *, source: str | Callable[[], str], simulated: bool = False
) -> int:
    """Writes recordings, of which one is in memory, and returns their number. `source` may be called after the last."""
    axes: tuple[str, ...] = AXES
    offsets, kept = [0], list[Recording]()
    with hdf5.create(path, "recordings") as file:
        for recording in recordings:
            axes = axes if kept else recording.axes
            if recording.axes != axes:
                other = f"{','.join(recording.axes)}, and what {path} holds before it is {','.join(axes)}"
                raise ZooError(f"{recording.name}: holds {other}: import all files with {option('gyroscope')}, or none")
            if wrong := SCHEMA.column("rate").problem(np.array([recording.rate])):
                raise ZooError(f"{recording.name}: 'rate' {wrong} Hz")
            for key in ("subject", "activity"):
                if wrong := misnamed(getattr(recording, key), is_label=key == "activity"):
                    raise ZooError(f"{recording.name}: '{key}': {wrong}")
            if not len(recording.acceleration):
                raise ZooError(f"{recording.name}: has no rows")
            turns = {} if recording.rotation is None else {"rotation": recording.rotation}
            hdf5.add_rows(file, "recordings", {"acceleration": recording.acceleration, **turns})
            offsets.append(offsets[-1] + len(recording.acceleration))
            kept.append(replace(recording, acceleration=_NO_ROWS, rotation=None))
        if not kept:
            raise ZooError(f"{path}: nothing to write: the source holds no recording")
        file["offsets"], file["rate"] = np.array(offsets, np.int64), np.array([recording.rate for recording in kept])
        file["name"] = [printable(recording.name)[-_LONGEST_SOURCE:] for recording in kept]
        for name in ("subject", "activity", *CIRCUMSTANCES):
            values = [getattr(recording, name) for recording in kept]
            if any(values):
                file[name] = values
        origin = source if isinstance(source, str) else source()
        file.attrs.update({**convention(axes), "source": hdf5.shortened(origin), "simulated": simulated})
    return len(kept)


def read_recordings(path: Path) -> Index:
    """Opens a file of recordings and checks it."""
    sizes = hdf5.check_layout(path, "recordings")
    offsets = hdf5.read_column(path, "offsets")
    if len(offsets) != sizes["M"] + 1 or offsets[0] != 0 or offsets[-1] != sizes["R"] or (np.diff(offsets) < 1).any():
        raise ZooError(f"{path}: key 'offsets' does not divide the {sizes['R']} rows into {sizes['M']} recordings")
    attributes, axes = hdf5.attributes(path), INERTIAL if hdf5.has(path, "rotation") else AXES
    check_convention(path, attributes, axes)
    names = ["name", "subject", "activity", *(name for name in CIRCUMSTANCES if hdf5.has(path, name))]
    rates = hdf5.read_column(path, "rate", SCHEMA.column("rate")).astype(np.float64).tolist()
    columns = (hdf5.read_column(path, name, SCHEMA.column(name)).tolist() for name in names)
    stated = [
        Recording(rate=rate, acceleration=_NO_ROWS, **dict(zip(names, values, strict=True)))
        for rate, *values in zip(rates, *columns, strict=True)
    ]
    return Index(path, stated, offsets[:-1], np.diff(offsets), hdf5.read_facts(path, "recordings"), axes)
