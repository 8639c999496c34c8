"""Swift sources of a recognizer for an iOS app.

- `Model.swift`: labels, rate, states and streaming settings, from the metadata
- `Stream.swift`: continuous recognition, as in `zoo.runtime.streaming`
- `ActivityRecognizer.swift`: a listener of Core Motion's accelerometer, and of its gyroscope if the model reads it,
  that runs TensorFlowLiteSwift
"""

from pathlib import Path

from zoo.exporting import native
from zoo.runtime.metadata import ActivityMetadata

CODE = ("Stream.swift", "ActivityRecognizer.swift")


def write(file: Path, folder: Path) -> list[Path]:
    """Writes the sources.

    Args:
        file: `.tflite` file with the signature `step`, or `window` if the model has no states.
        folder: Folder to write to.

    Returns:
        Paths of the sources and of the file.
    """
    return native.write(file, folder, "Model.swift", constants, CODE)


def constants(metadata: ActivityMetadata, file: str) -> str:
    """Returns the content of `Model.swift`.

    Args:
        metadata: Metadata of the file.
        file: Name of the file in the app's bundle.
    """
    states = ", ".join(f"{_text(name)}: {size}" for name, size in metadata.states.items())
    lines = [
        *native.head(metadata),
        "",
        f"/// Constants of the model. Acceleration: {metadata.unit}, gravity included, with Android's sign.",
        *native.rotation_comment(metadata),
        "public enum Model {",
        f"    public static let file = {_text(file)}",
        f"    public static let signature = {_text(native.signature(metadata))}",
        f"    public static let input = {_text(native.INPUTS[native.signature(metadata)])}",
        f"    public static let labels = [{', '.join(map(_text, metadata.classes))}]",
        f"    public static let states: [String: Int] = [{states or ':'}]",
        *(f"    public static let {name} = {value!r}  // {why}" for name, value, why in native.numbers(metadata)),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{{{ord(c):x}}}" for c in escaped) + '"'
