"""The command line as a person meets it."""

import json
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest
from PIL import Image

from zoo import __version__
from zoo.cli import device, main, models


def zoo(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "zoo.cli", *map(str, arguments)], capture_output=True, text=True, check=False, **options
    )


def call(capsys, monkeypatch, *arguments):
    """Runs a command in this process; gives status, standard output and standard error."""
    monkeypatch.setattr(sys, "argv", ["zoo", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        main()
    captured = capsys.readouterr()
    return end.value.code, captured.out, captured.err


@pytest.fixture(scope="module")
def trained(simulated, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "model"
    result = zoo(
        "train", "--model", "activity_gru", "--units", 8, "--frame", 5, "--epochs", 12, "--data", simulated,
        "--out", folder, "--json",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["epochs"] == 12
    return folder


def test_importing_zoo_and_asking_for_help_load_no_tensorflow():
    program = "import sys, zoo, zoo.cli; zoo.cli.app(['--help'], standalone_mode=False); "
    program += "sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras', 'h5py', 'numpy')))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=False).returncode == 0


def test_listing_presets_and_their_details_loads_no_tensorflow():
    for command in (["list"], ["info", "activity_gru_course"], ["info", "trigram_lm_course"]):
        program = f"import sys, zoo.cli; zoo.cli.app({command}, standalone_mode=False); "
        program += "sys.exit('tensorflow' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=False).returncode == 0


def test_every_command_has_help():
    for command in (
        "list",
        "info",
        "train",
        "evaluate",
        "crossval",
        "predict",
        "stream",
        "export",
        "serve",
        "bench",
        "tune",
        "doctor",
        "data",
    ):
        assert zoo(command, "--help").returncode == 0


def test_the_version_is_printed_alone(capsys, monkeypatch):
    assert call(capsys, monkeypatch, "--version") == (0, f"pocket-zoo {__version__}\n", "")


def test_evaluate_prints_one_json_document_with_its_keys(trained, simulated):
    result = zoo("evaluate", trained, "--data", simulated, "--json", "--robustness")
    report = json.loads(result.stdout)
    assert {
        "accuracy", "macro_f1", "confusion", "classes", "per_class", "per_subject", "ece", "windows", "baselines",
        "robustness",
    } <= set(report)  # fmt: skip
    assert report["simulated"] is True
    assert set(report["baselines"]) == {"majority_class", "random_forest"}
    assert np.sum(report["confusion"]) == report["windows"]


def test_evaluate_draws_its_figures_and_names_what_is_simulated(trained, simulated, tmp_path):
    result = zoo("evaluate", trained, "--data", simulated, "--no-baselines", "--figures", tmp_path)
    assert "SIMULATED" in result.stdout
    assert "simulated data: these windows are synthetic" in result.stdout
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"confusion.png", "reliability.png", "subjects.png", "training.png"}


def test_export_then_evaluate_predict_and_stream_the_file(trained, simulated, tmp_path):
    out = tmp_path / "out"
    exported = json.loads(zoo("export", trained, "--to", out, "--json").stdout)
    formats = {record["format"] for record in exported["artifacts"]}
    # Integers may turn more answers of a network with little training than a file may.
    assert {"keras", "saved_model", "float32", "float16"} <= formats
    assert formats <= {"keras", "saved_model", "float32", "float16", "dynamic", "int8", "int16x8"}
    file = out / "model.float32.tflite"
    reports = [
        json.loads(zoo("evaluate", model, "--data", simulated, "--no-baselines", "--json").stdout)
        for model in (trained, out / "model.keras", file)
    ]
    assert reports[0]["macro_f1"] == reports[1]["macro_f1"] == reports[2]["macro_f1"]
    assert reports[2]["ece"]["after"] == pytest.approx(reports[0]["ece"]["after"], abs=1e-3)
    rows = json.loads(zoo("predict", file, "--data", simulated, "--json").stdout)
    assert {"window", "time", "label", "probability", "probabilities", "true"} == set(rows[0])
    shown = zoo("stream", file, "--simulate", "walking", "--seconds", 4, "--speed", 0)
    assert "really walking" in shown.stdout
    assert json.loads(zoo("info", file, "--json").stdout)["rate"] == 50.0


def test_predict_reads_a_csv_at_another_rate_and_unit(trained, tmp_path):
    rows = ["x,y,z"] + ["0.0,1.0,0.0"] * 500
    (tmp_path / "still.csv").write_text("\n".join(rows))
    result = zoo("predict", trained, "--csv", tmp_path / "still.csv", "--rate", 100, "--unit", "g", "--json")
    times = [row["time"] for row in json.loads(result.stdout)]
    assert times == [0.0, 1.5]


def test_list_and_info_show_the_presets():
    names = [row["preset"] for row in json.loads(zoo("list", "--json").stdout)]
    assert names[:3] == ["activity_rnn_course", "activity_lstm_course", "activity_gru_course"]
    assert json.loads(zoo("info", "activity_gru_course", "--json").stdout)["class"] == "ActivityGRU"


def spoil(source, target, change):
    target.write_bytes(source.read_bytes())
    with h5py.File(target, "r+") as file:
        change(file)
    return target


BAD_TRAINING = {
    "no such file": (None, [], "no such file"),
    "unknown preset": ("good", ["activity_gru_cours"], "did you mean activity_gru_course"),
    "neither preset nor family": ("good", [], "name a preset"),
    "no epochs": ("good", ["activity_gru_course", "--epochs", "0"], "epochs is 0; expected 1 or more"),
    "strange optimizer": ("good", ["activity_gru_course", "--optimizer", "lion"], "expected sgd or adam or adamw"),
    "frame": ("good", ["--model", "activity_gru", "--frame", "7"], "not a multiple of frame 7"),
    "resume of nothing": ("good", ["activity_gru_course", "--resume"], "no checkpoint.npz to resume from"),
}


@pytest.mark.parametrize("case", BAD_TRAINING)
def test_bad_training_is_one_line_and_leaves_nothing(case, simulated, tmp_path, capsys, monkeypatch):
    data, arguments, message = BAD_TRAINING[case]
    path = simulated if data else tmp_path / "missing.h5"
    out = tmp_path / "out"
    arguments = arguments or (["activity_gru_course"] if data is None else [])
    status, output, error = call(capsys, monkeypatch, "train", *arguments, "--data", path, "--out", out)
    assert status == 1
    assert output == ""
    assert message in error
    assert len(error.strip().splitlines()) == 1
    assert not out.exists()


def test_a_folder_that_is_not_empty_is_refused(simulated, tmp_path, capsys, monkeypatch):
    (tmp_path / "mine.txt").write_text("mine")
    status, _, error = call(capsys, monkeypatch, "train", "activity_gru_course", "--data", simulated, "--out", tmp_path)
    assert (status, [p.name for p in tmp_path.iterdir()]) == (1, ["mine.txt"])
    assert "is not empty" in error


def test_windows_of_another_length_are_refused_with_both_shapes(trained, simulated, tmp_path, capsys, monkeypatch):
    def shorten(file):
        for key in ("trX", "tstX"):
            rows = file[key][:, :100]
            del file[key]
            file[key] = rows

    short = spoil(simulated, tmp_path / "short.h5", shorten)
    status, _, error = call(capsys, monkeypatch, "evaluate", trained, "--data", short)
    assert status == 1
    assert "windows of shape (100, 3)" in error
    assert "(150, 3)" in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["predict", "MODEL"], "name one of --data FILE and --csv FILE"),
        (["evaluate", "MODEL", "--data", "DATA", "--split", "dev"], "split 'dev': expected test, train or validation"),
        (["export", "MODEL", "--formats", "onnx", "--to", "OUT"], "format 'onnx'"),
        (["export", "MODEL", "--levels", "255", "--to", "OUT"], "--levels: means nothing for"),
        (["evaluate", "DATA", "--data", "DATA"], "unknown preset or folder"),
        (["stream", "DATA.tflite", "--simulate", "walking"], "no such file"),
        (["evaluate", "activity_gru_pockets", "--data", "DATA"], "did you mean"),
        (["crossval", "activity_gru_course", "--data", "DATA", "--groups", "40"], "40 groups"),
        (["crossval", "activity_gru_curse", "--data", "DATA"], "did you mean activity_gru_course"),
        (["crossval", "trigram_lm_course", "--data", "DATA"], "has no people to hold out"),
        (["crossval", "activity_gru_course", "--data", "DATA", "--also", "luck"], "--also luck: expected random"),
        (["data", "build", "zoo_activity", "--from", "DATA", "--to", "OUT", "--beam", "'"], "--beam ': No closing"),
    ],
)
def test_a_silly_request_is_one_line(arguments, message, trained, simulated, tmp_path, capsys, monkeypatch):
    places = {"MODEL": trained, "DATA": simulated, "OUT": tmp_path / "out"}
    status, _, error = call(capsys, monkeypatch, *(places.get(a, a) for a in arguments))
    assert status == 1
    assert message in error
    assert len(error.strip().splitlines()) == 1


