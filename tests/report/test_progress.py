"""What is shown while work goes on: nothing is cut at 80 columns, and off a terminal each event is one line."""

import io

from rich.console import Console

from zoo.crossval import Fold
from zoo.report.progress import FoldBoard, TrainingBoard, TrialBoard
from zoo.serving.session import CollectionBoard

SCORED = {"status": "scored", "macro_f1": 0.8, "seconds": 30.0, "subjects": ["3", "7"]}
RUNNING = {"status": "running", "epochs": 17, "started": 0.0, "subjects": ["1", "9"]}


def folds(*records):
    return {Fold("activity_gru", "subject", 0, group): record for group, record in enumerate(records)}


def console(terminal, height=40):
    return Console(file=io.StringIO(), force_terminal=terminal, width=80, height=height, no_color=True)


def shown(board, *states):
    """What a board prints of states, one after another."""
    with board.shown():
        for state in states:
            board.update(state)
    return board.console.file.getvalue()


def test_in_a_pipe_each_fold_that_ends_is_printed_once_and_earlier_ones_are_not():
    failed = {"status": "failed", "reason": "out of memory", "subjects": ["1", "9"]}
    waiting = {"status": "waiting"}
    states = folds(SCORED, waiting, waiting), folds(SCORED, failed, RUNNING), folds(SCORED, failed, SCORED)
    assert shown(FoldBoard(console(terminal=False), workers=2), *states).splitlines() == [
        "1 of 3 folds, 30 s left",
        "activity_gru, subjects 1, 9, seed 0 failed: out of memory; 1 of 3 folds, 1 failed, 15 s left",
        "activity_gru, subjects 3, 7, seed 0: macro-F1 0.800 in 30 s; 2 of 3 folds, 1 failed",
    ]


def test_a_terminal_shows_what_has_ended_and_below_it_how_much_is_left():
    states = (folds(first, {"status": "waiting"}) for first in (RUNNING, SCORED))
    screen = shown(FoldBoard(console(terminal=True), workers=2), *states).replace("\n", " ")
    assert "activity_gru, subjects 3, 7, seed 0: macro-F1 0.800 in 30 s" in screen
    assert "cross-validation: 1 of 2 folds, 15 s left" in screen


LOGS = {"accuracy": 0.51234, "loss": 1.25, "val_accuracy": 0.44, "val_loss": 1.375, "learning_rate": 0.001}


def test_a_training_keeps_bar_epoch_numbers_and_time_left_at_80_columns():
    board = TrainingBoard(console(terminal=True), epochs=50)
    with board.shown():
        board.on_epoch_end(0, LOGS)
        board.on_epoch_end(1, LOGS)
    screen = board.console.file.getvalue()
    assert "compiling" in screen
    for text in ("epoch 2/50", "━", "0:0", *(f"{name} {value:.4f}" for name, value in LOGS.items())):
        assert text in screen.replace("\n", " ")


def test_the_folds_of_a_training_are_a_bar_each_and_a_line_at_their_end():
    boards = screen, pipe = [TrainingBoard(console(terminal=terminal), epochs=2) for terminal in (True, False)]
    for board in boards:
        with board.shown():
            for fold in ("", "fold 1 of 2", "fold 2 of 2"):
                board.on_epoch_end(0, {"loss": 1.25}, fold)
                board.on_epoch_end(1, {"loss": 1.0}, fold)
    assert "fold 2 of 2" in screen.console.file.getvalue()
    assert pipe.console.file.getvalue().splitlines() == [
        "epoch 1/2  loss 1.2500", "epoch 2/2  loss 1.0000", "fold 1 of 2  loss 1.0000", "fold 2 of 2  loss 1.0000",
    ]  # fmt: skip


def trial(number, status, score=None, **news):
    return {
        "trial": number, "name": str(number), "status": status, "score": score, "epochs": 12, "seconds": 30.0,
        "started": 0.0, "reason": None, "values": {"units": 32, "learning_rate": 0.0123456}, "parameters": 13350,
        "bytes": 25800, "milliseconds": 0.043, **news,
    }  # fmt: skip


def test_a_search_shows_the_best_and_why_a_trial_failed():
    board = TrialBoard(console(terminal=True), "search", 50, maximize=True)
    records = [trial(0, "scored", 0.91), trial(1, "scored", 0.95), trial(2, "failed", reason="loss is not finite")]
    screen = shown(board, [], [*records, trial(3, "running")]).replace("\n", " ")
    assert "search: 3 of 50 done, 2 scored, 1 failed, best 0.9500 of trial 1, 24 min left" in screen
    assert "trial 2 failed after 30.0 s: loss is not finite" in screen


def test_in_a_pipe_a_trial_that_ends_is_one_line_with_the_best_so_far_and_the_time_left():
    board = TrialBoard(console(terminal=False), "search", 4, maximize=False)
    first, second = trial(0, "scored", 0.25, steps=1240), trial(1, "failed", reason="out of memory")
    assert shown(board, [], [first], [first, second, trial(2, "running")]).splitlines() == [
        "trial 0 scored after 30.0 s and 1,240 steps: 0.2500; 1 of 4 done, 1 scored, best 0.2500 of trial 0, "
        "2 min left",
        "trial 1 failed after 30.0 s: out of memory; 2 of 4 done, 1 scored, 1 failed, best 0.2500 of trial 0, "
        "60 s left",
    ]


def received(person, activity, seconds, time="10:32:05"):
    file = f"class/{person}/{activity}-4821930577120934.csv"
    return {"time": time, "person": person, "activity": activity, "seconds": seconds, "rate_hz": 60.0, "file": file}


REFUSED = {"time": "10:33:00", "address": "192.168.1.7", "reason": "label 'x/y': expected up to 40 letters"}


def test_a_collection_is_a_line_per_recording_in_a_pipe():
    events = [received("Ann", "walking", 60.0), received("B*b", "sitting", 41.2), REFUSED]
    assert shown(CollectionBoard(console(terminal=False)), [], events[:1], events).splitlines() == [
        "10:32:05  Ann  walking  60 s at 60 Hz  class/Ann/walking-4821930577120934.csv",
        "10:32:05  B*b  sitting  41 s at 60 Hz  class/B*b/sitting-4821930577120934.csv",
        "10:33:00  refused from 192.168.1.7: label 'x/y': expected up to 40 letters",
    ]


def test_a_collection_on_a_terminal_stays_short_however_many_people_send():
    board = CollectionBoard(console(terminal=True))
    events = [received(f"person {number}", "walking", 60.0) for number in range(30)]
    screen = board.screen([*events, received("person 3", "go_up", 30.0, "10:40:00"), *[REFUSED] * 5])
    lines = [line for line in screen.splitlines() if line]
    assert lines[0] == r"**30 people, 31 recordings, 30 min: walking 30, go_up 1**"
    assert lines[3] == "| person 3 | walking 1, go_up 1 | 90 | 10:40:00 |"
    assert len(lines) < 16
    assert "and 22 others" in screen
    assert screen.count("> refused: 10:33:00, 192.168.1.7: label") == 2
    # The code above it stays on a terminal of 24 lines.
    small = CollectionBoard(console(terminal=True, height=24))
    assert small.screen(events) == "**30 people, 30 recordings, 30 min: walking 30**"
