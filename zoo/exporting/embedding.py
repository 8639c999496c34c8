"""Sources for an Android or an iOS app: constants of a recognizer, and code that is the same for all models.

- `Model.kt`, `Model.swift`: labels, rate, states and streaming settings, from the metadata
- `Stream.kt`, `Stream.swift`: continuous recognition, as in `zoo.runtime.streaming`
- `ActivityRecognizer.kt`, `ActivityRecognizer.swift`: a listener of the accelerometer, and of the gyroscope if the
  model reads it, that runs LiteRT or TensorFlowLiteSwift

Plain C, see `zoo.exporting.c99`, has the same constants.
"""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from string import Template

from zoo.errors import ZooError
from zoo.files import atomic_write
from zoo.runtime import Recognizer
from zoo.runtime.filtering import default_groups
from zoo.runtime.metadata import INERTIAL, ROTATION_UNIT, ActivityMetadata, Metadata

NATIVE = Path(__file__).parent / "native"
"""Folder of the code that is the same for all models."""

INPUTS = {"step": "frame", "window": "window"}
"""Names of the inputs of the signatures that an app can run."""


def kotlin(file: Path, folder: Path) -> list[Path]:
    """Writes sources in Kotlin for a `.tflite` file: constants first, the file last in the paths that it returns.

    The file has the signature `step`, or `window` if the model has no states.
    """
    return _write(file, folder, "kt", kotlin_constants)


def swift(file: Path, folder: Path) -> list[Path]:
    """Writes sources in Swift, as `kotlin` does."""
    return _write(file, folder, "swift", swift_constants)


def _write(file: Path, folder: Path, ending: str, constants: Callable[[ActivityMetadata, str], str]) -> list[Path]:
    recognizer = Recognizer(file)
    if (needed := signature(recognizer.metadata)) not in recognizer.signatures:
        raise ZooError(f"{file}: has no signature {needed!r}; export it again as float32")
    model = folder / f"Model.{ending}"
    with atomic_write(model) as temporary:
        temporary.write_text(constants(recognizer.metadata, file.name), encoding="utf-8")
    names = [f"Stream.{ending}", f"ActivityRecognizer.{ending}"]
    return [model, *(Path(shutil.copyfile(NATIVE / name, folder / name)) for name in names), file]


def kotlin_constants(metadata: ActivityMetadata, file: str) -> str:
    """Returns the content of `Model.kt`; `file` is the name of the `.tflite` file among the app's assets."""

    def text(value: str) -> str:
        return json.dumps(value).replace("$", "\\$")

    return _filled(
        "Model.kt", metadata, file, text,
        states=", ".join(f"{text(name)} to {size}" for name, size in metadata.states.items()),
        groups=_table(metadata, "Group(intArrayOf({}), {}, doubleArrayOf({}))"),
        numbers=[f"    const val {name.upper()} = {value!r} // {why}" for name, value, why in numbers(metadata)],
    )  # fmt: skip


def swift_constants(metadata: ActivityMetadata, file: str) -> str:
    """Returns the content of `Model.swift`; `file` is the name of the `.tflite` file in the app's bundle."""

    def text(value: str) -> str:
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + "".join(c if c.isprintable() else f"\\u{{{ord(c):x}}}" for c in escaped) + '"'

    return _filled(
        "Model.swift", metadata, file, text,
        states=", ".join(f"{text(name)}: {size}" for name, size in metadata.states.items()) or ":",
        groups=_table(metadata, "Group(part: [{}], evidence: {}, stay: [{}])"),
        numbers=[f"    public static let {name} = {value!r}  // {why}" for name, value, why in numbers(metadata)],
    )  # fmt: skip


def _filled(
    name: str, metadata: ActivityMetadata, file: str, text: Callable[[str], str], states: str, groups: str,
    numbers: Sequence[str],
) -> str:  # fmt: skip
    """Fills in the constants of a template in `native`; `text` makes literals."""
    return Template((NATIVE / name).read_text(encoding="utf-8")).substitute(
        head="\n".join(head(metadata)), unit=metadata.unit,
        rotation="".join(f"\n{line}" for line in rotation_comment(metadata)), file=text(file),
        signature=text(signature(metadata)), input=text(INPUTS[signature(metadata)]),
        labels=", ".join(map(text, metadata.classes)), states=states, groups=groups, numbers="\n".join(numbers),
    )  # fmt: skip


def _table(metadata: ActivityMetadata, row: str) -> str:
    """Returns the groups of labels, a line each, from the form of a line."""

    def listed(values: Sequence[float]) -> str:
        return ", ".join(map(repr, values))

    lines = [row.format(listed(parts), evidence, listed(stay)) for parts, evidence, stay in groups(metadata)]
    return "".join(f"\n        {line}," for line in lines).rstrip(",") + ("\n    " if lines else "")


def signature(metadata: ActivityMetadata) -> str:
    """Returns the signature that an app runs: `step`, or `window` if the model has no states."""
    return "step" if metadata.states else "window"


def head(metadata: Metadata) -> list[str]:
    """Returns comment lines with the model and its training data."""
    data = f"{metadata.source}; license {metadata.license}" + ("; SIMULATED" if metadata.simulated else "")
    lines = [
        f"{metadata.preset} ({metadata.family}), written by pocket-zoo {metadata.version}; do not edit.",
        f"Weights SHA-256 {metadata.weights_sha256}",
        f"Training data: {data}",
    ]
    # A line break in a value would end the comment; in C, a backslash at its end, or its trigraph, would continue it on
    # the next line.
    return [f"// {' '.join(line.replace('??/', '?? /').split())}".rstrip("\\ ") for line in lines]


def rotation_comment(metadata: ActivityMetadata) -> list[str]:
    """Returns the comment on the gyroscope, if the model reads it."""
    if metadata.axes != INERTIAL:
        return []
    return [f"// Rotation rate in {ROTATION_UNIT} about the same axes, by the right-hand rule."]


def groups(metadata: ActivityMetadata) -> list[tuple[list[int], float, list[float]]]:
    """Returns of each group of labels the part of each label, or -1; the evidence; and how long each part lasts."""
    found = []
    for group in metadata.streaming.groups or default_groups(metadata.classes):
        places = {name: number for number, part in enumerate(group.parts) for name in part}
        parts = [places.get(name, -1) for name in metadata.classes]
        found.append((parts, float(group.evidence), [float(stay) for stay in group.stay]))
    return found


def numbers(metadata: ActivityMetadata) -> list[tuple[str, float, str]]:
    """Returns names, values and descriptions of the constants that the code needs."""
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
    ]
