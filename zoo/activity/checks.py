"""What acceleration and rotation rate must look like: their unit, gravity, values that a sensor measures, no copies.

Gravity alone makes the mean length of the acceleration vector about 9.81 m/s^2. Movement cancels out over a second or a
window; gravity does not, whichever way the phone is turned.
"""

import hashlib
import re
import unicodedata
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError, option
from zoo.runtime.interpreter import lengths_of, norms
from zoo.runtime.metadata import (
    ACCELERATION_LIMIT,
    CONVENTION,
    ROTATION_LIMIT,
    ROTATION_UNIT,
    SENSORS,
    STANDARD_GRAVITY,
    STEADY_SHARE,
    UNIT,
    WEAK_SHARE,
    is_in_g,
)

Floats = NDArray[np.floating[Any]]


class TableError(ZooError):
    """A table is not as expected; `remedy` is a parameter of `zoo.import_csv` and its value, which read it as it is."""

    def __init__(self, problem: str, cure: str = "", *remedy: str) -> None:
        self.problem, self.cure, self.remedy = problem, cure, remedy
        super().__init__(f"{problem}: {cure}" if cure else problem)


ENOUGH_ROWS = 50
"""Over fewer rows, means do not distinguish g from m/s^2, and recordings may be equal by chance."""

GAP_STEPS = 3.5
"""A pause longer than this many sampling intervals ends a recording; no rounding decides, as it would of whole ones."""

OVERSHOT = 2.0
"""By how much values may exceed those of a sensor where a filter between two rates has overshot them."""

_FASTEST, _FAST_FOR_A_SECOND = 20.0, 5.0
"""rad/s: nobody turns a phone faster on average over a recording, or over a typical second, where swings cancel out."""

MOST_QUIET, _QUIET = 2.4 * STANDARD_GRAVITY, 0.1
"""m/s^2 that the quietest tenth of seconds average with no phone: swung by a hand in jumping jacks, it feels 18 to 19,
and 20 to 28 in a typical second, while values in ft/s^2 are 30 or more at rest; and that share of the seconds."""

_TOO_LARGE = 50.0
"""A mean magnitude in m/s^2, five times gravity, that no phone measures: the unit is another one."""

_NOTHING, _WEAK = 0.5, 2.0
"""Mean magnitude below which there is hardly any signal, whatever its unit; and below which nothing but acceleration in
g is, but for a share of the seconds or windows."""


def typical_rate(times: NDArray[np.float64]) -> float:
    """The rate in Hz of the median interval between time stamps in seconds; 0 where no stamp rises."""
    steps = np.diff(times)
    forward = steps[steps > 0]
    return float(f"{1 / np.median(forward, overwrite_input=True):.6g}") if len(forward) else 0.0


def by_second(rows: Floats, rate: float) -> tuple[Floats, float, float]:
    """The mean length of vectors, `(rows, 3)`, in each second; the length of the mean vector of a typical second; and
    that of a quiet one. They are empty and NaN where the rows are too few for their means to say what they measure.
    """
    second, whole = max(1, round(rate)), np.isfinite(rows).all(axis=1)
    # A lost value in each second must not hide all of them.
    rows = rows if whole.all() else rows[whole]
    if not rate > 0 or len(rows) < max(ENOUGH_ROWS, second):
        return np.zeros(0), np.nan, np.nan
    lengths, steady, _ = lengths_of(_parts(rows, second)).T
    return lengths, float(np.median(steady)), float(np.quantile(steady, _QUIET))


_STILL, _OFF, _AT_REST = 0.05, 0.12, 3
"""Relative deviation of a second without movement; by how much sensors miss gravity at most, 7 % in four studies; and
seconds of rest that show it."""


def at_rest(lengths: Floats) -> float:
    """The typical length of acceleration, `(seconds, rows)`, in those without movement; gravity where they are few."""
    mean = lengths.mean(axis=1)
    still = mean[lengths.std(axis=1) < _STILL * mean]
    return float(np.median(still)) if len(still) >= _AT_REST else STANDARD_GRAVITY


