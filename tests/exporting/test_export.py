"""Artifacts are run and compared before they get their names."""

import re
import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import pytest
from running import refused

import zoo
from zoo import ActivityGRU, ActivityLSTM, SparseAutoencoder, TrigramLM, loading
from zoo.activity.task import TASK as ACTIVITY
from zoo.benchmarking import random_inputs
from zoo.exporting import artifacts, formats, signatures
from zoo.exporting.artifacts import Tolerance, compare
from zoo.loading import Loaded
from zoo.runtime import Interpreter, Recognizer
from zoo.runtime.metadata import SCHEMA, Metadata, embed, extract
from zoo.training import Recipe, compile_model


def metadata(**changes):
    """What the file of a small recognizer says."""
    return replace(ACTIVITY.metadata(ActivityGRU(units=4, frame=5)), **changes)


def exportable(model, **tolerances):
    """A model and its family, which compares on simulated windows within other tolerances."""
    model.temperature = 1.7
    loaded = Loaded("test", model, config={"class": type(model).__name__})
    family = ACTIVITY.exportable(loaded, None)
    return loaded, replace(family, tolerances=dict(family.tolerances) | tolerances)


def export(model, folder, formats=None, **tolerances):
    return artifacts.export(*exportable(model, **tolerances), folder, formats)


def convert(path):
    formats.convert(signatures.activity(ActivityGRU(units=4, frame=5), 10), {"float32": path}, batch=1)
    return path


@pytest.fixture(scope="module")
def windows():
    return np.random.default_rng(0).normal(0, 4, (40, 150, 3)).astype("float32")


@pytest.mark.slow
@pytest.mark.parametrize("cell", [ActivityLSTM, ActivityGRU])
def test_every_format_answers_what_keras_answers(cell, tmp_path):
    # A network without training is unsure, and integers turn more of its answers than of a trained one's.
    unsure = dict.fromkeys(("dynamic", "int8", "int16x8"), Tolerance(0.1, 0.8))
    records = export(cell(units=8, frame=5), tmp_path / "out", **unsure)
    found = {record["format"]: record for record in records}
    assert set(found) == {"keras", "saved_model", "float32", "float16", "dynamic", "int8", "int16x8"}
    assert found["float32"]["largest_error"] <= 1e-5
    assert found["int16x8"]["mean_error"] < found["int8"]["mean_error"] < 0.05
    assert {record["timed"] for record in records if "int" in record["format"]} == {"step"}
    assert all((tmp_path / "out" / record["file"]).exists() for record in records)


def test_tflite_files_use_built_in_operations_and_describe_themselves(recognizer, exported_recognizer, windows):
    expected = loading.load(recognizer).metadata
    for path in exported_recognizer.glob("*.tflite"):
        # The pip runtime has no Flex delegate: a file that needs one would not load.
        interpreter = Interpreter(path)
        assert interpreter.metadata == expected
        assert list(interpreter.signatures) == (["step"] if "int" in path.name else ["window", "chunk", "step"])
        operations = {op["op_name"] for op in interpreter._interpreter._get_ops_details()}
        assert not [op for op in operations if op.startswith("Flex")]
    interpreter = Interpreter(exported_recognizer / "model.float32.tflite")
    # Runtimes that know no signatures run the first subgraph.
    first = interpreter._interpreter.get_input_details()
    assert [each["shape"].tolist() for each in first] == [[1, 150, 3]]
    refused(r"shape \(2, 150, 3\); expected \(1, 150, 3\)", interpreter.run, "window", window=windows[:2])


@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    [
        lambda dtype: ActivityGRU(units=4, frame=5, window=50, dtype=dtype),
        lambda dtype: SparseAutoencoder(hidden_units=4, pixels=64, scale=(1.0, -0.5, 0.5), dtype=dtype),
        lambda dtype: TrigramLM(vocabulary=12, embedding=4, hidden_units=5, dtype=dtype),
        lambda dtype: zoo.adopt(
            keras.Sequential([keras.Input((50, 3)), keras.layers.GRU(4, dtype=dtype), keras.layers.Dense(2)]),
            classes=["hoover", "iron"], rate=25,
        ),
    ],
)  # fmt: skip
def test_a_model_of_mixed_precision_is_exported_in_float32(model, tmp_path):
    built = model("mixed_float16")
    written = {each.format: each for each in zoo.export(built, tmp_path / "out", "keras,float32")}
    assert written["float32"].largest_error <= 1e-5
    assert zoo.info(tmp_path / "out")["class"] == type(built).__name__
    again = loading.load(tmp_path / "out").keras_model
    assert again.dtype_policy.name == "float32"
    for mine, its in zip(built.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, its)


