"""What a task is: everything that families of one kind of data share, as one typed object.

    read -> prepare -> build -> fit -> finish           a training
    read -> evaluate                                    an evaluation
    exportable                                          what export must know

`zoo.tasks.activity`, `autoencoder` and `trigram` hold one `TASK` each; the table of families names it.
"""

import importlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

import zoo
from zoo.data.examples import Data
from zoo.families import find_family
from zoo.metadata import Metadata
from zoo.models.model import Model
from zoo.recipes import Recipe
from zoo.settings import Settings
from zoo.tasks.provenance import weights_sha256

if TYPE_CHECKING:
    from zoo.tasks.exporting import Exportable
    from zoo.tasks.loading import Loaded
    from zoo.tasks.running import Plan
    from zoo.training import Fitted

Source = Any
"""A path, `tfds:NAME`, or checked data."""


class Prepared(Protocol):
    """Data that was read and split once, for any number of trainings."""

    def build(self, plan: "Plan") -> Model:
        """Makes the model of a plan."""
        ...

    def fit(self, recipe: Recipe, model: Model, **options: Any) -> "Fitted":
        """Trains a model; options are those of `training.fit`."""
        ...

    def finish(self, recipe: Recipe, model: Model) -> dict[str, Any]:
        """Calibrates a trained model, records its provenance in it, and measures it on the validation part.

        Returns:
            What the summary of the training says of this task: `validation`, and how much data there was.
        """
        ...

    def scores(self, model: Model) -> dict[str, float]:
        """The objectives of a search, measured on the validation part."""
        ...


@dataclass(frozen=True)
class Predictions:
    """What a model predicts of N inputs.

    Args:
        labels: `(N,)` the most probable label or word; empty for an autoencoder.
        probabilities: `(N, K)`, calibrated; `(N, 0)` for an autoencoder.
        classes: The K labels or words.
        times: `(N,)` seconds from the start of a recording; None where inputs have no order in time.
        codes: `(N, H)` of an autoencoder.
        reconstructions: `(N, D)` of an autoencoder, preprocessed as its input is.
    """

    labels: NDArray[np.str_]
    probabilities: NDArray[np.float32]
    classes: tuple[str, ...]
    times: NDArray[np.floating[Any]] | None = None
    codes: NDArray[np.float32] | None = field(default=None, repr=False)
    reconstructions: NDArray[np.float32] | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.labels) if self.codes is None else len(self.codes)

    def records(self) -> list[dict[str, Any]]:
        """A record an input, of JSON types: `window`, `time`, `label`, `probability`, `probabilities`."""
        return [
            {
                "window": number, "time": None if self.times is None else round(float(self.times[number]), 3),
                "label": str(label), "probability": float(row.max()),
                "probabilities": dict(zip(self.classes, row.tolist(), strict=True)),
            }
            for number, (label, row) in enumerate(zip(self.labels, self.probabilities, strict=True))
        ]  # fmt: skip

    def top(self, count: int = 5) -> list[list[tuple[str, float]]]:
        """The most probable labels of each input, with their probabilities."""
        order = np.argsort(-self.probabilities, axis=1, kind="stable")[:, :count]
        return [
            [(self.classes[place], float(row[place])) for place in places]
            for row, places in zip(self.probabilities, order, strict=True)
        ]


class Task(ABC):
    """A task: its data, its defaults, and what is done with its models."""

    name: ClassVar[str]
    data_file: ClassVar[str]
    """What a data file is called where nobody names one."""
    recipe: ClassVar[Recipe]
    """What a family trains with where nobody says otherwise."""
    unused: ClassVar[tuple[str, ...]]
    """Fields of a recipe that mean nothing here."""
    augmentation: ClassVar[type[Settings] | None] = None
    """What a recipe's `augmentation` holds; None where there is no augmentation."""
    objectives: ClassVar[Mapping[str, str]]
    """What a search can optimize, `max` or `min` each; the first one by default."""
    score: ClassVar[str]
    """What presets are compared by."""

    @property
    def report(self) -> ModuleType:
        """The module that turns results into Markdown."""
        return importlib.import_module(f"zoo.report.{self.name}")

    @property
    def figures(self) -> ModuleType:
        """The module that draws results."""
        return importlib.import_module(f"zoo.report.figures.{self.name}")

    def check(self, recipe: Recipe) -> None:
        """Refuses an augmentation that the task does not know, before data is read.

        Raises:
            ZooError: Names the setting.
        """
        if self.augmentation is not None:
            self.augmentation.from_json(recipe.augmentation or {})

    @abstractmethod
    def read(self, source: Source, **options: Any) -> Any:
        """Checks a data file and opens it; data that is open already is returned as it is.

        The other methods read what they are given, so all of them take a path as well.
        """

    @abstractmethod
    def prepare(self, data: Any, recipe: Recipe) -> Prepared:
        """Splits data as a recipe says."""

    @abstractmethod
    def metadata(self, model: Any) -> Metadata:
        """What an exported file of a model says of it."""

    @abstractmethod
    def evaluate(self, loaded: "Loaded", data: Any, *, split: str = "test", baselines: bool = True) -> dict[str, Any]:
        """Measures a model on a split of data.

        Returns:
            A document of JSON types, which `report.evaluation` renders.
        """

    @abstractmethod
    def predict(self, loaded: "Loaded", x: Any) -> Predictions:
        """Predicts from arrays, or from what else the task reads."""

    @abstractmethod
    def exportable(self, loaded: "Loaded", data: Any | None) -> "Exportable":
        """What export must know of a model.

        Args:
            loaded: The model.
            data: Whose test part artifacts are compared on; simulated data where None.
        """

    def pictures(self, loaded: "Loaded", data: Any) -> dict[str, Any]:
        """Arrays that figures show besides the document of an evaluation."""
        return {}


def find_task(name: str) -> Task:
    """A task by its name."""
    task: Task = importlib.import_module(f"zoo.tasks.{name}").TASK
    return task


def task_of(model: Model | Metadata | str) -> Task:
    """The task of a model, of what a file says of it, or of a family by name."""
    if isinstance(model, Metadata):
        return find_task(model.task)
    return find_task(find_family(model if isinstance(model, str) else type(model).__name__).task)


def origin(model: Model) -> dict[str, Any]:
    """What the metadata of every model says of where it comes from."""
    known = model.provenance or {}
    return {
        "family": type(model).__name__, "preset": model.name, "simulated": bool(known.get("simulated", False)),
        "source": str(known.get("source", "not stated")), "data_sha256": str(known.get("data_sha256", "")),
        "license": str(known.get("license", "not stated")), "weights_sha256": weights_sha256(model),
        "version": zoo.__version__,
    }  # fmt: skip


def provenance(data: Data, **details: Any) -> dict[str, Any]:
    """What a trained model keeps of the data that it was trained on."""
    return {"source": data.source, "simulated": data.simulated, "data_sha256": data.sha256, **details}
