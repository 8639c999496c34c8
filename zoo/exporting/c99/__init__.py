"""Networks as plain C: source code that needs no library, no interpreter and no allocation.

A format is a folder:

    model.h        constants and labels of the metadata, the state, the functions
    model.c        weights, `static const` so that they stay in flash, and the arithmetic
    model_test.c   a program that runs a golden vector of Keras

- `source`: what a network consists of in C, how numbers are stored and multiplied, the files, and running them
- `families`: the networks of the zoo

Code that is the same for all models, and templates, lie in `zoo/exporting/native`.
"""

from zoo.exporting.c99 import families, source
from zoo.exporting.c99.source import Network

__all__ = ["Network", "families", "source"]
