"""Bar charts of what was measured, as SVG inside the page, in its colors."""

import html
from collections.abc import Sequence
from statistics import mean, median

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


def flash() -> str:
    """Flash of the plain C of each preset on one microcontroller, the largest first."""
    found = [row for row in read_json(_BENCHMARKS / "microcontroller.json")["boards"] if row["board"] == "m4"]
    rows = [
        (f"{row['preset']}, {row['format']}", row["flash"], f"{row['flash'] / 1000:.1f} kB")
        for row in sorted(found, key=lambda row: -row["flash"])
    ]
    return bars("Flash of each recognizer in plain C on a Cortex-M4F", rows)


def processors() -> str:
    """Instructions per step of a preset in plain C on each processor."""
    document = read_json(_BENCHMARKS / "microcontroller.json")
    rows = [
        (f"{document['processors'][row['board']]}, {row['format']}", row["instructions"], f"{row['instructions']:,}")
        for row in document["boards"]
        if row["preset"] == document["preset"]
    ]
    return bars(f"Instructions per step of {document['preset']}: only M4F and M7 have a floating-point unit", rows)


def thresholds() -> str:
    """Shares of unknown movements that are labeled, by the share of known windows that a threshold is to reject."""
    found = [row for row in read_json(_BENCHMARKS / "abstention.json")["rows"] if row["score"] == "probability"]
    rows = [
        (f"set to reject {row['share']:.0%}", row["movements_answered"], f"{row['movements_answered']:.1%}")
        for row in found
    ]
    return bars("Windows of unknown movements that are labeled nevertheless, by the threshold on the probability", rows)


def movements() -> str:
    """Shares of movements that are labeled as a known activity, without a class for others and with one."""
    found = {row["training"]: row["labeled"] for row in read_json(_BENCHMARKS / "other.json")["trainings"]}
    rows = []
    for movement, share in found["known alone"].items():
        name = movement.replace("_", " ")
        learned = found[f"without {movement}"][movement]
        rows += [(name, share, f"{share:.0%}"), (f"{name}, others learned", learned, f"{learned:.0%}")]
    return bars("Windows labeled as a known activity: without a class for other movements, and with one", rows)


def labeling() -> str:
    """Minutes to label an hour, by how it is labeled."""
    hours = read_json(_BENCHMARKS / "labeling.json")["models"][0]["hours"]
    rows = []
    for way in dict.fromkeys(hour["way"] for hour in hours):
        minutes = mean(hour["minutes"] for hour in hours if hour["way"] == way)
        rows.append((way, minutes, f"{minutes:.1f} min"))
    return bars("Minutes to label an hour of DSADS, by a program that acts as a person would", rows)


def ten_hours() -> str:
    """Seconds until ten hours are drawn and have proposals, the first time and again."""
    runs, rows = read_json(_BENCHMARKS / "ten_hours.json")["runs"], []
    for moment, name in (("drawn", "drawn"), ("in_view", "proposals in view"), ("proposals", "all proposals")):
        for run, times in (("first", "first time"), ("again", "again")):
            seconds = median(each[moment] for each in runs[run])
            rows.append((f"{name}, {times}", seconds, f"{seconds:.1f} s"))
    return bars("Seconds from the command to ten hours on the page", rows)


def studies(preset: str) -> str:
    """Accuracy on each study, of networks that were trained without its people, or without the study."""
    found, rows = preset_metrics(preset), []
    for study, people in found["test"]["per_study"].items():
        alone = found["studies"]["per_study"][study]
        for left_out, scores in (("people", people), ("study", alone)):
            rows.append((f"{study}, {left_out} left out", scores["accuracy"], f"{scores['accuracy']:.0%}"))
    return bars(f"Windows that {preset} recognizes in each study", rows)
