"""Reports of autoencoders."""

from collections.abc import Sequence

from zoo.presets import Preset
from zoo.report import card as cards
from zoo.report import markdown as md
from zoo.report.markdown import Document

TITLE = "Sparse autoencoders"
SCORE, MAXIMIZE = "mse", False
FILE_SCORES = ("r2",)
EXAMPLE = "patch"
RESULTS = ("r2", "mse", "max_activation_error")


def training(summary: Document) -> str:
    """Renders the summary of a training run."""
    scores = summary["validation"]
    photographs = summary["held_out"]
    where = md.show(photographs) if photographs else "random patches, which may overlap those of the training"
    validation = (
        f"Validation: {md.say(scores, 'mse')} ({md.count(summary['held_out_patches'], 'patch')}; {where})"
        if scores
        else "No validation: the error on other photographs is unknown."
    )
    return md.trained(summary, "patch", "train_patches", validation)


def evaluation(report: Document) -> str:
    """Renders an evaluation: error with baselines, sparsity, filters, photographs."""
    simulated = " of SIMULATED pictures" if report["simulated"] else ""
    return md.page(
        f"# {md.escape(report['model'])} on {md.escape(report['data'])}",
        f"{md.count(report['patches'], 'patch')}{simulated}, split: {md.escape(report['split'])}.",
        _scores(report),
        _units(report),
        md.section("Photographs", _photographs(report)),
        *map(md.note, report["notes"]),
    )


def _scores(report: Document) -> str:
    rows = [
        ("**this model**", report),
        (
            f"PCA, {len(report['mean_activation'])} components, not sparse",
            {"mse": report["pca_mse"], "r2": report["pca_r2"]},
        ),
        ("mean of each pixel", {"mse": report["variance"], "r2": 0.0}),
    ]
    return md.columns(rows, ("mse", "r2"), "model")


def _units(report: Document) -> str:
    means = report["mean_activation"]
    return (
        f"The mean activations of the {len(means)} units range from {min(means):.4f} to {max(means):.4f}; the target "
        f"is {report['sparsity_target']:g}. The sparsity error, the largest deviation from the target, is "
        f"{md.show(report['max_activation_error'], 'max_activation_error')}. Dead units: {report['dead_units']}, "
        f"saturated: {report['saturated_units']}. {md.show(report['gabor_share'], 'gabor_share')} of the filters are "
        "close to Gabor functions, that is, edges or gratings in one direction (R² of the fit above 0.5)."
    )


def _photographs(report: Document) -> str:
    rows = [(md.escape(name), {**row, "r2": _r2(row)}) for name, row in (report.get("per_photograph") or {}).items()]
    return md.columns(rows, ("patches", "mse", "r2"), "photograph") if rows else ""


def _r2(row: Document) -> float | None:
    return 1 - row["mse"] / row["variance"] if row["variance"] else None


def predictions(rows: Sequence[Document]) -> str:
    """One row per patch."""
    return md.records(rows)


def headline(test: Document) -> tuple[str, str]:
    """The error on test data with the sparsity reached, and that of the baseline."""
    return md.say(test, SCORE, "max_activation_error"), f"PCA (not sparse) {md.show(test['pca_mse'], 'mse')}"


def interface(known: Document) -> dict[str, str]:
    """Describes input and output of a model."""
    size = _size(known)
    return {
        "input": f"RGB patches of {size} x {size} pixels in [0, 1]; the exported files compute the luminance, "
        "then center, clip and scale it; it is not whitened",
        "output": f"a code of {known['hidden_units']} numbers, and the reconstructed patch",
    }


def _size(known: Document) -> int:
    return int(known.get("size") or round(known["pixels"] ** 0.5))


def card(name: str, preset: Preset, metrics: Document, known: Document) -> dict[str, tuple[str, ...]]:
    """Renders the parts of a card that only autoencoders have, by heading."""
    test, size = metrics["test"], _size(known)
    shape = [1, 3, size, size]
    learned = md.show(metrics["train"]["max_activation_error"], "max_activation_error") if "train" in metrics else "-"
    return {
        "Intended use": ("Teaching, and exploring sparse codes of small gray patches. Not for image compression.",),
        "Training": (
            md.given(metrics, "seeds", _seeds), preset.note,
            md.given(metrics, "everything", lambda whole: _everything(whole, metrics["train"])),
            md.figures("cost.png", "features.png"),
        ),
        "Evaluation": (
            _scores(test),
            f"Split by photograph: tested on {md.count(test['patches'], 'patch')} of {md.show(test['photographs'])}; "
            f"trained on the {md.count(metrics['training']['train_patches'], 'patch')} of the other photographs. The "
            "error is measured on preprocessed pixels, in [0.1, 0.9].",
            f"{_units(test)} On the training patches, the sparsity error is {learned}.",
        ),
        "Limitations": (_limitations(test), md.figures("reconstruction.png")),
        "Error against sparsity": (_frontier(metrics) if "frontier" in metrics else "",),
        "Usage": (
            cards.usage(
                name, metrics,
                f'print(model.encode(np.full((1, {size**2}), 0.5, "float32")))  # preprocessed patches',
                f'encode(rgb=np.full({tuple(shape)}, 0.5, "float32"))["code"]',
                f"new Float32Array({3 * size**2}).fill(0.5), {shape}",
            ),
            "The files also have the signatures `decode` and `reconstruct`; see `zoo info FILE`.",
        ),
    }  # fmt: skip


def _everything(whole: Document, own: Document) -> str:
    """Compares with a training that holds no photograph out."""
    return (
        "The course holds out no photograph and fits its preprocessing on all patches. Trained in this way "
        f"(`--set validation=0`), the same recipe reaches {md.say(whole, 'mse')} on its "
        f"{md.count(whole['patches'], 'training patch')}; this model reaches {md.show(own['mse'], 'mse')} on its own "
        f"{own['patches']:,}."
    )


def _seeds(runs: Sequence[Document]) -> str:
    return (
        f"Trained on the same split with {md.count(len(runs), 'seed')} for the initial weights: MSE per pixel "
        f"{md.span(runs, 'mse')}, sparsity error {md.span(runs, 'max_activation_error')}. The model with the first of "
        "these seeds is published."
    )


def _frontier(metrics: Document) -> str:
    rows = [
        (f"{point['sparsity_weight']:g}", {**point, "sparsity error in training": point["train_max_activation_error"]})
        for point in metrics["frontier"]
    ]
    keys = ("mse", "max_activation_error", "sparsity error in training:.4f", "gabor_share")
    return md.page(
        "The weight of the sparsity term was chosen on these photographs of the training set: "
        f"{md.show(metrics['frontier_photographs'])}.",
        md.columns(rows, keys, "sparsity weight"),
        md.figures("frontier.png"),
    )


def _limitations(test: Document) -> str:
    worst = test["worst_photograph"]
    return md.page(
        f"Fine texture is lost: the code explains {test['r2']:.0%} of the variance, while the same number of principal "
        f"components explains {test['pca_r2']:.0%}. The worst photograph is {md.escape(worst)} (R² "
        f"{md.show(_r2(test['per_photograph'][worst]))}). Pictures with much more or less contrast than the training "
        "photographs get codes that are more or less sparse than the target.",
        _photographs(test),
    )
