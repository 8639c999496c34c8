"""Metrics of language models: cross-entropy, perplexity and top-k, with n-gram models as baselines.

All functions take NumPy arrays: `contexts (N, C)` and `targets (N,)` word ids from 0, `logits (N, V)`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from zoo.text import ngrams
from zoo.text.data import occurring

Ids = NDArray[np.integer[Any]]
Floats = NDArray[np.floating[Any]]
Rows = tuple[Ids, Ids]
"""Contexts `(N, C)` and targets `(N,)`."""

TOP = (1, 5, 10)


def cross_entropy_and_rank(logits: Floats, targets: Ids) -> tuple[Floats, Ids]:
    """The cross-entropy -log p, in nats, and the rank of each target: 1 for the most probable word.

    Equally probable words rank in the order of the vocabulary, as with `argmax`.

    Example:
        >>> loss, rank = cross_entropy_and_rank(np.log([[0.5, 0.25, 0.25]]), np.array([2]))
        >>> round(float(loss[0]), 4), rank.tolist()
        (1.3863, [3])
    """
    loss, rank = np.empty(len(targets)), np.empty(len(targets), np.int64)
    # All rows at once would take several times the memory of the logits.
    size = max(1, ngrams.BLOCK_BYTES // (8 * logits.shape[1]))
    for rows in (slice(start, start + size) for start in range(0, len(targets), size)):
        log_p, wanted = log_softmax(logits[rows].astype(np.float64), axis=1), targets[rows, None]
        own = np.take_along_axis(log_p, wanted, axis=1)
        earlier = np.arange(log_p.shape[1]) < wanted
        loss[rows], rank[rows] = -own[:, 0], 1 + ((log_p > own) | ((log_p == own) & earlier)).sum(axis=1)
    return loss, rank


def report(logits: Floats, targets: Ids, seen: NDArray[np.bool_]) -> dict[str, Any]:
    """All metrics of an evaluation; `seen (N,)` says whether each context occurs in the training set.

    Example:
        >>> logits, targets = np.log([[0.5, 0.5], [0.25, 0.75]]), np.array([0, 1])
        >>> metrics = report(logits, targets, np.array([True, False]))
        >>> metrics["top1"], round(metrics["perplexity"], 4), metrics["unseen"]["rows"]
        (1.0, 1.633, 1)
    """
    return _summary(*cross_entropy_and_rank(logits, targets), seen)


def scores(logits: Floats, targets: Ids) -> dict[str, float]:
    """Computes `cross_entropy`, in nats, and `top1`."""
    loss, rank = cross_entropy_and_rank(logits, targets)
    return {"cross_entropy": float(loss.mean()), "top1": float((rank == 1).mean())}


def hardest(logits: Floats, targets: Ids, least: int = 100, count: int = 10) -> list[dict[str, int | float]]:
    """The `count` words that are predicted correctly least often, of those that are a target `least` times.

    Words are ids. Among equally hard words the more frequent come first.

    Example:
        >>> logits = np.log([[0.6, 0.4], [0.6, 0.4], [0.6, 0.4]])
        >>> hardest(logits, np.array([0, 1, 1]), least=1, count=1)
        [{'word': 1, 'rows': 2, 'top1': 0.0, 'taken_for': 0, 'times': 2}]
    """
    predicted = logits.argmax(axis=1)
    records = []
    for word in np.flatnonzero(np.bincount(targets, minlength=logits.shape[1]) >= least):
        own = predicted[targets == word]
        wrong = np.bincount(own[own != word], minlength=logits.shape[1])
        records.append({
            "word": int(word), "rows": len(own), "top1": float((own == word).mean()),
            "taken_for": int(wrong.argmax()), "times": int(wrong.max()),
        })  # fmt: skip
    return sorted(records, key=lambda row: (row["top1"], -row["rows"]))[:count]


def _summary(loss: Floats, rank: Ids, seen: NDArray[np.bool_]) -> dict[str, Any]:
    parts = {
        name: {
            "rows": int(rows.sum()),
            "top1": float((rank[rows] == 1).mean()) if rows.any() else None,
            "cross_entropy": float(loss[rows].mean()) if rows.any() else None,
        }
        for name, rows in (("seen", seen), ("unseen", ~seen))
    }
    return {
        "rows": len(loss), "cross_entropy": float(loss.mean()), "perplexity": float(np.exp(loss.mean())),
        **{f"top{k}": float((rank <= k).mean()) for k in TOP}, **parts,
    }  # fmt: skip


def baselines(train: Rows, test: Rows, vocabulary: int) -> Mapping[str, dict[str, Any]]:
    """Computes the metrics of `report` of unigram, bigram and Kneser-Ney models, by name, fitted to `train`."""
    contexts, targets = test
    seen = occurring(train[0], contexts)
    scores = {}
    for fit in (ngrams.unigram, ngrams.bigram, ngrams.kneser_ney):
        blocks = fit(*train, vocabulary).blocks(contexts)
        parts = [cross_entropy_and_rank(np.log(block), targets[rows]) for rows, block in blocks]
        loss, rank = (np.concatenate(part) for part in zip(*parts, strict=True))
        scores[fit.__name__] = _summary(loss, rank, seen)
    return scores


def nearest(embedding: Floats, word: int, count: int) -> list[tuple[int, float]]:
    """Ids and cosines of the nearest words by their embeddings `(V, D)`, without the word itself.

    Example:
        >>> nearest(np.array([[1.0, 0.0], [0.0, 1.0], [3.0, 0.1]]), 0, 1)[0][0]
        2
    """
    directions = embedding / np.maximum(np.linalg.norm(embedding, axis=1, keepdims=True), 1e-12)
    cosines = directions @ directions[word]
    order = [int(i) for i in np.argsort(-cosines, kind="stable") if i != word]
    return [(i, float(cosines[i])) for i in order[:count]]


def tsne(embedding: Floats, seed: int = 0) -> Floats:
    """Maps the embeddings `(V, D)` to two dimensions `(V, 2)` by t-SNE: similar words are close together.

    Van der Maaten, Hinton: Visualizing data using t-SNE, JMLR 9, 2008.
    """
    if len(embedding) == 1:
        return np.zeros((1, 2))
    # Imported where it is needed, since it takes a second.
    from sklearn.manifold import TSNE

    # About a dozen neighbors per word, but fewer than there are words.
    perplexity = min(12.0, (len(embedding) - 1) / 3)
    model = TSNE(metric="cosine", init="random", perplexity=perplexity, random_state=seed)
    return np.asarray(model.fit_transform(embedding))
