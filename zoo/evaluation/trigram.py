"""How good a language model is at the next word: cross-entropy, perplexity, top-k, and what counting reaches.

Works on NumPy arrays alone: `contexts (N, C)` and `targets (N,)` word numbers from 0, `logits (N, V)`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax
from sklearn.manifold import TSNE

from zoo.evaluation import ngrams

Ids = NDArray[np.integer[Any]]
Floats = NDArray[np.floating[Any]]
Rows = tuple[Ids, Ids]
"""Contexts `(N, C)` and targets `(N,)`."""

TOP = (1, 5, 10)


def seen_contexts(train: Ids, contexts: Ids) -> NDArray[np.bool_]:
    """Which contexts occur among those of training.

    Args:
        train: `(M, C)`.
        contexts: `(N, C)`.

    Returns:
        `(N,)`.

    Example:
        >>> seen_contexts(np.array([[1, 2, 3]]), np.array([[1, 2, 3], [3, 2, 1]])).tolist()
        [True, False]
    """
    _, numbers = np.unique(np.concatenate([train, contexts]), axis=0, return_inverse=True)
    numbers = numbers.reshape(-1)  # NumPy 2.0 gives a column
    return np.isin(numbers[len(train) :], numbers[: len(train)])


def log_probabilities(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logarithms of the probabilities that an exported file returns.

    An integer file rounds small ones to 0. Each counts as half of the smallest that is not 0, which is half a step of
    the file's output.

    Example:
        >>> [round(float(value), 2) for value in log_probabilities(np.array([0.5, 0.25, 0.0], np.float32))]
        [-0.69, -1.39, -2.08]
    """
    floor = probabilities[probabilities > 0].min() / 2
    return np.asarray(np.log(np.maximum(probabilities, floor)))


def cross_entropy_and_rank(logits: Floats, targets: Ids) -> tuple[Floats, Ids]:
    """Of each target, -log p and its rank: 1 for the most probable word.

    Equal words rank in the order of the vocabulary, as `argmax` takes them.

    Args:
        logits: `(N, V)`, or logarithms of probabilities.
        targets: `(N,)`.

    Example:
        >>> loss, rank = cross_entropy_and_rank(np.log([[0.5, 0.25, 0.25]]), np.array([2]))
        >>> round(float(loss[0]), 4), rank.tolist()
        (1.3863, [3])
    """
    found = log_softmax(logits.astype(np.float64), axis=1)
    own = found[np.arange(len(targets)), targets][:, None]
    earlier = np.arange(found.shape[1]) < targets[:, None]
    return -own[:, 0], 1 + ((found > own) | ((found == own) & earlier)).sum(axis=1)


def report(logits: Floats, targets: Ids, seen: NDArray[np.bool_]) -> dict[str, Any]:
    """All numbers of one evaluation.

    Args:
        logits: `(N, V)`, or logarithms of probabilities.
        targets: `(N,)`.
        seen: `(N,)` whether training has the context, from `seen_contexts`.

    Returns:
        `rows`, `cross_entropy` (nats), `perplexity`, `top1`, `top5`, `top10`, and for contexts that training has and
        has not, `seen` and `unseen`: `rows`, `top1`, `cross_entropy`, the last two None where there are no rows.

    Example:
        >>> logits, targets = np.log([[0.5, 0.5], [0.25, 0.75]]), np.array([0, 1])
        >>> found = report(logits, targets, np.array([True, False]))
        >>> found["top1"], round(found["perplexity"], 4), found["unseen"]["rows"]
        (1.0, 1.633, 1)
    """
    return _summary(*cross_entropy_and_rank(logits, targets), seen)


