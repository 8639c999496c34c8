"""Plans: settings that a family does not know, has no use for, or that are of another type are refused."""

from dataclasses import replace

import numpy as np
import pytest
from running import data_of, message

import zoo
from zoo import ActivityGRU, Recipe
from zoo.activity import finetuning
from zoo.activity.task import TASK
from zoo.errors import ZooError
from zoo.loading import load
from zoo.task import Split
from zoo.training import Training


@pytest.mark.parametrize(("preset", "changes", "line"), [
    ("sparse_autoencoder_course", {"sparsity_target": "abc"}, "sparsity_target is 'abc'; expected a number"),
    ("sparse_autoencoder_course", {"hidden_units": 2.5}, "hidden_units is 2.5; expected a whole number"),
    ("sparse_autoencoder_course", {"scale": 3}, "scale: is decided by training; leave it out"),
    ("activity_gru_course", {"patience": "soon"}, "recipe: patience is 'soon'; expected a whole number or none"),
    ("activity_gru_course", {"augmentation": {"mirrror": 0.5}},
     "unknown setting of the augmentation 'mirrror': did you mean mirror?"),
    ("sparse_autoencoder_course", {"augmentation": {"plain": 2}}, "augmentation: plain is 2; expected at most 1"),
    ("activity_gru_course", {"merge_contexts": 4}, "merge_contexts: has no effect on activity_gru_course"),
    ("sparse_autoencoder_course", {"steps": 2000}, "steps: has no effect on sparse_autoencoder_course"),
    ("trigram_lm_course", {"augmentation": None}, "augmentation: has no effect on trigram_lm_course"),
    ("trigram_lm_course", {"hiden_units": 9}, "unknown setting of trigram_lm_course 'hiden_units': did you mean"),
])  # fmt: skip
def test_a_setting_that_cannot_be_is_refused_before_anything_is_read(preset, changes, line):
    assert message(lambda: Training.of(preset, changes)).startswith(line)


@pytest.mark.parametrize("field", ["normalize", "merge_contexts"])
def test_fine_tuning_refuses_fields_that_have_no_effect_on_weights_that_are_there(field, simulated):
    value = {"normalize": False, "merge_contexts": 4}[field]
    with pytest.raises(ZooError, match=f"^{field}: has no effect on activity_gru_course; leave it out"):
        zoo.finetune("activity_gru_course", simulated, recipe={field: value}, verbose=False)


def test_a_whole_number_is_a_number():
    plan = Training.of("sparse_autoencoder_course", {"sparsity_weight": 2, "clip_norm": None})
    assert plan.arguments["sparsity_weight"] == 2
    assert plan.recipe.clip_norm is None


@pytest.mark.parametrize(("rows", "frame"), [(150, 5), (128, 4), (45, 5), (47, 1)])
def test_a_family_is_trained_as_two_layers_on_frames_that_divide_the_window(rows, frame):
    data = data_of(np.full((2, rows, 3), 5.7), [0, 1], ("a", "b"), 50.0)
    split = Split(data, data.train)
    for family in ("activity_gru", "activity_lstm", "activity_rnn"):
        model = TASK.build(Training.of(family, {"units": 2}), split)
        assert (model.num_layers, model.frame, model.magnitude, model.window) == (2, frame, True, rows)
    assert TASK.build(Training.of("activity_cnn"), split).magnitude
    named = Training.of("activity_gru", {"units": 2, "num_layers": 1, "frame": 1, "magnitude": False})
    model = TASK.build(named, split)
    assert (model.num_layers, model.frame, model.magnitude) == (1, 1, False)


def people(count):
    windows = np.full((count, 150, 3), 5.0, np.float32)
    return data_of(windows, np.arange(count) % 2, ("a", "b"), 50.0, np.arange(count))


def test_python_names_single_fields_of_the_recipe_that_is_followed():
    named, whole = (Training.of("activity_gru_course", recipe=recipe) for recipe in ({"epochs": 3}, None))
    assert named == replace(whole, recipe=whole.recipe.replace(epochs=3))
    plan = Training.of(ActivityGRU(units=4), recipe={"steps": 50, "parts": 3})
    assert (plan.arguments["units"], plan.recipe.epochs, plan.recipe.steps) == (4, None, 50)
    loaded = load("activity_gru_course")
    shares = [finetuning.recipe_for(loaded, people(count), {"epochs": 3}).start_share for count in (2, 14)]
    assert shares == [0.5, 0.125]


def test_a_name_that_model_and_recipe_have_means_that_of_where_it_is_named():
    usual = Training.of("sparse_autoencoder_course")
    of_recipe = Training.of("sparse_autoencoder_course", recipe={"weight_decay": 0.05})
    assert of_recipe == replace(usual, recipe=usual.recipe.replace(weight_decay=0.05))
    of_model = Training.of("sparse_autoencoder_course", {"weight_decay": 0.05})
    assert of_model == replace(usual, arguments=usual.arguments | {"weight_decay": 0.05})


@pytest.mark.parametrize("model", ["activity_gru", "activity_gru_course"])
def test_settings_replace_fields_of_a_whole_recipe_too(model):
    recipe = Recipe(steps=500, parts=20, learning_rate=0.02)
    plan = Training.of(model, {"units": 4, "epochs": 3}, recipe)
    assert (plan.arguments["units"], plan.recipe) == (4, recipe.replace(epochs=3))
    with pytest.raises(ZooError, match="epochs is 0"):
        zoo.train(model, "data3.h5", recipe, settings={"epochs": 0})


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"epoch": 3}, "unknown setting of the recipe 'epoch': did you mean epochs?"),
        ({"units": 3}, "unknown setting of the recipe 'units'"),
        ({"epochs": "3"}, "recipe: epochs is '3'; expected a whole number"),
    ],
)
def test_a_field_that_no_recipe_has_is_one_line(changes, line):
    for call in (
        lambda: Training.of("activity_gru_course", recipe=changes),
        lambda: finetuning.recipe_for(load("activity_gru_course"), people(2), changes),
    ):
        assert message(call).startswith(line)
