"""Every builder passes `DatasetBuilderTestCase`, the test that TensorFlow Datasets has for its own builders.

It checks registration, the description, keys, shapes and types against the features, the number of examples, that no
example is in two splits, and that a build reads the same after it is reloaded.
"""

import tempfile
from pathlib import Path

import pytest

from zoo.activity import simulate as gait
from zoo.patches import simulate
from zoo.text import simulate as grammar

tfds = pytest.importorskip("tensorflow_datasets", reason="tensorflow-datasets is not installed")
pytest.importorskip("dill", reason="tensorflow-datasets' own test needs dill, which is not installed")
from zoo.data.tfds import ZooActivity, ZooPatches, ZooText  # noqa: E402
from zoo.families import TASKS  # noqa: E402


class BuilderTest(tfds.testing.DatasetBuilderTestCase):
    """What the three have in common: an example of the course's layout, made once."""

    __test__ = False
    BUILDER_CONFIG_NAMES_TO_TEST = ("course",)

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.EXAMPLE_DIR = folder.name
        cls.write(Path(folder.name) / TASKS[cls.DATASET_CLASS.TASK].file)
        super().setUpClass()


class TestActivity(BuilderTest):
    __test__ = True
    DATASET_CLASS = ZooActivity
    SPLITS = {"train": 144, "test": 48}  # noqa: RUF012

    @staticmethod
    def write(path):
        gait.write_simulated(path, subjects=4, seed=0, seconds=10)


class TestPatches(BuilderTest):
    __test__ = True
    DATASET_CLASS = ZooPatches
    SPLITS = {"train": 40}  # noqa: RUF012

    @staticmethod
    def write(path):
        simulate.write_simulated(path, count=40, size=16, pictures=4, seed=0)


class TestText(BuilderTest):
    __test__ = True
    DATASET_CLASS = ZooText
    SPLITS = {"train": 306, "validation": 35, "test": 37}  # noqa: RUF012
    # The same three words are followed by the same word in many places of a text.
    OVERLAPPING_SPLITS = ("train", "validation", "test")

    @staticmethod
    def write(path):
        grammar.write_simulated(path, sentences=100, seed=0)


# Not a test itself.
del BuilderTest
