"""The task of language models: training, evaluation, prediction, completion and export."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from zoo import task
from zoo.data import pipeline
from zoo.data.dataset import Data, DataSet
from zoo.errors import ZooError, option, refuse, shown
from zoo.exporting import signatures
from zoo.exporting.artifacts import EXACT, Exportable, Outputs, Tolerance
from zoo.exporting.c99 import families
from zoo.families import find_family
from zoo.loading import Loaded
from zoo.models.model import Model, names_of
from zoo.models.trigram import TrigramLM, sample
from zoo.recipe import Recipe
from zoo.results import Document, Predictions, Records
from zoo.runtime.interpreter import numbers
from zoo.runtime.metadata import TrigramMetadata
from zoo.runtime.vocabulary import context_ids, word_ids
from zoo.task import Feed, Split, Task, origin, provenance
from zoo.text import metrics
from zoo.text.data import occurring

if TYPE_CHECKING:
    from zoo.training import Training

_BLOCK, _CALIBRATED = 8192, 1000
_MOST_BYTES = 1 << 30

_MORE = 0.01
"""How many nats greater than its baseline's the cross-entropy of a model is for a note."""

_BASELINES = {"unigram": "word frequencies", "bigram": "the bigram model", "kneser_ney": "the Kneser-Ney model"}


