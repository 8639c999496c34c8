"""The card of an autoencoder."""

from zoo.presets import Preset
from zoo.report.cards.page import Document, files, table, trained, use


def card(name: str, preset: Preset, metrics: Document, config: Document) -> list[str]:
    """The parts of the page, in order."""
    test = metrics["test"]
    units = len(test["mean_activation"])
    return [
        f"# {name}\n\n{preset.description}.",
        _what(config, metrics),
        trained(config, metrics),
        "**Intended use**: to teach and to look at; codes of small grey patches. Not for compressing pictures.\n",
        "## How it was measured\n",
        table(
            ("on the photographs held out", "error a pixel", "R^2"),
            [
                ("**this model**", f"{test['mse']:.5f}", f"{test['r2']:.3f}"),
                (f"PCA, {units} components", f"{test['pca_mse']:.5f}", f"{test['pca_r2']:.3f}"),
            ],
        ),
        f"\n{test['patches']:,} patches of {', '.join(test['photographs'])}, of which no training patch was cut. The "
        "error is the mean squared one of preprocessed pixels, in [0.1, 0.9]. Mean activations on them lie between "
        f"{min(test['mean_activation']):.4f} and {max(test['mean_activation']):.4f}, at most "
        f"{test['max_activation_error']:.4f} from {test['sparsity_target']:g}; on the training patches at most "
        f"{metrics['train']['max_activation_error']:.4f}. {test['dead_units']} units are dead. "
        f"{test['gabor_share']:.0%} of the filters are Gabor functions (R^2 above 0.5).\n",
        _seeds(metrics),
        f"{preset.note}\n" if preset.note else "",
        "![filters](features.png) ![cost](cost.png)\n",
        "![reconstructions](reconstruction.png)\n",
        _frontier(metrics),
        "## Where it fails\n",
        f"Fine texture is lost: the code keeps {test['r2']:.0%} of the variance where as many principal components "
        f"keep {test['pca_r2']:.0%}. A picture with much more or less contrast than the training photographs is coded "
        "more or less sparsely than asked.\n",
        files(metrics, {"r2": "R^2"}, "patch"),
        _use(name, metrics),
    ]


def headline(test: Document) -> tuple[str, str]:
    """What was measured, and what stands beside it."""
    return (
        f"error {test['mse']:.5f}, sparsity within {test['max_activation_error']:.3f}",
        f"PCA {test['pca_mse']:.5f}, not sparse",
    )


def _what(config: Document, metrics: Document) -> str:
    arguments, metadata = config["arguments"], config["metadata"]
    return f"""
{config["class"]} with {metrics["training"]["parameters"]:,} parameters: {arguments["hidden_units"]} hidden units, \
sparsity target {arguments["sparsity_target"]:g} with weight {arguments["sparsity_weight"]:g}, weight decay \
{arguments["weight_decay"]:g}. It reads patches of {metadata["size"]} x {metadata["size"]} pixels, red, green and \
blue in [0, 1]; luminance, centering, clipping and scaling are inside its exported files, no whitening. Its equations \
stand in `zoo/models/autoencoder.py`.
"""


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


def _use(name: str, metrics: Document) -> str:
    program = f"""import numpy as np
from zoo import Model

model = Model.from_preset("{name}")
code = model.encode(np.full((1, 256), 0.5, "float32"))  # preprocessed patches"""
    device = f"""import numpy as np
from zoo.runtime import Interpreter

autoencoder = Interpreter("saved_models/{name}/{metrics["artefacts"][-1]["file"]}")
code = autoencoder.run("encode", rgb=np.zeros((1, 3, 16, 16), "float32"))["code"]"""
    return use(name, program, device, metrics)
