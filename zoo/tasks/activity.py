"""Activity recognizers from end to end: a file of windows in, a trained, measured and exported model out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

import zoo
from zoo import losses, training
from zoo.data import activity, gait, pipeline
from zoo.data.activity import ActivityData, Windows, all_rows, center_crop
from zoo.data.augmentation import Augmentation
from zoo.data.disturbances import DISTURBANCES
from zoo.data.pipeline import Augment
from zoo.errors import ZooError
from zoo.evaluation import activity as metrics
from zoo.evaluation.baselines import baseline_scores
from zoo.evaluation.trigram import cross_entropy_and_rank
from zoo.export import c_header, kotlin, parity, signatures, swift
from zoo.export.parity import Outputs, Tolerance
from zoo.files import sha256
from zoo.metadata import ActivityMetadata, Streaming
from zoo.models.activity import ActivityRecognizer
from zoo.presets import FAMILIES
from zoo.recipes import Recipe
from zoo.runtime import Recognizer
from zoo.tasks import loading
from zoo.tasks.exporting import Exportable, SourceCode
from zoo.tasks.loading import Loaded
from zoo.tasks.provenance import origin
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
    augmentation = Augmentation(**recipe.augmentation or {})
    augment: Augment | None = None
    if recipe.augmentation or rows < train.examples.inputs.shape[1]:
        augment = partial(augmentation, rows=rows)
    # What comes before a window is read by the same weights; dropout and the like keep their seeds.
    learner = model.of_window(2 * rows) if augmentation.carry else model
    try:
        return training.fit(
            learner,
            recipe,
            lambda epoch, size: pipeline.training_batches(
                train.examples, size, seed=recipe.seed, first_epoch=epoch, augment=augment
            ),
            len(train),
            None if validation is None else _validation_batches(validation, rows, bool(augmentation.carry)),
            class_weights=losses.balanced(train.labels, classes) if recipe.balance else None,
            **options,
        )
    finally:
        model.set_weights(learner.get_weights())


def _validation_batches(validation: Windows, rows: int, twice: bool) -> tf.data.Dataset:
    # Equal batches of at most 512 windows, so that the pass compiles for one shape, or two.
    size = -(-len(validation) // -(-len(validation) // 512))
    times = 2 if twice else 1
    return pipeline.batches(validation.examples, size).map(
        lambda inputs, labels: (tf.tile(center_crop(inputs, rows), (1, times, 1)), labels)
    )


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
        loss, rank = cross_entropy_and_rank(logits, labels)
        return {
            "macro_f1": metrics.macro_f1(labels, logits.argmax(axis=1)),
            "accuracy": float((rank == 1).mean()), "cross_entropy": float(loss.mean()),
        }  # fmt: skip

    def metadata(self, plan: Plan, model: ActivityRecognizer, temperature: float = 1.0) -> ActivityMetadata:
        """What a model that learned from these windows says of itself."""
        data = self.data
        carried = bool((plan.recipe.augmentation or {}).get("carry"))
        return ActivityMetadata(
            **origin(model, plan.name, data, self.sha256), **loading.shapes(model), classes=data.classes,
            rate=data.rate, temperature=temperature, split_by=data.split_by,
            # A network that has learned to go on from any state needs no fresh one.
            streaming=Streaming(restart=0, copies=1) if carried else Streaming(),
            train_subjects=tuple(self.train.people()),
        )  # fmt: skip


def prepare(path: Path, recipe: Recipe) -> Prepared:
    """Reads a file of windows and splits it as a recipe says.

    Args:
        path: A file in the course's layout.
        recipe: Share, kind and seed of the validation.
    """
    data = activity.read(path)
    return Prepared(data, *set_aside(data.train.in_memory(), recipe), sha256(path))


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
        temperature = 1.0 if answered is None else metrics.fit_temperature(answered[1], answered[0])
    validated = None
    if validation is not None and answered is not None:
        report = metrics.report(answered[1], answered[0], prepared.data.classes, validation.subjects, temperature)
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


def set_aside(train: Windows, recipe: Recipe) -> tuple[Windows, Windows | None]:
    """What a recipe leaves for training, and what it sets aside for validation, if anything."""
    if not recipe.validation:
        return train, None
    return train.split(recipe.validation, recipe.split_by_seed, recipe.validation_by)


def keras_logits(model: ActivityRecognizer, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits `(N, classes)` of windows as long as the model's, or of the middle of longer ones."""
    return np.asarray(model.predict_on_batch(center_crop(windows, model.get_config()["window"])))


