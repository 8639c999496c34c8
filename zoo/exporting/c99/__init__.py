"""Networks as plain C: source code that needs no library, no interpreter and no allocation.

A format is a folder:

    model.h        constants and labels of the metadata, the state, the functions
    model.c        weights, `static const` so that they stay in flash, and the arithmetic
    model_test.c   a program that runs a golden vector of Keras

- `network`: what a family consists of in C: layers, and the functions that call them
- `recognizers`, `feedforward`: the families
- `source`: how numbers are stored and multiplied, and the files
- `compiler`: compiling and running them on this machine

Code that is the same for all models lies in `zoo/exporting/native`.
"""

from zoo.exporting.c99 import compiler, feedforward, network, recognizers, source
from zoo.exporting.c99.network import Network

__all__ = ["Network", "compiler", "feedforward", "network", "recognizers", "source"]
