"""What the command line says about an exception, in one line with an exit status."""

import errno
import os
from typing import Any

from zoo.errors import ZooError

USAGE, BUG = 2, 70
"""Exit statuses of what no command accepts, and of defects of the zoo."""

_FILES = ("AlreadyExistsError", "DataLossError", "FailedPreconditionError", "NotFoundError", "PermissionDeniedError")
"""Errors of TensorFlow about files, which their messages name."""


def explain(error: BaseException) -> tuple[str, int]:
    """Returns the message and the exit status for an exception that ended a command.

    Errors of the system name the file that was in hand. Whatever is left is a bug.

    Example:
        >>> explain(FileNotFoundError(2, "No such file or directory", "data3.h5"))
        ('data3.h5: no such file or directory', 1)
        >>> explain(ZeroDivisionError("division by zero"))[1]
        70
    """
    if isinstance(error, ZooError):
        return str(error), error.status
    if hasattr(error, "show"):
        return _usage(error), USAGE
    if isinstance(error, OSError) and (found := _system(error)):
        return found, 1
    if "No space left" in str(error):
        return f"the disk is full ({_first_line(error)}): make room, or choose another folder", 1
    if type(error).__name__ in _FILES and type(error).__module__.startswith("tensorflow"):
        return f"{_first_line(error)}: check that the file exists, is whole, and may be read or written", 1
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return f"out of memory ({_first_line(error)}): ask for less, or close other programs", 1
    report = "this is a bug: please report it with this command, --debug added, and the output of `zoo doctor`"
    return f"unexpected {type(error).__name__}: {_first_line(error)}; {report}", BUG


def _usage(error: Any) -> str:
    """A usage error of Typer, which would take several lines to show itself."""
    # The path begins with the name of the program, which may be `python -m zoo`.
    path = getattr(getattr(error, "ctx", None), "command_path", "").removeprefix("python ").split()[1:]
    command = " ".join(["zoo", *(word for word in path if word not in ("-m", "zoo", "zoo.cli")), "--help"])
    message = error.format_message().rstrip(".")
    # All commands of the zoo would be a long line.
    context = getattr(error, "ctx", None)
    known = list(getattr(context.command, "commands", ())) if context and context.parent else []
    if message.startswith("No such command") and not message.endswith("?") and known:
        message += f": expected {', '.join(known)}"
    return f"{message}; see `{command}`"


def _system(error: OSError) -> str:
    """An error of the system about a file. Empty if it names none."""
    reason = (error.strerror or str(error) or type(error).__name__).strip()
    if isinstance(error.filename, str | bytes | os.PathLike):
        return f"{os.fsdecode(error.filename)}: {reason[:1].lower()}{reason[1:]}"
    if error.errno == errno.ENOENT and "temporary" in str(error):
        return f"{reason[:1].lower()}{reason[1:]}: set TMPDIR to a folder with free space"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full ({reason}): make room, or choose another folder"
    return ""


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), "") or type(error).__name__