def _parts(rows: Floats, count: int) -> Floats:
    """Rows in parts of `count`, without those of an incomplete one."""
    return rows[: len(rows) // count * count].reshape(len(rows) // count, count, rows.shape[1])


_PACE_SECONDS, _PACE_PARTS = 2, 512
_MOVING, _SLOWEST, FASTEST_PACE = 1.0, 0.3, 10.0
"""m/s^2 of deviation above which somebody moves; Hz below which a phone turns; and Hz of a pace that no person has: of
410 recordings of four studies, those with movement have 1 to 8, and would have 13 or more if read ten times as fast."""


def pace(rows: Floats, rate: float) -> float:
    """The frequency in Hz below which half of the power of movement lies; NaN where nobody moves."""
    count = round(_PACE_SECONDS * rate)
    rows = rows[np.isfinite(rows).all(axis=1)]
    lengths = norms(_parts(rows, count))
    lengths = lengths[lengths.std(axis=1) > _MOVING]
    if not len(lengths):
        return np.nan
    lengths = lengths[np.linspace(0, len(lengths) - 1, min(len(lengths), _PACE_PARTS)).astype(int)]
    spectrum = np.fft.rfft((lengths - lengths.mean(axis=1, keepdims=True)) * np.hanning(count), axis=1)
    hertz, power = np.fft.rfftfreq(count, 1 / rate), (np.abs(spectrum) ** 2).sum(axis=0)
    power[hertz < _SLOWEST] = 0
    return float(hertz[np.searchsorted(power.cumsum(), power.sum() / 2)])


def check_signal(where: str, rows: Floats, rate: float, most_quiet: float = np.inf) -> None:
    """Refuses acceleration in g or without gravity, and rotation rate in degrees, or gravity in its place.
    Rows are `(rows, 3)` in m/s^2 or `(rows, 6)` with rad/s. Over a quiet second they average at most `most_quiet`.
    """
    lengths, steady, quiet = by_second(rows[:, :3], rate)
    if len(lengths):
        _check_length(where, lengths, steady, "second", is_too_large=quiet > most_quiet)
    lengths, steady, _ = by_second(rows[:, 3:], rate)
    check_turning(where, float(lengths.sum() / max(1, len(lengths))))
    if steady > _FAST_FOR_A_SECOND:
        raise TableError(
            f"{where}: averaged over a second, rotation rate is {steady:.1f} {ROTATION_UNIT}, as gravity or deg/s are",
            f"choose other columns with {option('channels')}, or divide by 57.3", "rotation_unit", "deg/s",
        )  # fmt: skip


def check_gravity(where: str, acceleration: Floats, gravity: Floats, cure: str) -> None:
    """Refuses gravity to be added, `(3, rows)`, to acceleration with it, which is near it on average."""
    with np.errstate(all="ignore"):
        mean, added = (np.nanmean(part, axis=1) for part in (acceleration, gravity))
    if np.linalg.norm(mean - added) < 0.5 * np.linalg.norm(added):
        raise TableError(f"{where}: acceleration has gravity already", cure)


def _check_length(where: str, magnitudes: Floats, steady: float, over: str, *, is_too_large: bool = False) -> None:
    magnitude, expected = float(magnitudes.mean(dtype=np.float64)), f"{UNIT} (about {STANDARD_GRAVITY:.1f})"
    if magnitude > _TOO_LARGE or is_too_large:
        raise TableError(
            f"{where} has a mean magnitude of {magnitude:.4g}; expected {expected}, and no known unit fits",
            "convert it, or choose other columns, for these may be of another sensor",
        )
    if is_in_g(magnitude, steady):
        problem = f"{where} has a mean magnitude of {magnitude:.2f}, as in g; expected {expected}"
        raise TableError(problem, f"multiply by {STANDARD_GRAVITY}", "unit", "g")
    if steady < STEADY_SHARE * STANDARD_GRAVITY:
        average = f"averaged over a {over}, acceleration is {steady:.1f} {UNIT}"
        cure = "record acceleration with gravity (Sensor Logger: TotalAcceleration), and do not subtract its mean"
        raise TableError(f"{where}: {average}, so gravity (9.8) is missing", cure, "gravity", "gx,gy,gz")
    weak = int(((magnitudes > _NOTHING) & (magnitudes < _WEAK)).sum())
    if weak > WEAK_SHARE * len(magnitudes):
        problem = f"{where}: {weak} of {len(magnitudes)} {over}s have a mean magnitude below {_WEAK:g}, as in g"
        raise TableError(f"{problem}; the others are in {expected}", "convert them to one unit")


def check_lengths(where: str, lengths: Floats) -> None:
    """Refuses windows in another unit or without gravity, by their `lengths_of`; windows of zeros pass."""
    magnitude, steady, turning = lengths.mean(axis=0, dtype=np.float64)
    if magnitude > _NOTHING:
        _check_length(where, lengths[:, 0], steady, "window")
    check_turning(where, turning)


def check_turning(where: str, magnitude: float) -> None:
    """Refuses rotation rate in degrees, by the mean length of its vector."""
    if magnitude > _FASTEST:
        problem = f"{where}: rotation rate has a mean magnitude of {magnitude:.0f}, as in deg/s"
        expected = f"expected {ROTATION_UNIT} (below {_FASTEST:g})"
        raise TableError(f"{problem}; {expected}", "divide by 57.3", "rotation_unit", "deg/s")


def is_within(rows: Floats, factor: float = 1.0) -> NDArray[np.bool_]:
    """Which values, `(..., 3)` or `(..., 6)`, are finite and within the range of a sensor, as in a stream."""
    limits = factor * np.repeat([ACCELERATION_LIMIT, ROTATION_LIMIT], 3)[: rows.shape[-1]].astype(rows.dtype)
    # Two comparisons take an eighth of the memory of absolute values.
    return np.asarray((rows <= limits) & (rows >= -limits))


def check_range(where: str, rows: Floats) -> None:
    """Refuses rows, `(..., 3)` or `(..., 6)`, that are not finite or that no sensor measures."""
    if is_within(rows, OVERSHOT).all():
        return
    if not np.isfinite(rows).all():
        raise ZooError(f"{where} holds NaN or infinity: drop it or import again")
    for channels, limit, unit in SENSORS:
        if (largest := float(np.abs(rows[..., channels]).max(initial=0))) > OVERSHOT * limit:
            raise ZooError(f"{where} holds {largest:g}; expected at most {limit:g} {unit}: drop it or import again")


def check_convention(path: Path, attributes: Mapping[str, Any], axes: Sequence[str] = ()) -> None:
    """Refuses a file that states another unit, sign or order of axes than the zoo's; no axes are not checked."""
    expected = {"unit": UNIT, "convention": CONVENTION} | ({"axes": ",".join(axes)} if axes else {})
    for name, want in expected.items():
        if name in attributes and not str(attributes[name]).startswith(want):
            raise ZooError(f"{path}: attribute '{name}' is {attributes[name]!r}; expected {want}: import it again")


_STEP = 0.05
"""m/s^2 to which values are rounded: when rows are put on a grid, other time stamps change the last digits."""
_EVERY = 32
"""One row of so many starts a run."""
_DIFFERENT = ENOUGH_ROWS // 2
"""Different rows of a run that is not equal by chance: no two people share one in 4.7 million rows of four studies."""
_BLOCK = 1 << 18
_FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9,
                     0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5, 0x94D049BB133111EB], np.uint64)  # fmt: skip
