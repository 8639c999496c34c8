"""pocket-zoo: a Keras model zoo for models that fit in a pocket.

Names load on first use, so that `import zoo` costs nothing:

    >>> from zoo import ActivityGRU
    >>> ActivityGRU(units=32).count_params()
    3654
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "ActivityGRU": "zoo.models.activity",
    "ActivityLSTM": "zoo.models.activity",
    "ActivityRNN": "zoo.models.activity",
    "KLSparsity": "zoo.layers",
    "KLSparsityRegularizer": "zoo.layers",
    "Model": "zoo.models.saving",
    "Recipe": "zoo.recipes",
    "SparseAutoencoder": "zoo.models.autoencoder",
    "TiedDense": "zoo.layers",
    "TrigramLM": "zoo.models.trigram",
    "ZooError": "zoo.errors",
}

__all__ = [
    "ActivityGRU",
    "ActivityLSTM",
    "ActivityRNN",
    "KLSparsity",
    "KLSparsityRegularizer",
    "Model",
    "Recipe",
    "SparseAutoencoder",
    "TiedDense",
    "TrigramLM",
    "ZooError",
]

if TYPE_CHECKING:
    from zoo.errors import ZooError
    from zoo.layers import KLSparsity, KLSparsityRegularizer, TiedDense
    from zoo.models.activity import ActivityGRU, ActivityLSTM, ActivityRNN
    from zoo.models.autoencoder import SparseAutoencoder
    from zoo.models.saving import Model
    from zoo.models.trigram import TrigramLM
    from zoo.recipes import Recipe


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'zoo' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
