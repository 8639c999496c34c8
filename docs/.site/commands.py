"""The command-line reference, from the app that cyclopts makes of the public functions."""

import re
from collections.abc import Iterator
from typing import Any

from zoo.cli import COMMANDS, app

_INTRODUCTION = """# Command line

`zoo COMMAND --help` shows the same in the terminal, and `python -m zoo` is the same as `zoo`. With `--json`, a command
prints one JSON document to standard output and everything else to standard error. An error is one line, with a nonzero
exit status. Each command calls a function of the [Python API](api.md), which takes the same names."""


def reference() -> str:
    """Renders all commands as a page of Markdown."""
    return "\n\n".join([_INTRODUCTION, *(part for words in COMMANDS for part in _section(words))]) + "\n"


def _section(words: str) -> Iterator[str]:
    """Yields the section of a command, with a table for each panel of parameters."""
    command: Any = app
    for word in words.split():
        command = command[word]
    arguments = [
        each for each in command.assemble_argument_collection(parse_docstring=True) if each.parse and each.show
    ]
    places = " ".join(_name(each) for each in arguments if not _is_option(each))
    text, _, _ = (command.default_command.__doc__ or "").partition("\n\nArgs:")
    paragraphs = "\n\n".join(map(_text, text.split("\n\n")))
    usage = " ".join(["zoo", words, "[OPTIONS]", places]).strip()
    yield f"## zoo {words}\n\n{paragraphs}\n\n```text\n{usage}\n```"
    panels: dict[str, list[str]] = {}
    for each in arguments:
        title = each.parameter.group[0].name if each.parameter.group else ""
        title = "Arguments and options" if title in ("", "Parameters", "Arguments") else title
        names = [_name(each)] if not _is_option(each) else list(dict.fromkeys(each.names))
        shown = ", ".join(f"`{name}`" for name in names)
        panels.setdefault(title, []).append(f"| {shown} | {_meaning(each)} |")
    for title, rows in panels.items():
        yield "\n".join([f"| {title} | Meaning |", "|---|---|", *rows])


def _is_option(argument: Any) -> bool:
    return bool(argument.names) and argument.names[0].startswith("-") and argument.index is None


def _name(argument: Any) -> str:
    return str(argument.name).lstrip("-").upper()


def _meaning(argument: Any) -> str:
    default = argument.field_info.default
    shown = isinstance(default, str | int | float) and not isinstance(default, bool)
    required = " Required." if argument.required else ""
    return f"{_text(argument.parameter.help)}{f' Default: `{default}`.' if shown else required}"


def _text(text: str | None) -> str:
    """Text whose options and patterns Markdown leaves alone, in which a bar is not a cell's end."""
    pieces = re.split(r"(`[^`]*`)", " ".join((text or "").split()))
    for place, piece in enumerate(pieces):
        if not piece.startswith("`"):
            piece = re.sub(r"(?<![\w`])(--[a-z][\w-]*)", r"`\1`", piece)
            pieces[place] = piece.replace("|", r"\|").replace("*", r"\*").replace("<", r"\<")
    return "".join(pieces)
