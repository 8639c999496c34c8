"""Activity recognizers from end to end: a file of windows in, a trained, measured and exported model out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

import zoo
from zoo import losses, training
from zoo.data import activity, gait, pipeline
from zoo.data.activity import ActivityData, Windows
from zoo.data.augmentation import Augmentation
from zoo.data.disturbances import DISTURBANCES
from zoo.data.pipeline import Augment
from zoo.data.recordings import AXES, CONVENTION, UNIT
from zoo.errors import ZooError
from zoo.evaluation import language, recognition
from zoo.export import parity, signatures
from zoo.export.parity import Tolerance
from zoo.files import sha256
from zoo.metadata import ActivityMetadata
from zoo.models.activity import ActivityRecognizer
from zoo.presets import FAMILIES
from zoo.recipes import Recipe
from zoo.runtime import Recognizer
from zoo.tasks.exporting import Exportable
from zoo.tasks.loading import Loaded
from zoo.tasks.running import Plan, Run
from zoo.training import Fitted

KIND = "activity"
DATA = "data3.h5"
"""What a data file is called where nobody says otherwise."""


def build(plan: Plan, train: Windows, classes: Sequence[str]) -> ActivityRecognizer:
    """Makes the model of a plan, with the statistics of the training windows inside where the recipe wants them."""
    window, channels = train.examples.inputs.shape[1:]
    if plan.arguments.get("window", window) > window:
        raise ZooError(f"windows of {window} rows; {plan.name} reads {plan.arguments['window']}: cut longer ones")
    mean, variance = train.statistics() if plan.recipe.normalize else (None, None)
    known = {
        "classes": len(classes), "window": window, "channels": channels, "mean": mean, "variance": variance,
        "seed": plan.recipe.seed, "name": plan.name,
    }  # fmt: skip
    model: ActivityRecognizer = getattr(zoo, FAMILIES[plan.family])(**known | plan.arguments)
    return model


def fit(
    recipe: Recipe, model: ActivityRecognizer, train: Windows, validation: Windows | None, **options: Any
) -> Fitted:
    """Trains the model on windows; options are those of `training.fit`."""
    classes, rows = model.get_config()["classes"], model.get_config()["window"]
    augment: Augment | None = None
    if recipe.augmentation or rows < train.examples.inputs.shape[1]:
        augment = partial(Augmentation(**recipe.augmentation or {}), rows=rows)
    return training.fit(
        model,
        recipe,
        lambda epoch, size: pipeline.training_batches(
            train.examples, size, seed=recipe.seed, first_epoch=epoch, augment=augment
        ),
        len(train),
        None if validation is None else _validation_batches(validation, rows),
        class_weights=losses.balanced(train.labels, classes) if recipe.balance else None,
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


@dataclass(frozen=True)
class Prepared:
    """A file of windows, read and split once, for any number of trainings.

    Args:
        data: The checked file.
        train: What is learned from.
        validation: What is set aside; None where the recipe sets nothing aside.
        sha256: Of the file.
    """

    data: ActivityData
    train: Windows
    validation: Windows | None
    sha256: str

    def build(self, plan: Plan) -> ActivityRecognizer:
        """Makes the model of a plan."""
        return build(plan, self.train, self.data.classes)

    def fit(self, recipe: Recipe, model: ActivityRecognizer, **options: Any) -> Fitted:
        """Trains a model; options are those of `training.fit`."""
        return fit(recipe, model, self.train, self.validation, **options)

    def scores(self, model: ActivityRecognizer) -> dict[str, float]:
        """`macro_f1`, `accuracy` and `cross_entropy` of a trained model on the validation windows.

        Raises:
            ZooError: If nothing was set aside.
        """
        if self.validation is None:
            raise ZooError(f"{self.data.path}: nothing is set aside to score on: set validation above 0")
        logits, labels = answers(partial(keras_logits, model), self.validation)
        loss, rank = language.surprise(logits, labels)
        return {
            "macro_f1": recognition.macro_f1(labels, logits.argmax(axis=1)),
            "accuracy": float((rank == 1).mean()), "cross_entropy": float(loss.mean()),
        }  # fmt: skip

    def metadata(self, plan: Plan, model: ActivityRecognizer, temperature: float = 1.0) -> ActivityMetadata:
        """What a model that learned from these windows says of itself."""
        arguments, data = model.get_config(), self.data
        return ActivityMetadata(
            family=type(model).__name__, preset=plan.name, classes=data.classes, rate=data.rate,
            window=arguments["window"], frame=arguments["frame"], unit=UNIT, axes=AXES,
            convention=CONVENTION, temperature=temperature, simulated=data.simulated, split_by=data.split_by,
            source=data.source, train_subjects=tuple(self.train.people()), data_sha256=self.sha256,
            version=zoo.__version__,
        )  # fmt: skip


def prepare(path: Path, recipe: Recipe) -> Prepared:
    """Reads a file of windows and splits it as a recipe says.

    Args:
        path: A file in the course's layout.
        recipe: Share, kind and seed of the validation.
    """
    data = activity.read(path)
    parts = _split(replace(data, train=data.train.in_memory()), recipe)
    return Prepared(data, *parts, sha256(path))


def train(plan: Plan, path: Path, run: Run, *, temperature: float | None = None) -> dict[str, Any]:
    """Trains a recognizer on a file of windows and writes it to a folder.

    Args:
        plan: What and how.
        path: A file in the course's layout.
        run: Where to, and how it is run.
        temperature: For the calibration, where it is known from elsewhere; fitted on validation by default.

    Returns:
        A summary: `epochs`, `best_epoch`, `seconds`, `train_windows`, `validation`, `split_by`, `parameters`.

    Raises:
        ZooError: If the data, the recipe or the folder is not as it should be, or the loss stops being finite.
    """
    run.check()
    prepared = prepare(path, plan.recipe)
    model, validation = prepared.build(plan), prepared.validation
    with run.options(model, prepared.sha256) as options:
        fitted = prepared.fit(plan.recipe, model, **options)
    answered = None if validation is None else answers(partial(keras_logits, model), validation)
    if temperature is None:
        temperature = 1.0 if answered is None else recognition.fit_temperature(answered[1], answered[0])
    validated = None
    if validation is not None and answered is not None:
        report = recognition.report(answered[1], answered[0], prepared.data.classes, validation.subjects, temperature)
        validated = _validated(report, validation, plan.recipe)
    metadata = prepared.metadata(plan, model, temperature)
    details = {"train_windows": len(prepared.train), "split_by": metadata.split_by, "validation": validated}
    return run.save(plan, model, fitted, metadata, path, details)


def _validated(report: dict[str, Any], validation: Windows, recipe: Recipe) -> dict[str, Any]:
    """What a summary keeps of the validation."""
    return {
        "windows": report["windows"],
        "by": recipe.validation_by if validation.people() else "window",
        "subjects": validation.people(),
        **{key: report[key] for key in ("accuracy", "macro_f1", "cross_entropy", "ece")},
    }


def _split(data: ActivityData, recipe: Recipe) -> tuple[Windows, Windows | None]:
    if not recipe.validation:
        return data.train, None
    return data.train.split(recipe.validation, recipe.split_by_seed, recipe.validation_by)


def keras_logits(model: ActivityRecognizer, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits `(N, classes)` of windows as long as the model's, or of the middle of longer ones."""
    return np.asarray(model.predict_on_batch(_middle(windows, model.get_config()["window"])))