def test_an_existing_file_is_replaced_only_with_force(tmp_path, capsys, monkeypatch):
    (tmp_path / "data3.h5").write_text("mine")
    command = ("data", "simulate", "activity", "-o", tmp_path / "data3.h5", "--subjects", 2, "--seconds", 8)
    status, _, error = call(capsys, monkeypatch, *command)
    assert status == 1
    assert "exists already" in error
    assert (tmp_path / "data3.h5").read_text() == "mine"
    assert zoo(*command, "--force").returncode == 0


def test_windows_at_another_rate_are_refused(trained, simulated, tmp_path, capsys, monkeypatch):
    fast = spoil(simulated, tmp_path / "fast.h5", lambda file: file.attrs.update({"rate_hz": 100.0}))
    status, _, error = call(capsys, monkeypatch, "evaluate", trained, "--data", fast)
    assert status == 1
    assert "rows at 100 Hz" in error


def test_validation_is_that_of_the_training_file_alone(trained, simulated, tmp_path, capsys, monkeypatch):
    report = json.loads(zoo("evaluate", trained, "--data", simulated, "--split", "validation", "--json").stdout)
    assert report["split"] == "validation"
    other = spoil(simulated, tmp_path / "other.h5", lambda file: file.attrs.update({"note": "another file"}))
    status, _, error = call(capsys, monkeypatch, "evaluate", trained, "--data", other, "--split", "validation")
    assert status == 1
    assert "is not the file that" in error


