"""The card of an autoencoder."""

from zoo.presets import Preset
from zoo.report.cards import page
from zoo.report.cards.page import Document, table


def card(name: str, preset: Preset, metrics: Document, config: Document) -> list[str]:
    """The parts of the page, in order."""
    test = metrics["test"]
    units = len(test["mean_activation"])
    return [
        page.head(name, preset, _glance(config, metrics), metrics),
        _equations(config),
        "## Intended use\n\nTo teach and to look at: codes of small grey patches. Not for compressing pictures.\n",
        page.trained(config, metrics),
        "## How it was measured\n",
        table(
            ("on the photographs held out", "error a pixel", "R^2"),
            [
                ("**this model**", f"{test['mse']:.5f}", f"{test['r2']:.3f}"),
                (f"PCA, {units} components", f"{test['pca_mse']:.5f}", f"{test['pca_r2']:.3f}"),
            ],
        ),
        f"\nSplit by photograph: {test['patches']:,} patches of {', '.join(test['photographs'])}, of which no training "
        "patch was cut. The error is the mean squared one of preprocessed pixels, in [0.1, 0.9]. Mean activations on "
        f"them lie between {min(test['mean_activation']):.4f} and {max(test['mean_activation']):.4f}, at most "
        f"{test['max_activation_error']:.4f} from {test['sparsity_target']:g}; on the training patches at most "
        f"{metrics['train']['max_activation_error']:.4f}. {test['dead_units']} units are dead. "
        f"{test['gabor_share']:.0%} of the filters are Gabor functions (R^2 above 0.5).\n",
        _seeds(metrics),
        f"{preset.note}\n" if preset.note else "",
        "![filters](features.png) ![cost](cost.png)\n",
        _frontier(metrics),
        "## Where it fails\n",
        _failures(test),
        "![reconstructions](reconstruction.png)\n",
        page.files(metrics, {"r2": "R^2"}, "patch"),
        _use(name, metrics, config),
        page.again(name, metrics),
    ]


def headline(test: Document) -> tuple[str, str]:
    """What was measured, and what stands beside it."""
    return (
        f"error {test['mse']:.5f}, sparsity within {test['max_activation_error']:.3f}",
        f"PCA {test['pca_mse']:.5f}, not sparse",
    )


def _glance(config: Document, metrics: Document) -> dict[str, str]:
    arguments, metadata = config["arguments"], config["metadata"]
    return {
        "model": f"{config['class']}, {metrics['training']['parameters']:,} parameters: {arguments['hidden_units']} "
        "hidden units, tied weights",
        "reads": f"patches of {metadata['size']} x {metadata['size']} pixels, red, green and blue in [0, 1]; "
        "luminance, centering, clipping and scaling are inside its exported files, no whitening",
        "gives": f"a code of {arguments['hidden_units']} numbers, and the patch again from it",
        "measured": "{}, beside it {}".format(*headline(metrics["test"])),
    }


def _equations(config: Document) -> str:
    arguments = config["arguments"]
    network, cost, *_ = page.specification("autoencoder")
    symbols = (
        f"D = {arguments['pixels']}, H = {arguments['hidden_units']}, rho = {arguments['sparsity_target']:g}, beta = "
        f"{arguments['sparsity_weight']:g}, lambda = {arguments['weight_decay']:g}"
    )
    return page.computes([*network, "", *cost], symbols, "autoencoder")


def _failures(test: Document) -> str:
    worst = test["worst_photograph"]
    rows = [
        (name, f"{row['patches']:,}", f"{row['mse']:.5f}", f"{1 - row['mse'] / row['variance']:.3f}")
        for name, row in test["per_photograph"].items()
    ]
    row = test["per_photograph"][worst]
    return (
        f"Fine texture is lost: the code keeps {test['r2']:.0%} of the variance where as many principal components "
        f"keep {test['pca_r2']:.0%}. The worst photograph is {worst}, of which it keeps "
        f"{1 - row['mse'] / row['variance']:.0%}. A picture with much more or less contrast than the training "
        "photographs is coded more or less sparsely than asked.\n\n"
        + table(("photograph", "patches", "error a pixel", "R^2"), rows)
        + "\n"
    )


def _seeds(metrics: Document) -> str:
    errors = [run["mse"] for run in metrics["seeds"]]
    away = [run["max_activation_error"] for run in metrics["seeds"]]
    return (
        f"Weights from {len(errors)} seeds, the same photographs held out: error {min(errors):.5f} to "
        f"{max(errors):.5f}, farthest unit {min(away):.4f} to {max(away):.4f}; the first seed is kept.\n"
    )


def _frontier(metrics: Document) -> str:
    if "frontier" not in metrics:
        return ""
    lines = [
        (f"{point['sparsity_weight']:g}", f"{point['mse']:.5f}", f"{point['max_activation_error']:.4f}",
         f"{point['train_max_activation_error']:.4f}", f"{point['gabor_share']:.0%}")
        for point in metrics["frontier"]
    ]  # fmt: skip
    return (
        "## Error against sparsity\n\n"
        "The weight of the sparsity term, chosen on other photographs than the ones held out above (validation "
        f"photographs: {', '.join(metrics['frontier_photographs'])}):\n\n"
        + table(("weight", "error a pixel", "farthest unit", "farthest unit in training", "Gabor filters"), lines)
        + "\n\n![frontier](frontier.png)\n"
    )


def _use(name: str, metrics: Document, config: Document) -> str:
    size, small = config["metadata"]["size"], page.portable(metrics, "dynamic", "float32")
    shape = (1, 3, size, size)
    keras = f"""import numpy as np
from zoo import Model

model = Model.from_preset("{name}")
print(model.encode(np.full((1, {size * size}), 0.5, "float32")))  # preprocessed patches"""
    litert = f"""import numpy as np
from ai_edge_litert.interpreter import Interpreter

encode = Interpreter("saved_models/{name}/{small}").get_signature_runner("encode")
print(encode(rgb=np.full({shape}, 0.5, "float32"))["code"])"""
    array = f"new Float32Array({3 * size * size}).fill(0.5)"
    web = page.javascript(page.portable(metrics, "float32"), "encode", "rgb", array, shape, "code")
    return page.use(
        keras, litert, web, "Beside `encode` the files answer `decode` and `reconstruct`; see `zoo info FILE`."
    )
