"""pocket-zoo: a Keras model zoo for models that fit in a pocket.

Names are imported on first use, so `import zoo` is fast:

    >>> from zoo import ActivityGRU
    >>> ActivityGRU(units=32).count_params()
    3654
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from zoo.families import FAMILIES, register_after_keras, register_with_keras

__version__ = "0.2.0"

register_after_keras()

_HOMES = {
    "CrossEntropy": "zoo.models.losses",
    "Evaluation": "zoo.api",
    "HalfSquaredError": "zoo.models.losses",
    "KLSparsity": "zoo.models.layers",
    "KLSparsityRegularizer": "zoo.models.layers",
    "Limits": "zoo.search.study",
    "Model": "zoo.models.model",
    "Predictions": "zoo.task",
    "Recipe": "zoo.recipe",
    "TiedDense": "zoo.models.layers",
    "TrainResult": "zoo.training",
    "ZooError": "zoo.errors",
    "cross_validate": "zoo.api",
    "cut_windows": "zoo.activity.making",
    "evaluate": "zoo.api",
    "export": "zoo.api",
    "finetune": "zoo.api",
    "import_csv": "zoo.activity.making",
    "import_study": "zoo.activity.making",
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
    from zoo.activity.making import cut_windows, import_csv, import_study
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
    from zoo.errors import ZooError
    from zoo.models.autoencoder import SparseAutoencoder
    from zoo.models.convolutional import ActivityCNN
    from zoo.models.layers import KLSparsity, KLSparsityRegularizer, TiedDense
    from zoo.models.losses import CrossEntropy, HalfSquaredError
    from zoo.models.model import Model
    from zoo.models.recurrent import ActivityGRU, ActivityLSTM, ActivityRNN
    from zoo.models.trigram import TrigramLM
    from zoo.recipe import Recipe
    from zoo.search.study import Limits
    from zoo.task import Predictions


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'zoo' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    if "keras" in sys.modules:
        register_with_keras()
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
