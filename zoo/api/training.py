"""Training: fitting, fine-tuning, cross-validating, searching and evaluating models."""

import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from annotated_types import Ge, Le, Lt

from zoo import catalog
from zoo.api import door
from zoo.api.data import labels_of
from zoo.errors import ArgumentError, ZooError, option, refuse, setting, unknown_name
from zoo.families import FAMILIES
from zoo.files import CHECKPOINT, exclusive_folder, require_startable
from zoo.jobs import connected, count
from zoo.presets import PRESETS
from zoo.recipe import Limits, Recipe
from zoo.report import for_task
from zoo.report.markdown import duration
from zoo.report.screen import err, logged, say, warn
from zoo.results import Benchmark, CrossValidation, Evaluation, FigureFormat, TrainResult, TuneResult

if TYPE_CHECKING:
    from zoo.training import Training

_LONG = 180.0
"""Seconds of a cross-validation for which a smaller plan is offered."""


@door.public
def train(
    model: door.Plan,
    data: door.Source | None = None,
    recipe: door.Changes = None,
    *,
    out: door.FilePath | None = None,
    units: door.Size | None = None,
    num_layers: door.Size | None = None,
    frame: door.Size | None = None,
    dropout: Annotated[float, Ge(0), Lt(1)] | None = None,
    hidden_units: door.Size | None = None,
    settings: Mapping[str, Any] | None = None,
    resume: bool = False,
    deterministic: bool = False,
    tensorboard: door.FilePath | None = None,
    callbacks: door.Callbacks = (),
    loss: Callable[..., Any] | None = None,
    metrics: door.Metrics = (),
    verbose: bool = True,
) -> TrainResult:
    """Trains a new model on your data.

    Fits the input statistics, trains as the recipe says, and calibrates on people (or photographs) that are held out.
    With three people or fewer, more trainings, each without one of them, show what to expect. A preset provides its
    architecture and its recipe, not its weights: `finetune` starts from those.

    Args:
        model: A preset (see `zoo list`), a family such as activity_gru, or FILE:FUNCTION, a function of your own that
            builds a Keras network of `window`, `channels` and `classes`; its other parameters are settings. In Python
            also the function itself, or any Keras model, which is trained further.
        data: Data file, `tfds:NAME`, or what `load_data` returned. By default the file that `zoo data` writes for the
            model, such as data3.h5.
        recipe: Recipe to train with, or the fields that differ from that of the preset or the family, such as
            `{"epochs": 30}`.
        out: Folder for the model and its history; must be empty. In Python, nothing is written by default.
        units: Number of units of each recurrent layer.
        num_layers: Number of recurrent layers.
        frame: Number of rows that are read in one step.
        dropout: Dropout rate after each layer.
        hidden_units: Hidden units of an autoencoder or a language model.
        settings: Any argument of the model or field of the recipe, by name; `zoo info PRESET` lists them.
        resume: Whether to resume an interrupted run from the checkpoint in `out`.
        deterministic: Whether to make runs reproducible bit by bit, at some cost in speed.
        tensorboard: Folder for logs of TensorBoard.
        callbacks: Additional Keras callbacks, one or several.
        loss: Loss of your own, a Keras loss or a function of labels and logits, in place of the recipe's with its label
            smoothing and class weights. Recognizers only.
        metrics: Metrics of your own, one, several or by name: Keras metrics or losses of labels and logits, or
            functions of labels and predictions, as in scikit-learn. The history has them for validation windows.
            Recognizers only.
        verbose: Whether to show the progress on standard error.

    Returns:
        The trained `model`, its `history` (one record per epoch) and a `summary`.

    Raises:
        ZooError: If the model, data, recipe or folder is invalid.

    Example:
        >>> from zoo import simulate
        >>> data = simulate("activity", Path(getfixture("tmp_path")) / "data3.h5", subjects=3, seconds=12)
        >>> result = train("activity_gru", data, Recipe(epochs=1, validation=0.0), units=8, verbose=False)
        >>> result.model.classes == data.classes
        True
    """
    _require_folder(out, resume)
    size = door.given(units=units, num_layers=num_layers, frame=frame, dropout=dropout, hidden_units=hidden_units)
    refuse("is in settings, too", **{name: value for name, value in size.items() if name in (settings or {})})
    changes = {**size, **(settings or {})}
    door.require_plan(model, recipe, changes)
    door.require_file(data, model)
    if tensorboard is not None:
        if find_spec("tensorboard") is None:
            raise ZooError("TensorBoard is not installed: pip install tensorboard")
        with exclusive_folder(Path(tensorboard)):
            pass
    door.load_keras()
    import keras

    from zoo.loading import is_foreign

    plan = _planned(model, changes, recipe, loss=loss, metrics=door.metrics_of(metrics))
    foreign = is_foreign(model)
    if foreign:
        _require_effect(plan, recipe, changes)
    checked_data = door.read(plan.task, data)
    if foreign:
        from zoo.models.network import adopt, built, require_sound

        shape = checked_data.train.inputs.shape[1:]
        model = adopt(built(model, shape), checked_data.classes, checked_data.rate, shape[0], in_g=False, name=None)
        require_sound(model)
    watching = door.several(callbacks)
    if tensorboard is not None:
        watching.append(keras.callbacks.TensorBoard(tensorboard))
    if verbose and isinstance(model, str) and model in PRESETS and plan.task.name != "text":
        say(f"{model}: its architecture and recipe with new weights; `zoo finetune {model}` starts from its weights")
    folder = None if out is None else Path(out)
    plan = replace(plan, out=folder, resume=resume, deterministic=deterministic, callbacks=watching)
    return _trained(plan, checked_data, model if isinstance(model, keras.Model) else None, verbose)


