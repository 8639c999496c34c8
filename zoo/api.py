"""The public functions: what a user can do, from Python and from the command line alike.

Each resolves the names that a user gives (a preset, a path, data), calls the task that the model belongs to, and
returns what it found as plain data.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from zoo import catalog, presets
from zoo.data.loading import load_data
from zoo.errors import ZooError
from zoo.families import FAMILIES
from zoo.models.activity import ActivityRecognizer
from zoo.models.model import Model
from zoo.recipes import Recipe
from zoo.tasks import exporting, planning
from zoo.tasks.exporting import Artifact
from zoo.tasks.loading import Loaded, load
from zoo.tasks.running import Plan, Run, Trained
from zoo.tasks.running import train as run_training
from zoo.tasks.task import Predictions, Source, Task, find_task, task_of

TrainResult = Trained
"""What `train` returns: `model`, `history`, `summary`."""

Named = Model | str | Path
"""A model, a preset, a folder, a `.keras` or a `.tflite` file."""


def list_presets(family: str | None = None) -> list[str]:
    """Names of the presets whose weights are here.

    Args:
        family: A family, or how families begin, such as `activity`; all by default.

    Raises:
        ZooError: If there is no such family.

    Example:
        >>> list_presets("activity_gru")
        ['activity_gru_course', 'activity_gru_pocket']
    """
    if family is not None and not any(name.startswith(family) for name in FAMILIES):
        raise catalog.unknown_name("family", family, list(FAMILIES))
    installed = set(catalog.preset_names())
    rows = presets.PRESETS.items()
    return [name for name, row in rows if name in installed and row.family.startswith(family or "")]


class Evaluation(dict[str, Any]):
    """The document of an evaluation or a cross-validation: a `dict` of JSON types that prints as tables.

    Args:
        document: The numbers.
        task: What renders and draws them.
        loaded: What was measured, for figures.
        data: On what.
    """

    def __init__(self, document: dict[str, Any], task: Task, loaded: Loaded | None = None, data: Any = None) -> None:
        super().__init__(document)
        self.task, self._loaded, self._data = task, loaded, data

    def figures(self, folder: str | Path) -> list[Path]:
        """Draws the figures of an evaluation.

        Args:
            folder: Where to; made where it is missing.

        Returns:
            The files.
        """
        if self._loaded is None:
            raise ZooError("figures: a cross-validation draws its figures into its own folder: name out=FOLDER")
        pictures = self.task.pictures(self._loaded, self._data)
        Path(folder).mkdir(parents=True, exist_ok=True)
        files: list[Path] = self.task.figures.evaluation(self, self._loaded.history, pictures, Path(folder))
        return files

    def _repr_markdown_(self) -> str:
        render = self.task.report.evaluation if self._loaded is not None else self.task.report.cross_validation
        return str(render(self))

    def __repr__(self) -> str:
        return self._repr_markdown_()


def read_data(
    task: Task, data: Source | None = None, *, data_dir: str | Path | None = None, levels: float | None = None
) -> Any:
    """Data of a task: a path, `tfds:NAME`, or data that is loaded already.

    Args:
        task: What it is for.
        data: The task's usual file name by default.
        data_dir: Where data sets of TensorFlow Datasets are.
        levels: The value of white in a file of patches: 1, or 255.
    """
    _check_levels(task, levels)
    return task.read(load_data(task.data_file if data is None else data, data_dir=data_dir, levels=levels or 1.0))


def _check_levels(task: Task, levels: float | None) -> None:
    if levels is not None and task.name != "autoencoder":
        raise ZooError(f"--levels: means nothing for {task.name} models; leave it out")


def plan_of(model: Named, recipe: Recipe | None = None) -> tuple[Plan, Model | None]:
    """What to train: the plan, and the model whose weights to start from, if any."""
    if isinstance(model, Model):
        family = next(name for name, row in FAMILIES.items() if row.class_name == type(model).__name__)
        known = planning.plan(None, family, {})
        return Plan(model.name, family, model.get_config(), recipe or known.recipe), model
    name = str(model)
    plan = planning.plan(None, name, {}) if name in FAMILIES else planning.plan(name, None, {})
    return (plan if recipe is None else Plan(plan.name, plan.family, plan.arguments, recipe)), None


def train(
    model: Named,
    data: Source,
    recipe: Recipe | None = None,
    *,
    out: str | Path | None = None,
    resume: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> TrainResult:
    """Trains a model by a recipe.

    People (or photographs) are held out for validation, the statistics of the input are fitted, the recipe is followed,
    the best weights are restored, and probabilities are calibrated.

    Args:
        model: A family such as `activity_gru`; a preset, whose architecture and recipe are taken, but not its weights;
            or a model, whose weights are trained further.
        data: A path, `tfds:NAME`, or what `load_data` returned.
        recipe: That of the preset, or the family's own, by default.
        out: Folder for the model, its configuration and its history; nothing is written by default.
        resume: Continue a run that was killed, from the checkpoint in `out`.
        callbacks: Further Keras callbacks.

    Returns:
        The trained `model`, its `history` (a record an epoch) and a `summary`.

    Raises:
        ZooError: If the model, the data, the recipe or the folder is not as it should be.

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
    run = Run(None if out is None else Path(out), resume, callbacks=callbacks)
    return run_training(plan, checked, run, model=start)


