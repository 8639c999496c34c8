"""Documents as Markdown: each task has the same functions, and what is not known is a dash, not an error."""

import pytest

from zoo.activity import report
from zoo.catalog import preset_metrics
from zoo.report import for_task, markdown, results
from zoo.search import report as search_report

TASKS = {"activity": "activity_gru_course", "patches": "sparse_autoencoder_best", "text": "trigram_lm_best"}


@pytest.mark.parametrize("task", TASKS)
def test_an_evaluation_without_baselines_and_a_training_without_validation_are_shown(task):
    metrics = preset_metrics(TASKS[task])
    test = {key: value for key, value in metrics["test"].items() if key not in ("baselines", "robustness")}
    page = for_task(task).evaluation({**test, "simulated": True, "notes": ["a note"]})
    assert "SIMULATED" in page
    assert "> warning: a note" in page
    assert all(for_task(task).headline(test))
    training = for_task(task).training({**metrics["training"], "validation": None})
    assert f"{metrics['training']['parameters']:,} parameters, " in training


def test_a_leaderboard_has_no_column_in_which_all_rows_are_the_same_but_the_score():
    rows = [(name, {"macro_f1": 0.5, "parameters": 100, "bytes": size}) for name, size in (("a", 1000), ("b", 2000))]
    keys = ("macro_f1", "parameters", "bytes")
    assert markdown.columns(rows, keys).splitlines()[0] == "|  | macro-F1 | parameters | kB |"
    assert markdown.columns(rows, keys, constant=False).splitlines()[0] == "|  | macro-F1 | kB |"
    assert markdown.columns(rows[:1], keys, constant=False) == markdown.columns(rows[:1], keys)


def test_predictions_are_a_row_a_window():
    row = {"window": 0, "time": None, "label": "a|b", "probability": 0.5, "probabilities": {"a|b": 0.5}}
    assert for_task("activity").predictions([{**row, "true": "c"}]).splitlines() == [
        "| window | label | true | probability |", "| --- | --- | --- | ---: |", r"| 0 | a\|b | c | 50.0% |",
    ]  # fmt: skip
    assert for_task("activity").predictions([{**row, "time": 1.5}]).splitlines()[2] == r"| 1.500 | a\|b | 50.0% |"
    assert for_task("activity").predictions([]) == ""


def test_a_language_model_shows_whatever_was_asked_for():
    show = for_task("text").predictions
    answers = [{"word": word, "probability": share} for word, share in (("way", 0.5), ("`", 0.25), ("|", 0.125))]
    assert show({"context": ["in", "the", "right"], "next": answers}).splitlines() == [
        "in the right ...", "", "| word | probability |", "| --- | ---: |", "| `way` | 50.00% |",
        "| `` ` `` | 25.00% |", r"| `\|` | 12.50% |",
    ]  # fmt: skip
    assert show({"text": "in the right way .", "added": ["way", "."]}) == "in the right way ."
    assert "| `she` | 0.875 |" in show({"word": "he", "nearest": [{"word": "she", "cosine": 0.875}]})
    page = show([
        {"context": ["in", "the", "right"], "wanted": "way", "next": answers},
        {"context": ["in", "the", "left"], "wanted": "hand", "next": answers},
    ])  # fmt: skip
    assert "| **way** 50.0% | way 50.0% |" in page
    assert "| in the right (way) | in the left (hand) |" in page


def test_a_cross_validation_names_methods_and_people():
    result = preset_metrics("activity_gru_tiny")["test"]
    result["baselines"]["random_forest"]["difference"] = {
        "macro_f1": 0.25, "interval": [0.125, 0.5], "people": 3, "of": 4,
    }  # fmt: skip
    page = report.cross_validation({**result, "command": "zoo crossval"})
    for name, row in ({result["preset"]: result} | result["baselines"]).items():
        assert f"{row['macro_f1']:.3f}" in page
        assert markdown.label(name) in page or name in page
    assert all(f"\n| {name} | " in page for name in result["per_subject"])
    assert "minus random forest: +25.0 points" in page
    assert "$ zoo crossval" in page
    assert "left out one study at a time" in report.cross_validation({**result, "split_by": "study"})


def test_what_confuses_up_with_down_scores_one_where_stairs_are_one_class():
    classes = ["downstairs", "upstairs", "walking"]
    mixed = {"classes": classes, "confusion": [[3, 1, 0], [2, 2, 0], [0, 0, 4]], "macro_f1": 0.5}
    walks = {"classes": classes, "confusion": [[0, 0, 4], [0, 0, 4], [0, 0, 4]], "macro_f1": 0.5}
    others = {"classes": ["walking"], "confusion": [[4]], "macro_f1": 0.5}
    # Of eight walks, two are taken for other movements, whose own windows do not count.
    more = {"classes": [*classes, "other"], "confusion": [[4, 0, 0, 0], [0, 4, 0, 0], [0, 0, 6, 2], [0, 0, 7, 1]]}
    rows = [("a", mixed), ("b", walks), ("c", others), ("d", {"macro_f1": 0.5}), ("e", more)]
    scores = {"downstairs": 1, "upstairs": 1, "walking": 0.5, "other": 0}
    more |= {"other": {"recall": 1 / 8}, "per_class": {name: {"f1": f1} for name, f1 in scores.items()}}
    assert [row["all_classes"] for _, row in report.with_summaries(rows)] == [None, None, None, None, 0.625]
    found = [row["stairs_as_one"] for _, row in report.with_summaries(rows)]
    assert found == [1.0, (0 + 8 / 16) / 2, None, None, pytest.approx((1 + 12 / 14) / 2)]


