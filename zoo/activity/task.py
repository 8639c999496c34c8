"""Activity recognizers from end to end: windows in, a trained, measured and exported model out."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from scipy.special import softmax

from zoo.activity import device, evaluation, metrics
from zoo.activity.augmentation import Augmentation
from zoo.activity.data import AXES_OF
from zoo.activity.data import folds as people_folds
from zoo.activity.evaluation import answers, hold_out, keras_logits
from zoo.data import pipeline
from zoo.data.dataset import Data, DataSet, center_crop, sort_names
from zoo.errors import ZooError, option, refuse
from zoo.families import OWN, find_family
from zoo.loading import Loaded
from zoo.models import losses
from zoo.models.model import names_of
from zoo.models.network import require_sound
from zoo.models.recognizer import ActivityRecognizer
from zoo.provenance import known_of
from zoo.recipe import Recipe
from zoo.results import Predictions, Records
from zoo.runtime.labels import allowed_classes, complete_prior, label_frequencies
from zoo.runtime.metadata import AXES, OTHER, ActivityMetadata, Parent, Streaming
from zoo.task import Feed, Source, Split, Task, origin, provenance

if TYPE_CHECKING:
    from zoo.exporting.artifacts import Exportable
    from zoo.training import Training

OTHER_SHARE = 0.05
"""How frequent other movements are assumed to be, at most. Of the windows of new people, a network that assumes this
calls 1% another movement, and 2.5% where a fifth of its training was of them: see docs/guides/probabilities.md."""

_FRAME = 5
"""Rows of a frame, at most, where a plan names no number."""

_CHUNK = 10
"""Frames that the signature `chunk` reads, of a model whose window has so many."""


def _weighted(train: DataSet, classes: int, how: str | None) -> tuple[DataSet, list[float] | None]:
    """Windows whose labels also say of which study they are, and the weight of each label.
    After the labels of the windows, each label of each of several studies is a label of its own. If labels are
    balanced, the studies that have the same one share its weight. A label of validation windows has its mean weight.
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
    weighted = train.with_columns({"target": targets}, label_sets=(*train.label_sets, *members))
    studies_with = np.bincount(train.labels[first])[train.labels[first]]
    weights = losses.balanced_weights(np.bincount(groups), exponent, studies_with if how == "balanced" else None)
    totals = np.bincount(train.labels, np.array(weights)[groups], len(allowed))
    means = totals / np.maximum(np.bincount(train.labels, minlength=len(allowed)), 1)
    return weighted, [*means.tolist(), *weights]


def class_frequencies(train: DataSet, classes: Sequence[str], how: str | None) -> dict[str, float]:
    """Class frequencies that a network learns from windows, whose classes a recipe may weight. Empty if unknown."""
    labels = len(classes) + len(train.label_sets)
    weights = _weighted(train, len(classes), how)[1] or [1.0] * labels
    counts = np.bincount(train.labels, minlength=labels) * np.array(weights[:labels])
    return label_frequencies(counts, classes, train.label_sets)


def _learned(split: Split, recipe: Recipe) -> DataSet:
    """Training windows, and those of a shaken phone that a recipe adds to them as other movements."""
    train: DataSet = split.train
    data, share = split.data, Augmentation(**(recipe.augmentation or {})).shaken
    if not share or data.other_class is None:
        return train
    count, (rows, axes) = round(share * len(train)), train.inputs.shape[1:]
    if axes != len(AXES):
        raise ZooError(f"augmentation: shaken is {share:g}; windows have {axes} axes: expected 3, or shaken 0")
    from zoo.activity import simulate

    windows = simulate.shaken(count, rows, data.rate, np.random.default_rng([recipe.seed, 11]))
    labels = np.full(count, len(data.classes) - 1)
    shaken = DataSet.of({"input": windows, "target": labels, "subject": np.full(count, "shaken")})
    return train.joined(shaken).in_memory()


def assume_rare_other(
    model: ActivityRecognizer, train: DataSet, how: str | None, other: int | None
) -> dict[str, float]:  # fmt: skip
    """Makes a network as ready to see other movements as if few windows had been of them; returns frequencies."""
    known, bias = class_frequencies(train, model.classes, how), model.get_layer("logits").bias
    if other is None or bias is None or (share := known.get(OTHER, 0.0)) <= OTHER_SHARE:
        return known
    values = np.array(keras.ops.convert_to_numpy(bias))
    values[other] += np.log(OTHER_SHARE / (1 - OTHER_SHARE)) - np.log(share / (1 - share))
    bias.assign(values)
    return complete_prior({OTHER: OTHER_SHARE}, model.classes, known)


