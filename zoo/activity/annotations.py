"""Labels that stand beside a signal: notes that an app took while it recorded, and the answers of `zoo label`.

Sensor Logger writes notes to `Annotation.csv` next to the files of its sensors; other apps and people write `Tags.csv`.
A note holds until the next one. Stretches that were labeled in Audacity (a label track, `.txt`) or ELAN (`.eaf`) lie
next to a recording under its name, and are notes that end themselves. Answers are a table of stretches of one
recording, which it names.
"""

import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice, pairwise
from pathlib import Path
from typing import Literal, NamedTuple
from xml.etree.ElementTree import ParseError, fromstring

import numpy as np
from numpy.typing import NDArray

from zoo.activity.columns import SECONDS, CsvColumns, candidates, is_dated, is_local, recognized, time_reader
from zoo.activity.sources import UNDO, beside, is_label_track, stem
from zoo.activity.tables import Table, check_encoding, digest, exists, lines_of, number_or_nan
from zoo.errors import ZooError, option
from zoo.files import atomic_write, read_json, sha256, write_json

FILES = ("Annotation", "Tags", "annotation", "tags")
"""Names of files of notes, without the ending."""
TRACKS = {"elan": ".eaf", "audacity": ".txt"}
"""Endings of files of stretches that other programs read and write."""
ENDS = ("", "stop", "end")
"""Notes that end an activity and begin none."""
COLUMNS = ("file", "sha256", "subject", "start", "end", "activity", "decided")
"""Columns of a table of answers."""
CHECKED = " checked"
"""What follows on who decided about a label, if a model had doubted it."""
_TIER = "activity"
"""The tier of ELAN that is read, where several have labels, and written."""
_TOUCHING = 1e-3
"""Seconds by which two stretches that touch may overlap, as programs round."""
_NO_UNIT = ("time", "timestamp", "t", "elapsed")
"""Names of columns that do not say in what their times are."""
_MINUTES = 0.5, 1.02
"""At which share of the recording the last note is, if times of notes are minutes; if they are, it is near the end."""
_LONG, _FAR = 600.0, 5
"""Seconds, and medians of the others, from which a last note that nothing ends is doubtful."""
_LATEST = 1e9
"""Seconds since the start of a recording that no label reaches."""

Side = Literal["start", "end"]
"""Whether a note stands at the start of what it names, or at its end."""


class Span(NamedTuple):
    """A label between two times in seconds; empty where something is left out, or who `decided` is unknown."""

    start: float
    end: float
    activity: str
    decided: str = ""


class Answers(NamedTuple):
    """What somebody decided about a recording: `spans` in seconds since its first row, in their order.
    `sha256` is that of the file, and `columns` are how it is read.
    """

    file: Path
    sha256: str
    subject: str
    columns: CsvColumns
    spans: tuple[Span, ...]


Change = tuple[list[Span], list[Span]]
"""What an answer took out of a table of answers, and what it put there."""


def notes_of(path: Path) -> Path | None:
    """The file of notes next to that of a sensor, if there is one; those of other programs go before the app's."""
    tracks = [path.with_name(name + ending) for name in (stem(path), *FILES) for ending in TRACKS.values()]
    found = [other for other in tracks if exists(other) and _reader(other)]
    found += [other for name in FILES if exists(other := beside(path, name))]
    return next((other for other in found if other != path), None)


def _reader(path: Path) -> Callable[[Path, str], list[tuple[float, float, str]]] | None:
    """What reads a file of another program; None for any other file."""
    return _of_elan if path.suffix == TRACKS["elan"] else _of_audacity if is_label_track(path) else None


