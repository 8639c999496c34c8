"""Activity recognizers from end to end: a file of windows in, a trained, measured and exported model out."""

import importlib.metadata
import platform
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from rich.console import Console
from scipy.special import softmax

import zoo
from zoo import evaluation, training
from zoo.data import activity, gait, pipeline, recordings
from zoo.data.activity import ActivityData, Windows
from zoo.data.augmentation import Augmentation
from zoo.data.pipeline import Augment
from zoo.data.recordings import AXES, CONVENTION, UNIT, CsvColumns
from zoo.errors import ZooError
from zoo.files import require_empty, sha256, write_json
from zoo.metadata import Metadata
from zoo.models import activity as family
from zoo.models.activity import ActivityRecognizer
from zoo.presets import FAMILIES
from zoo.tasks.loading import Loaded
from zoo.training import CHECKPOINT, Fitted, Recipe


@dataclass(frozen=True)
class Plan:
    """What to train.

    Args:
        name: Of the preset, or of the user's own model.
        family: A key of `presets.FAMILIES`.
        arguments: Of the constructor, without those that the data decides.
        recipe: How.
    """

    name: str
    family: str
    arguments: dict[str, Any]
    recipe: Recipe

    def build(self, train: Windows, classes: Sequence[str]) -> ActivityRecognizer:
        """Makes the model, with the statistics of the training windows inside where the recipe wants them."""
        window, channels = train.examples.inputs.shape[1:]
        if self.arguments.get("window", window) > window:
            raise ZooError(f"windows of {window} rows; {self.name} reads {self.arguments['window']}: cut longer ones")
        mean, variance = train.statistics() if self.recipe.normalize else (None, None)
        known = {
            "classes": len(classes), "window": window, "channels": channels, "mean": mean, "variance": variance,
            "seed": self.recipe.seed,
        }  # fmt: skip
        model: ActivityRecognizer = getattr(family, FAMILIES[self.family])(**known | self.arguments)
        return model

    def fit(self, model: ActivityRecognizer, train: Windows, validation: Windows | None, **options: Any) -> Fitted:
        """Trains the model on windows; options are those of `training.fit`."""
        recipe = self.recipe
        classes, rows = model.get_config()["classes"], model.get_config()["window"]
        augment: Augment | None = None
        if recipe.augmentation or rows < train.examples.inputs.shape[1]:
            augment = partial(Augmentation(**recipe.augmentation or {}), rows=rows)
        return training.fit(
            model,
            recipe,
            lambda epoch: pipeline.training_batches(
                train.examples, recipe.batch_size, seed=recipe.seed, first_epoch=epoch, augment=augment
            ),
            len(train),
            None if validation is None else _validation_batches(validation, rows),
            class_weights=training.balanced(train.labels, classes) if recipe.balance else None,
            **options,
        )


