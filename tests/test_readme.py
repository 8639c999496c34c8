"""README works: its Python blocks run, its files are there; pages with numbers have those that were measured."""

import importlib
import json
import os
import re
import shlex
import subprocess

import pytest
from PIL import Image, ImageSequence
from running import ROOT

from zoo.activity.report import with_summaries
from zoo.catalog import preset_metrics
from zoo.report import results

README = (ROOT / "README.md").read_text()
SPEED = (ROOT / "docs" / "speed.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_console_block_is_the_quick_start_which_a_test_of_the_docs_runs():
    quick_start = (ROOT / "docs" / "index.md").read_text()
    shown = re.findall(r"^zoo .*$", quick_start.replace("\\\n", " "), re.MULTILINE)
    (block,) = blocks("console")
    told = [line.removeprefix("$ ") for line in block.splitlines()]
    assert [shlex.split(line) for line in told] == [shlex.split(line) for line in shown]


def test_readme_is_short():
    assert len(README.splitlines()) < 120


@pytest.mark.parametrize("page", ["README.md", "docs/index.md"])
def test_the_numbers_of_the_three_presets_are_those_that_were_measured(page):
    text = " ".join((ROOT / page).read_text().split())
    presets = {row["preset"]: row for row in results.presets()}
    for name in ("activity_gru_phone", "sparse_autoencoder_best", "trigram_lm_best"):
        row = presets[name]
        told = text.partition(f"[{name}](")[2][:400]
        form = ".5f" if row["kind"] == "patches" else ".3f"
        assert re.search(rf" {row['score']:{form}}[ ;]", told)
        assert f"has {row['baseline_score']:{form}}" in told or f", {row['baseline_score']:{form}}" in told
    assert f"{presets['activity_gru_phone']['bytes'] / 1000:.1f} kB" in text
    test = preset_metrics("trigram_lm_best")["test"]
    seen, rival = (row["seen"]["cross_entropy"] for row in (test, test["baselines"]["kneser_ney"]))
    share = f"{100 * test['seen']['rows'] / test['rows']:.0f}%"
    assert f"{share} of test rows" in text
    assert f"({rival:.3f} against {seen:.3f})" in text


def test_the_moving_picture_is_of_eight_seconds_and_small_and_readme_says_what_it_shows():
    file = ROOT / "docs" / "assets" / "teaching.gif"
    with Image.open(file) as picture:
        assert sum(frame.info["duration"] for frame in ImageSequence.Iterator(picture)) == 8000
        before, now = re.search(r"before (.+), now (.+)\.", picture.info["comment"].decode()).groups()
    assert file.stat().st_size < 500_000
    assert README.index("zoo stream") < README.index("teaching.gif")
    told = re.search(r'teaching\.gif"[^>]* alt="([^"]*)"', README)[1]
    assert all(part in told for part in ("simulated", f"before, {before}", f"now, {now}"))


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_every_file_that_a_page_links_to_is_there(page):
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)|src=\"([^\"]+)\"", (ROOT / page).read_text())
    files = [first or second for first, second in targets if not re.match("https?:", first or second)]
    assert files
    assert [file for file in files if not (ROOT / file).exists()] == []


@pytest.mark.parametrize("active", [False, True])
def test_the_demo_runs_in_the_active_environment_and_makes_one_where_there_is_none(active, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "zoo").touch()
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "CONDA_PREFIX")}
    # As in a fresh clone.
    command = ["make", "-n", "demo", "VENV=nowhere", *([f"VIRTUAL_ENV={tmp_path}"] if active else [])]
    lines = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    assert ("-m venv nowhere" in lines) != active
    assert f"{tmp_path / 'bin' if active else 'nowhere/bin'}/zoo train" in lines


