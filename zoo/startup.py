"""How a command and its child processes import Keras. As a program, runs a module in such a process."""

import gc
import importlib
import runpy
import sys


def import_keras() -> None:
    """Imports TensorFlow and Keras, without what Keras has for others' sake, in a process of the zoo's own.

    Keras imports matplotlib, pandas and scikit-learn for wrappers, tables and galleries that no command uses, and the
    collector looks through half a million new objects, none of which is garbage. CPU seconds of the import on an idle
    machine: 2.65 plain, 1.75 with the three hidden, 1.3 with the collector off as well.
    """
    hidden = [name for name in ("matplotlib", "pandas", "sklearn") if name not in sys.modules]
    # As Python documents it, a module that is None is not found.
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    gc.disable()
    try:
        importlib.import_module("tensorflow")
        importlib.import_module("keras")
    finally:
        gc.enable()
        for name in hidden:
            del sys.modules[name]
    # What was imported stays, so it is not looked through again: conversions take a fifth less.
    gc.freeze()


if __name__ == "__main__":
    import_keras()
    runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
