"""From CSV files and DataFrames to recordings, and to a file of them.

A file is read once, some rows at a time, so that it may be larger than memory: only numbers and the names of people and
activities are kept. What cannot be acceleration with gravity, or is in another unit, is refused.
"""

import hashlib
import re
import unicodedata
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, groupby, pairwise, repeat
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoo.activity import annotations, checks, recordings
from zoo.activity.checks import ENOUGH_ROWS, TableError, folded, typical_rate
from zoo.activity.columns import (
    HIGHEST,
    LOWEST,
    SECONDS,
    TENTHS,
    CsvColumns,
    Format,
    by_turns,
    check_turns,
    devices_of,
    doubtful,
    has_commas,
    is_dated,
    is_local,
    recognized,
    resolve,
    time_reader,
    time_unit_of,
    unread_times,
)
from zoo.activity.recordings import GAPS, LOST_STEPS, NOT_RISING, Findings, Recording, misnamed, restarts_of, stretches
from zoo.activity.sources import OTHER_SENSORS, Sources, beside, stem
from zoo.activity.tables import Table, check_encoding, close_archive, exists, lines_of, name_of, numbers
from zoo.data.dataset import sort_names
from zoo.errors import ZooError, option, printable, shown
from zoo.files import exclusive, new_file
from zoo.runtime.metadata import UNIT

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

_RESTARTS = 3
"""Jumps back in time that are restarts of a clock; more of them, or smaller ones, are disorder."""
_DISORDER = 0.05
"""The share of rows in which time may go back, beside clocks that restart."""
_MOST_TURNS = 20
"""Changes of the device within a block of rows; more of them leave no signal of any."""
_NAMED = 3
"""Files with the same problem that are named."""
_USABLE = 5.0
"""Seconds of the shortest recording of which a window of 3 s is cut by default, without a second at both ends."""


class Owner(NamedTuple):
    """Whose rows are: the person, the activity, the device where there are several, and who decided, where known."""

    subject: str
    activity: str
    device: str
    decided: str = ""


@dataclass
class Readings:
    """What a table says: `times (rows,)`, `values (rows, 3)` or `(rows, 6)`, and the rows from which on whose they are.
    `about` says how the table was read, and `unread` what of it was not, since it was given by other means.
    """

    where: str
    columns: CsvColumns
    app: Format
    times: Floats
    values: Floats
    owners: list[tuple[int, Owner]]
    time_unit: str = "none"
    is_time_unit_known: bool = True
    is_local: bool = False
    about: dict[str, str] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    contradiction: str = ""

    def seconds(self) -> Floats:
        """The times since the first one; refuses a clock that restarts, whose times do not say which rows they mean."""
        times: Floats = self.times - self.times[np.isfinite(self.times).argmax()]
        if len(restarts_of(times)):
            raise ZooError(f"{self.where}: its clock restarts, so that times do not say which rows they mean: split it")
        return times

    def parts(self) -> Iterator[tuple[slice, Owner]]:
        """Rows of one person and activity, and whose they are; those without a label are left out."""
        for (start, owner), (stop, _) in pairwise([*self.owners, (len(self.times), self.owners[-1][1])]):
            if owner.activity:
                yield slice(start, stop), owner


