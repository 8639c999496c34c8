"""Trains every preset again from real data and rewrites weights, metrics, figures and cards.

    python saved_models/make.py --data ../shared/data [PRESET ...]

The course's recognizers: five seeds, the one with the lowest validation loss is kept; the test people are looked at
once per seed, after all choices. The pocket preset: cross-validated over groups of the training people, which also
gives its temperature; then trained on all of them. The autoencoders: three seeds of the weights, the first is kept;
the best one's weight of the sparsity term is compared on photographs of the training part alone. The language models:
two seeds, the one with the lower validation cross-entropy is kept; the course's also with the course's start.
"""

import argparse
import shutil
import tempfile
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from zoo.data import activity as windows_of
from zoo.data import hdf5, importers, patches, recordings
from zoo.data.activity import center_crop
from zoo.evaluation.activity import macro_f1
from zoo.evaluation.baselines import baseline_scores
from zoo.families import find_family
from zoo.files import atomic_folder, read_json, write_json
from zoo.presets import PRESETS
from zoo.report import figures_for, markdown, results
from zoo.report.card import card
from zoo.report.figures import autoencoder as pictures
from zoo.report.figures import drawing
from zoo.report.live import FoldBoard
from zoo.runtime import Interpreter, Recognizer
from zoo.tasks import exporting, loading, personal, planning, streaming
from zoo.tasks.activity import TASK as ACTIVITY
from zoo.tasks.autoencoder import TASK as AUTOENCODER
from zoo.tasks.bench import bench
from zoo.tasks.crossval import Protocol, cross_validate
from zoo.tasks.provenance import versions
from zoo.tasks.running import Run, train
from zoo.tasks.task import task_of

HERE = Path(__file__).parent
DATA = {"activity": "activity/data3.h5", "autoencoder": "images/data1.h5", "trigram": "text/data2.h5"}
TEST_SUBJECTS = ["2", "9", "15", "21"]
POCKET = "activity_gru_pocket"
SEEDS = 5
# Longer than the 150 rows that the model reads: training cuts each one at a random place and reads it at a random pace.
LONG = windows_of.Windowing(window=200, hop=100)
GROUPS, CROSSVAL_SEEDS, WORKERS = 5, 2, 2
WEIGHT_SEEDS = 3
SPARSITY_WEIGHTS = (0.2, 0.3, 0.5, 0.7, 1.0, 2.0, 5.0)
SPLITS = 2
TEXT_SEEDS = 2
UNITS, DECAYS = (10, 64, 100), (0.0, 1e-3, 5e-4)


