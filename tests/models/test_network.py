"""Networks of one's own: they answer what they answered, are saved, trained, exported and streamed as any other."""

import keras
import numpy as np
import pytest
from running import refused

import zoo
from zoo import ActivityGRU, adopt, loading
from zoo.models.network import soundness
from zoo.runtime import Recognizer
from zoo.runtime.streaming import predict_recording

LABELS = ("lie", "sit", "walk")
RANDOM = np.random.default_rng(0)
WINDOWS = RANDOM.normal(0, 5, (6, 128, 6)).astype("float32")


def stranger(*last):
    """Two convolutions, as in many a notebook, and what comes last."""
    return keras.Sequential([
        keras.Input((128, 6)), keras.layers.Conv1D(8, 5, activation="relu"),
        keras.layers.Conv1D(8, 5, activation="relu"), keras.layers.GlobalMaxPooling1D(), *last,
    ])  # fmt: skip


@keras.saving.register_keras_serializable(package="a test")
class Opposite(ActivityGRU):
    """Answers the opposite of what its layers compute."""

    def call(self, inputs, training=None, mask=None):
        return -super().call(inputs, training=training, mask=mask)


@keras.saving.register_keras_serializable(package="a test")
class Opaque(keras.Model):
    """A network that Keras knows by its `call` alone."""

    def __init__(self, units=3, **options):
        super().__init__(**options)
        self.units, self.mean, self.dense = units, keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(units)

    def call(self, inputs):
        return keras.ops.softmax(self.dense(self.mean(inputs)))

    def get_config(self):
        return {"units": self.units, **super().get_config()}


def opaque():
    model = Opaque()
    model(WINDOWS)
    return model


def normalized_by_itself():
    return keras.Sequential([
        keras.Input((128, 6)), keras.layers.Normalization(mean=[1.0] * 6, variance=[4.0] * 6),
        keras.layers.BatchNormalization(), keras.layers.LSTM(4), keras.layers.Dense(3, activation="softmax"),
    ])  # fmt: skip


def adapted():
    """Its statistics are weights, which only a layer that is told so computes with."""
    normalization = keras.layers.Normalization()
    normalization.adapt(3 * WINDOWS + 1)
    return keras.Sequential([keras.Input((128, 6)), normalization, keras.layers.GRU(4), keras.layers.Dense(3)])


NETWORKS = {
    "logits": lambda: stranger(keras.layers.Dense(3)),
    "softmax in the last layer": lambda: stranger(keras.layers.Dense(3, activation="softmax")),
    "softmax as a layer": lambda: stranger(keras.layers.Dense(3, use_bias=False), keras.layers.Softmax()),
    "no dense layer": lambda: stranger(keras.layers.Reshape((8, 1)), keras.layers.Conv1D(3, 8), keras.layers.Flatten()),
    "normalized by itself": normalized_by_itself,
    "adapted": adapted,
    "a call of its own": opaque,
}


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_it_answers_what_the_network_answered_and_again_after_it_was_saved(make, tmp_path):
    network = make()
    model = adopt(network, classes=LABELS, rate=40.0)
    expected = np.asarray(network(WINDOWS))
    answers = np.asarray(model(WINDOWS))
    probabilities = np.asarray(keras.ops.softmax(answers))
    found = probabilities if np.allclose(expected.sum(axis=1), 1) else answers
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert (model.classes, model.window, model.rate, len(model.channels)) == (LABELS, 128, 40.0, 6)
    model.save(tmp_path / "a.keras")
    np.testing.assert_allclose(np.asarray(loading.load(tmp_path / "a.keras").model(WINDOWS)), answers, atol=1e-6)
    np.testing.assert_allclose(np.asarray(model.copy(name="copy")(WINDOWS)), answers, atol=1e-6)
    # The last layer is apart: with other labels, those in common keep their weights.
    other = model.copy(classes=("walk", "run"))
    np.testing.assert_allclose(np.asarray(other(WINDOWS))[:, 0], answers[:, 2], atol=1e-5)


def test_the_network_of_another_stays_as_it_is():
    network = stranger(keras.layers.Dense(3))
    before = [weight.copy() for weight in network.get_weights()]
    model = adopt(network, classes=LABELS, rate=40.0)
    for weight in model.trainable_variables:
        weight.assign(weight + 1)
    assert all(np.array_equal(*pair) for pair in zip(before, network.get_weights(), strict=True))


