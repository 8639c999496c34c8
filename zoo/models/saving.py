"""What all families share: a constructor that is the configuration, and folders that hold a model.

A model's folder holds `model.keras`, the network with its weights, and `config.json`: the class, the constructor's
arguments, and what training added (recipe, data, metadata).
"""

import inspect
from pathlib import Path
from typing import Any, Self

import keras

from zoo.catalog import find_folder
from zoo.errors import ZooError
from zoo.files import atomic_write, write_json


class Model(keras.Model):  # type: ignore[misc]  # Keras has no types
    """A thin class over a functional graph; `keras.Model` in every other way.

    Example:
        >>> from zoo import ActivityGRU, Model
        >>> folder = Path(getfixture("tmp_path")) / "mine"
        >>> ActivityGRU(units=8).save_to_preset(folder)
        >>> type(Model.from_preset(folder)).__name__
        'ActivityGRU'
    """

    _arguments: dict[str, Any]

    @staticmethod
    def _check(**sizes: int) -> None:
        for name, size in sizes.items():
            if not isinstance(size, int) or size < 1:
                raise ZooError(f"{name} is {size!r}; expected a whole number, 1 or more")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return dict(self._arguments)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """The inverse of `get_config`."""
        return cls(**{k: v for k, v in config.items() if k in inspect.signature(cls).parameters})

    @classmethod
    def from_preset(cls, name_or_folder: str | Path) -> Self:
        """Loads a model with its weights; needs no network.

        Args:
            name_or_folder: A preset such as `activity_gru_pocket`, or a folder that `save_to_preset` or `zoo train`
                wrote.

        Returns:
            A model of the class that was saved, not compiled.

        Raises:
            ZooError: If there is no such preset, or it is of another class than this one.
        """
        folder = find_folder(name_or_folder)
        model = keras.saving.load_model(folder / "model.keras", compile=False)
        if not isinstance(model, cls):
            raise ZooError(f"{folder}: holds {type(model).__name__}; expected {cls.__name__}: use Model.from_preset")
        return model

    def save_to_preset(self, folder: str | Path, **details: Any) -> None:
        """Writes the model with its weights and its configuration.

        Args:
            folder: Where to; made where it is missing.
            **details: Further entries of `config.json`, of JSON types.
        """
        folder = Path(folder)
        with atomic_write(folder / "model.keras") as temporary:
            self.save(temporary)
        write_json(folder / "config.json", {"class": type(self).__name__, "arguments": self.get_config()} | details)
