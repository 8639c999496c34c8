"""TensorFlow Datasets: a build holds what its source holds, whole or not at all."""

import json
import pickle
import shutil
import zipfile
from dataclasses import fields

import numpy as np
import pytest
from zoo.data.examples import Data

from zoo import ZooError
from zoo.activity import data as activity
from zoo.activity import recordings
from zoo.activity import simulate as gait
from zoo.activity.cutting import Windowing, choose_test_subjects, write_windows
from zoo.data import hdf5
from zoo.data.loading import load_data
from zoo.files import sha256
from zoo.patches import simulate
from zoo.runtime.metadata import AXES, CLASSES
from zoo.search.spaces import Study
from zoo.text import data as trigrams

tensorflow_datasets = pytest.importorskip("tensorflow_datasets")
from zoo.data import tfds  # noqa: E402


@pytest.fixture(scope="module")
def built(simulated, tmp_path_factory):
    """A folder of builds with the simulated windows in it."""
    folder = tmp_path_factory.mktemp("builds")
    made = tfds.build("zoo_activity/course", simulated, folder)
    assert made["built"]
    return folder


def assert_same(data, other):
    """The same splits with the same values in the same order, and the same facts."""
    other = other if isinstance(other, Data) else load_data(other)
    assert type(data) is type(other)
    assert data.splits().keys() == other.splits().keys()
    for name, split in data.splits().items():
        expected = other.splits()[name]
        for one, two in zip((*split.arrays(), split.groups), (*expected.arrays(), expected.groups), strict=True):
            np.testing.assert_array_equal(one, two, err_msg=name)
            assert getattr(one, "dtype", None) == getattr(two, "dtype", None)
        assert {key: values.tolist() for key, values in getattr(split, "attributes", {}).items()} == {
            key: values.tolist() for key, values in getattr(expected, "attributes", {}).items()
        }
    special = {"name", "path", "fingerprint", *("train", "validation", "test")}
    facts = [field.name for field in fields(data) if field.name not in special]
    assert [getattr(data, name) for name in facts] == [getattr(other, name) for name in facts]


def test_windows_come_back_in_their_order_with_labels_and_people(built, simulated):
    assert_same(tfds.load("zoo_activity", built), simulated)


def test_a_search_reads_a_build(built, tmp_path):
    study = Study("activity_gru", tfds.load("zoo_activity", built).path, groups=2)
    study.open(tmp_path / "out")
    assert (study.data_name, len(study.parts)) == ("tfds:zoo_activity/course", 2)


def test_windows_keep_their_study_and_the_place_of_the_phone(tmp_path):
    rows = np.random.default_rng(0).normal(9.8, 1, (400, 3)).astype(np.float32)
    known = {"1": {"study": "oxford", "position": "hand"}, "2": {"study": "wisdm"}, "3": {}}
    people = [
        recordings.Recording(f"{who} {what}", who, what, 50.0, rows + number, **of)
        for number, (who, of) in enumerate(known.items()) for what in CLASSES
    ]  # fmt: skip
    recordings.write_recordings(tmp_path / "recordings.h5", people, source="a test")
    tfds.build("zoo_activity/recordings_150_75", tmp_path, tmp_path / "builds")
    data = tfds.load("zoo_activity/recordings_150_75", tmp_path / "builds").everyone().train
    assert set(zip(data.subjects.tolist(), data.studies.tolist(), data.positions.tolist(), strict=True)) == {
        ("1", "oxford", "hand"), ("2", "wisdm", ""), ("3", "", ""),
    }  # fmt: skip


def test_tensorflow_datasets_loads_a_build_by_its_name_with_units_and_citation(built, simulated):
    rows, info = tensorflow_datasets.load("zoo_activity/course", split="train", data_dir=built, with_info=True)
    assert [int(row["label"]) for row in rows] == activity.from_file(simulated).train.labels.tolist()
    assert info.features["window"].doc.desc.startswith("acceleration, m/s^2")
    assert info.features["label"].names == list(CLASSES)
    assert info.metadata["source_sha256"] == sha256(simulated)
    study = tensorflow_datasets.builder("zoo_activity/motionsense_150_75", data_dir=built)
    assert "10.1145/3302505.3310068" in study.info.citation


