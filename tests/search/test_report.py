"""What a search leaves: a report with figures, and a folder that trains again."""

import io
import json
import re
import shlex
from contextlib import nullcontext
from itertools import combinations

import numpy as np
import pytest
from rich.console import Console
from running import refused

from zoo import Model, Recipe, SparseAutoencoder
from zoo.search import report
from zoo.search.run import search

from .conftest import SETTINGS, Search

pytestmark = pytest.mark.usefixtures("uncompiled")

NAMES = ("progress", "parallel", "pareto")
"""Figures of a search."""


@pytest.fixture(scope="module")
def ended(leaves, tmp_path_factory):
    """A search of six trials to its end: its folder, its result, and what it showed."""
    patches = Search(leaves, tmp_path_factory.mktemp("ended") / "out")
    patches.copy, console = patches.folder.parent / "mine", Console(file=io.StringIO(), width=200)
    free = {name: value for name, value in SETTINGS.items() if name != "schedule"}
    patches.last = patches.study(trials=6, epochs=3, settings=free)
    options = {"best": 2, "seeds": 2, "preset": patches.copy, "logged": lambda path: nullcontext(console)}
    patches.result = search(patches.last, patches.folder, **options)
    patches.shown = console.file.getvalue()
    assert search(patches.last, patches.folder, **options) == patches.result
    return patches


def test_the_best_are_trained_again_with_other_seeds_and_test_is_measured_once(ended):
    finals, result = ended.records("finals"), ended.result
    assert len({(record["trial"], record["recipe"]["seed"]) for record in finals}) == 4
    assert not {record["recipe"]["seed"] for record in finals} & {r["recipe"]["seed"] for r in ended.records()}
    for final in result["finals"]:
        assert final["scores"] == [record["score"] for record in finals if record["trial"] == final["trial"]]
        assert final["mean"] == pytest.approx(np.mean(final["scores"]))
        assert final["deviation"] == pytest.approx(np.std(final["scores"], ddof=1))
    assert result["finals"][0]["mean"] <= result["finals"][1]["mean"]
    assert result["chosen"] == result["finals"][0]["trial"]
    assert result["test"]["simulated"] is True
    assert json.loads((ended.folder / "result.json").read_text()).items() <= result.items()


def test_the_saved_preset_is_a_model_that_is_measured_like_any_other(ended):
    model = Model.from_preset(ended.copy)
    assert isinstance(model, SparseAutoencoder)
    assert model.count_params() == ended.result["training"]["parameters"]
    config = json.loads((ended.copy / "config.json").read_text())
    assert config["recipe"]["seed"] == ended.result["seed"]


def test_the_report_shows_the_result_and_its_command_trains_again(ended, leaves, zoo_json, tmp_path, monkeypatch):
    page = (ended.folder / "report.md").read_text()
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", page)
    assert {"progress.png", "parallel.png", "pareto.png"} == set(pictures)
    assert all((ended.folder / name).stat().st_size > 5000 for name in pictures)
    assert "SIMULATED" in page
    assert f"| **{ended.result['chosen']}** |" in page
    (command,) = re.findall(r"^zoo (train .*)$", page, re.MULTILINE)
    words = shlex.split(command)
    words[words.index("--data") + 1] = str(leaves)
    monkeypatch.chdir(tmp_path)
    assert zoo_json(*words)["parameters"] == ended.result["training"]["parameters"]
    # And the row is Python.
    (row,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    found = eval(f"dict({row})", {"Recipe": Recipe})  # the report's own text
    assert found["family"] == "sparse_autoencoder"
    kept, same = (
        json.loads((path / "config.json").read_text())["recipe"] for path in (ended.folder / "best", tmp_path / "model")
    )
    seed = {"seed": None}
    assert kept | seed == same | seed == found["recipe"].to_json() | seed


def test_the_leaderboard_has_no_column_in_which_all_trials_are_the_same(ended):
    page = (ended.folder / "report.md").read_text()
    table = page.partition("on validation.\n\n")[2].partition("\n\n")[0]
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines())
    columns = dict(zip(head, zip(*rows, strict=True), strict=True))
    assert len(rows) > 2
    assert [name for name, cells in columns.items() if name != "score" and len(set(cells)) == 1] == []


def test_values_of_parallel_coordinates_do_not_collide():
    values = [0.1, 0.11, 0.12, 0.5, 0.52]
    trials = [{"trial": n, "score": n / 10, "values": {"dropout": value}} for n, value in enumerate(values)]
    figure = report.parallel(trials, ["dropout"], "macro_f1")
    figure.canvas.draw()
    texts = figure.axes[0].texts
    assert {"0.1", "0.5"} < {text.get_text() for text in texts}
    boxes = [text.get_window_extent() for text in texts]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))


