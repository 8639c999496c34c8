"""What a language model is asked for: the next word, more text, similar words."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from zoo.data.trigrams import TrigramData
from zoo.errors import ZooError
from zoo.evaluation import trigram as metrics
from zoo.tasks.loading import Loaded
from zoo.tasks.trigram import context_of, embedding, log_probabilities, metadata_of, word_ids


def next_words(loaded: Loaded, text: str, count: int = 10) -> dict[str, Any]:
    """The most probable next words.

    Args:
        loaded: The model.
        text: Words; the last three are read.
        count: How many answers.

    Returns:
        `context`, the words that were read, and `next`, records with `word` and `probability`.

    Raises:
        ZooError: If there are too few words, or one is not in the vocabulary.
    """
    context = context_of(loaded, text)
    return {
        "context": [metadata_of(loaded).words[i] for i in context],
        "next": _best(loaded, _probabilities(loaded, np.array([context]))[0], count),
    }


def _probabilities(loaded: Loaded, contexts: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    return np.asarray(softmax(log_probabilities(loaded, contexts).astype(np.float64), axis=1))


def _best(loaded: Loaded, probabilities: NDArray[np.float64], count: int) -> list[dict[str, Any]]:
    words = metadata_of(loaded).words
    order = np.argsort(-probabilities, kind="stable")[:count]
    return [{"word": words[i], "probability": float(probabilities[i])} for i in order]


def generate(loaded: Loaded, text: str, count: int, temperature: float = 1.0, seed: int = 0) -> dict[str, Any]:
    """Continues a text, word by word, each drawn with the model's probability.

    Args:
        loaded: The model.
        text: How it begins, three words or more.
        count: Words to add.
        temperature: Above 0; below 1 prefers probable words, above 1 improbable ones.
        seed: Of the draws.

    Returns:
        `text`, the whole of it, and `added`, the words that were added.

    Raises:
        ZooError: If an argument is outside its range.
    """
    if not temperature > 0:
        raise ZooError(f"temperature {temperature:g}: expected a number above 0")
    context, words = context_of(loaded, text), metadata_of(loaded).words
    random, added = np.random.default_rng(seed), []
    for _ in range(count):
        logits = log_probabilities(loaded, np.array([context]))[0].astype(np.float64)
        drawn = int(random.choice(len(words), p=softmax(logits / temperature)))
        added.append(words[drawn])
        context = [*context[1:], drawn]
    return {"text": " ".join([*(words[i] for i in word_ids(loaded, text)), *added]), "added": added}


def neighbors(loaded: Loaded, word: str, count: int = 10) -> dict[str, Any]:
    """The nearest words by the cosine of their embeddings.

    Returns:
        `word` and `nearest`, records with `word` and `cosine`.

    Raises:
        ZooError: If the word is not in the vocabulary, or it is not one word.
    """
    ids = word_ids(loaded, word)
    if len(ids) != 1:
        raise ZooError(f"{word!r}: expected one word")
    words = metadata_of(loaded).words
    found = metrics.nearest(embedding(loaded), ids[0], count)
    return {"word": words[ids[0]], "nearest": [{"word": words[i], "cosine": cosine} for i, cosine in found]}


def examples(loaded: Loaded, data: TrigramData, count: int = 5, top: int = 10, seed: int = 0) -> list[dict[str, Any]]:
    """Random test rows: the context, the word that followed, and the most probable ones.

    Args:
        loaded: The model.
        data: Rows of the model's words.
        count: How many rows.
        top: Answers a row.
        seed: Decides which.

    Returns:
        Records with `context`, `wanted` (the word that followed) and `next`.
    """
    words = metadata_of(loaded).words
    if data.words != words:
        raise ZooError(f"{data}: its words are not those of {loaded.name}: make it with the model's vocabulary")
    chosen = np.random.default_rng(seed).choice(len(data.test), min(count, len(data.test)), replace=False)
    probabilities = _probabilities(loaded, data.test.contexts[chosen])
    return [
        {
            "context": [words[i] for i in data.test.contexts[row]],
            "wanted": words[data.test.targets[row]],
            "next": _best(loaded, found, top),
        }
        for row, found in zip(chosen, probabilities, strict=True)
    ]
