"""Published studies, which are imported from their official layout: a row of the table for each.

The command `zoo data import NAME` and its help follow from the row. As the command line reads the table at each start,
functions import what they read files with: NumPy alone would add a quarter to the time of a help.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from zoo.errors import ZooError

if TYPE_CHECKING:
    from zoo.activity.importing import Imported, Readings
    from zoo.activity.recordings import Findings, Recording


class Study(NamedTuple):
    """A row of the table: what is known of a study, and how its files are read."""

    source: str
    """Name in the literature, with first author and year."""
    citation: str
    license: str
    people: int
    layouts: Mapping[str, str]
    """Layouts of the paths of its files, from the right, as in `zoo data import csv --layout`; each with the names of
    the columns and the end of a line, such as `time,x,y,z;`, or empty where the files name their columns. Files that
    differ in `{segment}` alone are parts of one table."""
    activities: Mapping[str, str]
    """Activities by the labels of the study. Others are counted and left out."""
    hertz: tuple[float, float] = (0.0, 0.0)
    """The lowest and the highest rate. Time stamps that make another one are refused."""
    units: tuple[str, ...] = ("ns",)  # of the time stamps, the usual one first
    columns: Mapping[str, Any] = {}  # arguments of `zoo.import_csv` where columns are not recognized
    trim: tuple[float, float] = (0.0, 0.0)  # seconds that are left out at the start and the end of an activity
    position: str = ""
    device: str = ""
    others: Mapping[str, str] = {}  # activities that `others` imports as well
    dropped: str = "performances of other activities"  # where `{}` is the label
    within: Mapping[str, str] = {}  # labels that are a part of another one if they lie between two of it
    is_even: bool = False  # whether samples are even, though their stamps are those of their delivery
    may_be_in_g: bool = False
    positions: Mapping[str, str] = {}  # those that paths spell in another way
    orientations: str = ""  # layout of a table of how the phone was turned, by execution
    mended: Callable[[Iterator[str]], Iterator[str]] | None = None
    axes: Mapping[str, tuple[str, ...]] = {}
    """By position, the columns that are x, y, z of a phone upright in a front pocket, with `-` before those that point
    the other way. Of several positions, each is a recording."""
    excluded: tuple[str, ...] = ()  # people whom the authors leave out
    command: str = ""

    @property
    def title(self) -> str:
        """The name in the literature."""
        return self.source.partition(" (")[0]


STUDIES: dict[str, Study] = {
    "motionsense": Study(
        "MotionSense (Malekzadeh et al., 2019)",
        "Malekzadeh, Clegg, Cavallaro, Haddadi: Mobile Sensor Data Anonymization, IoTDI 2019, doi "
        "10.1145/3302505.3310068",
        "MIT", 24, {"{activity}_{trial}/sub_{subject}.csv": ""},
        {"dws": "downstairs", "jog": "jogging", "sit": "sitting", "std": "standing", "ups": "upstairs",
         "wlk": "walking"},
        columns={"x": "userAcceleration.x", "y": "userAcceleration.y", "z": "userAcceleration.z",
                 "gravity": ("gravity.x", "gravity.y", "gravity.z"), "unit": "g", "convention": "ios", "rate": 50.0},
        position="front pocket", device="iPhone 6s", dropped="files of another activity",
    ),
    # Phones were asked for 20 Hz and delivered 20 to 50; clocks stall. In the first 10 s of sitting and standing,
    # people still move to their place (one in ten; the typical one 4 s); at the end, within 2 s, nothing but the last
    # row is unusual. Stairs are one activity, up and down.
    "wisdm": Study(
        "WISDM (Weiss et al., 2019)",
        "Weiss, Yoneda, Hayajneh: Smartphone and Smartwatch-Based Biometrics Using Activities of Daily Living, IEEE "
        "Access 2019, doi 10.1109/ACCESS.2019.2940729",
        "CC BY 4.0", 51, {"phone/accel/data_{subject}_accel_phone.txt": "id,activity,time,x,y,z;"},
        {"A": "walking", "B": "jogging", "C": "stairs", "D": "sitting", "E": "standing"},
        hertz=(10, 210), trim=(10, 2), position="trouser pocket",
        others={"F": "typing", "G": "brushing_teeth", "H": "eating_soup", "I": "eating_chips", "J": "eating_pasta",
                "K": "drinking", "L": "eating_sandwich", "M": "kicking_ball", "O": "catching_ball",
                "P": "dribbling_ball", "Q": "writing", "R": "clapping", "S": "folding_clothes"},
    ),
    # Getting up, walking, turning and sitting down, four ways around. Samples are at 102.4 Hz, and are delivered in
    # groups, up to 0.12 s late. A turn between two walks is a part of the walk: without it, no walk is as long as a
    # window. In half a second at both ends of a stretch, one movement becomes the other.
    "geotec": Study(
        "GeoTec (Matey-Sanz et al., 2023)",
        "Matey-Sanz, Casteleyn, Granell: Dataset of inertial measurements of smartphones and smartwatches for human "
        "activity recognition, Data in Brief 2023, doi 10.1016/j.dib.2023.109809; data: doi 10.5281/zenodo.8398688",
        "CC BY 4.0", 23, {"{subject}/s{id}_{execution}_sp.csv": ""}, {"SEATED": "sitting", "WALKING": "walking"},
        hertz=(90, 115), units=("ms",), is_even=True, columns={"x": "x_acc", "y": "y_acc", "z": "z_acc"},
        trim=(0.5, 0.5), position="left front pocket", device="Xiaomi Poco X2", dropped="transitions: {}",
        within={"TURNING": "WALKING"}, orientations="DATA/executions_info.csv",
    ),
    # Walking alone, with the phone in eight places, at 100 to 406 Hz. Some clocks count microseconds. The phone is put
    # away for up to 9 s and taken out for up to 12 s (a bag: 14; one pocket: 18). It is not documented whether `user1`
    # and `user2` of the validation are among the other three: keep all five on one side of a split.
    "oxford": Study(
        "Oxford step counter (Salvi et al., 2018)",
        "Salvi, Velardo, Brynes, Tarassenko: An optimised algorithm for accurate steps counting from smart-phone "
        "accelerometry, EMBC 2018, doi 10.1109/EMBC.2018.8513319",
        "CC BY 4.0", 5,
        {"optimisation/data/{device}_{subject}_{ground}_{position}*/accelerometer.csv": "time,accuracy,x,y,z",
         "validation/{subject}_{position}_{start}.csv": "time,x,y,z,steps of the algorithm,true steps,phone's steps"},
        {"walking": "walking"}, columns={"activity": "=walking"},
        hertz=(80, 450), units=("ns", "us"), may_be_in_g=True, trim=(12, 12), device="Samsung Galaxy S6",
        positions={"inhand": "hand", "swingingarm": "swinging arm", "frontpocket": "front pocket",
                   "backpocket": "back pocket", "neckpouch": "neck pouch"},
        command="oxford-steps",
    ),
    # Three paces of walking. The scale of a sensor is off by a few percent, which is left as it is: a phone has nobody
    # whose standing would mend it. One of the 34 people has 5 s of stairs; the authors count the others.
    "selfback": Study(
        "selfBACK (Sani et al., 2017)",
        "Sani, Massie, Wiratunga, Cooper: Learning Deep and Shallow Features for Human Activity Recognition, KSEM "
        "2017, doi 10.1007/978-3-319-63558-3_40",
        "CC BY 4.0", 33, {"thigh34/{activity}/{subject}.csv": ""},
        {"downstairs": "downstairs", "jogging": "jogging", "sitting": "sitting", "standing": "standing",
         "upstairs": "upstairs", "walk_slow": "walking", "walk_mod": "walking", "walk_fast": "walking"},
        hertz=(90, 110), units=("s",), columns={"unit": "g"}, device="Axivity AX3", others={"lying": "lying"},
        axes={"thigh": ("-y", "-x", "-z")}, excluded=("035",),
    ),
    # Parts of 5 s that follow one another, of both thighs at once. Some parts end in zeros, and jumping and rowing of
    # one person are those of another. Standing in an elevator (07) is standing; riding in one (08) is neither that nor
    # another movement.
    "dsads": Study(
        "DSADS (Altun et al., 2010)",
        "Altun, Barshan, Tuncel: Comparative study on classifying human activities with miniature inertial and "
        "magnetic sensors, Pattern Recognition 2010, doi 10.1016/j.patcog.2010.04.019",
        "CC BY 4.0", 8, {"a{activity}/p{subject}/s{segment}.txt": ",".join(f"c{place}" for place in range(1, 46))},
        {"01": "sitting", "02": "standing", "05": "upstairs", "06": "downstairs", "07": "standing", "09": "walking",
         "10": "walking", "11": "walking", "12": "jogging"},
        columns={"rate": 25.0}, device="Xsens MTx",
        others={"03": "lying", "04": "lying", "13": "stepper", "14": "cross_trainer", "15": "cycling",
                "16": "cycling", "17": "rowing", "18": "jumping", "19": "basketball"},
        axes={"right thigh": ("-c30", "-c28", "c29"), "left thigh": ("c39", "-c37", "-c38")},
    ),
}  # fmt: skip
"""Studies by name, which is stored in `Recording.study` and, where studies are joined, put before the ids of people."""

_SHORTEST = 1.0
"""Seconds below which a stretch is left out."""


def import_study(
    name: str, source: str | Path, out: str | Path, *, others: bool = False, force: bool = False,
    on_progress: Callable[[int], None] = lambda count: None,
) -> "Imported":  # fmt: skip
    """Writes a file of recordings; arguments are those of `zoo.import_study`."""
    from zoo.activity.importing import Imported
    from zoo.activity.recordings import write_recordings
    from zoo.files import new_file

    made = Imported(out := Path(out))

    def counted() -> "Iterator[Recording]":
        for recording in read_study(name, Path(source), made.findings, others=others):
            made.recordings += 1
            on_progress(made.recordings)
            yield recording

    with new_file(out, force):
        write_recordings(out, counted(), source=STUDIES[name].source)
    return made


def read_study(
    name: str, path: Path, findings: "Findings | None" = None, *, others: bool = False
) -> "Iterator[Recording]":  # fmt: skip
    """Reads a study from its zip file as it is published, or a folder; `findings` gets what is left out or changed."""
    from zoo.activity.checks import Copies
    from zoo.activity.recordings import Findings
    from zoo.activity.tables import Table, close_archive, lines_of

    copies = Copies()
    study, findings, orientations = STUDIES[name], Findings() if findings is None else findings, dict[str, str]()
    study = study._replace(activities={**study.activities, **(study.others if others else {})})
    try:
        for file, (place,), _, _ in _files(name, path, [study.orientations]) if study.orientations else ():
            records = Table(file, lines_of(place)).records("execution_id", "orientation", cure="copy the file again")
            orientations |= {record["execution_id"]: record["orientation"] for record in records}
        for file, parts, fields, layout in _files(name, path, study.layouts):
            if fields.get("subject") in study.excluded:
                findings.dropped["files of people whom the authors leave out"] += 1
                continue
            where = fields.get("position", "").lower() or study.position
            for position, axes in (study.axes or {where: ()}).items():
                lines = chain.from_iterable(map(lines_of, parts))
                table = _table(study, file, lines, fields, study.layouts[layout], axes, findings)
                about: dict[str, Any] = {
                    "study": name, "device": fields.get("device", study.device), "trimmed": min(study.trim),
                    "position": study.positions.get(position, position),
                    "orientation": orientations.get(f"{fields.get('subject')}_{fields.get('execution')}", ""),
                }  # fmt: skip
                for recording in _recordings(study, table, findings):
                    if copies.find(recording.subject, recording.name, recording.acceleration):
                        findings.dropped["recordings that are those of another person"] += 1
                    else:
                        yield replace(recording, **about)
    except ZooError as error:
        # About a file in it.
        raise error if str(path) in str(error) else type(error)(f"{path}: {error}") from error
    finally:
        close_archive()


def _files(
    name: str, folder: Path, layouts: Iterable[str]
) -> list[tuple[str, list[Path], dict[str, str], str]]:  # fmt: skip
    """The name of each table of some layouts, its files, what the layout reads from their paths, and the layout."""
    from zoo.activity.sources import layout_pattern
    from zoo.activity.tables import files_in

    paths = {path.relative_to(folder).as_posix(): path for path in files_in(folder)}

    def matching(layouts: Iterable[str]) -> Iterator[tuple[str, Any, str]]:
        patterns = {layout: layout_pattern(layout) for layout in layouts}
        for file in paths:
            matches = ((file, match, layout) for layout, row in patterns.items() if (match := row.search(file)))
            yield from list(matches)[:1]

    tables, copies = list[tuple[str, list[Path], dict[str, str], str]](), dict[str, str]()
    for file, match, layout in matching(layouts):
        if (other := copies.setdefault(match[0].strip("/"), file)) != file:
            raise ZooError(f"{folder}: holds {other} and {file}, two copies of one file: leave one of them out")
        fields = match.groupdict()
        if fields.pop("segment", "") and tables and tables[-1][2] == fields:
            tables[-1][1].append(paths[file])
        else:
            tables.append((file, [paths[file]], fields, layout))
    if not tables:
        advice = f"expected {STUDIES[name].title}'s layout"
        for other, study in STUDIES.items():
            if other != name and any(matching(study.layouts)):
                advice = f"it looks like {study.title}: use `zoo data import {study.command or other}`"
        raise ZooError(f"{folder}: no files {' or '.join(layouts)} in it; {advice}")
    return tables


def _named(file: str, lines: Iterable[str], header: str, findings: "Findings") -> Iterator[str]:
    """Lines below a line of column names that they lack. Counts those that lack fields; refuses a truncated file."""
    names = header.rstrip(";")
    end, commas, count, lacking, is_whole, line = header[len(names) :], names.count(","), 0, 0, False, ""
    yield names
    for line in filter(None, map(str.strip, lines)):
        count += 1
        if is_whole := line.endswith(end) and line.count(",") == commas:
            yield line.removesuffix(end)
        lacking += not is_whole
    if not is_whole:
        found = f"ends within line {count}, {line[-40:]!r}" if count else "holds no rows"
        raise ZooError(f"{file}: {found}; expected lines of {header}: copy it again")
    if lacking:
        findings.dropped["lines that are not samples"] += lacking


def _table(
    study: Study, file: str, lines: Iterator[str], fields: Mapping[str, str], header: str, axes: Sequence[str],
    findings: "Findings",
) -> "Readings":  # fmt: skip
    """A file in m/s^2, Android's sign, and seconds."""
    import numpy as np

    from zoo.activity.checks import TableError, by_second, typical_rate
    from zoo.activity.columns import SECONDS, CsvColumns
    from zoo.activity.importing import read_table
    from zoo.runtime.metadata import STANDARD_GRAVITY

    known = {name: f"={fields[name]}" for name in ("subject", "activity") if name in fields}
    known |= dict(zip("xyz", (name.removeprefix("-") for name in axes), strict=False))
    lines = study.mended(lines) if study.mended else lines
    lines = _named(file, lines, header, findings) if header else lines
    try:
        table = read_table(file, lines, CsvColumns(**{**known, **study.columns}), raw=True)
    except TableError as error:
        raise ZooError(f"{error.problem}: copy the file again") from None
    table.values *= table.columns.factors[:3] * [-1 if name.startswith("-") else 1 for name in axes or "xyz"]
    # Gravity is in each row.
    table.values[~table.values.any(axis=1)] = np.nan
    if table.columns.rate:
        return table
    steps = np.diff(table.times)
    forward = steps[steps > 0]
    # The mean without gaps: where samples are delivered in groups or at two intervals, no interval is typical.
    step = float(steps[(steps >= 0) & (steps <= 20 * np.median(forward))].mean()) if len(forward) else np.inf
    rates, (low, high) = {unit: 1 / (step * SECONDS[unit]) for unit in study.units}, study.hertz
    if not (units := [unit for unit, rate in rates.items() if low <= rate <= high]):
        usual = study.units[0]
        what = f"{rates[usual]:.3g} Hz; expected {low:g} to {high:g} Hz in {study.title}"
        raise ZooError(f"{file}: time stamps in {usual} make {what}: copy the file again")
    if units[0] != study.units[0]:
        findings.changed[f"files with time stamps in {units[0]} in place of {study.units[0]}, read as such"] += 1
    table.times *= SECONDS[units[0]]
    if study.is_even:
        table.times = np.linspace(table.times[0], table.times[-1], len(table.times))
    if study.may_be_in_g and 0.8 < by_second(table.values, typical_rate(table.times))[1] < 1.25:
        findings.changed["files in g, converted to m/s^2"] += 1
        table.values *= STANDARD_GRAVITY
    return table