def read_table(
    where: str, lines: Iterable[str], columns: CsvColumns, *, labels: bool = True, raw: bool = False
) -> Readings:  # fmt: skip
    """Reads lines of CSV in the units of the table, without `labels` of nobody; `raw` time stamps stay as they are."""
    table = Table(where, lines)
    columns, app = resolve(where, table.names, columns, labels=labels)
    blocks = table.blocks()
    if not (first := next(blocks, [])):
        raise ZooError(f"{where}: no rows below the line of column names: copy it again, or leave it out")
    owning = (columns.subject or "=", columns.activity or "=", *devices_of(table.names, first[0], columns))
    rivals = {
        name: (column, given[1:]) for name, given in zip(("subject", "activity"), owning, strict=False)
        if given not in (*table.names, "=", "=-") and (column := recognized(name, table.names))
    }  # fmt: skip
    unread = [column for column, _ in rivals.values()]
    wanted = {*columns.axes, *(columns.gravity or ()), *(columns.rotation or ()), columns.time, *owning}
    places = {name: place for place, name in enumerate(table.names) if name in wanted.union(unread)}
    comma = has_commas(table.separator, first[0])
    number = partial(numbers, comma=comma)
    moment, expected, is_clock = time_reader((row[places[columns.time]] for row in first if columns.time), comma)
    # These grow in place, where lists of blocks would need twice the memory.
    times, values, owners, rows, says = array("d"), array("d"), list[tuple[int, Owner]](), 0, dict[str, str]()
    for block in chain([first], blocks):
        fields = {name: [row[place] for row in block] for name, place in places.items()}
        read = partial(_read_column, where, fields, rows)
        signal = [read(name, number, "a number") for name in (*columns.axes, *(columns.rotation or ()))]
        if columns.gravity:
            gravity = [read(name, number, "a number") for name in columns.gravity]
            checks.check_gravity(where, np.stack(signal[:3]), np.stack(gravity), f"leave {option('gravity')} out")
            signal[:3] = np.add(signal[:3], gravity)
        values.frombytes(np.stack(signal, axis=1).tobytes())
        if columns.time:
            times.frombytes(read(columns.time, moment, expected).tobytes())
        _add_owners(owners, where, owning, fields, rows, len(block))
        for name, (column, given) in rivals.items():
            if differing := [text for text in dict.fromkeys(fields[column]) if folded(text) not in ("", folded(given))]:
                says.setdefault(name, differing[0])
        check_turns(where, table.names, block, wanted)
        rows += len(block)
    if len(owners) > max(_MOST_TURNS, rows / 4):
        several = " and ".join(dict.fromkeys(f"{owner.subject}, {owner.activity}" for _, owner in owners[:2]))
        column = next(name for name in owning if name[0] != "=")
        raise ZooError(f"{where}: rows of {several} by turns: sort them by {column!r}, or write a file for each")
    seconds = np.frombuffer(times) if columns.time else np.arange(rows) / (columns.rate or 1.0)
    seconds[np.isinf(seconds)] = np.nan
    readings = Readings(where, columns, app, seconds, np.frombuffer(values).reshape(rows, -1), owners)
    if columns.rate and (column := recognized("time", table.names)):
        readings.unread.append(unread_times(columns.rate, column))
    for name, (column, given) in rivals.items():
        readings.unread.append(f"rows whose column {column!r} is not read, as the {name} is given")
        if name in says:
            which = f"column {column!r} says {shown(says[name])}, too, but the {name} is given as {shown(given)}"
            readings.contradiction = f"{where}: {which}: was another column, or layout, meant?"
    if columns.time and not raw:
        readings.is_local = is_local(row[places[columns.time]] for row in first)
        readings.time_unit, readings.is_time_unit_known = time_unit_of(where, seconds, columns.time_unit, is_clock)
        readings.times *= SECONDS[readings.time_unit]
    return readings


def _read_column(
    where: str, fields: Mapping[str, Sequence[str]], rows: int, name: str, convert: Callable[[Sequence[str]], Floats],
    expected: str,
) -> Floats:  # fmt: skip
    failures = (ValueError, OverflowError, OSError)
    with suppress(*failures):
        return convert(fields[name])
    values = array("d")
    # Spaces around it, or alone, make no field wrong.
    for row, text in enumerate(map(str.strip, fields[name]), rows + 1):
        try:
            values.extend(convert([text]))
        except failures:
            place = f"{where}: column {name!r}, row {row} below the names"
            raise ZooError(f"{place}: {text[:40]!r}; expected {expected}") from None
    return np.frombuffer(values)


