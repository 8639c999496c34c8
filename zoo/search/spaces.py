"""Search spaces, and studies, which define a search.

A space is a function from hyperparameters to constructor arguments and a recipe.
Each hyperparameter has the name of the argument, the field of the recipe or the field of the augmentation that it
sets. So a search can start from a preset, and a fixed setting removes its name from the search. Three names are
exceptions: `cell`, the kind of recognizer (`cnn` for the convolutional family); `sgd_learning_rate`, the learning rate
of `sgd`, which is larger than Adam's; and `sensor`, the strength of all disturbances by the sensor.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from zoo import crossval
from zoo.activity.data import test_windows
from zoo.errors import ZooError, setting, unknown_name
from zoo.families import FAMILIES
from zoo.files import claim_folder, read_record
from zoo.presets import PRESETS
from zoo.recipe import Limits, Recipe
from zoo.task import Split, Task, task_of
from zoo.training import Training


class HyperParameters:
    """Hyperparameters with the interface of keras-tuner's, some of which are fixed or have another default.

    What is not fixed is decided by keras-tuner's, `drawn`, or without them by the defaults. `values` are those that a
    space has asked for; None where one does not apply.

    Example:
        >>> trigram(HyperParameters(fixed={"num_layers": 1}))[0]["num_layers"]
        1
    """

    def __init__(
        self, drawn: Any = None, fixed: Mapping[str, Any] | None = None, defaults: Mapping[str, Any] | None = None
    ) -> None:
        self.drawn, self.fixed, self.defaults = drawn, fixed or {}, defaults or {}
        self.values: dict[str, Any] = {}

    def Choice(self, name: str, values: list[Any], **options: Any) -> Any:  # noqa: D102, N802
        default = self.defaults.get(name)
        return self._ask("Choice", name, values, **options | ({"default": default} if default in values else {}))

    def Int(self, name: str, min_value: int, max_value: int, **options: Any) -> Any:  # noqa: D102, N802
        return self._number("Int", name, min_value, max_value, **options)

    def Float(self, name: str, min_value: float, max_value: float, **options: Any) -> Any:  # noqa: D102, N802
        return self._number("Float", name, min_value, max_value, **options)

    def _number(self, kind: str, name: str, least: float, most: float, **options: Any) -> Any:
        default = self.defaults.get(name)
        inside = default is not None and least <= default <= most
        return self._ask(kind, name, least, most, **options | ({"default": default} if inside else {}))

    def _ask(self, kind: str, name: str, *bounds: Any, **options: Any) -> Any:
        parent = options.get("parent_name", "")
        applies = not parent or self.values[parent] in options["parent_values"]
        if parent in self.fixed:
            options = {key: value for key, value in options.items() if not key.startswith("parent")}
        if name in self.fixed or (parent in self.fixed and not applies):
            value = self.fixed.get(name)
        elif self.drawn is not None:
            value = getattr(self.drawn, kind)(name, *bounds, **options)
        else:
            value = options.get("default", bounds[0][0] if kind == "Choice" else bounds[0]) if applies else None
        self.values[name] = value
        return value


Space = Callable[[HyperParameters], tuple[dict[str, Any], Recipe]]

_SGD = {"parent_name": "optimizer", "parent_values": ["sgd"]}
_ADAMW = {"parent_name": "optimizer", "parent_values": ["adamw"]}
_ADAMS = {"parent_name": "optimizer", "parent_values": ["adam", "adamw"]}


def activity(hp: HyperParameters) -> tuple[dict[str, Any], Recipe]:
    """Space of recognizers. The defaults are those of `activity_gru_pocket`."""
    cell = hp.Choice("cell", ["gru", "lstm", "rnn"])
    arguments = {
        "cell": cell,
        "magnitude": bool(hp.Choice("magnitude", [False, True], default=True)),
        "dropout": hp.Choice("dropout", [0.0, 0.1, 0.2, 0.3, 0.5]),
    }
    if cell == "cnn":
        arguments |= {
            "filters": hp.Int("filters", 16, 64, step=8, default=48),
            "kernel_size": hp.Choice("kernel_size", [3, 5, 7, 9, 11], default=9),
            "num_blocks": hp.Choice("num_blocks", [3, 4, 5], default=4),
        }
    else:
        arguments |= {
            "frame": hp.Choice("frame", [2, 3, 5, 6, 10], default=5),
            "units": hp.Int("units", 16, 96, step=8, default=32),
            "num_layers": hp.Choice("num_layers", [1, 2], default=2),
            "frame_activation": hp.Choice("frame_activation", ["linear", "tanh", "leaky_relu"], default="leaky_relu"),
        }
    average = hp.Choice("ema_decay", [0.0, 0.99, 0.999], default=0.999)
    sensor = hp.Choice("sensor", [0.0, 0.5, 1.0, 1.5, 2.0], default=1.0)
    recipe = Recipe(
        **_optimizer(hp, ["adam", "adamw", "sgd"], (1e-3, 3e-2, 1e-2), (1e-2, 0.3, 0.1)),
        **_schedule(hp, warmup=2),
        clip_norm=1.0,
        ema_decay=average or None,
        patience=None if average else 8,
        batch_size=hp.Choice("batch_size", [32, 64, 128], default=128),
        label_smoothing=hp.Choice("label_smoothing", [0.0, 0.05, 0.1, 0.2], default=0.1),
        validation=0.2,
        augmentation={
            "pace": hp.Choice("pace", [0.0, 0.1, 0.15, 0.2, 0.25, 0.3], default=0.25),
            "mirror": hp.Choice("mirror", [0.0, 0.5], default=0.5),
            "half_turn": hp.Choice("half_turn", [0.0, 0.25, 0.5, 0.75], default=0.5),
            "quarter_turn": hp.Choice("quarter_turn", [0.0, 0.1, 0.25], default=0.1),
            "spin": hp.Choice("spin", [0.0, 30.0, 60.0, 90.0, 180.0], default=180.0),
            "tilt": hp.Choice("tilt", [0.0, 10.0, 15.0, 20.0, 25.0, 30.0], default=25.0),
            "intensity": hp.Choice("intensity", [0.0, 0.25, 0.5, 0.75], default=0.5),
            "carry": 0.0 if cell == "cnn" else hp.Choice("carry", [0.0, 0.5], default=0.5),
            "smooth": 0.3 * sensor, "scale": 0.1 * sensor, "clip": 0.2 * sensor, "noise": 0.3 * sensor,
        },
    )  # fmt: skip
    return arguments, recipe


def autoencoder(hp: HyperParameters) -> tuple[dict[str, Any], Recipe]:
    """Space of sparse autoencoders: width, sparsity, weight decay and recipe."""
    arguments = {
        "hidden_units": hp.Choice("hidden_units", [16, 36, 64, 100, 144], default=64),
        "sparsity_target": hp.Float("sparsity_target", 0.02, 0.2, sampling="log", default=0.04),
        "sparsity_weight": hp.Float("sparsity_weight", 0.05, 5.0, sampling="log", default=1.0),
        "weight_decay": hp.Choice("weight_decay", [0.0, 1e-4, 5e-4, 1e-3], default=5e-4),
    }
    recipe = Recipe(
        **_optimizer(hp, ["adam", "sgd"], (1e-3, 5e-2, 2e-2), (1e-3, 0.1, 1e-2)),
        **_schedule(hp, warmup=1),
        batch_size=hp.Choice("batch_size", [32, 64, 128, 256], default=256),
        patience=20, validation=0.25, loss="half_squared_error",
        augmentation={"symmetries": bool(hp.Choice("symmetries", [False, True]))},
    )  # fmt: skip
    return arguments, recipe


def course_autoencoder(hp: HyperParameters) -> tuple[dict[str, Any], Recipe]:
    """The grid of the course, with nine combinations of hidden units and lambda."""
    arguments = {
        "hidden_units": hp.Choice("hidden_units", [10, 64, 100]),
        "weight_decay": hp.Choice("weight_decay", [0.0, 1e-3, 5e-4]),
        "sparsity_target": 0.04, "sparsity_weight": 1.0,
    }  # fmt: skip
    recipe = Recipe(
        optimizer="sgd", learning_rate=0.01, momentum=0.85, batch_size=32, validation=0.25, loss="half_squared_error"
    )
    return arguments, recipe


def trigram(hp: HyperParameters) -> tuple[dict[str, Any], Recipe]:
    """Space of language models. The defaults are those of `trigram_lm_best`."""
    arguments = {
        "embedding": hp.Choice("embedding", [8, 16, 32, 64, 96], default=64),
        "hidden_units": hp.Choice("hidden_units", [64, 128, 256, 512, 768], default=768),
        "num_layers": hp.Choice("num_layers", [1, 2], default=2),
        "activation": hp.Choice("activation", ["sigmoid", "tanh", "relu", "gelu"], default="gelu"),
        "dropout": hp.Choice("dropout", [0.0, 0.15, 0.3, 0.45, 0.6], default=0.45),
        "initializer": hp.Choice("initializer", ["keras", "wide"], default="wide"),
    }
    recipe = Recipe(
        **_optimizer(hp, ["adamw", "sgd"], (1e-3, 1e-2, 4e-3), (0.05, 0.5, 0.15)),
        **_schedule(hp, warmup=1),
        batch_size=hp.Choice("batch_size", [128, 256, 512, 1024], default=512),
        patience=4, merge_contexts=4,
    )  # fmt: skip
    return arguments, recipe


def _optimizer(
    hp: HyperParameters, names: list[str], adam: tuple[float, float, float], sgd: tuple[float, float, float]
) -> dict[str, Any]:
    """The optimizer and its settings. Learning rates are minimum, maximum and default."""
    optimizer = hp.Choice("optimizer", names)
    low, high, first = adam
    rate = hp.Float("learning_rate", low, high, sampling="log", default=first, **_ADAMS)
    low, high, first = sgd
    sgd_rate = hp.Float("sgd_learning_rate", low, high, sampling="log", default=first, **_SGD)
    momentum = hp.Choice("momentum", [0.5, 0.8, 0.9, 0.95], default=0.9, **_SGD)
    decay = hp.Float("adamw_decay", 1e-3, 0.3, sampling="log", default=0.05, **_ADAMW) if "adamw" in names else None
    return {
        "optimizer": optimizer, "learning_rate": sgd_rate if optimizer == "sgd" else rate, "momentum": momentum or 0.0,
        "weight_decay": decay or 0.0,
    }  # fmt: skip


def _schedule(hp: HyperParameters, warmup: int) -> dict[str, Any]:
    schedule = hp.Choice("schedule", ["cosine", "constant"])
    return {"schedule": schedule, "warmup_epochs": warmup if schedule == "cosine" else 0}


SPACES: Mapping[str, Mapping[str, Space]] = {
    "activity": {"full": activity},
    "patches": {"full": autoencoder, "course": course_autoencoder},
    "text": {"full": trigram},
}
"""Spaces by task and name. The first one is the default."""


def find(kind: str, name: str | None) -> Space:
    """A space of a task, by default its first."""
    if kind not in SPACES:
        raise ZooError(f"task {kind!r}: has no space to search; expected {', '.join(SPACES)}")
    spaces = SPACES[kind]
    name = name or next(iter(spaces))
    if name not in spaces:
        raise unknown_name(f"space of {kind}", name, list(spaces))
    return spaces[name]


MARK = "study.json"
"""Name of the file that records the study in the folder of a search."""

_AUGMENTATION = (
    "pace", "mirror", "half_turn", "quarter_turn", "spin", "tilt", "intensity", "carry", "sensor", "symmetries",
)  # fmt: skip


@dataclass(frozen=True)
class Study:
    """Definition of a search, whose fields are arguments of `zoo.tune`; names and what goes together are checked."""

    target: str
    data: Path
    strategy: str = "bayesian"
    trials: int = 50
    epochs: int = 40
    space: str | None = None
    objective: str | None = None
    limits: Limits = field(default_factory=Limits)
    settings: Mapping[str, Any] = field(default_factory=dict)
    groups: int = 1
    seed: int | None = None
    levels: float | None = None

    def __post_init__(self) -> None:
        if self.groups > 1 and self.task.name != "activity":
            raise ZooError(f"groups is {self.groups}: {self.target} has no people to hold out; leave groups out")
        for name, value in self.settings.items():
            if isinstance(value, float) and not math.isfinite(value):
                raise ZooError(f"settings: {name} is {value}; expected a number")
        self.outline, self.maximize  # noqa: B018  # names are checked where they are looked up

    @cached_property
    def base(self) -> Training:
        """The plan from which the search starts."""
        return Training.of(self.target if self.target in PRESETS else self._family, self._unsearched)

    @cached_property
    def task(self) -> Task:
        """The task of the family."""
        return task_of(self._family)

    @property
    def _family(self) -> str:
        if self.target in PRESETS:
            return PRESETS[self.target].family
        # A search over the kind of cell begins with this one.
        return "activity_gru" if self.target == "activity" else self.target

    @cached_property
    def measure(self) -> str:
        """The name of the objective."""
        known = self.task.objectives
        name = self.objective or next(iter(known))
        if name not in known:
            raise unknown_name(f"objective of {self.target}", name, list(known))
        return name

    @property
    def maximize(self) -> bool:
        """Whether a greater score is better."""
        return self.task.objectives[self.measure] == "max"

    @property
    def first_seed(self) -> int:
        """Seed of the split, from which the seeds of trials count up."""
        return self.base.recipe.split_by_seed if self.seed is None else self.seed

    @property
    def _cell(self) -> dict[str, str]:
        """The cell, where the target leaves no choice. The recurrent ones have hyperparameters in common."""
        fixed = (self.target in FAMILIES and self.task.name == "activity") or self._family == "activity_cnn"
        return {"cell": self._family.removeprefix("activity_")} if fixed else {}

    @cached_property
    def _searched(self) -> set[str]:
        """Names of the hyperparameters in the space."""
        asked = HyperParameters(fixed=self._cell)
        find(self.task.name, self.space)(asked)
        return set(asked.values)

    @property
    def _unsearched(self) -> dict[str, Any]:
        """Settings that are not hyperparameters in the space."""
        return {name: value for name, value in self.settings.items() if name not in self._searched}

    @cached_property
    def pinned(self) -> dict[str, Any]:
        """Hyperparameters with fixed values, which are not searched."""
        fixed = self._cell | {name: value for name, value in self.settings.items() if name in self._searched}
        if "learning_rate" in fixed:
            fixed["sgd_learning_rate"] = fixed["learning_rate"]
        if "weight_decay" in self._unsearched:
            fixed["adamw_decay"] = self.settings["weight_decay"]
        if "augmentation" in self.settings:
            fixed |= dict.fromkeys(_AUGMENTATION, 0.0)
        return fixed

    @cached_property
    def _defaults(self) -> dict[str, Any]:
        """Values of the preset for the hyperparameters. Empty for a family."""
        if self.target not in PRESETS:
            return {}
        recipe = self.base.recipe
        known = {**recipe.to_json(), **(recipe.augmentation or {}), **self.base.arguments}
        return known | {
            "cell": self.base.family.removeprefix("activity_"), "ema_decay": recipe.ema_decay or 0.0,
            "sgd_learning_rate": recipe.learning_rate, "adamw_decay": recipe.weight_decay,
        }  # fmt: skip

    def plan(self, hp: Any, seed: int, epochs: int | None = None) -> Training:
        """The plan of a trial with hyperparameters of keras-tuner, None for the defaults.

        The seed is that of weights, order, augmentation and dropout. The split has the seed of the study.
        """
        arguments, recipe = find(self.task.name, self.space)(HyperParameters(hp, self.pinned, self._defaults))
        cell = arguments.pop("cell", None)
        base, epochs = self.base, epochs or self.epochs
        own = {name: value for name, value in self._unsearched.items() if name in base.arguments}
        others = {name: value for name, value in self._unsearched.items() if name not in own}
        changes = {
            "epochs": epochs, "warmup_epochs": min(recipe.warmup_epochs, epochs - 1), "seed": seed,
            "split_seed": self.first_seed, **others,
        }  # fmt: skip
        family = f"activity_{cell}" if cell else base.family
        return Training(base.name, family, {**base.arguments, **arguments, **own}, recipe.replace(**changes))

    @cached_property
    def outline(self) -> Training:
        """Plan with the defaults, which shows what all trials share."""
        return self.plan(None, self.first_seed)

    @cached_property
    def checked(self) -> Any:
        """Checked data, which models with the fixed settings read."""
        data = self.task.load_data(self.data, **({} if self.levels is None else {"levels": self.levels}))
        return self.task.match(data, self.target, self.outline.arguments)

    @property
    def data_name(self) -> str:
        """The data in a report: the file without its folder, or `tfds:NAME`."""
        return str(self.checked) if self.data.is_dir() else self.data.name

    @cached_property
    def parts(self) -> list[Split]:
        """Divided data: one split, or one for each group that is held out."""
        self.checked.sha256  # noqa: B018  # read now, as trials name it
        if self.groups > 1:
            return crossval.prepare(self.data, self.groups)
        recipe = self.outline.recipe
        if not recipe.validation:
            raise ZooError(f"validation is 0: a search scores on it; set it, such as {setting('validation', 0.2)}")
        split = self.task.split(self.checked, recipe)
        if self.task.name == "activity" and recipe.validation_by == "subject" and not self.checked.train.people():
            raise ZooError(
                f"{self.data}: no subject ids (trS), so no person can be held out for validation: add them, or "
                f"{setting('validation_by', 'window')}, which overestimates"
            )
        return [split]

    @classmethod
    def reopen(cls, folder: Path, data: Path, trials: int) -> "Study":
        """Reads the study of a folder, for a number of trials."""
        known = read_record(folder / MARK, "limits")
        return cls(**known | {"data": data, "trials": trials, "limits": Limits(**known["limits"])})

    def open(self, folder: Path) -> None:
        """Claims a folder for this study, or checks that it is the folder of the same study."""
        if not self.data.is_file() and not (self.data / "dataset_info.json").is_file():
            raise ZooError(f"{self.data}: {'is a folder, not a file' if self.data.is_dir() else 'no such file'}")
        mark = folder / MARK
        if not mark.is_file():
            # Before the folder is claimed, so that invalid data leaves nothing.
            self.parts  # noqa: B018
            if self.task.name == "activity":
                # The model that is chosen is measured on them.
                test_windows(self.checked)
        # The same search can be extended to more trials.
        document = asdict(self) | {"limits": self.limits.to_json()}
        identity = {key: value for key, value in document.items() if key not in ("data", "trials")}
        identity |= {
            "space": self.space or next(iter(SPACES[self.task.name])), "objective": self.measure,
            "seed": self.first_seed, "data": self.checked.sha256,
        }  # fmt: skip
        claim_folder(mark, identity, "search")
