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

_FUNCTIONS = (
    "bench",
    "build",
    "cross_validate",
    "cut_windows",
    "describe",
    "doctor",
    "evaluate",
    "export",
    "finetune",
    "import_csv",
    "import_study",
    "info",
    "list_presets",
    "load_data",
    "make_patches",
    "make_text",
    "predict",
    "push",
    "serve",
    "simulate",
    "stream",
    "train",
    "tune",
)

_HOMES = (
    dict.fromkeys(_FUNCTIONS, "zoo.api")
    | {row.class_name: row.module for row in FAMILIES.values()}
    | {
        "CrossEntropy": "zoo.models.losses",
        "Evaluation": "zoo.api",
        "HalfSquaredError": "zoo.models.losses",
        "KLSparsity": "zoo.models.layers",
        "KLSparsityRegularizer": "zoo.models.layers",
        "Limits": "zoo.recipe",
        "Model": "zoo.models.model",
        "Predictions": "zoo.task",
        "Recipe": "zoo.recipe",
        "TiedDense": "zoo.models.layers",
        "TrainResult": "zoo.training",
        "ZooError": "zoo.errors",
    }
)

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
    "bench",
    "build",
    "cross_validate",
    "cut_windows",
    "describe",
    "doctor",
    "evaluate",
    "export",
    "finetune",
    "import_csv",
    "import_study",
    "info",
    "list_presets",
    "load_data",
    "make_patches",
    "make_text",
    "predict",
    "push",
    "serve",
    "simulate",
    "stream",
    "train",
    "tune",
]

if TYPE_CHECKING:
    from zoo.api import (
        Evaluation,
        bench,
        build,
        cross_validate,
        cut_windows,
        describe,
        doctor,
        evaluate,
        export,
        finetune,
        import_csv,
        import_study,
        info,
        list_presets,
        load_data,
        make_patches,
        make_text,
        predict,
        push,
        serve,
        simulate,
        stream,
        train,
        tune,
    )
    from zoo.errors import ZooError
    from zoo.models.autoencoder import SparseAutoencoder
    from zoo.models.convolutional import ActivityCNN
    from zoo.models.layers import KLSparsity, KLSparsityRegularizer, TiedDense
    from zoo.models.losses import CrossEntropy, HalfSquaredError
    from zoo.models.model import Model
    from zoo.models.recurrent import ActivityGRU, ActivityLSTM, ActivityRNN
    from zoo.models.trigram import TrigramLM
    from zoo.recipe import Limits, Recipe
    from zoo.task import Predictions
    from zoo.training import TrainResult


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'zoo' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    if "keras" in sys.modules:
        register_with_keras()
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
