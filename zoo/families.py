"""The one table of families: a name, its class, and the task that all families of a kind of data share.

A new family is a module with its class and a row here. The command line's choices, the names of `zoo`, what Keras can
load, searches, cards and checks follow from the row. Needs no library.
"""

import importlib
import sys
from typing import Any, NamedTuple

from zoo.catalog import unknown_name


class Family(NamedTuple):
    """A row of the table.

    Args:
        home: The module and the class.
        task: The name of a module in `zoo.tasks`.
    """

    home: str
    task: str

    @property
    def class_name(self) -> str:
        """The class, such as `ActivityGRU`."""
        return self.home.partition(":")[2]

    @property
    def module(self) -> str:
        """The module that defines it, whose docstring is its specification."""
        return self.home.partition(":")[0]

    def load(self) -> Any:
        """The class itself. Imports Keras."""
        return getattr(importlib.import_module(self.module), self.class_name)


FAMILIES: dict[str, Family] = {
    "activity_rnn": Family("zoo.models.activity_rnn:ActivityRNN", "activity"),
    "activity_lstm": Family("zoo.models.activity_rnn:ActivityLSTM", "activity"),
    "activity_gru": Family("zoo.models.activity_rnn:ActivityGRU", "activity"),
    "activity_cnn": Family("zoo.models.activity_cnn:ActivityCNN", "activity"),
    "sparse_autoencoder": Family("zoo.models.autoencoder:SparseAutoencoder", "autoencoder"),
    "trigram_lm": Family("zoo.models.trigram:TrigramLM", "trigram"),
}
"""By the name that the command line uses."""

TASKS = tuple(dict.fromkeys(row.task for row in FAMILIES.values()))
"""Names of the tasks, in the order of the table."""


def find_family(name: str) -> Family:
    """The row of a family, by its name or the name of its class.

    Raises:
        ZooError: If there is none; suggests the nearest name.

    Example:
        >>> find_family("ActivityGRU").task, find_family("trigram_lm").class_name
        ('activity', 'TrigramLM')
    """
    for known, row in FAMILIES.items():
        if name in (known, row.class_name):
            return row
    raise unknown_name("family", name, list(FAMILIES))


def register_with_keras(_: Any = None) -> None:
    """Imports everything that a saved model may name, so that Keras can load it.

    Where a module of the zoo is what imports Keras, it is not complete yet: then nothing is done, and `zoo` tries again
    at the next of its names that is used.
    """
    loading = (module for name, module in sys.modules.items() if name.startswith("zoo.") and module is not None)
    if any(getattr(module.__spec__, "_initializing", False) for module in loading):
        return
    for name in ("zoo.layers", "zoo.losses", *(row.module for row in FAMILIES.values())):
        importlib.import_module(name)
