"""Part 3 of the course: activities from three accelerometer axes. Every figure and table of the report, from one file.

    python examples/course/part3.py --data data3.h5 --out part3 [--quick]

On two cores, the full run takes about six minutes, and `--quick` about two.
"""

# %%
from pathlib import Path
from tempfile import TemporaryDirectory

from report import Report, options

from zoo import loading, train
from zoo.activity import figures
from zoo.activity.task import TASK as ACTIVITY
from zoo.training import LossNotFiniteError

given = options(__doc__, "data3.h5", "part3")
report = Report(given.out, "Part 3: activities from three accelerometer axes")
report.text(f"Data: `{given.data.name}`.")
scratch = TemporaryDirectory()

# The course's report: accuracy in training, validation and test, seconds, final epoch.
COURSE = {
    "activity_rnn_course": (0.6170, 0.6100, 0.5733, 27, 9),
    "activity_lstm_course": (0.9076, 0.8867, 0.8100, 126, 28),
    "activity_gru_course": (0.9654, 0.9100, 0.8233, 47, 23),
}
accuracies, costs, measured, baselines, classes = [], [], [], {}, []


def section(letter: str, title: str, name: str) -> None:
    """Trains a network, draws its figures and records its numbers."""
    folder, quick = Path(scratch.name) / name, {"epochs": 5} if given.quick else {}
    train(name, given.data, quick, out=folder)
    model = loading.load(str(folder))
    try:
        normalized = train(name, given.data, quick | {"normalize": True}).model
        other = ACTIVITY.evaluate(loading.load(normalized), given.data, baselines=False)["accuracy"]
    except LossNotFiniteError:
        # The course's rates suit raw values.
        other = None
    summary = model.config["training"]
    report.text(f"## {letter}. {title}")
    report.figure(f"{letter.lower()}_training.png", figures.training(model.history), "training")
    # The forest is the same beside each network.
    found = {
        "train": ACTIVITY.evaluate(model, given.data, split="train", baselines=False),
        "test": ACTIVITY.evaluate(model, given.data, baselines=not baselines),
    }
    baselines.update(found["test"].get("baselines", {}))
    for split, what in (("test", "test"), ("train", "training")):
        picture = figures.confusion(found[split])
        report.figure(f"{letter.lower()}_{split}.png", picture, f"confusion, {what} windows", beside=split == "train")
    shown = (found["train"]["accuracy"], summary["validation"]["accuracy"], found["test"]["accuracy"])
    *_, seconds, epochs = COURSE[name]
    scores = (*(f"{value:.2%}" for value in shown), "diverged" if other is None else f"{other:.2%}")
    accuracies.append((title, f"{summary['parameters']:,}", *scores))
    costs.append((title, f"{summary['seconds']:.0f} s", f"{seconds} s", f"{summary['epochs']}", f"{epochs}"))
    measured.append({"preset": name, "train_accuracy": shown[0], "validation_accuracy": shown[1],
                     "test_accuracy": shown[2], "course": COURSE[name],
                     "test_macro_f1": found["test"]["macro_f1"], "split_by": found["test"]["split_by"],
                     "data_sha256": found["test"]["data_sha256"],
                     "normalized_test_accuracy": other, **summary})  # fmt: skip
    report.text(*(f"Note: {note}." for note in found["test"]["notes"]))
    classes[:] = found["test"]["classes"]


# %% [markdown]
# ## A. SimpleRNN, 128 units

# %%
section("A", "SimpleRNN, 128 units", "activity_rnn_course")

# %% [markdown]
# ## B. LSTM, 64 units

# %%
section("B", "LSTM, 64 units", "activity_lstm_course")

# %% [markdown]
# ## C. GRU, 32 units

# %%
section("C", "GRU, 32 units", "activity_gru_course")

# %% [markdown]
# ## The three networks

# %%
report.text(
    "## The three networks",
    "Accuracy. The last column is the test accuracy with inputs normalized inside the model and nothing else changed:",
)
forest, none = baselines["random_forest"], ("-",) * 3
best = max(range(len(measured)), key=lambda place: measured[place]["test_accuracy"])
report.headline(
    f"**{measured[best]['test_accuracy']:.1%} of the test windows are recognized** by the best of three networks, the "
    f"{accuracies[best][0]}; {forest['accuracy']:.1%} by a random forest."
)
report.table(
    ("network", "parameters", "training", "validation", "test", "test, normalized"),
    [*accuracies, ("random forest, for comparison", *none, f"{forest['accuracy']:.2%}", "-")],
)
report.text(
    f"A guess among {len(classes)} activities is right in {1 / len(classes):.1%} of the windows. "
    "Accuracy in the course's report:"
)
report.table(
    ("network", "training", "validation", "test"),
    [
        (title, *(f"{value:.2%}" for value in row[:3]))
        for (title, *_), row in zip(accuracies, COURSE.values(), strict=True)
    ],
)
report.text("Training time, and the epoch in which it ended:")
report.table(("network", "time", "time in the course", "epochs", "epochs in the course"), costs)
report.text(
    "What differs from the course:",
    "- The course drew its test windows at random from the same people. "
    + (
        "Here the people tested are in no training window, which is harder, and what a recognizer meets in use. "
        "Validation windows are drawn at random as in the course, so validation says little about new people."
        if measured[-1]["split_by"] == "subject"
        else "This file has no subject ids, so its test windows may be of the same people too."
    )
    + "\n- Inputs are raw values, as in the course. Normalization puts every axis on the same scale, so at the same "
    "rates the networks take steps of another size: the last column shows the effect.\n- The course's LSTM feeds "
    "the error of the output into every step, not into the last one alone.\n- Other data and another machine; the "
    "course's times are of NumPy.",
)

# %%
scratch.cleanup()
report.numbers = {"seed": 0, "networks": measured, "random_forest": forest}
print(report.write())
