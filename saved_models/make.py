"""Trains every preset again from real data and rewrites weights, metrics, figures and cards.

    python saved_models/make.py --data ../shared/data [PRESET ...]

The course's recognizers: five seeds, the one with the lowest validation loss is kept; the test people are looked at
once per seed, after all choices. The presets of several studies: cross-validated over groups of all people, which also
gives their temperature and threshold, and over studies; then trained on everyone. The autoencoders: three seeds of the
weights, the first is kept; the best one's weight of the sparsity term is compared on photographs of the training set
alone. The language models: two seeds, the one with the lower validation cross-entropy is kept; the course's also with
the course's start.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import listing
import measured_streams
import numpy as np
import pages
from augmented_forest import AugmentedForest
from rich.console import Console

from zoo import loading
from zoo.activity import cutting, recordings
from zoo.activity.metrics import macro_f1, of_known
from zoo.activity.studies import STUDIES, read_study
from zoo.activity.task import TASK as ACTIVITY
from zoo.benchmarking import bench
from zoo.crossval import Protocol, cross_validate, fold_arrays
from zoo.data import hdf5
from zoo.exporting import artifacts
from zoo.exporting.artifacts import ParityError
from zoo.families import find_family, task_named
from zoo.files import atomic_folder, read_json, write_json
from zoo.patches import data as patches
from zoo.presets import PRESETS
from zoo.provenance import versions
from zoo.report import drawing, for_task, markdown, results
from zoo.report.progress import FoldBoard
from zoo.report.results import card
from zoo.results import TrainResult
from zoo.runtime.metadata import CLASSES
from zoo.task import task_of
from zoo.training import Training

HERE = Path(__file__).parent
DATA = {"activity": "activity/data3.h5", "patches": "images/data1.h5", "text": "text/data2.h5"}
POCKET = "activity_gru_pocket"
SEEDS = 5
SPLIT_BY: dict[str, int | str] = {"people": 10, "studies": "study"}
"""The groups of each cross-validation."""
WORKERS = 2
ARCHIVES = {
    "motionsense": "A_DeviceMotion_data.zip", "wisdm": "wisdm-dataset.zip", "geotec": "sp-sw-har-dataset.zip",
    "oxford": "oxford-step-counter.zip", "selfback": "selfback-thigh.zip", "dsads": "daily-and-sports-activities.zip",
}  # fmt: skip
HOPS = {"selfback": 200, "dsads": 400}
"""Rows between windows where people do one thing for long. The legs of DSADS are one moment: half the weight each."""
STAIRS = {"stairs": "upstairs+downstairs"}
ESTIMATORS = {"augmented_random_forest": AugmentedForest()}
"""Baselines besides those of `zoo crossval`."""
WEIGHT_SEEDS = 3
SPARSITY_WEIGHTS = (0.2, 0.3, 0.5, 0.7, 1.0, 2.0, 5.0)
SPLITS = 2
TEXT_SEEDS = 2
CONSOLE = Console(stderr=True)

Document = dict[str, Any]


def main() -> None:
    """Trains the presets named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="*", default=[], metavar="PRESET", help="all by default; none: only render")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--scratch", type=Path, help="a folder in which a stopped cross-validation goes on")
    parser.add_argument(
        "--streams", nargs="*", choices=SPLIT_BY, metavar="SPLIT",
        help="cross-validate again over people and studies, or one of them, and measure streams alone",
    )  # fmt: skip
    parser.add_argument("--export", action="store_true", help="write files, figures and cards of the published weights")
    parser.add_argument("--evaluate", action="store_true", help="measure the published weights on the test set again")
    parser.add_argument("--draw", action="store_true", help="draw the figures of the published weights again")
    parser.add_argument("--baselines", nargs="+", metavar="METHOD", help="score baselines on the published folds")
    parser.add_argument(
        "--seeds", type=int, help="cross-validate with so many seeds, and measure how they differ; see --streams"
    )
    parser.add_argument("--time", action="store_true", help="time the published files again, all in one run")
    options = parser.parse_args()
    for name in [] if options.presets == ["none"] else options.presets or PRESETS:
        CONSOLE.rule(name)
        kind = find_family(PRESETS[name].family).task
        data = options.data if options.data.is_file() else options.data / data_file(name)
        if options.evaluate:
            measure(loading.load(HERE / name), HERE / name, data, read_json(HERE / name / "metrics.json"))
        elif options.draw:
            loaded = loading.load(HERE / name)
            draw(HERE / name, read_json(HERE / name / "metrics.json"), loaded.task.pictures(loaded, data))
        elif options.time:
            time_again(HERE / name)
        elif options.baselines:
            with folder(options.scratch) as scratch:
                baselines(name, data.parent, scratch, options.baselines)
        elif options.seeds:
            with folder(options.scratch) as scratch:
                other_seeds(name, data.parent, scratch, options.seeds, options.streams or [*SPLIT_BY])
        elif options.streams is not None:
            with folder(options.scratch) as scratch:
                streams_again(name, data.parent, scratch, options.streams or [*SPLIT_BY])
        else:
            trainings = {"activity": seeds, "patches": photographs, "text": text}
            own = everyone if PRESETS[name].data.studies else trainings.get(kind, once)
            make = published if options.export else own
            with folder(options.scratch) as scratch:
                if PRESETS[name].data.studies:
                    data = cut_studies(name, data.parent, scratch)
                publish(name, *make(name, data, scratch), data)
    render()