def main() -> None:
    """Trains the presets named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="*", default=[], metavar="PRESET", help="all by default; none: only render")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--export", action="store_true", help="write files, figures and cards of the published weights")
    parser.add_argument("--evaluate", action="store_true", help="measure the published weights on the test part again")
    parser.add_argument("--time", action="store_true", help="time the published files again, all in one run")
    options = parser.parse_args()
    console = Console(stderr=True)
    for name in [] if options.presets == ["none"] else options.presets or PRESETS:
        console.rule(name)
        kind = find_family(PRESETS[name].family).task
        measured_on = options.data if options.data.is_file() else options.data / DATA[kind]
        if options.evaluate or options.time:
            (evaluate_again if options.evaluate else time_again)(name, measured_on)
            continue
        with tempfile.TemporaryDirectory() as scratch:
            if options.export:
                folder, metrics = published(name, Path(scratch))
            elif kind == "autoencoder":
                folder, metrics = photographs(name, measured_on, Path(scratch), console)
            elif kind == "trigram":
                folder, metrics = text(name, measured_on, Path(scratch), console)
            elif name == POCKET:
                folder, metrics = pocket(name, options.data, Path(scratch), console)
            else:
                folder, metrics = seeds(name, measured_on, Path(scratch), console)
            publish(name, folder, measured_on, metrics)
    cards()
    results_of_all()
    if all((HERE / name / "metrics.json").is_file() for name in PRESETS):
        table(HERE.parent / "README.md")


def published(name: str, scratch: Path) -> tuple[Path, dict[str, Any]]:
    """The weights that are published, and what their training measured."""
    for file in ("model.keras", "config.json", "history.json"):
        shutil.copy(HERE / name / file, scratch / file)
    metrics = read_json(HERE / name / "metrics.json")
    measured_anew = ("preset", "kind", "made", "training", "refused", "artifacts")
    return scratch, {key: value for key, value in metrics.items() if key not in measured_anew}


def seeds(name: str, data: Path, scratch: Path, console: Console) -> tuple[Path, dict[str, Any]]:
    """Trains with several seeds and keeps the run with the lowest validation loss."""
    metrics = {"seeds": runs_of(name, data, scratch, console, {})}
    if not PRESETS[name].recipe.normalize:
        metrics["normalized"] = runs_of(name, data, scratch / "normalized", console, {"normalize": True})
    chosen = min(metrics["seeds"], key=lambda run: run["validation_loss"])
    for run in metrics["seeds"]:
        run["chosen"] = run is chosen
    return scratch / str(chosen["seed"]), metrics


def runs_of(name: str, data: Path, scratch: Path, console: Console, changes: dict[str, Any]) -> list[dict[str, Any]]:
    """Trains a recognizer with several seeds; what each run measured."""
    runs = []
    for seed in range(SEEDS):
        folder = scratch / str(seed)
        summary = train(planning.plan(name, None, {"seed": seed, **changes}), data, Run(folder)).summary
        found = ACTIVITY.evaluate(loading.load(str(folder)), data, baselines=False)
        best = read_json(folder / "history.json")[summary["best_epoch"] - 1]
        runs.append({
            "seed": seed, "validation_loss": best["val_loss"], "validation_accuracy": best["val_accuracy"],
            "train_accuracy": best["accuracy"], "test_accuracy": found["accuracy"], "test_macro_f1": found["macro_f1"],
            "epochs": summary["epochs"], "seconds": summary["seconds"],
        })  # fmt: skip
        console.print(runs[-1])
    return runs


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
    plan = planning.plan(name, None, {"validation": 0.0})
    board = FoldBoard(console, plan.recipe.epochs, WORKERS)
    with board.shown():
        protocol = Protocol(GROUPS, CROSSVAL_SEEDS)
        found = cross_validate(plan, cut, scratch / "crossval", protocol, workers=WORKERS, on_progress=board.update)
    folder = scratch / "model"
    train(plan, cut, Run(folder), temperature=found["temperature"])
    # The forest gets the same people's windows as the network, in the length that it is tested on.
    short = scratch / "short.h5"
    windows_of.write_windows(recordings.read(raw), short, windows_of.Windowing(), TEST_SUBJECTS)
    test = windows_of.read(data / "activity" / "data3.h5").test
    fitted = baseline_scores(windows_of.read(short).train.arrays(), test.arrays(), test.subjects)
    return folder, {"crossval": found, "baselines": fitted}


def photographs(name: str, data: Path, scratch: Path, console: Console) -> tuple[Path, dict[str, Any]]:
    """Trains with several seeds of the weights; the best preset also for several weights of the sparsity term."""
    plan = planning.plan(name, None, {})
    runs = []
    for seed in range(WEIGHT_SEEDS):
        found = _autoencoder(plan, {"seed": seed}, data, scratch / str(seed))
        runs.append({"seed": seed, **{key: found[key] for key in ("mse", "r2", "max_activation_error", "gabor_share")}})
        console.print(runs[-1])
    metrics: dict[str, Any] = {"seeds": runs}
    metrics["train"] = {
        key: value
        for key, value in AUTOENCODER.evaluate(loading.load(str(scratch / "0")), data, split="train").items()
        if key in ("mse", "r2", "pca_mse", "max_activation_error", "dead_units", "patches")
    }
    if name.endswith("_best"):
        metrics |= frontier(plan, data, scratch, console)
    return scratch / "0", metrics


def _autoencoder(plan: Any, arguments: dict[str, Any], data: Path, folder: Path) -> dict[str, Any]:
    train(replace(plan, arguments=plan.arguments | arguments), data, Run(folder))
    return AUTOENCODER.evaluate(loading.load(str(folder)), data)


def frontier(plan: Any, data: Path, scratch: Path, console: Console) -> dict[str, Any]:
    """Error against sparsity on photographs of the training part, for several weights of the sparsity term."""
    known = patches.read(data)
    kept, _ = known.hold_out(plan.recipe.validation, plan.recipe.seed)
    training_part = scratch / "training.h5"
    names = hdf5.read(data, "source_names")
    with hdf5.create(training_part) as file:
        file["data"] = np.concatenate(list(known.blocks(kept)))
        file["source"], file["source_names"] = hdf5.read(data, "source")[kept], names.tolist()
    points, seen = [], set()
    for weight in SPARSITY_WEIGHTS:
        found, inside = [], []
        for split in range(SPLITS):
            folder = scratch / f"weight {weight} {split}"
            other = replace(plan, recipe=replace(plan.recipe, seed=split))
            found.append(_autoencoder(other, {"sparsity_weight": weight}, training_part, folder))
            inside.append(AUTOENCODER.evaluate(loading.load(str(folder)), training_part, split="train"))
            seen |= set(found[-1]["photographs"])
        mean = {key: float(np.mean([f[key] for f in found])) for key in ("mse", "max_activation_error", "gabor_share")}
        spread = float(np.mean([f["max_activation_error"] for f in inside]))
        points.append({"sparsity_weight": weight, **mean, "train_max_activation_error": spread})
        console.print(points[-1])
    return {"frontier": points, "frontier_photographs": sorted(seen)}


def text(name: str, data: Path, scratch: Path, console: Console) -> tuple[Path, dict[str, Any]]:
    """Trains with several seeds and keeps the one with the lowest validation loss; the course's also from its start."""
    runs = []
    for seed in range(TEXT_SEEDS):
        folder = scratch / str(seed)
        summary = train(planning.plan(name, None, {"seed": seed}), data, Run(folder)).summary
        runs.append({"seed": seed, **summary["validation"], "epochs": summary["epochs"], "seconds": summary["seconds"]})
        console.print(runs[-1])
    chosen = min(runs, key=lambda run: run["cross_entropy"])
    metrics: dict[str, Any] = {"seeds": [run | {"chosen": run is chosen} for run in runs]}
    if "course" in name:
        train(planning.plan(name, None, {"initializer": "course"}), data, Run(scratch / "course"))
        starts = {"keras": "0", "course": "course"}
        metrics["starts"] = {start: _first_epochs(scratch / folder) for start, folder in starts.items()}
    return scratch / str(chosen["seed"]), metrics


