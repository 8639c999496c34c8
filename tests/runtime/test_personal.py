"""The last layer learns on the device, as the gradient of the cross-entropy says."""

import numpy as np
import pytest

from zoo import ActivityGRU, ZooError
from zoo.catalog import PRESETS_FOLDER
from zoo.formats import signatures, tflite
from zoo.metadata import embed
from zoo.runtime import PersonalRecognizer
from zoo.tasks.task import task_of

WINDOWS = np.random.default_rng(0).normal(0, 3, (8, 40, 3)).astype("float32")
LABELS = np.arange(8) % 6


@pytest.fixture(scope="module")
def model():
    return ActivityGRU(units=8, frame=5, window=40, seed=1)


@pytest.fixture(scope="module")
def file(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("personal") / "model.personal.tflite"
    tflite.convert(signatures.personal(model), {"personal": path})
    embed(path, task_of(model).metadata(model))
    return path


def softmax(x):
    return np.exp(x - x.max()) / np.exp(x - x.max()).sum()


def test_a_step_is_the_gradient_of_the_cross_entropy(model, file):
    import keras

    hidden = np.asarray(keras.Model(model.input, model.get_layer("logits").input)(WINDOWS[:1]), np.float64)[0]
    kernel, bias = (np.asarray(weight, np.float64) for weight in model.get_layer("logits").get_weights())
    error = softmax(hidden @ kernel + bias) - np.eye(6)[2]
    recognizer = PersonalRecognizer(file)
    loss = recognizer.learn(WINDOWS[:1], np.array([2]), epochs=1, rate=0.5)
    assert loss == pytest.approx([-np.log(softmax(hidden @ kernel + bias)[2])], rel=1e-5)
    learned = recognizer.run("save")
    np.testing.assert_allclose(learned["kernel"], kernel - 0.5 * np.outer(hidden, error), atol=1e-6)
    np.testing.assert_allclose(learned["bias"], bias - 0.5 * error, atol=1e-6)


def test_what_was_learned_is_saved_and_restored_and_the_file_stays_as_it_is(file, tmp_path):
    before = file.read_bytes()
    recognizer = PersonalRecognizer(file)
    losses = recognizer.learn(WINDOWS, LABELS, epochs=40, rate=0.2)
    assert losses[-1] < losses[0]
    recognizer.save(tmp_path / "mine.npz")
    again = PersonalRecognizer(file)
    assert np.abs(again.predict(WINDOWS) - recognizer.predict(WINDOWS)).max() > 0.01
    again.restore(tmp_path / "mine.npz")
    np.testing.assert_array_equal(again.predict(WINDOWS), recognizer.predict(WINDOWS))
    assert file.read_bytes() == before


def test_a_file_that_cannot_learn_and_a_foreign_memory_are_refused(file, tmp_path):
    with pytest.raises(ZooError, match="cannot learn; export one that can with `zoo export --personalize`"):
        PersonalRecognizer(PRESETS_FOLDER / "activity_gru_pocket" / "model.dynamic.tflite")
    with pytest.raises(ZooError, match="holds no learned weights"):
        PersonalRecognizer(file).restore(tmp_path / "missing.npz")
    np.savez(tmp_path / "other.npz", kernel=np.zeros((3, 6), "float32"), bias=np.zeros(6, "float32"))
    with pytest.raises(ZooError, match=r"input 'new_kernel' has shape \(3, 6\); expected \(8, 6\)"):
        PersonalRecognizer(file).restore(tmp_path / "other.npz")