@contextmanager
def folder(given: Path | None) -> Iterator[Path]:
    """A folder for trainings: one that is kept, or a temporary one."""
    if given:
        given.mkdir(parents=True, exist_ok=True)
        yield given
        return
    with tempfile.TemporaryDirectory() as temporary:
        yield Path(temporary)


def published(name: str, data: Path, scratch: Path) -> tuple[Path, Document]:
    """The weights that are published, and what their training measured."""
    for file in ("model.keras", "config.json", "history.json"):
        shutil.copy(HERE / name / file, scratch / file)
    metrics = read_json(HERE / name / "metrics.json")
    measured_anew = ("preset", "kind", "made", "training", "refused", "artifacts")
    return scratch, {key: value for key, value in metrics.items() if key not in measured_anew}


def train_each(
    plans: Sequence[Training], data: Path, scratch: Path, scores: Callable[[TrainResult, loading.Loaded], Document]
) -> list[Document]:
    """Trains plans that differ in a seed, each in a folder of its number; what each run scored."""
    runs = []
    for seed, plan in enumerate(plans):
        trained = replace(plan, out=scratch / str(seed)).run(data)
        runs.append({"seed": seed, **scores(trained, loading.load(scratch / str(seed)))})
        CONSOLE.print(runs[-1])
    return runs


def mark_best(runs: Sequence[Document], key: str) -> str:
    """Marks the run with the lowest score as chosen; the name of its folder."""
    chosen = min(runs, key=lambda run: run[key])
    for run in runs:
        run["chosen"] = run is chosen
    return str(chosen["seed"])


def once(name: str, data: Path, scratch: Path) -> tuple[Path, Document]:
    """Trains a preset of another task once."""
    replace(Training.of(name), out=scratch / "model").run(data)
    return scratch / "model", {}


def seeds(name: str, data: Path, scratch: Path) -> tuple[Path, Document]:
    """Trains with several seeds and keeps the run with the lowest validation loss."""

    def scores(trained: TrainResult, loaded: loading.Loaded) -> Document:
        found, best = (
            ACTIVITY.evaluate(loaded, data, baselines=False),
            trained.history[trained.summary["best_epoch"] - 1],
        )
        return {
            "validation_loss": best["val_loss"], "validation_accuracy": best["val_accuracy"],
            "train_accuracy": best["accuracy"], "test_accuracy": found["accuracy"], "test_macro_f1": found["macro_f1"],
            "epochs": trained.summary["epochs"], "seconds": trained.summary["seconds"],
        }  # fmt: skip

    def runs(folder: Path, **changes: Any) -> list[Document]:
        plans = [Training.of(name, {"seed": seed, **changes}) for seed in range(SEEDS)]
        return train_each(plans, data, folder, scores)

    metrics = {"seeds": runs(scratch)}
    if not PRESETS[name].recipe.normalize:
        metrics["normalized"] = runs(scratch / "normalized", normalize=True)
    return scratch / mark_best(metrics["seeds"], "validation_loss"), metrics


