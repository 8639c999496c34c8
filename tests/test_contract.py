"""Every preset passes every check; a new row of the table is tested without a new line here."""

import json

import numpy as np
import pytest
import tensorflow as tf

from zoo import Model
from zoo.catalog import PRESETS_FOLDER, preset_metrics
from zoo.data.augmentation import Augmentation
from zoo.families import find_family
from zoo.metadata import Metadata
from zoo.presets import PRESETS
from zoo.recipes import Recipe
from zoo.report import for_task
from zoo.report.card import card
from zoo.runtime import Interpreter
from zoo.tasks import loading
from zoo.training import compile_model

pytestmark = pytest.mark.parametrize("name", PRESETS)

RANDOM = np.random.default_rng(0)
STATISTICS = {"mean": [0.0, -8.0, 1.0], "variance": [20.0, 40.0, 24.0]}
WINDOWS = RANDOM.normal(0, 4, (8, 150, 3)).astype("float32")
PATCHES = RANDOM.uniform(0.1, 0.9, (8, 256)).astype("float32")
IDS = RANDOM.integers(0, 250, (8, 3)).astype("int32")
# By kind: eight inputs and targets, what the data decides of the constructor, the shape of an answer, a loss that is
# near enough to none, and the most parameters.
EXAMPLES = {
    "activity": (WINDOWS, np.array([0, 1, 2, 3, 4, 5, 0, 1]), STATISTICS, (8, 6), 0.1, 25_000),
    "autoencoder": (PATCHES, PATCHES, {"scale": [1.0, -0.5, 0.5], "sparsity_weight": 0.0, "weight_decay": 0.0},
                    (8, 256), 2.0, 17_000),
    "trigram": (IDS, np.array([5, 0, 249, 7, 7, 1, 2, 3]), {"dropout": 0.0}, (8, 250), 0.1, 1_500_000),
}  # fmt: skip


def kind(name):
    return find_family(PRESETS[name].family).task


def build(name, **changes):
    preset = PRESETS[name]
    decided = EXAMPLES[kind(name)][2]
    return find_family(preset.family).load()(**preset.arguments | decided | changes)


def test_builds_with_the_size_of_its_formula(name):
    model = build(name)
    inputs, _, _, shape, _, most = EXAMPLES[kind(name)]
    assert model.count_params() == model.parameter_formula(**model.get_config()) <= most
    assert model(inputs).shape == shape


def test_its_configuration_round_trips(name):
    model = build(name)
    assert type(model).from_config(json.loads(json.dumps(model.get_config()))).get_config() == model.get_config()


def test_its_recipe_round_trips(name):
    recipe = PRESETS[name].recipe
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe
    if kind(name) == "activity":
        Augmentation(**recipe.augmentation or {})


def test_every_weight_gets_a_gradient(name):
    model = build(name)
    inputs, targets, *_ = EXAMPLES[kind(name)]
    compile_model(model, PRESETS[name].recipe, 1)
    with tf.GradientTape() as tape:
        loss = model.compute_loss(y=targets, y_pred=model(inputs, training=True))
    for weight, gradient in zip(model.trainable_variables, tape.gradient(loss, model.trainable_variables), strict=True):
        assert gradient is not None, weight.path
        assert np.abs(tf.convert_to_tensor(gradient)).max() > 0, weight.path


def test_overfits_eight_examples_and_the_same_seed_gives_the_same_loss(name):
    inputs, targets, _, _, little, _ = EXAMPLES[kind(name)]

    def losses():
        model = build(name, seed=5)
        compile_model(model, Recipe(learning_rate=1e-2, validation=0.0, loss=PRESETS[name].recipe.loss), 1)
        return model.fit(inputs, targets, batch_size=8, epochs=80, shuffle=False, verbose=0).history["loss"]

    first = losses()
    assert first[-1] < little
    assert losses() == first


def test_its_weights_are_here_and_are_of_its_class_and_size(name):
    model = Model.from_preset(name)
    assert type(model).__name__ == find_family(PRESETS[name].family).class_name
    assert model.count_params() == build(name).count_params()
    arguments = model.get_config()
    assert {key: arguments[key] for key in PRESETS[name].arguments} == PRESETS[name].arguments


def agree(found, expected, tolerance):
    """Numbers agree to a tolerance; ids and words follow from them, but for those that are equally probable."""
    assert set(found) == set(expected)
    for key, answer in found.items():
        rows = np.asarray(answer)
        if np.issubdtype(rows.dtype, np.floating):
            np.testing.assert_allclose(rows, np.asarray(expected[key])[: len(rows)], atol=tolerance)


def test_its_files_answer_what_it_answers_and_describe_themselves(name):
    loaded = loading.load(name)
    family = loaded.task.exportable(loaded, None)
    expected = {s.name: s(**family.golden[s.name]) for s in family.signatures(loaded.model)}
    refused = preset_metrics(name).get("refused", {})
    for format_ in set(family.formats) - {"keras", "saved_model"}:
        path = PRESETS_FOLDER / name / f"model.{format_}.tflite"
        assert path.exists() == (format_ not in refused)
        if not path.exists():
            continue
        interpreter = Interpreter(path)
        assert interpreter.metadata == loaded.metadata
        tolerance = {"float32": 1e-5, "float16": 0.01}.get(format_, 0.35)
        for signature in set(family.golden) & set(interpreter.signatures):
            found = interpreter.run(signature, **{key: rows[:1] for key, rows in family.golden[signature].items()})
            agree(found, expected[signature], tolerance)
    if kind(name) == "activity":
        # Three signatures, one copy of the weights.
        size = (PRESETS_FOLDER / name / "model.float32.tflite").stat().st_size
        assert size <= 2 * 4 * loaded.model.count_params()
    endpoints = tf.saved_model.load(str(PRESETS_FOLDER / name / "saved_model")).signatures
    for signature, inputs in family.golden.items():
        found = endpoints[signature](**{key: tf.constant(rows) for key, rows in inputs.items()})
        agree(found, expected[signature], 1e-5)


def test_its_numbers_are_complete_and_its_card_shows_them(name):
    metrics = preset_metrics(name)
    assert {"kind", "made", "training", "test", "artifacts"} <= set(metrics)
    assert {"command", "seed", "data", "license", "versions"} <= set(metrics["made"])
    config = loading.load(name).config
    assert (PRESETS_FOLDER / name / "card.md").read_text() == card(name, PRESETS[name], metrics, config)
    assert Metadata.from_json(config["metadata"], name).preset == name
    assert metrics["training"] == config["training"]
    assert all(for_task(metrics["kind"]).headline(metrics["test"]))
