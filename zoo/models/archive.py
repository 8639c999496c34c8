"""Reads `.keras` files. No code of a file runs, and its size is checked before memory is taken."""

import json
import zipfile
from pathlib import Path
from typing import TypeVar

import keras
import numpy as np

from zoo.errors import StorageError, ZooError
from zoo.files import require_file

M = TypeVar("M")

MOST_BYTES, MOST_JSON = 1 << 32, 1 << 24
"""Largest model that is unpacked, and largest documents in it."""


def load_file(file: Path, kind: type[M]) -> M:
    """Loads a model of a class from a `.keras` file."""
    require_file(file)
    try:
        _check(file)
        model = keras.saving.load_model(file, compile=False)
    except ZooError as error:
        kind_of_error = StorageError if isinstance(error, StorageError) else ZooError
        raise kind_of_error(f"{file}: {error}") from error
    except Exception as error:
        # A damaged archive can raise exceptions of zipfile, zlib, json, h5py and Keras.
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ZooError(f"{file}: cannot be read as a Keras model ({reason})") from error
    if not isinstance(model, kind):
        raise ZooError(f"{file}: holds {type(model).__name__}; expected {kind.__name__}: use Model.from_preset")
    for weight in model.weights:  # type: ignore[attr-defined]
        if not np.isfinite(np.asarray(weight)).all():
            raise ZooError(f"{file}: weights {weight.path} hold NaN or infinity: train the model again")
    return model


def _check(file: Path) -> None:
    """Refuses an archive that is damaged, unpacks to more than any model has, or holds another kind of model."""
    with zipfile.ZipFile(file) as archive:
        sizes = [(member.file_size, member.filename) for member in archive.infolist()]
        documents = [pair for pair in sizes if pair[1].endswith(".json")]
        for pairs, most in ((sizes, MOST_BYTES), (documents, MOST_JSON)):
            if sum(size for size, _ in pairs) > most:
                size, name = max(pairs)
                raise ZooError(f"{name} in it unpacks to {size} bytes; expected at most {most}")
        if damaged := archive.testzip():
            raise StorageError(f"{damaged} in it is damaged: copy the file again")
        config = json.loads(archive.read("config.json"))
    # Keras builds its own models before anything can be checked: with a name of 10 MB, each weight would repeat it.
    if str(config.get("module")).startswith("keras"):
        raise ZooError(f"holds {config.get('class_name')}; expected a model of the zoo")
