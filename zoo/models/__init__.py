"""The families: one module each, its docstring the specification."""

# Keras finds a class in a file only if its module was imported.
from zoo.models import activity, autoencoder, trigram

__all__ = ["activity", "autoencoder", "trigram"]
