"""The live view of a cross-validation."""

import io

import pytest
from rich.console import Console

from zoo.report.folds import FoldBoard
from zoo.tasks.folds import Fold

SCORED = {"status": "scored", "macro_f1": 0.8, "seconds": 30.0, "subjects": ["3", "7"]}
RUNNING = {"status": "running", "epochs": 17, "started": 0.0, "subjects": ["1", "9"]}


def folds(*records):
    return {Fold("activity_gru", "subject", 0, group): record for group, record in enumerate(records)}


@pytest.fixture
def shown():
    """What a board shows, and a function that tells it of folds."""

    def show(terminal, *states):
        console = Console(file=io.StringIO(), force_terminal=terminal, width=80, no_color=True)
        board = FoldBoard(console, epochs=40, workers=2)
        with board.shown():
            for records in states:
                board.update(records)
        return console.file.getvalue()

    return show


def test_off_a_terminal_each_fold_that_ends_is_told_once_and_what_was_done_before_is_not(shown):
    failed = {"status": "failed", "reason": "out of memory", "subjects": ["1", "9"]}
    waiting = {"status": "waiting"}
    lines = shown(
        False, folds(SCORED, waiting, waiting), folds(SCORED, failed, RUNNING), folds(SCORED, failed, SCORED)
    ).splitlines()
    assert lines == [
        "1 of 3 folds, 30 s left",
        "activity_gru, subjects 1, 9, seed 0 failed: out of memory; 1 of 3 folds, 1 failed, 15 s left",
        "activity_gru, subjects 3, 7, seed 0: macro-F1 0.800 in 30 s; 2 of 3 folds, 1 failed",
    ]


def test_a_terminal_shows_a_row_for_each_group_with_its_people(shown):
    screen = shown(True, folds(SCORED, RUNNING, {"status": "waiting"}))
    assert "1 of 3 folds" in screen
    assert "3, 7" in screen
    assert "0.800" in screen
    assert "17/40" in screen
    assert "group 3" in screen
