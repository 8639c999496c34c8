"""What a search leaves: a report with figures, logs for TensorBoard, and a folder that trains again."""

import io
import json
import re
import shlex
import sys

import numpy as np
import pytest
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from zoo import Model, SparseAutoencoder
from zoo.cli import main
from zoo.report import markdown
from zoo.search import finals, summary
from zoo.search.figures import parallel, pareto, pareto_front, progress
from zoo.search.importance import importance
from zoo.search.run import run_search
from zoo.search.study import Study

SETTINGS = {
    "pixels": 64, "batch_size": 512, "hidden_units": 16, "sparsity_target": 0.05, "sparsity_weight": 1.0,
    "weight_decay": 1e-4, "optimizer": "adam",
}  # fmt: skip

pytestmark = pytest.mark.usefixtures("uncompiled")


@pytest.fixture(scope="module")
def ended(leaves, tmp_path_factory):
    """A search of sixteen trials to its end: its folder, its result, and what it showed."""
    folder, console = tmp_path_factory.mktemp("ended"), Console(file=io.StringIO(), width=200)
    study = Study("sparse_autoencoder", leaves, "random", 16, 3, settings=SETTINGS)
    result = run_search(study, folder / "out", best=2, seeds=2, preset=folder / "mine", console=console)
    finals.save_preset(folder / "out", folder / "mine")
    return folder, result, console.file.getvalue()


def test_the_best_are_trained_again_with_other_seeds_and_test_is_measured_once(ended):
    folder, result, _ = ended
    assert [len(final["scores"]) for final in result["finals"]] == [2, 2]
    means = [final["mean"] for final in result["finals"]]
    assert means == sorted(means)
    assert result["chosen"] == result["finals"][0]["trial"]
    assert result["finals"][0]["deviation"] == pytest.approx(np.std(result["finals"][0]["scores"], ddof=1))
    assert result["test"]["simulated"] is True
    assert json.loads((folder / "out" / "result.json").read_text()).items() <= result.items()


def test_the_saved_preset_is_a_model_that_is_measured_like_any_other(ended):
    folder, result, _ = ended
    model = Model.from_preset(folder / "mine")
    assert isinstance(model, SparseAutoencoder)
    assert model.count_params() == result["training"]["parameters"]
    config = json.loads((folder / "mine" / "config.json").read_text())
    assert config["recipe"]["seed"] == result["seed"]


def test_the_report_shows_the_result_and_its_command_trains_again(ended, leaves, monkeypatch, capsys):
    folder, result, _ = ended
    page = (folder / "out" / "report.md").read_text()
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", page)
    assert {"progress.png", "parallel.png", "pareto.png", "importance.png"} == set(pictures)
    assert all((folder / "out" / name).stat().st_size > 5000 for name in pictures)
    assert "SIMULATED" in page
    assert f"| **{result['chosen']} (chosen)** |" in page
    (command,) = re.findall(r"^ {4}zoo (train .*)$", page, re.MULTILINE)
    words = shlex.split(command)
    words[words.index("--data") + 1] = str(leaves)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["zoo", *words, "--json"])
    with pytest.raises(SystemExit) as end:
        main()
    printed = capsys.readouterr()
    assert not end.value.code, printed.err
    assert json.loads(printed.out)["parameters"] == result["training"]["parameters"]
    kept, same = (json.loads((folder / name / "config.json").read_text()) for name in ("out/best", "model"))
    seed = {"seed": None}
    assert kept["recipe"] | seed == same["recipe"] | seed


def test_the_result_says_whether_it_beats_the_default_and_where_the_model_was_copied(ended):
    folder, result, _ = ended
    shown = summary.result(result)
    assert f"Copy of the model: {markdown.escape(folder / 'mine')}." in shown
    assert summary.against_default(result) in shown
    assert summary.against_default(result) in (folder / "out" / "report.md").read_text()
    assert "nothing better" in summary.against_default(result | {"chosen": 0})
    better = summary.against_default(result | {"chosen": 3, "default_score": 0.25})
    assert better == "Trial 0 has the default values (cost 0.2500 in the search): the search found something better."
    assert "(not scored)" in summary.against_default(result | {"chosen": 3, "default_score": None})


