"""Numbers of a language model on tiny arrays, expected values beside them; n-gram models also word by word."""

import json
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from running import refused

from zoo.text import metrics
from zoo.text.data import from_file, occurring
from zoo.text.metrics import baselines, cross_entropy_and_rank, report, tsne

PROBABILITIES = np.array([[0.5, 0.25, 0.25], [0.1, 0.6, 0.3], [0.2, 0.2, 0.6]])
TARGETS = np.array([0, 2, 1])


def test_the_report_is_that_of_the_probabilities_for_contexts_seen_and_unseen_apart():
    logits = np.log(PROBABILITIES) + np.array([[3.0], [-2.0], [50.0]])
    found = report(logits, TARGETS, np.array([True, False, False]))
    loss = -(np.log(0.5) + np.log(0.3) + np.log(0.2)) / 3
    assert json.dumps(found)
    assert found["rows"] == 3
    assert found["cross_entropy"] == pytest.approx(loss)
    assert found["perplexity"] == pytest.approx(np.exp(loss))
    assert (found["top1"], found["top5"], found["top10"]) == (pytest.approx(1 / 3), 1.0, 1.0)
    assert found["seen"] == {"rows": 1, "top1": 1.0, "cross_entropy": pytest.approx(-np.log(0.5))}
    assert found["unseen"] == {"rows": 2, "top1": 0.0, "cross_entropy": pytest.approx(-np.log(0.3 * 0.2) / 2)}
    none = report(logits, TARGETS, np.array([True, True, True]))["unseen"]
    assert none == {"rows": 0, "top1": None, "cross_entropy": None}


def test_equal_words_rank_as_argmax_takes_them_and_half_precision_is_summed_in_double():
    loss, rank = cross_entropy_and_rank(np.full((3, 3), 60000.0, np.float16), np.array([0, 1, 2]))
    assert rank.tolist() == [1, 2, 3]
    assert loss[0] == pytest.approx(np.log(3))


def test_a_context_is_seen_if_all_its_words_are_in_their_order():
    train = np.array([[1, 2, 3], [4, 5, 6]])
    contexts = np.array([[1, 2, 3], [3, 2, 1], [4, 5, 3], [4, 5, 6], [4, 5, 6]])
    assert occurring(train, contexts).tolist() == [True, False, False, True, True]


def test_baselines_have_the_keys_of_a_report_and_improve_with_the_context():
    random = np.random.default_rng(0)
    words = np.cumsum(random.integers(1, 3, 4000)) % 6
    rows = np.lib.stride_tricks.sliding_window_view(words, 4)
    train, test = (rows[:3000, :3], rows[:3000, 3]), (rows[3000:, :3], rows[3000:, 3])
    found = baselines(train, test, 6, occurring(np.column_stack(train), np.column_stack(test)))
    keys = report(np.zeros((1, 6)), np.array([0]), np.array([True])).keys()
    assert list(found) == ["unigram", "bigram", "kneser_ney"]
    assert all(scores.keys() == keys for scores in found.values())
    assert found["bigram"]["cross_entropy"] < found["unigram"]["cross_entropy"]
    # The next word is one or two further: log 2 is the least there is.
    assert found["bigram"]["cross_entropy"] == pytest.approx(np.log(2), abs=0.02)


@pytest.mark.real
def test_the_baselines_on_the_course_text_are_those_that_are_published(real):
    data = from_file(real / "text" / "data2.h5")
    train, test = data.train.arrays(), data.test.arrays()
    found = baselines(train, test, 250, occurring(np.column_stack(train), np.column_stack(test)))
    # On twice as many test rows: 17.3%; 27.7%, 3.069; 38.63%, 2.528.
    assert found["unigram"]["top1"] == pytest.approx(0.173, abs=0.001)
    for name, top1, cross_entropy in (("bigram", 0.277, 3.069), ("kneser_ney", 0.3863, 2.528)):
        assert found[name]["top1"] == pytest.approx(top1, abs=0.003)
        assert found[name]["cross_entropy"] == pytest.approx(cross_entropy, abs=0.01)


@pytest.mark.parametrize("words", [1, 2, 5])
def test_few_words_have_their_places_in_two_dimensions(words):
    assert tsne(np.eye(words)).shape == (words, 2)


# Five bigrams of the words 0, 1, 2: (0 1) twice, (0 2), (1 2), (2 1).
HISTORY = np.array([[0], [0], [0], [1], [2]])
WORD = np.array([1, 1, 2, 2, 1])


def test_the_models_are_those_computed_by_hand():
    # Counts 0, 3, 2 of 5; n_1 = 0, so D = 1/2; 2 * 1/2 / 5 = 0.2 is left to 1/3 each.
    # p(0) = 0.2 / 3; p(1) = 2.5 / 5 + 0.2 / 3; p(2) = 1.5 / 5 + 0.2 / 3
    below = np.array([0.2 / 3, 0.5 + 0.2 / 3, 0.3 + 0.2 / 3])
    np.testing.assert_allclose(metrics.FITS["unigram"](HISTORY, WORD, 3).probabilities(HISTORY[:1]), [below])
    # n_1 = 3, n_2 = 1: D = 3 / 5. After 0 three words were seen, two of them different: 2 * 0.6 / 3 = 0.4 is left.
    # p(1 | 0) = (2 - 0.6) / 3 + 0.4 p(1);  p(2 | 0) = (1 - 0.6) / 3 + 0.4 p(2);  p(0 | 0) = 0.4 p(0)
    found = metrics.FITS["bigram"](HISTORY, WORD, 3).probabilities(np.array([[0]]))
    np.testing.assert_allclose(found, [[0, 1.4 / 3, 0.4 / 3] + 0.4 * below])


def slow_kneser_ney(rows, history, word, vocabulary):
    """p(word | history), n-gram by n-gram: rows of whole n-grams, the longest first."""
    levels = [Counter(rows)]
    for _ in range(len(rows[0]) - 1):
        levels.append(Counter(gram[1:] for gram in levels[-1]))
    p = 1 / vocabulary
    for level in reversed(levels):
        size = len(next(iter(level)))
        D = metrics.modified_discounts(np.array(list(level.values())))
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
    model = metrics.kneser_ney(rows[:, :3], rows[:, 3], 7)
    contexts = np.concatenate([rows[:3, :3], [[6, 6, 5], [5, 4, 3]]])
    grams = [tuple(row) for row in rows.tolist()]
    expected = [[slow_kneser_ney(grams, context, word, 7) for word in range(7)] for context in contexts.tolist()]
    np.testing.assert_allclose(model.probabilities(contexts), expected, rtol=1e-12)


@given(arrays(np.int32, st.tuples(st.integers(1, 40), st.just(4)), elements=st.integers(0, 4)))
def test_every_word_has_a_probability_and_they_sum_to_one(rows):
    for fit in metrics.FITS.values():
        found = fit(rows[:, :3], rows[:, 3], 5).probabilities(np.array([[0, 1, 2], [4, 4, 4]]))
        assert found.min() > 0
        np.testing.assert_allclose(found.sum(axis=1), 1)


def test_too_many_words_to_count_are_refused():
    says = r"2-grams of 10000000000 words: too many to .*--no-baselines"
    refused(says, metrics.FITS["unigram"], HISTORY, WORD, 10**10)