def _planned(model: Any, *changes: Any, **options: Any) -> "Training":
    """The training of what a user names; refuses a model whose own way to train a recipe would replace."""
    import keras

    from zoo.loading import is_foreign
    from zoo.training import Training

    plan = Training.of(model, *changes, **options)
    if getattr(model, "is_compiled_by_user", is_foreign(model) and getattr(model, "compiled", False)):
        bare = "keras.Model(model.inputs, model.outputs)" if is_foreign(model) else "model.copy()"
        raise ArgumentError("model", f": is compiled, which a recipe would replace: use `model.fit`, or pass `{bare}`")
    for name in ("train_step", "compute_loss", "compute_metrics") if isinstance(model, keras.Model) else ():
        if getattr(type(model), name).__module__.partition(".")[0] not in ("keras", "zoo"):
            raise ArgumentError("model", f": has a {name} of its own, which no recipe calls: use `model.fit`")
    return plan


def _trained(plan: "Training", data: Any, start: Any, verbose: bool, **options: Any) -> TrainResult:
    """Runs a training, with its progress on standard error; the result names the command that comes next."""
    from zoo.report.progress import TrainingBoard

    board, out = TrainingBoard(err, plan.recipe.length), plan.out
    try:
        with board.shown() if verbose else nullcontext():
            result = replace(plan, report=board.on_epoch_end if verbose else None).run(data, start, **options)
    except KeyboardInterrupt as stop:
        kept = out is not None and (out / CHECKPOINT).is_file()
        how = f"go on with the same command and {option('resume')}"
        stop.add_note(f"the checkpoint is in {out}; {how}" if kept else "nothing was written")
        raise
    if out is None:
        return result
    # Patches have no test set: photographs that were held out are evaluated, or else all.
    then = "evaluate" if len(data.test) or data.task == "patches" else "export"
    command = "" if data.path is None else f"zoo {then} {door.quoted(out)}{_of_data(data)}"
    return replace(result, written=f"model in {out}", next=command)


def _of_data(data: Any) -> str:
    """The options by which the next command reads the same data; none for data that is in no file."""
    if data.path is None:
        return ""
    white = data.facts.get("levels")
    return f" --data {door.quoted(data.path)}{'' if white is None else f' --levels {white:g}'}"


@contextmanager
def _resumable(out: door.FilePath | None, what: str) -> Iterator[None]:
    """Notes on an interruption how to resume."""
    try:
        yield
    except KeyboardInterrupt as stop:
        if out is not None:
            stop.add_note(f"{what} in {out}; resume with the same command")
        raise


def _require_folder(out: door.FilePath | None, resume: bool) -> None:
    if out is None and resume:
        raise ArgumentError("resume", f": requires {option('out')}, the folder of the interrupted training")
    # Of several hosts, another one may have made the folder.
    if out is not None and "TF_CONFIG" not in os.environ:
        with exclusive_folder(Path(out)):
            require_startable(Path(out), resume)