def _recordings(study: Study, table: "Readings", findings: "Findings") -> "Iterator[Recording]":
    """Each performance of an activity as recordings: without its ends, split at gaps, on an even grid."""
    import numpy as np

    from zoo.activity.checks import TableError, check_signal, typical_rate
    from zoo.activity.recordings import stretches
    from zoo.runtime.metadata import UNIT

    parts, rate = list(table.parts()), table.columns.rate
    for before, (place, (rows, owner)), after in zip(parts, enumerate(parts[1:], 1), parts[2:], strict=False):
        if before[1] == after[1] and before[1].activity == study.within.get(owner.activity):
            parts[place] = (rows, before[1])
    for (subject, label, *_), group in groupby(parts, lambda part: part[1]):
        slices = [rows for rows, _ in group]
        part = slice(slices[0].start, slices[-1].stop)
        if (activity := study.activities.get(label)) is None:
            findings.dropped[study.dropped.format(label.lower().replace("_", " "))] += 1
            continue
        times, values = table.times[part], table.values[part]
        try:
            check_signal(f"{table.where}, {activity}", values, rate or typical_rate(times))
        except TableError as error:
            wanted = f"{study.title} is {UNIT} with gravity"
            raise ZooError(f"{error.problem}; {wanted}: copy the file again") from None
        # A clock that starts again adds no time.
        elapsed = np.concatenate([[0.0], np.cumsum(np.clip(np.diff(times), 0, None))])
        kept = (elapsed >= study.trim[0]) & (elapsed <= elapsed[-1] - study.trim[1])
        if left_out := round(min(sum(study.trim), float(elapsed[-1]))):
            findings.dropped[f"seconds at the ends of {activity}"] += left_out
        if not kept.any():
            findings.dropped[f"stretches of {activity} shorter than the ends that are left out"] += 1
            continue
        for recording in stretches(table.where, subject.lower(), activity, times[kept], values[kept], rate, findings):
            if recording.seconds >= _SHORTEST:
                yield recording
            else:
                findings.dropped[f"stretches of {activity} shorter than {_SHORTEST:g} s"] += 1
