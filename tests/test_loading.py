"""What is neither a model of the zoo nor data is named before anything is read."""

import os
from pathlib import Path

import keras
import numpy as np
import pytest
from running import ROOT, message, python

import zoo
from zoo.errors import ZooError
from zoo.loading import load


@pytest.fixture(scope="module")
def own():
    return keras.Sequential([keras.Input((150, 3)), keras.layers.Flatten(), keras.layers.Dense(6)])


@pytest.mark.parametrize("call", [zoo.evaluate, zoo.finetune, zoo.export, zoo.predict])
def test_a_keras_model_of_ones_own_is_named_with_what_is_accepted(call, own, tmp_path):
    with pytest.raises(ZooError, match=r"^model is of the type Sequential; expected a model of the zoo \(ActivityRNN"
                       r", .* or a path; make one of a Keras model of your own by zoo.adopt"):  # fmt: skip
        call(own, tmp_path)


@pytest.mark.slow
def test_a_subclass_is_evaluated_and_exported_as_its_family_and_trained_into_a_folder_if_keras_knows_it(
    simulated, tmp_path, uncompiled, monkeypatch
):
    class Mine(zoo.ActivityGRU):
        pass

    model, recipe = Mine(units=2, frame=25), {"epochs": 1, "validation": 0.0}
    assert zoo.evaluate(model, simulated, baselines=False)["windows"] > 0
    [artifact] = zoo.export(model, tmp_path / "exported", "float32")
    assert zoo.info(artifact.file)["family"] == "ActivityGRU"
    with pytest.raises(ZooError, match=r"^Mine is not registered with Keras, .*register_keras_serializable"):
        zoo.train(model, simulated, recipe, out=tmp_path / "out", verbose=False)
    # Without a folder, nothing is written.
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert type(zoo.train(model, simulated, recipe, verbose=False).model) is Mine
    assert list(Path().iterdir()) == []


PEERS = ROOT / "tests" / "peers"
LOAD = """
import pathlib, sys
import numpy as np, keras, textbook
folder = pathlib.Path(sys.argv[1])
model = keras.saving.load_model(folder / "mine.keras")
assert type(model) is textbook.Mine and (model.note, model.units) == ("hello", 2), model.get_config()
np.save(folder / "logits.npy", model(np.load(folder / "x.npy")))
"""