@pytest.mark.slow
def test_the_saved_model_stores_every_weight_once_and_takes_any_batch(windows, tmp_path):
    model = ActivityGRU(units=64, frame=5)
    formats.write_saved_model(signatures.activity(model, 10), tmp_path / "saved")
    stored = (tmp_path / "saved" / "variables" / "variables.data-00000-of-00001").stat().st_size
    assert stored < 1.1 * 4 * model.count_params()
    endpoint = formats.load_saved_model(tmp_path / "saved")["window"]
    for batch in (1, 7):
        assert endpoint(window=windows[:batch])["probabilities"].shape == (batch, 6)


WITHOUT_ZOO = """
import sys

sys.modules["zoo"] = None  # as if it were not installed
import numpy as np
import tensorflow as tf

window = np.sin(np.arange(450, dtype="float32")).reshape(1, 150, 3)
found = tf.saved_model.load(sys.argv[1]).signatures["window"](window=tf.constant(window))
print(*found["probabilities"].numpy()[0])
"""


@pytest.mark.process
def test_a_saved_model_runs_without_the_zoo(exported_recognizer):
    command = [sys.executable, "-c", WITHOUT_ZOO, exported_recognizer / "saved_model"]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr
    window = np.sin(np.arange(450, dtype="float32")).reshape(1, 150, 3)
    expected = Recognizer(exported_recognizer / "model.float32.tflite").predict(window)
    np.testing.assert_allclose([[float(number) for number in child.stdout.split()]], expected, atol=1e-5)


def test_sources_and_saved_models_name_nobody(tmp_path):
    model = ActivityGRU(units=3, frame=25, provenance={"subjects": ["zz-top"]})
    export(model, tmp_path, ["keras", "saved_model", "float32", "kotlin", "swift", "c99"])
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"ActivityRecognizer.kt", "ActivityRecognizer.swift", "model.c", "saved_model.pb"} < {f.name for f in files}
    named = {path.name for path in files if b"zz-top" in path.read_bytes()}
    assert named == {"config.json", "model.keras", "model.float32.tflite"}


def test_the_program_of_tests_in_c_holds_a_window_of_the_data_or_a_simulated_one(recognizer, simulated, tmp_path):
    data = zoo.load_data(simulated)
    known = np.concatenate([part.arrays()[0] for part in (data.train, data.test)])
    for name, given in (("of the data", simulated), ("simulated", None)):
        zoo.export(recognizer, tmp_path / name, "c99", data=given)
        text = (tmp_path / name / "c99" / "model_test.c").read_text()
        numbers = re.findall(r"([-\d.e]+)F", re.search(r"window\[450\] = \{(.*?)\}", text, re.DOTALL)[1])
        window = np.array(numbers, "float32").reshape(150, 3)
        assert (known == window).all(axis=(1, 2)).any() == (given is not None)


@pytest.mark.slow
def test_a_window_of_few_frames_is_read_in_chunks_of_as_many(tmp_path):
    export(ActivityGRU(units=4, num_layers=1, frame=50), tmp_path / "out", ["float32"])
    interpreter = Interpreter(tmp_path / "out" / "model.float32.tflite")
    assert interpreter.metadata.chunk == 3
    assert interpreter.run("chunk", **random_inputs(interpreter, "chunk"))["probabilities"].shape == (1, 3, 6)


@pytest.mark.slow
def test_a_format_that_may_be_missing_is_left_out_with_its_difference(tmp_path):
    tight, refused = exportable(ActivityGRU(units=8, frame=5), float32=Tolerance(0.0, 1.0)), {}
    written = artifacts.export(*tight, tmp_path / "out", ["keras", "float32"], refused)
    assert [record["format"] for record in written] == ["keras"]
    assert refused["float32"].parity.largest_error > refused["float32"].tolerance.error == 0.0
    assert str(refused["float32"]).endswith("leave this format out with formats")


@pytest.mark.parametrize(
    ("mean", "variance"),
    [((0.01, -0.06, 0.99979), (0.1, 0.05, 0.08)), ((0.1, -0.37, 0.12), (0.4, 0.5, 0.4))],
    ids=["on a table", "in pockets of all kinds"],
)
def test_a_model_fitted_on_data_in_g_is_not_exported_as_one_of_meters(tmp_path, mean, variance):
    model = ActivityGRU(units=4, frame=5, mean=mean, variance=variance)
    refused(r"normalization .* of data in g; expected m/s\^2", zoo.export, model, tmp_path / "out", "keras")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_format_that_fails_is_named_first_and_the_sound_ones_stay(tmp_path):
    out, formats, tight = tmp_path / "out", ["float32", "keras", "dynamic"], Tolerance(0.0, 1.0)
    says = r"^float32: .*float32\.tflite: differs .* written without it: keras, dynamic$"
    refused(says, export, ActivityGRU(units=8, frame=5), out, formats, float32=tight)
    assert {path.name for path in out.iterdir()} == {"model.keras", "config.json", "model.dynamic.tflite"}


