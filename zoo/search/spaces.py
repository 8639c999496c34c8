"""Search spaces, and studies, which define a search.

A space is a function from hyperparameters to settings as `zoo train --set` takes them: arguments of the model and
fields of the recipe. Each hyperparameter has the name of the argument, the field of the recipe or the field of the
augmentation that it sets. So a search can start from a preset, and a fixed setting removes its name from the search.
Four names are exceptions: `cell`, the kind of recognizer (`cnn` for the convolutional family); `sgd_learning_rate` and
`adamw_decay`, the learning rate of `sgd`, which is larger than Adam's, and the weight decay of `adamw`; and `sensor`,
the strength of all disturbances by the sensor.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partialmethod
from pathlib import Path
from typing import Any

from zoo import crossval
from zoo.activity.data import test_windows
from zoo.data.dataset import Data
from zoo.errors import ZooError, option, setting, unknown_name
from zoo.families import OWN
from zoo.files import claim_folder
from zoo.models.function import Function
from zoo.presets import PRESETS
from zoo.recipe import Limits, Recipe
from zoo.task import Source, Split, task_of
from zoo.training import Training


class HyperParameters:
    """Hyperparameters with the interface of keras-tuner's, some of which are fixed or have another default.

    What is not fixed is decided by keras-tuner's, `drawn`, or without them by the defaults. `values` are those that a
    space has asked for; None where one does not apply.
    """

    def __init__(
        self, drawn: Any = None, fixed: Mapping[str, Any] | None = None, defaults: Mapping[str, Any] | None = None
    ) -> None:
        self.drawn, self.fixed, self.defaults = drawn, fixed or {}, defaults or {}
        self.values: dict[str, Any] = {}

    def Choice(self, name: str, values: list[Any], default: Any = None, **parent: Any) -> Any:  # noqa: D102, N802
        usual = self.defaults.get(name)
        default = usual if usual in values else values[0] if default is None else default
        found = self._ask("Choice", name, values=values, default=default, **parent)
        # Of True, keras-tuner makes 1.
        return next((value for value in values if value == found), found)

    def _number(self, kind: str, name: str, min_value: float, max_value: float, default: float, **options: Any) -> Any:
        usual = self.defaults.get(name)
        default = usual if usual is not None and min_value <= usual <= max_value else default
        return self._ask(kind, name, min_value=min_value, max_value=max_value, default=default, **options)

    Int, Float = partialmethod(_number, "Int"), partialmethod(_number, "Float")

    def _ask(
        self, kind: str, name: str, parent_name: str = "", parent_values: Sequence[Any] = (), **options: Any
    ) -> Any:
        applies = not parent_name or self.values[parent_name] in parent_values
        if name in self.fixed or (parent_name in self.fixed and not applies):
            value = self.fixed.get(name)
        elif self.drawn is None:
            value = options["default"] if applies else None
        else:
            # keras-tuner does not know a parent that is fixed.
            if parent_name and parent_name not in self.fixed:
                options |= {"parent_name": parent_name, "parent_values": parent_values}
            value = getattr(self.drawn, kind)(name, **options)
        self.values[name] = value
        return value


Space = Callable[[HyperParameters], dict[str, Any]]


def activity(hp: HyperParameters) -> dict[str, Any]:
    """Space of recognizers. The defaults are those of `activity_gru_pocket`."""
    cell = hp.Choice("cell", ["gru", "lstm", "rnn"])
    network: dict[str, Any] = {}
    if cell == "cnn":
        network = {
            "filters": hp.Int("filters", 16, 64, step=8, default=48),
            "kernel_size": hp.Choice("kernel_size", [3, 5, 7, 9, 11], default=9),
            "num_blocks": hp.Choice("num_blocks", [3, 4, 5], default=4),
        }
    elif cell != "network":
        network = {
            "frame": hp.Choice("frame", [2, 3, 5, 6, 10], default=5),
            "units": hp.Int("units", 16, 96, step=8, default=32),
            "num_layers": hp.Choice("num_layers", [1, 2], default=2),
            "frame_activation": hp.Choice("frame_activation", ["linear", "tanh", "leaky_relu"], default="leaky_relu"),
        }
    if cell != "network":
        network["magnitude"] = bool(hp.Choice("magnitude", [False, True], default=True))
        network["dropout"] = hp.Choice("dropout", [0.0, 0.1, 0.2, 0.3, 0.5])
    average = hp.Choice("ema_decay", [0.0, 0.99, 0.999], default=0.999)
    sensor = hp.Choice("sensor", [0.0, 0.5, 1.0, 1.5, 2.0], default=1.0)
    return {
        "cell": cell, **network,
        **_optimizer(hp, ["adam", "adamw", "sgd"], (1e-3, 3e-2, 1e-2), (1e-2, 0.3, 0.1), warmup=2),
        "clip_norm": 1.0, "ema_decay": average or None, "patience": None if average else 8, "validation": 0.2,
        "batch_size": hp.Choice("batch_size", [32, 64, 128], default=128),
        "label_smoothing": hp.Choice("label_smoothing", [0.0, 0.05, 0.1, 0.2], default=0.1),
        "augmentation": {
            "pace": hp.Choice("pace", [0.0, 0.1, 0.15, 0.2, 0.25, 0.3], default=0.25),
            "mirror": hp.Choice("mirror", [0.0, 0.5], default=0.5),
            "half_turn": hp.Choice("half_turn", [0.0, 0.25, 0.5, 0.75], default=0.5),
            "quarter_turn": hp.Choice("quarter_turn", [0.0, 0.1, 0.25], default=0.1),
            "spin": hp.Choice("spin", [0.0, 30.0, 60.0, 90.0, 180.0], default=180.0),
            "tilt": hp.Choice("tilt", [0.0, 10.0, 15.0, 20.0, 25.0, 30.0], default=25.0),
            "intensity": hp.Choice("intensity", [0.0, 0.25, 0.5, 0.75], default=0.5),
            "carry": 0.0 if cell in ("cnn", "network") else hp.Choice("carry", [0.0, 0.5], default=0.5),
            "smooth": 0.3 * sensor, "scale": 0.1 * sensor, "clip": 0.2 * sensor, "noise": 0.3 * sensor,
        },
    }  # fmt: skip


def autoencoder(hp: HyperParameters) -> dict[str, Any]:
    """Space of sparse autoencoders: width, sparsity, weight decay and recipe."""
    return {
        "hidden_units": hp.Choice("hidden_units", [16, 36, 64, 100, 144], default=64),
        "sparsity_target": hp.Float("sparsity_target", 0.02, 0.2, sampling="log", default=0.04),
        "sparsity_weight": hp.Float("sparsity_weight", 0.05, 5.0, sampling="log", default=1.0),
        **_optimizer(hp, ["adam", "sgd"], (1e-3, 5e-2, 2e-2), (1e-3, 0.1, 1e-2), warmup=1),
        "weight_decay": hp.Choice("weight_decay", [0.0, 1e-4, 5e-4, 1e-3], default=5e-4),
        "batch_size": hp.Choice("batch_size", [32, 64, 128, 256], default=256),
        "patience": 20, "validation": 0.25,
        "augmentation": {"symmetries": bool(hp.Choice("symmetries", [False, True]))},
    }  # fmt: skip


def course_autoencoder(hp: HyperParameters) -> dict[str, Any]:
    """The grid of the course, with nine combinations of hidden units and lambda."""
    return {
        "hidden_units": hp.Choice("hidden_units", [10, 64, 100]),
        "weight_decay": hp.Choice("weight_decay", [0.0, 1e-3, 5e-4]),
        "sparsity_target": 0.04, "sparsity_weight": 1.0, "optimizer": "sgd", "learning_rate": 0.01, "momentum": 0.85,
        "schedule": "constant", "batch_size": 32, "validation": 0.25,
    }  # fmt: skip


def trigram(hp: HyperParameters) -> dict[str, Any]:
    """Space of language models. The defaults are those of `trigram_lm_best`."""
    return {
        "embedding": hp.Choice("embedding", [8, 16, 32, 64, 96], default=64),
        "hidden_units": hp.Choice("hidden_units", [64, 128, 256, 512, 768], default=768),
        "num_layers": hp.Choice("num_layers", [1, 2], default=2),
        "activation": hp.Choice("activation", ["sigmoid", "tanh", "relu", "gelu"], default="gelu"),
        "dropout": hp.Choice("dropout", [0.0, 0.15, 0.3, 0.45, 0.6], default=0.45),
        "initializer": hp.Choice("initializer", ["keras", "wide"], default="wide"),
        **_optimizer(hp, ["adamw", "sgd"], (1e-3, 1e-2, 4e-3), (0.05, 0.5, 0.15), warmup=1),
        "batch_size": hp.Choice("batch_size", [128, 256, 512, 1024], default=512),
        "patience": 4, "merge_contexts": 4,
    }  # fmt: skip


def _optimizer(
    hp: HyperParameters, names: list[str], adam: tuple[float, float, float], sgd: tuple[float, float, float],
    warmup: int,
) -> dict[str, Any]:  # fmt: skip
    """The optimizer with its settings and schedule. Learning rates are minimum, maximum and default."""
    optimizer = hp.Choice("optimizer", names)

    def rate(name: str, span: tuple[float, float, float], *optimizers: str) -> Any:
        return hp.Float(
            name, *span[:2], sampling="log", default=span[2], parent_name="optimizer", parent_values=[*optimizers]
        )

    adams, sgds = rate("learning_rate", adam, "adam", "adamw"), rate("sgd_learning_rate", sgd, "sgd")
    momentum = hp.Choice("momentum", [0.5, 0.8, 0.9, 0.95], default=0.9, parent_name="optimizer", parent_values=["sgd"])
    decay = rate("adamw_decay", (1e-3, 0.3, 0.05), "adamw") if "adamw" in names else None
    schedule = hp.Choice("schedule", ["cosine", "constant"])
    return {
        "optimizer": optimizer, "learning_rate": sgds if optimizer == "sgd" else adams, "momentum": momentum or 0.0,
        "weight_decay": decay or 0.0, "schedule": schedule, "warmup_epochs": warmup if schedule == "cosine" else 0,
    }  # fmt: skip


SPACES: Mapping[str, Mapping[str, Space]] = {
    "activity": {"full": activity},
    "patches": {"full": autoencoder, "course": course_autoencoder},
    "text": {"full": trigram},
}
"""Spaces by task and name. The first one is the default."""


MARK = "study.json"
"""Name of the file that records the study in the folder of a search."""

_ALIASES = {"learning_rate": "sgd_learning_rate", "weight_decay": "adamw_decay"}
"""Names in a space of what a recipe calls otherwise, by optimizer."""
_SHARED = ("epochs", "steps", "seed", "split_seed", "validation", "validation_by")
_AUGMENTATION = (
    "pace", "mirror", "half_turn", "quarter_turn", "spin", "tilt", "intensity", "carry", "sensor", "symmetries",
)  # fmt: skip


@dataclass
class Study:
    """Definition of a search, whose fields are arguments of `zoo.tune`; names and what goes together are checked."""

    target: Any
    data: Source = None
    strategy: str = "bayesian"
    trials: int = 50
    epochs: int = 40
    space: str | None = None
    objective: str | None = None
    limits: Limits = field(default_factory=Limits)
    settings: Mapping[str, Any] = field(default_factory=dict)
    groups: int = 1
    seed: int | None = None
    choose: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.start: Any = "activity_gru" if self.target == "activity" else Function.of(self.target) or self.target
        if isinstance(self.start, Function):
            self.name, self.family = self.start.source, OWN
        else:
            self.name, self.family = self.target, PRESETS[self.start].family if self.start in PRESETS else self.start
        self.task = task_of(self.family)
        spaces, objectives = SPACES[self.task.name], self.task.objectives
        self.space_name, self.measure = self.space or next(iter(spaces)), self.objective or next(iter(objectives))
        if self.groups > 1 and self.task.name != "activity":
            raise ZooError(f"groups is {self.groups}: {self.name} has no people to hold out; leave groups out")
        for kind, name, names in (("objective", self.measure, objectives), ("space", self.space_name, spaces)):
            if name not in names:
                raise unknown_name(f"{kind} of {self.name}", name, list(names))
        self.maximize = objectives[self.measure] == "max"
        # Settings are checked by the plan that they change.
        self.outline  # noqa: B018

    @cached_property
    def first_seed(self) -> int:
        """Seed of the split, from which the seeds of trials count up."""
        return Training.of(self.start, self._unsearched).recipe.split_by_seed if self.seed is None else self.seed

    @cached_property
    def pinned(self) -> dict[str, Any]:
        """Hyperparameters that the target or the settings fix, by their names in the space."""
        pinned, settings = {}, dict(self.settings)
        if self.task.name == "activity" and self.target != "activity":
            pinned["cell"] = self.family.removeprefix("activity_")
        asked = HyperParameters(fixed=pinned)
        SPACES[self.task.name][self.space_name](asked)
        if empty := [name for name, values in self.choose.items() if not values]:
            raise ZooError(f"{option('choose')}: no value for {empty[0]}; expected one or more")
        if alike := [name for name in self.choose if name in _SHARED]:
            raise ZooError(f"{option('choose')}: {alike[0]} is the same for all trials of a search; leave it out")
        pinned |= {name: value for name, value in settings.items() if name in asked.values}
        return pinned | (dict.fromkeys(_AUGMENTATION, 0.0) if "augmentation" in settings else {})

    @property
    def _unsearched(self) -> dict[str, Any]:
        """Settings that are not hyperparameters in the space."""
        return {name: value for name, value in self.settings.items() if name not in self.pinned}

    @cached_property
    def _defaults(self) -> dict[str, Any]:
        """Values of the preset for the hyperparameters. Empty for a family."""
        if self.target not in PRESETS:
            return {}
        recipe = PRESETS[self.target].recipe
        return {
            **recipe.to_json(), **(recipe.augmentation or {}), **PRESETS[self.target].arguments,
            "cell": self.family.removeprefix("activity_"), "ema_decay": recipe.ema_decay or 0.0,
            "sgd_learning_rate": recipe.learning_rate, "adamw_decay": recipe.weight_decay,
        }  # fmt: skip

    def plan(self, hp: Any, seed: int, epochs: int | None = None) -> Training:
        """The plan of a trial with hyperparameters of keras-tuner, or the defaults. Its split is that of the study."""
        chosen, length, recipe = HyperParameters(hp), {"epochs": epochs or self.epochs}, self.task.recipe
        pinned, drawn = self.pinned, dict[str, Any]()
        for name, values in self.choose.items():
            # keras-tuner has choices of one type alone.
            texts = [json.dumps(value) for value in values] if len({*map(type, values)}) > 1 else [*values]
            drawn[name] = values[texts.index(chosen.Choice(name, texts))]
        stated = {**self.settings, **drawn}
        # Options of a function may have the names of fields of the recipe, which a space also sets.
        options = self.start.argument_types() if isinstance(self.start, Function) else ()
        own = {name: value for name, value in stated.items() if name in options}
        aliases = {alias: stated[name] for name, alias in _ALIASES.items() if name in stated and name not in own}
        fixed = {name: value for name, value in {**pinned, **drawn, **aliases}.items() if name not in own}
        asked = HyperParameters(hp, fixed, self._defaults)
        changes = SPACES[self.task.name][self.space_name](asked)
        changes |= {name: value for name, value in drawn.items() if name not in asked.values}
        cell = changes.pop("cell", None)
        changes |= {
            **({} if "steps" in self.settings else length), "seed": seed,
            "warmup_epochs": min(changes.get("warmup_epochs", 0), length["epochs"] - 1),
            "split_seed": self.first_seed,
            **{name: value for name, value in self._unsearched.items() if name not in own},
        }  # fmt: skip
        if options:
            recipe = recipe.replace(**{name: changes.pop(name) for name in Recipe.model_fields if name in changes})
        # Of a preset, the arguments of the model that are not searched stay, but not its recipe.
        training = Training.of(self.start, {**changes, **own}, recipe)
        return replace(training, family=f"activity_{cell}") if cell else training

    @cached_property
    def outline(self) -> Training:
        """Plan with the defaults, which shows what all trials share."""
        return self.plan(None, self.first_seed)

    @cached_property
    def checked(self) -> Any:
        """Checked data, which models with the fixed settings read."""
        data = self.task.load_data(self.task.data_file if self.data is None else self.data)
        return self.task.match(data, self.name, self.outline.arguments)

    @property
    def data_name(self) -> str:
        """The data in a report: the file without its folder, or `tfds:NAME`."""
        path = self.checked.path
        return str(self.checked) if path is None or path.is_dir() else path.name

    @cached_property
    def parts(self) -> list[Split]:
        """Divided data: one split, or one for each group that is held out."""
        self.checked.sha256  # noqa: B018  # read now, as trials name it
        if self.groups > 1:
            windows = self.checked.train.in_memory()
            groups = crossval.Protocol(self.groups).count(self.checked)
            masks = crossval.held_out(windows, crossval.SUBJECT, groups)
            return [Split(self.checked, windows.where(~mask), windows.where(mask)) for mask in masks]
        recipe = self.outline.recipe
        if not recipe.validation:
            raise ZooError(f"validation is 0: a search scores on it; set it, such as {setting('validation', 0.2)}")
        split = self.task.split(self.checked, recipe)
        if self.task.name == "activity" and recipe.validation_by == "subject" and not self.checked.train.people():
            raise ZooError(
                f"{self.checked}: no subject ids (trS), so no person can be held out for validation: add them, or "
                f"{setting('validation_by', 'window')}, which overestimates"
            )
        return [split]

    def open(self, folder: Path) -> None:
        """Claims a folder for this study, or checks that it is the folder of the same study."""
        mark = folder / MARK
        if not mark.is_file():
            # Before the folder is claimed, so that invalid data leaves nothing.
            self.parts  # noqa: B018
            if self.task.name == "activity":
                # The model that is chosen is measured on them.
                test_windows(self.checked)
        # The same search can be extended to more trials.
        identity = {
            "target": self.name, "data": self.checked.sha256, "strategy": self.strategy, "epochs": self.epochs,
            "space": self.space_name, "objective": self.measure, "limits": self.limits.to_json(),
            "settings": self.settings, "groups": self.groups, "seed": self.first_seed,
            "levels": self.checked.facts.get("levels"),
            **({"rows": self.checked.digest()} if isinstance(self.data, Data) else {}),
            **({"choose": self.choose} if self.choose else {}), **self.outline.written,
        }  # fmt: skip
        claim_folder(mark, identity, "search")
