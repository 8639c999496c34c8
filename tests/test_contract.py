"""Every preset passes every check; a new row of the table is tested without a new line here."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo import Model
from zoo.catalog import PRESETS_FOLDER
from zoo.data.augmentation import Augmentation
from zoo.metadata import Metadata
from zoo.models import activity as family
from zoo.presets import FAMILIES, PRESETS
from zoo.report.card import card
from zoo.runtime import Interpreter
from zoo.tasks import loading
from zoo.training import Recipe, compile_model

WINDOWS = np.random.default_rng(0).normal(0, 4, (8, 150, 3)).astype("float32")
LABELS = np.array([0, 1, 2, 3, 4, 5, 0, 1])

pytestmark = pytest.mark.parametrize("name", PRESETS)


def build(name, **changes):
    preset = PRESETS[name]
    statistics = {"mean": [0.0, -8.0, 1.0], "variance": [20.0, 40.0, 24.0]}
    return getattr(family, FAMILIES[preset.family])(**preset.arguments | statistics | changes)


def test_builds_with_the_size_of_its_formula(name):
    model = build(name)
    assert model.count_params() == model.parameter_formula(**model.get_config()) <= 25_000
    assert model(WINDOWS).shape == (8, 6)


def test_its_configuration_round_trips(name):
    model = build(name)
    assert type(model).from_config(json.loads(json.dumps(model.get_config()))).get_config() == model.get_config()


def test_its_recipe_round_trips(name):
    recipe = PRESETS[name].recipe
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe
    Augmentation(**recipe.augmentation or {})


def test_every_weight_gets_a_gradient(name):
    model = build(name)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(LABELS, model(WINDOWS, training=True)))
    for weight, gradient in zip(model.trainable_variables, tape.gradient(loss, model.trainable_variables), strict=True):
        assert gradient is not None, weight.path
        assert np.abs(gradient.numpy()).max() > 0, weight.path


def test_overfits_eight_examples_and_the_same_seed_gives_the_same_loss(name):
    def losses():
        model = build(name, seed=5)
        compile_model(model, Recipe(learning_rate=1e-2, validation=0.0), 1)
        history = model.fit(WINDOWS, LABELS, batch_size=8, epochs=80, shuffle=False, verbose=0).history
        return history["loss"]

    first = losses()
    assert first[-1] < 0.1
    assert losses() == first


def test_its_weights_are_here_and_are_of_its_class_and_size(name):
    model = Model.from_preset(name)
    assert type(model).__name__ == FAMILIES[PRESETS[name].family]
    assert model.count_params() == build(name).count_params()
    arguments = model.get_config()
    assert {key: arguments[key] for key in PRESETS[name].arguments} == PRESETS[name].arguments


def test_its_files_answer_what_it_answers_and_describe_themselves(name):
    loaded = loading.load(name)
    expected = keras.ops.softmax(loaded.logits(WINDOWS) / loaded.metadata.temperature, axis=1)
    metrics = loading.preset_metrics(name)
    tolerances = {"float32": 1e-5, "dynamic": 0.1}
    assert set(tolerances) == {r["format"] for r in metrics["artefacts"]} & set(tolerances) | set(
        metrics.get("refused", {})
    )
    for kind, tolerance in tolerances.items():
        if kind in metrics.get("refused", {}):
            assert not (PRESETS_FOLDER / name / f"model.{kind}.tflite").exists()
            continue
        interpreter = Interpreter(PRESETS_FOLDER / name / f"model.{kind}.tflite")
        assert interpreter.metadata == loaded.metadata
        np.testing.assert_allclose(interpreter.probabilities(WINDOWS), expected, atol=tolerance)
    endpoint = tf.saved_model.load(str(PRESETS_FOLDER / name / "saved_model")).signatures["window"]
    np.testing.assert_allclose(endpoint(window=WINDOWS)["probabilities"], expected, atol=1e-5)


def test_its_numbers_are_complete_and_its_card_shows_them(name):
    metrics = loading.preset_metrics(name)
    assert {"made", "training", "test", "artefacts"} <= set(metrics)
    assert {"command", "seed", "data", "license", "versions"} <= set(metrics["made"])
    config = loading.load(name).config
    assert (PRESETS_FOLDER / name / "card.md").read_text() == card(name, PRESETS[name], metrics, config)
    assert Metadata.from_json(config["metadata"], name).preset == name
    assert metrics["training"] == config["training"]