def test_recordings_are_cut_as_the_zoo_cuts_them(tmp_path):
    rows = np.random.default_rng(0).normal(9.8, 1, (400, 3)).astype(np.float32)
    # Only ann jogs, and zoe does nothing else than swim.
    done = {"1": CLASSES[:1] + CLASSES[2:], "2": CLASSES[:1] + CLASSES[2:], "ann": CLASSES, "zoe": ["swimming"]}
    people = [
        recordings.Recording(f"{who} {what}", who, what, 50.0, rows + number, rotation=rows / 9)
        for number, who in enumerate(done) for what in done[who]
    ]  # fmt: skip
    recordings.write_recordings(tmp_path / "recordings.h5", people, source="a test")
    index = recordings.read_recordings(tmp_path / "recordings.h5").selected(AXES)
    known = index.subjects != "zoe"
    test = choose_test_subjects(index.subjects[known], 0.2, 0, index.activities[known])
    assert test in (["1"], ["2"])
    write_windows(index, tmp_path / "data3.h5", Windowing(60, 30, 25.0), test, CLASSES)
    # A configuration that is in no table, from the folder that holds the recordings.
    name = "zoo_activity/recordings_60_30_25hz"
    tfds.build(name, tmp_path, tmp_path / "builds")
    assert_same(tfds.load(name, tmp_path / "builds"), tmp_path / "data3.h5")


def test_motionsense_is_built_from_its_zip(tmp_path):
    columns = [f"{sensor}.{axis}" for sensor in ("gravity", "userAcceleration") for axis in "xyz"]
    values = "\n".join(f"{i},0,0,-1,{np.sin(i):.3f},0,0" for i in range(300))
    with zipfile.ZipFile(tmp_path / "A_DeviceMotion_data.zip", "w") as archive:
        for who in (1, 2, 9, 15, 21):
            for act in ("dws", "jog", "sit", "std", "ups", "wlk"):
                archive.writestr(f"A_DeviceMotion_data/{act}_1/sub_{who}.csv", f",{','.join(columns)}\n{values}")
    made = tfds.build("zoo_activity/motionsense_150_75", tmp_path, tmp_path / "builds")
    assert made["source"] == "A_DeviceMotion_data.zip"
    data = tfds.load("zoo_activity/motionsense_150_75", tmp_path / "builds")
    assert data.train.people() == ["1"]
    assert data.test.people() == ["2", "9", "15", "21"]
    assert data.source.startswith("MotionSense")
    assert not list((tmp_path / "builds").rglob("source.*"))


@pytest.mark.slow
def test_patches_are_split_by_photograph_and_come_back_in_the_order_of_the_file(tmp_path):
    simulate.write_simulated(tmp_path / "data1.h5", count=90, size=16, pictures=8, seed=0)
    tfds.build("zoo_patches/course", tmp_path, tmp_path / "builds")
    loaded = tensorflow_datasets.load("zoo_patches/course", data_dir=tmp_path / "builds")
    train, test = (
        {bytes(row["photograph"]) for row in loaded[split].as_numpy_iterator()} for split in ("train", "test")
    )
    assert (len(train), len(test)) == (6, 2)
    assert not train & test
    assert_same(tfds.load("zoo_patches", tmp_path / "builds"), tmp_path / "data1.h5")


def test_text_becomes_rows_split_by_their_place(tmp_path):
    text = tmp_path / "text"
    text.mkdir()
    sentences = [f"they say it is {word} here ." for word in ("good", "late", "his", "the", "right")]
    (text / "book.txt").write_text("\n".join(sentences * 20))
    trigrams.write_trigrams(tmp_path / "data2.h5", [text / "book.txt"], 9)
    tfds.build("zoo_text/text_9", text, tmp_path / "builds")
    assert_same(tfds.load("zoo_text/text_9", tmp_path / "builds"), tmp_path / "data2.h5")
    # A build of a version before 0.3 has the older name.
    (tmp_path / "builds" / "zoo_text").rename(tmp_path / "builds" / "zoo_trigrams")
    assert_same(load_data("tfds:zoo_trigrams/text_9", data_dir=tmp_path / "builds"), tmp_path / "data2.h5")