def read_notes(
    path: Path, times: NDArray[np.float64], column: str | None, unit: str, columns: CsvColumns, local: bool
) -> list[Span]:  # fmt: skip
    """Reads notes as spans in seconds since the first of the `times` of a table, whose `column` of them has a unit.

    Dates of a `local` clock, which states no time zone, are placed by those of another such clock alone.
    """
    side, times = columns.annotations, times[np.isfinite(times)]
    if (reader := _reader(path)) is not None:
        return _stretches(path, reader(path, columns.encoding), side)
    table = Table(str(path), lines_of(path, columns.encoding))
    texts, stamp = candidates("text", table.names) or ["text"], recognized("time", table.names) or "seconds_elapsed"
    stamp = column if column in table.names else stamp
    rows = table.records(texts[0], stamp, cure="name it so, or remove the file")
    text, *others = [name for name in texts if any(row[name].strip() for row in rows)] or texts[:1]
    if others:
        raise ZooError(f"{path}: columns {text} and {others[0]} may both be the label: rename or remove one")
    moment, expected, is_clock = time_reader((row[stamp] for row in rows), comma=table.separator != ",")
    try:
        stamps = moment([row[stamp] for row in rows])
    except ValueError as error:
        raise ZooError(f"{path}: column {stamp!r}: {error}; expected {expected}") from None
    if not np.isfinite(stamps).all():
        raise ZooError(f"{path}: column {stamp!r}: a note has no time; expected {expected}")
    first = times[0] if len(times) else 0.0
    moments = stamps if is_clock else stamps * SECONDS.get(unit, 1.0)
    if stamp == column and is_dated(moments) == is_dated(times):
        if is_dated(times) and is_local(row[stamp] for row in rows) != local:
            what = "a time zone, and the recording none" if local else "no time zone, and the recording does"
            raise ZooError(
                f"{path}: column {stamp!r}: states {what}, so labels may be hours off: write both in one way"
            )
        seconds = moments - first
    else:
        # Of another clock than the recording, seconds since its start alone can be placed.
        if is_clock or any(is_dated(stamps * factor) for factor in SECONDS.values()):
            what = f"column {stamp!r} is on another clock than {column or 'a fixed rate'!r}"
            raise ZooError(f"{path}: {what}: pass {option('time')} for a column that both files have")
        seconds = stamps
    last, end = seconds.max(initial=0.0), float(np.nanmax(times, initial=first)) - first
    is_bare = stamp.lower() in _NO_UNIT and not (is_clock or is_dated(moments))
    # Minutes, or seconds on a clock of milliseconds, are too close to the start.
    factors = {60.0: _MINUTES[0], 1 / SECONDS.get(unit, 1.0): 0.0}
    is_early = any(least * end < factor * last < _MINUTES[1] * end for factor, least in factors.items() if factor > 1)
    if len(rows) > 1 and is_bare and is_early:
        what = f"the last note is at {last:g} s of {end:.0f} s; expected seconds"
        raise ZooError(f"{path}: column {stamp!r}: {what}: multiply minutes by 60, or rename it seconds_elapsed")
    order = np.argsort(seconds, kind="stable")
    notes = [(float(seconds[place]), _cleaned(f"{path}: column {text!r}", rows[place][text])) for place in order]
    return _held(path, notes, side)


def doubtful_from(spans: Sequence[Span], end: float) -> float | None:
    """Where the last note begins, if it holds by far longest, to the end: its author may have stopped to take notes."""
    *lengths, last = [min(span.end, end) - span.start for span in spans] or [0.0]
    is_long = lengths and last > max(_LONG, _FAR * float(np.median(lengths)))
    return spans[-1].start if is_long and spans[-1].end == np.inf else None


def _cleaned(where: str, text: str) -> str:
    """A note as a label, in which no comma and no control character may be."""
    check_encoding(where, text)
    return " ".join("".join(sign if sign.isprintable() and sign != "," else " " for sign in text).split())[:100]