class ByStudy(cutting.Windowing):
    """Windows whose hop depends on the study."""

    def windows(self, recording: recordings.Recording) -> Any:
        """All windows of one recording."""
        hop = HOPS.get(recording.study, self.hop)
        return cutting.Windowing(self.window, hop, self.rate, self.trim).windows(recording)


LONG = ByStudy(window=200, hop=100)
"""Longer than the 150 rows that a model reads: training cuts each at a random place, and reads it at a random pace."""


def import_study(study: str, archives: Path, raw: Path) -> None:
    """Writes the recordings of a study, whose archive is in a folder, with other movements, where it has some."""
    read = read_study(study, archives / ARCHIVES[study], others=bool(STUDIES[study].others))
    recordings.write_recordings(raw, read, source=STUDIES[study].source)


def cut_studies(name: str, archives: Path, scratch: Path) -> Path:
    """The windows of a preset of several studies."""
    source = PRESETS[name].data
    return cut(source.studies, archives, scratch, source.other)


def cut(studies: Sequence[str], archives: Path, scratch: Path, other: Sequence[str] = ()) -> Path:
    """Windows of everyone in some studies, without a test set; some movements may be a class `other`."""
    files = [scratch / f"{study}.h5" for study in studies]
    for study, file in zip(studies, files, strict=True):
        if not file.exists():
            import_study(study, archives, file)
    index = recordings.join(*map(recordings.read_recordings, files))
    stairs = {name: members for name, members in STAIRS.items() if name in index.activities}
    classes = cutting.choose_classes(index.path, index.activities, CLASSES, stairs, other)
    cutting.write_windows(index, scratch / "windows.h5", LONG, [], classes, other=bool(other))
    return scratch / "windows.h5"


def everyone(name: str, data: Path, scratch: Path) -> tuple[Path, Document]:
    """Cross-validates over people and over studies, measures the streams of these networks, and trains on everyone."""
    plan = Training.of(name, {"validation": 0.0})
    found = over_people_and_studies(plan, data, scratch)
    known = [document["test"]["baselines"] for _, document in same_folds(found["people"])]
    found["people"]["baselines"] = without_difference(known[0]) if known else {}
    calibration = {name: found["people"][name] for name in ("temperature", "threshold")}
    replace(plan, out=scratch / "model").run(data, calibration=calibration)
    as_streams = measured_streams.of(found, plan, data, scratch, calibration, integers=True)
    return scratch / "model", {"test": found["people"], "studies": found["studies"], **as_streams}


def over_people_and_studies(
    plan: Training, data: Path, scratch: Path, seeds: int = 1, splits: Sequence[str] = (*SPLIT_BY,)
) -> dict[str, Document]:
    """The results over people and over studies; the network of each fold stays in the folder."""
    return {
        what: cross_validated(plan, data, scratch / what, Protocol(SPLIT_BY[what], seeds=seeds, models=True))
        for what in splits
    }


def cross_validated(plan: Training, data: Path, folder: Path, protocol: Protocol) -> Document:
    """The result of a cross-validation, which goes on where it was stopped."""
    board = FoldBoard(CONSOLE, WORKERS)
    with board.shown():
        found = cross_validate(plan, data, folder, protocol, workers=WORKERS, on_progress=board.update)
    CONSOLE.print(folder.name, found["macro_f1"], found["per_study"])
    return found


