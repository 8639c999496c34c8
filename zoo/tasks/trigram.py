"""Trigram language models from end to end: rows of words in, a trained, measured and exported model out."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from zoo import training
from zoo.data import pipeline
from zoo.data.examples import Examples
from zoo.data.loading import load_as
from zoo.data.text import tokenize
from zoo.data.trigrams import TrigramData, Trigrams
from zoo.errors import ZooError
from zoo.evaluation import trigram as metrics
from zoo.families import find_family
from zoo.formats import parity, signatures
from zoo.formats.parity import Outputs, Tolerance
from zoo.metadata import TrigramMetadata
from zoo.models.trigram import TrigramLM
from zoo.recipes import Recipe
from zoo.tasks.exporting import Exportable
from zoo.tasks.loading import Loaded
from zoo.tasks.running import Plan
from zoo.tasks.task import Predictions, Source, Task, origin, provenance
from zoo.training import Fitted

_BLOCK, _CALIBRATED = 8192, 1000
_MOST_BYTES = 1 << 30


@dataclass(frozen=True)
class Prepared:
    """A file of rows, read once, for any number of trainings.

    Args:
        data: The checked file.
    """

    data: TrigramData

    def build(self, plan: Plan) -> TrigramLM:
        """Makes the model of a plan."""
        known = {"vocabulary": self.data.words, "seed": plan.recipe.seed, "name": plan.name}
        model: TrigramLM = find_family(plan.family).load()(**known | plan.arguments)
        words, found = len(model.vocabulary), len(self.data.words)
        if words != found:
            raise ZooError(f"{self.data}: {found} words; {plan.name} knows {words}")
        return model

    def fit(self, recipe: Recipe, model: TrigramLM, **options: Any) -> Fitted:
        """Trains a model; options are those of `training.fit`."""
        learned, validation = self.learned(recipe), self.data.validation
        rows = Examples.all(validation.contexts, validation.targets) if recipe.validation else None
        return training.fit(
            model, recipe,
            lambda epoch, size: pipeline.training_batches(learned, size, seed=recipe.seed, first_epoch=epoch),
            len(learned),
            None if rows is None else pipeline.batches(rows, _BLOCK),
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
        loss, rank = metrics.cross_entropy_and_rank(_logits(model, rows.contexts), rows.next_words)
        return {"cross_entropy": float(loss.mean()), "top1": float((rank == 1).mean())}

    def finish(self, recipe: Recipe, model: TrigramLM) -> dict[str, Any]:
        """Records the provenance of a trained model in it, and measures it on the validation rows.

        Returns:
            `train_rows`, `rows_per_epoch`, and `validation`: `cross_entropy` and `top1`.
        """
        model.vocabulary, model.provenance = self.data.words, provenance(self.data)
        return {
            "train_rows": len(self.data.train), "rows_per_epoch": len(self.learned(recipe)),
            "validation": self.scores(model) if recipe.validation else None,
        }  # fmt: skip


def examples(data: TrigramData, recipe: Recipe) -> Examples:
    """What training sees: rows as they are, or merged where the recipe says so.

    Raises:
        ZooError: If merged rows would not fit into memory.
    """
    if recipe.merge_contexts is None:
        return data.train
    return Examples.all(*merged(data.train, len(data.words), recipe.merge_contexts))


def merged(rows: Trigrams, vocabulary: int, most: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
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
        >>> contexts, targets = merged(Trigrams.all(same, np.array([0, 3], np.int32)), 4, most=4)
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
    np.add.at(table, (places.reshape(-1), rows.next_words), 1)
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
    """Logits of a Keras model, or logarithms of an exported file's probabilities, `(N, V)`."""
    if loaded.interpreter is None:
        return _logits(loaded.keras_model, contexts)
    parts = [loaded.interpreter.run("next_word", ids=block)["probabilities"] for block in _blocks(contexts)]
    return metrics.log_probabilities(np.concatenate(parts))