def _require_effect(plan: "Training", recipe: door.Changes, changes: Mapping[str, Any]) -> None:
    """Refuses what has no effect on a network that is built."""
    own = {name: value for name, value in changes.items() if name not in Recipe.model_fields}
    refuse(f"has no effect on {plan.name}, which is built", **own)
    named = [*changes, *(recipe if isinstance(recipe, Mapping) else ())]
    plan.task.check_recipe(plan.recipe, named, plan.name, built=True)


@door.public
def finetune(
    model: door.Model,
    data: door.Source | None = None,
    *,
    recipe: door.Changes = None,
    freeze: door.Names = (),
    out: door.FilePath | None = None,
    resume: bool = False,
    callbacks: door.Callbacks = (),
    verbose: bool = True,
) -> TrainResult:
    """Trains the weights of a preset further on your data, with any labels.

    For new labels, the last layer of a recognizer is fitted first; then all weights are trained at a low rate, and
    averaged with those from which they started: half and half with two people; with fourteen, those of the start have
    a share of one eighth. Input statistics stay as they are.

    Args:
        model: A preset, a folder or a .keras file; in Python also a model.
        data: Data file, `tfds:NAME`, or what `load_data` returned, at the preset's rate and window. By default the
            file that `zoo data` writes for the model, such as data3.h5.
        recipe: Recipe to train with, or the fields that differ from the default, such as `{"epochs": 5}`: with 0, only
            the last layer is fitted, which takes seconds. The default is `FINETUNE` with the augmentation and label
            smoothing of the preset's recipe.
        freeze: Layers whose weights stay as they are.
        out: Folder for the model and its history; must be empty. In Python, nothing is written by default.
        resume: Whether to resume an interrupted run from the checkpoint in `out`.
        callbacks: Additional Keras callbacks, one or several.
        verbose: Whether to show the progress on standard error.

    Returns:
        The same as `train`; the model is named after the folder and the preset: `mine_from_activity_gru_phone`.

    Raises:
        ZooError: If the data does not fit the preset (the message names the command that converts it), or if the recipe
            has no epochs and the model is not a recognizer.

    Example:
        >>> from zoo import simulate
        >>> data = simulate("activity", Path(getfixture("tmp_path")) / "data3.h5", subjects=3, seconds=8)
        >>> recipe = Recipe(epochs=1, validation=0.0)
        >>> result = finetune("activity_gru_course", data, recipe=recipe, verbose=False)
        >>> result.model.classes == data.classes
        True
    """
    _require_folder(out, resume)
    door.require_model(model)
    door.require_file(data, model)
    if recipe is not None and not isinstance(recipe, Recipe):
        Recipe(steps=1).replace(**recipe)
    loaded = door.load(model)
    from zoo.activity import finetuning

    checked_data = door.read(loaded.task, data)
    name = "finetuned" if out is None else re.sub(r"[^a-zA-Z0-9._-]", "_", Path(out).absolute().name[:100])
    plan, start = _from_weights(model, loaded, checked_data, recipe, f"{name}_from_{loaded.keras_model.name}"[:200])
    frozen = door.names_of(freeze)
    if unknown := sorted(set(frozen) - {layer.name for layer in start.layers}):
        raise unknown_name("layer", unknown[0], [layer.name for layer in start.layers if layer.weights])
    activity = loaded.task.name == "activity"
    if not activity:
        plan.recipe.require_epochs()
    plan = replace(plan, out=None if out is None else Path(out), resume=resume, callbacks=door.several(callbacks))
    if verbose and (doubt := finetuning.familiar(loaded, checked_data)):
        warn(doubt)

    with finetuning.frozen_layers(start, frozen):
        fits = activity and (checked_data.classes != loaded.metadata.classes or start.get_layer("logits").trainable)
        options = {"begin": lambda split, learner: finetuning.fit_head(learner, split.train)} if fits else {}
        return _trained(plan, checked_data, start, verbose, **options)


