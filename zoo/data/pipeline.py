"""The one way from rows to batches.

    pick runs -> read a block -> shuffle inside it -> batch -> augment -> prefetch

The first three belong to `dataset`. The order is a function of the seed and the epoch alone: the same seed gives the
same batches, and a run resumed at epoch 7 sees what an uninterrupted one would have seen.
"""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    from zoo.data.dataset import DataSet

Augment = Callable[[Any, Any], Any]
"""`(inputs of a batch, seed of shape (2,)) -> inputs`, in TensorFlow operations."""

_PARALLEL, _PREFETCHED = 4, 2
"""Batches that are augmented in parallel, and that are prefetched."""


def training_batches(
    examples: "DataSet", batch_size: int | Sequence[int], *, seed: int, first_epoch: int = 0, passes: int = 1,
    augment: Augment | None = None,
) -> tf.data.Dataset:  # fmt: skip
    """Endless shuffled batches of inputs and targets: epoch after epoch, the incomplete last batch of each dropped.

    An epoch has some passes over the examples; the first one is 0. `batch_size` may be of each batch of an epoch. The
    seed decides the order, and the seeds with which `augment` changes the inputs of each batch.
    """
    sizes = [batch_size] if isinstance(batch_size, int) else list(batch_size)
    count = passes * len(examples) // batch_size if isinstance(batch_size, int) else len(batch_size)

    def one_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        blocks = _blocks(examples, lambda number: [(seed, passes * number + one) for one in range(passes)], epoch)
        # Equal batches have a static shape.
        return blocks.rebatch(sizes if len(set(sizes)) > 1 else sizes[0], drop_remainder=True)

    epochs = tf.data.Dataset.range(first_epoch, np.iinfo(np.int64).max)
    dataset = epochs.flat_map(one_epoch)
    if augment is not None:
        dataset = dataset.enumerate(first_epoch * count).map(
            lambda number, batch: (augment(batch[0], tf.stack([tf.cast(seed, tf.int64), number])), batch[1]),
            num_parallel_calls=_PARALLEL,
            deterministic=True,
        )
    return _prefetched(dataset)


def batches(examples: "DataSet", batch_size: int, *, seed: int | None = None, epochs: int = 1) -> tf.data.Dataset:
    """Passes over all examples, the incomplete last batch of each included; without a seed, in their order."""

    def one_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        return _blocks(examples, lambda number: [None if seed is None else (seed, number)], epoch).rebatch(batch_size)

    count = epochs * -(-len(examples) // batch_size)
    dataset = tf.data.Dataset.range(epochs).flat_map(one_epoch).apply(tf.data.experimental.assert_cardinality(count))
    # Validation passes over the same rows again and again: a small data set is cached.
    if seed is None and epochs == 1 and len(examples) <= examples.block_rows():
        dataset = dataset.cache()
    return _prefetched(dataset)


def _prefetched(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Prepares batches while the model trains on others."""
    options = tf.data.Options()
    # The number of batches is fixed: the thread of tf.data's own tuning delays the end of each pass by seconds.
    options.autotune.enabled = False
    return dataset.prefetch(_PREFETCHED).with_options(options)


def _blocks(examples: "DataSet", seeds: Callable[[int], Any], epoch: tf.Tensor) -> tf.data.Dataset:
    """The blocks of an epoch: of a pass over the examples in the order of each seed."""
    first = examples.inputs[0:1], examples.targets[0:1]
    return tf.data.Dataset.from_generator(
        lambda number: chain.from_iterable(map(examples.blocks, seeds(int(number)))),
        output_signature=tuple(tf.TensorSpec((None, *array.shape[1:]), array.dtype) for array in first),
        args=(epoch,),
    )
