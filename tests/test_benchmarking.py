"""Costs of exported files are measured or counted."""

import json
import shutil
from pathlib import Path

import pytest

import zoo
from zoo import ZooError
from zoo.benchmarking import bench, files_of
from zoo.catalog import PRESETS_FOLDER
from zoo.loading import load

POCKET = PRESETS_FOLDER / "activity_gru_pocket"


def test_every_signature_is_timed_and_its_arithmetic_counted():
    found = bench(POCKET / "model.dynamic.tflite", calls=20)
    arguments = load("activity_gru_pocket").keras_model.get_config()
    columns = 3 + arguments["magnitude"]
    units, frame, num_layers = arguments["units"], arguments["frame"], arguments["num_layers"]
    # Weights of the frame and of three gates a layer are multiplied once a step, those of the head once a result. The
    # magnitude of a row sums three squares.
    cells = frame * (columns * units + 3 * arguments["magnitude"]) + num_layers * 3 * 2 * units * units
    head = len(arguments["classes"]) * units
    steps = arguments["window"] // frame
    counted = {name: row["multiply_adds"] for name, row in found["signatures"].items()}
    assert counted == {"window": steps * cells + head, "step": cells + head, "chunk": 10 * (cells + head)}
    assert all(0 < row["median_ms"] <= row["p99_ms"] for row in found["signatures"].values())
    assert found["bytes"] == (POCKET / "model.dynamic.tflite").stat().st_size


def test_a_process_that_dies_without_a_word_is_one_line(monkeypatch):
    monkeypatch.setattr("sys.executable", shutil.which("false"))
    with pytest.raises(ZooError, match=r"does not run in a process of its own \(status 1\)"):
        bench(POCKET / "model.int8.tflite", calls=20)


@pytest.mark.parametrize(
    ("file", "first"),
    [
        ("activity_gru_pocket/model.personal.tflite", {"infer", "train", "save", "restore"}),
        ("activity_gru_pocket/model.int8.tflite", {"step"}),
        ("sparse_autoencoder_course/model.float32.tflite", {"encode", "decode", "reconstruct"}),
        ("trigram_lm_course_8_64/model.float32.tflite", {"next_word"}),
    ],
)
def test_files_of_every_task_are_measured(file, first):
    found = bench(PRESETS_FOLDER / file, calls=5)
    assert set(found["signatures"]) == first
    assert all(row["median_ms"] > 0 for row in found["signatures"].values())
    assert next(iter(found["signatures"].values()))["multiply_adds"] > 0
    assert found["process_mb"] is None or 20 < found["process_mb"] < 200


def test_a_name_stands_for_a_file_a_folder_or_a_preset(tmp_path):
    (tmp_path / "mine.tflite").write_bytes((POCKET / "model.int8.tflite").read_bytes())
    assert files_of(str(tmp_path)) == [tmp_path / "mine.tflite"] == files_of(str(tmp_path / "mine.tflite"))
    assert POCKET / "model.float32.tflite" in files_of("activity_gru_pocket")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ZooError, match=r"empty: holds no \.tflite file; write one with `zoo export`"):
        files_of(str(tmp_path / "empty"))


def test_in_python_a_path_is_the_folder_and_a_comma_a_letter_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, model in (("activity_gru_pocket", Path("activity_gru_pocket")), ("a,b", "a,b")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.tflite").write_bytes((POCKET / "model.int8.tflite").read_bytes())
        assert [row["file"] for row in zoo.bench(model)] == [f"{name}/mine.tflite"]
        with pytest.raises(ZooError, match=rf"^{name}: holds none of model\.float32\.tflite"):
            zoo.serve(model)


@pytest.mark.slow
def test_the_folder_of_a_training_and_a_keras_file_are_exported_first(zoo_cli, language_model):
    for name in (language_model, language_model / "model.keras"):
        status, out, error = zoo_cli("bench", name, "--json")
        assert status == 0, error
        rows = {row["file"]: row for row in json.loads(out)}
        file = language_model / "model.keras"
        assert set(rows) >= {f"{file} as float32", f"{file} as dynamic"}
        assert all(row["bytes"] > 0 and row["signatures"] for row in rows.values())
