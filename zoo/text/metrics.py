"""Metrics of language models: cross-entropy, perplexity and top-k, and n-gram models as baselines.

All functions take NumPy arrays: `contexts (N, C)` and `targets (N,)` word ids from 0, of a vocabulary of V words, and
`logits (N, V)`.

With c(h w) the count of word w after history h, h' the history without its first word, and D a discount, n-gram models
are

    p(w | h) = (c(h w) - D(c(h w))) / c(h .)  +  (sum over w of D(c(h w))) / c(h .)  p(w | h')

with D(0) = 0, and p(w | h) = p(w | h') if h never occurred. The empty history backs off to 1 / V. The models differ in
orders, counts and discounts. With n_k the number of n-grams of an order with count k:

- `unigram` (order 1) and `bigram` (orders 1 and 2): counts are occurrences, with absolute discounting, D = n_1 / (n_1 +
  2 n_2).
- `kneser_ney` (orders 1 to C + 1), interpolated and modified: counts are occurrences in the highest order, and numbers
  of distinct preceding words in lower orders; D(k) = k - (k + 1) Y n_(k+1) / n_k for k = 1, 2 and 3, Y = n_1 / (n_1 +
  2 n_2), and D(k) = D(3) above. The discounts of each order follow from its own counts.

Only n-grams that end in a target are counted, so rows need not be whole sentences. If data is so scarce that some n_k
is 0 or a discount is not positive, the order uses the single discount of absolute discounting; if that is undefined,
it uses 1/2.

Source: Chen, Goodman: An empirical study of smoothing techniques for language modeling, TR-10-98, Harvard, 1998,
sections 2.4, 2.7 and 3.1; Kneser, Ney: Improved backing-off for m-gram language modeling, ICASSP 1995.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import log_softmax

from zoo.errors import ZooError

Ids = NDArray[np.integer[Any]]
Floats = NDArray[np.floating[Any]]
Rows = tuple[Ids, Ids]
"""Contexts `(N, C)` and targets `(N,)`."""
Counted = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Keys of n-grams, ascending, and their counts. A key is the number whose digits in base V are the word ids."""

TOP = (1, 5, 10)
_BLOCK_BYTES = 32 << 20


