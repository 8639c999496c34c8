"""Whatever a user calls a model: a preset, a folder, a `.keras` or a `.tflite` file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import keras

import zoo
from zoo.catalog import find_folder
from zoo.data.activity import CLASSES
from zoo.errors import ZooError
from zoo.files import read_json
from zoo.metadata import AXES, CONVENTION, UNIT, ActivityMetadata, Metadata, Streaming
from zoo.models.activity import ActivityRecognizer
from zoo.models.saving import Model
from zoo.runtime import Interpreter
from zoo.tasks.provenance import weights_sha256


@dataclass(frozen=True)
class Loaded:
    """A model that answers, with what it says of itself: a Keras model or a `.tflite` file.

    Args:
        name: What the user called it.
        metadata: What the model says of itself.
        config: `config.json`; empty for a `.tflite` file.
        model: The Keras model; None for a `.tflite` file.
        interpreter: The `.tflite` file; None for a Keras model.
        folder: Where the rest of it lies; None for a `.tflite` file.
    """

    name: str
    metadata: Metadata
    config: dict[str, Any]
    model: Model | None = None
    interpreter: Interpreter | None = None
    folder: Path | None = None

    @property
    def keras_model(self) -> Model:
        """The Keras model.

        Raises:
            ZooError: If this is an exported file.
        """
        if self.model is None:
            raise ZooError(
                f"{self.name}: is an exported file, which shows no weights: name a preset, a folder or a .keras file"
            )
        return self.model


def load(name: str) -> Loaded:
    """Loads a model.

    Args:
        name: A preset, a folder, a `.keras` or a `.tflite` file.

    Raises:
        ZooError: If there is none of that name, or it cannot be read.
    """
    path = Path(name)
    if path.suffix == ".tflite":
        interpreter = Interpreter(path)
        return Loaded(name, interpreter.metadata, {}, interpreter=interpreter)
    if path.suffix == ".keras":
        if not path.is_file():
            raise ZooError(f"{path}: no such file")
        file, folder = path, path.parent
    else:
        folder = find_folder(name)
        file = folder / "model.keras"
    if not is_zipfile(file):
        raise ZooError(f"{file}: not a .keras file; expected what `zoo train` or `zoo export` wrote")
    try:
        model = keras.saving.load_model(file, compile=False)
    except (ValueError, OSError, TypeError, KeyError) as error:
        raise ZooError(f"{file}: cannot be read as a Keras model ({str(error).strip().splitlines()[0]})") from error
    if not isinstance(model, Model):
        raise ZooError(f"{file}: holds {type(model).__name__}; expected a model of the zoo")
    config = read_json(folder / "config.json") if (folder / "config.json").is_file() else {}
    if not config:
        config = {"class": type(model).__name__, "arguments": model.get_config()}
    if config.get("class") != type(model).__name__ or config.get("arguments") != model.get_config():
        raise ZooError(f"{folder / 'config.json'}: describes another model than {file.name}: keep both files together")
    if "metadata" in config:
        metadata = Metadata.from_json(config["metadata"], str(folder / "config.json"))
    else:
        metadata = unsaid(model)
    return Loaded(name, metadata, config, model, folder=folder)


def unsaid(model: Model) -> Metadata:
    """What the zoo takes for granted of a model that somebody trained without it: the course's windows and labels."""
    if not isinstance(model, ActivityRecognizer):
        raise ZooError(f"{type(model).__name__} says nothing of its data: train it with `zoo train`")
    count = model.get_config()["classes"]
    return ActivityMetadata(
        family=type(model).__name__, preset=model.name, **shapes(model),
        classes=CLASSES if count == len(CLASSES) else tuple(f"class {i}" for i in range(count)), rate=50.0,
        temperature=1.0, streaming=Streaming(), simulated=False, split_by="not stated", source="not stated",
        train_subjects=(), data_sha256="", weights_sha256=weights_sha256(model), version=zoo.__version__,
    )  # fmt: skip


CHUNK = 10
"""Frames that the signature `chunk` reads."""


def shapes(model: ActivityRecognizer) -> dict[str, Any]:
    """What the metadata of a recognizer says of its numbers, as its arguments give it."""
    arguments = model.get_config()
    return {
        "window": arguments["window"], "hop": arguments["window"] // 2, "frame": arguments["frame"], "chunk": CHUNK,
        "states": model.states, "mean": tuple(arguments["mean"] or ()), "variance": tuple(arguments["variance"] or ()),
        "unit": UNIT, "axes": AXES, "convention": CONVENTION,
    }  # fmt: skip


def history(loaded: Loaded) -> list[dict[str, float]]:
    """The epochs of a model's training; empty where they are not kept."""
    path = loaded.folder / "history.json" if loaded.folder else None
    return list(read_json(path)) if path and path.is_file() else []
