"""Recipes are checked, types and ranges, when they are made."""

import pytest
from running import message

from zoo import Recipe, ZooError


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"optimizer": "lion"}, "recipe: optimizer is 'lion'; expected sgd, adam or adamw"),
        ({"learning_rate": 0.0}, "recipe: learning_rate is 0.0; expected above 0"),
        ({"learning_rate": float("nan")}, "recipe: learning_rate is nan; expected a number"),
        ({"momentum": 1.0}, "recipe: momentum is 1.0; expected below 1"),
        ({"epochs": -1}, "recipe: epochs is -1; expected 0 or more or none"),
        ({"epochs": 3.5}, "recipe: epochs is 3.5; expected a whole number or none"),
        ({"epochs": True}, "recipe: epochs is True; expected a whole number or none"),
        ({"epochs": 3, "steps": 9}, "recipe: epochs is 3 and steps is 9; state one of them"),
        ({"parts": 9}, "recipe: parts is 9, of a run of steps; state steps too, or leave it out"),
        ({"ema_decay": 1}, "recipe: ema_decay is 1; expected below 1 or none"),
        ({"class_weights": True}, "recipe: class_weights is True; expected balanced or root or none"),
        ({"augmentation": 3}, 'recipe: augmentation is 3; expected names and values such as {"tilt": 15} or none'),
        ({"seed": 10**30}, f"recipe: seed is {10**30}; expected below 4294967296"),
        (
            {"patience": 3, "validation": 0.0},
            "recipe: patience needs validation data; set validation above 0 or patience to none",
        ),
    ],
)
def test_a_value_of_another_type_or_outside_its_range_is_refused(change, refusal):
    assert message(lambda: Recipe().replace(**change)) == refusal


def test_a_recipe_is_what_its_json_says_and_missing_keys_take_defaults():
    recipe = Recipe(epochs=3, clip_norm=1, patience=2, ema_decay=0.9, warmup_epochs=9)
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert Recipe.from_json({"epochs": 3}) == Recipe(epochs=3)
    # Fields of older files, which no longer exist.
    assert Recipe.from_json({"epochs": 30, "min_steps": 2000}) == Recipe(steps=2000, parts=30)
    assert Recipe.from_json({"epochs": 30, "min_steps": None}) == Recipe(epochs=30)
    assert Recipe.from_json({"epochs": 3, "micro_batches": 2}) == Recipe(epochs=3)
    with pytest.raises(ZooError, match=r"unknown setting of the recipe 'epoch': did you mean epochs\?"):
        Recipe.from_json({"epoch": 3})