def _add_owners(
    owners: list[tuple[int, Owner]], where: str, columns: Sequence[str], fields: Mapping[str, Sequence[str]],
    rows: int, count: int,
) -> None:  # fmt: skip
    texts = [repeat(name[1:], count) if name[0] == "=" else fields[name] for name in columns]
    before = len(owners)
    for key, group in groupby(enumerate(zip(*texts, strict=True), rows), itemgetter(1)):
        # Equal names are equal bytes: macOS writes letters and their accents apart.
        subject, activity, *devices = (unicodedata.normalize("NFC", text.strip()) for text in key)
        owner = Owner(subject, activity, " ".join(devices))
        if owners and owner == owners[-1][1]:
            continue
        row, _ = next(group)
        for name, text, is_label in zip(columns, owner, (False, True), strict=False):
            place = "" if name[0] == "=" else f": column {name!r}, row {row + 1} below the names"
            check_encoding(f"{where}{place}", text)
            # What has no label in its column is left out.
            if wrong := name != "=" and (text or not is_label) and misnamed(text, is_label=is_label):
                raise ZooError(f"{where}{place}: {wrong}")
        owners.append((row, owner))
    devices = [owner.device for _, owner in owners[max(0, before - 1) :]]
    is_gravity = len({*devices}) > 1 and any("gravity" in folded(device) for device in devices)
    if is_gravity or sum(one != other for one, other in pairwise(devices)) > _MOST_TURNS:
        raise by_turns(where, ", ".join(columns[2:]), devices)


def _values_of(path: Path, acceleration: Readings) -> Floats:
    """Values of another sensor at the times of the acceleration: at those that it states, even if its rate is given."""
    times = acceleration.times
    if acceleration.columns.rate:
        lines, stamped = lines_of(Path(acceleration.where)), CsvColumns(time_unit=acceleration.columns.time_unit)
        times = read_table(acceleration.where, lines, stamped, labels=False).times
    clock: dict[str, Any] = {"time": acceleration.columns.time, "time_unit": acceleration.columns.time_unit}
    clock = clock if clock["time"] in Table(str(path), lines_of(path)).names else {}
    table = read_table(str(path), lines_of(path), CsvColumns(**clock), labels=False)
    if len(restarts_of(times)) or len(restarts_of(table.times)):
        where = f"{acceleration.where} and {path}"
        raise ZooError(f"{where}: a clock restarts, so that times do not say which rows belong together: split both")
    order = np.argsort(table.times, kind="stable")
    stamps, values = table.times[order], table.values[order]
    # Where the other sensor paused, or was not yet or no longer running, its values are not known.
    after = np.searchsorted(stamps, times).clip(1, max(1, len(stamps) - 1))
    pause = stamps[after % len(stamps)] - stamps[after - 1]
    outside = (times < stamps[0]) | (times > stamps[-1])
    lost = outside | (stamps[after % len(stamps)] != times) & (pause > LOST_STEPS / (typical_rate(stamps) or np.inf))
    if lost.all():
        raise ZooError(f"{path}: has no values at the times of the acceleration: leave it out, or copy both again")
    return np.where(lost[:, None], np.nan, np.stack([np.interp(times, stamps, axis) for axis in values.T], axis=1))


def read_sensors(source: "Path | pd.DataFrame", columns: CsvColumns, where: str = "") -> Readings:
    """Reads a table, with what belongs to it in other files, in m/s^2 and rad/s; or what a table of answers names.
    It is called `where` in messages.
    """
    if isinstance(source, Path) and (answers := annotations.read_answers(source)):
        annotations.check_unchanged(source, answers)
        asked = {"study": columns.study, "gyroscope": columns.gyroscope or answers.columns.gyroscope}
        table = read_sensors(answers.file, answers.columns.replace(subject="=-", activity="=-", **asked))
        subject = unicodedata.normalize("NFC", answers.subject)
        table.owners = [(start, owner._replace(subject=subject)) for start, owner in table.owners]
        return _labeled(table, answers.spans, source, f"answers in {source}")
    where, notes = where or name_of(source), None
    if isinstance(source, Path) and not columns.activity and (notes := annotations.notes_of(source)):
        header = Table(where, lines_of(source, columns.encoding)).names
        notes = None if recognized("activity", header) else notes
    table = read_table(where, lines_of(source, columns.encoding), columns.replace(activity="=-") if notes else columns)
    resolved, read_as = table.columns, table.app.name
    gravity, rotation = ", ".join(resolved.gravity or ()), ", ".join(resolved.rotation or ())
    if isinstance(source, Path) and table.app.has_files:
        name = stem(source).lower()
        if name in OTHER_SENSORS:
            raise ZooError(f"{source}: is {read_as}'s file of another sensor: pass its TotalAcceleration.csv")
        if name == "accelerometer" and exists(other := beside(source, "Gravity")):
            read_as, gravity = f"{read_as} with gravity", str(other)
            added = _values_of(other, table)
            checks.check_gravity(where, table.values[:, :3].T, added.T, f"move {other} away, whose values are added")
            table.values[:, :3] += added
    if columns.gyroscope and not rotation:
        if not isinstance(source, Path):
            raise ZooError(f"{where}: no columns of rotation rate; expected three, such as gyro_x, gyro_y and gyro_z")
        other = beside(source, "Gyroscope")
        rotation, table.values = str(other), np.hstack([table.values, _values_of(other, table)])
    table.values *= resolved.factors[: table.values.shape[1]]
    about = {
        "read_as": read_as, "axes": ", ".join(resolved.axes), "unit": str(resolved.unit), "gravity": gravity,
        "rotation": rotation, "rotation_unit": str(resolved.rotation_unit) if rotation else "",
        "sign": str(resolved.convention), "time": resolved.time or "a fixed rate", "time_unit": table.time_unit,
    }  # fmt: skip
    table.about = {key: text for key, text in about.items() if text}
    if notes:
        read = (resolved.time, table.time_unit, columns, table.is_local)
        return _labeled(table, annotations.read_notes(notes, table.times, *read), notes, f"notes in {notes}")
    return table


