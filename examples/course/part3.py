"""Part 3 of the course: activities from three accelerometer axes. Every figure and table of the report, from one file.

    python examples/course/part3.py --data data3.h5 --out part3 [--quick]

On two cores the whole takes some three minutes, `--quick` less than one.
"""

# %%
from pathlib import Path
from tempfile import TemporaryDirectory

from report import Report, options

from zoo.report.figures import activity as figures
from zoo.tasks import loading, planning
from zoo.tasks.activity import TASK as ACTIVITY
from zoo.tasks.running import Run, train

given = options(__doc__, "data3.h5", "part3")
report = Report(given.out, "Part 3: activities from three accelerometer axes")
report.text(f"Data: `{given.data.name}`.")
scratch = TemporaryDirectory()

# What the course's report gives: accuracy in training, validation and test, seconds, final epoch.
COURSE = {
    "activity_rnn_course": (0.6170, 0.6100, 0.5733, 27, 9),
    "activity_lstm_course": (0.9076, 0.8867, 0.8100, 126, 28),
    "activity_gru_course": (0.9654, 0.9100, 0.8233, 47, 23),
}
accuracies, costs, measured = [], [], []


def section(letter: str, title: str, name: str) -> str:
    """Trains a network, draws its figures, notes its numbers; tells how the test part was kept apart."""
    folder = Path(scratch.name) / name
    train(planning.plan(name, None, {"epochs": 1} if given.quick else {}), given.data, Run(folder))
    model = loading.load(str(folder))
    summary = model.config["training"]
    report.text(f"## {letter}. {title}")
    report.figure(f"{letter.lower()}_training.png", figures.training(model.history), "training")
    found = {split: ACTIVITY.evaluate(model, given.data, split=split, baselines=False) for split in ("train", "test")}
    for split, what in (("test", "test"), ("train", "training")):
        picture = figures.confusion(found[split])
        report.figure(f"{letter.lower()}_{split}.png", picture, f"confusion, {what} windows", beside=split == "train")
    shown = (found["train"]["accuracy"], summary["validation"]["accuracy"], found["test"]["accuracy"])
    *wanted, seconds, epochs = COURSE[name]
    accuracies.append((title, *(f"{value:.2%}" for pair in zip(shown, wanted, strict=True) for value in pair)))
    costs.append((title, f"{summary['seconds']:.0f} s", f"{seconds} s", f"{summary['epochs']}", f"{epochs}"))
    measured.append({"preset": name, "train_accuracy": shown[0], "validation_accuracy": shown[1],
                     "test_accuracy": shown[2], "test_macro_f1": found["test"]["macro_f1"],
                     "data_sha256": found["test"]["data_sha256"], "course": COURSE[name], **summary})  # fmt: skip
    report.text(*(f"Note: {note}." for note in found["test"]["notes"]))
    return str(found["test"]["split_by"])


# %% [markdown]
# ## A. SimpleRNN

# %%
section("A", "SimpleRNN, 128 units", "activity_rnn_course")

# %% [markdown]
# ## B. LSTM

# %%
section("B", "LSTM, 64 units", "activity_lstm_course")

# %% [markdown]
# ## C. GRU

# %%
split_by = section("C", "GRU, 32 units", "activity_gru_course")

# %% [markdown]
# ## The three networks

# %%
report.text("## The three networks", "Accuracy, and beside each number that of the course's report:")
report.table(("network", "training", "course", "validation", "course", "test", "course"), accuracies)
report.text("Training time, and the epoch in which it ended:")
report.table(("network", "time", "course", "epochs", "course"), costs)
report.text(
    "What differs from the course:",
    "- The course drew its test windows at random from the same people. "
    + (
        "Here the people tested are in no training window, which is harder, and what a recognizer will meet. "
        "Validation windows are drawn at random as in the course, so validation says little about people never seen."
        if split_by == "subject"
        else "This file does not tell who made a window, so its test windows may be of the same people too."
    )
    + "\n- The zoo normalizes inside the model, where the course fed raw values: at the same rates that serves the GRU "
    "better and the LSTM worse.\n- The course's LSTM feeds the error of the output into every step, not into the last "
    "one alone.\n- Other data, another machine; the course's times are of NumPy.",
    *(["A trial run of one epoch, its numbers mean nothing."] if given.quick else []),
)

# %%
scratch.cleanup()
report.numbers = {"seed": 0, "networks": measured}
print(report.write())
