"""From what a user names, a preset or a family and some options, to a plan."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_type_hints

from zoo import presets
from zoo.catalog import unknown_name
from zoo.errors import ZooError
from zoo.families import FAMILIES, find_family
from zoo.recipe import Recipe, checked
from zoo.task import task_of
from zoo.training import Training


def plan(preset: str | None, family: str | None, changes: dict[str, Any]) -> Training:
    """Makes a plan.

    Args:
        preset: Its name, or None.
        family: Its name, or None.
        changes: Arguments of the model's constructor and fields of the recipe that replace those of the preset or the
            family, by name. Epochs that are named are single passes, unless `min_steps` is named as well.

    Raises:
        ZooError: Unless one of preset and family is named, or if a name is unknown, means nothing for the family, or
            has a value of another type.

    Example:
        >>> plan("activity_gru_course", None, {"units": 8, "epochs": 3}).arguments["units"]
        8
    """
    if (preset is None) == (family is None):
        raise ZooError("pass either a preset (see `zoo list`) or a family with --model")
    if preset is not None:
        _require_preset(preset)
        family = presets.find(preset).family
    assert family is not None
    task, model = task_of(family), find_family(family).load()
    accepted = model.argument_names()
    if preset is not None:
        row = presets.find(preset)
        name, arguments, recipe = preset, row.arguments, row.recipe
    else:
        name, recipe = family, task.recipe
        arguments = {key: value for key, value in task.arguments.items() if key in accepted}
        if changes.get("validation") == 0:
            recipe = recipe.replace(patience=None)
    fields_used = [name for name in Recipe.model_fields if name not in task.unused]
    types = get_type_hints(model.__init__)
    known = list(dict.fromkeys([*accepted, *fields_used]))
    for change, value in changes.items():
        if change not in known:
            if change in task.unused:
                raise ZooError(f"{change}: has no effect on {name}; leave it out")
            raise unknown_name(f"setting of {name}", change, known)
        if change in types:
            checked(change, types[change], value)
    # A name that both have means the model's, but the seed of a run is its recipe's.
    own = {key: value for key, value in changes.items() if key in accepted and key != "seed"}
    others = {key: value for key, value in changes.items() if key not in own}
    recipe = changed(recipe, others).require_epochs()
    task.check(recipe)
    return Training(name, family, {**arguments, **own}, recipe)


def changed(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """Returns a recipe with other values of some fields.

    Args:
        recipe: The recipe, which stays as it is.
        changes: Values by the names of fields. Epochs are single passes, unless `min_steps` is named as well.

    Raises:
        ZooError: If a name is unknown, or a value is of another type or out of range.

    Example:
        >>> changed(Recipe(min_steps=100), {"epochs": 3}).min_steps is None
        True
    """
    known = list(Recipe.model_fields)
    for name in changes:
        if name not in known:
            raise unknown_name("field of a recipe", name, known)
    return recipe.replace(**({"min_steps": None} if "epochs" in changes else {}) | dict(changes))


def _require_preset(name: str) -> None:
    """Checks that a name is not that of a family or of a trained model, from which no recipe is taken.

    Raises:
        ZooError: If it is. The message names the option or the command that takes it.
    """
    if name in FAMILIES:
        raise ZooError(f"{name}: is a family, not a preset: pass it as --model {name}")
    if name not in presets.PRESETS and Path(name).exists():
        raise ZooError(
            f"{name}: is a file or folder; expected a preset (see `zoo list`), or a family with --model; to start from "
            f"the weights of a model, use `zoo finetune {name}`"
        )


def settings(words: Sequence[str]) -> dict[str, Any]:
    """Settings from NAME=VALUE: `none`, or JSON, or else text.

    Raises:
        ZooError: If a word has no `=`.

    Example:
        >>> settings(["hidden_units=100", "optimizer=adam", "patience=none"])
        {'hidden_units': 100, 'optimizer': 'adam', 'patience': None}
    """
    found: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise ZooError(f"--set {word}: expected NAME=VALUE, such as hidden_units=100")
        try:
            found[name.replace("-", "_")] = None if value.lower() == "none" else json.loads(value)
        except json.JSONDecodeError:
            found[name.replace("-", "_")] = value
    return found