def test_its_last_layer_is_regularized_constrained_and_frozen_as_it_was(tmp_path):
    own = {"kernel_regularizer": "l2", "kernel_constraint": "non_neg", "use_bias": False}
    network = stranger(keras.layers.Dense(3, activation="softmax", **own))
    network.layers[-1].kernel.assign(abs(network.layers[-1].kernel))
    model = adopt(network, classes=LABELS, rate=40.0)
    assert model.count_params() == network.count_params()
    model.save(tmp_path / "a.keras")
    for one in (model, loading.load(tmp_path / "a.keras").model, model.copy(classes=("walk", "run"))):
        assert (len(one.losses), one.get_layer("logits").bias) == (1, None)
    windows = WINDOWS + 9.8 * np.eye(6, dtype="float32")[2]
    data = zoo.load_data((windows, np.arange(6) % 3), subjects=list("aabbcc"), classes=LABELS, rate=40.0)
    tuning = {"data": data, "recipe": {"epochs": 1, "validation": 0.0}, "verbose": False}
    assert np.asarray(zoo.finetune(model, **tuning).model.get_layer("logits").kernel).min() >= 0
    zoo.export(model, tmp_path / "files", formats="personal")
    network.layers[-1].trainable = False
    tuned = zoo.finetune(adopt(network, classes=LABELS, rate=40.0), **tuning).model
    np.testing.assert_array_equal(tuned.get_layer("logits").kernel, network.layers[-1].kernel)


def test_what_was_trained_in_g_reads_meters_per_second_squared():
    network = stranger(keras.layers.Dense(3))
    model = adopt(network, classes=LABELS, rate=40.0, unit="g")
    scaled = WINDOWS * np.array([9.80665] * 3 + [1.0] * 3, "float32")
    np.testing.assert_allclose(np.asarray(model(scaled)), np.asarray(network(WINDOWS)), atol=1e-4)


def test_a_normalization_that_was_adapted_to_data_in_g_says_so():
    normalization = keras.layers.Normalization(axis=-1)
    normalization.adapt(WINDOWS / 20 + np.eye(6, dtype="float32")[1])
    network = keras.Sequential([keras.Input((128, 6)), normalization, keras.layers.Flatten(), keras.layers.Dense(3)])
    facts = {"classes": LABELS, "rate": 40.0}
    refused(r"was adapted to acceleration in g: adopt it with unit='g'", adopt, network, **facts)
    assert adopt(network, **facts, unit="g").classes == LABELS


def test_a_subclass_with_a_call_of_its_own_is_not_taken_for_its_layers(tmp_path):
    model = Opposite(units=4)
    says = "Opposite has a method call of its own.*zoo.adopt"
    refused(says, zoo.export, model, tmp_path / "files")
    data = zoo.simulate("activity", tmp_path / "data3.h5", subjects=3, seconds=12)
    refused(says, zoo.evaluate, model, data)
    refused(says, zoo.train, model, data)
    adopted = adopt(model, classes=model.classes, rate=model.rate)
    rows = RANDOM.normal(0, 5, (400, 3)).astype("float32")
    zoo.export(adopted, tmp_path / "files", formats="float32")
    recognizer = Recognizer(tmp_path / "files" / "model.float32.tflite")
    windows = np.stack([rows[start : start + 150] for start in range(0, 250, 25)])
    np.testing.assert_allclose(recognizer.predict(windows), np.asarray(keras.ops.softmax(model(windows))), atol=1e-5)
    assert predict_recording(recognizer.stream(), rows, 50.0)


def cells(*layers):
    return keras.Sequential([keras.Input((60, 3)), *layers, keras.layers.Dense(3)])


STEPPED = {
    "gru": lambda: cells(keras.layers.GRU(4)),
    "gru of the course": lambda: cells(keras.layers.GRU(4, reset_after=False)),
    "several": lambda: cells(
        keras.layers.Normalization(mean=[0.0] * 3, variance=[9.0] * 3), keras.layers.Dense(5, activation="relu"),
        keras.layers.LSTM(4, return_sequences=True), keras.layers.LayerNormalization(), keras.layers.Dropout(0.5),
        keras.layers.SimpleRNN(3), keras.layers.BatchNormalization(), keras.layers.Dense(4, activation="tanh"),
    ),
}  # fmt: skip


def of_a_state():
    inputs = keras.Input((60, 3))
    _, _, memory = keras.layers.LSTM(4, return_state=True)(inputs)
    return keras.Model(inputs, keras.layers.Dense(3)(memory))


def from_a_state():
    inputs = keras.Input((60, 3))
    rows, state = keras.layers.GRU(4, return_sequences=True, return_state=True)(inputs)
    return keras.Model(inputs, keras.layers.Dense(3)(keras.layers.GRU(4)(rows, initial_state=state)))


