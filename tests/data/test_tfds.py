"""TensorFlow Datasets: a build holds what its file holds, whole or not at all."""

import pickle
import shutil

import numpy as np
import pytest
from running import refused

from zoo.activity import recordings
from zoo.activity import simulate as gait
from zoo.activity.cutting import Windowing, write_windows
from zoo.data import hdf5
from zoo.data.dataset import Data
from zoo.data.loading import load_data
from zoo.files import sha256
from zoo.patches import simulate
from zoo.runtime.metadata import CLASSES
from zoo.text import simulate as grammar

tensorflow_datasets = pytest.importorskip("tensorflow_datasets")
from zoo.data import tfds  # noqa: E402


@pytest.fixture(scope="module")
def built(simulated, tmp_path_factory):
    """A folder of builds with the simulated windows in it."""
    folder = tmp_path_factory.mktemp("builds")
    assert tfds.build("zoo_activity/course", simulated, folder)["built"]
    return folder


def assert_same(data, other):
    """The same splits with the same values in the same order, and the same facts."""
    other = other if isinstance(other, Data) else load_data(other)
    assert (data.task, data.facts) == (other.task, {**other.facts})
    assert data.splits().keys() == other.splits().keys()
    for name, rows in data.splits().items():
        expected = other.splits()[name]
        assert set(rows.columns) == set(expected.columns)
        for one, two in zip(rows.arrays(), expected.arrays(), strict=True):
            np.testing.assert_array_equal(one, two, err_msg=name)
            assert one.dtype == two.dtype
        for column in set(rows.columns) - {"input", "target"}:
            np.testing.assert_array_equal(rows.column(column), expected.column(column), err_msg=column)


def test_windows_come_back_in_their_order_with_labels_and_people(built, simulated):
    assert_same(tfds.load("zoo_activity", built), simulated)


def test_windows_of_any_length_keep_their_labels_study_and_the_place_of_the_phone(tmp_path):
    rows = np.random.default_rng(0).normal(9.8, 1, (400, 3)).astype(np.float32)
    known = {"1": {"study": "oxford", "position": "hand", "decided": "person"}, "2": {"study": "wisdm"}, "3": {}}
    people = [
        recordings.Recording(f"{who} {what}", who, what, 50.0, rows + number, rotation=rows / 9, **of)
        for number, (who, of) in enumerate(known.items()) for what in ("still", "swing", "both")
    ]  # fmt: skip
    recordings.write_recordings(tmp_path / "recordings.h5", people, source="a test")
    index = recordings.read_recordings(tmp_path / "recordings.h5")
    labels = {"still": "still", "swing": "swing", "both": "still+swing"}
    write_windows(index, tmp_path / "data3.h5", Windowing(60, 30, 25.0), ["3"], labels)
    tfds.build("zoo_activity", tmp_path, tmp_path / "builds")
    assert_same(tfds.load("zoo_activity", tmp_path / "builds"), tmp_path / "data3.h5")


def test_tensorflow_datasets_loads_a_build_by_its_name_with_units(built, simulated):
    rows, info = tensorflow_datasets.load("zoo_activity/course", split="train", data_dir=built, with_info=True)
    assert [int(row["label"]) for row in rows] == load_data(simulated).train.labels.tolist()
    assert "m/s^2, gravity included" in info.features["window"].doc.desc
    assert info.features["label"].names == list(CLASSES)
    assert info.metadata["source_sha256"] == sha256(simulated)


@pytest.mark.slow
def test_patches_and_text_come_back_as_well(tmp_path):
    simulate.write_simulated(tmp_path / "data1.h5", count=90, size=8, pictures=8, seed=0)
    grammar.write_simulated(tmp_path / "data2.h5", sentences=200, seed=0)
    for name, file in (("zoo_patches", "data1.h5"), ("zoo_text", "data2.h5")):
        tfds.build(name, tmp_path, tmp_path / "builds")
        assert_same(tfds.load(name, tmp_path / "builds"), tmp_path / file)
    assert len(next(iter(tfds.load("zoo_patches", tmp_path / "builds").train.dataset(4)))[0][0]) == 64


def test_a_build_that_is_there_is_kept_and_one_of_another_source_is_refused(built, simulated, tmp_path):
    assert not tfds.build("zoo_activity/course", simulated, built)["built"]
    gait.write_simulated(tmp_path / "data3.h5", subjects=4, seed=5, seconds=20)
    says = r"4.0.0: was built from another data3.h5 \(SHA-256 \w{12}, this one \w{12}\)"
    refused(says, tfds.build, "zoo_activity/course", tmp_path, built)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("zoo_activities", r"unknown data set 'zoo_activities': did you mean zoo_activity\?"),
        ("mnist", "unknown data set 'mnist': known are zoo_activity, zoo_patches, zoo_text"),
        ("zoo_activity/motionsense_150_75", r"motionsense_150_75': did you mean zoo_activity\?"),
        ("zoo_activity/course", "no data3.h5 in this folder: make it with `zoo data windows`"),
    ],
)
def test_what_is_not_there_is_named_with_what_makes_it(tmp_path, name, says):
    refused(says, tfds.build, name, tmp_path, tmp_path / "builds")
    assert not list((tmp_path / "builds").rglob("*.0.0*"))


def test_a_build_of_another_version_and_a_damaged_one_are_refused(built, tmp_path):
    place = tmp_path / "zoo_activity" / "course"
    shutil.copytree(built / "zoo_activity" / "course" / "4.0.0", place / "2.0.0")
    for load in (lambda: tfds.load("zoo_activity", tmp_path), lambda: load_data(place / "2.0.0")):
        refused(r"course: holds 2.0.0; expected version 4.0.0: build it with", load)
    (place / "2.0.0").rename(place / "4.0.0")
    shard = next((place / "4.0.0").glob("*train*0000-of*"))
    whole = shard.read_bytes()
    for at in (500, len(whole) // 2):
        shard.write_bytes(whole[:at] + b"damage" + whole[at + 6 :])
        refused(r"4\.0\.0: damaged: delete it and build it again", tfds.load, "zoo_activity", tmp_path)


def test_a_build_is_read_at_any_place_and_can_be_sent_to_another_process(built, simulated):
    column, rows = tfds.load("zoo_activity", built).train.inputs, hdf5.open_column(simulated, "trX")
    assert column.shape == rows.shape
    for read in (column, pickle.loads(pickle.dumps(column))):
        for part in (slice(0, 0), slice(0, 1), slice(130, 140), slice(390, None), slice(None)):
            np.testing.assert_array_equal(read[part], rows[part])


def test_a_build_of_a_file_is_known_as_that_file(built, simulated):
    data = load_data("tfds:zoo_activity/course", data_dir=built)
    assert data.sha256 == sha256(simulated) == load_data(simulated).sha256
    assert str(data) == "tfds:zoo_activity/course"
    # Another process opens it by its folder.
    assert_same(load_data(data.path), data)


def test_the_command_line_takes_a_build_where_it_takes_a_file(built, simulated, zoo_cli, zoo_json):
    named = zoo_json("data", "describe", "tfds:zoo_activity/course", "--data-dir", built)
    assert named["sizes"] == hdf5.check_layout(simulated, "activity")
    status, _, err = zoo_cli("data", "describe", simulated, "--data-dir", ".")
    assert (status, "zoo: --data-dir: requires tfds:NAME" in err) == (1, True)
