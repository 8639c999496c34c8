"""Functions of one's own that build networks: by FILE:FUNCTION in every command, and by themselves in Python."""

import functools
import importlib
import json
import linecache
import os
import pickle
import re
import subprocess
import sys
import types

import keras
import numpy as np
import pytest
from running import refused

import zoo
from zoo.cli import COMMANDS, _parameters
from zoo.models.function import FACTS, Function
from zoo.models.network import require_sound
from zoo.search.spaces import Study

FILE = '''
import keras


def small(window, channels, classes, filters=4, seed=0):
    """A convolution."""
    x = inputs = keras.Input((window, channels))
    x = keras.layers.Conv1D(filters, 5, activation="relu")(x)
    x = keras.layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, keras.layers.Dense(len(classes))(x))


@keras.saving.register_keras_serializable(package="a test of functions")
class Half(keras.layers.Layer):
    def call(self, x):
        return x / 2


def halved(window, channels, classes):
    layers = [Half(), keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(len(classes))]
    return keras.Sequential([keras.Input((window, channels)), *layers])


def broken(window, channels):
    return keras.layers.Dense(missing)


def needs(units, window):
    return units


def clash(window, mean=1):
    return mean


def written(window, channels, classes, out=4):
    return small(window, channels, classes, out)


def no_model(window):
    return 3


def switch(window, channels, classes, wide=True):
    return small(window, channels, classes, 8 if wide else 4)


def looped(window, channels, classes, wide=True):
    """A recurrent layer that reads what a convolution leaves, in a loop that TFLite has no integers for."""
    x = inputs = keras.Input((window, channels))
    x = keras.layers.Conv1D(4, 5, strides=10)(x)
    return keras.Model(inputs, keras.layers.Dense(len(classes))(keras.layers.GRU(3 if wide else 2)(x)))


def five(window, channels):
    return keras.Sequential([keras.Input((window, channels)), keras.layers.GlobalMaxPooling1D(), keras.layers.Dense(5)])


def two(window, channels, classes):
    network = five(window, channels)
    return keras.Model(network.inputs, [keras.layers.Dense(len(classes))(network.outputs[0]), *network.outputs])


def compiled(window, channels, classes):
    network = small(window, channels, classes)
    network.compile("sgd", "mse")
    return network


@keras.saving.register_keras_serializable(package="a test of functions")
class Times(keras.layers.Layer):
    def __init__(self, factor=1, **options):
        super().__init__(**options)
        self.factor = factor

    def call(self, x):
        return self.factor * x

    def get_config(self):
        return super().get_config()


def forgets(window, channels, classes):
    network = small(window, channels, classes)
    return keras.Model(network.input, Times(3)(network.output))
'''
TRAINING = {"recipe": {"epochs": 1, "validation": 0.0}, "verbose": False}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "my_networks.py"
    path.write_text(FILE)
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return zoo.simulate("activity", tmp_path_factory.mktemp("data") / "data3.h5", subjects=4, seconds=12)


def test_its_options_are_options_of_the_command(file, data, tmp_path, zoo_cli):
    out = tmp_path / "mine"
    zoo_cli("train", f"{file}:small", "--filters", "6", "--data", data.path, "--out", out, "--epochs", "1")
    model = zoo.Model.from_preset(out)
    assert model.count_params() == 3 * 5 * 6 + 6 + 6 * 6 + 6
    document = json.loads((out / "config.json").read_text())["function"]
    assert document["code"] == FILE
    assert document["source"] == f"{file}:small"
    wrong = zoo_cli("train", f"{file}:small", "--filterz", "6", "--data", data.path, "--out", tmp_path / "other")
    assert wrong.status == 1
    assert "did you mean filters?" in wrong.err


def test_a_switch_is_on_or_off_and_no_text_that_counts_as_on(file, data, tmp_path, zoo_cli):
    named = f"{file}:switch"
    zoo_cli("train", named, "--wide", "False", "--data", data.path, "--out", tmp_path / "mine", "--epochs", "1")
    assert zoo.Model.from_preset(tmp_path / "mine").count_params() == 3 * 5 * 4 + 4 + 4 * 6 + 6
    # An option without its value is followed by nothing, or by the next option.
    for wrong in ([], ["no"], ["--epochs", "1"]):
        failed = zoo_cli("train", named, "--data", data.path, "--wide", *wrong)
        assert failed.status == 1
        assert "wide is" in failed.err
    assert "unknown setting of switch 'wid'" in zoo_cli("train", named, "--wid", "--data", data.path).err


