"""All results in one place: rendered from the presets' numbers, and listed on the terminal."""

import csv
import json
import shutil

import listing
import pytest
from running import ROOT

from zoo import catalog
from zoo.catalog import PRESETS_FOLDER
from zoo.files import read_json
from zoo.presets import PRESETS
from zoo.report import results


def test_the_page_and_the_file_of_results_are_the_rendering_of_the_numbers():
    # After a change: python saved_models/make.py none
    assert (PRESETS_FOLDER / "README.md").read_text(encoding="utf-8") == listing.results_page()
    assert (PRESETS_FOLDER / "results.csv").read_text(encoding="utf-8") == listing.as_csv()


def test_the_tables_of_the_page_of_results_are_the_rendering_of_the_numbers():
    text = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    table = results.preset_table(results.presets(), "../saved_models/")
    assert f"<!-- presets -->\n\n{table}\n\n<!-- end -->" in text


def test_presets_are_grouped_by_task_the_best_first_and_none_is_bold_without_an_interval_of_its_difference():
    activity, patches, text = results.sections(results.presets())
    assert [part["title"] for part in (activity, patches, text)] == [
        "Activity recognizers", "Sparse autoencoders", "Language models",
    ]  # fmt: skip
    scores = [row["score"] for row in activity["rows"]]
    assert scores == sorted(scores, reverse=True)
    scores = [row["score"] for row in text["rows"]]
    assert scores == sorted(scores)
    table = results.preset_table(results.presets())
    assert all(f"| {row['preset']} | {row['score']:.3f} |" in table for row in text["rows"])


@pytest.mark.parametrize(("difference", "bold"), [
    (None, False), ({"interval": [0.001, 0.05]}, True), ({"interval": [-0.001, 0.05]}, False),
])  # fmt: skip
def test_a_recognizer_is_bold_where_the_interval_of_its_difference_from_the_baseline_is_above_zero(difference, bold):
    rows = [row | {"difference": difference} for row in results.presets(["activity_gru"]) if row["interval"]]
    assert rows
    table = results.preset_table(rows)
    assert all((f"| {row['preset']} | **{row['score']:.3f}** |" in table) == bold for row in rows)


def test_the_file_holds_every_file_of_every_preset_with_every_number():
    with (PRESETS_FOLDER / "results.csv").open(encoding="utf-8") as file:
        rows = {(row["preset"], row["file"]): row for row in csv.DictReader(file)}
    for name in PRESETS:
        metrics = read_json(PRESETS_FOLDER / name / "metrics.json")
        assert [file for preset, file in rows if preset == name] == [row["file"] for row in metrics["artifacts"]]
        for record in metrics["artifacts"]:
            row = rows[name, record["file"]]
            assert {key: row[key] for key in record} == {key: "" if v is None else str(v) for key, v in record.items()}
            assert {key: float(row[f"test.{key}"]) for key in results.numbers(metrics["test"])} == results.numbers(
                metrics["test"]
            )


def test_a_preset_that_was_not_measured_is_listed_without_numbers(tmp_path, monkeypatch):
    shutil.copytree(PRESETS_FOLDER / "activity_gru_course", tmp_path / "activity_gru_course")
    monkeypatch.setattr(catalog, "PRESETS_FOLDER", tmp_path)
    rows = {row["preset"]: row for row in results.presets(["activity_gru"])}
    assert rows["activity_gru_course"]["measured"]
    assert rows["activity_gru_tiny"]["measured"] is None
    assert "| activity_gru_tiny | - | - | - | - | - | - |" in results.preset_table(list(rows.values()))


def test_list_prints_presets_and_refuses_a_strange_family(zoo_cli):
    status, out, _ = zoo_cli("list", "--family", "activity_gru")
    assert status == 0
    assert sum(line.startswith("| activity_gru_") for line in out.splitlines()) == 4
    status, out, _ = zoo_cli("list", "--family", "trigram_lm", "--json")
    files = [record["file"] for record in json.loads(out)[0]["artifacts"]]
    assert "model.dynamic.tflite" in files
    status, out, err = zoo_cli("list", "--family", "lstm")
    assert (status, out) == (1, "")
    assert "unknown family 'lstm': did you mean activity_lstm" in err
