"""SavedModels with the signatures of a family."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from zoo.exporting.signatures import Signature


def write(signatures: Sequence[Signature], folder: Path, batch: int | None = None) -> None:
    """Writes a SavedModel with an endpoint for each signature.

    Args:
        signatures: Signatures to write.
        folder: Folder to write to.
        batch: Fixed batch size, or None for that of the signatures.
    """
    # Without ExportArchive.track, which would store all weights twice.
    archive = keras.export.ExportArchive()
    for signature in signatures:
        archive.add_endpoint(signature.name, signature.function, list(signature.of_batch(batch)))
    archive.write_out(folder, verbose=False)


def load(folder: Path) -> dict[str, Callable[..., dict[str, Any]]]:
    """Loads the endpoints of a SavedModel by name."""
    loaded = tf.saved_model.load(str(folder))
    # An endpoint needs a reference to the loaded object, or its variables are deleted.
    return {name: _bound(loaded, name) for name in loaded.signatures if name != "serving_default"}


def _bound(loaded: Any, name: str) -> Callable[..., dict[str, Any]]:
    def call(**inputs: Any) -> dict[str, Any]:
        return dict(loaded.signatures[name](**{key: tf.constant(value) for key, value in inputs.items()}))

    return call
