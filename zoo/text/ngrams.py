"""N-gram language models, the baselines of neural ones.

Contexts are word ids `(N, C)` from 0, targets `(N,)` the next words, of a vocabulary of V words. With c(h w) the count
of word w after history h, h' the history without its first word, and D a discount,

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

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from zoo.errors import ZooError

Ids = NDArray[np.integer[Any]]
Floats = NDArray[np.floating[Any]]
Counted = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Keys of n-grams, ascending, and their counts. A key is the number whose digits in base V are the word ids."""

BLOCK_BYTES = 32 << 20


@dataclass(frozen=True)
class Order:
    """The n-grams of one length, of which H histories of n - 1 words occurred.

    Args:
        history: Length of the history, n - 1.
        histories: Keys of the histories, `(H,)`, ascending.
        discounted: Discounted probabilities (c - D) / c(h .) of the words after each history, sparse, `(H, V)`.
        backoff: Weight of the shorter history for each history, `(H,)`.
    """

    history: int
    histories: NDArray[np.int64]
    discounted: csr_array
    backoff: Floats

    @classmethod
    def fit(cls, history: int, counted: Counted, discounts: Floats, vocabulary: int) -> "Order":
        """Fits an order to the keys and counts of its n-grams, with discounts of the counts 0, 1, 2, and 3 or more."""
        keys, counts = counted
        histories, place = np.unique(keys // vocabulary, return_inverse=True)
        totals, off = np.bincount(place, counts), discounts[np.minimum(counts, 3)]
        shares = ((counts - off) / totals[place], (place, keys % vocabulary))
        return cls(
            history, histories, csr_array(shares, (len(histories), vocabulary)), np.bincount(place, off) / totals
        )

    def refine(self, contexts: NDArray[np.int64], shorter: Floats) -> Floats:
        """Computes p(w | h) `(N, V)` from p(w | h') `(N, V)` for the keys of contexts `(N,)`."""
        histories = contexts % shorter.shape[1] ** self.history
        place = np.minimum(np.searchsorted(self.histories, histories), len(self.histories) - 1)
        known = self.histories[place] == histories
        refined: Floats = shorter * np.where(known, self.backoff[place], 1.0)[:, None]
        seen = self.discounted[place[known]].tocoo()
        refined[np.flatnonzero(known)[seen.row], seen.col] += seen.data
        return refined


@dataclass(frozen=True)
class NGrams:
    """A fitted n-gram model: its orders, from the shortest to the longest, and V."""

    orders: tuple[Order, ...]
    vocabulary: int

    def probabilities(self, contexts: Ids) -> Floats:
        """Computes the distribution of the next word, `(N, V)`, for contexts `(N, C)`."""
        keys = _keys(contexts, self.vocabulary)
        p: Floats = np.full((len(keys), self.vocabulary), 1 / self.vocabulary)
        for order in self.orders:
            p = order.refine(keys, p)
        return p

    def blocks(self, contexts: Ids) -> Iterator[tuple[slice, Floats]]:
        """Yields `probabilities` in blocks of rows, each with the slice of its rows."""
        size = max(1, BLOCK_BYTES // (8 * self.vocabulary))
        for start in range(0, len(contexts), size):
            rows = slice(start, start + size)
            yield rows, self.probabilities(contexts[rows])


def unigram(contexts: Ids, targets: Ids, vocabulary: int) -> NGrams:
    """Fits a unigram model, which ignores the context, to contexts `(N, C)` and targets `(N,)` of V words.

    Example:
        >>> contexts, targets = np.zeros((4, 3), int), np.array([0, 1, 1, 1])
        >>> unigram(contexts, targets, 2).probabilities(contexts[:1]).round(3).tolist()
        [[0.25, 0.75]]
    """
    return _absolute(contexts, targets, vocabulary, orders=1)


def bigram(contexts: Ids, targets: Ids, vocabulary: int) -> NGrams:
    """Fits a bigram model with absolute discounting. Takes the arguments of `unigram`."""
    return _absolute(contexts, targets, vocabulary, orders=2)


def kneser_ney(contexts: Ids, targets: Ids, vocabulary: int) -> NGrams:
    """Fits an interpolated, modified Kneser-Ney model of the whole context. Takes the arguments of `unigram`.

    Example:
        >>> contexts, targets = np.array([[0, 1, 2], [3, 1, 2], [0, 1, 3]]), np.array([3, 3, 2])
        >>> model = kneser_ney(contexts, targets, vocabulary=4)
        >>> model.probabilities(np.array([[0, 1, 2]])).argmax(axis=1).tolist()
        [3]
    """
    size = contexts.shape[1] + 1
    counted = [np.unique(_rows(contexts, targets, vocabulary), return_counts=True)]
    for order in range(size - 1, 0, -1):
        # Each n-gram once, without its first word, which counts the distinct words before the rest.
        counted.append(np.unique(counted[-1][0] % vocabulary**order, return_counts=True))
    return _fit(counted[::-1], modified_discounts, vocabulary)


def _absolute(contexts: Ids, targets: Ids, vocabulary: int, orders: int) -> NGrams:
    keys = _rows(contexts, targets, vocabulary)
    counted = [np.unique(keys % vocabulary**order, return_counts=True) for order in range(1, orders + 1)]
    return _fit(counted, absolute_discounts, vocabulary)


def _fit(counted: Sequence[Counted], discounts: Callable[[Ids], Floats], vocabulary: int) -> NGrams:
    orders = (Order.fit(history, pair, discounts(pair[1]), vocabulary) for history, pair in enumerate(counted))
    return NGrams(tuple(orders), vocabulary)


def _rows(contexts: Ids, targets: Ids, vocabulary: int) -> NDArray[np.int64]:
    if not len(targets):
        raise ZooError("no rows to count n-grams in; expected 1 or more")
    return _keys(np.column_stack([contexts, targets]), vocabulary)


def _keys(rows: Ids, vocabulary: int) -> NDArray[np.int64]:
    if vocabulary ** rows.shape[1] > np.iinfo(np.int64).max:
        raise ZooError(
            f"{rows.shape[1]}-grams of {vocabulary} words: too many to be numbered; use fewer words, or `zoo evaluate "
            "--no-baselines`"
        )
    return np.asarray(rows.astype(np.int64) @ vocabulary ** np.arange(rows.shape[1] - 1, -1, -1))


def absolute_discounts(counts: Ids) -> Floats:
    """Returns the single discount of an order with these counts, for the counts 0, 1, 2, and 3 or more.

    Example:
        >>> absolute_discounts(np.array([1, 1, 2, 7])).tolist()
        [0.0, 0.5, 0.5, 0.5]
    """
    once, twice = ((counts == k).sum() for k in (1, 2))
    one = once / (once + 2 * twice) if once else 0.5
    # If no n-gram occurs twice, D would be 1, and n-grams that occur once would count as unseen.
    return np.array([0.0, *3 * [one if one < 1 else 0.5]])


def modified_discounts(counts: Ids) -> Floats:
    """Returns the three discounts of an order with these counts, for the counts 0, 1, 2, and 3 or more.

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