def _from_weights(
    model: Any, loaded: Any, data: Any, recipe: door.Changes, name: str | None = None
) -> tuple["Training", Any]:
    """A training that starts from the weights of a model, and a copy of it that has the labels of the data."""
    from zoo.activity import finetuning
    from zoo.training import Training

    start = finetuning.with_labels(loaded, data) if loaded.task.name == "activity" else loaded.keras_model
    # A file keeps the layers that its own training froze; those of a model in Python are frozen on purpose.
    thawed = {"frozen": ()} if isinstance(model, str | os.PathLike) else {}
    start = start.copy(name=name or start.name, **thawed)
    return replace(Training.of(start), recipe=finetuning.recipe_for(loaded, data, recipe)), start


@door.public
def cross_validate(
    model: door.Plan,
    data: door.Source = "data3.h5",
    *,
    groups: int | str = 5,
    seeds: door.Repeats = 1,
    recipe: door.Changes = None,
    settings: Mapping[str, Any] | None = None,
    baselines: door.Baselines = ("random_forest", "nearest_neighbor"),
    everyone: bool = False,
    finetune: bool = False,
    loss: Callable[..., Any] | None = None,
    metrics: door.Metrics = (),
    out: door.FilePath | None = None,
    workers: door.FoldWorkers = 1,
    verbose: bool = True,
) -> CrossValidation:
    """Cross-validates a recognizer over groups of people: how well a recipe does on people it was not trained on.

    After an interruption, the same command resumes.

    Args:
        model: A preset (see `zoo list`), a family such as activity_gru, or FILE:FUNCTION, as for `train`; in Python
            also a function or a Keras model, which each fold builds again.
        data: A file in the layout of data3.h5 with subject ids, `tfds:NAME`, or what `load_data` returned.
        groups: Number of groups of people, each held out once; or loso to hold out one person at a time, study for one
            study at a time.
        seeds: Number of seeds with which all folds are trained.
        recipe: Recipe to train with, or the fields that differ from that of the preset or the family.
        settings: Any argument of the model or field of the recipe, by name; `zoo info PRESET` lists them.
        baselines: Baselines on the same folds: random_forest, nearest_neighbor, minirocket; or none. In Python also
            estimators of scikit-learn, a clone of which is fitted in each fold, several or by name.
        everyone: Whether to include the people of the test set, who are left out by default.
        finetune: Whether each fold starts from the weights of the model, as `finetune` does, with its default recipe;
            the model may be a folder or a .keras file as well.
        loss: Loss of your own, as for `train`.
        metrics: Metrics of your own, as for `evaluate`, of all windows together.
        out: Folder for the results, report.md and figures. In Python a temporary one by default.
        workers: Number of folds to train in parallel, each in its own process; 0 trains in this process. Or the address
            of a Dask scheduler, such as tcp://10.0.0.5:8786, in Python also a client: then its workers train them, all
            of which see data and `out` under the same paths.
        verbose: Whether to show the progress on standard error.

    Returns:
        Metrics by name, which print as tables; `to_frame()` and `figures(folder)`.

    Raises:
        ZooError: If subjects are unknown or too few, or if all folds fail.

    Example:
        >>> from zoo import simulate
        >>> data = simulate("activity", Path(getfixture("tmp_path")) / "data3.h5", subjects=4, seconds=8)
        >>> recipe = Recipe(epochs=1, validation=0.0)
        >>> result = cross_validate("activity_cnn", data, groups=2, recipe=recipe, workers=0, verbose=False)
        >>> result["groups"]
        2
    """
    if finetune:
        door.require_model(model)
    else:
        door.require_plan(model, recipe, settings or {})
    door.require_file(data)
    door.load_keras()
    from zoo import crossval
    from zoo.activity import report

    names, estimators = door.baselines_of(baselines)
    start, own = None, door.metrics_of(metrics)
    if finetune:
        refuse("does not apply to fine-tuning", loss=loss)
        loaded = door.load(cast("door.Model", model))
        data = door.read(loaded.task, data)
        fields = dict(settings or {})
        changes = recipe.replace(**fields) if isinstance(recipe, Recipe) else {**(recipe or {}), **fields}
        plan, start = _from_weights(model, loaded, data, changes)
        plan = replace(plan, metrics=own)
    else:
        plan = _planned(model, settings, recipe, loss=loss, metrics=own)
    if estimators:
        door.require_names([plan.name, *names, *estimators])
    protocol = crossval.Protocol(groups, seeds, names, everyone, estimators=estimators, start=start)
    result, failure = _of_folds(plan, data, out, protocol, workers, verbose)
    folder, draw = None if out is None else Path(out), for_task("activity", "figures").crossval
    found = CrossValidation(result, report.cross_validation, draw, folder, failure=failure)
    written = "" if folder is None else f"report in {report.write_cross_validation(found, folder)}"
    return replace(found, written=written)


