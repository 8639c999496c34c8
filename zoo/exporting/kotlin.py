"""Kotlin sources of a recognizer for an Android app.

- `Model.kt`: labels, rate, states and streaming settings, from the metadata
- `Stream.kt`: continuous recognition, as in `zoo.runtime.streaming`
- `ActivityRecognizer.kt`: a listener of the accelerometer, and of the gyroscope if the model reads it, that runs LiteRT
"""

import json
from pathlib import Path

from zoo.exporting import native
from zoo.runtime.metadata import ActivityMetadata

CODE = ("Stream.kt", "ActivityRecognizer.kt")


def write(file: Path, folder: Path) -> list[Path]:
    """Writes the sources.

    Args:
        file: `.tflite` file with the signature `step`, or `window` if the model has no states.
        folder: Folder to write to.

    Returns:
        Paths of the sources and of the file.
    """
    return native.write(file, folder, "Model.kt", constants, CODE)


def constants(metadata: ActivityMetadata, file: str) -> str:
    """Returns the content of `Model.kt`.

    Args:
        metadata: Metadata of the file.
        file: Name of the file among the app's assets.
    """
    states = ", ".join(f"{_text(name)} to {size}" for name, size in metadata.states.items())
    lines = [
        *native.head(metadata),
        "package pocketzoo",
        "",
        f"/** Constants of the model. Acceleration: {metadata.unit}, gravity included, with Android's sign. */",
        *native.rotation_comment(metadata),
        "object Model {",
        f"    const val FILE = {_text(file)}",
        f"    const val SIGNATURE = {_text(native.signature(metadata))}",
        f"    const val INPUT = {_text(native.INPUTS[native.signature(metadata)])}",
        f"    val LABELS = arrayOf({', '.join(map(_text, metadata.classes))})",
        f"    val STATES: Map<String, Int> = linkedMapOf({states})",
        *(f"    const val {name.upper()} = {value!r} // {why}" for name, value, why in native.numbers(metadata)),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    return json.dumps(value).replace("$", "\\$")