def test_each_kind_of_a_recognizer_has_a_limit_beside_the_agreement_of_labels():
    rows = [0.99, 0.01, 0.0], [0.36, 0.32, 0.32]
    sure, unsure = ({"window": {"probabilities": np.array([row])}} for row in rows)
    for kind, tolerance in exportable(ActivityGRU(units=2, frame=25))[1].tolerances.items():
        says = rf"{kind}: differs from Keras by 0.63 .*, classes agree on 100"
        refused(says, compare, kind, sure, unsure, tolerance)


def test_classes_that_are_nearly_equal_agree_on_simulated_rows_alone():
    wanted, turned, other = (
        {"window": {"probabilities": np.array([row])}} for row in ([0.51, 0.49], [0.49, 0.51], [0.6, 0.4])
    )
    tolerance = Tolerance(0.2, 1.0)
    assert compare("dynamic", wanted, turned, tolerance, simulated=True).agreement == 1
    refused("classes agree on 0.00%", compare, "dynamic", wanted, turned, tolerance)
    refused("classes agree on 0.00%", compare, "dynamic", other, turned, tolerance, True)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["float32", "int8", "saved_model"])
def test_a_file_without_its_steps_is_not_exported(kind, tmp_path, monkeypatch):
    owner, name = {"saved_model": (artifacts, "write_saved_model")}.get(kind, (formats.Converter, "add"))
    whole = getattr(owner, name)

    def lossy(*arguments, **options):
        signatures = next(each for each in arguments if isinstance(each, list))
        signatures[:] = [each for each in signatures if each.name != "step"]
        # What the converter leaves of a file that should hold the step alone.
        if kind == "int8":
            self, some, files, folder, batch, *_ = arguments
            arguments = self, some, {"float32": files["int8"]}, folder, batch
        return whole(*arguments, **options)

    monkeypatch.setattr(owner, name, lossy)
    small = ActivityGRU(units=4, frame=5, window=50)
    refused("lacks the signature 'step'; not written", export, small, tmp_path / "out", [kind])
    assert not (tmp_path / "out").exists()


def test_an_autoencoder_in_integers_has_no_sum_which_kernels_compute_differently(exported_autoencoder):
    interpreter = Interpreter(exported_autoencoder / "model.int8.tflite")
    assert "SUM" not in {name for signature in interpreter.signatures for name in interpreter.operations(signature)}


@pytest.mark.process
def test_the_death_of_the_converter_is_an_error_with_its_reason(tmp_path, monkeypatch):
    # A child that dies as the converter does when it quantizes a looped graph.
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\nkill -SEGV $$\n")
    script.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(script))
    refused("the converter crashed with SIGSEGV", convert, tmp_path / "a.tflite")
    assert not (tmp_path / "a.tflite").exists()


def test_embedding_again_replaces_the_document_which_names_a_study_once_and_loses_no_subject(tmp_path):
    file, people = convert(tmp_path / "model.tflite"), ("1", "geotec/1", "geotec/2", "wisdm/2", "wisdm/3", "ann")
    embed(file, metadata(preset="first"))
    embed(file, metadata(preset="other", train_subjects=people))
    assert b'["1","geotec/1","/2","wisdm/2","/3","ann"]' in file.read_bytes()
    assert (extract(file).preset, extract(file).train_subjects) == ("other", people)


def test_another_schema_is_refused_with_the_version_to_use():
    document = metadata().to_json() | {"schema": SCHEMA + 1, "version": "9.9"}
    refused(r"schema 2, .* reads schema 1, .*: use the version .*\(9.9\)", Metadata.from_json, document, "a.tflite")


@pytest.mark.slow
def test_a_trained_keras_file_trains_on(tmp_path):
    model = ActivityGRU(units=4, window=20, classes=2)
    compile_model(model, Recipe(), 1)
    # To compile three functions takes longer than their steps.
    model.run_eagerly = True
    windows, labels = np.zeros((4, 20, 3), "float32"), np.array([0, 1, 0, 1])
    before = model.evaluate(windows, labels, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    again.run_eagerly = True
    assert again.evaluate(windows, labels, verbose=0) == pytest.approx(before)
    again.fit(windows, labels, verbose=0)