def streams_again(name: str, archives: Path, scratch: Path, splits: Sequence[str]) -> None:
    """Measures the streams of a preset on people and studies that are left out, whose networks are trained again."""
    metrics = read_json(HERE / name / "metrics.json")
    plan, data = Training.of(name, {"validation": 0.0}), cut_studies(name, archives, scratch)
    found = over_people_and_studies(plan, data, scratch, splits=splits)
    calibration = {key: metrics["test"][key] for key in ("temperature", "threshold")}
    as_streams = measured_streams.of(found, plan, data, scratch, calibration, integers=True)
    write_json(HERE / name / "metrics.json", metrics | as_streams)


def other_seeds(name: str, archives: Path, scratch: Path, count: int, splits: Sequence[str]) -> None:
    """Scores of each seed by windows, over people and over studies, and as streams of the studies left out.

    Those of a split that is not measured again stay. Streams are calibrated as those of the card.
    """
    plan, data = Training.of(name, {"validation": 0.0}), cut_studies(name, archives, scratch)
    metrics = read_json(HERE / name / "metrics.json")
    whole, known = ACTIVITY.load_data(data), {row["seed"]: row for row in metrics.get("by_seed", [])}
    rows = [known.get(seed, {"seed": seed}) for seed in range(count)]
    for what, document in over_people_and_studies(plan, data, scratch, count, splits).items():
        for row in rows:
            own = document | {"folds": [fold for fold in document["folds"] if fold["seed"] == row["seed"]]}
            arrays = fold_arrays(scratch / what, measured_streams.folds_of(own))
            known, predicted = of_known(arrays["labels"], arrays["predicted"], whole.other_class)
            row[what] = {"macro_f1": macro_f1(arrays["labels"][known], predicted[known])}
            if what == "studies":
                fitted = metrics["streams_of_studies"]["calibrations"]
                shown = measured_streams.of_studies(own, fitted, data, scratch)["studies"]
                row["streams_of_studies"] = {study: scores["settled"] for study, scores in shown.items()}
    write_json(HERE / name / "metrics.json", metrics | {"by_seed": rows})


def photographs(name: str, data: Path, scratch: Path) -> tuple[Path, Document]:
    """Trains with several seeds of the weights; the best preset also for several weights of the sparsity term."""

    def scores(trained: TrainResult, loaded: loading.Loaded) -> Document:
        found = loaded.task.evaluate(loaded, data)
        return {key: found[key] for key in ("mse", "r2", "max_activation_error")}

    plan = Training.of(name)
    plans = [replace(plan, arguments=plan.arguments | {"seed": seed}) for seed in range(WEIGHT_SEEDS)]
    metrics: Document = {"seeds": train_each(plans, data, scratch, scores)}
    first = loading.load(scratch / "0")
    learned = first.task.evaluate(first, data, split="train")
    keys = ("mse", "r2", "pca_mse", "max_activation_error", "dead_units", "patches")
    metrics["train"] = {key: learned[key] for key in keys}
    metrics |= frontier(plan, data, scratch) if name.endswith("_best") else everything(name, data, scratch)
    return scratch / "0", metrics


def everything(name: str, data: Path, scratch: Path) -> Document:
    """Error of the same recipe on its training patches, where no photograph is held out, as in the course."""
    replace(Training.of(name, {"validation": 0.0}), out=scratch / "everything").run(data)
    loaded = loading.load(scratch / "everything")
    found = loaded.task.evaluate(loaded, data, split="train")
    return {"everything": {key: found[key] for key in ("mse", "r2", "patches")}}


