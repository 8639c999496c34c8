"""An HDF5 file is checked where it enters, read in blocks, and written whole or not at all."""

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from running import message, refused, write_h5

from zoo.data import hdf5

ACTIVITY = {
    "trX": np.zeros((4, 5, 3), "f4"), "trY": np.zeros((4, 2), "f4"), "tstX": np.zeros((3, 5, 3), "f4"),
    "tstY": np.zeros((3, 2), "f4"), "trS": np.zeros(4, "i4"), "tstS": np.zeros(3, "i4"),
}  # fmt: skip
TRIGRAMS = {
    "trainx": np.ones((6, 3), "i4"), "traind": np.ones(6, "i4"), "valx": np.ones((5, 3), "i4"),
    "vald": np.ones(5, "i4"), "testx": np.ones((4, 3), "i4"), "testd": np.ones(4, "i4"),
    "words": np.array([b"he", b"is"]),
}  # fmt: skip
PATCHES = {"data": np.zeros((7, 3, 16, 16), "f4")}


@pytest.mark.parametrize(
    ("layout", "content", "sizes"),
    [
        ("activity", ACTIVITY, {"N": 4, "T": 5, "C": 3, "K": 2, "M": 3}),
        ("activity", ACTIVITY | {"trS": None, "tstS": None}, {"N": 4, "T": 5, "C": 3, "K": 2, "M": 3}),
        ("activity", ACTIVITY | {"trS": np.array([b"ann"] * 4)}, {"N": 4, "T": 5, "C": 3, "K": 2, "M": 3}),
        ("text", TRIGRAMS, {"N": 6, "M": 5, "L": 4, "V": 2}),
        ("patches", PATCHES, {"N": 7, "S": 16}),
    ],
)
def test_a_file_is_known_by_its_keys_and_measured(tmp_path, layout, content, sizes):
    path = write_h5(tmp_path / "a.h5", **content)
    assert hdf5.identify(path) == layout
    assert hdf5.check_layout(path, layout) == sizes


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ann.csv", "is a CSV file: make data of it with `zoo data import csv`, then `zoo data windows`"),
        ("book.TXT", "is text: make data of it with `zoo data make text`, or of recordings with `zoo data import"),
        ("book.txt", "patches are made of photographs, with `zoo data make patches`"),
        ("cat.jpg", "is a picture: make data of it with `zoo data make patches`"),
    ],
)
def test_what_is_not_data_yet_is_named_with_what_makes_it_data(tmp_path, name, words):
    path = tmp_path / "raw" / name
    path.parent.mkdir()
    path.write_text("time,x,y,z\n")
    assert words in message(lambda: hdf5.identify(path))
    folder = message(lambda: hdf5.check_layout(path.parent, "activity"))
    assert ("make data of its CSV files with `zoo data import csv`" in folder) == (name == "ann.csv")


def test_what_is_no_hdf5_or_of_another_layout_or_of_none_is_named(tmp_path):
    path, known = tmp_path / "a.h5", "activity, text, patches, recordings"
    for content in (b"", b"time,x,y,z\n", b"PK\x03\x04"):
        path.write_bytes(content)
        refused(f"^{path}: not an HDF5 file; expected one of the layouts {known}$", hdf5.identify, path)
    says = "b.h5: is in the activity layout; expected recordings: make it with `zoo data import`"
    refused(says, hdf5.check_layout, write_h5(tmp_path / "b.h5", **ACTIVITY), "recordings")
    for keys, named in (({"x": [1], "a": [2]}, "a, x"), ({}, "nothing")):
        says = f"c.h5: has keys {named}; none of the layouts {known} uses them"
        refused(says, hdf5.identify, write_h5(tmp_path / "c.h5", **keys))


@pytest.mark.parametrize(
    ("layout", "content", "words"),
    [
        ("activity", ACTIVITY | {"trY": None}, "no key 'trY' in the activity layout; found trS, trX, tstS, tstX, tstY"),
        ("activity", ACTIVITY | {"tstY": np.zeros((3, 6))}, "key 'tstY' has shape (3, 6); expected (3, 2)"),
        ("activity", ACTIVITY | {"trX": np.zeros((0, 5, 3))}, "key 'trX' is empty (shape (0, 5, 3)); expected at"),
        ("activity", ACTIVITY | {"trY": np.array([[b"a", b"b"]] * 4)}, "key 'trY' holds |S1; expected number"),
        ("activity", ACTIVITY | {"trS": np.zeros(4)}, "key 'trS' holds float64; expected whole numbers or text"),
        ("text", TRIGRAMS | {"vald": np.ones(5)}, "key 'vald' holds float64; expected whole numbers"),
        ("patches", {"data": np.zeros((7, 3, 16, 8))}, "key 'data' has shape (7, 3, 16, 8); expected (N, 3, S, S)"),
    ],
)  # fmt: skip
def test_what_differs_from_the_layout_is_named_with_what_was_expected_and_found(tmp_path, layout, content, words):
    path = write_h5(tmp_path / "a.h5", **content)
    assert message(hdf5.check_layout, path, layout).startswith(f"{path}: {words}")


