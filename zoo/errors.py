"""The exceptions for errors that users can fix, and how messages name what a user passes."""

import os
from collections.abc import Callable, Iterable
from reprlib import Repr
from typing import Any

COMMAND = "ZOO_COMMAND"
"""Environment variable that is set in a command of the zoo and its child processes, whose user writes options."""


def option(name: str, value: Any = "") -> str:
    """A parameter in a message, as the user writes it: `--time-unit ms` in the terminal, `time_unit=ms` in Python."""
    if COMMAND in os.environ:
        return f"--{name.replace('_', '-')} {value}".rstrip()
    return f"{name}={value}" if value != "" else name


def setting(name: str, value: Any) -> str:
    """A setting in a message, as the user writes it: one of `--set` in the terminal, one of `settings` in Python."""
    return option("set", f"{name}={value}") if COMMAND in os.environ else option("settings", {name: value})


def printable(text: str) -> str:
    r"""Text that a terminal shows as it is, with control characters and undecodable bytes escaped."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape", "surrogatepass").decode() for letter in text
    )


class ZooError(Exception):
    """An error that the user can fix.

    The message is one line that names the file, the key, what was expected, what was found, and what to do. The command
    line prints it without a traceback and exits with a nonzero status. Names may come from damaged files: characters
    that are not printable, line breaks among them, are escaped.

    Example:
        >>> raise ZooError("data3.h5: no key 'trX'; found trx: rename it")
        Traceback (most recent call last):
        ...
        zoo.errors.ZooError: data3.h5: no key 'trX'; found trx: rename it
    """

    status = 1
    """Exit status of the command line."""

    def __init__(self, message: str = "") -> None:
        super().__init__(printable(message))


class StorageError(ZooError):
    """A file cannot be read or written: the disk is full, permission is missing, the file is damaged."""


class ConflictError(ZooError):
    """Something else has the name already."""


class UsageError(ZooError):
    """An option or argument of the command line that no command could accept."""

    status = 2


class ArgumentError(ZooError):
    """An argument of a public function, or a field of its settings, is not valid, or means nothing where it is passed.

    The command line names its option in place of the `parameter`. `problem` says what is wrong, by default that the
    `value` is not what was `expected`; `group` is of which settings the parameter is a field, such as `recipe`.
    """

    def __init__(
        self, parameter: str, problem: str = "", *, value: Any = None, expected: str = "", group: str = ""
    ) -> None:  # fmt: skip
        self.parameter, self.value, self.expected, self.group = parameter, value, expected, group
        self.problem = printable(problem or f" is {shown(value)}; expected {expected}")
        super().__init__(f"{group}: {parameter}{self.problem}" if group else f"{parameter}{self.problem}")

    def __reduce__(self) -> tuple[Callable[..., "ArgumentError"], tuple[str, str]]:
        # Errors of child processes are sent to their parent.
        return ArgumentError, (self.parameter, self.problem)


_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxlong = _SHORT.maxother = _LONGEST = 80


def shown(value: Any) -> str:
    """At most 80 characters of a value on one line; of what is no text, number or collection of them, its type."""
    plain = value is None or isinstance(value, str | bytes | bool | int | float | complex | list | tuple | dict | set)
    try:
        text = " ".join(_SHORT.repr(value).split()) if plain else f"of the type {type(value).__name__}"
    except ValueError:
        return "a number of more digits than Python prints"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def either(words: Iterable[str]) -> str:
    """Alternatives in words, such as `s, ms or us`."""
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def refuse(why: str, **values: Any) -> None:
    """Refuses arguments that would have no effect: those that are not None."""
    for name, value in values.items():
        if value is not None:
            raise ArgumentError(name, f": {why}; leave it out", value=value)


def unknown_name(what: str, name: str, choices: list[str]) -> ZooError:
    """An error that suggests the closest known name, in upper or lower case."""
    # Few calls need it, and `import zoo` is fast.
    import difflib

    names = {choice.lower(): choice for choice in choices}
    near = difflib.get_close_matches(str(name).lower(), names, n=1, cutoff=0.5)
    hint = f"did you mean {names[near[0]]}?" if near else f"known are {', '.join(choices) or 'none'}"
    return ZooError(f"unknown {what} {shown(name)}: {hint}")