@pytest.mark.slow
def test_a_subclass_as_keras_shows_it_is_saved_loaded_copied_fine_tuned_and_exported(simulated, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(PEERS)
    from textbook import Mine

    model, x = Mine("hello", units=2, frame=25), np.ones((3, 150, 3), np.float32)
    assert [*model.get_config()][:: len(model.get_config()) - 1] == ["units", "note"]
    copied = model.copy(window=300)
    assert (type(copied), copied.note, copied.window) == (Mine, "hello", 300)
    model.save(tmp_path / "mine.keras")
    np.save(tmp_path / "x.npy", x)
    run = python("-c", LOAD, tmp_path, PYTHONPATH=f"{PEERS}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    assert run.returncode == 0, run.stderr
    np.testing.assert_allclose(np.load(tmp_path / "logits.npy"), model(x), atol=1e-6)
    recipe = {"epochs": 1, "validation": 0.0}
    zoo.train(model, simulated, recipe, out=tmp_path / "trained", verbose=False)
    tuned = zoo.finetune(tmp_path / "trained", simulated, recipe=recipe, out=tmp_path / "tuned", verbose=False).model
    assert (type(tuned), tuned.note) == (Mine, "hello")
    [artifact] = zoo.export(tmp_path / "tuned", tmp_path / "exported", "float32")
    assert zoo.info(artifact.file)["family"] == "ActivityGRU"
    with pytest.raises(ZooError, match="unknown argument of Mine 'unit': did you mean units"):
        Mine.from_config(model.get_config() | {"unit": 3})


def test_a_file_whose_class_was_not_imported_is_named_in_one_line(tmp_path):
    class Mine(zoo.ActivityGRU):
        pass

    Mine(units=2, frame=25).save(tmp_path / "mine.keras")
    refusal = message(lambda: load(tmp_path / "mine.keras"))
    assert "holds Mine, which Keras does not know: import the module that" in refusal


def test_what_keras_users_are_used_to_is_answered_with_what_to_pass(tmp_path):
    model, windows = zoo.ActivityGRU(units=2, frame=25), np.zeros((2, 150, 3), np.float32)
    for loss in ("sparse_categorical_crossentropy", keras.losses.SparseCategoricalCrossentropy()):
        with pytest.warns(UserWarning, match="returns logits, and this loss takes probabilities"):
            model.compile("adam", loss)
    model.compile()
    for labels in (["walking", "sitting"], np.array(["walking", "sitting"])):
        with pytest.raises(ZooError, match=r"^labels are texts; pass their numbers, such as \[model\.classes"):
            model.fit(windows, labels)
    with pytest.raises(ZooError, match=r"^epochs: is a field of the recipe; pass recipe=\{'epochs': 5\}"):
        zoo.train("activity_gru", "data3.h5", epochs=5)
    with pytest.raises(ZooError, match=r"a \.tflite file is float32, float16"):
        zoo.export("activity_gru_tiny", tmp_path / "exported", ["tflite"])
    with pytest.raises(ZooError, match="did you mean activity_gru"):
        zoo.train("gru", "data3.h5")


@pytest.mark.parametrize(("preset", "file"), [("activity_gru_tiny", "data3.h5"), ("trigram_lm_course", "data2.h5")])
def test_data_that_was_not_given_is_called_so(preset, file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ZooError, match=f"^no data was given, and there is no {file}, the default, in {tmp_path}: pass"):
        zoo.evaluate(preset, split="train")


@pytest.mark.parametrize("prior", [[0.2] * 5, np.full(6, 1 / 6)])
def test_a_prior_without_names_is_refused(prior, simulated):
    with pytest.raises(ZooError, match=r"^prior is .*; expected .*values by name"):
        zoo.evaluate("activity_gru_phone", simulated, prior=prior, baselines=False)


def test_a_folder_that_is_called_like_a_preset_is_used_only_as_a_path(tmp_path, monkeypatch, zoo_cli):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "activity_gru_tiny"
    zoo.ActivityGRU(units=4, frame=5).save_to_preset(folder)
    refusal = "activity_gru_tiny: is a preset, and a folder here: pass ./activity_gru_tiny for the folder, or rename it"
    for command in (
        ("info", "activity_gru_tiny"), ("export", "activity_gru_tiny", "--to", "out"), ("bench", "activity_gru_tiny"),
    ):  # fmt: skip
        assert zoo_cli(*command)[::2] == (1, f"zoo: {refusal}\n")
    assert message(lambda: zoo.Model.from_preset("activity_gru_tiny")) == refusal
    assert zoo_cli("info", "./activity_gru_tiny").status == 0
    assert zoo.Model.from_preset(Path("activity_gru_tiny")).units == 4
    assert zoo.predict(Path("activity_gru_tiny"), np.full((1, 150, 3), 5.7)).probabilities.shape == (1, 6)
    (folder / "model.keras").unlink()
    assert zoo.Model.from_preset("activity_gru_tiny").units == 12


def test_a_file_beside_the_configuration_of_another_model_stands_alone(tmp_path):
    zoo.ActivityGRU(units=4, frame=5).save_to_preset(tmp_path)
    zoo.ActivityGRU(units=2, frame=25).save(tmp_path / "epoch3.keras")
    loaded = load(tmp_path / "epoch3.keras")
    assert (loaded.keras_model.units, loaded.config, loaded.history) == (2, {}, [])
    assert load((tmp_path / "model.keras").rename(tmp_path / "mine.keras")).config["class"] == "ActivityGRU"
    (tmp_path / "epoch3.keras").rename(tmp_path / "model.keras")
    with pytest.raises(ZooError, match=r"config\.json: describes another model than model\.keras"):
        load(tmp_path / "model.keras")


@pytest.mark.parametrize(
    ("change", "value", "usual"),
    [
        (keras.config.set_floatx, "float64", "float32"),
        (keras.config.set_dtype_policy, "mixed_float16", "float32"),
    ],
)
def test_a_preset_is_the_same_model_whatever_the_precision_of_keras_is(change, value, usual):
    preset, x = "activity_gru_tiny", np.full((1, 150, 3), (0, 9.8, 0), np.float32)
    expected = zoo.predict(preset, x).probabilities
    change(value)
    try:
        np.testing.assert_array_equal(zoo.predict(preset, x).probabilities, expected)
    finally:
        change(usual)


def test_eager_execution_that_is_off_is_named():
    code = "import tensorflow as tf, zoo; tf.compat.v1.disable_eager_execution(); "
    code += "zoo.Model.from_preset('activity_gru_tiny')"
    run = python("-c", code)
    assert "eager execution is off: remove tf.compat.v1.disable_eager_execution()" in run.stderr.splitlines()[-1]