def _validation_batches(validation: Windows, rows: int) -> tf.data.Dataset:
    # Equal batches of at most 512 windows, so that the pass compiles for one shape, or two.
    size = -(-len(validation) // -(-len(validation) // 512))
    return pipeline.batches(validation.examples, size).map(lambda inputs, labels: (_middle(inputs, rows), labels))


def _middle(windows: Any, rows: int) -> Any:
    """The middle of windows that are longer than what the model reads."""
    start = (windows.shape[1] - rows) // 2
    return windows[:, start : start + rows]


def train(
    plan: Plan,
    path: Path,
    folder: Path,
    *,
    resume: bool = False,
    temperature: float | None = None,
    tensorboard: Path | None = None,
    console: Console | None = None,
) -> dict[str, Any]:
    """Trains a recognizer on a file of windows and writes it to a folder.

    Args:
        plan: What and how.
        path: A file in the course's layout.
        folder: Gets `model.keras`, `config.json` and `history.json`; must be empty unless resuming.
        resume: Goes on from the checkpoint in `folder`.
        temperature: For the calibration, where it is known from elsewhere; fitted on validation by default.
        tensorboard: A folder for TensorBoard's logs.
        console: Where to show progress.

    Returns:
        A summary: `epochs`, `best_epoch`, `seconds`, `train_windows`, `validation`, `split_by`, `parameters`.

    Raises:
        ZooError: If the data, the recipe or the folder is not as it should be, or the loss stops being finite.
    """
    recipe, checkpoint = plan.recipe, folder / CHECKPOINT
    if not resume:
        if checkpoint.is_file():
            raise ZooError(f"{folder}: holds an unfinished training: add --resume to go on, or delete it first")
        require_empty(folder)
    elif not checkpoint.is_file():
        raise ZooError(f"{folder}: no {CHECKPOINT} to resume from; start without --resume")
    data = activity.read(path)
    train_part, validation = _split(data, recipe)
    model = plan.build(train_part, data.classes)
    digest = sha256(path)
    bar = training.ProgressBar(console, recipe.epochs) if console else None
    with bar.shown() if bar else nullcontext():
        fitted = plan.fit(
            model, train_part, validation, checkpoint=checkpoint, tensorboard=tensorboard,
            identity={"arguments": model.get_config() | {"name": None}, "data": digest},
            callbacks=[bar] if bar else [],
        )  # fmt: skip
    if temperature is None:
        temperature = 1.0 if validation is None else _temperature(model, validation)
    validated = None if validation is None else _evaluate(partial(_logits, model), validation, data, temperature)
    metadata = Metadata(
        family=type(model).__name__, preset=plan.name, classes=data.classes, rate=data.rate,
        window=model.get_config()["window"], frame=model.get_config()["frame"], unit=UNIT, axes=AXES,
        convention=CONVENTION, temperature=temperature, simulated=data.simulated, split_by=data.split_by,
        data_sha256=digest, version=zoo.__version__,
    )  # fmt: skip
    write_json(folder / "history.json", fitted.history)
    summary = {
        "epochs": len(fitted.history), "best_epoch": fitted.best_epoch, "seconds": round(fitted.seconds, 2),
        "train_windows": len(train_part), "parameters": model.count_params(), "split_by": data.split_by,
        "validation": validated and {
            "windows": validated["windows"], "by": recipe.validation_by if data.train.people() else "window",
            "subjects": validation.people() if validation else [],
            **{key: validated[key] for key in ("accuracy", "macro_f1", "cross_entropy", "ece")},
        },
    }  # fmt: skip
    model.save_to_preset(
        folder,
        preset=plan.name, family=plan.family, recipe=recipe.to_json(), metadata=metadata.to_json(),
        data={"file": path.name, "sha256": digest, "source": data.source, "train_subjects": train_part.people()},
        training=summary, versions=versions(),
    )  # fmt: skip
    checkpoint.unlink()
    return summary


def _split(data: ActivityData, recipe: Recipe) -> tuple[Windows, Windows | None]:
    if not recipe.validation:
        return data.train, None
    return data.train.split(recipe.validation, recipe.seed, recipe.validation_by)


def _logits(model: ActivityRecognizer, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(model.predict_on_batch(_middle(windows, model.get_config()["window"])))


def _temperature(model: ActivityRecognizer, validation: Windows) -> float:
    logits, labels = _answers(partial(_logits, model), validation)
    return evaluation.fit_temperature(labels, logits)


def _answers(logits: Any, windows: Windows) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Logits and labels of all windows, a block at a time."""
    parts = [(logits(inputs), labels) for inputs, labels in windows.examples.blocks()]
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _evaluate(logits: Any, windows: Windows, data: ActivityData, temperature: float) -> dict[str, Any]:
    answers, labels = _answers(logits, windows)
    return evaluation.report(labels, answers, data.classes, windows.subjects, temperature)


def part(data: ActivityData, split: str, recipe: Recipe) -> Windows:
    """The windows of a split: `test`, `train`, or `validation`, as the recipe sets it aside.

    Raises:
        ZooError: If the split is unknown, or the recipe sets nothing aside.
    """
    if split == "test":
        return data.test
    training_part, validation = _split(data, recipe)
    if split == "train":
        return training_part
    if split != "validation":
        raise ZooError(f"split {split!r}: expected test, train or validation")
    if validation is None:
        raise ZooError("split 'validation': the recipe sets nothing aside; use --split test")
    return validation


def evaluate(
    loaded: Loaded, path: Path, *, split: str = "test", baselines: bool = True, robustness: bool = False
) -> dict[str, Any]:
    """Measures a model on a file of windows.

    Args:
        loaded: The model.
        path: A file in the course's layout, with the model's classes.
        split: `test`, `train` or `validation`.
        baselines: Whether to fit and measure the baselines beside it.
        robustness: Whether to disturb the windows as well.

    Returns:
        The numbers of `evaluation.report`, and `model`, `data`, `split`, `split_by`, `simulated`, `baselines`,
        `robustness`, `notes`.

    Raises:
        ZooError: If the file's windows or classes are not the model's.
    """
    data = activity.read(path)
    loaded.check_windows(f"{path}: key 'tstX'", data.test.examples.inputs.shape)
    if data.classes != loaded.metadata.classes:
        raise ZooError(
            f"{path}: classes {','.join(data.classes)}; {loaded.name} knows {','.join(loaded.metadata.classes)}"
        )
    recipe = Recipe.from_json(loaded.config["recipe"]) if "recipe" in loaded.config else Recipe()
    if split == "validation" and not loaded.config:
        raise ZooError(f"{loaded.name}: does not say who its validation people were; evaluate its folder instead")
    windows = part(data, split, recipe)
    report = _evaluate(loaded.logits, windows, data, loaded.metadata.temperature)
    report |= {
        "model": loaded.name, "data": str(path), "split": split, "split_by": data.split_by,
        "simulated": data.simulated, "data_sha256": sha256(path), "notes": _notes(data, loaded, windows, split),
    }  # fmt: skip
    everything = partial(_all, windows)
    if baselines:
        reference = _all(_split(data, recipe)[0] if split == "validation" else data.train)
        report["baselines"] = evaluation.baselines(reference, everything(), windows.subjects)
    if robustness:
        inputs, labels = everything()
        report["robustness"] = evaluation.robustness(
            lambda disturbed: loaded.logits(disturbed).argmax(axis=1), inputs, labels, data.rate
        )
    return report


def _all(windows: Windows) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    parts = list(windows.examples.blocks())
    return np.concatenate([inputs for inputs, _ in parts]), np.concatenate([labels for _, labels in parts])


def _notes(data: ActivityData, loaded: Loaded, windows: Windows, split: str) -> list[str]:
    notes = []
    if data.simulated:
        notes.append("simulated data: no person made these windows")
    if data.split_by == "window":
        notes.append("no subject ids: windows of one person may be in training and in test, so this claims too much")
    if split == "train":
        notes.append("training windows: the model has seen them")
    if loaded.metadata.simulated and not data.simulated:
        notes.append("the model was trained on simulated data")
    seen = set(loaded.config.get("data", {}).get("train_subjects", [])) & set(windows.people())
    if split != "train" and seen and loaded.config.get("data", {}).get("source") == data.source:
        notes.append(f"subject {', '.join(sorted(seen))} was in the training of this model, so this claims too much")
    absent = [name for i, name in enumerate(data.classes) if i not in set(windows.labels.tolist())]
    if absent:
        notes.append(f"no window of {', '.join(absent)} here; macro-F1 leaves it out")
    return notes


def predict(loaded: Loaded, windows: NDArray[np.float32], seconds: NDArray[np.floating[Any]]) -> list[dict[str, Any]]:
    """Label, probability and time of each window.

    Args:
        loaded: The model.
        windows: `(N, window, 3)`, m/s^2.
        seconds: `(N,)` time of each window's start.

    Returns:
        Records with `time`, `label`, `probability`, `probabilities`.
    """
    loaded.check_windows("input", windows.shape)
    if not np.isfinite(windows).all():
        raise ZooError("input holds NaN or infinity: drop those rows first")
    activity.check_unit("input", float(np.linalg.norm(windows, axis=2).mean()))
    scaled = loaded.logits(windows) / loaded.metadata.temperature
    probabilities = softmax(scaled.astype(np.float64), axis=1)
    classes = loaded.metadata.classes
    return [
        {
            "time": round(float(time), 3),
            "label": classes[int(row.argmax())],
            "probability": float(row.max()),
            "probabilities": dict(zip(classes, row.tolist(), strict=True)),
        }
        for time, row in zip(seconds, probabilities, strict=True)
    ]


def predict_csv(loaded: Loaded, path: Path, columns: CsvColumns, hop: int | None = None) -> list[dict[str, Any]]:
    """Predicts the windows of a CSV file; time is seconds from the start of its recording.

    Args:
        loaded: The model.
        path: The file.
        columns: Which column is what.
        hop: Rows between the starts of windows; half a window by default.

    Raises:
        ZooError: If the file cannot be read, or is shorter than a window.
    """
    metadata = loaded.metadata
    hop = hop or metadata.window // 2
    cut = activity.Cut(metadata.window, hop, metadata.rate, trim=0.0)
    predictions = []
    for recording in recordings.read_csv([path], columns, recordings.Dropped()):
        windows = cut.windows(recording)
        if len(windows):
            predictions += predict(loaded, windows, recording.start + np.arange(len(windows)) * hop / metadata.rate)
    if not predictions:
        raise ZooError(f"{path}: shorter than one window of {metadata.window / metadata.rate:g} s without a gap")
    return predictions


def predict_file(loaded: Loaded, path: Path) -> list[dict[str, Any]]:
    """Predicts the test windows of a file in the course's layout; time counts windows one after another."""
    data = activity.read(path)
    loaded.check_windows(f"{path}: key 'tstX'", data.test.examples.inputs.shape)
    windows, labels = _all(data.test)
    length = loaded.metadata.window / loaded.metadata.rate
    rows = predict(loaded, windows, np.arange(len(windows)) * length)
    return [row | {"true": data.classes[label]} for row, label in zip(rows, labels, strict=True)]


def golden_windows(loaded: Loaded, path: Path | None, count: int = 600) -> NDArray[np.float32]:
    """Windows to compare artefacts on: of the test part of a file, or simulated ones.

    Args:
        loaded: The model.
        path: A file in the course's layout, or None.
        count: How many at most.
    """
    if path is not None:
        data = activity.read(path)
        loaded.check_windows(f"{path}: key 'tstX'", data.test.examples.inputs.shape)
        return _all(data.test)[0][:count]
    metadata = loaded.metadata
    cut = activity.Cut(metadata.window, metadata.window // 2, metadata.rate)
    people = gait.simulate(4, seed=7, seconds=30, rate=metadata.rate)
    return np.concatenate([cut.windows(recording) for recording in people])[:count]


def crossval(
    plan: Plan, path: Path, *, groups: int = 5, seeds: int = 1, console: Console | None = None
) -> dict[str, Any]:
    """Cross-validates over groups of the people in the training part; the test part is not touched.

    Args:
        plan: What and how; in each fold it is trained on all people outside the group, for all its epochs.
        path: A file in the course's layout, with subject ids.
        groups: How many groups the people are divided into, 2 or more.
        seeds: How many times all folds are trained, with seeds counted up from the recipe's.
        console: Where to show progress.

    Returns:
        `macro_f1`, `accuracy` (of all windows, each predicted by a model that never saw its person), their spread
        over groups and seeds, `per_subject`, `confusion`, `folds`, and the `temperature` fitted on those answers.

    Raises:
        ZooError: If the file has no subject ids, or fewer people than groups.
    """
    data = activity.read(path)
    people = np.array(data.train.people())
    if len(people) < groups or groups < 2:
        raise ZooError(f"{path}: {len(people)} people known in training; {groups} groups need 2 or more and one each")
    drawn = np.array_split(np.random.default_rng(0).permutation(people), groups)
    folds, answers = [], []
    for seed in range(plan.recipe.seed, plan.recipe.seed + seeds):
        for group in drawn:
            assert data.train.subjects is not None
            aside = np.isin(data.train.subjects, group)
            recipe = replace(plan.recipe, seed=seed, validation=0.0, patience=None)
            fold = replace(plan, recipe=recipe)
            model = fold.build(data.train.where(~aside), data.classes)
            fitted = fold.fit(model, data.train.where(~aside), None)
            logits, labels = _answers(partial(_logits, model), data.train.where(aside))
            predicted = logits.argmax(axis=1)
            folds.append({
                "seed": seed, "subjects": activity.sort_subjects(group), "windows": len(labels),
                "macro_f1": evaluation.macro_f1(labels, predicted),
                "accuracy": float((labels == predicted).mean()), "seconds": round(fitted.seconds, 1),
            })  # fmt: skip
            answers.append((labels, logits, data.train.subjects[aside]))
            if console:
                console.print(f"{folds[-1]}", highlight=False)
    labels, logits, subjects = (np.concatenate(column) for column in zip(*answers, strict=True))
    temperature = evaluation.fit_temperature(labels, logits)
    pooled = evaluation.report(labels, logits, data.classes, subjects, temperature)
    scores = np.array([fold["macro_f1"] for fold in folds]).reshape(seeds, groups)
    kept = ("accuracy", "macro_f1", "macro_f1_interval", "classes", "confusion", "per_class", "per_subject",
            "worst_subject", "ece")  # fmt: skip
    return {key: pooled[key] for key in kept} | {
        "temperature": temperature,
        "groups": groups,
        "seeds": seeds,
        "group_deviation": float(scores.mean(axis=0).std()),
        "seed_deviation": float(scores.mean(axis=1).std()),
        "worst_group": float(scores.mean(axis=0).min()),
        "folds": folds,
    }


def versions() -> dict[str, str]:
    """What a measured number depends on: versions and machine."""
    packages = ("tensorflow", "keras", "numpy", "ai-edge-litert", "scikit-learn")
    return {
        "pocket-zoo": zoo.__version__,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in packages},
        "machine": f"{platform.machine()}, {_processor()}",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else "unknown processor"
