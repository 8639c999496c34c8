"""The table of studies: published recordings that are imported from their official layout.

A new study needs a row here and a reader in `zoo.activity.study_readers`. The command `zoo data import NAME`, the page
of the studies and the checks follow from the row. This module imports no third-party library.
"""

from typing import NamedTuple


class Study(NamedTuple):
    """A row of the table.

    `title` is the name in the literature, `source` the same with first author and year, for files. `rates` are the Hz
    between which its phones record. `members` is a regular expression of the paths of its files of recordings, from the
    right; `layout` is the same for people, with `<...>` for what varies. `trim` are the seconds at the start and at the
    end of an activity that are left out, in which people settle and the phone is put away: measured, see the reader;
    zeros leave it to `zoo data windows --trim`. `command` is the word after `zoo data import`, the name by default;
    `others` is what the option `--others` imports as well, empty for no such option.
    """

    title: str
    source: str
    citation: str
    license: str
    people: int
    rates: tuple[float, float]
    members: str
    layout: str
    positions: tuple[str, ...]
    trim: tuple[float, float] = (0.0, 0.0)
    command: str = ""
    others: str = ""


STUDIES: dict[str, Study] = {
    "motionsense": Study(
        "MotionSense", "MotionSense (Malekzadeh et al., 2019)",
        "Malekzadeh, Clegg, Cavallaro, Haddadi: Mobile Sensor Data Anonymization, IoTDI 2019, doi "
        "10.1145/3302505.3310068",
        "MIT", 24, (50, 50), r"[a-z]+_\d+/sub_\d+\.csv", "<activity>_<trial>/sub_<id>.csv", ("front pocket",),
    ),
    "wisdm": Study(
        "WISDM", "WISDM (Weiss et al., 2019)",
        "Weiss, Yoneda, Hayajneh: Smartphone and Smartwatch-Based Biometrics Using Activities of Daily Living, IEEE "
        "Access 2019, doi 10.1109/ACCESS.2019.2940729",
        "CC BY 4.0", 51, (10, 210), r"phone/accel/data_\d+_accel_phone\.txt",
        "raw/phone/accel/data_<id>_accel_phone.txt", ("trouser pocket",), trim=(10, 2),
        others="Import the other activities as well: typing, eating, clapping, ...",
    ),
    "geotec": Study(
        "GeoTec", "GeoTec (Matey-Sanz et al., 2023)",
        "Matey-Sanz, Casteleyn, Granell: Dataset of inertial measurements of smartphones and smartwatches for human "
        "activity recognition, Data in Brief 2023, doi 10.1016/j.dib.2023.109809; data: doi 10.5281/zenodo.8398688",
        "CC BY 4.0", 23, (90, 115), r"s\d+/s\d+_\d+_sp\.csv", "DATA/s<id>/s<id>_<execution>_sp.csv",
        ("left front pocket",), trim=(0.5, 0.5),
    ),
    "oxford": Study(
        "Oxford step counter", "Oxford step counter (Salvi et al., 2018)",
        "Salvi, Velardo, Brynes, Tarassenko: An optimised algorithm for accurate steps counting from smart-phone "
        "accelerometry, EMBC 2018, doi 10.1109/EMBC.2018.8513319",
        "CC BY 4.0", 5, (80, 450),
        r"optimisation/data/[^/_]*(?:_[^/_]*){3,}/accelerometer\.csv|validation/user\d+_[a-z]+_\d+\.csv",
        "optimisation/data/<phone>_<person>_<ground>_<position>_<n>/accelerometer.csv or "
        "validation/user<n>_<position>_<time>.csv",
        ("hand", "swinging arm", "front pocket", "back pocket", "purse", "bag", "neck pouch", "armband"),
        trim=(12, 12), command="oxford-steps",
    ),
}  # fmt: skip
"""Studies by name, which is stored in `Recording.study` and, where studies are joined, put before the ids of people."""
