"""pocket-zoo: a Keras model zoo for models that fit in a pocket.

Names are imported on first use, so `import zoo` is fast:

    >>> from zoo import ActivityGRU
    >>> ActivityGRU(units=32).count_params()
    3654
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from wrapt import register_post_import_hook

from zoo.families import FAMILIES, register_with_keras

__version__ = "0.2.0"

# `import zoo` does not import Keras, yet Keras can load models of the zoo as soon as it is imported.
register_post_import_hook(register_with_keras, "keras")

_HOMES = {
    "CrossEntropy": "zoo.losses",
    "Evaluation": "zoo.api",
    "HalfSquaredError": "zoo.losses",
    "KLSparsity": "zoo.layers",
    "KLSparsityRegularizer": "zoo.layers",
    "Limits": "tuning.study",
    "Model": "zoo.models.model",
    "Predictions": "zoo.tasks.task",
    "Recipe": "zoo.recipes",
    "TiedDense": "zoo.layers",
    "TrainResult": "zoo.tasks.running",
    "ZooError": "zoo.errors",
    "cross_validate": "zoo.api",
    "cut_windows": "zoo.data.making",
    "evaluate": "zoo.api",
    "export": "zoo.api",
    "finetune": "zoo.api",
    "import_csv": "zoo.data.making",
    "import_study": "zoo.data.making",
    "list_presets": "zoo.api",
    "load_data": "zoo.data.loading",
    "predict": "zoo.api",
    "push": "zoo.api",
    "simulate": "zoo.data.loading",
    "train": "zoo.api",
    "tune": "zoo.api",
} | {row.class_name: row.module for row in FAMILIES.values()}

__all__ = [
    "ActivityCNN",
    "ActivityGRU",
    "ActivityLSTM",
    "ActivityRNN",
    "CrossEntropy",
    "Evaluation",
    "HalfSquaredError",
    "KLSparsity",
    "KLSparsityRegularizer",
    "Limits",
    "Model",
    "Predictions",
    "Recipe",
    "SparseAutoencoder",
    "TiedDense",
    "TrainResult",
    "TrigramLM",
    "ZooError",
    "cross_validate",
    "cut_windows",
    "evaluate",
    "export",
    "finetune",
    "import_csv",
    "import_study",
    "list_presets",
    "load_data",
    "predict",
    "push",
    "simulate",
    "train",
    "tune",
]

if TYPE_CHECKING:
    from tuning.study import Limits
    from zoo.api import (
        Evaluation,
        cross_validate,
        evaluate,
        export,
        finetune,
        list_presets,
        predict,
        push,
        train,
        tune,
    )
    from zoo.data.loading import load_data, simulate
    from zoo.data.making import cut_windows, import_csv, import_study
    from zoo.errors import ZooError
    from zoo.layers import KLSparsity, KLSparsityRegularizer, TiedDense
    from zoo.losses import CrossEntropy, HalfSquaredError
    from zoo.models.activity_cnn import ActivityCNN
    from zoo.models.activity_rnn import ActivityGRU, ActivityLSTM, ActivityRNN
    from zoo.models.autoencoder import SparseAutoencoder
    from zoo.models.model import Model
    from zoo.models.trigram import TrigramLM
    from zoo.recipes import Recipe
    from zoo.tasks.running import TrainResult
    from zoo.tasks.task import Predictions


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'zoo' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    if "keras" in sys.modules:
        register_with_keras()
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
