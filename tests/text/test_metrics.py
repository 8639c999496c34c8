"""Numbers of a language model on tiny arrays, expected values beside them."""

import json

import h5py
import numpy as np
import pytest

from zoo.text.data import occurring
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
    found = baselines(train, test, 6)
    keys = report(np.zeros((1, 6)), np.array([0]), np.array([True])).keys()
    assert list(found) == ["unigram", "bigram", "kneser_ney"]
    assert all(scores.keys() == keys for scores in found.values())
    assert found["bigram"]["cross_entropy"] < found["unigram"]["cross_entropy"]
    # The next word is one or two further: log 2 is the least there is.
    assert found["bigram"]["cross_entropy"] == pytest.approx(np.log(2), abs=0.02)


@pytest.mark.real
def test_the_baselines_on_the_course_text_are_those_that_are_published(real):
    with h5py.File(real / "text" / "data2.h5") as file:
        train, test = ((file[f"{part}x"][:] - 1, file[f"{part}d"][:] - 1) for part in ("train", "test"))
    found = baselines(train, test, 250)
    # On twice as many test rows: 17.3%; 27.7%, 3.069; 38.63%, 2.528.
    assert found["unigram"]["top1"] == pytest.approx(0.173, abs=0.001)
    assert found["bigram"]["top1"] == pytest.approx(0.277, abs=0.002)
    assert found["bigram"]["cross_entropy"] == pytest.approx(3.069, abs=0.005)
    assert found["kneser_ney"]["top1"] == pytest.approx(0.3863, abs=0.003)
    assert found["kneser_ney"]["cross_entropy"] == pytest.approx(2.528, abs=0.01)


@pytest.mark.parametrize("words", [1, 2, 5])
def test_few_words_have_their_places_in_two_dimensions(words):
    assert tsne(np.eye(words)).shape == (words, 2)
