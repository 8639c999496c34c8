"""The command line as its user sees it."""

import inspect
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import keras
import numpy as np
import pytest
from running import parameters_of, python

import zoo
from zoo import __version__
from zoo.catalog import PRESETS_FOLDER
from zoo.cli import COMMANDS
from zoo.recipe import Columns
from zoo.runtime.metadata import Streaming, embed, extract

SAMPLES = "--rate --x --y --z --channels --time --unit --convention --rotation-unit --time-unit"
OPTIONS = {
    "list": "--family",
    "info": "",
    "train": "--data --data-dir --out --model --units --num-layers --frame --dropout --hidden-units --epochs "
    "--batch-size --learning-rate --patience --seed --set --levels --resume --deterministic --tensorboard",
    "finetune": "--data --out --epochs --learning-rate --seed --set --freeze",
    "crossval": "--data --data-dir --model --groups --seeds --baselines --everyone --epochs --set --workers --out",
    "evaluate": "--data --data-dir --split --baselines --no-baselines --robustness --prior --levels --figures "
    "--streaming --subjects --merge",
    "predict": f"--data --data-dir --csv {SAMPLES} --hop --threshold --top -k --generate --temperature --seed "
    "--neighbors --levels --out -o",
    "push": "--private",
    "export": "--to --formats --data --data-dir --levels --personalize --prior --threshold",
    "stream": f"--csv --simulate {SAMPLES} --every --seconds --speed --seed --threshold",
    "serve": "--host --port --collect --labels --cert",
    "bench": "",
    "tune": "--data --data-dir --strategy --trials --epochs --out --objective --space --set --max-parameters "
    "--max-bytes --max-latency --groups --seed --levels --best --seeds --save-preset --workers",
    "data windows": "--out -o --window --hop --rate --trim --subjects --not-subjects --test-subjects --test-fraction "
    "--seed --classes "
    "--merge --channels --same-people --different-people --force",
    "data build": "--from --to",
    "data describe": "--figures --data-dir",
    "data import motionsense": "--out -o --force",
    "data import wisdm": "--out -o --others --force",
    "data import geotec": "--out -o --force",
    "data import oxford-steps": "--out -o --force",
    "data import csv": f"--out -o --layout --manifest --subject --activity --study {SAMPLES} "
    "--gyroscope --gravity --append --same-people --skip-unreadable --dry-run --force",
    "data make patches": "--out -o --count --size --seed --force",
    "data make text": "--vocabulary --out -o --validation-rows --test-rows --force",
    "data simulate activity": "--out -o --subjects --seed --seconds --gyroscope --force",
    "data simulate patches": "--out -o --count --size --pictures --seed --force",
    "data simulate text": "--out -o --sentences --seed --force",
    "doctor": "--self-test --no-self-test",
}
"""Options of version 0.2 beside `--json`, by command, but for those that the changelog names."""


def imported(commands, unwanted):
    """Those of some modules that a process has imported after some commands, which must succeed."""
    code = "import sys\nfrom zoo.cli import main\n"
    code += f"for words in {commands}:\n    sys.argv[1:] = words\n"
    code += "    try: main()\n    except SystemExit as end: assert not end.code\n"
    code += f"print(*{unwanted} & set(sys.modules), file=sys.stderr)"
    run = python("-c", code)
    assert run.returncode == 0, run.stderr
    return run.stderr.split()


def test_the_package_imports_hardly_anything_of_python_itself():
    # What is pressed before the command line begins ends in a traceback, so that should take milliseconds.
    code = "import re, sys; before = set(sys.modules); import zoo; print(*set(sys.modules) - before)"
    run = python("-S", "-c", code, cwd=Path(zoo.__file__).parents[1])
    slow = {"tempfile", "random", "difflib", "inspect", "pathlib", "dataclasses", "importlib.resources"}
    assert run.returncode == 0, run.stderr
    assert not slow & set(run.stdout.split())


