"""A recognizer without states, exported."""

from dataclasses import replace

import pytest

from zoo.catalog import PRESETS_FOLDER
from zoo.runtime.metadata import extract

WINDOW, HOP = 40, 20


@pytest.fixture(scope="session")
def convolutional():
    """A small convolutional recognizer: it has no states, no steps and no chunks."""
    import keras

    keras.utils.set_random_seed(0)
    inputs = keras.Input((WINDOW, 3), name="window")
    x = keras.layers.Conv1D(8, 5, strides=2, activation="relu")(inputs)
    x = keras.layers.GlobalAveragePooling1D()(x)
    model = keras.Model(inputs, keras.layers.Dense(6, name="logits")(x))
    model.states, model.temperature, model.prior = {}, 1.3, None
    return model


@pytest.fixture(scope="session")
def convolutional_metadata():
    """Metadata of the convolutional recognizer."""
    known = extract(PRESETS_FOLDER / "activity_gru_pocket" / "model.float32.tflite")
    return replace(known, states={}, window=WINDOW, hop=HOP, frame=1, temperature=1.3)


@pytest.fixture(scope="session")
def convolutional_files(convolutional, convolutional_metadata, tmp_path_factory):
    """Its float32 and int8 files, written and compared as `zoo export` does."""
    import numpy as np

    from zoo.exporting import artifacts, embedding, parity, signatures
    from zoo.exporting.artifacts import Exportable
    from zoo.exporting.parity import Tolerance
    from zoo.loading import Loaded

    windows = np.random.default_rng(0).normal(0, 4, (100, WINDOW, 3)).astype("float32")
    family = Exportable(
        lambda model: signatures.activity(model, 10),
        {"window": {"window": windows}},
        parity.EXACT | {"int8": Tolerance(0.1, 0.8)},
        sources={"kotlin": embedding.kotlin, "swift": embedding.swift},
    )
    folder = tmp_path_factory.mktemp("convolutional") / "out"
    loaded = Loaded("convolutional", convolutional)
    # No task knows this model: its metadata is what the fixture says.
    vars(loaded)["metadata"] = convolutional_metadata
    artifacts.export(loaded, family, folder, ["float32", "int8", "kotlin", "swift"])
    return folder
