"""No file executes code: not a model, not its settings, not arrays."""

import json
import pickle
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from zoo import ZooError
from zoo.catalog import PRESETS_FOLDER
from zoo.files import read_arrays
from zoo.models.model import load_file

pytestmark = pytest.mark.hostile


class Harmful:
    """Creates a file where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def test_a_model_with_a_function_in_it_is_refused(tmp_path):
    mark = tmp_path / "executed"
    name = str(mark)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: (Path(name).touch(), x)[1])])
    mark.unlink()
    model.save(tmp_path / "model.keras")
    with pytest.raises(ZooError, match=r"model\.keras: cannot be read as a Keras model .*unsafe"):
        load_file(tmp_path / "model.keras")
    assert not mark.exists()


@pytest.mark.parametrize(
    ("module", "name"), [("os", "system"), ("builtins", "exec"), ("subprocess", "Popen"), ("zoo.jobs", "python")]
)
def test_a_model_that_names_another_function_as_its_class_is_refused(module, name, tmp_path):
    mark, file = tmp_path / "executed", tmp_path / "model.keras"
    with (
        zipfile.ZipFile(PRESETS_FOLDER / "activity_gru_pocket" / "model.keras") as sound,
        zipfile.ZipFile(file, "w") as harmful,
    ):
        for member in sound.namelist():
            content = sound.read(member)
            if member == "config.json":
                config = json.loads(content)
                config |= {"module": module, "class_name": name, "registered_name": name}
                config["config"] = {"command": f"touch {mark}", "args": f"touch {mark}", "shell": True}
                content = json.dumps(config).encode()
            harmful.writestr(member, content)
    with pytest.raises(ZooError, match=r"model\.keras: cannot be read as a Keras model"):
        load_file(file)
    assert not mark.exists()


def test_arrays_of_objects_are_refused(tmp_path):
    mark = tmp_path / "executed"
    objects = np.empty(1, object)
    objects[0] = Harmful(mark)
    with (tmp_path / "arrays.npz").open("wb") as file:
        np.savez(file, kernel=objects)
    with pytest.raises(ZooError, match=r"arrays\.npz: damaged, or not a \.npz file of arrays \(Object arrays"):
        read_arrays(tmp_path / "arrays.npz")
    (tmp_path / "pickled.npz").write_bytes(pickle.dumps(Harmful(mark)))
    with pytest.raises(ZooError, match=r"pickled\.npz: damaged, or not a \.npz file of arrays"):
        read_arrays(tmp_path / "pickled.npz")
    assert not mark.exists()
