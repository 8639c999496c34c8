"""Activity recognizers from end to end: windows in, a trained, measured and exported model out."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from scipy.special import softmax

from zoo.activity import finetuning, importers, metrics
from zoo.activity.augmentation import Augmentation
from zoo.activity.baselines import baseline_scores, random_forest
from zoo.activity.csv import CsvColumns
from zoo.activity.disturbances import DISTURBANCES
from zoo.activity.recordings import Dropped, check_lengths, lengths_of
from zoo.activity.windows import CHANNELS_LAST, ActivityData, Windowing, Windows, center_crop
from zoo.data import pipeline
from zoo.data.examples import sort_names
from zoo.data.loading import load_as
from zoo.errors import ZooError
from zoo.families import find_family
from zoo.loading import Loaded
from zoo.models import losses
from zoo.models.recognizer import UNKNOWN_PRIOR, ActivityRecognizer
from zoo.provenance import already_seen
from zoo.recipe import Recipe
from zoo.runtime import Recognizer, priors
from zoo.runtime.label_sets import COUNTED, allowed_classes, resolve
from zoo.runtime.metadata import AXES, INERTIAL, ActivityMetadata, Streaming
from zoo.runtime.recognizer import labels_of
from zoo.task import Feed, Predictions, Source, Split, Task, origin, provenance
from zoo.text.metrics import log_probabilities

if TYPE_CHECKING:
    from zoo.exporting.artifacts import Exportable
    from zoo.training import Training

CHUNK = 10
"""Frames that the signature `chunk` reads, of a model whose window has so many."""

_BATCH = 2048
"""Windows that a network reads at once: what it computes on the way is many times as large."""

_GOLDEN = 600
"""Windows that artifacts are compared on, at most."""

_BASELINE = 2000
"""Windows that the baseline of a training is fitted and measured on, at most."""

_FRAME = 5
"""Rows of a frame, at most, where a plan names no number."""

_LESS = 0.01
"""How much lower than its baseline's the macro-F1 of a model is for a warning."""

_FEW_PEOPLE = 5
"""Fewer people than this are too few for an interval over people."""


def _split_sha256(*parts: Windows | None) -> str:
    """Which rows are trained on, and which are held out."""
    rows = b"|".join(b"" if part is None else part.rows.tobytes() for part in parts)
    return hashlib.sha256(rows).hexdigest()[:16]


def _weighted(train: Windows, classes: int, how: str | None) -> tuple[Windows, list[float] | None]:
    """Windows whose labels also say of which study they are, and the weight of each label.

    After the labels of the windows, each label of each of several studies is a label of its own. If labels are
    balanced, the studies that have the same one share its weight. A label of validation windows, which do not say of
    which study they are, has its mean weight.
    """
    if how is None:
        return train, None
    exponent = {"balanced": 1.0, "root": 0.5}[how]
    allowed = allowed_classes(classes, train.label_sets)
    if train.studies is None or len(np.unique(train.studies)) < 2:
        return train, losses.balanced_weights(np.bincount(train.labels, minlength=len(allowed)), exponent)
    studies = np.unique(train.studies, return_inverse=True)[1]
    _, first, groups = np.unique(studies * len(allowed) + train.labels, return_index=True, return_inverse=True)
    members = tuple(tuple(np.flatnonzero(row).tolist()) for row in allowed[train.labels[first]])
    targets = np.asarray(train.targets[:]).copy()
    targets[train.rows] = len(allowed) + groups
    weighted = replace(train, targets=targets, label_sets=(*train.label_sets, *members))
    studies_with = np.bincount(train.labels[first])[train.labels[first]]
    weights = losses.balanced_weights(np.bincount(groups), exponent, studies_with if how == "balanced" else None)
    totals = np.bincount(train.labels, np.array(weights)[groups], len(allowed))
    means = totals / np.maximum(np.bincount(train.labels, minlength=len(allowed)), 1)
    return weighted, [*means.tolist(), *weights]


def class_frequencies(train: Windows, classes: Sequence[str], how: str | None) -> dict[str, float]:
    """Class frequencies that a network learns from windows, whose classes a recipe may weight. Empty if unknown."""
    labels = len(classes) + len(train.label_sets)
    weights = _weighted(train, len(classes), how)[1] or [1.0] * labels
    counts = np.bincount(train.labels, minlength=labels) * np.array(weights[:labels])
    return priors.frequencies(counts, classes, train.label_sets)