def test_a_model_trained_in_plain_keras_can_be_evaluated_and_exported(simulated, tmp_path):
    from zoo import ActivityGRU

    ActivityGRU(units=4, frame=5).save_to_preset(tmp_path / "mine")
    assert zoo("evaluate", tmp_path / "mine", "--data", simulated, "--no-baselines", "--json").returncode == 0
    assert zoo("export", tmp_path / "mine", "--to", tmp_path / "out", "--formats", "float32").returncode == 0


def test_patches_are_simulated_and_made_of_a_folder_of_photographs(tmp_path):
    made = json.loads(zoo("data", "simulate", "patches", "-o", tmp_path / "a.h5", "--count", 40, "--json").stdout)
    assert made["simulated"] is True
    (tmp_path / "pictures").mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (2, 40, 50, 3), np.uint8)
    for name, pixels in zip("ab", noise, strict=True):
        Image.fromarray(pixels).save(tmp_path / "pictures" / f"{name}.png")
    command = ("data", "make", "patches", tmp_path / "pictures", "-o", tmp_path / "b.h5", "--count", 30, "--json")
    assert json.loads(zoo(*command).stdout)["photographs"] == {"a.png": 15, "b.png": 15}
    (tmp_path / "pictures" / "c.png").write_text("no picture")
    refused = zoo(*command, "--force")
    assert refused.returncode == 1
    assert "c.png: not a picture that can be decoded" in refused.stderr