def metadata_of(loaded: Loaded) -> ActivityMetadata:
    """What a recognizer says of itself.

    Raises:
        ZooError: If the model is no recognizer.
    """
    if not isinstance(loaded.metadata, ActivityMetadata):
        raise ZooError(f"{loaded.name}: is a {loaded.metadata.family}; expected a recognizer of activities")
    return loaded.metadata


def logits_of(loaded: Loaded, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits `(N, classes)` of windows, before temperature scaling, whatever the recognizer is kept in."""
    if loaded.model is not None:
        return np.asarray(loaded.model.predict_on_batch(windows))
    # Probabilities are calibrated in the file; this is the inverse, up to a constant a row.
    rows = Recognizer(loaded.name).predict(windows)
    return np.float32(metadata_of(loaded).temperature) * np.log(np.maximum(rows, np.float32(1e-30)))


def check_windows(loaded: Loaded, where: str, shape: tuple[int, ...], rate: float) -> None:
    """Refuses windows of another length, number of axes or rate than the model's.

    Raises:
        ZooError: Names both shapes.
    """
    metadata = metadata_of(loaded)
    expected = (metadata.window, len(metadata.axes))
    if tuple(shape[-2:]) != expected:
        raise ZooError(f"{where}: windows of shape {tuple(shape[-2:])}; {loaded.name} expects {expected}")
    if rate != metadata.rate:
        raise ZooError(f"{where}: rows at {rate:g} Hz; {loaded.name} expects {metadata.rate:g}: cut them anew")


def answers(logits: Any, windows: Windows) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Logits and labels of all windows, a block at a time."""
    parts = [(logits(inputs), labels) for inputs, labels in windows.examples.blocks()]
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


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
        The numbers of `recognition.report`, and `model`, `data`, `split`, `split_by`, `simulated`, `baselines`,
        `robustness`, `notes`.

    Raises:
        ZooError: If the file's windows or classes are not the model's.
    """
    data, metadata = activity.read(path), metadata_of(loaded)
    check_windows(loaded, f"{path}: key 'tstX'", data.test.examples.inputs.shape, data.rate)
    if data.classes != metadata.classes:
        raise ZooError(f"{path}: classes {','.join(data.classes)}; {loaded.name} knows {','.join(metadata.classes)}")
    digest = sha256(path)
    if split != "test" and digest != metadata.data_sha256:
        raise ZooError(
            f"{path}: is not the file that {loaded.name} was trained on, so it has no {split} part; use test"
        )
    recipe = Recipe.from_json(loaded.config["recipe"]) if "recipe" in loaded.config else Recipe(validation=0.0)
    if split == "validation" and not loaded.config:
        raise ZooError(f"{loaded.name}: does not say who its validation people were; evaluate its folder instead")
    windows = part(data, split, recipe)
    logits, labels = answers(partial(logits_of, loaded), windows)
    report = recognition.report(labels, logits, data.classes, windows.subjects, metadata.temperature)
    report |= {
        "model": loaded.name, "data": str(path), "split": split, "split_by": data.split_by,
        "simulated": data.simulated, "data_sha256": digest, "notes": _notes(data, loaded, windows, split),
    }  # fmt: skip
    if not (baselines or robustness):
        return report
    inputs, labels = everything_of(windows)
    if baselines:
        reference = everything_of(_split(data, recipe)[0] if split == "validation" else data.train)
        report["baselines"] = recognition.baselines(reference, (inputs, labels), windows.subjects)
    if robustness:
        report["robustness"] = recognition.robustness(
            lambda disturbed: logits_of(loaded, disturbed).argmax(axis=1), inputs, labels, data.rate, DISTURBANCES
        )
    return report


def everything_of(windows: Windows) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Inputs and labels of all windows, in memory."""
    parts = list(windows.examples.blocks())
    return np.concatenate([inputs for inputs, _ in parts]), np.concatenate([labels for _, labels in parts])


def _study(source: str) -> str:
    """The name of a study, without the year and the files that follow it."""
    return source.partition("(")[0].strip().lower()


def _notes(data: ActivityData, loaded: Loaded, windows: Windows, split: str) -> list[str]:
    notes = []
    if data.simulated:
        notes.append("simulated data: no person made these windows")
    if data.split_by == "window":
        notes.append("no subject ids: windows of one person may be in training and in test, so this claims too much")
    if split == "train":
        notes.append("training windows: the model has seen them")
    metadata = metadata_of(loaded)
    if metadata.simulated and not data.simulated:
        notes.append("the model was trained on simulated data")
    seen = set(metadata.train_subjects) & set(windows.people())
    same_study = _study(metadata.source) == _study(data.source) != "not stated"
    if split != "train" and seen and same_study:
        notes.append(f"subject {', '.join(sorted(seen))} was in the training of this model, so this claims too much")
    absent = [name for i, name in enumerate(data.classes) if i not in set(windows.labels.tolist())]
    if absent:
        notes.append(f"no window of {', '.join(absent)} here; macro-F1 leaves it out")
    return notes


def exportable(loaded: Loaded, path: Path | None) -> Exportable:
    """What export must know of a recognizer.

    Args:
        loaded: The model.
        path: A file whose test windows artefacts are compared on; simulated windows without.
    """
    metadata = metadata_of(loaded)
    return Exportable(
        lambda model: signatures.activity(model, metadata.temperature),
        {"window": {"window": golden_windows(loaded, path)}},
        # 8-bit weights move probabilities near a boundary between classes, so the label counts there.
        parity.EXACT | {"dynamic": Tolerance(1.0, 0.995)},
        batch=1,
    )


def golden_windows(loaded: Loaded, path: Path | None, count: int = 600) -> NDArray[np.float32]:
    """Windows to compare artefacts on: of the test part of a file, or simulated ones.

    Args:
        loaded: The model.
        path: A file in the course's layout, or None.
        count: How many at most.
    """
    if path is not None:
        data = activity.read(path)
        check_windows(loaded, f"{path}: key 'tstX'", data.test.examples.inputs.shape, data.rate)
        # As many of each class as there are, evenly spaced.
        by_class = np.argsort(data.test.labels, kind="stable")
        chosen = by_class[np.linspace(0, len(by_class) - 1, min(count, len(by_class))).astype(int)]
        return everything_of(data.test.where(np.isin(np.arange(len(data.test)), chosen)))[0]
    metadata = metadata_of(loaded)
    cut = activity.Cut(metadata.window, metadata.window // 2, metadata.rate)
    people = gait.simulate(4, seed=7, seconds=30, rate=metadata.rate)
    return np.concatenate([cut.windows(recording) for recording in people])[:count]


def pictures(loaded: Loaded, path: Path) -> dict[str, Any]:
    """Nothing: figures of a recognizer are drawn from its report."""
    return {}
