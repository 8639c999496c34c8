"""pocket-zoo: a Keras model zoo for models that fit in a pocket.

Names are imported on first use, so `import zoo` is fast:

    >>> from zoo import ActivityGRU
    >>> ActivityGRU(units=32).count_params()
    3654
"""

import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from zoo.families import FAMILIES

__version__ = "0.3.0"

# Type checkers follow these imports, and `__getattr__` makes those of the table on first use.
if TYPE_CHECKING:
    from zoo.api.data import Written as Written
    from zoo.api.data import build as build
    from zoo.api.data import cut_windows as cut_windows
    from zoo.api.data import describe as describe
    from zoo.api.data import import_csv as import_csv
    from zoo.api.data import import_study as import_study
    from zoo.api.data import label as label
    from zoo.api.data import load_data as load_data
    from zoo.api.data import make_patches as make_patches
    from zoo.api.data import make_text as make_text
    from zoo.api.data import simulate as simulate
    from zoo.api.devices import bench as bench
    from zoo.api.devices import doctor as doctor
    from zoo.api.devices import export as export
    from zoo.api.devices import serve as serve
    from zoo.api.devices import stream as stream
    from zoo.api.models import adopt as adopt
    from zoo.api.models import check as check
    from zoo.api.models import info as info
    from zoo.api.models import list_presets as list_presets
    from zoo.api.models import predict as predict
    from zoo.api.models import push as push
    from zoo.api.training import benchmark as benchmark
    from zoo.api.training import cross_validate as cross_validate
    from zoo.api.training import evaluate as evaluate
    from zoo.api.training import finetune as finetune
    from zoo.api.training import train as train
    from zoo.api.training import tune as tune
    from zoo.errors import ZooError as ZooError
    from zoo.models.autoencoder import SparseAutoencoder as SparseAutoencoder
    from zoo.models.convolutional import ActivityCNN as ActivityCNN
    from zoo.models.layers import KLSparsity as KLSparsity
    from zoo.models.layers import KLSparsityRegularizer as KLSparsityRegularizer
    from zoo.models.layers import TiedDense as TiedDense
    from zoo.models.losses import CrossEntropy as CrossEntropy
    from zoo.models.losses import HalfSquaredError as HalfSquaredError
    from zoo.models.model import Model as Model
    from zoo.models.network import ActivityNetwork as ActivityNetwork
    from zoo.models.recurrent import ActivityGRU as ActivityGRU
    from zoo.models.recurrent import ActivityLSTM as ActivityLSTM
    from zoo.models.recurrent import ActivityRNN as ActivityRNN
    from zoo.models.trigram import TrigramLM as TrigramLM
    from zoo.recipe import Limits as Limits
    from zoo.recipe import Recipe as Recipe
    from zoo.results import Artifact as Artifact
    from zoo.results import Benchmark as Benchmark
    from zoo.results import CrossValidation as CrossValidation
    from zoo.results import Evaluation as Evaluation
    from zoo.results import Predictions as Predictions
    from zoo.results import TrainResult as TrainResult
    from zoo.results import TuneResult as TuneResult

_NAMES = {
    "zoo.api.data": ("Written", "build", "cut_windows", "describe", "import_csv", "import_study",
        "label", "load_data", "make_patches", "make_text", "simulate"),
    "zoo.api.devices": ("bench", "doctor", "export", "serve", "stream"),
    "zoo.api.models": ("adopt", "check", "info", "list_presets", "predict", "push"),
    "zoo.api.training": ("benchmark", "cross_validate", "evaluate", "finetune", "train", "tune"),
    "zoo.errors": ("ZooError",),
    "zoo.models.layers": ("KLSparsity", "KLSparsityRegularizer", "TiedDense"),
    "zoo.models.losses": ("CrossEntropy", "HalfSquaredError"),
    "zoo.models.model": ("Model",),
    "zoo.recipe": ("Limits", "Recipe"),
    "zoo.results": ("Artifact", "Benchmark", "CrossValidation", "Evaluation", "Predictions", "TrainResult",
        "TuneResult"),
}  # fmt: skip
# A family that a user adds needs its row alone.
_HOMES = {name: module for module, names in _NAMES.items() for name in names}
_HOMES |= {row.class_name: row.module for row in FAMILIES.values()}

__all__ = sorted(_HOMES)


def _register(keras: Any = None) -> None:
    """Imports the models, so that Keras can load those that were saved."""
    import_module("zoo.models")


if "keras" in sys.modules:
    _register()
# The command `zoo` imports Keras itself, and does without the 36 ms that wrapt takes.
elif "zoo" not in map(os.path.basename, sys.orig_argv[1:3]):
    # Where wrapt is missing, so are TensorFlow and Keras.
    with suppress(ImportError):
        import_module("wrapt").when_imported("keras")(_register)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'zoo' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    if "keras" in sys.modules:
        _register()
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