def test_a_build_that_is_there_is_kept_and_one_of_another_source_is_refused(built, simulated, tmp_path):
    assert not tfds.build("zoo_activity/course", simulated, built)["built"]
    gait.write_simulated(tmp_path / "data3.h5", subjects=4, seed=5, seconds=20)
    with pytest.raises(ZooError, match=r"3.0.0: was built from another data3.h5 \(SHA-256 \w{12}, this one \w{12}\)"):
        tfds.build("zoo_activity/course", tmp_path, built)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("zoo_activities", "unknown data set 'zoo_activities': did you mean zoo_activity?"),
        ("mnist", "unknown data set 'mnist': known are zoo_activity, zoo_patches, zoo_text"),
        (
            "zoo_activity/motionsense_150",
            "unknown configuration of zoo_activity 'motionsense_150': did you mean motion",
        ),
        ("zoo_activity/course", "no data3.h5 in this folder; expected windows in the layout of data3.h5"),
        ("zoo_activity/motionsense_150_75", "no A_DeviceMotion_data.zip in this folder; get it from https://github"),
        ("zoo_text/text_250", r"no file \*.txt in it; expected UTF-8 text"),
        ("zoo_patches/photographs_0", "no picture in this folder"),
    ],
)
def test_what_is_not_there_is_named_with_where_to_get_it(tmp_path, name, message):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ZooError, match=message):
        tfds.build(name, tmp_path / "empty", tmp_path / "builds")
    assert not list((tmp_path / "builds").rglob("*.0.0*"))


def test_windows_of_another_length_or_without_a_test_set_are_refused(tmp_path):
    gait.write_simulated(tmp_path / "data3.h5", subjects=3, seed=0, seconds=20)
    with hdf5.open_file(tmp_path / "data3.h5") as file:
        parts = {name: file[name][:] for name in file}
    with hdf5.create(tmp_path / "short.h5") as file:
        for name, part in parts.items():
            file[name] = part[:, :100] if name.endswith("X") else part
    with hdf5.create(tmp_path / "train.h5") as file:
        file.update({name: part for name, part in parts.items() if name.startswith("tr")})
    with pytest.raises(ZooError, match=r"train.h5: has no test set"):
        tfds.build("zoo_activity", tmp_path / "train.h5", tmp_path / "builds")
    with pytest.raises(ZooError, match="windows of 100 rows; zoo_activity/course holds 150"):
        tfds.build("zoo_activity", tmp_path / "short.h5", tmp_path / "builds")


def test_a_build_of_another_version_and_a_damaged_one_are_refused(built, tmp_path):
    place = tmp_path / "zoo_activity" / "course"
    shutil.copytree(built / "zoo_activity" / "course" / "3.0.0", place / "2.0.0")
    for load in (lambda: tfds.load("zoo_activity", tmp_path), lambda: load_data(place / "2.0.0")):
        with pytest.raises(ZooError, match=r"course: holds version 2.0.0; this zoo reads 3.0.0: build it with"):
            load()
    (place / "2.0.0").rename(place / "3.0.0")
    shard = next((place / "3.0.0").glob("*train*0000-of*"))
    whole = shard.read_bytes()
    for at in (500, len(whole) // 2):
        shard.write_bytes(whole[:at] + b"damage" + whole[at + 6 :])
        with pytest.raises(ZooError, match=r"3\.0\.0: damaged: delete it and build it again"):
            tfds.load("zoo_activity", tmp_path)


def test_a_build_is_read_at_any_place_and_can_be_sent_to_another_process(built, simulated):
    column, rows = tfds.load("zoo_activity", built).train.inputs, hdf5.open_column(simulated, "trX")
    for part in (slice(0, 0), slice(0, 1), slice(130, 140), slice(390, None), slice(None)):
        np.testing.assert_array_equal(column[part], rows[part])
    assert column.shape == rows.shape
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(column))[5:9], rows[5:9])


def test_a_build_of_a_file_is_known_as_that_file(built, simulated):
    data = load_data("tfds:zoo_activity/course", data_dir=built)
    assert data.sha256 == sha256(simulated) == load_data(simulated).sha256
    assert str(data) == "tfds:zoo_activity/course"
    # Another process opens it by its folder.
    assert_same(load_data(data.path), data)


def test_the_command_line_takes_a_build_where_it_takes_a_file(built, simulated, zoo_cli):
    named = zoo_cli("data", "describe", "tfds:zoo_activity/course", "--data-dir", built, "--json")
    assert named.status == 0, named.err
    assert json.loads(named.out)["sizes"] == hdf5.check_layout(simulated, "activity")
    wrong = zoo_cli("data", "describe", simulated, "--data-dir", ".")
    assert wrong.status == 1
    assert "zoo: --data-dir: requires tfds:NAME" in wrong.err
