"""N-gram language models on counts: what a neural one has to beat.

Contexts are `(N, C)` word numbers from 0, targets `(N,)` the words that followed them, V words in all. With c(h w) the
count of word w after history h, h' the history without its first word, and D a discount,

    p(w | h) = (c(h w) - D(c(h w))) / c(h .)  +  (sum over w of D(c(h w))) / c(h .)  p(w | h')

with D(0) = 0, and p(w | h) = p(w | h') where h never occurred; below the empty history stands 1 / V. The models differ
in orders, counts and discounts. With n_k the number of n-grams of an order with count k:

- `unigram` (order 1) and `bigram` (orders 1 and 2): occurrences; absolute discounting, D = n_1 / (n_1 + 2 n_2).
- `kneser_ney` (orders 1 to C + 1), interpolated and modified: occurrences in the highest order, below it the number of
  different words that stood before; D(k) = k - (k + 1) Y n_(k+1) / n_k for k = 1, 2 and 3, Y = n_1 / (n_1 + 2 n_2),
  and D(k) = D(3) above. The counts of an order decide its own discounts.

Only what ends in a target is counted, so that rows need not be whole sentences. Few rows may lack an n_k, or give a
discount below 0: then the order takes the one discount, and without n_1 or n_2 it takes 1/2.

Source: Chen, Goodman: An empirical study of smoothing techniques for language modeling, TR-10-98, Harvard, 1998,
sections 2.4, 2.7 and 3.1; Kneser, Ney: Improved backing-off for m-gram language modeling, ICASSP 1995.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError

Ids = NDArray[np.integer[Any]]
Floats = NDArray[np.floating[Any]]
Counted = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Keys of n-grams, rising, and the count of each. A key is the number whose digits to the base V are the words."""

BLOCK_BYTES = 32 << 20


