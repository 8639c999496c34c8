"""Part 1 of the course: a sparse autoencoder of natural image patches. Every figure of the report, from one file.

    python examples/course/part1.py --data data1.h5 --out part1 [--quick]

On two cores the whole takes some six minutes, `--quick` less than one.
"""

import argparse
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from report import Report

from zoo.report.figures import reconstruction as figures
from zoo.tasks import autoencoder, loading, planning
from zoo.tasks.running import Plan, Run

UNITS, DECAYS = (10, 64, 100), (0.0, 1e-3, 5e-4)


def trained(plan: Plan, data: Path, folder: Path, **arguments: Any) -> loading.Loaded:
    """A model of the plan with some arguments changed."""
    autoencoder.train(replace(plan, arguments=plan.arguments | arguments), data, Run(folder))
    return loading.load(str(folder))


def main() -> None:
    """Makes the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data1.h5"))
    parser.add_argument("--out", type=Path, default=Path("part1"))
    parser.add_argument("--quick", action="store_true", help="few epochs, to see that it runs")
    options = parser.parse_args()
    changes = {"epochs": 5} if options.quick else {}
    plan = planning.plan("sparse_autoencoder_course", None, changes)
    report = Report(options.out, "Part 1: a sparse autoencoder")
    with TemporaryDirectory() as scratch:
        model = trained(plan, options.data, Path(scratch) / "model")
        found, pictures = autoencoder.evaluate(model, options.data), autoencoder.pictures(model, options.data)
        history = loading.history(model)
        report.text(
            f"Data: `{options.data.name}`, {found['patches']:,} patches held out"
            + (f" of {', '.join(found['photographs'])}" if found["photographs"] else "")
            + f"; {len(history)} epochs of the course's recipe.",
            *([f"Note: {note}." for note in found["notes"]]),
            "The course's report has the figures alone, no numbers; its photographs were others.",
            "## A. Data and preprocessing",
            "Luminance, each patch less its mean, clipped at three standard deviations, scaled to [0.1, 0.9].",
        )
        report.figure("a_patches.png", figures.patches(pictures["rgb"], pictures["patches"]), "patches")
        report.text(
            "## B. Training",
            f"The cost ends at {sum(history[-1][key] for key in ('error', 'weights', 'sparsity')):.3f}: half the "
            f"squared error {history[-1]['error']:.3f}, weight decay {history[-1]['weights']:.3f}, sparsity "
            f"{history[-1]['sparsity']:.3f}. On the patches held out the error a pixel is {found['mse']:.5f}, where "
            f"as many principal components leave {found['pca_mse']:.5f} and the variance is {found['variance']:.5f}.",
        )
        report.figure("b_cost.png", figures.cost(history), "cost and its terms")
        report.figure(
            "b_reconstruction.png",
            figures.reconstructions(pictures["patches"], pictures["reconstructions"], found),
            "patches and reconstructions",
        )
        report.text(
            "## C. Hidden features",
            f"{found['gabor_share']:.0%} of the filters are Gabor functions: localized, oriented edges. Mean "
            f"activations lie within {found['max_activation_error']:.3f} of the 0.04 asked.",
        )
        report.figure("c_features.png", figures.features(pictures["kernel"], found), "first-layer weights")
        report.text("## D. Hidden units and weight decay")
        kernels, rows = {}, []
        for units in UNITS:
            for decay in DECAYS:
                folder = Path(scratch) / f"{units} {decay}"
                other = trained(plan, options.data, folder, hidden_units=units, weight_decay=decay)
                measured = autoencoder.evaluate(other, options.data)
                kernels[units, decay] = autoencoder.kernel(other)
                rows.append((f"{units}, {decay:g}", f"{measured['mse']:.5f}", f"{measured['pca_mse']:.5f}",
                             f"{measured['max_activation_error']:.3f}", f"{measured['gabor_share']:.0%}"))  # fmt: skip
        report.table(("units, decay", "error a pixel", "PCA", "farthest mean activation", "Gabor filters"), rows)
        report.figure("d_grid.png", figures.comparison(kernels), "filters of nine networks")
        report.text("In the grid, units grow downwards and weight decay to the right; each filter has its own range.")
    print(report.write())


if __name__ == "__main__":
    main()
