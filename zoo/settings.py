"""Settings: frozen dataclasses whose annotations declare which values are valid.

    epochs: Annotated[int, Range(ge=1)] = 50
    clip_norm: Annotated[float, Range(gt=0)] | None = None
    optimizer: Literal["sgd", "adam"] = "adam"

Types and ranges are checked when an instance is created, before anything is read or trained.
"""

import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, Self, Union, get_args, get_origin, get_type_hints

from zoo.catalog import unknown_name
from zoo.errors import ZooError

_LIMITS = {
    "gt": (operator.gt, "above {}"), "ge": (operator.ge, "{} or more"), "lt": (operator.lt, "below {}"),
    "le": (operator.le, "at most {}"),
}  # fmt: skip
_WORDS: dict[Any, str] = {
    int: "a whole number", float: "a number", str: "text", bool: "true or false", NoneType: "none",
    Sequence: "a list", Mapping: "names and values", dict: 'names and values such as {"tilt": 15}',
}  # fmt: skip


def as_names(names: str | Iterable[str]) -> list[str]:
    """Returns names as a list, also a single one that is a string.

    Example:
        >>> as_names("ann"), as_names(("ann", "ben"))
        (['ann'], ['ann', 'ben'])
    """
    return [names] if isinstance(names, str) else list(names)


@dataclass(frozen=True)
class Range:
    """Range of a number. Bounds that are None do not apply.

    Args:
        gt: Exclusive lower bound.
        ge: Inclusive lower bound.
        lt: Exclusive upper bound.
        le: Inclusive upper bound.

    Example:
        >>> 1 in Range(ge=0, lt=1), str(Range(ge=0, lt=1))
        (False, '0 or more, below 1')
    """

    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None

    def _limits(self) -> dict[str, float]:
        return {name: limit for name in _LIMITS if (limit := getattr(self, name)) is not None}

    def __contains__(self, value: float) -> bool:
        return all(_LIMITS[name][0](value, limit) for name, limit in self._limits().items())

    def __str__(self) -> str:
        return ", ".join(_LIMITS[name][1].format(limit) for name, limit in self._limits().items())


class Settings:
    """Base class of frozen dataclasses that check their fields against the annotations.

    Example:
        >>> @dataclass(frozen=True)
        ... class Window(Settings):
        ...     label = "window"
        ...     rows: Annotated[int, Range(ge=1)] = 150
        >>> Window.from_json({"rows": 0})
        Traceback (most recent call last):
        ...
        zoo.errors.ZooError: window: rows is 0; expected 1 or more
    """

    label: ClassVar[str]
    """Name of the settings in messages."""

    def __post_init__(self) -> None:
        for name, hint in _hints(type(self)).items():
            check(f"{self.label}: {name}", getattr(self, name), hint)

    def to_json(self) -> dict[str, Any]:
        """Returns the settings as JSON types."""
        return asdict(self)  # type: ignore[call-overload,no-any-return]  # subclasses are dataclasses

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Creates settings from the result of `to_json`. Missing keys have their defaults.

        Raises:
            ZooError: If a key is unknown, or a value is invalid.
        """
        for name in document:
            if name not in _hints(cls):
                raise unknown_name(f"setting of the {cls.label}", name, list(_hints(cls)))
        return cls(**document)


def _hints(settings: type) -> dict[str, Any]:
    hints = get_type_hints(settings, include_extras=True)
    return {field.name: hints[field.name] for field in fields(settings)}


def check(name: str, value: Any, hint: Any) -> None:
    """Checks a value against an annotated type.

    Args:
        name: Name of the value, for the message.
        value: Value to check, of JSON types.
        hint: Type, such as `int`, `float | None`, `Literal["a", "b"]` or `Annotated[int, Range(ge=1)]`.

    Raises:
        ZooError: If the value has another type or is out of range.

    Example:
        >>> check("units", 2.5, int)
        Traceback (most recent call last):
        ...
        zoo.errors.ZooError: units is 2.5; expected a whole number
    """
    if not _accepts(hint, value):
        raise ZooError(f"{name} is {value!r}; expected {_expected(hint, value)}")


def _accepts(hint: Any, value: Any) -> bool:
    kind, arguments = get_origin(hint), get_args(hint)
    if kind is Annotated:
        return _accepts(arguments[0], value) and all(value in limits for limits in arguments[1:])
    if kind in (Union, UnionType):
        return any(_accepts(each, value) for each in arguments)
    if kind is Literal:
        return value in arguments
    if hint is bool or isinstance(value, bool):
        return hint in (bool, Any) and isinstance(value, bool | None)
    if hint is float:
        return isinstance(value, int | float) and abs(value) < float("inf")
    if kind is Sequence:
        return isinstance(value, list | tuple) and all(_accepts(arguments[0], item) for item in value)
    return hint is Any or isinstance(value, kind or hint)


def _expected(hint: Any, value: Any) -> str:
    """Describes a type, or only its range if the value has the right type."""
    kind, arguments = get_origin(hint), get_args(hint)
    if kind is Annotated:
        limits = ", ".join(map(str, arguments[1:]))
        return limits if _accepts(arguments[0], value) else f"{_expected(arguments[0], value)}, {limits}"
    if kind in (Union, UnionType):
        *first, last = (_expected(each, value) for each in arguments)
        return ", ".join(first) + (", or " if "," in "".join(first) else " or ") + last
    if kind is Literal:
        *first, last = map(str, arguments)
        return f"{', '.join(first)} or {last}" if first else last
    return _WORDS[kind or hint]
