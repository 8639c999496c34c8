"""Uses of language models: next words, generated text, similar words."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from zoo.errors import ZooError
from zoo.loading import Loaded
from zoo.models.trigram import sample
from zoo.models.vocabulary import word_ids
from zoo.text import metrics
from zoo.text.data import TrigramData
from zoo.text.task import TASK, context_of, embedding, log_probabilities, metadata_of, require_fit


def next_words(loaded: Loaded, text: str, count: int = 10) -> dict[str, Any]:
    """The most probable next words after the last words of a text: `context` and `next`."""
    context, words = context_of(loaded, text), metadata_of(loaded).words
    return {"context": [words[i] for i in context], "next": _best(loaded, [context], count)[0]}


def _best(loaded: Loaded, contexts: ArrayLike, count: int) -> list[list[dict[str, Any]]]:
    """Returns records of the most probable next words after each context of word ids."""
    found = TASK.predict(loaded, contexts).top(count)
    return [[{"word": word, "probability": probability} for word, probability in best] for best in found]


def generate(loaded: Loaded, text: str, count: int, temperature: float = 1.0, seed: int = 0) -> dict[str, Any]:
    """Continues a text by some words, as `TrigramLM.generate` does; `added` are the generated words."""
    known = metadata_of(loaded)
    words = sample(
        partial(log_probabilities, loaded), known.words, known.context, text, count, temperature, seed, loaded.name
    )
    return {"text": " ".join(words), "added": words[-count:]}


def neighbors(loaded: Loaded, word: str, count: int = 10) -> dict[str, Any]:
    """Finds the words nearest to a word by the cosine similarity of their embeddings."""
    words = metadata_of(loaded).words
    ids = word_ids(word, words, loaded.name)
    if len(ids) != 1:
        raise ZooError(f"{word!r}: expected one word")
    nearest = metrics.nearest(embedding(loaded), ids[0], count)
    return {"word": words[ids[0]], "nearest": [{"word": words[i], "cosine": cosine} for i, cosine in nearest]}


def examples(loaded: Loaded, data: TrigramData, count: int = 5, top: int = 10, seed: int = 0) -> list[dict[str, Any]]:
    """Predicts `top` next words of `count` random test rows; `wanted` is the actual next word."""
    words = metadata_of(loaded).words
    require_fit(data, words, loaded.name, metadata_of(loaded).context)
    chosen = np.random.default_rng(seed).choice(len(data.test), min(count, len(data.test)), replace=False)
    contexts, targets = data.test.contexts[chosen], data.test.next_words[chosen]
    return [
        {"context": [words[i] for i in context], "wanted": words[target], "next": best}
        for context, target, best in zip(contexts, targets, _best(loaded, contexts, top), strict=True)
    ]
