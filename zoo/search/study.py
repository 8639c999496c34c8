"""Studies: everything that defines a search."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from zoo import crossval
from zoo.errors import ZooError, unknown_name
from zoo.families import FAMILIES
from zoo.files import claim_folder, read_json
from zoo.presets import PRESETS
from zoo.recipe import Count, Limits, checked
from zoo.search import spaces
from zoo.search.spaces import HyperParameters
from zoo.task import Split, Task, task_of
from zoo.training import Training

MARK = "study.json"
"""Name of the file that records the study in the folder of a search."""

STRATEGIES = ("random", "hyperband", "bayesian", "grid")
_ANY_CELL = "activity"
_AUGMENTATION = ("pace", "mirror", "half_turn", "spin", "tilt", "intensity", "carry", "sensor", "symmetries")


@dataclass(frozen=True)
class Study:
    """Definition of a search, whose fields are arguments of `zoo.tune`; names and numbers are checked."""

    target: str
    data: Path
    strategy: str = "bayesian"
    trials: Count = 50
    epochs: Count = 40
    space: str | None = None
    objective: str | None = None
    limits: Limits = field(default_factory=Limits)
    settings: Mapping[str, Any] = field(default_factory=dict)
    groups: Count = 1
    seed: int | None = None
    levels: float | None = None

    def __post_init__(self) -> None:
        for name in ("trials", "epochs", "groups"):
            checked(f"study: {name}", Count, getattr(self, name))
        if self.strategy not in STRATEGIES:
            raise unknown_name("strategy", self.strategy, list(STRATEGIES))
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
        known = {name: name for name in FAMILIES} | {_ANY_CELL: "activity_gru"}
        if self.target not in known:
            raise unknown_name("preset or family", self.target, [*PRESETS, *known])
        return known[self.target]

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
        spaces.find(self.task.name, self.space)(asked)
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
        arguments, recipe = spaces.find(self.task.name, self.space)(HyperParameters(hp, self.pinned, self._defaults))
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
        data = self.task.read(self.data, **({} if self.levels is None else {"levels": self.levels}))
        return self.task.match(data, self.target, self.outline.arguments)

    @cached_property
    def parts(self) -> list[Split]:
        """Divided data: one split, or one for each group that is held out."""
        self.checked.sha256  # noqa: B018  # read now, as trials name it
        if self.groups > 1:
            return crossval.prepare(self.data, self.groups)
        recipe = self.outline.recipe
        if not recipe.validation:
            raise ZooError("validation is 0: a search scores on it; set it, such as --set validation=0.2")
        split = self.task.split(self.checked, recipe)
        if self.task.name == "activity" and recipe.validation_by == "subject" and not self.checked.train.people():
            raise ZooError(
                f"{self.data}: no subject ids (trS), so no person can be held out for validation: add them, or "
                "--set validation_by=window, which overestimates"
            )
        return [split]

    @classmethod
    def reopen(cls, folder: Path, data: Path, trials: int) -> "Study":
        """Reads the study of a folder, for a number of trials."""
        known = read_json(folder / MARK)
        return cls(**known | {"data": data, "trials": trials, "limits": Limits(**known["limits"])})

    def open(self, folder: Path) -> None:
        """Claims a folder for this study, or checks that it is the folder of the same study."""
        if not self.data.is_file():
            raise ZooError(f"{self.data}: {'is a folder, not a file' if self.data.is_dir() else 'no such file'}")
        mark = folder / MARK
        if not mark.is_file():
            self.parts  # noqa: B018  # before the folder is claimed, so that invalid data leaves nothing
        # The same search can be extended to more trials.
        document = asdict(self) | {"limits": self.limits.to_json()}
        identity = {key: value for key, value in document.items() if key not in ("data", "trials")}
        identity |= {
            "space": self.space or next(iter(spaces.SPACES[self.task.name])), "objective": self.measure,
            "seed": self.first_seed, "data": self.checked.sha256,
        }  # fmt: skip
        claim_folder(mark, identity, "search")
