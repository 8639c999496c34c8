"""What the exports for apps share: code that never changes lies here as files, what a model decides is written anew."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from zoo.errors import ZooError
from zoo.files import atomic_write
from zoo.metadata import AXES, CONVENTION, UNIT, ActivityMetadata
from zoo.runtime import Recognizer

_HERE = Path(__file__).parent


def write(
    file: Path, folder: Path, name: str, constants: Callable[[ActivityMetadata, str], str], code: Sequence[str]
) -> list[Path]:
    """Writes the sources of an app around a file.

    Args:
        file: A `.tflite` file with the signature `step`.
        folder: Where to.
        name: Of the source with the model's constants.
        constants: Makes that from the metadata and the file's name.
        code: Names of the sources that are the same for every model.

    Returns:
        Paths of all, the constants first, the file last.

    Raises:
        ZooError: If the model reads another unit, sign or order of axes than a phone's sensor gives.
    """
    metadata = Recognizer(file).metadata
    if (metadata.unit, metadata.axes, metadata.convention) != (UNIT, AXES, CONVENTION):
        raise ZooError(
            f"{file}: reads {', '.join(metadata.axes)} in {metadata.unit} with the sign of {metadata.convention}; "
            f"expected {', '.join(AXES)} in {UNIT} with that of {CONVENTION}"
        )
    with atomic_write(folder / name) as temporary:
        temporary.write_text(constants(metadata, file.name), encoding="utf-8")
    for source in code:
        shutil.copyfile(_HERE / source, folder / source)
    return [folder / name, *(folder / source for source in code), file]


def head(metadata: ActivityMetadata) -> list[str]:
    """Lines of comment that say whose constants these are."""
    made = f"{metadata.source}; license {metadata.license}" + ("; SIMULATED" if metadata.simulated else "")
    return [
        f"// {metadata.preset} ({metadata.family}), written by pocket-zoo {metadata.version}; do not edit.",
        f"// Weights SHA-256 {metadata.weights_sha256}",
        f"// Training data: {' '.join(made.split())}",
    ]


def numbers(metadata: ActivityMetadata) -> list[tuple[str, float, str]]:
    """Names, values and meanings of the numbers that the code needs."""
    streaming = metadata.streaming
    return [
        ("rate", float(metadata.rate), "Hz"),
        ("frame", metadata.frame, "rows that one step reads"),
        ("channels", len(metadata.axes), ", ".join(metadata.axes)),
        ("restart", streaming.restart, "rows after which a state starts anew; 0 for never"),
        ("copies", streaming.copies, "states side by side, their restarts staggered"),
        ("warmup", streaming.warmup, "rows that a state has read before it may answer"),
        ("smoothing", float(streaming.smoothing), "seconds"),
        ("margin", float(streaming.margin), "by which another label must be ahead"),
        ("threshold", float(streaming.threshold), "below which no label is shown"),
    ]
