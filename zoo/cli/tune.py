"""The command tune: hyperparameter searches."""

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.console import DataDir, Json, Levels, data_file, interrupted, load_tensorflow, logged, show
from zoo.cli.models import Settings
from zoo.errors import ZooError

app = typer.Typer()


@app.command(rich_help_panel="Training")
def tune(
    target: Annotated[
        str,
        typer.Argument(
            metavar="PRESET_OR_FAMILY",
            help="A preset or a family; or activity, to search over the kind of cell as well.",
        ),
    ],
    data: Annotated[
        Path | None,
        typer.Option(help="Data file: data1.h5 (patches), data2.h5 (trigrams) or data3.h5 (windows); or tfds:NAME."),
    ] = None,
    data_dir: DataDir = None,
    strategy: Annotated[str, typer.Option(help="Strategy: random, hyperband, bayesian or grid.")] = "bayesian",
    trials: Annotated[int, typer.Option(min=1, max=1_000_000, help="Maximum number of scored trials.")] = 50,
    epochs: Annotated[int, typer.Option(min=1, help="Maximum number of epochs per trial.")] = 40,
    out: Annotated[Path, typer.Option(help="Folder of the search. The same command resumes there.")] = Path("search"),
    objective: Annotated[str | None, typer.Option(help="Objective, such as macro_f1, cross_entropy or cost.")] = None,
    space: Annotated[str | None, typer.Option(help="Search space of the family, such as course.")] = None,
    settings: Settings = None,
    max_parameters: Annotated[int | None, typer.Option(min=1, help="Maximum number of parameters of a model.")] = None,
    max_bytes: Annotated[
        int | None, typer.Option(min=1, help="Maximum size of the int8 (or dynamic) file of a model in bytes.")
    ] = None,
    max_latency: Annotated[
        float | None, typer.Option(min=0, help="Maximum time per call of the same file in milliseconds.")
    ] = None,
    groups: Annotated[
        int,
        typer.Option(
            min=1, max=1000, help="Number of groups of people, each held out once in every trial. 1 for a single split."
        ),
    ] = 1,
    halving: Annotated[bool, typer.Option(help="Stop trials early if they score below the median.")] = True,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of the split and of the search. Seeds of trials count up from it.")
    ] = None,
    levels: Levels = None,
    best: Annotated[int, typer.Option(min=1, max=1000, help="Number of best trials to train again at the end.")] = 3,
    seeds: Annotated[
        int, typer.Option(min=1, max=1000, help="Number of seeds with which each of the best trials is trained.")
    ] = 3,
    save_preset: Annotated[Path | None, typer.Option(help="Folder for the chosen model.")] = None,
    processes: Annotated[
        int,
        typer.Option(
            "--workers", min=0, max=1024, help="Number of processes that run trials; 0 runs them in this process."
        ),
    ] = 1,
    role: Annotated[
        str | None, typer.Option(help="Role of this process in a search on several machines: chief or worker.")
    ] = None,
    chief: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Address of the chief.")] = None,
    as_json: Json = False,
) -> None:
    """Search for better hyperparameters.

    After an interruption, the same command resumes.
    """
    if find_spec("keras_tuner") is None or find_spec("tensorboard") is None:
        raise ZooError("searches need keras-tuner and tensorboard: pip install 'pocket-zoo[tuning]'")
    load_tensorflow()
    from zoo import planning
    from zoo.search import summary, workers
    from zoo.search.run import claimed, run_search
    from zoo.search.study import Limits, Study

    if chief is not None and role is None:
        raise ZooError(f"--chief {chief}: goes with --role; leave it out for a search on this machine alone")
    if role is not None:
        workers.take_role(role, chief)
    limits = Limits(parameters=max_parameters, bytes=max_bytes, latency=max_latency)
    study = Study(
        target, data or Path(), strategy, trials, epochs, space, objective, limits,
        planning.settings(settings or []), groups, halving, seed, levels,
    )  # fmt: skip
    study = replace(study, data=data_file(data or Path(study.task.data_file), data_dir))
    try:
        with claimed(study, out), logged(workers.log(out, workers.name())) as console:
            result = run_search(
                study, out, processes=processes, best=best, seeds=seeds, preset=save_preset, console=console
            )
    except KeyboardInterrupt as stop:
        interrupted(stop, f"the search is in {out}; resume it with the same command")
    if result:
        show(result, as_json, summary.result)
