"""From what a user names, a preset or a family and some options, to a plan."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_type_hints

from zoo import presets
from zoo.activity.windows import ActivityData
from zoo.catalog import unknown_name
from zoo.data.examples import Data
from zoo.data.loading import load_data
from zoo.errors import ArgumentError, ZooError, refuse
from zoo.families import FAMILIES, find_family
from zoo.loading import Loaded, check_named
from zoo.models.model import Model
from zoo.provenance import already_seen
from zoo.recipe import Recipe, checked
from zoo.task import Source, Task, task_of
from zoo.training import Training


def plan(
    model: Model | str | Path, changes: Mapping[str, Any] | None = None,
    recipe: Recipe | Mapping[str, Any] | None = None,
) -> Training:  # fmt: skip
    """Makes a training of what a user names.

    Args:
        model: Name of a preset or a family; or a model, whose arguments are taken.
        changes: Arguments of the model's constructor and fields of the recipe that replace those of the preset or the
            family, by name. Epochs that are named are single passes, unless `min_steps` is named as well.
        recipe: Recipe to train with, or the fields that differ.

    Raises:
        ZooError: If a name is unknown, means nothing for the family, or has a value of another type.

    Example:
        >>> plan("activity_gru_course", {"units": 8, "epochs": 3}).arguments["units"]
        8
    """
    check_named(model)
    changes = dict(changes or {})
    if recipe is not None and not isinstance(recipe, Recipe):
        for each in recipe:
            if each not in Recipe.model_fields:
                raise unknown_name("field of a recipe", each, list(Recipe.model_fields))
        changes = {**recipe, **changes}
    if isinstance(model, Model):
        name, base = model.name, None
        family = next(name for name, row in FAMILIES.items() if row.class_name == type(model).__name__)
    else:
        name = str(model)
        base = None if name in FAMILIES else presets.find(name)
        family = name if base is None else base.family
    task, model_class = task_of(family), find_family(family).load()
    accepted = model_class.argument_names()
    if base is not None:
        arguments, known_recipe = base.arguments, base.recipe
    else:
        arguments = {key: value for key, value in task.arguments.items() if key in accepted}
        known_recipe = task.recipe.replace(patience=None) if changes.get("validation") == 0 else task.recipe
    if isinstance(model, Model):
        arguments = model.get_config()
        if built := [each for each in changes if each in accepted and each != "seed"]:
            raise ArgumentError(built[0], f": {name} is built already; leave it out")
    _check(changes, name, task, accepted, get_type_hints(model_class.__init__))
    # A name that both have means the model's, but the seed of a run is its recipe's.
    own = {key: value for key, value in changes.items() if key in accepted and key != "seed"}
    others = {key: value for key, value in changes.items() if key not in own}
    whole = recipe if isinstance(recipe, Recipe) else changed(known_recipe, others)
    task.check(whole.require_epochs())
    return Training(name, family, {**arguments, **own}, whole)


def _check(
    changes: Mapping[str, Any], name: str, task: Task, accepted: Sequence[str], types: Mapping[str, Any]
) -> None:  # fmt: skip
    known = list(dict.fromkeys([*accepted, *(each for each in Recipe.model_fields if each not in task.unused)]))
    for change, value in changes.items():
        if change not in known:
            if change in task.unused:
                raise ZooError(f"{change}: has no effect on {name}; leave it out")
            raise unknown_name(f"setting of {name}", change, known)
        if change in types:
            checked(change, types[change], value)


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


def read_data(
    task: Task, data: Source | None = None, *, data_dir: str | Path | None = None, levels: float | None = None
) -> Any:
    """Reads data for a task.

    Args:
        task: Task to read for.
        data: A path, `tfds:NAME`, or data that is already loaded. The task's usual file name by default.
        data_dir: Folder of the data sets of TensorFlow Datasets.
        levels: Value of white in a file of patches: 1 or 255.
    """
    check_levels(task, levels)
    if data is None and not Path(task.data_file).exists():
        raise ZooError(
            f"no data was given, and there is no {task.data_file}, the default, in {Path.cwd()}: pass data=FILE"
        )
    return task.read(load_data(task.data_file if data is None else data, data_dir=data_dir, levels=levels or 1.0))


def check_levels(task: Task, levels: float | None) -> None:
    """Refuses the value of white where there are no patches."""
    if task.name != "patches":
        refuse(f"does not apply to {task.name} models", levels=levels)


FINETUNE = Recipe(
    optimizer="adam", learning_rate=3e-3, schedule="cosine", clip_norm=1.0, ema_decay=0.999, batch_size=32, epochs=20,
    min_steps=1000, validation=0.2, start_share=0.25,
)  # fmt: skip
"""Default recipe of `finetune`."""

_START_PEOPLE = 2
"""Weights from which fine-tuning starts count as much as what it learned from so many people: docs/small-data.md."""


def familiar(loaded: Loaded, data: Any) -> str | None:
    """Why fine-tuning on data says nothing new: the model was trained on this file, or on all of its people.

    Args:
        loaded: What is to be fine-tuned.
        data: Data of its task.

    Returns:
        A sentence, or None if the model does not know the data.
    """
    known = "from which fine-tuning learns nothing new; did you mean data of your own?"
    if data.sha256 == loaded.metadata.data_sha256:
        return f"{data}: is the file that {loaded.name} was trained on, {known}"
    people = data.train.group_names()
    if people and already_seen(people, data.source, loaded.metadata) == people:
        return f"{data}: {loaded.name} was trained on all of its people, {known}"
    return None


def finetuning_recipe(loaded: Loaded, data: Data, changes: Mapping[str, Any] | None = None) -> Recipe:
    """The recipe that `finetune` follows by default.

    Args:
        loaded: What is fine-tuned.
        data: What it learns from: the more people, the less remains of the weights from which it starts.
        changes: Fields that differ, by name; `epochs` are single passes.
    """
    known = loaded.config.get("recipe", {})
    shared = {name: known[name] for name in ("augmentation", "label_smoothing") if name in known}
    people = len(data.train.people()) if isinstance(data, ActivityData) else 0
    start = {"start_share": _START_PEOPLE / (_START_PEOPLE + people)} if people else {}
    recipe = FINETUNE.replace(**shared | start | {"loss": loaded.task.recipe.loss})
    return changed(recipe, changes or {})
