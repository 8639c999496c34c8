"""`zoo_activity`: windows of six activities, split by person."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from zoo.activity import importers, recordings
from zoo.activity import windows as activity
from zoo.activity.studies import STUDIES
from zoo.activity.windows import ATTRIBUTES, ActivityData, Windowing, Windows
from zoo.data.examples import sort_names
from zoo.data.tfds.builder import Part, Row, ZooBuilder
from zoo.data.tfds.reading import Build
from zoo.errors import ZooError
from zoo.runtime.metadata import AXES, CLASSES

_NAME = re.compile(r"(motionsense|recordings)_(\d+)_(\d+)(?:_(\d+)hz)?")
_MOTIONSENSE = "https://github.com/mmalekzadeh/motion-sense"
_ADVICE = {
    "course": "expected windows in the layout of data3.h5: make them with `zoo data windows`",
    "recordings": "expected recordings: make them with `zoo data import`",
    "motionsense": f"get it from {_MOTIONSENSE}, data/A_DeviceMotion_data.zip",
}
_CITATION = r"""@inproceedings{Malekzadeh2019,
  author = {Malekzadeh, Mohammad and Clegg, Richard G. and Cavallaro, Andrea and Haddadi, Hamed},
  title = {Mobile Sensor Data Anonymization},
  booktitle = {Proceedings of the International Conference on Internet of Things Design and Implementation},
  year = {2019},
  pages = {49--58},
  doi = {10.1145/3302505.3310068}
}"""


@dataclass(eq=False)
class ActivityConfig(tfds.core.BuilderConfig):  # type: ignore[misc]  # TFDS has no types
    """How windows are made, and from what.

    Args:
        source: `course`, `motionsense` or `recordings`.
        windowing: Window, hop, rate and trim; for `course` the window alone counts.
        test_subjects: The subjects of the test set; by default a fifth of all, drawn by the seed 0.
    """

    source: str = "course"
    windowing: Windowing = field(default_factory=Windowing)
    test_subjects: tuple[str, ...] = ()

    @classmethod
    def named(cls, source: str, window: int = 150, hop: int = 75, rate: int = 50) -> "ActivityConfig":
        """The configuration of windows cut from MotionSense or from recordings, named after what decides it.

        Example:
            >>> ActivityConfig.named("motionsense", 128, 64, rate=25).name
            'motionsense_128_64_25hz'
        """
        name = f"{source}_{window}_{hop}" + ("" if rate == 50 else f"_{rate}hz")
        what = f"Windows of {window} rows at {rate} Hz, {hop} rows apart, of"
        if source == "motionsense":
            # The test subjects of the zoo's presets.
            return cls(
                name=name, description=f"{what} MotionSense; subjects 2, 9, 15 and 21 are the test set.",
                source=source, windowing=Windowing(window, hop, rate), test_subjects=("2", "9", "15", "21"),
            )  # fmt: skip
        return cls(
            name=name, description=f"{what} recordings; a fifth of the people are the test set.", source=source,
            windowing=Windowing(window, hop, rate),
        )  # fmt: skip

    @property
    def advice(self) -> str:
        """What to do if the source is missing."""
        return _ADVICE[self.source]

    @property
    def homepage(self) -> str | None:
        """Where the data comes from."""
        return _MOTIONSENSE if self.source == "motionsense" else None

    @property
    def citation(self) -> str | None:
        """What to cite."""
        return _CITATION if self.source == "motionsense" else None


class ZooActivity(ZooBuilder):
    """Windows of acceleration `(window, 3)`, what the person was doing, and who it was; split by person."""

    VERSION = tfds.core.Version("3.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {
        **ZooBuilder.RELEASE_NOTES, "3.0.0": "The study of each window, and where the phone was.",
    }  # fmt: skip

    FILE = "data3.h5"
    SOURCES: ClassVar[Mapping[str, str | None]] = {
        "course": "data3.h5", "motionsense": "A_DeviceMotion_data.zip", "recordings": "recordings.h5",
    }  # fmt: skip
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"""
    `course`: data3.h5, as the course has it or `zoo data windows` makes it.
    `motionsense_...`: A_DeviceMotion_data.zip from {_MOTIONSENSE}.
    `recordings_...`: recordings.h5, as `zoo data import` makes it.
    """
    BUILDER_CONFIGS: ClassVar[list[ActivityConfig]] = [
        ActivityConfig(name="course", description="A file in the layout of data3.h5: windows of 150 rows."),
        ActivityConfig.named("motionsense"),
        ActivityConfig.named("motionsense", hop=150),
        ActivityConfig.named("recordings"),
    ]

    @classmethod
    def configuration(cls, name: str) -> ActivityConfig | None:
        """The configuration of a name such as `motionsense_128_64_25hz`."""
        found = _NAME.fullmatch(name)
        return found and ActivityConfig.named(found[1], int(found[2]), int(found[3]), int(found[4] or 50))

    def _info(self) -> tfds.core.DatasetInfo:
        window = "acceleration, m/s^2, gravity included, x y z, Android's sign: at rest and face up, z is +9.81"
        return self._info_of(
            {
                "window": tfds.features.Tensor(
                    shape=(self.builder_config.windowing.window, len(AXES)), dtype=np.float32, doc=window
                ),
                "label": tfds.features.ClassLabel(names=CLASSES, doc="what the person was doing"),
                "subject": tfds.features.Text(doc="the subject; empty if not known"),
                "study": tfds.features.Text(doc="the study of the window; empty if it belongs to none"),
                "position": tfds.features.Text(doc="where the phone was; empty if not known"),
            },
            ("window", "label"),
        )

    def _write_source(self, source: Path, path: Path) -> None:
        if self.builder_config.source == "motionsense":
            found = importers.read_motionsense(source)
            source = path.with_name("recordings.h5")
            recordings.write(source, found, source=STUDIES["motionsense"].source)
        index = recordings.read(source)
        test = self.builder_config.test_subjects or activity.choose_test_subjects(index.subjects, 0.2, 0)
        activity.write_windows(index, path, self.builder_config.windowing, test, CLASSES)

    def _parts(self, path: Path) -> tuple[Mapping[str, Part], dict[str, Any]]:
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
        found, expected = data.train.inputs.shape[1], self.builder_config.windowing.window
        if found != expected:
            raise ZooError(f"{path}: windows of {found} rows; zoo_activity/{self.builder_config.name} holds {expected}")
        people = sort_names([*data.train.people(), *data.test.people()]) if data.split_by == "subject" else None
        splits = {"train": data.train, "test": data.test}
        parts = {split: Part(len(windows), partial(_rows, windows)) for split, windows in splits.items()}
        known = {split: list(windows.attributes) for split, windows in splits.items()}
        return parts, {"window": expected, "people": people, "known": known}

    @staticmethod
    def data(build: Build, about: Mapping[str, Any]) -> ActivityData:
        """The windows of a build."""
        parts = []
        for split in ("train", "test"):
            groups = build.column("subject", split).array() if build.metadata["people"] is not None else None
            labels = build.column("label", split).array().astype(np.int64)
            known = {name: build.column(name, split).array() for name in build.metadata["known"][split]}
            parts.append(replace(Windows.all(build.column("window", split), labels, groups), attributes=known))
        rate = float(build.metadata["attributes"].get("rate_hz", 50.0))
        return ActivityData(
            train=parts[0], validation=parts[0].empty(), test=parts[1], classes=CLASSES, rate=rate, **about
        )


def _rows(windows: Windows, start: int, stop: int) -> Iterator[Row]:
    chosen = windows.where((np.arange(len(windows)) >= start) & (np.arange(len(windows)) < stop))
    unknown = np.full(len(chosen), "")
    names = {"subject": unknown if chosen.subjects is None else chosen.subjects}
    names |= {name: chosen.attributes.get(name, unknown) for name in ATTRIBUTES}
    texts = zip(*(column.tolist() for column in names.values()), strict=True)
    for inputs, labels in chosen.blocks():
        for window, label in zip(inputs, labels, strict=True):
            yield {"window": window, "label": int(label), **dict(zip(names, map(str, next(texts)), strict=True))}
