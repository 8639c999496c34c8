"""`zoo_activity` of TensorFlow Datasets: windows of six activities, split by person."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from zoo.activity import recordings
from zoo.activity import windows as activity
from zoo.activity.cutting import Windowing, choose_classes, choose_test_subjects, write_windows
from zoo.activity.studies import STUDIES
from zoo.activity.study_readers import read_study
from zoo.activity.windows import ATTRIBUTES, ActivityData, Windows
from zoo.data.examples import sort_names
from zoo.data.tfds import Column, Source, ZooBuilder
from zoo.errors import ZooError
from zoo.runtime.metadata import AXES, CLASSES

_MOTIONSENSE = "https://github.com/mmalekzadeh/motion-sense"
_TEST_SUBJECTS = ("2", "9", "15", "21")
"""The test subjects of the zoo's presets."""

_CITATION = r"""@inproceedings{Malekzadeh2019,
  author = {Malekzadeh, Mohammad and Clegg, Richard G. and Cavallaro, Andrea and Haddadi, Hamed},
  title = {Mobile Sensor Data Anonymization},
  booktitle = {Proceedings of the International Conference on Internet of Things Design and Implementation},
  year = {2019},
  pages = {49--58},
  doi = {10.1145/3302505.3310068}
}"""


class ZooActivity(ZooBuilder):
    """Windows of acceleration `(window, 3)`, what the person was doing, and who it was; split by person."""

    VERSION = tfds.core.Version("3.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {
        **ZooBuilder.RELEASE_NOTES, "3.0.0": "The study of each window, and where the phone was.",
    }  # fmt: skip

    FILE, NAMES, SUPERVISED = "data3.h5", r"(motionsense|recordings)_(\d+)_(\d+)(?:_(\d+)hz)?", ("window", "label")
    LISTED = ("motionsense_150_75", "motionsense_150_150", "recordings_150_75")
    SOURCES: ClassVar[Mapping[str, Source]] = {
        "course": Source(
            "data3.h5", "expected windows in the layout of data3.h5: make them with `zoo data windows`"
        ),
        "motionsense": Source(
            "A_DeviceMotion_data.zip", f"get it from {_MOTIONSENSE}, data/A_DeviceMotion_data.zip", _MOTIONSENSE,
            _CITATION,
        ),
        "recordings": Source("recordings.h5", "expected recordings: make them with `zoo data import`"),
    }  # fmt: skip

    @classmethod
    def described(cls, source: str, *numbers: int) -> str:
        """What a configuration holds, in a sentence."""
        window, hop, rate = (*numbers, 50)[:3]
        what = f"Windows of {window} rows at {rate} Hz, {hop} rows apart, of"
        if source == "motionsense":
            return f"{what} MotionSense; subjects 2, 9, 15 and 21 are the test set."
        return f"{what} recordings; a fifth of the people are the test set."

    @property
    def windowing(self) -> Windowing:
        """How recordings are cut; windows of the course's file must be as long by default."""
        return Windowing(*self.builder_config.numbers)

    def features(self) -> dict[str, Any]:
        """The features of a row."""
        window = "acceleration, m/s^2, gravity included, x y z, Android's sign: at rest and face up, z is +9.81"
        shape = (self.windowing.window, len(AXES))
        return {
            "window": tfds.features.Tensor(shape=shape, dtype=np.float32, doc=window),
            "label": tfds.features.ClassLabel(names=CLASSES, doc="what the person was doing"),
            "subject": tfds.features.Text(doc="the subject; empty if not known"),
            "study": tfds.features.Text(doc="the study of the window; empty if it belongs to none"),
            "position": tfds.features.Text(doc="where the phone was; empty if not known"),
        }

    def write_source(self, source: Path, path: Path) -> None:
        """Cuts windows from recordings."""
        of_motionsense = self.builder_config.source == "motionsense"
        if of_motionsense:
            found = read_study("motionsense", source)
            source = path.with_name("recordings.h5")
            recordings.write(source, found, source=STUDIES["motionsense"].source)
        # Windows of a build have no gyroscope.
        index, test = recordings.read(source).selected(AXES), list(_TEST_SUBJECTS)
        classes = choose_classes(source, index.activities, CLASSES)
        if not of_motionsense:
            used = np.isin(index.activities, list(classes))
            test = choose_test_subjects(index.subjects[used], 0.2, 0, index.activities[used])
        write_windows(index, path, self.windowing, test, classes)

    def splits(self, path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        """Splits as in the file."""
        data = activity.read(path)
        if data.axes != AXES:
            raise ZooError(
                f"{path}: holds {','.join(data.axes)}; zoo_activity holds {','.join(AXES)}: cut windows with "
                f"`zoo data windows --channels {','.join(AXES)}`"
            )
        if data.classes != CLASSES:
            raise ZooError(f"{path}: classes {','.join(data.classes)}; zoo_activity holds {','.join(CLASSES)}")
        if data.label_sets:
            sets = ", ".join(data.label_names[len(CLASSES) :])
            raise ZooError(f"{path}: labels {sets}; zoo_activity holds one class per window: leave them out")
        found, expected = data.train.inputs.shape[1], self.windowing.window
        if found != expected:
            raise ZooError(f"{path}: windows of {found} rows; zoo_activity/{self.builder_config.name} holds {expected}")
        splits = {"train": data.train, "test": data.test_windows()}
        parts = {split: (windows, _columns(windows)) for split, windows in splits.items()}
        people = sort_names([*data.train.people(), *data.test.people()]) if data.split_by == "subject" else None
        known = {split: list(windows.attributes) for split, windows in splits.items()}
        return parts, {"window": expected, "people": people, "known": known}

    @staticmethod
    def data(column: Callable[..., Column], metadata: Mapping[str, Any], about: Mapping[str, Any]) -> ActivityData:
        """The windows of a build."""
        parts = []
        for split in ("train", "test"):
            groups = column("subject", [split]).array() if metadata["people"] is not None else None
            labels = column("label", [split]).array().astype(np.int64)
            known = {name: column(name, [split]).array() for name in metadata["known"][split]}
            parts.append(replace(Windows.all(column("window", [split]), labels, groups), attributes=known))
        rate = float(metadata["attributes"].get("rate_hz", 50.0))
        return ActivityData(
            train=parts[0], validation=parts[0].empty(), test=parts[1], classes=CLASSES, rate=rate, **about
        )


def _columns(windows: Windows) -> dict[str, Any]:
    unknown = np.full(len(windows), "")
    names = {"subject": unknown if windows.subjects is None else np.asarray(windows.subjects).astype(str)}
    return names | {name: windows.attributes.get(name, unknown) for name in ATTRIBUTES}
