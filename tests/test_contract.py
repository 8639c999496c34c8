"""What every family does, on tiny shapes, and what every preset is; a new row is tested without a new line here."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import tensorflow as tf

from zoo import Model, loading
from zoo.catalog import PRESETS_FOLDER, preset_metrics
from zoo.families import FAMILIES, find_family
from zoo.files import read_json
from zoo.presets import PRESETS
from zoo.recipe import Recipe
from zoo.report import for_task
from zoo.runtime import Interpreter
from zoo.runtime.metadata import Metadata
from zoo.training import compile_model

RANDOM = np.random.default_rng(0)
CLASSES = np.array([0, 1, 2, 3, 4, 5, 0, 1])
PATCHES = RANDOM.uniform(0.1, 0.9, (8, 16)).astype("float32")
# By task: eight tiny inputs and their targets, what makes a model as tiny, and what would keep it from learning them by
# heart.
TINY = {
    "activity": (
        RANDOM.normal(0, 4, (8, 20, 3)).astype("float32"), CLASSES,
        {"units": 12, "window": 20, "mean": [0.0, -8.0, 1.0], "variance": [20.0, 40.0, 24.0]}, {},
    ),
    "patches": (
        PATCHES, PATCHES, {"pixels": 16, "hidden_units": 24, "scale": [1.0, -0.5, 0.5]},
        {"sparsity_weight": 0.0, "weight_decay": 0.0},
    ),
    "text": (
        RANDOM.integers(0, 12, (8, 3)).astype("int32"), CLASSES, {"vocabulary": 12, "embedding": 4, "hidden_units": 16},
        {"dropout": 0.0},
    ),
}  # fmt: skip
MOST_PARAMETERS = {"activity": 60_000, "patches": 17_000, "text": 1_500_000}

# Every family as it comes, and with what each preset says of its structure.
STRUCTURES = [pytest.param(family, {}, id=family) for family in FAMILIES]
STRUCTURES += [pytest.param(preset.family, preset.arguments, id=name) for name, preset in PRESETS.items()]
each_structure = pytest.mark.parametrize(("family", "arguments"), STRUCTURES)
each_family = pytest.mark.parametrize("family", FAMILIES)
each_preset = pytest.mark.parametrize("name", PRESETS)


def task(family):
    return find_family(family).task


def class_of(family):
    return find_family(family).load()


@cache
def known_arguments(family):
    return set(class_of(family)().get_config())


def tiny(family, **arguments):
    """A model of a family, as small as the inputs of its task."""
    known = known_arguments(family)
    sizes = TINY[task(family)][2]
    return class_of(family)(**arguments | {name: value for name, value in sizes.items() if name in known})


def recipe(family):
    return next(preset.recipe for preset in PRESETS.values() if task(preset.family) == task(family))


@each_structure
def test_it_builds_with_the_shape_that_it_states(family, arguments):
    model = tiny(family, **arguments)
    inputs, targets, *_ = TINY[task(family)]
    assert model(inputs).shape[0] == len(targets)
    assert model(inputs).shape == model.compute_output_shape(inputs.shape)


@each_structure
def test_every_weight_gets_a_gradient(family, arguments):
    model = tiny(family, **arguments)
    inputs, targets, *_ = TINY[task(family)]
    compile_model(model, recipe(family), 1)
    with tf.GradientTape() as tape:
        loss = model.compute_loss(y=targets, y_pred=model(inputs, training=True))
    for weight, gradient in zip(model.trainable_variables, tape.gradient(loss, model.trainable_variables), strict=True):
        assert gradient is not None, weight.path
        assert np.abs(tf.convert_to_tensor(gradient)).max() > 0, weight.path


@pytest.mark.slow
@each_family
def test_it_learns_eight_examples_by_heart(family):
    inputs, targets, _, unhindered = TINY[task(family)]
    model = tiny(family, seed=5, **unhindered)
    compile_model(model, Recipe(learning_rate=2e-2, validation=0.0), 1)
    first = float(model.compute_loss(y=targets, y_pred=model(inputs)))
    # An epoch of many steps: to begin an epoch takes longer than all of these.
    again = np.tile(np.arange(8), 80)
    model.fit(inputs[again], targets[again], batch_size=8, shuffle=False, verbose=0)
    assert float(model.compute_loss(y=targets, y_pred=model(inputs))) < 0.1 * first


@each_family
def test_the_same_seed_gives_the_same_weights(family):
    one, same, other = (tiny(family, seed=seed).get_weights() for seed in (5, 5, 6))
    assert all(np.array_equal(*pair) for pair in zip(one, same, strict=True))
    assert not all(np.array_equal(*pair) for pair in zip(one, other, strict=True))


@each_preset
def test_the_weights_of_a_preset_are_here_and_are_of_its_class_and_size(name):
    model, preset = Model.from_preset(name), PRESETS[name]
    assert type(model) is class_of(preset.family)
    arguments = model.get_config()
    assert {key: arguments[key] for key in preset.arguments} == preset.arguments
    most = MOST_PARAMETERS[task(preset.family)]
    assert model.count_params() <= most


def agree(found, expected, tolerance):
    """Numbers agree to a tolerance; ids and words follow from them, but for those that are equally probable."""
    assert set(found) == set(expected)
    for key, answer in found.items():
        rows = np.asarray(answer)
        if np.issubdtype(rows.dtype, np.floating):
            np.testing.assert_allclose(rows, np.asarray(expected[key])[: len(rows)], atol=tolerance)


@pytest.mark.slow
@each_preset
def test_the_files_of_a_preset_answer_what_it_answers_and_describe_themselves(name):
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
        # A file keeps the version that wrote it. States of int8 are clipped to the range that nearly all of them have.
        assert interpreter.metadata == replace(loaded.metadata, version=interpreter.metadata.version)
        tolerance = {"float32": 1e-5, "float16": 0.01, "int8": 0.6}.get(format_, 0.35)
        for signature in set(family.golden) & set(interpreter.signatures):
            found = interpreter.run(signature, **{key: rows[:1] for key, rows in family.golden[signature].items()})
            agree(found, expected[signature], tolerance)
    if loaded.metadata.task == "activity":
        # Three signatures, one copy of the weights: graphs and metadata take less than a second one and 8 KiB, or than
        # 20 KiB where there are hardly any weights.
        size = (PRESETS_FOLDER / name / "model.float32.tflite").stat().st_size
        weights = 4 * loaded.model.count_params()
        assert size <= weights + max(weights + 8 * 1024, 20 * 1024)
    endpoints = tf.saved_model.load(str(PRESETS_FOLDER / name / "saved_model")).signatures
    for signature, inputs in family.golden.items():
        found = endpoints[signature](**{key: tf.constant(rows) for key, rows in inputs.items()})
        agree(found, expected[signature], 1e-5)


@each_preset
def test_the_numbers_of_a_preset_are_complete(name):
    metrics, config = preset_metrics(name), read_json(PRESETS_FOLDER / name / "config.json")
    assert {"kind", "made", "training", "test", "artifacts"} <= set(metrics)
    assert {"command", "seed", "data", "license", "versions"} <= set(metrics["made"])
    assert Metadata.from_json(config["metadata"], name).preset == name
    assert metrics["training"] == config["training"]
    assert all(for_task(metrics["kind"]).headline(metrics["test"]))