def evaluate(
    model: Named,
    data: Source | None = None,
    *,
    split: str = "test",
    baselines: bool = True,
    data_dir: str | Path | None = None,
    levels: float | None = None,
    robustness: bool | None = None,
) -> Evaluation:
    """Measures a model, by default on the test part of data, with baselines.

    Args:
        model: A model, a preset, a folder, a `.keras` or a `.tflite` file.
        data: A path, `tfds:NAME`, or what `load_data` returned.
        split: `test`, `train` or `validation`; the latter two of the data that the model was trained on.
        baselines: Whether to fit and measure baselines as well.
        data_dir: Where data sets of TensorFlow Datasets are.
        levels: What white is in a file of patches: 1, or 255.
        robustness: Whether to disturb windows of activity as well.

    Returns:
        A `dict` of numbers with `.figures(folder)`, which prints as tables.

    Raises:
        ZooError: If the data is not what the model reads.
    """
    loaded = load(model)
    task = loaded.task
    options = {} if robustness is None else {"robustness": robustness}
    if options and task.name != "activity":
        raise ZooError(f"--robustness: means nothing for {loaded.name}; leave it out")
    checked = read_data(task, data, data_dir=data_dir, levels=levels)
    report = task.evaluate(loaded, checked, split=split, baselines=baselines, **options)
    return Evaluation(report, task, loaded, checked)


