"""Part 1 of the course: a sparse autoencoder of natural image patches. Every figure of the report, from one file.

    python examples/course/part1.py --data data1.h5 --out part1 [--quick]

On two cores, the full run takes about six minutes, and `--quick` less than one.
"""

# %%
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from report import Report, options

from zoo import loading
from zoo.patches import figures, task
from zoo.patches.task import TASK as AUTOENCODER
from zoo.training import Training

given = options(__doc__, "data1.h5", "part1")
report = Report(given.out, "Part 1: a sparse autoencoder")
course = Training.of("sparse_autoencoder_course", {"epochs": 20} if given.quick else {})
scratch = TemporaryDirectory()


def trained(**arguments: Any) -> loading.Loaded:
    """The course's autoencoder with some arguments changed."""
    folder = Path(scratch.name) / (" ".join(f"{name} {value}" for name, value in arguments.items()) or "course")
    replace(course, arguments=course.arguments | arguments, out=folder).run(given.data)
    return loading.load(str(folder))


model = trained()
found = AUTOENCODER.evaluate(model, given.data)
pictures = AUTOENCODER.pictures(model, given.data)
history = model.history
units = task.kernel(model).shape[1]
report.headline(
    f"**A squared error of {found['mse']:.5f} per pixel** on patches that are held out, with a sparse code of {units} "
    f"numbers; as many principal components, which are not sparse: {found['pca_mse']:.5f}."
)
report.text(
    f"Data: `{given.data.name}`; measured on {found['patches']:,} patches that are held out"
    + (f", those of {', '.join(found['photographs'])}" if found["photographs"] else "")
    + f". Training: {len(history)} epochs of the course's recipe"
    + (", where the course takes 200: a trial run." if given.quick else "."),
    *(f"Note: {note}." for note in found["notes"]),
    "The course's report shows pictures and gives no numbers, so there are none to set beside those below. Its 10,240 "
    "patches are of other photographs, and it shows patches that it learned from, where those here are held out.",
)

# %% [markdown]
# ## A. Data and preprocessing

# %%
report.text(
    "## A. Data and preprocessing",
    "Luminance, each patch less its own mean, clipped at three standard deviations, scaled to [0.1, 0.9].",
)
report.figure("a_patches.png", figures.patches(pictures["rgb"], pictures["patches"]), "200 random patches")

# %% [markdown]
# ## B. Training

# %%
terms = {name: history[-1][name] for name in ("error", "weights", "sparsity")}
report.text(
    "## B. Training",
    f"The cost ends at {sum(terms.values()):.3f}: half the squared error {terms['error']:.3f}, weight decay "
    f"{terms['weights']:.3f}, sparsity {terms['sparsity']:.3f}. On held-out patches, the error per pixel is "
    f"{found['mse']:.5f}, that of as many principal components {found['pca_mse']:.5f}, and the variance "
    f"{found['variance']:.5f}.",
)
report.figure("b_cost.png", figures.cost(history), "cost and its terms")
report.figure(
    "b_reconstruction.png",
    figures.reconstructions(pictures["patches"], pictures["reconstructions"], found),
    "patches and their reconstructions",
)

# %% [markdown]
# ## C. Hidden features

# %%
report.text(
    "## C. Hidden features",
    f"The weights of the first layer, one picture per unit. {found['gabor_share']:.0%} of them are Gabor functions: "
    f"localized, oriented edges. Mean activations differ from the target "
    f"{found['sparsity_target']:g} by at most {found['max_activation_error']:.3f}.",
)
report.figure("c_features.png", figures.features(task.kernel(model), found), "weights of the first layer")

# %% [markdown]
# ## D. Hidden units and weight decay

# %%
kernels, rows, measured = {}, [], []
for units in (10, 64, 100):
    for decay in (0.0, 5e-4, 1e-3):
        other = trained(hidden_units=units, weight_decay=decay)
        kernels[units, decay] = task.kernel(other)
        scores = AUTOENCODER.evaluate(other, given.data)
        kept = ("mse", "pca_mse", "max_activation_error", "gabor_share")
        measured.append({"units": units, "weight_decay": decay, **{key: scores[key] for key in kept}})
        rows.append((f"{units}, {decay:g}", f"{scores['mse']:.5f}", f"{scores['pca_mse']:.5f}",
                     f"{scores['max_activation_error']:.3f}", f"{scores['gabor_share']:.0%}"))  # fmt: skip
report.text(
    "## D. Hidden units and weight decay",
    "The number of units grows downwards, weight decay to the right. Each filter has its own range of gray.",
)
report.figure("d_grid.png", figures.comparison(kernels), "filters of nine networks")
report.table(("units, decay", "error per pixel", "PCA", "largest error of a mean activation", "Gabor filters"), rows)

# %%
scratch.cleanup()
report.numbers = {"seed": course.recipe.seed, "epochs": len(history), "data_sha256": found["data_sha256"],
                  "cost": terms, "held_out": {key: found[key] for key in ("patches", "variance", *kept)},
                  "grid": measured}  # fmt: skip
print(report.write())