def test_the_python_blocks_run_and_print_the_shapes_that_they_say(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    programs = blocks("python")
    assert len(programs) == 3
    for program, count in zip(programs, (1, 1, 0), strict=True):
        exec(compile(program, "README.md", "exec"), {"__name__": "__main__"})
        shapes = re.findall(r"print\(.*\)  # .*?(\([\d, ]+\))$", program, re.MULTILINE)
        assert len(shapes) == count
        assert {*shapes} <= {*capsys.readouterr().out.splitlines()}


def measured(name):
    return json.loads((ROOT / "benchmarks" / f"{name}.json").read_text())


def test_the_external_test_is_what_was_measured():
    selfback, dsads = (measured("external")["studies"][name] for name in ("selfBACK", "DSADS"))
    text = " ".join((ROOT / "docs/method.md").read_text().split())
    low, high = selfback["windows"]["macro_f1_interval"]
    score = f"macro-F1 {selfback['windows']['macro_f1']:.3f} ({low:.3f} to {high:.3f}) and, of the 8 people of DSADS,"
    assert f"on whom nothing had been chosen: {score} {dsads['windows']['macro_f1']:.3f}" in text
    right, also = (study["streams"]["settled"]["right"] for study in (selfback, dsads))
    low, high = (100 * bound for bound in right["interval"])
    assert f"{right['share']:.1%} ({low:.1f} to {high:.1f}) and {also['share']:.1%} are right" in text
    wrong = [study["streams"]["settled"]["walking_as_stairs"]["share"] for study in (selfback, dsads)]
    assert f"and {wrong[0]:.1%} and {wrong[1]:.1%} of the walking is shown as stairs" in text
    assert selfback["people"] + dsads["people"] == 41


@pytest.mark.parametrize("page", ["README.md", "docs/index.md"])
def test_the_scores_of_the_recommended_recognizer_are_those_that_were_measured(page):
    text, metrics = " ".join((ROOT / page).read_text().split()), preset_metrics("activity_gru_phone")
    found = metrics["test"]
    (_, test), (_, forest) = with_summaries([("", found), ("", found["baselines"]["random_forest"])])
    low, high = test["macro_f1_interval"]
    assert f"acro-F1 {test['macro_f1']:.3f} " in text
    assert f"(95% interval over people {low:.3f} to {high:.3f})" in text
    least, most = (f"{100 * end:.1f}" for end in forest["difference"]["interval"])
    points = f"{100 * forest['difference']['macro_f1']:.1f} points ({least} to {most}), maybe by chance"
    assert f"a random forest has {forest['macro_f1']:.3f}. Trained again, the network leads by {points}" in text
    assert forest["difference"]["interval"][0] < 0
    stairs, others = (f"{test[key]:.3f} to {forest[key]:.3f}" for key in ("stairs_as_one", "all_classes"))
    assert re.search(
        rf"With the stairs as one class, it is {stairs}; if windows of other .* {others}: the forest", text
    )
    seeds = [row["studies"]["macro_f1"] for row in metrics["by_seed"]]
    low, high = metrics["studies"]["macro_f1_interval"]
    left_out = f"{metrics['studies']['macro_f1']:.3f} ({low:.3f} to {high:.3f})"
    assert f"left out: {left_out}; with three seeds, {min(seeds):.3f} to {max(seeds):.3f}" in text


def test_the_speeds_are_those_that_were_measured():
    text, reading, training = " ".join(SPEED.split()), measured("reading"), measured("training")
    assert f"{reading['windows_a_second']['zoo']:,} windows per second, {reading['ratio']} times" in text
    for network in ("activity_rnn_course", "activity_lstm_course", "activity_gru_course"):
        numbers = [n for n in training[network]["microseconds_a_window"].values() if n is not None]
        assert any(all(str(n) in line for n in numbers) for line in SPEED.splitlines())
    language, autoencoder, search = measured("language"), measured("autoencoder"), measured("searching")
    zoo, plain = language["seconds_an_epoch"].values()
    assert f"takes {zoo} s; with Keras defaults it takes {plain} s, {language['times_as_fast']} times as long" in text
    least, greatest = language["least_and_greatest"]
    assert f"({least} to {greatest} in {language['turns']} rounds)" in text
    zoo, by_hand = autoencoder["seconds"].values()
    assert f"autoencoder take {zoo} s. The same arithmetic in handwritten NumPy takes {by_hand} s" in text
    for found in (language, autoencoder):
        assert f"from two cores ({found['versions']['machine']})" in text
    assert search["workers"] == {"zoo": 2, "keras_tuner": 1}
    assert (
        f"({search['trials']} {search['strategy']} trials of {search['epochs']} epochs) ran "
        f"{search['trials_an_hour']['zoo']} "
        f"trials per hour with two workers, {search['times_as_fast']} times as many as plain keras-tuner"
    ) in text
    assert f"Per second of processor time, it ran {search['times_as_fast_by_processor_time']} times as many" in text


def test_the_table_of_the_roofline_is_what_was_measured_and_its_operations_are_those_of_the_formula(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    roofline, found = importlib.import_module("roofline"), measured("roofline")
    assert roofline.table(found).rstrip() in SPEED
    assert {name: row["flops_a_row"] for name, row in found["trainings"].items()} == roofline.OPERATIONS
    assert f"multiplied at {found['peak_gigaflops']} Gflop/s on one core" in " ".join(SPEED.split())


def test_the_first_stream_is_right_and_takes_less_than_half_a_minute(zoo_cli):
    first = re.search(r"zoo (stream .* --simulate (\S+)) --speed (\d+)", README)
    activities = first[2].split(",")
    assert len(activities) > 2
    assert 10 * len(activities) / int(first[3]) < 15
    status, printed, _ = zoo_cli(*first[1].split(), "--speed", "0")
    assert status == 0
    right, of, late = re.search(r"(\d+) of (\d+) moments right .* recognized after (.*)", printed).groups()
    assert right == of
    assert len(late.split(", ")) == len(activities) - 1
    assert "never" not in late