def several(window, channels, classes, sizes=(4, 8), size="3", share=0.5):
    """As many convolutions as sizes, of the kernel that a text names."""
    layers = [keras.layers.Conv1D(units, int(size), activation="relu") for units in sizes]
    last = [keras.layers.GlobalMaxPooling1D(), keras.layers.Dropout(share, seed=1), keras.layers.Dense(len(classes))]
    return keras.Sequential([keras.Input((window, channels)), *layers, *last])


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"sizes": "4,8,16"}, "sizes is '4,8,16'; expected a list"),
        ({"size": 3}, "size is 3; expected text"),
        ({"share": "half"}, "share is 'half'; expected a number"),
    ],
)
def test_an_option_is_of_the_type_of_its_default(settings, says, data):
    refused(says, zoo.train, several, data, settings=settings, **TRAINING)
    Function.of(several)(sizes=[4], share=0, size="5", window=150)


def test_a_function_that_draws_from_numpy_builds_the_same_network_again(data):
    def drawn(window, channels, classes):
        network = several(window, channels, classes, [np.random.randint(4, 40)])
        network.layers[0].bias.assign(np.random.normal(size=network.layers[0].bias.shape))
        return network

    before = np.random.get_state()[1].tolist()
    one, other = (Function.of(drawn)(window=150, seed=3) for _ in range(2))
    assert np.random.get_state()[1].tolist() == before
    for first, second in zip(one.weights, other.weights, strict=True):
        np.testing.assert_array_equal(first, second)


