"""What a recognizer answers to windows, and how good that is: its scores on a split, with baselines and notes."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from zoo import runtime
from zoo.activity import metrics
from zoo.activity.checks import check_lengths
from zoo.activity.data import CHANNELS_LAST, confounded, test_windows
from zoo.activity.data import split as divide
from zoo.catalog import START
from zoo.data.dataset import Data, DataSet, center_crop
from zoo.errors import ZooError, option, shown
from zoo.loading import Loaded
from zoo.models.function import measure
from zoo.models.recognizer import UNKNOWN_PRIOR, ActivityRecognizer
from zoo.provenance import already_seen, of_namesakes
from zoo.recipe import Recipe
from zoo.results import Predictions
from zoo.runtime.labels import COUNTED, allowed_classes, complete_prior, prior_shift, resolve
from zoo.runtime.metadata import AXES, INERTIAL, ActivityMetadata
from zoo.task import log_probabilities

if TYPE_CHECKING:
    import pandas as pd

    from zoo.activity.columns import CsvColumns
    from zoo.activity.recordings import Findings

_LESS = 0.01
"""How much lower than its baseline's the macro-F1 of a model is for a warning."""

BATCH = 2048
"""Windows that a network reads at once: what it computes on the way is many times as large."""

_SPLITS = ("test", "train", "validation", "all")

_FEW_PEOPLE = 40
"""The interval over fewer people than this is too narrow: of twenty it covers about 90%."""


def hold_out(train: DataSet, recipe: Recipe) -> tuple[DataSet, DataSet | None]:
    """What a recipe leaves for training, and what it holds out for validation, if anything."""
    if not recipe.validation:
        return train, None
    return divide(train, recipe.validation, recipe.split_by_seed, recipe.validation_by)


def metadata_of(loaded: Loaded) -> ActivityMetadata:
    """The metadata of a recognizer; refuses other models."""
    if not isinstance(loaded.metadata, ActivityMetadata):
        raise ZooError(f"{loaded.name}: is a {loaded.metadata.family}; expected a recognizer of activities")
    return loaded.metadata


def recognizer_of(loaded: Loaded) -> ActivityRecognizer:
    """The Keras model of a recognizer; refuses an exported file."""
    metadata_of(loaded)
    model = loaded.keras_model
    assert isinstance(model, ActivityRecognizer)
    return model