def _held(path: Path, notes: Sequence[tuple[float, str]], side: Side) -> list[Span]:
    for pair in pairwise(notes):
        # Of two at one moment, one would hold for no time.
        (moment, one), (other, text) = pair
        if moment == other and one != text and pair[side == "end"][1].lower() not in ENDS:
            raise ZooError(f"{path}: {one!r} and {text!r} are both at {moment:g} s; expected one: move or remove one")
    moments = [moment for moment, _ in notes]
    edges = [*moments, np.inf] if side == "start" else [-np.inf, *moments]
    return [
        Span(start, end, text)
        for (start, end), (_, text) in zip(pairwise(edges), notes, strict=True)
        if text.lower() not in ENDS and start < end
    ]


def _stretches(path: Path, rows: Sequence[tuple[float, float, str]], side: Side) -> list[Span]:
    """What has a start, an end and a text; where all are points in time, they are read as notes."""
    if wrong := next((row for row in rows if not -_LATEST < row[0] <= row[1] < _LATEST), None):
        raise ZooError(f"{path}: {wrong[2]!r} is from {wrong[0]:g} to {wrong[1]:g} s; expected a start before its end")
    rows = sorted(rows)
    if all(start == end for start, end, _ in rows):
        return _held(path, [(start, text) for start, _, text in rows], side)
    # Points among stretches are remarks.
    spans = [Span(*row) for row in rows if row[0] < row[1] and row[2].lower() not in ENDS]
    for one, other in pairwise(spans):
        if other.start < one.end - _TOUCHING:
            both = f"{one.activity!r} until {one.end:g} s and {other.activity!r} from {other.start:g} s"
            raise ZooError(f"{path}: {both} overlap; expected one label at a time")
    return spans


def _of_audacity(path: Path, encoding: str) -> list[tuple[float, float, str]]:
    rows = []
    for number, line in enumerate(lines_of(path, encoding), 1):
        start, end, text = [*line.rstrip("\n").split("\t", 2), "", ""][:3]
        # The line after a label may hold its frequencies.
        if line.strip() and start != "\\":
            try:
                rows.append((float(start), float(end), _cleaned(f"{path}: line {number}", text)))
            except ValueError:
                raise ZooError(f"{path}: line {number}: expected start, end and label with tabs between them") from None
    return rows


def _of_elan(path: Path, encoding: str) -> list[tuple[float, float, str]]:
    # Entities, by which a small file can fill the memory or read others, are declared there alone.
    if "<!DOCTYPE" in (text := "".join(lines_of(path, encoding))):
        raise ZooError(f"{path}: has a document type, which ELAN does not write: save it with ELAN")
    try:
        root = fromstring(text)
    except (ParseError, ValueError) as error:
        raise ZooError(f"{path}: not a file of ELAN ({error}): save it again") from None
    slots = {slot.get("TIME_SLOT_ID"): slot.get("TIME_VALUE", "nan") for slot in root.iter("TIME_SLOT")}
    tiers = {tier.get("TIER_ID", ""): [*tier.iter("ALIGNABLE_ANNOTATION")] for tier in root.iter("TIER")}
    used = [name for name in tiers if tiers[name]]
    if len(used) > 1 and _TIER not in used:
        raise ZooError(f"{path}: has labels in the tiers {', '.join(used)}: name the one to read {_TIER}")
    rows = []
    for mark in tiers[_TIER if _TIER in used else used[0]] if used else []:
        start, end = (number_or_nan(slots.get(mark.get(f"TIME_SLOT_REF{side}"), "nan")) / 1000 for side in (1, 2))
        rows.append((start, end, _cleaned(str(path), mark.findtext("ANNOTATION_VALUE") or "")))
    return rows


def write_track(answers: Path, spans: Sequence[Span], program: str) -> Path:
    """Writes what has a label as a file of a program among `TRACKS`, next to a table of answers; returns the file."""
    from jinja2 import Template

    text = Path(__file__).with_name(f"track{TRACKS[program]}.j2").read_text(encoding="utf-8")
    # Only XML has signs to escape.
    template = Template(text, autoescape=program == "elan", trim_blocks=True, keep_trailing_newline=True)
    filled = template.render(spans=spans, tier=_TIER, date=datetime.now(UTC).isoformat())
    path = answers.with_suffix(TRACKS[program])
    with atomic_write(path) as temporary:
        temporary.write_text(filled, encoding="utf-8")
    return path