def _first_epochs(folder: Path) -> dict[str, Any]:
    history = read_json(folder / "history.json")
    best = min(history, key=lambda epoch: epoch["val_loss"])
    first = [epoch for epoch in history if epoch["epoch"] in (1, 2, 4, 8, 16)]
    return {"first_epochs": first, "epochs": len(history), **{key: best[key] for key in ("val_loss", "val_accuracy")}}


def time_again(name: str, _: Path) -> None:
    """Times the TFLite files of a preset on this machine, each by the signature that its record names."""
    metrics = read_json(HERE / name / "metrics.json")
    for record in metrics["artifacts"]:
        if record["file"].endswith(".tflite") and record.get("timed"):
            costs = bench(HERE / name / record["file"])["signatures"]
            record["milliseconds"] = round(costs[record["timed"]]["median_ms"], 4)
    metrics["made"]["timed_on"] = versions()["machine"]
    write_json(HERE / name / "metrics.json", metrics)


def rounded_stop(history: list[dict[str, float]], patience: int) -> dict[str, Any]:
    """Where training would have stopped if it compared validation losses rounded to three digits, as in the course."""
    best = history[0]
    for epoch in history:
        if round(epoch["val_loss"], 3) < round(best["val_loss"], 3):
            best = epoch
        elif epoch["epoch"] - best["epoch"] >= patience:
            break
    return {"epochs": epoch["epoch"], "best_epoch": best["epoch"], "val_loss": best["val_loss"]}


