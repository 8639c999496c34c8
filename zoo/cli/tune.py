"""The command tune: hyper-parameter searches."""

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.console import DataDir, Json, Levels, data_file, fail, load_tensorflow, logged, show
from zoo.cli.models import Settings
from zoo.errors import ZooError

app = typer.Typer()


@app.command()
def tune(
    target: Annotated[str, typer.Argument(metavar="PRESET_OR_FAMILY", help="Or activity, for cells of any kind.")],
    data: Annotated[Path | None, typer.Option(help="In the course's layout, or tfds:NAME.")] = None,
    data_dir: DataDir = None,
    strategy: Annotated[str, typer.Option(help="random, hyperband, bayesian or grid.")] = "bayesian",
    trials: Annotated[int, typer.Option(help="Trials to score, at most.")] = 50,
    epochs: Annotated[int, typer.Option(help="Of each trial, at most.")] = 40,
    out: Annotated[Path, typer.Option(help="Folder of the search; the same command goes on there.")] = Path("search"),
    objective: Annotated[str | None, typer.Option(help="Such as macro_f1, cross_entropy or cost.")] = None,
    space: Annotated[str | None, typer.Option(help="Of the family's spaces, such as course.")] = None,
    settings: Settings = None,
    max_parameters: Annotated[int | None, typer.Option(help="A model has at most.")] = None,
    max_bytes: Annotated[int | None, typer.Option(help="Its int8 (or dynamic) file has at most.")] = None,
    max_latency: Annotated[float | None, typer.Option(help="Milliseconds a call of that file, at most.")] = None,
    groups: Annotated[int, typer.Option(help="Groups of people, each left out once in every trial; 1: one split.")] = 1,
    halving: Annotated[bool, typer.Option(help="Stop trials early that others are ahead of.")] = True,
    seed: Annotated[int | None, typer.Option(help="Of split and draws; trials count up from it.")] = None,
    levels: Levels = None,
    best: Annotated[int, typer.Option(help="Trials that are trained again in the end.")] = 3,
    seeds: Annotated[int, typer.Option(help="Times that each of them is.")] = 3,
    save_preset: Annotated[Path | None, typer.Option(help="Folder for the model that is chosen.")] = None,
    processes: Annotated[int, typer.Option("--workers", help="Processes on this machine.")] = 1,
    role: Annotated[str | None, typer.Option(help="chief or worker, of a search over many machines.")] = None,
    chief: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Where the chief listens.")] = None,
    as_json: Json = False,
) -> None:
    """Search for better hyper-parameters; killed at any moment, the same command goes on."""
    if find_spec("keras_tuner") is None or find_spec("tensorboard") is None:
        raise ZooError("searches need keras-tuner and tensorboard: pip install 'pocket-zoo[tuning]'")
    load_tensorflow()
    from tuning import finals, workers
    from tuning.run import run_search
    from tuning.study import Limits, Study
    from zoo.report import search
    from zoo.tasks import planning

    if role is not None:
        workers.take_role(role, chief)
    limits = Limits(max_parameters, max_bytes, max_latency)
    study = Study(
        target, data or Path(), strategy, trials, epochs, space, objective, limits,
        planning.settings(settings or []), groups, halving, seed, levels,
    )  # fmt: skip
    study = replace(study, data=data_file(data or Path(study.task.data_file), data_dir))
    study.open(out)
    if save_preset is not None:
        finals.require_room(out, save_preset)
    try:
        with logged(workers.log(out, workers.name())) as console:
            result = run_search(study, out, processes=processes, best=best, seeds=seeds, console=console)
    except KeyboardInterrupt:
        fail(f"interrupted: the search is in {out}; go on with the same command", 130)
    if not result:
        return
    if save_preset is not None:
        finals.save_preset(out, save_preset)
    show(result, as_json, search.result)
