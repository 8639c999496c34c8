"""What the arguments of the public functions may be, and the door at which they are checked.

Each type has two meanings. Type checkers see what Python users may pass; at run time it is what the terminal can pass,
and `Accepts` in it says what Python users may pass.
"""

import errno
import inspect
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, wraps
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import Field

from zoo.errors import COMMAND, ArgumentError, UsageError, ZooError, shown, unknown_name
from zoo.recipe import Columns, Limits, Recipe, checked, python_number

if TYPE_CHECKING:
    import keras

    from zoo.exporting.parity import ParityError
    from zoo.models.model import Model

Count = Annotated[int, Field(ge=1, lt=2**63)]
Size = Annotated[int, Field(ge=1, le=1_000_000)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Rate = Annotated[float, Field(ge=0.1, le=100_000)]
"""In Hz; what files of data may hold."""
Seconds = Annotated[float, Field(ge=0, le=86_400)]
Share = Annotated[float, Field(ge=0, le=1)]
Levels = Annotated[float, Field(ge=1, le=65_535)]
Workers = Annotated[int, Field(ge=0, le=1024)]


class Accepts(NamedTuple):
    """Part of an annotation: what Python users may pass.

    Args:
        is_valid: Whether a value is.
        expected: What is, in words.
        several: Whether the value is one of these or any iterable of them, which becomes a list; a text stays a text.
        empty: Whether that list may be empty.
    """

    is_valid: Callable[[Any], bool]
    expected: str
    several: bool = False
    empty: bool = True

    def check(self, name: str, value: Any) -> Any:
        """Returns the value, where it is as it should be."""
        single = self.is_valid(value) or isinstance(value, str | bytes | Mapping) or hasattr(value, "shape")
        if self.several and not single and isinstance(value, Iterable):
            several = list(value)
            for each in several:
                if not self.is_valid(each):
                    raise ArgumentError(name, f" holds {shown(each)}; expected {self.expected}")
            if not several and not self.empty:
                raise ArgumentError(name, f" is empty; expected {self.expected}")
            return several
        if not self.is_valid(value):
            raise ArgumentError(name, value=value, expected=self.expected)
        # The names of a text are read where it is used.
        return [value] if self.several and not isinstance(value, str) else value


def _is_path(value: Any) -> bool:
    return isinstance(value, str | os.PathLike)


def _is_table(value: Any) -> bool:
    """Whether a value is a DataFrame, of whichever library."""
    return hasattr(value, "columns") and hasattr(value, "shape")


def _is_name(value: Any) -> bool:
    value = python_number(value)
    return isinstance(value, str | os.PathLike) or (isinstance(value, int) and not isinstance(value, bool))


def _are_labels(value: Any) -> bool:
    if isinstance(value, Mapping):
        pairs = [(key, [each] if isinstance(each, str) else each) for key, each in value.items()]
        return all(isinstance(k, str) and isinstance(v, Iterable) and _are_labels(list(v)) for k, v in pairs)
    return isinstance(value, str) or (isinstance(value, Sequence) and all(isinstance(each, str) for each in value))


def _are_shares(value: Any) -> bool:
    numbers = value.values() if isinstance(value, Mapping) else ()
    return isinstance(value, str | Mapping) and not any(isinstance(each, str | bool | None) for each in numbers)


def _are_rows(value: Any) -> bool:
    return isinstance(value, str) or (
        isinstance(value, tuple) and len(value) == 2 and all(type(each) is int and each >= 0 for each in value)
    )


def _are_inputs(value: Any) -> bool:
    return _is_path(value) or isinstance(value, list | tuple) or hasattr(value, "shape") or hasattr(value, "__array__")


_MODEL = Accepts(
    lambda value: _is_path(value) or hasattr(value, "get_config"),
    "a model of the zoo, or the name of a preset or a path",
)
_DATA = Accepts(
    lambda value: _is_path(value) or hasattr(value, "splits") or _is_table(value) or isinstance(value, tuple),
    "a path, `tfds:NAME`, or what `load_data` returned",
)
if TYPE_CHECKING:
    Named = Model | str | Path
    Source = Any
    Inputs = Any
    Changes = Recipe | Mapping[str, Any] | None
    Reading = Columns | Mapping[str, Any] | None
    Bounds = Limits | Mapping[str, Any] | None
    Settings = Mapping[str, Any] | None
    Names = str | Iterable[str]
    Files = Any
    Tables = Any
    Shares = str | Mapping[str, float]
    Labels = str | Sequence[str] | Mapping[str, str]
    Rows = str | tuple[int, int]
    Callbacks = Sequence[keras.callbacks.Callback]
    Refused = dict[str, ParityError]
else:

    def _settings(kind: type, example: str) -> Any:
        def is_valid(value: Any) -> bool:
            named = isinstance(value, Mapping) and all(isinstance(each, str) for each in value)
            return named or (isinstance(value, kind) and not isinstance(value, Mapping))

        return Annotated[kind, Accepts(is_valid, f"{example}, or none")] | None

    Named = Annotated[str, _MODEL]
    Source = Annotated[str, _DATA]
    Names = Annotated[list[str], Accepts(_is_name, "a name or several", several=True)]
    Inputs = Annotated[list[str], Accepts(_are_inputs, "an array of numbers, a text, a DataFrame or a path")]
    Files = Annotated[list[Path], Accepts(_is_path, "a path, or several", several=True, empty=False)]
    Tables = Annotated[
        list[Path], Accepts(lambda value: _is_path(value) or _is_table(value), "paths or DataFrames", several=True)
    ]
    Changes = _settings(Recipe, 'a Recipe, or its fields by name, such as {"epochs": 5}')
    Reading = _settings(Columns, 'a Columns, or its fields by name, such as {"unit": "g"}')
    Bounds = _settings(Limits, 'a Limits, or its fields by name, such as {"bytes": 30000}')
    Settings = _settings(dict, 'values by name, such as {"units": 8}')
    Shares = Annotated[str, Accepts(_are_shares, 'frequencies by class, such as {"walking": 0.6}')]
    Labels = Annotated[str, Accepts(_are_labels, 'labels, or classes by label, such as {"walk": "walking"}')]
    Rows = Annotated[str, Accepts(_are_rows, "START:STOP, such as 9000:10000")]
    # A class has the method as well.
    Callbacks = Annotated[
        Any, Accepts(lambda value: hasattr(type(value), "on_epoch_end"), "Keras callbacks", several=True)
    ]
    Refused = Annotated[Any, Accepts(lambda value: isinstance(value, dict), "a dictionary")] | None

F = TypeVar("F", bound=Callable[..., Any])


def public(function: F) -> F:
    """Makes a function check its arguments against their annotations before it begins, and name the wrong one."""
    signature = inspect.signature(function)
    hints = cache(lambda: get_type_hints(function, include_extras=True))

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise _misnamed(function.__name__, signature, kwargs, error) from None
        for name, value in bound.arguments.items():
            if value is not signature.parameters[name].default:
                try:
                    bound.arguments[name] = _checked(name, hints()[name], value)
                except ArgumentError as error:
                    error.status = UsageError.status
                    raise
        try:
            return function(*bound.args, **bound.kwargs)
        except ZooError as error:
            error.args = (in_python(str(error)),)
            raise
        except UnicodeEncodeError as error:
            raise ZooError(f"{error.object}: not a UTF-8 name, as HDF5 and TensorFlow need: choose another") from None
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            raise ZooError(f"{error.filename}: the name is too long: choose a shorter one") from None

    return call  # type: ignore[return-value]


_WORDS = {str: "a text", int: "a whole number", Path: "a path"}


TERMINAL: dict[str, Callable[..., Any]] = {}
"""What the terminal does to be `quiet` while libraries print, and to have a search's messages `logged`."""


def in_python(message: str) -> str:
    """A message with the names of arguments in place of those of options, except in commands; unless for a terminal.

    Messages name options, which stand out in a sentence, and what is passed to them.

    Example:
        >>> in_python("pass --time-unit ms, or the unit with --unit; see `zoo train --help`")
        'pass time_unit=ms, or the unit with unit; see `zoo train --help`'
    """
    if COMMAND in os.environ:
        return message
    parts = message.split("`")
    for place in range(0, len(parts), 2):
        parts[place] = _OPTION.sub(lambda found: found[1].replace("-", "_") + ("=" if found[2] else ""), parts[place])
    return "`".join(parts)


_OPTION = re.compile(r"(?<![\w-])--([a-z][a-z-]*[a-z]|[xyz])\b( (?=[A-Z0-9'=-]|m/s|rad/s|deg/s|[gms]{1,2}\b))?")


def _checked(name: str, hint: Any, value: Any) -> Any:
    if get_origin(hint) in (Union, UnionType) and NoneType in get_args(hint):
        if value is None:
            return None
        hint = Union[tuple(each for each in get_args(hint) if each is not NoneType)]  # noqa: UP007
    if isinstance(value, str | os.PathLike) and "\0" in os.fspath(value):
        raise ArgumentError(name, f" is {os.fspath(value)!r}; expected text without null characters")
    for accepts in get_args(hint) if get_origin(hint) is Annotated else ():
        if isinstance(accepts, Accepts):
            return accepts.check(name, value)
    if get_origin(hint) is Callable:
        return Accepts(callable, "a function").check(name, value)
    if get_origin(hint) in (Union, UnionType):
        words = " or ".join(_WORDS[kind] for kind in get_args(hint))
        return Accepts(_is_name if int in get_args(hint) else _is_path, words).check(name, value)
    return checked(name, hint, value)


def _misnamed(function: str, signature: inspect.Signature, given: Mapping[str, Any], error: TypeError) -> ZooError:
    """What is wrong with the names of arguments, of which one may be a field of the recipe."""
    known = list(signature.parameters)
    name = next((each for each in given if each not in known), None)
    if name is None:
        return ZooError(f"{function}: {error}; see help(zoo.{function})")
    for place, kind in (("recipe", Recipe), ("limits", Limits), ("columns", Columns)):
        if place in known and name in kind.model_fields:
            return ArgumentError(name, f": is a field of the {place}; pass {place}={{{name!r}: {given[name]!r}}}")
    return unknown_name(f"argument of {function}", name, known)