@pytest.mark.slow
def test_help_is_shown_without_numpy():
    pages = [[*words.split(), "--help"] for words in ("", *COMMANDS)]
    assert imported(pages, {"tensorflow", "keras", "h5py", "numpy", "pandas"}) == []


def test_presets_are_shown_without_tensorflow():
    assert imported([["list"], ["info", "activity_gru_course"], ["info", "trigram_lm_course"]], {"tensorflow"}) == []


BEFORE = [
    "train activity_gru_pocke", "train activity_gru --epochs 0", "finetune no_such_preset", "train trigram_lm",
    "train activity_gru --data no.h5", "evaluate no.tflite", "export activity_gru_pocket --data no.h5",
    "export activity_gru_pocket --to tests", "train activity_gru --out tests", "data describe no.h5",
    "finetune activity_gru_pocket --out tests", "crossval activity_gru --set validation=2", "tune activity_gr",
]  # fmt: skip


def test_what_is_not_there_or_out_of_range_is_answered_before_tensorflow_loads():
    code = "import sys\nfrom zoo.cli import main\n"
    code += f"for line in {BEFORE}:\n    sys.argv[1:] = line.split()\n    try: main()\n"
    code += "    except SystemExit as end: print(end.code, 'tensorflow' in sys.modules)"
    run = python("-c", code)
    answers = zip(BEFORE, run.stdout.splitlines(), run.stderr.splitlines(), strict=True)
    assert [line for line, out, err in answers if out != "1 False" or not err.startswith("zoo: ")] == []


@pytest.mark.parametrize("words", OPTIONS)
def test_every_option_of_version_0_2_is_there(words):
    names = {name for argument in parameters_of(words) for name in argument.names}
    assert {"--json", *OPTIONS[words].split()} <= names


def test_every_public_function_is_a_command_and_every_command_a_public_function():
    functions = {command.function for command in COMMANDS.values()}
    public = {getattr(zoo, name) for name in zoo.__all__ if inspect.isfunction(getattr(zoo, name))}
    assert public - functions == {zoo.adopt, zoo.load_data}
    assert functions <= public


def test_the_version_is_printed_alone(zoo_cli):
    assert zoo_cli("--version") == (0, f"pocket-zoo {__version__}\n", "")


@pytest.mark.parametrize(("line", "message"), [
    ("train --epoch 3", "--epoch"), ("train", "missing MODEL"), ("export", "missing MODEL"),
    ("tune activity_gru --strategy luck", "\"luck\" for --strategy. Choose from: \"random\""),
    ("train activity_gru --schedule cosine", "--schedule: is now --set schedule=VALUE; see"),
    ("crossval activity_gru --optimizer=sgd", "--optimizer: is now --set optimizer=VALUE; see"),
    ("crossval activity_gru --min-steps 200", "--min-steps: is now --set steps=VALUE; see"),
    ("finetune activity_gru_tiny --no-normalize", "--no-normalize: is now --set normalize=false; see"),
    ("data x", "unknown command"), ("data make patch", "did you mean patches?; see"),
    ("data simulate trigrams", "it is called text since version 0.3.0; see"),
    ("train activity_gru --epochs 1e3", "--epochs '1e3': expected a whole number"),
    ("train --model activity_gru --epochs 2 --set epochs=3", "--epochs"),
    ("finetune activity_gru_pocket --epochs 2 --set epochs=3", "--epochs"),
])  # fmt: skip
def test_what_no_command_could_accept_is_a_usage_error(line, message, zoo_cli):
    status, out, error = zoo_cli(*line.split())
    assert (status, out, error.count("\n")) == (2, "", 1)
    assert message in error


@pytest.mark.process
def test_a_process_prints_one_json_document_and_nothing_else(recognizer, simulated):
    run = python("-m", "zoo", "evaluate", recognizer, "--data", simulated, "--no-baselines", "--json")
    assert (run.returncode, run.stderr) == (0, "")
    assert json.loads(run.stdout)["simulated"] is True