def _of_folds(
    plans: Any, data: Any, out: door.FilePath | None, protocol: Any, workers: door.FoldWorkers, verbose: bool
) -> tuple[dict[str, Any], str]:
    """What a cross-validation or a benchmark found, with its progress on standard error; and what failed in it."""
    from zoo.crossval import cross_validate
    from zoo.report.progress import FoldBoard

    if out is None and not isinstance(workers, int):
        raise ZooError(f"{option('out')}: a cluster needs a folder that all its workers see")
    lengths = set[str]()
    for recipe in [plan.recipe for plan in (plans if isinstance(plans, list) else [plans])]:
        passes = f"{recipe.epochs} pass{'es' * (recipe.epochs != 1)} over the data"
        lengths.add(passes if recipe.steps is None else f"{recipe.steps:,} steps or more")

    def announce(trainings: int, seconds: float) -> None:
        smaller = f"; a smaller plan: {option('groups', 2)}, {setting('steps', 500)}" if seconds > _LONG else ""
        if verbose and trainings:
            about = f"about {duration(seconds)}; the time left is shown after the first one"
            say(f"{trainings} trainings of {' and '.join(sorted(lengths))}: {about}{smaller}")

    # What a report names as its command is one of the zoo.
    command = shlex.join(["zoo", *sys.argv[1:]]) if Path(sys.argv[0]).name in ("zoo", "__main__.py") else ""
    with _resumable(out, "the folds so far are"), connected(workers) as pool:
        board = FoldBoard(err, count(pool))
        with board.shown() if verbose else nullcontext():
            result = cross_validate(
                plans, data, None if out is None else Path(out), protocol, workers=pool, on_start=announce,
                on_progress=board.update if verbose else door.silent, command=command,
            )  # fmt: skip
    failed = next((note for note in result["notes"] if "folds failed" in note), "")
    return result, f"{out}: {failed}; the same command tries them again" if failed and out is not None else failed


