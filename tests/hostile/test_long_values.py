"""Messages name what was passed, and show at most 80 characters of it."""

import numpy as np
import pytest
from running import message

import zoo

LONG = {
    "an array": np.arange(1000.0), "a list": list(range(1000)), "a text": "walking " * 700,
    "values by name": {str(number): number for number in range(1000)}, "a list of texts": ["walking"] * 700,
}  # fmt: skip
X, Y = np.zeros((4, 50, 3), np.float32), ["sit", "run", "run", "sit"]
CALLS = {
    "a recipe": lambda value: zoo.Recipe(epochs=value),
    "a field of a recipe": lambda value: zoo.train("activity_gru", (X, Y), recipe={"optimizer": value}),
    "a field in the wrong place": lambda value: zoo.train("activity_gru", (X, Y), epochs=value),
    "units": lambda value: zoo.ActivityGRU(units=value),
    "a name": lambda value: zoo.ActivityGRU(name=value),
    "classes": lambda value: zoo.ActivityGRU(classes=value),
    "an activation": lambda value: zoo.TrigramLM(vocabulary=5, activation=value),
    "a rate": lambda value: zoo.load_data((X, Y), rate=value),
    "a unit": lambda value: zoo.load_data((X, Y), rate=50, unit=value),
    "names of classes": lambda value: zoo.load_data((X, Y), rate=50, classes=value),
    "a task": lambda value: zoo.simulate(value, "data.h5"),
    "a family": lambda value: zoo.list_presets(value),
    "a preset": lambda value: zoo.Model.from_preset(value),
    "a seed": lambda value: zoo.simulate("text", "data2.h5", seed=value),
}


@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize("call", CALLS)
def test_a_message_shows_at_most_80_characters_of_a_value(call, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(message(lambda: CALLS[call](LONG[name]))) < 500


@pytest.mark.parametrize("call", ["units", "a rate", "a seed", "classes"])
def test_a_number_that_python_does_not_print_is_refused(call):
    assert "more digits than Python prints" in message(lambda: CALLS[call](10**5000))