@pytest.mark.slow
def test_evaluate_prints_one_json_document_with_its_keys_and_draws_its_figures(
    recognizer, simulated, tmp_path, zoo_cli
):
    options = ("--robustness", "--figures", tmp_path, "--json")
    report = json.loads(zoo_cli("evaluate", recognizer, "--data", simulated, *options).out)
    assert {
        "accuracy", "macro_f1", "confusion", "classes", "per_class", "per_subject", "ece", "windows", "baselines",
        "robustness",
    } <= set(report)  # fmt: skip
    assert report["simulated"] is True
    assert set(report["baselines"]) == {"majority_class", "random_forest"}
    assert np.sum(report["confusion"]) == report["windows"]
    # A single person is no bar chart.
    assert {path.name for path in tmp_path.iterdir()} == {"confusion.png", "reliability.png", "training.png"}


def test_an_exported_file_evaluates_as_its_model_does(recognizer, exported_recognizer, simulated, zoo_cli):
    # Integers may change more answers of a network with little training than a file may.
    formats = {path.name.split(".")[1] for path in exported_recognizer.glob("model.*.tflite")}
    assert {"float32", "float16"} <= formats <= {"float32", "float16", "dynamic", "int8", "int16x8"}
    assert (exported_recognizer / "saved_model").is_dir()
    files = (exported_recognizer / "model.keras", exported_recognizer / "model.float32.tflite")
    own, *exported = (
        json.loads(zoo_cli("evaluate", model, "--data", simulated, "--no-baselines", "--json").out)
        for model in (recognizer, *files)
    )
    assert [report["macro_f1"] for report in exported] == [own["macro_f1"]] * 2
    assert exported[1]["ece"]["after"] == pytest.approx(own["ece"]["after"], abs=1e-3)


def test_an_exported_file_predicts_streams_and_describes_itself(exported_recognizer, simulated, tmp_path, zoo_cli):
    file, integers = exported_recognizer / "model.float32.tflite", "activity_gru_pocket/model.int8.tflite"
    # A folder that holds integers alone is streamed as well.
    (tmp_path / "model.int8.tflite").write_bytes((PRESETS_FOLDER / integers).read_bytes())
    rows = json.loads(zoo_cli("predict", file, "--data", simulated, "--json").out)
    assert {"window", "time", "label", "probability", "probabilities", "true"} == set(rows[0])
    for given in (file, tmp_path):
        _, out, _ = zoo_cli("stream", given, "--simulate", "walking", "--seconds", 4, "--speed", 0)
        assert "really walking" in out
    assert json.loads(zoo_cli("info", file, "--json").out)["rate"] == 50.0


def test_words_of_a_text_need_no_quotes(zoo_cli):
    plain = zoo_cli("predict", "trigram_lm_course", "in", "the", "right", "--json")
    assert plain == zoo_cli("predict", "trigram_lm_course", "in the right", "--json")
    assert json.loads(plain.out)["context"] == ["in", "the", "right"]


def test_own_labels_cannot_be_simulated_and_the_message_names_them(tmp_path, zoo_cli):
    file = tmp_path / "mine.tflite"
    source = PRESETS_FOLDER / "activity_gru_course" / "model.float32.tflite"
    file.write_bytes(source.read_bytes())
    own = tuple(f"own {number}" for number in range(6))
    embed(file, replace(extract(source), classes=own, streaming=Streaming()))
    status, _, error = zoo_cli("stream", file, "--simulate", "walking")
    assert status == 1
    assert "recognizes own 0, own 1" in error
    assert "none of which can be simulated; stream recordings with --csv FILE" in error


def test_a_simulated_stream_prints_a_json_document_for_each_prediction(zoo_cli):
    arguments = ("--simulate", "walking,sitting", "--seconds", 4, "--speed", 0, "--json")
    status, out, _ = zoo_cli("stream", "activity_gru_pocket", *arguments)
    moments = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    expected = {"time", "label", "probability", "probabilities", "reason", "truth", "milliseconds"}
    assert set(moments[0]) == expected
    assert {moment["truth"] for moment in moments} == {"walking", "sitting"}