@door.public
def benchmark(
    models: door.Plans,
    data: door.Source = "data3.h5",
    *,
    groups: int | str = 5,
    seeds: door.Repeats = 1,
    recipe: door.Changes = None,
    baselines: door.Baselines = ("random_forest", "nearest_neighbor"),
    everyone: bool = False,
    learning_curve: Iterable[door.Count] = (),
    trials: Annotated[int, Ge(0), Le(50)] = 0,
    out: door.FilePath | None = None,
    workers: door.FoldWorkers = 1,
    verbose: bool = True,
) -> Benchmark:
    """Compares networks on the same people, folds and seeds, next to baselines: is a difference more than luck?

    Each is trained from scratch, and scored on people whom it was not trained on. After an interruption, the same
    command resumes; in the same folder, later calls may have more networks, seeds and baselines. `zoo bench` is
    another command, which times exported files.

    Args:
        models: Presets (see `zoo list`), families such as activity_gru, or FILE:FUNCTION, as for `train`; in Python
            also functions and Keras models, several or by name.
        data: A file in the layout of data3.h5 with subject ids, `tfds:NAME`, or what `load_data` returned.
        groups: Number of groups of people, each held out once; or loso to hold out one person at a time, study for one
            study at a time.
        seeds: Number of seeds with which all folds are trained.
        recipe: Recipe to train all with, or the fields that differ from that of each preset or family.
        baselines: Baselines on the same folds: random_forest, nearest_neighbor, minirocket; or none. In Python also
            estimators of scikit-learn, a clone of which is fitted in each fold, several or by name.
        everyone: Whether to include the people of the test set, who are left out by default.
        learning_curve: Numbers of people, such as 2,4,8: each fold also trains all methods on that many of its people,
            the same for all.
        trials: Number of trials, at most 50, by which each fold also chooses the recipe of each network, and the sizes
            of a family: that of the best trial on validation people of its training side. It is a further method, such
            as activity_gru.20trials. 0 for none.
        out: Folder for benchmark.json, report.md, tables and figures. In Python a temporary one by default.
        workers: Number of folds to train in parallel, each in its own process; 0 trains in this process. Or the address
            of a Dask scheduler, such as tcp://10.0.0.5:8786, in Python also a client: then its workers train them, all
            of which see data and `out` under the same paths.
        verbose: Whether to show the progress on standard error.

    Returns:
        Metrics by name, which print as tables; `to_frame()` has a row for each method, and `figures(folder)` draws.

    Raises:
        ZooError: If subjects are unknown or too few, if there is nothing to compare, or if two methods have one name.

    Example:
        >>> from zoo import simulate
        >>> data = simulate("activity", Path(getfixture("tmp_path")) / "data3.h5", subjects=4, seconds=8)
        >>> recipe = Recipe(epochs=1, validation=0.0)
        >>> result = benchmark("activity_cnn", data, groups=2, recipe=recipe, workers=0, verbose=False)
        >>> sorted(result["methods"])
        ['activity_cnn', 'nearest_neighbor', 'random_forest']
    """
    several = models if isinstance(models, Mapping) else dict(enumerate(door.several(models)))
    for model in several.values():
        if str(model).endswith(".tflite"):
            raise ZooError(f"{model}: is an exported file, which cannot be trained: `zoo bench` times it")
        door.require_plan(model, recipe, {})
    door.require_file(data)
    names, estimators = door.baselines_of(baselines)
    if trials:
        _require_tuner()
        _require_choice(several.values(), recipe)
    door.load_keras()
    from zoo import crossval
    from zoo.activity import report

    plans = [_planned(model, None, recipe) for model in several.values()]
    if isinstance(models, Mapping):
        plans = [replace(plan, name=str(name)) for name, plan in zip(models, plans, strict=True)]
    door.require_names([*(plan.name for plan in plans), *names, *estimators])
    searches: dict[str, crossval.Search] = {}
    if trials:
        from zoo.search.run import best_training

        for plan, model in zip(plans, several.values(), strict=True):
            # As long as the row that it is compared with.
            length = {name: value for name in ("epochs", "steps") if (value := getattr(plan.recipe, name)) is not None}
            target, fixed = plan.function or model, {**cast("dict[str, Any]", recipe or {}), **length}
            search = crossval.Search(trials, partial(best_training, target, fixed, trials))
            searches[f"{plan.name}.{trials}trials"] = search
        plans += [replace(plan, name=name) for plan, name in zip(plans, searches, strict=True)]
    if len(plans) + len(names) + len(estimators) < 2:
        raise ZooError("nothing to compare: name two networks, or one and a baseline")
    protocol = crossval.Protocol(
        groups, seeds, names, everyone, estimators=estimators, curve=[*learning_curve], searches=searches
    )  # fmt: skip
    result, failure = _of_folds(plans, data, out, protocol, workers, verbose)
    folder, draw = None if out is None else Path(out), for_task("activity", "figures").benchmark
    found = Benchmark(result, report.benchmark, draw, folder, failure=failure)
    return found if folder is None else replace(found, written=f"report in {report.write_benchmark(found, folder)}")


