"""The table of families: name, class and task of each.

A new family needs a module with its class, and a row here. Command-line choices, public names, registration with Keras,
searches, cards and tests follow from the row. This module imports no third-party library.
"""

import importlib
from typing import Any, NamedTuple

from zoo.errors import ZooError, shown, unknown_name


class Family(NamedTuple):
    """A row of the table. The docstring of the `module` is the specification of its class."""

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
    "activity_network": Family("zoo.models.network", "ActivityNetwork", "activity"),
    "sparse_autoencoder": Family("zoo.models.autoencoder", "SparseAutoencoder", "patches"),
    "trigram_lm": Family("zoo.models.trigram", "TrigramLM", "text"),
}
"""Families by name, as on the command line."""

OWN = "activity_network"
"""The family of networks of one's own."""

_LAYERS = {
    "simplernn": "activity_rnn", "rnn": "activity_rnn", "lstm": "activity_lstm", "gru": "activity_gru",
    "cnn": "activity_cnn",
}  # fmt: skip
"""Families by the names of their layers, in lower case."""


class TaskRow(NamedTuple):
    """What the command line must know of a task before its module is imported, which takes seconds.

    `sizes` are the options of its simulator that others lack, `older` the names that versions before 0.3 had for it.
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
    """The name of a task in place of an older one; other values are returned unchanged."""
    return next((task for task, row in TASKS.items() if isinstance(name, str) and name in row.older), name)


def find_family(name: str) -> Family:
    """The family of a name, or of the name of a class."""
    for family, row in FAMILIES.items():
        if name in (family, row.class_name):
            return row
    raise unknown_family(name)


def family_of(model: Any) -> str:
    """The name of the family of a model, which may be of a subclass; empty for anything else."""
    classes = {(kind.__module__, kind.__name__) for kind in type(model).__mro__}
    return next((name for name, row in FAMILIES.items() if (row.module, row.class_name) in classes), "")


def unknown_family(name: str) -> ZooError:
    """An error that suggests the closest family.

    >>> str(unknown_family("SimpleRNN"))
    "unknown family 'SimpleRNN': did you mean activity_rnn?"
    """
    if meant := _LAYERS.get(name.lower()):
        return ZooError(f"unknown family {shown(name)}: did you mean {meant}?")
    return unknown_name("family", name, list(FAMILIES))