def _labeled(table: Readings, spans: Sequence[annotations.Span], where: Path, kind: str) -> Readings:
    """A table with the labels of spans of seconds since its first row, which are of a kind."""
    for span in spans:
        if span.activity and (wrong := misnamed(span.activity, is_label=True)):
            raise ZooError(f"{where}: the label at {max(span.start, 0.0):g} s: {wrong}")
    # A row whose time is lost has the label of those before it.
    times, held = np.fmax.accumulate(table.seconds()), [span for span in spans if span.activity]
    if len(held) > 1 and held[-1].start < 0 and held[-1].end == np.inf:
        what = f"all {len(held)} labels begin before the first row, the last one {-held[-1].start:g} s before it"
        raise ZooError(f"{where}: {what}: are times on the clock of the rows? If the last one holds, remove the others")
    place = np.searchsorted([span.start for span in held], times, side="right") - 1
    place[times >= np.array([span.end for span in held] or [0.0])[place]] = -1
    if (place < 0).all():
        raise ZooError(f"{where}: no row of {table.where} has a label; expected times between 0 and {times[-1]:g} s")
    whose = np.searchsorted([start for start, _ in table.owners], np.arange(len(times)), side="right") - 1
    owners, none = list[tuple[int, Owner]](), annotations.Span(0.0, 0.0, "")
    for start in np.flatnonzero(np.diff(place, prepend=-2) | np.diff(whose, prepend=-1)).tolist():
        span, (_, owner) = [*held, none][place[start]], table.owners[whose[start]]
        who = span.decided.removesuffix(annotations.CHECKED)
        named = owner._replace(activity=unicodedata.normalize("NFC", span.activity), decided=who)
        if not owners or owners[-1][1] != named:
            owners.append((start, named))
    about = {**table.about, "labels": kind}
    if beyond := [span for span in held if span.start > times[-1]]:
        what = f"{len(beyond)} of {len(held)} labels begin after the end at {times[-1]:g} s, as {beyond[0].activity}"
        about["doubt"] = f"{where}: {what}: are their times in another unit?"
    if (late := annotations.doubtful_from(spans, float(times[-1]))) is not None:
        long = f"{spans[-1].activity} at {late:.0f} s, holds to the end, {(times[-1] - late) / 60:.0f} minutes"
        about["doubt"] = f"{where}: the last note, {long}: if it ended earlier, add a note stop there"
    return replace(table, owners=owners, about=about)


def read_csv(
    source: "Path | pd.DataFrame", columns: CsvColumns, findings: Findings | None = None, where: str = ""
) -> Iterator[Recording]:
    """Reads recordings from a CSV file with a line of column names, or from a DataFrame, `where` messages say.
    A change of person, activity or device, a gap in time or more than four lost samples in a row end a recording; fewer
    are interpolated. `findings` gets what is left out or changed, and a row of facts of the file.
    """
    table, findings, faults = read_sensors(source, columns, where), findings or Findings(), checks.Faults()
    for recording in recordings_of(table, findings):
        yield recording
        faults.find(table.where, recording.rows, recording.rate)
    findings.faults.add(faults)


