"""On real recordings: published numbers are those of the published files, and the importer reads what they hold."""

import numpy as np
import pytest

from zoo import evaluate, export, loading
from zoo.activity import data as activity
from zoo.activity import recordings
from zoo.activity.studies import read_study
from zoo.catalog import PRESETS_FOLDER
from zoo.families import FAMILIES
from zoo.files import read_json
from zoo.presets import PRESETS

MEASURED = {
    "activity": ("activity/data3.h5", "accuracy"),
    "patches": ("images/data1.h5", "mse"),
    "text": ("text/data2.h5", "cross_entropy"),
}


@pytest.mark.parametrize("name", [name for name, preset in PRESETS.items() if not preset.data.studies])
def test_a_published_file_scores_what_its_metrics_say(real, name):
    metrics = read_json(PRESETS_FOLDER / name / "metrics.json")
    task = FAMILIES[PRESETS[name].family].task
    file, key = MEASURED[task]
    for record in metrics["artifacts"]:
        if not record["file"].endswith(".tflite"):
            continue
        loaded = loading.load(str(PRESETS_FOLDER / name / record["file"]))
        evaluate = loaded.task.evaluate
        options = {} if task == "patches" else {"baselines": False}
        found = evaluate(loaded, real / file, **options)[key]
        if key in record:
            assert found == pytest.approx(record[key], rel=1e-4)
        if record["format"] == "float32":
            # The logarithm of a probability in a file ends at 1e-5, that of Keras does not.
            assert found == pytest.approx(metrics["test"][key], rel=2e-3 if task == "text" else 1e-4)


def test_nobody_in_the_test_part_was_in_the_training_of_a_preset(real):
    test_people = set(activity.from_file(real / "activity" / "data3.h5").test.people())
    for name in (name for name, row in PRESETS.items() if name.startswith("activity") and not row.data.studies):
        trained_on = set(loading.load(name).metadata.train_subjects)
        assert len(trained_on) >= 13
        assert not trained_on & test_people


def test_a_preset_that_learned_from_everyone_says_so_of_a_score_on_them(real):
    for name in (name for name, row in PRESETS.items() if row.data.studies):
        found = evaluate(name, real / "activity" / "data3.h5", baselines=False)
        assert "subjects 2, 9, 15, 21 were in the training of this model, so this is too optimistic" in found["notes"]


def test_windows_cut_from_the_zip_hold_the_windows_of_the_stand_in(real, tmp_path):
    raw = tmp_path / "recordings.h5"
    source = real / "activity" / "A_DeviceMotion_data.zip"
    recordings.write_recordings(raw, read_study("motionsense", source), source="MotionSense")
    index = recordings.read_recordings(raw)
    rows = np.concatenate([r.acceleration for r in index if r.subject == "2" and r.activity == "jogging"])
    data = activity.from_file(real / "activity" / "data3.h5")
    jogging = data.classes.index("jogging")
    mine = data.test.where((data.test.subjects == "2") & (data.test.labels == jogging))
    windows, _ = mine.arrays()
    starts = {row.tobytes() for row in np.round(rows, 3)}
    assert all(np.round(window[0], 3).tobytes() in starts for window in windows)


@pytest.mark.parametrize(
    ("name", "most"),
    [
        # A point of macro-F1, a hundredth of a nat, two percent of an error.
        ("activity_gru_pocket", lambda score: -(score - 0.01)),
        ("trigram_lm_course_8_64", lambda score: score + 0.01),
        ("sparse_autoencoder_best", lambda score: 1.02 * score),
    ],
)
def test_integers_calibrated_on_simulated_data_lose_next_to_nothing(real, name, most, tmp_path):
    file = real / MEASURED[loading.load(name).task.name][0]
    export(name, tmp_path / "without", ["int8"])
    key = loading.load(name).task.report.SCORE
    sign = -1 if key == "macro_f1" else 1
    found = evaluate(tmp_path / "without" / "model.int8.tflite", file, baselines=False)[key]
    published = evaluate(PRESETS_FOLDER / name / "model.int8.tflite", file, baselines=False)[key]
    assert sign * found <= most(published)
