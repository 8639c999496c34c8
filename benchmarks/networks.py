"""What the networks of examples/networks cost: parameters, and the sizes of their files.

    python benchmarks/networks.py | tee benchmarks/networks.json
    python benchmarks/networks.py --page examples/networks/README.md  # writes the table into the page

For windows of 150 rows of 3 channels, and 6 labels. A size does not depend on the weights, so nothing is trained: the
integers of int8 are calibrated on random windows. That trained files answer as Keras does is what `zoo export` checks.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pages

from zoo.exporting.formats import convert
from zoo.exporting.signatures import activity, has_loop
from zoo.files import temporary_folder
from zoo.loading import Loaded
from zoo.models.function import Function
from zoo.provenance import versions
from zoo.report import markdown
from zoo.runtime.metadata import embed

FOLDER = Path(__file__).parents[1] / "examples" / "networks"
FORMATS = ("float32", "dynamic", "int8")


def measure(file: Path) -> dict[str, Any]:
    """Builds a network and converts it."""
    build = Function.of(f"{file}:build")
    if build is None:
        raise SystemExit(f"{file}: no function build")
    model = build(name=file.stem, mean=(0.0, 9.0, 0.0), variance=(9.0, 9.0, 9.0))
    windows = np.random.default_rng(0).normal(0, 5, (20, model.window, len(model.channels))).astype(np.float32)
    formats = [name for name in FORMATS if name != "int8" or not has_loop(model)]
    with temporary_folder() as folder:
        files = {name: folder / f"{name}.tflite" for name in formats}
        convert(activity(model, 10), files, 1, {"window": {"window": windows}})
        for path in files.values():
            embed(path, Loaded(model.name, model).metadata)
        sizes = {name: path.stat().st_size for name, path in files.items()}
    print(f"{model.name}: {sizes}", file=sys.stderr)
    return {"network": model.name, "parameters": model.count_params(), "bytes": sizes, "states": model.states}


def table(document: dict[str, Any]) -> str:
    """The networks, the smallest first."""
    rows = sorted(document["networks"], key=lambda row: row["parameters"])
    return markdown.table(
        ("network", "parameters", "float32, kB", "8-bit weights, kB", "int8, kB", "a continuous signal"),
        [
            (f"[{row['network']}]({row['network']}.py)", f"{row['parameters']:,}",
             *(f"{row['bytes'][name] / 1000:,.0f}" if name in row["bytes"] else "no" for name in FORMATS),
             "step by step" if row["states"] else "in windows")
            for row in rows
        ],
    )  # fmt: skip


def main() -> None:
    """Measures all and prints one JSON document."""
    options = pages.parser(__doc__).parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"networks": table})
        return
    networks = [measure(file) for file in sorted(FOLDER.glob("*.py"))]
    document = {"command": "python benchmarks/networks.py", "window": 150, "channels": 3, "classes": 6}
    print(json.dumps(document | {"networks": networks, "versions": versions()}, indent=2))


if __name__ == "__main__":
    main()
