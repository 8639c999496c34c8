"""The public functions: everything that a user can do, from Python or from the command line.

Each function resolves its arguments (a preset, a path, data), calls the model's task, and returns the result as plain
data.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
from rich.console import Console

from zoo import catalog, hub, planning, presets
from zoo.activity import finetuning
from zoo.activity.crossval_report import cross_validation, write
from zoo.activity.windows import ActivityData
from zoo.data.examples import Data
from zoo.data.loading import load_data
from zoo.errors import ZooError
from zoo.exporting import artifacts
from zoo.exporting.artifacts import Artifact
from zoo.exporting.parity import ParityError
from zoo.families import FAMILIES, unknown_family
from zoo.loading import Loaded, check_named, load
from zoo.models.model import Model
from zoo.provenance import already_seen
from zoo.recipe import Recipe
from zoo.report.progress import FoldBoard, TrainingBoard
from zoo.search.study import Limits
from zoo.task import Predictions, Source, Task, find_task, task_of
from zoo.training import Progress, Training, TrainResult

Named = Model | str | Path
"""A model, a preset, a folder, a `.keras` or a `.tflite` file."""

Changes = Mapping[str, Any]
"""Values of fields of a recipe, by name."""


def list_presets(family: str | None = None) -> list[str]:
    """Lists the presets whose weights are installed.

    Args:
        family: Name of a family, or a prefix such as `activity`. Lists all presets by default.

    Returns:
        Names of presets.

    Raises:
        ZooError: If no family has that name or prefix.

    Example:
        >>> list_presets("activity_gru")
        ['activity_gru_course', 'activity_gru_tiny', 'activity_gru_pocket', 'activity_gru_phone']
    """
    if family is not None and not any(name.startswith(family) for name in FAMILIES):
        raise unknown_family(family)
    installed = set(catalog.preset_names())
    rows = presets.PRESETS.items()
    return [name for name, row in rows if name in installed and row.family.startswith(family or "")]


def push(preset: str | Path, address: str, *, private: bool = False) -> str:
    """Publishes a model on a hub: its card, its files and the license. Needs `pip install 'pocket-zoo[hub]'`.

    Args:
        preset: A preset, or a folder written by `train` or `Model.save_to_preset`.
        address: `hf://owner/name`. The repository is created if there is none.
        private: Whether only its owner can see a repository that is created.

    Returns:
        The address with the commit, for `Model.from_preset` and wherever the name of a preset is accepted.

    Raises:
        ZooError: If there is no such model, the package is missing, or the hub refuses.

    Example:
        >>> push("activity_gru_course", "hf://owner")
        Traceback (most recent call last):
        ...
        zoo.errors.ZooError: hf://owner: expected hf://owner/name, or hf://owner/name@revision
    """
    return hub.push(catalog.find_folder(preset), address, private=private)


class Evaluation(dict[str, Any]):
    """Result of an evaluation or a cross-validation: a `dict` of JSON types that prints as tables.

    Args:
        document: Metrics by name.
        task: Task that renders and draws them.
        loaded: Model that was evaluated, for figures.
        data: Data that it was evaluated on, for figures.

    Example:
        >>> found = Evaluation({"macro_f1": 0.9}, find_task("activity"))
        >>> found["macro_f1"]
        0.9
    """

    def __init__(self, document: dict[str, Any], task: Task, loaded: Loaded | None = None, data: Any = None) -> None:
        super().__init__(document)
        self.task, self._loaded, self._data = task, loaded, data

    def figures(self, folder: str | Path) -> list[Path]:
        """Draws the figures of an evaluation.

        Args:
            folder: Folder to write to. Created if missing.

        Returns:
            Paths of the figures.

        Raises:
            ZooError: If this is the result of a cross-validation, which draws its figures itself.
        """
        if self._loaded is None:
            raise ZooError("figures: those of a cross-validation are in the folder that it was given as out=FOLDER")
        pictures = self.task.pictures(self._loaded, self._data)
        Path(folder).mkdir(parents=True, exist_ok=True)
        files: list[Path] = self.task.figures.evaluation(self, self._loaded.history, pictures, Path(folder))
        return files

    def _repr_markdown_(self) -> str:
        return str(self.task.report.evaluation(self) if self._loaded is not None else cross_validation(self))

    def __repr__(self) -> str:
        return self._repr_markdown_()


def read_data(
    task: Task, data: Source | None = None, *, data_dir: str | Path | None = None, levels: float | None = None
) -> Any:
    """Reads data for a task.

    Args:
        task: Task to read for.
        data: A path, `tfds:NAME`, or data that is already loaded. The task's usual file name by default.
        data_dir: Folder of the data sets of TensorFlow Datasets.
        levels: Value of white in a file of patches: 1 or 255.
    """
    _check_levels(task, levels)
    if data is None and not Path(task.data_file).exists():
        raise ZooError(
            f"no data was given, and there is no {task.data_file}, the default, in {Path.cwd()}: pass --data FILE, or "
            "in Python data=FILE"
        )
    return task.read(load_data(task.data_file if data is None else data, data_dir=data_dir, levels=levels or 1.0))


def _check_levels(task: Task, levels: float | None) -> None:
    if levels is not None and task.name != "patches":
        raise ZooError(f"--levels: does not apply to {task.name} models; leave it out")


def _for_recognizers(loaded: Loaded, **options: Any) -> dict[str, Any]:
    """Returns the options that were passed, which only recognizers have."""
    passed = {name: value for name, value in options.items() if value is not None}
    if passed and loaded.task.name != "activity":
        raise ZooError(f"--{next(iter(passed))}: does not apply to {loaded.name}; leave it out")
    return passed


def plan_of(model: Named, recipe: Recipe | Changes | None = None) -> tuple[Training, Model | None]:
    """Returns the plan of a training run, and the model whose weights it starts from, if any."""
    check_named(model)
    start = model if isinstance(model, Model) else None
    if start is not None:
        family = next(name for name, row in FAMILIES.items() if row.class_name == type(start).__name__)
        plan = Training(start.name, family, start.get_config(), planning.plan(None, family, {}).recipe)
    else:
        name = str(model)
        plan = planning.plan(None, name, {}) if name in FAMILIES else planning.plan(name, None, {})
    if not isinstance(recipe, Recipe):
        recipe = planning.changed(plan.recipe, recipe or {})
    return replace(plan, recipe=recipe.require_epochs()), start


def train(
    model: Named,
    data: Source,
    recipe: Recipe | Changes | None = None,
    *,
    out: str | Path | None = None,
    resume: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: bool = False,
) -> TrainResult:
    """Trains a model with a recipe.

    Holds out people (or photographs) for validation, fits the input statistics, trains as the recipe says (with
    `patience`, it restores the best weights), and calibrates the probabilities. With three people or fewer, the model
    is trained on all of them: additional training runs, each of which leaves one person out (with a single person, the
    last windows of each activity), show what to expect of new people and determine the threshold; no temperature is
    fitted.

    Args:
        model: Name of a family such as `activity_gru`; name of a preset, to train its architecture with its recipe from
            new weights; or a model, to train its weights further.
        data: A path, `tfds:NAME`, or the result of `load_data`.
        recipe: Recipe to train with, or the fields that differ from that of the preset or the family, such as
            `{"epochs": 30}`.
        out: Folder for the model, its configuration and its history. Nothing is written by default.
        resume: Whether to resume an interrupted run from the checkpoint in `out`.
        callbacks: Additional Keras callbacks.
        verbose: Whether to show the progress on standard error.

    Returns:
        The trained `model`, its `history` (one record per epoch) and a `summary`.

    Raises:
        ZooError: If the model, data, recipe or folder is invalid.

    Example:
        >>> import tempfile
        >>> from zoo import simulate
        >>> data = simulate("activity", f"{tempfile.mkdtemp()}/data3.h5", subjects=3, seconds=12)
        >>> result = train("activity_gru", data, Recipe(epochs=1, validation=0.0))
        >>> result.model.classes == data.classes
        True
    """
    plan, start = plan_of(model, recipe)
    checked = read_data(task_of(plan.family), data)
    with _shown(plan, verbose) as shown:
        out = None if out is None else Path(out)
        return replace(plan, out=out, resume=resume, callbacks=[*callbacks, *shown]).run(checked, start)


@contextmanager
def _shown(plan: Training, verbose: bool) -> Iterator[list[keras.callbacks.Callback]]:
    """The callback that shows the progress of a training on standard error, or none."""
    if not verbose:
        yield []
        return
    with TrainingBoard(Console(stderr=True), plan.recipe.epochs).shown() as board:
        yield [Progress(board.on_epoch_end)]


def evaluate(
    model: Named,
    data: Source | None = None,
    *,
    split: str = "test",
    baselines: bool = True,
    data_dir: str | Path | None = None,
    levels: float | None = None,
    robustness: bool | None = None,
    prior: Mapping[str, float] | None = None,
) -> Evaluation:
    """Evaluates a model, by default on the test split, with baselines.

    Args:
        model: A model, a preset, a folder, or a `.keras` or `.tflite` file.
        data: A path, `tfds:NAME`, or the result of `load_data`.
        split: `test`, `train` or `validation`. The latter two need the data that the model was trained on. For
            recognizers also `all` windows of a file, which leaves none to fit baselines on.
        baselines: Whether to fit and evaluate baselines as well.
        data_dir: Folder of the data sets of TensorFlow Datasets.
        levels: Value of white in a file of patches: 1 or 255.
        robustness: Whether to evaluate on disturbed windows as well. Recognizers only.
        prior: Class frequencies to assume instead of those of the training data, such as `{"walking": 0.6}`. Classes
            that are not named share the rest. Recognizers only.

    Returns:
        A `dict` of metrics that prints as tables; its method `figures(folder)` draws figures.

    Raises:
        ZooError: If the data does not fit the model.

    Example:
        >>> import tempfile
        >>> from zoo import simulate
        >>> data = simulate("activity", f"{tempfile.mkdtemp()}/data3.h5", subjects=3, seconds=12)
        >>> evaluate("activity_gru_course", data, baselines=False)["windows"] == len(data.test)
        True
    """
    loaded = load(model)
    task = loaded.task
    options = _for_recognizers(loaded, robustness=robustness, prior=prior)
    checked = read_data(task, data, data_dir=data_dir, levels=levels)
    report = task.evaluate(loaded, checked, split=split, baselines=baselines, **options)
    return Evaluation(report, task, loaded, checked)


def predict(model: Named, x: Any, **options: Any) -> Predictions:
    """Predicts from windows, a CSV file, text, or patches.

    Args:
        model: A model, a preset, a folder, or a `.keras` or `.tflite` file.
        x: Recognizers take windows `(N, window, channels)` in m/s^2, or the path of a CSV file. Language models take
            text, or word ids `(N, context)`. Autoencoders take patches `(N, 3, S, S)` in [0, 1].
        **options: For a recognizer, `rate` (sampling rate of the windows in Hz), and `columns` and `hop` (how a CSV
            file is read and split into windows), and `threshold` (probability below which a label is None; 0 to always
            answer).

    Returns:
        `labels`, `probabilities` and `times`; for an autoencoder, `codes` and `reconstructions`.

    Raises:
        ZooError: If the input does not fit the model.

    Example:
        >>> predict("trigram_lm_course", "in the right").labels.shape
        (1,)
    """
    loaded = load(model)
    try:
        return loaded.task.predict(loaded, x, **options)
    except TypeError as error:
        if "unexpected keyword argument" in str(error):
            raise ZooError(f"predict: {str(error).partition(') ')[2]} for {loaded.name}") from None
        raise


def export(
    model: Named,
    folder: str | Path,
    formats: str | Sequence[str] | None = None,
    *,
    data: Source | None = None,
    data_dir: str | Path | None = None,
    levels: float | None = None,
    refused: dict[str, ParityError] | None = None,
    prior: Mapping[str, float] | None = None,
    threshold: float | None = None,
    on_progress: Callable[[str], None] = lambda step: None,
) -> list[Artifact]:
    """Exports a model as `.keras`, SavedModel, TFLite or source code.

    Each artifact, or the `.tflite` file that comes with it, is run and compared with Keras before it is written. C code
    is not compared on a machine without a C compiler.

    Args:
        model: A model, a preset, a folder or a `.keras` file.
        folder: Folder to write to. Must be empty.
        formats: One format, such as `"float32"`, `"int8"`, `"saved_model"` or `"c99"`, or several. Those of the family
            by default.
        data: Data to compare artifacts on (its test split) and to calibrate integers on (its training split). Simulated
            by default.
        data_dir: Folder of the data sets of TensorFlow Datasets.
        levels: Value of white in a file of patches: 1 or 255.
        refused: Dictionary that receives each format that differs too much from Keras, with the error; all other
            formats are still written. Without it, the error is raised.
        prior: Class frequencies that the probabilities of the files assume, as for `evaluate`. Recognizers only.
        threshold: Probability below which the answer is "not sure"; 0 to always answer. That of the model by default.
            Recognizers only.
        on_progress: Function that is called with each step, such as a conversion, as it begins.

    Returns:
        One record per artifact.

    Raises:
        ZooError: If a format is unknown, a conversion fails, or an artifact differs from Keras.

    Example:
        >>> import tempfile
        >>> artifacts = export("activity_gru_course", f"{tempfile.mkdtemp()}/files", "keras")
        >>> artifacts[0].format, artifacts[0].largest_error
        ('keras', 0.0)
    """
    loaded = load(model)
    if changes := _for_recognizers(loaded, prior=prior, threshold=threshold):
        loaded = replace(loaded, model=loaded.keras_model.copy(**changes))
    task = loaded.task
    _check_levels(task, levels)
    checked = None if data is None else read_data(task, data, data_dir=data_dir, levels=levels)
    wanted = None if formats is None else catalog.as_names(formats)
    records = artifacts.export(
        loaded, task.exportable(loaded, checked), Path(folder), wanted, refused, on_progress
    )  # fmt: skip
    return [
        Artifact(Path(folder) / row["file"], row["format"], row["bytes"], row["largest_error"], row) for row in records
    ]


def cross_validate(
    model: Named,
    data: Source,
    *,
    groups: int | str = 5,
    seeds: int = 1,
    recipe: Recipe | Changes | None = None,
    baselines: str | Sequence[str] = (),
    out: str | Path | None = None,
    workers: int = 1,
    verbose: bool = False,
) -> Evaluation:
    """Cross-validates a recognizer over groups of people.

    Estimates how well a recipe does on people whose recordings it was not trained on.

    Args:
        model: Name of a family or a preset.
        data: A path or the result of `load_data`, with subject ids.
        groups: Number of groups of people, each held out once; `loso` holds out one subject at a time,
            `study` one study.
        seeds: Number of seeds with which all folds are trained.
        recipe: Recipe to train with, or the fields that differ from that of the preset or the family.
        baselines: A baseline to evaluate on the same folds, or several: `random_forest`, `nearest_neighbor`,
            `minirocket`.
        out: Folder for the results, `report.md` and figures. After an interruption, the same call resumes there. A
            temporary folder by default.
        workers: Number of folds that are trained in parallel.
        verbose: Whether to show the progress on standard error.

    Returns:
        A `dict` of metrics that prints as tables.

    Raises:
        ZooError: If subjects are unknown or too few, or if all folds fail.

    Example:
        >>> from zoo import simulate
        >>> import tempfile
        >>> data = simulate("activity", f"{tempfile.mkdtemp()}/data3.h5", subjects=4, seconds=8)
        >>> found = cross_validate("activity_cnn", data, groups=2, recipe=Recipe(epochs=1, validation=0.0), workers=0)
        >>> found["groups"]
        2
    """
    from zoo import crossval

    plan, _ = plan_of(model, recipe)
    checked = read_data(find_task("activity"), data)
    protocol = crossval.Protocol(groups, seeds, tuple(catalog.as_names(baselines)))
    folder = None if out is None else Path(out)
    if checked.path is None:
        raise ZooError("cross-validation reads its data again in each process: write the arrays to a file first")
    board = FoldBoard(Console(stderr=True), plan.recipe.epochs, workers)
    with board.shown() if verbose else nullcontext():
        result = crossval.cross_validate(
            plan, checked.path, folder, protocol, workers=workers,
            on_progress=board.update if verbose else lambda records: None,
        )  # fmt: skip
    if folder is not None:
        write(result, folder)
    return Evaluation(result, find_task("activity"))


FINETUNE = Recipe(
    optimizer="adam", learning_rate=3e-3, schedule="cosine", clip_norm=1.0, ema_decay=0.999, batch_size=32, epochs=20,
    min_steps=1000, validation=0.2, start_share=0.25,
)  # fmt: skip
"""Default recipe of `finetune`."""

_START_PEOPLE = 2
"""Weights from which fine-tuning starts count as much as what it learned from so many people: docs/small-data.md."""


def finetune(
    preset: Named,
    data: Source,
    *,
    recipe: Recipe | Changes | None = None,
    freeze: str | Sequence[str] = (),
    out: str | Path | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: bool = False,
) -> TrainResult:
    """Fine-tunes a preset on your own data, with any labels.

    Where labels differ, the last layer of a recognizer is new, except for the weights of labels that the preset already
    has. It is fitted first, on the features of all other layers; then all weights are trained at a low rate, and
    averaged with those from which they started (`start_share`): half and half with two people; with fourteen, the
    starting weights have a share of one eighth. With `epochs=0`, only the last layer is fitted, which takes seconds.
    The statistics of the input remain those of the preset. The model is named after the folder and the preset, such as
    `mine_from_activity_gru_phone`.

    Args:
        preset: A preset, a folder, a `.keras` file or a model.
        data: A path, `tfds:NAME`, or what `load_data` returned, at the preset's rate and window.
        recipe: Recipe to train with, or the fields that differ from the default, such as `{"epochs": 5}`. The default
            is `FINETUNE` with the augmentation and label smoothing of the preset's recipe.
        freeze: Name of a layer whose weights stay as they are, or several.
        out: Folder for the model, its configuration and its history; nothing is written by default.
        callbacks: Additional Keras callbacks.
        verbose: Whether to show the progress on standard error.

    Returns:
        The same as `train`.

    Raises:
        ZooError: If the data does not fit the preset (the message names the command that converts it), or if the recipe
            has no epochs and the model is not a recognizer.

    Example:
        >>> from zoo import simulate
        >>> import tempfile
        >>> data = simulate("activity", f"{tempfile.mkdtemp()}/data3.h5", subjects=3, seconds=8)
        >>> result = finetune("activity_gru_course", data, recipe=Recipe(epochs=1, validation=0.0))
        >>> result.model.classes == data.classes
        True
    """
    loaded = load(preset)
    checked = read_data(loaded.task, data)
    activity = loaded.task.name == "activity"
    name = f"{'finetuned' if out is None else Path(out).absolute().name}_from_{loaded.keras_model.name}"
    model = finetuning.with_labels(loaded, checked) if activity else loaded.keras_model
    model = model.copy(name=name)
    frozen = catalog.as_names(freeze)
    unknown = sorted(set(frozen) - {layer.name for layer in model.layers})
    if unknown:
        raise catalog.unknown_name("layer", unknown[0], [layer.name for layer in model.layers if layer.weights])
    if not isinstance(recipe, Recipe):
        recipe = finetuning_recipe(loaded, checked, recipe)
    if not activity:
        recipe.require_epochs()
    plan = replace(plan_of(model)[0], recipe=recipe)

    def begin(prepared: Any, model: Model) -> None:
        if activity:
            finetuning.fit_head(model, prepared.train)

    for name in frozen:
        model.get_layer(name).trainable = False
    try:
        with _shown(plan, verbose) as shown:
            out = None if out is None else Path(out)
            return replace(plan, out=out, callbacks=[*callbacks, *shown]).run(checked, model, begin=begin)
    finally:
        for name in frozen:
            model.get_layer(name).trainable = True


def familiar(loaded: Loaded, data: Any) -> str | None:
    """Why fine-tuning on data says nothing new: the model was trained on this file, or on all of its people.

    Args:
        loaded: What is to be fine-tuned.
        data: Data of its task.

    Returns:
        A sentence, or None if the model does not know the data.
    """
    known = "from which fine-tuning learns nothing new; did you mean data of your own?"
    if data.sha256 == loaded.metadata.data_sha256:
        return f"{data}: is the file that {loaded.name} was trained on, {known}"
    people = data.train.group_names()
    if people and already_seen(people, data.source, loaded.metadata) == people:
        return f"{data}: {loaded.name} was trained on all of its people, {known}"
    return None


def finetuning_recipe(loaded: Loaded, data: Data, changes: Changes | None = None) -> Recipe:
    """The recipe that `finetune` follows by default.

    Args:
        loaded: What is fine-tuned.
        data: What it learns from: the more people, the less remains of the weights from which it starts.
        changes: Fields that differ, by name; `epochs` are single passes.
    """
    known = loaded.config.get("recipe", {})
    shared = {name: known[name] for name in ("augmentation", "label_smoothing") if name in known}
    people = len(data.train.people()) if isinstance(data, ActivityData) else 0
    start = {"start_share": _START_PEOPLE / (_START_PEOPLE + people)} if people else {}
    recipe = FINETUNE.replace(**shared | start | {"loss": loaded.task.recipe.loss})
    return planning.changed(recipe, changes or {})


def tune(
    target: str,
    data: Source,
    *,
    strategy: str = "bayesian",
    trials: int = 50,
    epochs: int = 40,
    limits: Limits | None = None,
    settings: Mapping[str, Any] | None = None,
    best: int = 3,
    seeds: int = 3,
    workers: int = 0,
    out: str | Path | None = None,
) -> dict[str, Any]:
    """Searches hyperparameters, trains the best again with other seeds, and measures the chosen one on test data.

    Args:
        target: A preset, a family, or `activity` for recurrent recognizers of any cell.
        data: A path or what `load_data` returned.
        strategy: `random`, `hyperband`, `bayesian` or `grid`.
        trials: Largest number of trials that are scored.
        epochs: Largest number of epochs of a trial.
        limits: Limits of size and latency, such as `Limits(bytes=30_000)`.
        settings: Arguments of the model and fields of the recipe that are fixed.
        best: Number of trials that are trained again at the end.
        seeds: Number of seeds with which each of these trials is trained again.
        workers: Number of processes that run trials; 0 runs them in this one.
        out: Folder, in which the same call resumes after a kill; a temporary one by default.

    Returns:
        `chosen`, `finals`, `training`, `test`, and the paths of the `report` and of the chosen `model`.

    Raises:
        ZooError: If keras-tuner is missing, the target or the data is not valid, or no trial has a score.

    Example:
        >>> from zoo import Limits, simulate
        >>> import tempfile
        >>> data = simulate("patches", f"{tempfile.mkdtemp()}/data1.h5", count=300, size=8, pictures=4)
        >>> found = tune("sparse_autoencoder", data, strategy="random", trials=1, epochs=1, best=1, seeds=1,
        ...              limits=Limits(parameters=50_000), settings={"pixels": 64})
        >>> found["chosen"]
        0
    """
    if find_spec("keras_tuner") is None or find_spec("tensorboard") is None:
        raise ZooError("searches need keras-tuner and tensorboard: pip install 'pocket-zoo[tuning]'")
    from zoo.search.run import run_search
    from zoo.search.study import Study

    path = load_data(data).path
    if path is None:
        raise ZooError("a search reads its data again in each process: write the arrays to a file first")
    study = Study(
        target=target, data=path, strategy=strategy, trials=trials, epochs=epochs, limits=limits or Limits(),
        settings=dict(settings or {}),
    )  # fmt: skip
    folder = None if out is None else Path(out)
    return run_search(study, folder, processes=workers, best=best, seeds=seeds)
