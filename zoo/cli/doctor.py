"""The command doctor, which checks the installation."""

from typing import Annotated

import typer

from zoo.cli.console import Json, quiet, show

app = typer.Typer()


@app.command(rich_help_panel="Data and installation")
def doctor(
    self_test: Annotated[bool, typer.Option(help="Train, export and run a tiny model on simulated people.")] = True,
    as_json: Json = False,
) -> None:
    """Check the installation.

    Shows versions and what each command lacks, and trains, exports and runs a tiny model in about ten
    seconds. Exits with status 1 if something essential is broken. Include the output in bug reports.
    """
    from zoo.installation import examine
    from zoo.report.doctor import doctor as report

    with quiet("self-test" if self_test else "") as step:
        result = examine(step if self_test else None)
    show(result, as_json, report)
    if not result["sound"]:
        raise typer.Exit(1)
