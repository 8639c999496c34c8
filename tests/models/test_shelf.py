"""The networks of examples/networks: as large as published, and sound from a function to files that agree."""

import numpy as np
import pytest
from running import ROOT

import zoo
from zoo.models.function import Function
from zoo.runtime import Recognizer

FOLDER = ROOT / "examples" / "networks"
NETWORKS = sorted(path.stem for path in FOLDER.glob("*.py"))
SMALL = {"deepconvlstm": {"filters": 4, "units": 8}}
"""Options with which its checks take seconds."""


def build(name, window=150, channels=3, classes=6, **options):
    """The Keras model that a file builds."""
    function = Function.of(f"{FOLDER / name}.py:build").call
    return function(window, channels, [f"class {number}" for number in range(classes)], **options)


# An LSTM of PyTorch has two biases, each as large as that of Keras.
PUBLISHED = [
    # https://huggingface.co/STMicroelectronics/GMP-HAR-model and IGN-HAR-model
    ("st_gmp", {"window": 24, "classes": 4}, 1_528),
    ("st_ign", {"window": 24, "classes": 4}, 3_064),
    # github.com/zhaxidele/TinierHAR, Run_logs/macs_params.txt, of PyTorch: WISDM and HAPT, with one LSTM.
    ("deepconvlstm", {"layers": 1}, 227_654 - 4 * 128),
    ("deepconvlstm", {"layers": 1, "channels": 6, "classes": 12}, 326_732 - 4 * 128),
    # The layers of github.com/yolish/har-with-imu-transformer, without the class token, its position, and one bias.
    ("transformer", {"window": 100, "channels": 6, "classes": 2, "size": 64, "heads": 8, "layers": 6, "hidden": 128,
                     "patch": 1}, 221_618 - 3 * 64),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options", "parameters"), PUBLISHED)
def test_a_network_has_as_many_parameters_as_published(name, options, parameters):
    assert build(name, **options).count_params() == parameters


def test_the_temporal_network_has_about_as_many_parameters_as_the_paper_says():
    # Table 1 of Bai, Kolter, Koltun 2018: about 70K for sequential MNIST.
    model = build("tcn", window=784, channels=1, classes=10, filters=25, kernel=7, levels=8)
    assert round(model.count_params(), -4) == 70_000


def test_tinyhar_has_the_layers_of_its_authors():
    # Those of github.com/teco-kit/ISWC22-HAR, for F filters, C channels and K labels.
    filters, channels, classes = 20, 6, 12
    convolutions = 5 * filters + filters + 3 * (5 * filters**2 + filters) + 4 * 2 * filters
    attention, fusion = 3 * filters**2 + 1, channels * filters * 2 * filters + 2 * filters
    lstm, over_time = 4 * (2 * (2 * filters) ** 2 + 2 * filters), (2 * filters) ** 2 + 2 * filters + 2 * filters + 1
    model = build("tinyhar", channels=channels, classes=classes)
    trained = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert trained == convolutions + attention + fusion + lstm + over_time + 2 * filters * classes + classes


@pytest.mark.parametrize("name", NETWORKS)
def test_a_file_is_short_and_says_whose_idea_it_is_and_what_was_changed(name):
    text = (FOLDER / f"{name}.py").read_text()
    assert len(text.splitlines()) <= 100
    assert "https://" in text.split('"""')[1]
    assert "Changed:" in text.split('"""')[1]
    assert f"[{name}]({name}.py)" in (FOLDER / "README.md").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_keeps_all_promises(name):
    checks = zoo.check(f"{FOLDER / name}.py:build", settings=SMALL.get(name, {}))
    assert [row["wrong"] for row in checks.to_json()] == [None] * 6


@pytest.mark.slow
def test_a_network_goes_the_whole_way(simulated, tmp_path):
    recipe = {"epochs": 40, "learning_rate": 0.005, "validation": 0.0}
    model = zoo.train(f"{FOLDER}/st_ign.py:build", simulated, recipe, verbose=False).model
    assert model.name == "st_ign"
    windows, labels = zoo.load_data(simulated).test.arrays()
    expected = np.asarray(model(windows, training=False))
    # Of six labels, for a person whom it has not seen.
    assert (expected.argmax(axis=1) == labels).mean() > 0.4
    for file in zoo.export(model, tmp_path / "files", formats="float32,int8", data=simulated):
        answers = Recognizer(file.file).predict(windows)
        assert (answers.argmax(axis=1) == expected.argmax(axis=1)).mean() >= 0.97, file.file.name