def test_figures_of_a_search_say_model_and_data_and_names_of_any_length_do_not_collide():
    random = np.random.default_rng(0)
    choices = {
        "a_setting_with_a_rather_long_name": range(1, 2000), "recurrent_dropout_probability": np.linspace(0, 0.5, 50),
        "augmentation": ["none", "spins", "slow_soft_copies_of_walking", "turns_and_scales"], "layers": [1, 2, 3],
    }  # fmt: skip
    trials = [
        {"trial": n, "status": "scored", "score": random.uniform(), "parameters": int(10 ** random.uniform(3, 5.3)),
         "values": {name: random.choice(values).tolist() for name, values in choices.items()}}
        for n in range(120)
    ]  # fmt: skip
    facts = {"model": "my_networks.py:separable", "data": "folder/ours.h5", "split": "validation", "simulated": True}
    figures = [
        report.progress(trials, "macro_f1", True, facts), report.parallel(trials, [*choices], "macro_f1", facts),
        report.pareto(trials, "macro_f1", True, None, facts),
    ]  # fmt: skip
    for figure in figures:
        assert figure.get_suptitle() == "my_networks.py:separable: 120 trials\nSIMULATED, ours.h5, validation"
        figure.canvas.draw()
        axis = figure.axes[0]
        texts = [text for text in [*axis.texts, *axis.get_xticklabels()] if text.get_text()]
        inside = axis.get_window_extent()
        boxes = [box for box in (text.get_window_extent() for text in texts) if inside.x0 - 40 < box.x0 < inside.x1]
        assert len(boxes) >= 2
        assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))


def test_figures_of_a_search_have_the_format_that_is_asked_for(leaves, zoo_cli, tmp_path):
    settings = [f"--set={name}={value}" for name, value in SETTINGS.items()]
    command = ["tune", "sparse_autoencoder", "--data", leaves, "--strategy", "random", "--trials", 3, "--epochs", 1]
    command += ["--best", 1, "--seeds", 1, "--out", tmp_path / "search", *settings]
    drawn = tmp_path / "drawn"
    for form, start in (("svg", b"<?xml"), ("pdf", b"%PDF")):
        status, _, err = zoo_cli(*command, "--figures", drawn, "--figure-format", form)
        assert status == 0, err
        assert f"figures in {drawn}" in err
        assert all((drawn / f"{name}.{form}").read_bytes().startswith(start) for name in NAMES)
    assert {path.suffix for path in drawn.iterdir()} == {".svg", ".pdf"}
    status, _, err = zoo_cli(*command, "--figures", drawn, "--figure-format", "bmp")
    assert status
    assert err.count("\n") == 1
    assert all(word in err for word in ("--figure-format", "bmp", "svg"))
    _, _, err = zoo_cli(*command, "--figure-format", "svg")
    assert "applies with --figures FOLDER alone" in err


def test_the_result_says_whether_it_beats_the_default_and_where_the_model_was_copied(ended):
    large = {"default_score": None, "default_reason": "51,075 bytes; the limit is 30,000"}
    for changes, words in (
        ({}, "mine"),
        ({"chosen": 0}, "nothing better"),
        ({"chosen": 3, "default_score": 0.25}, "0.2500 in the search): the search found something better"),
        ({"chosen": 3, **large}, "51,075 bytes; the limit is 30,000. The search cannot say whether"),
    ):
        assert words in report.result(ended.result | changes)


def test_each_trial_and_each_epoch_of_the_chosen_model_is_shown(ended):
    lines = ended.shown.splitlines()
    trials = [place for place, line in enumerate(lines) if line.startswith("trial ")]
    assert len(trials) == 6 + 4
    assert all(re.search(r"\d+ of \d+ done", lines[place]) for place in trials)
    assert any("best" in lines[place] and "left" in lines[place] for place in trials)
    assert [line.split("  ")[0] for line in lines[trials[-1] + 1 :]] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]


@pytest.mark.parametrize("more", ["trials", "best", "seeds"])
def test_a_search_that_has_ended_takes_no_more_trials_and_finals(ended, more):
    asked = {"trials": 6, "best": 2, "seeds": 2}
    says = f"{more} is {asked[more] + 1}, and the search ended with {asked[more]}: its model was measured on test data"
    trials, best, seeds = (asked | {more: asked[more] + 1}).values()
    study = ended.study(trials=trials, epochs=3, settings=dict(ended.last.settings))
    refused(says, search, study, ended.folder, best=best, seeds=seeds)


def test_the_front_has_what_nothing_beats_in_both():
    costs, gains = np.random.default_rng(1).uniform(size=(2, 50))
    front = report.pareto_front(costs, gains)
    for place in range(50):
        beaten = ((costs <= costs[place]) & (gains > gains[place])) | ((costs < costs[place]) & (gains >= gains[place]))
        assert (place in front) == (not beaten.any())


def test_figures_of_a_search_show_every_trial_at_round_ticks():
    records = [
        {"trial": number, "status": "scored", "score": score, "parameters": cost, "bytes": 20 * cost,
         "values": {"units": 3, "noise": number % 3, "cell": "gru"}}
        for number, (score, cost) in enumerate([(0.65, 1335), (0.6, 7880), (0.55, 13350), (0.1, 78806)])
    ]  # fmt: skip
    for figure in (report.progress(records, "macro_f1", True), report.pareto(records, "macro_f1", True)):
        low, high = figure.axes[0].get_ylim()
        assert low < 0.1 < 0.65 < high
    ticks = [int(label.get_text().replace(",", "")) for label in figure.axes[0].get_xticklabels()]
    shown = [tick for tick in ticks if 1335 <= tick <= 78806]
    assert 2 <= len(shown) <= 5
    assert all(str(tick)[0] in "125" and not str(tick)[1:].strip("0") for tick in shown)
