"""Part 2 of the course: a trigram language model. Every figure and table of the report, from one file.

    python examples/course/part2.py --data data2.h5 --out part2 [--quick]

On two cores the whole takes some ten minutes, `--quick` less than one.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from report import Report

from zoo.report.figures import language as figures
from zoo.report.figures.recognition import training
from zoo.tasks import completion, loading, planning, trigram
from zoo.tasks.running import Run

# Validation accuracy that the course's report gives for each size.
SIZES = {
    "trigram_lm_course": ("32, 256", 0.3691),
    "trigram_lm_course_16_128": ("16, 128", 0.3436),
    "trigram_lm_course_8_64": ("8, 64", 0.3195),
}


def main() -> None:
    """Makes the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data2.h5"))
    parser.add_argument("--out", type=Path, default=Path("part2"))
    parser.add_argument("--quick", action="store_true", help="one epoch, to see that it runs")
    options = parser.parse_args()
    changes = {"epochs": 1} if options.quick else {}
    report = Report(options.out, "Part 2: a trigram language model")
    report.text("## A. Three sizes")
    with TemporaryDirectory() as scratch:
        rows = []
        for name, (size, wanted) in SIZES.items():
            folder = Path(scratch) / name
            trigram.train(planning.plan(name, None, changes), options.data, Run(folder))
            model = loading.load(str(folder))
            found = trigram.evaluate(model, options.data, split="validation", baselines=False)
            history = loading.history(model)
            report.figure(f"a_{name}.png", training(history), f"training with D, P = {size}")
            rows.append((size, f"{found['top1']:.2%}", f"{wanted:.2%}", f"{found['cross_entropy']:.3f}",
                         str(len(history)), f"{model.config['training']['seconds']:.0f} s"))  # fmt: skip
        report.table(("D, P", "validation accuracy", "course", "cross-entropy", "epochs", "time"), rows)
        report.text(
            "The course starts all weights from N(0, 0.01^2) and, in its embedding gradient, takes every third column "
            "where it should take three blocks; here Keras's start and automatic differentiation are used.",
            "## B. Five random test trigrams",
        )
        model = loading.load(str(Path(scratch) / "trigram_lm_course"))
        for row in completion.examples(model, options.data):
            report.text(f"**{' '.join(row['context'])}** ... wanted: **{row['wanted']}**")
            report.table(
                ("word", "probability"),
                [
                    (f"**{answer['word']}**" if answer["word"] == row["wanted"] else answer["word"],
                     f"{answer['probability']:.2%}")
                    for answer in row["next"]
                ],
            )  # fmt: skip
        report.text("The words in the plane, by their embedding:")
        pictures = trigram.pictures(model, options.data)
        report.figure("b_words.png", figures.words(pictures["words"], pictures["places"]), "words")
        if model.metadata.simulated:
            report.text("The text is simulated: nobody wrote it.")
    print(report.write())


if __name__ == "__main__":
    main()