def publish(name: str, folder: Path, data: Path, metrics: dict[str, Any]) -> None:
    """Exports, measures on the test part, and puts the preset's folder in place of the older one."""
    preset = PRESETS[name]
    loaded = with_license(folder, preset.license)
    task = loaded.task
    family = task.exportable(loaded, data)
    finished = HERE / f"{name}.new"
    with atomic_folder(finished) as target:
        formats = [*family.formats, *(family.extra_formats if name == POCKET else ())]
        # A network that is unsure of most rows changes more answers than an artifact may: it has no such file.
        refused: dict[str, str] = {}
        records = exporting.export(loaded, family, target / "artifacts", formats, refused)
        if refused:
            metrics["refused"] = {k: why.replace(f"{target}/artifacts/", "") for k, why in refused.items()}
        for path in (target / "artifacts").iterdir():
            path.rename(target / path.name)
        (target / "artifacts").rmdir()
        report = measured(loaded, data, metrics)
        made = {
            "command": f"python saved_models/make.py --data DATA {name}",
            "seed": loaded.config["recipe"]["seed"], "data": preset.data,
            "data_sha256": loaded.metadata.data_sha256, "license": preset.license, "versions": versions(),
        }  # fmt: skip
        document = {"preset": name, "kind": task.name, "made": made, "training": loaded.config["training"], **metrics}
        document |= on_tflite_micro(target / "model.int8.tflite", data)
        if name == POCKET:
            document |= on_device(target, data, report)
        if "starts" in metrics:
            document["rounded_stop"] = rounded_stop(loaded.history, preset.recipe.patience or 0)
        write_json(target / "metrics.json", document | {"test": report, "artifacts": records})
        shutil.copy(folder / "history.json", target / "history.json")
        task.figures.evaluation(report, loaded.history, task.pictures(loaded, data), target)
        if "frontier" in metrics:
            chosen = preset.arguments["sparsity_weight"]
            drawing.save(pictures.frontier(metrics["frontier"], chosen), target / "frontier.png")
    shutil.rmtree(HERE / name, ignore_errors=True)
    finished.rename(HERE / name)


def with_license(folder: Path, license: str) -> loading.Loaded:
    """The model in a folder, whose provenance now states the license of its training data."""
    config = read_json(folder / "config.json")
    model = loading.load(folder).keras_model
    model.provenance = {**(model.provenance or {}), "license": license}
    details = {key: value for key, value in config.items() if key not in ("class", "arguments")}
    model.save_to_preset(folder, **details | {"metadata": task_of(model).metadata(model).to_json()})
    return loading.load(folder)


def measured(loaded: loading.Loaded, data: Path, metrics: dict[str, Any]) -> dict[str, Any]:
    """What the test part says of a preset, beside baselines; those that `metrics` has already are not fitted again."""
    task = loaded.task
    options = {"baselines": "baselines" not in metrics, "robustness": True} if task.name == "activity" else {}
    report: dict[str, Any] = task.evaluate(loaded, data, **options)
    report |= {"model": loaded.metadata.preset, "data": data.name}
    if "baselines" in metrics:
        report["baselines"] = metrics["baselines"]
    return report


