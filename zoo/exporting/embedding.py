"""Sources for an Android or an iOS app: constants of a recognizer, and code that is the same for all models.

- `Model.kt`, `Model.swift`: labels, rate, states and streaming settings, from the metadata
- `Stream.kt`, `Stream.swift`: continuous recognition, as in `zoo.runtime.streaming`
- `ActivityRecognizer.kt`, `ActivityRecognizer.swift`: a listener of the accelerometer, and of the gyroscope if the
  model reads it, that runs LiteRT or TensorFlowLiteSwift

Plain C, see `zoo.exporting.c99`, has the same constants.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from zoo.files import atomic_write
from zoo.runtime.filtering import default_groups
from zoo.runtime.metadata import INERTIAL, ROTATION_UNIT, ActivityMetadata, Metadata, extract

NATIVE = Path(__file__).parent / "native"
"""Folder of the code that is the same for all models."""

INPUTS = {"step": "frame", "window": "window"}
"""Names of the inputs of the signatures that an app can run."""


@dataclass(frozen=True)
class Language:
    """A language of apps: the end of its files, how it writes a text, and forms of what else a model has."""

    ending: str
    text: Callable[[str], str]
    state: str
    number: str
    group: str
    stateless: str = ""

    def write(self, file: Path, folder: Path) -> list[Path]:
        """Writes sources for a float32 file: constants first, the file last in the paths that it returns."""
        metadata: Any = extract(file)
        model = folder / f"Model.{self.ending}"
        with atomic_write(model) as temporary:
            temporary.write_text(self.constants(metadata, file.name), encoding="utf-8")
        names = [f"Stream.{self.ending}", f"ActivityRecognizer.{self.ending}"]
        return [model, *(Path(shutil.copyfile(NATIVE / name, folder / name)) for name in names), file]

    def constants(self, metadata: ActivityMetadata, file: str) -> str:
        """The source of constants; `file` is the name of the `.tflite` file in the app."""
        rows = [
            self.group.format(", ".join(map(repr, parts)), evidence, ", ".join(map(repr, stay)))
            for parts, evidence, stay in groups(metadata)
        ]
        states = [self.state.format(self.text(name), size) for name, size in metadata.states.items()]
        values = [self.number.format(name, name.upper(), value, why) for name, value, why in numbers(metadata)]
        return Template((NATIVE / f"Model.{self.ending}").read_text(encoding="utf-8")).substitute(
            head="\n".join(head(metadata)), unit=metadata.unit,
            rotation=rotation_comment(metadata), file=self.text(file),
            signature=self.text(signature(metadata)), input=self.text(INPUTS[signature(metadata)]),
            labels=", ".join(map(self.text, metadata.classes)), states=", ".join(states) or self.stateless,
            groups=",".join(f"\n        {row}" for row in rows) + ("\n    " if rows else ""), numbers="\n".join(values),
        )  # fmt: skip


def _swift_text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{{{ord(c):x}}}" for c in escaped) + '"'


KOTLIN = Language(
    "kt", lambda value: json.dumps(value).replace("$", "\\$"), "{} to {}", "    const val {1} = {2!r} // {3}",
    "Group(intArrayOf({}), {}, doubleArrayOf({}))",
)  # fmt: skip
SWIFT = Language(
    "swift", _swift_text, "{}: {}", "    public static let {0} = {2!r}  // {3}",
    "Group(part: [{}], evidence: {}, stay: [{}])", stateless=":",
)  # fmt: skip


def signature(metadata: ActivityMetadata) -> str:
    """The signature that an app runs: `step`, or `window` if the model has no states."""
    return "step" if metadata.states else "window"


def head(metadata: Metadata) -> list[str]:
    """Comment lines with the model and its training data."""
    data = f"{metadata.source}; license {metadata.license}" + ("; SIMULATED" if metadata.simulated else "")
    lines = [
        f"{metadata.preset} ({metadata.family}), written by pocket-zoo {metadata.version}; do not edit.",
        f"Weights SHA-256 {metadata.weights_sha256}",
        f"Training data: {data}",
    ]
    # A line break in a value would end the comment; in C, a backslash at its end, or its trigraph, would continue it on
    # the next line.
    return [f"// {' '.join(line.replace('??/', '?? /').split())}".rstrip("\\ ") for line in lines]


def rotation_comment(metadata: ActivityMetadata) -> str:
    """A further line of a comment, on the gyroscope, if the model reads it."""
    line = f"\n// Rotation rate in {ROTATION_UNIT} about the same axes, by the right-hand rule."
    return line if metadata.axes == INERTIAL else ""


def groups(metadata: ActivityMetadata) -> list[tuple[list[int], float, list[float]]]:
    """Of each group of labels the part of each label, or -1; the evidence; and how long each part lasts."""
    rows = []
    for group in metadata.streaming.groups or default_groups(metadata.classes):
        places = {name: number for number, part in enumerate(group.parts) for name in part}
        parts = [places.get(name, -1) for name in metadata.classes]
        rows.append((parts, float(group.evidence), [*map(float, group.stay)]))
    return rows


def numbers(metadata: ActivityMetadata) -> list[tuple[str, float, str]]:
    """Names, values and descriptions of the constants that the code needs."""
    streaming = metadata.streaming
    # A model without states is treated as one whose frame is a window, with overlapping frames and no restarts.
    recurrent = bool(metadata.states)
    return [
        ("rate", float(metadata.rate), "Hz"),
        ("frame", metadata.frame if recurrent else metadata.window, "rows that one call reads"),
        ("advance", metadata.frame if recurrent else min(max(1, metadata.hop), metadata.window), "rows to the next"),
        ("channels", len(metadata.axes), ", ".join(metadata.axes)),
        ("restart", streaming.restart if recurrent else 0, "rows after which a state restarts; 0 for never"),
        ("copies", streaming.copies if recurrent else 1, "parallel states, their restarts staggered"),
        ("warmup", streaming.warmup if recurrent else 0, "rows that a state reads before it answers"),
        ("margin", float(streaming.margin), "by which another label must be more probable"),
        ("threshold", float(metadata.stream_threshold), "below which no label is shown"),
        ("other", -1 if metadata.other_class is None else metadata.other_class, "label of all other movements, or -1"),
        ("steps", int(metadata.steps_only), "1 if no label is of a movement faster than steps, which shaking is"),
    ]
