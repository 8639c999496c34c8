"""Models on counts against values computed by hand, and against a slow implementation word by word."""

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from zoo.errors import ZooError
from zoo.text import ngrams

# Five bigrams of the words 0, 1, 2: (0 1) twice, (0 2), (1 2), (2 1).
HISTORY = np.array([[0], [0], [0], [1], [2]])
WORD = np.array([1, 1, 2, 2, 1])


def test_the_models_are_those_computed_by_hand():
    # Counts 0, 3, 2 of 5; n_1 = 0, so D = 1/2; 2 * 1/2 / 5 = 0.2 is left to 1/3 each.
    # p(0) = 0.2 / 3; p(1) = 2.5 / 5 + 0.2 / 3; p(2) = 1.5 / 5 + 0.2 / 3
    below = np.array([0.2 / 3, 0.5 + 0.2 / 3, 0.3 + 0.2 / 3])
    np.testing.assert_allclose(ngrams.unigram(HISTORY, WORD, 3).probabilities(HISTORY[:1]), [below])
    # n_1 = 3, n_2 = 1: D = 3 / 5. After 0 three words were seen, two of them different: 2 * 0.6 / 3 = 0.4 is left.
    # p(1 | 0) = (2 - 0.6) / 3 + 0.4 p(1);  p(2 | 0) = (1 - 0.6) / 3 + 0.4 p(2);  p(0 | 0) = 0.4 p(0)
    found = ngrams.bigram(HISTORY, WORD, 3).probabilities(np.array([[0]]))
    np.testing.assert_allclose(found, [[0, 1.4 / 3, 0.4 / 3] + 0.4 * below])
    # Kneser-Ney: before 1 stood 0 and 2, before 2 stood 0 and 1: counts 0, 2, 2 of 4; n_1 = 0, so D = 1/2 and 1/4 is
    # left: p(0) = 0.25 / 3; p(1) = p(2) = 1.5 / 4 + 0.25 / 3
    # No bigram occurs 3 times, so one discount, 3 / 5 as above. After 0: 0.4 is left; after 1: one word, 0.6.
    below = np.array([0.25 / 3, 0.375 + 0.25 / 3, 0.375 + 0.25 / 3])
    found = ngrams.kneser_ney(HISTORY, WORD, 3).probabilities(np.array([[0], [1]]))
    np.testing.assert_allclose(found, [[0, 1.4 / 3, 0.4 / 3] + 0.4 * below, [0, 0, 0.4] + 0.6 * below])


def test_a_history_that_never_occurred_is_answered_by_the_shorter_one():
    model = ngrams.kneser_ney(np.array([[0, 1], [2, 1], [0, 1]]), np.array([3, 3, 2]), 4)
    shorter = ngrams.NGrams(model.orders[:-1], 4)
    unseen = np.array([[3, 1]])
    np.testing.assert_array_equal(model.probabilities(unseen), shorter.probabilities(unseen))


@pytest.mark.parametrize("counts", [[1, 1, 2], [1, 2, 3, 3, 3, 3, 3, 3, 3, 4]])
def test_counts_that_give_no_three_discounts_give_one(counts):
    counts = np.array(counts)
    np.testing.assert_array_equal(ngrams.modified_discounts(counts), ngrams.absolute_discounts(counts))


def slow_kneser_ney(rows, history, word, vocabulary):
    """p(word | history), n-gram by n-gram: rows of whole n-grams, the longest first."""
    levels = [Counter(rows)]
    for _ in range(len(rows[0]) - 1):
        levels.append(Counter(gram[1:] for gram in levels[-1]))
    p = 1 / vocabulary
    for level in reversed(levels):
        size = len(next(iter(level)))
        D = ngrams.modified_discounts(np.array(list(level.values())))
        after = defaultdict(dict)
        for gram, count in level.items():
            after[gram[:-1]][gram[-1]] = count
        counts = after.get(tuple(history[len(history) - size + 1 :]))
        if counts:
            c, total = counts.get(word, 0), sum(counts.values())
            p = (c - D[min(c, 3)]) / total + sum(D[min(n, 3)] for n in counts.values()) / total * p
    return p


def test_kneser_ney_equals_a_slow_implementation_word_by_word():
    rows = np.random.default_rng(0).zipf(1.5, (3000, 4)) % 7
    model = ngrams.kneser_ney(rows[:, :3], rows[:, 3], 7)
    contexts = np.concatenate([rows[:3, :3], [[6, 6, 5], [5, 4, 3]]])
    grams = [tuple(row) for row in rows.tolist()]
    expected = [[slow_kneser_ney(grams, context, word, 7) for word in range(7)] for context in contexts.tolist()]
    np.testing.assert_allclose(model.probabilities(contexts), expected, rtol=1e-12)


@given(arrays(np.int32, st.tuples(st.integers(1, 40), st.just(4)), elements=st.integers(0, 4)))
def test_every_word_has_a_probability_and_they_sum_to_one(rows):
    for fit in (ngrams.unigram, ngrams.bigram, ngrams.kneser_ney):
        found = fit(rows[:, :3], rows[:, 3], 5).probabilities(np.array([[0, 1, 2], [4, 4, 4]]))
        assert found.min() > 0
        np.testing.assert_allclose(found.sum(axis=1), 1)


def test_no_rows_and_too_many_words_are_refused():
    with pytest.raises(ZooError, match="no rows to count n-grams in"):
        ngrams.unigram(HISTORY[:0], WORD[:0], 3)
    with pytest.raises(ZooError, match=r"2-grams of 10000000000 words: too many to .*--no-baselines"):
        ngrams.unigram(HISTORY, WORD, 10**10)
