"""Commands on models: list, info, train, crossval, evaluate, predict."""

import shlex
import sys
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoo.cli.console import (
    AxisX,
    AxisY,
    AxisZ,
    Channels,
    Convention,
    DataDir,
    Json,
    Levels,
    Prior,
    Rate,
    RotationUnit,
    Stamps,
    Threshold,
    TimeUnit,
    Unit,
    data_file,
    err,
    exported_file,
    interrupted,
    load_tensorflow,
    quiet,
    say,
    show,
    warn,
)
from zoo.cli.values import names, whole
from zoo.errors import ZooError
from zoo.families import FAMILIES
from zoo.files import exclusive_folder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from zoo.activity.columns import CsvColumns
    from zoo.activity.windows import ActivityData
    from zoo.loading import Loaded
    from zoo.patches.data import PatchData

app = typer.Typer()

MODEL, RECIPE, RUN = "Model", "Recipe", "Run"
"""Panels of the options of `train`."""

DataFile = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="Data file, or tfds:NAME. By default data1.h5 (patches), data2.h5 (trigrams) or data3.h5 (windows), "
        "whichever the model reads.",
    ),
]
WindowsFile = Annotated[Path, typer.Option("--data", help="A file in the layout of data3.h5, or tfds:NAME.")]
ModelName = Annotated[str, typer.Argument(metavar="MODEL", help="A preset, a folder, or a .keras or .tflite file.")]
PlanName = Annotated[str | None, typer.Argument(metavar="PRESET", help="A preset; see `zoo list`.")]


def _family_name(families: Iterable[str]) -> Any:
    """The option that names one of some families."""
    return typer.Option("--model", metavar="FAMILY", help=f"A family, instead of a preset: {', '.join(families)}.")


FamilyName = Annotated[str | None, _family_name(FAMILIES)]
RecognizerName = Annotated[str | None, _family_name(name for name in FAMILIES if FAMILIES[name].task == "activity")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="An argument of the model or a field of the recipe. Repeatable."),
]


