"""A model is trained and measured on data that it fits: labels, rate, rows, channels, words, pixels are compared."""

import re
from dataclasses import replace

import numpy as np
import pytest
from running import data_of, write_h5

import zoo
from zoo import ActivityGRU, Recipe, ZooError

pytestmark = pytest.mark.usefixtures("uncompiled")

QUICK = Recipe(epochs=1, validation=0.0, batch_size=8)
TINY = {"units": 2, "num_layers": 1, "frame": 5, "window": 10}


def shakes(classes=("still", "shake"), rate=50.0, people=5, channels=3):
    """Windows of people who shake the phone, or do not."""
    random = np.random.default_rng(0)
    labels = np.tile(np.repeat([0, 1], 8), people)
    x = np.array([0, 0, 9.8, 0, 0, 0])[:channels] + 0.1 * random.standard_normal((len(labels), 10, channels))
    x[labels == 1, :, 0] += 6 * random.standard_normal((int(labels.sum()), 10))
    who = np.repeat([f"p{person}" for person in range(people)], 16)
    here = who == "p0"
    return data_of(x[~here], labels[~here], classes, rate, who[~here], test=(x[here], labels[here], who[here]))


OTHERS = [
    ({"rate": 100.0}, "windows of 10 rows at 50 Hz; NAME reads 10 at 100 Hz"),
    ({"window": 20}, "windows of 10 rows at 50 Hz; NAME reads 20 at 50 Hz"),
    ({"channels": 6}, "channels x, y, z; NAME reads x, y, z, gyro_x, gyro_y, gyro_z"),
    ({"classes": ("still", "shaken")}, "labels still, shake; NAME has still, shaken"),
    ({"classes": ("still",)}, "labels still, shake; NAME has still:"),
    ({"classes": ("still", "shake", "run")}, "labels still, shake; NAME has still, shake, run"),
    ({"classes": 3}, "labels still, shake; NAME has 3:"),
]


@pytest.mark.parametrize(("arguments", "line"), OTHERS)
def test_a_recognizer_of_other_windows_is_refused_with_both_named(arguments, line, tmp_path):
    data = shakes()
    model = ActivityGRU(**TINY | {"classes": data.classes} | arguments, name="mine")
    before = model.get_weights()
    with pytest.raises(ZooError, match="^arrays: " + re.escape(line.replace("NAME", "mine"))):
        zoo.train(model, data, QUICK, verbose=False)
    with pytest.raises(ZooError, match="^arrays: " + re.escape(line.replace("NAME", "activity_gru"))):
        zoo.train("activity_gru", data, QUICK, settings=TINY | arguments, out=tmp_path / "model", verbose=False)
    assert not (tmp_path / "model").exists()
    assert all(map(np.array_equal, model.get_weights(), before))
    if "classes" not in arguments:
        with pytest.raises(ZooError, match=re.escape(line.replace("NAME", "mine"))):
            zoo.finetune(model, data, recipe=QUICK, verbose=False)


@pytest.mark.slow
@pytest.mark.parametrize("classes", [("shake", "still"), 2])
def test_labels_in_another_order_are_put_into_the_model_s_and_a_number_takes_those_of_the_data(classes):
    data, recipe = shakes(), Recipe(epochs=8, validation=0.0, batch_size=8, learning_rate=0.05)
    model = ActivityGRU(**TINY | {"units": 8}, classes=classes, mean=(0, 0, 9.8), variance=(9, 9, 9))
    trained = zoo.train(model, data, recipe, verbose=False).model
    assert trained.classes == (classes if classes != 2 else data.classes)
    assert zoo.evaluate(trained, data, baselines=False)["accuracy"] > 0.9


def written(data, path):
    keys = {}
    for part, (x, y, s) in {"train": ("trX", "trY", "trS"), "test": ("tstX", "tstY", "tstS")}.items():
        windows = getattr(data, part)
        keys[x], keys[y] = windows.arrays()[0], np.eye(len(data.classes), dtype=np.float32)[windows.labels]
        keys[s] = [int(name[1:]) for name in windows.subjects]
    return write_h5(path, {"classes": ",".join(data.classes)}, **keys)