def metadata_of(loaded: Loaded) -> ActivityMetadata:
    """What a recognizer says of itself.

    Raises:
        ZooError: If the model is no recognizer.
    """
    if not isinstance(loaded.metadata, ActivityMetadata):
        raise ZooError(f"{loaded.name}: is a {loaded.metadata.family}; expected a recognizer of activities")
    return loaded.metadata


def logits_of(loaded: Loaded, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits `(N, classes)` before temperature scaling, whatever the recognizer is kept in.

    Of windows as long as the model's, or of the middle of longer ones.
    """
    if loaded.model is not None:
        return keras_logits(loaded.model, windows)
    # Probabilities are calibrated in the file; this is the inverse, up to a constant a row.
    rows = Recognizer(loaded.name).predict(center_crop(windows, metadata_of(loaded).window))
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


def check_file(loaded: Loaded, path: Path, data: ActivityData) -> None:
    """Refuses a file whose windows are of another length, number of axes, rate or classes than the model's.

    Those of the file that it was trained on may be longer: training cuts them, and else their middle is read.

    Raises:
        ZooError: Names what was expected and found.
    """
    metadata = metadata_of(loaded)
    rows, axes = data.test.examples.inputs.shape[1:]
    longer = rows > metadata.window and sha256(path) == metadata.data_sha256
    check_windows(loaded, f"{path}: key 'tstX'", (metadata.window if longer else rows, axes), data.rate)
    if data.classes != metadata.classes:
        raise ZooError(f"{path}: classes {','.join(data.classes)}; {loaded.name} knows {','.join(metadata.classes)}")


def answers(logits: Any, windows: Windows) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Logits and labels of all windows, a part of a block at a time."""
    parts = [
        (logits(inputs[start : start + _ANSWERED]), labels[start : start + _ANSWERED])
        for inputs, labels in windows.examples.blocks()
        for start in range(0, len(inputs), _ANSWERED)
    ]
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


_ANSWERED = 2048
"""Windows that a network reads at once: what it computes on the way is many times as large."""


def part(data: ActivityData, split: str, recipe: Recipe) -> Windows:
    """The windows of a split: `test`, `train`, or `validation`, as the recipe sets it aside.

    Raises:
        ZooError: If the split is unknown, or the recipe sets nothing aside.
    """
    if split == "test":
        return data.test
    training_part, validation = set_aside(data.train, recipe)
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
        The numbers of `metrics.report`, and `model`, `data`, `split`, `split_by`, `simulated`, `baselines`,
        `robustness`, `notes`.

    Raises:
        ZooError: If the file's windows or classes are not the model's.
    """
    data, metadata = activity.read(path), metadata_of(loaded)
    check_file(loaded, path, data)
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
    report = metrics.report(labels, logits, data.classes, windows.subjects, metadata.temperature)
    report |= {
        "model": loaded.name, "data": str(path), "split": split, "split_by": data.split_by,
        "simulated": data.simulated, "data_sha256": digest, "notes": _notes(data, loaded, windows, split),
    }  # fmt: skip
    if not (baselines or robustness):
        return report
    inputs, labels = all_rows(windows)
    if baselines:
        reference = all_rows(set_aside(data.train, recipe)[0] if split == "validation" else data.train)
        report["baselines"] = baseline_scores(reference, (inputs, labels), windows.subjects)
    if robustness:
        report["robustness"] = metrics.robustness(
            lambda disturbed: logits_of(loaded, disturbed).argmax(axis=1), inputs, labels, data.rate, DISTURBANCES
        )
    return report


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
    if windows.examples.inputs.shape[1] > metadata.window:
        notes.append(f"of windows of {windows.examples.inputs.shape[1]} rows the middle {metadata.window} are read")
    absent = [name for i, name in enumerate(data.classes) if i not in set(windows.labels.tolist())]
    if absent:
        notes.append(f"no window of {', '.join(absent)} here; macro-F1 leaves it out")
    return notes


def exportable(loaded: Loaded, path: Path | None) -> Exportable:
    """What export must know of a recognizer.

    Args:
        loaded: The model.
        path: A file whose test windows artifacts are compared on; simulated windows without.
    """
    metadata, model = metadata_of(loaded), recognizer_of(loaded)
    windows, labels, learned = _golden(loaded, path)

    def score(outputs: Mapping[str, Outputs]) -> dict[str, float]:
        if labels is None:
            return {}
        found = outputs["window"]["probabilities"].argmax(axis=1)
        return {"accuracy": float((found == labels).mean()), "macro_f1": metrics.macro_f1(labels, found)}

    return Exportable(
        lambda model: signatures.activity(model, metadata.temperature, metadata.chunk),
        {"window": {"window": windows}, "step": met(model, windows, 1), "chunk": met(model, windows, metadata.chunk)},
        # Rounding moves probabilities near a boundary between classes, so the label counts there.
        parity.EXACT | {
            "float16": Tolerance(1.0, 0.995), "dynamic": Tolerance(1.0, 0.995), "int8": Tolerance(1.0, 0.97),
            "int16x8": Tolerance(1.0, 0.99), "personal": parity.EXACT["float32"],
        },
        # Quantizing a loop kills the converter, and a step has none.
        held={"int8": ("step",), "int16x8": ("step",)},
        replay=lambda file: {"window": {"probabilities": Recognizer(file).predict(windows)}},
        calibration={"step": met(model, learned, 1)},
        apart={"personal": lambda model: signatures.personal(model, metadata.temperature)},
        sources={
            "c": SourceCode("int8", lambda file, folder: c_header.write(file, windows[0], folder)),
            "kotlin": SourceCode("float32", kotlin.write),
            "swift": SourceCode("float32", swift.write),
        },
        score=score,
    )  # fmt: skip


def recognizer_of(loaded: Loaded) -> ActivityRecognizer:
    """The Keras model of a recognizer.

    Raises:
        ZooError: If this is an exported file, or no recognizer.
    """
    metadata_of(loaded)
    model = loaded.keras_model
    assert isinstance(model, ActivityRecognizer)
    return model


def met(model: ActivityRecognizer, windows: NDArray[np.float32], frames: int) -> dict[str, NDArray[np.float32]]:
    """Frames and the states that a recognizer meets them with, while it streams windows.

    Args:
        model: The recognizer.
        windows: `(N, window, channels)`.
        frames: How many frames are read at once: 1 as by `step`, or those of a chunk.

    Returns:
        `frame` (or `frames`) `(N, frames * frame, channels)`, and each state `(N, units)`; from each window one, evenly
        spread over its beginning, middle and end.
    """
    size = model.get_config()["frame"]
    places = np.arange(len(windows)) % (windows.shape[1] // size - frames + 1)
    states = {name: np.zeros((len(windows), units), np.float32) for name, units in model.states.items()}
    kept = {name: value.copy() for name, value in states.items()}
    rows = np.stack([window[at : at + frames * size] for window, at in zip(windows, places * size, strict=True)])
    for place in range(int(places.max()) + 1):
        here = places == place
        for name, value in states.items():
            kept[name][here] = value[here]
        _, found = model.step(windows[:, place * size : (place + 1) * size], states)
        states = {name: np.asarray(value) for name, value in found.items()}
    return {"frame" if frames == 1 else "frames": rows, **kept}


_GOLDEN = 600


def _golden(
    loaded: Loaded, path: Path | None
) -> tuple[NDArray[np.float32], NDArray[np.int64] | None, NDArray[np.float32]]:
    """Windows to compare artifacts on and their labels, and windows to calibrate on.

    From the test and the training part of a file; simulated ones, without labels, where there is none.
    """
    metadata = metadata_of(loaded)
    if path is None:
        cut = activity.Windowing(metadata.window, metadata.hop, metadata.rate)
        people = gait.simulate(8, seed=7, seconds=30, rate=metadata.rate)
        windows = np.concatenate([cut.windows(recording) for recording in people])
        return windows[: len(windows) // 2], None, windows[len(windows) // 2 :]
    data = activity.read(path)
    check_file(loaded, path, data)
    windows, labels = all_rows(_some(data.test))
    return center_crop(windows, metadata.window), labels, center_crop(all_rows(_some(data.train))[0], metadata.window)


def _some(windows: Windows) -> Windows:
    """A few hundred windows: as many of each class as there are, evenly spaced."""
    by_class = np.argsort(windows.labels, kind="stable")
    chosen = by_class[np.linspace(0, len(by_class) - 1, min(_GOLDEN, len(by_class))).astype(int)]
    return windows.where(np.isin(np.arange(len(windows)), chosen))


def pictures(loaded: Loaded, path: Path) -> dict[str, Any]:
    """Nothing: figures of a recognizer are drawn from its report."""
    return {}
