"""The command that examines the installation."""

from typing import Annotated

import typer

from zoo.cli.console import Json, err, show

app = typer.Typer()


@app.command()
def doctor(
    self_test: Annotated[bool, typer.Option(help="Train, export and run a tiny model of simulated people.")] = True,
    as_json: Json = False,
) -> None:
    """Examine this installation: versions, what is missing for which command, and a self-test of about ten seconds.

    Ends with status 1 where something that is needed is broken. Paste its output in a bug report.
    """
    from zoo.report.doctor import doctor as report
    from zoo.tasks.doctor import examine

    if not self_test:
        found = examine()
    elif err.is_terminal:
        with err.status("self-test") as status:
            found = examine(lambda step: status.update(f"self-test: {step}"))
    else:
        found = examine(lambda step: err.print(f"self-test: {step}", highlight=False))
    show(found, as_json, report)
    if not found["sound"]:
        raise typer.Exit(1)
