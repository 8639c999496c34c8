"""The table of families: name, class and task of each.

A new family needs a module with its class, and a row here. Command-line choices, public names, registration with Keras,
searches, cards and tests follow from the row. This module imports no third-party library.
"""

import importlib
import importlib.util
import sys
from importlib.abc import MetaPathFinder
from typing import Any, NamedTuple

from zoo.catalog import unknown_name
from zoo.errors import ZooError


class Family(NamedTuple):
    """A row of the table.

    Args:
        home: Module and class, as `module:Class`.
        task: Name of the task, and of its folder in the package.
    """

    home: str
    task: str

    @property
    def class_name(self) -> str:
        """Name of the class, such as `ActivityGRU`."""
        return self.home.partition(":")[2]

    @property
    def module(self) -> str:
        """Name of the module that defines the class. Its docstring is the specification."""
        return self.home.partition(":")[0]

    def load(self) -> Any:
        """Imports and returns the class. Imports Keras."""
        return getattr(importlib.import_module(self.module), self.class_name)


FAMILIES: dict[str, Family] = {
    "activity_rnn": Family("zoo.models.recurrent:ActivityRNN", "activity"),
    "activity_lstm": Family("zoo.models.recurrent:ActivityLSTM", "activity"),
    "activity_gru": Family("zoo.models.recurrent:ActivityGRU", "activity"),
    "activity_cnn": Family("zoo.models.convolutional:ActivityCNN", "activity"),
    "sparse_autoencoder": Family("zoo.models.autoencoder:SparseAutoencoder", "patches"),
    "trigram_lm": Family("zoo.models.trigram:TrigramLM", "text"),
}
"""Families by name, as on the command line."""

_LAYERS = {
    "simplernn": "activity_rnn", "rnn": "activity_rnn", "lstm": "activity_lstm", "gru": "activity_gru",
    "cnn": "activity_cnn",
}  # fmt: skip
"""Families by the names of their layers, in lower case."""

TASKS = tuple(dict.fromkeys(row.task for row in FAMILIES.values()))
"""Names of the tasks, in the order of the table."""

OLDER_TASKS = {"autoencoder": "patches", "trigram": "text"}
"""Tasks by the names that files of versions before 0.3 have for them."""


def task_named(name: Any) -> Any:
    """Returns the name of the task that a file states, which may be an older one. Other values are returned unchanged.

    Example:
        >>> task_named("trigram"), task_named("activity")
        ('text', 'activity')
    """
    return OLDER_TASKS.get(name, name) if isinstance(name, str) else name


def find_family(name: str) -> Family:
    """Finds a family by its name or the name of its class.

    Args:
        name: Such as `activity_gru` or `ActivityGRU`.

    Raises:
        ZooError: If there is no such family. The message suggests the closest name.

    Example:
        >>> find_family("ActivityGRU").task, find_family("trigram_lm").class_name
        ('activity', 'TrigramLM')
    """
    for known, row in FAMILIES.items():
        if name in (known, row.class_name):
            return row
    raise unknown_family(name)


def unknown_family(name: str) -> ZooError:
    """Creates an error that suggests the closest family.

    Example:
        >>> str(unknown_family("SimpleRNN"))
        "unknown family 'SimpleRNN': did you mean activity_rnn?"
    """
    if meant := _LAYERS.get(name.lower()):
        return ZooError(f"unknown family {name!r}: did you mean {meant}?")
    return unknown_name("family", name, list(FAMILIES))


def register_with_keras() -> None:
    """Imports all layers, losses and models of the zoo, so that Keras can load saved models.

    Does nothing while a module of the zoo is still being imported, as when that module is the one that imports Keras;
    `zoo` calls it again when the next public name is used.
    """
    loading = (module for name, module in sys.modules.items() if name.startswith("zoo.") and module is not None)
    if any(getattr(module.__spec__, "_initializing", False) for module in loading):
        return
    for name in ("zoo.models.layers", "zoo.models.losses", *(row.module for row in FAMILIES.values())):
        importlib.import_module(name)


class _AfterKeras(MetaPathFinder):
    """Calls `register_with_keras` when Keras has been imported."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != "keras":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def run_and_register(module: Any) -> None:
                run(module)
                register_with_keras()

            spec.loader.exec_module = run_and_register  # type: ignore[method-assign]
        return spec


def register_after_keras() -> None:
    """Lets Keras load models of the zoo as soon as it is imported, which `import zoo` does not do."""
    if "keras" in sys.modules:
        register_with_keras()
    else:
        sys.meta_path.insert(0, _AfterKeras())
