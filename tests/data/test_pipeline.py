"""Batches come in an order that the seed and the epoch alone decide."""

from itertools import islice

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.activity.augmentation import Augmentation
from zoo.data.dataset import DataSet
from zoo.data.pipeline import training_batches

SEEDS = st.integers(0, 2**31 - 1)


@pytest.fixture(autouse=True, scope="module")
def small_blocks():
    """Blocks of 32 rows, so that small arrays have several."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zoo.data.dataset.BLOCK_BYTES", 1)
        yield


def numbered(rows):
    """Windows that hold their number."""
    inputs = np.tile(np.arange(rows, dtype=np.float32)[:, None, None], (1, 4, 3))
    return DataSet.of({"input": inputs, "target": np.arange(rows)})


def take(dataset, count):
    return list(islice(dataset.as_numpy_iterator(), count))


def targets(dataset, count):
    return np.stack([batch[1] for batch in take(dataset, count)])


@pytest.mark.parametrize(("rows", "batch_size"), [(70, 10), (70, 33), (5, 2), (64, 64)])
def test_an_epoch_gives_no_row_twice_in_batches_of_equal_size(rows, batch_size):
    an_epoch = rows // batch_size
    seen = targets(training_batches(numbered(rows), batch_size, seed=0), 3 * an_epoch)
    assert seen.shape == (3 * an_epoch, batch_size)
    for epoch in seen.reshape(3, -1):
        assert len(np.unique(epoch)) == an_epoch * batch_size
    if an_epoch * batch_size == rows:
        np.testing.assert_array_equal(np.sort(seen.reshape(3, -1)), np.tile(np.arange(rows), (3, 1)))


@pytest.mark.slow
@settings(max_examples=4)
@given(SEEDS, st.integers(0, 4), st.sampled_from([7, 16, 40]))
def test_a_run_resumed_at_any_epoch_sees_what_an_uninterrupted_one_would_have_seen(seed, first_epoch, batch_size):
    options = {"batch_size": batch_size, "augment": Augmentation(mirror=0.5, tilt=20.0, noise=1.0)}
    skipped = first_epoch * (80 // batch_size)
    whole = take(training_batches(numbered(80), seed=seed, **options), skipped + 5)[skipped:]
    resumed = take(training_batches(numbered(80), seed=seed, first_epoch=first_epoch, **options), 5)
    for a, b in zip(whole, resumed, strict=True):
        np.testing.assert_array_equal(a[0], b[0])
        np.testing.assert_array_equal(a[1], b[1])
    other = take(training_batches(numbered(80), seed=seed + 1, first_epoch=first_epoch, **options), 5)
    assert any((a[1] != b[1]).any() for a, b in zip(whole, other, strict=True))


def test_each_batch_is_augmented_with_a_seed_of_its_own():
    def show(inputs, seed):
        return tf.zeros_like(inputs[:, 0, :2]) + tf.cast(seed, tf.float32)

    # Five batches an epoch: the third epoch begins with batch number 10.
    for first_epoch, number in ((0, 0), (2, 10)):
        dataset = training_batches(numbered(53), 10, seed=7, first_epoch=first_epoch, augment=show)
        shown = [inputs[0].tolist() for inputs, _ in take(dataset, 3)]
        assert shown == [[7, number], [7, number + 1], [7, number + 2]]