@keras.saving.register_keras_serializable(package="a test")
def centered(x):
    return x - keras.ops.mean(x, axis=1, keepdims=True)


WHOLE = {
    "the memory of an LSTM": of_a_state,
    "a state to start from": from_a_state,
    "a function of one's own": lambda: cells(keras.layers.Dense(4, activation=centered), keras.layers.GRU(4)),
    "a taper": lambda: cells(keras.layers.Rescaling(np.hanning(60)[:, None].tolist()), keras.layers.GRU(4)),
    "both directions": lambda: cells(keras.layers.Bidirectional(keras.layers.GRU(4))),
    "backwards": lambda: cells(keras.layers.GRU(4, go_backwards=True)),
    "a mean over time": lambda: cells(
        keras.layers.GRU(4, return_sequences=True), keras.layers.GlobalAveragePooling1D()
    ),
    "a convolution": lambda: cells(keras.layers.Conv1D(4, 5), keras.layers.GRU(4)),
    "normalized over time": lambda: cells(keras.layers.LayerNormalization(axis=1), keras.layers.GRU(4)),
}  # fmt: skip


@pytest.mark.parametrize("make", STEPPED.values(), ids=STEPPED)
def test_recurrent_layers_run_step_by_step(make, tmp_path):
    model = adopt(make(), classes=LABELS, rate=50.0)
    windows = RANDOM.normal(0, 5, (5, 60, 3)).astype("float32")
    states = {name: np.zeros((5, size), "float32") for name, size in model.states.items()}
    last = states
    for row in range(60):
        logits, last = model.step(windows[:, row : row + 1], last)
    np.testing.assert_allclose(np.asarray(logits), np.asarray(model(windows)), atol=1e-5)
    several, _ = model.chunk(windows, states)
    np.testing.assert_allclose(np.asarray(several)[:, -1], np.asarray(logits), atol=1e-5)
    zoo.export(model, tmp_path / "files", formats="float32")
    stream = Recognizer(tmp_path / "files" / "model.float32.tflite").stream()
    # Once it is warm, it answers to each row, not once a hop.
    assert len(predict_recording(stream, RANDOM.normal(0, 5, (90, 3)), 50.0)) > 50


@pytest.mark.parametrize("make", WHOLE.values(), ids=WHOLE)
def test_what_would_answer_otherwise_step_by_step_reads_whole_windows(make):
    assert adopt(make(), classes=LABELS, rate=50.0).states == {}


def test_the_zoos_own_model_keeps_its_calibration():
    model = zoo.ActivityGRU(units=4, temperature=0.5, threshold=0.4)
    adopted = adopt(model, classes=model.classes, rate=model.rate)
    assert (adopted.temperature, adopted.threshold) == (0.5, 0.4)
    for wrong in ({"rate": 100.0}, {"rate": model.rate, "unit": "g"}):
        refused("a recognizer of the zoo for m/s.2 at 50 Hz", adopt, model, classes=model.classes, **wrong)


REFUSED = {
    "of the type str; expected a Keras model": lambda: "activity_gru",
    "a shape that it does not state.*call it on a batch": lambda: keras.Sequential([keras.layers.Dense(3)]),
    r"returns \(8, 5\) for 8 windows; expected \(8, 3\)": lambda: stranger(keras.layers.Dense(5)),
    "replace Lambda by layers": lambda: stranger(keras.layers.Lambda(lambda x: 2 * x), keras.layers.Dense(3)),
    "keeps states from one window to the next": lambda: keras.Sequential(
        [keras.Input(batch_shape=(1, 60, 3)), keras.layers.GRU(4, stateful=True), keras.layers.Dense(3)]
    ),
    "has 2 outputs; expected one": lambda: keras.Model(
        inputs := keras.Input((3, 3)), [keras.layers.Flatten()(inputs), keras.layers.GlobalMaxPooling1D()(inputs)]
    ),
    "channels is 4; expected 3 or 6": lambda: keras.Sequential(
        [keras.Input((128, 4)), keras.layers.Flatten(), keras.layers.Dense(3)]
    ),
}


@pytest.mark.parametrize("says", REFUSED)
def test_what_no_recognizer_can_be_made_of_is_refused(says):
    refused(says, lambda: adopt(REFUSED[says](), classes=LABELS, rate=40.0))


def of_an_operation():
    network = stranger(keras.layers.Dense(3))
    return keras.Model(network.inputs, keras.ops.sigmoid(network.outputs[0]))