def recordings_of(table: Readings, findings: Findings) -> Iterator[Recording]:
    """The recordings of a table, each checked, as `read_csv` reads them, but for what a broken sensor leaves."""
    of_file = Findings(copies=findings.copies)
    labeled = sum(rows.stop - rows.start for rows, _ in table.parts())
    of_file.dropped["rows without a label"] += len(table.times) - labeled
    of_file.changed.update(dict.fromkeys(table.unread, len(table.times)))
    for rows, owner in table.parts():
        with _advised(table, owner.subject, owner.activity) as name:
            _check_typical(name, table.values[rows])
    rates, seconds, paces, typical = set(), 0.0, list[list[float]](), typical_rate(table.times)
    for recording in _recordings(table, of_file, typical):
        with _advised(table, recording.subject, recording.activity) as name:
            checks.check_signal(name, recording.rows, recording.rate, checks.MOST_QUIET)
        rates.add(recording.rate)
        seconds += recording.seconds
        if not table.is_time_unit_known:
            hertz = (recording.rate, 10 * recording.rate)
            paces.append([checks.pace(recording.acceleration, rate) for rate in hertz])
        yield recording
    if not rates:
        why = ", ".join(f"{reason} ({count})" for reason, count in (+of_file.dropped).items())
        cure = "label these rows, or choose other columns" if labeled < len(table.times) else "choose other columns"
        raise ZooError(f"{table.where}: nothing is left of it: left out were {why}: {cure}")
    moving = [hertz for hertz, _ in paces if hertz > 0]
    faster = [hertz for _, hertz in paces if hertz > 0] if table.time_unit in TENTHS else []
    made = f"{table.where}: time stamps read as {table.time_unit} make {typical:.4g} Hz, and nobody moves"
    if moving and (pace := float(np.median(moving))) > checks.FASTEST_PACE:
        raise doubtful(f"{made} at {pace:.0f} Hz", typical, table.time_unit)
    if faster and 10 * typical <= HIGHEST and (pace := float(np.median(faster))) < checks.FASTEST_PACE:
        raise doubtful(f"{made} as slowly as at {pace / 10:.1f} Hz", typical, table.time_unit, is_slow=True)
    findings.add(of_file)
    findings.contradictions += filter(None, [table.contradiction])
    findings.files.append(
        {"file": table.where, **table.about, "rows": len(table.times), "rate_hz": sorted(rates),
         "seconds": round(seconds, 1), "gaps": of_file.changed[GAPS],
         "time_unit_known": table.is_time_unit_known or bool(moving),
         "subjects": sort_names(owner.subject for _, owner in table.owners),
         "activities": sorted({owner.activity for _, owner in table.parts()})}
    )  # fmt: skip


@contextmanager
def _advised(table: Readings, subject: str, activity: str) -> Iterator[str]:
    """What somebody's rows are called in messages; their errors get the parameters that read a table as it is."""
    try:
        yield f"{table.where}: {subject}, {activity}" if len(table.owners) > 1 else table.where
    except TableError as error:
        cure = f"{error.cure}; if these are {UNIT}, pass {option('unit', UNIT)}"
        if error.remedy or table.columns.unit != "g":
            cure = f"pass {option(*error.remedy)}, or {error.cure}" if error.remedy else error.cure
        raise TableError(error.problem, cure, *error.remedy) from None


def _check_typical(name: str, values: Floats) -> None:
    """Refuses rows in a unit for which most of them would be lost, as no sensor measures as much."""
    finite = values[np.isfinite(values).all(axis=1)]
    beyond = finite[~checks.is_within(finite[:, :3]).all(axis=1)]
    if 2 * len(beyond) > len(finite):
        checks.check_signal(name, beyond, ENOUGH_ROWS)
    if len(finite) >= ENOUGH_ROWS and finite.shape[1] > 3:
        checks.check_turning(name, float(np.median(np.linalg.norm(finite[:, 3:], axis=1))))


