"""The interface of tasks: everything that families of one kind of data share, as one typed object.

    load_data -> split -> build -> feed -> finish, scores    training
    load_data -> evaluate                                    evaluation
    exportable                                               export

The module `task` of each subject's folder defines a `TASK`. The table of families names the folder.
"""

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

import keras
import numpy as np
from numpy.typing import NDArray

import zoo
from zoo.data import loading
from zoo.data.dataset import Data
from zoo.errors import ZooError, option
from zoo.families import FAMILIES, TASKS, family_of, find_family
from zoo.models.model import Model
from zoo.provenance import known_of, signed, weights_sha256, with_parent
from zoo.recipe import Recipe, Settings
from zoo.report import for_task
from zoo.results import Predictions, Result
from zoo.runtime.metadata import Metadata

if TYPE_CHECKING:
    import tensorflow as tf

    from zoo.exporting.artifacts import Exportable
    from zoo.loading import Loaded
    from zoo.training import Training

Source = Any
"""A path, `tfds:NAME`, or data that is already loaded."""


@dataclass(frozen=True)
class Split:
    """Data that has been read and divided, for any number of trainings.

    Either examples are held out for `validation`, or the same ones are divided again into `folds`, whose trainings
    validate this one.
    """

    data: Any
    train: Any
    validation: Any = None
    folds: tuple["Split", ...] = ()


@dataclass(frozen=True)
class Feed:
    """What a model is fitted on, with `rows` in an epoch, in all its `passes`.

    `batches` makes endless batches, the same each time, from the rows in each batch of an epoch, which may be those of
    several steps, and from the `first_epoch`, counted from 0. There are `class_weights` of each class, then of each
    set. A training ends after `epochs`, with the schedule of all. A `learner`, such as a model with a longer window, is
    trained in place of the model, which gets its weights. The `identity` says what it is trained on in addition to the
    data, and `details` go to the summary. A user may have a `loss` of their own, a function of labels and logits, and
    `metrics`, a function of labels, predictions and logits.
    """

    batches: Callable[..., "tf.data.Dataset"]
    rows: int
    validation: "tf.data.Dataset | None" = None
    class_weights: Sequence[float] | None = None
    label_sets: Sequence[Sequence[int]] = ()
    callbacks: Sequence[keras.callbacks.Callback] = ()
    epochs: int | None = None
    learner: Model | None = None
    identity: dict[str, Any] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    passes: int = 1
    loss: Callable[..., Any] | None = None
    metrics: Any = None