def saturated():
    """Answers of which the first is 1 and the others are 0 for windows that move, as those of a softmax may be."""
    network = of_an_operation()
    (dense,) = (layer for layer in network.layers if isinstance(layer, keras.layers.Dense))
    kernel, bias = dense.get_weights()
    dense.set_weights([np.tile([1.0, -1.0, -1.0], (len(kernel), 1)), bias])
    return network


SIGMOIDS = {
    "in the last layer": lambda: stranger(keras.layers.Dense(3, activation="sigmoid")),
    "hard": lambda: stranger(keras.layers.Dense(3, activation="hard_sigmoid")),
    "before dropout": lambda: stranger(keras.layers.Dense(3, activation="sigmoid"), keras.layers.Dropout(0.5)),
    "in a network inside": lambda: stranger(keras.Sequential([keras.layers.Dense(3, activation="sigmoid")])),
    "an operation": of_an_operation,
    "where it saturates": saturated,
}


@pytest.mark.parametrize("make", SIGMOIDS.values(), ids=SIGMOIDS)
def test_a_sigmoid_at_the_end_is_refused_however_it_is_written(make):
    refused("ends in a sigmoid", lambda: adopt(make(), classes=LABELS, rate=40.0))


def test_logits_that_happen_to_be_small_are_none_of_a_sigmoid():
    last = keras.layers.Dense(3, kernel_initializer="zeros", bias_initializer=keras.initializers.Constant(0.5))
    network = stranger(keras.Sequential([last]))
    model = adopt(network, classes=LABELS, rate=40.0)
    for one, other in zip(model.get_layer("network").get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_check_finds_what_adopt_refuses_and_passes_a_call_of_its_own():
    (row,) = zoo.check(REFUSED["has 2 outputs; expected one"]()).to_json()
    assert "has 2 outputs" in row["wrong"]
    assert zoo.check(opaque()).to_json()[0]["wrong"] is None


def test_a_check_compares_a_stream_with_whole_windows(monkeypatch):
    check = "the same answers row by row, as in a stream"
    network = keras.Sequential([keras.Input((60, 3)), keras.layers.LSTM(4), keras.layers.Dense(3)])
    adopted = adopt(network, classes=LABELS, rate=40.0)
    assert {row["check"]: row["wrong"] for row in zoo.check(adopted).to_json()}[check] is None
    assert check not in soundness(adopt(stranger(keras.layers.Dense(3)), classes=LABELS, rate=40.0))
    advance = type(adopted)._advance

    def opposite(self, x, states):
        logits, last = advance(self, x, states)
        return -logits, last

    monkeypatch.setattr(type(adopted), "_advance", opposite)
    assert soundness(adopted)[check].startswith("another answer row by row")


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["float64", "mixed_float16"])
def test_files_compute_in_float32_whatever_its_layers_compute_in(policy):
    layers = [keras.layers.Conv1D(4, 5, dtype=policy), keras.layers.GlobalMaxPooling1D(dtype=policy)]
    network = keras.Sequential([keras.Input((60, 3)), *layers, keras.layers.Dense(3, dtype=policy)])
    assert zoo.check(network).failure == ""


def test_a_single_label_which_would_always_be_the_answer_is_refused():
    refused("classes is 'sit' alone; expected two", adopt, stranger(keras.layers.Dense(1)), classes="sit", rate=40.0)


def test_from_arrays_to_files_in_ten_lines(tmp_path):
    people, labels = np.repeat(list("abcdef"), 12), np.tile(np.repeat([0, 1, 2], 4), 6)
    x = RANDOM.normal(0, 1, (72, 128, 6)).astype("float32") + 9.8 * np.eye(6, dtype="float32")[labels][:, None]
    data = zoo.load_data((x, labels), subjects=people, classes=LABELS, rate=40.0)
    network = stranger(keras.layers.Dense(3, activation="softmax"))
    network.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    network.fit(x, labels, epochs=20, verbose=0)
    model = zoo.adopt(network, classes=LABELS, rate=40.0, name="mine")
    assert zoo.evaluate(model, data, split="all", baselines=False)["accuracy"] > 0.9
    made = {artifact.format for artifact in zoo.export(model, tmp_path / "mine", data=data)}
    assert {"float32", "float16", "dynamic", "int8", "saved_model", "keras"} <= made
    further = tmp_path / "further"
    trained = zoo.train(model, data, {"epochs": 1, "validation": 0.0}, out=further, verbose=False)
    assert trained.model.classes == LABELS
    # The folder alone is enough; that a new process can load such a network is a part of `zoo.check`.
    assert zoo.Model.from_preset(further).count_params() == network.count_params()
