"""What commands show on a terminal of 60 or 80 columns, and while they work."""

import re

import pytest

from zoo.cli import COMMANDS
from zoo.presets import PRESETS
from zoo.report.screen import say, warn

HELP = ["", *COMMANDS, "data", "data import", "data make", "data simulate"]


@pytest.fixture
def terminal(monkeypatch, zoo_cli):
    """Runs a command on a terminal: `terminal(80, "list") -> lines of standard output`."""

    def run(columns, *arguments):
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("COLUMNS", str(columns))
        status, out, err = zoo_cli(*arguments)
        assert status == 0, err
        lines = [line.rstrip() for line in re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", out).splitlines()]
        assert max(map(len, lines)) <= columns
        return lines

    return run


@pytest.mark.parametrize("words", HELP)
def test_help_cuts_no_word_and_names_values_in_words(words, terminal):
    lines = terminal(80, *words.split(), "--help")
    assert not [line for line in lines if "…" in line]
    assert not re.search(r"[<>]|\blist\[|\.\.\.\]?\.\.\.", "\n".join(lines))


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_list_and_the_overview_of_presets_fit_any_terminal(columns, terminal):
    shown = " ".join(terminal(columns, "list"))
    assert all(name in shown for name in PRESETS)
    if columns == 80:
        lines = terminal(columns, "list")
        assert all(sum(line.startswith(f"{name} ") for line in lines) == 1 for name in PRESETS)
    overview = terminal(columns, "info", "activity_gru_phone")
    assert overview.index("Recipe") <= 40
    assert any(re.match(r"test score +macro-F1 0\.", line) for line in overview)


@pytest.mark.slow
def test_a_benchmark_keeps_names_and_numbers_in_one_table(terminal):
    lines = terminal(80, "bench", "activity_gru_pocket")
    assert lines[0] == "activity_gru_pocket"
    row = next(line for line in lines if line.startswith("model.int8.tflite      step"))
    assert len(row.split()) == 6


def test_what_a_trained_folder_is_fits_on_a_screen(recognizer, terminal):
    lines = terminal(80, "info", recognizer)
    assert len(lines) < 40
    assert any("macro-F1" in line for line in lines)


@pytest.mark.parametrize(("forced", "expected"), [("1", 5), ("", 1)])
def test_a_terminal_breaks_a_warning_between_words_and_a_pipe_does_not(forced, expected, monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", forced)
    monkeypatch.setenv("COLUMNS", "80")
    words = [f"word{number:03}" for number in range(40)]
    warn(" ".join(words))
    lines = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().err).rstrip().splitlines()
    assert " ".join(line.strip() for line in lines) == f"{'!' if forced else 'zoo: warning:'} {' '.join(words)}"
    assert len(lines) == expected
    say("zoo train " + " ".join(words))
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("format", "steps", "then"),
    [("keras", [], ""), ("float32", ["converting to float32"], "; next: zoo serve {0}")],
    ids=["which is not served", "which is served"],
)
def test_a_pipe_gets_a_line_for_each_step_of_an_export(format, steps, then, recognizer, tmp_path, zoo_cli):
    _, _, err = zoo_cli("export", recognizer, "--formats", format, "--to", tmp_path / "exported")
    folder = tmp_path / "exported"
    assert err.splitlines() == [
        *(f"exporting: {step}" for step in (*steps, f"comparing {format} with Keras (1 of 1)")),
        f"1 artifact in {folder}{then.format(folder)}",
    ]


def test_a_flag_has_no_value_and_a_number_is_called_one(terminal):
    shown = [line.strip("│ ") for line in terminal(80, "predict", "--help")]
    assert any(re.match(r"--json +Print", line) for line in shown)
    assert any(re.match(r"--hop INT +Rows", line) for line in shown)
    assert any(re.match(r"\* +MODEL +A preset", line) for line in shown)
