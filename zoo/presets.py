"""The presets: one literal table. A preset is a family, constructor arguments, a recipe and the data it was made from.

A new one is a row here; its weights come from `make presets`.
"""

from dataclasses import dataclass, replace
from typing import Any

from zoo.catalog import unknown_name
from zoo.recipes import Recipe


@dataclass(frozen=True)
class Preset:
    """A named row.

    Args:
        family: A key of `zoo.families.FAMILIES`.
        description: One line.
        arguments: Of the constructor, without those that the data decides.
        recipe: How it is trained.
        data: What it was trained on.
        license: Of that data.
        note: What a reader of its numbers must know besides.
    """

    family: str
    description: str
    arguments: dict[str, Any]
    recipe: Recipe
    data: str
    license: str
    note: str = ""


_MOTIONSENSE = "MotionSense (Malekzadeh, Clegg, Cavallaro, Haddadi, IoTDI 2019, doi 10.1145/3302505.3310068)"
_COURSE_WINDOWS = f"{_MOTIONSENSE}: 3,000 windows of 15 people, 500 of each class, in the course's layout"
_ALL_WINDOWS = f"{_MOTIONSENSE}: all overlapping windows of the same 15 people"

_PHOTOGRAPHS = (
    "8,084 patches of 15 photographs: astronaut, coffee and rocket of scikit-image (public domain, CC0, public "
    "domain), china and flower of scikit-learn (danielbuechele and vultilion, CC BY 2.0), ten of Debian's "
    "budgie-backgrounds (CC0)"
)
_PHOTOGRAPHS_LICENSE = "CC BY 2.0 of two photographs, CC0 and public domain of the others"

_TEXT = "The 250-word 4-grams of Geoffrey Hinton (University of Toronto): 372,500 rows for training"
_TEXT_LICENSE = "none stated: the text is not in this repository"
_TEXT_NOTE = (
    "Sizes and recipe are the course's. The course draws all weights from N(0, 0.01^2), a start from which every word "
    "looks alike and the first epochs only learn how often words are; the preset starts as Keras does (embedding "
    "uniform, kernels Glorot uniform, biases 0)."
)
_TEXT_BEST_NOTE = (
    "Rates, widths and dropout were compared on the validation part, one seed each. The rate was the largest gain; "
    "dropping whole words or entries of the embedding, a third layer, and residual blocks did not help. Equal contexts "
    "are merged into rows with the distribution of their next words: the same cost with 38 % of the rows."
)

_PHOTOGRAPHS_NOTE = (
    "Which photographs are held out follows from the seed; of the seeds 0 to 19 the one was taken whose photographs "
    "have, in the mean, the contrast of the others, before anything was trained on that split."
)

_BEST_PHOTOGRAPHS_NOTE = (
    f"{_PHOTOGRAPHS_NOTE} No whitening. Patches are turned and mirrored in training, but shown as they were cut in its "
    "last quarter, so that each unit is as active as asked on the patches themselves. The weight of the sparsity term "
    "is the least of those on the frontier that keeps every unit within 0.01 of the activity asked on the photographs "
    "learned from. Photographs of other contrasts make units more or less active than that, whatever the weight."
)

_COURSE_NOTE = (
    "Sizes, start, rates and stopping rule are the course's, and so is the input: raw values, not normalized. Its test "
    "windows were drawn at random, where these are of people who are in no training window. Validation windows are "
    "drawn at random, as in the course."
)
_POCKET_NOTE = (
    "Trained on windows of 200 rows, cut to 150 at a random place and read at a random pace. The augmentation was "
    "first explored by cross-validation over all 19 people at hand, the four test people among them, so the test "
    "score may flatter it a little. Units, layers, the magnitude of each row, dropout, epochs, pace, spin and tilt "
    "were then compared over five groups of the training people alone: the magnitude, a second layer and a wider pace "
    "and tilt helped, the others made no difference beyond the spread over seeds. A search of the whole space below "
    "32,000 bytes that began with this recipe found none that was better on validation people, over three seeds "
    "(benchmarks/pocket_search.json). Half of the windows are read on "
    "from the state that another window left behind: it makes no difference to single windows, and a signal without "
    "end is followed by one state that never restarts (benchmarks/streaming.py). Subject 9's recordings dws_2 and "
    "ups_3 look exchanged in the data set: their windows count as errors here. Tried for the worst people, one seed "
    "each over five groups: 44 units, a third layer, fewer epochs, dropout, and random gains of frequencies and of "
    "what moves along gravity; what the worst gained by them, the others lost, and eight such networks together "
    "were hardly better than one."
)

_COURSE_TEXT = Recipe(optimizer="sgd", learning_rate=0.15, momentum=0.85, batch_size=200, epochs=50, patience=5)