def write_answers(path: Path, answers: Answers, changes: Sequence[Change]) -> None:
    """Writes a table of answers, and next to it the changes that led to it; deletes both where nothing is decided.

    In the table, `file` is relative to its folder where that is possible.
    """
    import csv

    undo, file = path.with_suffix(UNDO), answers.file.absolute()
    if not answers.spans:
        path.unlink(missing_ok=True)
        undo.unlink(missing_ok=True)
        return
    # On another drive of Windows, there is no such path.
    with suppress(ValueError):
        file = Path(os.path.relpath(file, path.parent.absolute()))
    about = file.as_posix(), answers.sha256, answers.subject
    with atomic_write(path) as temporary:
        with temporary.open("w", encoding="utf-8", newline="") as text:
            if given := answers.columns.model_dump(exclude_defaults=True, exclude={"subject", "activity"}):
                text.write(f"# {json.dumps(given, ensure_ascii=False)}\n")
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(COLUMNS)
            for start, end, activity, decided in answers.spans:
                writer.writerow([*about, f"{start:.3f}", f"{end:.3f}", activity, decided])
        # The table gets its name last. If it gets none, the changes do not belong to the earlier one.
        write_json(undo, {"journal_sha256": sha256(temporary), "changes": changes})


def read_changes(path: Path) -> list[Change]:
    """The changes that led to a table of answers; none if somebody else has written it since."""
    with suppress(ZooError, LookupError, TypeError, ValueError):
        document = read_json(path.with_suffix(UNDO))
        if document["journal_sha256"] == sha256(path):
            return [([Span(*row) for row in out], [Span(*row) for row in into]) for out, into in document["changes"]]
    return []


def read_answers(path: Path) -> Answers | None:
    """Reads a table of answers; None for any other table, or where nothing is decided yet."""
    head = names = ""
    # What cannot be read is no such table.
    with suppress(ZooError):
        head, names = [*islice(lines_of(path), 2), "", ""][:2]
    described = head.startswith("#")
    if (names if described else head).strip() != ",".join(COLUMNS):
        return None
    rows = Table(str(path), lines_of(path)).records(*COLUMNS)
    if not rows:
        return None
    where, first = f"{path}: row {{}} below the names", rows[0]
    spans = list[Span]()
    for number, row in enumerate(rows, 1):
        try:
            span = Span(float(row["start"]), float(row["end"]), row["activity"].strip(), row["decided"].strip())
        except ValueError:
            raise ZooError(f"{where.format(number)}: start or end is no number; expected seconds") from None
        if not span.start < span.end or (spans and span.start < spans[-1].end):
            found = f"{span.start:g} to {span.end:g} s"
            raise ZooError(f"{where.format(number)}: {found}; expected stretches in their order")
        if any(row[name] != first[name] for name in ("file", "sha256", "subject")):
            raise ZooError(f"{where.format(number)}: names another recording or person; expected one in a file")
        spans.append(span)
    try:
        given = json.loads(head[1:]) if described else {}
        # JSON has lists in place of tuples.
        given = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
        columns = CsvColumns(**given)
    except (ValueError, TypeError, AttributeError) as error:
        raise ZooError(f"{path}: the first line does not say how the recording is read ({error})") from None
    file = path.parent / first["file"]
    return Answers(file, first["sha256"], first["subject"], columns, tuple(spans))


def check_unchanged(path: Path, answers: Answers) -> None:
    """Refuses answers about a recording that is missing, or that has other contents by now."""
    if not exists(answers.file):
        raise ZooError(f"{path}: no such file: {answers.file} (paths start at the folder of this table)")
    if digest(answers.file) != answers.sha256:
        raise ZooError(f"{answers.file}: has changed since it was labeled in {path}: restore it, or label it anew")
