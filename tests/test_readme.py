"""README works: its Python blocks run, its files are there; pages with numbers have those that were measured."""

import importlib
import json
import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
SPEED = (ROOT / "docs" / "speed.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_console_block_is_the_quick_start_which_a_test_of_the_docs_runs():
    quick_start = (Path(__file__).parents[1] / "docs" / "index.md").read_text()
    shown = re.findall(r"^zoo .*$", quick_start.replace("\\\n", " "), re.MULTILINE)
    (block,) = blocks("console")
    told = [line.removeprefix("$ ") for line in block.splitlines()]
    assert [shlex.split(line) for line in told] == [shlex.split(line) for line in shown]


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_every_file_that_a_page_links_to_is_there(page):
    root = Path(__file__).parents[1]
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)|src=\"([^\"]+)\"", (root / page).read_text())
    files = [first or second for first, second in targets if not re.match("https?:", first or second)]
    assert files
    assert [file for file in files if not (root / file).exists()] == []


def test_the_python_blocks_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    programs = blocks("python")
    assert len(programs) == 2
    for program in programs:
        exec(compile(program, "README.md", "exec"), {"__name__": "__main__"})


def test_the_options_that_readme_names_exist(zoo_cli):
    named = re.findall(r"(zoo(?: \w+)+)[^`\n]*?(--[a-z-]+)", README)
    assert named
    for command, option in named:
        assert option in zoo_cli(*command.split()[1:], "--help").out, f"{command} {option}"


def test_the_speeds_of_recognizers_are_those_that_were_measured():
    folder = Path(__file__).parents[1] / "benchmarks"
    reading, training = (json.loads((folder / f"{name}.json").read_text()) for name in ("reading", "training"))
    line = f"{reading['windows_a_second']['zoo']:,} windows per second, {reading['ratio']} times"
    assert line in " ".join(SPEED.split())
    for network in ("activity_rnn_course", "activity_lstm_course", "activity_gru_course"):
        numbers = [n for n in training[network]["microseconds_a_window"].values() if n is not None]
        assert any(all(str(n) in line for n in numbers) for line in SPEED.splitlines())


def test_the_speeds_of_the_other_families_are_those_that_were_measured():
    folder, text = Path(__file__).parents[1] / "benchmarks", " ".join(SPEED.split())
    language, autoencoder = (json.loads((folder / f"{name}.json").read_text()) for name in ("language", "autoencoder"))
    zoo, plain = language["seconds_an_epoch"].values()
    assert f"takes {zoo} s; with Keras defaults it takes {plain} s, {language['times_as_fast']} times as long" in text
    least, greatest = language["least_and_greatest"]
    assert f"({least} to {greatest} in {language['turns']} rounds)" in text
    zoo, by_hand = autoencoder["seconds"].values()
    assert f"autoencoder take {zoo} s. The same arithmetic in handwritten NumPy takes {by_hand} s" in text
    for measured in (language, autoencoder):
        assert f"from two cores ({measured['versions']['machine']})" in text


def test_the_table_of_the_roofline_is_what_was_measured_and_its_operations_are_those_of_the_formula(monkeypatch):
    folder = Path(__file__).parents[1] / "benchmarks"
    measured = json.loads((folder / "roofline.json").read_text())
    monkeypatch.syspath_prepend(folder)
    roofline = importlib.import_module("roofline")
    assert roofline.table(measured).rstrip() in SPEED
    assert {name: row["flops_a_row"] for name, row in measured["trainings"].items()} == roofline.OPERATIONS
    assert f"multiplied at {measured['peak_gigaflops']} Gflop/s on one core" in " ".join(SPEED.split())


def test_the_speed_of_searches_is_what_was_measured():
    measured = json.loads((Path(__file__).parents[1] / "benchmarks" / "searching.json").read_text())
    trials, epochs, hourly = (measured[key] for key in ("trials", "epochs", "trials_an_hour"))
    line = f"({trials} trials of at most {epochs} epochs) ran {hourly['zoo']} trials per hour with two workers, "
    line += f"{measured['times_as_fast']} times as many as plain keras-tuner"
    assert measured["workers"] == {"zoo": 2, "keras_tuner": 1}
    assert line in " ".join(SPEED.split())
    times = measured["times_as_fast_by_processor_time"]
    assert f"Per second of processor time, it ran {times} times as many" in " ".join(SPEED.split())
