"""Part 3 of the course: activities from three accelerometer axes. Every figure and table of the report, from one file.

    python examples/course/part3.py --data data3.h5 --out part3 [--quick]

On two cores the whole takes some three minutes, `--quick` less than one.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from report import Report

from zoo.report.figures import recognition as figures
from zoo.tasks import activity, loading, planning
from zoo.tasks.running import Run

# What the course's report gives: section, name, test accuracy, seconds, epochs.
NETWORKS = {
    "activity_rnn_course": ("A", "SimpleRNN, 128 units", 0.5733, 27, 9),
    "activity_lstm_course": ("B", "LSTM, 64 units", 0.8100, 126, 28),
    "activity_gru_course": ("C", "GRU, 32 units", 0.8233, 47, 23),
}


def main() -> None:
    """Makes the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data3.h5"))
    parser.add_argument("--out", type=Path, default=Path("part3"))
    parser.add_argument("--quick", action="store_true", help="one epoch, to see that it runs")
    options = parser.parse_args()
    changes = {"epochs": 1} if options.quick else {}
    report = Report(options.out, "Part 3: activities from three accelerometer axes")
    rows = []
    with TemporaryDirectory() as scratch:
        for name, (section, title, wanted, seconds, epochs) in NETWORKS.items():
            folder = Path(scratch) / name
            activity.train(planning.plan(name, None, changes), options.data, Run(folder))
            model = loading.load(str(folder))
            report.text(f"## {section}. {title}")
            report.figure(f"{section.lower()}_training.png", figures.training(loading.history(model)), "training")
            for split in ("test", "train"):
                found = activity.evaluate(model, options.data, split=split, baselines=False)
                report.figure(
                    f"{section.lower()}_{split}.png", figures.confusion(found), f"confusion of the {split} part"
                )
                if split == "test":
                    summary = model.config["training"]
                    rows.append((title, f"{found['accuracy']:.2%}", f"{wanted:.2%}", f"{summary['seconds']:.0f} s",
                                 f"{seconds} s", str(summary["epochs"]), str(epochs)))  # fmt: skip
                    notes = found["notes"]
    report.text("## The three networks")
    report.table(("network", "test accuracy", "course", "time", "course", "epochs", "course"), rows)
    report.text(
        "The course drew its test windows at random from the same people; where the file tells who made a window, the "
        "people tested here are in no training window, which is harder. The zoo normalizes inside the model, where the "
        "course fed raw values.",
        *(f"Note: {note}." for note in notes),
    )
    print(report.write())


if __name__ == "__main__":
    main()
