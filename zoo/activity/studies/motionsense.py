"""MotionSense: six activities, an iPhone in the front pocket of the trousers."""

from collections.abc import Iterator
from dataclasses import replace

from zoo.activity.importers import read_motionsense
from zoo.activity.recordings import Recording
from zoo.activity.studies.reading import Source


def read(source: Source) -> Iterator[Recording]:
    """Reads all six activities."""
    next(source.texts())
    for recording in read_motionsense(source.path, source.dropped):
        yield replace(recording, position="front pocket", device="iPhone 6s")
