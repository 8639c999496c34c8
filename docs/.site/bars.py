"""Bar charts of what was measured, as SVG inside the page, in its colors."""

import html
from collections.abc import Sequence
from statistics import mean

from zoo.catalog import PRESETS_FOLDER, preset_metrics
from zoo.files import read_json

_BENCHMARKS = PRESETS_FOLDER.parent / "benchmarks"
_WIDTH, _ROW, _LETTER, _NUMBER = 440, 24, 6.6, 70


def bars(title: str, rows: Sequence[tuple[str, float, str]]) -> str:
    """A bar for each row: its name, its number, and the number as text."""
    most, left = max(number for _, number, _ in rows), _LETTER * max(len(name) for name, _, _ in rows) + 12
    parts = []
    for place, (name, number, text) in enumerate(rows):
        middle, long = (place + 0.5) * _ROW, number / most * (_WIDTH - left - _NUMBER)
        parts.append(
            f'<text x="{left - 8:.1f}" y="{middle + 4:.1f}" text-anchor="end">{html.escape(name)}</text>'
            f'<rect x="{left:.1f}" y="{middle - 8:.1f}" width="{long:.1f}" height="16" rx="2"/>'
            f'<text x="{left + long + 6:.1f}" y="{middle + 4:.1f}">{text}</text>'
        )
    size = f'viewBox="0 0 {_WIDTH} {_ROW * len(rows)}" role="img" aria-label="{title}"'
    caption = f"<figcaption>{title}</figcaption>"
    return f'<figure class="chart"><svg class="chart" {size}>{"".join(parts)}</svg>{caption}</figure>'


def files(preset: str) -> str:
    """Sizes of the TFLite files of a preset, the largest first."""
    records = [row for row in preset_metrics(preset)["artifacts"] if row["file"].endswith(".tflite")]
    rows = [
        (row["format"], row["bytes"], f"{row['bytes'] / 1000:.1f} kB")
        for row in sorted(records, key=lambda row: -row["bytes"])
    ]
    return bars(f"Files of {preset}: 32-bit weights, and smaller ones", rows)


def little_data() -> str:
    """Macro-F1 on new real people of a random forest and of a preset that was fine-tuned on few people."""
    rows = []
    for cell in read_json(_BENCHMARKS / "small_data.json")["cells"]:
        if cell["data"] == "simulated":
            continue
        for method, title in (("random_forest", "random forest"), ("finetune", "fine-tuned")):
            score = mean(draw[method]["macro_f1"] for draw in cell["draws"])
            rows.append((f"{cell['people']} people, {title}", score, f"{score:.3f}"))
    return bars("Macro-F1 on other people of WISDM, by the number of people trained on", rows)


def engines(preset: str) -> str:
    """Microseconds per step of a preset in all engines, the fastest first."""
    found = read_json(_BENCHMARKS / "inference.json")["presets"][preset]
    rows = [
        (row["engine"], row["step"]["median_us"], f"{row['step']['median_us']:.2f} \N{MICRO SIGN}s")
        for row in sorted((row for row in found if "step" in row), key=lambda row: row["step"]["median_us"])
    ]
    return bars(f"Median time of a step of {preset}", rows)
