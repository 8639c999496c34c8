"""Recipes: everything that decides a training run beside model and data."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from zoo.errors import ZooError

OPTIMIZERS = ("sgd", "adam", "adamw")
SCHEDULES = ("constant", "cosine")
LOSSES = ("cross_entropy", "half_squared_error")


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run beside model and data.

    Args:
        optimizer: `sgd`, `adam` or `adamw`.
        learning_rate: Of the optimizer, for gradients averaged over the batch.
        schedule: `constant`, or `cosine`: rises linearly for `warmup_epochs`, then falls to 0 at the last epoch.
        warmup_epochs: Epochs of rising rate, 0 or more.
        momentum: Of `sgd`, in [0, 1).
        weight_decay: Of `adamw`, on all weights but biases.
        clip_value: Each entry of the averaged gradient is clipped to [-clip_value, clip_value].
        clip_norm: The gradients are scaled so that their common norm is at most this.
        ema_decay: Decay of the exponential moving average of the weights, which replaces them at the end; None: none.
        batch_size: Rows a step; the incomplete last batch of an epoch is dropped.
        micro_batches: Equal parts of a batch whose gradients are computed side by side and averaged. The step is the
            same, but for dropout, which draws other numbers, and the sparsity of an autoencoder, which is that of each
            part. 2 are quicker where a network without recurrence leaves a core idle; recurrent ones become slower.
        epochs: Passes over the data, at most.
        patience: Epochs without a lower validation loss after which training stops and the best weights are
            restored; None trains all epochs and keeps the last weights.
        validation: Share of the people (or photographs; or rows, where neither is known) set aside for validation; 0
            for none. A text's file holds its own validation part.
        validation_by: `subject`: whole people, where they are known; or `window`: windows drawn at random, as the
            course does, whose loss says little about people never seen.
        loss: `cross_entropy` of logits and class numbers, or `half_squared_error` of a reconstruction.
        label_smoothing: Share of the target that is spread over all classes, in [0, 1).
        balance: Whether rare classes weigh more in the loss, so that all classes count the same.
        normalize: Whether the model gets the statistics of the training rows.
        augmentation: Arguments of the family's augmentation; None for none.
        merge_contexts: For text: equal contexts become rows whose targets are the distribution of their next words, one
            for every so many times that a context occurs; the same cost with fewer rows. None leaves rows as they are.
        seed: Of weights, split, order, augmentation and dropout.
        split_seed: Of the split alone, so that several seeds are compared on the same validation rows; `seed` where
            None.

    Raises:
        ZooError: If a field's value is none that it can have.

    Example:
        >>> Recipe(optimizer="adam", learning_rate=1e-2, schedule="cosine", warmup_epochs=2).batch_size
        32
        >>> Recipe(optimizer="lion")
        Traceback (most recent call last):
        ...
        zoo.errors.ZooError: recipe: optimizer is 'lion'; expected sgd or adam or adamw
    """

    optimizer: str = "adam"
    learning_rate: float = 2e-3
    schedule: str = "constant"
    warmup_epochs: int = 0
    momentum: float = 0.0
    weight_decay: float = 0.0
    clip_value: float | None = None
    clip_norm: float | None = None
    ema_decay: float | None = None
    batch_size: int = 32
    micro_batches: int = 1
    epochs: int = 50
    patience: int | None = None
    validation: float = 0.1
    validation_by: str = "subject"
    loss: str = "cross_entropy"
    label_smoothing: float = 0.0
    balance: bool = False
    normalize: bool = True
    augmentation: dict[str, Any] | None = field(default=None, hash=False)
    merge_contexts: int | None = None
    seed: int = 0
    split_seed: int | None = None

    def __post_init__(self) -> None:
        ranges = {
            "optimizer": (self.optimizer in OPTIMIZERS, " or ".join(OPTIMIZERS)),
            "schedule": (self.schedule in SCHEDULES, " or ".join(SCHEDULES)),
            "validation_by": (self.validation_by in ("subject", "window"), "subject or window"),
            "loss": (self.loss in LOSSES, " or ".join(LOSSES)),
            "learning_rate": (self.learning_rate > 0, "above 0"),
            "momentum": (0 <= self.momentum < 1, "from 0 to below 1"),
            "batch_size": (self.batch_size >= 1, "1 or more"),
            "micro_batches": (
                self.micro_batches >= 1 and self.batch_size % self.micro_batches == 0,
                f"a divisor of the batch, {self.batch_size}",
            ),
            "epochs": (self.epochs >= 1, "1 or more"),
            "patience": (self.patience is None or self.patience >= 1, "1 or more, or none"),
            "validation": (0 <= self.validation < 1, "from 0 to below 1"),
            "weight_decay": (self.weight_decay >= 0, "0 or more"),
            "warmup_epochs": (0 <= self.warmup_epochs < self.epochs, "from 0 to below the epochs"),
            "clip_value": (self.clip_value is None or self.clip_value > 0, "above 0, or none"),
            "clip_norm": (self.clip_norm is None or self.clip_norm > 0, "above 0, or none"),
            "ema_decay": (self.ema_decay is None or 0 < self.ema_decay < 1, "between 0 and 1, or none"),
            "merge_contexts": (self.merge_contexts is None or self.merge_contexts >= 1, "1 or more, or none"),
            "seed": (self.seed >= 0, "0 or more"),
            "label_smoothing": (0 <= self.label_smoothing < 1, "from 0 to below 1"),
        }
        for name, (valid, expected) in ranges.items():
            if not valid:
                raise ZooError(f"recipe: {name} is {getattr(self, name)!r}; expected {expected}")
        if self.patience is not None and self.ema_decay is not None:
            raise ZooError("recipe: patience keeps the weights of one epoch, ema_decay averages over all: choose one")
        if self.patience is not None and self.validation == 0:
            raise ZooError("recipe: patience needs validation data; set validation above 0 or patience to none")

    @property
    def split_by_seed(self) -> int:
        """The seed that decides the split."""
        return self.seed if self.split_seed is None else self.split_seed

    def to_json(self) -> dict[str, Any]:
        """The recipe as JSON types."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Recipe":
        """The inverse of `to_json`; keys that are missing take their defaults.

        Example:
            >>> Recipe.from_json(Recipe(seed=3).to_json()) == Recipe(seed=3)
            True
        """
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(document) - known)
        if unknown:
            raise ZooError(f"recipe: unknown {', '.join(unknown)}; known are {', '.join(sorted(known))}")
        return cls(**document)