POWERS = np.cumprod(np.full(ENOUGH_ROWS, 0x100000001B3, np.uint64))
"""Factors of the hashes of rows in that of a run."""


@dataclass
class Copies:
    """What is known of recordings, to find the same values again, in another file or of another person.
    Time stamps do not show it: a copy may be shifted, cut, or on another clock. So runs of a second are compared, whose
    starts follow from the values alone.
    """

    _owners: dict[int | bytes, tuple[Hashable, str]] = field(default_factory=dict, init=False)
    repeated: list[str] = field(default_factory=list, init=False)
    """Recordings with rows of a second or more that they hold twice."""
    equal: list[str] = field(default_factory=list, init=False)
    """Pairs of recordings of one owner that are the same."""

    def find(self, owner: Hashable, name: str, rows: Floats) -> tuple[Any, str] | None:
        """The owner and the name of a recording with the same rows `(N, 3)` in m/s^2; None if all are of `owner`."""
        if len(rows) < ENOUGH_ROWS or not (rows != rows[0]).any():
            return None
        # At rest, no run has enough different rows.
        whole = hashlib.sha256(np.ascontiguousarray(rows).data).digest()
        if (before := self._owners.get(whole)) is not None and before[0] == owner:
            self.equal.append(f"{name} and {before[1]}")
        repeats = 0
        blocks: Iterator[Sequence[int | bytes]] = chain([[whole]], _runs(rows))
        for keys in blocks:
            different = {*keys}
            repeats += len(keys) - len(different)
            for key in different:
                first = self._owners.setdefault(key, (owner, name))
                if first[0] != owner:
                    return first
        if repeats > 1:
            self.repeated.append(name)
        return None

    def forget(self, file: str) -> None:
        """Takes back what was found in a file, which is not read, so that another one may hold the same rows."""
        self._owners = {key: owner for key, owner in self._owners.items() if owner[1].partition(", row ")[0] != file}