def frontier(plan: Training, data: Path, scratch: Path) -> Document:
    """Error against sparsity on photographs of the training set, for several weights of the sparsity term."""
    known = patches.from_file(data)
    kept, _ = patches.hold_out(known, plan.recipe.validation, plan.recipe.seed)
    training_part = scratch / "training.h5"
    names = hdf5.read_column(data, "source_names")
    with hdf5.create(training_part) as file:
        file["data"] = kept.arrays()[0]
        file["source"], file["source_names"] = hdf5.read_column(data, "source")[kept.rows], names.tolist()
    seen: set[str] = set()

    def scores(trained: TrainResult, loaded: loading.Loaded) -> Document:
        found, inside = (loaded.task.evaluate(loaded, training_part, split=split) for split in ("test", "train"))
        seen.update(found["photographs"])
        own = {key: found[key] for key in ("mse", "max_activation_error")}
        return {**own, "train_max_activation_error": inside["max_activation_error"]}

    points = []
    for weight in SPARSITY_WEIGHTS:
        weighted = replace(plan, arguments=plan.arguments | {"sparsity_weight": weight})
        plans = [replace(weighted, recipe=plan.recipe.replace(seed=split)) for split in range(SPLITS)]
        runs = train_each(plans, training_part, scratch / f"weight {weight}", scores)
        means = {key: float(np.mean([run[key] for run in runs])) for key in runs[0] if key != "seed"}
        points.append({"sparsity_weight": weight, **means})
    return {"frontier": points, "frontier_photographs": sorted(seen)}


def text(name: str, data: Path, scratch: Path) -> tuple[Path, Document]:
    """Trains with several seeds and keeps the one with the lowest validation loss; the course's also from its start."""

    def scores(trained: TrainResult, loaded: loading.Loaded) -> Document:
        summary = trained.summary
        return {**summary["validation"], "epochs": summary["epochs"], "seconds": summary["seconds"]}

    plans = [Training.of(name, {"seed": seed}) for seed in range(TEXT_SEEDS)]
    metrics: Document = {"seeds": train_each(plans, data, scratch, scores)}
    chosen = scratch / mark_best(metrics["seeds"], "cross_entropy")
    if "course" in name:
        course = replace(Training.of(name, {"initializer": "course"}), out=scratch / "course").run(data)
        histories = {"keras": read_json(scratch / "0" / "history.json"), "course": course.history}
        metrics["starts"] = {start: _first_epochs(history) for start, history in histories.items()}
    return chosen, metrics


def _first_epochs(history: list[dict[str, float]]) -> Document:
    best = min(history, key=lambda epoch: epoch["val_loss"])
    first = [epoch for epoch in history if epoch["epoch"] in (1, 2, 4, 8, 16)]
    return {"first_epochs": first, "epochs": len(history), **{key: best[key] for key in ("val_loss", "val_accuracy")}}


def time_again(folder: Path) -> None:
    """Times the TFLite files of a preset on this machine, each by the signature that its record names."""
    metrics = read_json(folder / "metrics.json")
    for record in metrics["artifacts"]:
        if record["file"].endswith(".tflite") and record.get("timed"):
            costs = bench(folder / record["file"])["signatures"]
            record["milliseconds"] = round(costs[record["timed"]]["median_ms"], 4)
    metrics["made"]["timed_on"] = versions()["machine"]
    write_json(folder / "metrics.json", metrics)


def rounded_stop(history: list[dict[str, float]], patience: int) -> Document:
    """Where training would have stopped with validation losses rounded to three decimals, as in the course."""
    best = history[0]
    for epoch in history:
        if round(epoch["val_loss"], 3) < round(best["val_loss"], 3):
            best = epoch
        elif epoch["epoch"] - best["epoch"] >= patience:
            break
    return {"epochs": int(epoch["epoch"]), "best_epoch": int(best["epoch"]), "val_loss": best["val_loss"]}


def data_file(name: str) -> str:
    """The data file of a preset's task, in the folder of `--data`."""
    family = PRESETS[name].family
    return DATA.get(find_family(family).task, task_of(family).data_file)


def files_of(name: str) -> list[str]:
    """The files that a preset is made of, in the folder of `--data`."""
    file, studies = data_file(name), PRESETS[name].data.studies
    archives = [f"{Path(file).parent}/{ARCHIVES[study]}" for study in studies]
    return archives if studies else [file]