def test_recordings_and_activities_in_turn_are_a_row_each():
    scores = ("accuracy", "settled_accuracy", "coverage", "hours", "delay_median", "window_accuracy")
    row = dict.fromkeys((*scores, "false_alarms_per_hour"), 0.5) | {
        "changes": 0, "missed": 0, "delay_p95": None, "accuracy_interval": None, "by_person": {"1": 0.25, "a|b": 0.75},
    }  # fmt: skip
    events = {"true": 5, "deleted": 1, "fragmented": 2, "merged": 0, "inserted": 3}
    late = {"changes": 4, "missed": 1, "delay_median": 2.5, "delay_p95": None}
    turns = row | late | {
        "accuracy_by_time": [0.5, 0.25], "events": events, "accuracy_interval": [0.25, 0.75],
        "delays": {"sit": {"walk": late}, "walk": {"lie|down": late | {"delay_median": None}}},
    }  # fmt: skip
    streams = {"recordings": row, "spliced": turns, "subjects": ["1", "a|b"], "simulated": True}
    page = report.streaming(streams)
    assert "Streamed recordings of subjects 1, a\\|b. SIMULATED data.\n" in page
    assert "\n| each recording | 0.50 | 0.500 | 0.500 | 0.500 | 0.500 | - | - | - | 0.5 |" in page
    assert "\n| activities in turn | 0.50 | 0.500 | 0.500 | 0.500 | 0.500 | 1 of 4 | 2.5 | never | 0.5 |" in page
    assert "By row, each recording, of each person: 1 0.250, a\\|b 0.750." in page
    assert "By row, activities in turn: 0.500 (95% interval over people 0.250 to 0.750)." in page
    assert "\n| sit | - | 2.5 |\n| walk | never | - |" in page
    assert "5 events of the activities in turn: 1 deleted" in page
    assert page.endswith("of the stream: 0.500, 0.250.")
    assert "no activities in turn" in report.streaming({**streams, "spliced": None})


def test_a_search_shows_every_seed_and_the_test_score():
    found = {
        "task": "text", "objective": "cross_entropy", "chosen": 3, "training": {"parameters": 5000},
        "finals": [{"trial": 3, "score": 2.25, "mean": 2.5, "deviation": None, "scores": [2.25, 2.75],
                    "values": {"hidden_units": 64, "learning_rate": 0.00123}}],
        "test": {"cross_entropy": 2.5, "top1": 0.25, "simulated": True}, "report": "search/report.md", "model": "best",
        "default_score": 2.75,
    }  # fmt: skip
    page = search_report.result(found)
    assert "| **3** | 2.2500 | 2.5000 | - | 2.2500, 2.7500 |" in page
    assert "hidden_units 64, learning_rate 0.00123" in page
    assert "**cross-entropy 2.500, top-1 25.00%** on SIMULATED data" in page


def test_costs_name_each_signature_and_why_a_file_fails():
    cost = {"median_ms": 0.25, "p99_ms": 0.5, "multiply_adds": 12345, "activation_bytes": 678}
    rows = [
        {"file": "a/model.tflite", "bytes": 1234, "load_ms": 0.5, "process_mb": 48.4, "signatures": {"step": cost}},
        {"file": "a/Keras's own export", "bytes": 999, "error": "needs Flex"},
        {"file": "b/export/model.tflite", "bytes": 10}, {"file": "c/export/model.tflite", "bytes": 20},
    ]  # fmt: skip
    page = results.costs(rows)
    assert [line for line in page.splitlines() if line.startswith("#")] == ["## a", "## b/export", "## c/export"]
    assert "## a\n\n| file | kB | load ms | MB |" in page
    assert "| model.tflite | 1.2 | 0.5 | 48 |" in page
    assert "| model.tflite | step | 0.250 | 0.500 | 12,345 | 678 |" in page
    assert "> Keras's own export fails: needs Flex" in page


@pytest.mark.parametrize(("rows", "said"), [(0, "."), (9, ", compared with Keras on 9 rows of R&D.")])
def test_rows_on_which_files_were_compared_are_counted_if_there_are_any(rows, said):
    record = {"file": "c99", "format": "c99", "bytes": 1, "milliseconds": None, "timed": None, "rows": rows}
    page = results.exported({"folder": "out", "compared_on": "R&D", "artifacts": [record]}, ())
    assert page.startswith(f"**Artifacts in out**{said}\n\n| file | kB |")


def test_a_document_is_shown_whole_and_small_numbers_keep_their_digits():
    page = markdown.document({"recipe": {"weight_decay": 5e-4, "loss": None}, "a": {"b": {"c": 0.0004}}, "f": True})
    assert "| **recipe** | weight_decay 0.0005, loss - |" in page
    assert "| **a.b** | c 0.0004 |" in page
    assert "| **f** | yes |" in page