def _recordings(table: Readings, findings: Findings, typical: float) -> Iterator[Recording]:
    rate = table.columns.rate
    is_plausible = rate is None and LOWEST <= typical <= HIGHEST
    for rows, owner in table.parts():
        count = rows.stop - rows.start
        if count < 2:
            findings.dropped["rows alone between two others of another person or activity"] += count
            continue
        times, values = _in_order(table, rows, findings)
        place = "" if count == len(table.times) else f", row {rows.start + 1} below the names and following"
        name = f"{table.where}{place}"
        # What a gap or a clock that restarts divides may be one recording twice.
        steps = np.abs(np.diff(times))
        pieces = np.split(values[:, :3], np.flatnonzero(steps > LOST_STEPS / typical) + 1 if typical else [])
        for piece in pieces:
            # A phone at rest measures the same again.
            is_still = len(pieces) > 1 and len({*map(bytes, piece[:ENOUGH_ROWS])}) < ENOUGH_ROWS // 2
            if not is_still and (copy := findings.copies.find(object(), name, piece)):
                first = "before" if copy[1].partition(", row ")[0] == table.where else copy[1]
                raise ZooError(f"{name}: has the same rows as {first}: import each recording once")
        for recording in stretches(table.where, owner.subject, owner.activity, times, values, rate, findings):
            count = len(recording.acceleration)
            if not is_plausible or LOWEST / 3 <= recording.rate <= HIGHEST:
                yield replace(recording, study=table.columns.study or "", decided=owner.decided)
            elif count >= ENOUGH_ROWS:
                problem = f"{count} rows are at {recording.rate:g} Hz, most others at {typical:g} Hz"
                cure = f"are time stamps in several units? Pass {option('time')} or {option('rate')}"
                raise TableError(f"{table.where}: {problem}", cure)
            else:
                findings.dropped["rows between gaps at an implausible rate"] += count


def _once(times: Floats, values: Floats, findings: Findings) -> tuple[Floats, Floats]:
    """Rows without those that an app sent again; of clocks that restarted, rows at rest are equal by chance."""
    if not (times[1:] < times[:-1]).any():
        return times, values
    order = np.argsort(times, kind="stable")
    stamps, sorted_rows = times[order], values[order]
    again = order[1:][(stamps[1:] == stamps[:-1]) & (sorted_rows[1:] == sorted_rows[:-1]).all(axis=1)]
    # A file that holds much of it twice is refused as a copy.
    if len(again) > len(times) / 4 or 2 * len(np.unique(values[again], axis=0)) <= len(again):
        return times, values
    findings.dropped[NOT_RISING] += len(again)
    return np.delete(times, again), np.delete(values, again, axis=0)


def _in_order(table: Readings, rows: slice, findings: Findings) -> tuple[Floats, Floats]:
    """Rows of one person and activity, sorted by time where that makes them even; refuses rows without any order."""
    times, values = _once(table.times[rows], table.values[rows], findings)
    steps = np.diff(times)
    back, forward = int((steps < 0).sum()), steps[steps > 0]
    if not back or not len(forward):
        return times, values
    order, step, restarts = np.argsort(times, kind="stable"), float(np.median(forward)), restarts_of(times)
    # After it went back, another sensor's clock comes to where it stood before, and so on.
    goes_on = np.abs(times[restarts[1:]] - times[restarts[:-1] - 1]) < LOST_STEPS * step
    overlaps = np.minimum.accumulate(times[::-1])[::-1][1:] < np.maximum.accumulate(times)[:-1] - step
    if (
        (is_dated(times) or 4 * goes_on.sum() > len(restarts))
        and len(times) >= ENOUGH_ROWS
        and overlaps.mean() > _DISORDER
        and np.median(np.diff(times[order])) < 0.75 * step
    ):
        # No clock that shows a date restarts at one that has passed.
        problem = f"{table.where}: rows that follow each other were measured between others, as by two sensors"
        raise TableError(problem, "write a file for each sensor, or, if there is only one, sort them by time")
    if back <= _RESTARTS and back == len(restarts):
        # Clocks that restart, or a time of day after midnight.
        return times, values
    # Stamps that are lost come last.
    ordered, finite = times[order], times[~np.isnan(times)]
    even = np.diff(ordered)
    # Of two trials by clocks that restarted, rows would come to lie between rows.
    if 0.5 < np.nanmedian(even) / step < 1.5 and (even < step / 2).sum() <= ((steps >= 0) & (steps < step / 2)).sum():
        findings.changed["rows out of the order of time, sorted"] += int((ordered[: len(finite)] != finite).sum())
        return ordered, values[order]
    if len(times) >= ENOUGH_ROWS and back > _DISORDER * len(times):
        problem = f"{table.where}: time goes back in {back} of {len(times)} rows"
        raise TableError(problem, f"sort them, or pass {option('time')}")
    return times, values


