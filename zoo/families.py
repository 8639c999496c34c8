"""The table of families: name, class and task of each.

A new family needs a module with its class, and a row here. Command-line choices, public names, registration with Keras,
searches, cards and tests follow from the row. This module imports no third-party library.
"""

import gc
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from zoo.errors import ZooError, unknown_name


class Family(NamedTuple):
    """A row of the table.

    Args:
        module: Module that defines the class. Its docstring is the specification.
        class_name: Name of the class, such as `ActivityGRU`.
        task: Name of the task, and of its folder in the package.
    """

    module: str
    class_name: str
    task: str

    def load(self) -> Any:
        """Imports and returns the class. Imports Keras."""
        return getattr(importlib.import_module(self.module), self.class_name)


FAMILIES: dict[str, Family] = {
    "activity_rnn": Family("zoo.models.recurrent", "ActivityRNN", "activity"),
    "activity_lstm": Family("zoo.models.recurrent", "ActivityLSTM", "activity"),
    "activity_gru": Family("zoo.models.recurrent", "ActivityGRU", "activity"),
    "activity_cnn": Family("zoo.models.convolutional", "ActivityCNN", "activity"),
    "sparse_autoencoder": Family("zoo.models.autoencoder", "SparseAutoencoder", "patches"),
    "trigram_lm": Family("zoo.models.trigram", "TrigramLM", "text"),
}
"""Families by name, as on the command line."""

_LAYERS = {
    "simplernn": "activity_rnn", "rnn": "activity_rnn", "lstm": "activity_lstm", "gru": "activity_gru",
    "cnn": "activity_cnn",
}  # fmt: skip
"""Families by the names of their layers, in lower case."""


class TaskRow(NamedTuple):
    """What the command line must know of a task before its module is imported, which takes seconds.

    Args:
        family: Family to begin with.
        file: Default name of its data file.
        simulates: What `zoo data simulate` makes, in a sentence.
        sizes: Options of its simulator that simulators of other tasks lack.
        older: Names that versions before 0.3 had for it: files have the first one.
    """

    family: str
    file: str
    simulates: str
    sizes: tuple[str, ...]
    older: tuple[str, ...] = ()


_ROWS = {
    "activity": TaskRow(
        "activity_gru", "data3.h5", "Simulate people with a phone in the pocket.", ("subjects", "seconds", "gyroscope"),
    ),
    "patches": TaskRow(
        "sparse_autoencoder", "data1.h5",
        'Simulate pictures of overlapping disks ("dead leaves"), and cut patches from them.',
        ("count", "size", "pictures"), ("autoencoder",),
    ),
    "text": TaskRow(
        "trigram_lm", "data2.h5", "Simulate sentences of a small grammar.", ("sentences",), ("trigram", "trigrams"),
    ),
}  # fmt: skip

_SIZES = tuple(size for row in _ROWS.values() for size in row.sizes)

# A task that has no row needs none: its command has all sizes, and refuses those that its simulator lacks.
TASKS = {
    row.task: _ROWS.get(row.task, TaskRow(name, f"{row.task}.h5", f"Simulate data for the task {row.task}.", _SIZES))
    for name, row in FAMILIES.items()
}
"""Tasks by name, in the order of the table."""


def task_named(name: Any) -> Any:
    """The name of a task in place of an older one; other values are returned unchanged.

    Example:
        >>> task_named("trigram"), task_named("activity")
        ('text', 'activity')
    """
    return next((task for task, row in TASKS.items() if isinstance(name, str) and name in row.older), name)


def find_family(name: str) -> Family:
    """Finds a family by its name or the name of its class.

    Example:
        >>> find_family("ActivityGRU").task, find_family("trigram_lm").class_name
        ('activity', 'TrigramLM')
    """
    for known, row in FAMILIES.items():
        if name in (known, row.class_name):
            return row
    raise unknown_family(name)


def family_of(model: Any) -> str:
    """The name of the family of a model, which may be of a subclass; empty for anything else."""
    classes = {(kind.__module__, kind.__name__) for kind in type(model).__mro__}
    return next((name for name, row in FAMILIES.items() if (row.module, row.class_name) in classes), "")


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


KERAS_ALONE = "ZOO_KERAS_ALONE"
"""Environment variable that is set in processes of the zoo's own, a command and its children: there Keras is
imported without the libraries that it has only for wrappers, tables and galleries, which take a third of its time."""

_EXTRAS = ("matplotlib", "pandas", "sklearn")


class _AfterKeras:
    """Calls `register_with_keras` when Keras has been imported.

    As a finder it needs no base class: importing that of `importlib.abc` takes longer than the rest of `import zoo`.
    """

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != "keras":
            return None
        # TensorFlow looks for Keras several times before it imports it.
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        sys.meta_path.insert(0, self)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def run_and_register(module: Any) -> None:
                if self in sys.meta_path:
                    sys.meta_path.remove(self)
                with _without(_EXTRAS if KERAS_ALONE in os.environ else ()):
                    run(module)
                register_with_keras()

            spec.loader.exec_module = run_and_register  # type: ignore[method-assign]
        return spec


def import_keras() -> None:
    """Imports TensorFlow and Keras, which takes seconds; a fifth less while nobody looks for garbage."""
    collects = gc.isenabled()
    gc.disable()
    try:
        importlib.import_module("tensorflow")
        importlib.import_module("keras")
    finally:
        if collects:
            gc.enable()
    if KERAS_ALONE in os.environ:
        # What was imported stays, so it is not looked through again: conversions take a fifth less.
        gc.freeze()


@contextmanager
def _without(names: Sequence[str]) -> Iterator[None]:
    """Says that packages are not installed, unless they are already imported."""
    missing = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(missing))  # type: ignore[arg-type]  # None, as Python documents it
    try:
        yield
    finally:
        for name in missing:
            del sys.modules[name]


def register_after_keras() -> None:
    """Lets Keras load models of the zoo as soon as it is imported, which `import zoo` does not do."""
    if "keras" in sys.modules:
        register_with_keras()
    else:
        sys.meta_path.insert(0, _AfterKeras())