def publish(name: str, folder: Path, metrics: Document, data: Path) -> None:
    """Exports, measures on the test set, and puts the preset's folder in place of the older one."""
    preset = PRESETS[name]
    loaded = with_license(folder, preset.data.license)
    family = loaded.task.exportable(loaded, data)
    finished = HERE / f"{name}.new"
    with atomic_folder(finished) as target:
        formats = [*family.formats, *(family.extra_formats if name == POCKET else ())]
        # A network that is unsure of most rows changes more answers than an artifact may: it has no such file.
        refused: dict[str, ParityError] = {}
        records = artifacts.export(loaded, family, target, formats, refused)
        if refused:
            metrics["refused"] = {
                kind: {**asdict(error.parity), "tolerance": asdict(error.tolerance)} for kind, error in refused.items()
            }
        made = {
            "command": f"python saved_models/make.py --data DATA {name}",
            "files": files_of(name), "seed": loaded.config["recipe"]["seed"], "data": preset.data.text,
            "data_sha256": loaded.metadata.data_sha256, "license": preset.data.license, "versions": versions(),
        }  # fmt: skip
        known = {"preset": name, "kind": loaded.task.name, "made": made, "training": loaded.config["training"]}
        shutil.copy(folder / "history.json", target / "history.json")
        measure(loaded, target, data, {**known, **metrics, "artifacts": records})
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


def measure(loaded: loading.Loaded, folder: Path, data: Path, metrics: Document) -> None:
    """Measures a preset on the test set, and writes its metrics and figures."""
    if PRESETS[metrics["preset"]].data.studies:
        # Everyone was in training: the scores are those of the cross-validation.
        write_json(folder / "metrics.json", metrics)
        draw(folder, metrics, {})
        return
    task = loaded.task
    options = {"robustness": True} if task.name == "activity" else {}
    named = {"model": loaded.metadata.preset, "data": data.name}
    metrics["test"] = task.evaluate(loaded, data, **options) | named
    if "starts" in metrics:
        patience = PRESETS[metrics["preset"]].recipe.patience or 0
        metrics["rounded_stop"] = rounded_stop(loaded.history, patience)
    write_json(folder / "metrics.json", metrics)
    draw(folder, metrics, task.pictures(loaded, data))


def draw(folder: Path, metrics: Document, arrays: Document) -> None:
    """Draws the figures of a preset: those that its numbers alone make, and those of arrays, if any."""
    if find_spec(f"zoo.{task_named(metrics['kind'])}.figures"):
        figures = for_task(metrics["kind"], "figures")
        drawn = figures.evaluation(metrics["test"], read_json(folder / "history.json"), arrays)
        drawing.save_all(drawn, folder)
    if "frontier" in metrics:
        chosen = PRESETS[metrics["preset"]].arguments["sparsity_weight"]
        drawing.save(draw_frontier(metrics["frontier"], chosen), folder / "frontier.png")


def draw_frontier(points: Sequence[Mapping[str, float]], chosen: float) -> Any:
    """Draws the error against the sparsity error, with a point per weight of the sparsity term, one of them chosen."""
    ordered = sorted(points, key=lambda point: point["sparsity_weight"])
    errors = [point["mse"] for point in ordered]
    picked = next(point for point in ordered if point["sparsity_weight"] == chosen)
    with drawing.subplots(drawing.WIDTH, 4.0) as (figure, axis):
        for key, name in (("train_max_activation_error", "training"), ("max_activation_error", "validation")):
            (line,) = axis.plot([point[key] for point in ordered], errors, marker="o", markersize=4)
            axis.annotate(f"{name}\nphotographs", (ordered[0][key], errors[0]), (0, -9), textcoords="offset points",
                          color=line.get_color(), ha="center", va="top")  # fmt: skip
            axis.plot([picked[key]], [picked["mse"]], "o", color="none", markeredgecolor="black", markersize=10)
        for point in ordered:
            place = point["max_activation_error"], point["mse"]
            mark = ", chosen" if point is picked else ""
            axis.annotate(f"{point['sparsity_weight']:g}{mark}", place, (8, 5), textcoords="offset points", fontsize=8)
        axis.axvline(0.01, color=drawing.GRAY, linestyle="--", linewidth=1)
        axis.annotate("limit of\nthe choice", (0.01, 1), (3, -4), xycoords=("data", "axes fraction"),
                      textcoords="offset points", color=drawing.GRAY, va="top")  # fmt: skip
        axis.set_ylim(min(errors) - 0.25 * (max(errors) - min(errors)))
        axis.set_xlim(0, 1.25 * max(point["max_activation_error"] for point in ordered))
        axis.set_title("error against sparsity, by weight of the sparsity term")
        axis.set(xlabel="sparsity error: largest deviation of a mean activation", ylabel="MSE per pixel")
    return figure