@dataclass
class Imported:
    """What an import wrote, what was left out or changed, and what is wrong or doubtful."""

    path: Path | None
    recordings: int = 0
    findings: Findings = field(default_factory=Findings)
    problems: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def import_csv(
    sources: Sources, out: Path | None, *, append: bool = False, same_people: bool = False, force: bool = False,
    skip_unreadable: bool | None = None, on_progress: Callable[[int], None] = lambda count: None,
) -> Imported:  # fmt: skip
    """Writes a file of recordings of what `find_sources` found; arguments are those of `zoo.import_csv`.

    Without `out`, it is a dry run, in which what is wrong with files is told by `problems` instead of an error. With
    `skip_unreadable` of None, no message says that files can be left out.
    """
    made, content = Imported(out), hashlib.sha256()
    read = _read_all(sources, made, skip_unreadable, content.update, on_progress)
    if out is None:
        for _ in read:
            pass
        return made
    if not append and not force and out.is_file():
        raise ZooError(f"{out}: exists already; {option('append')} adds to it, {option('force')} replaces it")

    def source() -> str:
        # Names of files may say who was recorded, so the source of a file of recordings is a hash.
        files = f"{len(made.findings.files)} CSV file{'s' * (len(made.findings.files) > 1)} #{content.hexdigest()[:8]}"
        return f"{study} ({files})" if (study := sources[0][1].study) else files

    begun: AbstractContextManager[None] = exclusive(out) if append else new_file(out, force)
    with begun:
        if append and out.exists():
            recordings.append_recordings(out, read, source=source, same_people=same_people)
            index = recordings.read_recordings(out)
            said = checks.spelled_twice(index.activities.tolist(), index.subjects.tolist())
            made.doubts += [doubt for doubt in said if doubt not in made.doubts]
        else:
            recordings.write_recordings(out, read, source=source)
    return made


_COPY = re.compile(r"\(\d+\)(?=[./]|$)|(?<![^\W_])(?:copy|kopie|copie|c[o\u00f3]pia|kopia)(?![^\W_])", re.IGNORECASE)
"""What systems and browsers write into the name of a copy, as in `walk (1).csv` and `walk - Copy.csv`."""


def marks_of_copy(source: "tuple[Path | pd.DataFrame, CsvColumns]") -> int:
    """How many marks of a copy the name of a file has: of equal files, the one with the fewest stays."""
    return len(_COPY.findall(unicodedata.normalize("NFC", name_of(source[0]))))


