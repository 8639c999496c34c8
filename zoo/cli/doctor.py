"""The command doctor, which checks the installation."""

from typing import Annotated

import typer

from zoo.cli.console import Json, err, say, show

app = typer.Typer()


@app.command()
def doctor(
    self_test: Annotated[bool, typer.Option(help="Train, export and run a tiny model on simulated people.")] = True,
    as_json: Json = False,
) -> None:
    """Check the installation: versions, what is missing for which command, and a self-test of about ten seconds.

    Exits with status 1 if something essential is broken. Include the output in bug reports.
    """
    from zoo.report.doctor import doctor as report
    from zoo.tasks.doctor import examine

    if not self_test:
        result = examine()
    elif err.is_terminal:
        with err.status("self-test") as status:
            result = examine(lambda step: status.update(f"self-test: {step}"))
    else:
        result = examine(lambda step: say(f"self-test: {step}"))
    show(result, as_json, report)
    if not result["sound"]:
        raise typer.Exit(1)
