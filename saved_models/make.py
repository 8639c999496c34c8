"""Trains every preset again from real data and rewrites weights, metrics, figures and cards.

    python saved_models/make.py --data ../shared/data [PRESET ...]

The course's presets: five seeds, the one with the lowest validation loss is kept; the test people are looked at once
per seed, after all choices. The pocket preset: cross-validated over groups of the training people, which also gives
its temperature; then trained on all of them.
"""

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console

from zoo.data import activity as windows_of
from zoo.data import importers, recordings
from zoo.evaluation import recognition
from zoo.export.parity import ParityError
from zoo.files import read_json, whole_file, whole_folder, write_json
from zoo.presets import PRESETS
from zoo.report import figures
from zoo.report.card import card
from zoo.report.tables import fold
from zoo.tasks import activity, exporting, loading, planning
from zoo.tasks.crossval import crossval
from zoo.tasks.provenance import versions

HERE = Path(__file__).parent
TEST_SUBJECTS = ["2", "9", "15", "21"]
SEEDS = 5
# Longer than the 150 rows that the model reads: training cuts each one at a random place and reads it at a random pace.
LONG = windows_of.Cut(window=200, hop=100)
GROUPS, CROSSVAL_SEEDS = 5, 2


def main() -> None:
    """Trains the presets named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="*", default=[], metavar="PRESET", help="all by default; none: only render")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    options = parser.parse_args()
    console = Console(stderr=True)
    course_file = options.data / "activity" / "data3.h5"
    for name in [] if options.presets == ["none"] else options.presets or PRESETS:
        console.rule(name)
        with tempfile.TemporaryDirectory() as scratch:
            if name.endswith("_course"):
                folder, metrics = course(name, course_file, Path(scratch), console)
            else:
                folder, metrics = pocket(name, options.data, Path(scratch), console)
            command = f"python saved_models/make.py --data DATA {name}"
            publish(name, folder, course_file, metrics, command)
    cards()
    if all((HERE / name / "metrics.json").is_file() for name in PRESETS):
        table(HERE.parent / "README.md")


def course(name: str, data: Path, scratch: Path, console: Console) -> tuple[Path, dict[str, Any]]:
    """Trains with several seeds and keeps the run with the lowest validation loss."""
    runs = []
    for seed in range(SEEDS):
        folder = scratch / str(seed)
        summary = activity.train(planning.plan(name, None, {}, {"seed": seed}), data, folder)
        found = activity.evaluate(loading.load(str(folder)), data, baselines=False)
        best = read_json(folder / "history.json")[summary["best_epoch"] - 1]
        runs.append({
            "seed": seed, "validation_loss": best["val_loss"], "validation_accuracy": best["val_accuracy"],
            "train_accuracy": best["accuracy"], "test_accuracy": found["accuracy"], "test_macro_f1": found["macro_f1"],
            "epochs": summary["epochs"], "seconds": summary["seconds"],
        })  # fmt: skip
        console.print(runs[-1])
    chosen = min(runs, key=lambda run: run["validation_loss"])
    for run in runs:
        run["chosen"] = run is chosen
    return scratch / str(chosen["seed"]), {"seeds": runs}


def pocket(name: str, data: Path, scratch: Path, console: Console) -> tuple[Path, dict[str, Any]]:
    """Imports MotionSense, cuts it, cross-validates over people, and trains on all training people."""
    raw, cut = scratch / "recordings.h5", scratch / "windows.h5"
    source = data / "activity" / "A_DeviceMotion_data.zip"
    recordings.write(
        raw,
        importers.read_motionsense(source, recordings.Dropped()),
        source="MotionSense (Malekzadeh et al., 2019)",
    )
    windows_of.write_windows(recordings.read(raw), cut, LONG, TEST_SUBJECTS)
    plan = planning.plan(name, None, {}, {"validation": 0.0})
    found = crossval(plan, cut, groups=GROUPS, seeds=CROSSVAL_SEEDS, report=lambda record: console.print(fold(record)))
    folder = scratch / "model"
    activity.train(plan, cut, folder, temperature=found["temperature"])
    # The forest gets the same people's windows as the network, in the length that it is tested on.
    short = scratch / "short.h5"
    windows_of.write_windows(recordings.read(raw), short, windows_of.Cut(), TEST_SUBJECTS)
    test = windows_of.read(data / "activity" / "data3.h5").test
    fitted = recognition.baselines(
        activity.everything_of(windows_of.read(short).train), activity.everything_of(test), test.subjects
    )
    return folder, {"crossval": found, "baselines": fitted}


def publish(name: str, folder: Path, data: Path, metrics: dict[str, Any], command: str) -> None:
    """Exports, measures on the test people, and puts the preset's folder in place of the older one."""
    preset, loaded = PRESETS[name], loading.load(str(folder))
    golden = activity.golden_windows(loaded, data)
    with whole_folder(HERE / name) as target:
        try:
            records = exporting.export(loaded, target / "artefacts", golden)
        except ParityError as error:
            # A network that is unsure of most windows changes more labels than an artefact may: it has no such file.
            metrics["refused"] = {"dynamic": str(error).replace(f"{target}/artefacts/", "")}
            records = exporting.export(loaded, target / "artefacts", golden, ("keras", "saved_model", "float32"))
        for path in (target / "artefacts").iterdir():
            path.rename(target / path.name)
        (target / "artefacts").rmdir()
        report = activity.evaluate(loaded, data, baselines="baselines" not in metrics, robustness=True)
        report |= {"model": name, "data": data.name}
        if "baselines" in metrics:
            report["baselines"] = metrics.pop("baselines")
        made = {
            "command": command, "seed": loaded.config["recipe"]["seed"], "data": preset.data,
            "data_sha256": loaded.metadata.data_sha256, "license": preset.license, "versions": versions(),
        }  # fmt: skip
        document = {"preset": name, "made": made, "training": loaded.config["training"], **metrics}
        write_json(target / "metrics.json", document | {"test": report, "artefacts": records})
        shutil.copy(folder / "history.json", target / "history.json")
        figures.evaluation(report, loading.history(loaded), target)


def cards() -> None:
    """Renders the card of each preset that was measured."""
    for name in PRESETS:
        folder = HERE / name
        if (folder / "metrics.json").is_file():
            page = card(name, PRESETS[name], read_json(folder / "metrics.json"), read_json(folder / "config.json"))
            with whole_file(folder / "card.md") as temporary:
                temporary.write_text(page, encoding="utf-8")


def table(readme: Path) -> None:
    """Writes the table of presets into README, from their metrics."""
    rows = [
        "| preset | parameters | smallest TFLite | test macro-F1 | 95 % over people | random forest |",
        "|---" * 6 + "|",
    ]
    for name in PRESETS:
        metrics = loading.preset_metrics(name)
        test = metrics["test"]
        *_, file = metrics["artefacts"]
        low, high = test["macro_f1_interval"]
        rows.append(
            f"| [{name}](saved_models/{name}/card.md) | {metrics['training']['parameters']:,} | "
            f"{file['bytes'] / 1000:.1f} kB, {file['milliseconds']:.2f} ms | {test['macro_f1']:.3f} | "
            f"{low:.3f} to {high:.3f} | {test['baselines']['random_forest']['macro_f1']:.3f} |"
        )
    before, _, rest = readme.read_text().partition("<!-- presets -->\n")
    _, _, after = rest.partition("<!-- end -->")
    with whole_file(readme) as temporary:
        temporary.write_text(f"{before}<!-- presets -->\n" + "\n".join(rows) + f"\n<!-- end -->{after}")


if __name__ == "__main__":
    main()