class Task(ABC):
    """Base class of tasks."""

    name: ClassVar[str]
    recipe: ClassVar[Recipe]
    """Default recipe of the families."""
    arguments: ClassVar[Mapping[str, Any]] = {}
    """Arguments of a model that is trained by the name of its family, where its class takes them. The defaults of the
    classes themselves are the network of the course."""
    fitted: ClassVar[tuple[str, ...]] = ("provenance",)
    """Arguments of a model that its training decides."""
    unused: ClassVar[tuple[str, ...]]
    """Fields of a recipe that do not apply to the task."""
    augmentation: ClassVar[type[Settings] | None] = None
    """Type of the settings in a recipe's `augmentation`. None if the task has no augmentation."""
    objectives: ClassVar[Mapping[str, str]]
    """Objectives of a search, each with `max` or `min`. The first one is the default."""
    int8_bytes: ClassVar[tuple[int, int] | None] = None
    """Bytes of an int8 file without metadata and weights, and how often it holds each weight, if that is known."""
    options: ClassVar[tuple[str, ...]] = ()
    """Options of `zoo.predict` that `answer` takes."""

    @property
    def data_file(self) -> str:
        """Default name of the data file."""
        return TASKS[self.name].file

    @property
    def report(self) -> ModuleType:
        """Module that renders results as Markdown."""
        return for_task(self.name)

    @property
    def figures(self) -> ModuleType:
        """Module that draws results, which a task may lack."""
        if find_spec(f"zoo.{self.name}.figures") is None:
            raise ZooError(f"figures: the task {self.name} draws none; leave it out")
        return for_task(self.name, "figures")

    def check_recipe(self, recipe: Recipe, named: Iterable[str], model: str, *, built: bool) -> None:
        """Before data is read, refuses fields that a user has `named` without effect, and checks the augmentation."""
        for name in (*named, *(("steps",) if recipe.steps else ())):
            if name in self.unused or (built and name == "normalize"):
                raise ZooError(f"{name}: has no effect on {model}; leave it out")
        if self.augmentation is not None:
            self.augmentation(**(recipe.augmentation or {}))

    def load_data(self, source: Source, **options: Any) -> Any:
        """Checks and opens a data file. Data that is already loaded is returned unchanged."""
        return loading.load_data(source, task=self.name, **options)

    def match(self, data: Any, name: str, arguments: Mapping[str, Any]) -> Any:
        """Refuses data that a model does not read, in a line that names both; returns it with the model's labels."""
        return data

    @abstractmethod
    def split(self, data: Any, recipe: Recipe, *, folds: bool = False) -> Split:
        """Divides data as a recipe says. With `folds`, a task may validate by them, and train a model on everybody."""

    @abstractmethod
    def build(self, training: "Training", split: Any) -> Model:
        """Creates the model of a training."""

    @abstractmethod
    def feed(self, model: Any, split: Any, recipe: Recipe) -> Feed:
        """Returns what a model is fitted on."""

    @abstractmethod
    def finish(self, model: Any, split: Any, recipe: Recipe, learners: Sequence[Any] = ()) -> dict[str, Any]:
        """Calibrates a trained model, records its provenance, and validates it: on rows held out, or by the `learners`.

        Returns the entries of the training summary that depend on the task: `validation`, and the amount of data.
        """

    @abstractmethod
    def scores(self, model: Any, split: Any) -> dict[str, float]:
        """Computes the objectives of a search on the validation set, or on the training set if there are folds."""

    @abstractmethod
    def metadata(self, model: Any) -> Metadata:
        """Returns the metadata of a model's exported files."""

    @abstractmethod
    def evaluate(self, loaded: "Loaded", data: Any, *, split: str = "test", baselines: bool = True) -> dict[str, Any]:
        """Evaluates a model on a split of data: a document of JSON types, which `report.evaluation` renders."""

    @abstractmethod
    def predict(self, loaded: "Loaded", x: Any) -> Predictions:
        """Predicts from arrays, or from other inputs that the task supports."""

    def answer(self, loaded: "Loaded", x: Any | None, data: Any | None) -> Predictions | Result:
        """What `zoo.predict` returns for inputs, or for the test set of data; further parameters are its `options`."""
        if (x is None) == (data is None):
            raise ZooError(
                f"{loaded.name}: pass either inputs (in Python) or {option('data', 'FILE')}, whose test set is "
                "predicted"
            )
        return self.predict(loaded, data.test.arrays()[0] if data is not None else x)

    @abstractmethod
    def exportable(self, loaded: "Loaded", data: Any | None) -> "Exportable":
        """Describes a model for its export; artifacts are compared on the test set of data, or on simulated data."""

    def pictures(self, loaded: "Loaded", data: Any, split: str = "test") -> dict[str, Any]:
        """Returns arrays that figures show in addition to the metrics of an evaluation on a split."""
        return {}


def require_tensorflow(what: str) -> None:
    """Refuses other backends of Keras for what is written for TensorFlow."""
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise ZooError(f"{what} needs TensorFlow; KERAS_BACKEND is {backend}: unset it, or use the model's own methods")


def log_probabilities(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logarithms of probabilities that an exported file returns.

    Integer files round small probabilities to 0. These are replaced by half of the smallest other probability, which is
    half a quantization step.
    """
    floor = probabilities[probabilities > 0].min(initial=1) / 2
    return np.asarray(np.log(np.maximum(probabilities, floor)))


def task_of(model: Model | Metadata | str) -> Task:
    """Finds the task of a model, of metadata, or of a family by name."""
    known = model if isinstance(model, Metadata) else find_family(model if isinstance(model, str) else family_of(model))
    task: Task = importlib.import_module(f"zoo.{known.task}.task").TASK
    return task


def origin(model: Model) -> dict[str, Any]:
    """Returns the fields of the metadata that all models share."""
    known = known_of(model)
    return {
        "family": FAMILIES[family_of(model)].class_name, "preset": model.name,
        "simulated": bool(known.get("simulated", False)),
        "source": str(known.get("source", "not stated")), "data_sha256": str(known.get("data_sha256", "")),
        "license": str(known.get("license", "not stated")), "weights_sha256": weights_sha256(model.trainable_weights),
        "version": zoo.__version__,
    }  # fmt: skip


def provenance(model: Model, data: Data, **details: Any) -> dict[str, Any]:
    """What a model records when it was trained: its data, its weights, and the trainings from which these started."""
    parents = {"parents": earlier} if (earlier := with_parent(model.provenance or {})) else {}
    known = {"source": data.source, "simulated": data.simulated, "data_sha256": data.sha256, **details, **parents}
    return signed(model, known)
