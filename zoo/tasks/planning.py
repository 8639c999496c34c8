"""From what a user names, a preset or a family and some options, to a plan."""

from dataclasses import replace
from typing import Any

from zoo import presets
from zoo.errors import ZooError
from zoo.tasks.activity import Plan
from zoo.training import Recipe

# What a family trains with when nobody says otherwise: enough for a few thousand windows of a dozen people.
_DEFAULT = Recipe(
    optimizer="adam", learning_rate=2e-3, clip_norm=1.0, batch_size=32, epochs=50, patience=8, validation=0.2,
    augmentation={"half_turn": 0.5, "tilt": 15.0, "scale": 0.1, "noise": 0.2},
)  # fmt: skip


def plan(preset: str | None, family: str | None, arguments: dict[str, Any], recipe: dict[str, Any]) -> Plan:
    """Makes a plan.

    Args:
        preset: Its name, or None.
        family: Its name, or None.
        arguments: Constructor arguments that replace those of the preset.
        recipe: Fields of the recipe that replace those of the preset.

    Raises:
        ZooError: Unless one of preset and family is named, or if a name is unknown.

    Example:
        >>> plan("activity_gru_course", None, {"units": 8}, {}).arguments["units"]
        8
    """
    if (preset is None) == (family is None):
        raise ZooError("name a preset (see `zoo list`) or a family with --model, one of the two")
    if preset is not None:
        row = presets.find(preset)
        return Plan(preset, row.family, row.arguments | arguments, replace(row.recipe, **recipe))
    assert family is not None
    if recipe.get("validation") == 0:
        recipe = {"patience": None} | recipe
    return Plan(family, family, arguments, replace(_DEFAULT, **recipe))
