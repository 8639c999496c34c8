"""Trigram language models from end to end: a file of rows in, a trained, measured and exported model out."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import zoo
from zoo import training
from zoo.data import pipeline, trigrams
from zoo.data.examples import Examples
from zoo.data.trigrams import Rows, TrigramData
from zoo.errors import ZooError
from zoo.evaluation import trigram as metrics
from zoo.export import parity, signatures
from zoo.export.parity import Outputs, Tolerance
from zoo.files import sha256
from zoo.metadata import TrigramMetadata
from zoo.models.trigram import TrigramLM
from zoo.presets import FAMILIES
from zoo.recipes import Recipe
from zoo.tasks.exporting import Exportable
from zoo.tasks.loading import Loaded
from zoo.tasks.provenance import origin
from zoo.tasks.running import Plan, Run
from zoo.training import Fitted

KIND = "trigram"
DATA = "data2.h5"
"""What a data file is called where nobody says otherwise."""

_BLOCK, _CALIBRATED = 8192, 1000
_MOST_BYTES = 1 << 30
_LEAST = 1e-5
"""A probability that 8 bits round to 0; the logarithm of 0 would tell nothing."""


@dataclass(frozen=True)
class Prepared:
    """A file of rows, read once, for any number of trainings.

    Args:
        data: The checked file.
        sha256: Of the file.
    """

    data: TrigramData
    sha256: str

    def build(self, plan: Plan) -> TrigramLM:
        """Makes the model of a plan."""
        words = len(self.data.words)
        known = {"vocabulary": words, "seed": plan.recipe.seed, "name": plan.name}
        model: TrigramLM = getattr(zoo, FAMILIES[plan.family])(**known | plan.arguments)
        if model.get_config()["vocabulary"] != words:
            raise ZooError(f"{self.data.path}: {words} words; {plan.name} knows {model.get_config()['vocabulary']}")
        return model

    def fit(self, recipe: Recipe, model: TrigramLM, **options: Any) -> Fitted:
        """Trains a model; options are those of `training.fit`."""
        learned, aside = self.learned(recipe), self.data.validation
        held = Examples.all(aside.contexts, aside.targets) if recipe.validation else None
        return training.fit(
            model, recipe,
            lambda epoch, size: pipeline.training_batches(learned, size, seed=recipe.seed, first_epoch=epoch),
            len(learned),
            None if held is None else pipeline.batches(held, _BLOCK),
            **options,
        )  # fmt: skip

    def learned(self, recipe: Recipe) -> Examples:
        """What training sees: rows, merged once where a recipe wants it."""
        if recipe.merge_contexts not in self._merged:
            self._merged[recipe.merge_contexts] = examples(self.data, recipe)
        return self._merged[recipe.merge_contexts]

    @cached_property
    def _merged(self) -> dict[int | None, Examples]:
        return {}

    def scores(self, model: TrigramLM) -> dict[str, float]:
        """`cross_entropy`, in nats, and `top1` of a trained model on the validation rows."""
        rows = self.data.validation
        loss, rank = metrics.cross_entropy_and_rank(_logits(model, rows.contexts), rows.targets)
        return {"cross_entropy": float(loss.mean()), "top1": float((rank == 1).mean())}

    def metadata(self, plan: Plan, model: TrigramLM) -> TrigramMetadata:
        """What a model that learned from these rows says of itself."""
        return TrigramMetadata(
            **origin(model, plan.name, self.data, self.sha256), words=self.data.words, context=trigrams.CONTEXT
        )  # fmt: skip


def prepare(path: Path, recipe: Recipe) -> Prepared:
    """Reads a file of rows, which holds its own validation part.

    Args:
        path: A file in the course's layout.
        recipe: Unused: the same call serves every family.
    """
    return Prepared(trigrams.read(path), sha256(path))


def train(plan: Plan, path: Path, run: Run) -> dict[str, Any]:
    """Trains a language model on a file of rows and writes it to a folder.

    Args:
        plan: What and how.
        path: A file in the course's layout; its validation part is for early stopping and for the summary.
        run: Where to, and how it is run.

    Returns:
        A summary: `epochs`, `best_epoch`, `seconds`, `parameters`, `train_rows`, `validation`.

    Raises:
        ZooError: If the data, the recipe or the folder is not as it should be, or the loss stops being finite.
    """
    run.check()
    prepared = prepare(path, plan.recipe)
    model = prepared.build(plan)
    with run.options(model, prepared.sha256) as options:
        fitted = prepared.fit(plan.recipe, model, **options)
    last = fitted.history[fitted.best_epoch - 1]
    details = {
        "train_rows": len(prepared.data.train), "rows_an_epoch": len(prepared.learned(plan.recipe)),
        "validation": (
            {"cross_entropy": last["val_loss"], "top1": last["val_accuracy"]} if plan.recipe.validation else None
        ),
    }  # fmt: skip
    return run.save(plan, model, fitted, prepared.metadata(plan, model), path, details)


def examples(data: TrigramData, recipe: Recipe) -> Examples:
    """What training sees: rows as they are, or merged where the recipe says so.

    Raises:
        ZooError: If merged rows would not fit into memory.
    """
    if recipe.merge_contexts is None:
        return Examples.all(data.train.contexts, data.train.targets)
    return Examples.all(*merged(data.train, len(data.words), recipe.merge_contexts))


def merged(rows: Rows, vocabulary: int, most: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Rows with equal contexts as few rows whose targets are the distribution of their next words.

    A context that occurs n times becomes ceil(n / most) equal rows, so that no step hangs on a single context. Their
    targets sum to n over the mean number of occurrences a row, so that the cost over an epoch stays what it was.

    Args:
        rows: What to merge.
        vocabulary: V.
        most: Occurrences a row, 1 or more.

    Returns:
        Contexts `(M, 3)`, targets `(M, V)` float32.

    Raises:
        ZooError: If the targets would take more than a GB.

    Example:
        >>> same = np.array([[0, 1, 2], [0, 1, 2]], np.int32)
        >>> contexts, targets = merged(Rows(same, np.array([0, 3], np.int32)), 4, most=4)
        >>> contexts.tolist(), targets.tolist()
        ([[0, 1, 2]], [[0.5, 0.0, 0.0, 0.5]])
    """
    unique, places, counts = np.unique(rows.contexts, axis=0, return_inverse=True, return_counts=True)
    shares = -(-counts // most)
    if 4 * vocabulary * int(shares.sum()) > _MOST_BYTES:
        raise ZooError(
            f"recipe: merge_contexts makes {shares.sum():,} rows of {vocabulary} numbers: too many; set it to none"
        )
    table = np.zeros((len(unique), vocabulary), np.float32)
    np.add.at(table, (places.reshape(-1), rows.targets), 1)
    repeated = np.repeat(np.arange(len(unique)), shares)
    weight = np.float32(len(repeated) / len(rows))
    targets: NDArray[np.float32] = (table * (weight / shares[:, None]).astype(np.float32))[repeated]
    return unique[repeated], targets


def metadata_of(loaded: Loaded) -> TrigramMetadata:
    """What a language model says of itself.

    Raises:
        ZooError: If the model is no language model.
    """
    if not isinstance(loaded.metadata, TrigramMetadata):
        raise ZooError(f"{loaded.name}: is a {loaded.metadata.family}; expected a language model")
    return loaded.metadata


def log_probabilities(loaded: Loaded, contexts: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
    """Logits, or logarithms of probabilities, `(N, V)`, whatever the model is kept in."""
    if loaded.interpreter is None:
        return _logits(loaded.keras_model, contexts)
    parts = [loaded.interpreter.run("next_word", ids=block)["probabilities"] for block in _blocks(contexts)]
    return np.asarray(np.log(np.maximum(np.concatenate(parts), np.float32(_LEAST))))


def _logits(model: TrigramLM, contexts: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
    return np.concatenate([np.asarray(model.predict_on_batch(block)) for block in _blocks(contexts)])


def _blocks(contexts: NDArray[np.integer[Any]]) -> list[NDArray[np.int32]]:
    return [np.asarray(contexts[start : start + _BLOCK], np.int32) for start in range(0, len(contexts), _BLOCK)]


def evaluate(loaded: Loaded, path: Path, *, split: str = "test", baselines: bool = True) -> dict[str, Any]:
    """Measures a model on a file of rows.

    Args:
        loaded: The model.
        path: A file in the course's layout, with the model's words.
        split: `test`, `validation` or `train`.
        baselines: Whether to count n-grams in the file's training part and measure them beside it.

    Returns:
        The numbers of `metrics.report`, those of `metrics.hardest` as `hardest_words`, and `model`, `data`, `split`,
        `simulated`, `baselines`, `notes`.

    Raises:
        ZooError: If the file's words are not the model's.
    """
    metadata, data, digest = metadata_of(loaded), trigrams.read(path), sha256(path)
    _check_words(loaded, data)
    if split not in data.splits:
        raise ZooError(f"split {split!r}: expected {', '.join(data.splits)}")
    rows = data.splits[split]
    seen = metrics.seen_contexts(data.train.contexts, rows.contexts)
    notes = ["simulated text: nobody wrote it"] if data.simulated else []
    if split == "train":
        notes.append("training rows: the model has seen them")
    if digest != metadata.data_sha256:
        notes.append("not the file of the training: `seen` and baselines are of this file's training part")
    logits = log_probabilities(loaded, rows.contexts)
    report = metrics.report(logits, rows.targets, seen)
    report["hardest_words"] = [
        row | {key: data.words[int(row[key])] for key in ("word", "taken_for")}
        for row in metrics.hardest(logits, rows.targets)
    ]
    report |= {
        "model": loaded.name, "data": str(path), "split": split, "simulated": data.simulated, "data_sha256": digest,
        "notes": notes,
    }  # fmt: skip
    if baselines:
        fitted = (data.train.contexts, data.train.targets)
        report["baselines"] = metrics.baselines(fitted, (rows.contexts, rows.targets), len(data.words))
    return report


def _check_words(loaded: Loaded, data: TrigramData) -> None:
    words = metadata_of(loaded).words
    if data.words == words:
        return
    if len(data.words) != len(words):
        raise ZooError(f"{data.path}: {len(data.words)} words; {loaded.name} knows {len(words)}")
    place = next(i for i, (a, b) in enumerate(zip(data.words, words, strict=True)) if a != b)
    raise ZooError(
        f"{data.path}: word {place + 1} is {data.words[place]!r}; {loaded.name} has {words[place]!r} there: make the "
        "file with the model's vocabulary"
    )


def exportable(loaded: Loaded, path: Path | None) -> Exportable:
    """What export must know of a language model.

    Args:
        loaded: The model.
        path: A file whose test rows artifacts are compared on; rows of random words without.
    """
    metadata = metadata_of(loaded)
    rows, learned = _golden(loaded, path)

    def score(outputs: Mapping[str, Outputs]) -> dict[str, float]:
        found = np.log(np.maximum(outputs["next_word"]["probabilities"], _LEAST))
        loss, rank = metrics.cross_entropy_and_rank(found, rows.targets)
        return {"cross_entropy": float(loss.mean()), "top1": float((rank == 1).mean())} if path else {}

    return Exportable(
        lambda model: signatures.text(model, metadata.words),
        {"next_word": {"ids": rows.contexts}, "complete": {"words": np.array(metadata.words)[rows.contexts]}},
        # Rounding turns the answer where two words are as likely as each other; the score tells what that costs.
        parity.EXACT | {"float16": Tolerance(0.01, 0.99), "dynamic": Tolerance(0.2, 0.95), "int8": Tolerance(0.3, 0.9)},
        calibration={"next_word": {"ids": learned}},
        score=score,
    )


def _golden(loaded: Loaded, path: Path | None) -> tuple[Rows, NDArray[np.int32]]:
    """Rows to compare on, and contexts to calibrate on."""
    metadata = metadata_of(loaded)
    if path is None:
        # What follows what is no matter for a comparison.
        ids = np.random.default_rng(7).integers(0, len(metadata.words), (_CALIBRATED, metadata.context + 1), np.int32)
        return Rows(ids[:, :-1], ids[:, -1]), ids[:, :-1]
    data = trigrams.read(path)
    _check_words(loaded, data)
    chosen = np.linspace(0, len(data.train) - 1, min(_CALIBRATED, len(data.train))).astype(int)
    return data.test, data.train.contexts[chosen]


def embedding(loaded: Loaded) -> NDArray[np.float32]:
    """E `(V, D)`.

    Raises:
        ZooError: If this is an exported file, which does not show it.
    """
    return np.asarray(loaded.keras_model.get_layer("embedding").embeddings.numpy())


def pictures(loaded: Loaded, path: Path) -> dict[str, Any]:
    """What figures show beside the report: the words in two dimensions.

    Args:
        loaded: The model.
        path: The file that was measured.

    Returns:
        `words` and their `places (V, 2)`; nothing for an exported file.
    """
    if loaded.model is None:
        return {}
    return {"words": metadata_of(loaded).words, "places": metrics.plane(embedding(loaded))}