def hardest(logits: Floats, targets: Ids, least: int = 100, count: int = 10) -> list[dict[str, int | float]]:
    """The words that are found least often where they follow.

    Args:
        logits: `(N, V)`, or logarithms of probabilities.
        targets: `(N,)`.
        least: How often a word must follow to be looked at.
        count: How many words, at most.

    Returns:
        For each, the hardest first: its number `word`, `rows` that it follows in, `top1`, the word `taken_for` that the
        model says most often instead, and how many `times`. Of words that are equally hard the frequent come first.

    Example:
        >>> logits = np.log([[0.6, 0.4], [0.6, 0.4], [0.6, 0.4]])
        >>> hardest(logits, np.array([0, 1, 1]), least=1, count=1)
        [{'word': 1, 'rows': 2, 'top1': 0.0, 'taken_for': 0, 'times': 2}]
    """
    said = logits.argmax(axis=1)
    found = []
    for word in np.flatnonzero(np.bincount(targets, minlength=logits.shape[1]) >= least):
        own = said[targets == word]
        wrong = np.bincount(own[own != word], minlength=logits.shape[1])
        found.append({
            "word": int(word), "rows": len(own), "top1": float((own == word).mean()),
            "taken_for": int(wrong.argmax()), "times": int(wrong.max()),
        })  # fmt: skip
    return sorted(found, key=lambda row: (row["top1"], -row["rows"]))[:count]


def _summary(loss: Floats, rank: Ids, seen: NDArray[np.bool_]) -> dict[str, Any]:
    return {
        "rows": len(loss),
        "cross_entropy": float(loss.mean()),
        "perplexity": float(np.exp(loss.mean())),
        **{f"top{k}": float((rank <= k).mean()) for k in TOP},
        "seen": _part(loss[seen], rank[seen]),
        "unseen": _part(loss[~seen], rank[~seen]),
    }


def _part(loss: Floats, rank: Ids) -> dict[str, Any]:
    return {
        "rows": len(loss),
        "top1": float((rank == 1).mean()) if len(rank) else None,
        "cross_entropy": float(loss.mean()) if len(loss) else None,
    }


def baselines(train: Rows, test: Rows, vocabulary: int) -> Mapping[str, dict[str, Any]]:
    """`report` of what a model has to beat: unigram, bigram and Kneser-Ney.

    Args:
        train: Contexts and targets to count in.
        test: Contexts and targets to measure on.
        vocabulary: V.
    """
    contexts, targets = test
    seen = seen_contexts(train[0], contexts)
    scores = {}
    for fit in (ngrams.unigram, ngrams.bigram, ngrams.kneser_ney):
        blocks = fit(*train, vocabulary).blocks(contexts)
        parts = [cross_entropy_and_rank(np.log(block), targets[rows]) for rows, block in blocks]
        loss, rank = (np.concatenate(part) for part in zip(*parts, strict=True))
        scores[fit.__name__] = _summary(loss, rank, seen)
    return scores


def nearest(embedding: Floats, word: int, count: int) -> list[tuple[int, float]]:
    """The words whose embeddings point most nearly the same way.

    Args:
        embedding: `(V, D)`.
        word: Its number.
        count: How many.

    Returns:
        Numbers and cosines, the nearest first; the word itself is not among them.

    Example:
        >>> nearest(np.array([[1.0, 0.0], [0.0, 1.0], [3.0, 0.1]]), 0, 1)[0][0]
        2
    """
    directions = embedding / np.maximum(np.linalg.norm(embedding, axis=1, keepdims=True), 1e-12)
    cosines = directions @ directions[word]
    order = [int(i) for i in np.argsort(-cosines, kind="stable") if i != word]
    return [(i, float(cosines[i])) for i in order[:count]]


def plane(embedding: Floats, seed: int = 0) -> Floats:
    """Places of the words in two dimensions, near words near each other.

    Van der Maaten, Hinton: Visualizing data using t-SNE, JMLR 9, 2008.

    Args:
        embedding: `(V, D)`.
        seed: Of the search.

    Returns:
        `(V, 2)`.
    """
    # About a dozen neighbors a word, but fewer than there are words.
    perplexity = min(12.0, (len(embedding) - 1) / 3)
    found = TSNE(metric="cosine", init="random", perplexity=perplexity, random_state=seed).fit_transform(embedding)
    return np.asarray(found)
