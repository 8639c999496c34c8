"""The schema of the metadata: published, and met by every preset."""

import json
from pathlib import Path

import pytest

from zoo.catalog import PRESETS_FOLDER, preset_names
from zoo.families import task_named
from zoo.runtime.schema import json_schema, task_schema, violation

PUBLISHED = Path(__file__).parents[2] / "docs" / "metadata.schema.json"


def test_the_published_schema_is_the_one_that_is_checked():
    assert json.loads(PUBLISHED.read_text()) == json_schema()


@pytest.mark.parametrize("name", preset_names())
def test_the_metadata_of_every_preset_fit_the_schema(name):
    document = json.loads((PRESETS_FOLDER / name / "config.json").read_text())["metadata"]
    document["task"] = task_named(document["task"])
    assert violation(document, task_schema(document["task"])) == ""


@pytest.mark.parametrize(
    ("schema", "value", "words"),
    [
        ({"type": "integer", "minimum": 1}, True, "'x' is true; expected a whole number"),
        ({"type": "integer", "minimum": 1}, 1.5, "'x' is 1.5; expected a whole number"),
        ({"type": "number", "minimum": 0, "maximum": 1}, float("nan"), "'x' is NaN; expected 0 or more"),
        ({"enum": ["g"]}, "m/s^2", "'x' is \"m/s^2\"; expected \"g\""),
        ({"type": "array", "items": {"type": "boolean"}}, [True, 1], "'x[1]' is 1; expected true or false"),
        ({"type": "array", "items": {"type": "integer"}, "uniqueItems": True}, [1, 1], "expected different entries"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_named(schema, value, words):
    assert words in violation({"x": value}, {"type": "object", "properties": {"x": schema}})
