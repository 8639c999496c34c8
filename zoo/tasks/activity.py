"""Activity recognizers from end to end: a file of windows in, a trained, measured and exported model out."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
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
from zoo.evaluation import recognition
from zoo.files import require_empty, sha256, whole_file, write_json
from zoo.metadata import Metadata
from zoo.models import activity as family
from zoo.models.activity import ActivityRecognizer
from zoo.presets import FAMILIES
from zoo.tasks.loading import Loaded
from zoo.tasks.provenance import versions
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
            "seed": self.recipe.seed, "name": self.name,
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


def train(
    plan: Plan,
    path: Path,
    folder: Path,
    *,
    resume: bool = False,
    temperature: float | None = None,
    deterministic: bool = False,
    tensorboard: Path | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> dict[str, Any]:
    """Trains a recognizer on a file of windows and writes it to a folder.

    Args:
        plan: What and how.
        path: A file in the course's layout.
        folder: Gets `model.keras`, `config.json` and `history.json`; must be empty unless resuming.
        resume: Goes on from the checkpoint in `folder`.
        temperature: For the calibration, where it is known from elsewhere; fitted on validation by default.
        deterministic: Repeats bit by bit, slower.
        tensorboard: A folder for TensorBoard's logs.
        callbacks: Further Keras callbacks, such as a progress bar.

    Returns:
        A summary: `epochs`, `best_epoch`, `seconds`, `train_windows`, `validation`, `split_by`, `parameters`.

    Raises:
        ZooError: If the data, the recipe or the folder is not as it should be, or the loss stops being finite.
    """
    recipe, checkpoint = plan.recipe, _checkpoint(folder, resume)
    data = activity.read(path)
    train_part, validation = _split(data, recipe)
    model = plan.build(train_part, data.classes)
    digest = sha256(path)
    with _last_good(model, folder):
        fitted = plan.fit(
            model, train_part, validation, checkpoint=checkpoint, deterministic=deterministic, tensorboard=tensorboard,
            identity={"arguments": model.get_config(), "data": digest}, callbacks=callbacks,
        )  # fmt: skip
    answered = None if validation is None else answers(partial(logits_of, model), validation)
    if temperature is None:
        temperature = 1.0 if answered is None else recognition.fit_temperature(answered[1], answered[0])
    validated = None
    if validation is not None and answered is not None:
        report = recognition.report(answered[1], answered[0], data.classes, validation.subjects, temperature)
        validated = _validated(report, validation, recipe)
    arguments = model.get_config()
    metadata = Metadata(
        family=type(model).__name__, preset=plan.name, classes=data.classes, rate=data.rate,
        window=arguments["window"], frame=arguments["frame"], unit=UNIT, axes=AXES,
        convention=CONVENTION, temperature=temperature, simulated=data.simulated, split_by=data.split_by,
        source=data.source, train_subjects=tuple(train_part.people()), data_sha256=digest, version=zoo.__version__,
    )  # fmt: skip
    summary = {
        "epochs": len(fitted.history), "best_epoch": fitted.best_epoch, "seconds": round(fitted.seconds, 2),
        "train_windows": len(train_part), "parameters": model.count_params(), "split_by": data.split_by,
        "validation": validated,
    }  # fmt: skip
    write_json(folder / "history.json", fitted.history)
    model.save_to_preset(
        folder,
        preset=plan.name, family=plan.family, recipe=recipe.to_json(), metadata=metadata.to_json(),
        data={"file": path.name, "sha256": digest, "source": data.source}, training=summary, versions=versions(),
    )  # fmt: skip
    checkpoint.unlink()
    return summary


def _checkpoint(folder: Path, resume: bool) -> Path:
    """The checkpoint's path, in a folder that is new, or that holds one where training goes on."""
    path = folder / CHECKPOINT
    if resume and not path.is_file():
        done = (folder / "model.keras").is_file()
        why = "is complete; evaluate it" if done else f"no {CHECKPOINT} to resume from; start without --resume"
        raise ZooError(f"{folder}: {why}")
    if not resume and path.is_file():
        raise ZooError(f"{folder}: holds an unfinished training: add --resume to go on, or delete it first")
    if not resume:
        require_empty(folder)
    return path


