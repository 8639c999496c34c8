"""No file of arrays executes code; of models, see test_models.py."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from zoo import ZooError
from zoo.files import read_arrays

pytestmark = pytest.mark.hostile


class Harmful:
    """Creates a file where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def test_arrays_of_objects_are_refused(tmp_path):
    mark = tmp_path / "executed"
    objects = np.empty(1, object)
    objects[0] = Harmful(mark)
    with (tmp_path / "arrays.npz").open("wb") as file:
        np.savez(file, kernel=objects)
    with pytest.raises(ZooError, match=r"arrays\.npz: "):
        read_arrays(tmp_path / "arrays.npz")
    (tmp_path / "pickled.npz").write_bytes(pickle.dumps(Harmful(mark)))
    with pytest.raises(ZooError, match=r"pickled\.npz: "):
        read_arrays(tmp_path / "pickled.npz")
    assert not mark.exists()