def _logits(model: TrigramLM, contexts: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
    return np.concatenate([np.asarray(model.predict_on_batch(block)) for block in _blocks(contexts)])


def _blocks(contexts: NDArray[np.integer[Any]]) -> list[NDArray[np.int32]]:
    return [np.asarray(contexts[start : start + _BLOCK], np.int32) for start in range(0, len(contexts), _BLOCK)]


def _check_words(loaded: Loaded, data: TrigramData) -> None:
    words = metadata_of(loaded).words
    if data.words == words:
        return
    if len(data.words) != len(words):
        raise ZooError(f"{data}: {len(data.words)} words; {loaded.name} knows {len(words)}")
    place = next(i for i, (a, b) in enumerate(zip(data.words, words, strict=True)) if a != b)
    raise ZooError(
        f"{data}: word {place + 1} is {data.words[place]!r}; {loaded.name} has {words[place]!r} there: make the "
        "file with the model's vocabulary"
    )


def _golden(loaded: Loaded, data: TrigramData | None) -> tuple[Trigrams, NDArray[np.int32]]:
    """Rows to compare on, and contexts to calibrate on."""
    metadata = metadata_of(loaded)
    if data is None:
        # A comparison needs no real text.
        ids = np.random.default_rng(7).integers(0, len(metadata.words), (_CALIBRATED, metadata.context + 1), np.int32)
        return Trigrams.all(ids[:, :-1], ids[:, -1]), ids[:, :-1]
    _check_words(loaded, data)
    chosen = np.linspace(0, len(data.train) - 1, min(_CALIBRATED, len(data.train))).astype(int)
    return data.test, data.train.contexts[chosen]


def word_ids(loaded: Loaded, text: str) -> list[int]:
    """The numbers of the words of a text.

    Raises:
        ZooError: If a word is not in the vocabulary; names the nearest words.
    """
    words = metadata_of(loaded).words
    numbers = {word: i for i, word in enumerate(words)}
    for word in tokenize(text):
        if word not in numbers:
            near = difflib.get_close_matches(word, words, n=3, cutoff=0.5)
            hint = f"did you mean {', '.join(near)}?" if near else f"`zoo info {loaded.name}` lists the words"
            raise ZooError(f"{word!r} is not among the {len(words)} words of {loaded.name}: {hint}")
    return [numbers[word] for word in tokenize(text)]


def context_of(loaded: Loaded, text: str) -> list[int]:
    """The numbers of the last words of a text, as many as the model reads.

    Raises:
        ZooError: If there are too few words, or one is not in the vocabulary.
    """
    ids, needed = word_ids(loaded, text), metadata_of(loaded).context
    if len(ids) < needed:
        raise ZooError(f"{text!r}: {len(ids)} words; {loaded.name} needs {needed} to predict the next one")
    return ids[-needed:]


def embedding(loaded: Loaded) -> NDArray[np.float32]:
    """E `(V, D)`.

    Raises:
        ZooError: If this is an exported file, which does not show it.
    """
    return np.asarray(loaded.keras_model.get_layer("embedding").embeddings)


class TrigramTask(Task):
    """Language models that predict the next word from the words before it."""

    name = "trigram"
    data_file = "data2.h5"
    recipe = Recipe(
        optimizer="adamw", learning_rate=3e-3, schedule="cosine", warmup_epochs=1, weight_decay=0.05, batch_size=256,
        epochs=15,
    )  # fmt: skip
    unused = ("loss", "class_weights", "normalize", "validation_by", "augmentation")
    objectives: ClassVar[Mapping[str, str]] = {"cross_entropy": "min", "top1": "max"}
    score = "cross_entropy"

    def read(self, source: Source, **options: Any) -> TrigramData:
        """Checks a file of rows and opens it."""
        return load_as(TrigramData, source, **options)

    def prepare(self, data: TrigramData, recipe: Recipe) -> Prepared:
        """The data has its own validation part."""
        return Prepared(self.read(data))

    def metadata(self, model: TrigramLM) -> TrigramMetadata:
        """What an exported file of a language model says of it."""
        return TrigramMetadata(**origin(model), words=model.vocabulary, context=model.context)

    def evaluate(
        self, loaded: Loaded, data: TrigramData, *, split: str = "test", baselines: bool = True
    ) -> dict[str, Any]:  # fmt: skip
        """Measures a model on a file of rows.

        Args:
            loaded: The model.
            data: Rows of the model's words.
            split: `test`, `validation` or `train`.
            baselines: Whether to measure n-grams, counted in the training part of the data, as well.

        Returns:
            The numbers of `metrics.report`, those of `metrics.hardest` as `hardest_words`, and `model`, `data`,
            `split`, `simulated`, `baselines`, `notes`.

        Raises:
            ZooError: If the file's words are not the model's.
        """
        metadata, data = metadata_of(loaded), self.read(data)
        digest = data.sha256
        _check_words(loaded, data)
        splits = {"train": data.train, "validation": data.validation, "test": data.test}
        if split not in splits:
            raise ZooError(f"split {split!r}: expected {', '.join(splits)}")
        rows = splits[split]
        seen = metrics.seen_contexts(data.train.contexts, rows.contexts)
        notes = ["simulated text: its sentences are synthetic"] if data.simulated else []
        if split == "train":
            notes.append("training rows: the model was trained on them")
        if digest != metadata.data_sha256:
            notes.append("not the file of the training: `seen` and the baselines refer to this file's training part")
        logits = log_probabilities(loaded, rows.contexts)
        report = metrics.report(logits, rows.next_words, seen)
        report["hardest_words"] = [
            row | {key: data.words[int(row[key])] for key in ("word", "taken_for")}
            for row in metrics.hardest(logits, rows.next_words)
        ]
        report |= {
            "model": loaded.name, "data": str(data), "split": split, "simulated": data.simulated,
            "data_sha256": digest, "notes": notes,
        }  # fmt: skip
        if baselines:
            fitted = (data.train.contexts, data.train.next_words)
            report["baselines"] = metrics.baselines(fitted, (rows.contexts, rows.next_words), len(data.words))
        return report

    def predict(self, loaded: Loaded, x: Any) -> Predictions:
        """Predicts the next word.

        Args:
            loaded: The model.
            x: A text, of which the last words are read; or word numbers `(N, context)` from 0.

        Raises:
            ZooError: If a word is not in the vocabulary, or there are too few.
        """
        words = metadata_of(loaded).words
        contexts = np.array([context_of(loaded, x)]) if isinstance(x, str) else np.asarray(x)
        if contexts.ndim != 2 or contexts.shape[1] != metadata_of(loaded).context:
            raise ZooError(f"input: shape {contexts.shape}; {loaded.name} reads (N, {metadata_of(loaded).context})")
        if contexts.size and not (contexts.min() >= 0 and contexts.max() < len(words)):
            numbers = f"{contexts.min()} to {contexts.max()}"
            raise ZooError(f"input: word numbers from {numbers}; expected 0 to {len(words) - 1}")
        found = softmax(log_probabilities(loaded, contexts).astype(np.float64), axis=1).astype(np.float32)
        return Predictions(np.array(words)[found.argmax(axis=1)], found, words)

    def exportable(self, loaded: Loaded, data: TrigramData | None) -> Exportable:
        """What export must know of a language model.

        Args:
            loaded: The model.
            data: Rows of which the test part is what artifacts are compared on; random words where None.
        """
        metadata = metadata_of(loaded)
        rows, learned = _golden(loaded, None if data is None else self.read(data))

        def score(outputs: Mapping[str, Outputs]) -> dict[str, float]:
            found = metrics.log_probabilities(outputs["next_word"]["probabilities"])
            loss, rank = metrics.cross_entropy_and_rank(found, rows.next_words)
            return {"cross_entropy": float(loss.mean()), "top1": float((rank == 1).mean())} if data else {}

        return Exportable(
            lambda model: signatures.text(model, metadata.words),
            {"next_word": {"ids": rows.contexts}, "complete": {"words": np.array(metadata.words)[rows.contexts]}},
            # Rounding turns the answer where two words are as likely as each other; the score says what that costs.
            parity.EXACT
            | {
                "float16": Tolerance(0.01, 0.99),
                "dynamic": Tolerance(0.2, 0.95),
                "int8": Tolerance(0.3, 0.9),
            },
            calibration={"next_word": {"ids": learned}},
            score=score,
        )

    def pictures(self, loaded: Loaded, data: TrigramData) -> dict[str, Any]:
        """Returns `words` and their positions in two dimensions, `places (V, 2)`; nothing for an exported file."""
        if loaded.model is None:
            return {}
        return {"words": metadata_of(loaded).words, "places": metrics.tsne(embedding(loaded))}


TASK = TrigramTask()