@door.public
def evaluate(
    model: door.Model,
    data: door.Source | None = None,
    *,
    split: str = "test",
    baselines: bool = True,
    robustness: bool | None = None,
    prior: door.Shares | None = None,
    figures: door.FilePath | None = None,
    figure_format: FigureFormat | None = None,
    streaming: door.FilePath | None = None,
    subjects: door.People | None = None,
    merge: door.Labels | None = None,
    metrics: door.Metrics = (),
) -> Evaluation:
    """Evaluates a model and baselines on test data.

    Args:
        model: A preset, a folder, or a .keras or .tflite file; in Python also a model.
        data: Data file, `tfds:NAME`, or what `load_data` returned. By default data1.h5 (patches), data2.h5 (text) or
            data3.h5 (activity), whichever the model reads.
        split: Split to evaluate on: test, train or validation. The latter two need the data that the model was trained
            on. For recognizers also all windows of a file, which leaves none to fit baselines on.
        baselines: Whether to fit and evaluate baselines as well. That of an autoencoder, PCA, always is.
        robustness: Whether to evaluate on disturbed windows as well. Recognizers only.
        prior: Class frequencies to assume instead of those of the training data, such as walking=0.6,sitting=0.3, in
            Python `{"walking": 0.6}`; other classes share the rest. Recognizers only.
        figures: Folder for figures.
        figure_format: Format of the figures: png, svg or pdf. png by default.
        streaming: File of recordings for continuous recognition by an exported file, instead of `data`. Figures are
            then timelines: what each person did above, what was shown below.
        subjects: With `streaming`: subjects. By default all that were not in training.
        merge: With `streaming`: labels that mean one of several classes, such as stairs=up+down.
        metrics: Metrics of your own, one, several or by name: Keras metrics or losses of labels and logits, or
            functions of labels and predictions, as in scikit-learn, which baselines have as well. Recognizers only.

    Returns:
        Metrics by name, which print as tables; `to_frame()` is a table of scores, and `figures(folder)` draws.

    Raises:
        ZooError: If the data does not fit the model.

    Example:
        >>> from zoo import simulate
        >>> data = simulate("activity", Path(getfixture("tmp_path")) / "data3.h5", subjects=3, seconds=12)
        >>> evaluate("activity_gru_course", data, baselines=False)["windows"] == len(data.test)
        True
    """
    if streaming is not None:
        refuse(
            f"does not apply with {option('streaming', 'FILE')}", data=data, robustness=robustness, prior=prior,
            metrics=metrics or None, split=None if split == "test" else split, baselines=None if baselines else False,
        )  # fmt: skip
    else:
        refuse(f"applies with {option('streaming', 'FILE')} alone", subjects=subjects, merge=merge)
        door.require_model(model)
        door.require_file(data, model)
    with door.drawing(figures, figure_format) as drawn:
        if streaming is None:
            return drawn(_of_split(model, data, split, baselines, robustness=robustness, prior=prior, metrics=metrics))
        from zoo.activity.streaming import evaluate as evaluate_streams
        from zoo.runtime import Recognizer

        if not isinstance(model, str | Path):
            raise ArgumentError("model", ": is in memory; expected a preset, or the path of an exported file or folder")
        people = door.names_of(subjects) or None
        recognizer = Recognizer(catalog.exported_file(model))
        found = evaluate_streams(recognizer, Path(streaming), subjects=people, merge=labels_of(merge))
        return drawn(Evaluation(found, for_task("activity").streaming, for_task("activity", "figures").streaming))


def _of_split(model: door.Model, data: door.Source | None, split: str, baselines: bool, **options: Any) -> Evaluation:
    """Evaluates a model on windows, patches or rows."""
    loaded = door.load(model)
    task = loaded.task
    options = door.for_recognizers(loaded, **options)
    checked_data = door.read(task, data)
    report = task.evaluate(loaded, checked_data, split=split, baselines=baselines, **options)

    def draw(metrics: dict[str, Any]) -> Any:
        return task.figures.evaluation(metrics, loaded.history, task.pictures(loaded, checked_data, split))

    then = ""
    if isinstance(model, str | os.PathLike) and str(model) not in PRESETS and Path(model).suffix != ".tflite":
        then = f"zoo export {door.quoted(model)}{_of_data(checked_data)}"
    return Evaluation(report, task.report.evaluation, draw, next=then)


def _require_choice(models: Iterable[Any], recipe: Any) -> None:
    """Refuses a benchmark whose trials would have nothing to choose, or nothing to choose by."""
    if isinstance(recipe, Recipe):
        raise ArgumentError("trials", ": a whole recipe leaves nothing to choose; pass the fields that are fixed")
    if any(hasattr(model, "layers") for model in models):
        raise ArgumentError("trials", ": of a Keras model nothing is searched; pass a function that builds it")
    if (recipe or {}).get("validation") == 0:
        raise ZooError(f"{setting('validation', 0)}: trials are compared on validation people; leave it out")


def _require_tuner() -> None:
    if find_spec("keras_tuner") is None or find_spec("tensorboard") is None:
        raise ZooError("searches need keras-tuner and tensorboard: pip install 'pocket-zoo[tuning]'")


