"""Data, from files to batches. Here are the layouts of files: a schema for each kind of data, as docs/layouts.md shows.

The first three are those of the course. The layout of a task has its name; further tasks state theirs as `SCHEMA` in
the module `data` of their folder.
"""

from zoo.runtime.metadata import CLASSES, ROTATION_UNIT, UNIT
from zoo.schema import Field, Schema

_LOWEST_RATE, _HIGHEST_RATE = 0.1, 100_000.0
"""Hz between which a sampling rate of motion can lie."""

_ORIGIN = (
    Field("source", kind="text", meaning="where the data comes from", default="not stated", optional=True),
    Field("simulated", kind="flag", meaning="whether a program made it", default=False, optional=True),
)
_RATE = Field(
    "rate", key="rate_hz", unit="Hz", meaning="the sampling rate", least=_LOWEST_RATE, most=_HIGHEST_RATE, default=50.0,
    optional=True,
)  # fmt: skip

_DECIDED = (
    "who decided the label: `person`, the `note` of an app, or a `proposal` of a model that a person accepted, as in "
    "`proposal 0.93`; empty if unknown"
)

LAYOUTS: dict[str, Schema] = {
    "activity": Schema(
        "activity",
        (
            Field("input", "NTC", key="X", unit=UNIT, meaning="windows: T rows (usually 150) of the axes x y z, m/s^2, "
                  "gravity included, Android's sign"),
            Field("target", "NK", key="Y", meaning="their labels, one-hot; multi-hot for a set of classes"),
            Field("subject", "N", "id", "the subject of each window", "S", optional=True),
            Field("study", "N", "text", "the study of each window, empty if it belongs to none", "Study",
                  optional=True),
            Field("position", "N", "text", "the position of the phone, such as `front pocket`, empty if unknown",
                  "Position", optional=True),
            Field("decided", "N", "text", _DECIDED, "Decided", optional=True),
        ),
        (
            Field("classes", "K", "name", "the names of the labels", distinct=True, default=CLASSES, optional=True),
            _RATE, *_ORIGIN,
            Field("other", kind="flag", meaning="whether the last class, `other`, stands for all other movements",
                  optional=True),
        ),
        splits={"train": ("tr", "N"), "test": ("tst", "M")}, absent=("test",), maker="windows",
    ),
    "text": Schema(
        "text",
        (
            Field("input", "N3", "integer", "contexts: the ids of three words, **starting at 1**", "x"),
            Field("target", "N", "integer", "the id of the word that follows each", "d"),
            Field("words", "V", "name", "the vocabulary in UTF-8; the first word has id 1", distinct=True),
        ),
        _ORIGIN,
        splits={"train": ("train", "N"), "validation": ("val", "M"), "test": ("test", "L")}, maker="make text",
    ),
    "patches": Schema(
        "patches",
        (
            Field("input", "N3SS", key="data", meaning="patches `(patch, channel, column, row)` in [0, 1]: `data[i].T` "
                  "is the upright picture"),
            Field("photograph", "N", "integer", "index of the photograph that each patch was cut from, starting at 0",
                  "source", optional=True),
            Field("source_names", "P", "name", "names of the photographs", optional=True),
        ),
        _ORIGIN,
        maker="make patches",
    ),
    "recordings": Schema(
        "recordings",
        (
            Field("acceleration", "R3", unit=UNIT, meaning="rows of all recordings, one after another, m/s^2, gravity "
                  "included, Android's sign"),
            Field("rotation", "R3", unit=ROTATION_UNIT, meaning="rotation rate about x y z in rad/s", optional=True),
            Field("offsets", "O", "integer", "the first row of each recording in `acceleration`, followed by the end "
                  "of the last one: O = M + 1"),
            Field("subject", "M", "name", "the person"),
            Field("activity", "M", "name", "the label"),
            Field("rate", "M", unit="Hz", meaning="the sampling rate in Hz", least=_LOWEST_RATE, most=_HIGHEST_RATE),
            Field("name", "M", "text", "the source file"),
            Field("study", "M", "text", "the study, such as `wisdm` or the NAME of `zoo data import csv --study`, "
                  "empty if it belongs to none", optional=True),
            Field("position", "M", "text", "the position of the phone, such as `front pocket`, empty if unknown",
                  optional=True),
            Field("device", "M", "text", "the model of the phone, empty if unknown", optional=True),
            Field("orientation", "M", "text", "the orientation of the phone, as the study describes it, empty if "
                  "unknown", optional=True),
            Field("trimmed", "M", meaning="seconds that the importer cut off at the ends, 0 for none; if it is not 0, "
                  "`zoo data windows` trims nothing more", optional=True),
            Field("decided", "M", "text", _DECIDED, optional=True),
        ),
        _ORIGIN,
        maker="import",
    ),
}  # fmt: skip

OF_WINDOWS = tuple(column.name for column in LAYOUTS["activity"].columns if column.kind == "text")
"""What a file may state of the circumstances of each window."""