def _validated(report: dict[str, Any], validation: Windows, recipe: Recipe) -> dict[str, Any]:
    """What a summary keeps of the validation."""
    return {
        "windows": report["windows"],
        "by": recipe.validation_by if validation.people() else "window",
        "subjects": validation.people(),
        **{key: report[key] for key in ("accuracy", "macro_f1", "cross_entropy", "ece")},
    }


@contextmanager
def _last_good(model: ActivityRecognizer, folder: Path) -> Iterator[None]:
    """Keeps the weights from before the loss stopped being finite."""
    try:
        yield
    except training.LossNotFiniteError as error:
        path = folder / "last_good.keras"
        with whole_file(path) as temporary:
            model.save(temporary)
        raise ZooError(f"{error} in {path}") from error


def _split(data: ActivityData, recipe: Recipe) -> tuple[Windows, Windows | None]:
    if not recipe.validation:
        return data.train, None
    return data.train.split(recipe.validation, recipe.seed, recipe.validation_by)


def logits_of(model: ActivityRecognizer, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits `(N, classes)` of windows as long as the model's, or of the middle of longer ones."""
    return np.asarray(model.predict_on_batch(_middle(windows, model.get_config()["window"])))


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
    data = activity.read(path)
    loaded.check_windows(f"{path}: key 'tstX'", data.test.examples.inputs.shape, data.rate)
    if data.classes != loaded.metadata.classes:
        raise ZooError(
            f"{path}: classes {','.join(data.classes)}; {loaded.name} knows {','.join(loaded.metadata.classes)}"
        )
    digest = sha256(path)
    if split != "test" and digest != loaded.metadata.data_sha256:
        raise ZooError(
            f"{path}: is not the file that {loaded.name} was trained on, so it has no {split} part; use test"
        )
    recipe = Recipe.from_json(loaded.config["recipe"]) if "recipe" in loaded.config else Recipe(validation=0.0)
    if split == "validation" and not loaded.config:
        raise ZooError(f"{loaded.name}: does not say who its validation people were; evaluate its folder instead")
    windows = part(data, split, recipe)
    logits, labels = answers(loaded.logits, windows)
    report = recognition.report(labels, logits, data.classes, windows.subjects, loaded.metadata.temperature)
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
            lambda disturbed: loaded.logits(disturbed).argmax(axis=1), inputs, labels, data.rate, DISTURBANCES
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
    if loaded.metadata.simulated and not data.simulated:
        notes.append("the model was trained on simulated data")
    seen = set(loaded.metadata.train_subjects) & set(windows.people())
    same_study = _study(loaded.metadata.source) == _study(data.source) != "not stated"
    if split != "train" and seen and same_study:
        notes.append(f"subject {', '.join(sorted(seen))} was in the training of this model, so this claims too much")
    absent = [name for i, name in enumerate(data.classes) if i not in set(windows.labels.tolist())]
    if absent:
        notes.append(f"no window of {', '.join(absent)} here; macro-F1 leaves it out")
    return notes


def golden_windows(loaded: Loaded, path: Path | None, count: int = 600) -> NDArray[np.float32]:
    """Windows to compare artefacts on: of the test part of a file, or simulated ones.

    Args:
        loaded: The model.
        path: A file in the course's layout, or None.
        count: How many at most.
    """
    if path is not None:
        data = activity.read(path)
        loaded.check_windows(f"{path}: key 'tstX'", data.test.examples.inputs.shape, data.rate)
        # As many of each class as there are, evenly spaced.
        by_class = np.argsort(data.test.labels, kind="stable")
        chosen = by_class[np.linspace(0, len(by_class) - 1, min(count, len(by_class))).astype(int)]
        return everything_of(data.test.where(np.isin(np.arange(len(data.test)), chosen)))[0]
    metadata = loaded.metadata
    cut = activity.Cut(metadata.window, metadata.window // 2, metadata.rate)
    people = gait.simulate(4, seed=7, seconds=30, rate=metadata.rate)
    return np.concatenate([cut.windows(recording) for recording in people])[:count]