@pytest.mark.slow
def test_folds_take_what_a_model_is_and_nothing_that_it_learned(tmp_path):
    path = written(shakes(), tmp_path / "data3.h5")
    options = {"groups": 2, "recipe": Recipe(epochs=2, validation=0.0), "workers": 0, "verbose": False, "baselines": ()}
    with pytest.raises(ZooError, match="reads 10 at 100 Hz"):
        zoo.cross_validate(ActivityGRU(**TINY, classes=2, rate=100), path, out=tmp_path / "o", **options)
    assert not (tmp_path / "o").exists()
    # Statistics of other data, and a seed of its own.
    model = ActivityGRU(**TINY, classes=("shake", "still"), mean=(50, 50, 50), variance=(0.1, 0.1, 0.1), seed=7)
    of_model = zoo.cross_validate(model, path, **options)
    of_family = zoo.cross_validate("activity_gru", path, settings=TINY | {"frame_activation": None, "magnitude": False},
                               **options)  # fmt: skip
    assert of_model["classes"] == ["shake", "still"]
    by_name = {tuple(row["classes"]): np.array(row["confusion"]) for row in (of_model, of_family)}
    # The order of the logits changes what is drawn for them, not what is asked.
    assert by_name["shake", "still"].sum() == by_name["still", "shake"].sum()
    other = ActivityGRU(**TINY, classes=("still", "shake"), mean=(50, 50, 50), variance=(1, 1, 1), seed=3)
    again = zoo.cross_validate(other, path, **options)
    assert (again["confusion"], again["ece"]) == (of_family["confusion"], of_family["ece"])


def test_a_search_with_settings_of_other_windows_is_refused_before_its_folder_is_made(tmp_path):
    path = written(shakes(), tmp_path / "data3.h5")
    with pytest.raises(ZooError, match=r"windows of 10 rows at 50 Hz; activity_gru reads \d+ at 100 Hz"):
        zoo.tune("activity_gru", path, settings={"rate": 100.0}, trials=1, out=tmp_path / "o", verbose=False)
    assert not (tmp_path / "o").exists()


def test_an_autoencoder_of_other_patches_is_refused_with_both_sizes(simulated_patches):
    data = zoo.load_data(simulated_patches)
    side = data.train.inputs.shape[-1]
    model = zoo.SparseAutoencoder(pixels=(side + 1) ** 2, hidden_units=4, name="mine")
    for start in (zoo.train, zoo.finetune):
        with pytest.raises(ZooError, match=rf"patches of {side} x {side}; \w*mine reads {side + 1} x {side + 1}"):
            start(model, data, recipe=Recipe(epochs=1), verbose=False)


def test_a_language_model_of_other_words_is_refused_with_the_first_that_differs(simulated_trigrams):
    data = zoo.load_data(simulated_trigrams)
    words, recipe = data.words, Recipe(epochs=1, batch_size=512)
    size = {"embedding": 2, "hidden_units": 2, "name": "mine"}
    for vocabulary, line in [
        ((*words[:-1], "zebra"), f"word {len(words)} is '{words[-1]}'; mine has 'zebra' there"),
        (words[:-1], f"{len(words)} words; mine knows {len(words) - 1}"),
        (len(words) + 1, f"{len(words)} words; mine knows {len(words) + 1}"),
    ]:
        with pytest.raises(ZooError, match=re.escape(line)):
            zoo.train(zoo.TrigramLM(vocabulary, **size), data, recipe, verbose=False)
    with pytest.raises(ZooError, match="contexts of 3 words; mine reads 2"):
        zoo.train(zoo.TrigramLM(words, context=2, **size), data, recipe, verbose=False)
    few = replace(data, train=data.train.where(np.arange(len(data.train)) < 512))
    assert zoo.train(zoo.TrigramLM(len(words), **size), few, recipe, verbose=False).model.vocabulary == words


@pytest.mark.slow
def test_a_channel_that_never_changes_does_not_stop_a_training():
    data = shakes()
    x, y = data.train.arrays()
    x[:, :, 2] = 9.80665
    still = data_of(x, y, data.classes, 50.0, data.train.subjects)
    recipe = Recipe(epochs=2, validation=0.2, batch_size=8)
    result = zoo.train("activity_gru", still, recipe, settings=TINY, verbose=False)
    assert result.model.variance[2] == 1.0
    assert np.isfinite([row["val_loss"] for row in result.history]).all()