_ZEROS, _FROZEN, _CLIPPED, _RANGE, _TRACE = 3.0, 10.0, 0.5, 1.9 * STANDARD_GRAVITY, 1e-6
"""Seconds of zeros, and of rows that do not change, and the share of rows at a limit, that no sensor in use gives; the
least limit of a sensor, which is 2 g; and a value that is as good as zero."""


_BY_TURNS = 0.6
"""Share of the change from row to row below which that over two or three rows is of as many sensors by turns: in 1,570
recordings of six studies, it is 0.77 or more."""
_TOLD_APART = 20.0
"""Hz from which that is so of whoever runs, too."""


def _change(rows: Floats, over: int) -> float:
    return float(np.square(rows[over:] - rows[:-over]).mean() ** 0.5)


@dataclass
class Faults:
    """What a broken sensor or another program leaves in recordings, counted: each is read, and doubted."""

    _where: dict[str, list[str]] = field(default_factory=dict, init=False)

    def add(self, other: "Faults") -> None:
        """Adds what was found elsewhere."""
        for fault, names in other._where.items():
            self._where.setdefault(fault, []).extend(names)

    def find(self, name: str, rows: Floats, rate: float) -> None:
        """Looks at a recording, `(rows, 3)` or `(rows, 6)`."""
        second = max(2, round(rate))
        lengths = norms(_parts(rows[:, :3], second))
        if abs((gravity := at_rest(lengths)) / STANDARD_GRAVITY - 1) > _OFF:
            fault = f"at rest an acceleration that is not gravity ({STANDARD_GRAVITY:.1f} {UNIT})"
            self._where.setdefault(fault, []).append(f"{name} ({gravity:.3g})")
        moves = lengths.std(axis=1) > _MOVING
        # A gyroscope at rest may show zeros for a while.
        for part, most, unit, place in (
            (rows[:, :3], _ZEROS, UNIT, ""), (rows[:, 3:], _FROZEN, ROTATION_UNIT, " in the rotation rate"),
        ):  # fmt: skip
            if len(part) < ENOUGH_ROWS or not part.shape[1]:
                continue
            changes = np.r_[True, (part[1:] != part[:-1]).any(axis=1)]
            # An even number of rows, half of which change where they are held in pairs.
            starts, moving = np.flatnonzero(changes), _parts(changes[:, None], second)[moves, 2 - second % 2 :]
            # On a grid, a row of zeros has a trace of its neighbors.
            lasting, zero = np.diff(np.r_[starts, len(part)]) / rate, np.abs(part[starts]).max(axis=1) < _TRACE
            still, largest = np.ptp(part, axis=0) == 0, np.abs(part).max()
            pairs = [bool((part[:, one] == part[:, other]).all()) for one, other in ((0, 1), (0, 2), (1, 2))]
            is_there = {
                # Zeros that stand for lost values lie among the others.
                f"{most:g} s of zeros or more": (max if place else sum)([0.0, *lasting[zero].tolist()]) >= most,
                f"{_FROZEN:g} s or more without a change": (lasting[~zero] >= _FROZEN).any(),
                "most rows equal to the one before": not place and 0 < moving.size >= 2 * moving.sum(),
                "an axis without a change": still.any() and not still.all() and len(part) >= _FROZEN * rate,
                "one column in two axes": any(pairs) and not still.all(),
                f"most rows at one limit, {largest:g} {unit}": (
                    largest > _RANGE and (np.abs(part) > 0.999 * largest).any(axis=1).mean() > _CLIPPED
                ),
                "rows of several sensors by turns": (
                    rate >= _TOLD_APART and min(_change(part, 2), _change(part, 3)) < _BY_TURNS * _change(part, 1)
                ),
            }
            for fault in (fault for fault, there in is_there.items() if there):
                self._where.setdefault(f"{fault}{place}", []).append(name)

    def sentences(self, repeated: Sequence[str] = ()) -> list[str]:
        """A sentence for each kind of fault; `repeated` are recordings that hold rows twice."""
        where = self._where | ({"rows of a second or more twice": repeated} if repeated else {})
        return [
            f"{len(names)} recording{'s have' if len(names) > 1 else ' has'} {fault}, as {names[0]}: no sensor in use "
            "gives that; leave those rows out, choose other columns, or convert their unit"
            for fault, names in where.items()
        ]


