"""All results in one place: rendered from the presets' numbers, and listed on the terminal."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from zoo import catalog
from zoo.catalog import PRESETS_FOLDER
from zoo.errors import ZooError
from zoo.files import read_json
from zoo.presets import PRESETS
from zoo.report import results


def test_the_page_and_the_file_of_results_are_the_rendering_of_the_numbers():
    # After a change: python saved_models/make.py none
    assert (PRESETS_FOLDER / "README.md").read_text(encoding="utf-8") == results.results_page()
    assert (PRESETS_FOLDER / "results.csv").read_text(encoding="utf-8") == results.as_csv()


@pytest.mark.parametrize(
    ("page", "cards"),
    [("README.md", "saved_models/"), ("docs/index.md", "../saved_models/"), ("docs/results.md", "../saved_models/")],
)
def test_the_table_of_presets_of_a_page_is_the_rendering_of_the_numbers(page, cards):
    text = (Path(__file__).parents[1] / page).read_text(encoding="utf-8")
    shown = [row for row in results.presets() if f"[{row['preset']}]" in text.partition("<!-- presets -->")[2]]
    assert len(shown) >= 3
    assert f"<!-- presets -->\n\n{results.preset_table(shown, cards)}\n\n<!-- end -->" in text


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


def test_the_page_names_every_preset_and_every_file():
    page = results.results_page()
    for name in PRESETS:
        (row,) = [line for line in page.splitlines() if line.startswith(f"| [{name}]({name}/card.md) |")]
        assert "| - |" not in row
        for record in read_json(PRESETS_FOLDER / name / "metrics.json")["artifacts"]:
            assert f"| {name} | {record['file']} | {record['bytes'] / 1000:.1f} |" in page


def test_rows_are_chosen_by_family_and_sorted():
    recognizers = results.presets(["activity"], "score")
    scores = [row["score"] for row in recognizers]
    assert len(scores) == 7
    assert scores == sorted(scores, reverse=True)
    losses = [row["score"] for row in results.presets(["trigram_lm"], "score")]
    assert losses == sorted(losses)
    files = [row["bytes"] for row in results.artifacts(["sparse_autoencoder", "trigram_lm"], "bytes")]
    assert files == sorted(files)
    assert [row["preset"] for row in results.presets()] == list(PRESETS)


def test_what_was_not_measured_comes_last(tmp_path, monkeypatch):
    shutil.copytree(PRESETS_FOLDER / "activity_gru_course", tmp_path / "activity_gru_course")
    monkeypatch.setattr(catalog, "PRESETS_FOLDER", tmp_path)
    rows = results.presets(["activity_gru"], "score")
    assert [row["preset"] for row in rows] == [
        "activity_gru_course", "activity_gru_tiny", "activity_gru_pocket", "activity_gru_phone"
    ]  # fmt: skip
    assert rows[1]["measured"] is None


def test_a_strange_family_or_order_is_one_line():
    with pytest.raises(ZooError, match="unknown family 'lstm': did you mean activity_lstm"):
        results.presets(["lstm"])
    with pytest.raises(ZooError, match="sort 'size': expected name, parameters, bytes, milliseconds, score"):
        results.presets(sort="size")


def test_list_prints_presets_and_their_files(zoo_cli):
    status, out, _ = zoo_cli("list", "--family", "activity_gru", "--sort", "parameters")
    assert status == 0
    assert [line.split(" | ")[0] for line in out.splitlines()[2:4]] == [
        "| activity_gru_tiny",
        "| activity_gru_course",
    ]
    status, out, _ = zoo_cli("list", "--artifacts", "--family", "trigram_lm", "--sort", "bytes", "--json")
    rows = json.loads(out)
    assert (status, rows[0]["file"], rows[-1]["preset"]) == (0, "model.dynamic.tflite", "trigram_lm_best")
    status, out, err = zoo_cli("list", "--family", "gpt")
    assert (status, out) == (1, "")
    assert "unknown family 'gpt': known are activity_rnn" in err
