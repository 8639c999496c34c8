"""Models, their layers and losses. Importing this package registers them all with Keras.

While one of its modules imports Keras, this package is being imported already, and is not imported again by what
`zoo` does after each import of Keras.
"""

from importlib import import_module

from zoo.families import FAMILIES

for _row in FAMILIES.values():
    import_module(_row.module)