def _validation_batches(validation: Windows, rows: int, twice: bool) -> tf.data.Dataset:
    # Equal batches of at most 512 windows, so that the pass compiles for one shape, or two.
    size = -(-len(validation) // -(-len(validation) // 512))
    times = 2 if twice else 1
    return pipeline.batches(validation, size).map(
        lambda inputs, labels: (tf.tile(center_crop(inputs, rows), (1, times, 1)), labels)
    )


def _validation_by(split: Split, recipe: Recipe) -> str:
    """How the validation windows were chosen: `subject`, `time`, or `window`."""
    people = set(split.validation.people())
    if not people or recipe.validation_by == "window":
        return recipe.validation_by if recipe.validation_by == "time" else "window"
    return "time" if people & set(split.train.people()) else "subject"


def _loses(split: Split, report: Mapping[str, Any], baseline: Mapping[str, Any], trained_before: bool) -> str:
    """What a user must know of a model that is worse than its baseline, and what to do."""
    scores = {name: row["f1"] for name, row in report["per_class"].items() if row["windows"]}
    weakest = min(scores, key=lambda name: scores[name])
    mistaken = np.array(report["confusion"][report["classes"].index(weakest)])
    mistaken[report["classes"].index(weakest)] = 0
    other = f", mostly taken for {report['classes'][mistaken.argmax()]}" if mistaken.any() else ""
    # Nobody records simulated people.
    advice = [] if split.data.simulated else [f"record more people, {weakest} above all"]
    if trained_before:
        advice.append("fine-tune for longer (`--epochs`)")
    else:
        advice.append("train longer (`--epochs`)")
        window, channels = split.train.inputs.shape[1:]
        if (split.data.rate, channels) == (finetuning.START_RATE, len(AXES)) and window >= finetuning.START_WINDOW:
            advice.append(f"start from trained weights (`zoo finetune {finetuning.START}`)")
    return (
        f"validation macro-F1 is {baseline['of_model']:.3f}, below {baseline['macro_f1']:.3f} of a random forest; "
        f"the weakest class is {weakest} (F1 {scores[weakest]:.3f}{other}): {', or '.join(advice)}"
    )


def _baseline(parts: Sequence[Split], classes: int, rows: int) -> dict[str, Any] | None:
    """`macro_f1` and `accuracy` of a small random forest on the same splits, fitted on some windows of many.

    None where no window to ask about has a label that is one class.
    """
    fitted, truth, found = 0, [], []
    for part in parts:
        assert part.validation is not None
        (inputs, labels), (asked, asked_labels) = (
            some(windows.of_one_class(classes), _BASELINE).arrays() for windows in (part.train, part.validation)
        )
        if not len(asked):
            continue
        predict = random_forest(center_crop(inputs, rows), labels, jobs=1, trees=100)
        found.append(predict(center_crop(asked, rows)))
        truth.append(asked_labels)
        fitted = max(fitted, len(labels))
    if not found:
        return None
    asked_labels, predicted = np.concatenate(truth), np.concatenate(found)
    return {
        "name": "random_forest", "train_windows": fitted, "windows": len(asked_labels),
        "macro_f1": metrics.macro_f1(asked_labels, predicted), "accuracy": float((asked_labels == predicted).mean()),
    }  # fmt: skip


def temperature_of(labels: NDArray[np.int64], logits: NDArray[np.float32]) -> float:
    """The temperature that calibrates logits, by the windows whose label is one class; 1 where there are none."""
    known = labels < logits.shape[1]
    return metrics.fit_temperature(labels[known], logits[known]) if known.any() else 1.0


def hold_out(train: Windows, recipe: Recipe) -> tuple[Windows, Windows | None]:
    """What a recipe leaves for training, and what it holds out for validation, if anything."""
    if not recipe.validation:
        return train, None
    return train.split(recipe.validation, recipe.split_by_seed, recipe.validation_by)


def leave_out(train: Windows, recipe: Recipe) -> list[tuple[Windows, Windows]]:
    """Divides the windows of few people for a cross-validation, after which everybody is trained on.

    Returns:
        Training and validation windows of each fold, which leaves one person out; of one person, or where a class was
        recorded by one person alone, a single fold with the last windows of each class. Empty where a part is held out
        once and for all: where there are more people, where the recipe holds out no people, or where it has patience,
        which needs validation windows throughout the training.
    """
    if not recipe.validation or recipe.validation_by != "subject" or recipe.patience is not None:
        return []
    return train.leave_one_out() or (
        [train.split(recipe.validation, recipe.split_by_seed, "time")] if train.of_few_people else []
    )


def keras_logits(model: ActivityRecognizer, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits `(N, classes)` of windows as long as the model's, or of the center of longer ones."""
    return np.asarray(model.predict_on_batch(center_crop(windows, model.window)))


def logits_of(loaded: Loaded, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits `(N, classes)` of a Keras model, before temperature scaling; logarithms of a file's probabilities.

    Of windows as long as the model's, or of the center of longer ones. Both assume the model's prior.
    """
    if loaded.model is not None:
        model = recognizer_of(loaded)
        # The prior is added after the division by the temperature.
        return keras_logits(model, windows) + (model.temperature * model.prior_shift).astype(np.float32)
    rows = center_crop(windows, metadata_of(loaded).window)
    return log_probabilities(Recognizer(loaded.name).predict(rows))


def answers(
    logits: Callable[[NDArray[np.float32]], NDArray[np.float32]], windows: Windows
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Logits and labels of all windows, read and computed a batch at a time."""
    parts = [
        (logits(inputs[start : start + _BATCH]), labels[start : start + _BATCH])
        for inputs, labels in windows.blocks()
        for start in range(0, len(inputs), _BATCH)
    ]
    found, labels = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    if not np.isfinite(found).all():
        raise ZooError("the outputs of the network are not finite: its weights are damaged, or its training diverged")
    return found, labels


def metadata_of(loaded: Loaded) -> ActivityMetadata:
    """The metadata of a recognizer.

    Raises:
        ZooError: If the model is not a recognizer.
    """
    if not isinstance(loaded.metadata, ActivityMetadata):
        raise ZooError(f"{loaded.name}: is a {loaded.metadata.family}; expected a recognizer of activities")
    return loaded.metadata


def recognizer_of(loaded: Loaded) -> ActivityRecognizer:
    """The Keras model of a recognizer.

    Raises:
        ZooError: If this is an exported file, or not a recognizer.
    """
    metadata_of(loaded)
    model = loaded.keras_model
    assert isinstance(model, ActivityRecognizer)
    return model


def check_windows(loaded: Loaded, where: str, shape: tuple[int, ...], rate: float) -> None:
    """Refuses windows of another length, number of axes or rate than the model's.

    Raises:
        ZooError: Names both shapes.
    """
    metadata = metadata_of(loaded)
    expected = (metadata.window, len(metadata.axes))
    if tuple(shape[-2:]) != expected:
        advice = ""
        if shape[-1] == expected[0] and shape[-2] in (len(AXES), len(INERTIAL)):
            advice = f": {CHANNELS_LAST}"
        elif shape[-1] == len(INERTIAL) > expected[1]:
            advice = ": leave the gyroscope out with --channels"
        raise ZooError(f"{where}: windows of shape {tuple(shape[-2:])}; {loaded.name} expects {expected}{advice}")
    if rate != metadata.rate:
        raise ZooError(f"{where}: rows at {rate:g} Hz; {loaded.name} expects {metadata.rate:g}: cut them again")


def for_model(loaded: Loaded, data: ActivityData) -> ActivityData:
    """Returns data with the classes of a model, which may know more of them.

    Windows of the data that it was trained on may be longer: training cuts them, and otherwise their center is read.

    Raises:
        ZooError: Names what was expected and found.
    """
    metadata, path = metadata_of(loaded), str(data)
    rows, axes = data.test.inputs.shape[1:]
    longer = rows > metadata.window and data.sha256 == metadata.data_sha256
    check_windows(loaded, f"{path}: key 'tstX'", (metadata.window if longer else rows, axes), data.rate)
    if unknown := [name for name in data.classes if name not in metadata.classes]:
        raise ZooError(
            f"{path}: {loaded.name} does not know {', '.join(unknown)}, but {', '.join(metadata.classes)}: rename or "
            "select labels with `zoo data windows --classes`, or train the model on yours with `zoo finetune`"
        )
    return data.with_classes(metadata.classes)


def part(data: ActivityData, split: str, recipe: Recipe, *, folds: bool = False) -> Windows:
    """The windows of a split: `test`, `train`, `validation`, as the recipe holds it out, or `all` of a file.

    Args:
        data: The data.
        split: Name of the split.
        recipe: Of the training.
        folds: Whether everybody was trained on, and folds validated the model.

    Raises:
        ZooError: If the split is unknown, or the recipe holds nothing out.
    """
    if split not in ("test", "train", "validation", "all"):
        raise ZooError(f"split {split!r}: expected test, train, validation or all")
    if split == "all":
        return data.everyone().train
    if split == "test":
        return data.test_windows()
    if folds:
        if split == "train":
            return data.train
        raise ZooError(
            "split 'validation': the model was trained on all people; config.json has the scores of the folds that "
            "validated it: use --split test"
        )
    training_part, validation = hold_out(data.train, recipe)
    if split == "train":
        return training_part
    if validation is None:
        raise ZooError("split 'validation': the recipe holds nothing out; use --split test")
    return validation


def _notes(data: ActivityData, loaded: Loaded, windows: Windows, split: str) -> list[str]:
    notes = []
    if data.simulated:
        notes.append("simulated data: these windows are synthetic")
    if windows.label_sets:
        notes.append(COUNTED)
    if data.split_by == "window" and split != "all":
        notes.append("no subject ids: windows of one person may be in training and in test, so this is too optimistic")
    if split == "train":
        notes.append("training windows: the model was trained on them")
    metadata = metadata_of(loaded)
    if metadata.simulated and not data.simulated:
        notes.append("the model was trained on simulated data")
    seen = already_seen(windows.people(), data.source, metadata)
    if split != "train" and seen:
        who = f"subject {seen[0]} was" if len(seen) == 1 else f"subjects {', '.join(seen)} were"
        notes.append(f"{who} in the training of this model, so this is too optimistic")
    if 1 < (people := len(windows.people())) < _FEW_PEOPLE:
        notes.append(f"intervals over {people} people say little about other people")
    if windows.inputs.shape[1] > metadata.window:
        notes.append(f"windows of {windows.inputs.shape[1]} rows: the center {metadata.window} are read")
    allowed = allowed_classes(len(data.classes), windows.label_sets)[np.unique(windows.labels)]
    if absent := [name for place, name in enumerate(data.classes) if not allowed[:, place].any()]:
        notes.append(f"no window of {', '.join(absent)}: macro-F1 leaves it out")
    return notes


def _behind(report: Mapping[str, Any]) -> list[str]:
    """A note that names the baselines that are clearly better than the model, if any are."""
    ahead = [
        f"the {name.replace('_', ' ')} ({row['macro_f1']:.3f})"
        for name, row in report["baselines"].items()
        if report["macro_f1"] <= row["macro_f1"] - _LESS
    ]
    return [f"macro-F1 {report['macro_f1']:.3f} is below that of {' and '.join(ahead)}"] if ahead else []


def chunk_of(model: ActivityRecognizer) -> int:
    """How many frames the signature `chunk` of a model reads."""
    return min(CHUNK, model.window // model.frame)


def some(windows: Windows, most: int = _GOLDEN) -> Windows:
    """Some windows: of each class its share, evenly spaced."""
    by_class = np.argsort(windows.labels, kind="stable")
    chosen = by_class[np.linspace(0, len(by_class) - 1, min(most, len(by_class))).astype(int)]
    return windows.where(np.isin(np.arange(len(windows)), chosen))


def _streaming(model: ActivityRecognizer) -> Streaming:
    """The settings of continuous recognition of a model's files."""
    # A network that has learned to continue from any state needs no restart.
    return Streaming(restart=0, copies=1) if model.carry_state else Streaming()


def _assumed(loaded: Loaded, prior: Mapping[str, float] | None) -> tuple[float, ...]:
    """The class frequencies to assume: a prior, or the model's. Empty if the latter are not known."""
    metadata = metadata_of(loaded)
    if prior is None:
        return metadata.prior
    if not metadata.prior:
        raise ZooError(f"{loaded.name}: {UNKNOWN_PRIOR}")
    current = dict(zip(metadata.classes, metadata.prior, strict=True))
    return tuple(priors.complete(prior, metadata.classes, current).values())


def _decisions(
    labels: NDArray[np.int64], logits: NDArray[np.float32], metadata: ActivityMetadata, prior: Sequence[float],
    per_class: Mapping[str, Mapping[str, Any]], label_sets: Sequence[Sequence[int]],
) -> dict[str, Any]:  # fmt: skip
    """What an evaluation says of the assumed prior and of the threshold, where a model has them."""
    found: dict[str, Any] = {}
    if prior:
        assumed = dict(zip(metadata.classes, prior, strict=True))
        complete = all(per_class[name]["windows"] for name in assumed)
        accuracy = sum(share * per_class[name]["recall"] for name, share in assumed.items()) if complete else None
        found["prior"] = {"classes": assumed, "accuracy": accuracy}
    if metadata.threshold:
        probabilities = softmax(logits.astype(np.float64), axis=1)
        found["answered"] = metrics.answered(resolve(labels, logits, label_sets), probabilities, metadata.threshold)
    return found


class ActivityTask(Task):
    """Recognizers of activity."""

    name = "activity"
    data_file = "data3.h5"
    recipe = Recipe(
        # From one person's minute to some thousand windows: see benchmarks/small_data.py.
        optimizer="adam", learning_rate=5e-3, schedule="cosine", warmup_epochs=2, clip_norm=1.0, ema_decay=0.999,
        batch_size=32, epochs=50, min_steps=2000, validation=0.2, label_smoothing=0.1,
        augmentation={
            "pace": 0.25, "smooth": 0.3, "mirror": 0.5, "half_turn": 0.5, "spin": 180.0, "keep_pose": 0.5,
            "tilt": 25.0, "scale": 0.1, "intensity": 0.5, "clip": 0.2, "noise": 0.3,
        },
    )  # fmt: skip
    # See benchmarks/small_data.py as well.
    arguments: ClassVar[Mapping[str, Any]] = {"num_layers": 2, "frame_activation": "leaky_relu", "magnitude": True}
    unused = ("loss", "merge_contexts")
    augmentation = Augmentation
    objectives: ClassVar[Mapping[str, str]] = {"macro_f1": "max", "accuracy": "max", "cross_entropy": "min"}
    score = "macro_f1"

    def read(self, source: Source, **options: Any) -> ActivityData:
        """Checks a file of windows and opens it."""
        return load_as(ActivityData, source, **options)

    def split(self, data: ActivityData, recipe: Recipe, *, folds: bool = False) -> Split:
        """Holds people out for validation, as a recipe says; with `folds`, of few people none, but each in a fold."""
        data = self.read(data)
        train = data.train.in_memory()
        if folds and (parts := leave_out(train, recipe)):
            return Split(data, train, None, tuple(Split(data, *part) for part in parts))
        return Split(data, *hold_out(train, recipe))

    def build(self, training: "Training", split: Split) -> ActivityRecognizer:
        """Makes the model, with the statistics of the training windows inside where the recipe wants them.

        Where no frame is named, it is the longest of up to five rows that divides the window.
        """
        rows, channels = split.train.inputs.shape[1:]
        classes, recipe = split.data.classes, training.recipe
        window = training.arguments.get("window", rows)
        if window > rows:
            raise ZooError(f"windows of {rows} rows; {training.name} reads {window}: cut longer ones")
        known: dict[str, Any] = {
            "classes": tuple(classes), "window": window, "rate": split.data.rate, "channels": channels,
            "seed": recipe.seed, "name": training.name,
            "carry_state": bool((recipe.augmentation or {}).get("carry")),
        }  # fmt: skip
        family: type[ActivityRecognizer] = find_family(training.family).load()
        if "frame" in family.argument_names():
            known["frame"] = max(size for size in range(1, _FRAME + 1) if window % size == 0)
        if recipe.normalize:
            known["mean"], known["variance"] = split.train.statistics()
        model = family(**known | training.arguments)
        if len(model.classes) != len(classes):
            own = training.arguments["classes"]
            raise ZooError(f"classes is {own!r}; the data has {', '.join(classes)}: leave it out")
        return model

    def feed(self, model: ActivityRecognizer, split: Split, recipe: Recipe) -> Feed:
        """Batches of windows, cut and augmented."""
        train, validation, rows, passes = split.train, split.validation, model.window, recipe.passes(len(split.train))
        augmentation = Augmentation.from_json(recipe.augmentation or {})
        if augmentation.carry and not model.states:
            raise ZooError(
                f"augmentation: carry is {augmentation.carry:g}; {model.name} has no state to carry: expected 0"
            )
        weighted, class_weights = _weighted(train, len(model.classes), recipe.class_weights)
        cut = recipe.augmentation or rows < train.inputs.shape[1]
        return Feed(
            partial(
                pipeline.training_batches, weighted, seed=recipe.seed, passes=passes,
                augment=partial(augmentation, rows=rows) if cut else None,
            ),
            passes * len(train),
            None if validation is None else _validation_batches(validation, rows, bool(augmentation.carry)),
            class_weights, weighted.label_sets,
            # What comes before a window is read by the same weights; dropout and the like keep their seeds.
            learner=model.copy(window=2 * rows) if augmentation.carry else None,
            # The same data can be split in other ways, such as by folds.
            identity={"split": _split_sha256(train, validation)},
        )  # fmt: skip

    def scores(self, model: ActivityRecognizer, split: Split) -> dict[str, float]:
        """`macro_f1`, `accuracy` and `cross_entropy` of a trained model on the validation windows.

        Where there are folds, nothing is held out, and the scores are of the training windows: good for comparing a
        model with its saved file, and for nothing else.
        """
        windows = split.train if split.folds else split.validation
        if windows is None:
            raise ZooError(f"{split.data}: nothing is held out to score on: set validation above 0")
        logits, known = answers(partial(keras_logits, model), windows)
        labels, predicted = resolve(known, logits, windows.label_sets), logits.argmax(axis=1)
        return {
            "macro_f1": metrics.macro_f1(labels, predicted), "accuracy": float((labels == predicted).mean()),
            "cross_entropy": metrics.cross_entropy(known, logits, windows.label_sets),
        }  # fmt: skip

    def finish(
        self, model: ActivityRecognizer, split: Split, recipe: Recipe, learners: Sequence[ActivityRecognizer] = ()
    ) -> dict[str, Any]:
        """Calibrates a trained model, records its provenance in it, and measures it on the validation windows.

        Each of `learners` is measured on the windows that it was not trained on. A temperature that calibrates them
        does not calibrate the model, which learned from more people (see benchmarks/few_people.py), so it has none.

        Returns:
            `train_windows`, `split_by`, and `validation`, None where no windows are held out; it has `folds`, their
            number, where there are any.
        """
        trained_before = model.provenance is not None
        model.provenance = provenance(
            split.data, split_by=split.data.split_by, subjects=split.train.people(),
            class_frequencies=class_frequencies(split.train, model.classes, recipe.class_weights),
        )  # fmt: skip
        model.prior = model.threshold = None
        found = {"train_windows": len(split.train), "split_by": split.data.split_by, "validation": None}
        parts, models = (split.folds, learners) if split.folds else ((split,), (model,))
        held_out = [part.validation for part in parts if part.validation is not None]
        if not held_out:
            return found
        predicted = [
            answers(partial(keras_logits, one), windows) for one, windows in zip(models, held_out, strict=True)
        ]
        logits, labels = (np.concatenate(columns) for columns in zip(*predicted, strict=True))
        groups = [windows.subjects for windows in held_out if windows.subjects is not None]
        model.temperature = 1.0 if split.folds else temperature_of(labels, logits)
        probabilities = softmax(logits.astype(np.float64) / model.temperature, axis=1)
        model.threshold = metrics.rejection_threshold(probabilities, recipe.rejection_rate)
        baseline = _baseline(parts, len(split.data.classes), model.window)
        label_sets = split.train.label_sets
        report = metrics.report(
            labels, logits, model.classes, np.concatenate(groups) if groups else None, model.temperature, label_sets
        )
        if split.folds:
            report["ece"]["after"] = None
        if baseline:
            # A baseline learns one class per window, and is compared where it is known.
            known = labels < len(model.classes)
            baseline["of_model"] = metrics.macro_f1(labels[known], logits[known].argmax(axis=1))
        loses = baseline is not None and baseline["of_model"] <= baseline["macro_f1"] - _LESS
        return found | {"validation": {
            "windows": report["windows"], "by": _validation_by(parts[0], recipe),
            "subjects": sort_names(np.concatenate(groups)) if groups else [],
            **({"folds": len(split.folds)} if split.folds else {}),
            **{key: report[key] for key in ("accuracy", "macro_f1", "cross_entropy", "ece")},
            **({} if model.threshold is None else {"answered": metrics.answered(
                resolve(labels, logits, label_sets), probabilities, model.threshold)}),
            **({"baseline": baseline} if baseline else {}),
        }, "warnings": [_loses(split, report, baseline, trained_before)] if baseline and loses else []}  # fmt: skip

    def metadata(self, model: ActivityRecognizer) -> ActivityMetadata:
        """What an exported file of a recognizer says of it."""
        known = model.provenance or {}
        return ActivityMetadata(
            **origin(model), classes=model.classes, rate=float(model.rate), window=model.window,
            hop=model.window // 2, frame=model.frame, chunk=chunk_of(model), states=model.states,
            mean=tuple(model.mean or ()), variance=tuple(model.variance or ()), unit=model.unit,
            axes=model.channels, convention=model.convention, temperature=float(model.temperature),
            streaming=_streaming(model),
            split_by=str(known.get("split_by", "not stated")), train_subjects=tuple(known.get("subjects", ())),
            prior=tuple((model.prior or model.train_prior).values()),
            threshold=None if model.threshold is None else float(model.threshold),
        )  # fmt: skip

    def evaluate(
        self, loaded: Loaded, data: ActivityData, *, split: str = "test", baselines: bool = True,
        robustness: bool = False, prior: Mapping[str, float] | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Measures a recognizer on windows.

        Args:
            loaded: The model.
            data: Windows of the model's classes, or of some of them.
            split: `test`, `train`, `validation`, or `all` windows of a file, which leaves none for baselines.
            baselines: Whether to fit and measure baselines as well.
            robustness: Whether to disturb the windows as well.
            prior: Class frequencies to assume, in place of those that the model assumes.

        Returns:
            The numbers of `evaluation.activity.report`, and `model`, `data`, `split`, `split_by`, `simulated`,
            `baselines`, `robustness`, `notes`; `prior` and `answered` of a model that has a prior or a threshold.

        Raises:
            ZooError: If the windows or the classes are not the model's.
        """
        data, metadata = self.read(data), metadata_of(loaded)
        data = for_model(loaded, data)
        if split not in ("test", "all") and data.sha256 != metadata.data_sha256:
            raise ZooError(f"{data}: {loaded.name} was trained on another file: only --split test or all is possible")
        recipe = Recipe.from_json(loaded.config["recipe"]) if "recipe" in loaded.config else Recipe(validation=0.0)
        if split == "validation" and "recipe" not in loaded.config:
            raise ZooError(f"{loaded.name}: its validation people are unknown; evaluate its folder instead")
        validation = loaded.config.get("training", {}).get("validation") or {}
        windows = part(data, split, recipe, folds="folds" in validation)
        # The probabilities of a file are calibrated already.
        temperature = metadata.temperature if loaded.interpreter is None else 1.0
        assumed = _assumed(loaded, prior)
        shift = (temperature * priors.shift(assumed, metadata.prior)).astype(np.float32) if prior else np.float32(0)

        def logits_at_prior(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
            return logits_of(loaded, inputs) + shift

        logits, labels = answers(logits_at_prior, windows)
        report = metrics.report(labels, logits, data.classes, windows.subjects, temperature, windows.label_sets)
        if windows.studies is not None:
            report["per_study"] = metrics.by_study(labels, logits, windows.studies, windows.label_sets)
        report |= _decisions(labels, logits / temperature, metadata, assumed, report["per_class"], windows.label_sets)
        report |= {
            "model": loaded.name, "data": str(data), "split": split, "split_by": data.split_by,
            "simulated": data.simulated, "data_sha256": data.sha256, "notes": _notes(data, loaded, windows, split),
        }  # fmt: skip
        # Baselines learn one class per window, and are scored where it is known.
        scored = windows.of_one_class(len(data.classes))
        if baselines and len(scored) and split != "all":
            reference = hold_out(data.train, recipe)[0] if split == "validation" else data.train
            fitted = reference.of_one_class(len(data.classes))
            report["baselines"] = baseline_scores(fitted.arrays(), scored.arrays(), scored.subjects)
            report["notes"] += _behind(report)
        if robustness and len(scored):
            inputs, labels = scored.arrays()
            report["robustness"] = metrics.robustness(
                lambda disturbed: logits_at_prior(disturbed).argmax(axis=1), inputs, labels, data.rate, DISTURBANCES
            )
        return report

    def predict(
        self, loaded: Loaded, x: Any, *, rate: float | None = None, times: NDArray[np.floating[Any]] | None = None,
        columns: CsvColumns | None = None, hop: int | None = None, dropped: Dropped | None = None,
        threshold: float | None = None,
    ) -> Predictions:  # fmt: skip
        """Predicts the activity in windows.

        Args:
            loaded: The model.
            x: Windows `(N, window, channels)`; or the path of a CSV file, which is cut into windows.
            rate: Hz of the rows of windows; the model's by default.
            times: `(N,)` seconds at which windows start.
            columns: How a CSV file is read.
            hop: Rows between the starts of windows of a CSV file; half a window by default.
            dropped: Counts the rows of a CSV file that are left out.
            threshold: Probability below which a label is None; 0 for never. That of the model by default.

        Raises:
            ZooError: If the input is not what the model reads.
        """
        metadata = metadata_of(loaded)
        if isinstance(x, str | Path):
            x, times = _cut(metadata, Path(x), columns or CsvColumns(), hop, dropped or Dropped())
        windows = np.asarray(x, np.float32)
        if windows.ndim != 3:
            expected = f"({metadata.window}, {len(metadata.axes)})"
            raise ZooError(f"input: has shape {windows.shape}; expected any number of windows of shape {expected}")
        check_windows(loaded, "input", windows.shape, metadata.rate if rate is None else rate)
        if not np.isfinite(windows).all():
            raise ZooError("input holds NaN or infinity: drop those rows first")
        if len(windows):
            check_lengths("input", *lengths_of(windows).mean(axis=0).tolist())
        probabilities = np.empty((len(windows), len(metadata.classes)), np.float32)
        for start in range(0, len(windows), _BATCH):
            batch = windows[start : start + _BATCH]
            if loaded.interpreter is not None:
                probabilities[start : start + _BATCH] = Recognizer(loaded.name).predict(batch)
            else:
                logits = logits_of(loaded, batch).astype(np.float64)
                probabilities[start : start + _BATCH] = softmax(logits / metadata.temperature, axis=1)
        labels = np.array(labels_of(probabilities, metadata, threshold), object)
        return Predictions(labels, probabilities, metadata.classes, times)

    def exportable(self, loaded: Loaded, data: ActivityData | None) -> "Exportable":
        """What export must know of a recognizer."""
        # The exporters are imported by an export alone.
        from zoo.activity.exportable import exportable

        return exportable(loaded, None if data is None else self.read(data))


def _cut(
    metadata: ActivityMetadata, path: Path, columns: CsvColumns, hop: int | None, dropped: Dropped
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Windows of a CSV file, and the seconds at which they start."""
    hop = hop or metadata.window // 2
    cut = Windowing(metadata.window, hop, metadata.rate, trim=0.0)
    gyroscope = columns.gyroscope or metadata.axes == INERTIAL
    columns = replace(columns, subject="=me", activity="=unknown", gyroscope=gyroscope)
    windows, times = [], []
    for recording in importers.read_csv([path], columns, dropped):
        windows.append(cut.windows(recording))
        times.append(recording.start + np.arange(len(windows[-1])) * hop / metadata.rate)
    if not sum(map(len, windows)):
        raise ZooError(f"{path}: shorter than one window of {metadata.window / metadata.rate:g} s without a gap")
    return np.concatenate(windows), np.concatenate(times)


TASK = ActivityTask()


def predictions_of(loaded: Loaded, data: ActivityData, threshold: float | None = None) -> list[dict[str, Any]]:
    """A record for each test window of a file, with its `true` label; `threshold` as for `predict`."""
    data = for_model(loaded, data)
    rows: list[dict[str, Any]] = []
    for windows, labels in data.test_windows().blocks():
        found = TASK.predict(
            loaded, center_crop(windows, metadata_of(loaded).window), rate=data.rate, threshold=threshold
        )
        rows += [
            row | {"window": len(rows) + number, "true": data.label_names[label]}
            for number, (row, label) in enumerate(zip(found.records(), labels, strict=True))
        ]
    return rows