@dataclass(frozen=True)
class Order:
    """The n-grams of one length.

    Args:
        history: Words before the last, n - 1.
        histories: `(H,)` keys of the histories that occurred, rising.
        starts: `(H + 1,)` where each history's n-grams begin.
        words: `(G,)` the last word of each n-gram.
        kept: `(G,)` the discounted share of each n-gram, (c - D) / c(h .).
        left: `(H,)` what each history leaves to the shorter one.
    """

    history: int
    histories: NDArray[np.int64]
    starts: NDArray[np.int64]
    words: NDArray[np.int64]
    kept: Floats
    left: Floats

    @classmethod
    def fit(cls, history: int, counted: Counted, discounts: Floats, vocabulary: int) -> "Order":
        """Turns counts into shares.

        Args:
            history: Words before the last.
            counted: The n-grams.
            discounts: Of the counts 0, 1, 2, and 3 or more.
            vocabulary: V.
        """
        keys, counts = counted
        histories, starts, place = np.unique(keys // vocabulary, return_index=True, return_inverse=True)
        totals, off = np.bincount(place, counts), discounts[np.minimum(counts, 3)]
        return cls(
            history, histories, np.append(starts, len(keys)), keys % vocabulary, (counts - off) / totals[place],
            np.bincount(place, off) / totals,
        )  # fmt: skip

    def refine(self, contexts: NDArray[np.int64], shorter: Floats) -> Floats:
        """p(w | h) `(N, V)` from p(w | h') `(N, V)` for the keys of contexts `(N,)`."""
        histories = contexts % shorter.shape[1] ** self.history
        place = np.minimum(np.searchsorted(self.histories, histories), len(self.histories) - 1)
        known = self.histories[place] == histories
        refined: Floats = shorter * np.where(known, self.left[place], 1.0)[:, None]
        rows = np.flatnonzero(known)
        first = self.starts[place[rows]]
        many = self.starts[place[rows] + 1] - first
        # The n-grams of all known histories, one after the other: each history's run begins at `first`.
        grams = np.arange(many.sum()) + np.repeat(first - np.cumsum(many) + many, many)
        refined[np.repeat(rows, many), self.words[grams]] += self.kept[grams]
        return refined


@dataclass(frozen=True)
class NGrams:
    """A fitted model; `unigram`, `bigram` and `kneser_ney` make one.

    Args:
        orders: From the shortest to the longest.
        vocabulary: V.
    """

    orders: tuple[Order, ...]
    vocabulary: int

    def probabilities(self, contexts: Ids) -> Floats:
        """The distribution of the next word after each context, `(N, V)` for contexts `(N, C)`."""
        keys = _keys(contexts, self.vocabulary)
        found: Floats = np.full((len(keys), self.vocabulary), 1 / self.vocabulary)
        for order in self.orders:
            found = order.refine(keys, found)
        return found

    def blocks(self, contexts: Ids) -> Iterator[tuple[slice, Floats]]:
        """`probabilities` of some thousands of rows at a time, and which rows they are."""
        size = max(1, BLOCK_BYTES // (8 * self.vocabulary))
        for start in range(0, len(contexts), size):
            rows = slice(start, start + size)
            yield rows, self.probabilities(contexts[rows])


def unigram(contexts: Ids, targets: Ids, vocabulary: int) -> NGrams:
    """How frequent each word is, whatever stood before.

    Args:
        contexts: `(N, C)`.
        targets: `(N,)`.
        vocabulary: V.

    Example:
        >>> contexts, targets = np.zeros((4, 3), int), np.array([0, 1, 1, 1])
        >>> unigram(contexts, targets, 2).probabilities(contexts[:1]).round(3).tolist()
        [[0.25, 0.75]]
    """
    return _absolute(contexts, targets, vocabulary, orders=1)


def bigram(contexts: Ids, targets: Ids, vocabulary: int) -> NGrams:
    """What follows the last word, by absolute discounting.

    Args:
        contexts: `(N, C)`.
        targets: `(N,)`.
        vocabulary: V.
    """
    return _absolute(contexts, targets, vocabulary, orders=2)


def kneser_ney(contexts: Ids, targets: Ids, vocabulary: int) -> NGrams:
    """Interpolated modified Kneser-Ney over the whole context.

    Args:
        contexts: `(N, C)`.
        targets: `(N,)`.
        vocabulary: V.

    Example:
        >>> contexts, targets = np.array([[0, 1, 2], [3, 1, 2], [0, 1, 3]]), np.array([3, 3, 2])
        >>> model = kneser_ney(contexts, targets, vocabulary=4)
        >>> model.probabilities(np.array([[0, 1, 2]])).argmax(axis=1).tolist()
        [3]
    """
    size = contexts.shape[1] + 1
    counted = [np.unique(_rows(contexts, targets, vocabulary), return_counts=True)]
    for order in range(size - 1, 0, -1):
        # Each n-gram once, without its first word: how many different words stood before what is left.
        counted.append(np.unique(counted[-1][0] % vocabulary**order, return_counts=True))
    return _fit(counted[::-1], [modified_discounts(counts) for _, counts in counted[::-1]], vocabulary)


def _absolute(contexts: Ids, targets: Ids, vocabulary: int, orders: int) -> NGrams:
    keys = _rows(contexts, targets, vocabulary)
    counted = [np.unique(keys % vocabulary**order, return_counts=True) for order in range(1, orders + 1)]
    return _fit(counted, [absolute_discounts(counts) for _, counts in counted], vocabulary)


def _fit(counted: Sequence[Counted], discounts: Sequence[Floats], vocabulary: int) -> NGrams:
    pairs = enumerate(zip(counted, discounts, strict=True))
    return NGrams(tuple(Order.fit(history, *pair, vocabulary) for history, pair in pairs), vocabulary)


def _rows(contexts: Ids, targets: Ids, vocabulary: int) -> NDArray[np.int64]:
    if not len(targets):
        raise ZooError("no rows to count n-grams in; expected 1 or more")
    return _keys(np.column_stack([contexts, targets]), vocabulary)


def _keys(rows: Ids, vocabulary: int) -> NDArray[np.int64]:
    if vocabulary ** rows.shape[1] > np.iinfo(np.int64).max:
        raise ZooError(f"{rows.shape[1]}-grams of {vocabulary} words: too many to be numbered; use fewer words")
    return np.asarray(rows.astype(np.int64) @ vocabulary ** np.arange(rows.shape[1] - 1, -1, -1))


def absolute_discounts(counts: Ids) -> Floats:
    """The one discount of an order, for the counts 0, 1, 2, and 3 or more.

    Args:
        counts: `(G,)` of its n-grams.

    Example:
        >>> absolute_discounts(np.array([1, 1, 2, 7])).tolist()
        [0.0, 0.5, 0.5, 0.5]
    """
    once, twice = ((counts == k).sum() for k in (1, 2))
    one = once / (once + 2 * twice) if once else 0.5
    # With no n-gram that occurs twice D would be 1, and what occurred once would count as never seen.
    return np.array([0.0, *3 * [one if one < 1 else 0.5]])


def modified_discounts(counts: Ids) -> Floats:
    """The three discounts of an order, for the counts 0, 1, 2, and 3 or more.

    Args:
        counts: `(G,)` of its n-grams.

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
