"""The command-line reference, from the Typer app."""

import re
from collections.abc import Iterator
from typing import Any

import typer

from zoo.cli import app

_INTRODUCTION = """# Command line

`zoo COMMAND --help` shows the same in the terminal, and `python -m zoo` is the same as `zoo`. With `--json`, a command
prints one JSON document to standard output and everything else to standard error. An error is one line, with a nonzero
exit status."""


def reference() -> str:
    """Renders all commands as a page of Markdown."""
    return "\n\n".join([_INTRODUCTION, *_sections(typer.main.get_command(app), ("zoo",))]) + "\n"


def _sections(command: Any, words: tuple[str, ...]) -> Iterator[str]:
    """Yields the section of a command, and those of the commands below it."""
    members = getattr(command, "commands", {})
    if not members:
        context = command.make_context(" ".join(words), [], resilient_parsing=True)
        usage = " ".join(command.collect_usage_pieces(context))
        yield f"## {' '.join(words)}\n\n{_text(command.help)}\n\n```text\n{' '.join(words)} {usage}\n```"
        yield from _tables(command, context)
    for name, member in members.items():
        yield from _sections(member, (*words, name))


def _tables(command: Any, context: Any) -> Iterator[str]:
    """Yields a table for each panel of parameters."""
    panels: dict[str, list[str]] = {}
    for parameter in command.params:
        title = parameter.rich_help_panel or "Arguments and options"
        panels.setdefault(title, []).append(f"| {_name(parameter, context)} | {_meaning(parameter)} |")
    for title, rows in panels.items():
        yield "\n".join([f"| {title} | Meaning |", "|---|---|", *rows])


def _name(parameter: Any, context: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{(parameter.metavar or parameter.name).upper()}`"
    names = [f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts)]
    if value := parameter.display_type_rich(ctx=context):
        names[0] = f"{names[0][:-1]} {value}`"
    return ", ".join(names)


def _meaning(parameter: Any) -> str:
    default = parameter.default
    shown = not (default is None or isinstance(default, bool) or default == () or not parameter.show_default)
    rest = f" Default: `{default}`." if shown else " Required." if parameter.required else ""
    return f"{_text(parameter.help)}{rest}"


def _text(text: str | None) -> str:
    """Text whose options and patterns Markdown leaves alone, in which a bar is not a cell's end."""
    pieces = re.split(r"(`[^`]*`)", text or "")
    for place, piece in enumerate(pieces):
        if not piece.startswith("`"):
            piece = re.sub(r"(?<![\w`])(--[a-z][\w-]*)", r"`\1`", piece)
            pieces[place] = piece.replace("|", r"\|").replace("*", r"\*").replace("<", r"\<")
    return "".join(pieces)
