"""Metadata of every preset are read, and what does not fit the published schema is refused with the key."""

import json
import re
import shutil
from dataclasses import fields, replace
from pathlib import Path

import jsonschema
import pytest
from ai_edge_litert.tools import flatbuffer_utils
from running import refused

from zoo.catalog import PRESETS_FOLDER, preset_names
from zoo.families import task_named
from zoo.runtime import Recognizer
from zoo.runtime.filtering import Group
from zoo.runtime.metadata import (
    AXES,
    CLASSES,
    INERTIAL,
    ActivityMetadata,
    AutoencoderMetadata,
    Metadata,
    Streaming,
    TrigramMetadata,
    embed,
    extract,
)

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "metadata.schema.json").read_text())
OF_TASK = {each["properties"]["task"]["enum"][0]: each for each in SCHEMA["oneOf"]}


def document(preset):
    known = json.loads((PRESETS_FOLDER / preset / "config.json").read_text())["metadata"]
    return known | {"task": task_named(known["task"])}


@pytest.mark.parametrize("kind", [ActivityMetadata, AutoencoderMetadata, TrigramMetadata])
def test_the_published_schema_has_every_key(kind):
    known = {field.name for field in fields(kind)} | {"task"}
    assert set(OF_TASK[kind.task]["properties"]) == known
    assert known - set(OF_TASK[kind.task]["required"]) <= {"prior", "threshold", "other", "parents"}
    streaming = OF_TASK["activity"]["properties"]["streaming"]
    assert [*streaming["required"], "groups"] == [field.name for field in fields(Streaming)]
    assert set(streaming["properties"]) == {*streaming["required"], "groups", "threshold", "smoothing"}
    assert streaming["properties"]["groups"]["items"]["required"] == [field.name for field in fields(Group)]


@pytest.mark.parametrize("name", preset_names())
def test_the_metadata_of_every_preset_fit_the_schema(name):
    jsonschema.validate(document(name), SCHEMA)
    known = Metadata.from_json(document(name), name)
    assert (known.preset, known.task) == (name, document(name)["task"])


PRESETS = {"activity": "activity_gru_course", "patches": "sparse_autoencoder_course", "text": "trigram_lm_course_8_64"}
FILE = PRESETS_FOLDER / "activity_gru_course" / "model.float32.tflite"
STREAMING = {"restart": 150, "copies": 3, "warmup": 75, "margin": 0.1}

CHANGES = [
    ("activity", "preset", ["", 3, None, "two\nlines", "x" * 201], ["mine", "x" * 200, "\u00fc \u8d70"]),
    ("activity", "source", [3, None, "x" * 1001], ["", "two\nlines"]),
    ("activity", "simulated", [0, "true", None], [True, False]),
    ("activity", "classes", [[], ["a", "a"], ["a", ""], "ab", ["a", 1], None, ["a\nb"]], [[*reversed(CLASSES)]]),
    ("activity", "rate", [0, -1, 100_001, float("nan"), "50", True, None, []], [0.1, 50, 100.5]),
    ("activity", "window", [0, 1.5, True, 1_000_001, 10**25, "150", None], [1, 1_000_000]),
    ("activity", "states", [{"h_1": 0}, {"h_1": "32"}, {"h_1": 10**12}, [], None], [{}, {"h_1": 32}]),
    ("activity", "mean", [[1e7] * 3, ["1"] * 3, 0.0, [float("nan")] * 3, None, [None] * 3], [[], [0, -1.5, 1]]),
    ("activity", "variance", [[0] * 3, [-1.0] * 3, ["1"] * 3, None], [[], [1e-9] * 3]),
    ("activity", "unit", ["g", 1, "", None], ["m/s^2"]),
    ("activity", "axes", [[], ["x", "y"], ["x", "y", "y"], ["z", "y", "x"], "xyz", None], [[*AXES], [*INERTIAL]]),
    ("activity", "temperature", [0, -1, 1e7, "2", None], [1e-6, 2]),
    ("activity", "split_by", ["people", "", None], ["subject", "window", "not stated"]),
    ("activity", "threshold", [-0.1, 1.1, "0.5"], [0, 0.5, 1]),
    ("activity", "prior", [[0.0] + [0.2] * 5, [2] * 6], [[], [0.5] + [0.1] * 5]),
    ("activity", "train_subjects", [[1], [""], "1", None], [[], ["1", "1"]]),
    ("activity", "streaming", [STREAMING | {"copies": copies} for copies in (0, 101)], [STREAMING | {"groups": []}]),
    ("activity", "streaming", [STREAMING | {"margin": 2}], [STREAMING | {"threshold": 0.7, "smoothing": 0.5}]),
    ("patches", "scale", [[1.0, 2.0], [1.0] * 4, [1e7, 0, 0]], [[1, -0.5, 0.5]]),
    ("patches", "held_out", [["a", "a"], [3]], [[], ["a"]]),
    ("patches", "sparsity_target", [-0.1, 1.5], [0, 0.04]),
    ("text", "words", [[], ["a", "a"], [1]], [["a", "b"]]),
    ("text", "context", [0, 2.5], [3]),
]  # fmt: skip


@pytest.mark.parametrize(("task", "key", "bad", "good"), CHANGES)
def test_a_value_is_read_where_it_fits_the_schema_and_else_named(task, key, bad, good):
    validator = jsonschema.Draft202012Validator(OF_TASK[task])
    # What depends on the number of labels or channels, or on the length of windows, is left out.
    free = {"mean": [], "variance": [], "prior": [], "frame": 1} if task == "activity" else {}
    known = document(PRESETS[task]) | free
    for value in good:
        assert validator.is_valid(known | {key: value}), value
        assert Metadata.from_json(known | {key: value}, "a.tflite").task == task
    for value in bad:
        # JSON has no NaN, so its schema does not refuse it.
        assert value != value or "nan" in repr(value) or not validator.is_valid(known | {key: value}), value
        says = rf"^a\.tflite: metadata: '{key}.*export it again"
        refused(says, Metadata.from_json, known | {key: value}, "a.tflite")


def test_a_missing_key_is_named_and_an_unknown_one_left_alone():
    known = document("activity_gru_course")
    assert Metadata.from_json(known | {"color": "green"}, "a.tflite")
    lacking = {key: known[key] for key in known.keys() - {"rate", "window"}}
    refused(r"a\.tflite: metadata: lacks rate, window: export it again", Metadata.from_json, lacking, "a.tflite")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"prior": (0.5, 0.5)}, r"'prior' has shape \(2,\); expected \(6,\)"),
        ({"mean": (0.0, 9.8)}, r"'mean' has shape \(2,\); expected \(3,\)"),
        ({"frame": 200}, "'frame', 'window' are 200, 150; expected a frame no longer than the window"),
    ],
)
def test_what_does_not_fit_together_is_refused_where_a_file_is_opened(changes, said, tmp_path, simulated, zoo_cli):
    file = shutil.copyfile(FILE, tmp_path / "a.tflite")
    embed(file, replace(extract(file), **changes))
    refused(rf"a\.tflite: metadata: {said}: export it again", Recognizer, file)
    status, out, err = zoo_cli("evaluate", file, "--data", simulated)
    assert (status, out, len(err.splitlines())) == (1, "", 1)
    assert re.search(said, err)


def test_a_file_without_signatures_gets_no_metadata(tmp_path):
    model, file = flatbuffer_utils.read_model(str(FILE)), tmp_path / "a.tflite"
    model.signatureDefs = []
    flatbuffer_utils.write_model(model, str(file))
    refused(r"a\.tflite: has no signatures", embed, file, extract(FILE))
