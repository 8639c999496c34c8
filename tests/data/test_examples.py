"""Rows are read in blocks of one size, each once, in an order that the seed decides."""

from itertools import islice

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from running import write_h5

from zoo.data import dataset
from zoo.data.dataset import DataSet
from zoo.data.hdf5 import open_column

BLOCK = 128
SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture(autouse=True, scope="module")
def small_blocks():
    """Blocks of 128 rows of two numbers, so that small files have several."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset, "BLOCK_BYTES", BLOCK * 2 * 4)
        yield


class Virtual:
    """A file of any length: row i holds (i, i). It remembers the longest slice that was read."""

    def __init__(self, rows):
        self.shape, self.longest = (rows, 2), 0

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        numbers = np.arange(*rows.indices(len(self)))
        self.longest = max(self.longest, len(numbers))
        return np.stack([numbers, numbers], axis=1)


def virtual(rows, keep=None):
    return of(Virtual(rows), -np.arange(rows), keep)


def of(inputs, targets, keep=None):
    """A data set of some rows, or of all."""
    return DataSet({"input": inputs, "target": targets}, np.arange(len(targets)) if keep is None else np.array(keep))


@st.composite
def chosen(draw):
    """Rows of up to 1,000 rows of which some are meant."""
    total = draw(st.integers(1, 1000))
    keep = draw(st.sets(st.integers(0, total - 1), min_size=1)) if draw(st.booleans()) else range(total)
    return virtual(total, sorted(keep))


def flat(blocks):
    """All inputs and targets of some blocks."""
    inputs, targets = zip(*blocks, strict=True)
    return np.concatenate(inputs), np.concatenate(targets)


@given(chosen(), SEEDS, st.integers(0, 10_000))
def test_blocks_give_each_chosen_row_once_beside_its_target_in_order_or_shuffled(rows, seed, epoch):
    inputs, targets = flat(rows.blocks())
    np.testing.assert_array_equal(inputs[:, 0], rows.rows)
    np.testing.assert_array_equal(targets, -rows.rows)
    inputs, targets = flat(rows.blocks((seed, epoch)))
    np.testing.assert_array_equal(np.sort(inputs[:, 0]), rows.rows)
    np.testing.assert_array_equal(targets, -inputs[:, 0])


def test_a_file_no_larger_than_a_block_is_shuffled_completely():
    # A row lands on each of the places: over 400 epochs the first row of the file is seen first and last.
    blocks = [list(virtual(8).blocks((0, epoch))) for epoch in range(400)]
    assert {len(epoch) for epoch in blocks} == {1}
    assert {int(np.flatnonzero(epoch[0][1] == 0)[0]) for epoch in blocks} == set(range(8))


def test_a_file_sorted_by_class_gives_mixed_blocks():
    rows = of(Virtual(6 * 512), np.repeat(np.arange(6), 512))
    classes = [len(np.unique(targets)) for _, targets in rows.blocks((0, 0))]
    assert len(classes) == 24
    assert min(classes) >= 2
    assert np.mean(classes) > 2.5


@pytest.mark.parametrize("order", [(), ((0, 0),)])
def test_the_largest_block_does_not_grow_with_the_file(order):
    for total in (10_000, 1_000_000):
        rows = virtual(total)
        handed_out = max(len(targets) for _, targets in islice(rows.blocks(*order), 20))
        assert max(handed_out, rows.inputs.longest) == BLOCK


@pytest.mark.parametrize("chunk", [16, 64, 1024])
def test_the_largest_shuffled_block_does_not_grow_with_the_chunks_of_the_file(tmp_path, chunk):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", data=np.arange(4096.0).reshape(2048, 2), chunks=(chunk, 1))
    rows = of(open_column(tmp_path / "a.h5", "x"), np.arange(2048))
    assert max(len(targets) for _, targets in rows.blocks((0, 0))) <= BLOCK


@given(SEEDS, st.sets(st.integers(0, 199), min_size=1))
def test_rows_on_the_disk_come_in_the_order_of_rows_in_memory(tmp_path_factory, seed, keep):
    values = np.arange(400, dtype=np.float32).reshape(200, 2)
    path = write_h5(tmp_path_factory.mktemp("examples") / "a.h5", x=values)
    memory, disk = (of(x, np.arange(200), sorted(keep)).blocks((seed, 1)) for x in (values, open_column(path, "x")))
    for one, other in zip(flat(memory), flat(disk), strict=True):
        np.testing.assert_array_equal(one, other)