def _read_all(
    sources: Sources,
    made: Imported,
    skip_unreadable: bool | None,
    hash_bytes: Callable[[bytes | memoryview], None],
    on_progress: Callable[[int], None],
) -> Iterator[Recording]:
    """The recordings of all files, also of those that follow a faulty one, of which the error comes at the end."""
    findings, short, faulty = made.findings, 0, list[tuple[str, ZooError]]()
    # Of two equal files, the later one is refused. DataFrames, which come before files, are known by their numbers.
    for number, (source, columns) in enumerate(sorted(sources, key=marks_of_copy), 1):
        name = name_of(source, number if len(sources) > 1 else None)
        try:
            found: Iterable[Recording] = read_csv(source, columns, findings, name)
            # Of a file that is left out, nothing is kept, though its first recordings may be sound.
            for recording in list(found) if skip_unreadable else found:
                made.recordings += 1
                on_progress(made.recordings)
                short += recording.seconds < _USABLE
                hash_bytes(f"{recording.subject}\n{recording.activity}\n{recording.rate}\n".encode())
                hash_bytes(np.ascontiguousarray(recording.rows).data)
                yield recording
        except ZooError as error:
            faulty.append((name, error))
            findings.copies.forget(name)
    close_archive()
    named = [{name for table in findings.files for name in table[key]} for key in ("activities", "subjects")]
    made.doubts = [*checks.spelled_twice(*named), *findings.doubts()]
    if short:
        made.doubts.append(
            f"{short} of {made.recordings} recordings are shorter than {_USABLE:g} s, and give no window by default: "
            f"gaps and lost values end a recording; if time stamps repeat or come late, pass {option('rate')}"
        )
    made.doubts += [*_assumed_unit(findings.files), *(file["doubt"] for file in findings.files if "doubt" in file)]
    shared = Counter(file["labels"] for file in findings.files if "labels" in file)
    made.doubts += [
        f"{labels} label {count} recordings: if they are of one of these, move both into a folder of their own"
        for labels, count in shared.items() if count > 1
    ]  # fmt: skip
    if faulty:
        _report(faulty, len(sources), made, skip_unreadable)


def _report(faulty: Sequence[tuple[str, ZooError]], count: int, made: Imported, skip_unreadable: bool | None) -> None:
    """Says which of `count` files cannot be read, and why: by a doubt, by problems, or by an error."""
    problems = _problems(faulty, [file["file"] for file in made.findings.files])
    numbered = (f"({place}) {problem}" for place, problem in enumerate(problems, 1))
    listed = problems[0] if len(problems) == 1 else "; ".join(numbered)
    some = f"{len(faulty)} of {count} files cannot be read"
    if skip_unreadable and len(faulty) < count:
        made.findings.dropped["files that cannot be read"] += len(faulty)
        made.doubts.append(f"{some}, and {'is' if len(faulty) == 1 else 'are'} left out: {listed}")
        return
    made.problems = problems
    if made.path is None:
        return
    if count == 1:
        raise faulty[0][1]
    cure = ""
    if len(faulty) < count:
        if option("unit") in listed:
            cure += f"; {option('unit')} is that of all files: a table with {option('manifest')} has that of each"
        if skip_unreadable is False:
            cure += f"; or import the others with {option('skip_unreadable')}"
    raise ZooError(f"{some}, so nothing was written: {listed}{cure}")


def _problems(faulty: Sequence[tuple[str, ZooError]], sound: Sequence[str]) -> list[str]:
    """A sentence for each problem, in the words of the first of the files that have it, as all of an app may."""
    alike: dict[str, tuple[str, list[str]]] = {}
    for file, error in faulty:
        # What is wrong may be with its rows, as in `walk.csv, row 9`, or with all of it, as in `walk.csv has`.
        why = re.sub(rf"^{re.escape(printable(file))}[:,]? ", "", str(error))
        # Which row and which number it is differs from file to file, unless it is in the name of another one.
        kind = why if any(other in why for other in sound) else re.sub(r"[\d.]+", "", why)
        alike.setdefault(kind, (why, []))[1].append(file)
    return [
        f"{', '.join(files[:_NAMED])}{f' and {len(files) - _NAMED} more' * (len(files) > _NAMED)}: {why}"
        for why, files in alike.values()
    ]


def _assumed_unit(files: Sequence[Mapping[str, Any]]) -> list[str]:
    """A sentence about a unit of time that is neither stated nor shown by movement in a file of the same kind."""
    kinds = [(file["read_as"], file["time"], file["time_unit"]) for file in files]
    known = {kind for kind, file in zip(kinds, files, strict=True) if file["time_unit_known"]}
    assumed = [file for kind, file in zip(kinds, files, strict=True) if kind not in known]
    if not assumed:
        return []
    first, unit, more = assumed[0], assumed[0]["time_unit"], f" and {len(assumed) - 1} more" * (len(assumed) > 1)
    rates = ", ".join(f"{rate:g}" for rate in first["rate_hz"][:3])
    return [
        f"no unit of time is stated, and nobody moves in {first['file']}{more} to show it: stamps were read as {unit} "
        f"({rates} Hz); confirm with {option('time_unit', unit)}, or pass {option('rate')}"
    ]
