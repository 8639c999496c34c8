"""The command for hubs: push."""

from typing import Annotated

import typer

from zoo.cli.console import Json, show

app = typer.Typer()


@app.command(rich_help_panel="Models")
def push(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A preset, or a folder written by `zoo train` or `zoo finetune`.")
    ],
    address: Annotated[
        str,
        typer.Argument(
            metavar="ADDRESS", help="Where to publish it: hf://owner/name. The repository is created if needed."
        ),
    ],
    private: Annotated[bool, typer.Option("--private", help="Create a repository that only you can see.")] = False,
    as_json: Json = False,
) -> None:
    """Publish a model on a hub: its card, its files and the license.

    Log in once with `hf auth login`. Afterward, the address works wherever the name of a preset does.
    """
    from zoo import catalog, hub
    from zoo.report import markdown

    published = hub.push(catalog.find_folder(model), address, private=private)
    show({"published": published}, as_json, markdown.document)
