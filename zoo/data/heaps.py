"""A check of the heaps in which HDF5 files keep text, before HDF5 reads them."""

import mmap
import struct
from functools import lru_cache
from pathlib import Path

from zoo.errors import ZooError

_MOST_BYTES = 1 << 30
"""Bytes of a file that are searched for heaps."""


@lru_cache(maxsize=64)
def check(path: Path, modified: int) -> None:
    """Refuses a file in which HDF5 would read for ever: an entry of no size in a heap.

    Args:
        path: The HDF5 file. Of a large one, the start is checked.
        modified: Time of its last change. A changed file is checked again.

    Raises:
        ZooError: If the file is damaged.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        place = -1
        while (place := content.find(b"GCOL\1\0\0\0", place + 1, _MOST_BYTES)) >= 0:
            entry = place + 16
            end = min(place + int.from_bytes(content[place + 8 : entry], "little"), len(content)) - 16
            while entry <= end:
                number, size = struct.unpack_from("<H6xQ", content, entry)
                # As HDF5 computes it, in 64 bits.
                step = (16 + (size + 7) // 8 * 8 if number else size) % 2**64
                if step == 0:
                    raise ZooError(f"{path}: damaged: copy it again (a heap of text at byte {place})")
                entry += step
