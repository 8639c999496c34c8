"""Search spaces: functions from hyperparameters to constructor arguments and a recipe.

Each hyperparameter has the name of the argument, the field of the recipe or the field of the augmentation that it
sets. So a search can start from a preset, and a fixed setting removes its name from the search. Three names are
exceptions: `cell`, the kind of recognizer (`cnn` for the convolutional family); `sgd_learning_rate`, the learning rate
of `sgd`, which is larger than Adam's; and `sensor`, the strength of all disturbances by the sensor.
"""

from collections.abc import Callable, Mapping
from typing import Any

from zoo.errors import ZooError, unknown_name
from zoo.recipe import Recipe


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