@door.public
def tune(
    target: str | Callable[..., Any],
    data: door.Source | None = None,
    *,
    choose: Mapping[str, Sequence[Any]] | None = None,
    strategy: Literal["random", "hyperband", "bayesian", "grid"] = "bayesian",
    trials: Annotated[int, Ge(1), Le(1_000_000)] = 50,
    epochs: door.Count = 40,
    objective: str | None = None,
    space: str | None = None,
    settings: Mapping[str, Any] | None = None,
    limits: Limits | Mapping[str, Any] | None = None,
    groups: door.Repeats = 1,
    seed: door.Seed | None = None,
    best: door.Repeats = 3,
    seeds: door.Repeats = 3,
    out: door.FilePath | None = None,
    save_preset: door.FilePath | None = None,
    figures: door.FilePath | None = None,
    figure_format: FigureFormat | None = None,
    workers: door.Workers = 0,
    verbose: bool = True,
) -> TuneResult:
    """Searches hyperparameters, trains the best again with other seeds, and measures the chosen one on test data.

    After an interruption, the same command resumes.

    Args:
        target: A preset or a family; activity, to search over the kind of cell as well; or FILE:FUNCTION, as for
            `train`.
        data: Data file, `tfds:NAME`, or what `load_data` returned.
        choose: Values to choose from, by the names of settings, such as `{"filters": [8, 16]}`; in the terminal
            filters=8,16.
        strategy: Strategy of the search.
        trials: Maximum number of scored trials.
        epochs: Maximum number of epochs per trial.
        objective: Objective, such as macro_f1, cross_entropy or cost.
        space: Search space of the family, such as course.
        settings: Arguments of the model and fields of the recipe that are fixed, by name.
        limits: Limits of size and latency, such as `Limits(bytes=30_000)`.
        groups: Groups of people, each held out once in every trial. 1 for a single split.
        seed: Seed of the split and of the search. Seeds of trials count up from it.
        best: Number of best trials to train again at the end.
        seeds: Number of seeds with which each of the best trials is trained.
        out: Folder of the search. In Python a temporary one by default.
        save_preset: Folder for the chosen model.
        figures: Folder for the figures of the report.
        figure_format: Format of these figures: png, svg or pdf. png by default.
        workers: Number of processes that run trials; 0 runs them in this process.
        verbose: Whether to show the progress on standard error.

    Returns:
        `chosen`, `finals`, `training`, `test`, and the paths of the `report` and of the chosen `model`;
        `figures(folder)` draws.

    Raises:
        ZooError: If keras-tuner is missing, the target or the data is not valid, or no trial has a score.

    Example:
        >>> from zoo import simulate
        >>> data = simulate("patches", Path(getfixture("tmp_path")) / "data1.h5", count=300, size=8, pictures=4)
        >>> result = tune("sparse_autoencoder", data, strategy="random", trials=1, epochs=1, best=1, seeds=1,
        ...               limits=Limits(parameters=50_000), settings={"pixels": 64}, verbose=False)
        >>> result.chosen
        0
    """
    _require_tuner()
    names = (*FAMILIES, *PRESETS, "activity")
    if isinstance(target, str) and target not in names and not catalog.function_in(target):
        raise unknown_name("preset or family", target, [*PRESETS, *FAMILIES, "activity"])
    _require_choice([target], {})
    door.require_file(data)
    door.load_keras()
    from zoo.search import report
    from zoo.search.run import search
    from zoo.search.spaces import Study

    bounds = limits if isinstance(limits, Limits) else Limits(**(limits or {}))
    study = Study(
        target, data, strategy, trials, epochs, space, objective, bounds, dict(settings or {}), groups, seed,
        {name: list(values) for name, values in (choose or {}).items()},
    )  # fmt: skip
    with _resumable(out, "the search is"), door.drawing(figures, figure_format) as drawn:
        result = search(
            study, None if out is None else Path(out), processes=workers, best=best, seeds=seeds,
            preset=None if save_preset is None else Path(save_preset), logged=logged if verbose else None,
        )  # fmt: skip
        return drawn(TuneResult(
            result, report.result, lambda found: report.figures(study, found), chosen=result["chosen"],
            model=Path(result["model"]), report=Path(result["report"]), warnings=result["training"].get("warnings", []),
            next=f"zoo export {door.quoted(result['model'])}",
        ))  # fmt: skip
