"""Loads models by name: presets, folders, `.keras` and `.tflite` files."""

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import keras

from zoo import runtime
from zoo.catalog import find_folder, read_config
from zoo.errors import ZooError
from zoo.families import FAMILIES, family_of
from zoo.files import read_json
from zoo.models.model import Model, is_graph, read_model
from zoo.provenance import weights_sha256
from zoo.task import Task, task_of


@dataclass(frozen=True)
class Loaded:
    """A loaded model: a Keras model, or the interpreter of a `.tflite` file. Without a folder, `config` is empty."""

    name: str
    model: Model | None = None
    interpreter: "runtime.Interpreter | None" = None
    config: dict[str, Any] = field(default_factory=dict)
    folder: Path | None = None

    @cached_property
    def metadata(self) -> Any:
        """Metadata of the file, or those that exported files of the model will have; their type is that of the task."""
        if self.interpreter is not None:
            return self.interpreter.metadata
        return task_of(self.keras_model).metadata(self.keras_model)

    @property
    def task(self) -> Task:
        """Task of the model."""
        return task_of(self.metadata if self.interpreter is not None else self.keras_model)

    @property
    def keras_model(self) -> Model:
        """Keras model; refuses a `.tflite` file."""
        if self.model is None:
            raise ZooError(f"{self.name}: is an exported file: pass a preset, a folder or a .keras file")
        return self.model

    @property
    def history(self) -> list[dict[str, float]]:
        """Records of the epochs of its training. Empty if unknown."""
        path = self.folder / "history.json" if self.folder else None
        return list(read_json(path)) if path and path.is_file() else []


def is_foreign(model: Any) -> bool:
    """Whether it is a Keras model, but none of the zoo's."""
    return isinstance(model, keras.Model) and not family_of(model)


def check_named(model: Any) -> None:
    """Refuses what is neither a model of the zoo nor a name or a path, such as another Keras model."""
    if isinstance(model, str | os.PathLike):
        return
    if family_of(model):
        if not is_graph(model):
            raise ZooError(
                f"{type(model).__name__} has a method call of its own, which files and streams would not follow: pass "
                "zoo.adopt(model, classes=model.classes, rate=model.rate)"
            )
        return
    classes = [row.class_name for row in FAMILIES.values()]
    own = "; make one of a Keras model of your own by zoo.adopt(model, classes=..., rate=...)"
    raise ZooError(
        f"model is of the type {type(model).__name__}; expected a model of the zoo ({', '.join(classes)}), or the name "
        f"of a preset or a path{own if is_foreign(model) else ''}"
    )


def load(model: Any) -> Loaded:
    """Loads a model, a preset, a folder, or a `.keras` or `.tflite` file."""
    check_named(model)
    if isinstance(model, Model):
        return Loaded(model.name, model)
    name, path = str(model), Path(model)
    if path.suffix == ".tflite":
        return Loaded(name, interpreter=runtime.Interpreter(path))
    file = path if path.suffix == ".keras" else find_folder(model) / "model.keras"
    loaded, document = read_model(file), file.parent / "config.json"
    config = read_config(file.parent, alone=path.suffix == ".keras" or not document.is_file())
    stated, other = config.get("metadata", {}).get("weights_sha256"), ""
    if config and (config.get("class"), config.get("arguments")) != (type(loaded).__name__, loaded.get_config()):
        other = "another model than"
    elif stated and stated != weights_sha256(loaded.trainable_weights):
        other = "other weights than those of"
    if not other:
        return Loaded(name, loaded, config=config, folder=file.parent)
    if file.name == "model.keras":
        raise ZooError(f"{document}: describes {other} {file.name}: keep both files together")
    # Such as what `ModelCheckpoint` saves in the folder of a training.
    return Loaded(name, loaded)