def everyone_metrics() -> list[Path]:
    """The metrics of presets that are cross-validated over everyone."""
    paths = [HERE / name / "metrics.json" for name, preset in PRESETS.items() if preset.data.studies]
    return [path for path in paths if path.is_file()]


def same_folds(test: Document) -> Iterator[tuple[Path, Document]]:
    """The published metrics of presets whose cross-validation leaves out the same people in the same groups."""
    for path in everyone_metrics():
        document = read_json(path)
        # A file that another version wrote has another hash, also of the same windows.
        if divided_by(document["test"]["folds"]) == divided_by(test["folds"]):
            yield path, document


def without_difference(rows: Mapping[str, Document]) -> Document:
    """Scores of baselines without their folds, and what they differ by from one network: these stand there alone."""
    of_one = ("difference", "compared", "folds")
    return {name: {key: value for key, value in row.items() if key not in of_one} for name, row in rows.items()}


def baselines(name: str, archives: Path, scratch: Path, methods: Sequence[str]) -> None:
    """Scores baselines on the folds over people of a preset, whose networks are trained unless they are in a folder."""
    named = [method for method in methods if method not in ESTIMATORS]
    own = {method: ESTIMATORS[method] for method in methods if method in ESTIMATORS}
    plan = Training.of(name, {"validation": 0.0})
    protocol = Protocol(SPLIT_BY["people"], baselines=named, estimators=own, models=True)
    test = cross_validated(plan, cut_studies(name, archives, scratch), scratch / "people", protocol)
    for path, document in same_folds(test):
        known = document["test"]["baselines"]
        if path.parent.name == name:
            # Networks that were trained again, with which the baselines are compared, score a little differently.
            compared = {key: test[key] for key in ("macro_f1", "macro_f1_interval", "machine")}
            known |= {method: row | {"compared": compared} for method, row in test["baselines"].items()}
        else:
            others = without_difference(test["baselines"])
            known |= {method: known.get(method, {}) | row for method, row in others.items()}
        write_json(path, document)


def divided_by(folds: Sequence[Mapping[str, Any]]) -> list[tuple[list[str], int, int]]:
    """Whom the folds of a cross-validation leave out, with the numbers of windows."""
    return [(sorted(row["subjects"]), row["windows"], row["train_windows"]) for row in folds]


def render() -> None:
    """Renders cards, results, and the tables of presets from the metrics, with the figures that need no data."""
    measured = [name for name in PRESETS if (HERE / name / "metrics.json").is_file()]
    for name in measured:
        metrics, config = (read_json(HERE / name / file) for file in ("metrics.json", "config.json"))
        draw(HERE / name, metrics, {})
        markdown.write(HERE / name / "card.md", card(name, PRESETS[name], metrics, config))
    markdown.write(HERE / "README.md", listing.results_page())
    markdown.write(HERE / "results.csv", listing.as_csv())
    if len(measured) == len(PRESETS):
        page, table = HERE.parent / "docs/results.md", results.preset_table(results.presets(), "../saved_models/")
        pages.put(page, "presets", table)
        pages.put(page, "new people", listing.everyone_table())
        for kind in ("streams_of_people", "streams_of_studies"):
            pages.put(page, kind.replace("_", " "), listing.few_people_table(kind))


if __name__ == "__main__":
    main()
