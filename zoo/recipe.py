"""Recipes: everything that decides a training run, apart from model and data."""

import math
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from zoo.catalog import find_folder
from zoo.errors import ZooError
from zoo.files import read_json
from zoo.settings import Range, Settings

_Count = Annotated[int, Range(ge=1)]
_Positive = Annotated[float, Range(gt=0)]
_Fraction = Annotated[float, Range(ge=0, lt=1)]
_Seed = Annotated[int, Range(ge=0, lt=2**32)]


@dataclass(frozen=True)
class Recipe(Settings):
    """Everything that decides a training run, apart from model and data.

    Args:
        optimizer: `sgd`, `adam` or `adamw`.
        learning_rate: Of the optimizer, for gradients averaged over the batch.
        schedule: `constant`, or `cosine`: rises linearly for `warmup_epochs`, then falls to 0 at the last step.
        warmup_epochs: Epochs of rising rate, 0 or more; at most half of the run.
        momentum: Of `sgd`, in [0, 1).
        weight_decay: Of `adamw`, on all weights but biases.
        clip_value: Each entry of the averaged gradient is clipped to [-clip_value, clip_value].
        clip_norm: The gradients are scaled so that their common norm is at most this.
        ema_decay: Decay of the exponential moving average of the weights, which is validated and saved in their place;
            smaller in the first steps, so that short runs gain as well. None for no average.
        start_share: Share of the initial weights in the average that is validated and saved, in [0, 1): fine-tuning
            keeps some of what was learned from others.
        batch_size: Rows per step, at most the number of training rows; the incomplete last batch of an epoch is
            dropped.
        micro_batches: Equal parts of a batch whose gradients are computed side by side and averaged. The step is the
            same, but for dropout, which draws other numbers, and the sparsity of an autoencoder, which is that of each
            part. Two parts are faster if a network without recurrence leaves a core idle; recurrent networks become
            slower.
        epochs: Passes over the data, at most. 0, for fine-tuning alone, fits the last layer and trains no further.
        min_steps: Steps of a whole run, at least: an epoch of little data is several passes. None makes every epoch one
            pass.
        patience: Epochs without a lower validation loss after which training stops and the best weights are
            restored; None trains all epochs and keeps the last weights.
        validation: Share of the people (or photographs; or rows, where neither is known) held out for validation; 0
            for none. A text's file holds its own validation set.
        validation_by: `subject`: whole people, where they are known. With three people or fewer, the model is trained
            on all of them; the scores are then those of additional training runs, each of which leaves one person out
            (with a single person, the last windows of each activity). They do not choose the number of epochs, see
            benchmarks/few_people.py. If `patience` is set, the split for so few people is that of `time`. `time`: the
            last windows of each activity of each person. `window`: windows drawn at random, as the course does. The
            loss of the latter two says little about new people.
        loss: `cross_entropy` of logits and class numbers, or `half_squared_error` of a reconstruction.
        label_smoothing: Share of the target that is spread over all classes, in [0, 1).
        class_weights: `balanced` weights rare classes more in the loss, so that all classes count the same; `root`
            makes them count as the root of their number of windows. If there are several studies: with `balanced`, the
            studies that have a class share the weight of that class; with `root`, each class of each study has its own
            weight. None weights all examples equally.
        rejection_rate: Share of the validation windows for which a recognizer answers "not sure": the threshold is this
            quantile of their highest probabilities, at most 0.8. 0 for no threshold.
        normalize: Whether the model gets the statistics of the training rows.
        augmentation: Arguments of the family's augmentation; None for none.
        merge_contexts: For text: equal contexts are merged into rows whose targets are the distribution of the next
            words: one row for up to this many occurrences of a context. The cost is the same, with fewer rows. None
            leaves rows as they are.
        seed: Of weights, split, order, augmentation and dropout.
        split_seed: Of the split alone, so that several seeds are compared on the same validation rows. None for
            `seed`.

    Raises:
        ZooError: If a value is of another type or outside its range.

    Example:
        >>> Recipe(optimizer="adam", learning_rate=1e-2, schedule="cosine", warmup_epochs=2).batch_size
        32
        >>> Recipe(batch_size=0)
        Traceback (most recent call last):
        ...
        zoo.errors.ZooError: recipe: batch_size is 0; expected 1 or more
    """

    label = "recipe"

    optimizer: Literal["sgd", "adam", "adamw"] = "adam"
    learning_rate: _Positive = 2e-3
    schedule: Literal["constant", "cosine"] = "constant"
    warmup_epochs: Annotated[int, Range(ge=0)] = 0
    momentum: _Fraction = 0.0
    weight_decay: Annotated[float, Range(ge=0)] = 0.0
    clip_value: _Positive | None = None
    clip_norm: _Positive | None = None
    ema_decay: Annotated[float, Range(gt=0, lt=1)] | None = None
    start_share: _Fraction = 0.0
    batch_size: _Count = 32
    micro_batches: _Count = 1
    epochs: Annotated[int, Range(ge=0)] = 50
    min_steps: _Count | None = None
    patience: _Count | None = None
    validation: _Fraction = 0.1
    validation_by: Literal["subject", "time", "window"] = "subject"
    loss: Literal["cross_entropy", "half_squared_error"] = "cross_entropy"
    label_smoothing: _Fraction = 0.0
    class_weights: Literal["balanced", "root"] | None = None
    rejection_rate: _Fraction = 0.05
    normalize: bool = True
    augmentation: dict[str, Any] | None = field(default=None, hash=False)
    merge_contexts: _Count | None = None
    seed: _Seed = 0
    split_seed: _Seed | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.batch_size % self.micro_batches:
            raise ZooError(
                f"recipe: micro_batches is {self.micro_batches}; expected a divisor of the batch, {self.batch_size}"
            )
        if self.patience is not None and self.validation == 0:
            raise ZooError("recipe: patience needs validation data; set validation above 0 or patience to none")

    @classmethod
    def from_preset(cls, name: str) -> "Recipe":
        """The recipe of a published preset, or of a folder that `zoo train` wrote.

        Example:
            >>> Recipe.from_preset("activity_gru_pocket").schedule
            'cosine'
        """
        return cls.from_json(read_json(find_folder(name) / "config.json")["recipe"])

    def require_epochs(self) -> "Recipe":
        """The recipe itself.

        Raises:
            ZooError: If it has no epochs, which suits fine-tuning alone.
        """
        if not self.epochs:
            raise ZooError("recipe: epochs is 0; expected 1 or more")
        return self

    def passes(self, rows: int) -> int:
        """Passes over training rows that make an epoch.

        Example:
            >>> Recipe(batch_size=32, epochs=50, min_steps=2000).passes(rows=320)
            4
        """
        if self.min_steps is None or not self.epochs:
            return 1
        return max(1, math.ceil(self.min_steps / (self.epochs * rows / self.batch_size)))

    @property
    def split_by_seed(self) -> int:
        """The seed that decides the split."""
        return self.seed if self.split_seed is None else self.split_seed