def test_an_unsure_stream_prints_one_line_and_not_one_for_each_prediction(tmp_path, zoo_cli):
    # A phone in free fall does nothing that the model knows; at most the changes are printed.
    rows = "\n".join(f"{i / 50:.2f},{3 * (-1) ** i},{2 * (-1) ** (i // 3)},0.5" for i in range(1000))
    (tmp_path / "odd.csv").write_text(f"time,x,y,z\n{rows}\n")
    arguments = ("stream", "activity_gru_pocket", "--csv", tmp_path / "odd.csv", "--unit", "m/s^2")
    labels = [line.split()[2] for line in zoo_cli(*arguments).out.splitlines()]
    assert len(labels) >= 1
    assert all(before != after for before, after in pairwise(labels))
    assert len(zoo_cli(*arguments, "--every").out.splitlines()) > 2 * len(labels)


def test_a_stream_of_times_since_1970_says_the_time_of_day_and_a_short_one_says_that_it_is(tmp_path, zoo_cli):
    begun = datetime(2026, 11, 26, 12, 30, 59).astimezone().timestamp()
    rows = [f"{begun + i / 50:.2f},0.1,0.2,9.8" for i in range(400)]
    (tmp_path / "still.csv").write_text("\n".join(["time,x,y,z", *rows]) + "\n")
    first = zoo_cli("stream", "activity_gru_pocket", "--csv", tmp_path / "still.csv").out.splitlines()[0]
    assert re.fullmatch(r"12:31:0\d\.\d\d  (not sure|\S+) +\d+%", first)
    (tmp_path / "short.csv").write_text("\n".join(["time,x,y,z", *rows[:40]]) + "\n")
    status, out, error = zoo_cli("stream", "activity_gru_pocket", "--csv", tmp_path / "short.csv")
    assert (status, out) == (0, "")
    assert error == "no prediction: the signal is too short; the model reads windows of 3 s\n"
    (tmp_path / "stuck.csv").write_text("\n".join(["time,x,y,z", *rows[:20], *rows[19:20] * 400]) + "\n")
    error = zoo_cli("stream", "activity_gru_pocket", "--csv", tmp_path / "stuck.csv").err
    assert "many time stamps repeat, go back or leap" in error
    assert error.endswith("left out: not later than the one before (400)\nno prediction\n")


