"""Templates: values are escaped, nothing undefined is shown, and lines may be broken anywhere."""

import pytest
from jinja2 import UndefinedError

from zoo.report.markdown import Pages

STREAM = dict.fromkeys(
    ("accuracy", "settled_accuracy", "coverage", "hours", "delay_median", "delay_p95", "false_alarms_per_hour",
     "window_accuracy"), 0.5,
)  # fmt: skip
SCORE = {"windows": 2, "accuracy": 0.5, "macro_f1": 0.25}


def test_values_are_escaped_and_what_is_missing_is_an_error():
    pages = Pages("activity/report.md.j2")
    table = pages.macro("studies")({"per_study": {"": SCORE, "a|b": SCORE, "*": {**SCORE, "macro_f1": None}}})
    assert table.splitlines()[2:] == [
        "| none | 2 | 0.500 | 0.250 |", r"| a\|b | 2 | 0.500 | 0.250 |", r"| \* | 2 | 0.500 | - |"
    ]  # fmt: skip
    with pytest.raises(UndefinedError, match="windows"):
        pages.macro("studies")({"per_study": {"a": {"accuracy": 0.5}}})


def test_recordings_and_activities_in_turn_are_a_row_each():
    pages = Pages("activity/report.md.j2")
    events = {"true": 5, "deleted": 1, "fragmented": 2, "merged": 0, "inserted": 3}
    report = {"recordings": STREAM, "spliced": {**STREAM, "accuracy_by_time": [0.5, 0.25], "events": events},
              "subjects": ["1", "2"], "simulated": True}  # fmt: skip
    page = pages.macro("streaming")(report)
    assert "Streamed recordings of subjects 1, 2. SIMULATED data.\n" in page
    assert [line.partition(" | ")[0] for line in page.splitlines() if line.startswith("| ")][2:] == [
        "| each recording", "| activities in turn"
    ]  # fmt: skip
    assert "5 events of the activities in turn: 1 deleted" in page
    assert page.endswith("of the stream: 0.500, 0.250.")
    assert "no activities in turn" in pages.macro("streaming")({**report, "spliced": None})
