"""Each option of each command with nonsense of its type: the walk over the commands finds new ones by itself."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from running import parameters_of

from zoo.cli import COMMANDS

pytestmark = pytest.mark.hostile

NUMBERS = {
    int: ["", "abc", "1.5", "nan", "1e3", "1_000", "\uff11\uff12", "-1", "-10000000000", "1" + "0" * 30, "0x10", "1 2"],
    float: ["", "abc", "nan", "inf", "-inf", "-1", "1e400", "1_0.5", "\uff11", "1,5", "-1e300", "0x1p3"],
}
"""Values that no option of the type accepts."""

WORDS = ["", " ", "no such", "\N{COLLISION SYMBOL}", "x" * 300, "[red]no[/red]:x:", "a\nb\x1b[31m", "\udcff"]
"""Values that no option accepts that expects one of several words."""

FREE = {
    ("predict", "text"), ("data import csv", "subject"), ("data import csv", "activity"), ("data import csv", "study"),
    ("evaluate", "subjects"),
    ("list", "family"),
}  # fmt: skip
"""Options that are any text, or whose refusals are tested with their area."""

SOUND = {
    "list": [],
    "info": ["{recognizer}"],
    "train": ["activity_gru_course", "--data", "{windows}", "--out", "{out}"],
    "finetune": ["{recognizer}", "--data", "{windows}", "--out", "{out}"],
    "crossval": ["activity_gru_course", "--data", "{windows}", "--out", "{out}"],
    "benchmark": ["activity_gru_course", "--data", "{windows}", "--out", "{out}"],
    "evaluate": ["{recognizer}", "--data", "{windows}"],
    "predict": ["{recognizer}", "--csv", "{csv}/ann/walk.csv"],
    "export": ["{recognizer}", "--data", "{windows}", "--to", "{out}"],
    "stream": ["{exported}"],
    "serve": ["{exported}"],
    "bench": ["{exported}"],
    "tune": ["activity_gru", "--data", "{windows}", "--out", "{out}"],
    "data windows": ["{recordings}", "--out", "{out}"],
    "data build": ["zoo_activity", "--from", "{recordings}", "--to", "{out}"],
    "data describe": ["{windows}"],
    "data import csv": ["{csv}", "--layout", "{{subject}}/{{activity}}.csv", "--out", "{out}"],
    "data import motionsense": ["{csv}", "--out", "{out}"],
    "data import wisdm": ["{csv}", "--out", "{out}"],
    "data import geotec": ["{csv}", "--out", "{out}"],
    "data import oxford-steps": ["{csv}", "--out", "{out}"],
    "data import selfback": ["{csv}", "--out", "{out}"],
    "data import dsads": ["{csv}", "--out", "{out}"],
    "data make patches": ["--out", "{out}"],
    "data make text": ["{csv}/ann/walk.csv", "--out", "{out}"],
    "data simulate activity": ["--out", "{out}"],
    "data simulate patches": ["--out", "{out}"],
    "data simulate text": ["--out", "{out}"],
}
"""Arguments with which each command starts its work, without the option under test."""

INSTEAD = {
    ("train", "model"): ["--data", "{windows}", "--out", "{out}"],
    ("crossval", "model"): ["--data", "{windows}", "--out", "{out}"],
    ("predict", "data"): ["{recognizer}"],
    ("predict", "neighbors"): ["{language_model}"],
    ("evaluate", "streaming"): ["{exported}"],
    ("stream", "csv"): ["{exported}"],
    ("stream", "simulate"): ["{exported}"],
    ("data import csv", "manifest"): ["--out", "{out}"],
    ("data make text", "text"): ["--out", "{out}"],
}
"""The same where another option stands in the way."""

OUTPUTS = {"out", "path", "to", "figures", "tensorboard", "save_preset", "collect"}
"""Options that name what is written; `test_disks.py` has their cases, and `tests/serving/test_collecting.py`."""


FILES = OUTPUTS | {
    "csv", "data", "data_dir", "file", "files", "manifest", "photographs", "recordings", "source", "streaming", "text",
}  # fmt: skip
"""Parameters that name files and folders."""


def parameters() -> Iterator[tuple[str, str, str, bool, type]]:
    """The command, name, option, whether it is an argument, and type of each parameter with a value."""
    for words in SOUND:
        for argument in parameters_of(words):
            group, _, name = argument.field_info.name.rpartition("__")
            kind = next((kind for kind in (int, float, str) if kind in _flat(argument.hint)), None)
            # A recipe is the same for all commands.
            if kind is not None and (group != "recipe" or words == "train"):
                place = argument.index is not None
                option = argument.name.lower() if place else argument.name
                yield words, name, option, place, Path if name in FILES else kind


def _flat(hint: Any) -> list[Any]:
    inner = get_args(hint)
    return [each for part in inner for each in _flat(part)] if inner else [hint]


PARAMETERS = list(parameters())


def test_every_command_with_options_is_walked():
    # For `push` a hub must answer: see tests/test_hub.py. `check` and `label` have tests of their own.
    assert set(COMMANDS) - set(SOUND) == {"check", "doctor", "label", "push"}


def walked(rows):
    """One test for each case: command, name, option, whether it is an argument, and what is passed."""
    cases = [pytest.param(row, id=f"{row[0]} {row[2]}={row[4][:20]!a}") for row in rows]
    return pytest.mark.parametrize("case", cases)


@pytest.fixture
def arguments(materials, tmp_path):
    def make(case, value=None):
        words, name, option, is_argument, known = case
        places = {**materials._asdict(), "out": tmp_path / "new" / "out"}
        sound = [each.format(**places) for each in INSTEAD.get((words, name), SOUND[words])]
        if option in sound:
            del sound[sound.index(option) : sound.index(option) + 2]
        if is_argument:
            sound = sound[1:] if sound and not sound[0].startswith("--") else sound
            return [*words.split(), *sound, "--", value or known]
        return [*words.split(), *sound, f"{option}={value or known}"]

    return make


@walked([(*row[:4], value) for row in PARAMETERS for value in NUMBERS.get(row[4], ())])
def test_a_number_that_is_none_is_refused(case, arguments, refused):
    line = refused(arguments(case))
    assert case[2] in line or case[2].strip("-").replace("-", "_") in line


LARGE = [
    ("train", "activity_gru_course", ["units", "num_layers", "frame"]),
    ("train", "trigram_lm_course", ["hidden_units", "embedding"]),
    ("train", "sparse_autoencoder", ["hidden_units", "pixels"]),
]
LARGE_CASES = [(*row[:2], name, size) for row in LARGE for name in row[2] for size in (10**9, 10**15)]
OF_PRESET = {"activity": "windows", "trigram": "trigrams", "sparse": "patches"}


@pytest.mark.parametrize(("words", "preset", "name", "size"), LARGE_CASES)
def test_a_size_beyond_memory_is_refused_with_the_limit(words, preset, name, size, materials, tmp_path, refused):
    data = getattr(materials, OF_PRESET[preset.partition("_")[0]])
    line = refused([words, preset, "--data", data, "--out", tmp_path / "out", "--set", f"{name}={size}"], "at most")
    assert line.removeprefix("zoo: --").replace("-", "_").removeprefix("zoo: ").startswith(f"{name} is {size}")


NUMERIC = (
    "epochs", "batch_size", "learning_rate", "seed", "patience", "validation", "units", "dropout", "ema_decay",
)  # fmt: skip
SETTINGS = [
    *((name, value) for name in NUMERIC
      for value in ("[]", "{}", "true", '"text"', "text", "NaN", "Infinity", "-1", "1e400", "")),
    *((name, value) for name in ("optimizer", "augment", "class_weights", "no_such_setting", "", "__class__")
      for value in ("7", "[]", "true", '{"a": 1}', "no such")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), SETTINGS)
def test_a_setting_of_another_kind_is_refused(name, value, materials, tmp_path, refused):
    options = ["--data", materials.windows, "--out", tmp_path / "out", "--set", f"{name}={value}"]
    assert name in refused(["train", "activity_gru_course", *options]).replace("-", "_")


@walked([(*row[:4], value) for row in PARAMETERS if row[4] is str and row[:2] not in FREE for value in WORDS])
def test_a_word_that_is_unknown_is_refused(case, arguments, refused):
    assert refused(arguments(case)).isprintable()


BAD_FILES = {
    "missing": lambda folder: folder / "missing",
    "a folder": lambda folder: folder / "folder",
    "a FIFO": lambda folder: folder / "fifo",
    "a device": lambda folder: Path("/dev/null"),
    "an endless device": lambda folder: Path("/dev/zero"),
    "noise": lambda folder: folder / "noise",
    "nothing": lambda folder: folder / "nothing",
    "a link to nowhere": lambda folder: folder / "dangling",
    "a link to itself": lambda folder: folder / "loop",
    "a long name": lambda folder: folder / ("n" * 300),
    "below a file": lambda folder: folder / "noise" / "file",
    "not UTF-8": lambda folder: folder / "bytes\udcff",
    "markup": lambda folder: folder / "[red]x:x:",
}
INPUTS = [
    (*row[:4], kind)
    for row in PARAMETERS
    if (row[4] is Path and row[1] not in OUTPUTS | {"data_dir"}) or row[:2] in {("stream", "csv")}
    for kind in BAD_FILES
    # A stream may come from a FIFO or a device.
    if row[:2] != ("stream", "csv") or kind not in ("a FIFO", "an endless device")
]


@pytest.fixture
def bad_files(tmp_path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    for name in ("noise", "bytes\udcff", "[red]x:x:"):
        (tmp_path / name).write_bytes(bytes(range(256)) * 8)
    (tmp_path / "nothing").write_bytes(b"")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    return tmp_path


@pytest.mark.timeout(60, func_only=True)
@walked(INPUTS)
def test_an_input_that_is_no_such_file_is_named(case, arguments, bad_files, refused):
    path = BAD_FILES[case[4]](bad_files)
    line = refused(arguments(case, str(path)))
    assert path.name.encode("utf-8", "backslashreplace").decode()[:100] in line
