"""Which task belongs to which family: activity, autoencoder and trigram offer the same names.

DATA                            what a data file is called where nobody says otherwise
prepare(path, recipe, ...)      a file read and split once: build, fit, scores and metadata of models that learn from it
train(plan, path, run, ...)     a trained model in a folder, and a summary
evaluate(loaded, path, ...)     a report
exportable(loaded, path)        what export must know
"""

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

from zoo.errors import ZooError
from zoo.tasks import activity, autoencoder, trigram
from zoo.tasks.loading import Loaded

_TASKS: dict[str, ModuleType] = {
    "activity_rnn": activity,
    "activity_lstm": activity,
    "activity_gru": activity,
    "sparse_autoencoder": autoencoder,
    "trigram_lm": trigram,
}
_KINDS = {task.KIND: task for task in (activity, autoencoder, trigram)}


def of_family(family: str) -> Any:
    """The task of a family, a key of `presets.FAMILIES`."""
    return _TASKS[family]


def of_model(loaded: Loaded) -> Any:
    """The task of a model."""
    return _KINDS[loaded.metadata.kind]


def given(function: Callable[..., Any], options: dict[str, Any], what: str) -> dict[str, Any]:
    """The options that the user named, for a function that may not know all of them.

    Args:
        function: What they are for.
        options: By name; None where the user did not name it.
        what: Whom the message is about.

    Raises:
        ZooError: If one was named that the function does not take.
    """
    named = {name: value for name, value in options.items() if value is not None}
    strangers = sorted(set(named) - set(inspect.signature(function).parameters))
    if strangers:
        raise ZooError(f"--{strangers[0].replace('_', '-')}: means nothing for {what}; leave it out")
    return named