def test_the_row_in_the_report_is_python(ended):
    page = (ended[0] / "out" / "report.md").read_text()
    (row,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    from zoo import Recipe

    found = eval(f"dict({row})", {"Recipe": Recipe})  # the report's own text
    assert found["family"] == "sparse_autoencoder"
    assert isinstance(found["recipe"], Recipe)


def test_tensorboard_reads_values_and_curves_of_every_trial(ended):
    folders = sorted((ended[0] / "out" / "logs").iterdir())
    assert len(folders) >= 16
    events = EventAccumulator(str(folders[0]))
    events.Reload()
    assert "_hparams_/session_start_info" in events.summary_metadata
    assert {"loss", "cost"} <= set(events.Tags()["tensors"]) | set(events.Tags()["scalars"])


def test_each_trial_is_shown_with_the_best_so_far_and_the_time_left(ended):
    lines = [line for line in ended[2].splitlines() if line.startswith("trial ")]
    assert len(lines) >= 16
    assert all(re.search(r"\d+ of \d+ done", line) for line in lines)
    assert any("best" in line and "left" in line for line in lines)


def test_the_training_of_the_chosen_model_is_shown_epoch_by_epoch(ended):
    lines = ended[2].splitlines()
    last = max(place for place, line in enumerate(lines) if line.startswith("trial "))
    assert [line.split("  ")[0] for line in lines[last + 1 :]] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]


def record(number, units, score, status="scored"):
    return {
        "trial": number, "status": status, "score": score if status == "scored" else None, "rungs": {"1": score},
        "values": {"units": units, "noise": number % 3, "cell": "gru"},
    }  # fmt: skip


def test_what_decides_the_score_is_the_most_important():
    random = np.random.default_rng(0)
    units = random.integers(1, 50, 60).tolist()
    records = [
        record(i, u, u / 50 + random.normal(0, 0.01), "scored" if u > 20 else "stopped") for i, u in enumerate(units)
    ]
    found = importance(records, maximize=True)
    assert list(found["parameters"]) == ["units", "noise"]
    assert found["parameters"]["units"]["mean"] > 10 * found["parameters"]["noise"]["mean"]
    assert found["explained"] > 0.9
    assert importance(records[:5], maximize=True)["parameters"] == {}


def test_the_front_has_what_nothing_beats_in_both():
    costs, gains = np.random.default_rng(1).uniform(size=(2, 50))
    front = pareto_front(costs, gains)
    for place in range(50):
        beaten = ((costs <= costs[place]) & (gains > gains[place])) | ((costs < costs[place]) & (gains >= gains[place]))
        assert (place in front) == (not beaten.any())


def test_parallel_coordinates_are_drawn_where_a_value_is_not_used():
    records = [record(0, 3, 0.9), record(1, 4, 0.8), record(2, 5, 0.7, "stopped")]
    records[1]["values"].pop("units")
    figure = parallel(records, ["units", "cell"], "macro_f1")
    assert len(figure.axes[0].lines) == 3 + 3


def test_figures_of_a_search_show_every_trial_at_round_ticks():
    costs = [1335, 7880, 13350, 78806]
    records = [record(i, 3, score) | {"parameters": cost, "bytes": 20 * cost}
               for i, (score, cost) in enumerate(zip((0.65, 0.6, 0.55, 0.1), costs, strict=True))]  # fmt: skip
    for figure in (progress(records, "macro_f1", True), pareto(records, "macro_f1", True)):
        low, high = figure.axes[0].get_ylim()
        assert low < 0.1 < 0.65 < high
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["2,000", "10,000", "50,000"]


def test_a_search_that_has_ended_takes_no_more_trials(ended, leaves):
    study = Study("sparse_autoencoder", leaves, "random", 17, 3, settings=SETTINGS)
    with pytest.raises(Exception, match="ended after 16 trials, and its model was measured on test data"):
        run_search(study, ended[0] / "out")
