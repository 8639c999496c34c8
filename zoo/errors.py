"""The exceptions for errors that users can fix."""

from typing import Any


def printable(text: str) -> str:
    r"""Returns text that a terminal shows as it is, with control characters and undecodable bytes escaped.

    Example:
        >>> printable("a\x1b[31m.h5")
        'a\\x1b[31m.h5'
    """
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape", "surrogatepass").decode() for each in text
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
    """An argument of a public function is not valid, or means nothing where it is passed.

    Args:
        name: Parameter, in whose place the command line names its option.
        problem: What is wrong, such as `: does not apply to trigram_lm_course`.

    Example:
        >>> raise ArgumentError("hop", ": does not apply to trigram_lm_course; leave it out")
        Traceback (most recent call last):
        ...
        zoo.errors.ArgumentError: hop: does not apply to trigram_lm_course; leave it out
    """

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name}{problem}")
        self.name, self.problem = name, printable(problem)


def refuse(why: str, **values: Any) -> None:
    """Refuses arguments that would have no effect: those that are not None."""
    for name, value in values.items():
        if value is not None:
            raise ArgumentError(name, f": {why}; leave it out")


def unknown_name(what: str, name: str, known: list[str]) -> ZooError:
    """Creates an error that suggests the closest known name, in upper or lower case.

    Example:
        >>> str(unknown_name("preset", "activity_gr", ["activity_gru_course", "trigram_lm_best"]))
        "unknown preset 'activity_gr': did you mean activity_gru_course?"
    """
    # Few calls need it, and `import zoo` is fast.
    import difflib

    names = {each.lower(): each for each in known}
    near = difflib.get_close_matches(str(name).lower(), names, n=1, cutoff=0.5)
    hint = f"did you mean {names[near[0]]}?" if near else f"known are {', '.join(known) or 'none'}"
    return ZooError(f"unknown {what} {name!r}: {hint}")