def cross_entropy_and_rank(logits: Floats, targets: Ids) -> tuple[Floats, Ids]:
    """The cross-entropy -log p, in nats, and the rank of each target: 1 for the most probable word.

    Equally probable words rank in the order of the vocabulary, as with `argmax`.
    """
    loss, rank = np.empty(len(targets)), np.empty(len(targets), np.int64)
    # All rows at once would take several times the memory of the logits.
    size = max(1, _BLOCK_BYTES // (8 * logits.shape[1]))
    for rows in (slice(start, start + size) for start in range(0, len(targets), size)):
        log_p, wanted = log_softmax(logits[rows].astype(np.float64), axis=1), targets[rows, None]
        own = np.take_along_axis(log_p, wanted, axis=1)
        earlier = np.arange(log_p.shape[1]) < wanted
        loss[rows], rank[rows] = -own[:, 0], 1 + ((log_p > own) | ((log_p == own) & earlier)).sum(axis=1)
    return loss, rank


def report(logits: Floats, targets: Ids, seen: NDArray[np.bool_]) -> dict[str, Any]:
    """All metrics of an evaluation; `seen (N,)` says which contexts with their next words occur in training."""
    return _summary(*cross_entropy_and_rank(logits, targets), seen)


def scores(logits: Floats, targets: Ids) -> dict[str, float]:
    """`cross_entropy`, in nats, and `top1`."""
    loss, rank = cross_entropy_and_rank(logits, targets)
    return {"cross_entropy": float(loss.mean()), "top1": float((rank == 1).mean())}


def hardest(logits: Floats, targets: Ids, least: int = 100, count: int = 10) -> list[dict[str, int | float]]:
    """The words, as ids, that are predicted correctly least often, of those that are a target `least` times.

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


def baselines(train: Rows, test: Rows, vocabulary: int, seen: NDArray[np.bool_]) -> Mapping[str, dict[str, Any]]:
    """The metrics of `report` of the n-gram models, by name, fitted to `train`."""
    contexts, targets = test
    size, scores = max(1, _BLOCK_BYTES // (8 * vocabulary)), {}
    for name, fit in FITS.items():
        model = fit(*train, vocabulary)
        parts = [
            cross_entropy_and_rank(np.log(model.probabilities(contexts[rows])), targets[rows])
            for rows in (slice(start, start + size) for start in range(0, len(contexts), size))
        ]
        loss, rank = (np.concatenate(part) for part in zip(*parts, strict=True))
        scores[name] = _summary(loss, rank, seen)
    return scores


def nearest(embedding: Floats, word: int, count: int) -> list[tuple[int, float]]:
    """Ids and cosines of the nearest words by their embeddings `(V, D)`, without the word itself."""
    directions = embedding / np.maximum(np.linalg.norm(embedding, axis=1, keepdims=True), 1e-12)
    cosines = directions @ directions[word]
    order = [int(i) for i in np.argsort(-cosines, kind="stable") if i != word]
    return [(i, float(cosines[i])) for i in order[:count]]


def tsne(embedding: Floats, seed: int = 0) -> Floats:
    """Maps embeddings `(V, D)` to two dimensions `(V, 2)` by t-SNE: similar words are close together.

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


class NGrams:
    """An n-gram model: for each order, from the shortest, the words that follow histories of so many words.

    It is fitted to the n-grams of each order; `discounts` are those of the counts 0, 1, 2, and 3 or more.
    """

    def __init__(self, counted: Sequence[Counted], discounts: Callable[[Ids], Floats], vocabulary: int) -> None:
        self.vocabulary = vocabulary
        self.orders: list[tuple[Ids, csr_array, Floats]] = []
        for keys, counts in counted:
            histories, place = np.unique(keys // vocabulary, return_inverse=True)
            totals, off = np.bincount(place, counts), discounts(counts)[np.minimum(counts, 3)]
            # (c - D) / c(h .) of the words after each history, and the weight of the shorter history.
            shares = ((counts - off) / totals[place], (place, keys % vocabulary))
            discounted = csr_array(shares, (len(histories), vocabulary))
            self.orders.append((histories, discounted, np.bincount(place, off) / totals))

    def probabilities(self, contexts: Ids) -> Floats:
        """The distribution of the next word, `(N, V)`, after contexts `(N, C)`."""
        keys = _keys(contexts, self.vocabulary)
        p: Floats = np.full((len(keys), self.vocabulary), 1 / self.vocabulary)
        for length, (histories, discounted, backoff) in enumerate(self.orders):
            wanted = keys % self.vocabulary**length
            place = np.minimum(np.searchsorted(histories, wanted), len(histories) - 1)
            known = histories[place] == wanted
            # From p(w | h') to p(w | h): a history that never occurred changes nothing.
            p = p * np.where(known, backoff[place], 1.0)[:, None]
            seen = discounted[place[known]].tocoo()
            p[np.flatnonzero(known)[seen.row], seen.col] += seen.data
        return p


def absolute(contexts: Ids, targets: Ids, vocabulary: int, orders: int) -> NGrams:
    """Fits the first orders, with absolute discounting, to contexts `(N, C)` and targets `(N,)` of V words."""
    keys = _keys(np.column_stack([contexts, targets]), vocabulary)
    counted = [np.unique(keys % vocabulary**order, return_counts=True) for order in range(1, orders + 1)]
    return NGrams(counted, absolute_discounts, vocabulary)


def kneser_ney(contexts: Ids, targets: Ids, vocabulary: int) -> NGrams:
    """Fits an interpolated, modified Kneser-Ney model of the whole context."""
    size = contexts.shape[1] + 1
    counted = [np.unique(_keys(np.column_stack([contexts, targets]), vocabulary), return_counts=True)]
    for order in range(size - 1, 0, -1):
        # Each n-gram once, without its first word, which counts the distinct words before the rest.
        counted.append(np.unique(counted[-1][0] % vocabulary**order, return_counts=True))
    return NGrams(counted[::-1], modified_discounts, vocabulary)


FITS: Mapping[str, Callable[[Ids, Ids, int], NGrams]] = {
    "unigram": partial(absolute, orders=1), "bigram": partial(absolute, orders=2), "kneser_ney": kneser_ney,
}  # fmt: skip
"""The baselines by name."""


def _keys(rows: Ids, vocabulary: int) -> NDArray[np.int64]:
    if vocabulary ** rows.shape[1] > np.iinfo(np.int64).max:
        raise ZooError(
            f"{rows.shape[1]}-grams of {vocabulary} words: too many to be numbered; use fewer words, or `zoo evaluate "
            "--no-baselines`"
        )
    return np.asarray(rows.astype(np.int64) @ vocabulary ** np.arange(rows.shape[1] - 1, -1, -1))


def absolute_discounts(counts: Ids) -> Floats:
    """The single discount of an order with these counts, for the counts 0, 1, 2, and 3 or more."""
    once, twice = ((counts == k).sum() for k in (1, 2))
    one = once / (once + 2 * twice) if once else 0.5
    # If no n-gram occurs twice, D would be 1, and n-grams that occur once would count as unseen.
    return np.array([0.0, *3 * [one if one < 1 else 0.5]])


def modified_discounts(counts: Ids) -> Floats:
    """The three discounts of an order with these counts, for the counts 0, 1, 2, and 3 or more.

    Example:
        >>> modified_discounts(np.repeat([1, 2, 3, 4], [8, 4, 3, 2])).tolist()
        [0.0, 0.5, 0.875, 1.6666666666666667]
    """
    n = np.array([(counts == k).sum() for k in range(5)])
    if not n[1:].all():
        return absolute_discounts(counts)
    k = np.arange(1, 4)
    discounts = k - (k + 1) * n[1] / (n[1] + 2 * n[2]) * n[2:] / n[1:4]
    return np.array([0.0, *discounts]) if (discounts > 0).all() else absolute_discounts(counts)