def predict(model: Named, x: Any, **options: Any) -> Predictions:
    """Predicts from windows, a CSV file, a text, or patches.

    Args:
        model: A model, a preset, a folder, a `.keras` or a `.tflite` file.
        x: For a recognizer windows `(N, window, channels)` in m/s^2, or the path of a CSV file. For a language model a
            text, or word numbers `(N, context)`. For an autoencoder patches `(N, 3, S, S)` in [0, 1].
        **options: For a recognizer `rate` (Hz of windows), `columns` and `hop` (how a CSV file is read and cut).

    Returns:
        `labels`, `probabilities` and `times`; of an autoencoder `codes` and `reconstructions`.

    Raises:
        ZooError: If the input is not what the model reads.

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
    formats: Sequence[str] | None = None,
    *,
    data: Source | None = None,
    data_dir: str | Path | None = None,
    levels: float | None = None,
    refused: dict[str, str] | None = None,
) -> list[Artifact]:
    """Writes a model as `.keras`, SavedModel, TFLite or source code; each artifact is run and compared with Keras.

    Args:
        model: A model, a preset, a folder or a `.keras` file.
        folder: Where to; must be empty.
        formats: Such as `float32`, `int8`, `saved_model`, `c`; the family's usual ones by default.
        data: Whose test part artifacts are compared on and whose training part integers are calibrated on; simulated
            data by default.
        data_dir: Where data sets of TensorFlow Datasets are.
        levels: What white is in a file of patches: 1, or 255.
        refused: Is filled with the formats that differ from Keras by too much, with the reason, and the others are
            written; without it such a format is an error.

    Returns:
        The artifacts.

    Raises:
        ZooError: If a format is unknown, a conversion fails, or an artifact differs from Keras.
    """
    loaded = load(model)
    task = loaded.task
    _check_levels(task, levels)
    checked = None if data is None else read_data(task, data, data_dir=data_dir, levels=levels)
    records = exporting.export(loaded, task.exportable(loaded, checked), Path(folder), formats, refused)
    return [
        Artifact(Path(folder) / row["file"], row["format"], row["bytes"], row["largest_error"], row) for row in records
    ]


def cross_validate(
    model: Named,
    data: Source,
    *,
    groups: int | str = 5,
    seeds: int = 1,
    recipe: Recipe | None = None,
    baselines: Sequence[str] = (),
    out: str | Path | None = None,
    workers: int = 1,
) -> Evaluation:
    """Cross-validates a recognizer over groups of people: how good a recipe is on people it was not trained on.

    Args:
        model: A family or a preset.
        data: A path or what `load_data` returned, with subject ids.
        groups: Groups of people, each left out once; `loso` leaves one subject out at a time.
        seeds: Times that all folds are trained.
        recipe: That of the preset, or the family's own, by default.
        baselines: `random_forest`, `nearest_neighbor`, `minirocket`, on the same folds.
        out: Folder, in which the same call continues after a kill; a temporary one by default.
        workers: Folds that are trained at once.

    Returns:
        A `dict` of numbers that prints as tables.

    Raises:
        ZooError: If people are unknown or too few, or every fold fails.
    """
    from zoo.tasks import crossval

    plan, _ = plan_of(model, recipe)
    checked = read_data(find_task("activity"), data)
    protocol = crossval.Protocol(groups, seeds, tuple(baselines))
    folder = None if out is None else Path(out)
    result = crossval.cross_validate(plan, checked.path, folder, protocol, workers=workers)
    return Evaluation(result, find_task("activity"))


FINETUNE = Recipe(
    optimizer="adam", learning_rate=1e-3, schedule="cosine", clip_norm=1.0, batch_size=32, epochs=20, validation=0.2,
)  # fmt: skip
"""What `finetune` trains with where nobody says otherwise."""


def finetune(
    preset: Named,
    data: Source,
    *,
    recipe: Recipe | None = None,
    freeze: Sequence[str] = (),
    out: str | Path | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> TrainResult:
    """Trains the weights of a preset further on one's own data, with any labels.

    Where labels differ the last layer is new, but for the rows of equal labels. The statistics of the input stay those
    of the preset, so that its other weights keep their meaning.

    Args:
        preset: A preset, a folder, a `.keras` file or a model.
        data: A path, `tfds:NAME`, or what `load_data` returned, at the preset's rate and window.
        recipe: `FINETUNE`, with the augmentation of the preset's recipe, by default.
        freeze: Names of layers whose weights stay as they are.
        out: Folder for the model, its configuration and its history; nothing is written by default.
        callbacks: Further Keras callbacks.

    Returns:
        As `train`.

    Raises:
        ZooError: If the data is not what the preset reads; names the command that mends it.
    """
    loaded = load(preset)
    checked = read_data(loaded.task, data)
    model = _with_labels(loaded, checked)
    unknown = sorted(set(freeze) - {layer.name for layer in model.layers})
    if unknown:
        raise catalog.unknown_name("layer", unknown[0], [layer.name for layer in model.layers if layer.weights])
    if recipe is None:
        augmentation = loaded.config.get("recipe", {}).get("augmentation")
        recipe = replace(FINETUNE, augmentation=augmentation, loss=loaded.task.recipe.loss)
    plan, _ = plan_of(model, recipe)
    for name in freeze:
        model.get_layer(name).trainable = False
    try:
        run = Run(None if out is None else Path(out), callbacks=callbacks)
        return run_training(plan, checked, run, model=model)
    finally:
        for name in freeze:
            model.get_layer(name).trainable = True


def _with_labels(loaded: Loaded, data: Any) -> Model:
    """A copy of a model for the labels of data, which is at the rate and in the windows that the model reads."""
    model = loaded.keras_model
    if loaded.task.name != "activity":
        return model.copy()
    assert isinstance(model, ActivityRecognizer)
    rows, channels = data.train.examples.inputs.shape[1:]
    if data.rate != model.rate or rows < model.window or channels != len(model.channels):
        raise ZooError(
            f"{data}: windows of ({rows}, {channels}) at {data.rate:g} Hz; {loaded.name} reads ({model.window}, "
            f"{len(model.channels)}) at {model.rate:g} Hz: cut them anew with `zoo data windows RECORDINGS --rate "
            f"{model.rate:g} --window {model.window}`"
        )
    return model.copy(classes=data.classes, temperature=1.0)
