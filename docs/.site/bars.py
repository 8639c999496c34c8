"""Bar charts of what was measured, as SVG inside the page, in its colors."""

import html
from collections.abc import Sequence
from statistics import fmean, median

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
        if cell["data"] != "selfBACK":
            continue
        for method, title in (("random_forest", "random forest"), ("finetune", "fine-tuned")):
            score = fmean(draw[method]["macro_f1"] for draw in cell["draws"])
            rows.append((f"{cell['people']} people, {title}", score, f"{score:.3f}"))
    return bars("Macro-F1 on other people of selfBACK, by the number of people trained on", rows)


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


def unknown() -> str:
    """Shares of windows that are labeled, of activities that a network knows, and of movements that it does not."""
    found = {row["activity"]: row["answered"] for row in read_json(_BENCHMARKS / "abstention.json")["activities"]}
    known = ("jogging", "sitting", "stairs", "standing", "walking")
    movements = ("catching_ball", "dribbling_ball", "folding_clothes", "kicking_ball")
    rows = [
        (f"{name.replace('_', ' ')}, {kind}", found[name]["probability"], f"{found[name]['probability']:.0%}")
        for kind, names in (("known", known), ("unknown", movements))
        for name in names
    ]
    return bars("Windows that are labeled, with a threshold on the probability that is set to reject 5%", rows)


def movements() -> str:
    """Shares of the time of movements that are shown as a known activity, without a class for others and with one."""
    rows = []
    for kind, shares in read_json(_BENCHMARKS / "other.json")["by_kind"].items():
        never, _, unseen, learned = shares.values()
        named = {"without the class": never, "trained without it": unseen, "with it": learned}
        rows += [(f"{kind.replace('_', ' ')}, {how}", share, f"{share:.0%}") for how, share in named.items()]
    return bars("Time shown as a known activity, of people whom the network does not know", rows)


def labeling() -> str:
    """Minutes to label an hour, by how it is labeled."""
    hours = read_json(_BENCHMARKS / "labeling.json")["models"][0]["hours"]
    rows = []
    for way in dict.fromkeys(hour["way"] for hour in hours):
        minutes = fmean(hour["minutes"] for hour in hours if hour["way"] == way)
        rows.append((way, minutes, f"{minutes:.1f} min"))
    return bars("Minutes to label an hour of DSADS, by a program that acts as a person would", rows)


def doubts() -> str:
    """How many labels were made wrong, and how many of these the list asks about, with all that it asks about."""
    rows = []
    for model in read_json(_BENCHMARKS / "labeling.json")["models"]:
        for key, name in (("wrong", "wrong labels"), ("asked", "on the list"), ("found", "on the list, and wrong")):
            # A second model of a study was measured for its proposals alone.
            if "enough" in model:
                number = sum(check[key] for check in model["checks"])
                rows.append((f"{model['study'].upper()}, {name}", number, str(number)))
    return bars("Labels that were made wrong in hours joined of recordings, and the list of what to check", rows)


def ready() -> str:
    """Seconds until the phone page is ready, by what runs the network."""
    rows = []
    for phone, name in (("here", "a computer"), ("slow_phone", "a simulated slow phone")):
        for engine, runs in (("typescript", "the page itself"), ("litert", "LiteRT.js")):
            seconds = read_json(_BENCHMARKS / "phone.json")["engines"][engine]["seconds_to_ready"][phone]
            rows.append((f"{name}: {runs}", seconds, f"{seconds:.1f} s"))
    return bars("Seconds until the phone page is ready", rows)


def fitting() -> str:
    """Microseconds of training per window, by zoo.train and by Keras's fit with its defaults."""
    rows = []
    for preset, cell in (("rnn", "SimpleRNN"), ("lstm", "LSTM"), ("gru", "GRU")):
        measured = read_json(_BENCHMARKS / "training.json")[f"activity_{preset}_course"]["microseconds_a_window"]
        for way, name in (("keras_defaults", "Keras's fit"), ("zoo", "zoo.train")):
            rows.append((f"{cell}, {name}", measured[way], f"{measured[way]:.0f} \N{MICRO SIGN}s"))
    return bars("Training time per window of 150 rows, on two cores", rows)


def filters() -> str:
    """Shares of walking that are shown as stairs in studies that were left out, by what a stream shows."""
    found, rows = read_json(_BENCHMARKS / "filters.json")["filters"], []
    for study in ("geotec", "oxford", "wisdm"):
        for name, key in (("average of 0.5 s", "average over 0.5 s"), ("filter", "zoo")):
            share = next(row for row in found[key] if row["left_out"] == row["study"] == study)["walking_as_stairs"]
            rows.append((f"{study}, {name}", share, f"{share:.1%}"))
    return bars("Walking that is shown as stairs, in studies that were left out of the training", rows)


def flights() -> str:
    """Shares of flights of ten seconds that are shown as stairs to new people, by the evidence of a filter."""
    sums: dict[tuple[str, str], list[int]] = {}
    for row in read_json(_BENCHMARKS / "flights.json")["rows"]:
        if row["split"] == "people" and "10" in row["sums"]:
            hits, moments = sums.get((row["study"], row["balance"]), (0, 0))
            right, of, *_ = row["sums"]["10"]
            sums[row["study"], row["balance"]] = [hits + right, moments + of]
    rows = []
    for study in sorted({study for study, _ in sums}):
        for name, balance in (("as in the file", "as in the zoo"), ("evidence 0.6", "evidence 0.6")):
            hits, moments = sums[study, balance]
            rows.append((f"{study}, {name}", hits / moments, f"{hits / moments:.0%}"))
    return bars("Time of flights of ten seconds that is shown right, new people", rows)


def turns() -> str:
    """Shares of windows that are right in studies that were left out, as they are and turned."""
    found: dict[str, dict[str, list[float]]] = {}
    for row in (row for row in read_json(_BENCHMARKS / "turns.json")["rows"] if row["training"] == "as in the zoo"):
        found.setdefault(row["turn"], {}).setdefault(row["study"], []).append(row["right"])
    rows = []
    for turn, studies in found.items():
        share = fmean(fmean(shares) for shares in studies.values())
        rows.append((turn, share, f"{share:.0%}"))
    return bars("Windows that are right in six studies that were left out, by simulated turns of the phone", rows)


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
