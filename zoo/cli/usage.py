"""How help names the values of options: nothing after a flag, and words in place of Python's types."""

import re
from functools import partial
from pathlib import Path
from typing import Any, get_args

from typer.core import TyperCommand, TyperGroup

_KINDS = {int: "INTEGER", float: "NUMBER", Path: "PATH"}


def value_name(parameter: Any, ctx: Any = None) -> str | None:
    """Returns the name of an option's value, such as `INTEGER`. None for a flag or an argument, which have none."""
    if parameter.param_type_name == "argument" or parameter.is_flag:
        return None
    kind = parameter.type_descriptor.annotation
    return parameter.metavar or _KINDS.get(next(iter(get_args(kind)), kind), "TEXT")


class _Plain:
    """Help with the names of `value_name`, and without the braces that Typer draws around arguments."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Returns arguments and options, as Typer shows them."""
        parameters: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for each in parameters:
            each.display_type_rich = partial(value_name, each)
        return parameters

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Returns the words of the line of usage."""
        return [re.sub(r"[{}]", "", piece) for piece in super().collect_usage_pieces(ctx)]  # type: ignore[misc]


class Command(_Plain, TyperCommand):
    """A command with plain help."""


class Group(_Plain, TyperGroup):
    """A group of commands with plain help."""