def evaluate_again(name: str, data: Path) -> None:
    """Measures the published weights on the test part, and draws its figures."""
    loaded, metrics = loading.load(str(HERE / name)), read_json(HERE / name / "metrics.json")
    task = loaded.task
    metrics["test"] = measured(loaded, data, metrics)
    metrics |= on_tflite_micro(HERE / name / "model.int8.tflite", data)
    if "starts" in metrics:
        metrics["rounded_stop"] = rounded_stop(loaded.history, PRESETS[name].recipe.patience or 0)
    write_json(HERE / name / "metrics.json", metrics)
    task.figures.evaluation(metrics["test"], loaded.history, task.pictures(loaded, data), HERE / name)


def on_device(folder: Path, data: Path, test: dict[str, Any]) -> dict[str, Any]:
    """The test people's recordings streamed without end, and one minute of each person learned."""
    with tempfile.TemporaryDirectory() as scratch:
        raw = Path(scratch) / "recordings.h5"
        read = importers.read_motionsense(data.parent / "A_DeviceMotion_data.zip", recordings.Dropped())
        recordings.write(raw, read, source="MotionSense (Malekzadeh et al., 2019)")
        kinds = ("float32", "dynamic", "int8", "int16x8")
        streamed = {
            kind: streaming.evaluate(Recognizer(folder / f"model.{kind}.tflite"), raw, subjects=TEST_SUBJECTS)
            for kind in kinds if (folder / f"model.{kind}.tflite").is_file()
        }  # fmt: skip
    file = folder / "model.personal.tflite"
    return {
        "streaming": streamed,
        "personal": [personal.evaluate(file, data, subject) for subject in test["per_subject"]],
    }


def on_tflite_micro(file: Path, data: Path) -> dict[str, Any]:
    """Scores of an int8 file that steps, by the kernels of TFLite Micro, which round differently from LiteRT's."""
    if not file.is_file() or "step" not in Interpreter(file).signatures or find_spec("tflite_micro") is None:
        return {}
    from tflite_micro.python.tflite_micro import runtime

    recognizer, micro = Recognizer(file), runtime.Interpreter.from_bytes(file.read_bytes())
    inputs, outputs = recognizer.order("step")
    windows, labels = ACTIVITY.read(data).test.arrays()
    predicted = []
    for window in center_crop(windows, recognizer.metadata.window):
        states = recognizer.zeros()
        for frame in np.split(window, len(window) // recognizer.metadata.frame):
            micro.set_input(frame[None], inputs["frame"])
            for name, value in states.items():
                micro.set_input(value, inputs[name])
            micro.invoke()
            states = {name: micro.get_output(outputs[name]) for name in states}
        predicted.append(int(micro.get_output(outputs["probabilities"]).argmax()))
    found = np.array(predicted)
    scores = {"accuracy": float((found == labels).mean()), "macro_f1": macro_f1(labels, found)}
    return {"tflite_micro": scores | {"file": file.name, "windows": len(labels)}}


def cards() -> None:
    """Renders the card of each preset that was measured, and the figures that its numbers alone make."""
    for name, preset in PRESETS.items():
        folder = HERE / name
        if (folder / "metrics.json").is_file():
            metrics, config = read_json(folder / "metrics.json"), read_json(folder / "config.json")
            history = read_json(folder / "history.json")
            figures_for(metrics["kind"]).evaluation(metrics["test"], history, {}, folder)
            if "frontier" in metrics:
                chosen = preset.arguments["sparsity_weight"]
                drawing.save(pictures.frontier(metrics["frontier"], chosen), folder / "frontier.png")
            markdown.write(folder / "card.md", card(name, preset, metrics, config))


def results_of_all() -> None:
    """Renders the page and the file of all results."""
    for name, content in (("README.md", results.results_page()), ("results.csv", results.as_csv())):
        markdown.write(HERE / name, content)


def table(readme: Path) -> None:
    """Writes the table of presets into README, from their metrics."""
    rows = results.preset_table(results.presets(), "saved_models/")
    markdown.fill(readme, "presets", f"{rows}\n")


if __name__ == "__main__":
    main()