@app.command("list", rich_help_panel="Models")
def list_presets(
    family: Annotated[
        list[str] | None, typer.Option(help="Only this family, or families with this prefix. Repeatable.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the presets with their sizes and scores."""
    from zoo.report import results

    show(results.presets(family or ()), as_json, results.preset_table)


@app.command(rich_help_panel="Models")
def info(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A preset, a folder, or a .keras or .tflite file.")],
    as_json: Json = False,
) -> None:
    """Describe a preset, a folder or a file, with its scores."""
    from zoo.catalog import PRESETS_FOLDER, find_folder, preset_metrics
    from zoo.files import read_json
    from zoo.presets import PRESETS
    from zoo.report import card, markdown
    from zoo.runtime.metadata import extract

    report = markdown.document

    if model.endswith(".tflite"):
        document = extract(Path(model)).to_json()
    elif model.endswith(".keras"):
        load_tensorflow()
        from zoo.loading import load

        document = load(model).metadata.to_json()
    else:
        folder = find_folder(model)
        document = read_json(folder / "config.json")
        if model in PRESETS and folder == PRESETS_FOLDER / model and (metrics := preset_metrics(model)):
            report = partial(card.head, model, PRESETS[model], metrics)
        elif {"metadata", "training", "data"} <= set(document):
            report = partial(card.folder, model)
    show(document, as_json, report)


@app.command(rich_help_panel="Training")
def train(
    preset: PlanName = None,
    data: DataFile = None,
    data_dir: DataDir = None,
    out: Annotated[Path, typer.Option(help="Folder for the trained model; must be empty.")] = Path("model"),
    model: FamilyName = None,
    units: Annotated[
        int | None, typer.Option(help="Number of units of each recurrent layer.", rich_help_panel=MODEL)
    ] = None,
    num_layers: Annotated[int | None, typer.Option(help="Number of recurrent layers.", rich_help_panel=MODEL)] = None,
    frame: Annotated[
        int | None, typer.Option(help="Number of rows that are read in one step.", rich_help_panel=MODEL)
    ] = None,
    dropout: Annotated[float | None, typer.Option(help="Dropout rate after each layer.", rich_help_panel=MODEL)] = None,
    hidden_units: Annotated[
        int | None,
        typer.Option(help="Number of hidden units of an autoencoder or a language model.", rich_help_panel=MODEL),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Maximum number of epochs.", rich_help_panel=RECIPE)] = None,
    batch_size: Annotated[int | None, typer.Option(help="Number of rows per step.", rich_help_panel=RECIPE)] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Learning rate.", rich_help_panel=RECIPE)] = None,
    optimizer: Annotated[
        str | None, typer.Option(help="Optimizer: sgd, adam or adamw.", rich_help_panel=RECIPE)
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(help="Number of epochs without improvement before training stops.", rich_help_panel=RECIPE),
    ] = None,
    validation: Annotated[
        float | None,
        typer.Option(
            help="Share of the people or photographs that are held out for validation; 0 for none.",
            rich_help_panel=RECIPE,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0, help="Seed of the weights, the split, the order and the augmentation.", rich_help_panel=RECIPE
        ),
    ] = None,
    settings: Settings = None,
    levels: Levels = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Resume an interrupted run. The result is the same as without the interruption.",
            rich_help_panel=RUN,
        ),
    ] = False,
    deterministic: Annotated[
        bool,
        typer.Option(
            "--deterministic", help="Make runs reproducible bit by bit, at some cost in speed.", rich_help_panel=RUN
        ),
    ] = False,
    tensorboard: Annotated[
        Path | None, typer.Option(help="Folder for logs of TensorBoard.", rich_help_panel=RUN)
    ] = None,
    as_json: Json = False,
) -> None:
    """Train a new model on your data.

    A preset provides its architecture and its recipe, not its weights: `zoo finetune` starts from those. To train a
    family without a preset, use `--model`. Options override either.
    """
    load_tensorflow()
    from zoo import planning
    from zoo.api import read_data
    from zoo.report.progress import TrainingBoard
    from zoo.task import task_of
    from zoo.training import CHECKPOINT, Progress

    named = {
        "units": units, "num_layers": num_layers, "frame": frame, "dropout": dropout, "hidden_units": hidden_units,
        "epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate, "optimizer": optimizer,
        "patience": patience, "validation": validation, "seed": seed,
    }  # fmt: skip
    plan = planning.plan(preset, model, named_options(named) | planning.settings(settings or []))
    task = task_of(plan.family)
    checked = read_data(task, data, data_dir=data_dir, levels=levels)
    board = TrainingBoard(err, plan.recipe.epochs)
    progress = Progress(board.on_epoch_end)
    training = replace(
        plan, out=out, resume=resume, deterministic=deterministic, tensorboard=tensorboard, callbacks=[progress]
    )
    try:
        with exclusive_folder(out):
            training.check_folder()
            if preset is not None and task.name != "text":
                say(f"{preset}: its architecture and recipe with new weights; `zoo finetune {preset}` starts from its "
                     "weights")  # fmt: skip
            with board.shown():
                trained = training.run(checked)
    except KeyboardInterrupt as stop:
        kept = (out / CHECKPOINT).is_file()
        how = f"the checkpoint is in {out}; go on with the same command and --resume" if kept else "nothing was written"
        interrupted(stop, how)
    show(trained.summary, as_json, task.report.training)
    where = "" if data_dir is None else f" --data-dir {data_dir}"
    say(_next(out, checked, f"{data or task.data_file}{where}"))


@app.command(rich_help_panel="Training")
def finetune(
    preset: Annotated[str, typer.Argument(metavar="PRESET", help="A preset, a folder or a .keras file.")],
    data: DataFile = None,
    out: Annotated[Path, typer.Option(help="Folder for the trained model; must be empty.")] = Path("model"),
    epochs: Annotated[
        int | None, typer.Option(help="Number of epochs; 0 fits the last layer alone, in seconds.")
    ] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Learning rate.")] = None,
    validation: Annotated[
        float | None, typer.Option(help="Share of the people that are held out for validation; 0 for none.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of the split, the order and the augmentation.")] = None,
    freeze: Annotated[
        list[str] | None, typer.Option(metavar="LAYER", help="Layer whose weights stay as they are. Repeatable.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Train the weights of a preset further on your data, with any labels.

    The last layer is fitted first, then all weights are trained at a low rate.
    """
    load_tensorflow()
    from zoo import api
    from zoo.loading import load
    from zoo.training import CHECKPOINT

    loaded = load(preset)
    named = {"epochs": epochs, "learning_rate": learning_rate, "validation": validation, "seed": seed}
    checked = api.read_data(loaded.task, data)
    recipe = api.finetuning_recipe(loaded, checked, named_options(named))
    if doubt := api.familiar(loaded, checked):
        warn(doubt)
    try:
        trained = api.finetune(preset, checked, recipe=recipe, freeze=freeze or (), out=out, verbose=True)
    except KeyboardInterrupt as stop:
        kept = (out / CHECKPOINT).is_file()
        interrupted(stop, f"delete {out} and repeat the command" if kept else "nothing was written")
    show(trained.summary, as_json, loaded.task.report.training)
    say(_next(out, checked, str(data or loaded.task.data_file)))


def _next(out: Path, data: Any, named: str) -> str:
    """Where the model is, and the command that comes next: without a test set there is nothing to evaluate on.

    Patches have no test set; photographs that were held out are evaluated, or else all.
    """
    able = len(data.test) or data.task == "patches"
    return f"model in {out}; next: zoo {'evaluate' if able else 'export'} {out} --data {named}"


def named_options(options: dict[str, Any]) -> dict[str, Any]:
    """Returns the options that the user passed."""
    return {name: value for name, value in options.items() if value is not None}


def refuse(options: dict[str, Any], why: str) -> None:
    """Refuses options that would have no effect.

    Args:
        options: Values by name; None for an option that the user did not pass.
        why: End of the message.

    Raises:
        ZooError: If the user passed one of them.
    """
    for name in named_options(options):
        raise ZooError(f"--{name.replace('_', '-')}: {why}; leave it out")


@app.command("crossval", rich_help_panel="Training")
def cross_validate(
    preset: PlanName = None,
    data: WindowsFile = Path("data3.h5"),
    data_dir: DataDir = None,
    model: RecognizerName = None,
    groups: Annotated[
        str,
        typer.Option(
            help="Number of groups of people, each held out once; or loso to hold out one person at a time, study for "
            "one study at a time."
        ),
    ] = "5",
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Number of seeds with which all folds are trained.")] = 1,
    baselines: Annotated[
        str,
        typer.Option(
            help="Baselines on the same folds: random_forest, nearest_neighbor, minirocket; or none. The first two by "
            "default.",
            show_default=False,
        ),
    ] = "random_forest,nearest_neighbor",
    also: Annotated[
        str | None, typer.Option(help="random: also report the scores of a split by random windows, for comparison.")
    ] = None,
    everyone: Annotated[
        bool,
        typer.Option("--everyone", help="Include the people of the test set, who are left out by default."),
    ] = False,
    epochs: Annotated[int | None, typer.Option(help="Maximum number of epochs.")] = None,
    settings: Settings = None,
    workers: Annotated[
        int,
        typer.Option(
            min=0,
            max=1024,
            help="Number of folds to train in parallel, each in its own process; 0 trains in this process.",
        ),
    ] = 1,
    out: Annotated[Path, typer.Option(help="Folder for the results. The same command resumes there.")] = Path(
        "crossval"
    ),
    as_json: Json = False,
) -> None:
    """Cross-validate over groups of people.

    After an interruption, the same command resumes.
    """
    load_tensorflow()
    from zoo import crossval, planning
    from zoo.activity import crossval_report as report
    from zoo.report.progress import FoldBoard

    if also not in (None, "random"):
        raise ZooError(f"--also {also}: expected random")
    plan = planning.plan(preset, model, named_options({"epochs": epochs}) | planning.settings(settings or []))
    protocol = crossval.Protocol(
        groups if (count := whole(groups)) is None else count, seeds,
        () if baselines == "none" else tuple(names(baselines)), also == "random", everyone,
    )  # fmt: skip
    board = FoldBoard(err, plan.recipe.epochs, workers)
    command = shlex.join(["zoo", *sys.argv[1:]])
    try:
        with board.shown():
            result = crossval.cross_validate(
                plan, data_file(data, data_dir), out, protocol, workers=workers, on_progress=board.update,
                command=command,
            )  # fmt: skip
    except KeyboardInterrupt as stop:
        interrupted(stop, f"the folds so far are in {out}; resume with the same command")
    show(result, as_json, report.cross_validation)
    say(f"report in {report.write(result, out)}")
    failed = next((note for note in result["notes"] if "folds failed" in note), None)
    if failed:
        raise ZooError(f"{out}: {failed}; the same command tries them again")


@app.command(rich_help_panel="Training")
def evaluate(
    model: ModelName,
    data: DataFile = None,
    data_dir: DataDir = None,
    split: Annotated[str, typer.Option(help="Split to evaluate on: test, train, validation or all.")] = "test",
    baselines: Annotated[bool | None, typer.Option(help="Fit and evaluate baselines as well.")] = None,
    robustness: Annotated[bool | None, typer.Option("--robustness", help="Also evaluate on disturbed windows.")] = None,
    prior: Prior = None,
    levels: Levels = None,
    figures: Annotated[Path | None, typer.Option(help="Folder for figures.")] = None,
    streaming: Annotated[
        Path | None, typer.Option(help="File of recordings for continuous recognition, instead of --data.")
    ] = None,
    subjects: Annotated[
        str | None,
        typer.Option(help="With --streaming: comma-separated subjects. By default all that were not in training."),
    ] = None,
    merge: Annotated[
        str | None,
        typer.Option(help="With --streaming: labels that mean one of several classes, such as stairs=up+down."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Evaluate a model and baselines on test data."""
    if streaming is not None:
        others = {
            "data": data, "data_dir": data_dir, "split": None if split == "test" else split, "baselines": baselines,
            "robustness": robustness, "prior": prior, "levels": levels, "figures": figures,
        }  # fmt: skip
        refuse(others, "does not apply with --streaming")
        _follow(model, streaming, subjects, merge, as_json)
        return
    refuse({"subjects": subjects, "merge": merge}, "applies with --streaming alone")
    load_tensorflow()
    from zoo import api
    from zoo.runtime import priors

    # What cannot be written to is refused before the work.
    with nullcontext() if figures is None else exclusive_folder(figures):
        with quiet("evaluating"):
            report = api.evaluate(
                model, data, split=split, baselines=baselines is not False, data_dir=data_dir, levels=levels,
                robustness=robustness, prior=None if prior is None else priors.parse(prior),
            )  # fmt: skip
        if figures is not None:
            report.figures(figures)
    show(report, as_json, report.task.report.evaluation)


def _follow(model: str, recordings: Path, subjects: str | None, merge: str | None, as_json: bool) -> None:
    """Evaluates the continuous recognition of an exported file."""
    from zoo.activity import report as activity
    from zoo.activity import streaming
    from zoo.activity.windows import parse_classes
    from zoo.runtime import Recognizer

    with quiet():
        recognizer = Recognizer(exported_file(model))
    who = names(subjects) or None
    found = streaming.evaluate(recognizer, recordings, subjects=who, merge=parse_classes(merge) if merge else None)
    show(found, as_json, activity.streaming)


@app.command(rich_help_panel="Models")
def predict(
    model: ModelName,
    words: Annotated[list[str] | None, typer.Argument(metavar="TEXT", help="Text for a language model.")] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Data file, or tfds:NAME. Predicts its test windows, five random test rows of a text, or all patches."
        ),
    ] = None,
    data_dir: DataDir = None,
    csv: Annotated[Path | None, typer.Option(help="CSV file with columns x, y, z and time.")] = None,
    rate: Rate = None,
    x: AxisX = None,
    y: AxisY = None,
    z: AxisZ = None,
    channels: Channels = None,
    time: Stamps = None,
    unit: Unit = None,
    convention: Convention = None,
    rotation_unit: RotationUnit = None,
    time_unit: TimeUnit = "auto",
    hop: Annotated[
        int | None, typer.Option(min=1, help="Rows between the starts of windows. Half a window by default.")
    ] = None,
    threshold: Threshold = None,
    top: Annotated[
        int | None, typer.Option("--top", "-k", min=1, help="Number of words to show. 10 by default.")
    ] = None,
    generate: Annotated[int | None, typer.Option(min=1, help="Number of words to generate after the text.")] = None,
    temperature: Annotated[
        float | None,
        typer.Option(min=0, help="With --generate: lower values prefer probable words. 1 by default."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of --generate and of the choice of --data rows. 0 by default.")
    ] = None,
    neighbors: Annotated[str | None, typer.Option(help="Show words similar to this one.")] = None,
    levels: Levels = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File (.npz) for codes and reconstructions of patches.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Predict activities, next words, or codes of patches."""
    load_tensorflow()
    from zoo import loading
    from zoo.api import read_data
    from zoo.text import completion

    with quiet():
        loaded = loading.load(model)
    text = " ".join(words) if words else None
    of_csv = {
        "rate": rate, "x": x, "y": y, "z": z, "channels": channels, "time": time, "unit": unit,
        "convention": convention, "rotation_unit": rotation_unit,
        "time_unit": None if time_unit == "auto" else time_unit, "hop": hop,
    }  # fmt: skip
    of_words = {"top": top, "temperature": temperature, "seed": seed}
    elsewhere = f"does not apply to {loaded.name}"
    if data is None:
        refuse({"data_dir": data_dir, "levels": levels}, "applies with --data alone")
    checked: Any = None if data is None else read_data(loaded.task, data, data_dir=data_dir, levels=levels)
    if loaded.task.name == "patches":
        if checked is None or any(given is not None for given in (text, csv, neighbors, generate)):
            raise ZooError(f"{model}: reads patches: pass --data FILE, such as data1.h5")
        refuse({"threshold": threshold, **of_csv, **of_words}, elsewhere)
        _codes(loaded, checked, out, as_json)
        return
    if out is not None:
        raise ZooError(f"--out: {loaded.name} has no codes to write; --json prints its predictions")
    if loaded.task.name == "text":
        refuse({"threshold": threshold, **of_csv}, elsewhere)
        if csv is not None or sum(given is not None for given in (text, data, neighbors)) != 1:
            raise ZooError('a language model takes one of: TEXT such as "in the right", --data FILE, --neighbors WORD')
        if generate is not None and text is None:
            raise ZooError('--generate: needs a text to continue, such as "in the right"')
        if generate is not None:
            refuse({"top": top}, "does not apply with --generate")
        else:
            chosen = seed if data is None else None
            refuse({"temperature": temperature, "seed": chosen}, "applies with --generate alone")
        found: Any
        if neighbors is not None:
            found = completion.neighbors(loaded, neighbors, top or 10)
        elif text is None:
            found = completion.examples(loaded, checked, 5, top or 10, seed or 0)
        elif generate is None:
            found = completion.next_words(loaded, text, top or 10)
        else:
            found = completion.generate(loaded, text, generate, 1.0 if temperature is None else temperature, seed or 0)
        show(found, as_json, loaded.task.report.predictions)
        return
    if text is not None or neighbors is not None or generate is not None:
        raise ZooError(f"{model}: reads acceleration, not words: pass --data FILE or --csv FILE")
    refuse(of_words, elsewhere)
    if (data is None) == (csv is None):
        raise ZooError("pass one of --data FILE or --csv FILE")
    if csv is None:
        refuse(of_csv, "applies with --csv alone")
    from zoo.activity.columns import CsvColumns

    columns = CsvColumns(
        x, y, z, None if rate else time, rate, "=me", "=unknown", unit, convention, time_unit,
        rotation_unit=rotation_unit,
    )  # fmt: skip
    if channels is not None:
        columns = columns.with_channels(channels)
    _windows(loaded, checked, csv, columns, hop, threshold, as_json)


def _codes(loaded: "Loaded", data: "PatchData", out: Path | None, as_json: bool) -> None:
    """Encodes and reconstructs all patches of a file, and writes the result."""
    import numpy as np

    from zoo.files import atomic_write, new_file
    from zoo.report import markdown

    if out is not None and out.suffix != ".npz":
        raise ZooError(f"--out {out}: expected a name that ends in .npz")
    # What cannot be written to is refused before the work.
    with nullcontext() if out is None else new_file(out, False):
        arrays = _encoded(loaded, data)
        if out is not None:
            with atomic_write(out) as temporary, temporary.open("wb") as file:
                np.savez(
                    file, codes=arrays["codes"], reconstructions=arrays["reconstructions"], patches=arrays["patches"]
                )
    document = {
        "model": loaded.name, "data": str(data), "patches": len(arrays["codes"]),
        "units": arrays["codes"].shape[1], "mean_activation": float(arrays["codes"].mean()),
        "mse": float(np.square(arrays["reconstructions"] - arrays["patches"]).mean()),
        "out": None if out is None else str(out),
    }  # fmt: skip
    show(document, as_json, markdown.document)
    if out is None:
        say("codes and reconstructions are not written; --out FILE.npz writes them")


def _encoded(loaded: "Loaded", data: "PatchData") -> "dict[str, NDArray[np.float32]]":
    """The codes and reconstructions of all patches, and the patches as they were preprocessed."""
    import numpy as np

    from zoo.patches.data import Scale
    from zoo.patches.task import TASK, metadata_of

    parts: dict[str, list[Any]] = {"codes": [], "reconstructions": [], "patches": []}
    for rgb, _ in data.train.blocks():
        found = TASK.predict(loaded, rgb)
        parts["codes"].append(found.codes)
        parts["reconstructions"].append(found.reconstructions)
        parts["patches"].append(Scale(*metadata_of(loaded).scale).apply(rgb))
    return {name: np.concatenate(blocks) for name, blocks in parts.items()}


def _windows(
    loaded: "Loaded", data: "ActivityData | None", csv: Path | None, columns: "CsvColumns", hop: int | None,
    threshold: float | None, as_json: bool,
) -> None:  # fmt: skip
    """Predicts the activity in each window of a file."""
    from collections import Counter

    from zoo.activity.task import TASK, predictions_of

    if csv is not None:
        dropped = Counter[str]()
        predictions = TASK.predict(loaded, csv, columns=columns, hop=hop, dropped=dropped, threshold=threshold)
        for reason, count in dropped.items():
            say(f"{csv}: left out: {reason} ({count})", style="yellow")
        rows = predictions.records()
    else:
        assert data is not None
        rows = predictions_of(loaded, data, threshold)
    show(rows, as_json, TASK.report.predictions)