def merged(rows: DataSet, vocabulary: int, most: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Contexts `(M, 3)` and targets `(M, V)`: rows with the same context, merged, whose targets are distributions.

    A context that occurs n times becomes ceil(n / most) equal rows, so that no single row dominates a step. Targets are
    scaled so that the cost over an epoch does not change.
    """
    contexts, next_words = rows.arrays()
    unique, places, counts = np.unique(contexts, axis=0, return_inverse=True, return_counts=True)
    shares = -(-counts // most)
    if 4 * vocabulary * int(shares.sum()) > _MOST_BYTES:
        raise ZooError(
            f"recipe: merge_contexts makes {shares.sum():,} rows of {vocabulary} numbers: too many; set it to none"
        )
    table = np.zeros((len(unique), vocabulary), np.float32)
    np.add.at(table, (places.reshape(-1), next_words), 1)
    repeated = np.repeat(np.arange(len(unique)), shares)
    weight = np.float32(len(repeated) / len(rows))
    targets: NDArray[np.float32] = (table * (weight / shares[:, None]).astype(np.float32))[repeated]
    return unique[repeated], targets


def log_probabilities(loaded: Loaded, contexts: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
    """The logits of a Keras model, or the log probabilities of an exported file, `(N, V)`."""
    starts = range(0, max(len(contexts), 1), _BLOCK)
    blocks = [np.asarray(contexts[start : start + _BLOCK], np.int32) for start in starts]
    if loaded.interpreter is None:
        return np.concatenate([np.asarray(loaded.keras_model.predict_on_batch(block)) for block in blocks])
    parts = [loaded.interpreter.run("next_word", ids=block)["probabilities"] for block in blocks]
    return task.log_probabilities(np.concatenate(parts))


def require_fit(data: Data, words: Sequence[str], name: str, context: int | None = None) -> None:
    """Refuses data with another vocabulary or context than a model's; the message names the first difference."""
    read, advice = data.train.inputs.shape[1], "make the file with the model's vocabulary, or train new weights"
    if context not in (None, read):
        raise ZooError(f"{data}: contexts of {read} words; {name} reads {context}: set context={read}")
    if len(data.words) != len(words):
        raise ZooError(f"{data}: {len(data.words)} words; {name} knows {len(words)}: {advice} with `zoo train`")
    for place, (word, expected) in enumerate(zip(data.words, words, strict=True), 1):
        if word != expected:
            raise ZooError(
                f"{data}: word {place} is {word!r}; {name} has {expected!r} there: {advice} with `zoo train`"
            )


def _best(found: Predictions, count: int) -> list[list[dict[str, Any]]]:
    """Records of the most probable next words of each prediction."""
    return [[{"word": word, "probability": share} for word, share in best] for best in found.top(count)]


def continued(loaded: Loaded, text: str, count: int, temperature: float = 1.0, seed: int = 0) -> dict[str, Any]:
    """Continues a text by some words, as `TrigramLM.generate` does; `added` are the generated words."""
    words = sample(
        partial(log_probabilities, loaded), loaded.metadata.words, loaded.metadata.context, text, count, temperature,
        seed, loaded.name,
    )  # fmt: skip
    return {"text": " ".join(words), "added": words[-count:]}


def nearest_words(loaded: Loaded, word: str, count: int = 10) -> dict[str, Any]:
    """Finds the words nearest to a word by the cosine similarity of their embeddings."""
    words = loaded.metadata.words
    ids = word_ids(word, words, loaded.name)
    if len(ids) != 1:
        raise ZooError(f"{shown(word)}: expected one word")
    nearest = metrics.nearest(np.asarray(loaded.keras_model.get_layer("embedding").embeddings), ids[0], count)
    return {"word": words[ids[0]], "nearest": [{"word": words[i], "cosine": cosine} for i, cosine in nearest]}


def examples(loaded: Loaded, data: Data, count: int = 5, top: int = 10, seed: int = 0) -> list[dict[str, Any]]:
    """Predicts `top` next words of `count` random test rows; `wanted` is the actual next word."""
    words = loaded.metadata.words
    require_fit(data, words, loaded.name, loaded.metadata.context)
    rows = data.test
    if not len(rows):
        raise ZooError(f"{data}: has no test rows to predict: pass contexts of them as input")
    chosen = np.random.default_rng(seed).choice(len(rows), min(count, len(rows)), replace=False)
    contexts, targets = (array[chosen] for array in rows.arrays())
    return [
        {"context": [words[i] for i in context], "wanted": words[target], "next": best}
        for context, target, best in zip(contexts, targets, _best(TASK.predict(loaded, contexts), top), strict=True)
    ]


class TrigramTask(Task):
    """Task of language models, which predict the next word from the words before it."""

    name = "text"
    recipe = Recipe(
        optimizer="adamw", learning_rate=3e-3, schedule="cosine", warmup_epochs=1, weight_decay=0.05, batch_size=256,
        epochs=15,
    )  # fmt: skip
    unused = ("class_weights", "rejection_rate", "normalize", "validation_by", "augmentation", "steps")
    objectives: ClassVar[Mapping[str, str]] = {"cross_entropy": "min", "top1": "max"}
    int8_bytes: ClassVar[tuple[int, int] | None] = (3430, 1)
    options = ("top", "generate", "temperature", "seed", "neighbors")

    def match(self, data: Data, name: str, arguments: Mapping[str, Any]) -> Data:
        """Refuses rows of another vocabulary; a number of words stands for those of the data."""
        words = names_of("vocabulary", arguments.get("vocabulary", data.words))
        numbered = words == names_of("vocabulary", len(data.words))
        require_fit(data, data.words if numbered else words, name, arguments.get("context"))
        return data

    def split(self, data: Data, recipe: Recipe, *, folds: bool = False) -> Split:
        """Uses the data's own validation set, where it has one."""
        data = self.load_data(data)
        return Split(data, data.train, data.validation if recipe.validation and len(data.validation) else None)

    def build(self, training: "Training", split: Split) -> TrigramLM:
        """Creates the model."""
        known = {"vocabulary": split.data.words, "seed": training.recipe.seed, "name": training.name}
        model: TrigramLM = find_family(training.family).load()(**known | training.arguments)
        return model

    def feed(self, model: TrigramLM, split: Split, recipe: Recipe) -> Feed:
        """Batches of rows."""
        rows: DataSet = split.train
        if recipe.merge_contexts is not None:
            contexts, targets = merged(rows, len(split.data.words), recipe.merge_contexts)
            rows = DataSet.of({"input": contexts, "target": targets})
        return Feed(
            partial(pipeline.training_batches, rows, seed=recipe.seed),
            len(rows),
            None if split.validation is None else pipeline.batches(split.validation, _BLOCK),
            details={"rows_per_epoch": len(rows)},
        )

    def scores(self, model: TrigramLM, split: Split) -> dict[str, float]:
        """`cross_entropy`, in nats, and `top1` of a trained model on the validation rows."""
        if split.validation is None:
            raise ZooError(f"{split.data}: nothing is held out to score on: use data with validation rows")
        logits = log_probabilities(Loaded(model.name, model), split.validation.arrays()[0])
        return metrics.scores(logits, split.validation.labels)

    def finish(self, model: TrigramLM, split: Split, recipe: Recipe, learners: Sequence[Model] = ()) -> dict[str, Any]:
        """Returns `train_rows`, and `validation` with `cross_entropy` and `top1`."""
        model.vocabulary, model.provenance = split.data.words, provenance(model, split.data)
        return {
            "train_rows": len(split.train),
            "validation": None if split.validation is None else self.scores(model, split),
        }  # fmt: skip

    def metadata(self, model: TrigramLM) -> TrigramMetadata:
        """The metadata of a model's exported files."""
        return TrigramMetadata(**origin(model), words=model.vocabulary, context=model.context)

    def evaluate(
        self, loaded: Loaded, data: Data, *, split: str = "test", baselines: bool = True
    ) -> dict[str, Any]:  # fmt: skip
        """Evaluates a model, and n-gram models as baselines, on rows with its vocabulary."""
        metadata, data = loaded.metadata, self.load_data(data)
        digest = data.sha256
        require_fit(data, metadata.words, loaded.name, metadata.context)
        if split not in ("train", "validation", "test"):
            raise ZooError(f"split {shown(split)}: expected train, validation or test")
        rows: DataSet = getattr(data, split)
        if not len(rows):
            raise ZooError(f"{data}: has no {split} rows to evaluate on: pass data with some, or another split")
        (contexts, next_words), fitted = rows.arrays(), data.train.arrays()
        seen = occurring(np.column_stack(fitted), np.column_stack([contexts, next_words]))
        notes = ["simulated text: its sentences are synthetic"] if data.simulated else []
        if digest == metadata.data_sha256 and split == "train":
            notes.append("training rows: the model was trained on them")
        if digest != metadata.data_sha256:
            notes.append("not known from its training: `seen` and the baselines refer to this file's training set")
        logits = log_probabilities(loaded, contexts)
        report = metrics.report(logits, next_words, seen)
        report["hardest_words"] = [
            row | {key: data.words[int(row[key])] for key in ("word", "taken_for")}
            for row in metrics.hardest(logits, next_words)
        ]
        report |= {
            "model": loaded.name, "data": str(data), "split": split, "simulated": data.simulated,
            "data_sha256": digest, "notes": notes,
        }  # fmt: skip
        if baselines:
            report["baselines"] = metrics.baselines(fitted, (contexts, next_words), len(data.words), seen)
            scores = {name: report["baselines"][key]["cross_entropy"] for key, name in _BASELINES.items()}
            lower = [name for name, score in scores.items() if report["cross_entropy"] >= score + _MORE]
            if lower and split != "train":
                named = " and ".join(f"{name} ({scores[name]:.3f})" for name in lower)
                notes.append(f"cross-entropy {report['cross_entropy']:.3f} is above that of {named}")
        return report

    def predict(self, loaded: Loaded, x: Any) -> Predictions:
        """Predicts the next word, from text, of which the last words are read, or from word ids `(N, context)`."""
        words, length = loaded.metadata.words, loaded.metadata.context
        contexts = np.array([context_ids(x, words, length, loaded.name)]) if isinstance(x, str) else numbers("input", x)
        if contexts.ndim != 2 or contexts.shape[1] != length:
            raise ZooError(f"input: shape {contexts.shape}; {loaded.name} reads (N, {length})")
        whole = contexts.dtype.kind in "iu"
        if contexts.size and not (whole and contexts.min() >= 0 and contexts.max() < len(words)):
            held = f"{contexts.dtype} from {contexts.min()} to {contexts.max()}"
            raise ZooError(f"input: holds {held}; expected word ids, whole numbers from 0 to {len(words) - 1}")
        p = softmax(log_probabilities(loaded, contexts).astype(np.float64), axis=1).astype(np.float32)
        return Predictions(np.array(words)[p.argmax(axis=1)], p, words)

    def answer(
        self, loaded: Loaded, x: Any | None, data: Data | None, *, neighbors: str | None = None,
        top: int | None = None, seed: int | None = None, generate: int | None = None,
        temperature: float | None = None,
    ) -> Predictions | Document | Records:  # fmt: skip
        """What `zoo.predict` returns for a text, for random rows of data, or for a word."""
        render = self.report.predictions
        if sum(given is not None for given in (x, data, neighbors)) != 1:
            others = f"{option('data', 'FILE')}, {option('neighbors', 'WORD')}"
            raise ZooError(f'a language model takes one of: TEXT such as "in the right", {others}')
        if generate is not None:
            if x is None:
                raise ZooError('generate: needs a text to continue, such as "in the right"')
            refuse(f"does not apply with {option('generate', 'COUNT')}", top=top)
            chosen = 1.0 if temperature is None else temperature
            return Document(continued(loaded, x, generate, chosen, seed or 0), render)
        why = f"applies with {option('generate', 'COUNT')} alone"
        refuse(why, temperature=temperature, seed=seed if data is None else None)
        if neighbors is not None:
            return Document(nearest_words(loaded, neighbors, top or 10), render)
        if data is not None:
            return Records(examples(loaded, data, 5, top or 10, seed or 0), render)
        if isinstance(x, str):
            found, words = self.predict(loaded, x), loaded.metadata.words
            context = [words[i] for i in context_ids(x, words, loaded.metadata.context, loaded.name)]
            return replace(found, document={"context": context, "next": _best(found, top or 10)[0]}, render=render)
        refuse("does not apply to word ids, whose predictions have the method top(count)", top=top)
        return self.predict(loaded, x)

    def exportable(self, loaded: Loaded, data: Data | None) -> Exportable:
        """Compares artifacts on the test rows, or on random words without data."""
        metadata = loaded.metadata
        if data is None:
            # A comparison needs no real text.
            size = _CALIBRATED, metadata.context + 1
            ids = np.random.default_rng(7).integers(0, len(metadata.words), size, np.int32)
            rows = train = DataSet.of({"input": ids[:, :-1], "target": ids[:, -1]})
        else:
            data = self.load_data(data)
            require_fit(data, metadata.words, loaded.name, metadata.context)
            rows, train = data.test if len(data.test) else data.train, data.train
        contexts = rows.arrays()[0]
        calibration = train.arrays()[0][np.linspace(0, len(train) - 1, min(_CALIBRATED, len(train))).astype(int)]

        def score(outputs: Mapping[str, Outputs]) -> dict[str, float]:
            log_p = task.log_probabilities(outputs["next_word"]["probabilities"])
            return metrics.scores(log_p, rows.labels) if data else {}

        return Exportable(
            lambda model: signatures.text(model, metadata.words),
            {"next_word": {"ids": contexts}, "complete": {"words": np.array(metadata.words)[contexts]}},
            # Rounding changes the prediction where two words are about equally likely; the score shows the effect.
            EXACT | {
                "float16": Tolerance(0.01, 0.99), "dynamic": Tolerance(0.2, 0.95), "int8": Tolerance(0.3, 0.9),
                "c99": EXACT["float32"], "c99_int8": Tolerance(0.3, 0.9),
            },
            calibration={"next_word": {"ids": calibration}},
            code=dict.fromkeys(("c99", "c99_int8"), lambda model: families.language_model(model, metadata)),
            score=score, simulated=data is None,
        )  # fmt: skip

    def pictures(self, loaded: Loaded, data: Data, split: str = "test") -> dict[str, Any]:
        """Returns `words` and their positions in two dimensions, `places (V, 2)`; nothing for an exported file."""
        if loaded.model is None:
            return {}
        embeddings = np.asarray(loaded.keras_model.get_layer("embedding").embeddings)
        return {"words": loaded.metadata.words, "places": metrics.tsne(embeddings)}


TASK = TrigramTask()