# The course sums gradients over its batch of 32 where Keras averages them: rates are 32 times the course's, and its
# bound of 5 on an entry of the gradient is 5 / 32.
PRESETS: dict[str, Preset] = {
    "activity_rnn_course": Preset(
        family="activity_rnn",
        description="The course's SimpleRNN of 128 units",
        arguments={"units": 128, "initializer": "course"},
        recipe=Recipe(
            optimizer="sgd", learning_rate=32 * 1.5e-5, momentum=0.95, batch_size=32, epochs=50, patience=3,
            validation=0.1, validation_by="window", normalize=False,
        ),
        data=_COURSE_WINDOWS,
        license="MIT",
        note=_COURSE_NOTE,
    ),
    "activity_lstm_course": Preset(
        family="activity_lstm",
        description="The course's LSTM of 64 units",
        arguments={"units": 64, "initializer": "course"},
        recipe=Recipe(
            optimizer="sgd", learning_rate=32 * 2e-4, momentum=0.75, clip_value=5 / 32, batch_size=32, epochs=100,
            patience=3, validation=0.2, validation_by="window", normalize=False,
        ),
        data=_COURSE_WINDOWS,
        license="MIT",
        note=_COURSE_NOTE,
    ),
    "activity_gru_course": Preset(
        family="activity_gru",
        description="The course's GRU of 32 units",
        arguments={"units": 32, "initializer": "course"},
        recipe=Recipe(
            optimizer="sgd", learning_rate=32 * 5e-3, momentum=0.85, batch_size=32, epochs=50, patience=3,
            validation=0.1, validation_by="window", normalize=False,
        ),
        data=_COURSE_WINDOWS,
        license="MIT",
        note=_COURSE_NOTE,
    ),
    "activity_gru_pocket": Preset(
        family="activity_gru",
        description="The best recognizer for a phone: two GRUs of 32 units on frames of five rows",
        arguments={
            "units": 32, "num_layers": 2, "frame": 5, "frame_activation": "leaky_relu", "magnitude": True,
            "window": 150,
        },
        recipe=Recipe(
            optimizer="adam", learning_rate=1e-2, schedule="cosine", warmup_epochs=2, clip_norm=1.0, ema_decay=0.999,
            batch_size=64, epochs=40, validation=0.1, label_smoothing=0.1,
            augmentation={
                "pace": 0.25, "smooth": 0.3, "mirror": 0.5, "half_turn": 0.75, "spin": 180.0, "tilt": 25.0,
                "scale": 0.1, "intensity": 0.5, "clip": 0.2, "noise": 0.3, "carry": 0.5,
            },
        ),
        data=_ALL_WINDOWS,
        license="MIT",
        note=_POCKET_NOTE,
    ),
    "sparse_autoencoder_course": Preset(
        family="sparse_autoencoder",
        description="The course's sparse autoencoder of 64 hidden units with tied weights",
        arguments={
            "hidden_units": 64, "sparsity_target": 0.04, "sparsity_weight": 1.0, "weight_decay": 5e-4, "pixels": 256,
        },
        recipe=Recipe(
            optimizer="sgd", learning_rate=0.01, momentum=0.85, batch_size=32, epochs=200, patience=None,
            validation=0.25, loss="half_squared_error", seed=12,
        ),
        data=_PHOTOGRAPHS,
        license=_PHOTOGRAPHS_LICENSE,
        note=_PHOTOGRAPHS_NOTE,
    ),
    "sparse_autoencoder_best": Preset(
        family="sparse_autoencoder",
        description="The same 64 units, as sparse, with the lowest error found by recipe alone",
        arguments={
            "hidden_units": 64, "sparsity_target": 0.04, "sparsity_weight": 2.0, "weight_decay": 0.0, "pixels": 256,
        },
        recipe=Recipe(
            optimizer="adam", learning_rate=0.02, schedule="cosine", warmup_epochs=1, batch_size=256, epochs=200,
            validation=0.25, loss="half_squared_error", augmentation={"symmetries": True, "plain": 0.25}, seed=12,
        ),
        data=_PHOTOGRAPHS,
        license=_PHOTOGRAPHS_LICENSE,
        note=_BEST_PHOTOGRAPHS_NOTE,
    ),
    "trigram_lm_course": Preset(
        family="trigram_lm",
        description="The course's trigram language model: 32 numbers a word, 256 hidden units",
        arguments={"embedding": 32, "hidden_units": 256},
        recipe=replace(_COURSE_TEXT, micro_batches=2),
        data=_TEXT,
        license=_TEXT_LICENSE,
        note=_TEXT_NOTE,
    ),
    "trigram_lm_course_16_128": Preset(
        family="trigram_lm",
        description="The course's trigram language model: 16 numbers a word, 128 hidden units",
        arguments={"embedding": 16, "hidden_units": 128},
        recipe=_COURSE_TEXT,
        data=_TEXT,
        license=_TEXT_LICENSE,
        note=_TEXT_NOTE,
    ),
    "trigram_lm_course_8_64": Preset(
        family="trigram_lm",
        description="The course's trigram language model: 8 numbers a word, 64 hidden units",
        arguments={"embedding": 8, "hidden_units": 64},
        recipe=_COURSE_TEXT,
        data=_TEXT,
        license=_TEXT_LICENSE,
        note=_TEXT_NOTE,
    ),
    "trigram_lm_best": Preset(
        family="trigram_lm",
        description="The best next-word model of three words: two wide hidden layers under dropout",
        arguments={
            "embedding": 64, "hidden_units": 768, "num_layers": 2, "activation": "gelu", "dropout": 0.45,
            "initializer": "wide",
        },
        recipe=Recipe(
            optimizer="adamw", learning_rate=4e-3, schedule="cosine", warmup_epochs=1, weight_decay=0.05,
            batch_size=512, epochs=24, merge_contexts=4,
        ),
        data=_TEXT,
        license=_TEXT_LICENSE,
        note=_TEXT_BEST_NOTE,
    ),
}  # fmt: skip


def find(name: str) -> Preset:
    """The row of a preset.

    Raises:
        ZooError: If there is none; names the nearest.

    Example:
        >>> find("activity_gru_course").arguments["units"]
        32
    """
    if name not in PRESETS:
        raise unknown_name("preset", name, list(PRESETS))
    return PRESETS[name]
