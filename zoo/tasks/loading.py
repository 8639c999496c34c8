"""Whatever a user calls a model: a model, a preset, a folder, a `.keras` or a `.tflite` file."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from zoo.catalog import find_folder
from zoo.errors import ZooError
from zoo.files import read_json
from zoo.metadata import Metadata
from zoo.models.model import Model, load_file
from zoo.runtime import Interpreter
from zoo.tasks.task import Task, task_of


@dataclass(frozen=True)
class Loaded:
    """A model that predicts: a Keras model, or a `.tflite` file.

    Args:
        name: What the user called it.
        model: The Keras model; None for a `.tflite` file.
        interpreter: The `.tflite` file; None for a Keras model.
        config: `config.json`; empty where there is none.
        folder: Where the rest of it lies, if anywhere.
    """

    name: str
    model: Model | None = None
    interpreter: Interpreter | None = None
    config: dict[str, Any] = field(default_factory=dict)
    folder: Path | None = None

    @cached_property
    def metadata(self) -> Metadata:
        """What an exported file of it says, or what this file says."""
        if self.interpreter is not None:
            return self.interpreter.metadata
        return task_of(self.keras_model).metadata(self.keras_model)

    @property
    def task(self) -> Task:
        """The task that it is a model of."""
        return task_of(self.metadata if self.interpreter is not None else self.keras_model)

    @property
    def keras_model(self) -> Model:
        """The Keras model.

        Raises:
            ZooError: If this is an exported file.
        """
        if self.model is None:
            raise ZooError(f"{self.name}: is an exported file: name a preset, a folder or a .keras file")
        return self.model

    @property
    def history(self) -> list[dict[str, float]]:
        """The epochs of its training; empty where they were not kept."""
        path = self.folder / "history.json" if self.folder else None
        return list(read_json(path)) if path and path.is_file() else []


def load(model: Model | str | Path) -> Loaded:
    """Loads a model.

    Args:
        model: A model, a preset, a folder, a `.keras` or a `.tflite` file.

    Raises:
        ZooError: If there is none of that name, or it cannot be read.
    """
    if isinstance(model, Model):
        return Loaded(model.name, model)
    name, path = str(model), Path(model)
    if path.suffix == ".tflite":
        return Loaded(name, interpreter=Interpreter(path))
    file = path if path.suffix == ".keras" else find_folder(model) / "model.keras"
    loaded, document = load_file(file), file.parent / "config.json"
    config = read_json(document) if document.is_file() else {}
    if config and (config.get("class"), config.get("arguments")) != (type(loaded).__name__, loaded.get_config()):
        raise ZooError(f"{document}: describes another model than {file.name}: keep both files together")
    return Loaded(name, loaded, config=config, folder=file.parent)