@pytest.mark.parametrize("act", [lambda path: hdf5.read_column(path, "x"), lambda path: hdf5.open_column(path, "x")[:]])
def test_a_file_damaged_in_the_middle_is_named(tmp_path, act):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset("x", data=np.arange(300.0).reshape(100, 3), chunks=(10, 3), compression="gzip")
        place = dataset.id.get_chunk_info(0).byte_offset
    damaged = bytearray(path.read_bytes())
    damaged[place : place + 16] = bytes(16)
    path.write_bytes(damaged)
    assert message(lambda: act(path)).startswith(f"{path}: ")


def test_attributes_come_as_plain_values(tmp_path):
    with hdf5.create(tmp_path / "a.h5") as file:
        file.attrs.update({"rate_hz": np.float32(50), "simulated": np.True_, "old": np.bytes_("x"), "axes": ["x", "y"]})
        file.attrs.update({"complex": 1j, "nan": np.nan, "empty": h5py.Empty("f4")})
    found = hdf5.attributes(tmp_path / "a.h5")
    plain = {"rate_hz": 50.0, "simulated": True, "old": "x", "axes": ["x", "y"]}
    assert [(found[name], type(found[name])) for name in plain] == [(value, type(value)) for value in plain.values()]
    assert isinstance(found["nan"], str)
    facts = hdf5.read_facts(write_h5(tmp_path / "b.h5", {"simulated": np.nan, "source": 3}, **PATCHES), "patches")
    assert facts == {"simulated": False, "source": "3"}


def test_what_would_take_gigabytes_of_memory_is_refused(tmp_path):
    # As text of any length, the words take little room in the file.
    path = write_h5(tmp_path / "a.h5", **TRIGRAMS | {"words": np.array(["x" * 1000] + ["a"] * 300_000, object)})
    refused("holds 300001 texts of up to 1000 bytes", hdf5.read_column, path, "words")
    with h5py.File(path, "a") as file:
        del file["trainx"]
        one = file.create_dataset("trainx", (100_000_000, 3), "i4", chunks=(100_000_000, 3), compression="gzip")
        one.id.write_direct_chunk((0, 0), b"not unpacked before it is refused")
    refused("key 'trainx' takes 1200000000 bytes", hdf5.check_layout, path, "text")


def test_text_comes_as_str_and_in_another_encoding_than_utf8_not_at_all(tmp_path):
    latin = np.array([b"he", b"caf\xe9"])
    path = write_h5(tmp_path / "a.h5", fixed=latin, utf8=["he", "café"], n=[1, 2])
    refused(r"key 'fixed' holds b'caf\\xe9'; expected text in UTF-8: make the file", hdf5.read_column, path, "fixed")
    assert hdf5.read_column(path, "utf8").tolist() == ["he", "café"]
    assert hdf5.read_column(path, "n").tolist() == [1, 2]
    assert (hdf5.has(path, "n"), hdf5.has(path, "m")) == (True, False)


@given(
    lengths=st.lists(st.integers(0, 100), min_size=1, max_size=5), at=st.tuples(st.integers(0, 99), st.integers(0, 99))
)
def test_rows_appended_in_parts_are_read_by_any_slice(tmp_path_factory, lengths, at):
    whole = np.arange(2 * sum(lengths), dtype=np.float32).reshape(-1, 2)
    path = tmp_path_factory.mktemp("rows") / "a.h5"
    with hdf5.create(path) as file:
        for part in np.split(whole, np.cumsum(lengths)[:-1]):
            hdf5.add_rows(file, "recordings", {"acceleration": part.astype("f8")})
    rows = hdf5.open_column(path, "acceleration")
    assert len(rows) == len(whole)
    assert rows.shape == whole.shape
    assert rows[min(at) : max(at)].dtype == np.float32
    np.testing.assert_array_equal(rows[min(at) : max(at)], whole[min(at) : max(at)])


def test_a_heap_of_text_in_which_hdf5_would_read_for_ever_is_refused(tmp_path):
    path = write_h5(tmp_path / "data.h5", {"source": "somebody's recordings"}, trX=np.zeros((2, 4, 3)), trY=np.eye(2))
    content = bytearray(path.read_bytes())
    first = content.index(b"GCOL") + 16
    # Its entry becomes free space of no size, after which HDF5 would read the same entry again.
    content[first : first + 16] = bytes(16)
    path.write_bytes(content)
    refused(r"data\.h5: damaged: copy it again \(a heap of text at byte \d+\)", hdf5.attributes, path)