def test_it_trains_from_python_with_the_same_weights(file, data):
    function = Function.of(f"{file}:small").call
    named, passed = (zoo.train(each, data, **TRAINING).model for each in (f"{file}:small", function))
    for one, other in zip(named.get_weights(), passed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert named.name == "small"
    assert named.mean is not None


class Stop(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch:
            raise KeyboardInterrupt


def interrupted(function, data, out, **settings):
    """A training that was interrupted; returns how it is called."""
    train = {"recipe": {"epochs": 3, "validation": 0.0}, "out": out, "verbose": False}
    with pytest.raises(KeyboardInterrupt):
        zoo.train(function, data, callbacks=Stop(), settings=settings, **train)
    return train


def test_a_run_is_not_resumed_with_another_text(file, data, tmp_path):
    train = interrupted(f"{file}:small", data, tmp_path / "mine")
    file.write_text(FILE + "\n# the same network\n")
    refused("made with another function", zoo.train, f"{file}:small", data, resume=True, **train)
    file.write_text(FILE)
    assert len(zoo.train(f"{file}:small", data, resume=True, **train).history) == 3


def typed(activation):
    """A function as a notebook has it, whose module has no text."""
    text = f"def net(window, channels, classes, activation={activation!r}):{BODY}"
    linecache.cache["<cell>"] = (len(text), None, text.splitlines(keepends=True), "<cell>")
    module = sys.modules["a_notebook"] = types.ModuleType("a_notebook")
    exec(compile(text, "<cell>", "exec"), vars(module))
    return module.net


BODY = """
    import keras
    layers = [keras.layers.Conv1D(4, 5, activation=activation), keras.layers.GlobalMaxPooling1D()]
    return keras.Sequential([keras.Input((window, channels)), *layers, keras.layers.Dense(len(classes))])
"""


def test_a_run_is_not_resumed_with_another_option(data, tmp_path):
    train = interrupted(typed("relu"), data, tmp_path / "mine", activation="tanh")
    refused("made with another arguments", zoo.train, typed("relu"), data, resume=True, **train)


@pytest.mark.parametrize("other", [typed, lambda name: functools.partial(typed("relu"), activation=name)])
def test_a_run_is_not_resumed_with_another_function_of_a_notebook(other, data, tmp_path):
    train = interrupted(other("relu"), data, tmp_path / "mine")
    refused("made with another function", zoo.train, other("tanh"), data, resume=True, **train)


class Builder:
    """An object that builds networks."""

    def __init__(self, units):
        self.units = units

    def __call__(self, window, channels, classes):
        return keras.Sequential([keras.layers.GlobalMaxPooling1D(), keras.layers.Dense(self.units), *last(classes)])


def last(classes):
    return [keras.layers.Dense(len(classes))]


def closing_over(units):
    def network(window, channels, classes):
        return Builder(units)(window, channels, classes)

    return network


def with_default(units):
    def network(window, channels, classes, width=units):
        return Builder(width)(window, channels, classes)

    return network


HELD = {"closes over": closing_over, "has as a default": with_default, "holds": Builder,
        "is a method of": lambda units: Builder(units).__call__}  # fmt: skip


@pytest.mark.parametrize("make", HELD.values(), ids=HELD)
def test_a_run_is_of_the_values_that_its_function(make):
    assert Function.of(make(2)).sha256 == Function.of(make(2)).sha256 != Function.of(make(64)).sha256


def test_a_run_is_not_resumed_with_a_function_that_closes_over_another_value(data, tmp_path):
    train = interrupted(closing_over(2), data, tmp_path / "mine")
    refused("made with another function", zoo.train, closing_over(64), data, resume=True, **train)


def test_an_object_that_is_bound_has_no_address_in_what_a_run_is_of():
    code = Function.of(functools.partial(typed("relu"), activation=lambda rows: rows)).code
    assert ("activation" in code, " at 0x" in code) == (True, False)


def test_files_beside_it_are_its_own_and_a_part_of_the_run(data, tmp_path):
    named = {}
    for folder, width in (("a", 4), ("b", 16)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "blocks.py").write_text(f"import keras\n\nWIDTH = {width}\n")
        (tmp_path / folder / "net.py").write_text(f"from blocks import WIDTH, keras\n\n\n{NET}")
        named[folder] = f"{tmp_path / folder / 'net.py'}:net"
    sizes = [Function.of(name)(window=100).count_params() for name in named.values()]
    assert sizes == [3 * 4 + 4 + 4 * 6 + 6, 3 * 16 + 16 + 16 * 6 + 6]
    train = interrupted(named["a"], data, tmp_path / "mine")
    (tmp_path / "a" / "blocks.py").write_text("import keras\n\nWIDTH = 4 + 4 - 4\n")
    refused("made with another function", zoo.train, named["a"], data, resume=True, **train)


def test_packages_beside_it_and_files_beside_a_module_are_a_part_of_the_run(tmp_path, monkeypatch):
    blocks = tmp_path / "blocks_beside"
    blocks.mkdir()
    (blocks / "conv.py").write_text("import keras\n\nWIDTH = 4\n")
    (tmp_path / "net_beside.py").write_text(f"from blocks_beside.conv import WIDTH, keras\n\n\n{NET}")
    monkeypatch.syspath_prepend(tmp_path)
    named = f"{tmp_path / 'net_beside.py'}:net"
    before = Function.of(named), Function.of(importlib.import_module("net_beside").net)
    (blocks / "conv.py").write_text("import keras\n\nWIDTH = 16\n")
    after = Function.of(named), Function.of(importlib.import_module("net_beside").net)
    assert all(one.sha256 != other.sha256 for one, other in zip(before, after, strict=True))
    sizes = [function(window=100).count_params() for function in (before[0], after[0])]
    assert sizes == [3 * 4 + 4 + 4 * 6 + 6, 3 * 16 + 16 + 16 * 6 + 6]


NET = """
def net(window, channels, classes):
    layers = [keras.layers.GlobalMaxPooling1D(), keras.layers.Dense(WIDTH), keras.layers.Dense(len(classes))]
    return keras.Sequential([keras.Input((window, channels)), *layers])
"""


def test_another_process_gets_the_same_file_or_says_so(file):
    stored = pickle.dumps(Function.of(f"{file}:small"))
    assert pickle.loads(stored).sha256 == Function.of(f"{file}:small").sha256
    file.write_text(FILE + "\n")
    refused("changed since the run began", pickle.loads, stored)
    refused("cannot import it", pickle.dumps, Function.of(lambda window: None))


@pytest.mark.process
def test_folds_build_it_in_processes_of_their_own(file, data, tmp_path):
    settings = {"groups": 2, "baselines": "none", "recipe": TRAINING["recipe"], "verbose": False, "everyone": True}
    found = zoo.cross_validate(f"{file}:halved", data, out=tmp_path / "folds", **settings)
    assert [fold["status"] for fold in found["folds"]] == ["scored"] * 2
    # A Keras model is built again from its configuration.
    network = keras.Sequential([keras.Input((150, 3)), keras.layers.Flatten(), keras.layers.Dense(6)])
    assert zoo.cross_validate(network, data, workers=0, **settings)["people"] == 4


def test_a_keras_model_is_trained_further(data):
    network = keras.Sequential([keras.Input((150, 3)), keras.layers.GlobalMaxPooling1D(), keras.layers.Dense(6)])
    trained = zoo.train(network, data, {"epochs": 1, "validation": 0.0, "learning_rate": 1e-9}, verbose=False).model
    np.testing.assert_allclose(trained.get_layer("logits").kernel, network.layers[-1].kernel, atol=1e-6)
    options = {"recipe": {"epochs": 1}, "verbose": False}
    refused("window: has no effect on", zoo.train, network, data, settings={"window": 100}, **options)
    refused("normalize: has no effect on", zoo.train, network, data, settings={"normalize": True}, **options)
    refused("of a Keras model nothing is searched", zoo.tune, network, data)
    unbuilt = keras.Sequential([keras.layers.GlobalMaxPooling1D(), keras.layers.Dense(6)])
    assert zoo.train(unbuilt, data, **TRAINING).model.window == 150
    network.compile("adam", "mse")
    for command in (zoo.train, zoo.cross_validate):
        refused("is compiled, which a recipe would replace", command, network, data, verbose=False)

    class Stepping(zoo.ActivityCNN):
        def train_step(self, batch):
            raise AssertionError

    own = Stepping(classes=6, filters=4)
    for command in (zoo.train, zoo.cross_validate):
        refused("has a train_step of its own, which no recipe calls", command, own, data, verbose=False)


def test_folds_read_what_a_training_of_a_built_network_reads_and_resume_whatever_its_layers_are_called(data, tmp_path):
    options = {"groups": 2, "baselines": "none", "recipe": TRAINING["recipe"], "verbose": False, "workers": 0}
    scores = set()
    for _ in range(2):
        # Keras counts the names of layers up.
        network = keras.Sequential([keras.Input((150, 3)), keras.layers.Flatten(), keras.layers.Dense(6)], name="flat")
        found = zoo.cross_validate(network, data, out=tmp_path / "folds", everyone=True, **options)
        scores.add(found["macro_f1"])
    assert len(scores) == 1
    assert found["recipe"]["normalize"] is False


def test_a_search_chooses_among_its_values(file, data):
    study = Study(f"{file}:small", data, choose={"filters": [2, 8], "batch_size": [16, 32]})
    assert study.outline.arguments["filters"] == 2
    assert study.outline.recipe.batch_size == 16
    refused("setting of small", Study, f"{file}:small", data, choose={"filterz": [2]})
    once = {"trials": 2, "epochs": 1, "best": 1, "seeds": 1, "settings": {"validation_by": "time"}, "verbose": False}
    found = zoo.tune(f"{file}:small", data, choose={"filters": [2, 8]}, **once)
    assert found.to_json()["training"]["parameters"] in (3 * 5 * 2 + 2 + 2 * 6 + 6, 3 * 5 * 8 + 8 + 8 * 6 + 6)
    found = zoo.tune(f"{file}:looped", data, choose={"wide": [True, False]}, **once)
    sizes = {3 * 5 * 4 + 4 + 3 * units * (4 + units + 2) + 6 * units + 6 for units in (3, 2)}
    assert found.to_json()["training"]["parameters"] in sizes


@pytest.mark.process
def test_layers_of_ones_own_are_loaded_by_their_file(file, data, tmp_path):
    out = tmp_path / "mine"
    zoo.train(f"{file}:halved", data, out=out, **TRAINING)
    command = [sys.executable, "-m", "zoo", "evaluate", str(out), "--data", str(data.path), "--no-baselines"]
    alone = subprocess.run(command, capture_output=True, text=True)
    assert alone.returncode == 1
    assert "Could not locate class 'Half'" in alone.stderr
    assert "--code FILE" in alone.stderr
    assert "macro-F1" in subprocess.run([*command, "--code", file], capture_output=True, text=True, check=True).stdout
    # So do the processes of folds.
    options = ["--finetune", "--baselines", "none", "--groups", "2", "--epochs", "1", "--code", file]
    options += ["--out", str(tmp_path / "folds")]
    folds = [*command[:3], "crossval", str(out), "--data", str(data.path), *options]
    assert "macro-F1" in subprocess.run(folds, capture_output=True, text=True, check=True).stdout


REFUSED = {
    "name a function in it": "{file}",
    "missing.py: no such file": "missing.py:small",
    "unknown function of .*'smal': did you mean small": "{file}:smal",
    "broken, line 25: NameError: name 'missing' is not defined": "{file}:broken",
    ":needs: needs units, which is no fact": "{file}:needs",
    "its parameter mean is one of every recognizer or command: rename it": "{file}:clash",
    "its parameter out is one of every recognizer or command: rename it": "{file}:written",
    "returned 3; expected a Keras model": "{file}:no_model",
    r"returns \(8, 5\) for 8 windows; expected \(8, 6\)": "{file}:five",
    "has 2 outputs; expected one": "{file}:two",
    "another answer when it is built again.*get_config": "{file}:forgets",
    "is compiled, which a recipe would replace": "{file}:compiled",
}


@pytest.mark.parametrize("says", REFUSED)
def test_what_is_wrong_with_it_is_said_in_a_line(says, file, data):
    named = REFUSED[says].format(file=file)
    refused(says, zoo.train, named, data, **TRAINING)


def test_no_option_of_a_command_is_one_of_a_function_that_it_names(file):
    kept = {*FACTS, "units", "num_layers", "frame", "dropout", "hidden_units", "levels"}
    for command in map(COMMANDS.get, ("train", "crossval", "benchmark", "tune", "check")):
        options = {name for row in _parameters(command) for name in row.annotation.__metadata__[0].name}
        for option in sorted({name[2:].replace("-", "_") for name in options if name[:2] == "--"} - kept):
            file.write_text(f"def net({option}=1):\n    pass\n")
            refused(f"its parameter {option} is one of", Function.of, f"{file}:net")


def test_a_text_of_the_same_length_and_second_is_another_function(file, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    for number in (1, 2):
        file.write_text(f"def net(filters={number}):\n    return {number}\n")
        os.utime(file, (10**9, 10**9))
        assert Function.of(f"{file}:net").call() == number


def test_a_file_without_the_name_of_a_function_is_said_by_every_command(file):
    assert f"name a function in it, such as {file}:build" in zoo.check(file).failure


def test_a_file_that_does_not_run_names_its_line(tmp_path, data):
    (tmp_path / "own.py").write_text("import keras\nkears.layers\n")
    refused("own.py, line 2: NameError", zoo.train, f"{tmp_path / 'own.py'}:small", data, verbose=False)
    (tmp_path / "other.py").write_text("def f(:\n")
    refused("other.py, line 1: SyntaxError", zoo.train, f"{tmp_path / 'other.py'}:f", data, verbose=False)


def ending(layer):
    def network(window, channels, classes):
        shape = keras.Input((window, channels))
        return keras.Sequential([shape, keras.layers.GlobalMaxPooling1D(), layer(), keras.layers.Dense(len(classes))])

    return network


@keras.saving.register_keras_serializable(package="a test of functions")
class Cosine(keras.layers.Dense):
    """Angles in the place of products."""

    def call(self, x, training=None):
        return keras.ops.matmul(keras.ops.normalize(x), keras.ops.normalize(self.kernel, axis=0))


UNUSUAL = {
    "a class of one's own that extends Dense": lambda window, classes: [
        keras.Input((window, 3)), keras.layers.GlobalMaxPooling1D(), Cosine(len(classes), use_bias=False)
    ],
    "no shape of its inputs": lambda window, classes: [keras.layers.GlobalMaxPooling1D(), keras.layers.Dense(6)],
}  # fmt: skip


@pytest.mark.parametrize("layers", UNUSUAL.values(), ids=UNUSUAL)
def test_it_answers_what_the_network_answers(layers):
    networks = []

    def network(window, classes):
        networks.append(keras.Sequential(layers(window, classes)))
        return networks[0]

    model = Function.of(network)(window=150)
    windows = np.random.default_rng(0).normal(0, 5, (4, 150, 3)).astype("float32")
    np.testing.assert_allclose(np.asarray(model(windows)), np.asarray(networks[0](windows)), atol=1e-5)


@keras.saving.register_keras_serializable(package="a test of functions")
class Noise(keras.layers.Layer):
    def call(self, x):
        return x + keras.random.normal(keras.ops.shape(x))


@keras.saving.register_keras_serializable(package="a test of functions")
class OfBatch(keras.layers.Layer):
    def call(self, x):
        return x - keras.ops.mean(x, axis=0)


@keras.saving.register_keras_serializable(package="a test of functions")
class Unused(keras.layers.Layer):
    def build(self, shape):
        self.idle = self.add_weight(shape=(2,), name="idle")

    def call(self, x):
        return x


class Private(keras.layers.Layer):
    """Another process could not load it."""

    def call(self, x):
        return x


@keras.saving.register_keras_serializable(package="a test of functions")
class Logarithm(keras.layers.Layer):
    def call(self, x):
        return keras.ops.log(x)


@keras.saving.register_keras_serializable(package="a test of functions")
class Unseeded(keras.layers.Layer):
    def call(self, x, training=False):
        return x + keras.random.normal(keras.ops.shape(x)) if training else x


BROKEN = {
    "another answer the second time": Noise,
    "in training with one seed.*SeedGenerator": Unseeded,
    "another answer alone": OfBatch, "idle has none": Unused,
    "NaN or infinity": Logarithm,
}  # fmt: skip


@pytest.mark.parametrize("says", BROKEN)
def test_a_broken_promise_is_found_before_the_first_epoch(says, data):
    network = ending(BROKEN[says])
    wrong = [row["wrong"] for row in zoo.check(network).to_json() if row["wrong"]]
    assert re.search(says, wrong[0])
    refused(says, zoo.train, network, data, **TRAINING)


def test_a_model_is_checked_before_it_is_trained_further(data):
    network = keras.Sequential([keras.Input((150, 3)), *ending(OfBatch)(150, 3, data.classes).layers])
    refused("another answer alone", zoo.train, network, data, **TRAINING)


def test_a_check_leaves_what_a_network_has_learned():
    layers = [keras.layers.BatchNormalization(), keras.layers.GlobalMaxPooling1D(), keras.layers.Dense(3)]
    model = zoo.adopt(keras.Sequential([keras.Input((150, 3)), *layers]), classes=("a", "b", "c"), rate=50.0)
    before = model.get_weights()
    require_sound(model)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_layer_that_fails_when_it_computes_is_said_in_a_line():
    wrong = zoo.check(ending(lambda: keras.layers.Activation("glu"))).failure
    assert "network: ValueError" in wrong
    assert "axis size must be divisible by 2" in wrong


def test_windows_are_not_normalized_twice(data):
    def normalized(window, channels, classes, mean_of_all=1.0):
        layers = [keras.layers.Normalization(mean=mean_of_all, variance=1.0), keras.layers.GlobalMaxPooling1D()]
        return keras.Sequential([keras.Input((window, channels)), *layers, keras.layers.Dense(len(classes))])

    options = {"groups": 2, "baselines": "none", "recipe": TRAINING["recipe"], "workers": 0, "verbose": False}
    refused("leave it out, or set normalize to False", zoo.cross_validate, normalized, data, **options)
    # Statistics of 0 and 1 change nothing, and without those of the training people, its own are the only ones.
    zoo.train(normalized, data, settings={"mean_of_all": 0.0}, **TRAINING)
    zoo.train(normalized, data, {**TRAINING["recipe"], "normalize": False}, verbose=False)


def test_letters_of_other_alphabets_are_no_names_of_models(file, data):
    assert Function.of(f"{file.rename(file.with_name('netz_ü.py'))}:small").name == "small"
    other = file.with_name("nêtz.py")
    other.write_text(f"import keras\nWIDTH = 4\n{NET.replace('def net', 'def build')}")
    assert Function.of(f"{other}:build")(window=150, name=Function.of(f"{other}:build").name).name == "n_tz"
    refused("'größe': expected a-z", zoo.benchmark, {"größe": ending(Cosine)}, data, groups=2, verbose=False)


@pytest.mark.slow
def test_a_sound_network_keeps_all_promises(file, zoo_cli):
    assert [row["wrong"] for row in zoo.check("activity_gru_course").to_json()] == [None] * 7
    shown = zoo_cli("check", f"{file}:small", "--filters", "3", "--channels", "6", "--classes", "lie,sit").out
    assert shown.count("yes") == 6


@pytest.mark.process
def test_layers_of_ones_own_are_checked_with_their_file(file):
    command = [sys.executable, "-m", "zoo", "check", f"{file}:halved"]
    alone = subprocess.run(command, capture_output=True, text=True)
    assert (alone.returncode, alone.stdout.count("yes")) == (1, 5)
    assert "Could not locate class 'Half'" in alone.stderr
    assert "ZooError" not in alone.stderr
    assert (
        subprocess.run([*command, "--code", file], capture_output=True, text=True, check=True).stdout.count("yes") == 6
    )


def test_a_layer_that_is_not_registered_is_refused_before_the_first_epoch(data, tmp_path):
    says = "Could not locate class 'Private'.: register its classes.*--code FILE"
    refused(says, zoo.train, ending(Private), data, out=tmp_path / "mine", **TRAINING)
    network = ending(Private)(150, 3, data.classes)
    refused(says, zoo.adopt, network, classes=data.classes, rate=50.0)
    assert "Could not locate" in zoo.check(ending(Private)).failure
