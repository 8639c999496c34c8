"""A recognizer without states, exported."""

from dataclasses import replace

import pytest


@pytest.fixture(scope="session")
def convolutional():
    """A small convolutional recognizer: it has no states, no steps and no chunks."""
    from zoo import ActivityCNN

    return ActivityCNN(filters=8, kernel_size=5, num_blocks=2, window=40, seed=0, temperature=1.3)


@pytest.fixture(scope="session")
def convolutional_files(convolutional, tmp_path_factory):
    """Its float32 and int8 files and the sources for apps, written and compared as `zoo export` does."""
    from zoo.activity.task import TASK
    from zoo.exporting import artifacts
    from zoo.exporting.artifacts import Tolerance
    from zoo.loading import Loaded

    loaded = Loaded("convolutional", convolutional)
    family = TASK.exportable(loaded, None)
    # A network without training is unsure, and integers turn more of its answers.
    family = replace(family, tolerances={**family.tolerances, "int8": Tolerance(0.1, 0.8)})
    folder = tmp_path_factory.mktemp("convolutional") / "out"
    artifacts.export(loaded, family, folder, ["float32", "int8", "kotlin", "swift"])
    return folder
