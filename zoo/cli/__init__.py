"""The command line. Commands parse arguments, call the functions of the layers below, and print the results."""

import logging
import os
import sys
from typing import Annotated

import typer

import zoo
from zoo.cli import data, device, doctor, hub, models, tune
from zoo.cli.console import fail, interrupted, prepare_output
from zoo.cli.door import explain
from zoo.cli.values import check_values
from zoo.jobs import terminable

_INTERRUPTED = 130

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown",
    epilog="First steps: `zoo list`, then `zoo info activity_gru_phone`. `zoo COMMAND --help` explains a command.",
)  # fmt: skip
app.add_typer(models.app)
app.add_typer(hub.app)
app.add_typer(device.app)
app.add_typer(tune.app)
app.add_typer(data.data_app, name="data", rich_help_panel="Data and installation")
app.add_typer(doctor.app)
check_values(app)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"pocket-zoo {zoo.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show tracebacks of errors. Can be given anywhere in the command.")
    ] = False,
) -> None:
    """Train small models of motion, photographs and text, and run them on a phone."""


def main() -> None:
    """Runs the command line. Errors are printed as one line, with a nonzero exit status.

    Ctrl-C exits with 130, and SIGTERM with 143, both after the same cleanup.
    """
    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    # Advice about retracing is for those who write the model, and what is wrong with a picture is said in one line.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    prepare_output()
    try:
        status = _run()
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort) as stop:
        interrupted(stop)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except typer.Exit as end:
        sys.exit(end.exit_code)
    except Exception as error:
        if debug and not hasattr(error, "show"):
            raise
        fail(*explain(error))
    sys.exit(status or 0)


def _run() -> int | None:
    with terminable() as raised:
        status: int | None = app(standalone_mode=False)
        if status == _INTERRUPTED:
            # Typer has turned the exception of a signal into this status.
            interrupted(raised[0] if raised else KeyboardInterrupt())
        return status
