"""Every family does what users of Keras expect of a model, as KerasHub checks its own: configurations, files, dtypes,
quantization, frozen layers, composition, and training with plain Keras.

A new family is tested without a new line.
"""

import inspect
import json
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from running import python
from test_contract import TINY, each_family, task, tiny

import zoo
from zoo.families import FAMILIES


def data(family):
    return TINY[task(family)][:2]


def array(tensor):
    return keras.ops.convert_to_numpy(tensor)


def save_and_load(model, folder):
    model.save(folder / "model.keras")
    return keras.saving.load_model(folder / "model.keras")


def paths(model):
    """Names of the weights, less the name of the model."""
    return [re.sub(f"^{model.name}/", "", weight.path) for weight in model.weights]


def changed(before, model):
    return any((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))


@each_family
def test_the_configuration_is_the_arguments_of_the_constructor(family):
    model = tiny(family, name="mine")
    config = model.get_config()
    parameters = {
        key for key, p in inspect.signature(type(model)).parameters.items()
        if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
    }  # fmt: skip
    # The policy is kept by the layers, and a prior and a threshold only if there are any, as in older files.
    assert parameters - {"dtype", "prior", "threshold"} <= set(config)
    assert config["name"] == "mine"
    again = type(model).from_config(json.loads(json.dumps(config)))
    assert again.get_config() == config
    assert [weight.shape for weight in again.weights] == [weight.shape for weight in model.weights]


@each_family
def test_an_unknown_argument_raises(family):
    model = tiny(family)
    for make in (lambda: tiny(family, nonsense=1), lambda: model.from_config(model.get_config() | {"nonsense": 1})):
        with pytest.raises((TypeError, ValueError, zoo.ZooError), match="nonsense"):
            make()


@each_family
@pytest.mark.parametrize("way", ["copy", "clone"])
def test_a_copy_is_of_the_class_and_a_clone_a_plain_model_each_with_weights_of_its_own(family, way):
    model = tiny(family)
    again = model.copy() if way == "copy" else keras.models.clone_model(model)
    if way == "copy":
        assert (type(again), again.get_config()) == (type(model), model.get_config())
    assert paths(again) == paths(model) == paths(tiny(family))
    assert len(set(paths(model))) == len(model.weights)
    assert not {id(weight) for weight in again.weights} & {id(weight) for weight in model.weights}
    again.set_weights([weight + 1 for weight in model.get_weights()])
    again.set_weights(model.get_weights())
    x, _ = data(family)
    np.testing.assert_array_equal(array(again(x)), array(model(x)))


LOAD = """
import sys, traceback, pathlib
import keras, numpy as np
import zoo

folder = pathlib.Path(sys.argv[1])
for file in sorted(folder.glob("*.keras")):
    try:
        x = np.load(folder / f"{file.stem.split('-')[0]}.x.npy")
        np.save(folder / f"{file.stem}.found.npy", keras.saving.load_model(file).predict(x, verbose=0))
    except Exception as error:
        (folder / f"{file.stem}.error").write_text(str(error)[:500])
"""


@pytest.fixture(scope="session")
def loaded_elsewhere(tmp_path_factory):
    """Models, alone and in a Sequential, that were loaded and run by a process of their own."""
    folder = tmp_path_factory.mktemp("elsewhere")
    for name in FAMILIES:
        model, (x, _) = tiny(name), data(name)
        np.save(folder / f"{name}.x.npy", x)
        for file, saved in ((name, model), (f"{name}-sequential", keras.Sequential([model]))):
            np.save(folder / f"{file}.expected.npy", saved.predict(x, verbose=0))
            saved.save(folder / f"{file}.keras")
    assert python("-c", LOAD, folder).returncode == 0
    return folder


@pytest.mark.parametrize("around", ["", "-sequential"])
@each_family
def test_a_new_process_loads_it_after_import_zoo_alone(loaded_elsewhere, family, around):
    error = loaded_elsewhere / f"{family}{around}.error"
    assert not error.exists(), error.read_text()
    found, expected = (np.load(loaded_elsewhere / f"{family}{around}.{what}.npy") for what in ("found", "expected"))
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
@each_family
def test_a_file_keeps_the_dtype_policy(family, dtype, tmp_path):
    model = tiny(family, dtype=dtype)
    x, y = data(family)
    assert keras.backend.standardize_dtype(model(x).dtype) == keras.dtype_policies.get(dtype).compute_dtype
    assert all(weight.dtype == "float32" for weight in model.trainable_weights)
    model.compile("sgd", run_eagerly=True)
    assert np.isfinite(model.train_on_batch(x, y)).all()
    again = save_and_load(model, tmp_path)
    assert [layer.dtype_policy.name for layer in again.layers] == [layer.dtype_policy.name for layer in model.layers]
    np.testing.assert_array_equal(array(again(x)), array(model(x)))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*does not have a `quantize` method")
