"""A training run's folder, the same for every family: what it may hold at the start, and what it holds at the end."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from zoo import training
from zoo.errors import ZooError
from zoo.files import require_empty, whole_file, write_json
from zoo.metadata import Metadata
from zoo.models.saving import Model
from zoo.recipes import Recipe
from zoo.tasks.provenance import versions
from zoo.training import CHECKPOINT, Fitted


@dataclass(frozen=True)
class Plan:
    """What to train.

    Args:
        name: Of the preset, or of the user's own model.
        family: A key of `presets.FAMILIES`.
        arguments: Of the constructor, without those that the data decides.
        recipe: How.
    """

    name: str
    family: str
    arguments: dict[str, Any]
    recipe: Recipe


@dataclass(frozen=True)
class Run:
    """How a training is run, beside what is trained.

    Args:
        folder: Gets `model.keras`, `config.json` and `history.json`; must be empty unless resuming.
        resume: Goes on from the checkpoint in `folder`.
        deterministic: Repeats bit by bit, slower.
        tensorboard: A folder for TensorBoard's logs.
        callbacks: Further Keras callbacks, such as a progress bar.
    """

    folder: Path
    resume: bool = False
    deterministic: bool = False
    tensorboard: Path | None = None
    callbacks: Sequence[keras.callbacks.Callback] = ()

    def check(self) -> None:
        """Refuses a folder that is not empty, or that has nothing to resume.

        Raises:
            ZooError: Says what to do.
        """
        checkpoint = self.folder / CHECKPOINT
        if self.resume and not checkpoint.is_file():
            done = (self.folder / "model.keras").is_file()
            why = "is complete; evaluate it" if done else f"no {CHECKPOINT} to resume from; start without --resume"
            raise ZooError(f"{self.folder}: {why}")
        if not self.resume and checkpoint.is_file():
            raise ZooError(f"{self.folder}: holds an unfinished training: add --resume to go on, or delete it first")
        if not self.resume:
            require_empty(self.folder)

    @contextmanager
    def options(self, model: Model, data_sha256: str) -> Iterator[dict[str, Any]]:
        """Gives the options of `training.fit`, and keeps the last good weights where the loss stops being finite."""
        try:
            yield {
                "checkpoint": self.folder / CHECKPOINT, "deterministic": self.deterministic,
                "tensorboard": self.tensorboard, "callbacks": self.callbacks,
                "identity": {"arguments": model.get_config(), "data": data_sha256},
            }  # fmt: skip
        except training.LossNotFiniteError as error:
            path = self.folder / "last_good.keras"
            with whole_file(path) as temporary:
                model.save(temporary)
            raise ZooError(f"{error} in {path}") from error

    def save(
        self, plan: Plan, model: Model, fitted: Fitted, metadata: Metadata, file: Path, details: dict[str, Any]
    ) -> dict[str, Any]:
        """Writes the trained model with all that is known of it, and ends the run.

        Args:
            plan: What was trained.
            model: The trained model.
            fitted: Its history.
            metadata: What it says of itself.
            file: The data it was trained on.
            details: What the family adds to the summary.

        Returns:
            The summary: `parameters`, `epochs`, `best_epoch`, `seconds`, and the details.
        """
        summary = {
            "epochs": len(fitted.history), "best_epoch": fitted.best_epoch, "seconds": round(fitted.seconds, 2),
            "parameters": model.count_params(), **details,
        }  # fmt: skip
        write_json(self.folder / "history.json", fitted.history)
        model.save_to_preset(
            self.folder,
            preset=plan.name, family=plan.family, recipe=plan.recipe.to_json(), metadata=metadata.to_json(),
            data={"file": file.name, "sha256": metadata.data_sha256, "source": metadata.source}, training=summary,
            versions=versions(),
        )  # fmt: skip
        (self.folder / CHECKPOINT).unlink()
        return summary