@pytest.mark.parametrize(("line", "message"), [
    ("train activity_gru_course --resume --data DATA --out OUT", "no checkpoint.npz to resume"),
    ("predict MODEL", "pass one of --data FILE or --csv FILE"),
    ("predict MODEL --data DATA -k 5", "--top: does not apply to"),
    ("predict MODEL --data DATA --hop 5", "--hop: applies with --csv FILE alone; leave it out"),
    ("export MODEL --formats coreml --to OUT", "format 'coreml'"),
    ("export MODEL --levels 255 --to OUT", "--levels: applies with --data FILE alone"),
    ("export MODEL --levels 255 --data DATA --to OUT", "levels are for patches alone"),
    ("evaluate DATA --data DATA", "expected a .keras or .tflite file"),
    ("evaluate nothing --data DATA", "; a folder that `zoo train` wrote works, too"),
    ("predict activity_gru_phon", "did you mean activity_gru_phone? A folder that `zoo train` wrote works, too"),
    ("stream DATA.tflite --simulate walking", "no such file"),
    ("stream activity_gru_pocket --simulate cycling", "activity 'cycling': expected downstairs, jogging, "),
    ("evaluate MODEL --streaming DATA --robustness", "--robustness: does not apply with --streaming FILE"),
    ("evaluate MODEL --streaming DATA --split train", "--split: does not apply with --streaming FILE"),
    ("crossval activity_gru_course --data DATA --groups 40", "40 groups"),
    ("crossval activity_gru_curse --data DATA", "did you mean activity_gru_course"),
    ("crossval MODEL --data DATA", "to start from the weights of a model, use `zoo finetune"),
    ("crossval trigram_lm_course --data DATA", "has no people to hold out"),
    ("train --model SimpleRNN --out OUT", "unknown family 'SimpleRNN': did you mean activity_rnn?"),
    ("train --model GRU --out OUT", "did you mean activity_gru?"), ("train lstm", "did you mean activity_lstm?"),
    ("train --model CNN --out OUT", "did you mean activity_cnn?"),
    ("data make patches missing --out OUT", "no such file or folder; without one, the photographs that scikit-learn"),
])  # fmt: skip
def test_a_request_that_cannot_be_met_is_one_line(line, message, recognizer, simulated, tmp_path, zoo_cli):
    places = {"MODEL": recognizer, "DATA": simulated, "OUT": tmp_path / "out"}
    status, _, error = zoo_cli(*(places.get(word, word) for word in line.split()))
    assert status == 1
    assert message in error
    assert len(error.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("line", "status", "says"),
    [
        # As far as the file or the model that is missing: the options are understood.
        ("evaluate mine --streaming a.h5 --subjects 2 9", 1, "unknown preset or folder 'mine'"),
        ("data windows a.h5 --test-subjects=ann ben --not-subjects eve bob -o b.h5", 1, "zoo: a.h5: "),
        ("export activity_gru_tiny --to a --formats int8 wav", 1, "wav"),
        ("train activity_gru_pocket --epochs 2 3", 2, "zoo: unexpected 3; see `zoo train --help`"),
        ("doctor now", 2, "zoo: unexpected now; see `zoo doctor --help`"),
    ],
)
def test_spaces_separate_names_as_commas_do(line, status, says, zoo_cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found, _, error = zoo_cli(*line.split())
    assert (found, error.count("\n"), says in error) == (status, 1, True)


def test_ctrl_c_before_the_first_epoch_leaves_nothing(simulated, tmp_path, zoo_cli, monkeypatch):
    def interrupted(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(keras.Model, "fit", interrupted)
    status, _, error = zoo_cli("train", "activity_gru_course", "--data", simulated, "--out", tmp_path / "out")
    assert status == 130
    assert "its architecture and recipe with new weights; `zoo finetune activity_gru_course` starts from" in error
    assert "interrupted: nothing was written" in error
    assert not (tmp_path / "out").exists()


@pytest.mark.process
@pytest.mark.parametrize("output", [(), ("--json",)])
def test_a_reader_that_goes_away_ends_a_stream_as_any_other_program(output):
    command = ("stream", "activity_gru_tiny", "--simulate", "walking", "--seconds", "600", "--speed", "0", *output)
    run = subprocess.Popen([sys.executable, "-m", "zoo", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    run.stdout.readline()
    run.stdout.close()
    assert (run.wait(), run.stderr.read()) == (141, b"")


@pytest.mark.process
@pytest.mark.parametrize("module", ["cyclopts", "zoo.api", "tensorflow"])
def test_ctrl_c_while_a_module_is_imported_is_one_line(module, simulated, tmp_path):
    code = f"""
import os, signal, sys

class Interrupt:
    def find_spec(name, *_):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt)
sys.argv = ["zoo", "train", "activity_gru", "--data", {str(simulated)!r}, "--out", "never"]
from zoo.__main__ import main
main()
"""
    run = python("-c", code, cwd=tmp_path)
    assert (run.returncode, run.stderr.strip()) == (130, "zoo: interrupted")


@pytest.mark.process
@pytest.mark.parametrize(("name", "value", "message"), [
    ("KERAS_BACKEND", "nonsense", "KERAS_BACKEND is nonsense, which does not load"), ("MPLBACKEND", "nonsense", ""),
])  # fmt: skip
def test_an_environment_that_makes_no_sense_is_named_or_does_not_matter(
    name, value, message, recognizer, simulated, tmp_path
):
    command = ["evaluate", recognizer, "--data", simulated, "--no-baselines", "--figures", tmp_path / "figures"]
    run = python("-m", "zoo", *command, **{name: value})
    assert run.returncode == (1 if message else 0), run.stderr
    assert run.stderr.startswith(f"zoo: {message}" if message else "")


def test_a_folder_that_was_deleted_meanwhile_is_named(tmp_path, monkeypatch, zoo_cli):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    for command in (("train", "activity_gru"), ("data", "simulate", "text", "-o", "data2.h5")):
        assert zoo_cli(*command)[::2] == (1, "zoo: the current folder was deleted: change to one that exists\n")


@pytest.mark.parametrize("command", [
    ("data", "simulate", "text", "--sentences", 200, "-o", "NAME.h5"), ("train", "NAME"), ("NAME",), ("info", "NAME"),
    ("export", "activity_gru_tiny", "--formats", "float32", "--to", "NAME"), ("list", "--family", "NAME"),
    ("predict", "trigram_lm_course_8_64", "NAME"),
])  # fmt: skip
def test_a_name_that_is_not_utf_8_is_one_line(command, tmp_path, monkeypatch, zoo_cli):
    monkeypatch.chdir(tmp_path)
    found = zoo_cli(*(str(word).replace("NAME", os.fsdecode(b"m\xff")) for word in command))
    assert found.status in (1, 2)
    assert len(found.err.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.fixture
def start():
    started = []

    def start(*arguments, **options):
        command = [sys.executable, "-m", "zoo", *map(str, arguments)]
        run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
        started.append(run)
        return run

    yield start
    for run in started:
        run.kill()
        run.communicate()


def wait_for(condition, run):
    while not condition():
        assert run.poll() is None, run.communicate()
        time.sleep(0.02)


@pytest.mark.process
def test_a_second_training_in_a_folder_ends_at_once_and_sigterm_says_how_to_resume(simulated, tmp_path, zoo_cli, start):
    out = tmp_path / "out"
    command = ("train", "activity_gru_course", "--data", simulated, "--out", out)
    command += ("--epochs", 2000, "--patience", 2000)
    run = start(*command)
    wait_for((out / "checkpoint.npz").exists, run)
    # Without it, see tests/hostile/test_disks.py.
    assert f"zoo: {out}: another run is writing it: wait" in zoo_cli(*command, "--resume").err
    assert run.poll() is None
    run.terminate()
    _, error = run.communicate()
    assert run.returncode == 143
    last = f"zoo: interrupted: the checkpoint is in {out}; go on with the same command and --resume"
    assert error.splitlines()[-1] == last
    assert [path.name for path in out.iterdir()] == ["checkpoint.npz"]


UNCOMPILED = {"PYTHONDONTWRITEBYTECODE": "1"}
"""Else Python leaves the compiled form of modules that TensorFlow writes to the temporary folder, and deletes."""


@pytest.mark.process
def test_sigterm_removes_the_temporary_files_of_an_export(tmp_path, start):
    system, out = tmp_path / "tmp", tmp_path / "new" / "exported"
    system.mkdir()
    environment = {**os.environ, **UNCOMPILED, "TMPDIR": str(system)}
    run = start("export", "activity_gru_course", "--to", out, env=environment)
    wait_for(lambda: list(system.glob("*/saved_model")), run)
    run.terminate()
    _, error = run.communicate()
    assert run.returncode == 143
    assert error.splitlines()[-1] == "zoo: interrupted"
    assert list(system.iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["tmp"]


HOOKS = {
    "Keras writes a model": """
import os, signal, sys

def stop(event, arguments):
    if event == "os.mkdir" and os.path.basename(arguments[0]) == "assets":
        os.kill(os.getpid(), signal.SIGTERM)

sys.addaudithook(stop)
""",
    "TensorFlow converts": """
import os, signal, sys, tempfile, time

if "zoo.exporting.formats" in sys.orig_argv:
    tempfile.mkdtemp()
    os.kill(os.getppid(), signal.SIGTERM)
    time.sleep(60)
""",
}


@pytest.mark.process
@pytest.mark.parametrize("moment", HOOKS)
def test_sigterm_leaves_no_folder_of_a_library(moment, tmp_path, start):
    system, site = tmp_path / "tmp", tmp_path / "site"
    system.mkdir()
    site.mkdir()
    (site / "sitecustomize.py").write_text(HOOKS[moment])
    environment = {**os.environ, **UNCOMPILED, "TMPDIR": str(system), "PYTHONPATH": str(site)}
    run = start("export", "activity_gru_course", "--to", tmp_path / "new" / "exported", env=environment)
    _, error = run.communicate()
    assert run.returncode == 143, error
    assert error.splitlines()[-1] == "zoo: interrupted"
    assert list(system.iterdir()) == []


@pytest.mark.process
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc")
def test_sigterm_ends_the_processes_of_a_cross_validation(simulated, tmp_path, start):
    out = tmp_path / "out"
    options = ("--groups", 2, "--baselines", "none", "--workers", 2, "--epochs", 5000, "--data", simulated)
    options += ("--set", "patience=null")
    run = start("crossval", "activity_gru_course", *options, "--out", out)
    wait_for(lambda: list(out.rglob("*checkpoint*")), run)
    children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
    assert len(children) == 2
    run.terminate()
    _, error = run.communicate()
    assert run.returncode == 143
    assert re.search(r"2 trainings of 5000 passes over the data: about \d+ min; .*; a smaller plan: --groups 2", error)
    assert error.splitlines()[-1].startswith("zoo: interrupted: the ")
    assert error.splitlines()[-1].endswith("resume with the same command")
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)
    assert not [path for path in out.rglob(".*") if path.name.startswith(".zoo-")]


def test_axes_are_named_by_options_of_every_command_that_reads_a_csv_file(zoo_cli, tmp_path):
    rows = "".join(f"{row / 50:.2f},0.1,9.8,0.2\n" for row in range(300))
    (tmp_path / "a.csv").write_text("time,right,up,out\n" + rows)
    axes = ("--x", "right", "--y", "up", "--z", "out")
    owner = ("--subject", "=ann", "--activity", "=standing")
    assert zoo_cli("data", "import", "csv", tmp_path / "a.csv", "-o", tmp_path / "a.h5", *owner, *axes).status == 0
    for command in ("predict", "stream"):
        assert zoo_cli(command, "activity_gru_pocket", "--csv", tmp_path / "a.csv", *axes).status == 0


def test_arguments_that_were_renamed_are_taken_for_one_more_version(tmp_path):
    rows = "".join(f"{row / 50:.2f},0.1,1.0,0.2\n" for row in range(300))
    (tmp_path / "a.csv").write_text("time,right,up,out\n" + rows)
    owner = {"subject": "=ann", "activity": "=standing"}
    axes = {"x": "right", "y": "up", "z": "out", "unit": "g"}
    with pytest.warns(DeprecationWarning, match=r"import_csv: \w+ is deprecated .* version 0\.5; pass columns="):
        former = zoo.import_csv(tmp_path / "a.csv", tmp_path / "former.h5", **owner, **axes)
    now = [
        zoo.import_csv(tmp_path / "a.csv", tmp_path / f"{place}.h5", columns=columns, **owner)
        for place, columns in enumerate((axes, Columns(**axes)))
    ]
    assert all(made.files == [{**former.files[0]}] for made in now)
    with pytest.warns(DeprecationWarning, match="simulate: path is deprecated"):
        made = zoo.simulate("text", path=tmp_path / "data2.h5", sentences=200)
    with pytest.warns(DeprecationWarning, match="pass model='trigram_lm_course'"), pytest.raises(zoo.ZooError):
        zoo.finetune(preset="trigram_lm_course", data=made, recipe={"epochs": 0})


@pytest.mark.parametrize("words", [("--text", "no.txt"), ("--text=no.txt",)])
def test_the_option_that_named_a_text_is_taken_for_one_more_version(words, zoo_cli):
    status, _, err = zoo_cli("data", "make", "text", *words)
    assert (status, err.count("\n")) == (1, 2)
    assert "--text is deprecated" in err
    assert err.endswith("no.txt: no such file\n")