@each_family
def test_a_file_keeps_the_quantization(family, tmp_path):
    model = tiny(family)
    model.quantize("int8")
    x, _ = data(family)
    expected = array(model(x))
    again = save_and_load(model, tmp_path)
    integers = [weight.path for weight in again.weights if keras.backend.standardize_dtype(weight.dtype) == "int8"]
    assert integers
    assert paths(again) == paths(model)
    np.testing.assert_array_equal(array(again(x)), expected)


@each_family
def test_a_folder_gives_the_model_back_and_a_file_its_weights_to_another_instance(family, tmp_path):
    model, other, (x, _) = tiny(family, seed=1), tiny(family, seed=2), data(family)
    model.save_to_preset(tmp_path / "mine")
    again = zoo.Model.from_preset(tmp_path / "mine")
    assert (type(again), again.get_config()) == (type(model), model.get_config())
    model.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    for same in (again, other):
        np.testing.assert_array_equal(array(same(x)), array(model(x)))


@each_family
def test_it_compiles_without_arguments_and_fits(family):
    model = tiny(family)
    model.compile()
    x, y = data(family)
    before = model.get_weights()
    history = model.fit(x, y, batch_size=4, epochs=1, verbose=0).history
    assert model.loss is not None
    assert np.isfinite(history["loss"]).all()
    assert changed(before, model)
    assert np.isfinite(model.evaluate(x, y, verbose=0, return_dict=True)["loss"])


@each_family
def test_numpy_arrays_and_tf_data_predict_and_evaluate_the_same(family):
    model = tiny(family)
    model.compile("sgd")
    x, y = data(family)
    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(4)
    rows = model.predict(x, batch_size=4, verbose=0)
    assert rows.shape == (8, *model.output_shape[1:])
    np.testing.assert_allclose(model.predict(batches.map(lambda x, y: x), verbose=0), rows, atol=1e-6)
    np.testing.assert_allclose(model.predict_on_batch(x), rows, atol=1e-5)
    assert model.evaluate(batches, verbose=0) == pytest.approx(model.evaluate(x, y, batch_size=4, verbose=0), rel=1e-5)


@each_family
@pytest.mark.parametrize("kind", ["sequential", "functional"])
def test_it_is_a_layer_of_another_model(family, kind, tmp_path):
    model = tiny(family)
    x, _ = data(family)
    head = keras.layers.Dense(2)
    if kind == "sequential":
        whole = keras.Sequential([model, head])
    else:
        inputs = keras.Input(x.shape[1:], dtype=x.dtype.name)
        whole = keras.Model(inputs, head(model(inputs)))
    whole.compile("sgd", "mse", run_eagerly=True)
    before = model.get_weights()
    whole.train_on_batch(x, np.ones((8, 2), "float32"))
    assert changed(before, model)
    again = save_and_load(whole, tmp_path)
    assert type(next(layer for layer in again.layers if isinstance(layer, type(model)))) is type(model)
    np.testing.assert_allclose(array(again(x)), array(whole(x)), atol=1e-6)


@each_family
def test_a_file_keeps_frozen_layers_and_frozen_weights_do_not_change(family, tmp_path):
    model = tiny(family)
    frozen = next(layer for layer in model.layers if layer.trainable_weights)
    frozen.trainable = False
    again = save_and_load(model, tmp_path)
    assert not again.get_layer(frozen.name).trainable
    assert len(again.trainable_weights) == len(model.trainable_weights)
    model.trainable = False
    whole = keras.Sequential([model, keras.layers.Dense(2)])
    whole.compile("sgd", "mse", run_eagerly=True)
    before = model.get_weights()
    whole.train_on_batch(data(family)[0], np.ones((8, 2), "float32"))
    assert model.trainable_weights == []
    assert not changed(before, model)