class ActivityTask(Task):
    """Recognizers of activity."""

    name = "activity"
    recipe = Recipe(
        # From one person's minute to some thousand windows: see benchmarks/small_data.py.
        optimizer="adam", learning_rate=5e-3, schedule="cosine", warmup_epochs=2, clip_norm=1.0, ema_decay=0.999,
        batch_size=32, steps=2000, parts=50, validation=0.2, label_smoothing=0.1,
        augmentation={
            "pace": 0.25, "smooth": 0.3, "mirror": 0.5, "half_turn": 0.5, "spin": 180.0, "keep_pose": 0.5,
            "tilt": 25.0, "scale": 0.1, "intensity": 0.5, "clip": 0.2, "noise": 0.3,
        },
    )  # fmt: skip
    # See benchmarks/small_data.py as well.
    arguments: ClassVar[Mapping[str, Any]] = {"num_layers": 2, "frame_activation": "leaky_relu", "magnitude": True}
    fitted = ("temperature", "prior", "threshold", "provenance")
    unused = ("merge_contexts",)
    augmentation = Augmentation
    objectives: ClassVar[Mapping[str, str]] = {"macro_f1": "max", "accuracy": "max", "cross_entropy": "min"}
    int8_bytes: ClassVar[tuple[int, int] | None] = (1810, 1)
    options = ("csv", "rate", "columns", "hop", "threshold")

    def match(self, data: Data, name: str, arguments: Mapping[str, Any]) -> Data:
        """Refuses windows that a model does not read; returns others with its order of the labels."""
        channels, classes = arguments.get("channels", data.axes), arguments.get("classes", data.classes)
        if isinstance(channels, int):
            channels = AXES_OF.get(channels, [f"{channels} channels"])
        if tuple(channels) != data.axes:
            what = f"channels {', '.join(data.axes)}; {name} reads {', '.join(channels)}"
            raise ZooError(f"{data}: {what}: cut windows of its channels")
        rows = data.train.inputs.shape[1]
        window, rate = arguments.get("window", rows), arguments.get("rate", data.rate)
        if data.rate != rate or rows < window:
            cure = f"`zoo data windows RECORDINGS --rate {rate:g} --window {window}`"
            cure = f"cut them anew with {cure}" if data.path else "resample the signal, and cut it anew"
            raise ZooError(
                f"{data}: windows of {rows} rows at {data.rate:g} Hz; {name} reads {window} at {rate:g} Hz: {cure}"
            )
        names = names_of("classes", classes, "class {}")
        if names == names_of("classes", len(data.classes), "class {}"):
            return data
        if set(names) != set(data.classes):
            numbered = names == names_of("classes", len(names), "class {}")
            expected = len(names) if numbered else ", ".join(names)
            raise ZooError(
                f"{data}: labels {', '.join(data.classes)}; {name} has {expected}: leave classes out, or pass the "
                "labels of the data; `zoo finetune` starts from trained weights with a new last layer"
            )
        return data.with_classes(names)

    def split(self, data: Data, recipe: Recipe, *, folds: bool = False) -> Split:
        """Holds people out for validation, as a recipe says; with `folds`, of few people none, but each in a fold."""
        data = self.load_data(data)
        if len(data.classes) < 2:
            raise ZooError(
                f"{data}: all windows are of {data.classes[0]!r}; a recognizer needs two activities: add others"
            )
        train = data.train.in_memory()
        # Patience needs validation windows throughout the training.
        folds = folds and recipe.validation > 0 and recipe.validation_by == "subject" and recipe.patience is None
        if folds and (parts := people_folds(train, recipe.validation, recipe.split_by_seed)):
            return Split(data, train, None, tuple(Split(data, *part) for part in parts))
        kept, held_out = hold_out(train, recipe)
        if held_out is not None and (held_out.labels == data.other_class).all():
            raise ZooError(
                f"{data}: validation would hold other movements alone: take another seed, or set validation to 0"
            )
        return Split(data, kept, held_out)

    def build(self, training: "Training", split: Split) -> ActivityRecognizer:
        """Makes the model, with the statistics of the training windows inside where the recipe wants them.

        Where no frame is named, it is the longest of up to five rows that divides the window.
        """
        rows, channels = split.train.inputs.shape[1:]
        recipe, window = training.recipe, training.arguments.get("window", rows)
        known: dict[str, Any] = {
            "window": window, "rate": split.data.rate, "channels": channels,
            "seed": recipe.seed, "name": training.name,
            "carry_state": bool((recipe.augmentation or {}).get("carry")),
            "frame": max(size for size in range(1, _FRAME + 1) if window % size == 0),
        }  # fmt: skip
        accepted = find_family(training.family).load().argument_types()
        known = {name: value for name, value in known.items() if name in accepted}
        if recipe.normalize:
            known["mean"], known["variance"] = split.train.statistics()
        # Arguments that are not those of the data were refused by `match`, which gave the labels their order.
        model: ActivityRecognizer = training.make(**known | training.arguments | {"classes": split.data.classes})
        if training.family == OWN:
            require_sound(model)
        return model

    def feed(self, model: ActivityRecognizer, split: Split, recipe: Recipe) -> Feed:
        """Batches of windows, cut and augmented."""
        augmentation = Augmentation(**(recipe.augmentation or {}))
        train, validation, rows = _learned(split, recipe), split.validation, model.window
        passes = recipe.passes(len(train))
        if augmentation.carry and not model.states:
            raise ZooError(
                f"augmentation: carry is {augmentation.carry:g}; {model.name} has no state to carry: expected 0"
            )
        weighted, class_weights = _weighted(train, len(model.classes), recipe.class_weights)
        cut = recipe.augmentation or rows < train.inputs.shape[1]
        held_out = None
        if validation is not None:
            # Equal batches of at most 512 windows, so that the pass compiles for one shape, or two.
            size, times = -(-len(validation) // -(-len(validation) // 512)), 2 if augmentation.carry else 1
            held_out = pipeline.batches(validation, size).map(
                lambda inputs, labels: (tf.tile(center_crop(inputs, rows), (1, times, 1)), labels)
            )
        parts = b"|".join(b"" if part is None else part.rows.tobytes() for part in (train, validation))
        return Feed(
            partial(
                pipeline.training_batches, weighted, seed=recipe.seed, passes=passes,
                augment=partial(augmentation, rows=rows) if cut else None,
            ),
            passes * len(train),
            held_out,
            class_weights, weighted.label_sets,
            # What comes before a window is read by the same weights; dropout and the like keep their seeds.
            learner=model.copy(window=2 * rows) if augmentation.carry else None,
            # The same data can be split in other ways, such as by folds.
            identity={"split": hashlib.sha256(parts).hexdigest()[:16]}, passes=passes,
        )  # fmt: skip

    def scores(self, model: ActivityRecognizer, split: Split) -> dict[str, float]:
        """`macro_f1`, `accuracy` and `cross_entropy` of a trained model on the validation windows."""
        windows = split.validation
        if windows is None:
            raise ZooError(f"{split.data}: nothing is held out to score on: set validation above 0")
        logits, labels = answers(partial(keras_logits, model), windows)
        found = metrics.measured(labels, logits, label_sets=windows.label_sets, other=split.data.other_class)
        return {name: found[name] for name in self.objectives}

    def finish(
        self, model: ActivityRecognizer, split: Split, recipe: Recipe, learners: Sequence[ActivityRecognizer] = ()
    ) -> dict[str, Any]:
        """Calibrates a trained model, records its provenance in it, and measures it on the validation windows.

        Each of `learners` is measured on the windows that it was not trained on. A temperature that calibrates them
        does not calibrate the model, which learned from more people, so it has none (benchmarks/few_people.py).
        """
        data, train, other = split.data, split.train, split.data.other_class
        # A model that was made with a number of classes has the labels of its data from now on.
        model.classes = data.classes
        frequencies = assume_rare_other(model, _learned(split, recipe), recipe.class_weights, other)
        for part, learner in zip(split.folds, learners, strict=True):
            assume_rare_other(learner, _learned(part, recipe), recipe.class_weights, other)
        model.provenance = provenance(
            model, data, split_by=data.split_by, subjects=train.people(), class_frequencies=frequencies,
            still=device.still_classes(train, model.classes), other=other is not None,
            held_out={} if split.validation is None else {
                "validation": recipe.validation, "validation_by": recipe.validation_by, "seed": recipe.split_by_seed,
            },
        )  # fmt: skip
        # What was calibrated for other weights does not hold for these.
        model.temperature, model.prior, model.threshold = 1.0, None, None
        parts, models = (split.folds, learners) if split.folds else ((split,), (model,))
        held_out = [part.validation for part in parts if part.validation is not None]
        summary: dict[str, Any] = {"train_windows": len(train), "split_by": data.split_by, "validation": None}
        if not held_out:
            return summary
        predicted = [
            answers(partial(keras_logits, one), windows) for one, windows in zip(models, held_out, strict=True)
        ]
        logits, labels = (np.concatenate(columns) for columns in zip(*predicted, strict=True))
        if not split.folds:
            model.temperature = metrics.fit_temperature(labels, logits, other)
        certain = softmax(logits.astype(np.float64) / model.temperature, axis=1)
        model.threshold = metrics.rejection_threshold(certain[labels != other], recipe.rejection_rate)
        found = metrics.measured(labels, logits, model.temperature, train.label_sets, other, model.threshold)
        del found["reliability"]
        people, by = [name for windows in held_out for name in windows.people()], recipe.validation_by
        if by == "subject":
            shared = {*parts[0].validation.people()} & {*parts[0].train.people()}
            by = "window" if not people else "time" if shared else "subject"
        found |= {"by": by, "subjects": sort_names(people)}
        if split.folds:
            # Nothing was fitted on the windows of folds.
            found |= {"folds": len(split.folds), "ece": found["ece"] | {"after": None}}
        return summary | {"validation": found}

    def metadata(self, model: ActivityRecognizer) -> ActivityMetadata:
        """What an exported file of a recognizer says of it."""
        known, groups_of = known_of(model), device.groups_of
        return ActivityMetadata(
            **origin(model), classes=model.classes, rate=float(model.rate), window=model.window,
            hop=model.window // 2, frame=model.frame, chunk=min(_CHUNK, model.window // model.frame),
            states=model.states, mean=tuple(model.mean or ()), variance=tuple(model.variance or ()), unit=model.unit,
            axes=model.channels, convention=model.convention, temperature=float(model.temperature),
            # A state is as old as the windows of its training. One that has learned to go on needs no restart.
            streaming=Streaming(
                **{"restart": 0, "copies": 1} if model.carry_state else {"restart": model.window},
                warmup=model.window // 2, groups=groups_of(model.classes, known.get("still", ()), model.other_class),
            ),
            split_by=str(known.get("split_by", "not stated")), train_subjects=tuple(known.get("subjects", ())),
            # Only a class of this name can be taken for that of other movements.
            other=model.other_class is not None if model.classes[-1] == OTHER else None,
            prior=tuple((model.prior or model.train_prior).values()),
            threshold=None if model.threshold is None else float(model.threshold),
            parents=tuple(Parent.from_json(row) for row in known.get("parents", ())) or None,
        )  # fmt: skip

    def evaluate(self, loaded: Loaded, data: Source, **options: Any) -> dict[str, Any]:
        """Measures a recognizer on windows, as `evaluation.evaluate` does."""
        return evaluation.evaluate(loaded, self.load_data(data), **options)

    def predict(self, loaded: Loaded, x: Any, **options: Any) -> Predictions:
        """Predicts the activity in windows, as `evaluation.predict` does."""
        return evaluation.predict(loaded, x, **options)

    def answer(
        self, loaded: Loaded, x: Any | None, data: Data | None, *, csv: Any = None, rate: float | None = None,
        columns: Any = None, hop: int | None = None, threshold: float | None = None,
    ) -> Predictions | Records:  # fmt: skip
        """What `zoo.predict` returns for windows, for a table, or for the test windows of data."""
        if isinstance(x, str | Path) or hasattr(x, "columns"):
            if csv is not None:
                raise ZooError(f"pass the CSV file once: {option('csv', 'FILE')}")
            csv, x = x, None
        if sum(given is not None for given in (x, data, csv)) != 1:
            raise ZooError(f"pass one of {option('data', 'FILE')} or {option('csv', 'FILE')}")
        if csv is None:
            refuse(f"applies with {option('csv', 'FILE')} alone", columns=columns, hop=hop)
        if data is not None:
            refuse(f"applies with {option('csv', 'FILE')} alone", rate=rate)
            return Records(evaluation.predictions_of(loaded, data, threshold), self.report.predictions)
        times, warnings, render = None, list[str](), self.report.predictions
        if csv is not None:
            from zoo.activity.columns import columns_of
            from zoo.activity.recordings import Findings
            from zoo.activity.tables import name_of

            findings, source = Findings(), Path(csv) if isinstance(csv, str) else csv
            x, times = evaluation.cut(loaded, source, columns_of(columns, rate), hop, findings)
            # What is cut is at the rate of the model.
            rate, metadata = None, loaded.metadata
            render = partial(render, seconds=(hop or metadata.window // 2) / metadata.rate)
            warnings = findings.sentences(name_of(csv))
        found = self.predict(loaded, x, rate=rate, threshold=threshold)
        return replace(found, times=times, render=render, warnings=warnings)

    def exportable(self, loaded: Loaded, data: Data | None) -> "Exportable":
        """What export must know of a recognizer."""
        return device.exportable(loaded, None if data is None else self.load_data(data))


TASK = ActivityTask()