def test_trigrams_are_simulated_and_made_of_text(tmp_path, capsys, monkeypatch):
    command = ("data", "simulate", "trigrams", "-o", tmp_path / "a.h5", "--sentences", 1500, "--json")
    made = json.loads(zoo(*command).stdout)
    assert (made["simulated"], made["problems"]) == (True, [])
    text = tmp_path / "text.txt"
    text.write_text("\n".join(["he is here now .", "is she there ?", "she is not here ."] * 20))
    command = ("data", "make", "trigrams", "--text", text, "--text", text, "-o", tmp_path / "b.h5", "--json")
    made = json.loads(zoo(*command, "--vocabulary", 9).stdout)
    assert made["parts"] == {"train": {"rows": 160}, "validation": {"rows": 20}, "test": {"rows": 20}}
    assert (made["text_rows"], made["rows_left_out"], made["notes"]) == (200, 0, [])
    named = ("--validation-rows", "100:110", "--test-rows", "110:200", "--vocabulary", tmp_path / "a.h5", "--force")
    status, _, error = call(capsys, monkeypatch, *command, *named)
    assert status == 1
    assert "words are not in text.txt, text.txt, such as" in error
    status, _, error = call(capsys, monkeypatch, *command, "--force", "--test-rows", "110-200")
    assert status == 1
    assert "--test-rows 110-200: expected START:STOP, such as 9000:10000" in error
    assert json.loads(zoo("data", "describe", tmp_path / "b.h5", "--json").stdout)["words"] == 9


def test_an_unknown_option_is_a_usage_error():
    result = zoo("train", "--unknown")
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


def test_ctrl_c_before_the_first_epoch_leaves_nothing(simulated, tmp_path, capsys, monkeypatch):
    from zoo.tasks import activity

    def interrupted(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(activity, "fit", interrupted)
    status, _, error = call(
        capsys, monkeypatch, "train", "activity_gru_course", "--data", simulated, "--out", tmp_path / "out"
    )
    assert status == 130
    assert "interrupted: nothing was written" in error


def test_ctrl_c_after_an_epoch_says_how_to_resume(simulated, tmp_path):
    command = [sys.executable, "-m", "zoo.cli", "train", "activity_gru_course", "--data", str(simulated)]
    command += ["--out", str(tmp_path / "out"), "--epochs", "2000", "--patience", "2000"]
    run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "out" / "checkpoint.npz").exists() and run.poll() is None:
        time.sleep(0.02)
    run.send_signal(signal.SIGINT)
    _, error = run.communicate()
    assert run.returncode == 130
    assert "go on with the same command and --resume" in error.splitlines()[-1]


def test_a_loss_that_is_not_finite_names_the_rate_and_keeps_weights(simulated, tmp_path, capsys, monkeypatch):
    status, _, error = call(
        capsys, monkeypatch, "train", "--model", "activity_rnn", "--optimizer", "sgd", "--learning-rate", "1e38",
        "--data", simulated, "--out", tmp_path / "out",
    )  # fmt: skip
    assert status == 1
    assert "lower the learning rate (1e+38)" in error
    assert (tmp_path / "out" / "last_good.keras").is_file()
    assert not (tmp_path / "out" / "model.keras").exists()


def test_the_commands_are_those_of_the_design():
    commands = models.app.registered_commands + device.app.registered_commands
    names = {command.name or command.callback.__name__ for command in commands}
    assert {"list", "info", "train", "evaluate", "crossval", "predict", "stream", "export", "bench"} <= names
