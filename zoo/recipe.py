"""Recipes: everything that decides a training run, apart from model and data.

`Settings` is the base of all settings that are checked when they are made, before anything is read or trained.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

import pydantic
from annotated_types import Ge, Gt, Le, Lt
from pydantic import ConfigDict, TypeAdapter, ValidationError, model_validator

from zoo.catalog import find_folder, read_config
from zoo.errors import ArgumentError, ZooError, unknown_name

Count = Annotated[int, Ge(1)]
Positive = Annotated[float, Gt(0)]
Share = Annotated[float, Ge(0), Le(1)]
Fraction = Annotated[float, Ge(0), Lt(1)]
Amount = Annotated[float, Ge(0)]
Seed = Annotated[int, Ge(0), Lt(2**32)]

# Fields of older recipes, which decided nothing but how fast a training was.
_FORMER = ("micro_batches", "loss")

# Passes over the data, or parts of a run of steps, where a recipe states none.
_EPOCHS = 50

_STRICT = ConfigDict(strict=True, allow_inf_nan=False)

_EXPECTED = {
    "int_type": "a whole number", "float_type": "a number", "finite_number": "a number", "bool_type": "true or false",
    "string_type": "text", "list_type": "a list", "is_instance_of": "a list", "literal_error": "{expected}",
    "dict_type": 'names and values such as {{"tilt": 15}}', "greater_than": "above {gt}", "less_than": "below {lt}",
    "greater_than_equal": "{ge} or more", "less_than_equal": "at most {le}",
}  # fmt: skip


class Settings(pydantic.BaseModel):
    """Base class of frozen settings, whose annotations declare which values are valid."""

    model_config = _STRICT | ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    label: ClassVar[str] = "settings"
    """Name of the settings in messages."""

    @model_validator(mode="wrap")
    @classmethod
    def _in_one_line(cls, values: Any, handler: Callable[[Any], Self]) -> Self:
        if isinstance(values, dict):
            values = {name: python_number(value) for name, value in values.items()}
        try:
            return handler(values)
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0])
            if first["type"] == "extra_forbidden":
                raise unknown_name(f"setting of the {cls.label}", name, list(cls.model_fields)) from None
            raise _problem(name, error, cls.model_fields[name].annotation, cls.label) from None

    def to_json(self) -> dict[str, Any]:
        """Returns the settings as JSON types."""
        return self.model_dump()

    @classmethod
    def meanings(cls) -> dict[str, str]:
        """Returns what each field means, in one sentence."""
        return {name: re.split(r"(?<=\.)\s", row.description or "", maxsplit=1)[0]
                for name, row in cls.model_fields.items()}  # fmt: skip

    def replace(self, **changes: Any) -> Self:
        """Returns the same settings with other values of some fields."""
        return type(self)(**{name: getattr(self, name) for name in type(self).model_fields} | changes)


def checked(label: str, hint: Any, value: Any) -> Any:
    """A value that fits an annotated type, such as `float | None`; others are refused by the name in the label."""
    try:
        return TypeAdapter(hint, config=_STRICT).validate_python(python_number(value))
    except ValidationError as error:
        raise _problem(label, error) from None


def _problem(name: str, error: ValidationError, hint: Any = None, group: str = "") -> ArgumentError:
    """Turns an error of pydantic into one line, of its first problem."""
    first = error.errors()[0]
    if first["type"] == "missing":
        return ArgumentError(name, " is missing", group=group)
    expected = expectation(first) + (" or none" if type(None) in get_args(hint) else "")
    return ArgumentError(name, value=first["input"], expected=expected, group=group)


def expectation(problem: Mapping[str, Any]) -> str:
    """What pydantic expected, in words, by one of its `errors()`."""
    context = {key: f"{limit:.10g}" if isinstance(limit, int | float) else str(limit).replace("'", "")
               for key, limit in problem.get("ctx", {}).items()}  # fmt: skip
    words: str = _EXPECTED.get(problem["type"], problem["msg"].lower())
    return words.format(**context)


def python_number(value: Any) -> Any:
    """The Python number that a scalar of NumPy is."""
    return value.item() if getattr(value, "shape", None) == () and hasattr(value, "item") else value


class Recipe(Settings):
    """Everything that decides a training run, apart from model and data.

    Raises:
        ZooError: If a value is of another type or outside its range.

    Example:
        >>> Recipe(optimizer="adam", learning_rate=1e-2, schedule="cosine", warmup_epochs=2).batch_size
        32
        >>> Recipe(batch_size=0)
        Traceback (most recent call last):
        ...
        zoo.errors.ArgumentError: recipe: batch_size is 0; expected 1 or more
    """

    label = "recipe"

    optimizer: Literal["sgd", "adam", "adamw"] = "adam"
    """Optimizer: `sgd`, `adam` or `adamw`."""
    learning_rate: Positive = 2e-3
    """Learning rate, for gradients averaged over the batch."""
    schedule: Literal["constant", "cosine"] = "constant"
    """Learning rate over time: `constant`, or `cosine`, which rises linearly for `warmup_epochs`, then falls to 0 at
    the last step."""
    warmup_epochs: Annotated[int, Ge(0)] = 0
    """Epochs of rising rate, 0 or more; at most half of the run."""
    momentum: Fraction = 0.0
    """Momentum of `sgd`, in [0, 1)."""
    weight_decay: Amount = 0.0
    """Weight decay of `adamw`, on all weights but biases."""
    clip_value: Positive | None = None
    """Each entry of the averaged gradient is clipped to [-clip_value, clip_value]."""
    clip_norm: Positive | None = None
    """The gradients are scaled so that their common norm is at most this."""
    ema_decay: Annotated[float, Gt(0), Lt(1)] | None = None
    """Decay of the exponential moving average of the weights, which is validated and saved in their place; smaller in
    the first steps, so that short runs gain as well. None for no average."""
    start_share: Fraction = 0.0
    """Share of the initial weights in the average that is validated and saved, in [0, 1): fine-tuning keeps some of
    what was learned from others."""
    batch_size: Count = 32
    """Rows per step, at most the number of training rows. The incomplete last batch of an epoch is dropped."""
    epochs: Annotated[int, Ge(0)] | None = None
    """Passes over the data, at most: 50 where `steps` are not stated. 0, for fine-tuning alone, fits the last layer and
    trains no further."""
    steps: Count | None = None
    """Steps of a run, in place of `epochs`: about so many where data is little. What a run counts in epochs, such as
    its schedule, patience and history, are then its `parts`; each is as many whole passes over the data as the steps
    take, at least one."""
    parts: Count | None = None
    """Parts of a run of `steps`, at most; 50 by default."""
    patience: Count | None = None
    """Epochs without a lower validation loss after which training stops. The best weights are then restored; None
    trains all epochs and keeps the last weights."""
    validation: Fraction = 0.1
    """Share of the people (or photographs; or rows, where neither is known) held out for validation; 0 for none. A
    text's file holds its own validation set."""
    validation_by: Literal["subject", "time", "window"] = "subject"
    """What validation holds out. `subject`: whole people, where they are known. With three people or fewer, the model
    is trained on all of them; the scores are then those of additional training runs, each of which leaves one person
    out (with a single person, the last windows of each activity). They do not choose the number of epochs, see
    benchmarks/few_people.py. If `patience` is set, the split for so few people is that of `time`. `time`: the last
    windows of each activity of each person. `window`: windows drawn at random, as the course does. The loss of the
    latter two says little about new people."""
    label_smoothing: Fraction = 0.0
    """Share of the target that is spread over all classes, in [0, 1)."""
    class_weights: Literal["balanced", "root"] | None = None
    """`balanced` weights rare classes more in the loss, so that all classes count the same; `root` makes them count as
    the root of their number of windows. If there are several studies: with `balanced`, the studies that have a class
    share the weight of that class; with `root`, each class of each study has its own weight. None weights all examples
    equally."""
    rejection_rate: Fraction = 0.05
    """Share of the validation windows for which a recognizer answers "not sure": the threshold is this quantile of
    their highest probabilities, at most 0.8. 0 for no threshold."""
    normalize: bool = True
    """Whether the model gets the statistics of the training rows."""
    augmentation: dict[str, Any] | None = None
    """Arguments of the family's augmentation; None for none."""
    merge_contexts: Count | None = None
    """For text: equal contexts are merged into rows whose targets are the distribution of the next words: one row for
    up to this many occurrences of a context. The cost is the same, with fewer rows. None leaves rows as they are."""
    seed: Seed = 0
    """Seed of weights, split, order, augmentation and dropout."""
    split_seed: Seed | None = None
    """Seed of the split alone, so that several seeds are compared on the same validation rows. None for `seed`."""

    @model_validator(mode="before")
    @classmethod
    def _epochs_or_steps(cls, values: Any) -> Any:
        epochs, steps = values.get("epochs"), values.get("steps")
        if steps is None:
            return values if epochs is not None else {**values, "epochs": _EPOCHS}
        if epochs is not None:
            raise ZooError(f"recipe: epochs is {epochs} and steps is {steps}; state one of them")
        return values if values.get("parts") is not None else {**values, "parts": _EPOCHS}

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.steps is None and self.parts is not None:
            raise ZooError(f"recipe: parts is {self.parts}, of a run of steps; state steps too, or leave it out")
        if self.patience is not None and self.validation == 0:
            raise ZooError("recipe: patience needs validation data; set validation above 0 or patience to none")
        return self

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Creates a recipe from the result of `to_json`, also from that of an older version."""
        known = {name: value for name, value in document.items() if name not in _FORMER}
        least = known.pop("min_steps", None)
        if least and known.get("epochs", _EPOCHS):
            known |= {"steps": least, "parts": known.pop("epochs", _EPOCHS)}
        return cls(**known)

    @classmethod
    def from_preset(cls, name: str) -> "Recipe":
        """The recipe of a published preset, or of a folder that `zoo train` wrote.

        Example:
            >>> Recipe.from_preset("activity_gru_pocket").schedule
            'cosine'
        """
        folder = find_folder(name)
        known = read_config(folder)
        if "recipe" not in known:
            raise ZooError(f"{folder}: states no recipe; expected a preset, or a folder that `zoo train` wrote")
        return cls.from_json(known["recipe"])

    def replace(self, **changes: Any) -> Self:
        """The recipe with other values of some fields; `epochs` replace `steps`, and `steps` replace `epochs`.

        Example:
            >>> Recipe(steps=100).replace(epochs=3).steps is None
            True
        """
        if changes.get("epochs") is not None:
            changes = {"steps": None, "parts": None} | changes
        elif changes.get("steps") is not None:
            changes = {"epochs": None} | changes
        return super().replace(**changes)

    def require_epochs(self) -> "Recipe":
        """The recipe itself, unless it has no epochs, which suits fine-tuning alone."""
        if self.epochs == 0:
            raise ArgumentError("epochs", value=0, expected="1 or more", group="recipe")
        return self

    @property
    def length(self) -> int:
        """The epochs of Keras: passes over the data, or the parts of a run of steps."""
        return self.epochs if self.parts is None else self.parts  # type: ignore[return-value]  # one is stated

    def passes(self, rows: int) -> int:
        """Passes over training rows that make an epoch of Keras.

        `steps` counts those of the whole run. Its parts are whole passes, so that each sees every row equally often and
        their losses compare; that is why much data makes more steps than the recipe states.

        Example:
            >>> Recipe(batch_size=32, steps=2000).passes(rows=320), Recipe(epochs=50).passes(rows=320)
            (4, 1)
        """
        if self.steps is None:
            return 1
        return max(1, math.ceil(self.steps / (self.length * rows / min(self.batch_size, rows))))

    @property
    def split_by_seed(self) -> int:
        """The seed that decides the split."""
        return self.seed if self.split_seed is None else self.split_seed


class Limits(Settings):
    """Upper limits of a model; None for no limit.

    Example:
        >>> Limits(bytes=30_000).parameters is None
        True
    """

    label = "limits"
    parameters: Count | None = None
    """Maximum number of parameters."""
    bytes: Count | None = None
    """Maximum size of the int8 file."""
    latency: Positive | None = None
    """Maximum milliseconds per call of that file on one thread of this machine. A call of a recognizer's int8 file
    reads one frame."""


class Columns(Settings):
    """The columns of CSV files of acceleration. What is None is recognized by the names of the columns."""

    label = "columns"

    x: str | None = None
    """Column of the x axis."""
    y: str | None = None
    """Column of the y axis."""
    z: str | None = None
    """Column of the z axis."""
    channels: str | None = None
    """Columns of x, y, z of the acceleration, then of x, y, z of the rotation rate, separated by commas, in place of
    `x`, `y` and `z`."""
    time: str | None = None
    """Column of time stamps."""
    unit: Literal["m/s^2", "g"] | None = None
    """Unit of the acceleration: m/s^2 or g. By default that of the app that wrote the file."""
    convention: Literal["android", "ios"] | None = None
    """Sign convention of the axes: android or ios."""
    rotation_unit: Literal["rad/s", "deg/s"] | None = None
    """Unit of the rotation rate: rad/s or deg/s. By default that of the column names or the app."""
    time_unit: Literal["auto", "s", "ms", "us", "100ns", "ns"] = "auto"
    """Unit of the time stamps: auto, s, ms, us, 100ns or ns."""
