"""Published studies, which are imported from their official layout: a reader and a row of the table for each.

The command `zoo data import NAME` and its help follow from the row. A reader is a function of a `Source`, which finds
the files, reads their numbers and makes recordings of them. This module imports no third-party library.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from zoo.activity.recordings import Recording
    from zoo.activity.study_files import Source

_MOTIONSENSE = {"dws": "downstairs", "jog": "jogging", "sit": "sitting", "std": "standing", "ups": "upstairs",
                "wlk": "walking"}  # fmt: skip
_G = -9.80665


def motionsense(source: "Source") -> "Iterator[Recording]":
    """MotionSense: six activities, an iPhone in the front pocket of the trousers.

    The columns gravity and userAcceleration are in g with iOS's sign: total acceleration in Android's convention is
    -9.80665 (gravity + userAcceleration).
    """
    columns = [f"{sensor}.{axis}" for sensor in ("gravity", "userAcceleration") for axis in "xyz"]
    for file in source.files():
        if (activity := _MOTIONSENSE.get(file["activity"])) is None:
            source.counts.dropped["files of another activity"] += 1
            continue
        values = source.numbers(file.name, source.table(file, *columns), *range(6))
        yield from source.recordings(
            file.name, file["subject"], activity, _G * (values[:, :3] + values[:, 3:]), rate=50.0,
            position="front pocket", device="iPhone 6s",
        )  # fmt: skip


_WISDM = {"A": "walking", "B": "jogging", "C": "stairs", "D": "sitting", "E": "standing"}
_WISDM_OTHERS = {
    "F": "typing", "G": "brushing_teeth", "H": "eating_soup", "I": "eating_chips", "J": "eating_pasta",
    "K": "drinking", "L": "eating_sandwich", "M": "kicking_ball", "O": "catching_ball", "P": "dribbling_ball",
    "Q": "writing", "R": "clapping", "S": "folding_clothes",
}  # fmt: skip


def wisdm(source: "Source") -> "Iterator[Recording]":
    """WISDM: a phone in the trouser pocket, 18 activities.

    A line of `data_<id>_accel_phone.txt` is `subject,code,nanoseconds,x,y,z;`, in m/s^2 with Android's sign. Phones
    were asked for 20 Hz and delivered 20 to 50; clocks stall. In the first 10 s of sitting and standing, people still
    move to their place (one in ten; the typical one 4 s); at the end, within 2 s, nothing but the last row is unusual.
    Stairs are one activity, up and down.
    """
    activities = _WISDM | _WISDM_OTHERS if source.others else _WISDM
    for file in source.files():
        rows = source.rows(file.name, file.lines(), ("subject", "code", "time", "x", "y", "z"), end=";")
        for code, group in groupby(rows, key=lambda row: row[1].strip()):
            name = f"{file.name}, activity {code}"
            if code not in activities:
                source.counts.dropped["performances of other activities"] += 1
                continue
            values = source.numbers(name, group, 2, 3, 4, 5)
            if len(values) < 2:
                source.counts.dropped["performances of a single row"] += 1
                continue
            times = source.seconds(name, values[:, 0], "ns", hertz=(10, 210))
            yield from source.recordings(
                file.name, file["subject"], activities[code], values[:, 1:], times=times, trim=(10, 2),
                position="trouser pocket",
            )  # fmt: skip


_GEOTEC = {"SEATED": "sitting", "WALKING": "walking"}


def geotec(source: "Source") -> "Iterator[Recording]":
    """GeoTec: getting up, walking, turning and sitting down, with the phone in the left front pocket, four ways around.

    A line of `s<id>_<execution>_sp.csv` is a sample of the accelerometer (m/s^2, Android's sign) and the gyroscope,
    with the time at which it was delivered, in ms, and a label. The samples are even, at 102.4 Hz; they are delivered
    in groups, up to 0.12 s late. A turn between two walks is a part of the walk: without it, no walk is as long as a
    window. Half a second at both ends of a stretch, in which one movement becomes the other, is left out.
    """
    orientations: dict[str, str] = {}
    for file in source.files("DATA/executions_info.csv"):
        orientations |= dict(source.table(file, "execution_id", "orientation"))
    for file in source.files():
        rows = list(source.table(file, "x_acc", "y_acc", "z_acc", "timestamp", "label"))
        values = source.numbers(file.name, rows, 0, 1, 2, 3)
        times = source.seconds(file.name, values[:, 3], "ms", hertz=(90, 115), even=True)
        start, orientation = 0, orientations.get(f"{file['subject']}_{file['execution']}", "")
        for label, group in groupby(_with_turns([row[4].strip() for row in rows])):
            part = slice(start, start := start + len(list(group)))
            if label not in _GEOTEC:
                source.counts.dropped[f"transitions: {label.lower().replace('_', ' ')}"] += 1
                continue
            yield from source.recordings(
                file.name, file["subject"], _GEOTEC[label], values[part, :3], times=times[part], trim=(0.5, 0.5),
                position="left front pocket", device="Xiaomi Poco X2", orientation=orientation,
            )  # fmt: skip


def _with_turns(labels: Sequence[str]) -> list[str]:
    """Labels of rows, with WALKING for each TURNING between two of them.

    Example:
        >>> _with_turns(["WALKING", "TURNING", "WALKING", "TURNING", "SITTING_DOWN"])
        ['WALKING', 'WALKING', 'WALKING', 'TURNING', 'SITTING_DOWN']
    """
    runs = [(label, len(list(group))) for label, group in groupby(labels)]
    around = list(zip([("", 0), *runs[:-1]], runs, [*runs[1:], ("", 0)], strict=True))
    return [
        "WALKING" if (before, label, after) == ("WALKING", "TURNING", "WALKING") else label
        for (before, _), (label, count), (after, _) in around for _ in range(count)
    ]  # fmt: skip


_OXFORD = {
    "inhand": "hand", "swingingarm": "swinging arm", "frontpocket": "front pocket", "backpocket": "back pocket",
    "neckpouch": "neck pouch",
}  # fmt: skip
"""Positions that its files write as one word."""
_OPTIMISATION = ("time", "accuracy", "x", "y", "z")
_VALIDATION = ("time", "x", "y", "z", "steps of the algorithm", "true steps", "steps of the phone")


def oxford(source: "Source") -> "Iterator[Recording]":
    """Oxford step counter: walking alone, with the phone in eight places, at 100 to 406 Hz.

    Files of `optimisation` have no names of columns: nanoseconds, accuracy, x, y, z in m/s^2 with Android's sign. Files
    of `validation` have a time stamp, x, y, z and three counts of steps. Some clocks count microseconds, some files are
    in g. The phone is put away for up to 9 s and taken out for up to 12 s (a bag: 14; one pocket: 18): 12 s are left
    out at both ends.

    It is not documented whether `user1` and `user2` of the validation are among the other three. Keep all five on one
    side of a split.
    """
    for file in source.files():
        columns = _OPTIMISATION if "device" in file.fields else _VALIDATION
        places = [columns.index(name) for name in ("time", "x", "y", "z")]
        values = source.numbers(file.name, source.rows(file.name, file.lines(), columns), *places)
        times = source.seconds(file.name, values[:, 0], "ns", "us", hertz=(80, 450))
        position = file["position"].lower()
        yield from source.recordings(
            file.name, file["subject"].lower(), "walking", source.out_of_g(values[:, 1:], times), times=times,
            trim=(12, 12), position=_OXFORD.get(position, position),
            device=file.fields.get("device", "Samsung Galaxy S6"),
        )  # fmt: skip


class Study(NamedTuple):
    """A row of the table.

    `source` is the name in the literature, with first author and year. `layouts` are those of the paths of its files of
    recordings, from the right, as those of `zoo data import csv --layout`, with fields that its reader gets. `command`
    is the word after `zoo data import`, the name by default; `others` is what the option `--others` imports as well,
    empty for no such option.
    """

    source: str
    citation: str
    license: str
    people: int
    layouts: tuple[str, ...]
    read: "Callable[[Source], Iterator[Recording]]"
    command: str = ""
    others: str = ""

    @property
    def title(self) -> str:
        """The name in the literature."""
        return self.source.partition(" (")[0]


STUDIES: dict[str, Study] = {
    "motionsense": Study(
        "MotionSense (Malekzadeh et al., 2019)",
        "Malekzadeh, Clegg, Cavallaro, Haddadi: Mobile Sensor Data Anonymization, IoTDI 2019, doi "
        "10.1145/3302505.3310068",
        "MIT", 24, ("{activity}_{trial}/sub_{subject}.csv",), motionsense,
    ),
    "wisdm": Study(
        "WISDM (Weiss et al., 2019)",
        "Weiss, Yoneda, Hayajneh: Smartphone and Smartwatch-Based Biometrics Using Activities of Daily Living, IEEE "
        "Access 2019, doi 10.1109/ACCESS.2019.2940729",
        "CC BY 4.0", 51, ("phone/accel/data_{subject}_accel_phone.txt",), wisdm,
        others="Import the other activities as well: typing, eating, clapping, ...",
    ),
    "geotec": Study(
        "GeoTec (Matey-Sanz et al., 2023)",
        "Matey-Sanz, Casteleyn, Granell: Dataset of inertial measurements of smartphones and smartwatches for human "
        "activity recognition, Data in Brief 2023, doi 10.1016/j.dib.2023.109809; data: doi 10.5281/zenodo.8398688",
        "CC BY 4.0", 23, ("{subject}/s{id}_{execution}_sp.csv",), geotec,
    ),
    "oxford": Study(
        "Oxford step counter (Salvi et al., 2018)",
        "Salvi, Velardo, Brynes, Tarassenko: An optimised algorithm for accurate steps counting from smart-phone "
        "accelerometry, EMBC 2018, doi 10.1109/EMBC.2018.8513319",
        "CC BY 4.0", 5,
        ("optimisation/data/{device}_{subject}_{ground}_{position}*/accelerometer.csv",
         "validation/{subject}_{position}_{time}.csv"),
        oxford, command="oxford-steps",
    ),
}  # fmt: skip
"""Studies by name, which is stored in `Recording.study` and, where studies are joined, put before the ids of people."""