_NONE = (
    "null", "nan", "none", "n/a", "#n/a", "<na>", "nat", "undefined", "unknown", "unlabeled", "unlabelled", "-", "?",
    "na", "n.a.", "missing", "blank", "(blank)", "no label", "no_label", ".", "_", "--", "---", "*",
)  # fmt: skip
"""Words and signs by which programs and people say that a name is missing, in lower case."""


def folded(name: str) -> str:
    """A name in small letters, without spaces around it, whichever way its letters and accents are written."""
    return unicodedata.normalize("NFKC", name).casefold().strip()


def spelled_twice(labels: Iterable[str], people: Iterable[str]) -> list[str]:
    """Sentences about labels and people whose names differ in case, spaces, signs and leading zeros alone."""
    learned = f"activity, which a model would learn as two: give it one name with {option('classes', 'LABEL=CLASS')}"
    split = "person, who would be in training and in test: import them under one name"
    problems = []
    for what, names, advice in (("labels", labels, learned), ("subjects", people, split)):
        spellings: dict[str, set[str]] = {}
        for name in names:
            # Spreadsheets write numbers as 1.0, and people P1 as P01, and names without their accents.
            plain = re.sub(r"(?<=\d)[.,]0+(?!\d)", "", unicodedata.normalize("NFKD", folded(name)))
            plain = re.sub(r"(?<!\d)0+(?=\d)", "", plain)
            spellings.setdefault("".join(filter(str.isalnum, plain)), set()).add(name)
        if none := sorted({name for name in names if name.lower() in _NONE}):
            problems.append(f"{what} {', '.join(none)} may stand for none: leave these rows out")
        several = (", ".join(sorted(alike)) for key, alike in spellings.items() if key and len(alike) > 1)
        problems += [f"{what} {alike} may be one {advice}" for alike in several]
    return problems


def row_hashes(integers: NDArray[np.integer[Any]]) -> NDArray[np.uint64]:
    """Hashes `(...)` of rows of integers, `(..., axes)` with up to six axes."""
    hashes = (integers.astype(np.uint64) * _FACTORS[: integers.shape[-1]]).sum(axis=-1, dtype=np.uint64)
    hashes = (hashes ^ (hashes >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return np.asarray(hashes ^ (hashes >> np.uint64(32)))


def _runs(rows: Floats) -> Iterator[list[int]]:
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK + ENOUGH_ROWS - 1]
        # What no sensor measures is dropped later.
        steps = np.nan_to_num(np.clip(block, -ACCELERATION_LIMIT, ACCELERATION_LIMIT) / _STEP)
        hashes = row_hashes(np.round(steps).astype(np.int64))
        starts = np.flatnonzero(hashes[: max(0, len(hashes) - ENOUGH_ROWS + 1)] % np.uint64(_EVERY) == 0)
        runs = hashes[starts[:, None] + np.arange(ENOUGH_ROWS)]
        different = 1 + (np.diff(np.sort(runs, axis=1), axis=1) != 0).sum(axis=1)
        yield (runs[different >= _DIFFERENT] * POWERS).sum(axis=1, dtype=np.uint64).tolist()
