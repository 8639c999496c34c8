"""Networks as plain C: source code that needs no library, no interpreter and no allocation.

A format is a folder:

    model.h        constants and labels of the metadata, the state, the functions
    model.c        weights, `static const` so that they stay in flash, and the arithmetic
    model_test.c   a program that runs a golden vector of Keras

- `network`: what a family consists of: layers, and the functions that call them
- `recurrent`: recurrent recognizers as such a network
- `arithmetic`: how numbers are stored and multiplied
- `source`: the files
- `compiler`: compiling and running them on this machine

Code that is the same for all models lies in `zoo/formats/native`.
"""

from zoo.formats.c99 import arithmetic, compiler, source

__all__ = ["arithmetic", "compiler", "source"]