def keras_logits(model: ActivityRecognizer, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits `(N, classes)` of windows as long as the model's, or of the center of longer ones."""
    return np.asarray(model.predict_on_batch(center_crop(windows, model.window)))


def logits_of(loaded: Loaded, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits `(N, classes)` at the model's prior, before temperature scaling; logarithms of a file's probabilities."""
    if loaded.model is not None:
        model = recognizer_of(loaded)
        # The prior is added after the division by the temperature.
        return keras_logits(model, windows) + (model.temperature * model.prior_shift).astype(np.float32)
    rows = center_crop(windows, metadata_of(loaded).window)
    return log_probabilities(runtime.Recognizer(loaded.name).predict(rows))


def answers(
    logits: Callable[[NDArray[np.float32]], NDArray[np.float32]], windows: DataSet
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Logits and labels of all windows, read and computed a batch at a time."""
    parts = [
        (logits(inputs[start : start + BATCH]), labels[start : start + BATCH])
        for inputs, labels in windows.blocks()
        for start in range(0, len(inputs), BATCH)
    ]
    outputs, labels = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    if not np.isfinite(outputs).all():
        raise ZooError("the outputs of the network are not finite: its weights are damaged, or its training diverged")
    return outputs, labels


def check_windows(loaded: Loaded, where: str, shape: tuple[int, ...], rate: float) -> None:
    """Refuses windows of another length, number of axes or rate than the model's."""
    metadata = metadata_of(loaded)
    expected = (metadata.window, len(metadata.axes))
    if tuple(shape[-2:]) != expected:
        advice = ""
        if shape[-1] == expected[0] and shape[-2] in (len(AXES), len(INERTIAL)):
            advice = f": {CHANNELS_LAST}"
        elif shape[-1] == len(INERTIAL) > expected[1]:
            advice = f": leave the gyroscope out with {option('channels')}"
        raise ZooError(f"{where}: windows of shape {tuple(shape[-2:])}; {loaded.name} expects {expected}{advice}")
    if rate != metadata.rate:
        raise ZooError(f"{where}: rows at {rate:g} Hz; {loaded.name} expects {metadata.rate:g}: cut them again")


def for_model(loaded: Loaded, data: Data) -> Data:
    """Returns data with the classes of a model; windows that it was trained on may be longer, as training cuts them."""
    metadata, path = metadata_of(loaded), str(data)
    rows, axes = data.test.inputs.shape[1:]
    longer = rows > metadata.window and data.sha256 == metadata.data_sha256
    check_windows(loaded, f"{path}: key 'tstX'", (metadata.window if longer else rows, axes), data.rate)
    if unknown := [name for name in data.classes if name not in metadata.classes]:
        raise ZooError(
            f"{path}: {loaded.name} does not know {', '.join(unknown)}, but {', '.join(metadata.classes)}: rename or "
            f"select labels {'with `zoo data windows --classes`' if data.path else 'of y'}, or train the model on "
            "yours with `zoo finetune`"
        )
    return data.with_classes(metadata.classes)


def evaluate(
    loaded: Loaded, data: Data, *, split: str = "test", baselines: bool = True, robustness: bool = False,
    prior: Mapping[str, float] | None = None, own: Mapping[str, Callable[..., Any]] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Measures a recognizer on `test`, `train`, `validation`, or `all` windows, which leaves none for baselines.

    Returns:
        The numbers of `metrics.measured` and `metrics.classification`; `model`, `data`, `split`, `split_by` (None where
        the training of the model is not known), `simulated`, `baselines`, `robustness`, `notes`; and `prior` where the
        frequencies of the classes are known. The metrics of a user's `own` are under their names.
    """
    if split not in _SPLITS:
        raise ZooError(f"split {shown(split)}: expected {', '.join(_SPLITS[:-1])} or {_SPLITS[-1]}")
    metadata = metadata_of(loaded)
    data = for_model(loaded, data)
    if split not in ("test", "all") and data.sha256 != metadata.data_sha256:
        file = "was trained on another file" if metadata.data_sha256 else "does not say what it was trained on"
        raise ZooError(f"{data}: {loaded.name} {file}: only {option('split', 'test')} or all is possible")
    windows, reference = _parts(loaded, data, split)
    # The probabilities of a file are calibrated already.
    temperature = metadata.temperature if loaded.interpreter is None else 1.0
    assumed = _assumed(loaded, prior)
    shift = (temperature * prior_shift(assumed, metadata.prior)).astype(np.float32) if prior else np.float32(0)

    def logits_at_prior(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        return logits_of(loaded, inputs) + shift

    logits, labels = answers(logits_at_prior, windows)
    other, sets = metadata.other_class, windows.label_sets
    if (labels == other).all():
        raise ZooError(f"{data}: split {split!r} holds other movements alone; expected windows of known activities")
    report = metrics.measured(labels, logits, temperature, sets, other, metadata.threshold or None)
    truth, predicted = resolve(labels, logits, sets), logits.argmax(axis=1)
    report |= metrics.classification(truth, predicted, data.classes, windows.subjects, other)
    report |= {"own_metrics": [*own], **measure(own, truth, predicted, logits / temperature, other)} if own else {}
    if windows.studies is not None:
        report["per_study"] = metrics.by_study(labels, logits, windows.studies, sets, other)
    if assumed:
        shares, rows = dict(zip(metadata.classes, assumed, strict=True)), report["per_class"]
        recalls = [share * rows[name]["recall"] for name, share in shares.items()]
        complete = all(rows[name]["windows"] for name in shares)
        report["prior"] = {"classes": shares, "accuracy": sum(recalls) if complete else None}
    report |= {
        "model": loaded.name, "data": str(data), "split": split,
        "split_by": data.split_by if all(training.data_sha256 for training in metadata.trainings) else None,
        "simulated": data.simulated, "data_sha256": data.sha256, "notes": _notes(data, loaded, windows, split),
    }  # fmt: skip
    if baselines and split != "all":
        more = partial(measure, own or {})
        report["baselines"] = metrics.baseline_scores(reference, windows, metadata.window, other, more)
        # On windows that it was fitted on, a forest is always right.
        report["notes"] += [] if split == "train" else behind(report, metadata.preset)
    scored = windows.of_one_class(len(data.classes))
    scored = scored.where(scored.labels != other)
    if robustness and len(scored):
        from zoo.activity.augmentation import DISTURBANCES

        inputs, labels = scored.arrays()
        report["robustness"] = metrics.robustness(
            lambda disturbed: metrics.of_known(labels, logits_at_prior(disturbed).argmax(axis=1), other)[1],
            inputs, labels, data.rate, DISTURBANCES,
        )  # fmt: skip
    return report


def _parts(loaded: Loaded, data: Data, split: str) -> tuple[DataSet, DataSet]:
    """The windows of a split, and those that baselines are fitted on."""
    if split == "all":
        return data.everyone().train, data.train
    if split == "test":
        return test_windows(data), data.train
    # A model may come without its folder.
    provenance = {} if loaded.model is None else loaded.model.provenance or {}
    people, validation = metadata_of(loaded).train_subjects, None
    if "folds" in (loaded.config.get("training", {}).get("validation") or {}):
        trained = data.train
    elif "recipe" in loaded.config:
        trained, validation = hold_out(data.train, Recipe.from_json(loaded.config["recipe"]))
    elif "held_out" in provenance:
        trained, validation = hold_out(data.train, Recipe(**{"validation": 0.0} | provenance["held_out"]))
    elif data.train.subjects is not None and set(people) < set(data.train.people()):
        known = np.isin(data.train.subjects, people)
        trained, validation = data.train.where(known), data.train.where(~known)
    else:
        raise ZooError(f"{loaded.name}: which windows it was trained on is not known; evaluate its folder instead")
    if split == "train":
        return trained, data.train
    if validation is None:
        raise ZooError(
            "split 'validation': the model was trained on all people, and nothing is held out; where folds validated "
            f"it, config.json has their scores: use {option('split', 'test')}"
        )
    return validation, trained


def _notes(data: Data, loaded: Loaded, windows: DataSet, split: str) -> list[str]:
    metadata, people, rows = metadata_of(loaded), len(windows.people()), windows.inputs.shape[1]
    seen = already_seen(windows.people(), data.source, metadata) if split != "train" else []
    files = [training.data_sha256 for training in metadata.trainings]
    namesakes = of_namesakes(windows.people(), metadata, seen)
    allowed = allowed_classes(len(data.classes), windows.label_sets)[np.unique(windows.labels)]
    absent = [
        name for place, name in enumerate(data.classes)
        if place != metadata.other_class and not allowed[:, place].any()
    ]  # fmt: skip
    decided = windows.column("decided")
    accepted = 0.0 if decided is None else float(np.char.startswith(decided.astype(str), "proposal").mean())
    applies = {
        f"{accepted:.0%} of the labels are proposals of a model that a person accepted, which flatters it": accepted,
        f"only {'one person' if people == 1 else 'two people'}: these scores say little about other people":
            people in (1, 2),
        "simulated data: these windows are synthetic": data.simulated,
        COUNTED: windows.label_sets,
        "no subject ids: windows of one person may be in training and in test, so this is too optimistic":
            data.split_by == "window" and split != "all",
        "training windows: the model was trained on them": split == "train",
        "the model was trained on simulated data": metadata.simulated and not data.simulated,
        f"subject{'s'[: len(seen) > 1]} {', '.join(seen)} {'were' if len(seen) > 1 else 'was'} in the training of this "
        "model, so this is too optimistic": seen,
        namesakes: namesakes and split != "train" and data.sha256 not in files,
        "the model was trained on some of these windows, so this is too optimistic":
            split == "all" and not seen and data.sha256 in files,
        "what the model was trained on is not known: these windows may be among it, which no score would show":
            not all(files),
        f"no interval over {people} people: each has a score of their own": 2 < people < metrics.FEWEST,
        f"{people} people are few: their interval is too narrow for other people":
            metrics.FEWEST <= people < _FEW_PEOPLE,
        f"windows of {rows} rows: the center {metadata.window} are read": rows > metadata.window,
        f"no window of {', '.join(absent)}: macro-F1 leaves it out": absent,
    }  # fmt: skip
    everyone = data.everyone().train
    notes = [note for note, true in applies.items() if true]
    return notes + confounded(everyone.labels, everyone.subjects, everyone.studies)


def behind(report: Mapping[str, Any], preset: str) -> list[str]:
    """A note that names the baselines that are clearly better than the model, if any are."""
    # The networks of the course are small on purpose.
    advice = (
        f": evaluate or fine-tune {START}, which learned from more people and phones" if "_course" in preset else ""
    )
    ahead = [
        f"the {name.replace('_', ' ')} ({row['macro_f1']:.3f})"
        for name, row in report["baselines"].items()
        if report["macro_f1"] <= row["macro_f1"] - _LESS
    ]
    return [f"macro-F1 {report['macro_f1']:.3f} is below that of {' and '.join(ahead)}{advice}"] if ahead else []


def _assumed(loaded: Loaded, prior: Mapping[str, float] | None) -> tuple[float, ...]:
    metadata = metadata_of(loaded)
    if prior is None:
        return metadata.prior
    if not metadata.prior:
        raise ZooError(f"{loaded.name}: {UNKNOWN_PRIOR}")
    current = dict(zip(metadata.classes, metadata.prior, strict=True))
    return tuple(complete_prior(prior, metadata.classes, current).values())


def predict(loaded: Loaded, x: Any, *, rate: float | None = None, threshold: float | None = None) -> Predictions:
    """Predicts the activity in windows `(N, window, channels)`.

    Args:
        loaded: The model.
        x: The windows.
        rate: Hz of their rows; the model's by default.
        threshold: Probability below which a label is None; 0 for never. That of the model by default.
    """
    # They import LiteRT, which no training needs.
    from zoo.runtime.interpreter import floats, lengths_of, measured
    from zoo.runtime.recognizer import labels_of

    metadata = metadata_of(loaded)
    windows = floats("input", x)
    if windows.ndim != 3:
        expected = f"({metadata.window}, {len(metadata.axes)})"
        raise ZooError(f"input: has shape {windows.shape}; expected any number of windows of shape {expected}")
    check_windows(loaded, "input", windows.shape, metadata.rate if rate is None else rate)
    if len(windows):
        check_lengths("input", lengths_of(measured("input", windows)))
    probabilities = np.empty((len(windows), len(metadata.classes)), np.float32)
    for start in range(0, len(windows), BATCH):
        batch = windows[start : start + BATCH]
        if loaded.interpreter is not None:
            probabilities[start : start + BATCH] = runtime.Recognizer(loaded.name).predict(batch)
        else:
            logits = logits_of(loaded, batch).astype(np.float64)
            probabilities[start : start + BATCH] = softmax(logits / metadata.temperature, axis=1)
    labels = np.array(labels_of(probabilities, metadata, threshold), object)
    return Predictions(labels, probabilities, metadata.classes)


def cut(
    loaded: Loaded, source: "Path | pd.DataFrame", columns: "CsvColumns", hop: int | None, findings: "Findings"
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Windows that a model reads, of a CSV file or a DataFrame, and the seconds at which they start.

    Args:
        loaded: The model.
        source: Rows of one person.
        columns: How they are read.
        hop: Rows between the starts of windows; half a window by default.
        findings: Gets the rows that are left out or changed.
    """
    # Training and evaluation need none of what reads and cuts recordings.
    from zoo.activity.cutting import Windowing
    from zoo.activity.importing import read_csv
    from zoo.activity.tables import name_of

    metadata = metadata_of(loaded)
    hop = hop or metadata.window // 2
    windowing = Windowing(metadata.window, hop, metadata.rate, trim=0.0)
    gyroscope = columns.gyroscope or metadata.axes == INERTIAL
    columns = columns.replace(subject="=-", activity="=-", gyroscope=gyroscope)
    windows, times = [], []
    for recording in read_csv(source, columns, findings):
        windows.append(windowing.windows(recording))
        times.append(recording.start + np.arange(len(windows[-1])) * hop / metadata.rate)
    if not sum(map(len, windows)):
        name = name_of(source)
        raise ZooError(f"{name}: shorter than one window of {metadata.window / metadata.rate:g} s without a gap")
    return np.concatenate(windows), np.concatenate(times)


def predictions_of(loaded: Loaded, data: Data, threshold: float | None = None) -> list[dict[str, Any]]:
    """A record for each test window of a file, with its `true` label; `threshold` as for `predict`."""
    data = for_model(loaded, data)
    rows: list[dict[str, Any]] = []
    for windows, labels in test_windows(data).blocks():
        found = predict(loaded, center_crop(windows, metadata_of(loaded).window), rate=data.rate, threshold=threshold)
        rows += [
            row | {"window": len(rows) + number, "true": data.label_names[label]}
            for number, (row, label) in enumerate(zip(found.records(), labels, strict=True))
        ]
    return rows
