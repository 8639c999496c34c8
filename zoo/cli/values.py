"""Values on the command line: finite numbers in the range of their option, and texts that are not empty."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer

from zoo.cli.usage import Command, Group
from zoo.errors import UsageError

_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)

_LIMITS = {
    "gt": (operator.gt, "above {}"), "ge": (operator.ge, "{} or more"), "lt": (operator.lt, "below {}"),
    "le": (operator.le, "at most {}"),
}  # fmt: skip


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


class Number:
    """Reads the number of an option. More strict than Python, which also reads `nan`, `1_000` and full-width digits.

    Args:
        option: Option, for messages.
        kind: `int` or `float`.
        limits: Range of the number.

    Example:
        >>> Number("--epochs", int, Range(ge=1))("12")
        12
        >>> Number("--epochs", int, Range(ge=1))("1e3")
        Traceback (most recent call last):
        ...
        zoo.errors.UsageError: --epochs '1e3': expected a whole number, 1 or more
    """

    def __init__(self, option: str, kind: type[int] | type[float], limits: Range) -> None:
        self.option, self.kind, self.limits = option, kind, limits
        # Typer shows it where it does not know the type.
        self.__name__ = "integer" if kind is int else "number"

    def __call__(self, text: Any) -> Any:
        """Converts text. A default is returned as it is."""
        if not isinstance(text, str):
            return text
        valid = (_WHOLE if self.kind is int else _DECIMAL).fullmatch(text.strip())
        value = self.kind(text) if valid else None
        if value is None or abs(value) == float("inf") or value not in self.limits:
            words = ("a whole number" if self.kind is int else "a number", str(self.limits))
            raise UsageError(f"{self.option} {text[:40]!r}: expected {', '.join(filter(None, words))}")
        return value


class Word:
    """Reads the text of an option, and refuses an empty one: as a rule, that is a variable of a script without a value.

    Args:
        option: Option, for messages.
    """

    def __init__(self, option: str) -> None:
        self.option = option
        self.__name__ = "text"

    def __call__(self, text: Any) -> Any:
        """Returns the text. A default is returned as it is."""
        if isinstance(text, str) and not text.strip():
            raise UsageError(f"{self.option} {text!r}: is empty; expected a value, or leave it out")
        return text


def whole(text: str) -> int | None:
    """Returns the whole number that a text is, or None.

    Example:
        >>> whole("250"), whole("250_000"), whole("words.txt")
        (250, None, None)
    """
    return int(text) if _WHOLE.fullmatch(text) else None


def names(text: str | None) -> list[str]:
    """Returns the names in a comma-separated text.

    Example:
        >>> names("walking, sitting"), names(None)
        (['walking', 'sitting'], [])
    """
    return [name.strip() for name in text.split(",")] if text else []


def check_values(app: typer.Typer) -> None:
    """Makes all options and arguments of an app be read by `Number` and `Word`, and shown by `Command` and `Group`.

    Args:
        app: App, whose options declare their ranges by `min` and `max`, as Typer has them.
    """
    app.info.cls = Group
    for command in app.registered_commands:
        command.cls = Command
        if command.callback is not None:
            _check_command(command.callback)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            check_values(group.typer_instance)


def _check_command(callback: Callable[..., Any]) -> None:
    for name, hint in get_type_hints(callback, include_extras=True).items():
        for annotated in (hint, *get_args(hint)):
            if get_origin(annotated) is not Annotated:
                continue
            inner, *details = get_args(annotated)
            kinds = {float, int, str} & {inner, *get_args(inner)}
            for info in details:
                if len(kinds) == 1 and isinstance(info, typer.models.ParameterInfo) and info.parser is None:
                    # In `Annotated`, the first name of an option is where its default would be.
                    names = [each for each in (info.default, *(info.param_decls or ())) if isinstance(each, str)]
                    option = next((each for each in names if each.startswith("--")), f"--{name.replace('_', '-')}")
                    (kind,) = kinds
                    limits = Range(ge=info.min, le=info.max)
                    info.parser = Word(option) if kind is str else Number(option, kind, limits)
                    info.min = info.max = None
